/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli config: what is set, where it comes from, and how to change it. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-commands.h"
#include "cli-profile.h"

#include "base/tacho-error.h"

#include <string.h>

typedef struct
{
  char *group;
  const TachoConfigKey *key;
  char *value; /* NULL: not set */
  const char *origin;
} Row;

static void
row_free (gpointer data)
{
  Row *row = data;

  g_free (row->group);
  g_free (row->value);
  g_free (row);
}

/* What an option of this very command says, which stands above all else. */
static const char *
from_flag (CliSession *session, const TachoConfigKey *key)
{
  static const char *const timeouts[TACHO_N_TIMEOUTS] = { "timeout-connect", "timeout-first",
                                                          "timeout-idle", "timeout-total" };

  if (g_str_equal (key->kind, "general") && g_str_equal (key->key, "profile"))
    return session->globals.profile;
  for (guint i = 0; g_str_equal (key->kind, "inference") && i < TACHO_N_TIMEOUTS; i++)
    if (g_str_equal (key->key, timeouts[i]))
      return session->globals.timeouts[i];
  return NULL;
}

static gboolean
collect_group (CliSession *session, const char *group, GPtrArray *rows, GError **error)
{
  TachoConfig *config = cli_session_get_config (session);
  g_autofree char *name = NULL;
  const char *kind = tacho_config_group_parse (group, &name);
  gsize n = 0;
  const TachoConfigKey *keys = tacho_config_keys (&n);

  for (gsize i = 0; i < n; i++)
    {
      TachoConfigOrigin origin;
      const char *flag;
      Row *row;

      if (!g_str_equal (keys[i].kind, kind))
        continue;
      row = g_new0 (Row, 1);
      g_ptr_array_add (rows, row);
      row->group = g_strdup (group);
      row->key = &keys[i];
      row->value = tacho_config_dup_value (config, group, keys[i].key, &origin);
      row->origin = tacho_config_origin_to_string (origin);
      flag = from_flag (session, &keys[i]);
      if (flag != NULL)
        {
          g_free (row->value);
          row->value = tacho_config_key_check (&keys[i], flag, error);
          row->origin = "flag";
          if (row->value == NULL)
            {
              g_prefix_error (error, "--%s: ", keys[i].key);
              return FALSE;
            }
        }
      /* Of entries only what they say: the rest is inherited. */
      if (name != NULL && origin != TACHO_ORIGIN_FILE)
        g_ptr_array_remove_index (rows, rows->len - 1);
    }
  return TRUE;
}

static void
print_rows (CliSession *session, GPtrArray *rows, gboolean with_origin)
{
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  const char *head[] = { "GROUP", "KEY", "VALUE", with_origin ? "FROM" : NULL, NULL };
  g_autofree char *table = NULL;

  g_ptr_array_add (cells, g_strdupv ((char **) head));
  for (guint i = 0; i < rows->len; i++)
    {
      const Row *row = g_ptr_array_index (rows, i);
      const char *line[] = { row->group, row->key->key, row->value != NULL ? row->value : "-",
                             with_origin ? row->origin : NULL, NULL };

      g_ptr_array_add (cells, g_strdupv ((char **) line));
    }
  table = cli_table_format (cells);
  cli_terminal_print (session->terminal, table);
}

static void
add_warnings (JsonBuilder *builder, TachoConfig *config)
{
  const char *const *warnings = tacho_config_get_warnings (config);
  const GError *error = tacho_config_get_error (config);

  cli_json_string (builder, "error", error != NULL ? error->message : NULL);
  json_builder_set_member_name (builder, "warnings");
  json_builder_begin_array (builder);
  for (guint i = 0; warnings[i] != NULL; i++)
    json_builder_add_string_value (builder, warnings[i]);
  json_builder_end_array (builder);
}

static void
begin_json (JsonBuilder *builder, TachoConfig *config)
{
  json_builder_begin_object (builder);
  cli_json_string (builder, "schema", "tacho.config/1");
  cli_json_string (builder, "path", tacho_config_get_path (config));
  json_builder_set_member_name (builder, "exists");
  json_builder_add_boolean_value (builder,
                                  g_file_test (tacho_config_get_path (config), G_FILE_TEST_EXISTS));
  add_warnings (builder, config);
}

static void
print_rows_json (CliSession *session, GPtrArray *rows)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  begin_json (builder, cli_session_get_config (session));
  json_builder_set_member_name (builder, "values");
  json_builder_begin_array (builder);
  for (guint i = 0; i < rows->len; i++)
    {
      const Row *row = g_ptr_array_index (rows, i);

      json_builder_begin_object (builder);
      cli_json_string (builder, "group", row->group);
      cli_json_string (builder, "key", row->key->key);
      cli_json_string (builder, "value", row->value);
      cli_json_string (builder, "origin", row->origin);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  cli_session_print_json (session, builder);
}

