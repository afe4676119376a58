/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pins, client certificates, proxies, the age of connections, and where credentials never go. */
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

static char *
fingerprint (RawServer *server)
{
  g_autoptr (GByteArray) der = NULL;
  g_autofree char *digest = NULL;

  g_object_get (server->certificate, "certificate", &der, NULL);
  digest = g_compute_checksum_for_data (G_CHECKSUM_SHA256, der->data, der->len);
  return g_strconcat ("sha256:", digest, NULL);
}

static TachoHttpReply *
ask (TachoHttpClient *client, const char *method, GError **error)
{
  g_autoptr (TachoHttpRequest) request = tacho_http_request_new (method, "/v1/x");
  g_autoptr (GAsyncResult) result = NULL;

  if (g_str_equal (method, "POST"))
    tacho_http_request_set_json (request, g_strdup ("{}"));
  tacho_http_client_send_async (client, request, 15, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  return tacho_http_client_send_finish (client, result, error);
}

static void
free_client (TachoHttpClient *client)
{
  tacho_http_client_close (client);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (client)->ref_count == 1);
  g_assert_finalize_object (client);
}

static TachoHttpReply *
ask_once (const TachoHttpOptions *options, GError **error)
{
  TachoHttpClient *client = tacho_http_client_new (options, error);
  TachoHttpReply *reply;

  g_assert_nonnull (client);
  reply = ask (client, "POST", error);
  free_client (client);
  return reply;
}

/* --- TLS --- */

static void
test_pin_right (void)
{
  RawServer *server = new_tls_server ();
  g_autofree char *pin = fingerprint (server);
  g_autofree char *url = g_strdup_printf ("https://localhost:%u", server->port);
  const TachoHttpOptions options = { .base_url = url, .bearer = "k", .pin = pin };
  g_autoptr (GError) error = NULL;
  /* Neither signed by anyone known nor made for this name: the pin is the trust. */
  g_autoptr (TachoHttpReply) reply = ask_once (&options, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 200);
  raw_server_free (server);
}

