/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The models of a server: search, list, and a page that says what to do when there is no list. */
#define G_LOG_DOMAIN "tacho-model-browser"

#include "config.h"

#include "app/tacho-model-browser.h"
#include "app/tacho-model-row.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_DETAIL 400 /* characters of a server's text */

struct _TachoModelBrowser
{
  AdwBin parent_instance;
  TachoConnection *connection;
  GtkFilterListModel *filtered;
  GtkCustomFilter *filter;
  GtkSingleSelection *selection;
  char **words; /* what is searched, case-folded */
  gboolean syncing;

  GtkSearchEntry *search;
  GtkLabel *count;
  GtkStack *stack;
  GtkListView *list;
  GtkSpinner *spinner;
  GtkLabel *busy_label;
  AdwStatusPage *message;
  GtkButton *message_button;
};

G_DEFINE_FINAL_TYPE (TachoModelBrowser, tacho_model_browser, ADW_TYPE_BIN)

/* Every word must be found in what identifies the model. */
static gboolean
match_cb (gpointer item, gpointer user_data)
{
  TachoModelBrowser *self = user_data;
  const TachoModelInfo *info = tacho_model_get_info (item);
  g_autofree char *joined = NULL;
  g_autofree char *text = NULL;

  if (self->words == NULL || self->words[0] == NULL)
    return TRUE;
  joined = g_strjoin (" ", info->id, info->name != NULL ? info->name : "",
                      info->family != NULL ? info->family : "",
                      info->quantization != NULL ? info->quantization : "", NULL);
  text = g_utf8_casefold (joined, -1);
  for (gsize i = 0; self->words[i] != NULL; i++)
    if (strstr (text, self->words[i]) == NULL)
      return FALSE;
  return TRUE;
}

static void
show_message (TachoModelBrowser *self,
              const char *icon,
              const char *title,
              const char *description,
              const char *button,
              const char *action)
{
  /* A status page reads its description as markup. */
  g_autofree char *escaped = tacho_text_escape_markup (description, MAX_DETAIL);

  adw_status_page_set_icon_name (self->message, icon);
  adw_status_page_set_title (self->message, title);
  adw_status_page_set_description (self->message, escaped);
  gtk_button_set_label (self->message_button, button);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (self->message_button), action);
  gtk_stack_set_visible_child_name (self->stack, "message");
}

static void
show_busy (TachoModelBrowser *self, const char *text)
{
  gtk_label_set_label (self->busy_label, text);
  gtk_stack_set_visible_child_name (self->stack, "busy");
}

