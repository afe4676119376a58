/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Chat and text completion in OpenAI's form, whole and streamed. The families differ in small
 * things: when the role comes, what thoughts are called, what rides along. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-reply.h"

#include "base/tacho-json.h"
#include "sim/tacho-sim-prompt.h"

#include <string.h>

typedef enum
{
  ROLE_ALONE_NULL,  /* a first delta of role and content null */
  ROLE_ALONE_EMPTY, /* a first delta of role and empty content */
  ROLE_EVERYWHERE,  /* in each delta */
} RoleStyle;

typedef struct
{
  RoleStyle role;
  const char *reasoning; /* the field of thoughts; NULL: they are content */
  const char *prefix;    /* of an event */
  const char *owned_by;  /* NULL: the model's own id */
  const char *fingerprint;
  gboolean nulls;          /* fields without a value are null, not left out */
  gboolean cached_details; /* prompt_tokens_details in the usage */
  gboolean timings;
} Dialect;

#define OURS "tacho-sim-" TACHO_VERSION

static const Dialect dialects[TACHO_SIM_N_FAMILIES] = {
  [TACHO_SIM_FAMILY_ALL] = { ROLE_ALONE_NULL, "reasoning_content", "data: ", "llamacpp", OURS,
                             FALSE, TRUE, TRUE },
  [TACHO_SIM_FAMILY_LLAMACPP] = { ROLE_ALONE_NULL, "reasoning_content", "data: ", "llamacpp", OURS,
                                  FALSE, TRUE, TRUE },
  [TACHO_SIM_FAMILY_OPENAI] = { ROLE_ALONE_EMPTY, "reasoning_content", "data: ", "tacho-sim", OURS,
                                FALSE, TRUE, FALSE },
  [TACHO_SIM_FAMILY_OLLAMA] = { ROLE_EVERYWHERE, "reasoning", "data: ", "library", "fp_ollama",
                                FALSE, FALSE, FALSE },
  [TACHO_SIM_FAMILY_LMSTUDIO] = { ROLE_EVERYWHERE, "reasoning_content",
                                  "data: ", "organization_owner", OURS, FALSE, FALSE, FALSE },
  [TACHO_SIM_FAMILY_VLLM] = { ROLE_ALONE_EMPTY, "reasoning", "data: ", "vllm", NULL, FALSE, TRUE,
                              FALSE },
  [TACHO_SIM_FAMILY_SGLANG] = { ROLE_ALONE_EMPTY, "reasoning_content", "data: ", "sglang", NULL,
                                TRUE, TRUE, FALSE },
  [TACHO_SIM_FAMILY_TGI] = { ROLE_EVERYWHERE, NULL, "data:", NULL, "3.3.6-" OURS, FALSE, FALSE,
                             FALSE },
  [TACHO_SIM_FAMILY_OIP] = { ROLE_ALONE_EMPTY, NULL, "data: ", "Triton Inference Server", NULL,
                             FALSE, FALSE, FALSE },
  [TACHO_SIM_FAMILY_KSERVE] = { ROLE_ALONE_EMPTY, NULL, "data: ", "kserve", NULL, FALSE, FALSE,
                                FALSE },
  [TACHO_SIM_FAMILY_RYZANSTEIN] = { ROLE_ALONE_EMPTY, NULL, "data: ", "ryzanstein-llm", NULL, FALSE,
                                    FALSE, FALSE },
};

