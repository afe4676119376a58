/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A time chart: title, unit, legend with latest values, axes, several series, a crosshair with
 * values. Accessible: role IMG, label = title, description = a sentence with the latest values.
 * Properties: title, unit, x-unit. Colours follow the CSS named colours tacho_series_1..6 and the
 * style. */
#pragma once

#include <gtk/gtk.h>
#include "chart/tacho-series.h"

G_BEGIN_DECLS

#define TACHO_TYPE_CHART (tacho_chart_get_type ())
G_DECLARE_FINAL_TYPE (TachoChart, tacho_chart, TACHO, CHART, GtkWidget)

GtkWidget *tacho_chart_new (const char *title, const char *unit) G_GNUC_WARN_UNUSED_RESULT;
void tacho_chart_add_series (TachoChart *self, TachoSeries *series, guint color_index);
void tacho_chart_remove_all (TachoChart *self);
/* The data of a series changed: redraw on the next frame, at most once per frame, only if mapped.
 */
void tacho_chart_queue_update (TachoChart *self);
/* What a screen reader hears. */
char *tacho_chart_summary (TachoChart *self) G_GNUC_WARN_UNUSED_RESULT;

/* Zoom and pan, for all charts of its group. around NaN: the crosshair, or the middle. */
void tacho_chart_zoom (TachoChart *self, double factor, double around);
void tacho_chart_pan (TachoChart *self, double share);
void tacho_chart_show_all (TachoChart *self);

/* Dashed lines with a label: vertical at a position, else at a value. */
void tacho_chart_add_marker (TachoChart *self, double value, gboolean vertical, const char *label);
void tacho_chart_clear_markers (TachoChart *self);

/* What is on the screen as a picture, without the crosshair. (transfer full) */
GdkTexture *tacho_chart_to_texture (TachoChart *self, int scale) G_GNUC_WARN_UNUSED_RESULT;
GBytes *tacho_chart_to_svg (TachoChart *self) G_GNUC_WARN_UNUSED_RESULT;

/* For a table: its series (of TachoSeries), and positions and points in words. */
guint tacho_chart_get_n_series (TachoChart *self);
TachoSeries *tacho_chart_get_series (TachoChart *self, guint i); /* (transfer none) */
char *tacho_chart_dup_position (TachoChart *self, double x) G_GNUC_WARN_UNUSED_RESULT;
char *tacho_chart_dup_value (TachoChart *self, guint series, gsize point) G_GNUC_WARN_UNUSED_RESULT;
const char *tacho_chart_get_title (TachoChart *self);

G_END_DECLS
