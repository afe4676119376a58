/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program: command line, single instance, actions, appearance, keys kept for the session. */
#define G_LOG_DOMAIN "tacho-application"

#include "config.h"

#include "app/tacho-application.h"
#include "app/tacho-connection.h"
#include "app/tacho-engine.h"
#include "app/tacho-preferences-window.h"
#include "app/tacho-servers.h"
#include "app/tacho-settings.h"
#include "app/tacho-window.h"
#include "base/tacho-error.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <libsoup/soup.h>

struct _TachoApplication
{
  AdwApplication parent_instance;
  GHashTable *profiles; /* address -> TachoProfile; the keys in them are never written anywhere */
  gboolean exit_after_startup;
};

G_DEFINE_FINAL_TYPE (TachoApplication, tacho_application, ADW_TYPE_APPLICATION)

static const GOptionEntry options[] = {
  { "url", 'u', 0, G_OPTION_ARG_STRING, NULL,
    N_ ("Server to open; \"sim:\" is the built-in simulated one"), N_ ("URL") },
  { "grpc", 0, 0, G_OPTION_ARG_STRING, NULL,
    N_ ("Its gRPC side; with --url too, both sides are used"), N_ ("HOST:PORT") },
  { "protocol", 0, 0, G_OPTION_ARG_STRING, NULL, N_ ("rest, grpc or hybrid (gRPC, then REST)"),
    N_ ("PROTOCOL") },
  { "api", 'a', 0, G_OPTION_ARG_STRING, NULL,
    N_ ("What the server speaks: auto (default), openai, llamacpp, ollama, vllm, oip, …"),
    N_ ("FAMILY") },
  { "api-key-env", 0, 0, G_OPTION_ARG_STRING, NULL,
    N_ ("Environment variable that holds the API key"), N_ ("VAR") },
  { "version", 'V', 0, G_OPTION_ARG_NONE, NULL, N_ ("Print the version and exit"), NULL },
  { "exit-after-startup", 0, 0, G_OPTION_ARG_NONE, NULL, N_ ("Exit once the window has been drawn"),
    NULL },
  { "new-prompt", 0, 0, G_OPTION_ARG_NONE, NULL, N_ ("Begin a conversation"), NULL },
  { "new-benchmark", 0, 0, G_OPTION_ARG_NONE, NULL, N_ ("Show the benchmark panel"), NULL },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, NULL, NULL, N_ ("[URL]") },
  { NULL },
};

static TachoWindow *
find_window (TachoApplication *self)
{
  for (GList *l = gtk_application_get_windows (GTK_APPLICATION (self)); l != NULL; l = l->next)
    if (TACHO_IS_WINDOW (l->data))
      return l->data;
  return NULL;
}

static void
after_paint_cb (GdkFrameClock *clock, GApplication *application)
{
  g_application_quit (application);
}

static void
map_cb (GtkWidget *window, GApplication *application)
{
  g_signal_connect_object (gtk_widget_get_frame_clock (window), "after-paint",
                           G_CALLBACK (after_paint_cb), application, 0);
}

/* The window, opened on `url` or, without one, on the server of last time. The first time there is
 * none yet. */
static void
show_window (TachoApplication *self, const char *url)
{
  TachoWindow *window = find_window (self);
  g_autofree char *last = NULL;

  if (window == NULL)
    {
      window = tacho_window_new (self);
      if (url == NULL)
        {
          last = tacho_settings_get_string (tacho_settings_get_default (), "last-url");
          if (last[0] != '\0')
            url = last;
          else
            tacho_window_welcome (window);
        }
      if (self->exit_after_startup)
        g_signal_connect_object (window, "map", G_CALLBACK (map_cb), self, G_CONNECT_AFTER);
    }
  if (url != NULL)
    tacho_window_open_url (window, url);
  gtk_window_present (GTK_WINDOW (window));
}

