/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli models: list, show, load, unload, pull, delete. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-commands.h"

#include "base/tacho-error.h"
#include "base/tacho-text.h"

#include <math.h>

static void
add_json (JsonBuilder *builder, TachoModel *model)
{
  const TachoModelInfo *info = tacho_model_get_info (model);
  gint64 loaded_at = tacho_model_get_loaded_at (model);

  json_builder_begin_object (builder);
  cli_json_string (builder, "id", info->id);
  cli_json_string (builder, "name", info->name);
  cli_json_string (builder, "family", info->family);
  cli_json_string (builder, "kind", info->kind);
  cli_json_string (builder, "quantization", info->quantization);
  cli_json_count (builder, "parameters", (gint64) info->n_params, 0);
  cli_json_count (builder, "size_bytes", (gint64) info->size_bytes, 0);
  cli_json_count (builder, "memory_bytes", (gint64) info->memory_bytes, 0);
  cli_json_count (builder, "context_window", info->context_window, 0);
  cli_json_count (builder, "context_trained", info->context_trained, 0);
  cli_json_count (builder, "max_output", info->max_output, 0);
  cli_json_string (builder, "status",
                   tacho_model_status_to_string (tacho_model_get_status (model)));
  cli_json_double (builder, "progress", tacho_model_get_progress (model));
  cli_json_string (builder, "status_reason", tacho_model_get_status_reason (model));
  json_builder_set_member_name (builder, "capabilities");
  json_builder_begin_array (builder);
  for (guint i = 0; info->capabilities != NULL && info->capabilities[i] != NULL; i++)
    json_builder_add_string_value (builder, info->capabilities[i]);
  json_builder_end_array (builder);
  cli_json_string (builder, "owner", info->owner);
  cli_json_count (builder, "created", info->created, 0);
  cli_json_count (builder, "loaded_at", loaded_at, 0);
  json_builder_end_object (builder);
}

static char *
format_int (gint64 value)
{
  return value > 0 ? g_strdup_printf ("%" G_GINT64_FORMAT, value) : g_strdup ("-");
}

static char *
status_words (TachoModel *model)
{
  TachoModelStatus status = tacho_model_get_status (model);
  double progress = tacho_model_get_progress (model);
  const char *reason = tacho_model_get_status_reason (model);

  if (status == TACHO_MODEL_STATUS_UNKNOWN)
    return g_strdup ("available");
  if (status == TACHO_MODEL_STATUS_LOADING && !isnan (progress))
    return g_strdup_printf ("loading %.0f %%", progress * 100);
  if (status == TACHO_MODEL_STATUS_FAILED && reason != NULL)
    return g_strdup_printf ("failed: %s", reason);
  return g_strdup (tacho_model_status_to_string (status));
}

static void
add_row (GPtrArray *rows, TachoModel *model)
{
  const TachoModelInfo *info = tacho_model_get_info (model);
  char **row = g_new0 (char *, 8);

  row[0] = g_strdup (info->id);
  row[1] = g_strdup (info->family != NULL ? info->family : "-");
  row[2] = info->n_params > 0 ? tacho_text_format_count (info->n_params) : g_strdup ("-");
  row[3] = g_strdup (info->quantization != NULL ? info->quantization : "-");
  row[4] = info->size_bytes > 0 ? tacho_text_format_bytes (info->size_bytes) : g_strdup ("-");
  row[5] = format_int (info->context_window > 0 ? info->context_window : info->context_trained);
  row[6] = status_words (model);
  g_ptr_array_add (rows, row);
}

static int
list_models (CliSession *session)
{
  static const char *head[] = { "ID",   "FAMILY",  "PARAMETERS", "QUANT",
                                "SIZE", "CONTEXT", "STATUS",     NULL };
  GListModel *models = G_LIST_MODEL (session->models);
  guint n;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_autofree char *table = NULL;

  if (!cli_session_list (session, &error))
    return cli_session_fail (session, error);
  n = g_list_model_get_n_items (models);
  g_ptr_array_add (rows, g_strdupv ((char **) head));
  json_builder_begin_array (builder);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (models, i);

      add_json (builder, model);
      add_row (rows, model);
    }
  json_builder_end_array (builder);
  if (session->globals.json)
    {
      cli_session_print_json (session, builder);
      return CLI_EXIT_OK;
    }
  if (n == 0)
    {
      cli_terminal_say (session->terminal, "The server lists no model.");
      return CLI_EXIT_OK;
    }
  table = cli_table_format (rows);
  cli_terminal_print (session->terminal, table);
  return CLI_EXIT_OK;
}

static void
add_pair (GPtrArray *rows, const char *name, const char *value)
{
  const char *cells[] = { name, value, NULL };

  if (value != NULL && *value != '\0' && !g_str_equal (value, "-"))
    g_ptr_array_add (rows, g_strdupv ((char **) cells));
}

