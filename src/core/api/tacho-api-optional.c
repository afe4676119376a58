/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What only some families have: several replies to one question, questions before a generation,
 * pulls, adapters, metrics. A family without it simply lacks the function. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-private.h"

#include <math.h>

#include "base/tacho-error.h"

/**
 * tacho_server_metrics_clear:
 * @metrics: (out): made to say that nothing is known
 */
void
tacho_server_metrics_clear (TachoServerMetrics *metrics)
{
  double *values = (double *) metrics;

  g_return_if_fail (metrics != NULL);

  for (gsize i = 0; i < sizeof *metrics / sizeof *values; i++)
    values[i] = NAN;
}

/**
 * tacho_pull_progress_clear:
 * @progress: what is freed and set to nothing
 */
void
tacho_pull_progress_clear (TachoPullProgress *progress)
{
  g_return_if_fail (progress != NULL);

  g_free (progress->status);
  g_free (progress->job_id);
  *progress = (TachoPullProgress){ 0 };
}

/**
 * tacho_api_get_protocol:
 * @self: an API
 *
 * Returns: which transport carries its requests: %TACHO_PROTOCOL_REST or %TACHO_PROTOCOL_GRPC
 */
TachoProtocol
tacho_api_get_protocol (TachoApi *self)
{
  g_return_val_if_fail (TACHO_IS_API (self), TACHO_PROTOCOL_REST);

  return TACHO_API_GET_IFACE (self)->get_protocol != NULL
             ? TACHO_API_GET_IFACE (self)->get_protocol (self)
             : TACHO_PROTOCOL_REST;
}

/**
 * tacho_api_build_more:
 * @self: an API
 * @operation: list or show
 * @model_id: (nullable): the model that is shown
 * @step: 1 for the first request after the operation's own, then 2 …
 * @models: (element-type TachoModelInfo): what is known so far
 *
 * Some servers tell one thing in several replies: which models there are, and which are in memory.
 *
 * Returns: (transfer full) (nullable): what to ask next, its reply for tacho_api_parse_more();
 *   %NULL when nothing is left to ask
 */
TachoHttpRequest *
tacho_api_build_more (TachoApi *self,
                      TachoOperation operation,
                      const char *model_id,
                      guint step,
                      GPtrArray *models)
{
  g_return_val_if_fail (TACHO_IS_API (self), NULL);
  g_return_val_if_fail (step > 0 && models != NULL, NULL);

  if (TACHO_API_GET_IFACE (self)->build_more == NULL)
    return NULL;
  return TACHO_API_GET_IFACE (self)->build_more (self, operation, model_id, step, models);
}

/**
 * tacho_api_parse_more:
 * @self: an API
 * @operation: list or show
 * @step: the step whose reply this is
 * @reply: the reply
 * @models: (element-type TachoModelInfo): completed by what the reply tells
 * @error: return location
 *
 * Returns: whether the reply told; if not, @models are as they were and of use still
 */
gboolean
tacho_api_parse_more (TachoApi *self,
                      TachoOperation operation,
                      guint step,
                      const TachoHttpReply *reply,
                      GPtrArray *models,
                      GError **error)
{
  g_return_val_if_fail (TACHO_IS_API (self), FALSE);
  g_return_val_if_fail (TACHO_API_GET_IFACE (self)->parse_more != NULL, FALSE);
  g_return_val_if_fail (reply != NULL && models != NULL, FALSE);

  return TACHO_API_GET_IFACE (self)->parse_more (self, operation, step, reply, models, error);
}

/**
 * tacho_api_build_prepare:
 * @self: an API
 * @request: what will be generated
 *
 * A server of tensors must first say which tensors a model takes. The answer is kept per model.
 *
 * Returns: (transfer full) (nullable): what to ask before tacho_api_build_generate() can be called,
 *   its reply for tacho_api_parse_prepare(), then ask again; %NULL when nothing is left to ask
 */
