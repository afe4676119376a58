/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The HTTP front of the simulated server: who may ask, which faults are played, which route
 * answers. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-http.h"

#include "base/tacho-error.h"
#include "base/tacho-url.h"
#include "sim/tacho-sim-reply.h"

#include <math.h>
#include <string.h>

#define MAX_BODY (32 * 1024 * 1024)
#define JSON_TYPE "application/json; charset=utf-8"

/**
 * tacho_sim_is_generation:
 * @path: of a request
 *
 * Returns: whether it is a generation route, where faults without a path apply
 */
gboolean
tacho_sim_is_generation (const char *path)
{
  static const char *const paths[] = {
    "/v1/chat/completions",
    "/v1/completions",
    "/chat/completions",
    "/completions",
    "/completion",
    "/v1/responses",
    "/api/chat",
    "/api/generate",
    "/api/v1/chat",
    "/generate",
    "/api/v0/chat/completions",
    "/api/v0/completions",
    "/generate_stream",
    "/openai/v1/chat/completions",
    "/openai/v1/completions",
    NULL,
  };

  return g_strv_contains (paths, path) ||
         (g_str_has_prefix (path, "/v2/models/") &&
          (g_str_has_suffix (path, "/generate") || g_str_has_suffix (path, "/infer") ||
           g_str_has_suffix (path, "/generate_stream")));
}

/**
 * tacho_sim_exchange_is:
 * @exchange: the exchange
 * @method: an HTTP method
 * @path: a path
 *
 * Returns: whether that was asked for
 */
gboolean
tacho_sim_exchange_is (TachoSimExchange *exchange, const char *method, const char *path)
{
  return g_str_equal (exchange->path, path) &&
         g_str_equal (soup_server_message_get_method (exchange->message), method);
}

/**
 * tacho_sim_exchange_get_between:
 * @exchange: the exchange
 * @prefix: how the path begins
 * @suffix: how it ends
 *
 * Returns: (transfer full) (nullable): what stands between them, if they match and it is not empty
 */
char *
tacho_sim_exchange_get_between (TachoSimExchange *exchange, const char *prefix, const char *suffix)
{
  gsize all = strlen (exchange->path), before = strlen (prefix), after = strlen (suffix);

  if (all <= before + after || !g_str_has_prefix (exchange->path, prefix) ||
      !g_str_has_suffix (exchange->path, suffix))
    return NULL;
  return g_strndup (exchange->path + before, all - before - after);
}

/**
 * tacho_sim_exchange_reply_json:
 * @exchange: the exchange
 * @json: (transfer full): the whole body of a reply with status 200
 */
void
tacho_sim_exchange_reply_json (TachoSimExchange *exchange, GString *json)
{
  tacho_sim_exchange_reply (exchange, 200, TACHO_SIM_JSON_TYPE, g_string_free (json, FALSE));
}

/* LM Studio says so with status 200. */
static void
reply_unknown (TachoSimExchange *exchange)
{
  const char *method = soup_server_message_get_method (exchange->message);
  GString *json = g_string_new (NULL);
  g_autofree char *words = NULL;

  switch (exchange->family)
    {
    case TACHO_SIM_FAMILY_LMSTUDIO:
      words = g_strdup_printf ("Unexpected endpoint or method. (%s %s)", method, exchange->path);
      tacho_sim_json_add (json, "{'error':%s}", words);
      tacho_sim_exchange_reply_json (exchange, json);
      return;
    case TACHO_SIM_FAMILY_OLLAMA:
    case TACHO_SIM_FAMILY_TGI:
      g_string_free (json, TRUE);
      tacho_sim_exchange_reply (exchange, 404, "text/plain", g_strdup ("404 page not found"));
      return;
    case TACHO_SIM_FAMILY_VLLM:
    case TACHO_SIM_FAMILY_SGLANG:
    case TACHO_SIM_FAMILY_KSERVE:
    case TACHO_SIM_FAMILY_RYZANSTEIN:
      tacho_sim_json_add (json, "{'detail':'Not Found'}");
      tacho_sim_exchange_reply (exchange, 404, TACHO_SIM_JSON_TYPE, g_string_free (json, FALSE));
      return;
    case TACHO_SIM_FAMILY_OIP:
      g_string_free (json, TRUE);
      tacho_sim_exchange_reply (exchange, 404, "text/plain", g_strdup (""));
      return;
    case TACHO_SIM_FAMILY_ALL:
    case TACHO_SIM_FAMILY_LLAMACPP:
    case TACHO_SIM_FAMILY_OPENAI:
    case TACHO_SIM_N_FAMILIES:
    default:
      g_string_free (json, TRUE);
      tacho_sim_exchange_error (exchange, 404, "not_found_error", "File Not Found");
    }
}

