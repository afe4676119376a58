/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The details of one model: what the list says, and what the server adds when asked. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-model-service-private.h"

#include "base/tacho-error.h"

typedef struct
{
  char *id;
  gboolean refreshed;
} Show;

static void
show_free (gpointer data)
{
  Show *show = data;

  g_free (show->id);
  g_free (show);
}

static void
show_end (GTask *task, TachoModel *model, GError *error)
{
  tacho_model_service_pop_busy (g_task_get_source_object (task));
  if (model != NULL)
    g_task_return_pointer (task, g_object_ref (model), g_object_unref);
  else
    g_task_return_error (task, error);
  g_object_unref (task);
}

static void
details_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Show *show = g_task_get_task_data (task);
  TachoModelService *self = TACHO_MODEL_SERVICE (source);
  TachoModel *model = tacho_model_service_lookup (self, show->id);
  g_autoptr (GPtrArray) infos = tacho_model_service_complete_finish (self, result);
  TachoModelInfo *details = infos->len > 0 ? g_ptr_array_index (infos, 0) : NULL;

  if (details != NULL && model != NULL && g_strcmp0 (details->id, show->id) == 0)
    {
      if (details->status == TACHO_MODEL_STATUS_UNKNOWN)
        details->status = tacho_model_get_status (model);
      tacho_model_update (model, details);
    }
  show_end (task, model, model == NULL ? tacho_model_service_not_found (self, show->id) : NULL);
}

static void
shown_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Show *show = g_task_get_task_data (task);
  TachoModelService *self = g_task_get_source_object (task);
  TachoClientManager *manager = TACHO_CLIENT_MANAGER (source);
  TachoModel *model = tacho_model_service_lookup (self, show->id);
  g_autoptr (TachoApi) api = NULL;
  g_autoptr (TachoHttpReply) reply = NULL;
  TachoModelInfo *details = NULL;
  GError *error = NULL;

  reply = tacho_client_manager_operate_finish (manager, result, &api, &error);
  if (reply != NULL)
    details = tacho_api_parse_model (api, show->id, reply, &error);
  if (details != NULL)
    {
      g_autoptr (GPtrArray) infos =
          g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_model_info_free);

      g_ptr_array_add (infos, details);
      tacho_model_service_complete_async (self, api, TACHO_OP_SHOW_MODEL, show->id, infos,
                                          g_task_get_cancellable (task), details_cb, task);
      return;
    }
  /* A server that refuses to say more has still said what it lists. */
  if (model != NULL && (g_error_matches (error, TACHO_ERROR, TACHO_ERROR_HTTP_4XX) ||
                        g_error_matches (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND)))
    g_clear_error (&error);
  if (error == NULL && model == NULL)
    error = tacho_model_service_not_found (self, show->id);
  show_end (task, error == NULL ? model : NULL, error);
}

static void
show_listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Show *show = g_task_get_task_data (task);
  TachoModelService *self = TACHO_MODEL_SERVICE (source);
  TachoClientManager *manager = tacho_model_service_get_manager (self);
  TachoApi *api = tacho_client_manager_get_api (manager);
  TachoModel *model = tacho_model_service_lookup (self, show->id);
  GError *error = NULL;

  if (!tacho_model_service_list_finish (self, result, &error))
    show_end (task, NULL, error);
  else if (model == NULL && !show->refreshed)
    {
      show->refreshed = TRUE;
      tacho_model_service_list_async (self, TRUE, g_task_get_cancellable (task), show_listed_cb,
                                      task);
    }
  else if (model == NULL)
    show_end (task, NULL, tacho_model_service_not_found (self, show->id));
  else if (api != NULL && tacho_api_supports (api, TACHO_OP_SHOW_MODEL))
    tacho_client_manager_operate_async (manager, TACHO_OP_SHOW_MODEL, show->id,
                                        TACHO_MODEL_SERVICE_TOTAL_S, g_task_get_cancellable (task),
                                        shown_cb, task);
  else
    show_end (task, model, NULL);
}

/**
 * tacho_model_service_show_async:
 * @self: a service
 * @id: which model
 * @cancellable: (nullable): gives up
 * @callback: called once
 * @user_data: for @callback
 *
 * Asks for all that the server says of one model, and adds it to what its list said.
 */
void
tacho_model_service_show_async (TachoModelService *self,
                                const char *id,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  GTask *task;
  Show *show;

  g_return_if_fail (TACHO_IS_MODEL_SERVICE (self));
  g_return_if_fail (id != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, tacho_model_service_show_async);
  g_task_set_check_cancellable (task, FALSE);
  show = g_new0 (Show, 1);
  show->id = g_strdup (id);
  g_task_set_task_data (task, show, show_free);
  tacho_model_service_push_busy (self);
  tacho_model_service_list_async (self, FALSE, cancellable, show_listed_cb, task);
}

/**
 * tacho_model_service_show_finish:
 * @self: a service
 * @result: the result
 * @error: return location
 *
 * Returns: (transfer full): the model, or %NULL with %TACHO_ERROR_NOT_FOUND or a failure on the way
 */
TachoModel *
tacho_model_service_show_finish (TachoModelService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
