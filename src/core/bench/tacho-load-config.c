/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the load goes: what the engine takes from a profile. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-load-engine.h"

#include <string.h>

/**
 * tacho_load_config_new:
 * @profile: where to, with which key
 * @api: of the side that is measured
 * @plan: what to do; copied
 *
 * Returns: (transfer full): a configuration; chunk stamps are not kept
 */
TachoLoadConfig *
tacho_load_config_new (TachoProfile *profile, TachoApi *api, const TachoBenchPlan *plan)
{
  TachoLoadConfig *config = g_new0 (TachoLoadConfig, 1);

  config->base_url = g_strdup (tacho_profile_get_endpoint (profile));
  config->bearer = g_strdup (tacho_profile_get_api_key (profile));
  config->headers = g_strdupv ((char **) tacho_profile_get_headers (profile));
  config->grpc_target = g_strdup (tacho_profile_get_grpc_endpoint (profile));
  config->grpc_tls = tacho_profile_get_grpc_tls (profile);
  config->ca_file = g_strdup (tacho_profile_get_ca_file (profile));
  config->cert_file = g_strdup (tacho_profile_get_cert_file (profile));
  config->key_file = g_strdup (tacho_profile_get_key_file (profile));
  config->pin = g_strdup (tacho_profile_get_pin (profile));
  config->proxy = g_strdup (tacho_profile_get_proxy (profile));
  for (int i = 0; i < TACHO_N_TIMEOUTS; i++)
    config->timeouts_s[i] = tacho_profile_get_timeout (profile, (TachoTimeout) i);
  config->api = g_object_ref (api);
  config->plan = tacho_bench_plan_copy (plan);
  return config;
}

/**
 * tacho_load_config_free:
 * @config: (nullable): a configuration
 *
 * Frees it and wipes the key.
 */
void
tacho_load_config_free (TachoLoadConfig *config)
{
  if (config == NULL)
    return;
  if (config->bearer != NULL)
    explicit_bzero (config->bearer, strlen (config->bearer));
  g_free (config->bearer);
  g_free (config->base_url);
  g_free (config->grpc_target);
  g_strfreev (config->headers);
  g_free (config->ca_file);
  g_free (config->cert_file);
  g_free (config->key_file);
  g_free (config->pin);
  g_free (config->proxy);
  g_clear_pointer (&config->words, g_ptr_array_unref);
  g_clear_object (&config->api);
  g_clear_pointer (&config->plan, tacho_bench_plan_free);
  g_free (config);
}
