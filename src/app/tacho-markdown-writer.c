/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes blocks into a text view: text with tags, widgets where text will not do. */
#define G_LOG_DOMAIN "tacho-markdown-writer"

#include "config.h"

#include "app/tacho-markdown-writer.h"
#include "app/tacho-code-header.h"
#include "app/tacho-code-highlight.h"
#include "app/tacho-markdown-table.h"

#define RULE "────────────────"

/**
 * tacho_markdown_writer_init:
 * @writer: to be filled
 * @view: an empty view, which must outlive it
 */
void
tacho_markdown_writer_init (TachoMarkdownWriter *writer, GtkTextView *view)
{
  GtkTextIter end;

  writer->view = view;
  writer->buffer = gtk_text_view_get_buffer (view);
  tacho_markdown_tags_init (&writer->tags, writer->buffer);
  gtk_text_buffer_get_end_iter (writer->buffer, &end);
  writer->at = gtk_text_buffer_create_mark (writer->buffer, NULL, &end, FALSE);
  writer->boxes = g_array_new (FALSE, FALSE, sizeof (TachoTextBox));
  writer->tables = g_ptr_array_new ();
  writer->codes = g_ptr_array_new ();
}

static void
forget_cb (gpointer user_data, GObject *where_it_was)
{
  g_ptr_array_remove_fast (user_data, where_it_was);
}

/* The text owns the widget; the list forgets it with the text. */
static void
remember (GPtrArray *list, GtkWidget *widget)
{
  g_ptr_array_add (list, widget);
  g_object_weak_ref (G_OBJECT (widget), forget_cb, list);
}

static void
forget_all (GPtrArray *list)
{
  for (guint i = 0; i < list->len; i++)
    g_object_weak_unref (g_ptr_array_index (list, i), forget_cb, list);
  g_ptr_array_unref (list);
}

/**
 * tacho_markdown_writer_finish:
 * @writer: a writer
 *
 * Frees what it holds; the text stays.
 */
void
tacho_markdown_writer_finish (TachoMarkdownWriter *writer)
{
  forget_all (writer->tables);
  forget_all (writer->codes);
  g_array_unref (writer->boxes);
}

/**
 * tacho_markdown_writer_clear:
 * @writer: a writer
 *
 * Empties the view.
 */
void
tacho_markdown_writer_clear (TachoMarkdownWriter *writer)
{
  for (guint i = 0; i < writer->boxes->len; i++)
    {
      const TachoTextBox *box = &g_array_index (writer->boxes, TachoTextBox, i);

      gtk_text_buffer_delete_mark (writer->buffer, box->begin);
      gtk_text_buffer_delete_mark (writer->buffer, box->end);
    }
  g_array_set_size (writer->boxes, 0);
  gtk_text_buffer_set_text (writer->buffer, "", 0);
}

/**
 * tacho_markdown_writer_set_width:
 * @writer: a writer
 * @width: pixels that the text has
 *
 * Makes the tables fit.
 */
void
tacho_markdown_writer_set_width (TachoMarkdownWriter *writer, int width)
{
  if (width == writer->width)
    return;
  writer->width = width;
  for (guint i = 0; i < writer->tables->len; i++)
    tacho_markdown_table_set_width (g_ptr_array_index (writer->tables, i), width);
}

static void
highlight (TachoMarkdownWriter *writer, TachoCodeHeader *header)
{
  GtkTextChildAnchor *anchor = g_object_get_data (G_OBJECT (header), "anchor");
  GtkTextIter iter;

  if (gtk_text_child_anchor_get_deleted (anchor))
    return;
  gtk_text_buffer_get_iter_at_child_anchor (writer->buffer, &iter, anchor);
  tacho_code_highlight (writer->buffer, gtk_text_iter_get_offset (&iter) + 2,
                        tacho_code_header_get_code (header),
                        tacho_code_header_get_language (header), writer->tags.dark);
}

/**
 * tacho_markdown_writer_update_colors:
 * @writer: a writer
 *
 * Takes the colours of the theme for all that is written.
 */
void
tacho_markdown_writer_update_colors (TachoMarkdownWriter *writer)
{
  gboolean dark = writer->tags.dark;

  tacho_markdown_tags_update_colors (&writer->tags, GTK_WIDGET (writer->view));
  if (dark == writer->tags.dark)
    return;
  for (guint i = 0; i < writer->codes->len; i++)
    highlight (writer, g_ptr_array_index (writer->codes, i));
}

