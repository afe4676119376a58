/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Percentiles that say how sure they are. Formulas and sources: docs/metrics.md. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-distribution.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIGIT_BITS 11
#define DIGIT_MASK ((1u << DIGIT_BITS) - 1)
#define N_DIGITS 6           /* of 64 bits */
#define MIN_FOR_DIGITS 1024u /* below, counting costs more than comparing */

const double tacho_percentile_quantiles[TACHO_N_PERCENTILES] = {
  0.5, 0.75, 0.9, 0.95, 0.99, 0.999
};
const char *const tacho_percentile_names[TACHO_N_PERCENTILES] = { "p50", "p75", "p90",
                                                                  "p95", "p99", "p99.9" };

typedef double (*RankFunc) (gconstpointer values, guint64 rank);

/* The least k with P(B <= k) >= level, B binomial (n, p). The sum begins where less than 1e-11 lies
 * below, and each term follows from the one before. */
static guint64
binomial_quantile (guint64 n, double p, double level)
{
  double mean = (double) n * p;
  double reach = 7 * sqrt (mean * (1 - p)) + 7;
  guint64 k = mean > reach ? (guint64) (mean - reach) : 0;
  double ratio = p / (1 - p);
  double term =
      exp (lgamma ((double) n + 1) - lgamma ((double) k + 1) - lgamma ((double) (n - k) + 1) +
           (double) k * log (p) + (double) (n - k) * log1p (-p));
  double sum = term;

  while (sum < level && k < n)
    {
      term *= (double) (n - k) / (double) (k + 1) * ratio;
      k++;
      sum += term;
    }
  return k;
}

/* Interpolated between order statistics (Hyndman and Fan's type 7, as numpy has it); the interval
 * is that of order statistics: ranks l and u with P(l <= B < u) >= 0.95. */
static void
fill_percentile (TachoPercentile *percentile,
                 double quantile,
                 gconstpointer values,
                 guint64 n,
                 RankFunc at_rank)
{
  double h = (double) (n - 1) * quantile;
  guint64 below = (guint64) h;
  double low = at_rank (values, below + 1);
  double high = below + 2 <= n ? at_rank (values, below + 2) : low;
  guint64 first = binomial_quantile (n, quantile, 0.025);
  guint64 last = binomial_quantile (n, quantile, 0.975) + 1;

  percentile->value = low + (h - (double) below) * (high - low);
  percentile->low = first >= 1 ? at_rank (values, first) : NAN;
  percentile->high = last <= n ? at_rank (values, last) : NAN;
  percentile->enough = n >= tacho_percentile_min_samples (quantile);
}

static void
fill (TachoDistribution *distribution, gconstpointer values, guint64 n, RankFunc at_rank)
{
  distribution->n = n;
  for (int i = 0; i < TACHO_N_PERCENTILES; i++)
    {
      TachoPercentile *percentile = &distribution->percentiles[i];

      if (n > 0)
        fill_percentile (percentile, tacho_percentile_quantiles[i], values, n, at_rank);
      else
        *percentile = (TachoPercentile){ NAN, NAN, NAN, FALSE };
    }
}

static double
sample_at_rank (gconstpointer values, guint64 rank)
{
  return ((const double *) values)[rank - 1];
}

static double
histogram_at_rank (gconstpointer values, guint64 rank)
{
  return (double) tacho_histogram_value_at_rank (values, rank);
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double left = *(const double *) a;
  double right = *(const double *) b;

  return (left > right) - (left < right);
}

/* A key whose order as an integer is the number's order. */
static guint64
key_of (double value)
{
  guint64 bits;

  memcpy (&bits, &value, sizeof bits);
  return bits ^ (bits >> 63 != 0 ? G_MAXUINT64 : G_GUINT64_CONSTANT (1) << 63);
}

/* One pass: stable, by one digit. FALSE: all have the same, nothing was moved. */
static gboolean
sort_by_digit (const double *from, double *to, gsize n, guint shift, guint32 *starts)
{
  guint32 sum = 0;

  if (starts[(key_of (from[0]) >> shift) & DIGIT_MASK] == n)
    return FALSE;
  for (guint i = 0; i <= DIGIT_MASK; i++)
    {
      guint32 count = starts[i];

      starts[i] = sum;
      sum += count;
    }
  for (gsize i = 0; i < n; i++)
    to[starts[(key_of (from[i]) >> shift) & DIGIT_MASK]++] = from[i];
  return TRUE;
}

