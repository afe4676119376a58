/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The conversations that are kept: search, rename, pin, export, delete. Signals: "open"
 * (TachoConversationInfo *), "new", "deleted" (TachoConversationInfo *), "notice" (const char
 * *). */
#pragma once

#include <adwaita.h>

#include "store/tacho-conversations.h"

G_BEGIN_DECLS

#define TACHO_TYPE_CHAT_LIST (tacho_chat_list_get_type ())
G_DECLARE_FINAL_TYPE (TachoChatList, tacho_chat_list, TACHO, CHAT_LIST, AdwBin)

/* store NULL: it cannot be opened; why. */
void tacho_chat_list_set_store (TachoChatList *self, TachoConversations *store, const char *why);
void tacho_chat_list_set_current (TachoChatList *self, TachoConversationInfo *info);
void tacho_chat_list_focus_search (TachoChatList *self);

G_END_DECLS
