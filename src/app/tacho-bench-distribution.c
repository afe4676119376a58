/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Histogram and cumulative share. */
#define G_LOG_DOMAIN "tacho-bench-distribution"

#include "config.h"

#include "app/tacho-bench-distribution.h"
#include "app/tacho-accessible.h"
#include "app/tacho-chart-card.h"
#include "base/tacho-clock.h"

#include <glib/gi18n.h>

#define N_PARTS 40
#define TAIL 0.995 /* what lies above this quantile is in the last part of the histogram */

enum
{
  OF_TTFT,
  OF_GAP,
  OF_E2E,
  N_METRICS
};

static const char *const names[] = { N_ ("Time to first token"), N_ ("Gap between chunks"),
                                     N_ ("Whole request"), NULL };

struct _TachoBenchDistribution
{
  AdwBin parent_instance;
  GArray *bins[N_METRICS]; /* of TachoHistogramBin; NULL: none yet */
  GtkDropDown *choice;
  TachoChartCard *histogram;
  TachoChartCard *cdf;
  TachoSeries *histogram_series;
  TachoSeries *cdf_series;
};

G_DEFINE_FINAL_TYPE (TachoBenchDistribution, tacho_bench_distribution, ADW_TYPE_BIN)

static guint64
count_of (const GArray *bins)
{
  guint64 count = 0;

  for (guint i = 0; i < bins->len; i++)
    count += g_array_index (bins, TachoHistogramBin, i).count;
  return count;
}

static double
to_ms (gint64 ns)
{
  return (double) ns / TACHO_NS_PER_MS;
}

/**
 * tacho_bench_distribution_fill_cdf:
 * @series: an empty line
 * @bins: (element-type TachoHistogramBin): rising, in nanoseconds
 *
 * At the upper end of each bin, the share of values that are no larger.
 */
void
tacho_bench_distribution_fill_cdf (TachoSeries *series, const GArray *bins)
{
  guint64 all = count_of (bins), sum = 0;

  for (guint i = 0; i < bins->len; i++)
    {
      const TachoHistogramBin *bin = &g_array_index (bins, TachoHistogramBin, i);
      double share;

      sum += bin->count;
      share = 100.0 * (double) sum / (double) all;
      tacho_series_append (series, to_ms (bin->high), share, share);
    }
}

/* The lower end of the first bin above the quantile. */
static gint64
find_tail (const GArray *bins, guint64 all)
{
  guint64 sum = 0;

  for (guint i = 0; i < bins->len; i++)
    {
      const TachoHistogramBin *bin = &g_array_index (bins, TachoHistogramBin, i);

      sum += bin->count;
      if ((double) sum >= TAIL * (double) all)
        return bin->high + 1;
    }
  return 0;
}

/**
 * tacho_bench_distribution_fill_histogram:
 * @series: an empty line
 * @bins: (element-type TachoHistogramBin): rising, in nanoseconds
 *
 * Steps over equal parts between the smallest value and the 99.5th percentile; the last takes all
 * that is above, so that a straggler does not press the rest together.
 */
void
tacho_bench_distribution_fill_histogram (TachoSeries *series, const GArray *bins)
{
  guint64 all = count_of (bins), parts[N_PARTS] = { 0 };
  double low, width;

  if (all == 0)
    return;
  low = to_ms (g_array_index (bins, TachoHistogramBin, 0).low);
  width = (to_ms (find_tail (bins, all)) - low) / N_PARTS;
  if (!(width > 0))
    return;
  for (guint i = 0; i < bins->len; i++)
    {
      const TachoHistogramBin *bin = &g_array_index (bins, TachoHistogramBin, i);
      double at = (to_ms (bin->low + (bin->high - bin->low) / 2) - low) / width;

      parts[(guint) CLAMP (at, 0, N_PARTS - 1)] += bin->count;
    }
  for (guint i = 0; i < N_PARTS; i++)
    {
      double share = 100.0 * (double) parts[i] / (double) all;

      tacho_series_append (series, low + width * i, share, share);
      tacho_series_append (series, low + width * (i + 1), share, share);
    }
}

/**
 * tacho_bench_distribution_dup_bins:
 * @result: a run
 * @metric: TACHO_METRIC_…, of single requests
 *
 * Returns: (transfer full) (element-type TachoHistogramBin): its samples, rising, in nanoseconds
 */
GArray *
tacho_bench_distribution_dup_bins (TachoBenchResult *result, guint metric)
{
  g_autoptr (TachoHistogram) histogram = tacho_histogram_new ();
  gsize n = 0;
  g_autofree double *values = tacho_bench_result_dup_samples (result, metric, &n);

  for (gsize i = 0; i < n; i++)
    tacho_histogram_record (histogram, (gint64) (values[i] * TACHO_NS_PER_MS));
  return tacho_histogram_dup_bins (histogram);
}

static void
update (TachoBenchDistribution *self)
{
  guint chosen = gtk_drop_down_get_selected (self->choice);

  if (self->cdf_series == NULL)
    return;
  tacho_series_clear (self->histogram_series);
  tacho_series_clear (self->cdf_series);
  if (chosen < N_METRICS && self->bins[chosen] != NULL)
    {
      tacho_bench_distribution_fill_histogram (self->histogram_series, self->bins[chosen]);
      tacho_bench_distribution_fill_cdf (self->cdf_series, self->bins[chosen]);
    }
  tacho_chart_card_queue_update (self->histogram);
  tacho_chart_card_queue_update (self->cdf);
}

