/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a plan can say besides load, length and tokens: folded away by the plan editor.
 * Signal "changed" (). */
#pragma once

#include <adwaita.h>
#include "bench/tacho-bench-plan.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_OPTIONS (tacho_bench_options_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchOptions, tacho_bench_options, TACHO, BENCH_OPTIONS, AdwBin)

void tacho_bench_options_set_plan (TachoBenchOptions *self, const TachoBenchPlan *plan);
/* Shows what this kind of load has. */
void tacho_bench_options_set_load (TachoBenchOptions *self, TachoLoadKind load);
/* grpc: the server has a gRPC side that can be measured, besides its REST side. */
void tacho_bench_options_set_grpc (TachoBenchOptions *self, gboolean grpc);
/* FALSE: a field cannot be read. */
gboolean tacho_bench_options_apply (TachoBenchOptions *self, TachoBenchPlan *plan, GError **error);

G_END_DECLS
