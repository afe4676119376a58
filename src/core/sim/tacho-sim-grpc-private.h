/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One call of the gRPC front, and the methods that answer it. */
#pragma once

#include "sim/tacho-sim-grpc.h"

#include "api/tacho-protobuf.h"

#include <grpc/compression.h>
#include <grpc/grpc.h>

G_BEGIN_DECLS

#define TACHO_SIM_GRPC_MAX_MESSAGE (32 * 1024 * 1024)

typedef struct _TachoSimRpc TachoSimRpc;

/* Which servers have a method. */
typedef enum
{
  TACHO_SIM_GRPC_TRITON = 1 << 0,
  TACHO_SIM_GRPC_KSERVE = 1 << 1,
  TACHO_SIM_GRPC_RYZANSTEIN = 1 << 2,
  TACHO_SIM_GRPC_ALL = 1 << 3, /* the server of every family */
} TachoSimGrpcShape;

typedef struct
{
  const char *path; /* "/package.Service/Method" */
  TachoSimGrpcShape shapes;
  const ProtobufCMessageDescriptor *request;
  gboolean generation;                                  /* faults without a path meet it */
  gboolean many;                                        /* the client may send several messages */
  void (*message) (TachoSimRpc *rpc, gpointer request); /* (transfer none) */
  void (*half_closed) (TachoSimRpc *rpc);               /* of a method with many */
  /* Says that something is wrong inside the stream; NULL: only a status can. */
  void (*in_band) (TachoSimRpc *rpc, const char *message);
} TachoSimMethod;

/* An operation that the completion queue answers; dispatched on the host's context. */
typedef struct
{
  void (*done) (gpointer user_data, gboolean ok);
  gpointer user_data;
} TachoSimTag;

struct _TachoSimGrpc
{
  TachoSimHost *host;
  TachoSimFront front;
  TachoSimGrpcShape shape;
  guint16 port;
  grpc_server *server;
  grpc_completion_queue *queue;
  GThread *thread;
  GSource *source;     /* wakes for events */
  GAsyncQueue *events; /* from the thread */
  GQueue rpcs;         /* of TachoSimRpc */
  GPtrArray *accepts;  /* of calls that may come */
  GHashTable *peers;   /* address to the number of its calls */
  GHashTable *stats;   /* model's id to TachoSimGrpcStats */
  TachoSimTag shutdown_tag;
  gboolean stopping;
  gboolean stopped;
};

typedef struct
{
  guint64 success, fail, cancel, empty, responses;
  gint64 success_ns, fail_ns, queue_ns, infer_ns;
  gint64 last_ms; /* Unix time */
} TachoSimGrpcStats;

struct _TachoSimRpc
{
  TachoSimGrpc *grpc;
  grpc_call *call;
  const TachoSimMethod *method; /* NULL: not implemented */
  char *path;
  GPtrArray *headers; /* of TachoHeader: the metadata */
  char *peer;
  guint n_of_peer; /* which call of its connection: 1 is the first */
  guint64 number;
  gint64 time_ns;
  TachoSimPlay play;
  GSource *delay;
  gpointer data; /* the method's own */
  GDestroyNotify data_free;

  TachoSimTag close_tag, receive_tag, send_tag;
  int cancelled;
  grpc_byte_buffer *received;
  guint n_received;
  char *captured; /* the first message, as JSON */
  gboolean recorded;
  TachoSimRequest *record;  /* what the capture has of it, until it is over */
  gint64 first_ns, last_ns; /* of the reply; 0: none */
  guint n_sent;             /* messages given to the transport */
  guint64 n_generation;     /* the first that it began, counted from 1; 0: none */

  GQueue out; /* of GBytes */
  grpc_metadata metadata[4];
  guint n_metadata;
  grpc_byte_buffer *sending_message;
  gboolean sending, head_sent, receiving;
  guint n_messages; /* handed over to be sent */
  gboolean finishing, status_sent, closed;
  gboolean ended;      /* nothing more will be said: finished, cut, stalled or gone */
  gboolean played;     /* the fault of one point in the stream */
  gboolean stalled;    /* ended by silence: the client will have to leave */
  guint n_generations; /* that run for it */
  grpc_status_code status;
  char *status_message;
  void (*sent) (TachoSimRpc *rpc);    /* once, when all is on the wire */
  void (*between) (TachoSimRpc *rpc); /* once, between the two messages of a fault's point */
};

