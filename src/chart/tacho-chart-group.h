/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Charts of the same horizontal axis: one crosshair and one view over all of them. */
#pragma once

#include "chart/tacho-chart.h"

G_BEGIN_DECLS

#define TACHO_TYPE_CHART_GROUP (tacho_chart_group_get_type ())
G_DECLARE_FINAL_TYPE (TachoChartGroup, tacho_chart_group, TACHO, CHART_GROUP, GObject)

TachoChartGroup *tacho_chart_group_new (void) G_GNUC_WARN_UNUSED_RESULT;
/* A chart is in one group; at first in one of its own. */
void tacho_chart_group_add (TachoChartGroup *self, TachoChart *chart);

/* Where the crosshair stands in the data; NaN: nowhere. */
void tacho_chart_group_set_cursor (TachoChartGroup *self, double x);
double tacho_chart_group_get_cursor (TachoChartGroup *self);
/* What part is shown; NaN: all of it. */
void tacho_chart_group_set_view (TachoChartGroup *self, double low, double high);
gboolean tacho_chart_group_get_view (TachoChartGroup *self, double *low, double *high);
/* From the first to the last point of all charts. FALSE: there is none. */
gboolean tacho_chart_group_get_extent (TachoChartGroup *self, double *first, double *last);

G_END_DECLS
