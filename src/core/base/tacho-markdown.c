/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CommonMark with tables as a flat list of blocks. */
#define G_LOG_DOMAIN "tacho-markdown"

#include "config.h"

#include "base/tacho-markdown.h"

#include <md4c.h>
#include <string.h>

#define MAX_DEPTH 8     /* of quotations and lists that are told apart */
#define MAX_CELLS 20000 /* a few bytes can ask for millions of empty cells */
#define MAX_HREF 4096
#define MAX_LANGUAGE 64

typedef struct
{
  guint64 next; /* number of the next item; 0: bullets */
} List;

typedef struct
{
  GPtrArray *blocks;
  TachoMarkdownBlock *block; /* being filled; NULL: none */
  TachoMarkdownText *text;   /* where text goes: of the block or of a cell */
  guint quote;
  GArray *lists; /* of List */
  char *marker;  /* for the next block */
  guint bold, italic, mono, strike;
  GPtrArray *hrefs; /* of the links that are open */
  gboolean header;
  gboolean refused; /* md_parse() of 0.4 does not always say that a callback stopped it */
} Parser;

static void
text_init (TachoMarkdownText *text)
{
  text->text = g_string_new (NULL);
  text->spans = g_array_new (FALSE, FALSE, sizeof (TachoMarkdownSpan));
}

static void
text_clear (TachoMarkdownText *text)
{
  for (guint i = 0; i < text->spans->len; i++)
    g_free (g_array_index (text->spans, TachoMarkdownSpan, i).href);
  g_array_unref (text->spans);
  g_string_free (text->text, TRUE);
}

static void
cell_free (gpointer data)
{
  TachoMarkdownCell *cell = data;

  text_clear (&cell->content);
  g_free (cell);
}

/**
 * tacho_markdown_block_free:
 * @block: (transfer full): a block
 */
void
tacho_markdown_block_free (TachoMarkdownBlock *block)
{
  text_clear (&block->content);
  g_free (block->marker);
  g_free (block->language);
  g_clear_pointer (&block->cells, g_ptr_array_unref);
  g_free (block);
}

static void
block_free (gpointer data)
{
  tacho_markdown_block_free (data);
}

static TachoMarkdownBlock *
begin_block (Parser *self, TachoMarkdownKind kind)
{
  TachoMarkdownBlock *block = g_new0 (TachoMarkdownBlock, 1);

  block->kind = kind;
  block->quote = MIN (self->quote, MAX_DEPTH);
  block->indent = MIN (self->lists->len, MAX_DEPTH);
  block->marker = g_steal_pointer (&self->marker);
  text_init (&block->content);
  g_ptr_array_add (self->blocks, block);
  self->block = block;
  self->text = &block->content;
  return block;
}

static void
end_block (Parser *self)
{
  self->block = NULL;
  self->text = NULL;
}

static TachoMarkdownStyle
get_style (const Parser *self)
{
  TachoMarkdownStyle style = TACHO_MARKDOWN_PLAIN;

  if (self->bold > 0)
    style |= TACHO_MARKDOWN_BOLD;
  if (self->italic > 0)
    style |= TACHO_MARKDOWN_ITALIC;
  if (self->mono > 0)
    style |= TACHO_MARKDOWN_MONOSPACE;
  if (self->strike > 0)
    style |= TACHO_MARKDOWN_STRIKE;
  if (self->hrefs->len > 0)
    style |= TACHO_MARKDOWN_LINK;
  return style;
}

static void
add_text (Parser *self, const char *data, gsize length)
{
  const char *href =
      self->hrefs->len > 0 ? g_ptr_array_index (self->hrefs, self->hrefs->len - 1) : NULL;
  TachoMarkdownSpan span = { .style = get_style (self) };
  TachoMarkdownSpan *last;

  if (length == 0)
    return;
  if (self->text == NULL)
    begin_block (self, TACHO_MARKDOWN_BLOCK_PARAGRAPH); /* of a tight list item */
  span.begin = self->text->text->len;
  g_string_append_len (self->text->text, data, (gssize) length);
  span.end = self->text->text->len;
  last = self->text->spans->len > 0
             ? &g_array_index (self->text->spans, TachoMarkdownSpan, self->text->spans->len - 1)
             : NULL;
  if (last != NULL && last->style == span.style && g_strcmp0 (last->href, href) == 0)
    {
      last->end = span.end;
      return;
    }
  span.href = g_strdup (href);
  g_array_append_val (self->text->spans, span);
}

