/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of the history: columns, their text and their order. */
#define G_LOG_DOMAIN "tacho-bench-history-list"

#include "config.h"

#include "app/tacho-bench-history-list.h"
#include "app/tacho-display.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>
#include <math.h>

#define MAX_CELL 120 /* characters */

struct _TachoBenchHistoryList
{
  AdwBin parent_instance;
  GListStore *store;
  GtkFilterListModel *shown;
  GtkMultiSelection *selection;
  GHashTable *hidden; /* ids; or NULL */
};

G_DEFINE_FINAL_TYPE (TachoBenchHistoryList, tacho_bench_history_list, ADW_TYPE_BIN)

enum
{
  SIGNAL_SELECTION_CHANGED,
  SIGNAL_ACTIVATE_RUN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

typedef enum
{
  COLUMN_SELECT,
  COLUMN_DATE,
  COLUMN_MODEL,
  COLUMN_STATE,
  COLUMN_TOKENS,
  COLUMN_TTFT_P50,
  COLUMN_TTFT_P95,
  COLUMN_FAILED,
  COLUMN_LOAD,
  COLUMN_SERVER,
  COLUMN_TAGS,
  COLUMN_NOTE,
  N_COLUMNS
} Column;

static const struct
{
  const char *title;
  gboolean number;
  gboolean expand;
} columns[N_COLUMNS] = {
  [COLUMN_SELECT] = { "", FALSE, FALSE },
  [COLUMN_DATE] = { N_ ("Started"), FALSE, FALSE },
  [COLUMN_MODEL] = { N_ ("Model"), FALSE, TRUE },
  [COLUMN_STATE] = { N_ ("State"), FALSE, FALSE },
  [COLUMN_TOKENS] = { N_ ("Tokens/s"), TRUE, FALSE },
  [COLUMN_TTFT_P50] = { N_ ("TTFT p50"), TRUE, FALSE },
  [COLUMN_TTFT_P95] = { N_ ("TTFT p95"), TRUE, FALSE },
  [COLUMN_FAILED] = { N_ ("Failed"), TRUE, FALSE },
  [COLUMN_LOAD] = { N_ ("Load"), FALSE, FALSE },
  [COLUMN_SERVER] = { N_ ("Server"), FALSE, TRUE },
  [COLUMN_TAGS] = { N_ ("Tags"), FALSE, TRUE },
  [COLUMN_NOTE] = { N_ ("Note"), FALSE, TRUE },
};

/* In local time; what cannot be read is shown as it is. */
static char *
format_date (const char *iso)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (iso, utc);
  g_autoptr (GDateTime) local = time != NULL ? g_date_time_to_local (time) : NULL;

  return local != NULL ? g_date_time_format (local, "%F %R") : g_strdup (iso);
}

static const char *
state_words (TachoRunState state)
{
  switch (state)
    {
    case TACHO_RUN_RUNNING:
      return _ ("Running");
    case TACHO_RUN_INTERRUPTED:
      return _ ("Interrupted");
    case TACHO_RUN_DONE:
    default:
      return NULL;
    }
}

static char *
cell_text (const TachoHistoryRow *run, Column column)
{
  switch (column)
    {
    case COLUMN_DATE:
      return format_date (run->started);
    case COLUMN_MODEL:
      return tacho_text_sanitize_line (run->model, -1, MAX_CELL);
    case COLUMN_TOKENS:
      return tacho_display_number (run->output_tokens_per_s);
    case COLUMN_TTFT_P50:
      return tacho_display_ms (run->ttft_ms_p50);
    case COLUMN_TTFT_P95:
      return tacho_display_ms (run->ttft_ms_p95);
    case COLUMN_FAILED:
      return g_strdup_printf ("%'" G_GUINT64_FORMAT, run->failed);
    case COLUMN_LOAD:
      return tacho_text_sanitize_line (run->load, -1, MAX_CELL);
    case COLUMN_SERVER:
      {
        g_autofree char *name = tacho_display_url_name (run->url != NULL ? run->url : "");

        return tacho_text_sanitize_line (name, -1, MAX_CELL);
      }
    case COLUMN_TAGS:
      return tacho_text_sanitize_line (run->tags, -1, MAX_CELL);
    case COLUMN_NOTE:
      return tacho_text_sanitize_line (run->notes, -1, MAX_CELL);
    case COLUMN_SELECT:
    case COLUMN_STATE:
    case N_COLUMNS:
    default:
      return g_strdup ("");
    }
}

static const TachoHistoryRow *
row_of (gpointer entry)
{
  return tacho_history_entry_get_row (TACHO_HISTORY_ENTRY (entry));
}

