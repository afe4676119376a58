/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One conversation in the list. */
#pragma once

#include <gtk/gtk.h>

#include "store/tacho-conversation-info.h"

G_BEGIN_DECLS

#define TACHO_TYPE_CHAT_ROW (tacho_chat_row_get_type ())
G_DECLARE_FINAL_TYPE (TachoChatRow, tacho_chat_row, TACHO, CHAT_ROW, GtkWidget)

GtkWidget *tacho_chat_row_new (void) G_GNUC_WARN_UNUSED_RESULT;
void tacho_chat_row_bind (TachoChatRow *self, TachoConversationInfo *info);

G_END_DECLS
