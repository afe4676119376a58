/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several runs laid over each other: throughput and TTFT over time, distributions of TTFT and of
 * whole requests. */
#pragma once

#include <adwaita.h>
#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_OVERLAY_CHARTS (tacho_bench_overlay_charts_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchOverlayCharts,
                      tacho_bench_overlay_charts,
                      TACHO,
                      BENCH_OVERLAY_CHARTS,
                      AdwBin)

/* results: of TachoBenchResult; names: of char *, as many. */
void tacho_bench_overlay_charts_set_results (TachoBenchOverlayCharts *self,
                                             GPtrArray *results,
                                             GPtrArray *names);

G_END_DECLS
