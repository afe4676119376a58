/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Synthetic requests: a pure function of plan, salt and number, so that a seed always gives the
 * same plan. */
#pragma once

#include "api/tacho-generate.h"
#include "bench/tacho-bench-plan.h"

G_BEGIN_DECLS

/* salt: random per run (0 where the plan wants none); number: the request's, warm-up included. */
TachoGenerateRequest *tacho_prompts_make (const TachoBenchPlan *plan,
                                          guint64 salt,
                                          guint64 number) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
