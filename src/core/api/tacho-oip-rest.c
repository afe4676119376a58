/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Open Inference Protocol over REST, with Triton's generate extension. */
#define G_LOG_DOMAIN "tacho-api"

#include <string.h>

#include "api/tacho-api-private.h"
#include "api/tacho-oip-private.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

#define MAX_TENSORS 256 /* of a model; what lies beyond is not read */

static TachoHttpRequest *
request_new (const char *method, const char *before, const char *model, const char *after)
{
  g_autofree char *name = g_uri_escape_string (model, NULL, FALSE);
  g_autofree char *path = g_strconcat (before, name, after, NULL);

  return tacho_http_request_new (method, path);
}

TachoHttpRequest *
tacho_oip_rest_build (TachoOipFlavour flavour, TachoOperation operation, const char *model)
{
  TachoHttpRequest *request;

  if (operation == TACHO_OP_HEALTH)
    return tacho_http_request_new ("GET", "/v2/health/ready");
  if (operation == TACHO_OP_LIST_MODELS && flavour.kserve)
    return tacho_http_request_new ("GET", "/v2/models");
  if (operation == TACHO_OP_SHOW_MODEL)
    return request_new ("GET", "/v2/models/", model, "");
  if (operation == TACHO_OP_LIST_MODELS)
    request = tacho_http_request_new ("POST", "/v2/repository/index");
  else
    request = request_new ("POST", "/v2/repository/models/", model,
                           operation == TACHO_OP_LOAD_MODEL ? "/load" : "/unload");
  tacho_http_request_set_json (request, g_strdup ("{}"));
  return request;
}

TachoHttpRequest *
tacho_oip_rest_build_config (const char *model)
{
  return request_new ("GET", "/v2/models/", model, "/config");
}

TachoHttpRequest *
tacho_oip_rest_build_statistics (const char *model)
{
  return request_new ("GET", "/v2/models/", model, "/stats");
}

static void
add_number (JsonBuilder *builder, const TachoOipTensor *tensor)
{
  if (strcmp (tensor->datatype, "BOOL") == 0)
    json_builder_add_boolean_value (builder, tensor->integer != 0);
  else if (tacho_oip_datatype_is_float (tensor->datatype))
    json_builder_add_double_value (builder, tensor->real);
  else
    json_builder_add_int_value (builder, tensor->integer);
}

static void
add_values (JsonBuilder *builder, const TachoOipTensor *tensor)
{
  if (tensor->texts == NULL)
    add_number (builder, tensor);
  for (guint i = 0; tensor->texts != NULL && i < tensor->texts->len; i++)
    json_builder_add_string_value (builder, g_ptr_array_index (tensor->texts, i));
}

/* generate: each tensor is a member, a single value without its array. */
static void
add_generate (JsonBuilder *builder, const GPtrArray *tensors)
{
  for (guint i = 0; i < tensors->len; i++)
    {
      const TachoOipTensor *tensor = g_ptr_array_index (tensors, i);
      gboolean many = tensor->texts != NULL && tensor->texts->len > 1;

      json_builder_set_member_name (builder, tensor->name);
      if (many)
        json_builder_begin_array (builder);
      add_values (builder, tensor);
      if (many)
        json_builder_end_array (builder);
    }
}

