/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is done to a conversation as a whole: made, named, pinned, deleted and brought back. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-conversations-private.h"

#include "base/tacho-error.h"
#include "base/tacho-text.h"

#define NAME_CHARS 200

/* A statement with the id first and up to two texts after it; the list is brought up to date. */
static gboolean
change (TachoConversations *self,
        const char *sql,
        const char *id,
        const char *first,
        const char *second,
        GError **error)
{
  sqlite3_stmt *statement = tacho_database_prepare (self->base, sql, error);

  if (statement == NULL)
    return FALSE;
  tacho_database_bind_text (statement, 1, id);
  if (sqlite3_bind_parameter_count (statement) > 1)
    tacho_database_bind_text (statement, 2, first);
  if (sqlite3_bind_parameter_count (statement) > 2)
    tacho_database_bind_text (statement, 3, second);
  if (!tacho_database_step (self->base, statement, error))
    return FALSE;
  if (sqlite3_changes (self->base->db) == 0)
    return tacho_conversations_no_such (id, error);
  tacho_conversations_refresh (self, id);
  return TRUE;
}

/**
 * tacho_conversations_create:
 * @self: the conversations
 * @model: (nullable): the model it is with
 * @server: (nullable): the profile it is with
 * @error: return location
 *
 * Makes a conversation without messages.
 *
 * Returns: (transfer full): it, which is in the list now; else %NULL with %TACHO_ERROR_IO
 */
TachoConversationInfo *
tacho_conversations_create (TachoConversations *self,
                            const char *model,
                            const char *server,
                            GError **error)
{
  g_autofree char *id = g_uuid_string_random ();
  g_autofree char *sql = g_strdup_printf (
      "INSERT INTO conversations (id, model, server, created, updated) VALUES (?1, ?2, ?3, "
      "%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ")",
      g_get_real_time (), g_get_real_time ());
  g_autofree char *clean_model = tacho_text_sanitize_line (model != NULL ? model : "", -1, 0);
  g_autofree char *clean_server = tacho_text_sanitize_line (server != NULL ? server : "", -1, 0);
  TachoConversationInfo *info;

  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), NULL);
  if (!change (self, sql, id, clean_model, clean_server, error))
    return NULL;
  info = tacho_conversations_find (self, id);
  return info != NULL ? g_object_ref (info) : NULL;
}

/**
 * tacho_conversations_rename:
 * @self: the conversations
 * @id: of one
 * @title: its name; one line of it is kept; empty: the first line of the first prompt again
 * @error: return location
 *
 * Returns: whether it is written
 */
gboolean
tacho_conversations_rename (TachoConversations *self,
                            const char *id,
                            const char *title,
                            GError **error)
{
  g_autofree char *clean = g_strstrip (tacho_text_sanitize_line (title, -1, NAME_CHARS));
  g_autofree char *made = NULL;
  sqlite3_stmt *statement;

  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), FALSE);
  if (*clean != '\0')
    return change (self, "UPDATE conversations SET title = ?2, named = 1 WHERE id = ?1", id, clean,
                   NULL, error);
  statement = tacho_database_prepare (
      self->base,
      "SELECT substr(text, 1, 4096) FROM messages WHERE role = 'user' AND conversation ="
      " (SELECT number FROM conversations WHERE id = ?) ORDER BY id LIMIT 1",
      error);
  if (statement == NULL)
    return FALSE;
  tacho_database_bind_text (statement, 1, id);
  if (sqlite3_step (statement) == SQLITE_ROW)
    {
      g_autofree char *text = tacho_database_dup_column (statement, 0);

      made = tacho_conversations_make_title (text);
    }
  sqlite3_finalize (statement);
  return change (self, "UPDATE conversations SET title = ifnull(?2, ''), named = 0 WHERE id = ?1",
                 id, made, NULL, error);
}

/**
 * tacho_conversations_set_pinned:
 * @self: the conversations
 * @id: of one
 * @pinned: whether it stands before the others
 * @error: return location
 *
 * Returns: whether it is written
 */
gboolean
tacho_conversations_set_pinned (TachoConversations *self,
                                const char *id,
                                gboolean pinned,
                                GError **error)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), FALSE);
  return change (self,
                 pinned ? "UPDATE conversations SET pinned = 1 WHERE id = ?1"
                        : "UPDATE conversations SET pinned = 0 WHERE id = ?1",
                 id, NULL, NULL, error);
}

/**
 * tacho_conversations_set_model:
 * @self: the conversations
 * @id: of one
 * @model: (nullable): the model it is with from now on
 * @server: (nullable): the profile it is with
 * @error: return location
 *
 * Returns: whether it is written
 */
gboolean
tacho_conversations_set_model (TachoConversations *self,
                               const char *id,
                               const char *model,
                               const char *server,
                               GError **error)
{
  g_autofree char *clean_model = tacho_text_sanitize_line (model != NULL ? model : "", -1, 0);
  g_autofree char *clean_server = tacho_text_sanitize_line (server != NULL ? server : "", -1, 0);

  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), FALSE);
  return change (self, "UPDATE conversations SET model = ?2, server = ?3 WHERE id = ?1", id,
                 clean_model, clean_server, error);
}

