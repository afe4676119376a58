/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the endpoints together mean: which serves, in what state the server is, and why. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-client-manager-state-private.h"

#include <math.h>

static const char *
side_name (TachoEndpoint *endpoint)
{
  return tacho_endpoint_get_protocol (endpoint) == TACHO_PROTOCOL_GRPC ? "gRPC" : "REST";
}

/* Where the next generation goes; no health call is begun by looking. */
TachoEndpoint *
tacho_client_manager_pick_serving (TachoClientManager *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->endpoints));
  TachoEndpoint *any = NULL;

  for (guint i = 0; i < n; i++)
    {
      TachoEndpoint *endpoint = tacho_client_manager_peek (self, i);
      TachoEndpointState state = tacho_endpoint_get_state (endpoint);

      if (tacho_endpoint_get_api (endpoint) == NULL)
        continue;
      if (any == NULL)
        any = endpoint;
      if (state != TACHO_ENDPOINT_DOWN && state != TACHO_ENDPOINT_FAILING &&
          tacho_endpoint_get_breaker_state (endpoint) == TACHO_BREAKER_CLOSED &&
          !tacho_endpoint_is_unimplemented (endpoint, TACHO_OP_CHAT))
        return endpoint;
    }
  return any;
}

/* Why it is not simply the first side, or what is wrong beside it. */
char *
tacho_client_manager_describe_reason (TachoClientManager *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->endpoints));

  for (guint i = 0; n > 1 && i < n; i++)
    {
      TachoEndpoint *endpoint = tacho_client_manager_peek (self, i);
      TachoEndpointState state = tacho_endpoint_get_state (endpoint);
      const GError *error = tacho_endpoint_get_last_error (endpoint);
      double wait_s = tacho_endpoint_get_retry_in_s (endpoint);

      if (endpoint == self->serving)
        continue;
      if ((state == TACHO_ENDPOINT_DOWN || state == TACHO_ENDPOINT_FAILING) && wait_s > 0)
        return g_strdup_printf ("the %s side is down, tried again in %.0f s: %s",
                                side_name (endpoint), ceil (wait_s),
                                error != NULL ? error->message : "no answer");
      if (state == TACHO_ENDPOINT_DOWN || state == TACHO_ENDPOINT_FAILING)
        return g_strdup_printf ("the %s side is down: %s", side_name (endpoint),
                                error != NULL ? error->message : "no answer");
      if (tacho_endpoint_is_unimplemented (endpoint, TACHO_OP_CHAT))
        return g_strdup_printf ("the %s side does not generate", side_name (endpoint));
    }
  return NULL;
}

static gboolean
has_state (TachoClientManager *self, TachoEndpointState state)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->endpoints));

  for (guint i = 0; i < n; i++)
    if (tacho_endpoint_get_state (tacho_client_manager_peek (self, i)) == state)
      return TRUE;
  return FALSE;
}

TachoConnectionState
tacho_client_manager_derive_state (TachoClientManager *self)
{
  TachoEndpointState state =
      self->serving != NULL ? tacho_endpoint_get_state (self->serving) : TACHO_ENDPOINT_UNKNOWN;

  if (self->serving == NULL || state == TACHO_ENDPOINT_DOWN || state == TACHO_ENDPOINT_PROBING)
    {
      if (has_state (self, TACHO_ENDPOINT_PROBING))
        return TACHO_CONNECTION_PROBING;
      return self->serving == NULL && has_state (self, TACHO_ENDPOINT_UNKNOWN)
                 ? TACHO_CONNECTION_DISCONNECTED
                 : TACHO_CONNECTION_OFFLINE;
    }
  switch (state)
    {
    case TACHO_ENDPOINT_OK:
      return has_state (self, TACHO_ENDPOINT_DOWN) || has_state (self, TACHO_ENDPOINT_FAILING)
                 ? TACHO_CONNECTION_DEGRADED
                 : TACHO_CONNECTION_CONNECTED;
    case TACHO_ENDPOINT_LOADING:
      return TACHO_CONNECTION_LOADING;
    case TACHO_ENDPOINT_FAILING:
      return TACHO_CONNECTION_DEGRADED;
    case TACHO_ENDPOINT_UNKNOWN:
    case TACHO_ENDPOINT_PROBING:
    case TACHO_ENDPOINT_DOWN:
    default:
      return TACHO_CONNECTION_DISCONNECTED;
    }
}

/* Of no serving side, the first one's error is what a person should read. */
const GError *
tacho_client_manager_derive_error (TachoClientManager *self)
{
  TachoEndpoint *endpoint =
      self->serving != NULL ? self->serving : tacho_client_manager_peek (self, 0);

  return endpoint != NULL ? tacho_endpoint_get_last_error (endpoint) : NULL;
}
