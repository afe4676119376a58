/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The charts of a run: what happened over time, how the server did meanwhile, and how latency is
 * distributed. One crosshair and one zoom over all that have the same time. */
#pragma once

#include <adwaita.h>
#include "bench/tacho-bench-run.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_CHARTS (tacho_bench_charts_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchCharts, tacho_bench_charts, TACHO, BENCH_CHARTS, AdwBin)

void tacho_bench_charts_clear (TachoBenchCharts *self);
/* A run that goes on: only what is new since the last call is added. */
void tacho_bench_charts_show_snapshot (TachoBenchCharts *self, const TachoBenchSnapshot *snapshot);
/* A run that has ended, whole. */
void tacho_bench_charts_show_result (TachoBenchCharts *self, TachoBenchResult *result);

G_END_DECLS
