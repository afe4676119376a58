/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The conversations of a person, in an SQLite file: a GListModel of TachoConversationInfo, pinned
 * ones first, newest activity first. What was stored is on the disk; the text of a reply that still
 * grows outlives the program, though not a loss of power. Nothing that a person wrote is
 * overwritten: another wording is another version. Calls are short and made on the main thread;
 * each fails with TACHO_ERROR_IO when the file cannot be written (and then has changed nothing),
 * with TACHO_ERROR_NOT_FOUND for what is not there. */
#pragma once

#include "store/tacho-conversation-document.h"
#include "store/tacho-conversation-info.h"
#include "store/tacho-conversation-message.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define TACHO_TYPE_CONVERSATIONS (tacho_conversations_get_type ())
G_DECLARE_FINAL_TYPE (TachoConversations, tacho_conversations, TACHO, CONVERSATIONS, GObject)

/* path NULL: $TACHO_CONVERSATIONS, else tacho/conversations.db in the user's data folder. notice:
 * what a person should know (a damaged file was set aside), or NULL. Opening checks the whole file:
 * a window does it in a thread, by the second form. TACHO_ERROR_IO, or TACHO_ERROR_UNSUPPORTED for
 * a file of a newer Tacho, which is left alone. */
TachoConversations *tacho_conversations_open (const char *path,
                                              char **notice,
                                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
void tacho_conversations_open_async (const char *path,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
TachoConversations *tacho_conversations_open_finish (GAsyncResult *result,
                                                     char **notice,
                                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
const char *tacho_conversations_get_path (TachoConversations *self);

/* A conversation as a whole. model and server: what it is with, may be NULL. */
TachoConversationInfo *tacho_conversations_create (TachoConversations *self,
                                                   const char *model,
                                                   const char *server,
                                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
TachoConversationInfo *tacho_conversations_find (TachoConversations *self, const char *id);
/* An empty title: made from the first prompt, as at the beginning. */
gboolean tacho_conversations_rename (TachoConversations *self,
                                     const char *id,
                                     const char *title,
                                     GError **error);
gboolean tacho_conversations_set_pinned (TachoConversations *self,
                                         const char *id,
                                         gboolean pinned,
                                         GError **error);
gboolean tacho_conversations_set_model (TachoConversations *self,
                                        const char *id,
                                        const char *model,
                                        const char *server,
                                        GError **error);

/* Texts that belong to a conversation and are in no list. */
typedef enum
{
  TACHO_CONVERSATION_SYSTEM_PROMPT,
  TACHO_CONVERSATION_SETTINGS, /* JSON of the caller's: parameters */
  TACHO_CONVERSATION_DRAFT,    /* what is written and not sent */
} TachoConversationField;

gboolean tacho_conversations_set_field (TachoConversations *self,
                                        const char *id,
                                        TachoConversationField field,
                                        const char *text,
                                        GError **error);
char *tacho_conversations_dup_field (TachoConversations *self,
                                     const char *id,
                                     TachoConversationField field,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT; /* "": none */

/* Out of the list, and back; for good 30 days later, when the file is next opened, or by purge. */
gboolean tacho_conversations_delete (TachoConversations *self, const char *id, GError **error);
gboolean tacho_conversations_undelete (TachoConversations *self, const char *id, GError **error);
gboolean tacho_conversations_purge (TachoConversations *self, const char *id, GError **error);
/* Of TachoConversationInfo, last deleted first. */
GListModel *tacho_conversations_list_deleted (TachoConversations *self,
                                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Messages. What is shown is one chain: each message follows another, and where several versions
 * follow the same one, one of them is active and the chain goes on from that.
 *
 * append: at the end of what is shown. add_version: another wording in place of a message (edit and
 * resend, regenerate), with which what is shown then ends; the old one and all that followed it are
 * kept and come back by choose_version. Both set id, follows, position, version and time in
 * @message. */
gboolean tacho_conversations_append (TachoConversations *self,
                                     const char *id,
                                     TachoConversationMessage *message,
                                     GError **error);
gboolean tacho_conversations_add_version (TachoConversations *self,
                                          gint64 of_message,
                                          TachoConversationMessage *message,
                                          GError **error);
/* version: 1 to n_versions of @message. Load again after it. */
gboolean tacho_conversations_choose_version (TachoConversations *self,
                                             gint64 message,
                                             guint version,
                                             GError **error);
/* Text, reasoning, model, state, failure and stats of a reply as they are now: about once a second
 * while it is STREAMING (also when an ended one is continued), and at its end. Refused for a
 * person's words (TACHO_ERROR_INVALID). */
gboolean tacho_conversations_update (TachoConversations *self,
                                     const TachoConversationMessage *message,
                                     GError **error);
/* (element-type TachoConversationMessage): what is shown, in order. */
GPtrArray *tacho_conversations_load (TachoConversations *self,
                                     const char *id,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Words in titles and messages, in any version, of what is not deleted. Empty: all. Of
 * TachoConversationInfo, the same objects and order as in the list (which it does not follow:
 * search again when that changes); they tell what was found where. */
void tacho_conversations_search_async (TachoConversations *self,
                                       const char *text,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);
GListModel *tacho_conversations_search_finish (TachoConversations *self,
                                               GAsyncResult *result,
                                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For export and import. */
TachoConversationDocument *
tacho_conversations_load_document (TachoConversations *self,
                                   const char *id,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
TachoConversationInfo *tacho_conversations_import (TachoConversations *self,
                                                   const TachoConversationDocument *document,
                                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
