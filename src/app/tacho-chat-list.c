/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The conversations that are kept: search, rename, pin, export, delete. */
#define G_LOG_DOMAIN "tacho-chat-list"

#include "config.h"

#include "app/tacho-chat-list.h"
#include "app/tacho-chat-bin.h"
#include "app/tacho-chat-row.h"
#include "base/tacho-json.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>

#define MAX_IMPORT ((gsize) 256 * 1024 * 1024)

struct _TachoChatList
{
  AdwBin parent_instance;
  TachoConversations *store;
  GtkSingleSelection *selection;
  GCancellable *searching;
  GtkFileChooserNative *chooser; /* open: "id" and "format" are in its data */

  GtkSearchEntry *search;
  GtkStack *stack;
  GtkListView *view;
  AdwStatusPage *error_page;
};

G_DEFINE_FINAL_TYPE (TachoChatList, tacho_chat_list, ADW_TYPE_BIN)

static void
notice (TachoChatList *self, const char *text)
{
  g_signal_emit_by_name (self, "notice", text);
}

static void
update (TachoChatList *self)
{
  GListModel *model = gtk_single_selection_get_model (self->selection);
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->search));
  gboolean empty = model == NULL || g_list_model_get_n_items (model) == 0;

  if (self->store == NULL)
    return;
  gtk_stack_set_visible_child_name (self->stack, !empty            ? "list"
                                                 : text[0] != '\0' ? "no-results"
                                                                   : "empty");
}

static void
set_model (TachoChatList *self, GListModel *model)
{
  g_object_freeze_notify (G_OBJECT (self->selection));
  gtk_single_selection_set_model (self->selection, model);
  gtk_single_selection_set_selected (self->selection, GTK_INVALID_LIST_POSITION);
  g_object_thaw_notify (G_OBJECT (self->selection));
  update (self);
}

static void
found_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoChatList) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) found =
      tacho_conversations_search_finish (TACHO_CONVERSATIONS (source), result, &error);

  if (self->store == NULL || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (found != NULL)
    set_model (self, found);
  else
    notice (self, error->message);
}

static void
search_cb (TachoChatList *self)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->search));

  if (self->searching != NULL)
    g_cancellable_cancel (self->searching);
  g_clear_object (&self->searching);
  if (self->store == NULL)
    return;
  /* What the last search found is no longer said in the rows. */
  self->searching = g_cancellable_new ();
  if (text[0] == '\0')
    set_model (self, G_LIST_MODEL (self->store));
  else
    tacho_conversations_search_async (self->store, text, self->searching, found_cb,
                                      g_object_ref (self));
}

static void
clear_search_cb (TachoChatList *self)
{
  gtk_editable_set_text (GTK_EDITABLE (self->search), "");
}

static void
items_cb (TachoChatList *self)
{
  if (gtk_editable_get_text (GTK_EDITABLE (self->search))[0] != '\0')
    search_cb (self);
  else
    update (self);
}

static void
activate_cb (TachoChatList *self, guint position)
{
  g_autoptr (TachoConversationInfo) info =
      g_list_model_get_item (G_LIST_MODEL (self->selection), position);

  if (info != NULL)
    g_signal_emit_by_name (self, "open", info);
}

static void
setup_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  gtk_list_item_set_child (item, tacho_chat_row_new ());
}

static void
bind_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  tacho_chat_row_bind (TACHO_CHAT_ROW (gtk_list_item_get_child (item)),
                       gtk_list_item_get_item (item));
}

static void
unbind_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  tacho_chat_row_bind (TACHO_CHAT_ROW (gtk_list_item_get_child (item)), NULL);
}

/* Actions. */

static TachoConversationInfo *
find (TachoChatList *self, GVariant *id)
{
  return self->store != NULL
             ? tacho_conversations_find (self->store, g_variant_get_string (id, NULL))
             : NULL;
}

