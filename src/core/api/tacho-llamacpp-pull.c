/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model that a llama.cpp router downloads: no job of its own, its list says how far it is. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-llamacpp-pull.h"

#include <math.h>

#include "base/tacho-error.h"

/**
 * tacho_llamacpp_parse_pull:
 * @api: the API of a router
 * @json: (array length=length): the reply to the order, or a list
 * @length: its bytes
 * @progress: (inout): what was said last, whose job is the model's name, none before the order
 * @error: return location
 *
 * The order is answered at once; then the list tells, of a fraction only.
 *
 * Returns: whether the download goes on or is done
 */
gboolean
tacho_llamacpp_parse_pull (TachoApi *api,
                           const char *json,
                           gsize length,
                           TachoPullProgress *progress,
                           GError **error)
{
  g_autofree char *id = g_steal_pointer (&progress->job_id);
  g_autoptr (TachoHttpReply) reply = tacho_http_reply_new (200, g_bytes_new (json, length));
  g_autoptr (GError) reason = NULL;
  g_autoptr (TachoModelInfo) info = NULL;

  tacho_pull_progress_clear (progress);
  if (id == NULL)
    {
      progress->status = g_strdup ("ordered");
      return tacho_api_parse_change (api, TACHO_OP_PULL_MODEL, "the model", reply, error);
    }
  info = tacho_api_parse_model (api, id, reply, &reason);
  if (info == NULL && g_error_matches (reason, TACHO_ERROR, TACHO_ERROR_NOT_FOUND))
    {
      /* What it drops from the list, it says in its log alone. */
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED,
                   "The server gave up downloading “%.100s”, or lists it under another name; its "
                   "log says why",
                   id);
      return FALSE;
    }
  if (info == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }
  if (info->status == TACHO_MODEL_STATUS_FAILED)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED,
                   "The server could not download “%.100s”: %s", id, info->status_reason);
      return FALSE;
    }
  progress->done = g_strcmp0 (info->status_reason, "downloading") != 0;
  if (progress->done)
    progress->status = g_strdup ("downloaded");
  else if (isnan (info->progress))
    progress->status = g_strdup ("downloading");
  else
    progress->status = g_strdup_printf ("downloading %.0f %%", info->progress * 100);
  progress->job_id = g_steal_pointer (&id);
  return TRUE;
}
