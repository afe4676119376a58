/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prometheus text by each family's names, from the engine's own counters. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-reply.h"

typedef struct
{
  GString *text;
  const char *prefix;
  const char *labels; /* without braces; may be empty */
} Page;

static void
add (Page *page, const char *kind, const char *name, const char *help, double value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (
      page->text, "# HELP %s%s %s\n# TYPE %s%s %s\n%s%s%s%s%s %s\n", page->prefix, name, help,
      page->prefix, name, kind, page->prefix, name, *page->labels != '\0' ? "{" : "", page->labels,
      *page->labels != '\0' ? "}" : "", g_ascii_formatd (number, sizeof number, "%.15g", value));
}

static void
add_histogram (Page *page, const char *name, const char *help, const TachoSimHistogram *histogram)
{
  g_autofree char *whole = g_strconcat (page->prefix, name, NULL);

  tacho_sim_histogram_print (histogram, page->text, whole, page->labels, help);
}

static double
ratio (double part, double whole)
{
  return whole > 0 ? part / whole : 0;
}

/* What the slots of every model hold, and the share of the caches that this is. */
static double
kv_usage (TachoSimEngine *engine, guint64 *used)
{
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (engine);
  guint64 total = 0;

  *used = 0;
  for (guint i = 0; i < runtimes->len; i++)
    {
      const TachoSimRuntime *runtime = g_ptr_array_index (runtimes, i);
      const TachoSimModel *model = runtime->model;

      if (runtime->status != TACHO_SIM_LOADED)
        continue;
      *used += runtime->kv_tokens;
      total += model->kv_cache_tokens
                   ? model->kv_cache_tokens
                   : (guint64) model->context_window * (guint64) runtime->slots->len;
    }
  return MIN (ratio ((double) *used, (double) total), 1);
}

static void
add_llamacpp (Page *page, const TachoSimEngineStats *stats, const TachoSimCounters *counters)
{
  add (page, "counter", "prompt_tokens_total", "Number of prompt tokens processed.",
       (double) stats->prompt_tokens);
  add (page, "counter", "prompt_seconds_total", "Prompt process time", stats->prompt_seconds);
  add (page, "counter", "tokens_predicted_total", "Number of generation tokens processed.",
       (double) stats->predicted_tokens);
  add (page, "counter", "tokens_predicted_seconds_total", "Predict process time",
       stats->predicted_seconds);
  add (page, "counter", "n_decode_total", "Total number of llama_decode() calls",
       (double) stats->decode_steps);
  add (page, "counter", "n_tokens_max", "Largest observed n_tokens.", (double) stats->max_tokens);
  add (page, "gauge", "n_busy_slots_per_decode",
       "Average number of busy slots per llama_decode() call",
       ratio ((double) stats->busy_slots, (double) stats->decode_steps));
  add (page, "gauge", "prompt_tokens_seconds", "Average prompt throughput in tokens/s.",
       ratio ((double) stats->prompt_tokens, stats->prompt_seconds));
  add (page, "gauge", "predicted_tokens_seconds", "Average generation throughput in tokens/s.",
       ratio ((double) stats->predicted_tokens, stats->predicted_seconds));
  add (page, "gauge", "requests_processing", "Number of requests processing.", counters->active);
  add (page, "gauge", "requests_deferred", "Number of requests deferred.", counters->queued);
}

static void
add_vllm (Page *page,
          const TachoSimEngineStats *stats,
          const TachoSimCounters *counters,
          double usage)
{
  add (page, "gauge", "num_requests_running", "Requests in execution.", counters->active);
  add (page, "gauge", "num_requests_waiting", "Requests that wait.", counters->queued);
  add (page, "gauge", "kv_cache_usage_perc", "KV-cache usage, 1 is 100 percent.", usage);
  add (page, "counter", "prefix_cache_queries_total", "Prefix cache queries, in tokens.",
       (double) stats->prefix_queries);
  add (page, "counter", "prefix_cache_hits_total", "Prefix cache hits, in tokens.",
       (double) stats->prefix_hits);
  add (page, "counter", "prompt_tokens_total", "Prefill tokens processed.",
       (double) counters->prompt_tokens);
  add (page, "counter", "generation_tokens_total", "Generation tokens processed.",
       (double) stats->predicted_tokens);
  add (page, "counter", "num_preemptions_total", "Preemptions.", (double) stats->preemptions);
  add (page, "counter", "request_success_total", "Requests that ended well.",
       (double) counters->completed);
  add_histogram (page, "time_to_first_token_seconds", "Time to first token.", &stats->first_tokens);
  add_histogram (page, "e2e_request_latency_seconds", "Time from end to end.", &stats->latencies);
  add_histogram (page, "request_queue_time_seconds", "Time in the queue.", &stats->queue_times);
}

