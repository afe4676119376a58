/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What becomes of servers that break HTTP/2 or speak something else: each by its own bytes. Each
 * connection blocks in a thread of its own. */
#include "grpc-test.h"

#include <string.h>

typedef struct
{
  GInputStream *input;
  GOutputStream *output;
  GSocketConnection *connection;
} Wire;

typedef void (*WireHandler) (Wire *wire);
typedef void (*WireAnswer) (Wire *wire, guint32 stream);

typedef struct
{
  GSocketService *service;
  WireHandler handler; /* the whole connection, or … */
  WireAnswer answer;   /* … what follows a request, in proper HTTP/2 until then */
  char *target;
} WireServer;

static void
wire_write (Wire *wire, gconstpointer data, gsize length)
{
  g_output_stream_write_all (wire->output, data, length, NULL, NULL, NULL);
}

static void
wire_frame (Wire *wire, guint8 type, guint8 flags, guint32 stream, gconstpointer data, gsize length)
{
  const guint8 head[9] = {
    (guint8) (length >> 16), (guint8) (length >> 8),  (guint8) length,        type,           flags,
    (guint8) (stream >> 24), (guint8) (stream >> 16), (guint8) (stream >> 8), (guint8) stream
  };

  wire_write (wire, head, sizeof head);
  wire_write (wire, data, length);
}

/* HPACK: literal fields without indexing, nothing compressed. */
static void
wire_fields (Wire *wire, guint8 flags, guint32 stream, const char *const *fields)
{
  g_autoptr (GByteArray) block = g_byte_array_new ();

  for (; *fields != NULL; fields++)
    {
      const char *value = strchr (*fields + 1, ':') + 1;
      const guint8 literal = 0;
      const guint8 name_length = (guint8) (value - 1 - *fields);
      const guint8 value_length = (guint8) strlen (value);

      g_byte_array_append (block, &literal, 1);
      g_byte_array_append (block, &name_length, 1);
      g_byte_array_append (block, (const guint8 *) *fields, name_length);
      g_byte_array_append (block, &value_length, 1);
      g_byte_array_append (block, (const guint8 *) value, value_length);
    }
  wire_frame (wire, 1, flags | 4, stream, block->data, block->len);
}

static void
wire_head (Wire *wire, guint32 stream)
{
  static const char *const head[] = { ":status:200", "content-type:application/grpc", NULL };

  wire_fields (wire, 0, stream, head);
}

static void
wire_message (Wire *wire, guint8 flags, guint32 stream)
{
  wire_frame (wire, 0, flags, stream, "\0\0\0\0\2hi", 7);
}

static void
wire_reset (Wire *wire, guint32 stream, guint8 code)
{
  const guint8 payload[4] = { 0, 0, 0, code };

  wire_frame (wire, 3, 0, stream, payload, 4);
}

/* Until the other side is gone. */
static void
wire_wait (Wire *wire)
{
  char buffer[4096];

  while (g_input_stream_read (wire->input, buffer, sizeof buffer, NULL, NULL) > 0)
    ;
}

static gboolean
wire_read (Wire *wire, gpointer data, gsize length)
{
  gsize got = 0;

  return g_input_stream_read_all (wire->input, data, length, &got, NULL, NULL) && got == length;
}

static void
speak_http2 (Wire *wire, WireAnswer answer)
{
  guint8 head[24];
  g_autofree guint8 *payload = g_malloc (1 << 24);

  wire_frame (wire, 4, 0, 0, "", 0);
  if (!wire_read (wire, head, 24))
    return;
  while (wire_read (wire, head, 9))
    {
      gsize length = (gsize) head[0] << 16 | (gsize) head[1] << 8 | head[2];
      guint32 stream =
          (guint32) head[5] << 24 | (guint32) head[6] << 16 | (guint32) head[7] << 8 | head[8];

      if (!wire_read (wire, payload, length))
        return;
      if (head[3] == 4 && (head[4] & 1) == 0)
        wire_frame (wire, 4, 1, 0, "", 0);
      else if (head[3] == 0 && (head[4] & 1) != 0)
        answer (wire, stream);
    }
}

