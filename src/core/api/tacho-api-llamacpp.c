/* SPDX-License-Identifier: GPL-3.0-or-later */
/* llama.cpp's server, with one model or as a router of many. The facts are those of its
 * tools/server/README.md, checked against a running build b11669. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-llamacpp.h"

#include <math.h>
#include <string.h>

#include "api/tacho-api-private.h"
#include "api/tacho-llamacpp-pull.h"
#include "api/tacho-openai-json.h"
#include "api/tacho-prometheus.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

struct _TachoApiLlamacpp
{
  GObject parent_instance;

  gboolean router;
  char *build;
};

static void tacho_api_llamacpp_iface_init (TachoApiInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TachoApiLlamacpp,
                               tacho_api_llamacpp,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TACHO_TYPE_API,
                                                      tacho_api_llamacpp_iface_init))

static const char *
tacho_api_llamacpp_get_family (TachoApi *self)
{
  return "llamacpp";
}

static char *
tacho_api_llamacpp_describe (TachoApi *api)
{
  TachoApiLlamacpp *self = TACHO_API_LLAMACPP (api);

  return g_strdup_printf ("llama.cpp server%s%s%s", self->build != NULL ? " " : "",
                          self->build != NULL ? self->build : "", self->router ? " (router)" : "");
}

static gboolean
tacho_api_llamacpp_supports (TachoApi *api, TachoOperation operation)
{
  if (operation == TACHO_OP_LOAD_MODEL || operation == TACHO_OP_UNLOAD_MODEL ||
      operation == TACHO_OP_PULL_MODEL || operation == TACHO_OP_DELETE_MODEL)
    return TACHO_API_LLAMACPP (api)->router;
  return (guint) operation <= TACHO_OP_COMPLETION;
}

static TachoFraming
tacho_api_llamacpp_get_framing (TachoApi *self, TachoOperation operation)
{
  return TACHO_FRAMING_SSE;
}

static TachoHttpRequest *
build_with_model (const char *path, const char *member, const char *text, const char *model_id)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  TachoHttpRequest *request = tacho_http_request_new ("POST", path);

  if (model_id != NULL)
    json_object_set_string_member (object, "model", model_id);
  if (member != NULL)
    json_object_set_string_member (object, member, text);
  json_node_set_object (root, object);
  tacho_http_request_set_json (request, tacho_json_to_string (root, FALSE));
  return request;
}

/* A router must be told whose slots or metrics are meant; one that is not loaded is loaded by the
 * question unless autoload is forbidden, and a look must not load. */
static TachoHttpRequest *
build_of_model (TachoApiLlamacpp *self, const char *path, const char *model_id, GError **error)
{
  g_autofree char *id = NULL;
  g_autofree char *full = NULL;

  if (!self->router)
    return tacho_http_request_new ("GET", path);
  if (model_id == NULL || model_id[0] == '\0')
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "A llama.cpp router has many models: name the one that is meant");
      return NULL;
    }
  id = g_uri_escape_string (model_id, NULL, FALSE);
  full = g_strconcat (path, "?model=", id, "&autoload=0", NULL);
  return tacho_http_request_new ("GET", full);
}

static TachoHttpRequest *
build_delete (const char *model_id)
{
  g_autofree char *id = g_uri_escape_string (model_id, NULL, FALSE);
  g_autofree char *path = g_strconcat ("/models?model=", id, NULL);

  return tacho_http_request_new ("DELETE", path);
}

static TachoHttpRequest *
tacho_api_llamacpp_build (TachoApi *api,
                          TachoOperation operation,
                          const char *model_id,
                          GError **error)
{
  TachoApiLlamacpp *self = TACHO_API_LLAMACPP (api);

  switch (operation)
    {
    case TACHO_OP_HEALTH:
      return tacho_http_request_new ("GET", "/health");
    case TACHO_OP_LIST_MODELS:
    case TACHO_OP_SHOW_MODEL: /* it has no route for one model: the list is read */
      return tacho_http_request_new ("GET", self->router ? "/models" : "/v1/models");
    case TACHO_OP_LOAD_MODEL:
      return build_with_model ("/models/load", NULL, NULL, model_id);
    case TACHO_OP_UNLOAD_MODEL:
      return build_with_model ("/models/unload", NULL, NULL, model_id);
    case TACHO_OP_PULL_MODEL:
      return build_with_model ("/models", NULL, NULL, model_id);
    case TACHO_OP_DELETE_MODEL:
      return build_delete (model_id);
    case TACHO_OP_SLOTS:
      return build_of_model (self, "/slots", model_id, error);
    case TACHO_OP_METRICS:
      return build_of_model (self, "/metrics", model_id, error);
    case TACHO_OP_TOKENIZE:
    case TACHO_OP_CHAT:
    case TACHO_OP_COMPLETION:
    default:
      g_return_val_if_reached (NULL);
    }
}

