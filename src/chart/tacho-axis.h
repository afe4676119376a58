/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A linear axis: "nice" ticks (1, 2, 5 x 10^n) and their labels. No GTK widget, no drawing. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  double low, high; /* what is shown; low < high */
  double step;      /* distance of ticks */
  double first;     /* first tick >= low */
  guint n_ticks;
  int decimals; /* of a label */
} TachoAxis;

/* Widens [low, high] to whole steps when `round` is set. Takes care of equal, NaN and infinite
 * bounds. */
void tacho_axis_init (TachoAxis *axis, double low, double high, guint max_ticks, gboolean round);
double tacho_axis_to_fraction (const TachoAxis *axis, double value); /* 0..1, not clamped */
char *tacho_axis_format (const TachoAxis *axis, double value) G_GNUC_WARN_UNUSED_RESULT;
/* The same for seconds: steps of a clock and m:ss labels when the axis ends above two minutes. */
void tacho_axis_init_time (TachoAxis *axis, double low, double high, guint max_ticks);
char *tacho_axis_format_time (const TachoAxis *axis, double value) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
