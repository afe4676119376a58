/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One operation or request on its way to the server. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-client-manager-state-private.h"

#include "base/tacho-error.h"
#include "base/tacho-text.h"

/* --- operations --- */

typedef struct
{
  TachoHttpRequest *request; /* NULL: built from the operation once the API is known */
  TachoOperation operation;
  char *model_id;
  double total;
} Call;

static void
call_free (gpointer data)
{
  Call *call = data;

  g_clear_pointer (&call->request, tacho_http_request_free);
  g_free (call->model_id);
  g_free (call);
}

static TachoHttpRequest *
copy_request (const TachoHttpRequest *request)
{
  TachoHttpRequest *copy = tacho_http_request_new (request->method, request->path);

  for (guint i = 0; request->headers != NULL && i < request->headers->len; i++)
    {
      const TachoHeader *header = g_ptr_array_index (request->headers, i);

      tacho_http_request_add_header (copy, header->name, header->value);
    }
  if (request->body != NULL)
    {
      g_clear_pointer (&copy->body, g_bytes_unref);
      copy->body = g_bytes_ref (request->body);
    }
  copy->streaming = request->streaming;
  return copy;
}

static void
ensured_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (tacho_client_manager_probe_finish (TACHO_CLIENT_MANAGER (source), result, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

void
tacho_client_manager_ensure_async (TachoClientManager *self,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_check_cancellable (task, FALSE);
  if (self->api != NULL)
    g_task_return_boolean (task, TRUE);
  else
    tacho_client_manager_probe_async (self, cancellable, ensured_cb, g_steal_pointer (&task));
}

gboolean
tacho_client_manager_ensure_finish (TachoClientManager *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
call_reply_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  TachoClientManager *self = g_task_get_source_object (task);
  GError *error = NULL;
  TachoHttpReply *reply;

  reply = tacho_http_client_send_finish (TACHO_HTTP_CLIENT (source), result, &error);
  tacho_client_manager_note (self, error);
  if (reply != NULL && g_task_get_source_tag (task) == tacho_client_manager_operate_async)
    {
      error = tacho_client_manager_redirect_error (self, reply);
      if (error != NULL)
        g_clear_pointer (&reply, tacho_http_reply_free);
    }
  if (reply != NULL)
    g_task_return_pointer (task, reply, (GDestroyNotify) tacho_http_reply_free);
  else
    g_task_return_error (task, error);
}

static void
call_ensured_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  TachoClientManager *self = TACHO_CLIENT_MANAGER (source);
  Call *call = g_task_get_task_data (task);
  GError *error = NULL;

  if (!tacho_client_manager_ensure_finish (self, result, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  if (self->api == NULL) /* closed between the probe's end and now */
    {
      g_task_return_new_error (task, TACHO_ERROR, TACHO_ERROR_CANCELLED,
                               "The connection was closed");
      return;
    }
  if (call->request == NULL)
    call->request = tacho_api_build (self->api, call->operation, call->model_id, &error);
  if (call->request == NULL || tacho_client_manager_ensure_http (self, &error) == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  tacho_http_client_send_async (self->http, call->request, call->total,
                                g_task_get_cancellable (task), call_reply_cb, task);
  g_steal_pointer (&task);
}

static void
run_call (TachoClientManager *self,
          Call *call,
          gpointer tag,
          GCancellable *cancellable,
          GAsyncReadyCallback callback,
          gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, tag);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, call, call_free);
  tacho_client_manager_ensure_async (self, cancellable, call_ensured_cb, task);
}

/**
 * tacho_client_manager_send_async:
 * @self: a manager
 * @request: what to send; copied
 * @total_override: seconds that replace the profile's total timeout, 0 to keep it
 * @cancellable: (nullable): closes the socket
 * @callback: called once
 * @user_data: for @callback
 *
 * Routes one request to the endpoint; probes first if that was not done.
 */
void
tacho_client_manager_send_async (TachoClientManager *self,
                                 const TachoHttpRequest *request,
                                 double total_override,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  Call *call;

  g_return_if_fail (TACHO_IS_CLIENT_MANAGER (self));
  g_return_if_fail (request != NULL);

  call = g_new0 (Call, 1);
  call->request = copy_request (request);
  call->total = total_override;
  run_call (self, call, tacho_client_manager_send_async, cancellable, callback, user_data);
}

/**
 * tacho_client_manager_send_finish:
 * @self: a manager
 * @result: the result
 * @error: return location
 *
 * Returns: (transfer full): the reply, whatever its status, or %NULL with a `TACHO_ERROR`
 */
TachoHttpReply *
tacho_client_manager_send_finish (TachoClientManager *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

void
tacho_client_manager_operate_async (TachoClientManager *self,
                                    TachoOperation operation,
                                    const char *model_id,
                                    double total_override,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  Call *call = g_new0 (Call, 1);

  call->operation = operation;
  call->model_id = g_strdup (model_id);
  call->total = total_override;
  run_call (self, call, tacho_client_manager_operate_async, cancellable, callback, user_data);
}

TachoHttpReply *
tacho_client_manager_operate_finish (TachoClientManager *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

GError *
tacho_client_manager_redirect_error (TachoClientManager *self, const TachoHttpReply *reply)
{
  const char *location;
  g_autofree char *shown = NULL;

  if (reply->status < 300 || reply->status > 399)
    return NULL;
  location = tacho_http_reply_get_header (reply, "Location");
  shown = tacho_text_sanitize_line (location != NULL ? location : "nowhere", -1, 200);
  return g_error_new (
      TACHO_ERROR, TACHO_ERROR_PROTOCOL,
      "%s answered with a redirect (HTTP %u) to %s, which was not followed: if that "
      "is the server you mean, give its address",
      tacho_profile_get_endpoint (self->profile), reply->status, shown);
}
