/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A continuous-batching engine without a model: slots, a queue, prefill in chunks, batched steps
 * whose time grows with the batch, a prefix cache, and model loading. It lives on one GMainContext;
 * only the counters may be read from elsewhere. */
#pragma once

#include "sim/tacho-sim-config.h"
#include "sim/tacho-sim-histogram.h"
#include "sim/tacho-sim-server.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_SIM_UNLOADED,
  TACHO_SIM_LOADING,
  TACHO_SIM_LOADED,
} TachoSimStatus;

typedef struct
{
  guint64 prompt_tokens, predicted_tokens;
  double prompt_seconds, predicted_seconds;
  guint64 decode_steps, busy_slots, max_tokens;
  guint64 prefix_queries, prefix_hits; /* tokens */
  guint64 preemptions;
  TachoSimHistogram queue_times, first_tokens, latencies; /* from when it was queued */
} TachoSimEngineStats;

typedef struct _TachoSimEngine TachoSimEngine;
typedef struct _TachoSimRuntime TachoSimRuntime;
typedef struct _TachoSimSequence TachoSimSequence;

typedef struct
{
  void (*admitted) (gpointer user_data); /* got a slot; its prompt is next */
  void (*progress) (gpointer user_data); /* a piece of the prompt was processed */
  gboolean (*token) (
      gpointer user_data); /* one more token; FALSE: that was the last. Frees nothing. */
  void (*failed) (gpointer user_data,
                  const char *reason); /* the model cannot be loaded, or was unloaded */
} TachoSimSequenceFuncs;

/* One generation. The engine's user reads it and never writes it, the first group aside. */
struct _TachoSimSequence
{
  GArray *prompt; /* of guint32 token hashes, owned */
  gboolean cache_prompt;
  double factor; /* of every time */
  const TachoSimSequenceFuncs *funcs;
  gpointer user_data;

  TachoSimRuntime *runtime;
  int slot; /* -1: waits */
  guint id_task;
  guint n_cached;
  guint n_processed; /* of the prompt, the cached ones included */
  guint n_decoded;
  double credit;     /* of a slowed sequence: it joins a step when this reaches 1 */
  gboolean in_step;  /* takes part in the step that runs */
  guint step_tokens; /* prompt tokens in it */
  gint64 due_ns;     /* an independent sequence's next token; else when the fixed time has passed */
  gint64 queued_ns, admitted_ns, prompt_done_ns, last_token_ns;
  guint kv_held;       /* tokens in the KV cache */
  guint64 n_admission; /* who came last is preempted first */
  gboolean preempted;  /* waits once more */
};

struct _TachoSimRuntime
{
  TachoSimEngine *engine;
  TachoSimEngineStats *stats; /* the engine's */
  TachoSimModel *model;       /* the engine's own copy */
  TachoSimStatus status;
  gboolean failed;
  gboolean removed;  /* from the server's disk: nobody finds it any more */
  double progress;   /* 0..1 while loading */
  gint64 loaded_at;  /* Unix time */
  gint64 expires_at; /* Unix time; 0: stays */
  GPtrArray *slots;  /* of TachoSimSequence, NULL where free; not owned */
  guint n_slots;     /* that are given away: fewer than there are after a change */
  GQueue waiting;    /* of TachoSimSequence */
  GPtrArray *cache;  /* of GArray: prompts that were processed */
  guint64 kv_tokens; /* that the slots hold */
  guint64 n_admissions;
  GRand *random;
  double slowness; /* of every time; 1 */
  GSource *timer;
  GSource *load_timer;
  gint64 load_begin_ns;
  gint64 step_due_ns; /* 0: idle */
  gboolean stepping;
};

TachoSimEngine *tacho_sim_engine_new (const TachoSimConfig *config,
                                      GMainContext *context) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sim_engine_free (TachoSimEngine *engine);               /* no sequence may be left */
GPtrArray *tacho_sim_engine_get_runtimes (TachoSimEngine *engine); /* of TachoSimRuntime */
TachoSimRuntime *tacho_sim_engine_find (TachoSimEngine *engine, const char *id);
guint64 tacho_sim_engine_get_seed (TachoSimEngine *engine);
gboolean tacho_sim_engine_has_prefix_cache (TachoSimEngine *engine);
gint64 tacho_sim_engine_scale_ns (TachoSimEngine *engine, double ms);
const TachoSimEngineStats *tacho_sim_engine_get_stats (TachoSimEngine *engine);
/* A model's status changed, or its load went on. */
typedef void (*TachoSimWatchFunc) (TachoSimRuntime *runtime, gpointer user_data);
guint tacho_sim_engine_watch (TachoSimEngine *engine, TachoSimWatchFunc func, gpointer user_data);
void tacho_sim_engine_unwatch (TachoSimEngine *engine, guint watch);
/* Asleep: nothing is admitted, who comes waits. */
void tacho_sim_engine_set_asleep (TachoSimEngine *engine, gboolean asleep);
gboolean tacho_sim_engine_is_asleep (TachoSimEngine *engine);
/* A model that was not there: a copy of like, on the disk and not loaded. */
TachoSimRuntime *
tacho_sim_engine_add_model (TachoSimEngine *engine, const char *id, const TachoSimModel *like);
void tacho_sim_engine_set_slots (TachoSimEngine *engine, guint n);
void tacho_sim_engine_load (TachoSimEngine *engine, TachoSimRuntime *runtime);
void tacho_sim_engine_unload (TachoSimEngine *engine, TachoSimRuntime *runtime);

TachoSimSequence *tacho_sim_sequence_new (GArray *prompt,
                                          const TachoSimSequenceFuncs *funcs,
                                          gpointer user_data) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sim_sequence_free (TachoSimSequence *sequence); /* out of the engine first */
/* Queues; loads the model if it is not loaded. */
void
tacho_sim_engine_add (TachoSimEngine *engine, TachoSimRuntime *runtime, TachoSimSequence *sequence);
void tacho_sim_engine_remove (TachoSimEngine *engine,
                              TachoSimSequence *sequence); /* harmless twice */

/* The counters: any thread. */
void tacho_sim_engine_get_counters (TachoSimEngine *engine, TachoSimCounters *counters);
#define TACHO_SIM_COUNT(engine, member, n)                                                         \
  tacho_sim_engine_count ((engine), G_STRUCT_OFFSET (TachoSimCounters, member), (n))
void
tacho_sim_engine_count (TachoSimEngine *engine, gsize member, guint64 n); /* members of guint64 */

G_END_DECLS
