/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli history: the runs that were made on this machine. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-commands.h"
#include "cli-run.h"

#include "base/tacho-error.h"
#include "bench/tacho-bench-format.h"

#include <math.h>
#include <string.h>

typedef struct
{
  char *search, *out, *format;
} HistoryOptions;

static char *
number (double value, int digits)
{
  return isfinite (value) ? g_strdup_printf ("%.*f", digits, value) : g_strdup ("–");
}

static void
add_row (GPtrArray *rows, const TachoHistoryRow *run)
{
  char **row = g_new0 (char *, 10);

  row[0] = g_strdup (run->id);
  row[1] = g_strdup (run->state == TACHO_RUN_DONE ? (run->baseline ? "baseline" : "done")
                                                  : tacho_run_state_to_string (run->state));
  row[2] = g_strconcat (run->simulated ? "SIM " : "", run->model, NULL);
  row[3] = g_strdup (run->load);
  row[4] = g_strdup_printf ("%" G_GUINT64_FORMAT, run->ok);
  row[5] = g_strdup_printf ("%" G_GUINT64_FORMAT "%s", run->failed, run->distorted ? " !" : "");
  row[6] = number (run->output_tokens_per_s, 1);
  row[7] = number (run->ttft_ms_p50, 1);
  row[8] = g_strdup (run->tags);
  g_ptr_array_add (rows, row);
}

static void
add_json (JsonBuilder *builder, const TachoHistoryRow *run)
{
  json_builder_begin_object (builder);
  cli_json_string (builder, "id", run->id);
  cli_json_string (builder, "started", run->started);
  cli_json_string (builder, "state", tacho_run_state_to_string (run->state));
  cli_json_string (builder, "model", run->model);
  cli_json_string (builder, "url", run->url);
  cli_json_string (builder, "api", run->family);
  json_builder_set_member_name (builder, "simulated");
  json_builder_add_boolean_value (builder, run->simulated);
  cli_json_string (builder, "load", run->load);
  cli_json_string (builder, "tags", run->tags);
  cli_json_string (builder, "notes", run->notes);
  json_builder_set_member_name (builder, "baseline");
  json_builder_add_boolean_value (builder, run->baseline);
  cli_json_count (builder, "ok", (gint64) run->ok, -1);
  cli_json_count (builder, "failed", (gint64) run->failed, -1);
  cli_json_double (builder, "window_s", run->window_s);
  cli_json_double (builder, "output_tokens_per_s", run->output_tokens_per_s);
  cli_json_double (builder, "requests_per_s", run->requests_per_s);
  cli_json_double (builder, "ttft_ms_p50", run->ttft_ms_p50);
  cli_json_double (builder, "ttft_ms_p95", run->ttft_ms_p95);
  cli_json_double (builder, "itl_ms_p50", run->itl_ms_p50);
  json_builder_set_member_name (builder, "distorted");
  json_builder_add_boolean_value (builder, run->distorted);
  json_builder_end_object (builder);
}

static const TachoHistoryRow *
row_at (GListModel *list, guint at)
{
  g_autoptr (TachoHistoryEntry) entry = g_list_model_get_item (list, at);

  return tacho_history_entry_get_row (entry); /* the list holds it */
}

static void
print_json (CliSession *session, GListModel *list)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  cli_json_string (builder, "schema", "tacho.history/1");
  json_builder_set_member_name (builder, "runs");
  json_builder_begin_array (builder);
  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    add_json (builder, row_at (list, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  cli_session_print_json (session, builder);
}

static int
list_runs (CliSession *session, TachoHistory *history, const HistoryOptions *o)
{
  static const char *const head[] = { "id",     "state",    "model",    "load", "ok",
                                      "failed", "tokens/s", "TTFT p50", "tags", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) list = tacho_history_list (history, o->search, &error);
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_autofree char *table = NULL;

  if (list == NULL)
    return cli_session_fail (session, error);
  if (session->globals.json)
    {
      print_json (session, list);
      return CLI_EXIT_OK;
    }
  if (g_list_model_get_n_items (list) == 0)
    {
      cli_terminal_say (session->terminal, "%s",
                        o->search != NULL ? "No run in the history has these words."
                                          : "The history is empty.");
      return CLI_EXIT_OK;
    }
  g_ptr_array_add (rows, g_strdupv ((char **) head));
  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    add_row (rows, row_at (list, i));
  table = cli_table_format (rows);
  cli_terminal_print (session->terminal, table);
  return CLI_EXIT_OK;
}

/* A run that did not end has no more than its row. */
static int
show_row (CliSession *session, TachoHistory *history, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHistoryEntry) entry = tacho_history_get (history, id, &error);
  const TachoHistoryRow *run;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *text = NULL;

  if (entry == NULL)
    return cli_session_fail (session, error);
  run = tacho_history_entry_get_row (entry);
  if (session->globals.json)
    {
      add_json (builder, run);
      cli_session_print_json (session, builder);
      return CLI_EXIT_OK;
    }
  text = g_strdup_printf ("%s of %s on %s, %s: did not end\n"
                          "until then: %" G_GUINT64_FORMAT " ok, %" G_GUINT64_FORMAT
                          " failed in %.1f s, %.1f tokens/s\n",
                          run->id, run->model, run->url, tacho_run_state_to_string (run->state),
                          run->ok, run->failed, isfinite (run->window_s) ? run->window_s : 0,
                          isfinite (run->output_tokens_per_s) ? run->output_tokens_per_s : 0);
  cli_terminal_print (session->terminal, text);
  return CLI_EXIT_OK;
}

