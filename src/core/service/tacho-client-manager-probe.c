/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding out which API the server speaks; all who ask at once share one probe. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-client-manager-state-private.h"

#include "base/tacho-clock.h"
#include "base/tacho-error.h"

#include <math.h>

static void probe_step (TachoClientManager *self);

/* --- the probe --- */

void
tacho_client_manager_return_waiters (TachoClientManager *self, const GError *error)
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

void
tacho_client_manager_clear_probe (TachoClientManager *self)
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
  tacho_client_manager_clear_probe (self);
  g_object_freeze_notify (G_OBJECT (self));
  if (!cancelled)
    {
      tacho_client_manager_set_last_error (self, error);
      tacho_client_manager_set_latency (self, NAN);
    }
  tacho_client_manager_set_state (self,
                                  cancelled ? self->state_before_probe : TACHO_CONNECTION_OFFLINE);
  g_object_thaw_notify (G_OBJECT (self));
  tacho_client_manager_return_waiters (self, error);
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
  tacho_client_manager_set_api (self, api);
  tacho_client_manager_set_string (self, &self->version, tacho_api_probe_get_version (self->probe),
                                   TACHO_CLIENT_MANAGER_PROP_VERSION);
  g_strfreev (self->evidence);
  self->evidence = g_strdupv ((char **) tacho_api_probe_get_evidence (self->probe));
  if (self->simulated != tacho_api_probe_get_simulated (self->probe))
    {
      self->simulated = !self->simulated;
      tacho_client_manager_notify (self, TACHO_CLIENT_MANAGER_PROP_SIMULATED);
    }
  self->health = tacho_api_probe_get_health (self->probe);
  tacho_client_manager_set_latency (self, self->probe_latency_ms);
  tacho_client_manager_set_last_error (self, NULL);
  tacho_client_manager_set_state (self, tacho_client_manager_state_of_health (self->health));
  tacho_client_manager_clear_probe (self);
  g_object_thaw_notify (G_OBJECT (self));
  tacho_client_manager_return_waiters (self, NULL);
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
  left_s = TACHO_CLIENT_MANAGER_PROBE_TOTAL_S -
           (double) (self->request_begin_ns - self->probe_begin_ns) / TACHO_NS_PER_S;
  if (tacho_client_manager_ensure_http (self, &error) == NULL)
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
      g_task_set_task_data (task, source, tacho_client_manager_destroy_source);
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
        tacho_client_manager_set_state (self, TACHO_CONNECTION_PROBING);
      return;
    }
  tacho_client_manager_clear_probe (self);
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
    tacho_client_manager_set_state (self, TACHO_CONNECTION_PROBING);
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
