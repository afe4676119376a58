/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The load engine against a raw-socket server that keeps its own log on the same clock. Times are
 * only bounded generously; counts are exact. */
#include "bench-server.h"

#include <math.h>

#include "api/tacho-api-openai.h"
#include "base/tacho-error.h"
#include "bench/tacho-load-engine.h"
#include "bench/tacho-load-stream.h"
#include "test-utils.h"

#define MS TACHO_NS_PER_MS

typedef struct
{
  BenchServer *server;
  TachoBenchPlan *plan;
  TachoLoadConfig *config;
  TachoBenchResult *result;
  TachoBenchSnapshot last;
  guint n_points; /* handed over, complete */
  guint snapshots;
  guint stop_after; /* snapshots; 0: never */
  TachoLoadEngine *engine;
} Run;

static Run *
run_new (guint n_events, gint64 first_ns, gint64 gap_ns)
{
  Run *run = g_new0 (Run, 1);

  run->server = bench_server_new (n_events, first_ns, gap_ns);
  run->plan = tacho_bench_plan_new ();
  run->plan->model = g_strdup ("m");
  run->plan->warmup_requests = 0;
  run->plan->concurrency = 4;
  run->plan->requests = 16;
  run->plan->prompt_tokens.min = run->plan->prompt_tokens.max = 16;
  run->config = g_new0 (TachoLoadConfig, 1);
  run->config->base_url = bench_server_get_url (run->server);
  run->config->api = tacho_api_openai_new ();
  run->config->timeouts_s[TACHO_TIMEOUT_CONNECT] = 5;
  run->config->timeouts_s[TACHO_TIMEOUT_FIRST] = 20;
  run->config->timeouts_s[TACHO_TIMEOUT_IDLE] = 20;
  run->config->timeouts_s[TACHO_TIMEOUT_TOTAL] = 40;
  return run;
}

static void
snapshot_cb (TachoSnapshotMessage *message, gpointer user_data)
{
  Run *run = user_data;

  run->last = message->values;
  run->n_points += message->new_points->len;
  run->snapshots++;
  tacho_snapshot_message_free (message);
  if (run->stop_after > 0 && run->snapshots >= run->stop_after)
    tacho_load_engine_stop (run->engine);
}

static TachoBenchResult *
run_go (Run *run)
{
  g_autoptr (GError) error = NULL;

  run->config->plan = tacho_bench_plan_copy (run->plan);
  run->result = tacho_bench_result_new (run->plan);
  run->engine = tacho_load_engine_new (g_steal_pointer (&run->config), &error);
  g_assert_no_error (error);
  tacho_load_engine_run (run->engine, snapshot_cb, run, run->result);
  tacho_load_engine_free (run->engine);
  bench_server_stop (run->server);
  return run->result;
}

static void
run_free (Run *run)
{
  bench_server_free (run->server);
  tacho_bench_plan_free (run->plan);
  tacho_load_config_free (run->config);
  g_clear_pointer (&run->result, tacho_bench_result_unref);
  g_free (run);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Run, run_free)

static const TachoBenchRecord *
record_at (const TachoBenchResult *result, guint i)
{
  return g_ptr_array_index (result->records, i);
}

static guint64
sum_errors (const TachoBenchResult *result)
{
  guint64 sum = 0;

  for (int i = 1; i < TACHO_ERROR_N_CLASSES; i++)
    sum += result->errors[i];
  return sum;
}

