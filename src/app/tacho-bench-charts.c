/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The charts of a run. What nobody has told is not shown. */
#define G_LOG_DOMAIN "tacho-bench-charts"

#include "config.h"

#include "app/tacho-bench-charts.h"
#include "app/tacho-bench-distribution.h"
#include "app/tacho-chart-card.h"

#include <glib/gi18n.h>
#include <math.h>

#define GIGA 1e9
#define FRAGMENT 0.5 /* of a bucket */

enum
{
  CHART_THROUGHPUT,
  CHART_REQUESTS,
  CHART_TTFT,
  CHART_GAP,
  CHART_E2E,
  CHART_ENDED,
  CHART_SERVER_TOKENS,
  CHART_USE,
  CHART_MEMORY,
  N_CHARTS
};

static const struct
{
  const char *title;
  const char *unit;
} titles[N_CHARTS] = {
  [CHART_THROUGHPUT] = { N_ ("Throughput"), N_ ("tokens/s") },
  [CHART_REQUESTS] = { N_ ("Requests in flight"), "" },
  [CHART_TTFT] = { N_ ("Time to first token"), N_ ("ms") },
  [CHART_GAP] = { N_ ("Gap between chunks"), N_ ("ms") },
  [CHART_E2E] = { N_ ("Whole request"), N_ ("ms") },
  [CHART_ENDED] = { N_ ("Requests ended"), N_ ("/s") },
  [CHART_SERVER_TOKENS] = { N_ ("Tokens, as the server counts them"), N_ ("tokens/s") },
  [CHART_USE] = { N_ ("In use"), "%" },
  [CHART_MEMORY] = { N_ ("Memory in use"), N_ ("GB") },
};

/* Where a value comes from. */
typedef enum
{
  OF_POINT,  /* a double of the timeline */
  OF_BAND,   /* two of them */
  OF_ERRORS, /* failures of the bucket, a second */
  OF_SAMPLE, /* a double of what server and host said */
  OF_TOTAL,  /* the rise of a total of the server, a second */
} Source;

#define POINT(member) G_STRUCT_OFFSET (TachoBenchPoint, member)
#define SAMPLE(member) G_STRUCT_OFFSET (TachoBenchSample, member)

static const struct
{
  guint chart;
  const char *name;
  TachoSeriesKind kind;
  guint color;
  Source source;
  gsize offset, offset2;
  double scale;
} lines[] = {
  { CHART_THROUGHPUT, N_ ("output"), TACHO_SERIES_AREA, 0, OF_POINT, POINT (output_tokens_per_s), 0,
    1 },
  { CHART_REQUESTS, N_ ("sent"), TACHO_SERIES_AREA, 0, OF_POINT, POINT (in_flight), 0, 1 },
  { CHART_REQUESTS, N_ ("running on the server"), TACHO_SERIES_LINE, 2, OF_SAMPLE,
    SAMPLE (server.requests_running), 0, 1 },
  { CHART_REQUESTS, N_ ("waiting on the server"), TACHO_SERIES_LINE, 1, OF_SAMPLE,
    SAMPLE (server.requests_waiting), 0, 1 },
  { CHART_TTFT, N_ ("p50 to p95"), TACHO_SERIES_BAND, 0, OF_BAND, POINT (ttft_ms_p50),
    POINT (ttft_ms_p95), 1 },
  { CHART_TTFT, "p50", TACHO_SERIES_LINE, 0, OF_POINT, POINT (ttft_ms_p50), 0, 1 },
  { CHART_GAP, N_ ("p50 to p95"), TACHO_SERIES_BAND, 0, OF_BAND, POINT (chunk_gap_ms_p50),
    POINT (chunk_gap_ms_p95), 1 },
  { CHART_GAP, "p50", TACHO_SERIES_LINE, 0, OF_POINT, POINT (chunk_gap_ms_p50), 0, 1 },
  { CHART_E2E, N_ ("p50 to p95"), TACHO_SERIES_BAND, 0, OF_BAND, POINT (e2e_ms_p50),
    POINT (e2e_ms_p95), 1 },
  { CHART_E2E, "p50", TACHO_SERIES_LINE, 0, OF_POINT, POINT (e2e_ms_p50), 0, 1 },
  { CHART_ENDED, N_ ("answered"), TACHO_SERIES_AREA, 2, OF_POINT, POINT (requests_per_s), 0, 1 },
  { CHART_ENDED, N_ ("failed"), TACHO_SERIES_LINE, 1, OF_ERRORS, 0, 0, 1 },
  { CHART_SERVER_TOKENS, N_ ("output"), TACHO_SERIES_LINE, 0, OF_TOTAL,
    SAMPLE (server.output_tokens_total), 0, 1 },
  { CHART_SERVER_TOKENS, N_ ("prompt"), TACHO_SERIES_LINE, 3, OF_TOTAL,
    SAMPLE (server.prompt_tokens_total), 0, 1 },
  { CHART_USE, N_ ("KV cache"), TACHO_SERIES_LINE, 0, OF_SAMPLE, SAMPLE (server.kv_cache_usage), 0,
    100 },
  { CHART_USE, N_ ("server's GPU"), TACHO_SERIES_LINE, 1, OF_SAMPLE,
    SAMPLE (server.gpu_utilization), 0, 100 },
  { CHART_USE, N_ ("GPU here"), TACHO_SERIES_LINE, 3, OF_SAMPLE, SAMPLE (gpu_share), 0, 100 },
  { CHART_USE, N_ ("processor here"), TACHO_SERIES_LINE, 2, OF_SAMPLE, SAMPLE (cpu_share), 0, 100 },
  { CHART_MEMORY, N_ ("server's GPU"), TACHO_SERIES_LINE, 1, OF_SAMPLE,
    SAMPLE (server.gpu_memory_used), 0, 1 / GIGA },
  { CHART_MEMORY, N_ ("GPU here"), TACHO_SERIES_LINE, 3, OF_SAMPLE, SAMPLE (gpu_memory_used), 0,
    1 / GIGA },
  { CHART_MEMORY, N_ ("this computer"), TACHO_SERIES_LINE, 2, OF_SAMPLE, SAMPLE (memory_used), 0,
    1 / GIGA },
};

