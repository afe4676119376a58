/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The boundary that no automatic attempt may cross: once a piece of an answer was delivered, a
 * second attempt would answer, and cost, twice. The numbers are those of the OpenAI SDKs (statuses,
 * waits), gRPC A6 (never-sent calls, pushback) and AWS (full jitter). */
#define G_LOG_DOMAIN "tacho-net"

#include "net/tacho-retry-policy.h"

#include <math.h>
#include <string.h>

#include <libsoup/soup.h>

#include "base/tacho-error.h"

/* The few gRPC statuses that matter here (grpc/grpc doc/statuscodes.md). */
enum
{
  GRPC_UNKNOWN = 2,
  GRPC_DEADLINE_EXCEEDED = 4,
  GRPC_RESOURCE_EXHAUSTED = 8,
  GRPC_ABORTED = 10,
  GRPC_UNIMPLEMENTED = 12,
  GRPC_INTERNAL = 13,
  GRPC_UNAVAILABLE = 14,
};

typedef enum
{
  KIND_FINAL,         /* an answer: trying again would change nothing */
  KIND_UNIMPLEMENTED, /* the gRPC side has no such operation */
  KIND_NOT_SENT,      /* never reached the server */
  KIND_REFUSED,       /* the server said that it did not do it */
  KIND_AMBIGUOUS,     /* it may have done it */
} Kind;

/**
 * tacho_stage_to_string:
 * @stage: a stage
 *
 * Returns: its name in attempt logs
 */
const char *
tacho_stage_to_string (TachoStage stage)
{
  static const char *const names[] = { "not sent", "sent", "head", "delivered", "done" };

  return (gsize) stage < G_N_ELEMENTS (names) ? names[stage] : "unknown";
}

static Kind
kind_of_grpc (const TachoFailure *failure)
{
  switch (failure->grpc_status)
    {
    case GRPC_UNIMPLEMENTED:
      return KIND_UNIMPLEMENTED;
    case GRPC_UNAVAILABLE:
      return failure->stage <= TACHO_STAGE_SENT ? KIND_REFUSED : KIND_AMBIGUOUS;
    case GRPC_RESOURCE_EXHAUSTED: /* a message that is too big says the same, but never waits */
      return isnan (failure->server_wait_s) ? KIND_FINAL : KIND_REFUSED;
    case GRPC_UNKNOWN:
    case GRPC_DEADLINE_EXCEEDED:
    case GRPC_ABORTED:
    case GRPC_INTERNAL:
      return KIND_AMBIGUOUS;
    default:
      return KIND_FINAL;
    }
}

static Kind
kind_of_http (const TachoFailure *failure)
{
  switch (failure->http_status)
    {
    case 408:
    case 429:
    case 503:
    case 529:
      return KIND_REFUSED;
    case 404:
    case 405:
    case 415:
    case 501:
      return failure->protocol == TACHO_PROTOCOL_GRPC ? KIND_UNIMPLEMENTED : KIND_FINAL;
    default:
      return failure->http_status >= 500 ? KIND_AMBIGUOUS : KIND_FINAL;
    }
}

static Kind
kind_of_error (const TachoFailure *failure)
{
  if (failure->error == NULL || failure->error->domain != TACHO_ERROR)
    return KIND_FINAL;
  switch (failure->error->code)
    {
    case TACHO_ERROR_REFUSED:
    case TACHO_ERROR_CONNECT:
    case TACHO_ERROR_TIMEOUT_CONNECT:
      return failure->stage == TACHO_STAGE_NOT_SENT ? KIND_NOT_SENT : KIND_AMBIGUOUS;
    case TACHO_ERROR_TIMEOUT_FIRST:
    case TACHO_ERROR_TIMEOUT_IDLE:
    case TACHO_ERROR_TRUNCATED:
      return KIND_AMBIGUOUS;
    case TACHO_ERROR_IN_BAND: /* the server's own word, before it generated anything */
      return KIND_REFUSED;
    default: /* certificates, bad framing, cancelling, bad requests, the overall deadline */
      return KIND_FINAL;
    }
}

