/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli profiles: servers under names. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-commands.h"
#include "cli-profiles.h"

#include "base/tacho-error.h"

#include <string.h>

static char *
default_name (CliSession *session)
{
  return tacho_config_dup_value (cli_session_get_config (session), "general", "profile", NULL);
}

char *
cli_profiles_describe_key (TachoProfile *profile)
{
  const char *variable = tacho_profile_get_api_key_env (profile);

  if (variable != NULL)
    return g_strdup_printf ("environment: %s", variable);
  return g_strdup (tacho_profile_get_key_in_keyring (profile) ? "keyring" : "none");
}

TachoProfile *
cli_profiles_find (CliSession *self, const char *name, GError **error)
{
  TachoConfig *config = cli_session_get_config (self);
  TachoProfile *profile = tacho_config_lookup_profile (config, name);
  GListModel *all = tacho_config_get_profiles (config);
  g_autoptr (GString) list = g_string_new (NULL);

  if (profile != NULL)
    return tacho_profile_copy (profile);
  for (guint i = 0; i < g_list_model_get_n_items (all); i++)
    {
      g_autoptr (TachoProfile) item = g_list_model_get_item (all, i);

      g_string_append_printf (list, "%s%s", i > 0 ? ", " : "", tacho_profile_get_name (item));
    }
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND,
               "There is no profile “%.60s” that can be used. There are: %s.", name,
               list->len > 0 ? list->str
                             : "none; make one by tacho-cli profiles add NAME --url URL");
  return NULL;
}

gboolean
cli_profiles_forget_key (CliSession *self, TachoProfile *profile, GError **error)
{
  TachoSecrets *secrets = cli_session_get_secrets (self);
  g_autoptr (GAsyncResult) result = NULL;

  tacho_secrets_remove_async (secrets, profile, self->cancellable, cli_session_ready_cb, self);
  result = cli_session_wait (self);
  return tacho_secrets_remove_finish (secrets, result, error);
}

static void
add_profile_json (CliSession *session, JsonBuilder *builder, TachoProfile *profile)
{
  TachoConfig *config = cli_session_get_config (session);
  const char *name = tacho_profile_get_name (profile);
  g_autofree char *group = tacho_config_group_make ("profile", name);
  g_autofree char *usual = default_name (session);
  g_autofree char *key = cli_profiles_describe_key (profile);
  gsize n = 0;
  const TachoConfigKey *keys = tacho_config_keys (&n);

  json_builder_begin_object (builder);
  cli_json_string (builder, "name", name);
  json_builder_set_member_name (builder, "default");
  json_builder_add_boolean_value (builder, g_strcmp0 (usual, name) == 0);
  cli_json_string (builder, "protocol",
                   tacho_protocol_to_string (tacho_profile_get_protocol (profile)));
  cli_json_string (builder, "api_key", key);
  json_builder_set_member_name (builder, "entry");
  json_builder_begin_object (builder);
  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *value = NULL;

      if (!g_str_equal (keys[i].kind, "profile"))
        continue;
      value = tacho_config_dup_value (config, group, keys[i].key, NULL);
      if (value != NULL)
        cli_json_string (builder, keys[i].key, value);
    }
  json_builder_end_object (builder);
  json_builder_end_object (builder);
}

static int
list_json (CliSession *session)
{
  TachoConfig *config = cli_session_get_config (session);
  GListModel *profiles = tacho_config_get_profiles (config);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  cli_json_string (builder, "schema", "tacho.profiles/1");
  json_builder_set_member_name (builder, "profiles");
  json_builder_begin_array (builder);
  for (guint i = 0; i < g_list_model_get_n_items (profiles); i++)
    {
      g_autoptr (TachoProfile) profile = g_list_model_get_item (profiles, i);

      add_profile_json (session, builder, profile);
    }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  cli_session_print_json (session, builder);
  return CLI_EXIT_OK;
}

static void
add_row (GPtrArray *rows, const char *const *cells)
{
  g_ptr_array_add (rows, g_strdupv ((char **) cells));
}

