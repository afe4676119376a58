/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A database file in a folder of its own, and what may happen to it. */
#pragma once

#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>

#include "test-utils.h"

typedef struct
{
  char *folder;
  char *path;
} Fixture;

static inline void
set_up (Fixture *f, gconstpointer data)
{
  f->folder = tacho_test_make_tmp_dir ();
  f->path = g_build_filename (f->folder, "tacho.db", NULL);
}

static inline void
tear_down (Fixture *f, gconstpointer data)
{
  tacho_test_remove_tree (f->folder);
  g_free (f->folder);
  g_free (f->path);
}

static inline void
execute (Fixture *f, const char *sql)
{
  sqlite3 *db = NULL;

  g_assert_cmpint (sqlite3_open (f->path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
}

static inline guint
files_like (Fixture *f, const char *part)
{
  g_autoptr (GDir) dir = g_dir_open (f->folder, 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (dir)) != NULL)
    n += strstr (name, part) != NULL;
  return n;
}

static inline GBytes *
read_bytes (Fixture *f)
{
  char *text;
  gsize length;

  g_assert_true (g_file_get_contents (f->path, &text, &length, NULL));
  return g_bytes_new_take (text, length);
}

static inline void
assert_untouched (Fixture *f, GBytes *before)
{
  g_autoptr (GBytes) after = read_bytes (f);

  g_assert_true (g_bytes_equal (before, after));
  g_assert_cmpuint (files_like (f, ".damaged-"), ==, 0);
}

/* As a newer Tacho would leave it. */
static inline GBytes *
make_newer (Fixture *f)
{
  execute (f, "PRAGMA journal_mode = DELETE; PRAGMA user_version = 99");
  return read_bytes (f);
}

#define N_DAMAGES 3

static inline void
damage (Fixture *f, guint way)
{
  g_autofree char *text = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (f->path, &text, &length, NULL));
  if (way == 0)
    length = length * 2 / 5 / 4096 * 4096 + 100; /* cut */
  else if (way == 1)
    memset (text, 'x', 100); /* no database at all */
  else
    memset (text + length / 2, 0xa5, length / 4);
  g_assert_true (g_file_set_contents (f->path, text, (gssize) length, NULL));
}

/* No file may grow beyond so many bytes: give what is returned to setrlimit() for room again. */
static inline struct rlimit
fill_disk (rlim_t bytes)
{
  struct rlimit limit, small;

  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  small = limit;
  small.rlim_cur = bytes;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  return limit;
}
