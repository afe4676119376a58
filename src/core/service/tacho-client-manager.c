/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The live endpoint of a profile: which API, in what state, and every operation's way to it. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-client-manager-private.h"

#include "api/tacho-api-probe.h"
#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "base/tacho-text.h"

#include <math.h>

#define PROBE_TOTAL_S 10.0

struct _TachoClientManager
{
  GObject parent_instance;

  TachoProfile *profile;
  TachoHttpClient *http;
  TachoHttpCounters past; /* of the clients before this one */

  TachoConnectionState state;
  TachoApi *api;
  char *description;
  char *version;
  char **evidence;
  gboolean simulated;
  double latency_ms;
  TachoHealth health;
  GError *last_error;

  /* The probe that runs, if any; all callers share it. */
  TachoApiProbe *probe;
  GCancellable *probe_cancellable;
  GPtrArray *waiters; /* of GTask */
  gint64 probe_begin_ns;
  gint64 request_begin_ns;
  double probe_latency_ms;
  GError *redirect; /* what a 3xx said, if one came */
  TachoConnectionState state_before_probe;
  gboolean quiet; /* the watch looks whether an offline server is back: no PROBING to be seen */

  GSource *watch_source;
  GCancellable *poll_cancellable; /* a health request is under way */
};

G_DEFINE_FINAL_TYPE (TachoClientManager, tacho_client_manager, G_TYPE_OBJECT)

G_DEFINE_ENUM_TYPE (TachoConnectionState,
                    tacho_connection_state,
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_DISCONNECTED, "disconnected"),
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_PROBING, "probing"),
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_CONNECTED, "connected"),
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_LOADING, "loading"),
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_DEGRADED, "degraded"),
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_OFFLINE, "offline"))

enum
{
  PROP_0,
  PROP_STATE,
  PROP_API,
  PROP_API_FAMILY,
  PROP_DESCRIPTION,
  PROP_VERSION,
  PROP_SIMULATED,
  PROP_LATENCY_MS,
  PROP_LAST_ERROR,
  PROP_ENDPOINT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static void probe_step (TachoClientManager *self);

static void
notify (TachoClientManager *self, guint property)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

static void
set_state (TachoClientManager *self, TachoConnectionState state)
{
  if (self->state == state)
    return;
  self->state = state;
  notify (self, PROP_STATE);
}

static void
set_last_error (TachoClientManager *self, const GError *error)
{
  if (self->last_error == NULL && error == NULL)
    return;
  if (self->last_error != NULL && error != NULL &&
      g_error_matches (error, self->last_error->domain, self->last_error->code) &&
      g_str_equal (error->message, self->last_error->message))
    return;
  g_clear_error (&self->last_error);
  self->last_error = error != NULL ? g_error_copy (error) : NULL;
  notify (self, PROP_LAST_ERROR);
}

static void
set_latency (TachoClientManager *self, double latency_ms)
{
  if (isnan (latency_ms) && isnan (self->latency_ms))
    return;
  self->latency_ms = latency_ms;
  notify (self, PROP_LATENCY_MS);
}

static void
set_string (TachoClientManager *self, char **field, const char *value, guint property)
{
  if (g_strcmp0 (*field, value) == 0)
    return;
  g_free (*field);
  *field = g_strdup (value);
  notify (self, property);
}

static void
set_api (TachoClientManager *self, TachoApi *api)
{
  g_autofree char *description = NULL;

  if (!g_set_object (&self->api, api))
    return;
  description = api != NULL ? tacho_api_describe (api) : NULL;
  notify (self, PROP_API);
  notify (self, PROP_API_FAMILY);
  set_string (self, &self->description, description, PROP_DESCRIPTION);
}

static TachoConnectionState
state_of_health (TachoHealth health)
{
  switch (health)
    {
    case TACHO_HEALTH_OK:
      return TACHO_CONNECTION_CONNECTED;
    case TACHO_HEALTH_LOADING:
      return TACHO_CONNECTION_LOADING;
    case TACHO_HEALTH_UNHEALTHY:
    default:
      return TACHO_CONNECTION_DEGRADED;
    }
}

/* The client that belongs to the endpoint of now. */
static TachoHttpClient *
ensure_http (TachoClientManager *self, GError **error)
{
  TachoHttpOptions options = {
    .base_url = tacho_profile_get_endpoint (self->profile),
    .bearer = tacho_profile_get_api_key (self->profile),
    .headers = tacho_profile_get_headers (self->profile),
    .ca_file = tacho_profile_get_ca_file (self->profile),
    .timeout_connect = tacho_profile_get_timeout (self->profile, TACHO_TIMEOUT_CONNECT),
    .timeout_first = tacho_profile_get_timeout (self->profile, TACHO_TIMEOUT_FIRST),
    .timeout_idle = tacho_profile_get_timeout (self->profile, TACHO_TIMEOUT_IDLE),
    .timeout_total = tacho_profile_get_timeout (self->profile, TACHO_TIMEOUT_TOTAL),
  };

  if (self->http == NULL && options.base_url == NULL)
    g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                         "The built-in simulated server of this profile is not running");
  else if (self->http == NULL)
    self->http = tacho_http_client_new (&options, error);
  return self->http;
}