static TachoHttpRequest *
tacho_api_llamacpp_build_tokenize (TachoApi *api,
                                   const char *model_id,
                                   const char *text,
                                   GError **error)
{
  return build_with_model ("/tokenize", "content", text,
                           TACHO_API_LLAMACPP (api)->router ? model_id : NULL);
}

static TachoHttpRequest *
tacho_api_llamacpp_build_generate (TachoApi *self,
                                   const TachoGenerateRequest *request,
                                   GError **error)
{
  return tacho_openai_build_generate (request, TACHO_OPENAI_LLAMACPP);
}

static gboolean
tacho_api_llamacpp_parse_health (TachoApi *self,
                                 const TachoHttpReply *reply,
                                 TachoHealth *health,
                                 GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  const char *status = NULL;

  if (tacho_api_llamacpp_reply_says_loading (reply))
    {
      *health = TACHO_HEALTH_LOADING;
      return TRUE;
    }
  if (reply->status >= 500)
    {
      *health = TACHO_HEALTH_UNHEALTHY;
      return TRUE;
    }
  root = tacho_api_parse_reply (reply, error);
  if (root == NULL)
    return FALSE;
  if (JSON_NODE_HOLDS_OBJECT (root))
    status = tacho_json_get_string (json_node_get_object (root), "status", NULL);
  if (status == NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "The server's reply to /health has no status");
      return FALSE;
    }
  *health = strcmp (status, "ok") == 0 ? TACHO_HEALTH_OK : TACHO_HEALTH_UNHEALTHY;
  return TRUE;
}

/* llama.cpp's own names: "all F32", "Q4_K - Medium", "mostly Q8_0", "(guessed) …". */
static char *
quantization_of_ftype (const char *ftype)
{
  g_auto (GStrv) words = NULL;
  g_autofree char *type = NULL;

  if (ftype == NULL)
    return NULL;
  words = g_strsplit (ftype, " ", 8);
  for (guint i = 0; words[i] != NULL; i++)
    {
      if (type == NULL)
        type = tacho_model_info_guess_quantization (words[i]);
      else if (strcmp (words[i], "Small") == 0 || strcmp (words[i], "Medium") == 0 ||
               strcmp (words[i], "Large") == 0)
        return g_strdup_printf ("%s_%c", type, words[i][0]);
    }
  return g_steal_pointer (&type);
}

/* Progress of a load: a number, or {stages, current, value} of the stage that runs. */
static double
read_progress (JsonObject *status)
{
  double value = tacho_json_get_double (status, "progress", NAN);

  if (isnan (value))
    value = tacho_json_get_double (tacho_json_get_object (status, "progress"), "value", NAN);
  return value >= 0 && value <= 1 ? value : NAN;
}

/* A load that failed is "unloaded" with failed:true; who waits only for "loaded" waits for ever. */
static void
read_router_status (JsonObject *status, TachoModelInfo *info)
{
  const char *value = tacho_json_get_string (status, "value", "");

  if (tacho_json_get_boolean (status, "failed", FALSE))
    {
      info->status = TACHO_MODEL_STATUS_FAILED;
      if (tacho_json_has (status, "exit_code"))
        info->status_reason = g_strdup_printf ("exit code %" G_GINT64_FORMAT,
                                               tacho_json_get_int (status, "exit_code", -1));
      else
        info->status_reason = g_strdup ("the server does not say why");
    }
  else if (strcmp (value, "loaded") == 0)
    info->status = TACHO_MODEL_STATUS_LOADED;
  else if (strcmp (value, "unloaded") == 0)
    info->status = TACHO_MODEL_STATUS_UNLOADED;
  else if (strcmp (value, "sleeping") == 0)
    info->status = TACHO_MODEL_STATUS_SLEEPING;
  else if (strcmp (value, "loading") == 0 || strcmp (value, "downloading") == 0)
    {
      info->status = TACHO_MODEL_STATUS_LOADING;
      info->progress = read_progress (status);
      if (value[0] == 'd')
        info->status_reason = g_strdup ("downloading");
    }
}