/* What a method says. */
void tacho_sim_rpc_set_data (TachoSimRpc *rpc, gpointer data, GDestroyNotify data_free);
const char *tacho_sim_rpc_get_header (TachoSimRpc *rpc, const char *name);
TachoSimSend tacho_sim_rpc_send (TachoSimRpc *rpc, const ProtobufCMessage *message);
void tacho_sim_rpc_reply (TachoSimRpc *rpc, const ProtobufCMessage *message); /* and OK */
void tacho_sim_rpc_finish (TachoSimRpc *rpc, grpc_status_code status, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/* The front's side of a call. */
void tacho_sim_rpc_when_sent (TachoSimRpc *rpc, void (*sent) (TachoSimRpc *rpc));
void tacho_sim_rpc_record (TachoSimRpc *rpc, guint status);
void tacho_sim_rpc_close_record (TachoSimRpc *rpc, gboolean aborted);
gint64 tacho_sim_rpc_now_ns (void);
void tacho_sim_rpc_cut (TachoSimRpc *rpc);
gboolean tacho_sim_rpc_has_fault (TachoSimRpc *rpc, const char *name); /* of gRPC's own */
gboolean tacho_sim_rpc_play_grpc (TachoSimRpc *rpc);           /* TRUE: it has ended the call */
GBytes *tacho_sim_rpc_spoil (TachoSimRpc *rpc, GBytes *bytes); /* (transfer full), both */
guint tacho_sim_rpc_http_status (grpc_status_code status);
grpc_status_code tacho_sim_rpc_grpc_status (guint status);
void tacho_sim_rpc_new (TachoSimGrpc *grpc,
                        grpc_call *call,
                        const grpc_call_details *details,
                        const grpc_metadata_array *metadata);
TachoSimGrpcStats *tacho_sim_grpc_get_stats (TachoSimGrpc *grpc, const char *model);
const TachoSimMethod *tacho_sim_grpc_find_method (TachoSimGrpc *grpc, const char *path);
GStrv tacho_sim_grpc_list_services (TachoSimGrpc *grpc) G_GNUC_WARN_UNUSED_RESULT;

/* A generation for a call. Freed with the call's data, never from its own functions. */
typedef struct _TachoSimRun TachoSimRun;
typedef struct
{
  TachoSimSend (*text) (TachoSimRun *run, const char *text); /* finish_reason set: the last */
  void (*end) (TachoSimRun *run);
  void (*failed) (TachoSimRun *run, const char *reason);
} TachoSimRunFuncs;
struct _TachoSimRun
{
  TachoSimRpc *rpc;
  TachoSimRuntime *runtime;
  TachoSimGeneration *generation;
  const TachoSimRunFuncs *funcs;
  gpointer user_data;
  GString *text; /* all so far */
  guint n_told;  /* output tokens that a message spoke of */
  gboolean over; /* ended, well or not */
};
/* NULL: the prompt is too long, by how much is in *message. */
TachoSimRun *tacho_sim_run_start (TachoSimRpc *rpc,
                                  TachoSimRuntime *runtime,
                                  GArray *prompt, /* full */
                                  TachoSimGenerationOptions *options,
                                  const TachoSimRunFuncs *funcs,
                                  gpointer user_data,
                                  char **message) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sim_run_free (TachoSimRun *run);
guint tacho_sim_run_take_tokens (TachoSimRun *run); /* generated since the last call */

/* The wire below a call: what the C core has no words for. FALSE: not possible here. */
gboolean tacho_sim_wire_close (TachoSimRpc *rpc, gboolean reset);
gboolean tacho_sim_wire_goaway (TachoSimRpc *rpc);

char *tacho_sim_protobuf_to_json (const ProtobufCMessage *message) G_GNUC_WARN_UNUSED_RESULT;

/* Each ends with a method without path. */
extern const TachoSimMethod tacho_sim_oip_methods[];
extern const TachoSimMethod tacho_sim_ryzanstein_methods[];
extern const TachoSimMethod tacho_sim_health_methods[];

G_END_DECLS
