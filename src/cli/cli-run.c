/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds the run that a person names. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-run.h"

TachoBenchResult *
cli_run_load (const char *name, GError **error)
{
  return tacho_bench_result_load (name, error);
}
