/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A step at a time, each in a thread; between them the window adds a row. Nothing moves in it while
 * a step runs, for drawing would take from what is measured. */
#define G_LOG_DOMAIN "tacho-calibrate-window"

#include "config.h"

#include "app/tacho-calibrate-window.h"
#include "app/tacho-display.h"
#include "base/tacho-text.h"
#include "bench/tacho-calibrate.h"

#include <glib/gi18n.h>
#include <math.h>

#define MAX_FAILURE 300 /* characters */

struct _TachoCalibrateWindow
{
  AdwWindow parent_instance;
  GArray *steps; /* of TachoCalibration, those that were made */
  gboolean running, stopping;

  GtkGrid *table;
  GtkProgressBar *progress;
  GtkLabel *verdict;
  GtkButton *button;
};

G_DEFINE_FINAL_TYPE (TachoCalibrateWindow, tacho_calibrate_window, ADW_TYPE_WINDOW)

static const struct
{
  const char *title;
  const char *tooltip;
} columns[] = {
  { N_ ("Streams"), N_ ("At a time, each of 50 tokens a second") },
  { N_ ("Tokens/s"), N_ ("That came") },
  { N_ ("Own reads"),
    N_ ("Tokens that came in a read of their own, so that each has its own time") },
  { N_ ("Loop late"), N_ ("How late the event loop was, 99th percentile") },
  { N_ ("Stamp error p50"), N_ ("Time stamp less the time of sending, median") },
  { N_ ("p99"), N_ ("Time stamp less the time of sending, 99th percentile") },
  { N_ ("Processor"), N_ ("Share of one processor that the measuring took") },
  { "", NULL },
};

static void
add_cell (TachoCalibrateWindow *self, guint column, guint row, const char *text)
{
  GtkWidget *label = gtk_label_new (text);
  gboolean is_last = column + 1 == G_N_ELEMENTS (columns);

  gtk_label_set_xalign (GTK_LABEL (label), is_last ? 0 : 1);
  gtk_widget_set_hexpand (label, TRUE);
  gtk_widget_add_css_class (label, row == 0 ? "dim-label" : "numeric");
  if (row == 0 && columns[column].tooltip != NULL)
    gtk_widget_set_tooltip_text (label, _ (columns[column].tooltip));
  gtk_grid_attach (self->table, label, (int) column, (int) row, 1, 1);
}

static char *
microseconds (double us)
{
  return isfinite (us) ? tacho_display_ms (us / 1e3) : g_strdup ("–");
}

static void
add_verdict (TachoCalibrateWindow *self, const TachoCalibration *step, guint row)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *icon = gtk_image_new_from_icon_name (step->clean ? "tacho-status-on-symbolic"
                                                              : "tacho-status-warning-symbolic");
  GtkWidget *label = gtk_label_new (step->clean ? _ ("true") : _ ("distorted"));

  gtk_widget_add_css_class (icon, step->clean ? "success" : "warning");
  gtk_box_append (GTK_BOX (box), icon);
  gtk_box_append (GTK_BOX (box), label);
  gtk_grid_attach (self->table, box, G_N_ELEMENTS (columns) - 1, (int) row, 1, 1);
}

static void
add_row (TachoCalibrateWindow *self, const TachoCalibration *step)
{
  guint row = self->steps->len; /* the first has the titles */
  char *texts[] = {
    g_strdup_printf ("%'u", step->streams),
    g_strdup_printf ("%'.0f", step->events_per_s),
    g_strdup_printf ("%.1f %%", step->own_read_share * 100),
    tacho_display_ms (step->loop_lag_ms_p99),
    microseconds (step->stamp_error_us_p50),
    microseconds (step->stamp_error_us_p99),
    g_strdup_printf ("%.0f %%", step->client_cpu_share * 100),
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      add_cell (self, i, row, texts[i]);
      g_free (texts[i]);
    }
  add_verdict (self, step, row);
}

static void
add_titles (TachoCalibrateWindow *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    add_cell (self, i, 0, *columns[i].title != '\0' ? _ (columns[i].title) : "");
}

static void
clear (TachoCalibrateWindow *self)
{
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->table))) != NULL)
    gtk_grid_remove (self->table, child);
  g_array_set_size (self->steps, 0);
  add_titles (self);
}

static char *
words_for_limit (TachoCalibrateWindow *self)
{
  guint limit = tacho_calibrate_limit (self->steps);

  if (limit == 0)
    return g_strdup (_ ("Nothing could be measured here without distortion: this computer is too "
                        "busy. Close what else is running, and measure again."));
  return g_strdup_printf (
      ngettext ("%'u stream of %d tokens/s was measured here without distortion, with server and "
                "client on this computer.",
                "Up to %'u streams of %d tokens/s were measured here without distortion, with "
                "server and client on this computer.",
                limit),
      limit, TACHO_CALIBRATE_TOKENS_PER_S);
}

