/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page of the history. It reads the file when it is shown, and while it is shown. */
#define G_LOG_DOMAIN "tacho-bench-history-page"

#include "config.h"

#include "app/tacho-bench-history-page.h"
#include "app/tacho-bench-archive.h"
#include "app/tacho-bench-charts.h"
#include "app/tacho-bench-gather.h"
#include "app/tacho-bench-history-list.h"
#include "app/tacho-bench-results.h"
#include "app/tacho-bench-save.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define SAVE_DELAY_MS 400
#define MAX_COMPARED 6
#define UNDO_S 8

struct _TachoBenchHistoryPage
{
  AdwBin parent_instance;
  TachoBenchArchive *archive;
  gboolean stale;      /* changed since it was read */
  GHashTable *deleted; /* ids of runs that go for good once their toast is gone */
  char *edited;        /* id of the run whose tags and note are in the entries */
  guint save_source;
  GCancellable *loading;

  GtkStack *stack;
  GtkStack *lists;
  GtkSearchEntry *search;
  GtkLabel *count;
  TachoBenchHistoryList *list;
  AdwStatusPage *problem;
  GtkWidget *inspector;
  GtkEditable *tags;
  GtkEditable *notes;
  GtkMenuButton *export_button;
  GtkLabel *hint;
  GtkButton *baseline_button;
  GtkLabel *run_title;
  TachoBenchResults *results;
  TachoBenchCharts *charts;
};

G_DEFINE_FINAL_TYPE (TachoBenchHistoryPage, tacho_bench_history_page, ADW_TYPE_BIN)

enum
{
  SIGNAL_RUN_AGAIN,
  SIGNAL_COMPARE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static const TachoHistoryRow *
row_at (GPtrArray *selected, guint at)
{
  return tacho_history_entry_get_row (g_ptr_array_index (selected, at));
}

static void
update_count (TachoBenchHistoryPage *self)
{
  guint n = tacho_bench_history_list_get_n_shown (self->list);
  g_autofree char *text = g_strdup_printf (ngettext ("%u run", "%u runs", n), n);
  gboolean searching = *gtk_editable_get_text (GTK_EDITABLE (self->search)) != '\0';

  gtk_label_set_label (self->count, text);
  gtk_stack_set_visible_child_name (self->lists, n > 0       ? "list"
                                                 : searching ? "no-results"
                                                             : "empty");
}

static void
refresh (TachoBenchHistoryPage *self)
{
  TachoHistory *history = tacho_bench_archive_get_history (self->archive);
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) runs = NULL;
  g_autofree char *problem = NULL;

  self->stale = FALSE;
  if (history != NULL)
    runs =
        tacho_history_list (history, gtk_editable_get_text (GTK_EDITABLE (self->search)), &error);
  if (runs == NULL)
    {
      problem = tacho_text_escape_markup (
          error != NULL ? error->message : tacho_bench_archive_get_problem (self->archive), 500);
      adw_status_page_set_description (self->problem, problem);
      gtk_stack_set_visible_child_name (self->lists, "problem");
      return;
    }
  tacho_bench_history_list_set_runs (self->list, runs);
  update_count (self);
}

static void
changed_cb (TachoBenchHistoryPage *self)
{
  self->stale = TRUE;
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    refresh (self);
}

/* --- tags and notes: kept as they are typed --- */

static void
save_now (TachoBenchHistoryPage *self)
{
  TachoHistory *history;
  g_autoptr (GError) error = NULL;

  if (self->save_source == 0)
    return;
  g_clear_handle_id (&self->save_source, g_source_remove);
  history = tacho_bench_archive_get_history (self->archive);
  if (history == NULL || self->edited == NULL)
    return;
  if (!tacho_history_set_tags (history, self->edited, gtk_editable_get_text (self->tags), &error) ||
      !tacho_history_set_notes (history, self->edited, gtk_editable_get_text (self->notes), &error))
    tacho_bench_say (GTK_WIDGET (self), error->message);
  tacho_bench_archive_changed (self->archive);
}

static gboolean
save_cb (gpointer user_data)
{
  save_now (user_data);
  return G_SOURCE_REMOVE;
}

static void
edited_cb (TachoBenchHistoryPage *self)
{
  if (self->edited == NULL)
    return;
  g_clear_handle_id (&self->save_source, g_source_remove);
  self->save_source = g_timeout_add (SAVE_DELAY_MS, save_cb, self);
}