static TachoModelInfo *
read_model (TachoApiLlamacpp *self, JsonObject *object)
{
  TachoModelInfo *info = tacho_openai_read_model (object);
  JsonObject *meta = tacho_json_get_object (object, "meta");
  JsonObject *status = tacho_json_get_object (object, "status");
  char *quantization = quantization_of_ftype (tacho_json_get_string (meta, "ftype", NULL));

  if (quantization != NULL)
    {
      g_free (info->quantization);
      info->quantization = quantization;
    }
  /* The file's own number; what the server runs with is in meta. */
  info->context_trained =
      tacho_api_get_count (meta, "n_ctx_train", tacho_api_get_count (object, "context_length", 0));
  info->context_window = tacho_api_get_count (meta, "n_ctx", 0);
  info->n_params = (guint64) tacho_api_get_count (meta, "n_params", 0);
  info->size_bytes = (guint64) tacho_api_get_count (meta, "size", 0);
  if (status != NULL)
    read_router_status (status, info);
  else if (!self->router)
    info->status = meta != NULL ? TACHO_MODEL_STATUS_LOADED : TACHO_MODEL_STATUS_LOADING;
  return info;
}

static GPtrArray *
tacho_api_llamacpp_parse_models (TachoApi *api, const TachoHttpReply *reply, GError **error)
{
  g_autoptr (JsonNode) root = tacho_api_parse_reply (reply, error);
  g_autoptr (GPtrArray) objects = root != NULL ? tacho_openai_list_objects (root, error) : NULL;
  GPtrArray *models;

  if (objects == NULL)
    return NULL;
  models = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_model_info_free);
  for (guint i = 0; i < objects->len; i++)
    g_ptr_array_add (models, read_model (TACHO_API_LLAMACPP (api), g_ptr_array_index (objects, i)));
  return models;
}

static TachoModelInfo *
tacho_api_llamacpp_parse_model (TachoApi *api,
                                const char *model_id,
                                const TachoHttpReply *reply,
                                GError **error)
{
  g_autoptr (GPtrArray) models = NULL;

  if (!TACHO_API_LLAMACPP (api)->router && tacho_api_llamacpp_reply_says_loading (reply))
    {
      TachoModelInfo *info = tacho_model_info_new (model_id);

      info->status = TACHO_MODEL_STATUS_LOADING;
      return info;
    }
  models = tacho_api_llamacpp_parse_models (api, reply, error);
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

/* Template and parameters are not in the list. They are asked of a model that is in memory only: of
 * another the router would answer for itself. */
static TachoHttpRequest *
tacho_api_llamacpp_build_more (TachoApi *api,
                               TachoOperation operation,
                               const char *model_id,
                               guint step,
                               GPtrArray *models)
{
  const TachoModelInfo *info = models->len > 0 ? g_ptr_array_index (models, 0) : NULL;

  if (operation != TACHO_OP_SHOW_MODEL || step > 1 || info == NULL ||
      info->status != TACHO_MODEL_STATUS_LOADED)
    return NULL;
  return build_of_model (TACHO_API_LLAMACPP (api), "/props", model_id, NULL);
}

static gboolean
tacho_api_llamacpp_parse_more (TachoApi *self,
                               TachoOperation operation,
                               guint step,
                               const TachoHttpReply *reply,
                               GPtrArray *models,
                               GError **error)
{
  g_autoptr (JsonNode) root = tacho_api_parse_reply (reply, error);
  TachoModelInfo *info = g_ptr_array_index (models, 0);
  JsonObject *object, *settings;
  const char *chat_template;
  gint64 context;

  if (root == NULL)
    return FALSE;
  object = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  settings = tacho_json_get_object (object, "default_generation_settings");
  chat_template = tacho_json_get_string (object, "chat_template", "");
  context = tacho_api_get_count (settings, "n_ctx", 0);
  if (chat_template[0] != '\0')
    {
      g_free (info->chat_template);
      info->chat_template = g_strdup (chat_template);
    }
  if (tacho_json_get_object (settings, "params") != NULL)
    {
      g_free (info->parameters);
      info->parameters =
          tacho_json_to_string (json_object_get_member (settings, "params"), TRUE);
    }
  if (context > 0)
    info->context_window = context;
  return TRUE;
}

static gboolean
tacho_api_llamacpp_parse_change (TachoApi *self,
                                 TachoOperation operation,
                                 const char *model_id,
                                 const TachoHttpReply *reply,
                                 GError **error)
{
  const char *verb = operation == TACHO_OP_LOAD_MODEL     ? "load"
                     : operation == TACHO_OP_UNLOAD_MODEL ? "unload"
                     : operation == TACHO_OP_DELETE_MODEL ? "delete"
                                                          : "download";
  g_autoptr (GError) reason = NULL;
  g_autoptr (JsonNode) root = NULL;

  if (!tacho_api_check_model_reply (model_id, reply, error))
    return FALSE;
  root = tacho_api_parse_reply (reply, &reason);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root) &&
      tacho_json_get_boolean (json_node_get_object (root), "success", FALSE))
    return TRUE;
  return tacho_api_change_refused (verb, model_id, reply, reason, error);
}

