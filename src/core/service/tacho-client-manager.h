/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the live endpoints of a profile, its REST side, its gRPC side or both: probes them, says
 * which API each speaks and how it is, chooses where every operation goes and goes to the other
 * side when one fails. Properties (notify on change, all read-only):
 *   state (TachoConnectionState), serving (TachoEndpoint), reason (string: why that one, if it is
 *   not
 * plain), endpoints (GListModel); and of the serving endpoint: api (TachoApi), api-family (string),
 * description (string), version (string), simulated (boolean), latency-ms (double, NaN unknown),
 * last-error (GError boxed), endpoint (string). */
#pragma once

#include "api/tacho-api.h"
#include "config/tacho-profile.h"
#include "service/tacho-endpoint.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_CONNECTION_DISCONNECTED,
  TACHO_CONNECTION_PROBING,
  TACHO_CONNECTION_CONNECTED,
  TACHO_CONNECTION_LOADING,  /* the server is up and loading its model (503) */
  TACHO_CONNECTION_DEGRADED, /* serves, but a side is down or an operation just failed on the way */
  TACHO_CONNECTION_OFFLINE,
} TachoConnectionState;

#define TACHO_TYPE_CONNECTION_STATE (tacho_connection_state_get_type ())
GType tacho_connection_state_get_type (void);
const char *tacho_connection_state_to_string (TachoConnectionState state);

#define TACHO_TYPE_CLIENT_MANAGER (tacho_client_manager_get_type ())
G_DECLARE_FINAL_TYPE (TachoClientManager, tacho_client_manager, TACHO, CLIENT_MANAGER, GObject)

TachoClientManager *tacho_client_manager_new (TachoProfile *profile) G_GNUC_WARN_UNUSED_RESULT;
TachoProfile *tacho_client_manager_get_profile (TachoClientManager *self);
TachoConnectionState tacho_client_manager_get_state (TachoClientManager *self);
TachoApi *tacho_client_manager_get_api (TachoClientManager *self); /* NULL until probed */
const char *tacho_client_manager_get_version (TachoClientManager *self);
const char *
tacho_client_manager_get_description (TachoClientManager *self); /* "llama.cpp server, router" */
const char *const *tacho_client_manager_get_evidence (TachoClientManager *self);
gboolean tacho_client_manager_get_simulated (TachoClientManager *self);
double tacho_client_manager_get_latency_ms (TachoClientManager *self);
const GError *tacho_client_manager_get_last_error (TachoClientManager *self);
TachoHealth tacho_client_manager_get_health (TachoClientManager *self);
void tacho_client_manager_get_counters (TachoClientManager *self, TachoTransportCounters *counters);

/* Short limits of its own (connect 5 s, 10 s in all); one probe at a time, later callers share it.
 */
void tacho_client_manager_probe_async (TachoClientManager *self,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);
gboolean
tacho_client_manager_probe_finish (TachoClientManager *self, GAsyncResult *result, GError **error);
/* Polls health every `seconds` (0 stops); state follows. The window does this, the command line
 * does not. */
void tacho_client_manager_watch (TachoClientManager *self, guint seconds);
double tacho_client_manager_get_next_look_s (TachoClientManager *self);
void tacho_client_manager_close (TachoClientManager *self);

GListModel *tacho_client_manager_get_endpoints (TachoClientManager *self);  /* of TachoEndpoint */
TachoEndpoint *tacho_client_manager_get_serving (TachoClientManager *self); /* NULL: none */
/* The side of that protocol; NULL if the profile has none. */
TachoEndpoint *tacho_client_manager_get_side (TachoClientManager *self, TachoProtocol protocol);
const char *tacho_client_manager_get_reason (TachoClientManager *self); /* NULL: plain */

/* One request as it is, to the side that its method belongs to ("gRPC", or HTTP). Probes first if
 * that was not done; no retries. */
void tacho_client_manager_send_async (TachoClientManager *self,
                                      const TachoHttpRequest *request,
                                      double total_override,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data);
TachoHttpReply *
tacho_client_manager_send_finish (TachoClientManager *self, GAsyncResult *result, GError **error);

G_END_DECLS
