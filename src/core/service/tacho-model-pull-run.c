/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fetching a model: lines of progress as they come, or a job that is asked after. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-model-service-private.h"

#include <math.h>

#include "base/tacho-error.h"
#include "stream/tacho-ndjson.h"

#define POLL_MS 500
#define MAX_FAILED_POLLS 4
#define STOP_TOTAL_S 5.0
#define MAX_LINE ((gsize) 256 * 1024)
/* How often a pull is ordered anew that came on and then met a timeout; servers resume. */
#define MAX_ORDERS 1000

typedef struct
{
  TachoModelPull *pull;
  TachoEndpoint *endpoint;
  TachoApi *api;
  TachoNdjsonParser *parser;
  TachoPullProgress last;
  GError *error; /* of a line */
  gboolean advanced;
  guint orders;
  guint failed_polls;
} Run;

static void order (GTask *task);

static void
run_free (gpointer data)
{
  Run *run = data;

  g_object_unref (run->pull);
  g_clear_object (&run->endpoint);
  g_clear_object (&run->api);
  tacho_ndjson_parser_free (run->parser);
  tacho_pull_progress_clear (&run->last);
  g_clear_error (&run->error);
  g_free (run);
}

/* Takes the task and the error. */
static void
end (GTask *task, GError *error)
{
  tacho_model_service_pop_busy (g_task_get_source_object (task));
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  /* The model is there; a list that fails says nothing against it. */
  tacho_model_service_list_finish (TACHO_MODEL_SERVICE (source), result, NULL);
  end (user_data, NULL);
}

static void
succeed (GTask *task)
{
  tacho_model_service_list_async (g_task_get_source_object (task), TRUE, NULL, listed_cb, task);
}

static gboolean
read_progress (Run *run, const char *json, gsize length, GError **error)
{
  if (!tacho_api_parse_pull (run->api, json, length, &run->last, error))
    return FALSE;
  if (tacho_model_pull_update (run->pull, run->last.status, run->last.completed, run->last.total,
                               run->last.done))
    run->advanced = TRUE;
  return TRUE;
}

/* What the server answers instead of a success. */
static GError *
refusal (Run *run, const TachoHttpReply *reply)
{
  GError *error = tacho_endpoint_redirect_error (run->endpoint, reply);

  if (error == NULL)
    error = tacho_api_error_from_reply (reply);
  if (reply->status == 404)
    error->code = TACHO_ERROR_NOT_FOUND;
  return error;
}

/* --- as lines --- */

static gboolean
head_cb (const TachoHttpReply *head, gpointer user_data, GError **error)
{
  return TRUE;
}

static void
sent_cb (gint64 now_ns, gboolean reused_connection, gpointer user_data)
{
}

static void
line_cb (const char *line, gsize length, gpointer user_data)
{
  Run *run = user_data;

  if (run->error == NULL && !run->last.done && length > 0 && strspn (line, " \t\r") < length)
    read_progress (run, line, length, &run->error);
}

static gboolean
data_cb (const char *data, gsize length, gint64 now_ns, gpointer user_data, GError **error)
{
  Run *run = user_data;
  g_autoptr (GError) reason = NULL;

  if (!tacho_ndjson_parser_feed (run->parser, data, length, line_cb, run, &reason) &&
      run->error == NULL)
    run->error = g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                              "The server's progress is not acceptable: %s", reason->message);
  if (run->error == NULL)
    return TRUE;
  g_propagate_error (error, g_error_copy (run->error));
  return FALSE;
}

static gboolean
may_resume (GTask *task, const GError *error)
{
  Run *run = g_task_get_task_data (task);

  return (error->code == TACHO_ERROR_TIMEOUT_TOTAL || error->code == TACHO_ERROR_TIMEOUT_IDLE) &&
         run->advanced && run->orders < MAX_ORDERS;
}

static void
note (GTask *task, const GError *error)
{
  TachoModelService *self = g_task_get_source_object (task);
  Run *run = g_task_get_task_data (task);
  const TachoFailure failure = {
    .stage = TACHO_STAGE_SENT,
    .effect = TACHO_EFFECT_CHANGE,
    .protocol = tacho_endpoint_get_protocol (run->endpoint),
    .error = error,
    .grpc_status = -1,
    .server_wait_s = NAN,
    .should_retry = -1,
  };

  tacho_client_manager_note (tacho_model_service_get_manager (self), run->endpoint,
                             error != NULL ? &failure : NULL);
}