static void
get_at (TachoMarkdownWriter *writer, GtkTextIter *iter)
{
  gtk_text_buffer_get_iter_at_mark (writer->buffer, iter, writer->at);
}

/**
 * tacho_markdown_writer_get_offset:
 * @writer: a writer
 *
 * Returns: where it writes, in characters
 */
int
tacho_markdown_writer_get_offset (TachoMarkdownWriter *writer)
{
  GtkTextIter at;

  get_at (writer, &at);
  return gtk_text_iter_get_offset (&at);
}

/**
 * tacho_markdown_writer_break_line:
 * @writer: a writer
 *
 * What follows begins a line of its own.
 */
void
tacho_markdown_writer_break_line (TachoMarkdownWriter *writer)
{
  GtkTextIter at;

  get_at (writer, &at);
  if (gtk_text_iter_get_line_offset (&at) > 0)
    gtk_text_buffer_insert (writer->buffer, &at, "\n", 1);
}

/**
 * tacho_markdown_writer_insert:
 * @writer: a writer
 * @text: (array length=length): clean text
 * @length: bytes
 * @tag: (nullable): how it looks
 * @second: (nullable): how it looks as well
 */
void
tacho_markdown_writer_insert (TachoMarkdownWriter *writer,
                              const char *text,
                              gsize length,
                              GtkTextTag *tag,
                              GtkTextTag *second)
{
  GtkTextIter at;

  get_at (writer, &at);
  if (tag != NULL && second != NULL)
    gtk_text_buffer_insert_with_tags (writer->buffer, &at, text, (int) length, tag, second, NULL);
  else if (tag != NULL)
    gtk_text_buffer_insert_with_tags (writer->buffer, &at, text, (int) length, tag, NULL);
  else
    gtk_text_buffer_insert (writer->buffer, &at, text, (int) length);
}

static void
apply (TachoMarkdownWriter *writer, GtkTextTag *tag, int begin, int end)
{
  GtkTextIter from, to;

  if (tag == NULL || begin >= end)
    return;
  gtk_text_buffer_get_iter_at_offset (writer->buffer, &from, begin);
  gtk_text_buffer_get_iter_at_offset (writer->buffer, &to, end);
  gtk_text_buffer_apply_tag (writer->buffer, tag, &from, &to);
}

/**
 * tacho_markdown_writer_add_widget:
 * @writer: a writer
 * @widget: (transfer floating): stands in the text as a letter does
 */
void
tacho_markdown_writer_add_widget (TachoMarkdownWriter *writer, GtkWidget *widget)
{
  GtkTextChildAnchor *anchor;
  GtkTextIter at;

  get_at (writer, &at);
  anchor = gtk_text_buffer_create_child_anchor (writer->buffer, &at);
  g_object_set_data_full (G_OBJECT (widget), "anchor", g_object_ref (anchor), g_object_unref);
  gtk_text_view_add_child_at_anchor (writer->view, widget, anchor);
}

/**
 * tacho_markdown_writer_add_box:
 * @writer: a writer
 * @kind: what is drawn
 * @begin: where its first line is, in characters
 * @margin: pixels from the left
 * @depth: of a quotation
 *
 * Draws something behind the lines from there to what was written last.
 */
void
tacho_markdown_writer_add_box (TachoMarkdownWriter *writer,
                               TachoTextBoxKind kind,
                               int begin,
                               int margin,
                               guint depth)
{
  TachoTextBox box = { .kind = kind, .margin = margin, .depth = depth };
  GtkTextIter iter;

  gtk_text_buffer_get_iter_at_offset (writer->buffer, &iter, begin);
  box.begin = gtk_text_buffer_create_mark (writer->buffer, NULL, &iter, TRUE);
  get_at (writer, &iter);
  box.end = gtk_text_buffer_create_mark (writer->buffer, NULL, &iter, TRUE);
  g_array_append_val (writer->boxes, box);
}

/**
 * tacho_markdown_writer_delete:
 * @writer: a writer
 * @offset: in characters
 *
 * Takes back what was written from there on.
 */
