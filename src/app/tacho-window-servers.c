/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which server the window uses, and the forms that change the list of them. */
#define G_LOG_DOMAIN "tacho-window"

#include "config.h"

#include "app/tacho-key-dialog.h"
#include "app/tacho-server-dialog.h"
#include "app/tacho-servers.h"
#include "app/tacho-settings.h"
#include "app/tacho-window-private.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

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

/* A window without a server can do nothing: the built-in one is always there. */
void
tacho_window_refuse (TachoWindow *self, const GError *error, const char *url)
{
  tacho_window_notice (self, error->message);
  if (self->connection == NULL && g_strcmp0 (url, "sim:") != 0)
    tacho_window_open_url (self, "sim:");
}

static void
use (TachoWindow *self, TachoProfile *profile)
{
  g_autoptr (GError) error = NULL;
  TachoConnection *connection = tacho_connection_new (profile, &error);

  if (connection == NULL)
    {
      tacho_window_refuse (self, error, tacho_profile_get_url (profile));
      return;
    }
  drop_connection (self);
  self->connection = connection;
  gtk_stack_set_visible_child_name (self->place, "main");
  adw_bin_set_child (self->welcome_place, NULL);
  adw_view_switcher_title_set_view_switcher_enabled (self->title, TRUE);
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

/* --- its key --- */

static void
key_given_cb (TachoProfile *profile, const char *key, gpointer user_data)
{
  TachoWindow *self = user_data;
  g_autoptr (GError) error = NULL;

  if (key != NULL && (!tacho_secrets_keep (tacho_servers_get_secrets (), profile, key, &error) ||
                      !tacho_profile_set_api_key (profile, key, &error)))
    tacho_window_notice (self, error->message);
  else
    use (self, profile);
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
        use (self, profile);
      else
        {
          if (self->connection == NULL)
            tacho_window_open_url (self, "sim:");
          tacho_key_dialog_ask (GTK_WINDOW (self), profile, error->message, key_given_cb,
                                g_object_ref (self), g_object_unref);
        }
    }
  tacho_secret_free (key);
}

static void
stop_lookup (TachoWindow *self)
{
  if (self->key_lookup != NULL)
    g_cancellable_cancel (self->key_lookup);
  g_clear_object (&self->key_lookup);
}

void
tacho_window_connect_to (TachoWindow *self, TachoProfile *profile)
{
  KeyLookup *lookup;

  stop_lookup (self);
  if (!tacho_servers_needs_key (profile))
    {
      use (self, profile);
      return;
    }
  self->key_lookup = g_cancellable_new ();
  lookup = g_new0 (KeyLookup, 1);
  lookup->window = g_object_ref (self);
  lookup->profile = g_object_ref (profile);
  lookup->cancellable = g_object_ref (self->key_lookup);
  tacho_secrets_lookup_async (tacho_servers_get_secrets (), profile, TRUE, self->key_lookup,
                              key_found_cb, lookup);
}

/* --- the forms --- */

static void
added_cb (TachoServerDialog *dialog, TachoProfile *profile, TachoWindow *self)
{
  tacho_application_remember (TACHO_APPLICATION (gtk_window_get_application (GTK_WINDOW (self))),
                              profile);
  tacho_window_open_profile (self, profile);
}

static void
edited_cb (TachoServerDialog *dialog, TachoProfile *profile, TachoWindow *self)
{
  const char *before = g_object_get_data (G_OBJECT (dialog), "before");
  TachoProfile *current =
      self->connection != NULL ? tacho_connection_get_profile (self->connection) : NULL;

  tacho_application_remember (TACHO_APPLICATION (gtk_window_get_application (GTK_WINDOW (self))),
                              profile);
  /* What was changed about the server in use holds from now on. */
  if (current != NULL && g_str_equal (tacho_profile_get_name (current), before))
    tacho_window_open_profile (self, profile);
}

static TachoServerDialog *
present_form (TachoWindow *self, TachoProfile *profile, gboolean saved)
{
  TachoServerDialog *dialog = tacho_server_dialog_new (GTK_WINDOW (self), profile, saved);

  if (saved)
    g_object_set_data_full (G_OBJECT (dialog), "before",
                            g_strdup (tacho_profile_get_name (profile)), g_free);
  g_signal_connect_object (dialog, "saved", saved ? G_CALLBACK (edited_cb) : G_CALLBACK (added_cb),
                           self, 0);
  g_signal_connect_object (dialog, "notice", G_CALLBACK (tacho_window_notice), self,
                           G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (dialog));
  return dialog;
}

static void
add_server_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  present_form (user_data, NULL, FALSE);
}

static void
edit_server_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoProfile *profile = tacho_config_lookup_profile (tacho_servers_get_config (),
                                                       g_variant_get_string (parameter, NULL));

  if (profile != NULL)
    present_form (user_data, profile, TRUE);
}

