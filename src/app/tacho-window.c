/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window: header with the connection, model browser, prompt pane, benchmark panel. */
#define G_LOG_DOMAIN "tacho-window"

#include "config.h"

#include "app/tacho-window-private.h"
#include "app/tacho-calibrate-window.h"
#include "app/tacho-servers.h"
#include "app/tacho-settings.h"
#include "app/tacho-welcome.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_NOTICE 300 /* characters of a notice */

G_DEFINE_FINAL_TYPE (TachoWindow, tacho_window, ADW_TYPE_APPLICATION_WINDOW)

void
tacho_window_notice (TachoWindow *self, const char *text)
{
  g_autofree char *escaped = tacho_text_escape_markup (text, MAX_NOTICE);

  adw_toast_overlay_add_toast (self->toasts, adw_toast_new (escaped));
}

static void
new_conversation_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoWindow *self = user_data;

  adw_view_stack_set_visible_child_name (self->stack, "prompt");
  tacho_prompt_pane_new_conversation (self->prompt);
}

static void
search_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoWindow *self = user_data;

  adw_flap_set_reveal_flap (self->flap, TRUE);
  if (g_str_equal (gtk_stack_get_visible_child_name (self->sidebar), "conversations"))
    tacho_chat_list_focus_search (self->chats);
  else
    tacho_model_browser_focus_search (self->browser);
}

static void
show_sidebar_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoWindow *self = user_data;

  adw_flap_set_reveal_flap (self->flap, TRUE);
  gtk_stack_set_visible_child_name (self->sidebar, g_variant_get_string (parameter, NULL));
}

static void
page_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoWindow *self = user_data;

  adw_view_stack_set_visible_child_name (self->stack, g_variant_get_string (parameter, NULL));
}

static void
refresh_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoWindow *self = user_data;

  if (self->connection != NULL)
    tacho_connection_refresh (self->connection);
}

static void
run_benchmark_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoWindow *self = user_data;

  adw_view_stack_set_visible_child_name (self->stack, "benchmark");
  tacho_bench_panel_run (self->bench);
}

static void
runs_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoWindow *self = user_data;

  adw_view_stack_set_visible_child_name (self->stack, "benchmark");
  gtk_widget_activate_action (GTK_WIDGET (self->bench), "bench.page", "s", "history");
}

static void
calibrate_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoWindow *self = user_data;

  if (tacho_bench_panel_is_running (self->bench))
    tacho_window_notice (self, _ ("A benchmark is running: it and the calibration would disturb "
                                  "each other."));
  else
    gtk_window_present (GTK_WINDOW (tacho_calibrate_window_new (GTK_WINDOW (self))));
}

static const GActionEntry actions[] = {
  { "calibrate", calibrate_cb, NULL, NULL, NULL },
  { "new-conversation", new_conversation_cb, NULL, NULL, NULL },
  { "show-list", show_sidebar_cb, "s", NULL, NULL },
  { "search", search_cb, NULL, NULL, NULL },
  { "page", page_cb, "s", NULL, NULL },
  { "refresh", refresh_cb, NULL, NULL, NULL },
  { "runs", runs_cb, NULL, NULL, NULL },
  { "run-benchmark", run_benchmark_cb, NULL, NULL, NULL },
};

/* What the next start finds again. */
void
tacho_window_save (TachoWindow *self)
{
  TachoSettings *settings = tacho_settings_get_default ();
  GtkWindow *window = GTK_WINDOW (self);
  int width, height;

  gtk_window_get_default_size (window, &width, &height);
  tacho_settings_set_int (settings, "window-width", width);
  tacho_settings_set_int (settings, "window-height", height);
  tacho_settings_set_boolean (settings, "window-maximized", gtk_window_is_maximized (window));
  tacho_settings_set_string (settings, "window-page",
                             adw_view_stack_get_visible_child_name (self->stack));
  tacho_settings_set_string (settings, "window-list",
                             gtk_stack_get_visible_child_name (self->sidebar));
  /* A narrow window hides it by itself. */
  if (!adw_flap_get_folded (self->flap))
    tacho_settings_set_boolean (settings, "window-sidebar", adw_flap_get_reveal_flap (self->flap));
  tacho_prompt_pane_save (self->prompt);
}

static void
restore_state (TachoWindow *self)
{
  TachoSettings *settings = tacho_settings_get_default ();
  g_autofree char *page = tacho_settings_get_string (settings, "window-page");
  g_autofree char *list = tacho_settings_get_string (settings, "window-list");

  gtk_window_set_default_size (GTK_WINDOW (self), tacho_settings_get_int (settings, "window-width"),
                               tacho_settings_get_int (settings, "window-height"));
  if (tacho_settings_get_boolean (settings, "window-maximized"))
    gtk_window_maximize (GTK_WINDOW (self));
  adw_view_stack_set_visible_child_name (self->stack, page);
  gtk_stack_set_visible_child_name (self->sidebar, list);
  adw_flap_set_reveal_flap (self->flap, tacho_settings_get_boolean (settings, "window-sidebar"));
}

static gboolean
tacho_window_close_request (GtkWindow *window)
{
  TachoWindow *self = TACHO_WINDOW (window);

  if (tacho_bench_panel_is_running (self->bench))
    {
      tacho_window_ask_to_stop (self, NULL);
      return GDK_EVENT_STOP;
    }
  tacho_window_save (self);
  return GTK_WINDOW_CLASS (tacho_window_parent_class)->close_request (window);
}

