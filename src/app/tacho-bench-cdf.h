/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Distributions as lines of a chart: the share of requests within a time. */
#pragma once

#include "bench/tacho-bench-result.h"
#include "chart/tacho-series.h"

G_BEGIN_DECLS

/* The share (per cent) of the samples of a metric at or below each value. */
void tacho_bench_cdf_fill (TachoSeries *series, TachoBenchResult *result, guint metric);

G_END_DECLS
