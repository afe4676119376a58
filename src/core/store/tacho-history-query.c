/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listing and finding runs, and what a person adds to them. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-history-private.h"

#include "base/tacho-error.h"

#include <math.h>
#include <string.h>

#define COLUMNS                                                                                    \
  "id, started, state, model, url, family, simulated, load, tags, notes, baseline, ok, failed, "   \
  "window_s, output_tokens_per_s, requests_per_s, ttft_p50, ttft_p95, itl_p50, distorted"

static double
double_column (sqlite3_stmt *statement, int column)
{
  if (sqlite3_column_type (statement, column) == SQLITE_NULL)
    return NAN;
  return sqlite3_column_double (statement, column);
}

static TachoRunState
state_of (const char *name)
{
  if (g_strcmp0 (name, "running") == 0)
    return TACHO_RUN_RUNNING;
  return g_strcmp0 (name, "done") == 0 ? TACHO_RUN_DONE : TACHO_RUN_INTERRUPTED;
}

static TachoHistoryEntry *
read_entry (sqlite3_stmt *statement)
{
  TachoHistoryRow *row = g_new0 (TachoHistoryRow, 1);

  row->id = tacho_database_dup_column (statement, 0);
  row->started = tacho_database_dup_column (statement, 1);
  row->state = state_of ((const char *) sqlite3_column_text (statement, 2));
  row->model = tacho_database_dup_column (statement, 3);
  row->url = tacho_database_dup_column (statement, 4);
  row->family = tacho_database_dup_column (statement, 5);
  row->simulated = sqlite3_column_int (statement, 6) != 0;
  row->load = tacho_database_dup_column (statement, 7);
  row->tags = tacho_database_dup_column (statement, 8);
  row->notes = tacho_database_dup_column (statement, 9);
  row->baseline = sqlite3_column_int (statement, 10) != 0;
  row->ok = (guint64) sqlite3_column_int64 (statement, 11);
  row->failed = (guint64) sqlite3_column_int64 (statement, 12);
  row->window_s = double_column (statement, 13);
  row->output_tokens_per_s = double_column (statement, 14);
  row->requests_per_s = double_column (statement, 15);
  row->ttft_ms_p50 = double_column (statement, 16);
  row->ttft_ms_p95 = double_column (statement, 17);
  row->itl_ms_p50 = double_column (statement, 18);
  row->distorted = sqlite3_column_int (statement, 19) != 0;
  return tacho_history_entry_new (row);
}

/**
 * tacho_history_list:
 * @self: a history
 * @search: (nullable): words that must all be in model, address, tags, notes or id
 * @error: return location
 *
 * Returns: (transfer full): the runs, newest first, of TachoHistoryEntry; else %TACHO_ERROR_IO
 */
GListModel *
tacho_history_list (TachoHistory *self, const char *search, GError **error)
{
  g_auto (GStrv) words = g_strsplit_set (search != NULL ? search : "", " \t\n", 32);
  g_autoptr (GString) sql = g_string_new ("SELECT " COLUMNS " FROM runs");
  g_autoptr (GListStore) list = g_list_store_new (TACHO_TYPE_HISTORY_ENTRY);
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func (g_object_unref);
  sqlite3_stmt *statement;
  int n = 0;
  int code;

  for (char **word = words; *word != NULL; word++)
    {
      if (**word == '\0')
        continue;
      g_string_append_printf (
          sql,
          " %s (ifnull (model, '') || ' ' || ifnull (url, '') || ' ' || tags || ' ' || notes "
          "|| ' ' || id LIKE ?%d ESCAPE '\\')",
          n == 0 ? "WHERE" : "AND", n + 1);
      n++;
    }
  g_string_append (sql, " ORDER BY started DESC, id DESC");
  statement = tacho_database_prepare (self->base, sql->str, error);
  if (statement == NULL)
    return NULL;
  n = 0;
  for (char **word = words; *word != NULL; word++)
    if (**word != '\0')
      {
        g_autofree char *pattern = tacho_database_like_pattern (*word);

        tacho_database_bind_text (statement, ++n, pattern);
      }
  while ((code = sqlite3_step (statement)) == SQLITE_ROW)
    g_ptr_array_add (entries, read_entry (statement));
  if (code != SQLITE_DONE)
    tacho_database_fail (self->base, "Cannot read", error);
  sqlite3_finalize (statement);
  if (code != SQLITE_DONE)
    return NULL;
  g_list_store_splice (list, 0, 0, entries->pdata, entries->len);
  return G_LIST_MODEL (g_steal_pointer (&list));
}

/**
 * tacho_history_resolve:
 * @self: a history
 * @name: an id, the unique begin of one, or "last"
 * @error: return location
 *
 * Returns: (transfer full): the id; else %TACHO_ERROR_NOT_FOUND or %TACHO_ERROR_INVALID
 */
