/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conversations with the models of a server: one in sight, any number running. Signals: "notice"
 * (const char *); "conversation" (): another one is in sight; "replied" (TachoChat *): a reply
 * ended out of sight. */
#pragma once

#include <adwaita.h>

#include "app/tacho-chat.h"
#include "app/tacho-connection.h"

G_BEGIN_DECLS

#define TACHO_TYPE_PROMPT_PANE (tacho_prompt_pane_get_type ())
G_DECLARE_FINAL_TYPE (TachoPromptPane, tacho_prompt_pane, TACHO, PROMPT_PANE, AdwBin)

void tacho_prompt_pane_set_connection (TachoPromptPane *self, TachoConnection *connection);
void tacho_prompt_pane_set_store (TachoPromptPane *self, TachoConversations *store);
void tacho_prompt_pane_new_conversation (TachoPromptPane *self);
void tacho_prompt_pane_open (TachoPromptPane *self, TachoConversationInfo *info);
/* It is gone from the list: what runs of it is stopped. */
void tacho_prompt_pane_forget (TachoPromptPane *self, TachoConversationInfo *info);
TachoChat *tacho_prompt_pane_get_chat (TachoPromptPane *self); /* in sight; (nullable) */
gboolean tacho_prompt_pane_is_running (TachoPromptPane *self, TachoConversationInfo *info);
void tacho_prompt_pane_focus (TachoPromptPane *self); /* the cursor into the editor */
void tacho_prompt_pane_save (TachoPromptPane *self);

G_END_DECLS
