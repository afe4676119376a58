/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A prompts file: JSON lines, or a JSON array as ShareGPT's. */
#pragma once

#include "api/tacho-generate.h"

G_BEGIN_DECLS

typedef struct
{
  GPtrArray *messages; /* of TachoMessage: what this turn adds; empty: a text of input_tokens */
  guint input_tokens;
  gint64 output_tokens; /* 0: not given */
} TachoPromptTurn;

typedef struct
{
  GPtrArray *turns; /* of TachoPromptTurn, at least one */
  gint64 due_ns;    /* -1: no stamp */
  guint line;       /* in the file, from 1; of an array: the element */
} TachoPromptEntry;

/* Of TachoPromptEntry, at least one. TACHO_ERROR_IO, TACHO_ERROR_INVALID with file and line. */
GPtrArray *tacho_prompts_file_read (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
