/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run as one HTML file: no script, no network, light and dark, fit to print. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-format.h"

#include "bench/tacho-export-report.h"
#include "bench/tacho-export-sample.h"
#include "bench/tacho-export-svg.h"

#include <math.h>

#define BARS 40

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'\"/>\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<style>\n"
    ":root{color-scheme:light dark;--fg:#1d1d20;--dim:#5e5c64;--bg:#fafafb;--card:#fff;--line:#ddd;"
    "--a:#1c71d8;--b:#c64600;--c:#2e7d32;--d:#813d9c;--warn:#fff3cd;--warn-fg:#5c4400}\n"
    "@media(prefers-color-scheme:dark){:root{--fg:#f2f2f3;--dim:#b0afb5;--bg:#1d1d20;"
    "--card:#28282c;--line:#45454b;--a:#78aeed;--b:#ffa95c;--c:#7bd88f;--d:#d3a4f0;--warn:#4a3b10;"
    "--warn-fg:#ffe9a8}}\n"
    "body{font:15px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);margin:0 auto;"
    "max-width:62rem;padding:1.5rem}h1{font-size:1.5rem;overflow-wrap:anywhere}"
    "h2{font-size:1.15rem;margin-top:2rem}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
    "th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid var(--line);"
    "overflow-wrap:anywhere}th:first-child,td:first-child,.facts td{text-align:left}"
    "small{color:var(--dim);white-space:nowrap}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.8rem}"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.8rem}"
    ".card b{display:block;font-size:1.5rem}\n"
    ".warn{background:var(--warn);color:var(--warn-fg);border-radius:.5rem;padding:.5rem .8rem;"
    "margin:.4rem 0}.scroll{overflow-x:auto}\n"
    "figure{background:var(--card);border:1px solid var(--line);border-radius:.6rem;margin:1rem 0;"
    "padding:.8rem}figcaption{font-weight:600}svg{width:100%;height:auto}"
    "svg text{fill:var(--dim);font-size:12px}.axis line{stroke:var(--line)}"
    "path{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}"
    ".s0{stroke:var(--a)}.s1{stroke:var(--b);stroke-dasharray:6 3}.s2{stroke:var(--c)}"
    ".s3{stroke:var(--d)}.bar{fill:var(--a)}\n"
    "@media print{body{max-width:none}figure,.card{break-inside:avoid}}\n</style>\n<title>";

static void
add_card (GString *out, const char *name, double value, const char *unit, int digits)
{
  if (!isfinite (value))
    return;
  g_string_append_printf (out, "<div class=\"card\">%s<b>%.*f</b>%s</div>", name, digits, value,
                          unit);
}

static void
add_cards (GString *out, const TachoBenchResult *result)
{
  const TachoDistribution *ttft = &result->latency[TACHO_METRIC_TTFT];
  const TachoDistribution *itl = &result->latency[TACHO_METRIC_ITL];
  double all = (double) (result->ok + result->error + result->truncated);

  g_string_append (out, "<div class=\"cards\">");
  add_card (out, "Throughput", result->output_tokens_per_s, "output tokens/s", 1);
  add_card (out, "Requests", result->requests_per_s, "a second", 2);
  add_card (out, "Goodput", result->goodput_per_s, "good requests/s", 2);
  add_card (out, "TTFT, median", ttft->percentiles[TACHO_P50].value, "ms", 1);
  add_card (out, "TTFT, p95", ttft->percentiles[TACHO_P95].value, "ms", 1);
  add_card (out, "ITL, median", itl->percentiles[TACHO_P50].value, "ms", 2);
  add_card (out, "Failed", all > 0 ? 100 * (double) (result->error + result->truncated) / all : NAN,
            "% of the requests", 1);
  g_string_append (out, "</div>\n");
}

static void
add_percentile (GString *out, const TachoPercentile *percentile)
{
  g_autofree char *value = tacho_report_ms (percentile->value);
  g_autofree char *low = tacho_report_ms (percentile->low);
  g_autofree char *high = tacho_report_ms (percentile->high);

  g_string_append_printf (out, "<td>%s%s<br/><small>%s to %s</small></td>",
                          percentile->enough ? "" : "~", value, low, high);
}

