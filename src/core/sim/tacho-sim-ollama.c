/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ollama's own routes: generations as NDJSON, models that load by use and leave by keep_alive. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-reply.h"

#include "base/tacho-json.h"
#include "sim/tacho-sim-job.h"
#include "sim/tacho-sim-prompt.h"

#include <string.h>

#define NDJSON_TYPE "application/x-ndjson"
#define KEEP_ALIVE_S 300
#define VERSION "0.13.5-tacho-sim"

/* --- keep_alive ------------------------------------------------------------------------------- */

static gboolean
is_busy (const TachoSimRuntime *runtime)
{
  for (guint i = 0; i < runtime->slots->len; i++)
    if (g_ptr_array_index (runtime->slots, i) != NULL)
      return TRUE;
  return !g_queue_is_empty ((GQueue *) &runtime->waiting);
}

/* Whose time is over leaves before the next request is looked at. */
static void
expire_models (TachoSimExchange *exchange)
{
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (exchange->host->engine);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  for (guint i = 0; i < runtimes->len; i++)
    {
      TachoSimRuntime *runtime = g_ptr_array_index (runtimes, i);

      if (runtime->status == TACHO_SIM_LOADED && runtime->expires_at > 0 &&
          runtime->expires_at <= now && !is_busy (runtime))
        tacho_sim_engine_unload (exchange->host->engine, runtime);
    }
}

/* A number of seconds, or a duration as Go writes it ("5m"); below zero: for ever. */
static double
read_keep_alive (JsonObject *request)
{
  const char *text = tacho_json_get_string (request, "keep_alive", NULL);
  char *end;
  double value;

  if (text == NULL)
    return tacho_json_get_double (request, "keep_alive", KEEP_ALIVE_S);
  value = g_ascii_strtod (text, &end);
  if (g_str_equal (end, "ms"))
    return value / 1000;
  if (*end == 'm')
    return value * 60;
  return *end == 'h' ? value * 3600 : value;
}

static void
set_keep_alive (TachoSimRuntime *runtime, double seconds)
{
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  runtime->expires_at = seconds < 0 ? 0 : now + (gint64) MIN (seconds, 1e9);
}

/* --- generations ------------------------------------------------------------------------------ */

static void
append_head (GString *json, const TachoSimReply *reply)
{
  tacho_sim_json_add (json, "{'model':%s,'created_at':", reply->model);
  tacho_sim_rfc3339 (json, g_get_real_time ());
}

static void
append_text (GString *json, const TachoSimReply *reply, const char *text, const char *thinking)
{
  if (reply->chat)
    {
      tacho_sim_json_add (json, ",'message':{'role':'assistant','content':%s", text);
      if (thinking != NULL && *thinking != '\0')
        tacho_sim_json_add (json, ",'thinking':%s", thinking);
      g_string_append_c (json, '}');
      return;
    }
  tacho_sim_json_add (json, ",'response':%s", text);
  if (thinking != NULL && *thinking != '\0')
    tacho_sim_json_add (json, ",'thinking':%s", thinking);
}

/* Nanoseconds. */
static void
append_end (GString *json, const TachoSimReply *reply)
{
  TachoSimTimes t;

  tacho_sim_json_add (json, ",'done':true,'done_reason':%s", reply->generation->finish_reason);
  tacho_sim_reply_get_times (reply, &t);
  if (!reply->exchange->play.no_usage)
    tacho_sim_json_add (json,
                        ",'total_duration':%i,'load_duration':%i,'prompt_eval_count':%u,"
                        "'prompt_eval_duration':%i,'eval_count':%u,'eval_duration':%i",
                        (gint64) (t.total_ms * 1e6), (gint64) (t.queue_ms * 1e6), t.n_prompt,
                        (gint64) (t.prompt_ms * 1e6), t.n_output, (gint64) (t.decode_ms * 1e6));
  g_string_append_c (json, '}');
}

static TachoSimSend
send_text (TachoSimReply *reply, const char *text, gboolean reasoning)
{
  g_string_truncate (reply->scratch, 0);
  append_head (reply->scratch, reply);
  append_text (reply->scratch, reply, reasoning ? "" : text, reasoning ? text : NULL);
  g_string_append (reply->scratch, ",\"done\":false}\n");
  return tacho_sim_reply_send_scratch (reply);
}

static void
send_end (TachoSimReply *reply)
{
  g_string_truncate (reply->scratch, 0);
  append_head (reply->scratch, reply);
  append_text (reply->scratch, reply, "", NULL);
  append_end (reply->scratch, reply);
  g_string_append_c (reply->scratch, '\n');
  tacho_sim_reply_send_scratch (reply);
}