static void
test_counts (void)
{
  g_autoptr (Run) run = run_new (8, 2 * MS, MS);
  TachoBenchResult *result;

  run->config->bearer = g_strdup ("sk-test");
  run->config->headers = g_strsplit ("X-Team: red", "\n", -1);
  bench_server_set_tokens_per_event (run->server, 3);
  result = run_go (run);
  g_assert_cmpuint (result->ok, ==, 16);
  g_assert_cmpuint (result->error + result->truncated + result->cancelled + result->warmup, ==, 0);
  g_assert_cmpuint (sum_errors (result), ==, 0);
  g_assert_cmpuint (result->records->len, ==, 16);
  g_assert_cmpuint (result->output_tokens, ==, 16 * 24);
  g_assert_cmpuint (result->prompt_tokens, ==, 16 * 17);
  g_assert_cmpuint (result->tokens_from_usage, ==, 16);
  g_assert_cmpuint (tacho_histogram_get_count (result->chunk_gaps), ==, 16 * 7);
  g_assert_cmpuint (result->latency[TACHO_METRIC_TTFT].n, ==, 16);
  g_assert_cmpuint (bench_server_get_requests (run->server), ==, 16);
  g_assert_cmpuint (bench_server_get_max_in_flight (run->server), <=, 4);
  g_assert_cmpuint (bench_server_get_connections (run->server), <=, 4);
  g_assert_cmpuint (result->connections_created, ==, bench_server_get_connections (run->server));
  g_assert_true (bench_server_saw_header (run->server, "Authorization: Bearer sk-test\r\n"));
  g_assert_true (bench_server_saw_header (run->server, "X-Team: red\r\n"));
  g_assert_false (bench_server_saw_header (run->server, "Expect:"));
  g_assert_cmpfloat_with_epsilon (result->output_tokens_per_s * result->window_s, 384, 1e-6);
  g_assert_cmpfloat_with_epsilon (result->requests_per_s * result->window_s, 16, 1e-6);
  g_assert_true (isnan (result->goodput_per_s));
  for (guint i = 0; i < 16; i++)
    {
      g_assert_cmpuint (record_at (result, i)->id, ==, i);
      g_assert_cmpuint (record_at (result, i)->chunks, ==, 8);
      g_assert_cmpint (record_at (result, i)->output_tokens, ==, 24);
      g_assert_cmpuint (record_at (result, i)->http_status, ==, 200);
    }
}

/* Each stamp against the server's own: never before the send, and not long after. */
static void
test_truth (void)
{
  g_autoptr (Run) run = run_new (20, 20 * MS, 5 * MS);
  TachoBenchResult *result;
  guint late = 0, n = 0;

  run->plan->requests = 12;
  run->config->keep_chunks = TRUE;
  result = run_go (run);
  g_assert_cmpuint (result->ok, ==, 12);
  for (guint i = 0; i < result->records->len; i++)
    {
      const TachoBenchRecord *record = record_at (result, i);
      const ServerReply *reply = bench_server_find (run->server, record->response_id);

      g_assert_nonnull (reply);
      g_assert_cmpint (record->start_ns, <=, reply->request_ns);
      g_assert_cmpuint (record->n_chunk_ns, ==, 20);
      g_assert_cmpuint (reply->sent_ns->len, ==, 20);
      g_assert_cmpint (record->first_ns, ==, record->chunk_ns[0]);
      g_assert_cmpint (record->last_ns, ==, record->chunk_ns[19]);
      g_assert_cmpint (record->end_ns, >=, record->last_ns);
      for (guint k = 0; k < record->n_chunk_ns; k++, n++)
        {
          gint64 late_ns = record->chunk_ns[k] - g_array_index (reply->sent_ns, gint64, k);

          g_assert_cmpint (late_ns, >=, 0);
          late += late_ns > 20 * MS;
        }
    }
  /* A busy machine may stop either side for a while, but not usually. */
  g_assert_cmpuint (late, <=, n / 5);
  g_assert_cmpfloat (result->latency[TACHO_METRIC_TTFT].min, >=, 19.9);
  g_assert_cmpfloat (result->latency[TACHO_METRIC_TTFT].percentiles[TACHO_P50].value, <=, 100);
  g_assert_cmpfloat (result->latency[TACHO_METRIC_CHUNK_GAP].percentiles[TACHO_P50].value, >, 3);
  g_assert_cmpfloat (result->latency[TACHO_METRIC_CHUNK_GAP].percentiles[TACHO_P50].value, <, 15);
  g_assert_cmpfloat (result->self_check.own_read_share, >, 0.5);
}

