/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Four clients of the reference sender that do the same work: receive events and stamp them. */
#pragma once

#include "bench/tacho-bench-result.h"
#include "tacho-reference-sender.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_RECEIVER_EPOLL,   /* the floor: epoll, recv, a stamp, a search for the event's end */
  TACHO_RECEIVER_CURL,    /* libcurl's multi-socket interface on epoll, the same work */
  TACHO_RECEIVER_AIOHTTP, /* Python: aiohttp, json.loads, a list of stamps */
  TACHO_RECEIVER_ENGINE,  /* the load engine, all of it */
  TACHO_N_RECEIVERS
} TachoReceiver;

/* What one of them did over one plan of the sender. NaN: not known of it. */
typedef struct
{
  gboolean ok;                       /* every event came; FALSE: the receiver is not there */
  double cpu_us_per_event;           /* of its process, the first and the last tenth left out */
  double cpu_us_whole;               /* the same with connecting and the end of the run */
  double events_per_s;               /* as the sender could send them */
  double stamp_us_p50, stamp_us_p99; /* its stamp minus the sender's, on one clock */
  double own_read_share;             /* of the events; 0..1 */
} TachoReceived;

const char *tacho_receiver_get_name (TachoReceiver receiver);
/* Starts a sender, receives all of it. The plan has a rate and one request a stream. */
TachoReceived tacho_receive (TachoReceiver receiver, const TachoSenderPlan *plan);

/* --- what they share --- */

/* A stamp of each content event, in the sender's numbers, and the reads that brought them. */
typedef struct
{
  const TachoSenderLog *log;
  gint64 *stamps; /* [requests][events]; 0: it did not come */
  guint *counts;  /* [requests] */
  guint64 events, own_reads;
} TachoReceivedStamps;

void tacho_received_stamps_init (TachoReceivedStamps *self, const TachoSenderLog *log);
void tacho_received_stamps_clear (TachoReceivedStamps *self);
/* The next content event of a request. */
void tacho_received_stamps_add (TachoReceivedStamps *self, guint request, gint64 stamp_ns);
/* n content events of one read with one stamp. What comes after the last is no content. */
void
tacho_received_stamps_add_read (TachoReceivedStamps *self, guint request, guint n, gint64 stamp_ns);

/* Each: connects, receives to the end, closes. */
void tacho_receive_epoll (guint16 port, const TachoSenderLog *log, TachoReceivedStamps *stamps);
void tacho_receive_curl (guint16 port, const TachoSenderLog *log, TachoReceivedStamps *stamps);
/* FALSE: there is no aiohttp here. whole_cpu_s: as it says itself. */
gboolean tacho_receive_aiohttp (guint16 port,
                                TachoSenderLog *log,
                                TachoReceivedStamps *stamps,
                                double *whole_cpu_s);

/* The engine at the plan of the log, in a closed loop. keep_chunks: every chunk's stamp, as
 * `--records` does. edit: changes the plan first; or NULL. */
typedef void (*TachoPlanFunc) (TachoBenchPlan *plan, gpointer user_data);
TachoBenchResult *tacho_receive_result (guint16 port,
                                        const TachoSenderLog *log,
                                        gboolean keep_chunks,
                                        TachoPlanFunc edit,
                                        gpointer user_data) G_GNUC_WARN_UNUSED_RESULT;
void tacho_receive_engine (guint16 port, const TachoSenderLog *log, TachoReceivedStamps *stamps);

G_END_DECLS
