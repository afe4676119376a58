/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whom a run may cost something. */
#define G_LOG_DOMAIN "tacho-bench-cost"

#include "config.h"

#include "app/tacho-bench-cost.h"
#include "app/tacho-display.h"
#include "bench/tacho-bench-watch.h"

#include <glib/gi18n.h>
#include <math.h>

static gboolean
is_local (TachoProfile *profile)
{
  return tacho_profile_is_sim (profile) ||
         tacho_bench_is_local (tacho_profile_get_endpoint (profile)) ||
         tacho_bench_is_local (tacho_profile_get_grpc_endpoint (profile));
}

static gboolean
has_key (TachoProfile *profile)
{
  return tacho_profile_get_api_key (profile) != NULL ||
         tacho_profile_get_api_key_env (profile) != NULL ||
         tacho_profile_get_key_in_keyring (profile);
}

/**
 * tacho_bench_cost_words:
 * @profile: a server
 * @estimate: what a run takes
 *
 * Returns: (transfer full) (nullable): a warning; %NULL where a run costs nobody anything
 */
char *
tacho_bench_cost_words (TachoProfile *profile, const TachoBenchEstimate *estimate)
{
  double sum = estimate->prompt_tokens + estimate->output_tokens;
  gboolean key = has_key (profile);
  g_autofree char *tokens = NULL;

  if (is_local (profile) && !key)
    return NULL;
  tokens = isfinite (sum) ? tacho_display_number (sum) : g_strdup (_ ("an unknown number of"));
  /* Translators: %s is a number of tokens, or "an unknown number of". */
  return g_strdup_printf (
      key ? _ ("This server takes an API key: a run may cost money. It sends and asks for about %s "
               "tokens.")
          : _ ("This server is not on this computer: others may need it, and the network is "
               "measured too. A run sends and asks for about %s tokens."),
      tokens);
}
