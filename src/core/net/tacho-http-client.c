/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The session behind the services: one origin, hardened libsoup, counted connections. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "net/tacho-http-client-private.h"

#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "base/tacho-url.h"

#include <math.h>

#define DEFAULT_MAX_CONNECTIONS 64
#define IDLE_CONNECTION_S 60
#define MAX_AGE_S 600.0

static void tacho_http_client_transport_init (TachoTransportInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TachoHttpClient,
                               tacho_http_client,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TACHO_TYPE_TRANSPORT,
                                                      tacho_http_client_transport_init))

/* libsoup 3.2 has no public way to say HTTP/1 only, and its HTTP/2 side has an open use-after-free
 * (CVE-2025-12105). The environment may only be changed while there is one thread. */
__attribute__ ((constructor)) static void
force_http1 (void)
{
  g_setenv ("SOUP_FORCE_HTTP1", "1", TRUE);
}

static void
stream_gone_cb (gpointer user_data, GObject *stream)
{
  TachoHttpClient *self = user_data;

  g_hash_table_remove (self->streams, stream);
  self->counters.open = g_hash_table_size (self->streams);
}

void
tacho_http_client_track_stream (TachoHttpClient *self, GIOStream *stream)
{
  if (!g_hash_table_add (self->streams, stream))
    return;
  g_object_weak_ref (G_OBJECT (stream), stream_gone_cb, self);
  self->counters.created++;
  self->counters.open = g_hash_table_size (self->streams);
}

/* The number of connections of a session is small; those that were closed are forgotten by age. */
static gboolean
is_long_gone (gpointer key, gpointer value, gpointer user_data)
{
  const gint64 *limit_ns = user_data;

  return *(gint64 *) value < *limit_ns;
}

gboolean
tacho_http_client_is_old (TachoHttpClient *self, guint64 connection_id)
{
  gint64 now_ns = tacho_clock_now_ns ();
  gint64 *birth = g_hash_table_lookup (self->births, &connection_id);
  gint64 limit_ns = now_ns - 2 * self->max_age_ns;

  if (birth != NULL)
    return now_ns - *birth > self->max_age_ns;
  g_hash_table_foreach_remove (self->births, is_long_gone, &limit_ns);
  g_hash_table_insert (self->births, g_memdup2 (&connection_id, sizeof connection_id),
                       g_memdup2 (&now_ns, sizeof now_ns));
  return FALSE;
}

static void
tacho_http_client_dispose (GObject *object)
{
  TachoHttpClient *self = TACHO_HTTP_CLIENT (object);

  tacho_http_client_close (self);

  G_OBJECT_CLASS (tacho_http_client_parent_class)->dispose (object);
}

static void
tacho_http_client_finalize (GObject *object)
{
  TachoHttpClient *self = TACHO_HTTP_CLIENT (object);
  GHashTableIter iter;
  gpointer stream;

  g_clear_object (&self->session);
  g_hash_table_iter_init (&iter, self->streams);
  while (g_hash_table_iter_next (&iter, &stream, NULL))
    g_object_weak_unref (stream, stream_gone_cb, self);
  g_hash_table_unref (self->streams);
  g_ptr_array_unref (self->exchanges);
  g_ptr_array_unref (self->headers);
  g_free (self->base_url);
  if (self->authorization != NULL)
    explicit_bzero (self->authorization, strlen (self->authorization));
  g_free (self->authorization);

  g_hash_table_unref (self->births);
  g_clear_object (&self->certificate);
  g_free (self->pin);
  G_OBJECT_CLASS (tacho_http_client_parent_class)->finalize (object);
}

static void
tacho_http_client_class_init (TachoHttpClientClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = tacho_http_client_dispose;
  object_class->finalize = tacho_http_client_finalize;
}

static void
tacho_http_client_init (TachoHttpClient *self)
{
  self->exchanges = g_ptr_array_new ();
  self->streams = g_hash_table_new (NULL, NULL);
  self->births = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  self->headers = tacho_headers_new ();
}

static gboolean
check_base_url (const char *url, GError **error)
{
  g_autoptr (GUri) uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  /* CVE-2026-3632: a percent-encoded host may hold a line break once decoded. */
  for (const char *p = host; p != NULL && *p != '\0'; p++)
    if (g_ascii_iscntrl (*p) || *p == ' ' || *p == '%' || *p == '/' || *p == '@')
      host = NULL;
  if (host != NULL && *host != '\0' && g_uri_get_userinfo (uri) == NULL &&
      (g_str_equal (g_uri_get_scheme (uri), "http") ||
       g_str_equal (g_uri_get_scheme (uri), "https")))
    return TRUE;
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "Not an http or https address that requests can be sent to");
  return FALSE;
}