static const Dialect *
dialect_of (const TachoSimExchange *exchange)
{
  return &dialects[exchange->family];
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void
append_timings (GString *json, const TachoSimReply *reply)
{
  TachoSimTimes t;
  guint n;

  tacho_sim_reply_get_times (reply, &t);
  n = t.n_prompt - t.n_cached;
  tacho_sim_json_add (json,
                      ",'timings':{'cache_n':%u,'prompt_n':%u,'prompt_ms':%n,"
                      "'prompt_per_token_ms':%n,'prompt_per_second':%n,'predicted_n':%u,"
                      "'predicted_ms':%n,'predicted_per_token_ms':%n,'predicted_per_second':%n}",
                      t.n_cached, n, t.prompt_ms, t.prompt_ms / MAX (n, 1),
                      t.prompt_ms > 0 ? n / t.prompt_ms * 1000 : 0.0, t.n_output, t.decode_ms,
                      t.decode_ms / MAX (t.n_output, 1),
                      t.decode_ms > 0 ? t.n_output / t.decode_ms * 1000 : 0.0);
}

static void
append_usage (GString *json, const TachoSimReply *reply)
{
  const TachoSimSequence *sequence = reply->generation->sequence;
  const Dialect *dialect = dialect_of (reply->exchange);
  guint thoughts = tacho_sim_generation_get_reasoning_tokens (reply->generation);

  tacho_sim_json_add (json, ",'usage':{'completion_tokens':%u,'prompt_tokens':%u,'total_tokens':%u",
                      sequence->n_decoded, sequence->prompt->len,
                      sequence->n_decoded + sequence->prompt->len);
  if (dialect->cached_details)
    tacho_sim_json_add (json, ",'prompt_tokens_details':{'cached_tokens':%u}", sequence->n_cached);
  if (thoughts > 0 && dialect->reasoning != NULL)
    tacho_sim_json_add (json, ",'completion_tokens_details':{'reasoning_tokens':%u}", thoughts);
  g_string_append_c (json, '}');
}

static void
append_identity (GString *json, const TachoSimReply *reply, const char *id, const char *object)
{
  tacho_sim_json_add (json, ",'created':%i,'id':%s,'model':%s", reply->created, id, reply->model);
  if (dialect_of (reply->exchange)->fingerprint != NULL)
    tacho_sim_json_add (json, ",'system_fingerprint':%s",
                        dialect_of (reply->exchange)->fingerprint);
  tacho_sim_json_add (json, ",'object':%s", object);
}

/* What a choice has besides its text. */
static void
append_choice_extras (GString *json, const TachoSimReply *reply)
{
  const TachoSimGeneration *generation = reply->generation;
  gboolean ended = generation->finish_reason != NULL;

  if (reply->exchange->family == TACHO_SIM_FAMILY_VLLM && ended)
    tacho_sim_json_add (json, ",'stop_reason':%s", generation->stop_word);
  else if (reply->exchange->family == TACHO_SIM_FAMILY_SGLANG)
    tacho_sim_json_add (json, ",'logprobs':null,'matched_stop':%s", generation->stop_word);
}

/* A delta: member NULL is the last one, without text; text NULL is null. */
static void
append_delta (GString *json, const TachoSimReply *reply, const char *member, const char *text)
{
  const Dialect *dialect = dialect_of (reply->exchange);
  gboolean role_only = member != NULL && !reply->role_sent;

  g_string_append (json, "\"delta\":{");
  if (role_only || dialect->role == ROLE_EVERYWHERE)
    {
      g_string_append (json, "\"role\":\"assistant\"");
      if (member == NULL)
        g_string_append (json, ",\"content\":\"\"");
    }
  else if (dialect->nulls)
    g_string_append (json, "\"role\":null");
  if (member != NULL)
    {
      tacho_sim_json_comma (json);
      if (dialect->role == ROLE_EVERYWHERE && !g_str_equal (member, "content"))
        g_string_append (json, "\"content\":\"\",");
      tacho_sim_json_add (json, "%s:%s", member, text);
    }
  if (dialect->nulls)
    {
      if (g_strcmp0 (member, "content") != 0)
        g_string_append (json, ",\"content\":null");
      if (g_strcmp0 (member, dialect->reasoning) != 0)
        tacho_sim_json_add (json, ",%s:null", dialect->reasoning);
      g_string_append (json, ",\"tool_calls\":null");
    }
  g_string_append_c (json, '}');
}

static GString *
begin_chunk (TachoSimReply *reply, const char *member, const char *text)
{
  GString *json = reply->scratch;

  g_string_assign (json, dialect_of (reply->exchange)->prefix);
  tacho_sim_json_add (json, "{'choices':[{'finish_reason':%s,'index':0,",
                      member == NULL ? reply->generation->finish_reason : NULL);
  if (reply->chat)
    append_delta (json, reply, member, text);
  else
    tacho_sim_json_add (json, "'logprobs':null,'text':%s", text ? text : "");
  append_choice_extras (json, reply);
  g_string_append (json, "}]");
  append_identity (json, reply, reply->id,
                   reply->chat ? "chat.completion.chunk" : "text_completion");
  if (reply->continuous_usage && !reply->exchange->play.no_usage)
    append_usage (json, reply);
  return json;
}

static TachoSimSend
send_chunk (TachoSimReply *reply)
{
  g_string_append (reply->scratch, "}\n\n");
  return tacho_sim_reply_send_scratch (reply);
}

static gboolean
wants_timings (const TachoSimReply *reply)
{
  return dialect_of (reply->exchange)->timings && !reply->exchange->play.no_usage;
}

static TachoSimSend
send_role (TachoSimReply *reply)
{
  RoleStyle style = dialect_of (reply->exchange)->role;

  if (reply->role_sent || !reply->chat || style == ROLE_EVERYWHERE)
    return TACHO_SIM_SENT;
  begin_chunk (reply, "content", style == ROLE_ALONE_NULL ? NULL : "");
  reply->role_sent = TRUE;
  return send_chunk (reply);
}

static TachoSimSend
send_text (TachoSimReply *reply, const char *text, gboolean reasoning)
{
  const char *field = dialect_of (reply->exchange)->reasoning;

  if (send_role (reply) == TACHO_SIM_CUT)
    return TACHO_SIM_CUT;
  begin_chunk (reply, reasoning && field != NULL ? field : "content", text);
  if (reply->timings_per_token && wants_timings (reply))
    append_timings (reply->scratch, reply);
  return send_chunk (reply);
}

static void
send_progress (TachoSimReply *reply)
{
  const TachoSimSequence *sequence = reply->generation->sequence;

  if (!reply->return_progress || send_role (reply) == TACHO_SIM_CUT)
    return;
  reply->role_sent = FALSE; /* such a chunk has the role once more */
  begin_chunk (reply, "content", NULL);
  reply->role_sent = TRUE;
  tacho_sim_json_add (
      reply->scratch, ",'prompt_progress':{'total':%u,'cache':%u,'processed':%u,'time_ms':%i}",
      sequence->prompt->len, sequence->n_cached, sequence->n_processed,
      (gint64) ((g_get_monotonic_time () * 1000 - sequence->admitted_ns) / 1000000));
  send_chunk (reply);
}

static void
send_end (TachoSimReply *reply)
{
  TachoSimExchange *exchange = reply->exchange;
  gboolean usage_chunk = reply->include_usage && !exchange->play.no_usage;

  if (send_role (reply) == TACHO_SIM_CUT)
    return;
  begin_chunk (reply, NULL, NULL);
  if (!usage_chunk && wants_timings (reply))
    append_timings (reply->scratch, reply);
  if (send_chunk (reply) == TACHO_SIM_CUT)
    return;
  if (usage_chunk)
    {
      g_string_printf (reply->scratch, "%s{\"choices\":[]", dialect_of (exchange)->prefix);
      append_identity (reply->scratch, reply,
                       exchange->family == TACHO_SIM_FAMILY_TGI ? "" : reply->id,
                       reply->chat ? "chat.completion.chunk" : "text_completion");
      append_usage (reply->scratch, reply);
      if (wants_timings (reply))
        append_timings (reply->scratch, reply);
      if (send_chunk (reply) == TACHO_SIM_CUT)
        return;
    }
  g_string_printf (reply->scratch, "%s[DONE]\n\n", dialect_of (exchange)->prefix);
  tacho_sim_reply_send_scratch (reply);
}

/* What LM Studio adds on its own routes. */
static void
append_lmstudio_stats (GString *json, const TachoSimReply *reply)
{
  const TachoSimModel *model = reply->runtime->model;
  TachoSimTimes t;

  tacho_sim_reply_get_times (reply, &t);
  tacho_sim_json_add (
      json,
      ",'stats':{'tokens_per_second':%n,'time_to_first_token':%n,'generation_time':%n,"
      "'stop_reason':%s},'model_info':{'arch':%s,'quant':%s,'format':'gguf',"
      "'context_length':%i},'runtime':{'name':'tacho-sim','version':'" TACHO_VERSION
      "','supported_formats':['gguf']}",
      t.decode_ms > 0 ? t.n_output / t.decode_ms * 1000 : 0.0, (t.queue_ms + t.prompt_ms) / 1000,
      t.decode_ms / 1000,
      g_str_equal (reply->generation->finish_reason, "length") ? "maxPredictedTokensReached"
                                                               : "eosFound",
      model->architecture, model->quantization, model->context_window);
}

static void
write_whole (TachoSimReply *reply, GString *json)
{
  TachoSimExchange *exchange = reply->exchange;
  const char *field = dialect_of (exchange)->reasoning;

  tacho_sim_json_add (json, "{'choices':[{'finish_reason':%s,'index':0,",
                      reply->generation->finish_reason);
  if (field == NULL)
    g_string_prepend (reply->content, reply->reasoning->str);
  if (reply->chat)
    {
      g_string_append (json, "\"message\":{\"role\":\"assistant\",");
      if (field != NULL && reply->reasoning->len > 0)
        tacho_sim_json_add (json, "%s:%s,", field, reply->reasoning->str);
      tacho_sim_json_add (json, "'content':%s}", reply->content->str);
    }
  else
    tacho_sim_json_add (json, "'logprobs':null,'text':%s", reply->content->str);
  append_choice_extras (json, reply);
  g_string_append (json, "}]");
  append_identity (json, reply, reply->id, reply->chat ? "chat.completion" : "text_completion");
  if (!exchange->play.no_usage)
    append_usage (json, reply);
  if (wants_timings (reply))
    append_timings (json, reply);
  if (g_str_has_prefix (exchange->path, "/api/v0/"))
    append_lmstudio_stats (json, reply);
  g_string_append_c (json, '}');
}

static const TachoSimFormat openai_format = { TACHO_SIM_SSE_TYPE, NULL,     send_progress,
                                              send_text,          send_end, write_whole };

/* Its stream is labelled as plain text. */
static const TachoSimFormat ryzanstein_format = { "text/plain", NULL,     NULL,
                                                  send_text,    send_end, write_whole };

/* --- the request ------------------------------------------------------------------------------ */

/**
 * tacho_sim_openai_read_options:
 * @request: a generation request
 * @options: gets what it asks for
 */
void
tacho_sim_openai_read_options (JsonObject *request, TachoSimGenerationOptions *options)
{
  JsonArray *array = tacho_json_get_array (request, "stop");

  options->max_tokens = tacho_json_get_int (
      request, "max_completion_tokens",
      tacho_json_get_int (request, "max_tokens", tacho_json_get_int (request, "n_predict", -1)));
  options->min_tokens = tacho_json_get_int (request, "min_tokens", 0);
  options->seed = tacho_json_get_int (request, "seed", -1);
  options->ignore_eos = tacho_json_get_boolean (request, "ignore_eos", FALSE);
  options->cache_prompt = tacho_json_get_boolean (request, "cache_prompt", TRUE);
  tacho_sim_generation_options_add_stop (options, tacho_json_get_string (request, "stop", NULL));
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        tacho_sim_generation_options_add_stop (options, json_node_get_string (node));
    }
}

