/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a sweep has shown so far: curves over the load, the knee, the best load under the objective.
 */
#pragma once

#include <adwaita.h>
#include "bench/tacho-sweep.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_SWEEP_VIEW (tacho_bench_sweep_view_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchSweepView, tacho_bench_sweep_view, TACHO, BENCH_SWEEP_VIEW, AdwBin)

/* Reads the sweep anew. ended: no step follows. */
void tacho_bench_sweep_view_show (TachoBenchSweepView *self, TachoSweep *sweep, gboolean ended);
/* The run to look at: the best under the objective, else the knee, else the last; or NULL. */
TachoBenchResult *tacho_bench_sweep_view_choose (TachoSweep *sweep);

G_END_DECLS