static void
add_latency (GString *out, const TachoBenchResult *result)
{
  g_string_append (out, "<h2>Latency, ms</h2><div class=\"scroll\"><table><thead><tr>"
                        "<th>metric</th><th>n</th><th>mean</th>");
  for (int i = 0; i < TACHO_N_PERCENTILES; i++)
    g_string_append_printf (out, "<th>%s</th>", tacho_percentile_names[i]);
  g_string_append (out, "<th>max</th></tr></thead><tbody>\n");
  for (guint m = 0; m < TACHO_N_METRICS; m++)
    {
      const TachoDistribution *d = &result->latency[m];
      g_autofree char *mean = tacho_report_ms (d->mean);
      g_autofree char *max = tacho_report_ms (d->max);

      if (!tacho_report_shows (result, m))
        continue;
      g_string_append_printf (out, "<tr><td>%s</td><td>%" G_GUINT64_FORMAT "</td><td>%s</td>",
                              tacho_metric_names[m], d->n, mean);
      for (int i = 0; i < TACHO_N_PERCENTILES; i++)
        add_percentile (out, &d->percentiles[i]);
      g_string_append_printf (out, "<td>%s</td></tr>\n", max);
    }
  g_string_append (out, "</tbody></table></div><p><small>Below each percentile its 95 % interval; "
                        "~ too few samples to be sure of it.</small></p>\n");
}

static void
add_errors (GString *out, const TachoBenchResult *result)
{
  if (result->error + result->truncated + result->cancelled == 0)
    return;
  g_string_append (out, "<h2>Errors</h2><table><tbody>");
  for (int i = 1; i < TACHO_ERROR_N_CLASSES; i++)
    if (result->errors[i] > 0)
      g_string_append_printf (out, "<tr><td>%s</td><td>%" G_GUINT64_FORMAT "</td></tr>",
                              tacho_error_class ((TachoErrorCode) i), result->errors[i]);
  g_string_append (out, "</tbody></table>\n");
}

/* --- charts --- */

typedef double (*PointFunc) (const TachoBenchPoint *point);

#define POINT(field)                                                                               \
  static double point_##field (const TachoBenchPoint *point) { return (double) point->field; }
POINT (output_tokens_per_s)
POINT (ttft_ms_p50)
POINT (ttft_ms_p95)
POINT (chunk_gap_ms_p50)
POINT (chunk_gap_ms_p95)
POINT (in_flight)
POINT (errors)

static void
add_timeline (GString *out,
              const TachoBenchResult *result,
              const TachoSvgChart *chart,
              const char *const *names,
              const PointFunc *funcs,
              gsize n_series)
{
  guint n = result->timeline->len;
  g_autofree double *x = g_new (double, MAX (n, 1));
  g_autofree double *y = g_new (double, MAX (n, 1) * n_series);
  TachoSvgSeries series[4];

  for (guint i = 0; i < n; i++)
    {
      const TachoBenchPoint *point = &g_array_index (result->timeline, TachoBenchPoint, i);

      x[i] = point->t_s;
      for (gsize s = 0; s < n_series; s++)
        y[s * n + i] = funcs[s](point);
    }
  for (gsize s = 0; s < n_series; s++)
    series[s] = (TachoSvgSeries){ names[s], x, y + s * n, n };
  tacho_svg_add_chart (out, chart, series, n_series);
}

static void
add_timelines (GString *out, const TachoBenchResult *result)
{
  static const char *const bands[] = { "p50", "p95" };
  static const char *const loads[] = { "in flight", "failed" };
  static const char *const one[] = { "tokens/s" };
  const TachoSvgChart throughput = { .title = "Throughput", .x_label = "s", .y_label = "tokens/s" };
  const TachoSvgChart ttft = { .title = "Time to first token", .x_label = "s", .y_label = "ms" };
  const TachoSvgChart gaps = { .title = "Gap between chunks", .x_label = "s", .y_label = "ms" };
  const TachoSvgChart load = { .title = "Load, failures", .x_label = "s", .y_label = "requests" };

  if (result->timeline->len == 0)
    return;
  g_string_append (out, "<h2>Over time</h2>\n");
  add_timeline (out, result, &throughput, one, (PointFunc[]){ point_output_tokens_per_s }, 1);
  add_timeline (out, result, &ttft, bands, (PointFunc[]){ point_ttft_ms_p50, point_ttft_ms_p95 },
                2);
  add_timeline (out, result, &gaps, bands,
                (PointFunc[]){ point_chunk_gap_ms_p50, point_chunk_gap_ms_p95 }, 2);
  add_timeline (out, result, &load, loads, (PointFunc[]){ point_in_flight, point_errors }, 2);
}

