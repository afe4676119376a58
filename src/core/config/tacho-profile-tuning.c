/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A profile's numbers for retries, breaker and connections, and their ranges. */
#define G_LOG_DOMAIN "tacho"

#include "config/tacho-profile-private.h"

#include <math.h>

#include "base/tacho-error.h"

/**
 * tacho_profile_tuning_init:
 * @tuning: (out caller-allocates): the defaults
 */
void
tacho_profile_tuning_init (TachoProfileTuning *tuning)
{
  g_return_if_fail (tuning != NULL);

  *tuning = (TachoProfileTuning){
    .attempts = 3,
    .backoff_s = 0.5,
    .backoff_cap_s = 8,
    .server_wait_s = 60,
    .breaker_failures = 5,
    .breaker_open_s = 30,
    .max_connections = 64,
    .connection_idle_s = 60,
    .connection_age_s = 600,
    .keepalive_s = 300,
  };
}

/**
 * tacho_profile_get_tuning:
 * @self: a profile
 *
 * Returns: (transfer none): the numbers in use
 */
const TachoProfileTuning *
tacho_profile_get_tuning (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return &self->tuning;
}

/**
 * tacho_profile_set_tuning:
 * @self: a profile
 * @tuning: the numbers
 * @error: return location
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID, naming the number and what is allowed; nothing is
 *   changed then
 */
gboolean
tacho_profile_set_tuning (TachoProfile *self, const TachoProfileTuning *tuning, GError **error)
{
  const struct
  {
    const char *name;
    double value, min, max;
  } checks[] = {
    { "The number of attempts", tuning->attempts, 1, 5 },
    { "The backoff", tuning->backoff_s, 0, 60 },
    { "The backoff's cap", tuning->backoff_cap_s, 0, 600 },
    { "The longest wait for a server", tuning->server_wait_s, 0, 3600 },
    { "The number of failures that open the breaker", tuning->breaker_failures, 1, 1000 },
    { "The time that the breaker stays open", tuning->breaker_open_s, 0.1, 3600 },
    { "The number of connections", tuning->max_connections, 1, 10000 },
    { "The idle time of a connection", tuning->connection_idle_s, 1, 86400 },
    { "The age of a connection", tuning->connection_age_s, 1, 86400 },
    { "The time between keepalive pings", tuning->keepalive_s, 0, 86400 },
  };

  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  for (gsize i = 0; i < G_N_ELEMENTS (checks); i++)
    if (!isfinite (checks[i].value) || checks[i].value < checks[i].min ||
        checks[i].value > checks[i].max)
      {
        g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "%s must be from %g to %g, not %g",
                     checks[i].name, checks[i].min, checks[i].max, checks[i].value);
        return FALSE;
      }
  self->tuning = *tuning;
  return TRUE;
}
