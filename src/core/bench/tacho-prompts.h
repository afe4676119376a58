/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the requests of a run say: synthetic, or from a file. A pure function of plan, salt and
 * number, so that a seed always gives the same plan. Immutable: threads share one. */
#pragma once

#include "api/tacho-generate.h"
#include "bench/tacho-bench-plan.h"

G_BEGIN_DECLS

typedef struct _TachoPrompts TachoPrompts;

/* Reads the plan's file, if it has one. TACHO_ERROR_IO, or TACHO_ERROR_INVALID with the line. */
TachoPrompts *tacho_prompts_new (const TachoBenchPlan *plan, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
TachoPrompts *tacho_prompts_ref (TachoPrompts *prompts);
void tacho_prompts_unref (TachoPrompts *prompts);
/* Conversations in the file; 0: synthetic ones, without end. */
guint tacho_prompts_get_n (const TachoPrompts *prompts);
/* The most turns that a conversation has. */
guint tacho_prompts_get_max_turns (const TachoPrompts *prompts);
/* Of a trace: nanoseconds from its begin; -1 where the file has no stamps. */
gint64 tacho_prompts_get_due_ns (const TachoPrompts *prompts, guint64 number);
/* Words that the server's tokenizer takes as one token each, and tokens that it adds to a prompt.
 * (before the first conversation is made) */
void tacho_prompts_set_words (TachoPrompts *prompts, GPtrArray *list);
GPtrArray *tacho_prompts_dup_words (void) G_GNUC_WARN_UNUSED_RESULT; /* of char * */

/* Conversation `number`: its turns as requests, each with all that was said before. salt: random
 * per run (0 where the plan wants none). Of TachoGenerateRequest, at least one. */
GPtrArray *tacho_prompts_make (TachoPrompts *prompts,
                               guint64 salt,
                               guint64 number) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoPrompts, tacho_prompts_unref)

G_END_DECLS
