/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The benchmark panel: Run, History, Compare.
 * Signal "ended" (const char *words): a run is over. */
#pragma once

#include <adwaita.h>
#include "app/tacho-connection.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_PANEL (tacho_bench_panel_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchPanel, tacho_bench_panel, TACHO, BENCH_PANEL, AdwBin)

void tacho_bench_panel_set_connection (TachoBenchPanel *self, TachoConnection *connection);
void tacho_bench_panel_run (TachoBenchPanel *self);
void tacho_bench_panel_stop (TachoBenchPanel *self);
gboolean tacho_bench_panel_is_running (TachoBenchPanel *self);

G_END_DECLS
