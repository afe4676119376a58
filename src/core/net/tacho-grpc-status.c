/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the end of a call means: the server's own status, or a failure of the way to it.
 *
 * The core (1.51) gives both the same form: a lost connection is a status too, "received from
 * peer". What tells them apart:
 *  - the head of the request never went out: the server was not reached, whatever the status says;
 *  - grpc_call_failed_before_recv_message() is false: the stream ended cleanly, as it does when a
 *    server answers with a status alone, so the status is the server's, unless its words are those
 *    of one of the core's own limits;
 *  - else the core's words for a broken stream, listed below, mean a broken stream. A server that
 *    sends a head, then a status with exactly these words, is taken for one that went away; no
 *    other status is. */
#define G_LOG_DOMAIN "tacho-net"

#include "net/tacho-grpc-client-private.h"

#include "base/tacho-error.h"
#include "base/tacho-text.h"

#include <string.h>

#define HTTP_STATUS_WORDS "Received http2 header with status: "
#define KEEPALIVE_WORDS "keepalive watchdog timeout"
#define DEADLINE_WORDS "Deadline Exceeded"

/* The stream or its connection went away. */
static const char *const lost_words[] = { "Socket closed",
                                          "Received RST_STREAM with error code",
                                          "GOAWAY received",
                                          "Connection reset by peer",
                                          "Connection timed out",
                                          "Broken pipe",
                                          "Endpoint read failed",
                                          "Transport closed",
                                          "Delayed close due to in-progress write",
                                          "Last stream identifier exceeded",
                                          "recvmsg",
                                          "sendmsg",
                                          "OS Error",
                                          "Channel Destroyed",
                                          NULL };
/* What came is not gRPC. */
static const char *const foreign_words[] = { "Stream removed", "No status received",
                                             "http1.x server", "Failed parsing HTTP/2",
                                             "Bad GRPC frame", NULL };
/* One of our own limits was passed. */
static const char *const limit_words[] = { "Received message larger than max",
                                           "Sent message larger than max",
                                           "metadata size exceeds",
                                           "Compression algorithm '",
                                           "Invalid compression algorithm",
                                           "decompressing data",
                                           NULL };
static const char *const tls_words[] = { "andshak",   "Ssl",        "SSL",     "TLS", "ertifi",
                                         "Peer name", "Peer check", "ostname", NULL };
static const char *const late_words[] = { "imeout", "imed out", "eadline", NULL };

static gboolean
has_word (const char *text, const char *const *words)
{
  for (; *words != NULL; words++)
    if (strstr (text, *words) != NULL)
      return TRUE;
  return FALSE;
}

/**
 * tacho_grpc_status_to_http:
 * @status: a gRPC status code, or any other number
 *
 * Returns: the HTTP status that says the same, as google.rpc.Code maps them
 */
guint
tacho_grpc_status_to_http (int status)
{
  static const guint map[] = { 200, 499, 500, 400, 504, 404, 409, 403, 429,
                               400, 409, 400, 501, 500, 503, 500, 401 };

  return status >= 0 && (gsize) status < G_N_ELEMENTS (map) ? map[status] : 500;
}

/* https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md */
static int
status_from_http (guint64 http)
{
  switch (http)
    {
    case 400:
      return GRPC_STATUS_INTERNAL;
    case 401:
      return GRPC_STATUS_UNAUTHENTICATED;
    case 403:
      return GRPC_STATUS_PERMISSION_DENIED;
    case 404:
      return GRPC_STATUS_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return GRPC_STATUS_UNAVAILABLE;
    default:
      return GRPC_STATUS_UNKNOWN;
    }
}

/**
 * tacho_grpc_error_from_timer:
 * @timer: which timer ran out
 * @limit: its limit in seconds
 * @target: where the call went
 *
 * Returns: (transfer full): the error of that timeout
 */
