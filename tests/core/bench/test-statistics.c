/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Histogram, distribution, objectives, plan, prompts and the metrics of a record. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/tacho-error.h"
#include "base/tacho-json.h"
#include "bench/tacho-bench-plan.h"
#include "bench/tacho-bench-record.h"
#include "bench/tacho-distribution.h"
#include "bench/tacho-random.h"
#include "bench/tacho-prompts.h"
#include "bench/tacho-slo.h"
#include "test-utils.h"

#define N_VALUES 100000

static int
compare_ints (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *) a, right = *(const gint64 *) b;

  return (left > right) - (left < right);
}

/* Log-uniform from 1 us to 1 h: every doubling is hit. */
static gint64 *
draw_values (GRand *rand, gsize n)
{
  gint64 *values = g_new (gint64, n);

  for (gsize i = 0; i < n; i++)
    values[i] = (gint64) exp (g_rand_double_range (rand, log (1e3), log (3.6e12)));
  return values;
}

static void
test_histogram_quantiles (void)
{
  static const double quantiles[] = { 0.01, 0.3, 0.5, 0.75, 0.9, 0.99, 0.9999, 1 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  g_autofree gint64 *values = draw_values (rand, N_VALUES);
  g_autoptr (TachoHistogram) histogram = tacho_histogram_new ();
  double sum = 0;

  for (gsize i = 0; i < N_VALUES; i++)
    {
      tacho_histogram_record (histogram, values[i]);
      sum += (double) values[i];
    }
  qsort (values, N_VALUES, sizeof values[0], compare_ints);
  for (gsize i = 0; i < G_N_ELEMENTS (quantiles); i++)
    {
      guint64 rank = (guint64) ceil (quantiles[i] * N_VALUES);
      double exact = (double) values[rank - 1];
      double seen = (double) tacho_histogram_value_at_rank (histogram, rank);

      g_assert_cmpfloat (fabs (seen - exact), <=, exact * 0.001);
    }
  g_assert_cmpuint (tacho_histogram_get_count (histogram), ==, N_VALUES);
  g_assert_cmpint (tacho_histogram_get_min (histogram), ==, values[0]);
  g_assert_cmpint (tacho_histogram_get_max (histogram), ==, values[N_VALUES - 1]);
  g_assert_cmpfloat (fabs (tacho_histogram_get_mean (histogram) * N_VALUES / sum - 1), <, 1e-9);
}

typedef struct
{
  guint64 count;
  gint64 last_high;
} Walk;

static void
walk_cb (gint64 low, gint64 high, guint64 count, gpointer user_data)
{
  Walk *walk = user_data;

  g_assert_cmpint (low, >, walk->last_high);
  g_assert_cmpint (high, >=, low);
  g_assert_cmpfloat ((double) (high - low), <=, (double) low * 0.001);
  walk->last_high = high;
  walk->count += count;
}

static void
test_histogram_merge (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (8);
  g_autofree gint64 *values = draw_values (rand, N_VALUES);
  g_autoptr (TachoHistogram) whole = tacho_histogram_new ();
  g_autoptr (TachoHistogram) left = tacho_histogram_new ();
  g_autoptr (TachoHistogram) right = tacho_histogram_new ();
  Walk walk = { 0, -1 };

  for (gsize i = 0; i < N_VALUES; i++)
    {
      tacho_histogram_record (whole, values[i]);
      tacho_histogram_record (i % 3 == 0 ? left : right, values[i]);
    }
  tacho_histogram_merge (left, right);
  for (guint64 rank = 1; rank <= N_VALUES; rank += 997)
    g_assert_cmpint (tacho_histogram_value_at_rank (left, rank), ==,
                     tacho_histogram_value_at_rank (whole, rank));
  g_assert_cmpint (tacho_histogram_get_min (left), ==, tacho_histogram_get_min (whole));
  g_assert_cmpint (tacho_histogram_get_max (left), ==, tacho_histogram_get_max (whole));
  g_assert_cmpfloat (fabs (tacho_histogram_get_mean (left) / tacho_histogram_get_mean (whole) - 1),
                     <, 1e-9);
  tacho_histogram_foreach (left, walk_cb, &walk);
  g_assert_cmpuint (walk.count, ==, N_VALUES);

  tacho_histogram_reset (left);
  g_assert_cmpuint (tacho_histogram_get_count (left), ==, 0);
  tacho_histogram_merge (left, right);
  g_assert_cmpuint (tacho_histogram_get_count (left), ==, tacho_histogram_get_count (right));
}

static void
test_histogram_edges (void)
{
  g_autoptr (TachoHistogram) histogram = tacho_histogram_new ();

  g_assert_true (isnan (tacho_histogram_get_mean (histogram)));
  for (gint64 value = 0; value < 1024; value++)
    tacho_histogram_record (histogram, value);
  for (gint64 value = 0; value < 1024; value++)
    g_assert_cmpint (tacho_histogram_value_at_rank (histogram, (guint64) value + 1), ==, value);
  tacho_histogram_record (histogram, -5);
  g_assert_cmpint (tacho_histogram_get_min (histogram), ==, 0);
  tacho_histogram_record (histogram, G_MAXINT64);
  g_assert_cmpint (tacho_histogram_get_max (histogram), >=, 3600 * G_GINT64_CONSTANT (1000000000));
  g_assert_cmpfloat (fabs ((double) tacho_histogram_value_at_rank (histogram, G_MAXUINT64) /
                               (double) tacho_histogram_get_max (histogram) -
                           1),
                     <=, 0.001);
}

/* By hand: 1..10. Type 7 at (n - 1) q; ranks of the median's interval at n = 10 are 2 and 9 (the
 * sign test's table: P(B <= 1) = 11/1024, P(B <= 2) = 56/1024). */
static void
test_distribution_by_hand (void)
{
  double values[] = { 3, 1, 2, 10, 9, 8, 7, 6, 5, 4 };
  TachoDistribution d;

  tacho_distribution_from_samples (&d, values, G_N_ELEMENTS (values));
  g_assert_cmpuint (d.n, ==, 10);
  g_assert_cmpfloat_with_epsilon (d.mean, 5.5, 1e-12);
  g_assert_cmpfloat_with_epsilon (d.sd, 3.0276503540974917, 1e-12);
  g_assert_cmpfloat (d.min, ==, 1);
  g_assert_cmpfloat (d.max, ==, 10);
  g_assert_cmpfloat_with_epsilon (d.percentiles[TACHO_P50].value, 5.5, 1e-12);
  g_assert_cmpfloat_with_epsilon (d.percentiles[TACHO_P75].value, 7.75, 1e-12);
  g_assert_cmpfloat_with_epsilon (d.percentiles[TACHO_P90].value, 9.1, 1e-12);
  g_assert_cmpfloat_with_epsilon (d.percentiles[TACHO_P99].value, 9.91, 1e-12);
  g_assert_cmpfloat (d.percentiles[TACHO_P50].low, ==, 2);
  g_assert_cmpfloat (d.percentiles[TACHO_P50].high, ==, 9);
  g_assert_true (isnan (d.percentiles[TACHO_P99].high));
  g_assert_false (d.percentiles[TACHO_P50].enough);
}

/* Known from the tables of the binomial: the 95 % interval of the median by order statistics. */
static void
test_distribution_intervals (void)
{
  static const struct
  {
    guint n;
    double low, high;
  } table[] = { { 6, 1, 6 }, { 20, 6, 15 }, { 50, 18, 33 }, { 100, 40, 61 } };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    {
      g_autofree double *values = g_new (double, table[i].n);
      TachoDistribution d;

      for (guint k = 0; k < table[i].n; k++)
        values[k] = k + 1;
      tacho_distribution_from_samples (&d, values, table[i].n);
      g_assert_cmpfloat (d.percentiles[TACHO_P50].low, ==, table[i].low);
      g_assert_cmpfloat (d.percentiles[TACHO_P50].high, ==, table[i].high);
    }
}

/* The interval must hold the true quantile about 95 times in 100. */
static void
test_distribution_coverage (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (9);
  guint hits = 0;

  for (guint run = 0; run < 1000; run++)
    {
      double values[400];
      TachoDistribution d;

      for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
        values[i] = g_rand_double (rand);
      tacho_distribution_from_samples (&d, values, G_N_ELEMENTS (values));
      hits += d.percentiles[TACHO_P90].low <= 0.9 && d.percentiles[TACHO_P90].high >= 0.9;
    }
  g_assert_cmpuint (hits, >=, 935);
  g_assert_cmpuint (hits, <=, 985);
}

/* In order and the same values, over sizes on both sides of where the way changes. */
static void
test_sort (void)
{
  static const guint sizes[] = { 0, 1, 2, 1023, 1024, 50000 };
  static const double odd[] = { 0, -0.0, -1, 1e-300, -1e-300, 1e300, -1e300, 4.9e-324, 20, 20 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint kind = 0; kind < 3; kind++)
      {
        guint n = sizes[i];
        TachoRandom random = tacho_random_new (kind, n);
        g_autofree double *values = g_new (double, n + 1);
        double sum = 0, sorted_sum = 0;

        for (guint k = 0; k < n; k++)
          {
            double unit = tacho_random_unit (&random);

            values[k] = kind == 0   ? 20 + unit
                        : kind == 1 ? (unit - 0.5) * 1e6
                                    : odd[(guint) (unit * G_N_ELEMENTS (odd))];
            sum += values[k] > -1e299 && values[k] < 1e299 ? values[k] : 1;
          }
        tacho_sort_doubles (values, n);
        for (guint k = 0; k < n; k++)
          {
            g_assert_true (k == 0 || values[k - 1] <= values[k]);
            sorted_sum += values[k] > -1e299 && values[k] < 1e299 ? values[k] : 1;
          }
        g_assert_cmpfloat_with_epsilon (sum, sorted_sum, 1e-3);
      }
}

static void
test_distribution_small (void)
{
  double one[] = { 42 };
  TachoDistribution d;

  tacho_distribution_from_samples (&d, NULL, 0);
  g_assert_cmpuint (d.n, ==, 0);
  g_assert_true (isnan (d.mean));
  g_assert_true (isnan (d.percentiles[TACHO_P50].value));
  tacho_distribution_from_samples (&d, one, 1);
  g_assert_cmpfloat (d.percentiles[TACHO_P99_9].value, ==, 42);
  g_assert_true (isnan (d.sd));
  g_assert_true (isnan (d.percentiles[TACHO_P50].low));
  g_assert_true (isnan (d.percentiles[TACHO_P50].high));
}

static void
test_distribution_histogram (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (10);
  g_autofree gint64 *values = draw_values (rand, N_VALUES);
  g_autofree double *ms = g_new (double, N_VALUES);
  g_autoptr (TachoHistogram) histogram = tacho_histogram_new ();
  TachoDistribution exact, binned;

  for (gsize i = 0; i < N_VALUES; i++)
    {
      tacho_histogram_record (histogram, values[i]);
      ms[i] = (double) values[i] / 1e6;
    }
  tacho_distribution_from_samples (&exact, ms, N_VALUES);
  tacho_distribution_from_histogram (&binned, histogram, 1e-6);
  for (guint i = 0; i < TACHO_N_PERCENTILES; i++)
    {
      g_assert_cmpfloat (fabs (binned.percentiles[i].value / exact.percentiles[i].value - 1), <=,
                         0.001);
      g_assert_cmpfloat (fabs (binned.percentiles[i].low / exact.percentiles[i].low - 1), <=,
                         0.001);
      g_assert_true (binned.percentiles[i].enough);
    }
  g_assert_cmpfloat (fabs (binned.mean / exact.mean - 1), <, 1e-6);
  g_assert_cmpfloat (fabs (binned.sd / exact.sd - 1), <, 0.001);
}

static void
test_min_samples (void)
{
  static const guint64 mlperf[TACHO_N_PERCENTILES] = { 11, 24, 64, 130, 662, 6636 };

  for (guint i = 0; i < TACHO_N_PERCENTILES; i++)
    g_assert_cmpuint (tacho_percentile_min_samples (tacho_percentile_quantiles[i]), ==, mlperf[i]);
}

static void
test_slo (void)
{
  static const char *const bad[] = { "",           "ttft",     "ttft<",     "ttft<x",  "ttft>500",
                                     "speed<5ms",  "ttft<-1",  "ttft<0",    "ttft<5h", "ttft<inf",
                                     "ttft<5ms,,", "ttft<nan", "ttft<1e999" };
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoSlo) slo = tacho_slo_parse (" ttft < 0.5 s, itl_ms<50", &error);

  g_assert_no_error (error);
  g_assert_true (tacho_slo_met (slo, 499, 1e9, 49.9, 1e9));
  g_assert_false (tacho_slo_met (slo, 501, 1, 1, 1));
  g_assert_false (tacho_slo_met (slo, 1, 1, 51, 1));
  g_assert_false (tacho_slo_met (slo, 500, 1, 1, 1));
  g_assert_true (tacho_slo_met (slo, 1, 1, NAN, NAN));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) reason = NULL;
      TachoSlo *none = tacho_slo_parse (bad[i], &reason);

      if (none != NULL)
        g_error ("“%s” was taken for an objective", bad[i]);
      g_assert_error (reason, TACHO_ERROR, TACHO_ERROR_INVALID);
      g_assert_cmpuint (strlen (reason->message), >, 20);
    }
}

