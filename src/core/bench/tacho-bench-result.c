/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A finished run, shared by reference, and what follows from its requests. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-result.h"

#include "base/tacho-clock.h"
#include "bench/tacho-slo.h"

#include <math.h>
#include <string.h>

const char *const tacho_metric_names[TACHO_N_METRICS] = {
  [TACHO_METRIC_TTFT] = "ttft_ms",
  [TACHO_METRIC_E2E] = "e2e_ms",
  [TACHO_METRIC_QUEUE] = "queue_ms",
  [TACHO_METRIC_TTFT_FROM_SCHEDULE] = "ttft_from_schedule_ms",
  [TACHO_METRIC_E2E_FROM_SCHEDULE] = "e2e_from_schedule_ms",
  [TACHO_METRIC_ITL] = "itl_ms",
  [TACHO_METRIC_TPOT] = "tpot_ms",
  [TACHO_METRIC_NTPOT] = "ntpot_ms",
  [TACHO_METRIC_CHUNK_GAP] = "chunk_gap_ms",
};

static void
record_free_cb (gpointer data)
{
  tacho_bench_record_free (data);
}

static void
void_free_cb (gpointer data)
{
  TachoBenchVoid *part = data;

  g_free (part->reason);
  g_free (part);
}

/**
 * tacho_bench_result_new:
 * @plan: what is to be done; copied
 *
 * Returns: (transfer full): a result without a request, whose id is new and whose time is now
 */
TachoBenchResult *
tacho_bench_result_new (const TachoBenchPlan *plan)
{
  TachoBenchResult *result = g_new0 (TachoBenchResult, 1);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *stamp = g_date_time_format (now, "%Y%m%dT%H%M%SZ");

  g_atomic_ref_count_init (&result->ref_count);
  result->id = g_strdup_printf ("%s-%08x", stamp, g_random_int ());
  result->started = tacho_clock_utc_now ();
  result->plan = tacho_bench_plan_copy (plan);
  result->records = g_ptr_array_new_with_free_func (record_free_cb);
  result->timeline = g_array_new (FALSE, FALSE, sizeof (TachoBenchPoint));
  result->samples = g_array_new (FALSE, FALSE, sizeof (TachoBenchSample));
  result->voids = g_ptr_array_new_with_free_func (void_free_cb);
  result->chunk_gaps = tacho_histogram_new ();
  return result;
}

/**
 * tacho_bench_result_ref:
 * @result: a result
 *
 * Returns: (transfer full): @result
 */
TachoBenchResult *
tacho_bench_result_ref (TachoBenchResult *result)
{
  g_atomic_ref_count_inc (&result->ref_count);
  return result;
}

/**
 * tacho_bench_result_unref:
 * @result: (nullable): a result
 *
 * Drops a reference; the last one frees it.
 */
void
tacho_bench_result_unref (TachoBenchResult *result)
{
  if (result == NULL || !g_atomic_ref_count_dec (&result->ref_count))
    return;
  g_free (result->id);
  g_free (result->started);
  g_clear_pointer (&result->plan, tacho_bench_plan_free);
  g_free (result->target_url);
  g_free (result->target_family);
  g_free (result->target_description);
  g_free (result->target_version);
  g_free (result->stop_reason);
  g_free (result->host);
  g_strfreev (result->merged_from);
  g_clear_pointer (&result->chunk_gaps, tacho_histogram_free);
  g_clear_pointer (&result->timeline, g_array_unref);
  g_clear_pointer (&result->samples, g_array_unref);
  g_clear_pointer (&result->voids, g_ptr_array_unref);
  g_clear_pointer (&result->records, g_ptr_array_unref);
  g_strfreev (result->self_check.warnings);
  g_free (result);
}

/**
 * tacho_bench_metric_of_record:
 * @metric: %TACHO_METRIC_TTFT …; not %TACHO_METRIC_CHUNK_GAP
 * @record: a request
 *
 * Returns: milliseconds, NaN where the request does not define it
 */
