/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mcp.ryzanstein.InferenceService, from the engine. As the real server does, it takes for granted
 * that a request has metadata; where that one dies of it, this one answers with its last words. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-grpc-private.h"

#include "api/proto/ryzanstein.pb-c.h"
#include "sim/tacho-sim-prompt.h"

#define MAX_TOKENS_UNSET 512

/* --- what every reply has --------------------------------------------------------------------- */

typedef struct
{
  Mcp__Ryzanstein__ResponseMetadata metadata;
  Mcp__Ryzanstein__Timestamp timestamp;
} Stamp;

static void
stamp_init (Stamp *stamp, TachoSimRpc *rpc, const char *request_id)
{
  gint64 now = g_get_real_time ();

  mcp__ryzanstein__response_metadata__init (&stamp->metadata);
  mcp__ryzanstein__timestamp__init (&stamp->timestamp);
  stamp->timestamp.seconds = now / G_USEC_PER_SEC;
  stamp->timestamp.nanos = (gint32) (now % G_USEC_PER_SEC) * 1000;
  stamp->metadata.request_id = (char *) request_id;
  stamp->metadata.timestamp = &stamp->timestamp;
  stamp->metadata.status_code = 200;
  stamp->metadata.status_message = (char *) "OK";
  stamp->metadata.processing_time_ms = (g_get_monotonic_time () - rpc->time_ns / 1000) / 1000;
}

static gboolean
has_metadata (TachoSimRpc *rpc, const Mcp__Ryzanstein__RequestMetadata *metadata)
{
  if (metadata == NULL)
    tacho_sim_rpc_finish (rpc, GRPC_STATUS_INTERNAL,
                          "runtime error: invalid memory address or nil pointer dereference: the "
                          "request has no metadata");
  return metadata != NULL;
}

static TachoSimRuntime *
find_model (TachoSimRpc *rpc, const char *name)
{
  TachoSimRuntime *runtime = tacho_sim_engine_find (rpc->grpc->host->engine, name);

  if (runtime == NULL)
    tacho_sim_rpc_finish (rpc, GRPC_STATUS_NOT_FOUND, "model not found: %s", name);
  return runtime;
}

/* --- inference -------------------------------------------------------------------------------- */

typedef struct
{
  TachoSimRun *run;
  char *request_id;
  GString *last; /* words that go with the final chunk */
} Inference;

static void
inference_free (gpointer data)
{
  Inference *inference = data;

  tacho_sim_run_free (inference->run);
  g_free (inference->request_id);
  g_string_free (inference->last, TRUE);
  g_free (inference);
}

static TachoSimSend
send_chunk (TachoSimRun *run, const char *text, gboolean final)
{
  const Inference *inference = run->user_data;
  Mcp__Ryzanstein__InferenceChunk chunk = MCP__RYZANSTEIN__INFERENCE_CHUNK__INIT;
  Stamp stamp;

  stamp_init (&stamp, run->rpc, inference->request_id);
  chunk.metadata = &stamp.metadata;
  chunk.content = (char *) text;
  chunk.is_final = final && !tacho_sim_rpc_has_fault (run->rpc, "grpc-no-final");
  return tacho_sim_rpc_send (run->rpc, &chunk.base);
}

static TachoSimSend
stream_text (TachoSimRun *run, const char *text)
{
  Inference *inference = run->user_data;

  if (run->generation->finish_reason == NULL)
    return send_chunk (run, text, FALSE);
  g_string_append (inference->last, text);
  return TACHO_SIM_SENT;
}

static void
stream_end (TachoSimRun *run)
{
  const Inference *inference = run->user_data;

  if (send_chunk (run, inference->last->str, TRUE) == TACHO_SIM_CUT)
    return;
  TACHO_SIM_COUNT (run->rpc->grpc->host->engine, completed, 1);
  tacho_sim_rpc_finish (run->rpc, GRPC_STATUS_OK, "%s", "");
}

static TachoSimSend
keep_text (TachoSimRun *run, const char *text)
{
  return TACHO_SIM_SENT;
}

