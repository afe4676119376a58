/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The simulated engine. Each model has a timer on an absolute schedule: a late wake-up does not
 * move the steps that follow it. A step takes the batch's decoding time plus the time of the prompt
 * tokens that ride in it, as in llama.cpp, where a long prompt slows the others down. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-engine.h"

#include "sim/tacho-sim-batch.h"
#include "sim/tacho-sim-text.h"
#include "sim/tacho-sim-timer.h"

#include <string.h>
#include <time.h>

#define LOAD_TICKS 20

typedef struct
{
  guint id; /* 0: gone */
  TachoSimWatchFunc func;
  gpointer user_data;
} Watch;

struct _TachoSimEngine
{
  TachoSimConfig *config;
  GMainContext *context;
  GPtrArray *runtimes;
  TachoSimEngineStats stats;
  guint n_tasks;
  GArray *watches; /* of Watch */
  guint n_watches;
  gboolean asleep;

  GMutex lock;
  TachoSimCounters counters; /* under lock */
};

/* The server's own clock, not the replaceable one: a test that freezes the client's clock must not
 * stop the server. */
static gint64
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * 1000000000 + now.tv_nsec;
}

/**
 * tacho_sim_engine_has_prefix_cache:
 * @engine: an engine
 *
 * Returns: whether the known beginning of a prompt costs nothing
 */
gboolean
tacho_sim_engine_has_prefix_cache (TachoSimEngine *engine)
{
  return engine->config->prefix_cache;
}

/**
 * tacho_sim_engine_scale_ns:
 * @engine: the engine
 * @ms: a time of a model
 *
 * Returns: the same in nanoseconds, by the configuration's time scale
 */
gint64
tacho_sim_engine_scale_ns (TachoSimEngine *engine, double ms)
{
  return (gint64) (ms * 1e6 * engine->config->time_scale);
}

static void
update_gauges (TachoSimEngine *engine)
{
  guint active = 0, queued = 0;

  for (guint i = 0; i < engine->runtimes->len; i++)
    {
      TachoSimRuntime *runtime = g_ptr_array_index (engine->runtimes, i);

      queued += g_queue_get_length (&runtime->waiting);
      for (guint j = 0; j < runtime->slots->len; j++)
        active += g_ptr_array_index (runtime->slots, j) != NULL;
    }
  g_mutex_lock (&engine->lock);
  engine->counters.active = active;
  engine->counters.queued = queued;
  engine->counters.max_active = MAX (engine->counters.max_active, active);
  engine->counters.max_in_flight = MAX (engine->counters.max_in_flight, active + queued);
  g_mutex_unlock (&engine->lock);
}

static void
schedule (TachoSimRuntime *runtime, gint64 from)
{
  if (tacho_sim_batch_is_idle (runtime))
    runtime->step_due_ns = 0;
  else
    {
      if (from == 0 && runtime->step_due_ns == 0)
        from = now_ns ();
      runtime->step_due_ns = tacho_sim_batch_plan (runtime, from, runtime->step_due_ns);
    }
  tacho_sim_timer_set (runtime->timer, runtime->step_due_ns);
}

/* A free slot is given away from the loop, never from within a step. */
static void
kick (TachoSimRuntime *runtime)
{
  if (!g_queue_is_empty (&runtime->waiting))
    tacho_sim_batch_admit (runtime, now_ns ());
  schedule (runtime, 0);
  update_gauges (runtime->engine);
}

static gboolean
timer_cb (gpointer user_data)
{
  TachoSimRuntime *runtime = user_data;
  gint64 due = runtime->step_due_ns;
  gint64 now = now_ns ();

  if (due == 0 || runtime->stepping)
    return G_SOURCE_CONTINUE;
  if (now - due > TACHO_SIM_MAX_LAG_NS)
    due = now;
  runtime->stepping = TRUE;
  tacho_sim_batch_run (runtime, due, now);
  runtime->stepping = FALSE;
  tacho_sim_batch_admit (runtime, due);
  schedule (runtime, due);
  update_gauges (runtime->engine);
  return G_SOURCE_CONTINUE;
}

/* Who watches may stop to watch meanwhile, or others begin. */
static void
tell (TachoSimRuntime *runtime)
{
  TachoSimEngine *engine = runtime->engine;
  g_autofree guint *ids = g_new (guint, engine->watches->len + 1);
  guint n = engine->watches->len;

  for (guint i = 0; i < n; i++)
    ids[i] = g_array_index (engine->watches, Watch, i).id;
  for (guint i = 0; i < n; i++)
    for (guint j = 0; j < engine->watches->len; j++)
      {
        Watch watch = g_array_index (engine->watches, Watch, j);

        if (watch.id == ids[i])
          {
            watch.func (runtime, watch.user_data);
            break;
          }
      }
}

