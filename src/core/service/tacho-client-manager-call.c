/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One operation or request on its way to the server: route, attempts, waits. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-client-manager-state-private.h"

#include <math.h>

#include "base/tacho-clock.h"
#include "base/tacho-error.h"

typedef struct
{
  TachoHttpRequest *request; /* given as it is; NULL: built from the operation */
  TachoOperation operation;
  char *model_id;
  double total;
  gint64 deadline_ns; /* 0: none */
  guint attempts;
  guint ambiguous;
  gboolean fail_over;      /* the next attempt is not for the endpoint of the last */
  TachoEndpoint *endpoint; /* of this attempt */
  TachoApi *api;           /* that built the request */
  GSource *wait;
  GSource *wait_cancelled;
} Call;

static void attempt (GTask *task);

static void
clear_wait (Call *call)
{
  g_clear_pointer (&call->wait, tacho_client_manager_destroy_source);
  g_clear_pointer (&call->wait_cancelled, tacho_client_manager_destroy_source);
}

static void
call_free (gpointer data)
{
  Call *call = data;

  clear_wait (call);
  g_clear_pointer (&call->request, tacho_http_request_free);
  g_free (call->model_id);
  g_clear_object (&call->endpoint);
  g_clear_object (&call->api);
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
  copy->patient = request->patient;
  return copy;
}

/* --- probing first --- */

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
  if (tacho_client_manager_get_api (self) != NULL && self->round_cancellable == NULL)
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

/* --- routing --- */

static gboolean
takes (TachoEndpoint *endpoint, TachoOperation operation)
{
  TachoApi *api = tacho_endpoint_get_api (endpoint);

  return api != NULL && tacho_api_supports (api, operation) &&
         !tacho_endpoint_is_unimplemented (endpoint, operation);
}

/* A side that was away is looked at again by a health call, never by an operation. */
static gboolean
is_well (TachoEndpoint *endpoint)
{
  TachoBreakerState breaker = tacho_endpoint_get_breaker_state (endpoint);

  if (breaker == TACHO_BREAKER_CLOSED && tacho_endpoint_get_state (endpoint) != TACHO_ENDPOINT_DOWN)
    return TRUE;
  if (breaker != TACHO_BREAKER_OPEN)
    tacho_endpoint_check (endpoint);
  return FALSE;
}

TachoEndpoint *
tacho_client_manager_route (TachoClientManager *self,
                            TachoOperation operation,
                            TachoEndpoint *avoid)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->endpoints));
  TachoEndpoint *any = NULL;

  for (guint i = 0; i < n; i++)
    {
      TachoEndpoint *endpoint = tacho_client_manager_peek (self, i);

      if (!takes (endpoint, operation) || endpoint == avoid)
        continue;
      if (any == NULL)
        any = endpoint;
      if (is_well (endpoint))
        return endpoint;
    }
  if (any == NULL && avoid != NULL && takes (avoid, operation))
    return avoid;
  return any; /* the last side is never taken away */
}

gboolean
tacho_client_manager_has_other (TachoClientManager *self,
                                TachoOperation operation,
                                TachoEndpoint *endpoint)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->endpoints));

  for (guint i = 0; i < n; i++)
    {
      TachoEndpoint *other = tacho_client_manager_peek (self, i);

      if (other != endpoint && takes (other, operation) && is_well (other))
        return TRUE;
    }
  return FALSE;
}

void
tacho_client_manager_get_retry_policy (TachoClientManager *self, TachoRetryPolicy *policy)
{
  const TachoProfileTuning *tuning = tacho_profile_get_tuning (self->profile);

  *policy = (TachoRetryPolicy){
    .max_attempts = tuning->attempts,
    .backoff_s = tuning->backoff_s,
    .backoff_cap_s = tuning->backoff_cap_s,
    .server_wait_max_s = tuning->server_wait_s,
  };
}

/* --- attempts --- */