GError *
tacho_grpc_error_from_timer (TachoGrpcTimer timer, double limit, const char *target)
{
  switch (timer)
    {
    case TACHO_GRPC_TIMER_CONNECT:
      return g_error_new (TACHO_ERROR, TACHO_ERROR_TIMEOUT_CONNECT,
                          "No gRPC connection to %s within %g s: is the address right, does the "
                          "server speak gRPC there, and does a firewall stand between?",
                          target, limit);
    case TACHO_GRPC_TIMER_FIRST:
      return g_error_new (TACHO_ERROR, TACHO_ERROR_TIMEOUT_FIRST,
                          "%s took the call but sent nothing within %g s (first-byte timeout)",
                          target, limit);
    case TACHO_GRPC_TIMER_IDLE:
      return g_error_new (TACHO_ERROR, TACHO_ERROR_TIMEOUT_IDLE,
                          "%s stopped sending for %g s in the middle of its answer (idle timeout)",
                          target, limit);
    case TACHO_GRPC_TIMER_TOTAL:
    case TACHO_GRPC_N_TIMERS:
    default:
      return g_error_new (TACHO_ERROR, TACHO_ERROR_TIMEOUT_TOTAL,
                          "%s did not finish its answer within %g s (total timeout)", target,
                          limit);
    }
}

static GError *
judge_tls (const TachoGrpcClient *client, const char *words)
{
  if (strstr (words, "WRONG_VERSION_NUMBER") != NULL)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_TLS,
                        "%s does not speak TLS on this port: is its gRPC port plain text?",
                        client->target);
  if (strstr (words, "alert protocol version") != NULL ||
      strstr (words, "UNSUPPORTED_PROTOCOL") != NULL ||
      strstr (words, "unsupported protocol") != NULL)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_TLS,
                        "%s offers only TLS 1.1 or older, which is not safe", client->target);
  if (strstr (words, "pinned") != NULL)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_TLS,
                        "The certificate of %s is not the pinned one: it was renewed, or this is "
                        "another server",
                        client->target);
  if (strstr (words, "ostname") != NULL || strstr (words, "Peer name") != NULL)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_TLS,
                        "The certificate of %s is refused: it was made for another host name",
                        client->target);
  if (strstr (words, "CERTIFICATE_VERIFY_FAILED") != NULL ||
      strstr (words, "certificate verify failed") != NULL)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_TLS,
                        "The certificate of %s is refused: it has expired, or it is not signed by "
                        "an authority that is trusted here; for a server of your own, give its CA "
                        "file or pin its certificate",
                        client->target);
  return g_error_new (TACHO_ERROR, TACHO_ERROR_TLS, "No safe connection to %s: %s%s",
                      client->target, words,
                      client->has_certificate ? "" : ". Does it ask for a client certificate?");
}

/* Nothing of the request left this machine. */
static GError *
judge_unreached (const TachoGrpcClient *client, const char *words)
{
  const char *target = client->target;

  if (strstr (words, "DNS resolution failed") != NULL)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_REFUSED,
                        "The host of %s is not known: is the name spelled right?", target);
  if (strstr (words, "Connection refused") != NULL)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_REFUSED,
                        "Nothing listens on %s: is the server running?", target);
  if (strstr (words, "ALPN") != NULL)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                        "%s speaks TLS, but not HTTP/2, which gRPC needs: is this its gRPC port?",
                        target);
  if (has_word (words, foreign_words))
    return g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                        "What answers on %s does not speak gRPC: is this its gRPC port?", target);
  if (has_word (words, limit_words))
    return g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                        "The call to %s is larger than what gRPC may send there: %s", target,
                        words);
  if (client->tls && (has_word (words, tls_words) || has_word (words, lost_words)))
    return judge_tls (client, words);
  if (has_word (words, lost_words))
    return g_error_new (TACHO_ERROR, TACHO_ERROR_REFUSED,
                        "%s closed the connection before the call was sent", target);
  if (has_word (words, late_words))
    return g_error_new (TACHO_ERROR, TACHO_ERROR_TIMEOUT_CONNECT,
                        "No gRPC connection to %s: it did not answer in time", target);
  return g_error_new (TACHO_ERROR, TACHO_ERROR_CONNECT, "No gRPC connection to %s: %s", target,
                      words);
}

