/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Button of the header: which server, how it is, and the way to another one. */
#define G_LOG_DOMAIN "tacho-connection-menu"

#include "config.h"

#include "app/tacho-connection-menu.h"
#include "app/tacho-display.h"
#include "app/tacho-servers.h"
#include "app/tacho-settings.h"
#include "app/tacho-application.h"
#include "base/tacho-text.h"
#include "service/tacho-discovery.h"

#include <glib/gi18n.h>
#include <math.h>

#define MAX_DETAIL 400 /* characters of a server's text */

struct _TachoConnectionMenu
{
  AdwBin parent_instance;
  TachoConnection *connection;

  GtkMenuButton *button;
  GtkImage *button_icon;
  GtkLabel *button_name;
  GtkLabel *button_state;
  GtkPopover *popover;
  GtkImage *state_icon;
  GtkLabel *state_label;
  GtkLabel *url_label;
  GtkLabel *detail_label;
  GtkLabel *sides_label;
  GtkLabel *pool_label;
  GtkButton *reconnect_button;
  GtkListBox *servers;
  TachoDiscovery *discovery; /* what answers on this computer */
  GCancellable *looking;
};

G_DEFINE_FINAL_TYPE (TachoConnectionMenu, tacho_connection_menu, ADW_TYPE_BIN)

/* API, version and latency of a server that answers; the reason for one that does not. */
static char *
make_detail (TachoConnection *connection)
{
  TachoClientManager *manager = tacho_connection_get_manager (connection);
  const GError *error = tacho_client_manager_get_last_error (manager);
  const char *description = tacho_client_manager_get_description (manager);
  double latency = tacho_client_manager_get_latency_ms (manager);
  GString *text = g_string_new (NULL);

  if (description != NULL && tacho_connection_is_usable (connection))
    {
      g_autofree char *clean = tacho_text_sanitize_line (description, -1, MAX_DETAIL);

      g_string_append (text, clean);
      if (isfinite (latency))
        {
          g_autofree char *ms = tacho_display_ms (latency);

          /* Translators: time that the server takes to answer a health request. */
          g_string_append_printf (text, _ (" · answers in %s"), ms);
        }
    }
  if (error != NULL && tacho_client_manager_get_state (manager) != TACHO_CONNECTION_CONNECTED)
    {
      g_autofree char *clean = tacho_text_sanitize_line (error->message, -1, MAX_DETAIL);

      g_string_append_printf (text, "%s%s", text->len > 0 ? "\n" : "", clean);
    }
  return g_string_free (text, FALSE);
}

/* One side of the server in words: "gRPC 127.0.0.1:8001: in use, 0.4 ms". */
static char *
describe_side (TachoEndpoint *endpoint)
{
  const GError *error = tacho_endpoint_get_last_error (endpoint);
  double wait_s = tacho_endpoint_get_retry_in_s (endpoint);
  double latency = tacho_endpoint_get_latency_ms (endpoint);
  GString *text = g_string_new (
      tacho_endpoint_get_protocol (endpoint) == TACHO_PROTOCOL_GRPC ? "gRPC " : "REST ");
  const char *target = tacho_endpoint_get_target (endpoint);

  g_string_append_printf (text, "%s: ", target != NULL ? target : "—");
  if (tacho_endpoint_get_serving (endpoint))
    g_string_append (text, _ ("in use"));
  else
    g_string_append (text, tacho_display_endpoint_state (tacho_endpoint_get_state (endpoint)));
  if (isfinite (latency))
    {
      g_autofree char *ms = tacho_display_ms (latency);

      g_string_append_printf (text, ", %s", ms);
    }
  if (wait_s > 0)
    /* Translators: a side of the server that failed rests this many seconds. */
    g_string_append_printf (text, _ (", tried again in %.0f s"), ceil (wait_s));
  if (error != NULL && tacho_endpoint_get_state (endpoint) != TACHO_ENDPOINT_OK)
    {
      g_autofree char *clean = tacho_text_sanitize_line (error->message, -1, MAX_DETAIL);

      g_string_append_printf (text, "\n%s", clean);
    }
  return g_string_free (text, FALSE);
}

static char *
describe_pool (TachoClientManager *manager)
{
  TachoTransportCounters pool;

  tacho_client_manager_get_counters (manager, &pool);
  return g_strdup_printf (
      /* Translators: connections of the client: open now, of these idle; opened, reused, failed. */
      _ ("Connections: %u open (%u idle), %llu opened, %llu reused, %llu failed"), pool.open,
      pool.idle, (unsigned long long) pool.created, (unsigned long long) pool.reused,
      (unsigned long long) pool.failed);
}

