/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rows of a comparison. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-compare.h"

#include "base/tacho-clock.h"

#include <math.h>
#include <string.h>

#define ROUNDS 1999
#define MIN_SAMPLES 20
#define SLICES 40
#define LEVEL 0.05

static void
row_clear_cb (gpointer data)
{
  g_free (((TachoComparisonRow *) data)->name);
}

/**
 * tacho_comparison_free:
 * @comparison: (nullable): a comparison
 *
 * Frees it.
 */
void
tacho_comparison_free (TachoComparison *comparison)
{
  if (comparison == NULL)
    return;
  g_array_unref (comparison->rows);
  g_strfreev (comparison->unlike);
  g_strfreev (comparison->warnings);
  g_free (comparison);
}

static void
add_row (TachoComparison *self,
         char *name,
         gboolean higher_is_better,
         gboolean tested,
         const TachoDifference *difference)
{
  TachoComparisonRow row = {
    .name = name,
    .higher_is_better = higher_is_better,
    .tested = tested,
    .difference = *difference,
    .p_adjusted = tested ? difference->p : NAN,
  };

  row.percent = row.percent_low = row.percent_high = NAN;
  if (difference->a != 0)
    {
      double scale = 100 / fabs (difference->a);

      row.percent = (difference->b - difference->a) * scale;
      row.percent_low = tested ? difference->low * scale : NAN;
      row.percent_high = tested ? difference->high * scale : NAN;
    }
  g_array_append_val (self->rows, row);
}

static void
compare_metric (TachoComparison *self, TachoBenchResult *a, TachoBenchResult *b, guint metric)
{
  static const char *const names[TACHO_N_STATISTICS] = { "mean", "p50", "p95", "p99" };
  static const int percentiles[TACHO_N_STATISTICS] = { -1, TACHO_P50, TACHO_P95, TACHO_P99 };
  g_autofree double *of_a = NULL;
  g_autofree double *of_b = NULL;
  TachoDifference differences[TACHO_N_STATISTICS] = { { 0 } };
  gsize n_a, n_b;

  of_a = tacho_bench_result_dup_samples (a, metric, &n_a);
  of_b = tacho_bench_result_dup_samples (b, metric, &n_b);
  if (n_a == 0 || n_b == 0)
    return;
  if (n_a >= MIN_SAMPLES && n_b >= MIN_SAMPLES)
    tacho_resample_differences (of_a, n_a, of_b, n_b, ROUNDS, differences);
  for (int s = 0; s < TACHO_N_STATISTICS; s++)
    {
      const TachoDistribution *d_a = &a->latency[metric], *d_b = &b->latency[metric];
      gboolean enough = n_a >= MIN_SAMPLES && n_b >= MIN_SAMPLES;

      /* The figures that the runs themselves state. */
      differences[s].a = percentiles[s] < 0 ? d_a->mean : d_a->percentiles[percentiles[s]].value;
      differences[s].b = percentiles[s] < 0 ? d_b->mean : d_b->percentiles[percentiles[s]].value;
      if (percentiles[s] >= 0)
        enough = enough && d_a->percentiles[percentiles[s]].enough &&
                 d_b->percentiles[percentiles[s]].enough;
      add_row (self, g_strdup_printf ("%s(%s)", names[s], tacho_metric_names[metric]), FALSE,
               enough, &differences[s]);
    }
}

typedef enum
{
  RATE_TOKENS,
  RATE_REQUESTS,
  RATE_GOOD
} Rate;

/* The window in slices of equal length: what ended in each, a second. */
static double *
slice_rates (const TachoBenchResult *result, Rate rate)
{
  double *slices = g_new0 (double, SLICES);
  double slice_s = result->window_s / SLICES;

  for (guint i = 0; i < result->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (result->records, i);
      double at = (double) (record->end_ns - result->window_start_ns) / TACHO_NS_PER_S / slice_s;

      if (record->status != TACHO_RECORD_OK || record->voided || at < 0 || at >= SLICES)
        continue;
      slices[(int) at] += (rate == RATE_TOKENS     ? (double) MAX (record->output_tokens, 0)
                           : rate == RATE_REQUESTS ? 1
                                                   : (double) record->slo_met) /
                          slice_s;
    }
  return slices;
}

