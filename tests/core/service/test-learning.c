/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server that refuses max_tokens and names what it wants instead: asked so once, and from then on
 * at once. */
#include <libsoup/soup.h>
#include <string.h>

#include "base/tacho-error.h"
#include "service/tacho-inference-service.h"
#include "test-utils.h"

#define LIST "{\"object\":\"list\",\"data\":[{\"id\":\"o9\",\"owned_by\":\"openai\"}]}"
#define REFUSAL                                                                                    \
  "{\"error\":{\"message\":\"Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' "    \
  "instead.\",\"type\":\"invalid_request_error\",\"param\":\"max_tokens\"}}"
#define STREAM                                                                                     \
  "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n"            \
  "data: [DONE]\n\n"

typedef struct
{
  gboolean stubborn; /* refuses whatever it is asked */
  guint n_refused;
  guint n_generated;
} Server;

static void
reply (SoupServerMessage *message, guint status, const char *type, const char *body)
{
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, type, SOUP_MEMORY_STATIC, body, strlen (body));
}

static void
handler (SoupServer *soup,
         SoupServerMessage *message,
         const char *path,
         GHashTable *query,
         gpointer user_data)
{
  Server *server = user_data;
  SoupMessageBody *body = soup_server_message_get_request_body (message);
  g_autoptr (GBytes) bytes = soup_message_body_flatten (body);
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));

  if (strcmp (path, "/v1/models") == 0)
    reply (message, 200, "application/json", LIST);
  else if (strcmp (path, "/v1/chat/completions") != 0)
    reply (message, 404, "application/json", "{}");
  else if (server->stubborn || strstr (text, "\"max_completion_tokens\":5") == NULL ||
           strstr (text, "\"max_tokens\"") != NULL)
    {
      server->n_refused++;
      reply (message, 400, "application/json", REFUSAL);
    }
  else
    {
      server->n_generated++;
      reply (message, 200, "text/event-stream", STREAM);
    }
}

static TachoGeneration *
generate (TachoInferenceService *service)
{
  g_autoptr (TachoGenerateRequest) request = tacho_generate_request_new ("o9");
  g_autoptr (GError) error = NULL;
  TachoGeneration *generation;

  tacho_generate_request_add_message (request, TACHO_ROLE_USER, "Hi");
  request->max_tokens = 5;
  generation = tacho_inference_service_start (service, request, &error);
  g_assert_no_error (error);
  TACHO_TEST_SPIN_UNTIL (tacho_generation_is_ended (generation));
  return generation;
}

static void
test_learning (gconstpointer stubborn)
{
  Server server = { .stubborn = stubborn != NULL };
  g_autoptr (SoupServer) soup = soup_server_new (NULL, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *url = NULL;
  g_autoptr (TachoProfile) profile = NULL;
  g_autoptr (TachoClientManager) manager = NULL;
  g_autoptr (TachoInferenceService) service = NULL;
  g_autoptr (TachoGeneration) first = NULL;
  g_autoptr (TachoGeneration) second = NULL;
  GSList *uris;

  soup_server_add_handler (soup, NULL, handler, &server, NULL);
  soup_server_listen_local (soup, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error);
  g_assert_no_error (error);
  uris = soup_server_get_uris (soup);
  url = g_strdup_printf ("http://127.0.0.1:%d", g_uri_get_port (uris->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  profile = tacho_profile_new ("o", url, &error);
  g_assert_no_error (error);
  manager = tacho_client_manager_new (profile);
  service = tacho_inference_service_new (manager);

  first = generate (service);
  if (server.stubborn)
    {
      g_assert_cmpint (tacho_generation_get_state (first), ==, TACHO_GENERATION_FAILED);
      g_assert_cmpuint (server.n_refused, ==, 2); /* once more, and no further */
    }
  else
    {
      g_assert_cmpint (tacho_generation_get_state (first), ==, TACHO_GENERATION_DONE);
      g_assert_cmpstr (tacho_generation_get_text (first), ==, "Hi");
      g_assert_cmpuint (tacho_generation_get_attempts (first)->len, ==, 2);
      second = generate (service);
      g_assert_cmpint (tacho_generation_get_state (second), ==, TACHO_GENERATION_DONE);
      g_assert_cmpuint (tacho_generation_get_attempts (second)->len, ==, 1);
      g_assert_cmpuint (server.n_refused, ==, 1);
      g_assert_cmpuint (server.n_generated, ==, 2);
    }
  tacho_client_manager_close (manager);
  soup_server_disconnect (soup);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_data_func ("/learning/max-completion-tokens", NULL, test_learning);
  g_test_add_data_func ("/learning/stubborn", "stubborn", test_learning);
  return g_test_run ();
}
