/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One thread of the load engine, and what the threads of a run share. */
#pragma once

#include "bench/tacho-load-schedule.h"
#include "bench/tacho-load-stream.h"

G_BEGIN_DECLS

typedef struct _TachoLoadLoop TachoLoadLoop;

typedef struct
{
  const TachoLoadConfig *config;
  TachoPrompts *prompts;
  TachoRecorder *recorder;
  guint64 salt;
  guint n_loops;
  TachoLoadLoop **loops;
  gint64 begin_ns;
  gint64 window_start_ns; /* atomic; 0: not known yet */
  int stop;               /* atomic TachoLoadStop: the first reason stands */
  int in_flight;          /* atomic, of all threads */
  int loops_in_warmup;    /* atomic: drained warm-ups to wait for */
  int capped;             /* atomic: an arrival found every place taken */
  GMutex mutex;
  GError *fatal; /* why the run cannot go on; under the mutex */
  TachoLoadFunc func;
  gpointer func_data;
} TachoLoadShared;

/* What a thread saw of itself. */
typedef struct
{
  TachoHistogram *lag;  /* ns from epoll's return to the last event of its batch */
  TachoHistogram *late; /* ns from when a tick was due to when the loop woke */
  guint64 chunks, own_reads;
  gint64 cpu_ns;
  gint64 last_end_ns;
  gint64 measure_end_ns; /* G_MAXINT64: by count */
  guint64 requests_ended, reused, connections;
} TachoLoadAccount;

TachoLoadLoop *tacho_load_loop_new (TachoLoadShared *shared,
                                    guint index,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
void tacho_load_loop_free (TachoLoadLoop *self);
void tacho_load_loop_run (TachoLoadLoop *self);  /* in its thread */
void tacho_load_loop_wake (TachoLoadLoop *self); /* from any thread */
const TachoLoadAccount *tacho_load_loop_get_account (TachoLoadLoop *self);

/* The first reason stands; wakes all. From any thread. */
void tacho_load_shared_stop (TachoLoadShared *shared, TachoLoadStop reason);

G_END_DECLS
