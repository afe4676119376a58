/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The runs of the history as a table that can be searched, sorted and selected from.
 * Signals: "selection-changed" (); "activate-run" (const char *id). */
#pragma once

#include <adwaita.h>
#include "store/tacho-history.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_HISTORY_LIST (tacho_bench_history_list_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchHistoryList,
                      tacho_bench_history_list,
                      TACHO,
                      BENCH_HISTORY_LIST,
                      AdwBin)

/* Of TachoHistoryEntry; what was selected stays so where it is still there. */
void tacho_bench_history_list_set_runs (TachoBenchHistoryList *self, GListModel *runs);
/* Runs with these ids are not shown. */
void tacho_bench_history_list_hide (TachoBenchHistoryList *self, GHashTable *ids);
guint tacho_bench_history_list_get_n_shown (TachoBenchHistoryList *self);
/* Of TachoHistoryEntry, in the order shown. (transfer full) */
GPtrArray *
tacho_bench_history_list_dup_selected (TachoBenchHistoryList *self) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
