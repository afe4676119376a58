/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A timer on CLOCK_MONOTONIC in nanoseconds (timerfd): GLib's own wakes on whole milliseconds. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

GSource *tacho_sim_timer_new (GMainContext *context,
                              GSourceFunc func,
                              gpointer user_data) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sim_timer_set (GSource *timer, gint64 due_ns); /* 0: off */
void tacho_sim_timer_free (GSource *timer);               /* (nullable) */

G_END_DECLS
