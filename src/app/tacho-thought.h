/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a model thought before it answered: folded lines under a line that says how long. */
#pragma once

#include "app/tacho-markdown-writer.h"

G_BEGIN_DECLS

typedef struct _TachoThought TachoThought;

TachoThought *tacho_thought_begin (TachoMarkdownWriter *writer) G_GNUC_WARN_UNUSED_RESULT;
void tacho_thought_append (TachoThought *self, const char *text, gsize length);
void tacho_thought_end (TachoThought *self, double seconds);
double tacho_thought_get_seconds (const TachoThought *self);
void tacho_thought_free (TachoThought *self);

G_END_DECLS
