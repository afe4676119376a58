/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What TGI has besides the OpenAI routes: /info, /generate, /generate_stream, /tokenize. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-reply.h"

#include "base/tacho-json.h"

#include <string.h>

static TachoSimRuntime *
first_runtime (TachoSimExchange *exchange)
{
  return g_ptr_array_index (tacho_sim_engine_get_runtimes (exchange->host->engine), 0);
}

/* --- generate --------------------------------------------------------------------------------- */

static const char *
finish_reason (const TachoSimReply *reply)
{
  if (reply->generation->stop_word != NULL)
    return "stop_sequence";
  return g_str_equal (reply->generation->finish_reason, "length") ? "length" : "eos_token";
}

static void
append_token (GString *json, const TachoSimReply *reply, const char *text)
{
  tacho_sim_json_add (json, "{'index':%u,'token':{'id':%u,'text':%s,'logprob':-0.5,'special':%b}",
                      reply->n_sent, g_str_hash (text) % 32000, text, *text == '\0');
}

static TachoSimSend
send_text (TachoSimReply *reply, const char *text, gboolean reasoning)
{
  if (reasoning)
    g_string_append (reply->content, text);
  reply->n_sent++;
  g_string_assign (reply->scratch, "data:");
  append_token (reply->scratch, reply, text);
  g_string_append (reply->scratch, ",\"generated_text\":null,\"details\":null}\n\n");
  return tacho_sim_reply_send_scratch (reply);
}

/* The last event has the whole text and the counts; its token is the end's own, which is special
 * and empty. */
static void
send_end (TachoSimReply *reply)
{
  const TachoSimSequence *sequence = reply->generation->sequence;

  reply->n_sent++;
  g_string_assign (reply->scratch, "data:");
  append_token (reply->scratch, reply, "");
  tacho_sim_json_add (reply->scratch, ",'generated_text':%s,'details':", reply->content->str);
  if (reply->exchange->play.no_usage)
    g_string_append (reply->scratch, "null}\n\n");
  else
    tacho_sim_json_add (
        reply->scratch,
        "{'finish_reason':%s,'generated_tokens':%u,'seed':null,'input_length':%u}}\n\n",
        finish_reason (reply), sequence->n_decoded, sequence->prompt->len);
  tacho_sim_reply_send_scratch (reply);
}

static void
set_header (const TachoSimReply *reply, const char *name, double value)
{
  SoupServerMessage *message = reply->exchange->message;
  g_autofree char *text = g_strdup_printf ("%.0f", value);

  soup_message_headers_replace (soup_server_message_get_response_headers (message), name, text);
}

static void
write_whole (TachoSimReply *reply, GString *json)
{
  TachoSimTimes t;

  tacho_sim_reply_get_times (reply, &t);
  set_header (reply, "x-prompt-tokens", t.n_prompt);
  set_header (reply, "x-generated-tokens", t.n_output);
  set_header (reply, "x-total-time", t.total_ms);
  set_header (reply, "x-queue-time", t.queue_ms);
  set_header (reply, "x-validation-time", 0);
  set_header (reply, "x-inference-time", t.prompt_ms + t.decode_ms);
  set_header (reply, "x-time-per-token", (t.prompt_ms + t.decode_ms) / MAX (t.n_output, 1));
  g_string_prepend (reply->content, reply->reasoning->str);
  tacho_sim_json_add (json, "{'generated_text':%s", reply->content->str);
  if (!reply->exchange->play.no_usage)
    tacho_sim_json_add (json,
                        ",'details':{'finish_reason':%s,'generated_tokens':%u,'seed':null,"
                        "'prefill':[],'tokens':[]}",
                        finish_reason (reply), t.n_output);
  g_string_append_c (json, '}');
}

static const TachoSimFormat generate_format = { TACHO_SIM_SSE_TYPE, NULL,     NULL,
                                                send_text,          send_end, write_whole };

