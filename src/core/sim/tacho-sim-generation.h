/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One generation, whoever asked for it: words from a seed, thoughts first where the model thinks,
 * stop strings, the end. REST and gRPC fronts give it their form. */
#pragma once

#include "sim/tacho-sim-engine.h"
#include "sim/tacho-sim-text.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_SIM_SENT,
  TACHO_SIM_CUT, /* a fault ended the stream: stop generating */
} TachoSimSend;

#define TACHO_SIM_MAX_STOPS 16

typedef struct
{
  gint64 max_tokens; /* -1: until it ends by itself */
  gint64 min_tokens;
  gint64 seed; /* -1: none given */
  gboolean ignore_eos;
  gboolean cache_prompt;
  double factor;    /* of every time; 1 */
  guint bundle;     /* tokens that go out together; 1 */
  GPtrArray *stops; /* of char *, owned; add with tacho_sim_generation_options_add_stop() */
} TachoSimGenerationOptions;

void tacho_sim_generation_options_init (TachoSimGenerationOptions *options);
void tacho_sim_generation_options_clear (TachoSimGenerationOptions *options);
void tacho_sim_generation_options_add_stop (TachoSimGenerationOptions *options, const char *stop);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TachoSimGenerationOptions, tacho_sim_generation_options_clear)

typedef struct
{
  void (*admitted) (gpointer user_data); /* got a slot */
  void (*progress) (gpointer user_data); /* a piece of the prompt was processed; may be NULL */
  TachoSimSend (*text) (gpointer user_data, const char *text, gboolean reasoning);
  void (*end) (gpointer user_data); /* finish_reason is set */
  void (*failed) (gpointer user_data, const char *reason);
} TachoSimGenerationFuncs;

/* Read, never written, by its user. */
typedef struct
{
  TachoSimEngine *engine;
  const TachoSimModel *model;
  TachoSimRuntime *runtime;
  TachoSimSequence *sequence; /* its counts and times */
  TachoSimGenerationOptions options;
  const TachoSimGenerationFuncs *funcs;
  gpointer user_data;
  guint64 seed;
  const char *finish_reason; /* "stop" or "length"; NULL while it runs */
  const char *stop_word;     /* the stop string that ended it, or NULL */
  gboolean thinking;
  guint n_reasoning; /* tokens of thought, when they are over: exact */
  TachoSimText text;
  guint natural_length;
  guint64 content_seed;
  GString *pending; /* may be the begin of a stop string */
  guint n_bundled;
  gint64 created_ns;
} TachoSimGeneration;

/* What is wrong with the size of the prompt is the caller's to say. */
TachoSimGeneration *tacho_sim_generation_new (TachoSimEngine *engine,
                                              TachoSimRuntime *runtime,
                                              GArray *prompt,
                                              TachoSimGenerationOptions *options,
                                              const TachoSimGenerationFuncs *funcs,
                                              gpointer user_data) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sim_generation_no_thoughts (TachoSimGeneration *generation);
void tacho_sim_generation_start (TachoSimGeneration *generation);
void tacho_sim_generation_free (TachoSimGeneration *generation); /* also stops it */
guint tacho_sim_generation_get_reasoning_tokens (const TachoSimGeneration *generation);

G_END_DECLS
