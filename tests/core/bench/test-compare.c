/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comparison and merging: that chance is called chance, that a shift is found, that nothing is
 * lost. */
#include <math.h>
#include <string.h>

#include "base/tacho-error.h"
#include "bench/tacho-bench-merge.h"
#include "bench/tacho-compare.h"
#include "bench/tacho-random.h"
#include "test-utils.h"

/* Latencies as servers have them: log-normal, and each like the one before (AR(1), 0.3). */
static void
fill (double *values, gsize n, guint64 seed, double scale)
{
  TachoRandom random = tacho_random_new (seed, 77);
  double state = tacho_random_normal (&random);

  for (gsize i = 0; i < n; i++)
    {
      state = 0.3 * state + sqrt (1 - 0.09) * tacho_random_normal (&random);
      values[i] = scale * exp (0.4 * state);
    }
}

#define PAIRS 200
#define N 300

static void
count_found (double scale, guint found[TACHO_N_STATISTICS], guint covered[TACHO_N_STATISTICS])
{
  g_autofree double *a = g_new (double, N);
  g_autofree double *b = g_new (double, N);

  for (guint pair = 0; pair < PAIRS; pair++)
    {
      TachoDifference differences[TACHO_N_STATISTICS];

      fill (a, N, 2 * pair, 100);
      fill (b, N, 2 * pair + 1, 100 * scale);
      tacho_resample_differences (a, N, b, N, 199, differences);
      for (int s = 0; s < TACHO_N_STATISTICS; s++)
        {
          found[s] += differences[s].p < 0.05;
          covered[s] += differences[s].low <= 0 && differences[s].high >= 0;
        }
    }
}

static void
test_no_difference (void)
{
  guint found[TACHO_N_STATISTICS] = { 0 }, covered[TACHO_N_STATISTICS] = { 0 };

  count_found (1, found, covered);
  /* 5 % of 200 are 10; the 99.9 % bound of chance is 20. */
  for (int s = 0; s < TACHO_N_STATISTICS; s++)
    {
      g_test_message ("statistic %d: %u of %d found, %u covered", s, found[s], PAIRS, covered[s]);
      g_assert_cmpuint (found[s], <=, 20);
    }
  g_assert_cmpuint (covered[TACHO_STATISTIC_MEAN], >=, PAIRS * 88 / 100);
  g_assert_cmpuint (covered[TACHO_STATISTIC_P50], >=, PAIRS * 88 / 100);
}

static void
test_difference (void)
{
  guint found[TACHO_N_STATISTICS] = { 0 }, covered[TACHO_N_STATISTICS] = { 0 };

  count_found (1.2, found, covered);
  g_assert_cmpuint (found[TACHO_STATISTIC_MEAN], >=, PAIRS * 80 / 100);
  g_assert_cmpuint (found[TACHO_STATISTIC_P50], >=, PAIRS * 80 / 100);
  g_assert_cmpuint (found[TACHO_STATISTIC_P95], >=, PAIRS * 40 / 100);
}

/* scipy.stats.fisher_exact ([[3, 97], [12, 88]]) and ([[0, 50], [0, 50]]); Newcombe's own example,
 * 56 of 70 and 48 of 80: 0.0524 to 0.3339. */
static void
test_shares (void)
{
  TachoDifference d;
  double p[] = { 0.01, 0.04, NAN, 0.03 };

  tacho_difference_of_shares (3, 100, 12, 100, &d);
  g_assert_cmpfloat_with_epsilon (d.p, 0.0278, 0.002);
  tacho_difference_of_shares (0, 50, 0, 50, &d);
  g_assert_cmpfloat_with_epsilon (d.p, 1, 1e-9);
  tacho_difference_of_shares (48, 80, 56, 70, &d);
  g_assert_cmpfloat_with_epsilon (d.low, 0.0524, 0.0005);
  g_assert_cmpfloat_with_epsilon (d.high, 0.3339, 0.0005);
  tacho_holm (p, G_N_ELEMENTS (p));
  g_assert_cmpfloat_with_epsilon (p[0], 0.03, 1e-12);
  g_assert_cmpfloat_with_epsilon (p[3], 0.06, 1e-12);
  g_assert_cmpfloat_with_epsilon (p[1], 0.06, 1e-12);
  g_assert_true (isnan (p[2]));
}