static void
add_histogram (GString *out, TachoBenchResult *result, guint metric, const char *title)
{
  g_auto (TachoExportSample) sample = { 0 };
  double x[BARS + 1], y[BARS + 1] = { 0 };
  const TachoSvgChart chart = {
    .title = title, .x_label = "ms", .y_label = "requests", .bars = TRUE
  };
  const TachoSvgSeries series = { "requests", x, y, BARS + 1 };

  tacho_export_sample_init (&sample, result, metric);
  if (sample.n < 2 || !(sample.max > sample.min))
    return;
  for (guint i = 0; i <= BARS; i++)
    x[i] = sample.min + (sample.max - sample.min) * i / BARS;
  for (gsize i = 0; i < sample.n; i++)
    {
      double at = (sample.values[i] - sample.min) / (sample.max - sample.min) * BARS;

      y[MIN ((guint) at, BARS - 1)]++;
    }
  tacho_svg_add_chart (out, &chart, &series, 1);
}

static void
add_cdf (GString *out, TachoBenchResult *result, guint metric, const char *title)
{
  g_auto (TachoExportSample) sample = { 0 };
  double x[101], y[101];
  const TachoSvgChart chart = { .title = title, .x_label = "ms", .y_label = "%", .y_max = 100 };
  const TachoSvgSeries series = { "share", x, y, 101 };

  tacho_export_sample_init (&sample, result, metric);
  if (sample.n < 2)
    return;
  for (guint i = 0; i <= 100; i++)
    {
      x[i] = tacho_export_sample_percentile (&sample, i);
      y[i] = i;
    }
  tacho_svg_add_chart (out, &chart, &series, 1);
}

static void
add_sampled (GString *out,
             const TachoBenchResult *result,
             const char *title,
             const char *unit,
             gsize offset,
             double scale)
{
  guint n = result->samples->len;
  g_autofree double *x = g_new (double, MAX (n, 1));
  g_autofree double *y = g_new (double, MAX (n, 1));
  const TachoSvgChart chart = { .title = title, .x_label = "s", .y_label = unit };
  const TachoSvgSeries series = { unit, x, y, n };
  gboolean any = FALSE;

  for (guint i = 0; i < n; i++)
    {
      const TachoBenchSample *sample = &g_array_index (result->samples, TachoBenchSample, i);

      x[i] = sample->t_s;
      y[i] = G_STRUCT_MEMBER (double, sample, offset) * scale;
      any |= isfinite (y[i]);
    }
  if (any)
    tacho_svg_add_chart (out, &chart, &series, 1);
}

#define SAMPLE(field) G_STRUCT_OFFSET (TachoBenchSample, field)

static void
add_samples (GString *out, const TachoBenchResult *result)
{
  if (result->samples->len < 2)
    return;
  g_string_append (out, "<h2>What server and host said</h2>\n");
  add_sampled (out, result, "Requests that the server runs", "requests",
               SAMPLE (server.requests_running), 1);
  add_sampled (out, result, "Requests that wait in the server", "requests",
               SAMPLE (server.requests_waiting), 1);
  add_sampled (out, result, "KV cache in use", "%", SAMPLE (server.kv_cache_usage), 100);
  add_sampled (out, result, "CPU of this host", "%", SAMPLE (cpu_share), 100);
  add_sampled (out, result, "GPU of this host", "%", SAMPLE (gpu_share), 100);
}

/**
 * tacho_export_html:
 * @result: a run
 *
 * Returns: (transfer full): a document
 */
char *
tacho_export_html (TachoBenchResult *result)
{
  GString *out = g_string_new (head);
  g_auto (GStrv) banners = tacho_report_banners (result);
  g_auto (GStrv) facts = tacho_report_facts (result);

  tacho_html_add_text (out, result->plan->model);
  g_string_append (out, " – Tacho</title></head>\n<body><h1>Benchmark of ");
  tacho_html_add_text (out, result->plan->model);
  g_string_append (out, "</h1>\n");
  for (char **banner = banners; *banner != NULL; banner++)
    {
      g_string_append (out, "<p class=\"warn\">");
      tacho_html_add_text (out, *banner);
      g_string_append (out, "</p>\n");
    }
  add_cards (out, result);
  add_latency (out, result);
  add_errors (out, result);
  add_timelines (out, result);
  g_string_append (out, "<h2>Distribution</h2>\n");
  add_histogram (out, result, TACHO_METRIC_TTFT, "Time to first token of each request");
  add_cdf (out, result, TACHO_METRIC_TTFT, "Share of requests with a first token within");
  add_cdf (out, result, TACHO_METRIC_E2E, "Share of requests that ended within");
  add_samples (out, result);
  g_string_append (out, "<h2>The run</h2><table class=\"facts\"><tbody>\n");
  for (char **fact = facts; *fact != NULL; fact += 2)
    {
      g_string_append_printf (out, "<tr><td>%s</td><td>", fact[0]);
      tacho_html_add_text (out, fact[1]);
      g_string_append (out, "</td></tr>\n");
    }
  g_string_append (out, "</tbody></table>\n</body></html>\n");
  return g_string_free (out, FALSE);
}
