/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run end to end on the simulated server, and what the exporters make of its result. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "base/tacho-error.h"
#include "base/tacho-json.h"
#include "bench/tacho-bench-run.h"
#include "sim/tacho-sim-server.h"
#include "test-utils.h"

typedef struct
{
  TachoSimServer *sim;
  TachoProfile *profile;
  TachoClientManager *manager;
  TachoBenchPlan *plan;
  TachoBenchRun *run;
  guint snapshots;
  guint stop_after;
  guint ended;
  TachoBenchState states[16];
  guint n_states;
  double last_t;
  GThread *thread;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new ("fast", &error);
  const TachoSimModel *model = NULL;

  g_assert_no_error (error);
  for (guint i = 0; i < config->models->len; i++)
    if (((TachoSimModel *) g_ptr_array_index (config->models, i))->loaded)
      {
        model = g_ptr_array_index (config->models, i);
        break;
      }
  f->plan = tacho_bench_plan_new ();
  g_assert_nonnull (model);
  f->plan->model = g_strdup (model->id);
  f->plan->requests = 12;
  f->plan->prompt_tokens.min = f->plan->prompt_tokens.max = 16;
  f->plan->output_tokens.min = f->plan->output_tokens.max = 8;
  f->sim = tacho_sim_server_new (config);
  tacho_sim_server_start (f->sim, 0, &error);
  g_assert_no_error (error);
  f->profile = tacho_profile_new ("test", tacho_sim_server_get_url (f->sim), &error);
  g_assert_no_error (error);
  f->manager = tacho_client_manager_new (f->profile);
  tacho_client_manager_probe_async (f->manager, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  tacho_client_manager_probe_finish (f->manager, result, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->run != NULL)
    {
      TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->run)->ref_count == 1);
      g_assert_finalize_object (f->run);
    }
  tacho_client_manager_close (f->manager);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->manager)->ref_count == 1);
  g_assert_finalize_object (f->manager);
  g_assert_finalize_object (f->profile);
  tacho_sim_server_stop (f->sim);
  g_assert_finalize_object (f->sim);
  tacho_bench_plan_free (f->plan);
}

static guint64
count_of (const GArray *bins)
{
  guint64 count = 0;

  for (guint i = 0; i < bins->len; i++)
    {
      const TachoHistogramBin *bin = &g_array_index (bins, TachoHistogramBin, i);

      g_assert_true (i == 0 || bin->low > bin[-1].high);
      count += bin->count;
    }
  return count;
}

static void
snapshot_cb (TachoBenchRun *run, const TachoBenchSnapshot *snapshot, Fixture *f)
{
  g_assert_true (g_thread_self () == f->thread);
  g_assert_cmpuint (f->ended, ==, 0);
  g_assert_cmpfloat (snapshot->fraction, >=, 0);
  g_assert_cmpfloat (snapshot->fraction, <=, 1);
  g_assert_cmpuint (snapshot->in_flight, <=, f->plan->concurrency);
  g_assert_null (tacho_bench_run_get_result (run));
  for (guint i = 1; i < snapshot->n_timeline; i++)
    g_assert_cmpfloat (snapshot->timeline[i].t_s, >, snapshot->timeline[i - 1].t_s);
  if (snapshot->n_timeline > 0)
    {
      double t = snapshot->timeline[snapshot->n_timeline - 1].t_s;

      g_assert_cmpfloat (t, >=, f->last_t);
      f->last_t = t;
    }
  g_assert_cmpuint (count_of (snapshot->e2e_bins), ==, snapshot->ok);
  g_assert_cmpuint (count_of (snapshot->ttft_bins), ==, snapshot->ok);
  for (guint i = 0; i < snapshot->n_samples; i++)
    g_assert_cmpfloat (snapshot->samples[i].t_s, >=, 0);
  if (snapshot->ok > 0)
    g_assert_cmpfloat (snapshot->loop_lag_ms_p99, >=, 0);
  f->snapshots++;
  if (f->stop_after > 0 && f->snapshots == f->stop_after)
    tacho_bench_run_stop (run);
}

static void
ended_cb (TachoBenchRun *run, Fixture *f)
{
  g_assert_true (g_thread_self () == f->thread);
  g_assert_cmpint (tacho_bench_run_get_state (run), ==, TACHO_BENCH_ENDED);
  f->ended++;
}

static void
notify_cb (TachoBenchRun *run, GParamSpec *pspec, Fixture *f)
{
  g_assert_cmpuint (f->n_states, <, G_N_ELEMENTS (f->states));
  f->states[f->n_states++] = tacho_bench_run_get_state (run);
}