static void
add_infer (JsonBuilder *builder, const GPtrArray *tensors)
{
  json_builder_set_member_name (builder, "inputs");
  json_builder_begin_array (builder);
  for (guint i = 0; i < tensors->len; i++)
    {
      const TachoOipTensor *tensor = g_ptr_array_index (tensors, i);

      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "name");
      json_builder_add_string_value (builder, tensor->name);
      json_builder_set_member_name (builder, "shape");
      json_builder_begin_array (builder);
      for (guint d = 0; d < tensor->rank; d++)
        json_builder_add_int_value (builder, tensor->shape[d]);
      json_builder_end_array (builder);
      json_builder_set_member_name (builder, "datatype");
      json_builder_add_string_value (builder, tensor->datatype);
      json_builder_set_member_name (builder, "data");
      json_builder_begin_array (builder);
      add_values (builder, tensor);
      json_builder_end_array (builder);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

/* Only Triton has the generate extension, and only it can stream; elsewhere, and for a plain model
 * that answers once, infer tells the same. */
TachoHttpRequest *
tacho_oip_rest_build_generate (TachoOipFlavour flavour,
                               const TachoOipModel *model,
                               GPtrArray *tensors,
                               gboolean stream)
{
  gboolean generate = flavour.triton && (model->decoupled || stream ||
                                         tacho_oip_find (model->inputs, "text_input") != NULL);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  TachoHttpRequest *request;

  json_builder_begin_object (builder);
  if (generate)
    add_generate (builder, tensors);
  else
    add_infer (builder, tensors);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  request = request_new ("POST", "/v2/models/", model->name,
                         !generate ? "/infer"
                         : stream  ? "/generate_stream"
                                   : "/generate");
  tacho_http_request_set_json (request, tacho_json_to_string (root, FALSE));
  request->streaming = generate && stream;
  tacho_http_request_add_header (request, "Accept",
                                 request->streaming ? "text/event-stream" : "application/json");
  return request;
}

/* Triton is not ready with an empty 400, KServe with {"ready":false} or a 503. */
gboolean
tacho_oip_rest_parse_health (const TachoHttpReply *reply, TachoHealth *health, GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  gsize length;
  const char *text = g_bytes_get_data (reply->body, &length);

  if ((reply->status == 400 && length == 0) || reply->status == 503)
    *health = TACHO_HEALTH_LOADING;
  else if (reply->status < 200 || reply->status >= 300)
    {
      g_propagate_error (error, tacho_api_error_from_reply (reply));
      return FALSE;
    }
  else
    {
      root = length > 0 ? tacho_json_parse_object (text, length, NULL) : NULL;
      *health = root == NULL || tacho_json_get_boolean (json_node_get_object (root), "ready", TRUE)
                    ? TACHO_HEALTH_OK
                    : TACHO_HEALTH_LOADING;
    }
  return TRUE;
}

static gboolean
is_usable_name (const char *name)
{
  return name != NULL && name[0] != '\0' && strlen (name) <= TACHO_API_MAX_ID;
}

static const char *
string_of (JsonArray *array, guint index)
{
  JsonNode *node = json_array_get_element (array, index);

  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

/* Triton: an array of objects. KServe: {"models":["name",…]}, all of which are loaded. */
GPtrArray *
tacho_oip_rest_parse_models (const TachoHttpReply *reply, GError **error)
{
  g_autoptr (JsonNode) root = tacho_api_parse_reply (reply, error);
  g_autoptr (GPtrArray) models =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_model_info_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  JsonArray *array;

  if (root == NULL)
    return NULL;
  array = JSON_NODE_HOLDS_ARRAY (root)
              ? json_node_get_array (root)
              : tacho_json_get_array (json_node_get_object (root), "models");
  if (array == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                           "The server's reply is no index of models");
      return NULL;
    }
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonObject *object = tacho_json_array_get_object (array, i);
      const char *name =
          object != NULL ? tacho_json_get_string (object, "name", NULL) : string_of (array, i);

      if (!is_usable_name (name))
        {
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                       "Model %u in the server's index has no usable name", i + 1);
          return NULL;
        }
      tacho_oip_add_index (models, seen, name,
                           object != NULL ? tacho_json_get_string (object, "state", NULL) : "READY",
                           tacho_json_get_string (object, "reason", NULL));
    }
  return g_steal_pointer (&models);
}

static void
add_specs (GPtrArray *specs, JsonArray *array)
{
  for (guint i = 0; array != NULL && i < MIN (json_array_get_length (array), MAX_TENSORS); i++)
    {
      JsonObject *object = tacho_json_array_get_object (array, i);
      JsonArray *dims = tacho_json_get_array (object, "shape");
      gint64 shape[TACHO_OIP_MAX_RANK] = { 0 };
      guint rank = dims != NULL ? json_array_get_length (dims) : 0;

      for (guint d = 0; d < MIN (rank, TACHO_OIP_MAX_RANK); d++)
        {
          JsonNode *node = json_array_get_element (dims, d);

          shape[d] = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_int (node) : 0;
        }
      g_ptr_array_add (specs, tacho_oip_tensor_new (tacho_json_get_string (object, "name", ""),
                                                    tacho_json_get_string (object, "datatype", ""),
                                                    shape, rank));
    }
}

