/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What went wrong, in the program's own error classes and in words that say what to do. Also the
 * checks of a reply's head that libsoup 3.2 leaves out. */
#define G_LOG_DOMAIN "tacho"

#include "net/tacho-http-client-private.h"

#include "base/tacho-error.h"

#include <string.h>

/**
 * tacho_tls_reason: (skip)
 * @flags: what is wrong with a certificate
 *
 * Returns: (transfer none): the weightiest of it, as the end of a sentence
 */
const char *
tacho_tls_reason (GTlsCertificateFlags flags)
{
  if (flags & G_TLS_CERTIFICATE_UNKNOWN_CA)
    return "it is not signed by an authority that this machine trusts; for a server of your own, "
           "give its CA file";
  if (flags & G_TLS_CERTIFICATE_BAD_IDENTITY)
    return "it was made for another host name";
  if (flags & G_TLS_CERTIFICATE_EXPIRED)
    return "it has expired";
  if (flags & G_TLS_CERTIFICATE_NOT_ACTIVATED)
    return "it is not valid yet: is the clock right?";
  if (flags & G_TLS_CERTIFICATE_REVOKED)
    return "it was revoked";
  if (flags & G_TLS_CERTIFICATE_INSECURE)
    return "it uses an algorithm that is no longer safe";
  return "it could not be verified";
}

static GError *
tls_error (const GError *error, const char *base_url, SoupMessage *message)
{
  GTlsCertificateFlags flags = soup_message_get_tls_peer_certificate_errors (message);

  GTlsCertificate *certificate = soup_message_get_tls_peer_certificate (message);

  if (flags != G_TLS_CERTIFICATE_NO_FLAGS)
    {
      g_autofree char *fingerprint =
          certificate != NULL ? tacho_tls_fingerprint (certificate) : g_strdup ("unknown");

      return g_error_new (TACHO_ERROR, TACHO_ERROR_TLS,
                          "The certificate of %s is refused: %s (its fingerprint is %s)", base_url,
                          tacho_tls_reason (flags), fingerprint);
    }
  return g_error_new (TACHO_ERROR, TACHO_ERROR_TLS,
                      "No safe connection to %s: %s. Does the server speak TLS there?", base_url,
                      error->message);
}

/* The connection went away: what that means depends on how far things were. */
static GError *
lost_error (const GError *error, TachoHttpPhase phase, const char *base_url, SoupMessage *message)
{
  SoupMessageMetrics *metrics = soup_message_get_metrics (message);

  /* A head that broke off or never ended, which libsoup reports as it does a closed connection. */
  if (phase == TACHO_HTTP_PHASE_WAITING && metrics != NULL &&
      soup_message_metrics_get_response_header_bytes_received (metrics) > 0)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                        "%s did not answer as an HTTP server does: %s", base_url, error->message);
  switch (phase)
    {
    case TACHO_HTTP_PHASE_CONNECTING:
      return g_error_new (TACHO_ERROR, TACHO_ERROR_REFUSED,
                          "%s closed the connection before the request was sent (%s)", base_url,
                          error->message);
    case TACHO_HTTP_PHASE_WAITING:
      return g_error_new (TACHO_ERROR, TACHO_ERROR_REFUSED,
                          "%s closed the connection without an answer (%s): did the server stop?",
                          base_url, error->message);
    case TACHO_HTTP_PHASE_BODY:
    default:
      return g_error_new (TACHO_ERROR, TACHO_ERROR_TRUNCATED,
                          "%s closed the connection in the middle of its answer (%s)", base_url,
                          error->message);
    }
}

static GError *
io_error (const GError *error, TachoHttpPhase phase, const char *base_url, SoupMessage *message)
{
  switch (error->code)
    {
    case G_IO_ERROR_CONNECTION_REFUSED:
      return g_error_new (TACHO_ERROR, TACHO_ERROR_REFUSED,
                          "Nothing listens on %s: is the server running?", base_url);
    case G_IO_ERROR_CONNECTION_CLOSED: /* the same number as BROKEN_PIPE */
    case G_IO_ERROR_PARTIAL_INPUT:
    case G_IO_ERROR_NOT_CONNECTED:
    case G_IO_ERROR_CLOSED:
      return lost_error (error, phase, base_url, message);
    case G_IO_ERROR_CANCELLED:
      return g_error_new (TACHO_ERROR, TACHO_ERROR_CANCELLED, "Cancelled");
    case G_IO_ERROR_TIMED_OUT:
      if (phase == TACHO_HTTP_PHASE_CONNECTING)
        return g_error_new (TACHO_ERROR, TACHO_ERROR_TIMEOUT_CONNECT,
                            "No connection to %s: the network gave up waiting", base_url);
      return lost_error (error, phase, base_url, message);
    case G_IO_ERROR_HOST_UNREACHABLE:
    case G_IO_ERROR_NETWORK_UNREACHABLE:
      return g_error_new (TACHO_ERROR, TACHO_ERROR_CONNECT,
                          "%s cannot be reached from this machine: %s", base_url, error->message);
    default:
      if (phase == TACHO_HTTP_PHASE_CONNECTING)
        return g_error_new (TACHO_ERROR, TACHO_ERROR_CONNECT, "No connection to %s: %s", base_url,
                            error->message);
      return g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                          "%s did not answer as an HTTP server does: %s", base_url, error->message);
    }
}

