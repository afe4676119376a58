/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counts, histograms, timeline and records of a run. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-recorder.h"

#include "base/tacho-clock.h"

#include <math.h>
#include <string.h>

struct _TachoRecorder
{
  guint64 planned_requests;
  double planned_s;
  gint64 window_start;
  guint64 ok, error, truncated, cancelled, warmup;
  guint64 errors[TACHO_ERROR_N_CLASSES];
  guint64 output_tokens;   /* of ok requests */
  TachoHistogram *ttft;    /* of ok requests, ns */
  TachoHistogram *e2e;
  TachoHistogram *gaps;
  GPtrArray *records;
  /* The timeline, and the bucket in progress. */
  GArray *timeline;
  guint handed_over;
  gint64 bucket_start;
  guint in_flight; /* at the last tick */
  guint64 bucket_chunks;
  guint64 bucket_ok;
  guint64 bucket_errors;
  GArray *bucket_ttft; /* of double, ms */
  GArray *bucket_gaps;
  double tokens_per_chunk; /* as far as usage has told, for the live figures */
  guint64 usage_tokens, usage_chunks;
};

static void
record_free_cb (gpointer data)
{
  tacho_bench_record_free (data);
}

/**
 * tacho_recorder_new:
 * @plan: a valid plan
 *
 * Returns: (transfer full): an empty recorder
 */
TachoRecorder *
tacho_recorder_new (const TachoBenchPlan *plan)
{
  TachoRecorder *recorder = g_new0 (TachoRecorder, 1);

  recorder->planned_requests = plan->requests;
  recorder->planned_s = plan->duration_s;
  recorder->ttft = tacho_histogram_new ();
  recorder->e2e = tacho_histogram_new ();
  recorder->gaps = tacho_histogram_new ();
  recorder->records = g_ptr_array_new_with_free_func (record_free_cb);
  recorder->timeline = g_array_new (FALSE, FALSE, sizeof (TachoBenchPoint));
  recorder->bucket_ttft = g_array_new (FALSE, FALSE, sizeof (double));
  recorder->bucket_gaps = g_array_new (FALSE, FALSE, sizeof (double));
  recorder->tokens_per_chunk = 1;
  return recorder;
}

/**
 * tacho_recorder_free:
 * @recorder: (nullable): a recorder
 *
 * Frees it.
 */
void
tacho_recorder_free (TachoRecorder *recorder)
{
  if (recorder == NULL)
    return;
  g_clear_pointer (&recorder->ttft, tacho_histogram_free);
  g_clear_pointer (&recorder->e2e, tacho_histogram_free);
  g_clear_pointer (&recorder->gaps, tacho_histogram_free);
  g_clear_pointer (&recorder->records, g_ptr_array_unref);
  g_clear_pointer (&recorder->timeline, g_array_unref);
  g_array_unref (recorder->bucket_ttft);
  g_array_unref (recorder->bucket_gaps);
  g_free (recorder);
}

/**
 * tacho_recorder_open_window:
 * @recorder: a recorder
 * @now_ns: when the first measured request starts
 *
 * Opens the measured window.
 */
void
tacho_recorder_open_window (TachoRecorder *recorder, gint64 now_ns)
{
  if (recorder->window_start == 0)
    recorder->window_start = recorder->bucket_start = now_ns;
}

/**
 * tacho_recorder_get_window_start:
 * @recorder: a recorder
 *
 * Returns: when the window opened, 0: not yet
 */
gint64
tacho_recorder_get_window_start (const TachoRecorder *recorder)
{
  return recorder->window_start;
}

/* What comes after a run by duration is over belongs to no point of the timeline. */
static gboolean
is_in_window (const TachoRecorder *self, gint64 now_ns)
{
  return self->planned_s <= 0 ||
         (double) (now_ns - self->window_start) <= self->planned_s * TACHO_NS_PER_S;
}

/**
 * tacho_recorder_chunk:
 * @recorder: a recorder
 * @record: a measured request in flight
 * @previous_ns: its chunk before, 0: this is its first
 * @now_ns: stamp of the read that brought the chunk
 *
 * Notes a content chunk for the timeline.
 */
