/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages are added, grow and get versions. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-conversations-private.h"

#include "base/tacho-error.h"

#include <string.h>

void
tacho_conversation_place_clear (TachoConversationPlace *place)
{
  g_free (place->id);
}

/* Reads number, id, follows and whether there is no title. The statement is freed. */
static gboolean
read_place (TachoConversations *self,
            sqlite3_stmt *statement,
            TachoConversationPlace *place,
            GError **error)
{
  int code = sqlite3_step (statement);

  if (code == SQLITE_ROW)
    {
      place->number = sqlite3_column_int64 (statement, 0);
      place->id = tacho_database_dup_column (statement, 1);
      place->follows = sqlite3_column_int64 (statement, 2);
      place->untitled = sqlite3_column_int (statement, 3) != 0;
    }
  else if (code != SQLITE_DONE)
    tacho_database_fail (self->base, "Cannot read", error);
  else
    g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND,
                         "There is no such conversation or message any more");
  sqlite3_finalize (statement);
  return code == SQLITE_ROW;
}

static gboolean
place_at_end (TachoConversations *self,
              const char *id,
              TachoConversationPlace *place,
              GError **error)
{
  sqlite3_stmt *statement = tacho_database_prepare (
      self->base, "SELECT number, id, last, title = '' FROM conversations WHERE id = ?", error);

  if (statement == NULL)
    return FALSE;
  tacho_database_bind_text (statement, 1, id);
  return read_place (self, statement, place, error);
}

gboolean
tacho_conversations_place_of (TachoConversations *self,
                              gint64 message,
                              TachoConversationPlace *place,
                              GError **error)
{
  sqlite3_stmt *statement =
      tacho_database_prepare (self->base,
                              "SELECT c.number, c.id, m.follows, 0 FROM messages m"
                              " JOIN conversations c ON c.number = m.conversation WHERE m.id = ?",
                              error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, message);
  return read_place (self, statement, place, error);
}

gboolean
tacho_conversations_run (TachoConversations *self,
                         GError **error,
                         const char *sql,
                         gint64 first,
                         gint64 second)
{
  sqlite3_stmt *statement = tacho_database_prepare (self->base, sql, error);

  if (statement != NULL)
    {
      sqlite3_bind_int64 (statement, 1, first);
      if (sqlite3_bind_parameter_count (statement) > 1)
        sqlite3_bind_int64 (statement, 2, second);
    }
  return tacho_database_step (self->base, statement, error);
}

static void
bind_valid (sqlite3_stmt *statement, int at, const char *text)
{
  g_autofree char *valid = NULL;

  if (text != NULL && !g_utf8_validate (text, -1, NULL))
    text = valid = g_utf8_make_valid (text, -1);
  tacho_database_bind_text (statement, at, text);
}

void
tacho_conversations_bind_growing (TachoConversations *self,
                                  sqlite3_stmt *statement,
                                  const TachoConversationMessage *message)
{
  bind_valid (statement, 1, message->text != NULL ? message->text : "");
  bind_valid (statement, 2, message->reasoning);
  bind_valid (statement, 3, message->model);
  bind_valid (statement, 4, message->failure);
  bind_valid (statement, 5, message->stats);
  tacho_database_bind_text (statement, 6, tacho_message_state_to_string (message->state));
  if (message->state == TACHO_MESSAGE_STREAMING)
    tacho_database_bind_process (self->base, statement, 7);
}

gboolean
tacho_conversations_check (const TachoConversationMessage *message, GError **error)
{
  for (guint i = 0; i < message->attachments->len; i++)
    {
      const TachoAttachment *file = g_ptr_array_index (message->attachments, i);

      if (!tacho_conversations_check_length (file->text, TACHO_CONVERSATION_MAX_TEXT, error))
        return FALSE;
    }
  return tacho_conversations_check_length (message->text, TACHO_CONVERSATION_MAX_TEXT, error) &&
         tacho_conversations_check_length (message->reasoning, TACHO_CONVERSATION_MAX_TEXT,
                                           error) &&
         tacho_conversations_check_length (message->failure, TACHO_CONVERSATION_MAX_STATS, error) &&
         tacho_conversations_check_length (message->stats, TACHO_CONVERSATION_MAX_STATS, error);
}

