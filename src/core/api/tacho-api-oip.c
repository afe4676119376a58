/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Open Inference Protocol, version 2: Triton, KServe, MLServer. What differs between REST and
 * gRPC is in tacho-oip-rest.c and tacho-oip-grpc.c. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-oip.h"

#include <string.h>

#include "api/tacho-api-grpc.h"
#include "api/tacho-api-private.h"
#include "api/tacho-oip-private.h"
#include "base/tacho-error.h"

typedef struct
{
  TachoOipModel *model;
  gboolean asked_config; /* or the server has none */
} Known;

struct _TachoApiOip
{
  GObject parent_instance;

  gboolean grpc;
  TachoOipFlavour flavour;
  char *name;
  char *version;
  GMutex mutex;      /* a load engine's thread builds requests, too */
  GHashTable *known; /* of Known, by the model's name */
};

static void tacho_api_oip_iface_init (TachoApiInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TachoApiOip,
                               tacho_api_oip,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TACHO_TYPE_API, tacho_api_oip_iface_init))

static void
known_free (gpointer data)
{
  Known *known = data;

  tacho_oip_model_free (known->model);
  g_free (known);
}

static const char *
tacho_api_oip_get_family (TachoApi *api)
{
  return "oip";
}

static TachoProtocol
tacho_api_oip_get_protocol (TachoApi *api)
{
  return TACHO_API_OIP (api)->grpc ? TACHO_PROTOCOL_GRPC : TACHO_PROTOCOL_REST;
}

static char *
tacho_api_oip_describe (TachoApi *api)
{
  TachoApiOip *self = TACHO_API_OIP (api);
  g_autofree char *name =
      self->name != NULL ? tacho_api_excerpt (self->name, strlen (self->name)) : NULL;
  g_autofree char *version =
      self->version != NULL ? tacho_api_excerpt (self->version, strlen (self->version)) : NULL;
  gboolean has_version = version != NULL && version[0] != '\0';

  return g_strdup_printf ("Open Inference Protocol server%s%s%s%s",
                          name != NULL && name[0] != '\0' ? " " : "", name != NULL ? name : "",
                          has_version ? " " : "", has_version ? version : "");
}

/* KServe lists its models over REST only. */
static gboolean
tacho_api_oip_supports (TachoApi *api, TachoOperation operation)
{
  TachoApiOip *self = TACHO_API_OIP (api);

  if (operation == TACHO_OP_LIST_MODELS)
    return !(self->grpc && self->flavour.kserve);
  return operation == TACHO_OP_HEALTH || operation == TACHO_OP_SHOW_MODEL ||
         operation == TACHO_OP_LOAD_MODEL || operation == TACHO_OP_UNLOAD_MODEL ||
         operation == TACHO_OP_CHAT || operation == TACHO_OP_COMPLETION;
}

static TachoFraming
tacho_api_oip_get_framing (TachoApi *api, TachoOperation operation)
{
  return TACHO_API_OIP (api)->grpc ? TACHO_FRAMING_GRPC : TACHO_FRAMING_SSE;
}

static TachoHttpRequest *
tacho_api_oip_build (TachoApi *api, TachoOperation operation, const char *model, GError **error)
{
  TachoApiOip *self = TACHO_API_OIP (api);

  return self->grpc ? tacho_oip_grpc_build (self->flavour, operation, model)
                    : tacho_oip_rest_build (self->flavour, operation, model);
}

static gboolean
tacho_api_oip_parse_health (TachoApi *api,
                            const TachoHttpReply *reply,
                            TachoHealth *health,
                            GError **error)
{
  return TACHO_API_OIP (api)->grpc ? tacho_oip_grpc_parse_health (reply, health, error)
                                   : tacho_oip_rest_parse_health (reply, health, error);
}

static GPtrArray *
tacho_api_oip_parse_models (TachoApi *api, const TachoHttpReply *reply, GError **error)
{
  return TACHO_API_OIP (api)->grpc ? tacho_oip_grpc_parse_models (reply, error)
                                   : tacho_oip_rest_parse_models (reply, error);
}

