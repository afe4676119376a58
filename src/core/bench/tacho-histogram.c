/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Log-linear histogram, the idea of HdrHistogram (Gil Tene, public domain): 1024 equal buckets for
 * each power of two, so a bucket is at most 1/1024 of its values wide and its middle is within 0.05
 * %. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-histogram.h"

#include <math.h>
#include <string.h>

#define HALF_BITS 10
#define HALF (1 << HALF_BITS)
#define MAX_BITS 43 /* 2^43 ns: more than two hours */
#define N_BUCKETS ((MAX_BITS - HALF_BITS) * HALF + HALF)

struct _TachoHistogram
{
  guint64 count;
  gint64 min;
  gint64 max;
  double sum;
  double sum_squares;
  guint64 buckets[N_BUCKETS];
};

static guint
index_of (gint64 value)
{
  guint shift;

  if (value < 2 * HALF)
    return (guint) value;
  shift = (guint) (63 - __builtin_clzll ((unsigned long long) value)) - HALF_BITS;
  return shift * HALF + (guint) (value >> shift);
}

static void
bounds_of (guint index, gint64 *low, gint64 *high)
{
  guint shift = index < 2 * HALF ? 0 : index / HALF - 1;

  *low = (gint64) (index - shift * HALF) << shift;
  *high = *low + ((gint64) 1 << shift) - 1;
}

/**
 * tacho_histogram_new:
 *
 * Returns: (transfer full): an empty histogram
 */
TachoHistogram *
tacho_histogram_new (void)
{
  TachoHistogram *histogram = g_new0 (TachoHistogram, 1);

  histogram->min = G_MAXINT64;
  return histogram;
}

/**
 * tacho_histogram_free:
 * @histogram: (nullable): a histogram
 *
 * Frees it.
 */
void
tacho_histogram_free (TachoHistogram *histogram)
{
  g_free (histogram);
}

/**
 * tacho_histogram_reset:
 * @histogram: a histogram
 *
 * Empties it.
 */
void
tacho_histogram_reset (TachoHistogram *histogram)
{
  memset (histogram, 0, sizeof *histogram);
  histogram->min = G_MAXINT64;
}

/**
 * tacho_histogram_record:
 * @histogram: a histogram
 * @value: at least 0; above 2^43 it counts as 2^43
 *
 * Adds a value.
 */
void
tacho_histogram_record (TachoHistogram *histogram, gint64 value)
{
  value = CLAMP (value, 0, ((gint64) 1 << MAX_BITS) - 1);
  histogram->buckets[index_of (value)]++;
  histogram->count++;
  histogram->min = MIN (histogram->min, value);
  histogram->max = MAX (histogram->max, value);
  histogram->sum += (double) value;
  histogram->sum_squares += (double) value * (double) value;
}

/**
 * tacho_histogram_merge:
 * @into: a histogram
 * @from: another
 *
 * Adds all of @from, without loss: every histogram has the same buckets.
 */
void
tacho_histogram_merge (TachoHistogram *into, const TachoHistogram *from)
{
  for (guint i = 0; i < N_BUCKETS; i++)
    into->buckets[i] += from->buckets[i];
  into->count += from->count;
  into->min = MIN (into->min, from->min);
  into->max = MAX (into->max, from->max);
  into->sum += from->sum;
  into->sum_squares += from->sum_squares;
}

/**
 * tacho_histogram_get_count:
 * @histogram: a histogram
 *
 * Returns: how many values it holds
 */
guint64
tacho_histogram_get_count (const TachoHistogram *histogram)
{
  return histogram->count;
}

/**
 * tacho_histogram_get_min:
 * @histogram: a histogram
 *
 * Returns: the smallest value, exact; 0 if empty
 */
gint64
tacho_histogram_get_min (const TachoHistogram *histogram)
{
  return histogram->count > 0 ? histogram->min : 0;
}

/**
 * tacho_histogram_get_max:
 * @histogram: a histogram
 *
 * Returns: the largest value, exact; 0 if empty
 */
gint64
tacho_histogram_get_max (const TachoHistogram *histogram)
{
  return histogram->max;
}

/**
 * tacho_histogram_get_mean:
 * @histogram: a histogram
 *
 * Returns: the mean, exact; NaN if empty
 */
