/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /v1/responses: the family "openai-responses", chosen by name. The models are those of
 * /v1/models; text is asked for and streamed in another form, which differs a little between
 * OpenAI, vLLM, SGLang, llama.cpp (no sequence numbers, no [DONE]), Ollama and LM Studio. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-responses.h"

#include <math.h>
#include <string.h>

#include "api/tacho-api-openai.h"
#include "api/tacho-api-private.h"
#include "api/tacho-openai-json.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

struct _TachoApiResponses
{
  GObject parent_instance;

  TachoApi *models; /* the plain API, for all that is the same */
};

static void tacho_api_responses_iface_init (TachoApiInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TachoApiResponses,
                               tacho_api_responses,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TACHO_TYPE_API,
                                                      tacho_api_responses_iface_init))

static const char *
tacho_api_responses_get_family (TachoApi *self)
{
  return "openai-responses";
}

static char *
tacho_api_responses_describe (TachoApi *self)
{
  return g_strdup ("OpenAI-compatible server (responses)");
}

/* Its input is always a chat, even if it is one text. */
static gboolean
tacho_api_responses_supports (TachoApi *api, TachoOperation operation)
{
  return operation != TACHO_OP_COMPLETION &&
         tacho_api_supports (TACHO_API_RESPONSES (api)->models, operation);
}

static TachoFraming
tacho_api_responses_get_framing (TachoApi *self, TachoOperation operation)
{
  return TACHO_FRAMING_SSE;
}

static TachoHttpRequest *
tacho_api_responses_build (TachoApi *api,
                           TachoOperation operation,
                           const char *model_id,
                           GError **error)
{
  return tacho_api_build (TACHO_API_RESPONSES (api)->models, operation, model_id, error);
}

static void
set_double (JsonObject *object, const char *member, double value)
{
  if (!isnan (value))
    json_object_set_double_member (object, member, value);
}

/* It has neither a seed nor stop words. */
static TachoHttpRequest *
tacho_api_responses_build_generate (TachoApi *self,
                                    const TachoGenerateRequest *request,
                                    GError **error)
{
  static const char *const roles[] = { "system", "user", "assistant" };
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  JsonArray *input = json_array_new ();
  TachoHttpRequest *http;

  if (request->model != NULL)
    json_object_set_string_member (object, "model", request->model);
  for (guint i = 0; i < request->messages->len; i++)
    {
      const TachoMessage *message = g_ptr_array_index (request->messages, i);
      JsonObject *item = json_object_new ();

      json_object_set_string_member (item, "role", roles[message->role]);
      json_object_set_string_member (item, "content", message->content);
      json_array_add_object_element (input, item);
    }
  json_object_set_array_member (object, "input", input);
  if (request->max_tokens >= 0)
    json_object_set_int_member (object, "max_output_tokens", request->max_tokens);
  set_double (object, "temperature", request->temperature);
  set_double (object, "top_p", request->top_p);
  if (request->stream)
    json_object_set_boolean_member (object, "stream", TRUE);
  json_node_set_object (root, object);
  http = tacho_http_request_new ("POST", "/v1/responses");
  tacho_http_request_set_json (http, tacho_json_to_string (root, FALSE));
  tacho_http_request_add_header (http, "Accept",
                                 request->stream ? "text/event-stream" : "application/json");
  http->streaming = request->stream;
  return http;
}

static GPtrArray *
tacho_api_responses_parse_models (TachoApi *api, const TachoHttpReply *reply, GError **error)
{
  return tacho_api_parse_models (TACHO_API_RESPONSES (api)->models, reply, error);
}

static TachoModelInfo *
tacho_api_responses_parse_model (TachoApi *api,
                                 const char *model_id,
                                 const TachoHttpReply *reply,
                                 GError **error)
{
  return tacho_api_parse_model (TACHO_API_RESPONSES (api)->models, model_id, reply, error);
}

static gboolean
read_usage (JsonObject *response, TachoUsage *usage)
{
  JsonObject *object = tacho_json_get_object (response, "usage");

  tacho_usage_clear (usage);
  if (object == NULL)
    return FALSE;
  usage->prompt_tokens = tacho_api_get_count (object, "input_tokens", -1);
  usage->output_tokens = tacho_api_get_count (object, "output_tokens", -1);
  usage->cached_tokens = tacho_api_get_count (
      tacho_json_get_object (object, "input_tokens_details"), "cached_tokens", -1);
  usage->reasoning_tokens = tacho_api_get_count (
      tacho_json_get_object (object, "output_tokens_details"), "reasoning_tokens", -1);
  if (usage->prompt_tokens > 0 || usage->output_tokens > 0)
    return TRUE;
  tacho_usage_clear (usage);
  return FALSE;
}