static void
apply_color_scheme (const char *scheme)
{
  AdwStyleManager *manager = adw_style_manager_get_default ();

  if (g_strcmp0 (scheme, "light") == 0)
    adw_style_manager_set_color_scheme (manager, ADW_COLOR_SCHEME_FORCE_LIGHT);
  else if (g_strcmp0 (scheme, "dark") == 0)
    adw_style_manager_set_color_scheme (manager, ADW_COLOR_SCHEME_FORCE_DARK);
  else
    adw_style_manager_set_color_scheme (manager, ADW_COLOR_SCHEME_DEFAULT);
}

static void
color_scheme_cb (GSimpleAction *action, GVariant *state, gpointer user_data)
{
  const char *scheme = g_variant_get_string (state, NULL);

  g_simple_action_set_state (action, state);
  apply_color_scheme (scheme);
  tacho_settings_set_string (tacho_settings_get_default (), "color-scheme", scheme);
}

static void
quit_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoApplication *self = user_data;
  TachoWindow *window = find_window (self);

  /* The window may first ask about a run. */
  if (window != NULL)
    gtk_window_close (GTK_WINDOW (window));
  else
    g_application_quit (G_APPLICATION (self));
}

static char *
make_debug_info (TachoApplication *self)
{
  TachoWindow *window = find_window (self);
  g_autofree char *connection = window != NULL ? tacho_window_describe (window) : NULL;
  GdkDisplay *display = gdk_display_get_default ();

  return g_strdup_printf (
      "Tacho %s\nGTK %u.%u.%u (built with %d.%d.%d)\nlibadwaita %u.%u.%u\nGLib %u.%u.%u\n"
      "libsoup %u.%u.%u\nBackend: %s\nSettings: %s\n\n%s",
      TACHO_VERSION, gtk_get_major_version (), gtk_get_minor_version (), gtk_get_micro_version (),
      GTK_MAJOR_VERSION, GTK_MINOR_VERSION, GTK_MICRO_VERSION, adw_get_major_version (),
      adw_get_minor_version (), adw_get_micro_version (), glib_major_version, glib_minor_version,
      glib_micro_version, soup_get_major_version (), soup_get_minor_version (),
      soup_get_micro_version (), display != NULL ? G_OBJECT_TYPE_NAME (display) : "none",
      tacho_settings_is_persistent (tacho_settings_get_default ()) ? "stored" : "this session only",
      connection != NULL ? connection : "");
}

static void
about_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoApplication *self = user_data;
  const char *developers[] = { "The Tacho developers", NULL };
  g_autofree char *debug_info = make_debug_info (self);
  TachoWindow *window = find_window (self);

  adw_show_about_window (
      window != NULL ? GTK_WINDOW (window) : NULL, "application-name", "Tacho", "application-icon",
      TACHO_APP_ID, "version", TACHO_VERSION, "developer-name", _ ("The Tacho developers"),
      "developers", developers, "comments",
      _ ("Browse the models of an inference server, try prompts and measure how fast it really "
         "is."),
      "license-type", GTK_LICENSE_GPL_3_0, "copyright", "© 2026 The Tacho developers", "debug-info",
      debug_info, "debug-info-filename", "tacho-debug-info.txt",
      /* Translators: your name and address, one person a line. */
      "translator-credits", _ ("translator-credits"), NULL);
}

/* From a notification: the window may be hidden or on another page. */
static void
open_conversation_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoApplication *self = user_data;

  show_window (self, NULL);
  g_action_group_activate_action (G_ACTION_GROUP (find_window (self)), "open-conversation",
                                  parameter);
}

static void
preferences_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoWindow *window = find_window (user_data);

  gtk_window_present (GTK_WINDOW (
      tacho_preferences_window_new (window != NULL ? GTK_WINDOW (window) : NULL)));
}

/* From the desktop's menu, where the program may not run yet. */
static void
new_prompt_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoApplication *self = user_data;

  show_window (self, NULL);
  g_action_group_activate_action (G_ACTION_GROUP (find_window (self)), "new-conversation", NULL);
}

