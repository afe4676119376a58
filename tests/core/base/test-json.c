/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is JSON and what is not, in the spirit of JSONTestSuite, and what the odd cases become. */
#include "base/tacho-json.h"
#include "test-utils.h"

#include <math.h>
#include <string.h>

typedef struct
{
  const char *text;
  gsize length;
} Vector;

#define V(text)                                                                                    \
  {                                                                                                \
    text, sizeof (text) - 1                                                                        \
  }

static const Vector accepted[] = {
  V ("null"),
  V ("true"),
  V ("false"),
  V ("0"),
  V ("-0"),
  V ("-0.0"),
  V ("\"\""),
  V ("[]"),
  V ("{}"),
  V (" \t\r\n[ \t\r\n] \t\r\n"),
  V ("[[]   ]"),
  V ("[\"\"]"),
  V ("[false]"),
  V ("[null, 1, \"1\", {}]"),
  V ("[1\n]"),
  V (" [1]"),
  V ("[1,null,null,null,2]"),
  V ("[2] "),
  V ("[0e+1]"),
  V ("[0e1]"),
  V ("[ 4]"),
  V ("[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]"),
  V ("[20e1]"),
  V ("[-123]"),
  V ("[-1]"),
  V ("[1E22]"),
  V ("[1E-2]"),
  V ("[1E+2]"),
  V ("[123e45]"),
  V ("[123.456e78]"),
  V ("[1e-2]"),
  V ("[1e+2]"),
  V ("[123.456789]"),
  V ("[1e-999]"),
  V ("[9223372036854775807]"),
  V ("[-9223372036854775808]"),
  V ("[9223372036854775808]"),
  V ("[18446744073709551616]"),
  V ("[1.7976931348623157e308]"),
  V ("[5e-324]"),
  V ("[123456789012345678901234567890]"),
  V ("[-123456789012345678901234567890]"),
  V ("{\"asd\":\"sdf\", \"dfg\":\"fgh\"}"),
  V ("{\"a\":\"b\",\"a\":\"c\"}"),
  V ("{\"a\":\"b\",\"a\":\"b\"}"),
  V ("{\"\":0}"),
  V ("{\"foo\\u0000bar\": 42}"),
  V ("{\"min\": -1.0e+28, \"max\": 1.0e+28}"),
  V ("{\"a\":[]}"),
  V ("{\"title\":\"\\u041f\\u043e\\u043b\"}"),
  V ("{\n\"a\": \"b\"\n}"),
  V ("[\"\\u0060\\u012a\\u12AB\"]"),
  V ("[\"\\uD801\\udc37\"]"),
  V ("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
  V ("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
  V ("[\"\\\\u0000\"]"),
  V ("[\"\\\"\"]"),
  V ("[\"a/*b*/c/*d//e\"]"),
  V ("[\"\\\\a\"]"),
  V ("[\"\\\\n\"]"),
  V ("[\"\\u0012\"]"),
  V ("[\"\\uFFFF\"]"),
  V ("[ \"asd\"]"),
  V ("[\"\xf4\x8f\xbf\xbf\"]"),
  V ("[\"\xef\xbf\xbf\"]"),
  V ("[\"\\u0000\"]"),
  V ("[\"\\u002c\"]"),
  V ("[\"\xcf\x80\"]"),
  V ("[\"asd \"]"),
  V ("\" \""),
  V ("[\"\\uDBFF\\uDFFE\"]"),
  V ("[\"new\\u00A0line\"]"),
  V ("[\"\xe2\x80\xa8\"]"),
  V ("[\"\xe2\x80\xa9\"]"),
  V ("[\"\\uFDD0\"]"),
  V ("[\"\\u200B\"]"),
  V ("[\"\x7f\"]"),
  V ("[\"a\x7f"
     "a\"]"),
  V ("[\"\\uD834\\uDd1e\"]"),
  V ("[\"\xef\xbb\xbf\"]"),
  V ("[\"\\ud800\"]"),
  V ("[\"\\udc00\"]"),
  V ("[\"\\ud800\\n\"]"),
  V ("[\"\\ud800abc\"]"),
  V ("[\"\\ud800\\ud800\\udc00\"]"),
  V ("[\"\\udd1e\\ud834\"]"),
};

static const Vector refused[] = {
  /* nothing, or nothing but space */
  V (""),
  V (" "),
  V ("\n"),
  V ("\0"),
  V ("\xef\xbb\xbf"),
  V ("\xef\xbb\xbf{}"),
  V ("\xef\xbb\xbf[1]"),
  V ("{\0}"),
  V ("[]\0"),
  V ("\0[]"),
  V ("\xe2\x81\xa0"),
  V ("[\xe2\x81\xa0]"),
  V ("\xff\xfe[\0]\0"),
  /* comments */
  V ("/**/"),
  V ("// x\n{}"),
  V ("{} // x"),
  V ("{\"a\":1}/**/"),
  V ("{\"a\":/*comment*/\"b\"}"),
  V ("[1,/* x */2]"),
  V ("# x\n1"),
  V ("[1] # x"),
  V ("{\"a\":\"b\"}/**//"),
  V ("{\"a\":\"b\"}#"),
  /* words */
  V ("nul"),
  V ("nulll"),
  V ("Null"),
  V ("NULL"),
  V ("tru"),
  V ("True"),
  V ("TRUE"),
  V ("fals"),
  V ("truefalse"),
  V ("[nul]"),
  V ("[fals]"),
  V ("undefined"),
  V ("NaN"),
  V ("[NaN]"),
  V ("[-NaN]"),
  V ("Infinity"),
  V ("[-Infinity]"),
  V ("[Inf]"),
  V ("[+Inf]"),
  V ("nan"),
  V ("[x]"),
  V ("a"),
  V ("abc"),
  V ("*"),
  V ("<.>"),
  V ("[<null>]"),
  V ("[\xc3\xa5]"),
  V ("\xc3\xa5"),
  /* numbers */
  V ("-"),
  V ("+"),
  V ("+1"),
  V ("[+1]"),
  V ("[++1234]"),
  V ("01"),
  V ("-01"),
  V ("[012]"),
  V ("[-012]"),
  V ("00"),
  V ("[-2.]"),
  V ("[.123]"),
  V (".5"),
  V ("[-.123]"),
  V ("1."),
  V ("[1.]"),
  V ("[0.1.2]"),
  V ("[0.3e+]"),
  V ("[0.3e]"),
  V ("[0.e1]"),
  V ("[0E+]"),
  V ("[0E]"),
  V ("[0e]"),
  V ("[0e+]"),
  V ("[1.0e+]"),
  V ("[1.0e-]"),
  V ("[1eE2]"),
  V ("[1 000.0]"),
  V ("[2.e3]"),
  V ("[2.e+3]"),
  V ("[9.e+]"),
  V ("0x10"),
  V ("[0x1]"),
  V ("[0x42]"),
  V ("[0b1]"),
  V ("[0o7]"),
  V ("[1_000]"),
  V ("[1+2]"),
  V ("[- 1]"),
  V ("[--1]"),
  V ("[-foo]"),
  V ("[1ea]"),
  V ("[1e1.5]"),
  V ("[123\xe5]"),
  V ("[\xef\xbc\x91]"),
  V ("[1a]"),
  V ("[1.2a-3]"),
  V ("1f"),
  V ("1L"),
  V ("1,5"),
  /* numbers that no double can hold */
  V ("1e999"),
  V ("[-1e999]"),
  V ("[123123e100000]"),
  V ("[0.4e00669999999999999999999999999999969999999006]"),
  V ("[1e309]"),
  V ("[1.8e308]"),
  /* strings */
  V ("\""),
  V ("\"abc"),
  V ("'a'"),
  V ("['a']"),
  V ("{'a':0}"),
  V ("[\"a]"),
  V ("[\"\\\"]"),
  V ("[\"\\"),
  V ("\"\\"),
  V ("[\"\\x00\"]"),
  V ("[\"\\a\"]"),
  V ("[\"\\0\"]"),
  V ("[\"\\'\"]"),
  V ("[\"\\v\"]"),
  V ("[\"\\U0041\"]"),
  V ("[\"\\u\"]"),
  V ("[\"\\u00A\"]"),
  V ("[\"\\u00g0\"]"),
  V ("[\"\\uqqqq\"]"),
  V ("[\"\\u 041\"]"),
  V ("[\"\\u{1}\"]"),
  V ("[\"\\u12"),
  V ("[\"\\uD834\\uDd\"]"),
  V ("[\"\\uD800\\u\"]"),
  V ("[\"\\uD800\\u1\"]"),
  V ("[\"\\uD800\\u1x\"]"),
  V ("[\"\\uD800\\\"]"),
  V ("[\"\\\xe5\"]"),
  V ("[\"new\nline\"]"),
  V ("[\"\t\"]"),
  V ("[\"a\0a\"]"),
  V ("[\"\x1f\"]"),
  V ("[\"\r\"]"),
  V ("\"\x1b[31m\""),
  V ("[\"\\\xf0\x9f\x8c\x80\"]"),
  V ("abc\""),
  V ("[\xc3\xa9]"),
  /* not UTF-8 */
  V ("[\"\xff\"]"),
  V ("[\"\x81\"]"),
  V ("[\"\xe9\"]"),
  V ("[\"\xc0\xaf\"]"),
  V ("[\"\xe0\x80\xaf\"]"),
  V ("[\"\xed\xa0\x80\"]"),
  V ("[\"\xf4\xbf\xbf\xbf\"]"),
  V ("[\"\xfc\x83\xbf\xbf\xbf\xbf\"]"),
  V ("[\"\xe6\x97\"]"),
  V ("[\"\xf8\x88\x80\x80\x80\"]"),
  V ("\xe5"),
  V ("[\xff]"),
  V ("{\"\xb9\":\"0\",}"),
  V ("[\"\xe9"
     "a\"]"),
  V ("[\"\xf0\x9f\x98"),
  /* arrays */
  V ("["),
  V ("]"),
  V ("[]]"),
  V ("[[]"),
  V ("[1"),
  V ("[1,"),
  V ("[,]"),
  V ("[,1]"),
  V ("[1,]"),
  V ("[1,,2]"),
  V ("[\"\",]"),
  V ("[1 true]"),
  V ("[\"\": 1]"),
  V ("[3[4]]"),
  V ("[1:2]"),
  V ("[*]"),
  V ("[1}"),
  V ("[{}"),
  V ("[\"x\"]]"),
  V ("[1]x"),
  V ("[1][2]"),
  V ("[,"),
  V ("[{"),
  V ("[\"a\",\n4\n,1,"),
  V ("[\"a\"\n,\n1"),
  V ("[][]"),
  V ("[1]\f"),
  V ("[\v]"),
  V ("[\f]"),
  V ("[\xc2\xa0]"),
  V ("[\xc2\x85]"),
  /* objects */
  V ("{"),
  V ("}"),
  V ("{}}"),
  V ("{,}"),
  V ("{\"a\""),
  V ("{\"a\":"),
  V ("{\"a\":1"),
  V ("{\"a\":1,"),
  V ("{\"a\":1,}"),
  V ("{\"a\" 1}"),
  V ("{\"a\",1}"),
  V ("{\"a\":1,,\"b\":2}"),
  V ("{\"x\"::\"b\"}"),
  V ("{\"x\", null}"),
  V ("{1:1}"),
  V ("{a:1}"),
  V ("{a: \"b\"}"),
  V ("{null:null}"),
  V ("{true:1}"),
  V ("{[]:1}"),
  V ("{:\"b\"}"),
  V ("{\"a\":}"),
  V ("{\"a\":1]"),
  V ("{\"a\":\"b\"}{\"c\":1}"),
  V ("{} {}"),
  V ("{}x"),
  V ("{\"a\":\"a"),
  V ("{\"a\":\"a\" 123}"),
  V ("{\"a\"=1}"),
  V ("{\"a\":1;\"b\":2}"),
  V ("{\"a\": true} \"x\""),
  V ("{\"id\":0,,,,,}"),
  V ("{9999E9999:1}"),
  V ("{\"a\" : b}"),
  V ("{{\"a\":1}}"),
  V ("{\"a\":1 \"b\":2}"),
  V ("{\"asd\":\"asd\""),
  V ("{[: \"x\"}\n"),
  V ("{\"a\":1,b:2}"),
  V ("({})"),
  V ("callback({})"),
  V ("data: {}"),
  V ("<html>"),
  V ("1 2"),
  V ("1]"),
  V ("2@"),
  V ("\"\"\"\""),
  V ("{\"\\u\":1}"),
  V ("${<\\"),
};

/* A copy of the exact size, so that a read past the end is a sanitizer's finding. */
static gboolean
check (const char *text, gsize length, GError **error)
{
  g_autofree char *copy = g_memdup2 (text, length);

  return tacho_json_check (copy, length, error);
}

static void
test_accepted (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (accepted); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) root = NULL;

      check (accepted[i].text, accepted[i].length, &error);
      g_assert_no_error (error);
      root = tacho_json_parse (accepted[i].text, accepted[i].length, &error);
      g_assert_no_error (error);
      g_assert_nonnull (root);
    }
}