/* "stop", as in a chat, or why it is incomplete: "max_output_tokens" is a chat's "length". */
static const char *
finish_reason (JsonObject *response)
{
  const char *status = tacho_json_get_string (response, "status", "completed");
  const char *reason = tacho_json_get_string (
      tacho_json_get_object (response, "incomplete_details"), "reason", status);

  if (strcmp (status, "incomplete") != 0)
    return strcmp (status, "completed") == 0 ? "stop" : status;
  return strcmp (reason, "max_output_tokens") == 0 ? "length" : reason;
}

static GError *
in_band (JsonObject *object)
{
  g_autofree char *words = object != NULL ? tacho_api_in_band_words (object) : NULL;

  return g_error_new (TACHO_ERROR, TACHO_ERROR_IN_BAND, "The server reported an error: %s",
                      words != NULL ? words : "no message was given");
}

static void
append_texts (GString *text, JsonArray *parts, const char *type)
{
  for (guint i = 0; parts != NULL && i < json_array_get_length (parts); i++)
    {
      JsonObject *part = tacho_json_array_get_object (parts, i);

      if (g_strcmp0 (tacho_json_get_string (part, "type", NULL), type) == 0)
        g_string_append (text, tacho_json_get_string (part, "text", ""));
    }
}

static TachoGenerateReply *
read_response (JsonObject *response, JsonArray *output)
{
  TachoGenerateReply *result = g_new0 (TachoGenerateReply, 1);
  g_autoptr (GString) content = g_string_new (NULL);
  g_autoptr (GString) reasoning = g_string_new (NULL);

  for (guint i = 0; i < json_array_get_length (output); i++)
    {
      JsonObject *item = tacho_json_array_get_object (output, i);
      const char *type = tacho_json_get_string (item, "type", "");

      if (strcmp (type, "message") == 0)
        append_texts (content, tacho_json_get_array (item, "content"), "output_text");
      else if (strcmp (type, "reasoning") == 0)
        {
          gsize before = reasoning->len;

          /* The thoughts, or where they are kept back a summary: never both. */
          append_texts (reasoning, tacho_json_get_array (item, "content"), "reasoning_text");
          if (reasoning->len == before)
            append_texts (reasoning, tacho_json_get_array (item, "summary"), "summary_text");
        }
    }
  result->response_id = g_strdup (tacho_json_get_string (response, "id", NULL));
  result->model = g_strdup (tacho_json_get_string (response, "model", NULL));
  result->content = g_strdup (content->str);
  result->reasoning = reasoning->len > 0 ? g_strdup (reasoning->str) : NULL;
  result->finish_reason = g_strdup (finish_reason (response));
  result->has_usage = read_usage (response, &result->usage);
  tacho_timings_clear (&result->timings);
  return result;
}

static TachoGenerateReply *
tacho_api_responses_parse_generate (TachoApi *self,
                                    TachoOperation operation,
                                    const TachoHttpReply *reply,
                                    GError **error)
{
  g_autoptr (JsonNode) root = tacho_api_parse_reply (reply, error);
  JsonObject *response;
  JsonArray *output;

  if (root == NULL)
    return NULL;
  response = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  output = tacho_json_get_array (response, "output");
  if (g_strcmp0 (tacho_json_get_string (response, "status", NULL), "failed") == 0)
    {
      g_propagate_error (error, in_band (response));
      return NULL;
    }
  if (output != NULL)
    return read_response (response, output);
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL, "The server's reply has no “output”");
  return NULL;
}

static gboolean
read_delta (JsonObject *root, const char **text, GError **error)
{
  *text = tacho_json_get_string (root, "delta", NULL);
  if (*text == NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "The server's event is not of the responses' shape: “delta” is not text");
      return FALSE;
    }
  if ((*text)[0] == '\0')
    *text = NULL;
  return TRUE;
}

static void
read_item (JsonObject *root, TachoStreamEvent *event)
{
  JsonObject *item = tacho_json_get_object (root, "item");

  if (g_strcmp0 (tacho_json_get_string (item, "type", NULL), "function_call") != 0)
    return;
  event->tool_id = tacho_json_get_string (item, "call_id", NULL);
  event->tool_name = tacho_json_get_string (item, "name", NULL);
  event->has_tool = event->tool_id != NULL || event->tool_name != NULL;
}

