/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the endpoint's own files share: its state and how that changes. */
#pragma once

#include "service/tacho-endpoint-private.h"

G_BEGIN_DECLS

struct _TachoEndpoint
{
  GObject parent_instance;

  TachoProfile *profile;
  TachoProtocol protocol;
  TachoTransport *transport;
  TachoTransportCounters past; /* of the transports before this one */
  TachoBreaker breaker;
  guint unimplemented; /* a bit for each TachoOperation */

  TachoEndpointState state;
  TachoApi *api;
  char *version;
  char **evidence;
  gboolean simulated;
  gboolean serving;
  TachoHealth health;
  double latency_ms;
  GError *last_error;

  /* The probe that runs, if any; all callers share it. */
  TachoApiProbe *probe;
  GCancellable *probe_cancellable;
  GPtrArray *waiters; /* of GTask */
  gint64 probe_begin_ns;
  gint64 request_begin_ns;
  double probe_latency_ms;
  GError *redirect; /* what a 3xx said, if one came */
  TachoEndpointState state_before_probe;

  GCancellable *poll_cancellable; /* a health request is under way */
};

enum
{
  TACHO_ENDPOINT_PROP_0,
  TACHO_ENDPOINT_PROP_PROTOCOL,
  TACHO_ENDPOINT_PROP_TARGET,
  TACHO_ENDPOINT_PROP_STATE,
  TACHO_ENDPOINT_PROP_API,
  TACHO_ENDPOINT_PROP_SERVING,
  TACHO_ENDPOINT_PROP_LATENCY_MS,
  TACHO_ENDPOINT_PROP_LAST_ERROR,
  TACHO_ENDPOINT_PROP_BREAKER,
  TACHO_ENDPOINT_N_PROPS
};

/* tacho-endpoint.c: each sets one thing and notifies if it changed. */
void tacho_endpoint_notify (TachoEndpoint *self, guint property);
void tacho_endpoint_set_state (TachoEndpoint *self, TachoEndpointState state);
void tacho_endpoint_set_last_error (TachoEndpoint *self, const GError *error);
void tacho_endpoint_set_latency (TachoEndpoint *self, double latency_ms);
void tacho_endpoint_set_api (TachoEndpoint *self, TachoApi *api);
TachoEndpointState tacho_endpoint_state_of_health (TachoHealth health);
void tacho_endpoint_destroy_source (gpointer data); /* a GDestroyNotify */

/* tacho-endpoint-probe.c: gives up what runs; its callers get TACHO_ERROR_CANCELLED. */
void tacho_endpoint_end_probe (TachoEndpoint *self);

G_END_DECLS