static int
list (CliSession *session)
{
  TachoConfig *config = cli_session_get_config (session);
  GListModel *profiles = tacho_config_get_profiles (config);
  const char *const *warnings = tacho_config_get_warnings (config);
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  const char *const head[] = { "NAME", "URL", "GRPC", "PROTOCOL", "API", "KEY", NULL };
  g_autofree char *usual = default_name (session);
  g_autofree char *table = NULL;

  for (guint i = 0; warnings[i] != NULL; i++)
    if (strstr (warnings[i], "[profile ") != NULL)
      cli_terminal_say (session->terminal, "%s", warnings[i]);
  if (session->globals.json)
    return list_json (session);
  add_row (rows, head);
  for (guint i = 0; i < g_list_model_get_n_items (profiles); i++)
    {
      g_autoptr (TachoProfile) profile = g_list_model_get_item (profiles, i);
      const char *name = tacho_profile_get_name (profile);
      const char *url = tacho_profile_get_url (profile);
      const char *grpc = tacho_profile_get_grpc_target (profile);
      gboolean is_default = g_strcmp0 (usual, name) == 0;
      g_autofree char *marked = g_strconcat (name, is_default ? " (default)" : "", NULL);
      g_autofree char *key = cli_profiles_describe_key (profile);
      const char *const cells[] = {
        marked,
        url != NULL ? url : "-",
        grpc != NULL ? grpc : "-",
        tacho_protocol_to_string (tacho_profile_get_protocol (profile)),
        tacho_profile_get_api (profile),
        key,
        NULL,
      };

      add_row (rows, cells);
    }
  if (rows->len == 1)
    {
      cli_terminal_say (session->terminal,
                        "There are no profiles: tacho-cli profiles add NAME --url URL makes one.");
      return CLI_EXIT_OK;
    }
  table = cli_table_format (rows);
  cli_terminal_print (session->terminal, table);
  return CLI_EXIT_OK;
}

static int
show (CliSession *session, const char *name)
{
  TachoConfig *config = cli_session_get_config (session);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoProfile) profile = cli_profiles_find (session, name, &error);
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_autofree char *group = tacho_config_group_make ("profile", name);
  const char *const first[] = { "name", name, NULL };
  g_autofree char *key = NULL;
  g_autofree char *table = NULL;
  gsize n = 0;
  const TachoConfigKey *keys = tacho_config_keys (&n);

  if (profile == NULL)
    return cli_session_fail (session, error);
  if (session->globals.json)
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();

      add_profile_json (session, builder, profile);
      cli_session_print_json (session, builder);
      return CLI_EXIT_OK;
    }
  add_row (rows, first);
  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *value = NULL;

      if (!g_str_equal (keys[i].kind, "profile"))
        continue;
      value = tacho_config_dup_value (config, group, keys[i].key, NULL);
      if (value != NULL)
        {
          const char *const cells[] = { keys[i].key, value, NULL };

          add_row (rows, cells);
        }
    }
  key = cli_profiles_describe_key (profile);
  {
    const char *const cells[] = { "API key", key, NULL };

    add_row (rows, cells);
  }
  table = cli_table_format (rows);
  cli_terminal_print (session->terminal, table);
  return CLI_EXIT_OK;
}

static int
remove_profile (CliSession *session, const char *name)
{
  TachoConfig *config = cli_session_get_config (session);
  TachoProfile *found = tacho_config_lookup_profile (config, name);
  g_autoptr (TachoProfile) profile = found != NULL ? tacho_profile_copy (found) : NULL;
  g_autoptr (GError) error = NULL;

  if (!tacho_config_remove_profile (config, name, &error))
    return cli_session_fail (session, error);
  if (profile != NULL && !cli_profiles_forget_key (session, profile, &error))
    cli_terminal_say (session->terminal,
                      "The profile is gone, but its key may be in the keyring "
                      "still: %s.",
                      error->message);
  return CLI_EXIT_OK;
}