/* --- loading ---------------------------------------------------------------------------------- */

static void
fail_waiting (TachoSimRuntime *runtime, const char *reason)
{
  TachoSimSequence *sequence;

  while ((sequence = g_queue_pop_head (&runtime->waiting)) != NULL)
    {
      sequence->runtime = NULL;
      sequence->funcs->failed (sequence->user_data, reason);
    }
}

static gboolean
load_cb (gpointer user_data)
{
  TachoSimRuntime *runtime = user_data;
  const TachoSimModel *model = runtime->model;
  gint64 total = MAX (tacho_sim_engine_scale_ns (runtime->engine, model->load_s * 1000), 1);
  gint64 now = now_ns ();

  runtime->progress = CLAMP ((double) (now - runtime->load_begin_ns) / (double) total, 0, 1);
  if (model->load_failure != NULL && runtime->progress >= 0.6)
    {
      tacho_sim_timer_set (runtime->load_timer, 0);
      runtime->status = TACHO_SIM_UNLOADED;
      runtime->failed = TRUE;
      fail_waiting (runtime, model->load_failure);
    }
  else if (runtime->progress >= 1)
    {
      tacho_sim_timer_set (runtime->load_timer, 0);
      runtime->status = TACHO_SIM_LOADED;
      runtime->loaded_at = g_get_real_time () / G_USEC_PER_SEC;
      kick (runtime);
    }
  else
    tacho_sim_timer_set (runtime->load_timer, MIN (now + MAX (total / LOAD_TICKS, 1000),
                                                   runtime->load_begin_ns + total));
  update_gauges (runtime->engine);
  tell (runtime);
  return G_SOURCE_CONTINUE;
}

/**
 * tacho_sim_engine_load:
 * @engine: the engine
 * @runtime: one of its models
 *
 * Begins to load the model, unless it is loaded or loading.
 */
void
tacho_sim_engine_load (TachoSimEngine *engine, TachoSimRuntime *runtime)
{
  if (runtime->status != TACHO_SIM_UNLOADED)
    return;
  runtime->status = TACHO_SIM_LOADING;
  runtime->failed = FALSE;
  runtime->progress = 0;
  runtime->load_begin_ns = now_ns ();
  tacho_sim_timer_set (runtime->load_timer, runtime->load_begin_ns);
  tell (runtime);
}

/**
 * tacho_sim_engine_unload:
 * @engine: the engine
 * @runtime: one of its models
 *
 * Unloads the model, or stops its loading. Generations that run or wait fail.
 */
void
tacho_sim_engine_unload (TachoSimEngine *engine, TachoSimRuntime *runtime)
{
  runtime->status = TACHO_SIM_UNLOADED;
  runtime->failed = FALSE;
  runtime->progress = 0;
  tacho_sim_timer_set (runtime->load_timer, 0);
  g_ptr_array_set_size (runtime->cache, 0);
  runtime->kv_tokens = 0;
  for (guint i = 0; i < runtime->slots->len; i++)
    {
      TachoSimSequence *sequence = g_ptr_array_index (runtime->slots, i);

      if (sequence == NULL)
        continue;
      runtime->slots->pdata[i] = NULL;
      sequence->runtime = NULL;
      sequence->funcs->failed (sequence->user_data, "the model was unloaded");
    }
  fail_waiting (runtime, "the model was unloaded");
  kick (runtime);
  tell (runtime);
}

/* --- the engine ------------------------------------------------------------------------------- */

static void
runtime_free (gpointer data)
{
  TachoSimRuntime *runtime = data;

  tacho_sim_timer_free (runtime->timer);
  tacho_sim_timer_free (runtime->load_timer);
  g_ptr_array_unref (runtime->slots);
  g_ptr_array_unref (runtime->cache);
  g_queue_clear (&runtime->waiting);
  g_rand_free (runtime->random);
  g_free (runtime);
}

