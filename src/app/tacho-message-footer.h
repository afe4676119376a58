/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The line below a message: buttons for what can be done with it. */
#pragma once

#include <gtk/gtk.h>

#include "store/tacho-conversation-message.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_FOOTER_COPY = 1 << 0,
  TACHO_FOOTER_EDIT = 1 << 1,
  TACHO_FOOTER_REGENERATE = 1 << 2,
  TACHO_FOOTER_CONTINUE = 1 << 3,
  TACHO_FOOTER_DETAILS = 1 << 4,
} TachoFooterButtons;

/* The buttons are actions of the view ("chat.copy" and so on). */
GtkWidget *tacho_message_footer_new (const TachoConversationMessage *message,
                                     guint index,
                                     TachoFooterButtons buttons) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
