/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The test of a server, step by step: which step fails, and with which words. */
#include "service/tacho-server-test.h"

#include <libsoup/soup.h>
#include <string.h>

#include "base/tacho-error.h"
#include "sim/tacho-sim-server.h"
#include "test-utils.h"

/* LeakSanitizer's tracer crashes on the thread-local storage of GnuTLS, which GIO loads late. */
const char *__asan_default_options (void);

const char *
__asan_default_options (void)
{
  return "intercept_tls_get_addr=0";
}

typedef struct
{
  const char *key; /* that it wants; NULL: none */
  gboolean is_page;
} Small;

static void
handler (SoupServer *server,
         SoupServerMessage *message,
         const char *path,
         GHashTable *query,
         gpointer user_data)
{
  Small *small = user_data;
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const char *authorization = soup_message_headers_get_one (headers, "Authorization");
  g_autofree char *wanted = g_strconcat ("Bearer ", small->key, NULL);
  gboolean refused = small->key != NULL && g_strcmp0 (authorization, wanted) != 0;
  const char *body = refused          ? "{\"error\":{\"message\":\"No such key\"}}"
                     : small->is_page ? "<html><title>Router setup</title></html>"
                     : g_str_has_suffix (path, "/v1/models")
                         ? "{\"object\":\"list\",\"data\":[{\"id\":\"tiny\",\"object\":\"model\"}]}"
                         : "{\"error\":{\"message\":\"Not found\"}}";
  guint status = refused ? 401 : small->is_page || body[2] == 'o' ? 200 : 404;

  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, small->is_page ? "text/html" : "application/json",
                                    SOUP_MEMORY_STATIC, body, strlen (body));
}

static char *
start_small (SoupServer **server, Small *small, const char *certificate)
{
  g_autofree char *path = NULL;
  g_autoptr (GTlsCertificate) loaded = NULL;
  GError *error = NULL;
  GSList *uris;
  char *url;

  *server = soup_server_new (NULL, NULL);
  if (certificate != NULL)
    {
      path = g_test_build_filename (G_TEST_DIST, "core", "net", "data", certificate, NULL);
      loaded = g_tls_certificate_new_from_file (path, &error);
      g_assert_no_error (error);
      soup_server_set_tls_certificate (*server, loaded);
    }
  soup_server_add_handler (*server, NULL, handler, small, NULL);
  soup_server_listen_local (
      *server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY | (loaded != NULL ? SOUP_SERVER_LISTEN_HTTPS : 0),
      &error);
  g_assert_no_error (error);
  uris = soup_server_get_uris (*server);
  url = g_strdup_printf ("%s://127.0.0.1:%d", loaded != NULL ? "https" : "http",
                         g_uri_get_port (uris->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  return url;
}

static void
stop_small (SoupServer *server)
{
  soup_server_disconnect (server);
  g_object_unref (server);
}

static TachoProfile *
new_profile (const char *url)
{
  GError *error = NULL;
  TachoProfile *profile = tacho_profile_new ("t", url, &error);

  g_assert_no_error (error);
  return profile;
}

static TachoServerTest *
run (TachoProfile *profile, GError **error)
{
  TachoServerTest *test = tacho_server_test_new (profile);
  g_autoptr (GAsyncResult) result = NULL;

  tacho_server_test_run_async (test, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  tacho_server_test_run_finish (test, result, error);
  return test;
}

/* "ok ok failed skipped": the states of all steps. */
static char *
states (TachoServerTest *test)
{
  static const char *const names[] = { "waiting", "running", "ok", "failed", "skipped" };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (test)); i++)
    {
      g_autoptr (TachoTestStep) step = g_list_model_get_item (G_LIST_MODEL (test), i);

      g_string_append_printf (text, "%s%s", i > 0 ? " " : "",
                              names[tacho_test_step_get_state (step)]);
    }
  return g_string_free (text, FALSE);
}

static void
assert_words (TachoServerTest *test, TachoTestKind kind, const char *words)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (test)); i++)
    {
      g_autoptr (TachoTestStep) step = g_list_model_get_item (G_LIST_MODEL (test), i);

      if (tacho_test_step_get_kind (step) != kind)
        continue;
      g_test_message ("%s", tacho_test_step_get_words (step));
      g_assert_nonnull (strstr (tacho_test_step_get_words (step), words));
      return;
    }
  g_assert_not_reached ();
}