static void
drop_http (TachoClientManager *self)
{
  TachoHttpCounters counters;

  if (self->http == NULL)
    return;
  tacho_http_client_close (self->http);
  tacho_http_client_get_counters (self->http, &counters);
  self->past.requests += counters.requests;
  self->past.created += counters.created;
  self->past.reused += counters.reused;
  self->past.failed += counters.failed;
  self->past.bytes_received += counters.bytes_received;
  g_clear_object (&self->http);
}

/* Did this fail on the way, rather than by the server's own answer? */
static gboolean
is_transport_error (const GError *error)
{
  if (error->domain != TACHO_ERROR)
    return FALSE;
  return error->code < TACHO_ERROR_HTTP_4XX || error->code == TACHO_ERROR_TRUNCATED ||
         error->code == TACHO_ERROR_PROTOCOL;
}

/* --- the probe --- */

static void
return_waiters (TachoClientManager *self, const GError *error)
{
  g_autoptr (GPtrArray) waiters = g_steal_pointer (&self->waiters);

  self->waiters = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < waiters->len; i++)
    {
      GTask *task = g_ptr_array_index (waiters, i);
      GSource *source = g_task_get_task_data (task);

      if (source != NULL)
        g_source_destroy (source);
      if (error != NULL)
        g_task_return_error (task, g_error_copy (error));
      else
        g_task_return_boolean (task, TRUE);
    }
}

static void
clear_probe (TachoClientManager *self)
{
  g_clear_pointer (&self->probe, tacho_api_probe_free);
  g_clear_object (&self->probe_cancellable);
  g_clear_error (&self->redirect);
}

static void
probe_failed (TachoClientManager *self, const GError *error)
{
  gboolean cancelled = g_error_matches (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);

  g_object_ref (self);
  clear_probe (self);
  g_object_freeze_notify (G_OBJECT (self));
  if (!cancelled)
    {
      set_last_error (self, error);
      set_latency (self, NAN);
    }
  set_state (self, cancelled ? self->state_before_probe : TACHO_CONNECTION_OFFLINE);
  g_object_thaw_notify (G_OBJECT (self));
  return_waiters (self, error);
  g_object_unref (self);
}

static void
probe_decided (TachoClientManager *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoApi) api = tacho_api_probe_finish (self->probe, &error);

  if (api == NULL)
    {
      g_autoptr (GError) redirect = g_steal_pointer (&self->redirect);

      probe_failed (self, redirect != NULL ? redirect : error);
      return;
    }
  g_object_ref (self);
  g_object_freeze_notify (G_OBJECT (self));
  set_api (self, api);
  set_string (self, &self->version, tacho_api_probe_get_version (self->probe), PROP_VERSION);
  g_strfreev (self->evidence);
  self->evidence = g_strdupv ((char **) tacho_api_probe_get_evidence (self->probe));
  if (self->simulated != tacho_api_probe_get_simulated (self->probe))
    {
      self->simulated = !self->simulated;
      notify (self, PROP_SIMULATED);
    }
  self->health = tacho_api_probe_get_health (self->probe);
  set_latency (self, self->probe_latency_ms);
  set_last_error (self, NULL);
  set_state (self, state_of_health (self->health));
  clear_probe (self);
  g_object_thaw_notify (G_OBJECT (self));
  return_waiters (self, NULL);
  g_object_unref (self);
}