static void
reply_whole (TachoSimRun *run)
{
  const Inference *inference = run->user_data;
  const TachoSimSequence *sequence = run->generation->sequence;
  const char *names[] = { "prompt_tokens", "completion_tokens", "finish_reason" };
  g_autofree char *prompt = g_strdup_printf ("%u", sequence->prompt->len);
  g_autofree char *completion = g_strdup_printf ("%u", sequence->n_decoded);
  const char *values[] = { prompt, completion, run->generation->finish_reason };
  Mcp__Ryzanstein__InferenceResponse__MetricsEntry entries[3];
  Mcp__Ryzanstein__InferenceResponse__MetricsEntry *pointers[3];
  Mcp__Ryzanstein__InferenceResponse response = MCP__RYZANSTEIN__INFERENCE_RESPONSE__INIT;
  Stamp stamp;

  stamp_init (&stamp, run->rpc, inference->request_id);
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    {
      mcp__ryzanstein__inference_response__metrics_entry__init (&entries[i]);
      entries[i].key = (char *) names[i];
      entries[i].value = (char *) values[i];
      pointers[i] = &entries[i];
    }
  response.metadata = &stamp.metadata;
  response.content = run->text->str;
  if (!run->rpc->play.no_usage)
    {
      response.tokens_used = (gint32) sequence->n_decoded;
      response.n_metrics = G_N_ELEMENTS (entries);
      response.metrics = pointers;
    }
  if (!run->rpc->play.has_stream_fault)
    TACHO_SIM_COUNT (run->rpc->grpc->host->engine, completed, 1);
  tacho_sim_rpc_reply (run->rpc, &response.base);
}

static void
failed (TachoSimRun *run, const char *reason)
{
  tacho_sim_rpc_finish (run->rpc, GRPC_STATUS_UNAVAILABLE, "model %s: %s", run->runtime->model->id,
                        reason);
}

static const TachoSimRunFuncs stream_funcs = { stream_text, stream_end, failed };
static const TachoSimRunFuncs whole_funcs = { keep_text, reply_whole, failed };

/* The same tokens as by REST: through the same words. */
static const char *
tokenize (const Mcp__Ryzanstein__InferenceRequest *request, GArray *tokens)
{
  static const char *const roles[] = { "user", "system", "user", "assistant" };
  g_autoptr (JsonObject) object = json_object_new ();
  JsonArray *messages = json_array_new ();

  json_object_set_array_member (object, "messages", messages);
  for (gsize i = 0; i < request->n_messages; i++)
    {
      const Mcp__Ryzanstein__Message *message = request->messages[i];
      JsonObject *entry = json_object_new ();
      guint role = (guint) message->role;

      json_object_set_string_member (entry, "role", roles[role < G_N_ELEMENTS (roles) ? role : 0]);
      json_object_set_string_member (entry, "content", message->content);
      json_array_add_object_element (messages, entry);
    }
  return tacho_sim_prompt_from_chat (object, tokens);
}

static void
start (TachoSimRpc *rpc,
       const Mcp__Ryzanstein__InferenceRequest *request,
       const TachoSimRunFuncs *funcs)
{
  g_auto (TachoSimGenerationOptions) options = { 0 };
  g_autoptr (GArray) prompt = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autofree char *message = NULL;
  TachoSimRuntime *runtime;
  Inference *inference;
  const char *wrong;

  if (!has_metadata (rpc, request->metadata))
    return;
  runtime = find_model (rpc, request->model);
  if (runtime == NULL)
    return;
  wrong = tokenize (request, prompt);
  if (wrong != NULL || request->max_tokens < 0)
    {
      tacho_sim_rpc_finish (rpc, GRPC_STATUS_INVALID_ARGUMENT, "%s",
                            wrong ? wrong : "max_tokens is negative");
      return;
    }
  tacho_sim_generation_options_init (&options);
  options.max_tokens = request->max_tokens > 0 ? request->max_tokens : MAX_TOKENS_UNSET;
  inference = g_new0 (Inference, 1);
  inference->request_id = g_strdup (request->metadata->request_id);
  inference->last = g_string_new (NULL);
  tacho_sim_rpc_set_data (rpc, inference, inference_free);
  inference->run = tacho_sim_run_start (rpc, runtime, g_steal_pointer (&prompt), &options, funcs,
                                        inference, &message);
  if (inference->run == NULL)
    tacho_sim_rpc_finish (rpc, GRPC_STATUS_INVALID_ARGUMENT, "%s", message);
}

