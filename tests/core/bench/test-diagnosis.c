/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each rule on a run that shows its fault and nothing else; silence on healthy ones; the host's
 * figures on a made-up machine. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "base/tacho-clock.h"
#include "bench/tacho-bench-watch.h"
#include "bench/tacho-diagnosis.h"
#include "bench/tacho-host-monitor.h"
#include "bench/tacho-random.h"
#include "test-utils.h"

#define N 400

/* Four at a time for ten seconds: TTFT 100 ms, 64 tokens in 640 ms, a tenth of noise. */
static TachoBenchResult *
healthy (guint64 seed)
{
  g_autoptr (TachoBenchPlan) plan = tacho_bench_plan_new ();
  TachoRandom random = tacho_random_new (seed, 0);
  TachoBenchResult *r;

  plan->model = g_strdup ("m");
  r = tacho_bench_result_new (plan);
  r->window_s = 10;
  r->window_start_ns = TACHO_NS_PER_S;
  r->server_is_local = TRUE;
  r->self_check = (TachoSelfCheck){ .own_read_share = 1, .connections_reused_share = 1 };
  for (guint i = 0; i < N; i++)
    {
      TachoBenchRecord *record = g_new0 (TachoBenchRecord, 1);
      double ttft = 100 * exp (0.1 * tacho_random_normal (&random));
      double itl = 10 * exp (0.05 * tacho_random_normal (&random));

      record->id = i;
      record->scheduled_ns = r->window_start_ns + (gint64) i * 24 * TACHO_NS_PER_MS;
      record->start_ns = record->scheduled_ns + 100000;
      record->first_ns = record->start_ns + (gint64) (ttft * TACHO_NS_PER_MS);
      record->last_ns = record->end_ns = record->first_ns + (gint64) (63 * itl * TACHO_NS_PER_MS);
      record->chunks = record->chunks_in_window = 64;
      record->output_tokens = 64;
      record->prompt_tokens = 128;
      record->tokens_from_usage = TRUE;
      record->connection_reused = TRUE;
      g_ptr_array_add (r->records, record);
    }
  for (guint i = 0; i <= 10; i++)
    {
      TachoBenchSample sample = { .t_s = i, .cpu_share = 0.5 };

      tacho_server_metrics_clear (&sample.server);
      sample.server.requests_running = 4;
      sample.server.requests_waiting = i == 3 ? 1 : 0;
      sample.server.kv_cache_usage = 0.4;
      sample.server.preemptions_total = 17;
      sample.server.prefix_cache_queries_total = 1000 * i;
      sample.server.prefix_cache_hits_total = 20 * i;
      g_array_append_val (r->samples, sample);
    }
  return r;
}

static TachoBenchRecord *
record_at (TachoBenchResult *r, guint i)
{
  return g_ptr_array_index (r->records, i);
}

static TachoBenchSample *
sample_at (TachoBenchResult *r, guint i)
{
  return &g_array_index (r->samples, TachoBenchSample, i);
}

static void
shift (TachoBenchRecord *record, double ms)
{
  record->first_ns += (gint64) (ms * TACHO_NS_PER_MS);
  record->last_ns += (gint64) (ms * TACHO_NS_PER_MS);
  record->end_ns += (gint64) (ms * TACHO_NS_PER_MS);
}

typedef void (*BreakFunc) (TachoBenchResult *r);

static void
break_client (TachoBenchResult *r)
{
  r->self_check.client_cpu_share = 0.97;
}

static void
break_connections (TachoBenchResult *r)
{
  r->self_check.connections_reused_share = 0.02;
  for (guint i = 0; i < N; i++)
    record_at (r, i)->scheduled_ns -= 30 * TACHO_NS_PER_MS;
}

static void
break_rate (TachoBenchResult *r)
{
  r->plan->load = TACHO_LOAD_POISSON;
  r->plan->rate = 80;
}

static void
break_limit (TachoBenchResult *r)
{
  for (guint i = 0; i < N; i += 10)
    {
      record_at (r, i)->status = TACHO_RECORD_ERROR;
      record_at (r, i)->error = TACHO_ERROR_HTTP_429;
    }
}

static void
break_server (TachoBenchResult *r)
{
  for (guint i = 0; i < 10; i++)
    {
      record_at (r, i * 7)->status = TACHO_RECORD_ERROR;
      record_at (r, i * 7)->error = TACHO_ERROR_HTTP_5XX;
    }
}

static void
break_replies (TachoBenchResult *r)
{
  record_at (r, 5)->status = TACHO_RECORD_TRUNCATED;
  record_at (r, 5)->error = TACHO_ERROR_TRUNCATED;
}

