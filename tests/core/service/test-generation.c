/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One generation: which chunk counts, the formulas, the states, what is kept. */
#include "test-utils.h"

#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "service/tacho-generation-private.h"

#include <math.h>

#define MS(x) ((gint64) (x) *TACHO_NS_PER_MS)

static TachoStreamEvent
event_new (void)
{
  TachoStreamEvent event = { .tool_index = -1, .prompt_progress = NAN, .prompt_total = -1 };

  tacho_usage_clear (&event.usage);
  tacho_timings_clear (&event.timings);
  return event;
}

static void
say (TachoGeneration *generation, const char *text, gint64 now_ns)
{
  TachoStreamEvent event = event_new ();

  event.content = text;
  event.has_content = *text != '\0';
  tacho_generation_take_event (generation, &event, now_ns);
}

static void
finish (TachoGeneration *generation, gint64 now_ns)
{
  TachoStreamEvent event = event_new ();

  event.done = TRUE;
  tacho_generation_take_event (generation, &event, now_ns);
}

static void
collect_delta (TachoGeneration *generation, const char *text, gboolean reasoning, GString *seen)
{
  g_string_append_printf (seen, "%s%s|", reasoning ? "~" : "", text);
}

static void
count_ended (TachoGeneration *generation, guint *n)
{
  (*n)++;
}

/* start 1000, role-only 1100, text at 1200, 1300, 1400, 1500, usage 1510, [DONE] 1520; N = 11 */
static void
test_metrics (void)
{
  TachoGeneration *generation = tacho_generation_new (TRUE);
  TachoGenerationMetrics metrics;
  TachoStreamEvent event = event_new ();
  guint ended = 0;

  g_signal_connect (generation, "ended", G_CALLBACK (count_ended), &ended);
  tacho_generation_sent (generation, MS (1000), TRUE);
  tacho_generation_set_http_status (generation, 200);
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_WAITING);
  event.role = "assistant";
  tacho_generation_take_event (generation, &event, MS (1100));
  say (generation, "", MS (1150));
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_WAITING);
  tacho_generation_get_metrics (generation, &metrics);
  g_assert_cmpint (metrics.first_ns, ==, 0);
  g_assert_cmpint (metrics.chunks, ==, 0);
  g_assert_true (isnan (metrics.ttft_ms));

  say (generation, "one ", MS (1200));
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_GENERATING);
  say (generation, "two ", MS (1300));
  say (generation, "three ", MS (1400));
  say (generation, "four", MS (1500));
  tacho_generation_get_metrics (generation, &metrics); /* live, without usage */
  g_assert_cmpint (metrics.output_tokens, ==, 4);
  g_assert_cmpstr (metrics.tokens_source, ==, "chunks");
  g_assert_cmpfloat_with_epsilon (metrics.itl_ms, 100, 1e-9);
  g_assert_true (isnan (metrics.e2e_ms));
  g_assert_true (isnan (metrics.tpot_ms));

  event = event_new ();
  event.has_usage = TRUE;
  event.usage.prompt_tokens = 7;
  event.usage.output_tokens = 11;
  event.finish_reason = "stop";
  tacho_generation_take_event (generation, &event, MS (1510));
  finish (generation, MS (1520));
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_DONE);
  g_assert_cmpuint (ended, ==, 1);
  g_assert_cmpstr (tacho_generation_get_text (generation), ==, "one two three four");
  g_assert_cmpstr (tacho_generation_get_finish_reason (generation), ==, "stop");
  g_assert_null (tacho_generation_get_error (generation));

  tacho_generation_get_metrics (generation, &metrics);
  g_assert_cmpint (metrics.chunks, ==, 4);
  g_assert_cmpint (metrics.prompt_tokens, ==, 7);
  g_assert_cmpint (metrics.output_tokens, ==, 11);
  g_assert_cmpstr (metrics.tokens_source, ==, "usage");
  g_assert_cmpint (metrics.first_ns, ==, MS (1200));
  g_assert_cmpint (metrics.last_ns, ==, MS (1500));
  g_assert_cmpint (metrics.end_ns, ==, MS (1520));
  g_assert_cmpfloat_with_epsilon (metrics.ttft_ms, 200, 1e-9);
  g_assert_cmpfloat_with_epsilon (metrics.e2e_ms, 520, 1e-9);
  g_assert_cmpfloat_with_epsilon (metrics.itl_ms, 30, 1e-9);
  g_assert_cmpfloat_with_epsilon (metrics.tpot_ms, 32, 1e-9);
  g_assert_cmpfloat_with_epsilon (metrics.tokens_per_s, 10 / 0.3, 1e-9);
  g_assert_cmpuint (metrics.http_status, ==, 200);
  g_assert_true (metrics.connection_reused);
  g_assert_false (metrics.has_timings);

  say (generation, "late", MS (1600)); /* nothing changes what has ended */
  tacho_generation_cancel (generation);
  g_assert_cmpstr (tacho_generation_get_text (generation), ==, "one two three four");
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_DONE);
  g_assert_cmpuint (ended, ==, 1);
  g_assert_finalize_object (generation);
}

