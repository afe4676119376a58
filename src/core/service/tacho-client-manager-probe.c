/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A round of probes: every side at once, shared by all who ask. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-client-manager-state-private.h"

#include "base/tacho-error.h"

/* The side that is preferred may need a little longer than the one that is not. */
#define GRACE_MS 1000

TachoEndpoint *
tacho_client_manager_peek (TachoClientManager *self, guint index)
{
  TachoEndpoint *endpoint = g_list_model_get_item (G_LIST_MODEL (self->endpoints), index);

  if (endpoint != NULL)
    g_object_unref (endpoint); /* the list holds it */
  return endpoint;
}

void
tacho_client_manager_end_round (TachoClientManager *self, const GError *error)
{
  g_autoptr (GPtrArray) waiters = g_steal_pointer (&self->waiters);

  self->waiters = g_ptr_array_new_with_free_func (g_object_unref);
  g_clear_pointer (&self->grace, tacho_client_manager_destroy_source);
  g_clear_object (&self->round_cancellable);
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

/* Why no side could be used: of one its own words, of two both. */
static GError *
round_error (TachoClientManager *self)
{
  TachoEndpoint *first = tacho_client_manager_peek (self, 0);
  TachoEndpoint *second = tacho_client_manager_peek (self, 1);
  const GError *a = tacho_endpoint_get_last_error (first);
  const GError *b = second != NULL ? tacho_endpoint_get_last_error (second) : NULL;

  if (a != NULL && b != NULL)
    return g_error_new (
        a->domain, tacho_error_is_unreachable (a) ? b->code : a->code, "%s: %s; %s: %s",
        tacho_protocol_to_string (tacho_endpoint_get_protocol (first)), a->message,
        tacho_protocol_to_string (tacho_endpoint_get_protocol (second)), b->message);
  if (a != NULL || b != NULL)
    return g_error_copy (a != NULL ? a : b);
  return g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "Cancelled");
}

static gboolean
grace_cb (gpointer user_data)
{
  g_autoptr (TachoClientManager) self = g_object_ref (user_data);

  tacho_client_manager_end_round (self, NULL);
  return G_SOURCE_REMOVE;
}

typedef struct
{
  TachoClientManager *manager;
  GCancellable *round;
} Probed;

static void
probed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Probed *probed = user_data;
  g_autoptr (TachoClientManager) self = probed->manager;
  g_autoptr (GCancellable) round = probed->round;
  g_autoptr (GError) error = NULL;
  gboolean found = tacho_endpoint_probe_finish (TACHO_ENDPOINT (source), result, &error);

  g_free (probed);
  if (round != self->round_cancellable)
    return; /* that round is over */
  self->n_probing--;
  self->round_found = self->round_found || found;
  if (self->n_probing == 0 && !self->round_found)
    {
      g_autoptr (GError) reason = NULL;

      /* An error of the profile itself never reaches an endpoint's state. */
      if (g_error_matches (error, TACHO_ERROR, TACHO_ERROR_CANCELLED) ||
          g_error_matches (error, TACHO_ERROR, TACHO_ERROR_INVALID))
        reason = g_error_copy (error);
      else
        reason = round_error (self);
      tacho_client_manager_end_round (self, reason);
    }
  else if (self->n_probing == 0)
    tacho_client_manager_end_round (self, NULL);
  else if (self->round_found && self->grace == NULL)
    {
      self->grace = g_timeout_source_new (GRACE_MS);
      g_source_set_callback (self->grace, grace_cb, self, NULL);
      g_source_attach (self->grace, g_main_context_get_thread_default ());
    }
}

static gboolean
waiter_cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (user_data);
  g_autoptr (TachoClientManager) self = g_object_ref (g_task_get_source_object (task));

  if (!g_ptr_array_remove (self->waiters, task))
    return G_SOURCE_REMOVE;
  g_task_return_new_error (task, TACHO_ERROR, TACHO_ERROR_CANCELLED, "Cancelled");
  if (self->waiters->len == 0 && self->round_cancellable != NULL)
    {
      g_autoptr (GCancellable) round = g_steal_pointer (&self->round_cancellable);

      g_clear_pointer (&self->grace, tacho_client_manager_destroy_source);
      g_cancellable_cancel (round);
    }
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
 * @cancellable: (nullable): gives up; the probes themselves end when all their callers gave up
 * @callback: called once
 * @user_data: for @callback
 *
 * Finds out which API each side of the server speaks and how it is, all sides at once. Connecting
 * may take 5 s, all of it 10 s; once one side has answered, the others are given one second more.
 */
void
tacho_client_manager_probe_async (TachoClientManager *self,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  guint n = 0;

  g_return_if_fail (TACHO_IS_CLIENT_MANAGER (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, tacho_client_manager_probe_async);
  add_waiter (self, task);
  if (self->round_cancellable != NULL)
    return;
  self->round_cancellable = g_cancellable_new ();
  self->round_found = FALSE;
  n = g_list_model_get_n_items (G_LIST_MODEL (self->endpoints));
  self->n_probing = n;
  for (guint i = 0; i < n; i++)
    {
      Probed *probed = g_new (Probed, 1);

      probed->manager = g_object_ref (self);
      probed->round = g_object_ref (self->round_cancellable);
      tacho_endpoint_probe_async (tacho_client_manager_peek (self, i), FALSE,
                                  self->round_cancellable, probed_cb, probed);
    }
}

/**
 * tacho_client_manager_probe_finish:
 * @self: a manager
 * @result: the result
 * @error: return location
 *
 * Returns: %TRUE if the API of one side at least is known now
 */
gboolean
tacho_client_manager_probe_finish (TachoClientManager *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}
