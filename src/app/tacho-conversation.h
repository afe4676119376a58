/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was asked and answered, and the request that goes on from there. */
#pragma once

#include "api/tacho-generate.h"

G_BEGIN_DECLS

typedef struct _TachoConversation TachoConversation;

TachoConversation *tacho_conversation_new (void) G_GNUC_WARN_UNUSED_RESULT;
void tacho_conversation_free (TachoConversation *self);
void tacho_conversation_clear (TachoConversation *self);
gboolean tacho_conversation_is_empty (const TachoConversation *self);
void tacho_conversation_ask (TachoConversation *self, const char *prompt);
/* To the last prompt; a later answer takes the place of an earlier one. */
void tacho_conversation_answer (TachoConversation *self, const char *answer);
const char *
tacho_conversation_get_answer (const TachoConversation *self); /* the last; NULL: none */
TachoGenerateRequest *
tacho_conversation_make_request (const TachoConversation *self,
                                 const char *model,
                                 const char *system_prompt) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoConversation, tacho_conversation_free)

G_END_DECLS
