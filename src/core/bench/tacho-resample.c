/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Moving-block bootstrap for intervals (Kuensch 1989) and permutation of blocks for p values.
 * Values are sorted once; a resample is a count for each rank, from which mean and quantiles are
 * read in one pass. Formulas: docs/metrics.md, "Comparison". */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-resample.h"

#include "bench/tacho-distribution.h"
#include "bench/tacho-random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEED 20260101

static const double quantiles[TACHO_N_STATISTICS] = { 0, 0.5, 0.95, 0.99 };

typedef struct
{
  double value;
  gsize at;
} Ranked;

typedef struct
{
  gsize n_a, n_b;
  double *sorted; /* of both */
  guint *rank;    /* of sample i; those of b after those of a */
  guint *counts;  /* by rank */
  TachoRandom random;
} Pool;

static int
compare_ranked (gconstpointer left, gconstpointer right)
{
  double a = ((const Ranked *) left)->value, b = ((const Ranked *) right)->value;

  return (a > b) - (a < b);
}

static void
pool_init (Pool *pool, const double *a, gsize n_a, const double *b, gsize n_b)
{
  gsize n = n_a + n_b;
  g_autofree Ranked *ranked = g_new (Ranked, n);

  for (gsize i = 0; i < n; i++)
    ranked[i] = (Ranked){ i < n_a ? a[i] : b[i - n_a], i };
  qsort (ranked, n, sizeof *ranked, compare_ranked);
  *pool = (Pool){
    n_a, n_b, g_new (double, n), g_new (guint, n), g_new (guint, n), tacho_random_new (SEED, n)
  };
  for (gsize i = 0; i < n; i++)
    {
      pool->sorted[i] = ranked[i].value;
      pool->rank[ranked[i].at] = (guint) i;
    }
}

static void
pool_clear (Pool *pool)
{
  g_free (pool->sorted);
  g_free (pool->rank);
  g_free (pool->counts);
}

/* Mean and quantiles of what the counts hold; nearest rank, as the values are many. */
static void
read_counts (const Pool *pool, gsize n, double statistics[TACHO_N_STATISTICS])
{
  gsize wanted[TACHO_N_STATISTICS];
  double sum = 0;
  gsize seen = 0;
  int next = 1;

  for (int s = 1; s < TACHO_N_STATISTICS; s++)
    wanted[s] = (gsize) ((double) (n - 1) * quantiles[s]) + 1;
  for (gsize i = 0; i < pool->n_a + pool->n_b && seen < n; i++)
    {
      if (pool->counts[i] == 0)
        continue;
      sum += pool->sorted[i] * pool->counts[i];
      seen += pool->counts[i];
      while (next < TACHO_N_STATISTICS && seen >= wanted[next])
        statistics[next++] = pool->sorted[i];
    }
  statistics[TACHO_STATISTIC_MEAN] = sum / (double) n;
}

static gsize
block_length (gsize n)
{
  return CLAMP ((gsize) ceil (1.5 * cbrt ((double) n)), 1, n);
}

static void
clear_counts (Pool *pool)
{
  memset (pool->counts, 0, (pool->n_a + pool->n_b) * sizeof *pool->counts);
}

/* n values in blocks that begin anywhere in the sample. */
static void
bootstrap (Pool *pool, gsize offset, gsize n, double statistics[TACHO_N_STATISTICS])
{
  gsize length = block_length (n);

  clear_counts (pool);
  for (gsize done = 0; done < n;)
    {
      gsize start = tacho_random_next (&pool->random) % (n - length + 1);

      for (gsize i = 0; i < length && done < n; i++, done++)
        pool->counts[pool->rank[offset + start + i]]++;
    }
  read_counts (pool, n, statistics);
}

