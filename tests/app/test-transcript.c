/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A reply that comes in pieces looks as one that was there from the start; what stands is kept. */
#include "app/tacho-code-header.h"
#include "app/tacho-markdown-tags.h"
#include "app/tacho-transcript.h"

#include <adwaita.h>
#include <math.h>
#include <string.h>

typedef struct
{
  GtkWidget *window;
  GtkScrolledWindow *scroll;
  TachoTranscript *transcript;
  GtkTextBuffer *buffer;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->transcript = g_object_new (TACHO_TYPE_TRANSCRIPT, NULL);
  f->buffer = gtk_text_view_get_buffer (GTK_TEXT_VIEW (f->transcript));
  f->scroll = GTK_SCROLLED_WINDOW (gtk_scrolled_window_new ());
  gtk_scrolled_window_set_child (f->scroll, GTK_WIDGET (f->transcript));
  f->window = gtk_window_new ();
  gtk_window_set_default_size (GTK_WINDOW (f->window), 700, 400);
  gtk_window_set_child (GTK_WINDOW (f->window), GTK_WIDGET (f->scroll));
  gtk_window_present (GTK_WINDOW (f->window));
  while (!gtk_widget_get_mapped (GTK_WIDGET (f->transcript)))
    g_main_context_iteration (NULL, TRUE);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  gtk_window_destroy (GTK_WINDOW (f->window));
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* What stands there, with the names or looks of its tags. */
static char *
describe (GtkTextBuffer *buffer)
{
  GString *out = g_string_new (NULL);
  GtkTextIter begin, end;

  gtk_text_buffer_get_start_iter (buffer, &begin);
  while (!gtk_text_iter_is_end (&begin))
    {
      g_autoptr (GSList) tags = gtk_text_iter_get_tags (&begin);
      g_autofree char *text = NULL;

      end = begin;
      gtk_text_iter_forward_char (&end);
      text = gtk_text_buffer_get_slice (buffer, &begin, &end, TRUE);
      /* A line break belongs to what stands before it or after it: no one sees its tags. */
      for (GSList *item = text[0] != '\n' ? tags : NULL; item != NULL; item = item->next)
        g_string_append_printf (out, "%d,", gtk_text_tag_get_priority (item->data));
      g_string_append (out, text);
      begin = end;
    }
  return g_string_free (out, FALSE);
}

static char *
get_text (GtkTextBuffer *buffer)
{
  GtkTextIter begin, end;

  gtk_text_buffer_get_bounds (buffer, &begin, &end);
  return gtk_text_buffer_get_slice (buffer, &begin, &end, TRUE);
}

static const char *const replies[] = {
  "Hello",
  "One paragraph.\n\nAnother **bold *and italic*** one with `code` and [a link](https://e.org).",
  "# Title\nText\n\n- a\n- b\n  - c\n- d\n\n1. x\n\n2. y\n\nEnd",
  "Before\n```python\nimport os\n\nprint('x')\n```\nAfter",
  "```\nno language\n```",
  "````c\n```\nint x;\n```\n````\n",
  "```sh\nnever closed",
  "| a | b |\n|---|---|\n| 1 | **2** |\n| 3 | 4 |\n\nAfter",
  "> quoted\n> more\n\n> > deep\n\nEnd",
  "- item\n\n  ```c\n  int a;\n  ```\n\n- next",
  "Setext\n======\n\n---\n\n    indented code\n\nText &amp; <b>html</b>",
  "See [this][1] and [that].\n\nMore.\n\n[1]: https://e.org/1\n[that]: https://e.org/2\n",
  "Ein Wort mit Umlauten: äöü – 漢字 🙂 **fett**\n\nnoch eins",
};

static void
fill (TachoTranscript *transcript, const char *text, gsize piece)
{
  gsize length = strlen (text);

  tacho_transcript_clear (transcript);
  tacho_transcript_add_prompt (transcript, "Question");
  tacho_transcript_begin_reply (transcript, "model");
  for (gsize at = 0; at < length;)
    {
      gsize n = MIN (piece, length - at);
      g_autofree char *part = NULL;

      while (at + n < length && (text[at + n] & 0xc0) == 0x80)
        n++;
      part = g_strndup (text + at, n);
      tacho_transcript_append (transcript, part, FALSE);
      tacho_transcript_flush (transcript);
      at += n;
    }
  tacho_transcript_end_reply (transcript);
}

static void
test_pieces (Fixture *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (replies); i++)
    {
      g_autofree char *whole = NULL;

      /* Twice, so that all tags are there and keep their order. */
      for (guint j = 0; j < 2; j++)
        {
          tacho_transcript_clear (f->transcript);
          tacho_transcript_add_prompt (f->transcript, "Question");
          tacho_transcript_add_reply (f->transcript, "model", NULL, NAN, replies[i]);
          g_free (whole);
          whole = describe (f->buffer);
        }
      for (gsize piece = 1; piece < 12; piece += piece < 4 ? 1 : 7)
        {
          g_autofree char *pieces = NULL;

          fill (f->transcript, replies[i], piece);
          pieces = describe (f->buffer);
          g_assert_cmpstr (pieces, ==, whole);
        }
    }
}