TachoOipModel *
tacho_oip_rest_parse_metadata (const TachoHttpReply *reply, GError **error)
{
  g_autoptr (JsonNode) root = tacho_api_parse_reply (reply, error);
  JsonObject *object;
  TachoOipModel *model;

  if (root == NULL)
    return NULL;
  object = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  if (!is_usable_name (tacho_json_get_string (object, "name", NULL)) ||
      tacho_json_get_array (object, "inputs") == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                           "The server's reply does not describe a model's inputs");
      return NULL;
    }
  model = tacho_oip_model_new (tacho_json_get_string (object, "name", ""),
                               tacho_json_get_string (object, "platform", ""));
  add_specs (model->inputs, tacho_json_get_array (object, "inputs"));
  add_specs (model->outputs, tacho_json_get_array (object, "outputs"));
  return model;
}

gboolean
tacho_oip_rest_take_config (const TachoHttpReply *reply, TachoOipModel *model)
{
  g_autoptr (JsonNode) root = tacho_api_parse_reply (reply, NULL);
  JsonObject *object =
      root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  JsonArray *inputs = tacho_json_get_array (object, "input");

  if (strcmp (tacho_json_get_string (object, "name", ""), model->name) != 0 || inputs == NULL)
    return FALSE;
  for (guint i = 0; i < json_array_get_length (inputs); i++)
    {
      JsonObject *input = tacho_json_array_get_object (inputs, i);
      TachoOipTensor *tensor =
          tacho_oip_find (model->inputs, tacho_json_get_string (input, "name", ""));

      if (tensor != NULL)
        tensor->required = !tacho_json_get_boolean (input, "optional", FALSE);
    }
  model->has_config = TRUE;
  model->decoupled = tacho_json_get_boolean (
      tacho_json_get_object (object, "model_transaction_policy"), "decoupled", FALSE);
  return TRUE;
}

/* Numbers of 64 bits may be written as texts. */
static guint64
get_size (JsonObject *object, const char *member)
{
  const char *text = tacho_json_get_string (object, member, NULL);
  guint64 value = 0;

  if (text == NULL)
    return (guint64) tacho_api_get_count (object, member, 0);
  return g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64, &value, NULL) ? value : 0;
}

gboolean
tacho_oip_rest_parse_statistics (const TachoHttpReply *reply, TachoModelInfo *info, GError **error)
{
  g_autoptr (JsonNode) root = tacho_api_parse_reply (reply, error);
  JsonArray *stats;
  guint64 sum = 0;

  if (root == NULL)
    return FALSE;
  stats = JSON_NODE_HOLDS_OBJECT (root)
              ? tacho_json_get_array (json_node_get_object (root), "model_stats")
              : NULL;
  for (guint i = 0; stats != NULL && i < json_array_get_length (stats); i++)
    {
      JsonObject *one = tacho_json_array_get_object (stats, i);
      JsonArray *usage = tacho_json_get_array (one, "memory_usage");

      if (usage == NULL || strcmp (tacho_json_get_string (one, "name", ""), info->id) != 0)
        continue;
      for (guint j = 0; j < json_array_get_length (usage); j++)
        {
          guint64 size = get_size (tacho_json_array_get_object (usage, j), "byte_size");

          sum += MIN (size, G_MAXUINT64 - sum);
        }
    }
  info->memory_bytes = sum;
  return TRUE;
}