static void
start (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  f->run = tacho_bench_run_new (f->manager, f->plan, &error);
  g_assert_no_error (error);
  f->thread = g_thread_self ();
  g_signal_connect (f->run, "snapshot", G_CALLBACK (snapshot_cb), f);
  g_signal_connect (f->run, "ended", G_CALLBACK (ended_cb), f);
  g_signal_connect (f->run, "notify::state", G_CALLBACK (notify_cb), f);
  tacho_bench_run_start (f->run, &error);
  g_assert_no_error (error);
}

static TachoBenchResult *
run_to_end (Fixture *f)
{
  start (f);
  TACHO_TEST_SPIN_UNTIL (f->ended > 0);
  g_assert_cmpuint (f->ended, ==, 1);
  g_assert_null (tacho_bench_run_get_error (f->run));
  g_assert_nonnull (tacho_bench_run_get_result (f->run));
  return tacho_bench_run_get_result (f->run);
}

static void
test_run (Fixture *f, gconstpointer data)
{
  TachoBenchResult *result = run_to_end (f);
  TachoSimCounters counters;

  tacho_sim_server_get_counters (f->sim, &counters);
  g_assert_cmpuint (result->ok, ==, 12);
  g_assert_cmpuint (result->warmup, ==, 2);
  g_assert_cmpuint (result->records->len, ==, 14);
  g_assert_true (result->simulated);
  g_assert_false (result->interrupted);
  g_assert_cmpuint (counters.generations, ==, 14);
  g_assert_cmpuint (counters.max_in_flight, <=, 4);
  g_assert_cmpuint (result->tokens_from_usage, ==, 12);
  g_assert_cmpuint (result->output_tokens, ==, 12 * 8);
  g_assert_cmpuint (f->n_states, >=, 2);
  g_assert_cmpint (f->states[0], ==, TACHO_BENCH_WARMUP);
  g_assert_cmpint (f->states[f->n_states - 1], ==, TACHO_BENCH_ENDED);
}

static void
test_stop (Fixture *f, gconstpointer data)
{
  TachoBenchResult *result;

  f->plan->requests = 1000000;
  f->stop_after = 3;
  result = run_to_end (f);
  g_assert_true (result->interrupted);
  g_assert_cmpuint (f->snapshots, >=, 3);
  g_assert_cmpuint (result->cancelled, >, 0);
  g_assert_cmpuint (result->cancelled, <=, 4);
  g_assert_cmpuint (result->ok, >, 0);
  g_assert_cmpuint (result->error, ==, 0);
  /* Harmless afterwards. */
  tacho_bench_run_stop (f->run);
  g_assert_cmpint (tacho_bench_run_get_state (f->run), ==, TACHO_BENCH_ENDED);
}

static void
test_stop_at_once (Fixture *f, gconstpointer data)
{
  start (f);
  tacho_bench_run_stop (f->run);
  tacho_bench_run_stop (f->run);
  TACHO_TEST_SPIN_UNTIL (f->ended > 0);
  g_assert_nonnull (tacho_bench_run_get_result (f->run));
  g_assert_true (tacho_bench_run_get_result (f->run)->interrupted);
  g_assert_cmpuint (tacho_bench_run_get_result (f->run)->ok, ==, 0);
}

