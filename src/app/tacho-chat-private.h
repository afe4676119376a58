/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two files of a chat share: its messages, and the reply that comes. */
#pragma once

#include "app/tacho-chat.h"

G_BEGIN_DECLS

struct _TachoChat
{
  GObject parent_instance;
  TachoConversations *store; /* NULL: not kept */
  TachoConversationInfo *info;
  GPtrArray *messages;    /* of TachoConversationMessage */
  GPtrArray *generations; /* of TachoGeneration or NULL, one a message: those of this session */

  TachoConnection *connection;
  TachoGenerateRequest *parameters;
  char *system_prompt;

  TachoChatPhase phase;
  TachoModel *model;           /* of the reply that comes */
  TachoGeneration *generation; /* that runs */
  GCancellable *loading;       /* the load that the reply waits for */
  double progress;
  gint64 thought_us;    /* when the thoughts began; 0: none came */
  double thought_s;     /* NaN: they are not over */
  char *base;           /* the text that is continued */
  char *base_reasoning; /* NULL: none */
  guint save_id;
  gboolean storing; /* FALSE: it failed, and was said */
};

TachoConversationMessage *tacho_chat_get_last (TachoChat *self);
void tacho_chat_store_missing (TachoChat *self);
void tacho_chat_store_failed (TachoChat *self, const GError *error);
void tacho_chat_set_phase (TachoChat *self, TachoChatPhase phase);
/* The last message is the reply that is to come. */
void tacho_chat_start (TachoChat *self);

G_END_DECLS
