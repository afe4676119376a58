/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window: header with the connection, model browser, prompt pane, benchmark panel. */
#define G_LOG_DOMAIN "tacho-window"

#include "config.h"

#include "app/tacho-window-private.h"
#include "app/tacho-add-server-dialog.h"
#include "app/tacho-key-dialog.h"
#include "app/tacho-servers.h"
#include "app/tacho-settings.h"
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
notice_cb (TachoConnection *connection, const char *text, TachoWindow *self)
{
  tacho_window_notice (self, text);
}

static void
update_simulated (TachoWindow *self)
{
  gtk_widget_set_visible (self->simulated_badge,
                          self->connection != NULL &&
                              tacho_connection_is_simulated (self->connection));
}

static void
drop_connection (TachoWindow *self)
{
  if (self->connection == NULL)
    return;
  tacho_connection_menu_set_connection (self->connection_menu, NULL);
  tacho_model_browser_set_connection (self->browser, NULL);
  tacho_prompt_pane_set_connection (self->prompt, NULL);
  tacho_bench_panel_set_connection (self->bench, NULL);
  g_signal_handlers_disconnect_by_data (self->connection, self);
  g_signal_handlers_disconnect_by_data (tacho_connection_get_manager (self->connection), self);
  tacho_connection_close (self->connection);
  g_clear_object (&self->connection);
}

static void open_now (TachoWindow *self, const char *url);

/* A window without a server can do nothing: the built-in one is always there. */
static void
refuse (TachoWindow *self, const GError *error, const char *url)
{
  tacho_window_notice (self, error->message);
  if (self->connection == NULL && g_strcmp0 (url, "sim:") != 0)
    open_now (self, "sim:");
}

static void
connect_to (TachoWindow *self, TachoProfile *profile)
{
  g_autoptr (GError) error = NULL;
  TachoConnection *connection = tacho_connection_new (profile, &error);

  if (connection == NULL)
    {
      refuse (self, error, tacho_profile_get_url (profile));
      return;
    }
  drop_connection (self);
  self->connection = connection;
  g_signal_connect_object (connection, "notice", G_CALLBACK (notice_cb), self, 0);
  g_signal_connect_object (tacho_connection_get_manager (connection), "notify::simulated",
                           G_CALLBACK (update_simulated), self, G_CONNECT_SWAPPED);
  tacho_connection_menu_set_connection (self->connection_menu, connection);
  tacho_model_browser_set_connection (self->browser, connection);
  tacho_prompt_pane_set_connection (self->prompt, connection);
  tacho_bench_panel_set_connection (self->bench, connection);
  update_simulated (self);
  tacho_connection_open (connection);
}

static void
key_given_cb (TachoProfile *profile, const char *key, gpointer user_data)
{
  TachoWindow *self = user_data;
  g_autoptr (GError) error = NULL;

  if (key != NULL && (!tacho_secrets_keep (tacho_servers_get_secrets (), profile, key, &error) ||
                      !tacho_profile_set_api_key (profile, key, &error)))
    tacho_window_notice (self, error->message);
  else
    connect_to (self, profile);
}

typedef struct
{
  TachoWindow *window;
  TachoProfile *profile;
  GCancellable *cancellable;
} KeyLookup;

static void
key_found_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  KeyLookup *lookup = user_data;
  g_autoptr (TachoWindow) self = lookup->window;
  g_autoptr (TachoProfile) profile = lookup->profile;
  g_autoptr (GCancellable) cancellable = lookup->cancellable;
  g_autoptr (GError) error = NULL;
  char *key = tacho_secrets_lookup_finish (TACHO_SECRETS (source), result, NULL, &error);

  g_free (lookup);
  /* Another server was chosen meanwhile, or the window is gone. */
  if (self->key_lookup == cancellable)
    {
      g_clear_object (&self->key_lookup);
      if (error == NULL && tacho_profile_set_api_key (profile, key, &error))
        connect_to (self, profile);
      else
        {
          if (self->connection == NULL)
            open_now (self, "sim:");
          tacho_key_dialog_ask (GTK_WINDOW (self), profile, error->message, key_given_cb,
                                g_object_ref (self), g_object_unref);
        }
    }
  tacho_secret_free (key);
}

static void
open_now (TachoWindow *self, const char *url)
{
  TachoApplication *application =
      TACHO_APPLICATION (gtk_window_get_application (GTK_WINDOW (self)));
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoProfile) profile = tacho_application_get_profile (application, url, &error);
  KeyLookup *lookup;

  if (self->key_lookup != NULL)
    g_cancellable_cancel (self->key_lookup);
  g_clear_object (&self->key_lookup);
  if (profile == NULL)
    refuse (self, error, url);
  else if (!tacho_servers_needs_key (profile))
    connect_to (self, profile);
  else
    {
      self->key_lookup = g_cancellable_new ();
      lookup = g_new0 (KeyLookup, 1);
      lookup->window = g_object_ref (self);
      lookup->profile = g_object_ref (profile);
      lookup->cancellable = g_object_ref (self->key_lookup);
      tacho_secrets_lookup_async (tacho_servers_get_secrets (), profile, TRUE, self->key_lookup,
                                  key_found_cb, lookup);
    }
}

static gboolean
close_cb (gpointer user_data)
{
  gtk_window_close (GTK_WINDOW (user_data));
  return G_SOURCE_REMOVE;
}