static void
show_in_inspector (TachoBenchHistoryPage *self, const TachoHistoryRow *run)
{
  g_autofree char *tags = NULL;
  g_autofree char *notes = NULL;

  if (g_strcmp0 (self->edited, run != NULL ? run->id : NULL) == 0)
    return;
  save_now (self);
  g_clear_pointer (&self->edited, g_free);
  tags = tacho_text_sanitize_line (run != NULL ? run->tags : "", -1, 0);
  notes = tacho_text_sanitize_line (run != NULL ? run->notes : "", -1, 0);
  gtk_editable_set_text (self->tags, tags);
  gtk_editable_set_text (self->notes, notes);
  self->edited = run != NULL ? g_strdup (run->id) : NULL;
}

static void
selection_cb (TachoBenchHistoryPage *self)
{
  g_autoptr (GPtrArray) selected = tacho_bench_history_list_dup_selected (self->list);
  GtkWidget *widget = GTK_WIDGET (self);
  gboolean one = selected->len == 1;
  g_autofree char *hint = NULL;

  gtk_widget_action_set_enabled (widget, "history.open", one);
  gtk_widget_action_set_enabled (widget, "history.run-again", one);
  gtk_widget_action_set_enabled (widget, "history.baseline", one);
  gtk_widget_action_set_enabled (widget, "history.compare",
                                 selected->len >= 1 && selected->len <= MAX_COMPARED);
  gtk_widget_action_set_enabled (widget, "history.merge", selected->len >= 2);
  gtk_widget_action_set_enabled (widget, "history.delete", selected->len > 0);
  gtk_widget_set_sensitive (GTK_WIDGET (self->export_button), one);
  gtk_button_set_label (self->baseline_button, one && row_at (selected, 0)->baseline
                                                   ? _ ("Clear Baseline")
                                                   : _ ("Set as Baseline"));
  gtk_widget_set_sensitive (self->inspector, one);
  show_in_inspector (self, one ? row_at (selected, 0) : NULL);
  if (selected->len == 0)
    hint = g_strdup (_ ("Select a run to open, change or export it; two or more to compare them."));
  else if (selected->len > 1)
    hint = g_strdup_printf (ngettext ("%u run selected.", "%u runs selected.", selected->len),
                            selected->len);
  gtk_label_set_label (self->hint, hint != NULL ? hint : "");
  gtk_widget_set_visible (GTK_WIDGET (self->hint), hint != NULL);
}

/* --- whole runs, read when something is to be done with them --- */

static void
show_run (GtkWidget *widget, TachoBenchResult *result)
{
  TachoBenchHistoryPage *self = TACHO_BENCH_HISTORY_PAGE (widget);
  g_autofree char *model = tacho_text_sanitize_line (result->plan->model, -1, 100);
  g_autofree char *started = tacho_text_sanitize_line (result->started, -1, 40);
  g_autofree char *title = g_strdup_printf ("%s · %s", model, started);

  gtk_label_set_label (self->run_title, title);
  tacho_bench_results_set_result (self->results, result);
  tacho_bench_charts_show_result (self->charts, result);
  gtk_stack_set_visible_child_name (self->stack, "run");
}

typedef enum
{
  WANT_OPEN,
  WANT_RUN_AGAIN,
  WANT_COMPARE,
  WANT_MERGE,
  WANT_EXPORT,
} Want;

typedef struct
{
  TachoBenchHistoryPage *page;
  Want want;
  char *format;
} Wanted;

