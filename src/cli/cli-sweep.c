/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli sweep: the same run at rising load; the knee, and the best load under an objective. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-bench-plan.h"
#include "cli-bench-progress.h"
#include "cli-commands.h"
#include "cli-run.h"

#include "base/tacho-error.h"
#include "bench/tacho-sweep.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  CliSession *session;
  TachoSweep *sweep;
  CliBenchProgress *progress;
  CliKeeper *keeper;
  gboolean ended;
} Sweep;

static void
step_cb (TachoSweep *sweep, const TachoBenchPlan *plan, gpointer data)
{
  Sweep *self = data;

  g_clear_pointer (&self->progress, cli_bench_progress_free);
  self->progress = cli_bench_progress_new (self->session, plan);
}

static void
snapshot_cb (TachoSweep *sweep, const TachoBenchSnapshot *snapshot, gpointer data)
{
  Sweep *self = data;

  cli_bench_progress_show (self->progress, snapshot);
}

static void
step_ended_cb (TachoSweep *sweep, TachoBenchResult *result, gpointer data)
{
  Sweep *self = data;

  cli_terminal_progress (self->session->terminal, NULL);
  cli_keeper_finish (self->keeper, result);
}

static void
ended_cb (TachoSweep *sweep, gpointer data)
{
  Sweep *self = data;

  self->ended = TRUE;
}

static void
interrupt_cb (CliSession *session, gpointer data)
{
  Sweep *self = data;

  if (session->interrupts > 1)
    {
      cli_terminal_error (session->terminal, "stopped; nothing was written");
      _exit (CLI_EXIT_INTERRUPTED);
    }
  cli_terminal_say (session->terminal, "Stopping. Interrupt again to stop without a report.");
  tacho_sweep_stop (self->sweep);
}

static char *
number (double value, const char *format)
{
  if (!isfinite (value))
    return g_strdup ("–");
  return g_strdup_printf (strcmp (format, "%.0f") == 0 ? "%.0f"
                          : strcmp (format, "%g") == 0 ? "%g"
                                                       : "%.1f",
                          value);
}

static void
add_row (GPtrArray *rows, const TachoSweepPoint *point, const TachoBenchResult *result, char mark)
{
  char **row = g_new0 (char *, 9);

  row[0] = g_strdup_printf ("%g%c", point->load, mark);
  row[1] = number (point->throughput, "%.1f");
  row[2] = number (result->requests_per_s, "%.1f");
  row[3] = number (result->latency[TACHO_METRIC_TTFT].percentiles[TACHO_P50].value, "%.1f");
  row[4] = number (point->ttft_ms_p95, "%.1f");
  row[5] = number (result->latency[TACHO_METRIC_ITL].percentiles[TACHO_P50].value, "%.1f");
  row[6] = isfinite (point->attainment) ? g_strdup_printf ("%.0f %%", point->attainment * 100)
                                        : g_strdup ("–");
  row[7] =
      g_strdup_printf ("%.0f %%%s", point->failed * 100, result->self_check.distorted ? " !" : "");
  g_ptr_array_add (rows, row);
}

static void
say_findings (GString *out, TachoSweep *sweep, gboolean open)
{
  guint n;
  const TachoSweepPoint *points = tacho_sweep_get_points (sweep, &n);
  int knee = tacho_sweep_find_knee (points, n);
  int best = tacho_sweep_find_best (points, n);
  const char *unit = open ? "requests/s" : "at a time";

  if (knee >= 0)
    g_string_append_printf (out, "* the knee: %g %s; beyond it throughput grows little\n",
                            points[knee].load, unit);
  else
    g_string_append (out, "no knee: throughput bends nowhere between these loads\n");
  if (best >= 0)
    g_string_append_printf (
        out, "best under the objective: %g %s, %.2f good requests/s (%.0f %% met it)\n",
        points[best].load, unit, points[best].goodput, points[best].attainment * 100);
  else if (n > 0 && isfinite (points[0].attainment))
    g_string_append (out, "at no load did 95 % of the requests meet the objective\n");
  if (tacho_sweep_get_saturated (sweep))
    g_string_append (out, "higher loads were left out: the server was saturated\n");
}

