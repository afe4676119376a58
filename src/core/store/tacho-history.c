/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening the history, and what is written while a run goes on. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-history-private.h"

#include "base/tacho-error.h"
#include "base/tacho-clock.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#define MAX_ID 100 /* characters */

static const char *const migrations[] = {
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

static const TachoDatabaseKind kind = {
  .name = "history",
  .variable = "TACHO_HISTORY",
  .file = "history.db",
  .application_id = 0x54616368, /* "Tach" */
  .version = G_N_ELEMENTS (migrations),
  .migrations = migrations,
};

G_DEFINE_FINAL_TYPE (TachoHistory, tacho_history, G_TYPE_OBJECT)

static void
tacho_history_finalize (GObject *object)
{
  TachoHistory *self = TACHO_HISTORY (object);

  g_clear_pointer (&self->base, tacho_database_free);

  G_OBJECT_CLASS (tacho_history_parent_class)->finalize (object);
}

static void
tacho_history_class_init (TachoHistoryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_history_finalize;
}

static void
tacho_history_init (TachoHistory *self)
{
}

/**
 * tacho_history_open:
 * @path: (nullable): the file; %NULL: `TACHO_HISTORY` of the environment, else tacho/history.db in
 *   the user's data folder
 * @notice: (out): what a person should know, or %NULL
 * @error: return location
 *
 * Opens the history, makes it if there is none, and labels runs whose program is gone.
 *
 * Returns: (transfer full): the history, or %NULL with %TACHO_ERROR_IO or %TACHO_ERROR_UNSUPPORTED
 */
TachoHistory *
tacho_history_open (const char *path, char **notice, GError **error)
{
  g_autoptr (TachoHistory) self = g_object_new (TACHO_TYPE_HISTORY, NULL);

  self->base = tacho_database_open (&kind, path, notice, error);
  if (self->base == NULL ||
      !tacho_database_label_gone (
          self->base, "SELECT id, pid, boot, process_start FROM runs WHERE state = 'running'",
          "UPDATE runs SET state = 'interrupted' WHERE id = ? AND state = 'running'", error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * tacho_history_get_path:
 * @self: a history
 *
 * Returns: its file
 */
const char *
tacho_history_get_path (TachoHistory *self)
{
  g_return_val_if_fail (TACHO_IS_HISTORY (self), NULL);
  return self->base->path;
}

static char *
load_words (const TachoBenchPlan *plan)
{
  if (plan->load == TACHO_LOAD_CLOSED)
    return g_strdup_printf ("%u at a time", plan->concurrency);
  if (plan->load == TACHO_LOAD_TRACE)
    return g_strdup ("trace");
  return g_strdup_printf ("%g/s %s", plan->rate, tacho_load_kind_to_string (plan->load));
}

/**
 * tacho_history_begin:
 * @self: a history
 * @run: a run that has started
 * @error: return location
 *
 * Notes a run that goes on, so that it is known even if its program does not live to see the end.
 *
 * Returns: whether it is written; else %TACHO_ERROR_IO
 */
gboolean
tacho_history_begin (TachoHistory *self, TachoBenchRun *run, GError **error)
{
  const TachoBenchResult *result = tacho_bench_run_peek_result (run);
  g_autofree char *load = load_words (result->plan);
  sqlite3_stmt *statement = tacho_database_prepare (
      self->base,
      "INSERT OR IGNORE INTO runs (id, started, state, model, url, family, simulated, load, pid, "
      "boot, process_start) VALUES (?1, ?2, 'running', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
      error);

  if (statement == NULL)
    return FALSE;
  tacho_database_bind_text (statement, 1, result->id);
  tacho_database_bind_text (statement, 2, result->started);
  tacho_database_bind_text (statement, 3, result->plan->model);
  tacho_database_bind_text (statement, 4, result->target_url);
  tacho_database_bind_text (statement, 5, result->target_family);
  sqlite3_bind_int (statement, 6, result->simulated);
  tacho_database_bind_text (statement, 7, load);
  tacho_database_bind_process (self->base, statement, 8);
  return tacho_database_step (self->base, statement, error);
}

/**
 * tacho_history_checkpoint:
 * @self: a history
 * @id: of a run that goes on
 * @snapshot: its figures so far
 * @error: return location
 *
 * Keeps the figures, which are all that is left should the program be killed.
 *
 * Returns: whether they are written; else %TACHO_ERROR_IO
 */
gboolean
tacho_history_checkpoint (TachoHistory *self,
                          const char *id,
                          const TachoBenchSnapshot *snapshot,
                          GError **error)
{
  sqlite3_stmt *statement = tacho_database_prepare (
      self->base,
      "UPDATE runs SET ok = ?2, failed = ?3, window_s = ?4, output_tokens_per_s = ?5, "
      "requests_per_s = ?6, ttft_p50 = ?7, ttft_p95 = ?8 WHERE id = ?1 AND state = 'running'",
      error);
  double elapsed = snapshot->elapsed_s;

  if (statement == NULL)
    return FALSE;
  tacho_database_bind_text (statement, 1, id);
  sqlite3_bind_int64 (statement, 2, (gint64) snapshot->ok);
  sqlite3_bind_int64 (statement, 3, (gint64) (snapshot->error + snapshot->truncated));
  sqlite3_bind_double (statement, 4, elapsed);
  sqlite3_bind_double (statement, 5,
                       elapsed > 0 ? (double) snapshot->output_tokens / elapsed : NAN);
  sqlite3_bind_double (statement, 6, elapsed > 0 ? (double) snapshot->ok / elapsed : NAN);
  sqlite3_bind_double (statement, 7, snapshot->ttft_ms_p50);
  sqlite3_bind_double (statement, 8, snapshot->ttft_ms_p95);
  return tacho_database_step (self->base, statement, error);
}

static GBytes *
convert (GConverter *converter, gconstpointer data, gsize length, GError **error)
{
  g_autoptr (GInputStream) memory =
      g_memory_input_stream_new_from_data (data, (gssize) length, NULL);
  g_autoptr (GInputStream) source = g_converter_input_stream_new (memory, converter);
  g_autoptr (GOutputStream) sink = g_memory_output_stream_new_resizable ();

  if (g_output_stream_splice (
          sink, source, G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE | G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET,
          NULL, error) < 0)
    return NULL;
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (sink));
}

static void
bind_summary (sqlite3_stmt *statement, TachoBenchResult *result)
{
  const TachoDistribution *ttft = &result->latency[TACHO_METRIC_TTFT];
  const TachoDistribution *itl = &result->latency[TACHO_METRIC_ITL];

  sqlite3_bind_int64 (statement, 8, (gint64) result->ok);
  sqlite3_bind_int64 (statement, 9, (gint64) (result->error + result->truncated));
  sqlite3_bind_double (statement, 10, result->window_s);
  sqlite3_bind_double (statement, 11, result->output_tokens_per_s);
  sqlite3_bind_double (statement, 12, result->requests_per_s);
  sqlite3_bind_double (statement, 13, ttft->percentiles[TACHO_P50].value);
  sqlite3_bind_double (statement, 14, ttft->percentiles[TACHO_P95].value);
  sqlite3_bind_double (statement, 15, itl->percentiles[TACHO_P50].value);
  sqlite3_bind_int (statement, 16, result->self_check.distorted);
}

/**
 * tacho_history_finish:
 * @self: a history
 * @result: a run
 * @error: return location
 *
 * Keeps the run whole. What a person added to it stays.
 *
 * Returns: whether it is on the disk; else %TACHO_ERROR_IO
 */
gboolean
tacho_history_finish (TachoHistory *self, TachoBenchResult *result, GError **error)
{
  g_autoptr (GConverter) zip =
      G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6));
  g_autofree char *text = tacho_bench_result_to_json (result, FALSE);
  g_autofree char *load = load_words (result->plan);
  g_autoptr (GBytes) document = convert (zip, text, strlen (text), error);
  sqlite3_stmt *statement;

  if (document == NULL)
    return FALSE;
  statement = tacho_database_prepare (
      self->base,
      "INSERT INTO runs (id, started, state, model, url, family, simulated, ok, failed, window_s, "
      "output_tokens_per_s, requests_per_s, ttft_p50, ttft_p95, itl_p50, distorted, document, "
      "load) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
      "?18) "
      "ON CONFLICT (id) DO UPDATE SET state = ?3, ok = ?8, failed = ?9, window_s = ?10, "
      "output_tokens_per_s = ?11, requests_per_s = ?12, ttft_p50 = ?13, ttft_p95 = ?14, "
      "itl_p50 = ?15, distorted = ?16, document = ?17, load = ?18",
      error);
  if (statement == NULL)
    return FALSE;
  tacho_database_bind_text (statement, 1, result->id);
  tacho_database_bind_text (statement, 2, result->started);
  tacho_database_bind_text (statement, 3,
                            tacho_run_state_to_string (result->interrupted ? TACHO_RUN_INTERRUPTED
                                                                           : TACHO_RUN_DONE));
  tacho_database_bind_text (statement, 4, result->plan->model);
  tacho_database_bind_text (statement, 5, result->target_url);
  tacho_database_bind_text (statement, 6, result->target_family);
  sqlite3_bind_int (statement, 7, result->simulated);
  bind_summary (statement, result);
  sqlite3_bind_blob64 (statement, 17, g_bytes_get_data (document, NULL),
                       g_bytes_get_size (document), SQLITE_STATIC);
  tacho_database_bind_text (statement, 18, load);
  return tacho_database_step (self->base, statement, error);
}

/* Of letters that are safe in the name of a file too. */
static gboolean
is_proper_id (const char *id)
{
  gsize length = strlen (id);

  return length > 0 && length <= MAX_ID && id[0] != '.' && id[0] != '-' &&
         strspn (id, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") == length;
}

/* -1: that cannot be read. */
static int
has_whole (TachoHistory *self, const char *id, GError **error)
{
  sqlite3_stmt *statement = tacho_database_prepare (
      self->base, "SELECT 1 FROM runs WHERE id = ? AND document IS NOT NULL", error);
  int code;

  if (statement == NULL)
    return -1;
  tacho_database_bind_text (statement, 1, id);
  code = sqlite3_step (statement);
  if (code != SQLITE_ROW && code != SQLITE_DONE)
    tacho_database_fail (self->base, "Cannot read", error);
  sqlite3_finalize (statement);
  return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : -1;
}

/**
 * tacho_history_import:
 * @self: a history
 * @result: a run, of another machine or of a file that was kept
 * @error: return location
 *
 * Keeps a run that was measured elsewhere. One that the history has whole is left as it is; one of
 * which it has only the last figures is completed.
 *
 * Returns: whether it is on the disk; else %TACHO_ERROR_INVALID or %TACHO_ERROR_IO
 */
gboolean
tacho_history_import (TachoHistory *self, TachoBenchResult *result, GError **error)
{
  int known;

  if (!is_proper_id (result->id))
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "The run has no id of letters, digits, “-”, “_” and “.”");
      return FALSE;
    }
  known = has_whole (self, result->id, error);
  if (known > 0)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "The history has the run %s already",
                 result->id);
  return known == 0 && tacho_history_finish (self, result, error);
}

