/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A conversation as it is read: its messages, and what can be done with each. Signals: "edit"
 * (guint): the person wants to edit that prompt; "notice" (const char *). Actions, each with the
 * message's number: chat.copy, chat.edit, chat.regenerate, chat.continue, chat.details;
 * chat.version also with the version. */
#pragma once

#include <adwaita.h>

#include "app/tacho-chat.h"

G_BEGIN_DECLS

#define TACHO_TYPE_CHAT_VIEW (tacho_chat_view_get_type ())
G_DECLARE_FINAL_TYPE (TachoChatView, tacho_chat_view, TACHO, CHAT_VIEW, AdwBin)

TachoChatView *tacho_chat_view_new (TachoChat *chat) G_GNUC_WARN_UNUSED_RESULT;
TachoChat *tacho_chat_view_get_chat (TachoChatView *self);
/* Whether something could be asked now: else the buttons that ask are off, with the reason. */
void tacho_chat_view_set_obstacle (TachoChatView *self, const char *obstacle);

G_END_DECLS
