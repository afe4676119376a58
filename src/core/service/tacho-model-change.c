/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loading and unloading: an order to the server, then its list until it says how that went. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-model-service-private.h"

#include "base/tacho-error.h"

#include <math.h>

#define POLL_MS 250
/* How long an order that was taken may show no effect at all. */
#define MAX_IDLE_POLLS 40
#define MAX_UNLOAD_POLLS 240
#define MAX_FAILED_POLLS 4
#define STOP_TOTAL_S 5.0
#define MAX_STOP_POLLS 20

typedef struct
{
  char *id;
  TachoOperation operation;
  gboolean ordered; /* the order may have reached the server */
  gboolean seen_loading;
  guint polls;
  guint failed_polls;
  guint stop_polls;
  GError *outcome; /* kept while a cancelled load is stopped */
} Change;

static void poll_now (GTask *task);

static void
change_free (gpointer data)
{
  Change *change = data;

  g_free (change->id);
  g_clear_error (&change->outcome);
  g_free (change);
}

/* Ends the change; consumes the task and the error. */
static void
change_end (GTask *task, GError *error)
{
  tacho_model_service_pop_busy (g_task_get_source_object (task));
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/* --- a cancelled load is stopped on the server too --- */

static void stop_listed_cb (GObject *source, GAsyncResult *result, gpointer user_data);

static gboolean
stop_timer_cb (gpointer user_data)
{
  GTask *task = user_data;

  tacho_model_service_list_async (g_task_get_source_object (task), TRUE, NULL, stop_listed_cb,
                                  g_object_ref (task));
  return G_SOURCE_REMOVE;
}

/* A server may take a moment to stop: what is shown at the end is to be what is. */
static void
stop_listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Change *change = g_task_get_task_data (task);
  TachoModelService *self = TACHO_MODEL_SERVICE (source);
  TachoModel *model = tacho_model_service_lookup (self, change->id);
  GSource *timer;

  if (!tacho_model_service_list_finish (self, result, NULL) || model == NULL ||
      tacho_model_get_status (model) != TACHO_MODEL_STATUS_LOADING ||
      ++change->stop_polls > MAX_STOP_POLLS)
    {
      change_end (task, g_steal_pointer (&change->outcome));
      return;
    }
  timer = g_timeout_source_new (POLL_MS);
  g_source_set_callback (timer, stop_timer_cb, task, g_object_unref);
  g_source_attach (timer, g_main_context_get_thread_default ());
  g_source_unref (timer);
}

static void
stopped_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  TachoHttpReply *reply =
      tacho_client_manager_operate_finish (TACHO_CLIENT_MANAGER (source), result, NULL, NULL);

  /* What the server made of it shows in its list. */
  g_clear_pointer (&reply, tacho_http_reply_free);
  tacho_model_service_list_async (g_task_get_source_object (task), TRUE, NULL, stop_listed_cb,
                                  task);
}

static void
change_fail (GTask *task, GError *error)
{
  TachoModelService *self = g_task_get_source_object (task);
  TachoClientManager *manager = tacho_model_service_get_manager (self);
  TachoApi *api = tacho_client_manager_get_api (manager);
  Change *change = g_task_get_task_data (task);

  if (change->operation != TACHO_OP_LOAD_MODEL || !change->ordered || api == NULL ||
      !g_cancellable_is_cancelled (g_task_get_cancellable (task)) ||
      !tacho_api_supports (api, TACHO_OP_UNLOAD_MODEL))
    {
      change_end (task, error);
      return;
    }
  change->outcome = error;
  tacho_client_manager_operate_async (manager, TACHO_OP_UNLOAD_MODEL, change->id, STOP_TOTAL_S,
                                      NULL, stopped_cb, task);
}

/* --- following the list --- */

static gboolean
is_gone (TachoModel *model)
{
  return model == NULL || tacho_model_get_status (model) == TACHO_MODEL_STATUS_UNLOADED;
}

static GError *
model_failed (TachoModel *model)
{
  const char *reason = tacho_model_get_status_reason (model);

  return g_error_new (TACHO_ERROR, TACHO_ERROR_MODEL_FAILED, "“%.100s” could not be loaded: %s",
                      tacho_model_get_name (model),
                      reason != NULL ? reason : "the server does not say why");
}

