/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The four live charts of a run: throughput, time to first token, chunk gap, in flight. */
#pragma once

#include <adwaita.h>
#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_CHARTS (tacho_bench_charts_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchCharts, tacho_bench_charts, TACHO, BENCH_CHARTS, AdwBin)

void tacho_bench_charts_clear (TachoBenchCharts *self);
/* The run's time so far; only what is new since the last call is added. */
void tacho_bench_charts_update (TachoBenchCharts *self, const TachoBenchPoint *timeline, gsize n);
/* A run that has ended, whole. */
void tacho_bench_charts_show_result (TachoBenchCharts *self, TachoBenchResult *result);

G_END_DECLS
