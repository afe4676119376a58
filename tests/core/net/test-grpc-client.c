/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gRPC calls: what may be asked for, what a server of the C core answers, and what becomes of
 * servers that are not there. */
#include "grpc-server.h"
#include "grpc-test.h"

#define BIG (65 * 1024 * 1024)

/* The method says what to do. */
static void
answer (GrpcServerCall *call)
{
  const char *name = strrchr (call->method, '/') + 1;

  grpc_server_read (call);
  if (g_str_equal (name, "Echo"))
    {
      gsize length;
      const char *data = g_bytes_get_data (call->message, &length);

      grpc_server_send_flags (call, data, length, 0);
      grpc_server_end (call, GRPC_STATUS_OK, "");
    }
  else if (g_str_equal (name, "Empty"))
    grpc_server_end (call, GRPC_STATUS_OK, "");
  else if (g_str_equal (name, "Three"))
    {
      grpc_server_send_head (call, "x-head", "yes");
      grpc_server_send (call, "one");
      grpc_server_send (call, "");
      grpc_server_send (call, "three");
      grpc_server_end (call, GRPC_STATUS_OK, "");
    }
  else if (g_str_equal (name, "Fail"))
    grpc_server_end (call, GRPC_STATUS_UNAVAILABLE, "Socket closed");
  else if (g_str_equal (name, "FailAfterHead"))
    {
      grpc_server_send_head (call, "x-head", "yes");
      grpc_server_end (call, GRPC_STATUS_UNAVAILABLE, "busy \xe2\x80\xae\x1b[31m");
    }
  else if (g_str_equal (name, "FailLate"))
    {
      grpc_server_send (call, "one");
      grpc_server_end (call, GRPC_STATUS_INTERNAL, "out of memory");
    }
  else if (g_str_has_prefix (name, "Status"))
    grpc_server_end (call, (grpc_status_code) atoi (name + 6), "said so");
  else if (g_str_equal (name, "Never"))
    grpc_server_hang (call);
  else if (g_str_equal (name, "OneThenNever"))
    {
      grpc_server_send (call, "one");
      grpc_server_hang (call);
    }
  else if (g_str_equal (name, "Endless"))
    {
      while (grpc_server_send (call, "more"))
        ;
      grpc_server_hang (call);
    }
  else if (g_str_equal (name, "Big"))
    {
      g_autofree char *big = g_malloc0 (BIG);

      grpc_server_send_flags (call, big, BIG, 0);
      grpc_server_end (call, GRPC_STATUS_OK, "");
    }
  else if (g_str_equal (name, "BigHead"))
    {
      g_autofree char *big = g_strnfill (20000, 'x');

      grpc_server_send_head (call, "x-head", big);
      grpc_server_end (call, GRPC_STATUS_OK, "");
    }
  else
    grpc_server_end (call, GRPC_STATUS_UNIMPLEMENTED, "no such method");
}

