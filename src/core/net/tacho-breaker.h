/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one endpoint's recent failures allow: a circuit breaker and a retry budget. Plain values,
 * the time is given to them. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  TACHO_BREAKER_CLOSED,    /* all is let through */
  TACHO_BREAKER_OPEN,      /* nothing is, until the time has passed */
  TACHO_BREAKER_HALF_OPEN, /* the time has passed: one health call decides */
} TachoBreakerState;

const char *tacho_breaker_state_to_string (TachoBreakerState state);

typedef struct
{
  guint failures_to_open; /* in a row */
  double open_s;          /* the first time; doubled each time it opens again */
  double open_max_s;
  guint failures;
  guint openings; /* since it last was well for long */
  gint64 open_until_ns;
  double budget; /* tokens */
} TachoBreaker;

void tacho_breaker_init (TachoBreaker *breaker, guint failures_to_open, double open_s);
TachoBreakerState tacho_breaker_get_state (const TachoBreaker *breaker, gint64 now_ns);
void tacho_breaker_succeeded (TachoBreaker *breaker);
/* TRUE: it opened by this. A failed health call while half-open opens it again, for longer. */
gboolean tacho_breaker_failed (TachoBreaker *breaker, gint64 now_ns);
gboolean tacho_breaker_may_retry (const TachoBreaker *breaker);

G_END_DECLS
