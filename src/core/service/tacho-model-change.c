/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loading, unloading and deleting: an order to the server, then its list until it says how that
 * went. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-model-service-private.h"

#include "base/tacho-error.h"

#include <math.h>

#define POLL_MS 250
/* How long an order that was taken may show no effect at all. */
#define MAX_IDLE_POLLS 40
#define MAX_UNLOAD_POLLS 240
#define MAX_FAILED_POLLS 4
/* An unload may take one of several instances of a model. */
#define MAX_ORDERS 16
#define STOP_TOTAL_S 5.0
#define MAX_STOP_POLLS 20

typedef struct
{
  char *id;
  TachoOperation operation;
  char *path;           /* of a LoRA adapter that is loaded as id; or NULL */
  TachoApi *path_api;   /* who built the order to load it */
  gboolean holds;       /* the model is shown as loading by our word alone */
  gboolean blocks;      /* the order's reply tells that it is done */
  TachoModelStatus was; /* before the order */
  guint orders;
  gboolean ordered;                /* the order may have reached the server */
  gboolean seen_loading, unlisted; /* unlisted: its reply is all that this server tells */
  guint polls, failed_polls, stop_polls;
  GError *outcome; /* kept while a cancelled load is stopped */
} Change;

static void poll_now (GTask *task);
static void send_order (GTask *task);

static void
change_free (gpointer data)
{
  Change *change = data;

  g_free (change->id);
  g_free (change->path);
  g_clear_object (&change->path_api);
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

static void
stop_waited_cb (gpointer data, gpointer user_data)
{
  GTask *task = data;

  tacho_model_service_list_async (g_task_get_source_object (task), TRUE, NULL, stop_listed_cb,
                                  task);
}

/* A server may take a moment to stop: what is shown at the end is to be what is. */
static void
stop_listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Change *change = g_task_get_task_data (task);
  TachoModelService *self = TACHO_MODEL_SERVICE (source);
  TachoModel *model = tacho_model_service_lookup (self, change->id);

  if (!tacho_model_service_list_finish (self, result, NULL) || model == NULL ||
      tacho_model_get_status (model) != TACHO_MODEL_STATUS_LOADING ||
      ++change->stop_polls > MAX_STOP_POLLS)
    {
      change_end (task, g_steal_pointer (&change->outcome));
      return;
    }
  tacho_model_service_wait (task, POLL_MS, FALSE, stop_waited_cb);
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
  if (tacho_model_get_status (model) == TACHO_MODEL_STATUS_SLEEPING && change->ordered)
    return TRUE; /* as far out of memory as such a server lets it go */
  if (change->polls <= MAX_UNLOAD_POLLS)
    return FALSE;
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED,
               "The server took the order to unload “%.100s” but still lists it as %s", change->id,
               tacho_model_status_to_string (tacho_model_get_status (model)));
  return TRUE;
}

static gboolean
judge_delete (Change *change, TachoModel *model, GError **error)
{
  if (model == NULL)
    return TRUE;
  if (change->polls > MAX_IDLE_POLLS)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED,
                 "The server took the order to delete “%.100s” but still lists it", change->id);
  return *error != NULL;
}

static gboolean
judge (Change *change, TachoModel *model, GError **error)
{
  if (change->operation == TACHO_OP_LOAD_MODEL)
    return judge_load (change, model, error);
  if (change->operation == TACHO_OP_UNLOAD_MODEL)
    return judge_unload (change, model, error);
  return judge_delete (change, model, error);
}

static void
poll_waited_cb (gpointer data, gpointer user_data)
{
  poll_now (data);
}

