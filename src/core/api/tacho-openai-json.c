/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The JSON of the OpenAI shape: bodies of requests, models, whole replies. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-openai-json.h"

#include <math.h>
#include <string.h>

#include "api/tacho-api-private.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

static const char *const role_names[] = { "system", "user", "assistant" };

static void
add_messages (JsonBuilder *builder, const GPtrArray *messages)
{
  json_builder_set_member_name (builder, "messages");
  json_builder_begin_array (builder);
  for (guint i = 0; i < messages->len; i++)
    {
      const TachoMessage *message = g_ptr_array_index (messages, i);

      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "role");
      json_builder_add_string_value (builder, role_names[message->role]);
      json_builder_set_member_name (builder, "content");
      json_builder_add_string_value (builder, message->content);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_int (JsonBuilder *builder, const char *name, gint64 value)
{
  if (value < 0)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

static void
add_double (JsonBuilder *builder, const char *name, double value)
{
  if (isnan (value))
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_double_value (builder, value);
}

static void
add_true (JsonBuilder *builder, const char *name)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, TRUE);
}

static void
add_stop (JsonBuilder *builder, char **stop)
{
  if (stop == NULL || stop[0] == NULL)
    return;
  json_builder_set_member_name (builder, "stop");
  json_builder_begin_array (builder);
  for (guint i = 0; stop[i] != NULL; i++)
    json_builder_add_string_value (builder, stop[i]);
  json_builder_end_array (builder);
}

/**
 * tacho_openai_build_generate:
 * @request: what to generate
 * @flags: which extensions the server knows
 *
 * Only what the family knows is sent: old vLLM refuses a request with any unknown field.
 *
 * Returns: (transfer full): the HTTP request, streaming if @request is
 */
TachoHttpRequest *
tacho_openai_build_generate (const TachoGenerateRequest *request, TachoOpenaiFlags flags)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  TachoHttpRequest *http;

  json_builder_begin_object (builder);
  if (request->model != NULL)
    {
      json_builder_set_member_name (builder, "model");
      json_builder_add_string_value (builder, request->model);
    }
  if (request->raw)
    {
      json_builder_set_member_name (builder, "prompt");
      json_builder_add_string_value (builder, request->prompt);
    }
  else
    add_messages (builder, request->messages);
  /* Only chats know the newer name. */
  add_int (builder,
           (flags & TACHO_OPENAI_COMPLETION_TOKENS) && !request->raw ? "max_completion_tokens"
                                                                     : "max_tokens",
           request->max_tokens);
  add_double (builder, "temperature", request->temperature);
  add_double (builder, "top_p", request->top_p);
  add_int (builder, "seed", request->seed);
  add_stop (builder, request->stop);
  if ((flags & TACHO_OPENAI_IGNORE_EOS) && request->ignore_eos)
    add_true (builder, "ignore_eos");
  if (flags & TACHO_OPENAI_MIN_TOKENS)
    add_int (builder, "min_tokens", request->min_tokens);
  if ((flags & TACHO_OPENAI_PROGRESS) && request->stream && request->return_progress)
    add_true (builder, "return_progress");
  if (request->stream)
    {
      add_true (builder, "stream");
      json_builder_set_member_name (builder, "stream_options");
      json_builder_begin_object (builder);
      add_true (builder, "include_usage");
      json_builder_end_object (builder);
    }
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  http = tacho_http_request_new ("POST", request->raw ? "/v1/completions" : "/v1/chat/completions");
  tacho_http_request_set_json (http, tacho_json_to_string (root, FALSE));
  tacho_http_request_add_header (http, "Accept",
                                 request->stream ? "text/event-stream" : "application/json");
  http->streaming = request->stream;
  return http;
}

/**
 * tacho_openai_parse_generate:
 * @reply: a whole reply, not streamed
 * @error: return location
 *
 * Reads the first choice of a reply of the OpenAI shape.
 *
 * Returns: (transfer full): what was generated; or %NULL, with a `TACHO_ERROR`: that of the status,
 *   %TACHO_ERROR_IN_BAND, or %TACHO_ERROR_PROTOCOL for a reply of another shape
 */
