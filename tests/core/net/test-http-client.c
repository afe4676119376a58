/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The HTTP client against a server of raw bytes: reuse, trust, framing, deadlines, cancellation. */
#include "test-utils.h"

#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "net/tacho-http-client.h"
#include "raw-server.h"

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static TachoHttpClient *
new_client (const char *url)
{
  const TachoHttpOptions options = { .base_url = url };
  GError *error = NULL;
  TachoHttpClient *client = tacho_http_client_new (&options, &error);

  g_assert_no_error (error);
  return client;
}

static TachoHttpRequest *
new_request (const char *method)
{
  TachoHttpRequest *request = tacho_http_request_new (method, "/v1/thing");

  if (g_str_equal (method, "POST"))
    tacho_http_request_set_json (request, g_strdup ("{\"a\":1}"));
  return request;
}

static TachoHttpReply *
send (TachoHttpClient *client, const char *method, GError **error)
{
  g_autoptr (TachoHttpRequest) request = new_request (method);
  g_autoptr (GAsyncResult) result = NULL;

  tacho_http_client_send_async (client, request, 0, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  return tacho_http_client_send_finish (client, result, error);
}

static void
assert_fails (TachoHttpClient *client, const char *method, int code, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = send (client, method, &error);

  g_assert_null (reply);
  g_assert_error (error, TACHO_ERROR, code);
  if (words != NULL && strstr (error->message, words) == NULL)
    g_error ("“%s” does not say “%s”", error->message, words);
}

static void
free_client (TachoHttpClient *client)
{
  tacho_http_client_close (client);
  /* libsoup lets go of closed connections from the main loop. */
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (client)->ref_count == 1);
  g_assert_finalize_object (client);
}

/* --- what goes out --- */