static char *
to_text (TachoSweep *sweep, gboolean open)
{
  static const char *const head[] = { "load",    "tokens/s", "requests/s", "TTFT p50", "TTFT p95",
                                      "ITL p50", "SLO met",  "failed",     NULL };
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  GPtrArray *results = tacho_sweep_get_results (sweep);
  guint n;
  const TachoSweepPoint *points = tacho_sweep_get_points (sweep, &n);
  int knee = tacho_sweep_find_knee (points, n);
  GString *out = g_string_new (NULL);
  g_autofree char *table = NULL;

  g_ptr_array_add (rows, g_strdupv ((char **) head));
  for (guint i = 0; i < n; i++)
    add_row (rows, &points[i], g_ptr_array_index (results, i), (int) i == knee ? '*' : ' ');
  table = cli_table_format (rows);
  if (results->len > 0 && ((TachoBenchResult *) g_ptr_array_index (results, 0))->simulated)
    g_string_append (out, "SIMULATED server\n");
  g_string_append (out, table);
  say_findings (out, sweep, open);
  return g_string_free (out, FALSE);
}

/* A line a request, as bench writes them, with the load of its step in front. */
static char *
records_to_jsonl (TachoSweep *sweep)
{
  GPtrArray *results = tacho_sweep_get_results (sweep);
  guint n;
  const TachoSweepPoint *points = tacho_sweep_get_points (sweep, &n);
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *lines =
          tacho_bench_result_records_to_jsonl (g_ptr_array_index (results, i));
      char load[G_ASCII_DTOSTR_BUF_SIZE];

      g_ascii_formatd (load, sizeof load, "%.6g", points[i].load);
      for (const char *line = lines; *line == '{'; line = strchr (line, '\n') + 1)
        g_string_append_printf (out, "{\"load\":%s,%.*s\n", load,
                                (int) (strchr (line, '\n') - line - 1), line + 1);
    }
  return g_string_free (out, FALSE);
}

static gboolean
write_records (TachoSweep *sweep, const CliBenchOptions *o, GError **error)
{
  g_autofree char *records = o->records != NULL ? records_to_jsonl (sweep) : NULL;

  return records == NULL || tacho_bench_write_file (o->records, records, error);
}

static int
report (CliSession *session, TachoSweep *sweep, const CliBenchOptions *o)
{
  g_autofree char *json = tacho_sweep_to_json (sweep);
  g_autofree char *text = to_text (sweep, o->rate != NULL);
  g_autofree char *line = g_strconcat (json, "\n", NULL);
  g_autoptr (GError) error = NULL;

  cli_terminal_print (session->terminal, session->globals.json ? line : text);
  if (o->out != NULL && !tacho_bench_write_file (o->out, line, &error))
    return cli_session_fail (session, error);
  if (!write_records (sweep, o, &error))
    return cli_session_fail (session, error);
  if (session->interrupts > 0)
    {
      cli_terminal_error (session->terminal,
                          "interrupted; what was measured until then is reported");
      return CLI_EXIT_INTERRUPTED;
    }
  if (tacho_sweep_get_error (sweep) != NULL)
    return cli_session_fail (session, tacho_sweep_get_error (sweep));
  return CLI_EXIT_OK;
}

static int
run_sweep (CliSession *session, const CliBenchOptions *o, TachoBenchPlan *plan, GArray *loads)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoSweep) sweep = NULL;
  g_autoptr (CliKeeper) keeper = NULL;
  Sweep self = { .session = session };

  if (!cli_session_connect (session, &error))
    return cli_session_fail (session, error);
  plan->model = cli_session_use_model (session, o->model, &error);
  if (plan->model == NULL)
    return cli_session_fail (session, error);
  sweep = tacho_sweep_new (session->manager, plan, loads, &error);
  if (sweep == NULL)
    return cli_session_fail (session, error);
  tacho_sweep_set_keep_chunks (sweep, o->records != NULL);
  self.sweep = sweep;
  self.keeper = keeper = cli_keeper_new (session, !o->no_history);
  g_signal_connect (sweep, "step", G_CALLBACK (step_cb), &self);
  g_signal_connect (sweep, "snapshot", G_CALLBACK (snapshot_cb), &self);
  g_signal_connect (sweep, "step-ended", G_CALLBACK (step_ended_cb), &self);
  g_signal_connect (sweep, "ended", G_CALLBACK (ended_cb), &self);
  if (!tacho_sweep_start (sweep, &error))
    return cli_session_fail (session, error);
  session->on_interrupt_data = &self;
  session->on_interrupt = interrupt_cb;
  if (session->interrupts > 0)
    tacho_sweep_stop (sweep);
  while (!self.ended)
    g_main_context_iteration (NULL, TRUE);
  session->on_interrupt = NULL;
  cli_terminal_progress (session->terminal, NULL);
  g_signal_handlers_disconnect_by_data (sweep, &self);
  g_clear_pointer (&self.progress, cli_bench_progress_free);
  return report (session, sweep, o);
}

