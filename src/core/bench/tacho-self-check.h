/* SPDX-License-Identifier: GPL-3.0-or-later */
/* May the client have distorted the run? A pure function of what the engine saw of itself. */
#pragma once

#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

typedef struct
{
  const TachoHistogram *lag;  /* ns from epoll's return to the last event of its batch */
  const TachoHistogram *late; /* ns from when a tick was due to when the loop woke */
  guint64 chunks;             /* content chunks of measured requests */
  guint64 own_reads;          /* those that came in a read of their own */
  gint64 cpu_ns;              /* of the engine's thread, over the window */
  double window_s;
  double schedule_delay_ms_p99;
  guint64 requests;  /* measured requests that ended */
  guint64 reused;    /* those on a kept connection */
  guint places;      /* requests in flight at a time */
  gboolean open_loop;
  gboolean capped;    /* an arrival found every place taken */
  gboolean repeated;  /* the prompts file was gone through more than once */
  guint64 voided;     /* requests that a pause of the client voided */
  GPtrArray *remarks; /* of char *, or NULL */
  const char *fatal; /* why the run could not go on, or NULL */
} TachoSelfCheckInput;

void tacho_self_check_fill (TachoSelfCheck *check, const TachoSelfCheckInput *input);

G_END_DECLS
