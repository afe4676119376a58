/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The interface that every server family implements. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-private.h"

#include "base/tacho-error.h"

G_DEFINE_INTERFACE (TachoApi, tacho_api, G_TYPE_OBJECT)

static void
tacho_api_default_init (TachoApiInterface *iface)
{
}

/**
 * tacho_operation_to_string:
 * @operation: an operation
 *
 * Returns: what it is called in messages: "list models"
 */
const char *
tacho_operation_to_string (TachoOperation operation)
{
  static const char *const names[] = { "check health", "list models",    "show a model",
                                       "load a model", "unload a model", "show slots",
                                       "show metrics", "pull a model",   "delete a model",
                                       "tokenize",     "chat",           "complete a text" };

  return (gsize) operation < G_N_ELEMENTS (names) ? names[operation] : "do the unknown";
}

gboolean
tacho_api_check_supported (TachoApi *self, TachoOperation operation, GError **error)
{
  g_autofree char *description = NULL;

  if (tacho_api_supports (self, operation))
    return TRUE;
  description = tacho_api_describe (self);
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED, "%s cannot %s", description,
               tacho_operation_to_string (operation));
  return FALSE;
}

/**
 * tacho_api_get_family:
 * @self: an API
 *
 * Returns: the family's name in profiles and output: "openai", "llamacpp"
 */
const char *
tacho_api_get_family (TachoApi *self)
{
  g_return_val_if_fail (TACHO_IS_API (self), NULL);

  return TACHO_API_GET_IFACE (self)->get_family (self);
}

/**
 * tacho_api_describe:
 * @self: an API
 *
 * Returns: (transfer full): what serves, for people: "llama.cpp server b1234 (router)"
 */
char *
tacho_api_describe (TachoApi *self)
{
  g_return_val_if_fail (TACHO_IS_API (self), NULL);

  return TACHO_API_GET_IFACE (self)->describe (self);
}

/**
 * tacho_api_supports:
 * @self: an API
 * @operation: an operation
 *
 * Returns: whether the family has it
 */
gboolean
tacho_api_supports (TachoApi *self, TachoOperation operation)
{
  g_return_val_if_fail (TACHO_IS_API (self), FALSE);

  return TACHO_API_GET_IFACE (self)->supports (self, operation);
}

/**
 * tacho_api_get_framing:
 * @self: an API
 * @operation: chat or completion
 *
 * Returns: how its streamed reply is cut into pieces
 */
TachoFraming
tacho_api_get_framing (TachoApi *self, TachoOperation operation)
{
  g_return_val_if_fail (TACHO_IS_API (self), TACHO_FRAMING_SSE);

  return TACHO_API_GET_IFACE (self)->get_framing (self, operation);
}

/**
 * tacho_api_build:
 * @self: an API
 * @operation: any but chat, completion and tokenize, which say more than a model
 * @model_id: (nullable): the model it is about
 * @error: return location
 *
 * Returns: (transfer full): the request; or %NULL with %TACHO_ERROR_UNSUPPORTED, or
 *   %TACHO_ERROR_INVALID where a model is needed and none given
 */
TachoHttpRequest *
tacho_api_build (TachoApi *self, TachoOperation operation, const char *model_id, GError **error)
{
  TachoHttpRequest *request;

  g_return_val_if_fail (TACHO_IS_API (self), NULL);

  if (!tacho_api_check_supported (self, operation, error))
    return NULL;
  if ((operation == TACHO_OP_SHOW_MODEL || operation == TACHO_OP_LOAD_MODEL ||
       operation == TACHO_OP_UNLOAD_MODEL || operation == TACHO_OP_PULL_MODEL ||
       operation == TACHO_OP_DELETE_MODEL) &&
      (model_id == NULL || model_id[0] == '\0' || !g_utf8_validate (model_id, -1, NULL)))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "To %s, name the model",
                   tacho_operation_to_string (operation));
      return NULL;
    }
  if (operation >= TACHO_OP_TOKENIZE)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "To %s, a text is needed",
                   tacho_operation_to_string (operation));
      return NULL;
    }
  request = TACHO_API_GET_IFACE (self)->build (self, operation, model_id, error);
  if (request != NULL)
    request->patient = tacho_api_change_blocks (self, operation);
  return request;
}

/**
 * tacho_api_build_generate:
 * @self: an API
 * @request: what to generate; chat or completion, as its `raw` says
 * @error: return location
 *
 * Validates, then builds; parameters that the family does not know are left out.
 *
 * Returns: (transfer full): the request; or %NULL with %TACHO_ERROR_INVALID or
 *   %TACHO_ERROR_UNSUPPORTED
 */
TachoHttpRequest *
tacho_api_build_generate (TachoApi *self, const TachoGenerateRequest *request, GError **error)
{
  g_return_val_if_fail (TACHO_IS_API (self), NULL);
  g_return_val_if_fail (request != NULL, NULL);

  if (!tacho_api_check_supported (self, request->raw ? TACHO_OP_COMPLETION : TACHO_OP_CHAT,
                                  error) ||
      !tacho_generate_request_validate (request, error))
    return NULL;
  return TACHO_API_GET_IFACE (self)->build_generate (self, request, error);
}

/**
 * tacho_api_build_tokenize:
 * @self: an API
 * @model_id: (nullable): the model whose tokens are meant, where the server has many
 * @text: the text to cut
 * @error: return location
 *
 * Returns: (transfer full): the request; or %NULL with %TACHO_ERROR_UNSUPPORTED or
 *   %TACHO_ERROR_INVALID
 */