static TachoBenchResult *
new_run (guint n, guint64 seed, double scale)
{
  g_autoptr (TachoBenchPlan) plan = tacho_bench_plan_new ();
  g_autofree double *ttft = g_new (double, n);
  TachoBenchResult *result;

  plan->model = g_strdup ("m");
  plan->slo = g_strdup ("ttft<150ms");
  result = tacho_bench_result_new (plan);
  result->window_s = 10;
  result->window_start_ns = 1000;
  result->window_start_unix_us = 1700000000000000;
  fill (ttft, n, seed, 100 * scale);
  for (guint i = 0; i < n; i++)
    {
      TachoBenchRecord *record = g_new0 (TachoBenchRecord, 1);

      record->id = i;
      record->scheduled_ns = record->start_ns = 1000 + (gint64) i * 9000000000 / n;
      record->first_ns = record->start_ns + (gint64) (ttft[i] * 1e6);
      record->last_ns = record->first_ns + 100000000;
      record->end_ns = record->last_ns;
      record->chunks = record->chunks_in_window = 4;
      record->prompt_tokens = 11;
      record->output_tokens = 8;
      record->tokens_from_usage = TRUE;
      record->status = i % 50 == 49 ? TACHO_RECORD_ERROR : TACHO_RECORD_OK;
      record->error = i % 50 == 49 ? TACHO_ERROR_HTTP_5XX : (TachoErrorCode) 0;
      for (guint k = 0; k < 3; k++)
        tacho_histogram_record (result->chunk_gaps, 33000000 + (gint64) (i * 1000 + k));
      g_ptr_array_add (result->records, record);
    }
  tacho_bench_result_summarise (result);
  return result;
}

static const TachoComparisonRow *
find (const TachoComparison *comparison, const char *name)
{
  for (guint i = 0; i < comparison->rows->len; i++)
    {
      const TachoComparisonRow *row = &g_array_index (comparison->rows, TachoComparisonRow, i);

      if (g_str_equal (row->name, name))
        return row;
    }
  g_assert_not_reached ();
}

static void
test_runs (void)
{
  g_autoptr (TachoBenchResult) a = new_run (800, 1, 1);
  g_autoptr (TachoBenchResult) same = new_run (800, 2, 1);
  g_autoptr (TachoBenchResult) slow = new_run (800, 3, 1.3);
  g_autoptr (TachoComparison) none = tacho_compare (a, same);
  g_autoptr (TachoComparison) worse = tacho_compare (a, slow);
  g_autoptr (TachoComparison) better = tacho_compare (slow, a);
  const TachoComparisonRow *row = find (worse, "p50(ttft_ms)");
  g_autofree char *words = tacho_comparison_row_to_words (row);
  g_autofree char *other = tacho_comparison_row_to_words (find (better, "p50(ttft_ms)"));

  for (guint i = 0; i < none->rows->len; i++)
    g_assert_false (g_array_index (none->rows, TachoComparisonRow, i).significant);
  g_assert_true (row->worse && row->significant);
  g_assert_cmpfloat_with_epsilon (row->percent, 30, 8);
  g_assert_cmpfloat (row->percent_low, >, 0);
  g_assert_true (tacho_comparison_row_is_regression (row, 10));
  g_assert_false (tacho_comparison_row_is_regression (row, 90));
  g_assert_nonnull (strstr (words, "slower"));
  g_assert_nonnull (strstr (other, "faster"));
  g_assert_false (find (better, "p50(ttft_ms)")->worse);
  g_assert_false (find (worse, "p99(ttft_ms)")->difference.p <= 0);
  g_assert_null (worse->unlike[0]);
  slow->plan->concurrency = 9;
  {
    g_autoptr (TachoComparison) unlike = tacho_compare (a, slow);

    g_assert_nonnull (strstr (unlike->unlike[0], "load"));
  }
}

