/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ryzanstein's REST contract. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-reply.h"

#include "base/tacho-json.h"

static void
list_models (TachoSimExchange *exchange)
{
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (exchange->host->engine);
  GString *json = g_string_new ("{\"object\":\"list\",\"data\":[");

  for (guint i = 0; i < runtimes->len; i++)
    {
      const TachoSimRuntime *runtime = g_ptr_array_index (runtimes, i);
      const TachoSimModel *model = runtime->model;

      if (runtime->removed)
        continue;
      tacho_sim_json_comma (json);
      tacho_sim_json_add (json,
                          "{'id':%s,'name':%s,'object':'model','owned_by':'ryzanstein-llm',"
                          "'context_window':%i,'max_output_tokens':%i,'type':%s,"
                          "'quantization':%s,'loaded':%b}",
                          model->id, model->name, model->context_window, model->max_output,
                          model->kind, model->quantization,
                          (gboolean) (runtime->status == TACHO_SIM_LOADED));
    }
  g_string_append (json, "]}");
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
change_model (TachoSimExchange *exchange, const char *id, gboolean load)
{
  TachoSimEngine *engine = exchange->host->engine;
  TachoSimRuntime *runtime = tacho_sim_find_model (exchange, id);
  GString *json;

  if (runtime == NULL)
    return;
  if (load)
    tacho_sim_engine_load (engine, runtime);
  else if (runtime->status != TACHO_SIM_UNLOADED)
    tacho_sim_engine_unload (engine, runtime);
  json = g_string_new (NULL);
  tacho_sim_json_add (json, "{'model_id':%s,'status':%s}", runtime->model->id,
                      !load                                 ? "unloaded"
                      : runtime->status == TACHO_SIM_LOADED ? "loaded"
                                                            : "loading");
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
load_model (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);

  if (request != NULL)
    change_model (exchange, tacho_json_get_string (request, "model_id", NULL), TRUE);
}

/**
 * tacho_sim_ryzanstein_route:
 * @exchange: the exchange
 *
 * Returns: whether the route is one of Ryzanstein's, and was answered
 */
gboolean
tacho_sim_ryzanstein_route (TachoSimExchange *exchange)
{
  g_autofree char *unload = tacho_sim_exchange_get_between (exchange, "/v1/models/", "/unload");

  if (tacho_sim_exchange_is (exchange, "GET", "/health"))
    tacho_sim_exchange_reply (
        exchange, 200, TACHO_SIM_JSON_TYPE,
        g_strdup ("{\"status\":\"healthy\",\"version\":\"" TACHO_VERSION "-tacho-sim\"}"));
  else if (tacho_sim_exchange_is (exchange, "GET", "/v1/models"))
    list_models (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/v1/models/load"))
    load_model (exchange);
  else if (unload != NULL &&
           g_str_equal (soup_server_message_get_method (exchange->message), "POST"))
    change_model (exchange, unload, FALSE);
  else if (tacho_sim_exchange_is (exchange, "POST", "/v1/completions") ||
           tacho_sim_exchange_is (exchange, "POST", "/v1/chat/completions"))
    tacho_sim_openai_generate (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/v1/embeddings"))
    tacho_sim_embeddings (exchange);
  else
    return FALSE;
  return TRUE;
}
