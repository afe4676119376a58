/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The conversations that were deleted, until they go for good: brought back, or deleted at once. */
#pragma once

#include <adwaita.h>
#include "store/tacho-conversations.h"

G_BEGIN_DECLS

#define TACHO_TYPE_CHAT_BIN (tacho_chat_bin_get_type ())
G_DECLARE_FINAL_TYPE (TachoChatBin, tacho_chat_bin, TACHO, CHAT_BIN, AdwWindow)

TachoChatBin *tacho_chat_bin_new (GtkWindow *parent, TachoConversations *store);

G_END_DECLS