static void
probe_reply_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoClientManager) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = NULL;
  double elapsed_ms;

  reply = tacho_http_client_send_finish (TACHO_HTTP_CLIENT (source), result, &error);
  /* Closed meanwhile, or everyone gave up and another probe has begun. */
  if (self->probe == NULL || g_task_get_cancellable (G_TASK (result)) != self->probe_cancellable)
    return;
  if (reply == NULL)
    {
      probe_failed (self, error);
      return;
    }
  /* The first reply also paid for the connection; the quickest is the way there and back. */
  elapsed_ms = (double) (tacho_clock_now_ns () - self->request_begin_ns) / TACHO_NS_PER_MS;
  if (isnan (self->probe_latency_ms) || elapsed_ms < self->probe_latency_ms)
    self->probe_latency_ms = elapsed_ms;
  if (self->redirect == NULL)
    self->redirect = tacho_client_manager_redirect_error (self, reply);
  tacho_api_probe_feed (self->probe, reply);
  probe_step (self);
}

static void
probe_step (TachoClientManager *self)
{
  g_autoptr (TachoHttpRequest) request = tacho_api_probe_next (self->probe);
  g_autoptr (GError) error = NULL;
  double left_s;

  if (request == NULL)
    {
      probe_decided (self);
      return;
    }
  self->request_begin_ns = tacho_clock_now_ns ();
  left_s =
      PROBE_TOTAL_S - (double) (self->request_begin_ns - self->probe_begin_ns) / TACHO_NS_PER_S;
  if (ensure_http (self, &error) == NULL)
    probe_failed (self, error);
  else
    tacho_http_client_send_async (self->http, request, MAX (left_s, 0.05), self->probe_cancellable,
                                  probe_reply_cb, g_object_ref (self));
}

static gboolean
waiter_cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (user_data);
  g_autoptr (TachoClientManager) self = g_object_ref (g_task_get_source_object (task));

  if (!g_ptr_array_remove (self->waiters, task))
    return G_SOURCE_REMOVE;
  g_task_return_new_error (task, TACHO_ERROR, TACHO_ERROR_CANCELLED, "Cancelled");
  if (self->waiters->len == 0 && self->probe_cancellable != NULL)
    g_cancellable_cancel (self->probe_cancellable);
  return G_SOURCE_REMOVE;
}

static void
destroy_source (gpointer data)
{
  g_source_destroy (data);
  g_source_unref (data);
}

static void
add_waiter (TachoClientManager *self, GTask *task)
{
  GCancellable *cancellable = g_task_get_cancellable (task);

  g_task_set_check_cancellable (task, FALSE);
  g_ptr_array_add (self->waiters, g_object_ref (task));
  if (cancellable != NULL)
    {
      GSource *source = g_cancellable_source_new (cancellable);

      g_source_set_callback (source, G_SOURCE_FUNC (waiter_cancelled_cb), task, NULL);
      g_source_attach (source, g_main_context_get_thread_default ());
      g_task_set_task_data (task, source, destroy_source);
    }
}

/**
 * tacho_client_manager_probe_async:
 * @self: a manager
 * @cancellable: (nullable): gives up; the probe itself ends when all its callers gave up
 * @callback: called once
 * @user_data: for @callback
 *
 * Finds out which API the server speaks and how it is. Connecting may take 5 s, all of it 10 s.
 */