/* TRUE when the change is over; *error then says whether well. */
static gboolean
judge_load (Change *change, TachoModel *model, GError **error)
{
  switch (model != NULL ? tacho_model_get_status (model) : TACHO_MODEL_STATUS_UNLOADED)
    {
    case TACHO_MODEL_STATUS_LOADED:
    case TACHO_MODEL_STATUS_SLEEPING:
    case TACHO_MODEL_STATUS_UNKNOWN:
      return TRUE;
    case TACHO_MODEL_STATUS_LOADING:
      change->seen_loading = TRUE;
      return FALSE;
    case TACHO_MODEL_STATUS_FAILED:
      *error = model_failed (model);
      return TRUE;
    case TACHO_MODEL_STATUS_UNLOADED:
    default:
      if (change->seen_loading)
        g_set_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED,
                     "The server stopped loading “%.100s” and does not say why", change->id);
      else if (change->polls > MAX_IDLE_POLLS)
        g_set_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED,
                     "The server took the order to load “%.100s” but does not load it", change->id);
      return *error != NULL;
    }
}

static gboolean
judge_unload (Change *change, TachoModel *model, GError **error)
{
  if (is_gone (model))
    return TRUE;
  if (tacho_model_get_status (model) == TACHO_MODEL_STATUS_FAILED)
    return TRUE; /* whatever happened to it, it is not in memory */
  if (change->polls <= MAX_UNLOAD_POLLS)
    return FALSE;
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED,
               "The server took the order to unload “%.100s” but still lists it as %s", change->id,
               tacho_model_status_to_string (tacho_model_get_status (model)));
  return TRUE;
}

static gboolean
poll_timer_cb (gpointer user_data)
{
  GTask *task = user_data;

  poll_now (g_object_ref (task));
  return G_SOURCE_REMOVE;
}

static void
wait_for_poll (GTask *task)
{
  GSource *timer = g_timeout_source_new (POLL_MS);
  GCancellable *cancellable = g_task_get_cancellable (task);

  if (cancellable != NULL)
    {
      /* A cancel need not wait for the timer. */
      GSource *cancelled = g_cancellable_source_new (cancellable);

      g_source_set_dummy_callback (cancelled);
      g_source_add_child_source (timer, cancelled);
      g_source_unref (cancelled);
    }
  g_source_set_callback (timer, poll_timer_cb, task, g_object_unref);
  g_source_attach (timer, g_main_context_get_thread_default ());
  g_source_unref (timer);
}

static void
polled_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  TachoModelService *self = TACHO_MODEL_SERVICE (source);
  Change *change = g_task_get_task_data (task);
  TachoModel *model = tacho_model_service_lookup (self, change->id);
  GError *error = NULL;
  gboolean over;

  if (!tacho_model_service_list_finish (self, result, &error))
    {
      /* A server that loads may be slow to answer; a few misses are no verdict. */
      if (g_error_matches (error, TACHO_ERROR, TACHO_ERROR_CANCELLED) ||
          ++change->failed_polls >= MAX_FAILED_POLLS)
        {
          change_fail (task, error);
          return;
        }
      g_clear_error (&error);
      wait_for_poll (task);
      return;
    }
  change->failed_polls = 0;
  change->polls++;
  over = change->operation == TACHO_OP_LOAD_MODEL ? judge_load (change, model, &error)
                                                  : judge_unload (change, model, &error);
  if (over)
    change_end (task, error);
  else
    wait_for_poll (task);
}

static void
poll_now (GTask *task)
{
  tacho_model_service_list_async (g_task_get_source_object (task), TRUE,
                                  g_task_get_cancellable (task), polled_cb, task);
}

/* --- the order --- */

static void
ordered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  TachoModelService *self = g_task_get_source_object (task);
  TachoClientManager *manager = TACHO_CLIENT_MANAGER (source);
  Change *change = g_task_get_task_data (task);
  TachoModel *model = tacho_model_service_lookup (self, change->id);
  g_autoptr (TachoHttpReply) reply = NULL;
  g_autoptr (TachoApi) api = NULL;
  GError *error = NULL;

  reply = tacho_client_manager_operate_finish (manager, result, &api, &error);
  if (error != NULL || !tacho_api_parse_change (api, change->operation, change->id, reply, &error))
    {
      change_fail (task, error);
      return;
    }
  if (change->operation == TACHO_OP_LOAD_MODEL && model != NULL)
    tacho_model_set_status (model, TACHO_MODEL_STATUS_LOADING, NAN, NULL);
  poll_now (task);
}

