/* SPDX-License-Identifier: GPL-3.0-or-later */
/* LM Studio. Its models have routes of its own, in two versions; text goes the way of OpenAI's. It
 * answers what it does not know with 200 and an error. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-lmstudio.h"

#include <math.h>
#include <string.h>

#include "api/tacho-api-private.h"
#include "api/tacho-lmstudio-json.h"
#include "api/tacho-openai-json.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

struct _TachoApiLmstudio
{
  GObject parent_instance;

  gboolean v1;
  GHashTable *instances; /* of a model's key: the id of one loaded instance of it */
};

static void tacho_api_lmstudio_iface_init (TachoApiInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TachoApiLmstudio,
                               tacho_api_lmstudio,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TACHO_TYPE_API,
                                                      tacho_api_lmstudio_iface_init))

static const char *
tacho_api_lmstudio_get_family (TachoApi *self)
{
  return "lmstudio";
}

static char *
tacho_api_lmstudio_describe (TachoApi *self)
{
  return g_strdup (TACHO_API_LMSTUDIO (self)->v1 ? "LM Studio" : "LM Studio before 0.4");
}

static gboolean
tacho_api_lmstudio_supports (TachoApi *self, TachoOperation operation)
{
  switch (operation)
    {
    case TACHO_OP_HEALTH:
    case TACHO_OP_LIST_MODELS:
    case TACHO_OP_SHOW_MODEL:
    case TACHO_OP_CHAT:
    case TACHO_OP_COMPLETION:
      return TRUE;
    case TACHO_OP_LOAD_MODEL:
    case TACHO_OP_UNLOAD_MODEL:
    case TACHO_OP_PULL_MODEL:
      return TACHO_API_LMSTUDIO (self)->v1;
    case TACHO_OP_SLOTS:
    case TACHO_OP_METRICS:
    case TACHO_OP_DELETE_MODEL:
    case TACHO_OP_TOKENIZE:
    default:
      return FALSE;
    }
}

static TachoFraming
tacho_api_lmstudio_get_framing (TachoApi *self, TachoOperation operation)
{
  return TACHO_FRAMING_SSE;
}

static TachoHttpRequest *
build_with (const char *path, const char *member, const char *value)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  TachoHttpRequest *request = tacho_http_request_new ("POST", path);

  json_object_set_string_member (object, member, value);
  json_node_set_object (root, object);
  tacho_http_request_set_json (request, tacho_json_to_string (root, FALSE));
  return request;
}

static TachoHttpRequest *
tacho_api_lmstudio_build (TachoApi *api,
                          TachoOperation operation,
                          const char *model_id,
                          GError **error)
{
  TachoApiLmstudio *self = TACHO_API_LMSTUDIO (api);
  const char *instance;

  switch (operation)
    {
    case TACHO_OP_HEALTH: /* it has no route for it */
    case TACHO_OP_LIST_MODELS:
    case TACHO_OP_SHOW_MODEL: /* v1 has no route for one model, v0 tells no more than its list */
      return tacho_http_request_new ("GET", self->v1 ? "/api/v1/models" : "/api/v0/models");
    case TACHO_OP_LOAD_MODEL:
      return build_with ("/api/v1/models/load", "model", model_id);
    case TACHO_OP_UNLOAD_MODEL:
      instance = g_hash_table_lookup (self->instances, model_id);
      /* A first instance is called as its model is. */
      return build_with ("/api/v1/models/unload", "instance_id",
                         instance != NULL ? instance : model_id);
    case TACHO_OP_PULL_MODEL:
      return build_with ("/api/v1/models/download", "model", model_id);
    case TACHO_OP_SLOTS:
    case TACHO_OP_METRICS:
    case TACHO_OP_DELETE_MODEL:
    case TACHO_OP_TOKENIZE:
    case TACHO_OP_CHAT:
    case TACHO_OP_COMPLETION:
    default:
      g_return_val_if_reached (NULL);
    }
}

static TachoHttpRequest *
tacho_api_lmstudio_build_generate (TachoApi *self,
                                   const TachoGenerateRequest *request,
                                   GError **error)
{
  return tacho_openai_build_generate (request, TACHO_OPENAI_PLAIN);
}

static GPtrArray *
read_models (TachoApiLmstudio *self, const TachoHttpReply *reply, GError **error)
{
  g_autoptr (GHashTable) instances =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GPtrArray *models = tacho_lmstudio_parse_models (reply, self->v1, instances, error);

  if (models != NULL)
    {
      g_hash_table_unref (self->instances);
      self->instances = g_steal_pointer (&instances);
    }
  return models;
}

static gboolean
tacho_api_lmstudio_parse_health (TachoApi *self,
                                 const TachoHttpReply *reply,
                                 TachoHealth *health,
                                 GError **error)
{
  g_autoptr (GPtrArray) models = NULL;

  *health = TACHO_HEALTH_UNHEALTHY;
  if (reply->status >= 500)
    return TRUE;
  models = read_models (TACHO_API_LMSTUDIO (self), reply, error);
  if (models == NULL)
    return FALSE;
  *health = TACHO_HEALTH_OK;
  return TRUE;
}