static void
assert_refused (const TachoBenchPlan *plan, const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (tacho_bench_plan_validate (plan, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, word));
}

static void
test_plan (void)
{
  g_autoptr (TachoBenchPlan) plan = tacho_bench_plan_new ();
  g_autoptr (TachoBenchPlan) copy = NULL;
  g_autoptr (GError) error = NULL;

  assert_refused (plan, "model");
  plan->model = g_strdup ("m");
  tacho_bench_plan_validate (plan, &error);
  g_assert_no_error (error);

#define REFUSED(field, value, word)                                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    TachoBenchPlan changed = *plan;                                                                \
    changed.field = value;                                                                         \
    assert_refused (&changed, word);                                                               \
  }                                                                                                \
  G_STMT_END
  REFUSED (concurrency, 0, "concurrency");
  REFUSED (concurrency, 10001, "concurrency");
  REFUSED (requests, 0, "duration");
  REFUSED (duration_s, 5, "duration");
  REFUSED (duration_s, NAN, "duration");
  REFUSED (duration_s, -1, "duration");
  REFUSED (warmup_s, INFINITY, "warm-up");
  REFUSED (prompt_tokens.min, 0, "prompt");
  REFUSED (prompt_tokens.min, 200, "prompt");
  REFUSED (output_tokens.max, 63, "output");
  REFUSED (output_tokens.max, 2000000, "output");
  REFUSED (slo, (char *) "ttft", "ttft");
