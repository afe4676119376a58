/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row for each conversation that was deleted. The list is read anew after each change. */
#define G_LOG_DOMAIN "tacho-chat-bin"

#include "config.h"

#include "app/tacho-chat-bin.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_TITLE 120
#define MAX_NOTICE 300 /* characters */

struct _TachoChatBin
{
  AdwWindow parent_instance;
  TachoConversations *store;

  AdwToastOverlay *toasts;
  GtkStack *stack;
  GtkListBox *list;
  GtkWidget *delete_all;
  AdwStatusPage *problem;
};

G_DEFINE_FINAL_TYPE (TachoChatBin, tacho_chat_bin, ADW_TYPE_WINDOW)

static void
notice (TachoChatBin *self, const char *text)
{
  g_autofree char *escaped = tacho_text_escape_markup (text, MAX_NOTICE);

  adw_toast_overlay_add_toast (self->toasts, adw_toast_new (escaped));
}

static char *
dup_title (TachoConversationInfo *info)
{
  const char *title = tacho_conversation_info_get_title (info);

  return tacho_text_sanitize_line (title[0] != '\0' ? title : _ ("New Conversation"), -1,
                                   MAX_TITLE);
}

static char *
describe (TachoConversationInfo *info)
{
  guint n = tacho_conversation_info_get_n_messages (info);
  g_autoptr (GDateTime) deleted =
      g_date_time_new_from_unix_local (tacho_conversation_info_get_deleted (info) / G_USEC_PER_SEC);
  g_autofree char *day = deleted != NULL ? g_date_time_format (deleted, "%x") : g_strdup ("");
  g_autofree char *messages = g_strdup_printf (ngettext ("%u message", "%u messages", n), n);

  /* Translators: a day, and "12 messages". */
  return g_strdup_printf (_ ("Deleted %s · %s"), day, messages);
}

static void refresh (TachoChatBin *self);

static TachoConversationInfo *
get_info (GtkWidget *button)
{
  return g_object_get_data (G_OBJECT (button), "info");
}

static void
restore_cb (TachoChatBin *self, GtkWidget *button)
{
  TachoConversationInfo *info = get_info (button);
  g_autofree char *title = dup_title (info);
  g_autofree char *words = NULL;
  g_autoptr (GError) error = NULL;

  if (tacho_conversations_undelete (self->store, tacho_conversation_info_get_id (info), &error))
    /* Translators: %s is the title of a conversation. */
    words = g_strdup_printf (_ ("“%s” is in the list again"), title);
  notice (self, error != NULL ? error->message : words);
  refresh (self);
}

static void
purge_response_cb (AdwMessageDialog *dialog, const char *response, TachoChatBin *self)
{
  GPtrArray *ids = g_object_get_data (G_OBJECT (dialog), "ids");

  if (!g_str_equal (response, "delete"))
    return;
  for (guint i = 0; i < ids->len; i++)
    {
      g_autoptr (GError) error = NULL;

      if (!tacho_conversations_purge (self->store, g_ptr_array_index (ids, i), &error))
        {
          notice (self, error->message);
          break;
        }
    }
  refresh (self);
}

/* Takes ids. */
static void
ask_purge (TachoChatBin *self, const char *heading, GPtrArray *ids)
{
  GtkWidget *widget =
      adw_message_dialog_new (GTK_WINDOW (self), heading,
                              _ ("The text is overwritten in the file. This cannot be undone."));
  AdwMessageDialog *dialog = ADW_MESSAGE_DIALOG (widget);

  adw_message_dialog_add_responses (dialog, "cancel", _ ("_Cancel"), "delete",
                                    _ ("_Delete for Good"), NULL);
  adw_message_dialog_set_response_appearance (dialog, "delete", ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_default_response (dialog, "cancel");
  adw_message_dialog_set_close_response (dialog, "cancel");
  g_object_set_data_full (G_OBJECT (dialog), "ids", ids, (GDestroyNotify) g_ptr_array_unref);
  g_signal_connect_object (dialog, "response", G_CALLBACK (purge_response_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
purge_cb (TachoChatBin *self, GtkWidget *button)
{
  TachoConversationInfo *info = get_info (button);
  g_autofree char *title = dup_title (info);
  /* Translators: %s is the title of a conversation. */
  g_autofree char *heading = g_strdup_printf (_ ("Delete “%s” for Good?"), title);
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (ids, g_strdup (tacho_conversation_info_get_id (info)));
  ask_purge (self, heading, ids);
}

static void
delete_all_cb (TachoChatBin *self)
{
  g_autoptr (GListModel) deleted = tacho_conversations_list_deleted (self->store, NULL);
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);
  guint n = deleted != NULL ? g_list_model_get_n_items (deleted) : 0;
  g_autofree char *heading = NULL;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TachoConversationInfo) info = g_list_model_get_item (deleted, i);

      g_ptr_array_add (ids, g_strdup (tacho_conversation_info_get_id (info)));
    }
  heading = g_strdup_printf (
      ngettext ("Delete %u Conversation for Good?", "Delete %u Conversations for Good?", n), n);
  ask_purge (self, heading, ids);
}

static void
add_button (TachoChatBin *self,
            GtkWidget *row,
            TachoConversationInfo *info,
            const char *label,
            const char *spoken,
            GCallback callback)
{
  GtkWidget *button = gtk_button_new_with_label (label);

  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, spoken,
                                  -1);
  g_object_set_data_full (G_OBJECT (button), "info", g_object_ref (info), g_object_unref);
  g_signal_connect_object (button, "clicked", callback, self, G_CONNECT_SWAPPED);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
}

