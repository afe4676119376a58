/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --fail-on: what must hold of a finished run, "p99(ttft_ms)<2000", "error_rate<=0.01". */
#pragma once

#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

typedef struct _CliAssert CliAssert;

CliAssert *cli_assert_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void cli_assert_free (CliAssert *self);
/* *words: one line that says what was measured. A value that was not measured does not hold. */
gboolean cli_assert_holds (const CliAssert *self, const TachoBenchResult *result, char **words);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliAssert, cli_assert_free)

G_END_DECLS