static void
print_details (CliSession *session, TachoModel *model)
{
  const TachoModelInfo *info = tacho_model_get_info (model);
  gint64 loaded_at = tacho_model_get_loaded_at (model);
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_autofree char *parameters =
      info->n_params > 0 ? tacho_text_format_count (info->n_params) : NULL;
  g_autofree char *size = info->size_bytes > 0 ? tacho_text_format_bytes (info->size_bytes) : NULL;
  g_autofree char *memory =
      info->memory_bytes > 0 ? tacho_text_format_bytes (info->memory_bytes) : NULL;
  g_autofree char *context = format_int (info->context_window);
  g_autofree char *trained = format_int (info->context_trained);
  g_autofree char *output = format_int (info->max_output);
  g_autofree char *capabilities =
      info->capabilities != NULL ? g_strjoinv (", ", info->capabilities) : NULL;
  g_autofree char *status = status_words (model);
  g_autoptr (GDateTime) since = loaded_at > 0 ? g_date_time_new_from_unix_utc (loaded_at) : NULL;
  g_autofree char *since_text = since != NULL ? g_date_time_format_iso8601 (since) : NULL;
  g_autofree char *table = NULL;

  add_pair (rows, "ID", info->id);
  add_pair (rows, "Name", info->name);
  add_pair (rows, "Status", status);
  add_pair (rows, "Family", info->family);
  add_pair (rows, "Kind", info->kind);
  add_pair (rows, "Quantization", info->quantization);
  add_pair (rows, "Parameters", parameters);
  add_pair (rows, "Size on disk", size);
  add_pair (rows, "Size in memory", memory);
  add_pair (rows, "Context window", context);
  add_pair (rows, "Trained for", trained);
  add_pair (rows, "Longest output", output);
  add_pair (rows, "Capabilities", capabilities);
  add_pair (rows, "Owner", info->owner);
  add_pair (rows, "Loaded at", since_text);
  table = cli_table_format (rows);
  cli_terminal_print (session->terminal, table);
}

static void
print_model (CliSession *session, TachoModel *model)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (!session->globals.json)
    {
      print_details (session, model);
      return;
    }
  add_json (builder, model);
  cli_session_print_json (session, builder);
}

static int
show_model (CliSession *session, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (TachoModel) model = NULL;
  TachoModel *found;

  if (!cli_session_list (session, &error))
    return cli_session_fail (session, error);
  found = cli_session_pick_model (session, id, &error);
  if (found == NULL)
    return cli_session_fail (session, error);
  tacho_model_service_show_async (session->models, tacho_model_get_id (found), session->cancellable,
                                  cli_session_ready_cb, session);
  result = cli_session_wait (session);
  model = tacho_model_service_show_finish (session->models, result, &error);
  if (model == NULL)
    return cli_session_fail (session, error);
  print_model (session, model);
  return CLI_EXIT_OK;
}

/* What is said of a model whose server cannot list it. */
static void
print_unlisted (CliSession *session, const char *id, const char *status)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  cli_json_string (builder, "id", id);
  cli_json_string (builder, "status", status);
  json_builder_end_object (builder);
  cli_session_print_json (session, builder);
}

static int
change_model (CliSession *session, const char *id, gboolean load)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (TachoModel) model = NULL;
  g_autofree char *name = NULL; /* the model's own is given anew with each listing */
  const char *status = load ? "loaded" : "unloaded";
  gboolean done;

  if (cli_session_list (session, &error))
    {
      TachoModel *found = cli_session_pick_model (session, id, &error);

      if (found == NULL)
        return cli_session_fail (session, error);
      model = g_object_ref (found);
      id = name = g_strdup (tacho_model_get_id (model));
    }
  else if (!g_error_matches (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED))
    return cli_session_fail (session, error);
  g_clear_error (&error);
  if (load)
    done = cli_session_load (session, id, &error);
  else
    {
      tacho_model_service_unload_async (session->models, id, session->cancellable,
                                        cli_session_ready_cb, session);
      result = cli_session_wait (session);
      done = tacho_model_service_unload_finish (session->models, result, &error);
    }
  if (!done)
    return cli_session_fail (session, error);
  if (!session->globals.json)
    cli_terminal_say (session->terminal, "%s is %s.", id, status);
  else if (model != NULL)
    print_model (session, model);
  else
    print_unlisted (session, id, status);
  return CLI_EXIT_OK;
}

static int
unload_all (CliSession *session)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  int n;

  if (!cli_session_list (session, &error))
    return cli_session_fail (session, error);
  tacho_model_service_unload_all_async (session->models, session->cancellable, cli_session_ready_cb,
                                        session);
  result = cli_session_wait (session);
  n = tacho_model_service_unload_all_finish (session->models, result, &error);
  if (n < 0)
    return cli_session_fail (session, error);
  if (session->globals.json)
    {
      json_builder_begin_object (builder);
      cli_json_count (builder, "unloaded", n, -1);
      json_builder_end_object (builder);
      cli_session_print_json (session, builder);
    }
  else
    cli_terminal_say (session->terminal,
                      n == 1 ? "%d model was unloaded." : "%d models were unloaded.", n);
  return CLI_EXIT_OK;
}