TachoHttpRequest *
tacho_api_build_prepare (TachoApi *self, const TachoGenerateRequest *request)
{
  g_return_val_if_fail (TACHO_IS_API (self), NULL);
  g_return_val_if_fail (request != NULL, NULL);

  if (TACHO_API_GET_IFACE (self)->build_prepare == NULL)
    return NULL;
  return TACHO_API_GET_IFACE (self)->build_prepare (self, request);
}

/**
 * tacho_api_parse_prepare:
 * @self: an API
 * @request: what will be generated
 * @reply: the reply to tacho_api_build_prepare()'s request
 * @error: return location
 *
 * Returns: whether the model can be used as @request wants
 */
gboolean
tacho_api_parse_prepare (TachoApi *self,
                         const TachoGenerateRequest *request,
                         const TachoHttpReply *reply,
                         GError **error)
{
  g_return_val_if_fail (TACHO_IS_API (self), FALSE);
  g_return_val_if_fail (TACHO_API_GET_IFACE (self)->parse_prepare != NULL, FALSE);
  g_return_val_if_fail (request != NULL && reply != NULL, FALSE);

  return TACHO_API_GET_IFACE (self)->parse_prepare (self, request, reply, error);
}

/**
 * tacho_api_change_blocks:
 * @self: an API
 * @operation: load or unload
 *
 * Returns: %TRUE if the reply comes only when it is done, so that it may take minutes
 */
gboolean
tacho_api_change_blocks (TachoApi *self, TachoOperation operation)
{
  g_return_val_if_fail (TACHO_IS_API (self), FALSE);

  return TACHO_API_GET_IFACE (self)->change_blocks != NULL &&
         TACHO_API_GET_IFACE (self)->change_blocks (self, operation);
}

/**
 * tacho_api_loads_adapters:
 * @self: an API
 *
 * Returns: %TRUE if tacho_api_build_load_from() makes requests for it
 */
gboolean
tacho_api_loads_adapters (TachoApi *self)
{
  g_return_val_if_fail (TACHO_IS_API (self), FALSE);

  return TACHO_API_GET_IFACE (self)->loads_adapters != NULL &&
         TACHO_API_GET_IFACE (self)->loads_adapters (self);
}

/**
 * tacho_api_build_load_from:
 * @self: an API
 * @model_id: what the adapter is to be called
 * @path: where the server finds it
 * @error: return location
 *
 * Returns: (transfer full): the request that loads a LoRA adapter; or %NULL with
 *   %TACHO_ERROR_UNSUPPORTED
 */
TachoHttpRequest *
tacho_api_build_load_from (TachoApi *self, const char *model_id, const char *path, GError **error)
{
  g_autofree char *description = NULL;

  g_return_val_if_fail (TACHO_IS_API (self), NULL);
  g_return_val_if_fail (model_id != NULL && path != NULL, NULL);

  if (TACHO_API_GET_IFACE (self)->build_load_from != NULL)
    return TACHO_API_GET_IFACE (self)->build_load_from (self, model_id, path, error);
  description = tacho_api_describe (self);
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED, "%s cannot load adapters", description);
  return NULL;
}

/**
 * tacho_api_parse_pull:
 * @self: an API
 * @json: (array length=length): one line of a pull's reply, or the whole of a status reply
 * @length: its bytes
 * @progress: (inout): what was said last; filled anew, but for a job that is not named again
 * @error: return location
 *
 * Returns: whether the pull goes on or is done; else why it failed
 */
gboolean
tacho_api_parse_pull (TachoApi *self,
                      const char *json,
                      gsize length,
                      TachoPullProgress *progress,
                      GError **error)
{
  g_return_val_if_fail (TACHO_IS_API (self), FALSE);
  g_return_val_if_fail (json != NULL && progress != NULL, FALSE);

  if (!tacho_api_check_supported (self, TACHO_OP_PULL_MODEL, error))
    return FALSE;
  return TACHO_API_GET_IFACE (self)->parse_pull (self, json, length, progress, error);
}

