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

G_END_DECLS
