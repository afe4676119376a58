/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prompts files, conversations, lengths, and conditions to stop at. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "base/tacho-error.h"
#include "bench/tacho-bench-result.h"
#include "bench/tacho-prompts.h"
#include "bench/tacho-sweep-points.h"
#include "bench/tacho-until.h"
#include "test-utils.h"

static TachoPrompts *
prompts_of (TachoBenchPlan *plan, const char *text, GError **error)
{
  g_autofree char *folder = g_dir_make_tmp ("tacho-XXXXXX", NULL);
  TachoPrompts *prompts;

  g_free (plan->prompts_file);
  plan->prompts_file = g_build_filename (folder, "p.jsonl", NULL);
  g_assert_true (g_file_set_contents (plan->prompts_file, text, -1, NULL));
  prompts = tacho_prompts_new (plan, error);
  g_unlink (plan->prompts_file);
  g_rmdir (folder);
  return prompts;
}

static TachoBenchPlan *
new_plan (void)
{
  TachoBenchPlan *plan = tacho_bench_plan_new ();

  plan->model = g_strdup ("m");
  plan->salt = FALSE;
  return plan;
}

static const char *
content (GPtrArray *turns, guint turn, guint message)
{
  const TachoGenerateRequest *request = g_ptr_array_index (turns, turn);

  return ((TachoMessage *) g_ptr_array_index (request->messages, message))->content;
}

static void
test_lines (void)
{
  g_autoptr (TachoBenchPlan) plan = new_plan ();
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoPrompts) prompts =
      prompts_of (plan,
                  "{\"prompt\":\"one\",\"max_tokens\":7}\n\n"
                  "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},"
                  "{\"role\":\"user\",\"content\":\"two\"}]}\r\n"
                  "{\"input_length\":30,\"output_length\":5,\"timestamp\":1500}",
                  &error);
  g_autoptr (GPtrArray) first = NULL;
  g_autoptr (GPtrArray) second = NULL;
  g_autoptr (GPtrArray) third = NULL;
  g_autoptr (GPtrArray) again = NULL;

  g_assert_no_error (error);
  g_assert_cmpuint (tacho_prompts_get_n (prompts), ==, 3);
  first = tacho_prompts_make (prompts, 0, 0);
  g_assert_cmpstr (content (first, 0, 0), ==, "one");
  g_assert_cmpint (((TachoGenerateRequest *) g_ptr_array_index (first, 0))->max_tokens, ==, 7);
  second = tacho_prompts_make (prompts, 0, 1);
  g_assert_cmpstr (content (second, 0, 1), ==, "two");
  /* Nobody said how long: the model may end by itself. */
  g_assert_false (((TachoGenerateRequest *) g_ptr_array_index (second, 0))->ignore_eos);
  third = tacho_prompts_make (prompts, 0, 2);
  g_assert_true (((TachoGenerateRequest *) g_ptr_array_index (third, 0))->ignore_eos);
  again = tacho_prompts_make (prompts, 0, 3);
  g_assert_cmpstr (content (again, 0, 0), ==, "one");
}

static void
test_sharegpt (void)
{
  g_autoptr (TachoBenchPlan) plan = new_plan ();
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoPrompts) prompts =
      prompts_of (plan,
                  "[{\"id\":\"a\",\"conversations\":["
                  "{\"from\":\"human\",\"value\":\"hi\"},{\"from\":\"gpt\",\"value\":\"hello\"},"
                  "{\"from\":\"human\",\"value\":\"how?\"},{\"from\":\"gpt\",\"value\":\"so\"}]}]",
                  &error);
  g_autoptr (GPtrArray) turns = NULL;
  g_autoptr (GPtrArray) salted = NULL;

  g_assert_no_error (error);
  g_assert_cmpuint (tacho_prompts_get_max_turns (prompts), ==, 2);
  turns = tacho_prompts_make (prompts, 0, 0);
  g_assert_cmpuint (turns->len, ==, 2);
  g_assert_cmpstr (content (turns, 0, 0), ==, "hi");
  g_assert_cmpstr (content (turns, 1, 0), ==, "hi");
  g_assert_cmpstr (content (turns, 1, 1), ==, "hello");
  g_assert_cmpstr (content (turns, 1, 2), ==, "how?");
  salted = tacho_prompts_make (prompts, 99, 0);
  g_assert_true (g_str_has_suffix (content (salted, 0, 0), "\n\nhi"));
  g_assert_cmpstr (content (salted, 0, 0), ==, content (salted, 1, 0));
}

