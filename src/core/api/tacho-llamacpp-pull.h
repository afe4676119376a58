/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model that a llama.cpp router downloads. */
#pragma once

#include "api/tacho-api.h"

G_BEGIN_DECLS

gboolean tacho_llamacpp_parse_pull (TachoApi *api,
                                    const char *json,
                                    gsize length,
                                    TachoPullProgress *progress,
                                    GError **error);

G_END_DECLS
