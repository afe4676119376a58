/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One model's batch: the part of the engine that decides what a step is. */
#pragma once

#include "sim/tacho-sim-engine.h"

G_BEGIN_DECLS

#define TACHO_SIM_MAX_LAG_NS                                                                       \
  (G_GINT64_CONSTANT (250) * 1000 * 1000) /* more behind: a new schedule */

gboolean tacho_sim_batch_is_idle (TachoSimRuntime *runtime);
/* Out of its slot, and what it holds in the KV cache with it. */
void tacho_sim_batch_release (TachoSimRuntime *runtime, TachoSimSequence *sequence);
void tacho_sim_batch_admit (TachoSimRuntime *runtime, gint64 at);
gint64 tacho_sim_batch_plan (TachoSimRuntime *runtime, gint64 from, gint64 due);
void tacho_sim_batch_run (TachoSimRuntime *runtime, gint64 due, gint64 now);

G_END_DECLS