static GPtrArray *
tacho_api_lmstudio_parse_models (TachoApi *self, const TachoHttpReply *reply, GError **error)
{
  return read_models (TACHO_API_LMSTUDIO (self), reply, error);
}

static TachoModelInfo *
tacho_api_lmstudio_parse_model (TachoApi *self,
                                const char *model_id,
                                const TachoHttpReply *reply,
                                GError **error)
{
  g_autoptr (GPtrArray) models = read_models (TACHO_API_LMSTUDIO (self), reply, error);

  if (models == NULL)
    return NULL;
  for (guint i = 0; i < models->len; i++)
    {
      const TachoModelInfo *info = g_ptr_array_index (models, i);

      if (strcmp (info->id, model_id) == 0)
        return tacho_model_info_copy (info);
    }
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND, "The server has no model “%.100s”",
               model_id);
  return NULL;
}

/* Both answer when they are done. Of a model with several instances an unload takes one, and the
 * list then still shows the others. */
static gboolean
tacho_api_lmstudio_change_blocks (TachoApi *self, TachoOperation operation)
{
  return operation == TACHO_OP_LOAD_MODEL || operation == TACHO_OP_UNLOAD_MODEL;
}

static gboolean
tacho_api_lmstudio_parse_change (TachoApi *self,
                                 TachoOperation operation,
                                 const char *model_id,
                                 const TachoHttpReply *reply,
                                 GError **error)
{
  gboolean load = operation == TACHO_OP_LOAD_MODEL;
  g_autoptr (GError) reason = NULL;
  g_autoptr (JsonNode) root = NULL;
  JsonObject *object;

  if (!tacho_api_check_model_reply (model_id, reply, error))
    return FALSE;
  root = tacho_api_parse_reply (reply, &reason);
  object = root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  if (tacho_json_get_string (object, "instance_id", NULL) != NULL)
    return TRUE;
  return tacho_api_change_refused (load ? "load" : "unload", model_id, reply, reason, error);
}

static TachoGenerateReply *
tacho_api_lmstudio_parse_generate (TachoApi *self,
                                   TachoOperation operation,
                                   const TachoHttpReply *reply,
                                   GError **error)
{
  return tacho_openai_parse_generate (reply, error);
}

static gboolean
tacho_api_lmstudio_parse_pull (TachoApi *self,
                               const char *json,
                               gsize length,
                               TachoPullProgress *progress,
                               GError **error)
{
  return tacho_lmstudio_parse_pull (json, length, progress, error);
}

static TachoHttpRequest *
tacho_api_lmstudio_build_pull_status (TachoApi *self,
                                      const char *model_id,
                                      const TachoPullProgress *last)
{
  g_autofree char *id = NULL;
  g_autofree char *path = NULL;

  if (last->job_id == NULL)
    return NULL;
  id = g_uri_escape_string (last->job_id, NULL, FALSE);
  path = g_strconcat ("/api/v1/models/download/status/", id, NULL);
  return tacho_http_request_new ("GET", path);
}

static void
tacho_api_lmstudio_iface_init (TachoApiInterface *iface)
{
  iface->get_family = tacho_api_lmstudio_get_family;
  iface->describe = tacho_api_lmstudio_describe;
  iface->supports = tacho_api_lmstudio_supports;
  iface->get_framing = tacho_api_lmstudio_get_framing;
  iface->build = tacho_api_lmstudio_build;
  iface->build_generate = tacho_api_lmstudio_build_generate;
  iface->parse_health = tacho_api_lmstudio_parse_health;
  iface->parse_models = tacho_api_lmstudio_parse_models;
  iface->parse_model = tacho_api_lmstudio_parse_model;
  iface->parse_change = tacho_api_lmstudio_parse_change;
  iface->parse_generate = tacho_api_lmstudio_parse_generate;
  iface->change_blocks = tacho_api_lmstudio_change_blocks;
  iface->parse_pull = tacho_api_lmstudio_parse_pull;
  iface->build_pull_status = tacho_api_lmstudio_build_pull_status;
}

static void
tacho_api_lmstudio_finalize (GObject *object)
{
  g_hash_table_unref (TACHO_API_LMSTUDIO (object)->instances);
  G_OBJECT_CLASS (tacho_api_lmstudio_parent_class)->finalize (object);
}

static void
tacho_api_lmstudio_class_init (TachoApiLmstudioClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_api_lmstudio_finalize;
}

static void
tacho_api_lmstudio_init (TachoApiLmstudio *self)
{
  self->instances = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

/**
 * tacho_api_lmstudio_new:
 * @v1: whether it has /api/v1, as version 0.4.0 and later do
 *
 * Returns: (transfer full): the API of LM Studio
 */
TachoApi *
tacho_api_lmstudio_new (gboolean v1)
{
  TachoApiLmstudio *self = g_object_new (TACHO_TYPE_API_LMSTUDIO, NULL);

  self->v1 = v1;
  return TACHO_API (self);
}
