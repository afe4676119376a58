/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The history: what it keeps, and what it does when its file, its disk or its program fails. */
#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tacho-error.h"
#include "store/tacho-history.h"
#include "test-store.h"

static TachoHistory *
open_it (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *notice = NULL;
  TachoHistory *history = tacho_history_open (f->path, &notice, &error);

  g_assert_no_error (error);
  g_assert_null (notice);
  return history;
}

static TachoBenchResult *
new_result (const char *id, const char *model)
{
  g_autoptr (TachoBenchPlan) plan = tacho_bench_plan_new ();
  TachoBenchResult *result;

  plan->model = g_strdup (model);
  result = tacho_bench_result_new (plan);
  g_free (result->id);
  result->id = g_strdup (id);
  g_free (result->started);
  result->started = g_strdup (id);
  result->target_url = g_strdup ("http://127.0.0.1:1");
  result->window_s = 2;
  result->window_start_ns = 1000;
  for (guint i = 0; i < 20; i++)
    {
      TachoBenchRecord *record = g_new0 (TachoBenchRecord, 1);

      record->id = i;
      record->scheduled_ns = record->start_ns = 1000 + i;
      record->first_ns = 1000 + 5000000 + i * 100000;
      record->last_ns = record->end_ns = record->first_ns + 20000000;
      record->chunks = record->chunks_in_window = 3;
      record->output_tokens = 3;
      g_ptr_array_add (result->records, record);
    }
  tacho_bench_result_summarise (result);
  return result;
}

static void
keep (TachoHistory *history, const char *id, const char *model)
{
  g_autoptr (TachoBenchResult) result = new_result (id, model);
  g_autoptr (GError) error = NULL;

  g_assert_true (tacho_history_finish (history, result, &error));
  g_assert_no_error (error);
}

static guint
count (TachoHistory *history, const char *search)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GListModel) list = tacho_history_list (history, search, &error);

  g_assert_no_error (error);
  return g_list_model_get_n_items (list);
}