static void
compare_rate (TachoComparison *self,
              const TachoBenchResult *a,
              const TachoBenchResult *b,
              Rate rate)
{
  static const char *const names[] = { "output_tokens_per_s", "requests_per_s", "goodput_per_s" };
  TachoDifference differences[TACHO_N_STATISTICS] = { { 0 } };
  TachoDifference *mean = &differences[TACHO_STATISTIC_MEAN];
  gboolean tested = a->window_s > 0 && b->window_s > 0 && a->ok >= SLICES && b->ok >= SLICES;

  if (tested)
    {
      g_autofree double *of_a = slice_rates (a, rate);
      g_autofree double *of_b = slice_rates (b, rate);

      tacho_resample_differences (of_a, SLICES, of_b, SLICES, ROUNDS, differences);
    }
  mean->a = rate == RATE_TOKENS     ? a->output_tokens_per_s
            : rate == RATE_REQUESTS ? a->requests_per_s
                                    : a->goodput_per_s;
  mean->b = rate == RATE_TOKENS     ? b->output_tokens_per_s
            : rate == RATE_REQUESTS ? b->requests_per_s
                                    : b->goodput_per_s;
  if (isfinite (mean->a) && isfinite (mean->b))
    add_row (self, g_strdup (names[rate]), TRUE, tested, mean);
}

static void
compare_errors (TachoComparison *self, const TachoBenchResult *a, const TachoBenchResult *b)
{
  guint64 failed_a = a->error + a->truncated, failed_b = b->error + b->truncated;
  TachoDifference difference;

  if (a->ok + failed_a == 0 || b->ok + failed_b == 0)
    return;
  tacho_difference_of_shares (failed_a, a->ok + failed_a, failed_b, b->ok + failed_b, &difference);
  add_row (self, g_strdup ("error_rate"), FALSE, TRUE, &difference);
}

static void
judge (TachoComparison *self)
{
  g_autofree double *p = g_new (double, MAX (self->rows->len, 1));

  for (guint i = 0; i < self->rows->len; i++)
    p[i] = g_array_index (self->rows, TachoComparisonRow, i).p_adjusted;
  tacho_holm (p, self->rows->len);
  for (guint i = 0; i < self->rows->len; i++)
    {
      TachoComparisonRow *row = &g_array_index (self->rows, TachoComparisonRow, i);
      double change = row->difference.b - row->difference.a;

      row->p_adjusted = p[i];
      row->significant = row->tested && p[i] < LEVEL;
      row->worse = row->significant && (row->higher_is_better ? change < 0 : change > 0);
    }
}

static void
add_difference (GPtrArray *list, const char *what, char *a, char *b)
{
  if (g_strcmp0 (a, b) != 0)
    g_ptr_array_add (list, g_strdup_printf ("%s: %s and %s", what, a != NULL ? a : "none",
                                            b != NULL ? b : "none"));
  g_free (a);
  g_free (b);
}

static char *
load_of (const TachoBenchPlan *plan)
{
  if (plan->load == TACHO_LOAD_CLOSED)
    return g_strdup_printf ("%u at a time", plan->concurrency);
  if (plan->load == TACHO_LOAD_TRACE)
    return g_strdup_printf ("trace at %g", plan->trace_scale);
  return g_strdup_printf ("%g/s %s", plan->rate, tacho_load_kind_to_string (plan->load));
}

/**
 * tacho_compare_plans:
 * @a: a plan
 * @b: another
 *
 * What makes two runs unlike: load and work. Where they ran, how long and with which seed may
 * differ.
 *
 * Returns: (transfer full) (array zero-terminated=1): the differences in words
 */
char **
tacho_compare_plans (const TachoBenchPlan *a, const TachoBenchPlan *b)
{
  GPtrArray *list = g_ptr_array_new ();

  add_difference (list, "model", g_strdup (a->model), g_strdup (b->model));
  add_difference (list, "load", load_of (a), load_of (b));
  add_difference (list, "prompt tokens", tacho_lengths_to_string (&a->prompt_tokens),
                  tacho_lengths_to_string (&b->prompt_tokens));
  add_difference (list, "output tokens", tacho_lengths_to_string (&a->output_tokens),
                  tacho_lengths_to_string (&b->output_tokens));
  add_difference (list, "prompts file", g_strdup (a->prompts_file), g_strdup (b->prompts_file));
  add_difference (list, "endpoint", g_strdup (a->chat ? "chat" : "completion"),
                  g_strdup (b->chat ? "chat" : "completion"));
  add_difference (list, "prompts", g_strdup (a->salt ? "unique" : "may repeat"),
                  g_strdup (b->salt ? "unique" : "may repeat"));
  add_difference (list, "turns", g_strdup_printf ("%u", a->turns),
                  g_strdup_printf ("%u", b->turns));
  add_difference (list, "cancelled on purpose", g_strdup_printf ("%g %%", a->cancel_share * 100),
                  g_strdup_printf ("%g %%", b->cancel_share * 100));
  g_ptr_array_add (list, NULL);
  return (char **) g_ptr_array_free (list, FALSE);
}