static void
stop_run_response_cb (AdwMessageDialog *dialog, const char *response, TachoWindow *self)
{
  g_autofree char *url = g_steal_pointer (&self->pending_url);

  if (strcmp (response, "stop") != 0)
    return;
  tacho_bench_panel_stop (self->bench);
  if (url != NULL)
    open_now (self, url);
  else
    {
      self->closing = TRUE;
      /* GTK 4.8 still reaches for the parent of a dialog that outlives it. */
      gtk_window_set_transient_for (GTK_WINDOW (dialog), NULL);
      g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, close_cb, g_object_ref (self), g_object_unref);
    }
}

/* url: what to open after the run was stopped; NULL: close the window. */
static void
ask_to_stop (TachoWindow *self, const char *url)
{
  GtkWidget *dialog = adw_message_dialog_new (
      GTK_WINDOW (self), _ ("Stop the Benchmark?"),
      url != NULL ? _ ("A run is measuring. Changing the server stops it and drops its results.")
                  : _ ("A run is measuring. Closing the window stops it and drops its results."));

  g_free (self->pending_url);
  self->pending_url = g_strdup (url);
  adw_message_dialog_add_responses (
      ADW_MESSAGE_DIALOG (dialog), "cancel", _ ("_Keep Running"), "stop",
      url != NULL ? _ ("_Stop and Change") : _ ("_Stop and Close"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "stop",
                                              ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_signal_connect_object (dialog, "response", G_CALLBACK (stop_run_response_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
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
key_stored_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoWindow) self = user_data;
  g_autoptr (GError) error = NULL;

  if (!tacho_secrets_store_finish (TACHO_SECRETS (source), result, &error) && self->toasts != NULL)
    tacho_window_notice (self, error->message);
}

/* The key is asked for at the next start if the keyring did not take it. */
static void
keep_server (TachoWindow *self, TachoProfile *profile)
{
  const char *key = tacho_profile_get_api_key (profile);
  g_autoptr (GError) error = NULL;

  tacho_profile_set_key_in_keyring (profile, key != NULL);
  if (!tacho_servers_save (profile, &error))
    tacho_window_notice (self, error->message);
  else if (key != NULL)
    tacho_secrets_store_async (tacho_servers_get_secrets (), profile, key, NULL, key_stored_cb,
                               g_object_ref (self));
}

static void
dialog_connect_cb (TachoAddServerDialog *dialog, TachoProfile *profile, TachoWindow *self)
{
  g_autofree char *address = tacho_connection_make_address (profile);

  if (!tacho_profile_is_sim (profile))
    keep_server (self, profile);
  tacho_application_remember (TACHO_APPLICATION (gtk_window_get_application (GTK_WINDOW (self))),
                              profile);
  tacho_window_open_url (self, address);
}

static void
add_server_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoWindow *self = user_data;
  TachoAddServerDialog *dialog = tacho_add_server_dialog_new (GTK_WINDOW (self));

  g_signal_connect_object (dialog, "connect-to", G_CALLBACK (dialog_connect_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
open_url_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  tacho_window_open_url (user_data, g_variant_get_string (parameter, NULL));
}

static const GActionEntry actions[] = {
  { "new-conversation", new_conversation_cb, NULL, NULL, NULL },
  { "show-list", show_sidebar_cb, "s", NULL, NULL },
  { "search", search_cb, NULL, NULL, NULL },
  { "page", page_cb, "s", NULL, NULL },
  { "refresh", refresh_cb, NULL, NULL, NULL },
  { "run-benchmark", run_benchmark_cb, NULL, NULL, NULL },
  { "add-server", add_server_cb, NULL, NULL, NULL },
  { "open-url", open_url_cb, "s", NULL, NULL },
};

static void
save_state (TachoWindow *self)
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

  if (!self->closing && tacho_bench_panel_is_running (self->bench))
    {
      ask_to_stop (self, NULL);
      return GDK_EVENT_STOP;
    }
  save_state (self);
  tacho_prompt_pane_save (self->prompt);
  return GTK_WINDOW_CLASS (tacho_window_parent_class)->close_request (window);
}

static void
tacho_window_dispose (GObject *object)
{
  TachoWindow *self = TACHO_WINDOW (object);

  if (self->key_lookup != NULL)
    g_cancellable_cancel (self->key_lookup);
  g_clear_object (&self->key_lookup);
  drop_connection (self);
  tacho_window_close_chats (self);
  g_clear_pointer (&self->pending_url, g_free);
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
  tacho_window_open_chats (self);
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
 * tacho_window_open_url:
 * @self: the window
 * @url: normalised URL of a server, "sim:", or "grpc://HOST:PORT"
 *
 * Changes to another server. A live benchmark is not stopped without asking.
 */
void
tacho_window_open_url (TachoWindow *self, const char *url)
{
  g_return_if_fail (TACHO_IS_WINDOW (self));

  if (tacho_bench_panel_is_running (self->bench))
    ask_to_stop (self, url);
  else
    open_now (self, url);
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
  address = tacho_connection_make_address (tacho_connection_get_profile (self->connection));
  return g_strdup_printf (
      "Server: %s\nState: %s\nAPI: %s\nSimulated: %s", address,
      tacho_connection_state_to_string (tacho_client_manager_get_state (manager)),
      description != NULL ? description : "unknown",
      tacho_connection_is_simulated (self->connection) ? "yes" : "no");
}
