/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The JSON of Ollama's own API. The facts are those of its api/types.go and docs/api.md. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-ollama-json.h"

#include <math.h>
#include <string.h>

#include "api/tacho-api-private.h"
#include "api/tacho-openai-json.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

#define MAX_CAPABILITIES 16
#define NS_PER_MS 1e6

/* --- requests --- */

static void
add_messages (JsonBuilder *builder, const GPtrArray *messages)
{
  static const char *const roles[] = { "system", "user", "assistant" };

  json_builder_set_member_name (builder, "messages");
  json_builder_begin_array (builder);
  for (guint i = 0; i < messages->len; i++)
    {
      const TachoMessage *message = g_ptr_array_index (messages, i);

      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "role");
      json_builder_add_string_value (builder, roles[message->role]);
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

/* What a person may set; ignore_eos and min_tokens are not known here. */
static void
add_options (JsonBuilder *builder, const TachoGenerateRequest *request)
{
  json_builder_set_member_name (builder, "options");
  json_builder_begin_object (builder);
  add_int (builder, "num_predict", request->max_tokens);
  add_double (builder, "temperature", request->temperature);
  add_double (builder, "top_p", request->top_p);
  add_int (builder, "seed", request->seed);
  if (request->stop != NULL && request->stop[0] != NULL)
    {
      json_builder_set_member_name (builder, "stop");
      json_builder_begin_array (builder);
      for (guint i = 0; request->stop[i] != NULL; i++)
        json_builder_add_string_value (builder, request->stop[i]);
      json_builder_end_array (builder);
    }
  json_builder_end_object (builder);
}

static gboolean
has_options (const TachoGenerateRequest *request)
{
  return request->max_tokens >= 0 || !isnan (request->temperature) || !isnan (request->top_p) ||
         request->seed >= 0 || (request->stop != NULL && request->stop[0] != NULL);
}

/**
 * tacho_ollama_build_generate:
 * @request: what to generate
 *
 * A completion is sent as "raw", so that the server does not wrap the text in the model's template.
 * "stream" is always said, as its default is true.
 *
 * Returns: (transfer full): the HTTP request
 */
TachoHttpRequest *
tacho_ollama_build_generate (const TachoGenerateRequest *request)
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
      json_builder_set_member_name (builder, "raw");
      json_builder_add_boolean_value (builder, TRUE);
    }
  else
    add_messages (builder, request->messages);
  json_builder_set_member_name (builder, "stream");
  json_builder_add_boolean_value (builder, request->stream);
  if (has_options (request))
    add_options (builder, request);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  http = tacho_http_request_new ("POST", request->raw ? "/api/generate" : "/api/chat");
  tacho_http_request_set_json (http, tacho_json_to_string (root, FALSE));
  tacho_http_request_add_header (http, "Accept",
                                 request->stream ? "application/x-ndjson" : "application/json");
  http->streaming = request->stream;
  return http;
}

/* --- replies --- */

static gboolean
wrong_type (const char *member, const char *wanted, GError **error)
{
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
               "The server's reply is not of Ollama's shape: “%s” is not %s", member, wanted);
  return FALSE;
}

/* Absent, null and "" are NULL. */
static gboolean
read_text (JsonObject *object, const char *member, const char **text, GError **error)
{
  *text = tacho_json_get_string (object, member, NULL);
  if (*text == NULL && tacho_json_has (object, member))
    return wrong_type (member, "text", error);
  if (*text != NULL && (*text)[0] == '\0')
    *text = NULL;
  return TRUE;
}

static double
read_ms (JsonObject *object, const char *member)
{
  double ns = tacho_json_get_double (object, member, NAN);

  return ns > 0 ? ns / NS_PER_MS : NAN;
}

/* A count of 0 is left out by the server, so that an absent one says nothing: the whole prompt may
 * have been in its cache. */
