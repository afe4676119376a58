/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run as `vllm bench serve --save-result --save-detailed` writes it (vllm/benchmarks/serve.py),
 * so that scripts go on. Its "itl" are the pooled gaps between chunks, its "std" is the
 * population's, and its lists are in seconds. What Tacho does not know is null. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-format.h"

#include "base/tacho-clock.h"
#include "base/tacho-json.h"
#include "bench/tacho-export-sample.h"

#include <math.h>

static void
add_metric (JsonBuilder *builder, TachoBenchResult *result, const char *name, guint metric)
{
  static const double percents[] = { 50, 75, 90, 95, 99 };
  static const char *const moments[] = { "mean", "median", "std" };
  g_auto (TachoExportSample) sample = { 0 };
  double values[3];

  tacho_export_sample_init (&sample, result, metric);
  values[0] = sample.mean;
  values[1] = tacho_export_sample_percentile (&sample, 50);
  values[2] = sample.sd_population;
  for (gsize i = 0; i < G_N_ELEMENTS (moments); i++)
    {
      g_autofree char *member = g_strdup_printf ("%s_%s_ms", moments[i], name);

      tacho_export_add_double (builder, member, values[i]);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (percents); i++)
    {
      g_autofree char *member = g_strdup_printf ("p%g_%s_ms", percents[i], name);

      tacho_export_add_double (builder, member,
                               tacho_export_sample_percentile (&sample, percents[i]));
    }
}

static void
add_load (JsonBuilder *builder, const TachoBenchPlan *plan)
{
  json_builder_set_member_name (builder, "request_rate");
  if (plan->load == TACHO_LOAD_CLOSED || plan->load == TACHO_LOAD_TRACE)
    json_builder_add_string_value (builder, "inf");
  else
    json_builder_add_double_value (builder, plan->rate);
  json_builder_set_member_name (builder, "burstiness");
  if (plan->load == TACHO_LOAD_CONSTANT)
    json_builder_add_string_value (builder, "inf");
  else
    json_builder_add_double_value (builder,
                                   plan->load == TACHO_LOAD_GAMMA ? plan->gamma_shape : 1.0);
  json_builder_set_member_name (builder, "max_concurrency");
  if (plan->load == TACHO_LOAD_CLOSED)
    json_builder_add_int_value (builder, plan->concurrency);
  else
    json_builder_add_null_value (builder);
}

static void
add_totals (JsonBuilder *builder, TachoBenchResult *result)
{
  double peak = 0;

  for (guint i = 0; i < result->timeline->len; i++)
    peak = MAX (peak, g_array_index (result->timeline, TachoBenchPoint, i).output_tokens_per_s);
  tacho_export_add_double (builder, "duration", result->window_s);
  tacho_export_add_int (builder, "completed", (gint64) result->ok);
  tacho_export_add_int (builder, "failed",
                        (gint64) (result->error + result->truncated + result->cancelled));
  tacho_export_add_int (builder, "total_input_tokens", (gint64) result->prompt_tokens);
  tacho_export_add_int (builder, "total_output_tokens", (gint64) result->output_tokens);
  tacho_export_add_double (builder, "request_throughput", result->requests_per_s);
  tacho_export_add_double (builder, "request_goodput", result->goodput_per_s);
  tacho_export_add_double (builder, "output_throughput", result->output_tokens_per_s);
  tacho_export_add_double (builder, "total_token_throughput",
                           result->output_tokens_per_s + result->prompt_tokens_per_s);
  tacho_export_add_double (builder, "max_output_tokens_per_s", peak);
  tacho_export_add_int (builder, "max_concurrent_requests", tacho_export_max_in_flight (result));
}

typedef void (*ItemFunc) (JsonBuilder *builder,
                          const TachoBenchResult *result,
                          const TachoBenchRecord *record);

static void
add_seconds (JsonBuilder *builder, double ms)
{
  json_builder_add_double_value (builder, isfinite (ms) ? ms / 1000 : 0);
}

static void
item_input (JsonBuilder *builder, const TachoBenchResult *result, const TachoBenchRecord *record)
{
  json_builder_add_int_value (builder, MAX (record->prompt_tokens, 0));
}

static void
item_output (JsonBuilder *builder, const TachoBenchResult *result, const TachoBenchRecord *record)
{
  json_builder_add_int_value (
      builder, record->status == TACHO_RECORD_OK ? MAX (record->output_tokens, 0) : 0);
}