/* A server that is used but not saved: the form begins with it. */
static void
keep_server_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoWindow *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoProfile) profile = tacho_application_get_profile (
      TACHO_APPLICATION (gtk_window_get_application (GTK_WINDOW (self))),
      g_variant_get_string (parameter, NULL), &error);

  if (profile != NULL)
    present_form (self, profile, FALSE);
  else
    tacho_window_notice (self, error->message);
}

/* The form of the server in use, which is tried at once. */
static void
test_server_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoWindow *self = user_data;
  TachoProfile *profile;
  gboolean saved;

  if (self->connection == NULL)
    return;
  profile = tacho_connection_get_profile (self->connection);
  saved = tacho_servers_is_saved (profile);
  if (saved) /* as it is in the file, without the defaults of all servers */
    profile =
        tacho_config_lookup_profile (tacho_servers_get_config (), tacho_profile_get_name (profile));
  tacho_server_dialog_test (present_form (self, profile, saved));
}

/* A new server that begins as a copy of a saved one. Its key does not go along: a form that is
 * saved under another name asks for it. */
static void
duplicate_server_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoProfile *profile = tacho_config_lookup_profile (tacho_servers_get_config (),
                                                       g_variant_get_string (parameter, NULL));
  g_autoptr (TachoProfile) copy = NULL;
  g_autofree char *name = NULL;

  if (profile == NULL)
    return;
  copy = tacho_profile_copy (profile);
  tacho_profile_set_key_in_keyring (copy, FALSE);
  /* Translators: name of a server that begins as a copy of another. */
  name = g_strdup_printf (_ ("%.80s (copy)"), tacho_profile_get_name (profile));
  tacho_server_dialog_set_name (present_form (user_data, copy, FALSE), name);
}

static void
undo_remove_cb (AdwToast *toast, TachoWindow *self)
{
  TachoProfile *profile = g_object_get_data (G_OBJECT (toast), "profile");
  g_autoptr (GError) error = NULL;

  g_object_set_data (G_OBJECT (toast), "undone", self);
  if (!tacho_config_add_profile (tacho_servers_get_config (), profile, &error))
    tacho_window_notice (self, error->message);
}

/* Once it cannot be taken back, its key goes as well. */
static void
remove_for_good_cb (AdwToast *toast, TachoWindow *self)
{
  if (g_object_get_data (G_OBJECT (toast), "undone") == NULL)
    tacho_servers_forget_key (g_object_get_data (G_OBJECT (toast), "profile"));
}

static void
remove_server_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoWindow *self = user_data;
  TachoProfile *saved = tacho_config_lookup_profile (tacho_servers_get_config (),
                                                     g_variant_get_string (parameter, NULL));
  g_autoptr (TachoProfile) profile = saved != NULL ? tacho_profile_copy (saved) : NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *title = NULL;
  g_autofree char *text = NULL;
  AdwToast *toast;

  if (profile == NULL)
    return;
  if (!tacho_servers_remove (profile, &error))
    {
      tacho_window_notice (self, error->message);
      return;
    }
  title = tacho_text_escape_markup (tacho_profile_get_name (profile), 60);
  /* Translators: %s is the name of a server. */
  text = g_strdup_printf (_ ("“%s” removed"), title);
  toast = adw_toast_new (text);
  adw_toast_set_button_label (toast, _ ("Undo"));
  adw_toast_set_timeout (toast, 10);
  g_object_set_data_full (G_OBJECT (toast), "profile", g_steal_pointer (&profile), g_object_unref);
  g_signal_connect_object (toast, "button-clicked", G_CALLBACK (undo_remove_cb), self, 0);
  g_signal_connect_object (toast, "dismissed", G_CALLBACK (remove_for_good_cb), self, 0);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

static void
forget_server_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  tacho_settings_remove_recent_url (tacho_settings_get_default (),
                                    g_variant_get_string (parameter, NULL));
}

static void
open_server_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  g_autoptr (TachoProfile) profile =
      tacho_servers_find_named (g_variant_get_string (parameter, NULL));

  if (profile != NULL)
    tacho_window_open_profile (user_data, profile);
}

static void
open_url_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  tacho_window_open_url (user_data, g_variant_get_string (parameter, NULL));
}

static const GActionEntry actions[] = {
  { "add-server", add_server_cb, NULL, NULL, NULL },
  { "edit-server", edit_server_cb, "s", NULL, NULL },
  { "duplicate-server", duplicate_server_cb, "s", NULL, NULL },
  { "remove-server", remove_server_cb, "s", NULL, NULL },
  { "forget-server", forget_server_cb, "s", NULL, NULL },
  { "keep-server", keep_server_cb, "s", NULL, NULL },
  { "test-server", test_server_cb, NULL, NULL, NULL },
  { "open-server", open_server_cb, "s", NULL, NULL },
  { "open-url", open_url_cb, "s", NULL, NULL },
};

void
tacho_window_open_servers (TachoWindow *self)
{
  g_action_map_add_action_entries (G_ACTION_MAP (self), actions, G_N_ELEMENTS (actions), self);
}

void
tacho_window_close_servers (TachoWindow *self)
{
  stop_lookup (self);
  drop_connection (self);
  g_clear_object (&self->pending);
}
