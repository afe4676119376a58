/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan of a benchmark as options. */
#pragma once

#include "bench/tacho-bench-plan.h"

G_BEGIN_DECLS

typedef struct
{
  char *model, *concurrency, *requests, *duration, *warmup;
  char *prompt_tokens, *output_tokens, *seed, *slo;
  char *out, *records, *format;
  char **fail_on;
  gboolean salt, no_salt;
} CliBenchOptions;

void cli_bench_options_clear (CliBenchOptions *o);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliBenchOptions, cli_bench_options_clear)

gboolean cli_bench_plan_read (const CliBenchOptions *o, TachoBenchPlan *plan, GError **error);

G_END_DECLS
