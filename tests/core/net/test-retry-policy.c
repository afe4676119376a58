/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may be tried again: the table of how far an attempt came against how it failed, the waits,
 * and the breaker. */
#include "test-utils.h"

#include <math.h>

#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "net/tacho-breaker.h"
#include "net/tacho-retry-policy.h"

static const TachoRetryPolicy policy = {
  .max_attempts = 3,
  .backoff_s = 0.5,
  .backoff_cap_s = 8,
  .server_wait_max_s = 60,
};

static TachoRetryState
fresh_state (void)
{
  return (TachoRetryState){ .attempts = 1, .left_s = INFINITY, .random = 1, .budget = TRUE };
}

static TachoFailure
new_failure (TachoStage stage, int code, guint status, int grpc)
{
  static GError *errors[200];

  if (code != 0 && errors[code] == NULL)
    errors[code] = g_error_new_literal (TACHO_ERROR, code, "x");
  return (TachoFailure){
    .stage = stage,
    .effect = TACHO_EFFECT_GENERATION,
    .protocol = grpc >= 0 ? TACHO_PROTOCOL_GRPC : TACHO_PROTOCOL_REST,
    .error = code != 0 ? errors[code] : NULL,
    .http_status = status,
    .grpc_status = grpc,
    .server_wait_s = NAN,
    .should_retry = -1,
  };
}

