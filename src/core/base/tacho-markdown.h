/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CommonMark with tables as a flat list of blocks, which any view can draw. The parser is md4c;
 * HTML is text, and nothing is ever fetched. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  TACHO_MARKDOWN_BLOCK_PARAGRAPH,
  TACHO_MARKDOWN_BLOCK_HEADING,
  TACHO_MARKDOWN_BLOCK_CODE,
  TACHO_MARKDOWN_BLOCK_TABLE,
  TACHO_MARKDOWN_BLOCK_RULE,
} TachoMarkdownKind;

typedef enum
{
  TACHO_MARKDOWN_PLAIN = 0,
  TACHO_MARKDOWN_BOLD = 1 << 0,
  TACHO_MARKDOWN_ITALIC = 1 << 1,
  TACHO_MARKDOWN_MONOSPACE = 1 << 2,
  TACHO_MARKDOWN_STRIKE = 1 << 3,
  TACHO_MARKDOWN_LINK = 1 << 4,
} TachoMarkdownStyle;

typedef struct
{
  gsize begin; /* bytes of the text */
  gsize end;
  TachoMarkdownStyle style;
  char *href; /* of a link or picture, else NULL */
} TachoMarkdownSpan;

/* Text whose spans follow each other without a gap. */
typedef struct
{
  GString *text;
  GArray *spans; /* of TachoMarkdownSpan */
} TachoMarkdownText;

typedef struct
{
  TachoMarkdownText content;
  int align; /* -1 left, 0 centre, 1 right */
  gboolean header;
} TachoMarkdownCell;

typedef struct
{
  TachoMarkdownKind kind;
  guint level;  /* of a heading, 1 to 6 */
  guint quote;  /* how many quotations it stands in */
  guint indent; /* how many lists it stands in */
  char *marker; /* "•", "3.", "☑": it begins a list item; else NULL */
  TachoMarkdownText content;
  char *language;   /* of code; NULL: not said */
  guint columns;    /* of a table */
  GPtrArray *cells; /* of TachoMarkdownCell, row by row; the first row is the header */
} TachoMarkdownBlock;

GPtrArray *tacho_markdown_parse (const char *text, gsize length) G_GNUC_WARN_UNUSED_RESULT;
void tacho_markdown_block_free (TachoMarkdownBlock *block);
gboolean tacho_markdown_block_equal (const TachoMarkdownBlock *a, const TachoMarkdownBlock *b);
/* How many bytes from the start read and look the same in both. */
gsize tacho_markdown_text_common (const TachoMarkdownText *a, const TachoMarkdownText *b);
gboolean tacho_markdown_may_open (const char *href);

/* Where a growing text has blocks that no later text can change. Begin with zeros. */
typedef struct
{
  gsize scanned; /* whole lines up to here were looked at */
  gsize stable;  /* blocks before this are final */
  gsize fence;   /* length of the open fence's mark; 0: no code is open */
  gsize fence_begin;
  char fence_char;
  gboolean fresh; /* the next line begins a block */
  gboolean in_list;
  guint64 number;      /* of the last item of an ordered list */
} TachoMarkdownSplit;

void tacho_markdown_split_scan (TachoMarkdownSplit *split, const char *text, gsize length);
gsize tacho_markdown_fence_content (const TachoMarkdownSplit *split,
                                    const char *text,
                                    gsize length,
                                    char **language);

G_END_DECLS