static int
compare_numbers (double a, double b)
{
  if (isnan (a) || isnan (b))
    return isnan (a) == isnan (b) ? 0 : isnan (a) ? -1 : 1;
  return a < b ? -1 : a > b;
}

static int
compare_cb (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const TachoHistoryRow *x = row_of ((gpointer) a), *y = row_of ((gpointer) b);
  Column column = (Column) GPOINTER_TO_INT (user_data);
  g_autofree char *text_x = NULL;
  g_autofree char *text_y = NULL;

  switch (column)
    {
    case COLUMN_DATE:
      return g_strcmp0 (x->started, y->started);
    case COLUMN_TOKENS:
      return compare_numbers (x->output_tokens_per_s, y->output_tokens_per_s);
    case COLUMN_TTFT_P50:
      return compare_numbers (x->ttft_ms_p50, y->ttft_ms_p50);
    case COLUMN_TTFT_P95:
      return compare_numbers (x->ttft_ms_p95, y->ttft_ms_p95);
    case COLUMN_FAILED:
      return compare_numbers ((double) x->failed, (double) y->failed);
    case COLUMN_STATE:
      return (x->state * 4 + x->simulated * 2 + x->baseline) -
             (y->state * 4 + y->simulated * 2 + y->baseline);
    case COLUMN_SELECT:
    case COLUMN_MODEL:
    case COLUMN_LOAD:
    case COLUMN_SERVER:
    case COLUMN_TAGS:
    case COLUMN_NOTE:
    case N_COLUMNS:
    default:
      text_x = cell_text (x, column);
      text_y = cell_text (y, column);
      return g_utf8_collate (text_x, text_y);
    }
}

static void
add_badge (GtkWidget *box, const char *text, const char *tooltip)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_widget_add_css_class (label, "simulated");
  gtk_widget_set_valign (label, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (label, tooltip);
  gtk_box_append (GTK_BOX (box), label);
}

static void
bind_state (GtkWidget *box, const TachoHistoryRow *run)
{
  GtkWidget *child;
  const char *words = state_words (run->state);

  while ((child = gtk_widget_get_first_child (box)) != NULL)
    gtk_box_remove (GTK_BOX (box), child);
  if (run->baseline)
    add_badge (box, _ ("Baseline"), _ ("Other runs are compared with this one"));
  if (run->simulated)
    add_badge (box, _ ("Simulated"), _ ("Measured on a simulated server, not on a real model"));
  if (words != NULL)
    add_badge (box, words,
               run->state == TACHO_RUN_RUNNING
                   ? _ ("The run goes on, here or in another program")
                   : _ ("Stopped before the plan was through; the figures are those until then"));
  if (run->distorted)
    add_badge (box, _ ("Distorted"), _ ("The client itself may have distorted the figures"));
  if (gtk_widget_get_first_child (box) == NULL)
    {
      child = gtk_label_new (_ ("Done"));
      gtk_widget_add_css_class (child, "dim-label");
      gtk_box_append (GTK_BOX (box), child);
    }
}

static void
toggled_cb (GtkCheckButton *check, GtkListItem *item)
{
  TachoBenchHistoryList *self = g_object_get_data (G_OBJECT (item), "list");
  guint position = gtk_list_item_get_position (item);
  gboolean active = gtk_check_button_get_active (check);

  if (position == GTK_INVALID_LIST_POSITION || active == gtk_list_item_get_selected (item))
    return;
  if (active)
    gtk_selection_model_select_item (GTK_SELECTION_MODEL (self->selection), position, FALSE);
  else
    gtk_selection_model_unselect_item (GTK_SELECTION_MODEL (self->selection), position);
}

static void
setup_cb (GtkSignalListItemFactory *factory, GtkListItem *item, TachoBenchHistoryList *self)
{
  Column column = (Column) GPOINTER_TO_INT (g_object_get_data (G_OBJECT (factory), "column"));
  GtkWidget *child;

  if (column == COLUMN_SELECT)
    {
      child = gtk_check_button_new ();
      g_object_set_data (G_OBJECT (item), "list", self);
      g_object_bind_property (item, "selected", child, "active", G_BINDING_SYNC_CREATE);
      g_signal_connect_object (child, "toggled", G_CALLBACK (toggled_cb), item, 0);
    }
  else if (column == COLUMN_STATE)
    child = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 3);
  else
    {
      child = gtk_label_new (NULL);
      gtk_label_set_xalign (GTK_LABEL (child), columns[column].number ? 1 : 0);
      gtk_widget_add_css_class (child, "numeric");
      if (columns[column].expand)
        {
          gtk_label_set_ellipsize (GTK_LABEL (child), PANGO_ELLIPSIZE_END);
          tacho_display_show_whole (GTK_LABEL (child));
          gtk_label_set_width_chars (GTK_LABEL (child), column == COLUMN_MODEL ? 16 : 8);
        }
    }
  gtk_list_item_set_child (item, child);
}

