/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The phases of a run, for one load thread.
 *
 * Closed loop: the warm-up is drained before the window opens, so that nothing of it lies in the
 * window; with a ramp it is not, for draining would undo the ramp. Open loop: the schedule goes on
 * from warm-up to window to cool-down without a seam, and a request belongs to the phase in which
 * it was due, however late it is sent. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-load-schedule.h"

#include "base/tacho-clock.h"

#include <math.h>

static gint64
ns (double seconds)
{
  return (gint64) (seconds * TACHO_NS_PER_S);
}

/**
 * tacho_load_share_of:
 * @total: places or requests of all
 * @share: one of them
 *
 * Returns: how many of 0 … @total - 1 are in the share
 */
guint64
tacho_load_share_of (guint64 total, TachoLoadShare share)
{
  return total / share.stride + (share.share < total % share.stride);
}

static void
next_arrival (TachoLoadSchedule *self)
{
  gboolean trace = self->plan->load == TACHO_LOAD_TRACE;
  gint64 offset;

  for (;;)
    {
      guint64 index = self->next_index++;

      offset = trace ? tacho_prompts_get_due_ns (self->prompts, index)
                     : tacho_arrivals_next (&self->arrivals);
      if (offset < 0)
        {
          self->next_due_ns = G_MAXINT64;
          return;
        }
      if (index % self->share.stride == self->share.share)
        break;
    }
  self->next_due_ns = self->begin_ns + offset;
}

/**
 * tacho_load_schedule_init:
 * @self: (out caller-allocates): the schedule
 * @plan: valid; outlives @self
 * @prompts: outlives @self
 * @share: this thread's
 * @begin_ns: of the run
 *
 * Begins with the warm-up.
 */
void
tacho_load_schedule_init (TachoLoadSchedule *self,
                          const TachoBenchPlan *plan,
                          TachoPrompts *prompts,
                          TachoLoadShare share,
                          gint64 begin_ns)
{
  guint64 requests = plan->requests;

  *self = (TachoLoadSchedule){
    .plan = plan,
    .prompts = prompts,
    .share = share,
    .begin_ns = begin_ns,
    .measure_end_ns = G_MAXINT64,
    .places = (guint) tacho_load_share_of (plan->concurrency, share),
  };
  if (plan->load == TACHO_LOAD_TRACE && requests == 0 && plan->duration_s <= 0)
    {
      guint n = tacho_prompts_get_n (prompts);

      requests = n > plan->warmup_requests ? n - plan->warmup_requests : 0;
    }
  self->warmup_planned = tacho_load_share_of (plan->warmup_requests, share);
  self->measured_planned = tacho_load_share_of (requests + plan->warmup_requests, share) -
                           self->warmup_planned;
  if (!tacho_bench_plan_is_open (plan))
    return;
  tacho_arrivals_init (&self->arrivals, plan);
  next_arrival (self);
}

static gint64
warmup_ns (const TachoLoadSchedule *self)
{
  return ns (MAX (self->plan->warmup_s, self->plan->ramp_s));
}

/**
 * tacho_load_schedule_warmup_is_sent:
 * @self: a schedule in its warm-up
 * @now_ns: now
 *
 * Returns: whether no more request of the warm-up is to be sent
 */
gboolean
tacho_load_schedule_warmup_is_sent (const TachoLoadSchedule *self, gint64 now_ns)
{
  if (warmup_ns (self) > 0)
    return now_ns - self->begin_ns >= warmup_ns (self);
  return self->warmup_sent >= self->warmup_planned;
}

/**
 * tacho_load_schedule_window_is_seamless:
 * @self: a schedule
 *
 * Returns: whether the window opens while requests of the warm-up are still in flight
 */
gboolean
tacho_load_schedule_window_is_seamless (const TachoLoadSchedule *self)
{
  return tacho_bench_plan_is_open (self->plan) || self->plan->ramp_s > 0;
}

/* The arrival with which measuring begins, of all threads. */
static gint64
first_measured_due (const TachoLoadSchedule *self)
{
  TachoArrivals arrivals;
  gint64 due = 0;

  if (self->plan->load == TACHO_LOAD_TRACE)
    return MAX (0, tacho_prompts_get_due_ns (self->prompts, self->plan->warmup_requests));
  tacho_arrivals_init (&arrivals, self->plan);
  for (guint64 i = 0; i <= self->plan->warmup_requests; i++)
    due = tacho_arrivals_next (&arrivals);
  return due;
}

/**
 * tacho_load_schedule_window_due:
 * @self: a schedule whose window is seamless
 *
 * Returns: when the window opens; the same in every thread
 */
gint64
tacho_load_schedule_window_due (const TachoLoadSchedule *self)
{
  gint64 by_time = self->begin_ns + warmup_ns (self);

  if (!tacho_bench_plan_is_open (self->plan) || warmup_ns (self) > 0)
    return by_time;
  return self->begin_ns + first_measured_due (self);
}

/**
 * tacho_load_schedule_open_window:
 * @self: a schedule in its warm-up
 * @now_ns: when the window opens
 *
 * From now on requests are measured.
 */
