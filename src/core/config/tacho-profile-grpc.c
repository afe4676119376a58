/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A profile's protocol, and the address of its gRPC side. */
#define G_LOG_DOMAIN "tacho"

#include "config/tacho-profile-private.h"

#include <string.h>

#include "base/tacho-error.h"
#include "base/tacho-url.h"

#define PLAIN_SCHEME "grpc://"
#define TLS_SCHEME "grpcs://"

/**
 * tacho_profile_get_protocol:
 * @self: a profile
 *
 * Returns: which sides of the server are used
 */
TachoProtocol
tacho_profile_get_protocol (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), TACHO_PROTOCOL_REST);
  return self->protocol;
}

/**
 * tacho_profile_set_protocol:
 * @self: a profile
 * @protocol: which sides of the server are used
 * @error: return location
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if the profile has no address for a side
 */
gboolean
tacho_profile_set_protocol (TachoProfile *self, TachoProtocol protocol, GError **error)
{
  const char *missing = NULL;

  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  if (protocol != TACHO_PROTOCOL_GRPC && self->url == NULL)
    missing = "a URL for its REST side";
  else if (protocol != TACHO_PROTOCOL_REST && self->grpc_target == NULL &&
           !tacho_profile_is_sim (self))
    missing = "HOST:PORT of its gRPC side";
  if (missing != NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "The protocol “%s” needs %s, which is not given",
                   tacho_protocol_to_string (protocol), missing);
      return FALSE;
    }
  if (self->protocol == protocol)
    return TRUE;
  self->protocol = protocol;
  tacho_profile_notify (self, TACHO_PROFILE_PROP_PROTOCOL);
  return TRUE;
}

/**
 * tacho_profile_get_rest_first:
 * @self: a profile
 *
 * Returns: %TRUE if a hybrid profile uses its REST side first
 */
gboolean
tacho_profile_get_rest_first (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);
  return self->rest_first;
}

/**
 * tacho_profile_set_rest_first:
 * @self: a profile
 * @rest_first: whether a hybrid profile uses its REST side first, and gRPC where that fails
 */
void
tacho_profile_set_rest_first (TachoProfile *self, gboolean rest_first)
{
  g_return_if_fail (TACHO_IS_PROFILE (self));

  if (self->rest_first == !!rest_first)
    return;
  self->rest_first = !!rest_first;
  tacho_profile_notify (self, TACHO_PROFILE_PROP_REST_FIRST);
}

/**
 * tacho_profile_get_grpc_target:
 * @self: a profile
 *
 * Returns: (transfer none) (nullable): the gRPC address as the person gave it; %NULL for none
 */
const char *
tacho_profile_get_grpc_target (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return self->grpc_target;
}

static const char *
without_scheme (const char *target)
{
  if (g_str_has_prefix (target, TLS_SCHEME))
    return target + strlen (TLS_SCHEME);
  return g_str_has_prefix (target, PLAIN_SCHEME) ? target + strlen (PLAIN_SCHEME) : target;
}

static gboolean
check_target (const char *target, GError **error)
{
  const char *address = without_scheme (target);
  const char *colon = strrchr (address, ':');
  g_autofree char *url = g_strconcat ("http://", address, NULL);
  g_autofree char *normal = NULL;
  g_autoptr (GError) reason = NULL;

  /* Hosts are judged by the same rules as in URLs: nothing that could reach into a header. */
  normal = tacho_url_normalize (url, &reason);
  if (normal == NULL)
    return tacho_profile_invalid (error, g_steal_pointer (&reason),
                                  "This gRPC address cannot be used");
  if (colon == NULL || colon == address || !g_ascii_isdigit (colon[1]) ||
      strpbrk (address, "/?#@") != NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "A gRPC address is HOST:PORT, or grpcs://HOST:PORT for TLS");
      return FALSE;
    }
  return TRUE;
}

/**
 * tacho_profile_set_grpc_target:
 * @self: a profile
 * @target: (nullable): "HOST:PORT", "grpc://HOST:PORT" (plain text) or "grpcs://HOST:PORT" (TLS);
 *   %NULL or empty: none
 * @error: return location
 *
 * The key goes to this side too: if the address changes, it is dropped.
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if it is no such address
 */
gboolean
tacho_profile_set_grpc_target (TachoProfile *self, const char *target, GError **error)
{
  g_autofree char *before = NULL;
  g_autofree char *clean = NULL;

  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  /* What is pasted often has blanks around it, which the check of a URL would let pass. */
  target = clean = target != NULL ? g_strstrip (g_strdup (target)) : NULL;
  if (target != NULL && target[0] == '\0')
    target = NULL;
  if (target != NULL && !check_target (target, error))
    return FALSE;
  if (g_strcmp0 (self->grpc_target, target) == 0)
    return TRUE;
  if (self->grpc_target != NULL)
    before = tacho_profile_dup_key_origin (self);
  g_free (self->grpc_target);
  self->grpc_target = g_strdup (target);
  tacho_profile_drop_foreign_key (self, before);
  tacho_profile_notify (self, TACHO_PROFILE_PROP_GRPC_TARGET);
  tacho_profile_notify (self, TACHO_PROFILE_PROP_GRPC_ENDPOINT);
  return TRUE;
}

/**
 * tacho_profile_get_grpc_endpoint:
 * @self: a profile
 *
 * Returns: (transfer none) (nullable): "HOST:PORT" where gRPC calls go; %NULL for none
 */
const char *
tacho_profile_get_grpc_endpoint (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);

  if (self->grpc_endpoint != NULL)
    return self->grpc_endpoint;
  return self->grpc_target != NULL ? without_scheme (self->grpc_target) : NULL;
}

/**
 * tacho_profile_set_grpc_endpoint:
 * @self: a profile
 * @endpoint: (nullable): "HOST:PORT" where gRPC calls go from now on; %NULL goes back to the target
 *
 * For whoever hosts the simulated server of a `sim:` profile.
 */
void
tacho_profile_set_grpc_endpoint (TachoProfile *self, const char *endpoint)
{
  g_return_if_fail (TACHO_IS_PROFILE (self));

  if (g_strcmp0 (self->grpc_endpoint, endpoint) == 0)
    return;
  g_free (self->grpc_endpoint);
  self->grpc_endpoint = g_strdup (endpoint);
  tacho_profile_notify (self, TACHO_PROFILE_PROP_GRPC_ENDPOINT);
}

/**
 * tacho_profile_get_grpc_tls:
 * @self: a profile
 *
 * Returns: whether gRPC calls go by TLS: as the target's scheme says, else as the REST side does
 */
gboolean
tacho_profile_get_grpc_tls (TachoProfile *self)
{
  const char *rest;

  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  if (self->grpc_target != NULL && g_str_has_prefix (self->grpc_target, TLS_SCHEME))
    return TRUE;
  if (self->grpc_target != NULL && g_str_has_prefix (self->grpc_target, PLAIN_SCHEME))
    return FALSE;
  rest = tacho_profile_get_endpoint (self);
  return rest != NULL && g_str_has_prefix (rest, "https://");
}