TachoHttpRequest *
tacho_api_build_tokenize (TachoApi *self, const char *model_id, const char *text, GError **error)
{
  g_return_val_if_fail (TACHO_IS_API (self), NULL);
  g_return_val_if_fail (text != NULL, NULL);

  if (!tacho_api_check_supported (self, TACHO_OP_TOKENIZE, error))
    return NULL;
  if (!g_utf8_validate (text, -1, NULL))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "The text is not valid UTF-8");
      return NULL;
    }
  return TACHO_API_GET_IFACE (self)->build_tokenize (self, model_id, text, error);
}

/**
 * tacho_api_parse_health:
 * @self: an API
 * @reply: the reply to %TACHO_OP_HEALTH
 * @health: (out): how the server is
 * @error: return location
 *
 * Returns: whether the reply tells
 */
gboolean
tacho_api_parse_health (TachoApi *self,
                        const TachoHttpReply *reply,
                        TachoHealth *health,
                        GError **error)
{
  g_return_val_if_fail (TACHO_IS_API (self), FALSE);
  g_return_val_if_fail (reply != NULL && health != NULL, FALSE);

  if (!tacho_api_check_supported (self, TACHO_OP_HEALTH, error))
    return FALSE;
  return TACHO_API_GET_IFACE (self)->parse_health (self, reply, health, error);
}

/**
 * tacho_api_parse_models:
 * @self: an API
 * @reply: the reply to %TACHO_OP_LIST_MODELS
 * @error: return location
 *
 * Returns: (transfer full) (element-type TachoModelInfo): the models, perhaps none
 */
GPtrArray *
tacho_api_parse_models (TachoApi *self, const TachoHttpReply *reply, GError **error)
{
  g_return_val_if_fail (TACHO_IS_API (self), NULL);
  g_return_val_if_fail (reply != NULL, NULL);

  return TACHO_API_GET_IFACE (self)->parse_models (self, reply, error);
}

/**
 * tacho_api_parse_model:
 * @self: an API
 * @model_id: the model that was asked for
 * @reply: the reply to %TACHO_OP_SHOW_MODEL
 * @error: return location
 *
 * Returns: (transfer full): the model; or %NULL, with %TACHO_ERROR_NOT_FOUND if there is no such
 *   one
 */
TachoModelInfo *
tacho_api_parse_model (TachoApi *self,
                       const char *model_id,
                       const TachoHttpReply *reply,
                       GError **error)
{
  g_return_val_if_fail (TACHO_IS_API (self), NULL);
  g_return_val_if_fail (model_id != NULL && reply != NULL, NULL);

  return TACHO_API_GET_IFACE (self)->parse_model (self, model_id, reply, error);
}

/**
 * tacho_api_parse_change:
 * @self: an API
 * @operation: load or unload
 * @model_id: the model
 * @reply: the reply
 * @error: return location
 *
 * Returns: whether the server took the order, which need not mean that it is done; else
 *   %TACHO_ERROR_NOT_FOUND or %TACHO_ERROR_MODEL_FAILED with the server's words
 */
gboolean
tacho_api_parse_change (TachoApi *self,
                        TachoOperation operation,
                        const char *model_id,
                        const TachoHttpReply *reply,
                        GError **error)
{
  g_return_val_if_fail (TACHO_IS_API (self), FALSE);
  g_return_val_if_fail (model_id != NULL && reply != NULL, FALSE);

  if (!tacho_api_check_supported (self, operation, error))
    return FALSE;
  return TACHO_API_GET_IFACE (self)->parse_change (self, operation, model_id, reply, error);
}

/**
 * tacho_api_parse_slots:
 * @self: an API
 * @reply: the reply to %TACHO_OP_SLOTS
 * @error: return location
 *
 * Returns: (transfer full) (element-type TachoSlot): the slots
 */
GArray *
tacho_api_parse_slots (TachoApi *self, const TachoHttpReply *reply, GError **error)
{
  g_return_val_if_fail (TACHO_IS_API (self), NULL);
  g_return_val_if_fail (reply != NULL, NULL);

  if (!tacho_api_check_supported (self, TACHO_OP_SLOTS, error))
    return NULL;
  return TACHO_API_GET_IFACE (self)->parse_slots (self, reply, error);
}

/**
 * tacho_api_parse_tokenize:
 * @self: an API
 * @reply: the reply to tacho_api_build_tokenize()'s request
 * @error: return location
 *
 * Returns: the number of tokens, or -1 with @error set
 */
gint64
tacho_api_parse_tokenize (TachoApi *self, const TachoHttpReply *reply, GError **error)
{
  g_return_val_if_fail (TACHO_IS_API (self), -1);
  g_return_val_if_fail (reply != NULL, -1);

  if (!tacho_api_check_supported (self, TACHO_OP_TOKENIZE, error))
    return -1;
  return TACHO_API_GET_IFACE (self)->parse_tokenize (self, reply, error);
}

/**
 * tacho_api_parse_generate:
 * @self: an API
 * @operation: chat or completion
 * @reply: the whole of a reply that was not streamed
 * @error: return location
 *
 * Returns: (transfer full): what was generated
 */
TachoGenerateReply *
tacho_api_parse_generate (TachoApi *self,
                          TachoOperation operation,
                          const TachoHttpReply *reply,
                          GError **error)
{
  g_return_val_if_fail (TACHO_IS_API (self), NULL);
  g_return_val_if_fail (reply != NULL, NULL);

  return TACHO_API_GET_IFACE (self)->parse_generate (self, operation, reply, error);
}
