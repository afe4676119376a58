/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The innards of the recorder: what its writing and its reading share. */
#pragma once

#include "bench/tacho-recorder.h"
#include "bench/tacho-until.h"

G_BEGIN_DECLS

typedef struct
{
  gint64 from_ns, to_ns;
  char *reason;
} TachoRecorderVoid;

struct _TachoRecorder
{
  GMutex *mutex; /* NULL: one thread writes */
  TachoUntil *until;
  TachoHistogram *until_values; /* of its metric, ns */
  gint64 until_looked_ns;
  guint64 max_errors;
  double max_error_rate;
  GArray *voids;   /* of TachoRecorderVoid */
  GPtrArray *remarks;
  guint64 planned_requests;
  double planned_s;
  gint64 window_start;
  guint64 ok, error, truncated, cancelled, warmup, voided;
  guint64 errors[TACHO_ERROR_N_CLASSES];
  guint64 output_tokens;   /* of ok requests */
  TachoHistogram *ttft;    /* of ok requests, ns */
  TachoHistogram *e2e;
  TachoHistogram *gaps;
  GPtrArray *records;
  /* The timeline, and the bucket in progress. */
  GArray *timeline;
  guint handed_over;
  gint64 bucket_start;
  guint in_flight; /* at the last tick */
  guint64 bucket_chunks;
  guint64 bucket_ok;
  guint64 bucket_errors;
  GArray *bucket_ttft; /* of double, ms */
  GArray *bucket_gaps;
  GArray *bucket_e2e;
  double tokens_per_chunk; /* as far as usage has told, for the live figures */
  guint64 usage_tokens, usage_chunks;
};

static inline void
tacho_recorder_lock (TachoRecorder *self)
{
  if (self->mutex != NULL)
    g_mutex_lock (self->mutex);
}

static inline void
tacho_recorder_unlock (TachoRecorder *self)
{
  if (self->mutex != NULL)
    g_mutex_unlock (self->mutex);
}

/* The bucket in progress, as if it ended now. */
TachoBenchPoint
tacho_recorder_make_point (TachoRecorder *self, gint64 end_ns, guint in_flight);

G_END_DECLS
