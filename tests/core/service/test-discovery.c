/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is found on given ports of the loopback address: simulated servers, small ones that are none
 * of ours, and nobody. */
#include "service/tacho-discovery.h"

#include <libsoup/soup.h>
#include <string.h>

#include "base/tacho-error.h"
#include "base/tacho-json.h"
#include "sim/tacho-sim-server.h"
#include "test-utils.h"

typedef struct
{
  guint status;
  const char *body;
  guint n_requests;
  guint n_keys; /* requests with a credential, which there must never be */
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

  small->n_requests++;
  if (soup_message_headers_get_one (headers, "Authorization") != NULL ||
      soup_message_headers_get_one (headers, "X-Api-Key") != NULL)
    small->n_keys++;
  soup_server_message_set_status (message, small->status, NULL);
  soup_server_message_set_response (message, "application/json", SOUP_MEMORY_STATIC, small->body,
                                    strlen (small->body));
}

static guint16
port_of (GSList *uris)
{
  guint16 port = (guint16) g_uri_get_port (uris->data);

  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  return port;
}

static SoupServer *
small_start (Small *small, guint16 *port)
{
  SoupServer *server = soup_server_new (NULL, NULL);
  GError *error = NULL;

  soup_server_add_handler (server, NULL, handler, small, NULL);
  soup_server_listen_local (server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
  g_assert_no_error (error);
  *port = port_of (soup_server_get_uris (server));
  return server;
}

static void
ready_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_set_object ((GAsyncResult **) user_data, result);
}

static gboolean
run (TachoDiscovery *discovery, GCancellable *cancellable, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  tacho_discovery_run_async (discovery, cancellable, ready_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  return tacho_discovery_run_finish (discovery, result, error);
}

static void
changed_cb (GListModel *list, guint position, guint removed, guint added, gpointer user_data)
{
  *(guint *) user_data += added - removed;
}

static void
test_none (void)
{
  Small small = { 200, "{}", 0, 0 };
  guint16 port;
  SoupServer *server = small_start (&small, &port);
  const TachoDiscoveryPort ports[] = { { port, TACHO_PROTOCOL_REST },
                                       { port, TACHO_PROTOCOL_GRPC } };
  g_autoptr (TachoDiscovery) discovery = NULL;
  g_autoptr (GError) error = NULL;

  /* The port was free a moment ago, and is again. */
  soup_server_disconnect (server);
  g_object_unref (server);
  discovery = tacho_discovery_new (ports, G_N_ELEMENTS (ports));
  g_assert_true (run (discovery, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (discovery)), ==, 0);
  g_assert_null (g_list_model_get_item (G_LIST_MODEL (discovery), 0));
}

static void
test_some (void)
{
  Small ollama = { 200, "{\"version\":\"0.13\"}", 0, 0 };
  Small keyed = { 401, "{\"error\":\"Unauthorized\"}", 0, 0 };
  Small page = { 200, "<html><title>Router</title></html>", 0, 0 };
  TachoDiscoveryPort ports[] = { { 0, TACHO_PROTOCOL_REST },
                                 { 0, TACHO_PROTOCOL_REST },
                                 { 0, TACHO_PROTOCOL_REST } };
  g_autoptr (SoupServer) first = small_start (&ollama, &ports[0].port);
  g_autoptr (SoupServer) second = small_start (&keyed, &ports[1].port);
  g_autoptr (SoupServer) third = small_start (&page, &ports[2].port);
  g_autoptr (TachoDiscovery) discovery = tacho_discovery_new (ports, G_N_ELEMENTS (ports));
  GListModel *list = G_LIST_MODEL (discovery);
  g_autoptr (GError) error = NULL;
  guint n_items = 0;
  guint n_keyed = 0;

  g_signal_connect (discovery, "items-changed", G_CALLBACK (changed_cb), &n_items);
  for (guint round = 0; round < 2; round++)
    {
      g_assert_true (run (discovery, NULL, &error));
      g_assert_no_error (error);
      g_assert_cmpuint (g_list_model_get_n_items (list), ==, 2);
      g_assert_cmpuint (n_items, ==, 2);
    }
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TachoFound) found = g_list_model_get_item (list, i);

      g_assert_true (g_str_has_prefix (tacho_found_get_url (found), "http://127.0.0.1:"));
      g_assert_null (tacho_found_get_grpc_target (found));
      g_assert_nonnull (tacho_found_get_evidence (found)[0]);
      g_assert_false (tacho_found_get_simulated (found));
      n_keyed += tacho_found_get_wants_key (found) ? 1 : 0;
      g_assert_cmpstr (tacho_found_get_family (found), ==,
                       tacho_found_get_wants_key (found) ? "auto" : "ollama");
      g_assert_cmpstr (tacho_found_get_version (found), ==,
                       tacho_found_get_wants_key (found) ? NULL : "0.13");
    }
  g_assert_cmpuint (n_keyed, ==, 1);
  g_assert_cmpuint (keyed.n_requests, ==, 4);
  g_assert_cmpuint (page.n_requests, ==, 4);
  g_assert_cmpuint (ollama.n_keys + keyed.n_keys + page.n_keys, ==, 0);
  soup_server_disconnect (first);
  soup_server_disconnect (second);
  soup_server_disconnect (third);
}

