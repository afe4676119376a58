/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arrivals of a renewal process with unit mean, put on the clock by the inverse of the expected
 * number of arrivals (Cinlar 1975, the inversion of a non-homogeneous process). So a rising rate
 * needs no thinning, and nothing adds up from one wait to the next: the schedule cannot drift. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-arrivals.h"

#include "base/tacho-clock.h"

#include <math.h>

#define STREAM_ARRIVALS G_GUINT64_CONSTANT (0x617272697661)

/**
 * tacho_arrivals_init:
 * @arrivals: (out caller-allocates): the schedule
 * @plan: a valid plan with a rate
 *
 * Begins the schedule.
 */
void
tacho_arrivals_init (TachoArrivals *arrivals, const TachoBenchPlan *plan)
{
  *arrivals = (TachoArrivals){
    .kind = plan->load,
    .rate = plan->rate,
    .shape = plan->gamma_shape,
    .ramp_s = plan->ramp_s,
    .random = tacho_random_new (plan->seed, STREAM_ARRIVALS),
  };
}

static double
gap (TachoArrivals *self)
{
  switch (self->kind)
    {
    case TACHO_LOAD_POISSON:
      return -log (tacho_random_unit (&self->random));
    case TACHO_LOAD_GAMMA:
      return tacho_random_gamma (&self->random, self->shape) / self->shape;
    case TACHO_LOAD_CONSTANT:
    case TACHO_LOAD_CLOSED:
    case TACHO_LOAD_TRACE:
    default:
      return self->index == 0 ? 0 : 1; /* the first at once */
    }
}

/* Expected arrivals by t: rate t^2 / (2 ramp) while it rises, then rate (t - ramp / 2). */
static double
time_of (const TachoArrivals *self)
{
  double in_ramp = self->rate * self->ramp_s / 2;

  if (self->work < in_ramp)
    return sqrt (2 * self->ramp_s * self->work / self->rate);
  return self->ramp_s + (self->work - in_ramp) / self->rate;
}

/**
 * tacho_arrivals_next:
 * @arrivals: a schedule
 *
 * Returns: nanoseconds from the start of the run to the next arrival
 */
gint64
tacho_arrivals_next (TachoArrivals *arrivals)
{
  arrivals->work += gap (arrivals);
  arrivals->index++;
  return (gint64) (time_of (arrivals) * TACHO_NS_PER_S);
}
