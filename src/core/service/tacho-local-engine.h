/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A llama-server of this computer's own: found, started on a free loopback port, watched, stopped.
 * It never outlives the program. Properties (read-only, notify): state (TachoLocalEngineState),
 * loading (boolean: it answers, but is loading its model still). */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define TACHO_LOCAL_ENGINE_LOG_BYTES (256 * 1024) /* the log keeps its end */

typedef enum
{
  TACHO_LOCAL_ENGINE_STOPPED,
  TACHO_LOCAL_ENGINE_STARTING,
  TACHO_LOCAL_ENGINE_READY,
  TACHO_LOCAL_ENGINE_STOPPING,
  TACHO_LOCAL_ENGINE_FAILED, /* it did not start, or ended by itself: see get_error */
} TachoLocalEngineState;

#define TACHO_TYPE_LOCAL_ENGINE_STATE (tacho_local_engine_state_get_type ())
GType tacho_local_engine_state_get_type (void);

typedef struct
{
  const char *program;  /* NULL: llama-server of the PATH */
  const char *models;   /* a folder of GGUF files (router mode), or one file */
  guint context;        /* tokens; 0: as the model has it */
  int gpu_layers;       /* -1: the server decides */
  double start_limit_s; /* until it answers; 0: 60 s, for one file 900 s */
  double stop_limit_s;  /* from SIGTERM to SIGKILL; 0: 5 s */
} TachoLocalEngineOptions;

#define TACHO_TYPE_LOCAL_ENGINE (tacho_local_engine_get_type ())
G_DECLARE_FINAL_TYPE (TachoLocalEngine, tacho_local_engine, TACHO, LOCAL_ENGINE, GObject)

/* The program that would be started: `given`, or what the PATH has. NULL: none. */
char *tacho_local_engine_find_program (const char *given) G_GNUC_WARN_UNUSED_RESULT;
/* Paths of the models of a folder and of the folders in it, as router mode sees them: a model in
 * parts is one, its projector is none. */
void tacho_local_engine_list_models_async (const char *folder,
                                           GCancellable *cancellable,
                                           GAsyncReadyCallback callback,
                                           gpointer user_data);
char **tacho_local_engine_list_models_finish (GAsyncResult *result,
                                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

TachoLocalEngine *tacho_local_engine_new (void) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_local_engine_start (TachoLocalEngine *self,
                                   const TachoLocalEngineOptions *options,
                                   GError **error);
void tacho_local_engine_stop (TachoLocalEngine *self);
TachoLocalEngineState tacho_local_engine_get_state (TachoLocalEngine *self);
gboolean tacho_local_engine_get_loading (TachoLocalEngine *self);
const char *tacho_local_engine_get_url (TachoLocalEngine *self); /* NULL: never started */
const GError *tacho_local_engine_get_error (TachoLocalEngine *self);
GPid tacho_local_engine_get_pid (TachoLocalEngine *self); /* 0: none runs */

/* The log is kept as bytes and made safe to show here: what stands behind `from`, whole lines only
 * while it runs. *next goes into the next call; *lost: what stood before is not kept any more. */
char *tacho_local_engine_read_log (TachoLocalEngine *self,
                                   guint64 from,
                                   guint64 *next,
                                   gboolean *lost) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
