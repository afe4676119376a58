/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A benchmark, watched live: set-up, Run and Stop, counters, charts, results. */
#define G_LOG_DOMAIN "tacho-bench-panel"

#include "config.h"

#include "app/tacho-bench-panel.h"
#include "app/tacho-bench-charts.h"
#include "app/tacho-bench-results.h"
#include "app/tacho-bench-setup.h"
#include "app/tacho-display.h"
#include "app/tacho-settings.h"
#include "base/tacho-text.h"
#include "bench/tacho-bench-run.h"

#include <glib/gi18n.h>
#include <math.h>

typedef enum
{
  PHASE_IDLE,
  PHASE_LOADING,
  PHASE_RUNNING,
} Phase;

struct _TachoBenchPanel
{
  AdwBin parent_instance;
  TachoConnection *connection;
  TachoBenchRun *run;
  TachoBenchPlan *plan;
  TachoModel *model;
  GCancellable *loading; /* the load that the run waits for */
  Phase phase;
  gboolean has_ended; /* a result or a failure is shown */

  GtkAdjustment *scroll;
  TachoBenchSetup *setup;
  GtkButton *run_button;
  GtkSpinner *spinner;
  GtkImage *status_icon;
  GtkLabel *status;
  GtkWidget *simulated_badge;
  GtkProgressBar *progress;
  GtkLabel *done;
  GtkLabel *errors;
  GtkLabel *tokens;
  GtkLabel *token_rate;
  GtkLabel *request_rate;
  GtkLabel *in_flight;
  TachoBenchResults *results;
  TachoBenchCharts *charts;
};

G_DEFINE_FINAL_TYPE (TachoBenchPanel, tacho_bench_panel, ADW_TYPE_BIN)

static void
say (TachoBenchPanel *self, const char *icon, const char *css_class, const char *text)
{
  gtk_widget_set_visible (GTK_WIDGET (self->status_icon), icon != NULL);
  if (icon != NULL)
    {
      gtk_image_set_from_icon_name (self->status_icon, icon);
      tacho_display_set_class (GTK_WIDGET (self->status_icon), css_class);
    }
  gtk_label_set_label (self->status, text);
}

static void
set_count (GtkLabel *label, guint64 count)
{
  g_autofree char *text = g_strdup_printf ("%'" G_GUINT64_FORMAT, count);

  gtk_label_set_label (label, text);
}

static void
set_rate (GtkLabel *label, double rate)
{
  g_autofree char *text = tacho_display_number (rate);

  gtk_label_set_label (label, text);
}

static void
clear_counters (TachoBenchPanel *self)
{
  GtkLabel *labels[] = { self->done,       self->errors,       self->tokens,
                         self->token_rate, self->request_rate, self->in_flight };

  for (gsize i = 0; i < G_N_ELEMENTS (labels); i++)
    gtk_label_set_label (labels[i], "—");
}

static const char *
get_obstacle (TachoBenchPanel *self)
{
  if (self->connection == NULL || !tacho_connection_is_usable (self->connection))
    return _ ("A run needs a server that answers: see the connection menu.");
  if (tacho_connection_get_model (self->connection) == NULL)
    return _ ("Choose a model.");
  return NULL;
}

static void
update (TachoBenchPanel *self)
{
  gboolean running = self->phase != PHASE_IDLE;
  const char *obstacle = get_obstacle (self);
  TachoModel *model =
      self->connection != NULL ? tacho_connection_get_model (self->connection) : NULL;

  gtk_button_set_label (self->run_button, running ? _ ("Stop") : _ ("Run"));
  gtk_widget_remove_css_class (GTK_WIDGET (self->run_button),
                               running ? "suggested-action" : "destructive-action");
  gtk_widget_add_css_class (GTK_WIDGET (self->run_button),
                            running ? "destructive-action" : "suggested-action");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->run_button),
                               running ? _ ("Stop; what was measured is kept")
                                       : _ ("Run (Ctrl+B)"));
  gtk_widget_set_sensitive (GTK_WIDGET (self->run_button), running || obstacle == NULL);
  gtk_widget_set_sensitive (GTK_WIDGET (self->setup), !running);
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), running);
  gtk_spinner_set_spinning (self->spinner, running);
  gtk_widget_set_visible (self->simulated_badge,
                          self->connection != NULL &&
                              tacho_connection_is_simulated (self->connection));
  if (running || self->has_ended)
    return;
  gtk_progress_bar_set_fraction (self->progress, 0);
  if (obstacle != NULL)
    say (self, NULL, "", obstacle);
  else if (tacho_connection_needs_load (self->connection, model))
    say (self, NULL, "",
         _ ("Ready. The model is loaded first; that is not part of the measurement."));
  else
    say (self, NULL, "", _ ("Ready."));
}