static void
free_test (TachoServerTest *test)
{
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (test)->ref_count == 1);
  g_assert_finalize_object (test);
}

static void
test_all_is_well (void)
{
  g_autoptr (TachoProfile) profile = new_profile ("sim:fast");
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoSimServer) sim = tacho_sim_server_host_profile (profile, &error);
  g_autofree char *seen = NULL;
  TachoServerTest *test;

  g_assert_no_error (error);
  test = run (profile, &error);
  seen = states (test);
  g_assert_no_error (error);
  g_assert_cmpstr (seen, ==, "ok ok ok ok ok");
  g_assert_cmpstr (tacho_server_test_get_family (test), ==, "llamacpp");
  g_assert_nonnull (tacho_server_test_get_evidence (test)[0]);
  g_assert_nonnull (tacho_server_test_get_models (test)[0]);
  g_assert_null (tacho_server_test_get_untrusted (test));
  assert_words (test, TACHO_TEST_RESOLVE, "127.0.0.1");
  assert_words (test, TACHO_TEST_KEY, "wants none");
  free_test (test);
  tacho_sim_server_stop (sim);
}

static void
test_refused (void)
{
  Small small = { NULL };
  SoupServer *server;
  g_autofree char *url = start_small (&server, &small, NULL);
  g_autoptr (TachoProfile) profile = new_profile (url);
  g_autoptr (GError) error = NULL;
  g_autofree char *seen = NULL;
  TachoServerTest *test;

  stop_small (server);
  test = run (profile, &error);
  seen = states (test);
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_REFUSED);
  g_assert_cmpstr (seen, ==, "ok failed skipped skipped skipped");
  assert_words (test, TACHO_TEST_CONNECT, "Nothing listens");
  free_test (test);
}

static void
test_key (void)
{
  Small small = { "right" };
  SoupServer *server;
  g_autofree char *url = start_small (&server, &small, NULL);
  static const struct
  {
    const char *key;
    const char *states;
    const char *words;
  } cases[] = {
    { NULL, "ok ok failed skipped failed", "wants a key" },
    { "wrong", "ok ok failed skipped failed", "refuses the key" },
    { "right", "ok ok ok ok ok", "takes it" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TachoProfile) profile = new_profile (url);
      g_autoptr (GError) error = NULL;
      g_autofree char *seen = NULL;
      TachoServerTest *test;

      g_assert_true (tacho_profile_set_api_key (profile, cases[i].key, NULL));
      test = run (profile, &error);
      seen = states (test);
      g_assert_cmpstr (seen, ==, cases[i].states);
      assert_words (test, TACHO_TEST_KEY, cases[i].words);
      if (i < 2)
        assert_words (test, TACHO_TEST_API, "No such key"); /* the server's own words */
      free_test (test);
    }
  stop_small (server);
}

static void
test_no_api (void)
{
  Small small = { NULL, TRUE };
  SoupServer *server;
  g_autofree char *url = start_small (&server, &small, NULL);
  g_autoptr (TachoProfile) profile = new_profile (url);
  g_autoptr (GError) error = NULL;
  TachoServerTest *test = run (profile, &error);
  g_autofree char *seen = states (test);

  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNKNOWN_SERVER);
  g_assert_cmpstr (seen, ==, "ok ok failed skipped skipped");
  assert_words (test, TACHO_TEST_API, "Router setup");
  free_test (test);
  stop_small (server);
}

