/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Log-linear histogram of durations, 3 significant digits (relative error <= 0.1 %), that merges
 * without loss. Values are integers >= 0 (nanoseconds). Recording is O(1) and allocates nothing. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _TachoHistogram TachoHistogram;

TachoHistogram *tacho_histogram_new (void) G_GNUC_WARN_UNUSED_RESULT;
void tacho_histogram_free (TachoHistogram *histogram);
void tacho_histogram_record (TachoHistogram *histogram, gint64 value);
void tacho_histogram_merge (TachoHistogram *into, const TachoHistogram *from);
void tacho_histogram_reset (TachoHistogram *histogram);
guint64 tacho_histogram_get_count (const TachoHistogram *histogram);
gint64 tacho_histogram_get_min (const TachoHistogram *histogram);
gint64 tacho_histogram_get_max (const TachoHistogram *histogram);
double tacho_histogram_get_mean (const TachoHistogram *histogram);
double tacho_histogram_get_sd (const TachoHistogram *histogram);
/* The value of the given rank, 1..count (clamped): middle of its bucket. */
gint64 tacho_histogram_value_at_rank (const TachoHistogram *histogram, guint64 rank);
typedef void (*TachoHistogramFunc) (gint64 low, gint64 high, guint64 count, gpointer user_data);
void tacho_histogram_foreach (const TachoHistogram *histogram,
                              TachoHistogramFunc func,
                              gpointer user_data);
typedef struct
{
  gint64 low, high;
  guint64 count;
} TachoHistogramBin;
/* What holds something, of TachoHistogramBin, rising: for another thread. (transfer full) */
GArray *tacho_histogram_dup_bins (const TachoHistogram *histogram) G_GNUC_WARN_UNUSED_RESULT;
/* For files: the exact moments, and a bucket's count (its lowest value names it). */
void tacho_histogram_get_sums (const TachoHistogram *histogram, double *sum, double *sum_squares);
void tacho_histogram_restore (TachoHistogram *histogram,
                              gint64 min,
                              gint64 max,
                              double sum,
                              double sum_squares);
void tacho_histogram_add_bucket (TachoHistogram *histogram, gint64 low, guint64 count);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoHistogram, tacho_histogram_free)

G_END_DECLS
