/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A conversation as it is read: its messages, and what can be done with each. */
#define G_LOG_DOMAIN "tacho-chat-view"

#include "config.h"

#include "app/tacho-chat-view.h"
#include "app/tacho-generation-words.h"
#include "app/tacho-message-footer.h"
#include "app/tacho-reply-details.h"
#include "app/tacho-reply-stats.h"
#include "app/tacho-transcript.h"
#include "base/tacho-markdown.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>
#include <math.h>

#define SHOWN_FIRST 30 /* messages of a long conversation that are shown when it is opened */
#define SHOWN_MORE 100
#define MAX_LINK 2000

struct _TachoChatView
{
  AdwBin parent_instance;
  TachoChat *chat;
  TachoTranscript *transcript;
  guint first;    /* message that is shown on top */
  gboolean open;  /* the last reply is still coming */
  char *obstacle; /* NULL: something can be asked */
};

G_DEFINE_FINAL_TYPE (TachoChatView, tacho_chat_view, ADW_TYPE_BIN)

static TachoConversationMessage *
get_message (TachoChatView *self, guint index)
{
  GPtrArray *messages = tacho_chat_get_messages (self->chat);

  return index < messages->len ? g_ptr_array_index (messages, index) : NULL;
}

static void
update_actions (TachoChatView *self)
{
  static const char *const asking[] = { "chat.edit", "chat.regenerate", "chat.continue" };
  gboolean idle = tacho_chat_get_phase (self->chat) == TACHO_CHAT_IDLE;

  for (gsize i = 0; i < G_N_ELEMENTS (asking); i++)
    gtk_widget_action_set_enabled (GTK_WIDGET (self), asking[i], idle && self->obstacle == NULL);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "chat.version", idle);
}

static void
add_prompt (TachoChatView *self, const TachoConversationMessage *message, guint index)
{
  g_autoptr (GString) text = g_string_new (message->text);

  for (guint i = 0; i < message->attachments->len; i++)
    {
      const TachoAttachment *file = g_ptr_array_index (message->attachments, i);
      g_autofree char *name = tacho_text_sanitize_line (file->name, -1, 100);

      g_string_append_printf (text, "%s📎 %s", text->len > 0 ? "\n" : "", name);
    }
  tacho_transcript_add_prompt (self->transcript, text->str);
  tacho_transcript_add_widget (
      self->transcript,
      tacho_message_footer_new (message, index, TACHO_FOOTER_COPY | TACHO_FOOTER_EDIT));
}

static const char *
get_failure (const TachoConversationMessage *message)
{
  if (message->failure != NULL)
    return message->failure;
  if (message->state == TACHO_MESSAGE_INTERRUPTED)
    return _ ("Interrupted: Tacho ended while this reply came. What had come is kept.");
  return NULL;
}

/* What stands below a reply that is over. */
static void
add_end (TachoChatView *self, const TachoConversationMessage *message, guint index)
{
  gboolean last = index + 1 == tacho_chat_get_messages (self->chat)->len;
  TachoGeneration *generation = tacho_chat_get_generation (self->chat, index);
  g_autofree char *attempts =
      generation != NULL ? tacho_generation_words_attempts (generation) : NULL;
  const char *failure = get_failure (message);
  TachoFooterButtons buttons = TACHO_FOOTER_REGENERATE;
  TachoReplyStats stats;
  g_autofree char *words = NULL;

  if (attempts != NULL)
    tacho_transcript_add_note (self->transcript, TACHO_NOTE_WARNING, attempts);
  if (failure != NULL)
    tacho_transcript_add_note (
        self->transcript,
        message->state == TACHO_MESSAGE_FAILED ? TACHO_NOTE_ERROR : TACHO_NOTE_WARNING, failure);
  if (tacho_reply_stats_from_json (&stats, message->stats))
    words = tacho_reply_stats_to_words (&stats);
  if (words != NULL && words[0] != '\0')
    tacho_transcript_add_note (self->transcript, TACHO_NOTE_PLAIN, words);
  if (message->text[0] != '\0')
    buttons |= TACHO_FOOTER_COPY | (last ? TACHO_FOOTER_CONTINUE : 0);
  if (generation != NULL)
    buttons |= TACHO_FOOTER_DETAILS;
  tacho_transcript_add_widget (self->transcript,
                               tacho_message_footer_new (message, index, buttons));
}

