/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs the load engine, as it is, against the paced server. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-calibrate.h"

#include "api/tacho-api-openai.h"
#include "base/tacho-clock.h"
#include "bench/tacho-load-engine.h"
#include "bench/tacho-paced-server.h"

#include <math.h>
#include <string.h>

/* Connecting and the first events are no steady state. */
#define SKIP 5

const guint tacho_calibrate_streams[TACHO_N_CALIBRATE_STEPS] = { 1, 16, 64, 256, 1000, 2000 };

static void
ignore_snapshot (TachoSnapshotMessage *message, gpointer user_data)
{
  tacho_snapshot_message_free (message);
}

static TachoLoadConfig *
new_config (guint streams, guint port)
{
  TachoLoadConfig *config = g_new0 (TachoLoadConfig, 1);
  TachoBenchPlan *plan = tacho_bench_plan_new ();

  plan->model = g_strdup ("paced");
  plan->concurrency = streams;
  plan->requests = streams;
  plan->warmup_requests = 0;
  plan->prompt_tokens = (TachoLengths){ 16, 16, 0, 0 };
  config->base_url = g_strdup_printf ("http://127.0.0.1:%u", port);
  config->api = tacho_api_openai_new ();
  config->plan = plan;
  config->keep_chunks = TRUE;
  config->timeouts_s[TACHO_TIMEOUT_CONNECT] = 10;
  config->timeouts_s[TACHO_TIMEOUT_IDLE] = 10;
  return config;
}

static void
compare_stamps (const TachoBenchResult *result, TachoPacedServer *server, TachoCalibration *out)
{
  g_autoptr (TachoHistogram) errors = tacho_histogram_new ();
  guint64 n;

  for (guint i = 0; i < result->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (result->records, i);
      guint stream;

      if (record->response_id == NULL || !g_str_has_prefix (record->response_id, "paced-"))
        continue;
      stream = (guint) g_ascii_strtoull (record->response_id + strlen ("paced-"), NULL, 10);
      for (guint k = SKIP; k < record->n_chunk_ns; k++)
        {
          gint64 sent_ns = tacho_paced_server_get_sent_ns (server, stream, k);

          if (sent_ns != 0)
            tacho_histogram_record (errors, record->chunk_ns[k] - sent_ns);
        }
    }
  n = tacho_histogram_get_count (errors);
  out->stamp_error_us_p50 = out->stamp_error_us_p99 = NAN;
  if (n == 0)
    return;
  out->stamp_error_us_p50 = (double) tacho_histogram_value_at_rank (errors, (n + 1) / 2) / 1e3;
  out->stamp_error_us_p99 =
      (double) tacho_histogram_value_at_rank (errors, (guint64) ceil (0.99 * (double) n)) / 1e3;
}

/**
 * tacho_calibrate:
 * @streams: at a time, each of 50 events a second
 * @seconds: how long
 * @result: (out caller-allocates): what the client did
 * @error: return location
 *
 * Measures the client, in this thread, against a server that logs its own sends on the same clock.
 *
 * Returns: whether it could be measured; else %TACHO_ERROR_IO or %TACHO_ERROR_INVALID
 */
gboolean
tacho_calibrate (guint streams, double seconds, TachoCalibration *result, GError **error)
{
  guint events = MAX (SKIP + 5, (guint) (seconds * TACHO_CALIBRATE_TOKENS_PER_S));
  g_autoptr (TachoPacedServer) server = tacho_paced_server_new (
      streams, events, TACHO_NS_PER_S / TACHO_CALIBRATE_TOKENS_PER_S, error);
  g_autoptr (TachoLoadEngine) engine = NULL;
  g_autoptr (TachoBenchResult) run = NULL;
  TachoLoadConfig *config;
  double cpu_s;

  if (server == NULL)
    return FALSE;
  config = new_config (streams, tacho_paced_server_get_port (server));
  run = tacho_bench_result_new (config->plan);
  engine = tacho_load_engine_new (config, error);
  if (engine == NULL)
    return FALSE;
  tacho_load_engine_run (engine, ignore_snapshot, NULL, run);
  *result = (TachoCalibration){
    .streams = streams,
    .planned_events_per_s = (double) streams * TACHO_CALIBRATE_TOKENS_PER_S,
    .events_per_s = run->window_s > 0 ? (double) run->output_tokens / run->window_s : 0,
    .own_read_share = run->self_check.own_read_share,
    .loop_lag_ms_p99 = run->self_check.loop_lag_ms_p99,
    .client_cpu_share = run->self_check.client_cpu_share,
  };
  cpu_s = run->self_check.client_cpu_share * run->window_s;
  result->cpu_us_per_event =
      run->output_tokens > 0 ? cpu_s * 1e6 / (double) run->output_tokens : NAN;
  compare_stamps (run, server, result);
  result->clean = run->ok == streams && !run->self_check.distorted &&
                  run->self_check.own_read_share >= 0.95 && result->loop_lag_ms_p99 < 1 &&
                  result->stamp_error_us_p99 < 5000;
  return TRUE;
}

/**
 * tacho_calibrate_limit:
 * @steps: (element-type TachoCalibration): steps of rising numbers of streams
 *
 * Returns: the most streams up to which no step was distorted, or 0
 */
guint
tacho_calibrate_limit (GArray *steps)
{
  guint limit = 0;

  for (guint i = 0; i < steps->len; i++)
    {
      const TachoCalibration *step = &g_array_index (steps, TachoCalibration, i);

      if (!step->clean)
        break;
      limit = step->streams;
    }
  return limit;
}
