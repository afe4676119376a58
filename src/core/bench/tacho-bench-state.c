/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run does, as a type for properties. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-run.h"

GType
tacho_bench_state_get_type (void)
{
  static const GEnumValue values[] = {
    { TACHO_BENCH_IDLE, "TACHO_BENCH_IDLE", "idle" },
    { TACHO_BENCH_WARMUP, "TACHO_BENCH_WARMUP", "warmup" },
    { TACHO_BENCH_MEASURING, "TACHO_BENCH_MEASURING", "measuring" },
    { TACHO_BENCH_STOPPING, "TACHO_BENCH_STOPPING", "stopping" },
    { TACHO_BENCH_ENDED, "TACHO_BENCH_ENDED", "ended" },
    { 0, NULL, NULL },
  };
  static gsize type;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("TachoBenchState", values));
  return type;
}