static void
add_reply (TachoChatView *self, const TachoConversationMessage *message, guint index)
{
  const char *model = message->model != NULL ? message->model : _ ("Model");
  TachoReplyStats stats = { .thought_s = NAN };

  if (message->state == TACHO_MESSAGE_STREAMING)
    {
      /* What was there before it was continued, then what has come since. */
      tacho_transcript_begin_reply (self->transcript, model);
      if (message->reasoning != NULL)
        tacho_transcript_append (self->transcript, message->reasoning, TRUE);
      if (message->text[0] != '\0')
        tacho_transcript_append (self->transcript, message->text, FALSE);
      self->open = TRUE;
      return;
    }
  tacho_reply_stats_from_json (&stats, message->stats);
  tacho_transcript_add_reply (self->transcript, model, message->reasoning, stats.thought_s,
                              message->text);
  add_end (self, message, index);
}

static void
add_message (TachoChatView *self, guint index)
{
  const TachoConversationMessage *message = get_message (self, index);

  if (message->role == TACHO_ROLE_USER)
    add_prompt (self, message, index);
  else if (message->role == TACHO_ROLE_ASSISTANT)
    add_reply (self, message, index);
}

static void
reset_cb (TachoChatView *self)
{
  guint n = tacho_chat_get_messages (self->chat)->len;

  tacho_transcript_clear (self->transcript);
  self->open = FALSE;
  self->first = n > SHOWN_FIRST ? n - SHOWN_FIRST : 0;
  if (self->first > 0)
    tacho_transcript_set_has_earlier (self->transcript, TRUE);
  for (guint i = self->first; i < n; i++)
    add_message (self, i);
  update_actions (self);
}

static void
earlier_cb (TachoChatView *self)
{
  guint from = self->first > SHOWN_MORE ? self->first - SHOWN_MORE : 0;

  tacho_transcript_begin_earlier (self->transcript);
  for (guint i = from; i < self->first; i++)
    add_message (self, i);
  tacho_transcript_end_earlier (self->transcript);
  self->first = from;
  tacho_transcript_set_has_earlier (self->transcript, from > 0);
}

static void
added_cb (TachoChatView *self, guint index)
{
  add_message (self, index);
}

static void
delta_cb (TachoChatView *self, const char *text, gboolean reasoning)
{
  if (self->open)
    tacho_transcript_append (self->transcript, text, reasoning);
}

static void
ended_cb (TachoChatView *self)
{
  guint last = tacho_chat_get_messages (self->chat)->len - 1;

  if (!self->open)
    return;
  self->open = FALSE;
  tacho_transcript_end_reply (self->transcript);
  add_end (self, get_message (self, last), last);
}

static void
phase_cb (TachoChatView *self)
{
  update_actions (self);
}

static void
link_response_cb (AdwMessageDialog *dialog, const char *response, char *href)
{
  if (g_strcmp0 (response, "open") == 0)
    gtk_show_uri (gtk_window_get_transient_for (GTK_WINDOW (dialog)), href, GDK_CURRENT_TIME);
  else if (g_strcmp0 (response, "copy") == 0)
    gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (dialog)), href);
}

static void
free_closure (gpointer data, GClosure *closure)
{
  g_free (data);
}

/* What a model wrote is never opened without being seen whole. */
static void
link_cb (TachoChatView *self, const char *href)
{
  gboolean may_open = tacho_markdown_may_open (href);
  GtkWidget *dialog = adw_message_dialog_new (
      GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))),
      may_open ? _ ("Open This Link?") : _ ("A Link Tacho Does Not Open"), NULL);
  g_autofree char *text = tacho_text_sanitize_line (href, -1, MAX_LINK);

  adw_message_dialog_set_body (ADW_MESSAGE_DIALOG (dialog), text);
  adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "cancel", _ ("_Cancel"));
  adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "copy", _ ("Co_py"));
  if (may_open)
    adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "open", _ ("_Open"));
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_signal_connect_data (dialog, "response", G_CALLBACK (link_response_cb), g_strdup (href),
                         free_closure, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
copy (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoChatView *self = TACHO_CHAT_VIEW (widget);
  const TachoConversationMessage *message = get_message (self, g_variant_get_uint32 (parameter));

  if (message == NULL)
    return;
  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), message->text);
  g_signal_emit_by_name (self, "notice", _ ("Copied"));
}

static void
edit (GtkWidget *widget, const char *action, GVariant *parameter)
{
  g_signal_emit_by_name (widget, "edit", g_variant_get_uint32 (parameter));
}

static void
regenerate (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoChatView *self = TACHO_CHAT_VIEW (widget);

  g_signal_emit_by_name (self, "ask");
  tacho_chat_regenerate (self->chat, g_variant_get_uint32 (parameter));
}

