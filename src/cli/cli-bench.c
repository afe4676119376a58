/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli bench: a run against a server, its progress, its result. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-assert.h"
#include "cli-bench-plan.h"
#include "cli-bench-progress.h"
#include "cli-calibrate.h"
#include "cli-commands.h"
#include "cli-run.h"

#include "base/tacho-error.h"
#include "bench/tacho-bench-format.h"
#include "bench/tacho-diagnosis.h"

#include <string.h>
#include <unistd.h>

typedef struct
{
  CliSession *session;
  TachoBenchRun *run;
  CliBenchProgress *progress;
  CliKeeper *keeper;
  gboolean ended;
} Bench;

static gboolean
usage_error (GError **error, const char *text)
{
  g_set_error_literal (error, CLI_ERROR, CLI_ERROR_USAGE, text);
  return FALSE;
}

static gboolean
check_outputs (const CliBenchOptions *o, gboolean json, GError **error)
{
  TachoBenchFormat format = TACHO_BENCH_FORMAT_TACHO;

  if (o->format != NULL && !tacho_bench_format_parse (o->format, &format, error))
    {
      g_prefix_error (error, "--format: ");
      return FALSE;
    }
  if (json && o->out == NULL && format != TACHO_BENCH_FORMAT_TACHO)
    return usage_error (error,
                        "--json and another --format cannot both go to the standard output; give "
                        "--out FILE for the other.");
  if (o->out != NULL && o->records != NULL && g_str_equal (o->out, o->records))
    return usage_error (error, "--out and --records name the same file.");
  if (o->out != NULL && !tacho_bench_check_writable (o->out, error))
    {
      g_prefix_error (error, "--out: ");
      (*error)->code = TACHO_ERROR_INVALID;
      return FALSE;
    }
  if (o->records != NULL && !tacho_bench_check_writable (o->records, error))
    {
      g_prefix_error (error, "--records: ");
      (*error)->code = TACHO_ERROR_INVALID;
      return FALSE;
    }
  return TRUE;
}

static GPtrArray *
read_assertions (char **texts, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) cli_assert_free);

  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    {
      CliAssert *assertion = cli_assert_parse (texts[i], error);

      if (assertion == NULL)
        return NULL;
      g_ptr_array_add (list, assertion);
    }
  return g_steal_pointer (&list);
}

static void
snapshot_cb (TachoBenchRun *run, const TachoBenchSnapshot *snapshot, gpointer data)
{
  Bench *bench = data;

  cli_bench_progress_show (bench->progress, snapshot);
  cli_keeper_snapshot (bench->keeper, run, snapshot);
}

static void
ended_cb (TachoBenchRun *run, gpointer data)
{
  Bench *bench = data;

  bench->ended = TRUE;
}

static void
interrupt_cb (CliSession *session, gpointer data)
{
  Bench *bench = data;

  if (session->interrupts > 1)
    {
      cli_terminal_error (session->terminal, "stopped; nothing was written");
      _exit (CLI_EXIT_INTERRUPTED);
    }
  cli_terminal_say (session->terminal, "Stopping. Interrupt again to stop without a report.");
  tacho_bench_run_stop (bench->run);
}

static char *
format_result (TachoBenchResult *result, const char *name)
{
  TachoBenchFormat format = TACHO_BENCH_FORMAT_TACHO;

  if (name != NULL)
    (void) tacho_bench_format_parse (name, &format, NULL); /* checked before the run */
  return tacho_bench_result_format (result, format);
}

static void
print_result (CliSession *session, TachoBenchResult *result, const CliBenchOptions *o)
{
  g_autofree char *text = NULL;
  g_autofree char *line = NULL;

  if (session->globals.json)
    text = tacho_bench_result_to_json (result, TRUE);
  else if (o->format != NULL && o->out == NULL)
    text = format_result (result, o->format);
  else
    text = tacho_bench_result_to_text (result);
  line = g_strconcat (text, g_str_has_suffix (text, "\n") ? "" : "\n", NULL);
  cli_terminal_print (session->terminal, line);
}

static void
say_headline (CliSession *session, TachoBenchResult *result)
{
  g_autofree char *headline = tacho_diagnosis_headline (result);

  if (headline != NULL)
    cli_terminal_say (session->terminal, "Analysis: %s; tacho-cli analyze says more.", headline);
}

