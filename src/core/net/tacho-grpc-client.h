/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gRPC over the C core: one channel per client, its completion queue on a thread of its own, all
 * results on the caller's main context. A TachoTransport (see there for how a call is written). */
#pragma once

#include "net/tacho-transport.h"

G_BEGIN_DECLS

typedef struct
{
  const char *target;         /* "HOST:PORT" */
  gboolean tls;               /* else plain text; never one instead of the other */
  const char *bearer;         /* sent as "authorization: Bearer …" metadata, or NULL */
  const char *const *headers; /* "K: V", sent as metadata, or NULL */
  const char *ca_file;        /* absolute path of a PEM file, or NULL: the system's */
  const char *cert_file;      /* client certificate and key (mTLS), PEM, or NULL */
  const char *key_file;
  const char *pin;        /* "sha256:…" of the server's certificate (DER), or NULL */
  double timeout_connect; /* seconds, each its own timer; 0: none */
  double timeout_first;
  double timeout_idle;
  double timeout_total;
  double keepalive; /* seconds without data between pings during a call; 0: none */
} TachoGrpcOptions;

#define TACHO_TYPE_GRPC_CLIENT (tacho_grpc_client_get_type ())
G_DECLARE_FINAL_TYPE (TachoGrpcClient, tacho_grpc_client, TACHO, GRPC_CLIENT, GObject)

TachoTransport *tacho_grpc_client_new (const TachoGrpcOptions *options,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
