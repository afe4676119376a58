/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file: its making, its versions, and what is done with one that cannot be used. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-history-private.h"

#include "base/tacho-error.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#define APPLICATION_ID 0x54616368 /* "Tach" */
#define BUSY_MS 5000

static const char *const migrations[TACHO_HISTORY_VERSION] = {
  /* 1 */
  "CREATE TABLE runs ("
  " id TEXT PRIMARY KEY NOT NULL, started TEXT NOT NULL, state TEXT NOT NULL,"
  " model TEXT, url TEXT, family TEXT, simulated INTEGER NOT NULL DEFAULT 0, load TEXT,"
  " pid INTEGER, boot TEXT, process_start INTEGER,"
  " ok INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, window_s REAL,"
  " output_tokens_per_s REAL, requests_per_s REAL, ttft_p50 REAL, ttft_p95 REAL, itl_p50 REAL,"
  " distorted INTEGER NOT NULL DEFAULT 0, document BLOB) WITHOUT ROWID;"
  "CREATE INDEX runs_started ON runs (started);",
  /* 2: what a person adds */
  "ALTER TABLE runs ADD COLUMN tags TEXT NOT NULL DEFAULT '';"
  "ALTER TABLE runs ADD COLUMN notes TEXT NOT NULL DEFAULT '';"
  "ALTER TABLE runs ADD COLUMN baseline INTEGER NOT NULL DEFAULT 0;",
};

gboolean
tacho_history_fail (TachoHistory *self, const char *what, GError **error)
{
  int code = self->db != NULL ? sqlite3_errcode (self->db) : SQLITE_CANTOPEN;

  g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "%s the history %s: %s%s", what, self->path,
               self->db != NULL ? sqlite3_errmsg (self->db) : "no memory",
               code == SQLITE_FULL ? "; make room on that disk" : "");
  return FALSE;
}

sqlite3_stmt *
tacho_history_prepare (TachoHistory *self, const char *sql, GError **error)
{
  sqlite3_stmt *statement = NULL;

  if (sqlite3_prepare_v2 (self->db, sql, -1, &statement, NULL) == SQLITE_OK)
    return statement;
  tacho_history_fail (self, "Cannot use", error);
  return NULL;
}

gboolean
tacho_history_step (TachoHistory *self, sqlite3_stmt *statement, GError **error)
{
  int code;

  if (statement == NULL)
    return FALSE;
  while ((code = sqlite3_step (statement)) == SQLITE_ROW)
    ;
  if (code != SQLITE_DONE)
    tacho_history_fail (self, "Cannot write", error);
  sqlite3_finalize (statement);
  return code == SQLITE_DONE;
}

gboolean
tacho_history_execute (TachoHistory *self, const char *sql, GError **error)
{
  return sqlite3_exec (self->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
         tacho_history_fail (self, "Cannot use", error);
}

void
tacho_history_bind_text (sqlite3_stmt *statement, int at, const char *text)
{
  if (text != NULL)
    sqlite3_bind_text (statement, at, text, -1, SQLITE_TRANSIENT);
  else
    sqlite3_bind_null (statement, at);
}

/* SQLite itself turns NaN into NULL. */
void
tacho_history_bind_double (sqlite3_stmt *statement, int at, double value)
{
  sqlite3_bind_double (statement, at, value);
}

/* One number or text of a pragma. */
static char *
query_text (TachoHistory *self, const char *sql)
{
  sqlite3_stmt *statement = tacho_history_prepare (self, sql, NULL);
  char *text = NULL;

  if (statement != NULL && sqlite3_step (statement) == SQLITE_ROW)
    text = g_strdup ((const char *) sqlite3_column_text (statement, 0));
  sqlite3_finalize (statement);
  return text;
}

static gboolean
open_file (TachoHistory *self, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (self->path);

  if (g_mkdir_with_parents (folder, 0700) != 0)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "Cannot make the folder %s: %s", folder,
                   g_strerror (errno));
      return FALSE;
    }
  if (sqlite3_open_v2 (self->path, &self->db,
                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
                       NULL) != SQLITE_OK)
    return tacho_history_fail (self, "Cannot open", error);
  sqlite3_busy_timeout (self->db, BUSY_MS);
  sqlite3_extended_result_codes (self->db, 0);
  return TRUE;
}