void
tacho_client_manager_probe_async (TachoClientManager *self,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  GError *error = NULL;

  g_return_if_fail (TACHO_IS_CLIENT_MANAGER (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, tacho_client_manager_probe_async);
  if (self->probe != NULL && !g_cancellable_is_cancelled (self->probe_cancellable))
    {
      add_waiter (self, task);
      if (!self->quiet)
        set_state (self, TACHO_CONNECTION_PROBING);
      return;
    }
  clear_probe (self);
  self->probe = tacho_api_probe_new (tacho_profile_get_api (self->profile), &error);
  if (self->probe == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  add_waiter (self, task);
  self->probe_cancellable = g_cancellable_new ();
  self->probe_begin_ns = tacho_clock_now_ns ();
  self->probe_latency_ms = NAN;
  if (self->state != TACHO_CONNECTION_PROBING)
    self->state_before_probe = self->state;
  if (!self->quiet)
    set_state (self, TACHO_CONNECTION_PROBING);
  probe_step (self);
}

/**
 * tacho_client_manager_probe_finish:
 * @self: a manager
 * @result: the result
 * @error: return location
 *
 * Returns: %TRUE if the API is known now
 */
gboolean
tacho_client_manager_probe_finish (TachoClientManager *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

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
  if (call->request == NULL || ensure_http (self, &error) == NULL)
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

/* --- health --- */

static void poll_health (TachoClientManager *self);

void
tacho_client_manager_note (TachoClientManager *self, const GError *error)
{
  if (error != NULL && !is_transport_error (error))
    return;
  g_object_ref (self);
  g_object_freeze_notify (G_OBJECT (self));
  set_last_error (self, error);
  if (self->probe == NULL)
    {
      if (error == NULL &&
          (self->state == TACHO_CONNECTION_DEGRADED || self->state == TACHO_CONNECTION_OFFLINE))
        set_state (self, TACHO_CONNECTION_CONNECTED);
      else if (error != NULL && (self->state == TACHO_CONNECTION_CONNECTED ||
                                 self->state == TACHO_CONNECTION_LOADING))
        {
          set_state (self, TACHO_CONNECTION_DEGRADED);
          if (self->watch_source != NULL)
            poll_health (self); /* is it the server, or was it that one operation? */
        }
      else if (error != NULL && self->state == TACHO_CONNECTION_DEGRADED)
        set_state (self, TACHO_CONNECTION_OFFLINE);
    }
  g_object_thaw_notify (G_OBJECT (self));
  g_object_unref (self);
}

static gboolean
read_health (TachoClientManager *self, const TachoHttpReply *reply, TachoHealth *health)
{
  g_autoptr (GPtrArray) models = NULL;

  if (tacho_api_supports (self->api, TACHO_OP_HEALTH))
    return tacho_api_parse_health (self->api, reply, health, NULL);
  models = tacho_api_parse_models (self->api, reply, NULL);
  *health = TACHO_HEALTH_OK;
  return models != NULL;
}

static void
health_reply_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoClientManager) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = NULL;
  TachoHealth health;

  reply = tacho_http_client_send_finish (TACHO_HTTP_CLIENT (source), result, &error);
  if (g_task_get_cancellable (G_TASK (result)) != self->poll_cancellable)
    return;
  g_clear_object (&self->poll_cancellable);
  if (self->api == NULL || self->probe != NULL)
    return;
  g_object_freeze_notify (G_OBJECT (self));
  if (reply == NULL && !g_error_matches (error, TACHO_ERROR, TACHO_ERROR_CANCELLED))
    {
      set_last_error (self, error);
      set_latency (self, NAN);
      set_state (self, self->state == TACHO_CONNECTION_DEGRADED ? TACHO_CONNECTION_OFFLINE
                                                                : TACHO_CONNECTION_DEGRADED);
    }
  else if (reply != NULL)
    {
      set_latency (self,
                   (double) (tacho_clock_now_ns () - self->request_begin_ns) / TACHO_NS_PER_MS);
      if (!read_health (self, reply, &health))
        health = TACHO_HEALTH_UNHEALTHY;
      self->health = health;
      if (health != TACHO_HEALTH_UNHEALTHY)
        set_last_error (self, NULL);
      set_state (self, state_of_health (health));
    }
  g_object_thaw_notify (G_OBJECT (self));
}

static void
poll_health (TachoClientManager *self)
{
  g_autoptr (TachoHttpRequest) request = NULL;
  TachoOperation operation;

  if (self->probe != NULL || self->poll_cancellable != NULL)
    return;
  /* What comes back after an absence may be another server. */
  if (self->api == NULL || self->state == TACHO_CONNECTION_OFFLINE)
    {
      self->quiet = TRUE;
      tacho_client_manager_probe_async (self, NULL, NULL, NULL);
      self->quiet = FALSE;
      return;
    }
  operation =
      tacho_api_supports (self->api, TACHO_OP_HEALTH) ? TACHO_OP_HEALTH : TACHO_OP_LIST_MODELS;
  request = tacho_api_build (self->api, operation, NULL, NULL);
  if (request == NULL || ensure_http (self, NULL) == NULL)
    return;
  self->poll_cancellable = g_cancellable_new ();
  self->request_begin_ns = tacho_clock_now_ns ();
  tacho_http_client_send_async (self->http, request, PROBE_TOTAL_S, self->poll_cancellable,
                                health_reply_cb, g_object_ref (self));
}

static gboolean
watch_cb (gpointer user_data)
{
  poll_health (user_data);
  return G_SOURCE_CONTINUE;
}

/**
 * tacho_client_manager_watch:
 * @self: a manager
 * @seconds: how often to ask for the server's health; 0 stops
 *
 * Keeps the state true while nothing else is asked of the server: a server that was loading becomes
 * connected, one that went away is offline and found again.
 */
void
tacho_client_manager_watch (TachoClientManager *self, guint seconds)
{
  g_return_if_fail (TACHO_IS_CLIENT_MANAGER (self));

  g_clear_pointer (&self->watch_source, destroy_source);
  if (seconds == 0)
    return;
  self->watch_source = g_timeout_source_new_seconds (seconds);
  g_source_set_callback (self->watch_source, watch_cb, self, NULL);
  g_source_attach (self->watch_source, g_main_context_get_thread_default ());
}

/* --- object --- */

static void
forget_server (TachoClientManager *self)
{
  g_object_freeze_notify (G_OBJECT (self));
  set_api (self, NULL);
  set_string (self, &self->version, NULL, PROP_VERSION);
  g_clear_pointer (&self->evidence, g_strfreev);
  if (self->simulated)
    {
      self->simulated = FALSE;
      notify (self, PROP_SIMULATED);
    }
  set_latency (self, NAN);
  set_state (self, TACHO_CONNECTION_DISCONNECTED);
  g_object_thaw_notify (G_OBJECT (self));
}

static void
end_traffic (TachoClientManager *self)
{
  g_autoptr (GError) error =
      g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "The connection was closed");

  clear_probe (self);
  g_clear_object (&self->poll_cancellable);
  drop_http (self);
  return_waiters (self, error);
}