static double
left_s (const Call *call)
{
  if (call->deadline_ns == 0)
    return INFINITY;
  return (double) (call->deadline_ns - tacho_clock_now_ns ()) / TACHO_NS_PER_S;
}

static TachoEffect
effect_of (TachoOperation operation)
{
  return operation == TACHO_OP_LOAD_MODEL || operation == TACHO_OP_UNLOAD_MODEL ||
                 operation == TACHO_OP_PULL_MODEL || operation == TACHO_OP_DELETE_MODEL
             ? TACHO_EFFECT_CHANGE
             : TACHO_EFFECT_NONE;
}

static gboolean
waited_cb (gpointer user_data)
{
  GTask *task = user_data;

  clear_wait (g_task_get_task_data (task));
  attempt (task);
  return G_SOURCE_REMOVE;
}

static gboolean
wait_cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  clear_wait (g_task_get_task_data (task));
  g_task_return_new_error (task, TACHO_ERROR, TACHO_ERROR_CANCELLED, "Cancelled");
  return G_SOURCE_REMOVE;
}

static void
wait_then_attempt (GTask *task, double seconds)
{
  Call *call = g_task_get_task_data (task);
  GCancellable *cancellable = g_task_get_cancellable (task);

  call->wait = g_timeout_source_new ((guint) (seconds * 1000));
  g_source_set_callback (call->wait, waited_cb, task, NULL);
  g_source_attach (call->wait, g_main_context_get_thread_default ());
  if (cancellable == NULL)
    return;
  call->wait_cancelled = g_cancellable_source_new (cancellable);
  g_source_set_callback (call->wait_cancelled, G_SOURCE_FUNC (wait_cancelled_cb), task, NULL);
  g_source_attach (call->wait_cancelled, g_main_context_get_thread_default ());
}

/* TRUE: another attempt is under way. */
static gboolean
try_again (GTask *task, const TachoHttpReply *reply, const GError *error)
{
  TachoClientManager *self = g_task_get_source_object (task);
  Call *call = g_task_get_task_data (task);
  TachoRetryPolicy policy;
  TachoVerdict verdict;
  TachoFailure failure = {
    .stage = error != NULL && (error->code == TACHO_ERROR_CONNECT ||
                               error->code == TACHO_ERROR_TIMEOUT_CONNECT)
                 ? TACHO_STAGE_NOT_SENT
                 : TACHO_STAGE_SENT,
    .effect = effect_of (call->operation),
    .protocol = tacho_endpoint_get_protocol (call->endpoint),
    .error = error,
    .grpc_status = -1,
    .server_wait_s = NAN,
    .should_retry = -1,
  };
  const TachoRetryState state = {
    .attempts = call->attempts,
    .ambiguous = call->ambiguous,
    .left_s = left_s (call),
    .random = g_random_double (),
    .budget = tacho_endpoint_may_retry (call->endpoint),
    .other_available = tacho_client_manager_has_other (self, call->operation, call->endpoint),
  };

  if (reply != NULL)
    tacho_failure_read_reply (&failure, reply);
  tacho_client_manager_note (self, call->endpoint, &failure);
  /* A server that loads its model says so with 503: that is the answer. */
  if (call->request != NULL ||
      (reply != NULL && tacho_endpoint_get_state (call->endpoint) == TACHO_ENDPOINT_LOADING))
    return FALSE;
  tacho_client_manager_get_retry_policy (self, &policy);
  verdict = tacho_retry_decide (&policy, &state, &failure);
  if (verdict.unimplemented)
    tacho_endpoint_set_unimplemented (call->endpoint, call->operation);
  if (verdict.decision == TACHO_DECISION_STOP)
    return FALSE;
  call->ambiguous += verdict.ambiguous ? 1 : 0;
  call->fail_over = verdict.decision == TACHO_DECISION_FAIL_OVER;
  if (verdict.wait_s > 0)
    wait_then_attempt (task, verdict.wait_s);
  else
    attempt (task);
  return TRUE;
}

