/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The JSON of LM Studio's own routes: /api/v1 and, for versions before 0.4.0, /api/v0. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-lmstudio-json.h"

#include <string.h>

#include "api/tacho-api-private.h"
#include "api/tacho-ollama-json.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

/* v1 has an object of booleans, v0 an array of names. */
static void
read_capabilities (JsonObject *object, TachoModelInfo *info)
{
  static const struct
  {
    const char *member;
    const char *name;
  } known[] = { { "vision", "vision" }, { "trained_for_tool_use", "tools" } };
  JsonObject *flags = tacho_json_get_object (object, "capabilities");
  JsonArray *names = tacho_json_get_array (object, "capabilities");
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (tacho_json_get_boolean (flags, known[i].member, FALSE))
      g_ptr_array_add (found, g_strdup (known[i].name));
  for (guint i = 0; names != NULL && i < json_array_get_length (names) && i < 16; i++)
    {
      JsonNode *node = json_array_get_element (names, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        g_ptr_array_add (found, strcmp (json_node_get_string (node), "tool_use") == 0
                                    ? g_strdup ("tools")
                                    : g_strndup (json_node_get_string (node), 64));
    }
  if (found->len == 0)
    return;
  g_ptr_array_add (found, NULL);
  info->capabilities = g_strdupv ((char **) found->pdata);
}

static char *
kind_of_type (const char *type)
{
  if (g_strcmp0 (type, "llm") == 0)
    return g_strdup ("chat");
  if (g_strcmp0 (type, "vlm") == 0)
    return g_strdup ("vision");
  if (type != NULL && g_str_has_prefix (type, "embedding"))
    return g_strdup ("embedding");
  return NULL;
}

static TachoModelInfo *
read_common (JsonObject *object, const char *id)
{
  TachoModelInfo *info = tacho_model_info_new (id);

  info->kind = kind_of_type (tacho_json_get_string (object, "type", NULL));
  info->owner = g_strdup (tacho_json_get_string (object, "publisher", NULL));
  info->context_trained = tacho_api_get_count (object, "max_context_length", 0);
  read_capabilities (object, info);
  return info;
}

static TachoModelInfo *
read_model_v0 (JsonObject *object, const char *id)
{
  TachoModelInfo *info = read_common (object, id);
  const char *state = tacho_json_get_string (object, "state", "");

  info->family = g_strdup (tacho_json_get_string (object, "arch", NULL));
  info->quantization = g_strdup (tacho_json_get_string (object, "quantization", NULL));
  info->context_window = tacho_api_get_count (object, "loaded_context_length", 0);
  if (strcmp (state, "loaded") == 0)
    info->status = TACHO_MODEL_STATUS_LOADED;
  else if (strcmp (state, "loading") == 0)
    info->status = TACHO_MODEL_STATUS_LOADING;
  else if (strcmp (state, "not-loaded") == 0)
    info->status = TACHO_MODEL_STATUS_UNLOADED;
  return info;
}

static TachoModelInfo *
read_model_v1 (JsonObject *object, const char *id, GHashTable *instances)
{
  TachoModelInfo *info = read_common (object, id);
  JsonObject *quantization = tacho_json_get_object (object, "quantization");
  JsonArray *loaded = tacho_json_get_array (object, "loaded_instances");
  JsonObject *first = loaded != NULL ? tacho_json_array_get_object (loaded, 0) : NULL;
  const char *instance = tacho_json_get_string (first, "id", "");

  info->name = g_strdup (tacho_json_get_string (object, "display_name", NULL));
  info->family = g_strdup (tacho_json_get_string (object, "architecture", NULL));
  info->quantization = g_strdup (tacho_json_get_string (quantization, "name", NULL));
  info->n_params = tacho_ollama_parse_count (tacho_json_get_string (object, "params_string", NULL));
  info->size_bytes = (guint64) tacho_api_get_count (object, "size_bytes", 0);
  if (loaded == NULL)
    return info;
  info->status = first != NULL ? TACHO_MODEL_STATUS_LOADED : TACHO_MODEL_STATUS_UNLOADED;
  info->context_window =
      tacho_api_get_count (tacho_json_get_object (first, "config"), "context_length", 0);
  if (instance[0] != '\0' && strlen (instance) <= TACHO_API_MAX_ID)
    g_hash_table_replace (instances, g_strdup (id), g_strdup (instance));
  return info;
}

/**
 * tacho_lmstudio_parse_models:
 * @reply: the reply to the listing
 * @v1: whether it is that of /api/v1/models, else of /api/v0/models
 * @instances: (element-type utf8 utf8): gets the id of one loaded instance of each loaded model
 * @error: return location
 *
 * Returns: (transfer full) (element-type TachoModelInfo): the models; or %NULL with a `TACHO_ERROR`
 */
GPtrArray *
tacho_lmstudio_parse_models (const TachoHttpReply *reply,
                             gboolean v1,
                             GHashTable *instances,
                             GError **error)
{
  const char *list = v1 ? "models" : "data";
  g_autoptr (JsonNode) root = tacho_api_parse_reply (reply, error);
  g_autoptr (GPtrArray) models =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_model_info_free);
  JsonArray *array = NULL;

  if (root == NULL)
    return NULL;
  if (JSON_NODE_HOLDS_OBJECT (root))
    array = tacho_json_get_array (json_node_get_object (root), list);
  if (array == NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "The server's list of models has no “%s”", list);
      return NULL;
    }
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonObject *object = tacho_json_array_get_object (array, i);
      const char *id = tacho_json_get_string (object, v1 ? "key" : "id", "");

      if (id[0] == '\0' || strlen (id) > TACHO_API_MAX_ID)
        {
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                       "Model %u in the server's list has no usable id", i + 1);
          return NULL;
        }
      g_ptr_array_add (models,
                       v1 ? read_model_v1 (object, id, instances) : read_model_v0 (object, id));
    }
  return g_steal_pointer (&models);
}

