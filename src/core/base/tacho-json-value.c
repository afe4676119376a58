/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON values: getters that never warn, and their text. */
#define G_LOG_DOMAIN "tacho"

#include "base/tacho-json.h"

#include <math.h>

static JsonNode *
get_member (JsonObject *object, const char *member)
{
  return object != NULL ? json_object_get_member (object, member) : NULL;
}

static GType
get_value_type (JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node)
                                                      : G_TYPE_INVALID;
}

/**
 * tacho_json_get_object:
 * @object: (nullable): an object
 * @member: a name
 *
 * Returns: (transfer none) (nullable): the member if it is an object
 */
JsonObject *
tacho_json_get_object (JsonObject *object, const char *member)
{
  JsonNode *node = get_member (object, member);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

/**
 * tacho_json_get_array:
 * @object: (nullable): an object
 * @member: a name
 *
 * Returns: (transfer none) (nullable): the member if it is an array
 */
JsonArray *
tacho_json_get_array (JsonObject *object, const char *member)
{
  JsonNode *node = get_member (object, member);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

/**
 * tacho_json_get_string:
 * @object: (nullable): an object
 * @member: a name
 * @fallback: (nullable): for an absent member or another type
 *
 * Returns: (transfer none) (nullable): the string
 */
const char *
tacho_json_get_string (JsonObject *object, const char *member, const char *fallback)
{
  JsonNode *node = get_member (object, member);

  return get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : fallback;
}

/**
 * tacho_json_get_int:
 * @object: (nullable): an object
 * @member: a name
 * @fallback: for an absent member, another type, a fraction or what does not fit
 *
 * Returns: the integer; a double that is whole and fits counts as one
 */
gint64
tacho_json_get_int (JsonObject *object, const char *member, gint64 fallback)
{
  JsonNode *node = get_member (object, member);
  GType type = get_value_type (node);
  double value;

  if (type == G_TYPE_INT64)
    return json_node_get_int (node);
  if (type != G_TYPE_DOUBLE)
    return fallback;
  value = json_node_get_double (node);
  if (value != floor (value) || value < -9223372036854775808.0 || value >= 9223372036854775808.0)
    return fallback;
  return (gint64) value;
}

/**
 * tacho_json_get_double:
 * @object: (nullable): an object
 * @member: a name
 * @fallback: for an absent member or another type
 *
 * Returns: the number, an integer too
 */
double
tacho_json_get_double (JsonObject *object, const char *member, double fallback)
{
  JsonNode *node = get_member (object, member);
  GType type = get_value_type (node);

  if (type == G_TYPE_DOUBLE)
    return json_node_get_double (node);
  return type == G_TYPE_INT64 ? (double) json_node_get_int (node) : fallback;
}

/**
 * tacho_json_get_boolean:
 * @object: (nullable): an object
 * @member: a name
 * @fallback: for an absent member or another type
 *
 * Returns: the boolean
 */
gboolean
tacho_json_get_boolean (JsonObject *object, const char *member, gboolean fallback)
{
  JsonNode *node = get_member (object, member);

  return get_value_type (node) == G_TYPE_BOOLEAN ? json_node_get_boolean (node) : fallback;
}

/**
 * tacho_json_array_get_object:
 * @array: (nullable): an array
 * @index: from 0
 *
 * Returns: (transfer none) (nullable): the element if it is there and an object
 */
JsonObject *
tacho_json_array_get_object (JsonArray *array, guint index)
{
  JsonNode *node = NULL;

  if (array != NULL && index < json_array_get_length (array))
    node = json_array_get_element (array, index);
  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

/**
 * tacho_json_has:
 * @object: (nullable): an object
 * @member: a name
 *
 * Returns: whether the member is there and not null
 */
gboolean
tacho_json_has (JsonObject *object, const char *member)
{
  JsonNode *node = get_member (object, member);

  return node != NULL && !JSON_NODE_HOLDS_NULL (node);
}

/* json-glib 1.6 appends ".0" to each double that has no point, also to one with an exponent. Takes
 * it out again, outside of strings. */
static void
mend_exponents (char *text)
{
  const char *from = text;
  char *to = text;
  gboolean in_string = FALSE;
  gboolean in_exponent = FALSE;

  for (; *from != '\0'; from++)
    {
      if (in_exponent && from[0] == '.' && from[1] == '0')
        {
          from++;
          in_exponent = FALSE;
          continue;
        }
      if (in_string && *from == '\\')
        *to++ = *from++;
      else if (*from == '"')
        in_string = !in_string;
      else if (!in_string && *from == 'e' && from > text && g_ascii_isdigit (from[-1]))
        in_exponent = TRUE;
      else if (!g_ascii_isdigit (*from) && *from != '+' && *from != '-')
        in_exponent = FALSE;
      *to++ = *from;
    }
  *to = '\0';
}

/**
 * tacho_json_to_string:
 * @node: a value
 * @pretty: whether with line breaks and two spaces a level
 *
 * Writes what json_to_string() does, but valid for small and large doubles too: json-glib 1.6 makes
 * "1e+22.0" of 1e22.
 *
 * Returns: (transfer full): the text
 */
char *
tacho_json_to_string (JsonNode *node, gboolean pretty)
{
  char *text = json_to_string (node, pretty);

  mend_exponents (text);
  return text;
}