void
tacho_load_schedule_open_window (TachoLoadSchedule *self, gint64 now_ns)
{
  self->phase = TACHO_PHASE_MEASURE;
  self->window_start_ns = now_ns;
  if (self->plan->duration_s > 0)
    self->measure_end_ns = now_ns + ns (self->plan->duration_s);
}

static gboolean
measuring_is_over (const TachoLoadSchedule *self, gint64 now_ns)
{
  if (self->plan->duration_s <= 0)
    return self->measured_sent >= self->measured_planned || self->next_due_ns == G_MAXINT64;
  /* What was due before the end is still sent, late as it may be. */
  if (tacho_bench_plan_is_open (self->plan))
    return self->next_due_ns >= self->measure_end_ns;
  return now_ns >= self->measure_end_ns;
}

/**
 * tacho_load_schedule_update:
 * @self: a schedule
 * @now_ns: now
 *
 * Moves on to the cool-down and to the end.
 */
void
tacho_load_schedule_update (TachoLoadSchedule *self, gint64 now_ns)
{
  if (self->phase == TACHO_PHASE_MEASURE && measuring_is_over (self, now_ns))
    {
      gint64 from = MIN (now_ns, self->measure_end_ns);

      self->phase = TACHO_PHASE_COOLDOWN;
      self->cooldown_end_ns = from + ns (self->plan->cooldown_s);
    }
  if (self->phase == TACHO_PHASE_COOLDOWN && now_ns >= self->cooldown_end_ns)
    self->phase = TACHO_PHASE_OVER;
}

static guint
places_open (const TachoLoadSchedule *self, gint64 now_ns)
{
  gint64 ramp = ns (self->plan->ramp_s);
  gint64 passed = now_ns - self->begin_ns;

  if (ramp <= 0 || passed >= ramp)
    return self->places;
  return MIN (self->places, 1 + (guint) ((double) self->places * (double) passed / (double) ramp));
}

static gboolean
may_send_closed (const TachoLoadSchedule *self, guint busy, gint64 now_ns)
{
  if (busy >= places_open (self, now_ns))
    return FALSE;
  if (self->phase == TACHO_PHASE_WARMUP)
    return !tacho_load_schedule_warmup_is_sent (self, now_ns);
  return self->phase == TACHO_PHASE_MEASURE || self->phase == TACHO_PHASE_COOLDOWN;
}

/**
 * tacho_load_schedule_may_send:
 * @self: a schedule
 * @busy: places that are taken
 * @now_ns: now
 * @scheduled_ns: (out): when the request was due
 *
 * Returns: whether one may be sent now
 */
gboolean
tacho_load_schedule_may_send (TachoLoadSchedule *self,
                              guint busy,
                              gint64 now_ns,
                              gint64 *scheduled_ns)
{
  tacho_load_schedule_update (self, now_ns);
  if (self->phase == TACHO_PHASE_OVER || busy >= self->places)
    return FALSE;
  *scheduled_ns = now_ns;
  if (!tacho_bench_plan_is_open (self->plan))
    return may_send_closed (self, busy, now_ns);
  *scheduled_ns = self->next_due_ns;
  return self->next_due_ns <= now_ns;
}

/**
 * tacho_load_schedule_sent:
 * @self: a schedule that said that a request may be sent
 * @scheduled_ns: when it was due
 *
 * Counts it, and in an open loop goes on to the next arrival.
 *
 * Returns: the phase that it belongs to
 */
TachoLoadPhase
tacho_load_schedule_sent (TachoLoadSchedule *self, gint64 scheduled_ns)
{
  gboolean open = tacho_bench_plan_is_open (self->plan);
  TachoLoadPhase phase = self->phase;

  /* Due in the warm-up and sent late: it still is of the warm-up. */
  if (open && phase == TACHO_PHASE_MEASURE && scheduled_ns < self->window_start_ns)
    phase = TACHO_PHASE_WARMUP;
  self->warmup_sent += phase == TACHO_PHASE_WARMUP;
  self->measured_sent += phase == TACHO_PHASE_MEASURE;
  if (open)
    next_arrival (self);
  return phase;
}

/**
 * tacho_load_schedule_wake_ns:
 * @self: a schedule
 * @busy: places that are taken
 *
 * Returns: when to look again though nothing else happens
 */
gint64
tacho_load_schedule_wake_ns (const TachoLoadSchedule *self, guint busy)
{
  gint64 wake = G_MAXINT64;
  gint64 ramp = ns (self->plan->ramp_s);

  if (self->phase == TACHO_PHASE_WARMUP && warmup_ns (self) > 0)
    wake = self->begin_ns + warmup_ns (self);
  if (self->phase == TACHO_PHASE_MEASURE)
    wake = self->measure_end_ns;
  if (self->phase == TACHO_PHASE_COOLDOWN)
    wake = self->cooldown_end_ns;
  if (busy >= self->places || self->phase == TACHO_PHASE_OVER)
    return wake;
  if (tacho_bench_plan_is_open (self->plan))
    return MIN (wake, self->next_due_ns);
  if (ramp > 0 && self->phase == TACHO_PHASE_WARMUP)
    wake = MIN (wake, self->begin_ns + (gint64) ((double) ramp * busy / self->places) + 1);
  return wake;
}
