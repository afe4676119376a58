/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any OpenAI-compatible server, and those with routes of their own beside OpenAI's. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-openai.h"

#include <string.h>

#include "api/tacho-api-private.h"
#include "api/tacho-openai-dialect-private.h"
#include "api/tacho-openai-json.h"
#include "api/tacho-prometheus.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

struct _TachoApiOpenai
{
  GObject parent_instance;

  TachoOpenaiDialect dialect;
  const TachoOpenaiDialectFacts *facts;
  char *version;
  int completion_tokens; /* learnt from a refusal; also read by a benchmark's thread */
  gboolean no_sleep;     /* vLLM said that it cannot tell whether it sleeps */
  gboolean asleep;       /* SGLang cannot be asked: what we told it last */
  GHashTable *adapters;  /* ids of LoRA adapters */
};

static void tacho_api_openai_iface_init (TachoApiInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TachoApiOpenai,
                               tacho_api_openai,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TACHO_TYPE_API, tacho_api_openai_iface_init))

static const char *
tacho_api_openai_get_family (TachoApi *api)
{
  return TACHO_API_OPENAI (api)->facts->family;
}

static char *
tacho_api_openai_describe (TachoApi *api)
{
  TachoApiOpenai *self = TACHO_API_OPENAI (api);

  return g_strconcat (self->facts->title, self->version != NULL ? " " : NULL, self->version, NULL);
}

static gboolean
tacho_api_openai_supports (TachoApi *api, TachoOperation operation)
{
  const TachoOpenaiDialectFacts *facts = TACHO_API_OPENAI (api)->facts;

  switch (operation)
    {
    case TACHO_OP_LIST_MODELS:
    case TACHO_OP_SHOW_MODEL:
    case TACHO_OP_CHAT:
    case TACHO_OP_COMPLETION:
      return TRUE;
    case TACHO_OP_HEALTH:
    case TACHO_OP_METRICS:
    case TACHO_OP_TOKENIZE:
      return facts->own_routes;
    case TACHO_OP_LOAD_MODEL:
    case TACHO_OP_UNLOAD_MODEL:
      return facts->sleep_path != NULL;
    case TACHO_OP_SLOTS:
    case TACHO_OP_PULL_MODEL:
    case TACHO_OP_DELETE_MODEL:
    default:
      return FALSE;
    }
}

static TachoFraming
tacho_api_openai_get_framing (TachoApi *self, TachoOperation operation)
{
  return TACHO_FRAMING_SSE;
}

/* vLLM and TGI have no route for one model, SGLang has it since a while: the list is read. */
static TachoHttpRequest *
build_show (TachoApiOpenai *self, const char *model_id)
{
  g_autofree char *id = NULL;
  g_autofree char *path = NULL;

  if (self->dialect != TACHO_OPENAI_DIALECT_PLAIN)
    return tacho_http_request_new ("GET", "/v1/models");
  id = g_uri_escape_string (model_id, NULL, FALSE);
  path = g_strconcat ("/v1/models/", id, NULL);
  return tacho_http_request_new ("GET", path);
}

/* An adapter is loaded from a path and unloaded for good; the model itself sleeps and wakes. */
static TachoHttpRequest *
build_change (TachoApiOpenai *self, TachoOperation operation, const char *model_id, GError **error)
{
  if (!g_hash_table_contains (self->adapters, model_id))
    return tacho_openai_dialect_build_sleep (self->dialect, operation == TACHO_OP_UNLOAD_MODEL);
  if (operation == TACHO_OP_UNLOAD_MODEL)
    return tacho_openai_dialect_build_lora (self->dialect, model_id, NULL);
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "“%s” is an adapter: it is loaded from the path of its files", model_id);
  return NULL;
}

