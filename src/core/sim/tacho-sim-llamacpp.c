/* SPDX-License-Identifier: GPL-3.0-or-later */
/* llama.cpp's own routes: health, models (router and single), props, slots, metrics, tokenize. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-reply.h"

#include "base/tacho-json.h"
#include "sim/tacho-sim-text.h"

#include <string.h>

#define JSON_TYPE "application/json; charset=utf-8"

static void
append_model (GString *json, const TachoSimExchange *exchange, const TachoSimRuntime *runtime)
{
  static const char *const names[] = { "unloaded", "loading", "loaded" };
  const TachoSimModel *model = runtime->model;
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (json, "{\"id\":");
  tacho_sim_json_quote (json, model->id);
  g_string_append (json, ",\"aliases\":[],\"tags\":[\"simulated\"],\"name\":");
  tacho_sim_json_quote (json, model->name);
  g_string_append_printf (
      json,
      ",\"object\":\"model\",\"owned_by\":\"llamacpp\",\"created\":%" G_GINT64_FORMAT
      ",\"architecture\":{\"input_modalities\":[\"text\"],"
      "\"output_modalities\":[\"text\"]}",
      runtime->loaded_at);
  if (exchange->host->config->router)
    {
      g_string_append_printf (
          json, ",\"source\":\"models_dir\",\"can_remove\":false,\"status\":{\"value\":\"%s\"",
          names[runtime->status]);
      g_string_append (json, ",\"args\":[]");
      if (runtime->status == TACHO_SIM_LOADING)
        g_string_append_printf (
            json,
            ",\"progress\":{\"stages\":[\"text_model\"],\"current\":\"text_model\","
            "\"value\":%s}",
            g_ascii_formatd (number, sizeof number, "%.3f", runtime->progress));
      if (runtime->failed)
        {
          g_string_append (json, ",\"failed\":true,\"exit_code\":1,\"message\":");
          tacho_sim_json_quote (json, model->load_failure ? model->load_failure : "failed");
        }
      g_string_append_c (json, '}');
    }
  g_string_append_printf (
      json,
      ",\"context_length\":%" G_GINT64_FORMAT
      ",\"meta\":{\"vocab_type\":2,\"n_vocab\":32000,\"n_ctx\":%" G_GINT64_FORMAT
      ",\"n_ctx_train\":%" G_GINT64_FORMAT ",\"n_embd\":4096,"
      "\"n_params\":%" G_GUINT64_FORMAT ",\"size\":%" G_GUINT64_FORMAT ",\"ftype\":",
      model->context_window, model->context_window, model->context_window, model->n_params,
      model->size_bytes);
  tacho_sim_json_quote (json, model->quantization);
  g_string_append (json, ",\"architecture\":");
  tacho_sim_json_quote (json, model->architecture);
  g_string_append (json, "}}");
}

static void
list_models (TachoSimExchange *exchange)
{
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (exchange->host->engine);
  guint n = exchange->host->config->router ? runtimes->len : 1;
  GString *json = g_string_new ("{\"object\":\"list\",\"data\":[");

  for (guint i = 0; i < n; i++)
    {
      if (i > 0)
        g_string_append_c (json, ',');
      append_model (json, exchange, g_ptr_array_index (runtimes, i));
    }
  g_string_append (json, "]}");
  tacho_sim_exchange_reply (exchange, 200, JSON_TYPE, g_string_free (json, FALSE));
}

/* The model that a single-model route is about; NULL after a reply. */
static TachoSimRuntime *
find_runtime (TachoSimExchange *exchange)
{
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (exchange->host->engine);
  TachoSimRuntime *runtime;

  if (!exchange->host->config->router)
    return g_ptr_array_index (runtimes, 0);
  if (exchange->query_model != NULL)
    {
      runtime = tacho_sim_engine_find (exchange->host->engine, exchange->query_model);
      if (runtime == NULL)
        tacho_sim_exchange_error (exchange, 404, "not_found_error", "model '%s' not found",
                                  exchange->query_model);
      return runtime;
    }
  for (guint i = 0; i < runtimes->len; i++)
    {
      runtime = g_ptr_array_index (runtimes, i);
      if (runtime->status == TACHO_SIM_LOADED)
        return runtime;
    }
  return g_ptr_array_index (runtimes, 0);
}

static void
reply_props (TachoSimExchange *exchange)
{
  const TachoSimConfig *config = exchange->host->config;
  gboolean whole_router = config->router && exchange->query_model == NULL;
  const TachoSimRuntime *runtime = find_runtime (exchange);
  GString *json;

  if (runtime == NULL)
    return;
  json = g_string_new ("{");
  if (whole_router)
    g_string_append_printf (json,
                            "\"role\":\"router\",\"max_instances\":%u,\"models_autoload\":true,"
                            "\"model_alias\":\"llama-server\",\"model_path\":\"none\",",
                            config->models->len);
  else
    {
      g_string_append (json, "\"model_alias\":");
      tacho_sim_json_quote (json, runtime->model->id);
      g_string_append (json, ",\"model_ftype\":");
      tacho_sim_json_quote (json, runtime->model->quantization);
      g_string_append (json, ",\"model_path\":\"simulated\",");
    }
  g_string_append_printf (
      json,
      "\"default_generation_settings\":{\"params\":"
      "{\"temperature\":0.8,\"top_k\":40,\"top_p\":0.95,\"min_p\":0.05},\"n_ctx\":%" G_GINT64_FORMAT
      "},\"total_slots\":%u,"
      "\"modalities\":{\"vision\":false,\"audio\":false,\"video\":false},"
      "\"endpoint_slots\":true,\"endpoint_props\":true,\"endpoint_metrics\":true,"
      "\"chat_template\":\"{%% for message in messages %%}<|{{ message.role }}|>\\n"
      "{{ message.content }}\\n{%% endfor %%}<|assistant|>\\n\",\"is_sleeping\":false,"
      "\"build_info\":\"tacho-sim-" TACHO_VERSION "\"}",
      whole_router ? 0 : runtime->model->context_window, runtime->slots->len);
  tacho_sim_exchange_reply (exchange, 200, JSON_TYPE, g_string_free (json, FALSE));
}

