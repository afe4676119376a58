/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formats, file dialog, writing. */
#define G_LOG_DOMAIN "tacho-bench-save"

#include "config.h"

#include "app/tacho-bench-save.h"
#include "base/tacho-text.h"
#include "bench/tacho-bench-format.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#define MAX_SAID 300 /* characters */

static const struct
{
  const char *name;
  const char *suffix; /* after the run's id */
  const char *label;
} formats[] = {
  { "tacho", ".json", N_ ("_JSON, the whole run") },
  { "csv", ".csv", N_ ("_CSV, a row a metric") },
  { "requests", "-requests.csv", N_ ("CSV, a row a _request") },
  { "records", "-requests.jsonl", N_ ("JSON _lines, a line a request") },
  { "markdown", ".md", N_ ("_Markdown report") },
  { "html", ".html", N_ ("_HTML report with charts") },
  { "vllm", "-vllm.json", N_ ("JSON as _vLLM's benchmark writes it") },
  { "aiperf", "-aiperf.json", N_ ("JSON as _AIPerf writes it") },
};

/**
 * tacho_bench_save_menu:
 * @action: detailed name of an action that takes a string
 *
 * Returns: (transfer full): a menu of all formats
 */
GMenuModel *
tacho_bench_save_menu (const char *action)
{
  GMenu *menu = g_menu_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      g_autoptr (GMenuItem) item = g_menu_item_new (_ (formats[i].label), NULL);

      g_menu_item_set_action_and_target (item, action, "s", formats[i].name);
      g_menu_append_item (menu, item);
    }
  return G_MENU_MODEL (menu);
}

/**
 * tacho_bench_say:
 * @widget: a widget in a window
 * @text: any text
 *
 * Says it in a toast. A toast parses markup, so that of the text is escaped.
 */
void
tacho_bench_say (GtkWidget *widget, const char *text)
{
  GtkWidget *overlay = gtk_widget_get_ancestor (widget, ADW_TYPE_TOAST_OVERLAY);
  g_autofree char *escaped = tacho_text_escape_markup (text, MAX_SAID);

  if (overlay != NULL)
    adw_toast_overlay_add_toast (ADW_TOAST_OVERLAY (overlay), adw_toast_new (escaped));
}

/**
 * tacho_bench_save_format:
 * @result: a run
 * @format: name of a format of the menu
 *
 * Returns: (transfer full): the run in that format
 */
char *
tacho_bench_save_format (TachoBenchResult *result, const char *format)
{
  TachoBenchFormat known = TACHO_BENCH_FORMAT_TACHO;

  if (g_str_equal (format, "requests"))
    return tacho_bench_result_records_to_csv (result);
  if (g_str_equal (format, "records"))
    return tacho_bench_result_records_to_jsonl (result);
  if (g_str_equal (format, "tacho"))
    return tacho_bench_result_to_json (result, TRUE);
  (void) tacho_bench_format_parse (format, &known, NULL);
  return tacho_bench_result_format (result, known);
}

typedef struct
{
  TachoBenchResult *result; /* with a format, or NULL: `text` */
  char *format;
  char *text;
  char *path;
} Save;

static void
save_free (gpointer data)
{
  Save *save = data;

  g_clear_pointer (&save->result, tacho_bench_result_unref);
  g_free (save->format);
  g_free (save->text);
  g_free (save->path);
  g_free (save);
}

static void
write_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Save *save = data;
  GError *error = NULL;

  if (save->text == NULL)
    save->text = tacho_bench_save_format (save->result, save->format);
  if (tacho_bench_write_file (save->path, save->text, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
written_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Save *save = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;
  g_autofree char *message = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error))
    message = g_strdup_printf (_ ("Saved as %s"), save->path);
  else
    message = g_strdup_printf (_ ("Not saved: %s"), error->message);
  tacho_bench_say (GTK_WIDGET (source), message);
}

static void
response_cb (GtkNativeDialog *dialog, int response, GtkWidget *widget)
{
  Save *save = g_object_get_data (G_OBJECT (dialog), "save");
  g_autoptr (GFile) file = NULL;
  g_autoptr (GTask) task = NULL;

  if (response == GTK_RESPONSE_ACCEPT)
    file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  if (file != NULL)
    {
      save->path = g_file_get_path (file);
      if (save->path == NULL)
        tacho_bench_say (widget, _ ("Not saved: choose a folder on this computer"));
      else
        {
          task = g_task_new (widget, NULL, written_cb, NULL);
          g_task_set_task_data (task, g_object_steal_data (G_OBJECT (dialog), "save"), save_free);
          g_task_run_in_thread (task, write_thread);
        }
    }
  g_object_set_data (G_OBJECT (widget), "tacho-save-dialog", NULL);
}

/* A dialog that is open when its widget goes, goes with it. */
static void
dialog_free (gpointer data)
{
  gtk_native_dialog_destroy (data);
  g_object_unref (data);
}

/* Takes `save`. */
static void
ask (GtkWidget *widget, const char *name, Save *save)
{
  GtkFileChooserNative *dialog;

  if (g_object_get_data (G_OBJECT (widget), "tacho-save-dialog") != NULL)
    {
      save_free (save);
      return;
    }
  dialog = gtk_file_chooser_native_new (_ ("Save the Results"),
                                        GTK_WINDOW (gtk_widget_get_root (widget)),
                                        GTK_FILE_CHOOSER_ACTION_SAVE, _ ("_Save"), NULL);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), name);
  g_object_set_data_full (G_OBJECT (dialog), "save", save, save_free);
  g_object_set_data_full (G_OBJECT (widget), "tacho-save-dialog", dialog, dialog_free);
  g_signal_connect_object (dialog, "response", G_CALLBACK (response_cb), widget, 0);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

/**
 * tacho_bench_save_ask:
 * @widget: what asks
 * @result: a run
 * @format: name of a format of the menu
 *
 * Asks where to save it.
 */
void
tacho_bench_save_ask (GtkWidget *widget, TachoBenchResult *result, const char *format)
{
  g_autofree char *name = NULL;
  Save *save = g_new0 (Save, 1);

  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    if (g_str_equal (formats[i].name, format))
      name = g_strconcat ("tacho-", result->id, formats[i].suffix, NULL);
  save->result = tacho_bench_result_ref (result);
  save->format = g_strdup (format);
  ask (widget, name, save);
}

/**
 * tacho_bench_save_text:
 * @widget: what asks
 * @name: of the file, to begin with
 * @text: what to save
 *
 * Asks where to save it.
 */
void
tacho_bench_save_text (GtkWidget *widget, const char *name, const char *text)
{
  Save *save = g_new0 (Save, 1);

  save->text = g_strdup (text);
  ask (widget, name, save);
}
