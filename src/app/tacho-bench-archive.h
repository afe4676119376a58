/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The history of runs as the window uses it: opened when it is first needed, written beside the
 * main loop. Property (read-only): problem, what a person must know of it, or NULL.
 * Signal "changed" (): a run was kept, changed or deleted. */
#pragma once

#include "store/tacho-history.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_ARCHIVE (tacho_bench_archive_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchArchive, tacho_bench_archive, TACHO, BENCH_ARCHIVE, GObject)

TachoBenchArchive *tacho_bench_archive_get_default (void); /* (transfer none) */
/* (transfer none) (nullable): `problem` then says why. */
TachoHistory *tacho_bench_archive_get_history (TachoBenchArchive *self);
const char *tacho_bench_archive_get_problem (TachoBenchArchive *self);

/* A run goes on: its figures so far, every few seconds. */
void tacho_bench_archive_checkpoint (TachoBenchArchive *self,
                                     TachoBenchRun *run,
                                     const TachoBenchSnapshot *snapshot);
/* A run ended: kept whole. The program lives until it is written. */
void tacho_bench_archive_keep (TachoBenchArchive *self, TachoBenchResult *result);

/* Reads whole runs. ids: NULL-terminated. */
void tacho_bench_archive_load_async (TachoBenchArchive *self,
                                     const char *const *ids,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
/* Of TachoBenchResult, in the order of the ids; NULL if one cannot be read. (transfer full) */
GPtrArray *tacho_bench_archive_load_finish (TachoBenchArchive *self,
                                            GAsyncResult *result,
                                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* After a change through the TachoHistory itself. */
void tacho_bench_archive_changed (TachoBenchArchive *self);

G_END_DECLS
