/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The families that the simulated server speaks: their names and what they can. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-config.h"

static const struct
{
  const char *name;
  gboolean grpc;
  gboolean loads;
} families[TACHO_SIM_N_FAMILIES] = {
  [TACHO_SIM_FAMILY_ALL] = { "all", TRUE, TRUE },
  [TACHO_SIM_FAMILY_LLAMACPP] = { "llamacpp", FALSE, TRUE },
  [TACHO_SIM_FAMILY_OPENAI] = { "openai", FALSE, FALSE },
  [TACHO_SIM_FAMILY_OLLAMA] = { "ollama", FALSE, TRUE },
  [TACHO_SIM_FAMILY_LMSTUDIO] = { "lmstudio", FALSE, TRUE },
  [TACHO_SIM_FAMILY_VLLM] = { "vllm", FALSE, FALSE },
  [TACHO_SIM_FAMILY_SGLANG] = { "sglang", FALSE, FALSE },
  [TACHO_SIM_FAMILY_TGI] = { "tgi", FALSE, FALSE },
  [TACHO_SIM_FAMILY_OIP] = { "oip", TRUE, TRUE },
  [TACHO_SIM_FAMILY_KSERVE] = { "kserve", TRUE, TRUE },
  [TACHO_SIM_FAMILY_RYZANSTEIN] = { "ryzanstein", TRUE, TRUE },
};

/**
 * tacho_sim_family_to_string:
 * @family: a family
 *
 * Returns: (transfer none): its name, as in `sim:NAME` and `simulate --api NAME`
 */
const char *
tacho_sim_family_to_string (TachoSimFamily family)
{
  g_return_val_if_fail (family < TACHO_SIM_N_FAMILIES, NULL);

  return families[family].name;
}

/**
 * tacho_sim_family_from_string:
 * @name: (nullable): a family's name; `triton` is `oip`
 * @family: (out): the family
 *
 * Returns: whether there is such a family
 */
gboolean
tacho_sim_family_from_string (const char *name, TachoSimFamily *family)
{
  if (g_strcmp0 (name, "triton") == 0)
    name = "oip";
  for (guint i = 0; i < TACHO_SIM_N_FAMILIES; i++)
    if (g_strcmp0 (name, families[i].name) == 0)
      {
        *family = (TachoSimFamily) i;
        return TRUE;
      }
  return FALSE;
}

/**
 * tacho_sim_family_has_grpc:
 * @family: a family
 *
 * Returns: whether a front of it may speak gRPC
 */
gboolean
tacho_sim_family_has_grpc (TachoSimFamily family)
{
  g_return_val_if_fail (family < TACHO_SIM_N_FAMILIES, FALSE);

  return families[family].grpc;
}

/**
 * tacho_sim_family_loads:
 * @family: a family
 *
 * Returns: whether its models can be loaded and unloaded
 */
gboolean
tacho_sim_family_loads (TachoSimFamily family)
{
  g_return_val_if_fail (family < TACHO_SIM_N_FAMILIES, FALSE);

  return families[family].loads;
}