static GArray *
tacho_api_llamacpp_parse_slots (TachoApi *self, const TachoHttpReply *reply, GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GArray) slots = g_array_new (FALSE, TRUE, sizeof (TachoSlot));
  JsonArray *array;

  if (reply->status == 501)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED,
                   "The server does not show its slots; start it with --slots");
      return NULL;
    }
  root = tacho_api_parse_reply (reply, error);
  if (root == NULL)
    return NULL;
  array = JSON_NODE_HOLDS_ARRAY (root) ? json_node_get_array (root) : NULL;
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonObject *object = tacho_json_array_get_object (array, i);
      JsonArray *nexts = tacho_json_get_array (object, "next_token");
      JsonObject *next = nexts != NULL ? tacho_json_array_get_object (nexts, 0)
                                       : tacho_json_get_object (object, "next_token");
      TachoSlot slot;

      if (object == NULL)
        break;
      slot.id = (int) CLAMP (tacho_json_get_int (object, "id", (gint64) i), 0, G_MAXINT);
      slot.busy = tacho_json_get_boolean (object, "is_processing", FALSE);
      slot.n_decoded = tacho_api_get_count (next, "n_decoded", 0);
      slot.n_context = tacho_api_get_count (object, "n_ctx", 0);
      g_array_append_val (slots, slot);
    }
  if (array == NULL || slots->len != json_array_get_length (array))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "The server's reply to /slots is not an array of objects");
      return NULL;
    }
  return g_steal_pointer (&slots);
}

static gboolean
tacho_api_llamacpp_parse_metrics (TachoApi *self,
                                  const TachoHttpReply *reply,
                                  TachoServerMetrics *metrics,
                                  GError **error)
{
  if (reply->status != 501)
    return tacho_prometheus_read_metrics (reply, metrics, error);
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED,
               "The server does not show its metrics; start it with --metrics");
  return FALSE;
}

static gint64
tacho_api_llamacpp_parse_tokenize (TachoApi *self, const TachoHttpReply *reply, GError **error)
{
  g_autoptr (JsonNode) root = tacho_api_parse_reply (reply, error);
  JsonArray *tokens = NULL;

  if (root == NULL)
    return -1;
  if (JSON_NODE_HOLDS_OBJECT (root))
    tokens = tacho_json_get_array (json_node_get_object (root), "tokens");
  if (tokens != NULL)
    return json_array_get_length (tokens);
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
               "The server's reply to /tokenize has no tokens");
  return -1;
}

static TachoGenerateReply *
tacho_api_llamacpp_parse_generate (TachoApi *self,
                                   TachoOperation operation,
                                   const TachoHttpReply *reply,
                                   GError **error)
{
  return tacho_openai_parse_generate (reply, error);
}