static void
new_benchmark_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoApplication *self = user_data;

  show_window (self, NULL);
  g_action_group_activate_action (G_ACTION_GROUP (find_window (self)), "page",
                                  g_variant_new_string ("benchmark"));
}

/* From the notification of a run that ended in the background: the program may have ended, too. */
static void
runs_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  TachoApplication *self = user_data;

  show_window (self, NULL);
  g_action_group_activate_action (G_ACTION_GROUP (find_window (self)), "runs", NULL);
}

static const GActionEntry actions[] = {
  { "preferences", preferences_cb, NULL, NULL, NULL },
  { "new-prompt", new_prompt_cb, NULL, NULL, NULL },
  { "new-benchmark", new_benchmark_cb, NULL, NULL, NULL },
  { "runs", runs_cb, NULL, NULL, NULL },
  { "about", about_cb, NULL, NULL, NULL },
  { "quit", quit_cb, NULL, NULL, NULL },
  { "open-conversation", open_conversation_cb, "s", NULL, NULL },
};

static const struct
{
  const char *action;
  const char *accels[3];
} accels[] = {
  { "app.preferences", { "<Control>comma", NULL } },
  { "app.quit", { "<Control>q", NULL } },
  { "window.close", { "<Control>w", NULL } },
  { "win.new-conversation", { "<Control>n", NULL } },
  { "win.show-list('models')", { "<Alt>1", NULL } },
  { "win.show-list('conversations')", { "<Alt>2", NULL } },
  { "win.search", { "<Control>f", NULL } },
  { "win.page('prompt')", { "<Control>1", NULL } },
  { "win.page('benchmark')", { "<Control>2", NULL } },
  { "win.refresh", { "<Control>r", "F5", NULL } },
  { "win.run-benchmark", { "<Control>b", NULL } },
  { "win.show-sidebar", { "F9", NULL } },
  { "win.add-server", { "<Control>l", NULL } },
};

static void
tacho_application_startup (GApplication *application)
{
  g_autofree char *scheme = NULL;
  g_autoptr (GSimpleAction) color_scheme = NULL;
  g_autofree char *icons = g_build_filename (TACHO_DATADIR, "icons", NULL);

  G_APPLICATION_CLASS (tacho_application_parent_class)->startup (application);
  tacho_servers_migrate ();

  /* A private prefix is not among the system's data folders. */
  gtk_icon_theme_add_search_path (gtk_icon_theme_get_for_display (gdk_display_get_default ()),
                                  icons);
  gtk_window_set_default_icon_name (TACHO_APP_ID);
  /* A popover that opens must not show its first selectable text as selected. */
  g_object_set (gtk_settings_get_default (), "gtk-label-select-on-focus", FALSE, NULL);

  g_action_map_add_action_entries (G_ACTION_MAP (application), actions, G_N_ELEMENTS (actions),
                                   application);
  scheme = tacho_settings_get_string (tacho_settings_get_default (), "color-scheme");
  apply_color_scheme (scheme);
  color_scheme = g_simple_action_new_stateful ("color-scheme", G_VARIANT_TYPE_STRING,
                                               g_variant_new_string (scheme));
  g_signal_connect (color_scheme, "change-state", G_CALLBACK (color_scheme_cb), NULL);
  g_action_map_add_action (G_ACTION_MAP (application), G_ACTION (color_scheme));

  for (gsize i = 0; i < G_N_ELEMENTS (accels); i++)
    gtk_application_set_accels_for_action (GTK_APPLICATION (application), accels[i].action,
                                           accels[i].accels);
}

static void
tacho_application_activate (GApplication *application)
{
  show_window (TACHO_APPLICATION (application), NULL);
}

