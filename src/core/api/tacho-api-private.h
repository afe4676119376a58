/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the families share: the words of an error, and a reply's JSON. */
#pragma once

#include <json-glib/json-glib.h>

#include "api/tacho-api.h"

G_BEGIN_DECLS

#define TACHO_API_MAX_WORDS 300 /* characters of a server's text that enter a message */
#define TACHO_API_MAX_ID 1024   /* bytes of a model's id */

/* TACHO_ERROR_UNSUPPORTED unless the family has the operation. */
gboolean tacho_api_check_supported (TachoApi *self, TachoOperation operation, GError **error);
char *tacho_api_excerpt (const char *text, gsize length) G_GNUC_WARN_UNUSED_RESULT;
/* What `object` says if it is an error inside a 200 reply, else NULL. */
char *tacho_api_in_band_words (JsonObject *object) G_GNUC_WARN_UNUSED_RESULT;
/* The root of a 2xx reply, an object or an array; every other reply becomes its error. */
JsonNode *tacho_api_parse_reply (const TachoHttpReply *reply,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* An error status about one model: 404 is TACHO_ERROR_NOT_FOUND. */
gboolean
tacho_api_check_model_reply (const char *model_id, const TachoHttpReply *reply, GError **error);
/* A change that the server refused, for `reason` or none: TACHO_ERROR_MODEL_FAILED with its words,
 * or what has nothing to do with the model as it is. FALSE. */
gboolean tacho_api_change_refused (const char *verb,
                                   const char *model_id,
                                   const TachoHttpReply *reply,
                                   const GError *reason,
                                   GError **error);
gint64 tacho_api_get_count (JsonObject *object, const char *member, gint64 fallback);

G_END_DECLS
