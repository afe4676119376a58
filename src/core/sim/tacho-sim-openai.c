/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /v1/chat/completions and /v1/completions, whole and streamed, as llama.cpp answers them; without
 * llama.cpp's additions when the server is to look like a plain OpenAI-compatible one. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-http.h"

#include "base/tacho-json.h"
#include "sim/tacho-sim-prompt.h"
#include "sim/tacho-sim-text.h"

#include <string.h>

#define JSON_TYPE "application/json; charset=utf-8"
#define MAX_STOPS 16

typedef struct
{
  TachoSimExchange *exchange;
  TachoSimSequence *sequence;
  TachoSimText text;
  char *model;
  char *id;
  gint64 created;
  gboolean chat, stream, include_usage, return_progress;
  gboolean ignore_eos, timings_per_token;
  gint64 max_tokens; /* -1: until it ends by itself */
  guint natural_length;
  guint n_reasoning; /* the first tokens are thoughts: so many, to the end of a sentence */
  gboolean thinking;
  guint64 content_seed; /* of what follows the thoughts */
  GPtrArray *stops;
  GString *pending; /* may be the begin of a stop string */
  GString *content; /* of a whole reply */
  GString *reasoning;
  GString *scratch;
  const char *finish_reason;
  gboolean role_sent;
} Generation;

