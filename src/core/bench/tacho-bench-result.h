/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A finished (or stopped) run: everything that the JSON, the terminal and the window show. */
#pragma once

#include "api/tacho-api.h"
#include "bench/tacho-bench-plan.h"
#include "bench/tacho-bench-record.h"
#include "bench/tacho-distribution.h"

G_BEGIN_DECLS

/* One row per bucket of the run's time; plain arrays so that a chart can read them. */
typedef struct
{
  double t_s; /* end of the bucket, from the start of the measured window */
  double output_tokens_per_s;
  double requests_per_s;
  double ttft_ms_p50; /* of requests whose first token came in this bucket; NaN: none */
  double ttft_ms_p95;
  double chunk_gap_ms_p50;
  double chunk_gap_ms_p95;
  double e2e_ms_p50; /* of requests that ended well in this bucket */
  double e2e_ms_p95;
  double in_flight;
  guint64 ok; /* in this bucket */
  guint64 errors;
} TachoBenchPoint;

/* What the server and this host said of themselves at a moment; NaN: not told. */
typedef struct
{
  double t_s; /* from the start of the measured window; negative in the warm-up */
  TachoServerMetrics server;
  double cpu_share;      /* of all cores of this host, 0..1 */
  double memory_used;    /* bytes */
  double network_rx_bps; /* bits a second, loopback included */
  double network_tx_bps;
  double gpu_share; /* busiest GPU, 0..1 */
  double gpu_memory_used;
} TachoBenchSample;

/* The doubles of TachoServerMetrics by their names in files. */
typedef struct
{
  const char *name;
  gsize offset;
} TachoServerField;
const TachoServerField *tacho_server_fields (gsize *n);

/* A part of the run that does not count. */
typedef struct
{
  double from_s, to_s; /* from the start of the measured window */
  char *reason;
} TachoBenchVoid;

#define TACHO_MAX_WAKE_DELAY_MS 10 /* above it the client may have distorted the run */

typedef struct
{
  double loop_lag_ms_p99; /* event loop: time from data ready to handled, as the loop sees it */
  double wake_delay_ms_p95; /* how late a timer woke the loop; NAN: not known */
  double own_read_share;  /* share of content chunks that came in a read of their own, 0..1 */
  double
      client_cpu_share; /* CPU of the load engine's thread(s) over the window, 0..1 of one core */
  double schedule_delay_ms_p99;
  double connections_reused_share;
  gboolean distorted; /* the client may have distorted the run */
  char **warnings;    /* NULL-terminated: why, in words */
} TachoSelfCheck;

enum
{
  TACHO_METRIC_TTFT,
  TACHO_METRIC_E2E,
  TACHO_METRIC_QUEUE,
  TACHO_METRIC_TTFT_FROM_SCHEDULE,
  TACHO_METRIC_E2E_FROM_SCHEDULE,
  TACHO_METRIC_ITL,
  TACHO_METRIC_TPOT,
  TACHO_METRIC_NTPOT,
  TACHO_METRIC_CHUNK_GAP,
  TACHO_N_METRICS
};
extern const char *const tacho_metric_names[TACHO_N_METRICS]; /* "ttft_ms", … */

typedef struct
{
  gatomicrefcount ref_count;
  char *id;      /* unique: time and random */
  char *started; /* ISO 8601 UTC */
  TachoBenchPlan *plan;
  char *target_url;
  char *target_family;
  char *target_description;
  char *target_version;
  gboolean simulated;
  gboolean server_is_local; /* the target is on this machine: host figures are the server's too */
  gboolean interrupted;     /* stopped before the plan was through */
  char *stop_reason;        /* "planned", "interrupted", "error-budget", "until", "fatal" */
  double window_s;          /* the measured window */
  gint64 window_start_ns;   /* CLOCK_MONOTONIC, as the stamps of the records; 0: never opened */
  gint64 window_start_unix_us; /* the same moment, CLOCK_REALTIME: for runs of many machines */
  guint64 ok, error, truncated, cancelled, warmup, cooldown, voided;
  guint64 errors[TACHO_ERROR_N_CLASSES];
  double output_tokens_per_s, requests_per_s, goodput_per_s; /* goodput NaN without an SLO */
  double prompt_tokens_per_s;
  guint64 output_tokens, prompt_tokens;
  guint64 tokens_from_usage, tokens_from_chunks; /* requests by source of their token count */
  guint64 connections_created;
  TachoDistribution latency[TACHO_N_METRICS];
  TachoHistogram *chunk_gaps;
  GArray *timeline;   /* of TachoBenchPoint */
  GPtrArray *records; /* of TachoBenchRecord, warm-up included, in order of id */
  TachoSelfCheck self_check;
  GArray *samples;    /* of TachoBenchSample */
  GPtrArray *voids;   /* of TachoBenchVoid */
  char *host;         /* a JSON object: the client's machine */
  char **merged_from; /* ids of the runs that were merged into this; or NULL */
} TachoBenchResult;

/* Empty, with an id of its own and the time of now. */
TachoBenchResult *tacho_bench_result_new (const TachoBenchPlan *plan) G_GNUC_WARN_UNUSED_RESULT;
TachoBenchResult *tacho_bench_result_ref (TachoBenchResult *result);
void tacho_bench_result_unref (TachoBenchResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoBenchResult, tacho_bench_result_unref)

/* Counts, throughput and latency anew from records, chunk_gaps, plan and window_s. */
void tacho_bench_result_summarise (TachoBenchResult *result);
/* One metric of one record; NaN where it is not defined. Not for TACHO_METRIC_CHUNK_GAP. */
double tacho_bench_metric_of_record (guint metric, const TachoBenchRecord *record);
/* The samples of one metric over the requests that count and ended well. (transfer full) */
double *tacho_bench_result_dup_samples (TachoBenchResult *result, guint metric, gsize *n);

/* Reads what tacho_bench_result_to_json wrote, records and histogram included: nothing is lost but
 * the stamps of single chunks. TACHO_ERROR_INVALID with the place. (tacho-bench-load.c) */
TachoBenchResult *tacho_bench_result_from_json (const char *text,
                                                gsize length,
                                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
TachoBenchResult *tacho_bench_result_load (const char *path,
                                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writers (tacho-bench-export.c). Files are written whole or not at all. TACHO_ERROR_IO. */
char *tacho_bench_result_to_json (TachoBenchResult *result,
                                  gboolean pretty) G_GNUC_WARN_UNUSED_RESULT; /* tacho.run/1 */
char *tacho_bench_host_to_json (void) G_GNUC_WARN_UNUSED_RESULT;
char *tacho_bench_result_to_csv (TachoBenchResult *result)
    G_GNUC_WARN_UNUSED_RESULT; /* a row per metric */
char *tacho_bench_result_records_to_jsonl (TachoBenchResult *result) G_GNUC_WARN_UNUSED_RESULT;
char *tacho_bench_result_records_to_csv (TachoBenchResult *result)
    G_GNUC_WARN_UNUSED_RESULT; /* a row per request */
char *tacho_bench_result_to_text (TachoBenchResult *result)
    G_GNUC_WARN_UNUSED_RESULT; /* the terminal's table */
gboolean tacho_bench_write_file (const char *path, const char *text, GError **error);
gboolean tacho_bench_check_writable (const char *path,
                                     GError **error); /* before the run; creates nothing lasting */

G_END_DECLS
