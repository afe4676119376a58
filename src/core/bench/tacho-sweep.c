/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run after the other, each at its load. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-sweep.h"

#include "base/tacho-error.h"
#include "base/tacho-json.h"

#include <math.h>

#define REFINE 3

struct _TachoSweep
{
  GObject parent_instance;

  TachoClientManager *manager;
  TachoBenchPlan *plan;
  GArray *loads; /* of double */
  guint next;    /* of the loads */
  guint refine;
  gboolean stop_when_saturated;
  gboolean keep_chunks;
  gboolean saturated;
  gboolean stopped;
  double load; /* of the run that goes on */
  TachoBenchRun *run;
  GPtrArray *results; /* of TachoBenchResult, sorted by load */
  GArray *points;     /* of TachoSweepPoint, the same */
  GError *error;
};

G_DEFINE_FINAL_TYPE (TachoSweep, tacho_sweep, G_TYPE_OBJECT)

enum
{
  SIGNAL_STEP,
  SIGNAL_SNAPSHOT,
  SIGNAL_STEP_ENDED,
  SIGNAL_ENDED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void step (TachoSweep *self);

static void
tacho_sweep_finalize (GObject *object)
{
  TachoSweep *self = TACHO_SWEEP (object);

  g_clear_object (&self->run);
  g_clear_object (&self->manager);
  g_clear_pointer (&self->plan, tacho_bench_plan_free);
  g_clear_pointer (&self->loads, g_array_unref);
  g_ptr_array_unref (self->results);
  g_array_unref (self->points);
  g_clear_error (&self->error);

  G_OBJECT_CLASS (tacho_sweep_parent_class)->finalize (object);
}

static void
tacho_sweep_class_init (TachoSweepClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_sweep_finalize;

  /**
   * TachoSweep::step:
   * @self: the sweep
   * @plan: (type gpointer): a TachoBenchPlan, valid during the emission
   *
   * A run begins.
   */
  signals[SIGNAL_STEP] = g_signal_new ("step", TACHO_TYPE_SWEEP, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                       NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
  /**
   * TachoSweep::snapshot:
   * @self: the sweep
   * @snapshot: (type gpointer): a TachoBenchSnapshot, valid during the emission
   *
   * A few times a second.
   */
  signals[SIGNAL_SNAPSHOT] = g_signal_new ("snapshot", TACHO_TYPE_SWEEP, G_SIGNAL_RUN_LAST, 0, NULL,
                                           NULL, NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);
  /**
   * TachoSweep::step-ended:
   * @self: the sweep
   * @result: (type gpointer): a TachoBenchResult
   *
   * A run has ended.
   */
  signals[SIGNAL_STEP_ENDED] =
      g_signal_new ("step-ended", TACHO_TYPE_SWEEP, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 1, G_TYPE_POINTER);
  /**
   * TachoSweep::ended:
   * @self: the sweep
   *
   * Once, when all is done.
   */
  signals[SIGNAL_ENDED] = g_signal_new ("ended", TACHO_TYPE_SWEEP, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                        NULL, G_TYPE_NONE, 0);
}

static void
result_unref_cb (gpointer data)
{
  tacho_bench_result_unref (data);
}

static void
tacho_sweep_init (TachoSweep *self)
{
  self->refine = REFINE;
  self->stop_when_saturated = TRUE;
  self->results = g_ptr_array_new_with_free_func (result_unref_cb);
  self->points = g_array_new (FALSE, FALSE, sizeof (TachoSweepPoint));
}

static TachoBenchPlan *
plan_at (TachoSweep *self, double load)
{
  TachoBenchPlan *plan = tacho_bench_plan_copy (self->plan);

  if (tacho_bench_plan_is_open (plan))
    plan->rate = load;
  else
    plan->concurrency = (guint) load;
  return plan;
}

/**
 * tacho_sweep_new:
 * @manager: a probed manager
 * @plan: what each run does; an open loop is swept over its rate, a closed one over its concurrency
 * @loads: (element-type double): rising
 * @error: return location
 *
 * Prepares a sweep. Every step's plan is checked before the first begins.
 *
 * Returns: (transfer full): the sweep, or %NULL with %TACHO_ERROR_INVALID
 */
TachoSweep *
tacho_sweep_new (TachoClientManager *manager,
                 const TachoBenchPlan *plan,
                 GArray *loads,
                 GError **error)
{
  g_autoptr (TachoSweep) self = g_object_new (TACHO_TYPE_SWEEP, NULL);

  self->manager = g_object_ref (manager);
  self->plan = tacho_bench_plan_copy (plan);
  self->loads = g_array_copy (loads);
  for (guint i = 0; i < loads->len; i++)
    {
      g_autoptr (TachoBenchPlan) one = plan_at (self, g_array_index (loads, double, i));

      if (!tacho_bench_plan_validate (one, error))
        return NULL;
    }
  return g_steal_pointer (&self);
}

/**
 * tacho_sweep_set_refine:
 * @self: a sweep
 * @steps: how many more
 *
 * Looks closer for the highest load that meets the objective, if the plan has one.
 */
void
tacho_sweep_set_refine (TachoSweep *self, guint steps)
{
  g_return_if_fail (TACHO_IS_SWEEP (self));

  self->refine = steps;
}

/**
 * tacho_sweep_set_stop_when_saturated:
 * @self: a sweep
 * @stop: whether to leave out loads beyond the one that brings no more
 *
 * An overloaded server needs long to answer, and says nothing new.
 */
void
tacho_sweep_set_stop_when_saturated (TachoSweep *self, gboolean stop)
{
  g_return_if_fail (TACHO_IS_SWEEP (self));

  self->stop_when_saturated = !!stop;
}

static void
insert (TachoSweep *self, TachoBenchResult *result)
{
  TachoSweepPoint point;
  guint at = 0;

  tacho_sweep_point_fill (&point, self->load, result);
  while (at < self->points->len &&
         g_array_index (self->points, TachoSweepPoint, at).load < point.load)
    at++;
  g_array_insert_val (self->points, at, point);
  g_ptr_array_insert (self->results, (int) at, tacho_bench_result_ref (result));
}

/* The next load; 0: there is none. */
static double
choose (TachoSweep *self)
{
  const TachoSweepPoint *points = (const TachoSweepPoint *) (gconstpointer) self->points->data;
  double load;

  if (self->stop_when_saturated && self->next < self->loads->len &&
      tacho_sweep_is_saturated (points, self->points->len))
    {
      self->saturated = TRUE;
      self->next = self->loads->len;
    }
  if (self->next < self->loads->len)
    return g_array_index (self->loads, double, self->next++);
  if (self->refine == 0)
    return 0;
  load = tacho_sweep_next_load (points, self->points->len,
                                !tacho_bench_plan_is_open (self->plan));
  self->refine = load > 0 ? self->refine - 1 : 0;
  return load;
}

static void
end (TachoSweep *self)
{
  g_clear_object (&self->run);
  g_signal_emit (self, signals[SIGNAL_ENDED], 0);
  g_object_unref (self); /* what it held while it went on */
}

static void
snapshot_cb (TachoBenchRun *run, const TachoBenchSnapshot *snapshot, TachoSweep *self)
{
  g_signal_emit (self, signals[SIGNAL_SNAPSHOT], 0, snapshot);
}

static void
ended_cb (TachoBenchRun *run, TachoSweep *self)
{
  TachoBenchResult *result = tacho_bench_run_get_result (run);
  const GError *error = tacho_bench_run_get_error (run);

  g_signal_handlers_disconnect_by_data (run, self);
  if (result == NULL)
    {
      self->error = g_error_copy (error);
      end (self);
      return;
    }
  insert (self, result);
  g_signal_emit (self, signals[SIGNAL_STEP_ENDED], 0, result);
  if (self->stopped || result->interrupted)
    {
      self->stopped = TRUE;
      end (self);
      return;
    }
  step (self);
}

static void
step (TachoSweep *self)
{
  g_autoptr (TachoBenchPlan) plan = NULL;

  self->load = self->stopped ? 0 : choose (self);
  if (self->load <= 0)
    {
      end (self);
      return;
    }
  plan = plan_at (self, self->load);
  g_clear_object (&self->run);
  self->run = tacho_bench_run_new (self->manager, plan, &self->error);
  if (self->run == NULL)
    {
      end (self);
      return;
    }
  tacho_bench_run_set_keep_chunks (self->run, self->keep_chunks);
  g_signal_connect (self->run, "snapshot", G_CALLBACK (snapshot_cb), self);
  g_signal_connect (self->run, "ended", G_CALLBACK (ended_cb), self);
  g_signal_emit (self, signals[SIGNAL_STEP], 0, plan);
  if (!tacho_bench_run_start (self->run, &self->error))
    end (self);
}

static gboolean
start_cb (gpointer user_data)
{
  step (user_data);
  return G_SOURCE_REMOVE;
}

/**
 * tacho_sweep_start:
 * @self: a sweep that was not started
 * @error: return location
 *
 * Begins with the first load, from the caller's main context. The sweep holds itself until it has
 * ended.
 *
 * Returns: whether the first step can be made
 */
gboolean
tacho_sweep_start (TachoSweep *self, GError **error)
{
  g_autoptr (TachoBenchPlan) plan = NULL;
  g_autoptr (TachoBenchRun) probe = NULL;
  g_autoptr (GSource) source = g_idle_source_new ();

  g_return_val_if_fail (TACHO_IS_SWEEP (self) && self->run == NULL, FALSE);

  plan = plan_at (self, g_array_index (self->loads, double, 0));
  probe = tacho_bench_run_new (self->manager, plan, error);
  if (probe == NULL)
    return FALSE;
  g_source_set_callback (source, start_cb, g_object_ref (self), NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  return TRUE;
}

/**
 * tacho_sweep_set_keep_chunks:
 * @self: a sweep that was not started
 * @keep: whether the records keep the stamp of each chunk
 */
void
tacho_sweep_set_keep_chunks (TachoSweep *self, gboolean keep)
{
  g_return_if_fail (TACHO_IS_SWEEP (self));

  self->keep_chunks = keep;
}

/**
 * tacho_sweep_stop:
 * @self: a sweep
 *
 * Stops the run that goes on; no other follows.
 */
void
tacho_sweep_stop (TachoSweep *self)
{
  g_return_if_fail (TACHO_IS_SWEEP (self));

  self->stopped = TRUE;
  if (self->run != NULL)
    tacho_bench_run_stop (self->run);
}

/**
 * tacho_sweep_get_results:
 * @self: a sweep
 *
 * Returns: (transfer none) (element-type TachoBenchResult): the runs so far, by load
 */
GPtrArray *
tacho_sweep_get_results (TachoSweep *self)
{
  g_return_val_if_fail (TACHO_IS_SWEEP (self), NULL);
  return self->results;
}

/**
 * tacho_sweep_get_points:
 * @self: a sweep
 * @n: (out): how many
 *
 * Returns: (transfer none) (array length=n): what the runs came to, by load
 */
const TachoSweepPoint *
tacho_sweep_get_points (TachoSweep *self, guint *n)
{
  g_return_val_if_fail (TACHO_IS_SWEEP (self), NULL);

  *n = self->points->len;
  return (const TachoSweepPoint *) (gconstpointer) self->points->data;
}

/**
 * tacho_sweep_get_saturated:
 * @self: a sweep
 *
 * Returns: whether higher loads were left out
 */
gboolean
tacho_sweep_get_saturated (TachoSweep *self)
{
  g_return_val_if_fail (TACHO_IS_SWEEP (self), FALSE);
  return self->saturated;
}

/**
 * tacho_sweep_get_interrupted:
 * @self: a sweep
 *
 * Returns: whether it was stopped
 */
gboolean
tacho_sweep_get_interrupted (TachoSweep *self)
{
  g_return_val_if_fail (TACHO_IS_SWEEP (self), FALSE);
  return self->stopped;
}

/**
 * tacho_sweep_get_error:
 * @self: a sweep that has ended
 *
 * Returns: (nullable): why a step could not be made
 */
const GError *
tacho_sweep_get_error (TachoSweep *self)
{
  g_return_val_if_fail (TACHO_IS_SWEEP (self), NULL);
  return self->error;
}

static void
add_double (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  if (isfinite (value))
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
add_point (JsonBuilder *builder, const TachoSweepPoint *point)
{
  json_builder_begin_object (builder);
  add_double (builder, "load", point->load);
  add_double (builder, "output_tokens_per_s", point->throughput);
  add_double (builder, "ttft_ms_p95", point->ttft_ms_p95);
  add_double (builder, "goodput_per_s", point->goodput);
  add_double (builder, "slo_attainment", point->attainment);
  add_double (builder, "failed_share", point->failed);
  json_builder_end_object (builder);
}

static void
add_load_of (JsonBuilder *builder, const char *name, const TachoSweepPoint *points, int index)
{
  add_double (builder, name, index >= 0 ? points[index].load : NAN);
}

static void
add_runs (JsonBuilder *builder, TachoSweep *self)
{
  json_builder_set_member_name (builder, "runs");
  json_builder_begin_array (builder);
  for (guint i = 0; i < self->results->len; i++)
    {
      g_autofree char *text =
          tacho_bench_result_to_json (g_ptr_array_index (self->results, i), FALSE);
      JsonNode *node = json_from_string (text, NULL);

      if (node != NULL)
        json_builder_add_value (builder, node);
    }
  json_builder_end_array (builder);
}

/**
 * tacho_sweep_to_json:
 * @self: a sweep that has ended
 *
 * Returns: (transfer full): the points, what they say together, and every run whole, as a
 * "tacho.sweep/1" object
 */
char *
tacho_sweep_to_json (TachoSweep *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr (JsonNode) root = NULL;
  guint n;
  const TachoSweepPoint *points = tacho_sweep_get_points (self, &n);

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "schema");
  json_builder_add_string_value (builder, "tacho.sweep/1");
  json_builder_set_member_name (builder, "by");
  json_builder_add_string_value (
      builder, tacho_bench_plan_is_open (self->plan) ? "rate" : "concurrency");
  json_builder_set_member_name (builder, "points");
  json_builder_begin_array (builder);
  for (guint i = 0; i < n; i++)
    add_point (builder, &points[i]);
  json_builder_end_array (builder);
  add_load_of (builder, "knee", points, tacho_sweep_find_knee (points, n));
  add_load_of (builder, "best", points, tacho_sweep_find_best (points, n));
  json_builder_set_member_name (builder, "saturated");
  json_builder_add_boolean_value (builder, self->saturated);
  json_builder_set_member_name (builder, "interrupted");
  json_builder_add_boolean_value (builder, self->stopped);
  add_runs (builder, self);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return tacho_json_to_string (root, FALSE);
}
