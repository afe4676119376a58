/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run is doing, and for how long yet, in words. */
#pragma once

#include "app/tacho-bench-session.h"

G_BEGIN_DECLS

char *tacho_bench_progress_words (TachoBenchSession *session,
                                  const TachoBenchSnapshot *snapshot) G_GNUC_WARN_UNUSED_RESULT;
/* 0..1, of all steps. */
double tacho_bench_progress_fraction (TachoBenchSession *session,
                                      const TachoBenchSnapshot *snapshot);
/* Failures by class; NULL: none. */
char *tacho_bench_progress_errors (const TachoBenchSnapshot *snapshot) G_GNUC_WARN_UNUSED_RESULT;
/* How this computer keeps up; NULL: not known yet. */
char *
tacho_bench_progress_self_check (const TachoBenchSnapshot *snapshot) G_GNUC_WARN_UNUSED_RESULT;
/* How a run ended. dropped: its server was changed. */
const char *
tacho_bench_progress_end (const TachoBenchResult *result, gboolean dropped, gboolean *well);

G_END_DECLS