static void
wait_for_poll (GTask *task)
{
  tacho_model_service_wait (task, POLL_MS, TRUE, poll_waited_cb);
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
  over = judge (change, model, &error);
  if (over)
    change_end (task, error);
  else if (change->operation == TACHO_OP_UNLOAD_MODEL && change->blocks &&
           change->orders < MAX_ORDERS)
    send_order (task); /* another instance is still there */
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

/* A load that was held as loading ended: what the model is now, as far as the reply tells. */
static void
release (GTask *task, const GError *error)
{
  TachoModelService *self = g_task_get_source_object (task);
  Change *change = g_task_get_task_data (task);
  TachoModel *model = tacho_model_service_lookup (self, change->id);

  if (!change->holds)
    return;
  change->holds = FALSE;
  tacho_model_service_drop_loading (self, change->id);
  if (model == NULL || error == NULL)
    return;
  if (g_error_matches (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED))
    tacho_model_set_status (model, TACHO_MODEL_STATUS_FAILED, NAN, error->message);
  else
    tacho_model_set_status (model, change->was, NAN, NULL);
}

static void
judge_reply (GTask *task, TachoApi *api, TachoHttpReply *reply, GError *error)
{
  TachoModelService *self = g_task_get_source_object (task);
  Change *change = g_task_get_task_data (task);
  TachoModel *model = tacho_model_service_lookup (self, change->id);

  if (error == NULL)
    tacho_api_parse_change (api, change->operation, change->id, reply, &error);
  release (task, error);
  if (error != NULL)
    {
      change_fail (task, error);
      return;
    }
  if (change->operation == TACHO_OP_LOAD_MODEL && model != NULL && !change->blocks)
    tacho_model_set_status (model, TACHO_MODEL_STATUS_LOADING, NAN, NULL);
  change->unlisted ? change_end (task, NULL) : poll_now (task);
}

static void
ordered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoHttpReply) reply = NULL;
  g_autoptr (TachoApi) api = NULL;
  GError *error = NULL;

  reply = tacho_client_manager_operate_finish (TACHO_CLIENT_MANAGER (source), result, &api, &error);
  judge_reply (user_data, api, reply, error);
}

static void
path_ordered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Change *change = g_task_get_task_data (task);
  g_autoptr (TachoHttpReply) reply = NULL;
  GError *error = NULL;

  reply = tacho_client_manager_send_finish (TACHO_CLIENT_MANAGER (source), result, &error);
  judge_reply (task, change->path_api, reply, error);
}

static void
send_path_order (GTask *task, TachoClientManager *manager, TachoApi *api)
{
  Change *change = g_task_get_task_data (task);
  TachoHttpRequest *request;
  GError *error = NULL;

  request = tacho_api_build_load_from (api, change->id, change->path, &error);
  if (request == NULL)
    {
      change_end (task, error);
      return;
    }
  request->patient = TRUE;
  change->ordered = TRUE;
  g_set_object (&change->path_api, api);
  tacho_client_manager_send_async (manager, request, 0, g_task_get_cancellable (task),
                                   path_ordered_cb, task);
  tacho_http_request_free (request);
}