static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Wanted *wanted = user_data;
  g_autoptr (TachoBenchHistoryPage) self = wanted->page;
  g_autofree char *format = wanted->format;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) results =
      tacho_bench_archive_load_finish (TACHO_BENCH_ARCHIVE (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (results == NULL)
    tacho_bench_say (GTK_WIDGET (self), error->message);
  else if (wanted->want == WANT_OPEN)
    show_run (GTK_WIDGET (self), g_ptr_array_index (results, 0));
  else if (wanted->want == WANT_RUN_AGAIN)
    g_signal_emit (self, signals[SIGNAL_RUN_AGAIN], 0, g_ptr_array_index (results, 0));
  else if (wanted->want == WANT_COMPARE)
    g_signal_emit (self, signals[SIGNAL_COMPARE], 0, results);
  else if (wanted->want == WANT_MERGE)
    tacho_bench_gather_merge (GTK_WIDGET (self), results, show_run);
  else
    tacho_bench_save_ask (GTK_WIDGET (self), g_ptr_array_index (results, 0), format);
}

/* ids: NULL-terminated. */
static void
load (TachoBenchHistoryPage *self, const char *const *ids, Want want, const char *format)
{
  Wanted *wanted = g_new0 (Wanted, 1);

  wanted->page = g_object_ref (self);
  wanted->want = want;
  wanted->format = g_strdup (format);
  if (self->loading != NULL)
    g_cancellable_cancel (self->loading);
  g_clear_object (&self->loading);
  self->loading = g_cancellable_new ();
  tacho_bench_archive_load_async (self->archive, ids, self->loading, loaded_cb, wanted);
}

static void
load_selected (TachoBenchHistoryPage *self, Want want, const char *format)
{
  g_autoptr (GPtrArray) selected = tacho_bench_history_list_dup_selected (self->list);
  const char *ids[] = { NULL, NULL };

  if (selected->len != 1)
    return;
  ids[0] = row_at (selected, 0)->id;
  load (self, ids, want, format);
}

static void
activate_run_cb (TachoBenchHistoryPage *self, const char *id)
{
  const char *ids[] = { id, NULL };

  load (self, ids, WANT_OPEN, NULL);
}

static void
open_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  load_selected (TACHO_BENCH_HISTORY_PAGE (widget), WANT_OPEN, NULL);
}

static void
run_again_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  load_selected (TACHO_BENCH_HISTORY_PAGE (widget), WANT_RUN_AGAIN, NULL);
}

static void
export_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  load_selected (TACHO_BENCH_HISTORY_PAGE (widget), WANT_EXPORT,
                 g_variant_get_string (parameter, NULL));
}

/* The baseline's id, or NULL. */
static char *
find_baseline (TachoBenchHistoryPage *self)
{
  TachoHistory *history = tacho_bench_archive_get_history (self->archive);
  g_autoptr (GListModel) runs = history != NULL ? tacho_history_list (history, NULL, NULL) : NULL;

  for (guint i = 0; runs != NULL && i < g_list_model_get_n_items (runs); i++)
    {
      g_autoptr (TachoHistoryEntry) entry = g_list_model_get_item (runs, i);

      if (tacho_history_entry_get_row (entry)->baseline)
        return g_strdup (tacho_history_entry_get_row (entry)->id);
    }
  return NULL;
}

/* The baseline first, else the oldest: what came later is compared with it. */
static int
reference_first (gconstpointer a, gconstpointer b)
{
  const TachoHistoryRow *x = tacho_history_entry_get_row (*(TachoHistoryEntry *const *) a);
  const TachoHistoryRow *y = tacho_history_entry_get_row (*(TachoHistoryEntry *const *) b);

  if (x->baseline != y->baseline)
    return x->baseline ? -1 : 1;
  return g_strcmp0 (x->started, y->started);
}

static void
compare_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoBenchHistoryPage *self = TACHO_BENCH_HISTORY_PAGE (widget);
  g_autoptr (GPtrArray) selected = tacho_bench_history_list_dup_selected (self->list);
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();
  g_autofree char *baseline = NULL;

  g_ptr_array_sort (selected, reference_first);
  if (selected->len == 1)
    {
      baseline = find_baseline (self);
      if (baseline == NULL || g_str_equal (baseline, row_at (selected, 0)->id))
        {
          tacho_bench_say (widget, _ ("Select two runs or more, or set another run as the baseline "
                                      "to compare this one with."));
          return;
        }
      g_ptr_array_add (ids, baseline);
    }
  for (guint i = 0; i < selected->len; i++)
    g_ptr_array_add (ids, row_at (selected, i)->id);
  g_ptr_array_add (ids, NULL);
  load (self, (const char *const *) ids->pdata, WANT_COMPARE, NULL);
}

static void
merge_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoBenchHistoryPage *self = TACHO_BENCH_HISTORY_PAGE (widget);
  g_autoptr (GPtrArray) selected = tacho_bench_history_list_dup_selected (self->list);
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();

  for (guint i = 0; i < selected->len; i++)
    g_ptr_array_add (ids, (gpointer) row_at (selected, i)->id);
  g_ptr_array_add (ids, NULL);
  load (self, (const char *const *) ids->pdata, WANT_MERGE, NULL);
}

static void
import_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  tacho_bench_gather_ask (widget);
}