#undef REFUSED

  plan->slo = g_strdup ("ttft<1s");
  copy = tacho_bench_plan_copy (plan);
  g_assert_cmpstr (copy->model, ==, "m");
  g_assert_cmpstr (copy->slo, ==, "ttft<1s");
  g_assert_true (copy->model != plan->model);
}

static const char *
text_of (const TachoGenerateRequest *request)
{
  return ((const TachoMessage *) g_ptr_array_index (request->messages, 0))->content;
}

static TachoGenerateRequest *
make_one (const TachoBenchPlan *plan, guint64 salt, guint64 number)
{
  g_autoptr (TachoPrompts) prompts = tacho_prompts_new (plan, NULL);
  g_autoptr (GPtrArray) turns = tacho_prompts_make (prompts, salt, number);

  g_assert_cmpuint (turns->len, ==, 1);
  return tacho_generate_request_copy (g_ptr_array_index (turns, 0));
}

static const char *
after_words (const char *text, guint n)
{
  while (n-- > 0)
    text = strchr (text, ' ') + 1;
  return text;
}

static guint
count_words (const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, " ", -1);

  return g_strv_length (parts);
}

static void
test_prompts (void)
{
  g_autoptr (TachoBenchPlan) plan = tacho_bench_plan_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint shortest = G_MAXUINT, longest = 0;

  plan->model = g_strdup ("m");
  plan->prompt_tokens.min = 50;
  plan->prompt_tokens.max = 60;
  plan->output_tokens.min = 8;
  plan->output_tokens.max = 16;
  for (guint64 id = 0; id < 200; id++)
    {
      g_autoptr (TachoGenerateRequest) a = make_one (plan, 1234, id);
      g_autoptr (TachoGenerateRequest) b = make_one (plan, 1234, id);
      g_autoptr (GError) error = NULL;
      guint n = count_words (text_of (a));

      g_assert_cmpstr (text_of (a), ==, text_of (b));
      g_assert_cmpint (a->max_tokens, ==, b->max_tokens);
      g_assert_cmpint (a->max_tokens, >=, 8);
      g_assert_cmpint (a->max_tokens, <=, 16);
      g_assert_true (a->ignore_eos);
      g_assert_true (a->stream);
      tacho_generate_request_validate (a, &error);
      g_assert_no_error (error);
      shortest = MIN (shortest, n);
      longest = MAX (longest, n);
      /* No two begin alike. */
      g_assert_true (g_hash_table_add (seen, g_strndup (text_of (a), 16)));
    }
  g_assert_cmpuint (shortest, ==, 50);
  g_assert_cmpuint (longest, ==, 60);
}