static void
continue_reply (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoChatView *self = TACHO_CHAT_VIEW (widget);

  g_signal_emit_by_name (self, "ask");
  tacho_chat_continue (self->chat);
}

static void
details (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoChatView *self = TACHO_CHAT_VIEW (widget);
  guint index = g_variant_get_uint32 (parameter);
  TachoGeneration *generation = tacho_chat_get_generation (self->chat, index);

  if (generation != NULL)
    tacho_reply_details_show (GTK_WINDOW (gtk_widget_get_root (widget)), generation);
}

static void
choose_version (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoChatView *self = TACHO_CHAT_VIEW (widget);
  guint index, version;

  g_variant_get (parameter, "(uu)", &index, &version);
  tacho_chat_choose_version (self->chat, index, version);
}

static void
tacho_chat_view_dispose (GObject *object)
{
  TachoChatView *self = TACHO_CHAT_VIEW (object);

  adw_bin_set_child (ADW_BIN (self), NULL);
  g_clear_object (&self->chat);
  g_clear_pointer (&self->obstacle, g_free);

  G_OBJECT_CLASS (tacho_chat_view_parent_class)->dispose (object);
}

static void
tacho_chat_view_class_init (TachoChatViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GType type = TACHO_TYPE_CHAT_VIEW;

  G_OBJECT_CLASS (klass)->dispose = tacho_chat_view_dispose;
  g_signal_new ("edit", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
  /* Before it asks by itself: the parameters are taken then. */
  g_signal_new ("ask", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  g_signal_new ("notice", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE);
  gtk_widget_class_install_action (widget_class, "chat.copy", "u", copy);
  gtk_widget_class_install_action (widget_class, "chat.edit", "u", edit);
  gtk_widget_class_install_action (widget_class, "chat.regenerate", "u", regenerate);
  gtk_widget_class_install_action (widget_class, "chat.continue", "u", continue_reply);
  gtk_widget_class_install_action (widget_class, "chat.details", "u", details);
  gtk_widget_class_install_action (widget_class, "chat.version", "(uu)", choose_version);
}

static void
tacho_chat_view_init (TachoChatView *self)
{
  GtkWidget *scroll = gtk_scrolled_window_new ();
  GtkWidget *clamp = adw_clamp_scrollable_new ();

  self->transcript =
      g_object_new (TACHO_TYPE_TRANSCRIPT, "margin-start", 12, "margin-end", 12, NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->transcript), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Conversation"), -1);
  g_object_set (clamp, "maximum-size", 860, "tightening-threshold", 700, "child", self->transcript,
                NULL);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroll), GTK_POLICY_NEVER,
                                  GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroll), clamp);
  gtk_widget_set_vexpand (scroll, TRUE);
  gtk_widget_add_css_class (scroll, "view");
  adw_bin_set_child (ADW_BIN (self), scroll);
  g_signal_connect_swapped (self->transcript, "earlier", G_CALLBACK (earlier_cb), self);
  g_signal_connect_swapped (self->transcript, "link", G_CALLBACK (link_cb), self);
}

/**
 * tacho_chat_view_new:
 * @chat: a conversation
 *
 * Returns: (transfer floating): it, to read
 */
TachoChatView *
tacho_chat_view_new (TachoChat *chat)
{
  TachoChatView *self = g_object_new (TACHO_TYPE_CHAT_VIEW, NULL);

  self->chat = g_object_ref (chat);
  g_signal_connect_object (chat, "reset", G_CALLBACK (reset_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (chat, "added", G_CALLBACK (added_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (chat, "delta", G_CALLBACK (delta_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (chat, "ended", G_CALLBACK (ended_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (chat, "phase", G_CALLBACK (phase_cb), self, G_CONNECT_SWAPPED);
  reset_cb (self);
  return self;
}

/**
 * tacho_chat_view_get_chat:
 * @self: a view
 *
 * Returns: (transfer none): the conversation
 */
TachoChat *
tacho_chat_view_get_chat (TachoChatView *self)
{
  return self->chat;
}

/**
 * tacho_chat_view_set_obstacle:
 * @self: a view
 * @obstacle: (nullable): why nothing can be asked now; %NULL: it can
 */
void
tacho_chat_view_set_obstacle (TachoChatView *self, const char *obstacle)
{
  g_return_if_fail (TACHO_IS_CHAT_VIEW (self));

  if (g_strcmp0 (obstacle, self->obstacle) == 0)
    return;
  g_free (self->obstacle);
  self->obstacle = g_strdup (obstacle);
  update_actions (self);
}
