/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One gRPC endpoint: its address, its credentials and the channel in use. */
#define G_LOG_DOMAIN "tacho-net"

#include "net/tacho-grpc-client-private.h"

#include "base/tacho-error.h"
#include "base/tacho-url.h"

#include <math.h>
#include <string.h>

static void tacho_grpc_client_transport_init (TachoTransportInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TachoGrpcClient,
                               tacho_grpc_client,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TACHO_TYPE_TRANSPORT,
                                                      tacho_grpc_client_transport_init))

static void
client_close (TachoGrpcClient *self)
{
  g_autoptr (GPtrArray) running = NULL;

  if (self->closed)
    return;
  self->closed = TRUE;
  g_object_ref (self);
  running = g_ptr_array_copy (self->calls, tacho_grpc_call_ref, NULL);
  g_ptr_array_set_free_func (running, tacho_grpc_call_unref);
  for (guint i = 0; i < running->len; i++)
    if (g_ptr_array_find (self->calls, g_ptr_array_index (running, i), NULL))
      tacho_grpc_call_abort (g_ptr_array_index (running, i));
  if (self->link != NULL)
    self->created_before += tacho_grpc_link_get_created (self->link);
  g_clear_pointer (&self->link, tacho_grpc_link_close);
  g_object_unref (self);
}

static void
tacho_grpc_client_dispose (GObject *object)
{
  client_close (TACHO_GRPC_CLIENT (object));

  G_OBJECT_CLASS (tacho_grpc_client_parent_class)->dispose (object);
}

static void
tacho_grpc_client_finalize (GObject *object)
{
  TachoGrpcClient *self = TACHO_GRPC_CLIENT (object);

  if (self->credentials != NULL)
    grpc_channel_credentials_release (self->credentials);
  g_ptr_array_unref (self->calls);
  g_ptr_array_unref (self->headers);
  g_free (self->target);
  g_free (self->address);
  if (self->authorization != NULL)
    explicit_bzero (self->authorization, strlen (self->authorization));
  g_free (self->authorization);
  tacho_grpc_queue_release ();

  G_OBJECT_CLASS (tacho_grpc_client_parent_class)->finalize (object);
}

static void
tacho_grpc_client_class_init (TachoGrpcClientClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = tacho_grpc_client_dispose;
  object_class->finalize = tacho_grpc_client_finalize;
}

static void
tacho_grpc_client_init (TachoGrpcClient *self)
{
  tacho_grpc_queue_hold ();
  self->calls = g_ptr_array_new ();
  self->headers = tacho_headers_new ();
}

static double
sane_seconds (double seconds)
{
  return isfinite (seconds) && seconds > 0 ? seconds : 0;
}

static gboolean
take_headers (TachoGrpcClient *self, const TachoGrpcOptions *options, GError **error)
{
  if (options->bearer != NULL && *options->bearer != '\0')
    {
      self->authorization = g_strconcat ("Bearer ", options->bearer, NULL);
      if (!tacho_grpc_metadata_check ("authorization", self->authorization, NULL))
        {
          g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                               "The API key holds a line break or a character that no gRPC "
                               "metadata may hold: nothing was sent");
          return FALSE;
        }
    }
  for (guint i = 0; options->headers != NULL && options->headers[i] != NULL; i++)
    {
      g_autoptr (GError) reason = NULL;
      g_autofree char *name = NULL;
      g_autofree char *value = NULL;
      g_autofree char *lower = NULL;

      if (!tacho_header_parse (options->headers[i], &name, &value, &reason))
        {
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "A header cannot be sent: %s",
                       reason->message);
          return FALSE;
        }
      lower = g_ascii_strdown (name, -1);
      if (!tacho_grpc_metadata_check (lower, value, error))
        return FALSE;
      tacho_headers_add (self->headers, lower, value);
    }
  return TRUE;
}