static void
rename_response_cb (AdwMessageDialog *dialog, const char *response, TachoChatList *self)
{
  GtkWidget *entry = adw_message_dialog_get_extra_child (dialog);
  const char *id = g_object_get_data (G_OBJECT (dialog), "id");
  g_autoptr (GError) error = NULL;

  if (g_strcmp0 (response, "rename") == 0 && self->store != NULL &&
      !tacho_conversations_rename (self->store, id, gtk_editable_get_text (GTK_EDITABLE (entry)),
                                   &error))
    notice (self, error->message);
}

static void
rename_chat (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoChatList *self = TACHO_CHAT_LIST (widget);
  TachoConversationInfo *info = find (self, parameter);
  GtkWidget *entry = gtk_entry_new ();
  GtkWidget *dialog;

  if (info == NULL)
    return;
  dialog = adw_message_dialog_new (GTK_WINDOW (gtk_widget_get_root (widget)),
                                   _ ("Rename the Conversation"), NULL);
  gtk_editable_set_text (GTK_EDITABLE (entry), tacho_conversation_info_get_title (info));
  gtk_entry_set_activates_default (GTK_ENTRY (entry), TRUE);
  gtk_entry_set_max_length (GTK_ENTRY (entry), 200);
  gtk_accessible_update_property (GTK_ACCESSIBLE (entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Title"), -1);
  adw_message_dialog_set_extra_child (ADW_MESSAGE_DIALOG (dialog), entry);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _ ("_Cancel"), "rename",
                                    _ ("_Rename"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "rename",
                                              ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "rename");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_object_set_data_full (G_OBJECT (dialog), "id",
                          g_strdup (g_variant_get_string (parameter, NULL)), g_free);
  g_signal_connect_object (dialog, "response", G_CALLBACK (rename_response_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
pin_chat (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoChatList *self = TACHO_CHAT_LIST (widget);
  TachoConversationInfo *info = find (self, parameter);
  g_autoptr (GError) error = NULL;

  if (info != NULL &&
      !tacho_conversations_set_pinned (self->store, g_variant_get_string (parameter, NULL),
                                       !tacho_conversation_info_get_pinned (info), &error))
    notice (self, error->message);
}

static void
delete_chat (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoChatList *self = TACHO_CHAT_LIST (widget);
  TachoConversationInfo *found = find (self, parameter);
  g_autoptr (TachoConversationInfo) info = found != NULL ? g_object_ref (found) : NULL;
  g_autoptr (GError) error = NULL;

  if (info == NULL)
    return;
  if (tacho_conversations_delete (self->store, tacho_conversation_info_get_id (info), &error))
    g_signal_emit_by_name (self, "deleted", info);
  else
    notice (self, error->message);
}

static void
show_deleted (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoChatList *self = TACHO_CHAT_LIST (widget);

  if (self->store != NULL)
    gtk_window_present (
        GTK_WINDOW (tacho_chat_bin_new (GTK_WINDOW (gtk_widget_get_root (widget)), self->store)));
}

static char *
export_text (TachoChatList *self, const char *id, gboolean json, GError **error)
{
  g_autoptr (TachoConversationDocument) document =
      tacho_conversations_load_document (self->store, id, error);
  g_autoptr (JsonNode) node = NULL;

  if (document == NULL)
    return NULL;
  if (!json)
    return tacho_conversation_document_to_markdown (document);
  node = tacho_conversation_document_to_json (document);
  return tacho_json_to_string (node, TRUE);
}

static void
export_response_cb (GtkNativeDialog *dialog, int response, TachoChatList *self)
{
  const char *id = g_object_get_data (G_OBJECT (dialog), "id");
  gboolean json = g_object_get_data (G_OBJECT (dialog), "json") != NULL;
  g_autoptr (GFile) file = response == GTK_RESPONSE_ACCEPT
                               ? gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog))
                               : NULL;
  g_autofree char *text = NULL;
  g_autofree char *message = NULL;
  g_autoptr (GError) error = NULL;

  if (file != NULL && self->store != NULL)
    {
      text = export_text (self, id, json, &error);
      if (text != NULL && g_file_replace_contents (file, text, strlen (text), NULL, FALSE,
                                                   G_FILE_CREATE_PRIVATE, NULL, NULL, &error))
        message = g_strdup (_ ("Conversation exported"));
      else
        message = g_strdup_printf (_ ("Not exported: %s"), error->message);
      notice (self, message);
    }
  g_clear_object (&self->chooser);
}

static void
export_chat (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoChatList *self = TACHO_CHAT_LIST (widget);
  gboolean json = g_str_equal (action, "chats.export-json");
  TachoConversationInfo *info = find (self, parameter);
  g_autofree char *title = NULL;
  g_autofree char *name = NULL;

  if (info == NULL || self->chooser != NULL)
    return;
  title = tacho_text_sanitize_line (tacho_conversation_info_get_title (info), -1, 60);
  g_strdelimit (title, "/\\:*?\"<>|", '-');
  name = g_strdup_printf ("%s.%s", title[0] != '\0' ? title : "conversation", json ? "json" : "md");
  self->chooser = gtk_file_chooser_native_new (_ ("Export the Conversation"),
                                               GTK_WINDOW (gtk_widget_get_root (widget)),
                                               GTK_FILE_CHOOSER_ACTION_SAVE, _ ("_Export"), NULL);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (self->chooser), name);
  g_object_set_data_full (G_OBJECT (self->chooser), "id",
                          g_strdup (g_variant_get_string (parameter, NULL)), g_free);
  g_object_set_data (G_OBJECT (self->chooser), "json", json ? self : NULL);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->chooser), TRUE);
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (export_response_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static void
imported_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoChatList) self = user_data;
  g_autofree char *data = NULL;
  gsize length = 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoConversationDocument) document = NULL;
  TachoConversationInfo *info = NULL;

  if (g_file_load_contents_finish (G_FILE (source), result, &data, &length, NULL, &error) &&
      length <= MAX_IMPORT)
    document = tacho_conversation_document_from_json (data, length, &error);
  if (document != NULL && self->store != NULL)
    info = tacho_conversations_import (self->store, document, &error);
  if (info != NULL)
    g_signal_emit_by_name (self, "open", info);
  else
    {
      g_autofree char *text =
          g_strdup_printf (_ ("Not imported: %s"),
                           error != NULL ? error->message : _ ("the file is larger than 256 MiB"));

      notice (self, text);
    }
}

