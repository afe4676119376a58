/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whom the client trusts, who it is itself, and by what way it goes. */
#define G_LOG_DOMAIN "tacho-net"

#include "net/tacho-http-client-private.h"

#include "base/tacho-error.h"
#include "base/tacho-url.h"

/**
 * tacho_tls_fingerprint: (skip)
 * @certificate: a certificate
 *
 * Returns: (transfer full): "sha256:" and the digest of its DER form in lower-case digits
 */
char *
tacho_tls_fingerprint (GTlsCertificate *certificate)
{
  g_autoptr (GByteArray) der = NULL;
  g_autofree char *digest = NULL;

  g_object_get (certificate, "certificate", &der, NULL);
  digest = g_compute_checksum_for_data (G_CHECKSUM_SHA256, der->data, der->len);
  return g_strconcat ("sha256:", digest, NULL);
}

static gboolean
is_pinned (TachoHttpClient *client, GTlsCertificate *certificate)
{
  g_autofree char *fingerprint = NULL;

  if (certificate == NULL)
    return FALSE;
  fingerprint = tacho_tls_fingerprint (certificate);
  return g_str_equal (fingerprint, client->pin);
}

/* Asked only about a certificate that is not trusted otherwise. */
static gboolean
accept_certificate_cb (SoupMessage *message,
                       GTlsCertificate *certificate,
                       GTlsCertificateFlags errors,
                       TachoHttpClient *client)
{
  return client->pin != NULL && is_pinned (client, certificate);
}

static gboolean
request_certificate_cb (SoupMessage *message, GTlsConnection *connection, TachoHttpClient *client)
{
  soup_message_set_tls_client_certificate (message, client->certificate);
  return TRUE;
}

/**
 * tacho_http_trust_connect: (skip)
 * @client: the client
 * @message: its message, before it is sent
 *
 * Lets @message take the pinned certificate, and name this client where it is asked to.
 */
void
tacho_http_trust_connect (TachoHttpClient *client, SoupMessage *message)
{
  if (client->pin != NULL)
    g_signal_connect_object (message, "accept-certificate", G_CALLBACK (accept_certificate_cb),
                             client, 0);
  if (client->certificate != NULL)
    g_signal_connect_object (message, "request-certificate", G_CALLBACK (request_certificate_cb),
                             client, 0);
}

/**
 * tacho_http_trust_check: (skip)
 * @client: the client
 * @connection: a connection whose handshake is done; nothing of the request was sent
 *
 * Returns: (transfer full) (nullable): why nothing may be sent there: an old protocol, or another
 *   certificate than the pinned one, whoever signed it
 */
GError *
tacho_http_trust_check (TachoHttpClient *client, GTlsConnection *connection)
{
  GTlsCertificate *certificate = g_tls_connection_get_peer_certificate (connection);
  g_autofree char *fingerprint = NULL;

  if (g_tls_connection_get_protocol_version (connection) < G_TLS_PROTOCOL_VERSION_TLS_1_2)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_TLS,
                        "%s offers only TLS 1.1 or older, which is not safe", client->base_url);
  if (client->pin == NULL || is_pinned (client, certificate))
    return NULL;
  fingerprint = certificate != NULL ? tacho_tls_fingerprint (certificate) : g_strdup ("none");
  return g_error_new (TACHO_ERROR, TACHO_ERROR_TLS,
                      "The certificate of %s is not the pinned one: its fingerprint is %s",
                      client->base_url, fingerprint);
}

/* GTlsFileDatabase takes a junk file silently and trusts nothing for a relative path: look
 * first. */
static GTlsDatabase *
open_ca_file (const char *path, GError **error)
{
  g_autoptr (GError) reason = NULL;
  GTlsDatabase *database = NULL;
  GList *certificates = NULL;

  if (g_path_is_absolute (path))
    certificates = g_tls_certificate_list_new_from_file (path, &reason);
  if (certificates != NULL)
    database = g_tls_file_database_new (path, &reason);
  g_list_free_full (certificates, g_object_unref);
  if (database == NULL)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "The certificate file %s cannot be used: %s", path,
                 reason != NULL               ? reason->message
                 : !g_path_is_absolute (path) ? "its path must be absolute"
                                              : "it holds no certificate in PEM form");
  return database;
}

static gboolean
read_certificate (TachoHttpClient *client, const TachoHttpOptions *options, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (options->cert_file == NULL)
    return TRUE;
  client->certificate =
      options->key_file != NULL
          ? g_tls_certificate_new_from_files (options->cert_file, options->key_file, &reason)
          : g_tls_certificate_new_from_file (options->cert_file, &reason);
  if (client->certificate == NULL)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "The client certificate %s cannot be used: %s", options->cert_file,
                 reason->message);
  return client->certificate != NULL;
}

/**
 * tacho_http_trust_read: (skip)
 * @client: a client that is being made
 * @options: what was asked for
 * @database: (out): the authorities to trust; %NULL: the system's
 * @resolver: (out): the way to the server; %NULL: straight
 * @error: return location
 *
 * Returns: whether all that was named can be used
 */
gboolean
tacho_http_trust_read (TachoHttpClient *client,
                       const TachoHttpOptions *options,
                       GTlsDatabase **database,
                       GProxyResolver **resolver,
                       GError **error)
{
  static const char *const nearby[] = { "localhost", "127.0.0.0/8", "::1", NULL };

  *database = NULL;
  *resolver = NULL;
  if (options->ca_file != NULL)
    {
      *database = open_ca_file (options->ca_file, error);
      if (*database == NULL)
        return FALSE;
    }
  client->pin = g_strdup (options->pin);
  if (options->proxy != NULL && !tacho_url_is_loopback (options->base_url))
    *resolver = g_simple_proxy_resolver_new (options->proxy, (char **) nearby);
  return read_certificate (client, options, error);
}