/* One token has no gap: nothing is divided by zero, nothing is infinite. */
static void
test_one_token (void)
{
  TachoGeneration *generation = tacho_generation_new (TRUE);
  TachoGenerationMetrics metrics;

  tacho_generation_sent (generation, MS (10), FALSE);
  say (generation, "x", MS (20));
  finish (generation, MS (30));
  tacho_generation_get_metrics (generation, &metrics);
  g_assert_cmpfloat_with_epsilon (metrics.ttft_ms, 10, 1e-9);
  g_assert_cmpfloat_with_epsilon (metrics.e2e_ms, 20, 1e-9);
  g_assert_true (isnan (metrics.itl_ms));
  g_assert_true (isnan (metrics.tpot_ms));
  g_assert_true (isnan (metrics.tokens_per_s));
  g_assert_finalize_object (generation);
}

static void
test_reasoning_and_tools (void)
{
  TachoGeneration *generation = tacho_generation_new (TRUE);
  g_autoptr (GString) seen = g_string_new (NULL);
  TachoStreamEvent event = event_new ();
  TachoGenerationMetrics metrics;

  g_signal_connect (generation, "delta", G_CALLBACK (collect_delta), seen);
  g_assert_null (tacho_generation_get_tool_calls (generation));
  tacho_generation_sent (generation, MS (1), FALSE);
  event.has_reasoning = TRUE;
  event.reasoning = "hm";
  event.response_id = "r-1";
  tacho_generation_take_event (generation, &event, MS (2));
  say (generation, "yes", MS (3));
  event = event_new ();
  event.has_tool = TRUE;
  event.tool_index = 1;
  event.tool_id = "call_b";
  event.tool_name = "look";
  event.tool_arguments = "{\"a\":";
  tacho_generation_take_event (generation, &event, MS (4));
  event.tool_id = event.tool_name = NULL;
  event.tool_arguments = "\"b\"}";
  tacho_generation_take_event (generation, &event, MS (5));
  event.tool_index = G_MAXINT; /* a hostile index makes no array */
  tacho_generation_take_event (generation, &event, MS (6));
  finish (generation, MS (7));

  g_assert_cmpstr (seen->str, ==, "~hm|yes|");
  g_assert_cmpstr (tacho_generation_get_reasoning (generation), ==, "hm");
  g_assert_cmpstr (tacho_generation_get_text (generation), ==, "yes");
  g_assert_cmpstr (tacho_generation_get_response_id (generation), ==, "r-1");
  g_assert_nonnull (strstr (tacho_generation_get_tool_calls (generation), "\"call_b\""));
  g_assert_nonnull (strstr (tacho_generation_get_tool_calls (generation), "{\\\"a\\\":\\\"b\\\"}"));
  tacho_generation_get_metrics (generation, &metrics);
  g_assert_cmpint (metrics.first_ns, ==,
                   MS (2)); /* thinking is the first thing a person waits for */
  g_assert_cmpint (metrics.chunks, ==, 5);
  g_assert_finalize_object (generation);
}

static void
store_progress (TachoGeneration *generation, double fraction, double *seen)
{
  *seen = fraction;
}

static void
test_progress (void)
{
  TachoGeneration *generation = tacho_generation_new (TRUE);
  TachoStreamEvent event = event_new ();
  TachoGenerationMetrics metrics;
  double seen = -1;

  g_signal_connect (generation, "progress", G_CALLBACK (store_progress), &seen);
  event.prompt_progress = 0.5;
  tacho_generation_take_event (generation, &event, MS (1));
  g_assert_cmpfloat (seen, ==, 0.5);
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_READING);
  event.prompt_progress = 7;
  tacho_generation_take_event (generation, &event, MS (2));
  g_assert_cmpfloat (seen, ==, 1);
  tacho_generation_get_metrics (generation, &metrics);
  g_assert_cmpint (metrics.first_ns, ==, 0);
  say (generation, "x", MS (3));
  event.prompt_progress = 0.1; /* late news does not turn the state back */
  tacho_generation_take_event (generation, &event, MS (4));
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_GENERATING);
  g_assert_cmpfloat (seen, ==, 1);
  g_assert_finalize_object (generation);
}

