/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runs that were made on this machine, in an SQLite file. A finished run survives whatever ends
 * the program next; one that was cut short is kept with its last figures and labelled. Calls are
 * short and synchronous; several processes may have the file open at once. */
#pragma once

#include "bench/tacho-bench-run.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  TACHO_RUN_RUNNING,
  TACHO_RUN_DONE,
  TACHO_RUN_INTERRUPTED, /* it was stopped, or its program ended before it did */
} TachoRunState;

/* What a list shows of a run. NaN: not known. */
typedef struct
{
  char *id;
  char *started; /* ISO 8601 UTC */
  TachoRunState state;
  char *model, *url, *family;
  gboolean simulated;
  char *load; /* "4 at a time" */
  char *tags; /* separated by blanks */
  char *notes;
  gboolean baseline;
  guint64 ok, failed;
  double window_s;
  double output_tokens_per_s, requests_per_s;
  double ttft_ms_p50, ttft_ms_p95, itl_ms_p50;
  gboolean distorted;
} TachoHistoryRow;

#define TACHO_TYPE_HISTORY_ENTRY (tacho_history_entry_get_type ())
G_DECLARE_FINAL_TYPE (TachoHistoryEntry, tacho_history_entry, TACHO, HISTORY_ENTRY, GObject)
const TachoHistoryRow *tacho_history_entry_get_row (TachoHistoryEntry *self);

#define TACHO_TYPE_HISTORY (tacho_history_get_type ())
G_DECLARE_FINAL_TYPE (TachoHistory, tacho_history, TACHO, HISTORY, GObject)

/* path NULL: $TACHO_HISTORY, else tacho/history.db in the user's data folder. notice: what a person
 * should know (a damaged file was set aside), or NULL. TACHO_ERROR_IO, or TACHO_ERROR_UNSUPPORTED
 * for a file of a newer Tacho, which is left alone. */
TachoHistory *
tacho_history_open (const char *path, char **notice, GError **error) G_GNUC_WARN_UNUSED_RESULT;
const char *tacho_history_get_path (TachoHistory *self);

/* A run begins, goes on, and ends; the end alone does as well. All: TACHO_ERROR_IO. */
gboolean tacho_history_begin (TachoHistory *self, TachoBenchRun *run, GError **error);
gboolean tacho_history_checkpoint (TachoHistory *self,
                                   const char *id,
                                   const TachoBenchSnapshot *snapshot,
                                   GError **error);
gboolean tacho_history_finish (TachoHistory *self, TachoBenchResult *result, GError **error);
/* A run of another machine. TACHO_ERROR_INVALID for one that the history has, or without a proper
 * id. */
gboolean tacho_history_import (TachoHistory *self, TachoBenchResult *result, GError **error);

/* Newest first, of TachoHistoryEntry. search: words that must all be in model, address, tags, notes
 * or id; NULL: all. */
GListModel *tacho_history_list (TachoHistory *self,
                                const char *search,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* An id, the unique begin of one, or "last". TACHO_ERROR_NOT_FOUND, or TACHO_ERROR_INVALID where
 * several begin so. */
char *tacho_history_resolve (TachoHistory *self, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
TachoHistoryEntry *tacho_history_get (TachoHistory *self, const char *id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* TACHO_ERROR_UNSUPPORTED for a run that did not end: only its last figures are known. */
TachoBenchResult *tacho_history_load (TachoHistory *self, const char *id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_history_delete (TachoHistory *self, const char *id, GError **error);
gboolean
tacho_history_set_tags (TachoHistory *self, const char *id, const char *tags, GError **error);
gboolean
tacho_history_set_notes (TachoHistory *self, const char *id, const char *notes, GError **error);
/* The run that others are compared with; one at most. id NULL: none. */
gboolean tacho_history_set_baseline (TachoHistory *self, const char *id, GError **error);

const char *tacho_run_state_to_string (TachoRunState state); /* "running", "done", "interrupted" */

G_END_DECLS
