/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run or a sweep, so that what shows them need not know which. */
#define G_LOG_DOMAIN "tacho-bench-session"

#include "config.h"

#include "app/tacho-bench-session.h"
#include "app/tacho-bench-archive.h"

struct _TachoBenchSession
{
  GObject parent_instance;
  TachoBenchRun *run; /* one of the two */
  TachoSweep *sweep;
  TachoBenchPlan *plan;
  guint step, n_steps;
  TachoBenchResult *result;
};

G_DEFINE_FINAL_TYPE (TachoBenchSession, tacho_bench_session, G_TYPE_OBJECT)

enum
{
  SIGNAL_STEP,
  SIGNAL_SNAPSHOT,
  SIGNAL_STEP_ENDED,
  SIGNAL_ENDED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
take_result (TachoBenchSession *self, TachoBenchResult *result)
{
  tacho_bench_archive_keep (tacho_bench_archive_get_default (), result);
  tacho_bench_result_ref (result);
  g_clear_pointer (&self->result, tacho_bench_result_unref);
  self->result = result;
  g_signal_emit (self, signals[SIGNAL_STEP_ENDED], 0, result);
}

static void
run_snapshot_cb (TachoBenchRun *run, const TachoBenchSnapshot *snapshot, TachoBenchSession *self)
{
  tacho_bench_archive_checkpoint (tacho_bench_archive_get_default (), run, snapshot);
  g_signal_emit (self, signals[SIGNAL_SNAPSHOT], 0, snapshot);
}

/* A session lives as long as what it started, whether or not somebody looks. */
static void
follow (TachoBenchSession *self, gpointer source, const char *signal, GCallback callback)
{
  g_signal_connect_data (source, signal, callback, g_object_ref (self),
                         (GClosureNotify) (void (*) (void)) g_object_unref, 0);
}

static void
unfollow (TachoBenchSession *self)
{
  if (self->run != NULL)
    g_signal_handlers_disconnect_by_data (self->run, self);
  if (self->sweep != NULL)
    g_signal_handlers_disconnect_by_data (self->sweep, self);
}

static void
end (TachoBenchSession *self)
{
  g_object_ref (self);
  unfollow (self);
  g_signal_emit (self, signals[SIGNAL_ENDED], 0);
  g_object_unref (self);
}

static void
run_ended_cb (TachoBenchRun *run, TachoBenchSession *self)
{
  if (tacho_bench_run_get_result (run) != NULL)
    take_result (self, tacho_bench_run_get_result (run));
  end (self);
}

static void
sweep_step_cb (TachoSweep *sweep, const TachoBenchPlan *plan, TachoBenchSession *self)
{
  tacho_bench_plan_free (self->plan);
  self->plan = tacho_bench_plan_copy (plan);
  self->step++;
  self->n_steps = MAX (self->n_steps, self->step); /* it adds steps around the best load */
  g_signal_emit (self, signals[SIGNAL_STEP], 0);
}

static void
sweep_snapshot_cb (TachoSweep *sweep, const TachoBenchSnapshot *snapshot, TachoBenchSession *self)
{
  g_signal_emit (self, signals[SIGNAL_SNAPSHOT], 0, snapshot);
}

static void
sweep_step_ended_cb (TachoSweep *sweep, TachoBenchResult *result, TachoBenchSession *self)
{
  take_result (self, result);
}

static void
sweep_ended_cb (TachoSweep *sweep, TachoBenchSession *self)
{
  end (self);
}

static void
tacho_bench_session_dispose (GObject *object)
{
  TachoBenchSession *self = TACHO_BENCH_SESSION (object);

  g_clear_object (&self->run);
  g_clear_object (&self->sweep);

  G_OBJECT_CLASS (tacho_bench_session_parent_class)->dispose (object);
}

static void
tacho_bench_session_finalize (GObject *object)
{
  TachoBenchSession *self = TACHO_BENCH_SESSION (object);

  g_clear_pointer (&self->plan, tacho_bench_plan_free);
  g_clear_pointer (&self->result, tacho_bench_result_unref);

  G_OBJECT_CLASS (tacho_bench_session_parent_class)->finalize (object);
}

static guint
add_signal (const char *name, GType argument)
{
  if (argument == G_TYPE_NONE)
    return g_signal_new (name, TACHO_TYPE_BENCH_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                         G_TYPE_NONE, 0);
  return g_signal_new (name, TACHO_TYPE_BENCH_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                       G_TYPE_NONE, 1, argument);
}

static void
tacho_bench_session_class_init (TachoBenchSessionClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_bench_session_dispose;
  G_OBJECT_CLASS (klass)->finalize = tacho_bench_session_finalize;
  signals[SIGNAL_STEP] = add_signal ("step", G_TYPE_NONE);
  signals[SIGNAL_SNAPSHOT] = add_signal ("snapshot", G_TYPE_POINTER);
  signals[SIGNAL_STEP_ENDED] = add_signal ("step-ended", G_TYPE_POINTER);
  signals[SIGNAL_ENDED] = add_signal ("ended", G_TYPE_NONE);
}

static void
tacho_bench_session_init (TachoBenchSession *self)
{
}

/**
 * tacho_bench_session_new:
 * @manager: a probed manager
 * @plan: what to do; copied
 * @loads: (nullable) (element-type double): the loads of a sweep; %NULL: a single run
 * @error: return location
 *
 * Returns: (transfer full): the session, or %NULL with %TACHO_ERROR_INVALID
 */
TachoBenchSession *
tacho_bench_session_new (TachoClientManager *manager,
                         const TachoBenchPlan *plan,
                         GArray *loads,
                         GError **error)
{
  g_autoptr (TachoBenchSession) self = g_object_new (TACHO_TYPE_BENCH_SESSION, NULL);

  self->plan = tacho_bench_plan_copy (plan);
  self->n_steps = loads != NULL ? loads->len : 1;
  if (loads != NULL)
    self->sweep = tacho_sweep_new (manager, plan, loads, error);
  else
    self->run = tacho_bench_run_new (manager, plan, error);
  if (self->sweep == NULL && self->run == NULL)
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * tacho_bench_session_start:
 * @self: a session that was not started
 * @error: return location
 *
 * Returns: whether it goes on now; else what is in the way
 */
gboolean
tacho_bench_session_start (TachoBenchSession *self, GError **error)
{
  gboolean started;

  g_return_val_if_fail (TACHO_IS_BENCH_SESSION (self), FALSE);

  if (self->run != NULL)
    {
      follow (self, self->run, "snapshot", G_CALLBACK (run_snapshot_cb));
      follow (self, self->run, "ended", G_CALLBACK (run_ended_cb));
      self->step = 1;
      started = tacho_bench_run_start (self->run, error);
    }
  else
    {
      follow (self, self->sweep, "step", G_CALLBACK (sweep_step_cb));
      follow (self, self->sweep, "snapshot", G_CALLBACK (sweep_snapshot_cb));
      follow (self, self->sweep, "step-ended", G_CALLBACK (sweep_step_ended_cb));
      follow (self, self->sweep, "ended", G_CALLBACK (sweep_ended_cb));
      started = tacho_sweep_start (self->sweep, error);
    }
  if (!started)
    unfollow (self);
  return started;
}

/**
 * tacho_bench_session_stop:
 * @self: a session
 *
 * What was measured is kept; "ended" follows.
 */
void
tacho_bench_session_stop (TachoBenchSession *self)
{
  g_return_if_fail (TACHO_IS_BENCH_SESSION (self));

  if (self->run != NULL)
    tacho_bench_run_stop (self->run);
  else
    tacho_sweep_stop (self->sweep);
}

/**
 * tacho_bench_session_get_sweep:
 * @self: a session
 *
 * Returns: (transfer none) (nullable): the sweep, if it is one
 */
TachoSweep *
tacho_bench_session_get_sweep (TachoBenchSession *self)
{
  g_return_val_if_fail (TACHO_IS_BENCH_SESSION (self), NULL);

  return self->sweep;
}

/**
 * tacho_bench_session_get_plan:
 * @self: a session
 *
 * Returns: (transfer none): what the run that goes on does
 */
const TachoBenchPlan *
tacho_bench_session_get_plan (TachoBenchSession *self)
{
  g_return_val_if_fail (TACHO_IS_BENCH_SESSION (self), NULL);

  return self->plan;
}

/**
 * tacho_bench_session_get_step:
 * @self: a session
 * @n: (out): how many steps there are, as far as is known
 *
 * Returns: the step that goes on, from 1; 0 before the first
 */
guint
tacho_bench_session_get_step (TachoBenchSession *self, guint *n)
{
  g_return_val_if_fail (TACHO_IS_BENCH_SESSION (self), 0);

  *n = self->n_steps;
  return self->step;
}

/**
 * tacho_bench_session_get_result:
 * @self: a session
 *
 * Returns: (transfer none) (nullable): of the last run that ended
 */
TachoBenchResult *
tacho_bench_session_get_result (TachoBenchSession *self)
{
  g_return_val_if_fail (TACHO_IS_BENCH_SESSION (self), NULL);

  return self->result;
}

/**
 * tacho_bench_session_get_error:
 * @self: a session that has ended
 *
 * Returns: (transfer none) (nullable): why it could not go on
 */
const GError *
tacho_bench_session_get_error (TachoBenchSession *self)
{
  g_return_val_if_fail (TACHO_IS_BENCH_SESSION (self), NULL);

  return self->run != NULL ? tacho_bench_run_get_error (self->run)
                           : tacho_sweep_get_error (self->sweep);
}
