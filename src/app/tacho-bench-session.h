/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What Run starts: one run, or a sweep of runs. Kept in the history as it goes on.
 * Signals: "step" (): the next run of a sweep begins, or the only one;
 *   "snapshot" (const TachoBenchSnapshot *): of the run that goes on;
 *   "step-ended" (TachoBenchResult *): it has ended;
 *   "ended": once. */
#pragma once

#include "bench/tacho-sweep.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_SESSION (tacho_bench_session_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchSession, tacho_bench_session, TACHO, BENCH_SESSION, GObject)

/* loads: of double, NULL: a single run */
TachoBenchSession *tacho_bench_session_new (TachoClientManager *manager,
                                            const TachoBenchPlan *plan,
                                            GArray *loads,
                                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_bench_session_start (TachoBenchSession *self, GError **error);
void tacho_bench_session_stop (TachoBenchSession *self); /* what was measured is kept */

TachoSweep *tacho_bench_session_get_sweep (TachoBenchSession *self); /* NULL: a single run */
/* Of the run that goes on; of a sweep, with the load of its step. */
const TachoBenchPlan *tacho_bench_session_get_plan (TachoBenchSession *self);
guint tacho_bench_session_get_step (TachoBenchSession *self, guint *n);     /* from 1 */
TachoBenchResult *tacho_bench_session_get_result (TachoBenchSession *self); /* the last; or NULL */
const GError *tacho_bench_session_get_error (TachoBenchSession *self);

G_END_DECLS
