/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ollama's own API. Models are loaded by an empty prompt and unloaded by a keep_alive of 0. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-ollama.h"

#include <string.h>

#include "api/tacho-api-private.h"
#include "api/tacho-ollama-json.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

struct _TachoApiOllama
{
  GObject parent_instance;

  char *version;
};

static void tacho_api_ollama_iface_init (TachoApiInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TachoApiOllama,
                               tacho_api_ollama,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TACHO_TYPE_API, tacho_api_ollama_iface_init))

static const char *
tacho_api_ollama_get_family (TachoApi *self)
{
  return "ollama";
}

static char *
tacho_api_ollama_describe (TachoApi *api)
{
  TachoApiOllama *self = TACHO_API_OLLAMA (api);

  return self->version != NULL ? g_strdup_printf ("Ollama %s", self->version) : g_strdup ("Ollama");
}

static gboolean
tacho_api_ollama_supports (TachoApi *self, TachoOperation operation)
{
  switch (operation)
    {
    case TACHO_OP_HEALTH:
    case TACHO_OP_LIST_MODELS:
    case TACHO_OP_SHOW_MODEL:
    case TACHO_OP_LOAD_MODEL:
    case TACHO_OP_UNLOAD_MODEL:
    case TACHO_OP_PULL_MODEL:
    case TACHO_OP_DELETE_MODEL:
    case TACHO_OP_CHAT:
    case TACHO_OP_COMPLETION:
      return TRUE;
    case TACHO_OP_SLOTS:
    case TACHO_OP_METRICS:
    case TACHO_OP_TOKENIZE:
    default:
      return FALSE;
    }
}

static TachoFraming
tacho_api_ollama_get_framing (TachoApi *self, TachoOperation operation)
{
  return TACHO_FRAMING_NDJSON;
}

static TachoHttpRequest *
build_of_model (const char *method, const char *path, TachoOperation operation, const char *model)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  TachoHttpRequest *request = tacho_http_request_new (method, path);

  json_object_set_string_member (object, "model", model);
  if (operation == TACHO_OP_UNLOAD_MODEL)
    json_object_set_int_member (object, "keep_alive", 0);
  if (operation == TACHO_OP_LOAD_MODEL || operation == TACHO_OP_UNLOAD_MODEL)
    json_object_set_boolean_member (object, "stream", FALSE);
  request->streaming = operation == TACHO_OP_PULL_MODEL;
  if (request->streaming)
    json_object_set_boolean_member (object, "stream", TRUE);
  json_node_set_object (root, object);
  tacho_http_request_set_json (request, tacho_json_to_string (root, FALSE));
  return request;
}

/* How long a model stays after a load is the server's own setting, which is not overruled. */
static TachoHttpRequest *
tacho_api_ollama_build (TachoApi *self,
                        TachoOperation operation,
                        const char *model_id,
                        GError **error)
{
  switch (operation)
    {
    case TACHO_OP_HEALTH:
      return tacho_http_request_new ("GET", "/api/version");
    case TACHO_OP_LIST_MODELS:
      return tacho_http_request_new ("GET", "/api/tags");
    case TACHO_OP_SHOW_MODEL:
      return build_of_model ("POST", "/api/show", operation, model_id);
    case TACHO_OP_LOAD_MODEL:
    case TACHO_OP_UNLOAD_MODEL:
      return build_of_model ("POST", "/api/generate", operation, model_id);
    case TACHO_OP_PULL_MODEL:
      return build_of_model ("POST", "/api/pull", operation, model_id);
    case TACHO_OP_DELETE_MODEL:
      return build_of_model ("DELETE", "/api/delete", operation, model_id);
    case TACHO_OP_SLOTS:
    case TACHO_OP_METRICS:
    case TACHO_OP_TOKENIZE:
    case TACHO_OP_CHAT:
    case TACHO_OP_COMPLETION:
    default:
      g_return_val_if_reached (NULL);
    }
}

static TachoHttpRequest *
tacho_api_ollama_build_generate (TachoApi *self,
                                 const TachoGenerateRequest *request,
                                 GError **error)
{
  return tacho_ollama_build_generate (request);
}