static void
test_no_usage (void)
{
  static const Behaviour script[] = { BEHAVE_NO_USAGE };
  g_autoptr (Run) run = run_new (5, MS, MS);
  TachoBenchResult *result;

  bench_server_set_script (run->server, script, 1);
  bench_server_set_tokens_per_event (run->server, 3);
  result = run_go (run);
  g_assert_cmpuint (result->ok, ==, 16);
  g_assert_cmpuint (result->output_tokens, ==, 16 * 5);
  g_assert_cmpuint (result->tokens_from_chunks, ==, 16);
  g_assert_cmpuint (result->tokens_from_usage, ==, 0);
  g_assert_false (record_at (result, 0)->tokens_from_usage);
}

/* What came in one read has one stamp, and the self-check says so. */
static void
test_together (void)
{
  static const Behaviour script[] = { BEHAVE_TOGETHER };
  g_autoptr (Run) run = run_new (10, MS, MS);
  TachoBenchResult *result;

  bench_server_set_script (run->server, script, 1);
  run->config->keep_chunks = TRUE;
  result = run_go (run);
  g_assert_cmpuint (result->ok, ==, 16);
  g_assert_cmpfloat (result->self_check.own_read_share, ==, 0);
  g_assert_cmpuint (g_strv_length (result->self_check.warnings), >=, 1);
  g_assert_cmpint (record_at (result, 3)->chunk_ns[0], ==, record_at (result, 3)->chunk_ns[9]);
}

typedef struct
{
  const char *name;
  Behaviour behaviour;
  TachoErrorCode error;
  TachoRecordStatus status;
  guint http_status;
} Failure;

static const Failure failures[] = {
  { "truncated", BEHAVE_TRUNCATE, TACHO_ERROR_TRUNCATED, TACHO_RECORD_TRUNCATED, 200 },
  { "cut", BEHAVE_CUT, TACHO_ERROR_TRUNCATED, TACHO_RECORD_TRUNCATED, 200 },
  { "500", BEHAVE_500, TACHO_ERROR_HTTP_5XX, TACHO_RECORD_ERROR, 500 },
  { "429", BEHAVE_429, TACHO_ERROR_HTTP_429, TACHO_RECORD_ERROR, 429 },
  { "404", BEHAVE_404, TACHO_ERROR_HTTP_4XX, TACHO_RECORD_ERROR, 404 },
  { "in-band", BEHAVE_IN_BAND, TACHO_ERROR_IN_BAND, TACHO_RECORD_ERROR, 200 },
  { "drop", BEHAVE_DROP, TACHO_ERROR_REFUSED, TACHO_RECORD_ERROR, 0 },
  { "silent", BEHAVE_SILENT, TACHO_ERROR_TIMEOUT_FIRST, TACHO_RECORD_ERROR, 0 },
  { "stall", BEHAVE_STALL, TACHO_ERROR_TIMEOUT_IDLE, TACHO_RECORD_ERROR, 200 },
  { "garbage", BEHAVE_GARBAGE, TACHO_ERROR_PROTOCOL, TACHO_RECORD_ERROR, 200 },
};

