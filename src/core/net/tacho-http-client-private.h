/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the client, its exchanges and the error mapping share. */
#pragma once

#include "net/tacho-http-client.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

#define TACHO_HTTP_BUFFER_SIZE (64 * 1024)
#define TACHO_HTTP_MAX_BODY ((gsize) 64 * 1024 * 1024)
#define TACHO_HTTP_MAX_HEADERS 1000

typedef struct _TachoHttpExchange TachoHttpExchange;

struct _TachoHttpClient
{
  GObject parent_instance;

  SoupSession *session;
  char *base_url;
  char *authorization; /* "Bearer …", or NULL */
  GPtrArray *headers;  /* of TachoHeader */
  double timeout_connect;
  double timeout_first;
  double timeout_idle;
  double timeout_total;
  gint64 max_age_ns;
  GTlsCertificate *certificate; /* the client's own, or NULL */
  char *pin;
  gboolean closed;

  GPtrArray *exchanges; /* of TachoHttpExchange, not owned: those that run */
  GHashTable *streams;  /* of GIOStream, weak: connections that are open */
  GHashTable *births;   /* connection id to the time of its first use, both gint64 */
  guint active;         /* exchanges that have a connection now */
  TachoTransportCounters counters;
};

/* How far an exchange has come; decides what an error means. */
typedef enum
{
  TACHO_HTTP_PHASE_CONNECTING, /* the request is not on the wire */
  TACHO_HTTP_PHASE_WAITING,    /* written; no head */
  TACHO_HTTP_PHASE_BODY,
} TachoHttpPhase;

/* Each has its own limit and its own error. */
typedef enum
{
  TACHO_HTTP_TIMER_CONNECT,
  TACHO_HTTP_TIMER_FIRST,
  TACHO_HTTP_TIMER_IDLE,
  TACHO_HTTP_TIMER_TOTAL,
  TACHO_HTTP_N_TIMERS
} TachoHttpTimer;

/* tacho-http-error.c */
GError *tacho_http_error_from_gio (const GError *error,
                                   TachoHttpPhase phase,
                                   const char *base_url,
                                   SoupMessage *message) G_GNUC_WARN_UNUSED_RESULT;
GError *tacho_http_error_from_timer (TachoHttpTimer timer,
                                     double limit,
                                     const char *url) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_http_check_head (SoupMessageHeaders *headers,
                                const char *base_url,
                                gint64 *length,
                                GError **error);

/* tacho-http-message.c */
SoupMessage *tacho_http_message_new (TachoHttpClient *client,
                                     const TachoHttpRequest *request,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
TachoHttpReply *tacho_http_message_get_reply (SoupMessage *message) G_GNUC_WARN_UNUSED_RESULT;

/* tacho-http-exchange.c */
void tacho_http_exchange_run (TachoHttpClient *client,
                              const TachoHttpRequest *request,
                              const TachoStreamFuncs *funcs,
                              gpointer funcs_data,
                              double timeout_total,
                              GTask *task);
gpointer tacho_http_exchange_ref (gconstpointer exchange, gpointer unused); /* a GCopyFunc */
void tacho_http_exchange_unref (gpointer exchange);
void tacho_http_exchange_abort (TachoHttpExchange *exchange);

/* tacho-http-trust.c */
const char *tacho_tls_reason (GTlsCertificateFlags flags);
char *tacho_tls_fingerprint (GTlsCertificate *certificate) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_http_trust_read (TachoHttpClient *client,
                                const TachoHttpOptions *options,
                                GTlsDatabase **database,
                                GProxyResolver **resolver,
                                GError **error);
void tacho_http_trust_connect (TachoHttpClient *client, SoupMessage *message);
GError *tacho_http_trust_check (TachoHttpClient *client,
                                GTlsConnection *connection) G_GNUC_WARN_UNUSED_RESULT;

/* tacho-http-client.c */
/* Has this connection been used for longer than one may be? */
gboolean tacho_http_client_is_old (TachoHttpClient *self, guint64 connection_id);
void tacho_http_client_track_stream (TachoHttpClient *self, GIOStream *stream);

G_END_DECLS
