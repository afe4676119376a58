/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Markdown into blocks, and which of them a growing text can no longer change. */
#include "base/tacho-markdown.h"

#include "test-utils.h"

static char *
describe_text (const TachoMarkdownText *text)
{
  static const char marks[] = "bimsl";
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < text->spans->len; i++)
    {
      const TachoMarkdownSpan *span = &g_array_index (text->spans, TachoMarkdownSpan, i);

      if (span->style != 0)
        g_string_append_c (out, '<');
      for (guint j = 0; j < 5; j++)
        if ((span->style & (1 << j)) != 0)
          g_string_append_c (out, marks[j]);
      if (span->style != 0)
        g_string_append_c (out, ' ');
      g_string_append_len (out, text->text->str + span->begin, (gssize) (span->end - span->begin));
      if (span->href != NULL)
        g_string_append_printf (out, "=%s", span->href);
      if (span->style != 0)
        g_string_append_c (out, '>');
    }
  return g_string_free (out, FALSE);
}

/* One line a block: what a view draws. */
static char *
describe (const char *markdown)
{
  static const char *const kinds[] = { "p", "h", "code", "table", "hr" };
  g_autoptr (GPtrArray) blocks = tacho_markdown_parse (markdown, strlen (markdown));
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < blocks->len; i++)
    {
      const TachoMarkdownBlock *block = g_ptr_array_index (blocks, i);
      g_autofree char *text = describe_text (&block->content);

      g_string_append_printf (out, "%s%s", i > 0 ? "|" : "", kinds[block->kind]);
      if (block->level > 0)
        g_string_append_printf (out, "%u", block->level);
      if (block->quote > 0)
        g_string_append_printf (out, "q%u", block->quote);
      if (block->indent > 0)
        g_string_append_printf (out, "i%u", block->indent);
      if (block->marker != NULL)
        g_string_append_printf (out, "[%s]", block->marker);
      if (block->language != NULL)
        g_string_append_printf (out, "{%s}", block->language);
      g_string_append_printf (out, ":%s", text);
      for (guint j = 0; block->cells != NULL && j < block->cells->len; j++)
        {
          const TachoMarkdownCell *cell = g_ptr_array_index (block->cells, j);
          g_autofree char *inner = describe_text (&cell->content);

          g_string_append_printf (out, "(%s%s%s)", cell->header ? "#" : "",
                                  cell->align > 0    ? ">"
                                  : cell->align == 0 ? "^"
                                                     : "",
                                  inner);
        }
    }
  return g_string_free (out, FALSE);
}

static const struct
{
  const char *markdown;
  const char *blocks;
} cases[] = {
  { "", "" },
  { "Hello", "p:Hello" },
  { "One\ntwo\n\nThree", "p:One\ntwo|p:Three" },
  { "# A\n## B *c*", "h1:A|h2:B <i c>" },
  { "**b** _i_ `m` ~~s~~", "p:<b b> <i i> <m m> <s s>" },
  { "***x***", "p:<bi x>" },
  { "[t](https://e.org/a?b=c)", "p:<l t=https://e.org/a?b=c>" },
  { "see https://e.org now", "p:see <l https://e.org=https://e.org> now" },
  { "![alt](http://e.org/x.png)", "p:<l alt=http://e.org/x.png>" },
  { "- a\n- b\n  - c", "pi1[•]:a|pi1[•]:b|pi2[◦]:c" },
  { "3. a\n4. b", "pi1[3.]:a|pi1[4.]:b" },
  { "0. a\n1. b", "pi1[0.]:a|pi1[1.]:b" },
  { "1. a\n\n   more\n1. b", "pi1[1.]:a|pi1:more|pi1[2.]:b" },
  { "- [x] a\n- [ ] b", "pi1[☑]:a|pi1[☐]:b" },
  { "-\n- b", "pi1[•]:|pi1[•]:b" },
  { "> a\n> > b", "pq1:a|pq2:b" },
  { "```c\nint a;\n\nint b;\n```", "code{c}:<m int a;\n\nint b;>" },
  { "```\nopen", "code:<m open>" },
  { "a\n\n---\n\nb", "p:a|hr:|p:b" },
  { "|a|b|\n|:--|--:|\n|1|**2**|", "table:(#a)(#>b)(1)(><b 2>)" },
  { "<b>no</b> &lt;x&gt; &#65; &#x42; &bogus;", "p:<b>no</b> <x> A B &bogus;" },
  { "&#27;[31m &#8238;x", "p:&#27;[31m &#8238;x" },
  { "<script>x</script>", "p:<script>x</script>" },
};

static void
test_blocks (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *blocks = describe (cases[i].markdown);
      /* Code stands in spans of plain text: its look is the block's. */
      g_autoptr (GString) expected = g_string_new (cases[i].blocks);

      if (strncmp (expected->str, "code", 4) == 0)
        {
          g_string_replace (expected, "<m ", "", 0);
          g_string_replace (expected, ">", "", 0);
        }
      g_assert_cmpstr (blocks, ==, expected->str);
    }
}