static GError *
judge_foreign (const TachoGrpcClient *client, guint64 messages)
{
  if (messages > 0)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_TRUNCATED,
                        "%s ended its answer without a status: it is not whole", client->target);
  return g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                      "%s did not answer as a gRPC server does: is this its gRPC port?",
                      client->target);
}

static GError *
judge_lost (const TachoGrpcClient *client, guint64 messages, const char *words)
{
  if (messages > 0)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_TRUNCATED,
                        "%s broke off in the middle of its answer (%s)", client->target, words);
  return g_error_new (TACHO_ERROR, TACHO_ERROR_REFUSED,
                      "%s broke off without an answer (%s): did the server stop?", client->target,
                      words);
}

static GError *
judge_stopped (const TachoGrpcClient *client, guint64 messages)
{
  return g_error_new (TACHO_ERROR,
                      messages > 0 ? TACHO_ERROR_TIMEOUT_IDLE : TACHO_ERROR_TIMEOUT_FIRST,
                      "%s no longer answers (no reply to a keepalive ping within %d s)",
                      client->target, TACHO_GRPC_KEEPALIVE_TIMEOUT_MS / 1000);
}

static GError *
judge_limit (const TachoGrpcClient *client, const char *words)
{
  if (strstr (words, "ompress") != NULL)
    return g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                        "%s sent its answer compressed although that was not asked for",
                        client->target);
  return g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                      "%s sent more than Tacho takes (a message of %d MiB, metadata of %d KiB): %s",
                      client->target, TACHO_GRPC_MAX_MESSAGE / 1024 / 1024,
                      TACHO_GRPC_MAX_METADATA / 1024, words);
}

/**
 * tacho_grpc_judge:
 * @client: whose call
 * @outcome: how it ended
 * @status: (out): the server's status, if there is no error
 *
 * Tells a server's status from a failure of the way to it; the rule stands at the top of this file.
 *
 * Returns: (transfer full) (nullable): the failure as a `TACHO_ERROR`, or %NULL if the server
 *   answered, perhaps with a status that is not OK
 */
GError *
tacho_grpc_judge (const TachoGrpcClient *client, const TachoGrpcOutcome *outcome, int *status)
{
  g_autofree char *words = tacho_text_sanitize_line (outcome->message, -1, 200);
  const char *message = outcome->message;

  *status = (int) outcome->status;
  if (outcome->status == GRPC_STATUS_OK)
    /* Bytes that are not HTTP/2 end a stream with the status OK and these words. */
    return outcome->broken_off && has_word (message, foreign_words)
               ? judge_foreign (client, outcome->messages)
               : NULL;
  if (!outcome->connected && outcome->messages == 0)
    return judge_unreached (client, words);
  if (g_str_has_prefix (message, HTTP_STATUS_WORDS))
    {
      *status =
          status_from_http (g_ascii_strtoull (message + strlen (HTTP_STATUS_WORDS), NULL, 10));
      return NULL;
    }
  if (has_word (message, limit_words) &&
      (outcome->status == GRPC_STATUS_RESOURCE_EXHAUSTED ||
       outcome->status == GRPC_STATUS_UNIMPLEMENTED || outcome->status == GRPC_STATUS_UNKNOWN ||
       outcome->status == GRPC_STATUS_INTERNAL))
    return judge_limit (client, words);
  if (outcome->status == GRPC_STATUS_UNKNOWN && g_str_equal (message, "No status received"))
    return judge_foreign (client, outcome->messages);
  if (!outcome->broken_off)
    return NULL;
  if (outcome->status == GRPC_STATUS_UNAVAILABLE && strstr (message, KEEPALIVE_WORDS) != NULL)
    return judge_stopped (client, outcome->messages);
  if (outcome->status == GRPC_STATUS_DEADLINE_EXCEEDED && g_str_equal (message, DEADLINE_WORDS))
    return tacho_grpc_error_from_timer (TACHO_GRPC_TIMER_TOTAL,
                                        client->limits[TACHO_GRPC_TIMER_TOTAL], client->target);
  if (has_word (message, foreign_words))
    return judge_foreign (client, outcome->messages);
  if (has_word (message, lost_words))
    return judge_lost (client, outcome->messages, words);
  return NULL;
}