void
tacho_recorder_chunk (TachoRecorder *recorder,
                      const TachoBenchRecord *record,
                      gint64 previous_ns,
                      gint64 now_ns)
{
  double ms =
      (double) (now_ns - (previous_ns != 0 ? previous_ns : record->start_ns)) / TACHO_NS_PER_MS;

  if (!is_in_window (recorder, now_ns))
    return;
  if (now_ns - recorder->bucket_start >= TACHO_BUCKET_NS)
    tacho_recorder_tick (recorder, now_ns, recorder->in_flight);
  recorder->bucket_chunks++;
  g_array_append_val (previous_ns != 0 ? recorder->bucket_gaps : recorder->bucket_ttft, ms);
}

/* Nearest rank: a bucket is a look at the moment, not a result. */
static void
bucket_percentiles (GArray *values, double *p50, double *p95)
{
  *p50 = *p95 = NAN;
  if (values->len == 0)
    return;
  tacho_sort_doubles ((double *) (gpointer) values->data, values->len);
  *p50 = g_array_index (values, double, (values->len - 1) / 2);
  *p95 = g_array_index (values, double, (guint) ceil (0.95 * values->len) - 1);
}

static TachoBenchPoint
make_point (TachoRecorder *self, gint64 end_ns, guint in_flight)
{
  double seconds = MAX (1e-3, (double) (end_ns - self->bucket_start) / TACHO_NS_PER_S);
  TachoBenchPoint point = { 0 };

  point.t_s = (double) (end_ns - self->window_start) / TACHO_NS_PER_S;
  point.output_tokens_per_s = (double) self->bucket_chunks * self->tokens_per_chunk / seconds;
  point.requests_per_s = (double) self->bucket_ok / seconds;
  bucket_percentiles (self->bucket_ttft, &point.ttft_ms_p50, &point.ttft_ms_p95);
  bucket_percentiles (self->bucket_gaps, &point.chunk_gap_ms_p50, &point.chunk_gap_ms_p95);
  point.in_flight = in_flight;
  point.ok = self->bucket_ok;
  point.errors = self->bucket_errors;
  return point;
}

static void
close_bucket (TachoRecorder *self, gint64 end_ns, guint in_flight)
{
  TachoBenchPoint point = make_point (self, end_ns, in_flight);

  g_array_append_val (self->timeline, point);
  self->bucket_start = end_ns;
  self->bucket_chunks = self->bucket_ok = self->bucket_errors = 0;
  g_array_set_size (self->bucket_ttft, 0);
  g_array_set_size (self->bucket_gaps, 0);
}

/**
 * tacho_recorder_tick:
 * @recorder: a recorder
 * @now_ns: now
 * @in_flight: requests in flight
 *
 * Closes the timeline's buckets that are over.
 */
void
tacho_recorder_tick (TachoRecorder *recorder, gint64 now_ns, guint in_flight)
{
  recorder->in_flight = in_flight;
  while (recorder->window_start != 0 && now_ns - recorder->bucket_start >= TACHO_BUCKET_NS)
    close_bucket (recorder, recorder->bucket_start + TACHO_BUCKET_NS, in_flight);
}

static void
take_ok (TachoRecorder *self, TachoBenchRecord *record, const GArray *gaps_ns)
{
  self->ok++;
  self->bucket_ok += is_in_window (self, record->end_ns) ? 1 : 0;
  self->output_tokens += (guint64) MAX (record->output_tokens, 0);
  if (record->tokens_from_usage && record->chunks > 0)
    {
      self->usage_tokens += (guint64) record->output_tokens;
      self->usage_chunks += record->chunks;
      self->tokens_per_chunk = (double) self->usage_tokens / (double) self->usage_chunks;
    }
  if (record->first_ns != 0)
    tacho_histogram_record (self->ttft, record->first_ns - record->start_ns);
  tacho_histogram_record (self->e2e, record->end_ns - record->start_ns);
  for (guint i = 0; i < gaps_ns->len; i++)
    tacho_histogram_record (self->gaps, g_array_index (gaps_ns, gint64, i));
}