static gboolean
tacho_api_ollama_parse_health (TachoApi *self,
                               const TachoHttpReply *reply,
                               TachoHealth *health,
                               GError **error)
{
  g_autoptr (JsonNode) root = NULL;

  if (reply->status >= 500)
    {
      *health = TACHO_HEALTH_UNHEALTHY;
      return TRUE;
    }
  root = tacho_api_parse_reply (reply, error);
  if (root == NULL)
    return FALSE;
  if (!JSON_NODE_HOLDS_OBJECT (root) ||
      tacho_json_get_string (json_node_get_object (root), "version", NULL) == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                           "The server's reply to /api/version has no version");
      return FALSE;
    }
  *health = TACHO_HEALTH_OK;
  return TRUE;
}

static GPtrArray *
tacho_api_ollama_parse_models (TachoApi *self, const TachoHttpReply *reply, GError **error)
{
  g_autoptr (GPtrArray) objects = tacho_ollama_list_objects (reply, error);
  GPtrArray *models;

  if (objects == NULL)
    return NULL;
  models = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_model_info_free);
  for (guint i = 0; i < objects->len; i++)
    g_ptr_array_add (models, tacho_ollama_read_model (g_ptr_array_index (objects, i)));
  return models;
}

static TachoModelInfo *
tacho_api_ollama_parse_model (TachoApi *self,
                              const char *model_id,
                              const TachoHttpReply *reply,
                              GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *object;
  TachoModelInfo *info;

  if (!tacho_api_check_model_reply (model_id, reply, error))
    return NULL;
  root = tacho_api_parse_reply (reply, error);
  if (root == NULL)
    return NULL;
  object = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  if (tacho_json_get_object (object, "details") == NULL &&
      tacho_json_get_object (object, "model_info") == NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "The server's reply does not describe the model “%.100s” that was asked for",
                   model_id);
      return NULL;
    }
  info = tacho_model_info_new (model_id);
  tacho_ollama_read_details (object, info);
  return info;
}

/* Which models are in memory is told apart from which there are. */
static TachoHttpRequest *
tacho_api_ollama_build_more (TachoApi *self,
                             TachoOperation operation,
                             const char *model_id,
                             guint step,
                             GPtrArray *models)
{
  if (step > 1 || (operation != TACHO_OP_LIST_MODELS && operation != TACHO_OP_SHOW_MODEL))
    return NULL;
  return tacho_http_request_new ("GET", "/api/ps");
}

static gboolean
tacho_api_ollama_parse_more (TachoApi *self,
                             TachoOperation operation,
                             guint step,
                             const TachoHttpReply *reply,
                             GPtrArray *models,
                             GError **error)
{
  g_autoptr (GPtrArray) running = tacho_ollama_list_objects (reply, error);
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);

  if (running == NULL)
    return FALSE;
  for (guint i = 0; i < running->len; i++)
    {
      JsonObject *object = g_ptr_array_index (running, i);

      g_hash_table_insert (by_name, (gpointer) tacho_ollama_get_name (object), object);
    }
  for (guint i = 0; i < models->len; i++)
    {
      TachoModelInfo *info = g_ptr_array_index (models, i);
      JsonObject *object = g_hash_table_lookup (by_name, info->id);

      info->status = object != NULL ? TACHO_MODEL_STATUS_LOADED : TACHO_MODEL_STATUS_UNLOADED;
      if (object == NULL)
        continue;
      /* What lies in the GPU's memory; a model that runs on the CPU alone has none there. */
      info->memory_bytes = (guint64) tacho_api_get_count (object, "size_vram", 0);
      if (info->memory_bytes == 0)
        info->memory_bytes = (guint64) tacho_api_get_count (object, "size", 0);
      info->context_window = tacho_api_get_count (object, "context_length", 0);
    }
  return TRUE;
}

static gboolean
tacho_api_ollama_change_blocks (TachoApi *self, TachoOperation operation)
{
  return operation == TACHO_OP_LOAD_MODEL;
}

static const char *
verb_of (TachoOperation operation)
{
  return operation == TACHO_OP_LOAD_MODEL     ? "load"
         : operation == TACHO_OP_UNLOAD_MODEL ? "unload"
                                              : "delete";
}