static TachoHttpRequest *
tacho_api_openai_build (TachoApi *api,
                        TachoOperation operation,
                        const char *model_id,
                        GError **error)
{
  TachoApiOpenai *self = TACHO_API_OPENAI (api);

  switch (operation)
    {
    case TACHO_OP_HEALTH:
      return tacho_http_request_new ("GET", "/health");
    case TACHO_OP_METRICS:
      return tacho_http_request_new ("GET", "/metrics");
    case TACHO_OP_LIST_MODELS:
      return tacho_http_request_new ("GET", "/v1/models");
    case TACHO_OP_SHOW_MODEL:
      return build_show (self, model_id);
    case TACHO_OP_LOAD_MODEL:
    case TACHO_OP_UNLOAD_MODEL:
      return build_change (self, operation, model_id, error);
    case TACHO_OP_SLOTS:
    case TACHO_OP_PULL_MODEL:
    case TACHO_OP_DELETE_MODEL:
    case TACHO_OP_TOKENIZE:
    case TACHO_OP_CHAT:
    case TACHO_OP_COMPLETION:
    default:
      g_return_val_if_reached (NULL);
    }
}

static TachoHttpRequest *
tacho_api_openai_build_generate (TachoApi *api, const TachoGenerateRequest *request, GError **error)
{
  TachoApiOpenai *self = TACHO_API_OPENAI (api);
  guint flags = self->facts->flags;

  if (g_atomic_int_get (&self->completion_tokens))
    flags |= TACHO_OPENAI_COMPLETION_TOKENS;
  return tacho_openai_build_generate (request, (TachoOpenaiFlags) flags);
}

/* Newer models of OpenAI refuse max_tokens; what they want instead, they name. */
static gboolean
tacho_api_openai_learn_refusal (TachoApi *api,
                                const TachoGenerateRequest *request,
                                const TachoHttpReply *reply)
{
  TachoApiOpenai *self = TACHO_API_OPENAI (api);
  gsize length;
  const char *text = g_bytes_get_data (reply->body, &length);

  if (reply->status != 400 || request->raw || request->max_tokens < 0 || length == 0 ||
      g_strstr_len (text, (gssize) MIN (length, 65536), "max_completion_tokens") == NULL)
    return FALSE;
  g_atomic_int_set (&self->completion_tokens, TRUE);
  return TRUE;
}

static gboolean
tacho_api_openai_parse_health (TachoApi *api,
                               const TachoHttpReply *reply,
                               TachoHealth *health,
                               GError **error)
{
  if (reply->status >= 200 && reply->status < 300)
    *health = TACHO_HEALTH_OK;
  else if (reply->status == 503 && TACHO_API_OPENAI (api)->dialect == TACHO_OPENAI_DIALECT_SGLANG)
    *health = TACHO_HEALTH_LOADING; /* starting, or shutting down */
  else if (reply->status >= 500)
    *health = TACHO_HEALTH_UNHEALTHY;
  else
    {
      g_propagate_error (error, tacho_api_error_from_reply (reply));
      return FALSE;
    }
  return TRUE;
}

static gboolean
tacho_api_openai_parse_metrics (TachoApi *api,
                                const TachoHttpReply *reply,
                                TachoServerMetrics *metrics,
                                GError **error)
{
  const char *wanted = TACHO_API_OPENAI (api)->facts->metrics_switch;

  if (wanted == NULL || reply->status != 404)
    return tacho_prometheus_read_metrics (reply, metrics, error);
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED,
               "The server does not show its metrics: %s", wanted);
  return FALSE;
}

static TachoModelInfo *
read_model (TachoApiOpenai *self, JsonObject *object)
{
  TachoModelInfo *info = tacho_openai_read_model (object);

  if (self->facts->lora_load != NULL && tacho_json_get_string (object, "parent", NULL) != NULL)
    {
      g_hash_table_add (self->adapters, g_strdup (info->id));
      info->kind = g_strdup ("adapter");
      info->status = TACHO_MODEL_STATUS_LOADED;
    }
  if (self->asleep)
    info->status = TACHO_MODEL_STATUS_SLEEPING;
  return info;
}

static GPtrArray *
tacho_api_openai_parse_models (TachoApi *api, const TachoHttpReply *reply, GError **error)
{
  TachoApiOpenai *self = TACHO_API_OPENAI (api);
  g_autoptr (JsonNode) root = tacho_api_parse_reply (reply, error);
  g_autoptr (GPtrArray) objects = root != NULL ? tacho_openai_list_objects (root, error) : NULL;
  GPtrArray *models;

  if (objects == NULL)
    return NULL;
  g_hash_table_remove_all (self->adapters);
  models = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_model_info_free);
  for (guint i = 0; i < objects->len; i++)
    g_ptr_array_add (models, read_model (self, g_ptr_array_index (objects, i)));
  return models;
}