static Kind
classify (const TachoFailure *failure)
{
  Kind kind;

  if (failure->grpc_status > 0)
    kind = kind_of_grpc (failure);
  else if (failure->http_status != 0 && (failure->http_status < 200 || failure->http_status > 299))
    kind = kind_of_http (failure);
  else
    kind = kind_of_error (failure);
  if (failure->should_retry == 0 || failure->server_wait_s < 0)
    return kind == KIND_UNIMPLEMENTED ? kind : KIND_FINAL;
  if (failure->should_retry == 1 && failure->http_status >= 400 && kind != KIND_UNIMPLEMENTED)
    return KIND_REFUSED;
  return kind;
}

/**
 * tacho_failure_is_breakage:
 * @failure: how an attempt failed
 *
 * Returns: whether it says that the endpoint is broken: the transport failed or the server did. A
 *   refusal of this one request, a rate limit and a local problem do not
 */
gboolean
tacho_failure_is_breakage (const TachoFailure *failure)
{
  g_return_val_if_fail (failure != NULL, FALSE);

  if (failure->grpc_status > 0)
    return failure->grpc_status == GRPC_UNAVAILABLE || failure->grpc_status == GRPC_INTERNAL ||
           failure->grpc_status == GRPC_UNKNOWN || failure->grpc_status == GRPC_DEADLINE_EXCEEDED;
  if (failure->http_status >= 400)
    return failure->http_status >= 500 && failure->http_status != 501;
  if (failure->error == NULL || failure->error->domain != TACHO_ERROR)
    return FALSE;
  switch (failure->error->code)
    {
    case TACHO_ERROR_REFUSED:
    case TACHO_ERROR_CONNECT:
    case TACHO_ERROR_TLS:
    case TACHO_ERROR_TIMEOUT_CONNECT:
    case TACHO_ERROR_TIMEOUT_FIRST:
    case TACHO_ERROR_TIMEOUT_IDLE:
    case TACHO_ERROR_TIMEOUT_TOTAL:
    case TACHO_ERROR_HTTP_5XX:
    case TACHO_ERROR_PROTOCOL:
    case TACHO_ERROR_TRUNCATED:
      return TRUE;
    default:
      return FALSE;
    }
}

static TachoVerdict
stop (const char *reason)
{
  return (TachoVerdict){ .decision = TACHO_DECISION_STOP, .reason = reason };
}

static double
backoff (const TachoRetryPolicy *policy, const TachoRetryState *state)
{
  guint n = MIN (state->attempts > 0 ? state->attempts - 1 : 0, 30);

  return CLAMP (state->random, 0, 1) *
         MIN (policy->backoff_cap_s, policy->backoff_s * (double) (1u << n));
}

/* Where to, and after how long, once it is allowed at all. */
static TachoVerdict
again (const TachoRetryPolicy *policy,
       const TachoRetryState *state,
       const TachoFailure *failure,
       Kind kind)
{
  TachoVerdict verdict = { .decision = TACHO_DECISION_RETRY };

  verdict.ambiguous = kind == KIND_AMBIGUOUS && failure->effect == TACHO_EFFECT_GENERATION;
  if (state->other_available)
    verdict.decision = TACHO_DECISION_FAIL_OVER;
  if (kind == KIND_NOT_SENT)
    verdict.reason = "the request never left";
  else if (kind == KIND_AMBIGUOUS)
    verdict.reason = "nothing of an answer came";
  else
    verdict.reason = "the server refused for now";
  if (!isnan (failure->server_wait_s) && failure->server_wait_s <= policy->server_wait_max_s)
    {
      verdict.decision = TACHO_DECISION_RETRY;
      verdict.wait_s = failure->server_wait_s;
      verdict.reason = "the server named a wait";
    }
  else if (!isnan (failure->server_wait_s) && !state->other_available)
    return stop ("the server asks for a longer wait than is set");
  /* Another endpoint has not failed yet; only where it would be asked again is there a wait. */
  else if (verdict.decision == TACHO_DECISION_RETRY || kind == KIND_REFUSED)
    verdict.wait_s = backoff (policy, state);
  if (verdict.wait_s >= state->left_s)
    return stop ("the deadline would pass first");
  return verdict;
}

/**
 * tacho_retry_decide:
 * @policy: the numbers
 * @state: what was done so far
 * @failure: how the last attempt failed
 *
 * Returns: whether it is made again, where and after how long
 */