/* Every third request fails: counted in its class, in no latency figure, and never sent again. */
static void
test_failure (gconstpointer data)
{
  const Failure *failure = data;
  const Behaviour script[] = { BEHAVE_WELL, BEHAVE_WELL, failure->behaviour };
  g_autoptr (Run) run = run_new (4, MS, MS);
  TachoBenchResult *result;

  bench_server_set_script (run->server, script, 3);
  run->plan->requests = 12;
  run->config->timeouts_s[TACHO_TIMEOUT_FIRST] = 0.5;
  run->config->timeouts_s[TACHO_TIMEOUT_IDLE] = 0.5;
  result = run_go (run);
  g_assert_cmpuint (bench_server_get_requests (run->server), ==, 12);
  g_assert_cmpuint (result->ok, ==, 8);
  g_assert_cmpuint (result->errors[failure->error], ==, 4);
  g_assert_cmpuint (sum_errors (result), ==, 4);
  g_assert_cmpuint (result->truncated, ==, failure->status == TACHO_RECORD_TRUNCATED ? 4 : 0);
  g_assert_cmpuint (result->error, ==, failure->status == TACHO_RECORD_ERROR ? 4 : 0);
  for (guint metric = 0; metric < TACHO_METRIC_CHUNK_GAP; metric++)
    g_assert_cmpuint (result->latency[metric].n, ==, 8);
  g_assert_cmpuint (result->latency[TACHO_METRIC_CHUNK_GAP].n, ==, 8 * 3);
  g_assert_cmpuint (result->output_tokens, ==, 8 * 4);
  for (guint i = 0; i < result->records->len; i++)
    if (record_at (result, i)->status != TACHO_RECORD_OK)
      {
        g_assert_cmpint (record_at (result, i)->status, ==, failure->status);
        g_assert_cmpint (record_at (result, i)->error, ==, failure->error);
        g_assert_cmpuint (record_at (result, i)->http_status, ==, failure->http_status);
      }
}

/* No answer on a new connection is never asked for again. */
static void
test_drop (void)
{
  static const Behaviour script[] = { BEHAVE_DROP };
  g_autoptr (Run) run = run_new (4, MS, MS);
  TachoBenchResult *result;

  bench_server_set_script (run->server, script, 1);
  result = run_go (run);
  g_assert_cmpuint (result->errors[TACHO_ERROR_REFUSED], ==, 16);
  g_assert_cmpuint (result->ok, ==, 0);
  g_assert_cmpuint (bench_server_get_requests (run->server), ==, 16);
  g_assert_cmpuint (bench_server_get_connections (run->server), ==, 16);
}

/* A server that closes each connection after its reply, without saying so, has done nothing wrong.
 * The first reply tells, and from then on no request meets a dying connection. */
static void
test_close (void)
{
  static const Behaviour script[] = { BEHAVE_CLOSE };
  g_autoptr (Run) run = run_new (4, MS, MS);
  TachoBenchResult *result;

  bench_server_set_script (run->server, script, 1);
  run->plan->requests = 200;
  result = run_go (run);
  g_assert_cmpuint (sum_errors (result), ==, 0);
  g_assert_cmpuint (result->ok, ==, 200);
  g_assert_cmpuint (bench_server_get_requests (run->server), ==, 200);
  g_assert_cmpfloat (result->self_check.connections_reused_share, ==, 0);
  g_assert_cmpuint (g_strv_length (result->self_check.warnings), >=, 1);
}

/* While one place rests to see whether the server closes, another may take its connection and have
 * a reply there: that is no end. */
static void
test_habit (void)
{
  TachoReadCounts counts = { 0 };
  TachoLoadStream stream = { .counts = &counts };
  int pair[2];

  for (guint closed = 0; closed < 2; closed++)
    {
      g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
      g_assert_cmpint (write (pair[1], "x", 1), ==, 1);
      if (closed)
        close (pair[1]);
      counts.habit = TACHO_HABIT_UNKNOWN;
      stream.kept_fd = pair[0];
      tacho_load_stream_learn_habit (&stream);
      g_assert_cmpint (counts.habit, ==, closed ? TACHO_HABIT_CLOSES : TACHO_HABIT_KEEPS);
      g_assert_cmpint (stream.kept_fd, ==, CURL_SOCKET_BAD);
      g_assert_cmpint (close (pair[0]), ==, -1); /* it was ours to give */
      if (!closed)
        close (pair[1]);
    }
}

static void
test_total_timeout (void)
{
  g_autoptr (Run) run = run_new (1000, MS, 20 * MS);
  TachoBenchResult *result;

  run->plan->requests = run->plan->concurrency = 2;
  run->config->timeouts_s[TACHO_TIMEOUT_TOTAL] = 0.4;
  result = run_go (run);
  g_assert_cmpuint (result->ok, ==, 0);
  g_assert_cmpuint (result->errors[TACHO_ERROR_TIMEOUT_TOTAL], ==, 2);
  g_assert_cmpuint (result->latency[TACHO_METRIC_TTFT].n, ==, 0);
}