/**
 * tacho_history_load:
 * @self: a history
 * @id: of a run
 * @error: return location
 *
 * Returns: (transfer full): the run; else %TACHO_ERROR_NOT_FOUND, %TACHO_ERROR_UNSUPPORTED for one
 * that did not end, %TACHO_ERROR_IO or %TACHO_ERROR_INVALID for one that cannot be read
 */
TachoBenchResult *
tacho_history_load (TachoHistory *self, const char *id, GError **error)
{
  g_autoptr (GConverter) unzip =
      G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  g_autoptr (GBytes) text = NULL;
  sqlite3_stmt *statement =
      tacho_database_prepare (self->base, "SELECT document FROM runs WHERE id = ?", error);
  int code;

  if (statement == NULL)
    return NULL;
  tacho_database_bind_text (statement, 1, id);
  code = sqlite3_step (statement);
  if (code == SQLITE_ROW && sqlite3_column_type (statement, 0) == SQLITE_BLOB)
    text = convert (unzip, sqlite3_column_blob (statement, 0),
                    (gsize) sqlite3_column_bytes (statement, 0), error);
  else if (code == SQLITE_ROW)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED,
                 "The run %s did not end: only its last figures are known", id);
  else if (code == SQLITE_DONE)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND, "The history has no run %s", id);
  else
    tacho_database_fail (self->base, "Cannot read", error);
  sqlite3_finalize (statement);
  if (text == NULL)
    return NULL;
  return tacho_bench_result_from_json (g_bytes_get_data (text, NULL), g_bytes_get_size (text),
                                       error);
}