static int
tacho_application_handle_local_options (GApplication *application, GVariantDict *dict)
{
  gboolean flag;

  if (g_variant_dict_lookup (dict, "version", "b", &flag) && flag)
    {
      g_print ("tacho %s\n", TACHO_VERSION);
      return 0;
    }
  if (!gtk_init_check ())
    {
      g_printerr ("tacho: %s\n",
                  _ ("there is no display to open a window on; use tacho-cli in a terminal"));
      return 1;
    }
  return -1;
}

static gboolean
fill_profile (TachoProfile *profile, GVariantDict *dict, const char *key, GError **error)
{
  const char *api = NULL, *grpc = NULL, *name = NULL;
  TachoProtocol protocol = tacho_profile_get_protocol (profile);

  g_variant_dict_lookup (dict, "api", "&s", &api);
  g_variant_dict_lookup (dict, "grpc", "&s", &grpc);
  g_variant_dict_lookup (dict, "protocol", "&s", &name);
  if (grpc != NULL && tacho_profile_get_url (profile) != NULL)
    protocol = TACHO_PROTOCOL_HYBRID; /* both addresses were given: both are meant */
  if (name != NULL && !tacho_protocol_from_string (name, &protocol))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   _ ("--protocol takes rest, grpc or hybrid, not “%.40s”"), name);
      return FALSE;
    }
  return tacho_profile_set_api (profile, api, error) &&
         (grpc == NULL || tacho_profile_set_grpc_target (profile, grpc, error)) &&
         tacho_profile_set_protocol (profile, protocol, error) &&
         (key == NULL || tacho_profile_set_api_key (profile, key, error));
}

/* The server that the command line names, remembered; *address is NULL if it names none. */
static int
read_server (TachoApplication *self,
             GApplicationCommandLine *line,
             GVariantDict *dict,
             const char *url,
             char **address)
{
  const char *variable = NULL, *key = NULL;
  g_autoptr (TachoProfile) profile = NULL;
  g_autoptr (GError) error = NULL;

  if (g_variant_dict_lookup (dict, "api-key-env", "&s", &variable))
    {
      /* The environment of the caller, who may not be this process. */
      key = g_application_command_line_getenv (line, variable);
      if (key == NULL || key[0] == '\0')
        {
          g_application_command_line_printerr (
              line, _ ("tacho: the environment variable %s is not set\n"), variable);
          return 2;
        }
    }
  if (url == NULL && !g_variant_dict_contains (dict, "grpc"))
    {
      if (key == NULL && !g_variant_dict_contains (dict, "api") &&
          !g_variant_dict_contains (dict, "protocol"))
        return 0;
      g_application_command_line_printerr (
          line, "tacho: %s\n", _ ("--api, --protocol and --api-key-env need --url or --grpc"));
      return 2;
    }
  profile = tacho_profile_new (NULL, url, &error);
  if (profile == NULL || !fill_profile (profile, dict, key, &error))
    {
      g_application_command_line_printerr (line, "tacho: %s\n", error->message);
      return 2;
    }
  tacho_application_remember (self, profile);
  *address = tacho_servers_make_address (profile);
  return 0;
}

static int
tacho_application_command_line (GApplication *application, GApplicationCommandLine *line)
{
  TachoApplication *self = TACHO_APPLICATION (application);
  GVariantDict *dict = g_application_command_line_get_options_dict (line);
  const char *url = NULL;
  g_autofree const char **rest = NULL;
  g_autofree char *address = NULL;
  gboolean flag;
  int status;

  g_variant_dict_lookup (dict, "url", "&s", &url);
  if (g_variant_dict_lookup (dict, G_OPTION_REMAINING, "^a&s", &rest))
    {
      if (url != NULL || rest[1] != NULL)
        {
          g_application_command_line_printerr (line, "tacho: %s\n", _ ("name one server only"));
          return 2;
        }
      url = rest[0];
    }
  if (g_variant_dict_lookup (dict, "exit-after-startup", "b", &flag))
    self->exit_after_startup = flag;
  status = read_server (self, line, dict, url, &address);
  if (status != 0)
    return status;
  show_window (self, address);
  if (g_variant_dict_contains (dict, "new-prompt"))
    g_action_group_activate_action (G_ACTION_GROUP (self), "new-prompt", NULL);
  if (g_variant_dict_contains (dict, "new-benchmark"))
    g_action_group_activate_action (G_ACTION_GROUP (self), "new-benchmark", NULL);
  return 0;
}

