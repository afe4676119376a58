/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The innards of the history. */
#pragma once

#include "store/tacho-history.h"

#include <sqlite3.h>

G_BEGIN_DECLS

struct _TachoHistory
{
  GObject parent_instance;

  char *path;
  sqlite3 *db;
  char *boot_id; /* of this boot of the machine */
};

#define TACHO_HISTORY_VERSION 2

TachoHistoryEntry *tacho_history_entry_new (TachoHistoryRow *row); /* takes the row */
void tacho_history_row_free (TachoHistoryRow *row);

/* tacho-history-database.c */
gboolean tacho_history_database_open (TachoHistory *self, char **notice, GError **error);
gboolean tacho_history_fail (TachoHistory *self, const char *what, GError **error);
sqlite3_stmt *tacho_history_prepare (TachoHistory *self, const char *sql, GError **error);
/* Runs it to its end and frees it. */
gboolean tacho_history_step (TachoHistory *self, sqlite3_stmt *statement, GError **error);
gboolean tacho_history_execute (TachoHistory *self, const char *sql, GError **error);
gint64 tacho_history_process_start (gint64 pid); /* in clock ticks since boot; 0: not there */

void tacho_history_bind_text (sqlite3_stmt *statement, int at, const char *text);
void tacho_history_bind_double (sqlite3_stmt *statement, int at, double value);

G_END_DECLS
