/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mean, sd, min, max and percentiles, each percentile with a 95 % interval from order statistics
 * and a flag that says whether the sample is large enough for it. docs/metrics.md has the formulas.
 */
#pragma once

#include "bench/tacho-histogram.h"

G_BEGIN_DECLS

typedef struct
{
  double value;
  double low; /* 95 % interval; NaN where the sample is too small to give that side */
  double high;
  gboolean enough; /* the early-stopping minimum: p50 11, p90 64, p95 130, p99 662, p99.9 6636 */
} TachoPercentile;

enum
{
  TACHO_P50,
  TACHO_P75,
  TACHO_P90,
  TACHO_P95,
  TACHO_P99,
  TACHO_P99_9,
  TACHO_N_PERCENTILES
};

typedef struct
{
  guint64 n;
  double mean, sd, min, max; /* milliseconds; NaN when n is 0 */
  TachoPercentile percentiles[TACHO_N_PERCENTILES];
} TachoDistribution;

extern const double tacho_percentile_quantiles[TACHO_N_PERCENTILES];  /* 0.5 … 0.999 */
extern const char *const tacho_percentile_names[TACHO_N_PERCENTILES]; /* "p50" … "p99.9" */

/* values are sorted in place; they and the result are in the same unit. */
void tacho_distribution_from_samples (TachoDistribution *distribution, double *values, gsize n);
void tacho_distribution_from_histogram (TachoDistribution *distribution,
                                        const TachoHistogram *histogram,
                                        double scale);  /* result = value * scale */
guint64 tacho_percentile_min_samples (double quantile); /* for `enough`, 99 % confidence */

void tacho_sort_doubles (double *values, gsize n);

G_END_DECLS
