/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "app/tacho-prompt-draft.h"
#include "app/tacho-settings.h"

#define NEW_DRAFT "draft"
#define MAX_NEW_DRAFT (64 * 1024) /* bytes; more does not belong into settings */

static const char *
get_id (TachoConversations *store, TachoChat *chat)
{
  TachoConversationInfo *info = store != NULL && chat != NULL ? tacho_chat_get_info (chat) : NULL;

  return info != NULL ? tacho_conversation_info_get_id (info) : NULL;
}

/**
 * tacho_prompt_draft_load:
 * @store: (nullable): where conversations are kept
 * @chat: (nullable): a conversation; %NULL, or one without messages: a new one
 *
 * Returns: (transfer full): what was written in it and not sent; "" for nothing
 */
char *
tacho_prompt_draft_load (TachoConversations *store, TachoChat *chat)
{
  const char *id = get_id (store, chat);
  char *text = id == NULL
                   ? tacho_settings_get_string (tacho_settings_get_default (), NEW_DRAFT)
                   : tacho_conversations_dup_field (store, id, TACHO_CONVERSATION_DRAFT, NULL);

  return text != NULL ? text : g_strdup ("");
}

/**
 * tacho_prompt_draft_save:
 * @store: (nullable): where conversations are kept
 * @chat: (nullable): a conversation; %NULL, or one without messages: a new one
 * @text: what is written in it and not sent
 *
 * Keeps it. One that cannot be kept is no reason to interrupt who writes it: it stays in sight, and
 * that the disk is full is said when it is sent.
 */
void
tacho_prompt_draft_save (TachoConversations *store, TachoChat *chat, const char *text)
{
  const char *id = get_id (store, chat);

  g_return_if_fail (text != NULL);

  if (id != NULL)
    tacho_conversations_set_field (store, id, TACHO_CONVERSATION_DRAFT, text, NULL);
  else if (strlen (text) <= MAX_NEW_DRAFT)
    tacho_settings_set_string (tacho_settings_get_default (), NEW_DRAFT, text);
}
