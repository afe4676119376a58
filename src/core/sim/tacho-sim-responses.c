/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /v1/responses (named events) and /v1/embeddings. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-reply.h"

#include "base/tacho-json.h"
#include "sim/tacho-sim-prompt.h"

#include <math.h>
#include <string.h>

#define DIMENSIONS 64
#define MAX_INPUTS 2048

/* --- responses -------------------------------------------------------------------------------- */

static GString *
begin_event (TachoSimReply *reply, const char *type)
{
  GString *json = reply->scratch;

  g_string_printf (json, "event: %s\ndata: {\"type\":\"%s\"", type, type);
  if (reply->exchange->family != TACHO_SIM_FAMILY_LLAMACPP &&
      reply->exchange->family != TACHO_SIM_FAMILY_ALL)
    tacho_sim_json_add (json, ",'sequence_number':%u", reply->n_sent);
  reply->n_sent++;
  return json;
}

static TachoSimSend
send_event (TachoSimReply *reply)
{
  g_string_append (reply->scratch, "}\n\n");
  return tacho_sim_reply_send_scratch (reply);
}

static void
append_response (GString *json, const TachoSimReply *reply, const char *status)
{
  const TachoSimSequence *sequence = reply->generation->sequence;
  gboolean ended = !g_str_equal (status, "in_progress");

  tacho_sim_json_add (json,
                      "{'id':'resp_%r','object':'response','created_at':%i,'model':%s,"
                      "'status':%s,'error':null,'incomplete_details':",
                      reply->id, reply->created, reply->model, status);
  if (g_str_equal (status, "incomplete"))
    tacho_sim_json_add (json, "{'reason':'max_output_tokens'},'output':[");
  else
    tacho_sim_json_add (json, "null,'output':[");
  if (ended && reply->reasoning->len > 0)
    tacho_sim_json_add (json,
                        "{'id':'rs_%r','type':'reasoning','summary':[],'content':"
                        "[{'type':'reasoning_text','text':%s}]},",
                        reply->id, reply->reasoning->str);
  if (ended)
    tacho_sim_json_add (json,
                        "{'id':'msg_%r','type':'message','role':'assistant','status':%s,"
                        "'content':[{'type':'output_text','text':%s,'annotations':[]}]}",
                        reply->id, status, reply->content->str);
  g_string_append (json, "],\"usage\":");
  if (ended && !reply->exchange->play.no_usage)
    tacho_sim_json_add (json,
                        "{'input_tokens':%u,'input_tokens_details':{'cached_tokens':%u},"
                        "'output_tokens':%u,'output_tokens_details':{'reasoning_tokens':%u},"
                        "'total_tokens':%u}}",
                        sequence->prompt->len, sequence->n_cached, sequence->n_decoded,
                        tacho_sim_generation_get_reasoning_tokens (reply->generation),
                        sequence->prompt->len + sequence->n_decoded);
  else
    g_string_append (json, "null}");
}

static void
send_begin (TachoSimReply *reply)
{
  static const char *const types[] = { "response.created", "response.in_progress" };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      GString *json = begin_event (reply, types[i]);

      g_string_append (json, ",\"response\":");
      append_response (json, reply, "in_progress");
      if (send_event (reply) == TACHO_SIM_CUT)
        return;
    }
}

static TachoSimSend
open_text (TachoSimReply *reply)
{
  guint index = reply->reasoning->len > 0;

  if (reply->text_open)
    return TACHO_SIM_SENT;
  reply->text_open = TRUE;
  tacho_sim_json_add (begin_event (reply, "response.output_item.added"),
                      ",'output_index':%u,'item':{'id':'msg_%r','type':'message',"
                      "'role':'assistant','status':'in_progress','content':[]}",
                      index, reply->id);
  if (send_event (reply) == TACHO_SIM_CUT)
    return TACHO_SIM_CUT;
  tacho_sim_json_add (begin_event (reply, "response.content_part.added"),
                      ",'item_id':'msg_%r','output_index':%u,'content_index':0,"
                      "'part':{'type':'output_text','text':'','annotations':[]}",
                      reply->id, index);
  return send_event (reply);
}

static TachoSimSend
send_text (TachoSimReply *reply, const char *text, gboolean reasoning)
{
  if (!reasoning && open_text (reply) == TACHO_SIM_CUT)
    return TACHO_SIM_CUT;
  begin_event (reply, reasoning ? "response.reasoning_text.delta" : "response.output_text.delta");
  tacho_sim_json_add (
      reply->scratch, ",'item_id':'%r_%r','output_index':%u,'content_index':0,'delta':%s",
      reasoning ? "rs" : "msg", reply->id, (guint) (!reasoning && reply->reasoning->len > 0), text);
  return send_event (reply);
}

static void
send_end (TachoSimReply *reply)
{
  gboolean cut = g_str_equal (reply->generation->finish_reason, "length");
  guint index = reply->reasoning->len > 0;
  GString *json;

  if (open_text (reply) == TACHO_SIM_CUT)
    return;
  tacho_sim_json_add (begin_event (reply, "response.output_text.done"),
                      ",'item_id':'msg_%r','output_index':%u,'content_index':0,'text':%s",
                      reply->id, index, reply->content->str);
  if (send_event (reply) == TACHO_SIM_CUT)
    return;
  tacho_sim_json_add (begin_event (reply, "response.content_part.done"),
                      ",'item_id':'msg_%r','output_index':%u,'content_index':0,'part':"
                      "{'type':'output_text','text':%s,'annotations':[]}",
                      reply->id, index, reply->content->str);
  if (send_event (reply) == TACHO_SIM_CUT)
    return;
  tacho_sim_json_add (begin_event (reply, "response.output_item.done"),
                      ",'output_index':%u,'item':{'id':'msg_%r','type':'message',"
                      "'role':'assistant','status':'completed','content':[{'type':"
                      "'output_text','text':%s,'annotations':[]}]}",
                      index, reply->id, reply->content->str);
  if (send_event (reply) == TACHO_SIM_CUT)
    return;
  json = begin_event (reply, cut ? "response.incomplete" : "response.completed");
  g_string_append (json, ",\"response\":");
  append_response (json, reply, cut ? "incomplete" : "completed");
  send_event (reply);
}