/**
 * tacho_lmstudio_parse_pull:
 * @json: (array length=length): the reply to the order, or to the question after the job
 * @length: its bytes
 * @progress: (inout): cleared and filled; a job id that is not repeated is kept
 * @error: return location
 *
 * Returns: whether the download goes on or is done
 */
gboolean
tacho_lmstudio_parse_pull (const char *json,
                           gsize length,
                           TachoPullProgress *progress,
                           GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (JsonNode) root = tacho_json_parse_object (json, length, &reason);
  g_autofree char *job = g_steal_pointer (&progress->job_id);
  g_autofree char *words = NULL;
  JsonObject *object;
  const char *status, *id;

  tacho_pull_progress_clear (progress);
  if (root == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL, reason->message);
      return FALSE;
    }
  object = json_node_get_object (root);
  status = tacho_json_get_string (object, "status", NULL);
  words = tacho_api_in_band_words (object);
  if (words != NULL || g_strcmp0 (status, "failed") == 0)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_IN_BAND, "The server reported an error: %s",
                   words != NULL ? words : "the download failed, without a reason");
      return FALSE;
    }
  id = tacho_json_get_string (object, "job_id", NULL);
  if (status == NULL || (id != NULL && strlen (id) > TACHO_API_MAX_ID))
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                           "The server's word on the download has no status");
      return FALSE;
    }
  progress->status = tacho_api_excerpt (status, strlen (status));
  progress->total = (guint64) tacho_api_get_count (object, "total_size_bytes", 0);
  progress->completed = (guint64) tacho_api_get_count (object, "downloaded_bytes", 0);
  progress->done = strcmp (status, "completed") == 0 || strcmp (status, "already_downloaded") == 0;
  progress->job_id = id != NULL ? g_strdup (id) : g_steal_pointer (&job);
  if (!progress->done && progress->job_id == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                           "The server took the download but gave no job to ask after");
      return FALSE;
    }
  return TRUE;
}