static void
add_warnings_of (GPtrArray *list, const TachoBenchResult *result, const char *name)
{
  if (result->self_check.distorted)
    g_ptr_array_add (list, g_strdup_printf ("%s: the client may have distorted the run", name));
  if (result->interrupted)
    g_ptr_array_add (list, g_strdup_printf ("%s was stopped before its plan was through", name));
  if (result->voided > 0)
    g_ptr_array_add (list, g_strdup_printf ("%s: %" G_GUINT64_FORMAT " requests do not count", name,
                                            result->voided));
  if (result->records->len == 0)
    g_ptr_array_add (list,
                     g_strdup_printf ("%s holds no single requests: nothing can be tested", name));
}

static char **
find_warnings (const TachoBenchResult *a, const TachoBenchResult *b)
{
  GPtrArray *list = g_ptr_array_new ();

  add_warnings_of (list, a, "A");
  add_warnings_of (list, b, "B");
  if (a->simulated != b->simulated)
    g_ptr_array_add (list, g_strdup ("One of the servers is simulated, the other is not"));
  if (g_strcmp0 (a->host, b->host) != 0)
    g_ptr_array_add (list, g_strdup ("The runs were measured from different machines or versions"));
  g_ptr_array_add (list, NULL);
  return (char **) g_ptr_array_free (list, FALSE);
}

/**
 * tacho_compare:
 * @a: a run, the one to compare with
 * @b: another
 *
 * Compares all that both have: throughput, errors, and the mean, median, p95 and p99 of each
 * latency metric of single requests.
 *
 * Returns: (transfer full): the comparison
 */
TachoComparison *
tacho_compare (TachoBenchResult *a, TachoBenchResult *b)
{
  static const guint metrics[] = { TACHO_METRIC_TTFT, TACHO_METRIC_ITL, TACHO_METRIC_E2E,
                                   TACHO_METRIC_E2E_FROM_SCHEDULE };
  TachoComparison *self = g_new0 (TachoComparison, 1);
  gboolean open = tacho_bench_plan_is_open (a->plan) && tacho_bench_plan_is_open (b->plan);

  self->rows = g_array_new (FALSE, FALSE, sizeof (TachoComparisonRow));
  g_array_set_clear_func (self->rows, row_clear_cb);
  self->unlike = tacho_compare_plans (a->plan, b->plan);
  self->warnings = find_warnings (a, b);
  compare_rate (self, a, b, RATE_TOKENS);
  compare_rate (self, a, b, RATE_REQUESTS);
  compare_rate (self, a, b, RATE_GOOD);
  compare_errors (self, a, b);
  for (gsize i = 0; i < G_N_ELEMENTS (metrics); i++)
    if (open || metrics[i] != TACHO_METRIC_E2E_FROM_SCHEDULE)
      compare_metric (self, a, b, metrics[i]);
  judge (self);
  return self;
}

/**
 * tacho_comparison_row_to_words:
 * @row: a row
 *
 * Returns: (transfer full): the effect in words
 */
char *
tacho_comparison_row_to_words (const TachoComparisonRow *row)
{
  double change = row->difference.b - row->difference.a;
  gboolean share = g_str_equal (row->name, "error_rate");
  const char *word = row->higher_is_better ? (change < 0 ? "less" : "more")
                     : share               ? (change < 0 ? "fewer" : "more")
                                           : (change < 0 ? "faster" : "slower");

  if (!row->tested)
    return g_strdup ("too few samples to tell");
  if (!row->significant)
    return g_strdup ("no difference that these samples can show");
  if (share)
    return g_strdup_printf ("%.1f percentage points %s (%.1f to %.1f)", fabs (change) * 100, word,
                            row->difference.low * 100, row->difference.high * 100);
  if (!isfinite (row->percent))
    return g_strdup (change < 0 ? "less" : "more");
  return g_strdup_printf ("%.1f %% %s (%+.1f to %+.1f %%)", fabs (row->percent), word,
                          row->percent_low, row->percent_high);
}

/**
 * tacho_comparison_row_is_regression:
 * @row: a row
 * @percent: how much worse is still accepted
 *
 * Returns: whether it is significantly worse, and by more than that
 */
gboolean
tacho_comparison_row_is_regression (const TachoComparisonRow *row, double percent)
{
  if (!row->worse)
    return FALSE;
  if (g_str_equal (row->name, "error_rate"))
    return (row->difference.b - row->difference.a) * 100 > percent;
  return !isfinite (row->percent) || fabs (row->percent) > percent;
}
