/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whom a profile trusts, who it is itself, and by what way its key may go. */
#define G_LOG_DOMAIN "tacho"

#include "config/tacho-profile-private.h"

#include <string.h>

#include "base/tacho-error.h"
#include "base/tacho-url.h"

#define PIN_PREFIX "sha256:"
#define PIN_DIGITS 64

/**
 * tacho_profile_get_ca_file:
 * @self: a profile
 *
 * Returns: (transfer none) (nullable): the file of certificates to trust, %NULL for the system's
 */
const char *
tacho_profile_get_ca_file (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return self->ca_file;
}

/**
 * tacho_profile_set_ca_file:
 * @self: a profile
 * @path: (nullable): a PEM file with the certificates to trust instead of the system's
 * @error: return location
 *
 * A relative path is taken from the working directory and stored absolute: GTlsFileDatabase trusts
 * nothing for a relative one. The file is read here, so that an empty or junk file is a clear
 * refusal now and not a puzzling one later.
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID or %TACHO_ERROR_IO
 */
gboolean
tacho_profile_set_ca_file (TachoProfile *self, const char *path, GError **error)
{
  g_autofree char *absolute = NULL;

  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  if (path != NULL && *path != '\0')
    {
      g_autoptr (GError) reason = NULL;
      GList *certificates;

      absolute = g_canonicalize_filename (path, NULL);
      certificates = g_tls_certificate_list_new_from_file (absolute, &reason);
      if (certificates == NULL)
        {
          gboolean is_io = reason != NULL && reason->domain == G_FILE_ERROR;

          g_set_error (error, TACHO_ERROR, is_io ? TACHO_ERROR_IO : TACHO_ERROR_INVALID,
                       "The certificate file %s cannot be used: %s", absolute,
                       reason != NULL ? reason->message : "it holds no certificate in PEM form");
          return FALSE;
        }
      g_list_free_full (certificates, g_object_unref);
    }
  if (g_strcmp0 (self->ca_file, absolute) == 0)
    return TRUE;
  g_free (self->ca_file);
  self->ca_file = g_steal_pointer (&absolute);
  tacho_profile_notify (self, TACHO_PROFILE_PROP_CA_FILE);
  return TRUE;
}

/**
 * tacho_profile_get_cert_file:
 * @self: a profile
 *
 * Returns: (transfer none) (nullable): the client certificate's file, %NULL for none
 */
const char *
tacho_profile_get_cert_file (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return self->cert_file;
}

/**
 * tacho_profile_get_key_file:
 * @self: a profile
 *
 * Returns: (transfer none) (nullable): the file of the client certificate's key, %NULL for none
 */
const char *
tacho_profile_get_key_file (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return self->key_file;
}

/**
 * tacho_profile_set_client_cert:
 * @self: a profile
 * @cert_file: (nullable): a PEM file with the certificate that names this client
 * @key_file: (nullable): a PEM file with its key
 * @error: return location
 *
 * Both or neither. They are read here, so that a pair that does not fit is refused now.
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID or %TACHO_ERROR_IO
 */
gboolean
tacho_profile_set_client_cert (TachoProfile *self,
                               const char *cert_file,
                               const char *key_file,
                               GError **error)
{
  g_autofree char *cert = NULL;
  g_autofree char *key = NULL;

  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  if ((cert_file == NULL) != (key_file == NULL))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "A client certificate needs both its files: the %s is missing",
                   cert_file == NULL ? "certificate" : "key");
      return FALSE;
    }
  if (cert_file != NULL)
    {
      g_autoptr (GTlsCertificate) certificate = NULL;
      g_autoptr (GError) reason = NULL;

      cert = g_canonicalize_filename (cert_file, NULL);
      key = g_canonicalize_filename (key_file, NULL);
      certificate = g_tls_certificate_new_from_files (cert, key, &reason);
      if (certificate == NULL)
        {
          g_set_error (error, TACHO_ERROR,
                       reason->domain == G_FILE_ERROR ? TACHO_ERROR_IO : TACHO_ERROR_INVALID,
                       "The client certificate %s with the key %s cannot be used: %s", cert, key,
                       reason->message);
          return FALSE;
        }
    }
  g_free (self->cert_file);
  g_free (self->key_file);
  self->cert_file = g_steal_pointer (&cert);
  self->key_file = g_steal_pointer (&key);
  return TRUE;
}

/**
 * tacho_profile_get_pin:
 * @self: a profile
 *
 * Returns: (transfer none) (nullable): "sha256:" and 64 lower-case digits, %NULL for none
 */
const char *
tacho_profile_get_pin (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return self->pin;
}

/**
 * tacho_profile_set_pin:
 * @self: a profile
 * @pin: (nullable): "sha256:" and the 64 hexadecimal digits of the SHA-256 of the server's
 *   certificate (DER), with or without colons between; the prefix may be missing
 * @error: return location
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if it is no such digest
 */
