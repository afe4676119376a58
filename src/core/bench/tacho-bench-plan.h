/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run is to do. A plan that cannot work is refused before the first request. */
#pragma once

#include <glib-object.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct
{
  char *model;
  guint concurrency;       /* closed loop: requests in flight, 1..10000 */
  guint64 requests;        /* measured requests; 0: by duration */
  double duration_s;       /* measured seconds; 0: by count */
  guint64 warmup_requests; /* excluded from every figure, and reported */
  double warmup_s;
  guint
      prompt_tokens_min; /* synthetic prompts: about one word a token; the server's count is kept */
  guint prompt_tokens_max;
  guint output_tokens_min;
  guint output_tokens_max;
  guint64 seed;  /* the same seed gives the same plan */
  gboolean salt; /* a unique prefix per request, so that prefix caches do not flatter */
  gboolean chat; /* chat (default) or raw completion */
  char *slo;     /* "ttft<500ms,itl<50ms" or NULL */
} TachoBenchPlan;

#define TACHO_TYPE_BENCH_PLAN (tacho_bench_plan_get_type ())
GType tacho_bench_plan_get_type (void);
TachoBenchPlan *tacho_bench_plan_new (void)
    G_GNUC_WARN_UNUSED_RESULT; /* 4 at a time, 64 requests, 2 warm-up, 128 in, 64 out */
TachoBenchPlan *tacho_bench_plan_copy (const TachoBenchPlan *plan) G_GNUC_WARN_UNUSED_RESULT;
void tacho_bench_plan_free (TachoBenchPlan *plan);
gboolean tacho_bench_plan_validate (const TachoBenchPlan *plan,
                                    GError **error); /* TACHO_ERROR_INVALID */
void tacho_bench_plan_to_json (const TachoBenchPlan *plan, JsonBuilder *builder); /* an object */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoBenchPlan, tacho_bench_plan_free)

G_END_DECLS