static void
generation_free (gpointer data)
{
  Generation *generation = data;

  if (generation->sequence != NULL)
    {
      tacho_sim_engine_remove (generation->exchange->host->engine, generation->sequence);
      tacho_sim_sequence_free (generation->sequence);
    }
  g_free (generation->model);
  g_free (generation->id);
  g_ptr_array_unref (generation->stops);
  g_string_free (generation->pending, TRUE);
  g_string_free (generation->content, TRUE);
  g_string_free (generation->reasoning, TRUE);
  g_string_free (generation->scratch, TRUE);
  g_free (generation);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void
append_number (GString *json, const char *name, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (json, "\"%s\":%s", name,
                          g_ascii_formatd (text, sizeof text, "%.6g", value));
}

static void
append_timings (GString *json, const Generation *generation)
{
  const TachoSimSequence *sequence = generation->sequence;
  guint n_prompt = sequence->prompt->len - sequence->n_cached;
  guint n = sequence->n_decoded;
  double prompt_ms = (double) (sequence->prompt_done_ns - sequence->admitted_ns) / 1e6;
  double predicted_ms = (double) (sequence->last_token_ns - sequence->prompt_done_ns) / 1e6;

  g_string_append_printf (json, ",\"timings\":{\"cache_n\":%u,\"prompt_n\":%u,", sequence->n_cached,
                          n_prompt);
  append_number (json, "prompt_ms", prompt_ms);
  g_string_append_c (json, ',');
  append_number (json, "prompt_per_token_ms", prompt_ms / MAX (n_prompt, 1));
  g_string_append_c (json, ',');
  append_number (json, "prompt_per_second", prompt_ms > 0 ? n_prompt / prompt_ms * 1000 : 0);
  g_string_append_printf (json, ",\"predicted_n\":%u,", n);
  append_number (json, "predicted_ms", predicted_ms);
  g_string_append_c (json, ',');
  append_number (json, "predicted_per_token_ms", predicted_ms / MAX (n, 1));
  g_string_append_c (json, ',');
  append_number (json, "predicted_per_second", predicted_ms > 0 ? n / predicted_ms * 1000 : 0);
  g_string_append_c (json, '}');
}

static void
append_usage (GString *json, const Generation *generation)
{
  const TachoSimSequence *sequence = generation->sequence;

  g_string_append_printf (json,
                          ",\"usage\":{\"completion_tokens\":%u,\"prompt_tokens\":%u,"
                          "\"total_tokens\":%u,\"prompt_tokens_details\":{\"cached_tokens\":%u}",
                          sequence->n_decoded, sequence->prompt->len,
                          sequence->n_decoded + sequence->prompt->len, sequence->n_cached);
  if (generation->n_reasoning > 0)
    g_string_append_printf (json, ",\"completion_tokens_details\":{\"reasoning_tokens\":%u}",
                            generation->thinking ? sequence->n_decoded : generation->n_reasoning);
  g_string_append_c (json, '}');
}

static void
append_identity (GString *json, const Generation *generation, const char *object)
{
  g_string_append_printf (json, ",\"created\":%" G_GINT64_FORMAT ",\"id\":\"%s\",\"model\":",
                          generation->created, generation->id);
  tacho_sim_json_quote (json, generation->model);
  g_string_append_printf (
      json, ",\"system_fingerprint\":\"tacho-sim-" TACHO_VERSION "\",\"object\":\"%s\"", object);
}

/* A chunk: member NULL is an empty delta, text NULL is null. */
static const char *
begin_chunk (Generation *generation, const char *member, const char *text, gboolean with_role)
{
  GString *json = generation->scratch;

  g_string_assign (json, "{\"choices\":[{\"finish_reason\":");
  if (generation->finish_reason != NULL && member == NULL)
    tacho_sim_json_quote (json, generation->finish_reason);
  else
    g_string_append (json, "null");
  g_string_append (json, ",\"index\":0,");
  if (generation->chat)
    g_string_append (json, with_role ? "\"delta\":{\"role\":\"assistant\"," : "\"delta\":{");
  if (generation->chat && member != NULL)
    g_string_append_printf (json, "\"%s\":", member);
  else if (!generation->chat)
    g_string_append (json, "\"logprobs\":null,\"text\":");
  if (text != NULL)
    tacho_sim_json_quote (json, text);
  else if (!generation->chat)
    g_string_append (json, "\"\"");
  else if (member != NULL)
    g_string_append (json, "null");
  g_string_append (json, generation->chat ? "}}]" : "}]");
  append_identity (json, generation,
                   generation->chat ? "chat.completion.chunk" : "text_completion");
  return json->str;
}

static gboolean
wants_timings (const Generation *generation)
{
  return generation->exchange->family != TACHO_SIM_FAMILY_OPENAI &&
         !generation->exchange->play.no_usage;
}

static TachoSimSend
send_scratch (Generation *generation)
{
  g_string_append_c (generation->scratch, '}');
  return tacho_sim_exchange_send_event (generation->exchange, generation->scratch->str);
}

static TachoSimSend
send_role (Generation *generation)
{
  if (generation->role_sent || !generation->chat)
    return TACHO_SIM_SENT;
  generation->role_sent = TRUE;
  begin_chunk (generation, "content", NULL, TRUE);
  return send_scratch (generation);
}

static TachoSimSend
send_text (Generation *generation, const char *text, gboolean reasoning)
{
  if (send_role (generation) == TACHO_SIM_CUT)
    return TACHO_SIM_CUT;
  begin_chunk (generation, reasoning ? "reasoning_content" : "content", text, FALSE);
  if (generation->timings_per_token && wants_timings (generation))
    append_timings (generation->scratch, generation);
  return send_scratch (generation);
}

static void
send_end (Generation *generation)
{
  TachoSimExchange *exchange = generation->exchange;
  gboolean usage_chunk = generation->include_usage && !exchange->play.no_usage;

  if (send_role (generation) == TACHO_SIM_CUT)
    return;
  begin_chunk (generation, NULL, NULL, FALSE);
  if (!usage_chunk && wants_timings (generation))
    append_timings (generation->scratch, generation);
  if (send_scratch (generation) == TACHO_SIM_CUT)
    return;
  if (usage_chunk)
    {
      g_string_assign (generation->scratch, "{\"choices\":[]");
      append_identity (generation->scratch, generation,
                       generation->chat ? "chat.completion.chunk" : "text_completion");
      append_usage (generation->scratch, generation);
      if (wants_timings (generation))
        append_timings (generation->scratch, generation);
      if (send_scratch (generation) == TACHO_SIM_CUT)
        return;
    }
  if (tacho_sim_exchange_send_event (exchange, "[DONE]") == TACHO_SIM_CUT)
    return;
  TACHO_SIM_COUNT (exchange->host->engine, completed, 1);
  tacho_sim_exchange_end_stream (exchange);
}

static void
reply_whole (Generation *generation)
{
  GString *json = g_string_new ("{\"choices\":[{\"finish_reason\":");

  tacho_sim_json_quote (json, generation->finish_reason);
  g_string_append (json, ",\"index\":0,");
  if (generation->chat)
    {
      g_string_append (json, "\"message\":{\"role\":\"assistant\",");
      if (generation->reasoning->len > 0)
        {
          g_string_append (json, "\"reasoning_content\":");
          tacho_sim_json_quote (json, generation->reasoning->str);
          g_string_append_c (json, ',');
        }
      g_string_append (json, "\"content\":");
      tacho_sim_json_quote (json, generation->content->str);
      g_string_append (json, "}}]");
    }
  else
    {
      g_string_append (json, "\"logprobs\":null,\"text\":");
      tacho_sim_json_quote (json, generation->content->str);
      g_string_append (json, "}]");
    }
  append_identity (json, generation, generation->chat ? "chat.completion" : "text_completion");
  if (!generation->exchange->play.no_usage)
    append_usage (json, generation);
  if (wants_timings (generation))
    append_timings (json, generation);
  g_string_append_c (json, '}');
  if (!generation->exchange->play.has_stream_fault)
    TACHO_SIM_COUNT (generation->exchange->host->engine, completed, 1);
  tacho_sim_exchange_reply (generation->exchange, 200, JSON_TYPE, g_string_free (json, FALSE));
}

/* --- what the engine says --------------------------------------------------------------------- */

static void
admitted_cb (gpointer user_data)
{
  Generation *generation = user_data;

  if (generation->stream)
    tacho_sim_exchange_begin_stream (generation->exchange);
}

static void
progress_cb (gpointer user_data)
{
  Generation *generation = user_data;
  const TachoSimSequence *sequence = generation->sequence;

  if (!generation->return_progress || !generation->stream ||
      send_role (generation) == TACHO_SIM_CUT)
    return;
  begin_chunk (generation, "content", NULL, TRUE);
  g_string_append_printf (generation->scratch,
                          ",\"prompt_progress\":{\"total\":%u,\"cache\":%u,\"processed\":%u,"
                          "\"time_ms\":%" G_GINT64_FORMAT "}",
                          sequence->prompt->len, sequence->n_cached, sequence->n_processed,
                          (g_get_monotonic_time () * 1000 - sequence->admitted_ns) / 1000000);
  send_scratch (generation);
}

/* Where a stop string begins in the pending text; or how much may be sent, because what follows may
 * yet become a stop string. */
static gboolean
find_stop (const Generation *generation, gsize *keep)
{
  const GString *pending = generation->pending;

  *keep = pending->len;
  for (guint i = 0; i < generation->stops->len; i++)
    {
      const char *found = strstr (pending->str, g_ptr_array_index (generation->stops, i));

      if (found != NULL)
        {
          *keep = (gsize) (found - pending->str);
          return TRUE;
        }
    }
  for (guint i = 0; i < generation->stops->len; i++)
    {
      const char *stop = g_ptr_array_index (generation->stops, i);
      gsize length = strlen (stop);

      for (gsize n = MIN (length, pending->len); n > 0; n--)
        if (memcmp (pending->str + pending->len - n, stop, n) == 0)
          {
            *keep = MIN (*keep, pending->len - n);
            break;
          }
    }
  return FALSE;
}

static TachoSimSend
emit_pending (Generation *generation, gsize n, gboolean reasoning)
{
  g_autofree char *text = g_strndup (generation->pending->str, n);

  g_string_erase (generation->pending, 0, (gssize) n);
  if (!generation->stream)
    {
      g_string_append (reasoning ? generation->reasoning : generation->content, text);
      return TACHO_SIM_SENT;
    }
  return *text != '\0' ? send_text (generation, text, reasoning) : TACHO_SIM_SENT;
}

static gboolean
token_cb (gpointer user_data)
{
  Generation *generation = user_data;
  TachoSimSequence *sequence = generation->sequence;
  gint64 context = sequence->runtime->model->context_window;
  guint n = sequence->n_decoded;
  gboolean reasoning = generation->thinking;
  gboolean sentence_end = tacho_sim_text_next (&generation->text, generation->pending);
  gsize keep = generation->pending->len;

  if (!reasoning && find_stop (generation, &keep))
    generation->finish_reason = "stop";
  else if ((generation->max_tokens >= 0 && n >= generation->max_tokens) ||
           (gint64) n + sequence->prompt->len >= context)
    generation->finish_reason = "length";
  else if (!generation->ignore_eos && n >= generation->natural_length && sentence_end)
    generation->finish_reason = "stop";
  if (reasoning && n >= generation->n_reasoning && sentence_end)
    {
      generation->thinking = FALSE;
      generation->n_reasoning = n;
      tacho_sim_text_init (&generation->text, generation->content_seed);
    }

  /* At the end, what was held back goes out too, unless a stop string begins there. */
  if (generation->finish_reason != NULL && (reasoning || !find_stop (generation, &keep)))
    keep = generation->pending->len;
  TACHO_SIM_COUNT (generation->exchange->host->engine, output_tokens, 1);
  if (emit_pending (generation, keep, reasoning) == TACHO_SIM_CUT)
    return FALSE;
  if (generation->finish_reason == NULL)
    return TRUE;
  if (generation->stream)
    send_end (generation);
  else
    reply_whole (generation);
  return FALSE;
}

static void
failed_cb (gpointer user_data, const char *reason)
{
  Generation *generation = user_data;
  TachoSimExchange *exchange = generation->exchange;
  g_autofree char *message =
      g_strdup_printf ("model name=%s failed to load: %s", generation->model, reason);

  if (exchange->head_sent && !exchange->ended)
    {
      g_autofree char *json = tacho_sim_error_json (500, "server_error", reason);

      tacho_sim_exchange_send_event (exchange, json);
      tacho_sim_exchange_end_stream (exchange);
    }
  else
    tacho_sim_exchange_error (exchange, 500, "server_error", "%s", message);
}

static const TachoSimSequenceFuncs sequence_funcs = { admitted_cb, progress_cb, token_cb,
                                                      failed_cb };

/* --- the request ------------------------------------------------------------------------------ */

static void
add_stop (GPtrArray *stops, const char *stop)
{
  if (stop != NULL && *stop != '\0' && strlen (stop) <= 1024 && stops->len < MAX_STOPS)
    g_ptr_array_add (stops, g_strdup (stop));
}

static void
read_stops (JsonObject *request, GPtrArray *stops)
{
  JsonArray *array = tacho_json_get_array (request, "stop");

  add_stop (stops, tacho_json_get_string (request, "stop", NULL));
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        add_stop (stops, json_node_get_string (node));
    }
}