/* Each row alone, then with another endpoint at hand. */
static void
test_table (void)
{
  static const struct
  {
    TachoStage stage;
    int code;
    guint status;
    int grpc;
    TachoDecision alone, hybrid;
    gboolean ambiguous;
  } rows[] = {
#define STOP TACHO_DECISION_STOP
#define RETRY TACHO_DECISION_RETRY
#define OVER TACHO_DECISION_FAIL_OVER
    /* A: never sent. */
    { TACHO_STAGE_NOT_SENT, TACHO_ERROR_REFUSED, 0, -1, RETRY, OVER, FALSE },
    { TACHO_STAGE_NOT_SENT, TACHO_ERROR_CONNECT, 0, -1, RETRY, OVER, FALSE },
    { TACHO_STAGE_NOT_SENT, TACHO_ERROR_TIMEOUT_CONNECT, 0, -1, RETRY, OVER, FALSE },
    { TACHO_STAGE_NOT_SENT, TACHO_ERROR_TLS, 0, -1, STOP, STOP, FALSE },
    { TACHO_STAGE_NOT_SENT, TACHO_ERROR_INVALID, 0, -1, STOP, STOP, FALSE },
    { TACHO_STAGE_NOT_SENT, TACHO_ERROR_CANCELLED, 0, -1, STOP, STOP, FALSE },
    /* B: refused in so many words. */
    { TACHO_STAGE_SENT, 0, 408, -1, RETRY, OVER, FALSE },
    { TACHO_STAGE_SENT, 0, 429, -1, RETRY, OVER, FALSE },
    { TACHO_STAGE_SENT, 0, 503, -1, RETRY, OVER, FALSE },
    { TACHO_STAGE_SENT, 0, 529, -1, RETRY, OVER, FALSE },
    { TACHO_STAGE_SENT, 0, 503, 14, RETRY, OVER, FALSE },
    /* B: unclear. */
    { TACHO_STAGE_SENT, 0, 500, -1, RETRY, OVER, TRUE },
    { TACHO_STAGE_SENT, 0, 502, -1, RETRY, OVER, TRUE },
    { TACHO_STAGE_SENT, 0, 504, -1, RETRY, OVER, TRUE },
    { TACHO_STAGE_SENT, TACHO_ERROR_REFUSED, 0, -1, RETRY, OVER, TRUE },
    { TACHO_STAGE_SENT, TACHO_ERROR_TIMEOUT_FIRST, 0, -1, RETRY, OVER, TRUE },
    { TACHO_STAGE_SENT, TACHO_ERROR_TRUNCATED, 0, -1, RETRY, OVER, TRUE },
    { TACHO_STAGE_SENT, 0, 500, 13, RETRY, OVER, TRUE },
    { TACHO_STAGE_SENT, 0, 504, 4, RETRY, OVER, TRUE },
    /* B: an answer. */
    { TACHO_STAGE_SENT, 0, 400, -1, STOP, STOP, FALSE },
    { TACHO_STAGE_SENT, 0, 401, -1, STOP, STOP, FALSE },
    { TACHO_STAGE_SENT, 0, 403, -1, STOP, STOP, FALSE },
    { TACHO_STAGE_SENT, 0, 404, -1, STOP, STOP, FALSE },
    { TACHO_STAGE_SENT, 0, 422, -1, STOP, STOP, FALSE },
    { TACHO_STAGE_SENT, 0, 302, -1, STOP, STOP, FALSE },
    { TACHO_STAGE_SENT, 0, 400, 3, STOP, STOP, FALSE },
    { TACHO_STAGE_SENT, 0, 404, 5, STOP, STOP, FALSE },
    { TACHO_STAGE_SENT, 0, 401, 16, STOP, STOP, FALSE },
    { TACHO_STAGE_SENT, 0, 429, 8, STOP, STOP, FALSE },
    { TACHO_STAGE_SENT, TACHO_ERROR_PROTOCOL, 0, -1, STOP, STOP, FALSE },
    { TACHO_STAGE_SENT, TACHO_ERROR_TIMEOUT_TOTAL, 0, -1, STOP, STOP, FALSE },
    { TACHO_STAGE_SENT, 0, 501, 12, STOP, OVER, FALSE },
    /* C: a head, and nothing after it. */
    { TACHO_STAGE_HEAD, TACHO_ERROR_IN_BAND, 0, -1, RETRY, OVER, FALSE },
    { TACHO_STAGE_HEAD, TACHO_ERROR_TRUNCATED, 0, -1, RETRY, OVER, TRUE },
    { TACHO_STAGE_HEAD, TACHO_ERROR_TIMEOUT_IDLE, 0, -1, RETRY, OVER, TRUE },
    { TACHO_STAGE_HEAD, 0, 503, 14, RETRY, OVER, TRUE },
    /* D and E: never. */
    { TACHO_STAGE_DELIVERED, TACHO_ERROR_TRUNCATED, 0, -1, STOP, STOP, FALSE },
    { TACHO_STAGE_DELIVERED, TACHO_ERROR_IN_BAND, 0, -1, STOP, STOP, FALSE },
    { TACHO_STAGE_DELIVERED, TACHO_ERROR_REFUSED, 0, -1, STOP, STOP, FALSE },
    { TACHO_STAGE_DELIVERED, 0, 503, 14, STOP, STOP, FALSE },
    { TACHO_STAGE_DELIVERED, 0, 501, 12, STOP, STOP, FALSE },
    { TACHO_STAGE_DONE, TACHO_ERROR_TRUNCATED, 0, -1, STOP, STOP, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      TachoFailure failure =
          new_failure (rows[i].stage, rows[i].code, rows[i].status, rows[i].grpc);
      TachoRetryState state = fresh_state ();
      TachoVerdict verdict = tacho_retry_decide (&policy, &state, &failure);

      g_test_message ("row %zu: %s", i, verdict.reason);
      g_assert_cmpint (verdict.decision, ==, rows[i].alone);
      g_assert_cmpint (verdict.ambiguous, ==, rows[i].ambiguous);
      g_assert_cmpint (verdict.unimplemented, ==,
                       rows[i].grpc == 12 && rows[i].stage < TACHO_STAGE_DELIVERED);
      state.other_available = TRUE;
      verdict = tacho_retry_decide (&policy, &state, &failure);
      g_assert_cmpint (verdict.decision, ==, rows[i].hybrid);

      /* An unclear end is tried once more, and no more than that. */
      state.attempts = 2;
      state.ambiguous = 1;
      verdict = tacho_retry_decide (&policy, &state, &failure);
      if (rows[i].ambiguous)
        g_assert_cmpint (verdict.decision, ==, STOP);
      /* Nothing is tried more often than allowed, but the other side where this one has no such
       * operation. */
      state.attempts = 3;
      state.ambiguous = 0;
      verdict = tacho_retry_decide (&policy, &state, &failure);
      if (!verdict.unimplemented)
        g_assert_cmpint (verdict.decision, ==, STOP);
    }
}

static void
test_waits (void)
{
  TachoFailure failure = new_failure (TACHO_STAGE_SENT, 0, 503, -1);
  TachoRetryState state = fresh_state ();
  TachoRetryPolicy patient = policy;
  TachoVerdict verdict;

  patient.max_attempts = 10;
  for (guint n = 1; n < 9; n++)
    {
      state.attempts = n;
      state.random = 1;
      verdict = tacho_retry_decide (&patient, &state, &failure);
      g_assert_cmpfloat (verdict.wait_s, ==, MIN (8, 0.5 * (1 << (n - 1))));
      state.random = 0.25;
      verdict = tacho_retry_decide (&patient, &state, &failure);
      g_assert_cmpfloat (verdict.wait_s, ==, 0.25 * MIN (8, 0.5 * (1 << (n - 1))));
    }
  state = fresh_state ();
  failure.server_wait_s = 7;
  verdict = tacho_retry_decide (&policy, &state, &failure);
  g_assert_cmpfloat (verdict.wait_s, ==, 7);
  state.other_available = TRUE; /* it is the same server: its wait holds for both sides */
  verdict = tacho_retry_decide (&policy, &state, &failure);
  g_assert_cmpint (verdict.decision, ==, TACHO_DECISION_RETRY);
  failure.server_wait_s = 61;
  verdict = tacho_retry_decide (&policy, &state, &failure);
  g_assert_cmpint (verdict.decision, ==, TACHO_DECISION_FAIL_OVER);
  state.other_available = FALSE;
  verdict = tacho_retry_decide (&policy, &state, &failure);
  g_assert_cmpint (verdict.decision, ==, TACHO_DECISION_STOP);
  failure.server_wait_s = 5;
  state.left_s = 4;
  verdict = tacho_retry_decide (&policy, &state, &failure);
  g_assert_cmpint (verdict.decision, ==, TACHO_DECISION_STOP);
  state.left_s = INFINITY;
  failure.server_wait_s = -1; /* never */
  verdict = tacho_retry_decide (&policy, &state, &failure);
  g_assert_cmpint (verdict.decision, ==, TACHO_DECISION_STOP);
  failure.server_wait_s = NAN;
  failure.should_retry = 0;
  verdict = tacho_retry_decide (&policy, &state, &failure);
  g_assert_cmpint (verdict.decision, ==, TACHO_DECISION_STOP);
  failure.should_retry = 1;
  failure.http_status = 409;
  verdict = tacho_retry_decide (&policy, &state, &failure);
  g_assert_cmpint (verdict.decision, ==, TACHO_DECISION_RETRY);
  state.budget = FALSE;
  verdict = tacho_retry_decide (&policy, &state, &failure);
  g_assert_cmpint (verdict.decision, ==, TACHO_DECISION_STOP);
}

static void
test_effects (void)
{
  TachoFailure failure = new_failure (TACHO_STAGE_SENT, 0, 500, -1);
  TachoRetryState state = fresh_state ();
  TachoVerdict verdict;

  failure.effect = TACHO_EFFECT_CHANGE; /* “loading failed” is the server's answer */
  g_assert_cmpint (tacho_retry_decide (&policy, &state, &failure).decision, ==,
                   TACHO_DECISION_STOP);
  failure.effect = TACHO_EFFECT_NONE;
  state.ambiguous = 1;
  state.attempts = 2;
  verdict = tacho_retry_decide (&policy, &state, &failure);
  g_assert_cmpint (verdict.decision, ==, TACHO_DECISION_RETRY);
  g_assert_false (verdict.ambiguous);
}

static void
test_retry_after (void)
{
  static const struct
  {
    const char *value;
    double seconds; /* NaN: none */
  } rows[] = {
    { "120", 120 },
    { "1.5", 1.5 },
    { "0", 0 },
    { "-3", NAN },
    { "soon", NAN },
    { "1e999", NAN },
    { "12 s", NAN },
    { "", NAN },
    { "0x10", NAN },
    { "nan", NAN },
    { "Thu, 01 Jan 1970 00:16:40 GMT", 400 },
    { "Thu, 01 Jan 1970 00:00:01 GMT", 0 },
    { "Thu, 99 Foo 1970", NAN },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      double seconds = tacho_retry_after_parse (rows[i].value, 600);

      g_test_message ("“%s”: %g", rows[i].value, seconds);
      g_assert_cmpint (isnan (seconds), ==, isnan (rows[i].seconds));
      if (!isnan (seconds))
        g_assert_cmpfloat (seconds, ==, rows[i].seconds);
    }
  g_assert_true (isnan (tacho_retry_after_parse (NULL, 0)));
}

static void
test_headers (void)
{
  g_autoptr (GBytes) empty = g_bytes_new_static ("", 0);
  g_autoptr (TachoHttpReply) reply = tacho_http_reply_new (503, empty);
  TachoFailure failure = new_failure (TACHO_STAGE_SENT, 0, 0, -1);

  tacho_http_reply_add_header (reply, "Retry-After", "9");
  tacho_http_reply_add_header (reply, "X-Should-Retry", "false");
  tacho_failure_read_reply (&failure, reply);
  g_assert_cmpuint (failure.http_status, ==, 503);
  g_assert_cmpint (failure.grpc_status, ==, -1);
  g_assert_cmpfloat (failure.server_wait_s, ==, 9);
  g_assert_cmpint (failure.should_retry, ==, 0);
  tacho_http_reply_add_header (reply, "retry-after-ms", "1500");
  tacho_failure_read_reply (&failure, reply);
  g_assert_cmpfloat (failure.server_wait_s, ==, 1.5);
  tacho_http_reply_add_header (reply, "grpc-status", "14");
  tacho_http_reply_add_header (reply, "grpc-retry-pushback-ms", "-1");
  tacho_failure_read_reply (&failure, reply);
  g_assert_cmpint (failure.grpc_status, ==, 14);
  g_assert_cmpfloat (failure.server_wait_s, <, 0);
}

static void
test_breaker_opens (void)
{
  TachoBreaker breaker;
  gint64 now = 1000 * TACHO_NS_PER_S;

  tacho_breaker_init (&breaker, 5, 30);
  for (int i = 0; i < 4; i++)
    g_assert_false (tacho_breaker_failed (&breaker, now));
  tacho_breaker_succeeded (&breaker); /* in a row means in a row */
  for (int i = 0; i < 4; i++)
    g_assert_false (tacho_breaker_failed (&breaker, now));
  g_assert_cmpint (tacho_breaker_get_state (&breaker, now), ==, TACHO_BREAKER_CLOSED);
  g_assert_true (tacho_breaker_failed (&breaker, now));
  g_assert_cmpint (tacho_breaker_get_state (&breaker, now), ==, TACHO_BREAKER_OPEN);
  g_assert_false (tacho_breaker_failed (&breaker, now)); /* it is open already */
  g_assert_cmpint (tacho_breaker_get_state (&breaker, now + 30 * TACHO_NS_PER_S - 1), ==,
                   TACHO_BREAKER_OPEN);
  now += 30 * TACHO_NS_PER_S;
  g_assert_cmpint (tacho_breaker_get_state (&breaker, now), ==, TACHO_BREAKER_HALF_OPEN);

  /* The health call fails: twice as long, and so on up to 300 s. */
  for (int seconds = 60; seconds < 2000; seconds *= 2)
    {
      g_assert_true (tacho_breaker_failed (&breaker, now));
      g_assert_cmpint (breaker.open_until_ns - now, ==,
                       (gint64) MIN (seconds, 300) * TACHO_NS_PER_S);
      now = breaker.open_until_ns;
    }
  tacho_breaker_succeeded (&breaker);
  g_assert_cmpint (tacho_breaker_get_state (&breaker, now), ==, TACHO_BREAKER_CLOSED);
  tacho_breaker_succeeded (&breaker);
  for (int i = 0; i < 5; i++)
    tacho_breaker_failed (&breaker, now);
  g_assert_cmpint (breaker.open_until_ns - now, ==, 30 * TACHO_NS_PER_S);
}

static void
test_budget (void)
{
  TachoBreaker breaker;

  tacho_breaker_init (&breaker, 1000, 30);
  for (int i = 0; i < 4; i++)
    tacho_breaker_failed (&breaker, 1);
  g_assert_true (tacho_breaker_may_retry (&breaker));
  tacho_breaker_failed (&breaker, 1);
  g_assert_false (tacho_breaker_may_retry (&breaker));
  for (int i = 0; i < 11; i++)
    tacho_breaker_succeeded (&breaker);
  g_assert_true (tacho_breaker_may_retry (&breaker));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/retry/table", test_table);
  g_test_add_func ("/retry/waits", test_waits);
  g_test_add_func ("/retry/effects", test_effects);
  g_test_add_func ("/retry/retry-after", test_retry_after);
  g_test_add_func ("/retry/headers", test_headers);
  g_test_add_func ("/breaker/opens", test_breaker_opens);
  g_test_add_func ("/breaker/budget", test_budget);
  return g_test_run ();
}