static void
end (TachoBenchPanel *self, const char *icon, const char *css_class, const char *text)
{
  self->phase = PHASE_IDLE;
  self->has_ended = TRUE;
  say (self, icon, css_class, text);
  update (self);
}

static void
fail (TachoBenchPanel *self, const char *text)
{
  g_autofree char *clean = tacho_text_sanitize_line (text, -1, 500);

  end (self, "tacho-status-failed-symbolic", "error", clean);
}

static char *
make_phase_words (TachoBenchPanel *self, const TachoBenchSnapshot *snapshot)
{
  double fraction = CLAMP (snapshot->fraction, 0, 1);
  g_autofree char *left = NULL;
  GString *text = g_string_new (NULL);

  if (snapshot->state == TACHO_BENCH_WARMUP)
    g_string_append_printf (text, _ ("Warming up: %llu of %llu requests"),
                            (unsigned long long) snapshot->warmup,
                            (unsigned long long) self->plan->warmup_requests);
  else if (snapshot->state == TACHO_BENCH_STOPPING)
    g_string_append (text, _ ("Stopping…"));
  else if (self->plan->requests > 0)
    g_string_append_printf (
        text, _ ("Measuring: %'llu of %'llu requests"),
        (unsigned long long) (snapshot->ok + snapshot->error + snapshot->truncated),
        (unsigned long long) self->plan->requests);
  else
    {
      g_autofree char *so_far = tacho_display_duration (snapshot->elapsed_s);
      g_autofree char *whole = tacho_display_duration (self->plan->duration_s);

      g_string_append_printf (text, _ ("Measuring: %s of %s"), so_far, whole);
    }
  /* An early guess would jump about. */
  if (snapshot->state == TACHO_BENCH_MEASURING && fraction > 0.05 && snapshot->elapsed_s > 1)
    {
      left = tacho_display_duration (snapshot->elapsed_s * (1 - fraction) / fraction);
      g_string_append_printf (text, _ (" · about %s left"), left);
    }
  return g_string_free (text, FALSE);
}

static void
snapshot_cb (TachoBenchRun *run, const TachoBenchSnapshot *snapshot, TachoBenchPanel *self)
{
  g_autofree char *words = NULL;

  if (run != self->run)
    return;
  words = make_phase_words (self, snapshot);
  say (self, NULL, "", words);
  gtk_progress_bar_set_fraction (self->progress, CLAMP (snapshot->fraction, 0, 1));
  set_count (self->done, snapshot->ok);
  set_count (self->errors, snapshot->error + snapshot->truncated);
  set_count (self->tokens, snapshot->output_tokens);
  set_rate (self->token_rate, snapshot->output_tokens_per_s);
  /* Of the run so far: in one second, few requests end. */
  set_rate (self->request_rate, snapshot->elapsed_s > 0 ? snapshot->ok / snapshot->elapsed_s : NAN);
  set_count (self->in_flight, snapshot->in_flight);
  tacho_display_set_class (GTK_WIDGET (self->errors),
                           snapshot->error + snapshot->truncated > 0 ? "error" : "");
  if (snapshot->timeline != NULL)
    tacho_bench_charts_update (self->charts, snapshot->timeline, snapshot->n_timeline);
}