/* Which page says best how things are. */
static void
update (TachoModelBrowser *self)
{
  TachoClientManager *manager;
  TachoModelService *models;
  const GError *error, *offline;
  g_autofree char *count = NULL;
  guint n, shown;
  gboolean busy;

  if (self->connection == NULL)
    return;
  manager = tacho_connection_get_manager (self->connection);
  models = tacho_connection_get_models (self->connection);
  n = g_list_model_get_n_items (G_LIST_MODEL (models));
  shown = g_list_model_get_n_items (G_LIST_MODEL (self->filtered));
  error = tacho_model_service_get_error (models);
  offline = tacho_client_manager_get_last_error (manager);
  busy = tacho_model_service_get_busy (models);

  if (n == 0)
    count = g_strdup ("");
  else if (shown == n)
    count = g_strdup_printf (ngettext ("%u model", "%u models", n), n);
  else
    /* Translators: models that match a search, of all. */
    count = g_strdup_printf (_ ("%u of %u models"), shown, n);
  gtk_label_set_label (self->count, count);

  switch (tacho_client_manager_get_state (manager))
    {
    case TACHO_CONNECTION_OFFLINE:
      show_message (self, "network-offline-symbolic", _ ("Server Is Offline"),
                    offline != NULL ? offline->message
                                    : _ ("Nothing answers there. Is the server started?"),
                    _ ("Retry"), "win.refresh");
      return;
    case TACHO_CONNECTION_DISCONNECTED:
    case TACHO_CONNECTION_PROBING:
      if (n > 0)
        break;
      show_busy (self, _ ("Connecting…"));
      return;
    case TACHO_CONNECTION_LOADING:
      if (n > 0)
        break;
      show_message (self, "tacho-status-busy-symbolic", _ ("Server Is Loading"),
                    _ ("The server answers, but its model is not ready yet. "
                       "The list appears as soon as it is."),
                    _ ("Check Now"), "win.refresh");
      return;
    case TACHO_CONNECTION_CONNECTED:
    case TACHO_CONNECTION_DEGRADED:
    default:
      break;
    }
  if (n > 0 && shown > 0)
    gtk_stack_set_visible_child_name (self->stack, "list");
  else if (n > 0)
    show_message (self, "system-search-symbolic", _ ("No Results"),
                  _ ("No model of this server matches the search."), _ ("Clear Search"),
                  "browser.clear-search");
  else if (error != NULL)
    show_message (self, "dialog-error-symbolic", _ ("Models Not Listed"), error->message,
                  _ ("Retry"), "win.refresh");
  else if (busy || !tacho_model_service_get_listed (models))
    show_busy (self, _ ("Listing models…"));
  else
    show_message (
        self, "network-server-symbolic", _ ("No Models"),
        _ ("The server answers, but it offers no model. Add one on the server, then refresh."),
        _ ("Refresh"), "win.refresh");
}

static void
sync_selection (TachoModelBrowser *self)
{
  TachoModel *current;
  guint n, found = GTK_INVALID_LIST_POSITION;

  if (self->connection == NULL)
    return;
  current = tacho_connection_get_model (self->connection);
  n = g_list_model_get_n_items (G_LIST_MODEL (self->selection));
  for (guint i = 0; i < n && found == GTK_INVALID_LIST_POSITION; i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (G_LIST_MODEL (self->selection), i);

      if (model == current)
        found = i;
    }
  self->syncing = TRUE;
  gtk_single_selection_set_selected (self->selection, found);
  self->syncing = FALSE;
}

static void
shown_changed_cb (TachoModelBrowser *self)
{
  update (self);
  sync_selection (self);
}

static void
selected_cb (TachoModelBrowser *self)
{
  TachoModel *model = gtk_single_selection_get_selected_item (self->selection);

  if (!self->syncing && self->connection != NULL && model != NULL)
    tacho_connection_set_model (self->connection, model);
}

static void
search_changed_cb (TachoModelBrowser *self)
{
  g_autofree char *text = g_utf8_casefold (gtk_editable_get_text (GTK_EDITABLE (self->search)), -1);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) parts = g_strsplit_set (text, " \t", -1);

  for (gsize i = 0; parts[i] != NULL; i++)
    if (parts[i][0] != '\0')
      g_strv_builder_add (builder, parts[i]);
  g_strfreev (self->words);
  self->words = g_strv_builder_end (builder);
  gtk_filter_changed (GTK_FILTER (self->filter), GTK_FILTER_CHANGE_DIFFERENT);
  shown_changed_cb (self);
}

static void
clear_search (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoModelBrowser *self = TACHO_MODEL_BROWSER (widget);

  gtk_editable_set_text (GTK_EDITABLE (self->search), "");
  gtk_widget_grab_focus (GTK_WIDGET (self->search));
}

static void
stop_search_cb (TachoModelBrowser *self)
{
  gtk_editable_set_text (GTK_EDITABLE (self->search), "");
}

static void
setup_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  gtk_list_item_set_child (item, tacho_model_row_new ());
}

static void
bind_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  TachoModelBrowser *self = user_data;

  tacho_model_row_bind (TACHO_MODEL_ROW (gtk_list_item_get_child (item)), self->connection,
                        gtk_list_item_get_item (item));
}

