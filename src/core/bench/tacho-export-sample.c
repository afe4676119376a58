/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Percentiles as numpy has them (linear, Hyndman and Fan's type 7). */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-export-sample.h"

#include "base/tacho-clock.h"

#include <math.h>

/**
 * tacho_export_sample_init_values:
 * @sample: (out caller-allocates): the sample
 * @values: (transfer full) (array length=n): finite numbers
 * @n: how many
 *
 * Describes them.
 */
void
tacho_export_sample_init_values (TachoExportSample *sample, double *values, gsize n)
{
  double squares = 0;

  *sample = (TachoExportSample){ .values = values, .n = n };
  tacho_sort_doubles (values, n);
  for (gsize i = 0; i < n; i++)
    sample->sum += values[i];
  sample->mean = n > 0 ? sample->sum / (double) n : NAN;
  for (gsize i = 0; i < n; i++)
    squares += (values[i] - sample->mean) * (values[i] - sample->mean);
  sample->sd_population = n > 0 ? sqrt (squares / (double) n) : NAN;
  sample->min = n > 0 ? values[0] : NAN;
  sample->max = n > 0 ? values[n - 1] : NAN;
}

/**
 * tacho_export_sample_init:
 * @sample: (out caller-allocates): the sample; the chunk gaps' is valid as long as @result
 * @result: a run
 * @metric: %TACHO_METRIC_TTFT …
 *
 * Takes a metric of the requests that count and ended well.
 */
void
tacho_export_sample_init (TachoExportSample *sample, TachoBenchResult *result, guint metric)
{
  const TachoDistribution *d = &result->latency[metric];
  gsize n;

  if (metric != TACHO_METRIC_CHUNK_GAP)
    {
      double *values = tacho_bench_result_dup_samples (result, metric, &n);

      tacho_export_sample_init_values (sample, values, n);
      return;
    }
  n = (gsize) d->n;
  *sample = (TachoExportSample){
    .histogram = result->chunk_gaps,
    .n = n,
    .mean = d->mean,
    .min = d->min,
    .max = d->max,
    .sum = n > 0 ? d->mean * (double) n : 0,
    .sd_population = n > 1 ? d->sd * sqrt ((double) (n - 1) / (double) n) : n == 1 ? 0 : NAN,
  };
}

/**
 * tacho_export_sample_clear:
 * @sample: a sample
 *
 * Frees what it holds.
 */
void
tacho_export_sample_clear (TachoExportSample *sample)
{
  g_clear_pointer (&sample->values, g_free);
}

static double
at_rank (const TachoExportSample *sample, gsize rank)
{
  if (sample->values != NULL)
    return sample->values[rank - 1];
  return (double) tacho_histogram_value_at_rank (sample->histogram, rank) / TACHO_NS_PER_MS;
}

/**
 * tacho_export_sample_percentile:
 * @sample: a sample
 * @percent: 0 … 100
 *
 * Returns: milliseconds, NaN where there is none
 */
double
tacho_export_sample_percentile (const TachoExportSample *sample, double percent)
{
  double h = (double) (sample->n - 1) * percent / 100;
  gsize below = (gsize) h;
  double low;

  if (sample->n == 0)
    return NAN;
  low = at_rank (sample, below + 1);
  return below + 2 <= sample->n ? low + (h - (double) below) * (at_rank (sample, below + 2) - low)
                                : low;
}

/**
 * tacho_export_add_string:
 * @builder: inside an object
 * @name: of the member
 * @value: (nullable): %NULL becomes null
 *
 * Adds a member.
 */
void
tacho_export_add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

/**
 * tacho_export_add_double:
 * @builder: inside an object
 * @name: of the member
 * @value: NaN and infinities become null
 *
 * Adds a member.
 */
void
tacho_export_add_double (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  if (isfinite (value))
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

/**
 * tacho_export_add_int:
 * @builder: inside an object
 * @name: of the member
 * @value: a number
 *
 * Adds a member.
 */
void
tacho_export_add_int (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

/**
 * tacho_export_max_in_flight:
 * @result: a run
 *
 * Goes through starts and ends in their order.
 *
 * Returns: the most requests that were in flight at a time, those that do not count included
 */
guint
tacho_export_max_in_flight (TachoBenchResult *result)
{
  guint n = result->records->len;
  g_autofree double *starts = g_new (double, n + 1);
  g_autofree double *ends = g_new (double, n + 1);
  guint most = 0, ended = 0;

  for (guint i = 0; i < n; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (result->records, i);

      starts[i] = (double) (record->start_ns - result->window_start_ns);
      ends[i] = (double) (record->end_ns - result->window_start_ns);
    }
  tacho_sort_doubles (starts, n);
  tacho_sort_doubles (ends, n);
  for (guint i = 0; i < n; i++)
    {
      while (ended < n && ends[ended] <= starts[i])
        ended++;
      most = MAX (most, i + 1 - ended);
    }
  return most;
}
