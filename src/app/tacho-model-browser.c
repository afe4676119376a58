/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The models of a server, and a page that says what to do when there is no list. */
#define G_LOG_DOMAIN "tacho-model-browser"

#include "config.h"

#include "app/tacho-model-browser.h"
#include "app/tacho-adapter-dialog.h"
#include "app/tacho-model-actions.h"
#include "app/tacho-model-details.h"
#include "app/tacho-model-menu.h"
#include "app/tacho-model-row.h"
#include "app/tacho-pull-list.h"
#include "app/tacho-server-card.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_DETAIL 400 /* characters of a server's text */

struct _TachoModelBrowser
{
  AdwBin parent_instance;
  TachoConnection *connection;
  TachoModelSieve *sieve;
  GtkSingleSelection *selection;
  gboolean syncing; /* the selection is being set: not a person's choice */

  GtkStack *pages;
  GtkWidget *models_page;
  TachoModelDetails *details;
  GtkSearchEntry *search;
  TachoModelMenu *menu;
  GtkLabel *count;
  GtkWidget *pull;
  GtkWidget *adapter;
  GtkWidget *unload_all;
  TachoPullList *pulls;
  GtkStack *stack;
  GtkListView *list;
  GtkLabel *busy_label;
  AdwStatusPage *message;
  GtkButton *message_button;
  TachoServerCard *card;
};

G_DEFINE_FINAL_TYPE (TachoModelBrowser, tacho_model_browser, ADW_TYPE_BIN)

/* --- which page says best how things are --- */

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

/* TRUE: a page was shown that stands in for the list, whatever is in it. */
static gboolean
show_connection_page (TachoModelBrowser *self, guint n)
{
  TachoClientManager *manager = tacho_connection_get_manager (self->connection);
  const GError *offline = tacho_client_manager_get_last_error (manager);

  switch (tacho_client_manager_get_state (manager))
    {
    case TACHO_CONNECTION_OFFLINE:
      show_message (self, "network-offline-symbolic", _ ("Server Is Offline"),
                    offline != NULL ? offline->message
                                    : _ ("Nothing answers there. Is the server started?"),
                    _ ("Retry"), "win.refresh");
      return TRUE;
    case TACHO_CONNECTION_DISCONNECTED:
    case TACHO_CONNECTION_PROBING:
      if (n == 0)
        show_busy (self, _ ("Connecting…"));
      return n == 0;
    case TACHO_CONNECTION_LOADING:
      if (n == 0)
        show_message (self, "tacho-status-busy-symbolic", _ ("Server Is Loading"),
                      _ ("The server answers, but its model is not ready yet. "
                         "The list appears as soon as it is."),
                      _ ("Check Now"), "win.refresh");
      return n == 0;
    case TACHO_CONNECTION_CONNECTED:
    case TACHO_CONNECTION_DEGRADED:
    default:
      return FALSE;
    }
}

static void
show_no_results (TachoModelBrowser *self)
{
  gboolean searching = gtk_editable_get_text (GTK_EDITABLE (self->search))[0] != '\0';

  if (!tacho_model_sieve_is_filtering (self->sieve))
    show_message (self, "system-search-symbolic", _ ("No Results"),
                  _ ("No model of this server matches the search."), _ ("Clear Search"),
                  "browser.show-all");
  else if (searching)
    show_message (self, "system-search-symbolic", _ ("No Results"),
                  _ ("No model of this server matches the search and the filters."),
                  _ ("Clear Search and Filters"), "browser.show-all");
  else
    show_message (self, "tacho-filter-symbolic", _ ("No Results"),
                  _ ("No model of this server passes the filters."), _ ("Show All Models"),
                  "browser.show-all");
}

static void
show_page (TachoModelBrowser *self, guint n, guint shown)
{
  TachoModelService *models = tacho_connection_get_models (self->connection);
  const GError *error = tacho_model_service_get_error (models);

  if (show_connection_page (self, n))
    return;
  if (n > 0 && shown > 0)
    gtk_stack_set_visible_child_name (self->stack, "list");
  else if (n > 0)
    show_no_results (self);
  else if (error != NULL)
    show_message (self, "dialog-error-symbolic", _ ("Models Not Listed"), error->message,
                  _ ("Retry"), "win.refresh");
  else if (tacho_model_service_get_busy (models) || !tacho_model_service_get_listed (models))
    show_busy (self, _ ("Listing models…"));
  else if (tacho_model_actions_server_has (self->connection, TACHO_OP_PULL_MODEL))
    show_message (self, "folder-download-symbolic", _ ("No Models"),
                  _ ("The server has no model yet. It can fetch one from its registry."),
                  _ ("Pull a Model…"), "browser.pull");
  else
    show_message (
        self, "network-server-symbolic", _ ("No Models"),
        _ ("The server answers, but it offers no model. Add one on the server, then refresh."),
        _ ("Refresh"), "win.refresh");
}

