/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run as a person names it on the command line. */
#pragma once

#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

/* The run in the file `name`. (transfer full) */
TachoBenchResult *cli_run_load (const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
