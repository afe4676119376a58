/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan of a benchmark as options. */
#pragma once

#include "cli-options.h"

#include "bench/tacho-bench-plan.h"

G_BEGIN_DECLS

typedef struct
{
  char *model, *concurrency, *rate, *arrival, *ramp;
  char *requests, *duration, *warmup, *cooldown;
  char *max_errors, *until, *cancel;
  char *prompt_tokens, *output_tokens, *prompts, *trace_scale, *turns, *think;
  char *seed, *slo, *threads, *worker, *start_at;
  char *out, *records, *format;
  char **fail_on;
  gboolean replay, salt, no_salt, completion, http2, about_tokens, no_watch, no_history, calibrate;
} CliBenchOptions;

/* The options of the plan; fills `list` from its place `at` on and gives the next place. */
guint cli_bench_plan_options (CliBenchOptions *o, CliOption *list, guint at);
#define CLI_BENCH_PLAN_OPTIONS 27
void cli_bench_options_clear (CliBenchOptions *o);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliBenchOptions, cli_bench_options_clear)

/* Seconds until --start-at; 0: at once. CLI_ERROR_USAGE. */
gboolean
cli_bench_start_delay (const char *text, gint64 now_unix_us, double *delay, GError **error);
gboolean cli_bench_plan_read (const CliBenchOptions *o, TachoBenchPlan *plan, GError **error);

G_END_DECLS