TachoVerdict
tacho_retry_decide (const TachoRetryPolicy *policy,
                    const TachoRetryState *state,
                    const TachoFailure *failure)
{
  Kind kind;

  g_return_val_if_fail (policy != NULL && state != NULL && failure != NULL, stop ("no policy"));

  if (failure->stage >= TACHO_STAGE_DELIVERED)
    return stop ("a part of the answer was delivered");
  kind = classify (failure);
  if (kind == KIND_FINAL)
    return stop ("it would fail again");
  if (kind == KIND_UNIMPLEMENTED)
    {
      TachoVerdict verdict = stop ("this side has no such operation");

      verdict.unimplemented = TRUE;
      if (state->other_available)
        verdict.decision = TACHO_DECISION_FAIL_OVER;
      return verdict;
    }
  if (failure->effect == TACHO_EFFECT_CHANGE && kind == KIND_AMBIGUOUS &&
      failure->http_status >= 500)
    return stop ("the server tried and failed");
  if (state->attempts >= policy->max_attempts)
    return stop ("as many attempts as allowed were made");
  if (kind == KIND_AMBIGUOUS && failure->effect == TACHO_EFFECT_GENERATION && state->ambiguous > 0)
    return stop ("a second attempt after an unclear end was made");
  if (!state->budget && !state->other_available)
    return stop ("too many attempts failed lately");
  return again (policy, state, failure, kind);
}

/**
 * tacho_retry_after_parse:
 * @value: (nullable): a Retry-After header
 * @now_unix: seconds since 1970 now, for dates
 *
 * Source: RFC 9110 section 10.2.3; fractions as some servers send them.
 *
 * Returns: seconds to wait, 0 for a time that has passed; NaN if the value is none
 */
double
tacho_retry_after_parse (const char *value, gint64 now_unix)
{
  char *end = NULL;
  double seconds;
  g_autoptr (GDateTime) date = NULL;

  if (value == NULL || value[0] == '\0')
    return NAN;
  if (g_ascii_isdigit (value[0]))
    {
      if (value[strspn (value, "0123456789.")] != '\0') /* strtod also knows hexadecimal */
        return NAN;
      seconds = g_ascii_strtod (value, &end);
      return *end == '\0' && isfinite (seconds) ? seconds : NAN;
    }
  if (g_ascii_isalpha (value[0]))
    date = soup_date_time_new_from_http_string (value);
  return date != NULL ? (double) MAX (g_date_time_to_unix (date) - now_unix, 0) : NAN;
}

/* grpc-retry-pushback-ms: a negative number or garbage means never (gRPC A6). */
static double
parse_milliseconds (const char *value, double garbage)
{
  char *end = NULL;
  double ms;

  if (!g_ascii_isdigit (value[0]))
    return garbage;
  ms = g_ascii_strtod (value, &end);
  return *end == '\0' && isfinite (ms) ? ms / 1000 : garbage;
}

/**
 * tacho_failure_read_reply:
 * @failure: filled from @reply
 * @reply: a reply that is no success
 */
void
tacho_failure_read_reply (TachoFailure *failure, const TachoHttpReply *reply)
{
  const char *grpc, *wait_ms, *pushback, *should;

  g_return_if_fail (failure != NULL && reply != NULL);

  failure->http_status = reply->status;
  grpc = tacho_http_reply_get_header (reply, "grpc-status");
  wait_ms = tacho_http_reply_get_header (reply, "retry-after-ms");
  pushback = tacho_http_reply_get_header (reply, "grpc-retry-pushback-ms");
  should = tacho_http_reply_get_header (reply, "x-should-retry");
  failure->grpc_status = grpc != NULL ? (int) g_ascii_strtoll (grpc, NULL, 10) : -1;
  if (pushback != NULL)
    failure->server_wait_s = parse_milliseconds (pushback, -1);
  else if (wait_ms != NULL)
    failure->server_wait_s = parse_milliseconds (wait_ms, NAN);
  else
    failure->server_wait_s = tacho_retry_after_parse (
        tacho_http_reply_get_header (reply, "Retry-After"), g_get_real_time () / G_USEC_PER_SEC);
  if (g_strcmp0 (should, "true") == 0)
    failure->should_retry = 1;
  else if (g_strcmp0 (should, "false") == 0)
    failure->should_retry = 0;
}