/* Nobody listens: refused, every one, and the run ends. */
static void
test_refused (void)
{
  g_autoptr (Run) run = run_new (4, MS, MS);
  TachoBenchResult *result;

  bench_server_stop (run->server);
  run->plan->requests = 8;
  result = run_go (run);
  g_assert_cmpuint (result->errors[TACHO_ERROR_REFUSED], ==, 8);
  g_assert_cmpuint (result->ok, ==, 0);
  g_assert_true (isnan (result->latency[TACHO_METRIC_E2E].mean));
}

/* A server that refuses everything is not hammered for the length of the run. */
static void
test_refused_by_duration (void)
{
  static const Behaviour script[] = { BEHAVE_500 };
  g_autoptr (Run) run = run_new (4, MS, MS);
  TachoBenchResult *result;

  bench_server_set_script (run->server, script, 1);
  run->plan->requests = 0;
  run->plan->duration_s = 1;
  result = run_go (run);
  g_assert_cmpuint (result->error, ==, bench_server_get_requests (run->server));
  g_assert_cmpuint (result->error, >=, 4);
  g_assert_cmpuint (result->error, <=, 4 * 40);
}

static void
test_warmup (void)
{
  g_autoptr (Run) run = run_new (4, MS, MS);
  TachoBenchResult *result;
  gint64 warmup_end = 0, measured_start = G_MAXINT64;

  run->plan->warmup_requests = 6;
  run->plan->requests = 10;
  result = run_go (run);
  g_assert_cmpuint (result->ok, ==, 10);
  g_assert_cmpuint (result->warmup, ==, 6);
  g_assert_cmpuint (result->records->len, ==, 16);
  g_assert_cmpuint (result->latency[TACHO_METRIC_E2E].n, ==, 10);
  g_assert_cmpuint (result->output_tokens, ==, 40);
  g_assert_cmpuint (tacho_histogram_get_count (result->chunk_gaps), ==, 30);
  for (guint i = 0; i < 16; i++)
    {
      const TachoBenchRecord *record = record_at (result, i);

      g_assert_cmpint (record->warmup, ==, i < 6);
      if (record->warmup)
        warmup_end = MAX (warmup_end, record->end_ns);
      else
        measured_start = MIN (measured_start, record->start_ns);
    }
  g_assert_cmpint (measured_start, >=, warmup_end);
}

/* Rates count what lies inside the window, latency every request that started in it. */
static void
test_duration (void)
{
  g_autoptr (Run) run = run_new (10, 10 * MS, 10 * MS);
  TachoBenchResult *result;
  guint64 inside = 0;
  double tokens = 0, on_timeline = 0;
  guint64 ok_on_timeline = 0;
  gint64 begin = G_MAXINT64, end;

  run->plan->requests = 0;
  run->plan->duration_s = 1.25;
  run->config->keep_chunks = TRUE;
  result = run_go (run);
  g_assert_false (result->interrupted);
  g_assert_cmpfloat_with_epsilon (result->window_s, 1.25, 1e-9);
  g_assert_cmpuint (result->ok, ==, bench_server_get_requests (run->server));
  g_assert_cmpuint (result->latency[TACHO_METRIC_E2E].n, ==, result->ok);
  for (guint i = 0; i < result->records->len; i++)
    begin = MIN (begin, record_at (result, i)->scheduled_ns);
  end = begin + 1250 * MS;
  for (guint i = 0; i < result->records->len; i++)
    {
      const TachoBenchRecord *record = record_at (result, i);

      g_assert_cmpint (record->scheduled_ns, <, end);
      inside += record->end_ns <= end;
      for (guint k = 0; k < record->n_chunk_ns; k++)
        tokens += record->chunk_ns[k] <= end;
    }
  g_assert_cmpfloat_with_epsilon (result->requests_per_s * 1.25, (double) inside, 1.01);
  g_assert_cmpfloat_with_epsilon (result->output_tokens_per_s * 1.25, tokens, 4.01);
  /* The timeline ends where the window does, and adds up to its figures. */
  g_assert_cmpuint (result->timeline->len, ==, 3);
  for (guint i = 0; i < result->timeline->len; i++)
    {
      const TachoBenchPoint *point = &g_array_index (result->timeline, TachoBenchPoint, i);
      double width = point->t_s - (i > 0 ? point[-1].t_s : 0);

      on_timeline += point->output_tokens_per_s * width;
      ok_on_timeline += point->ok;
    }
  g_assert_cmpfloat_with_epsilon (
      g_array_index (result->timeline, TachoBenchPoint, result->timeline->len - 1).t_s, 1.25, 1e-9);
  g_assert_cmpfloat_with_epsilon (on_timeline, tokens, 4.01);
  g_assert_cmpfloat_with_epsilon ((double) ok_on_timeline, (double) inside, 1.01);
}