static void
test_pin_wrong (void)
{
  RawServer *server = new_tls_server ();
  g_autofree char *right = fingerprint (server);
  g_autofree char *ca = data_file ("ca.pem");
  g_autofree char *url = g_strdup_printf ("https://127.0.0.1:%u", server->port);
  const char *pin = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
  /* With and without an authority that would vouch for it. */
  const TachoHttpOptions options[] = {
    { .base_url = url, .bearer = "k", .pin = pin, .ca_file = ca },
    { .base_url = url, .bearer = "k", .pin = pin },
  };

  for (guint i = 0; i < G_N_ELEMENTS (options); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (ask_once (&options[i], &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TLS);
      g_assert_nonnull (strstr (error->message, right)); /* so that it can be compared */
      g_assert_cmpuint (server->requests->len, ==, 0);
    }
  raw_server_free (server);
}

static void
test_client_certificate (void)
{
  RawServer *server = new_tls_server ();
  g_autofree char *own = data_file ("server.pem");
  g_autofree char *ca = data_file ("ca.pem");
  g_autofree char *url = g_strdup_printf ("https://127.0.0.1:%u", server->port);
  const TachoHttpOptions with = {
    .base_url = url, .ca_file = ca, .cert_file = own, .key_file = own
  };
  const TachoHttpOptions without = { .base_url = url, .ca_file = ca };
  const TachoHttpOptions broken = { .base_url = url, .cert_file = ca, .key_file = ca };
  g_autoptr (TachoHttpReply) reply = NULL;
  g_autoptr (GError) error = NULL;

  server->asks_certificate = TRUE;
  reply = ask_once (&with, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reply->status, ==, 200);
  g_assert_null (ask_once (&without, &error));
  g_assert_nonnull (error);
  g_assert_cmpint (error->domain, ==, TACHO_ERROR);
  g_assert_cmpuint (server->requests->len, ==, 1);
  g_clear_error (&error);
  g_assert_null (tacho_http_client_new (&broken, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  raw_server_free (server);
}

/* --- proxies and ages --- */

static void
test_proxy (void)
{
  RawServer *proxy = raw_server_new (raw_answer, OK_REPLY);
  RawServer *server = raw_server_new (raw_answer, OK_REPLY);
  g_autofree char *by_name = g_strdup_printf ("http://localhost:%u", server->port);
  const TachoHttpOptions far = { .base_url = "http://models.example:80", .proxy = proxy->url };
  const TachoHttpOptions near[] = { { .base_url = server->url, .bearer = "k", .proxy = proxy->url },
                                    { .base_url = by_name, .bearer = "k", .proxy = proxy->url } };
  g_autoptr (TachoHttpReply) reply = NULL;
  g_autoptr (GError) error = NULL;

  reply = ask_once (&far, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (proxy->requests->len, ==, 1);
  g_assert_nonnull (strstr (g_ptr_array_index (proxy->requests, 0), "models.example"));
  for (guint i = 0; i < G_N_ELEMENTS (near); i++)
    {
      g_autoptr (TachoHttpReply) direct = NULL;

      direct = ask_once (&near[i], &error);
      g_assert_no_error (error);
      g_assert_cmpuint (direct->status, ==, 200);
    }
  g_assert_cmpuint (proxy->requests->len, ==, 1);
  g_assert_cmpuint (server->requests->len, ==, 2);
  raw_server_free (server);
  raw_server_free (proxy);
}

static void
test_age (void)
{
  RawServer *server = raw_server_new (raw_answer, OK_REPLY);
  const TachoHttpOptions options = { .base_url = server->url, .max_age = 1e-9 };
  TachoHttpClient *client = tacho_http_client_new (&options, NULL);

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (TachoHttpReply) reply = ask (client, "POST", NULL);
      const char *request;

      g_assert_cmpuint (reply->status, ==, 200);
      request = g_ptr_array_index (server->requests, i);
      /* The first use of a connection begins its age; by the second it is too old. */
      g_assert_cmpint (strstr (request, "Connection: close") != NULL, ==, i % 2 == 1);
    }
  g_assert_cmpuint (server->connections->len, ==, 2);
  free_client (client);
  raw_server_free (server);
}

/* --- redirects --- */

static gboolean
holds_secret (RawServer *server)
{
  for (guint i = 0; i < server->requests->len; i++)
    if (strstr (g_ptr_array_index (server->requests, i), "s3cret") != NULL)
      return TRUE;
  return FALSE;
}

/* 5 statuses, 7 targets, 4 headers that hold a key, for both methods: nothing is followed, no
 * key leaves the origin, and the reply is given as it is. */
static void
test_redirect_matrix (void)
{
  static const guint statuses[] = { 301, 302, 303, 307, 308 };
  static const char *const credentials[] = { "Authorization: Bearer s3cret", "x-api-key: s3cret",
                                             "api-key: s3cret", "Cookie: session=s3cret" };
  static const char *const methods[] = { "GET", "POST" };
  guint n = 0;

  for (guint s = 0; s < G_N_ELEMENTS (statuses); s++)
    for (guint t = 0; t < 7; t++)
      for (guint c = 0; c < G_N_ELEMENTS (credentials); c++)
        for (guint m = 0; m < G_N_ELEMENTS (methods); m++)
          {
            RawServer *other = raw_server_new (raw_answer, OK_REPLY);
            const char *const headers[] = { credentials[c], NULL };
            RawServer *server = raw_server_new (raw_answer, NULL);
            g_autofree char *port = g_strdup_printf ("%u", other->port);
            g_autofree char *answer = NULL;
            const TachoHttpOptions options = { .base_url = server->url, .headers = headers };
            TachoHttpClient *client = tacho_http_client_new (&options, NULL);
            g_autoptr (TachoHttpReply) reply = NULL;
            const char *const targets[] = {
              "/elsewhere",                                 /* the same origin */
              server->url,                                  /* and by its full name */
              other->url,                                   /* another port */
              g_intern_string ("http://localhost:"),        /* another host, completed below */
              g_intern_string ("//127.0.0.1:"),             /* without a scheme */
              g_intern_string ("https://127.0.0.1:"),       /* another scheme */
              g_intern_string ("http://user:pw@127.0.0.1:") /* with a name in it */
            };

            answer =
                g_strdup_printf ("HTTP/1.1 %u Moved\r\nLocation: %s%s\r\nContent-Length: 0\r\n\r\n",
                                 statuses[s], targets[t], t >= 3 ? port : "");
            server->handler_data = answer;
            reply = ask (client, methods[m], NULL);
            g_assert_nonnull (reply);
            g_assert_cmpuint (reply->status, ==, statuses[s]);
            g_assert_cmpuint (server->requests->len, ==, 1);
            g_assert_true (holds_secret (server));
            g_assert_false (holds_secret (other));
            g_assert_cmpuint (other->connections->len, ==, 0);
            free_client (client);
            raw_server_free (server);
            raw_server_free (other);
            n++;
          }
  g_assert_cmpuint (n, ==, 5 * 7 * 4 * 2);
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
  g_test_add_func ("/net/trust/pin-right", test_pin_right);
  g_test_add_func ("/net/trust/pin-wrong", test_pin_wrong);
  g_test_add_func ("/net/trust/client-certificate", test_client_certificate);
  g_test_add_func ("/net/trust/proxy", test_proxy);
  g_test_add_func ("/net/trust/age", test_age);
  g_test_add_func ("/net/trust/redirect-matrix", test_redirect_matrix);
  return g_test_run ();
}
