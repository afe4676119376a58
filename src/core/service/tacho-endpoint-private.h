/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the client manager does with its endpoints. */
#pragma once

#include "api/tacho-api-probe.h"
#include "config/tacho-profile.h"
#include "net/tacho-retry-policy.h"
#include "service/tacho-endpoint.h"

G_BEGIN_DECLS

#define TACHO_ENDPOINT_PROBE_TOTAL_S 10.0

TachoEndpoint *tacho_endpoint_new (TachoProfile *profile,
                                   TachoProtocol protocol) G_GNUC_WARN_UNUSED_RESULT;
/* The transport that belongs to the address of now, (transfer none); NULL with an error. */
TachoTransport *tacho_endpoint_ensure_transport (TachoEndpoint *self, GError **error);
/* Finds out what speaks there. One probe at a time: a second caller waits for the first. */
void tacho_endpoint_probe_async (TachoEndpoint *self,
                                 gboolean quiet,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
gboolean tacho_endpoint_probe_finish (TachoEndpoint *self, GAsyncResult *result, GError **error);
/* Asks for the server's health, or probes it where nothing is known. At most one at a time. */
void tacho_endpoint_check (TachoEndpoint *self);
/* How an exchange went: NULL is well. State, breaker and last error follow. */
void tacho_endpoint_note (TachoEndpoint *self, const TachoFailure *failure);
void tacho_endpoint_set_serving (TachoEndpoint *self, gboolean serving);
void tacho_endpoint_set_unimplemented (TachoEndpoint *self, TachoOperation operation);
gboolean tacho_endpoint_may_retry (TachoEndpoint *self);
/* Ends all that runs, closes every connection, forgets the server. */
void tacho_endpoint_close (TachoEndpoint *self);
/* The error of a 3xx reply, which is never followed; NULL if it is none. */
GError *tacho_endpoint_redirect_error (TachoEndpoint *self,
                                       const TachoHttpReply *reply) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
