/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scenario files: JSON, described in docs/simulate.md. Every member is checked, and one that is not
 * known is refused, since a misspelt fault would be a test that tests nothing. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-scenario-private.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "base/tacho-error.h"
#include "base/tacho-json.h"
#include "base/tacho-text.h"

#define MAX_MODELS 1000

typedef enum
{
  FIELD_STRING,
  FIELD_STRINGS,
  FIELD_BOOLEAN,
  FIELD_DOUBLE,
  FIELD_UINT,
  FIELD_UINT64,
  FIELD_INT64,
} FieldType;

/* A member that goes straight into a structure. */
typedef struct
{
  const char *name;
  FieldType type;
  gsize offset;
  double min, max;
} Field;

#define MODEL(name, type, min, max)                                                                \
  {                                                                                                \
#name, type, G_STRUCT_OFFSET(TachoSimModel, name), min, max                                    \
  }
#define CONFIG(name, type, min, max)                                                               \
  {                                                                                                \
#name, type, G_STRUCT_OFFSET(TachoSimConfig, name), min, max                                   \
  }

static const Field model_fields[] = {
  MODEL (id, FIELD_STRING, 0, 0),
  MODEL (name, FIELD_STRING, 0, 0),
  MODEL (architecture, FIELD_STRING, 0, 0),
  MODEL (kind, FIELD_STRING, 0, 0),
  MODEL (capabilities, FIELD_STRINGS, 0, 0),
  MODEL (quantization, FIELD_STRING, 0, 0),
  MODEL (n_params, FIELD_UINT64, 0, 1e15),
  MODEL (size_bytes, FIELD_UINT64, 0, 1e15),
  MODEL (memory_bytes, FIELD_UINT64, 0, 1e15),
  MODEL (context_window, FIELD_INT64, 1, 1e9),
  MODEL (max_output, FIELD_INT64, 1, 1e9),
  MODEL (kv_cache_tokens, FIELD_UINT64, 0, 1e12),
  MODEL (prefill_ms_fixed, FIELD_DOUBLE, 0, 3.6e6),
  MODEL (prefill_ms_per_token, FIELD_DOUBLE, 0, 3.6e6),
  MODEL (decode_ms_per_step, FIELD_DOUBLE, 0, 3.6e6),
  MODEL (decode_ms_per_extra, FIELD_DOUBLE, 0, 3.6e6),
  MODEL (jitter, FIELD_DOUBLE, 0, 10),
  MODEL (load_s, FIELD_DOUBLE, 0, 86400),
  MODEL (load_failure, FIELD_STRING, 0, 0),
  MODEL (loaded, FIELD_BOOLEAN, 0, 0),
  MODEL (reasoning, FIELD_BOOLEAN, 0, 0),
  { NULL },
};

static const Field config_fields[] = {
  CONFIG (slots, FIELD_UINT, 1, 4096),
  CONFIG (seed, FIELD_UINT64, 0, 9e15),
  CONFIG (router, FIELD_BOOLEAN, 0, 0),
  CONFIG (time_scale, FIELD_DOUBLE, 0.0001, 1000),
  CONFIG (prefix_cache, FIELD_BOOLEAN, 0, 0),
  CONFIG (requests_per_second, FIELD_DOUBLE, 0, 1e9),
  CONFIG (tokens_per_minute, FIELD_DOUBLE, 0, 1e12),
  CONFIG (api_key, FIELD_STRING, 0, 0),
  CONFIG (tls_cert, FIELD_STRING, 0, 0),
  CONFIG (tls_key, FIELD_STRING, 0, 0),
  CONFIG (tls_client_ca, FIELD_STRING, 0, 0),
  { NULL },
};

gboolean
tacho_sim_scenario_refuse (GError **error, const char *path, const char *format, ...)
{
  g_autofree char *words = NULL;
  va_list arguments;

  va_start (arguments, format);
  words = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "%s: %s", path, words);
  return FALSE;
}

gboolean
tacho_sim_scenario_read_number (JsonNode *node,
                                const char *path,
                                double min,
                                double max,
                                double *value,
                                GError **error)
{
  GType type = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_NONE;

  if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE)
    {
      *value = json_node_get_double (node);
      if (isfinite (*value) && *value >= min && *value <= max)
        return TRUE;
    }
  return tacho_sim_scenario_refuse (error, path, "must be a number from %g to %g", min, max);
}

gboolean
tacho_sim_scenario_read_whole (JsonNode *node,
                               const char *path,
                               double min,
                               double max,
                               guint *value,
                               GError **error)
{
  double number;

  if (!tacho_sim_scenario_read_number (node, path, min, max, &number, error))
    return FALSE;
  if (number != floor (number))
    return tacho_sim_scenario_refuse (error, path, "must be a whole number");
  *value = (guint) number;
  return TRUE;
}