static gboolean
tacho_api_ollama_parse_change (TachoApi *self,
                               TachoOperation operation,
                               const char *model_id,
                               const TachoHttpReply *reply,
                               GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (JsonNode) root = NULL;

  if (!tacho_api_check_model_reply (model_id, reply, error))
    return FALSE;
  if (operation == TACHO_OP_DELETE_MODEL && reply->status >= 200 && reply->status < 300 &&
      g_bytes_get_size (reply->body) == 0)
    return TRUE;
  root = tacho_api_parse_reply (reply, &reason);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root) &&
      (operation == TACHO_OP_DELETE_MODEL ||
       tacho_json_get_boolean (json_node_get_object (root), "done", FALSE)))
    return TRUE;
  return tacho_api_change_refused (verb_of (operation), model_id, reply, reason, error);
}

static TachoGenerateReply *
tacho_api_ollama_parse_generate (TachoApi *self,
                                 TachoOperation operation,
                                 const TachoHttpReply *reply,
                                 GError **error)
{
  return tacho_ollama_parse_generate (reply, error);
}

/* Bytes are those of one layer at a time; "success" is the last line. */
static gboolean
tacho_api_ollama_parse_pull (TachoApi *self,
                             const char *json,
                             gsize length,
                             TachoPullProgress *progress,
                             GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (JsonNode) root = tacho_json_parse_object (json, length, &reason);
  JsonObject *object;
  const char *status;
  g_autofree char *words = NULL;

  tacho_pull_progress_clear (progress);
  if (root == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL, reason->message);
      return FALSE;
    }
  object = json_node_get_object (root);
  words = tacho_api_in_band_words (object);
  if (words != NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_IN_BAND, "The server reported an error: %s",
                   words);
      return FALSE;
    }
  status = tacho_json_get_string (object, "status", NULL);
  if (status == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                           "A line of the server's progress has no status");
      return FALSE;
    }
  progress->status = tacho_api_excerpt (status, strlen (status));
  progress->total = (guint64) tacho_api_get_count (object, "total", 0);
  progress->completed = (guint64) tacho_api_get_count (object, "completed", 0);
  progress->done = strcmp (status, "success") == 0;
  return TRUE;
}

static gboolean
tacho_api_ollama_read_chunk (TachoApi *self,
                             TachoOperation operation,
                             const char *type,
                             const char *data,
                             gsize length,
                             TachoStreamEventFunc func,
                             gpointer user_data,
                             GError **error)
{
  return tacho_ollama_read_line (data, length, func, user_data, error);
}

static void
tacho_api_ollama_iface_init (TachoApiInterface *iface)
{
  iface->get_family = tacho_api_ollama_get_family;
  iface->describe = tacho_api_ollama_describe;
  iface->supports = tacho_api_ollama_supports;
  iface->get_framing = tacho_api_ollama_get_framing;
  iface->build = tacho_api_ollama_build;
  iface->build_generate = tacho_api_ollama_build_generate;
  iface->parse_health = tacho_api_ollama_parse_health;
  iface->parse_models = tacho_api_ollama_parse_models;
  iface->parse_model = tacho_api_ollama_parse_model;
  iface->parse_change = tacho_api_ollama_parse_change;
  iface->parse_generate = tacho_api_ollama_parse_generate;
  iface->build_more = tacho_api_ollama_build_more;
  iface->parse_more = tacho_api_ollama_parse_more;
  iface->change_blocks = tacho_api_ollama_change_blocks;
  iface->parse_pull = tacho_api_ollama_parse_pull;
  iface->read_chunk = tacho_api_ollama_read_chunk;
}

static void
tacho_api_ollama_finalize (GObject *object)
{
  g_free (TACHO_API_OLLAMA (object)->version);
  G_OBJECT_CLASS (tacho_api_ollama_parent_class)->finalize (object);
}

static void
tacho_api_ollama_class_init (TachoApiOllamaClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_api_ollama_finalize;
}

static void
tacho_api_ollama_init (TachoApiOllama *self)
{
}

/**
 * tacho_api_ollama_new:
 * @version: (nullable): what /api/version said
 *
 * Returns: (transfer full): Ollama's own API
 */
TachoApi *
tacho_api_ollama_new (const char *version)
{
  TachoApiOllama *self = g_object_new (TACHO_TYPE_API_OLLAMA, NULL);

  self->version = version != NULL && version[0] != '\0' ? g_strdup (version) : NULL;
  return TACHO_API (self);
}