static void
test_stop (void)
{
  g_autoptr (Run) run = run_new (20, 5 * MS, 5 * MS);
  TachoBenchResult *result;

  run->plan->requests = 100000;
  run->stop_after = 4;
  result = run_go (run);
  g_assert_true (result->interrupted);
  g_assert_cmpuint (result->ok, >, 0);
  g_assert_cmpuint (result->cancelled, ==, 4);
  g_assert_cmpuint (result->errors[TACHO_ERROR_CANCELLED], ==, 4);
  g_assert_cmpuint (result->error, ==, 0);
  g_assert_cmpuint (result->latency[TACHO_METRIC_E2E].n, ==, result->ok);
  g_assert_cmpfloat (result->window_s, >, 0);
  g_assert_cmpfloat (result->output_tokens_per_s, >, 0);
  g_assert_cmpuint (run->last.ok, <=, result->ok);
}

static void
test_slo (void)
{
  static const Behaviour script[] = { BEHAVE_WELL, BEHAVE_500 };
  g_autoptr (Run) run = run_new (4, MS, MS);
  g_autoptr (Run) strict = run_new (4, 20 * MS, MS);

  bench_server_set_script (run->server, script, 2);
  run->plan->slo = g_strdup ("e2e<30s");
  run_go (run);
  g_assert_cmpfloat_with_epsilon (run->result->goodput_per_s * run->result->window_s, 8, 1e-6);
  strict->plan->slo = g_strdup ("ttft<10ms");
  run_go (strict);
  g_assert_cmpfloat (strict->result->goodput_per_s, ==, 0);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/bench/engine/counts", test_counts);
  g_test_add_func ("/bench/engine/truth", test_truth);
  g_test_add_func ("/bench/engine/no-usage", test_no_usage);
  g_test_add_func ("/bench/engine/together", test_together);
  for (gsize i = 0; i < G_N_ELEMENTS (failures); i++)
    {
      g_autofree char *path = g_strconcat ("/bench/engine/failure/", failures[i].name, NULL);

      g_test_add_data_func (path, &failures[i], test_failure);
    }
  g_test_add_func ("/bench/engine/drop", test_drop);
  g_test_add_func ("/bench/engine/close", test_close);
  g_test_add_func ("/bench/engine/habit", test_habit);
  g_test_add_func ("/bench/engine/total-timeout", test_total_timeout);
  g_test_add_func ("/bench/engine/refused", test_refused);
  g_test_add_func ("/bench/engine/refused-by-duration", test_refused_by_duration);
  g_test_add_func ("/bench/engine/warmup", test_warmup);
  g_test_add_func ("/bench/engine/duration", test_duration);
  g_test_add_func ("/bench/engine/stop", test_stop);
  g_test_add_func ("/bench/engine/slo", test_slo);
  return g_test_run ();
}
