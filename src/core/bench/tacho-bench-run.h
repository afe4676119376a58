/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A benchmark run: the load engine in its own thread, watched from the caller's main context.
 * Properties (read-only): state. Signals, on the context that called start:
 *   "snapshot" (const TachoBenchSnapshot *): a few times a second while it runs;
 *   "ended": once; get_result then gives the result, or get_error why there is none. */
#pragma once

#include "bench/tacho-bench-result.h"
#include "service/tacho-client-manager.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_BENCH_IDLE,
  TACHO_BENCH_WARMUP,
  TACHO_BENCH_MEASURING,
  TACHO_BENCH_STOPPING,
  TACHO_BENCH_ENDED,
} TachoBenchState;

#define TACHO_TYPE_BENCH_STATE (tacho_bench_state_get_type ())
GType tacho_bench_state_get_type (void);

/* Valid during the signal only. The timeline is the engine's copy for this reader: it only grows,
 * except that the last point is the bucket in progress. */
typedef struct
{
  TachoBenchState state;
  double elapsed_s; /* of the measured window */
  double fraction;  /* 0..1 of the plan, by count or by time */
  guint in_flight;
  guint64 started, ok, error, truncated, cancelled, warmup;
  guint64 output_tokens;
  guint64 errors[TACHO_ERROR_N_CLASSES];
  double output_tokens_per_s; /* over the last second */
  double requests_per_s;
  double ttft_ms_p50, ttft_ms_p95, ttft_ms_p99; /* so far; NaN: none yet */
  double chunk_gap_ms_p50, chunk_gap_ms_p95, chunk_gap_ms_p99;
  double e2e_ms_p50, e2e_ms_p95, e2e_ms_p99;
  const TachoBenchPoint *timeline;
  guint n_timeline;
  const GArray *ttft_bins, *chunk_gap_bins, *e2e_bins; /* of TachoHistogramBin, ns */
  /* Of the first load thread; NaN: not known yet. */
  double loop_lag_ms_p99, own_read_share, client_cpu_share;
  gint64 window_start_ns;          /* CLOCK_MONOTONIC; 0: not open */
  const TachoBenchSample *samples; /* of server and host, from the window on */
  guint n_samples;
} TachoBenchSnapshot;

#define TACHO_TYPE_BENCH_RUN (tacho_bench_run_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchRun, tacho_bench_run, TACHO, BENCH_RUN, GObject)

/* The manager must be probed: its API builds the requests, its profile says where they go. */
TachoBenchRun *tacho_bench_run_new (TachoClientManager *manager,
                                    const TachoBenchPlan *plan,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
void tacho_bench_run_set_keep_chunks (TachoBenchRun *self,
                                      gboolean keep); /* for --records; default FALSE */
gboolean tacho_bench_run_start (TachoBenchRun *self, GError **error);
/* FALSE: no new requests, those in flight are cancelled, what was measured is kept. Safe at any
 * time. */
void tacho_bench_run_stop (TachoBenchRun *self);
TachoBenchState tacho_bench_run_get_state (TachoBenchRun *self);
TachoBenchResult *tacho_bench_run_get_result (TachoBenchRun *self); /* (transfer none) (nullable) */
/* Of a run that has started, before it has ended: its id, plan and target; nothing else. */
const TachoBenchResult *tacho_bench_run_peek_result (TachoBenchRun *self);
const GError *tacho_bench_run_get_error (TachoBenchRun *self);

G_END_DECLS