/**
 * tacho_http_error_from_gio:
 * @error: what libsoup or GIO said
 * @phase: how far the exchange was
 * @base_url: where it went
 * @message: the message, for its certificate
 *
 * Returns: (transfer full): the same failure as a `TACHO_ERROR`
 */
GError *
tacho_http_error_from_gio (const GError *error,
                           TachoHttpPhase phase,
                           const char *base_url,
                           SoupMessage *message)
{
  if (error->domain == TACHO_ERROR)
    return g_error_copy (error);
  if (error->domain == G_IO_ERROR)
    return io_error (error, phase, base_url, message);
  if (error->domain == G_TLS_ERROR)
    return tls_error (error, base_url, message);
  if (error->domain == G_RESOLVER_ERROR)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_REFUSED,
                        "The host of %s is not known: %s. Is the name spelled right?", base_url,
                        error->message);
  return g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                      "%s did not answer as an HTTP server does: %s", base_url, error->message);
}

static gboolean
parse_length (const char *text, gint64 *length)
{
  if (*text == '\0' || strlen (text) > 18)
    return FALSE;
  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isdigit (*p))
      return FALSE;
  *length = g_ascii_strtoll (text, NULL, 10);
  return TRUE;
}

static gboolean
is_coding_plain (const char *value)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (value));

  return *trimmed == '\0' || g_ascii_strcasecmp (trimmed, "identity") == 0;
}

/**
 * tacho_http_check_head:
 * @headers: the reply's headers
 * @base_url: for messages
 * @length: (out): the body's promised length, -1 if none was given
 * @error: return location
 *
 * Refuses what libsoup 3.2.3 lets pass: differing, negative or malformed Content-Length, codings
 * that were not asked for, a flood of headers.
 *
 * Returns: %FALSE with %TACHO_ERROR_PROTOCOL if this reply cannot be trusted
 */
gboolean
tacho_http_check_head (SoupMessageHeaders *headers,
                       const char *base_url,
                       gint64 *length,
                       GError **error)
{
  SoupMessageHeadersIter iter;
  const char *name;
  const char *value;
  guint count = 0;
  gboolean chunked = FALSE;

  *length = -1;
  soup_message_headers_iter_init (&iter, headers);
  while (soup_message_headers_iter_next (&iter, &name, &value))
    {
      if (++count > TACHO_HTTP_MAX_HEADERS)
        {
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                       "%s sent more than %d header lines", base_url, TACHO_HTTP_MAX_HEADERS);
          return FALSE;
        }
      if (g_ascii_strcasecmp (name, "Content-Length") == 0)
        {
          gint64 this_length;

          if (!parse_length (value, &this_length) || (*length >= 0 && *length != this_length))
            {
              g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                           "%s sent a Content-Length that is malformed or contradicts itself",
                           base_url);
              return FALSE;
            }
          *length = this_length;
        }
      else if (g_ascii_strcasecmp (name, "Transfer-Encoding") == 0)
        chunked = TRUE;
      else if (g_ascii_strcasecmp (name, "Content-Encoding") == 0 && !is_coding_plain (value))
        {
          g_autofree char *shown = g_utf8_make_valid (value, (gssize) MIN (strlen (value), 40));

          g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                       "%s sent its answer compressed (%s) although that was not asked for",
                       base_url, shown);
          return FALSE;
        }
    }
  if (chunked) /* RFC 9112, 6.3: Transfer-Encoding overrides Content-Length */
    *length = -1;
  return TRUE;
}

/**
 * tacho_http_error_from_timer:
 * @timer: which timer ran out
 * @limit: its limit in seconds
 * @url: the base URL of the server
 *
 * Returns: (transfer full): the error of that timeout
 */
GError *
tacho_http_error_from_timer (TachoHttpTimer timer, double limit, const char *url)
{
  switch (timer)
    {
    case TACHO_HTTP_TIMER_CONNECT:
      return g_error_new (TACHO_ERROR, TACHO_ERROR_TIMEOUT_CONNECT,
                          "No connection to %s within %g s: is the address right, and does a "
                          "firewall stand between?",
                          url, limit);
    case TACHO_HTTP_TIMER_FIRST:
      return g_error_new (TACHO_ERROR, TACHO_ERROR_TIMEOUT_FIRST,
                          "%s took the request but sent nothing within %g s (first-byte timeout)",
                          url, limit);
    case TACHO_HTTP_TIMER_IDLE:
      return g_error_new (TACHO_ERROR, TACHO_ERROR_TIMEOUT_IDLE,
                          "%s stopped sending for %g s in the middle of its answer (idle timeout)",
                          url, limit);
    case TACHO_HTTP_TIMER_TOTAL:
    case TACHO_HTTP_N_TIMERS:
    default:
      return g_error_new (TACHO_ERROR, TACHO_ERROR_TIMEOUT_TOTAL,
                          "%s did not finish its answer within %g s (total timeout)", url, limit);
    }
}