/* What is selected in a paragraph stays so while the paragraph grows. */
static void
test_selection (Fixture *f, gconstpointer data)
{
  GtkTextIter begin, end;
  g_autofree char *selected = NULL;

  tacho_transcript_begin_reply (f->transcript, "model");
  tacho_transcript_append (f->transcript, "First.\n\nSome words of **a** paragraph", FALSE);
  tacho_transcript_flush (f->transcript);
  gtk_text_buffer_get_start_iter (f->buffer, &begin);
  g_assert_true (gtk_text_iter_forward_search (&begin, "words of a", 0, &begin, &end, NULL));
  gtk_text_buffer_select_range (f->buffer, &begin, &end);
  for (guint i = 0; i < 20; i++)
    {
      tacho_transcript_append (f->transcript, i % 5 == 4 ? "\n\nnext" : " more `words`", FALSE);
      tacho_transcript_flush (f->transcript);
    }
  tacho_transcript_end_reply (f->transcript);
  g_assert_true (gtk_text_buffer_get_selection_bounds (f->buffer, &begin, &end));
  selected = gtk_text_buffer_get_text (f->buffer, &begin, &end, FALSE);
  g_assert_cmpstr (selected, ==, "words of a");
}

static void
find_headers (GtkWidget *widget, GPtrArray *found)
{
  if (TACHO_IS_CODE_HEADER (widget))
    g_ptr_array_add (found, widget);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    find_headers (child, found);
}

static void
test_code (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) headers = g_ptr_array_new ();

  tacho_transcript_begin_reply (f->transcript, "model");
  tacho_transcript_append (f->transcript, "```c\nint a;\n``", FALSE);
  tacho_transcript_flush (f->transcript);
  find_headers (GTK_WIDGET (f->transcript), headers);
  g_assert_cmpuint (headers->len, ==, 1);
  /* What may be the fence's end is not code yet. */
  g_assert_cmpstr (tacho_code_header_get_code (headers->pdata[0]), ==, "int a;\n");
  tacho_transcript_append (f->transcript, "`\n\ntext\n\n```\nx\ny\n```", FALSE);
  tacho_transcript_end_reply (f->transcript);
  g_ptr_array_set_size (headers, 0);
  find_headers (GTK_WIDGET (f->transcript), headers);
  g_assert_cmpuint (headers->len, ==, 2);
  g_assert_cmpstr (tacho_code_header_get_code (headers->pdata[0]), ==, "int a;");
  g_assert_cmpstr (tacho_code_header_get_code (headers->pdata[1]), ==, "x\ny");
}