struct _TachoBenchCharts
{
  AdwBin parent_instance;
  TachoChartCard *cards[N_CHARTS];
  GtkWidget *places[N_CHARTS];
  TachoSeries *series[G_N_ELEMENTS (lines)];
  gboolean drawn[G_N_ELEMENTS (lines)]; /* it is in its chart: it has a value */
  gboolean open[G_N_ELEMENTS (lines)];  /* its last point is of the bucket in progress */
  guint n_points;                       /* buckets that were whole when they were drawn */
  guint n_samples;
  TachoBenchDistribution *distribution;
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
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  GtkWidget *flow = gtk_flow_box_new ();
  g_autoptr (TachoChartGroup) group = tacho_chart_group_new ();

  gtk_flow_box_set_selection_mode (GTK_FLOW_BOX (flow), GTK_SELECTION_NONE);
  gtk_flow_box_set_homogeneous (GTK_FLOW_BOX (flow), TRUE);
  gtk_flow_box_set_max_children_per_line (GTK_FLOW_BOX (flow), 2);
  gtk_flow_box_set_column_spacing (GTK_FLOW_BOX (flow), 12);
  gtk_flow_box_set_row_spacing (GTK_FLOW_BOX (flow), 12);
  gtk_widget_set_valign (flow, GTK_ALIGN_START);
  gtk_widget_add_css_class (flow, "chart-flow");
  for (guint i = 0; i < N_CHARTS; i++)
    {
      const char *unit = titles[i].unit;
      GtkWidget *card = tacho_chart_card_new (
          _ (titles[i].title), g_ascii_isalpha (unit[0]) || unit[0] == '/' ? _ (unit) : unit,
          _ ("s"), group);

      self->cards[i] = TACHO_CHART_CARD (card);
      gtk_flow_box_insert (GTK_FLOW_BOX (flow), card, -1);
      self->places[i] = gtk_widget_get_parent (card);
      gtk_widget_set_focusable (self->places[i], FALSE);
    }
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    self->series[i] = tacho_series_new (_ (lines[i].name), lines[i].kind);
  self->distribution = TACHO_BENCH_DISTRIBUTION (tacho_bench_distribution_new ());
  gtk_box_append (GTK_BOX (box), flow);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->distribution));
  adw_bin_set_child (ADW_BIN (self), box);
  tacho_bench_charts_clear (self);
}

/**
 * tacho_bench_charts_clear:
 * @self: the charts
 *
 * Empties them. Those that every run fills stay in sight.
 */
void
tacho_bench_charts_clear (TachoBenchCharts *self)
{
  g_return_if_fail (TACHO_IS_BENCH_CHARTS (self));

  for (guint i = 0; i < N_CHARTS; i++)
    {
      TachoChart *chart = tacho_chart_card_get_chart (self->cards[i]);

      tacho_chart_remove_all (chart);
      tacho_chart_show_all (chart);
      gtk_widget_set_visible (self->places[i], i <= CHART_ENDED);
    }
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      tacho_series_clear (self->series[i]);
      self->open[i] = FALSE;
      self->drawn[i] = lines[i].source != OF_SAMPLE && lines[i].source != OF_TOTAL;
      if (self->drawn[i])
        tacho_chart_add_series (tacho_chart_card_get_chart (self->cards[lines[i].chart]),
                                self->series[i], lines[i].color);
    }
  self->n_points = self->n_samples = 0;
  tacho_bench_distribution_clear (self->distribution);
  for (guint i = 0; i < N_CHARTS; i++)
    tacho_chart_card_queue_update (self->cards[i]);
}