static gboolean
run_cb (GThreadedSocketService *service,
        GSocketConnection *connection,
        GObject *source,
        gpointer user_data)
{
  WireServer *server = user_data;
  Wire wire = { .input = g_io_stream_get_input_stream (G_IO_STREAM (connection)),
                .output = g_io_stream_get_output_stream (G_IO_STREAM (connection)),
                .connection = connection };

  g_socket_set_option (g_socket_connection_get_socket (connection), 6 /* TCP */, 1 /* NODELAY */, 1,
                       NULL);
  if (server->handler != NULL)
    server->handler (&wire);
  else
    speak_http2 (&wire, server->answer);
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  return TRUE;
}

static void
wire_server_start (WireServer *self)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) effective = NULL;
  GError *error = NULL;

  self->service = g_threaded_socket_service_new (-1);
  g_signal_connect (self->service, "run", G_CALLBACK (run_cb), self);
  g_socket_listener_add_address (G_SOCKET_LISTENER (self->service), address, G_SOCKET_TYPE_STREAM,
                                 G_SOCKET_PROTOCOL_TCP, NULL, &effective, &error);
  g_assert_no_error (error);
  self->target = g_strdup_printf (
      "127.0.0.1:%u", g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective)));
}

static void
wire_server_stop (WireServer *self)
{
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (self->service)->ref_count == 1);
  g_object_unref (self->service);
  g_free (self->target);
}