/* The seed gives the words, the salt alone changes from run to run. */
static void
test_prompts_seed (void)
{
  g_autoptr (TachoBenchPlan) plan = tacho_bench_plan_new ();
  g_autoptr (TachoGenerateRequest) plain = NULL;
  g_autoptr (TachoGenerateRequest) other = NULL;
  g_autoptr (TachoGenerateRequest) one = NULL;
  g_autoptr (TachoGenerateRequest) two = NULL;

  plan->model = g_strdup ("m");
  plan->seed = 1;
  one = make_one (plan, 1111, 5);
  two = make_one (plan, 2222, 5);
  g_assert_cmpstr (text_of (one), !=, text_of (two));
  g_assert_cmpstr (after_words (text_of (one), 8), ==, after_words (text_of (two), 8));
  g_assert_cmpuint (count_words (text_of (one)), ==, 128);
  plain = make_one (plan, 0, 5);
  plan->seed = 2;
  other = make_one (plan, 0, 5);
  /* Not even shifted by a few words. */
  g_assert_null (strstr (text_of (other), text_of (plain) + 100));
  g_assert_null (strstr (text_of (plain), text_of (other) + 100));
  plan->chat = FALSE;
  g_clear_pointer (&other, tacho_generate_request_free);
  other = make_one (plan, 0, 5);
  g_assert_true (other->raw);
  g_assert_nonnull (other->prompt);
}

