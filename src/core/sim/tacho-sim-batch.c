/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One model's batch: who takes part in a step, what the step costs, what it yields. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-batch.h"

#include <math.h>

#define PROMPT_BATCH 512 /* prompt tokens in one step: llama.cpp's n_ubatch */

static gint64
scaled_ns (TachoSimRuntime *runtime, double ms)
{
  return tacho_sim_engine_scale_ns (runtime->engine, ms * runtime->slowness);
}

/* With no cost per prompt token and none per further sequence, requests do not touch each other. */
static gboolean
is_independent (const TachoSimModel *model)
{
  return model->prefill_ms_per_token <= 0 && model->decode_ms_per_extra <= 0;
}

static double
jitter (TachoSimRuntime *runtime)
{
  double u, v;

  if (runtime->model->jitter <= 0)
    return 1;
  u = 1 - g_rand_double (runtime->random);
  v = g_rand_double (runtime->random);
  return CLAMP (1 + runtime->model->jitter * sqrt (-2 * log (u)) * cos (2 * G_PI * v), 0.25, 4);
}

static guint
cached_prefix (TachoSimRuntime *runtime, GArray *prompt)
{
  guint best = 0;

  for (guint i = 0; i < runtime->cache->len; i++)
    {
      GArray *old = g_ptr_array_index (runtime->cache, i);
      guint n = 0;

      while (n < old->len && n < prompt->len &&
             g_array_index (old, guint32, n) == g_array_index (prompt, guint32, n))
        n++;
      best = MAX (best, n);
    }
  return MIN (best,
              prompt->len - 1); /* the last token is always processed: it gives the first logits */
}

static void
remember_prompt (TachoSimRuntime *runtime, GArray *prompt)
{
  if (runtime->cache->len >= runtime->slots->len)
    g_ptr_array_remove_index (runtime->cache, 0);
  g_ptr_array_add (runtime->cache, g_array_ref (prompt));
}

static gboolean
in_prompt (const TachoSimSequence *sequence)
{
  return sequence->n_processed < sequence->prompt->len;
}

/* Chooses who takes part in the next step, with how many prompt tokens, and when the step ends. Who
 * is admitted later waits for the step after it. */
static gint64
plan_step (TachoSimRuntime *runtime, gint64 from)
{
  const TachoSimModel *model = runtime->model;
  guint decoding = 0, taking_part = 0, budget = PROMPT_BATCH;
  gint64 earliest = G_MAXINT64;
  double ms = 0;

  for (guint i = 0; i < runtime->slots->len; i++)
    {
      TachoSimSequence *sequence = g_ptr_array_index (runtime->slots, i);

      if (sequence == NULL)
        continue;
      sequence->in_step = sequence->due_ns <= from;
      sequence->step_tokens = 0;
      earliest = MIN (earliest, sequence->due_ns);
      if (!sequence->in_step)
        continue;
      taking_part++;
      if (in_prompt (sequence))
        {
          sequence->step_tokens = MIN (budget, sequence->prompt->len - sequence->n_processed);
          budget -= sequence->step_tokens;
          ms += sequence->step_tokens * model->prefill_ms_per_token * sequence->factor;
        }
      else
        decoding++;
    }
  if (taking_part == 0)
    return earliest;
  if (decoding > 0)
    ms += model->decode_ms_per_step + (decoding - 1) * model->decode_ms_per_extra;
  return from + MAX (scaled_ns (runtime, ms * jitter (runtime)), 1000);
}

static void
hold (TachoSimRuntime *runtime, TachoSimSequence *sequence, guint tokens)
{
  sequence->kv_held += tokens;
  runtime->kv_tokens += tokens;
}

static void
process_prompt (TachoSimRuntime *runtime, TachoSimSequence *sequence, guint n, gint64 due)
{
  TachoSimEngineStats *stats = runtime->stats;

  sequence->n_processed += n;
  stats->prompt_tokens += n;
  if (!in_prompt (sequence))
    {
      if (sequence->n_decoded == 0) /* else it was preempted meanwhile */
        {
          sequence->prompt_done_ns = due;
          stats->prompt_seconds += (double) (due - sequence->admitted_ns) / 1e9;
        }
      if (sequence->cache_prompt)
        remember_prompt (runtime, sequence->prompt);
    }
  if (n > 0)
    sequence->funcs->progress (sequence->user_data);
}

static void
emit_token (TachoSimRuntime *runtime, TachoSimSequence *sequence, gint64 due)
{
  TachoSimEngineStats *stats = runtime->stats;
  gboolean more;

  sequence->n_decoded++;
  hold (runtime, sequence, 1);
  if (sequence->n_decoded == 1)
    tacho_sim_histogram_add (&stats->first_tokens, (double) (due - sequence->queued_ns) / 1e9);
  if (sequence->n_decoded > 1)
    stats->predicted_seconds += (double) (due - sequence->last_token_ns) / 1e9;
  sequence->last_token_ns = due;
  stats->predicted_tokens++;
  stats->max_tokens =
      MAX (stats->max_tokens, (guint64) sequence->prompt->len + sequence->n_decoded);
  /* The reply's end is written from the loop, after this: who reads it finds the slot free. */
  more = sequence->funcs->token (sequence->user_data);
  if (more)
    return;
  tacho_sim_histogram_add (&stats->latencies, (double) (due - sequence->queued_ns) / 1e9);
  tacho_sim_engine_remove (runtime->engine, sequence);
}

