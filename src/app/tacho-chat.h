/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One conversation at work: its messages, the reply that comes, and the store that keeps both. It
 * knows no widget, so several can run while one is seen.
 * Signals: "reset" (): the messages are others; "added" (guint): one more message; "delta" (const
 * char *text, gboolean reasoning): of the last message; "ended" (): the reply is over; "phase" ():
 * what it does has changed; "notice" (const char *): say this. */
#pragma once

#include "app/tacho-connection.h"
#include "store/tacho-conversations.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_CHAT_IDLE,
  TACHO_CHAT_LOADING, /* the model */
  TACHO_CHAT_RUNNING,
} TachoChatPhase;

#define TACHO_TYPE_CHAT (tacho_chat_get_type ())
G_DECLARE_FINAL_TYPE (TachoChat, tacho_chat, TACHO, CHAT, GObject)

/* store NULL: it is kept for this session only. info NULL: a new one, stored with its first prompt.
 */
TachoChat *tacho_chat_new (TachoConversations *store,
                           TachoConversationInfo *info,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
TachoConversationInfo *tacho_chat_get_info (TachoChat *self); /* (nullable) */
GPtrArray *tacho_chat_get_messages (TachoChat *self);         /* of TachoConversationMessage */
TachoGeneration *tacho_chat_get_generation (TachoChat *self, guint index);
TachoChatPhase tacho_chat_get_phase (TachoChat *self);
char *tacho_chat_get_title (TachoChat *self) G_GNUC_WARN_UNUSED_RESULT;
char *tacho_chat_describe_phase (TachoChat *self) G_GNUC_WARN_UNUSED_RESULT;

/* What is asked with: parameters and system prompt of the next requests. */
void tacho_chat_set_connection (TachoChat *self, TachoConnection *connection);
void tacho_chat_set_parameters (TachoChat *self,
                                const TachoGenerateRequest *parameters,
                                const char *system_prompt);
/* Each begins a reply. prompt: (transfer full) */
void tacho_chat_send (TachoChat *self, TachoConversationMessage *prompt);
void tacho_chat_edit (TachoChat *self, guint index, TachoConversationMessage *prompt);
void tacho_chat_regenerate (TachoChat *self, guint index);
void tacho_chat_continue (TachoChat *self);
void tacho_chat_stop (TachoChat *self);
void tacho_chat_choose_version (TachoChat *self, guint index, guint version);

G_END_DECLS
