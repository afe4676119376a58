/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run as CSV and as the terminal's table, and files that are written whole or not at all. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-result.h"

#include "base/tacho-text.h"
#include "bench/tacho-export-report.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* --- CSV --- */

/* Quoted where needed. A cell that a spreadsheet would run as a formula gets an apostrophe in
 * front. */
static void
add_cell (GString *out, const char *text)
{
  gboolean formula = text[0] != '\0' && strchr ("=+-@\t\r", text[0]) != NULL;

  if (out->len > 0 && out->str[out->len - 1] != '\n')
    g_string_append_c (out, ',');
  g_string_append_c (out, '"');
  if (formula)
    g_string_append_c (out, '\'');
  for (; *text != '\0'; text++)
    {
      if (*text == '"')
        g_string_append_c (out, '"');
      g_string_append_c (out, *text);
    }
  g_string_append_c (out, '"');
}

static void
add_raw (GString *out, const char *text)
{
  if (out->len > 0 && out->str[out->len - 1] != '\n')
    g_string_append_c (out, ',');
  g_string_append (out, text);
}

static void
add_number (GString *out, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  add_raw (out, isfinite (value) ? g_ascii_formatd (buffer, sizeof buffer, "%.6g", value) : "");
}

static void
add_integer (GString *out, gint64 value)
{
  char buffer[32];

  g_snprintf (buffer, sizeof buffer, "%" G_GINT64_FORMAT, value);
  add_raw (out, buffer);
}

/**
 * tacho_bench_result_to_csv:
 * @result: a run
 *
 * A row for each latency metric, in milliseconds, then one for each throughput and count.
 *
 * Returns: (transfer full): the text
 */
char *
tacho_bench_result_to_csv (TachoBenchResult *result)
{
  static const char *const columns[] = { "run",  "model", "simulated", "metric", "n",
                                         "mean", "sd",    "min",       "max" };
  GString *out = g_string_new (NULL);
  const struct
  {
    const char *name;
    double value;
  } scalars[] = {
    { "output_tokens_per_s", result->output_tokens_per_s },
    { "requests_per_s", result->requests_per_s },
    { "goodput_per_s", result->goodput_per_s },
    { "window_s", result->window_s },
    { "ok", (double) result->ok },
    { "error", (double) result->error },
    { "truncated", (double) result->truncated },
    { "cancelled", (double) result->cancelled },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (columns); i++)
    add_raw (out, columns[i]);
  for (int i = 0; i < TACHO_N_PERCENTILES; i++)
    {
      g_autofree char *low = g_strconcat (tacho_percentile_names[i], "_low", NULL);
      g_autofree char *high = g_strconcat (tacho_percentile_names[i], "_high", NULL);

      add_raw (out, tacho_percentile_names[i]);
      add_raw (out, low);
      add_raw (out, high);
    }
  g_string_append (out, "\r\n");
  for (int m = 0; m < TACHO_N_METRICS; m++)
    {
      const TachoDistribution *distribution = &result->latency[m];

      add_cell (out, result->id);
      add_cell (out, result->plan->model != NULL ? result->plan->model : "");
      add_raw (out, result->simulated ? "true" : "false");
      add_raw (out, tacho_metric_names[m]);
      add_integer (out, (gint64) distribution->n);
      add_number (out, distribution->mean);
      add_number (out, distribution->sd);
      add_number (out, distribution->min);
      add_number (out, distribution->max);
      for (int i = 0; i < TACHO_N_PERCENTILES; i++)
        {
          add_number (out, distribution->percentiles[i].value);
          add_number (out, distribution->percentiles[i].low);
          add_number (out, distribution->percentiles[i].high);
        }
      g_string_append (out, "\r\n");
    }
  for (gsize i = 0; i < G_N_ELEMENTS (scalars); i++)
    {
      add_cell (out, result->id);
      add_cell (out, result->plan->model != NULL ? result->plan->model : "");
      add_raw (out, result->simulated ? "true" : "false");
      add_raw (out, scalars[i].name);
      add_raw (out, "");
      add_number (out, scalars[i].value);
      for (int k = 0; k < 3 + 3 * TACHO_N_PERCENTILES; k++)
        g_string_append_c (out, ',');
      g_string_append (out, "\r\n");
    }
  return g_string_free (out, FALSE);
}