/* Which routes each family has, the first match counting. */
static const struct
{
  TachoSimFamily family;
  gboolean (*route) (TachoSimExchange *exchange);
} routes[] = {
  { TACHO_SIM_FAMILY_LLAMACPP, tacho_sim_llamacpp_route },
  { TACHO_SIM_FAMILY_OPENAI, tacho_sim_openai_route },
  { TACHO_SIM_FAMILY_OLLAMA, tacho_sim_ollama_route },
  { TACHO_SIM_FAMILY_LMSTUDIO, tacho_sim_lmstudio_route },
  { TACHO_SIM_FAMILY_VLLM, tacho_sim_vllm_route },
  { TACHO_SIM_FAMILY_SGLANG, tacho_sim_sglang_route },
  { TACHO_SIM_FAMILY_TGI, tacho_sim_tgi_route },
  { TACHO_SIM_FAMILY_OIP, tacho_sim_oip_route },
  { TACHO_SIM_FAMILY_KSERVE, tacho_sim_oip_route },
  { TACHO_SIM_FAMILY_RYZANSTEIN, tacho_sim_ryzanstein_route },
};

/* Where all families are spoken, the exchange becomes that of the family that knows the route. */
static gboolean
route_to_family (TachoSimExchange *exchange)
{
  TachoSimFamily family = exchange->family;

  for (guint i = 0; i < G_N_ELEMENTS (routes); i++)
    if (family == TACHO_SIM_FAMILY_ALL || routes[i].family == family)
      {
        exchange->family = routes[i].family;
        if (routes[i].route (exchange))
          return TRUE;
      }
  exchange->family = family;
  return FALSE;
}

static void
route (TachoSimExchange *exchange)
{
  if (!tacho_sim_limit_refuses (exchange) && !route_to_family (exchange))
    reply_unknown (exchange);
}

static gboolean
delay_cb (gpointer user_data)
{
  TachoSimExchange *exchange = user_data;

  g_clear_pointer (&exchange->delay, g_source_unref);
  route (exchange);
  return G_SOURCE_REMOVE;
}

/* A status with a body of another kind than the family's, as a proxy would send it. */
static void
reply_status (TachoSimExchange *exchange)
{
  const TachoSimPlay *play = &exchange->play;
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (exchange->message);

  if (!isnan (play->retry_after_s))
    {
      g_autofree char *value = g_strdup_printf ("%.0f", play->retry_after_s);

      soup_message_headers_replace (headers, "Retry-After", value);
    }
  if (g_strcmp0 (play->body, "html") == 0)
    tacho_sim_exchange_reply (exchange, play->status, "text/html",
                              g_strdup ("<html><body><h1>Error</h1></body></html>\n"));
  else if (g_strcmp0 (play->body, "text") == 0)
    tacho_sim_exchange_reply (exchange, play->status, "text/plain", g_strdup ("simulated error\n"));
  else if (g_strcmp0 (play->body, "empty") == 0)
    tacho_sim_exchange_reply (exchange, play->status, "text/plain", g_strdup (""));
  else
    tacho_sim_exchange_error (exchange, play->status,
                              play->status == 503 ? "unavailable_error" : "server_error",
                              "simulated status %u", play->status);
}

