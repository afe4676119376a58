/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Statements of a database, and the process that has something unfinished in it. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-database-private.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

sqlite3_stmt *
tacho_database_prepare (TachoDatabase *self, const char *sql, GError **error)
{
  sqlite3_stmt *statement = NULL;

  if (sqlite3_prepare_v2 (self->db, sql, -1, &statement, NULL) == SQLITE_OK)
    return statement;
  tacho_database_fail (self, "Cannot use", error);
  return NULL;
}

gboolean
tacho_database_step (TachoDatabase *self, sqlite3_stmt *statement, GError **error)
{
  int code;

  if (statement == NULL)
    return FALSE;
  while ((code = sqlite3_step (statement)) == SQLITE_ROW)
    ;
  if (code != SQLITE_DONE)
    tacho_database_fail (self, "Cannot write", error);
  sqlite3_finalize (statement);
  return code == SQLITE_DONE;
}

gboolean
tacho_database_execute (TachoDatabase *self, const char *sql, GError **error)
{
  return sqlite3_exec (self->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
         tacho_database_fail (self, "Cannot use", error);
}

gboolean
tacho_database_end (TachoDatabase *self, gboolean ok, GError **error)
{
  if (ok && tacho_database_execute (self, "COMMIT", error))
    return TRUE;
  sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);
  return FALSE;
}

void
tacho_database_bind_text (sqlite3_stmt *statement, int at, const char *text)
{
  if (text != NULL)
    sqlite3_bind_text (statement, at, text, -1, SQLITE_TRANSIENT);
  else
    sqlite3_bind_null (statement, at);
}

char *
tacho_database_dup_column (sqlite3_stmt *statement, int column)
{
  const char *text = (const char *) sqlite3_column_text (statement, column);

  return g_utf8_make_valid (text != NULL ? text : "", -1);
}

/* "%" and "_" of a person are no patterns. */
char *
tacho_database_like_pattern (const char *word)
{
  GString *pattern = g_string_new ("%");

  for (; *word != '\0'; word++)
    {
      if (strchr ("%_\\", *word) != NULL)
        g_string_append_c (pattern, '\\');
      g_string_append_c (pattern, *word);
    }
  g_string_append_c (pattern, '%');
  return g_string_free (pattern, FALSE);
}

/* When a process started, so that another one that was given its number later is not taken for it:
 * clock ticks since boot (field 22 of /proc/PID/stat), 0: there is no such process. */
static gint64
process_start (gint64 pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/stat", pid);
  g_autofree char *text = NULL;
  const char *after;
  unsigned long long start = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  after = strrchr (text, ')'); /* the name may hold anything */
  if (after == NULL ||
      sscanf (after,
              ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
              "%*d %llu",
              &start) != 1)
    return 0;
  return (gint64) start;
}

void
tacho_database_bind_process (TachoDatabase *self, sqlite3_stmt *statement, int at)
{
  sqlite3_bind_int64 (statement, at, getpid ());
  tacho_database_bind_text (statement, at + 1, self->boot_id);
  sqlite3_bind_int64 (statement, at + 2, process_start (getpid ()));
}

gboolean
tacho_database_label_gone (TachoDatabase *self,
                           const char *select,
                           const char *update,
                           GError **error)
{
  g_autoptr (GPtrArray) gone = g_ptr_array_new_with_free_func (g_free);
  sqlite3_stmt *statement = tacho_database_prepare (self, select, error);

  if (statement == NULL)
    return FALSE;
  while (sqlite3_step (statement) == SQLITE_ROW)
    if (g_strcmp0 ((const char *) sqlite3_column_text (statement, 2), self->boot_id) != 0 ||
        process_start (sqlite3_column_int64 (statement, 1)) != sqlite3_column_int64 (statement, 3))
      g_ptr_array_add (gone, g_strdup ((const char *) sqlite3_column_text (statement, 0)));
  sqlite3_finalize (statement);
  for (guint i = 0; i < gone->len; i++)
    {
      statement = tacho_database_prepare (self, update, error);
      if (statement != NULL)
        tacho_database_bind_text (statement, 1, g_ptr_array_index (gone, i));
      if (!tacho_database_step (self, statement, error))
        return FALSE;
    }
  return TRUE;
}