static void
show_result (TachoBenchPanel *self, TachoBenchResult *result)
{
  guint64 bad = result->error + result->truncated;

  set_count (self->done, result->ok);
  set_count (self->errors, bad);
  set_count (self->tokens, result->output_tokens);
  set_rate (self->token_rate, result->output_tokens_per_s);
  set_rate (self->request_rate, result->requests_per_s);
  set_count (self->in_flight, 0);
  tacho_display_set_class (GTK_WIDGET (self->errors), bad > 0 ? "error" : "");
  tacho_bench_charts_clear (self->charts);
  tacho_bench_charts_update (self->charts,
                             (const TachoBenchPoint *) (gconstpointer) result->timeline->data,
                             result->timeline->len);
  tacho_bench_results_set_result (self->results, result);
  gtk_widget_set_visible (GTK_WIDGET (self->results), TRUE);
  gtk_adjustment_set_value (self->scroll, 0);
  if (!result->interrupted)
    gtk_progress_bar_set_fraction (self->progress, 1);
  if (result->interrupted)
    end (self, "tacho-status-warning-symbolic", "warning",
         _ ("Stopped early. What was measured is kept."));
  else if (bad > 0)
    end (self, "tacho-status-warning-symbolic", "warning",
         _ ("Finished, but some requests failed."));
  else
    end (self, "tacho-status-on-symbolic", "success", _ ("Finished."));
}

static void
ended_cb (TachoBenchRun *run, TachoBenchPanel *self)
{
  TachoBenchResult *result = tacho_bench_run_get_result (run);
  const GError *error = tacho_bench_run_get_error (run);

  if (run != self->run)
    return;
  if (result != NULL)
    show_result (self, result);
  else
    fail (self, error != NULL ? error->message : _ ("The run ended without a result."));
  g_signal_handlers_disconnect_by_data (run, self);
  g_clear_object (&self->run);
}

static void
start_run (TachoBenchPanel *self)
{
  g_autoptr (GError) error = NULL;

  self->run =
      tacho_bench_run_new (tacho_connection_get_manager (self->connection), self->plan, &error);
  if (self->run == NULL)
    {
      fail (self, error->message);
      return;
    }
  g_signal_connect_object (self->run, "snapshot", G_CALLBACK (snapshot_cb), self, 0);
  g_signal_connect_object (self->run, "ended", G_CALLBACK (ended_cb), self, 0);
  self->phase = PHASE_RUNNING;
  say (self, NULL, "", _ ("Starting…"));
  update (self);
  if (!tacho_bench_run_start (self->run, &error))
    {
      g_clear_object (&self->run);
      fail (self, error->message);
    }
}

typedef struct
{
  TachoBenchPanel *panel;
  GCancellable *loading;
} Load;

static void
load_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Load *load = user_data;
  g_autoptr (TachoBenchPanel) self = load->panel;
  g_autoptr (GCancellable) loading = load->loading;
  g_autoptr (GError) error = NULL;
  gboolean loaded = tacho_connection_load_finish (TACHO_CONNECTION (source), result, &error);

  g_free (load);
  if (self->loading != loading || self->phase != PHASE_LOADING)
    return;
  g_clear_object (&self->loading);
  if (loaded)
    start_run (self);
  else
    fail (self, error->message);
}

static void
run_clicked_cb (TachoBenchPanel *self)
{
  if (self->phase == PHASE_IDLE)
    tacho_bench_panel_run (self);
  else
    tacho_bench_panel_stop (self);
}

static void
tacho_bench_panel_dispose (GObject *object)
{
  TachoBenchPanel *self = TACHO_BENCH_PANEL (object);

  if (self->setup != NULL)
    tacho_bench_panel_set_connection (self, NULL);
  g_clear_object (&self->run);
  g_clear_object (&self->loading);
  g_clear_object (&self->model);
  g_clear_pointer (&self->plan, tacho_bench_plan_free);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_BENCH_PANEL);

  G_OBJECT_CLASS (tacho_bench_panel_parent_class)->dispose (object);
}

static void
tacho_bench_panel_class_init (TachoBenchPanelClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_bench_panel_dispose;

  g_type_ensure (TACHO_TYPE_BENCH_CHARTS);
  g_type_ensure (TACHO_TYPE_BENCH_RESULTS);
  g_type_ensure (TACHO_TYPE_BENCH_SETUP);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-bench-panel.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, scroll);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, setup);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, run_button);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, spinner);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, status_icon);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, status);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, simulated_badge);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, progress);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, done);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, errors);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, tokens);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, token_rate);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, request_rate);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, in_flight);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, results);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, charts);
  gtk_widget_class_bind_template_callback (widget_class, run_clicked_cb);
}

static void
tacho_bench_panel_init (TachoBenchPanel *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  clear_counters (self);
  update (self);
}

