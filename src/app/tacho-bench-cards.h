/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figures of a finished run that matter most, each with its 95 % interval. */
#pragma once

#include <adwaita.h>
#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_CARDS (tacho_bench_cards_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchCards, tacho_bench_cards, TACHO, BENCH_CARDS, AdwBin)

void tacho_bench_cards_set_result (TachoBenchCards *self, const TachoBenchResult *result);

G_END_DECLS