static void
generate (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_auto (TachoSimGenerationOptions) options = { 0 };
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  JsonObject *params = tacho_json_get_object (request, "parameters");
  const char *inputs = tacho_json_get_string (request, "inputs", NULL);
  TachoSimReply *reply;

  if (request == NULL)
    return;
  tacho_sim_generation_options_init (&options);
  if (params != NULL)
    tacho_sim_openai_read_options (params, &options); /* stop, seed */
  options.max_tokens = tacho_json_get_int (params, "max_new_tokens", 100);
  if (inputs == NULL || *inputs == '\0' || options.max_tokens <= 0)
    {
      tacho_sim_exchange_error (exchange, 422, "invalid_request_error",
                                inputs == NULL || *inputs == '\0'
                                    ? "Input validation error: `inputs` must be non empty"
                                    : "Input validation error: `max_new_tokens` must be strictly "
                                      "positive");
      return;
    }
  tacho_sim_tokenize (inputs, tokens);
  reply = tacho_sim_reply_new (exchange, first_runtime (exchange), &generate_format);
  reply->stream = g_str_equal (exchange->path, "/generate_stream");
  tacho_sim_reply_start (reply, g_steal_pointer (&tokens), &options);
}

/* --- the small routes ------------------------------------------------------------------------- */

static void
reply_info (TachoSimExchange *exchange)
{
  const TachoSimRuntime *runtime = first_runtime (exchange);
  const TachoSimModel *model = runtime->model;
  GString *json = g_string_new (NULL);

  tacho_sim_json_add (
      json,
      "{'model_id':%s,'model_sha':null,'model_pipeline_tag':'text-generation',"
      "'max_concurrent_requests':128,'max_best_of':1,'max_stop_sequences':4,"
      "'max_input_tokens':%i,'max_total_tokens':%i,'max_batch_size':%u,"
      "'validation_workers':2,'max_client_batch_size':4,'router':'text-generation-router',"
      "'version':'3.3.6-tacho-sim','sha':null,'docker_label':null}",
      model->id, model->context_window - 1, model->context_window, runtime->slots->len);
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
tokenize (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  const char *inputs = tacho_json_get_string (request, "inputs", NULL);
  GString *json;

  if (request == NULL)
    return;
  if (inputs == NULL)
    {
      tacho_sim_exchange_error (exchange, 422, "invalid_request_error",
                                "Input validation error: `inputs` must be text");
      return;
    }
  tacho_sim_tokenize (inputs, tokens);
  json = g_string_new ("[");
  for (guint i = 0; i < tokens->len; i++)
    {
      tacho_sim_json_comma (json);
      tacho_sim_json_add (json, "{'id':%u,'text':'','start':0,'stop':0}",
                          g_array_index (tokens, guint32, i) % 32000);
    }
  g_string_append_c (json, ']');
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
reply_health (TachoSimExchange *exchange)
{
  if (first_runtime (exchange)->status == TACHO_SIM_LOADED)
    tacho_sim_exchange_reply (exchange, 200, "text/plain", g_strdup (""));
  else
    tacho_sim_exchange_error (exchange, 503, "unavailable_error", "unhealthy");
}

/**
 * tacho_sim_tgi_route:
 * @exchange: the exchange
 *
 * Returns: whether the route is one of TGI's, and was answered
 */
gboolean
tacho_sim_tgi_route (TachoSimExchange *exchange)
{
  if (tacho_sim_exchange_is (exchange, "GET", "/info"))
    reply_info (exchange);
  else if (tacho_sim_exchange_is (exchange, "GET", "/health"))
    reply_health (exchange);
  else if (tacho_sim_exchange_is (exchange, "GET", "/metrics"))
    tacho_sim_metrics (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/generate") ||
           tacho_sim_exchange_is (exchange, "POST", "/generate_stream"))
    generate (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/tokenize"))
    tokenize (exchange);
  else
    return tacho_sim_openai_route (exchange);
  return TRUE;
}