void
tacho_markdown_writer_delete (TachoMarkdownWriter *writer, int offset)
{
  GtkTextIter from, to;

  for (guint i = writer->boxes->len; i > 0; i--)
    {
      const TachoTextBox *box = &g_array_index (writer->boxes, TachoTextBox, i - 1);
      GtkTextIter begin;

      gtk_text_buffer_get_iter_at_mark (writer->buffer, &begin, box->begin);
      if (gtk_text_iter_get_offset (&begin) < offset)
        continue;
      gtk_text_buffer_delete_mark (writer->buffer, box->begin);
      gtk_text_buffer_delete_mark (writer->buffer, box->end);
      g_array_remove_index (writer->boxes, i - 1);
    }
  gtk_text_buffer_get_iter_at_offset (writer->buffer, &from, offset);
  get_at (writer, &to);
  gtk_text_buffer_delete (writer->buffer, &from, &to);
}

static void
write_span (TachoMarkdownWriter *writer,
            const TachoMarkdownText *text,
            const TachoMarkdownSpan *span,
            gsize from)
{
  TachoMarkdownTags *tags = &writer->tags;
  gsize first = MAX (span->begin, from);
  int begin = tacho_markdown_writer_get_offset (writer);
  int end;

  if (first >= span->end)
    return;
  tacho_markdown_writer_insert (writer, text->text->str + first, span->end - first, NULL, NULL);
  if (span->style == TACHO_MARKDOWN_PLAIN)
    return;
  end = tacho_markdown_writer_get_offset (writer);
  if ((span->style & TACHO_MARKDOWN_BOLD) != 0)
    apply (writer, tags->bold, begin, end);
  if ((span->style & TACHO_MARKDOWN_ITALIC) != 0)
    apply (writer, tags->italic, begin, end);
  if ((span->style & TACHO_MARKDOWN_MONOSPACE) != 0)
    apply (writer, tags->mono, begin, end);
  if ((span->style & TACHO_MARKDOWN_STRIKE) != 0)
    apply (writer, tags->strike, begin, end);
  if (span->href != NULL)
    {
      apply (writer, tags->link, begin, end);
      apply (writer, tacho_markdown_tags_get_link_tag (tags, span->href), begin, end);
    }
}

/**
 * tacho_markdown_writer_text:
 * @writer: a writer
 * @block: a paragraph or heading of which the first bytes are written
 * @from: how many bytes
 *
 * Writes the rest.
 */
void
tacho_markdown_writer_text (TachoMarkdownWriter *writer,
                            const TachoMarkdownBlock *block,
                            gsize from)
{
  TachoMarkdownTags *tags = &writer->tags;
  int begin = tacho_markdown_writer_get_offset (writer);
  int end;

  for (guint i = 0; i < block->content.spans->len; i++)
    write_span (writer, &block->content,
                &g_array_index (block->content.spans, TachoMarkdownSpan, i), from);
  end = tacho_markdown_writer_get_offset (writer);
  if (block->kind == TACHO_MARKDOWN_BLOCK_HEADING)
    apply (writer, tags->heading[CLAMP (block->level, 1, 6) - 1], begin, end);
  if (block->quote > 0 || block->indent > 0)
    apply (writer,
           tacho_markdown_tags_get_margin_tag (
               tags, tacho_markdown_tags_get_margin (block->quote, block->indent)),
           begin, end);
}

static int
write_paragraph (TachoMarkdownWriter *writer, const TachoMarkdownBlock *block)
{
  TachoMarkdownTags *tags = &writer->tags;
  int begin = tacho_markdown_writer_get_offset (writer);
  int content;

  if (block->marker != NULL)
    {
      tacho_markdown_writer_insert (
          writer, block->marker, strlen (block->marker),
          tacho_markdown_tags_get_margin_tag (
              tags, tacho_markdown_tags_get_margin (block->quote, block->indent)),
          tacho_markdown_tags_get_item_tag (tags));
      tacho_markdown_writer_insert (writer, "\t", 1, NULL, NULL);
    }
  content = tacho_markdown_writer_get_offset (writer);
  tacho_markdown_writer_text (writer, block, 0);
  if (block->kind != TACHO_MARKDOWN_BLOCK_HEADING)
    apply (writer, block->marker != NULL ? tags->near : tags->apart, begin, begin + 1);
  return content;
}

