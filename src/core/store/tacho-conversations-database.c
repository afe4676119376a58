/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of the conversations, their index of words, and their rows. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-conversations-private.h"
#include "store/tacho-search-words-private.h"

#define DAYS_DELETED 30

static const char *const migrations[] = {
  /* 1. `last` is the end of the chain that is shown; `indexed` says that the words of a message are
   * in the index, which is made apart: an SQLite without FTS5 must be able to write here. */
  "CREATE TABLE conversations ("
  " number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
  " title TEXT NOT NULL DEFAULT '', named INTEGER NOT NULL DEFAULT 0,"
  " pinned INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, updated INTEGER NOT NULL,"
  " deleted INTEGER NOT NULL DEFAULT 0, model TEXT NOT NULL DEFAULT '',"
  " server TEXT NOT NULL DEFAULT '', system_prompt TEXT NOT NULL DEFAULT '',"
  " settings TEXT NOT NULL DEFAULT '', draft TEXT NOT NULL DEFAULT '',"
  " last INTEGER NOT NULL DEFAULT 0, n_messages INTEGER NOT NULL DEFAULT 0);"
  "CREATE TABLE messages ("
  " id INTEGER PRIMARY KEY AUTOINCREMENT,"
  " conversation INTEGER NOT NULL REFERENCES conversations (number) ON DELETE CASCADE,"
  " follows INTEGER NOT NULL, version INTEGER NOT NULL, active INTEGER NOT NULL,"
  " created INTEGER NOT NULL, role TEXT NOT NULL, state TEXT NOT NULL,"
  " pid INTEGER, boot TEXT, process_start INTEGER, indexed INTEGER NOT NULL DEFAULT 0,"
  " model TEXT, failure TEXT, stats TEXT, reasoning TEXT, text TEXT NOT NULL);"
  "CREATE INDEX messages_chain ON messages (conversation, follows);"
  "CREATE INDEX messages_streaming ON messages (id) WHERE state = 'streaming';"
  "CREATE INDEX messages_unindexed ON messages (id) WHERE indexed = 0;"
  "CREATE TABLE attachments ("
  " conversation INTEGER NOT NULL REFERENCES conversations (number) ON DELETE CASCADE,"
  " message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,"
  " name TEXT NOT NULL, text TEXT NOT NULL);"
  "CREATE INDEX attachments_conversation ON attachments (conversation, message);"
  "CREATE INDEX attachments_message ON attachments (message);",
};

static const TachoDatabaseKind kind = {
  .name = "conversations file",
  .variable = "TACHO_CONVERSATIONS",
  .file = "conversations.db",
  .application_id = 0x54616343, /* "TacC" */
  .only_for_user = TRUE,
  .version = G_N_ELEMENTS (migrations),
  .migrations = migrations,
};

static gboolean
run_with_number (TachoDatabase *base, const char *sql, gint64 number, GError **error)
{
  sqlite3_stmt *statement = tacho_database_prepare (base, sql, error);

  if (statement != NULL)
    sqlite3_bind_int64 (statement, 1, number);
  return tacho_database_step (base, statement, error);
}

/* After the message is committed: what fails here is made good when the file is next opened, and
 * costs nobody a message. For the same reason it need not be on the disk at once. */
void
tacho_conversations_database_index (TachoDatabase *base, gint64 message)
{
  gboolean ok;

  if (!tacho_database_execute (base, "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE", NULL))
    return;
  ok = run_with_number (base,
                        "INSERT OR REPLACE INTO search (rowid, text)"
                        " SELECT id, separated(text) FROM messages WHERE id = ?",
                        message, NULL) &&
       run_with_number (base, "UPDATE messages SET indexed = 1 WHERE id = ?", message, NULL);
  tacho_database_end (base, ok, NULL);
  sqlite3_exec (base->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
}

static void
separated (sqlite3_context *context, int n, sqlite3_value **values)
{
  const char *text = (const char *) sqlite3_value_text (values[0]);
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);
  char *words = tacho_search_words_separate (valid);

  sqlite3_result_text (context, words != NULL ? words : g_steal_pointer (&valid), -1, g_free);
}

/* Whether an index of words can be kept; then the SQL function that makes them is there, too. */
static gboolean
has_fts5 (TachoDatabase *base)
{
  sqlite3_stmt *statement =
      tacho_database_prepare (base, "SELECT 1 FROM pragma_module_list WHERE name = 'fts5'", NULL);
  gboolean has = statement != NULL && sqlite3_step (statement) == SQLITE_ROW;

  sqlite3_finalize (statement);
  return has && sqlite3_create_function (base->db, "separated", 1,
                                         SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                         NULL, separated, NULL, NULL) == SQLITE_OK;
}

/* What was written without an index, or was cut short, gets its words in. */
gboolean
tacho_conversations_database_index_rest (TachoDatabase *base)
{
  gboolean ok =
      tacho_database_execute (base, "BEGIN IMMEDIATE", NULL) &&
      tacho_database_execute (
          base,
          "CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5"
          " (text, tokenize = 'unicode61 remove_diacritics 2');"
          "INSERT OR REPLACE INTO search (rowid, text)"
          " SELECT id, separated(text) FROM messages WHERE indexed = 0 AND state <> 'streaming';"
          "UPDATE messages SET indexed = 1 WHERE indexed = 0 AND state <> 'streaming'",
          NULL);

  return tacho_database_end (base, ok, NULL);
}

