/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run as Markdown, for a pull request or a ticket. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-format.h"

#include "base/tacho-text.h"
#include "bench/tacho-export-report.h"

#include <string.h>

#define MAX_TEXT 400

/* Names of models and servers are hostile: nothing in them is markup, a link or an element. */
static void
add_text (GString *out, const char *text)
{
  g_autofree char *line = tacho_text_sanitize_line (text, -1, MAX_TEXT);

  for (const char *at = line; *at != '\0'; at++)
    {
      if (*at == '<')
        g_string_append (out, "&lt;");
      else if (*at == '>')
        g_string_append (out, "&gt;");
      else if (*at == '&')
        g_string_append (out, "&amp;");
      else
        {
          if (strchr ("\\`*_[]|~!#@", *at) != NULL)
            g_string_append_c (out, '\\');
          g_string_append_c (out, *at);
        }
    }
}

static void
add_latency (GString *out, const TachoBenchResult *result)
{
  static const int shown[] = { TACHO_P50, TACHO_P90, TACHO_P95, TACHO_P99 };
  gboolean small = FALSE;

  g_string_append (out, "\n| latency, ms | n | mean | p50 | p90 | p95 | p99 | max |\n"
                        "|---|--:|--:|--:|--:|--:|--:|--:|\n");
  for (guint m = 0; m < TACHO_N_METRICS; m++)
    {
      const TachoDistribution *d = &result->latency[m];
      g_autofree char *mean = tacho_report_ms (d->mean);
      g_autofree char *max = tacho_report_ms (d->max);

      if (!tacho_report_shows (result, m))
        continue;
      g_string_append_printf (out, "| `%s` | %" G_GUINT64_FORMAT " | %s |", tacho_metric_names[m],
                              d->n, mean);
      for (gsize i = 0; i < G_N_ELEMENTS (shown); i++)
        {
          g_autofree char *value = tacho_report_percentile (&d->percentiles[shown[i]]);

          small |= !d->percentiles[shown[i]].enough;
          g_string_append_printf (out, " %s%s |", value[0] == '~' ? "\\" : "", value);
        }
      g_string_append_printf (out, " %s |\n", max);
    }
  g_string_append (out, "\nIn brackets: the 95 % interval of the percentile.");
  if (small)
    g_string_append (out, " \\~ too few samples to be sure of it.");
  g_string_append_c (out, '\n');
}

static void
add_errors (GString *out, const TachoBenchResult *result)
{
  gboolean any = FALSE;

  for (int i = 1; i < TACHO_ERROR_N_CLASSES; i++)
    {
      if (result->errors[i] == 0)
        continue;
      if (!any)
        g_string_append (out, "\n| error | requests |\n|---|--:|\n");
      any = TRUE;
      g_string_append_printf (out, "| `%s` | %" G_GUINT64_FORMAT " |\n",
                              tacho_error_class ((TachoErrorCode) i), result->errors[i]);
    }
}

/**
 * tacho_export_markdown:
 * @result: a run
 *
 * Returns: (transfer full): a report
 */
char *
tacho_export_markdown (TachoBenchResult *result)
{
  GString *out = g_string_new ("## Benchmark of ");
  g_auto (GStrv) banners = tacho_report_banners (result);
  g_auto (GStrv) facts = tacho_report_facts (result);
  const TachoSelfCheck *check = &result->self_check;

  add_text (out, result->plan->model != NULL ? result->plan->model : "a model");
  g_string_append (out, "\n\n");
  for (char **banner = banners; *banner != NULL; banner++)
    {
      g_string_append (out, "> **");
      add_text (out, *banner);
      g_string_append (out, "**\n>\n");
    }
  if (*banners != NULL)
    g_string_append_c (out, '\n');
  g_string_append (out, "| | |\n|---|---|\n");
  for (char **fact = facts; *fact != NULL; fact += 2)
    {
      g_string_append_printf (out, "| %s | ", fact[0]);
      add_text (out, fact[1]);
      g_string_append (out, " |\n");
    }
  add_latency (out, result);
  add_errors (out, result);
  g_string_append_printf (out,
                          "\nSelf-check: client CPU %.0f %%, loop lag p99 %.2f ms, chunks with a "
                          "read of their own %.0f %%, connections reused %.0f %%.\n",
                          check->client_cpu_share * 100, check->loop_lag_ms_p99,
                          check->own_read_share * 100, check->connections_reused_share * 100);
  return g_string_free (out, FALSE);
}