static int
delete_model (CliSession *session, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *name = NULL;
  TachoModel *found;

  if (!cli_session_list (session, &error))
    return cli_session_fail (session, error);
  found = cli_session_pick_model (session, id, &error);
  if (found == NULL)
    return cli_session_fail (session, error);
  name = g_strdup (tacho_model_get_id (found));
  tacho_model_service_delete_async (session->models, name, session->cancellable,
                                    cli_session_ready_cb, session);
  result = cli_session_wait (session);
  if (!tacho_model_service_delete_finish (session->models, result, &error))
    return cli_session_fail (session, error);
  if (!session->globals.json)
    {
      cli_terminal_say (session->terminal, "%s is deleted from the server.", name);
      return CLI_EXIT_OK;
    }
  json_builder_begin_object (builder);
  cli_json_string (builder, "deleted", name);
  json_builder_end_object (builder);
  cli_session_print_json (session, builder);
  return CLI_EXIT_OK;
}

static int
load_adapter (CliSession *session, const char *id, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  TachoModel *model;

  tacho_model_service_load_from_async (session->models, id, path, session->cancellable,
                                       cli_session_ready_cb, session);
  result = cli_session_wait (session);
  if (!tacho_model_service_load_from_finish (session->models, result, &error))
    return cli_session_fail (session, error);
  model = tacho_model_service_lookup (session->models, id);
  if (session->globals.json && model != NULL)
    print_model (session, model);
  else
    cli_terminal_say (session->terminal, "%s is loaded.", id);
  return CLI_EXIT_OK;
}

/* NULL: the words are right. */
static char *
check_words (const char *action, char **words, gboolean all, const char *from)
{
  static const char *const actions[] = { "list", "show", "load", "unload", "pull", "delete", NULL };
  guint n = g_strv_length (words);
  gboolean wants_id = !g_str_equal (action, "list") && !all;
  const char *near;

  if (!g_strv_contains (actions, action))
    {
      near = cli_closest (action, actions);
      return g_strdup_printf (
          "models: “%.60s” is none of list, show, load, unload, pull, delete.%s%s%s", action,
          near != NULL ? " Did you mean “" : "", near != NULL ? near : "",
          near != NULL ? "”?" : "");
    }
  if (all && !g_str_equal (action, "unload"))
    return g_strdup_printf ("--all goes with “models unload”, not with “models %s”.", action);
  if (from != NULL && !g_str_equal (action, "load"))
    return g_strdup_printf ("--from goes with “models load”, not with “models %s”.", action);
  if (wants_id && n < 2)
    return g_strdup_printf ("models %s needs the ID of a model%s.", action,
                            g_str_equal (action, "unload") ? ", or --all" : "");
  if (n > (wants_id ? 2u : 1u))
    return g_strdup_printf ("models %s: “%.60s” is one argument too many.", action,
                            words[wants_id ? 2 : 1]);
  return NULL;
}

int
cli_models (CliSession *session, int argc, char **argv)
{
  gboolean all = FALSE;
  g_autofree char *from = NULL;
  gboolean refresh = FALSE; /* every run asks the server: accepted for scripts that say so */
  const CliOption options[] = {
    { "all", 0, NULL, FALSE, &all, "With unload: every loaded model" },
    { "from", 0, "PATH", FALSE, &from,
      "With load: a LoRA adapter at PATH on the server, called ID" },
    { "refresh", 0, NULL, FALSE, &refresh,
      "With list: ask the server anew, as it always does here" },
    { NULL },
  };
  const CliUsage usage = {
    .command = "models",
    .arguments = "[list | (show | load | unload | pull | delete) ID | unload --all]",
    .summary = "Lists the models of a server; shows, loads, unloads, pulls or deletes one.",
    .description = "Examples:\n"
                   "  tacho-cli models --url http://127.0.0.1:8080\n"
                   "  tacho-cli models pull qwen3:0.6b --url http://127.0.0.1:11434\n"
                   "  tacho-cli models load tiny-a --url http://127.0.0.1:8080\n"
                   "  tacho-cli models --url sim: --json | jq -r '.[].id'",
    .options = options,
    .uses_server = TRUE,
  };
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *mistake = NULL;
  const char *action;
  int status = cli_begin (session, &usage, argc, argv, &words);

  if (status >= 0)
    return status;
  action = words[0] != NULL ? words[0] : "list";
  mistake = check_words (action, words, all, from);
  if (mistake != NULL)
    {
      cli_terminal_error (session->terminal, "%s", mistake);
      return CLI_EXIT_USAGE;
    }
  if (!cli_session_connect (session, &error))
    return cli_session_fail (session, error);
  if (g_str_equal (action, "list"))
    return list_models (session);
  if (g_str_equal (action, "show"))
    return show_model (session, words[1]);
  if (g_str_equal (action, "pull"))
    return cli_models_pull (session, words[1]);
  if (g_str_equal (action, "delete"))
    return delete_model (session, words[1]);
  if (from != NULL)
    return load_adapter (session, words[1], from);
  if (all)
    return unload_all (session);
  return change_model (session, words[1], g_str_equal (action, "load"));
}
