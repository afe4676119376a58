/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one load thread may send, and when: phases, arrivals, ramp. No I/O and no clock of its own,
 * so that it can be tested with made-up times. */
#pragma once

#include "bench/tacho-arrivals.h"
#include "bench/tacho-prompts.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_PHASE_WARMUP,
  TACHO_PHASE_MEASURE,
  TACHO_PHASE_COOLDOWN,
  TACHO_PHASE_OVER, /* nothing more is sent */
} TachoLoadPhase;

/* This thread's part of the load: numbers share, share + stride, … */
typedef struct
{
  guint64 share;
  guint64 stride;
} TachoLoadShare;

typedef struct
{
  const TachoBenchPlan *plan;
  TachoPrompts *prompts;
  TachoLoadShare share;
  guint places;    /* of this thread */
  gint64 begin_ns; /* of the run */
  TachoLoadPhase phase;
  gint64 window_start_ns;   /* 0: not open */
  gint64 measure_end_ns;    /* when sending stops to count; G_MAXINT64: by count */
  gint64 cooldown_end_ns;   /* 0: not in it */
  guint64 warmup_planned;   /* of this thread */
  guint64 measured_planned; /* 0: by duration */
  guint64 warmup_sent;
  guint64 measured_sent;
  /* Open loop. */
  TachoArrivals arrivals;
  guint64 next_index;  /* of the arrival that waits, of all threads */
  gint64 next_due_ns;  /* its time; G_MAXINT64: none left */
} TachoLoadSchedule;

void tacho_load_schedule_init (TachoLoadSchedule *self,
                               const TachoBenchPlan *plan,
                               TachoPrompts *prompts,
                               TachoLoadShare share,
                               gint64 begin_ns);
/* How a number of places or requests falls to a share. */
guint64 tacho_load_share_of (guint64 total, TachoLoadShare share);

/* Whether the warm-up of this thread is through but for what is in flight. */
gboolean tacho_load_schedule_warmup_is_sent (const TachoLoadSchedule *self, gint64 now_ns);
/* Whether the window opens without waiting for the warm-up's requests to end, and when. */
gboolean tacho_load_schedule_window_is_seamless (const TachoLoadSchedule *self);
gint64 tacho_load_schedule_window_due (const TachoLoadSchedule *self);
void tacho_load_schedule_open_window (TachoLoadSchedule *self, gint64 now_ns);
/* Moves on from measuring when its end has come. */
void tacho_load_schedule_update (TachoLoadSchedule *self, gint64 now_ns);
/* Whether a request may be sent now with `busy` places taken; *scheduled_ns: when it was due. */
gboolean tacho_load_schedule_may_send (TachoLoadSchedule *self,
                                       guint busy,
                                       gint64 now_ns,
                                       gint64 *scheduled_ns);
/* It was sent: the phase that it belongs to. */
TachoLoadPhase tacho_load_schedule_sent (TachoLoadSchedule *self, gint64 scheduled_ns);
/* The next moment at which may_send can change by itself; G_MAXINT64: none. */
gint64 tacho_load_schedule_wake_ns (const TachoLoadSchedule *self, guint busy);

G_END_DECLS
