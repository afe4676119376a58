/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the manager's own files share: its state and how that changes. */
#pragma once

#include "api/tacho-api-probe.h"
#include "service/tacho-client-manager-private.h"

G_BEGIN_DECLS

#define TACHO_CLIENT_MANAGER_PROBE_TOTAL_S 10.0

struct _TachoClientManager
{
  GObject parent_instance;

  TachoProfile *profile;
  TachoHttpClient *http;
  TachoTransportCounters past; /* of the clients before this one */

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

enum
{
  TACHO_CLIENT_MANAGER_PROP_0,
  TACHO_CLIENT_MANAGER_PROP_STATE,
  TACHO_CLIENT_MANAGER_PROP_API,
  TACHO_CLIENT_MANAGER_PROP_API_FAMILY,
  TACHO_CLIENT_MANAGER_PROP_DESCRIPTION,
  TACHO_CLIENT_MANAGER_PROP_VERSION,
  TACHO_CLIENT_MANAGER_PROP_SIMULATED,
  TACHO_CLIENT_MANAGER_PROP_LATENCY_MS,
  TACHO_CLIENT_MANAGER_PROP_LAST_ERROR,
  TACHO_CLIENT_MANAGER_PROP_ENDPOINT,
  TACHO_CLIENT_MANAGER_N_PROPS
};

/* tacho-client-manager.c: each sets one thing and notifies if it changed. */
void tacho_client_manager_notify (TachoClientManager *self, guint property);
void tacho_client_manager_set_state (TachoClientManager *self, TachoConnectionState state);
void tacho_client_manager_set_last_error (TachoClientManager *self, const GError *error);
void tacho_client_manager_set_latency (TachoClientManager *self, double latency_ms);
void tacho_client_manager_set_string (TachoClientManager *self,
                                      char **field,
                                      const char *value,
                                      guint property);
void tacho_client_manager_set_api (TachoClientManager *self, TachoApi *api);
TachoConnectionState tacho_client_manager_state_of_health (TachoHealth health);
void tacho_client_manager_destroy_source (gpointer data); /* a GDestroyNotify */
/* The client that belongs to the endpoint of now, (transfer none); NULL with an error. */
TachoHttpClient *tacho_client_manager_ensure_http (TachoClientManager *self, GError **error);

/* tacho-client-manager-probe.c */
void tacho_client_manager_clear_probe (TachoClientManager *self);
/* Ends the wait of all who asked for the probe; well if *error is NULL. */
void tacho_client_manager_return_waiters (TachoClientManager *self, const GError *error);

G_END_DECLS