static int
show_run (CliSession *session, TachoHistory *history, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoBenchResult) result = tacho_history_load (history, id, &error);
  g_autofree char *text = NULL;
  g_autofree char *line = NULL;

  if (result == NULL && g_error_matches (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED))
    return show_row (session, history, id);
  if (result == NULL)
    return cli_session_fail (session, error);
  text = session->globals.json ? tacho_bench_result_to_json (result, TRUE)
                               : tacho_bench_result_to_text (result);
  line = g_strconcat (text, g_str_has_suffix (text, "\n") ? "" : "\n", NULL);
  cli_terminal_print (session->terminal, line);
  return CLI_EXIT_OK;
}

static int
export_run (CliSession *session, TachoHistory *history, const char *id, const HistoryOptions *o)
{
  g_autoptr (GError) error = NULL;
  TachoBenchFormat format = TACHO_BENCH_FORMAT_TACHO;
  g_autoptr (TachoBenchResult) result = NULL;
  g_autofree char *text = NULL;

  if (o->format != NULL && !tacho_bench_format_parse (o->format, &format, &error))
    {
      g_prefix_error (&error, "--format: ");
      return cli_session_fail (session, error);
    }
  result = tacho_history_load (history, id, &error);
  if (result == NULL)
    return cli_session_fail (session, error);
  text = tacho_bench_result_format (result, format);
  if (o->out == NULL)
    {
      g_autofree char *line = g_strconcat (text, g_str_has_suffix (text, "\n") ? "" : "\n", NULL);

      cli_terminal_print (session->terminal, line);
    }
  else if (!tacho_bench_write_file (o->out, text, &error))
    return cli_session_fail (session, error);
  return CLI_EXIT_OK;
}

static gboolean
change_run (TachoHistory *history, const char *verb, const char *id, char **words, GError **error)
{
  g_autofree char *text = g_strjoinv (" ", words);

  if (g_str_equal (verb, "delete"))
    return tacho_history_delete (history, id, error);
  if (g_str_equal (verb, "tag"))
    return tacho_history_set_tags (history, id, text, error);
  if (g_str_equal (verb, "note"))
    return tacho_history_set_notes (history, id, text, error);
  return tacho_history_set_baseline (history, id, error);
}

static int
delete_runs (CliSession *session, TachoHistory *history, char **names)
{
  for (; *names != NULL; names++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *id = tacho_history_resolve (history, *names, &error);

      if (id == NULL || !tacho_history_delete (history, id, &error))
        return cli_session_fail (session, error);
      cli_terminal_say (session->terminal, "%s is deleted.", id);
    }
  return CLI_EXIT_OK;
}

static int
one_run (CliSession *session, TachoHistory *history, char **words, const HistoryOptions *o)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *id = tacho_history_resolve (history, words[1], &error);

  if (id == NULL)
    return cli_session_fail (session, error);
  if (g_str_equal (words[0], "show"))
    return show_run (session, history, id);
  if (g_str_equal (words[0], "export"))
    return export_run (session, history, id, o);
  if (!change_run (history, words[0], id, words + 2, &error))
    return cli_session_fail (session, error);
  return CLI_EXIT_OK;
}

static void
result_unref_cb (gpointer data)
{
  tacho_bench_result_unref (data);
}