static TachoHttpRequest *
tacho_api_openai_build_more (TachoApi *api,
                             TachoOperation operation,
                             const char *model_id,
                             guint step,
                             GPtrArray *models)
{
  TachoApiOpenai *self = TACHO_API_OPENAI (api);
  const char *path = NULL;

  if ((operation == TACHO_OP_LIST_MODELS || operation == TACHO_OP_SHOW_MODEL) && !self->no_sleep &&
      models->len > 0)
    path = tacho_openai_dialect_more_path (self->dialect, operation, step);
  return path != NULL ? tacho_http_request_new ("GET", path) : NULL;
}

static gboolean
tacho_api_openai_parse_more (TachoApi *api,
                             TachoOperation operation,
                             guint step,
                             const TachoHttpReply *reply,
                             GPtrArray *models,
                             GError **error)
{
  TachoApiOpenai *self = TACHO_API_OPENAI (api);
  const char *path = tacho_openai_dialect_more_path (self->dialect, operation, step);

  /* Asked once; the route does not come while the server runs. */
  if (self->dialect == TACHO_OPENAI_DIALECT_VLLM && tacho_openai_dialect_no_route (reply))
    self->no_sleep = TRUE;
  return tacho_openai_dialect_read_more (self->dialect, path, reply, models, error);
}

static TachoHttpRequest *
tacho_api_openai_build_tokenize (TachoApi *api,
                                 const char *model_id,
                                 const char *text,
                                 GError **error)
{
  return tacho_openai_dialect_build_tokenize (TACHO_API_OPENAI (api)->dialect, model_id, text);
}

static gint64
tacho_api_openai_parse_tokenize (TachoApi *self, const TachoHttpReply *reply, GError **error)
{
  return tacho_openai_dialect_parse_tokenize (reply, error);
}

static gboolean
tacho_api_openai_loads_adapters (TachoApi *api)
{
  return TACHO_API_OPENAI (api)->facts->lora_load != NULL;
}

static TachoHttpRequest *
tacho_api_openai_build_load_from (TachoApi *api,
                                  const char *model_id,
                                  const char *path,
                                  GError **error)
{
  TachoApiOpenai *self = TACHO_API_OPENAI (api);

  if (self->facts->lora_load == NULL)
    {
      g_autofree char *description = tacho_api_describe (api);

      g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED, "%s cannot load adapters",
                   description);
      return NULL;
    }
  g_hash_table_add (self->adapters, g_strdup (model_id));
  return tacho_openai_dialect_build_lora (self->dialect, model_id, path);
}

static gboolean
tacho_api_openai_parse_change (TachoApi *api,
                               TachoOperation operation,
                               const char *model_id,
                               const TachoHttpReply *reply,
                               GError **error)
{
  TachoApiOpenai *self = TACHO_API_OPENAI (api);
  gboolean adapter = g_hash_table_contains (self->adapters, model_id);
  gboolean changed =
      tacho_openai_dialect_parse_change (self->dialect, operation, model_id, adapter, reply, error);

  if (adapter && changed == (operation == TACHO_OP_UNLOAD_MODEL))
    g_hash_table_remove (self->adapters, model_id);
  if (!adapter && changed && self->dialect == TACHO_OPENAI_DIALECT_SGLANG)
    self->asleep = operation == TACHO_OP_UNLOAD_MODEL;
  return changed;
}

static gboolean
tacho_api_openai_change_blocks (TachoApi *api, TachoOperation operation)
{
  return tacho_api_openai_supports (api, TACHO_OP_LOAD_MODEL);
}

static TachoModelInfo *
find_model (TachoApi *api, const char *model_id, const TachoHttpReply *reply, GError **error)
{
  g_autoptr (GPtrArray) models = tacho_api_openai_parse_models (api, reply, error);

  if (models == NULL)
    return NULL;
  for (guint i = 0; i < models->len; i++)
    {
      const TachoModelInfo *info = g_ptr_array_index (models, i);

      if (strcmp (info->id, model_id) == 0)
        return tacho_model_info_copy (info);
    }
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND, "The server has no model “%s”", model_id);
  return NULL;
}