/* The index can always be made anew from the messages. */
static gboolean
index_anew (TachoDatabase *base)
{
  return tacho_database_execute (
             base, "DROP TABLE IF EXISTS search; UPDATE messages SET indexed = 0", NULL) &&
         tacho_conversations_database_index_rest (base);
}

/* Deletes for good what @where says, and leaves nothing of its text in the file. */
gboolean
tacho_conversations_database_purge (TachoDatabase *base,
                                    gboolean indexed,
                                    const char *where,
                                    const char *id,
                                    GError **error)
{
  g_autofree char *words =
      g_strdup_printf ("DELETE FROM search WHERE rowid IN (SELECT id FROM messages WHERE"
                       " conversation IN (SELECT number FROM conversations WHERE %s))",
                       where);
  g_autofree char *rows = g_strdup_printf ("DELETE FROM conversations WHERE %s", where);
  const char *const sql[] = { indexed ? words : NULL, rows };
  gboolean ok = TRUE;

  if (!tacho_database_execute (base, "PRAGMA secure_delete = 1; BEGIN IMMEDIATE", error))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (sql) && ok; i++)
    {
      sqlite3_stmt *statement;

      if (sql[i] == NULL)
        continue;
      statement = tacho_database_prepare (base, sql[i], error);
      if (statement != NULL && id != NULL)
        tacho_database_bind_text (statement, 1, id);
      ok = tacho_database_step (base, statement, error);
    }
  if (ok && indexed && sqlite3_changes (base->db) > 0) /* old segments still hold the words */
    ok = tacho_database_execute (base, "INSERT INTO search (search) VALUES ('optimize')", error);
  ok = tacho_database_end (base, ok, error);
  sqlite3_exec (base->db, "PRAGMA secure_delete = 0; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL,
                NULL);
  return ok;
}

static void
purge_old (TachoDatabase *base, gboolean indexed)
{
  g_autofree char *where = g_strdup_printf (
      "deleted > 0 AND deleted < %" G_GINT64_FORMAT,
      g_get_real_time () - DAYS_DELETED * G_GINT64_CONSTANT (24 * 3600) * G_USEC_PER_SEC);
  g_autoptr (GPtrArray) old = tacho_conversations_database_list (base, where, NULL, NULL);

  if (old != NULL && old->len > 0)
    tacho_conversations_database_purge (base, indexed, where, NULL, NULL);
}

TachoDatabase *
tacho_conversations_database_open (const char *path,
                                   gboolean *indexed,
                                   char **notice,
                                   GError **error)
{
  g_autoptr (TachoDatabase) base = tacho_database_open (&kind, path, notice, error);

  if (base == NULL ||
      !tacho_database_label_gone (
          base, "SELECT id, pid, boot, process_start FROM messages WHERE state = 'streaming'",
          "UPDATE messages SET state = 'interrupted' WHERE id = ? AND state = 'streaming'", error))
    return NULL;
  /* Neither is a reason to withhold the conversations: searching is slower without the index, and
   * what is to go goes another time. */
  *indexed =
      has_fts5 (base) && (tacho_conversations_database_index_rest (base) || index_anew (base));
  purge_old (base, *indexed);
  return g_steal_pointer (&base);
}

static TachoConversationRow *
read_row (sqlite3_stmt *statement)
{
  TachoConversationRow *row = g_new0 (TachoConversationRow, 1);

  row->number = sqlite3_column_int64 (statement, 0);
  row->id = tacho_database_dup_column (statement, 1);
  row->title = tacho_database_dup_column (statement, 2);
  row->pinned = sqlite3_column_int (statement, 3) != 0;
  row->created = sqlite3_column_int64 (statement, 4);
  row->updated = sqlite3_column_int64 (statement, 5);
  row->deleted = sqlite3_column_int64 (statement, 6);
  row->model = tacho_database_dup_column (statement, 7);
  row->server = tacho_database_dup_column (statement, 8);
  row->n_messages = (guint) sqlite3_column_int64 (statement, 9);
  return row;
}

GPtrArray *
tacho_conversations_database_list (TachoDatabase *base,
                                   const char *where,
                                   const char *id,
                                   GError **error)
{
  g_autofree char *sql = g_strdup_printf (
      "SELECT number, id, title, pinned, created, updated, deleted, model, server, n_messages"
      " FROM conversations WHERE %s",
      where);
  g_autoptr (GPtrArray) infos = g_ptr_array_new_with_free_func (g_object_unref);
  sqlite3_stmt *statement = tacho_database_prepare (base, sql, error);
  int code;

  if (statement == NULL)
    return NULL;
  if (id != NULL)
    tacho_database_bind_text (statement, 1, id);
  while ((code = sqlite3_step (statement)) == SQLITE_ROW)
    g_ptr_array_add (infos, tacho_conversation_info_new (read_row (statement)));
  if (code != SQLITE_DONE)
    tacho_database_fail (base, "Cannot read", error);
  sqlite3_finalize (statement);
  return code == SQLITE_DONE ? g_steal_pointer (&infos) : NULL;
}