static void
add_row (TachoChatBin *self, TachoConversationInfo *info)
{
  GtkWidget *row = adw_action_row_new ();
  g_autofree char *title = dup_title (info);
  g_autofree char *escaped = tacho_text_escape_markup (title, MAX_TITLE);
  g_autofree char *subtitle = describe (info);
  /* Translators: %s is the title of a conversation. */
  g_autofree char *restore = g_strdup_printf (_ ("Restore %s"), title);
  /* Translators: %s is the title of a conversation. */
  g_autofree char *purge = g_strdup_printf (_ ("Delete %s for good"), title);

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), escaped);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  adw_action_row_set_title_lines (ADW_ACTION_ROW (row), 1);
  add_button (self, row, info, _ ("Restore"), restore, G_CALLBACK (restore_cb));
  add_button (self, row, info, _ ("Delete…"), purge, G_CALLBACK (purge_cb));
  gtk_list_box_append (self->list, row);
}

static void
refresh (TachoChatBin *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) deleted = tacho_conversations_list_deleted (self->store, &error);
  guint n = deleted != NULL ? g_list_model_get_n_items (deleted) : 0;
  GtkWidget *row;

  while ((row = gtk_widget_get_first_child (GTK_WIDGET (self->list))) != NULL)
    gtk_list_box_remove (self->list, row);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TachoConversationInfo) info = g_list_model_get_item (deleted, i);

      add_row (self, info);
    }
  if (error != NULL)
    {
      g_autofree char *escaped = tacho_text_escape_markup (error->message, MAX_NOTICE);

      adw_status_page_set_description (self->problem, escaped);
    }
  gtk_widget_set_sensitive (self->delete_all, n > 0);
  gtk_stack_set_visible_child_name (self->stack, error != NULL ? "problem"
                                                 : n > 0       ? "list"
                                                               : "empty");
}

static void
tacho_chat_bin_dispose (GObject *object)
{
  TachoChatBin *self = TACHO_CHAT_BIN (object);

  g_clear_object (&self->store);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_CHAT_BIN);

  G_OBJECT_CLASS (tacho_chat_bin_parent_class)->dispose (object);
}

static void
tacho_chat_bin_class_init (TachoChatBinClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_chat_bin_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-chat-bin.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoChatBin, toasts);
  gtk_widget_class_bind_template_child (widget_class, TachoChatBin, stack);
  gtk_widget_class_bind_template_child (widget_class, TachoChatBin, list);
  gtk_widget_class_bind_template_child (widget_class, TachoChatBin, delete_all);
  gtk_widget_class_bind_template_child (widget_class, TachoChatBin, problem);
  gtk_widget_class_bind_template_callback (widget_class, delete_all_cb);
  gtk_widget_class_bind_template_callback (widget_class, refresh);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
tacho_chat_bin_init (TachoChatBin *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

/**
 * tacho_chat_bin_new:
 * @parent: (nullable): the window that it stands before
 * @store: the conversations
 *
 * Returns: (transfer none): the deleted conversations, not shown yet
 */
TachoChatBin *
tacho_chat_bin_new (GtkWindow *parent, TachoConversations *store)
{
  TachoChatBin *self = g_object_new (TACHO_TYPE_CHAT_BIN, "transient-for", parent, NULL);

  self->store = g_object_ref (store);
  refresh (self);
  return self;
}