static void
test_hostile (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GPtrArray) blocks = NULL;
  g_autoptr (GPtrArray) deep = NULL;

  /* A table whose rows are short: each asks for as many cells as the header has. */
  for (guint i = 0; i < 400; i++)
    g_string_append (text, "|a");
  g_string_append (text, "|\n");
  for (guint i = 0; i < 400; i++)
    g_string_append (text, "|---");
  g_string_append (text, "|\n");
  for (guint i = 0; i < 400; i++)
    g_string_append (text, "|x\n");
  blocks = tacho_markdown_parse (text->str, text->len);
  g_assert_cmpuint (blocks->len, ==, 1);
  g_assert_cmpint (((TachoMarkdownBlock *) g_ptr_array_index (blocks, 0))->kind, ==,
                   TACHO_MARKDOWN_BLOCK_PARAGRAPH);

  g_string_truncate (text, 0);
  for (guint i = 0; i < 200; i++)
    g_string_append (text, "> ");
  g_string_append (text, "x");
  deep = tacho_markdown_parse (text->str, text->len);
  g_assert_cmpuint (((TachoMarkdownBlock *) g_ptr_array_index (deep, 0))->quote, <=, 8);
}

static void
test_common (void)
{
  static const struct
  {
    const char *a, *b;
    gsize common;
  } pairs[] = {
    { "abc", "abcdef", 3 },
    { "abc **de", "abc **de**", 4 },
    { "a **b** c", "a **b** cd", 5 },
    { "ä", "ö", 0 },
    { "xä", "xö", 1 },
    { "`a`", "`ab`", 1 },
    { "[a](u)", "[a](v)", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autoptr (GPtrArray) a = tacho_markdown_parse (pairs[i].a, strlen (pairs[i].a));
      g_autoptr (GPtrArray) b = tacho_markdown_parse (pairs[i].b, strlen (pairs[i].b));
      const TachoMarkdownBlock *x = g_ptr_array_index (a, 0);
      const TachoMarkdownBlock *y = g_ptr_array_index (b, 0);

      g_assert_cmpuint (tacho_markdown_text_common (&x->content, &y->content), ==, pairs[i].common);
      g_assert_true (tacho_markdown_block_equal (x, x));
      g_assert_false (tacho_markdown_block_equal (x, y));
    }
}

static char *
describe_piece (const char *text, gsize length)
{
  g_autofree char *piece = g_strndup (text, length);

  return describe (piece);
}

/* The blocks of the stable part and of the rest, parsed apart, are those of the whole; and the
 * stable part of a text that grows byte by byte never changes. */
static void
test_split (void)
{
  static const char *const texts[] = {
    "One\n\nTwo\n\nThree",
    "# H\nText\n## H2\n- a\n- b\n\n- c\n\nEnd\n",
    "1. a\n2. b\n3. c\n\nText\n\n1. x\n\n1. y\n\n1. z\n",
    "Code:\n```python\nprint(1)\n\n# no heading\n- no item\n```\nAfter\n\n~~~\n```\n~~~\nx",
    "- item\n\n  ```c\n  int a;\n\n  int b;\n  ```\n\n- next\n\nplain\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\nAfter\n",
    "> q\n\n> r\nlazy\n\nEnd",
    "Setext\n======\n\nText\n\n    indented\n\n    more\n\nEnd\n",
    "```\nnever closed\n\n\nstill",
    "````\n```\ninner\n```\n````\nout\n",
    "a\r\n\r\nb\r\n",
    "* a\n* b\n\n  c\n\n    d\n* e\n",
    "1. \n`x\n- \nText\n\nEnd\n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      TachoMarkdownSplit split = { 0 };
      gsize length = strlen (texts[i]);
      gsize stable = 0;

      for (gsize n = 0; n <= length; n++)
        {
          g_autofree char *sofar = g_strndup (texts[i], n);
          g_autofree char *whole = describe (sofar);
          g_autofree char *first = NULL;
          g_autofree char *rest = NULL;
          g_autofree char *joined = NULL;

          tacho_markdown_split_scan (&split, sofar, n);
          g_assert_cmpuint (split.stable, >=, stable);
          stable = split.stable;
          first = describe_piece (sofar, stable);
          rest = describe_piece (sofar + stable, n - stable);
          joined = g_strjoin (*first != '\0' && *rest != '\0' ? "|" : "", first, rest, NULL);
          g_assert_cmpstr (joined, ==, whole);
        }
      g_assert_cmpuint (strncmp (texts[i], "```\nnever", 9) == 0 ? 1 : stable, >, 0);
    }
}

static void
test_fence (void)
{
  const char *text = "Text\n\n```c++ title\nint a;\nint";
  TachoMarkdownSplit split = { 0 };
  g_autofree char *language = NULL;
  gsize at;

  tacho_markdown_split_scan (&split, text, strlen (text));
  g_assert_cmpuint (split.fence, ==, 3);
  g_assert_cmpuint (split.stable, ==, split.fence_begin);
  at = tacho_markdown_fence_content (&split, text, strlen (text), &language);
  g_assert_cmpstr (text + at, ==, "int a;\nint");
  g_assert_cmpstr (language, ==, "c++");
}

static void
test_links (void)
{
  static const char *const good[] = { "https://example.org/a?b=c", "HTTP://x", "mailto:a@b" };
  static const char *const bad[] = {
    "file:///etc/passwd", "javascript:alert(1)", "", "/etc", "https://a b", "tel:1",
    "data:text/html"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (tacho_markdown_may_open (good[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (tacho_markdown_may_open (bad[i]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/markdown/blocks", test_blocks);
  g_test_add_func ("/markdown/hostile", test_hostile);
  g_test_add_func ("/markdown/common", test_common);
  g_test_add_func ("/markdown/split", test_split);
  g_test_add_func ("/markdown/fence", test_fence);
  g_test_add_func ("/markdown/links", test_links);
  return g_test_run ();
}
