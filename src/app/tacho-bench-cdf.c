/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Distributions as lines of a chart. */
#define G_LOG_DOMAIN "tacho-bench-cdf"

#include "config.h"

#include "app/tacho-bench-cdf.h"

/**
 * tacho_bench_cdf_fill:
 * @series: an empty line
 * @result: a run
 * @metric: TACHO_METRIC_…, of single requests
 *
 * The empirical distribution: at each sample, the share (per cent) of samples that are no larger.
 */
void
tacho_bench_cdf_fill (TachoSeries *series, TachoBenchResult *result, guint metric)
{
  gsize n = 0;
  g_autofree double *values = tacho_bench_result_dup_samples (result, metric, &n);

  tacho_sort_doubles (values, n);
  for (gsize i = 0; i < n; i++)
    {
      double share = 100.0 * (double) (i + 1) / (double) n;

      /* Of equal samples the last says it all. */
      if (i + 1 < n && values[i + 1] <= values[i])
        continue;
      tacho_series_append (series, values[i], share, share);
    }
}