static TachoModelInfo *
tacho_api_openai_parse_model (TachoApi *api,
                              const char *model_id,
                              const TachoHttpReply *reply,
                              GError **error)
{
  TachoApiOpenai *self = TACHO_API_OPENAI (api);
  g_autoptr (JsonNode) root = NULL;
  JsonObject *object;

  if (self->dialect != TACHO_OPENAI_DIALECT_PLAIN)
    return find_model (api, model_id, reply, error);
  if (!tacho_api_check_model_reply (model_id, reply, error))
    return NULL;
  root = tacho_api_parse_reply (reply, error);
  if (root == NULL)
    return NULL;
  object = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  if (g_strcmp0 (tacho_json_get_string (object, "id", NULL), model_id) != 0)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "The server's reply does not describe the model “%s” that was asked for",
                   model_id);
      return NULL;
    }
  return read_model (self, object);
}

static TachoGenerateReply *
tacho_api_openai_parse_generate (TachoApi *self,
                                 TachoOperation operation,
                                 const TachoHttpReply *reply,
                                 GError **error)
{
  return tacho_openai_parse_generate (reply, error);
}

static void
tacho_api_openai_iface_init (TachoApiInterface *iface)
{
  iface->get_family = tacho_api_openai_get_family;
  iface->describe = tacho_api_openai_describe;
  iface->supports = tacho_api_openai_supports;
  iface->get_framing = tacho_api_openai_get_framing;
  iface->build = tacho_api_openai_build;
  iface->build_generate = tacho_api_openai_build_generate;
  iface->parse_models = tacho_api_openai_parse_models;
  iface->parse_model = tacho_api_openai_parse_model;
  iface->parse_generate = tacho_api_openai_parse_generate;
  iface->parse_health = tacho_api_openai_parse_health;
  iface->parse_metrics = tacho_api_openai_parse_metrics;
  iface->parse_change = tacho_api_openai_parse_change;
  iface->change_blocks = tacho_api_openai_change_blocks;
  iface->build_more = tacho_api_openai_build_more;
  iface->parse_more = tacho_api_openai_parse_more;
  iface->build_tokenize = tacho_api_openai_build_tokenize;
  iface->parse_tokenize = tacho_api_openai_parse_tokenize;
  iface->loads_adapters = tacho_api_openai_loads_adapters;
  iface->build_load_from = tacho_api_openai_build_load_from;
  iface->learn_refusal = tacho_api_openai_learn_refusal;
}

static void
tacho_api_openai_finalize (GObject *object)
{
  TachoApiOpenai *self = TACHO_API_OPENAI (object);

  g_free (self->version);
  g_hash_table_unref (self->adapters);
  G_OBJECT_CLASS (tacho_api_openai_parent_class)->finalize (object);
}

static void
tacho_api_openai_class_init (TachoApiOpenaiClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_api_openai_finalize;
}

static void
tacho_api_openai_init (TachoApiOpenai *self)
{
  self->adapters = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/**
 * tacho_api_openai_new:
 *
 * Returns: (transfer full): the API of any OpenAI-compatible server
 */
TachoApi *
tacho_api_openai_new (void)
{
  return tacho_api_openai_new_dialect (TACHO_OPENAI_DIALECT_PLAIN, NULL);
}

/**
 * tacho_api_openai_new_dialect:
 * @dialect: whose routes and parameters are known
 * @version: (nullable): what the server calls its version
 *
 * Returns: (transfer full): the API of such a server
 */
TachoApi *
tacho_api_openai_new_dialect (TachoOpenaiDialect dialect, const char *version)
{
  TachoApiOpenai *self = g_object_new (TACHO_TYPE_API_OPENAI, NULL);

  self->dialect = dialect;
  self->facts = tacho_openai_dialect_get_facts (dialect);
  self->version = version != NULL && version[0] != '\0' ? g_strdup (version) : NULL;
  return TACHO_API (self);
}