double
tacho_bench_metric_of_record (guint metric, const TachoBenchRecord *record)
{
  static double (*const funcs[TACHO_N_METRICS]) (const TachoBenchRecord *) = {
    [TACHO_METRIC_TTFT] = tacho_bench_record_ttft_ms,
    [TACHO_METRIC_E2E] = tacho_bench_record_e2e_ms,
    [TACHO_METRIC_QUEUE] = tacho_bench_record_queue_ms,
    [TACHO_METRIC_TTFT_FROM_SCHEDULE] = tacho_bench_record_ttft_from_schedule_ms,
    [TACHO_METRIC_E2E_FROM_SCHEDULE] = tacho_bench_record_e2e_from_schedule_ms,
    [TACHO_METRIC_ITL] = tacho_bench_record_itl_ms,
    [TACHO_METRIC_TPOT] = tacho_bench_record_tpot_ms,
    [TACHO_METRIC_NTPOT] = tacho_bench_record_ntpot_ms,
  };

  g_return_val_if_fail (metric < TACHO_N_METRICS && funcs[metric] != NULL, NAN);

  return funcs[metric](record);
}

/**
 * tacho_bench_result_dup_samples:
 * @result: a result
 * @metric: not %TACHO_METRIC_CHUNK_GAP, whose values are in the histogram
 * @n: (out): how many
 *
 * The metric of each request that counts and ended well, in the order of the requests.
 *
 * Returns: (transfer full) (array length=n): milliseconds
 */
double *
tacho_bench_result_dup_samples (TachoBenchResult *result, guint metric, gsize *n)
{
  double *values = g_new (double, MAX (result->records->len, 1));

  *n = 0;
  for (guint i = 0; i < result->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (result->records, i);
      double value = tacho_bench_record_counts (record) && record->status == TACHO_RECORD_OK
                         ? tacho_bench_metric_of_record (metric, record)
                         : NAN;

      if (isfinite (value))
        values[(*n)++] = value;
    }
  return values;
}

static void
count (TachoBenchResult *result, const TachoBenchRecord *record)
{
  if (record->cooldown)
    result->cooldown++;
  else if (record->warmup)
    result->warmup++;
  else if (record->voided)
    result->voided++;
  if (!tacho_bench_record_counts (record))
    return;
  result->ok += record->status == TACHO_RECORD_OK;
  result->error += record->status == TACHO_RECORD_ERROR;
  result->truncated += record->status == TACHO_RECORD_TRUNCATED;
  result->cancelled += record->status == TACHO_RECORD_CANCELLED;
  if (record->status != TACHO_RECORD_OK && record->error > 0 &&
      (int) record->error < TACHO_ERROR_N_CLASSES)
    result->errors[record->error]++;
}

static void
clear_counts (TachoBenchResult *result)
{
  result->ok = result->error = result->truncated = result->cancelled = 0;
  result->warmup = result->cooldown = result->voided = 0;
  result->tokens_from_usage = result->tokens_from_chunks = 0;
  memset (result->errors, 0, sizeof result->errors);
}

/* Sums over the requests; what they add to the window is the share of their chunks in it. */
typedef struct
{
  guint64 completed, good;
  guint64 usage_tokens, usage_chunks, partial_chunks;
  guint64 output_tokens, prompt_tokens, prompt_tokens_in_window;
  double tokens_in_window;
} Sums;

/* What lies in the window, whichever phase it is of: where the load has no seam, the requests of
 * the warm-up that end in the window are the server's work in it, as those that end after it are
 * not. */
static void
add_to_window (Sums *sums, const TachoBenchResult *result, const TachoBenchRecord *record)
{
  gint64 start_ns = result->window_start_ns;
  gint64 end_ns = start_ns + (gint64) (result->window_s * TACHO_NS_PER_S + 0.5);

  if (record->first_ns > start_ns && record->first_ns <= end_ns)
    sums->prompt_tokens_in_window += (guint64) MAX (record->prompt_tokens, 0);
  if (record->chunks > 0)
    sums->tokens_in_window +=
        (double) MAX (record->output_tokens, 0) * record->chunks_in_window / record->chunks;
  if (record->end_ns <= start_ns || record->end_ns > end_ns)
    return;
  sums->completed++;
  sums->good += record->slo_met;
}

