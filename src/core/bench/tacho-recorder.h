/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the load engine writes down while it runs: without a lock from one thread, with one from
 * several. */
#pragma once

#include "bench/tacho-bench-run.h"

G_BEGIN_DECLS

#define TACHO_BUCKET_NS (TACHO_NS_PER_S / 2) /* one point of the timeline */

typedef struct _TachoRecorder TachoRecorder;

/* Why a run ends before its plan is through. */
typedef enum
{
  TACHO_STOP_NONE,
  TACHO_STOP_PERSON,
  TACHO_STOP_BUDGET,
  TACHO_STOP_UNTIL,
  TACHO_STOP_FATAL,
} TachoLoadStop;

/* planned: measured requests, 0: by duration. shared: several threads write. */
TachoRecorder *tacho_recorder_new (const TachoBenchPlan *plan,
                                   guint64 planned,
                                   gboolean shared) G_GNUC_WARN_UNUSED_RESULT;
void tacho_recorder_free (TachoRecorder *recorder);

/* The measured window opens with the first measured request; until then only counts move. */
void tacho_recorder_open_window (TachoRecorder *recorder, gint64 now_ns);
gint64 tacho_recorder_get_window_start (const TachoRecorder *recorder); /* 0: not open */

/* One content chunk of a measured request; previous_ns 0 for the first, which gives the TTFT. */
void tacho_recorder_chunk (TachoRecorder *recorder,
                           const TachoBenchRecord *record,
                           gint64 previous_ns,
                           gint64 now_ns);
/* Takes the finished record (transfer full) with its chunk gaps (histogram of this request, merged
 * if ok). */
void tacho_recorder_take (TachoRecorder *recorder,
                          TachoBenchRecord *record,
                          const GArray *gaps_ns);
void tacho_recorder_tick (TachoRecorder *recorder,
                          gint64 now_ns,
                          guint in_flight); /* closes buckets that are over */

/* Whether the error budget is spent, or enough is known. */
TachoLoadStop tacho_recorder_check_stop (TachoRecorder *recorder);

/* A part of the run that does not count, and a remark for the self-check. Take the text. */
void tacho_recorder_void (TachoRecorder *recorder, gint64 from_ns, gint64 to_ns, char *reason);
void tacho_recorder_remark (TachoRecorder *recorder, char *text);
GPtrArray *tacho_recorder_get_remarks (TachoRecorder *recorder); /* (transfer none) of char * */

/* A snapshot to hand over; its timeline holds the points not handed over before, then the one in
 * progress. */
typedef struct
{
  TachoBenchSnapshot values;
  GArray *new_points; /* of TachoBenchPoint, complete */
  GArray *ttft_bins, *chunk_gap_bins, *e2e_bins;
  TachoBenchPoint current;
} TachoSnapshotMessage;

TachoSnapshotMessage *tacho_recorder_snapshot (TachoRecorder *recorder,
                                               TachoBenchState state,
                                               gint64 now_ns,
                                               guint in_flight) G_GNUC_WARN_UNUSED_RESULT;
void tacho_snapshot_message_free (TachoSnapshotMessage *message);

/* Fills counts, throughput, latency, timeline and records. window_end: the end of the measured
 * window. */
void
tacho_recorder_finish (TachoRecorder *recorder, gint64 window_end_ns, TachoBenchResult *result);

G_END_DECLS
