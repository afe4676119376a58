/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Prometheus text format: what is read, what is refused, and each server's names. */
#include "api/tacho-prometheus.h"

#include <math.h>
#include <string.h>

#include "api/tacho-api-llamacpp.h"
#include "base/tacho-error.h"
#include "test-utils.h"

static void
log_cb (const TachoPrometheusSample *sample, gpointer user_data)
{
  GString *log = user_data;

  g_string_append (log, sample->name);
  for (guint i = 0; i < sample->n_labels; i++)
    g_string_append_printf (log, "[%s=%s]", sample->labels[i].name, sample->labels[i].value);
  g_string_append_printf (log, " %g;", sample->value);
}

typedef struct
{
  const char *name;
  const char *text;
  const char *log; /* NULL: refused */
} TextVector;

static const TextVector texts[] = {
  { "empty", "", "" },
  { "comments", "# HELP a b\n# TYPE a gauge\n\n#\n", "" },
  { "plain", "a 1\n", "a 1;" },
  { "colon", "vllm:num:x 2.5e3\n", "vllm:num:x 2500;" },
  { "negative", "a -3\n", "a -3;" },
  { "nan", "a NaN\nb +Inf\nc -Inf\nd Inf\n", "a nan;b inf;c -inf;d inf;" },
  { "labels", "a{b=\"c\",d=\"e\"} 1\n", "a[b=c][d=e] 1;" },
  { "labels-spaced", " a { b = \"c\" , } 1 \n", "a[b=c] 1;" },
  { "labels-none", "a{} 1\n", "a 1;" },
  { "escapes", "a{b=\"\\\\ \\\" \\n {},=#\"} 1\n", "a[b=\\ \" \n {},=#] 1;" },
  { "timestamp", "a 1 1395066363000\nb 1 -5\n", "a 1;b 1;" },
  { "exemplar", "a_bucket{le=\"1\"} 3 # {id=\"x\"} 0.5\n# EOF\n", "a_bucket[le=1] 3;" },
  { "crlf", "a 1\r\nb 2\r\n", "a 1;b 2;" },
  { "tab", "a\t1\n", "a 1;" },
  { "histogram", "h_bucket{le=\"+Inf\"} 4\nh_sum 1.5\nh_count 4\n",
    "h_bucket[le=+Inf] 4;h_sum 1.5;h_count 4;" },
  { "cut-off", "a 1\nb 12", NULL },
  { "no-value", "a\n", NULL },
  { "no-value-blank", "a \n", NULL },
  { "not-a-number", "a one\n", NULL },
  { "hexadecimal", "a 0x10\n", NULL },
  { "underscore", "a 1_000\n", NULL },
  { "too-large", "a 1e999\n", NULL },
  { "two-dots", "a 1.2.3\n", NULL },
  { "sign-only", "a -\n", NULL },
  { "name-digit", "1a 1\n", NULL },
  { "name-dash", "a-b 1\n", NULL },
  { "label-open", "a{b=\"c\" 1\n", NULL },
  { "label-unquoted", "a{b=c} 1\n", NULL },
  { "label-colon", "a{b:c=\"d\"} 1\n", NULL },
  { "label-escape", "a{b=\"\\t\"} 1\n", NULL },
  { "label-unended", "a{b=\"c\\\"} 1\n", NULL },
  { "label-twice", "a{b=\"c\",b=\"d\"} 1\n", NULL },
  { "label-no-comma", "a{b=\"c\"d=\"e\"} 1\n", NULL },
  { "rest", "a 1 2 3\n", NULL },
  { "rest-text", "a 1 x\n", NULL },
  { "not-utf8", "a{b=\"\xff\"} 1\n", NULL },
  { "web-page", "<html><title>Hi</title></html>\n", NULL },
  { "json", "{\"a\": 1}\n", NULL },
};

static void
test_text (gconstpointer data)
{
  const TextVector *v = data;
  gsize length = strlen (v->text);
  /* A copy of just the size, so that a sanitiser sees a read beyond it. */
  g_autofree char *copy = g_memdup2 (v->text, length);
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  gboolean read = tacho_prometheus_parse (copy, length, log_cb, log, &error);

  if (v->log != NULL)
    {
      g_assert_no_error (error);
      g_assert_true (read);
      g_assert_cmpstr (log->str, ==, v->log);
      return;
    }
  g_assert_false (read);
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL);
  g_assert_nonnull (strstr (error->message, "Line "));
}

