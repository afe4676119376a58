/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of a timeline as values; the server takes them. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-timeline.h"

#include "sim/tacho-sim-fault.h"

static const char *const kinds[] = { "add-fault", "clear-faults", "down", "up",   "speed",
                                     "load",      "unload",       "fail", "mend", "slots" };

/**
 * tacho_sim_step_kind_to_string:
 * @kind: a kind of step
 *
 * Returns: its name in scenario files
 */
const char *
tacho_sim_step_kind_to_string (TachoSimStepKind kind)
{
  return (gsize) kind < G_N_ELEMENTS (kinds) ? kinds[kind] : "unknown";
}

/**
 * tacho_sim_step_kind_from_string:
 * @name: as in scenario files
 * @kind: (out): the kind of that name
 *
 * Returns: whether there is one
 */
gboolean
tacho_sim_step_kind_from_string (const char *name, TachoSimStepKind *kind)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_strcmp0 (name, kinds[i]) == 0)
      {
        *kind = (TachoSimStepKind) i;
        return TRUE;
      }
  return FALSE;
}

/**
 * tacho_sim_step_new:
 * @at_s: seconds since the server's start
 * @kind: what happens then
 *
 * Returns: (transfer full): the step
 */
TachoSimStep *
tacho_sim_step_new (double at_s, TachoSimStepKind kind)
{
  TachoSimStep *step = g_new0 (TachoSimStep, 1);

  step->at_s = at_s;
  step->kind = kind;
  step->factor = 1;
  return step;
}

/**
 * tacho_sim_step_copy:
 * @step: a step
 *
 * Returns: (transfer full): a copy
 */
TachoSimStep *
tacho_sim_step_copy (const TachoSimStep *step)
{
  TachoSimStep *copy = g_memdup2 (step, sizeof *step);

  copy->model = g_strdup (step->model);
  copy->reason = g_strdup (step->reason);
  copy->fault = step->fault != NULL ? tacho_sim_fault_copy (step->fault) : NULL;
  return copy;
}

/**
 * tacho_sim_step_free:
 * @step: (nullable) (transfer full): a step
 */
void
tacho_sim_step_free (TachoSimStep *step)
{
  if (step == NULL)
    return;
  g_free (step->model);
  g_free (step->reason);
  tacho_sim_fault_free (step->fault);
  g_free (step);
}
