/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which API is this, over REST or gRPC? A pure state machine: ask for the next request, feed the
 * reply, read the verdict. */
#pragma once

#include "api/tacho-api.h"

G_BEGIN_DECLS

typedef struct _TachoApiProbe TachoApiProbe;

/* family: "auto", or a family's name to be confirmed rather than guessed. */
TachoApiProbe *tacho_api_probe_new (const char *family, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same over gRPC: requests and replies are written as net/tacho-transport.h has it. */
TachoApiProbe *tacho_api_probe_new_grpc (const char *family,
                                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* "auto" and all that have a name, NULL-terminated. */
const char *const *tacho_api_families (void);
void tacho_api_probe_free (TachoApiProbe *probe);
TachoHttpRequest *
tacho_api_probe_next (TachoApiProbe *probe); /* (transfer full) (nullable): NULL when decided */
void tacho_api_probe_feed (TachoApiProbe *probe, const TachoHttpReply *reply);
/* (transfer full): NULL with TACHO_ERROR_UNKNOWN_SERVER (or HTTP_4XX for a refused key, …). */
TachoApi *tacho_api_probe_finish (TachoApiProbe *probe, GError **error);
const char *tacho_api_probe_get_version (TachoApiProbe *probe); /* NULL unknown */
gboolean
tacho_api_probe_get_simulated (TachoApiProbe *probe); /* the Server header says tacho-sim */
const char *const *tacho_api_probe_get_evidence (TachoApiProbe *probe); /* one line a finding */
TachoHealth tacho_api_probe_get_health (TachoApiProbe *probe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoApiProbe, tacho_api_probe_free)

G_END_DECLS
