/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keeping the state true: what operations show of the server, and its health polled. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-client-manager-state-private.h"

#include "base/tacho-clock.h"
#include "base/tacho-error.h"

#include <math.h>

/* Did this fail on the way, rather than by the server's own answer? */
static gboolean
is_transport_error (const GError *error)
{
  if (error->domain != TACHO_ERROR)
    return FALSE;
  return error->code < TACHO_ERROR_HTTP_4XX || error->code == TACHO_ERROR_TRUNCATED ||
         error->code == TACHO_ERROR_PROTOCOL;
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
  tacho_client_manager_set_last_error (self, error);
  if (self->probe == NULL)
    {
      if (error == NULL &&
          (self->state == TACHO_CONNECTION_DEGRADED || self->state == TACHO_CONNECTION_OFFLINE))
        tacho_client_manager_set_state (self, TACHO_CONNECTION_CONNECTED);
      else if (error != NULL && (self->state == TACHO_CONNECTION_CONNECTED ||
                                 self->state == TACHO_CONNECTION_LOADING))
        {
          tacho_client_manager_set_state (self, TACHO_CONNECTION_DEGRADED);
          if (self->watch_source != NULL)
            poll_health (self); /* is it the server, or was it that one operation? */
        }
      else if (error != NULL && self->state == TACHO_CONNECTION_DEGRADED)
        tacho_client_manager_set_state (self, TACHO_CONNECTION_OFFLINE);
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
      tacho_client_manager_set_last_error (self, error);
      tacho_client_manager_set_latency (self, NAN);
      tacho_client_manager_set_state (self, self->state == TACHO_CONNECTION_DEGRADED
                                                ? TACHO_CONNECTION_OFFLINE
                                                : TACHO_CONNECTION_DEGRADED);
    }
  else if (reply != NULL)
    {
      tacho_client_manager_set_latency (
          self, (double) (tacho_clock_now_ns () - self->request_begin_ns) / TACHO_NS_PER_MS);
      if (!read_health (self, reply, &health))
        health = TACHO_HEALTH_UNHEALTHY;
      self->health = health;
      if (health != TACHO_HEALTH_UNHEALTHY)
        tacho_client_manager_set_last_error (self, NULL);
      tacho_client_manager_set_state (self, tacho_client_manager_state_of_health (health));
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
  if (request == NULL || tacho_client_manager_ensure_http (self, NULL) == NULL)
    return;
  self->poll_cancellable = g_cancellable_new ();
  self->request_begin_ns = tacho_clock_now_ns ();
  tacho_http_client_send_async (self->http, request, TACHO_CLIENT_MANAGER_PROBE_TOTAL_S,
                                self->poll_cancellable, health_reply_cb, g_object_ref (self));
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

  g_clear_pointer (&self->watch_source, tacho_client_manager_destroy_source);
  if (seconds == 0)
    return;
  self->watch_source = g_timeout_source_new_seconds (seconds);
  g_source_set_callback (self->watch_source, watch_cb, self, NULL);
  g_source_attach (self->watch_source, g_main_context_get_thread_default ());
}