static void
test_certificate (void)
{
  Small small = { NULL };
  SoupServer *server;
  g_autofree char *url = start_small (&server, &small, "server.pem");
  g_autoptr (TachoProfile) profile = new_profile (url);
  g_autoptr (GError) error = NULL;
  TachoServerTest *test = run (profile, &error);
  g_autofree char *seen = states (test);
  const TachoCertificate *shown = tacho_server_test_get_untrusted (test);
  g_autofree char *ca = g_test_build_filename (G_TEST_DIST, "core", "net", "data", "ca.pem", NULL);

  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TLS);
  g_assert_cmpstr (seen, ==, "ok ok failed skipped skipped skipped");
  g_assert_nonnull (shown);
  g_assert_nonnull (shown->subject);
  g_assert_nonnull (shown->issuer);
  g_assert_nonnull (shown->not_after);
  g_assert_true (g_str_has_prefix (shown->fingerprint, "sha256:"));
  g_assert_nonnull (strstr (shown->reason, "not signed by an authority"));

  /* Pinned as it was shown, it is taken; another pin is not, whoever signed it. */
  g_assert_true (tacho_profile_set_pin (profile, shown->fingerprint, NULL));
  free_test (test);
  g_free (seen);
  g_clear_error (&error);
  test = run (profile, &error);
  seen = states (test);
  g_assert_no_error (error);
  g_assert_cmpstr (seen, ==, "ok ok ok ok ok ok");
  assert_words (test, TACHO_TEST_TLS, "pinned");
  free_test (test);

  g_assert_true (tacho_profile_set_ca_file (profile, ca, NULL));
  tacho_profile_set_pin (profile,
                         "0000000000000000000000000000000000000000000000000000000000000000", NULL);
  test = run (profile, &error);
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TLS);
  assert_words (test, TACHO_TEST_TLS, "not the pinned one");
  g_assert_nonnull (tacho_server_test_get_untrusted (test));
  free_test (test);
  stop_small (server);
}

static void
test_no_tls_there (void)
{
  Small small = { NULL };
  SoupServer *server;
  g_autofree char *url = start_small (&server, &small, NULL);
  g_autofree char *https = g_strconcat ("https", url + strlen ("http"), NULL);
  g_autoptr (TachoProfile) profile = new_profile (https);
  g_autoptr (GError) error = NULL;
  TachoServerTest *test;

  /* An HTTP server takes the greeting for the beginning of a request, and waits for the rest. */
  g_assert_true (tacho_profile_set_timeout (profile, TACHO_TIMEOUT_CONNECT, 0.5, NULL));
  test = run (profile, &error);
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TIMEOUT_CONNECT);
  g_assert_null (tacho_server_test_get_untrusted (test));
  assert_words (test, TACHO_TEST_TLS, "speak TLS there?");
  free_test (test);
  stop_small (server);
}

static void
test_stopped (void)
{
  Small small = { NULL };
  SoupServer *server;
  g_autofree char *url = start_small (&server, &small, NULL);
  g_autoptr (TachoProfile) profile = new_profile (url);
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  TachoServerTest *test = tacho_server_test_new (profile);
  g_autofree char *seen = NULL;

  tacho_server_test_run_async (test, cancellable, tacho_test_store_result_cb, &result);
  g_cancellable_cancel (cancellable);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_false (tacho_server_test_run_finish (test, result, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  seen = states (test);
  g_assert_cmpstr (seen, ==, "skipped skipped skipped skipped skipped");
  g_clear_object (&result);
  free_test (test);
  stop_small (server);
}

/* One side that is dead does not hide that the other one lives. */
static void
test_hybrid (void)
{
  Small small = { NULL };
  SoupServer *server;
  SoupServer *dead;
  g_autofree char *url = start_small (&server, &small, NULL);
  g_autofree char *dead_url = start_small (&dead, &small, NULL);
  g_autoptr (TachoProfile) profile = new_profile (url);
  g_autoptr (GError) error = NULL;
  g_autofree char *seen = NULL;
  TachoServerTest *test;

  stop_small (dead);
  g_assert_true (tacho_profile_set_grpc_target (profile, dead_url + strlen ("http://"), NULL));
  g_assert_true (tacho_profile_set_protocol (profile, TACHO_PROTOCOL_HYBRID, NULL));
  test = run (profile, &error);
  seen = states (test);
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_REFUSED);
  g_assert_cmpstr (seen, ==, "ok ok ok failed ok ok ok");
  free_test (test);
  stop_small (server);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/service/server-test/all-is-well", test_all_is_well);
  g_test_add_func ("/service/server-test/refused", test_refused);
  g_test_add_func ("/service/server-test/key", test_key);
  g_test_add_func ("/service/server-test/no-api", test_no_api);
  g_test_add_func ("/service/server-test/certificate", test_certificate);
  g_test_add_func ("/service/server-test/no-tls-there", test_no_tls_there);
  g_test_add_func ("/service/server-test/stopped", test_stopped);
  g_test_add_func ("/service/server-test/hybrid", test_hybrid);
  return g_test_run ();
}
