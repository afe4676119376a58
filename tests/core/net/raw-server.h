/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server of raw bytes for the tests: what it sends, and when it closes, is up to the test. */
#pragma once

#include <gio/gio.h>
#include <string.h>

typedef struct _RawServer RawServer;
typedef struct _RawConnection RawConnection;
typedef void (*RawHandler) (RawConnection *connection, const char *request, gpointer user_data);

struct _RawConnection
{
  gatomicrefcount refs;
  RawServer *server;
  GIOStream *stream;
  GCancellable *cancellable;
  GString *input;
  char buffer[16 * 1024];
  guint requests;   /* on this connection */
  gboolean ended;   /* the peer is gone, or we closed */
  const char *rest; /* bytes that raw_drip still has to send */
  gsize drip_size;
  GSource *drip;
};

struct _RawServer
{
  GSocketService *service;
  char *url;
  guint16 port;
  GPtrArray *connections; /* of RawConnection, all that ever were */
  GPtrArray *requests;    /* of char *, whole requests in order */
  RawHandler handler;
  gconstpointer handler_data;
  GTlsCertificate *certificate; /* speak TLS with it */
  gboolean asks_certificate;    /* and want one of the client, whosever */
  guint n_closed;               /* closed by the peer */
};

static inline RawConnection *
raw_connection_ref (RawConnection *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

static inline void
raw_connection_unref (gpointer data)
{
  RawConnection *self = data;

  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  if (self->drip != NULL)
    {
      g_source_destroy (self->drip);
      g_source_unref (self->drip);
    }
  g_object_unref (self->stream);
  g_object_unref (self->cancellable);
  g_string_free (self->input, TRUE);
  g_free (self);
}

static inline void
raw_close (RawConnection *self)
{
  self->ended = TRUE;
  g_cancellable_cancel (self->cancellable);
  g_io_stream_close (self->stream, NULL, NULL);
}

static inline void
raw_send_data (RawConnection *self, const char *data, gsize length)
{
  if (!self->ended)
    g_output_stream_write_all (g_io_stream_get_output_stream (self->stream), data, length, NULL,
                               NULL, NULL);
}

static inline void
raw_send (RawConnection *self, const char *text)
{
  raw_send_data (self, text, strlen (text));
}

static inline gboolean
raw_drip_cb (gpointer user_data)
{
  RawConnection *self = user_data;
  gsize n = MIN (self->drip_size, strlen (self->rest));

  if (n == 0 || self->ended)
    return G_SOURCE_REMOVE;
  raw_send_data (self, self->rest, n);
  self->rest += n;
  return G_SOURCE_CONTINUE;
}

/* Sends *text*, *size* bytes every *ms* (0: as fast as the loop turns). */
static inline void
raw_drip (RawConnection *self, const char *text, gsize size, guint ms)
{
  self->rest = text;
  self->drip_size = size;
  self->drip = g_timeout_source_new (ms);
  g_source_set_callback (self->drip, raw_drip_cb, self, NULL);
  g_source_attach (self->drip, NULL);
}

static inline gsize
raw_request_length (const GString *input)
{
  const char *end = strstr (input->str, "\r\n\r\n");
  const char *length;
  gsize total;

  if (end == NULL)
    return 0;
  total = (gsize) (end - input->str) + 4;
  length = strcasestr (input->str, "\r\nContent-Length:");
  if (length != NULL && length < end)
    total += (gsize) g_ascii_strtoull (length + strlen ("\r\nContent-Length:"), NULL, 10);
  return input->len >= total ? total : 0;
}

static inline void
raw_read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RawConnection *self = user_data;
  gssize n = g_input_stream_read_finish (G_INPUT_STREAM (source), result, NULL);
  gsize length;

  if (n <= 0)
    {
      if (!self->ended)
        {
          self->ended = TRUE;
          self->server->n_closed++;
        }
      raw_connection_unref (self);
      return;
    }
  g_string_append_len (self->input, self->buffer, n);
  while ((length = raw_request_length (self->input)) > 0)
    {
      g_autofree char *request = g_strndup (self->input->str, length);

      g_string_erase (self->input, 0, (gssize) length);
      self->requests++;
      g_ptr_array_add (self->server->requests, g_strdup (request));
      if (self->server->handler != NULL)
        self->server->handler (self, request, (gpointer) self->server->handler_data);
    }
  if (self->ended)
    {
      raw_connection_unref (self);
      return;
    }
  g_input_stream_read_async (G_INPUT_STREAM (source), self->buffer, sizeof self->buffer,
                             G_PRIORITY_DEFAULT, self->cancellable, raw_read_cb, self);
}

