/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One place of the load: a libcurl handle or a gRPC call, its decoder and the request that it runs
 * now. */
#pragma once

#include <curl/curl.h>

#include "api/tacho-stream-decoder.h"
#include "bench/tacho-load-engine.h"
#include "bench/tacho-load-feed.h"
#include "net/tacho-transport.h"

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
  gint64 window_start_ns, window_end_ns; /* G_MAXINT64: not yet */
  TachoHistogram *lag;  /* ns from ready to handled */
} TachoReadCounts;

typedef struct
{
  const TachoLoadConfig *config;
  TachoRecorder *recorder;
  TachoReadCounts *counts;
  guint index;         /* of the place */
  CURL *easy;          /* NULL: not used yet, or gRPC */
  TachoTransport *grpc;
  GCancellable *cancellable; /* of the gRPC call */
  GQueue *grpc_ended;        /* where a call that has ended puts its place */
  GError *grpc_error;
  TachoErrorCode forced; /* why the gRPC call was cancelled */
  TachoLoadItem *item;   /* the conversation of this place, or NULL */
  guint turn;            /* the next one */
  gint64 cancel_at_ns;   /* 0: not */
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

/* grpc: the channel, or NULL for HTTP. */
gboolean tacho_load_stream_init (TachoLoadStream *self,
                                 const TachoLoadConfig *config,
                                 TachoRecorder *recorder,
                                 TachoReadCounts *counts,
                                 TachoTransport *grpc,
                                 GError **error);
void tacho_load_stream_clear (TachoLoadStream *self);
gboolean tacho_load_stream_is_ready (const TachoLoadStream *self); /* was init called */
/* Prepares a request; takes the record. Add self->easy to the multi handle next; a gRPC call is
 * under way already. */
void tacho_load_stream_begin (TachoLoadStream *self,
                              const TachoHttpRequest *request,
                              TachoBenchRecord *record);
/* The timeout that has passed, or 0. */
TachoErrorCode tacho_load_stream_overdue (const TachoLoadStream *self, gint64 now_ns);
/* Ends the request: by libcurl's result, or with `forced` (a timeout, cancelled) over it. The easy
 * handle must have left the multi handle. */
void
tacho_load_stream_end (TachoLoadStream *self, CURLcode code, TachoErrorCode forced, gint64 now_ns);

/* tacho-load-judge.c: what ended an HTTP request. The terminal marker wins over what came after. */
TachoErrorCode
tacho_load_stream_judge (TachoLoadStream *self, CURLcode code, TachoErrorCode forced);
TachoRecordStatus tacho_load_status_of (TachoErrorCode error);

/* tacho-load-grpc.c */
void tacho_load_grpc_begin (TachoLoadStream *self, const TachoHttpRequest *request);
void tacho_load_grpc_cancel (TachoLoadStream *self, TachoErrorCode forced);
TachoErrorCode tacho_load_grpc_judge (TachoLoadStream *self);

/* For the two ways that bytes come. */
void tacho_load_stream_event (const TachoStreamEvent *event, gpointer stream);

void tacho_load_stream_watch_habit (TachoLoadStream *self, gint64 now_ns);
/* The place has rested after its reply: looks whether the server has closed the connection
 * meanwhile. */
void tacho_load_stream_learn_habit (TachoLoadStream *self);

G_END_DECLS
