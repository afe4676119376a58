/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads a run back from its JSON. Figures are made anew from the requests, as for a run that was
 * just measured; a file without requests keeps the figures that it states. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-result.h"

#include "base/tacho-json.h"
#include "bench/tacho-bench-columns.h"

#include <math.h>
#include <string.h>

#define SERVER(name, field) { name, G_STRUCT_OFFSET (TachoServerMetrics, field) }

/**
 * tacho_server_fields:
 * @n: (out): how many
 *
 * Returns: (array length=n) (transfer none): what a server tells of itself, by its name in files
 */
const TachoServerField *
tacho_server_fields (gsize *n)
{
  static const TachoServerField fields[] = {
    SERVER ("requests_running", requests_running),
    SERVER ("requests_waiting", requests_waiting),
    SERVER ("kv_cache_usage", kv_cache_usage),
    SERVER ("gpu_memory_used", gpu_memory_used),
    SERVER ("gpu_memory_total", gpu_memory_total),
    SERVER ("gpu_utilization", gpu_utilization),
    SERVER ("prompt_tokens_total", prompt_tokens_total),
    SERVER ("output_tokens_total", output_tokens_total),
    SERVER ("prefix_cache_queries_total", prefix_cache_queries_total),
    SERVER ("prefix_cache_hits_total", prefix_cache_hits_total),
    SERVER ("preemptions_total", preemptions_total),
    SERVER ("queue_seconds_total", queue_seconds_total),
    SERVER ("slots", slots),
  };

  *n = G_N_ELEMENTS (fields);
  return fields;
}

static void
read_target (JsonObject *root, TachoBenchResult *result)
{
  JsonObject *target = tacho_json_get_object (root, "target");

  if (target == NULL)
    return;
  result->target_url = g_strdup (tacho_json_get_string (target, "url", NULL));
  result->target_family = g_strdup (tacho_json_get_string (target, "api", NULL));
  result->target_description = g_strdup (tacho_json_get_string (target, "description", NULL));
  result->target_version = g_strdup (tacho_json_get_string (target, "version", NULL));
  result->simulated = tacho_json_get_boolean (target, "simulated", FALSE);
  result->server_is_local = tacho_json_get_boolean (target, "local", FALSE);
}

static void
read_timeline (JsonObject *root, TachoBenchResult *result)
{
  JsonArray *points = tacho_json_get_array (root, "timeline");

  for (guint i = 0; points != NULL && i < json_array_get_length (points); i++)
    {
      JsonObject *o = tacho_json_array_get_object (points, i);
      TachoBenchPoint point = { 0 };

      if (o == NULL)
        continue;
      point.t_s = tacho_json_get_double (o, "t_s", 0);
      point.output_tokens_per_s = tacho_json_get_double (o, "output_tokens_per_s", 0);
      point.requests_per_s = tacho_json_get_double (o, "requests_per_s", 0);
      point.ttft_ms_p50 = tacho_json_get_double (o, "ttft_ms_p50", NAN);
      point.ttft_ms_p95 = tacho_json_get_double (o, "ttft_ms_p95", NAN);
      point.chunk_gap_ms_p50 = tacho_json_get_double (o, "chunk_gap_ms_p50", NAN);
      point.chunk_gap_ms_p95 = tacho_json_get_double (o, "chunk_gap_ms_p95", NAN);
      point.e2e_ms_p50 = tacho_json_get_double (o, "e2e_ms_p50", NAN);
      point.e2e_ms_p95 = tacho_json_get_double (o, "e2e_ms_p95", NAN);
      point.in_flight = tacho_json_get_double (o, "in_flight", 0);
      point.ok = (guint64) MAX (0, tacho_json_get_int (o, "ok", 0));
      point.errors = (guint64) MAX (0, tacho_json_get_int (o, "errors", 0));
      g_array_append_val (result->timeline, point);
    }
}

static void
read_samples (JsonObject *root, TachoBenchResult *result)
{
  JsonArray *samples = tacho_json_get_array (root, "samples");
  gsize n;
  const TachoServerField *fields = tacho_server_fields (&n);

  for (guint i = 0; samples != NULL && i < json_array_get_length (samples); i++)
    {
      JsonObject *o = tacho_json_array_get_object (samples, i);
      TachoBenchSample sample = { 0 };

      if (o == NULL)
        continue;
      for (gsize k = 0; k < n; k++)
        G_STRUCT_MEMBER (double, &sample.server, fields[k].offset) =
            tacho_json_get_double (o, fields[k].name, NAN);
      sample.t_s = tacho_json_get_double (o, "t_s", NAN);
      sample.cpu_share = tacho_json_get_double (o, "host_cpu_share", NAN);
      sample.memory_used = tacho_json_get_double (o, "host_memory_used", NAN);
      sample.network_rx_bps = tacho_json_get_double (o, "host_network_rx_bps", NAN);
      sample.network_tx_bps = tacho_json_get_double (o, "host_network_tx_bps", NAN);
      sample.gpu_share = tacho_json_get_double (o, "host_gpu_share", NAN);
      sample.gpu_memory_used = tacho_json_get_double (o, "host_gpu_memory_used", NAN);
      g_array_append_val (result->samples, sample);
    }
}

