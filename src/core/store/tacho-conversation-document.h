/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A conversation as a file: JSON "tacho.conversation/1" with every version, which can be read back,
 * and Markdown of what is shown, for people. A plain value; pure functions. */
#pragma once

#include "store/tacho-conversation-message.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define TACHO_CONVERSATION_SCHEMA "tacho.conversation/1"

/* Texts are "" where there is none; times are µs since 1970, 0 where not known. */
typedef struct
{
  char *title;
  gboolean pinned;
  gint64 created, updated;
  char *model, *server;
  char *system_prompt;
  char *settings;      /* JSON of the caller's */
  GPtrArray *messages; /* of TachoConversationMessage: all versions, each after what it follows */
} TachoConversationDocument;

TachoConversationDocument *tacho_conversation_document_new (void) G_GNUC_WARN_UNUSED_RESULT;
void tacho_conversation_document_free (TachoConversationDocument *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoConversationDocument, tacho_conversation_document_free)

char *tacho_conversation_document_to_markdown (const TachoConversationDocument *self)
    G_GNUC_WARN_UNUSED_RESULT;
JsonNode *tacho_conversation_document_to_json (const TachoConversationDocument *self)
    G_GNUC_WARN_UNUSED_RESULT;
/* TACHO_ERROR_INVALID says what is wrong and in which message; TACHO_ERROR_UNSUPPORTED for a newer
 * schema; or a TACHO_JSON_ERROR. */
TachoConversationDocument *
tacho_conversation_document_from_json (const char *text,
                                       gsize length,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
