/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding conversations by the words in them. It happens in a thread, over a connection of its own,
 * so that neither typing nor a reply that grows waits for it. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-conversations-private.h"
#include "store/tacho-search-words-private.h"

#define MAX_FOUND 1000
#define STEPS_BETWEEN_LOOKS 10000

typedef struct
{
  char *id;
  char *snippet;
  gint64 message;
} Hit;

static void
hit_free (gpointer data)
{
  Hit *hit = data;

  g_free (hit->id);
  g_free (hit->snippet);
  g_free (hit);
}

typedef struct
{
  TachoDatabase *of; /* of the store, which outlives the call */
  gboolean indexed;
  GPtrArray *words;
} Search;

static void
search_free (gpointer data)
{
  Search *search = data;

  g_ptr_array_unref (search->words);
  g_free (search);
}

static int
is_cancelled_cb (gpointer user_data)
{
  return g_cancellable_is_cancelled (user_data);
}

/* Rows of conversation and message into a table of the one to the other. */
static gboolean
collect (TachoDatabase *base,
         const char *sql,
         const char *parameter,
         GHashTable *into,
         GError **error)
{
  sqlite3_stmt *statement = tacho_database_prepare (base, sql, error);
  int code;

  if (statement == NULL)
    return FALSE;
  tacho_database_bind_text (statement, 1, parameter);
  while ((code = sqlite3_step (statement)) == SQLITE_ROW)
    {
      gint64 number = sqlite3_column_int64 (statement, 0);
      gint64 message = sqlite3_column_int64 (statement, 1);

      g_hash_table_insert (into, g_memdup2 (&number, sizeof number),
                           g_memdup2 (&message, sizeof message));
    }
  if (code != SQLITE_DONE)
    tacho_database_fail (base, "Cannot search", error);
  sqlite3_finalize (statement);
  return code == SQLITE_DONE;
}

static const char match_sql[] = "SELECT m.conversation, max(m.id) FROM search"
                                " JOIN messages m ON m.id = search.rowid"
                                " WHERE search MATCH ? GROUP BY m.conversation";

/* Of each conversation that has the word, the newest message with it. */
static GHashTable *
find_word (TachoDatabase *base, const TachoSearchWord *word, gboolean indexed, GError **error)
{
  g_autoptr (GHashTable) found =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  g_autofree char *pattern = tacho_database_like_pattern (word->needle);

  /* Where the index fails, the messages themselves still tell. */
  if (indexed && word->match != NULL && collect (base, match_sql, word->match, found, NULL))
    return g_steal_pointer (&found);
  g_hash_table_remove_all (found);
  if (!collect (base,
                "SELECT conversation, max(id) FROM messages WHERE text LIKE ? ESCAPE '\\'"
                " GROUP BY conversation",
                pattern, found, error))
    return NULL;
  return g_steal_pointer (&found);
}

/* A message that has all the words shows more than one that has the last. */
static GHashTable *
find_together (TachoDatabase *base, const Search *search)
{
  g_autoptr (GHashTable) found =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  g_autoptr (GString) all = g_string_new (NULL);

  for (guint i = 0; i < search->words->len; i++)
    {
      const TachoSearchWord *word = g_ptr_array_index (search->words, i);

      if (word->match != NULL)
        g_string_append_printf (all, "%s%s", all->len > 0 ? " AND " : "", word->match);
    }
  if (!search->indexed || all->len == 0 || search->words->len < 2 ||
      !collect (base, match_sql, all->str, found, NULL))
    g_hash_table_remove_all (found);
  return g_steal_pointer (&found);
}

static char *
make_snippet (TachoDatabase *base, const Search *search, gint64 message)
{
  sqlite3_stmt *statement =
      tacho_database_prepare (base, "SELECT text FROM messages WHERE id = ?", NULL);
  g_autofree char *text = NULL;
  g_autofree char *snippet = g_strdup ("");

  if (statement == NULL)
    return g_steal_pointer (&snippet);
  sqlite3_bind_int64 (statement, 1, message);
  if (sqlite3_step (statement) == SQLITE_ROW)
    text = tacho_database_dup_column (statement, 0);
  sqlite3_finalize (statement);
  for (guint i = search->words->len; text != NULL && i > 0 && *snippet == '\0'; i--)
    {
      const TachoSearchWord *word = g_ptr_array_index (search->words, i - 1);

      g_free (snippet);
      snippet = tacho_search_words_snippet (text, word->needle);
    }
  return g_steal_pointer (&snippet);
}

/* Whether each word is in the title or in a message; @message: one to show, or 0. */
static gboolean
has_all (const Search *search,
         GPtrArray *by_word,
         GHashTable *together,
         gint64 number,
         const char *title,
         gint64 *message)
{
  const gint64 *best = g_hash_table_lookup (together, &number);

  *message = 0;
  for (guint i = 0; i < by_word->len; i++)
    {
      const TachoSearchWord *word = g_ptr_array_index (search->words, i);
      const gint64 *found = g_hash_table_lookup (g_ptr_array_index (by_word, i), &number);

      if (found == NULL && tacho_search_words_find (title, word->needle) < 0)
        return FALSE;
      if (found != NULL)
        *message = *found;
    }
  if (best != NULL)
    *message = *best;
  return TRUE;
}

