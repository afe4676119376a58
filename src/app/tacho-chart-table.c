/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row for each position at which a series has a point. Rows are made when they are looked at. */
#define G_LOG_DOMAIN "tacho-chart-table"

#include "config.h"

#include "app/tacho-chart-table.h"

#include <glib/gi18n.h>

/* --- a row: a position --- */

#define TACHO_TYPE_CHART_ROW (tacho_chart_row_get_type ())
G_DECLARE_FINAL_TYPE (TachoChartRow, tacho_chart_row, TACHO, CHART_ROW, GObject)

struct _TachoChartRow
{
  GObject parent_instance;
  double x;
};

G_DEFINE_FINAL_TYPE (TachoChartRow, tacho_chart_row, G_TYPE_OBJECT)

static void
tacho_chart_row_class_init (TachoChartRowClass *klass)
{
}

static void
tacho_chart_row_init (TachoChartRow *self)
{
}

/* --- all rows: made when they are looked at --- */

#define TACHO_TYPE_CHART_ROWS (tacho_chart_rows_get_type ())
G_DECLARE_FINAL_TYPE (TachoChartRows, tacho_chart_rows, TACHO, CHART_ROWS, GObject)

struct _TachoChartRows
{
  GObject parent_instance;
  GArray *positions; /* of double, rising */
};

static void tacho_chart_rows_list_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TachoChartRows,
                               tacho_chart_rows,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      tacho_chart_rows_list_init))

static GType
get_item_type (GListModel *model)
{
  return TACHO_TYPE_CHART_ROW;
}

static guint
get_n_items (GListModel *model)
{
  return TACHO_CHART_ROWS (model)->positions->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  TachoChartRows *self = TACHO_CHART_ROWS (model);
  TachoChartRow *row;

  if (position >= self->positions->len)
    return NULL;
  row = g_object_new (TACHO_TYPE_CHART_ROW, NULL);
  row->x = g_array_index (self->positions, double, position);
  return row;
}

static void
tacho_chart_rows_list_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

static void
tacho_chart_rows_finalize (GObject *object)
{
  g_array_unref (TACHO_CHART_ROWS (object)->positions);

  G_OBJECT_CLASS (tacho_chart_rows_parent_class)->finalize (object);
}

static void
tacho_chart_rows_class_init (TachoChartRowsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_chart_rows_finalize;
}

static void
tacho_chart_rows_init (TachoChartRows *self)
{
  self->positions = g_array_new (FALSE, FALSE, sizeof (double));
}

/* --- the table --- */

struct _TachoChartTable
{
  AdwBin parent_instance;
  TachoChart *chart;
  TachoChartRows *rows;
  GPtrArray *titles; /* of the columns of series; NULL: none yet */
  GtkColumnView *view;
};

G_DEFINE_FINAL_TYPE (TachoChartTable, tacho_chart_table, ADW_TYPE_BIN)

/* column 0: the position; else a series. */
static char *
cell_text (TachoChartTable *self, double x, guint column)
{
  TachoSeries *series;
  gsize at;

  if (column == 0)
    return tacho_chart_dup_position (self->chart, x);
  series = tacho_chart_get_series (self->chart, column - 1);
  at = tacho_series_lower_bound (series, x);
  if (at >= tacho_series_get_length (series) || tacho_series_get_x (series)[at] > x)
    return g_strdup ("–");
  return tacho_chart_dup_value (self->chart, column - 1, at);
}

static void
setup_cb (GtkSignalListItemFactory *factory, GtkListItem *item, TachoChartTable *self)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (label), 1);
  gtk_widget_add_css_class (label, "numeric");
  gtk_list_item_set_child (item, label);
}

static void
bind_cb (GtkSignalListItemFactory *factory, GtkListItem *item, TachoChartTable *self)
{
  guint column = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (factory), "column"));
  TachoChartRow *row = gtk_list_item_get_item (item);
  g_autofree char *text = NULL;

  if (column > tacho_chart_get_n_series (self->chart))
    return;
  text = cell_text (self, row->x, column);
  gtk_label_set_label (GTK_LABEL (gtk_list_item_get_child (item)), text);
}

static void
add_column (TachoChartTable *self, guint column, const char *title)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_autoptr (GtkColumnViewColumn) made = NULL;

  g_object_set_data (G_OBJECT (factory), "column", GUINT_TO_POINTER (column));
  g_signal_connect_object (factory, "setup", G_CALLBACK (setup_cb), self, 0);
  g_signal_connect_object (factory, "bind", G_CALLBACK (bind_cb), self, 0);
  made = gtk_column_view_column_new (title, factory);
  gtk_column_view_column_set_expand (made, TRUE);
  gtk_column_view_append_column (self->view, made);
}

/* The same series: of a run that goes on, or of other runs with the same names. */
static gboolean
has_columns (TachoChartTable *self)
{
  guint n = tacho_chart_get_n_series (self->chart);

  if (self->titles == NULL || self->titles->len != n)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (!g_str_equal (g_ptr_array_index (self->titles, i),
                      tacho_series_get_name (tacho_chart_get_series (self->chart, i))))
      return FALSE;
  return TRUE;
}

