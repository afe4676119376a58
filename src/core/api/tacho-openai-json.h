/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The JSON of the OpenAI shape, shared by every family that speaks it. */
#pragma once

#include <json-glib/json-glib.h>

#include "api/tacho-api.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_OPENAI_PLAIN = 0,
  TACHO_OPENAI_IGNORE_EOS = 1 << 0, /* these parameters are known */
  TACHO_OPENAI_MIN_TOKENS = 1 << 1,
  TACHO_OPENAI_PROGRESS = 1 << 2,          /* return_progress */
  TACHO_OPENAI_COMPLETION_TOKENS = 1 << 3, /* max_completion_tokens instead of max_tokens */
  TACHO_OPENAI_LLAMACPP = TACHO_OPENAI_IGNORE_EOS | TACHO_OPENAI_PROGRESS,
} TachoOpenaiFlags;

TachoHttpRequest *tacho_openai_build_generate (const TachoGenerateRequest *request,
                                               TachoOpenaiFlags flags) G_GNUC_WARN_UNUSED_RESULT;
TachoGenerateReply *tacho_openai_parse_generate (const TachoHttpReply *reply,
                                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The array of models in a listing (an empty one for null), each element an object with an id. */
GPtrArray *tacho_openai_list_objects (JsonNode *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
TachoModelInfo *tacho_openai_read_model (JsonObject *object) G_GNUC_WARN_UNUSED_RESULT;

void tacho_openai_event_clear (TachoStreamEvent *event); /* a fresh event: nothing said */
/* Reads one chunk into `event`, whose strings belong to `root`. A delta of several tool calls is
 * several events: the first is read here, `*tools` gets the array for the others, or NULL.
 * TACHO_ERROR_PROTOCOL for wrong types; an in-band error is put into event->error. */
gboolean tacho_openai_read_chunk (JsonObject *root,
                                  TachoStreamEvent *event,
                                  JsonArray **tools,
                                  GError **error);
gboolean
tacho_openai_read_tool (JsonArray *tools, guint index, TachoStreamEvent *event, GError **error);

G_END_DECLS