static gboolean
write_files (CliSession *session, TachoBenchResult *result, const CliBenchOptions *o)
{
  g_autofree char *text = o->out != NULL ? format_result (result, o->format) : NULL;
  g_autofree char *records =
      o->records != NULL ? tacho_bench_result_records_to_jsonl (result) : NULL;
  gboolean fine = TRUE;
  g_autoptr (GError) error = NULL;

  if (text != NULL && !tacho_bench_write_file (o->out, text, &error))
    {
      cli_terminal_error (session->terminal, "%s", error->message);
      g_clear_error (&error);
      fine = FALSE;
    }
  if (records != NULL && !tacho_bench_write_file (o->records, records, &error))
    {
      cli_terminal_error (session->terminal, "%s", error->message);
      fine = FALSE;
    }
  return fine;
}

static gboolean
check_assertions (CliSession *session, TachoBenchResult *result, GPtrArray *assertions)
{
  gboolean all = TRUE;

  for (guint i = 0; i < assertions->len; i++)
    {
      g_autofree char *words = NULL;
      gboolean holds = cli_assert_holds (g_ptr_array_index (assertions, i), result, &words);

      cli_terminal_say (session->terminal, "--fail-on: %s", words);
      all = all && holds;
    }
  return all;
}

static char *
error_words (TachoBenchResult *result)
{
  GString *words = g_string_new (NULL);

  for (int i = 1; i < TACHO_ERROR_N_CLASSES; i++)
    if (result->errors[i] > 0)
      g_string_append_printf (words, "%s%s %" G_GUINT64_FORMAT, words->len > 0 ? ", " : "",
                              tacho_error_class (i), result->errors[i]);
  return g_string_free (words, FALSE);
}

static int
report (CliSession *session,
        TachoBenchResult *result,
        const CliBenchOptions *o,
        GPtrArray *assertions)
{
  gboolean written, held;

  print_result (session, result, o);
  say_headline (session, result);
  written = write_files (session, result, o);
  held = check_assertions (session, result, assertions);
  if (session->interrupts > 0)
    {
      cli_terminal_error (session->terminal,
                          "interrupted; what was measured until then is reported");
      return CLI_EXIT_INTERRUPTED;
    }
  if (result->ok == 0 && result->error + result->truncated > 0)
    {
      g_autofree char *classes = error_words (result);

      cli_terminal_error (session->terminal, "every request failed: %s", classes);
      return CLI_EXIT_FAILED;
    }
  if (!written)
    return CLI_EXIT_FAILED;
  return held ? CLI_EXIT_OK : CLI_EXIT_ASSERTION;
}

static gboolean
timeout_cb (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Machines that share a load begin together; what has to be asked first was asked before. */
static gboolean
wait_for_start (CliSession *session, double delay, GError **error)
{
  gboolean over = FALSE;
  guint id;

  if (delay <= 0)
    return TRUE;
  cli_terminal_say (session->terminal, "Waiting %.1f s for the start.", delay);
  id = g_timeout_add ((guint) (delay * 1000), timeout_cb, &over);
  while (!over && session->interrupts == 0)
    g_main_context_iteration (NULL, TRUE);
  if (over)
    return TRUE;
  g_source_remove (id);
  g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_CANCELLED, "Interrupted before the start");
  return FALSE;
}

static int
run_bench (CliSession *session,
           const CliBenchOptions *o,
           TachoBenchPlan *plan,
           double delay,
           GPtrArray *assertions)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoBenchRun) run = NULL;
  g_autoptr (CliBenchProgress) progress = NULL;
  g_autoptr (CliKeeper) keeper = NULL;
  Bench bench = { .session = session };
  TachoBenchResult *result;

  if (!cli_session_connect (session, &error))
    return cli_session_fail (session, error);
  plan->model = cli_session_use_model (session, o->model, &error);
  if (plan->model == NULL)
    return cli_session_fail (session, error);
  run = tacho_bench_run_new (session->manager, plan, &error);
  if (run == NULL)
    return cli_session_fail (session, error);
  tacho_bench_run_set_keep_chunks (run, o->records != NULL);
  progress = cli_bench_progress_new (session, plan);
  bench.run = run;
  bench.progress = progress;
  bench.keeper = keeper = cli_keeper_new (session, !o->no_history);
  g_signal_connect (run, "snapshot", G_CALLBACK (snapshot_cb), &bench);
  g_signal_connect (run, "ended", G_CALLBACK (ended_cb), &bench);
  if (!wait_for_start (session, delay, &error) || !tacho_bench_run_start (run, &error))
    return cli_session_fail (session, error);
  session->on_interrupt_data = &bench;
  session->on_interrupt = interrupt_cb;
  if (session->interrupts > 0) /* it came while the run was made ready */
    tacho_bench_run_stop (run);
  while (!bench.ended)
    g_main_context_iteration (NULL, TRUE);
  session->on_interrupt = NULL;
  cli_terminal_progress (session->terminal, NULL);
  g_signal_handlers_disconnect_by_data (run, &bench);
  result = tacho_bench_run_get_result (run);
  if (result == NULL)
    return cli_session_fail (session, tacho_bench_run_get_error (run));
  cli_keeper_finish (keeper, result); /* first: a full disk then loses no run */
  return report (session, result, o, assertions);
}