/* The metadata in @reply, if it is that of the model asked for. */
static TachoOipModel *
parse_metadata (TachoApiOip *self, const char *id, const TachoHttpReply *reply, GError **error)
{
  g_autoptr (TachoOipModel) model = NULL;

  if (!tacho_api_check_model_reply (id, reply, error))
    return NULL;
  model = self->grpc ? tacho_oip_grpc_parse_metadata (reply, error)
                     : tacho_oip_rest_parse_metadata (reply, error);
  if (model != NULL && strcmp (model->name, id) != 0)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "The server's reply does not describe the model “%s” that was asked for", id);
      return NULL;
    }
  return g_steal_pointer (&model);
}

static TachoModelInfo *
tacho_api_oip_parse_model (TachoApi *api,
                           const char *id,
                           const TachoHttpReply *reply,
                           GError **error)
{
  g_autoptr (TachoOipModel) model = parse_metadata (TACHO_API_OIP (api), id, reply, error);
  TachoModelInfo *info;

  if (model == NULL)
    return NULL;
  info = tacho_model_info_new (id);
  info->quantization = tacho_model_info_guess_quantization (id);
  info->status = TACHO_MODEL_STATUS_LOADED; /* only a ready model has metadata */
  tacho_oip_model_describe (model, info);
  return info;
}

/* A model that is shown: its memory, where the server has statistics. */
static TachoHttpRequest *
tacho_api_oip_build_more (TachoApi *api,
                          TachoOperation operation,
                          const char *id,
                          guint step,
                          GPtrArray *models)
{
  TachoApiOip *self = TACHO_API_OIP (api);

  if (operation != TACHO_OP_SHOW_MODEL || !self->flavour.triton || id == NULL)
    return NULL;
  if (step == 1)
    return self->grpc ? tacho_oip_grpc_build_config (id) : tacho_oip_rest_build_config (id);
  if (step == 2)
    return self->grpc ? tacho_oip_grpc_build_statistics (id) : tacho_oip_rest_build_statistics (id);
  return NULL;
}

static void
add_capability (TachoModelInfo *info, const char *capability)
{
  g_auto (GStrv) old = info->capabilities;
  guint n = old != NULL ? g_strv_length (old) : 0;

  info->capabilities = g_new0 (char *, n + 2);
  for (guint i = 0; i < n; i++)
    info->capabilities[i] = g_steal_pointer (&old[i]);
  info->capabilities[n] = g_strdup (capability);
}

static gboolean
tacho_api_oip_parse_more (TachoApi *api,
                          TachoOperation operation,
                          guint step,
                          const TachoHttpReply *reply,
                          GPtrArray *models,
                          GError **error)
{
  TachoApiOip *self = TACHO_API_OIP (api);
  TachoModelInfo *info = models->len > 0 ? g_ptr_array_index (models, 0) : NULL;
  g_autoptr (TachoOipModel) model = NULL;

  if (info == NULL)
    return TRUE;
  if (step == 2)
    return self->grpc ? tacho_oip_grpc_parse_statistics (reply, info, error)
                      : tacho_oip_rest_parse_statistics (reply, info, error);
  model = tacho_oip_model_new (info->id, NULL);
  if (!(self->grpc ? tacho_oip_grpc_take_config (reply, model)
                   : tacho_oip_rest_take_config (reply, model)))
    {
      if (reply->status < 200 || reply->status >= 300 || tacho_api_grpc_status (reply) > 0)
        g_propagate_error (error, tacho_api_error_from_reply (reply));
      else
        g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                     "The server's reply is not the configuration of “%s”", info->id);
      return FALSE;
    }
  if (model->decoupled)
    add_capability (info, "streaming");
  if (info->family == NULL && model->platform[0] != '\0')
    info->family = tacho_api_excerpt (model->platform, strlen (model->platform));
  return TRUE;
}

static gboolean
tacho_api_oip_parse_change (TachoApi *api,
                            TachoOperation operation,
                            const char *id,
                            const TachoHttpReply *reply,
                            GError **error)
{
  TachoApiOip *self = TACHO_API_OIP (api);

  /* What comes back may have other tensors. */
  g_mutex_lock (&self->mutex);
  g_hash_table_remove (self->known, id);
  g_mutex_unlock (&self->mutex);
  return self->grpc ? tacho_oip_grpc_parse_change (self->flavour, operation, id, reply, error)
                    : tacho_oip_rest_parse_change (operation, id, reply, error);
}

static gboolean
tacho_api_oip_change_blocks (TachoApi *api, TachoOperation operation)
{
  return TRUE;
}

