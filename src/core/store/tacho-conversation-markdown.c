/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A conversation as Markdown. Replies are Markdown themselves and go in as they are; what they
 * leave open is closed, so that it does not swallow the rest. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-conversation-document.h"
#include "store/tacho-conversations-private.h"

#include "base/tacho-text.h"

#include <string.h>

/* A name in a line of Markdown. */
static char *
escape (const char *name)
{
  g_autofree char *line = tacho_text_sanitize_line (name, -1, 0);
  GString *out = g_string_new (NULL);

  for (const char *p = line; *p != '\0'; p++)
    {
      if (strchr ("\\`*_[]<>#&|~!", *p) != NULL)
        g_string_append_c (out, '\\');
      g_string_append_c (out, *p);
    }
  return g_string_free (out, FALSE);
}

static char *
format_time (gint64 time_us)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (time_us / G_USEC_PER_SEC);

  return time_us != 0 && time != NULL ? g_date_time_format (time, "%Y-%m-%d %H:%M UTC") : NULL;
}

/* A line that opens or closes a fenced block (CommonMark 4.5): how many of which character, and
 * whether nothing else stands there. */
static gsize
read_fence (const char *line, char *character, gboolean *alone)
{
  gsize indent = strspn (line, " ");
  gsize run;

  *character = line[indent];
  if (indent > 3 || (*character != '`' && *character != '~'))
    return 0;
  run = strspn (line + indent, *character == '`' ? "`" : "~");
  if (run < 3)
    return 0;
  line += indent + run;
  *alone = line[strspn (line, " \t\r")] == '\n' || line[strspn (line, " \t\r")] == '\0';
  /* With backticks behind it, it is code within a line. */
  if (*character == '`' && memchr (line, '`', strcspn (line, "\n")) != NULL)
    return 0;
  return run;
}

/* The text as it is, a line end, and the end of a fence that it leaves open. */
static void
append_text (GString *out, const char *text)
{
  gsize open = 0;
  char of = 0;

  for (const char *line = text; *line != '\0';)
    {
      char character = 0;
      gboolean alone = FALSE;
      gsize run = read_fence (line, &character, &alone);

      if (open == 0 && run > 0)
        {
          open = run;
          of = character;
        }
      else if (open > 0 && run >= open && character == of && alone)
        open = 0;
      line += strcspn (line, "\n");
      line += *line == '\n';
    }
  g_string_append (out, text);
  if (out->len > 0 && out->str[out->len - 1] != '\n')
    g_string_append_c (out, '\n');
  for (gsize i = 0; i < open; i++)
    g_string_append_c (out, of);
  if (open > 0)
    g_string_append_c (out, '\n');
}

/* A quotation ends whatever its text leaves open. */
static void
append_quoted (GString *out, const char *title, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  g_string_append_printf (out, "> **%s**\n>\n", title);
  for (char **line = lines; *line != NULL; line++)
    if (line[1] != NULL || **line != '\0')
      g_string_append_printf (out, "> %s\n", *line);
}

static void
append_heading (GString *out, const TachoConversationMessage *message, const char *model)
{
  g_autofree char *time = format_time (message->created);
  g_autofree char *name = NULL;

  if (message->role == TACHO_ROLE_ASSISTANT)
    {
      if (message->model != NULL && *message->model != '\0')
        model = message->model;
      name = escape (*model != '\0' ? model : "Assistant");
    }
  else
    name = g_strdup (message->role == TACHO_ROLE_SYSTEM ? "System" : "You");
  g_string_append_printf (out, "\n## %s%s%s\n\n", name, time != NULL ? " · " : "",
                          time != NULL ? time : "");
}

static void
append_state (GString *out, const TachoConversationMessage *message)
{
  static const char *const words[] = {
    [TACHO_MESSAGE_STREAMING] = "Not finished yet",
    [TACHO_MESSAGE_STOPPED] = "Stopped",
    [TACHO_MESSAGE_FAILED] = "Failed",
    [TACHO_MESSAGE_TRUNCATED] = "Cut off: the stream ended early",
    [TACHO_MESSAGE_INTERRUPTED] = "Interrupted: Tacho ended meanwhile",
  };

  if (message->state == TACHO_MESSAGE_DONE || (gsize) message->state >= G_N_ELEMENTS (words))
    return;
  if (message->failure != NULL && *message->failure != '\0')
    {
      g_string_append_c (out, '\n');
      append_quoted (out, words[message->state], message->failure);
    }
  else
    g_string_append_printf (out, "\n*%s.*\n", words[message->state]);
}

static void
append_message (GString *out, const TachoConversationMessage *message, const char *model)
{
  append_heading (out, message, model);
  if (message->reasoning != NULL && *message->reasoning != '\0')
    {
      append_quoted (out, "Reasoning", message->reasoning);
      g_string_append_c (out, '\n');
    }
  append_text (out, message->text);
  for (guint i = 0; i < message->attachments->len; i++)
    {
      const TachoAttachment *file = g_ptr_array_index (message->attachments, i);
      g_autofree char *name = escape (file->name);
      g_autofree char *fence = tacho_conversation_message_make_fence (file->text);

      g_string_append_printf (
          out, "\nAttached: **%s**\n\n%s\n%s%s%s\n", name, fence, file->text,
          *file->text == '\0' || g_str_has_suffix (file->text, "\n") ? "" : "\n", fence);
    }
  append_state (out, message);
}

/**
 * tacho_conversation_document_to_markdown:
 * @self: a conversation
 *
 * A heading for each message with who said it and when; reasoning and failures quoted; texts, and
 * so code, as they are. Of the versions, those that are shown.
 *
 * Returns: (transfer full): Markdown
 */
char *
tacho_conversation_document_to_markdown (const TachoConversationDocument *self)
{
  GString *out = g_string_new (NULL);
  g_autofree char *title = escape (*self->title != '\0' ? self->title : "Conversation");
  g_autofree char *model = escape (self->model);
  g_autofree char *server = escape (self->server);
  g_autofree char *begun = format_time (self->created);
  gint64 last = 0;

  g_string_append_printf (out, "# %s\n", title);
  if (*model != '\0' || *server != '\0' || begun != NULL)
    g_string_append_c (out, '\n');
  if (*model != '\0')
    g_string_append_printf (out, "- Model: %s\n", model);
  if (*server != '\0')
    g_string_append_printf (out, "- Server: %s\n", server);
  if (begun != NULL)
    g_string_append_printf (out, "- Begun: %s\n", begun);
  if (*self->system_prompt != '\0')
    {
      g_string_append (out, "\n## System\n\n");
      append_text (out, self->system_prompt);
    }
  for (guint i = 0; i < self->messages->len; i++)
    {
      const TachoConversationMessage *message = g_ptr_array_index (self->messages, i);

      if (message->active && message->follows == last)
        {
          append_message (out, message, self->model);
          last = message->id;
        }
    }
  return g_string_free (out, FALSE);
}
