/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The environment's proxy must not see what goes to a server on this machine, key included. A file
 * of its own: GIO reads the environment once, and the other tests switch proxies off altogether. */
#include "test-utils.h"

#include "net/tacho-http-client.h"
#include "raw-server.h"

#define OK_REPLY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

static RawServer *proxy;

static void
test_environment (void)
{
  RawServer *server = raw_server_new (raw_answer, OK_REPLY);
  g_autofree char *by_name = g_strdup_printf ("http://localhost:%u", server->port);
  const char *const urls[] = { server->url, by_name };
  g_auto (GStrv) proxies = NULL;

  proxies = g_proxy_resolver_lookup (g_proxy_resolver_get_default (), server->url, NULL, NULL);
  g_test_message ("GIO itself would go by way of: %s", proxies != NULL ? proxies[0] : "nothing");
  for (guint i = 0; i < G_N_ELEMENTS (urls); i++)
    {
      const TachoHttpOptions options = { .base_url = urls[i], .bearer = "k" };
      TachoHttpClient *client = tacho_http_client_new (&options, NULL);
      g_autoptr (TachoHttpRequest) request = tacho_http_request_new ("GET", "/x");
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (TachoHttpReply) reply = NULL;
      g_autoptr (GError) error = NULL;

      tacho_http_client_send_async (client, request, 15, NULL, tacho_test_store_result_cb, &result);
      TACHO_TEST_SPIN_UNTIL (result != NULL);
      reply = tacho_http_client_send_finish (client, result, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (reply->status, ==, 200);
      g_clear_object (&result);
      tacho_http_client_close (client);
      TACHO_TEST_SPIN_UNTIL (G_OBJECT (client)->ref_count == 1);
      g_assert_finalize_object (client);
    }
  g_assert_cmpuint (server->requests->len, ==, 2);
  g_assert_cmpuint (proxy->connections->len, ==, 0);
  raw_server_free (server);
}

int
main (int argc, char **argv)
{
  int status;

  proxy = raw_server_new (raw_answer, OK_REPLY);
  g_setenv ("http_proxy", proxy->url, TRUE);
  g_setenv ("HTTP_PROXY", proxy->url, TRUE);
  g_setenv ("all_proxy", proxy->url, TRUE);
  g_unsetenv ("no_proxy");
  g_unsetenv ("NO_PROXY");
  g_setenv ("GIO_USE_VFS", "local", TRUE);
  g_unsetenv ("GIO_USE_PROXY_RESOLVER");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/net/proxy/environment", test_environment);
  status = g_test_run ();
  raw_server_free (proxy);
  return status;
}
