/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whom a channel trusts and as whom it speaks. Never less than was asked for: what cannot be used
 * is an error here, not a weaker connection later. */
#define G_LOG_DOMAIN "tacho-net"

#include "net/tacho-grpc-client-private.h"

#include "base/tacho-error.h"

#include <grpc/support/alloc.h>
#include <grpc/support/string_util.h>
#include <string.h>

#define MAX_PEM_FILE ((gsize) 4 * 1024 * 1024)
#define SHA256_HEX 64

static char *
read_pem (const char *path, const char *what, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autofree char *text = NULL;
  const char *words = NULL;
  gsize length = 0;

  if (!g_path_is_absolute (path))
    words = "its path must be absolute";
  else if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    words = g_file_test (path, G_FILE_TEST_EXISTS) ? "it is not a file" : "there is no such file";
  else if (!g_file_get_contents (path, &text, &length, &reason))
    words = reason->message;
  else if (length > MAX_PEM_FILE)
    words = "it is larger than a certificate file can be";
  else if (strlen (text) != length || strstr (text, "-----BEGIN ") == NULL)
    words = "it holds nothing in PEM form";
  if (words == NULL)
    return g_steal_pointer (&text);
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "The %s %s cannot be used: %s", what, path,
               words);
  return NULL;
}

/* The core would take junk now and fail every connection later, without a reason. */
static char *
read_ca (const char *path, GError **error)
{
  g_autofree char *text = read_pem (path, "certificate file", error);
  g_autoptr (GError) reason = NULL;
  GList *certificates;

  if (text == NULL)
    return NULL;
  certificates = g_tls_certificate_list_new_from_file (path, &reason);
  if (certificates == NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "The certificate file %s cannot be used: %s", path,
                   reason != NULL ? reason->message : "it holds no certificate in PEM form");
      return NULL;
    }
  g_list_free_full (certificates, g_object_unref);
  return g_steal_pointer (&text);
}

static gboolean
read_identity (const TachoGrpcOptions *options, char **chain, char **key, GError **error)
{
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GError) reason = NULL;

  if (options->cert_file == NULL && options->key_file == NULL)
    return TRUE;
  if (options->cert_file == NULL || options->key_file == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "A client certificate needs both a certificate file and a key file");
      return FALSE;
    }
  *chain = read_pem (options->cert_file, "client certificate", error);
  if (*chain != NULL)
    *key = read_pem (options->key_file, "client key", error);
  if (*key == NULL)
    return FALSE;
  certificate = g_tls_certificate_new_from_files (options->cert_file, options->key_file, &reason);
  if (certificate == NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "The client certificate %s cannot be used with the key %s: %s",
                   options->cert_file, options->key_file, reason->message);
      return FALSE;
    }
  return TRUE;
}

/* "sha256:" and 64 hexadecimal digits, colons between them allowed, to lower case without them. */
static char *
parse_pin (const char *pin, GError **error)
{
  g_autoptr (GString) digits = g_string_new (NULL);
  const char *p = pin;

  if (g_ascii_strncasecmp (p, "sha256:", strlen ("sha256:")) == 0)
    p += strlen ("sha256:");
  else
    p = "";
  for (; *p != '\0'; p++)
    if (g_ascii_isxdigit (*p))
      g_string_append_c (digits, g_ascii_tolower (*p));
    else if (*p != ':')
      break;
  if (*p == '\0' && digits->len == SHA256_HEX)
    return g_string_free (g_steal_pointer (&digits), FALSE);
  g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                       "A certificate pin is “sha256:” and 64 hexadecimal digits");
  return NULL;
}

typedef struct
{
  grpc_tls_certificate_verifier_external external;
  char *digest;
} Pin;

/* The digest of the first certificate in *pem*, or NULL. */
static char *
digest_of_pem (const char *pem)
{
  static const char begin[] = "-----BEGIN CERTIFICATE-----";
  const char *start = pem != NULL ? strstr (pem, begin) : NULL;
  const char *end = start != NULL ? strstr (start, "-----END CERTIFICATE-----") : NULL;
  g_autofree char *text = NULL;
  g_autofree guint8 *der = NULL;
  gsize length = 0;

  if (end == NULL)
    return NULL;
  start += strlen (begin);
  text = g_strndup (start, (gsize) (end - start));
  der = g_base64_decode (text, &length);
  return length > 0 ? g_compute_checksum_for_data (G_CHECKSUM_SHA256, der, length) : NULL;
}

