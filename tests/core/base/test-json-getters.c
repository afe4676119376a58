/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The getters on every type of member: what fits, and the fallback for what does not. */
#include "base/tacho-json.h"
#include "test-utils.h"

#include <string.h>

static const char text[] =
    "{\"null\": null, \"true\": true, \"false\": false, \"int\": 42, \"whole\": 7.0, \"half\": "
    "0.5, "
    "\"huge\": 1e300, \"big\": 9223372036854775808, \"least\": -9223372036854775808.0, "
    "\"string\": \"s\", \"empty\": \"\", \"digits\": \"12\", "
    "\"array\": [1, {\"k\": 2}, null, []], \"object\": {\"k\": 3}, \"\": 5}";

static JsonNode *
parse (void)
{
  g_autoptr (GError) error = NULL;
  JsonNode *root = tacho_json_parse_object (text, sizeof text - 1, &error);

  g_assert_no_error (error);
  return root;
}

static void
test_numbers (void)
{
  g_autoptr (JsonNode) root = parse ();
  JsonObject *object = json_node_get_object (root);

  g_assert_cmpint (tacho_json_get_int (object, "int", -1), ==, 42);
  g_assert_cmpint (tacho_json_get_int (object, "whole", -1), ==, 7);
  g_assert_cmpint (tacho_json_get_int (object, "least", -1), ==, G_MININT64);
  g_assert_cmpint (tacho_json_get_int (object, "", -1), ==, 5);
  g_assert_cmpint (tacho_json_get_int (object, "half", -1), ==, -1);
  g_assert_cmpint (tacho_json_get_int (object, "huge", -1), ==, -1);
  g_assert_cmpint (tacho_json_get_int (object, "big", -2), ==, -2);
  g_assert_cmpint (tacho_json_get_int (object, "digits", -1), ==, -1);
  g_assert_cmpint (tacho_json_get_int (object, "true", -1), ==, -1);
  g_assert_cmpfloat (tacho_json_get_double (object, "half", -1), ==, 0.5);
  g_assert_cmpfloat (tacho_json_get_double (object, "int", -1), ==, 42);
  g_assert_cmpfloat (tacho_json_get_double (object, "big", -1), ==, 9223372036854775808.0);
  g_assert_cmpfloat (tacho_json_get_double (object, "digits", -1), ==, -1);
  g_assert_cmpfloat (tacho_json_get_double (object, "true", -1), ==, -1);
}

static void
test_others (void)
{
  g_autoptr (JsonNode) root = parse ();
  JsonObject *object = json_node_get_object (root);

  g_assert_cmpstr (tacho_json_get_string (object, "string", "x"), ==, "s");
  g_assert_cmpstr (tacho_json_get_string (object, "empty", "x"), ==, "");
  g_assert_cmpstr (tacho_json_get_string (object, "int", NULL), ==, NULL);
  g_assert_true (tacho_json_get_boolean (object, "true", FALSE));
  g_assert_false (tacho_json_get_boolean (object, "false", TRUE));
  g_assert_true (tacho_json_get_boolean (object, "int", TRUE));
  g_assert_cmpint (tacho_json_get_int (tacho_json_get_object (object, "object"), "k", 0), ==, 3);
  g_assert_cmpuint (json_array_get_length (tacho_json_get_array (object, "array")), ==, 4);
  g_assert_false (tacho_json_has (object, "null"));
  g_assert_false (tacho_json_has (object, "absent"));
  g_assert_true (tacho_json_has (object, "false"));
  g_assert_true (tacho_json_has (object, ""));
}

