/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sets of parameters under a name: a few that come with the program, and the person's own, each a
 * JSON object in the settings. */
#define G_LOG_DOMAIN "tacho-prompt-presets"

#include "config.h"

#include "app/tacho-prompt-presets.h"
#include "app/tacho-prompt-parameters.h"
#include "app/tacho-settings.h"
#include "base/tacho-json.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>
#include <math.h>

#define KEY "prompt-presets"
#define MAX_NAME 60
#define MAX_PRESETS 100

static const struct
{
  const char *name;
  double temperature;
  double top_p;
  gint64 seed;
} built_in[] = {
  { N_ ("Server defaults"), NAN, NAN, -1 }, { N_ ("The same each time"), 0, NAN, 1 },
  { N_ ("Precise"), 0.2, 0.9, -1 },         { N_ ("Balanced"), 0.7, 0.95, -1 },
  { N_ ("Creative"), 1.1, 0.98, -1 },
};

/**
 * tacho_prompt_preset_free:
 * @preset: (transfer full): a preset
 */
void
tacho_prompt_preset_free (TachoPromptPreset *preset)
{
  g_free (preset->name);
  g_free (preset->system_prompt);
  tacho_generate_request_free (preset->request);
  g_free (preset);
}

static void
free_preset (gpointer data)
{
  tacho_prompt_preset_free (data);
}

static char *
to_json (const char *name, const char *system_prompt, const TachoGenerateRequest *request)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "name", name);
  if (system_prompt != NULL)
    json_object_set_string_member (object, "system_prompt", system_prompt);
  tacho_prompt_parameters_write (request, object);
  json_node_take_object (node, object);
  return tacho_json_to_string (node, FALSE);
}

/* NULL: the settings were edited by hand, and not well. */
static TachoPromptPreset *
from_json (const char *json)
{
  g_autoptr (JsonNode) node = tacho_json_parse_object (json, strlen (json), NULL);
  g_autoptr (TachoPromptPreset) preset = NULL;
  JsonObject *object;

  if (node == NULL)
    return NULL;
  object = json_node_get_object (node);
  preset = g_new0 (TachoPromptPreset, 1);
  preset->own = TRUE;
  preset->name =
      tacho_text_sanitize_line (tacho_json_get_string (object, "name", ""), -1, MAX_NAME);
  preset->system_prompt = g_strdup (tacho_json_get_string (object, "system_prompt", NULL));
  preset->request = tacho_generate_request_new (NULL);
  tacho_prompt_parameters_read (preset->request, object);
  return preset->name[0] != '\0' ? g_steal_pointer (&preset) : NULL;
}

/**
 * tacho_prompt_presets_load:
 *
 * Returns: (transfer full) (element-type TachoPromptPreset): those of the program, then the
 *   person's
 */
GPtrArray *
tacho_prompt_presets_load (void)
{
  GPtrArray *presets = g_ptr_array_new_with_free_func (free_preset);
  g_auto (GStrv) kept = tacho_settings_get_strv (tacho_settings_get_default (), KEY);

  for (gsize i = 0; i < G_N_ELEMENTS (built_in); i++)
    {
      TachoPromptPreset *preset = g_new0 (TachoPromptPreset, 1);

      preset->name = g_strdup (_ (built_in[i].name));
      preset->request = tacho_generate_request_new (NULL);
      preset->request->temperature = built_in[i].temperature;
      preset->request->top_p = built_in[i].top_p;
      preset->request->seed = built_in[i].seed;
      g_ptr_array_add (presets, preset);
    }
  for (guint i = 0; kept[i] != NULL; i++)
    {
      TachoPromptPreset *preset = from_json (kept[i]);

      if (preset != NULL)
        g_ptr_array_add (presets, preset);
    }
  return presets;
}

/* All but that one, then perhaps another. */
static void
replace (const char *name, const char *json)
{
  TachoSettings *settings = tacho_settings_get_default ();
  g_auto (GStrv) kept = tacho_settings_get_strv (settings, KEY);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) now = NULL;

  for (guint i = 0; kept[i] != NULL && i < MAX_PRESETS; i++)
    {
      g_autoptr (TachoPromptPreset) preset = from_json (kept[i]);

      if (preset != NULL && !g_str_equal (preset->name, name))
        g_strv_builder_add (builder, kept[i]);
    }
  if (json != NULL)
    g_strv_builder_add (builder, json);
  now = g_strv_builder_end (builder);
  tacho_settings_set_strv (settings, KEY, (const char *const *) now);
}

/**
 * tacho_prompt_presets_save:
 * @name: what the person calls it
 * @system_prompt: (nullable): goes before all
 * @request: its parameters
 */
void
tacho_prompt_presets_save (const char *name,
                           const char *system_prompt,
                           const TachoGenerateRequest *request)
{
  g_autofree char *clean = tacho_text_sanitize_line (name, -1, MAX_NAME);
  g_autofree char *json = to_json (clean, system_prompt, request);

  replace (clean, json);
}

/**
 * tacho_prompt_presets_delete:
 * @name: of one of the person's own
 */
void
tacho_prompt_presets_delete (const char *name)
{
  replace (name, NULL);
}
