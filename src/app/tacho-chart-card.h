/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A chart on a card, with what can be done to it: shown as a table, zoomed, copied and saved. */
#pragma once

#include <adwaita.h>
#include "chart/tacho-chart-group.h"

G_BEGIN_DECLS

#define TACHO_TYPE_CHART_CARD (tacho_chart_card_get_type ())
G_DECLARE_FINAL_TYPE (TachoChartCard, tacho_chart_card, TACHO, CHART_CARD, AdwBin)

/* group: charts of the same horizontal axis; NULL: none. */
GtkWidget *tacho_chart_card_new (const char *title,
                                 const char *unit,
                                 const char *x_unit,
                                 TachoChartGroup *group) G_GNUC_WARN_UNUSED_RESULT;
TachoChart *tacho_chart_card_get_chart (TachoChartCard *self); /* (transfer none) */
/* The data has changed: the chart, and the table if it is what is shown. */
void tacho_chart_card_queue_update (TachoChartCard *self);

G_END_DECLS
