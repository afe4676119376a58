/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A whole conversation out of the store, and into it. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-conversations-private.h"

#include "base/tacho-error.h"

static void
replace (char **field, char *text)
{
  g_free (*field);
  *field = text;
}

/* What stands in the row of the conversation; its number. */
static gint64
read_document (TachoConversations *self,
               const char *id,
               TachoConversationDocument *document,
               GError **error)
{
  sqlite3_stmt *statement = tacho_database_prepare (
      self->base,
      "SELECT number, title, pinned, created, updated, model, server, system_prompt, settings"
      " FROM conversations WHERE id = ?",
      error);
  gint64 number = 0;
  int code;

  if (statement == NULL)
    return 0;
  tacho_database_bind_text (statement, 1, id);
  code = sqlite3_step (statement);
  if (code == SQLITE_ROW)
    {
      number = sqlite3_column_int64 (statement, 0);
      replace (&document->title, tacho_database_dup_column (statement, 1));
      document->pinned = sqlite3_column_int (statement, 2) != 0;
      document->created = sqlite3_column_int64 (statement, 3);
      document->updated = sqlite3_column_int64 (statement, 4);
      replace (&document->model, tacho_database_dup_column (statement, 5));
      replace (&document->server, tacho_database_dup_column (statement, 6));
      replace (&document->system_prompt, tacho_database_dup_column (statement, 7));
      replace (&document->settings, tacho_database_dup_column (statement, 8));
    }
  else if (code == SQLITE_DONE)
    tacho_conversations_no_such (id, error);
  else
    tacho_database_fail (self->base, "Cannot read", error);
  sqlite3_finalize (statement);
  return number;
}

/**
 * tacho_conversations_load_document:
 * @self: the conversations
 * @id: of one
 * @error: return location
 *
 * Returns: (transfer full): it with every version of its messages, to be exported
 */
TachoConversationDocument *
tacho_conversations_load_document (TachoConversations *self, const char *id, GError **error)
{
  g_autoptr (TachoConversationDocument) document = tacho_conversation_document_new ();
  GPtrArray *messages;
  gint64 number;

  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), NULL);
  number = read_document (self, id, document, error);
  messages = number != 0 ? tacho_conversations_load_number (self, number, TRUE, error) : NULL;
  if (messages == NULL)
    return NULL;
  g_ptr_array_unref (document->messages);
  document->messages = messages;
  return g_steal_pointer (&document);
}

static char *
make_title (const TachoConversationDocument *document)
{
  for (guint i = 0; i < document->messages->len; i++)
    {
      const TachoConversationMessage *message = g_ptr_array_index (document->messages, i);

      if (message->role == TACHO_ROLE_USER)
        return tacho_conversations_make_title (message->text);
    }
  return g_strdup ("");
}

static gboolean
insert_row (TachoConversations *self,
            const char *id,
            const TachoConversationDocument *document,
            gint64 *number,
            GError **error)
{
  sqlite3_stmt *statement = tacho_database_prepare (
      self->base,
      "INSERT INTO conversations (id, title, pinned, created, updated, model, server,"
      " system_prompt, settings, named) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
      error);
  g_autofree char *title = *document->title == '\0' ? make_title (document) : NULL;
  gint64 now = g_get_real_time ();

  if (statement == NULL)
    return FALSE;
  tacho_database_bind_text (statement, 1, id);
  tacho_database_bind_text (statement, 2, title != NULL ? title : document->title);
  sqlite3_bind_int (statement, 3, document->pinned);
  sqlite3_bind_int64 (statement, 4, document->created != 0 ? document->created : now);
  sqlite3_bind_int64 (statement, 5, document->updated != 0 ? document->updated : now);
  tacho_database_bind_text (statement, 6, document->model);
  tacho_database_bind_text (statement, 7, document->server);
  tacho_database_bind_text (statement, 8, document->system_prompt);
  tacho_database_bind_text (statement, 9, document->settings);
  sqlite3_bind_int (statement, 10, title == NULL);
  if (!tacho_database_step (self->base, statement, error))
    return FALSE;
  *number = sqlite3_last_insert_rowid (self->base->db);
  return TRUE;
}

/* Each under a new id, after the one that it follows; then the versions that are shown. */
static gboolean
insert_messages (TachoConversations *self,
                 gint64 number,
                 const TachoConversationDocument *document,
                 GError **error)
{
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);

  for (guint i = 0; i < document->messages->len; i++)
    {
      TachoConversationMessage *message = g_ptr_array_index (document->messages, i);
      const gint64 *follows =
          message->follows != 0 ? g_hash_table_lookup (ids, &message->follows) : NULL;
      TachoConversationPlace place = { .number = number,
                                       .follows = follows != NULL ? *follows : 0 };
      gint64 id;

      if (!tacho_conversations_check (message, error) ||
          !tacho_conversations_insert (self, &place, message, &id, error))
        return FALSE;
      g_hash_table_insert (ids, &message->id, g_memdup2 (&id, sizeof id));
    }
  for (guint i = 0; i < document->messages->len; i++)
    {
      const TachoConversationMessage *message = g_ptr_array_index (document->messages, i);
      const gint64 *id = g_hash_table_lookup (ids, &message->id);

      if (message->active &&
          !tacho_conversations_run (
              self, error,
              "UPDATE messages SET active = (id = ?1) WHERE conversation = ?2"
              " AND follows = (SELECT follows FROM messages WHERE id = ?1) AND active <> (id = ?1)",
              *id, number))
        return FALSE;
    }
  return TRUE;
}

/**
 * tacho_conversations_import:
 * @self: the conversations
 * @document: a conversation; its messages may have any ids
 * @error: return location
 *
 * Adds it as a new one, with the times it has. Importing twice makes two of them.
 *
 * Returns: (transfer full): it, as it is in the list; else %NULL with %TACHO_ERROR_IO or
 *   %TACHO_ERROR_INVALID, and nothing is added
 */
TachoConversationInfo *
tacho_conversations_import (TachoConversations *self,
                            const TachoConversationDocument *document,
                            GError **error)
{
  g_autofree char *id = g_uuid_string_random ();
  TachoConversationPlace place = { 0 };
  TachoConversationInfo *info;
  gboolean ok;

  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), NULL);
  if (!tacho_database_execute (self->base, "BEGIN IMMEDIATE", error))
    return NULL;
  ok = insert_row (self, id, document, &place.number, error) &&
       insert_messages (self, place.number, document, error) &&
       tacho_conversations_note_chain (self, &place, document->updated, error);
  if (!tacho_database_end (self->base, ok, error))
    return NULL;
  if (self->indexed)
    tacho_conversations_database_index_rest (self->base);
  tacho_conversations_refresh (self, id);
  info = tacho_conversations_find (self, id);
  return info != NULL ? g_object_ref (info) : NULL;
}