static void
baseline_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoBenchHistoryPage *self = TACHO_BENCH_HISTORY_PAGE (widget);
  TachoHistory *history = tacho_bench_archive_get_history (self->archive);
  g_autoptr (GPtrArray) selected = tacho_bench_history_list_dup_selected (self->list);
  g_autoptr (GError) error = NULL;

  if (history == NULL || selected->len != 1)
    return;
  if (!tacho_history_set_baseline (
          history, row_at (selected, 0)->baseline ? NULL : row_at (selected, 0)->id, &error))
    tacho_bench_say (widget, error->message);
  tacho_bench_archive_changed (self->archive);
}

/* --- deleting, with a way back --- */

static void
delete_for_good (TachoBenchHistoryPage *self, char **ids)
{
  TachoHistory *history = tacho_bench_archive_get_history (self->archive);

  for (char **id = ids; *id != NULL; id++)
    {
      g_autoptr (GError) error = NULL;

      if (!g_hash_table_remove (self->deleted, *id))
        continue; /* taken back */
      if (history == NULL || !tacho_history_delete (history, *id, &error))
        tacho_bench_say (GTK_WIDGET (self), error != NULL
                                                ? error->message
                                                : tacho_bench_archive_get_problem (self->archive));
    }
  tacho_bench_archive_changed (self->archive);
}

static void
undo_cb (AdwToast *toast, TachoBenchHistoryPage *self)
{
  char **ids = g_object_get_data (G_OBJECT (toast), "ids");

  for (; *ids != NULL; ids++)
    g_hash_table_remove (self->deleted, *ids);
  tacho_bench_history_list_hide (self->list, self->deleted);
  update_count (self);
}

static void
dismissed_cb (AdwToast *toast, TachoBenchHistoryPage *self)
{
  delete_for_good (self, g_object_get_data (G_OBJECT (toast), "ids"));
}

static void
delete_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoBenchHistoryPage *self = TACHO_BENCH_HISTORY_PAGE (widget);
  GtkWidget *overlay = gtk_widget_get_ancestor (widget, ADW_TYPE_TOAST_OVERLAY);
  g_autoptr (GPtrArray) selected = tacho_bench_history_list_dup_selected (self->list);
  g_autoptr (GStrvBuilder) ids = g_strv_builder_new ();
  g_autofree char *text = NULL;
  AdwToast *toast;

  if (selected->len == 0 || overlay == NULL)
    return;
  for (guint i = 0; i < selected->len; i++)
    {
      g_strv_builder_add (ids, row_at (selected, i)->id);
      g_hash_table_add (self->deleted, g_strdup (row_at (selected, i)->id));
    }
  text = g_strdup_printf (ngettext ("%u run deleted", "%u runs deleted", selected->len),
                          selected->len);
  toast = adw_toast_new (text);
  adw_toast_set_button_label (toast, _ ("Undo"));
  adw_toast_set_timeout (toast, UNDO_S);
  adw_toast_set_priority (toast, ADW_TOAST_PRIORITY_HIGH);
  g_object_set_data_full (G_OBJECT (toast), "ids", g_strv_builder_end (ids),
                          (GDestroyNotify) g_strfreev);
  g_signal_connect_object (toast, "button-clicked", G_CALLBACK (undo_cb), self, 0);
  g_signal_connect_object (toast, "dismissed", G_CALLBACK (dismissed_cb), self, 0);
  tacho_bench_history_list_hide (self->list, self->deleted);
  update_count (self);
  /* Else the focus would fall into the toast, which then stays. */
  if (!gtk_widget_child_focus (GTK_WIDGET (self->list), GTK_DIR_TAB_FORWARD))
    gtk_widget_grab_focus (GTK_WIDGET (self->search));
  adw_toast_overlay_add_toast (ADW_TOAST_OVERLAY (overlay), toast);
}

static void
back_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  gtk_stack_set_visible_child_name (TACHO_BENCH_HISTORY_PAGE (widget)->stack, "runs");
}

static void
clear_search_cb (TachoBenchHistoryPage *self)
{
  gtk_editable_set_text (GTK_EDITABLE (self->search), "");
}

static void
tacho_bench_history_page_map (GtkWidget *widget)
{
  TachoBenchHistoryPage *self = TACHO_BENCH_HISTORY_PAGE (widget);

  GTK_WIDGET_CLASS (tacho_bench_history_page_parent_class)->map (widget);
  if (self->stale)
    refresh (self);
}

