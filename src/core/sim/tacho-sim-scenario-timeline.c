/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The faults and the timeline of a scenario file. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-scenario-private.h"

#include "base/tacho-error.h"
#include "base/tacho-json.h"
#include "sim/tacho-sim-fault.h"
#include "sim/tacho-sim-timeline.h"

#define MAX_STEPS 10000
#define MAX_FAULTS 1000

static TachoSimFault *
read_fault (JsonNode *node, const char *path, GError **error)
{
  const char *spec = tacho_sim_scenario_read_text (node, path, error);
  TachoSimFault *fault = spec != NULL ? tacho_sim_fault_parse (spec, error) : NULL;

  if (spec != NULL && fault == NULL)
    g_prefix_error (error, "%s: ", path);
  return fault;
}

gboolean
tacho_sim_scenario_read_faults (TachoSimConfig *config,
                                JsonNode *node,
                                const char *path,
                                GError **error)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (array == NULL || json_array_get_length (array) > MAX_FAULTS)
    return tacho_sim_scenario_refuse (error, path, "must be an array of at most %d faults",
                                      MAX_FAULTS);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      g_autofree char *place = g_strdup_printf ("%s[%u]", path, i);
      TachoSimFault *fault = read_fault (json_array_get_element (array, i), place, error);

      if (fault == NULL)
        return FALSE;
      g_ptr_array_add (config->faults, fault);
    }
  return TRUE;
}

static gboolean
read_step_member (TachoSimStep *step,
                  const char *name,
                  JsonNode *node,
                  const char *path,
                  GError **error)
{
  const char *text;

  if (g_str_equal (name, "at") || g_str_equal (name, "do"))
    return TRUE;
  if (g_str_equal (name, "fault"))
    return (step->fault = read_fault (node, path, error)) != NULL;
  if (g_str_equal (name, "factor"))
    return tacho_sim_scenario_read_number (node, path, 0.001, 1e6, &step->factor, error);
  if (g_str_equal (name, "slots"))
    return tacho_sim_scenario_read_whole (node, path, 1, 4096, &step->slots, error);
  if (!g_str_equal (name, "model") && !g_str_equal (name, "side") && !g_str_equal (name, "reason"))
    return tacho_sim_scenario_refuse (error, path, "a step has no such member");
  text = tacho_sim_scenario_read_text (node, path, error);
  if (text == NULL)
    return FALSE;
  if (g_str_equal (name, "model"))
    {
      g_free (step->model);
      step->model = g_strdup (text);
    }
  else if (g_str_equal (name, "reason"))
    {
      g_free (step->reason);
      step->reason = g_strdup (text);
    }
  else if (g_str_equal (text, "grpc"))
    step->grpc = TRUE;
  else if (!g_str_equal (text, "rest"))
    return tacho_sim_scenario_refuse (error, path, "must be “rest” or “grpc”");
  return TRUE;
}

static gboolean
check_step (const TachoSimStep *step, JsonObject *object, const char *path, GError **error)
{
  if (step->kind == TACHO_SIM_STEP_ADD_FAULT && step->fault == NULL)
    return tacho_sim_scenario_refuse (error, path, "“add-fault” needs a “fault”");
  if ((step->kind == TACHO_SIM_STEP_DOWN || step->kind == TACHO_SIM_STEP_UP) &&
      !json_object_has_member (object, "side"))
    return tacho_sim_scenario_refuse (error, path,
                                      "“down” and “up” need a “side”: “rest” or “grpc”");
  if ((step->kind == TACHO_SIM_STEP_LOAD || step->kind == TACHO_SIM_STEP_UNLOAD ||
       step->kind == TACHO_SIM_STEP_FAIL || step->kind == TACHO_SIM_STEP_MEND) &&
      step->model == NULL)
    return tacho_sim_scenario_refuse (error, path, "“%s” needs a “model”",
                                      tacho_sim_step_kind_to_string (step->kind));
  if (step->kind == TACHO_SIM_STEP_SPEED && !json_object_has_member (object, "factor"))
    return tacho_sim_scenario_refuse (error, path, "“speed” needs a “factor”");
  if (step->kind == TACHO_SIM_STEP_SLOTS && step->slots == 0)
    return tacho_sim_scenario_refuse (error, path, "“slots” needs “slots”: how many");
  return TRUE;
}

static gboolean
read_step (TachoSimConfig *config, JsonNode *node, const char *path, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *name = tacho_json_get_string (object, "do", NULL);
  g_autofree char *place = g_strconcat (path, ".at", NULL);
  g_autoptr (GList) members = NULL;
  TachoSimStepKind kind;
  TachoSimStep *step;
  double at_s;

  if (object == NULL || !json_object_has_member (object, "at"))
    return tacho_sim_scenario_refuse (error, path,
                                      "a step is an object with “at” (seconds) and “do”");
  if (!tacho_sim_step_kind_from_string (name, &kind))
    return tacho_sim_scenario_refuse (
        error, path,
        "“do” must be add-fault, clear-faults, down, up, speed, load, unload, fail, mend "
        "or slots");
  if (!tacho_sim_scenario_read_number (json_object_get_member (object, "at"), place, 0, 1e6, &at_s,
                                       error))
    return FALSE;
  step = tacho_sim_step_new (at_s, kind);
  g_ptr_array_add (config->timeline, step);
  members = json_object_get_members (object);
  for (GList *l = members; l != NULL; l = l->next)
    {
      g_autofree char *member = g_strconcat (path, ".", (char *) l->data, NULL);

      if (!read_step_member (step, l->data, json_object_get_member (object, l->data), member,
                             error))
        return FALSE;
    }
  return check_step (step, object, path, error);
}

gboolean
tacho_sim_scenario_read_timeline (TachoSimConfig *config,
                                  JsonNode *node,
                                  const char *path,
                                  GError **error)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (array == NULL || json_array_get_length (array) > MAX_STEPS)
    return tacho_sim_scenario_refuse (error, path, "must be an array of at most %d steps",
                                      MAX_STEPS);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      g_autofree char *place = g_strdup_printf ("%s[%u]", path, i);

      if (!read_step (config, json_array_get_element (array, i), place, error))
        return FALSE;
    }
  return TRUE;
}

/* The models may stand behind the timeline in the file. */
gboolean
tacho_sim_scenario_check_models (const TachoSimConfig *config, GError **error)
{
  for (guint i = 0; i < config->timeline->len; i++)
    {
      const TachoSimStep *step = g_ptr_array_index (config->timeline, i);
      g_autofree char *path = g_strdup_printf ("timeline[%u].model", i);
      gboolean found = step->model == NULL;

      for (guint j = 0; !found && j < config->models->len; j++)
        found = g_strcmp0 (((TachoSimModel *) g_ptr_array_index (config->models, j))->id,
                           step->model) == 0;
      if (!found)
        return tacho_sim_scenario_refuse (error, path, "there is no model “%.60s”", step->model);
    }
  return TRUE;
}