/* --- what the buttons of the head can do --- */

/* A button that the server has no use for is not there; one that has nothing to do says so. */
static void
update_button (TachoModelBrowser *self,
               GtkWidget *button,
               const char *action,
               gboolean offered,
               const char *reason,
               const char *tooltip)
{
  gtk_widget_set_visible (button, offered);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), action, offered && reason == NULL);
  gtk_widget_set_tooltip_text (button, reason != NULL ? reason : tooltip);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  reason != NULL ? reason : "", -1);
}

static void
update_head (TachoModelBrowser *self, guint n, guint shown)
{
  gboolean usable = tacho_connection_is_usable (self->connection);
  gboolean loads =
      tacho_model_service_get_can_load (tacho_connection_get_models (self->connection));
  guint known, loaded = tacho_model_actions_count_loaded (self->connection, &known);
  const char *offline = usable ? NULL : _ ("The server does not answer at the moment");
  g_autofree char *count = NULL;

  if (n == 0)
    count = g_strdup ("");
  else if (shown == n)
    count = g_strdup_printf (ngettext ("%'u model", "%'u models", n), n);
  else
    /* Translators: models that match a search or a filter, of all. */
    count = g_strdup_printf (_ ("%'u of %'u models"), shown, n);
  gtk_label_set_label (self->count, count);
  update_button (self, self->pull, "browser.pull",
                 tacho_model_actions_server_has (self->connection, TACHO_OP_PULL_MODEL), offline,
                 _ ("Pull a Model…"));
  update_button (self, self->adapter, "browser.load-adapter",
                 tacho_adapter_dialog_is_offered (self->connection), offline,
                 _ ("Load an Adapter…"));
  if (offline == NULL && loaded == 0)
    offline = _ ("No model is loaded");
  update_button (self, self->unload_all, "browser.unload-all", loads && known > 0, offline,
                 _ ("Unload All Models"));
}

/* A choice that the filter hides is still the choice. */
static void
sync_selection (TachoModelBrowser *self)
{
  GListModel *list = G_LIST_MODEL (self->selection);
  TachoModel *current =
      self->connection != NULL ? tacho_connection_get_model (self->connection) : NULL;
  guint n = g_list_model_get_n_items (list), found = GTK_INVALID_LIST_POSITION;

  if (gtk_single_selection_get_selected_item (self->selection) == current)
    return;
  for (guint i = 0; current != NULL && i < n && found == GTK_INVALID_LIST_POSITION; i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (list, i);

      if (model == current)
        found = i;
    }
  self->syncing = TRUE;
  gtk_single_selection_set_selected (self->selection, found);
  self->syncing = FALSE;
}

static void
update (TachoModelBrowser *self)
{
  guint n, shown;

  if (self->connection == NULL)
    return;
  n = g_list_model_get_n_items (G_LIST_MODEL (tacho_connection_get_models (self->connection)));
  shown = g_list_model_get_n_items (G_LIST_MODEL (self->selection));
  update_head (self, n, shown);
  /* "No results" is not said before the last model was looked at. */
  if (n == 0 || shown > 0 || !tacho_model_sieve_is_pending (self->sieve))
    show_page (self, n, shown);
  sync_selection (self);
}

/* --- details --- */

static void
hide_details (TachoModelBrowser *self)
{
  gboolean had_focus = gtk_stack_get_visible_child (self->pages) == GTK_WIDGET (self->details);

  gtk_stack_set_visible_child (self->pages, self->models_page);
  tacho_model_details_set_model (self->details, NULL, NULL);
  if (had_focus && gtk_widget_get_mapped (GTK_WIDGET (self)))
    gtk_widget_grab_focus (GTK_WIDGET (self->list));
}

static void
show_details (TachoModelBrowser *self, TachoModel *model)
{
  if (self->connection == NULL || model == NULL)
    return;
  tacho_model_details_set_model (self->details, self->connection, model);
  gtk_stack_set_visible_child (self->pages, GTK_WIDGET (self->details));
  tacho_model_details_focus (self->details);
}

static void
row_details_cb (TachoModelRow *row, TachoModelBrowser *self)
{
  show_details (self, tacho_model_row_get_model (row));
}

static void
activate_cb (GtkListView *list, guint position, TachoModelBrowser *self)
{
  g_autoptr (TachoModel) model = g_list_model_get_item (G_LIST_MODEL (self->selection), position);

  show_details (self, model);
}

