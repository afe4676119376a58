/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A benchmark, watched live: set-up, Run and Stop, counters, charts, results. */
#define G_LOG_DOMAIN "tacho-bench-run-page"

#include "config.h"

#include "app/tacho-bench-run-page.h"
#include "app/tacho-bench-archive.h"
#include "app/tacho-bench-charts.h"
#include "app/tacho-bench-counters.h"
#include "app/tacho-bench-results.h"
#include "app/tacho-bench-progress.h"
#include "app/tacho-bench-save.h"
#include "app/tacho-bench-session.h"
#include "app/tacho-bench-sweep-view.h"
#include "app/tacho-bench-plan-editor.h"
#include "app/tacho-display.h"
#include "app/tacho-scroll-fit.h"
#include "app/tacho-settings.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>
#include <math.h>

typedef enum
{
  PHASE_IDLE,
  PHASE_LOADING,
  PHASE_RUNNING,
} Phase;

struct _TachoBenchRunPage
{
  AdwBin parent_instance;
  TachoConnection *connection;
  TachoBenchSession *session;
  TachoBenchPlan *plan;
  GArray *loads; /* of double, of a sweep; or NULL */
  TachoModel *model;
  GCancellable *loading; /* the load that the run waits for */
  Phase phase;
  gboolean has_ended; /* a result or a failure is shown */
  gboolean refused;   /* that failure is one of the form */
  gboolean dropped;   /* the server was changed while the run went on */

  GtkAdjustment *scroll;
  TachoBenchPlanEditor *editor;
  GtkToggleButton *edit_button;
  GtkButton *run_button;
  GtkSpinner *spinner;
  GtkImage *status_icon;
  GtkLabel *status;
  GtkWidget *simulated_badge;
  GtkWidget *not_kept;
  GtkLabel *not_kept_words;
  GtkProgressBar *progress;
  TachoBenchCounters *counters;
  GtkLabel *live_errors;
  GtkLabel *live_check;
  TachoBenchSweepView *sweep_view;
  TachoBenchResults *results;
  TachoBenchCharts *charts;
};

G_DEFINE_FINAL_TYPE (TachoBenchRunPage, tacho_bench_run_page, ADW_TYPE_BIN)

