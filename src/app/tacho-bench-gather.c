/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading and merging are done in threads: a long run is many megabytes. */
#define G_LOG_DOMAIN "tacho-bench-gather"

#include "config.h"

#include "app/tacho-bench-gather.h"
#include "app/tacho-bench-archive.h"
#include "app/tacho-bench-save.h"
#include "base/tacho-text.h"
#include "bench/tacho-bench-merge.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#define CHOOSER "tacho-gather-chooser"
#define MAX_LINE 300 /* characters of a failure */
#define MAX_LINES 6  /* failures that are shown */

static void
result_unref_cb (gpointer data)
{
  tacho_bench_result_unref (data);
}

/* --- files into the history --- */

typedef struct
{
  TachoHistory *history;
  char **paths;
  guint kept;
  GPtrArray *failures; /* of words, each with the name of its file */
} Import;

static void
import_free (gpointer data)
{
  Import *import = data;

  g_object_unref (import->history);
  g_strfreev (import->paths);
  g_ptr_array_unref (import->failures);
  g_free (import);
}

static void
import_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Import *import = data;

  for (char **path = import->paths; *path != NULL; path++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (TachoBenchResult) result = tacho_bench_result_load (*path, &error);
      g_autofree char *name = g_path_get_basename (*path);

      if (result != NULL && tacho_history_import (import->history, result, &error))
        import->kept++;
      else if (result != NULL) /* else the message names the file */
        g_ptr_array_add (import->failures, g_strdup_printf ("%s: %s", name, error->message));
      else
        g_ptr_array_add (import->failures, g_strdup (error->message));
    }
  g_task_return_boolean (task, TRUE);
}

static void
tell_failures (GtkWidget *widget, GPtrArray *failures)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint shown = MIN (failures->len, MAX_LINES);
  GtkWidget *dialog;

  for (guint i = 0; i < shown; i++)
    {
      g_autofree char *line =
          tacho_text_sanitize_line (g_ptr_array_index (failures, i), -1, MAX_LINE);

      g_string_append_printf (text, "%s%s", i > 0 ? "\n" : "", line);
    }
  if (failures->len > shown)
    {
      g_string_append_c (text, '\n');
      g_string_append_printf (text, ngettext ("and %u more", "and %u more", failures->len - shown),
                              failures->len - shown);
    }
  dialog = adw_message_dialog_new (
      GTK_WINDOW (gtk_widget_get_root (widget)),
      ngettext ("A File Was Not Imported", "Some Files Were Not Imported", failures->len),
      text->str);
  adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "close", _ ("_Close"));
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
imported_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GtkWidget *widget = GTK_WIDGET (source);
  Import *import = g_task_get_task_data (G_TASK (result));
  g_autofree char *words = NULL;

  g_application_release (g_application_get_default ());
  tacho_bench_archive_changed (tacho_bench_archive_get_default ());
  if (gtk_widget_get_root (widget) == NULL) /* closed meanwhile */
    return;
  words = g_strdup_printf (ngettext ("%u run imported", "%u runs imported", import->kept),
                           import->kept);
  if (import->kept > 0)
    tacho_bench_say (widget, words);
  if (import->failures->len > 0)
    tell_failures (widget, import->failures);
}

/**
 * tacho_bench_gather_import:
 * @widget: what wants it
 * @paths: (array zero-terminated=1): files that `--out` or an export wrote
 *
 * Puts the runs of files into the history. A file that holds none is named, and the others are
 * imported all the same.
 */
void
tacho_bench_gather_import (GtkWidget *widget, const char *const *paths)
{
  TachoBenchArchive *archive = tacho_bench_archive_get_default ();
  TachoHistory *history = tacho_bench_archive_get_history (archive);
  g_autoptr (GTask) task = NULL;
  Import *import;

  g_return_if_fail (GTK_IS_WIDGET (widget));

  if (history == NULL)
    {
      tacho_bench_say (widget, tacho_bench_archive_get_problem (archive));
      return;
    }
  import = g_new0 (Import, 1);
  import->history = g_object_ref (history);
  import->paths = g_strdupv ((char **) paths);
  import->failures = g_ptr_array_new_with_free_func (g_free);
  g_application_hold (g_application_get_default ());
  task = g_task_new (widget, NULL, imported_cb, NULL);
  g_task_set_task_data (task, import, import_free);
  g_task_run_in_thread (task, import_thread);
}