double
tacho_histogram_get_mean (const TachoHistogram *histogram)
{
  return histogram->count > 0 ? histogram->sum / (double) histogram->count : NAN;
}

/**
 * tacho_histogram_get_sd:
 * @histogram: a histogram
 *
 * Returns: the standard deviation of the sample (n - 1); NaN for fewer than two values
 */
double
tacho_histogram_get_sd (const TachoHistogram *histogram)
{
  double n = (double) histogram->count;

  if (histogram->count < 2)
    return NAN;
  return sqrt (MAX (0, (histogram->sum_squares - histogram->sum * histogram->sum / n) / (n - 1)));
}

/**
 * tacho_histogram_value_at_rank:
 * @histogram: a histogram that is not empty
 * @rank: 1 for the smallest value; clamped to what there is
 *
 * Returns: the middle of the bucket that holds the value of that rank, never outside min and max
 */
gint64
tacho_histogram_value_at_rank (const TachoHistogram *histogram, guint64 rank)
{
  guint64 seen = 0;

  rank = CLAMP (rank, 1, MAX (histogram->count, 1));
  if (rank == 1)
    return tacho_histogram_get_min (histogram);
  for (guint i = 0; i < N_BUCKETS; i++)
    {
      seen += histogram->buckets[i];
      if (seen >= rank)
        {
          gint64 low, high;

          bounds_of (i, &low, &high);
          return CLAMP (low + (high - low) / 2, histogram->min, histogram->max);
        }
    }
  return histogram->max;
}

/**
 * tacho_histogram_foreach:
 * @histogram: a histogram
 * @func: called for each bucket that holds something, from the smallest values up
 * @user_data: for @func
 *
 * Walks the buckets.
 */
void
tacho_histogram_foreach (const TachoHistogram *histogram,
                         TachoHistogramFunc func,
                         gpointer user_data)
{
  for (guint i = 0; i < N_BUCKETS; i++)
    if (histogram->buckets[i] > 0)
      {
        gint64 low, high;

        bounds_of (i, &low, &high);
        func (low, high, histogram->buckets[i], user_data);
      }
}

static void
append_bin (gint64 low, gint64 high, guint64 count, gpointer user_data)
{
  const TachoHistogramBin bin = { low, high, count };

  g_array_append_val ((GArray *) user_data, bin);
}

/**
 * tacho_histogram_dup_bins:
 * @histogram: a histogram
 *
 * Returns: (transfer full) (element-type TachoHistogramBin): the buckets that hold something, from
 *   the smallest values up
 */
GArray *
tacho_histogram_dup_bins (const TachoHistogram *histogram)
{
  GArray *bins = g_array_new (FALSE, FALSE, sizeof (TachoHistogramBin));

  tacho_histogram_foreach (histogram, append_bin, bins);
  return bins;
}

/**
 * tacho_histogram_get_sums:
 * @histogram: a histogram
 * @sum: (out): of all values
 * @sum_squares: (out): of their squares
 *
 * The moments, which the buckets alone would give only nearly.
 */
void
tacho_histogram_get_sums (const TachoHistogram *histogram, double *sum, double *sum_squares)
{
  *sum = histogram->sum;
  *sum_squares = histogram->sum_squares;
}

/**
 * tacho_histogram_add_bucket:
 * @histogram: a histogram
 * @low: any value of the bucket
 * @count: how many values it holds
 *
 * Adds to a bucket, for a histogram that is read back; tacho_histogram_restore() sets the rest.
 */
void
tacho_histogram_add_bucket (TachoHistogram *histogram, gint64 low, guint64 count)
{
  low = CLAMP (low, 0, ((gint64) 1 << MAX_BITS) - 1);
  histogram->buckets[index_of (low)] += count;
  histogram->count += count;
}

/**
 * tacho_histogram_restore:
 * @histogram: a histogram whose buckets were added
 * @min: the smallest value
 * @max: the largest
 * @sum: of all values
 * @sum_squares: of their squares
 *
 * Sets what the buckets do not hold.
 */
void
tacho_histogram_restore (
    TachoHistogram *histogram, gint64 min, gint64 max, double sum, double sum_squares)
{
  histogram->min = histogram->count > 0 ? min : G_MAXINT64;
  histogram->max = histogram->count > 0 ? max : 0;
  histogram->sum = sum;
  histogram->sum_squares = sum_squares;
}
