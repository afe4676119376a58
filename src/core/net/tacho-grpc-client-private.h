/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the client, its channel, its calls and the queue's thread share. */
#pragma once

#include "net/tacho-grpc-client.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

G_BEGIN_DECLS

#define TACHO_GRPC_MAX_MESSAGE (64 * 1024 * 1024)
#define TACHO_GRPC_MAX_METADATA (16 * 1024)
#define TACHO_GRPC_KEEPALIVE_TIMEOUT_MS 10000

typedef struct _TachoGrpcCall TachoGrpcCall;
typedef struct _TachoGrpcLink TachoGrpcLink;

/* What comes out of the completion queue. Runs on the queue's thread. */
typedef struct
{
  void (*done) (gpointer owner, gboolean success, gint64 now_ns);
  gpointer owner;
} TachoGrpcTag;

/* Each has its own limit and its own error. */
typedef enum
{
  TACHO_GRPC_TIMER_CONNECT,
  TACHO_GRPC_TIMER_FIRST,
  TACHO_GRPC_TIMER_IDLE,
  TACHO_GRPC_TIMER_TOTAL,
  TACHO_GRPC_N_TIMERS
} TachoGrpcTimer;

struct _TachoGrpcClient
{
  GObject parent_instance;

  char *target;        /* "host:port", for people and as authority */
  char *address;       /* the core's: "dns:///host:port", "ipv4:…", "ipv6:[…]:…" */
  char *authorization; /* "Bearer …", or NULL */
  GPtrArray *headers;  /* of TachoHeader, names in lower case */
  grpc_channel_credentials *credentials;
  gboolean tls;
  gboolean pinned;
  gboolean has_certificate; /* its own, for mTLS */
  double limits[TACHO_GRPC_N_TIMERS];
  double keepalive;
  gboolean closed;

  TachoGrpcLink *link; /* the channel now in use, or NULL */
  GPtrArray *calls;    /* of TachoGrpcCall, not owned: those that run */
  TachoTransportCounters counters;
  guint64 created_before; /* connections of channels that were replaced */
};

/* How a call ended, as far as the core tells. */
typedef struct
{
  gboolean connected;  /* the head of the request was handed to a connection */
  gboolean broken_off; /* the core says that no clean end of the stream was read */
  guint64 messages;
  grpc_status_code status;
  const char *message; /* of the status, UTF-8 */
  const char *debug;   /* the core's own account */
} TachoGrpcOutcome;

/* tacho-grpc-queue.c */
void tacho_grpc_queue_hold (void);
void tacho_grpc_queue_release (void);
grpc_completion_queue *tacho_grpc_queue_get (void);

/* tacho-grpc-credentials.c */
grpc_channel_credentials *tacho_grpc_credentials_new (const TachoGrpcOptions *options,
                                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* tacho-grpc-channel.c */
gboolean
tacho_grpc_address_parse (const char *target, char **shown, char **address, GError **error);
TachoGrpcLink *tacho_grpc_link_new (TachoGrpcClient *client) G_GNUC_WARN_UNUSED_RESULT;
grpc_channel *tacho_grpc_link_get_channel (TachoGrpcLink *link);
grpc_connectivity_state tacho_grpc_link_get_state (TachoGrpcLink *link);
guint64 tacho_grpc_link_get_created (TachoGrpcLink *link);
void tacho_grpc_link_close (TachoGrpcLink *link);

/* tacho-grpc-metadata.c */
gboolean tacho_grpc_metadata_check (const char *name, const char *value, GError **error);
GArray *tacho_grpc_metadata_build (TachoGrpcClient *client,
                                   const TachoHttpRequest *request,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT; /* grpc_metadata */
void tacho_grpc_metadata_read (const grpc_metadata_array *metadata, TachoHttpReply *reply);

/* tacho-grpc-status.c */
guint tacho_grpc_status_to_http (int status);
GError *tacho_grpc_error_from_timer (TachoGrpcTimer timer,
                                     double limit,
                                     const char *target) G_GNUC_WARN_UNUSED_RESULT;
GError *tacho_grpc_judge (const TachoGrpcClient *client,
                          const TachoGrpcOutcome *outcome,
                          int *status) G_GNUC_WARN_UNUSED_RESULT;

/* tacho-grpc-call.c */
void tacho_grpc_call_run (TachoGrpcClient *client,
                          const TachoHttpRequest *request,
                          const TachoStreamFuncs *funcs,
                          gpointer funcs_data,
                          double timeout_total,
                          GTask *task);
gpointer tacho_grpc_call_ref (gconstpointer call, gpointer unused); /* a GCopyFunc */
void tacho_grpc_call_unref (gpointer call);
void tacho_grpc_call_abort (TachoGrpcCall *call);

G_END_DECLS