/* Two sides are shown one below the other; of one, the state above says all. */
static void
update_sides (TachoConnectionMenu *self)
{
  TachoClientManager *manager = tacho_connection_get_manager (self->connection);
  GListModel *endpoints = tacho_client_manager_get_endpoints (manager);
  guint n = g_list_model_get_n_items (endpoints);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *pool = describe_pool (manager);

  for (guint i = 0; n > 1 && i < n; i++)
    {
      g_autoptr (TachoEndpoint) endpoint = g_list_model_get_item (endpoints, i);
      g_autofree char *line = describe_side (endpoint);

      g_string_append_printf (text, "%s%s", i > 0 ? "\n" : "", line);
    }
  gtk_label_set_label (self->sides_label, text->str);
  gtk_widget_set_visible (GTK_WIDGET (self->sides_label), n > 1);
  gtk_label_set_label (self->pool_label, pool);
}

static void
update (TachoConnectionMenu *self)
{
  TachoClientManager *manager;
  TachoDisplayState state;
  g_autofree char *detail = NULL;
  g_autofree char *accessible = NULL;
  g_autofree char *address = NULL;
  const char *name;

  if (self->connection == NULL)
    return;
  manager = tacho_connection_get_manager (self->connection);
  state = tacho_display_connection_state (tacho_client_manager_get_state (manager));
  name = tacho_connection_get_name (self->connection);
  address = tacho_connection_make_address (tacho_connection_get_profile (self->connection));
  detail = make_detail (self->connection);

  gtk_image_set_from_icon_name (self->button_icon, state.icon);
  gtk_image_set_from_icon_name (self->state_icon, state.icon);
  tacho_display_set_class (GTK_WIDGET (self->button_icon), state.css_class);
  tacho_display_set_class (GTK_WIDGET (self->state_icon), state.css_class);
  gtk_label_set_label (self->button_name, name);
  gtk_label_set_label (self->button_state, state.words);
  gtk_label_set_label (self->state_label, state.words);
  gtk_label_set_label (self->url_label,
                       tacho_profile_is_sim (tacho_connection_get_profile (self->connection))
                           ? _ ("Built in; answers and speeds are simulated")
                           : address);
  gtk_label_set_label (self->detail_label, detail);
  gtk_widget_set_visible (GTK_WIDGET (self->detail_label), detail[0] != '\0');
  update_sides (self);
  gtk_widget_set_sensitive (GTK_WIDGET (self->reconnect_button),
                            tacho_client_manager_get_state (manager) != TACHO_CONNECTION_PROBING);

  /* Translators: name of a server, then its state ("Connected"). */
  accessible = g_strdup_printf (_ ("Server %s: %s"), name, state.words);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  accessible, -1);
}

static void
forget_cb (GtkButton *button, TachoConnectionMenu *self)
{
  GtkWidget *row = gtk_widget_get_ancestor (GTK_WIDGET (button), GTK_TYPE_LIST_BOX_ROW);

  const char *url = g_object_get_data (G_OBJECT (row), "url");
  g_autoptr (TachoProfile) saved = tacho_servers_find (url);
  g_autoptr (GError) error = NULL;

  tacho_settings_remove_recent_url (tacho_settings_get_default (), url);
  if (saved != NULL)
    {
      if (!tacho_config_remove_profile (tacho_servers_get_config (), tacho_profile_get_name (saved),
                                        &error))
        {
          adw_action_row_set_subtitle (ADW_ACTION_ROW (row), error->message);
          return;
        }
      /* Nobody waits: a key that stays is found by no other server. */
      tacho_secrets_remove_async (tacho_servers_get_secrets (), saved, NULL, NULL, NULL);
    }
  gtk_list_box_remove (self->servers, row);
}

static void
add_row (TachoConnectionMenu *self, const char *url, const char *subtitle, gboolean can_forget)
{
  GtkWidget *row = adw_action_row_new ();
  g_autofree char *name = tacho_display_url_name (url);
  g_autofree char *title = tacho_text_escape_markup (name, 120);
  g_autofree char *current =
      self->connection != NULL
          ? tacho_connection_make_address (tacho_connection_get_profile (self->connection))
          : NULL;
  gboolean is_current = g_strcmp0 (url, current) == 0;

  g_object_set_data_full (G_OBJECT (row), "url", g_strdup (url), g_free);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), is_current ? _ ("In use") : subtitle);
  adw_action_row_set_title_lines (ADW_ACTION_ROW (row), 1);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), TRUE);
  adw_action_row_add_prefix (ADW_ACTION_ROW (row),
                             gtk_image_new_from_icon_name (is_current ? "object-select-symbolic"
                                                                      : "network-server-symbolic"));
  if (can_forget && !is_current)
    {
      GtkWidget *forget = gtk_button_new_from_icon_name ("window-close-symbolic");
      g_autofree char *label = g_strdup_printf (_ ("Forget %s"), name);

      gtk_widget_set_valign (forget, GTK_ALIGN_CENTER);
      gtk_widget_add_css_class (forget, "flat");
      gtk_widget_add_css_class (forget, "circular");
      gtk_widget_set_tooltip_text (forget, label);
      gtk_accessible_update_property (GTK_ACCESSIBLE (forget), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                      -1);
      g_signal_connect_object (forget, "clicked", G_CALLBACK (forget_cb), self, 0);
      adw_action_row_add_suffix (ADW_ACTION_ROW (row), forget);
    }
  gtk_list_box_append (self->servers, row);
}

