/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The simulated server's Prometheus pages, read by the program's own strict reader. */
#include "test-utils.h"

#include "api/tacho-prometheus.h"
#include "sim-client.h"

#include <math.h>
#include <string.h>

#define N_REQUESTS 5

/* One histogram of a page. */
typedef struct
{
  const char *name;
  double last_bound, last_count, infinite, sum, count;
  guint n_buckets;
} Histogram;

static void
sample_cb (const TachoPrometheusSample *sample, gpointer user_data)
{
  Histogram *h = user_data;
  gsize length = strlen (h->name);
  const char *bound;

  if (strncmp (sample->name, h->name, length) != 0)
    return;
  if (g_str_equal (sample->name + length, "_sum"))
    h->sum = sample->value;
  else if (g_str_equal (sample->name + length, "_count"))
    h->count = sample->value;
  else if (g_str_equal (sample->name + length, "_bucket"))
    {
      bound = tacho_prometheus_get_label (sample, "le");
      g_assert_nonnull (bound);
      g_assert_cmpfloat (sample->value, >=, h->last_count);
      h->last_count = sample->value;
      h->n_buckets++;
      if (g_str_equal (bound, "+Inf"))
        {
          h->infinite = sample->value;
          return;
        }
      g_assert_cmpfloat (g_ascii_strtod (bound, NULL), >, h->last_bound);
      h->last_bound = g_ascii_strtod (bound, NULL);
    }
}

static double
check_histogram (const char *page, const char *name)
{
  Histogram h = { .name = name, .infinite = -1, .sum = NAN, .count = -1 };
  g_autofree char *type = g_strdup_printf ("# TYPE %s histogram\n", name);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (strstr (page, type));
  g_assert_true (tacho_prometheus_parse (page, strlen (page), sample_cb, &h, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (h.n_buckets, ==, 23);
  g_assert_cmpfloat (h.count, ==, N_REQUESTS);
  g_assert_cmpfloat (h.infinite, ==, h.count);
  g_assert_cmpfloat (h.sum, >=, 0);
  return h.sum / h.count;
}

static void
test_histograms (gconstpointer data)
{
  static const struct
  {
    const char *family, *first, *whole, *queue;
  } rows[] = {
    { "vllm", "vllm:time_to_first_token_seconds", "vllm:e2e_request_latency_seconds",
      "vllm:request_queue_time_seconds" },
    { "sglang", "sglang:time_to_first_token_seconds", "sglang:e2e_request_latency_seconds",
      "sglang:queue_time_seconds" },
    { "tgi", NULL, "tgi_request_duration", "tgi_request_queue_duration" },
  };
  const guint i = GPOINTER_TO_UINT (data);
  TachoSimConfig *config = tacho_sim_config_new (rows[i].family, NULL);
  TachoSimServer *server;
  g_autofree char *page = NULL;
  const char *body;
  double first = 0, whole;

  tacho_sim_config_set_timing (config, 30, 5);
  server = tacho_sim_server_new (config);
  tacho_sim_config_free (config);
  g_assert_true (tacho_sim_server_start (server, 0, NULL));
  for (guint n = 0; n < N_REQUESTS; n++)
    {
      g_autofree char *reply = NULL;

      reply = sim_ask (server, "POST", "/v1/completions", "Content-Type: application/json\r\n",
                       "{\"model\":\"sim-llama-8b-q4_k_m\",\"prompt\":\"hi\",\"max_tokens\":5}");
      g_assert_cmpuint (sim_status (reply), ==, 200);
    }
  page = sim_ask (server, "GET", "/metrics", NULL, NULL);
  g_assert_cmpuint (sim_status (page), ==, 200);
  body = strstr (page, "\r\n\r\n") + 4;
  whole = check_histogram (body, rows[i].whole);
  g_assert_cmpfloat (check_histogram (body, rows[i].queue), <, whole);
  if (rows[i].first != NULL)
    first = check_histogram (body, rows[i].first);
  /* By the schedule: 30 ms, and four tokens more of 5 ms each. */
  if (rows[i].first != NULL)
    g_assert_cmpfloat (first, >=, 0.0299);
  g_assert_cmpfloat (whole, >=, 0.0499);
  g_assert_cmpfloat (whole, >, first + 0.0199);
  tacho_sim_server_stop (server);
  g_assert_finalize_object (server);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_data_func ("/sim/metrics/vllm", GUINT_TO_POINTER (0), test_histograms);
  g_test_add_data_func ("/sim/metrics/sglang", GUINT_TO_POINTER (1), test_histograms);
  g_test_add_data_func ("/sim/metrics/tgi", GUINT_TO_POINTER (2), test_histograms);
  return g_test_run ();
}