static void
endpoint_cb (TachoClientManager *self)
{
  g_object_ref (self);
  end_traffic (self);
  forget_server (self);
  notify (self, PROP_ENDPOINT);
  g_object_unref (self);
}

/**
 * tacho_client_manager_close:
 * @self: a manager
 *
 * Ends all that runs, closes every connection and forgets the server. May be called twice; a later
 * operation connects anew.
 */
void
tacho_client_manager_close (TachoClientManager *self)
{
  g_return_if_fail (TACHO_IS_CLIENT_MANAGER (self));

  g_object_ref (self);
  tacho_client_manager_watch (self, 0);
  end_traffic (self);
  forget_server (self);
  g_object_unref (self);
}

static void
tacho_client_manager_dispose (GObject *object)
{
  TachoClientManager *self = TACHO_CLIENT_MANAGER (object);

  if (self->profile != NULL)
    tacho_client_manager_close (self);
  g_clear_object (&self->profile);

  G_OBJECT_CLASS (tacho_client_manager_parent_class)->dispose (object);
}

static void
tacho_client_manager_finalize (GObject *object)
{
  TachoClientManager *self = TACHO_CLIENT_MANAGER (object);

  g_ptr_array_unref (self->waiters);
  g_clear_object (&self->api);
  g_free (self->description);
  g_free (self->version);
  g_strfreev (self->evidence);
  g_clear_error (&self->last_error);

  G_OBJECT_CLASS (tacho_client_manager_parent_class)->finalize (object);
}