static void
play_and_route (TachoSimExchange *exchange)
{
  if (exchange->play.status != 0)
    reply_status (exchange);
  else if (exchange->play.latency_s > 0)
    {
      exchange->delay = g_timeout_source_new ((guint) (exchange->play.latency_s * 1000));
      g_source_set_callback (exchange->delay, delay_cb, exchange, NULL);
      g_source_attach (exchange->delay, exchange->host->context);
    }
  else if (exchange->play.has_stream_fault && exchange->play.stream_fault == TACHO_SIM_FAULT_DROP &&
           exchange->play.after_events == 0)
    tacho_sim_exchange_drop (exchange);
  else
    route (exchange);
}

static gboolean
is_local_host (const char *host)
{
  g_autofree char *url = g_strconcat ("http://", host, NULL);

  return tacho_url_is_loopback (url);
}

/* A page in a browser must not reach this server through a name that resolves to 127.0.0.1. */
static gboolean
is_foreign (TachoSimExchange *exchange)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (exchange->message);
  const char *host = soup_message_headers_get_one (headers, "Host");
  const char *origin = soup_message_headers_get_one (headers, "Origin");

  return (host != NULL && !is_local_host (host)) ||
         (origin != NULL && !tacho_url_is_loopback (origin));
}

/**
 * tacho_sim_equal_secret:
 * @a: what a client sent
 * @b: the key
 *
 * Returns: whether they are equal; takes as long however much of it is
 */
gboolean
tacho_sim_equal_secret (const char *a, const char *b)
{
  gsize n = strlen (a);
  guint8 difference = 0;

  if (strlen (b) != n)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    difference |= (guint8) (a[i] ^ b[i]);
  return difference == 0;
}

/* llama.cpp leaves health and the list of models open; a plain OpenAI server leaves nothing
 * open. */
static gboolean
is_authorized (TachoSimExchange *exchange)
{
  static const char *const open_paths[] = { "/health", "/v1/health", "/models", "/v1/models",
                                            NULL };
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (exchange->message);
  const TachoSimConfig *config = exchange->host->config;
  const char *value = soup_message_headers_get_one (headers, "Authorization");
  const char *key = soup_message_headers_get_one (headers, "X-Api-Key");

  if (config->api_key == NULL)
    return TRUE;
  switch (exchange->family)
    {
    case TACHO_SIM_FAMILY_ALL:
    case TACHO_SIM_FAMILY_LLAMACPP:
      if (g_strv_contains (open_paths, exchange->path))
        return TRUE;
      break;
    case TACHO_SIM_FAMILY_VLLM: /* guards these alone */
      if (!g_str_has_prefix (exchange->path, "/v1/"))
        return TRUE;
      break;
    case TACHO_SIM_FAMILY_OPENAI:
    case TACHO_SIM_FAMILY_OLLAMA:
    case TACHO_SIM_FAMILY_LMSTUDIO:
    case TACHO_SIM_FAMILY_SGLANG:
    case TACHO_SIM_FAMILY_TGI:
    case TACHO_SIM_FAMILY_OIP:
    case TACHO_SIM_FAMILY_KSERVE:
    case TACHO_SIM_FAMILY_RYZANSTEIN:
    case TACHO_SIM_N_FAMILIES:
    default:
      break;
    }
  if (value != NULL && g_ascii_strncasecmp (value, "Bearer ", 7) == 0)
    key = value + 7;
  return key != NULL && tacho_sim_equal_secret (key, config->api_key);
}