/**
 * tacho_api_build_pull_status:
 * @self: an API
 * @model_id: the model that is fetched
 * @last: what was last said of it
 *
 * Returns: (transfer full) (nullable): what asks after a pull that is a job; %NULL where the pull's
 *   own reply tells it line by line
 */
TachoHttpRequest *
tacho_api_build_pull_status (TachoApi *self, const char *model_id, const TachoPullProgress *last)
{
  g_return_val_if_fail (TACHO_IS_API (self), NULL);
  g_return_val_if_fail (model_id != NULL && last != NULL, NULL);

  if (TACHO_API_GET_IFACE (self)->build_pull_status == NULL)
    return NULL;
  return TACHO_API_GET_IFACE (self)->build_pull_status (self, model_id, last);
}

/**
 * tacho_api_build_pull_stop:
 * @self: an API
 * @model_id: the model that is fetched
 * @last: what was last said of it
 *
 * Returns: (transfer full) (nullable): what stops a pull that is a job; %NULL where closing its
 *   connection does, or nothing can
 */
TachoHttpRequest *
tacho_api_build_pull_stop (TachoApi *self, const char *model_id, const TachoPullProgress *last)
{
  g_return_val_if_fail (TACHO_IS_API (self), NULL);
  g_return_val_if_fail (model_id != NULL && last != NULL, NULL);

  if (TACHO_API_GET_IFACE (self)->build_pull_stop == NULL)
    return NULL;
  return TACHO_API_GET_IFACE (self)->build_pull_stop (self, model_id, last);
}

/**
 * tacho_api_parse_metrics:
 * @self: an API
 * @reply: the reply to %TACHO_OP_METRICS
 * @metrics: (out): what the server tells of its work
 * @error: return location
 *
 * Returns: whether the reply tells
 */
gboolean
tacho_api_parse_metrics (TachoApi *self,
                         const TachoHttpReply *reply,
                         TachoServerMetrics *metrics,
                         GError **error)
{
  g_return_val_if_fail (TACHO_IS_API (self), FALSE);
  g_return_val_if_fail (reply != NULL && metrics != NULL, FALSE);

  tacho_server_metrics_clear (metrics);
  if (!tacho_api_check_supported (self, TACHO_OP_METRICS, error))
    return FALSE;
  if (TACHO_API_GET_IFACE (self)->parse_metrics == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED,
                           "The metrics of this server are not understood");
      return FALSE;
    }
  return TACHO_API_GET_IFACE (self)->parse_metrics (self, reply, metrics, error);
}

/**
 * tacho_api_end_is_marker:
 * @self: an API
 * @operation: chat or completion
 *
 * Returns: %TRUE if the end of a whole body is the only terminal marker that there is
 */
gboolean
tacho_api_end_is_marker (TachoApi *self, TachoOperation operation)
{
  g_return_val_if_fail (TACHO_IS_API (self), FALSE);

  return TACHO_API_GET_IFACE (self)->end_is_marker != NULL &&
         TACHO_API_GET_IFACE (self)->end_is_marker (self, operation);
}

/**
 * tacho_api_learn_refusal:
 * @self: an API
 * @request: what was asked
 * @reply: the reply that refused it
 *
 * Some refusals tell how to ask instead: OpenAI's newer models name `max_completion_tokens`.
 *
 * Returns: whether it is worth asking once more, with the request built anew
 */
gboolean
tacho_api_learn_refusal (TachoApi *self,
                         const TachoGenerateRequest *request,
                         const TachoHttpReply *reply)
{
  g_return_val_if_fail (TACHO_IS_API (self), FALSE);
  g_return_val_if_fail (request != NULL && reply != NULL, FALSE);

  return TACHO_API_GET_IFACE (self)->learn_refusal != NULL &&
         TACHO_API_GET_IFACE (self)->learn_refusal (self, request, reply);
}
