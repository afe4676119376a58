/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs of many machines that shared a load, as one. */
#pragma once

#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

/* results: of TachoBenchResult, at least two. force: also where plans or windows do not fit.
 * TACHO_ERROR_INVALID. */
TachoBenchResult *
tacho_bench_merge (GPtrArray *results, gboolean force, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
