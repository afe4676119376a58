/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The curves of a sweep. */
#define G_LOG_DOMAIN "tacho-bench-sweep-view"

#include "config.h"

#include "app/tacho-bench-sweep-view.h"
#include "app/tacho-bench-save.h"
#include "app/tacho-chart-card.h"
#include "app/tacho-display.h"

#include <glib/gi18n.h>
#include <math.h>

enum
{
  CHART_THROUGHPUT,
  CHART_TTFT,
  CHART_OBJECTIVE,
  CHART_GOODPUT,
  N_CHARTS
};

static const struct
{
  const char *title;
  const char *unit;
  const char *name;
  gsize offset;
  double scale;
} charts[N_CHARTS] = {
  [CHART_THROUGHPUT] = { N_ ("Throughput over load"), N_ ("tokens/s"), N_ ("output"),
                         G_STRUCT_OFFSET (TachoSweepPoint, throughput), 1 },
  [CHART_TTFT] = { N_ ("Time to first token over load"), N_ ("ms"), "p95",
                   G_STRUCT_OFFSET (TachoSweepPoint, ttft_ms_p95), 1 },
  [CHART_OBJECTIVE] = { N_ ("Requests that met the objective"), "%", N_ ("met"),
                        G_STRUCT_OFFSET (TachoSweepPoint, attainment), 100 },
  [CHART_GOODPUT] = { N_ ("Good requests"), N_ ("/s"), N_ ("goodput"),
                      G_STRUCT_OFFSET (TachoSweepPoint, goodput), 1 },
};

struct _TachoBenchSweepView
{
  AdwBin parent_instance;
  TachoSweep *sweep;
  GtkLabel *findings;
  GtkWidget *save;
  TachoChartCard *cards[N_CHARTS];
  TachoSeries *series[N_CHARTS];
};

G_DEFINE_FINAL_TYPE (TachoBenchSweepView, tacho_bench_sweep_view, ADW_TYPE_BIN)

static const char *
unit_of (TachoSweep *sweep)
{
  GPtrArray *results = tacho_sweep_get_results (sweep);
  TachoBenchResult *first = results->len > 0 ? g_ptr_array_index (results, 0) : NULL;

  return first != NULL && tacho_bench_plan_is_open (first->plan) ? _ ("requests/s")
                                                                 : _ ("at a time");
}

static char *
make_findings (TachoSweep *sweep, gboolean ended)
{
  guint n;
  const TachoSweepPoint *points = tacho_sweep_get_points (sweep, &n);
  int knee = tacho_sweep_find_knee (points, n), best = tacho_sweep_find_best (points, n);
  GString *text = g_string_new (NULL);

  if (knee >= 0)
    g_string_append_printf (text, _ ("The knee: %g %s; beyond it throughput grows little."),
                            points[knee].load, unit_of (sweep));
  else if (ended)
    g_string_append (text, _ ("No knee: throughput bends nowhere between these loads."));
  if (best >= 0)
    g_string_append_printf (
        text, _ ("%sBest under the objective: %g %s, %.2f good requests/s (%.0f %% met it)."),
        text->len > 0 ? "\n" : "", points[best].load, unit_of (sweep), points[best].goodput,
        points[best].attainment * 100);
  else if (ended && n > 0 && isfinite (points[0].attainment))
    g_string_append_printf (text, _ ("%sAt no load did 95 %% of the requests meet the objective."),
                            text->len > 0 ? "\n" : "");
  if (tacho_sweep_get_saturated (sweep))
    g_string_append_printf (text, _ ("%sHigher loads were left out: the server was saturated."),
                            text->len > 0 ? "\n" : "");
  if (ended && tacho_sweep_get_interrupted (sweep))
    g_string_append_printf (text, _ ("%sThe sweep was stopped early."), text->len > 0 ? "\n" : "");
  if (text->len == 0)
    g_string_append (text, _ ("The first load is being measured."));
  return g_string_free (text, FALSE);
}

static void
save_cb (TachoBenchSweepView *self)
{
  g_autofree char *json = self->sweep != NULL ? tacho_sweep_to_json (self->sweep) : NULL;

  if (json != NULL)
    tacho_bench_save_text (GTK_WIDGET (self), "tacho-sweep.json", json);
}

static void
tacho_bench_sweep_view_dispose (GObject *object)
{
  TachoBenchSweepView *self = TACHO_BENCH_SWEEP_VIEW (object);

  g_clear_object (&self->sweep);
  for (guint i = 0; i < N_CHARTS; i++)
    g_clear_pointer (&self->series[i], tacho_series_unref);
  adw_bin_set_child (ADW_BIN (self), NULL);

  G_OBJECT_CLASS (tacho_bench_sweep_view_parent_class)->dispose (object);
}

static void
tacho_bench_sweep_view_class_init (TachoBenchSweepViewClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_bench_sweep_view_dispose;
}