static const char *
column_of (TachoConversationField field)
{
  static const char *const columns[] = { "system_prompt", "settings", "draft" };

  return columns[MIN ((gsize) field, G_N_ELEMENTS (columns) - 1)];
}

/**
 * tacho_conversations_set_field:
 * @self: the conversations
 * @id: of one
 * @field: which text
 * @text: (nullable): it; what is not UTF-8 in it is replaced
 * @error: return location
 *
 * Returns: whether it is written; else also %TACHO_ERROR_INVALID for one that is too long
 */
gboolean
tacho_conversations_set_field (TachoConversations *self,
                               const char *id,
                               TachoConversationField field,
                               const char *text,
                               GError **error)
{
  g_autofree char *sql =
      g_strdup_printf ("UPDATE conversations SET %s = ?2 WHERE id = ?1", column_of (field));
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);

  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), FALSE);
  return tacho_conversations_check_length (valid, TACHO_CONVERSATION_MAX_TEXT, error) &&
         change (self, sql, id, valid, NULL, error);
}

/**
 * tacho_conversations_dup_field:
 * @self: the conversations
 * @id: of one
 * @field: which text
 * @error: return location
 *
 * Returns: (transfer full): it, empty if it was never set; %NULL with @error
 */
char *
tacho_conversations_dup_field (TachoConversations *self,
                               const char *id,
                               TachoConversationField field,
                               GError **error)
{
  g_autofree char *sql =
      g_strdup_printf ("SELECT %s FROM conversations WHERE id = ?", column_of (field));
  sqlite3_stmt *statement;
  char *text = NULL;
  int code;

  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), NULL);
  statement = tacho_database_prepare (self->base, sql, error);
  if (statement == NULL)
    return NULL;
  tacho_database_bind_text (statement, 1, id);
  code = sqlite3_step (statement);
  if (code == SQLITE_ROW)
    text = tacho_database_dup_column (statement, 0);
  else if (code == SQLITE_DONE)
    tacho_conversations_no_such (id, error);
  else
    tacho_database_fail (self->base, "Cannot read", error);
  sqlite3_finalize (statement);
  return text;
}

/**
 * tacho_conversations_delete:
 * @self: the conversations
 * @id: of one
 * @error: return location
 *
 * Takes it out of the list. It comes back by tacho_conversations_undelete() for 30 days.
 *
 * Returns: whether it is written
 */
gboolean
tacho_conversations_delete (TachoConversations *self, const char *id, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("UPDATE conversations SET deleted = %" G_GINT64_FORMAT
                                          " WHERE id = ?1 AND deleted = 0",
                                          g_get_real_time ());

  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), FALSE);
  return change (self, sql, id, NULL, NULL, error);
}

/**
 * tacho_conversations_undelete:
 * @self: the conversations
 * @id: of one that was deleted
 * @error: return location
 *
 * Brings it back to its place.
 *
 * Returns: whether it is written; %TACHO_ERROR_NOT_FOUND if it is gone for good, or was not deleted
 */
gboolean
tacho_conversations_undelete (TachoConversations *self, const char *id, GError **error)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), FALSE);
  return change (self, "UPDATE conversations SET deleted = 0 WHERE id = ?1 AND deleted <> 0", id,
                 NULL, NULL, error);
}

/**
 * tacho_conversations_purge:
 * @self: the conversations
 * @id: of one, deleted or not
 * @error: return location
 *
 * Deletes it for good: its text is overwritten in the file.
 *
 * Returns: whether it is gone
 */
gboolean
tacho_conversations_purge (TachoConversations *self, const char *id, GError **error)
{
  g_autoptr (GPtrArray) found = NULL;

  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), FALSE);
  found = tacho_conversations_database_list (self->base, "id = ?", id, error);
  if (found == NULL)
    return FALSE;
  if (found->len == 0)
    return tacho_conversations_no_such (id, error);
  if (!tacho_conversations_database_purge (self->base, self->indexed, "id = ?", id, error))
    return FALSE;
  tacho_conversations_refresh (self, id);
  return TRUE;
}

/**
 * tacho_conversations_list_deleted:
 * @self: the conversations
 * @error: return location
 *
 * Returns: (transfer full): the deleted ones that can still be brought back, of
 *   TachoConversationInfo, last deleted first
 */
GListModel *
tacho_conversations_list_deleted (TachoConversations *self, GError **error)
{
  g_autoptr (GPtrArray) infos = NULL;
  GListStore *list;

  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), NULL);
  infos = tacho_conversations_database_list (self->base, "deleted <> 0 ORDER BY deleted DESC", NULL,
                                             error);
  if (infos == NULL)
    return NULL;
  list = g_list_store_new (TACHO_TYPE_CONVERSATION_INFO);
  g_list_store_splice (list, 0, 0, infos->pdata, infos->len);
  return G_LIST_MODEL (list);
}