static void
tacho_application_shutdown (GApplication *application)
{
  tacho_engine_shut_down ();

  G_APPLICATION_CLASS (tacho_application_parent_class)->shutdown (application);
}

static void
tacho_application_finalize (GObject *object)
{
  TachoApplication *self = TACHO_APPLICATION (object);

  g_clear_pointer (&self->profiles, g_hash_table_unref);

  G_OBJECT_CLASS (tacho_application_parent_class)->finalize (object);
}

static void
tacho_application_class_init (TachoApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = tacho_application_finalize;
  application_class->startup = tacho_application_startup;
  application_class->shutdown = tacho_application_shutdown;
  application_class->activate = tacho_application_activate;
  application_class->handle_local_options = tacho_application_handle_local_options;
  application_class->command_line = tacho_application_command_line;
}

static void
tacho_application_init (TachoApplication *self)
{
  self->profiles = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  g_application_add_main_option_entries (G_APPLICATION (self), options);
  g_application_set_option_context_summary (
      G_APPLICATION (self),
      _ ("A workbench for LLM inference servers: models, prompts, benchmarks."));
  g_application_set_option_context_description (G_APPLICATION (self),
                                                _ ("Example: tacho --url http://127.0.0.1:8080\n"
                                                   "The same without a display: tacho-cli --help"));
}

/**
 * tacho_application_new:
 *
 * Returns: (transfer full): the program
 */
TachoApplication *
tacho_application_new (void)
{
  return g_object_new (TACHO_TYPE_APPLICATION, "application-id", TACHO_APP_ID, "flags",
                       G_APPLICATION_HANDLES_COMMAND_LINE, "resource-base-path",
                       "/io/github/tacho/Tacho", NULL);
}

/**
 * tacho_application_remember:
 * @self: the program
 * @profile: how a server is talked to
 *
 * Keeps it until the program ends. Nothing of it is stored.
 */
void
tacho_application_remember (TachoApplication *self, TachoProfile *profile)
{
  g_return_if_fail (TACHO_IS_APPLICATION (self));

  g_hash_table_replace (self->profiles, tacho_servers_make_address (profile),
                        g_object_ref (profile));
}

/**
 * tacho_application_get_profile:
 * @self: the program
 * @address: a normalised URL, "sim:", or "grpc://HOST:PORT" for a server without a REST side
 * @error: return location
 *
 * Returns: (transfer full): how it is talked to, as told before or by default; or %NULL with
 *   %TACHO_ERROR_INVALID
 */
TachoProfile *
tacho_application_get_profile (TachoApplication *self, const char *address, GError **error)
{
  TachoProfile *known;
  g_autoptr (TachoProfile) profile = NULL;
  gboolean grpc = g_str_has_prefix (address, "grpc://") || g_str_has_prefix (address, "grpcs://");

  g_return_val_if_fail (TACHO_IS_APPLICATION (self), NULL);

  known = g_hash_table_lookup (self->profiles, address);
  if (known != NULL)
    return g_object_ref (known);
  profile = tacho_servers_find (address);
  if (profile != NULL)
    return g_steal_pointer (&profile);
  profile = tacho_profile_new (address, grpc ? NULL : address, error);
  if (profile == NULL || (grpc && !tacho_profile_set_grpc_target (profile, address, error)))
    return NULL;
  tacho_config_apply_defaults (tacho_servers_get_config (), profile);
  return g_steal_pointer (&profile);
}
