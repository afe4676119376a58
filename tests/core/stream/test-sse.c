/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The WHATWG cases and those of well-known client libraries, each at every split. */
#include "stream/tacho-sse.h"
#include "test-utils.h"

#include <string.h>

typedef struct
{
  const char *name;
  const char *input;
  gsize length;         /* 0: strlen */
  const char *expected; /* "type|id|data" per event, each followed by "\x1e" */
} Vector;

#define V(name, input, expected)                                                                   \
  {                                                                                                \
    name, input, sizeof (input) - 1, expected                                                      \
  }
#define E(data) "message||" data "\x1e"

static const Vector vectors[] = {
  V ("empty", "", ""),
  V ("one", "data: hello\n\n", E ("hello")),
  V ("no-space", "data:hello\n\n", E ("hello")),
  V ("two-spaces", "data:  hello\n\n", E (" hello")),
  V ("tab", "data:\thello\n\n", E ("\thello")),
  V ("crlf", "data: a\r\n\r\ndata: b\r\n\r\n", E ("a") E ("b")),
  V ("cr", "data: a\r\rdata: b\r\r", E ("a") E ("b")),
  V ("mixed-ends", "data:test\r\ndata\ndata:test\r\n\r", E ("test\n\ntest")),
  V ("wpt-empty-data", "data:\n\ndata\ndata\n\ndata:test", E ("") E ("\n")),
  V ("wpt-message2",
     "data:msg\ndata: "
     "msg\n\n:\nfalsefield:msg\n\nfalsefield:msg\nData:data\n\ndata\n\ndata:end\n\n",
     E ("msg\nmsg") E ("") E ("end")),
  V ("wpt-leading-space", "data:\ttest\rdata: \ndata:test\n\n", E ("\ttest\n\ntest")),
  V ("wpt-unknown",
     "data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacomment\ndata:test\n\n",
     E ("test\n\ntest")),
  V ("wpt-event-empty", "event: \ndata:data\n\n", E ("data")),
  V ("event-type", "event: chat.end\ndata: x\n\ndata: y\n\n", "chat.end||x\x1e" E ("y")),
  V ("event-without-data", "event: ping\n\ndata: y\n\n", E ("y")),
  V ("unfinished", "data: a\n\ndata: b\n", E ("a")),
  V ("unfinished-line", "data: a\n\ndata: b", E ("a")),
  V ("comments", ": OPENROUTER PROCESSING\n\n:\ndata: a\n: more\n\n", E ("a")),
  V ("bom",
     "\xef\xbb\xbf"
     "data:1\n\n\xef\xbb\xbf"
     "data:2\n\ndata:3\n\n",
     E ("1") E ("3")),
  V ("two-boms",
     "\xef\xbb\xbf\xef\xbb\xbf"
     "data:1\n\ndata:2\n\n",
     E ("2")),
  V ("half-bom",
     "\xef\xbb"
     "data:1\n\ndata:2\n\n",
     E ("2")),
  V ("id",
     "id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
     "message|7|a\x1emessage|7|b\x1e" E ("c")),
  V ("id-without-data", "id: 7\n\ndata: b\n\n", "message|7|b\x1e"),
  V ("id-at-eof", "data: a\n\nid: 9\ndata: b", E ("a")),
  V ("id-nul", "id: 1\0002\ndata: a\n\n", E ("a")),
  V ("line-separators",
     "data: a\xe2\x80\xa8"
     "b\xc2\x85"
     "c\n\n",
     E ("a\xe2\x80\xa8"
        "b\xc2\x85"
        "c")),
  V ("multi-byte", "data:\xd0\xb8\xd0\xb7\xd0\xb2\n\n", E ("\xd0\xb8\xd0\xb7\xd0\xb2")),
  V ("openai-json",
     "data: {\ndata: \"foo\":\ndata: \ndata:\ndata: true}\n\n\n",
     E ("{\n\"foo\":\n\n\ntrue}")),
  V ("openai-two",
     "id:one\r\ndata:x\r\n\ndata:two\n\rdata:unfinished",
     "message|one|x\x1emessage|one|two\x1e"),
  V ("launchdarkly",
     "data: Hello\r\ndata: World\r\n\r\ndata: OK\r\n\r\n",
     E ("Hello\nWorld") E ("OK")),
  V ("nul-in-type",
     "event:\0a\ndata:b\n\nevent:done\0\ndata:c\n\n",
     "\xef\xbf\xbd"
     "a||b\x1e"
     "done\xef\xbf\xbd||c\x1e"),
  V ("wpt-fields",
     "data:\0\ndata: 2\nData:1\ndata\0:2\ndata:1\n\0data:4\nda-ta:3\ndata_5\ndata:3\ndata:\n "
     "data:32\ndata:4\n\n",
     E ("\\0\n2\n1\n3\n\n4")),
  V ("wpt-fields-two-spaces", "data:\0\ndata:  2\n\n", E ("\\0\n 2")),
  V ("nul-in-data", "data: a\0b\n\n", E ("a\\0b")),
  V ("done", "data: {\"x\":1}\n\ndata: [DONE]\n\n", E ("{\"x\":1}") E ("[DONE]")),
};

