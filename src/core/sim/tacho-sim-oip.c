/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Open Inference Protocol over REST: Triton with the tensors of its vLLM backend, its model
 * repository and the generate extension; KServe, which words some replies otherwise. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-reply.h"

#include "base/tacho-json.h"
#include "sim/tacho-sim-job.h"

#include <string.h>

#define INPUTS                                                                                     \
  "[{'name':'text_input','datatype':'BYTES','shape':[1]},"                                         \
  "{'name':'stream','datatype':'BOOL','shape':[1]},"                                               \
  "{'name':'sampling_parameters','datatype':'BYTES','shape':[1]},"                                 \
  "{'name':'exclude_input_in_output','datatype':'BOOL','shape':[1]},"                              \
  "{'name':'return_finish_reason','datatype':'BOOL','shape':[1]},"                                 \
  "{'name':'return_num_input_tokens','datatype':'BOOL','shape':[1]},"                              \
  "{'name':'return_num_output_tokens','datatype':'BOOL','shape':[1]}]"
#define OUTPUTS                                                                                    \
  "[{'name':'text_output','datatype':'BYTES','shape':[-1]},"                                       \
  "{'name':'finish_reason','datatype':'BYTES','shape':[-1]},"                                      \
  "{'name':'num_input_tokens','datatype':'UINT32','shape':[-1]},"                                  \
  "{'name':'num_output_tokens','datatype':'UINT32','shape':[-1]}]"

static gboolean
is_kserve (const TachoSimExchange *exchange)
{
  return exchange->family == TACHO_SIM_FAMILY_KSERVE;
}

static void
reply_empty (TachoSimExchange *exchange, guint status)
{
  tacho_sim_exchange_reply (exchange, status, "text/plain", g_strdup (""));
}

static TachoSimRuntime *
find_model (TachoSimExchange *exchange, const char *name)
{
  TachoSimRuntime *runtime = tacho_sim_engine_find (exchange->host->engine, name);

  if (runtime == NULL)
    tacho_sim_exchange_error (exchange, is_kserve (exchange) ? 404 : 400, "not_found_error",
                              is_kserve (exchange) ? "Model with name %s does not exist."
                                                   : "Request for unknown model: '%s' is not found",
                              name);
  return runtime;
}

/* --- metadata --------------------------------------------------------------------------------- */