static void
read_counts (JsonObject *root, TachoStreamEvent *event)
{
  TachoUsage *usage = &event->usage;
  TachoTimings *timings = &event->timings;

  usage->prompt_tokens = tacho_api_get_count (root, "prompt_eval_count", -1);
  usage->output_tokens = tacho_api_get_count (root, "eval_count", -1);
  event->has_usage = usage->prompt_tokens > 0 || usage->output_tokens > 0;
  if (!event->has_usage)
    tacho_usage_clear (usage);
  timings->prompt_n = usage->prompt_tokens;
  timings->predicted_n = usage->output_tokens;
  timings->prompt_ms = read_ms (root, "prompt_eval_duration");
  timings->predicted_ms = read_ms (root, "eval_duration");
  event->has_timings = !isnan (timings->prompt_ms) || !isnan (timings->predicted_ms);
  if (!event->has_timings)
    tacho_timings_clear (timings);
}

/* All but the tool calls, which are events of their own. */
static gboolean
read_event (JsonObject *root, TachoStreamEvent *event, JsonArray **tools, GError **error)
{
  JsonObject *message = tacho_json_get_object (root, "message");
  g_autofree char *words = tacho_api_in_band_words (root);

  *tools = NULL;
  tacho_openai_event_clear (event);
  if (words != NULL)
    {
      event->error =
          g_error_new (TACHO_ERROR, TACHO_ERROR_IN_BAND, "The server reported an error: %s", words);
      return TRUE;
    }
  if (message == NULL && tacho_json_has (root, "message"))
    return wrong_type ("message", "an object", error);
  if (message == NULL && !tacho_json_has (root, "response") && !tacho_json_has (root, "done"))
    return wrong_type ("message", "there", error);
  if (message != NULL)
    {
      if (!read_text (message, "content", &event->content, error) ||
          !read_text (message, "thinking", &event->reasoning, error))
        return FALSE;
      *tools = tacho_json_get_array (message, "tool_calls");
      if (*tools == NULL && tacho_json_has (message, "tool_calls"))
        return wrong_type ("tool_calls", "an array", error);
      event->role = tacho_json_get_string (message, "role", NULL);
    }
  else if (!read_text (root, "response", &event->content, error) ||
           !read_text (root, "thinking", &event->reasoning, error))
    return FALSE;
  event->has_content = event->content != NULL;
  event->has_reasoning = event->reasoning != NULL;
  event->done = tacho_json_get_boolean (root, "done", FALSE);
  event->finish_reason = tacho_json_get_string (root, "done_reason", NULL);
  if (event->finish_reason != NULL && event->finish_reason[0] == '\0')
    event->finish_reason = NULL;
  read_counts (root, event);
  return TRUE;
}

/* A call comes whole, its arguments as an object, where OpenAI sends text. */
static gboolean
read_tool (JsonArray *tools, guint index, TachoStreamEvent *event, char **arguments, GError **error)
{
  JsonObject *tool = tacho_json_array_get_object (tools, index);
  JsonObject *function = tacho_json_get_object (tool, "function");

  if (function == NULL)
    return wrong_type ("tool_calls", "an array of functions", error);
  tacho_openai_event_clear (event);
  event->tool_index =
      (int) CLAMP (tacho_json_get_int (function, "index", (gint64) index), 0, G_MAXINT);
  event->tool_id = tacho_json_get_string (tool, "id", NULL);
  event->tool_name = tacho_json_get_string (function, "name", NULL);
  *arguments = NULL;
  if (tacho_json_has (function, "arguments"))
    {
      JsonNode *node = json_object_get_member (function, "arguments");

      *arguments = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
                       ? json_node_dup_string (node)
                       : tacho_json_to_string (node, FALSE);
    }
  event->tool_arguments = *arguments;
  event->has_tool = event->tool_name != NULL || *arguments != NULL;
  return TRUE;
}

/**
 * tacho_ollama_read_line:
 * @data: (array length=length): one line of a streamed reply
 * @length: its bytes
 * @func: (scope call): called for each event that it holds
 * @user_data: for @func
 * @error: return location
 *
 * Tool calls are delivered first, as the line may be the last one.
 *
 * Returns: %TRUE; or %FALSE with %TACHO_ERROR_PROTOCOL if it is no such line
 */