/**
 * tacho_bench_result_records_to_csv:
 * @result: a run
 *
 * A row for each request, warm-up included; stamps in nanoseconds, empty: not reached.
 *
 * Returns: (transfer full): the text
 */
char *
tacho_bench_result_records_to_csv (TachoBenchResult *result)
{
  GString *out = g_string_new (
      "id,response_id,status,error,http_status,connection,warmup,scheduled_ns,start_ns,first_ns,"
      "last_ns,end_ns,chunks,prompt_tokens,output_tokens,tokens_source,ttft_ms,e2e_ms,itl_ms,tpot_"
      "ms\r\n");

  for (guint i = 0; i < result->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (result->records, i);
      const gint64 stamps[] = { record->scheduled_ns, record->start_ns, record->first_ns,
                                record->last_ns, record->end_ns };

      add_integer (out, (gint64) record->id);
      add_cell (out, record->response_id != NULL ? record->response_id : "");
      add_raw (out, tacho_record_status_to_string (record->status));
      add_raw (out, record->error != 0 ? tacho_error_class (record->error) : "");
      add_integer (out, record->http_status);
      add_raw (out, record->connection_reused ? "reused" : "new");
      add_raw (out, record->warmup ? "true" : "false");
      for (gsize k = 0; k < G_N_ELEMENTS (stamps); k++)
        if (stamps[k] != 0)
          add_integer (out, stamps[k]);
        else
          add_raw (out, "");
      add_integer (out, record->chunks);
      if (record->prompt_tokens >= 0)
        add_integer (out, record->prompt_tokens);
      else
        add_raw (out, "");
      add_integer (out, MAX (record->output_tokens, 0));
      add_raw (out, record->tokens_from_usage ? "usage" : "chunks");
      add_number (out, tacho_bench_record_ttft_ms (record));
      add_number (out, tacho_bench_record_e2e_ms (record));
      add_number (out, tacho_bench_record_itl_ms (record));
      add_number (out, tacho_bench_record_tpot_ms (record));
      g_string_append (out, "\r\n");
    }
  return g_string_free (out, FALSE);
}

/* --- the terminal's table --- */

static char *
format_ms (double value)
{
  if (!isfinite (value))
    return g_strdup ("–");
  return g_strdup_printf (value < 10 ? "%.2f" : value < 1000 ? "%.1f" : "%.0f", value);
}

/* Pads by characters, not bytes: a dash is three bytes and one column. */
static void
add_column (GString *out, const char *text, int width)
{
  for (glong i = g_utf8_strlen (text, -1); i < width; i++)
    g_string_append_c (out, ' ');
  g_string_append (out, text);
}

static void
add_latency_table (GString *out, const TachoBenchResult *result)
{
  static const int shown[] = { TACHO_P50, TACHO_P90, TACHO_P95, TACHO_P99 };
  gboolean small = FALSE;

  g_string_append (
      out,
      "latency, ms                     n      mean       p50       p90       p95       p99 "
      "      max\n");
  for (int m = 0; m < TACHO_N_METRICS; m++)
    {
      const TachoDistribution *distribution = &result->latency[m];
      g_autofree char *mean = format_ms (distribution->mean);
      g_autofree char *max = format_ms (distribution->max);
      g_autofree char *n = g_strdup_printf ("%" G_GUINT64_FORMAT, distribution->n);

      if (!tacho_report_shows (result, (guint) m))
        continue;
      g_string_append_printf (out, "  %-21s", tacho_metric_names[m]);
      add_column (out, n, 10);
      add_column (out, mean, 10);
      for (gsize i = 0; i < G_N_ELEMENTS (shown); i++)
        {
          const TachoPercentile *percentile = &distribution->percentiles[shown[i]];
          g_autofree char *value = format_ms (percentile->value);
          g_autofree char *marked = g_strconcat (percentile->enough ? "" : "~", value, NULL);

          small |= !percentile->enough;
          add_column (out, marked, 10);
        }
      add_column (out, max, 10);
      g_string_append_c (out, '\n');
    }
  if (small)
    g_string_append (out, "  ~ too few samples to be sure of this percentile\n");
}

static void
add_errors (GString *out, const TachoBenchResult *result)
{
  gboolean any = FALSE;

  for (int code = 1; code < TACHO_ERROR_N_CLASSES; code++)
    if (result->errors[code] > 0)
      {
        g_string_append_printf (out, "%s %s %" G_GUINT64_FORMAT,
                                any ? "," : "errors:", tacho_error_class ((TachoErrorCode) code),
                                result->errors[code]);
        any = TRUE;
      }
  if (any)
    g_string_append_c (out, '\n');
}