static void
reply_server (TachoSimExchange *exchange)
{
  GString *json = g_string_new (NULL);

  if (is_kserve (exchange))
    tacho_sim_json_add (json, "{'name':'kserve','version':'0.16.0-tacho-sim',"
                              "'extensions':['model_repository_extension']}");
  else
    tacho_sim_json_add (json, "{'name':'triton','version':'2.62.0-tacho-sim','extensions':["
                              "'classification','sequence','model_repository',"
                              "'model_repository(unload_dependents)','schedule_policy',"
                              "'model_configuration','statistics','logging','generate'],"
                              "'simulated':true}");
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
reply_metadata (TachoSimExchange *exchange, const char *name)
{
  TachoSimRuntime *runtime = find_model (exchange, name);
  GString *json;

  if (runtime == NULL)
    return;
  if (runtime->status != TACHO_SIM_LOADED && !is_kserve (exchange))
    {
      tacho_sim_exchange_error (exchange, 400, "invalid_request_error",
                                "Request for unknown model: '%s' has no available versions", name);
      return;
    }
  json = g_string_new (NULL);
  tacho_sim_json_add (json,
                      "{'name':%s,'versions':['1'],'platform':'vllm','inputs':" INPUTS
                      ",'outputs':" OUTPUTS "}",
                      name);
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
reply_config (TachoSimExchange *exchange, const char *name)
{
  TachoSimRuntime *runtime = find_model (exchange, name);
  GString *json;

  if (runtime == NULL)
    return;
  json = g_string_new (NULL);
  tacho_sim_json_add (
      json,
      "{'name':%s,'platform':'','backend':'vllm','max_batch_size':0,'input':["
      "{'name':'text_input','data_type':'TYPE_STRING','dims':['1']},"
      "{'name':'stream','data_type':'TYPE_BOOL','dims':['1'],'optional':true},"
      "{'name':'sampling_parameters','data_type':'TYPE_STRING','dims':['1'],'optional':true}],"
      "'output':[{'name':'text_output','data_type':'TYPE_STRING','dims':['-1']}],"
      "'model_transaction_policy':{'decoupled':true},'parameters':{'max_model_len':"
      "{'string_value':'%i'},'quantization':{'string_value':%s}}}",
      name, runtime->model->context_window, runtime->model->quantization);
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
reply_statistics (TachoSimExchange *exchange)
{
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (exchange->host->engine);
  GString *json = g_string_new ("{\"model_stats\":[");

  for (guint i = 0; i < runtimes->len; i++)
    {
      const TachoSimRuntime *runtime = g_ptr_array_index (runtimes, i);

      if (runtime->status != TACHO_SIM_LOADED)
        continue;
      tacho_sim_json_comma (json);
      tacho_sim_json_add (json, "{'name':%s,'version':'1','inference_count':%i}",
                          runtime->model->id, (gint64) runtime->n_admissions);
    }
  g_string_append (json, "]}");
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
reply_ready (TachoSimExchange *exchange, const char *name)
{
  TachoSimRuntime *runtime = tacho_sim_engine_find (exchange->host->engine, name);
  gboolean ready = runtime != NULL && runtime->status == TACHO_SIM_LOADED;
  GString *json;

  if (!is_kserve (exchange))
    {
      reply_empty (exchange, ready ? 200 : 400);
      return;
    }
  json = g_string_new (NULL);
  tacho_sim_json_add (json, "{'name':%s,'ready':%b}", name, ready);
  tacho_sim_exchange_reply (exchange, ready ? 200 : 503, TACHO_SIM_JSON_TYPE,
                            g_string_free (json, FALSE));
}

/* --- the repository --------------------------------------------------------------------------- */

static void
append_index (GString *json, const TachoSimRuntime *runtime)
{
  static const char *const states[] = { "UNAVAILABLE", "LOADING", "READY" };

  tacho_sim_json_comma (json);
  tacho_sim_json_add (json, "{'name':%s", runtime->model->id);
  if (runtime->failed)
    tacho_sim_json_add (json, ",'version':'1','state':'UNAVAILABLE','reason':%s",
                        runtime->model->load_failure);
  else if (runtime->status != TACHO_SIM_UNLOADED || runtime->loaded_at > 0)
    tacho_sim_json_add (json, ",'version':'1','state':%s,'reason':%s", states[runtime->status],
                        runtime->status == TACHO_SIM_UNLOADED ? "unloaded" : "");
  g_string_append_c (json, '}');
}

static void
reply_index (TachoSimExchange *exchange)
{
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (exchange->host->engine);
  SoupMessageBody *body = soup_server_message_get_request_body (exchange->message);
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = body->length > 0 ? tacho_sim_exchange_parse_body (exchange, &root) : NULL;
  gboolean ready = tacho_json_get_boolean (request, "ready", FALSE);
  GString *json;

  if (exchange->ended)
    return;
  json = g_string_new ("[");
  for (guint i = 0; i < runtimes->len; i++)
    {
      const TachoSimRuntime *runtime = g_ptr_array_index (runtimes, i);

      if (!runtime->removed && (!ready || runtime->status == TACHO_SIM_LOADED))
        append_index (json, runtime);
    }
  g_string_append_c (json, ']');
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
list_names (TachoSimExchange *exchange)
{
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (exchange->host->engine);
  GString *json = g_string_new ("{\"models\":[");

  for (guint i = 0; i < runtimes->len; i++)
    {
      const TachoSimRuntime *runtime = g_ptr_array_index (runtimes, i);

      if (runtime->removed)
        continue;
      tacho_sim_json_comma (json);
      tacho_sim_json_add (json, "%s", runtime->model->id);
    }
  g_string_append (json, "]}");
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
reply_change (TachoSimExchange *exchange, const char *name, const char *what)
{
  GString *json = g_string_new (NULL);

  if (is_kserve (exchange))
    tacho_sim_json_add (json, "{'name':%s,%s:true}", name, what);
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
loaded_cb (TachoSimExchange *exchange, TachoSimRuntime *runtime, double seconds)
{
  if (runtime->status == TACHO_SIM_LOADED)
    reply_change (exchange, runtime->model->id, "load");
  else
    tacho_sim_exchange_error (exchange, is_kserve (exchange) ? 503 : 400, "server_error",
                              "failed to load '%s': %s", runtime->model->id,
                              runtime->failed ? runtime->model->load_failure
                                              : "the model was unloaded");
}

static void
load_or_unload (TachoSimExchange *exchange, const char *name, gboolean load)
{
  TachoSimRuntime *runtime = find_model (exchange, name);

  if (runtime == NULL)
    return;
  if (load)
    {
      tacho_sim_job_load (exchange, runtime, loaded_cb);
      return;
    }
  if (runtime->status != TACHO_SIM_UNLOADED)
    tacho_sim_engine_unload (exchange->host->engine, runtime);
  reply_change (exchange, name, "unload");
}

/* --- generate and infer ----------------------------------------------------------------------- */

static void
append_answer (GString *json, const TachoSimReply *reply, const char *text)
{
  const TachoSimSequence *sequence = reply->generation->sequence;
  const char *reason = reply->generation->finish_reason;
  guint tokens = reply->stream ? sequence->n_decoded - reply->n_sent : sequence->n_decoded;

  tacho_sim_json_add (json, "{'model_name':%s,'model_version':'1','text_output':%s", reply->model,
                      text);
  if (!reply->exchange->play.no_usage)
    tacho_sim_json_add (json, ",'finish_reason':%s,'num_input_tokens':%u,'num_output_tokens':%u",
                        reason ? reason : "None", sequence->prompt->len, tokens);
  g_string_append_c (json, '}');
}

/* Each answer counts the tokens since the one before it. */
static TachoSimSend
send_text (TachoSimReply *reply, const char *text, gboolean reasoning)
{
  g_string_assign (reply->scratch, "data: ");
  append_answer (reply->scratch, reply, text);
  g_string_append (reply->scratch, "\n\n");
  reply->n_sent = reply->generation->sequence->n_decoded;
  return tacho_sim_reply_send_scratch (reply);
}

/* The last answer has had its reason already, unless its text was held back. */
static void
send_end (TachoSimReply *reply)
{
  if (reply->generation->finish_reason != NULL &&
      strstr (reply->scratch->str, "\"finish_reason\":\"None\"") != NULL)
    send_text (reply, "", FALSE);
}

static void
write_generated (TachoSimReply *reply, GString *json)
{
  g_string_prepend (reply->content, reply->reasoning->str);
  append_answer (json, reply, reply->content->str);
}

static void
write_inferred (TachoSimReply *reply, GString *json)
{
  const TachoSimSequence *sequence = reply->generation->sequence;

  g_string_prepend (reply->content, reply->reasoning->str);
  tacho_sim_json_add (json,
                      "{'model_name':%s,'model_version':'1','outputs':[{'name':'text_output',"
                      "'datatype':'BYTES','shape':[1],'data':[%s]},{'name':'finish_reason',"
                      "'datatype':'BYTES','shape':[1],'data':[%s]},{'name':'num_input_tokens',"
                      "'datatype':'UINT32','shape':[1],'data':[%u]},{'name':"
                      "'num_output_tokens','datatype':'UINT32','shape':[1],'data':[%u]}]}",
                      reply->model, reply->content->str, reply->generation->finish_reason,
                      sequence->prompt->len, sequence->n_decoded);
}

static const TachoSimFormat generate_format = {
  "text/event-stream; charset=utf-8", NULL, NULL, send_text, send_end, write_generated
};
static const TachoSimFormat infer_format = { TACHO_SIM_JSON_TYPE, NULL,     NULL,
                                             send_text,           send_end, write_inferred };

/* The values may be text. */
static void
read_sampling (JsonObject *params, TachoSimGenerationOptions *options)
{
  const char *text = tacho_json_get_string (params, "max_tokens", NULL);

  if (params == NULL)
    return;
  tacho_sim_openai_read_options (params, options);
  if (text != NULL)
    options->max_tokens = g_ascii_strtoll (text, NULL, 10);
}

static void
read_sampling_text (const char *text, TachoSimGenerationOptions *options)
{
  g_autoptr (JsonNode) root = text ? tacho_json_parse_object (text, strlen (text), NULL) : NULL;

  if (root != NULL)
    read_sampling (json_node_get_object (root), options);
}

/* The one element of an input tensor, as text. */
static const char *
tensor_text (JsonObject *request, const char *name)
{
  JsonArray *inputs = tacho_json_get_array (request, "inputs");

  for (guint i = 0; inputs != NULL && i < json_array_get_length (inputs); i++)
    {
      JsonObject *input = tacho_json_array_get_object (inputs, i);
      JsonArray *data = tacho_json_get_array (input, "data");
      JsonNode *node;

      if (g_strcmp0 (tacho_json_get_string (input, "name", NULL), name) != 0 || data == NULL ||
          json_array_get_length (data) != 1)
        continue;
      node = json_array_get_element (data, 0);
      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        return json_node_get_string (node);
    }
  return NULL;
}

static void
generate (TachoSimExchange *exchange, const char *name, gboolean stream, gboolean infer)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_auto (TachoSimGenerationOptions) options = { 0 };
  TachoSimRuntime *runtime = find_model (exchange, name);
  JsonObject *request = runtime ? tacho_sim_exchange_parse_body (exchange, &root) : NULL;
  TachoSimReply *reply;
  const char *text;

  if (request == NULL)
    return;
  text = infer ? tensor_text (request, "text_input")
               : tacho_json_get_string (request, "text_input", NULL);
  if (text == NULL || runtime->status != TACHO_SIM_LOADED)
    {
      tacho_sim_exchange_error (exchange, 400, "invalid_request_error",
                                text == NULL
                                    ? "expected 1 input 'text_input' of type BYTES for model '%s'"
                                    : "Request for unknown model: '%s' is not loaded",
                                name);
      return;
    }
  tacho_sim_generation_options_init (&options);
  read_sampling (tacho_json_get_object (request, "parameters"), &options);
  read_sampling_text (infer ? tensor_text (request, "sampling_parameters")
                            : tacho_json_get_string (request, "sampling_parameters", NULL),
                      &options);
  if (tacho_json_has (request, "max_tokens"))
    options.max_tokens = tacho_json_get_int (request, "max_tokens", -1);
  if (options.max_tokens < 0)
    options.max_tokens = 16; /* vLLM's own default */
  tacho_sim_tokenize (text, tokens);
  reply = tacho_sim_reply_new (exchange, runtime, infer ? &infer_format : &generate_format);
  reply->stream = stream;
  tacho_sim_reply_start (reply, g_steal_pointer (&tokens), &options);
}

/* --- routes ----------------------------------------------------------------------------------- */

static gboolean
route_model (TachoSimExchange *exchange, gboolean get, char *name)
{
  static const char *const tails[] = { "/ready", "/config", "/generate", "/generate_stream",
                                       "/infer" };
  guint tail = G_N_ELEMENTS (tails);
  char *version;

  for (guint i = 0; i < G_N_ELEMENTS (tails) && tail == G_N_ELEMENTS (tails); i++)
    if (g_str_has_suffix (name, tails[i]))
      tail = i;
  if (tail < G_N_ELEMENTS (tails))
    name[strlen (name) - strlen (tails[tail])] = '\0';
  version = strstr (name, "/versions/");
  if (version != NULL)
    *version = '\0';
  if (get && tail == 0)
    reply_ready (exchange, name);
  else if (get && tail == 1 && !is_kserve (exchange))
    reply_config (exchange, name);
  else if (get && tail == G_N_ELEMENTS (tails))
    reply_metadata (exchange, name);
  else if (!get && tail >= 2 && tail < G_N_ELEMENTS (tails))
    generate (exchange, name, tail == 3, tail == 4);
  else
    return FALSE;
  return TRUE;
}

static void
reply_health (TachoSimExchange *exchange, const char *name)
{
  if (is_kserve (exchange))
    tacho_sim_exchange_reply (exchange, 200, TACHO_SIM_JSON_TYPE,
                              g_strdup_printf ("{\"%s\":true}", name));
  else
    reply_empty (exchange, 200);
}

/**
 * tacho_sim_oip_route:
 * @exchange: the exchange
 *
 * Returns: whether the route is one of the protocol's, and was answered
 */
gboolean
tacho_sim_oip_route (TachoSimExchange *exchange)
{
  gboolean get = g_str_equal (soup_server_message_get_method (exchange->message), "GET");
  gboolean post = g_str_equal (soup_server_message_get_method (exchange->message), "POST");
  g_autofree char *model = tacho_sim_exchange_get_between (exchange, "/v2/models/", "");
  g_autofree char *load =
      tacho_sim_exchange_get_between (exchange, "/v2/repository/models/", "/load");
  g_autofree char *unload =
      tacho_sim_exchange_get_between (exchange, "/v2/repository/models/", "/unload");

  if (tacho_sim_exchange_is (exchange, "GET", "/v2"))
    reply_server (exchange);
  else if (tacho_sim_exchange_is (exchange, "GET", "/v2/health/live"))
    reply_health (exchange, "live");
  else if (tacho_sim_exchange_is (exchange, "GET", "/v2/health/ready"))
    reply_health (exchange, "ready");
  else if (tacho_sim_exchange_is (exchange, "GET", "/v2/models") && is_kserve (exchange))
    list_names (exchange);
  else if (tacho_sim_exchange_is (exchange, "GET", "/v2/models/stats") && !is_kserve (exchange))
    reply_statistics (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/v2/repository/index") &&
           !is_kserve (exchange))
    reply_index (exchange);
  else if (post && load != NULL)
    load_or_unload (exchange, load, TRUE);
  else if (post && unload != NULL)
    load_or_unload (exchange, unload, FALSE);
  else if (tacho_sim_exchange_is (exchange, "GET", "/metrics") && !is_kserve (exchange))
    tacho_sim_metrics (exchange);
  else if (is_kserve (exchange) &&
           (tacho_sim_exchange_is (exchange, "POST", "/openai/v1/chat/completions") ||
            tacho_sim_exchange_is (exchange, "POST", "/openai/v1/completions")))
    tacho_sim_openai_generate (exchange);
  else if (is_kserve (exchange) && tacho_sim_exchange_is (exchange, "GET", "/openai/v1/models"))
    tacho_sim_openai_list (exchange);
  else if ((get || post) && model != NULL)
    return route_model (exchange, get, model);
  else
    return FALSE;
  return TRUE;
}
