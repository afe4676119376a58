/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A database file: its making, its versions, and what is done with one that cannot be used. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-database-private.h"

#include "base/tacho-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUSY_MS 5000

gboolean
tacho_database_fail (TachoDatabase *self, const char *what, GError **error)
{
  int code = self->db != NULL ? sqlite3_errcode (self->db) & 0xff : SQLITE_CANTOPEN;
  const char *advice = "";

  if (code == SQLITE_FULL)
    advice = "; make room on that disk";
  else if (code == SQLITE_READONLY)
    advice = "; make it writable for you";
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "%s the %s %s: %s%s", what, self->kind->name,
               self->path, self->db != NULL ? sqlite3_errmsg (self->db) : "no memory", advice);
  return FALSE;
}

/* One number or text of a pragma. */
static char *
query_text (TachoDatabase *self, const char *sql)
{
  sqlite3_stmt *statement = tacho_database_prepare (self, sql, NULL);
  char *text = NULL;

  if (statement != NULL && sqlite3_step (statement) == SQLITE_ROW)
    text = g_strdup ((const char *) sqlite3_column_text (statement, 0));
  sqlite3_finalize (statement);
  return text;
}

static gint64
query_number (TachoDatabase *self, const char *sql)
{
  g_autofree char *text = query_text (self, sql);

  return text != NULL ? g_ascii_strtoll (text, NULL, 10) : 0;
}

/* SQLite gives its log the permissions of the file. A file that is there is not opened here:
 * closing it would take this process's other locks on it. */
static void
keep_private (TachoDatabase *self)
{
  struct stat status;
  int fd = g_open (self->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  if (fd >= 0)
    close (fd);
  else if (g_stat (self->path, &status) == 0 && (status.st_mode & 077) != 0)
    g_chmod (self->path, 0600); /* that of another user cannot be, and is still of use */
}

static gboolean
open_file (TachoDatabase *self, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (self->path);

  if (g_mkdir_with_parents (folder, 0700) != 0)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "Cannot make the folder %s: %s", folder,
                   g_strerror (errno));
      return FALSE;
    }
  if (self->kind->only_for_user)
    keep_private (self);
  if (sqlite3_open_v2 (self->path, &self->db,
                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX,
                       NULL) != SQLITE_OK)
    return tacho_database_fail (self, "Cannot open", error);
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
is_damaged (TachoDatabase *self)
{
  g_autofree char *verdict = query_text (self, "PRAGMA quick_check(1)");

  if (verdict == NULL)
    return is_damage (sqlite3_errcode (self->db));
  if (!g_str_equal (verdict, "ok"))
    return TRUE;
  return query_number (self, "PRAGMA application_id") != self->kind->application_id &&
         query_number (self, "SELECT count(*) FROM sqlite_master") != 0;
}

/* Never overwritten: a person may want to save what is in it. */
static gboolean
set_aside (TachoDatabase *self, char **notice, GError **error)
{
  static const char *const suffixes[] = { "", "-wal", "-shm" };
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *stamp = g_date_time_format (now, "%Y%m%dT%H%M%S");
  g_autofree char *aside =
      g_strdup_printf ("%s.damaged-%s-%06d", self->path, stamp, g_date_time_get_microsecond (now));

  sqlite3_close (self->db);
  self->db = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *from = g_strconcat (self->path, suffixes[i], NULL);
      g_autofree char *to = g_strconcat (aside, suffixes[i], NULL);

      if (g_rename (from, to) != 0 && errno != ENOENT)
        {
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO,
                       "The %s %s is damaged and cannot be set aside: %s", self->kind->name,
                       self->path, g_strerror (errno));
          return FALSE;
        }
    }
  *notice = g_strdup_printf ("The %s was damaged: it is kept as %s, and a new one was begun",
                             self->kind->name, aside);
  return open_file (self, error);
}

static gboolean
migrate (TachoDatabase *self, GError **error)
{
  gint64 version;

  /* Two programs may start at once: only one of them makes the tables. */
  if (!tacho_database_execute (self, "BEGIN IMMEDIATE", error))
    return FALSE;
  version = query_number (self, "PRAGMA user_version");
  for (gint64 i = MAX (version, 0); i < self->kind->version; i++)
    {
      g_autofree char *stamp =
          g_strdup_printf ("PRAGMA user_version = %" G_GINT64_FORMAT "; PRAGMA application_id = %d",
                           i + 1, self->kind->application_id);

      if (!tacho_database_execute (self, self->kind->migrations[i], error) ||
          !tacho_database_execute (self, stamp, error))
        return tacho_database_end (self, FALSE, error);
    }
  return tacho_database_end (self, TRUE, error);
}

static gboolean
check_version (TachoDatabase *self, GError **error)
{
  gint64 version = query_number (self, "PRAGMA user_version");

  if (version <= self->kind->version)
    return TRUE;
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED,
               "The %s %s was made by a newer Tacho (its version is %" G_GINT64_FORMAT
               ", this one knows %d): it is left alone; use the newer Tacho, or name another file "
               "in %s",
               self->kind->name, self->path, version, self->kind->version, self->kind->variable);
  return FALSE;
}

TachoDatabase *
tacho_database_open (const TachoDatabaseKind *kind, const char *path, char **notice, GError **error)
{
  g_autoptr (TachoDatabase) self = g_new0 (TachoDatabase, 1);
  const char *named = g_getenv (kind->variable);

  *notice = NULL;
  if (path == NULL && named != NULL && *named != '\0')
    path = named;
  self->kind = kind;
  self->path = path != NULL ? g_strdup (path)
                            : g_build_filename (g_get_user_data_dir (), "tacho", kind->file, NULL);
  if (g_file_get_contents ("/proc/sys/kernel/random/boot_id", &self->boot_id, NULL, NULL))
    g_strchomp (self->boot_id);
  else
    self->boot_id = g_strdup ("");
  if (!open_file (self, error) || (is_damaged (self) && !set_aside (self, notice, error)) ||
      !check_version (self, error))
    return NULL;
  /* Write-ahead log: a writer stops no reader; FULL: what was committed is on the disk. */
  if (!tacho_database_execute (self,
                               "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                               "PRAGMA trusted_schema = 0; PRAGMA foreign_keys = 1",
                               error) ||
      !migrate (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

TachoDatabase *
tacho_database_open_reader (const TachoDatabase *of, GError **error)
{
  g_autoptr (TachoDatabase) self = g_new0 (TachoDatabase, 1);

  self->kind = of->kind;
  self->path = g_strdup (of->path);
  if (sqlite3_open_v2 (self->path, &self->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX, NULL) !=
      SQLITE_OK)
    {
      tacho_database_fail (self, "Cannot open", error);
      return NULL;
    }
  sqlite3_busy_timeout (self->db, BUSY_MS);
  return g_steal_pointer (&self);
}

void
tacho_database_free (TachoDatabase *self)
{
  sqlite3_close (self->db);
  g_free (self->path);
  g_free (self->boot_id);
  g_free (self);
}