static int
write_code (TachoMarkdownWriter *writer, const TachoMarkdownBlock *block, gboolean live)
{
  TachoMarkdownTags *tags = &writer->tags;
  int margin = tacho_markdown_tags_get_margin (block->quote, block->indent);
  GtkTextTag *margin_tag =
      tacho_markdown_tags_get_margin_tag (tags, margin + TACHO_MARKDOWN_CODE_PADDING);
  TachoCodeHeader *header = tacho_code_header_new (block->language);
  int begin = tacho_markdown_writer_get_offset (writer);
  int content;

  tacho_code_header_append (header, block->content.text->str, block->content.text->len);
  tacho_markdown_writer_add_widget (writer, GTK_WIDGET (header));
  apply (writer, margin_tag, begin, begin + 1);
  apply (writer, tags->apart, begin, begin + 1);
  tacho_markdown_writer_insert (writer, "\n", 1, margin_tag, NULL);
  content = tacho_markdown_writer_get_offset (writer);
  tacho_markdown_writer_insert (writer, block->content.text->str, block->content.text->len,
                                tags->code, margin_tag);
  tacho_markdown_writer_add_box (writer, TACHO_TEXT_BOX_CODE, begin, margin, 0);
  if (live)
    return content;
  remember (writer->codes, GTK_WIDGET (header));
  tacho_code_highlight (writer->buffer, content, block->content.text->str, block->language,
                        tags->dark);
  return content;
}

/* While it grows a table is text: a widget would be built anew with each frame. */
static void
write_live_table (TachoMarkdownWriter *writer, const TachoMarkdownBlock *block)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < block->cells->len; i++)
    {
      const TachoMarkdownCell *cell = g_ptr_array_index (block->cells, i);
      gboolean last = (i + 1) % block->columns == 0;

      g_string_append (text, cell->content.text->str);
      g_string_append (text, !last ? " │ " : i + 1 < block->cells->len ? "\n" : "");
    }
  tacho_markdown_writer_insert (writer, text->str, text->len, writer->tags.code, NULL);
}

static void
write_table (TachoMarkdownWriter *writer, const TachoMarkdownBlock *block)
{
  TachoMarkdownTable *table = tacho_markdown_table_new (block);
  int margin = tacho_markdown_tags_get_margin (block->quote, block->indent);
  int begin = tacho_markdown_writer_get_offset (writer);

  tacho_markdown_table_set_width (table, writer->width - margin);
  tacho_markdown_writer_add_widget (writer, GTK_WIDGET (table));
  remember (writer->tables, GTK_WIDGET (table));
  apply (writer, writer->tags.apart, begin, begin + 1);
  apply (writer, tacho_markdown_tags_get_margin_tag (&writer->tags, margin), begin, begin + 1);
}

/**
 * tacho_markdown_writer_block:
 * @writer: a writer
 * @block: what to write
 * @first: whether nothing of this text stands above
 * @live: whether it may still change: what costs much is then left out
 *
 * Returns: where its content begins, in characters
 */
int
tacho_markdown_writer_block (TachoMarkdownWriter *writer,
                             const TachoMarkdownBlock *block,
                             gboolean first,
                             gboolean live)
{
  int begin;
  int content;

  if (!first)
    tacho_markdown_writer_insert (writer, "\n", 1, NULL, NULL);
  begin = content = tacho_markdown_writer_get_offset (writer);
  switch (block->kind)
    {
    case TACHO_MARKDOWN_BLOCK_CODE:
      content = write_code (writer, block, live);
      break;
    case TACHO_MARKDOWN_BLOCK_TABLE:
      if (live)
        write_live_table (writer, block);
      else
        write_table (writer, block);
      break;
    case TACHO_MARKDOWN_BLOCK_RULE:
      tacho_markdown_writer_insert (writer, RULE, strlen (RULE), writer->tags.rule, NULL);
      break;
    case TACHO_MARKDOWN_BLOCK_PARAGRAPH:
    case TACHO_MARKDOWN_BLOCK_HEADING:
    default:
      content = write_paragraph (writer, block);
      break;
    }
  if (block->quote > 0)
    tacho_markdown_writer_add_box (writer, TACHO_TEXT_BOX_QUOTE, begin, 0, block->quote);
  return content;
}
