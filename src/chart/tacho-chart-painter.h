/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arrays in, GskRenderNode out: a pure function of its arguments, so that a test needs no display.
 * Rules (measured on GTK 4.8): min/max per device pixel column, 1-px colour nodes joined to their
 * neighbour, no cairo node for data. */
#pragma once

#include <gtk/gtk.h>
#include "chart/tacho-axis.h"
#include "chart/tacho-series.h"

G_BEGIN_DECLS

/* NULL if there is nothing to draw. scale: device pixels per logical pixel. */
GskRenderNode *tacho_chart_paint_series (const TachoSeries *series,
                                         const TachoAxis *x,
                                         const TachoAxis *y,
                                         float width,
                                         float height,
                                         double scale,
                                         const GdkRGBA *color) G_GNUC_WARN_UNUSED_RESULT;
/* Grid lines only. */
GskRenderNode *tacho_chart_paint_grid (const TachoAxis *x,
                                       const TachoAxis *y,
                                       float width,
                                       float height,
                                       double scale,
                                       const GdkRGBA *color) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
