/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two runs of the same plan: what changed, how sure that is, and whether it is worse. */
#pragma once

#include "bench/tacho-bench-result.h"
#include "bench/tacho-resample.h"

G_BEGIN_DECLS

typedef struct
{
  char *name; /* "p95(ttft_ms)", "output_tokens_per_s", "error_rate" */
  gboolean higher_is_better;
  gboolean tested; /* else there are too few samples, and only a and b are known */
  TachoDifference difference;
  double p_adjusted; /* Holm, over all rows */
  double percent;    /* (b - a) / a * 100; NaN where a is 0 */
  double percent_low, percent_high;
  gboolean significant; /* p_adjusted < 0.05 */
  gboolean worse;       /* b is worse than a, significantly */
} TachoComparisonRow;

typedef struct
{
  GArray *rows;    /* of TachoComparisonRow */
  char **unlike;   /* what differs in the plans; empty: they can be compared */
  char **warnings; /* what else to know */
} TachoComparison;

TachoComparison *tacho_compare (TachoBenchResult *a, TachoBenchResult *b) G_GNUC_WARN_UNUSED_RESULT;
void tacho_comparison_free (TachoComparison *comparison);
/* "12.0 % slower (8.1 to 16.2 %)", "no difference that these samples can show". */
char *tacho_comparison_row_to_words (const TachoComparisonRow *row) G_GNUC_WARN_UNUSED_RESULT;
/* Significant, and worse by more than `percent`. An error rate: by more percentage points. */
gboolean tacho_comparison_row_is_regression (const TachoComparisonRow *row, double percent);
char **tacho_compare_plans (const TachoBenchPlan *a,
                            const TachoBenchPlan *b) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoComparison, tacho_comparison_free)

G_END_DECLS
