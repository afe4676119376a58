/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A benchmark that goes on when its window or its server is to go: it is asked what becomes of it,
 * what it has measured is kept, and its end is told where the window does not show it. */
#define G_LOG_DOMAIN "tacho-window"

#include "config.h"

#include "app/tacho-settings.h"
#include "app/tacho-window-private.h"

#include <glib/gi18n.h>

#define NOTIFICATION "run" /* the later one takes the place of the earlier */

static gboolean
destroy_cb (gpointer user_data)
{
  gtk_window_destroy (GTK_WINDOW (user_data));
  return G_SOURCE_REMOVE;
}

/* Not from within the end of the run, whose page goes with the window. */
static void
close_soon (TachoWindow *self)
{
  tacho_window_save (self);
  g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, destroy_cb, g_object_ref (self), g_object_unref);
}

static void
notify (TachoWindow *self, const char *title, const char *body, const char *action)
{
  g_autoptr (GNotification) notification = g_notification_new (title);

  g_notification_set_body (notification, body);
  g_notification_set_default_action (notification, action);
  g_application_send_notification (G_APPLICATION (gtk_window_get_application (GTK_WINDOW (self))),
                                   NOTIFICATION, notification);
}

static void
ended_cb (TachoWindow *self, const char *words)
{
  g_autoptr (TachoProfile) next = g_steal_pointer (&self->pending);
  gboolean is_stopping = self->is_run_stopping;

  self->is_run_stopping = FALSE;
  if (is_stopping && next != NULL)
    tacho_window_connect_to (self, next);
  else if (is_stopping)
    close_soon (self);
  else if (self->in_background)
    {
      notify (self, _ ("Benchmark Ended"), words, "app.runs");
      close_soon (self);
    }
  else if (!gtk_window_is_active (GTK_WINDOW (self)) &&
           tacho_settings_get_boolean (tacho_settings_get_default (), "notify"))
    notify (self, _ ("Benchmark Ended"), words, "app.new-benchmark");
}

/* Opened again while the run went on: it is as if it had never been closed. */
static void
mapped_cb (TachoWindow *self)
{
  if (!self->in_background)
    return;
  self->in_background = FALSE;
  g_application_withdraw_notification (
      G_APPLICATION (gtk_window_get_application (GTK_WINDOW (self))), NOTIFICATION);
}

void
tacho_window_watch_run (TachoWindow *self)
{
  g_signal_connect_object (self->bench, "ended", G_CALLBACK (ended_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect (self, "map", G_CALLBACK (mapped_cb), NULL);
}

static void
go_on_in_background (TachoWindow *self)
{
  tacho_window_save (self);
  self->in_background = TRUE;
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
  notify (self, _ ("Benchmark Goes On"),
          _ ("Its end is told here, and its results are kept in the history."),
          "app.new-benchmark");
}

static void
response_cb (AdwMessageDialog *dialog, const char *response, TachoWindow *self)
{
  g_autoptr (TachoProfile) next = g_steal_pointer (&self->pending);

  if (strcmp (response, "cancel") == 0)
    return;
  /* GTK 4.8 still reaches for the parent of a dialog that outlives it. */
  gtk_window_set_transient_for (GTK_WINDOW (dialog), NULL);
  if (!tacho_bench_panel_is_running (self->bench)) /* it ended while it was asked */
    {
      if (next != NULL)
        tacho_window_connect_to (self, next);
      else
        close_soon (self);
    }
  else if (strcmp (response, "background") == 0)
    go_on_in_background (self);
  else
    {
      self->pending = g_steal_pointer (&next);
      self->is_run_stopping = TRUE;
      tacho_bench_panel_stop (self->bench);
    }
}

void
tacho_window_ask_to_stop (TachoWindow *self, TachoProfile *next)
{
  GtkWidget *widget = adw_message_dialog_new (
      GTK_WINDOW (self), _ ("A Benchmark Is Running"),
      next != NULL
          ? _ ("Changing the server stops it. What it has measured so far is kept in the history.")
          : _ ("It can be stopped, or finish in the background; a notification tells its end. "
               "What it measures is kept in the history."));
  AdwMessageDialog *dialog = ADW_MESSAGE_DIALOG (widget);

  g_set_object (&self->pending, next);
  adw_message_dialog_add_response (dialog, "cancel", _ ("_Keep Running"));
  adw_message_dialog_add_response (dialog, "stop",
                                   next != NULL ? _ ("_Stop and Change") : _ ("_Stop and Close"));
  adw_message_dialog_set_response_appearance (dialog, "stop", ADW_RESPONSE_DESTRUCTIVE);
  if (next == NULL)
    {
      adw_message_dialog_add_response (dialog, "background", _ ("_Finish in Background"));
      adw_message_dialog_set_response_appearance (dialog, "background", ADW_RESPONSE_SUGGESTED);
    }
  adw_message_dialog_set_default_response (dialog, next == NULL ? "background" : "cancel");
  adw_message_dialog_set_close_response (dialog, "cancel");
  g_signal_connect_object (dialog, "response", G_CALLBACK (response_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}