static void
break_clock (TachoBenchResult *r)
{
  record_at (r, 5)->voided = TRUE;
}

static void
break_queue (TachoBenchResult *r)
{
  for (guint i = 0; i <= 10; i++)
    {
      sample_at (r, i)->server.requests_waiting = 9;
      sample_at (r, i)->server.requests_running = 3 + i % 2;
    }
}

static void
break_batch (TachoBenchResult *r)
{
  for (guint i = 0; i <= 10; i++)
    sample_at (r, i)->server.requests_waiting = 9;
}

static void
break_cache (TachoBenchResult *r)
{
  sample_at (r, 7)->server.kv_cache_usage = 0.97;
}

static void
break_preemption (TachoBenchResult *r)
{
  sample_at (r, 10)->server.preemptions_total = 40;
}

static void
break_prefix (TachoBenchResult *r)
{
  for (guint i = 0; i <= 10; i++)
    sample_at (r, i)->server.prefix_cache_hits_total = 700 * i;
}

static void
break_host (TachoBenchResult *r)
{
  for (guint i = 0; i <= 10; i++)
    sample_at (r, i)->cpu_share = 0.99;
}

static void
break_drift (TachoBenchResult *r)
{
  for (guint i = 0; i < N; i++)
    shift (record_at (r, i), 0.2 * i);
}

static void
break_modes (TachoBenchResult *r)
{
  for (guint i = 0; i < N; i += 3)
    shift (record_at (r, i), 400);
}

static void
break_cold (TachoBenchResult *r)
{
  shift (record_at (r, 0), 6000);
}

static void
break_chunks (TachoBenchResult *r)
{
  for (guint i = 0; i < N; i++)
    record_at (r, i)->chunks = record_at (r, i)->chunks_in_window = 16;
}

static void
break_prefill (TachoBenchResult *r)
{
  for (guint i = 0; i < N; i++)
    shift (record_at (r, i), 900);
}

/* All that was due was sent, but late. */
static void
break_rate_late (TachoBenchResult *r)
{
  r->plan->load = TACHO_LOAD_POISSON;
  r->plan->rate = 40;
  for (guint i = 0; i < N; i++)
    record_at (r, i)->scheduled_ns -= 700 * TACHO_NS_PER_MS;
}

static const struct
{
  const char *id;
  BreakFunc func;
  TachoSeverity severity;
} faults[] = {
  { "client-bound", break_client, TACHO_FINDING_PROBLEM },
  { "connection-setup", break_connections, TACHO_FINDING_NOTICE },
  { "under-delivered", break_rate, TACHO_FINDING_WARNING },
  { "under-delivered", break_rate_late, TACHO_FINDING_WARNING },
  { "rate-limit", break_limit, TACHO_FINDING_PROBLEM },
  { "errors", break_server, TACHO_FINDING_PROBLEM },
  { "truncated", break_replies, TACHO_FINDING_WARNING },
  { "voided", break_clock, TACHO_FINDING_WARNING },
  { "queueing", break_queue, TACHO_FINDING_NOTICE },
  { "batching-limit", break_batch, TACHO_FINDING_NOTICE },
  { "kv-cache", break_cache, TACHO_FINDING_NOTICE },
  { "preemption", break_preemption, TACHO_FINDING_WARNING },
  { "prefix-cache", break_prefix, TACHO_FINDING_NOTICE },
  { "host-starved", break_host, TACHO_FINDING_WARNING },
  { "drift", break_drift, TACHO_FINDING_WARNING },
  { "bimodal", break_modes, TACHO_FINDING_NOTICE },
  { "cold-start", break_cold, TACHO_FINDING_WARNING },
  { "chunks", break_chunks, TACHO_FINDING_INFO },
  { "prefill-bound", break_prefill, TACHO_FINDING_INFO },
};

static void
test_fault (gconstpointer data)
{
  guint which = GPOINTER_TO_UINT (data);
  g_autoptr (TachoBenchResult) r = healthy (which);
  g_autoptr (GPtrArray) findings = NULL;
  g_autofree char *headline = NULL;
  const TachoFinding *found = NULL;

  faults[which].func (r);
  tacho_bench_result_summarise (r);
  findings = tacho_diagnose (r);
  for (guint i = 0; i < findings->len; i++)
    {
      const TachoFinding *finding = g_ptr_array_index (findings, i);

      g_test_message ("%s", finding->id);
      if (g_str_equal (finding->id, faults[which].id))
        found = finding;
      else /* a full batch is a queue as well */
        g_assert_true (finding->severity < TACHO_FINDING_NOTICE ||
                       g_str_equal (faults[which].id, "batching-limit"));
    }
  g_assert_nonnull (found);
  g_assert_cmpint (found->severity, ==, faults[which].severity);
  g_assert_cmpuint (found->evidence->len, >, 0);
  g_assert_cmpuint (found->advice->len, >, 0);
  headline = tacho_diagnosis_headline (r);
  g_assert_cmpint (headline != NULL, ==, found->severity >= TACHO_FINDING_NOTICE);
}