static gboolean
insert_attachments (TachoConversations *self,
                    const TachoConversationPlace *place,
                    gint64 id,
                    const GPtrArray *attachments,
                    GError **error)
{
  for (guint i = 0; i < attachments->len; i++)
    {
      const TachoAttachment *file = g_ptr_array_index (attachments, i);
      sqlite3_stmt *statement = tacho_database_prepare (
          self->base,
          "INSERT INTO attachments (conversation, message, name, text) VALUES (?1, ?2, ?3, ?4)",
          error);

      if (statement == NULL)
        return FALSE;
      sqlite3_bind_int64 (statement, 1, place->number);
      sqlite3_bind_int64 (statement, 2, id);
      bind_valid (statement, 3, file->name);
      bind_valid (statement, 4, file->text);
      if (!tacho_database_step (self->base, statement, error))
        return FALSE;
    }
  return TRUE;
}

/* Puts the message at its place, as the active one of those that stand there. */
gboolean
tacho_conversations_insert (TachoConversations *self,
                            const TachoConversationPlace *place,
                            TachoConversationMessage *message,
                            gint64 *id,
                            GError **error)
{
  sqlite3_stmt *statement;

  if (message->created == 0)
    message->created = g_get_real_time ();
  if (!tacho_conversations_run (
          self, error, "UPDATE messages SET active = 0 WHERE conversation = ?1 AND follows = ?2",
          place->number, place->follows))
    return FALSE;
  statement = tacho_database_prepare (
      self->base,
      "INSERT INTO messages (text, reasoning, model, failure, stats, state, pid, boot,"
      " process_start, conversation, follows, role, created, active, version)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 1,"
      " (SELECT count(*) + 1 FROM messages WHERE conversation = ?10 AND follows = ?11))",
      error);
  if (statement == NULL)
    return FALSE;
  tacho_conversations_bind_growing (self, statement, message);
  sqlite3_bind_int64 (statement, 10, place->number);
  sqlite3_bind_int64 (statement, 11, place->follows);
  tacho_database_bind_text (statement, 12, tacho_role_to_string (message->role));
  sqlite3_bind_int64 (statement, 13, message->created);
  if (!tacho_database_step (self->base, statement, error))
    return FALSE;
  *id = sqlite3_last_insert_rowid (self->base->db);
  return insert_attachments (self, place, *id, message->attachments, error);
}

/* The end of the chain that is shown, and how many messages are in it. A message has a greater id
 * than the one it follows, so the greatest is the end. */
gboolean
tacho_conversations_note_chain (TachoConversations *self,
                                const TachoConversationPlace *place,
                                gint64 updated,
                                GError **error)
{
  return tacho_conversations_run (
      self, error,
      "WITH RECURSIVE chain (id, role) AS ("
      " SELECT id, role FROM messages WHERE conversation = ?1 AND follows = 0 AND active"
      " UNION ALL SELECT m.id, m.role FROM chain JOIN messages m"
      " ON m.conversation = ?1 AND m.follows = chain.id AND m.active)"
      " UPDATE conversations SET updated = ?2, (last, n_messages) ="
      " (SELECT ifnull(max(id), 0), count(*) FILTER (WHERE role <> 'system') FROM chain)"
      " WHERE number = ?1",
      place->number, updated != 0 ? updated : g_get_real_time ());
}

