/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ryzanstein. Over REST the contract of its desktop client, and the chat of its API servers, both
 * nearly OpenAI's; over gRPC the InferenceService of its MCP servers. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-ryzanstein.h"

#include <math.h>
#include <string.h>

#include "api/proto/ryzanstein.pb-c.h"
#include "api/tacho-api-grpc.h"
#include "api/tacho-api-private.h"
#include "api/tacho-openai-json.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

#define SERVICE "/mcp.ryzanstein.InferenceService/"

struct _TachoApiRyzanstein
{
  GObject parent_instance;

  gboolean grpc;
  char *version;
};

static void tacho_api_ryzanstein_iface_init (TachoApiInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TachoApiRyzanstein,
                               tacho_api_ryzanstein,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TACHO_TYPE_API,
                                                      tacho_api_ryzanstein_iface_init))

static gboolean
is_grpc (TachoApi *api)
{
  return TACHO_API_RYZANSTEIN (api)->grpc;
}

static const char *
tacho_api_ryzanstein_get_family (TachoApi *api)
{
  return "ryzanstein";
}

static TachoProtocol
tacho_api_ryzanstein_get_protocol (TachoApi *api)
{
  return is_grpc (api) ? TACHO_PROTOCOL_GRPC : TACHO_PROTOCOL_REST;
}

static char *
tacho_api_ryzanstein_describe (TachoApi *api)
{
  TachoApiRyzanstein *self = TACHO_API_RYZANSTEIN (api);
  g_autofree char *version =
      self->version != NULL ? tacho_api_excerpt (self->version, strlen (self->version)) : NULL;

  return g_strdup_printf ("Ryzanstein%s%s", version != NULL ? " " : "",
                          version != NULL ? version : "");
}

/* The gRPC service has neither a list nor loading. */
static gboolean
tacho_api_ryzanstein_supports (TachoApi *api, TachoOperation operation)
{
  switch (operation)
    {
    case TACHO_OP_LIST_MODELS:
    case TACHO_OP_LOAD_MODEL:
    case TACHO_OP_UNLOAD_MODEL:
      return !is_grpc (api);
    case TACHO_OP_HEALTH:
    case TACHO_OP_SHOW_MODEL:
    case TACHO_OP_CHAT:
    case TACHO_OP_COMPLETION:
      return TRUE;
    default:
      return FALSE;
    }
}

static TachoFraming
tacho_api_ryzanstein_get_framing (TachoApi *api, TachoOperation operation)
{
  return is_grpc (api) ? TACHO_FRAMING_GRPC : TACHO_FRAMING_SSE;
}

/* --- requests --- */

/* The server reads the metadata of every request without looking whether it is there. */
typedef struct
{
  Mcp__Ryzanstein__RequestMetadata message;
  Mcp__Ryzanstein__Timestamp timestamp;
  char *id;
} Metadata;

static void
metadata_init (Metadata *metadata)
{
  gint64 now_us = g_get_real_time ();

  mcp__ryzanstein__request_metadata__init (&metadata->message);
  mcp__ryzanstein__timestamp__init (&metadata->timestamp);
  metadata->id = g_uuid_string_random ();
  metadata->timestamp.seconds = now_us / G_USEC_PER_SEC;
  metadata->timestamp.nanos = (int32_t) (now_us % G_USEC_PER_SEC * 1000);
  metadata->message.request_id = metadata->id;
  metadata->message.timestamp = &metadata->timestamp;
  metadata->message.client_id = (char *) "tacho";
}

static TachoHttpRequest *
build_grpc (TachoOperation operation, const char *model)
{
  Mcp__Ryzanstein__HealthRequest health = MCP__RYZANSTEIN__HEALTH_REQUEST__INIT;
  Mcp__Ryzanstein__ModelInfoRequest info = MCP__RYZANSTEIN__MODEL_INFO_REQUEST__INIT;
  TachoHttpRequest *request;
  Metadata metadata;

  metadata_init (&metadata);
  if (operation == TACHO_OP_HEALTH)
    {
      health.metadata = &metadata.message;
      request = tacho_api_grpc_request_new (SERVICE "Health", &health.base);
    }
  else
    {
      info.metadata = &metadata.message;
      info.model = (char *) model;
      request = tacho_api_grpc_request_new (SERVICE "GetModelInfo", &info.base);
    }
  g_free (metadata.id);
  return request;
}

