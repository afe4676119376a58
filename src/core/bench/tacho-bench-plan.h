/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run is to do. A plan that cannot work is refused before the first request. */
#pragma once

#include "base/tacho-protocol.h"

#include <glib-object.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* When requests are sent. All but the closed loop are open: an absolute schedule that no slow reply
 * moves. */
typedef enum
{
  TACHO_LOAD_CLOSED,   /* `concurrency` in flight: the next one when one has ended */
  TACHO_LOAD_CONSTANT, /* `rate` a second, evenly */
  TACHO_LOAD_POISSON,  /* exponential gaps */
  TACHO_LOAD_GAMMA,    /* gamma gaps of `gamma_shape`; below 1 is burstier than Poisson */
  TACHO_LOAD_TRACE,    /* at the stamps of the prompts file */
} TachoLoadKind;

/* How many tokens: uniform between min and max, or normal around mean, cut to [min, max]. */
typedef struct
{
  guint min, max;
  double mean, sd; /* sd 0: uniform */
} TachoLengths;

typedef struct
{
  char *model;
  TachoLoadKind load;
  guint concurrency;       /* closed loop: requests in flight; open: the most at a time; 1..10000 */
  double rate;             /* open loop: requests a second */
  double gamma_shape;      /* 1 is Poisson */
  double ramp_s;           /* closed: places open over this time; open: the rate rises over it */
  guint64 requests;        /* measured requests; 0: by duration */
  double duration_s;       /* measured seconds; 0: by count */
  guint64 warmup_requests; /* excluded from every figure, and reported */
  double warmup_s;
  double cooldown_s;         /* load that goes on after the window, excluded and reported */
  guint64 max_errors;        /* stop after so many; 0: never */
  double max_error_rate;     /* stop above this share of at least 20 requests; 0: never */
  char *until;               /* "p95(ttft_ms)±5%": stop when it is known so well; or NULL */
  double cancel_share;       /* of the requests are cancelled on purpose, 0..1 */
  double cancel_after_s;     /* from their start */
  TachoLengths prompt_tokens; /* of synthetic prompts: about one word a token */
  TachoLengths output_tokens;
  gboolean exact_tokens; /* words that are one token each, where the server has a tokenizer */
  char *prompts_file;    /* JSONL, ShareGPT or a trace instead of synthetic prompts; or NULL */
  double trace_scale;    /* the trace's time is multiplied by this; 1 */
  guint turns;           /* of a synthetic conversation; 1: single requests */
  double think_s;        /* between a reply and the next turn */
  guint64 seed;          /* the same seed gives the same plan */
  gboolean salt;         /* a unique prefix per request, so that prefix caches do not flatter */
  gboolean chat;         /* chat (default) or raw completion */
  TachoProtocol protocol; /* REST or gRPC; never both in one run */
  gboolean http2;         /* REST over HTTP/2 */
  guint threads;          /* load threads; 0: as many as the load needs */
  gboolean watch_server;  /* read the server's metrics, and this host's, while it runs */
  char *slo;              /* "ttft<500ms,itl<50ms" or NULL */
  guint worker, workers;  /* this is machine `worker` of `workers` that share the load; 0 of 1 */
} TachoBenchPlan;

#define TACHO_TYPE_BENCH_PLAN (tacho_bench_plan_get_type ())
GType tacho_bench_plan_get_type (void);
/* 4 at a time, 64 requests, 2 warm-up, 128 in, 64 out */
TachoBenchPlan *tacho_bench_plan_new (void) G_GNUC_WARN_UNUSED_RESULT;
TachoBenchPlan *tacho_bench_plan_copy (const TachoBenchPlan *plan) G_GNUC_WARN_UNUSED_RESULT;
void tacho_bench_plan_free (TachoBenchPlan *plan);
gboolean tacho_bench_plan_validate (const TachoBenchPlan *plan,
                                    GError **error); /* TACHO_ERROR_INVALID */
gboolean tacho_bench_plan_is_open (const TachoBenchPlan *plan);

const char *tacho_load_kind_to_string (TachoLoadKind kind); /* "closed", "poisson", … */
/* "512", "128:2048" or "512±64". TACHO_ERROR_INVALID. */
gboolean tacho_lengths_parse (const char *text, TachoLengths *lengths, GError **error);
char *tacho_lengths_to_string (const TachoLengths *lengths) G_GNUC_WARN_UNUSED_RESULT;

void tacho_bench_plan_to_json (const TachoBenchPlan *plan, JsonBuilder *builder); /* an object */
/* Members that are missing keep the value of tacho_bench_plan_new. */
TachoBenchPlan *tacho_bench_plan_from_json (JsonObject *object) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoBenchPlan, tacho_bench_plan_free)

G_END_DECLS