static void
write_whole (TachoSimReply *reply, GString *json)
{
  gboolean cut = g_str_equal (reply->generation->finish_reason, "length");

  append_response (json, reply, cut ? "incomplete" : "completed");
}

static const TachoSimFormat responses_format = { TACHO_SIM_SSE_TYPE, send_begin, NULL,
                                                 send_text,          send_end,   write_whole };

/**
 * tacho_sim_responses_generate:
 * @exchange: a request to `/v1/responses`
 */
void
tacho_sim_responses_generate (TachoSimExchange *exchange)
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
  tacho_sim_generation_options_init (&options);
  options.max_tokens = tacho_json_get_int (request, "max_output_tokens", -1);
  options.seed = tacho_json_get_int (request, "seed", -1);
  reply = tacho_sim_reply_new (exchange, runtime, &responses_format);
  reply->chat = TRUE;
  reply->stream = tacho_json_get_boolean (request, "stream", FALSE);
  if (problem == NULL && options.max_tokens == 0)
    problem = "'max_output_tokens' must be 1 or more";
  if (problem != NULL)
    tacho_sim_exchange_error (exchange, 400, "invalid_request_error", "%s", problem);
  else
    tacho_sim_reply_start (reply, g_steal_pointer (&tokens), &options);
}

/* --- embeddings ------------------------------------------------------------------------------- */

/* A unit vector that the text alone decides. */
static guint
append_embedding (GString *json, const char *text)
{
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (guint32));
  double values[DIMENSIONS] = { 0 }, sum = 0;

  tacho_sim_tokenize (text, tokens);
  for (guint i = 0; i < DIMENSIONS; i++)
    {
      for (guint j = 0; j < tokens->len; j++)
        {
          guint64 mixed = tacho_sim_mix (((guint64) g_array_index (tokens, guint32, j) << 8) + i);

          values[i] += (double) (mixed >> 11) / (double) (G_GUINT64_CONSTANT (1) << 52) - 1;
        }
      sum += values[i] * values[i];
    }
  g_string_append_c (json, '[');
  for (guint i = 0; i < DIMENSIONS; i++)
    {
      tacho_sim_json_comma (json);
      tacho_sim_json_add (json, "%n", sum > 0 ? values[i] / sqrt (sum) : 0.0);
    }
  g_string_append_c (json, ']');
  return tokens->len;
}

static guint
append_one (GString *json, guint index, const char *text, gboolean native)
{
  guint n;

  tacho_sim_json_comma (json);
  if (native)
    return append_embedding (json, text);
  tacho_sim_json_add (json, "{'object':'embedding','index':%u,'embedding':", index);
  n = append_embedding (json, text);
  g_string_append_c (json, '}');
  return n;
}

/**
 * tacho_sim_embeddings:
 * @exchange: a request to `/v1/embeddings`, or to Ollama's `/api/embed`
 */
void
tacho_sim_embeddings (TachoSimExchange *exchange)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  gboolean native = g_str_equal (exchange->path, "/api/embed");
  TachoSimRuntime *runtime;
  JsonArray *inputs;
  const char *text;
  GString *json;
  guint n_tokens = 0, n;

  if (request == NULL)
    return;
  runtime = tacho_sim_find_model (exchange, tacho_json_get_string (request, "model", NULL));
  if (runtime == NULL)
    return;
  text = tacho_json_get_string (request, "input", NULL);
  inputs = tacho_json_get_array (request, "input");
  n = inputs ? json_array_get_length (inputs) : (text != NULL);
  json = g_string_new (NULL);
  tacho_sim_json_add (
      json, native ? "{'model':%s,'embeddings':[" : "{'object':'list','model':%s,'data':[",
      runtime->model->id);
  for (guint i = 0; i < MIN (n, MAX_INPUTS); i++)
    {
      JsonNode *node = inputs ? json_array_get_element (inputs, i) : NULL;
      gboolean is_text = node == NULL || (JSON_NODE_HOLDS_VALUE (node) &&
                                          json_node_get_value_type (node) == G_TYPE_STRING);

      if (is_text)
        n_tokens += append_one (json, i, node ? json_node_get_string (node) : text, native);
    }
  if (n == 0 || n > MAX_INPUTS)
    {
      g_string_free (json, TRUE);
      tacho_sim_exchange_error (exchange, 400, "invalid_request_error",
                                "'input' must be text, or an array of at most %d texts",
                                MAX_INPUTS);
      return;
    }
  if (native)
    tacho_sim_json_add (json, "],'total_duration':0,'load_duration':0,'prompt_eval_count':%u}",
                        n_tokens);
  else
    tacho_sim_json_add (json, "],'usage':{'prompt_tokens':%u,'total_tokens':%u}}", n_tokens,
                        n_tokens);
  tacho_sim_exchange_reply_json (exchange, json);
}
