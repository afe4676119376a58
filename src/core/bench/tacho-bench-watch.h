/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks at server and host once a second while a run goes on, over a connection of its own, never
 * through the load. */
#pragma once

#include "bench/tacho-bench-run.h"
#include "service/tacho-client-manager.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_WATCH (tacho_bench_watch_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchWatch, tacho_bench_watch, TACHO, BENCH_WATCH, GObject)

TachoBenchWatch *tacho_bench_watch_new (TachoClientManager *manager,
                                        TachoApi *api,
                                        const char *model) G_GNUC_WARN_UNUSED_RESULT;
void tacho_bench_watch_start (TachoBenchWatch *self);
/* Lends the samples so far, from the start of the window on, to a snapshot. */
void tacho_bench_watch_fill (TachoBenchWatch *self, TachoBenchSnapshot *snapshot);
/* Looks a last time, then gives the samples to the result, whose window is known now, and calls
 * `done`: within a second, or at once where there is nobody to ask. */
typedef void (*TachoBenchWatchDone) (gpointer user_data);
void tacho_bench_watch_finish (TachoBenchWatch *self,
                               TachoBenchResult *result,
                               TachoBenchWatchDone done,
                               gpointer user_data);
/* Whether an address is this machine's: a name or number of loopback, or of one of its
 * interfaces. */
gboolean tacho_bench_is_local (const char *url);

G_END_DECLS