static void
test_refused_options (void)
{
  static const char *const junk_header[] = { "X-Data-Bin: aGk=", NULL };
  static const char *const reserved_header[] = { "grpc-timeout: 1S", NULL };
  static const char *const te_header[] = { "TE: trailers", NULL };
  static const char *const control_header[] = { "x-a: b\r\nx-c: d", NULL };
  const TachoGrpcOptions refused[] = {
    { .target = "127.0.0.1" },
    { .target = "" },
    { .target = "unix:/tmp/socket" },
    { .target = "xds:///a:1" },
    { .target = "dns:///a:1" },
    { .target = "a:b@c:1" },
    { .target = "a b:1" },
    { .target = "a:99999" },
    { .target = "a:1/path" },
    { .target = "[::1%25eth0]:1" },
    { .target = "127.0.0.1:1", .bearer = "a\nb" },
    { .target = "127.0.0.1:1", .bearer = "schl\xc3\xbcssel" },
    { .target = "127.0.0.1:1", .headers = junk_header },
    { .target = "127.0.0.1:1", .headers = reserved_header },
    { .target = "127.0.0.1:1", .headers = te_header },
    { .target = "127.0.0.1:1", .headers = control_header },
    { .target = "127.0.0.1:1", .tls = TRUE, .ca_file = "relative.pem" },
    { .target = "127.0.0.1:1", .tls = TRUE, .ca_file = "/nonexistent/ca.pem" },
    { .target = "127.0.0.1:1", .tls = TRUE, .ca_file = "/dev/null" },
    { .target = "127.0.0.1:1", .tls = TRUE, .cert_file = "/nonexistent/cert.pem" },
    { .target = "127.0.0.1:1", .tls = TRUE, .pin = "sha256:12" },
    { .target = "127.0.0.1:1", .pin = "sha256:12" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%u: %s", i, refused[i].target);
      g_assert_null (tacho_grpc_client_new (&refused[i], &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
      g_assert_null (strstr (error->message, "schl"));
    }
}

static void
check_unreached (const char *target, TachoErrorCode code)
{
  const TachoGrpcOptions options = { .target = target, .timeout_connect = 10 };
  g_autoptr (TachoHttpRequest) request = tacho_http_request_new ("gRPC", "/a.B/C");
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  TachoTransportCounters counters;
  TachoTransport *client = tacho_grpc_client_new (&options, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (tacho_transport_get_target (client), ==, target);
  g_assert_cmpint (tacho_transport_get_protocol (client), ==, TACHO_PROTOCOL_GRPC);
  tacho_transport_send_async (client, request, 0, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_null (tacho_transport_send_finish (client, result, &error));
  g_assert_error (error, TACHO_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, target));
  tacho_transport_get_counters (client, &counters);
  g_assert_cmpuint (counters.requests, ==, 1);
  g_assert_cmpuint (counters.failed, ==, 1);
  g_assert_cmpuint (counters.created, ==, 0);
  g_clear_object (&result);
  tacho_transport_close (client);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (client)->ref_count == 1);
  g_assert_finalize_object (client);
}

static void
test_unreached (void)
{
  check_unreached ("127.0.0.1:1", TACHO_ERROR_REFUSED);
  check_unreached ("localhost:1", TACHO_ERROR_REFUSED);
  check_unreached ("no-such-host.invalid:1", TACHO_ERROR_REFUSED);
}

static void
test_unary (void)
{
  static const char *const headers[] = { "X-Team: blue", NULL };
  GrpcServer *server = grpc_server_new (answer, NULL, 0);
  const TachoGrpcOptions options = {
    .target = server->target, .bearer = "k3y", .headers = headers, .timeout_total = 15
  };
  TachoTransport *client = run_client (&options);
  TachoTransportCounters counters;
  g_autofree char *authorization = NULL;
  g_autofree char *team = NULL;
  g_autofree char *agent = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (TachoHttpReply) reply = run_send (client, "/a.B/Echo", "hello", 0, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (reply->status, ==, 200);
      g_assert_cmpstr (tacho_http_reply_get_header (reply, "grpc-status"), ==, "0");
      g_assert_cmpstr (tacho_http_reply_get_header (reply, "x-trailer"), ==, "last");
      g_assert_cmpmem (g_bytes_get_data (reply->body, NULL), g_bytes_get_size (reply->body),
                       "hello", 5);
    }
  authorization = grpc_server_dup_seen (server, "authorization");
  team = grpc_server_dup_seen (server, "x-team");
  agent = grpc_server_dup_seen (server, "user-agent");
  g_assert_cmpstr (authorization, ==, "Bearer k3y");
  g_assert_cmpstr (team, ==, "blue");
  g_assert_true (g_str_has_prefix (agent, "tacho/"));
  TACHO_TEST_SPIN_UNTIL ((tacho_transport_get_counters (client, &counters), counters.created == 1));
  g_assert_cmpuint (counters.requests, ==, 5);
  g_assert_cmpuint (counters.reused, ==, 4);
  g_assert_cmpuint (counters.failed, ==, 0);
  g_assert_cmpuint (counters.open, ==, 1);
  g_assert_cmpuint (counters.idle, ==, 1);
  g_assert_cmpuint (counters.bytes_received, ==, 5 * (5 + 5));
  run_close (client);
  grpc_server_free (server);
}

static void
test_unary_ends (void)
{
  GrpcServer *server = grpc_server_new (answer, NULL, 0);
  const TachoGrpcOptions options = { .target = server->target, .timeout_total = 15 };
  TachoTransport *client = run_client (&options);
  static const guint http[] = { 200, 499, 500, 400, 504, 404, 409, 403, 429,
                                400, 409, 400, 501, 500, 503, 500, 401 };
  GError *error = NULL;
  TachoHttpReply *reply = run_send (client, "/a.B/Empty", "", 0, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 200);
  g_assert_cmpuint (g_bytes_get_size (reply->body), ==, 0);
  tacho_http_reply_free (reply);
  for (guint i = 1; i < G_N_ELEMENTS (http); i++)
    {
      g_autofree char *method = g_strdup_printf ("/a.B/Status%u", i);
      g_autofree char *number = g_strdup_printf ("%u", i);

      reply = run_send (client, method, "x", 0, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (reply->status, ==, http[i]);
      g_assert_cmpstr (tacho_http_reply_get_header (reply, "grpc-status"), ==, number);
      g_assert_cmpstr (tacho_http_reply_get_header (reply, "grpc-message"), ==, "said so");
      tacho_http_reply_free (reply);
    }
  /* A server's own words, although they are the core's for a lost connection. */
  reply = run_send (client, "/a.B/Fail", "x", 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 503);
  tacho_http_reply_free (reply);
  reply = run_send (client, "/a.B/FailAfterHead", "x", 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 503);
  g_assert_cmpstr (tacho_http_reply_get_header (reply, "x-head"), ==, "yes");
  tacho_http_reply_free (reply);
  run_close (client);
  grpc_server_free (server);
}

static void
test_stream (void)
{
  static const guint8 expected[] = "\0\0\0\0\3one\0\0\0\0\0\0\0\0\0\5three";
  GrpcServer *server = grpc_server_new (answer, NULL, 0);
  const TachoGrpcOptions options = { .target = server->target, .timeout_total = 15 };
  TachoTransport *client = run_client (&options);
  Run run = { 0 };
  Run late = { 0 };
  Run empty = { 0 };

  run_stream (&run, client, "/a.B/Three");
  g_assert_no_error (run.error);
  g_assert_cmpuint (run.reply->status, ==, 200);
  g_assert_cmpuint (run.sent, ==, 1);
  g_assert_false (run.reused);
  g_assert_cmpuint (run.pieces, ==, 3);
  g_assert_cmpmem (run.data->data, run.data->len, expected, sizeof expected - 1);
  g_assert_cmpstr (tacho_http_reply_get_header (run.reply, "x-head"), ==, "yes");
  /* A status that is not OK, after messages: a failure, not a success. */
  run_stream (&late, client, "/a.B/FailLate");
  g_assert_no_error (late.error);
  g_assert_true (late.reused);
  g_assert_cmpuint (late.pieces, ==, 1);
  g_assert_cmpuint (late.reply->status, ==, 500);
  g_assert_cmpstr (tacho_http_reply_get_header (late.reply, "grpc-status"), ==, "13");
  g_assert_cmpstr (tacho_http_reply_get_header (late.reply, "grpc-message"), ==, "out of memory");
  run_stream (&empty, client, "/a.B/Empty");
  g_assert_no_error (empty.error);
  g_assert_cmpuint (empty.heads, ==, 1);
  g_assert_cmpuint (empty.pieces, ==, 0);
  run_clear (&run);
  run_clear (&late);
  run_clear (&empty);
  run_close (client);
  grpc_server_free (server);
}

static void
check_error (const TachoGrpcOptions *options, const char *method, TachoErrorCode code)
{
  TachoTransport *client = run_client (options);
  Run run = { 0 };
  gint64 start = g_get_monotonic_time ();

  run_stream (&run, client, method);
  g_assert_error (run.error, TACHO_ERROR, (int) code);
  g_assert_cmpuint (run.sent, ==, 1);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 6 * G_USEC_PER_SEC);
  run_clear (&run);
  run_close (client);
}

static void
test_timeouts (void)
{
  GrpcServer *server = grpc_server_new (answer, NULL, 0);
  const TachoGrpcOptions first = { .target = server->target, .timeout_first = 0.2 };
  const TachoGrpcOptions idle = { .target = server->target,
                                  .timeout_first = 9,
                                  .timeout_idle = 0.2 };
  const TachoGrpcOptions total = { .target = server->target, .timeout_total = 0.3 };

  check_error (&first, "/a.B/Never", TACHO_ERROR_TIMEOUT_FIRST);
  check_error (&idle, "/a.B/OneThenNever", TACHO_ERROR_TIMEOUT_IDLE);
  check_error (&total, "/a.B/OneThenNever", TACHO_ERROR_TIMEOUT_TOTAL);
  check_error (&total, "/a.B/Endless", TACHO_ERROR_TIMEOUT_TOTAL);
  /* The server hears of each: nothing goes on computing for nobody. */
  TACHO_TEST_SPIN_UNTIL (g_atomic_int_get (&server->n_cancelled) == 4);
  grpc_server_free (server);
}

static void
test_limits (void)
{
  GrpcServer *server = grpc_server_new (answer, NULL, 0);
  const TachoGrpcOptions options = { .target = server->target, .timeout_total = 15 };

  check_error (&options, "/a.B/Big", TACHO_ERROR_PROTOCOL);
  check_error (&options, "/a.B/BigHead", TACHO_ERROR_PROTOCOL);
  grpc_server_free (server);
}

/* From inside the caller's own function, which is where a person's "stop" often comes from. */
static void
test_stop_in_data (void)
{
  GrpcServer *server = grpc_server_new (answer, NULL, 0);
  const TachoGrpcOptions options = { .target = server->target, .timeout_total = 15 };

  for (guint i = 0; i < 3; i++)
    {
      const int code = i == 2 ? TACHO_ERROR_IN_BAND : TACHO_ERROR_CANCELLED;
      TachoTransport *client = run_client (&options);
      Run run;

      run_init (&run, client);
      run.cancel_after = i == 0 ? 3 : 0;
      run.close_in_data = i == 1;
      run.refuse = i == 2;
      run_stream (&run, client, "/a.B/Endless");
      g_assert_error (run.error, TACHO_ERROR, code);
      if (i > 0)
        g_assert_cmpuint (run.pieces, ==, 1);
      run_clear (&run);
      run_close (client);
    }
  TACHO_TEST_SPIN_UNTIL (g_atomic_int_get (&server->n_cancelled) == 3);
  grpc_server_free (server);
}

static void
test_cancel_and_close (void)
{
  GrpcServer *server = grpc_server_new (answer, NULL, 0);
  const TachoGrpcOptions options = { .target = server->target };
  TachoTransport *client = run_client (&options);
  g_autoptr (TachoHttpRequest) request = tacho_http_request_new ("gRPC", "/a.B/Never");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) cancelled = NULL;
  g_autoptr (GAsyncResult) closed = NULL;
  g_autoptr (GError) error = NULL;

  tacho_transport_send_async (client, request, 0, cancellable, tacho_test_store_result_cb,
                              &cancelled);
  tacho_transport_send_async (client, request, 0, NULL, tacho_test_store_result_cb, &closed);
  TACHO_TEST_SPIN_UNTIL (g_atomic_int_get (&server->n_calls) == 2);
  g_cancellable_cancel (cancellable);
  TACHO_TEST_SPIN_UNTIL (cancelled != NULL);
  g_assert_null (tacho_transport_send_finish (client, cancelled, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  g_clear_error (&error);
  TACHO_TEST_SPIN_UNTIL (g_atomic_int_get (&server->n_cancelled) == 1);
  g_assert_null (closed);
  tacho_transport_close (client);
  TACHO_TEST_SPIN_UNTIL (closed != NULL);
  g_assert_null (tacho_transport_send_finish (client, closed, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_clear_object (&cancelled);
  g_clear_object (&closed);
  g_assert_null (run_send (client, "/a.B/Echo", "", 0, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  run_close (client);
  grpc_server_free (server);
}

/* A server that comes back is reached by the next call, not after a backoff. */
static void
test_restart (void)
{
  GrpcServer *server = grpc_server_new (answer, NULL, 0);
  g_autofree char *target = g_strdup (server->target);
  const TachoGrpcOptions options = { .target = target, .timeout_total = 15 };
  TachoTransport *client = run_client (&options);
  guint16 port = server->port;
  TachoHttpReply *reply;
  GError *error = NULL;
  gint64 start;

  reply = run_send (client, "/a.B/Echo", "1", 0, &error);
  g_assert_no_error (error);
  tacho_http_reply_free (reply);
  grpc_server_free (server);
  for (guint i = 0; i < 5; i++)
    {
      g_assert_null (run_send (client, "/a.B/Echo", "2", 0, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_REFUSED);
      g_clear_error (&error);
    }
  server = grpc_server_new (answer, NULL, port);
  start = g_get_monotonic_time ();
  reply = run_send (client, "/a.B/Echo", "3", 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 200);
  g_assert_cmpint (g_get_monotonic_time () - start, <, G_USEC_PER_SEC);
  tacho_http_reply_free (reply);
  run_close (client);
  grpc_server_free (server);
}

#define N_AT_ONCE 100

typedef struct
{
  GThread *thread;
  guint done;
} AtOnce;

static void
at_once_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  AtOnce *all = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply =
      tacho_transport_send_finish (TACHO_TRANSPORT (source), result, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 200);
  g_assert_cmpmem (g_bytes_get_data (reply->body, NULL), g_bytes_get_size (reply->body), "x", 1);
  g_assert_true (g_thread_self () == all->thread);
  all->done++;
}

static gpointer
call_at_once (gpointer target)
{
  GMainContext *context = g_main_context_new ();
  const TachoGrpcOptions options = { .target = target, .timeout_total = 15 };
  AtOnce all = { .thread = g_thread_self () };
  TachoTransportCounters counters;
  TachoTransport *client;

  g_main_context_push_thread_default (context);
  client = run_client (&options);
  for (guint i = 0; i < N_AT_ONCE; i++)
    {
      g_autoptr (TachoHttpRequest) request = tacho_http_request_new ("gRPC", "/a.B/Echo");

      request->body = g_bytes_new_static ("x", 1);
      tacho_transport_send_async (client, request, 0, NULL, at_once_cb, &all);
    }
  while (all.done < N_AT_ONCE)
    g_main_context_iteration (context, TRUE);
  tacho_transport_get_counters (client, &counters);
  g_assert_cmpuint (counters.requests, ==, N_AT_ONCE);
  g_assert_cmpuint (counters.failed, ==, 0);
  g_assert_cmpuint (counters.created, <=, 1);
  tacho_transport_close (client);
  while (G_OBJECT (client)->ref_count > 1)
    g_main_context_iteration (context, TRUE);
  g_assert_finalize_object (client);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  return NULL;
}

/* On a context that is not the default one, from a thread that is not the main one: each result
 * comes there. */
static void
test_at_once (void)
{
  GrpcServer *server = grpc_server_new (answer, NULL, 0);
  GThread *threads[2];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("caller", call_at_once, server->target);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (g_atomic_int_get (&server->n_calls), ==, 2 * N_AT_ONCE);
  grpc_server_free (server);
}

static void
test_bad_requests (void)
{
  const TachoGrpcOptions options = { .target = "127.0.0.1:1" };
  TachoTransport *client = run_client (&options);
  static const char *const paths[] = { "/a b/c", "/a/b?c", "/a\r\nb" };
  g_autoptr (TachoHttpRequest) request = tacho_http_request_new ("gRPC", "/a.B/C");
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_assert_null (run_send (client, paths[i], "", 0, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
      g_clear_error (&error);
    }
  tacho_http_request_add_header (request, "grpc-encoding", "gzip");
  tacho_transport_send_async (client, request, 0, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_null (tacho_transport_send_finish (client, result, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_clear_object (&result);
  run_close (client);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/net/grpc/refused-options", test_refused_options);
  g_test_add_func ("/net/grpc/unreached", test_unreached);
  g_test_add_func ("/net/grpc/unary", test_unary);
  g_test_add_func ("/net/grpc/unary-ends", test_unary_ends);
  g_test_add_func ("/net/grpc/stream", test_stream);
  g_test_add_func ("/net/grpc/timeouts", test_timeouts);
  g_test_add_func ("/net/grpc/limits", test_limits);
  g_test_add_func ("/net/grpc/stop-in-data", test_stop_in_data);
  g_test_add_func ("/net/grpc/cancel-and-close", test_cancel_and_close);
  g_test_add_func ("/net/grpc/restart", test_restart);
  g_test_add_func ("/net/grpc/at-once", test_at_once);
  g_test_add_func ("/net/grpc/bad-requests", test_bad_requests);
  return g_test_run ();
}
