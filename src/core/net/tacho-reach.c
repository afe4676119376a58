/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way to a server, step by step: name, connection, TLS. */
#define G_LOG_DOMAIN "tacho-net"

#include "net/tacho-reach.h"

#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "base/tacho-url.h"
#include "net/tacho-http-client-private.h"

#define STEP_S 5.0
#define MAX_ADDRESSES 4

typedef struct
{
  char *url;
  char *host;
  guint16 port;
  gboolean tls;
  gboolean http2;
  char *proxy; /* NULL: straight */
  char *pin;
  GTlsDatabase *database;
  GTlsCertificate *own;
  double step_s;

  TachoReachFunc func;
  gpointer func_data;
  TachoReachStep step;
  gint64 begin_ns;

  GCancellable *cancellable; /* of this run: by the caller, or by the limit */
  gulong cancelled_id;
  GSource *limit;
  gboolean timed_out;
  GSocketConnection *connection;
  GIOStream *stream;
  TachoCertificate *certificate;
} Reach;

/**
 * tacho_certificate_copy:
 * @certificate: a certificate in words
 *
 * Returns: (transfer full): the same once more
 */
TachoCertificate *
tacho_certificate_copy (const TachoCertificate *certificate)
{
  TachoCertificate *copy = g_new0 (TachoCertificate, 1);

  copy->subject = g_strdup (certificate->subject);
  copy->issuer = g_strdup (certificate->issuer);
  copy->names = g_strdup (certificate->names);
  if (certificate->not_before != NULL)
    copy->not_before = g_date_time_ref (certificate->not_before);
  if (certificate->not_after != NULL)
    copy->not_after = g_date_time_ref (certificate->not_after);
  copy->fingerprint = g_strdup (certificate->fingerprint);
  copy->reason = g_strdup (certificate->reason);
  return copy;
}

/**
 * tacho_certificate_free:
 * @certificate: (nullable) (transfer full): a certificate in words
 */
void
tacho_certificate_free (TachoCertificate *certificate)
{
  if (certificate == NULL)
    return;
  g_free (certificate->subject);
  g_free (certificate->issuer);
  g_free (certificate->names);
  g_clear_pointer (&certificate->not_before, g_date_time_unref);
  g_clear_pointer (&certificate->not_after, g_date_time_unref);
  g_free (certificate->fingerprint);
  g_free (certificate->reason);
  g_free (certificate);
}

static void
stop_limit (Reach *reach)
{
  if (reach->limit == NULL)
    return;
  g_source_destroy (reach->limit);
  g_clear_pointer (&reach->limit, g_source_unref);
}

static void
reach_free (gpointer data)
{
  Reach *reach = data;

  stop_limit (reach);
  g_free (reach->url);
  g_free (reach->host);
  g_free (reach->proxy);
  g_free (reach->pin);
  g_clear_object (&reach->database);
  g_clear_object (&reach->own);
  g_clear_object (&reach->cancellable);
  g_clear_object (&reach->stream);
  g_clear_object (&reach->connection);
  tacho_certificate_free (reach->certificate);
  g_free (reach);
}

static gboolean
limit_cb (gpointer user_data)
{
  Reach *reach = user_data;

  reach->timed_out = TRUE;
  g_cancellable_cancel (reach->cancellable);
  return G_SOURCE_REMOVE;
}

static void
begin_step (Reach *reach, TachoReachStep step)
{
  stop_limit (reach);
  reach->step = step;
  reach->begin_ns = tacho_clock_now_ns ();
  reach->limit = g_timeout_source_new ((guint) (reach->step_s * 1000));
  g_source_set_callback (reach->limit, limit_cb, reach, NULL);
  g_source_attach (reach->limit, g_main_context_get_thread_default ());
  if (reach->func != NULL)
    reach->func (step, NULL, reach->func_data);
}

static void
end_step (Reach *reach, const char *words)
{
  stop_limit (reach);
  if (reach->func != NULL)
    reach->func (reach->step, words, reach->func_data);
}

/* Takes the task. */
static void
finish (GTask *task, GError *error)
{
  Reach *reach = g_task_get_task_data (task);
  GCancellable *caller = g_task_get_cancellable (task);

  stop_limit (reach);
  if (caller != NULL)
    g_cancellable_disconnect (caller, reach->cancelled_id);
  if (error == NULL)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
  g_object_unref (task);
}

