/* SPDX-License-Identifier: GPL-3.0-or-later */
/* May a failed attempt be made again, where, and when? A pure function: no clock, no random
 * numbers, no I/O of its own. */
#pragma once

#include "api/tacho-http-message.h"
#include "base/tacho-protocol.h"

G_BEGIN_DECLS

/* How far one attempt came. */
typedef enum
{
  TACHO_STAGE_NOT_SENT,  /* A: no byte of the request left */
  TACHO_STAGE_SENT,      /* B: sent, no head of a reply */
  TACHO_STAGE_HEAD,      /* C: a successful head, nothing delivered */
  TACHO_STAGE_DELIVERED, /* D: at least one piece of the answer was delivered */
  TACHO_STAGE_DONE,      /* E: the terminal marker was seen */
} TachoStage;

const char *tacho_stage_to_string (TachoStage stage); /* "not sent", "sent", "head", … */

/* What an operation may cost if it is done twice. */
typedef enum
{
  TACHO_EFFECT_NONE,       /* it only asks: as often as needed */
  TACHO_EFFECT_CHANGE,     /* loads, deletes: its refusal is an answer, not a fault */
  TACHO_EFFECT_GENERATION, /* is paid for each time */
} TachoEffect;

typedef struct
{
  TachoStage stage;
  TachoEffect effect;
  TachoProtocol protocol; /* of the endpoint that failed */
  const GError *error;    /* of TACHO_ERROR */
  guint http_status;      /* 0: no reply */
  int grpc_status;        /* -1: none */
  double server_wait_s;   /* NaN: the server named none; negative: it said never */
  int should_retry;       /* what x-should-retry says: 1, 0; -1: nothing */
} TachoFailure;

typedef struct
{
  guint max_attempts;
  double backoff_s; /* random * min (cap, backoff * 2^n) */
  double backoff_cap_s;
  double server_wait_max_s;
} TachoRetryPolicy;

typedef struct
{
  guint attempts;           /* made so far, the failed one included; at least 1 */
  guint ambiguous;          /* second attempts after an unclear end, so far */
  double left_s;            /* until the overall deadline; INFINITY: none */
  double random;            /* 0..1, fresh */
  gboolean budget;          /* the retry budget of the endpoint allows another */
  gboolean other_available; /* another endpoint would take the operation */
} TachoRetryState;

typedef enum
{
  TACHO_DECISION_STOP,
  TACHO_DECISION_RETRY,     /* on the same endpoint */
  TACHO_DECISION_FAIL_OVER, /* on another one */
} TachoDecision;

typedef struct
{
  TachoDecision decision;
  double wait_s;
  gboolean ambiguous;     /* counts against the one second attempt after an unclear end */
  gboolean unimplemented; /* this endpoint has no such operation: to be remembered */
  const char *reason;     /* for the attempt log, untranslated */
} TachoVerdict;

TachoVerdict tacho_retry_decide (const TachoRetryPolicy *policy,
                                 const TachoRetryState *state,
                                 const TachoFailure *failure);
/* Fills what a reply's headers say: status, gRPC status, the wait, x-should-retry. */
void tacho_failure_read_reply (TachoFailure *failure, const TachoHttpReply *reply);
/* "120", "1.5" or an HTTP date against now_unix; NaN: none or garbage. */
double tacho_retry_after_parse (const char *value, gint64 now_unix);
/* Does this failure count against the endpoint's health (transport, 5xx), or is it an answer? */
gboolean tacho_failure_is_breakage (const TachoFailure *failure);

G_END_DECLS
