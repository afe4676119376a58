/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Strict RFC 8259 pre-check (depth, size, numbers), then json-glib; getters that never warn. */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define TACHO_JSON_ERROR (tacho_json_error_quark ())
GQuark tacho_json_error_quark (void);

typedef enum
{
  TACHO_JSON_ERROR_SYNTAX = 1,
  TACHO_JSON_ERROR_DEPTH,
  TACHO_JSON_ERROR_SIZE,
  TACHO_JSON_ERROR_NUMBER, /* not finite as a double */
  TACHO_JSON_ERROR_TYPE,   /* well-formed, but not the type that was asked for */
} TachoJsonError;

#define TACHO_JSON_MAX_DEPTH 128
#define TACHO_JSON_MAX_SIZE ((gsize) 64 * 1024 * 1024)

gboolean tacho_json_check (const char *text, gsize length, GError **error);
JsonNode *
tacho_json_parse (const char *text, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;
JsonNode *
tacho_json_parse_object (const char *text, gsize length, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Getters: NULL object, absent member or wrong type give the fallback; no GLib message ever. */
JsonObject *tacho_json_get_object (JsonObject *object, const char *member); /* (transfer none) */
JsonArray *tacho_json_get_array (JsonObject *object, const char *member);
const char *tacho_json_get_string (JsonObject *object, const char *member, const char *fallback);
gint64 tacho_json_get_int (JsonObject *object, const char *member, gint64 fallback);
double tacho_json_get_double (JsonObject *object, const char *member, double fallback);
gboolean tacho_json_get_boolean (JsonObject *object, const char *member, gboolean fallback);
JsonObject *tacho_json_array_get_object (JsonArray *array, guint index);
gboolean tacho_json_has (JsonObject *object, const char *member); /* present and not null */

char *tacho_json_to_string (JsonNode *node, gboolean pretty) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