static void
write_whole (TachoSimReply *reply, GString *json)
{
  append_head (json, reply);
  append_text (json, reply, reply->content->str, reply->reasoning->str);
  append_end (json, reply);
}

static const TachoSimFormat ollama_format = { NDJSON_TYPE, NULL,     NULL,
                                              send_text,   send_end, write_whole };

static void
read_options (JsonObject *request, TachoSimGenerationOptions *options)
{
  JsonObject *given = tacho_json_get_object (request, "options");

  if (given != NULL)
    tacho_sim_openai_read_options (given, options); /* stop, seed */
  options->max_tokens = tacho_json_get_int (given, "num_predict", -1);
  if (options->max_tokens <= 0)
    options->max_tokens = -1;
}

static TachoSimRuntime *
find_model (TachoSimExchange *exchange, JsonObject *request)
{
  const char *name =
      tacho_json_get_string (request, "model", tacho_json_get_string (request, "name", NULL));
  gboolean tagged = name != NULL && g_str_has_suffix (name, ":latest");
  g_autofree char *plain =
      tagged ? g_strndup (name, strlen (name) - strlen (":latest")) : g_strdup (name);
  TachoSimRuntime *runtime = tacho_sim_engine_find (exchange->host->engine, plain);

  if (name == NULL)
    tacho_sim_exchange_error (exchange, 400, "invalid_request_error", "model is required");
  else if (runtime == NULL)
    tacho_sim_exchange_error (exchange, 404, "not_found_error", "model '%s' not found", name);
  return runtime;
}