static void
import_response_cb (GtkNativeDialog *dialog, int response, TachoChatList *self)
{
  g_autoptr (GFile) file = response == GTK_RESPONSE_ACCEPT
                               ? gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog))
                               : NULL;

  if (file != NULL)
    g_file_load_contents_async (file, NULL, imported_cb, g_object_ref (self));
  g_clear_object (&self->chooser);
}

static void
import_chat (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoChatList *self = TACHO_CHAT_LIST (widget);

  if (self->chooser != NULL || self->store == NULL)
    return;
  self->chooser = gtk_file_chooser_native_new (_ ("Import a Conversation"),
                                               GTK_WINDOW (gtk_widget_get_root (widget)),
                                               GTK_FILE_CHOOSER_ACTION_OPEN, _ ("_Import"), NULL);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->chooser), TRUE);
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (import_response_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static void
tacho_chat_list_dispose (GObject *object)
{
  TachoChatList *self = TACHO_CHAT_LIST (object);

  if (self->chooser != NULL)
    gtk_native_dialog_destroy (GTK_NATIVE_DIALOG (self->chooser));
  g_clear_object (&self->chooser);
  if (self->searching != NULL)
    g_cancellable_cancel (self->searching);
  g_clear_object (&self->searching);
  if (self->store != NULL)
    g_signal_handlers_disconnect_by_data (self->store, self);
  g_clear_object (&self->store);
  g_clear_object (&self->selection);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_CHAT_LIST);

  G_OBJECT_CLASS (tacho_chat_list_parent_class)->dispose (object);
}

