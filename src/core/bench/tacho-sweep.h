/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs of the same plan at rising load. Signals, on the context that called start:
 *   "step" (const TachoBenchPlan *): a run begins;
 *   "snapshot" (const TachoBenchSnapshot *): of the run that goes on;
 *   "step-ended" (TachoBenchResult *);
 *   "ended": once. */
#pragma once

#include "bench/tacho-bench-run.h"
#include "bench/tacho-sweep-points.h"

G_BEGIN_DECLS

#define TACHO_TYPE_SWEEP (tacho_sweep_get_type ())
G_DECLARE_FINAL_TYPE (TachoSweep, tacho_sweep, TACHO, SWEEP, GObject)

/* loads: of double, rising. The plan's kind of load says what they are: concurrency, or rates. */
TachoSweep *tacho_sweep_new (TachoClientManager *manager,
                             const TachoBenchPlan *plan,
                             GArray *loads,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* More steps around the highest load that meets the objective; 0: none. Default 3. */
void tacho_sweep_set_refine (TachoSweep *self, guint steps);
void tacho_sweep_set_stop_when_saturated (TachoSweep *self, gboolean stop); /* TRUE */
void tacho_sweep_set_keep_chunks (TachoSweep *self, gboolean keep); /* for the records */
gboolean tacho_sweep_start (TachoSweep *self, GError **error);
void tacho_sweep_stop (TachoSweep *self); /* what was measured is kept */
GPtrArray *tacho_sweep_get_results (TachoSweep *self); /* of TachoBenchResult, by load */
const TachoSweepPoint *tacho_sweep_get_points (TachoSweep *self, guint *n); /* by load */
gboolean tacho_sweep_get_saturated (TachoSweep *self);                      /* it ended early */
gboolean tacho_sweep_get_interrupted (TachoSweep *self);
const GError *tacho_sweep_get_error (TachoSweep *self);
char *tacho_sweep_to_json (TachoSweep *self) G_GNUC_WARN_UNUSED_RESULT; /* tacho.sweep/1 */

G_END_DECLS
