/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A reply that grows. The text is in three parts: blocks that are final and never looked at again;
 * the blocks after those, parsed with each addition and written only from where they differ from
 * what stands; and code in an open fence, to which lines are added as they come. So the cost of a
 * token does not grow with the reply. */
#define G_LOG_DOMAIN "tacho-markdown-stream"

#include "config.h"

#include "app/tacho-markdown-stream.h"

#include <string.h>

#define MAX_TAIL (4 * 1024)   /* bytes of a paragraph that are parsed with each addition */
#define MAX_ANEW (256 * 1024) /* bytes of a reply that is compared with the whole at its end */
#define MAX_TABLE (64 * 1024) /* a table cut in two would be none */

typedef struct
{
  int begin;   /* characters from the base, its line break among them */
  int content; /* where its content begins */
} Place;

static void
free_block (gpointer data)
{
  /* NULL: it was handed on. */
  if (data != NULL)
    tacho_markdown_block_free (data);
}

/**
 * tacho_markdown_stream_begin:
 * @stream: closed
 * @writer: where it goes; it must write at the end of what stands there
 *
 * Begins a reply.
 */
void
tacho_markdown_stream_begin (TachoMarkdownStream *stream, TachoMarkdownWriter *writer)
{
  GtkTextIter at;

  memset (stream, 0, sizeof *stream);
  stream->writer = writer;
  stream->raw = g_string_new (NULL);
  stream->split.fresh = TRUE;
  stream->settled = g_ptr_array_new_with_free_func (free_block);
  stream->blocks = g_ptr_array_new_with_free_func (free_block);
  stream->places = g_array_new (FALSE, FALSE, sizeof (Place));
  stream->empty = TRUE;
  gtk_text_buffer_get_iter_at_mark (writer->buffer, &at, writer->at);
  stream->base = gtk_text_buffer_create_mark (writer->buffer, NULL, &at, TRUE);
  stream->start = gtk_text_buffer_create_mark (writer->buffer, NULL, &at, TRUE);
}

static int
get_base (TachoMarkdownStream *self)
{
  GtkTextIter base;

  gtk_text_buffer_get_iter_at_mark (self->writer->buffer, &base, self->base);
  return gtk_text_iter_get_offset (&base);
}

static void
move_base (TachoMarkdownStream *self, int offset)
{
  GtkTextIter iter;

  gtk_text_buffer_get_iter_at_offset (self->writer->buffer, &iter, offset);
  gtk_text_buffer_move_mark (self->writer->buffer, self->base, &iter);
}

static gboolean
is_text (const TachoMarkdownBlock *block)
{
  return block->kind == TACHO_MARKDOWN_BLOCK_PARAGRAPH ||
         block->kind == TACHO_MARKDOWN_BLOCK_HEADING;
}

/* Everything but the content is the same. */
static gboolean
is_same_place (const TachoMarkdownBlock *a, const TachoMarkdownBlock *b)
{
  return is_text (a) && a->kind == b->kind && a->level == b->level && a->quote == b->quote &&
         a->indent == b->indent && g_strcmp0 (a->marker, b->marker) == 0 && a->quote == 0;
}

/* Adds the blocks of a part of the text. */
static void
parse (GPtrArray *blocks, const char *text, gsize length)
{
  g_autoptr (GPtrArray) part = NULL;

  if (length == 0)
    return;
  part = tacho_markdown_parse (text, length);
  g_ptr_array_set_free_func (part, NULL);
  for (guint i = 0; i < part->len; i++)
    g_ptr_array_add (blocks, g_ptr_array_index (part, i));
}

/* How many blocks may stay as they stand. Those that are now final and were not must be written
 * for good. */
static guint
count_kept (TachoMarkdownStream *self, GPtrArray *blocks, guint n_final)
{
  guint i = 0;

  for (; i < self->blocks->len && i < blocks->len; i++)
    {
      const TachoMarkdownBlock *old = g_ptr_array_index (self->blocks, i);

      if (!tacho_markdown_block_equal (old, g_ptr_array_index (blocks, i)) ||
          (i < n_final &&
           (old->kind == TACHO_MARKDOWN_BLOCK_CODE || old->kind == TACHO_MARKDOWN_BLOCK_TABLE)))
        break;
    }
  return i;
}

