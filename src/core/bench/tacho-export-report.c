/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of a report. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-export-report.h"

#include <math.h>

/**
 * tacho_report_ms:
 * @ms: milliseconds
 *
 * Returns: (transfer full): three significant digits or so, a dash for NaN
 */
char *
tacho_report_ms (double ms)
{
  if (!isfinite (ms))
    return g_strdup ("–");
  return g_strdup_printf (ms < 10 ? "%.2f" : ms < 1000 ? "%.1f" : "%.0f", ms);
}

/**
 * tacho_report_percentile:
 * @percentile: of a distribution
 *
 * Returns: (transfer full): the value and its interval, with a tilde where the sample is too small
 */
char *
tacho_report_percentile (const TachoPercentile *percentile)
{
  g_autofree char *value = tacho_report_ms (percentile->value);
  g_autofree char *low = tacho_report_ms (percentile->low);
  g_autofree char *high = tacho_report_ms (percentile->high);

  if (!isfinite (percentile->value))
    return g_steal_pointer (&value);
  return g_strdup_printf ("%s%s (%s to %s)", percentile->enough ? "" : "~", value, low, high);
}

/**
 * tacho_report_shows:
 * @result: a run
 * @metric: %TACHO_METRIC_TTFT …
 *
 * Returns: whether a report of this run shows it: from the schedule only where there was one
 */
gboolean
tacho_report_shows (const TachoBenchResult *result, guint metric)
{
  gboolean open = tacho_bench_plan_is_open (result->plan);

  if (metric == TACHO_METRIC_TTFT_FROM_SCHEDULE || metric == TACHO_METRIC_E2E_FROM_SCHEDULE)
    return open && result->latency[metric].n > 0;
  return result->latency[metric].n > 0;
}

/**
 * tacho_report_banners:
 * @result: a run
 *
 * Returns: (transfer full) (array zero-terminated=1): what must be known before a figure is read
 */
char **
tacho_report_banners (TachoBenchResult *result)
{
  GPtrArray *list = g_ptr_array_new ();

  if (result->simulated)
    g_ptr_array_add (list, g_strdup ("Simulated server: these are no figures of a real model."));
  if (result->interrupted)
    g_ptr_array_add (list, g_strdup ("Stopped before the plan was through."));
  else if (g_strcmp0 (result->stop_reason, "error-budget") == 0)
    g_ptr_array_add (list, g_strdup ("Ended because too many requests failed."));
  else if (g_strcmp0 (result->stop_reason, "until") == 0)
    g_ptr_array_add (list, g_strdup_printf ("Ended when %s was known.", result->plan->until));
  if (result->self_check.distorted)
    g_ptr_array_add (list, g_strdup ("The client may have distorted this run."));
  for (char **warning = result->self_check.warnings; warning != NULL && *warning != NULL; warning++)
    g_ptr_array_add (list, g_strdup_printf ("%s.", *warning));
  for (guint i = 0; i < result->voids->len; i++)
    {
      const TachoBenchVoid *part = g_ptr_array_index (result->voids, i);

      g_ptr_array_add (list, g_strdup_printf ("Does not count: %.1f s to %.1f s. %s.", part->from_s,
                                              part->to_s, part->reason));
    }
  g_ptr_array_add (list, NULL);
  return (char **) g_ptr_array_free (list, FALSE);
}

static char *
load_of (const TachoBenchPlan *plan)
{
  if (plan->load == TACHO_LOAD_CLOSED)
    return g_strdup_printf ("%u at a time", plan->concurrency);
  if (plan->load == TACHO_LOAD_TRACE)
    return g_strdup ("a trace, replayed");
  return g_strdup_printf ("%g requests/s, %s arrivals", plan->rate,
                          tacho_load_kind_to_string (plan->load));
}

static char *
lengths_of (const TachoBenchPlan *plan)
{
  g_autofree char *in = tacho_lengths_to_string (&plan->prompt_tokens);
  g_autofree char *out = tacho_lengths_to_string (&plan->output_tokens);

  if (plan->prompts_file != NULL)
    return g_strdup_printf ("prompts of %s", plan->prompts_file);
  return g_strdup_printf ("%s%s tokens in, %s out%s", plan->exact_tokens ? "" : "about ", in, out,
                          plan->salt ? ", unique prompts" : ", prompts may repeat");
}

static void
add (GPtrArray *list, const char *name, char *value)
{
  g_ptr_array_add (list, g_strdup (name));
  g_ptr_array_add (list, value);
}

/**
 * tacho_report_facts:
 * @result: a run
 *
 * Returns: (transfer full) (array zero-terminated=1): names and values in turn
 */
char **
tacho_report_facts (TachoBenchResult *result)
{
  GPtrArray *list = g_ptr_array_new ();
  guint64 failed = result->error + result->truncated;

  add (list, "Model", g_strdup (result->plan->model != NULL ? result->plan->model : "–"));
  add (list, "Server",
       g_strdup_printf ("%s%s%s", result->target_url != NULL ? result->target_url : "–",
                        result->target_description != NULL ? ", " : "",
                        result->target_description != NULL ? result->target_description : ""));
  add (list, "Load", load_of (result->plan));
  add (list, "Work", lengths_of (result->plan));
  add (list, "Measured", g_strdup_printf ("%.2f s, begun %s", result->window_s, result->started));
  add (list, "Requests",
       g_strdup_printf ("%" G_GUINT64_FORMAT " ok, %" G_GUINT64_FORMAT " failed, %" G_GUINT64_FORMAT
                        " cancelled; %" G_GUINT64_FORMAT " of warm-up, %" G_GUINT64_FORMAT
                        " of cool-down, %" G_GUINT64_FORMAT " voided do not count",
                        result->ok, failed, result->cancelled, result->warmup, result->cooldown,
                        result->voided));
  add (list, "Throughput",
       g_strdup_printf ("%.1f output tokens/s, %.2f requests/s", result->output_tokens_per_s,
                        result->requests_per_s));
  if (isfinite (result->goodput_per_s))
    add (list, "Goodput",
         g_strdup_printf ("%.2f requests/s met %s", result->goodput_per_s, result->plan->slo));
  if (result->tokens_from_chunks > 0)
    add (list, "Tokens",
         g_strdup_printf ("counted from chunks for %" G_GUINT64_FORMAT
                          " requests: the server gave no usage",
                          result->tokens_from_chunks));
  add (list, "Run", g_strdup (result->id));
  g_ptr_array_add (list, NULL);
  return (char **) g_ptr_array_free (list, FALSE);
}
