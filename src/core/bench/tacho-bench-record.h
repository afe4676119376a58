/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request of a run, as `--records` writes it (DESIGN section 7). */
#pragma once

#include "base/tacho-error.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_RECORD_OK,
  TACHO_RECORD_ERROR,
  TACHO_RECORD_TRUNCATED,
  TACHO_RECORD_CANCELLED,
} TachoRecordStatus;

typedef struct
{
  guint64 id;
  char *response_id;
  gint64 scheduled_ns, start_ns, first_ns, last_ns, end_ns; /* CLOCK_MONOTONIC; 0: not reached */
  gint64 *chunk_ns; /* only when records are kept (tacho_bench_run_set_keep_chunks) */
  guint32 n_chunk_ns;
  guint32 chunks;       /* content chunks */
  gint64 prompt_tokens; /* -1 unknown */
  gint64 output_tokens;
  gboolean tokens_from_usage; /* else counted from chunks */
  TachoRecordStatus status;
  TachoErrorCode error; /* 0 when ok */
  guint16 http_status;
  gboolean connection_reused;
  gboolean warmup;
  gboolean slo_met;
} TachoBenchRecord;

/* Metrics of a record, milliseconds; NaN where not defined. Formulas: DESIGN section 6. */
double tacho_bench_record_ttft_ms (const TachoBenchRecord *record);
double tacho_bench_record_e2e_ms (const TachoBenchRecord *record);
double tacho_bench_record_queue_ms (const TachoBenchRecord *record);
double tacho_bench_record_itl_ms (const TachoBenchRecord *record);
double tacho_bench_record_tpot_ms (const TachoBenchRecord *record);
double tacho_bench_record_ntpot_ms (const TachoBenchRecord *record);
const char *tacho_record_status_to_string (TachoRecordStatus status);

G_END_DECLS