/* Each getter on each member: G_DEBUG=fatal-warnings turns a GLib message into a failure. */
static void
test_never_warns (void)
{
  g_autoptr (JsonNode) root = parse ();
  JsonObject *object = json_node_get_object (root);
  g_autoptr (GList) members = json_object_get_members (object);

  members = g_list_prepend (members, (gpointer) "absent");
  for (GList *l = members; l != NULL; l = l->next)
    {
      const char *name = l->data;
      gboolean number = strstr ("int whole half huge big least", name) != NULL;
      gboolean string = g_str_equal (name, "string") || g_str_equal (name, "empty") ||
                        g_str_equal (name, "digits");
      gboolean boolean = g_str_equal (name, "true") || g_str_equal (name, "false");

      g_assert_true ((tacho_json_get_object (object, name) != NULL) ==
                     g_str_equal (name, "object"));
      g_assert_true ((tacho_json_get_array (object, name) != NULL) == g_str_equal (name, "array"));
      g_assert_true ((tacho_json_get_string (object, name, NULL) != NULL) == string);
      g_assert_true ((tacho_json_get_double (object, name, -77) != -77) == number);
      if (!number)
        g_assert_cmpint (tacho_json_get_int (object, name, -77), ==, -77);
      g_assert_true ((tacho_json_get_boolean (object, name, TRUE) ==
                      tacho_json_get_boolean (object, name, FALSE)) == boolean);
    }
}

static void
test_null_and_range (void)
{
  g_autoptr (JsonNode) root = parse ();
  JsonArray *array = tacho_json_get_array (json_node_get_object (root), "array");

  g_assert_null (tacho_json_get_object (NULL, "a"));
  g_assert_null (tacho_json_get_array (NULL, "a"));
  g_assert_cmpstr (tacho_json_get_string (NULL, "a", "f"), ==, "f");
  g_assert_cmpint (tacho_json_get_int (NULL, "a", 9), ==, 9);
  g_assert_cmpfloat (tacho_json_get_double (NULL, "a", 9.5), ==, 9.5);
  g_assert_true (tacho_json_get_boolean (NULL, "a", TRUE));
  g_assert_false (tacho_json_has (NULL, "a"));
  g_assert_null (tacho_json_array_get_object (NULL, 0));
  g_assert_null (tacho_json_array_get_object (array, 0));
  g_assert_cmpint (tacho_json_get_int (tacho_json_array_get_object (array, 1), "k", 0), ==, 2);
  g_assert_null (tacho_json_array_get_object (array, 2));
  g_assert_null (tacho_json_array_get_object (array, 3));
  g_assert_null (tacho_json_array_get_object (array, 4));
  g_assert_null (tacho_json_array_get_object (array, G_MAXUINT));
}

static void
test_to_string (void)
{
  g_autoptr (JsonNode) root = parse ();
  g_autofree char *compact = tacho_json_to_string (root, FALSE);
  g_autofree char *pretty = tacho_json_to_string (root, TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) again = tacho_json_parse (pretty, strlen (pretty), &error);

  g_assert_no_error (error);
  g_assert_null (strchr (compact, '\n'));
  g_assert_nonnull (strchr (pretty, '\n'));
  g_assert_true (json_node_equal (root, again));
}

/* json-glib 1.6 alone writes "1e+22.0". */
static void
test_exponents (void)
{
  static const char *const cases[][2] = {
    { "[1e22]", "[1e+22]" },
    { "[-1e21,0.5,7.0,3,1.5e300]", "[-1e+21,0.5,7.0,3,1.5000000000000001e+300]" },
    { "{\"1e5.0\":\"2e5.0 \\\"3e4.0\",\"x\":1e22}", "{\"1e5.0\":\"2e5.0 \\\"3e4.0\",\"x\":1e+22}" },
    { "[true,false,null,\"\\\\\",1e20]", "[true,false,null,\"\\\\\",1e+20]" },
    { "1e20", "1e+20" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) root = tacho_json_parse (cases[i][0], strlen (cases[i][0]), &error);
      g_autofree char *text_again = NULL;

      g_assert_no_error (error);
      text_again = tacho_json_to_string (root, FALSE);
      g_assert_cmpstr (text_again, ==, cases[i][1]);
      g_assert_true (tacho_json_check (text_again, strlen (text_again), NULL));
    }
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/base/json-getters/numbers", test_numbers);
  g_test_add_func ("/base/json-getters/others", test_others);
  g_test_add_func ("/base/json-getters/never-warns", test_never_warns);
  g_test_add_func ("/base/json-getters/null-and-range", test_null_and_range);
  g_test_add_func ("/base/json-getters/to-string", test_to_string);
  g_test_add_func ("/base/json-getters/exponents", test_exponents);
  return g_test_run ();
}
