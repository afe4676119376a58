/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A generation of the simulated engine. Equal prompts, seeds and models give equal texts. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-generation.h"

#include <string.h>
#include <time.h>

/**
 * tacho_sim_generation_options_init:
 * @options: (out caller-allocates): gets the defaults; clear it afterwards
 */
void
tacho_sim_generation_options_init (TachoSimGenerationOptions *options)
{
  *options = (TachoSimGenerationOptions){
    .max_tokens = -1,
    .seed = -1,
    .cache_prompt = TRUE,
    .factor = 1,
    .bundle = 1,
    .stops = g_ptr_array_new_with_free_func (g_free),
  };
}

/**
 * tacho_sim_generation_options_clear:
 * @options: the options
 */
void
tacho_sim_generation_options_clear (TachoSimGenerationOptions *options)
{
  g_clear_pointer (&options->stops, g_ptr_array_unref);
}

/**
 * tacho_sim_generation_options_add_stop:
 * @options: the options
 * @stop: (nullable): a string that ends the text before it; too long ones and too many are left out
 */
void
tacho_sim_generation_options_add_stop (TachoSimGenerationOptions *options, const char *stop)
{
  if (stop != NULL && *stop != '\0' && strlen (stop) <= 1024 &&
      options->stops->len < TACHO_SIM_MAX_STOPS)
    g_ptr_array_add (options->stops, g_strdup (stop));
}

/* --- what the engine says --------------------------------------------------------------------- */

static void
admitted_cb (gpointer user_data)
{
  TachoSimGeneration *generation = user_data;

  generation->funcs->admitted (generation->user_data);
}

static void
progress_cb (gpointer user_data)
{
  TachoSimGeneration *generation = user_data;

  if (generation->funcs->progress != NULL)
    generation->funcs->progress (generation->user_data);
}

/* Where a stop string begins in the pending text; or how much may be sent, because what follows may
 * yet become a stop string. */
static const char *
find_stop (const TachoSimGeneration *generation, gsize *keep)
{
  const GString *pending = generation->pending;
  const GPtrArray *stops = generation->options.stops;

  *keep = pending->len;
  for (guint i = 0; i < stops->len; i++)
    {
      const char *found = strstr (pending->str, g_ptr_array_index (stops, i));

      if (found != NULL)
        {
          *keep = (gsize) (found - pending->str);
          return g_ptr_array_index (stops, i);
        }
    }
  for (guint i = 0; i < stops->len; i++)
    {
      const char *stop = g_ptr_array_index (stops, i);
      gsize length = strlen (stop);

      for (gsize n = MIN (length, pending->len); n > 0; n--)
        if (memcmp (pending->str + pending->len - n, stop, n) == 0)
          {
            *keep = MIN (*keep, pending->len - n);
            break;
          }
    }
  return NULL;
}

static const char *
decide_end (const TachoSimGeneration *generation, gboolean sentence_end)
{
  const TachoSimSequence *sequence = generation->sequence;
  const TachoSimGenerationOptions *options = &generation->options;
  guint n = sequence->n_decoded;

  if ((options->max_tokens >= 0 && n >= options->max_tokens) ||
      (gint64) n + sequence->prompt->len >= generation->model->context_window)
    return "length";
  if (!options->ignore_eos && n >= generation->natural_length && n >= options->min_tokens &&
      sentence_end)
    return "stop";
  return NULL;
}

static TachoSimSend
emit_pending (TachoSimGeneration *generation, gsize n, gboolean reasoning)
{
  g_autofree char *text = g_strndup (generation->pending->str, n);

  g_string_erase (generation->pending, 0, (gssize) n);
  return *text != '\0' ? generation->funcs->text (generation->user_data, text, reasoning)
                       : TACHO_SIM_SENT;
}

static gboolean
token_cb (gpointer user_data)
{
  TachoSimGeneration *generation = user_data;
  gboolean reasoning = generation->thinking;
  gboolean sentence_end = tacho_sim_text_next (&generation->text, generation->pending);
  gsize keep = generation->pending->len;

  if (!reasoning)
    generation->stop_word = find_stop (generation, &keep);
  generation->finish_reason =
      generation->stop_word ? "stop" : decide_end (generation, sentence_end);
  if (reasoning && generation->sequence->n_decoded >= generation->n_reasoning && sentence_end)
    {
      generation->thinking = FALSE;
      generation->n_reasoning = generation->sequence->n_decoded;
      tacho_sim_text_init (&generation->text, generation->content_seed);
    }
  /* At the end, what was held back goes out too, unless a stop string begins there. */
  if (generation->finish_reason != NULL && generation->stop_word == NULL)
    keep = generation->pending->len;
  TACHO_SIM_COUNT (generation->engine, output_tokens, 1);
  /* A bundle: its tokens go out together, thoughts and answer apart. */
  generation->n_bundled++;
  if (generation->finish_reason == NULL && reasoning == generation->thinking &&
      generation->n_bundled < generation->options.bundle)
    return TRUE;
  generation->n_bundled = 0;
  if (emit_pending (generation, keep, reasoning) == TACHO_SIM_CUT)
    return FALSE;
  if (generation->finish_reason == NULL)
    return TRUE;
  generation->funcs->end (generation->user_data);
  return FALSE;
}