static void
change_listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  TachoModelService *self = TACHO_MODEL_SERVICE (source);
  TachoClientManager *manager = tacho_model_service_get_manager (self);
  Change *change = g_task_get_task_data (task);
  TachoModel *model = tacho_model_service_lookup (self, change->id);
  TachoApi *api = tacho_client_manager_get_api (manager);
  gboolean loading = change->operation == TACHO_OP_LOAD_MODEL;
  GError *error = NULL;

  if (!tacho_model_service_list_finish (self, result, &error))
    change_end (task, error);
  else if (model == NULL && api != NULL && tacho_api_supports (api, change->operation))
    change_end (task, tacho_model_service_not_found (self, change->id));
  else if (model != NULL && loading && tacho_model_get_status (model) == TACHO_MODEL_STATUS_LOADED)
    change_end (task, NULL);
  else if (model != NULL && !loading && is_gone (model))
    change_end (task, NULL);
  else if (model != NULL && loading && tacho_model_get_status (model) == TACHO_MODEL_STATUS_LOADING)
    wait_for_poll (task); /* someone else's order; not ours to stop on cancel */
  else
    {
      change->ordered = TRUE;
      tacho_client_manager_operate_async (manager, change->operation, change->id,
                                          TACHO_MODEL_SERVICE_TOTAL_S,
                                          g_task_get_cancellable (task), ordered_cb, task);
    }
}

static void
run_change (TachoModelService *self,
            TachoOperation operation,
            const char *id,
            gpointer tag,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  Change *change = g_new0 (Change, 1);

  change->id = g_strdup (id);
  change->operation = operation;
  g_task_set_source_tag (task, tag);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, change, change_free);
  tacho_model_service_push_busy (self);
  tacho_model_service_list_async (self, TRUE, cancellable, change_listed_cb, task);
}

/**
 * tacho_model_service_load_async:
 * @self: a service
 * @id: which model
 * @cancellable: (nullable): stops the load, on the server too where it can
 * @callback: called once
 * @user_data: for @callback
 *
 * Loads a model and follows it to the end: until the server lists it as loaded, or as failed.
 */
void
tacho_model_service_load_async (TachoModelService *self,
                                const char *id,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_return_if_fail (TACHO_IS_MODEL_SERVICE (self));
  g_return_if_fail (id != NULL);

  run_change (self, TACHO_OP_LOAD_MODEL, id, tacho_model_service_load_async, cancellable, callback,
              user_data);
}

/**
 * tacho_model_service_load_finish:
 * @self: a service
 * @result: the result
 * @error: return location
 *
 * Returns: %TRUE if the model is loaded. %TACHO_ERROR_MODEL_FAILED has the server's reason,
 *   %TACHO_ERROR_UNSUPPORTED means that this server loads nothing on order.
 */
gboolean
tacho_model_service_load_finish (TachoModelService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * tacho_model_service_unload_async:
 * @self: a service
 * @id: which model
 * @cancellable: (nullable): stops following; the order stands
 * @callback: called once
 * @user_data: for @callback
 *
 * Unloads a model and follows it until the server no longer lists it as loaded.
 */
void
tacho_model_service_unload_async (TachoModelService *self,
                                  const char *id,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_return_if_fail (TACHO_IS_MODEL_SERVICE (self));
  g_return_if_fail (id != NULL);

  run_change (self, TACHO_OP_UNLOAD_MODEL, id, tacho_model_service_unload_async, cancellable,
              callback, user_data);
}

/**
 * tacho_model_service_unload_finish:
 * @self: a service
 * @result: the result
 * @error: return location
 *
 * Returns: %TRUE if the model is not in memory; or %FALSE with a `TACHO_ERROR`:
 *   %TACHO_ERROR_NOT_FOUND if the server does not list it, %TACHO_ERROR_MODEL_FAILED if it keeps
 *   it, %TACHO_ERROR_UNSUPPORTED if it unloads nothing on order
 */
gboolean
tacho_model_service_unload_finish (TachoModelService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* --- all of them --- */

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