static void
test_synthetic_turns (void)
{
  g_autoptr (TachoBenchPlan) plan = new_plan ();
  g_autoptr (TachoPrompts) prompts = NULL;
  g_autoptr (GPtrArray) turns = NULL;

  plan->turns = 3;
  prompts = tacho_prompts_new (plan, NULL);
  turns = tacho_prompts_make (prompts, 5, 4);
  g_assert_cmpuint (turns->len, ==, 3);
  for (guint i = 1; i < 3; i++)
    for (guint k = 0; k < 2 * i - 1; k++)
      g_assert_cmpstr (content (turns, i, k), ==, content (turns, i - 1, k));
  g_assert_cmpuint (((TachoGenerateRequest *) g_ptr_array_index (turns, 2))->messages->len, ==, 5);
}

static void
test_trace (void)
{
  g_autoptr (TachoBenchPlan) plan = new_plan ();
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoPrompts) prompts = NULL;

  plan->load = TACHO_LOAD_TRACE;
  plan->trace_scale = 0.5;
  prompts = prompts_of (plan,
                        "{\"timestamp\":1000,\"input_length\":5}\n"
                        "{\"timestamp\":1000,\"input_length\":5}\n"
                        "{\"timestamp\":3000,\"input_length\":5}\n",
                        &error);
  g_assert_no_error (error);
  g_assert_cmpint (tacho_prompts_get_due_ns (prompts, 0), ==, 0);
  g_assert_cmpint (tacho_prompts_get_due_ns (prompts, 1), ==, 0);
  g_assert_cmpint (tacho_prompts_get_due_ns (prompts, 2), ==, G_GINT64_CONSTANT (1000000000));
  g_assert_cmpint (tacho_prompts_get_due_ns (prompts, 3), ==, -1);
}

/* Each says where and what; nothing of a bad file is used. */
static void
test_bad_files (void)
{
  static const struct
  {
    const char *text, *words;
    gboolean trace;
  } files[] = {
    { "", "holds no prompt", FALSE },
    { "{\"prompt\":\"a\"}\nnot json\n", "line 2", FALSE },
    { "{\"prompt\":\"\"}", "line 1: the prompt is empty", FALSE },
    { "{}", "line 1: it needs", FALSE },
    { "\n\n{\"messages\":[{\"role\":\"user\"}]}", "line 3", FALSE },
    { "{\"messages\":[{\"role\":\"assistant\",\"content\":\"x\"}]}", "must be the user's", FALSE },
    { "{\"conversations\":[{\"from\":\"gpt\",\"value\":\"x\"}]}", "no message of a user", FALSE },
    { "{\"input_length\":-4}", "lengths", FALSE },
    { "{\"input_length\":99999999}", "lengths", FALSE },
    { "[1]", "element 1", FALSE },
    { "[{]", "no JSON array", FALSE },
    { "{\"prompt\":\"\xff\"}", "UTF-8", FALSE },
    { "{\"prompt\":\"a\"}", "timestamp", TRUE },
    { "{\"prompt\":\"a\",\"timestamp\":5}\n{\"prompt\":\"b\",\"timestamp\":4}", "line 2", TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autoptr (TachoBenchPlan) plan = new_plan ();
      g_autoptr (GError) error = NULL;

      plan->load = files[i].trace ? TACHO_LOAD_TRACE : TACHO_LOAD_CLOSED;
      g_assert_null (prompts_of (plan, files[i].text, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, files[i].words));
    }
}

static void
test_lengths (void)
{
  static const char *const good[] = { "5", "5:9", "512±64" };
  static const char *const bad[] = { "", "0", "9:5", "x", "5:", "5±", "1:2:3", "-4", "1e9", "5.5" };
  g_autoptr (TachoBenchPlan) plan = new_plan ();
  g_autoptr (TachoPrompts) prompts = NULL;
  double sum = 0, squares = 0;
  const guint n = 4000;

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      TachoLengths lengths;
      g_autofree char *text = NULL;

      g_assert_true (tacho_lengths_parse (good[i], &lengths, NULL));
      text = tacho_lengths_to_string (&lengths);
      g_assert_cmpstr (text, ==, good[i]);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      TachoLengths lengths;
      g_autoptr (GError) error = NULL;

      g_assert_false (tacho_lengths_parse (bad[i], &lengths, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
    }
  g_assert_true (tacho_lengths_parse ("512~64", &plan->output_tokens, NULL));
  prompts = tacho_prompts_new (plan, NULL);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GPtrArray) turns = tacho_prompts_make (prompts, 0, i);
      double x = (double) ((TachoGenerateRequest *) g_ptr_array_index (turns, 0))->max_tokens;

      sum += x;
      squares += x * x;
    }
  g_assert_cmpfloat_with_epsilon (sum / n, 512, 5);
  g_assert_cmpfloat_with_epsilon (sqrt (squares / n - sum * sum / n / n), 64, 4);
}