/* Least significant digit first. Comparing, a run of a million requests would sort for seconds at
 * its end, and a thousand streams would stop the load engine for milliseconds at each snapshot. */
static void
sort_by_digits (double *values, gsize n)
{
  g_autofree guint32 *counts = g_new0 (guint32, N_DIGITS * (DIGIT_MASK + 1));
  g_autofree double *spare = g_new (double, n);
  double *from = values, *to = spare;

  for (gsize i = 0; i < n; i++)
    {
      guint64 key = key_of (values[i]);

      for (guint digit = 0; digit < N_DIGITS; digit++)
        counts[digit * (DIGIT_MASK + 1) + ((key >> (digit * DIGIT_BITS)) & DIGIT_MASK)]++;
    }
  for (guint digit = 0; digit < N_DIGITS; digit++)
    if (sort_by_digit (from, to, n, digit * DIGIT_BITS, &counts[digit * (DIGIT_MASK + 1)]))
      {
        double *swap = from;

        from = to;
        to = swap;
      }
  if (from != values)
    memcpy (values, from, n * sizeof *values);
}

/**
 * tacho_sort_doubles:
 * @values: (array length=n): finite numbers
 * @n: how many
 *
 * Sorts in place, the smallest first, in a time that grows with @n and no faster.
 */
void
tacho_sort_doubles (double *values, gsize n)
{
  if (n < 2)
    return;
  if (n < MIN_FOR_DIGITS || n > G_MAXUINT32)
    qsort (values, n, sizeof *values, compare_doubles);
  else
    sort_by_digits (values, n);
}

/**
 * tacho_distribution_from_samples:
 * @distribution: (out caller-allocates): the result, in the unit of @values
 * @values: (array length=n): finite numbers; sorted in place
 * @n: how many
 *
 * Describes a sample exactly.
 */
void
tacho_distribution_from_samples (TachoDistribution *distribution, double *values, gsize n)
{
  double mean = 0;
  double squares = 0;

  tacho_sort_doubles (values, n);
  for (gsize i = 0; i < n; i++)
    {
      double delta = values[i] - mean; /* Welford's recurrence: no cancellation */

      mean += delta / (double) (i + 1);
      squares += delta * (values[i] - mean);
    }
  fill (distribution, values, n, sample_at_rank);
  distribution->mean = n > 0 ? mean : NAN;
  distribution->sd = n > 1 ? sqrt (squares / (double) (n - 1)) : NAN;
  distribution->min = n > 0 ? values[0] : NAN;
  distribution->max = n > 0 ? values[n - 1] : NAN;
}

/**
 * tacho_distribution_from_histogram:
 * @distribution: (out caller-allocates): the result
 * @histogram: values
 * @scale: what one unit of the histogram is in the unit of the result
 *
 * Describes a histogram: percentiles to 0.1 %, the rest exactly.
 */
void
tacho_distribution_from_histogram (TachoDistribution *distribution,
                                   const TachoHistogram *histogram,
                                   double scale)
{
  guint64 n = tacho_histogram_get_count (histogram);

  fill (distribution, histogram, n, histogram_at_rank);
  for (int i = 0; i < TACHO_N_PERCENTILES; i++)
    {
      distribution->percentiles[i].value *= scale;
      distribution->percentiles[i].low *= scale;
      distribution->percentiles[i].high *= scale;
    }
  distribution->mean = tacho_histogram_get_mean (histogram) * scale;
  distribution->sd = tacho_histogram_get_sd (histogram) * scale;
  distribution->min = n > 0 ? (double) tacho_histogram_get_min (histogram) * scale : NAN;
  distribution->max = n > 0 ? (double) tacho_histogram_get_max (histogram) * scale : NAN;
}

/**
 * tacho_percentile_min_samples:
 * @quantile: between 0 and 1
 *
 * The fewest samples for which an estimate of the percentile can be given with 99 % confidence by
 * the early-stopping bound of MLPerf (inference_rules.adoc, "Early Stopping"): the least n with
 * P(Binomial(n, 1 - quantile) <= 1) <= 0.01. That is 11 for p50, 662 for p99, 6636 for p99.9.
 *
 * Returns: how many
 */
guint64
tacho_percentile_min_samples (double quantile)
{
  double miss = 1 - quantile;
  guint64 n = 1;

  g_return_val_if_fail (quantile > 0 && quantile < 1, G_MAXUINT64);

  while (exp ((double) n * log (quantile)) +
             (double) n * miss * exp ((double) (n - 1) * log (quantile)) >
         0.01)
    n++;
  return n;
}