static void
start_generation (TachoSimExchange *exchange, TachoSimRuntime *runtime, JsonObject *request)
{
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_auto (TachoSimGenerationOptions) options = { 0 };
  JsonObject *stream_options = tacho_json_get_object (request, "stream_options");
  TachoSimReply *reply = tacho_sim_reply_new (
      exchange, runtime,
      exchange->family == TACHO_SIM_FAMILY_RYZANSTEIN ? &ryzanstein_format : &openai_format);
  const char *problem;

  tacho_sim_generation_options_init (&options);
  tacho_sim_openai_read_options (request, &options);
  reply->chat = strstr (exchange->path, "chat") != NULL;
  if (exchange->family == TACHO_SIM_FAMILY_OLLAMA) /* it does not know the newer name */
    options.max_tokens = tacho_json_get_int (request, "max_tokens", -1);
  if (exchange->family == TACHO_SIM_FAMILY_VLLM)
    {
      g_free (reply->model);
      reply->model = g_strdup (tacho_json_get_string (request, "model", runtime->model->id));
    }
  reply->stream = tacho_json_get_boolean (request, "stream", FALSE);
  reply->include_usage = tacho_json_get_boolean (stream_options, "include_usage", FALSE);
  if (exchange->family == TACHO_SIM_FAMILY_VLLM)
    reply->continuous_usage =
        tacho_json_get_boolean (stream_options, "continuous_usage_stats", FALSE);
  if (dialect_of (exchange)->timings)
    {
      reply->return_progress = tacho_json_get_boolean (request, "return_progress", FALSE);
      reply->timings_per_token = tacho_json_get_boolean (request, "timings_per_token", FALSE);
    }
  problem = reply->chat ? tacho_sim_prompt_from_chat (request, tokens)
                        : tacho_sim_prompt_from_completion (request, tokens);
  if (problem == NULL && options.max_tokens == 0)
    problem = "'max_tokens' must be 1 or more";
  if (problem != NULL)
    tacho_sim_exchange_error (exchange, exchange->family == TACHO_SIM_FAMILY_TGI ? 422 : 400,
                              "invalid_request_error", "%s", problem);
  else
    tacho_sim_reply_start (reply, g_steal_pointer (&tokens), &options);
}