gboolean
tacho_ollama_read_line (const char *data,
                        gsize length,
                        TachoStreamEventFunc func,
                        gpointer user_data,
                        GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (JsonNode) root = tacho_json_parse_object (data, length, &reason);
  TachoStreamEvent event, call;
  JsonArray *tools;

  if (root == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL, reason->message);
      return FALSE;
    }
  if (!read_event (json_node_get_object (root), &event, &tools, error))
    return FALSE;
  for (guint i = 0; tools != NULL && i < json_array_get_length (tools); i++)
    {
      g_autofree char *arguments = NULL;

      if (!read_tool (tools, i, &call, &arguments, error))
        return FALSE;
      func (&call, user_data);
    }
  func (&event, user_data);
  g_clear_error (&event.error);
  return TRUE;
}

/**
 * tacho_ollama_parse_generate:
 * @reply: a whole reply, not streamed
 * @error: return location
 *
 * Returns: (transfer full): what was generated; or %NULL with a `TACHO_ERROR`: that of the status,
 *   %TACHO_ERROR_IN_BAND, %TACHO_ERROR_PROTOCOL for another shape, %TACHO_ERROR_TRUNCATED if it
 *   does not say that it is done
 */
TachoGenerateReply *
tacho_ollama_parse_generate (const TachoHttpReply *reply, GError **error)
{
  g_autoptr (JsonNode) root = tacho_api_parse_reply (reply, error);
  TachoGenerateReply *result;
  TachoStreamEvent event;
  JsonObject *object;
  JsonArray *tools;

  if (root == NULL)
    return NULL;
  object = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  if (object == NULL)
    {
      wrong_type ("the whole", "an object", error);
      return NULL;
    }
  if (!read_event (object, &event, &tools, error))
    return NULL;
  if (!event.done)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_TRUNCATED,
                           "The server's reply does not say that it is done");
      return NULL;
    }
  result = g_new0 (TachoGenerateReply, 1);
  result->model = g_strdup (tacho_json_get_string (object, "model", NULL));
  result->content = g_strdup (event.content != NULL ? event.content : "");
  result->reasoning = g_strdup (event.reasoning);
  result->finish_reason = g_strdup (event.finish_reason);
  result->has_usage = event.has_usage;
  result->usage = event.usage;
  result->has_timings = event.has_timings;
  result->timings = event.timings;
  return result;
}

/* --- models --- */

/**
 * tacho_ollama_get_name:
 * @object: a model of /api/tags or /api/ps
 *
 * Returns: the name by which it is used, "" if there is none
 */
const char *
tacho_ollama_get_name (JsonObject *object)
{
  const char *name = tacho_json_get_string (object, "model", "");

  return name[0] != '\0' ? name : tacho_json_get_string (object, "name", "");
}

/**
 * tacho_ollama_list_objects:
 * @reply: the reply to /api/tags or /api/ps
 * @error: return location
 *
 * Returns: (transfer full) (element-type JsonObject): the models, none for null; or %NULL with a
 *   `TACHO_ERROR`
 */
GPtrArray *
tacho_ollama_list_objects (const TachoHttpReply *reply, GError **error)
{
  g_autoptr (JsonNode) root = tacho_api_parse_reply (reply, error);
  g_autoptr (GPtrArray) objects =
      g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  JsonObject *object;
  JsonArray *array;

  if (root == NULL)
    return NULL;
  object = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  array = tacho_json_get_array (object, "models");
  if (array == NULL && (object == NULL || !json_object_has_member (object, "models") ||
                        tacho_json_has (object, "models")))
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                           "The server's list of models has no “models”");
      return NULL;
    }
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonObject *model = tacho_json_array_get_object (array, i);
      const char *name = tacho_ollama_get_name (model);

      if (name[0] == '\0' || strlen (name) > TACHO_API_MAX_ID)
        {
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                       "Model %u in the server's list has no usable name", i + 1);
          return NULL;
        }
      g_ptr_array_add (objects, json_object_ref (model));
    }
  return g_steal_pointer (&objects);
}

/**
 * tacho_ollama_parse_count:
 * @text: (nullable): a count as people write it: "7.6B", "137M", "494.03M"
 *
 * Returns: the count, 0 if the text is none
 */
