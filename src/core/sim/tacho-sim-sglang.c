/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What SGLang has besides the OpenAI routes: its state, and /generate with cumulative text. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-reply.h"

#include "base/tacho-json.h"

static TachoSimRuntime *
first_runtime (TachoSimExchange *exchange)
{
  return g_ptr_array_index (tacho_sim_engine_get_runtimes (exchange->host->engine), 0);
}

/* --- /generate -------------------------------------------------------------------------------- */

static void
append_state (GString *json, const TachoSimReply *reply)
{
  const TachoSimSequence *sequence = reply->generation->sequence;

  tacho_sim_json_add (json,
                      "{'text':%s,'meta_info':{'id':%s,'prompt_tokens':%u,'completion_tokens':%u,"
                      "'cached_tokens':%u,'finish_reason':",
                      reply->content->str, reply->id, sequence->prompt->len, sequence->n_decoded,
                      sequence->n_cached);
  if (reply->generation->finish_reason != NULL)
    tacho_sim_json_add (json, "{'type':%s}}}", reply->generation->finish_reason);
  else
    g_string_append (json, "null}}");
}

static TachoSimSend
send_text (TachoSimReply *reply, const char *text, gboolean reasoning)
{
  if (reasoning) /* raw text: nobody has parted it */
    g_string_append (reply->content, text);
  g_string_assign (reply->scratch, "data: ");
  append_state (reply->scratch, reply);
  g_string_append (reply->scratch, "\n\n");
  return tacho_sim_reply_send_scratch (reply);
}

static void
send_end (TachoSimReply *reply)
{
  if (send_text (reply, "", FALSE) == TACHO_SIM_SENT)
    tacho_sim_exchange_send_event (reply->exchange, "[DONE]");
}

static void
write_whole (TachoSimReply *reply, GString *json)
{
  g_string_prepend (reply->content, reply->reasoning->str);
  append_state (json, reply);
}

static const TachoSimFormat generate_format = { TACHO_SIM_SSE_TYPE, NULL,     NULL,
                                                send_text,          send_end, write_whole };

static void
generate (TachoSimExchange *exchange, JsonObject *request)
{
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_auto (TachoSimGenerationOptions) options = { 0 };
  JsonObject *params = tacho_json_get_object (request, "sampling_params");
  JsonArray *ids = tacho_json_get_array (request, "input_ids");
  const char *text = tacho_json_get_string (request, "text", NULL);
  TachoSimReply *reply;

  if (text == NULL && ids == NULL)
    {
      tacho_sim_exchange_error (exchange, 400, "invalid_request_error",
                                "Either text or input_ids should be provided.");
      return;
    }
  if (text != NULL)
    tacho_sim_tokenize (text, tokens);
  for (guint i = 0; ids != NULL && i < json_array_get_length (ids); i++)
    {
      guint32 id = (guint32) i * 2654435761u;

      g_array_append_val (tokens, id);
    }
  tacho_sim_generation_options_init (&options);
  if (params != NULL)
    tacho_sim_openai_read_options (params, &options); /* stop, ignore_eos */
  options.max_tokens = tacho_json_get_int (params, "max_new_tokens", 128);
  options.min_tokens = tacho_json_get_int (params, "min_new_tokens", 0);
  reply = tacho_sim_reply_new (exchange, first_runtime (exchange), &generate_format);
  reply->stream = tacho_json_get_boolean (request, "stream", FALSE);
  tacho_sim_reply_start (reply, g_steal_pointer (&tokens), &options);
}

/* TGI has the same route with other members: where both are spoken, the request decides. */
static gboolean
try_generate (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);

  if (request == NULL)
    return TRUE;
  if (exchange->anybody && tacho_json_has (request, "inputs"))
    return FALSE;
  generate (exchange, request);
  return TRUE;
}

/* --- information ------------------------------------------------------------------------------ */

static void
reply_model_info (TachoSimExchange *exchange)
{
  const TachoSimModel *model = first_runtime (exchange)->model;
  GString *json = g_string_new (NULL);

  tacho_sim_json_add (json,
                      "{'model_path':%s,'tokenizer_path':%s,'is_generation':true,"
                      "'preferred_sampling_params':null,'weight_version':'default'}",
                      model->id, model->id);
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
reply_server_info (TachoSimExchange *exchange)
{
  const TachoSimRuntime *runtime = first_runtime (exchange);
  GString *json = g_string_new (NULL);

  tacho_sim_json_add (json,
                      "{'model_path':%s,'served_model_name':%s,'context_length':%i,"
                      "'max_running_requests':%u,'max_total_num_tokens':%i,"
                      "'version':'0.5.9+tacho.sim'}",
                      runtime->model->id, runtime->model->id, runtime->model->context_window,
                      runtime->slots->len, (gint64) runtime->model->kv_cache_tokens);
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
reply_load (TachoSimExchange *exchange)
{
  GString *json = g_string_new (NULL);
  TachoSimCounters counters;

  tacho_sim_engine_get_counters (exchange->host->engine, &counters);
  tacho_sim_json_add (json, "[{'dp_rank':0,'num_reqs':%u,'num_waiting_reqs':%u,'num_tokens':%i}]",
                      counters.active + counters.queued, counters.queued,
                      (gint64) first_runtime (exchange)->kv_tokens);
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
reply_ok (TachoSimExchange *exchange)
{
  tacho_sim_exchange_reply (exchange, 200, "text/plain", g_strdup (""));
}

static void
set_asleep (TachoSimExchange *exchange, gboolean asleep)
{
  tacho_sim_engine_set_asleep (exchange->host->engine, asleep);
  reply_ok (exchange);
}

/**
 * tacho_sim_sglang_route:
 * @exchange: the exchange
 *
 * Returns: whether the route is one of SGLang's, and was answered
 */
gboolean
tacho_sim_sglang_route (TachoSimExchange *exchange)
{
  if (tacho_sim_exchange_is (exchange, "GET", "/health") ||
      tacho_sim_exchange_is (exchange, "GET", "/health_generate"))
    reply_ok (exchange);
  else if (tacho_sim_exchange_is (exchange, "GET", "/get_model_info"))
    reply_model_info (exchange);
  else if (tacho_sim_exchange_is (exchange, "GET", "/get_server_info"))
    reply_server_info (exchange);
  else if (tacho_sim_exchange_is (exchange, "GET", "/get_load"))
    reply_load (exchange);
  else if (tacho_sim_exchange_is (exchange, "GET", "/metrics"))
    tacho_sim_metrics (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/flush_cache"))
    {
      g_ptr_array_set_size (first_runtime (exchange)->cache, 0);
      reply_ok (exchange);
    }
  else if (tacho_sim_exchange_is (exchange, "POST", "/release_memory_occupation"))
    set_asleep (exchange, TRUE);
  else if (tacho_sim_exchange_is (exchange, "POST", "/resume_memory_occupation"))
    set_asleep (exchange, FALSE);
  else if (tacho_sim_exchange_is (exchange, "POST", "/generate"))
    return try_generate (exchange);
  else
    return tacho_sim_openai_route (exchange);
  return TRUE;
}