/**
 * tacho_recorder_take:
 * @recorder: a recorder
 * @record: (transfer full): a request that has ended
 * @gaps_ns: (element-type gint64): its chunk gaps
 *
 * Files a request. Only one that ended well enters the latency figures.
 */
void
tacho_recorder_take (TachoRecorder *recorder,
                     TachoBenchRecord *record,
                     const GArray *gaps_ns)
{
  g_ptr_array_add (recorder->records, record);
  if (record->warmup)
    {
      recorder->warmup++;
      return;
    }
  switch (record->status)
    {
    case TACHO_RECORD_OK:
      take_ok (recorder, record, gaps_ns);
      return;
    case TACHO_RECORD_TRUNCATED:
      recorder->truncated++;
      break;
    case TACHO_RECORD_CANCELLED:
      recorder->cancelled++;
      break;
    case TACHO_RECORD_ERROR:
    default:
      recorder->error++;
    }
  if (record->error > 0 && (int) record->error < TACHO_ERROR_N_CLASSES)
    recorder->errors[record->error]++;
  recorder->bucket_errors += is_in_window (recorder, record->end_ns) ? 1 : 0;
}

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

  if (self->planned_requests > 0)
    return MIN (1, (double) ended / (double) self->planned_requests);
  return MIN (1, elapsed_s / self->planned_s);
}

/**
 * tacho_recorder_snapshot:
 * @recorder: a recorder
 * @state: the run's
 * @now_ns: now
 * @in_flight: requests in flight
 * @started: measured requests that were started
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
                         guint in_flight,
                         guint64 started)
{
  TachoSnapshotMessage *message = g_new0 (TachoSnapshotMessage, 1);
  TachoBenchSnapshot *values = &message->values;
  guint n_new = recorder->timeline->len - recorder->handed_over;

  message->new_points = g_array_sized_new (FALSE, FALSE, sizeof (TachoBenchPoint), n_new);
  if (n_new > 0)
    g_array_append_vals (
        message->new_points,
        &g_array_index (recorder->timeline, TachoBenchPoint, recorder->handed_over), n_new);
  recorder->handed_over = recorder->timeline->len;
  values->state = state;
  values->in_flight = in_flight;
  values->started = started;
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
      message->current = make_point (recorder, now_ns, in_flight);
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
  g_free (message);
}

static int
compare_records (gconstpointer a, gconstpointer b)
{
  const TachoBenchRecord *left = *(const TachoBenchRecord *const *) a;
  const TachoBenchRecord *right = *(const TachoBenchRecord *const *) b;

  return (left->id > right->id) - (left->id < right->id);
}

/**
 * tacho_recorder_finish:
 * @recorder: a recorder; its records, timeline and gaps move to @result
 * @window_end_ns: the end of the measured window
 * @result: (inout): the run; its window, timeline, records and all that follows from them
 *
 * Turns what was recorded into a result.
 */
void
tacho_recorder_finish (TachoRecorder *recorder, gint64 window_end_ns, TachoBenchResult *result)
{
  /* A sliver of a bucket would be a spike on the chart. */
  if (recorder->window_start != 0 && window_end_ns - recorder->bucket_start >
                                         (recorder->timeline->len > 0 ? TACHO_BUCKET_NS / 4 : 0))
    close_bucket (recorder, window_end_ns, 0);
  if (recorder->window_start != 0 && window_end_ns > recorder->window_start)
    result->window_s = (double) (window_end_ns - recorder->window_start) / TACHO_NS_PER_S;
  result->window_start_ns = recorder->window_start;
  g_ptr_array_sort (recorder->records, compare_records);
  g_ptr_array_unref (result->records);
  g_array_unref (result->timeline);
  tacho_histogram_free (result->chunk_gaps);
  result->records = g_steal_pointer (&recorder->records);
  result->timeline = g_steal_pointer (&recorder->timeline);
  result->chunk_gaps = g_steal_pointer (&recorder->gaps);
  tacho_bench_result_summarise (result);
}