static void
test_refusals (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoClientManager) unknown = tacho_client_manager_new (f->profile);
  g_autoptr (GError) error = NULL;

  g_assert_null (tacho_bench_run_new (unknown, f->plan, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_clear_error (&error);
  f->plan->concurrency = 0;
  g_assert_null (tacho_bench_run_new (f->manager, f->plan, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
}

static void
test_faults (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoSimFault) fault = tacho_sim_fault_parse ("truncate:after=4", &error);
  TachoBenchResult *result;

  g_assert_no_error (error);
  tacho_sim_server_add_fault (f->sim, fault);
  f->plan->warmup_requests = 0;
  result = run_to_end (f);
  g_assert_cmpuint (result->ok, ==, 0);
  g_assert_cmpuint (result->truncated, ==, 12);
  g_assert_cmpuint (result->errors[TACHO_ERROR_TRUNCATED], ==, 12);
  g_assert_cmpuint (result->latency[TACHO_METRIC_TTFT].n, ==, 0);
}

static JsonObject *
member (JsonObject *object, const char *name)
{
  JsonObject *found = tacho_json_get_object (object, name);

  if (found == NULL)
    g_error ("no member “%s”", name);
  return found;
}

/* What is written is what was measured. */
static void
check_json (TachoBenchResult *result)
{
  g_autofree char *text = tacho_bench_result_to_json (result, TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) root = tacho_json_parse_object (text, strlen (text), &error);
  JsonObject *object, *latency;

  g_assert_no_error (error);
  object = json_node_get_object (root);
  g_assert_cmpstr (tacho_json_get_string (object, "schema", ""), ==, "tacho.run/1");
  g_assert_cmpstr (tacho_json_get_string (object, "id", ""), ==, result->id);
  g_assert_true (tacho_json_get_boolean (member (object, "target"), "simulated", FALSE));
  g_assert_cmpint (tacho_json_get_int (member (object, "counts"), "ok", -1), ==, result->ok);
  g_assert_cmpint (tacho_json_get_int (member (object, "counts"), "warmup", -1), ==, 2);
  g_assert_cmpint (tacho_json_get_int (member (object, "plan"), "concurrency", -1), ==, 4);
  g_assert_cmpfloat_with_epsilon (tacho_json_get_double (object, "window_s", -1), result->window_s,
                                  1e-9);
  g_assert_cmpfloat_with_epsilon (
      tacho_json_get_double (member (object, "throughput"), "output_tokens_per_s", -1),
      result->output_tokens_per_s, 1e-6);
  /* Without an objective there is no goodput: null, not 0. */
  g_assert_false (tacho_json_has (member (object, "throughput"), "goodput_per_s"));
  latency = member (object, "latency");
  for (guint i = 0; i < TACHO_N_METRICS; i++)
    {
      JsonObject *metric = member (latency, tacho_metric_names[i]);

      g_assert_cmpint (tacho_json_get_int (metric, "n", -1), ==, result->latency[i].n);
      for (guint k = 0; k < TACHO_N_PERCENTILES; k++)
        g_assert_cmpfloat_with_epsilon (
            tacho_json_get_double (member (metric, tacho_percentile_names[k]), "value", -1),
            result->latency[i].percentiles[k].value, 1e-6);
    }
  g_assert_false (
      tacho_json_get_boolean (member (member (latency, "ttft_ms"), "p99.9"), "enough", TRUE));
  g_assert_cmpuint (json_array_get_length (tacho_json_get_array (object, "timeline")), ==,
                    result->timeline->len);
  member (object, "self_check");
  g_assert_nonnull (
      strstr (tacho_json_get_string (member (object, "host"), "kernel", ""), "Linux"));
  g_assert_null (strstr (text, "nan"));
  g_assert_null (strstr (text, "inf,"));
}

static void
check_records (TachoBenchResult *result)
{
  g_autofree char *text = tacho_bench_result_records_to_jsonl (result);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  g_assert_cmpuint (g_strv_length (lines), ==, result->records->len + 1);
  for (guint i = 0; i < result->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (result->records, i);
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) root = tacho_json_parse_object (lines[i], strlen (lines[i]), &error);
      JsonObject *object;

      g_assert_no_error (error);
      object = json_node_get_object (root);
      g_assert_cmpint (tacho_json_get_int (object, "id", -1), ==, i);
      g_assert_cmpint (tacho_json_get_int (object, "first_ns", -1), ==, record->first_ns);
      g_assert_cmpint (tacho_json_get_int (object, "end_ns", -1), ==, record->end_ns);
      g_assert_cmpuint (json_array_get_length (tacho_json_get_array (object, "chunk_ns")), ==,
                        record->chunks);
      g_assert_cmpstr (tacho_json_get_string (object, "status", ""), ==, "ok");
      g_assert_cmpstr (tacho_json_get_string (object, "tokens_source", ""), ==, "usage");
      g_assert_cmpint (tacho_json_get_boolean (object, "warmup", FALSE), ==, i < 2);
      g_assert_false (tacho_json_has (object, "error"));
    }
}

/* A spreadsheet must not run what a server calls itself. */
static void
check_csv (TachoBenchResult *result)
{
  TachoBenchRecord *record = g_ptr_array_index (result->records, 0);
  g_autofree char *summary = tacho_bench_result_to_csv (result);
  g_autofree char *rows = NULL;
  g_auto (GStrv) lines = NULL;

  g_free (record->response_id);
  record->response_id = g_strdup ("=HYPERLINK(\"http://x\",\"a\")");
  rows = tacho_bench_result_records_to_csv (result);
  lines = g_strsplit (rows, "\r\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, result->records->len + 2);
  g_assert_nonnull (strstr (rows, "\"'=HYPERLINK(\"\"http://x\"\",\"\"a\"\")\""));
  g_assert_null (strstr (rows, ",=HYPERLINK"));
  for (guint i = 0; i < TACHO_N_METRICS; i++)
    g_assert_nonnull (strstr (summary, tacho_metric_names[i]));
}

static void
check_text (TachoBenchResult *result)
{
  g_autofree char *text = tacho_bench_result_to_text (result);

  g_assert_nonnull (strstr (text, "SIMULATED"));
  g_assert_nonnull (strstr (text, "12 ok"));
  g_assert_nonnull (strstr (text, "self-check"));
  g_assert_null (strchr (text, '\033'));
}

static void
test_export (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  TachoBenchResult *result;

  f->run = tacho_bench_run_new (f->manager, f->plan, &error);
  g_assert_no_error (error);
  tacho_bench_run_set_keep_chunks (f->run, TRUE);
  f->thread = g_thread_self ();
  g_signal_connect (f->run, "ended", G_CALLBACK (ended_cb), f);
  tacho_bench_run_start (f->run, &error);
  g_assert_no_error (error);
  TACHO_TEST_SPIN_UNTIL (f->ended > 0);
  result = tacho_bench_run_get_result (f->run);
  check_json (result);
  check_records (result);
  check_csv (result);
  check_text (result);
}

static void
test_write_file (void)
{
  g_autofree char *folder = tacho_test_make_tmp_dir ();
  g_autofree char *path = g_build_filename (folder, "run.json", NULL);
  g_autofree char *nowhere = g_build_filename (folder, "none", "run.json", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  tacho_bench_check_writable (path, &error);
  g_assert_no_error (error);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  tacho_bench_write_file (path, "{}", &error);
  g_assert_no_error (error);
  tacho_bench_write_file (path, "{\"a\":1}", &error);
  g_assert_no_error (error);
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "{\"a\":1}");
  g_assert_false (tacho_bench_check_writable (nowhere, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_clear_error (&error);
  g_assert_false (tacho_bench_check_writable (folder, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_clear_error (&error);
  g_assert_false (tacho_bench_write_file (nowhere, "x", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  tacho_test_remove_tree (folder);
}

/* A run that is read back says the same, to the last digit. */
static void
test_read_back (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoBenchResult) copy = NULL;
  g_autofree char *text = NULL;
  g_autofree char *again = NULL;
  TachoBenchResult *result;

  f->plan->slo = g_strdup ("ttft<5s");
  start (f);
  TACHO_TEST_SPIN_UNTIL (f->ended > 0);
  result = tacho_bench_run_get_result (f->run);
  text = tacho_bench_result_to_json (result, TRUE);
  copy = tacho_bench_result_from_json (text, strlen (text), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (copy->ok, ==, 12);
  g_assert_cmpuint (copy->records->len, ==, result->records->len);
  g_assert_cmpfloat (copy->goodput_per_s, >, 0);
  again = tacho_bench_result_to_json (copy, TRUE);
  g_assert_cmpstr (again, ==, text);
}

/* A damaged file says what is wrong with it and is not half read. */
static void
test_read_damaged (void)
{
  static const char *const texts[] = {
    "",
    "[]",
    "{\"schema\":\"tacho.run/2\",\"plan\":{}}",
    "{\"schema\":\"tacho.run/1\"}",
    "{\"schema\":\"tacho.run/1\",\"plan\":{},\"requests\":{\"n\":-1}}",
    "{\"schema\":\"tacho.run/1\",\"plan\":{},\"requests\":{\"n\":2,\"status\":[\"ok\"]}}",
    "{\"schema\":\"tacho.run/1\",\"plan\":{},\"requests\":{\"n\":1,\"status\":[{}]}}",
    ("{\"schema\":\"tacho.run/1\",\"plan\":{},"
    "\"requests\":{\"n\":1,\"status\":[\"ok\"],\"start_ns\":[]}}"),
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (tacho_bench_result_from_json (texts[i], strlen (texts[i]), &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
    }
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/bench/run/whole", test_run);
  ADD ("/bench/run/stop", test_stop);
  ADD ("/bench/run/stop-at-once", test_stop_at_once);
  ADD ("/bench/run/refusals", test_refusals);
  ADD ("/bench/run/faults", test_faults);
  ADD ("/bench/export/all", test_export);
  ADD ("/bench/load/read-back", test_read_back);
  g_test_add_func ("/bench/load/damaged", test_read_damaged);
  g_test_add_func ("/bench/export/write-file", test_write_file);
  return g_test_run ();
}