static void
streamed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Run *run = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (TachoHttpReply) reply =
      tacho_transport_stream_finish (TACHO_TRANSPORT (source), result, &error);

  if (run->error != NULL) /* the server's own word, not that it ended the exchange */
    {
      g_clear_error (&error);
      error = g_steal_pointer (&run->error);
    }
  else if (reply != NULL || !g_cancellable_is_cancelled (g_task_get_cancellable (task)))
    note (task, error);
  if (error == NULL && (reply->status < 200 || reply->status > 299))
    error = refusal (run, reply);
  else if (error == NULL)
    {
      tacho_ndjson_parser_finish (run->parser, line_cb, run);
      error = g_steal_pointer (&run->error);
    }
  if (error != NULL && may_resume (task, error))
    {
      g_error_free (error);
      order (task);
    }
  else if (error != NULL)
    end (task, error);
  else if (run->last.done)
    succeed (task);
  else
    end (task,
         g_error_new (TACHO_ERROR, TACHO_ERROR_TRUNCATED,
                      "The server ended its progress on “%.100s” without success; it said last: %s",
                      tacho_model_pull_get_id (run->pull),
                      run->last.status != NULL ? run->last.status : "nothing"));
}

/* --- as a job --- */

static void
stopped_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TachoHttpReply *reply =
      tacho_client_manager_send_finish (TACHO_CLIENT_MANAGER (source), result, NULL);

  g_clear_pointer (&reply, tacho_http_reply_free);
  end (user_data, g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED,
                                       "Cancelled; the server was told to stop"));
}

static void
stop (GTask *task)
{
  TachoModelService *self = g_task_get_source_object (task);
  Run *run = g_task_get_task_data (task);
  TachoHttpRequest *request =
      tacho_api_build_pull_stop (run->api, tacho_model_pull_get_id (run->pull), &run->last);

  if (request == NULL)
    {
      end (task, g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED,
                                      "Cancelled here; this server cannot be told to stop, and "
                                      "may go on"));
      return;
    }
  tacho_client_manager_send_async (tacho_model_service_get_manager (self), request, STOP_TOTAL_S,
                                   NULL, stopped_cb, task);
  tacho_http_request_free (request);
}

static void asked_cb (GObject *source, GAsyncResult *result, gpointer user_data);

static void
ask (gpointer data, gpointer user_data)
{
  GTask *task = data;
  TachoModelService *self = g_task_get_source_object (task);
  Run *run = g_task_get_task_data (task);
  TachoHttpRequest *request;

  if (g_cancellable_is_cancelled (g_task_get_cancellable (task)))
    {
      stop (task);
      return;
    }
  request = tacho_api_build_pull_status (run->api, tacho_model_pull_get_id (run->pull), &run->last);
  if (request == NULL)
    {
      end (task, g_error_new_literal (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                                      "The server took the order but cannot be asked after it"));
      return;
    }
  tacho_client_manager_send_async (tacho_model_service_get_manager (self), request,
                                   TACHO_MODEL_SERVICE_TOTAL_S, g_task_get_cancellable (task),
                                   asked_cb, task);
  tacho_http_request_free (request);
}

static void
asked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Run *run = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (TachoHttpReply) reply =
      tacho_client_manager_send_finish (TACHO_CLIENT_MANAGER (source), result, &error);
  gboolean began = run->last.status != NULL;

  if (reply != NULL && (reply->status < 200 || reply->status > 299))
    error = refusal (run, reply);
  else if (reply != NULL)
    {
      gsize length;
      const char *text = g_bytes_get_data (reply->body, &length);

      run->failed_polls = 0;
      read_progress (run, text != NULL ? text : "", length, &error);
      /* Where the job has no name of its own, it is called as the model is. */
      if (error == NULL && run->last.job_id == NULL)
        run->last.job_id = g_strdup (tacho_model_pull_get_id (run->pull));
    }
  if (began && g_cancellable_is_cancelled (g_task_get_cancellable (task)))
    {
      g_clear_error (&error);
      stop (task);
    }
  else if (error != NULL && began && reply == NULL && ++run->failed_polls < MAX_FAILED_POLLS)
    {
      g_error_free (error);
      tacho_model_service_wait (task, POLL_MS, TRUE, ask);
    }
  else if (error != NULL)
    end (task, error);
  else if (run->last.done)
    succeed (task);
  else
    tacho_model_service_wait (task, POLL_MS, TRUE, ask);
}