static void
run_step (TachoSimRuntime *runtime, gint64 due)
{
  guint busy = 0;

  for (guint i = 0; i < runtime->slots->len; i++)
    {
      TachoSimSequence *sequence = g_ptr_array_index (runtime->slots, i);

      if (sequence == NULL || !sequence->in_step)
        continue;
      busy++;
      if (in_prompt (sequence))
        {
          process_prompt (runtime, sequence, sequence->step_tokens, due);
          sequence = g_ptr_array_index (runtime->slots, i); /* its user may have left */
          if (sequence != NULL && !in_prompt (sequence))
            emit_token (runtime, sequence, due);
          continue;
        }
      sequence->credit += 1 / sequence->factor;
      while (sequence != NULL && sequence->credit >= 1)
        {
          sequence->credit -= 1;
          emit_token (runtime, sequence, due);
          sequence = g_ptr_array_index (runtime->slots, i);
        }
    }
  runtime->stats->decode_steps += busy > 0;
  runtime->stats->busy_slots += busy;
}

static void
run_independent (TachoSimRuntime *runtime, gint64 now)
{
  for (guint i = 0; i < runtime->slots->len; i++)
    {
      TachoSimSequence *sequence = g_ptr_array_index (runtime->slots, i);
      gint64 due;

      if (sequence == NULL || sequence->due_ns > now)
        continue;
      due = sequence->due_ns;
      sequence->due_ns += scaled_ns (runtime, runtime->model->decode_ms_per_step *
                                                  sequence->factor * jitter (runtime));
      if (now - sequence->due_ns > TACHO_SIM_MAX_LAG_NS)
        sequence->due_ns = now;
      if (in_prompt (sequence))
        process_prompt (runtime, sequence, sequence->prompt->len - sequence->n_processed, due);
      sequence = g_ptr_array_index (runtime->slots, i);
      if (sequence != NULL)
        emit_token (runtime, sequence, due);
      runtime->stats->decode_steps++;
      runtime->stats->busy_slots++;
    }
}

static gint64
earliest_due (TachoSimRuntime *runtime)
{
  gint64 due = 0;

  for (guint i = 0; i < runtime->slots->len; i++)
    {
      TachoSimSequence *sequence = g_ptr_array_index (runtime->slots, i);

      if (sequence != NULL && (due == 0 || sequence->due_ns < due))
        due = sequence->due_ns;
    }
  return due;
}

/* What a sequence fills of the KV cache, with the token that it will get next. A single one always
 * fits: it could never run otherwise. */
static gboolean
fits (const TachoSimRuntime *runtime, const TachoSimSequence *sequence)
{
  guint64 limit = runtime->model->kv_cache_tokens;

  return limit == 0 || runtime->kv_tokens == 0 ||
         runtime->kv_tokens + sequence->prompt->len + sequence->n_decoded + 1 <= limit;
}

/**
 * tacho_sim_batch_release:
 * @runtime: a model
 * @sequence: one that has a slot
 */
void
tacho_sim_batch_release (TachoSimRuntime *runtime, TachoSimSequence *sequence)
{
  runtime->slots->pdata[sequence->slot] = NULL;
  sequence->slot = -1;
  runtime->kv_tokens -= MIN (runtime->kv_tokens, sequence->kv_held);
  sequence->kv_held = 0;
}

/* The last that was admitted gives its place back, and begins anew with what it has said as a part
 * of its prompt: vLLM's preemption by recomputation. */
static void
preempt_one (TachoSimRuntime *runtime)
{
  TachoSimSequence *last = NULL;

  for (guint i = 0; i < runtime->slots->len; i++)
    {
      TachoSimSequence *sequence = g_ptr_array_index (runtime->slots, i);

      if (sequence != NULL && (last == NULL || sequence->n_admission > last->n_admission))
        last = sequence;
    }
  if (last == NULL)
    return;
  tacho_sim_batch_release (runtime, last);
  runtime->stats->preemptions++;
  last->preempted = TRUE;
  g_queue_push_head (&runtime->waiting, last);
}

static guint
count_busy (const TachoSimRuntime *runtime)
{
  guint n = 0;

  for (guint i = 0; i < runtime->slots->len; i++)
    n += g_ptr_array_index (runtime->slots, i) != NULL;
  return n;
}

/* Makes room for one more token of each. */
static void
make_room (TachoSimRuntime *runtime)
{
  guint64 limit = runtime->model->kv_cache_tokens;
  guint busy = count_busy (runtime);

  while (limit > 0 && busy > 1 && runtime->kv_tokens + busy > limit)
    {
      preempt_one (runtime);
      busy--;
    }
}