static TachoHttpRequest *
build_load (const char *model)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) root = json_node_alloc ();
  TachoHttpRequest *request = tacho_http_request_new ("POST", "/v1/models/load");

  json_object_set_string_member (object, "model_id", model);
  json_node_init_object (root, object);
  tacho_http_request_set_json (request, tacho_json_to_string (root, FALSE));
  return request;
}

static TachoHttpRequest *
tacho_api_ryzanstein_build (TachoApi *api,
                            TachoOperation operation,
                            const char *model,
                            GError **error)
{
  g_autofree char *id = NULL;
  g_autofree char *path = NULL;

  if (is_grpc (api))
    return build_grpc (operation, model);
  switch (operation)
    {
    case TACHO_OP_HEALTH:
      return tacho_http_request_new ("GET", "/health");
    case TACHO_OP_LOAD_MODEL:
      return build_load (model);
    case TACHO_OP_UNLOAD_MODEL:
      id = g_uri_escape_string (model, NULL, FALSE);
      path = g_strconcat ("/v1/models/", id, "/unload", NULL);
      return tacho_http_request_new ("POST", path);
    default:
      return tacho_http_request_new ("GET", "/v1/models"); /* also to show one of them */
    }
}

static void
set_sampling (Mcp__Ryzanstein__InferenceRequest *message, const TachoGenerateRequest *request)
{
  if (!isnan (request->temperature))
    message->temperature = (float) request->temperature;
  if (!isnan (request->top_p))
    message->top_p = (float) request->top_p;
  if (request->max_tokens > 0)
    message->max_tokens = (int32_t) MIN (request->max_tokens, G_MAXINT32);
}

/* A text to complete is, to a service of messages, what a user says. */
static TachoHttpRequest *
build_infer (const TachoGenerateRequest *request)
{
  static const Mcp__Ryzanstein__Role roles[] = { MCP__RYZANSTEIN__ROLE__ROLE_SYSTEM,
                                                 MCP__RYZANSTEIN__ROLE__ROLE_USER,
                                                 MCP__RYZANSTEIN__ROLE__ROLE_ASSISTANT };
  Mcp__Ryzanstein__InferenceRequest message = MCP__RYZANSTEIN__INFERENCE_REQUEST__INIT;
  guint n = request->raw ? 1 : request->messages->len;
  g_autofree Mcp__Ryzanstein__Message *values = g_new0 (Mcp__Ryzanstein__Message, n);
  g_autofree Mcp__Ryzanstein__Message **pointers = g_new0 (Mcp__Ryzanstein__Message *, n);
  TachoHttpRequest *http;
  Metadata metadata;

  for (guint i = 0; i < n; i++)
    {
      const TachoMessage *from = request->raw ? NULL : g_ptr_array_index (request->messages, i);

      mcp__ryzanstein__message__init (&values[i]);
      values[i].role = roles[from != NULL ? from->role : TACHO_ROLE_USER];
      values[i].content = from != NULL ? from->content : request->prompt;
      pointers[i] = &values[i];
    }
  metadata_init (&metadata);
  message.metadata = &metadata.message;
  message.model = request->model != NULL ? request->model : (char *) "";
  message.n_messages = n;
  message.messages = pointers;
  message.stream = request->stream;
  set_sampling (&message, request);
  http = tacho_api_grpc_request_new (request->stream ? SERVICE "InferStream" : SERVICE "Infer",
                                     &message.base);
  http->streaming = request->stream;
  g_free (metadata.id);
  return http;
}

static TachoHttpRequest *
tacho_api_ryzanstein_build_generate (TachoApi *api,
                                     const TachoGenerateRequest *request,
                                     GError **error)
{
  return is_grpc (api) ? build_infer (request)
                       : tacho_openai_build_generate (request, TACHO_OPENAI_PLAIN);
}

/* --- replies --- */

