/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An SQLite file of ours: opened, checked, brought to this version; a damaged one is set aside, a
 * newer one left alone. Write-ahead log, and what was committed is on the disk. */
#pragma once

#include <glib.h>
#include <sqlite3.h>

G_BEGIN_DECLS

typedef struct
{
  const char *name;       /* in messages: "history" */
  const char *variable;   /* of the environment: names another file */
  const char *file;       /* in the user's data folder */
  int application_id;     /* tells our file from another program's */
  gboolean only_for_user; /* no one else may read it */
  int version;
  const char *const *migrations; /* one a version */
} TachoDatabaseKind;

typedef struct
{
  const TachoDatabaseKind *kind;
  char *path;
  sqlite3 *db;
  char *boot_id; /* of this boot of the machine */
} TachoDatabase;

/* path NULL: the kind's variable, else its file. TACHO_ERROR_IO or _UNSUPPORTED (newer). */
TachoDatabase *tacho_database_open (const TachoDatabaseKind *kind,
                                    const char *path,
                                    char **notice,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A second connection to the same file, for a thread that only reads. */
TachoDatabase *tacho_database_open_reader (const TachoDatabase *of,
                                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
void tacho_database_free (TachoDatabase *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoDatabase, tacho_database_free)

/* Sets the error that SQLite has; returns FALSE. */
gboolean tacho_database_fail (TachoDatabase *self, const char *what, GError **error);
sqlite3_stmt *tacho_database_prepare (TachoDatabase *self, const char *sql, GError **error);
/* Runs it to its end and frees it; FALSE for NULL. */
gboolean tacho_database_step (TachoDatabase *self, sqlite3_stmt *statement, GError **error);
gboolean tacho_database_execute (TachoDatabase *self, const char *sql, GError **error);
/* COMMIT if ok, else ROLLBACK; whether it is committed. */
gboolean tacho_database_end (TachoDatabase *self, gboolean ok, GError **error);

void tacho_database_bind_text (sqlite3_stmt *statement, int at, const char *text);
char *tacho_database_dup_column (sqlite3_stmt *statement,
                                 int column);         /* valid UTF-8, "" for NULL */
char *tacho_database_like_pattern (const char *word); /* for LIKE ? ESCAPE '\' */

/* Who writes, so that what a dead program left unfinished is known: binds pid, boot id and start of
 * this process from @at on. */
void tacho_database_bind_process (TachoDatabase *self, sqlite3_stmt *statement, int at);
/* select: key, pid, boot id and start of what is unfinished; update: run with each key whose
 * process is gone as its parameter. */
gboolean tacho_database_label_gone (TachoDatabase *self,
                                    const char *select,
                                    const char *update,
                                    GError **error);

G_END_DECLS
