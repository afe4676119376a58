/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run as AIPerf's profile_export_aiperf.json, so that scripts go on. Its inter_token_latency is
 * our TPOT (request latency less TTFT, over the tokens after the first), its inter_chunk_latency
 * our chunk gap; std is the population's. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "bench/tacho-bench-format.h"

#include "base/tacho-clock.h"
#include "base/tacho-json.h"
#include "bench/tacho-export-sample.h"

#include <math.h>

#define SCHEMA_VERSION "1.5"

static void
begin_metric (JsonBuilder *builder, const char *name, const char *unit)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_object (builder);
  tacho_export_add_string (builder, "unit", unit);
}

static void
add_sample (JsonBuilder *builder,
            const char *name,
            const char *unit,
            const TachoExportSample *sample)
{
  static const double percents[] = { 1, 5, 10, 25, 50, 75, 90, 95, 99 };

  begin_metric (builder, name, unit);
  tacho_export_add_double (builder, "avg", sample->mean);
  for (gsize i = 0; i < G_N_ELEMENTS (percents); i++)
    {
      g_autofree char *member = g_strdup_printf ("p%g", percents[i]);

      tacho_export_add_double (builder, member,
                               tacho_export_sample_percentile (sample, percents[i]));
    }
  tacho_export_add_double (builder, "min", sample->min);
  tacho_export_add_double (builder, "max", sample->max);
  tacho_export_add_double (builder, "std", sample->sd_population);
  tacho_export_add_int (builder, "count", (gint64) sample->n);
  tacho_export_add_double (builder, "sum", sample->sum);
  json_builder_end_object (builder);
}

static void
add_metric (JsonBuilder *builder, TachoBenchResult *result, const char *name, guint metric)
{
  g_auto (TachoExportSample) sample = { 0 };

  tacho_export_sample_init (&sample, result, metric);
  add_sample (builder, name, "ms", &sample);
}

static void
add_average (JsonBuilder *builder, const char *name, const char *unit, double value)
{
  begin_metric (builder, name, unit);
  tacho_export_add_double (builder, "avg", value);
  json_builder_end_object (builder);
}

typedef double (*CountFunc) (const TachoBenchRecord *record);

static double
count_input (const TachoBenchRecord *record)
{
  return record->prompt_tokens >= 0 ? (double) record->prompt_tokens : NAN;
}

static double
count_output (const TachoBenchRecord *record)
{
  return (double) MAX (record->output_tokens, 0);
}

static double
rate_per_user (const TachoBenchRecord *record)
{
  double tpot = tacho_bench_record_tpot_ms (record);

  return tpot > 0 ? 1000 / tpot : NAN;
}

static void
add_counts (JsonBuilder *builder,
            TachoBenchResult *result,
            const char *name,
            const char *unit,
            CountFunc func)
{
  g_auto (TachoExportSample) sample = { 0 };
  double *values = g_new (double, MAX (result->records->len, 1));
  gsize n = 0;

  for (guint i = 0; i < result->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (result->records, i);
      double value = tacho_bench_record_counts (record) && record->status == TACHO_RECORD_OK
                         ? func (record)
                         : NAN;

      if (isfinite (value))
        values[n++] = value;
    }
  tacho_export_sample_init_values (&sample, values, n);
  add_sample (builder, name, unit, &sample);
}

static void
add_errors (JsonBuilder *builder, const TachoBenchResult *result)
{
  json_builder_set_member_name (builder, "error_summary");
  json_builder_begin_array (builder);
  for (int i = 1; i < TACHO_ERROR_N_CLASSES; i++)
    if (result->errors[i] > 0)
      {
        json_builder_begin_object (builder);
        json_builder_set_member_name (builder, "error_details");
        json_builder_begin_object (builder);
        tacho_export_add_string (builder, "type", tacho_error_class ((TachoErrorCode) i));
        tacho_export_add_string (builder, "message", tacho_error_class ((TachoErrorCode) i));
        json_builder_end_object (builder);
        tacho_export_add_int (builder, "count", (gint64) result->errors[i]);
        json_builder_end_object (builder);
      }
  json_builder_end_array (builder);
}