/* Makes the view show these blocks after the base, of which the first n_final are final. */
static void
show (TachoMarkdownStream *self, GPtrArray *blocks, guint n_final)
{
  TachoMarkdownWriter *writer = self->writer;
  int base = get_base (self);
  guint i = count_kept (self, blocks, n_final);

  if (i < self->blocks->len)
    {
      const TachoMarkdownBlock *old = g_ptr_array_index (self->blocks, i);
      const Place *place = &g_array_index (self->places, Place, i);
      TachoMarkdownBlock *new = i < blocks->len ? g_ptr_array_index (blocks, i) : NULL;
      gsize common = new != NULL &&is_same_place (old, new)
                         ? tacho_markdown_text_common (&old->content, &new->content)
                         : 0;

      if (common > 0)
        {
          tacho_markdown_writer_delete (
              writer, base + place->content +
                          (int) g_utf8_strlen (new->content.text->str, (gssize) common));
          tacho_markdown_writer_text (writer, new, common);
          i++;
        }
      else
        tacho_markdown_writer_delete (writer, base + place->begin);
      g_array_set_size (self->places, i);
    }
  for (; i < blocks->len; i++)
    {
      Place place = { .begin = tacho_markdown_writer_get_offset (writer) - base };

      place.content = tacho_markdown_writer_block (writer, g_ptr_array_index (blocks, i),
                                                   self->empty && i == 0, i >= n_final) -
                      base;
      g_array_append_val (self->places, place);
    }
}

/* The first blocks will not change again. */
static void
settle (TachoMarkdownStream *self, GPtrArray *blocks, guint n_final)
{
  int first;

  if (n_final > 0)
    {
      self->empty = FALSE;
      first = n_final < self->places->len
                  ? g_array_index (self->places, Place, n_final).begin
                  : tacho_markdown_writer_get_offset (self->writer) - get_base (self);
      move_base (self, get_base (self) + first);
      g_array_remove_range (self->places, 0, n_final);
      for (guint i = 0; i < self->places->len; i++)
        {
          g_array_index (self->places, Place, i).begin -= first;
          g_array_index (self->places, Place, i).content -= first;
        }
      for (guint i = 0; i < n_final; i++)
        g_ptr_array_add (self->settled, g_steal_pointer (&g_ptr_array_index (blocks, i)));
      g_ptr_array_remove_range (blocks, 0, n_final);
    }
  g_ptr_array_unref (self->blocks);
  self->blocks = blocks;
}

static void
show_text (TachoMarkdownStream *self)
{
  GPtrArray *blocks = g_ptr_array_new_with_free_func (free_block);
  guint n_final;

  if (self->code != NULL)
    {
      tacho_markdown_writer_delete (self->writer, get_base (self));
      self->code = NULL;
    }
  parse (blocks, self->raw->str + self->done, self->split.stable - self->done);
  n_final = blocks->len;
  if (self->split.fence == 0 || self->split.fence_begin != self->split.stable)
    parse (blocks, self->raw->str + self->split.stable, self->raw->len - self->split.stable);
  self->done = self->split.stable;
  show (self, blocks, n_final);
  settle (self, blocks, n_final);
}

/* A line that may become the end of the fence is held back. */
static gsize
shown_length (TachoMarkdownStream *self)
{
  const char *line = self->raw->str + MAX (self->split.scanned, self->code_done);

  return line[0] != '\0' && line[strspn (line, "`~ ")] == '\0' ? (gsize) (line - self->raw->str)
                                                               : self->raw->len;
}

static void
show_code (TachoMarkdownStream *self)
{
  TachoMarkdownWriter *writer = self->writer;
  GtkTextTag *margin_tag =
      tacho_markdown_tags_get_margin_tag (&writer->tags, TACHO_MARKDOWN_CODE_PADDING);
  GtkTextIter at;
  gsize end;

  if (self->code == NULL)
    {
      g_autoptr (GString) nothing = g_string_new (NULL);
      g_autofree char *language = NULL;
      g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (TachoMarkdownSpan));
      TachoMarkdownBlock block = { .kind = TACHO_MARKDOWN_BLOCK_CODE,
                                   .content = { .text = nothing, .spans = spans } };
      GtkTextChildAnchor *anchor;
      GtkTextIter iter;
      guint n;
      GtkWidget **widgets;

      self->code_done =
          tacho_markdown_fence_content (&self->split, self->raw->str, self->raw->len, &language);
      block.language = language;
      gtk_text_buffer_get_iter_at_offset (
          writer->buffer, &iter,
          tacho_markdown_writer_block (writer, &block, self->empty, TRUE) - 2);
      anchor = gtk_text_iter_get_child_anchor (&iter);
      widgets = gtk_text_child_anchor_get_widgets (anchor, &n);
      self->code = TACHO_CODE_HEADER (widgets[0]);
      self->code_end = g_array_index (writer->boxes, TachoTextBox, writer->boxes->len - 1).end;
      g_free (widgets);
    }
  end = shown_length (self);
  if (end <= self->code_done)
    return;
  tacho_code_header_append (self->code, self->raw->str + self->code_done, end - self->code_done);
  tacho_markdown_writer_insert (writer, self->raw->str + self->code_done, end - self->code_done,
                                writer->tags.code, margin_tag);
  self->code_done = end;
  gtk_text_buffer_get_iter_at_mark (writer->buffer, &at, writer->at);
  gtk_text_buffer_move_mark (writer->buffer, self->code_end, &at);
}

