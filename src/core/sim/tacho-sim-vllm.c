/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What vLLM has besides the OpenAI routes: version, tokenise, sleep, LoRA. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-reply.h"

#include "base/tacho-json.h"
#include "sim/tacho-sim-prompt.h"

#define MAX_ADAPTERS 64

static TachoSimRuntime *
first_runtime (TachoSimExchange *exchange)
{
  return g_ptr_array_index (tacho_sim_engine_get_runtimes (exchange->host->engine), 0);
}

static void
reply_empty (TachoSimExchange *exchange)
{
  tacho_sim_exchange_reply (exchange, 200, "text/plain", g_strdup (""));
}

static void
tokenize (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  const char *prompt = tacho_json_get_string (request, "prompt", NULL);
  const char *problem = NULL;
  GString *json;

  if (request == NULL)
    return;
  if (prompt != NULL)
    tacho_sim_tokenize (prompt, tokens);
  else
    problem = tacho_sim_prompt_from_chat (request, tokens);
  if (problem != NULL)
    {
      tacho_sim_exchange_error (exchange, 400, "invalid_request_error", "%s", problem);
      return;
    }
  json = g_string_new (NULL);
  tacho_sim_json_add (json, "{'count':%u,'max_model_len':%i,'tokens':[", tokens->len,
                      first_runtime (exchange)->model->context_window);
  for (guint i = 0; i < tokens->len; i++)
    {
      tacho_sim_json_comma (json);
      tacho_sim_json_add (json, "%u", g_array_index (tokens, guint32, i) % 32000);
    }
  g_string_append (json, "],\"token_strs\":null}");
  tacho_sim_exchange_reply_json (exchange, json);
}

/* Plain text both times; an error is JSON. */
static void
change_adapter (TachoSimExchange *exchange, gboolean load)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  GHashTable *adapters = exchange->host->adapters;
  const char *name = tacho_json_get_string (request, "lora_name", NULL);
  const char *path = tacho_json_get_string (request, "lora_path", NULL);
  gboolean known = name != NULL && g_hash_table_contains (adapters, name);

  if (request == NULL)
    return;
  if (name == NULL || *name == '\0' || (load && (path == NULL || *path == '\0')))
    tacho_sim_exchange_error (exchange, 400, "invalid_request_error",
                              load ? "Both 'lora_name' and 'lora_path' must be provided."
                                   : "'lora_name' must be provided.");
  else if (load && (known || g_hash_table_size (adapters) >= MAX_ADAPTERS))
    tacho_sim_exchange_error (exchange, 400, "invalid_request_error",
                              known ? "The lora adapter '%s' has already been loaded."
                                    : "There is no room for the lora adapter '%s'.",
                              name);
  else if (!load && !known)
    tacho_sim_exchange_error (exchange, 404, "not_found_error",
                              "The lora adapter '%s' cannot be found.", name);
  else
    {
      char *text = g_strdup_printf ("Success: LoRA adapter '%s' %s successfully.", name,
                                    load ? "added" : "removed");

      if (load)
        g_hash_table_insert (adapters, g_strdup (name), g_strdup (path));
      else
        g_hash_table_remove (adapters, name);
      tacho_sim_exchange_reply (exchange, 200, "text/plain", text);
    }
}

static void
set_asleep (TachoSimExchange *exchange, gboolean asleep)
{
  tacho_sim_engine_set_asleep (exchange->host->engine, asleep);
  reply_empty (exchange);
}

static void
reply_load (TachoSimExchange *exchange)
{
  GString *json = g_string_new (NULL);
  TachoSimCounters counters;

  tacho_sim_engine_get_counters (exchange->host->engine, &counters);
  tacho_sim_json_add (json, "{'server_load':%u}", counters.active + counters.queued);
  tacho_sim_exchange_reply_json (exchange, json);
}

/**
 * tacho_sim_vllm_route:
 * @exchange: the exchange
 *
 * Returns: whether the route is one of vLLM's, and was answered
 */
gboolean
tacho_sim_vllm_route (TachoSimExchange *exchange)
{
  if (tacho_sim_exchange_is (exchange, "GET", "/health") ||
      tacho_sim_exchange_is (exchange, "GET", "/ping"))
    reply_empty (exchange);
  else if (tacho_sim_exchange_is (exchange, "GET", "/version"))
    tacho_sim_exchange_reply (exchange, 200, TACHO_SIM_JSON_TYPE,
                              g_strdup ("{\"version\":\"0.17.0+tacho.sim\"}"));
  else if (tacho_sim_exchange_is (exchange, "GET", "/load"))
    reply_load (exchange);
  else if (tacho_sim_exchange_is (exchange, "GET", "/metrics"))
    tacho_sim_metrics (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/tokenize"))
    tokenize (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/sleep"))
    set_asleep (exchange, TRUE);
  else if (tacho_sim_exchange_is (exchange, "POST", "/wake_up"))
    set_asleep (exchange, FALSE);
  else if (tacho_sim_exchange_is (exchange, "GET", "/is_sleeping"))
    tacho_sim_exchange_reply (
        exchange, 200, TACHO_SIM_JSON_TYPE,
        g_strdup_printf ("{\"is_sleeping\":%s}",
                         tacho_sim_engine_is_asleep (exchange->host->engine) ? "true" : "false"));
  else if (tacho_sim_exchange_is (exchange, "POST", "/v1/load_lora_adapter"))
    change_adapter (exchange, TRUE);
  else if (tacho_sim_exchange_is (exchange, "POST", "/v1/unload_lora_adapter"))
    change_adapter (exchange, FALSE);
  else
    return tacho_sim_openai_route (exchange);
  return TRUE;
}
