/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counts, histograms, timeline and records of a run. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-recorder-private.h"

#include "base/tacho-clock.h"

#include <math.h>
#include <string.h>

/* Below so many requests an error rate says nothing. */
#define MIN_FOR_RATE 20
#define UNTIL_NS (2 * TACHO_NS_PER_S)

static void
record_free_cb (gpointer data)
{
  tacho_bench_record_free (data);
}

static void
void_clear_cb (gpointer data)
{
  g_free (((TachoRecorderVoid *) data)->reason);
}

/**
 * tacho_recorder_new:
 * @plan: a valid plan
 * @planned: measured requests; 0: by duration
 * @shared: whether several threads will write
 *
 * Returns: (transfer full): an empty recorder
 */
TachoRecorder *
tacho_recorder_new (const TachoBenchPlan *plan, guint64 planned, gboolean shared)
{
  TachoRecorder *recorder = g_new0 (TachoRecorder, 1);

  recorder->planned_requests = planned;
  recorder->planned_s = plan->duration_s;
  recorder->max_errors = plan->max_errors;
  recorder->max_error_rate = plan->max_error_rate;
  recorder->until = plan->until != NULL ? tacho_until_parse (plan->until, NULL) : NULL;
  if (recorder->until != NULL)
    recorder->until_values = tacho_histogram_new ();
  if (shared)
    {
      recorder->mutex = g_new (GMutex, 1);
      g_mutex_init (recorder->mutex);
    }
  recorder->voids = g_array_new (FALSE, FALSE, sizeof (TachoRecorderVoid));
  g_array_set_clear_func (recorder->voids, void_clear_cb);
  recorder->remarks = g_ptr_array_new_with_free_func (g_free);
  recorder->ttft = tacho_histogram_new ();
  recorder->e2e = tacho_histogram_new ();
  recorder->gaps = tacho_histogram_new ();
  recorder->records = g_ptr_array_new_with_free_func (record_free_cb);
  recorder->timeline = g_array_new (FALSE, FALSE, sizeof (TachoBenchPoint));
  recorder->bucket_ttft = g_array_new (FALSE, FALSE, sizeof (double));
  recorder->bucket_gaps = g_array_new (FALSE, FALSE, sizeof (double));
  recorder->bucket_e2e = g_array_new (FALSE, FALSE, sizeof (double));
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
  g_clear_pointer (&recorder->until, tacho_until_free);
  g_clear_pointer (&recorder->until_values, tacho_histogram_free);
  g_array_unref (recorder->voids);
  g_ptr_array_unref (recorder->remarks);
  g_array_unref (recorder->bucket_ttft);
  g_array_unref (recorder->bucket_gaps);
  g_array_unref (recorder->bucket_e2e);
  if (recorder->mutex != NULL)
    {
      g_mutex_clear (recorder->mutex);
      g_free (recorder->mutex);
    }
  g_free (recorder);
}

/**
 * tacho_recorder_void:
 * @recorder: a recorder
 * @from_ns: begin of a part that does not count
 * @to_ns: its end
 * @reason: (transfer full): why
 *
 * Requests that were in flight in it are voided. Threads that see the same say it once.
 */
void
tacho_recorder_void (TachoRecorder *recorder, gint64 from_ns, gint64 to_ns, char *reason)
{
  TachoRecorderVoid part = { from_ns, to_ns, reason };

  tacho_recorder_lock (recorder);
  if (recorder->voids->len > 0)
    {
      TachoRecorderVoid *last =
          &g_array_index (recorder->voids, TachoRecorderVoid, recorder->voids->len - 1);

      if (from_ns <= last->to_ns)
        {
          last->from_ns = MIN (last->from_ns, from_ns);
          last->to_ns = MAX (last->to_ns, to_ns);
          g_clear_pointer (&part.reason, g_free);
        }
    }
  if (part.reason != NULL)
    g_array_append_val (recorder->voids, part);
  tacho_recorder_unlock (recorder);
}

/**
 * tacho_recorder_remark:
 * @recorder: a recorder
 * @text: (transfer full): something that a person should know of the run
 *
 * Keeps it for the self-check.
 */