static GError *
error_of_metadata (const Mcp__Ryzanstein__ResponseMetadata *metadata)
{
  g_autofree char *words = NULL;

  /* 0 and HTTP's 200 are both in use for success. */
  if (metadata == NULL || metadata->status_code == 0 ||
      (metadata->status_code >= 200 && metadata->status_code < 300))
    return NULL;
  words = tacho_api_excerpt (metadata->status_message, strlen (metadata->status_message));
  return g_error_new (TACHO_ERROR, TACHO_ERROR_IN_BAND, "The server reported an error: %s (%d)",
                      words[0] != '\0' ? words : "no message was given", metadata->status_code);
}

static gboolean
parse_grpc_health (const TachoHttpReply *reply, TachoHealth *health, GError **error)
{
  Mcp__Ryzanstein__HealthResponse *message =
      tacho_api_grpc_parse (reply, &mcp__ryzanstein__health_response__descriptor, error);

  if (message == NULL)
    return FALSE;
  *health = message->healthy ? TACHO_HEALTH_OK : TACHO_HEALTH_UNHEALTHY;
  tacho_protobuf_free (message);
  return TRUE;
}

/* The distributed server answers 200 whatever it says. */
static gboolean
tacho_api_ryzanstein_parse_health (TachoApi *api,
                                   const TachoHttpReply *reply,
                                   TachoHealth *health,
                                   GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  const char *status, *text;
  gsize length;

  if (is_grpc (api))
    return parse_grpc_health (reply, health, error);
  if (reply->status != 503 && (reply->status < 200 || reply->status >= 300))
    {
      g_propagate_error (error, tacho_api_error_from_reply (reply));
      return FALSE;
    }
  text = g_bytes_get_data (reply->body, &length);
  root = length > 0 ? tacho_json_parse_object (text, length, NULL) : NULL;
  status = root != NULL ? tacho_json_get_string (json_node_get_object (root), "status", "") : "";
  if (reply->status == 503 || strcmp (status, "initializing") == 0)
    *health = TACHO_HEALTH_LOADING;
  else if (strcmp (status, "unhealthy") == 0 || strcmp (status, "error") == 0)
    *health = TACHO_HEALTH_UNHEALTHY;
  else
    *health = TACHO_HEALTH_OK;
  return TRUE;
}

static TachoModelInfo *
read_model (JsonObject *object)
{
  TachoModelInfo *info = tacho_openai_read_model (object);
  const char *quantization = tacho_json_get_string (object, "quantization", NULL);

  if (quantization != NULL)
    {
      g_free (info->quantization);
      info->quantization = g_strdup (quantization);
    }
  info->kind = g_strdup (tacho_json_get_string (object, "type", NULL));
  if (info->context_window == 0)
    info->context_window = tacho_api_get_count (object, "context_window", 0);
  if (info->max_output == 0)
    info->max_output = tacho_api_get_count (object, "max_output_tokens", 0);
  return info;
}

static GPtrArray *
tacho_api_ryzanstein_parse_models (TachoApi *api, const TachoHttpReply *reply, GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GPtrArray) objects = NULL;
  GPtrArray *models;

  if (is_grpc (api))
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED,
                           "Ryzanstein does not list its models over gRPC: name the one that is "
                           "meant");
      return NULL;
    }
  root = tacho_api_parse_reply (reply, error);
  objects = root != NULL ? tacho_openai_list_objects (root, error) : NULL;
  if (objects == NULL)
    return NULL;
  models = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_model_info_free);
  for (guint i = 0; i < objects->len; i++)
    g_ptr_array_add (models, read_model (g_ptr_array_index (objects, i)));
  return models;
}

static void
set_capabilities (TachoModelInfo *info, const Mcp__Ryzanstein__ModelInfoResponse *message)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  for (gsize i = 0; i < message->n_capabilities && i < 16; i++)
    if (g_ascii_strcasecmp (message->capabilities[i]->value, "false") != 0)
      g_ptr_array_add (names, tacho_api_excerpt (message->capabilities[i]->key,
                                                 strlen (message->capabilities[i]->key)));
  if (names->len == 0)
    return;
  g_ptr_array_add (names, NULL);
  info->capabilities = g_strdupv ((char **) names->pdata);
}