static TachoHttpRequest *
tacho_api_llamacpp_build_pull_status (TachoApi *self,
                                      const char *model_id,
                                      const TachoPullProgress *last)
{
  return tacho_http_request_new ("GET", "/models");
}

/* Unloading a model that is being downloaded cancels that. */
static TachoHttpRequest *
tacho_api_llamacpp_build_pull_stop (TachoApi *self,
                                    const char *model_id,
                                    const TachoPullProgress *last)
{
  return build_with_model ("/models/unload", NULL, NULL, model_id);
}

static void
tacho_api_llamacpp_iface_init (TachoApiInterface *iface)
{
  iface->get_family = tacho_api_llamacpp_get_family;
  iface->describe = tacho_api_llamacpp_describe;
  iface->supports = tacho_api_llamacpp_supports;
  iface->get_framing = tacho_api_llamacpp_get_framing;
  iface->build = tacho_api_llamacpp_build;
  iface->build_generate = tacho_api_llamacpp_build_generate;
  iface->build_tokenize = tacho_api_llamacpp_build_tokenize;
  iface->parse_health = tacho_api_llamacpp_parse_health;
  iface->parse_models = tacho_api_llamacpp_parse_models;
  iface->parse_model = tacho_api_llamacpp_parse_model;
  iface->build_more = tacho_api_llamacpp_build_more;
  iface->parse_more = tacho_api_llamacpp_parse_more;
  iface->parse_change = tacho_api_llamacpp_parse_change;
  iface->parse_slots = tacho_api_llamacpp_parse_slots;
  iface->parse_tokenize = tacho_api_llamacpp_parse_tokenize;
  iface->parse_generate = tacho_api_llamacpp_parse_generate;
  iface->parse_pull = tacho_llamacpp_parse_pull;
  iface->build_pull_status = tacho_api_llamacpp_build_pull_status;
  iface->build_pull_stop = tacho_api_llamacpp_build_pull_stop;
  iface->parse_metrics = tacho_api_llamacpp_parse_metrics;
}

static void
tacho_api_llamacpp_finalize (GObject *object)
{
  g_free (TACHO_API_LLAMACPP (object)->build);
  G_OBJECT_CLASS (tacho_api_llamacpp_parent_class)->finalize (object);
}

static void
tacho_api_llamacpp_class_init (TachoApiLlamacppClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_api_llamacpp_finalize;
}

static void
tacho_api_llamacpp_init (TachoApiLlamacpp *self)
{
}

/**
 * tacho_api_llamacpp_new:
 * @router: whether it was started without a model, as a router of many
 * @build: (nullable): what it calls its build
 *
 * Returns: (transfer full): the API of such a server
 */
TachoApi *
tacho_api_llamacpp_new (gboolean router, const char *build)
{
  TachoApiLlamacpp *self = g_object_new (TACHO_TYPE_API_LLAMACPP, NULL);

  self->router = router;
  self->build = build != NULL && build[0] != '\0' ? g_strdup (build) : NULL;
  return TACHO_API (self);
}

/**
 * tacho_api_llamacpp_is_router:
 * @self: an API
 *
 * Returns: whether it is a router
 */
gboolean
tacho_api_llamacpp_is_router (TachoApiLlamacpp *self)
{
  g_return_val_if_fail (TACHO_IS_API_LLAMACPP (self), FALSE);

  return self->router;
}

/**
 * tacho_api_llamacpp_reply_says_loading:
 * @reply: any reply
 *
 * While its one model loads, llama.cpp answers every route with 503 and the same error.
 *
 * Returns: whether @reply is that one
 */
gboolean
tacho_api_llamacpp_reply_says_loading (const TachoHttpReply *reply)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *object;
  gsize length;
  const char *text = g_bytes_get_data (reply->body, &length);

  if (reply->status != 503 || length == 0)
    return FALSE;
  root = tacho_json_parse_object (text, length, NULL);
  if (root == NULL)
    return FALSE;
  object = tacho_json_get_object (json_node_get_object (root), "error");
  return strcmp (tacho_json_get_string (object, "message", ""), "Loading model") == 0;
}