static void
rebuild_servers (TachoConnectionMenu *self)
{
  g_auto (GStrv) recent = tacho_settings_get_strv (tacho_settings_get_default (), "recent-urls");
  g_autofree char *current =
      self->connection != NULL
          ? tacho_connection_make_address (tacho_connection_get_profile (self->connection))
          : g_strdup ("sim:");
  GListModel *saved = tacho_config_get_profiles (tacho_servers_get_config ());
  guint n_saved = g_list_model_get_n_items (saved);
  g_autoptr (GHashTable) shown = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (TachoProfile) is_saved = NULL;
  GtkWidget *child;

  g_hash_table_add (shown, g_strdup ("sim:"));

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->servers))) != NULL)
    gtk_list_box_remove (self->servers, child);
  add_row (self, "sim:", _ ("Built in, needs nothing"), FALSE);
  /* A server that never answered is not among the recent ones, but it is the one in use. */
  is_saved = tacho_servers_find (current);
  if (strcmp (current, "sim:") != 0 && is_saved == NULL &&
      !g_strv_contains ((const char *const *) recent, current))
    add_row (self, current, NULL, FALSE);
  for (guint i = 0; i < n_saved; i++)
    {
      g_autoptr (TachoProfile) profile = g_list_model_get_item (saved, i);
      g_autofree char *address = tacho_connection_make_address (profile);
      g_autofree char *name = tacho_text_escape_markup (tacho_profile_get_name (profile), 120);

      /* Translators: %s is the name that a person gave a saved server. */
      g_autofree char *subtitle = g_strdup_printf (_ ("Saved as %s"), name);

      if (g_hash_table_add (shown, g_strdup (address)))
        add_row (self, address, subtitle, TRUE);
    }
  for (gsize i = 0; recent[i] != NULL; i++)
    if (!g_hash_table_contains (shown, recent[i]))
      add_row (self, recent[i], _ ("Used before"), TRUE);
}

static gboolean
is_listed (TachoConnectionMenu *self, const char *address)
{
  for (GtkWidget *row = gtk_widget_get_first_child (GTK_WIDGET (self->servers)); row != NULL;
       row = gtk_widget_get_next_sibling (row))
    if (g_strcmp0 (g_object_get_data (G_OBJECT (row), "url"), address) == 0)
      return TRUE;
  return FALSE;
}

/* A server with both sides is opened with both; its profile is known from now on. */
static void
add_found (TachoConnectionMenu *self, TachoFound *found)
{
  const char *url = tacho_found_get_url (found);
  const char *target = tacho_found_get_grpc_target (found);
  g_autoptr (TachoProfile) profile = tacho_profile_new (NULL, url, NULL);
  g_autofree char *address = NULL;
  g_autofree char *clean = NULL;
  g_autofree char *subtitle = NULL;
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));

  if (profile == NULL || !tacho_profile_set_grpc_target (profile, target, NULL) ||
      (url != NULL && target != NULL &&
       !tacho_profile_set_protocol (profile, TACHO_PROTOCOL_HYBRID, NULL)))
    return;
  address = tacho_connection_make_address (profile);
  if (is_listed (self, address))
    return;
  tacho_application_remember (TACHO_APPLICATION (gtk_window_get_application (GTK_WINDOW (root))),
                              profile);
  clean = tacho_text_escape_markup (tacho_found_get_description (found), MAX_DETAIL);
  /* Translators: %s describes a server that answers on this computer. */
  subtitle = g_strdup_printf (_ ("Found on this computer: %s"), clean);
  add_row (self, address, subtitle, FALSE);
}

static void
looked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoConnectionMenu) self = user_data;
  GListModel *list = G_LIST_MODEL (source);

  if (!tacho_discovery_run_finish (TACHO_DISCOVERY (source), result, NULL) ||
      gtk_widget_get_root (GTK_WIDGET (self)) == NULL)
    return;
  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (TachoFound) found = g_list_model_get_item (list, i);

      add_found (self, found);
    }
}