static TachoModelInfo *
parse_grpc_model (const char *id, const TachoHttpReply *reply, GError **error)
{
  Mcp__Ryzanstein__ModelInfoResponse *message;
  TachoModelInfo *info = NULL;
  GError *said;

  if (!tacho_api_check_model_reply (id, reply, error))
    return NULL;
  message = tacho_api_grpc_parse (reply, &mcp__ryzanstein__model_info_response__descriptor, error);
  if (message == NULL)
    return NULL;
  said = error_of_metadata (message->metadata);
  if (said != NULL)
    g_propagate_error (error, said);
  else
    {
      info = tacho_model_info_new (id);
      info->quantization = tacho_model_info_guess_quantization (id);
      info->context_window = MAX (message->context_length, 0);
      info->max_output = MAX (message->max_tokens, 0);
      set_capabilities (info, message);
    }
  tacho_protobuf_free (message);
  return info;
}

static TachoModelInfo *
tacho_api_ryzanstein_parse_model (TachoApi *api,
                                  const char *id,
                                  const TachoHttpReply *reply,
                                  GError **error)
{
  g_autoptr (GPtrArray) models = NULL;

  if (is_grpc (api))
    return parse_grpc_model (id, reply, error);
  models = tacho_api_ryzanstein_parse_models (api, reply, error);
  if (models == NULL)
    return NULL;
  for (guint i = 0; i < models->len; i++)
    {
      const TachoModelInfo *info = g_ptr_array_index (models, i);

      if (strcmp (info->id, id) == 0)
        return tacho_model_info_copy (info);
    }
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND, "The server knows no model “%s”", id);
  return NULL;
}

static gboolean
tacho_api_ryzanstein_parse_change (TachoApi *api,
                                   TachoOperation operation,
                                   const char *id,
                                   const TachoHttpReply *reply,
                                   GError **error)
{
  g_autoptr (JsonNode) root = NULL;

  if (!tacho_api_check_model_reply (id, reply, error))
    return FALSE;
  if (reply->status >= 200 && reply->status < 300 && g_bytes_get_size (reply->body) == 0)
    return TRUE;
  root = tacho_api_parse_reply (reply, error);
  return root != NULL;
}

static gboolean
tacho_api_ryzanstein_change_blocks (TachoApi *api, TachoOperation operation)
{
  return TRUE;
}

static TachoGenerateReply *
parse_infer (const TachoHttpReply *reply, GError **error)
{
  Mcp__Ryzanstein__InferenceResponse *message =
      tacho_api_grpc_parse (reply, &mcp__ryzanstein__inference_response__descriptor, error);
  TachoGenerateReply *whole = NULL;
  GError *said;

  if (message == NULL)
    return NULL;
  said = error_of_metadata (message->metadata);
  if (said != NULL)
    g_propagate_error (error, said);
  else
    {
      whole = g_new0 (TachoGenerateReply, 1);
      whole->content = g_utf8_make_valid (message->content, -1);
      if (message->metadata != NULL && message->metadata->request_id[0] != '\0')
        whole->response_id = g_utf8_make_valid (message->metadata->request_id, -1);
      /* tokens_used is the sum of prompt and reply, which says neither. */
      tacho_usage_clear (&whole->usage);
      tacho_timings_clear (&whole->timings);
    }
  tacho_protobuf_free (message);
  return whole;
}

static TachoGenerateReply *
tacho_api_ryzanstein_parse_generate (TachoApi *api,
                                     TachoOperation operation,
                                     const TachoHttpReply *reply,
                                     GError **error)
{
  return is_grpc (api) ? parse_infer (reply, error) : tacho_openai_parse_generate (reply, error);
}