static void
tacho_window_dispose (GObject *object)
{
  TachoWindow *self = TACHO_WINDOW (object);

  tacho_window_close_servers (self);
  tacho_window_close_chats (self);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_WINDOW);

  G_OBJECT_CLASS (tacho_window_parent_class)->dispose (object);
}

static void
tacho_window_class_init (TachoWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_window_dispose;
  GTK_WINDOW_CLASS (klass)->close_request = tacho_window_close_request;

  g_type_ensure (TACHO_TYPE_CHAT_LIST);
  g_type_ensure (TACHO_TYPE_CONNECTION_MENU);
  g_type_ensure (TACHO_TYPE_MODEL_BROWSER);
  g_type_ensure (TACHO_TYPE_PROMPT_PANE);
  g_type_ensure (TACHO_TYPE_BENCH_PANEL);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-window.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoWindow, connection_menu);
  gtk_widget_class_bind_template_child (widget_class, TachoWindow, simulated_badge);
  gtk_widget_class_bind_template_child (widget_class, TachoWindow, title);
  gtk_widget_class_bind_template_child (widget_class, TachoWindow, toasts);
  gtk_widget_class_bind_template_child (widget_class, TachoWindow, place);
  gtk_widget_class_bind_template_child (widget_class, TachoWindow, welcome_place);
  gtk_widget_class_bind_template_child (widget_class, TachoWindow, flap);
  gtk_widget_class_bind_template_child (widget_class, TachoWindow, stack);
  gtk_widget_class_bind_template_child (widget_class, TachoWindow, sidebar);
  gtk_widget_class_bind_template_child (widget_class, TachoWindow, chats);
  tacho_window_chats_class_init (widget_class);
  gtk_widget_class_bind_template_child (widget_class, TachoWindow, browser);
  gtk_widget_class_bind_template_child (widget_class, TachoWindow, prompt);
  gtk_widget_class_bind_template_child (widget_class, TachoWindow, bench);
}

static void
tacho_window_init (TachoWindow *self)
{
  g_autoptr (GPropertyAction) sidebar = NULL;

  gtk_widget_init_template (GTK_WIDGET (self));
  g_action_map_add_action_entries (G_ACTION_MAP (self), actions, G_N_ELEMENTS (actions), self);
  sidebar = g_property_action_new ("show-sidebar", self->flap, "reveal-flap");
  g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (sidebar));

  restore_state (self);
  tacho_prompt_pane_focus (self->prompt);
  tacho_window_open_servers (self);
  tacho_window_open_chats (self);
  tacho_window_watch_run (self);
  tacho_window_watch_engine (self);
}

/**
 * tacho_window_new:
 * @application: the program
 *
 * Returns: (transfer none): a window without a server; see [method@Window.open_url]
 */
TachoWindow *
tacho_window_new (TachoApplication *application)
{
  return g_object_new (TACHO_TYPE_WINDOW, "application", application, NULL);
}

/**
 * tacho_window_welcome:
 * @self: a window without a server
 *
 * Shows the ways to one.
 */
void
tacho_window_welcome (TachoWindow *self)
{
  GtkWidget *page;

  g_return_if_fail (TACHO_IS_WINDOW (self));

  page = g_object_new (TACHO_TYPE_WELCOME, NULL);
  adw_bin_set_child (self->welcome_place, page);
  gtk_stack_set_visible_child_name (self->place, "welcome");
  adw_view_switcher_title_set_view_switcher_enabled (self->title, FALSE);
  tacho_welcome_show (TACHO_WELCOME (page));
}

/**
 * tacho_window_open_url:
 * @self: the window
 * @url: normalised URL of a server, "sim:", or "grpc://HOST:PORT"
 *
 * Changes to another server. A live benchmark is not stopped without asking.
 */
void
tacho_window_open_url (TachoWindow *self, const char *url)
{
  TachoApplication *application;
  g_autoptr (TachoProfile) profile = NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (TACHO_IS_WINDOW (self));

  application = TACHO_APPLICATION (gtk_window_get_application (GTK_WINDOW (self)));
  profile = tacho_application_get_profile (application, url, &error);
  if (profile != NULL)
    tacho_window_open_profile (self, profile);
  else
    tacho_window_refuse (self, error, url);
}

/**
 * tacho_window_open_profile:
 * @self: the window
 * @profile: how a server is talked to; its key is looked up if that is not in it
 *
 * Changes to another server. A live benchmark is not stopped without asking.
 */
void
tacho_window_open_profile (TachoWindow *self, TachoProfile *profile)
{
  g_return_if_fail (TACHO_IS_WINDOW (self));
  g_return_if_fail (TACHO_IS_PROFILE (profile));

  if (tacho_bench_panel_is_running (self->bench))
    tacho_window_ask_to_stop (self, profile);
  else
    tacho_window_connect_to (self, profile);
}

/**
 * tacho_window_describe:
 * @self: the window
 *
 * Returns: (transfer full): the server in words, without secrets
 */
char *
tacho_window_describe (TachoWindow *self)
{
  TachoClientManager *manager;
  const char *description;
  g_autofree char *address = NULL;

  g_return_val_if_fail (TACHO_IS_WINDOW (self), NULL);

  if (self->connection == NULL)
    return g_strdup ("No server");
  manager = tacho_connection_get_manager (self->connection);
  description = tacho_client_manager_get_description (manager);
  address = tacho_servers_make_address (tacho_connection_get_profile (self->connection));
  return g_strdup_printf (
      "Server: %s\nState: %s\nAPI: %s\nSimulated: %s", address,
      tacho_connection_state_to_string (tacho_client_manager_get_state (manager)),
      description != NULL ? description : "unknown",
      tacho_connection_is_simulated (self->connection) ? "yes" : "no");
}
