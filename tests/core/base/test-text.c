/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sanitiser against what acts on a terminal, reorders or hides text; whole and at every split.
 */
#include "base/tacho-text.h"
#include "test-utils.h"

#include <string.h>

#define R "\xef\xbf\xbd"

typedef struct
{
  const char *name;
  const char *input;
  gsize length;
  const char *expected;
} Vector;

#define V(name, input, expected)                                                                   \
  {                                                                                                \
    name, input, sizeof (input) - 1, expected                                                      \
  }

static const Vector vectors[] = {
  V ("empty", "", ""),
  V ("plain", "Hello, world.\n\tTabbed\n", "Hello, world.\n\tTabbed\n"),
  V ("nul", "a\0b", "a" R "b"),
  V ("csi", "\x1b[31mred\x1b[0m", R "[31mred" R "[0m"),
  V ("osc8", "\x1b]8;;http://evil\x1b\\x\x1b]8;;\x07", R "]8;;http://evil" R "\\x" R "]8;;" R),
  V ("osc52", "\x1b]52;c;aGk=\x07", R "]52;c;aGk=" R),
  V ("c1-utf8",
     "a\xc2\x9b"
     "31mb\xc2\x85\xc2\x80\xc2\x9f",
     "a" R "31mb" R R R),
  V ("c1-raw",
     "a\x9b"
     "31m",
     "a" R "31m"),
  V ("del",
     "a\x7f"
     "b",
     "a" R "b"),
  V ("bell-backspace", "a\a\b\v\fb", "a" R R R R "b"),
  V ("cr", "good\rbad", "good" R "bad"),
  V ("crlf", "a\r\nb\r\n", "a\nb\n"),
  V ("cr-cr-lf", "a\r\r\nb", "a" R "\nb"),
  V ("cr-at-end", "a\r", "a" R),
  V ("cr-before-multi-byte", "\r\xc3\xa9", R "\xc3\xa9"),
  V ("bidi", "a\u202a\u202b\u202c\u202d\u202eb\u2066\u2067\u2068\u2069\u200e\u200f\u061c", "ab"),
  V ("zero-width", "a\u200b\u2060\ufeffb", "ab"),
  V ("joiners",
     "\u0646\u200c\u0645 \U0001f468\u200d\U0001f469",
     "\u0646\u200c\u0645 \U0001f468\u200d\U0001f469"),
  V ("tags", "a\U000e0001\U000e0041\U000e007fb", "ab"),
  V ("annotations", "a\ufff9b\ufffac\ufffb", "abc"),
  V ("separators", "a\u2028b\u2029c", "a\nb\nc"),
  V ("scripts",
     "\u0438\u0437\u0432 \u4e2d\u6587 \u05d0 \U0001f600\ufe0f",
     "\u0438\u0437\u0432 \u4e2d\u6587 \u05d0 \U0001f600\ufe0f"),
  V ("lone-continuation", "a\x80\xbf", "a" R R),
  V ("overlong", "\xc0\xaf\xe0\x80\xaf", R R R R R),
  V ("surrogate", "\xed\xa0\x80", R R R),
  V ("above", "\xf4\x90\x80\x80", R R R R),
  V ("five-bytes", "\xf8\x88\x80\x80\x80", R R R R R),
  V ("six-bytes", "\xfd\xbf\xbf\xbf\xbf\xbf!", R R R R R R "!"),
  V ("ff", "\xff\xfe", R R),
  V ("cut", "a\xe2\x82", "a" R R),
  V ("cut-four", "\xf0\x9f\x98", R R R),
  V ("cut-then-ascii",
     "\xe2\x82"
     "A\xf0\x9f"
     "B",
     R R "A" R R "B"),
  V ("nul-within", "\xe2\0a\xf0\x9f\0b", R R "a" R R R "b"),
  V ("cut-then-whole", "\xe2\x82\xc3\xa9", R R "\xc3\xa9"),
};

static void
push (TachoTextFilter *filter, const char *data, gsize length, GString *out)
{
  g_autofree char *copy = g_memdup2 (data, length);

  tacho_text_filter_push (filter, copy, length, out);
}

static void
test_vector (gconstpointer data)
{
  const Vector *v = data;
  g_autofree char *whole = tacho_text_sanitize (v->input, (gssize) v->length);
  g_autoptr (TachoTextFilter) filter = tacho_text_filter_new ();
  g_autoptr (GString) out = g_string_new (NULL);

  g_assert_cmpstr (whole, ==, v->expected);
  for (gsize first = 0; first <= v->length; first++)
    for (gsize second = first; second <= v->length; second++)
      {
        g_string_truncate (out, 0);
        push (filter, v->input, first, out);
        push (filter, v->input + first, second - first, out);
        push (filter, v->input + second, v->length - second, out);
        tacho_text_filter_finish (filter, out);
        g_assert_cmpstr (out->str, ==, v->expected);
      }
  g_string_truncate (out, 0);
  for (gsize i = 0; i < v->length; i++)
    push (filter, v->input + i, 1, out);
  tacho_text_filter_finish (filter, out);
  g_assert_cmpstr (out->str, ==, v->expected);
}

static gboolean
is_harmless (gunichar c)
{
  return c == '\n' || c == '\t' ||
         (!g_unichar_iscntrl (c) && !(c >= 0x202a && c <= 0x202e) &&
          !(c >= 0x2066 && c <= 0x2069) && !(c >= 0xe0000 && c <= 0xe007f) && c != 0x200e &&
          c != 0x200f && c != 0x200b && c != 0xfeff);
}