static void
handle (TachoSimExchange *exchange)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (exchange->message);
  TachoSimHost *host = exchange->host;
  g_autoptr (GError) error = NULL;
  gboolean matched;

  if (is_foreign (exchange))
    {
      tacho_sim_exchange_error (exchange, 403, "permission_error",
                                "only this machine's own programs may use the simulated server");
      return;
    }
  if (!is_authorized (exchange))
    {
      tacho_sim_exchange_error (exchange, 401, "authentication_error", "Invalid API Key");
      return;
    }
  if (g_str_has_prefix (exchange->path, "/__tacho/"))
    {
      tacho_sim_control (exchange); /* no fault is played there */
      return;
    }
  g_mutex_lock (&host->fault_lock);
  matched = tacho_sim_fault_set_match (
      host->faults, exchange->path, tacho_sim_is_generation (exchange->path),
      soup_message_headers_get_one (headers, "X-Tacho-Fault"), &exchange->play, &error);
  g_mutex_unlock (&host->fault_lock);
  if (matched)
    play_and_route (exchange);
  else
    {
      tacho_sim_play_clear (&exchange->play);
      tacho_sim_exchange_error (exchange, 400, "invalid_request_error", "%s", error->message);
    }
}

static void
handler_cb (SoupServer *server,
            SoupServerMessage *message,
            const char *path,
            GHashTable *query,
            gpointer user_data)
{
  TachoSimListener *listener = user_data;
  TachoSimHost *host = listener->host;
  TachoSimExchange *exchange =
      tacho_sim_exchange_new (host, listener->front.family, message, path,
                              query ? g_hash_table_lookup (query, "model") : NULL);

  exchange->anybody = listener->front.family == TACHO_SIM_FAMILY_ALL;

  if (g_str_has_prefix (path, "/__tacho/"))
    exchange->recorded = TRUE; /* the server's own pages are not part of the capture */
  else
    {
      exchange->number = ++host->n_requests;
      TACHO_SIM_COUNT (host->engine, requests, 1);
    }
  handle (exchange);
  tacho_sim_exchange_wait (exchange);
}

/* Refuses what is too long before it is read. */
static void
early_handler_cb (SoupServer *server,
                  SoupServerMessage *message,
                  const char *path,
                  GHashTable *query,
                  gpointer user_data)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  gboolean sized = soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CONTENT_LENGTH;

  if (sized && soup_message_headers_get_content_length (headers) > MAX_BODY)
    {
      g_autofree char *json =
          tacho_sim_error_body (TACHO_SIM_FAMILY_LLAMACPP, NULL, 413, "invalid_request_error",
                                "the request is larger than 32 MiB");

      soup_message_headers_replace (soup_server_message_get_response_headers (message),
                                    "Connection", "close");
      soup_server_message_set_status (message, 413, NULL);
      soup_server_message_set_response (message, JSON_TYPE, SOUP_MEMORY_COPY, json, strlen (json));
    }
}

static void
got_chunk_cb (SoupServerMessage *message, GBytes *chunk, gpointer user_data)
{
  SoupMessageBody *body = soup_server_message_get_request_body (message);

  if (body->length > MAX_BODY)
    {
      GSocket *socket = soup_server_message_get_socket (message);

      soup_message_body_set_accumulate (body, FALSE);
      if (socket != NULL)
        g_socket_shutdown (socket, TRUE, TRUE, NULL);
    }
}

/* GIO leaves even a flawless client certificate to the server to accept. */
static gboolean
accept_certificate_cb (SoupServerMessage *message,
                       GTlsCertificate *certificate,
                       GTlsCertificateFlags errors,
                       gpointer user_data)
{
  return errors == 0;
}

static void
request_started_cb (SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
  TachoSimListener *listener = user_data;
  GSocket *socket = soup_server_message_get_socket (message);

  g_signal_connect (message, "accept-certificate", G_CALLBACK (accept_certificate_cb), NULL);
  if (socket != NULL && g_object_get_data (G_OBJECT (socket), "tacho-sim-seen") == NULL)
    {
      g_object_set_data (G_OBJECT (socket), "tacho-sim-seen", GINT_TO_POINTER (1));
      TACHO_SIM_COUNT (listener->host->engine, connections, 1);
    }
  g_signal_connect (message, "got-chunk", G_CALLBACK (got_chunk_cb), NULL);
}

