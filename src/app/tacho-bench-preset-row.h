/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The presets as a row of cards. Signal "chosen" (guint preset). */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_PRESET_ROW (tacho_bench_preset_row_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchPresetRow, tacho_bench_preset_row, TACHO, BENCH_PRESET_ROW, AdwBin)

void tacho_bench_preset_row_set_chosen (TachoBenchPresetRow *self, int preset); /* -1: none */

G_END_DECLS