static gboolean
usage_error (GError **error, const char *text)
{
  g_set_error_literal (error, CLI_ERROR, CLI_ERROR_USAGE, text);
  return FALSE;
}

static gboolean
check_file (const char *option, const char *path, GError **error)
{
  if (path == NULL || tacho_bench_check_writable (path, error))
    return TRUE;
  g_prefix_error (error, "%s: ", option);
  (*error)->code = TACHO_ERROR_INVALID;
  return FALSE;
}

/* The lists are taken out before the rest of the options is read as for one run. */
static gboolean
read_options (CliBenchOptions *o, TachoBenchPlan *plan, GArray **loads, GError **error)
{
  gboolean open = o->rate != NULL;
  g_autofree char *list = g_strdup (open ? o->rate : o->concurrency);

  if (o->replay)
    return usage_error (error, "A trace has one load: --replay is for bench.");
  if (open == (o->concurrency != NULL))
    return usage_error (error, "Say what to sweep over: --concurrency 1,2,4,8 or --rate 1:64:x2.");
  *loads = tacho_sweep_loads_parse (list, !open, error);
  if (*loads == NULL)
    {
      g_prefix_error (error, "--%s: ", open ? "rate" : "concurrency");
      return FALSE;
    }
  g_free (open ? o->rate : o->concurrency);
  if (open)
    o->rate = g_strdup ("1");
  else
    o->concurrency = NULL;
  if (o->requests == NULL && o->duration == NULL)
    o->duration = g_strdup ("10");
  if (o->warmup == NULL)
    o->warmup = g_strdup ("2s");
  if (!cli_bench_plan_read (o, plan, error))
    return FALSE;
  if (o->out != NULL && g_strcmp0 (o->out, o->records) == 0)
    return usage_error (error, "--out and --records name the same file.");
  return check_file ("--out", o->out, error) && check_file ("--records", o->records, error);
}

int
cli_sweep (CliSession *session, int argc, char **argv)
{
  g_auto (CliBenchOptions) sweep = { NULL };
  CliOption options[CLI_BENCH_PLAN_OPTIONS + 6] = {
    { "concurrency", 'c', "LIST", FALSE, &sweep.concurrency, "1,2,4,8 or 1:64:x2 or 10:100:+10" },
    { "rate", 'r', "LIST", FALSE, &sweep.rate, "The same of requests a second" },
    { "requests", 'n', "N", FALSE, &sweep.requests, "Requests of each step (10 s of them)" },
    { "out", 0, "FILE", FALSE, &sweep.out, "Write the sweep with all its runs to this file" },
    { "records", 0, "FILE", FALSE, &sweep.records,
      "Write a line a request, with the load of its step, to this file" },
  };
  const CliUsage usage = {
    .command = "sweep",
    .arguments = "",
    .summary = "Runs the same benchmark at rising load, and finds the knee and, with --slo, the\n"
               "load with the best goodput at which 95 % of the requests meet the objective.",
    .description =
        "Examples:\n"
        "  tacho-cli sweep --url http://127.0.0.1:8080 --concurrency 1,2,4,8,16 --duration 20\n"
        "  tacho-cli sweep --url http://127.0.0.1:8080 --rate 1:32:x2 --slo 'ttft<1s,itl<60ms'",
    .options = options,
    .uses_server = TRUE,
  };
  g_autoptr (TachoBenchPlan) plan = tacho_bench_plan_new ();
  g_autoptr (GArray) loads = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = NULL;
  int status;

  cli_bench_plan_options (&sweep, options, 5);
  status = cli_begin (session, &usage, argc, argv, &words);
  if (status >= 0)
    return status;
  if (words[0] != NULL)
    {
      cli_terminal_error (session->terminal, "sweep takes no arguments, but was given “%.60s”.",
                          words[0]);
      return CLI_EXIT_USAGE;
    }
  if (!read_options (&sweep, plan, &loads, &error))
    return cli_session_fail (session, error);
  return run_sweep (session, &sweep, plan, loads);
}
