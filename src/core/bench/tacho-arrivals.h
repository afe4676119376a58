/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When the requests of an open loop are due: an absolute schedule, the same for the same plan. */
#pragma once

#include "bench/tacho-bench-plan.h"
#include "bench/tacho-random.h"

G_BEGIN_DECLS

typedef struct
{
  TachoLoadKind kind;
  double rate;
  double shape;
  double ramp_s;
  TachoRandom random;
  double work;   /* arrivals that a rate of one a second would have had by now */
  guint64 index; /* of the next */
} TachoArrivals;

void tacho_arrivals_init (TachoArrivals *arrivals, const TachoBenchPlan *plan);
/* Nanoseconds from the start of the run to the next arrival; never less than the one before. */
gint64 tacho_arrivals_next (TachoArrivals *arrivals);

G_END_DECLS