static void
bind_cb (GtkSignalListItemFactory *factory, GtkListItem *item, TachoBenchHistoryList *self)
{
  Column column = (Column) GPOINTER_TO_INT (g_object_get_data (G_OBJECT (factory), "column"));
  const TachoHistoryRow *run = row_of (gtk_list_item_get_item (item));
  GtkWidget *child = gtk_list_item_get_child (item);
  g_autofree char *text = cell_text (run, column);
  g_autofree char *name = NULL;

  if (column == COLUMN_SELECT)
    {
      g_autofree char *date = format_date (run->started);
      g_autofree char *model = tacho_text_sanitize_line (run->model, -1, MAX_CELL);

      name = g_strdup_printf (_ ("Select the run of %s, %s"), model, date);
      gtk_accessible_update_property (GTK_ACCESSIBLE (child), GTK_ACCESSIBLE_PROPERTY_LABEL, name,
                                      -1);
    }
  else if (column == COLUMN_STATE)
    bind_state (child, run);
  else
    {
      gtk_label_set_label (GTK_LABEL (child), text);
      tacho_display_set_class (child, column == COLUMN_FAILED && run->failed > 0 ? "error" : "");
    }
}

static gboolean
filter_cb (gpointer entry, gpointer user_data)
{
  TachoBenchHistoryList *self = user_data;

  return self->hidden == NULL || !g_hash_table_contains (self->hidden, row_of (entry)->id);
}

static void
activate_cb (GtkColumnView *view, guint position, TachoBenchHistoryList *self)
{
  g_autoptr (TachoHistoryEntry) entry =
      g_list_model_get_item (G_LIST_MODEL (self->selection), position);

  if (entry != NULL)
    g_signal_emit (self, signals[SIGNAL_ACTIVATE_RUN], 0, row_of (entry)->id);
}

static void
selection_cb (TachoBenchHistoryList *self)
{
  g_signal_emit (self, signals[SIGNAL_SELECTION_CHANGED], 0);
}

static GtkColumnViewColumn *
add_column (TachoBenchHistoryList *self, GtkColumnView *view, Column column)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  g_autoptr (GtkColumnViewColumn) made = NULL;
  g_autoptr (GtkSorter) sorter = NULL;

  g_object_set_data (G_OBJECT (factory), "column", GINT_TO_POINTER (column));
  g_signal_connect_object (factory, "setup", G_CALLBACK (setup_cb), self, 0);
  g_signal_connect_object (factory, "bind", G_CALLBACK (bind_cb), self, 0);
  made = gtk_column_view_column_new (
      *columns[column].title != '\0' ? _ (columns[column].title) : "", factory);
  gtk_column_view_column_set_expand (made, columns[column].expand);
  gtk_column_view_column_set_resizable (made, column != COLUMN_SELECT);
  if (column != COLUMN_SELECT)
    {
      sorter = GTK_SORTER (gtk_custom_sorter_new (compare_cb, GINT_TO_POINTER (column), NULL));
      gtk_column_view_column_set_sorter (made, sorter);
    }
  gtk_column_view_append_column (view, made);
  return made; /* the view holds it */
}

static void
tacho_bench_history_list_dispose (GObject *object)
{
  TachoBenchHistoryList *self = TACHO_BENCH_HISTORY_LIST (object);

  adw_bin_set_child (ADW_BIN (self), NULL);
  g_clear_object (&self->selection);
  g_clear_object (&self->shown);
  g_clear_object (&self->store);
  g_clear_pointer (&self->hidden, g_hash_table_unref);

  G_OBJECT_CLASS (tacho_bench_history_list_parent_class)->dispose (object);
}

