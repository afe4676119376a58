/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The innards of the store of conversations. */
#pragma once

#include "store/tacho-conversations.h"
#include "store/tacho-database-private.h"

G_BEGIN_DECLS

/* What a row of the table says. */
typedef struct
{
  gint64 number; /* of the row */
  char *id;
  char *title;
  gboolean pinned;
  gint64 created, updated, deleted;
  char *model, *server;
  guint n_messages;
} TachoConversationRow;

void tacho_conversation_row_free (TachoConversationRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoConversationRow, tacho_conversation_row_free)

TachoConversationInfo *tacho_conversation_info_new (TachoConversationRow *row); /* takes the row */
/* Becomes like @other, which is of no use afterwards; notifies what changes. */
void tacho_conversation_info_assign (TachoConversationInfo *self, TachoConversationInfo *other);
gint64 tacho_conversation_info_get_number (TachoConversationInfo *self); /* of its row */
void tacho_conversation_info_set_hit (TachoConversationInfo *self, const char *snippet, gint64 hit);
int tacho_conversation_info_compare (gconstpointer a, gconstpointer b); /* of pointers to them */

struct _TachoConversations
{
  GObject parent_instance;

  TachoDatabase *base;
  gboolean indexed;  /* this SQLite has FTS5 */
  GPtrArray *infos;  /* sorted */
  GHashTable *by_id; /* id -> info of infos */
};

/* tacho-conversations-database.c */
TachoDatabase *tacho_conversations_database_open (const char *path,
                                                  gboolean *indexed,
                                                  char **notice,
                                                  GError **error);
void tacho_conversations_database_index (TachoDatabase *base, gint64 message);
gboolean tacho_conversations_database_index_rest (TachoDatabase *base);
/* Of TachoConversationInfo. @where: a condition with at most one parameter, bound to id. */
GPtrArray *tacho_conversations_database_list (TachoDatabase *base,
                                              const char *where,
                                              const char *id,
                                              GError **error);
gboolean tacho_conversations_database_purge (TachoDatabase *base,
                                             gboolean indexed,
                                             const char *where,
                                             const char *id,
                                             GError **error);

/* tacho-conversations-load.c. (element-type TachoConversationMessage): what is shown, in order; or
 * all, each after the one that it follows. */
GPtrArray *tacho_conversations_load_number (TachoConversations *self,
                                            gint64 number,
                                            gboolean all,
                                            GError **error);

/* tacho-conversations-messages.c. Where a message goes. */
typedef struct
{
  gint64 number; /* of the conversation */
  char *id;
  gint64 follows;
  gboolean untitled;
} TachoConversationPlace;

void tacho_conversation_place_clear (TachoConversationPlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TachoConversationPlace, tacho_conversation_place_clear)

gboolean tacho_conversations_place_of (TachoConversations *self,
                                       gint64 message,
                                       TachoConversationPlace *place,
                                       GError **error);
/* A statement with one number or two. */
gboolean tacho_conversations_run (TachoConversations *self,
                                  GError **error,
                                  const char *sql,
                                  gint64 first,
                                  gint64 second);
guint tacho_conversations_count (TachoConversations *self, const char *sql, gint64 message);
gboolean tacho_conversations_check (const TachoConversationMessage *message, GError **error);
/* Parameters 1 to 9: text, reasoning, model, failure, stats, state, and who makes it grow. */
void tacho_conversations_bind_growing (TachoConversations *self,
                                       sqlite3_stmt *statement,
                                       const TachoConversationMessage *message);
/* As the active one of those at its place; gives it a time if it has none. */
gboolean tacho_conversations_insert (TachoConversations *self,
                                     const TachoConversationPlace *place,
                                     TachoConversationMessage *message,
                                     gint64 *id,
                                     GError **error);
/* Writes where the chain that is shown ends, how long it is, and when it changed; 0: now. */
gboolean tacho_conversations_note_chain (TachoConversations *self,
                                         const TachoConversationPlace *place,
                                         gint64 updated,
                                         GError **error);
/* After the commit: index and list. */
void tacho_conversations_written (TachoConversations *self,
                                  const char *id,
                                  const TachoConversationMessage *message);

/* Brings the list up to date with what the table says of a conversation. */
void tacho_conversations_refresh (TachoConversations *self, const char *id);
gboolean tacho_conversations_no_such (const char *id, GError **error); /* sets the error; FALSE */
gboolean tacho_conversations_check_length (const char *text, gsize most, GError **error);
char *tacho_conversation_message_make_fence (const char *text); /* that it does not close */
char *tacho_conversations_make_title (const char *prompt);      /* its first line */

G_END_DECLS