enum
{
  SIGNAL_ENDED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
say (TachoBenchRunPage *self, const char *icon, const char *css_class, const char *text)
{
  gtk_widget_set_visible (GTK_WIDGET (self->status_icon), icon != NULL);
  if (icon != NULL)
    {
      gtk_image_set_from_icon_name (self->status_icon, icon);
      tacho_display_set_class (GTK_WIDGET (self->status_icon), css_class);
    }
  gtk_label_set_label (self->status, text);
}

static const char *
get_obstacle (TachoBenchRunPage *self)
{
  if (self->connection == NULL || !tacho_connection_is_usable (self->connection))
    return _ ("A run needs a server that answers: see the connection menu.");
  if (tacho_connection_get_model (self->connection) == NULL)
    return _ ("Choose a model.");
  return NULL;
}

static void
update (TachoBenchRunPage *self)
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
  gtk_widget_set_sensitive (GTK_WIDGET (self->editor), !running);
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
end (TachoBenchRunPage *self, const char *icon, const char *css_class, const char *text)
{
  self->phase = PHASE_IDLE;
  self->has_ended = TRUE;
  say (self, icon, css_class, text);
  update (self);
  g_signal_emit (self, signals[SIGNAL_ENDED], 0, text);
}

static void
fail (TachoBenchRunPage *self, const char *text)
{
  g_autofree char *clean = tacho_text_sanitize_line (text, -1, 500);

  end (self, "tacho-status-failed-symbolic", "error", clean);
}

static void
set_live (GtkLabel *label, const char *text)
{
  gtk_label_set_label (label, text != NULL ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (label), text != NULL);
}

static void
show_live_words (TachoBenchRunPage *self, const TachoBenchSnapshot *snapshot)
{
  g_autofree char *errors = tacho_bench_progress_errors (snapshot);
  g_autofree char *check = tacho_bench_progress_self_check (snapshot);

  set_live (self->live_errors, errors);
  set_live (self->live_check, check);
}

static void
snapshot_cb (TachoBenchSession *session,
             const TachoBenchSnapshot *snapshot,
             TachoBenchRunPage *self)
{
  g_autofree char *words = NULL;

  if (session != self->session)
    return;
  words = tacho_bench_progress_words (session, snapshot);
  say (self, NULL, "", words);
  gtk_progress_bar_set_fraction (self->progress, tacho_bench_progress_fraction (session, snapshot));
  tacho_bench_counters_show_snapshot (self->counters, snapshot);
  show_live_words (self, snapshot);
  tacho_bench_charts_show_snapshot (self->charts, snapshot);
}

static void
show_result (TachoBenchRunPage *self, TachoBenchResult *result)
{
  gboolean well;
  const char *words;

  set_live (self->live_errors, NULL); /* the results say it, and more */
  set_live (self->live_check, NULL);
  tacho_bench_counters_show_result (self->counters, result);
  tacho_bench_charts_show_result (self->charts, result);
  tacho_bench_results_set_result (self->results, result);
  gtk_widget_set_visible (GTK_WIDGET (self->results), TRUE);
  gtk_adjustment_set_value (self->scroll, 0);
  if (!result->interrupted)
    gtk_progress_bar_set_fraction (self->progress, 1);
  words = tacho_bench_progress_end (result, self->dropped, &well);
  end (self, well ? "tacho-status-on-symbolic" : "tacho-status-warning-symbolic",
       well ? "success" : "warning", words);
}

static void
ended_cb (TachoBenchSession *session, TachoBenchRunPage *self)
{
  TachoBenchResult *result = tacho_bench_session_get_result (session);
  const GError *error = tacho_bench_session_get_error (session);

  if (session != self->session)
    return;
  if (tacho_bench_session_get_sweep (session) != NULL)
    {
      TachoSweep *sweep = tacho_bench_session_get_sweep (session);

      tacho_bench_sweep_view_show (self->sweep_view, sweep, TRUE);
      result = tacho_bench_sweep_view_choose (sweep);
    }
  if (result != NULL)
    show_result (self, result);
  else
    fail (self, error != NULL ? error->message : _ ("The run ended without a result."));
  g_signal_handlers_disconnect_by_data (session, self);
  g_clear_object (&self->session);
}

static void
step_cb (TachoBenchSession *session, TachoBenchRunPage *self)
{
  if (session == self->session)
    tacho_bench_charts_clear (self->charts);
}

static void
step_ended_cb (TachoBenchSession *session, TachoBenchResult *result, TachoBenchRunPage *self)
{
  if (session == self->session && tacho_bench_session_get_sweep (session) != NULL)
    tacho_bench_sweep_view_show (self->sweep_view, tacho_bench_session_get_sweep (session), FALSE);
}

static void
start_run (TachoBenchRunPage *self)
{
  g_autoptr (GError) error = NULL;

  self->session = tacho_bench_session_new (tacho_connection_get_manager (self->connection),
                                           self->plan, self->loads, &error);
  if (self->session == NULL)
    {
      fail (self, error->message);
      return;
    }
  g_signal_connect_object (self->session, "step", G_CALLBACK (step_cb), self, 0);
  g_signal_connect_object (self->session, "step-ended", G_CALLBACK (step_ended_cb), self, 0);
  g_signal_connect_object (self->session, "snapshot", G_CALLBACK (snapshot_cb), self, 0);
  g_signal_connect_object (self->session, "ended", G_CALLBACK (ended_cb), self, 0);
  self->phase = PHASE_RUNNING;
  gtk_widget_set_visible (GTK_WIDGET (self->sweep_view), self->loads != NULL);
  if (self->loads != NULL)
    tacho_bench_sweep_view_show (self->sweep_view, tacho_bench_session_get_sweep (self->session),
                                 FALSE);
  self->dropped = FALSE;
  say (self, NULL, "", _ ("Starting…"));
  update (self);
  if (!tacho_bench_session_start (self->session, &error))
    {
      g_clear_object (&self->session);
      fail (self, error->message);
    }
}

/* A history that cannot be written costs no result: it is said, and the run can still be saved. */
static void
problem_cb (TachoBenchRunPage *self)
{
  const char *problem = tacho_bench_archive_get_problem (tacho_bench_archive_get_default ());
  g_autofree char *text =
      problem != NULL ? g_strdup_printf (_ ("The history: %s"), problem) : g_strdup ("");

  gtk_label_set_label (self->not_kept_words, text);
  gtk_widget_set_visible (self->not_kept, problem != NULL);
}

typedef struct
{
  TachoBenchRunPage *page;
  GCancellable *loading;
} Load;

static void
load_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Load *load = user_data;
  g_autoptr (TachoBenchRunPage) self = load->page;
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

/* Charts matter now, not the form. The focus must not stay in what is hidden. */
static void
fold_editor (TachoBenchRunPage *self)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));
  GtkWidget *focus = root != NULL ? gtk_root_get_focus (root) : NULL;

  if (focus != NULL && gtk_widget_is_ancestor (focus, GTK_WIDGET (self->editor)))
    gtk_widget_grab_focus (GTK_WIDGET (self->run_button));
  gtk_toggle_button_set_active (self->edit_button, FALSE);
}