static guint64
text_seed (const Generation *generation, GArray *tokens, gint64 seed)
{
  guint64 hash = tacho_sim_mix (generation->exchange->host->config->seed);

  for (guint i = 0; i < tokens->len; i++)
    hash = tacho_sim_mix (hash ^ g_array_index (tokens, guint32, i));
  return tacho_sim_mix (hash ^ g_str_hash (generation->model) ^ tacho_sim_mix ((guint64) seed));
}

static Generation *
generation_new (TachoSimExchange *exchange, JsonObject *request, const TachoSimModel *model)
{
  Generation *generation = g_new0 (Generation, 1);
  JsonObject *options = tacho_json_get_object (request, "stream_options");

  generation->exchange = exchange;
  generation->chat = strstr (exchange->path, "chat") != NULL;
  generation->model = g_strdup (model->id);
  generation->created = g_get_real_time () / G_USEC_PER_SEC;
  generation->stream = tacho_json_get_boolean (request, "stream", FALSE);
  generation->include_usage = tacho_json_get_boolean (options, "include_usage", FALSE);
  generation->return_progress = tacho_json_get_boolean (request, "return_progress", FALSE);
  generation->timings_per_token = tacho_json_get_boolean (request, "timings_per_token", FALSE);
  generation->ignore_eos = tacho_json_get_boolean (request, "ignore_eos", FALSE);
  generation->max_tokens = tacho_json_get_int (
      request, "max_completion_tokens",
      tacho_json_get_int (request, "max_tokens", tacho_json_get_int (request, "n_predict", -1)));
  generation->stops = g_ptr_array_new_with_free_func (g_free);
  generation->pending = g_string_new (NULL);
  generation->content = g_string_new (NULL);
  generation->reasoning = g_string_new (NULL);
  generation->scratch = g_string_sized_new (512);
  read_stops (request, generation->stops);
  return generation;
}

