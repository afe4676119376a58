/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The form of a benchmark: presets, what matters most, an estimate, and the rest folded away.
 * Signal "changed" (). */
#pragma once

#include <adwaita.h>
#include "app/tacho-connection.h"
#include "bench/tacho-bench-plan.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_PLAN_EDITOR (tacho_bench_plan_editor_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchPlanEditor,
                      tacho_bench_plan_editor,
                      TACHO,
                      BENCH_PLAN_EDITOR,
                      AdwBin)

void tacho_bench_plan_editor_set_connection (TachoBenchPlanEditor *self,
                                             TachoConnection *connection);
/* loads: of a sweep, as a person writes them; NULL: a single run. */
void tacho_bench_plan_editor_set_plan (TachoBenchPlanEditor *self,
                                       const TachoBenchPlan *plan,
                                       const char *loads);
/* NULL: something cannot be read; its field has the focus. loads: (out): of double, or NULL. */
TachoBenchPlan *tacho_bench_plan_editor_make_plan (TachoBenchPlanEditor *self,
                                                   const char *model,
                                                   GArray **loads,
                                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
void tacho_bench_plan_editor_save (TachoBenchPlanEditor *self);

G_END_DECLS