int
cli_bench (CliSession *session, int argc, char **argv)
{
  g_auto (CliBenchOptions) bench = { NULL };
  CliOption options[CLI_BENCH_PLAN_OPTIONS + 10] = {
    { "concurrency", 'c', "N", FALSE, &bench.concurrency, "Requests in flight at a time (4)" },
    { "rate", 'r', "R", FALSE, &bench.rate,
      "Or send R requests a second, however slow the replies" },
    { "requests", 'n', "N", FALSE, &bench.requests, "Measure so many requests (64)" },
  };
  const CliOption outputs[] = {
    { "calibrate", 0, NULL, FALSE, &bench.calibrate,
      "Measure the client itself: how many streams it stamps right here" },
    { "start-at", 0, "TIME", FALSE, &bench.start_at,
      "Begin then: ISO 8601, or seconds since 1970" },
    { "fail-on", 0, "EXPR", TRUE, &bench.fail_on,
      "Exit 4 unless this holds: 'p99(ttft_ms)<2000'; may be repeated" },
    { "out", 0, "FILE", FALSE, &bench.out, "Write the result to this file" },
    { "records", 0, "FILE", FALSE, &bench.records,
      "Write a JSON line for each request to this file" },
    { "format", 0, "FORMAT", FALSE, &bench.format,
      "tacho (default), csv, vllm, aiperf, markdown, html" },
    { NULL },
  };
  guint n_options = cli_bench_plan_options (&bench, options, 3);
  const CliUsage usage = {
    .command = "bench",
    .arguments = "",
    .summary =
        "Keeps a number of requests in flight, or sends them at a rate, and measures the replies.\n"
        "Nothing is retried; failures are never in the latencies and always in the error figures.",
    .description =
        "Examples:\n"
        "  tacho-cli bench --url http://127.0.0.1:8080 --concurrency 8 --requests 200\n"
        "  tacho-cli bench --url http://127.0.0.1:8080 --concurrency 4 --duration 30 \\\n"
        "      --warmup 3s --fail-on 'p99(ttft_ms)<2000' --fail-on 'error_rate<0.01'\n"
        "  tacho-cli bench --url http://127.0.0.1:8080 --rate 5 --duration 60 --slo 'ttft<500ms'\n"
        "  tacho-cli bench --url sim: -m sim-tiny-1b-q8_0 --json --records requests.jsonl",
    .options = options,
    .uses_server = TRUE,
  };
  g_autoptr (TachoBenchPlan) plan = tacho_bench_plan_new ();
  g_autoptr (GPtrArray) assertions = NULL;
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;
  double delay = 0;
  int status;

  G_STATIC_ASSERT (3 + CLI_BENCH_PLAN_OPTIONS + G_N_ELEMENTS (outputs) <= G_N_ELEMENTS (options));
  memcpy (options + n_options, outputs, sizeof outputs);
  status = cli_begin (session, &usage, argc, argv, &words);
  if (status >= 0)
    return status;
  if (words[0] != NULL)
    {
      cli_terminal_error (session->terminal, "bench takes no arguments, but was given “%.60s”.",
                          words[0]);
      return CLI_EXIT_USAGE;
    }
  assertions = read_assertions (bench.fail_on, &error);
  if (assertions == NULL || !cli_bench_plan_read (&bench, plan, &error) ||
      !cli_bench_start_delay (bench.start_at, g_get_real_time (), &delay, &error) ||
      !check_outputs (&bench, session->globals.json, &error))
    return cli_session_fail (session, error);
  if (bench.calibrate)
    return cli_calibrate (session, bench.concurrency != NULL ? plan->concurrency : 0,
                          plan->duration_s);
  return run_bench (session, &bench, plan, delay, assertions);
}
