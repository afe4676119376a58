/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keeping the state true: what operations show of a side, and its health polled. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-client-manager-state-private.h"

void
tacho_client_manager_note (TachoClientManager *self,
                           TachoEndpoint *endpoint,
                           const TachoFailure *failure)
{
  TachoEndpointState before = tacho_endpoint_get_state (endpoint);

  tacho_endpoint_note (endpoint, failure);
  /* Is it the server, or was it that one operation? */
  if (self->watch_source != NULL && before == TACHO_ENDPOINT_OK &&
      tacho_endpoint_get_state (endpoint) == TACHO_ENDPOINT_FAILING)
    tacho_endpoint_check (endpoint);
}

static gboolean
watch_cb (gpointer user_data)
{
  TachoClientManager *self = user_data;
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->endpoints));

  for (guint i = 0; i < n; i++)
    tacho_endpoint_check (tacho_client_manager_peek (self, i));
  return G_SOURCE_CONTINUE;
}

/**
 * tacho_client_manager_watch:
 * @self: a manager
 * @seconds: how often to ask for the health of each side; 0 stops
 *
 * Keeps the state true while nothing else is asked of the server: a server that was loading becomes
 * connected, a side that went away is found again.
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

/**
 * tacho_client_manager_get_next_look_s:
 * @self: a manager
 *
 * Returns: seconds until the health of each side is asked for again; 0 if it is not watched
 */
double
tacho_client_manager_get_next_look_s (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), 0);

  if (self->watch_source == NULL)
    return 0;
  return (double) MAX (0, g_source_get_ready_time (self->watch_source) - g_get_monotonic_time ()) /
         G_USEC_PER_SEC;
}