static GError *
explain (Reach *reach, const GError *error)
{
  static const TachoErrorCode codes[] = { [TACHO_REACH_RESOLVE] = TACHO_ERROR_REFUSED,
                                          [TACHO_REACH_CONNECT] = TACHO_ERROR_CONNECT,
                                          [TACHO_REACH_TLS] = TACHO_ERROR_TLS };
  const char *where =
      reach->proxy != NULL && reach->step != TACHO_REACH_TLS ? reach->proxy : reach->url;
  const char *hint = reach->step == TACHO_REACH_TLS ? ". Does the server speak TLS there?" : "";

  if (reach->timed_out)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_TIMEOUT_CONNECT, "No answer from %s in %.3g s%s",
                        where, reach->step_s, hint);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "Cancelled");
  if (reach->step == TACHO_REACH_TLS && reach->certificate != NULL &&
      reach->certificate->reason != NULL)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_TLS, "The certificate is not trusted: %s",
                        reach->certificate->reason);
  if (error->domain == G_RESOLVER_ERROR ||
      (error->domain == G_IO_ERROR && (error->code == G_IO_ERROR_CONNECTION_REFUSED ||
                                       error->code == G_IO_ERROR_HOST_UNREACHABLE ||
                                       error->code == G_IO_ERROR_NETWORK_UNREACHABLE)))
    return tacho_http_error_from_gio (error, TACHO_HTTP_PHASE_CONNECTING, where, NULL);
  return g_error_new (TACHO_ERROR, codes[reach->step], "%s: %s%s", where, error->message, hint);
}

static void
fail (GTask *task, const GError *error)
{
  finish (task, explain (g_task_get_task_data (task), error));
}

/* --- TLS --- */

static void
note_certificate (Reach *reach, GTlsCertificate *certificate, GTlsCertificateFlags flags)
{
  g_autoptr (GPtrArray) names = NULL;
  TachoCertificate *noted = g_new0 (TachoCertificate, 1);

  g_object_get (certificate, "subject-name", &noted->subject, "issuer-name", &noted->issuer,
                "not-valid-before", &noted->not_before, "not-valid-after", &noted->not_after,
                "dns-names", &names, NULL);
  if (names != NULL && names->len > 0)
    {
      GString *list = g_string_new (NULL);

      for (guint i = 0; i < names->len; i++)
        {
          GBytes *name = g_ptr_array_index (names, i);
          gsize length;
          const char *text = g_bytes_get_data (name, &length);

          g_string_append_printf (list, "%s%.*s", i > 0 ? ", " : "", (int) MIN (length, 255), text);
        }
      noted->names = g_string_free (list, FALSE);
    }
  noted->fingerprint = tacho_tls_fingerprint (certificate);
  if (flags != G_TLS_CERTIFICATE_NO_FLAGS)
    noted->reason = g_strdup (tacho_tls_reason (flags));
  tacho_certificate_free (reach->certificate);
  reach->certificate = noted;
}

/* Asked only about a certificate that is not trusted otherwise. */
static gboolean
accept_certificate_cb (GTlsConnection *connection,
                       GTlsCertificate *certificate,
                       GTlsCertificateFlags flags,
                       Reach *reach)
{
  note_certificate (reach, certificate, flags);
  if (g_strcmp0 (reach->pin, reach->certificate->fingerprint) != 0)
    return FALSE;
  g_clear_pointer (&reach->certificate->reason, g_free);
  return TRUE;
}

static const char *
protocol_name (GTlsProtocolVersion version)
{
  switch (version)
    {
    case G_TLS_PROTOCOL_VERSION_TLS_1_2:
      return "TLS 1.2";
    case G_TLS_PROTOCOL_VERSION_TLS_1_3:
      return "TLS 1.3";
    default:
      return NULL;
    }
}

static void
shaken_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Reach *reach = g_task_get_task_data (task);
  GTlsConnection *connection = G_TLS_CONNECTION (source);
  const char *protocol;
  g_autofree char *words = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_tls_connection_handshake_finish (connection, result, &error))
    {
      fail (task, error);
      return;
    }
  if (reach->certificate == NULL)
    note_certificate (reach, g_tls_connection_get_peer_certificate (connection),
                      G_TLS_CERTIFICATE_NO_FLAGS);
  protocol = protocol_name (g_tls_connection_get_protocol_version (connection));
  if (protocol == NULL)
    error = g_error_new_literal (TACHO_ERROR, TACHO_ERROR_TLS,
                                 "The server offers only TLS 1.1 or older, which is not safe");
  else if (reach->pin != NULL && g_strcmp0 (reach->pin, reach->certificate->fingerprint) != 0)
    {
      reach->certificate->reason = g_strdup ("it is not the pinned one");
      error = explain (reach, NULL);
    }
  if (error != NULL)
    {
      finish (task, g_steal_pointer (&error));
      return;
    }
  words =
      g_strdup_printf (reach->pin != NULL ? "%s, the pinned certificate" : "%s, trusted", protocol);
  end_step (reach, words);
  finish (task, NULL);
}