static void
admit (TachoSimRuntime *runtime, TachoSimSequence *sequence, guint slot, gint64 at)
{
  TachoSimEngineStats *stats = runtime->stats;
  gboolean again = sequence->preempted;

  runtime->slots->pdata[slot] = sequence;
  sequence->slot = (int) slot;
  sequence->n_admission = ++runtime->n_admissions;
  sequence->due_ns = at + scaled_ns (runtime, runtime->model->prefill_ms_fixed * sequence->factor);
  sequence->n_processed =
      sequence->cache_prompt && tacho_sim_engine_has_prefix_cache (runtime->engine)
          ? cached_prefix (runtime, sequence->prompt)
          : 0;
  sequence->preempted = FALSE;
  hold (runtime, sequence, sequence->prompt->len + sequence->n_decoded);
  stats->prefix_queries += sequence->prompt->len;
  stats->prefix_hits += sequence->n_processed;
  if (again)
    return; /* its user knows it as one that has a slot */
  sequence->admitted_ns = at;
  sequence->n_cached = sequence->n_processed;
  tacho_sim_histogram_add (&stats->queue_times, (double) MAX (at - sequence->queued_ns, 0) / 1e9);
  sequence->funcs->admitted (sequence->user_data);
}

/* The number of slots can change; who sits beyond the last one stays to the end. */
static void
fit_slots (TachoSimRuntime *runtime)
{
  GPtrArray *slots = runtime->slots;
  guint n = MAX (slots->len, runtime->n_slots);

  while (n > runtime->n_slots && g_ptr_array_index (slots, n - 1) == NULL)
    n--;
  g_ptr_array_set_size (slots, (int) n);
}

/**
 * tacho_sim_batch_admit:
 * @runtime: a model
 * @at: the time of the schedule
 *
 * Gives free slots to those who wait, the first come first, as far as the KV cache has room.
 */
void
tacho_sim_batch_admit (TachoSimRuntime *runtime, gint64 at)
{
  fit_slots (runtime);
  for (guint i = 0; i < runtime->n_slots && runtime->status == TACHO_SIM_LOADED; i++)
    {
      TachoSimSequence *sequence = g_queue_peek_head (&runtime->waiting);

      if (g_ptr_array_index (runtime->slots, i) != NULL)
        continue;
      if (sequence == NULL || !fits (runtime, sequence) ||
          tacho_sim_engine_is_asleep (runtime->engine))
        break;
      g_queue_pop_head (&runtime->waiting);
      admit (runtime, sequence, i, at);
    }
}

/**
 * tacho_sim_batch_is_idle:
 * @runtime: a model
 *
 * Returns: whether every slot is free
 */
gboolean
tacho_sim_batch_is_idle (TachoSimRuntime *runtime)
{
  for (guint i = 0; i < runtime->slots->len; i++)
    if (g_ptr_array_index (runtime->slots, i) != NULL)
      return FALSE;
  return TRUE;
}

/**
 * tacho_sim_batch_plan:
 * @runtime: a model with a busy slot
 * @from: when the step begins; 0 if nothing begins
 * @due: when the step that runs ends, or 0
 *
 * Returns: when there is something to do next
 */
gint64
tacho_sim_batch_plan (TachoSimRuntime *runtime, gint64 from, gint64 due)
{
  if (is_independent (runtime->model))
    return earliest_due (runtime);
  return from > 0 ? plan_step (runtime, from) : due;
}

/**
 * tacho_sim_batch_run:
 * @runtime: a model
 * @due: when the step ended by the schedule
 * @now: the time
 *
 * Emits what the step yields.
 */
void
tacho_sim_batch_run (TachoSimRuntime *runtime, gint64 due, gint64 now)
{
  make_room (runtime);
  if (is_independent (runtime->model))
    run_independent (runtime, now);
  else
    run_step (runtime, due);
}

/**
 * tacho_sim_sequence_new:
 * @prompt: (transfer full) (element-type guint32): its tokens, at least one
 * @funcs: what happens to it; called on the engine's context
 * @user_data: for @funcs
 *
 * Returns: (transfer full): a generation
 */
TachoSimSequence *
tacho_sim_sequence_new (GArray *prompt, const TachoSimSequenceFuncs *funcs, gpointer user_data)
{
  TachoSimSequence *sequence = g_new0 (TachoSimSequence, 1);

  sequence->prompt = prompt;
  sequence->cache_prompt = TRUE;
  sequence->factor = 1;
  sequence->funcs = funcs;
  sequence->user_data = user_data;
  sequence->slot = -1;
  return sequence;
}

/**
 * tacho_sim_sequence_free:
 * @sequence: (nullable) (transfer full): a generation that is not in the engine
 */
void
tacho_sim_sequence_free (TachoSimSequence *sequence)
{
  if (sequence == NULL)
    return;
  g_array_unref (sequence->prompt);
  g_free (sequence);
}