/* Which blocks of both runs are called a's: shuffled, the first ones are. */
static gsize
permute (Pool *pool, guint *order, gsize n_blocks, gsize length, gsize *n_second, guint *all)
{
  gsize n = pool->n_a + pool->n_b;
  gsize taken = 0;

  for (gsize i = n_blocks; i > 1; i--)
    {
      gsize k = tacho_random_next (&pool->random) % i;
      guint swap = order[i - 1];

      order[i - 1] = order[k];
      order[k] = swap;
    }
  clear_counts (pool);
  for (gsize i = 0; i < n_blocks && taken < pool->n_a; i++)
    {
      gsize start = order[i] * length;

      for (gsize k = start; k < MIN (start + length, n) && taken < pool->n_a; k++, taken++)
        pool->counts[pool->rank[k]]++;
    }
  *n_second = n - taken;
  for (gsize i = 0; i < n; i++)
    all[i] = 1 - pool->counts[i];
  return taken;
}

static int
compare_doubles (gconstpointer left, gconstpointer right)
{
  double a = *(const double *) left, b = *(const double *) right;

  return (a > b) - (a < b);
}

static void
fill_intervals (Pool *pool, guint rounds, TachoDifference *differences)
{
  g_autofree double *values = g_new (double, (gsize) rounds *TACHO_N_STATISTICS);

  for (guint round = 0; round < rounds; round++)
    {
      double a[TACHO_N_STATISTICS], b[TACHO_N_STATISTICS];

      bootstrap (pool, 0, pool->n_a, a);
      bootstrap (pool, pool->n_a, pool->n_b, b);
      for (int s = 0; s < TACHO_N_STATISTICS; s++)
        values[(gsize) s * rounds + round] = b[s] - a[s];
    }
  for (int s = 0; s < TACHO_N_STATISTICS; s++)
    {
      double *row = values + (gsize) s * rounds;

      qsort (row, rounds, sizeof *row, compare_doubles);
      differences[s].low = row[(gsize) ((rounds - 1) * 0.025)];
      differences[s].high = row[(gsize) ceil ((rounds - 1) * 0.975)];
    }
}

static void
fill_p (Pool *pool, guint rounds, TachoDifference *differences)
{
  gsize n = pool->n_a + pool->n_b;
  gsize length = block_length (MIN (pool->n_a, pool->n_b));
  gsize n_blocks = (n + length - 1) / length;
  g_autofree guint *order = g_new (guint, n_blocks);
  g_autofree guint *rest = g_new (guint, n);
  guint beyond[TACHO_N_STATISTICS] = { 0 };

  for (gsize i = 0; i < n_blocks; i++)
    order[i] = (guint) i;
  for (guint round = 0; round < rounds; round++)
    {
      double a[TACHO_N_STATISTICS], b[TACHO_N_STATISTICS];
      gsize n_second;
      gsize n_first = permute (pool, order, n_blocks, length, &n_second, rest);

      read_counts (pool, n_first, a);
      memcpy (pool->counts, rest, n * sizeof *rest);
      read_counts (pool, n_second, b);
      for (int s = 0; s < TACHO_N_STATISTICS; s++)
        beyond[s] += fabs (b[s] - a[s]) >= fabs (differences[s].b - differences[s].a) * (1 - 1e-12);
    }
  /* The samples as they are count as one of the permutations (Phipson and Smyth 2010). */
  for (int s = 0; s < TACHO_N_STATISTICS; s++)
    differences[s].p = (beyond[s] + 1.0) / (rounds + 1.0);
}

/**
 * tacho_resample_differences:
 * @a: (array length=n_a): one run's samples, in the order of time
 * @n_a: at least 2
 * @b: (array length=n_b): the other's
 * @n_b: at least 2
 * @rounds: resamples for each interval and each p value
 * @differences: (out caller-allocates): mean, median, p95 and p99
 *
 * Block length 1.5 n^(1/3). Intervals are those of the percentile bootstrap.
 */
