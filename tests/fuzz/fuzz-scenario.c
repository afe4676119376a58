/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scenario files and fault specs: taken within their limits or refused with clean words; a fault
 * written out is the same fault. */
#include "tacho-fuzz-apis.h"

#include <math.h>

#include "sim/tacho-sim-fault.h"
#include "sim/tacho-sim-scenario.h"

static void
check_fault (const TachoSimFault *fault)
{
  g_autofree char *text = tacho_sim_fault_to_string (fault);
  g_autoptr (TachoSimFault) again = tacho_sim_fault_parse (text, NULL);
  g_autofree char *twice = NULL;

  TACHO_FUZZ_CHECK (fault->probability >= 0 && fault->probability <= 1);
  TACHO_FUZZ_CHECK (isfinite (fault->seconds) && isfinite (fault->factor));
  TACHO_FUZZ_CHECK (again != NULL);
  twice = tacho_sim_fault_to_string (again);
  TACHO_FUZZ_CHECK (g_str_equal (text, twice));
}

static void
check_spec (const char *spec)
{
  g_autoptr (TachoSimFault) fault = NULL;
  TachoSimFaultSet *set = tacho_sim_fault_set_new (1);
  TachoSimPlay play;
  GError *error = NULL;

  fault = tacho_sim_fault_parse (spec, &error);
  tacho_fuzz_check_error (fault != NULL, g_steal_pointer (&error));
  if (fault != NULL)
    {
      check_fault (fault);
      tacho_sim_fault_set_add (set, fault);
    }
  tacho_sim_play_init (&play);
  tacho_fuzz_check_error (
      tacho_sim_fault_set_match (set, "/v1/chat/completions", TRUE, spec, &play, &error), error);
  TACHO_FUZZ_CHECK (play.latency_s >= 0 && isfinite (play.factor) && play.bundle > 0);
  tacho_sim_play_clear (&play);
  tacho_sim_fault_set_free (set);
}

static void
check_config (const TachoSimConfig *config)
{
  TACHO_FUZZ_CHECK (config->fronts->len > 0);
  TACHO_FUZZ_CHECK (isfinite (config->time_scale) && config->time_scale >= 0);
  TACHO_FUZZ_CHECK (config->slots > 0);
  for (guint i = 0; i < config->models->len; i++)
    {
      const TachoSimModel *model = g_ptr_array_index (config->models, i);

      TACHO_FUZZ_CHECK (model->id != NULL && model->id[0] != '\0');
      TACHO_FUZZ_CHECK (g_utf8_validate (model->id, -1, NULL));
      TACHO_FUZZ_CHECK (isfinite (model->decode_ms_per_step) && model->decode_ms_per_step >= 0);
      TACHO_FUZZ_CHECK (isfinite (model->load_s) && model->load_s >= 0);
    }
  for (guint i = 0; i < config->faults->len; i++)
    check_fault (g_ptr_array_index (config->faults, i));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new (NULL, NULL);
  g_autofree char *copy = g_memdup2 (data, size);
  g_autofree char *spec = g_strndup ((const char *) data, size);
  GError *error = NULL;
  gboolean good = tacho_sim_scenario_read (config, copy != NULL ? copy : "", size, &error);

  tacho_fuzz_check_error (good, error);
  if (good)
    {
      g_autoptr (TachoSimConfig) other = tacho_sim_config_copy (config);

      check_config (config);
      check_config (other);
    }
  check_spec (spec);
  return 0;
}