static void
add_sglang (Page *page,
            const TachoSimEngineStats *stats,
            const TachoSimCounters *counters,
            double usage,
            guint64 used)
{
  add (page, "gauge", "num_running_reqs", "Running requests.", counters->active);
  add (page, "gauge", "num_queue_reqs", "Requests in the queue.", counters->queued);
  add (page, "gauge", "token_usage", "Share of the KV cache in use.", usage);
  add (page, "gauge", "num_used_tokens", "Tokens in the KV cache.", (double) used);
  add (page, "gauge", "cache_hit_rate", "Share of prompt tokens from the cache.",
       ratio ((double) stats->prefix_hits, (double) stats->prefix_queries));
  add (page, "gauge", "gen_throughput", "Generated tokens per second.",
       ratio ((double) stats->predicted_tokens, stats->predicted_seconds));
  add_histogram (page, "time_to_first_token_seconds", "Time to first token.", &stats->first_tokens);
  add_histogram (page, "e2e_request_latency_seconds", "Time from end to end.", &stats->latencies);
  add_histogram (page, "queue_time_seconds", "Time in the queue.", &stats->queue_times);
  add (page, "counter", "prompt_tokens_total", "Prefill tokens.", (double) counters->prompt_tokens);
  add (page, "counter", "generation_tokens_total", "Generated tokens.",
       (double) stats->predicted_tokens);
}

static void
add_tgi (Page *page, const TachoSimEngineStats *stats, const TachoSimCounters *counters)
{
  add (page, "gauge", "queue_size", "Requests in the queue.", counters->queued);
  add (page, "gauge", "batch_current_size", "Requests in the batch.", counters->active);
  add (page, "counter", "request_count", "Requests.", (double) counters->generations);
  add (page, "counter", "request_success", "Requests that ended well.",
       (double) counters->completed);
  add (page, "counter", "request_input_length_sum", "Prompt tokens.",
       (double) counters->prompt_tokens);
  add (page, "counter", "request_generated_tokens_sum", "Generated tokens.",
       (double) counters->output_tokens);
  add_histogram (page, "request_duration", "Seconds from end to end.", &stats->latencies);
  add_histogram (page, "request_queue_duration", "Seconds in the queue.", &stats->queue_times);
}

static void
add_triton (Page *page, const TachoSimEngineStats *stats, const TachoSimCounters *counters)
{
  add (page, "counter", "inference_request_success", "Successful requests.",
       (double) counters->completed);
  add (page, "counter", "inference_count", "Inferences.", (double) counters->generations);
  add (page, "counter", "inference_exec_count", "Steps.", (double) stats->decode_steps);
  add (page, "counter", "inference_queue_duration_us", "Time in the queue, in microseconds.",
       stats->queue_times.sum * 1e6);
  add (page, "gauge", "inference_pending_request_count", "Requests that wait.", counters->queued);
}

/**
 * tacho_sim_metrics:
 * @exchange: a request for the server's metrics
 *
 * Answers with the names of the exchange's family; a front of all families has all of them.
 */
void
tacho_sim_metrics (TachoSimExchange *exchange)
{
  TachoSimEngine *engine = exchange->host->engine;
  const TachoSimEngineStats *stats = tacho_sim_engine_get_stats (engine);
  const TachoSimRuntime *first = g_ptr_array_index (tacho_sim_engine_get_runtimes (engine), 0);
  TachoSimFamily family = exchange->family;
  gboolean all = exchange->anybody;
  g_autofree char *labels = g_strdup_printf ("model_name=\"%s\",engine=\"0\"", first->model->id);
  Page page = { g_string_new (NULL), NULL, NULL };
  TachoSimCounters counters;
  guint64 used;
  double usage = kv_usage (engine, &used);

  tacho_sim_engine_get_counters (engine, &counters);
  page.labels = "";
  page.prefix = "llamacpp:";
  if (all || family == TACHO_SIM_FAMILY_LLAMACPP)
    add_llamacpp (&page, stats, &counters);
  page.prefix = "tgi_";
  if (all || family == TACHO_SIM_FAMILY_TGI)
    add_tgi (&page, stats, &counters);
  page.prefix = "nv_";
  if (all || family == TACHO_SIM_FAMILY_OIP)
    add_triton (&page, stats, &counters);
  page.labels = labels;
  page.prefix = "vllm:";
  if (all || family == TACHO_SIM_FAMILY_VLLM)
    add_vllm (&page, stats, &counters, usage);
  page.prefix = "sglang:";
  if (all || family == TACHO_SIM_FAMILY_SGLANG)
    add_sglang (&page, stats, &counters, usage, used);
  tacho_sim_exchange_reply (exchange, 200, "text/plain; version=0.0.4",
                            g_string_free (page.text, FALSE));
}