static void
test_limits (void)
{
  g_autoptr (GString) text = g_string_new ("a{");
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i <= TACHO_PROMETHEUS_MAX_LABELS; i++)
    g_string_append_printf (text, "l%u=\"\",", i);
  g_string_append (text, "} 1\n");
  g_assert_false (tacho_prometheus_parse (text->str, text->len, log_cb, log, &error));
  g_assert_nonnull (strstr (error->message, "too many labels"));
  g_clear_error (&error);

  g_string_assign (text, "a{b=\"");
  while (text->len <= TACHO_PROMETHEUS_MAX_LINE)
    g_string_append_c (text, 'x');
  g_string_append (text, "\"} 1\n");
  g_assert_false (tacho_prometheus_parse (text->str, text->len, log_cb, log, &error));
  g_assert_nonnull (strstr (error->message, "too long"));
  g_clear_error (&error);

  g_string_set_size (text, TACHO_PROMETHEUS_MAX_SIZE + 1);
  memset (text->str, '\n', text->len);
  g_assert_false (tacho_prometheus_parse (text->str, text->len, log_cb, log, &error));
  g_assert_nonnull (strstr (error->message, "16 MiB"));
  g_assert_cmpuint (log->len, ==, 0);
}

typedef struct
{
  const char *name;
  const char *text;
  const char *told; /* member=value of what is not NaN, in the order of the struct */
} ServerVector;

static const ServerVector servers[] = {
  { "vllm",
    "# TYPE vllm:num_requests_running gauge\n"
    "vllm:num_requests_running{engine=\"0\",model_name=\"m\"} 3.0\n"
    "vllm:num_requests_running{engine=\"1\",model_name=\"m\"} 2.0\n"
    "vllm:num_requests_waiting{engine=\"0\",model_name=\"m\"} 7.0\n"
    "vllm:gpu_cache_usage_perc{engine=\"0\"} 0.9\n"
    "vllm:kv_cache_usage_perc{engine=\"0\"} 0.25\n"
    "vllm:kv_cache_usage_perc{engine=\"1\"} 0.5\n"
    "vllm:prompt_tokens_total{model_name=\"m\"} 100\n"
    "vllm:generation_tokens_total{model_name=\"m\"} 40\n"
    "vllm:prefix_cache_queries_total 80\nvllm:prefix_cache_hits_total 20\n"
    "vllm:num_preemptions_total 1\n"
    "vllm:request_queue_time_seconds_bucket{le=\"+Inf\"} 9\n"
    "vllm:request_queue_time_seconds_sum 1.5\nvllm:request_queue_time_seconds_count 9\n",
    "running=5 waiting=7 kv=0.5 prompt=100 output=40 queries=80 hits=20 preempted=1 queue=1.5 " },
  { "vllm-old", "vllm:gpu_cache_usage_perc 0.75\nvllm:prefix_cache_queries 8\n",
    "kv=0.75 queries=8 " },
  { "sglang",
    "sglang:num_running_reqs{model_name=\"m\"} 2.0\nsglang:num_queue_reqs 1.0\n"
    "sglang:token_usage 0.28\nsglang:prompt_tokens_total 8.128902e+06\n"
    "sglang:generation_tokens_total 7.557572e+06\nsglang:gen_throughput 86.5\n",
    "running=2 waiting=1 kv=0.28 prompt=8.1289e+06 output=7.55757e+06 " },
  { "tgi",
    "tgi_queue_size 4\ntgi_batch_current_size 8\ntgi_request_input_length_sum 30\n"
    "tgi_request_generated_tokens_sum 12\ntgi_request_queue_duration_sum 0.5\n",
    "running=8 waiting=4 prompt=30 output=12 queue=0.5 " },
  { "llamacpp",
    "# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.\n"
    "# TYPE llamacpp:prompt_tokens_total counter\n"
    "llamacpp:prompt_tokens_total 45\nllamacpp:tokens_predicted_total 7\n"
    "llamacpp:requests_processing 1\nllamacpp:requests_deferred 2\n"
    "llamacpp:predicted_tokens_seconds 0\n",
    "running=1 waiting=2 prompt=45 output=7 " },
  { "triton",
    "nv_inference_pending_request_count{model=\"a\",version=\"1\"} 3\n"
    "nv_inference_pending_request_count{model=\"b\",version=\"1\"} 1\n"
    "nv_inference_queue_duration_us{model=\"a\"} 1500000\n"
    "nv_gpu_utilization{gpu_uuid=\"x\"} 0.5\nnv_gpu_utilization{gpu_uuid=\"y\"} 1\n"
    "nv_gpu_memory_used_bytes{gpu_uuid=\"x\"} 1000\n"
    "nv_gpu_memory_used_bytes{gpu_uuid=\"y\"} 500\n"
    "nv_gpu_memory_total_bytes{gpu_uuid=\"x\"} 4000\n",
    "waiting=4 used=1500 total=4000 gpu=0.75 queue=1.5 " },
  { "tensorrt-llm",
    "nv_trt_llm_request_metrics{model=\"a\",request_type=\"waiting\"} 6\n"
    "nv_trt_llm_request_metrics{model=\"a\",request_type=\"active\"} 2\n"
    "nv_trt_llm_request_metrics{model=\"a\",request_type=\"max\"} 64\n"
    "nv_trt_llm_request_metrics{model=\"a\",request_type=\"scheduled\"} 1\n"
    "nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type=\"fraction\",model=\"a\"} 0.1\n"
    "nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type=\"used\",model=\"a\"} 10\n"
    "nv_inference_pending_request_count{model=\"a\"} 9\n",
    "running=2 waiting=6 kv=0.1 slots=64 " },
  { "nothing-of-it", "go_goroutines 5\n", "" },
  { "impossible",
    "vllm:num_requests_running NaN\nvllm:num_requests_waiting -1\n"
    "vllm:kv_cache_usage_perc +Inf\n",
    "" },
  { "sum-without-end",
    "vllm:prompt_tokens_total{engine=\"0\"} 1.7e308\n"
    "vllm:prompt_tokens_total{engine=\"1\"} 1.7e308\n",
    "" },
  { "empty", "", "" },
};