/* What was wrong with the form may be mended now. */
static void
edited_cb (TachoBenchRunPage *self)
{
  if (!self->refused)
    return;
  self->refused = self->has_ended = FALSE;
  update (self);
}

static TachoModel *
find_model (TachoConnection *connection, const char *id)
{
  GListModel *models = G_LIST_MODEL (tacho_connection_get_models (connection));

  for (guint i = 0; i < g_list_model_get_n_items (models); i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (models, i);

      if (g_strcmp0 (tacho_model_get_id (model), id) == 0)
        return g_steal_pointer (&model);
    }
  return NULL;
}

/* A run names the side that it measured. */
static gboolean
is_same_server (TachoConnection *connection, const char *url)
{
  TachoProfile *profile = tacho_connection_get_profile (connection);

  return url != NULL && (g_strcmp0 (tacho_profile_get_url (profile), url) == 0 ||
                         g_strcmp0 (tacho_profile_get_grpc_target (profile), url) == 0);
}

static void
run_clicked_cb (TachoBenchRunPage *self)
{
  if (self->phase == PHASE_IDLE)
    tacho_bench_run_page_run (self);
  else
    tacho_bench_run_page_stop (self);
}

static void
tacho_bench_run_page_dispose (GObject *object)
{
  TachoBenchRunPage *self = TACHO_BENCH_RUN_PAGE (object);

  if (self->editor != NULL)
    tacho_bench_run_page_set_connection (self, NULL);
  g_clear_object (&self->session);
  g_clear_object (&self->loading);
  g_clear_object (&self->model);
  g_clear_pointer (&self->plan, tacho_bench_plan_free);
  g_clear_pointer (&self->loads, g_array_unref);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_BENCH_RUN_PAGE);

  G_OBJECT_CLASS (tacho_bench_run_page_parent_class)->dispose (object);
}

static void
tacho_bench_run_page_class_init (TachoBenchRunPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_bench_run_page_dispose;
  signals[SIGNAL_ENDED] = g_signal_new ("ended", TACHO_TYPE_BENCH_RUN_PAGE, G_SIGNAL_RUN_LAST, 0,
                                        NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);

  g_type_ensure (TACHO_TYPE_BENCH_CHARTS);
  g_type_ensure (TACHO_TYPE_BENCH_COUNTERS);
  g_type_ensure (TACHO_TYPE_BENCH_RESULTS);
  g_type_ensure (TACHO_TYPE_BENCH_SWEEP_VIEW);
  g_type_ensure (TACHO_TYPE_BENCH_PLAN_EDITOR);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-bench-run-page.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, scroll);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, editor);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, edit_button);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, run_button);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, spinner);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, status_icon);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, status);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, simulated_badge);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, not_kept);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, not_kept_words);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, progress);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, counters);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, live_errors);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, live_check);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, sweep_view);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, results);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchRunPage, charts);
  gtk_widget_class_bind_template_callback (widget_class, run_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, edited_cb);
}

static void
tacho_bench_run_page_init (TachoBenchRunPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  tacho_scroll_fit_width (GTK_SCROLLED_WINDOW (adw_bin_get_child (ADW_BIN (self))));
  g_signal_connect_object (tacho_bench_archive_get_default (), "notify::problem",
                           G_CALLBACK (problem_cb), self, G_CONNECT_SWAPPED);
  update (self);
}

/**
 * tacho_bench_run_page_set_connection:
 * @self: the page
 * @connection: (nullable): the server in use
 *
 * A run on the old server is stopped; what it has measured is shown and kept.
 */
