/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks whether the machine slept, the process stood still, or the wall clock was set. */
#pragma once

#include "bench/tacho-recorder.h"

G_BEGIN_DECLS

typedef struct
{
  gint64 looked_ns; /* at the last tick */
  gint64 woke_ns;   /* at the last turn of the loop */
  gint64 asleep_ns; /* boot time ahead of monotonic time */
  gint64 wall_ns;   /* wall clock ahead of monotonic time */
} TachoLoadWatch;

void tacho_load_watch_init (TachoLoadWatch *watch, gint64 now_ns);
void tacho_load_watch_woke (TachoLoadWatch *watch, TachoRecorder *recorder, gint64 now_ns);
void tacho_load_watch_look (TachoLoadWatch *watch, TachoRecorder *recorder, gint64 now_ns);

G_END_DECLS