static void
collect_cb (const TachoSseEvent *event, gpointer user_data)
{
  GString *out = user_data;

  g_assert_cmpint (event->data[event->length], ==, '\0');
  g_string_append_printf (out, "%s|%s|", event->type, event->id);
  for (gsize i = 0; i < event->length; i++)
    if (event->data[i] == '\0')
      g_string_append (out, "\\0");
    else
      g_string_append_c (out, event->data[i]);
  g_string_append_c (out, '\x1e');
}

static void
feed (TachoSseParser *parser, const char *data, gsize length, GString *out)
{
  g_autoptr (GError) error = NULL;
  /* A copy of the exact size: reading past a piece is a sanitizer's finding. */
  g_autofree char *copy = g_memdup2 (data, length);

  g_assert_true (tacho_sse_parser_feed (parser, copy, length, collect_cb, out, &error));
  g_assert_no_error (error);
}

static void
test_vector (gconstpointer data)
{
  const Vector *vector = data;
  g_autoptr (TachoSseParser) parser = tacho_sse_parser_new ();
  g_autoptr (GString) out = g_string_new (NULL);

  for (gsize split = 0; split <= vector->length; split++)
    {
      g_string_truncate (out, 0);
      tacho_sse_parser_reset (parser);
      feed (parser, vector->input, split, out);
      feed (parser, vector->input + split, vector->length - split, out);
      g_assert_cmpstr (out->str, ==, vector->expected);
    }
  g_string_truncate (out, 0);
  tacho_sse_parser_reset (parser);
  for (gsize i = 0; i < vector->length; i++)
    feed (parser, vector->input + i, 1, out);
  g_assert_cmpstr (out->str, ==, vector->expected);
}

/* Every vector that is written with LF only must mean the same with CR and with CRLF. */
static void
test_line_ends (void)
{
  static const char *const ends[] = { "\r", "\r\n" };

  for (gsize i = 0; i < G_N_ELEMENTS (vectors); i++)
    for (gsize k = 0; k < G_N_ELEMENTS (ends); k++)
      {
        const Vector *vector = &vectors[i];
        g_autoptr (TachoSseParser) parser = tacho_sse_parser_new ();
        g_autoptr (GString) input = g_string_new (NULL);
        g_autoptr (GString) out = g_string_new (NULL);

        if (memchr (vector->input, '\r', vector->length) != NULL)
          continue;
        for (gsize n = 0; n < vector->length; n++)
          if (vector->input[n] == '\n')
            g_string_append (input, ends[k]);
          else
            g_string_append_c (input, vector->input[n]);
        for (gsize split = 0; split <= input->len; split++)
          {
            g_string_truncate (out, 0);
            tacho_sse_parser_reset (parser);
            feed (parser, input->str, split, out);
            feed (parser, input->str + split, input->len - split, out);
            g_assert_cmpstr (out->str, ==, vector->expected);
          }
      }
}