static void
tacho_client_manager_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  TachoClientManager *self = TACHO_CLIENT_MANAGER (object);

  switch (prop_id)
    {
    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    case PROP_API:
      g_value_set_object (value, self->api);
      break;
    case PROP_API_FAMILY:
      g_value_set_string (value, self->api != NULL ? tacho_api_get_family (self->api) : NULL);
      break;
    case PROP_DESCRIPTION:
      g_value_set_string (value, self->description);
      break;
    case PROP_VERSION:
      g_value_set_string (value, self->version);
      break;
    case PROP_SIMULATED:
      g_value_set_boolean (value, self->simulated);
      break;
    case PROP_LATENCY_MS:
      g_value_set_double (value, self->latency_ms);
      break;
    case PROP_LAST_ERROR:
      g_value_set_boxed (value, self->last_error);
      break;
    case PROP_ENDPOINT:
      g_value_set_string (value, tacho_profile_get_endpoint (self->profile));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tacho_client_manager_class_init (TachoClientManagerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->dispose = tacho_client_manager_dispose;
  object_class->finalize = tacho_client_manager_finalize;
  object_class->get_property = tacho_client_manager_get_property;

  properties[PROP_STATE] = g_param_spec_enum ("state", NULL, NULL, TACHO_TYPE_CONNECTION_STATE,
                                              TACHO_CONNECTION_DISCONNECTED, flags);
  properties[PROP_API] = g_param_spec_object ("api", NULL, NULL, TACHO_TYPE_API, flags);
  properties[PROP_API_FAMILY] = g_param_spec_string ("api-family", NULL, NULL, NULL, flags);
  properties[PROP_DESCRIPTION] = g_param_spec_string ("description", NULL, NULL, NULL, flags);
  properties[PROP_VERSION] = g_param_spec_string ("version", NULL, NULL, NULL, flags);
  properties[PROP_SIMULATED] = g_param_spec_boolean ("simulated", NULL, NULL, FALSE, flags);
  properties[PROP_LATENCY_MS] =
      g_param_spec_double ("latency-ms", NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE, 0, flags);
  properties[PROP_LAST_ERROR] = g_param_spec_boxed ("last-error", NULL, NULL, G_TYPE_ERROR, flags);
  properties[PROP_ENDPOINT] = g_param_spec_string ("endpoint", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
tacho_client_manager_init (TachoClientManager *self)
{
  self->latency_ms = NAN;
  self->probe_latency_ms = NAN;
  self->waiters = g_ptr_array_new_with_free_func (g_object_unref);
}

/**
 * tacho_client_manager_new:
 * @profile: whose server this is
 *
 * Nothing is sent until something is asked.
 *
 * Returns: (transfer full): a manager in state %TACHO_CONNECTION_DISCONNECTED
 */
TachoClientManager *
tacho_client_manager_new (TachoProfile *profile)
{
  TachoClientManager *self;

  g_return_val_if_fail (TACHO_IS_PROFILE (profile), NULL);

  self = g_object_new (TACHO_TYPE_CLIENT_MANAGER, NULL);
  self->profile = g_object_ref (profile);
  g_signal_connect_object (profile, "notify::endpoint", G_CALLBACK (endpoint_cb), self,
                           G_CONNECT_SWAPPED);
  return self;
}

/**
 * tacho_client_manager_get_profile:
 * @self: a manager
 *
 * Returns: (transfer none): the profile whose server this is
 */
TachoProfile *
tacho_client_manager_get_profile (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);
  return self->profile;
}

/**
 * tacho_client_manager_get_state:
 * @self: a manager
 *
 * Returns: how the server was when it was last heard of
 */
TachoConnectionState
tacho_client_manager_get_state (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), TACHO_CONNECTION_DISCONNECTED);
  return self->state;
}

