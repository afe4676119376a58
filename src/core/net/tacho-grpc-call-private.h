/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A call's innards: what its start and its course share. */
#pragma once

#include "net/tacho-grpc-client-private.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_GRPC_EVENT_HEAD_SENT,
  TACHO_GRPC_EVENT_BODY_SENT,
  TACHO_GRPC_EVENT_MESSAGE, /* the first with the server's initial metadata */
  TACHO_GRPC_EVENT_STATUS,
  TACHO_GRPC_N_EVENTS
} TachoGrpcEventKind;

typedef struct
{
  TachoGrpcTag tag;
  TachoGrpcCall *call;
  TachoGrpcEventKind kind;
  /* Set by the queue's thread before the caller's context sees the event. */
  gboolean success;
  gint64 now_ns;
} TachoGrpcEvent;

/* All but the events is touched by the thread of the caller's context only. Those of the core's
 * pointers that it writes to are read after their event, and freed with the last reference. */
struct _TachoGrpcCall
{
  gatomicrefcount refs;
  TachoGrpcClient *client; /* until the end */
  GTask *task;
  GMainContext *context;
  grpc_call *call;
  TachoGrpcEvent events[TACHO_GRPC_N_EVENTS];

  GArray *metadata; /* of grpc_metadata: what we send */
  grpc_metadata_array initial;
  grpc_metadata_array trailing;
  grpc_byte_buffer *incoming;
  grpc_status_code status;
  grpc_slice details;
  const char *debug;

  TachoStreamFuncs funcs;
  gpointer funcs_data;
  gboolean streaming;
  GSource *timers[TACHO_GRPC_N_TIMERS];
  double limits[TACHO_GRPC_N_TIMERS];
  GSource *cancel_source;

  gboolean reused;
  gboolean connected; /* the head is on the wire */
  gboolean head_done; /* sent, or never will be */
  gboolean reading;   /* a read is under way */
  gboolean status_known;
  gboolean finished;
  guint in_func; /* inside a function of the caller: the task must not return now */
  gint64 start_ns;
  gint64 activity_us;
  guint64 messages;
  GBytes *body; /* the first message, if the reply is collected */
  GByteArray *frame;
  GError *failure;
};

/* tacho-grpc-call.c */
void tacho_grpc_call_init (TachoGrpcCall *self, TachoGrpcClient *client, GTask *task);
void tacho_grpc_call_arm (TachoGrpcCall *self, TachoGrpcTimer timer);
void tacho_grpc_call_watch (TachoGrpcCall *self, GCancellable *cancellable);
gboolean tacho_grpc_call_start_batch (TachoGrpcCall *self,
                                      const grpc_op *ops,
                                      gsize n_ops,
                                      TachoGrpcEventKind kind);
gboolean tacho_grpc_call_start_read (TachoGrpcCall *self, gboolean first);

G_END_DECLS