/* All are read before the first is kept: a wrong name changes nothing. */
static int
import_runs (CliSession *session, TachoHistory *history, char **names)
{
  g_autoptr (GPtrArray) results = g_ptr_array_new_with_free_func (result_unref_cb);
  g_autoptr (GListStore) kept = g_list_store_new (TACHO_TYPE_HISTORY_ENTRY);
  g_autoptr (GError) error = NULL;

  for (char **name = names; *name != NULL; name++)
    {
      TachoBenchResult *result = tacho_bench_result_load (*name, &error);

      if (result == NULL)
        return cli_session_fail (session, error);
      g_ptr_array_add (results, result);
    }
  for (guint i = 0; i < results->len; i++)
    {
      TachoBenchResult *result = g_ptr_array_index (results, i);
      g_autoptr (TachoHistoryEntry) entry = NULL;

      if (!tacho_history_import (history, result, &error) ||
          (entry = tacho_history_get (history, result->id, &error)) == NULL)
        {
          g_prefix_error (&error, "%s: ", names[i]);
          return cli_session_fail (session, error);
        }
      g_list_store_append (kept, entry);
      if (!session->globals.json)
        cli_terminal_say (session->terminal, "%s is kept as %s.", names[i], result->id);
    }
  if (session->globals.json)
    print_json (session, G_LIST_MODEL (kept));
  return CLI_EXIT_OK;
}

static gboolean
check_words (char **words, const HistoryOptions *o, GError **error)
{
  static const char *const verbs[] = { "list", "show", "delete",   "export",
                                       "tag",  "note", "baseline", "import", NULL };
  guint n = g_strv_length (words);
  const char *near;

  if (n == 0)
    return TRUE;
  if (!g_strv_contains (verbs, words[0]))
    {
      near = cli_closest (words[0], verbs);
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                   "history has no “%.40s”; it has list, show, delete, export, import, tag, "
                   "note, baseline.%s%s%s",
                   words[0], near != NULL ? " Did you mean “" : "", near != NULL ? near : "",
                   near != NULL ? "”?" : "");
      return FALSE;
    }
  if (!g_str_equal (words[0], "list") && n < 2)
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE, "history %s needs %s.", words[0],
                   g_str_equal (words[0], "import") ? "the file of a run"
                                                    : "the ID of a run, or last");
      return FALSE;
    }
  if ((g_str_equal (words[0], "list") && n > 1) ||
      ((g_str_equal (words[0], "show") || g_str_equal (words[0], "export") ||
        g_str_equal (words[0], "baseline")) &&
       n > 2))
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE, "history %s: one argument too many.",
                   words[0]);
      return FALSE;
    }
  if (o->out != NULL && !tacho_bench_check_writable (o->out, error))
    {
      g_prefix_error (error, "--out: ");
      (*error)->code = TACHO_ERROR_INVALID;
      return FALSE;
    }
  return TRUE;
}

int
cli_history (CliSession *session, int argc, char **argv)
{
  HistoryOptions o = { NULL };
  const CliOption options[] = {
    { "search", 0, "WORDS", FALSE, &o.search, "List only runs that have these words" },
    { "out", 0, "FILE", FALSE, &o.out, "Write the export to this file" },
    { "format", 0, "FORMAT", FALSE, &o.format,
      "tacho (default), csv, vllm, aiperf, markdown or html" },
    { NULL },
  };
  const CliUsage usage = {
    .command = "history",
    .arguments = "[list | show | export | delete | tag | note | baseline | import] [ID]...",
    .summary = "The runs that were made on this machine, or imported from files. An ID may be cut\n"
               "short; last is the newest.",
    .description = "Examples:\n"
                   "  tacho-cli history --search llama\n"
                   "  tacho-cli history show last\n"
                   "  tacho-cli history tag last nightly\n"
                   "  tacho-cli history import from-the-server.json\n"
                   "  tacho-cli history export last --format html --out report.html",
    .options = options,
  };
  g_autoptr (TachoHistory) history = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = NULL;
  int status = cli_begin (session, &usage, argc, argv, &words);

  if (status < 0)
    {
      if (!check_words (words, &o, &error) ||
          (history = cli_history_open (session, &error)) == NULL)
        status = cli_session_fail (session, error);
      else if (words[0] == NULL || g_str_equal (words[0], "list"))
        status = list_runs (session, history, &o);
      else if (g_str_equal (words[0], "delete"))
        status = delete_runs (session, history, words + 1);
      else if (g_str_equal (words[0], "import"))
        status = import_runs (session, history, words + 1);
      else
        status = one_run (session, history, words, &o);
    }
  g_free (o.search);
  g_free (o.out);
  g_free (o.format);
  return status;
}