static void
reply_change (TachoSimExchange *exchange, const TachoSimModel *model, const char *reason)
{
  GString *json = g_string_new (NULL);

  tacho_sim_json_add (json, "{'model':%s,'created_at':", model->id);
  tacho_sim_rfc3339 (json, g_get_real_time ());
  if (g_str_equal (exchange->path, "/api/chat"))
    tacho_sim_json_add (json, ",'message':{'role':'assistant','content':''}");
  else
    tacho_sim_json_add (json, ",'response':''");
  tacho_sim_json_add (json, ",'done':true,'done_reason':%s}", reason);
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
loaded_cb (TachoSimExchange *exchange, TachoSimRuntime *runtime, double seconds)
{
  if (runtime->status == TACHO_SIM_LOADED)
    reply_change (exchange, runtime->model, "load");
  else
    tacho_sim_exchange_error (
        exchange, 500, "server_error", "llama runner process has terminated: %s",
        runtime->failed ? runtime->model->load_failure : "the model was unloaded");
}

/* Nothing to generate: the model comes or goes. */
static void
change_model (TachoSimExchange *exchange, TachoSimRuntime *runtime, double keep_alive)
{
  if (keep_alive != 0)
    {
      set_keep_alive (runtime, keep_alive);
      tacho_sim_job_load (exchange, runtime, loaded_cb);
      return;
    }
  if (runtime->status != TACHO_SIM_UNLOADED)
    tacho_sim_engine_unload (exchange->host->engine, runtime);
  reply_change (exchange, runtime->model, "unload");
}

static const char *
read_prompt (JsonObject *request, gboolean chat, GArray *tokens)
{
  const char *system = tacho_json_get_string (request, "system", NULL);

  if (chat)
    return tacho_sim_prompt_from_chat (request, tokens);
  if (system != NULL)
    tacho_sim_tokenize (system, tokens);
  return tacho_sim_prompt_from_completion (request, tokens);
}

static void
generate (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_auto (TachoSimGenerationOptions) options = { 0 };
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  gboolean chat = g_str_equal (exchange->path, "/api/chat");
  TachoSimRuntime *runtime = request ? find_model (exchange, request) : NULL;
  JsonArray *messages;
  TachoSimReply *reply;
  const char *problem;

  if (runtime == NULL)
    return;
  messages = tacho_json_get_array (request, "messages");
  if (chat ? messages == NULL || json_array_get_length (messages) == 0
           : *tacho_json_get_string (request, "prompt", "") == '\0')
    {
      change_model (exchange, runtime, read_keep_alive (request));
      return;
    }
  tacho_sim_generation_options_init (&options);
  read_options (request, &options);
  problem = read_prompt (request, chat, tokens);
  if (problem != NULL)
    {
      tacho_sim_exchange_error (exchange, 400, "invalid_request_error", "%s", problem);
      return;
    }
  set_keep_alive (runtime, read_keep_alive (request));
  reply = tacho_sim_reply_new (exchange, runtime, &ollama_format);
  reply->chat = chat;
  reply->stream = tacho_json_get_boolean (request, "stream", TRUE);
  reply->no_thoughts = !tacho_json_get_boolean (request, "think", TRUE) ||
                       tacho_json_get_boolean (request, "raw", FALSE);
  tacho_sim_reply_start (reply, g_steal_pointer (&tokens), &options);
}

/* --- models ----------------------------------------------------------------------------------- */

static void
append_details (GString *json, const TachoSimModel *model)
{
  g_autofree char *size = tacho_sim_model_size (model);

  tacho_sim_json_add (json,
                      "'details':{'parent_model':'','format':'gguf','family':%s,'families':[%s],"
                      "'parameter_size':%s,'quantization_level':%s}",
                      model->architecture, model->architecture, size, model->quantization);
}

static void
append_strings (GString *json, char **strings)
{
  g_string_append_c (json, '[');
  for (guint i = 0; strings != NULL && strings[i] != NULL; i++)
    {
      tacho_sim_json_comma (json);
      tacho_sim_json_add (json, "%s", strings[i]);
    }
  g_string_append_c (json, ']');
}

/* /api/tags: all; /api/ps: those in memory. */
static void
list_models (TachoSimExchange *exchange, gboolean running)
{
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (exchange->host->engine);
  GString *json = g_string_new ("{\"models\":[");

  for (guint i = 0; i < runtimes->len; i++)
    {
      const TachoSimRuntime *runtime = g_ptr_array_index (runtimes, i);
      const TachoSimModel *model = runtime->model;
      char digest[65];

      if (runtime->removed || (running && runtime->status != TACHO_SIM_LOADED))
        continue;
      tacho_sim_digest (model, model->id, digest);
      tacho_sim_json_comma (json);
      tacho_sim_json_add (json, "{'name':%s,'model':%s,'size':%i,'digest':%s,", model->id,
                          model->id, (gint64) (running ? model->memory_bytes : model->size_bytes),
                          digest);
      append_details (json, model);
      if (running)
        {
          tacho_sim_json_add (json, ",'size_vram':%i,'context_length':%i,'expires_at':",
                              (gint64) model->memory_bytes, model->context_window);
          tacho_sim_rfc3339 (json, (runtime->expires_at > 0 ? runtime->expires_at
                                                            : g_get_real_time () / G_USEC_PER_SEC +
                                                                  G_GINT64_CONSTANT (3155760000)) *
                                       G_USEC_PER_SEC);
        }
      else
        {
          g_string_append (json, ",\"modified_at\":");
          tacho_sim_rfc3339 (json, G_GINT64_CONSTANT (1767225600) * G_USEC_PER_SEC);
        }
      g_string_append_c (json, '}');
    }
  g_string_append (json, "]}");
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
show_model (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  TachoSimRuntime *runtime = request ? find_model (exchange, request) : NULL;
  const TachoSimModel *model;
  GString *json;

  if (runtime == NULL)
    return;
  model = runtime->model;
  json = g_string_new ("{");
  append_details (json, model);
  tacho_sim_json_add (json,
                      ",'license':'','modelfile':'',"
                      "'parameters':'temperature 0.8\\ntop_p 0.95','template':'{{ .Prompt }}',"
                      "'model_info':{'general.architecture':%s,'general.parameter_count':%i,"
                      "'general.name':%s,'%r.context_length':%i,'%r.embedding_length':4096},"
                      "'capabilities':",
                      model->architecture, (gint64) model->n_params, model->name,
                      model->architecture, model->context_window, model->architecture);
  append_strings (json, model->capabilities);
  g_string_append (json, ",\"modified_at\":");
  tacho_sim_rfc3339 (json, G_GINT64_CONSTANT (1767225600) * G_USEC_PER_SEC);
  g_string_append_c (json, '}');
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
delete_model (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  TachoSimRuntime *runtime = request ? find_model (exchange, request) : NULL;

  if (runtime == NULL)
    return;
  if (runtime->status != TACHO_SIM_UNLOADED)
    tacho_sim_engine_unload (exchange->host->engine, runtime);
  runtime->removed = TRUE;
  tacho_sim_exchange_reply (exchange, 200, TACHO_SIM_JSON_TYPE, g_strdup (""));
}

static void
copy_model (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  const char *source = tacho_json_get_string (request, "source", NULL);
  const char *destination = tacho_json_get_string (request, "destination", NULL);
  TachoSimRuntime *runtime = tacho_sim_engine_find (exchange->host->engine, source);

  if (request == NULL)
    return;
  if (runtime == NULL || destination == NULL || *destination == '\0')
    {
      tacho_sim_exchange_error (exchange, 404, "not_found_error", "model \"%s\" not found",
                                source ? source : "");
      return;
    }
  tacho_sim_engine_add_model (exchange->host->engine, destination, runtime->model);
  tacho_sim_exchange_reply (exchange, 200, TACHO_SIM_JSON_TYPE, g_strdup (""));
}

/* --- pull ------------------------------------------------------------------------------------- */

static void
send_status (TachoSimExchange *exchange, const char *status)
{
  g_autoptr (GString) line = g_string_new (NULL);

  tacho_sim_json_add (line, "{'status':%s}\n", status);
  tacho_sim_exchange_send (exchange, line->str);
}

static void
pull_cb (TachoSimPull *pull, gpointer user_data)
{
  static const char *const last[] = { "verifying sha256 digest", "writing manifest", "success" };
  TachoSimExchange *exchange = user_data;
  g_autoptr (GString) line = g_string_new (NULL);

  if (!exchange->head_sent) /* the client wants one reply, at the end */
    {
      if (pull->state == TACHO_SIM_PULL_DONE)
        tacho_sim_exchange_reply (exchange, 200, TACHO_SIM_JSON_TYPE,
                                  g_strdup ("{\"status\":\"success\"}"));
      return;
    }
  tacho_sim_json_add (line, "{'status':'pulling ");
  g_string_append_len (line, pull->digest, 12);
  tacho_sim_json_add (line, "','digest':'sha256:%r','total':%i", pull->digest,
                      (gint64) pull->total);
  if (pull->completed > 0)
    tacho_sim_json_add (line, ",'completed':%i", (gint64) pull->completed);
  g_string_append (line, "}\n");
  tacho_sim_exchange_send (exchange, line->str);
  if (pull->state != TACHO_SIM_PULL_DONE)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (last); i++)
    send_status (exchange, last[i]);
  tacho_sim_exchange_end_stream (exchange);
}

static void
cancel_pull (gpointer data)
{
  tacho_sim_pull_cancel (data);
}

static void
pull_model (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  const char *name =
      tacho_json_get_string (request, "model", tacho_json_get_string (request, "name", NULL));
  TachoSimPull *pull;
  gboolean stream;

  if (request == NULL)
    return;
  if (name == NULL)
    {
      tacho_sim_exchange_error (exchange, 400, "invalid_request_error", "model is required");
      return;
    }
  stream = tacho_json_get_boolean (request, "stream", TRUE);
  pull = tacho_sim_pull_start (exchange->host, name, pull_cb, exchange);
  if (pull != NULL)
    {
      exchange->job = pull;
      exchange->job_free = cancel_pull;
    }
  if (!stream && pull == NULL)
    tacho_sim_exchange_error (exchange, 500, "server_error",
                              "pull model manifest: file does not exist");
  if (!stream)
    return;
  tacho_sim_exchange_begin_stream (exchange, NDJSON_TYPE);
  send_status (exchange, "pulling manifest");
  if (pull == NULL)
    {
      tacho_sim_exchange_send (exchange,
                               "{\"error\":\"pull model manifest: file does not exist\"}\n");
      tacho_sim_exchange_end_stream (exchange);
    }
}

static void
reply_text (TachoSimExchange *exchange, const char *type, const char *text)
{
  tacho_sim_exchange_reply (exchange, 200, type, g_strdup (text));
}

/**
 * tacho_sim_ollama_route:
 * @exchange: the exchange
 *
 * Returns: whether the route is one of Ollama's, and was answered
 */
gboolean
tacho_sim_ollama_route (TachoSimExchange *exchange)
{
  expire_models (exchange);
  if (tacho_sim_exchange_is (exchange, "GET", "/") || tacho_sim_exchange_is (exchange, "HEAD", "/"))
    reply_text (exchange, "text/plain; charset=utf-8", "Ollama is running");
  else if (tacho_sim_exchange_is (exchange, "GET", "/api/version"))
    reply_text (exchange, TACHO_SIM_JSON_TYPE, "{\"version\":\"" VERSION "\"}");
  else if (tacho_sim_exchange_is (exchange, "GET", "/api/tags"))
    list_models (exchange, FALSE);
  else if (tacho_sim_exchange_is (exchange, "GET", "/api/ps"))
    list_models (exchange, TRUE);
  else if (tacho_sim_exchange_is (exchange, "POST", "/api/show"))
    show_model (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/api/chat") ||
           tacho_sim_exchange_is (exchange, "POST", "/api/generate"))
    generate (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/api/pull"))
    pull_model (exchange);
  else if (tacho_sim_exchange_is (exchange, "DELETE", "/api/delete"))
    delete_model (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/api/copy"))
    copy_model (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/api/embed"))
    tacho_sim_embeddings (exchange);
  else
    return tacho_sim_openai_route (exchange);
  return TRUE;
}
