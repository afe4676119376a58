/* SPDX-License-Identifier: GPL-3.0-or-later */
/* LM Studio's own routes: /api/v0 and /api/v1. Its chat has named events of its own. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-reply.h"

#include "base/tacho-json.h"
#include "sim/tacho-sim-job.h"
#include "sim/tacho-sim-prompt.h"

#include <string.h>

/* --- lists ------------------------------------------------------------------------------------ */

static const char *
model_type (const TachoSimModel *model)
{
  if (g_str_equal (model->kind, "embedding"))
    return "embeddings";
  return g_str_equal (model->kind, "vision") ? "vlm" : "llm";
}

static void
append_v0 (GString *json, const TachoSimRuntime *runtime)
{
  const TachoSimModel *model = runtime->model;
  gboolean loaded = runtime->status == TACHO_SIM_LOADED;

  tacho_sim_json_add (json,
                      "{'id':%s,'object':'model','type':%s,'publisher':'tacho-sim','arch':%s,"
                      "'compatibility_type':'gguf','quantization':%s,'state':%s,"
                      "'max_context_length':%i",
                      model->id, model_type (model), model->architecture, model->quantization,
                      loaded ? "loaded" : "not-loaded", model->context_window);
  if (loaded)
    tacho_sim_json_add (json, ",'loaded_context_length':%i", model->context_window);
  if (g_strv_contains ((const char *const *) model->capabilities, "tools"))
    tacho_sim_json_add (json, ",'capabilities':['tool_use']");
  g_string_append_c (json, '}');
}

static double
bits_per_weight (const TachoSimModel *model)
{
  const char *q = strpbrk (model->quantization, "0123456789");

  return q ? g_ascii_strtod (q, NULL) : 16;
}

static void
append_v1 (GString *json, const TachoSimRuntime *runtime)
{
  const TachoSimModel *model = runtime->model;
  const char *const *capabilities = (const char *const *) model->capabilities;
  g_autofree char *size = tacho_sim_model_size (model);

  tacho_sim_json_add (
      json,
      "{'type':%s,'publisher':'tacho-sim','key':%s,'display_name':%s,'architecture':%s,"
      "'quantization':{'name':%s,'bits_per_weight':%n},'size_bytes':%i,'params_string':%s,"
      "'max_context_length':%i,'format':'gguf','description':null,'capabilities':"
      "{'vision':%b,'trained_for_tool_use':%b},'loaded_instances':[",
      g_str_equal (model->kind, "embedding") ? "embedding" : "llm", model->id, model->name,
      model->architecture, model->quantization, bits_per_weight (model), (gint64) model->size_bytes,
      size, model->context_window, (gboolean) g_strv_contains (capabilities, "vision"),
      (gboolean) g_strv_contains (capabilities, "tools"));
  if (runtime->status == TACHO_SIM_LOADED)
    tacho_sim_json_add (json,
                        "{'id':%s,'config':{'context_length':%i,'eval_batch_size':512,"
                        "'parallel':%u,'flash_attention':true,'offload_kv_cache_to_gpu':true}}",
                        model->id, model->context_window, runtime->slots->len);
  g_string_append (json, "]}");
}