/**
 * tacho_bench_panel_set_connection:
 * @self: the panel
 * @connection: (nullable): the server in use
 *
 * A run on the old server is stopped; its results, and those before, stay until the next run.
 */
void
tacho_bench_panel_set_connection (TachoBenchPanel *self, TachoConnection *connection)
{
  g_return_if_fail (TACHO_IS_BENCH_PANEL (self));

  if (self->connection != NULL)
    {
      tacho_bench_panel_stop (self);
      if (self->run != NULL)
        {
          g_signal_handlers_disconnect_by_data (self->run, self);
          g_clear_object (&self->run);
          end (self, "tacho-status-warning-symbolic", "warning",
               _ ("The run was stopped: the server was changed."));
        }
      g_signal_handlers_disconnect_by_data (self->connection, self);
      g_signal_handlers_disconnect_by_data (tacho_connection_get_manager (self->connection), self);
    }
  g_set_object (&self->connection, connection);
  tacho_bench_setup_set_connection (self->setup, connection);
  if (connection != NULL)
    {
      g_signal_connect_object (connection, "notify::model", G_CALLBACK (update), self,
                               G_CONNECT_SWAPPED);
      g_signal_connect_object (connection, "changes", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (tacho_connection_get_manager (connection), "notify",
                               G_CALLBACK (update), self, G_CONNECT_SWAPPED);
    }
  update (self);
}

/**
 * tacho_bench_panel_run:
 * @self: the panel
 *
 * Starts a run of what the form says. A model that is not loaded is loaded first.
 */
void
tacho_bench_panel_run (TachoBenchPanel *self)
{
  g_autoptr (GError) error = NULL;
  const char *id;

  g_return_if_fail (TACHO_IS_BENCH_PANEL (self));

  if (self->phase != PHASE_IDLE || get_obstacle (self) != NULL)
    return;
  g_set_object (&self->model, tacho_connection_get_model (self->connection));
  id = tacho_model_get_id (self->model);
  g_clear_pointer (&self->plan, tacho_bench_plan_free);
  self->plan = tacho_bench_setup_make_plan (self->setup, id);
  tacho_bench_setup_save (self->setup);
  tacho_settings_set_string (tacho_settings_get_default (), "last-model", id);

  self->has_ended = FALSE;
  tacho_bench_results_set_result (self->results, NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->results), FALSE);
  tacho_bench_charts_clear (self->charts);
  clear_counters (self);
  gtk_progress_bar_set_fraction (self->progress, 0);
  if (!tacho_bench_plan_validate (self->plan, &error))
    {
      fail (self, error->message);
      return;
    }
  if (tacho_connection_needs_load (self->connection, self->model))
    {
      Load *load = g_new0 (Load, 1);

      g_clear_object (&self->loading);
      self->loading = g_cancellable_new ();
      load->panel = g_object_ref (self);
      load->loading = g_object_ref (self->loading);
      self->phase = PHASE_LOADING;
      say (self, NULL, "", _ ("Loading the model first; that is not part of the measurement."));
      update (self);
      tacho_connection_load_async (self->connection, id, load_cb, load);
    }
  else
    start_run (self);
}

/**
 * tacho_bench_panel_stop:
 * @self: the panel
 *
 * Stops a run; what it has measured is kept. Nothing happens when none is live.
 */
void
tacho_bench_panel_stop (TachoBenchPanel *self)
{
  g_return_if_fail (TACHO_IS_BENCH_PANEL (self));

  if (self->phase == PHASE_LOADING)
    {
      g_clear_object (&self->loading);
      tacho_connection_cancel_change (self->connection, tacho_model_get_id (self->model));
      end (self, "tacho-status-warning-symbolic", "warning", _ ("Stopped before the run began."));
    }
  else if (self->run != NULL)
    {
      say (self, NULL, "", _ ("Stopping…"));
      tacho_bench_run_stop (self->run);
    }
}

/**
 * tacho_bench_panel_is_running:
 * @self: the panel
 *
 * Returns: %TRUE while a run is live or its model is being loaded
 */
gboolean
tacho_bench_panel_is_running (TachoBenchPanel *self)
{
  g_return_val_if_fail (TACHO_IS_BENCH_PANEL (self), FALSE);

  return self->phase != PHASE_IDLE;
}