TachoGenerateReply *
tacho_openai_parse_generate (const TachoHttpReply *reply, GError **error)
{
  g_autoptr (JsonNode) root = tacho_api_parse_reply (reply, error);
  g_autoptr (TachoGenerateReply) result = NULL;
  TachoStreamEvent event;
  JsonObject *object;
  JsonArray *choices, *tools = NULL;

  if (root == NULL)
    return NULL;
  object = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  choices = tacho_json_get_array (object, "choices");
  if (tacho_json_array_get_object (choices, 0) == NULL)
    {
      gsize length;
      const char *text = g_bytes_get_data (reply->body, &length);
      g_autofree char *excerpt = tacho_api_excerpt (text, length);

      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL, "The server's reply has no choice: %s",
                   excerpt);
      return NULL;
    }
  if (!tacho_openai_read_chunk (object, &event, &tools, error))
    return NULL;
  if (event.error != NULL)
    {
      g_propagate_error (error, event.error);
      return NULL;
    }
  result = g_new0 (TachoGenerateReply, 1);
  result->response_id = g_strdup (event.response_id);
  result->model = g_strdup (tacho_json_get_string (object, "model", NULL));
  result->content = g_strdup (event.content != NULL ? event.content : "");
  result->reasoning = g_strdup (event.reasoning);
  result->finish_reason = g_strdup (event.finish_reason);
  result->has_usage = event.has_usage;
  result->usage = event.usage;
  result->has_timings = event.has_timings;
  result->timings = event.timings;
  return g_steal_pointer (&result);
}

/**
 * tacho_openai_list_objects:
 * @root: the reply: `{"data":[…]}`, `{"data":null}` where there are no models, or the array alone
 * @error: return location
 *
 * Finds the models of a listing.
 *
 * Returns: (transfer container) (element-type JsonObject): the objects, which belong to @root; or
 *   %NULL with %TACHO_ERROR_PROTOCOL if there is no list or a model in it has no usable id
 */
GPtrArray *
tacho_openai_list_objects (JsonNode *root, GError **error)
{
  g_autoptr (GPtrArray) objects = g_ptr_array_new ();
  JsonNode *data = root;
  JsonArray *array;

  if (JSON_NODE_HOLDS_OBJECT (root))
    data = json_object_get_member (json_node_get_object (root), "data");
  if (data != NULL && JSON_NODE_HOLDS_NULL (data))
    return g_steal_pointer (&objects);
  if (data == NULL || !JSON_NODE_HOLDS_ARRAY (data))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "The server's list of models has no “data”");
      return NULL;
    }
  array = json_node_get_array (data);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonObject *object = tacho_json_array_get_object (array, i);
      const char *id = tacho_json_get_string (object, "id", "");

      if (id[0] == '\0' || strlen (id) > TACHO_API_MAX_ID)
        {
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                       "Model %u in the server's list has no usable id", i + 1);
          return NULL;
        }
      g_ptr_array_add (objects, object);
    }
  return g_steal_pointer (&objects);
}

static void
read_modalities (JsonObject *object, TachoModelInfo *info)
{
  JsonArray *inputs =
      tacho_json_get_array (tacho_json_get_object (object, "architecture"), "input_modalities");
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; inputs != NULL && i < json_array_get_length (inputs) && i < 16; i++)
    {
      JsonNode *node = json_array_get_element (inputs, i);
      const char *name = NULL;

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        name = json_node_get_string (node);
      if (g_strcmp0 (name, "image") == 0)
        g_ptr_array_add (names, g_strdup ("vision"));
      else if (g_strcmp0 (name, "audio") == 0 || g_strcmp0 (name, "video") == 0)
        g_ptr_array_add (names, g_strdup (name));
    }
  if (names->len == 0)
    return;
  g_ptr_array_add (names, NULL);
  info->capabilities = g_strdupv ((char **) names->pdata);
}

/**
 * tacho_openai_read_model:
 * @object: one element of a listing
 *
 * Takes what any server of this shape may say: OpenAI's four fields, vLLM's `max_model_len`,
 * OpenRouter's `name`, `context_length`, `architecture` and `top_provider`.
 *
 * Returns: (transfer full): the model
 */
TachoModelInfo *
tacho_openai_read_model (JsonObject *object)
{
  TachoModelInfo *info = tacho_model_info_new (tacho_json_get_string (object, "id", ""));
  JsonObject *provider = tacho_json_get_object (object, "top_provider");

  info->name = g_strdup (tacho_json_get_string (object, "name", NULL));
  info->owner = g_strdup (tacho_json_get_string (object, "owned_by", NULL));
  info->created = tacho_api_get_count (object, "created", 0);
  info->context_window = tacho_api_get_count (object, "max_model_len", 0);
  if (info->context_window == 0)
    info->context_window = tacho_api_get_count (object, "context_length", 0);
  info->max_output = tacho_api_get_count (provider, "max_completion_tokens", 0);
  info->quantization = tacho_model_info_guess_quantization (info->id);
  read_modalities (object, info);
  return info;
}