/* The same for one more at the end, without walking. */
static gboolean
note_end (TachoConversations *self,
          const TachoConversationPlace *place,
          const TachoConversationMessage *message,
          gint64 id,
          GError **error)
{
  g_autofree char *title = NULL;
  sqlite3_stmt *statement;

  if (place->untitled && message->role == TACHO_ROLE_USER)
    title = tacho_conversations_make_title (message->text);
  statement = tacho_database_prepare (
      self->base,
      "UPDATE conversations SET last = ?2, updated = ?3, n_messages = n_messages + ?4,"
      " title = ifnull(?5, title) WHERE number = ?1",
      error);
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, place->number);
  sqlite3_bind_int64 (statement, 2, id);
  sqlite3_bind_int64 (statement, 3, g_get_real_time ());
  sqlite3_bind_int (statement, 4, message->role != TACHO_ROLE_SYSTEM);
  tacho_database_bind_text (statement, 5, title);
  return tacho_database_step (self->base, statement, error);
}

void
tacho_conversations_written (TachoConversations *self,
                             const char *id,
                             const TachoConversationMessage *message)
{
  if (self->indexed && message->state != TACHO_MESSAGE_STREAMING)
    tacho_conversations_database_index (self->base, message->id);
  tacho_conversations_refresh (self, id);
}

guint
tacho_conversations_count (TachoConversations *self, const char *sql, gint64 message)
{
  sqlite3_stmt *statement = tacho_database_prepare (self->base, sql, NULL);
  guint n = 0;

  if (statement == NULL)
    return 0;
  sqlite3_bind_int64 (statement, 1, message);
  if (sqlite3_step (statement) == SQLITE_ROW)
    n = (guint) sqlite3_column_int64 (statement, 0);
  sqlite3_finalize (statement);
  return n;
}

/* At the end of a conversation, or in place of a message. */
static gboolean
add (TachoConversations *self,
     const char *id,
     gint64 of_message,
     TachoConversationMessage *message,
     GError **error)
{
  g_auto (TachoConversationPlace) place = { 0 };
  gint64 row = 0;
  gboolean ok;

  if (!tacho_conversations_check (message, error) ||
      !tacho_database_execute (self->base, "BEGIN IMMEDIATE", error))
    return FALSE;
  ok = (id != NULL ? place_at_end (self, id, &place, error)
                   : tacho_conversations_place_of (self, of_message, &place, error)) &&
       tacho_conversations_insert (self, &place, message, &row, error) &&
       (id != NULL ? note_end (self, &place, message, row, error)
                   : tacho_conversations_note_chain (self, &place, 0, error));
  if (!tacho_database_end (self->base, ok, error))
    return FALSE;
  message->id = row;
  message->follows = place.follows;
  message->version = message->n_versions =
      tacho_conversations_count (self, "SELECT version FROM messages WHERE id = ?", row);
  message->active = TRUE;
  tacho_conversations_written (self, place.id, message);
  return TRUE;
}

/**
 * tacho_conversations_append:
 * @self: the conversations
 * @id: of one
 * @message: what comes after all that is shown; its id, place, version and time are set
 * @error: return location
 *
 * The first prompt gives the conversation its title.
 *
 * Returns: whether it is on the disk; else also %TACHO_ERROR_INVALID for a text that is too long
 */
gboolean
tacho_conversations_append (TachoConversations *self,
                            const char *id,
                            TachoConversationMessage *message,
                            GError **error)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self) && id != NULL, FALSE);
  return add (self, id, 0, message, error);
}

/**
 * tacho_conversations_add_version:
 * @self: the conversations
 * @of_message: id of the message in whose place it comes
 * @message: another wording of it; its id, place, version and time are set
 * @error: return location
 *
 * What is shown ends with it from now on. Nothing is lost by that.
 *
 * Returns: whether it is on the disk; else also %TACHO_ERROR_INVALID for a text that is too long
 */
gboolean
tacho_conversations_add_version (TachoConversations *self,
                                 gint64 of_message,
                                 TachoConversationMessage *message,
                                 GError **error)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), FALSE);
  return add (self, NULL, of_message, message, error);
}