static gboolean
is_damage (int code)
{
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

/* Whether what is in the file can be used: reads its pages. A file that is locked or cannot be read
 * is not damaged by that. */
static gboolean
is_damaged (TachoHistory *self)
{
  g_autofree char *verdict = query_text (self, "PRAGMA quick_check(1)");
  g_autofree char *owner = NULL;
  g_autofree char *tables = NULL;

  if (verdict == NULL)
    return is_damage (sqlite3_errcode (self->db));
  if (!g_str_equal (verdict, "ok"))
    return TRUE;
  owner = query_text (self, "PRAGMA application_id");
  tables = query_text (self, "SELECT count(*) FROM sqlite_master");
  return g_strcmp0 (owner, "1415668584") != 0 && g_strcmp0 (tables, "0") != 0;
}

/* Never overwritten: a person may want to save what is in it. */
static gboolean
set_aside (TachoHistory *self, char **notice, GError **error)
{
  static const char *const suffixes[] = { "", "-wal", "-shm" };
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *stamp = g_date_time_format (now, "%Y%m%dT%H%M%S");
  g_autofree char *aside = g_strdup_printf ("%s.damaged-%s-%06d", self->path, stamp,
                                            g_date_time_get_microsecond (now));

  sqlite3_close (self->db);
  self->db = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *from = g_strconcat (self->path, suffixes[i], NULL);
      g_autofree char *to = g_strconcat (aside, suffixes[i], NULL);

      if (g_rename (from, to) != 0 && errno != ENOENT)
        {
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO,
                       "The history %s is damaged and cannot be set aside: %s", self->path,
                       g_strerror (errno));
          return FALSE;
        }
    }
  *notice = g_strdup_printf ("The history was damaged: it is kept as %s, and a new one was begun",
                             aside);
  return open_file (self, error);
}

static gboolean
migrate (TachoHistory *self, GError **error)
{
  g_autofree char *text = NULL;
  gint64 version;

  /* Two programs may start at once: only one of them makes the tables. */
  if (!tacho_history_execute (self, "BEGIN IMMEDIATE", error))
    return FALSE;
  text = query_text (self, "PRAGMA user_version");
  version = text != NULL ? g_ascii_strtoll (text, NULL, 10) : 0;
  for (gint64 i = MAX (version, 0); i < TACHO_HISTORY_VERSION; i++)
    {
      g_autofree char *stamp = g_strdup_printf (
          "PRAGMA user_version = %" G_GINT64_FORMAT "; PRAGMA application_id = %d", i + 1,
          APPLICATION_ID);

      if (!tacho_history_execute (self, migrations[i], error) ||
          !tacho_history_execute (self, stamp, error))
        {
          sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);
          return FALSE;
        }
    }
  return tacho_history_execute (self, "COMMIT", error);
}

static gboolean
check_version (TachoHistory *self, GError **error)
{
  g_autofree char *text = query_text (self, "PRAGMA user_version");
  gint64 version = text != NULL ? g_ascii_strtoll (text, NULL, 10) : 0;

  if (version <= TACHO_HISTORY_VERSION)
    return TRUE;
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED,
               "The history %s was made by a newer Tacho (its version is %" G_GINT64_FORMAT
               ", this one knows %d): it is left alone; use the newer Tacho, or name another file "
               "in TACHO_HISTORY",
               self->path, version, TACHO_HISTORY_VERSION);
  return FALSE;
}

/**
 * tacho_history_process_start:
 * @pid: a process
 *
 * When it started, so that another process that was given its number later is not taken for it.
 *
 * Returns: clock ticks since boot (field 22 of /proc/PID/stat), 0: there is no such process
 */
gint64
tacho_history_process_start (gint64 pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/stat", pid);
  g_autofree char *text = NULL;
  const char *after;
  unsigned long long start = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  after = strrchr (text, ')'); /* the name may hold anything */
  if (after == NULL ||
      sscanf (after, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
                     "%*d %llu",
              &start) != 1)
    return 0;
  return (gint64) start;
}

/* Runs whose program is gone. */
static gboolean
label_interrupted (TachoHistory *self, GError **error)
{
  g_autoptr (GPtrArray) gone = g_ptr_array_new_with_free_func (g_free);
  sqlite3_stmt *statement = tacho_history_prepare (
      self, "SELECT id, pid, boot, process_start FROM runs WHERE state = 'running'", error);

  if (statement == NULL)
    return FALSE;
  while (sqlite3_step (statement) == SQLITE_ROW)
    if (g_strcmp0 ((const char *) sqlite3_column_text (statement, 2), self->boot_id) != 0 ||
        tacho_history_process_start (sqlite3_column_int64 (statement, 1)) !=
            sqlite3_column_int64 (statement, 3))
      g_ptr_array_add (gone, g_strdup ((const char *) sqlite3_column_text (statement, 0)));
  sqlite3_finalize (statement);
  for (guint i = 0; i < gone->len; i++)
    {
      statement = tacho_history_prepare (
          self, "UPDATE runs SET state = 'interrupted' WHERE id = ? AND state = 'running'", error);
      if (statement == NULL)
        return FALSE;
      tacho_history_bind_text (statement, 1, g_ptr_array_index (gone, i));
      if (!tacho_history_step (self, statement, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
tacho_history_database_open (TachoHistory *self, char **notice, GError **error)
{
  if (!open_file (self, error))
    return FALSE;
  if (is_damaged (self) && !set_aside (self, notice, error))
    return FALSE;
  if (!check_version (self, error))
    return FALSE;
  /* Write-ahead log: a writer stops no reader; FULL: what was committed is on the disk. */
  return tacho_history_execute (
             self,
             "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = 0",
             error) &&
         migrate (self, error) && label_interrupted (self, error);
}