static void
start_generation (TachoSimExchange *exchange, TachoSimRuntime *runtime, JsonObject *request)
{
  const TachoSimModel *model = runtime->model;
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  Generation *generation = generation_new (exchange, request, model);
  const char *problem;
  guint64 seed;

  exchange->generation = generation;
  exchange->generation_cancel = generation_free;
  problem = generation->chat ? tacho_sim_prompt_from_chat (request, tokens)
                             : tacho_sim_prompt_from_completion (request, tokens);
  if (problem == NULL && generation->max_tokens == 0)
    problem = "'max_tokens' must be 1 or more";
  if (problem != NULL)
    {
      tacho_sim_exchange_error (exchange, 400, "invalid_request_error", "%s", problem);
      return;
    }
  if (tokens->len >= model->context_window)
    {
      g_autofree char *body =
          g_strdup_printf ("{\"error\":{\"code\":400,\"message\":\"the request (%u tokens) exceeds "
                           "the available context "
                           "size (%" G_GINT64_FORMAT
                           " tokens), try increasing it\",\"type\":\"exceed_context_size_error\","
                           "\"n_prompt_tokens\":%u,\"n_ctx\":%" G_GINT64_FORMAT "}}",
                           tokens->len, model->context_window, tokens->len, model->context_window);

      tacho_sim_exchange_reply (exchange, 400, JSON_TYPE, g_steal_pointer (&body));
      return;
    }
  seed = text_seed (generation, tokens, tacho_json_get_int (request, "seed", -1));
  tacho_sim_text_init (&generation->text, seed);
  generation->id =
      g_strdup_printf ("%s-sim-%016" G_GINT64_MODIFIER "x", generation->chat ? "chatcmpl" : "cmpl",
                       tacho_sim_mix (seed + exchange->number));
  if (generation->chat && model->reasoning)
    generation->n_reasoning = 24 + (guint) (tacho_sim_mix (seed + 1) % 48);
  generation->thinking = generation->n_reasoning > 0;
  generation->content_seed = tacho_sim_mix (seed + 3);
  generation->natural_length =
      generation->n_reasoning + 48 + (guint) (tacho_sim_mix (seed + 2) % 128);
  generation->sequence =
      tacho_sim_sequence_new (g_steal_pointer (&tokens), &sequence_funcs, generation);
  generation->sequence->cache_prompt = tacho_json_get_boolean (request, "cache_prompt", TRUE);
  generation->sequence->factor = exchange->play.factor;
  tacho_sim_engine_add (exchange->host->engine, runtime, generation->sequence);
}

