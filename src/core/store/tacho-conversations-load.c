/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages are read. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-conversations-private.h"

static char *
dup_nullable (sqlite3_stmt *statement, int column)
{
  if (sqlite3_column_type (statement, column) == SQLITE_NULL)
    return NULL;
  return tacho_database_dup_column (statement, column);
}

static TachoConversationMessage *
read_message (sqlite3_stmt *statement)
{
  g_autofree char *text = tacho_database_dup_column (statement, 11);
  TachoConversationMessage *message = tacho_conversation_message_new (TACHO_ROLE_USER, NULL);

  message->id = sqlite3_column_int64 (statement, 0);
  message->follows = sqlite3_column_int64 (statement, 1);
  message->version = (guint) sqlite3_column_int64 (statement, 2);
  message->active = sqlite3_column_int (statement, 3) != 0;
  message->created = sqlite3_column_int64 (statement, 4);
  tacho_role_from_string ((const char *) sqlite3_column_text (statement, 5), &message->role);
  tacho_message_state_from_string ((const char *) sqlite3_column_text (statement, 6),
                                   &message->state);
  message->model = dup_nullable (statement, 7);
  message->failure = dup_nullable (statement, 8);
  message->stats = dup_nullable (statement, 9);
  message->reasoning = dup_nullable (statement, 10);
  g_free (message->text);
  message->text = g_steal_pointer (&text);
  return message;
}

/* Only what is shown; ids and what they follow ascend along it, so that one pass finds it. */
static int
read_chain (sqlite3_stmt *statement, GPtrArray *messages)
{
  gint64 last = 0;
  int code;

  while ((code = sqlite3_step (statement)) == SQLITE_ROW)
    if (sqlite3_column_int64 (statement, 1) == last)
      {
        TachoConversationMessage *message = read_message (statement);

        message->position = messages->len;
        last = message->id;
        g_ptr_array_add (messages, message);
      }
  return code;
}

static int
read_all (sqlite3_stmt *statement, GPtrArray *messages)
{
  g_autoptr (GHashTable) places = g_hash_table_new (g_int64_hash, g_int64_equal);
  int code;

  while ((code = sqlite3_step (statement)) == SQLITE_ROW)
    {
      TachoConversationMessage *message = read_message (statement);
      const TachoConversationMessage *before = g_hash_table_lookup (places, &message->follows);

      message->position = before != NULL ? before->position + 1 : 0;
      g_hash_table_insert (places, &message->id, message);
      g_ptr_array_add (messages, message);
    }
  return code;
}

/* Runs @sql over the conversation; its rows are sorted by a message's id, as @messages are, and go
 * to the message with that. */
static gboolean
add_to_messages (TachoConversations *self,
                 const char *sql,
                 gint64 number,
                 GPtrArray *messages,
                 void (*add) (sqlite3_stmt *statement, TachoConversationMessage *message),
                 GError **error)
{
  sqlite3_stmt *statement = tacho_database_prepare (self->base, sql, error);
  guint at = 0;
  int code;

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, number);
  while ((code = sqlite3_step (statement)) == SQLITE_ROW)
    {
      gint64 id = sqlite3_column_int64 (statement, 0);

      while (at < messages->len && ((TachoConversationMessage *) messages->pdata[at])->id < id)
        at++;
      if (at < messages->len && ((TachoConversationMessage *) messages->pdata[at])->id == id)
        add (statement, messages->pdata[at]);
    }
  if (code != SQLITE_DONE)
    tacho_database_fail (self->base, "Cannot read", error);
  sqlite3_finalize (statement);
  return code == SQLITE_DONE;
}

static void
add_attachment (sqlite3_stmt *statement, TachoConversationMessage *message)
{
  TachoAttachment *attachment = g_new (TachoAttachment, 1);

  attachment->name = tacho_database_dup_column (statement, 1);
  attachment->text = tacho_database_dup_column (statement, 2);
  g_ptr_array_add (message->attachments, attachment);
}

static void
set_n_versions (sqlite3_stmt *statement, TachoConversationMessage *message)
{
  message->n_versions = (guint) sqlite3_column_int64 (statement, 1);
}

GPtrArray *
tacho_conversations_load_number (TachoConversations *self,
                                 gint64 number,
                                 gboolean all,
                                 GError **error)
{
  g_autoptr (GPtrArray) messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_conversation_message_free);
  g_autofree char *sql = g_strdup_printf (
      "SELECT id, follows, version, active, created, role, state, model, failure, stats, reasoning,"
      " text FROM messages WHERE conversation = ? %s",
      all ? "ORDER BY id" : "AND active ORDER BY follows");
  sqlite3_stmt *statement = tacho_database_prepare (self->base, sql, error);
  int code;

  if (statement == NULL)
    return NULL;
  sqlite3_bind_int64 (statement, 1, number);
  code = all ? read_all (statement, messages) : read_chain (statement, messages);
  if (code != SQLITE_DONE)
    tacho_database_fail (self->base, "Cannot read", error);
  sqlite3_finalize (statement);
  if (code != SQLITE_DONE ||
      !add_to_messages (self,
                        "SELECT message, name, text FROM attachments WHERE conversation = ?"
                        " ORDER BY message, rowid",
                        number, messages, add_attachment, error) ||
      !add_to_messages (self,
                        "SELECT m.id, s.n FROM messages m JOIN (SELECT follows, count(*) AS n"
                        " FROM messages WHERE conversation = ?1 GROUP BY follows HAVING n > 1) s"
                        " ON m.follows = s.follows WHERE m.conversation = ?1 ORDER BY m.id",
                        number, messages, set_n_versions, error))
    return NULL;
  return g_steal_pointer (&messages);
}

/**
 * tacho_conversations_load:
 * @self: the conversations
 * @id: of one
 * @error: return location
 *
 * Returns: (transfer full) (element-type TachoConversationMessage): what is shown of it, in order;
 *   else %NULL with %TACHO_ERROR_NOT_FOUND or %TACHO_ERROR_IO
 */
GPtrArray *
tacho_conversations_load (TachoConversations *self, const char *id, GError **error)
{
  g_autoptr (GPtrArray) found = NULL;

  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), NULL);
  found = tacho_conversations_database_list (self->base, "id = ?", id, error);
  if (found == NULL)
    return NULL;
  if (found->len == 0)
    {
      tacho_conversations_no_such (id, error);
      return NULL;
    }
  return tacho_conversations_load_number (
      self, tacho_conversation_info_get_number (g_ptr_array_index (found, 0)), FALSE, error);
}
