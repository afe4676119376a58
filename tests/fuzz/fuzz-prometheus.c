/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Metrics of a server: each sample is whole, what is read from them is finite and not negative. */
#include "tacho-fuzz-apis.h"

#include <math.h>

#include "api/tacho-prometheus.h"

static void
sample_cb (const TachoPrometheusSample *sample, gpointer user_data)
{
  guint *n = user_data;

  (*n)++;
  TACHO_FUZZ_CHECK (sample->name[0] != '\0');
  TACHO_FUZZ_CHECK (sample->n_labels <= TACHO_PROMETHEUS_MAX_LABELS);
  for (guint i = 0; i < sample->n_labels; i++)
    {
      TACHO_FUZZ_CHECK (sample->labels[i].name[0] != '\0');
      TACHO_FUZZ_CHECK (g_utf8_validate (sample->labels[i].value, -1, NULL));
      TACHO_FUZZ_CHECK (g_strcmp0 (tacho_prometheus_get_label (sample, sample->labels[i].name),
                                   sample->labels[i].value) == 0);
    }
  TACHO_FUZZ_CHECK (tacho_prometheus_get_label (sample, "no label") == NULL);
}

static void
check_count (double value)
{
  TACHO_FUZZ_CHECK (isnan (value) || (isfinite (value) && value >= 0));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) body = g_bytes_new (data, size);
  g_autoptr (TachoHttpReply) reply = tacho_http_reply_new (200, body);
  g_autofree char *copy = g_memdup2 (data, size);
  TachoServerMetrics metrics;
  GError *error = NULL;
  guint n = 0;
  gboolean good = tacho_prometheus_parse (copy, size, sample_cb, &n, &error);

  tacho_fuzz_check_error (good, g_steal_pointer (&error));
  TACHO_FUZZ_CHECK (tacho_prometheus_read_metrics (reply, &metrics, &error) == good);
  tacho_fuzz_check_error (good, error);
  check_count (metrics.requests_running);
  check_count (metrics.requests_waiting);
  check_count (metrics.kv_cache_usage);
  check_count (metrics.gpu_memory_used);
  check_count (metrics.gpu_memory_total);
  check_count (metrics.gpu_utilization);
  check_count (metrics.prompt_tokens_total);
  check_count (metrics.output_tokens_total);
  check_count (metrics.prefix_cache_queries_total);
  check_count (metrics.prefix_cache_hits_total);
  check_count (metrics.preemptions_total);
  check_count (metrics.queue_seconds_total);
  check_count (metrics.slots);
  return 0;
}