static void
list_models (TachoSimExchange *exchange, gboolean v1)
{
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (exchange->host->engine);
  GString *json = g_string_new (v1 ? "{\"models\":[" : "{\"object\":\"list\",\"data\":[");

  for (guint i = 0; i < runtimes->len; i++)
    {
      const TachoSimRuntime *runtime = g_ptr_array_index (runtimes, i);

      if (runtime->removed)
        continue;
      tacho_sim_json_comma (json);
      if (v1)
        append_v1 (json, runtime);
      else
        append_v0 (json, runtime);
    }
  g_string_append (json, "]}");
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
show_model (TachoSimExchange *exchange, const char *id)
{
  TachoSimRuntime *runtime = tacho_sim_find_model (exchange, id);
  GString *json;

  if (runtime == NULL)
    return;
  json = g_string_new (NULL);
  append_v0 (json, runtime);
  tacho_sim_exchange_reply_json (exchange, json);
}

/* --- load, unload, download ------------------------------------------------------------------- */

static void
loaded_cb (TachoSimExchange *exchange, TachoSimRuntime *runtime, double seconds)
{
  GString *json;

  if (runtime->status != TACHO_SIM_LOADED)
    {
      tacho_sim_exchange_error (exchange, 500, "server_error", "Failed to load model: %s",
                                runtime->failed ? runtime->model->load_failure
                                                : "the model was unloaded");
      return;
    }
  json = g_string_new (NULL);
  tacho_sim_json_add (json, "{'type':%s,'instance_id':%s,'load_time_seconds':%n,'status':'loaded'}",
                      model_type (runtime->model), runtime->model->id, seconds);
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
load_model (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  TachoSimRuntime *runtime;

  if (request == NULL)
    return;
  runtime = tacho_sim_find_model (exchange, tacho_json_get_string (request, "model", NULL));
  if (runtime != NULL)
    tacho_sim_job_load (exchange, runtime, loaded_cb);
}

static void
unload_model (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  const char *id = tacho_json_get_string (request, "instance_id", NULL);
  TachoSimRuntime *runtime = tacho_sim_engine_find (exchange->host->engine, id);
  GString *json;

  if (request == NULL)
    return;
  if (id == NULL)
    tacho_sim_exchange_error (exchange, 400, "invalid_request_error", "instance_id is required");
  else if (runtime == NULL || runtime->status == TACHO_SIM_UNLOADED)
    tacho_sim_exchange_error (exchange, 404, "not_found_error",
                              "No loaded model instance '%s' was found", id);
  else
    {
      tacho_sim_engine_unload (exchange->host->engine, runtime);
      json = g_string_new (NULL);
      tacho_sim_json_add (json, "{'instance_id':%s}", id);
      tacho_sim_exchange_reply_json (exchange, json);
    }
}

static void
reply_download (TachoSimExchange *exchange, const TachoSimPull *pull)
{
  static const char *const states[] = { "downloading", "completed", "failed" };
  GString *json = g_string_new (NULL);

  tacho_sim_json_add (json,
                      "{'job_id':'job_%u','status':%s,'total_size_bytes':%i,"
                      "'downloaded_bytes':%i,'bytes_per_second':%n,'started_at':",
                      pull->number, states[pull->state], (gint64) pull->total,
                      (gint64) pull->completed, pull->bytes_per_second);
  tacho_sim_rfc3339 (json, pull->started_at * G_USEC_PER_SEC);
  g_string_append_c (json, '}');
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
download_model (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  const char *id = tacho_json_get_string (request, "model", NULL);
  TachoSimPull *pull;

  if (request == NULL)
    return;
  if (id == NULL)
    {
      tacho_sim_exchange_error (exchange, 400, "invalid_request_error", "model is required");
      return;
    }
  if (tacho_sim_engine_find (exchange->host->engine, id) != NULL)
    {
      tacho_sim_exchange_reply (exchange, 200, TACHO_SIM_JSON_TYPE,
                                g_strdup ("{\"status\":\"already_downloaded\"}"));
      return;
    }
  pull = tacho_sim_pull_find (exchange->host, id);
  if (pull == NULL)
    pull = tacho_sim_pull_start (exchange->host, id, NULL, NULL);
  if (pull == NULL)
    tacho_sim_exchange_error (exchange, 404, "not_found_error", "Model '%s' was not found", id);
  else
    reply_download (exchange, pull);
}

static void
reply_download_status (TachoSimExchange *exchange, const char *job)
{
  guint64 number =
      g_str_has_prefix (job, "job_") ? g_ascii_strtoull (job + strlen ("job_"), NULL, 10) : 0;
  TachoSimPull *pull = tacho_sim_pull_find_number (exchange->host, number);

  if (pull == NULL)
    tacho_sim_exchange_error (exchange, 404, "not_found_error", "No download job '%s'", job);
  else
    reply_download (exchange, pull);
}

/* --- chat ------------------------------------------------------------------------------------- */

static GString *
begin_event (TachoSimReply *reply, const char *type)
{
  g_string_printf (reply->scratch, "event: %s\ndata: {\"type\":\"%s\"", type, type);
  return reply->scratch;
}

static TachoSimSend
send_event (TachoSimReply *reply)
{
  g_string_append (reply->scratch, "}\n\n");
  return tacho_sim_reply_send_scratch (reply);
}

static TachoSimSend
send_plain (TachoSimReply *reply, const char *type)
{
  begin_event (reply, type);
  return send_event (reply);
}

static void
send_begin (TachoSimReply *reply)
{
  tacho_sim_json_add (begin_event (reply, "chat.start"), ",'model_instance_id':%s",
                      reply->runtime->model->id);
  if (send_event (reply) == TACHO_SIM_SENT)
    send_plain (reply, "prompt_processing.start");
}

static void
send_progress (TachoSimReply *reply)
{
  const TachoSimSequence *sequence = reply->generation->sequence;

  tacho_sim_json_add (begin_event (reply, "prompt_processing.progress"), ",'progress':%n",
                      (double) sequence->n_processed / sequence->prompt->len);
  if (send_event (reply) == TACHO_SIM_SENT && sequence->n_processed == sequence->prompt->len)
    send_plain (reply, "prompt_processing.end");
}

static TachoSimSend
open_part (TachoSimReply *reply, gboolean reasoning)
{
  gboolean *open = reasoning ? &reply->reasoning_open : &reply->text_open;

  if (*open)
    return TACHO_SIM_SENT;
  *open = TRUE;
  if (!reasoning && reply->reasoning_open && send_plain (reply, "reasoning.end") == TACHO_SIM_CUT)
    return TACHO_SIM_CUT;
  return send_plain (reply, reasoning ? "reasoning.start" : "message.start");
}

static TachoSimSend
send_text (TachoSimReply *reply, const char *text, gboolean reasoning)
{
  if (open_part (reply, reasoning) == TACHO_SIM_CUT)
    return TACHO_SIM_CUT;
  tacho_sim_json_add (begin_event (reply, reasoning ? "reasoning.delta" : "message.delta"),
                      ",'content':%s", text);
  return send_event (reply);
}

static void
append_result (GString *json, const TachoSimReply *reply)
{
  TachoSimTimes t;

  tacho_sim_reply_get_times (reply, &t);
  tacho_sim_json_add (json, "{'model_instance_id':%s,'output':[", reply->runtime->model->id);
  if (reply->reasoning->len > 0)
    tacho_sim_json_add (json, "{'type':'reasoning','content':%s},", reply->reasoning->str);
  tacho_sim_json_add (json, "{'type':'message','content':%s}]", reply->content->str);
  if (!reply->exchange->play.no_usage)
    tacho_sim_json_add (
        json,
        ",'stats':{'input_tokens':%u,'total_output_tokens':%u,"
        "'reasoning_output_tokens':%u,'tokens_per_second':%n,"
        "'time_to_first_token_seconds':%n}",
        t.n_prompt, t.n_output, tacho_sim_generation_get_reasoning_tokens (reply->generation),
        t.decode_ms > 0 ? t.n_output / t.decode_ms * 1000 : 0.0, (t.queue_ms + t.prompt_ms) / 1000);
  tacho_sim_json_add (json, ",'response_id':'resp_%r'}", reply->id);
}

static void
send_end (TachoSimReply *reply)
{
  if (open_part (reply, FALSE) == TACHO_SIM_CUT ||
      send_plain (reply, "message.end") == TACHO_SIM_CUT)
    return;
  g_string_append (begin_event (reply, "chat.end"), ",\"result\":");
  append_result (reply->scratch, reply);
  send_event (reply);
}

static void
write_whole (TachoSimReply *reply, GString *json)
{
  append_result (json, reply);
}

static const TachoSimFormat chat_format = { TACHO_SIM_SSE_TYPE, send_begin, send_progress,
                                            send_text,          send_end,   write_whole };

static void
chat (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_auto (TachoSimGenerationOptions) options = { 0 };
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  TachoSimRuntime *runtime;
  TachoSimReply *reply;
  const char *problem;

  if (request == NULL)
    return;
  runtime = tacho_sim_find_model (exchange, tacho_json_get_string (request, "model", NULL));
  if (runtime == NULL)
    return;
  problem = tacho_sim_prompt_from_input (request, tokens);
  if (problem != NULL)
    {
      tacho_sim_exchange_error (exchange, 400, "invalid_request_error", "%s", problem);
      return;
    }
  tacho_sim_generation_options_init (&options);
  options.max_tokens = tacho_json_get_int (request, "max_output_tokens", -1);
  reply = tacho_sim_reply_new (exchange, runtime, &chat_format);
  reply->chat = TRUE;
  reply->stream = tacho_json_get_boolean (request, "stream", FALSE);
  reply->no_thoughts = g_strcmp0 (tacho_json_get_string (request, "reasoning", NULL), "off") == 0;
  tacho_sim_reply_start (reply, g_steal_pointer (&tokens), &options);
}

/**
 * tacho_sim_lmstudio_route:
 * @exchange: the exchange
 *
 * Returns: whether the route is one of LM Studio's, and was answered
 */
gboolean
tacho_sim_lmstudio_route (TachoSimExchange *exchange)
{
  gboolean get = g_str_equal (soup_server_message_get_method (exchange->message), "GET");
  g_autofree char *model = tacho_sim_exchange_get_between (exchange, "/api/v0/models/", "");
  g_autofree char *job =
      tacho_sim_exchange_get_between (exchange, "/api/v1/models/download/status/", "");

  soup_message_headers_replace (soup_server_message_get_response_headers (exchange->message),
                                "X-Powered-By", "Express");
  if (tacho_sim_exchange_is (exchange, "GET", "/api/v1/models"))
    list_models (exchange, TRUE);
  else if (tacho_sim_exchange_is (exchange, "GET", "/api/v0/models"))
    list_models (exchange, FALSE);
  else if (get && model != NULL)
    show_model (exchange, model);
  else if (get && job != NULL)
    reply_download_status (exchange, job);
  else if (tacho_sim_exchange_is (exchange, "POST", "/api/v1/models/load"))
    load_model (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/api/v1/models/unload"))
    unload_model (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/api/v1/models/download"))
    download_model (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/api/v1/chat"))
    chat (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/api/v0/chat/completions") ||
           tacho_sim_exchange_is (exchange, "POST", "/api/v0/completions"))
    tacho_sim_openai_generate (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/api/v0/embeddings"))
    tacho_sim_embeddings (exchange);
  else
    return tacho_sim_openai_route (exchange);
  return TRUE;
}
