/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request and its reply on the server's thread: guard, faults, capture, whole replies, streams.
 */
#pragma once

#include "sim/tacho-sim-capture.h"
#include "sim/tacho-sim-engine.h"
#include "sim/tacho-sim-fault.h"
#include "sim/tacho-sim-generation.h"
#include "sim/tacho-sim-wire.h"

#include <json-glib/json-glib.h>
#include <libsoup/soup.h>

G_BEGIN_DECLS

/* A token bucket, filled by time. */
typedef struct
{
  double level;
  gint64 filled_ns; /* 0: not used yet, full */
} TachoSimBucket;

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
  GHashTable *adapters;         /* LoRA: name to path */
  GPtrArray *pulls;             /* of TachoSimPull */
  GQueue exchanges;             /* of TachoSimExchange */
  struct _TachoSimSides *sides; /* the ports; the server's */
  guint64 n_requests;
  TachoSimBucket requests_left, tokens_left; /* of the rate limits */
  guint64 n_counted_tokens;
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
  TachoSimFamily family; /* which routes there are, and how a reply looks */
  gboolean anybody;      /* the front speaks all families */
  SoupServerMessage *message;
  char *path;
  char *query_model; /* "?model=", or NULL */
  guint64 number;
  gint64 time_ns;
  TachoSimPlay play;
  guint n_events;
  guint retry_after_s; /* 0: one second */
  gboolean head_sent;
  gboolean ended;          /* the whole reply was handed over, or will never be */
  gboolean stalled;        /* ended by silence: the client will have to leave */
  gboolean recorded;       /* in the capture */
  TachoSimRequest *record; /* what the capture is told at the end, or NULL */
  gboolean aborted;        /* the client left too early */
  guint64 n_generation;    /* which one it began; 0: none */
  GSource *watch;          /* the client's going away */
  GSource *delay;
  TachoSimWire *wire; /* the reply is written by hand: libsoup has let the connection go */
  gpointer generation;
  void (*generation_cancel) (gpointer generation); /* frees it too */
  gpointer job; /* what else the reply waits for: a load, a download */
  GDestroyNotify job_free;
} TachoSimExchange;

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
void tacho_sim_exchange_record (TachoSimExchange *exchange, guint status); /* harmless twice */
void tacho_sim_exchange_close_record (TachoSimExchange *exchange);
void tacho_sim_exchange_wrote_headers_cb (SoupServerMessage *message, gpointer user_data);
void tacho_sim_exchange_drop (TachoSimExchange *exchange);
void tacho_sim_exchange_reply (TachoSimExchange *exchange,
                               guint status,
                               const char *type,
                               char *body /* full */);
void
tacho_sim_exchange_error (TachoSimExchange *exchange,
                          guint status,
                          const char *type, /* llama.cpp's, of which the family makes its own */
                          const char *format,
                          ...) G_GNUC_PRINTF (4, 5);
void tacho_sim_exchange_begin_stream (TachoSimExchange *exchange, const char *type);
/* One event (an NDJSON line, an SSE event) as it goes on the wire. */
TachoSimSend tacho_sim_exchange_send (TachoSimExchange *exchange, const char *text);
TachoSimSend tacho_sim_exchange_send_event (TachoSimExchange *exchange, const char *data);
void tacho_sim_exchange_end_stream (TachoSimExchange *exchange);
JsonObject *tacho_sim_exchange_parse_body (TachoSimExchange *exchange,
                                           JsonNode **root); /* NULL: has replied */
/* An error in the family's own shape: the body of a reply, or an event in a stream. */
char *tacho_sim_error_body (TachoSimFamily family,
                            const char *path, /* or NULL */
                            guint status,
                            const char *type,
                            const char *message) G_GNUC_WARN_UNUSED_RESULT;
char *tacho_sim_error_event (const TachoSimExchange *exchange,
                             const char *message) G_GNUC_WARN_UNUSED_RESULT;

gboolean tacho_sim_exchange_is (TachoSimExchange *exchange, const char *method, const char *path);
/* What stands between prefix and suffix in the path, or NULL; unescaped. */
char *tacho_sim_exchange_get_between (TachoSimExchange *exchange,
                                      const char *prefix,
                                      const char *suffix) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sim_exchange_reply_json (TachoSimExchange *exchange, GString *json /* full */);
/* TRUE: the request is over a rate limit, and was refused. */
gboolean tacho_sim_limit_refuses (TachoSimExchange *exchange);
void tacho_sim_control (TachoSimExchange *exchange); /* "/__tacho/…" */
gboolean tacho_sim_is_generation (const char *path);
gboolean tacho_sim_equal_secret (const char *a, const char *b);

G_END_DECLS