void
tacho_recorder_remark (TachoRecorder *recorder, char *text)
{
  tacho_recorder_lock (recorder);
  g_ptr_array_add (recorder->remarks, text);
  tacho_recorder_unlock (recorder);
}

/**
 * tacho_recorder_get_remarks:
 * @recorder: a recorder that nobody writes to any more
 *
 * Returns: (transfer none) (element-type utf8): the remarks
 */
GPtrArray *
tacho_recorder_get_remarks (TachoRecorder *recorder)
{
  return recorder->remarks;
}

static gboolean
is_voided (const TachoRecorder *self, const TachoBenchRecord *record)
{
  for (guint i = 0; i < self->voids->len; i++)
    {
      const TachoRecorderVoid *part = &g_array_index (self->voids, TachoRecorderVoid, i);

      if (record->start_ns <= part->to_ns && record->end_ns >= part->from_ns)
        return TRUE;
    }
  return FALSE;
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
  tacho_recorder_lock (recorder);
  if (recorder->window_start == 0)
    recorder->window_start = recorder->bucket_start = now_ns;
  tacho_recorder_unlock (recorder);
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

TachoBenchPoint
tacho_recorder_make_point (TachoRecorder *self, gint64 end_ns, guint in_flight)
{
  double seconds = MAX (1e-3, (double) (end_ns - self->bucket_start) / TACHO_NS_PER_S);
  TachoBenchPoint point = { 0 };

  point.t_s = (double) (end_ns - self->window_start) / TACHO_NS_PER_S;
  point.output_tokens_per_s = (double) self->bucket_chunks * self->tokens_per_chunk / seconds;
  point.requests_per_s = (double) self->bucket_ok / seconds;
  bucket_percentiles (self->bucket_ttft, &point.ttft_ms_p50, &point.ttft_ms_p95);
  bucket_percentiles (self->bucket_gaps, &point.chunk_gap_ms_p50, &point.chunk_gap_ms_p95);
  bucket_percentiles (self->bucket_e2e, &point.e2e_ms_p50, &point.e2e_ms_p95);
  point.in_flight = in_flight;
  point.ok = self->bucket_ok;
  point.errors = self->bucket_errors;
  return point;
}

static void
close_bucket (TachoRecorder *self, gint64 end_ns, guint in_flight)
{
  TachoBenchPoint point = tacho_recorder_make_point (self, end_ns, in_flight);

  g_array_append_val (self->timeline, point);
  self->bucket_start = end_ns;
  self->bucket_chunks = self->bucket_ok = self->bucket_errors = 0;
  g_array_set_size (self->bucket_ttft, 0);
  g_array_set_size (self->bucket_gaps, 0);
  g_array_set_size (self->bucket_e2e, 0);
}

static void
close_buckets (TachoRecorder *self, gint64 now_ns)
{
  while (self->window_start != 0 && now_ns - self->bucket_start >= TACHO_BUCKET_NS)
    close_bucket (self, self->bucket_start + TACHO_BUCKET_NS, self->in_flight);
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

  tacho_recorder_lock (recorder);
  if (is_in_window (recorder, now_ns))
    {
      close_buckets (recorder, now_ns);
      recorder->bucket_chunks++;
      g_array_append_val (previous_ns != 0 ? recorder->bucket_gaps : recorder->bucket_ttft, ms);
    }
  tacho_recorder_unlock (recorder);
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
  tacho_recorder_lock (recorder);
  recorder->in_flight = in_flight;
  close_buckets (recorder, now_ns);
  tacho_recorder_unlock (recorder);
}

static void
take_ok (TachoRecorder *self, TachoBenchRecord *record, const GArray *gaps_ns)
{
  self->ok++;
  if (is_in_window (self, record->end_ns))
    {
      double ms = (double) (record->end_ns - record->start_ns) / TACHO_NS_PER_MS;

      self->bucket_ok++;
      g_array_append_val (self->bucket_e2e, ms);
    }
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
  if (self->until != NULL && tacho_until_get_metric (self->until) != TACHO_METRIC_CHUNK_GAP)
    {
      double ms = tacho_bench_metric_of_record (tacho_until_get_metric (self->until), record);

      if (isfinite (ms))
        tacho_histogram_record (self->until_values, (gint64) (ms * TACHO_NS_PER_MS));
    }
}

static void
take_failed (TachoRecorder *self, const TachoBenchRecord *record)
{
  self->truncated += record->status == TACHO_RECORD_TRUNCATED;
  self->cancelled += record->status == TACHO_RECORD_CANCELLED;
  self->error += record->status == TACHO_RECORD_ERROR;
  if (record->error > 0 && (int) record->error < TACHO_ERROR_N_CLASSES)
    self->errors[record->error]++;
  self->bucket_errors += is_in_window (self, record->end_ns) ? 1 : 0;
}

static gboolean
knows_enough (TachoRecorder *self)
{
  gboolean gaps = tacho_until_get_metric (self->until) == TACHO_METRIC_CHUNK_GAP;
  gint64 now_ns = tacho_clock_now_ns ();
  TachoDistribution distribution;

  if (now_ns - self->until_looked_ns < UNTIL_NS)
    return FALSE;
  self->until_looked_ns = now_ns;
  tacho_distribution_from_histogram (&distribution, gaps ? self->gaps : self->until_values,
                                     1.0 / TACHO_NS_PER_MS);
  return tacho_until_reached (self->until, &distribution);
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
tacho_recorder_take (TachoRecorder *recorder, TachoBenchRecord *record, const GArray *gaps_ns)
{
  tacho_recorder_lock (recorder);
  g_ptr_array_add (recorder->records, record);
  record->voided = is_voided (recorder, record);
  if (record->warmup)
    recorder->warmup += !record->cooldown;
  else if (record->voided)
    recorder->voided++;
  else if (record->status == TACHO_RECORD_OK)
    take_ok (recorder, record, gaps_ns);
  else
    take_failed (recorder, record);
  tacho_recorder_unlock (recorder);
}

/**
 * tacho_recorder_check_stop:
 * @recorder: a recorder
 *
 * Returns: why the run is to end now, or %TACHO_STOP_NONE
 */
TachoLoadStop
tacho_recorder_check_stop (TachoRecorder *recorder)
{
  TachoLoadStop reason = TACHO_STOP_NONE;
  guint64 failed, ended;

  tacho_recorder_lock (recorder);
  failed = recorder->error + recorder->truncated;
  ended = failed + recorder->ok;
  if ((recorder->max_errors > 0 && failed >= recorder->max_errors) ||
      (recorder->max_error_rate > 0 && ended >= MIN_FOR_RATE &&
       (double) failed > recorder->max_error_rate * (double) ended))
    reason = TACHO_STOP_BUDGET;
  else if (recorder->until != NULL && knows_enough (recorder))
    reason = TACHO_STOP_UNTIL;
  tacho_recorder_unlock (recorder);
  return reason;
}

static int
compare_records (gconstpointer a, gconstpointer b)
{
  const TachoBenchRecord *left = *(const TachoBenchRecord *const *) a;
  const TachoBenchRecord *right = *(const TachoBenchRecord *const *) b;

  return (left->id > right->id) - (left->id < right->id);
}

static void
add_voids (TachoRecorder *self, TachoBenchResult *result)
{
  for (guint i = 0; i < self->voids->len; i++)
    {
      TachoRecorderVoid *part = &g_array_index (self->voids, TachoRecorderVoid, i);
      TachoBenchVoid *copy = g_new0 (TachoBenchVoid, 1);

      copy->from_s = (double) (part->from_ns - self->window_start) / TACHO_NS_PER_S;
      copy->to_s = (double) (part->to_ns - self->window_start) / TACHO_NS_PER_S;
      copy->reason = g_steal_pointer (&part->reason);
      g_ptr_array_add (result->voids, copy);
    }
  for (guint i = 0; i < result->records->len && self->voids->len > 0; i++)
    {
      TachoBenchRecord *record = g_ptr_array_index (result->records, i);

      record->voided = is_voided (self, record);
    }
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
  add_voids (recorder, result);
  tacho_bench_result_summarise (result);
}
