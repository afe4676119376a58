/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The progress of a run: one live line on a terminal, plain lines in a pipe. */
#pragma once

#include "cli-connect.h"

#include "bench/tacho-bench-run.h"

G_BEGIN_DECLS

typedef struct _CliBenchProgress CliBenchProgress;

CliBenchProgress *cli_bench_progress_new (CliSession *session,
                                          const TachoBenchPlan *plan) G_GNUC_WARN_UNUSED_RESULT;
/* "4 at a time", "5 a second (poisson)". */
char *cli_bench_load_words (const TachoBenchPlan *plan) G_GNUC_WARN_UNUSED_RESULT;
void cli_bench_progress_free (CliBenchProgress *self);
void cli_bench_progress_show (CliBenchProgress *self, const TachoBenchSnapshot *snapshot);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliBenchProgress, cli_bench_progress_free)

G_END_DECLS
