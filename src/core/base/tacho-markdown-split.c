/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a growing Markdown text has blocks that no later text can change. In doubt a block stays in
 * the part that is drawn anew. Lines are looked at, not parsed, so that contrived texts (code
 * within a list within a quotation) can be taken wrong: who draws the text compares it with the
 * whole at its end. */
#define G_LOG_DOMAIN "tacho-markdown-split"

#include "config.h"

#include "base/tacho-markdown.h"

#include <string.h>

#define MAX_FENCE_INDENT 3 /* CommonMark 4.5 */
#define MIN_FENCE 3

static gsize
count (const char *line, gsize length, char c)
{
  gsize n = 0;

  while (n < length && line[n] == c)
    n++;
  return n;
}

static gboolean
is_blank (const char *line, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
      return FALSE;
  return TRUE;
}

/* CommonMark 4.5: a mark of backticks may not have one in what follows it. */
static gsize
fence_length (const char *line, gsize length)
{
  char c = length > 0 ? line[0] : '\0';
  gsize n;

  if (c != '`' && c != '~')
    return 0;
  n = count (line, length, c);
  if (n < MIN_FENCE || (c == '`' && memchr (line + n, '`', length - n) != NULL))
    return 0;
  return n;
}

/* "- ", "* ", "+ ", "12. ", "12) "; number: -1 for a bullet. */
static gboolean
is_item (const char *line, gsize length, gint64 *number)
{
  gsize digits = 0;

  *number = -1;
  if (length > 1 && strchr ("-*+", line[0]) != NULL)
    return line[1] == ' ' || line[1] == '\t';
  while (digits < length && digits < 9 && g_ascii_isdigit (line[digits]))
    digits++;
  if (digits == 0 || digits + 1 >= length || (line[digits] != '.' && line[digits] != ')') ||
      line[digits + 1] != ' ')
    return FALSE;
  *number = (gint64) g_ascii_strtoull (line, NULL, 10);
  return TRUE;
}

static gboolean
is_blank_item (const char *line, gsize length)
{
  const char *space = memchr (line, ' ', length);

  return space == NULL || is_blank (space, length - (gsize) (space - line));
}

static gboolean
is_heading (const char *line, gsize length)
{
  gsize n = count (line, length, '#');

  return n >= 1 && n <= 6 && (n == length || line[n] == ' ' || line[n] == '\t');
}

static void
scan_fenced (TachoMarkdownSplit *self, const char *line, gsize length, gsize next)
{
  gsize indent = count (line, length, ' ');
  gsize n = count (line + indent, length - indent, self->fence_char);

  if (n < self->fence || !is_blank (line + indent + n, length - indent - n) ||
      (indent > MAX_FENCE_INDENT && !self->in_list))
    return;
  self->fence = 0;
  self->fresh = TRUE;
  if (!self->in_list)
    self->stable = MAX (self->stable, next);
}

static void
scan_line (TachoMarkdownSplit *self, const char *line, gsize length, gsize at)
{
  gsize indent = count (line, length, ' ');
  gsize fence = indent <= MAX_FENCE_INDENT || self->in_list
                    ? fence_length (line + indent, length - indent)
                    : 0;
  gboolean heading = is_heading (line, length);
  gint64 number;
  gboolean marked = is_item (line, length, &number);
  /* An item without text interrupts no paragraph, and what follows need not be its own. */
  gboolean item = marked && !is_blank_item (line, length);
  gboolean in_order = number < 0 || (guint64) number == self->number + 1;

  if (indent == 0 && line[0] != '\t')
    {
      /* An item whose number is not the next one is counted from those before it. */
      if (item && self->in_list ? in_order : self->fresh || heading || fence > 0)
        self->stable = MAX (self->stable, at);
      if (self->fresh || heading || fence > 0 || marked)
        self->in_list = item;
      if (item && number >= 0)
        self->number = (guint64) number;
    }
  if (fence > 0)
    {
      self->fence = fence;
      self->fence_char = line[indent];
      self->fence_begin = at;
    }
  self->fresh = heading && indent == 0;
}

/**
 * tacho_markdown_split_scan:
 * @split: how far it is known
 * @text: (array length=length): all of the text so far; it must begin with what was scanned before
 * @length: bytes
 *
 * Looks at the lines that have become whole. Linear in what is new.
 */
void
tacho_markdown_split_scan (TachoMarkdownSplit *split, const char *text, gsize length)
{
  const char *end;

  g_return_if_fail (split->scanned <= length);

  while ((end = memchr (text + split->scanned, '\n', length - split->scanned)) != NULL)
    {
      gsize at = split->scanned;
      gsize size = (gsize) (end - text) - at;
      gsize next = at + size + 1;

      if (split->fence > 0)
        scan_fenced (split, text + at, size, next);
      else if (is_blank (text + at, size))
        split->fresh = TRUE;
      else
        scan_line (split, text + at, size, at);
      split->scanned = next;
    }
}

/**
 * tacho_markdown_fence_content:
 * @split: a text in which code is open at its stable end
 * @text: (array length=length): the text
 * @length: bytes
 * @language: (out) (transfer full) (nullable): what the fence says that it is
 *
 * Returns: where the code begins: after the fence's line
 */
gsize
tacho_markdown_fence_content (const TachoMarkdownSplit *split,
                              const char *text,
                              gsize length,
                              char **language)
{
  const char *line = text + split->fence_begin;
  const char *end = memchr (line, '\n', length - split->fence_begin);
  gsize size = end != NULL ? (gsize) (end - line) : length - split->fence_begin;
  gsize at = count (line, size, ' ');
  g_autofree char *info = NULL;

  at += count (line + at, size - at, split->fence_char);
  info = g_strstrip (g_strndup (line + at, size - at));
  info[strcspn (info, " \t{")] = '\0';
  *language = info[0] != '\0' ? g_steal_pointer (&info) : NULL;
  return split->fence_begin + size + (end != NULL ? 1 : 0);
}