static gboolean
drop_cb (GtkDropTarget *target, const GValue *value, double x, double y, GtkWidget *widget)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) paths = NULL;

  for (GSList *file = g_value_get_boxed (value); file != NULL; file = file->next)
    {
      g_autofree char *path = g_file_get_path (file->data);

      if (path != NULL)
        g_strv_builder_add (builder, path);
    }
  paths = g_strv_builder_end (builder);
  if (paths[0] == NULL)
    return FALSE;
  tacho_bench_gather_import (widget, (const char *const *) paths);
  return TRUE;
}

/**
 * tacho_bench_gather_accept_drops:
 * @widget: what files can be dropped on
 *
 * Imports the runs of files that are dropped there.
 */
void
tacho_bench_gather_accept_drops (GtkWidget *widget)
{
  GtkDropTarget *target = gtk_drop_target_new (GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

  g_signal_connect_object (target, "drop", G_CALLBACK (drop_cb), widget, 0);
  gtk_widget_add_controller (widget, GTK_EVENT_CONTROLLER (target));
}

static void
chosen_cb (GtkNativeDialog *dialog, int response, GtkWidget *widget)
{
  g_autoptr (GListModel) files = NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) paths = NULL;
  guint n = 0;

  if (response == GTK_RESPONSE_ACCEPT)
    files = gtk_file_chooser_get_files (GTK_FILE_CHOOSER (dialog));
  if (files != NULL)
    n = g_list_model_get_n_items (files);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GFile) file = g_list_model_get_item (files, i);
      g_autofree char *path = g_file_get_path (file);

      if (path != NULL)
        g_strv_builder_add (builder, path);
    }
  paths = g_strv_builder_end (builder);
  if (paths[0] != NULL)
    tacho_bench_gather_import (widget, (const char *const *) paths);
  g_object_set_data (G_OBJECT (widget), CHOOSER, NULL);
}

/* A dialog that is open when its widget goes, goes with it. */
static void
chooser_free (gpointer data)
{
  gtk_native_dialog_destroy (data);
  g_object_unref (data);
}

/**
 * tacho_bench_gather_ask:
 * @widget: what wants it
 *
 * Asks for the files of runs, and imports them.
 */
void
tacho_bench_gather_ask (GtkWidget *widget)
{
  GtkFileChooserNative *chooser;
  g_autoptr (GtkFileFilter) runs = NULL;
  g_autoptr (GtkFileFilter) all = NULL;

  g_return_if_fail (GTK_IS_WIDGET (widget));

  if (g_object_get_data (G_OBJECT (widget), CHOOSER) != NULL)
    return;
  chooser =
      gtk_file_chooser_native_new (_ ("Import Runs"), GTK_WINDOW (gtk_widget_get_root (widget)),
                                   GTK_FILE_CHOOSER_ACTION_OPEN, _ ("_Import"), NULL);
  runs = gtk_file_filter_new ();
  gtk_file_filter_set_name (runs, _ ("Runs (JSON)"));
  gtk_file_filter_add_suffix (runs, "json");
  all = gtk_file_filter_new ();
  gtk_file_filter_set_name (all, _ ("All files"));
  gtk_file_filter_add_pattern (all, "*");
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (chooser), runs);
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (chooser), all);
  gtk_file_chooser_set_select_multiple (GTK_FILE_CHOOSER (chooser), TRUE);
  g_object_set_data_full (G_OBJECT (widget), CHOOSER, chooser, chooser_free);
  g_signal_connect_object (chooser, "response", G_CALLBACK (chosen_cb), widget, 0);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (chooser), TRUE);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (chooser));
}