static gboolean
set_tls (SoupServer *soup, const TachoSimConfig *config, GError **error)
{
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GTlsDatabase) database = NULL;
  g_autofree char *path = NULL;
  g_autoptr (GError) local = NULL;

  if (config->tls_cert == NULL || config->tls_key == NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "A TLS front needs a certificate and a key: give both PEM files");
      return FALSE;
    }
  certificate = g_tls_certificate_new_from_files (config->tls_cert, config->tls_key, &local);
  if (certificate == NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "Cannot read the certificate “%s” with the key “%s”: %s", config->tls_cert,
                   config->tls_key, local->message);
      return FALSE;
    }
  soup_server_set_tls_certificate (soup, certificate);
  if (config->tls_client_ca == NULL)
    return TRUE;
  path = g_canonicalize_filename (config->tls_client_ca, NULL); /* it takes no other */
  database = g_tls_file_database_new (path, &local);
  if (database == NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "Cannot read the clients' authority “%s”: %s", config->tls_client_ca,
                   local->message);
      return FALSE;
    }
  soup_server_set_tls_database (soup, database);
  soup_server_set_tls_auth_mode (soup, G_TLS_AUTHENTICATION_REQUIRED);
  return TRUE;
}

/**
 * tacho_sim_listener_new:
 * @host: what answers
 * @front: an HTTP front; copied
 * @error: return location for a `TACHO_ERROR_IO` or `TACHO_ERROR_INVALID`
 *
 * Listens on the loopback interface. Called with the host's context as the thread's default.
 *
 * Returns: (transfer full) (nullable): the listener
 */
TachoSimListener *
tacho_sim_listener_new (TachoSimHost *host, const TachoSimFront *front, GError **error)
{
  TachoSimListener *listener = g_new0 (TachoSimListener, 1);
  SoupServerListenOptions options =
      SOUP_SERVER_LISTEN_IPV4_ONLY | (front->tls ? SOUP_SERVER_LISTEN_HTTPS : 0);
  g_autoptr (GError) local = NULL;

  listener->host = host;
  listener->front = *front;
  listener->soup = soup_server_new ("server-header", "tacho-sim/" TACHO_VERSION, NULL);
  soup_server_add_early_handler (listener->soup, NULL, early_handler_cb, NULL, NULL);
  soup_server_add_handler (listener->soup, NULL, handler_cb, listener, NULL);
  g_signal_connect (listener->soup, "request-started", G_CALLBACK (request_started_cb), listener);
  if (front->tls && !set_tls (listener->soup, host->config, error))
    {
      tacho_sim_listener_free (listener);
      return NULL;
    }
  if (!soup_server_listen_local (listener->soup, front->port, options, &local))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO,
                   "Cannot start the simulated server on 127.0.0.1 port %u: %s", front->port,
                   local->message);
      tacho_sim_listener_free (listener);
      return NULL;
    }
  return listener;
}

/**
 * tacho_sim_listener_get_port:
 * @listener: a listener
 *
 * Returns: the port of 127.0.0.1
 */
guint16
tacho_sim_listener_get_port (TachoSimListener *listener)
{
  GSList *uris = soup_server_get_uris (listener->soup);
  int port = g_uri_get_port (uris->data);

  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  return (guint16) port;
}

/**
 * tacho_sim_listener_free:
 * @listener: (nullable) (transfer full): a listener
 *
 * Closes it and its connections. Called with the host's context as the thread's default.
 */
void
tacho_sim_listener_free (TachoSimListener *listener)
{
  if (listener == NULL)
    return;
  g_signal_handlers_disconnect_by_func (listener->soup, request_started_cb, listener);
  soup_server_disconnect (listener->soup);
  g_object_unref (listener->soup);
  g_free (listener);
}

/**
 * tacho_sim_host_detach:
 * @host: the host
 *
 * Ends every exchange; the connections are their listeners' to close.
 */
void
tacho_sim_host_detach (TachoSimHost *host)
{
  TachoSimExchange *exchange;

  while ((exchange = g_queue_pop_head (&host->exchanges)) != NULL)
    tacho_sim_exchange_free (exchange);
}
