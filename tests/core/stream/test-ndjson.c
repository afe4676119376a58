/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Newline-delimited JSON: vectors whole, at every split and byte by byte; limits; the last line. */
#include "stream/tacho-ndjson.h"
#include "test-utils.h"

#include <string.h>

typedef struct
{
  const char *name;
  const char *input;
  gsize length;
  const char *fed;      /* lines that come while feeding, each followed by "\x1e" */
  const char *finished; /* what comes at the end */
  gboolean whole;       /* what finishing returns */
} Vector;

#define V(name, input, fed, finished, whole)                                                       \
  {                                                                                                \
    name, input, sizeof (input) - 1, fed, finished, whole                                          \
  }

static const Vector vectors[] = {
  V ("empty", "", "", "", TRUE),
  V ("one", "{\"a\":1}\n", "{\"a\":1}\x1e", "", TRUE),
  V ("two", "{}\n[1]\n", "{}\x1e[1]\x1e", "", TRUE),
  V ("crlf", "{}\r\n[1]\r\n", "{}\x1e[1]\x1e", "", TRUE),
  V ("cr-is-no-line-end", "1\r2\n", "1\r2\x1e", "", TRUE),
  V ("blank-lines", "\n\r\n \t\n\r\r\n{}\n\n", "{}\x1e", "", TRUE),
  V ("spaces-stay", "  {} \n", "  {} \x1e", "", TRUE),
  V ("two-on-a-line", "{}{}\n", "{}{}\x1e", "", TRUE),
  V ("line-separators", "\"\xe2\x80\xa8\xc2\x85\"\n", "\"\xe2\x80\xa8\xc2\x85\"\x1e", "", TRUE),
  V ("multi-byte", "\"\xd0\xb8\xd0\xb7\"\n", "\"\xd0\xb8\xd0\xb7\"\x1e", "", TRUE),
  V ("last-whole", "{}\n{\"done\":true}", "{}\x1e", "{\"done\":true}\x1e", TRUE),
  V ("last-whole-cr", "{}\r\n{\"done\":true}\r", "{}\x1e", "{\"done\":true}\x1e", TRUE),
  V ("last-cut", "{}\n{\"done\":tr", "{}\x1e", "", FALSE),
  V ("last-cut-in-character", "{}\n\"\xd0", "{}\x1e", "", FALSE),
  V ("last-two", "{}\n{}{}", "{}\x1e", "", FALSE),
  V ("last-blank", "{}\n \t\r", "{}\x1e", "", TRUE),
  V ("last-nul", "{}\n\0", "{}\x1e", "", FALSE),
  V ("nul", "a\0b\n", "a\\0b\x1e", "", TRUE),
};

static void
collect_cb (const char *line, gsize length, gpointer user_data)
{
  GString *out = user_data;

  g_assert_cmpuint (length, >, 0);
  for (gsize i = 0; i < length; i++)
    if (line[i] == '\0')
      g_string_append (out, "\\0");
    else
      g_string_append_c (out, line[i]);
  g_string_append_c (out, '\x1e');
}

static void
feed (TachoNdjsonParser *parser, const char *data, gsize length, GString *out)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *copy = g_memdup2 (data, length);

  g_assert_true (tacho_ndjson_parser_feed (parser, copy, length, collect_cb, out, &error));
  g_assert_no_error (error);
}

static void
check_end (TachoNdjsonParser *parser, const Vector *vector, GString *out)
{
  g_assert_cmpstr (out->str, ==, vector->fed);
  g_string_truncate (out, 0);
  g_assert_cmpint (tacho_ndjson_parser_finish (parser, collect_cb, out), ==, vector->whole);
  g_assert_cmpstr (out->str, ==, vector->finished);
  /* Once is enough. */
  g_assert_true (tacho_ndjson_parser_finish (parser, collect_cb, out));
  g_assert_cmpstr (out->str, ==, vector->finished);
  g_string_truncate (out, 0);
}

static void
test_vector (gconstpointer data)
{
  const Vector *vector = data;
  g_autoptr (TachoNdjsonParser) parser = tacho_ndjson_parser_new ();
  g_autoptr (GString) out = g_string_new (NULL);

  for (gsize split = 0; split <= vector->length; split++)
    {
      feed (parser, vector->input, split, out);
      feed (parser, vector->input + split, vector->length - split, out);
      check_end (parser, vector, out);
    }
  for (gsize i = 0; i < vector->length; i++)
    feed (parser, vector->input + i, 1, out);
  check_end (parser, vector, out);
  /* A reset forgets a line in progress. */
  feed (parser, "{\"half\":", 8, out);
  tacho_ndjson_parser_reset (parser);
  feed (parser, vector->input, vector->length, out);
  check_end (parser, vector, out);
}

static void
test_limit (void)
{
  for (gsize piece = 1; piece <= 12; piece++)
    {
      static const char good[] = "12345678\n";
      static const char bad[] = "123456789\n1\n";
      g_autoptr (TachoNdjsonParser) parser = tacho_ndjson_parser_new ();
      g_autoptr (GString) out = g_string_new (NULL);
      g_autoptr (GError) error = NULL;
      gboolean fine = TRUE;

      tacho_ndjson_parser_set_limit (parser, 8);
      feed (parser, good, strlen (good), out);
      for (gsize at = 0; at < strlen (bad) && fine; at += piece)
        fine = tacho_ndjson_parser_feed (parser, bad + at, MIN (piece, strlen (bad) - at),
                                         collect_cb, out, &error);
      g_assert_false (fine);
      g_assert_error (error, TACHO_STREAM_ERROR, TACHO_STREAM_ERROR_LINE_TOO_LONG);
      g_clear_error (&error);
      g_assert_false (tacho_ndjson_parser_feed (parser, "1\n", 2, collect_cb, out, &error));
      g_assert_error (error, TACHO_STREAM_ERROR, TACHO_STREAM_ERROR_LINE_TOO_LONG);
      g_assert_false (tacho_ndjson_parser_finish (parser, collect_cb, out));
      g_assert_cmpstr (out->str, ==, "12345678\x1e");
      tacho_ndjson_parser_reset (parser);
      feed (parser, "1\n", 2, out);
      g_assert_cmpstr (out->str, ==,
                       "12345678\x1e"
                       "1\x1e");
    }
}

static void
count_cb (const char *line, gsize length, gpointer user_data)
{
  gsize *total = user_data;

  *total += length;
}

/* 4 MiB in one line, a byte at a time: quadratic work would take hours. */
#define MUCH ((gsize) 4 * 1024 * 1024)

static void
test_linear (void)
{
  g_autoptr (TachoNdjsonParser) parser = tacho_ndjson_parser_new ();
  gsize total = 0;

  for (gsize i = 0; i < MUCH; i++)
    g_assert_true (tacho_ndjson_parser_feed (parser, "1", 1, count_cb, &total, NULL));
  g_assert_cmpuint (total, ==, 0);
  g_assert_true (tacho_ndjson_parser_feed (parser, "\n", 1, count_cb, &total, NULL));
  g_assert_cmpuint (total, ==, MUCH);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (vectors); i++)
    {
      g_autofree char *path = g_strconcat ("/stream/ndjson/vector/", vectors[i].name, NULL);

      g_test_add_data_func (path, &vectors[i], test_vector);
    }
  g_test_add_func ("/stream/ndjson/limit", test_limit);
  g_test_add_func ("/stream/ndjson/linear", test_linear);
  return g_test_run ();
}