static void
tacho_bench_history_page_unmap (GtkWidget *widget)
{
  save_now (TACHO_BENCH_HISTORY_PAGE (widget));
  GTK_WIDGET_CLASS (tacho_bench_history_page_parent_class)->unmap (widget);
}

static void
tacho_bench_history_page_dispose (GObject *object)
{
  TachoBenchHistoryPage *self = TACHO_BENCH_HISTORY_PAGE (object);
  g_auto (GStrv) ids = NULL;

  if (self->loading != NULL)
    g_cancellable_cancel (self->loading);
  g_clear_object (&self->loading);
  if (self->deleted != NULL)
    {
      save_now (self);
      g_signal_handlers_disconnect_by_data (self->archive, self);
      ids = (char **) g_hash_table_get_keys_as_array (self->deleted, NULL);
      for (char **id = ids; *id != NULL; id++)
        *id = g_strdup (*id);
      delete_for_good (self, ids);
      g_clear_pointer (&self->deleted, g_hash_table_unref);
    }
  g_clear_pointer (&self->edited, g_free);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_BENCH_HISTORY_PAGE);

  G_OBJECT_CLASS (tacho_bench_history_page_parent_class)->dispose (object);
}

static void
bind_children (GtkWidgetClass *widget_class)
{
  gtk_widget_class_bind_template_child (widget_class, TachoBenchHistoryPage, stack);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchHistoryPage, lists);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchHistoryPage, search);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchHistoryPage, count);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchHistoryPage, list);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchHistoryPage, problem);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchHistoryPage, inspector);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchHistoryPage, tags);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchHistoryPage, notes);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchHistoryPage, export_button);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchHistoryPage, hint);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchHistoryPage, baseline_button);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchHistoryPage, run_title);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchHistoryPage, results);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchHistoryPage, charts);
  gtk_widget_class_bind_template_callback (widget_class, refresh);
  gtk_widget_class_bind_template_callback (widget_class, selection_cb);
  gtk_widget_class_bind_template_callback (widget_class, activate_run_cb);
  gtk_widget_class_bind_template_callback (widget_class, edited_cb);
  gtk_widget_class_bind_template_callback (widget_class, clear_search_cb);
}

static void
tacho_bench_history_page_class_init (TachoBenchHistoryPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_bench_history_page_dispose;
  widget_class->map = tacho_bench_history_page_map;
  widget_class->unmap = tacho_bench_history_page_unmap;

  signals[SIGNAL_RUN_AGAIN] =
      g_signal_new ("run-again", TACHO_TYPE_BENCH_HISTORY_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
  signals[SIGNAL_COMPARE] =
      g_signal_new ("compare", TACHO_TYPE_BENCH_HISTORY_PAGE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);

  g_type_ensure (TACHO_TYPE_BENCH_HISTORY_LIST);
  g_type_ensure (TACHO_TYPE_BENCH_RESULTS);
  g_type_ensure (TACHO_TYPE_BENCH_CHARTS);
  gtk_widget_class_set_template_from_resource (
      widget_class, "/io/github/tacho/Tacho/tacho-bench-history-page.ui");
  bind_children (widget_class);
  gtk_widget_class_install_action (widget_class, "history.open", NULL, open_cb);
  gtk_widget_class_install_action (widget_class, "history.run-again", NULL, run_again_cb);
  gtk_widget_class_install_action (widget_class, "history.compare", NULL, compare_cb);
  gtk_widget_class_install_action (widget_class, "history.merge", NULL, merge_cb);
  gtk_widget_class_install_action (widget_class, "history.import", NULL, import_cb);
  gtk_widget_class_install_action (widget_class, "history.baseline", NULL, baseline_cb);
  gtk_widget_class_install_action (widget_class, "history.export", "s", export_cb);
  gtk_widget_class_install_action (widget_class, "history.delete", NULL, delete_cb);
  gtk_widget_class_install_action (widget_class, "history.back", NULL, back_cb);
}

static void
tacho_bench_history_page_init (TachoBenchHistoryPage *self)
{
  g_autoptr (GMenuModel) menu = tacho_bench_save_menu ("history.export");

  self->archive = tacho_bench_archive_get_default ();
  self->deleted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->stale = TRUE;
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_menu_button_set_menu_model (self->export_button, menu);
  tacho_bench_gather_accept_drops (GTK_WIDGET (self));
  g_signal_connect_object (self->archive, "changed", G_CALLBACK (changed_cb), self,
                           G_CONNECT_SWAPPED);
  selection_cb (self);
}