/* A paragraph without end is cut at a word, so that its beginning can be left alone. */
static void
cut_long_tail (TachoMarkdownStream *self)
{
  const TachoMarkdownBlock *last =
      self->blocks->len > 0 ? g_ptr_array_index (self->blocks, self->blocks->len - 1) : NULL;
  gsize limit = last != NULL && last->kind == TACHO_MARKDOWN_BLOCK_TABLE ? MAX_TABLE : MAX_TAIL;
  const char *cut;

  if (self->split.fence > 0 || self->raw->len - self->split.stable <= limit)
    return;
  cut = g_strrstr_len (self->raw->str + self->split.stable,
                       (gssize) (self->raw->len - self->split.stable), " ");
  if (cut == NULL)
    return;
  self->was_cut = TRUE;
  self->split.stable = (gsize) (cut + 1 - self->raw->str);
  self->split.scanned = MAX (self->split.scanned, self->split.stable);
  self->split.in_list = FALSE;
}

/**
 * tacho_markdown_stream_append:
 * @stream: an open stream
 * @text: (array length=length): clean text that came
 * @length: bytes
 *
 * Shows it.
 */
void
tacho_markdown_stream_append (TachoMarkdownStream *stream, const char *text, gsize length)
{
  g_string_append_len (stream->raw, text, (gssize) length);
  tacho_markdown_split_scan (&stream->split, stream->raw->str, stream->raw->len);
  cut_long_tail (stream);
  if (stream->split.fence == 0 || stream->split.fence_begin != stream->split.stable)
    show_text (stream);
  else
    {
      if (stream->done < stream->split.stable || stream->blocks->len > 0)
        show_text (stream);
      show_code (stream);
    }
}

/* Whether what stands is what the whole text says. */
static gboolean
is_right (TachoMarkdownStream *self, GPtrArray *whole)
{
  if (whole->len != self->settled->len)
    return FALSE;
  for (guint i = 0; i < whole->len; i++)
    if (!tacho_markdown_block_equal (g_ptr_array_index (whole, i),
                                     g_ptr_array_index (self->settled, i)))
      return FALSE;
  return TRUE;
}

/* A definition of links may stand below the links that need it, and a contrived text may have been
 * split where it should not. A paragraph that was cut stays so: it would be laid out as one
 * line. */
static void
correct (TachoMarkdownStream *self)
{
  g_autoptr (GPtrArray) whole = NULL;
  GtkTextIter start;

  if (self->was_cut || self->raw->len > MAX_ANEW)
    return;
  whole = tacho_markdown_parse (self->raw->str, self->raw->len);
  if (is_right (self, whole))
    return;
  gtk_text_buffer_get_iter_at_mark (self->writer->buffer, &start, self->start);
  tacho_markdown_writer_delete (self->writer, gtk_text_iter_get_offset (&start));
  for (guint i = 0; i < whole->len; i++)
    tacho_markdown_writer_block (self->writer, g_ptr_array_index (whole, i), i == 0, FALSE);
}

/**
 * tacho_markdown_stream_end:
 * @stream: an open stream
 *
 * Writes for good what could still have changed, and closes it.
 */
void
tacho_markdown_stream_end (TachoMarkdownStream *stream)
{
  if (!tacho_markdown_stream_is_open (stream))
    return;
  /* Code without an end, too, is whole now. */
  if (stream->raw->len > 0)
    {
      stream->split.stable = stream->raw->len;
      stream->split.fence = 0;
      show_text (stream);
    }
  correct (stream);
  gtk_text_buffer_delete_mark (stream->writer->buffer, stream->base);
  gtk_text_buffer_delete_mark (stream->writer->buffer, stream->start);
  g_ptr_array_unref (stream->settled);
  g_ptr_array_unref (stream->blocks);
  g_array_unref (stream->places);
  g_string_free (stream->raw, TRUE);
  memset (stream, 0, sizeof *stream);
}

/**
 * tacho_markdown_stream_is_open:
 * @stream: a stream
 *
 * Returns: whether it was begun and not ended
 */
gboolean
tacho_markdown_stream_is_open (const TachoMarkdownStream *stream)
{
  return stream->writer != NULL;
}
