/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The requests of a run inside its JSON. */
#pragma once

#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

void tacho_bench_columns_to_json (TachoBenchResult *result, JsonBuilder *builder);
/* TACHO_ERROR_INVALID */
gboolean
tacho_bench_columns_from_json (JsonObject *object, TachoBenchResult *result, GError **error);

G_END_DECLS
