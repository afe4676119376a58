/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a plan will take. Where only the server knows how fast it is, an earlier run tells. */
#define G_LOG_DOMAIN "tacho-bench-estimate"

#include "config.h"

#include "app/tacho-bench-estimate.h"
#include "app/tacho-display.h"

#include <glib/gi18n.h>
#include <math.h>

static double
mean_length (const TachoLengths *lengths)
{
  return lengths->sd > 0 ? lengths->mean : (lengths->min + lengths->max) / 2.0;
}

/* Requests a second at a load; Little's law for a closed loop, whose places also think. */
static double
request_rate (const TachoBenchPlan *plan, double load, const TachoBenchPace *pace)
{
  double seconds =
      (pace->ttft_ms + pace->itl_ms * MAX (mean_length (&plan->output_tokens) - 1, 0)) / 1000;

  if (plan->load == TACHO_LOAD_TRACE)
    return NAN;
  if (tacho_bench_plan_is_open (plan))
    return load;
  return load / (seconds + (plan->turns > 1 ? plan->think_s : 0));
}

static void
add_step (TachoBenchEstimate *sum,
          const TachoBenchPlan *plan,
          double load,
          const TachoBenchPace *pace)
{
  double rate = request_rate (plan, load, pace);
  double turns = plan->turns > 1 ? (plan->turns + 1) / 2.0 : 1; /* what was said is sent again */
  double before_s = plan->warmup_s + plan->ramp_s + plan->cooldown_s;
  double requests, seconds;

  if (plan->requests > 0)
    {
      requests = (double) (plan->requests + plan->warmup_requests);
      requests += before_s > 0 ? before_s * rate : 0;
      seconds = requests / rate;
    }
  else
    {
      seconds = plan->duration_s + before_s;
      seconds += plan->warmup_requests > 0 ? (double) plan->warmup_requests / rate : 0;
      requests = seconds * rate;
    }
  sum->requests += requests;
  sum->seconds += seconds;
  sum->prompt_tokens += requests * (mean_length (&plan->prompt_tokens) * turns +
                                    mean_length (&plan->output_tokens) * (turns - 1));
  sum->output_tokens += requests * mean_length (&plan->output_tokens);
}

/**
 * tacho_bench_estimate:
 * @estimate: (out caller-allocates): what it takes
 * @plan: a plan
 * @loads: (nullable) (element-type double): of a sweep
 * @pace: how fast the model answered before
 *
 * Cancelled requests, early ends and prompts of a file are not foreseen: of the last, the tokens
 * are not known at all.
 */
void
tacho_bench_estimate (TachoBenchEstimate *estimate,
                      const TachoBenchPlan *plan,
                      GArray *loads,
                      const TachoBenchPace *pace)
{
  *estimate = (TachoBenchEstimate){ 0 };
  if (loads == NULL)
    add_step (estimate, plan, tacho_bench_plan_is_open (plan) ? plan->rate : plan->concurrency,
              pace);
  for (guint i = 0; loads != NULL && i < loads->len; i++)
    add_step (estimate, plan, g_array_index (loads, double, i), pace);
  if (plan->prompts_file != NULL)
    estimate->prompt_tokens = estimate->output_tokens = NAN;
  if (plan->until != NULL)
    estimate->seconds = NAN; /* that is the most, not what to expect */
}

/* Two digits: an estimate is no count. */
static char *
round_words (double value)
{
  double step = value >= 100 ? pow (10, floor (log10 (value)) - 1) : 1;

  return g_strdup_printf ("%'.0f", round (value / step) * step);
}

/**
 * tacho_bench_estimate_to_words:
 * @estimate: what a plan takes
 *
 * Returns: (transfer full): a sentence or two
 */
char *
tacho_bench_estimate_to_words (const TachoBenchEstimate *estimate)
{
  GString *text = g_string_new (NULL);

  if (isfinite (estimate->requests))
    {
      g_autofree char *requests = round_words (estimate->requests);

      g_string_append_printf (text, _ ("About %s requests"), requests);
      if (isfinite (estimate->prompt_tokens))
        {
          g_autofree char *prompt = round_words (estimate->prompt_tokens);
          g_autofree char *output = round_words (estimate->output_tokens);

          g_string_append_printf (text, _ (", %s prompt and up to %s output tokens"), prompt,
                                  output);
        }
    }
  else
    g_string_append (text, _ ("As many requests as the server answers"));
  if (isfinite (estimate->seconds))
    {
      g_autofree char *seconds = tacho_display_duration (estimate->seconds);

      g_string_append_printf (text, _ (", in about %s."), seconds);
    }
  else
    g_string_append (text, _ (". How long that takes is known after a first run of this model."));
  return g_string_free (text, FALSE);
}
