/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whom a run may cost something. */
#pragma once

#include "app/tacho-bench-estimate.h"
#include "config/tacho-profile.h"

G_BEGIN_DECLS

/* A warning for a server that is not on this computer or takes a key; NULL: none. */
char *tacho_bench_cost_words (TachoProfile *profile,
                              const TachoBenchEstimate *estimate) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
