/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One generation, running or ended. Properties (read-only): state, error, finish-reason.
 * Signals: "delta" (const char *text, gboolean reasoning): new text, as it comes, once per event;
 * "progress" (double fraction): the server's prompt-reading progress; "attempt": the log of
 * attempts has grown; "ended". */
#pragma once

#include <gio/gio.h>
#include "api/tacho-generate.h"
#include "net/tacho-retry-policy.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_GENERATION_WAITING, /* sent or being sent; nothing delivered */
  TACHO_GENERATION_READING, /* the server says that it reads the prompt */
  TACHO_GENERATION_GENERATING,
  TACHO_GENERATION_DONE,
  TACHO_GENERATION_TRUNCATED, /* ended without the terminal marker; text kept */
  TACHO_GENERATION_FAILED,    /* text that came is kept */
  TACHO_GENERATION_CANCELLED,
} TachoGenerationState;

#define TACHO_TYPE_GENERATION_STATE (tacho_generation_state_get_type ())
GType tacho_generation_state_get_type (void);
const char *tacho_generation_state_to_string (TachoGenerationState state);

/* CLOCK_MONOTONIC ns, 0: not reached. Formulas: DESIGN section 6. NaN: not defined for this reply.
 */
typedef struct
{
  gint64 start_ns;
  gint64 first_ns;
  gint64 last_ns;
  gint64 end_ns;
  guint64 chunks;
  gint64 prompt_tokens; /* -1 unknown */
  gint64 output_tokens;
  const char *tokens_source; /* "usage" or "chunks" */
  double ttft_ms;
  double e2e_ms;
  double itl_ms;
  double tpot_ms;
  double tokens_per_s; /* decode: (N - 1) / (last - first) */
  guint http_status;
  gboolean connection_reused;
  gboolean has_timings;
  TachoTimings timings; /* the server's own */
} TachoGenerationMetrics;

#define TACHO_ATTEMPT_MAX_REPLY ((gsize) 256 * 1024)

/* What was tried, where, and what came of it. The last one is that whose answer was delivered. */
typedef struct
{
  TachoProtocol protocol;
  char *target;
  gint64 start_ns; /* 0: nothing was sent */
  gint64 end_ns;   /* 0: it runs */
  TachoStage stage;
  guint http_status; /* 0: no reply */
  char *error;       /* the words, or NULL: it went well */
  int error_code;    /* TachoErrorCode, 0: none */
  char *decision;    /* what was done then, and why: "fail over: the request never left" */
  double wait_s;     /* before the next attempt */
  /* What went over the wire, without headers: those hold secrets. NULL: nothing did. */
  char *method;
  char *path;
  GBytes *request; /* body; NULL: none */
  GString *reply;  /* its first TACHO_ATTEMPT_MAX_REPLY bytes, as they came */
  gboolean reply_cut;
} TachoAttempt;

#define TACHO_TYPE_GENERATION (tacho_generation_get_type ())
G_DECLARE_FINAL_TYPE (TachoGeneration, tacho_generation, TACHO, GENERATION, GObject)

TachoGenerationState tacho_generation_get_state (TachoGeneration *self);
gboolean tacho_generation_is_ended (TachoGeneration *self);
const char *tacho_generation_get_text (TachoGeneration *self);
const char *tacho_generation_get_reasoning (TachoGeneration *self);
const char *tacho_generation_get_tool_calls (TachoGeneration *self); /* JSON array text, or NULL */
const char *tacho_generation_get_finish_reason (TachoGeneration *self);
const char *tacho_generation_get_response_id (TachoGeneration *self);
const GError *tacho_generation_get_error (TachoGeneration *self);
GPtrArray *tacho_generation_get_attempts (TachoGeneration *self); /* of TachoAttempt */
void tacho_generation_get_metrics (TachoGeneration *self,
                                   TachoGenerationMetrics *metrics); /* live too */
void
tacho_generation_cancel (TachoGeneration *self); /* closes the wire; state is CANCELLED at once */

G_END_DECLS
