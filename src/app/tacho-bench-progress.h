/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run is doing, and for how long yet, in words. */
#pragma once

#include "app/tacho-bench-session.h"

G_BEGIN_DECLS

char *tacho_bench_progress_words (TachoBenchSession *session,
                                  const TachoBenchSnapshot *snapshot) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