static void
test_record (void)
{
  TachoBenchRecord record = { .scheduled_ns = 1000000,
                              .start_ns = 3000000,
                              .first_ns = 13000000,
                              .last_ns = 53000000,
                              .end_ns = 55000000,
                              .chunks = 5,
                              .output_tokens = 11 };

  g_assert_cmpfloat_with_epsilon (tacho_bench_record_queue_ms (&record), 2, 1e-9);
  g_assert_cmpfloat_with_epsilon (tacho_bench_record_ttft_ms (&record), 10, 1e-9);
  g_assert_cmpfloat_with_epsilon (tacho_bench_record_e2e_ms (&record), 52, 1e-9);
  g_assert_cmpfloat_with_epsilon (tacho_bench_record_itl_ms (&record), 4, 1e-9);
  g_assert_cmpfloat_with_epsilon (tacho_bench_record_tpot_ms (&record), 4.2, 1e-9);
  g_assert_cmpfloat_with_epsilon (tacho_bench_record_ntpot_ms (&record), 52.0 / 11, 1e-9);
  record.output_tokens = 1;
  g_assert_true (isnan (tacho_bench_record_itl_ms (&record)));
  g_assert_true (isnan (tacho_bench_record_tpot_ms (&record)));
  record.output_tokens = 0;
  record.first_ns = record.last_ns = 0;
  g_assert_true (isnan (tacho_bench_record_ttft_ms (&record)));
  g_assert_true (isnan (tacho_bench_record_ntpot_ms (&record)));
  g_assert_cmpstr (tacho_record_status_to_string (TACHO_RECORD_TRUNCATED), ==, "truncated");
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/bench/histogram/quantiles", test_histogram_quantiles);
  g_test_add_func ("/bench/histogram/merge", test_histogram_merge);
  g_test_add_func ("/bench/histogram/edges", test_histogram_edges);
  g_test_add_func ("/bench/sort", test_sort);
  g_test_add_func ("/bench/distribution/by-hand", test_distribution_by_hand);
  g_test_add_func ("/bench/distribution/intervals", test_distribution_intervals);
  g_test_add_func ("/bench/distribution/coverage", test_distribution_coverage);
  g_test_add_func ("/bench/distribution/small", test_distribution_small);
  g_test_add_func ("/bench/distribution/histogram", test_distribution_histogram);
  g_test_add_func ("/bench/distribution/min-samples", test_min_samples);
  g_test_add_func ("/bench/slo", test_slo);
  g_test_add_func ("/bench/plan", test_plan);
  g_test_add_func ("/bench/prompts/plan", test_prompts);
  g_test_add_func ("/bench/prompts/seed", test_prompts_seed);
  g_test_add_func ("/bench/record", test_record);
  return g_test_run ();
}
