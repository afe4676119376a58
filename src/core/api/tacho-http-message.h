/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A request and a reply as plain values: what an API family builds and reads, what a transport
 * moves. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  char *name;
  char *value;
} TachoHeader;

typedef struct
{
  char *method;       /* "GET", "POST", "DELETE" */
  char *path;         /* begins with "/", relative to the profile's base URL; may hold a query */
  GPtrArray *headers; /* of TachoHeader; authentication is added by the transport, never here */
  GBytes *body;       /* NULL: none */
  gboolean streaming; /* the reply is to be read as it comes */
  gboolean patient;   /* it answers when a long work is done: only the total timeout holds */
} TachoHttpRequest;

typedef struct
{
  guint status;
  GPtrArray *headers; /* of TachoHeader */
  GBytes *body;       /* never NULL */
} TachoHttpReply;

TachoHttpRequest *tacho_http_request_new (const char *method,
                                          const char *path) G_GNUC_WARN_UNUSED_RESULT;
void tacho_http_request_set_json (TachoHttpRequest *request,
                                  char *json); /* (transfer full): body and Content-Type */
void tacho_http_request_add_header (TachoHttpRequest *request, const char *name, const char *value);
void tacho_http_request_free (TachoHttpRequest *request);

TachoHttpReply *tacho_http_reply_new (guint status, GBytes *body) G_GNUC_WARN_UNUSED_RESULT;
void tacho_http_reply_add_header (TachoHttpReply *reply, const char *name, const char *value);
const char *tacho_http_reply_get_header (const TachoHttpReply *reply,
                                         const char *name); /* case-insensitive */
void tacho_http_reply_free (TachoHttpReply *reply);

GPtrArray *
tacho_headers_new (void) G_GNUC_WARN_UNUSED_RESULT; /* of TachoHeader, with its free function */
void tacho_headers_add (GPtrArray *headers, const char *name, const char *value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoHttpRequest, tacho_http_request_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoHttpReply, tacho_http_reply_free)

G_END_DECLS