static void
test_keeps (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoHistory) history = open_it (f);
  g_autoptr (TachoHistory) other = open_it (f);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoBenchResult) written = new_result ("2026-a1", "qwen_%");
  g_autoptr (TachoBenchResult) read = NULL;
  g_autoptr (TachoHistoryEntry) entry = NULL;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autofree char *last = NULL;
  const TachoHistoryRow *row;

  g_assert_true (tacho_history_finish (history, written, &error));
  keep (other, "2026-a2", "llama");
  read = tacho_history_load (history, "2026-a1", &error);
  g_assert_no_error (error);
  before = tacho_bench_result_to_json (written, TRUE);
  after = tacho_bench_result_to_json (read, TRUE);
  g_assert_cmpstr (after, ==, before);
  last = tacho_history_resolve (history, "last", &error);
  g_assert_cmpstr (last, ==, "2026-a2");
  g_assert_cmpuint (count (history, NULL), ==, 2);
  g_assert_cmpuint (count (history, "qwen_%"), ==, 1);
  g_assert_cmpuint (count (history, "_"), ==, 1); /* a letter, no pattern */
  g_assert_cmpuint (count (history, "llama qwen"), ==, 0);

  g_assert_true (tacho_history_set_tags (history, "2026-a1", "nightly gpu", &error));
  g_assert_true (tacho_history_set_notes (history, "2026-a1", "it's ; DROP TABLE runs", &error));
  g_assert_true (tacho_history_set_baseline (history, "2026-a1", &error));
  g_assert_true (tacho_history_set_baseline (history, "2026-a2", &error));
  g_assert_true (tacho_history_finish (history, written, &error)); /* what was added stays */
  entry = tacho_history_get (history, "2026-a1", &error);
  row = tacho_history_entry_get_row (entry);
  g_assert_cmpstr (row->tags, ==, "nightly gpu");
  g_assert_cmpstr (row->notes, ==, "it's ; DROP TABLE runs");
  g_assert_false (row->baseline);
  g_assert_cmpuint (row->ok, ==, 20);
  g_assert_cmpfloat (row->ttft_ms_p50, ==,
                     written->latency[TACHO_METRIC_TTFT].percentiles[TACHO_P50].value);
  g_assert_cmpint (row->state, ==, TACHO_RUN_DONE);
  g_assert_cmpuint (count (history, "gpu"), ==, 1);

  g_assert_true (tacho_history_delete (history, "2026-a1", &error));
  g_assert_false (tacho_history_delete (history, "2026-a1", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
}

static void
test_imports (Fixture *f, gconstpointer data)
{
  static const char *const improper[] = { "",    "../2026", "-rf",      ".hidden",
                                          "a b", "a\tb",    "\303\244" };
  g_autoptr (TachoHistory) history = open_it (f);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoBenchResult) run = new_result ("2026-a1", "qwen");
  g_autoptr (TachoBenchResult) other = new_result ("2026-a1", "llama");
  g_autoptr (TachoBenchResult) read = NULL;
  g_autofree char *endless = g_strnfill (101, 'a');

  g_assert_true (tacho_history_import (history, run, &error));
  g_assert_no_error (error);
  g_assert_true (tacho_history_set_tags (history, "2026-a1", "gpu", &error));
  /* The one that is there stays as it is, whatever the file says. */
  g_assert_false (tacho_history_import (history, other, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_clear_error (&error);
  read = tacho_history_load (history, "2026-a1", &error);
  g_assert_cmpstr (read->plan->model, ==, "qwen");
  for (guint i = 0; i <= G_N_ELEMENTS (improper); i++)
    {
      g_free (other->id);
      other->id = g_strdup (i < G_N_ELEMENTS (improper) ? improper[i] : endless);
      g_assert_false (tacho_history_import (history, other, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
      g_clear_error (&error);
    }
  g_assert_cmpuint (count (history, NULL), ==, 1);
}

static void
test_names (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoHistory) history = open_it (f);
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;

  g_assert_null (tacho_history_resolve (history, "last", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  keep (history, "ab", "m");
  keep (history, "abc", "m");
  g_assert_null (tacho_history_resolve (history, "a", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_clear_error (&error);
  id = tacho_history_resolve (history, "ab", &error); /* whole, though another begins so */
  g_assert_cmpstr (id, ==, "ab");
  g_assert_null (tacho_history_resolve (history, "%", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
}

/* A child that keeps one run after the other until it is killed; each that it told of is there,
 * whole, and whatever it was at does no harm. */
static void
test_killed (Fixture *f, gconstpointer data)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (20261123);
  guint kept = 0;

  for (guint round = 0; round < 50; round++)
    {
      int fds[2];
      pid_t child;
      char byte;
      guint wanted = (guint) g_rand_int_range (random, 1, 6);

      g_assert_cmpint (pipe (fds), ==, 0);
      child = fork ();
      if (child == 0)
        {
          g_autofree char *notice = NULL;
          TachoHistory *history = tacho_history_open (f->path, &notice, NULL);

          if (history == NULL)
            _exit (1);
          for (guint i = 0;; i++)
            {
              g_autofree char *id = g_strdup_printf ("r%u-%u", round, i);
              g_autoptr (TachoBenchResult) result = new_result (id, "m");

              if (!tacho_history_finish (history, result, NULL) || write (fds[1], "x", 1) != 1)
                _exit (1);
            }
        }
      close (fds[1]);
      for (guint i = 0; i < wanted; i++)
        g_assert_cmpint (read (fds[0], &byte, 1), ==, 1);
      kill (child, SIGKILL);
      waitpid (child, NULL, 0);
      while (read (fds[0], &byte, 1) == 1)
        wanted++;
      close (fds[0]);
      kept += wanted;
    }
  {
    g_autoptr (TachoHistory) history = open_it (f);
    g_autoptr (GListModel) list = tacho_history_list (history, NULL, NULL);

    /* At most one more a round: on the disk, but not told of any more. */
    g_assert_cmpuint (g_list_model_get_n_items (list), >=, kept);
    g_assert_cmpuint (g_list_model_get_n_items (list), <=, kept + 50);
    for (guint i = 0; i < g_list_model_get_n_items (list); i++)
      {
        g_autoptr (TachoHistoryEntry) entry = g_list_model_get_item (list, i);
        g_autoptr (GError) error = NULL;
        g_autoptr (TachoBenchResult) run =
            tacho_history_load (history, tacho_history_entry_get_row (entry)->id, &error);

        g_assert_no_error (error);
        g_assert_cmpuint (run->ok, ==, 20);
      }
  }
}

/* A run whose program is gone is labelled, with its last figures; that of a living one is not. */
static void
test_interrupted (Fixture *f, gconstpointer data)
{
  g_autofree char *sql = NULL;
  g_autofree char *boot = NULL;
  g_autoptr (GError) error = NULL;

  g_clear_object (&(TachoHistory *){ open_it (f) });
  g_assert_true (g_file_get_contents ("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL));
  g_strchomp (boot);
  sql = g_strdup_printf (
      "INSERT INTO runs (id, started, state, model, pid, boot, process_start, ok) VALUES"
      " ('gone', '1', 'running', 'm', 4194303, '%s', 5, 7),"
      " ('reused', '2', 'running', 'm', %d, '%s', 1, 7),"
      " ('rebooted', '3', 'running', 'm', %d, 'another', 0, 7)",
      boot, getpid (), boot, getpid ());
  execute (f, sql);
  {
    g_autoptr (TachoHistory) history = open_it (f);
    g_autoptr (GListModel) list = tacho_history_list (history, NULL, NULL);

    g_assert_cmpuint (g_list_model_get_n_items (list), ==, 3);
    for (guint i = 0; i < 3; i++)
      {
        g_autoptr (TachoHistoryEntry) entry = g_list_model_get_item (list, i);

        g_assert_cmpint (tacho_history_entry_get_row (entry)->state, ==, TACHO_RUN_INTERRUPTED);
        g_assert_cmpuint (tacho_history_entry_get_row (entry)->ok, ==, 7);
      }
    g_assert_null (tacho_history_load (history, "gone", &error));
    g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
  }
}

/* Damaged in any way: set aside whole, a new one begun, and it is said. */
static void
test_damaged (Fixture *f, gconstpointer data)
{
  for (guint way = 0; way < N_DAMAGES; way++)
    {
      g_autofree char *notice = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (TachoHistory) history = NULL;

      {
        g_autoptr (TachoHistory) good = open_it (f);

        for (guint i = 0; i < 40; i++)
          {
            g_autofree char *id = g_strdup_printf ("w%u-%u", way, i);

            keep (good, id, "m");
          }
      }
      damage (f, way);
      history = tacho_history_open (f->path, &notice, &error);
      g_assert_no_error (error);
      g_assert_nonnull (strstr (notice, "damaged"));
      g_assert_cmpuint (count (history, NULL), ==, 0);
      g_assert_cmpuint (files_like (f, ".damaged-"), >=, way + 1);
    }
}

static void
test_newer (Fixture *f, gconstpointer data)
{
  g_autofree char *notice = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) before = NULL;

  g_clear_object (&(TachoHistory *){ open_it (f) });
  before = make_newer (f);
  g_assert_null (tacho_history_open (f->path, &notice, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
  assert_untouched (f, before);
}

/* Another program's database is not ours to write to. */
static void
test_foreign (Fixture *f, gconstpointer data)
{
  g_autofree char *notice = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHistory) history = NULL;

  execute (f, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
  history = tacho_history_open (f->path, &notice, &error);
  g_assert_no_error (error);
  g_assert_nonnull (notice);
  g_assert_cmpuint (files_like (f, ".damaged-"), ==, 1);
}

/* A file of version 1 gets what version 2 has, and keeps its runs. */
static void
test_migration (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  execute (f, "CREATE TABLE runs ("
              " id TEXT PRIMARY KEY NOT NULL, started TEXT NOT NULL, state TEXT NOT NULL,"
              " model TEXT, url TEXT, family TEXT, simulated INTEGER NOT NULL DEFAULT 0, load TEXT,"
              " pid INTEGER, boot TEXT, process_start INTEGER,"
              " ok INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, window_s REAL,"
              " output_tokens_per_s REAL, requests_per_s REAL, ttft_p50 REAL, ttft_p95 REAL,"
              " itl_p50 REAL, distorted INTEGER NOT NULL DEFAULT 0, document BLOB) WITHOUT ROWID;"
              "INSERT INTO runs (id, started, state, model) VALUES ('old', '1', 'done', 'm');"
              "PRAGMA user_version = 1; PRAGMA application_id = 1415668584");
  {
    g_autoptr (TachoHistory) history = open_it (f);

    g_assert_cmpuint (count (history, NULL), ==, 1);
    g_assert_true (tacho_history_set_tags (history, "old", "kept", &error));
    g_assert_no_error (error);
  }
  {
    g_autoptr (TachoHistory) again = open_it (f);

    g_assert_cmpuint (count (again, "kept"), ==, 1);
  }
}

/* A full disk, as the limit on a file's size has it: an error, and what was there stays. */
static void
test_full (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoHistory) history = open_it (f);
  g_autoptr (TachoBenchResult) result = new_result ("big", "m");
  g_autoptr (GError) error = NULL;
  struct rlimit limit;

  keep (history, "first", "m");
  for (guint i = 0; i < 60000; i++)
    {
      TachoBenchRecord *record = g_new0 (TachoBenchRecord, 1);

      record->id = i;
      record->start_ns = (gint64) g_random_int () + 1;
      record->end_ns = record->start_ns + (gint64) g_random_int ();
      g_ptr_array_add (result->records, record);
    }
  limit = fill_disk (200000);
  g_assert_false (tacho_history_finish (history, result, &error));
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_clear_error (&error);
  g_assert_cmpuint (count (history, NULL), ==, 1);
  g_assert_true (tacho_history_finish (history, result, &error));
  g_assert_cmpuint (count (history, NULL), ==, 2);
}

static void
test_no_folder (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename ("/proc", "tacho", "history.db", NULL);
  g_autofree char *notice = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (tacho_history_open (path, &notice, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/history/keeps", test_keeps);
  ADD ("/history/imports", test_imports);
  ADD ("/history/names", test_names);
  ADD ("/history/killed", test_killed);
  ADD ("/history/interrupted", test_interrupted);
  ADD ("/history/damaged", test_damaged);
  ADD ("/history/newer", test_newer);
  ADD ("/history/foreign", test_foreign);
  ADD ("/history/migration", test_migration);
  ADD ("/history/full", test_full);
  ADD ("/history/no-folder", test_no_folder);
  return g_test_run ();
}
