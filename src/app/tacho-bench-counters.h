/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The summary figures of a run, live and after it. */
#pragma once

#include <adwaita.h>
#include "bench/tacho-bench-run.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_COUNTERS (tacho_bench_counters_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchCounters, tacho_bench_counters, TACHO, BENCH_COUNTERS, AdwBin)

void tacho_bench_counters_clear (TachoBenchCounters *self);
void tacho_bench_counters_show_snapshot (TachoBenchCounters *self,
                                         const TachoBenchSnapshot *snapshot);
void tacho_bench_counters_show_result (TachoBenchCounters *self, const TachoBenchResult *result);

G_END_DECLS