void
tacho_resample_differences (const double *a,
                            gsize n_a,
                            const double *b,
                            gsize n_b,
                            guint rounds,
                            TachoDifference differences[TACHO_N_STATISTICS])
{
  double of_a[TACHO_N_STATISTICS], of_b[TACHO_N_STATISTICS];
  Pool pool;

  g_return_if_fail (n_a >= 2 && n_b >= 2 && rounds >= 100);

  pool_init (&pool, a, n_a, b, n_b);
  clear_counts (&pool);
  for (gsize i = 0; i < n_a; i++)
    pool.counts[pool.rank[i]]++;
  read_counts (&pool, n_a, of_a);
  clear_counts (&pool);
  for (gsize i = n_a; i < n_a + n_b; i++)
    pool.counts[pool.rank[i]]++;
  read_counts (&pool, n_b, of_b);
  for (int s = 0; s < TACHO_N_STATISTICS; s++)
    differences[s] = (TachoDifference){ .a = of_a[s], .b = of_b[s] };
  fill_intervals (&pool, rounds, differences);
  fill_p (&pool, rounds, differences);
  pool_clear (&pool);
}

/* Wilson's interval of a share. */
static void
wilson (double hits, double n, double *low, double *high)
{
  const double z = 1.959964;
  double p = hits / n;
  double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  double half = z / (1 + z * z / n) * sqrt (p * (1 - p) / n + z * z / (4 * n * n));

  *low = MAX (0, middle - half);
  *high = MIN (1, middle + half);
}

static double
log_choose (double n, double k)
{
  return lgamma (n + 1) - lgamma (k + 1) - lgamma (n - k + 1);
}

/* Two-sided: all tables with the same margins that are no more likely than this one. */
static double
fisher (guint64 hits_a, guint64 n_a, guint64 hits_b, guint64 n_b)
{
  guint64 hits = hits_a + hits_b;
  guint64 low = hits > n_b ? hits - n_b : 0;
  guint64 high = MIN (hits, n_a);
  double all = log_choose ((double) (n_a + n_b), (double) hits);
  double own =
      log_choose ((double) n_a, (double) hits_a) + log_choose ((double) n_b, (double) hits_b) - all;
  double sum = 0;

  for (guint64 k = low; k <= high; k++)
    {
      double one = log_choose ((double) n_a, (double) k) +
                   log_choose ((double) n_b, (double) (hits - k)) - all;

      if (one <= own + 1e-9)
        sum += exp (one);
    }
  return MIN (sum, 1);
}

/**
 * tacho_difference_of_shares:
 * @hits_a: of one run
 * @n_a: at least 1
 * @hits_b: of the other
 * @n_b: at least 1
 * @difference: (out caller-allocates): of the shares
 *
 * Newcombe 1998, method 10, for the interval; Fisher's exact test for p.
 */
void
tacho_difference_of_shares (guint64 hits_a,
                            guint64 n_a,
                            guint64 hits_b,
                            guint64 n_b,
                            TachoDifference *difference)
{
  double a, b, low_a, high_a, low_b, high_b;

  g_return_if_fail (n_a > 0 && n_b > 0 && hits_a <= n_a && hits_b <= n_b);

  a = (double) hits_a / (double) n_a;
  b = (double) hits_b / (double) n_b;
  wilson ((double) hits_a, (double) n_a, &low_a, &high_a);
  wilson ((double) hits_b, (double) n_b, &low_b, &high_b);
  *difference = (TachoDifference){
    .a = a,
    .b = b,
    .low = b - a - sqrt ((b - low_b) * (b - low_b) + (high_a - a) * (high_a - a)),
    .high = b - a + sqrt ((high_b - b) * (high_b - b) + (a - low_a) * (a - low_a)),
    .p = fisher (hits_a, n_a, hits_b, n_b),
  };
}

/**
 * tacho_holm:
 * @p: (inout) (array length=n): p values; NaN: not tested
 * @n: how many
 *
 * Holm 1979: the smallest times their number, the next times one fewer, never falling.
 */
void
tacho_holm (double *p, gsize n)
{
  g_autofree gboolean *done = g_new0 (gboolean, MAX (n, 1));
  gsize left = 0;
  double floor_p = 0;

  for (gsize i = 0; i < n; i++)
    left += !isnan (p[i]);
  for (; left > 0; left--)
    {
      gsize least = n;

      for (gsize i = 0; i < n; i++)
        if (!isnan (p[i]) && !done[i] && (least == n || p[i] < p[least]))
          least = i;
      done[least] = TRUE;
      floor_p = MAX (floor_p, MIN (1, p[least] * (double) left));
      p[least] = floor_p;
    }
}