static void
tacho_bench_history_list_class_init (TachoBenchHistoryListClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_bench_history_list_dispose;
  signals[SIGNAL_SELECTION_CHANGED] =
      g_signal_new ("selection-changed", TACHO_TYPE_BENCH_HISTORY_LIST, G_SIGNAL_RUN_LAST, 0, NULL,
                    NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_ACTIVATE_RUN] =
      g_signal_new ("activate-run", TACHO_TYPE_BENCH_HISTORY_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
tacho_bench_history_list_init (TachoBenchHistoryList *self)
{
  GtkWidget *scrolled = gtk_scrolled_window_new ();
  GtkColumnView *view = GTK_COLUMN_VIEW (gtk_column_view_new (NULL));
  GtkColumnViewColumn *date = NULL;
  GtkSortListModel *sorted;
  GtkFilter *filter;

  for (Column column = 0; column < N_COLUMNS; column++)
    {
      GtkColumnViewColumn *made = add_column (self, view, column);

      if (column == COLUMN_DATE)
        date = made;
    }
  self->store = g_list_store_new (TACHO_TYPE_HISTORY_ENTRY);
  filter = GTK_FILTER (gtk_custom_filter_new (filter_cb, self, NULL));
  self->shown = gtk_filter_list_model_new (g_object_ref (G_LIST_MODEL (self->store)), filter);
  sorted = gtk_sort_list_model_new (g_object_ref (G_LIST_MODEL (self->shown)),
                                    g_object_ref (gtk_column_view_get_sorter (view)));
  self->selection = gtk_multi_selection_new (G_LIST_MODEL (sorted));
  g_signal_connect_object (self->selection, "selection-changed", G_CALLBACK (selection_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_column_view_set_model (view, GTK_SELECTION_MODEL (self->selection));
  gtk_column_view_sort_by_column (view, date, GTK_SORT_DESCENDING);
  g_signal_connect_object (view, "activate", G_CALLBACK (activate_cb), self, 0);
  gtk_widget_add_css_class (GTK_WIDGET (view), "data-table");
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Runs of the history"), -1);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scrolled), GTK_WIDGET (view));
  gtk_widget_set_vexpand (scrolled, TRUE);
  adw_bin_set_child (ADW_BIN (self), scrolled);
}

/**
 * tacho_bench_history_list_dup_selected:
 * @self: the table
 *
 * Returns: (transfer full) (element-type TachoHistoryEntry): the selected runs, in the order shown
 */
GPtrArray *
tacho_bench_history_list_dup_selected (TachoBenchHistoryList *self)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GtkBitset) bits = NULL;
  GtkBitsetIter iter;
  guint at;

  g_return_val_if_fail (TACHO_IS_BENCH_HISTORY_LIST (self), NULL);

  bits = gtk_selection_model_get_selection (GTK_SELECTION_MODEL (self->selection));
  for (gboolean more = gtk_bitset_iter_init_first (&iter, bits, &at); more;
       more = gtk_bitset_iter_next (&iter, &at))
    {
      gpointer entry = g_list_model_get_item (G_LIST_MODEL (self->selection), at);

      if (entry != NULL)
        g_ptr_array_add (list, entry);
    }
  return list;
}

/**
 * tacho_bench_history_list_set_runs:
 * @self: the table
 * @runs: (element-type TachoHistoryEntry): what to show
 */
void
tacho_bench_history_list_set_runs (TachoBenchHistoryList *self, GListModel *runs)
{
  g_autoptr (GPtrArray) selected = NULL;
  g_autoptr (GPtrArray) all = NULL;
  guint n;

  g_return_if_fail (TACHO_IS_BENCH_HISTORY_LIST (self));

  selected = tacho_bench_history_list_dup_selected (self);
  all = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < g_list_model_get_n_items (runs); i++)
    g_ptr_array_add (all, g_list_model_get_item (runs, i));
  g_signal_handlers_block_by_func (self->selection, selection_cb, self);
  g_list_store_splice (self->store, 0, g_list_model_get_n_items (G_LIST_MODEL (self->store)),
                       all->pdata, all->len);
  n = g_list_model_get_n_items (G_LIST_MODEL (self->selection));
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TachoHistoryEntry) entry =
          g_list_model_get_item (G_LIST_MODEL (self->selection), i);

      for (guint j = 0; j < selected->len; j++)
        if (g_strcmp0 (row_of (entry)->id, row_of (g_ptr_array_index (selected, j))->id) == 0)
          gtk_selection_model_select_item (GTK_SELECTION_MODEL (self->selection), i, FALSE);
    }
  g_signal_handlers_unblock_by_func (self->selection, selection_cb, self);
  selection_cb (self);
}

/**
 * tacho_bench_history_list_hide:
 * @self: the table
 * @ids: (element-type utf8): a set; read again with every call
 */
void
tacho_bench_history_list_hide (TachoBenchHistoryList *self, GHashTable *ids)
{
  g_return_if_fail (TACHO_IS_BENCH_HISTORY_LIST (self));

  if (self->hidden != ids)
    {
      g_clear_pointer (&self->hidden, g_hash_table_unref);
      self->hidden = g_hash_table_ref (ids);
    }
  gtk_filter_changed (gtk_filter_list_model_get_filter (self->shown), GTK_FILTER_CHANGE_DIFFERENT);
  selection_cb (self);
}

/**
 * tacho_bench_history_list_get_n_shown:
 * @self: the table
 *
 * Returns: how many runs it shows
 */
guint
tacho_bench_history_list_get_n_shown (TachoBenchHistoryList *self)
{
  g_return_val_if_fail (TACHO_IS_BENCH_HISTORY_LIST (self), 0);

  return g_list_model_get_n_items (G_LIST_MODEL (self->shown));
}