/**
 * tacho_grpc_client_new:
 * @options: where to, with which credentials, limits and trust; copied
 * @error: return location
 *
 * Makes a client for one host and port. It connects with its first call. Environment proxies are
 * ignored, nothing is retried or compressed, TLS is 1.2 or later and is never given up for plain
 * text.
 *
 * Returns: (transfer full): the client, or %NULL with %TACHO_ERROR_INVALID if the target, a header,
 *   the key, the pin or a certificate file cannot be used
 */
TachoTransport *
tacho_grpc_client_new (const TachoGrpcOptions *options, GError **error)
{
  g_autoptr (TachoGrpcClient) self = NULL;

  g_return_val_if_fail (options != NULL && options->target != NULL, NULL);

  self = g_object_new (TACHO_TYPE_GRPC_CLIENT, NULL);
  if (!tacho_grpc_address_parse (options->target, &self->target, &self->address, error) ||
      !take_headers (self, options, error) ||
      (self->credentials = tacho_grpc_credentials_new (options, error)) == NULL)
    return NULL;
  self->tls = options->tls;
  self->pinned = options->pin != NULL;
  self->has_certificate = options->cert_file != NULL;
  self->limits[TACHO_GRPC_TIMER_CONNECT] = sane_seconds (options->timeout_connect);
  self->limits[TACHO_GRPC_TIMER_FIRST] = sane_seconds (options->timeout_first);
  self->limits[TACHO_GRPC_TIMER_IDLE] = sane_seconds (options->timeout_idle);
  self->limits[TACHO_GRPC_TIMER_TOTAL] = sane_seconds (options->timeout_total);
  self->keepalive = sane_seconds (options->keepalive);
  return TACHO_TRANSPORT (g_steal_pointer (&self));
}

static void
transport_send_async (TachoTransport *transport,
                      const TachoHttpRequest *request,
                      double total_override,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  TachoGrpcClient *self = TACHO_GRPC_CLIENT (transport);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, transport_send_async);
  tacho_grpc_call_run (self, request, NULL, NULL,
                       total_override > 0 ? total_override : self->limits[TACHO_GRPC_TIMER_TOTAL],
                       task);
}

static void
transport_stream_async (TachoTransport *transport,
                        const TachoHttpRequest *request,
                        const TachoStreamFuncs *funcs,
                        gpointer funcs_data,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  TachoGrpcClient *self = TACHO_GRPC_CLIENT (transport);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, transport_stream_async);
  tacho_grpc_call_run (self, request, funcs, funcs_data, self->limits[TACHO_GRPC_TIMER_TOTAL],
                       task);
}

static TachoHttpReply *
transport_finish (TachoTransport *transport, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, transport), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static const char *
transport_get_target (TachoTransport *transport)
{
  return TACHO_GRPC_CLIENT (transport)->target;
}

static void
transport_get_counters (TachoTransport *transport, TachoTransportCounters *counters)
{
  TachoGrpcClient *self = TACHO_GRPC_CLIENT (transport);

  *counters = self->counters;
  counters->created = self->created_before;
  if (self->link == NULL)
    return;
  counters->created += tacho_grpc_link_get_created (self->link);
  counters->open = tacho_grpc_link_get_state (self->link) == GRPC_CHANNEL_READY ? 1 : 0;
  counters->idle = self->calls->len == 0 ? counters->open : 0;
}

static void
transport_close (TachoTransport *transport)
{
  client_close (TACHO_GRPC_CLIENT (transport));
}

static void
tacho_grpc_client_transport_init (TachoTransportInterface *iface)
{
  iface->protocol = TACHO_PROTOCOL_GRPC;
  iface->send_async = transport_send_async;
  iface->send_finish = transport_finish;
  iface->stream_async = transport_stream_async;
  iface->stream_finish = transport_finish;
  iface->get_target = transport_get_target;
  iface->get_counters = transport_get_counters;
  iface->close = transport_close;
}
