/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written and not sent, kept with its conversation; that of a new one with the settings. */
#pragma once

#include "app/tacho-chat.h"

G_BEGIN_DECLS

char *tacho_prompt_draft_load (TachoConversations *store,
                               TachoChat *chat) G_GNUC_WARN_UNUSED_RESULT; /* "": none */
void tacho_prompt_draft_save (TachoConversations *store, TachoChat *chat, const char *text);

G_END_DECLS
