/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Button of the header: which server, how it is, and the way to another one. */
#define G_LOG_DOMAIN "tacho-connection-menu"

#include "config.h"

#include "app/tacho-connection-menu.h"
#include "app/tacho-display.h"
#include "app/tacho-server-list.h"
#include "app/tacho-servers.h"
#include "base/tacho-text.h"

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
  GtkButton *test_button;
  TachoServerList *servers;
  guint tick_id;
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

/* "Offline", or when it is looked for again. */
static char *
make_state_words (TachoClientManager *manager, const char *words)
{
  double wait_s = tacho_client_manager_get_next_look_s (manager);

  if (tacho_client_manager_get_state (manager) != TACHO_CONNECTION_OFFLINE || wait_s <= 0)
    return g_strdup (words);
  /* Translators: %s is "Offline". */
  return g_strdup_printf (_ ("%s, retrying in %.0f s"), words, ceil (wait_s));
}

static void keep_counting (TachoConnectionMenu *self);

static void
update_without (TachoConnectionMenu *self)
{
  TachoDisplayState state = tacho_display_connection_state (TACHO_CONNECTION_DISCONNECTED);

  gtk_image_set_from_icon_name (self->button_icon, state.icon);
  gtk_image_set_from_icon_name (self->state_icon, state.icon);
  gtk_label_set_label (self->button_name, _ ("No server"));
  gtk_label_set_label (self->button_state, "");
  gtk_label_set_label (self->state_label, _ ("No server"));
  gtk_label_set_label (self->url_label, _ ("Choose one below, or add one"));
  gtk_label_set_label (self->pool_label, "");
  gtk_widget_set_visible (GTK_WIDGET (self->detail_label), FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->sides_label), FALSE);
  gtk_widget_set_sensitive (GTK_WIDGET (self->reconnect_button), FALSE);
  gtk_widget_set_sensitive (GTK_WIDGET (self->test_button), FALSE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("No server"), -1);
}

static void
update (TachoConnectionMenu *self)
{
  g_autofree char *words = NULL;
  TachoClientManager *manager;
  TachoDisplayState state;
  g_autofree char *detail = NULL;
  g_autofree char *accessible = NULL;
  g_autofree char *address = NULL;
  const char *name;

  keep_counting (self);
  if (self->connection == NULL)
    {
      update_without (self);
      return;
    }
  gtk_widget_set_sensitive (GTK_WIDGET (self->test_button), TRUE);
  manager = tacho_connection_get_manager (self->connection);
  state = tacho_display_connection_state (tacho_client_manager_get_state (manager));
  name = tacho_connection_get_name (self->connection);
  address = tacho_servers_make_address (tacho_connection_get_profile (self->connection));
  detail = make_detail (self->connection);

  gtk_image_set_from_icon_name (self->button_icon, state.icon);
  gtk_image_set_from_icon_name (self->state_icon, state.icon);
  tacho_display_set_class (GTK_WIDGET (self->button_icon), state.css_class);
  tacho_display_set_class (GTK_WIDGET (self->state_icon), state.css_class);
  gtk_label_set_label (self->button_name, name);
  gtk_label_set_label (self->button_state, state.words);
  words = make_state_words (manager, state.words);
  gtk_label_set_label (self->state_label, words);
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
popover_show_cb (TachoConnectionMenu *self)
{
  tacho_server_list_show (self->servers, self->connection != NULL
                                             ? tacho_connection_get_profile (self->connection)
                                             : NULL);
  update (self);
}

static void
chosen_cb (TachoConnectionMenu *self)
{
  gtk_popover_popdown (self->popover);
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
test_cb (TachoConnectionMenu *self)
{
  gtk_popover_popdown (self->popover);
  gtk_widget_activate_action (GTK_WIDGET (self), "win.test-server", NULL);
}

static void
engine_cb (TachoConnectionMenu *self)
{
  gtk_popover_popdown (self->popover);
  gtk_widget_activate_action (GTK_WIDGET (self), "win.local-engine", NULL);
}

static gboolean
tick_cb (gpointer user_data)
{
  update (user_data);
  return G_SOURCE_CONTINUE;
}

/* Counts down to the next look at a server that does not answer, where that is seen. */
static void
keep_counting (TachoConnectionMenu *self)
{
  gboolean wanted = self->connection != NULL && gtk_widget_get_mapped (GTK_WIDGET (self)) &&
                    tacho_client_manager_get_state (tacho_connection_get_manager (
                        self->connection)) == TACHO_CONNECTION_OFFLINE;

  if (wanted && self->tick_id == 0)
    self->tick_id = g_timeout_add_seconds (1, tick_cb, self);
  else if (!wanted)
    g_clear_handle_id (&self->tick_id, g_source_remove);
}

static void
tacho_connection_menu_dispose (GObject *object)
{
  TachoConnectionMenu *self = TACHO_CONNECTION_MENU (object);

  tacho_connection_menu_set_connection (self, NULL);
  g_clear_handle_id (&self->tick_id, g_source_remove);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_CONNECTION_MENU);

  G_OBJECT_CLASS (tacho_connection_menu_parent_class)->dispose (object);
}

static void
tacho_connection_menu_class_init (TachoConnectionMenuClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_connection_menu_dispose;
  g_type_ensure (TACHO_TYPE_SERVER_LIST);
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
  gtk_widget_class_bind_template_child (widget_class, TachoConnectionMenu, test_button);
  gtk_widget_class_bind_template_child (widget_class, TachoConnectionMenu, servers);
  gtk_widget_class_bind_template_callback (widget_class, popover_show_cb);
  gtk_widget_class_bind_template_callback (widget_class, chosen_cb);
  gtk_widget_class_bind_template_callback (widget_class, test_cb);
  gtk_widget_class_bind_template_callback (widget_class, engine_cb);
  gtk_widget_class_bind_template_callback (widget_class, reconnect_cb);
  gtk_widget_class_bind_template_callback (widget_class, add_cb);
}

static void
tacho_connection_menu_init (TachoConnectionMenu *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect (self, "map", G_CALLBACK (update), NULL);
  g_signal_connect (self, "unmap", G_CALLBACK (keep_counting), NULL);
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
