/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run as JSON ("tacho.run/1") and its requests as JSON lines. Scripts read both: names are a
 * contract. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "bench/tacho-bench-result.h"

#include "base/tacho-clock.h"
#include "base/tacho-json.h"
#include "bench/tacho-bench-columns.h"

#include <math.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
add_int (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

/* JSON has no NaN: what is not defined is null. */
static void
add_double (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  if (isfinite (value))
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
add_boolean (JsonBuilder *builder, const char *name, gboolean value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, value);
}

static void
begin_object (JsonBuilder *builder, const char *name)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_object (builder);
}

static void
add_target (JsonBuilder *builder, const TachoBenchResult *result)
{
  begin_object (builder, "target");
  add_string (builder, "url", result->target_url);
  add_string (builder, "api", result->target_family);
  add_string (builder, "description", result->target_description);
  add_string (builder, "version", result->target_version);
  add_string (builder, "model", result->plan->model);
  add_string (builder, "protocol", tacho_protocol_to_string (result->plan->protocol));
  add_boolean (builder, "simulated", result->simulated);
  add_boolean (builder, "local", result->server_is_local);
  json_builder_end_object (builder);
}

static void
add_counts (JsonBuilder *builder, const TachoBenchResult *result)
{
  begin_object (builder, "counts");
  add_int (builder, "ok", (gint64) result->ok);
  add_int (builder, "error", (gint64) result->error);
  add_int (builder, "truncated", (gint64) result->truncated);
  add_int (builder, "cancelled", (gint64) result->cancelled);
  add_int (builder, "warmup", (gint64) result->warmup);
  json_builder_end_object (builder);

  begin_object (builder, "excluded");
  add_int (builder, "warmup", (gint64) result->warmup);
  add_int (builder, "cooldown", (gint64) result->cooldown);
  add_int (builder, "voided", (gint64) result->voided);
  json_builder_end_object (builder);

  begin_object (builder, "errors");
  for (int code = 1; code < TACHO_ERROR_N_CLASSES; code++)
    if (result->errors[code] > 0)
      add_int (builder, tacho_error_class ((TachoErrorCode) code), (gint64) result->errors[code]);
  json_builder_end_object (builder);
}

static void
add_throughput (JsonBuilder *builder, const TachoBenchResult *result)
{
  begin_object (builder, "throughput");
  add_double (builder, "output_tokens_per_s", result->output_tokens_per_s);
  add_double (builder, "requests_per_s", result->requests_per_s);
  add_double (builder, "goodput_per_s", result->goodput_per_s);
  add_double (builder, "prompt_tokens_per_s", result->prompt_tokens_per_s);
  add_int (builder, "output_tokens", (gint64) result->output_tokens);
  add_int (builder, "prompt_tokens", (gint64) result->prompt_tokens);
  begin_object (builder, "tokens_source");
  add_int (builder, "usage", (gint64) result->tokens_from_usage);
  add_int (builder, "chunks", (gint64) result->tokens_from_chunks);
  json_builder_end_object (builder);
  json_builder_end_object (builder);
}

static void
add_distribution (JsonBuilder *builder, const char *name, const TachoDistribution *distribution)
{
  begin_object (builder, name);
  add_int (builder, "n", (gint64) distribution->n);
  add_double (builder, "mean", distribution->mean);
  add_double (builder, "sd", distribution->sd);
  add_double (builder, "min", distribution->min);
  add_double (builder, "max", distribution->max);
  for (int i = 0; i < TACHO_N_PERCENTILES; i++)
    {
      const TachoPercentile *percentile = &distribution->percentiles[i];

      begin_object (builder, tacho_percentile_names[i]);
      add_double (builder, "value", percentile->value);
      add_double (builder, "low", percentile->low);
      add_double (builder, "high", percentile->high);
      add_boolean (builder, "enough", percentile->enough);
      json_builder_end_object (builder);
    }
  json_builder_end_object (builder);
}