/**
 * tacho_sim_find_model:
 * @exchange: a request
 * @name: (nullable): the model that it names
 *
 * Returns: (transfer none) (nullable): the model; %NULL after an error reply
 */
TachoSimRuntime *
tacho_sim_find_model (TachoSimExchange *exchange, const char *name)
{
  TachoSimHost *host = exchange->host;
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (host->engine);
  TachoSimRuntime *runtime;

  /* llama.cpp with one model and TGI take any name. */
  if (exchange->family == TACHO_SIM_FAMILY_TGI ||
      (!host->config->router && exchange->family == TACHO_SIM_FAMILY_LLAMACPP))
    return g_ptr_array_index (runtimes, 0);
  runtime = tacho_sim_engine_find (host->engine, name);
  if (runtime == NULL && name != NULL && g_hash_table_contains (host->adapters, name))
    runtime = g_ptr_array_index (runtimes, 0);
  if (runtime == NULL && name == NULL)
    tacho_sim_exchange_error (exchange, 400, "invalid_request_error",
                              "model name is missing from the request");
  else if (runtime == NULL)
    tacho_sim_exchange_error (exchange, 404, "not_found_error", "model '%s' not found", name);
  return runtime;
}

/**
 * tacho_sim_openai_generate:
 * @exchange: a generation request
 */
