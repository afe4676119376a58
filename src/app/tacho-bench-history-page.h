/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The history of runs: search, tags and notes, open, export, delete with undo.
 * Signals: "run-again" (TachoBenchResult *); "compare" (GPtrArray of TachoBenchResult). */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_HISTORY_PAGE (tacho_bench_history_page_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchHistoryPage,
                      tacho_bench_history_page,
                      TACHO,
                      BENCH_HISTORY_PAGE,
                      AdwBin)

G_END_DECLS
