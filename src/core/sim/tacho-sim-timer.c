/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A GSource on a timerfd. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-timer.h"

#include "base/tacho-clock.h"

#include <sys/timerfd.h>
#include <unistd.h>

typedef struct
{
  GSource source;
  GMainContext *context;
  int fd; /* -1: never was on yet, or the process has no descriptor left */
  gpointer tag;
} Timer;

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  Timer *timer = (Timer *) source;
  guint64 expirations;

  if (timer->fd < 0)
    g_source_set_ready_time (source, -1);
  else if (read (timer->fd, &expirations, sizeof expirations) < 0)
    return G_SOURCE_CONTINUE; /* was set anew meanwhile */
  callback (user_data);
  return G_SOURCE_CONTINUE;
}

static gboolean
timer_check (GSource *source)
{
  Timer *timer = (Timer *) source;

  return timer->fd >= 0 && g_source_query_unix_fd (source, timer->tag) != 0;
}

static gboolean
timer_prepare (GSource *source, int *timeout)
{
  *timeout = -1;
  return FALSE;
}

static void
timer_finalize (GSource *source)
{
  Timer *timer = (Timer *) source;

  g_main_context_unref (timer->context);
  if (timer->fd >= 0)
    close (timer->fd);
}

static GSourceFuncs timer_funcs = { timer_prepare,  timer_check, timer_dispatch,
                                    timer_finalize, NULL,        NULL };

/**
 * tacho_sim_timer_new:
 * @context: where @func is called
 * @func: called each time the timer is due; its result is not used
 * @user_data: for @func
 *
 * A timer costs a descriptor, and a look of the context at it, only from when it is first switched
 * on: most of ten thousand models are never asked.
 *
 * Returns: (transfer full): a timer that is off
 */
GSource *
tacho_sim_timer_new (GMainContext *context, GSourceFunc func, gpointer user_data)
{
  GSource *source = g_source_new (&timer_funcs, sizeof (Timer));
  Timer *timer = (Timer *) source;

  timer->context = g_main_context_ref (context != NULL ? context : g_main_context_default ());
  timer->fd = -1;
  g_source_set_callback (source, func, user_data, NULL);
  return source;
}

static void
switch_on (Timer *timer)
{
  timer->fd = timerfd_create (CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (timer->fd >= 0)
    timer->tag = g_source_add_unix_fd (&timer->source, timer->fd, G_IO_IN);
  g_source_attach (&timer->source, timer->context);
}

/**
 * tacho_sim_timer_set:
 * @source: a timer
 * @due_ns: when, on CLOCK_MONOTONIC; a time in the past is due at once; 0 switches it off
 *
 * Where no descriptor is left it is as exact as GLib's poll, which is a millisecond.
 */
void
tacho_sim_timer_set (GSource *source, gint64 due_ns)
{
  Timer *timer = (Timer *) source;
  struct itimerspec spec = { 0 };

  if (g_source_get_context (source) == NULL)
    {
      if (due_ns == 0)
        return;
      switch_on (timer);
    }
  if (timer->fd < 0)
    {
      g_source_set_ready_time (source, due_ns > 0 ? due_ns / 1000 : -1);
      return;
    }
  spec.it_value.tv_sec = (time_t) (due_ns / TACHO_NS_PER_S);
  spec.it_value.tv_nsec = (long) (due_ns % TACHO_NS_PER_S);
  timerfd_settime (timer->fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

/**
 * tacho_sim_timer_free:
 * @timer: (nullable) (transfer full): a timer
 */
void
tacho_sim_timer_free (GSource *timer)
{
  if (timer == NULL)
    return;
  g_source_destroy (timer);
  g_source_unref (timer);
}
