/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run: its threads, what they share, and the account of it at the end. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-load-engine.h"

#include "base/tacho-clock.h"
#include "bench/tacho-load-limits.h"
#include "bench/tacho-load-loop.h"
#include "bench/tacho-self-check.h"

/* A thread has headroom for so many streams at 50 tokens/s (docs/performance-analysis.md). */
#define STREAMS_PER_THREAD 1000
#define RATE_PER_THREAD 4000

struct _TachoLoadEngine
{
  TachoLoadConfig *config;
  TachoLoadShared shared;
};

static void
init_curl (void)
{
  static gsize ready;

  if (g_once_init_enter (&ready))
    {
      curl_global_init (CURL_GLOBAL_DEFAULT);
      g_once_init_leave (&ready, 1);
    }
}

static guint
threads_for (const TachoBenchPlan *plan)
{
  guint cores = MAX (g_get_num_processors (), 1);
  guint wanted = (plan->concurrency / plan->workers + STREAMS_PER_THREAD - 1) / STREAMS_PER_THREAD;

  if (tacho_bench_plan_is_open (plan))
    wanted = 1 + (guint) (plan->rate / plan->workers / RATE_PER_THREAD);
  if (plan->threads > 0)
    wanted = plan->threads;
  else
    wanted = MIN (wanted, cores);
  /* Each has at least one place. */
  return CLAMP (wanted, 1, MAX (plan->concurrency / plan->workers, 1));
}

/* Measured requests of this machine. */
static guint64
planned_requests (const TachoBenchPlan *plan, TachoPrompts *prompts)
{
  const TachoLoadShare share = { plan->worker, plan->workers };
  guint n = tacho_prompts_get_n (prompts);

  if (plan->load == TACHO_LOAD_TRACE && plan->requests == 0 && plan->duration_s <= 0)
    return tacho_load_share_of (n, share) - tacho_load_share_of (plan->warmup_requests, share);
  if (plan->requests == 0)
    return 0;
  return tacho_load_share_of (plan->requests + plan->warmup_requests, share) -
         tacho_load_share_of (plan->warmup_requests, share);
}

static gboolean
check_prompts (const TachoBenchPlan *plan, TachoPrompts *prompts, GError **error)
{
  guint n = tacho_prompts_get_n (prompts);

  if (plan->load == TACHO_LOAD_TRACE && n <= plan->warmup_requests)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "The trace has %u requests, and the warm-up takes them all", n);
      return FALSE;
    }
  if (tacho_prompts_get_max_turns (prompts) > 1 && tacho_bench_plan_is_open (plan))
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "The prompts file has conversations of several turns, which need a "
                           "closed loop: the next turn begins when the reply has ended");
      return FALSE;
    }
  return TRUE;
}

/**
 * tacho_load_engine_new:
 * @config: (transfer full): where to and what; the plan must be valid
 * @error: return location
 *
 * Makes an engine with its threads' places, reads the prompts file, checks the machine's limits,
 * and builds one request to see that it can be built.
 *
 * Returns: (transfer full): the engine, or %NULL with %TACHO_ERROR_INVALID or %TACHO_ERROR_IO
 */
TachoLoadEngine *
tacho_load_engine_new (TachoLoadConfig *config, GError **error)
{
  g_autoptr (TachoLoadEngine) self = g_new0 (TachoLoadEngine, 1);
  TachoLoadShared *shared = &self->shared;
  const TachoBenchPlan *plan = config->plan;
  guint n_loops;

  init_curl ();
  self->config = config;
  g_mutex_init (&shared->mutex);
  shared->config = config;
  if (!tacho_load_limits_check (plan, error))
    return NULL;
  shared->prompts = tacho_prompts_new (plan, error);
  if (shared->prompts == NULL || !check_prompts (plan, shared->prompts, error))
    return NULL;
  if (config->words != NULL)
    tacho_prompts_set_words (shared->prompts, g_steal_pointer (&config->words));
  shared->n_loops = 0;
  n_loops = threads_for (plan);
  shared->recorder =
      tacho_recorder_new (plan, planned_requests (plan, shared->prompts), n_loops > 1);
  if (plan->salt)
    shared->salt = ((guint64) g_random_int () << 32 | g_random_int ()) | 1;
  shared->loops = g_new0 (TachoLoadLoop *, n_loops);
  shared->n_loops = n_loops;
  for (guint i = 0; i < n_loops; i++)
    {
      shared->loops[i] = tacho_load_loop_new (shared, i, error);
      if (shared->loops[i] == NULL)
        return NULL;
    }
  shared->loops_in_warmup = (int) n_loops;
  return g_steal_pointer (&self);
}

/**
 * tacho_load_engine_free:
 * @engine: (nullable): an engine that does not run
 *
 * Frees it and closes its connections.
 */
void
tacho_load_engine_free (TachoLoadEngine *engine)
{
  if (engine == NULL)
    return;
  for (guint i = 0; i < engine->shared.n_loops; i++)
    tacho_load_loop_free (engine->shared.loops[i]);
  g_free (engine->shared.loops);
  tacho_recorder_free (engine->shared.recorder);
  tacho_prompts_unref (engine->shared.prompts);
  g_clear_error (&engine->shared.fatal);
  g_mutex_clear (&engine->shared.mutex);
  tacho_load_config_free (engine->config);
  g_free (engine);
}

/**
 * tacho_load_engine_stop:
 * @engine: an engine
 *
 * Asks a running engine to cancel what is in flight and end.
 */
void
tacho_load_engine_stop (TachoLoadEngine *engine)
{
  tacho_load_shared_stop (&engine->shared, TACHO_STOP_PERSON);
}

