/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gRPC calls as the values that a transport moves: see net/tacho-transport.h. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-grpc.h"

#include "api/tacho-api.h"

#define FRAME_HEADER 5

/**
 * tacho_api_grpc_request_new:
 * @method: "/package.Service/Method"
 * @message: (nullable): what is sent; %NULL for an empty message
 *
 * Returns: (transfer full): the call
 */
TachoHttpRequest *
tacho_api_grpc_request_new (const char *method, const ProtobufCMessage *message)
{
  TachoHttpRequest *request = tacho_http_request_new ("gRPC", method);

  request->body = tacho_protobuf_pack (message);
  return request;
}

/**
 * tacho_api_grpc_status:
 * @reply: a reply
 *
 * Returns: its gRPC status; -1 where it tells none, as a success over gRPC may
 */
int
tacho_api_grpc_status (const TachoHttpReply *reply)
{
  const char *text = tacho_http_reply_get_header (reply, "grpc-status");
  guint64 status;

  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 0, 1000, &status, NULL))
    return -1;
  return (int) status;
}

/**
 * tacho_api_grpc_status_name:
 * @status: a gRPC status
 *
 * Returns: (nullable): its name in the specification: "UNAVAILABLE"
 */
const char *
tacho_api_grpc_status_name (int status)
{
  static const char *const names[] = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
  };

  return status >= 0 && status < (int) G_N_ELEMENTS (names) ? names[status] : NULL;
}

/* A streamed body of one message still has its frame; no message begins with a zero byte. */
static const guint8 *
strip_frame (const guint8 *data, gsize *length)
{
  if (*length < FRAME_HEADER || data[0] != 0)
    return data;
  *length -= FRAME_HEADER;
  return data + FRAME_HEADER;
}

/**
 * tacho_api_grpc_parse:
 * @reply: the reply to a unary call
 * @descriptor: the message that is expected
 * @error: return location
 *
 * Returns: (transfer full): the message, for tacho_protobuf_free(); or %NULL with the error that
 *   the reply stands for, or %TACHO_ERROR_PROTOCOL
 */
gpointer
tacho_api_grpc_parse (const TachoHttpReply *reply,
                      const ProtobufCMessageDescriptor *descriptor,
                      GError **error)
{
  const guint8 *data;
  gsize length;

  if (reply->status != 200 || tacho_api_grpc_status (reply) > TACHO_GRPC_OK)
    {
      g_propagate_error (error, tacho_api_error_from_reply (reply));
      return NULL;
    }
  data = g_bytes_get_data (reply->body, &length);
  data = strip_frame (data, &length);
  return tacho_protobuf_unpack (descriptor, data, length, error);
}
