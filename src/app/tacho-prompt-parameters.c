/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/tacho-prompt-parameters.h"

#include "base/tacho-json.h"

#include <math.h>

/**
 * tacho_prompt_parameters_write:
 * @request: has the parameters
 * @object: gets a member for each that is set
 */
void
tacho_prompt_parameters_write (const TachoGenerateRequest *request, JsonObject *object)
{
  if (!isnan (request->temperature))
    json_object_set_double_member (object, "temperature", request->temperature);
  if (!isnan (request->top_p))
    json_object_set_double_member (object, "top_p", request->top_p);
  if (request->max_tokens > 0)
    json_object_set_int_member (object, "max_tokens", request->max_tokens);
  if (request->seed >= 0)
    json_object_set_int_member (object, "seed", request->seed);
  if (request->raw)
    json_object_set_boolean_member (object, "raw", TRUE);
  if (request->stop != NULL)
    {
      JsonArray *array = json_array_new ();

      for (guint i = 0; request->stop[i] != NULL; i++)
        json_array_add_string_element (array, request->stop[i]);
      json_object_set_array_member (object, "stop", array);
    }
}

static char **
read_stop (JsonObject *object)
{
  JsonArray *array = tacho_json_get_array (object, "stop");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (array == NULL)
    return NULL;
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        g_strv_builder_add (builder, json_node_get_string (node));
    }
  return g_strv_builder_end (builder);
}

/**
 * tacho_prompt_parameters_read:
 * @request: gets the parameters
 * @object: as tacho_prompt_parameters_write() made it, or a person did
 */
void
tacho_prompt_parameters_read (TachoGenerateRequest *request, JsonObject *object)
{
  request->temperature = tacho_json_get_double (object, "temperature", NAN);
  request->top_p = tacho_json_get_double (object, "top_p", NAN);
  request->max_tokens = tacho_json_get_int (object, "max_tokens", -1);
  request->seed = tacho_json_get_int (object, "seed", -1);
  request->raw = tacho_json_get_boolean (object, "raw", FALSE);
  g_strfreev (request->stop);
  request->stop = read_stop (object);
}