/* --- a generation --- */

static const char *
name_of (const TachoGenerateRequest *request)
{
  return request->model != NULL ? request->model : "";
}

/* First the metadata, then, at Triton, the configuration. */
static TachoHttpRequest *
tacho_api_oip_build_prepare (TachoApi *api, const TachoGenerateRequest *request)
{
  TachoApiOip *self = TACHO_API_OIP (api);
  const char *id = name_of (request);
  const Known *known;
  gboolean has_metadata, has_config;

  if (id[0] == '\0')
    return NULL;
  g_mutex_lock (&self->mutex);
  known = g_hash_table_lookup (self->known, id);
  has_metadata = known != NULL;
  has_config = known != NULL && known->asked_config;
  g_mutex_unlock (&self->mutex);
  if (!has_metadata)
    return tacho_api_oip_build (api, TACHO_OP_SHOW_MODEL, id, NULL);
  if (has_config || !self->flavour.triton)
    return NULL;
  return self->grpc ? tacho_oip_grpc_build_config (id) : tacho_oip_rest_build_config (id);
}

static TachoOipModel *
lookup_copy (TachoApiOip *self, const char *id)
{
  const Known *known;
  TachoOipModel *copy;

  g_mutex_lock (&self->mutex);
  known = g_hash_table_lookup (self->known, id);
  copy = known != NULL ? tacho_oip_model_copy (known->model) : NULL;
  g_mutex_unlock (&self->mutex);
  return copy;
}

/* Takes the model. Metadata alone never replaces what is known with a configuration. */
static void
keep (TachoApiOip *self, const char *id, TachoOipModel *model, gboolean asked_config)
{
  Known *known = g_new0 (Known, 1);

  known->model = model;
  known->asked_config = asked_config;
  g_mutex_lock (&self->mutex);
  if (asked_config || !g_hash_table_contains (self->known, id))
    g_hash_table_replace (self->known, g_strdup (id), g_steal_pointer (&known));
  g_mutex_unlock (&self->mutex);
  if (known != NULL)
    known_free (known);
}

/* The server has no configurations to give, which is not that it could not give one now. */
static gboolean
is_without_config (TachoApiOip *self, const TachoHttpReply *reply)
{
  int status = tacho_api_grpc_status (reply);

  if (self->grpc)
    return status == TACHO_GRPC_UNIMPLEMENTED;
  return reply->status == 404 || reply->status == 405 || reply->status == 501;
}

/* Several generations may be prepared at once, so what a reply is is told by itself. */
static gboolean
tacho_api_oip_parse_prepare (TachoApi *api,
                             const TachoGenerateRequest *request,
                             const TachoHttpReply *reply,
                             GError **error)
{
  TachoApiOip *self = TACHO_API_OIP (api);
  const char *id = name_of (request);
  g_autoptr (TachoOipModel) model = lookup_copy (self, id);

  if (model != NULL && ((self->grpc ? tacho_oip_grpc_take_config (reply, model)
                                    : tacho_oip_rest_take_config (reply, model)) ||
                        is_without_config (self, reply)))
    {
      keep (self, id, g_steal_pointer (&model), TRUE);
      return TRUE;
    }
  g_clear_pointer (&model, tacho_oip_model_free);
  model = parse_metadata (self, id, reply, error);
  if (model == NULL)
    return FALSE;
  keep (self, id, g_steal_pointer (&model), FALSE);
  return TRUE;
}

static TachoHttpRequest *
tacho_api_oip_build_generate (TachoApi *api, const TachoGenerateRequest *request, GError **error)
{
  TachoApiOip *self = TACHO_API_OIP (api);
  g_autoptr (TachoOipModel) model = lookup_copy (self, name_of (request));
  g_autoptr (GPtrArray) tensors = NULL;

  if (model == NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   name_of (request)[0] == '\0'
                       ? "To generate with an Open Inference Protocol server, name the model%s"
                       : "The inputs of the model “%s” are not known yet",
                   name_of (request));
      return NULL;
    }
  tensors = tacho_oip_fill (model, request, error);
  if (tensors == NULL)
    return NULL;
  if (!self->grpc)
    return tacho_oip_rest_build_generate (self->flavour, model, tensors, request->stream);
  return tacho_oip_grpc_build_generate (
      model->name, tensors, self->flavour.triton && (request->stream || model->decoupled));
}

