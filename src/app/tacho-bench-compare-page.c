/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page that compares. Resampling takes a moment: it is done in a thread. */
#define G_LOG_DOMAIN "tacho-bench-compare-page"

#include "config.h"

#include "app/tacho-bench-compare-page.h"
#include "app/tacho-accessible.h"
#include "app/tacho-bench-compare-table.h"
#include "app/tacho-bench-overlay-charts.h"
#include "base/tacho-text.h"
#include "bench/tacho-compare.h"

#include <glib/gi18n.h>

struct _TachoBenchComparePage
{
  AdwBin parent_instance;
  GPtrArray *results; /* of TachoBenchResult; or NULL */
  GPtrArray *names;   /* of char * */
  GCancellable *comparing;
  gboolean anyway; /* a person wants to compare unlike runs */
  gboolean filling;

  GtkStack *stack;
  GtkDropDown *choice_a;
  GtkDropDown *choice_b;
  GtkStack *outcome;
  AdwStatusPage *unlike;
  GtkWidget *notes_box;
  GtkLabel *notes;
  TachoBenchCompareTable *table;
  TachoBenchOverlayCharts *charts;
};

G_DEFINE_FINAL_TYPE (TachoBenchComparePage, tacho_bench_compare_page, ADW_TYPE_BIN)

static char *
make_time (TachoBenchResult *result, const char *format)
{
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (result->started, utc);
  g_autoptr (GDateTime) local = time != NULL ? g_date_time_to_local (time) : NULL;

  return local != NULL ? g_date_time_format (local, format) : g_strdup ("");
}

/* What tells the runs apart: the number is on every chart. */
static char *
make_choice (TachoBenchResult *result, guint at)
{
  g_autofree char *time = make_time (result, "%F %T");
  g_autofree char *model = tacho_text_sanitize_line (result->plan->model, -1, 60);

  return g_strdup_printf ("%u · %s · %s%s", at + 1, model, time,
                          result->simulated ? _ (" · simulated") : "");
}

static char *
make_name (TachoBenchResult *result, guint at)
{
  g_autofree char *time = make_time (result, "%T");

  return g_strdup_printf ("%u · %s", at + 1, time);
}

static void
show_lines (GtkWidget *box, GtkLabel *label, char **lines)
{
  g_autofree char *joined = g_strjoinv ("\n", lines);
  g_autofree char *clean = tacho_text_sanitize (joined, -1);

  gtk_label_set_label (label, clean);
  gtk_widget_set_visible (box, *clean != '\0');
}

static void
show_comparison (TachoBenchComparePage *self, TachoComparison *comparison)
{
  g_autofree char *joined = NULL;
  g_autofree char *words = NULL;

  show_lines (self->notes_box, self->notes, comparison->warnings);
  if (*comparison->unlike != NULL && !self->anyway)
    {
      joined = g_strjoinv ("\n", comparison->unlike);
      words = tacho_text_escape_markup (joined, 1000);
      adw_status_page_set_description (self->unlike, words);
      gtk_stack_set_visible_child_name (self->outcome, "unlike");
      return;
    }
  tacho_bench_compare_table_set_comparison (self->table, comparison);
  tacho_bench_overlay_charts_set_results (self->charts, self->results, self->names);
  gtk_stack_set_visible_child_name (self->outcome, "table");
}

typedef struct
{
  TachoBenchResult *a, *b;
} Pair;

static void
pair_free (gpointer data)
{
  Pair *pair = data;

  tacho_bench_result_unref (pair->a);
  tacho_bench_result_unref (pair->b);
  g_free (pair);
}

static void
compare_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Pair *pair = data;

  g_task_return_pointer (task, tacho_compare (pair->a, pair->b),
                         (GDestroyNotify) tacho_comparison_free);
}

static void
compared_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoComparison) comparison = g_task_propagate_pointer (G_TASK (result), &error);

  if (comparison != NULL)
    show_comparison (TACHO_BENCH_COMPARE_PAGE (source), comparison);
}

