/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The knee and the best load of a sweep. Definitions: docs/metrics.md, "Sweep". */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-sweep-points.h"

#include "base/tacho-error.h"

#include <math.h>
#include <string.h>

#define MAX_LOADS 64
#define MAX_LOAD 1e6
/* Below a gain of 5 % from one step to the next, twice, there is nothing more to come. */
#define GAIN 0.05
#define FAILED 0.2

/**
 * tacho_sweep_point_fill:
 * @point: (out caller-allocates): a point
 * @load: what was offered
 * @result: what came of it
 *
 * Reads from a run what the sweep needs.
 */
void
tacho_sweep_point_fill (TachoSweepPoint *point, double load, const TachoBenchResult *result)
{
  double all = (double) (result->ok + result->error + result->truncated);
  guint64 good = 0;

  for (guint i = 0; i < result->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (result->records, i);

      good += tacho_bench_record_counts (record) && record->slo_met;
    }
  *point = (TachoSweepPoint){
    .load = load,
    .throughput = result->output_tokens_per_s,
    .attainment = result->plan->slo != NULL && all > 0 ? (double) good / all : NAN,
    .goodput = result->goodput_per_s,
    .failed = all > 0 ? (double) (result->error + result->truncated) / all : 0,
    .ttft_ms_p95 = result->latency[TACHO_METRIC_TTFT].percentiles[TACHO_P95].value,
  };
}

static GArray *
bad_loads (const char *text, gboolean whole, GError **error)
{
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "“%.60s” is no list of %s: write them rising, as in 1,2,4,8, or FROM:TO:xFACTOR, or "
               "FROM:TO:+STEP; at most %d",
               text, whole ? "whole numbers" : "rates", MAX_LOADS);
  return NULL;
}

static gboolean
add_load (GArray *loads, double load, gboolean whole, gboolean series)
{
  double last = loads->len > 0 ? g_array_index (loads, double, loads->len - 1) : 0;

  if (whole)
    load = round (load);
  if (!isfinite (load) || load <= 0 || load > MAX_LOAD || loads->len >= MAX_LOADS)
    return FALSE;
  if (series && whole && load == last)
    return TRUE; /* 1.5 times 1 is 2, and 1.5 times that 3: rounding may stand still */
  if (load <= last)
    return FALSE;
  g_array_append_val (loads, load);
  return TRUE;
}

static gboolean
read_number (const char *text, double *value)
{
  char *end = NULL;

  *value = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && isfinite (*value);
}

static gboolean
read_series (char **parts, GArray *loads, gboolean whole)
{
  double from, to, step;
  gboolean factor = parts[2][0] == 'x';

  if (!read_number (parts[0], &from) || !read_number (parts[1], &to) ||
      (!factor && parts[2][0] != '+') || !read_number (parts[2] + 1, &step) || from <= 0 ||
      to < from || step <= (factor ? 1 : 0))
    return FALSE;
  for (double load = from; load <= to * (1 + 1e-9); load = factor ? load * step : load + step)
    if (!add_load (loads, load, whole, TRUE))
      return FALSE;
  return TRUE;
}

/**
 * tacho_sweep_loads_parse:
 * @text: "1,2,4,8", "1:64:x2" or "10:100:+10"
 * @whole: whether only whole numbers make sense
 * @error: return location
 *
 * Returns: (transfer full) (element-type double): the loads, rising, or %NULL with
 * %TACHO_ERROR_INVALID
 */
GArray *
tacho_sweep_loads_parse (const char *text, gboolean whole, GError **error)
{
  g_autoptr (GArray) loads = g_array_new (FALSE, FALSE, sizeof (double));
  g_auto (GStrv) series = g_strsplit (text, ":", -1);
  g_auto (GStrv) list = g_strsplit (text, ",", -1);

  if (g_strv_length (series) == 3)
    return read_series (series, loads, whole) ? g_steal_pointer (&loads)
                                              : bad_loads (text, whole, error);
  for (char **word = list; *word != NULL; word++)
    {
      double load;

      if (!read_number (g_strstrip (*word), &load) || (whole && load != floor (load)) ||
          !add_load (loads, load, whole, FALSE))
        return bad_loads (text, whole, error);
    }
  return loads->len > 0 ? g_steal_pointer (&loads) : bad_loads (text, whole, error);
}

/**
 * tacho_sweep_find_knee:
 * @points: (array length=n): sorted by load
 * @n: how many
 *
 * The point farthest above the line from the first to the last, both axes scaled to 0 … 1 and the
 * load by its logarithm (the idea of Satopaa et al. 2011, "Finding a Kneedle in a Haystack").
 *
 * Returns: its index, or -1 where the curve has no bend
 */
int
tacho_sweep_find_knee (const TachoSweepPoint *points, guint n)
{
  double highest = 0, best = 0.05;
  double span;
  int knee = -1;

  if (n < 3)
    return -1;
  for (guint i = 0; i < n; i++)
    highest = MAX (highest, points[i].throughput);
  span = log (points[n - 1].load / points[0].load);
  for (guint i = 0; i < n && highest > 0; i++)
    {
      double x = log (points[i].load / points[0].load) / span;
      double from = points[0].throughput / highest;
      double to = points[n - 1].throughput / highest;
      double above = points[i].throughput / highest - (from + x * (to - from));

      if (above > best)
        {
          best = above;
          knee = (int) i;
        }
    }
  return knee;
}

/**
 * tacho_sweep_find_best:
 * @points: (array length=n): sorted by load
 * @n: how many
 *
 * Returns: the index of the highest goodput among those where 95 % of the requests met the
 * objective, or -1
 */
int
tacho_sweep_find_best (const TachoSweepPoint *points, guint n)
{
  int best = -1;

  for (guint i = 0; i < n; i++)
    if (points[i].attainment >= TACHO_SWEEP_ATTAINMENT &&
        (best < 0 || points[i].goodput > points[best].goodput))
      best = (int) i;
  return best;
}

/**
 * tacho_sweep_is_saturated:
 * @points: (array length=n): sorted by load
 * @n: how many
 *
 * Returns: whether more load brings nothing but waiting: two steps with less than 5 % more
 * throughput while the TTFT p95 rose, or a fifth of the requests failed
 */
gboolean
tacho_sweep_is_saturated (const TachoSweepPoint *points, guint n)
{
  if (n > 0 && points[n - 1].failed > FAILED)
    return TRUE;
  if (n < 3)
    return FALSE;
  for (guint i = n - 2; i < n; i++)
    if (points[i].throughput > points[i - 1].throughput * (1 + GAIN) ||
        !(points[i].ttft_ms_p95 > points[i - 1].ttft_ms_p95))
      return FALSE;
  return TRUE;
}

/**
 * tacho_sweep_next_load:
 * @points: (array length=n): sorted by load
 * @n: how many
 * @whole: whether only whole numbers make sense
 *
 * Where to look closer for the highest load under the objective.
 *
 * Returns: the geometric middle between the highest load that meets it and the next; 0: nothing to
 * gain
 */
double
tacho_sweep_next_load (const TachoSweepPoint *points, guint n, gboolean whole)
{
  for (guint i = n; i-- > 1;)
    {
      double low = points[i - 1].load, high = points[i].load;
      double middle = sqrt (low * high);

      if (!(points[i - 1].attainment >= TACHO_SWEEP_ATTAINMENT) ||
          points[i].attainment >= TACHO_SWEEP_ATTAINMENT)
        continue;
      if (whole)
        middle = floor (middle);
      return middle > low * 1.02 && middle < high * 0.98 ? middle : 0;
    }
  return 0;
}