static GtkWidget *
make_head (TachoBenchSweepView *self)
{
  GtkWidget *head = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 9);
  GtkWidget *title = gtk_label_new (_ ("Sweep"));
  GtkWidget *words = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);

  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_widget_add_css_class (title, "title-4");
  self->findings = GTK_LABEL (gtk_label_new (NULL));
  gtk_label_set_xalign (self->findings, 0);
  gtk_label_set_wrap (self->findings, TRUE);
  gtk_label_set_selectable (self->findings, TRUE);
  gtk_widget_set_hexpand (words, TRUE);
  self->save = gtk_button_new_with_label (_ ("Save Sweep"));
  gtk_widget_set_valign (self->save, GTK_ALIGN_START);
  gtk_widget_set_tooltip_text (self->save, _ ("Save the sweep with all its runs as JSON"));
  g_signal_connect_object (self->save, "clicked", G_CALLBACK (save_cb), self, G_CONNECT_SWAPPED);
  gtk_box_append (GTK_BOX (words), title);
  gtk_box_append (GTK_BOX (words), GTK_WIDGET (self->findings));
  gtk_box_append (GTK_BOX (head), words);
  gtk_box_append (GTK_BOX (head), self->save);
  gtk_widget_add_css_class (head, "card");
  gtk_widget_add_css_class (head, "panel");
  return head;
}

static void
tacho_bench_sweep_view_init (TachoBenchSweepView *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  GtkWidget *grid = gtk_grid_new ();
  g_autoptr (TachoChartGroup) group = tacho_chart_group_new ();

  gtk_grid_set_column_homogeneous (GTK_GRID (grid), TRUE);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
  gtk_grid_set_row_spacing (GTK_GRID (grid), 12);
  for (int i = 0; i < N_CHARTS; i++)
    {
      const char *unit = charts[i].unit;
      GtkWidget *card = tacho_chart_card_new (
          _ (charts[i].title), g_str_equal (unit, "%") ? unit : _ (unit), _ ("at a time"), group);

      self->cards[i] = TACHO_CHART_CARD (card);
      self->series[i] = tacho_series_new (_ (charts[i].name), TACHO_SERIES_LINE);
      tacho_chart_add_series (tacho_chart_card_get_chart (self->cards[i]), self->series[i],
                              (guint) i % 2);
      gtk_grid_attach (GTK_GRID (grid), card, i % 2, i / 2, 1, 1);
    }
  gtk_box_append (GTK_BOX (box), make_head (self));
  gtk_box_append (GTK_BOX (box), grid);
  adw_bin_set_child (ADW_BIN (self), box);
}

static void
mark (TachoBenchSweepView *self, guint at, const TachoSweepPoint *points, guint n)
{
  TachoChart *chart = tacho_chart_card_get_chart (self->cards[at]);
  int knee = tacho_sweep_find_knee (points, n), best = tacho_sweep_find_best (points, n);

  tacho_chart_clear_markers (chart);
  if (at == CHART_TTFT)
    return;
  if (knee >= 0)
    tacho_chart_add_marker (chart, points[knee].load, TRUE, _ ("knee"));
  if (best >= 0)
    tacho_chart_add_marker (chart, points[best].load, TRUE, _ ("best under the objective"));
  if (at == CHART_OBJECTIVE)
    tacho_chart_add_marker (chart, TACHO_SWEEP_ATTAINMENT * 100, FALSE, _ ("objective"));
}

/**
 * tacho_bench_sweep_view_show:
 * @self: the view
 * @sweep: what to show
 * @ended: whether no step follows
 */
void
tacho_bench_sweep_view_show (TachoBenchSweepView *self, TachoSweep *sweep, gboolean ended)
{
  guint n;
  const TachoSweepPoint *points;
  gboolean objective;
  g_autofree char *findings = NULL;

  g_return_if_fail (TACHO_IS_BENCH_SWEEP_VIEW (self));

  g_set_object (&self->sweep, sweep);
  points = tacho_sweep_get_points (sweep, &n);
  objective = n > 0 && isfinite (points[0].attainment);
  for (guint i = 0; i < N_CHARTS; i++)
    {
      TachoChart *chart = tacho_chart_card_get_chart (self->cards[i]);

      g_object_set (chart, "x-unit", unit_of (sweep), NULL);
      tacho_series_clear (self->series[i]);
      for (guint k = 0; k < n; k++)
        {
          double value = G_STRUCT_MEMBER (double, &points[k], charts[i].offset) * charts[i].scale;

          if (isfinite (value))
            tacho_series_append (self->series[i], points[k].load, value, value);
        }
      mark (self, i, points, n);
      tacho_chart_card_queue_update (self->cards[i]);
    }
  gtk_widget_set_visible (GTK_WIDGET (self->cards[CHART_OBJECTIVE]), objective);
  gtk_widget_set_visible (GTK_WIDGET (self->cards[CHART_GOODPUT]), objective);
  gtk_widget_set_sensitive (self->save, n > 0);
  findings = make_findings (sweep, ended);
  gtk_label_set_label (self->findings, findings);
}

/**
 * tacho_bench_sweep_view_choose:
 * @sweep: a sweep
 *
 * Returns: (transfer none) (nullable): the run to look at
 */
TachoBenchResult *
tacho_bench_sweep_view_choose (TachoSweep *sweep)
{
  GPtrArray *results = tacho_sweep_get_results (sweep);
  guint n;
  const TachoSweepPoint *points = tacho_sweep_get_points (sweep, &n);
  int at = tacho_sweep_find_best (points, n);

  if (at < 0)
    at = tacho_sweep_find_knee (points, n);
  if (at < 0)
    at = (int) n - 1;
  return at >= 0 ? g_ptr_array_index (results, at) : NULL;
}
