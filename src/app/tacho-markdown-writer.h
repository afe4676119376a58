/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes blocks into a text view: text with tags, widgets where text will not do. */
#pragma once

#include "app/tacho-markdown-tags.h"

G_BEGIN_DECLS

#define TACHO_MARKDOWN_CODE_PADDING 12

typedef enum
{
  TACHO_TEXT_BOX_BUBBLE,
  TACHO_TEXT_BOX_CODE,
  TACHO_TEXT_BOX_QUOTE,
} TachoTextBoxKind;

/* Lines with something drawn behind them. */
typedef struct
{
  TachoTextBoxKind kind;
  GtkTextMark *begin; /* owned by the buffer */
  GtkTextMark *end;
  int margin;
  guint depth; /* of a quotation */
} TachoTextBox;

typedef struct
{
  GtkTextView *view;
  GtkTextBuffer *buffer;
  TachoMarkdownTags tags;
  GtkTextMark *at;   /* what is written goes here; it stays behind it */
  GArray *boxes;     /* of TachoTextBox */
  GPtrArray *tables; /* of TachoMarkdownTable, as long as they live */
  GPtrArray *codes;  /* of TachoCodeHeader */
  int width;         /* of the text, in pixels */
} TachoMarkdownWriter;

void tacho_markdown_writer_init (TachoMarkdownWriter *writer, GtkTextView *view);
void tacho_markdown_writer_clear (TachoMarkdownWriter *writer);
void tacho_markdown_writer_finish (TachoMarkdownWriter *writer);
void tacho_markdown_writer_set_width (TachoMarkdownWriter *writer, int width);
void tacho_markdown_writer_update_colors (TachoMarkdownWriter *writer);

int tacho_markdown_writer_get_offset (TachoMarkdownWriter *writer);
void tacho_markdown_writer_break_line (TachoMarkdownWriter *writer);
void tacho_markdown_writer_insert (TachoMarkdownWriter *writer,
                                   const char *text,
                                   gsize length,
                                   GtkTextTag *tag,
                                   GtkTextTag *second);
void tacho_markdown_writer_add_widget (TachoMarkdownWriter *writer, GtkWidget *widget);
void tacho_markdown_writer_add_box (TachoMarkdownWriter *writer,
                                    TachoTextBoxKind kind,
                                    int begin,
                                    int margin,
                                    guint depth);
/* Takes back what was written from that offset on. */
void tacho_markdown_writer_delete (TachoMarkdownWriter *writer, int offset);

/* first: nothing of this text stands above; live: it may still change. Returns where its content
 * begins. */
int tacho_markdown_writer_block (TachoMarkdownWriter *writer,
                                 const TachoMarkdownBlock *block,
                                 gboolean first,
                                 gboolean live);
void tacho_markdown_writer_text (TachoMarkdownWriter *writer,
                                 const TachoMarkdownBlock *block,
                                 gsize from);

G_END_DECLS
