/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Can an address be reached, and who answers there? Resolves, connects and shakes hands, one step
 * after another, and sends nothing: for the test of a server before it is used. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  TACHO_REACH_RESOLVE,
  TACHO_REACH_CONNECT,
  TACHO_REACH_TLS,
} TachoReachStep;

typedef struct
{
  const char *url;     /* http:// or https://HOST:PORT; of a gRPC side too */
  const char *ca_file; /* as in TachoHttpOptions */
  const char *cert_file;
  const char *key_file;
  const char *pin;
  const char *proxy;
  gboolean http2;   /* offer h2, as gRPC does */
  double connect_s; /* limit of each step; 0: 5 */
} TachoReachOptions;

/* A server's certificate in words: hostile text, to be shown as such. */
typedef struct
{
  char *subject;
  char *issuer;
  char *names; /* that it was made for, with a comma between; NULL: none */
  GDateTime *not_before;
  GDateTime *not_after;
  char *fingerprint; /* "sha256:…", as a pin is written */
  char *reason;      /* why it is not trusted; NULL: it is */
} TachoCertificate;

TachoCertificate *
tacho_certificate_copy (const TachoCertificate *certificate) G_GNUC_WARN_UNUSED_RESULT;
void tacho_certificate_free (TachoCertificate *certificate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoCertificate, tacho_certificate_free)

/* words NULL: the step begins; else it is done, and this was seen. */
typedef void (*TachoReachFunc) (TachoReachStep step, const char *words, gpointer user_data);

void tacho_reach_async (const TachoReachOptions *options,
                        TachoReachFunc func,
                        gpointer func_data,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data);
/* The step that failed is the last one that began. *certificate: what was shown, trusted or not. */
gboolean tacho_reach_finish (GAsyncResult *result, TachoCertificate **certificate, GError **error);

G_END_DECLS