static TachoSimRuntime *
runtime_new (TachoSimEngine *engine, TachoSimModel *model, guint index)
{
  TachoSimRuntime *runtime = g_new0 (TachoSimRuntime, 1);

  runtime->engine = engine;
  runtime->stats = &engine->stats;
  runtime->model = model;
  runtime->slowness = 1;
  runtime->slots = g_ptr_array_new ();
  runtime->n_slots = CLAMP (engine->config->slots, 1, 4096);
  g_ptr_array_set_size (runtime->slots, (int) runtime->n_slots);
  runtime->cache = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  runtime->random = g_rand_new_with_seed ((guint32) tacho_sim_mix (engine->config->seed + index));
  runtime->timer = tacho_sim_timer_new (engine->context, timer_cb, runtime);
  runtime->load_timer = tacho_sim_timer_new (engine->context, load_cb, runtime);
  g_queue_init (&runtime->waiting);
  if (model->loaded && model->load_failure == NULL)
    {
      runtime->status = TACHO_SIM_LOADED;
      runtime->loaded_at = g_get_real_time () / G_USEC_PER_SEC;
    }
  return runtime;
}

/**
 * tacho_sim_engine_new:
 * @config: copied
 * @context: where everything happens
 *
 * Returns: (transfer full): the engine
 */
TachoSimEngine *
tacho_sim_engine_new (const TachoSimConfig *config, GMainContext *context)
{
  TachoSimEngine *engine = g_new0 (TachoSimEngine, 1);

  engine->config = tacho_sim_config_copy (config);
  engine->context = g_main_context_ref (context);
  engine->runtimes = g_ptr_array_new_with_free_func (runtime_free);
  engine->watches = g_array_new (FALSE, TRUE, sizeof (Watch));
  g_mutex_init (&engine->lock);
  for (guint i = 0; i < engine->config->models->len; i++)
    g_ptr_array_add (engine->runtimes,
                     runtime_new (engine, g_ptr_array_index (engine->config->models, i), i));
  return engine;
}

/**
 * tacho_sim_engine_free:
 * @engine: (nullable) (transfer full): the engine
 */
void
tacho_sim_engine_free (TachoSimEngine *engine)
{
  if (engine == NULL)
    return;
  g_ptr_array_unref (engine->runtimes);
  g_array_unref (engine->watches);
  tacho_sim_config_free (engine->config);
  g_main_context_unref (engine->context);
  g_mutex_clear (&engine->lock);
  g_free (engine);
}

/**
 * tacho_sim_engine_get_seed:
 * @engine: the engine
 *
 * Returns: the configuration's seed
 */
guint64
tacho_sim_engine_get_seed (TachoSimEngine *engine)
{
  return engine->config->seed;
}

/**
 * tacho_sim_engine_get_runtimes:
 * @engine: the engine
 *
 * Returns: (transfer none) (element-type TachoSimRuntime): its models
 */
GPtrArray *
tacho_sim_engine_get_runtimes (TachoSimEngine *engine)
{
  return engine->runtimes;
}

/**
 * tacho_sim_engine_find:
 * @engine: the engine
 * @id: (nullable): a model's id
 *
 * Returns: (transfer none) (nullable): the model of that id
 */
TachoSimRuntime *
tacho_sim_engine_find (TachoSimEngine *engine, const char *id)
{
  for (guint i = 0; id != NULL && i < engine->runtimes->len; i++)
    {
      TachoSimRuntime *runtime = g_ptr_array_index (engine->runtimes, i);

      if (!runtime->removed && g_str_equal (runtime->model->id, id))
        return runtime;
    }
  return NULL;
}

/**
 * tacho_sim_engine_watch:
 * @engine: the engine
 * @func: called on the engine's context when a model's status or its load's progress changed
 * @user_data: for @func
 *
 * Returns: what tacho_sim_engine_unwatch() takes
 */
guint
tacho_sim_engine_watch (TachoSimEngine *engine, TachoSimWatchFunc func, gpointer user_data)
{
  const Watch watch = { ++engine->n_watches, func, user_data };

  g_array_append_val (engine->watches, watch);
  return watch.id;
}

/**
 * tacho_sim_engine_unwatch:
 * @engine: the engine
 * @watch: of tacho_sim_engine_watch()
 */
void
tacho_sim_engine_unwatch (TachoSimEngine *engine, guint watch)
{
  for (guint i = 0; i < engine->watches->len; i++)
    if (g_array_index (engine->watches, Watch, i).id == watch)
      {
        g_array_remove_index (engine->watches, i);
        return;
      }
}

/**
 * tacho_sim_engine_set_asleep:
 * @engine: the engine
 * @asleep: whether new generations wait, and the prefix cache is given up
 */
void
tacho_sim_engine_set_asleep (TachoSimEngine *engine, gboolean asleep)
{
  engine->asleep = asleep;
  for (guint i = 0; i < engine->runtimes->len; i++)
    {
      TachoSimRuntime *runtime = g_ptr_array_index (engine->runtimes, i);

      if (asleep)
        g_ptr_array_set_size (runtime->cache, 0);
      else
        kick (runtime);
    }
}

