/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A GSource on a timerfd. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-timer.h"

#include "base/tacho-clock.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

typedef struct
{
  GSource source;
  int fd;
  gpointer tag;
} Timer;

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  Timer *timer = (Timer *) source;
  guint64 expirations;

  if (read (timer->fd, &expirations, sizeof expirations) < 0)
    return G_SOURCE_CONTINUE; /* was set anew meanwhile */
  callback (user_data);
  return G_SOURCE_CONTINUE;
}

static gboolean
timer_check (GSource *source)
{
  return g_source_query_unix_fd (source, ((Timer *) source)->tag) != 0;
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
  close (((Timer *) source)->fd);
}

static GSourceFuncs timer_funcs = { timer_prepare,  timer_check, timer_dispatch,
                                    timer_finalize, NULL,        NULL };

/**
 * tacho_sim_timer_new:
 * @context: where @func is called
 * @func: called each time the timer is due; its result is not used
 * @user_data: for @func
 *
 * Returns: (transfer full): a timer that is off
 */
GSource *
tacho_sim_timer_new (GMainContext *context, GSourceFunc func, gpointer user_data)
{
  GSource *source = g_source_new (&timer_funcs, sizeof (Timer));
  Timer *timer = (Timer *) source;

  timer->fd = timerfd_create (CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (timer->fd < 0)
    g_error ("cannot make a timer: %s", g_strerror (errno));
  timer->tag = g_source_add_unix_fd (source, timer->fd, G_IO_IN);
  g_source_set_callback (source, func, user_data, NULL);
  g_source_attach (source, context);
  return source;
}

/**
 * tacho_sim_timer_set:
 * @source: a timer
 * @due_ns: when, on CLOCK_MONOTONIC; a time in the past is due at once; 0 switches it off
 */
void
tacho_sim_timer_set (GSource *source, gint64 due_ns)
{
  struct itimerspec spec = { 0 };

  spec.it_value.tv_sec = (time_t) (due_ns / TACHO_NS_PER_S);
  spec.it_value.tv_nsec = (long) (due_ns % TACHO_NS_PER_S);
  timerfd_settime (((Timer *) source)->fd, TFD_TIMER_ABSTIME, &spec, NULL);
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