static void
test_until (void)
{
  static const char *const bad[] = {
    "",
    "p95",
    "p95(ttft_ms)",
    "p95(ttft_ms)5%",
    "p95(x)±5%",
    "p98(ttft_ms)±5%",
    "mean(e2e_ms)±0%",
    "mean(e2e_ms)±100%",
  };
  g_autoptr (TachoUntil) until = tacho_until_parse ("p50 (ttft_ms) +- 5 %", NULL);
  g_autofree double *values = g_new (double, 5000);
  TachoDistribution d;

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (tacho_until_parse (bad[i], &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
    }
  g_assert_nonnull (until);
  g_assert_cmpuint (tacho_until_get_metric (until), ==, TACHO_METRIC_TTFT);
  /* Uniform in 0 … 200: the interval of the median is about 1.96 * 100 / sqrt (n) on each side. */
  for (guint n = 10; n <= 5000; n *= 5)
    {
      for (guint i = 0; i < n; i++)
        values[i] = 200.0 * (i + 0.5) / n;
      tacho_distribution_from_samples (&d, values, n);
      g_assert_cmpint (tacho_until_reached (until, &d), ==, 1.96 / sqrt (n) < 0.05);
    }
}

static void
test_sweep_points (void)
{
  /* Doubles to 8, then stands: the knee is there. */
  TachoSweepPoint points[] = {
    { 1, 100, 1, 1, 0, 10 },    { 2, 200, 1, 2, 0, 11 },     { 4, 400, 1, 4, 0, 12 },
    { 8, 790, 0.99, 8, 0, 20 }, { 16, 800, 0.5, 4, 0, 200 }, { 32, 805, 0.1, 1, 0, 900 },
  };
  TachoSweepPoint line[] = { { 1, 100, NAN, NAN, 0, 1 }, { 10, 200, NAN, NAN, 0, 1 },
                             { 100, 300, NAN, NAN, 0, 1 } };
  static const char *const bad[] = { "", "0", "1,1", "4,2", "a", "1:2", "1:9:3", "1:9:x1", "9:1:x2",
                                     "1,2.5", "1:1000:+1" };
  g_autoptr (GArray) series = tacho_sweep_loads_parse ("1:64:x2", TRUE, NULL);
  g_autoptr (GArray) rates = tacho_sweep_loads_parse ("0.5,1.5", FALSE, NULL);

  g_assert_cmpint (tacho_sweep_find_knee (points, 6), ==, 3);
  g_assert_cmpint (tacho_sweep_find_best (points, 6), ==, 3);
  g_assert_true (tacho_sweep_is_saturated (points, 6));
  g_assert_false (tacho_sweep_is_saturated (points, 5));
  g_assert_cmpfloat (tacho_sweep_next_load (points, 6, TRUE), ==, 11);
  g_assert_cmpint (tacho_sweep_find_knee (line, 3), ==, -1);
  g_assert_cmpint (tacho_sweep_find_best (line, 3), ==, -1);
  g_assert_cmpfloat (tacho_sweep_next_load (line, 3, TRUE), ==, 0);
  g_assert_cmpuint (series->len, ==, 7);
  g_assert_cmpfloat (g_array_index (series, double, 6), ==, 64);
  g_assert_cmpuint (rates->len, ==, 2);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (tacho_sweep_loads_parse (bad[i], TRUE, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
    }
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/bench/prompts/lines", test_lines);
  g_test_add_func ("/bench/prompts/sharegpt", test_sharegpt);
  g_test_add_func ("/bench/prompts/turns", test_synthetic_turns);
  g_test_add_func ("/bench/prompts/trace", test_trace);
  g_test_add_func ("/bench/prompts/bad-files", test_bad_files);
  g_test_add_func ("/bench/lengths", test_lengths);
  g_test_add_func ("/bench/until", test_until);
  g_test_add_func ("/bench/sweep/points", test_sweep_points);
  return g_test_run ();
}