static void
tacho_chat_list_class_init (TachoChatListClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GType type = TACHO_TYPE_CHAT_LIST;

  G_OBJECT_CLASS (klass)->dispose = tacho_chat_list_dispose;
  g_signal_new ("open", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                TACHO_TYPE_CONVERSATION_INFO);
  g_signal_new ("deleted", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                TACHO_TYPE_CONVERSATION_INFO);
  g_signal_new ("notice", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-chat-list.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoChatList, search);
  gtk_widget_class_bind_template_child (widget_class, TachoChatList, stack);
  gtk_widget_class_bind_template_child (widget_class, TachoChatList, view);
  gtk_widget_class_bind_template_child (widget_class, TachoChatList, error_page);
  gtk_widget_class_bind_template_callback (widget_class, search_cb);
  gtk_widget_class_bind_template_callback (widget_class, clear_search_cb);
  gtk_widget_class_bind_template_callback (widget_class, activate_cb);
  gtk_widget_class_install_action (widget_class, "chats.rename", "s", rename_chat);
  gtk_widget_class_install_action (widget_class, "chats.pin", "s", pin_chat);
  gtk_widget_class_install_action (widget_class, "chats.delete", "s", delete_chat);
  gtk_widget_class_install_action (widget_class, "chats.export-markdown", "s", export_chat);
  gtk_widget_class_install_action (widget_class, "chats.export-json", "s", export_chat);
  gtk_widget_class_install_action (widget_class, "chats.import", NULL, import_chat);
  gtk_widget_class_install_action (widget_class, "chats.deleted", NULL, show_deleted);
}

static void
tacho_chat_list_init (TachoChatList *self)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();

  gtk_widget_init_template (GTK_WIDGET (self));
  self->selection = gtk_single_selection_new (NULL);
  gtk_single_selection_set_autoselect (self->selection, FALSE);
  gtk_single_selection_set_can_unselect (self->selection, TRUE);
  g_signal_connect (factory, "setup", G_CALLBACK (setup_cb), NULL);
  g_signal_connect (factory, "bind", G_CALLBACK (bind_cb), NULL);
  g_signal_connect (factory, "unbind", G_CALLBACK (unbind_cb), NULL);
  gtk_list_view_set_factory (self->view, factory);
  g_object_unref (factory);
  gtk_list_view_set_model (self->view, GTK_SELECTION_MODEL (self->selection));
}

/**
 * tacho_chat_list_set_store:
 * @self: the list
 * @store: (nullable): the conversations
 * @why: (nullable): why there are none, where @store is %NULL
 */
void
tacho_chat_list_set_store (TachoChatList *self, TachoConversations *store, const char *why)
{
  g_autofree char *escaped = why != NULL ? tacho_text_escape_markup (why, 600) : NULL;

  g_return_if_fail (TACHO_IS_CHAT_LIST (self));

  if (self->store != NULL)
    g_signal_handlers_disconnect_by_data (self->store, self);
  g_set_object (&self->store, store);
  adw_status_page_set_description (self->error_page, escaped);
  if (store == NULL)
    {
      gtk_stack_set_visible_child_name (self->stack, "error");
      return;
    }
  g_signal_connect_object (store, "items-changed", G_CALLBACK (items_cb), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  set_model (self, G_LIST_MODEL (store));
}

/**
 * tacho_chat_list_set_current:
 * @self: the list
 * @info: (nullable): the conversation in sight
 */
void
tacho_chat_list_set_current (TachoChatList *self, TachoConversationInfo *info)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->selection));
  guint at = GTK_INVALID_LIST_POSITION;

  for (guint i = 0; i < n && info != NULL && at == GTK_INVALID_LIST_POSITION; i++)
    {
      g_autoptr (TachoConversationInfo) item =
          g_list_model_get_item (G_LIST_MODEL (self->selection), i);

      if (item == info)
        at = i;
    }
  gtk_single_selection_set_selected (self->selection, at);
}

/**
 * tacho_chat_list_focus_search:
 * @self: the list
 *
 * Puts the cursor into the search entry.
 */
void
tacho_chat_list_focus_search (TachoChatList *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self->search));
}