static void
test_request (void)
{
  RawServer *server = raw_server_new (raw_answer, OK_REPLY);
  const char *const headers[] = { "X-Team: blue", NULL };
  const TachoHttpOptions options = { .base_url = server->url, .bearer = "k3y", .headers = headers };
  TachoHttpClient *client = tacho_http_client_new (&options, NULL);
  g_autoptr (TachoHttpReply) reply = send (client, "POST", NULL);
  const char *request = g_ptr_array_index (server->requests, 0);

  g_assert_cmpuint (reply->status, ==, 200);
  g_assert_cmpmem (g_bytes_get_data (reply->body, NULL), g_bytes_get_size (reply->body), "{}", 2);
  g_assert_true (g_str_has_prefix (request, "POST /v1/thing HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (request, "\r\nAuthorization: Bearer k3y\r\n"));
  g_assert_nonnull (strstr (request, "\r\nX-Team: blue\r\n"));
  g_assert_nonnull (strstr (request, "\r\nAccept-Encoding: identity\r\n"));
  g_assert_nonnull (strstr (request, "\r\nContent-Type: application/json\r\n"));
  g_assert_nonnull (strstr (request, "\r\nUser-Agent: tacho/"));
  g_assert_true (g_str_has_suffix (request, "\r\n\r\n{\"a\":1}"));
  g_assert_null (strstr (request, "Upgrade"));
  free_client (client);
  raw_server_free (server);
}

static void
test_key_refused (void)
{
  const char *const keys[] = { "secret\r\nX-Evil: 1", "secret\n", "sec\rret", "secret\001" };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      const TachoHttpOptions options = { .base_url = "http://127.0.0.1:1", .bearer = keys[i] };
      g_autoptr (GError) error = NULL;

      g_assert_null (tacho_http_client_new (&options, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
      g_assert_null (strstr (error->message, "secret"));
    }
}

static void
test_url_refused (void)
{
  const char *const urls[] = {
    "http://x%0d%0aX-Injected%3A%201/", "ftp://127.0.0.1", "http://",
    "http://user:pw@127.0.0.1",         "nonsense",        "http://a b/"
  };

  for (guint i = 0; i < G_N_ELEMENTS (urls); i++)
    {
      const TachoHttpOptions options = { .base_url = urls[i] };
      g_autoptr (GError) error = NULL;

      g_assert_null (tacho_http_client_new (&options, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
    }
}

static void
test_cookies_forgotten (void)
{
  RawServer *server = raw_server_new (
      raw_answer, "HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 2\r\n\r\n{}");
  TachoHttpClient *client = new_client (server->url);

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TachoHttpReply) reply = send (client, "GET", NULL);

      g_assert_cmpuint (reply->status, ==, 200);
    }
  g_assert_null (strstr (g_ptr_array_index (server->requests, 1), "ookie"));
  free_client (client);
  raw_server_free (server);
}

/* --- connections --- */

static void
test_reuse_sequential (void)
{
  RawServer *server = raw_server_new (raw_answer, OK_REPLY);
  TachoHttpClient *client = new_client (server->url);
  TachoTransportCounters counters;

  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (TachoHttpReply) reply = send (client, "POST", NULL);

      g_assert_nonnull (reply);
    }
  g_assert_cmpuint (server->connections->len, ==, 1);
  g_assert_cmpuint (server->requests->len, ==, 50);
  tacho_http_client_get_counters (client, &counters);
  g_assert_cmpuint (counters.requests, ==, 50);
  g_assert_cmpuint (counters.created, ==, 1);
  g_assert_cmpuint (counters.reused, ==, 49);
  g_assert_cmpuint (counters.failed, ==, 0);
  g_assert_cmpuint (counters.open, ==, 1);
  g_assert_cmpuint (counters.idle, ==, 1);
  g_assert_cmpuint (counters.bytes_received, ==, 100);
  free_client (client);
  raw_server_free (server);
}

static void
count_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply =
      tacho_http_client_send_finish (TACHO_HTTP_CLIENT (source), result, &error);

  g_assert_no_error (error);
  g_assert_nonnull (reply);
  (*(guint *) user_data)++;
}

static void
test_reuse_concurrent (void)
{
  RawServer *server = raw_server_new (raw_answer, OK_REPLY);
  TachoHttpClient *client = new_client (server->url);
  TachoTransportCounters counters;

  for (guint round = 0; round < 5; round++)
    {
      guint done = 0;

      for (guint i = 0; i < 8; i++)
        {
          g_autoptr (TachoHttpRequest) request = new_request ("POST");

          tacho_http_client_send_async (client, request, 0, NULL, count_cb, &done);
        }
      TACHO_TEST_SPIN_UNTIL (done == 8);
    }
  g_assert_cmpuint (server->requests->len, ==, 40);
  g_assert_cmpuint (server->connections->len, >, 2); /* libsoup's own default would allow two */
  g_assert_cmpuint (server->connections->len, <=, 8);
  tacho_http_client_get_counters (client, &counters);
  g_assert_cmpuint (counters.created, ==, server->connections->len);
  g_assert_cmpuint (counters.created + counters.reused, ==, 40);
  free_client (client);
  raw_server_free (server);
}

static void
drop_second (RawConnection *connection, const char *request, gpointer user_data)
{
  if (connection->requests == 1)
    raw_send (connection, OK_REPLY);
  else
    raw_close (connection);
}

/* A generation must not run twice because a connection died under it. */
static void
test_dropped_post_not_resent (void)
{
  RawServer *server = raw_server_new (drop_second, NULL);
  TachoHttpClient *client = new_client (server->url);
  g_autoptr (TachoHttpReply) first = send (client, "POST", NULL);

  g_assert_nonnull (first);
  assert_fails (client, "POST", TACHO_ERROR_REFUSED, "without an answer");
  g_assert_cmpuint (server->requests->len, ==, 2);
  g_assert_cmpuint (server->connections->len, ==, 1);
  free_client (client);
  raw_server_free (server);
}

/* Reading is safe to repeat: libsoup does, once, and the counters stay true. */
static void
test_dropped_get_resent (void)
{
  RawServer *server = raw_server_new (drop_second, NULL);
  TachoHttpClient *client = new_client (server->url);
  g_autoptr (TachoHttpReply) first = send (client, "GET", NULL);
  g_autoptr (TachoHttpReply) second = send (client, "GET", NULL);
  TachoTransportCounters counters;

  g_assert_nonnull (first);
  g_assert_nonnull (second);
  g_assert_cmpuint (server->connections->len, ==, 2);
  tacho_http_client_get_counters (client, &counters);
  g_assert_cmpuint (counters.created, ==, 2);
  g_assert_cmpuint (counters.reused, ==, 0);
  free_client (client);
  raw_server_free (server);
}

static void
test_queue_cancel (void)
{
  RawServer *server = raw_server_new (raw_no_answer, NULL);
  const TachoHttpOptions options = { .base_url = server->url, .max_connections = 1 };
  TachoHttpClient *client = tacho_http_client_new (&options, NULL);
  g_autoptr (TachoHttpRequest) request = new_request ("POST");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) queued = NULL;
  g_autoptr (GError) error = NULL;

  tacho_http_client_send_async (client, request, 0, NULL, tacho_test_store_result_cb, &first);
  TACHO_TEST_SPIN_UNTIL (server->requests->len == 1);
  tacho_http_client_send_async (client, request, 0, cancellable, tacho_test_store_result_cb,
                                &queued);
  g_cancellable_cancel (cancellable);
  TACHO_TEST_SPIN_UNTIL (queued != NULL);
  g_assert_null (tacho_http_client_send_finish (client, queued, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  g_assert_null (first);
  tacho_http_client_close (client);
  TACHO_TEST_SPIN_UNTIL (first != NULL);
  g_clear_error (&error);
  g_assert_null (tacho_http_client_send_finish (client, first, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  g_clear_object (&first);
  g_clear_object (&queued);
  free_client (client);
  raw_server_free (server);
}

/* --- what a server may not make us do --- */

static void
test_redirect (gconstpointer data)
{
  guint status = GPOINTER_TO_UINT (data);
  RawServer *other = raw_server_new (raw_answer, OK_REPLY);
  g_autofree char *answer =
      g_strdup_printf ("HTTP/1.1 %u Moved\r\nLocation: %s/v1/thing\r\nContent-Length: 0\r\n\r\n",
                       status, other->url);
  RawServer *server = raw_server_new (raw_answer, answer);
  const char *const headers[] = { "x-api-key: s3cret", NULL };
  const TachoHttpOptions options = { .base_url = server->url, .bearer = "k", .headers = headers };
  TachoHttpClient *client = tacho_http_client_new (&options, NULL);
  const char *const methods[] = { "GET", "POST" };

  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    {
      g_autoptr (TachoHttpReply) reply = send (client, methods[i], NULL);
      g_autofree char *location = g_strconcat (other->url, "/v1/thing", NULL);

      g_assert_cmpuint (reply->status, ==, status);
      g_assert_cmpstr (tacho_http_reply_get_header (reply, "location"), ==, location);
    }
  g_assert_cmpuint (other->connections->len, ==, 0);
  g_assert_cmpuint (server->requests->len, ==, 2);
  free_client (client);
  raw_server_free (server);
  raw_server_free (other);
}

static void
test_refused_replies (void)
{
  const struct
  {
    const char *reply;
    int code;
    const char *words;
  } rows[] = {
    { "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
      TACHO_ERROR_PROTOCOL, "compressed" },
    { "HTTP/1.1 200 OK\r\nContent-Encoding: identity, br\r\nContent-Length: 2\r\n\r\n{}",
      TACHO_ERROR_PROTOCOL, "compressed" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}abc",
      TACHO_ERROR_PROTOCOL, "Content-Length" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n{}", TACHO_ERROR_PROTOCOL, "Content-Length" },
    { "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}", TACHO_ERROR_PROTOCOL, "Content-Length" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 5abc\r\n\r\n{}", TACHO_ERROR_PROTOCOL, NULL },
    { "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}", TACHO_ERROR_PROTOCOL, "Content-Length" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}", TACHO_ERROR_PROTOCOL,
      "Content-Length" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}", TACHO_ERROR_PROTOCOL,
      "more than Tacho takes" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gobbledygook\r\n\r\n{}", TACHO_ERROR_PROTOCOL, NULL },
    { "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u2\r\n\r\n", TACHO_ERROR_PROTOCOL, "HTTP server" },
    { "\026\003\001\002\000\001\r\n\r\n", TACHO_ERROR_PROTOCOL, "HTTP server" },
    { "HTTP/1.1 99999 What\r\n\r\n", TACHO_ERROR_PROTOCOL, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      RawServer *server = raw_server_new (raw_answer_and_close, (gpointer) rows[i].reply);
      TachoHttpClient *client = new_client (server->url);

      assert_fails (client, "POST", rows[i].code, rows[i].words);
      free_client (client);
      raw_server_free (server);
    }
}

static void
test_header_flood (void)
{
  GString *reply = g_string_new ("HTTP/1.1 200 OK\r\n");
  RawServer *server;
  TachoHttpClient *client;

  for (guint i = 0; i < 1500; i++)
    g_string_append_printf (reply, "X-%u: y\r\n", i);
  g_string_append (reply, "Content-Length: 0\r\n\r\n");
  server = raw_server_new (raw_answer_and_close, reply->str);
  client = new_client (server->url);
  assert_fails (client, "GET", TACHO_ERROR_PROTOCOL, "header lines");
  free_client (client);
  raw_server_free (server);

  g_string_truncate (reply, 0);
  g_string_append (reply, "HTTP/1.1 200 OK\r\nX-Long: ");
  for (guint i = 0; i < 100 * 1024; i++)
    g_string_append_c (reply, 'a');
  g_string_append (reply, "\r\nContent-Length: 0\r\n\r\n");
  server = raw_server_new (raw_answer_and_close, reply->str);
  client = new_client (server->url);
  assert_fails (client, "GET", TACHO_ERROR_PROTOCOL, NULL);
  free_client (client);
  raw_server_free (server);
  g_string_free (reply, TRUE);
}

static void
test_accepted_replies (void)
{
  const struct
  {
    const char *reply;
    guint status;
    const char *body;
  } rows[] = {
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 200, "{}" },
    { "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}", 200, "{}" },
    { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, "{}" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n", 200,
      "{}" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: "
      "9\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
      200, "{}" },
    { "HTTP/1.0 200 OK\r\n\r\n{}", 200, "{}" },
    { "HTTP/1.1 204 No Content\r\n\r\n", 204, "" },
    { "HTTP/1.1 503 Loading\r\nContent-Length: 4\r\n\r\nbusy", 503, "busy" },
    { "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", 200, "{}" },
    /* The vector that crashes libsoup's default session on ports 80 and 443 (CVE-2025-4476). */
    { "HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"y\", "
      "domain=\"http:foo\"\r\n"
      "Content-Length: 0\r\n\r\n",
      401, "" },
    { "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n", 401,
      "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      RawServer *server = raw_server_new (raw_answer_and_close, (gpointer) rows[i].reply);
      TachoHttpClient *client = new_client (server->url);
      g_autoptr (GError) error = NULL;
      g_autoptr (TachoHttpReply) reply = send (client, "POST", &error);

      g_assert_no_error (error);
      g_assert_cmpuint (reply->status, ==, rows[i].status);
      g_assert_cmpmem (g_bytes_get_data (reply->body, NULL), g_bytes_get_size (reply->body),
                       rows[i].body, strlen (rows[i].body));
      g_assert_cmpuint (server->requests->len, ==, 1);
      free_client (client);
      raw_server_free (server);
    }
}

static void
drip_reply (RawConnection *connection, const char *request, gpointer user_data)
{
  raw_drip (connection, user_data, 1, 0);
}

static void
test_split_head (void)
{
  RawServer *server = raw_server_new (
      drip_reply, "HTTP/1.1 200 OK\r\nServer: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "5\r\nhello\r\n3\r\n, w\r\n4\r\norld\r\n0\r\n\r\n");
  TachoHttpClient *client = new_client (server->url);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = send (client, "POST", &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (reply->body, NULL), g_bytes_get_size (reply->body),
                   "hello, world", 12);
  free_client (client);
  raw_server_free (server);
}

/* --- bodies that end too early --- */

static void
test_short_length (void)
{
  const char *const replies[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
    /* libsoup takes this one for whole. */
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\n{}",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (replies); i++)
    {
      RawServer *server = raw_server_new (raw_answer_and_close, (gpointer) replies[i]);
      TachoHttpClient *client = new_client (server->url);

      assert_fails (client, "POST", TACHO_ERROR_TRUNCATED, NULL);
      free_client (client);
      raw_server_free (server);
    }
}

typedef struct
{
  GString *data;
  guint heads;
  guint reads;
  guint sent;
  gint64 sent_ns;
  gint64 last_ns;
  gboolean reused;
  TachoHttpClient *close_in_data;
  gboolean refuse_head;
  gboolean refuse_data;
} Seen;

static void
seen_sent (gint64 now_ns, gboolean reused, gpointer user_data)
{
  Seen *seen = user_data;

  seen->sent++;
  seen->sent_ns = now_ns;
  seen->reused = reused;
}

static gboolean
seen_head (const TachoHttpReply *head, gpointer user_data, GError **error)
{
  Seen *seen = user_data;

  seen->heads++;
  g_assert_cmpuint (g_bytes_get_size (head->body), ==, 0);
  if (seen->refuse_head)
    g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL, "no such head");
  return !seen->refuse_head;
}

static gboolean
seen_data (const char *data, gsize length, gint64 now_ns, gpointer user_data, GError **error)
{
  Seen *seen = user_data;

  g_assert_cmpint (now_ns, >=, seen->last_ns);
  seen->last_ns = now_ns;
  seen->reads++;
  g_string_append_len (seen->data, data, (gssize) length);
  if (seen->close_in_data != NULL)
    tacho_http_client_close (seen->close_in_data);
  if (seen->refuse_data)
    g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL, "no such data");
  return !seen->refuse_data;
}

static const TachoStreamFuncs seen_funcs = { seen_sent, seen_head, seen_data };

static TachoHttpReply *
stream (TachoHttpClient *client, Seen *seen, GError **error)
{
  g_autoptr (TachoHttpRequest) request = new_request ("POST");
  g_autoptr (GAsyncResult) result = NULL;

  seen->data = g_string_new (NULL);
  tacho_http_client_stream_async (client, request, &seen_funcs, seen, NULL,
                                  tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  return tacho_http_client_stream_finish (client, result, error);
}

static void
test_stream (void)
{
  RawServer *server =
      raw_server_new (raw_answer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n");
  TachoHttpClient *client = new_client (server->url);

  for (guint i = 0; i < 3; i++)
    {
      Seen seen = { 0 };
      g_autoptr (GError) error = NULL;
      gint64 before_ns = tacho_clock_now_ns ();
      g_autoptr (TachoHttpReply) reply = stream (client, &seen, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (reply->status, ==, 200);
      g_assert_cmpuint (g_bytes_get_size (reply->body), ==, 0);
      g_assert_cmpstr (seen.data->str, ==, "hello, world");
      g_assert_cmpuint (seen.heads, ==, 1);
      g_assert_cmpuint (seen.sent, ==, 1);
      g_assert_cmpint (seen.sent_ns, >=, before_ns);
      g_assert_cmpint (seen.last_ns, >, seen.sent_ns);
      g_assert_cmpint (seen.reused, ==, i > 0);
      g_string_free (seen.data, TRUE);
    }
  g_assert_cmpuint (server->connections->len, ==, 1);
  free_client (client);
  raw_server_free (server);
}

static void
test_stream_error_status (void)
{
  RawServer *server =
      raw_server_new (raw_answer, "HTTP/1.1 429 Slow down\r\nContent-Length: 5\r\n\r\nlater");
  TachoHttpClient *client = new_client (server->url);
  Seen seen = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = stream (client, &seen, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 429);
  g_assert_cmpmem (g_bytes_get_data (reply->body, NULL), g_bytes_get_size (reply->body), "later",
                   5);
  g_assert_cmpuint (seen.heads, ==, 0);
  g_assert_cmpuint (seen.reads, ==, 0);
  g_string_free (seen.data, TRUE);
  free_client (client);
  raw_server_free (server);
}

static void
test_stream_refused (void)
{
  RawServer *server = raw_server_new (
      raw_answer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  TachoHttpClient *client = new_client (server->url);

  for (guint i = 0; i < 2; i++)
    {
      Seen seen = { .refuse_head = i == 0, .refuse_data = i == 1 };
      g_autoptr (GError) error = NULL;
      g_autoptr (TachoHttpReply) reply = stream (client, &seen, &error);

      g_assert_null (reply);
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL);
      g_assert_cmpstr (error->message, ==, i == 0 ? "no such head" : "no such data");
      g_assert_cmpuint (seen.reads, ==, i);
      TACHO_TEST_SPIN_UNTIL (server->n_closed == i + 1);
      g_string_free (seen.data, TRUE);
    }
  free_client (client);
  raw_server_free (server);
}

/* libsoup 3.2 ends this cleanly; the terminal marker, which the decoder demands, tells the
 * truth. */
static void
test_stream_cut_between_chunks (void)
{
  RawServer *server = raw_server_new (
      raw_answer_and_close, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  TachoHttpClient *client = new_client (server->url);
  Seen seen = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = stream (client, &seen, &error);

  g_assert_cmpstr (seen.data->str, ==, "hello");
  if (reply == NULL)
    g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TRUNCATED); /* from libsoup 3.6.5 on */
  g_string_free (seen.data, TRUE);
  free_client (client);
  raw_server_free (server);
}

static void
test_close_in_data (void)
{
  RawServer *server = raw_server_new (
      raw_answer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  TachoHttpClient *client = new_client (server->url);
  Seen seen = { .close_in_data = client };
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = stream (client, &seen, &error);

  g_assert_null (reply);
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  g_assert_cmpuint (seen.reads, ==, 1);
  TACHO_TEST_SPIN_UNTIL (server->n_closed == 1);
  assert_fails (client, "GET", TACHO_ERROR_CANCELLED, "closed");
  g_string_free (seen.data, TRUE);
  free_client (client);
  raw_server_free (server);
}

/* --- deadlines --- */

static void
assert_times_out (const TachoHttpOptions *options, int code, const char *words)
{
  GError *error = NULL;
  TachoHttpClient *client = tacho_http_client_new (options, &error);
  gint64 begin = g_get_monotonic_time ();

  g_assert_no_error (error);
  assert_fails (client, "POST", code, words);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 10 * G_USEC_PER_SEC);
  free_client (client);
}

static void
test_refused (void)
{
  RawServer *server = raw_server_new (raw_no_answer, NULL);
  g_autofree char *url = g_strdup (server->url);
  g_autofree char *words = g_strdup_printf ("Nothing listens on %s: is the server running?", url);
  TachoHttpClient *client;

  raw_server_free (server);
  client = new_client (url);
  assert_fails (client, "GET", TACHO_ERROR_REFUSED, words);
  free_client (client);
}

static void
test_unknown_host (void)
{
  TachoHttpClient *client = new_client ("http://no-such-host.invalid");

  assert_fails (client, "GET", TACHO_ERROR_REFUSED, "http://no-such-host.invalid");
  free_client (client);
}

/* A listener whose queue is full drops what knocks: connecting hangs. */
static void
test_timeout_connect (void)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocket) listener =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GPtrArray) knocking = g_ptr_array_new_with_free_func (g_object_unref);
  g_autofree char *url = NULL;
  TachoHttpOptions options = { .timeout_connect = 0.2, .timeout_total = 15 };

  g_assert_true (g_socket_bind (listener, address, FALSE, NULL));
  g_socket_set_listen_backlog (listener, 0);
  g_assert_true (g_socket_listen (listener, NULL));
  local = g_socket_get_local_address (listener, NULL);
  for (guint i = 0; i < 4; i++)
    {
      GSocket *socket =
          g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);

      g_socket_set_blocking (socket, FALSE);
      g_socket_connect (socket, local, NULL, NULL);
      g_ptr_array_add (knocking, socket);
    }
  url = g_strdup_printf ("http://127.0.0.1:%u",
                         g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (local)));
  options.base_url = url;
  assert_times_out (&options, TACHO_ERROR_TIMEOUT_CONNECT, "within 0.2 s");
}

static void
test_timeout_first (void)
{
  RawServer *server = raw_server_new (raw_no_answer, NULL);
  TachoHttpOptions options = {
    .base_url = server->url, .timeout_first = 0.2, .timeout_idle = 15, .timeout_total = 15
  };

  assert_times_out (&options, TACHO_ERROR_TIMEOUT_FIRST, "first-byte");
  TACHO_TEST_SPIN_UNTIL (server->n_closed == 1);
  /* A head is not yet an answer: a server may send it before it begins to think. */
  server->handler = raw_answer;
  server->handler_data = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  assert_times_out (&options, TACHO_ERROR_TIMEOUT_FIRST, "first-byte");
  TACHO_TEST_SPIN_UNTIL (server->n_closed == 2);
  raw_server_free (server);
}

static void
test_timeout_idle (void)
{
  RawServer *server = raw_server_new (raw_answer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{");
  const TachoHttpOptions options = {
    .base_url = server->url, .timeout_first = 15, .timeout_idle = 0.2, .timeout_total = 15
  };

  assert_times_out (&options, TACHO_ERROR_TIMEOUT_IDLE, "idle");
  TACHO_TEST_SPIN_UNTIL (server->n_closed == 1);
  raw_server_free (server);
}

static void
slow_drip (RawConnection *connection, const char *request, gpointer user_data)
{
  raw_drip (connection, user_data, 1, 30);
}

/* One byte at a time keeps the idle timer happy for ever; the total one is not fooled. Neither is
 * it by a head that drips, nor by a body. */
static void
test_timeout_total (void)
{
  const char *const replies[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
    "H 200 OK\r\n",
  };
  RawServer *server = raw_server_new (slow_drip, (gpointer) replies[0]);
  const TachoHttpOptions options = {
    .base_url = server->url, .timeout_first = 15, .timeout_idle = 15, .timeout_total = 0.4
  };

  assert_times_out (&options, TACHO_ERROR_TIMEOUT_TOTAL, "total");
  TACHO_TEST_SPIN_UNTIL (server->n_closed == 1);
  raw_server_free (server);
}

static void
head_then_drip (RawConnection *connection, const char *request, gpointer user_data)
{
  raw_send (connection, "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n");
  raw_drip (connection, user_data, 1, 30);
}

static void
test_timeout_total_body (void)
{
  g_autofree char *body = g_strnfill (2000, 'x');
  RawServer *server = raw_server_new (head_then_drip, body);
  const TachoHttpOptions options = {
    .base_url = server->url, .timeout_first = 15, .timeout_idle = 0.3, .timeout_total = 0.8
  };

  assert_times_out (&options, TACHO_ERROR_TIMEOUT_TOTAL, "total");
  TACHO_TEST_SPIN_UNTIL (server->n_closed == 1);
  raw_server_free (server);
}

static void
test_total_override (void)
{
  RawServer *server = raw_server_new (raw_no_answer, NULL);
  TachoHttpClient *client = new_client (server->url);
  g_autoptr (TachoHttpRequest) request = new_request ("GET");
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  tacho_http_client_send_async (client, request, 0.2, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_null (tacho_http_client_send_finish (client, result, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TIMEOUT_TOTAL);
  g_clear_object (&result);
  free_client (client);
  raw_server_free (server);
}

/* --- cancellation --- */

static void
test_cancel_before_first_byte (void)
{
  RawServer *server = raw_server_new (raw_no_answer, NULL);
  TachoHttpClient *client = new_client (server->url);
  g_autoptr (TachoHttpRequest) request = new_request ("POST");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  TachoTransportCounters counters;

  tacho_http_client_send_async (client, request, 0, cancellable, tacho_test_store_result_cb,
                                &result);
  TACHO_TEST_SPIN_UNTIL (server->requests->len == 1);
  g_cancellable_cancel (cancellable);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_null (tacho_http_client_send_finish (client, result, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  TACHO_TEST_SPIN_UNTIL (server->n_closed == 1);
  tacho_http_client_get_counters (client, &counters);
  g_assert_cmpuint (counters.open, ==, 0);
  g_clear_object (&result);
  free_client (client);
  raw_server_free (server);
}

static void
test_cancel_in_stream (void)
{
  RawServer *server = raw_server_new (
      raw_answer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  TachoHttpClient *client = new_client (server->url);
  g_autoptr (TachoHttpRequest) request = new_request ("POST");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  Seen seen = { .data = g_string_new (NULL) };

  tacho_http_client_stream_async (client, request, &seen_funcs, &seen, cancellable,
                                  tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (seen.data->len == 5);
  g_cancellable_cancel (cancellable);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_null (tacho_http_client_stream_finish (client, result, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  TACHO_TEST_SPIN_UNTIL (server->n_closed == 1);
  g_string_free (seen.data, TRUE);
  g_clear_object (&result);
  free_client (client);
  raw_server_free (server);
}

static void
test_cancelled_before_sending (void)
{
  RawServer *server = raw_server_new (raw_answer, OK_REPLY);
  TachoHttpClient *client = new_client (server->url);
  g_autoptr (TachoHttpRequest) request = new_request ("POST");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  tacho_http_client_send_async (client, request, 0, cancellable, tacho_test_store_result_cb,
                                &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_null (tacho_http_client_send_finish (client, result, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  g_assert_cmpuint (server->connections->len, ==, 0);
  g_clear_object (&result);
  free_client (client);
  raw_server_free (server);
}

static void
test_closed_without_answer (void)
{
  RawServer *server = raw_server_new (raw_answer_and_close, "");
  TachoHttpClient *client = new_client (server->url);

  assert_fails (client, "POST", TACHO_ERROR_REFUSED, "without an answer");
  g_assert_cmpuint (server->requests->len, ==, 1);
  free_client (client);
  raw_server_free (server);
}

int
main (int argc, char **argv)
{
  static const guint redirects[] = { 301, 302, 303, 307, 308 };

  tacho_test_init (&argc, &argv);
  g_test_add_func ("/net/request", test_request);
  g_test_add_func ("/net/key-refused", test_key_refused);
  g_test_add_func ("/net/url-refused", test_url_refused);
  g_test_add_func ("/net/cookies-forgotten", test_cookies_forgotten);
  g_test_add_func ("/net/reuse/sequential", test_reuse_sequential);
  g_test_add_func ("/net/reuse/concurrent", test_reuse_concurrent);
  g_test_add_func ("/net/reuse/dropped-post", test_dropped_post_not_resent);
  g_test_add_func ("/net/reuse/dropped-get", test_dropped_get_resent);
  g_test_add_func ("/net/reuse/queue-cancel", test_queue_cancel);
  for (guint i = 0; i < G_N_ELEMENTS (redirects); i++)
    {
      g_autofree char *path = g_strdup_printf ("/net/redirect/%u", redirects[i]);

      g_test_add_data_func (path, GUINT_TO_POINTER (redirects[i]), test_redirect);
    }
  g_test_add_func ("/net/reply/refused", test_refused_replies);
  g_test_add_func ("/net/reply/header-flood", test_header_flood);
  g_test_add_func ("/net/reply/accepted", test_accepted_replies);
  g_test_add_func ("/net/reply/split-head", test_split_head);
  g_test_add_func ("/net/reply/short", test_short_length);
  g_test_add_func ("/net/stream/whole", test_stream);
  g_test_add_func ("/net/stream/error-status", test_stream_error_status);
  g_test_add_func ("/net/stream/refused", test_stream_refused);
  g_test_add_func ("/net/stream/cut-between-chunks", test_stream_cut_between_chunks);
  g_test_add_func ("/net/stream/close-in-data", test_close_in_data);
  g_test_add_func ("/net/connect/refused", test_refused);
  g_test_add_func ("/net/connect/unknown-host", test_unknown_host);
  g_test_add_func ("/net/connect/closed-without-answer", test_closed_without_answer);
  g_test_add_func ("/net/timeout/connect", test_timeout_connect);
  g_test_add_func ("/net/timeout/first", test_timeout_first);
  g_test_add_func ("/net/timeout/idle", test_timeout_idle);
  g_test_add_func ("/net/timeout/total", test_timeout_total);
  g_test_add_func ("/net/timeout/total-body", test_timeout_total_body);
  g_test_add_func ("/net/timeout/override", test_total_override);
  g_test_add_func ("/net/cancel/before-first-byte", test_cancel_before_first_byte);
  g_test_add_func ("/net/cancel/in-stream", test_cancel_in_stream);
  g_test_add_func ("/net/cancel/before-sending", test_cancelled_before_sending);
  return g_test_run ();
}