static gpointer
loop_thread (gpointer data)
{
  tacho_load_loop_run (data);
  return NULL;
}

static void
run_loops (TachoLoadEngine *self)
{
  TachoLoadShared *shared = &self->shared;
  g_autofree GThread **threads = g_new0 (GThread *, shared->n_loops);

  for (guint i = 1; i < shared->n_loops; i++)
    threads[i] = g_thread_new ("tacho-load", loop_thread, shared->loops[i]);
  tacho_load_loop_run (shared->loops[0]);
  for (guint i = 1; i < shared->n_loops; i++)
    g_thread_join (threads[i]);
}

static const char *
stop_name (int stop)
{
  static const char *const names[] = { "planned", "interrupted", "error-budget", "until", "fatal" };

  return names[stop];
}

static gint64
unix_us_of (gint64 monotonic_ns)
{
  return g_get_real_time () - (tacho_clock_now_ns () - monotonic_ns) / 1000;
}

/* What the threads saw of themselves: sums, and the worst of them. */
static void
add_up (TachoLoadEngine *self, TachoLoadAccount *sum, gint64 *cpu_ns)
{
  sum->lag = tacho_histogram_new ();
  sum->late = tacho_histogram_new ();
  sum->measure_end_ns = G_MAXINT64;
  *cpu_ns = 0;
  for (guint i = 0; i < self->shared.n_loops; i++)
    {
      const TachoLoadAccount *one = tacho_load_loop_get_account (self->shared.loops[i]);

      tacho_histogram_merge (sum->lag, one->lag);
      tacho_histogram_merge (sum->late, one->late);
      sum->chunks += one->chunks;
      sum->own_reads += one->own_reads;
      sum->requests_ended += one->requests_ended;
      sum->reused += one->reused;
      sum->connections += one->connections;
      sum->last_end_ns = MAX (sum->last_end_ns, one->last_end_ns);
      sum->measure_end_ns = MIN (sum->measure_end_ns, one->measure_end_ns);
      *cpu_ns = MAX (*cpu_ns, one->cpu_ns);
    }
}

static void
check_self (TachoLoadEngine *self,
            const TachoLoadAccount *account,
            gint64 cpu_ns,
            TachoBenchResult *result)
{
  const TachoLoadShared *shared = &self->shared;
  const TachoBenchPlan *plan = self->config->plan;
  const TachoSelfCheckInput input = {
    .lag = account->lag,
    .late = account->late,
    .chunks = account->chunks,
    .own_reads = account->own_reads,
    .cpu_ns = cpu_ns,
    .window_s = result->window_s,
    .schedule_delay_ms_p99 = result->latency[TACHO_METRIC_QUEUE].percentiles[TACHO_P99].value,
    .requests = account->requests_ended,
    .reused = account->reused,
    .places = plan->concurrency,
    .open_loop = tacho_bench_plan_is_open (plan),
    .capped = shared->capped != 0,
    .repeated = tacho_prompts_get_n (shared->prompts) > 0 &&
                result->records->len > tacho_prompts_get_n (shared->prompts) &&
                tacho_prompts_get_max_turns (shared->prompts) == 1,
    .voided = result->voided,
    .remarks = tacho_recorder_get_remarks (shared->recorder),
    .fatal = shared->fatal != NULL ? shared->fatal->message : NULL,
  };

  tacho_self_check_fill (&result->self_check, &input);
}

/**
 * tacho_load_engine_run:
 * @engine: an engine, used once
 * @func: called with a snapshot a few times a second, in this thread
 * @func_data: for @func
 * @result: (inout): the run; everything that was measured is filled
 *
 * Runs the plan to its end, or until tacho_load_engine_stop(). This thread is the first of the load
 * threads.
 */
void
tacho_load_engine_run (TachoLoadEngine *engine,
                       TachoLoadFunc func,
                       gpointer func_data,
                       TachoBenchResult *result)
{
  TachoLoadShared *shared = &engine->shared;
  TachoLoadAccount account = { 0 };
  TachoLoadSchedule schedule;
  gint64 end_ns, cpu_ns;
  int stop;

  shared->func = func;
  shared->func_data = func_data;
  shared->begin_ns = tacho_clock_now_ns ();
  tacho_load_schedule_init (&schedule, engine->config->plan, shared->prompts,
                            (TachoLoadShare){ 0, 1 }, shared->begin_ns);
  if (tacho_load_schedule_window_is_seamless (&schedule))
    shared->window_start_ns = tacho_load_schedule_window_due (&schedule);
  run_loops (engine);
  add_up (engine, &account, &cpu_ns);
  stop = g_atomic_int_get (&shared->stop);
  end_ns = account.last_end_ns;
  /* A run by duration has the window it asked for, unless it was stopped before. */
  if (account.measure_end_ns != G_MAXINT64 &&
      (stop == TACHO_STOP_NONE || account.measure_end_ns < end_ns))
    end_ns = account.measure_end_ns;
  result->interrupted = stop == TACHO_STOP_PERSON || stop == TACHO_STOP_FATAL;
  g_free (result->stop_reason);
  result->stop_reason = g_strdup (stop_name (stop));
  tacho_recorder_finish (shared->recorder, end_ns, result);
  if (result->window_start_ns != 0)
    result->window_start_unix_us = unix_us_of (result->window_start_ns);
  result->connections_created = account.connections;
  check_self (engine, &account, cpu_ns, result);
  tacho_histogram_free (account.lag);
  tacho_histogram_free (account.late);
}