/* The entities that models write; others stay as they are. */
static void
add_entity (Parser *self, const char *data, gsize length)
{
  static const struct
  {
    const char *name;
    const char *text;
  } named[] = {
    { "&amp;", "&" },   { "&lt;", "<" },        { "&gt;", ">" },     { "&quot;", "\"" },
    { "&apos;", "'" },  { "&nbsp;", "\u00a0" }, { "&hellip;", "…" }, { "&mdash;", "—" },
    { "&ndash;", "–" }, { "&copy;", "©" },      { "&times;", "×" },  { "&rarr;", "→" },
    { "&larr;", "←" },  { "&le;", "≤" },        { "&ge;", "≥" },     { "&deg;", "°" },
  };
  g_autofree char *name = g_strndup (data, length);

  for (gsize i = 0; i < G_N_ELEMENTS (named); i++)
    if (strcmp (name, named[i].name) == 0)
      {
        add_text (self, named[i].text, strlen (named[i].text));
        return;
      }
  if (length > 3 && name[1] == '#')
    {
      gboolean hex = name[2] == 'x' || name[2] == 'X';
      guint64 code = g_ascii_strtoull (name + (hex ? 3 : 2), NULL, hex ? 16 : 10);
      char utf8[6];

      /* No controls by this door either. */
      if (code >= 0x20 && code <= 0x10ffff && g_unichar_validate ((gunichar) code) &&
          g_unichar_isprint ((gunichar) code))
        {
          add_text (self, utf8, (gsize) g_unichar_to_utf8 ((gunichar) code, utf8));
          return;
        }
    }
  add_text (self, data, length);
}

static char *
dup_attribute (const MD_ATTRIBUTE *attribute, gsize max)
{
  gsize size = MIN (attribute->size, max);
  g_autofree char *text = NULL;

  if (attribute->text == NULL || size == 0)
    return NULL;
  text = g_strndup (attribute->text, size);
  return g_utf8_make_valid (text, -1);
}

static void
begin_item (Parser *self, const MD_BLOCK_LI_DETAIL *detail)
{
  List *list =
      self->lists->len > 0 ? &g_array_index (self->lists, List, self->lists->len - 1) : NULL;

  g_clear_pointer (&self->marker, g_free);
  end_block (self);
  if (detail->is_task)
    self->marker = g_strdup (detail->task_mark == ' ' ? "☐" : "☑");
  else if (list != NULL && list->next > 0)
    self->marker = g_strdup_printf ("%" G_GUINT64_FORMAT ".", list->next - 1);
  else
    self->marker = g_strdup (self->lists->len % 2 == 1 ? "•" : "◦");
  if (list != NULL && list->next > 0)
    list->next++;
}

static int
begin_cell (Parser *self, const MD_BLOCK_TD_DETAIL *detail)
{
  TachoMarkdownCell *cell;

  if (self->block == NULL || self->block->cells == NULL || self->block->cells->len >= MAX_CELLS)
    self->refused = TRUE;
  if (self->refused)
    return 1;
  cell = g_new0 (TachoMarkdownCell, 1);
  text_init (&cell->content);
  cell->header = self->header;
  cell->align = detail->align == MD_ALIGN_RIGHT ? 1 : detail->align == MD_ALIGN_CENTER ? 0 : -1;
  g_ptr_array_add (self->block->cells, cell);
  self->text = &cell->content;
  return 0;
}

static int
enter_block_cb (MD_BLOCKTYPE type, void *detail, void *user_data)
{
  Parser *self = user_data;
  TachoMarkdownBlock *block;
  List list = { 0 };

  switch (type)
    {
    case MD_BLOCK_QUOTE:
      self->quote++;
      break;
    case MD_BLOCK_UL:
      end_block (self);
      g_array_append_val (self->lists, list);
      break;
    case MD_BLOCK_OL:
      end_block (self);
      list.next = (guint64) ((MD_BLOCK_OL_DETAIL *) detail)->start + 1;
      g_array_append_val (self->lists, list);
      break;
    case MD_BLOCK_LI:
      begin_item (self, detail);
      break;
    case MD_BLOCK_HR:
      begin_block (self, TACHO_MARKDOWN_BLOCK_RULE);
      end_block (self);
      break;
    case MD_BLOCK_H:
      begin_block (self, TACHO_MARKDOWN_BLOCK_HEADING)->level =
          ((MD_BLOCK_H_DETAIL *) detail)->level;
      break;
    case MD_BLOCK_CODE:
      block = begin_block (self, TACHO_MARKDOWN_BLOCK_CODE);
      block->language = dup_attribute (&((MD_BLOCK_CODE_DETAIL *) detail)->lang, MAX_LANGUAGE);
      break;
    case MD_BLOCK_P:
    case MD_BLOCK_HTML:
      begin_block (self, TACHO_MARKDOWN_BLOCK_PARAGRAPH);
      break;
    case MD_BLOCK_TABLE:
      block = begin_block (self, TACHO_MARKDOWN_BLOCK_TABLE);
      block->columns = ((MD_BLOCK_TABLE_DETAIL *) detail)->col_count;
      block->cells = g_ptr_array_new_with_free_func (cell_free);
      break;
    case MD_BLOCK_THEAD:
      self->header = TRUE;
      break;
    case MD_BLOCK_TBODY:
      self->header = FALSE;
      break;
    case MD_BLOCK_TH:
    case MD_BLOCK_TD:
      return begin_cell (self, detail);
    case MD_BLOCK_DOC:
    case MD_BLOCK_TR:
    default:
      break;
    }
  return 0;
}

