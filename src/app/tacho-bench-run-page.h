/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A benchmark, watched live: plan, Run and Stop, counters, charts, results.
 * Property (read-only): running. Signal "ended" (const char *words): a run is over. */
#pragma once

#include <adwaita.h>
#include "app/tacho-connection.h"
#include "bench/tacho-bench-plan.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_RUN_PAGE (tacho_bench_run_page_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchRunPage, tacho_bench_run_page, TACHO, BENCH_RUN_PAGE, AdwBin)

void tacho_bench_run_page_set_connection (TachoBenchRunPage *self, TachoConnection *connection);
/* Puts a plan into the form; its model is chosen where the server has it. url: where it was made.
 * Runs it if the server in use is that one and has the model. */
void tacho_bench_run_page_run_again (TachoBenchRunPage *self,
                                     const TachoBenchPlan *plan,
                                     const char *url);
void tacho_bench_run_page_run (TachoBenchRunPage *self);
void tacho_bench_run_page_stop (TachoBenchRunPage *self);
gboolean tacho_bench_run_page_is_running (TachoBenchRunPage *self);

G_END_DECLS
