/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of prompts. It is read in a thread: it may be large. */
#define G_LOG_DOMAIN "tacho-bench-prompts-field"

#include "config.h"

#include "app/tacho-bench-prompts-field.h"
#include "app/tacho-bench-field.h"
#include "bench/tacho-prompts-file.h"

#include <glib/gi18n.h>

struct _TachoBenchPromptsField
{
  AdwBin parent_instance;
  TachoBenchField *field;
  GtkFileChooserNative *chooser;
  GCancellable *reading;
  GError *wrong; /* with the file that is named; NULL: nothing that is known */
};

G_DEFINE_FINAL_TYPE (TachoBenchPromptsField, tacho_bench_prompts_field, ADW_TYPE_BIN)

enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
read_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  g_autoptr (GPtrArray) entries = tacho_prompts_file_read (data, &error);

  if (entries != NULL)
    g_task_return_int (task, entries->len);
  else
    g_task_return_error (task, error);
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TachoBenchPromptsField *self = TACHO_BENCH_PROMPTS_FIELD (source);
  g_autoptr (GError) error = NULL;
  gssize n = g_task_propagate_int (G_TASK (result), &error);
  g_autofree char *words = NULL;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || self->field == NULL)
    return;
  if (error == NULL)
    words =
        g_strdup_printf (ngettext ("%u conversation", "%u conversations", (guint) n), (guint) n);
  tacho_bench_field_set_remark (self->field, error != NULL ? error->message : words, error != NULL);
  g_clear_error (&self->wrong);
  self->wrong = g_steal_pointer (&error);
}

static void
changed_cb (TachoBenchPromptsField *self)
{
  const char *path = tacho_bench_field_get_text (self->field);
  g_autoptr (GTask) task = NULL;

  if (self->reading != NULL)
    g_cancellable_cancel (self->reading);
  g_clear_object (&self->reading);
  g_clear_error (&self->wrong);
  if (*path != '\0')
    {
      self->reading = g_cancellable_new ();
      task = g_task_new (self, self->reading, read_cb, NULL);
      g_task_set_task_data (task, g_strdup (path), g_free);
      g_task_run_in_thread (task, read_thread);
    }
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
chosen_cb (GtkNativeDialog *dialog, int response, TachoBenchPromptsField *self)
{
  g_autoptr (GFile) file = response == GTK_RESPONSE_ACCEPT
                               ? gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog))
                               : NULL;
  g_autofree char *path = file != NULL ? g_file_get_path (file) : NULL;

  if (path != NULL)
    tacho_bench_field_set_text (self->field, path);
  g_clear_object (&self->chooser);
}

static void
choose_cb (TachoBenchPromptsField *self)
{
  if (self->chooser != NULL)
    return;
  self->chooser = gtk_file_chooser_native_new (_ ("Choose a File of Prompts"),
                                               GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))),
                                               GTK_FILE_CHOOSER_ACTION_OPEN, _ ("_Choose"), NULL);
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (chosen_cb), self, 0);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->chooser), TRUE);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static void
tacho_bench_prompts_field_dispose (GObject *object)
{
  TachoBenchPromptsField *self = TACHO_BENCH_PROMPTS_FIELD (object);

  if (self->reading != NULL)
    g_cancellable_cancel (self->reading);
  g_clear_object (&self->reading);
  if (self->chooser != NULL)
    gtk_native_dialog_destroy (GTK_NATIVE_DIALOG (self->chooser));
  g_clear_object (&self->chooser);
  g_clear_error (&self->wrong);
  self->field = NULL;

  G_OBJECT_CLASS (tacho_bench_prompts_field_parent_class)->dispose (object);
}

static void
tacho_bench_prompts_field_class_init (TachoBenchPromptsFieldClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_bench_prompts_field_dispose;
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", TACHO_TYPE_BENCH_PROMPTS_FIELD,
                                          G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
tacho_bench_prompts_field_init (TachoBenchPromptsField *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *button = gtk_button_new_from_icon_name ("document-open-symbolic");
  GtkWidget *field = tacho_bench_field_new (
      _ ("File of prompts"),
      _ ("JSON lines, a trace or ShareGPT's JSON, instead of made-up prompts"),
      _ ("None: prompts are made up"), NULL);

  self->field = TACHO_BENCH_FIELD (field);
  gtk_widget_set_hexpand (field, TRUE);
  gtk_widget_set_tooltip_text (button, _ ("Choose a File of Prompts"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Choose a file of prompts"), -1);
  gtk_widget_set_valign (button, GTK_ALIGN_START);
  gtk_widget_set_margin_top (button, 18); /* below the field's name */
  gtk_box_append (GTK_BOX (box), field);
  gtk_box_append (GTK_BOX (box), button);
  g_signal_connect_object (field, "changed", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (button, "clicked", G_CALLBACK (choose_cb), self, G_CONNECT_SWAPPED);
  adw_bin_set_child (ADW_BIN (self), box);
}

/**
 * tacho_bench_prompts_field_new:
 *
 * Returns: (transfer floating): a field that names no file
 */
GtkWidget *
tacho_bench_prompts_field_new (void)
{
  return g_object_new (TACHO_TYPE_BENCH_PROMPTS_FIELD, NULL);
}

/**
 * tacho_bench_prompts_field_get_path:
 * @self: the field
 *
 * Returns: (transfer none): the file, "" for none
 */
const char *
tacho_bench_prompts_field_get_path (TachoBenchPromptsField *self)
{
  g_return_val_if_fail (TACHO_IS_BENCH_PROMPTS_FIELD (self), NULL);

  return tacho_bench_field_get_text (self->field);
}

/**
 * tacho_bench_prompts_field_set_path:
 * @self: the field
 * @path: (nullable): a file
 */
void
tacho_bench_prompts_field_set_path (TachoBenchPromptsField *self, const char *path)
{
  g_return_if_fail (TACHO_IS_BENCH_PROMPTS_FIELD (self));

  tacho_bench_field_set_text (self->field, path);
}

/**
 * tacho_bench_prompts_field_check:
 * @self: the field
 * @error: return location
 *
 * What was not read yet is found by the run itself, before it sends anything.
 *
 * Returns: whether nothing is known to be wrong with the file
 */
gboolean
tacho_bench_prompts_field_check (TachoBenchPromptsField *self, GError **error)
{
  g_return_val_if_fail (TACHO_IS_BENCH_PROMPTS_FIELD (self), FALSE);

  if (self->wrong == NULL)
    return TRUE;
  gtk_widget_child_focus (GTK_WIDGET (self->field), GTK_DIR_TAB_FORWARD);
  g_propagate_error (error, g_error_copy (self->wrong));
  return FALSE;
}
