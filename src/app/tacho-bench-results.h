/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a finished run says: table of percentiles, errors, self-check; save and copy. */
#pragma once

#include <adwaita.h>
#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_RESULTS (tacho_bench_results_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchResults, tacho_bench_results, TACHO, BENCH_RESULTS, AdwBin)

void tacho_bench_results_set_result (TachoBenchResults *self,
                                     TachoBenchResult *result); /* nullable */

G_END_DECLS
