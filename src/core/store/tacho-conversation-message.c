/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message of a conversation. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-conversations-private.h"

#include "base/tacho-error.h"
#include "base/tacho-text.h"

#include <string.h>

G_DEFINE_BOXED_TYPE (TachoConversationMessage,
                     tacho_conversation_message,
                     tacho_conversation_message_copy,
                     tacho_conversation_message_free)

static const char *const state_names[] = { "done",   "streaming", "stopped",
                                           "failed", "truncated", "interrupted" };
static const char *const role_names[] = { "system", "user", "assistant" };

static int
index_of (const char *const *names, gsize n, const char *name)
{
  for (gsize i = 0; i < n; i++)
    if (g_strcmp0 (names[i], name) == 0)
      return (int) i;
  return -1;
}

/**
 * tacho_message_state_to_string:
 * @state: a state
 *
 * Returns: its name in files
 */
const char *
tacho_message_state_to_string (TachoMessageState state)
{
  return state_names[MIN ((gsize) state, G_N_ELEMENTS (state_names) - 1)];
}

/**
 * tacho_message_state_from_string:
 * @name: (nullable): a name
 * @state: (out): what it names
 *
 * Returns: whether it names one
 */
gboolean
tacho_message_state_from_string (const char *name, TachoMessageState *state)
{
  int i = index_of (state_names, G_N_ELEMENTS (state_names), name);

  if (i >= 0)
    *state = (TachoMessageState) i;
  return i >= 0;
}

/**
 * tacho_role_to_string:
 * @role: a role
 *
 * Returns: its name in files
 */
const char *
tacho_role_to_string (TachoRole role)
{
  return role_names[MIN ((gsize) role, G_N_ELEMENTS (role_names) - 1)];
}

/**
 * tacho_role_from_string:
 * @name: (nullable): a name
 * @role: (out): what it names
 *
 * Returns: whether it names one
 */
gboolean
tacho_role_from_string (const char *name, TachoRole *role)
{
  int i = index_of (role_names, G_N_ELEMENTS (role_names), name);

  if (i >= 0)
    *role = (TachoRole) i;
  return i >= 0;
}

static TachoAttachment *
attachment_new (char *name, char *text)
{
  TachoAttachment *attachment = g_new (TachoAttachment, 1);

  attachment->name = name;
  attachment->text = text;
  return attachment;
}

static void
attachment_free (gpointer data)
{
  TachoAttachment *attachment = data;

  g_free (attachment->name);
  g_free (attachment->text);
  g_free (attachment);
}

/**
 * tacho_conversation_message_new:
 * @role: who says it
 * @text: (nullable): what; what is not UTF-8 in it is replaced
 *
 * Returns: (transfer full): a message that is done and not stored
 */
TachoConversationMessage *
tacho_conversation_message_new (TachoRole role, const char *text)
{
  TachoConversationMessage *self = g_new0 (TachoConversationMessage, 1);

  self->role = role;
  self->version = self->n_versions = 1;
  self->active = TRUE;
  self->text = g_utf8_make_valid (text != NULL ? text : "", -1);
  self->attachments = g_ptr_array_new_with_free_func (attachment_free);
  return self;
}

/**
 * tacho_conversation_message_copy:
 * @self: a message
 *
 * Returns: (transfer full): one like it
 */
TachoConversationMessage *
tacho_conversation_message_copy (const TachoConversationMessage *self)
{
  TachoConversationMessage *copy = g_memdup2 (self, sizeof *self);

  copy->text = g_strdup (self->text);
  copy->reasoning = g_strdup (self->reasoning);
  copy->model = g_strdup (self->model);
  copy->failure = g_strdup (self->failure);
  copy->stats = g_strdup (self->stats);
  copy->attachments = g_ptr_array_new_with_free_func (attachment_free);
  for (guint i = 0; i < self->attachments->len; i++)
    {
      const TachoAttachment *from = g_ptr_array_index (self->attachments, i);

      g_ptr_array_add (copy->attachments,
                       attachment_new (g_strdup (from->name), g_strdup (from->text)));
    }
  return copy;
}

/**
 * tacho_conversation_message_free:
 * @self: (nullable): a message
 *
 * Frees it.
 */
void
tacho_conversation_message_free (TachoConversationMessage *self)
{
  if (self == NULL)
    return;
  g_free (self->text);
  g_free (self->reasoning);
  g_free (self->model);
  g_free (self->failure);
  g_free (self->stats);
  g_ptr_array_unref (self->attachments);
  g_free (self);
}

/**
 * tacho_conversation_message_attach:
 * @self: a message
 * @name: of the file, without its folder
 * @data: (array length=length): what is in it
 * @length: bytes of @data
 * @error: return location
 *
 * Puts a text file to a prompt.
 *
 * Returns: whether it was put; else %TACHO_ERROR_INVALID
 */
gboolean
tacho_conversation_message_attach (TachoConversationMessage *self,
                                   const char *name,
                                   const char *data,
                                   gsize length,
                                   GError **error)
{
  g_autofree char *clean = tacho_text_sanitize_line (name, -1, 200);

  if (length > TACHO_CONVERSATION_MAX_TEXT)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "The file %s has more than %u MB: attach a part of it", clean,
                 (guint) (TACHO_CONVERSATION_MAX_TEXT >> 20));
  else if (length > 0 && memchr (data, '\0', length) != NULL)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "The file %s is no text (it holds a NUL byte): attach a text file", clean);
  else
    {
      g_ptr_array_add (self->attachments, attachment_new (g_steal_pointer (&clean),
                                                          g_utf8_make_valid (length > 0 ? data : "",
                                                                             (gssize) length)));
      return TRUE;
    }
  return FALSE;
}

/* Longer than any row of backticks in the text. */
char *
tacho_conversation_message_make_fence (const char *text)
{
  gsize longest = 2;

  while (*text != '\0')
    {
      gsize run = strspn (text, "`");

      longest = MAX (longest, run);
      text += run;
      text += strcspn (text, "`");
    }
  return g_strnfill (longest + 1, '`');
}

/**
 * tacho_conversation_message_dup_full_text:
 * @self: a message
 *
 * Returns: (transfer full): its text and its files, as they go to a model
 */
char *
tacho_conversation_message_dup_full_text (const TachoConversationMessage *self)
{
  GString *full = g_string_new (self->text);

  for (guint i = 0; i < self->attachments->len; i++)
    {
      const TachoAttachment *file = g_ptr_array_index (self->attachments, i);
      g_autofree char *fence = tacho_conversation_message_make_fence (file->text);

      g_string_append_printf (full, "%s%s:\n%s\n%s%s%s", full->len > 0 ? "\n\n" : "", file->name,
                              fence, file->text, g_str_has_suffix (file->text, "\n") ? "" : "\n",
                              fence);
    }
  return g_string_free (full, FALSE);
}
