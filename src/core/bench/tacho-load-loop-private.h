/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The innards of a load thread: what its making and its run share. */
#pragma once

#include "bench/tacho-load-loop.h"
#include "bench/tacho-load-watch.h"

G_BEGIN_DECLS

enum
{
  KEY_CURL_TIMER = -1,
  KEY_TICK = -2,
  KEY_WAKE = -3,
  KEY_SCHEDULE = -4
};

struct _TachoLoadLoop
{
  TachoLoadShared *shared;
  guint index;
  TachoLoadSchedule schedule;
  TachoReadCounts counts;
  TachoLoadAccount account;
  TachoLoadFeed *feed;
  TachoLoadWatch watch;
  CURLM *multi;
  int epoll_fd, curl_timer_fd, tick_fd, wake_fd, schedule_fd;
  gint64 armed_ns; /* what schedule_fd is set to */
  gint64 tick_ns;  /* between two ticks */
  gint64 tick_due_ns; /* when the next one is */
  TachoLoadStream *streams;
  guint n_streams;
  guint *idle; /* places, the last one is taken next */
  guint n_idle;
  guint *resting;
  guint n_resting;
  guint in_flight;
  guint measured_in_flight;
  gboolean warmup_told;
  gboolean cancelled_all;
  gint64 next_snapshot_ns;
  gint64 cpu_start_ns, cpu_end_ns; /* of the window */
  /* gRPC */
  GMainContext *context;
  TachoTransport *grpc;
  GQueue grpc_ended;
};

G_END_DECLS
