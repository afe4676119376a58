/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any OpenAI-compatible server. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-openai.h"

#include "api/tacho-api-private.h"
#include "api/tacho-openai-json.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

struct _TachoApiOpenai
{
  GObject parent_instance;
};

static void tacho_api_openai_iface_init (TachoApiInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TachoApiOpenai,
                               tacho_api_openai,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TACHO_TYPE_API, tacho_api_openai_iface_init))

static const char *
tacho_api_openai_get_family (TachoApi *self)
{
  return "openai";
}

static char *
tacho_api_openai_describe (TachoApi *self)
{
  return g_strdup ("OpenAI-compatible server");
}

static gboolean
tacho_api_openai_supports (TachoApi *self, TachoOperation operation)
{
  return operation == TACHO_OP_LIST_MODELS || operation == TACHO_OP_SHOW_MODEL ||
         operation == TACHO_OP_CHAT || operation == TACHO_OP_COMPLETION;
}

static TachoFraming
tacho_api_openai_get_framing (TachoApi *self, TachoOperation operation)
{
  return TACHO_FRAMING_SSE;
}

static TachoHttpRequest *
tacho_api_openai_build (TachoApi *self,
                        TachoOperation operation,
                        const char *model_id,
                        GError **error)
{
  g_autofree char *id = NULL;
  g_autofree char *path = NULL;

  if (operation == TACHO_OP_LIST_MODELS)
    return tacho_http_request_new ("GET", "/v1/models");
  id = g_uri_escape_string (model_id, NULL, FALSE);
  path = g_strconcat ("/v1/models/", id, NULL);
  return tacho_http_request_new ("GET", path);
}

static TachoHttpRequest *
tacho_api_openai_build_generate (TachoApi *self,
                                 const TachoGenerateRequest *request,
                                 GError **error)
{
  return tacho_openai_build_generate (request, TACHO_OPENAI_PLAIN);
}

static GPtrArray *
tacho_api_openai_parse_models (TachoApi *self, const TachoHttpReply *reply, GError **error)
{
  g_autoptr (JsonNode) root = tacho_api_parse_reply (reply, error);
  g_autoptr (GPtrArray) objects = root != NULL ? tacho_openai_list_objects (root, error) : NULL;
  GPtrArray *models;

  if (objects == NULL)
    return NULL;
  models = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_model_info_free);
  for (guint i = 0; i < objects->len; i++)
    g_ptr_array_add (models, tacho_openai_read_model (g_ptr_array_index (objects, i)));
  return models;
}

static TachoModelInfo *
tacho_api_openai_parse_model (TachoApi *self,
                              const char *model_id,
                              const TachoHttpReply *reply,
                              GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *object;

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
  return tacho_openai_read_model (object);
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
}

static void
tacho_api_openai_class_init (TachoApiOpenaiClass *klass)
{
}

static void
tacho_api_openai_init (TachoApiOpenai *self)
{
}

/**
 * tacho_api_openai_new:
 *
 * Returns: (transfer full): the API of any OpenAI-compatible server
 */
TachoApi *
tacho_api_openai_new (void)
{
  return g_object_new (TACHO_TYPE_API_OPENAI, NULL);
}