/* Says what of the file does not count; TRUE if there is anything. */
static gboolean
say_all (CliSession *session)
{
  TachoConfig *config = cli_session_get_config (session);
  const char *const *warnings = tacho_config_get_warnings (config);
  const GError *error = tacho_config_get_error (config);

  if (error != NULL)
    cli_terminal_say (session->terminal, "%s", error->message);
  for (guint i = 0; warnings[i] != NULL; i++)
    cli_terminal_say (session->terminal, "%s", warnings[i]);
  return error != NULL || warnings[0] != NULL;
}

static int
show (CliSession *session, gboolean with_origin)
{
  g_auto (GStrv) groups = tacho_config_get_groups (cli_session_get_config (session));
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (row_free);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; groups[i] != NULL; i++)
    if (!collect_group (session, groups[i], rows, &error))
      return cli_session_fail (session, error);
  if (session->globals.json)
    print_rows_json (session, rows);
  else
    {
      say_all (session);
      print_rows (session, rows, with_origin);
    }
  return CLI_EXIT_OK;
}

static int
check (CliSession *session)
{
  TachoConfig *config = cli_session_get_config (session);
  gboolean wrong =
      tacho_config_get_error (config) != NULL || tacho_config_get_warnings (config)[0] != NULL;

  if (session->globals.json)
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();

      begin_json (builder, config);
      json_builder_end_object (builder);
      cli_session_print_json (session, builder);
    }
  else if (!say_all (session))
    cli_terminal_print (session->terminal, "All values are allowed.\n");
  return wrong ? CLI_EXIT_FAILED : CLI_EXIT_OK;
}

static int
print_path (CliSession *session)
{
  TachoConfig *config = cli_session_get_config (session);
  g_autofree char *line = NULL;

  if (session->globals.json)
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();

      begin_json (builder, config);
      json_builder_end_object (builder);
      cli_session_print_json (session, builder);
      return CLI_EXIT_OK;
    }
  line = g_strconcat (tacho_config_get_path (config), "\n", NULL);
  cli_terminal_print (session->terminal, line);
  return CLI_EXIT_OK;
}

static int
change (CliSession *session, const char *group, const char *key, const char *value)
{
  TachoConfig *config = cli_session_get_config (session);
  g_autoptr (GError) error = NULL;
  gboolean done = value != NULL ? tacho_config_set_value (config, group, key, value, &error)
                                : tacho_config_unset_value (config, group, key, &error);

  if (!done)
    return cli_session_fail (session, error);
  if (tacho_config_get_set_aside (config) != NULL)
    cli_terminal_say (session->terminal, "The broken file was set aside as %s.",
                      tacho_config_get_set_aside (config));
  if (session->globals.json)
    return print_path (session);
  return CLI_EXIT_OK;
}

static int
run (CliSession *session, char **words, gboolean with_origin)
{
  static const char *const names[] = { "show", "path", "set", "unset", "check", NULL };
  guint n = g_strv_length (words);
  const char *name = n > 0 ? words[0] : "show";
  const char *near = cli_closest (name, names);

  if (g_str_equal (name, "show") && n <= 1)
    return show (session, with_origin);
  if (g_str_equal (name, "path") && n == 1)
    return print_path (session);
  if (g_str_equal (name, "check") && n == 1)
    return check (session);
  if (g_str_equal (name, "set") && n == 4)
    return change (session, words[1], words[2], words[3]);
  if (g_str_equal (name, "unset") && n == 3)
    return change (session, words[1], words[2], NULL);
  if (g_str_equal (name, "set"))
    cli_terminal_error (session->terminal, "config set takes GROUP KEY VALUE, as in: tacho-cli "
                                           "config set inference temperature 0.7");
  else if (g_str_equal (name, "unset"))
    cli_terminal_error (session->terminal, "config unset takes GROUP KEY.");
  else if (g_strv_contains (names, name))
    cli_terminal_error (session->terminal, "config %s takes no arguments.", name);
  else if (near != NULL)
    cli_terminal_error (session->terminal, "config has no “%.60s”. Did you mean “%s”?", name, near);
  else
    cli_terminal_error (session->terminal,
                        "config has no “%.60s”: it has show, path, set, unset and check.", name);
  return CLI_EXIT_USAGE;
}

int
cli_config (CliSession *session, int argc, char **argv)
{
  gboolean origin = FALSE;
  const CliOption options[] = {
    { "origin", 0, NULL, FALSE, &origin, "Say where each value comes from" },
    { NULL },
  };
  const CliUsage usage = {
    .command = "config",
    .arguments = "[show | path | check | set GROUP KEY VALUE | unset GROUP KEY]",
    .summary = "Shows and sets what counts where no option is given. Options stand above TACHO_*\n"
               "variables, these above the file, and that above the defaults.",
    .description = "Groups: general, inference, “model ID”, “profile NAME”.\n\n"
                   "Examples:\n"
                   "  tacho-cli config show --origin\n"
                   "  tacho-cli config set inference temperature 0.7\n"
                   "  tacho-cli config set \"model big\" max-tokens 2048\n"
                   "  tacho-cli config unset inference temperature",
    .options = options,
    .uses_server = TRUE,
  };
  g_auto (GStrv) words = NULL;
  int status = cli_begin (session, &usage, argc, argv, &words);

  return status >= 0 ? status : run (session, words, origin);
}
