/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request of a run, as `--records` writes it (DESIGN section 7). */
#pragma once

#include <stdbool.h>

#include "base/tacho-error.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_RECORD_OK,
  TACHO_RECORD_ERROR,
  TACHO_RECORD_TRUNCATED,
  TACHO_RECORD_CANCELLED,
} TachoRecordStatus;

/* A run of a million requests keeps a million of these: ordered and sized so that none of it is
 * padding, which is what the bools are for. */
typedef struct
{
  guint64 id;
  char *response_id;
  gint64 scheduled_ns, start_ns, first_ns, last_ns, end_ns; /* CLOCK_MONOTONIC; 0: not reached */
  gint64 *chunk_ns; /* only when records are kept (tacho_bench_run_set_keep_chunks) */
  guint32 n_chunk_ns;
  guint32 chunks;           /* content chunks */
  guint32 chunks_in_window; /* those that came inside the measured window */
  guint16 http_status;
  guint16 turn;         /* of its conversation, from 0 */
  gint64 prompt_tokens; /* -1 unknown */
  gint64 output_tokens;
  TachoRecordStatus status;
  TachoErrorCode error;   /* 0 when ok */
  guint16 thread;         /* load thread */
  bool tokens_from_usage; /* else counted from chunks */
  bool connection_reused;
  bool warmup;   /* sent before the measured window, or after it: in no figure */
  bool cooldown; /* after it */
  bool voided;   /* the clock jumped or the machine slept meanwhile: in no figure */
  bool slo_met;
} TachoBenchRecord;

/* Metrics of a record, milliseconds; NaN where not defined. Formulas: DESIGN section 6. */
double tacho_bench_record_ttft_ms (const TachoBenchRecord *record);
double tacho_bench_record_e2e_ms (const TachoBenchRecord *record);
double tacho_bench_record_queue_ms (const TachoBenchRecord *record);
double tacho_bench_record_ttft_from_schedule_ms (const TachoBenchRecord *record);
double tacho_bench_record_e2e_from_schedule_ms (const TachoBenchRecord *record);
double tacho_bench_record_itl_ms (const TachoBenchRecord *record);
double tacho_bench_record_tpot_ms (const TachoBenchRecord *record);
double tacho_bench_record_ntpot_ms (const TachoBenchRecord *record);
/* In the figures: measured, and not voided. Whether it ended well is its status. */
gboolean tacho_bench_record_counts (const TachoBenchRecord *record);
const char *tacho_record_status_to_string (TachoRecordStatus status);
gboolean tacho_record_status_from_string (const char *name, TachoRecordStatus *status);
void tacho_bench_record_free (TachoBenchRecord *record);

G_END_DECLS