static int
leave_block_cb (MD_BLOCKTYPE type, void *detail, void *user_data)
{
  Parser *self = user_data;

  switch (type)
    {
    case MD_BLOCK_QUOTE:
      self->quote--;
      end_block (self);
      break;
    case MD_BLOCK_UL:
    case MD_BLOCK_OL:
      g_array_set_size (self->lists, self->lists->len - 1);
      end_block (self);
      break;
    case MD_BLOCK_LI:
      if (self->marker != NULL)
        begin_block (self, TACHO_MARKDOWN_BLOCK_PARAGRAPH); /* an empty item */
      end_block (self);
      break;
    case MD_BLOCK_CODE:
      if (self->text != NULL && g_str_has_suffix (self->text->text->str, "\n"))
        {
          g_string_truncate (self->text->text, self->text->text->len - 1);
          g_array_index (self->text->spans, TachoMarkdownSpan, self->text->spans->len - 1).end--;
        }
      end_block (self);
      break;
    case MD_BLOCK_H:
    case MD_BLOCK_P:
    case MD_BLOCK_HTML:
    case MD_BLOCK_TABLE:
      end_block (self);
      break;
    case MD_BLOCK_DOC:
    case MD_BLOCK_HR:
    case MD_BLOCK_THEAD:
    case MD_BLOCK_TBODY:
    case MD_BLOCK_TR:
    case MD_BLOCK_TH:
    case MD_BLOCK_TD:
    default:
      break;
    }
  return 0;
}

static void
change_span (Parser *self, MD_SPANTYPE type, void *detail, int step)
{
  switch (type)
    {
    case MD_SPAN_EM:
      self->italic += (guint) step;
      break;
    case MD_SPAN_STRONG:
      self->bold += (guint) step;
      break;
    case MD_SPAN_CODE:
    case MD_SPAN_LATEXMATH:
    case MD_SPAN_LATEXMATH_DISPLAY:
      self->mono += (guint) step;
      break;
    case MD_SPAN_DEL:
      self->strike += (guint) step;
      break;
    case MD_SPAN_A:
    case MD_SPAN_IMG:
      /* The first member of both is where it points to. */
      if (step > 0)
        {
          char *href = dup_attribute (&((MD_SPAN_A_DETAIL *) detail)->href, MAX_HREF);

          g_ptr_array_add (self->hrefs, href != NULL ? href : g_strdup (""));
        }
      else
        g_ptr_array_set_size (self->hrefs, (int) self->hrefs->len - 1);
      break;
    case MD_SPAN_WIKILINK:
    case MD_SPAN_U:
    default:
      break;
    }
}

static int
enter_span_cb (MD_SPANTYPE type, void *detail, void *user_data)
{
  change_span (user_data, type, detail, 1);
  return 0;
}

static int
leave_span_cb (MD_SPANTYPE type, void *detail, void *user_data)
{
  change_span (user_data, type, detail, -1);
  return 0;
}

static int
text_cb (MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE size, void *user_data)
{
  Parser *self = user_data;

  switch (type)
    {
    case MD_TEXT_NULLCHAR:
      add_text (self, "\uFFFD", strlen ("\uFFFD"));
      break;
    case MD_TEXT_BR:
    case MD_TEXT_SOFTBR:
      /* Models break lines where they want them broken. */
      add_text (self, "\n", 1);
      break;
    case MD_TEXT_ENTITY:
      add_entity (self, text, size);
      break;
    case MD_TEXT_NORMAL:
    case MD_TEXT_CODE:
    case MD_TEXT_HTML:
    case MD_TEXT_LATEXMATH:
    default:
      add_text (self, text, size);
      break;
    }
  return 0;
}

/**
 * tacho_markdown_parse:
 * @text: (array length=length): valid UTF-8
 * @length: bytes
 *
 * Reads CommonMark 0.30 with GitHub's tables, task lists and struck-out text. HTML is text. What
 * cannot be parsed (a table of more than 20,000 cells) is one plain paragraph.
 *
 * Returns: (transfer full) (element-type TachoMarkdownBlock): its blocks in order
 */