static int
set_default (CliSession *session, const char *name)
{
  TachoConfig *config = cli_session_get_config (session);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoProfile) profile = NULL;

  if (name == NULL)
    {
      g_autofree char *usual = default_name (session);
      g_autofree char *line = g_strconcat (usual != NULL ? usual : "", "\n", NULL);

      if (usual != NULL)
        cli_terminal_print (session->terminal, line);
      else
        cli_terminal_say (session->terminal, "There is no default profile.");
      return CLI_EXIT_OK;
    }
  profile = cli_profiles_find (session, name, &error);
  if (profile == NULL || !tacho_config_set_value (config, "general", "profile", name, &error))
    return cli_session_fail (session, error);
  return CLI_EXIT_OK;
}

static int
run (CliSession *session, char **words, const CliProfilesOptions *options)
{
  static const char *const names[] = { "list",   "show", "add",     "edit",
                                       "remove", "test", "default", NULL };
  guint n = g_strv_length (words);
  const char *name = n > 0 ? words[0] : "list";
  const char *which = n > 1 ? words[1] : NULL;
  const char *near = cli_closest (name, names);

  if (g_str_equal (name, "list") && n <= 1)
    return list (session);
  if (g_str_equal (name, "show") && n == 2)
    return show (session, which);
  if (g_str_equal (name, "add") && n == 2)
    return cli_profiles_add (session, options, which);
  if (g_str_equal (name, "edit") && n == 2)
    return cli_profiles_edit (session, options, which);
  if (g_str_equal (name, "remove") && n == 2)
    return remove_profile (session, which);
  if (g_str_equal (name, "test") && n <= 2)
    return cli_profiles_test (session, which);
  if (g_str_equal (name, "default") && n <= 2)
    return set_default (session, which);
  if (g_str_equal (name, "list"))
    cli_terminal_error (session->terminal, "profiles list takes no arguments.");
  else if (g_strv_contains (names, name))
    cli_terminal_error (session->terminal, "profiles %s takes the NAME of one profile%s.", name,
                        n > 2 ? "; put a name with blanks in quotes" : "");
  else if (near != NULL)
    cli_terminal_error (session->terminal, "profiles has no “%.60s”. Did you mean “%s”?", name,
                        near);
  else
    cli_terminal_error (session->terminal,
                        "profiles has no “%.60s”: it has list, show, add, edit, remove, test and "
                        "default.",
                        name);
  return CLI_EXIT_USAGE;
}

int
cli_profiles (CliSession *session, int argc, char **argv)
{
  CliProfilesOptions o = { NULL };
  const CliOption options[] = {
    { "name", 0, "NEW", FALSE, &o.name, "With edit: rename it" },
    { "model", 'm', "ID", FALSE, &o.model, "The model to use where none is named" },
    { "order", 0, "O", FALSE, &o.order, "grpc-first (default) or rest-first, for hybrid" },
    { "api-key", 0, NULL, FALSE, &o.api_key,
      "Ask for the key (or read it from standard input) for the keyring" },
    { "no-api-key", 0, NULL, FALSE, &o.no_api_key, "Forget the key" },
    { "default", 0, NULL, FALSE, &o.make_default, "With add and edit: make it the default" },
    { NULL },
  };
  const CliUsage usage = {
    .command = "profiles",
    .arguments = "[list | show | add | edit | remove | test | default] [NAME]",
    .summary = "Keeps servers under names. add and edit take the options of every command; an "
               "empty\nvalue (--pin \"\") takes one back. A key is never an argument.",
    .description = "Examples:\n"
                   "  tacho-cli profiles add home --url http://127.0.0.1:8080 --default\n"
                   "  tacho-cli profiles add triton --url http://gpu:8000 --grpc gpu:8001\n"
                   "  tacho-cli profiles add cloud --url https://example.org --api-key\n"
                   "  tacho-cli profiles edit cloud --api-key-env CLOUD_KEY\n"
                   "  tacho-cli profiles test cloud",
    .options = options,
    .uses_server = TRUE,
  };
  g_auto (GStrv) words = NULL;
  int status = cli_begin (session, &usage, argc, argv, &words);

  if (status < 0)
    status = run (session, words, &o);
  g_free (o.name);
  g_free (o.model);
  g_free (o.order);
  return status;
}
