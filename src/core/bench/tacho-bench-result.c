/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A finished run, shared by reference. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-result.h"

const char *const tacho_metric_names[TACHO_N_METRICS] = {
  [TACHO_METRIC_TTFT] = "ttft_ms",           [TACHO_METRIC_E2E] = "e2e_ms",
  [TACHO_METRIC_QUEUE] = "queue_ms",         [TACHO_METRIC_ITL] = "itl_ms",
  [TACHO_METRIC_TPOT] = "tpot_ms",           [TACHO_METRIC_NTPOT] = "ntpot_ms",
  [TACHO_METRIC_CHUNK_GAP] = "chunk_gap_ms",
};

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
  g_clear_pointer (&result->chunk_gaps, tacho_histogram_free);
  g_clear_pointer (&result->timeline, g_array_unref);
  g_clear_pointer (&result->records, g_ptr_array_unref);
  g_strfreev (result->self_check.warnings);
  g_free (result);
}