static void
test_refused (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (check (refused[i].text, refused[i].length, &error));
      g_assert_nonnull (error);
      g_assert_true (error->domain == TACHO_JSON_ERROR);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_clear_error (&error);
      g_assert_null (tacho_json_parse (refused[i].text, refused[i].length, &error));
      g_assert_true (error->domain == TACHO_JSON_ERROR);
      g_assert_false (check (refused[i].text, refused[i].length, NULL));
    }
}

/* No beginning of a text is a text itself; a number's beginning may be, so none stands at the top.
 */
static void
test_every_prefix (void)
{
  static const char text[] =
      " {\"a\\u00e9\": [1, -2.5e+3, true, false, null, {\"b\": \"\\ud83d\\ude00\"}, "
      "[], {}], \"c\": \"\xd0\xb8\"}";

  g_assert_true (check (text, sizeof text - 1, NULL));
  for (gsize n = 0; n < sizeof text - 1; n++)
    g_assert_false (check (text, n, NULL));
}

static void
test_depth (void)
{
  static const char *const opens[] = { "[", "{\"a\":" };
  static const char *const closes[] = { "]", "}" };

  for (gsize k = 0; k < G_N_ELEMENTS (opens); k++)
    for (guint depth = TACHO_JSON_MAX_DEPTH - 1; depth <= TACHO_JSON_MAX_DEPTH + 1; depth++)
      {
        g_autoptr (GString) text = g_string_new (NULL);
        g_autoptr (GError) error = NULL;
        g_autoptr (JsonNode) root = NULL;

        for (guint i = 0; i < depth; i++)
          g_string_append (text, opens[k]);
        if (k == 1)
          g_string_append_c (text, '1');
        for (guint i = 0; i < depth; i++)
          g_string_append (text, closes[k]);
        root = tacho_json_parse (text->str, text->len, &error);
        if (depth <= TACHO_JSON_MAX_DEPTH)
          g_assert_no_error (error);
        else
          g_assert_error (error, TACHO_JSON_ERROR, TACHO_JSON_ERROR_DEPTH);
        g_assert_true ((root != NULL) == (error == NULL));
      }
}

