/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may go on the wire: base URLs, header names and values. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define TACHO_URL_ERROR (tacho_url_error_quark ())
GQuark tacho_url_error_quark (void);

typedef enum
{
  TACHO_URL_ERROR_SYNTAX = 1,
  TACHO_URL_ERROR_SCHEME,
  TACHO_URL_ERROR_HOST,
  TACHO_URL_ERROR_USERINFO, /* credentials belong in the profile, never in a URL */
  TACHO_URL_ERROR_HEADER,
} TachoUrlError;

/* Mends what a person types: trims, adds "http://" (https for no known reason never), drops a
 * trailing "/", a query, a fragment and a final "/v1"; keeps a path prefix. "sim:" and "sim:NAME"
 * pass unchanged. Returns e.g. "http://127.0.0.1:8080" or "https://host/prefix". */
char *tacho_url_normalize (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* @path begins with "/". */
char *tacho_url_join (const char *base, const char *path) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_url_is_loopback (const char *url);
gboolean tacho_url_is_sim (const char *url);
/* scheme://host:port, the port always given. */
char *tacho_url_origin (const char *url) G_GNUC_WARN_UNUSED_RESULT;

gboolean tacho_header_check (const char *name, const char *value, GError **error);
/* "K: V" */
gboolean tacho_header_parse (const char *line, char **name, char **value, GError **error);
gboolean tacho_header_is_secret (const char *name); /* Authorization, x-api-key, Cookie, … */

G_END_DECLS
