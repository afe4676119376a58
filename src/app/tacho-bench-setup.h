/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The form of a benchmark: model, concurrency, what ends the run, lengths, warm-up. */
#pragma once

#include <adwaita.h>
#include "app/tacho-connection.h"
#include "bench/tacho-bench-plan.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_SETUP (tacho_bench_setup_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchSetup, tacho_bench_setup, TACHO, BENCH_SETUP, AdwBin)

void tacho_bench_setup_set_connection (TachoBenchSetup *self, TachoConnection *connection);
TachoBenchPlan *tacho_bench_setup_make_plan (TachoBenchSetup *self,
                                             const char *model) G_GNUC_WARN_UNUSED_RESULT;
void tacho_bench_setup_set_plan (TachoBenchSetup *self, const TachoBenchPlan *plan);
void tacho_bench_setup_save (TachoBenchSetup *self);

G_END_DECLS
