/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A generation's reply over HTTP, whole or streamed, in the form of a family; and the routes of the
 * families. */
#pragma once

#include "sim/tacho-sim-http.h"
#include "sim/tacho-sim-json.h"

G_BEGIN_DECLS

#define TACHO_SIM_JSON_TYPE "application/json; charset=utf-8"
#define TACHO_SIM_SSE_TYPE "text/event-stream"

typedef struct _TachoSimReply TachoSimReply;

/* How a family writes it. Only whole and text are needed where nothing is streamed. */
typedef struct
{
  const char *type;                        /* of a stream */
  void (*begin) (TachoSimReply *reply);    /* the head is sent; or NULL */
  void (*progress) (TachoSimReply *reply); /* or NULL */
  TachoSimSend (*text) (TachoSimReply *reply, const char *text, gboolean reasoning);
  void (*end) (TachoSimReply *reply); /* what comes before the end of the stream */
  void (*whole) (TachoSimReply *reply, GString *json);
} TachoSimFormat;

struct _TachoSimReply
{
  TachoSimExchange *exchange;
  TachoSimRuntime *runtime;
  TachoSimGeneration *generation; /* NULL until it starts */
  const TachoSimFormat *format;
  char *model; /* as the client named it */
  char *id;
  gint64 created;
  gboolean chat, stream, include_usage;
  gboolean return_progress, timings_per_token, continuous_usage, no_thoughts;
  GString *content; /* all that was said, streamed or not */
  GString *reasoning;
  GString *scratch; /* for an event */
  gboolean role_sent;
  guint n_sent;                       /* events of the format's own counting */
  gboolean reasoning_open, text_open; /* the format's own state */
};

TachoSimReply *tacho_sim_reply_new (TachoSimExchange *exchange,
                                    TachoSimRuntime *runtime,
                                    const TachoSimFormat *format); /* owned by the exchange */
/* Says what is wrong itself: no tokens, or too many of them. */
void tacho_sim_reply_start (TachoSimReply *reply,
                            GArray *prompt, /* full */
                            TachoSimGenerationOptions *options);
TachoSimSend tacho_sim_reply_send_scratch (TachoSimReply *reply); /* as it is */

/* Times of a generation that has ended, in milliseconds. */
typedef struct
{
  guint n_prompt, n_cached, n_output;
  double queue_ms, prompt_ms, decode_ms, total_ms;
} TachoSimTimes;
void tacho_sim_reply_get_times (const TachoSimReply *reply, TachoSimTimes *times);

/* The model of a name, as the family finds it. NULL: has replied. */
TachoSimRuntime *tacho_sim_find_model (TachoSimExchange *exchange, const char *name);

/* Chat and completion as OpenAI's clients know it, with each family's own additions. */
void tacho_sim_openai_generate (TachoSimExchange *exchange);
void tacho_sim_openai_read_options (JsonObject *request, TachoSimGenerationOptions *options);
void tacho_sim_openai_list (TachoSimExchange *exchange);
void tacho_sim_responses_generate (TachoSimExchange *exchange);
void tacho_sim_embeddings (TachoSimExchange *exchange);
void tacho_sim_metrics (TachoSimExchange *exchange);
void tacho_sim_rfc3339 (GString *out, gint64 unix_time_us); /* quoted */

/* FALSE: not a route of this family. */
gboolean tacho_sim_openai_route (TachoSimExchange *exchange);
gboolean tacho_sim_llamacpp_route (TachoSimExchange *exchange);
gboolean tacho_sim_ollama_route (TachoSimExchange *exchange);
gboolean tacho_sim_lmstudio_route (TachoSimExchange *exchange);
gboolean tacho_sim_vllm_route (TachoSimExchange *exchange);
gboolean tacho_sim_sglang_route (TachoSimExchange *exchange);
gboolean tacho_sim_tgi_route (TachoSimExchange *exchange);
gboolean tacho_sim_oip_route (TachoSimExchange *exchange); /* Triton and KServe */
gboolean tacho_sim_ryzanstein_route (TachoSimExchange *exchange);

G_END_DECLS
