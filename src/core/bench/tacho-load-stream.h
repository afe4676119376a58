/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One place in the closed loop: a libcurl handle, its decoder and the request that it runs now. */
#pragma once

#include <curl/curl.h>

#include "api/tacho-stream-decoder.h"
#include "bench/tacho-load-engine.h"

G_BEGIN_DECLS

/* Whether the server keeps a connection open after a reply, whatever its headers say. */
typedef enum
{
  TACHO_HABIT_UNKNOWN,
  TACHO_HABIT_KEEPS,
  TACHO_HABIT_CLOSES, /* llama-server after a stream: every request gets a connection of its own */
} TachoHabit;

typedef struct
{
  TachoHabit habit;     /* learnt once a run, from the first reply */
  guint64 action;       /* number of the socket action in progress: chunks of one share a read */
  guint64 chunks;       /* content chunks of measured requests */
  guint64 own_reads;    /* those that came alone in their action */
  gint64 window_end_ns; /* G_MAXINT64: open */
} TachoReadCounts;

typedef struct
{
  const TachoLoadConfig *config;
  TachoRecorder *recorder;
  TachoReadCounts *counts;
  CURL *easy;
  struct curl_slist *headers;
  TachoStreamDecoder *decoder;
  TachoBenchRecord *record; /* NULL: idle */
  GBytes *body;             /* of the request, read by libcurl while it runs */
  GArray *gaps_ns;          /* of gint64 */
  GArray *chunks_ns;        /* of gint64, when chunks are kept */
  GError *verdict;          /* why the reply was refused */
  TachoUsage usage;
  gint64 last_byte_ns;   /* stamp of the last read of the body, 0: none yet */
  guint64 stamp_action;  /* the action that it belongs to */
  const char *last_data; /* where in libcurl's buffer it stood; compared, never read */
  guint chunks_in_read;
  gboolean head_seen;
  gboolean on_wire; /* the request was handed to the wire */
  gboolean resent;  /* libcurl wanted to send it again */
  guint failures;   /* in a row */
  gint64 rest_until_ns;
  char error_text[CURL_ERROR_SIZE];
  curl_socket_t kept_fd; /* of a reply whose connection is watched for the habit, or BAD */
} TachoLoadStream;

gboolean tacho_load_stream_init (TachoLoadStream *self,
                                 const TachoLoadConfig *config,
                                 TachoRecorder *recorder,
                                 TachoReadCounts *counts,
                                 GError **error);
void tacho_load_stream_clear (TachoLoadStream *self);
/* Prepares request `number` (transfer none); add self->easy to the multi handle next. */
void tacho_load_stream_begin (TachoLoadStream *self,
                              const TachoHttpRequest *request,
                              guint64 number,
                              gboolean warmup,
                              gint64 scheduled_ns);
/* The timeout that has passed, or 0. */
TachoErrorCode tacho_load_stream_overdue (const TachoLoadStream *self, gint64 now_ns);
/* Ends the request: by libcurl's result, or with `forced` (a timeout, cancelled) over it. The easy
 * handle must have left the multi handle. */
void
tacho_load_stream_end (TachoLoadStream *self, CURLcode code, TachoErrorCode forced, gint64 now_ns);

void tacho_load_stream_watch_habit (TachoLoadStream *self, gint64 now_ns);
/* The place has rested after its reply: looks whether the server has closed the connection
 * meanwhile. */
void tacho_load_stream_learn_habit (TachoLoadStream *self);

G_END_DECLS