static void
infer (TachoSimRpc *rpc, gpointer message)
{
  start (rpc, message, &whole_funcs);
}

static void
infer_stream (TachoSimRpc *rpc, gpointer message)
{
  start (rpc, message, &stream_funcs);
}

/* --- the rest --------------------------------------------------------------------------------- */

static void
health (TachoSimRpc *rpc, gpointer message)
{
  const Mcp__Ryzanstein__HealthRequest *request = message;
  Mcp__Ryzanstein__HealthResponse response = MCP__RYZANSTEIN__HEALTH_RESPONSE__INIT;
  Stamp stamp;

  if (!has_metadata (rpc, request->metadata))
    return;
  stamp_init (&stamp, rpc, request->metadata->request_id);
  response.metadata = &stamp.metadata;
  response.healthy = !tacho_sim_engine_is_asleep (rpc->grpc->host->engine);
  response.version = (char *) "tacho-sim-" TACHO_VERSION;
  tacho_sim_rpc_reply (rpc, &response.base);
}

static const char *
status_name (const TachoSimRuntime *runtime)
{
  return runtime->status == TACHO_SIM_LOADED    ? "loaded"
         : runtime->status == TACHO_SIM_LOADING ? "loading"
         : runtime->failed                      ? "failed"
                                                : "unloaded";
}

static void
get_model_info (TachoSimRpc *rpc, gpointer message)
{
  const Mcp__Ryzanstein__ModelInfoRequest *request = message;
  Mcp__Ryzanstein__ModelInfoResponse response = MCP__RYZANSTEIN__MODEL_INFO_RESPONSE__INIT;
  Mcp__Ryzanstein__ModelInfoResponse__CapabilitiesEntry entries[4];
  Mcp__Ryzanstein__ModelInfoResponse__CapabilitiesEntry *pointers[4];
  const char *names[] = { "type", "quantization", "architecture", "status" };
  const char *values[4];
  TachoSimRuntime *runtime;
  Stamp stamp;

  if (!has_metadata (rpc, request->metadata))
    return;
  runtime = find_model (rpc, request->model);
  if (runtime == NULL)
    return;
  values[0] = runtime->model->kind;
  values[1] = runtime->model->quantization;
  values[2] = runtime->model->architecture;
  values[3] = status_name (runtime);
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    {
      mcp__ryzanstein__model_info_response__capabilities_entry__init (&entries[i]);
      entries[i].key = (char *) names[i];
      entries[i].value = (char *) (values[i] ? values[i] : "");
      pointers[i] = &entries[i];
    }
  stamp_init (&stamp, rpc, request->metadata->request_id);
  response.metadata = &stamp.metadata;
  response.model = runtime->model->id;
  response.context_length = (gint32) MIN (runtime->model->context_window, G_MAXINT32);
  response.max_tokens = (gint32) MIN (runtime->model->max_output, G_MAXINT32);
  response.n_capabilities = G_N_ELEMENTS (entries);
  response.capabilities = pointers;
  tacho_sim_rpc_reply (rpc, &response.base);
}

#define SERVICE "/mcp.ryzanstein.InferenceService/"
#define SHAPES (TACHO_SIM_GRPC_RYZANSTEIN | TACHO_SIM_GRPC_ALL)

const TachoSimMethod tacho_sim_ryzanstein_methods[] = {
  { .path = SERVICE "Infer",
    .shapes = SHAPES,
    .request = &mcp__ryzanstein__inference_request__descriptor,
    .generation = TRUE,
    .message = infer },
  { .path = SERVICE "InferStream",
    .shapes = SHAPES,
    .request = &mcp__ryzanstein__inference_request__descriptor,
    .generation = TRUE,
    .message = infer_stream },
  { .path = SERVICE "Health",
    .shapes = SHAPES,
    .request = &mcp__ryzanstein__health_request__descriptor,
    .message = health },
  { .path = SERVICE "GetModelInfo",
    .shapes = SHAPES,
    .request = &mcp__ryzanstein__model_info_request__descriptor,
    .message = get_model_info },
  { .path = NULL },
};
