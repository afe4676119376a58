/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request of a run and the metrics that follow from its stamps (docs/metrics.md). */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-record.h"

#include "base/tacho-clock.h"

#include <math.h>

static double
span_ms (gint64 from_ns, gint64 to_ns)
{
  if (from_ns == 0 || to_ns == 0)
    return NAN;
  return (double) (to_ns - from_ns) / TACHO_NS_PER_MS;
}

/**
 * tacho_bench_record_ttft_ms:
 * @record: a request
 *
 * Time to first token: first - start. The first token is the first chunk with content, reasoning or
 * a tool call; a role alone never counts.
 *
 * Returns: milliseconds, NaN if no token came
 */
double
tacho_bench_record_ttft_ms (const TachoBenchRecord *record)
{
  return span_ms (record->start_ns, record->first_ns);
}

/**
 * tacho_bench_record_e2e_ms:
 * @record: a request
 *
 * End-to-end latency: end - start.
 *
 * Returns: milliseconds, NaN if it did not end
 */
double
tacho_bench_record_e2e_ms (const TachoBenchRecord *record)
{
  return span_ms (record->start_ns, record->end_ns);
}

/**
 * tacho_bench_record_queue_ms:
 * @record: a request
 *
 * How late the client was: start - scheduled.
 *
 * Returns: milliseconds, NaN if it was never sent
 */
double
tacho_bench_record_queue_ms (const TachoBenchRecord *record)
{
  return span_ms (record->scheduled_ns, record->start_ns);
}

/**
 * tacho_bench_record_ttft_from_schedule_ms:
 * @record: a request
 *
 * Time to first token as a user who came on schedule saw it: first - scheduled. What the client
 * held back is in it, so nothing is omitted (Gil Tene's "coordinated omission").
 *
 * Returns: milliseconds, NaN if no token came
 */
double
tacho_bench_record_ttft_from_schedule_ms (const TachoBenchRecord *record)
{
  return span_ms (record->scheduled_ns, record->first_ns);
}

/**
 * tacho_bench_record_e2e_from_schedule_ms:
 * @record: a request
 *
 * End-to-end latency from the schedule: end - scheduled.
 *
 * Returns: milliseconds, NaN if it did not end
 */
double
tacho_bench_record_e2e_from_schedule_ms (const TachoBenchRecord *record)
{
  return span_ms (record->scheduled_ns, record->end_ns);
}

/**
 * tacho_bench_record_counts:
 * @record: a request
 *
 * Returns: whether it is in the figures: sent in the measured window, and nothing happened to the
 * clock meanwhile. Whether it ended well is its status.
 */
gboolean
tacho_bench_record_counts (const TachoBenchRecord *record)
{
  return !record->warmup && !record->voided;
}

/**
 * tacho_bench_record_itl_ms:
 * @record: a request
 *
 * Inter-token latency: (last - first) / (N - 1).
 *
 * Returns: milliseconds, NaN for fewer than two tokens
 */
double
tacho_bench_record_itl_ms (const TachoBenchRecord *record)
{
  if (record->output_tokens < 2)
    return NAN;
  return span_ms (record->first_ns, record->last_ns) / (double) (record->output_tokens - 1);
}

/**
 * tacho_bench_record_tpot_ms:
 * @record: a request
 *
 * Time per output token after the first: (e2e - ttft) / (N - 1).
 *
 * Returns: milliseconds, NaN for fewer than two tokens
 */
double
tacho_bench_record_tpot_ms (const TachoBenchRecord *record)
{
  if (record->output_tokens < 2)
    return NAN;
  return (tacho_bench_record_e2e_ms (record) - tacho_bench_record_ttft_ms (record)) /
         (double) (record->output_tokens - 1);
}

/**
 * tacho_bench_record_ntpot_ms:
 * @record: a request
 *
 * Normalised time per output token: e2e / N.
 *
 * Returns: milliseconds, NaN without tokens
 */
double
tacho_bench_record_ntpot_ms (const TachoBenchRecord *record)
{
  if (record->output_tokens < 1)
    return NAN;
  return tacho_bench_record_e2e_ms (record) / (double) record->output_tokens;
}

static const char *const status_names[] = { "ok", "error", "truncated", "cancelled" };

/**
 * tacho_record_status_to_string:
 * @status: how a request ended
 *
 * Returns: its name in files
 */
const char *
tacho_record_status_to_string (TachoRecordStatus status)
{
  return status_names[status];
}

/**
 * tacho_record_status_from_string:
 * @name: (nullable): a name in a file
 * @status: (out): the status
 *
 * Returns: whether it is one
 */
gboolean
tacho_record_status_from_string (const char *name, TachoRecordStatus *status)
{
  for (gsize i = 0; i < G_N_ELEMENTS (status_names); i++)
    if (g_strcmp0 (name, status_names[i]) == 0)
      {
        *status = (TachoRecordStatus) i;
        return TRUE;
      }
  return FALSE;
}

/**
 * tacho_bench_record_free:
 * @record: (nullable): a record
 *
 * Frees it.
 */
void
tacho_bench_record_free (TachoBenchRecord *record)
{
  if (record == NULL)
    return;
  g_free (record->response_id);
  g_free (record->chunk_ns);
  g_free (record);
}
