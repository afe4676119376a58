/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one clock of the program. */
#define G_LOG_DOMAIN "tacho"

#include "base/tacho-clock.h"

#include <time.h>

static TachoClockFunc source_func;
static gpointer source_data;

/**
 * tacho_clock_now_ns:
 *
 * Reads CLOCK_MONOTONIC, or what a test put in its place.
 *
 * Returns: nanoseconds from an arbitrary origin
 */
gint64
tacho_clock_now_ns (void)
{
  struct timespec now;

  if (G_UNLIKELY (source_func != NULL))
    return source_func (source_data);
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * TACHO_NS_PER_S + now.tv_nsec;
}

/**
 * tacho_clock_set_source:
 * @func: (nullable): what to ask instead of the real clock, or %NULL for the real one
 * @user_data: for @func
 *
 * Replaces the clock. For tests, before any thread that reads it is started.
 */
void
tacho_clock_set_source (TachoClockFunc func, gpointer user_data)
{
  source_func = func;
  source_data = user_data;
}

/**
 * tacho_clock_utc_now:
 *
 * Returns: (transfer full): the date and time now, ISO 8601 in UTC
 */
char *
tacho_clock_utc_now (void)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();

  return g_date_time_format (now, "%Y-%m-%dT%H:%M:%SZ");
}