/* --- keys --- */

/* The model that has the focus, and whether one of its buttons has it. */
static TachoModel *
get_focused (TachoModelBrowser *self, gboolean *on_button)
{
  GtkWidget *focus = gtk_root_get_focus (gtk_widget_get_root (GTK_WIDGET (self)));
  GtkWidget *row = NULL;

  if (focus == NULL || !gtk_widget_is_ancestor (focus, GTK_WIDGET (self->list)))
    return NULL;
  row = gtk_widget_get_ancestor (focus, TACHO_TYPE_MODEL_ROW);
  *on_button = row != NULL;
  if (row == NULL)
    row = gtk_widget_get_first_child (focus);
  return TACHO_IS_MODEL_ROW (row) ? tacho_model_row_get_model (TACHO_MODEL_ROW (row)) : NULL;
}

/* Before the list sees them: it would take the space bar for itself. */
static gboolean
list_key_cb (TachoModelBrowser *self, guint key, guint code, GdkModifierType modifiers)
{
  gboolean on_button = FALSE;
  TachoModel *model = get_focused (self, &on_button);
  GdkModifierType held = modifiers & gtk_accelerator_get_default_mod_mask ();

  if (model == NULL || self->connection == NULL)
    return GDK_EVENT_PROPAGATE;
  if ((key == GDK_KEY_space || key == GDK_KEY_KP_Space) && held == 0 && !on_button)
    tacho_model_actions_change (self->connection, model);
  else if ((key == GDK_KEY_Delete || key == GDK_KEY_KP_Delete) && held == 0)
    tacho_model_actions_ask_delete (GTK_WIDGET (self), self->connection, model);
  else if (key == GDK_KEY_c && held == GDK_CONTROL_MASK)
    tacho_model_actions_copy_id (GTK_WIDGET (self), self->connection, model);
  else
    return GDK_EVENT_PROPAGATE;
  return GDK_EVENT_STOP;
}

static gboolean
search_key_cb (TachoModelBrowser *self, guint key, guint code, GdkModifierType modifiers)
{
  if (key != GDK_KEY_Down && key != GDK_KEY_KP_Down)
    return GDK_EVENT_PROPAGATE;
  return gtk_widget_grab_focus (GTK_WIDGET (self->list)) ? GDK_EVENT_STOP : GDK_EVENT_PROPAGATE;
}

/* --- callbacks --- */

static void
selected_cb (TachoModelBrowser *self)
{
  TachoModel *model = gtk_single_selection_get_selected_item (self->selection);

  if (!self->syncing && self->connection != NULL && model != NULL)
    tacho_connection_set_model (self->connection, model);
}

/* What is typed in the list is searched for. The row that had the focus may not pass, and with it
 * the way back would be gone: the search takes it. */
static void
search_changed_cb (TachoModelBrowser *self)
{
  GtkWidget *search = GTK_WIDGET (self->search);
  GtkWidget *focus = gtk_root_get_focus (gtk_widget_get_root (GTK_WIDGET (self)));

  if (focus != NULL && gtk_widget_is_ancestor (focus, GTK_WIDGET (self->list)) &&
      gtk_editable_get_text (GTK_EDITABLE (self->search))[0] != '\0' &&
      gtk_widget_grab_focus (search))
    gtk_editable_set_position (GTK_EDITABLE (self->search), -1);
  tacho_model_sieve_set_search (self->sieve, gtk_editable_get_text (GTK_EDITABLE (self->search)));
}

static void
stop_search_cb (TachoModelBrowser *self)
{
  gtk_editable_set_text (GTK_EDITABLE (self->search), "");
}

static void
show_all_action (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoModelBrowser *self = TACHO_MODEL_BROWSER (widget);

  gtk_editable_set_text (GTK_EDITABLE (self->search), "");
  tacho_model_menu_show_all (self->menu);
  gtk_widget_grab_focus (GTK_WIDGET (self->search));
}

static void
pull_action (GtkWidget *widget, const char *action, GVariant *parameter)
{
  tacho_pull_list_ask (TACHO_MODEL_BROWSER (widget)->pulls);
}

static void
load_adapter_action (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoModelBrowser *self = TACHO_MODEL_BROWSER (widget);

  if (self->connection != NULL)
    tacho_adapter_dialog_present (widget, self->connection);
}

static void
unload_all_action (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoModelBrowser *self = TACHO_MODEL_BROWSER (widget);

  if (self->connection != NULL)
    tacho_model_actions_unload_all (widget, self->connection);
}

static void
setup_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  GtkWidget *row = tacho_model_row_new ();

  g_signal_connect_object (row, "details", G_CALLBACK (row_details_cb), user_data, 0);
  gtk_list_item_set_child (item, row);
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