static void
add_counted (Sums *sums, TachoBenchResult *result, const TachoBenchRecord *record)
{
  guint64 tokens = (guint64) MAX (record->output_tokens, 0);

  sums->output_tokens += tokens;
  sums->prompt_tokens += (guint64) MAX (record->prompt_tokens, 0);
  if (record->tokens_from_usage && record->chunks > 0)
    {
      sums->usage_tokens += tokens;
      sums->usage_chunks += record->chunks;
    }
  if (record->tokens_from_usage)
    result->tokens_from_usage++;
  else
    result->tokens_from_chunks++;
}

static void
add (Sums *sums, TachoBenchResult *result, TachoBenchRecord *record, const TachoSlo *slo)
{
  if (record->voided)
    return;
  if (record->status == TACHO_RECORD_CANCELLED)
    sums->partial_chunks += record->chunks_in_window;
  if (record->status != TACHO_RECORD_OK)
    return;
  record->slo_met =
      slo != NULL &&
      tacho_slo_met (slo, tacho_bench_record_ttft_ms (record), tacho_bench_record_e2e_ms (record),
                     tacho_bench_record_itl_ms (record), tacho_bench_record_tpot_ms (record));
  add_to_window (sums, result, record);
  if (!record->warmup)
    add_counted (sums, result, record);
}

static void
fill_throughput (TachoBenchResult *result, const Sums *sums, gboolean has_slo)
{
  double tokens_per_chunk =
      sums->usage_chunks > 0 ? (double) sums->usage_tokens / (double) sums->usage_chunks : 1;

  result->output_tokens = sums->output_tokens;
  result->prompt_tokens = sums->prompt_tokens;
  result->goodput_per_s = NAN;
  result->requests_per_s = result->output_tokens_per_s = result->prompt_tokens_per_s = 0;
  if (result->window_s <= 0)
    return;
  result->requests_per_s = (double) sums->completed / result->window_s;
  result->output_tokens_per_s =
      (sums->tokens_in_window + (double) sums->partial_chunks * tokens_per_chunk) /
      result->window_s;
  result->prompt_tokens_per_s = (double) sums->prompt_tokens_in_window / result->window_s;
  if (has_slo)
    result->goodput_per_s = (double) sums->good / result->window_s;
}

static void
fill_latency (TachoBenchResult *result)
{
  for (guint metric = 0; metric < TACHO_N_METRICS; metric++)
    {
      g_autofree double *values = NULL;
      gsize n;

      if (metric == TACHO_METRIC_CHUNK_GAP)
        continue;
      values = tacho_bench_result_dup_samples (result, metric, &n);
      tacho_distribution_from_samples (&result->latency[metric], values, n);
    }
  tacho_distribution_from_histogram (&result->latency[TACHO_METRIC_CHUNK_GAP], result->chunk_gaps,
                                     1.0 / TACHO_NS_PER_MS);
}

/**
 * tacho_bench_result_summarise:
 * @result: (inout): a run with its plan, window, records and chunk_gaps
 *
 * Makes counts, throughput and latency from them. A run that was read back or merged goes the same
 * way as one that was just measured.
 */
void
tacho_bench_result_summarise (TachoBenchResult *result)
{
  g_autoptr (TachoSlo) slo =
      result->plan->slo != NULL ? tacho_slo_parse (result->plan->slo, NULL) : NULL;
  Sums sums = { 0 };

  clear_counts (result);
  for (guint i = 0; i < result->records->len; i++)
    {
      TachoBenchRecord *record = g_ptr_array_index (result->records, i);

      count (result, record);
      add (&sums, result, record, slo);
    }
  fill_throughput (result, &sums, slo != NULL);
  fill_latency (result);
}