void
tacho_bench_run_page_set_connection (TachoBenchRunPage *self, TachoConnection *connection)
{
  g_return_if_fail (TACHO_IS_BENCH_RUN_PAGE (self));

  if (self->connection != NULL)
    {
      self->dropped = TRUE;
      tacho_bench_run_page_stop (self);
      g_signal_handlers_disconnect_by_data (self->connection, self);
      g_signal_handlers_disconnect_by_data (tacho_connection_get_manager (self->connection), self);
    }
  g_set_object (&self->connection, connection);
  tacho_bench_plan_editor_set_connection (self->editor, connection);
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
 * tacho_bench_run_page_run:
 * @self: the page
 *
 * Starts a run of what the form says. A model that is not loaded is loaded first.
 */
void
tacho_bench_run_page_run (TachoBenchRunPage *self)
{
  g_autoptr (GError) error = NULL;
  const char *id;

  g_return_if_fail (TACHO_IS_BENCH_RUN_PAGE (self));

  if (self->phase != PHASE_IDLE || get_obstacle (self) != NULL)
    return;
  g_set_object (&self->model, tacho_connection_get_model (self->connection));
  id = tacho_model_get_id (self->model);
  g_clear_pointer (&self->plan, tacho_bench_plan_free);
  g_clear_pointer (&self->loads, g_array_unref);
  self->plan = tacho_bench_plan_editor_make_plan (self->editor, id, &self->loads, &error);
  if (self->plan == NULL)
    {
      gtk_toggle_button_set_active (self->edit_button, TRUE);
      fail (self, error->message);
      self->refused = TRUE;
      return;
    }
  fold_editor (self);
  tacho_bench_plan_editor_save (self->editor);
  tacho_settings_set_string (tacho_settings_get_default (), "last-model", id);

  self->has_ended = FALSE;
  tacho_bench_results_set_result (self->results, NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->results), FALSE);
  tacho_bench_charts_clear (self->charts);
  tacho_bench_counters_clear (self->counters);
  gtk_progress_bar_set_fraction (self->progress, 0);
  gtk_widget_set_visible (GTK_WIDGET (self->progress), TRUE); /* and the figures with it */
  if (tacho_connection_needs_load (self->connection, self->model))
    {
      Load *load = g_new0 (Load, 1);

      g_clear_object (&self->loading);
      self->loading = g_cancellable_new ();
      load->page = g_object_ref (self);
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
 * tacho_bench_run_page_run_again:
 * @self: the page
 * @plan: what a run did
 * @url: (nullable): on which server
 *
 * Puts the plan into the form. It is run at once where nothing but the time is another: on the same
 * server, with the same model.
 */
void
tacho_bench_run_page_run_again (TachoBenchRunPage *self,
                                const TachoBenchPlan *plan,
                                const char *url)
{
  g_autoptr (TachoModel) model = NULL;
  g_autofree char *words = NULL;
  g_autofree char *clean = NULL;

  g_return_if_fail (TACHO_IS_BENCH_RUN_PAGE (self));

  if (self->phase != PHASE_IDLE)
    {
      tacho_bench_say (GTK_WIDGET (self), _ ("A run is going on: wait for its end, or stop it."));
      return;
    }
  tacho_bench_plan_editor_set_plan (self->editor, plan, NULL);
  if (self->connection == NULL)
    return;
  model = find_model (self->connection, plan->model);
  if (model != NULL)
    tacho_connection_set_model (self->connection, model);
  if (model != NULL && is_same_server (self->connection, url))
    {
      tacho_bench_run_page_run (self);
      return;
    }
  clean = tacho_text_sanitize_line (model == NULL ? plan->model : url, -1, 200);
  words = g_strdup_printf (
      model == NULL ? _ ("The plan is in the form. This server has no model “%s”: choose one.")
                    : _ ("The plan is in the form. It was made for %s: Run measures this server."),
      clean != NULL ? clean : "");
  self->has_ended = TRUE;
  say (self, NULL, "", words);
  update (self);
}

/**
 * tacho_bench_run_page_stop:
 * @self: the page
 *
 * Stops a run; what it has measured is kept. Nothing happens when none is live.
 */
void
tacho_bench_run_page_stop (TachoBenchRunPage *self)
{
  g_return_if_fail (TACHO_IS_BENCH_RUN_PAGE (self));

  if (self->phase == PHASE_LOADING)
    {
      g_clear_object (&self->loading);
      tacho_connection_cancel_change (self->connection, tacho_model_get_id (self->model));
      end (self, "tacho-status-warning-symbolic", "warning", _ ("Stopped before the run began."));
    }
  else if (self->session != NULL)
    {
      say (self, NULL, "", _ ("Stopping…"));
      tacho_bench_session_stop (self->session);
    }
}

/**
 * tacho_bench_run_page_is_running:
 * @self: the page
 *
 * Returns: %TRUE while a run is live or its model is being loaded
 */
gboolean
tacho_bench_run_page_is_running (TachoBenchRunPage *self)
{
  g_return_val_if_fail (TACHO_IS_BENCH_RUN_PAGE (self), FALSE);

  return self->phase != PHASE_IDLE;
}