static void
end (TachoCalibrateWindow *self, const GError *error)
{
  g_autofree char *limit = words_for_limit (self);
  g_autofree char *failure =
      error != NULL ? tacho_text_sanitize_line (error->message, -1, MAX_FAILURE) : NULL;
  g_autofree char *both =
      failure != NULL && self->steps->len > 0 ? g_strdup_printf ("%s\n%s", limit, failure) : NULL;

  self->running = FALSE;
  gtk_widget_set_visible (GTK_WIDGET (self->progress), FALSE);
  gtk_button_set_label (self->button, _ ("_Measure Again"));
  gtk_widget_set_sensitive (GTK_WIDGET (self->button), TRUE);
  gtk_widget_grab_focus (GTK_WIDGET (self->button));
  if (self->stopping && self->steps->len == 0)
    gtk_label_set_label (self->verdict, _ ("Stopped."));
  else
    gtk_label_set_label (self->verdict, both != NULL ? both : failure != NULL ? failure : limit);
}

static void
step_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;

  if (tacho_calibrate (((TachoCalibration *) data)->streams, TACHO_CALIBRATE_STEP_S, data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void next_step (TachoCalibrateWindow *self);

static void
step_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TachoCalibrateWindow *self = TACHO_CALIBRATE_WINDOW (source);
  const TachoCalibration *step = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;
  gboolean made = g_task_propagate_boolean (G_TASK (result), &error);

  g_application_release (g_application_get_default ());
  if (self->table == NULL) /* closed meanwhile */
    return;
  if (!made) /* too many for the limits of this computer: that is a limit too */
    {
      end (self, error);
      return;
    }
  g_array_append_vals (self->steps, step, 1);
  add_row (self, step);
  if (self->stopping || self->steps->len == TACHO_N_CALIBRATE_STEPS)
    end (self, NULL);
  else
    next_step (self);
}

static void
next_step (TachoCalibrateWindow *self)
{
  guint at = self->steps->len;
  TachoCalibration *step = g_new0 (TachoCalibration, 1);
  g_autoptr (GTask) task = g_task_new (self, NULL, step_cb, NULL);
  g_autofree char *words = NULL;

  step->streams = tacho_calibrate_streams[at];
  words = g_strdup_printf (
      ngettext ("Measuring %'u stream…", "Measuring %'u streams…", step->streams), step->streams);
  gtk_progress_bar_set_fraction (self->progress, (double) at / TACHO_N_CALIBRATE_STEPS);
  gtk_progress_bar_set_text (self->progress, words);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->progress), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  words, -1);
  g_task_set_task_data (task, step, g_free);
  /* It is not to be cut off half way, with its threads. */
  g_application_hold (g_application_get_default ());
  g_task_run_in_thread (task, step_thread);
}

static void
clicked_cb (TachoCalibrateWindow *self)
{
  if (self->running)
    {
      self->stopping = TRUE;
      gtk_widget_set_sensitive (GTK_WIDGET (self->button), FALSE);
      return;
    }
  self->running = TRUE;
  self->stopping = FALSE;
  clear (self);
  gtk_widget_set_visible (GTK_WIDGET (self->table), TRUE);
  gtk_widget_set_visible (GTK_WIDGET (self->progress), TRUE);
  gtk_label_set_label (self->verdict, "");
  gtk_button_set_label (self->button, _ ("_Stop"));
  next_step (self);
}

static void
tacho_calibrate_window_dispose (GObject *object)
{
  TachoCalibrateWindow *self = TACHO_CALIBRATE_WINDOW (object);

  g_clear_pointer (&self->steps, g_array_unref);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_CALIBRATE_WINDOW);

  G_OBJECT_CLASS (tacho_calibrate_window_parent_class)->dispose (object);
}

static void
tacho_calibrate_window_class_init (TachoCalibrateWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_calibrate_window_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-calibrate-window.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoCalibrateWindow, table);
  gtk_widget_class_bind_template_child (widget_class, TachoCalibrateWindow, progress);
  gtk_widget_class_bind_template_child (widget_class, TachoCalibrateWindow, verdict);
  gtk_widget_class_bind_template_child (widget_class, TachoCalibrateWindow, button);
  gtk_widget_class_bind_template_callback (widget_class, clicked_cb);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
tacho_calibrate_window_init (TachoCalibrateWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->steps = g_array_new (FALSE, FALSE, sizeof (TachoCalibration));
}

/**
 * tacho_calibrate_window_new:
 * @parent: (nullable): the window that it stands before
 *
 * Returns: (transfer none): the window, not shown yet, and nothing measured
 */
TachoCalibrateWindow *
tacho_calibrate_window_new (GtkWindow *parent)
{
  return g_object_new (TACHO_TYPE_CALIBRATE_WINDOW, "transient-for", parent, NULL);
}