static void
reply_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Call *call = g_task_get_task_data (task);
  TachoClientManager *self = g_task_get_source_object (task);
  g_autoptr (TachoHttpReply) reply = NULL;
  GError *error = NULL;

  reply = tacho_transport_send_finish (TACHO_TRANSPORT (source), result, &error);
  if (reply != NULL && reply->status >= 200 && reply->status < 300)
    tacho_client_manager_note (self, call->endpoint, NULL);
  else if (!g_cancellable_is_cancelled (g_task_get_cancellable (task)) &&
           try_again (task, reply, error))
    {
      g_clear_error (&error);
      return;
    }
  if (reply != NULL && call->request == NULL)
    error = tacho_endpoint_redirect_error (call->endpoint, reply);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, g_steal_pointer (&reply), (GDestroyNotify) tacho_http_reply_free);
  g_object_unref (task);
}

static GError *
no_side_error (TachoClientManager *self, TachoOperation operation)
{
  TachoApi *api = tacho_client_manager_get_api (self);
  g_autofree char *description = NULL;

  if (api == NULL) /* closed between the probe's end and now */
    return g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "The connection was closed");
  description = tacho_api_describe (api);
  return g_error_new (TACHO_ERROR, TACHO_ERROR_UNSUPPORTED, "%s cannot %s", description,
                      tacho_operation_to_string (operation));
}

/* Takes the reference to the task. */
static void
attempt (GTask *task)
{
  TachoClientManager *self = g_task_get_source_object (task);
  Call *call = g_task_get_task_data (task);
  TachoEndpoint *avoid = call->fail_over ? call->endpoint : NULL;
  TachoEndpoint *endpoint =
      call->request != NULL
          ? tacho_client_manager_get_side (self, g_str_equal (call->request->method, "gRPC")
                                                     ? TACHO_PROTOCOL_GRPC
                                                     : TACHO_PROTOCOL_REST)
          : tacho_client_manager_route (self, call->operation, avoid);
  g_autoptr (TachoHttpRequest) built = NULL;
  TachoTransport *transport = NULL;
  GError *error = NULL;

  if (endpoint == NULL)
    error = no_side_error (self, call->operation);
  if (endpoint != NULL)
    {
      g_set_object (&call->endpoint, endpoint);
      g_set_object (&call->api, tacho_endpoint_get_api (endpoint));
      if (call->request == NULL)
        built = tacho_api_build (call->api, call->operation, call->model_id, &error);
      if (error == NULL)
        transport = tacho_endpoint_ensure_transport (endpoint, &error);
    }
  if (transport == NULL)
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  call->attempts++;
  tacho_transport_send_async (transport, built != NULL ? built : call->request,
                              call->deadline_ns != 0 ? MAX (left_s (call), 0.01) : 0,
                              g_task_get_cancellable (task), reply_cb, task);
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
  if (call->total > 0)
    call->deadline_ns = tacho_clock_now_ns () + (gint64) (call->total * (double) TACHO_NS_PER_S);
  attempt (g_steal_pointer (&task));
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

  if (call->total == 0)
    call->total = tacho_profile_get_timeout (self->profile, TACHO_TIMEOUT_TOTAL);
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
 * @cancellable: (nullable): closes the wire
 * @callback: called once
 * @user_data: for @callback
 *
 * Sends one request to the side that its method belongs to; probes first if that was not done.
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
tacho_client_manager_operate_finish (TachoClientManager *self,
                                     GAsyncResult *result,
                                     TachoApi **api,
                                     GError **error)
{
  Call *call;
  TachoHttpReply *reply;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  call = g_task_get_task_data (G_TASK (result));
  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (api != NULL)
    *api = reply != NULL ? g_object_ref (call->api) : NULL;
  return reply;
}
