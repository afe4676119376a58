/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A breaker that opens by failures in a row: for the few requests of one person a rate over a
 * window would say nothing (Envoy's consecutive_5xx: 5, ejected for 30 s times the ejections, at
 * most 300 s). The budget is gRPC A6's retryThrottling: ten tokens, a failure takes one, a success
 * gives a tenth, no retry at half or below. */
#define G_LOG_DOMAIN "tacho-net"

#include "net/tacho-breaker.h"

#include "base/tacho-clock.h"

#define BUDGET_MAX 10.0
#define BUDGET_SUCCESS 0.1
#define OPEN_MAX_S 300.0

/**
 * tacho_breaker_state_to_string:
 * @state: a state
 *
 * Returns: "closed", "open" or "half-open"
 */
const char *
tacho_breaker_state_to_string (TachoBreakerState state)
{
  static const char *const names[] = { "closed", "open", "half-open" };

  return (gsize) state < G_N_ELEMENTS (names) ? names[state] : "unknown";
}

/**
 * tacho_breaker_init:
 * @breaker: (out caller-allocates): a closed breaker with a full budget
 * @failures_to_open: how many failures in a row open it; at least 1
 * @open_s: seconds that it stays open the first time
 */
void
tacho_breaker_init (TachoBreaker *breaker, guint failures_to_open, double open_s)
{
  g_return_if_fail (breaker != NULL && failures_to_open > 0 && open_s > 0);

  *breaker = (TachoBreaker){
    .failures_to_open = failures_to_open,
    .open_s = open_s,
    .open_max_s = MAX (OPEN_MAX_S, open_s),
    .budget = BUDGET_MAX,
  };
}

/**
 * tacho_breaker_get_state:
 * @breaker: a breaker
 * @now_ns: the time, of CLOCK_MONOTONIC
 *
 * Returns: what it lets through now
 */
TachoBreakerState
tacho_breaker_get_state (const TachoBreaker *breaker, gint64 now_ns)
{
  g_return_val_if_fail (breaker != NULL, TACHO_BREAKER_CLOSED);

  if (breaker->open_until_ns == 0)
    return TACHO_BREAKER_CLOSED;
  return now_ns < breaker->open_until_ns ? TACHO_BREAKER_OPEN : TACHO_BREAKER_HALF_OPEN;
}

/**
 * tacho_breaker_succeeded:
 * @breaker: a breaker
 *
 * The endpoint did what it was asked: closes.
 */
void
tacho_breaker_succeeded (TachoBreaker *breaker)
{
  g_return_if_fail (breaker != NULL);

  /* How long it opens next time is only forgotten by a second success while it is closed. */
  if (breaker->open_until_ns == 0)
    breaker->openings = 0;
  breaker->failures = 0;
  breaker->open_until_ns = 0;
  breaker->budget = MIN (breaker->budget + BUDGET_SUCCESS, BUDGET_MAX);
}

/**
 * tacho_breaker_failed:
 * @breaker: a breaker
 * @now_ns: the time, of CLOCK_MONOTONIC
 *
 * Returns: whether it opened by this
 */
gboolean
tacho_breaker_failed (TachoBreaker *breaker, gint64 now_ns)
{
  TachoBreakerState state;
  double seconds;

  g_return_val_if_fail (breaker != NULL, FALSE);

  state = tacho_breaker_get_state (breaker, now_ns);
  breaker->failures++;
  breaker->budget = MAX (breaker->budget - 1, 0);
  if (state == TACHO_BREAKER_OPEN ||
      (state == TACHO_BREAKER_CLOSED && breaker->failures < breaker->failures_to_open))
    return FALSE;
  seconds = breaker->open_s * (double) (1u << MIN (breaker->openings, 16));
  breaker->openings++;
  breaker->open_until_ns =
      now_ns + (gint64) (MIN (seconds, breaker->open_max_s) * (double) TACHO_NS_PER_S);
  return TRUE;
}

/**
 * tacho_breaker_may_retry:
 * @breaker: a breaker
 *
 * Returns: whether the budget allows another attempt on this endpoint
 */
gboolean
tacho_breaker_may_retry (const TachoBreaker *breaker)
{
  g_return_val_if_fail (breaker != NULL, FALSE);

  return breaker->budget > BUDGET_MAX / 2;
}