static void
stop_looking (TachoConnectionMenu *self)
{
  if (self->looking != NULL)
    g_cancellable_cancel (self->looking);
  g_clear_object (&self->looking);
}

static void
look (TachoConnectionMenu *self)
{
  stop_looking (self);
  if (self->discovery == NULL)
    self->discovery = tacho_discovery_new (NULL, 0);
  self->looking = g_cancellable_new ();
  tacho_discovery_run_async (self->discovery, self->looking, looked_cb, g_object_ref (self));
}

static void
popover_show_cb (TachoConnectionMenu *self)
{
  rebuild_servers (self);
  update (self);
  look (self);
}

static void
row_activated_cb (GtkListBox *list, GtkListBoxRow *row, TachoConnectionMenu *self)
{
  const char *url = g_object_get_data (G_OBJECT (row), "url");

  gtk_popover_popdown (self->popover);
  gtk_widget_activate_action (GTK_WIDGET (self), "win.open-url", "s", url);
}

static void
reconnect_cb (TachoConnectionMenu *self)
{
  if (self->connection != NULL)
    tacho_connection_open (self->connection);
}

static void
add_cb (TachoConnectionMenu *self)
{
  gtk_popover_popdown (self->popover);
  gtk_widget_activate_action (GTK_WIDGET (self), "win.add-server", NULL);
}

static void
tacho_connection_menu_dispose (GObject *object)
{
  TachoConnectionMenu *self = TACHO_CONNECTION_MENU (object);

  stop_looking (self);
  g_clear_object (&self->discovery);
  tacho_connection_menu_set_connection (self, NULL);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_CONNECTION_MENU);

  G_OBJECT_CLASS (tacho_connection_menu_parent_class)->dispose (object);
}

static void
tacho_connection_menu_class_init (TachoConnectionMenuClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_connection_menu_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-connection-menu.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoConnectionMenu, button);
  gtk_widget_class_bind_template_child (widget_class, TachoConnectionMenu, button_icon);
  gtk_widget_class_bind_template_child (widget_class, TachoConnectionMenu, button_name);
  gtk_widget_class_bind_template_child (widget_class, TachoConnectionMenu, button_state);
  gtk_widget_class_bind_template_child (widget_class, TachoConnectionMenu, popover);
  gtk_widget_class_bind_template_child (widget_class, TachoConnectionMenu, state_icon);
  gtk_widget_class_bind_template_child (widget_class, TachoConnectionMenu, state_label);
  gtk_widget_class_bind_template_child (widget_class, TachoConnectionMenu, url_label);
  gtk_widget_class_bind_template_child (widget_class, TachoConnectionMenu, detail_label);
  gtk_widget_class_bind_template_child (widget_class, TachoConnectionMenu, sides_label);
  gtk_widget_class_bind_template_child (widget_class, TachoConnectionMenu, pool_label);
  gtk_widget_class_bind_template_child (widget_class, TachoConnectionMenu, reconnect_button);
  gtk_widget_class_bind_template_child (widget_class, TachoConnectionMenu, servers);
  gtk_widget_class_bind_template_callback (widget_class, popover_show_cb);
  gtk_widget_class_bind_template_callback (widget_class, row_activated_cb);
  gtk_widget_class_bind_template_callback (widget_class, reconnect_cb);
  gtk_widget_class_bind_template_callback (widget_class, add_cb);
}

static void
tacho_connection_menu_init (TachoConnectionMenu *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

/* Each side has a state of its own that may change while the server's stays. */
static void
watch_sides (TachoConnectionMenu *self)
{
  GListModel *endpoints =
      tacho_client_manager_get_endpoints (tacho_connection_get_manager (self->connection));

  for (guint i = 0; i < g_list_model_get_n_items (endpoints); i++)
    {
      g_autoptr (TachoEndpoint) endpoint = g_list_model_get_item (endpoints, i);

      g_signal_connect_object (endpoint, "notify", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
    }
}

/**
 * tacho_connection_menu_set_connection:
 * @self: the button
 * @connection: (nullable): the server in use
 */
void
tacho_connection_menu_set_connection (TachoConnectionMenu *self, TachoConnection *connection)
{
  g_return_if_fail (TACHO_IS_CONNECTION_MENU (self));

  if (self->connection != NULL)
    g_signal_handlers_disconnect_by_data (tacho_connection_get_manager (self->connection), self);
  g_set_object (&self->connection, connection);
  if (connection != NULL)
    {
      g_signal_connect_object (tacho_connection_get_manager (connection), "notify",
                               G_CALLBACK (update), self, G_CONNECT_SWAPPED);
      watch_sides (self);
    }
  update (self);
}
