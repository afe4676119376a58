/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the check accepts, json-glib parses; what it wrote is parsed to the same again. */
#include "tacho-fuzz.h"

#include "base/tacho-json.h"

#include <math.h>

static void
check_node (JsonNode *node)
{
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_DOUBLE)
    TACHO_FUZZ_CHECK (isfinite (json_node_get_double (node)));
  else if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    TACHO_FUZZ_CHECK (g_utf8_validate (json_node_get_string (node), -1, NULL));
  else if (JSON_NODE_HOLDS_ARRAY (node))
    for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
      check_node (json_array_get_element (json_node_get_array (node), i));
  else if (JSON_NODE_HOLDS_OBJECT (node))
    {
      JsonObject *object = json_node_get_object (node);
      g_autoptr (GList) members = json_object_get_members (object);

      for (GList *l = members; l != NULL; l = l->next)
        {
          check_node (json_object_get_member (object, l->data));
          tacho_json_get_int (object, l->data, 0);
          tacho_json_get_double (object, l->data, 0);
          tacho_json_get_string (object, l->data, NULL);
          tacho_json_get_boolean (object, l->data, FALSE);
          tacho_json_get_array (object, l->data);
          tacho_json_get_object (object, l->data);
        }
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_memdup2 (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) reason = NULL;
  gboolean fine = tacho_json_check (text, size, &error);
  g_autoptr (JsonNode) root = tacho_json_parse (text, size, &reason);
  g_autofree char *again = NULL;

  g_log_set_always_fatal (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
  TACHO_FUZZ_CHECK (fine == (error == NULL));
  TACHO_FUZZ_CHECK (fine == (root != NULL));
  TACHO_FUZZ_CHECK (fine == (reason == NULL));
  if (!fine)
    return 0;
  check_node (root);
  again = tacho_json_to_string (root, FALSE);
  TACHO_FUZZ_CHECK (tacho_json_check (again, strlen (again), NULL));
  return 0;
}