static char *
format_share (double share)
{
  return isfinite (share) ? g_strdup_printf ("%.0f %%", share * 100) : g_strdup ("–");
}

static void
add_self_check (GString *out, const TachoBenchResult *result)
{
  const TachoSelfCheck *check = &result->self_check;
  g_autofree char *own = format_share (check->own_read_share);
  g_autofree char *reused = format_share (check->connections_reused_share);

  g_string_append_printf (out,
                          "self-check: %s; client CPU %.0f %%, loop lag p99 %.2f ms, chunks with a "
                          "read of their own %s, connections reused %s\n",
                          check->distorted ? "THE CLIENT MAY HAVE DISTORTED THIS RUN" : "ok",
                          check->client_cpu_share * 100, check->loop_lag_ms_p99,
                          own, reused);
  for (char **warning = check->warnings; warning != NULL && *warning != NULL; warning++)
    g_string_append_printf (out, "  ! %s\n", *warning);
}

/**
 * tacho_bench_result_to_text:
 * @result: a run
 *
 * The run as plain lines for a terminal, without colours.
 *
 * Returns: (transfer full): the text
 */
char *
tacho_bench_result_to_text (TachoBenchResult *result)
{
  GString *out = g_string_new (NULL);
  g_autofree char *model = tacho_text_sanitize_line (result->plan->model, -1, 120);

  g_string_append_printf (out, "%s%s on %s%s\n", result->simulated ? "SIMULATED: " : "", model,
                          result->target_url,
                          result->interrupted ? " (stopped before the plan was through)" : "");
  g_string_append_printf (
      out,
      "requests: %" G_GUINT64_FORMAT " ok, %" G_GUINT64_FORMAT " error, %" G_GUINT64_FORMAT
      " truncated, %" G_GUINT64_FORMAT " cancelled, %" G_GUINT64_FORMAT " warm-up (not counted)\n",
      result->ok, result->error, result->truncated, result->cancelled, result->warmup);
  if (result->cooldown + result->voided > 0)
    g_string_append_printf (out,
                            "%" G_GUINT64_FORMAT " of cool-down and %" G_GUINT64_FORMAT
                            " voided (not counted)\n",
                            result->cooldown, result->voided);
  add_errors (out, result);
  g_string_append_printf (out, "throughput: %.1f output tokens/s, %.2f requests/s over %.2f s\n",
                          result->output_tokens_per_s, result->requests_per_s, result->window_s);
  if (isfinite (result->goodput_per_s))
    g_string_append_printf (out, "goodput: %.2f requests/s met %s\n", result->goodput_per_s,
                            result->plan->slo);
  if (result->tokens_from_chunks > 0)
    g_string_append_printf (out,
                            "tokens: the server gave no usage for %" G_GUINT64_FORMAT
                            " requests; their chunks were counted instead\n",
                            result->tokens_from_chunks);
  add_latency_table (out, result);
  add_self_check (out, result);
  return g_string_free (out, FALSE);
}

/* --- files --- */

/**
 * tacho_bench_write_file:
 * @path: where to
 * @text: what
 * @error: return location
 *
 * Writes a file whole or not at all: beside it first, then renamed over it.
 *
 * Returns: whether it is written; else %TACHO_ERROR_IO
 */
gboolean
tacho_bench_write_file (const char *path, const char *text, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (g_file_set_contents_full (path, text, -1,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0666,
                                &reason))
    return TRUE;
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "Cannot write %s: %s", path, reason->message);
  return FALSE;
}

/**
 * tacho_bench_check_writable:
 * @path: where a result is to go
 * @error: return location
 *
 * Whether a file can be written there, asked before a run rather than found out after it.
 *
 * Returns: whether it can; else %TACHO_ERROR_IO
 */
gboolean
tacho_bench_check_writable (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *probe = g_build_filename (folder, ".tacho-XXXXXX", NULL);
  int fd = -1;
  int code = 0;

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    code = EISDIR;
  else if ((fd = g_mkstemp (probe)) < 0)
    code = errno;
  if (fd >= 0)
    {
      close (fd);
      g_unlink (probe);
    }
  if (code == 0)
    return TRUE;
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "Cannot write %s: %s", path, g_strerror (code));
  return FALSE;
}