static void
item_ttft (JsonBuilder *builder, const TachoBenchResult *result, const TachoBenchRecord *record)
{
  add_seconds (builder, tacho_bench_record_ttft_ms (record));
}

static void
item_latency (JsonBuilder *builder, const TachoBenchResult *result, const TachoBenchRecord *record)
{
  add_seconds (builder, tacho_bench_record_e2e_ms (record));
}

static void
item_queue (JsonBuilder *builder, const TachoBenchResult *result, const TachoBenchRecord *record)
{
  add_seconds (builder, tacho_bench_record_queue_ms (record));
}

static void
item_start (JsonBuilder *builder, const TachoBenchResult *result, const TachoBenchRecord *record)
{
  json_builder_add_double_value (builder,
                                 (double) (record->start_ns - result->window_start_ns) /
                                     TACHO_NS_PER_S);
}

static void
item_error (JsonBuilder *builder, const TachoBenchResult *result, const TachoBenchRecord *record)
{
  json_builder_add_string_value (builder,
                                 record->error != 0 ? tacho_error_class (record->error) : "");
}

static void
item_itls (JsonBuilder *builder, const TachoBenchResult *result, const TachoBenchRecord *record)
{
  json_builder_begin_array (builder);
  for (guint32 i = 1; i < record->n_chunk_ns; i++)
    json_builder_add_double_value (builder,
                                   (double) (record->chunk_ns[i] - record->chunk_ns[i - 1]) /
                                       TACHO_NS_PER_S);
  json_builder_end_array (builder);
}

static void
add_lists (JsonBuilder *builder, TachoBenchResult *result)
{
  static const struct
  {
    const char *name;
    ItemFunc func;
  } lists[] = {
    { "input_lens", item_input },   { "output_lens", item_output }, { "ttfts", item_ttft },
    { "itls", item_itls },          { "latencies", item_latency },  { "queue_times", item_queue },
    { "start_times", item_start },  { "errors", item_error },
  };

  for (gsize list = 0; list < G_N_ELEMENTS (lists); list++)
    {
      json_builder_set_member_name (builder, lists[list].name);
      json_builder_begin_array (builder);
      for (guint i = 0; i < result->records->len; i++)
        {
          const TachoBenchRecord *record = g_ptr_array_index (result->records, i);

          if (tacho_bench_record_counts (record))
            lists[list].func (builder, result, record);
        }
      json_builder_end_array (builder);
    }
}

/* Ours, where nobody looks for theirs. */
static void
add_own (JsonBuilder *builder, const TachoBenchResult *result)
{
  json_builder_set_member_name (builder, "tacho");
  json_builder_begin_object (builder);
  tacho_export_add_string (builder, "id", result->id);
  json_builder_set_member_name (builder, "simulated");
  json_builder_add_boolean_value (builder, result->simulated);
  json_builder_set_member_name (builder, "interrupted");
  json_builder_add_boolean_value (builder, result->interrupted);
  json_builder_set_member_name (builder, "distorted");
  json_builder_add_boolean_value (builder, result->self_check.distorted);
  json_builder_end_object (builder);
}

/**
 * tacho_export_vllm:
 * @result: a run
 *
 * Returns: (transfer full): the result JSON of vLLM's benchmark
 */
char *
tacho_export_vllm (TachoBenchResult *result)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) started = g_date_time_new_from_iso8601 (result->started, utc);
  g_autofree char *date =
      started != NULL ? g_date_time_format (started, "%Y%m%d-%H%M%S") : NULL;
  const char *kind = result->plan->chat ? "openai-chat" : "openai";

  json_builder_begin_object (builder);
  tacho_export_add_string (builder, "date", date);
  tacho_export_add_string (builder, "endpoint_type", kind);
  tacho_export_add_string (builder, "backend", kind);
  tacho_export_add_string (builder, "label", NULL);
  tacho_export_add_string (builder, "model_id", result->plan->model);
  tacho_export_add_string (builder, "tokenizer_id", NULL);
  tacho_export_add_int (
      builder, "num_prompts",
      (gint64) (result->ok + result->error + result->truncated + result->cancelled));
  add_load (builder, result->plan);
  add_totals (builder, result);
  add_metric (builder, result, "ttft", TACHO_METRIC_TTFT);
  add_metric (builder, result, "tpot", TACHO_METRIC_TPOT);
  add_metric (builder, result, "itl", TACHO_METRIC_CHUNK_GAP);
  add_metric (builder, result, "e2el", TACHO_METRIC_E2E);
  add_lists (builder, result);
  add_own (builder, result);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return tacho_json_to_string (root, FALSE);
}
