/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests are put together, not percentiles: the merged run is what one client would have
 * measured. Each machine's stamps are moved by the difference of the wall clocks at the begin of
 * its window, so the clocks' error shows in the timeline alone, never in a latency. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-merge.h"

#include "base/tacho-clock.h"
#include "bench/tacho-compare.h"

#include <math.h>
#include <string.h>

#define OVERLAP 0.9
#define BUCKET_S 0.5

static gboolean
fail (GError **error, const char *text)
{
  g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID, text);
  return FALSE;
}

static TachoBenchResult *
at (GPtrArray *results, guint i)
{
  return g_ptr_array_index (results, i);
}

/* A part of a load has its own number of places and its own rate. */
static char **
unlike (const TachoBenchPlan *a, const TachoBenchPlan *b)
{
  g_autoptr (TachoBenchPlan) alike = tacho_bench_plan_copy (b);

  alike->concurrency = a->concurrency;
  alike->rate = a->rate;
  return tacho_compare_plans (a, alike);
}

static gboolean
check_plans (GPtrArray *results, GError **error)
{
  for (guint i = 1; i < results->len; i++)
    {
      g_auto (GStrv) differences = unlike (at (results, 0)->plan, at (results, i)->plan);
      g_autofree char *words = g_strjoinv ("; ", differences);

      if (*differences == NULL)
        continue;
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "%s and %s are no parts of one load: %s", at (results, 0)->id,
                   at (results, i)->id, words);
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_runs (GPtrArray *results, gboolean force, GError **error)
{
  if (results->len < 2)
    return fail (error, "It takes two runs to merge");
  for (guint i = 0; i < results->len; i++)
    {
      if (at (results, i)->window_start_unix_us == 0 || at (results, i)->records->len == 0)
        {
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                       "The run %s holds no requests, or not when they were", at (results, i)->id);
          return FALSE;
        }
      for (guint k = 0; k < i; k++)
        if (g_strcmp0 (at (results, i)->id, at (results, k)->id) == 0)
          {
            g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "The run %s is given twice",
                         at (results, i)->id);
            return FALSE;
          }
    }
  return force || check_plans (results, error);
}

static double
begin_s (const TachoBenchResult *result)
{
  return (double) result->window_start_unix_us / G_USEC_PER_SEC;
}

typedef struct
{
  double from, to;               /* of any */
  double common_from, common_to; /* of all */
} Windows;

static Windows
windows_of (GPtrArray *results)
{
  Windows w = { INFINITY, -INFINITY, -INFINITY, INFINITY };

  for (guint i = 0; i < results->len; i++)
    {
      double from = begin_s (at (results, i)), to = from + at (results, i)->window_s;

      w.from = MIN (w.from, from);
      w.to = MAX (w.to, to);
      w.common_from = MAX (w.common_from, from);
      w.common_to = MIN (w.common_to, to);
    }
  return w;
}

static void
move (gint64 *stamp, gint64 by)
{
  if (*stamp != 0)
    *stamp = *stamp + by != 0 ? *stamp + by : 1;
}

static void
add_records (TachoBenchResult *merged, const TachoBenchResult *part, guint64 *next_id)
{
  gint64 by = (part->window_start_unix_us - merged->window_start_unix_us) * 1000 +
              merged->window_start_ns - part->window_start_ns;

  for (guint i = 0; i < part->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (part->records, i);
      TachoBenchRecord *copy = g_memdup2 (record, sizeof *record);

      copy->id = (*next_id)++;
      copy->response_id = g_strdup (record->response_id);
      copy->chunk_ns = NULL;
      copy->n_chunk_ns = 0;
      move (&copy->scheduled_ns, by);
      move (&copy->start_ns, by);
      move (&copy->first_ns, by);
      move (&copy->last_ns, by);
      move (&copy->end_ns, by);
      g_ptr_array_add (merged->records, copy);
    }
}

static void
add_point (TachoBenchPoint *sum, const TachoBenchPoint *point)
{
  sum->output_tokens_per_s += point->output_tokens_per_s;
  sum->requests_per_s += point->requests_per_s;
  sum->in_flight += point->in_flight;
  sum->ok += point->ok;
  sum->errors += point->errors;
}

/* Rates add up; of percentiles only those of the first tokens can be made again. */
static void
fill_timeline (TachoBenchResult *merged, GPtrArray *results)
{
  guint n = (guint) ceil (merged->window_s / BUCKET_S);
  g_autofree GArray **ttft = g_new0 (GArray *, MAX (n, 1));

  for (guint i = 0; i < n; i++)
    {
      TachoBenchPoint point = { .t_s = MIN ((i + 1) * BUCKET_S, merged->window_s),
                                .ttft_ms_p50 = NAN,
                                .ttft_ms_p95 = NAN,
                                .chunk_gap_ms_p50 = NAN,
                                .chunk_gap_ms_p95 = NAN,
                                .e2e_ms_p50 = NAN,
                                .e2e_ms_p95 = NAN };

      g_array_append_val (merged->timeline, point);
      ttft[i] = g_array_new (FALSE, FALSE, sizeof (double));
    }
  for (guint i = 0; i < results->len; i++)
    for (guint k = 0; k < at (results, i)->timeline->len; k++)
      {
        const TachoBenchPoint *point =
            &g_array_index (at (results, i)->timeline, TachoBenchPoint, k);
        double t = point->t_s - BUCKET_S / 2 + begin_s (at (results, i)) - begin_s (merged);
        int bucket = (int) floor (t / BUCKET_S);

        if (bucket >= 0 && bucket < (int) n)
          add_point (&g_array_index (merged->timeline, TachoBenchPoint, bucket), point);
      }
  for (guint i = 0; i < merged->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (merged->records, i);
      double t = (double) (record->first_ns - merged->window_start_ns) / TACHO_NS_PER_S;
      double ms = tacho_bench_record_ttft_ms (record);

      if (tacho_bench_record_counts (record) && isfinite (ms) && t >= 0 && t / BUCKET_S < n)
        g_array_append_val (ttft[(guint) (t / BUCKET_S)], ms);
    }
  for (guint i = 0; i < n; i++)
    {
      TachoBenchPoint *point = &g_array_index (merged->timeline, TachoBenchPoint, i);
      TachoDistribution d;

      tacho_distribution_from_samples (&d, (double *) (gpointer) ttft[i]->data, ttft[i]->len);
      point->ttft_ms_p50 = d.percentiles[TACHO_P50].value;
      point->ttft_ms_p95 = d.percentiles[TACHO_P95].value;
      g_array_unref (ttft[i]);
    }
}

