/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this machine's client can measure without being in the way: its stamps against those of a
 * server that knows when it sent. */
#pragma once

#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

typedef struct
{
  guint streams;
  double planned_events_per_s, events_per_s;
  double stamp_error_us_p50, stamp_error_us_p99; /* stamp - sent, with the way through the kernel */
  double own_read_share;
  double loop_lag_ms_p99;
  double client_cpu_share;
  double cpu_us_per_event;
  gboolean clean; /* nothing distorted, and all events came */
} TachoCalibration;

#define TACHO_CALIBRATE_TOKENS_PER_S 50
#define TACHO_CALIBRATE_STEP_S 2.0
#define TACHO_N_CALIBRATE_STEPS 6

/* How many streams the steps have, rising. */
extern const guint tacho_calibrate_streams[TACHO_N_CALIBRATE_STEPS];

/* One size, for `seconds`. Blocks. TACHO_ERROR_IO, TACHO_ERROR_INVALID. */
gboolean tacho_calibrate (guint streams, double seconds, TachoCalibration *result, GError **error);
/* The most streams up to which every step was clean; 0: none. steps: of TachoCalibration,
 * rising. */
guint tacho_calibrate_limit (GArray *steps);

G_END_DECLS