const char *
tacho_sim_scenario_read_text (JsonNode *node, const char *path, GError **error)
{
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_get_string (node);
  tacho_sim_scenario_refuse (error, path, "must be a text");
  return NULL;
}

static gboolean
read_texts (JsonNode *node, const char *path, char ***value, GError **error)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (array == NULL)
    return tacho_sim_scenario_refuse (error, path, "must be an array of texts");
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      const char *text =
          tacho_sim_scenario_read_text (json_array_get_element (array, i), path, error);

      if (text == NULL)
        return FALSE;
      g_strv_builder_add (builder, text);
    }
  g_strfreev (*value);
  *value = g_strv_builder_end (builder);
  return TRUE;
}

static gboolean
read_boolean (JsonNode *node, const char *path, gboolean *value, GError **error)
{
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    return tacho_sim_scenario_refuse (error, path, "must be true or false");
  *value = json_node_get_boolean (node);
  return TRUE;
}

static gboolean
read_field (const Field *field, gpointer target, JsonNode *node, const char *path, GError **error)
{
  gpointer place = (char *) target + field->offset;
  const char *text;
  double number;

  if (field->type == FIELD_BOOLEAN)
    return read_boolean (node, path, place, error);
  if (field->type == FIELD_STRINGS)
    return read_texts (node, path, place, error);
  if (field->type == FIELD_STRING)
    {
      char **string = place;

      text = JSON_NODE_HOLDS_NULL (node) ? NULL : tacho_sim_scenario_read_text (node, path, error);
      if (text == NULL && !JSON_NODE_HOLDS_NULL (node))
        return FALSE;
      g_free (*string);
      *string = g_strdup (text);
      return TRUE;
    }
  if (!tacho_sim_scenario_read_number (node, path, field->min, field->max, &number, error))
    return FALSE;
  if (field->type != FIELD_DOUBLE && number != floor (number))
    return tacho_sim_scenario_refuse (error, path, "must be a whole number");
  if (field->type == FIELD_DOUBLE)
    *(double *) place = number;
  else if (field->type == FIELD_UINT)
    *(guint *) place = (guint) number;
  else if (field->type == FIELD_UINT64)
    *(guint64 *) place = (guint64) number;
  else
    *(gint64 *) place = (gint64) number;
  return TRUE;
}

static const Field *
find_field (const Field *fields, const char *name)
{
  for (; fields->name != NULL; fields++)
    if (g_str_equal (fields->name, name))
      return fields;
  return NULL;
}

static gboolean
refuse_unknown (GError **error, const char *path, const char *name)
{
  g_autofree char *clean = tacho_text_sanitize_line (name, -1, 60);

  return tacho_sim_scenario_refuse (error, path, "there is no member “%s”", clean);
}

/* --- models ----------------------------------------------------------------------------------- */

static TachoSimModel *
new_model (TachoSimConfig *config, const char *id)
{
  TachoSimModel *model;

  /* What the file does not say is as in the built-in model of that id, or as in the first one. */
  for (guint i = 0; i < config->models->len; i++)
    {
      model = g_ptr_array_index (config->models, i);
      if (g_strcmp0 (model->id, id) == 0)
        return tacho_sim_model_copy (model);
    }
  model = tacho_sim_model_copy (g_ptr_array_index (config->models, 0));
  g_free (model->name);
  model->name = g_strdup (id);
  g_clear_pointer (&model->load_failure, g_free);
  return model;
}

