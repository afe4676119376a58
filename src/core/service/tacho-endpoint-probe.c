/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding out what speaks at an endpoint, and later how it is; all who ask at once share one
 * probe. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-endpoint-state-private.h"

#include <math.h>
#include <string.h>

#include "base/tacho-clock.h"
#include "base/tacho-error.h"

static void probe_step (TachoEndpoint *self);

static void
return_waiters (TachoEndpoint *self, const GError *error)
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
clear_probe (TachoEndpoint *self)
{
  g_clear_pointer (&self->probe, tacho_api_probe_free);
  g_clear_object (&self->probe_cancellable);
  g_clear_error (&self->redirect);
}

void
tacho_endpoint_end_probe (TachoEndpoint *self)
{
  g_autoptr (GError) error =
      g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "The connection was closed");

  clear_probe (self);
  return_waiters (self, error);
}

static void
probe_failed (TachoEndpoint *self, const GError *error)
{
  gboolean cancelled = g_error_matches (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);

  g_object_ref (self);
  clear_probe (self);
  g_object_freeze_notify (G_OBJECT (self));
  if (!cancelled)
    {
      tacho_breaker_failed (&self->breaker, tacho_clock_now_ns ());
      tacho_endpoint_notify (self, TACHO_ENDPOINT_PROP_BREAKER);
      tacho_endpoint_set_last_error (self, error);
      tacho_endpoint_set_latency (self, NAN);
    }
  tacho_endpoint_set_state (self, cancelled ? self->state_before_probe : TACHO_ENDPOINT_DOWN);
  g_object_thaw_notify (G_OBJECT (self));
  return_waiters (self, error);
  g_object_unref (self);
}

static void
probe_decided (TachoEndpoint *self)
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
  g_free (self->version);
  self->version = g_strdup (tacho_api_probe_get_version (self->probe));
  g_strfreev (self->evidence);
  self->evidence = g_strdupv ((char **) tacho_api_probe_get_evidence (self->probe));
  self->simulated = tacho_api_probe_get_simulated (self->probe);
  self->health = tacho_api_probe_get_health (self->probe);
  self->unimplemented = 0; /* it may be another server now */
  tacho_endpoint_set_api (self, api);
  tacho_breaker_succeeded (&self->breaker);
  tacho_endpoint_notify (self, TACHO_ENDPOINT_PROP_BREAKER);
  tacho_endpoint_set_latency (self, self->probe_latency_ms);
  tacho_endpoint_set_last_error (self, NULL);
  clear_probe (self);
  tacho_endpoint_set_state (self, tacho_endpoint_state_of_health (self->health));
  g_object_thaw_notify (G_OBJECT (self));
  return_waiters (self, NULL);
  g_object_unref (self);
}

static void
probe_reply_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoEndpoint) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = NULL;
  double elapsed_ms;

  reply = tacho_transport_send_finish (TACHO_TRANSPORT (source), result, &error);
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
    self->redirect = tacho_endpoint_redirect_error (self, reply);
  tacho_api_probe_feed (self->probe, reply);
  probe_step (self);
}

static void
probe_step (TachoEndpoint *self)
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
  left_s = TACHO_ENDPOINT_PROBE_TOTAL_S -
           (double) (self->request_begin_ns - self->probe_begin_ns) / TACHO_NS_PER_S;
  if (tacho_endpoint_ensure_transport (self, &error) == NULL)
    probe_failed (self, error);
  else
    tacho_transport_send_async (self->transport, request, MAX (left_s, 0.05),
                                self->probe_cancellable, probe_reply_cb, g_object_ref (self));
}

static gboolean
waiter_cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (user_data);
  g_autoptr (TachoEndpoint) self = g_object_ref (g_task_get_source_object (task));

  if (!g_ptr_array_remove (self->waiters, task))
    return G_SOURCE_REMOVE;
  g_task_return_new_error (task, TACHO_ERROR, TACHO_ERROR_CANCELLED, "Cancelled");
  if (self->waiters->len == 0 && self->probe_cancellable != NULL)
    g_cancellable_cancel (self->probe_cancellable);
  return G_SOURCE_REMOVE;
}

static void
add_waiter (TachoEndpoint *self, GTask *task)
{
  GCancellable *cancellable = g_task_get_cancellable (task);

  g_task_set_check_cancellable (task, FALSE);
  g_ptr_array_add (self->waiters, g_object_ref (task));
  if (cancellable != NULL)
    {
      GSource *source = g_cancellable_source_new (cancellable);

      g_source_set_callback (source, G_SOURCE_FUNC (waiter_cancelled_cb), task, NULL);
      g_source_attach (source, g_main_context_get_thread_default ());
      g_task_set_task_data (task, source, tacho_endpoint_destroy_source);
    }
}