static void
add_value (TachoBenchCharts *self, guint line, double t, double y, double y2, gboolean open)
{
  TachoSeries *series = self->series[line];

  if (self->open[line])
    tacho_series_set_last (series, t, y, y2);
  else
    tacho_series_append (series, t, y, y2);
  self->open[line] = open;
  if (self->drawn[line])
    return;
  self->drawn[line] = TRUE;
  tacho_chart_add_series (tacho_chart_card_get_chart (self->cards[lines[line].chart]), series,
                          lines[line].color);
  gtk_widget_set_visible (self->places[lines[line].chart], TRUE);
}

/* Too little of a bucket has passed to stand beside whole ones: its rates would fall to nothing. */
static gboolean
is_fragment (const TachoBenchPoint *points, guint at)
{
  return at > 1 &&
         points[at].t_s - points[at - 1].t_s < FRAGMENT * (points[at - 1].t_s - points[at - 2].t_s);
}

/* A bucket in which nothing was measured has no point, so that slow runs show lines rather than
 * loose dots. */
static void
add_point (TachoBenchCharts *self, const TachoBenchPoint *points, guint at, gboolean open)
{
  const TachoBenchPoint *point = &points[at];
  double seconds = point->t_s - (at > 0 ? points[at - 1].t_s : 0);

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      double y = NAN, y2;

      if (lines[i].source == OF_ERRORS && seconds > 0)
        y = (double) point->errors / seconds;
      else if (lines[i].source == OF_POINT || lines[i].source == OF_BAND)
        y = G_STRUCT_MEMBER (double, point, lines[i].offset);
      y2 = lines[i].source == OF_BAND ? G_STRUCT_MEMBER (double, point, lines[i].offset2) : y;
      if (!isnan (y) && !isnan (y2))
        add_value (self, i, point->t_s, y * lines[i].scale, y2 * lines[i].scale, open);
    }
}

static void
add_sample (TachoBenchCharts *self, const TachoBenchSample *samples, guint at)
{
  const TachoBenchSample *sample = &samples[at];

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      double value = 0;

      if (lines[i].source != OF_SAMPLE && lines[i].source != OF_TOTAL)
        continue;
      value = G_STRUCT_MEMBER (double, sample, lines[i].offset);
      if (lines[i].source == OF_TOTAL)
        {
          if (at == 0)
            continue;
          value = (value - G_STRUCT_MEMBER (double, &samples[at - 1], lines[i].offset)) /
                  (sample->t_s - samples[at - 1].t_s);
        }
      /* A total that falls is of a server that was started anew. */
      if (isfinite (value) && value >= 0 && sample->t_s >= 0)
        add_value (self, i, sample->t_s, value * lines[i].scale, value * lines[i].scale, FALSE);
    }
}

static void
add (TachoBenchCharts *self,
     const TachoBenchPoint *points,
     guint n_points,
     const TachoBenchSample *samples,
     guint n_samples,
     gboolean live)
{
  for (guint i = self->n_points; i < n_points; i++)
    if (!live || i + 1 < n_points || !is_fragment (points, i))
      add_point (self, points, i, i + 1 == n_points);
  self->n_points = n_points > 0 ? n_points - 1 : 0;
  for (; self->n_samples < n_samples; self->n_samples++)
    add_sample (self, samples, self->n_samples);
  for (guint i = 0; i < N_CHARTS; i++)
    tacho_chart_card_queue_update (self->cards[i]);
}

/**
 * tacho_bench_charts_show_snapshot:
 * @self: the charts
 * @snapshot: of a run that goes on
 *
 * Adds what is new. The last point of the timeline is a bucket in progress: it is replaced by the
 * next call.
 */
void
tacho_bench_charts_show_snapshot (TachoBenchCharts *self, const TachoBenchSnapshot *snapshot)
{
  g_return_if_fail (TACHO_IS_BENCH_CHARTS (self));

  add (self, snapshot->timeline, snapshot->timeline != NULL ? snapshot->n_timeline : 0,
       snapshot->samples, snapshot->samples != NULL ? snapshot->n_samples : 0, TRUE);
  tacho_bench_distribution_show_snapshot (self->distribution, snapshot);
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
  add (self, (const TachoBenchPoint *) (gconstpointer) result->timeline->data,
       result->timeline->len, (const TachoBenchSample *) (gconstpointer) result->samples->data,
       result->samples->len, FALSE);
  tacho_bench_distribution_show_result (self->distribution, result);
}
