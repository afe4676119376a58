/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A generation in words: what it is doing, its figures, how it ended. */
#pragma once

#include "service/tacho-generation.h"

G_BEGIN_DECLS

/* "Waiting for the first token · 1.2 s", "Reading the prompt · 42 %". progress: NaN unknown. */
char *tacho_generation_words_phase (TachoGeneration *generation,
                                    double progress,
                                    gboolean simulated) G_GNUC_WARN_UNUSED_RESULT;
/* Why it is not a whole answer; NULL for one that is. */
char *tacho_generation_words_attempts (TachoGeneration *generation) G_GNUC_WARN_UNUSED_RESULT;
char *tacho_generation_words_fault (TachoGeneration *generation) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
