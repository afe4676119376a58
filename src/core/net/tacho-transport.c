/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The interface that both transports implement. */
#define G_LOG_DOMAIN "tacho-net"

#include "net/tacho-transport.h"

G_DEFINE_INTERFACE (TachoTransport, tacho_transport, G_TYPE_OBJECT)

static void
tacho_transport_default_init (TachoTransportInterface *iface)
{
}

/**
 * tacho_transport_get_protocol:
 * @self: a transport
 *
 * Returns: what it speaks: %TACHO_PROTOCOL_REST or %TACHO_PROTOCOL_GRPC
 */
TachoProtocol
tacho_transport_get_protocol (TachoTransport *self)
{
  g_return_val_if_fail (TACHO_IS_TRANSPORT (self), TACHO_PROTOCOL_REST);

  return TACHO_TRANSPORT_GET_IFACE (self)->protocol;
}

/**
 * tacho_transport_get_target:
 * @self: a transport
 *
 * Returns: (transfer none): where it goes, for people: a base URL, or "HOST:PORT"
 */
const char *
tacho_transport_get_target (TachoTransport *self)
{
  g_return_val_if_fail (TACHO_IS_TRANSPORT (self), NULL);

  return TACHO_TRANSPORT_GET_IFACE (self)->get_target (self);
}

/**
 * tacho_transport_get_counters:
 * @self: a transport
 * @counters: (out): requests and connections since it was made
 */
void
tacho_transport_get_counters (TachoTransport *self, TachoTransportCounters *counters)
{
  g_return_if_fail (TACHO_IS_TRANSPORT (self));
  g_return_if_fail (counters != NULL);

  TACHO_TRANSPORT_GET_IFACE (self)->get_counters (self, counters);
}

/**
 * tacho_transport_close:
 * @self: a transport
 *
 * Aborts what runs with %TACHO_ERROR_CANCELLED and closes every connection. May be called twice.
 */
void
tacho_transport_close (TachoTransport *self)
{
  g_return_if_fail (TACHO_IS_TRANSPORT (self));

  TACHO_TRANSPORT_GET_IFACE (self)->close (self);
}

/**
 * tacho_transport_send_async:
 * @self: a transport
 * @request: what to send; copied
 * @total_override: seconds that replace the total timeout for this call, 0 to keep it
 * @cancellable: (nullable): closes the wire
 * @callback: called once
 * @user_data: for @callback
 */
void
tacho_transport_send_async (TachoTransport *self,
                            const TachoHttpRequest *request,
                            double total_override,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_return_if_fail (TACHO_IS_TRANSPORT (self));
  g_return_if_fail (request != NULL);

  TACHO_TRANSPORT_GET_IFACE (self)->send_async (self, request, total_override, cancellable,
                                                callback, user_data);
}

/**
 * tacho_transport_send_finish:
 * @self: a transport
 * @result: the result
 * @error: return location
 *
 * Returns: (transfer full): the reply, whatever its status, or %NULL with a `TACHO_ERROR`
 */
TachoHttpReply *
tacho_transport_send_finish (TachoTransport *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (TACHO_IS_TRANSPORT (self), NULL);

  return TACHO_TRANSPORT_GET_IFACE (self)->send_finish (self, result, error);
}

/**
 * tacho_transport_stream_async:
 * @self: a transport
 * @request: what to send; copied
 * @funcs: called as the reply comes, on the caller's main context; must live until @callback
 * @funcs_data: for @funcs
 * @cancellable: (nullable): closes the wire
 * @callback: called once
 * @user_data: for @callback
 */
void
tacho_transport_stream_async (TachoTransport *self,
                              const TachoHttpRequest *request,
                              const TachoStreamFuncs *funcs,
                              gpointer funcs_data,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_return_if_fail (TACHO_IS_TRANSPORT (self));
  g_return_if_fail (request != NULL && funcs != NULL);

  TACHO_TRANSPORT_GET_IFACE (self)->stream_async (self, request, funcs, funcs_data, cancellable,
                                                  callback, user_data);
}

/**
 * tacho_transport_stream_finish:
 * @self: a transport
 * @result: the result
 * @error: return location
 *
 * Returns: (transfer full): the reply's head, its body empty if it was delivered as it came; or
 *   %NULL with a `TACHO_ERROR`
 */
TachoHttpReply *
tacho_transport_stream_finish (TachoTransport *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (TACHO_IS_TRANSPORT (self), NULL);

  return TACHO_TRANSPORT_GET_IFACE (self)->stream_finish (self, result, error);
}
