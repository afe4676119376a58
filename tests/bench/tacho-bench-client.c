/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everything on the default main context, as in the window. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-bench-client.h"

#include "base/tacho-clock.h"
#include "tacho-reference-responder.h"

struct _TachoBenchMany
{
  guint n, started, ended;
  gboolean starting;
  TachoBenchStart start;
  gpointer user_data;
};

static const char question[] = "Why is the sky blue? Answer in three sentences, for a reader who "
                               "knows some physics.";

static void
store_result_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

/**
 * tacho_bench_client_open_cold:
 * @self: (out caller-allocates): the services
 * @url: (nullable): an OpenAI-like server
 * @profile: (nullable) (transfer full): a profile of its own, where @url is %NULL
 *
 * Makes the services and sends nothing yet.
 */
void
tacho_bench_client_open_cold (TachoBenchClient *self, const char *url, TachoProfile *profile)
{
  g_autoptr (GError) error = NULL;

  self->profile = url != NULL ? tacho_profile_new ("bench", url, &error) : profile;
  if (self->profile == NULL)
    g_error ("%s", error->message);
  if (url != NULL)
    tacho_profile_set_api (self->profile, "openai", NULL);
  self->manager = tacho_client_manager_new (self->profile);
  self->models = tacho_model_service_new (self->manager);
  self->inference = tacho_inference_service_new (self->manager);
  self->request = tacho_generate_request_new (TACHO_RESPONDER_MODEL);
  tacho_generate_request_add_message (self->request, TACHO_ROLE_USER, question);
  self->request->max_tokens = 128;
  self->request->stream = FALSE;
}

/**
 * tacho_bench_client_open:
 * @self: (out caller-allocates): the services
 * @url: (nullable): an OpenAI-like server
 * @profile: (nullable) (transfer full): a profile of its own, where @url is %NULL
 *
 * Makes the services and asks the server what it is.
 */
void
tacho_bench_client_open (TachoBenchClient *self, const char *url, TachoProfile *profile)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  tacho_bench_client_open_cold (self, url, profile);
  tacho_client_manager_probe_async (self->manager, NULL, store_result_cb, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  if (!tacho_client_manager_probe_finish (self->manager, result, &error))
    g_error ("%s", error->message);
}

/**
 * tacho_bench_client_close:
 * @self: the services
 *
 * Closes the connections and frees everything.
 */
void
tacho_bench_client_close (TachoBenchClient *self)
{
  tacho_client_manager_close (self->manager);
  g_clear_pointer (&self->request, tacho_generate_request_free);
  g_clear_object (&self->inference);
  g_clear_object (&self->models);
  g_clear_object (&self->manager);
  g_clear_object (&self->profile);
}

/**
 * tacho_bench_soup_new:
 *
 * Returns: (transfer full): a session with as many connections as the services have
 */
SoupSession *
tacho_bench_soup_new (void)
{
  return soup_session_new_with_options ("max-conns", 64, "max-conns-per-host", 64, NULL);
}

/**
 * tacho_bench_soup_post:
 * @url: of a server
 * @stream: whether the reply is to be streamed
 *
 * Returns: (transfer full): the question as a message that may use a kept connection
 */
SoupMessage *
tacho_bench_soup_post (const char *url, gboolean stream)
{
  g_autofree char *target = g_strconcat (url, "/v1/chat/completions", NULL);
  g_autofree char *body = g_strdup_printf ("{\"model\":\"" TACHO_RESPONDER_MODEL
                                           "\",\"messages\":[{\"role\":\"user\",\"content\":"
                                           "\"%s\"}],\"stream\":%s,\"max_tokens\":128}",
                                           question, stream ? "true" : "false");
  g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));
  SoupMessage *message = soup_message_new ("POST", target);

  soup_message_set_request_body_from_bytes (message, "application/json", bytes);
  soup_message_add_flags (message, SOUP_MESSAGE_IDEMPOTENT);
  return message;
}

/* --- many --- */

static void
start_more (TachoBenchMany *self)
{
  self->started++;
  self->start (self, self->user_data);
}

/**
 * tacho_bench_many_ended:
 * @many: what an operation was started for
 *
 * Counts it and starts the next.
 */
void
tacho_bench_many_ended (TachoBenchMany *many)
{
  many->ended++;
  if (many->started < many->n)
    start_more (many);
}

/**
 * tacho_bench_run_many:
 * @n: how many operations
 * @in_flight: at a time
 * @start: starts one
 * @user_data: for @start
 *
 * Returns: seconds from the first start to the last end
 */
double
tacho_bench_run_many (guint n, guint in_flight, TachoBenchStart start, gpointer user_data)
{
  TachoBenchMany self = { .n = n, .start = start, .user_data = user_data };
  gint64 begin_ns = tacho_clock_now_ns ();

  for (guint i = 0; i < MIN (in_flight, n); i++)
    start_more (&self);
  while (self.ended < n)
    g_main_context_iteration (NULL, TRUE);
  return (double) (tacho_clock_now_ns () - begin_ns) / TACHO_NS_PER_S;
}

static void
generated_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoGeneration) generation = NULL;
  g_autoptr (GError) error = NULL;

  if (!tacho_inference_service_execute_finish (TACHO_INFERENCE_SERVICE (source), result,
                                               &generation, &error))
    g_error ("%s", error->message);
  tacho_bench_many_ended (user_data);
}

/**
 * tacho_bench_start_generation:
 * @many: the run
 * @client: a TachoBenchClient
 *
 * Asks the client's question.
 */
void
tacho_bench_start_generation (TachoBenchMany *many, gpointer client)
{
  const TachoBenchClient *self = client;

  tacho_inference_service_execute_async (self->inference, self->request, NULL, generated_cb, many);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!tacho_model_service_list_finish (TACHO_MODEL_SERVICE (source), result, &error))
    g_error ("%s", error->message);
  tacho_bench_many_ended (user_data);
}

/**
 * tacho_bench_start_list:
 * @many: the run
 * @client: a TachoBenchClient
 *
 * Lists the models anew.
 */
void
tacho_bench_start_list (TachoBenchMany *many, gpointer client)
{
  const TachoBenchClient *self = client;

  tacho_model_service_list_async (self->models, TRUE, NULL, listed_cb, many);
}

static void
soup_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body =
      soup_session_send_and_read_finish (SOUP_SESSION (source), result, &error);

  if (body == NULL)
    g_error ("%s", error->message);
  tacho_bench_many_ended (user_data);
}

/**
 * tacho_bench_start_soup:
 * @many: the run
 * @soup: a TachoBenchSoup
 *
 * Sends one request and reads its reply whole, unread.
 */
void
tacho_bench_start_soup (TachoBenchMany *many, gpointer soup)
{
  const TachoBenchSoup *self = soup;
  g_autoptr (SoupMessage) message = NULL;

  if (self->post)
    message = tacho_bench_soup_post (self->url, FALSE);
  else
    {
      g_autofree char *target = g_strconcat (self->url, "/v1/models", NULL);

      message = soup_message_new ("GET", target);
    }
  soup_session_send_and_read_async (self->session, message, G_PRIORITY_DEFAULT, NULL, soup_cb,
                                    many);
}