static inline gboolean
raw_take_any (GTlsConnection *connection,
              GTlsCertificate *certificate,
              GTlsCertificateFlags errors,
              gpointer user_data)
{
  return TRUE;
}

static inline gboolean
raw_incoming_cb (GSocketService *service,
                 GSocketConnection *connection,
                 GObject *source,
                 gpointer user_data)
{
  RawServer *server = user_data;
  RawConnection *self = g_new0 (RawConnection, 1);

  g_atomic_ref_count_init (&self->refs); /* the server's */
  self->server = server;
  self->cancellable = g_cancellable_new ();
  self->input = g_string_new (NULL);
  if (server->certificate != NULL)
    self->stream =
        g_tls_server_connection_new (G_IO_STREAM (connection), server->certificate, NULL);
  else
    self->stream = G_IO_STREAM (g_object_ref (connection));
  if (server->asks_certificate)
    {
      g_object_set (self->stream, "authentication-mode", G_TLS_AUTHENTICATION_REQUIRED, NULL);
      g_signal_connect (self->stream, "accept-certificate", G_CALLBACK (raw_take_any), NULL);
    }
  g_socket_set_option (g_socket_connection_get_socket (connection), 6 /* TCP */, 1 /* NODELAY */, 1,
                       NULL);
  g_ptr_array_add (server->connections, self);
  g_input_stream_read_async (g_io_stream_get_input_stream (self->stream), self->buffer,
                             sizeof self->buffer, G_PRIORITY_DEFAULT, self->cancellable,
                             raw_read_cb, raw_connection_ref (self));
  return TRUE;
}

static inline RawServer *
raw_server_new (RawHandler handler, gconstpointer handler_data)
{
  RawServer *self = g_new0 (RawServer, 1);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) effective = NULL;
  GError *error = NULL;

  self->service = g_socket_service_new ();
  g_socket_listener_add_address (G_SOCKET_LISTENER (self->service), address, G_SOCKET_TYPE_STREAM,
                                 G_SOCKET_PROTOCOL_TCP, NULL, &effective, &error);
  g_assert_no_error (error);
  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective));
  self->url = g_strdup_printf ("http://127.0.0.1:%u", self->port);
  self->connections = g_ptr_array_new_with_free_func (raw_connection_unref);
  self->requests = g_ptr_array_new_with_free_func (g_free);
  self->handler = handler;
  self->handler_data = handler_data;
  g_signal_connect (self->service, "incoming", G_CALLBACK (raw_incoming_cb), self);
  g_socket_service_start (self->service);
  return self;
}

static inline gboolean
raw_server_is_quiet (RawServer *self)
{
  for (guint i = 0; i < self->connections->len; i++)
    {
      RawConnection *connection = g_ptr_array_index (self->connections, i);

      if (!connection->ended || g_atomic_int_get (&connection->refs) > 1)
        return FALSE;
    }
  return TRUE;
}

static inline void
raw_server_free (RawServer *self)
{
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  for (guint i = 0; i < self->connections->len; i++)
    raw_close (g_ptr_array_index (self->connections, i));
  while (!raw_server_is_quiet (self))
    g_main_context_iteration (NULL, TRUE);
  g_ptr_array_unref (self->connections);
  g_ptr_array_unref (self->requests);
  g_clear_object (&self->certificate);
  g_object_unref (self->service);
  g_free (self->url);
  g_free (self);
}

/* A handler that answers every request with the text that is its user data. */
static inline void
raw_answer (RawConnection *connection, const char *request, gpointer user_data)
{
  raw_send (connection, user_data);
}

/* The same, then closes. */
static inline void
raw_answer_and_close (RawConnection *connection, const char *request, gpointer user_data)
{
  raw_send (connection, user_data);
  raw_close (connection);
}

static inline void
raw_no_answer (RawConnection *connection, const char *request, gpointer user_data)
{
}
