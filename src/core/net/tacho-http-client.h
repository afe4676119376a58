/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP over libsoup for the services, with every trap of DESIGN section 4 closed. One per endpoint:
 * base URL, credentials and TLS settings are bound to it, and it never talks to another origin. */
#pragma once

#include <gio/gio.h>
#include "net/tacho-transport.h"

G_BEGIN_DECLS

typedef struct
{
  const char *base_url;       /* normalised */
  const char *bearer;         /* API key, or NULL; sent to this origin only */
  const char *const *headers; /* "K: V", or NULL */
  const char *ca_file;        /* absolute path of a PEM file, or NULL */
  const char *cert_file;      /* client certificate and key (mTLS), PEM, or NULL */
  const char *key_file;
  const char *pin;        /* "sha256:…" of the server's certificate (DER), or NULL */
  const char *proxy;      /* URL, or NULL: none; loopback is never sent through one */
  double timeout_connect; /* seconds, each its own timer; 0: none */
  double timeout_first;
  double timeout_idle;
  double timeout_total;
  guint max_connections; /* 0: 64 */
  double idle_close;     /* seconds after which an idle connection is closed; 0: 60 */
  double max_age;        /* seconds after which a connection is not used again; 0: 600 */
} TachoHttpOptions;

#define TACHO_TYPE_HTTP_CLIENT (tacho_http_client_get_type ())
G_DECLARE_FINAL_TYPE (TachoHttpClient, tacho_http_client, TACHO, HTTP_CLIENT, GObject)

TachoHttpClient *tacho_http_client_new (const TachoHttpOptions *options,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
const char *tacho_http_client_get_base_url (TachoHttpClient *self);
void tacho_http_client_get_counters (TachoHttpClient *self, TachoTransportCounters *counters);
void
tacho_http_client_close (TachoHttpClient *self); /* aborts what runs, closes idle connections */

/* Any status is a reply, not an error. Errors: TACHO_ERROR classes. total_override: seconds that
 * replace timeout_total for this call (probing, listing), 0 to keep it. */
void tacho_http_client_send_async (TachoHttpClient *self,
                                   const TachoHttpRequest *request,
                                   double total_override,
                                   GCancellable *cancellable,
                                   GAsyncReadyCallback callback,
                                   gpointer user_data);
TachoHttpReply *tacho_http_client_send_finish (TachoHttpClient *self,
                                               GAsyncResult *result,
                                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads a 2xx body as it comes; any other status is collected (bounded) and returned as the reply.
 * finish: the reply's head (with an empty body for 2xx). Cancellation closes the socket. */
void tacho_http_client_stream_async (TachoHttpClient *self,
                                     const TachoHttpRequest *request,
                                     const TachoStreamFuncs *funcs,
                                     gpointer funcs_data,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
TachoHttpReply *tacho_http_client_stream_finish (TachoHttpClient *self,
                                                 GAsyncResult *result,
                                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
