/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans to start from. */
#pragma once

#include "bench/tacho-bench-plan.h"

G_BEGIN_DECLS

typedef struct
{
  const char *id;
  const char *title;       /* to be translated */
  const char *description; /* to be translated */
  const char *loads;       /* of a sweep, or NULL */
} TachoBenchPreset;

const TachoBenchPreset *tacho_bench_presets_get (guint *n);
/* context: the most tokens that the model takes, 0: not known. (transfer full) */
TachoBenchPlan *tacho_bench_presets_make (guint preset, gint64 context) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
