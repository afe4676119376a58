/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tool calls of one generation, put together from their pieces. */
#pragma once

#include "api/tacho-generate.h"

G_BEGIN_DECLS

typedef struct _TachoToolCalls TachoToolCalls;

TachoToolCalls *tacho_tool_calls_new (void) G_GNUC_WARN_UNUSED_RESULT;
void tacho_tool_calls_free (TachoToolCalls *calls);
void tacho_tool_calls_take (TachoToolCalls *calls, const TachoStreamEvent *event);
gsize tacho_tool_calls_get_size (TachoToolCalls *calls); /* bytes of arguments */
/* A JSON array in OpenAI's form, valid until more comes; NULL if there are none. */
const char *tacho_tool_calls_to_json (TachoToolCalls *calls);

G_END_DECLS
