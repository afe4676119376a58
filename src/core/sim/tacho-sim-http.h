/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request and its reply on the server's thread: guard, faults, capture, whole replies, streams.
 */
#pragma once

#include "sim/tacho-sim-capture.h"
#include "sim/tacho-sim-engine.h"
#include "sim/tacho-sim-fault.h"

#include <json-glib/json-glib.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

/* What the thread works on: one engine behind every front. The fault set has a lock because any
 * thread may add to it. */
typedef struct
{
  TachoSimConfig *config;
  GMainContext *context;
  TachoSimEngine *engine;
  TachoSimCapture *capture;
  GMutex fault_lock;
  TachoSimFaultSet *faults;
  GQueue exchanges; /* of TachoSimExchange */
  guint64 n_requests;
} TachoSimHost;

/* An HTTP front that listens. */
typedef struct
{
  TachoSimHost *host;
  TachoSimFront front;
  SoupServer *soup;
} TachoSimListener;

typedef struct
{
  TachoSimHost *host;
  TachoSimFamily family; /* of its front: which routes there are, and how a reply looks */
  SoupServerMessage *message;
  char *path;
  char *query_model; /* "?model=", or NULL */
  guint64 number;
  gint64 time_ns;
  TachoSimPlay play;
  guint n_events;
  gboolean head_sent;
  gboolean ended;    /* the whole reply was handed over, or will never be */
  gboolean stalled;  /* ended by silence: the client will have to leave */
  gboolean recorded; /* in the capture */
  GSource *watch;    /* the client's going away */
  GSource *delay;
  gpointer generation;
  void (*generation_cancel) (gpointer generation); /* frees it too */
} TachoSimExchange;

typedef enum
{
  TACHO_SIM_SENT,
  TACHO_SIM_CUT, /* a fault ended the stream: stop generating */
} TachoSimSend;

TachoSimListener *tacho_sim_listener_new (TachoSimHost *host,
                                          const TachoSimFront *front,
                                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
guint16 tacho_sim_listener_get_port (TachoSimListener *listener);
void tacho_sim_listener_free (TachoSimListener *listener); /* closes its connections */
void tacho_sim_host_detach (TachoSimHost *host);           /* ends every exchange */

TachoSimExchange *tacho_sim_exchange_new (TachoSimHost *host,
                                          TachoSimFamily family,
                                          SoupServerMessage *message,
                                          const char *path,
                                          const char *query_model);
void tacho_sim_exchange_free (TachoSimExchange *exchange);
void tacho_sim_exchange_wait (TachoSimExchange *exchange);
void tacho_sim_exchange_drop (TachoSimExchange *exchange);
void tacho_sim_exchange_reply (TachoSimExchange *exchange,
                               guint status,
                               const char *type,
                               char *body /* full */);
void tacho_sim_exchange_error (TachoSimExchange *exchange,
                               guint status,
                               const char *type,
                               const char *format,
                               ...) G_GNUC_PRINTF (4, 5);
void tacho_sim_exchange_begin_stream (TachoSimExchange *exchange);
TachoSimSend tacho_sim_exchange_send_event (TachoSimExchange *exchange, const char *data);
void tacho_sim_exchange_end_stream (TachoSimExchange *exchange);
JsonObject *tacho_sim_exchange_parse_body (TachoSimExchange *exchange,
                                           JsonNode **root); /* NULL: has replied */
char *tacho_sim_error_json (guint status,
                            const char *type,
                            const char *message) G_GNUC_WARN_UNUSED_RESULT;

gboolean tacho_sim_is_generation (const char *path);
void tacho_sim_openai_generate (TachoSimExchange *exchange); /* chat and completions */
gboolean
tacho_sim_openai_route (TachoSimExchange *exchange); /* FALSE: not a route of this family */
gboolean tacho_sim_llamacpp_route (TachoSimExchange *exchange);

G_END_DECLS
