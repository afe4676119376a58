/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server that speaks TLS 1.1 at best is refused. A file of its own: GnuTLS's priorities are read
 * from the environment once a process, and here both sides are of the last century. */
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

static void
test_refused (void)
{
  RawServer *server = raw_server_new (raw_answer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  g_autofree char *pem =
      g_test_build_filename (G_TEST_DIST, "core", "net", "data", "server.pem", NULL);
  g_autofree char *ca = g_test_build_filename (G_TEST_DIST, "core", "net", "data", "ca.pem", NULL);
  g_autofree char *url = g_strdup_printf ("https://127.0.0.1:%u", server->port);
  const TachoHttpOptions options = { .base_url = url, .ca_file = ca, .bearer = "k" };
  g_autoptr (TachoHttpRequest) request = tacho_http_request_new ("GET", "/x");
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  TachoHttpClient *client;

  server->certificate = g_tls_certificate_new_from_file (pem, &error);
  g_assert_no_error (error);
  client = tacho_http_client_new (&options, &error);
  g_assert_no_error (error);
  tacho_http_client_send_async (client, request, 15, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_null (tacho_http_client_send_finish (client, result, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TLS);
  /* Our refusal, not a failed handshake: GLib itself would go on. */
  g_assert_nonnull (strstr (error->message, "offers only TLS 1.1"));
  g_assert_cmpuint (server->requests->len, ==, 0); /* the key was not told */
  g_clear_object (&result);
  tacho_http_client_close (client);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (client)->ref_count == 1);
  g_assert_finalize_object (client);
  raw_server_free (server);
}

int
main (int argc, char **argv)
{
  g_setenv ("G_TLS_GNUTLS_PRIORITY", "NORMAL:-VERS-ALL:+VERS-TLS1.1:%COMPAT", TRUE);
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/net/old-tls/refused", test_refused);
  return g_test_run ();
}