/* Every character there is: what comes out is harmless, and letters come out as they are. */
static void
test_all_characters (void)
{
  for (gunichar c = 1; c <= 0x10ffff; c++)
    {
      char utf8[8] = "";
      g_autofree char *safe = NULL;

      if (c >= 0xd800 && c <= 0xdfff)
        continue;
      g_unichar_to_utf8 (c, utf8);
      safe = tacho_text_sanitize (utf8, -1);
      for (const char *p = safe; *p != '\0'; p = g_utf8_next_char (p))
        if (!is_harmless (g_utf8_get_char (p)))
          g_error ("U+%04X comes out", c);
      if (g_unichar_isgraph (c) && g_unichar_isalnum (c))
        g_assert_cmpstr (safe, ==, utf8);
    }
}

/* Random bytes, cut at random: the same as whole. */
static void
test_random (void)
{
  static const guchar alphabet[] = { 'a',  '\r', '\n', 0x1b, 0x80, 0xbf, 0xc2,
                                     0xe2, 0xed, 0xf0, 0xf4, 0x9f, 0,    0xff };

  for (guint round = 0; round < 2000; round++)
    {
      char data[64];
      gsize length = (gsize) g_test_rand_int_range (0, sizeof data);
      g_autofree char *whole = NULL;
      g_autoptr (TachoTextFilter) filter = tacho_text_filter_new ();
      g_autoptr (GString) out = g_string_new (NULL);

      for (gsize i = 0; i < length; i++)
        data[i] = (char) alphabet[g_test_rand_int_range (0, G_N_ELEMENTS (alphabet))];
      whole = tacho_text_sanitize (data, (gssize) length);
      for (gsize at = 0, n; at < length; at += n)
        {
          n = (gsize) g_test_rand_int_range (1, (gint32) (length - at) + 1);
          push (filter, data + at, n, out);
        }
      tacho_text_filter_finish (filter, out);
      g_assert_cmpstr (out->str, ==, whole);
      g_assert_true (g_utf8_validate (whole, -1, NULL));
    }
}

static void
test_line (void)
{
  static const struct
  {
    const char *input;
    gsize max;
    const char *expected;
  } cases[] = {
    { "", 0, "" },
    { "  a\tb\nc  ", 0, "a b c" },
    { "a\r\nb", 0, "a b" },
    { "abcdef", 6, "abcdef" },
    { "abcdefg", 6, "abcdef…" },
    { "\xc3\xa9\xc3\xa9\xc3\xa9", 2, "\xc3\xa9\xc3\xa9…" },
    { "ab cdef", 3, "ab…" },
    { "abc", G_MAXSIZE, "abc" },
    { "\x1b[1m", 0, R "[1m" },
  };
  g_autofree char *long_text = g_strnfill (1000000, 'x');
  g_autofree char *null = tacho_text_sanitize_line (NULL, -1, 5);
  g_autofree char *part = tacho_text_sanitize_line ("abcdef", 3, 0);
  g_autofree char *cut = tacho_text_sanitize_line (long_text, -1, 10);
  g_autoptr (GString) hidden = g_string_new (NULL);
  g_autofree char *hidden_line = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *line = tacho_text_sanitize_line (cases[i].input, -1, cases[i].max);

      g_assert_cmpstr (line, ==, cases[i].expected);
    }
  g_assert_cmpstr (null, ==, "");
  g_assert_cmpstr (part, ==, "abc");
  g_assert_cmpstr (cut, ==, "xxxxxxxxxx…");
  /* A cut among what is dropped is still told. */
  for (int i = 0; i < 10000; i++)
    g_string_append (hidden, "\u200b");
  g_string_append (hidden, "seen");
  hidden_line = tacho_text_sanitize_line (hidden->str, (gssize) hidden->len, 10);
  g_assert_cmpstr (hidden_line, ==, "…");
}

static void
test_markup (void)
{
  g_autofree char *text = tacho_text_escape_markup ("<a href=\"x\">&'\x1b\xff</a>", 0);
  g_autofree char *cut = tacho_text_escape_markup ("<<<<", 2);

  g_assert_cmpstr (text, ==, "&lt;a href=&quot;x&quot;&gt;&amp;&apos;" R R "&lt;/a&gt;");
  g_assert_cmpstr (cut, ==, "&lt;&lt;…");
}

static void
test_format (void)
{
  static const struct
  {
    guint64 count;
    const char *text;
  } cases[] = {
    { 0, "0" },
    { 512, "512" },
    { 999, "999" },
    { 1000, "1.0 k" },
    { 12000, "12.0 k" },
    { 340000000, "340 M" },
    { 999999, "1.0 M" },
    { 7241732096, "7.2 B" },
    { G_GUINT64_CONSTANT (1200000000000), "1.2 T" },
    { 99999999, "100 M" },
    { 99900000, "99.9 M" },
  };
  g_autofree char *bytes = tacho_text_format_bytes (4100000000);
  g_autofree char *most = tacho_text_format_bytes (G_MAXUINT64);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = tacho_text_format_count (cases[i].count);

      g_assert_cmpstr (text, ==, cases[i].text);
    }
  /* GLib's own space between the two does not break. */
  g_assert_cmpstr (bytes, ==, "4.1\xc2\xa0GB");
  g_assert_cmpstr (most, ==,
                   "18.4\xc2\xa0"
                   "EB");
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (vectors); i++)
    {
      g_autofree char *path = g_strconcat ("/base/text/vector/", vectors[i].name, NULL);

      g_test_add_data_func (path, &vectors[i], test_vector);
    }
  g_test_add_func ("/base/text/all-characters", test_all_characters);
  g_test_add_func ("/base/text/random", test_random);
  g_test_add_func ("/base/text/line", test_line);
  g_test_add_func ("/base/text/markup", test_markup);
  g_test_add_func ("/base/text/format", test_format);
  return g_test_run ();
}
