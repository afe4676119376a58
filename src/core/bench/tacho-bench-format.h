/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The formats in which a run can be written. */
#pragma once

#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_BENCH_FORMAT_TACHO,    /* tacho.run/1, whole */
  TACHO_BENCH_FORMAT_CSV,      /* a row for each metric */
  TACHO_BENCH_FORMAT_VLLM,     /* as `vllm bench serve --save-result` */
  TACHO_BENCH_FORMAT_AIPERF,   /* as AIPerf's profile_export_aiperf.json */
  TACHO_BENCH_FORMAT_MARKDOWN, /* a report for a pull request */
  TACHO_BENCH_FORMAT_HTML,     /* a report with charts, in one file */
} TachoBenchFormat;

/* TACHO_ERROR_INVALID with the names that are allowed. */
gboolean tacho_bench_format_parse (const char *name, TachoBenchFormat *format, GError **error);
char *tacho_bench_result_format (TachoBenchResult *result,
                                 TachoBenchFormat format) G_GNUC_WARN_UNUSED_RESULT;

char *tacho_export_vllm (TachoBenchResult *result) G_GNUC_WARN_UNUSED_RESULT;
char *tacho_export_aiperf (TachoBenchResult *result) G_GNUC_WARN_UNUSED_RESULT;
char *tacho_export_markdown (TachoBenchResult *result) G_GNUC_WARN_UNUSED_RESULT;
char *tacho_export_html (TachoBenchResult *result) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