static void
read_end (JsonObject *response, TachoStreamEvent *event)
{
  event->finish_reason = finish_reason (response);
  event->has_usage = read_usage (response, &event->usage);
  event->done = TRUE;
}

static gboolean
is_error (const char *type)
{
  return strcmp (type, "error") == 0 || strcmp (type, "response.failed") == 0 ||
         strcmp (type, "response.cancelled") == 0;
}

static gboolean
read_event (JsonObject *root, const char *type, TachoStreamEvent *event, GError **error)
{
  JsonObject *response = tacho_json_get_object (root, "response");

  event->response_id = tacho_json_get_string (response, "id", NULL);
  event->tool_index = (int) CLAMP (tacho_json_get_int (root, "output_index", -1), -1, G_MAXINT);
  if (is_error (type))
    event->error = in_band (response != NULL ? response : root);
  else if (strcmp (type, "response.completed") == 0 || strcmp (type, "response.incomplete") == 0)
    read_end (response, event);
  else if (strcmp (type, "response.output_item.added") == 0)
    read_item (root, event);
  else if (strcmp (type, "response.output_text.delta") == 0 ||
           strcmp (type, "response.refusal.delta") == 0)
    {
      if (!read_delta (root, &event->content, error))
        return FALSE;
      event->has_content = event->content != NULL;
    }
  else if (strcmp (type, "response.reasoning_text.delta") == 0 ||
           strcmp (type, "response.reasoning_summary_text.delta") == 0)
    {
      if (!read_delta (root, &event->reasoning, error))
        return FALSE;
      event->has_reasoning = event->reasoning != NULL;
    }
  else if (strcmp (type, "response.function_call_arguments.delta") == 0)
    {
      if (!read_delta (root, &event->tool_arguments, error))
        return FALSE;
      event->has_tool = event->tool_arguments != NULL;
    }
  if (!event->has_tool)
    event->tool_index = -1;
  return TRUE;
}

/* The name of an event stands in its data too; a proxy may have dropped the field. */
static gboolean
tacho_api_responses_read_chunk (TachoApi *self,
                                TachoOperation operation,
                                const char *type,
                                const char *data,
                                gsize length,
                                TachoStreamEventFunc func,
                                gpointer user_data,
                                GError **error)
{
  g_autoptr (JsonNode) root = tacho_json_parse_object (data, length, error);
  JsonObject *object;
  TachoStreamEvent event;

  if (root == NULL)
    return FALSE;
  object = json_node_get_object (root);
  tacho_openai_event_clear (&event);
  type = tacho_json_get_string (object, "type", type != NULL ? type : "");
  /* An error without any of these names, as gateways send it. */
  if (!g_str_has_prefix (type, "response."))
    {
      g_autofree char *words = tacho_api_in_band_words (object);

      if (words != NULL)
        type = "error";
    }
  if (!read_event (object, type, &event, error))
    return FALSE;
  func (&event, user_data);
  g_clear_error (&event.error);
  return TRUE;
}

static void
tacho_api_responses_iface_init (TachoApiInterface *iface)
{
  iface->get_family = tacho_api_responses_get_family;
  iface->describe = tacho_api_responses_describe;
  iface->supports = tacho_api_responses_supports;
  iface->get_framing = tacho_api_responses_get_framing;
  iface->build = tacho_api_responses_build;
  iface->build_generate = tacho_api_responses_build_generate;
  iface->parse_models = tacho_api_responses_parse_models;
  iface->parse_model = tacho_api_responses_parse_model;
  iface->parse_generate = tacho_api_responses_parse_generate;
  iface->read_chunk = tacho_api_responses_read_chunk;
}

static void
tacho_api_responses_finalize (GObject *object)
{
  g_object_unref (TACHO_API_RESPONSES (object)->models);
  G_OBJECT_CLASS (tacho_api_responses_parent_class)->finalize (object);
}

static void
tacho_api_responses_class_init (TachoApiResponsesClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_api_responses_finalize;
}

static void
tacho_api_responses_init (TachoApiResponses *self)
{
  self->models = tacho_api_openai_new ();
}

/**
 * tacho_api_responses_new:
 *
 * Returns: (transfer full): the API of an OpenAI-compatible server, with text by `/v1/responses`
 */
TachoApi *
tacho_api_responses_new (void)
{
  return g_object_new (TACHO_TYPE_API_RESPONSES, NULL);
}