/* Where json-glib alone overflows its stack. */
static void
test_bomb (void)
{
  static const char *const pieces[] = { "[", "{\"\":", "[{\"\":", "[[],", "[\"" };

  for (gsize k = 0; k < G_N_ELEMENTS (pieces); k++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (GError) error = NULL;

      for (guint i = 0; i < 100000; i++)
        g_string_append (text, pieces[k]);
      g_assert_null (tacho_json_parse (text->str, text->len, &error));
      g_assert_true (error->domain == TACHO_JSON_ERROR);
    }
}

static void
test_size (void)
{
  g_autofree char *text = g_malloc (TACHO_JSON_MAX_SIZE + 1);
  g_autoptr (GError) error = NULL;

  memset (text, ' ', TACHO_JSON_MAX_SIZE + 1);
  text[0] = '1';
  g_assert_true (tacho_json_check (text, TACHO_JSON_MAX_SIZE, NULL));
  g_assert_false (tacho_json_check (text, TACHO_JSON_MAX_SIZE + 1, &error));
  g_assert_error (error, TACHO_JSON_ERROR, TACHO_JSON_ERROR_SIZE);
  g_clear_error (&error);
  g_assert_false (tacho_json_check (NULL, 0, &error));
  g_assert_error (error, TACHO_JSON_ERROR, TACHO_JSON_ERROR_SYNTAX);
}