/**
 * tacho_sim_engine_is_asleep:
 * @engine: the engine
 *
 * Returns: whether new generations wait
 */
gboolean
tacho_sim_engine_is_asleep (TachoSimEngine *engine)
{
  return engine->asleep;
}

/**
 * tacho_sim_engine_add_model:
 * @engine: the engine
 * @id: its id; a model of this id that was removed comes back
 * @like: what it is like
 *
 * Returns: (transfer none): the model, not loaded
 */
TachoSimRuntime *
tacho_sim_engine_add_model (TachoSimEngine *engine, const char *id, const TachoSimModel *like)
{
  TachoSimRuntime *runtime;
  TachoSimModel *model;

  for (guint i = 0; i < engine->runtimes->len; i++)
    {
      runtime = g_ptr_array_index (engine->runtimes, i);
      if (g_str_equal (runtime->model->id, id))
        {
          runtime->removed = FALSE;
          tell (runtime);
          return runtime;
        }
    }
  model = tacho_sim_model_copy (like);
  g_free (model->id);
  g_free (model->name);
  model->id = g_strdup (id);
  model->name = g_strdup (id);
  model->loaded = FALSE;
  g_ptr_array_add (engine->config->models, model);
  runtime = runtime_new (engine, model, engine->runtimes->len);
  g_ptr_array_add (engine->runtimes, runtime);
  tell (runtime);
  return runtime;
}

/**
 * tacho_sim_engine_set_slots:
 * @engine: the engine
 * @n: generations at a time for each model; those that run beyond it may end
 */
void
tacho_sim_engine_set_slots (TachoSimEngine *engine, guint n)
{
  engine->config->slots = CLAMP (n, 1, 4096);
  for (guint i = 0; i < engine->runtimes->len; i++)
    {
      TachoSimRuntime *runtime = g_ptr_array_index (engine->runtimes, i);

      runtime->n_slots = engine->config->slots;
      tacho_sim_batch_admit (runtime, now_ns ());
      kick (runtime);
    }
}

/**
 * tacho_sim_engine_get_stats:
 * @engine: the engine
 *
 * Returns: (transfer none): what `/metrics` shows
 */
const TachoSimEngineStats *
tacho_sim_engine_get_stats (TachoSimEngine *engine)
{
  return &engine->stats;
}

/**
 * tacho_sim_engine_add:
 * @engine: the engine
 * @runtime: one of its models; it is loaded if need be
 * @sequence: not owned; remove it before it is freed
 */
void
tacho_sim_engine_add (TachoSimEngine *engine, TachoSimRuntime *runtime, TachoSimSequence *sequence)
{
  sequence->runtime = runtime;
  sequence->queued_ns = now_ns ();
  sequence->id_task = engine->n_tasks++;
  g_queue_push_tail (&runtime->waiting, sequence);
  g_mutex_lock (&engine->lock);
  engine->counters.generations++;
  engine->counters.prompt_tokens += sequence->prompt->len;
  g_mutex_unlock (&engine->lock);
  if (runtime->status == TACHO_SIM_LOADED)
    kick (runtime);
  else
    {
      tacho_sim_engine_load (engine, runtime);
      update_gauges (engine);
    }
}

/**
 * tacho_sim_engine_remove:
 * @engine: the engine
 * @sequence: a generation; its slot is free at once
 */
void
tacho_sim_engine_remove (TachoSimEngine *engine, TachoSimSequence *sequence)
{
  TachoSimRuntime *runtime = sequence->runtime;

  if (runtime == NULL)
    return;
  sequence->runtime = NULL;
  if (sequence->slot >= 0)
    tacho_sim_batch_release (runtime, sequence);
  else
    g_queue_remove (&runtime->waiting, sequence);
  if (runtime->stepping)
    update_gauges (engine);
  else
    kick (runtime);
}

/**
 * tacho_sim_engine_get_counters:
 * @engine: the engine
 * @counters: (out caller-allocates): a consistent copy
 */
void
tacho_sim_engine_get_counters (TachoSimEngine *engine, TachoSimCounters *counters)
{
  g_mutex_lock (&engine->lock);
  *counters = engine->counters;
  g_mutex_unlock (&engine->lock);
}

/**
 * tacho_sim_engine_count:
 * @engine: the engine
 * @member: offset of a #guint64 in #TachoSimCounters
 * @n: what is added to it
 */
void
tacho_sim_engine_count (TachoSimEngine *engine, gsize member, guint64 n)
{
  g_mutex_lock (&engine->lock);
  G_STRUCT_MEMBER (guint64, &engine->counters, member) += n;
  g_mutex_unlock (&engine->lock);
}