static void
reply_slots (TachoSimExchange *exchange)
{
  const TachoSimRuntime *runtime = find_runtime (exchange);
  GString *json;

  if (runtime == NULL)
    return;
  json = g_string_new ("[");
  for (guint i = 0; i < runtime->slots->len; i++)
    {
      const TachoSimSequence *sequence = g_ptr_array_index (runtime->slots, i);

      g_string_append_printf (json,
                              "%s{\"id\":%u,\"n_ctx\":%" G_GINT64_FORMAT ",\"speculative\":false,",
                              i > 0 ? "," : "", i, runtime->model->context_window);
      if (sequence == NULL)
        g_string_append (json, "\"is_processing\":false}");
      else
        g_string_append_printf (json,
                                "\"id_task\":%u,\"is_processing\":true,"
                                "\"n_prompt_tokens\":%u,\"n_prompt_tokens_processed\":%u,"
                                "\"n_prompt_tokens_cache\":%u,"
                                "\"next_token\":[{\"has_next_token\":true,\"n_decoded\":%u}]}",
                                sequence->id_task, sequence->prompt->len, sequence->n_processed,
                                sequence->n_cached, sequence->n_decoded);
    }
  g_string_append_c (json, ']');
  tacho_sim_exchange_reply (exchange, 200, JSON_TYPE, g_string_free (json, FALSE));
}

static void
reply_tokenize (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  const char *content = tacho_json_get_string (request, "content", "");
  GString *json;

  if (request == NULL)
    return;
  tacho_sim_tokenize (content, tokens);
  json = g_string_new ("{\"tokens\":[");
  for (guint i = 0; i < tokens->len; i++)
    g_string_append_printf (json, i > 0 ? ",%u" : "%u", g_array_index (tokens, guint32, i) % 32000);
  g_string_append (json, "]}");
  tacho_sim_exchange_reply (exchange, 200, JSON_TYPE, g_string_free (json, FALSE));
}

static void
load_or_unload (TachoSimExchange *exchange, gboolean load)
{
  TachoSimEngine *engine = exchange->host->engine;
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  TachoSimRuntime *runtime =
      tacho_sim_engine_find (engine, tacho_json_get_string (request, "model", NULL));

  if (request == NULL)
    return;
  if (runtime == NULL)
    tacho_sim_exchange_error (exchange, 404, "not_found_error", "model is not found");
  else if (load && runtime->status != TACHO_SIM_UNLOADED)
    tacho_sim_exchange_error (exchange, 400, "invalid_request_error", "model is already running");
  else if (!load && runtime->status == TACHO_SIM_UNLOADED)
    tacho_sim_exchange_error (exchange, 400, "invalid_request_error", "model is not running");
  else
    {
      if (load)
        tacho_sim_engine_load (engine, runtime);
      else
        tacho_sim_engine_unload (engine, runtime);
      tacho_sim_exchange_reply (exchange, 200, JSON_TYPE, g_strdup ("{\"success\":true}"));
    }
}

/* While its one model loads, a llama.cpp server answers every route so. */
static gboolean
is_loading (TachoSimExchange *exchange)
{
  const TachoSimRuntime *runtime =
      g_ptr_array_index (tacho_sim_engine_get_runtimes (exchange->host->engine), 0);

  return !exchange->host->config->router && runtime->status != TACHO_SIM_LOADED;
}

/**
 * tacho_sim_llamacpp_route:
 * @exchange: the exchange
 *
 * Returns: whether the route is one of llama.cpp's own, and was answered
 */
gboolean
tacho_sim_llamacpp_route (TachoSimExchange *exchange)
{
  const char *method = soup_server_message_get_method (exchange->message);
  const char *path = exchange->path;
  gboolean get = g_str_equal (method, "GET"), post = g_str_equal (method, "POST");
  gboolean router = exchange->host->config->router;

  if (is_loading (exchange))
    tacho_sim_exchange_error (exchange, 503, "unavailable_error", "Loading model");
  else if (get && (g_str_equal (path, "/health") || g_str_equal (path, "/v1/health")))
    tacho_sim_exchange_reply (exchange, 200, JSON_TYPE, g_strdup ("{\"status\":\"ok\"}"));
  else if (get && (g_str_equal (path, "/models") || g_str_equal (path, "/v1/models")))
    list_models (exchange);
  else if (get && g_str_equal (path, "/props"))
    reply_props (exchange);
  else if (get && g_str_equal (path, "/slots"))
    reply_slots (exchange);
  else if (get && g_str_equal (path, "/metrics"))
    tacho_sim_metrics (exchange);
  else if (post && g_str_equal (path, "/tokenize"))
    reply_tokenize (exchange);
  else if (post && router && g_str_equal (path, "/models/load"))
    load_or_unload (exchange, TRUE);
  else if (post && router && g_str_equal (path, "/models/unload"))
    load_or_unload (exchange, FALSE);
  else if (post && (g_str_equal (path, "/chat/completions") || g_str_equal (path, "/completions")))
    tacho_sim_openai_generate (exchange);
  else
    return tacho_sim_openai_route (exchange);
  return TRUE;
}