static void
fill_self_check (TachoBenchResult *merged, GPtrArray *results, const Windows *w)
{
  TachoSelfCheck *check = &merged->self_check;
  GPtrArray *warnings = g_ptr_array_new ();
  double own = 0, reused = 0, weight = 0;

  for (guint i = 0; i < results->len; i++)
    {
      const TachoBenchResult *part = at (results, i);
      double n = (double) part->ok;

      check->distorted |= part->self_check.distorted;
      check->loop_lag_ms_p99 = fmax (check->loop_lag_ms_p99, part->self_check.loop_lag_ms_p99);
      check->wake_delay_ms_p95 =
          fmax (check->wake_delay_ms_p95, part->self_check.wake_delay_ms_p95);
      check->client_cpu_share = fmax (check->client_cpu_share, part->self_check.client_cpu_share);
      check->schedule_delay_ms_p99 =
          fmax (check->schedule_delay_ms_p99, part->self_check.schedule_delay_ms_p99);
      own += n * part->self_check.own_read_share;
      reused += n * part->self_check.connections_reused_share;
      weight += n;
      merged->connections_created += part->connections_created;
      for (char **warning = part->self_check.warnings; warning != NULL && *warning != NULL;
           warning++)
        g_ptr_array_add (warnings, g_strdup_printf ("%s: %s", part->id, *warning));
    }
  check->own_read_share = weight > 0 ? own / weight : NAN;
  check->connections_reused_share = weight > 0 ? reused / weight : NAN;
  if (w->common_to - w->common_from < OVERLAP * (w->to - w->from))
    g_ptr_array_add (warnings,
                     g_strdup_printf ("All machines sent together for %.1f s of %.1f s only: the "
                                      "load was less at the begin and at the end",
                                      MAX (0, w->common_to - w->common_from), w->to - w->from));
  g_ptr_array_add (warnings, NULL);
  check->warnings = (char **) g_ptr_array_free (warnings, FALSE);
}

static void
add_up_plan (TachoBenchPlan *plan, GPtrArray *results)
{
  /* Parts of a load that was split with --worker have the plan of the whole already. */
  if (plan->workers == results->len)
    {
      plan->worker = 0;
      plan->workers = 1;
      return;
    }
  for (guint i = 1; i < results->len; i++)
    {
      plan->concurrency += at (results, i)->plan->concurrency;
      plan->rate += at (results, i)->plan->rate;
      plan->requests += at (results, i)->plan->requests;
    }
}

static void
copy_target (TachoBenchResult *merged, GPtrArray *results)
{
  const TachoBenchResult *first = at (results, 0);
  char **ids = g_new0 (char *, results->len + 1);

  merged->target_url = g_strdup (first->target_url);
  merged->target_family = g_strdup (first->target_family);
  merged->target_description = g_strdup (first->target_description);
  merged->target_version = g_strdup (first->target_version);
  merged->stop_reason = g_strdup ("planned");
  for (guint i = 0; i < results->len; i++)
    {
      const TachoBenchResult *part = at (results, i);

      ids[i] = g_strdup (part->id);
      merged->simulated |= part->simulated;
      merged->interrupted |= part->interrupted;
      tacho_histogram_merge (merged->chunk_gaps, part->chunk_gaps);
    }
  merged->merged_from = ids;
}

/**
 * tacho_bench_merge:
 * @results: (element-type TachoBenchResult): at least two, each another run
 * @force: also if plans differ or the windows do not overlap
 * @error: return location
 *
 * Puts runs of several machines together. The window reaches from the first begin to the last end.
 *
 * Returns: (transfer full): the run, or %NULL with %TACHO_ERROR_INVALID
 */
TachoBenchResult *
tacho_bench_merge (GPtrArray *results, gboolean force, GError **error)
{
  TachoBenchResult *merged;
  const TachoBenchResult *earliest;
  guint64 next_id = 0;
  Windows w;

  if (!check_runs (results, force, error))
    return NULL;
  w = windows_of (results);
  if (!force && w.common_to <= w.common_from)
    {
      fail (error, "The runs were not at the same time: they are no parts of one load");
      return NULL;
    }
  earliest = at (results, 0);
  for (guint i = 1; i < results->len; i++)
    if (begin_s (at (results, i)) < begin_s (earliest))
      earliest = at (results, i);
  merged = tacho_bench_result_new (earliest->plan);
  add_up_plan (merged->plan, results);
  merged->window_start_ns = earliest->window_start_ns;
  merged->window_start_unix_us = earliest->window_start_unix_us;
  merged->window_s = MAX (w.to - w.from, earliest->window_s);
  g_free (merged->started);
  merged->started = g_strdup (earliest->started);
  copy_target (merged, results);
  for (guint i = 0; i < results->len; i++)
    add_records (merged, at (results, i), &next_id);
  tacho_bench_result_summarise (merged);
  fill_timeline (merged, results);
  fill_self_check (merged, results, &w);
  return merged;
}