static void
test_thoughts (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;

  tacho_transcript_begin_reply (f->transcript, "model");
  tacho_transcript_append (f->transcript, "Let me think", TRUE);
  tacho_transcript_flush (f->transcript);
  g_assert_true (isnan (tacho_transcript_get_thought_s (f->transcript)));
  tacho_transcript_append (f->transcript, "*Answer*", FALSE);
  tacho_transcript_end_reply (f->transcript);
  g_assert_cmpfloat (tacho_transcript_get_thought_s (f->transcript), >=, 0);
  text = get_text (f->buffer);
  g_assert_nonnull (strstr (text, "Let me think"));
  g_assert_nonnull (strstr (text, "Answer"));
  g_assert_null (strstr (text, "*"));
}

/* A model's text is no markup, no terminal sequence, and turns no line around. */
static void
test_hostile (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;

  tacho_transcript_add_prompt (f->transcript, "<b>x</b>\x1b[31m");
  tacho_transcript_add_reply (f->transcript, "evil\nmodel", NULL, NAN,
                              "<span>x</span> \x1b]0;t\x07 \u202eabc `a\x01`");
  text = get_text (f->buffer);
  g_assert_nonnull (strstr (text, "<b>x</b>"));
  g_assert_nonnull (strstr (text, "<span>x</span>"));
  g_assert_nonnull (strstr (text, "evil model\n"));
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    g_assert_true (*p == '\n' || *p == '\t' || !g_unichar_iscntrl (g_utf8_get_char (p)));
  g_assert_null (strstr (text, "\u202e"));
}

static void
test_earlier (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;
  const char *first, *second, *third;

  tacho_transcript_set_has_earlier (f->transcript, TRUE);
  tacho_transcript_add_prompt (f->transcript, "third");
  tacho_transcript_add_reply (f->transcript, "model", NULL, NAN, "answer **three**");
  for (guint i = 0; i < 2; i++)
    {
      tacho_transcript_begin_earlier (f->transcript);
      tacho_transcript_add_prompt (f->transcript, i == 0 ? "second" : "first");
      tacho_transcript_add_reply (f->transcript, "model", NULL, NAN, "answer\n\n```c\nint x;\n```");
      tacho_transcript_end_earlier (f->transcript);
    }
  tacho_transcript_set_has_earlier (f->transcript, FALSE);
  tacho_transcript_add_prompt (f->transcript, "fourth");
  text = get_text (f->buffer);
  first = strstr (text, "first");
  second = strstr (text, "second");
  third = strstr (text, "third");
  g_assert_true (first != NULL && first < second && second < third);
  g_assert_true (third < strstr (text, "answer three"));
  g_assert_true (g_str_has_suffix (text, "fourth"));
}

/* Random Markdown in random pieces: always as the whole of it. */
static void
test_random (Fixture *f, gconstpointer data)
{
  static const char *const words[] = { "word ",  "**",  "*",  "`",  "```\n",    "\n",  "\n\n",
                                       "- ",     "1. ", "# ", "> ", "|",        "---", "  ",
                                       "[a](b)", "~~",  "ä",  "<",  "\n```py\n" };

  for (guint i = 0; i < 150; i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autofree char *whole = NULL;
      g_autofree char *pieces = NULL;
      int n = g_test_rand_int_range (1, 60);

      for (int j = 0; j < n; j++)
        g_string_append (text, words[g_test_rand_int_range (0, G_N_ELEMENTS (words))]);
      tacho_transcript_clear (f->transcript);
      tacho_transcript_add_prompt (f->transcript, "Question");
      tacho_transcript_add_reply (f->transcript, "model", NULL, NAN, text->str);
      whole = get_text (f->buffer);
      fill (f->transcript, text->str, (gsize) g_test_rand_int_range (1, 9));
      pieces = get_text (f->buffer);
      if (!g_str_equal (pieces, whole))
        g_test_message ("of: %s", text->str);
      g_assert_cmpstr (pieces, ==, whole);
    }
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  adw_init ();
  ADD ("/transcript/pieces", test_pieces);
  ADD ("/transcript/selection", test_selection);
  ADD ("/transcript/code", test_code);
  ADD ("/transcript/thoughts", test_thoughts);
  ADD ("/transcript/hostile", test_hostile);
  ADD ("/transcript/earlier", test_earlier);
  ADD ("/transcript/random", test_random);
  return g_test_run ();
}