static guint16
port_of_url (const char *url)
{
  return (guint16) g_ascii_strtoull (strrchr (url, ':') + 1, NULL, 10);
}

static TachoSimServer *
sim_start (guint16 port, gboolean grpc)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new ("oip", &error);
  TachoSimServer *server;

  g_assert_no_error (error);
  tacho_sim_config_get_front (config, 0)->grpc = grpc;
  server = tacho_sim_server_new (config);
  if (!tacho_sim_server_start (server, port, &error))
    g_clear_object (&server);
  return server;
}

/* Both sides of a Triton on neighbouring ports are one find. */
static void
test_both_sides (void)
{
  TachoSimServer *rest = NULL, *grpc = NULL;
  TachoDiscoveryPort ports[2] = { { 0, TACHO_PROTOCOL_REST }, { 0, TACHO_PROTOCOL_GRPC } };
  g_autoptr (TachoDiscovery) discovery = NULL;
  g_autoptr (TachoFound) found = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 50 && grpc == NULL; i++)
    {
      g_clear_object (&rest);
      rest = sim_start (0, FALSE);
      g_assert_nonnull (rest);
      ports[0].port = port_of_url (tacho_sim_server_get_url (rest));
      ports[1].port = ports[0].port + 1;
      grpc = sim_start (ports[1].port, TRUE); /* NULL if someone is there */
    }
  g_assert_nonnull (grpc);
  discovery = tacho_discovery_new (ports, G_N_ELEMENTS (ports));
  g_assert_true (run (discovery, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (discovery)), ==, 1);
  found = g_list_model_get_item (G_LIST_MODEL (discovery), 0);
  g_assert_cmpstr (tacho_found_get_family (found), ==, "oip");
  g_assert_true (tacho_found_get_simulated (found));
  g_assert_nonnull (strstr (tacho_found_get_description (found), "triton"));
  g_assert_cmpuint (port_of_url (tacho_found_get_url (found)), ==, ports[0].port);
  g_assert_cmpuint (port_of_url (tacho_found_get_grpc_target (found)), ==, ports[1].port);
  tacho_sim_server_stop (rest);
  tacho_sim_server_stop (grpc);
  g_assert_finalize_object (rest);
  g_assert_finalize_object (grpc);
}

static void
test_cancelled (void)
{
  Small small = { 200, "{}", 0, 0 };
  TachoDiscoveryPort port = { 0, TACHO_PROTOCOL_REST };
  g_autoptr (SoupServer) server = small_start (&small, &port.port);
  g_autoptr (TachoDiscovery) discovery = tacho_discovery_new (&port, 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_false (run (discovery, cancellable, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (discovery)), ==, 0);
  soup_server_disconnect (server);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/discovery/none", test_none);
  g_test_add_func ("/discovery/some", test_some);
  g_test_add_func ("/discovery/both-sides", test_both_sides);
  g_test_add_func ("/discovery/cancelled", test_cancelled);
  return g_test_run ();
}