static void
shake_hands (GTask *task)
{
  Reach *reach = g_task_get_task_data (task);
  const char *offer[] = { reach->http2 ? "h2" : "http/1.1", NULL };
  g_autoptr (GSocketConnectable) identity = g_network_address_new (reach->host, reach->port);
  g_autoptr (GError) error = NULL;

  begin_step (reach, TACHO_REACH_TLS);
  reach->stream = g_tls_client_connection_new (G_IO_STREAM (reach->connection), identity, &error);
  if (reach->stream == NULL)
    {
      fail (task, error);
      return;
    }
  if (reach->database != NULL)
    g_tls_connection_set_database (G_TLS_CONNECTION (reach->stream), reach->database);
  if (reach->own != NULL)
    g_tls_connection_set_certificate (G_TLS_CONNECTION (reach->stream), reach->own);
  g_tls_connection_set_advertised_protocols (G_TLS_CONNECTION (reach->stream), offer);
  g_signal_connect (reach->stream, "accept-certificate", G_CALLBACK (accept_certificate_cb), reach);
  g_tls_connection_handshake_async (G_TLS_CONNECTION (reach->stream), G_PRIORITY_DEFAULT,
                                    reach->cancellable, shaken_cb, task);
}

/* --- name and connection --- */

static char *
describe_peer (GSocketConnection *connection)
{
  g_autoptr (GSocketAddress) address = g_socket_connection_get_remote_address (connection, NULL);

  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return g_strdup ("");
  return g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Reach *reach = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autofree char *peer = NULL;
  g_autofree char *words = NULL;

  reach->connection = g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, &error);
  if (reach->connection == NULL)
    {
      fail (task, error);
      return;
    }
  peer = describe_peer (reach->connection);
  words = g_strdup_printf ("%s%s, %.1f ms", reach->proxy != NULL ? "by the proxy " : "",
                           reach->proxy != NULL ? reach->proxy : peer,
                           (double) (tacho_clock_now_ns () - reach->begin_ns) / TACHO_NS_PER_MS);
  end_step (reach, words);
  if (reach->tls)
    shake_hands (task);
  else
    finish (task, NULL);
}

static void
connect_now (GTask *task)
{
  Reach *reach = g_task_get_task_data (task);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnectable) address = NULL;
  g_autoptr (GError) error = NULL;

  begin_step (reach, TACHO_REACH_CONNECT);
  if (reach->proxy != NULL)
    {
      g_autoptr (GProxyResolver) resolver = g_simple_proxy_resolver_new (reach->proxy, NULL);

      g_socket_client_set_proxy_resolver (client, resolver);
      /* Plain requests are handed to an HTTP proxy as they are, not through a tunnel. */
      if (!reach->tls)
        g_socket_client_add_application_proxy (client, "http");
    }
  else
    g_socket_client_set_enable_proxy (client, FALSE);
  address = g_network_address_parse_uri (reach->url, reach->tls ? 443 : 80, &error);
  if (address == NULL)
    fail (task, error);
  else
    g_socket_client_connect_async (client, address, reach->cancellable, connected_cb, task);
}

static char *
list_addresses (GList *addresses)
{
  GString *list = g_string_new (NULL);
  guint n = 0;

  for (GList *l = addresses; l != NULL && n < MAX_ADDRESSES; l = l->next, n++)
    {
      g_autofree char *text = g_inet_address_to_string (l->data);

      g_string_append_printf (list, "%s%s", n > 0 ? ", " : "", text);
    }
  if (g_list_length (addresses) > MAX_ADDRESSES)
    g_string_append (list, ", …");
  return g_string_free (list, FALSE);
}