static void
make_columns (TachoChartTable *self)
{
  GListModel *columns = gtk_column_view_get_columns (self->view);
  g_autofree char *unit = NULL;

  while (g_list_model_get_n_items (columns) > 0)
    {
      g_autoptr (GtkColumnViewColumn) column = g_list_model_get_item (columns, 0);

      gtk_column_view_remove_column (self->view, column);
    }
  g_object_get (self->chart, "x-unit", &unit, NULL);
  add_column (self, 0, g_strcmp0 (unit, _ ("s")) == 0 ? _ ("Time") : unit);
  g_clear_pointer (&self->titles, g_ptr_array_unref);
  self->titles = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < tacho_chart_get_n_series (self->chart); i++)
    {
      const char *name = tacho_series_get_name (tacho_chart_get_series (self->chart, i));

      g_ptr_array_add (self->titles, g_strdup (name));
      add_column (self, i + 1, name);
    }
}

static int
compare_positions (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

static void
collect_positions (TachoChart *chart, GArray *positions)
{
  guint kept = 0;

  g_array_set_size (positions, 0);
  for (guint i = 0; i < tacho_chart_get_n_series (chart); i++)
    {
      const TachoSeries *series = tacho_chart_get_series (chart, i);
      gsize n = tacho_series_get_length (series);

      if (n > 0)
        g_array_append_vals (positions, tacho_series_get_x (series), (guint) n);
    }
  g_array_sort (positions, compare_positions);
  for (guint i = 0; i < positions->len; i++)
    if (kept == 0 ||
        g_array_index (positions, double, i) > g_array_index (positions, double, kept - 1))
      g_array_index (positions, double, kept++) = g_array_index (positions, double, i);
  g_array_set_size (positions, kept);
}

static void
tacho_chart_table_dispose (GObject *object)
{
  TachoChartTable *self = TACHO_CHART_TABLE (object);

  adw_bin_set_child (ADW_BIN (self), NULL);
  g_clear_object (&self->rows);
  g_clear_object (&self->chart);
  g_clear_pointer (&self->titles, g_ptr_array_unref);

  G_OBJECT_CLASS (tacho_chart_table_parent_class)->dispose (object);
}

static void
tacho_chart_table_class_init (TachoChartTableClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_chart_table_dispose;
}

static void
tacho_chart_table_init (TachoChartTable *self)
{
  GtkWidget *scrolled = gtk_scrolled_window_new ();
  GtkSelectionModel *selection;

  self->rows = g_object_new (TACHO_TYPE_CHART_ROWS, NULL);
  selection = GTK_SELECTION_MODEL (gtk_no_selection_new (g_object_ref (G_LIST_MODEL (self->rows))));
  self->view = GTK_COLUMN_VIEW (gtk_column_view_new (selection));
  gtk_widget_add_css_class (GTK_WIDGET (self->view), "data-table");
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scrolled), GTK_WIDGET (self->view));
  adw_bin_set_child (ADW_BIN (self), scrolled);
}

/**
 * tacho_chart_table_new:
 * @chart: a chart
 *
 * Returns: (transfer floating): all its values
 */
GtkWidget *
tacho_chart_table_new (TachoChart *chart)
{
  TachoChartTable *self = g_object_new (TACHO_TYPE_CHART_TABLE, NULL);

  self->chart = g_object_ref (chart);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  tacho_chart_get_title (chart), -1);
  tacho_chart_table_refresh (self);
  return GTK_WIDGET (self);
}

/**
 * tacho_chart_table_refresh:
 * @self: the table
 *
 * Reads the chart anew. What only grew keeps its place on the screen; the last rows are those that
 * may have changed.
 */
void
tacho_chart_table_refresh (TachoChartTable *self)
{
  guint before, after, same;

  g_return_if_fail (TACHO_IS_CHART_TABLE (self));

  if (!has_columns (self))
    make_columns (self);
  before = self->rows->positions->len;
  collect_positions (self->chart, self->rows->positions);
  after = self->rows->positions->len;
  same = MIN (before, after);
  same = same > 1 && after >= before ? same - 1 : 0;
  g_list_model_items_changed (G_LIST_MODEL (self->rows), same, before - same, after - same);
}

/**
 * tacho_chart_table_to_text:
 * @self: the table
 *
 * Returns: (transfer full): all of it, cells divided by tabs, for a spreadsheet
 */
char *
tacho_chart_table_to_text (TachoChartTable *self)
{
  GListModel *columns;
  GString *text = g_string_new (NULL);

  g_return_val_if_fail (TACHO_IS_CHART_TABLE (self), NULL);

  columns = gtk_column_view_get_columns (self->view);
  for (guint i = 0; i < g_list_model_get_n_items (columns); i++)
    {
      g_autoptr (GtkColumnViewColumn) column = g_list_model_get_item (columns, i);

      g_string_append_printf (text, "%s%s", i > 0 ? "\t" : "",
                              gtk_column_view_column_get_title (column));
    }
  g_string_append_c (text, '\n');
  for (guint row = 0; row < self->rows->positions->len; row++)
    for (guint i = 0; i <= tacho_chart_get_n_series (self->chart); i++)
      {
        g_autofree char *cell =
            cell_text (self, g_array_index (self->rows->positions, double, row), i);

        g_string_append_printf (text, "%s%s", i > 0 ? "\t" : "", cell);
        if (i == tacho_chart_get_n_series (self->chart))
          g_string_append_c (text, '\n');
      }
  return g_string_free (text, FALSE);
}