static void
speak_http1 (Wire *wire)
{
  wire_write (wire, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", 47);
  wire_wait (wire);
}

static void
speak_ssh (Wire *wire)
{
  wire_write (wire, "SSH-2.0-OpenSSH_9.2\r\n", 21);
  wire_wait (wire);
}

static void
speak_garbage (Wire *wire)
{
  guint8 garbage[100];

  memset (garbage, 0xff, sizeof garbage);
  wire_write (wire, garbage, sizeof garbage);
  wire_wait (wire);
}

static void
speak_no_more (Wire *wire)
{
}

static void
speak_goaway_at_once (Wire *wire)
{
  char first[24];

  wire_frame (wire, 4, 0, 0, "", 0);
  wire_frame (wire, 7, 0, 0, "\0\0\0\0\0\0\0\0", 8);
  wire_read (wire, first, sizeof first);
}

static void
reset_at_once (Wire *wire, guint32 stream)
{
  wire_reset (wire, stream, 7 /* REFUSED_STREAM */);
}

static void
reset_after_head (Wire *wire, guint32 stream)
{
  wire_head (wire, stream);
  wire_reset (wire, stream, 2 /* INTERNAL_ERROR */);
}

static void
reset_in_message (Wire *wire, guint32 stream)
{
  wire_head (wire, stream);
  wire_frame (wire, 0, 0, stream, "\0\0\0\0\x9hi", 7);
  wire_reset (wire, stream, 2);
}

static void
reset_after_message (Wire *wire, guint32 stream)
{
  wire_head (wire, stream);
  wire_message (wire, 0, stream);
  wire_reset (wire, stream, 2);
}

static void
close_at_once (Wire *wire, guint32 stream)
{
  g_io_stream_close (G_IO_STREAM (wire->connection), NULL, NULL);
}

static void
close_after_message (Wire *wire, guint32 stream)
{
  wire_head (wire, stream);
  wire_message (wire, 0, stream);
  /* Not all at once: closing with input unread would reset, and take the message back. */
  g_socket_shutdown (g_socket_connection_get_socket (wire->connection), FALSE, TRUE, NULL);
  wire_wait (wire);
}

static void
goaway (Wire *wire, guint32 stream)
{
  wire_frame (wire, 7, 0, 0, "\0\0\0\0\0\0\0\0", 8);
}

static void
end_without_status (Wire *wire, guint32 stream)
{
  wire_head (wire, stream);
  wire_message (wire, 1, stream);
}

static void
end_without_anything (Wire *wire, guint32 stream)
{
  static const char *const head[] = { ":status:200", "content-type:application/grpc", NULL };

  wire_fields (wire, 1, stream, head);
}

static void
send_page (Wire *wire, guint32 stream)
{
  static const char *const head[] = { ":status:200", "content-type:text/html", NULL };

  wire_fields (wire, 0, stream, head);
  wire_frame (wire, 0, 1, stream, "<html>hello</html>", 18);
}

static void
send_502 (Wire *wire, guint32 stream)
{
  static const char *const head[] = { ":status:502", "content-type:text/html", NULL };

  wire_fields (wire, 0, stream, head);
  wire_frame (wire, 0, 1, stream, "<html>", 6);
}

static void
send_404 (Wire *wire, guint32 stream)
{
  static const char *const head[] = { ":status:404", NULL };

  wire_fields (wire, 1, stream, head);
}

static void
send_status_alone (Wire *wire, guint32 stream)
{
  static const char *const head[] = { ":status:200", "content-type:application/grpc",
                                      "grpc-status:14", "grpc-message:GOAWAY received", NULL };

  wire_fields (wire, 1, stream, head);
}

static void
send_compressed (Wire *wire, guint32 stream)
{
  static const char *const head[] = { ":status:200", "content-type:application/grpc",
                                      "grpc-encoding:gzip", NULL };
  static const char *const end[] = { "grpc-status:0", NULL };

  wire_fields (wire, 0, stream, head);
  wire_frame (wire, 0, 0, stream, "\1\0\0\0\2hi", 7);
  wire_fields (wire, 1, stream, end);
}

static void
send_endless_length (Wire *wire, guint32 stream)
{
  wire_head (wire, stream);
  wire_frame (wire, 0, 0, stream, "\0\xff\xff\xff\xffhi", 7);
}

static void
send_bad_hpack (Wire *wire, guint32 stream)
{
  wire_frame (wire, 1, 4, stream, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
}

static void
send_http1 (Wire *wire, guint32 stream)
{
  wire_write (wire, "HTTP/1.1 200 OK\r\n\r\n", 19);
}

static void
send_nothing (Wire *wire, guint32 stream)
{
}

static void
send_message_only (Wire *wire, guint32 stream)
{
  wire_head (wire, stream);
  wire_message (wire, 0, stream);
}

typedef struct
{
  const char *name;
  WireHandler handler;
  WireAnswer answer;
  int code; /* 0: a reply */
  guint status;
  guint sent;
  guint pieces;
} Case;

static const Case cases[] = {
  { "http1", speak_http1, NULL, TACHO_ERROR_PROTOCOL, 0, 0, 0 },
  { "ssh", speak_ssh, NULL, TACHO_ERROR_PROTOCOL, 0, 0, 0 },
  { "garbage", speak_garbage, NULL, TACHO_ERROR_PROTOCOL, 0, 0, 0 },
  { "accept-and-close", speak_no_more, NULL, TACHO_ERROR_REFUSED, 0, 0, 0 },
  { "silent", wire_wait, NULL, TACHO_ERROR_TIMEOUT_CONNECT, 0, 0, 0 },
  { "reset-at-once", NULL, reset_at_once, TACHO_ERROR_REFUSED, 0, 1, 0 },
  { "reset-after-head", NULL, reset_after_head, TACHO_ERROR_REFUSED, 0, 1, 0 },
  { "reset-in-message", NULL, reset_in_message, TACHO_ERROR_REFUSED, 0, 1, 0 },
  { "reset-after-message", NULL, reset_after_message, TACHO_ERROR_TRUNCATED, 0, 1, 1 },
  { "close-at-once", NULL, close_at_once, TACHO_ERROR_REFUSED, 0, 1, 0 },
  { "close-after-message", NULL, close_after_message, TACHO_ERROR_TRUNCATED, 0, 1, 1 },
  { "goaway", NULL, goaway, TACHO_ERROR_REFUSED, 0, 1, 0 },
  { "end-without-status", NULL, end_without_status, TACHO_ERROR_TRUNCATED, 0, 1, 1 },
  { "end-without-anything", NULL, end_without_anything, TACHO_ERROR_PROTOCOL, 0, 1, 0 },
  { "page", NULL, send_page, TACHO_ERROR_PROTOCOL, 0, 1, 0 },
  { "502", NULL, send_502, 0, 503, 1, 0 },
  { "404", NULL, send_404, 0, 501, 1, 0 },
  { "status-alone", NULL, send_status_alone, 0, 503, 1, 0 },
  { "compressed", NULL, send_compressed, TACHO_ERROR_PROTOCOL, 0, 1, 0 },
  { "endless-length", NULL, send_endless_length, TACHO_ERROR_TIMEOUT_FIRST, 0, 1, 0 },
  { "bad-hpack", NULL, send_bad_hpack, TACHO_ERROR_PROTOCOL, 0, 1, 0 },
  { "http1-later", NULL, send_http1, TACHO_ERROR_PROTOCOL, 0, 1, 0 },
  { "nothing", NULL, send_nothing, TACHO_ERROR_TIMEOUT_FIRST, 0, 1, 0 },
  { "message-only", NULL, send_message_only, TACHO_ERROR_TIMEOUT_IDLE, 0, 1, 1 },
};

static void
test_case (gconstpointer user_data)
{
  const Case *test = user_data;
  WireServer server = { .handler = test->handler, .answer = test->answer };
  TachoGrpcOptions options = { .timeout_connect = 0.5, .timeout_first = 0.5, .timeout_idle = 0.5 };
  TachoTransport *client;
  Run run = { 0 };
  gint64 start = g_get_monotonic_time ();

  wire_server_start (&server);
  options.target = server.target;
  client = run_client (&options);
  run_stream (&run, client, "/a.B/C");
  if (test->code != 0)
    {
      g_assert_error (run.error, TACHO_ERROR, test->code);
      g_assert_nonnull (strstr (run.error->message, server.target));
    }
  else
    {
      g_assert_no_error (run.error);
      g_assert_cmpuint (run.reply->status, ==, test->status);
    }
  g_assert_cmpuint (run.sent, ==, test->sent);
  g_assert_cmpuint (run.pieces, ==, test->pieces);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 2 * G_USEC_PER_SEC);
  run_clear (&run);
  run_close (client);
  wire_server_stop (&server);
}

/* A server that says goodbye as it says hello: whether the call was on the wire by then is a race,
 * but it was not answered. */
static void
test_goaway_at_once (void)
{
  WireServer server = { .handler = speak_goaway_at_once };
  TachoGrpcOptions options = { .timeout_connect = 0.5, .timeout_first = 0.5 };
  TachoTransport *client;
  Run run = { 0 };

  wire_server_start (&server);
  options.target = server.target;
  client = run_client (&options);
  run_stream (&run, client, "/a.B/C");
  g_assert_error (run.error, TACHO_ERROR, TACHO_ERROR_REFUSED);
  g_assert_cmpuint (run.pieces, ==, 0);
  run_clear (&run);
  run_close (client);
  wire_server_stop (&server);
}

/* A message larger than the window, and a server that reads none of it: the connection is there,
 * so this is no connect timeout. */
static void
test_never_reads (void)
{
  WireServer server = { .answer = send_nothing };
  TachoGrpcOptions options = { .timeout_connect = 2, .timeout_first = 0.5 };
  g_autofree char *body = g_strnfill (1024 * 1024, 'x');
  g_autoptr (GError) error = NULL;
  TachoTransport *client;

  wire_server_start (&server);
  options.target = server.target;
  client = run_client (&options);
  g_assert_null (run_send (client, "/a.B/C", body, 0, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TIMEOUT_FIRST);
  run_close (client);
  wire_server_stop (&server);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/net/grpc-wire/", cases[i].name, NULL);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/net/grpc-wire/goaway-at-once", test_goaway_at_once);
  g_test_add_func ("/net/grpc-wire/never-reads", test_never_reads);
  return g_test_run ();
}