static int
verify_pin (void *user_data,
            grpc_tls_custom_verification_check_request *request,
            grpc_tls_on_custom_verification_check_done_cb callback,
            void *callback_arg,
            grpc_status_code *status,
            char **details)
{
  const Pin *pin = user_data;
  g_autofree char *digest = digest_of_pem (request->peer_info.peer_cert);

  if (digest != NULL && g_str_equal (digest, pin->digest))
    {
      *status = GRPC_STATUS_OK;
      return 1;
    }
  *status = GRPC_STATUS_UNAUTHENTICATED;
  *details = gpr_strdup ("the certificate is not the pinned one");
  return 1;
}

static void
cancel_pin (void *user_data, grpc_tls_custom_verification_check_request *request)
{
  /* verify_pin() answers at once: there is never one to cancel. */
}

static void
destruct_pin (void *user_data)
{
  Pin *pin = user_data;

  g_free (pin->digest);
  g_free (pin);
}

/* A pin names one certificate, so neither its chain nor its names matter: only that the server has
 * its key, which the handshake shows. */
static grpc_channel_credentials *
new_pinned (char *digest, const char *chain, const char *key)
{
  grpc_tls_credentials_options *tls = grpc_tls_credentials_options_create ();
  Pin *pin = g_new0 (Pin, 1);
  grpc_tls_certificate_verifier *verifier;

  pin->digest = digest;
  pin->external = (grpc_tls_certificate_verifier_external){
    .user_data = pin, .verify = verify_pin, .cancel = cancel_pin, .destruct = destruct_pin
  };
  verifier = grpc_tls_certificate_verifier_external_create (&pin->external);
  grpc_tls_credentials_options_set_certificate_verifier (tls, verifier);
  grpc_tls_certificate_verifier_release (verifier);
  grpc_tls_credentials_options_set_verify_server_cert (tls, 0);
  grpc_tls_credentials_options_set_check_call_host (tls, 0);
  if (chain != NULL)
    {
      grpc_tls_identity_pairs *pairs = grpc_tls_identity_pairs_create ();
      grpc_tls_certificate_provider *provider;

      grpc_tls_identity_pairs_add_pair (pairs, key, chain);
      provider = grpc_tls_certificate_provider_static_data_create (NULL, pairs);
      grpc_tls_credentials_options_set_certificate_provider (tls, provider);
      grpc_tls_credentials_options_watch_identity_key_cert_pairs (tls);
      grpc_tls_certificate_provider_release (provider);
    }
  return grpc_tls_credentials_create (tls);
}

/**
 * tacho_grpc_credentials_new:
 * @options: whether TLS, which authorities, which client certificate, which pin
 * @error: return location
 *
 * TLS is 1.2 or later: the core offers nothing older. Without a CA file the system's authorities
 * are trusted. A pin replaces the check of the chain and the host name.
 *
 * Returns: (transfer full): the credentials, or %NULL with %TACHO_ERROR_INVALID if a file or the
 *   pin cannot be used
 */
grpc_channel_credentials *
tacho_grpc_credentials_new (const TachoGrpcOptions *options, GError **error)
{
  g_autofree char *ca = NULL;
  g_autofree char *chain = NULL;
  g_autofree char *key = NULL;
  g_autofree char *digest = NULL;
  grpc_channel_credentials *credentials = NULL;

  if (!options->tls)
    {
      if (options->pin == NULL && options->cert_file == NULL && options->ca_file == NULL)
        return grpc_insecure_credentials_create ();
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "A CA file, a client certificate or a pin was given, but not TLS: "
                           "nothing of it would be checked");
      return NULL;
    }
  if (options->ca_file != NULL && (ca = read_ca (options->ca_file, error)) == NULL)
    return NULL;
  if (!read_identity (options, &chain, &key, error))
    return NULL;
  if (options->pin != NULL && (digest = parse_pin (options->pin, error)) == NULL)
    return NULL;
  if (digest != NULL)
    credentials = new_pinned (g_steal_pointer (&digest), chain, key);
  else
    {
      grpc_ssl_pem_key_cert_pair pair = { .private_key = key, .cert_chain = chain };

      credentials = grpc_ssl_credentials_create_ex (ca, chain != NULL ? &pair : NULL, NULL, NULL);
    }
  if (key != NULL)
    explicit_bzero (key, strlen (key));
  if (credentials == NULL)
    g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                         "TLS cannot be used: no certificate authorities were found on this "
                         "machine; give a CA file");
  return credentials;
}