char *
tacho_history_resolve (TachoHistory *self, const char *name, GError **error)
{
  gboolean last = g_str_equal (name, "last");
  sqlite3_stmt *statement =
      tacho_database_prepare (self->base,
                              last ? "SELECT id FROM runs ORDER BY started DESC, id DESC LIMIT 1"
                                   : "SELECT id FROM runs WHERE substr(id, 1, length(?1)) = ?1 "
                                     "ORDER BY id = ?1 DESC LIMIT 2",
                              error);
  g_autofree char *id = NULL;
  gboolean several = FALSE;

  if (statement == NULL)
    return NULL;
  if (!last)
    tacho_database_bind_text (statement, 1, name);
  if (*name != '\0' && sqlite3_step (statement) == SQLITE_ROW)
    {
      id = tacho_database_dup_column (statement, 0);
      several = !g_str_equal (id, name) && sqlite3_step (statement) == SQLITE_ROW;
    }
  sqlite3_finalize (statement);
  if (several)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "Several runs of the history begin with “%.60s”: write more of it", name);
  else if (id == NULL && last)
    g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND, "The history is empty");
  else if (id == NULL)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND, "The history has no run “%.60s”", name);
  return several ? NULL : g_steal_pointer (&id);
}

/**
 * tacho_history_get:
 * @self: a history
 * @id: of a run
 * @error: return location
 *
 * Returns: (transfer full): what is known of it; else %TACHO_ERROR_NOT_FOUND
 */
TachoHistoryEntry *
tacho_history_get (TachoHistory *self, const char *id, GError **error)
{
  sqlite3_stmt *statement =
      tacho_database_prepare (self->base, "SELECT " COLUMNS " FROM runs WHERE id = ?", error);
  TachoHistoryEntry *entry = NULL;

  if (statement == NULL)
    return NULL;
  tacho_database_bind_text (statement, 1, id);
  if (sqlite3_step (statement) == SQLITE_ROW)
    entry = read_entry (statement);
  else
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND, "The history has no run %s", id);
  sqlite3_finalize (statement);
  return entry;
}

/* One statement with the id first and a text second. */
static gboolean
change (TachoHistory *self, const char *sql, const char *id, const char *text, GError **error)
{
  sqlite3_stmt *statement = tacho_database_prepare (self->base, sql, error);

  if (statement == NULL)
    return FALSE;
  tacho_database_bind_text (statement, 1, id);
  if (sqlite3_bind_parameter_count (statement) > 1)
    tacho_database_bind_text (statement, 2, text);
  if (!tacho_database_step (self->base, statement, error))
    return FALSE;
  if (sqlite3_changes (self->base->db) > 0 || id == NULL)
    return TRUE;
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND, "The history has no run %s", id);
  return FALSE;
}

/**
 * tacho_history_delete:
 * @self: a history
 * @id: of a run
 * @error: return location
 *
 * Returns: whether it was there and is gone
 */
gboolean
tacho_history_delete (TachoHistory *self, const char *id, GError **error)
{
  return change (self, "DELETE FROM runs WHERE id = ?1", id, NULL, error);
}

/**
 * tacho_history_set_tags:
 * @self: a history
 * @id: of a run
 * @tags: separated by blanks
 * @error: return location
 *
 * Returns: whether they are written
 */
gboolean
tacho_history_set_tags (TachoHistory *self, const char *id, const char *tags, GError **error)
{
  return change (self, "UPDATE runs SET tags = ?2 WHERE id = ?1", id, tags, error);
}

/**
 * tacho_history_set_notes:
 * @self: a history
 * @id: of a run
 * @notes: any text
 * @error: return location
 *
 * Returns: whether it is written
 */
gboolean
tacho_history_set_notes (TachoHistory *self, const char *id, const char *notes, GError **error)
{
  return change (self, "UPDATE runs SET notes = ?2 WHERE id = ?1", id, notes, error);
}

/**
 * tacho_history_set_baseline:
 * @self: a history
 * @id: (nullable): of a run; %NULL: none
 * @error: return location
 *
 * Returns: whether it is the baseline now
 */
gboolean
tacho_history_set_baseline (TachoHistory *self, const char *id, GError **error)
{
  g_autoptr (TachoHistoryEntry) entry = id != NULL ? tacho_history_get (self, id, error) : NULL;

  if (id != NULL && entry == NULL)
    return FALSE;
  return change (self, "UPDATE runs SET baseline = (id IS ?1) WHERE baseline <> (id IS ?1)", NULL,
                 NULL, error) &&
         (id == NULL ||
          change (self, "UPDATE runs SET baseline = 1 WHERE id = ?1", id, NULL, error));
}
