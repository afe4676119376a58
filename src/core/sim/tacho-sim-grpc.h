/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gRPC front of the simulated server, on the gRPC C core: the same engine, faults and capture
 * as the HTTP fronts. A front speaks as its family: Triton (oip), KServe, Ryzanstein; "all" is
 * Triton, Ryzanstein, health and reflection. All functions are called on the host's context. */
#pragma once

#include "sim/tacho-sim-http.h"

G_BEGIN_DECLS

typedef struct _TachoSimGrpc TachoSimGrpc;

/* front: one with grpc; its port 0 is any free one. TLS is as the host's configuration says. */
TachoSimGrpc *tacho_sim_grpc_new (TachoSimHost *host,
                                  const TachoSimFront *front,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
guint16 tacho_sim_grpc_get_port (TachoSimGrpc *grpc);
/* Closes the port. Gracefully: returns at once, calls that run may end. Else the connections die
 * here and now, as when the process is killed. */
void tacho_sim_grpc_stop (TachoSimGrpc *grpc, gboolean gracefully);
void tacho_sim_grpc_free (TachoSimGrpc *grpc); /* stops at once; (nullable) */

G_END_DECLS