static GPtrArray *
run_search (TachoDatabase *base, const Search *search, GError **error)
{
  g_autoptr (GPtrArray) hits = g_ptr_array_new_with_free_func (hit_free);
  g_autoptr (GPtrArray) by_word =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  g_autoptr (GHashTable) together = find_together (base, search);
  sqlite3_stmt *statement;
  int code;

  for (guint i = 0; i < search->words->len; i++)
    {
      GHashTable *found =
          find_word (base, g_ptr_array_index (search->words, i), search->indexed, error);

      if (found == NULL)
        return NULL;
      g_ptr_array_add (by_word, found);
    }
  statement = tacho_database_prepare (base,
                                      "SELECT number, id, title FROM conversations"
                                      " WHERE deleted = 0 ORDER BY updated DESC",
                                      error);
  if (statement == NULL)
    return NULL;
  while ((code = sqlite3_step (statement)) == SQLITE_ROW && hits->len < MAX_FOUND)
    {
      g_autofree char *title = tacho_database_dup_column (statement, 2);
      gint64 message;

      if (has_all (search, by_word, together, sqlite3_column_int64 (statement, 0), title, &message))
        {
          Hit *hit = g_new0 (Hit, 1);

          hit->id = tacho_database_dup_column (statement, 1);
          hit->message = message;
          hit->snippet = message != 0 ? make_snippet (base, search, message) : g_strdup ("");
          g_ptr_array_add (hits, hit);
        }
    }
  if (code != SQLITE_DONE && code != SQLITE_ROW)
    tacho_database_fail (base, "Cannot search", error);
  sqlite3_finalize (statement);
  return code == SQLITE_DONE || code == SQLITE_ROW ? g_steal_pointer (&hits) : NULL;
}

static void
search_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Search *search = data;
  GError *error = NULL;
  g_autoptr (TachoDatabase) base = tacho_database_open_reader (search->of, &error);
  g_autoptr (GPtrArray) hits = NULL;

  if (base != NULL)
    {
      sqlite3_progress_handler (base->db, STEPS_BETWEEN_LOOKS, is_cancelled_cb, cancellable);
      hits = run_search (base, search, &error);
    }
  if (hits != NULL)
    g_task_return_pointer (task, g_steal_pointer (&hits), (GDestroyNotify) g_ptr_array_unref);
  else if (!g_task_return_error_if_cancelled (task))
    g_task_return_error (task, g_steal_pointer (&error));
  g_clear_error (&error);
}

/**
 * tacho_conversations_search_async:
 * @self: the conversations
 * @text: (nullable): words that must all be in the title or the messages; case and accents do not
 *   matter, the end of each may be missing; there is no syntax
 * @cancellable: (nullable): stops the search, as the next letter is typed
 * @callback: called when it is over
 * @user_data: for @callback
 *
 * Searches in a thread.
 */
void
tacho_conversations_search_async (TachoConversations *self,
                                  const char *text,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  Search *search;

  g_return_if_fail (TACHO_IS_CONVERSATIONS (self));
  task = g_task_new (self, cancellable, callback, user_data);
  search = g_new0 (Search, 1);
  search->of = self->base;
  search->indexed = self->indexed;
  search->words = tacho_search_words_parse (text != NULL ? text : "");
  g_task_set_source_tag (task, tacho_conversations_search_async);
  g_task_set_task_data (task, search, search_free);
  g_task_run_in_thread (task, search_in_thread);
}

/**
 * tacho_conversations_search_finish:
 * @self: the conversations
 * @result: of tacho_conversations_search_async()
 * @error: return location
 *
 * The snippet and the hit of each conversation are of this search afterwards.
 *
 * Returns: (transfer full): the conversations that were found, of TachoConversationInfo, in the
 *   order of the list; else %NULL with %TACHO_ERROR_IO or %G_IO_ERROR_CANCELLED
 */
GListModel *
tacho_conversations_search_finish (TachoConversations *self, GAsyncResult *result, GError **error)
{
  g_autoptr (GPtrArray) hits = NULL;
  g_autoptr (GPtrArray) found = g_ptr_array_new ();
  g_autoptr (GHashTable) by_id = g_hash_table_new (g_str_hash, g_str_equal);
  GListStore *list;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  hits = g_task_propagate_pointer (G_TASK (result), error);
  if (hits == NULL)
    return NULL;
  for (guint i = 0; i < hits->len; i++)
    {
      Hit *hit = g_ptr_array_index (hits, i);

      g_hash_table_insert (by_id, hit->id, hit);
    }
  for (guint i = 0; i < self->infos->len; i++)
    {
      TachoConversationInfo *info = g_ptr_array_index (self->infos, i);
      const Hit *hit = g_hash_table_lookup (by_id, tacho_conversation_info_get_id (info));

      tacho_conversation_info_set_hit (info, hit != NULL ? hit->snippet : "",
                                       hit != NULL ? hit->message : 0);
      if (hit != NULL)
        g_ptr_array_add (found, info);
    }
  list = g_list_store_new (TACHO_TYPE_CONVERSATION_INFO);
  g_list_store_splice (list, 0, 0, found->pdata, found->len);
  return G_LIST_MODEL (list);
}