static void
add_timeline (JsonBuilder *builder, const TachoBenchResult *result)
{
  json_builder_set_member_name (builder, "timeline");
  json_builder_begin_array (builder);
  for (guint i = 0; i < result->timeline->len; i++)
    {
      const TachoBenchPoint *point = &g_array_index (result->timeline, TachoBenchPoint, i);

      json_builder_begin_object (builder);
      add_double (builder, "t_s", point->t_s);
      add_double (builder, "output_tokens_per_s", point->output_tokens_per_s);
      add_double (builder, "requests_per_s", point->requests_per_s);
      add_double (builder, "ttft_ms_p50", point->ttft_ms_p50);
      add_double (builder, "ttft_ms_p95", point->ttft_ms_p95);
      add_double (builder, "chunk_gap_ms_p50", point->chunk_gap_ms_p50);
      add_double (builder, "chunk_gap_ms_p95", point->chunk_gap_ms_p95);
      add_double (builder, "e2e_ms_p50", point->e2e_ms_p50);
      add_double (builder, "e2e_ms_p95", point->e2e_ms_p95);
      add_double (builder, "in_flight", point->in_flight);
      add_int (builder, "ok", (gint64) point->ok);
      add_int (builder, "errors", (gint64) point->errors);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_self_check (JsonBuilder *builder, const TachoBenchResult *result)
{
  const TachoSelfCheck *check = &result->self_check;

  begin_object (builder, "self_check");
  add_double (builder, "loop_lag_ms_p99", check->loop_lag_ms_p99);
  add_double (builder, "wake_delay_ms_p95", check->wake_delay_ms_p95);
  add_double (builder, "own_read_share", check->own_read_share);
  add_double (builder, "client_cpu_share", check->client_cpu_share);
  add_double (builder, "schedule_delay_ms_p99", check->schedule_delay_ms_p99);
  add_double (builder, "connections_reused_share", check->connections_reused_share);
  add_int (builder, "connections_created", (gint64) result->connections_created);
  add_boolean (builder, "distorted", check->distorted);
  json_builder_set_member_name (builder, "warnings");
  json_builder_begin_array (builder);
  for (char **warning = check->warnings; warning != NULL && *warning != NULL; warning++)
    json_builder_add_string_value (builder, *warning);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

/* "model name" of the first processor, as /proc/cpuinfo has it. */
static char *
read_cpu_model (void)
{
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/cpuinfo", &text, NULL, NULL))
    return NULL;
  line = strstr (text, "model name");
  line = line != NULL ? strchr (line, ':') : NULL;
  if (line == NULL)
    return NULL;
  return g_strstrip (g_strndup (line + 1, strcspn (line + 1, "\n")));
}

/* The client's machine. No host name: results are shared. */
static void
add_host (JsonBuilder *builder)
{
  struct utsname names;
  g_autofree char *cpu = read_cpu_model ();

  json_builder_begin_object (builder);
  add_string (builder, "client", "tacho " TACHO_VERSION);
  if (uname (&names) == 0)
    {
      g_autofree char *kernel = g_strdup_printf ("%s %s", names.sysname, names.release);

      add_string (builder, "kernel", kernel);
      add_string (builder, "machine", names.machine);
    }
  add_string (builder, "cpu", cpu);
  add_int (builder, "cores", (gint64) g_get_num_processors ());
  json_builder_end_object (builder);
}

static void
add_server_sample (JsonBuilder *builder, const TachoServerMetrics *server)
{
  gsize n;
  const TachoServerField *fields = tacho_server_fields (&n);

  for (gsize i = 0; i < n; i++)
    add_double (builder, fields[i].name, G_STRUCT_MEMBER (double, server, fields[i].offset));
}

static void
add_samples (JsonBuilder *builder, const TachoBenchResult *result)
{
  json_builder_set_member_name (builder, "samples");
  json_builder_begin_array (builder);
  for (guint i = 0; i < result->samples->len; i++)
    {
      const TachoBenchSample *sample = &g_array_index (result->samples, TachoBenchSample, i);

      json_builder_begin_object (builder);
      add_double (builder, "t_s", sample->t_s);
      add_server_sample (builder, &sample->server);
      add_double (builder, "host_cpu_share", sample->cpu_share);
      add_double (builder, "host_memory_used", sample->memory_used);
      add_double (builder, "host_network_rx_bps", sample->network_rx_bps);
      add_double (builder, "host_network_tx_bps", sample->network_tx_bps);
      add_double (builder, "host_gpu_share", sample->gpu_share);
      add_double (builder, "host_gpu_memory_used", sample->gpu_memory_used);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_voids (JsonBuilder *builder, const TachoBenchResult *result)
{
  json_builder_set_member_name (builder, "voids");
  json_builder_begin_array (builder);
  for (guint i = 0; i < result->voids->len; i++)
    {
      const TachoBenchVoid *part = g_ptr_array_index (result->voids, i);

      json_builder_begin_object (builder);
      add_double (builder, "from_s", part->from_s);
      add_double (builder, "to_s", part->to_s);
      add_string (builder, "reason", part->reason);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
add_bucket_cb (gint64 low, gint64 high, guint64 count, gpointer user_data)
{
  JsonBuilder *builder = user_data;

  json_builder_begin_array (builder);
  json_builder_add_int_value (builder, low);
  json_builder_add_int_value (builder, (gint64) count);
  json_builder_end_array (builder);
}

static void
add_histogram (JsonBuilder *builder, const TachoBenchResult *result)
{
  const TachoHistogram *histogram = result->chunk_gaps;
  double sum, sum_squares;

  tacho_histogram_get_sums (histogram, &sum, &sum_squares);
  begin_object (builder, "chunk_gap_histogram");
  add_int (builder, "min_ns", tacho_histogram_get_min (histogram));
  add_int (builder, "max_ns", tacho_histogram_get_max (histogram));
  add_double (builder, "sum_ns", sum);
  add_double (builder, "sum_squares_ns", sum_squares);
  json_builder_set_member_name (builder, "buckets");
  json_builder_begin_array (builder);
  tacho_histogram_foreach (histogram, add_bucket_cb, builder);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static void
add_merged_from (JsonBuilder *builder, const TachoBenchResult *result)
{
  json_builder_set_member_name (builder, "merged_from");
  json_builder_begin_array (builder);
  for (char **id = result->merged_from; *id != NULL; id++)
    json_builder_add_string_value (builder, *id);
  json_builder_end_array (builder);
}

/**
 * tacho_bench_host_to_json:
 *
 * Describes this machine. No host name: results are shared.
 *
 * Returns: (transfer full): a JSON object
 */
char *
tacho_bench_host_to_json (void)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr (JsonNode) root = NULL;

  add_host (builder);
  root = json_builder_get_root (builder);
  return tacho_json_to_string (root, FALSE);
}

static void
add_host_of (JsonBuilder *builder, const TachoBenchResult *result)
{
  g_autoptr (JsonNode) host =
      result->host != NULL ? tacho_json_parse (result->host, strlen (result->host), NULL) : NULL;

  json_builder_set_member_name (builder, "host");
  if (host != NULL)
    json_builder_add_value (builder, g_steal_pointer (&host));
  else
    json_builder_add_null_value (builder);
}

static void
add_clock (JsonBuilder *builder, const TachoBenchResult *result)
{
  begin_object (builder, "clock");
  add_int (builder, "window_start_ns", result->window_start_ns);
  add_int (builder, "window_start_unix_us", result->window_start_unix_us);
  json_builder_end_object (builder);
}

/* All but what is too long to be read by eye. */
static JsonNode *
make_summary (TachoBenchResult *result)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();

  json_builder_begin_object (builder);
  add_string (builder, "schema", "tacho.run/1");
  add_string (builder, "id", result->id);
  add_string (builder, "started", result->started);
  add_boolean (builder, "interrupted", result->interrupted);
  add_string (builder, "stop_reason", result->stop_reason);
  if (result->merged_from != NULL)
    add_merged_from (builder, result);
  add_target (builder, result);
  json_builder_set_member_name (builder, "plan");
  tacho_bench_plan_to_json (result->plan, builder);
  add_double (builder, "window_s", result->window_s);
  add_clock (builder, result);
  add_counts (builder, result);
  add_throughput (builder, result);
  begin_object (builder, "latency");
  for (int i = 0; i < TACHO_N_METRICS; i++)
    add_distribution (builder, tacho_metric_names[i], &result->latency[i]);
  json_builder_end_object (builder);
  add_timeline (builder, result);
  add_samples (builder, result);
  add_voids (builder, result);
  add_self_check (builder, result);
  add_host_of (builder, result);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

static char *
make_details (TachoBenchResult *result)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  add_histogram (builder, result);
  json_builder_set_member_name (builder, "requests");
  tacho_bench_columns_to_json (result, builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return tacho_json_to_string (root, FALSE);
}

/**
 * tacho_bench_result_to_json:
 * @result: a run
 * @pretty: whether with line breaks
 *
 * The run as a "tacho.run/1" object. What is not defined is null. The requests and the histogram
 * come last, on a line of their own even in a pretty text: tacho_bench_result_from_json() needs
 * them, nobody reads them.
 *
 * Returns: (transfer full): the text
 */
char *
tacho_bench_result_to_json (TachoBenchResult *result, gboolean pretty)
{
  g_autoptr (JsonNode) summary = make_summary (result);
  g_autofree char *head = tacho_json_to_string (summary, pretty);
  g_autofree char *details = make_details (result);
  gsize length = strlen (head);

  while (length > 0 && head[length - 1] != '}')
    length--;
  head[length - 1] = '\0';
  return g_strconcat (g_strchomp (head), pretty ? ",\n  " : ",", details + 1, NULL);
}

static void
add_stamp (JsonBuilder *builder, const char *name, gint64 ns)
{
  json_builder_set_member_name (builder, name);
  if (ns != 0)
    json_builder_add_int_value (builder, ns);
  else
    json_builder_add_null_value (builder);
}

static void
add_count (JsonBuilder *builder, const char *name, gint64 count)
{
  json_builder_set_member_name (builder, name);
  if (count >= 0)
    json_builder_add_int_value (builder, count);
  else
    json_builder_add_null_value (builder);
}

static JsonNode *
record_to_node (const TachoBenchResult *result, const TachoBenchRecord *record)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();

  json_builder_begin_object (builder);
  add_int (builder, "id", (gint64) record->id);
  add_string (builder, "response_id", record->response_id);
  add_string (builder, "model", result->plan->model);
  add_stamp (builder, "scheduled_ns", record->scheduled_ns);
  add_stamp (builder, "start_ns", record->start_ns);
  add_stamp (builder, "first_ns", record->first_ns);
  add_stamp (builder, "last_ns", record->last_ns);
  add_stamp (builder, "end_ns", record->end_ns);
  json_builder_set_member_name (builder, "chunk_ns");
  json_builder_begin_array (builder);
  for (guint32 i = 0; i < record->n_chunk_ns; i++)
    json_builder_add_int_value (builder, record->chunk_ns[i]);
  json_builder_end_array (builder);
  add_int (builder, "chunks", record->chunks);
  add_count (builder, "prompt_tokens", record->prompt_tokens);
  add_int (builder, "output_tokens", MAX (record->output_tokens, 0));
  add_string (builder, "tokens_source", record->tokens_from_usage ? "usage" : "chunks");
  add_string (builder, "status", tacho_record_status_to_string (record->status));
  add_string (builder, "error", record->error != 0 ? tacho_error_class (record->error) : NULL);
  add_count (builder, "http_status", record->http_status > 0 ? record->http_status : -1);
  add_string (builder, "protocol", tacho_protocol_to_string (result->plan->protocol));
  add_string (builder, "connection", record->connection_reused ? "reused" : "new");
  add_boolean (builder, "warmup", record->warmup);
  if (record->cooldown)
    add_boolean (builder, "cooldown", TRUE);
  if (record->voided)
    add_boolean (builder, "voided", TRUE);
  if (result->plan->turns > 1)
    add_int (builder, "turn", record->turn);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

/**
 * tacho_bench_result_records_to_jsonl:
 * @result: a run
 *
 * One line a request, warm-up included, stamps in nanoseconds of CLOCK_MONOTONIC; null: not
 * reached.
 *
 * Returns: (transfer full): the text
 */
char *
tacho_bench_result_records_to_jsonl (TachoBenchResult *result)
{
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < result->records->len; i++)
    {
      g_autoptr (JsonNode) node = record_to_node (result, g_ptr_array_index (result->records, i));
      g_autofree char *line = tacho_json_to_string (node, FALSE);

      g_string_append (out, line);
      g_string_append_c (out, '\n');
    }
  return g_string_free (out, FALSE);
}