static void
compare (TachoBenchComparePage *self)
{
  guint a = gtk_drop_down_get_selected (self->choice_a);
  guint b = gtk_drop_down_get_selected (self->choice_b);
  g_autoptr (GTask) task = NULL;
  Pair *pair;

  if (self->filling || self->results == NULL || a >= self->results->len || b >= self->results->len)
    return;
  if (self->comparing != NULL)
    g_cancellable_cancel (self->comparing);
  g_clear_object (&self->comparing);
  self->comparing = g_cancellable_new ();
  pair = g_new0 (Pair, 1);
  pair->a = tacho_bench_result_ref (g_ptr_array_index (self->results, a));
  pair->b = tacho_bench_result_ref (g_ptr_array_index (self->results, b));
  task = g_task_new (self, self->comparing, compared_cb, NULL);
  g_task_set_task_data (task, pair, pair_free);
  g_task_run_in_thread (task, compare_thread);
  gtk_stack_set_visible_child_name (self->outcome, "busy");
}

static void
choice_cb (TachoBenchComparePage *self)
{
  self->anyway = FALSE;
  compare (self);
}

static void
anyway_cb (TachoBenchComparePage *self)
{
  self->anyway = TRUE;
  compare (self);
}

static void
swap_cb (TachoBenchComparePage *self)
{
  guint a = gtk_drop_down_get_selected (self->choice_a);
  guint b = gtk_drop_down_get_selected (self->choice_b);

  self->filling = TRUE;
  gtk_drop_down_set_selected (self->choice_a, b);
  self->filling = FALSE;
  gtk_drop_down_set_selected (self->choice_b, a);
}

static void
tacho_bench_compare_page_dispose (GObject *object)
{
  TachoBenchComparePage *self = TACHO_BENCH_COMPARE_PAGE (object);

  if (self->comparing != NULL)
    g_cancellable_cancel (self->comparing);
  g_clear_object (&self->comparing);
  self->filling = TRUE; /* the drop-downs change as they go */
  g_clear_pointer (&self->results, g_ptr_array_unref);
  g_clear_pointer (&self->names, g_ptr_array_unref);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_BENCH_COMPARE_PAGE);

  G_OBJECT_CLASS (tacho_bench_compare_page_parent_class)->dispose (object);
}

static void
tacho_bench_compare_page_class_init (TachoBenchComparePageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_bench_compare_page_dispose;

  g_type_ensure (TACHO_TYPE_BENCH_COMPARE_TABLE);
  g_type_ensure (TACHO_TYPE_BENCH_OVERLAY_CHARTS);
  gtk_widget_class_set_template_from_resource (
      widget_class, "/io/github/tacho/Tacho/tacho-bench-compare-page.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoBenchComparePage, stack);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchComparePage, choice_a);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchComparePage, choice_b);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchComparePage, outcome);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchComparePage, unlike);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchComparePage, notes_box);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchComparePage, notes);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchComparePage, table);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchComparePage, charts);
  gtk_widget_class_bind_template_callback (widget_class, choice_cb);
  gtk_widget_class_bind_template_callback (widget_class, anyway_cb);
  gtk_widget_class_bind_template_callback (widget_class, swap_cb);
}

static void
tacho_bench_compare_page_init (TachoBenchComparePage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  tacho_accessible_name_drop_down (self->choice_a);
  tacho_accessible_name_drop_down (self->choice_b);
}

static void
fill_choice (GtkDropDown *choice, GPtrArray *results)
{
  GtkStringList *list = gtk_string_list_new (NULL);

  for (guint i = 0; i < results->len; i++)
    gtk_string_list_take (list, make_choice (g_ptr_array_index (results, i), i));
  gtk_drop_down_set_model (choice, G_LIST_MODEL (list));
  g_object_unref (list);
}

/**
 * tacho_bench_compare_page_set_results:
 * @self: the page
 * @results: (element-type TachoBenchResult): two to six runs, the one to compare with first
 *
 * Compares the first with the second; a person chooses other pairs.
 */
void
tacho_bench_compare_page_set_results (TachoBenchComparePage *self, GPtrArray *results)
{
  g_return_if_fail (TACHO_IS_BENCH_COMPARE_PAGE (self));
  g_return_if_fail (results->len >= 2);

  self->filling = TRUE;
  g_clear_pointer (&self->results, g_ptr_array_unref);
  g_clear_pointer (&self->names, g_ptr_array_unref);
  self->results = g_ptr_array_ref (results);
  self->names = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < results->len; i++)
    g_ptr_array_add (self->names, make_name (g_ptr_array_index (results, i), i));
  fill_choice (self->choice_a, results);
  fill_choice (self->choice_b, results);
  gtk_drop_down_set_selected (self->choice_a, 0);
  gtk_drop_down_set_selected (self->choice_b, 1);
  self->filling = FALSE;
  self->anyway = FALSE;
  gtk_stack_set_visible_child_name (self->stack, "comparison");
  compare (self);
}