static gboolean
take_credentials (TachoHttpClient *self, const TachoHttpOptions *options, GError **error)
{
  if (options->bearer != NULL && *options->bearer != '\0')
    {
      self->authorization = g_strconcat ("Bearer ", options->bearer, NULL);
      if (!tacho_header_check ("Authorization", self->authorization, NULL))
        {
          g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                               "The API key holds a line break or a character that no HTTP header "
                               "may hold: nothing was sent");
          return FALSE;
        }
    }
  for (guint i = 0; options->headers != NULL && options->headers[i] != NULL; i++)
    {
      g_autoptr (GError) reason = NULL;
      g_autofree char *name = NULL;
      g_autofree char *value = NULL;

      if (!tacho_header_parse (options->headers[i], &name, &value, &reason) ||
          !tacho_header_check (name, value, &reason))
        {
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "A header cannot be sent: %s",
                       reason->message);
          return FALSE;
        }
      tacho_headers_add (self->headers, name, value);
    }
  return TRUE;
}

static double
sane_timeout (double seconds)
{
  return isfinite (seconds) && seconds > 0 ? seconds : 0;
}

/**
 * tacho_http_client_new:
 * @options: where to, with which credentials, limits and trust; copied
 * @error: return location
 *
 * Makes a client for one origin. Environment proxies are ignored, redirects are not followed,
 * compressed replies are refused, nothing is stored (no cookies, no cache), the server's
 * authentication challenges are not answered, and TLS is 1.2 or later.
 *
 * Returns: (transfer full): the client, or %NULL with %TACHO_ERROR_INVALID if a URL, a header, the
 *   key or the CA file cannot be used
 */
TachoHttpClient *
tacho_http_client_new (const TachoHttpOptions *options, GError **error)
{
  g_autoptr (TachoHttpClient) self = NULL;
  g_autoptr (GTlsDatabase) database = NULL;
  g_autoptr (GProxyResolver) resolver = NULL;
  guint max_connections;
  guint idle_s = IDLE_CONNECTION_S;

  g_return_val_if_fail (options != NULL && options->base_url != NULL, NULL);

  if (!check_base_url (options->base_url, error))
    return NULL;
  self = g_object_new (TACHO_TYPE_HTTP_CLIENT, NULL);
  if (!tacho_http_trust_read (self, options, &database, &resolver, error) ||
      !take_credentials (self, options, error))
    return NULL;
  self->base_url = g_strdup (options->base_url);
  self->timeout_connect = sane_timeout (options->timeout_connect);
  self->timeout_first = sane_timeout (options->timeout_first);
  self->timeout_idle = sane_timeout (options->timeout_idle);
  self->timeout_total = sane_timeout (options->timeout_total);
  self->max_age_ns =
      (gint64) ((options->max_age > 0 ? options->max_age : MAX_AGE_S) * (double) TACHO_NS_PER_S);
  if (options->idle_close > 0)
    idle_s = (guint) CLAMP (options->idle_close, 1, G_MAXINT);
  max_connections =
      options->max_connections > 0 ? options->max_connections : DEFAULT_MAX_CONNECTIONS;
  self->session = soup_session_new_with_options (
      "max-conns", (int) max_connections, "max-conns-per-host", (int) max_connections, "timeout",
      0u, "idle-timeout", idle_s, "proxy-resolver", NULL, "user-agent", "tacho/" TACHO_VERSION,
      NULL);
  /* The environment's proxy also catches loopback; the session default must be replaced. */
  soup_session_set_proxy_resolver (self->session, resolver);
  if (database != NULL)
    soup_session_set_tls_database (self->session, database);
  soup_session_remove_feature_by_type (self->session, SOUP_TYPE_AUTH_MANAGER);
  soup_session_remove_feature_by_type (self->session, SOUP_TYPE_CONTENT_DECODER);
  return g_steal_pointer (&self);
}

/**
 * tacho_http_client_get_base_url:
 * @self: a client
 *
 * Returns: (transfer none): the URL below which all its requests go
 */
const char *
tacho_http_client_get_base_url (TachoHttpClient *self)
{
  g_return_val_if_fail (TACHO_IS_HTTP_CLIENT (self), NULL);
  return self->base_url;
}

/**
 * tacho_http_client_get_counters:
 * @self: a client
 * @counters: (out caller-allocates): what the client has done since it was made, and its
 *   connections now
 */
void
tacho_http_client_get_counters (TachoHttpClient *self, TachoTransportCounters *counters)
{
  g_return_if_fail (TACHO_IS_HTTP_CLIENT (self));
  g_return_if_fail (counters != NULL);

  *counters = self->counters;
  counters->idle = counters->open > self->active ? counters->open - self->active : 0;
}

/**
 * tacho_http_client_close:
 * @self: a client
 *
 * Ends every exchange with %TACHO_ERROR_CANCELLED and closes every connection. Requests made
 * later fail with %TACHO_ERROR_CANCELLED too. May be called twice.
 */