static void
test_limits (void)
{
  g_autoptr (TachoSseParser) parser = tacho_sse_parser_new ();
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  tacho_sse_parser_set_limits (parser, 16, 20);
  feed (parser, "data: 0123456789\n", 17, out);
  g_assert_false (
      tacho_sse_parser_feed (parser, "data: 0123456789\n", 17, collect_cb, out, &error));
  g_assert_error (error, TACHO_STREAM_ERROR, TACHO_STREAM_ERROR_EVENT_TOO_LONG);
  g_clear_error (&error);
  g_assert_false (tacho_sse_parser_feed (parser, "\n\n", 2, collect_cb, out, &error));
  g_assert_error (error, TACHO_STREAM_ERROR, TACHO_STREAM_ERROR_EVENT_TOO_LONG);
  g_clear_error (&error);

  tacho_sse_parser_reset (parser);
  for (int i = 0; i < 16; i++)
    feed (parser, ":", 1, out);
  g_assert_false (tacho_sse_parser_feed (parser, ":", 1, collect_cb, out, &error));
  g_assert_error (error, TACHO_STREAM_ERROR, TACHO_STREAM_ERROR_LINE_TOO_LONG);
  g_assert_cmpstr (out->str, ==, "");
  g_assert_null (tacho_sse_parser_take_rest (parser));
}

/* A million bytes, one at a time, in one line: quadratic work would take minutes. */
static void
test_linear (void)
{
  g_autoptr (TachoSseParser) parser = tacho_sse_parser_new ();
  g_autoptr (GString) out = g_string_new (NULL);

  g_assert_true (tacho_sse_parser_feed (parser, "data:", 5, collect_cb, out, NULL));
  for (int i = 0; i < 1000000; i++)
    g_assert_true (tacho_sse_parser_feed (parser, "x", 1, collect_cb, out, NULL));
  g_assert_true (tacho_sse_parser_feed (parser, "\n\n", 2, collect_cb, out, NULL));
  g_assert_cmpuint (out->len, ==, 1000000 + strlen ("message||") + 1);
}

/* 4 MiB in one line byte by byte, and of line ends alone: linear work is quick. */
#define MUCH ((gsize) 4 * 1024 * 1024)
static void
test_linear_large (void)
{
  static const char *const ends[] = { "\r", "\n", "\r\n", ":\r", "\xef" };
  g_autoptr (TachoSseParser) parser = tacho_sse_parser_new ();
  g_autoptr (GString) out = g_string_new (NULL);

  for (gsize i = 0; i < MUCH; i++)
    g_assert_true (tacho_sse_parser_feed (parser, ":", 1, collect_cb, out, NULL));
  g_assert_true (tacho_sse_parser_feed (parser, "\n", 1, collect_cb, out, NULL));
  g_assert_cmpuint (tacho_sse_parser_get_n_comments (parser), ==, 1);
  for (gsize k = 0; k < G_N_ELEMENTS (ends); k++)
    {
      g_autoptr (GString) flood = g_string_new (NULL);

      while (flood->len < MUCH)
        g_string_append (flood, ends[k]);
      tacho_sse_parser_reset (parser);
      g_assert_true (tacho_sse_parser_feed (parser, flood->str, MUCH, collect_cb, out, NULL));
    }
  g_assert_cmpstr (out->str, ==, "");
}

/* The chunking of the LaunchDarkly client's test: a CR and its LF in different pieces. */
static void
test_split_line_ends (void)
{
  static const char *const pieces[] = {
    "data: Hello\r", "\ndata: World\r", "\n\r\ndata: OK\r", "\n", "\r", "\n"
  };
  g_autoptr (TachoSseParser) parser = tacho_sse_parser_new ();
  g_autoptr (GString) out = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (pieces); i++)
    feed (parser, pieces[i], strlen (pieces[i]), out);
  g_assert_cmpstr (out->str, ==, E ("Hello\nWorld") E ("OK"));
}

