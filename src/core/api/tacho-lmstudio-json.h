/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The JSON of LM Studio's own routes. */
#pragma once

#include "api/tacho-api.h"

G_BEGIN_DECLS

/* `instances` gets, for each loaded model, the id of one instance of it. */
GPtrArray *tacho_lmstudio_parse_models (const TachoHttpReply *reply,
                                        gboolean v1,
                                        GHashTable *instances,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_lmstudio_parse_pull (const char *json,
                                    gsize length,
                                    TachoPullProgress *progress,
                                    GError **error);

G_END_DECLS
