/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The four live charts of a run. */
#define G_LOG_DOMAIN "tacho-bench-charts"

#include "config.h"

#include "app/tacho-bench-charts.h"
#include "chart/tacho-chart.h"

#include <glib/gi18n.h>
#include <math.h>

#define CHART_HEIGHT 150

/* One line of a chart: where its value stands in a point of the timeline. */
typedef struct
{
  guint chart;
  const char *name;
  gsize offset;
  TachoSeriesKind kind;
  guint color;
} Line;

static const struct
{
  const char *title;
  const char *unit;
} titles[] = {
  { N_ ("Throughput"), N_ ("tokens/s") },
  { N_ ("Time to first token"), N_ ("ms") },
  { N_ ("Gap between chunks"), N_ ("ms") },
  { N_ ("Requests in flight"), "" },
};

static const Line lines[] = {
  { 0, N_ ("output"), G_STRUCT_OFFSET (TachoBenchPoint, output_tokens_per_s), TACHO_SERIES_AREA,
    0 },
  { 1, "p50", G_STRUCT_OFFSET (TachoBenchPoint, ttft_ms_p50), TACHO_SERIES_LINE, 0 },
  { 1, "p95", G_STRUCT_OFFSET (TachoBenchPoint, ttft_ms_p95), TACHO_SERIES_LINE, 1 },
  { 2, "p50", G_STRUCT_OFFSET (TachoBenchPoint, chunk_gap_ms_p50), TACHO_SERIES_LINE, 0 },
  { 2, "p95", G_STRUCT_OFFSET (TachoBenchPoint, chunk_gap_ms_p95), TACHO_SERIES_LINE, 1 },
  { 3, N_ ("in flight"), G_STRUCT_OFFSET (TachoBenchPoint, in_flight), TACHO_SERIES_AREA, 0 },
};

struct _TachoBenchCharts
{
  AdwBin parent_instance;
  TachoChart *charts[G_N_ELEMENTS (titles)];
  TachoSeries *series[G_N_ELEMENTS (lines)];
  gboolean open[G_N_ELEMENTS (lines)]; /* its last point is of the bucket in progress */
  gsize n_done;                        /* buckets that were whole when they were drawn */
};

G_DEFINE_FINAL_TYPE (TachoBenchCharts, tacho_bench_charts, ADW_TYPE_BIN)

static void
tacho_bench_charts_finalize (GObject *object)
{
  TachoBenchCharts *self = TACHO_BENCH_CHARTS (object);

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    g_clear_pointer (&self->series[i], tacho_series_unref);

  G_OBJECT_CLASS (tacho_bench_charts_parent_class)->finalize (object);
}

static void
tacho_bench_charts_class_init (TachoBenchChartsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_bench_charts_finalize;
}

static void
tacho_bench_charts_init (TachoBenchCharts *self)
{
  GtkWidget *grid = gtk_grid_new ();

  gtk_grid_set_column_homogeneous (GTK_GRID (grid), TRUE);
  gtk_grid_set_row_homogeneous (GTK_GRID (grid), TRUE);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  gtk_grid_set_row_spacing (GTK_GRID (grid), 12);
  for (guint i = 0; i < G_N_ELEMENTS (titles); i++)
    {
      GtkWidget *chart = tacho_chart_new (_ (titles[i].title),
                                          titles[i].unit[0] != '\0' ? _ (titles[i].unit) : "");
      GtkWidget *card = adw_bin_new ();

      g_object_set (chart, "x-unit", _ ("s"), NULL);
      gtk_widget_set_size_request (chart, -1, CHART_HEIGHT);
      gtk_widget_set_hexpand (chart, TRUE);
      gtk_widget_set_vexpand (chart, TRUE);
      gtk_widget_add_css_class (card, "card");
      gtk_widget_add_css_class (card, "chart-card");
      adw_bin_set_child (ADW_BIN (card), chart);
      gtk_grid_attach (GTK_GRID (grid), card, i % 2, i / 2, 1, 1);
      self->charts[i] = TACHO_CHART (chart);
    }
  adw_bin_set_child (ADW_BIN (self), grid);
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      self->series[i] = tacho_series_new (_ (lines[i].name), lines[i].kind);
      tacho_chart_add_series (self->charts[lines[i].chart], self->series[i], lines[i].color);
    }
}

/**
 * tacho_bench_charts_clear:
 * @self: the charts
 *
 * Empties them.
 */
void
tacho_bench_charts_clear (TachoBenchCharts *self)
{
  g_return_if_fail (TACHO_IS_BENCH_CHARTS (self));

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      tacho_series_clear (self->series[i]);
      self->open[i] = FALSE;
    }
  self->n_done = 0;
  for (guint i = 0; i < G_N_ELEMENTS (titles); i++)
    tacho_chart_queue_update (self->charts[i]);
}

/**
 * tacho_bench_charts_update:
 * @self: the charts
 * @timeline: (array length=n): the run's time from its start
 * @n: how many points
 *
 * Adds what is new. The last point is a bucket in progress: it is replaced by the next call. A
 * bucket in which nothing was measured has no point, so that slow runs show lines rather than
 * loose dots.
 */
void
tacho_bench_charts_update (TachoBenchCharts *self, const TachoBenchPoint *timeline, gsize n)
{
  g_return_if_fail (TACHO_IS_BENCH_CHARTS (self));

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    for (gsize j = self->n_done; j < n; j++)
      {
        double value = G_STRUCT_MEMBER (double, &timeline[j], lines[i].offset);

        if (isnan (value))
          continue;
        if (self->open[i])
          tacho_series_set_last (self->series[i], timeline[j].t_s, value, value);
        else
          tacho_series_append (self->series[i], timeline[j].t_s, value, value);
        self->open[i] = j + 1 == n;
      }
  self->n_done = n > 0 ? n - 1 : 0;
  for (guint i = 0; i < G_N_ELEMENTS (titles); i++)
    tacho_chart_queue_update (self->charts[i]);
}

/**
 * tacho_bench_charts_show_result:
 * @self: the charts
 * @result: a run that has ended
 *
 * Shows it whole, and nothing else.
 */
void
tacho_bench_charts_show_result (TachoBenchCharts *self, TachoBenchResult *result)
{
  g_return_if_fail (TACHO_IS_BENCH_CHARTS (self));

  tacho_bench_charts_clear (self);
  tacho_bench_charts_update (self, (const TachoBenchPoint *) (gconstpointer) result->timeline->data,
                             result->timeline->len);
}