/**
 * tacho_sim_openai_generate:
 * @exchange: a generation request
 */
void
tacho_sim_openai_generate (TachoSimExchange *exchange)
{
  const TachoSimConfig *config = exchange->host->config;
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (exchange->host->engine);
  TachoSimRuntime *runtime;
  const char *model;

  if (request == NULL)
    return;
  model = tacho_json_get_string (request, "model", NULL);
  if (!config->router && exchange->family == TACHO_SIM_FAMILY_LLAMACPP)
    runtime = g_ptr_array_index (runtimes, 0); /* llama.cpp with one model takes any name */
  else
    runtime = tacho_sim_engine_find (exchange->host->engine, model);
  if (model == NULL && runtime == NULL)
    tacho_sim_exchange_error (exchange, 400, "invalid_request_error",
                              "model name is missing from the request");
  else if (runtime == NULL)
    tacho_sim_exchange_error (exchange, 404, "not_found_error", "model '%s' not found", model);
  else
    start_generation (exchange, runtime, request);
}

static void
list_models (TachoSimExchange *exchange)
{
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (exchange->host->engine);
  GString *json = g_string_new ("{\"object\":\"list\",\"data\":[");

  for (guint i = 0; i < runtimes->len; i++)
    {
      const TachoSimRuntime *runtime = g_ptr_array_index (runtimes, i);

      g_string_append (json, i > 0 ? ",{\"id\":" : "{\"id\":");
      tacho_sim_json_quote (json, runtime->model->id);
      g_string_append_printf (json,
                              ",\"object\":\"model\",\"created\":%" G_GINT64_FORMAT
                              ",\"owned_by\":\"tacho-sim\"}",
                              runtime->loaded_at);
    }
  g_string_append (json, "]}");
  tacho_sim_exchange_reply (exchange, 200, JSON_TYPE, g_string_free (json, FALSE));
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
  const char *method = soup_server_message_get_method (exchange->message);

  if (tacho_sim_is_generation (exchange->path) && g_str_equal (method, "POST") &&
      (exchange->family != TACHO_SIM_FAMILY_OPENAI || g_str_has_prefix (exchange->path, "/v1/")))
    tacho_sim_openai_generate (exchange);
  else if (g_str_equal (exchange->path, "/v1/models") && g_str_equal (method, "GET"))
    list_models (exchange);
  else
    return FALSE;
  return TRUE;
}
