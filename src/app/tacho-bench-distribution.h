/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a latency is distributed: histogram and cumulative share, of a metric that is chosen. */
#pragma once

#include <adwaita.h>
#include "bench/tacho-bench-run.h"
#include "chart/tacho-series.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_DISTRIBUTION (tacho_bench_distribution_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchDistribution,
                      tacho_bench_distribution,
                      TACHO,
                      BENCH_DISTRIBUTION,
                      AdwBin)

GtkWidget *tacho_bench_distribution_new (void) G_GNUC_WARN_UNUSED_RESULT;
void tacho_bench_distribution_clear (TachoBenchDistribution *self);
void tacho_bench_distribution_show_snapshot (TachoBenchDistribution *self,
                                             const TachoBenchSnapshot *snapshot);
void tacho_bench_distribution_show_result (TachoBenchDistribution *self, TachoBenchResult *result);

/* Of TachoHistogramBin, from the samples of one metric of single requests. (transfer full) */
GArray *tacho_bench_distribution_dup_bins (TachoBenchResult *result,
                                           guint metric) G_GNUC_WARN_UNUSED_RESULT;
/* The share (per cent) at or below each value (ms). */
void tacho_bench_distribution_fill_cdf (TachoSeries *series, const GArray *bins);
/* The share (per cent) in each of equal parts of the range. */
void tacho_bench_distribution_fill_histogram (TachoSeries *series, const GArray *bins);

G_END_DECLS
