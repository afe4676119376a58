/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Profiles as values: a copy of what a person set, and whether two are the same. */
#define G_LOG_DOMAIN "tacho"

#include "config/tacho-profile-private.h"

#include <string.h>

/**
 * tacho_profile_copy:
 * @self: a profile
 *
 * Copies what a person set, and so what a file may keep. The key does not go along, nor where the
 * host of a simulated server lets the requests go.
 *
 * Returns: (transfer full): a profile that can be changed without changing @self
 */
TachoProfile *
tacho_profile_copy (TachoProfile *self)
{
  TachoProfile *copy;

  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);

  copy = g_object_new (TACHO_TYPE_PROFILE, NULL);
  copy->name = g_strdup (self->name);
  copy->url = g_strdup (self->url);
  g_free (copy->api);
  copy->api = g_strdup (self->api);
  copy->api_key_env = g_strdup (self->api_key_env);
  copy->key_in_keyring = self->key_in_keyring;
  copy->model = g_strdup (self->model);
  for (guint i = 0; i + 1 < self->headers->len; i++)
    g_ptr_array_insert (copy->headers, (int) i, g_strdup (g_ptr_array_index (self->headers, i)));
  memcpy (copy->timeouts, self->timeouts, sizeof self->timeouts);
  copy->tuning = self->tuning;
  copy->protocol = self->protocol;
  copy->rest_first = self->rest_first;
  copy->grpc_target = g_strdup (self->grpc_target);
  copy->ca_file = g_strdup (self->ca_file);
  copy->cert_file = g_strdup (self->cert_file);
  copy->key_file = g_strdup (self->key_file);
  copy->pin = g_strdup (self->pin);
  copy->proxy = g_strdup (self->proxy);
  copy->allow_plain_key = self->allow_plain_key;
  return copy;
}

static gboolean
is_same_tuning (const TachoProfileTuning *a, const TachoProfileTuning *b)
{
  return a->attempts == b->attempts && a->backoff_s == b->backoff_s &&
         a->backoff_cap_s == b->backoff_cap_s && a->server_wait_s == b->server_wait_s &&
         a->breaker_failures == b->breaker_failures && a->breaker_open_s == b->breaker_open_s &&
         a->max_connections == b->max_connections && a->connection_idle_s == b->connection_idle_s &&
         a->connection_age_s == b->connection_age_s && a->keepalive_s == b->keepalive_s;
}

/**
 * tacho_profile_equal:
 * @self: a profile
 * @other: another one
 *
 * Returns: whether all that tacho_profile_copy() copies is the same
 */
gboolean
tacho_profile_equal (TachoProfile *self, TachoProfile *other)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self) && TACHO_IS_PROFILE (other), FALSE);

  const char *const texts[][2] = {
    { self->name, other->name },         { self->url, other->url },
    { self->api, other->api },           { self->api_key_env, other->api_key_env },
    { self->model, other->model },       { self->grpc_target, other->grpc_target },
    { self->ca_file, other->ca_file },   { self->cert_file, other->cert_file },
    { self->key_file, other->key_file }, { self->pin, other->pin },
    { self->proxy, other->proxy },
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (g_strcmp0 (texts[i][0], texts[i][1]) != 0)
      return FALSE;
  for (guint i = 0; i < TACHO_N_TIMEOUTS; i++)
    if (self->timeouts[i] != other->timeouts[i])
      return FALSE;
  return g_strv_equal (tacho_profile_get_headers (self), tacho_profile_get_headers (other)) &&
         is_same_tuning (&self->tuning, &other->tuning) && self->protocol == other->protocol &&
         self->rest_first == other->rest_first && self->allow_plain_key == other->allow_plain_key &&
         self->key_in_keyring == other->key_in_keyring;
}
