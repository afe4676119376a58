/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The charts of a comparison. */
#define G_LOG_DOMAIN "tacho-bench-overlay-charts"

#include "config.h"

#include "app/tacho-bench-overlay-charts.h"
#include "app/tacho-bench-distribution.h"
#include "app/tacho-chart-card.h"

#include <glib/gi18n.h>
#include <math.h>

enum
{
  CHART_THROUGHPUT,
  CHART_TTFT,
  CHART_TTFT_CDF,
  CHART_E2E_CDF,
  N_CHARTS
};

static const struct
{
  const char *title;
  const char *unit;
  const char *x_unit;
} titles[N_CHARTS] = {
  { N_ ("Throughput"), N_ ("tokens/s"), N_ ("s") },
  { N_ ("Time to first token, p50"), N_ ("ms"), N_ ("s") },
  { N_ ("Time to first token: share within"), "%", N_ ("ms") },
  { N_ ("Whole request: share within"), "%", N_ ("ms") },
};

struct _TachoBenchOverlayCharts
{
  AdwBin parent_instance;
  TachoChartCard *cards[N_CHARTS];
};

G_DEFINE_FINAL_TYPE (TachoBenchOverlayCharts, tacho_bench_overlay_charts, ADW_TYPE_BIN)

static void
tacho_bench_overlay_charts_class_init (TachoBenchOverlayChartsClass *klass)
{
}

static void
tacho_bench_overlay_charts_init (TachoBenchOverlayCharts *self)
{
  GtkWidget *grid = gtk_grid_new ();
  g_autoptr (TachoChartGroup) group = tacho_chart_group_new ();

  gtk_grid_set_column_homogeneous (GTK_GRID (grid), TRUE);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  gtk_grid_set_row_spacing (GTK_GRID (grid), 12);
  for (int i = 0; i < N_CHARTS; i++)
    {
      GtkWidget *card = tacho_chart_card_new (
          _ (titles[i].title), g_str_equal (titles[i].unit, "%") ? "%" : _ (titles[i].unit),
          _ (titles[i].x_unit), i < CHART_TTFT_CDF ? group : NULL);

      gtk_grid_attach (GTK_GRID (grid), card, i % 2, i / 2, 1, 1);
      self->cards[i] = TACHO_CHART_CARD (card);
    }
  adw_bin_set_child (ADW_BIN (self), grid);
}

static void
add_over_time (TachoChart *chart,
               const TachoBenchResult *result,
               const char *name,
               guint color,
               gsize offset)
{
  g_autoptr (TachoSeries) series = tacho_series_new (name, TACHO_SERIES_LINE);

  for (guint i = 0; i < result->timeline->len; i++)
    {
      const TachoBenchPoint *point = &g_array_index (result->timeline, TachoBenchPoint, i);
      double value = G_STRUCT_MEMBER (double, point, offset);

      if (isfinite (value))
        tacho_series_append (series, point->t_s, value, value);
    }
  tacho_chart_add_series (chart, series, color);
}

static void
add_cdf (TachoChart *chart, TachoBenchResult *result, const char *name, guint color, guint metric)
{
  g_autoptr (TachoSeries) series = tacho_series_new (name, TACHO_SERIES_LINE);
  g_autoptr (GArray) bins = tacho_bench_distribution_dup_bins (result, metric);

  tacho_bench_distribution_fill_cdf (series, bins);
  tacho_chart_add_series (chart, series, color);
}

/**
 * tacho_bench_overlay_charts_set_results:
 * @self: the charts
 * @results: (element-type TachoBenchResult): runs
 * @names: (element-type utf8): what each is called
 */
void
tacho_bench_overlay_charts_set_results (TachoBenchOverlayCharts *self,
                                        GPtrArray *results,
                                        GPtrArray *names)
{
  TachoChart *charts[N_CHARTS];

  g_return_if_fail (TACHO_IS_BENCH_OVERLAY_CHARTS (self));

  for (int i = 0; i < N_CHARTS; i++)
    {
      charts[i] = tacho_chart_card_get_chart (self->cards[i]);
      tacho_chart_remove_all (charts[i]);
      tacho_chart_show_all (charts[i]);
    }
  for (guint i = 0; i < results->len; i++)
    {
      TachoBenchResult *result = g_ptr_array_index (results, i);
      const char *name = g_ptr_array_index (names, i);

      add_over_time (charts[CHART_THROUGHPUT], result, name, i,
                     G_STRUCT_OFFSET (TachoBenchPoint, output_tokens_per_s));
      add_over_time (charts[CHART_TTFT], result, name, i,
                     G_STRUCT_OFFSET (TachoBenchPoint, ttft_ms_p50));
      add_cdf (charts[CHART_TTFT_CDF], result, name, i, TACHO_METRIC_TTFT);
      add_cdf (charts[CHART_E2E_CDF], result, name, i, TACHO_METRIC_E2E);
    }
  for (int i = 0; i < N_CHARTS; i++)
    tacho_chart_card_queue_update (self->cards[i]);
}