static void
test_endings (void)
{
  const struct
  {
    int code;
    TachoGenerationState state;
  } rows[] = {
    { TACHO_ERROR_TRUNCATED, TACHO_GENERATION_TRUNCATED },
    { TACHO_ERROR_CANCELLED, TACHO_GENERATION_CANCELLED },
    { TACHO_ERROR_TIMEOUT_IDLE, TACHO_GENERATION_FAILED },
    { TACHO_ERROR_HTTP_5XX, TACHO_GENERATION_FAILED },
    { TACHO_ERROR_IN_BAND, TACHO_GENERATION_FAILED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      TachoGeneration *generation = tacho_generation_new (TRUE);
      g_autoptr (GError) error = g_error_new_literal (TACHO_ERROR, rows[i].code, "why");
      TachoGenerationMetrics metrics;
      guint ended = 0;

      g_signal_connect (generation, "ended", G_CALLBACK (count_ended), &ended);
      tacho_generation_sent (generation, MS (1), FALSE);
      say (generation, "kept", MS (3));
      if (rows[i].code == TACHO_ERROR_IN_BAND)
        {
          TachoStreamEvent event = event_new ();

          event.error = error;
          tacho_generation_take_event (generation, &event, MS (4));
        }
      else
        tacho_generation_fail (generation, error);
      tacho_generation_fail (generation, error);
      g_assert_cmpuint (ended, ==, 1);
      g_assert_cmpint (tacho_generation_get_state (generation), ==, rows[i].state);
      g_assert_cmpstr (tacho_generation_get_text (generation), ==, "kept");
      g_assert_error (tacho_generation_get_error (generation), TACHO_ERROR, rows[i].code);
      tacho_generation_get_metrics (generation, &metrics);
      g_assert_cmpfloat_with_epsilon (metrics.ttft_ms, 2, 1e-9);
      g_assert_true (isnan (metrics.e2e_ms)); /* it has no end that could be measured */
      g_assert_finalize_object (generation);
    }
}

static void
cancel_in_delta (TachoGeneration *generation, const char *text, gboolean reasoning, gpointer data)
{
  tacho_generation_cancel (generation);
}

static void
test_cancel (void)
{
  TachoGeneration *generation = tacho_generation_new (TRUE);
  TachoStreamEvent event = event_new ();

  g_signal_connect (generation, "delta", G_CALLBACK (cancel_in_delta), NULL);
  event.has_content = event.has_reasoning = TRUE;
  event.reasoning = "a";
  event.content = "b";
  event.done = TRUE;
  tacho_generation_take_event (generation, &event, MS (1));
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_CANCELLED);
  g_assert_true (g_cancellable_is_cancelled (tacho_generation_get_cancellable (generation)));
  g_assert_cmpstr (tacho_generation_get_reasoning (generation), ==, "a");
  g_assert_cmpstr (tacho_generation_get_text (generation), ==, "");
  g_assert_finalize_object (generation);
}

static void
test_whole (void)
{
  TachoGeneration *generation = tacho_generation_new (FALSE);
  TachoGenerateReply reply = { .response_id = (char *) "r",
                               .content = (char *) "text",
                               .finish_reason = (char *) "length" };
  TachoGenerationMetrics metrics;

  tacho_generation_sent (generation, MS (1), FALSE);
  tacho_generation_take_reply (generation, &reply, MS (11));
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_DONE);
  g_assert_cmpstr (tacho_generation_get_text (generation), ==, "text");
  g_assert_cmpstr (tacho_generation_get_finish_reason (generation), ==, "length");
  tacho_generation_get_metrics (generation, &metrics);
  g_assert_cmpfloat_with_epsilon (metrics.e2e_ms, 10, 1e-9);
  g_assert_true (isnan (metrics.ttft_ms));
  g_assert_true (isnan (metrics.tpot_ms));
  g_assert_cmpint (metrics.output_tokens, ==, -1); /* one piece is not one token */
  g_assert_finalize_object (generation);
}

/* A reply that never ends is stopped, and appending stays linear on the way there. */
static void
test_endless (void)
{
  TachoGeneration *generation = tacho_generation_new (TRUE);
  g_autofree char *megabyte = g_strnfill (1024 * 1024, 'x');

  for (guint i = 0; i < 64; i++)
    say (generation, megabyte, MS (i + 1));
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_GENERATING);
  say (generation, "y", MS (99));
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_FAILED);
  g_assert_error (tacho_generation_get_error (generation), TACHO_ERROR, TACHO_ERROR_PROTOCOL);
  g_assert_true (g_cancellable_is_cancelled (tacho_generation_get_cancellable (generation)));
  g_assert_cmpuint (strlen (tacho_generation_get_text (generation)), ==, 64u * 1024 * 1024);
  g_assert_finalize_object (generation);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/service/generation/metrics", test_metrics);
  g_test_add_func ("/service/generation/one-token", test_one_token);
  g_test_add_func ("/service/generation/reasoning-and-tools", test_reasoning_and_tools);
  g_test_add_func ("/service/generation/progress", test_progress);
  g_test_add_func ("/service/generation/endings", test_endings);
  g_test_add_func ("/service/generation/cancel", test_cancel);
  g_test_add_func ("/service/generation/whole", test_whole);
  g_test_add_func ("/service/generation/endless", test_endless);
  return g_test_run ();
}