void
tacho_http_client_close (TachoHttpClient *self)
{
  g_autoptr (GPtrArray) running = NULL;

  g_return_if_fail (TACHO_IS_HTTP_CLIENT (self));

  if (self->closed)
    return;
  self->closed = TRUE;
  g_object_ref (self);
  running = g_ptr_array_copy (self->exchanges, tacho_http_exchange_ref, NULL);
  g_ptr_array_set_free_func (running, tacho_http_exchange_unref);
  for (guint i = 0; i < running->len; i++)
    tacho_http_exchange_abort (g_ptr_array_index (running, i));
  if (self->session != NULL)
    soup_session_abort (self->session);
  g_object_unref (self);
}

/**
 * tacho_http_client_send_async:
 * @self: a client
 * @request: what to send; copied as far as needed
 * @total_override: seconds that replace the client's total timeout, 0 to keep it
 * @cancellable: (nullable): closes the socket when cancelled
 * @callback: called once
 * @user_data: for @callback
 *
 * Sends a request and collects the whole reply, of at most 64 MiB.
 */
void
tacho_http_client_send_async (TachoHttpClient *self,
                              const TachoHttpRequest *request,
                              double total_override,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (TACHO_IS_HTTP_CLIENT (self));
  g_return_if_fail (request != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, tacho_http_client_send_async);
  tacho_http_exchange_run (self, request, NULL, NULL,
                           total_override > 0 ? total_override : self->timeout_total, task);
}

/**
 * tacho_http_client_send_finish:
 * @self: a client
 * @result: the result
 * @error: return location
 *
 * Returns: (transfer full): the reply, whatever its status, or %NULL with a `TACHO_ERROR`
 */
TachoHttpReply *
tacho_http_client_send_finish (TachoHttpClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * tacho_http_client_stream_async:
 * @self: a client
 * @request: what to send
 * @funcs: what is told of the exchange; copied
 * @funcs_data: for @funcs; must live until @callback is called
 * @cancellable: (nullable): closes the socket when cancelled
 * @callback: called once; no function of @funcs is called after it
 * @user_data: for @callback
 *
 * Sends a request and hands the body of a 2xx reply on as it comes. The first-byte timer runs until
 * the first byte of the body: servers differ in whether they send the head at once or with the
 * first token.
 */
void
tacho_http_client_stream_async (TachoHttpClient *self,
                                const TachoHttpRequest *request,
                                const TachoStreamFuncs *funcs,
                                gpointer funcs_data,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (TACHO_IS_HTTP_CLIENT (self));
  g_return_if_fail (request != NULL);
  g_return_if_fail (funcs != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, tacho_http_client_stream_async);
  tacho_http_exchange_run (self, request, funcs, funcs_data, self->timeout_total, task);
}

/**
 * tacho_http_client_stream_finish:
 * @self: a client
 * @result: the result
 * @error: return location
 *
 * Returns: (transfer full): the reply's head (a body only if the status is not 2xx), or %NULL with
 *   a `TACHO_ERROR`
 */
TachoHttpReply *
tacho_http_client_stream_finish (TachoHttpClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
transport_send_async (TachoTransport *self,
                      const TachoHttpRequest *request,
                      double total_override,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  tacho_http_client_send_async (TACHO_HTTP_CLIENT (self), request, total_override, cancellable,
                                callback, user_data);
}

static TachoHttpReply *
transport_send_finish (TachoTransport *self, GAsyncResult *result, GError **error)
{
  return tacho_http_client_send_finish (TACHO_HTTP_CLIENT (self), result, error);
}

static void
transport_stream_async (TachoTransport *self,
                        const TachoHttpRequest *request,
                        const TachoStreamFuncs *funcs,
                        gpointer funcs_data,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  tacho_http_client_stream_async (TACHO_HTTP_CLIENT (self), request, funcs, funcs_data, cancellable,
                                  callback, user_data);
}

static TachoHttpReply *
transport_stream_finish (TachoTransport *self, GAsyncResult *result, GError **error)
{
  return tacho_http_client_stream_finish (TACHO_HTTP_CLIENT (self), result, error);
}

static const char *
transport_get_target (TachoTransport *self)
{
  return tacho_http_client_get_base_url (TACHO_HTTP_CLIENT (self));
}

static void
transport_get_counters (TachoTransport *self, TachoTransportCounters *counters)
{
  tacho_http_client_get_counters (TACHO_HTTP_CLIENT (self), counters);
}

static void
transport_close (TachoTransport *self)
{
  tacho_http_client_close (TACHO_HTTP_CLIENT (self));
}

static void
tacho_http_client_transport_init (TachoTransportInterface *iface)
{
  iface->protocol = TACHO_PROTOCOL_REST;
  iface->send_async = transport_send_async;
  iface->send_finish = transport_send_finish;
  iface->stream_async = transport_stream_async;
  iface->stream_finish = transport_stream_finish;
  iface->get_target = transport_get_target;
  iface->get_counters = transport_get_counters;
  iface->close = transport_close;
}