static void
add_times (JsonBuilder *builder, const TachoBenchResult *result)
{
  g_autoptr (GDateTime) start =
      result->window_start_unix_us > 0
          ? g_date_time_new_from_unix_utc (result->window_start_unix_us / G_USEC_PER_SEC)
          : NULL;
  g_autoptr (GDateTime) end =
      start != NULL ? g_date_time_add_seconds (start, result->window_s) : NULL;
  g_autofree char *start_text = start != NULL ? g_date_time_format_iso8601 (start) : NULL;
  g_autofree char *end_text = end != NULL ? g_date_time_format_iso8601 (end) : NULL;

  tacho_export_add_string (builder, "start_time", start_text);
  tacho_export_add_string (builder, "end_time", end_text);
  json_builder_set_member_name (builder, "was_cancelled");
  json_builder_add_boolean_value (builder, result->interrupted);
}

static void
add_config (JsonBuilder *builder, const TachoBenchResult *result)
{
  json_builder_set_member_name (builder, "input_config");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "endpoint");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "model_names");
  json_builder_begin_array (builder);
  json_builder_add_string_value (builder, result->plan->model != NULL ? result->plan->model : "");
  json_builder_end_array (builder);
  tacho_export_add_string (builder, "url", result->target_url);
  tacho_export_add_string (builder, "type", result->plan->chat ? "chat" : "completions");
  json_builder_end_object (builder);
  json_builder_set_member_name (builder, "tacho_plan");
  tacho_bench_plan_to_json (result->plan, builder);
  json_builder_end_object (builder);
}

/**
 * tacho_export_aiperf:
 * @result: a run
 *
 * Returns: (transfer full): what AIPerf would have written
 */
char *
tacho_export_aiperf (TachoBenchResult *result)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr (JsonNode) root = NULL;
  guint64 failed = result->error + result->truncated + result->cancelled;

  json_builder_begin_object (builder);
  tacho_export_add_string (builder, "schema_version", SCHEMA_VERSION);
  tacho_export_add_string (builder, "aiperf_version", NULL);
  tacho_export_add_string (builder, "generator", "tacho " TACHO_VERSION);
  tacho_export_add_string (builder, "benchmark_id", result->id);
  add_average (builder, "request_throughput", "requests/sec", result->requests_per_s);
  add_metric (builder, result, "request_latency", TACHO_METRIC_E2E);
  add_average (builder, "request_count", "requests", (double) result->ok);
  add_metric (builder, result, "time_to_first_token", TACHO_METRIC_TTFT);
  add_metric (builder, result, "inter_token_latency", TACHO_METRIC_TPOT);
  add_metric (builder, result, "inter_chunk_latency", TACHO_METRIC_CHUNK_GAP);
  add_average (builder, "output_token_throughput", "tokens/sec", result->output_tokens_per_s);
  add_counts (builder, result, "output_token_throughput_per_user", "tokens/sec/user",
              rate_per_user);
  add_counts (builder, result, "output_sequence_length", "tokens", count_output);
  add_counts (builder, result, "input_sequence_length", "tokens", count_input);
  if (isfinite (result->goodput_per_s))
    add_average (builder, "goodput", "requests/sec", result->goodput_per_s);
  add_average (builder, "total_output_tokens", "tokens", (double) result->output_tokens);
  add_average (builder, "total_isl", "tokens", (double) result->prompt_tokens);
  add_average (builder, "benchmark_duration", "sec", result->window_s);
  add_average (builder, "error_request_count", "requests", (double) failed);
  add_config (builder, result);
  add_times (builder, result);
  add_errors (builder, result);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return tacho_json_to_string (root, TRUE);
}