static gboolean
read_model (TachoSimConfig *config,
            JsonNode *node,
            const char *path,
            GPtrArray *models,
            GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *id = tacho_json_get_string (object, "id", NULL);
  g_autoptr (GList) members = NULL;
  TachoSimModel *model;

  if (id == NULL || id[0] == '\0')
    return tacho_sim_scenario_refuse (error, path, "a model is an object with an “id”");
  model = new_model (config, id);
  g_ptr_array_add (models, model);
  members = json_object_get_members (object);
  for (GList *l = members; l != NULL; l = l->next)
    {
      const Field *field = find_field (model_fields, l->data);
      g_autofree char *place = g_strconcat (path, ".", (char *) l->data, NULL);

      if (field == NULL)
        return refuse_unknown (error, path, l->data);
      if (!read_field (field, model, json_object_get_member (object, l->data), place, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_models (TachoSimConfig *config, JsonNode *node, const char *path, GError **error)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  guint n = array != NULL ? json_array_get_length (array) : 0;
  g_autoptr (GPtrArray) models =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_sim_model_free);

  if (n == 0 || n > MAX_MODELS)
    return tacho_sim_scenario_refuse (error, path, "must be an array of 1 to %d models",
                                      MAX_MODELS);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *place = g_strdup_printf ("%s[%u]", path, i);

      if (!read_model (config, json_array_get_element (array, i), place, models, error))
        return FALSE;
    }
  g_ptr_array_unref (config->models);
  config->models = g_steal_pointer (&models);
  return TRUE;
}

/* --- fronts ----------------------------------------------------------------------------------- */

static gboolean
read_front (TachoSimConfig *config, JsonNode *node, const char *path, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *api = tacho_json_get_string (object, "api", "all");
  g_autoptr (GList) members = NULL;
  TachoSimFront front = { 0 };
  guint port = 0;

  if (object == NULL)
    return tacho_sim_scenario_refuse (error, path,
                                      "must be an object with “api”, “port”, “grpc” and “tls”");
  if (!tacho_sim_family_from_string (api, &front.family))
    return tacho_sim_scenario_refuse (error, path, "there is no API “%.40s”", api);
  members = json_object_get_members (object);
  for (GList *l = members; l != NULL; l = l->next)
    {
      JsonNode *value = json_object_get_member (object, l->data);
      g_autofree char *place = g_strconcat (path, ".", (char *) l->data, NULL);

      if (g_str_equal (l->data, "port"))
        {
          if (!tacho_sim_scenario_read_whole (value, place, 0, 65535, &port, error))
            return FALSE;
          front.port = (guint16) port;
        }
      else if (g_str_equal (l->data, "grpc") || g_str_equal (l->data, "tls"))
        {
          if (!read_boolean (value, place, g_str_equal (l->data, "grpc") ? &front.grpc : &front.tls,
                             error))
            return FALSE;
        }
      else if (!g_str_equal (l->data, "api"))
        return refuse_unknown (error, path, l->data);
    }
  if (front.grpc && !tacho_sim_family_has_grpc (front.family))
    return tacho_sim_scenario_refuse (error, path, "“%.40s” does not speak gRPC", api);
  tacho_sim_config_add_front (config, &front);
  return TRUE;
}

static gboolean
read_fronts (TachoSimConfig *config, JsonNode *node, const char *path, GError **error)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (array == NULL || json_array_get_length (array) == 0)
    return tacho_sim_scenario_refuse (error, path, "must be an array of fronts");
  g_array_set_size (config->fronts, 0);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      g_autofree char *place = g_strdup_printf ("%s[%u]", path, i);

      if (!read_front (config, json_array_get_element (array, i), place, error))
        return FALSE;
    }
  return TRUE;
}

/* --- the file --------------------------------------------------------------------------------- */

static gboolean
read_member (TachoSimConfig *config, const char *name, JsonNode *node, GError **error)
{
  static const struct
  {
    const char *name;
    gboolean (*read) (TachoSimConfig *config, JsonNode *node, const char *path, GError **error);
  } lists[] = { { "models", read_models },
                { "fronts", read_fronts },
                { "faults", tacho_sim_scenario_read_faults },
                { "timeline", tacho_sim_scenario_read_timeline } };
  const Field *field = find_field (config_fields, name);

  if (field != NULL)
    return read_field (field, config, node, name, error);
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    if (g_str_equal (lists[i].name, name))
      return lists[i].read (config, node, name, error);
  if (g_str_equal (name, "comment"))
    return TRUE;
  return refuse_unknown (error, "the file", name);
}

/**
 * tacho_sim_scenario_read:
 * @config: changed by what the text names
 * @json: (array length=length): the text of a scenario file
 * @length: its bytes
 * @error: return location
 *
 * Returns: whether all of it could be used
 */
gboolean
tacho_sim_scenario_read (TachoSimConfig *config, const char *json, gsize length, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GList) members = NULL;

  g_return_val_if_fail (config != NULL && json != NULL, FALSE);

  root = tacho_json_parse_object (json, length, &reason);
  if (root == NULL)
    return tacho_sim_scenario_refuse (error, "the file", "is not a JSON object: %s",
                                      reason->message);
  members = json_object_get_members (json_node_get_object (root));
  for (GList *l = members; l != NULL; l = l->next)
    if (!read_member (config, l->data,
                      json_object_get_member (json_node_get_object (root), l->data), error))
      return FALSE;
  return tacho_sim_scenario_check_models (config, error);
}

/**
 * tacho_sim_scenario_load:
 * @config: changed by what the file names
 * @path: of a scenario file
 * @error: return location
 *
 * Returns: whether all of it could be used; else %TACHO_ERROR_IO or %TACHO_ERROR_INVALID
 */
gboolean
tacho_sim_scenario_load (TachoSimConfig *config, const char *path, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autofree char *text = NULL;
  gsize length;

  g_return_val_if_fail (config != NULL && path != NULL, FALSE);

  if (!g_file_get_contents (path, &text, &length, &reason))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "The scenario cannot be read: %s",
                   reason->message);
      return FALSE;
    }
  if (tacho_sim_scenario_read (config, text, length, error))
    return TRUE;
  g_prefix_error (error, "%s: ", path);
  return FALSE;
}
