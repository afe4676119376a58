/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formats by name. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-format.h"

static const char *const names[] = { "tacho", "csv", "vllm", "aiperf", "markdown", "html" };

/**
 * tacho_bench_format_parse:
 * @name: a name as a person writes it
 * @format: (out): the format; untouched on failure
 * @error: return location
 *
 * Returns: whether it is one; else %TACHO_ERROR_INVALID
 */
gboolean
tacho_bench_format_parse (const char *name, TachoBenchFormat *format, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (name, names[i]))
      {
        *format = (TachoBenchFormat) i;
        return TRUE;
      }
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "“%.60s” is not allowed; it takes tacho, csv, vllm, aiperf, markdown or html", name);
  return FALSE;
}

/**
 * tacho_bench_result_format:
 * @result: a run
 * @format: how
 *
 * Returns: (transfer full): the run in that format
 */
char *
tacho_bench_result_format (TachoBenchResult *result, TachoBenchFormat format)
{
  switch (format)
    {
    case TACHO_BENCH_FORMAT_CSV:
      return tacho_bench_result_to_csv (result);
    case TACHO_BENCH_FORMAT_VLLM:
      return tacho_export_vllm (result);
    case TACHO_BENCH_FORMAT_AIPERF:
      return tacho_export_aiperf (result);
    case TACHO_BENCH_FORMAT_MARKDOWN:
      return tacho_export_markdown (result);
    case TACHO_BENCH_FORMAT_HTML:
      return tacho_export_html (result);
    case TACHO_BENCH_FORMAT_TACHO:
    default:
      return tacho_bench_result_to_json (result, TRUE);
    }
}