/* A profile's family is that of its REST side where gRPC has no such family. */
static TachoApiProbe *
new_probe (TachoEndpoint *self, GError **error)
{
  const char *family = tacho_profile_get_api (self->profile);

  if (self->protocol != TACHO_PROTOCOL_GRPC)
    return tacho_api_probe_new (family, error);
  if (strcmp (family, "oip") != 0 && strcmp (family, "ryzanstein") != 0)
    family = "auto";
  return tacho_api_probe_new_grpc (family, error);
}

void
tacho_endpoint_probe_async (TachoEndpoint *self,
                            gboolean quiet,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  GError *error = NULL;

  g_task_set_source_tag (task, tacho_endpoint_probe_async);
  if (self->probe != NULL && !g_cancellable_is_cancelled (self->probe_cancellable))
    {
      add_waiter (self, task);
      if (!quiet)
        tacho_endpoint_set_state (self, TACHO_ENDPOINT_PROBING);
      return;
    }
  clear_probe (self);
  self->probe = new_probe (self, &error);
  if (self->probe == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  add_waiter (self, task);
  self->probe_cancellable = g_cancellable_new ();
  self->probe_begin_ns = tacho_clock_now_ns ();
  self->probe_latency_ms = NAN;
  if (self->state != TACHO_ENDPOINT_PROBING)
    self->state_before_probe = self->state;
  if (!quiet)
    tacho_endpoint_set_state (self, TACHO_ENDPOINT_PROBING);
  probe_step (self);
}

gboolean
tacho_endpoint_probe_finish (TachoEndpoint *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* --- health --- */

static gboolean
read_health (TachoEndpoint *self, const TachoHttpReply *reply, TachoHealth *health)
{
  g_autoptr (GPtrArray) models = NULL;

  if (tacho_api_supports (self->api, TACHO_OP_HEALTH))
    return tacho_api_parse_health (self->api, reply, health, NULL);
  models = tacho_api_parse_models (self->api, reply, NULL);
  *health = TACHO_HEALTH_OK;
  return models != NULL;
}

static void
health_failed (TachoEndpoint *self, const GError *error)
{
  tacho_breaker_failed (&self->breaker, tacho_clock_now_ns ());
  tacho_endpoint_notify (self, TACHO_ENDPOINT_PROP_BREAKER);
  tacho_endpoint_set_last_error (self, error);
  tacho_endpoint_set_latency (self, NAN);
  tacho_endpoint_set_state (self, self->state == TACHO_ENDPOINT_FAILING ? TACHO_ENDPOINT_DOWN
                                                                        : TACHO_ENDPOINT_FAILING);
}

static void
health_reply_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoEndpoint) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = NULL;
  TachoHealth health;

  reply = tacho_transport_send_finish (TACHO_TRANSPORT (source), result, &error);
  if (g_task_get_cancellable (G_TASK (result)) != self->poll_cancellable)
    return;
  g_clear_object (&self->poll_cancellable);
  if (self->api == NULL || self->probe != NULL)
    return;
  g_object_freeze_notify (G_OBJECT (self));
  if (reply == NULL && !g_error_matches (error, TACHO_ERROR, TACHO_ERROR_CANCELLED))
    health_failed (self, error);
  else if (reply != NULL)
    {
      tacho_endpoint_set_latency (self, (double) (tacho_clock_now_ns () - self->request_begin_ns) /
                                            TACHO_NS_PER_MS);
      if (!read_health (self, reply, &health))
        health = TACHO_HEALTH_UNHEALTHY;
      self->health = health;
      if (health != TACHO_HEALTH_UNHEALTHY)
        {
          tacho_breaker_succeeded (&self->breaker);
          tacho_endpoint_notify (self, TACHO_ENDPOINT_PROP_BREAKER);
          tacho_endpoint_set_last_error (self, NULL);
        }
      tacho_endpoint_set_state (self, tacho_endpoint_state_of_health (health));
    }
  g_object_thaw_notify (G_OBJECT (self));
}

void
tacho_endpoint_check (TachoEndpoint *self)
{
  g_autoptr (TachoHttpRequest) request = NULL;
  TachoOperation operation;

  if (self->probe != NULL || self->poll_cancellable != NULL)
    return;
  /* What comes back after an absence may be another server. */
  if (self->api == NULL || self->state == TACHO_ENDPOINT_DOWN)
    {
      tacho_endpoint_probe_async (self, TRUE, NULL, NULL, NULL);
      return;
    }
  operation =
      tacho_api_supports (self->api, TACHO_OP_HEALTH) ? TACHO_OP_HEALTH : TACHO_OP_LIST_MODELS;
  request = tacho_api_build (self->api, operation, NULL, NULL);
  if (request == NULL || tacho_endpoint_ensure_transport (self, NULL) == NULL)
    return;
  self->poll_cancellable = g_cancellable_new ();
  self->request_begin_ns = tacho_clock_now_ns ();
  tacho_transport_send_async (self->transport, request, TACHO_ENDPOINT_PROBE_TOTAL_S,
                              self->poll_cancellable, health_reply_cb, g_object_ref (self));
}
