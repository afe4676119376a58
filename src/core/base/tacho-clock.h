/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one clock of the program: CLOCK_MONOTONIC in nanoseconds, replaceable by tests. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define TACHO_NS_PER_MS G_GINT64_CONSTANT (1000000)
#define TACHO_NS_PER_S G_GINT64_CONSTANT (1000000000)

typedef gint64 (*TachoClockFunc) (gpointer user_data);

gint64 tacho_clock_now_ns (void);
/* NULL restores the real one. */
void tacho_clock_set_source (TachoClockFunc func, gpointer user_data);
char *tacho_clock_utc_now (void) G_GNUC_WARN_UNUSED_RESULT; /* ISO 8601, "…Z" */

G_END_DECLS
