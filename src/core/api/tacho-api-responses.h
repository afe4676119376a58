/* SPDX-License-Identifier: GPL-3.0-or-later */
/* OpenAI's newer form of a chat: /v1/responses, with its named events. */
#pragma once

#include "api/tacho-api.h"

G_BEGIN_DECLS

#define TACHO_TYPE_API_RESPONSES (tacho_api_responses_get_type ())
G_DECLARE_FINAL_TYPE (TachoApiResponses, tacho_api_responses, TACHO, API_RESPONSES, GObject)

TachoApi *tacho_api_responses_new (void) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