/* --- the order --- */

static void
order (GTask *task)
{
  TachoModelService *self = g_task_get_source_object (task);
  TachoClientManager *manager = tacho_model_service_get_manager (self);
  Run *run = g_task_get_task_data (task);
  const TachoStreamFuncs funcs = { sent_cb, head_cb, data_cb };
  const char *id = tacho_model_pull_get_id (run->pull);
  TachoTransport *transport = NULL;
  TachoHttpRequest *request;
  GError *error = NULL;

  request = tacho_api_build (run->api, TACHO_OP_PULL_MODEL, id, &error);
  if (request != NULL && request->streaming)
    transport = tacho_endpoint_ensure_transport (run->endpoint, &error);
  run->advanced = FALSE;
  run->orders++;
  if (error != NULL)
    end (task, error);
  else if (transport != NULL)
    {
      tacho_ndjson_parser_reset (run->parser);
      tacho_transport_stream_async (transport, request, &funcs, run, g_task_get_cancellable (task),
                                    streamed_cb, task);
    }
  else
    tacho_client_manager_send_async (manager, request, TACHO_MODEL_SERVICE_TOTAL_S,
                                     g_task_get_cancellable (task), asked_cb, task);
  g_clear_pointer (&request, tacho_http_request_free);
}

static void
ensured_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  TachoClientManager *manager = TACHO_CLIENT_MANAGER (source);
  Run *run = g_task_get_task_data (task);
  TachoEndpoint *endpoint;
  TachoApi *api;
  GError *error = NULL;

  if (!tacho_client_manager_ensure_finish (manager, result, &error))
    {
      end (task, error);
      return;
    }
  endpoint = tacho_client_manager_route (manager, TACHO_OP_PULL_MODEL, NULL);
  if (endpoint != NULL)
    {
      run->endpoint = g_object_ref (endpoint);
      run->api = g_object_ref (tacho_endpoint_get_api (endpoint));
      order (task);
      return;
    }
  api = tacho_client_manager_get_api (manager);
  if (api == NULL)
    error = g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "The connection was closed");
  else
    {
      g_autofree char *description = tacho_api_describe (api);

      error = g_error_new (TACHO_ERROR, TACHO_ERROR_UNSUPPORTED, "%s cannot %s", description,
                           tacho_operation_to_string (TACHO_OP_PULL_MODEL));
    }
  end (task, error);
}

/**
 * tacho_model_service_pull_async:
 * @self: a service
 * @pull: which model; follows the server's progress
 * @cancellable: (nullable): stops it, on the server too where it can
 * @callback: called once
 * @user_data: for @callback
 *
 * Has the server fetch a model from its registry, and brings the list up to date when it is there.
 */
void
tacho_model_service_pull_async (TachoModelService *self,
                                TachoModelPull *pull,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  GTask *task;
  Run *run;

  g_return_if_fail (TACHO_IS_MODEL_SERVICE (self));
  g_return_if_fail (TACHO_IS_MODEL_PULL (pull));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, tacho_model_service_pull_async);
  g_task_set_check_cancellable (task, FALSE);
  run = g_new0 (Run, 1);
  run->pull = g_object_ref (pull);
  run->parser = tacho_ndjson_parser_new ();
  tacho_ndjson_parser_set_limit (run->parser, MAX_LINE);
  g_task_set_task_data (task, run, run_free);
  tacho_model_service_push_busy (self);
  tacho_client_manager_ensure_async (tacho_model_service_get_manager (self), cancellable,
                                     ensured_cb, task);
}

/**
 * tacho_model_service_pull_finish:
 * @self: a service
 * @result: the result
 * @error: return location
 *
 * Returns: %TRUE if the model is there; or %FALSE with a `TACHO_ERROR`: %TACHO_ERROR_IN_BAND has
 *   the server's reason, %TACHO_ERROR_TRUNCATED means that it ended without saying how,
 *   %TACHO_ERROR_UNSUPPORTED that it fetches nothing on order
 */
gboolean
tacho_model_service_pull_finish (TachoModelService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}