GPtrArray *
tacho_markdown_parse (const char *text, gsize length)
{
  static const MD_PARSER callbacks = {
    .flags = MD_FLAG_NOHTML | MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_TASKLISTS |
             MD_FLAG_PERMISSIVEURLAUTOLINKS,
    .enter_block = enter_block_cb,
    .leave_block = leave_block_cb,
    .enter_span = enter_span_cb,
    .leave_span = leave_span_cb,
    .text = text_cb,
  };
  Parser parser = {
    .blocks = g_ptr_array_new_with_free_func (block_free),
    .lists = g_array_new (FALSE, FALSE, sizeof (List)),
    .hrefs = g_ptr_array_new_with_free_func (g_free),
  };
  int status;

  g_return_val_if_fail (text != NULL && length < G_MAXUINT32, NULL);

  status = md_parse (text, (MD_SIZE) length, &callbacks, &parser);
  g_clear_pointer (&parser.marker, g_free);
  if (status != 0 || parser.refused)
    {
      g_ptr_array_set_size (parser.blocks, 0);
      g_ptr_array_set_size (parser.hrefs, 0);
      g_array_set_size (parser.lists, 0);
      parser.quote = parser.bold = parser.italic = parser.mono = parser.strike = 0;
      end_block (&parser);
      add_text (&parser, text, length);
    }
  g_array_unref (parser.lists);
  g_ptr_array_unref (parser.hrefs);
  return parser.blocks;
}

static gboolean
same_span (const TachoMarkdownSpan *a, const TachoMarkdownSpan *b)
{
  return a->style == b->style && g_strcmp0 (a->href, b->href) == 0;
}

/**
 * tacho_markdown_text_common:
 * @a: text
 * @b: text
 *
 * Returns: how many bytes from the start, in whole characters, read and look the same in both
 */
gsize
tacho_markdown_text_common (const TachoMarkdownText *a, const TachoMarkdownText *b)
{
  gsize common = 0;

  for (guint i = 0; i < a->spans->len && i < b->spans->len; i++)
    {
      const TachoMarkdownSpan *x = &g_array_index (a->spans, TachoMarkdownSpan, i);
      const TachoMarkdownSpan *y = &g_array_index (b->spans, TachoMarkdownSpan, i);
      gsize end = MIN (x->end, y->end);

      if (x->begin != y->begin || !same_span (x, y))
        break;
      while (common < end && a->text->str[common] == b->text->str[common])
        common++;
      if (common < end || x->end != y->end)
        break;
    }
  while (common > 0 && common < b->text->len && (b->text->str[common] & 0xc0) == 0x80)
    common--;
  while (common > 0 && common < a->text->len && (a->text->str[common] & 0xc0) == 0x80)
    common--;
  return common;
}

static gboolean
same_text (const TachoMarkdownText *a, const TachoMarkdownText *b)
{
  return a->text->len == b->text->len && a->spans->len == b->spans->len &&
         tacho_markdown_text_common (a, b) == a->text->len;
}

/**
 * tacho_markdown_block_equal:
 * @a: a block
 * @b: a block
 *
 * Returns: whether both read and look the same
 */
gboolean
tacho_markdown_block_equal (const TachoMarkdownBlock *a, const TachoMarkdownBlock *b)
{
  guint n = a->cells != NULL ? a->cells->len : 0;

  if (a->kind != b->kind || a->level != b->level || a->quote != b->quote ||
      a->indent != b->indent || g_strcmp0 (a->marker, b->marker) != 0 ||
      g_strcmp0 (a->language, b->language) != 0 || a->columns != b->columns ||
      n != (b->cells != NULL ? b->cells->len : 0) || !same_text (&a->content, &b->content))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      const TachoMarkdownCell *x = g_ptr_array_index (a->cells, i);
      const TachoMarkdownCell *y = g_ptr_array_index (b->cells, i);

      if (x->align != y->align || x->header != y->header || !same_text (&x->content, &y->content))
        return FALSE;
    }
  return TRUE;
}

/**
 * tacho_markdown_may_open:
 * @href: where a link points to
 *
 * Only what a browser or mail program opens: a file or a program's own scheme that a model names is
 * never followed.
 *
 * Returns: whether a person may be offered to open it
 */
gboolean
tacho_markdown_may_open (const char *href)
{
  static const char *const schemes[] = { "https://", "http://", "mailto:" };

  for (gsize i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (g_ascii_strncasecmp (href, schemes[i], strlen (schemes[i])) == 0)
      return g_utf8_validate (href, -1, NULL) && strpbrk (href, " \t\r\n\"<>") == NULL;
  return FALSE;
}