static TachoGenerateReply *
tacho_api_oip_parse_generate (TachoApi *api,
                              TachoOperation operation,
                              const TachoHttpReply *reply,
                              GError **error)
{
  return TACHO_API_OIP (api)->grpc ? tacho_oip_grpc_parse_generate (reply, error)
                                   : tacho_oip_rest_parse_generate (reply, error);
}

static gboolean
tacho_api_oip_read_chunk (TachoApi *api,
                          TachoOperation operation,
                          const char *type,
                          const char *data,
                          gsize length,
                          TachoStreamEventFunc func,
                          gpointer user_data,
                          GError **error)
{
  TachoApiOip *self = TACHO_API_OIP (api);

  if (self->grpc)
    return tacho_oip_grpc_read_chunk (self->flavour, data, length, func, user_data, error);
  return tacho_oip_rest_read_chunk (data, length, func, user_data, error);
}

static gboolean
tacho_api_oip_end_is_marker (TachoApi *api, TachoOperation operation)
{
  return TRUE;
}

static void
tacho_api_oip_iface_init (TachoApiInterface *iface)
{
  iface->get_family = tacho_api_oip_get_family;
  iface->get_protocol = tacho_api_oip_get_protocol;
  iface->describe = tacho_api_oip_describe;
  iface->supports = tacho_api_oip_supports;
  iface->get_framing = tacho_api_oip_get_framing;
  iface->build = tacho_api_oip_build;
  iface->parse_health = tacho_api_oip_parse_health;
  iface->parse_models = tacho_api_oip_parse_models;
  iface->parse_model = tacho_api_oip_parse_model;
  iface->build_more = tacho_api_oip_build_more;
  iface->parse_more = tacho_api_oip_parse_more;
  iface->parse_change = tacho_api_oip_parse_change;
  iface->change_blocks = tacho_api_oip_change_blocks;
  iface->build_prepare = tacho_api_oip_build_prepare;
  iface->parse_prepare = tacho_api_oip_parse_prepare;
  iface->build_generate = tacho_api_oip_build_generate;
  iface->parse_generate = tacho_api_oip_parse_generate;
  iface->read_chunk = tacho_api_oip_read_chunk;
  iface->end_is_marker = tacho_api_oip_end_is_marker;
}

static void
tacho_api_oip_finalize (GObject *object)
{
  TachoApiOip *self = TACHO_API_OIP (object);

  g_free (self->name);
  g_free (self->version);
  g_hash_table_unref (self->known);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (tacho_api_oip_parent_class)->finalize (object);
}

static void
tacho_api_oip_class_init (TachoApiOipClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_api_oip_finalize;
}

static void
tacho_api_oip_init (TachoApiOip *self)
{
  g_mutex_init (&self->mutex);
  self->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, known_free);
}

/**
 * tacho_api_oip_new:
 * @protocol: %TACHO_PROTOCOL_REST or %TACHO_PROTOCOL_GRPC
 * @extensions: (nullable) (array zero-terminated=1): those of the server's metadata; %NULL if they
 *   are not known, which is taken for Triton
 * @name: (nullable): the server's name
 * @version: (nullable): its version
 *
 * `model_repository` is Triton's, which streams and tells configurations;
 * `model_repository_extension` is KServe's, whose load messages differ.
 *
 * Returns: (transfer full): the API of an Open Inference Protocol server
 */
TachoApi *
tacho_api_oip_new (TachoProtocol protocol,
                   const char *const *extensions,
                   const char *name,
                   const char *version)
{
  TachoApiOip *self = g_object_new (TACHO_TYPE_API_OIP, NULL);

  g_return_val_if_fail (protocol != TACHO_PROTOCOL_HYBRID, TACHO_API (self));

  self->grpc = protocol == TACHO_PROTOCOL_GRPC;
  self->flavour.triton = extensions == NULL || g_strv_contains (extensions, "model_repository");
  self->flavour.kserve =
      !self->flavour.triton && g_strv_contains (extensions, "model_repository_extension");
  self->name = name != NULL ? g_utf8_make_valid (name, -1) : NULL;
  self->version = version != NULL ? g_utf8_make_valid (version, -1) : NULL;
  return TACHO_API (self);
}
