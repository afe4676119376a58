/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The load engine: libcurl's multi-socket interface on epoll, or gRPC, in one or more threads. */
#pragma once

#include "bench/tacho-recorder.h"
#include "config/tacho-profile.h"

G_BEGIN_DECLS

typedef struct
{
  char *base_url;    /* of the REST side */
  char *grpc_target; /* HOST:PORT, for a plan over gRPC */
  gboolean grpc_tls;
  char *bearer;   /* NULL: none; memory only */
  char **headers; /* "K: V" or NULL */
  char *ca_file;
  char *cert_file, *key_file; /* the client's, or NULL */
  char *pin;                  /* of the server's certificate, or NULL; gRPC only */
  char *proxy;                /* or NULL; loopback never goes through it */
  GPtrArray *words;           /* of synthetic prompts, or NULL: the usual ones */
  double timeouts_s[TACHO_N_TIMEOUTS];
  TachoApi *api;
  TachoBenchPlan *plan;
  gboolean keep_chunks;
} TachoLoadConfig;

TachoLoadConfig *tacho_load_config_new (TachoProfile *profile,
                                        TachoApi *api,
                                        const TachoBenchPlan *plan) G_GNUC_WARN_UNUSED_RESULT;
void tacho_load_config_free (TachoLoadConfig *config);

typedef struct _TachoLoadEngine TachoLoadEngine;

/* Called in the engine's thread, a few times a second, with a message to take over. */
typedef void (*TachoLoadFunc) (TachoSnapshotMessage *message, gpointer user_data);

TachoLoadEngine *tacho_load_engine_new (TachoLoadConfig *config,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
void tacho_load_engine_free (TachoLoadEngine *engine);
/* Runs the plan to its end or to stop, and fills the result. */
void tacho_load_engine_run (TachoLoadEngine *engine,
                            TachoLoadFunc func,
                            gpointer user_data,
                            TachoBenchResult *result);
void tacho_load_engine_stop (TachoLoadEngine *engine); /* from any thread, any number of times */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoLoadEngine, tacho_load_engine_free)

G_END_DECLS
