/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a reader in another thread sees of a run that goes on: a copy. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-recorder-private.h"

#include "base/tacho-clock.h"

#include <math.h>
#include <string.h>

static double
histogram_ms (const TachoHistogram *histogram, double quantile)
{
  guint64 n = tacho_histogram_get_count (histogram);

  if (n == 0)
    return NAN;
  return (double) tacho_histogram_value_at_rank (histogram,
                                                 (guint64) ceil (quantile * (double) n)) /
         TACHO_NS_PER_MS;
}

/* Rates over the last whole second, so that a figure on the screen can be read. */
static void
fill_rates (const TachoRecorder *self, TachoBenchSnapshot *values)
{
  guint n = MIN (self->timeline->len, 2);

  values->output_tokens_per_s = values->requests_per_s = 0;
  for (guint i = self->timeline->len - n; i < self->timeline->len; i++)
    {
      const TachoBenchPoint *point = &g_array_index (self->timeline, TachoBenchPoint, i);

      values->output_tokens_per_s += point->output_tokens_per_s / n;
      values->requests_per_s += point->requests_per_s / n;
    }
}

static double
fraction_done (const TachoRecorder *self, double elapsed_s)
{
  guint64 ended = self->ok + self->error + self->truncated + self->cancelled;

  if (self->planned_requests > 0 || self->planned_s <= 0)
    return MIN (1, (double) ended / (double) MAX (self->planned_requests, 1));
  return MIN (1, elapsed_s / self->planned_s);
}

/**
 * tacho_recorder_snapshot:
 * @recorder: a recorder
 * @state: the run's
 * @now_ns: now
 * @in_flight: requests in flight
 *
 * Copies what a reader needs; the copy is handed to its context, so nothing is shared and nothing
 * locked.
 *
 * Returns: (transfer full): the message
 */
TachoSnapshotMessage *
tacho_recorder_snapshot (TachoRecorder *recorder,
                         TachoBenchState state,
                         gint64 now_ns,
                         guint in_flight)
{
  TachoSnapshotMessage *message = g_new0 (TachoSnapshotMessage, 1);
  TachoBenchSnapshot *values = &message->values;
  guint n_new;

  tacho_recorder_lock (recorder);
  n_new = recorder->timeline->len - recorder->handed_over;
  message->new_points = g_array_sized_new (FALSE, FALSE, sizeof (TachoBenchPoint), n_new);
  if (n_new > 0)
    g_array_append_vals (
        message->new_points,
        &g_array_index (recorder->timeline, TachoBenchPoint, recorder->handed_over), n_new);
  recorder->handed_over = recorder->timeline->len;
  values->state = state;
  values->in_flight = in_flight;
  values->started = recorder->ok + recorder->error + recorder->truncated + recorder->cancelled +
                    recorder->voided + in_flight;
  values->ok = recorder->ok;
  values->error = recorder->error;
  values->truncated = recorder->truncated;
  values->cancelled = recorder->cancelled;
  values->warmup = recorder->warmup;
  values->output_tokens = recorder->output_tokens;
  memcpy (values->errors, recorder->errors, sizeof values->errors);
  if (recorder->window_start != 0)
    {
      values->elapsed_s = (double) (now_ns - recorder->window_start) / TACHO_NS_PER_S;
      message->current = tacho_recorder_make_point (recorder, now_ns, in_flight);
    }
  values->fraction = fraction_done (recorder, values->elapsed_s);
  fill_rates (recorder, values);
  values->ttft_ms_p50 = histogram_ms (recorder->ttft, 0.5);
  values->ttft_ms_p95 = histogram_ms (recorder->ttft, 0.95);
  values->ttft_ms_p99 = histogram_ms (recorder->ttft, 0.99);
  values->chunk_gap_ms_p50 = histogram_ms (recorder->gaps, 0.5);
  values->chunk_gap_ms_p95 = histogram_ms (recorder->gaps, 0.95);
  values->chunk_gap_ms_p99 = histogram_ms (recorder->gaps, 0.99);
  values->e2e_ms_p50 = histogram_ms (recorder->e2e, 0.5);
  values->e2e_ms_p95 = histogram_ms (recorder->e2e, 0.95);
  values->e2e_ms_p99 = histogram_ms (recorder->e2e, 0.99);
  values->window_start_ns = recorder->window_start;
  message->ttft_bins = tacho_histogram_dup_bins (recorder->ttft);
  message->chunk_gap_bins = tacho_histogram_dup_bins (recorder->gaps);
  message->e2e_bins = tacho_histogram_dup_bins (recorder->e2e);
  tacho_recorder_unlock (recorder);
  values->ttft_bins = message->ttft_bins;
  values->chunk_gap_bins = message->chunk_gap_bins;
  values->e2e_bins = message->e2e_bins;
  values->loop_lag_ms_p99 = values->own_read_share = values->client_cpu_share = NAN;
  return message;
}

/**
 * tacho_snapshot_message_free:
 * @message: (nullable): a message
 *
 * Frees it.
 */
void
tacho_snapshot_message_free (TachoSnapshotMessage *message)
{
  if (message == NULL)
    return;
  g_array_unref (message->new_points);
  g_array_unref (message->ttft_bins);
  g_array_unref (message->chunk_gap_bins);
  g_array_unref (message->e2e_bins);
  g_free (message);
}