/* An order that is answered at its end may take as long as a generation may. */
static void
send_order (GTask *task)
{
  TachoModelService *self = g_task_get_source_object (task);
  TachoClientManager *manager = tacho_model_service_get_manager (self);
  TachoApi *api = tacho_client_manager_get_api (manager);
  Change *change = g_task_get_task_data (task);
  TachoModel *model = tacho_model_service_lookup (self, change->id);

  if (change->path != NULL && api != NULL)
    {
      send_path_order (task, manager, api);
      return;
    }
  change->ordered = TRUE;
  change->orders++;
  change->blocks = api != NULL && tacho_api_change_blocks (api, change->operation);
  if (change->blocks && change->operation == TACHO_OP_LOAD_MODEL && model != NULL)
    {
      change->holds = TRUE;
      change->was = tacho_model_get_status (model);
      tacho_model_service_hold_loading (self, change->id);
      tacho_model_set_status (model, TACHO_MODEL_STATUS_LOADING, NAN, NULL);
    }
  tacho_client_manager_operate_async (manager, change->operation, change->id,
                                      change->blocks ? 0 : TACHO_MODEL_SERVICE_TOTAL_S,
                                      g_task_get_cancellable (task), ordered_cb, task);
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
  gboolean unloading = change->operation == TACHO_OP_UNLOAD_MODEL;
  g_autoptr (GError) error = NULL;

  change->unlisted = !tacho_model_service_list_finish (self, result, &error) &&
                     g_error_matches (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
  if (error != NULL && !change->unlisted)
    change_end (task, g_steal_pointer (&error));
  else if (change->unlisted || change->path != NULL)
    send_order (task);
  else if (model == NULL && api != NULL && tacho_api_supports (api, change->operation))
    change_end (task, tacho_model_service_not_found (self, change->id));
  else if (model != NULL && loading && tacho_model_get_status (model) == TACHO_MODEL_STATUS_LOADED)
    change_end (task, NULL);
  else if (model != NULL && unloading && is_gone (model))
    change_end (task, NULL);
  else if (model != NULL && loading && tacho_model_get_status (model) == TACHO_MODEL_STATUS_LOADING)
    wait_for_poll (task); /* someone else's order; not ours to stop on cancel */
  else
    send_order (task);
}

static void
run_change (TachoModelService *self,
            TachoOperation operation,
            const char *id,
            const char *path,
            gpointer tag,
            GCancellable *cancellable,
            GAsyncReadyCallback callback,
            gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  Change *change = g_new0 (Change, 1);

  change->id = g_strdup (id);
  change->path = g_strdup (path);
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

  run_change (self, TACHO_OP_LOAD_MODEL, id, NULL, tacho_model_service_load_async, cancellable,
              callback, user_data);
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

  run_change (self, TACHO_OP_UNLOAD_MODEL, id, NULL, tacho_model_service_unload_async, cancellable,
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

/**
 * tacho_model_service_load_from_async:
 * @self: a service
 * @id: what the adapter is to be called
 * @path: where the server, not this program, finds it
 * @cancellable: (nullable): gives up
 * @callback: called once
 * @user_data: for @callback
 *
 * Loads a LoRA adapter under a name and follows it until the server lists it.
 */
void
tacho_model_service_load_from_async (TachoModelService *self,
                                     const char *id,
                                     const char *path,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data)
{
  g_return_if_fail (TACHO_IS_MODEL_SERVICE (self));
  g_return_if_fail (id != NULL && path != NULL);

  run_change (self, TACHO_OP_LOAD_MODEL, id, path, tacho_model_service_load_from_async, cancellable,
              callback, user_data);
}

/**
 * tacho_model_service_load_from_finish:
 * @self: a service
 * @result: the result
 * @error: return location
 *
 * Returns: %TRUE if the adapter is there; or %FALSE with a `TACHO_ERROR`, %TACHO_ERROR_UNSUPPORTED
 *   if the server loads none
 */
gboolean
tacho_model_service_load_from_finish (TachoModelService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * tacho_model_service_delete_async:
 * @self: a service
 * @id: which model
 * @cancellable: (nullable): stops following; the order stands
 * @callback: called once
 * @user_data: for @callback
 *
 * Deletes a model from the server's disk and waits until it is no longer listed.
 */
void
tacho_model_service_delete_async (TachoModelService *self,
                                  const char *id,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_return_if_fail (TACHO_IS_MODEL_SERVICE (self));
  g_return_if_fail (id != NULL);

  run_change (self, TACHO_OP_DELETE_MODEL, id, NULL, tacho_model_service_delete_async, cancellable,
              callback, user_data);
}

/**
 * tacho_model_service_delete_finish:
 * @self: a service
 * @result: the result
 * @error: return location
 *
 * Returns: %TRUE if the model is gone; or %FALSE with a `TACHO_ERROR`
 */
gboolean
tacho_model_service_delete_finish (TachoModelService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}