static void
unbind_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  tacho_model_row_unbind (TACHO_MODEL_ROW (gtk_list_item_get_child (item)));
}

static void
tacho_model_browser_dispose (GObject *object)
{
  TachoModelBrowser *self = TACHO_MODEL_BROWSER (object);

  tacho_model_browser_set_connection (self, NULL);
  if (self->filter != NULL)
    gtk_custom_filter_set_filter_func (self->filter, NULL, NULL, NULL);
  g_clear_object (&self->selection);
  g_clear_object (&self->filtered);
  g_clear_object (&self->filter);
  g_clear_pointer (&self->words, g_strfreev);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_MODEL_BROWSER);

  G_OBJECT_CLASS (tacho_model_browser_parent_class)->dispose (object);
}

static void
tacho_model_browser_class_init (TachoModelBrowserClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_model_browser_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-model-browser.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, search);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, count);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, stack);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, list);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, spinner);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, busy_label);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, message);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, message_button);
  gtk_widget_class_bind_template_callback (widget_class, search_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, stop_search_cb);
  gtk_widget_class_bind_template_callback (widget_class, setup_cb);
  gtk_widget_class_bind_template_callback (widget_class, bind_cb);
  gtk_widget_class_bind_template_callback (widget_class, unbind_cb);
  gtk_widget_class_install_action (widget_class, "browser.clear-search", NULL, clear_search);
}

static void
tacho_model_browser_init (TachoModelBrowser *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->filter = gtk_custom_filter_new (match_cb, self, NULL);
  self->filtered = gtk_filter_list_model_new (NULL, GTK_FILTER (g_object_ref (self->filter)));
  self->selection = gtk_single_selection_new (NULL);
  gtk_single_selection_set_autoselect (self->selection, FALSE);
  gtk_single_selection_set_can_unselect (self->selection, TRUE);
  gtk_single_selection_set_model (self->selection, G_LIST_MODEL (self->filtered));
  g_signal_connect_object (self->selection, "notify::selected-item", G_CALLBACK (selected_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->filtered, "items-changed", G_CALLBACK (shown_changed_cb), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  gtk_list_view_set_model (self->list, GTK_SELECTION_MODEL (self->selection));
  gtk_search_entry_set_key_capture_widget (self->search, GTK_WIDGET (self));
}

/**
 * tacho_model_browser_set_connection:
 * @self: the browser
 * @connection: (nullable): the server in use
 */
void
tacho_model_browser_set_connection (TachoModelBrowser *self, TachoConnection *connection)
{
  g_return_if_fail (TACHO_IS_MODEL_BROWSER (self));

  if (self->connection != NULL)
    {
      gtk_filter_list_model_set_model (self->filtered, NULL);
      g_signal_handlers_disconnect_by_data (self->connection, self);
      g_signal_handlers_disconnect_by_data (tacho_connection_get_manager (self->connection), self);
      g_signal_handlers_disconnect_by_data (tacho_connection_get_models (self->connection), self);
    }
  g_set_object (&self->connection, connection);
  if (connection == NULL)
    return;
  g_signal_connect_object (connection, "notify::model", G_CALLBACK (sync_selection), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (tacho_connection_get_manager (connection), "notify", G_CALLBACK (update),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (tacho_connection_get_models (connection), "notify", G_CALLBACK (update),
                           self, G_CONNECT_SWAPPED);
  gtk_filter_list_model_set_model (self->filtered,
                                   G_LIST_MODEL (tacho_connection_get_models (connection)));
  shown_changed_cb (self);
}

/**
 * tacho_model_browser_focus_search:
 * @self: the browser
 *
 * Puts the cursor into the search field.
 */
void
tacho_model_browser_focus_search (TachoModelBrowser *self)
{
  g_return_if_fail (TACHO_IS_MODEL_BROWSER (self));

  gtk_widget_grab_focus (GTK_WIDGET (self->search));
}