/* Exactly at a limit is fine, one byte more is not, wherever the input is cut. */
static void
test_limits_exact (void)
{
  for (gsize piece = 1; piece <= 24; piece++)
    for (gsize k = 0; k < 4; k++)
      {
        static const char *const inputs[] = { "data:abc\n\n", "data:abcd\n\n", "data:a\ndata:b\n\n",
                                              "data:a\ndata:bc\n\n" };
        const char *input = inputs[k];
        gsize length = strlen (input);
        int code = k == 1 ? TACHO_STREAM_ERROR_LINE_TOO_LONG : TACHO_STREAM_ERROR_EVENT_TOO_LONG;
        g_autoptr (TachoSseParser) parser = tacho_sse_parser_new ();
        g_autoptr (GString) out = g_string_new (NULL);
        g_autoptr (GError) error = NULL;
        gboolean fine = TRUE;

        tacho_sse_parser_set_limits (parser, k < 2 ? 8 : 16, k < 2 ? 100 : 3);
        for (gsize at = 0; at < length && fine; at += piece)
          fine = tacho_sse_parser_feed (parser, input + at, MIN (piece, length - at), collect_cb,
                                        out, &error);
        if (k % 2 == 0)
          {
            g_assert_no_error (error);
            g_assert_cmpuint (out->len, >, 0);
          }
        else
          {
            g_assert_error (error, TACHO_STREAM_ERROR, code);
            g_assert_cmpuint (out->len, ==, 0);
          }
      }
}

static void
test_rest (void)
{
  static const struct
  {
    const char *input;
    const char *rest;
  } cases[] = {
    { "", NULL },
    { "data: a\n\n", NULL },
    { "data: a\n\ndata: [DONE]", "[DONE]" },
    { "data: a\n\ndata: [DONE]\n", "[DONE]" },
    { "data: a\ndata: b", "a\nb" },
    { ": comment", NULL },
    { "data: a\n\nevent: x", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TachoSseParser) parser = tacho_sse_parser_new ();
      g_autoptr (GString) out = g_string_new (NULL);
      g_autofree char *rest = NULL;

      feed (parser, cases[i].input, strlen (cases[i].input), out);
      rest = tacho_sse_parser_take_rest (parser);
      g_assert_cmpstr (rest, ==, cases[i].rest);
      g_assert_null (tacho_sse_parser_take_rest (parser));
    }
}

static void
test_retry_and_comments (void)
{
  static const struct
  {
    const char *input;
    gint64 retry;
  } cases[] = {
    { "", -1 },        { "retry:03000\n", 3000 }, { "retry:3000\nretry:1000x\n", 3000 },
    { "retry\n", -1 }, { "retry:\n", -1 },        { "retry:99999999999999999999\n", -1 },
  };
  g_autoptr (TachoSseParser) parser = tacho_sse_parser_new ();
  g_autoptr (GString) out = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      tacho_sse_parser_reset (parser);
      feed (parser, cases[i].input, strlen (cases[i].input), out);
      g_assert_cmpint (tacho_sse_parser_get_retry_ms (parser), ==, cases[i].retry);
    }
  feed (parser, ":a\n:\n: b\n\n", 10, out);
  g_assert_cmpuint (tacho_sse_parser_get_n_comments (parser), ==, 3);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (vectors); i++)
    {
      g_autofree char *path = g_strconcat ("/stream/sse/vector/", vectors[i].name, NULL);

      g_test_add_data_func (path, &vectors[i], test_vector);
    }
  g_test_add_func ("/stream/sse/line-ends", test_line_ends);
  g_test_add_func ("/stream/sse/limits", test_limits);
  g_test_add_func ("/stream/sse/linear", test_linear);
  g_test_add_func ("/stream/sse/linear-large", test_linear_large);
  g_test_add_func ("/stream/sse/split-line-ends", test_split_line_ends);
  g_test_add_func ("/stream/sse/limits-exact", test_limits_exact);
  g_test_add_func ("/stream/sse/rest", test_rest);
  g_test_add_func ("/stream/sse/retry-and-comments", test_retry_and_comments);
  return g_test_run ();
}