/* --- object --- */

static void
tacho_model_browser_dispose (GObject *object)
{
  TachoModelBrowser *self = TACHO_MODEL_BROWSER (object);

  if (self->pages != NULL)
    tacho_model_browser_set_connection (self, NULL);
  g_clear_object (&self->selection);
  g_clear_object (&self->sieve);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_MODEL_BROWSER);

  G_OBJECT_CLASS (tacho_model_browser_parent_class)->dispose (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, pages);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, models_page);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, details);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, search);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, menu);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, count);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, pull);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, adapter);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, unload_all);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, pulls);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, stack);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, list);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, busy_label);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, message);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, message_button);
  gtk_widget_class_bind_template_child (widget_class, TachoModelBrowser, card);
}

static void
tacho_model_browser_class_init (TachoModelBrowserClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_model_browser_dispose;
  g_type_ensure (TACHO_TYPE_MODEL_DETAILS);
  g_type_ensure (TACHO_TYPE_MODEL_MENU);
  g_type_ensure (TACHO_TYPE_PULL_LIST);
  g_type_ensure (TACHO_TYPE_SERVER_CARD);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-model-browser.ui");
  bind_children (widget_class);
  gtk_widget_class_bind_template_callback (widget_class, search_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, stop_search_cb);
  gtk_widget_class_bind_template_callback (widget_class, search_key_cb);
  gtk_widget_class_bind_template_callback (widget_class, list_key_cb);
  gtk_widget_class_bind_template_callback (widget_class, activate_cb);
  gtk_widget_class_bind_template_callback (widget_class, hide_details);
  gtk_widget_class_bind_template_callback (widget_class, setup_cb);
  gtk_widget_class_bind_template_callback (widget_class, bind_cb);
  gtk_widget_class_bind_template_callback (widget_class, unbind_cb);
  gtk_widget_class_install_action (widget_class, "browser.show-all", NULL, show_all_action);
  gtk_widget_class_install_action (widget_class, "browser.pull", NULL, pull_action);
  gtk_widget_class_install_action (widget_class, "browser.load-adapter", NULL, load_adapter_action);
  gtk_widget_class_install_action (widget_class, "browser.unload-all", NULL, unload_all_action);
}

static void
tacho_model_browser_init (TachoModelBrowser *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->sieve = tacho_model_sieve_new ();
  self->selection = gtk_single_selection_new (NULL);
  gtk_single_selection_set_autoselect (self->selection, FALSE);
  gtk_single_selection_set_can_unselect (self->selection, TRUE);
  gtk_single_selection_set_model (self->selection, tacho_model_sieve_get_list (self->sieve));
  g_signal_connect_object (self->selection, "notify::selected-item", G_CALLBACK (selected_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->sieve, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  tacho_model_menu_set_sieve (self->menu, self->sieve);
  gtk_list_view_set_model (self->list, GTK_SELECTION_MODEL (self->selection));
  gtk_search_entry_set_key_capture_widget (self->search, self->models_page);
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

  hide_details (self);
  if (self->connection != NULL)
    {
      tacho_model_sieve_set_source (self->sieve, NULL);
      g_signal_handlers_disconnect_by_data (self->connection, self);
      g_signal_handlers_disconnect_by_data (tacho_connection_get_manager (self->connection), self);
      g_signal_handlers_disconnect_by_data (tacho_connection_get_models (self->connection), self);
    }
  g_set_object (&self->connection, connection);
  tacho_pull_list_set_connection (self->pulls, connection);
  tacho_server_card_set_connection (self->card, connection);
  if (connection == NULL)
    {
      gtk_label_set_label (self->count, "");
      gtk_widget_set_visible (self->pull, FALSE);
      gtk_widget_set_visible (self->unload_all, FALSE);
      show_message (self, "network-server-symbolic", _ ("No Server"),
                    _ ("Choose a server in the header bar, or add one."), _ ("Add Server…"),
                    "win.add-server");
      return;
    }
  g_signal_connect_object (connection, "notify::model", G_CALLBACK (sync_selection), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (connection, "changes", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (tacho_connection_get_manager (connection), "notify", G_CALLBACK (update),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (tacho_connection_get_models (connection), "notify", G_CALLBACK (update),
                           self, G_CONNECT_SWAPPED);
  tacho_model_sieve_set_source (self->sieve,
                                G_LIST_MODEL (tacho_connection_get_models (connection)));
  update (self);
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

  gtk_stack_set_visible_child (self->pages, self->models_page);
  gtk_widget_grab_focus (GTK_WIDGET (self->search));
}