static void
test_codes (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *digits = g_strnfill (400, '9');

  g_assert_false (tacho_json_check ("1e999", 5, &error));
  g_assert_error (error, TACHO_JSON_ERROR, TACHO_JSON_ERROR_NUMBER);
  g_clear_error (&error);
  g_assert_false (tacho_json_check (digits, 400, &error));
  g_assert_error (error, TACHO_JSON_ERROR, TACHO_JSON_ERROR_NUMBER);
  g_clear_error (&error);
  g_assert_null (tacho_json_parse_object ("[]", 2, &error));
  g_assert_error (error, TACHO_JSON_ERROR, TACHO_JSON_ERROR_TYPE);
  g_clear_error (&error);
  g_assert_null (tacho_json_parse_object ("null", 4, &error));
  g_assert_error (error, TACHO_JSON_ERROR, TACHO_JSON_ERROR_TYPE);
  g_clear_error (&error);
  g_assert_null (tacho_json_parse_object ("{\"a\": 1, }", 10, &error));
  g_assert_error (error, TACHO_JSON_ERROR, TACHO_JSON_ERROR_SYNTAX);
  /* The message says where. */
  g_assert_nonnull (strstr (error->message, "byte 9"));
}

/* What json-glib alone would lose. */
static void
test_strings (void)
{
  static const struct
  {
    const char *text;
    const char *value;
  } cases[] = {
    { "\"x\\u0000y\"", "x\xef\xbf\xbdy" },
    { "\"\\u0000\"", "\xef\xbf\xbd" },
    { "\"\\ud800\"", "\xef\xbf\xbd" },
    { "\"a\\udc00b\"", "a\xef\xbf\xbd"
                       "b" },
    { "\"\\ud800\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80" },
    { "\"\\udc00\\ud800\"", "\xef\xbf\xbd\xef\xbf\xbd" },
    { "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80" },
    { "\"\\ud800\\u0041\"", "\xef\xbf\xbd"
                            "A" },
    { "\"\\\\u0000\"", "\\u0000" },
    { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
    { "\"\\u00e9\\u20AC\"", "\xc3\xa9\xe2\x82\xac" },
    { "\"\\uffff\"", "\xef\xbf\xbf" },
    { "\"\\u0001\"", "\x01" },
    { "\"\xe2\x80\xa8\"", "\xe2\x80\xa8" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) root = tacho_json_parse (cases[i].text, strlen (cases[i].text), &error);

      g_assert_no_error (error);
      g_assert_cmpstr (json_node_get_string (root), ==, cases[i].value);
    }
}

static void
test_numbers (void)
{
  static const struct
  {
    const char *text;
    GType type;
    gint64 integer;
    double real;
  } cases[] = {
    { "0", G_TYPE_INT64, 0, 0 },
    { "-1", G_TYPE_INT64, -1, 0 },
    { "1234567890123456789", G_TYPE_INT64, G_GINT64_CONSTANT (1234567890123456789), 0 },
    { "9223372036854775807", G_TYPE_INT64, G_MAXINT64, 0 },
    { "-9223372036854775807", G_TYPE_INT64, -G_MAXINT64, 0 },
    { "-9223372036854775808", G_TYPE_INT64, G_MININT64, 0 },
    { "9223372036854775808", G_TYPE_DOUBLE, 0, 9223372036854775808.0 },
    { "-9223372036854775809", G_TYPE_DOUBLE, 0, -9223372036854775808.0 },
    { "18446744073709551615", G_TYPE_DOUBLE, 0, 18446744073709551616.0 },
    { "18446744073709551616", G_TYPE_DOUBLE, 0, 18446744073709551616.0 },
    { "-18446744073709551616", G_TYPE_DOUBLE, 0, -18446744073709551616.0 },
    { "99999999999999999999", G_TYPE_DOUBLE, 0, 1e20 },
    { "100000000000000000000000000000000000000000", G_TYPE_DOUBLE, 0, 1e41 },
    { "1e2", G_TYPE_DOUBLE, 0, 100 },
    { "1E+2", G_TYPE_DOUBLE, 0, 100 },
    { "-2.5e-1", G_TYPE_DOUBLE, 0, -0.25 },
    { "0.1", G_TYPE_DOUBLE, 0, 0.1 },
    { "0.30000000000000004", G_TYPE_DOUBLE, 0, 0.30000000000000004 },
    { "1.7976931348623157e308", G_TYPE_DOUBLE, 0, 1.7976931348623157e308 },
    { "5e-324", G_TYPE_DOUBLE, 0, 5e-324 },
    { "1e-999", G_TYPE_DOUBLE, 0, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) root = tacho_json_parse (cases[i].text, strlen (cases[i].text), &error);

      g_test_message ("%s", cases[i].text);
      g_assert_no_error (error);
      g_assert_true (json_node_get_value_type (root) == cases[i].type);
      if (cases[i].type == G_TYPE_INT64)
        g_assert_cmpint (json_node_get_int (root), ==, cases[i].integer);
      else
        g_assert_cmpfloat (json_node_get_double (root), ==, cases[i].real);
    }
}

static void
test_equal_names (void)
{
  static const char text[] = "{\"a\": 1, \"b\": 2, \"a\": 3, \"x\\u0000\": 4, \"x\\ufffd\": 5}";
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) root = tacho_json_parse_object (text, sizeof text - 1, &error);
  JsonObject *object;

  g_assert_no_error (error);
  object = json_node_get_object (root);
  g_assert_cmpuint (json_object_get_size (object), ==, 3);
  g_assert_cmpint (tacho_json_get_int (object, "a", 0), ==, 3);
  g_assert_cmpint (tacho_json_get_int (object, "x\xef\xbf\xbd", 0), ==, 5);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/base/json/accepted", test_accepted);
  g_test_add_func ("/base/json/refused", test_refused);
  g_test_add_func ("/base/json/every-prefix", test_every_prefix);
  g_test_add_func ("/base/json/depth", test_depth);
  g_test_add_func ("/base/json/bomb", test_bomb);
  g_test_add_func ("/base/json/size", test_size);
  g_test_add_func ("/base/json/codes", test_codes);
  g_test_add_func ("/base/json/strings", test_strings);
  g_test_add_func ("/base/json/numbers", test_numbers);
  g_test_add_func ("/base/json/equal-names", test_equal_names);
  return g_test_run ();
}