gboolean
tacho_profile_set_pin (TachoProfile *self, const char *pin, GError **error)
{
  g_autoptr (GString) clean = NULL;
  const char *digits = pin;

  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  if (pin != NULL && pin[0] != '\0')
    {
      clean = g_string_new (PIN_PREFIX);
      if (g_ascii_strncasecmp (digits, PIN_PREFIX, strlen (PIN_PREFIX)) == 0)
        digits += strlen (PIN_PREFIX);
      for (; *digits != '\0' && (g_ascii_isxdigit (*digits) || *digits == ':'); digits++)
        if (*digits != ':')
          g_string_append_c (clean, g_ascii_tolower (*digits));
      if (*digits != '\0' || clean->len != strlen (PIN_PREFIX) + PIN_DIGITS)
        {
          g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                               "A pin is “sha256:” and the 64 hexadecimal digits of the server "
                               "certificate's fingerprint");
          return FALSE;
        }
    }
  g_free (self->pin);
  self->pin = clean != NULL ? g_strdup (clean->str) : NULL;
  return TRUE;
}

/**
 * tacho_profile_get_proxy:
 * @self: a profile
 *
 * Returns: (transfer none) (nullable): the proxy's URL, %NULL for none
 */
const char *
tacho_profile_get_proxy (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return self->proxy;
}

/* GUri drops blanks and control characters and decodes a host, so that what it accepts may not be
 * what would go on the wire. */
static gboolean
check_proxy (const char *proxy, GError **error)
{
  static const char *const schemes[] = { "http", "https", "socks", "socks4", "socks5", NULL };
  g_autofree char *scheme = g_uri_parse_scheme (proxy);
  const char *rest = scheme != NULL ? proxy + strlen (scheme) + 1 : "";
  g_autofree char *as_http = g_strconcat ("http:", rest, NULL);
  g_autofree char *normal = NULL;
  gboolean blank = FALSE;

  for (const char *p = proxy; *p != '\0'; p++)
    blank |= (guchar) *p <= ' ' || *p == 0x7f;
  if (!blank && scheme != NULL && g_strv_contains (schemes, scheme) &&
      g_str_has_prefix (rest, "//"))
    normal = tacho_url_normalize (as_http, NULL);
  if (normal == NULL)
    g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                         "A proxy is given as http://HOST:PORT or socks5://HOST:PORT, "
                         "without a name or password in it");
  return normal != NULL;
}

/**
 * tacho_profile_set_proxy:
 * @self: a profile
 * @proxy: (nullable): "http://HOST:PORT" or "socks5://HOST:PORT"; %NULL or empty: none
 * @error: return location
 *
 * Proxies of the environment are never used; servers on this computer are never reached through
 * one.
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if it is no such URL
 */
gboolean
tacho_profile_set_proxy (TachoProfile *self, const char *proxy, GError **error)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  if (proxy != NULL && proxy[0] == '\0')
    proxy = NULL;
  if (proxy != NULL && !check_proxy (proxy, error))
    return FALSE;
  g_free (self->proxy);
  self->proxy = g_strdup (proxy);
  return TRUE;
}

/**
 * tacho_profile_get_allow_plain_key:
 * @self: a profile
 *
 * Returns: whether the key may go to another machine unencrypted
 */
gboolean
tacho_profile_get_allow_plain_key (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);
  return self->allow_plain_key;
}

/**
 * tacho_profile_set_allow_plain_key:
 * @self: a profile
 * @allow: whether the key may go to another machine unencrypted, as a person decided
 */
void
tacho_profile_set_allow_plain_key (TachoProfile *self, gboolean allow)
{
  g_return_if_fail (TACHO_IS_PROFILE (self));
  self->allow_plain_key = allow;
}

static gboolean
has_secret (TachoProfile *self)
{
  if (self->api_key != NULL)
    return TRUE;
  for (guint i = 0; i + 1 < self->headers->len; i++)
    {
      g_autofree char *name = NULL;
      g_autofree char *value = NULL;

      if (tacho_header_parse (g_ptr_array_index (self->headers, i), &name, &value, NULL) &&
          tacho_header_is_secret (name))
        return TRUE;
    }
  return FALSE;
}

/* Is this side plain text, and beyond this computer? */
static gboolean
is_exposed (const char *url)
{
  return url != NULL && g_str_has_prefix (url, "http://") && !tacho_url_is_loopback (url);
}

/**
 * tacho_profile_check_plain_key:
 * @self: a profile
 * @error: return location
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if a key, or a header that holds one, would go to
 *   another machine in plain text and that was not allowed
 */
gboolean
tacho_profile_check_plain_key (TachoProfile *self, GError **error)
{
  const char *grpc;
  g_autofree char *grpc_url = NULL;

  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  if (self->allow_plain_key || !has_secret (self))
    return TRUE;
  grpc = tacho_profile_get_grpc_endpoint (self);
  if (grpc != NULL && self->protocol != TACHO_PROTOCOL_REST)
    grpc_url = g_strconcat (tacho_profile_get_grpc_tls (self) ? "https://" : "http://", grpc, NULL);
  if (!is_exposed (grpc_url) &&
      (self->protocol == TACHO_PROTOCOL_GRPC || !is_exposed (tacho_profile_get_endpoint (self))))
    return TRUE;
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "The API key would go to another machine in plain text, readable on the way: use an "
               "https address, or allow it for this server (--allow-plain-key)");
  return FALSE;
}
