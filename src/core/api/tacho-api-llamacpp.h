/* SPDX-License-Identifier: GPL-3.0-or-later */
/* llama.cpp's server, with one model or as a router of many. */
#pragma once

#include "api/tacho-api.h"

G_BEGIN_DECLS

#define TACHO_TYPE_API_LLAMACPP (tacho_api_llamacpp_get_type ())
G_DECLARE_FINAL_TYPE (TachoApiLlamacpp, tacho_api_llamacpp, TACHO, API_LLAMACPP, GObject)

TachoApi *tacho_api_llamacpp_new (gboolean router, const char *build) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_api_llamacpp_is_router (TachoApiLlamacpp *self);
/* The 503 with which every route answers while the one model loads. */
gboolean tacho_api_llamacpp_reply_says_loading (const TachoHttpReply *reply);

G_END_DECLS
