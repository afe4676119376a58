/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unloading every model that is in memory, one after the other. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-model-service-private.h"

typedef struct
{
  GPtrArray *ids;
  int done;
} UnloadAll;

static void
unload_all_free (gpointer data)
{
  UnloadAll *all = data;

  g_ptr_array_unref (all->ids);
  g_free (all);
}

static void unload_next (GTask *task);

static void
unloaded_one_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  UnloadAll *all = g_task_get_task_data (task);
  GError *error = NULL;

  if (!tacho_model_service_unload_finish (TACHO_MODEL_SERVICE (source), result, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  all->done++;
  unload_next (task);
}

static void
unload_next (GTask *task)
{
  UnloadAll *all = g_task_get_task_data (task);

  if ((guint) all->done < all->ids->len)
    tacho_model_service_unload_async (
        g_task_get_source_object (task), g_ptr_array_index (all->ids, all->done),
        g_task_get_cancellable (task), unloaded_one_cb, g_object_ref (task));
  else
    g_task_return_int (task, all->done);
}

static void
unload_all_listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  UnloadAll *all = g_task_get_task_data (task);
  GListModel *models = G_LIST_MODEL (source);
  GError *error = NULL;

  if (!tacho_model_service_list_finish (TACHO_MODEL_SERVICE (source), result, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  for (guint i = 0; i < g_list_model_get_n_items (models); i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (models, i);
      TachoModelStatus status = tacho_model_get_status (model);

      if (status == TACHO_MODEL_STATUS_LOADED || status == TACHO_MODEL_STATUS_LOADING ||
          status == TACHO_MODEL_STATUS_SLEEPING)
        g_ptr_array_add (all->ids, g_strdup (tacho_model_get_id (model)));
    }
  unload_next (task);
}

/**
 * tacho_model_service_unload_all_async:
 * @self: a service
 * @cancellable: (nullable): stops between and within unloads
 * @callback: called once
 * @user_data: for @callback
 *
 * Unloads every model that is in memory, one after the other; stops at the first that fails.
 */
void
tacho_model_service_unload_all_async (TachoModelService *self,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data)
{
  GTask *task;
  UnloadAll *all;

  g_return_if_fail (TACHO_IS_MODEL_SERVICE (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, tacho_model_service_unload_all_async);
  g_task_set_check_cancellable (task, FALSE);
  all = g_new0 (UnloadAll, 1);
  all->ids = g_ptr_array_new_with_free_func (g_free);
  g_task_set_task_data (task, all, unload_all_free);
  tacho_model_service_list_async (self, TRUE, cancellable, unload_all_listed_cb, task);
}

/**
 * tacho_model_service_unload_all_finish:
 * @self: a service
 * @result: the result
 * @error: return location
 *
 * Returns: how many models were unloaded; or -1 with the first failure as a `TACHO_ERROR`
 */
int
tacho_model_service_unload_all_finish (TachoModelService *self,
                                       GAsyncResult *result,
                                       GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), -1);
  return (int) g_task_propagate_int (G_TASK (result), error);
}
