/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One side of a server: its REST or its gRPC address, what speaks there, and how it has been. Owned
 * by TachoClientManager. Properties (notify on change, all read-only): protocol, target, state, api
 * (TachoApi), serving (boolean), latency-ms (double), last-error (GError boxed), breaker
 * (string). */
#pragma once

#include "api/tacho-api.h"
#include "net/tacho-breaker.h"
#include "net/tacho-transport.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_ENDPOINT_UNKNOWN, /* not probed yet */
  TACHO_ENDPOINT_PROBING,
  TACHO_ENDPOINT_OK,
  TACHO_ENDPOINT_LOADING, /* up, and loading its model */
  TACHO_ENDPOINT_FAILING, /* the last exchange failed on the way */
  TACHO_ENDPOINT_DOWN,    /* no answer, or no API that is known */
} TachoEndpointState;

#define TACHO_TYPE_ENDPOINT_STATE (tacho_endpoint_state_get_type ())
GType tacho_endpoint_state_get_type (void);
const char *tacho_endpoint_state_to_string (TachoEndpointState state);

#define TACHO_TYPE_ENDPOINT (tacho_endpoint_get_type ())
G_DECLARE_FINAL_TYPE (TachoEndpoint, tacho_endpoint, TACHO, ENDPOINT, GObject)

TachoProtocol tacho_endpoint_get_protocol (TachoEndpoint *self);
const char *tacho_endpoint_get_target (TachoEndpoint *self); /* base URL, or HOST:PORT */
TachoEndpointState tacho_endpoint_get_state (TachoEndpoint *self);
TachoApi *tacho_endpoint_get_api (TachoEndpoint *self); /* NULL until probed */
const char *tacho_endpoint_get_version (TachoEndpoint *self);
const char *const *tacho_endpoint_get_evidence (TachoEndpoint *self);
gboolean tacho_endpoint_get_simulated (TachoEndpoint *self);
TachoHealth tacho_endpoint_get_health (TachoEndpoint *self);
gboolean tacho_endpoint_get_serving (TachoEndpoint *self); /* the next operation goes here */
double tacho_endpoint_get_latency_ms (TachoEndpoint *self);
const GError *tacho_endpoint_get_last_error (TachoEndpoint *self);
TachoBreakerState tacho_endpoint_get_breaker_state (TachoEndpoint *self);
double tacho_endpoint_get_retry_in_s (TachoEndpoint *self); /* an open breaker's rest; 0: closed */
void tacho_endpoint_get_counters (TachoEndpoint *self, TachoTransportCounters *counters);
/* Of the operations of TachoOperation: does the server lack this one, as it once said? */
gboolean tacho_endpoint_is_unimplemented (TachoEndpoint *self, TachoOperation operation);

G_END_DECLS