/* A run cut into parts by chance, and put together again, is the run. */
static void
test_merge (void)
{
  g_autoptr (TachoBenchResult) whole = new_run (600, 5, 1);

  for (guint parts = 2; parts <= 5; parts++)
    {
      g_autoptr (GPtrArray) list =
          g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_bench_result_unref);
      g_autoptr (TachoBenchResult) merged = NULL;
      g_autoptr (GError) error = NULL;
      TachoRandom random = tacho_random_new (parts, 0);

      for (guint p = 0; p < parts; p++)
        {
          TachoBenchResult *part = tacho_bench_result_new (whole->plan);

          part->window_s = whole->window_s;
          /* Another machine: another monotonic clock. */
          part->window_start_ns = 1000 + p * 777;
          part->window_start_unix_us = whole->window_start_unix_us;
          g_ptr_array_add (list, part);
        }
      for (guint i = 0; i < whole->records->len; i++)
        {
          guint64 p = tacho_random_next (&random) % parts;
          TachoBenchResult *part = g_ptr_array_index (list, p);
          TachoBenchRecord *copy =
              g_memdup2 (g_ptr_array_index (whole->records, i), sizeof (TachoBenchRecord));
          gint64 by = (gint64) p * 777;

          copy->scheduled_ns += by;
          copy->start_ns += by;
          copy->first_ns += by;
          copy->last_ns += by;
          copy->end_ns += by;
          g_ptr_array_add (part->records, copy);
          for (guint k = 0; k < 3; k++)
            tacho_histogram_record (part->chunk_gaps, 33000000 + (gint64) (i * 1000 + k));
        }
      merged = tacho_bench_merge (list, TRUE, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (merged->ok, ==, whole->ok);
      g_assert_cmpuint (merged->error, ==, whole->error);
      g_assert_cmpfloat_with_epsilon (merged->output_tokens_per_s, whole->output_tokens_per_s,
                                      1e-9);
      g_assert_cmpfloat_with_epsilon (merged->goodput_per_s, whole->goodput_per_s, 1e-9);
      for (guint m = 0; m < TACHO_N_METRICS; m++)
        {
          g_assert_cmpuint (merged->latency[m].n, ==, whole->latency[m].n);
          g_assert_cmpfloat_with_epsilon (merged->latency[m].mean, whole->latency[m].mean, 1e-9);
          for (int q = 0; q < TACHO_N_PERCENTILES; q++)
            g_assert_cmpfloat (merged->latency[m].percentiles[q].value, ==,
                               whole->latency[m].percentiles[q].value);
        }
      g_assert_cmpuint (g_strv_length (merged->merged_from), ==, parts);
    }
}

static void
test_merge_refuses (void)
{
  g_autoptr (GPtrArray) list =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_bench_result_unref);
  g_autoptr (GError) error = NULL;
  TachoBenchResult *one = new_run (50, 1, 1), *two = new_run (50, 2, 1);

  g_ptr_array_add (list, one);
  g_assert_null (tacho_bench_merge (list, FALSE, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_clear_error (&error);
  g_ptr_array_add (list, tacho_bench_result_ref (one));
  g_assert_null (tacho_bench_merge (list, TRUE, &error));
  g_assert_nonnull (strstr (error->message, "twice"));
  g_clear_error (&error);
  g_ptr_array_remove_index (list, 1);
  g_ptr_array_add (list, two);
  two->window_start_unix_us += 60 * G_USEC_PER_SEC;
  g_assert_null (tacho_bench_merge (list, FALSE, &error));
  g_assert_nonnull (strstr (error->message, "same time"));
  g_clear_error (&error);
  two->window_start_unix_us -= 58 * G_USEC_PER_SEC;
  two->plan->turns = 4;
  g_assert_null (tacho_bench_merge (list, FALSE, &error));
  g_assert_nonnull (strstr (error->message, "turns"));
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/bench/compare/no-difference", test_no_difference);
  g_test_add_func ("/bench/compare/difference", test_difference);
  g_test_add_func ("/bench/compare/shares", test_shares);
  g_test_add_func ("/bench/compare/runs", test_runs);
  g_test_add_func ("/bench/merge/whole", test_merge);
  g_test_add_func ("/bench/merge/refuses", test_merge_refuses);
  return g_test_run ();
}
