/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A conversation in a list: what is known of it without loading its messages. The store keeps it up
 * to date and notifies; nothing here is set from outside. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define TACHO_TYPE_CONVERSATION_INFO (tacho_conversation_info_get_type ())
G_DECLARE_FINAL_TYPE (TachoConversationInfo,
                      tacho_conversation_info,
                      TACHO,
                      CONVERSATION_INFO,
                      GObject)

const char *tacho_conversation_info_get_id (TachoConversationInfo *self);
const char *tacho_conversation_info_get_title (TachoConversationInfo *self); /* "": none yet */
gboolean tacho_conversation_info_get_pinned (TachoConversationInfo *self);
gint64 tacho_conversation_info_get_created (TachoConversationInfo *self); /* µs since 1970 */
gint64 tacho_conversation_info_get_updated (TachoConversationInfo *self);
gint64 tacho_conversation_info_get_deleted (TachoConversationInfo *self); /* 0: it is not */
const char *tacho_conversation_info_get_model (TachoConversationInfo *self);
const char *tacho_conversation_info_get_server (TachoConversationInfo *self);
guint tacho_conversation_info_get_n_messages (TachoConversationInfo *self); /* that are shown */
/* Around what the last search found here, one line, plain text; "": no search, or its title. */
const char *tacho_conversation_info_get_snippet (TachoConversationInfo *self);
/* The message that the last search found here, perhaps in a version that is not shown; 0: none. */
gint64 tacho_conversation_info_get_hit (TachoConversationInfo *self);

G_END_DECLS