guint64
tacho_ollama_parse_count (const char *text)
{
  char *end = NULL;
  double value, unit;

  if (text == NULL || !g_ascii_isdigit (text[0]))
    return 0;
  value = g_ascii_strtod (text, &end);
  switch (g_ascii_toupper (*end))
    {
    case 'K':
      unit = 1e3;
      break;
    case 'M':
      unit = 1e6;
      break;
    case 'B':
      unit = 1e9;
      break;
    case 'T':
      unit = 1e12;
      break;
    default:
      return 0;
    }
  return end[1] == '\0' && value * unit < 1e18 ? (guint64) (value * unit + 0.5) : 0;
}

static void
read_capabilities (JsonObject *object, TachoModelInfo *info)
{
  JsonArray *array = tacho_json_get_array (object, "capabilities");
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  gboolean embeds = FALSE, completes = FALSE;

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      const char *name = NULL;

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        name = json_node_get_string (node);
      if (name == NULL || name[0] == '\0' || names->len >= MAX_CAPABILITIES)
        continue;
      embeds = embeds || strcmp (name, "embedding") == 0;
      completes = completes || strcmp (name, "completion") == 0;
      g_ptr_array_add (names, g_strndup (name, 64));
    }
  if (names->len == 0)
    return;
  g_ptr_array_add (names, NULL);
  g_strfreev (info->capabilities);
  info->capabilities = g_strdupv ((char **) names->pdata);
  g_free (info->kind);
  info->kind = g_strdup (completes ? "chat" : embeds ? "embedding" : NULL);
}

static void
set_string (char **place, JsonObject *object, const char *member)
{
  const char *value = tacho_json_get_string (object, member, "");

  if (value[0] == '\0')
    return;
  g_free (*place);
  *place = g_strdup (value);
}

/* What stands in "details", of the list and of /api/show alike. */
static void
read_common (JsonObject *object, TachoModelInfo *info)
{
  JsonObject *details = tacho_json_get_object (object, "details");
  guint64 n_params =
      tacho_ollama_parse_count (tacho_json_get_string (details, "parameter_size", NULL));
  gint64 context = tacho_api_get_count (details, "context_length", 0);
  g_autoptr (GDateTime) modified = NULL;
  const char *when = tacho_json_get_string (object, "modified_at", NULL);

  set_string (&info->family, details, "family");
  set_string (&info->quantization, details, "quantization_level");
  set_string (&info->owner, object, "remote_host");
  if (n_params > 0)
    info->n_params = n_params;
  if (context > 0)
    info->context_trained = context;
  if (when != NULL)
    modified = g_date_time_new_from_iso8601 (when, NULL);
  if (modified != NULL && g_date_time_to_unix (modified) > 0)
    info->created = g_date_time_to_unix (modified);
  read_capabilities (object, info);
}

/**
 * tacho_ollama_read_model:
 * @object: a model of /api/tags
 *
 * Returns: (transfer full): the model; whether it is in memory, /api/ps tells
 */
TachoModelInfo *
tacho_ollama_read_model (JsonObject *object)
{
  TachoModelInfo *info = tacho_model_info_new (tacho_ollama_get_name (object));

  info->size_bytes = (guint64) tacho_api_get_count (object, "size", 0);
  read_common (object, info);
  if (info->quantization == NULL)
    info->quantization = tacho_model_info_guess_quantization (info->id);
  return info;
}

/**
 * tacho_ollama_read_details:
 * @root: the reply to /api/show
 * @info: completed by it
 */
void
tacho_ollama_read_details (JsonObject *root, TachoModelInfo *info)
{
  JsonObject *facts = tacho_json_get_object (root, "model_info");
  const char *architecture = tacho_json_get_string (facts, "general.architecture", NULL);
  gint64 n_params = tacho_api_get_count (facts, "general.parameter_count", 0);

  read_common (root, info);
  set_string (&info->chat_template, root, "template");
  set_string (&info->parameters, root, "parameters");
  if (n_params > 0)
    info->n_params = (guint64) n_params;
  if (architecture != NULL)
    {
      g_autofree char *member = g_strconcat (architecture, ".context_length", NULL);
      gint64 context = tacho_api_get_count (facts, member, 0);

      if (context > 0)
        info->context_trained = context;
      if (info->family == NULL)
        info->family = g_strdup (architecture);
    }
}
