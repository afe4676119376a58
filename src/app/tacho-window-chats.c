/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The conversations of the window: the store behind the list and the pane. */
#define G_LOG_DOMAIN "tacho-window"

#include "config.h"

#include "app/tacho-settings.h"
#include "app/tacho-window-private.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_TITLE 60

static void
chat_open_cb (TachoWindow *self, TachoConversationInfo *info)
{
  adw_view_stack_set_visible_child_name (self->stack, "prompt");
  tacho_prompt_pane_open (self->prompt, info);
  tacho_prompt_pane_focus (self->prompt);
}

static void
undo_delete_cb (AdwToast *toast, TachoWindow *self)
{
  g_autoptr (GError) error = NULL;

  if (self->conversations != NULL &&
      !tacho_conversations_undelete (self->conversations,
                                     g_object_get_data (G_OBJECT (toast), "id"), &error))
    tacho_window_notice (self, error->message);
}

static void
chat_deleted_cb (TachoWindow *self, TachoConversationInfo *info)
{
  g_autofree char *title =
      tacho_text_escape_markup (tacho_conversation_info_get_title (info), MAX_TITLE);
  /* Translators: %s is the title of a conversation. */
  g_autofree char *text = g_strdup_printf (_ ("“%s” deleted"), title);
  AdwToast *toast = adw_toast_new (text);

  tacho_prompt_pane_forget (self->prompt, info);
  adw_toast_set_button_label (toast, _ ("Undo"));
  g_object_set_data_full (G_OBJECT (toast), "id", g_strdup (tacho_conversation_info_get_id (info)),
                          g_free);
  g_signal_connect_object (toast, "button-clicked", G_CALLBACK (undo_delete_cb), self, 0);
  adw_toast_set_timeout (toast, 10);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

static void
open_conversation_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoWindow *self = user_data;
  TachoConversationInfo *info =
      self->conversations != NULL
          ? tacho_conversations_find (self->conversations, g_variant_get_string (parameter, NULL))
          : NULL;

  if (info != NULL)
    chat_open_cb (self, info);
  gtk_window_present (GTK_WINDOW (self));
}

static void
conversation_cb (TachoWindow *self)
{
  TachoChat *chat = tacho_prompt_pane_get_chat (self->prompt);

  tacho_chat_list_set_current (self->chats, chat != NULL ? tacho_chat_get_info (chat) : NULL);
}

/* A reply ended out of sight. */
static void
replied_cb (TachoWindow *self, TachoChat *chat)
{
  TachoConversationInfo *info = tacho_chat_get_info (chat);
  g_autofree char *title = tacho_chat_get_title (chat);
  GPtrArray *messages = tacho_chat_get_messages (chat);
  const TachoConversationMessage *last = g_ptr_array_index (messages, messages->len - 1);
  const char *what = last->state == TACHO_MESSAGE_DONE ? _ ("The reply is complete")
                                                       : _ ("The reply was not completed");

  if (gtk_window_is_active (GTK_WINDOW (self)))
    {
      g_autofree char *text = g_strdup_printf ("%s: %s", title, what);

      tacho_window_notice (self, text);
    }
  else if (info != NULL && tacho_settings_get_boolean (tacho_settings_get_default (), "notify"))
    {
      g_autoptr (GNotification) notification = g_notification_new (title);

      g_notification_set_body (notification, what);
      g_notification_set_default_action_and_target (notification, "app.open-conversation", "s",
                                                    tacho_conversation_info_get_id (info));
      g_application_send_notification (
          G_APPLICATION (gtk_window_get_application (GTK_WINDOW (self))),
          tacho_conversation_info_get_id (info), notification);
    }
}

static void
conversations_opened_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoWindow) self = user_data;
  g_autofree char *said = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoConversations) store = tacho_conversations_open_finish (result, &said, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || self->chats == NULL)
    return;
  g_clear_object (&self->opening);
  g_set_object (&self->conversations, store);
  tacho_chat_list_set_store (self->chats, store, error != NULL ? error->message : NULL);
  tacho_prompt_pane_set_store (self->prompt, store);
  if (said != NULL)
    tacho_window_notice (self, said);
  else if (error != NULL)
    {
      g_autofree char *text =
          g_strdup_printf (_ ("Conversations are not kept: %s"), error->message);

      tacho_window_notice (self, text);
    }
}

static const GActionEntry actions[] = {
  { "open-conversation", open_conversation_cb, "s", NULL, NULL },
};

void
tacho_window_chats_class_init (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_callback_full (widget_class, "notice",
                                                G_CALLBACK (tacho_window_notice));
  gtk_widget_class_bind_template_callback (widget_class, chat_open_cb);
  gtk_widget_class_bind_template_callback (widget_class, chat_deleted_cb);
  gtk_widget_class_bind_template_callback (widget_class, conversation_cb);
  gtk_widget_class_bind_template_callback (widget_class, replied_cb);
}

/* In a thread: the file is read as a whole to check it. */
void
tacho_window_open_chats (TachoWindow *self)
{
  g_action_map_add_action_entries (G_ACTION_MAP (self), actions, G_N_ELEMENTS (actions), self);
  self->opening = g_cancellable_new ();
  tacho_conversations_open_async (NULL, self->opening, conversations_opened_cb,
                                  g_object_ref (self));
}

void
tacho_window_close_chats (TachoWindow *self)
{
  if (self->opening != NULL)
    g_cancellable_cancel (self->opening);
  g_clear_object (&self->opening);
  g_clear_object (&self->conversations);
}