static TachoHttpReply *
reply_new (guint status, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  return tacho_http_reply_new (status, bytes);
}

static void
test_server (gconstpointer data)
{
  static const char *const names[] = { "running",   "waiting", "kv",     "used",    "total",
                                       "gpu",       "prompt",  "output", "queries", "hits",
                                       "preempted", "queue",   "slots" };
  const ServerVector *v = data;
  g_autoptr (TachoHttpReply) reply = reply_new (200, v->text);
  g_autoptr (GString) told = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  TachoServerMetrics metrics;
  const double *values = (const double *) &metrics;

  G_STATIC_ASSERT (sizeof metrics == G_N_ELEMENTS (names) * sizeof (double));
  g_assert_true (tacho_prometheus_read_metrics (reply, &metrics, &error));
  g_assert_no_error (error);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (!isnan (values[i]))
      g_string_append_printf (told, "%s=%g ", names[i], values[i]);
  g_assert_cmpstr (told->str, ==, v->told);
}

static void
test_refused (void)
{
  g_autoptr (TachoApi) api = tacho_api_llamacpp_new (FALSE, NULL);
  g_autoptr (TachoHttpReply) hidden =
      reply_new (501, "{\"error\":{\"message\":\"This server does not support metrics\"}}");
  g_autoptr (TachoHttpReply) keyed = reply_new (401, "");
  g_autoptr (TachoHttpReply) page = reply_new (200, "<html>\n");
  g_autoptr (GError) error = NULL;
  TachoServerMetrics metrics;

  g_assert_false (tacho_api_parse_metrics (api, hidden, &metrics, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "--metrics"));
  g_assert_true (isnan (metrics.requests_running));
  g_clear_error (&error);
  g_assert_false (tacho_api_parse_metrics (api, keyed, &metrics, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_HTTP_4XX);
  g_clear_error (&error);
  g_assert_false (tacho_api_parse_metrics (api, page, &metrics, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *path = g_strconcat ("/api/prometheus/text/", texts[i].name, NULL);

      g_test_add_data_func (path, &texts[i], test_text);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (servers); i++)
    {
      g_autofree char *path = g_strconcat ("/api/prometheus/server/", servers[i].name, NULL);

      g_test_add_data_func (path, &servers[i], test_server);
    }
  g_test_add_func ("/api/prometheus/limits", test_limits);
  g_test_add_func ("/api/prometheus/refused", test_refused);
  return g_test_run ();
}