static void
failed_cb (gpointer user_data, const char *reason)
{
  TachoSimGeneration *generation = user_data;

  generation->funcs->failed (generation->user_data, reason);
}

static const TachoSimSequenceFuncs sequence_funcs = { admitted_cb, progress_cb, token_cb,
                                                      failed_cb };

/* --- public ----------------------------------------------------------------------------------- */

static guint64
text_seed (TachoSimEngine *engine, const TachoSimModel *model, GArray *tokens, gint64 seed)
{
  guint64 hash = tacho_sim_mix (tacho_sim_engine_get_seed (engine));

  for (guint i = 0; i < tokens->len; i++)
    hash = tacho_sim_mix (hash ^ g_array_index (tokens, guint32, i));
  return tacho_sim_mix (hash ^ g_str_hash (model->id) ^ tacho_sim_mix ((guint64) seed));
}

/**
 * tacho_sim_generation_new:
 * @engine: the engine
 * @runtime: one of its models
 * @prompt: (transfer full) (element-type guint32): its tokens, at least one
 * @options: (transfer full): taken over; what is left is empty
 * @funcs: what becomes of it; called on the engine's context
 * @user_data: for @funcs
 *
 * Returns: (transfer full): a generation that is not in the engine yet
 */
TachoSimGeneration *
tacho_sim_generation_new (TachoSimEngine *engine,
                          TachoSimRuntime *runtime,
                          GArray *prompt,
                          TachoSimGenerationOptions *options,
                          const TachoSimGenerationFuncs *funcs,
                          gpointer user_data)
{
  TachoSimGeneration *generation = g_new0 (TachoSimGeneration, 1);
  guint64 seed = text_seed (engine, runtime->model, prompt, options->seed);
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  generation->engine = engine;
  generation->runtime = runtime;
  generation->model = runtime->model;
  generation->options = *options;
  options->stops = NULL;
  generation->funcs = funcs;
  generation->user_data = user_data;
  generation->seed = seed;
  generation->created_ns = (gint64) now.tv_sec * 1000000000 + now.tv_nsec;
  generation->pending = g_string_new (NULL);
  tacho_sim_text_init (&generation->text, seed);
  if (runtime->model->reasoning)
    generation->n_reasoning = 24 + (guint) (tacho_sim_mix (seed + 1) % 48);
  generation->thinking = generation->n_reasoning > 0;
  generation->content_seed = tacho_sim_mix (seed + 3);
  generation->natural_length =
      generation->n_reasoning + 48 + (guint) (tacho_sim_mix (seed + 2) % 128);
  generation->sequence = tacho_sim_sequence_new (prompt, &sequence_funcs, generation);
  generation->sequence->cache_prompt = generation->options.cache_prompt;
  generation->sequence->factor = generation->options.factor;
  return generation;
}

/**
 * tacho_sim_generation_no_thoughts:
 * @generation: a generation that has not started
 *
 * Lets the model answer at once: for raw prompts and where thinking was switched off.
 */
void
tacho_sim_generation_no_thoughts (TachoSimGeneration *generation)
{
  generation->natural_length -= generation->n_reasoning;
  generation->n_reasoning = 0;
  generation->thinking = FALSE;
}

/**
 * tacho_sim_generation_start:
 * @generation: a generation that has not started
 *
 * Queues it; its model is loaded if need be.
 */
void
tacho_sim_generation_start (TachoSimGeneration *generation)
{
  tacho_sim_engine_add (generation->engine, generation->runtime, generation->sequence);
}

/**
 * tacho_sim_generation_free:
 * @generation: (nullable) (transfer full): a generation; its slot is free at once
 */
void
tacho_sim_generation_free (TachoSimGeneration *generation)
{
  if (generation == NULL)
    return;
  tacho_sim_engine_remove (generation->engine, generation->sequence);
  tacho_sim_sequence_free (generation->sequence);
  tacho_sim_generation_options_clear (&generation->options);
  g_string_free (generation->pending, TRUE);
  g_free (generation);
}

/**
 * tacho_sim_generation_get_reasoning_tokens:
 * @generation: a generation
 *
 * Returns: how many of its tokens so far were thoughts
 */
guint
tacho_sim_generation_get_reasoning_tokens (const TachoSimGeneration *generation)
{
  return generation->thinking ? generation->sequence->n_decoded : generation->n_reasoning;
}
