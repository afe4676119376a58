/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A comparison in words and numbers. */
#define G_LOG_DOMAIN "tacho-bench-compare-table"

#include "config.h"

#include "app/tacho-bench-compare-table.h"
#include "app/tacho-display.h"

#include <glib/gi18n.h>
#include <math.h>

struct _TachoBenchCompareTable
{
  AdwBin parent_instance;
  GtkGrid *grid;
};

G_DEFINE_FINAL_TYPE (TachoBenchCompareTable, tacho_bench_compare_table, ADW_TYPE_BIN)

static const struct
{
  const char *name;
  const char *words;
} metrics[] = {
  { "output_tokens_per_s", N_ ("Output tokens/s") },
  { "requests_per_s", N_ ("Requests/s") },
  { "goodput_per_s", N_ ("Good requests/s") },
  { "error_rate", N_ ("Failed requests") },
  { "ttft_ms", N_ ("Time to first token") },
  { "itl_ms", N_ ("Inter-token latency") },
  { "e2e_ms", N_ ("Whole request") },
  { "e2e_from_schedule_ms", N_ ("Whole request, from when it was due") },
};

/* "p95(ttft_ms)": the metric in words, then the statistic. */
static char *
name_words (const char *name)
{
  const char *bracket = strchr (name, '(');
  g_autofree char *metric = bracket != NULL ? g_strdup (bracket + 1) : g_strdup (name);
  g_autofree char *statistic = bracket != NULL ? g_strndup (name, bracket - name) : NULL;

  g_strdelimit (metric, ")", '\0');
  for (gsize i = 0; i < G_N_ELEMENTS (metrics); i++)
    if (g_str_equal (metrics[i].name, metric))
      {
        if (statistic == NULL)
          return g_strdup (_ (metrics[i].words));
        return g_strdup_printf ("%s, %s", _ (metrics[i].words),
                                g_str_equal (statistic, "mean") ? _ ("mean") : statistic);
      }
  return g_strdup (name);
}

static gboolean
is_share (const TachoComparisonRow *row)
{
  return g_str_equal (row->name, "error_rate");
}

static char *
value_words (const TachoComparisonRow *row, double value)
{
  if (!isfinite (value))
    return g_strdup ("—");
  if (is_share (row))
    return g_strdup_printf ("%.2f %%", value * 100);
  return row->higher_is_better ? tacho_display_number (value) : tacho_display_ms (value);
}

/* With its sign, and in per cent where there is something to be a per cent of. */
static char *
change_words (const TachoComparisonRow *row, double change, double percent)
{
  if (is_share (row))
    return isfinite (change) ? g_strdup_printf (_ ("%+.2f points"), change * 100) : g_strdup ("—");
  return isfinite (percent) ? g_strdup_printf ("%+.1f %%", percent) : g_strdup ("—");
}

static char *
interval_words (const TachoComparisonRow *row)
{
  g_autofree char *low = NULL;
  g_autofree char *high = NULL;

  if (!row->tested)
    return g_strdup ("—");
  low = change_words (row, row->difference.low, row->percent_low);
  high = change_words (row, row->difference.high, row->percent_high);
  /* Translators: lower and upper bound of a difference. */
  return g_strdup_printf (_ ("%s to %s"), low, high);
}

static const char *
effect_words (const TachoComparisonRow *row)
{
  double change = row->difference.b - row->difference.a;

  if (!row->tested)
    return _ ("Too few samples to tell");
  if (!row->significant)
    return _ ("No difference that these samples can show");
  if (is_share (row))
    return row->worse ? _ ("Worse: more requests fail") : _ ("Better: fewer requests fail");
  if (row->higher_is_better)
    return change > 0 ? _ ("Better: more") : _ ("Worse: less");
  return change < 0 ? _ ("Better: faster") : _ ("Worse: slower");
}

static GtkWidget *
add_cell (TachoBenchCompareTable *self, int column, int row, const char *text, const char *css)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), column == 0 || column == 6 ? 0 : 1);
  gtk_label_set_selectable (GTK_LABEL (label), row > 0);
  gtk_widget_set_hexpand (label, column == 6);
  gtk_widget_add_css_class (label, "numeric");
  if (css != NULL)
    gtk_widget_add_css_class (label, css);
  gtk_grid_attach (self->grid, label, column, row, 1, 1);
  return label;
}

static void
add_row (TachoBenchCompareTable *self, int at, const TachoComparisonRow *row)
{
  const TachoDifference *d = &row->difference;
  g_autofree char *name = name_words (row->name);
  g_autofree char *a = value_words (row, d->a);
  g_autofree char *b = value_words (row, d->b);
  g_autofree char *change = change_words (row, d->b - d->a, row->percent);
  g_autofree char *interval = interval_words (row);
  g_autofree char *p = !row->tested              ? g_strdup ("—")
                       : row->p_adjusted < 0.001 ? g_strdup ("< 0.001")
                                                 : g_strdup_printf ("%.3f", row->p_adjusted);
  const char *css = !row->significant ? "dim-label" : row->worse ? "error" : "success";

  add_cell (self, 0, at, name, NULL);
  add_cell (self, 1, at, a, NULL);
  add_cell (self, 2, at, b, NULL);
  add_cell (self, 3, at, change, NULL);
  add_cell (self, 4, at, interval, "dim-label");
  add_cell (self, 5, at, p, "dim-label");
  add_cell (self, 6, at, effect_words (row), css);
}

static void
add_head (TachoBenchCompareTable *self)
{
  const char *const titles[] = { _ ("Metric"),        _ ("A"), _ ("B"),     _ ("Difference"),
                                 _ ("Interval (95 %)"), "p",     _ ("Effect") };

  for (int i = 0; i < (int) G_N_ELEMENTS (titles); i++)
    gtk_widget_add_css_class (add_cell (self, i, 0, titles[i], "dim-label"), "caption-heading");
}

static void
tacho_bench_compare_table_class_init (TachoBenchCompareTableClass *klass)
{
}

static void
tacho_bench_compare_table_init (TachoBenchCompareTable *self)
{
  GtkWidget *scrolled = gtk_scrolled_window_new ();

  self->grid = GTK_GRID (gtk_grid_new ());
  gtk_grid_set_column_spacing (self->grid, 18);
  gtk_grid_set_row_spacing (self->grid, 4);
  gtk_widget_add_css_class (GTK_WIDGET (self->grid), "results-table");
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->grid), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("What changed from A to B"), -1);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scrolled), GTK_POLICY_AUTOMATIC,
                                  GTK_POLICY_NEVER);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scrolled), GTK_WIDGET (self->grid));
  adw_bin_set_child (ADW_BIN (self), scrolled);
}

/**
 * tacho_bench_compare_table_set_comparison:
 * @self: the table
 * @comparison: (nullable): what to show; not kept
 */
void
tacho_bench_compare_table_set_comparison (TachoBenchCompareTable *self,
                                          const TachoComparison *comparison)
{
  GtkWidget *child;

  g_return_if_fail (TACHO_IS_BENCH_COMPARE_TABLE (self));

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->grid))) != NULL)
    gtk_grid_remove (self->grid, child);
  if (comparison == NULL)
    return;
  add_head (self);
  for (guint i = 0; i < comparison->rows->len; i++)
    add_row (self, (int) i + 1, &g_array_index (comparison->rows, TachoComparisonRow, i));
}