static void
test_silence (void)
{
  for (guint64 seed = 0; seed < 200; seed++)
    {
      g_autoptr (TachoBenchResult) r = healthy (1000 + seed);
      g_autofree char *headline = NULL;

      tacho_bench_result_summarise (r);
      headline = tacho_diagnosis_headline (r);
      g_assert_cmpstr (headline, ==, NULL);
    }
}

static void
write_at (const char *root, const char *path, const char *text)
{
  g_autofree char *whole = g_build_filename (root, path, NULL);
  g_autofree char *folder = g_path_get_dirname (whole);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (whole, text, -1, NULL));
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);

      remove_tree (inner);
    }
  g_remove (path);
}

static void
test_host (void)
{
  g_autofree char *root = g_dir_make_tmp ("tacho-XXXXXX", NULL);
  g_autoptr (TachoHostMonitor) monitor = NULL;
  TachoHostSample s;

  write_at (root, "proc/stat", "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 2 3 4\n");
  write_at (root, "proc/meminfo", "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  400 kB\n");
  write_at (root, "proc/net/dev",
            "Inter-| Receive\n face |bytes\n"
            "    lo: 1000 1 0 0 0 0 0 0 1000 1 0 0 0 0 0 0\n"
            "  eth0:5000 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0\n");
  write_at (root, "sys/class/drm/card0/device/gpu_busy_percent", "40\n");
  write_at (root, "sys/class/drm/card1/device/gpu_busy_percent", "90\n");
  write_at (root, "sys/class/drm/card1/device/mem_info_vram_used", "1048576\n");
  write_at (root, "sys/class/drm/card1-DP-1/device/gpu_busy_percent", "99\n");
  monitor = tacho_host_monitor_new (root);
  tacho_host_monitor_sample (monitor, 10 * TACHO_NS_PER_S, &s);
  g_assert_true (isnan (s.cpu_share) && isnan (s.network_rx_bps));
  g_assert_cmpfloat (s.memory_used, ==, 600 * 1024);
  g_assert_cmpfloat_with_epsilon (s.gpu_share, 0.9, 1e-9);
  g_assert_cmpfloat (s.gpu_memory_used, ==, 1048576);
  write_at (root, "proc/stat", "cpu  130 0 130 720 120 0 0 0 0 0\n");
  write_at (root, "proc/net/dev",
            "    lo: 2000 1 0 0 0 0 0 0 2000 1 0 0 0 0 0 0\n"
            "  eth0:5000 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0\n");
  tacho_host_monitor_sample (monitor, 12 * TACHO_NS_PER_S, &s);
  g_assert_cmpfloat_with_epsilon (s.cpu_share, 0.6, 1e-9);
  g_assert_cmpfloat_with_epsilon (s.network_rx_bps, 4000, 1e-6);
  write_at (root, "proc/stat", "nonsense\n");
  write_at (root, "proc/meminfo", "");
  tacho_host_monitor_sample (monitor, 13 * TACHO_NS_PER_S, &s);
  g_assert_true (isnan (s.cpu_share) && isnan (s.memory_used));
  remove_tree (root);
}

static void
test_local (void)
{
  g_assert_true (tacho_bench_is_local ("http://127.0.0.1:8080/v1"));
  g_assert_true (tacho_bench_is_local ("http://localhost"));
  g_assert_true (tacho_bench_is_local ("https://[::1]:1"));
  g_assert_true (tacho_bench_is_local ("127.9.9.9:8001"));
  g_assert_false (tacho_bench_is_local ("http://192.0.2.7:8080"));
  g_assert_false (tacho_bench_is_local ("https://api.example.com"));
  g_assert_false (tacho_bench_is_local (NULL));
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autofree char *path = g_strdup_printf ("/bench/diagnosis/%s-%u", faults[i].id, i);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_fault);
    }
  g_test_add_func ("/bench/diagnosis/silence", test_silence);
  g_test_add_func ("/bench/host/sample", test_host);
  g_test_add_func ("/bench/host/local", test_local);
  return g_test_run ();
}