/* --- parts of a load into one run --- */

typedef struct
{
  GPtrArray *results;
  TachoBenchMergedFunc done;
  TachoBenchResult *merged; /* NULL: it cannot be */
  char *objection;          /* NULL: it was merged without being forced */
} Merge;

static void
merge_free (gpointer data)
{
  Merge *merge = data;

  g_ptr_array_unref (merge->results);
  g_clear_pointer (&merge->merged, tacho_bench_result_unref);
  g_free (merge->objection);
  g_free (merge);
}

static void
merge_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Merge *merge = data;
  g_autoptr (GError) error = NULL;

  merge->merged = tacho_bench_merge (merge->results, FALSE, &error);
  if (merge->merged == NULL)
    {
      merge->objection = tacho_text_sanitize_line (error->message, -1, MAX_LINE);
      merge->merged = tacho_bench_merge (merge->results, TRUE, NULL);
    }
  g_task_return_boolean (task, TRUE);
}

static void
keep (GtkWidget *widget, TachoBenchResult *merged, TachoBenchMergedFunc done)
{
  tacho_bench_archive_keep (tacho_bench_archive_get_default (), merged);
  done (widget, merged);
}

static void
response_cb (AdwMessageDialog *dialog, const char *response, GtkWidget *widget)
{
  Merge *merge = g_object_get_data (G_OBJECT (dialog), "merge");

  if (g_str_equal (response, "merge"))
    keep (widget, merge->merged, merge->done);
}

/* Takes merge. */
static void
ask_anyway (GtkWidget *widget, Merge *merge)
{
  GtkWidget *widget_dialog =
      adw_message_dialog_new (GTK_WINDOW (gtk_widget_get_root (widget)),
                              _ ("These Are No Parts of One Load"), merge->objection);
  AdwMessageDialog *dialog = ADW_MESSAGE_DIALOG (widget_dialog);

  adw_message_dialog_add_response (dialog, "close",
                                   merge->merged != NULL ? _ ("_Cancel") : _ ("_Close"));
  if (merge->merged != NULL)
    adw_message_dialog_add_response (dialog, "merge", _ ("_Merge Anyway"));
  adw_message_dialog_set_default_response (dialog, "close");
  adw_message_dialog_set_close_response (dialog, "close");
  g_object_set_data_full (G_OBJECT (dialog), "merge", merge, merge_free);
  g_signal_connect_object (dialog, "response", G_CALLBACK (response_cb), widget, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

static void
merged_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GtkWidget *widget = GTK_WIDGET (source);
  Merge *merge = user_data;

  if (gtk_widget_get_root (widget) == NULL) /* closed meanwhile */
    merge_free (merge);
  else if (merge->objection != NULL)
    ask_anyway (widget, merge);
  else
    {
      keep (widget, merge->merged, merge->done);
      merge_free (merge);
    }
}

/**
 * tacho_bench_gather_merge:
 * @widget: what wants it
 * @results: (element-type TachoBenchResult): two or more runs
 * @merged: called when they are one run, which is then in the history
 *
 * Puts runs together, request by request. Where they do not look like parts of one load a person
 * is asked first.
 */
void
tacho_bench_gather_merge (GtkWidget *widget, GPtrArray *results, TachoBenchMergedFunc merged)
{
  g_autoptr (GTask) task = NULL;
  Merge *merge;

  g_return_if_fail (GTK_IS_WIDGET (widget));
  g_return_if_fail (results != NULL && merged != NULL);

  merge = g_new0 (Merge, 1);
  merge->results = g_ptr_array_new_with_free_func (result_unref_cb);
  for (guint i = 0; i < results->len; i++)
    g_ptr_array_add (merge->results, tacho_bench_result_ref (g_ptr_array_index (results, i)));
  merge->done = merged;
  task = g_task_new (widget, NULL, merged_cb, merge);
  g_task_set_task_data (task, merge, NULL);
  g_task_run_in_thread (task, merge_thread);
}
