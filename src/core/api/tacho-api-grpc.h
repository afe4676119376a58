/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gRPC calls as the values that a transport moves: see net/tacho-transport.h. */
#pragma once

#include "api/tacho-http-message.h"
#include "api/tacho-protobuf.h"

G_BEGIN_DECLS

#define TACHO_GRPC_OK 0
#define TACHO_GRPC_INVALID_ARGUMENT 3
#define TACHO_GRPC_NOT_FOUND 5
#define TACHO_GRPC_UNIMPLEMENTED 12
#define TACHO_GRPC_UNAVAILABLE 14

/* method: "/package.Service/Method" */
TachoHttpRequest *tacho_api_grpc_request_new (const char *method, const ProtobufCMessage *message)
    G_GNUC_WARN_UNUSED_RESULT;
int tacho_api_grpc_status (const TachoHttpReply *reply); /* -1: not a reply over gRPC, or 0 */
const char *tacho_api_grpc_status_name (int status);     /* "UNAVAILABLE"; NULL unknown */
/* The message of a unary reply, for tacho_protobuf_free(); any status but OK is its error. */
gpointer tacho_api_grpc_parse (const TachoHttpReply *reply,
                               const ProtobufCMessageDescriptor *descriptor,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