static void
read_voids (JsonObject *root, TachoBenchResult *result)
{
  JsonArray *voids = tacho_json_get_array (root, "voids");

  for (guint i = 0; voids != NULL && i < json_array_get_length (voids); i++)
    {
      JsonObject *o = tacho_json_array_get_object (voids, i);
      TachoBenchVoid *part;

      if (o == NULL)
        continue;
      part = g_new0 (TachoBenchVoid, 1);
      part->from_s = tacho_json_get_double (o, "from_s", 0);
      part->to_s = tacho_json_get_double (o, "to_s", 0);
      part->reason = g_strdup (tacho_json_get_string (o, "reason", ""));
      g_ptr_array_add (result->voids, part);
    }
}

static char **
dup_strings (JsonArray *array)
{
  GPtrArray *words = g_ptr_array_new ();

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_string (node) != NULL)
        g_ptr_array_add (words, g_strdup (json_node_get_string (node)));
    }
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (words, FALSE);
}

static void
read_self_check (JsonObject *root, TachoBenchResult *result)
{
  JsonObject *o = tacho_json_get_object (root, "self_check");
  TachoSelfCheck *check = &result->self_check;

  if (o == NULL)
    return;
  check->loop_lag_ms_p99 = tacho_json_get_double (o, "loop_lag_ms_p99", NAN);
  check->wake_delay_ms_p95 = tacho_json_get_double (o, "wake_delay_ms_p95", NAN);
  check->own_read_share = tacho_json_get_double (o, "own_read_share", NAN);
  check->client_cpu_share = tacho_json_get_double (o, "client_cpu_share", NAN);
  check->schedule_delay_ms_p99 = tacho_json_get_double (o, "schedule_delay_ms_p99", NAN);
  check->connections_reused_share = tacho_json_get_double (o, "connections_reused_share", NAN);
  check->distorted = tacho_json_get_boolean (o, "distorted", FALSE);
  check->warnings = dup_strings (tacho_json_get_array (o, "warnings"));
  result->connections_created =
      (guint64) MAX (0, tacho_json_get_int (o, "connections_created", 0));
}

static void
read_histogram (JsonObject *root, TachoBenchResult *result)
{
  JsonObject *o = tacho_json_get_object (root, "chunk_gap_histogram");
  JsonArray *buckets = o != NULL ? tacho_json_get_array (o, "buckets") : NULL;

  if (buckets == NULL)
    return;
  for (guint i = 0; i < json_array_get_length (buckets); i++)
    {
      JsonNode *node = json_array_get_element (buckets, i);
      JsonArray *pair = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

      if (pair != NULL && json_array_get_length (pair) == 2 &&
          JSON_NODE_HOLDS_VALUE (json_array_get_element (pair, 0)) &&
          JSON_NODE_HOLDS_VALUE (json_array_get_element (pair, 1)))
        tacho_histogram_add_bucket (result->chunk_gaps, json_array_get_int_element (pair, 0),
                                    (guint64) MAX (0, json_array_get_int_element (pair, 1)));
    }
  tacho_histogram_restore (result->chunk_gaps, tacho_json_get_int (o, "min_ns", 0),
                           tacho_json_get_int (o, "max_ns", 0),
                           tacho_json_get_double (o, "sum_ns", 0),
                           tacho_json_get_double (o, "sum_squares_ns", 0));
}

static void
read_distribution (JsonObject *latency, guint metric, TachoDistribution *d)
{
  JsonObject *o = tacho_json_get_object (latency, tacho_metric_names[metric]);

  if (o == NULL)
    return;
  d->n = (guint64) MAX (0, tacho_json_get_int (o, "n", 0));
  d->mean = tacho_json_get_double (o, "mean", NAN);
  d->sd = tacho_json_get_double (o, "sd", NAN);
  d->min = tacho_json_get_double (o, "min", NAN);
  d->max = tacho_json_get_double (o, "max", NAN);
  for (int i = 0; i < TACHO_N_PERCENTILES; i++)
    {
      JsonObject *p = tacho_json_get_object (o, tacho_percentile_names[i]);

      if (p == NULL)
        continue;
      d->percentiles[i].value = tacho_json_get_double (p, "value", NAN);
      d->percentiles[i].low = tacho_json_get_double (p, "low", NAN);
      d->percentiles[i].high = tacho_json_get_double (p, "high", NAN);
      d->percentiles[i].enough = tacho_json_get_boolean (p, "enough", FALSE);
    }
}

static guint64
count_of (JsonObject *o, const char *name)
{
  return (guint64) MAX (0, tacho_json_get_int (o, name, 0));
}

