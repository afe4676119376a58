/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What held a run back, with evidence and advice. */
#pragma once

#include <adwaita.h>
#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_FINDINGS (tacho_bench_findings_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchFindings, tacho_bench_findings, TACHO, BENCH_FINDINGS, AdwBin)

void tacho_bench_findings_set_result (TachoBenchFindings *self,
                                      TachoBenchResult *result); /* nullable */

G_END_DECLS