gboolean
tacho_oip_rest_parse_change (TachoOperation operation,
                             const char *model,
                             const TachoHttpReply *reply,
                             GError **error)
{
  const char *member = operation == TACHO_OP_LOAD_MODEL ? "load" : "unload";
  g_autoptr (JsonNode) root = NULL;

  if (!tacho_api_check_model_reply (model, reply, error))
    return FALSE;
  if (reply->status >= 200 && reply->status < 300 && g_bytes_get_size (reply->body) == 0)
    return TRUE; /* Triton */
  root = tacho_api_parse_reply (reply, error);
  if (root == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (root) ||
      tacho_json_get_boolean (json_node_get_object (root), member, TRUE))
    return TRUE;
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED,
               "The server says that “%s” was not %sed, and not why", model, member);
  return FALSE;
}

/* --- what comes out of a model --- */

/* One value, or the first of an array. */
static void
take_value (TachoOipResult *result, const char *name, JsonNode *node)
{
  if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);

      if (json_array_get_length (array) == 0)
        return;
      node = json_array_get_element (array, 0);
    }
  if (!JSON_NODE_HOLDS_VALUE (node))
    return;
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    {
      const char *text = json_node_get_string (node);

      tacho_oip_result_take_text (result, name, text, strlen (text));
    }
  else if (json_node_get_value_type (node) == G_TYPE_INT64)
    tacho_oip_result_take_number (result, name, json_node_get_int (node));
}

static void
take_outputs (TachoOipResult *result, JsonArray *outputs)
{
  for (guint i = 0; i < json_array_get_length (outputs); i++)
    {
      JsonObject *output = tacho_json_array_get_object (outputs, i);
      JsonNode *data = output != NULL ? json_object_get_member (output, "data") : NULL;

      if (data != NULL)
        take_value (result, tacho_json_get_string (output, "name", ""), data);
    }
}

static void
take_object (TachoOipResult *result, JsonObject *object)
{
  static const char *const others[] = { "model_name", "model_version", "id", "parameters",
                                        "outputs",    "error",         NULL };
  JsonArray *outputs = tacho_json_get_array (object, "outputs");
  g_autoptr (GList) members = json_object_get_members (object);

  if (outputs != NULL)
    take_outputs (result, outputs);
  for (GList *l = members; l != NULL; l = l->next)
    if (!g_strv_contains (others, l->data))
      take_value (result, l->data, json_object_get_member (object, l->data));
}

TachoGenerateReply *
tacho_oip_rest_parse_generate (const TachoHttpReply *reply, GError **error)
{
  g_autoptr (JsonNode) root = tacho_api_parse_reply (reply, error);
  TachoGenerateReply *whole;
  TachoOipResult result;
  JsonObject *object;

  if (root == NULL)
    return NULL;
  object = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  tacho_oip_result_init (&result);
  if (object != NULL)
    take_object (&result, object);
  if (result.text == NULL)
    {
      gsize length;
      const char *text = g_bytes_get_data (reply->body, &length);
      g_autofree char *excerpt = tacho_api_excerpt (text, length);

      tacho_oip_result_clear (&result);
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "The server's reply has no text among its outputs: %s", excerpt);
      return NULL;
    }
  whole = tacho_oip_result_to_reply (&result, tacho_json_get_string (object, "id", NULL),
                                     tacho_json_get_string (object, "model_name", NULL));
  tacho_oip_result_clear (&result);
  return whole;
}

gboolean
tacho_oip_rest_read_chunk (const char *data,
                           gsize length,
                           TachoStreamEventFunc func,
                           gpointer user_data,
                           GError **error)
{
  g_autoptr (JsonNode) root = tacho_json_parse_object (data, length, error);
  g_autofree char *words = NULL;
  TachoOipResult result;

  if (root == NULL)
    return FALSE;
  words = tacho_api_in_band_words (json_node_get_object (root));
  if (words != NULL)
    {
      tacho_oip_emit_error (words, func, user_data);
      return TRUE;
    }
  tacho_oip_result_init (&result);
  take_object (&result, json_node_get_object (root));
  tacho_oip_result_emit (&result, tacho_json_get_string (json_node_get_object (root), "id", NULL),
                         func, user_data);
  tacho_oip_result_clear (&result);
  return TRUE;
}
