/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every value of a chart, to be read, searched by eye and copied. */
#pragma once

#include <adwaita.h>
#include "chart/tacho-chart.h"

G_BEGIN_DECLS

#define TACHO_TYPE_CHART_TABLE (tacho_chart_table_get_type ())
G_DECLARE_FINAL_TYPE (TachoChartTable, tacho_chart_table, TACHO, CHART_TABLE, AdwBin)

GtkWidget *tacho_chart_table_new (TachoChart *chart) G_GNUC_WARN_UNUSED_RESULT;
void tacho_chart_table_refresh (TachoChartTable *self); /* the chart has changed */
char *tacho_chart_table_to_text (TachoChartTable *self) G_GNUC_WARN_UNUSED_RESULT; /* by tabs */

G_END_DECLS