static void
emit_chunk (const Mcp__Ryzanstein__InferenceChunk *message,
            TachoStreamEventFunc func,
            gpointer user_data)
{
  g_autofree char *content = g_utf8_make_valid (message->content, -1);
  g_autofree char *id =
      message->metadata != NULL ? g_utf8_make_valid (message->metadata->request_id, -1) : NULL;
  TachoStreamEvent event;

  tacho_openai_event_clear (&event);
  event.error = error_of_metadata (message->metadata);
  event.response_id = id != NULL && id[0] != '\0' ? id : NULL;
  event.content = content[0] != '\0' ? content : NULL;
  event.has_content = event.content != NULL;
  func (&event, user_data);
  if (event.error == NULL && message->is_final)
    {
      tacho_openai_event_clear (&event);
      event.done = TRUE;
      func (&event, user_data);
    }
  g_clear_error (&event.error);
}

static gboolean
read_json (const char *data,
           gsize length,
           TachoStreamEventFunc func,
           gpointer user_data,
           GError **error)
{
  g_autoptr (JsonNode) root = tacho_json_parse_object (data, length, error);
  JsonArray *tools = NULL;
  TachoStreamEvent event;

  if (root == NULL || !tacho_openai_read_chunk (json_node_get_object (root), &event, &tools, error))
    return FALSE;
  func (&event, user_data);
  g_clear_error (&event.error);
  return TRUE;
}

static gboolean
tacho_api_ryzanstein_read_chunk (TachoApi *api,
                                 TachoOperation operation,
                                 const char *type,
                                 const char *data,
                                 gsize length,
                                 TachoStreamEventFunc func,
                                 gpointer user_data,
                                 GError **error)
{
  Mcp__Ryzanstein__InferenceChunk *message;

  if (!is_grpc (api))
    return read_json (data, length, func, user_data, error);
  message =
      tacho_protobuf_unpack (&mcp__ryzanstein__inference_chunk__descriptor, data, length, error);
  if (message == NULL)
    return FALSE;
  emit_chunk (message, func, user_data);
  tacho_protobuf_free (message);
  return TRUE;
}

static void
tacho_api_ryzanstein_iface_init (TachoApiInterface *iface)
{
  iface->get_family = tacho_api_ryzanstein_get_family;
  iface->get_protocol = tacho_api_ryzanstein_get_protocol;
  iface->describe = tacho_api_ryzanstein_describe;
  iface->supports = tacho_api_ryzanstein_supports;
  iface->get_framing = tacho_api_ryzanstein_get_framing;
  iface->build = tacho_api_ryzanstein_build;
  iface->build_generate = tacho_api_ryzanstein_build_generate;
  iface->parse_health = tacho_api_ryzanstein_parse_health;
  iface->parse_models = tacho_api_ryzanstein_parse_models;
  iface->parse_model = tacho_api_ryzanstein_parse_model;
  iface->parse_change = tacho_api_ryzanstein_parse_change;
  iface->change_blocks = tacho_api_ryzanstein_change_blocks;
  iface->parse_generate = tacho_api_ryzanstein_parse_generate;
  iface->read_chunk = tacho_api_ryzanstein_read_chunk;
}

static void
tacho_api_ryzanstein_finalize (GObject *object)
{
  g_free (TACHO_API_RYZANSTEIN (object)->version);
  G_OBJECT_CLASS (tacho_api_ryzanstein_parent_class)->finalize (object);
}

static void
tacho_api_ryzanstein_class_init (TachoApiRyzansteinClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_api_ryzanstein_finalize;
}

static void
tacho_api_ryzanstein_init (TachoApiRyzanstein *self)
{
}

/**
 * tacho_api_ryzanstein_new:
 * @protocol: %TACHO_PROTOCOL_REST or %TACHO_PROTOCOL_GRPC
 * @version: (nullable): the server's version
 *
 * Returns: (transfer full): the API of a Ryzanstein server
 */
TachoApi *
tacho_api_ryzanstein_new (TachoProtocol protocol, const char *version)
{
  TachoApiRyzanstein *self = g_object_new (TACHO_TYPE_API_RYZANSTEIN, NULL);

  g_return_val_if_fail (protocol != TACHO_PROTOCOL_HYBRID, TACHO_API (self));

  self->grpc = protocol == TACHO_PROTOCOL_GRPC;
  self->version = version != NULL ? g_utf8_make_valid (version, -1) : NULL;
  return TACHO_API (self);
}
