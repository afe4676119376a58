/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a plan will take, before anything is sent. Pure functions. */
#pragma once

#include "bench/tacho-bench-plan.h"

G_BEGIN_DECLS

/* NaN: cannot be known. */
typedef struct
{
  double requests; /* warm-up included */
  double prompt_tokens, output_tokens;
  double seconds;
} TachoBenchEstimate;

/* How a model answered before: milliseconds, NaN where not known. */
typedef struct
{
  double ttft_ms, itl_ms;
} TachoBenchPace;

/* loads: of double, of a sweep; or NULL. */
void tacho_bench_estimate (TachoBenchEstimate *estimate,
                           const TachoBenchPlan *plan,
                           GArray *loads,
                           const TachoBenchPace *pace);
char *tacho_bench_estimate_to_words (const TachoBenchEstimate *estimate) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
