/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What moves the bytes of requests and replies to one endpoint: TachoHttpClient over HTTP,
 * TachoGrpcClient over gRPC. Neither knows what the bytes mean.
 *
 * A gRPC request is a TachoHttpRequest with the method "gRPC", the full method as path
 * ("/inference.GRPCInferenceService/ServerLive"), metadata as headers and the message as body. Its
 * reply has status 200 and the message as body; a streamed body is length-prefixed messages
 * (TACHO_FRAMING_GRPC). A status that is not OK is a reply too: "grpc-status" (a number) and
 * "grpc-message" among its headers, trailers included, and the HTTP status that says the same. */
#pragma once

#include <gio/gio.h>
#include "api/tacho-http-message.h"
#include "base/tacho-protocol.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 requests;
  guint64 created; /* connections opened */
  guint64 reused;  /* requests that ran on an open connection */
  guint64 failed;
  guint open; /* connections open now */
  guint idle;
  guint64 bytes_received;
} TachoTransportCounters;

typedef struct
{
  void (*sent) (gint64 now_ns,
                gboolean reused_connection,
                gpointer user_data); /* request on the wire */
  /* FALSE ends the exchange with *error. data callback gets bytes with the stamp taken right after
   * read. */
  gboolean (*head) (const TachoHttpReply *head, gpointer user_data, GError **error);
  gboolean (
      *data) (const char *data, gsize length, gint64 now_ns, gpointer user_data, GError **error);
} TachoStreamFuncs;

#define TACHO_TYPE_TRANSPORT (tacho_transport_get_type ())
G_DECLARE_INTERFACE (TachoTransport, tacho_transport, TACHO, TRANSPORT, GObject)

struct _TachoTransportInterface
{
  GTypeInterface parent_iface;

  TachoProtocol protocol;
  void (*send_async) (TachoTransport *self,
                      const TachoHttpRequest *request,
                      double total_override,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data);
  TachoHttpReply *(*send_finish) (TachoTransport *self, GAsyncResult *result, GError **error);
  void (*stream_async) (TachoTransport *self,
                        const TachoHttpRequest *request,
                        const TachoStreamFuncs *funcs,
                        gpointer funcs_data,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data);
  TachoHttpReply *(*stream_finish) (TachoTransport *self, GAsyncResult *result, GError **error);
  const char *(*get_target) (TachoTransport *self);
  void (*get_counters) (TachoTransport *self, TachoTransportCounters *counters);
  void (*close) (TachoTransport *self);
};

TachoProtocol tacho_transport_get_protocol (TachoTransport *self);
const char *tacho_transport_get_target (TachoTransport *self); /* base URL, or HOST:PORT */
void tacho_transport_get_counters (TachoTransport *self, TachoTransportCounters *counters);
/* Aborts what runs, closes idle connections. */
void tacho_transport_close (TachoTransport *self);
/* Any status is a reply, not an error. Errors: TACHO_ERROR classes. total_override: seconds that
 * replace the total timeout for this call, 0 to keep it. */
void tacho_transport_send_async (TachoTransport *self,
                                 const TachoHttpRequest *request,
                                 double total_override,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
TachoHttpReply *tacho_transport_send_finish (TachoTransport *self,
                                             GAsyncResult *result,
                                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Reads the body of a success as it comes; any other status is collected (bounded) and returned as
 * the reply. finish: the reply's head (with an empty body for a success). Cancellation closes the
 * wire. */
void tacho_transport_stream_async (TachoTransport *self,
                                   const TachoHttpRequest *request,
                                   const TachoStreamFuncs *funcs,
                                   gpointer funcs_data,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);
TachoHttpReply *tacho_transport_stream_finish (TachoTransport *self,
                                               GAsyncResult *result,
                                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