/**
 * tacho_client_manager_get_api:
 * @self: a manager
 *
 * Returns: (transfer none) (nullable): the API that the server speaks, %NULL until a probe found
 *   out
 */
TachoApi *
tacho_client_manager_get_api (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);
  return self->api;
}

/**
 * tacho_client_manager_get_version:
 * @self: a manager
 *
 * Returns: (transfer none) (nullable): the version that the server names, %NULL if it names none
 */
const char *
tacho_client_manager_get_version (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);
  return self->version;
}

/**
 * tacho_client_manager_get_description:
 * @self: a manager
 *
 * Returns: (transfer none) (nullable): the server in words, as “llama.cpp server, router”; %NULL
 *   until a probe found out
 */
const char *
tacho_client_manager_get_description (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);
  return self->description;
}

/**
 * tacho_client_manager_get_evidence:
 * @self: a manager
 *
 * Returns: (transfer none) (array zero-terminated=1): what the verdict on the API rests on, a line
 *   a finding; empty until a probe found out
 */
const char *const *
tacho_client_manager_get_evidence (TachoClientManager *self)
{
  static const char *const none[] = { NULL };

  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), none);
  return self->evidence != NULL ? (const char *const *) self->evidence : none;
}

/**
 * tacho_client_manager_get_simulated:
 * @self: a manager
 *
 * Returns: %TRUE if the server says that it is simulated
 */
gboolean
tacho_client_manager_get_simulated (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), FALSE);
  return self->simulated;
}

/**
 * tacho_client_manager_get_latency_ms:
 * @self: a manager
 *
 * The probe takes its quickest exchange, as the first one also pays for the connection; later it is
 * the last health request.
 *
 * Returns: milliseconds from a request to its whole reply; NaN if not known
 */
double
tacho_client_manager_get_latency_ms (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NAN);
  return self->latency_ms;
}

/**
 * tacho_client_manager_get_last_error:
 * @self: a manager
 *
 * Returns: (transfer none) (nullable): why the last exchange failed on the way; %NULL once one went
 *   well
 */
const GError *
tacho_client_manager_get_last_error (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);
  return self->last_error;
}

/**
 * tacho_client_manager_get_health:
 * @self: a manager
 *
 * Returns: what the server last said of its health; meaningful once a probe found the API
 */
TachoHealth
tacho_client_manager_get_health (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), TACHO_HEALTH_UNHEALTHY);
  return self->health;
}

/**
 * tacho_client_manager_get_counters:
 * @self: a manager
 * @counters: (out): requests and connections since the manager was made
 */
void
tacho_client_manager_get_counters (TachoClientManager *self, TachoHttpCounters *counters)
{
  g_return_if_fail (TACHO_IS_CLIENT_MANAGER (self));
  g_return_if_fail (counters != NULL);

  memset (counters, 0, sizeof *counters);
  if (self->http != NULL)
    tacho_http_client_get_counters (self->http, counters);
  counters->requests += self->past.requests;
  counters->created += self->past.created;
  counters->reused += self->past.reused;
  counters->failed += self->past.failed;
  counters->bytes_received += self->past.bytes_received;
}

/**
 * tacho_client_manager_get_http:
 * @self: a manager
 *
 * Returns: (transfer none) (nullable): the client of the endpoint; %NULL if there is no endpoint
 */
TachoHttpClient *
tacho_client_manager_get_http (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);
  return ensure_http (self, NULL);
}

/**
 * tacho_connection_state_to_string:
 * @state: a state
 *
 * Returns: (transfer none): its name as scripts see it, never translated; `unknown` for no state
 */
const char *
tacho_connection_state_to_string (TachoConnectionState state)
{
  static const char *const names[] = { "disconnected", "probing",  "connected",
                                       "loading",      "degraded", "offline" };

  return (guint) state < G_N_ELEMENTS (names) ? names[state] : "unknown";
}
