/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The HTTP client over TLS: whom it trusts, and what it says when it does not. */
#include "test-utils.h"

#include "base/tacho-error.h"
#include "net/tacho-http-client.h"
#include "raw-server.h"

/* LeakSanitizer's tracer crashes on the thread-local storage of GnuTLS, which GIO loads late. */
const char *__asan_default_options (void);

const char *
__asan_default_options (void)
{
  return "intercept_tls_get_addr=0";
}

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static char *
data_file (const char *name)
{
  return g_test_build_filename (G_TEST_DIST, "core", "net", "data", name, NULL);
}

static RawServer *
new_tls_server (void)
{
  RawServer *server = raw_server_new (raw_answer, OK_REPLY);
  g_autofree char *path = data_file ("server.pem");
  GError *error = NULL;

  server->certificate = g_tls_certificate_new_from_file (path, &error);
  g_assert_no_error (error);
  return server;
}

static TachoHttpReply *
get (const char *host, guint16 port, const char *ca_file, guint times, GError **error)
{
  g_autofree char *url = g_strdup_printf ("https://%s:%u", host, port);
  const TachoHttpOptions options = {
    .base_url = url, .ca_file = ca_file, .bearer = "k", .timeout_total = 15
  };
  TachoHttpClient *client = tacho_http_client_new (&options, error);
  TachoHttpReply *reply = NULL;

  g_assert_nonnull (client);
  for (guint i = 0; i < times; i++)
    {
      g_autoptr (TachoHttpRequest) request = tacho_http_request_new ("POST", "/x");
      g_autoptr (GAsyncResult) result = NULL;

      tacho_http_request_set_json (request, g_strdup ("{}"));
      g_clear_pointer (&reply, tacho_http_reply_free);
      tacho_http_client_send_async (client, request, 0, NULL, tacho_test_store_result_cb, &result);
      TACHO_TEST_SPIN_UNTIL (result != NULL);
      reply = tacho_http_client_send_finish (client, result, error);
    }
  tacho_http_client_close (client);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (client)->ref_count == 1);
  g_assert_finalize_object (client);
  return reply;
}

static void
test_trusted (void)
{
  RawServer *server = new_tls_server ();
  g_autofree char *ca = data_file ("ca.pem");
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = get ("127.0.0.1", server->port, ca, 3, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 200);
  g_assert_cmpuint (server->connections->len, ==, 1);
  g_assert_nonnull (strstr (g_ptr_array_index (server->requests, 0), " HTTP/1.1\r\n"));
  raw_server_free (server);
}

static void
test_untrusted (void)
{
  RawServer *server = new_tls_server ();
  g_autoptr (GError) error = NULL;

  g_assert_null (get ("127.0.0.1", server->port, NULL, 1, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TLS);
  g_assert_nonnull (strstr (error->message, "CA file"));
  g_assert_cmpuint (server->requests->len, ==, 0); /* the key was not told */
  raw_server_free (server);
}

static void
test_wrong_host (void)
{
  RawServer *server = new_tls_server ();
  g_autofree char *ca = data_file ("ca.pem");
  g_autoptr (GError) error = NULL;

  g_assert_null (get ("localhost", server->port, ca, 1, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TLS);
  g_assert_nonnull (strstr (error->message, "another host name"));
  g_assert_cmpuint (server->requests->len, ==, 0);
  raw_server_free (server);
}

static void
test_ca_file_refused (void)
{
  g_autofree char *junk = data_file ("no-such.pem");
  const char *const paths[] = { junk, "relative.pem", "/dev/null" };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      const TachoHttpOptions options = { .base_url = "https://127.0.0.1:1", .ca_file = paths[i] };
      g_autoptr (GError) error = NULL;

      g_assert_null (tacho_http_client_new (&options, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, paths[i]));
    }
}

static void
answer_first_bytes (RawConnection *connection, const char *request, gpointer user_data)
{
}

/* https:// to a server that speaks plain HTTP. The ClientHello holds no blank line, so the server
 * sees no request; it closes as such servers do. */
static void
test_plain_server (void)
{
  RawServer *server = raw_server_new (answer_first_bytes, NULL);
  g_autoptr (GAsyncResult) result = NULL;
  g_autofree char *url = g_strdup_printf ("https://127.0.0.1:%u", server->port);
  const TachoHttpOptions options = { .base_url = url };
  TachoHttpClient *client = tacho_http_client_new (&options, NULL);
  g_autoptr (TachoHttpRequest) request = tacho_http_request_new ("GET", "/x");
  g_autoptr (GError) error = NULL;
  RawConnection *connection;

  tacho_http_client_send_async (client, request, 15, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (server->connections->len == 1);
  connection = g_ptr_array_index (server->connections, 0);
  TACHO_TEST_SPIN_UNTIL (connection->input->len > 0);
  raw_send (connection, "HTTP/1.1 400 Bad Request\r\n\r\n");
  raw_close (connection);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_null (tacho_http_client_send_finish (client, result, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TLS);
  g_clear_object (&result);
  tacho_http_client_close (client);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (client)->ref_count == 1);
  g_assert_finalize_object (client);
  raw_server_free (server);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  if (!g_tls_backend_supports_tls (g_tls_backend_get_default ()))
    {
      g_test_message ("no TLS backend is installed");
      return 77;
    }
  g_test_add_func ("/net/tls/trusted", test_trusted);
  g_test_add_func ("/net/tls/untrusted", test_untrusted);
  g_test_add_func ("/net/tls/wrong-host", test_wrong_host);
  g_test_add_func ("/net/tls/ca-file-refused", test_ca_file_refused);
  g_test_add_func ("/net/tls/plain-server", test_plain_server);
  return g_test_run ();
}
