/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs side by side: charts laid over each other, and for two of them what changed and how sure
 * that is. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_COMPARE_PAGE (tacho_bench_compare_page_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchComparePage,
                      tacho_bench_compare_page,
                      TACHO,
                      BENCH_COMPARE_PAGE,
                      AdwBin)

/* Of TachoBenchResult, two to six; the first is what the others are compared with. */
void tacho_bench_compare_page_set_results (TachoBenchComparePage *self, GPtrArray *results);

G_END_DECLS
