/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rows of a comparison as a table: both values, difference, interval, significance, effect. */
#pragma once

#include <adwaita.h>
#include "bench/tacho-compare.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_COMPARE_TABLE (tacho_bench_compare_table_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchCompareTable,
                      tacho_bench_compare_table,
                      TACHO,
                      BENCH_COMPARE_TABLE,
                      AdwBin)

void tacho_bench_compare_table_set_comparison (TachoBenchCompareTable *self,
                                               const TachoComparison *comparison); /* NULL: none */

G_END_DECLS
