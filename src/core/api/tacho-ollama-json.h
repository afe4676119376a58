/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The JSON of Ollama's own API: bodies of requests, models, lines of a stream. */
#pragma once

#include <json-glib/json-glib.h>

#include "api/tacho-api.h"

G_BEGIN_DECLS

TachoHttpRequest *
tacho_ollama_build_generate (const TachoGenerateRequest *request) G_GNUC_WARN_UNUSED_RESULT;
TachoGenerateReply *tacho_ollama_parse_generate (const TachoHttpReply *reply,
                                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* One line of a streamed reply, which several tool calls make several events. */
gboolean tacho_ollama_read_line (const char *data,
                                 gsize length,
                                 TachoStreamEventFunc func,
                                 gpointer user_data,
                                 GError **error);

/* Of /api/tags, and of /api/ps: the objects under "models", each with a name. */
GPtrArray *tacho_ollama_list_objects (const TachoHttpReply *reply,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
const char *tacho_ollama_get_name (JsonObject *object);
TachoModelInfo *tacho_ollama_read_model (JsonObject *object) G_GNUC_WARN_UNUSED_RESULT;
/* What /api/show adds. */
void tacho_ollama_read_details (JsonObject *root, TachoModelInfo *info);
/* "7.6B" -> 7600000000, 0 if it is no such thing. */
guint64 tacho_ollama_parse_count (const char *text);

G_END_DECLS