static void
resolved_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Reach *reach = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autofree char *words = NULL;
  GList *addresses = g_resolver_lookup_by_name_finish (G_RESOLVER (source), result, &error);

  if (addresses == NULL)
    {
      fail (task, error);
      return;
    }
  words = list_addresses (addresses);
  g_resolver_free_addresses (addresses);
  end_step (reach, words);
  connect_now (task);
}

static gboolean
read_trust (Reach *reach, const TachoReachOptions *options, GError **error)
{
  if (options->ca_file != NULL)
    {
      reach->database = g_tls_file_database_new (options->ca_file, error);
      if (reach->database == NULL)
        return FALSE;
    }
  if (options->cert_file != NULL)
    {
      reach->own = g_tls_certificate_new_from_files (options->cert_file, options->key_file, error);
      if (reach->own == NULL)
        return FALSE;
    }
  return TRUE;
}

static void
caller_cancelled_cb (GCancellable *caller, GCancellable *own)
{
  g_cancellable_cancel (own);
}

/* The host whose name is looked up here: with a proxy that is the proxy's. */
static char *
host_to_resolve (Reach *reach)
{
  g_autoptr (GUri) uri = NULL;

  if (reach->proxy == NULL)
    return g_strdup (reach->host);
  uri = g_uri_parse (reach->proxy, G_URI_FLAGS_NONE, NULL);
  return uri != NULL ? g_strdup (g_uri_get_host (uri)) : NULL;
}

/**
 * tacho_reach_async:
 * @options: where to, and whom to trust
 * @func: (nullable): told when a step begins and when it is done
 * @func_data: for @func
 * @cancellable: (nullable): to stop
 * @callback: called when the last step is done, or one has failed
 * @user_data: for @callback
 *
 * Each step has a short limit of its own. Nothing of a request is sent, and no key.
 */
void
tacho_reach_async (const TachoReachOptions *options,
                   TachoReachFunc func,
                   gpointer func_data,
                   GCancellable *cancellable,
                   GAsyncReadyCallback callback,
                   gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Reach *reach = g_new0 (Reach, 1);
  g_autoptr (GUri) uri = NULL;
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  g_autoptr (GError) error = NULL;
  g_autofree char *host = NULL;

  g_return_if_fail (options != NULL && options->url != NULL);

  g_task_set_source_tag (task, tacho_reach_async);
  g_task_set_task_data (task, reach, reach_free);
  g_task_set_check_cancellable (task, FALSE);
  reach->url = g_strdup (options->url);
  reach->tls = g_str_has_prefix (options->url, "https://");
  reach->http2 = options->http2;
  reach->pin = g_strdup (options->pin);
  reach->step_s = options->connect_s > 0 ? options->connect_s : STEP_S;
  reach->func = func;
  reach->func_data = func_data;
  reach->cancellable = g_cancellable_new ();
  if (options->proxy != NULL && !tacho_url_is_loopback (options->url))
    reach->proxy = g_strdup (options->proxy);
  if (cancellable != NULL)
    reach->cancelled_id = g_cancellable_connect (cancellable, G_CALLBACK (caller_cancelled_cb),
                                                 g_object_ref (reach->cancellable), g_object_unref);
  uri = g_uri_parse (options->url, G_URI_FLAGS_NONE, &error);
  if (uri == NULL || !read_trust (reach, options, &error))
    {
      finish (task, g_error_new_literal (TACHO_ERROR, TACHO_ERROR_INVALID, error->message));
      return;
    }
  reach->host = g_strdup (g_uri_get_host (uri));
  reach->port =
      (guint16) (g_uri_get_port (uri) > 0 ? g_uri_get_port (uri) : (reach->tls ? 443 : 80));
  host = host_to_resolve (reach);
  begin_step (reach, TACHO_REACH_RESOLVE);
  g_resolver_lookup_by_name_async (resolver, host != NULL ? host : "", reach->cancellable,
                                   resolved_cb, task);
}

/**
 * tacho_reach_finish:
 * @result: what the callback got
 * @certificate: (out) (optional) (nullable): what the server showed, trusted or not; %NULL: none
 * @error: return location
 *
 * Returns: whether every step was done; %FALSE with the %TACHO_ERROR of the step that failed
 */
gboolean
tacho_reach_finish (GAsyncResult *result, TachoCertificate **certificate, GError **error)
{
  Reach *reach;

  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);

  reach = g_task_get_task_data (G_TASK (result));
  if (certificate != NULL)
    *certificate = g_steal_pointer (&reach->certificate);
  return g_task_propagate_boolean (G_TASK (result), error);
}
