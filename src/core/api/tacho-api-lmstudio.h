/* SPDX-License-Identifier: GPL-3.0-or-later */
/* LM Studio: its own routes for models, OpenAI's for text. */
#pragma once

#include "api/tacho-api.h"

G_BEGIN_DECLS

#define TACHO_TYPE_API_LMSTUDIO (tacho_api_lmstudio_get_type ())
G_DECLARE_FINAL_TYPE (TachoApiLmstudio, tacho_api_lmstudio, TACHO, API_LMSTUDIO, GObject)

/* `v1`: 0.4.0 and later, which load and unload on order; else /api/v0, which only lists. */
TachoApi *tacho_api_lmstudio_new (gboolean v1) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
