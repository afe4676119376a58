/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A reply that grows. What stands is kept, a selection in it too; only its end is written anew. */
#pragma once

#include "app/tacho-code-header.h"
#include "app/tacho-markdown-writer.h"

G_BEGIN_DECLS

typedef struct
{
  TachoMarkdownWriter *writer;
  GString *raw;
  gsize done; /* bytes whose blocks are final */
  TachoMarkdownSplit split;
  GPtrArray *settled;    /* of TachoMarkdownBlock, those that are final */
  GPtrArray *blocks;     /* those after that, as they stand in the view */
  gboolean was_cut;      /* a paragraph without end was cut */
  GArray *places;        /* of Place, one a block */
  GtkTextMark *base;     /* where they begin */
  GtkTextMark *start;    /* where the reply begins */
  gboolean empty;        /* nothing was written yet */
  TachoCodeHeader *code; /* of the code that grows; NULL: none. Owned by the view */
  GtkTextMark *code_end; /* of the box around it */
  gsize code_done;       /* bytes of the text that stand in it */
} TachoMarkdownStream;

void tacho_markdown_stream_begin (TachoMarkdownStream *stream, TachoMarkdownWriter *writer);
void tacho_markdown_stream_append (TachoMarkdownStream *stream, const char *text, gsize length);
void tacho_markdown_stream_end (TachoMarkdownStream *stream);
gboolean tacho_markdown_stream_is_open (const TachoMarkdownStream *stream);

G_END_DECLS