/* The figures as the file states them. */
static void
read_figures (JsonObject *root, TachoBenchResult *result)
{
  JsonObject *counts = tacho_json_get_object (root, "counts");
  JsonObject *errors = tacho_json_get_object (root, "errors");
  JsonObject *throughput = tacho_json_get_object (root, "throughput");
  JsonObject *latency = tacho_json_get_object (root, "latency");

  if (counts != NULL)
    {
      result->ok = count_of (counts, "ok");
      result->error = count_of (counts, "error");
      result->truncated = count_of (counts, "truncated");
      result->cancelled = count_of (counts, "cancelled");
      result->warmup = count_of (counts, "warmup");
    }
  for (int i = 1; errors != NULL && i < TACHO_ERROR_N_CLASSES; i++)
    result->errors[i] = count_of (errors, tacho_error_class ((TachoErrorCode) i));
  if (throughput != NULL)
    {
      result->output_tokens_per_s = tacho_json_get_double (throughput, "output_tokens_per_s", NAN);
      result->requests_per_s = tacho_json_get_double (throughput, "requests_per_s", NAN);
      result->goodput_per_s = tacho_json_get_double (throughput, "goodput_per_s", NAN);
      result->prompt_tokens_per_s = tacho_json_get_double (throughput, "prompt_tokens_per_s", NAN);
      result->output_tokens = count_of (throughput, "output_tokens");
      result->prompt_tokens = count_of (throughput, "prompt_tokens");
    }
  for (guint i = 0; latency != NULL && i < TACHO_N_METRICS; i++)
    read_distribution (latency, i, &result->latency[i]);
}

static void
read_head (JsonObject *root, TachoBenchResult *result)
{
  JsonObject *clock = tacho_json_get_object (root, "clock");
  JsonNode *host = json_object_get_member (root, "host");

  g_free (result->id);
  result->id = g_strdup (tacho_json_get_string (root, "id", "unknown"));
  g_free (result->started);
  result->started = g_strdup (tacho_json_get_string (root, "started", ""));
  result->interrupted = tacho_json_get_boolean (root, "interrupted", FALSE);
  result->stop_reason = g_strdup (tacho_json_get_string (root, "stop_reason", NULL));
  if (tacho_json_get_array (root, "merged_from") != NULL)
    result->merged_from = dup_strings (tacho_json_get_array (root, "merged_from"));
  result->window_s = tacho_json_get_double (root, "window_s", 0);
  if (clock != NULL)
    {
      result->window_start_ns = tacho_json_get_int (clock, "window_start_ns", 0);
      result->window_start_unix_us = tacho_json_get_int (clock, "window_start_unix_us", 0);
    }
  if (host != NULL && JSON_NODE_HOLDS_OBJECT (host))
    result->host = tacho_json_to_string (host, FALSE);
}

/**
 * tacho_bench_result_from_json:
 * @text: a "tacho.run/1" document
 * @length: its length in bytes
 * @error: return location
 *
 * Reads a run back. Members that are not known are left alone.
 *
 * Returns: (transfer full): the run, or %NULL with %TACHO_ERROR_INVALID
 */
TachoBenchResult *
tacho_bench_result_from_json (const char *text, gsize length, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (JsonNode) node = tacho_json_parse_object (text, length, &reason);
  g_autoptr (TachoBenchPlan) plan = NULL;
  g_autoptr (TachoBenchResult) result = NULL;
  JsonObject *root, *plan_object, *requests;

  root = node != NULL ? json_node_get_object (node) : NULL;
  plan_object = root != NULL ? tacho_json_get_object (root, "plan") : NULL;
  if (plan_object == NULL ||
      g_strcmp0 (tacho_json_get_string (root, "schema", NULL), "tacho.run/1") != 0)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "This is no run of Tacho (tacho.run/1)%s%s", reason != NULL ? ": " : "",
                   reason != NULL ? reason->message : "");
      return NULL;
    }
  plan = tacho_bench_plan_from_json (plan_object);
  result = tacho_bench_result_new (plan);
  read_head (root, result);
  read_target (root, result);
  read_timeline (root, result);
  read_samples (root, result);
  read_voids (root, result);
  read_self_check (root, result);
  read_histogram (root, result);
  requests = tacho_json_get_object (root, "requests");
  if (requests == NULL)
    read_figures (root, result);
  else if (tacho_bench_columns_from_json (requests, result, error))
    tacho_bench_result_summarise (result);
  else
    return NULL;
  return g_steal_pointer (&result);
}

/**
 * tacho_bench_result_load:
 * @path: a file that `--out` or an export wrote
 * @error: return location
 *
 * Returns: (transfer full): the run, or %NULL with %TACHO_ERROR_IO or %TACHO_ERROR_INVALID that
 * names the file
 */
TachoBenchResult *
tacho_bench_result_load (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) reason = NULL;
  TachoBenchResult *result;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, &reason))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "Cannot read %s: %s", path, reason->message);
      return NULL;
    }
  result = tacho_bench_result_from_json (text, length, error);
  if (result == NULL)
    g_prefix_error (error, "%s: ", path);
  return result;
}