void
tacho_sim_openai_generate (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  TachoSimRuntime *runtime;

  if (request == NULL)
    return;
  runtime = tacho_sim_find_model (exchange, tacho_json_get_string (request, "model", NULL));
  if (runtime != NULL)
    start_generation (exchange, runtime, request);
}

/* --- the list --------------------------------------------------------------------------------- */

static void
append_model (GString *json,
              const TachoSimExchange *exchange,
              const TachoSimModel *model,
              const char *id,
              gint64 created)
{
  const char *owner = dialect_of (exchange)->owned_by;

  tacho_sim_json_comma (json);
  tacho_sim_json_add (json, "{'id':%s,'object':'model','created':%i,'owned_by':%s", id, created,
                      owner ? owner : model->id);
  if (exchange->family == TACHO_SIM_FAMILY_VLLM || exchange->family == TACHO_SIM_FAMILY_SGLANG)
    tacho_sim_json_add (json, ",'root':%s,'parent':%s,'max_model_len':%i", id,
                        g_str_equal (id, model->id) ? NULL : model->id, model->context_window);
  if (exchange->family == TACHO_SIM_FAMILY_VLLM)
    tacho_sim_json_add (json, ",'permission':[]");
  g_string_append_c (json, '}');
}

/**
 * tacho_sim_openai_list:
 * @exchange: a request for the list of models
 */
void
tacho_sim_openai_list (TachoSimExchange *exchange)
{
  TachoSimHost *host = exchange->host;
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (host->engine);
  GString *json = g_string_new ("{\"object\":\"list\",\"data\":[");
  GHashTableIter iter;
  gpointer name;

  for (guint i = 0; i < runtimes->len; i++)
    {
      const TachoSimRuntime *runtime = g_ptr_array_index (runtimes, i);

      if (!runtime->removed)
        append_model (json, exchange, runtime->model, runtime->model->id,
                      exchange->family == TACHO_SIM_FAMILY_TGI ? 0 : runtime->loaded_at);
    }
  g_hash_table_iter_init (&iter, host->adapters);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    append_model (json, exchange, ((TachoSimRuntime *) g_ptr_array_index (runtimes, 0))->model,
                  name, 0);
  g_string_append (json, "]}");
  tacho_sim_exchange_reply_json (exchange, json);
}

/**
 * tacho_sim_openai_route:
 * @exchange: the exchange
 *
 * Returns: whether the route is one of the OpenAI family, and was answered
 */
gboolean
tacho_sim_openai_route (TachoSimExchange *exchange)
{
  if (tacho_sim_exchange_is (exchange, "POST", "/v1/chat/completions") ||
      tacho_sim_exchange_is (exchange, "POST", "/v1/completions"))
    tacho_sim_openai_generate (exchange);
  else if (tacho_sim_exchange_is (exchange, "GET", "/v1/models"))
    tacho_sim_openai_list (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/v1/responses"))
    tacho_sim_responses_generate (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/v1/embeddings"))
    tacho_sim_embeddings (exchange);
  else
    return FALSE;
  return TRUE;
}
