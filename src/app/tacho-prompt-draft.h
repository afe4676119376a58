/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written and not sent, and what is asked with (system prompt and parameters): both belong
 * to a conversation and are kept with it; those of a new one with the settings of the program. */
#pragma once

#include "app/tacho-chat.h"
#include "app/tacho-composer.h"
#include "app/tacho-prompt-settings.h"

G_BEGIN_DECLS

typedef struct _TachoPromptDraft TachoPromptDraft;

/* The widgets have to outlive it. */
TachoPromptDraft *tacho_prompt_draft_new (TachoComposer *composer,
                                          TachoPromptSettings *settings) G_GNUC_WARN_UNUSED_RESULT;
void tacho_prompt_draft_free (TachoPromptDraft *self);
/* Another conversation comes into sight. store, chat: nullable; a chat without messages is a new
 * conversation, as NULL is. */
void tacho_prompt_draft_show (TachoPromptDraft *self, TachoConversations *store, TachoChat *chat);
/* Back to what was written before a message was edited. */
void tacho_prompt_draft_restore_text (TachoPromptDraft *self);
/* Writes what has changed. */
void tacho_prompt_draft_keep (TachoPromptDraft *self);
/* The conversation was asked with what is set now. */
void tacho_prompt_draft_asked (TachoPromptDraft *self);

G_END_DECLS
