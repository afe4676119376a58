/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which API is spoken over gRPC? A pure state machine, as tacho-api-probe.h is for REST. */
#pragma once

#include "api/tacho-api.h"

G_BEGIN_DECLS

typedef struct _TachoApiGrpcProbe TachoApiGrpcProbe;

/* family: "auto", "oip" or "ryzanstein". */
TachoApiGrpcProbe *tacho_api_grpc_probe_new (const char *family,
                                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
void tacho_api_grpc_probe_free (TachoApiGrpcProbe *probe);
TachoHttpRequest *tacho_api_grpc_probe_next (
    TachoApiGrpcProbe *probe); /* (transfer full) (nullable): NULL when decided */
void tacho_api_grpc_probe_feed (TachoApiGrpcProbe *probe, const TachoHttpReply *reply);
/* (transfer full): NULL with TACHO_ERROR_UNKNOWN_SERVER, or the refusal of a key. */
TachoApi *tacho_api_grpc_probe_finish (TachoApiGrpcProbe *probe, GError **error);
const char *tacho_api_grpc_probe_get_version (TachoApiGrpcProbe *probe); /* NULL unknown */
gboolean tacho_api_grpc_probe_get_simulated (TachoApiGrpcProbe *probe);
const char *const *tacho_api_grpc_probe_get_evidence (TachoApiGrpcProbe *probe);
TachoHealth tacho_api_grpc_probe_get_health (TachoApiGrpcProbe *probe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoApiGrpcProbe, tacho_api_grpc_probe_free)

G_END_DECLS
