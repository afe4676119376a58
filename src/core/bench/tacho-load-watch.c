/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stamps are of CLOCK_MONOTONIC, which nobody can set, but which stands still while the machine
 * sleeps and runs on while the process is stopped. Either way what was in flight tells nothing of
 * the server. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-load-watch.h"

#include "base/tacho-clock.h"

#include <time.h>

/* The loop turns at least every 50 ms. */
#define STOOD_STILL_NS TACHO_NS_PER_S
#define SLEPT_NS (50 * TACHO_NS_PER_MS)
#define WALL_JUMP_NS (500 * TACHO_NS_PER_MS)

static gint64
offset_of (clockid_t clock, gint64 now_ns)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return (gint64) now.tv_sec * TACHO_NS_PER_S + now.tv_nsec - now_ns;
}

/**
 * tacho_load_watch_init:
 * @watch: (out caller-allocates): a watch
 * @now_ns: now
 *
 * Begins.
 */
void
tacho_load_watch_init (TachoLoadWatch *watch, gint64 now_ns)
{
  watch->looked_ns = watch->woke_ns = now_ns;
  watch->asleep_ns = offset_of (CLOCK_BOOTTIME, now_ns);
  watch->wall_ns = offset_of (CLOCK_REALTIME, now_ns);
}

/**
 * tacho_load_watch_woke:
 * @watch: a watch
 * @recorder: told of a part that does not count
 * @now_ns: when the loop woke
 *
 * At each turn of the loop, before anything is read.
 */
void
tacho_load_watch_woke (TachoLoadWatch *watch, TachoRecorder *recorder, gint64 now_ns)
{
  gint64 gap = now_ns - watch->woke_ns;
  gint64 from_ns = watch->woke_ns;

  watch->woke_ns = now_ns;
  if (gap <= STOOD_STILL_NS)
    return;
  tacho_recorder_void (
      recorder, from_ns, now_ns,
      g_strdup_printf ("The client did not run for %.1f s: it was stopped, or its machine was",
                       (double) gap / TACHO_NS_PER_S));
}

/**
 * tacho_load_watch_look:
 * @watch: a watch
 * @recorder: told of a part that does not count
 * @now_ns: now
 *
 * At each tick.
 */
void
tacho_load_watch_look (TachoLoadWatch *watch, TachoRecorder *recorder, gint64 now_ns)
{
  gint64 asleep_ns = offset_of (CLOCK_BOOTTIME, now_ns);
  gint64 wall_ns = offset_of (CLOCK_REALTIME, now_ns);
  gint64 slept = asleep_ns - watch->asleep_ns;
  gint64 jump = wall_ns - watch->wall_ns - slept;

  if (slept > SLEPT_NS)
    tacho_recorder_void (recorder, watch->looked_ns, now_ns,
                         g_strdup_printf ("The machine slept for %.1f s",
                                          (double) slept / TACHO_NS_PER_S));
  if (jump > WALL_JUMP_NS || jump < -WALL_JUMP_NS)
    tacho_recorder_remark (recorder,
                           g_strdup_printf ("The wall clock was set by %.1f s during the run; no "
                                            "figure depends on it, but the times of the run do",
                                            (double) jump / TACHO_NS_PER_S));
  watch->looked_ns = now_ns;
  watch->asleep_ns = asleep_ns;
  watch->wall_ns = wall_ns;
}