static void
tacho_bench_distribution_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (tacho_bench_distribution_parent_class)->map (widget);
  update (TACHO_BENCH_DISTRIBUTION (widget));
}

static void
tacho_bench_distribution_dispose (GObject *object)
{
  TachoBenchDistribution *self = TACHO_BENCH_DISTRIBUTION (object);

  for (guint i = 0; i < N_METRICS; i++)
    g_clear_pointer (&self->bins[i], g_array_unref);
  g_clear_pointer (&self->histogram_series, tacho_series_unref);
  g_clear_pointer (&self->cdf_series, tacho_series_unref);
  adw_bin_set_child (ADW_BIN (self), NULL);

  G_OBJECT_CLASS (tacho_bench_distribution_parent_class)->dispose (object);
}

static void
tacho_bench_distribution_class_init (TachoBenchDistributionClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_bench_distribution_dispose;
  GTK_WIDGET_CLASS (klass)->map = tacho_bench_distribution_map;
}

static GtkWidget *
make_head (TachoBenchDistribution *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 9);
  GtkWidget *label = gtk_label_new (_ ("Distribution"));
  g_autoptr (GtkStringList) list = gtk_string_list_new (NULL);

  for (guint i = 0; names[i] != NULL; i++)
    gtk_string_list_append (list, _ (names[i]));
  self->choice = GTK_DROP_DOWN (gtk_drop_down_new (g_object_ref (G_LIST_MODEL (list)), NULL));
  gtk_widget_add_css_class (label, "heading");
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->choice), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Latency whose distribution is shown"), -1);
  tacho_accessible_name_drop_down (self->choice);
  g_signal_connect_object (self->choice, "notify::selected", G_CALLBACK (update), self,
                           G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (box), label);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->choice));
  return box;
}

static void
tacho_bench_distribution_init (TachoBenchDistribution *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 9);
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  g_autoptr (TachoChartGroup) group = tacho_chart_group_new ();

  self->histogram = TACHO_CHART_CARD (tacho_chart_card_new (_ ("Histogram"), "%", _ ("ms"), group));
  self->cdf = TACHO_CHART_CARD (tacho_chart_card_new (_ ("Share within"), "%", _ ("ms"), group));
  self->histogram_series = tacho_series_new (_ ("share of all"), TACHO_SERIES_AREA);
  self->cdf_series = tacho_series_new (_ ("share within"), TACHO_SERIES_AREA);
  tacho_chart_add_series (tacho_chart_card_get_chart (self->histogram), self->histogram_series, 0);
  tacho_chart_add_series (tacho_chart_card_get_chart (self->cdf), self->cdf_series, 0);
  gtk_box_set_homogeneous (GTK_BOX (row), TRUE);
  gtk_box_append (GTK_BOX (row), GTK_WIDGET (self->histogram));
  gtk_box_append (GTK_BOX (row), GTK_WIDGET (self->cdf));
  gtk_box_append (GTK_BOX (box), make_head (self));
  gtk_box_append (GTK_BOX (box), row);
  adw_bin_set_child (ADW_BIN (self), box);
}

/**
 * tacho_bench_distribution_new:
 *
 * Returns: (transfer floating): empty charts
 */
GtkWidget *
tacho_bench_distribution_new (void)
{
  return g_object_new (TACHO_TYPE_BENCH_DISTRIBUTION, NULL);
}

/**
 * tacho_bench_distribution_clear:
 * @self: the charts
 *
 * Empties them.
 */
void
tacho_bench_distribution_clear (TachoBenchDistribution *self)
{
  g_return_if_fail (TACHO_IS_BENCH_DISTRIBUTION (self));

  for (guint i = 0; i < N_METRICS; i++)
    g_clear_pointer (&self->bins[i], g_array_unref);
  tacho_chart_show_all (tacho_chart_card_get_chart (self->cdf));
  update (self);
}

static void
take (TachoBenchDistribution *self, guint metric, const GArray *bins)
{
  if (bins == NULL)
    return;
  g_clear_pointer (&self->bins[metric], g_array_unref);
  self->bins[metric] = g_array_ref ((GArray *) bins);
}

/**
 * tacho_bench_distribution_show_snapshot:
 * @self: the charts
 * @snapshot: of a run that goes on
 *
 * While nobody looks, only the bins are kept.
 */
void
tacho_bench_distribution_show_snapshot (TachoBenchDistribution *self,
                                        const TachoBenchSnapshot *snapshot)
{
  g_return_if_fail (TACHO_IS_BENCH_DISTRIBUTION (self));

  take (self, OF_TTFT, snapshot->ttft_bins);
  take (self, OF_GAP, snapshot->chunk_gap_bins);
  take (self, OF_E2E, snapshot->e2e_bins);
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    update (self);
}

/**
 * tacho_bench_distribution_show_result:
 * @self: the charts
 * @result: a run that has ended
 */
void
tacho_bench_distribution_show_result (TachoBenchDistribution *self, TachoBenchResult *result)
{
  g_return_if_fail (TACHO_IS_BENCH_DISTRIBUTION (self));

  tacho_bench_distribution_clear (self);
  self->bins[OF_TTFT] = tacho_bench_distribution_dup_bins (result, TACHO_METRIC_TTFT);
  self->bins[OF_GAP] = tacho_histogram_dup_bins (result->chunk_gaps);
  self->bins[OF_E2E] = tacho_bench_distribution_dup_bins (result, TACHO_METRIC_E2E);
  update (self);
}
