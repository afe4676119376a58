/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a profile proves who asks: its key, where that comes from and may go, and its headers. */
#define G_LOG_DOMAIN "tacho"

#include "config/tacho-profile-private.h"

#include "base/tacho-error.h"
#include "base/tacho-url.h"

#include <string.h>

#define MAX_VARIABLE 200

void
tacho_profile_wipe (char *secret)
{
  if (secret == NULL)
    return;
  explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

/* Is this the header that the key goes into? */
static gboolean
is_key_header (const char *name)
{
  return g_ascii_strcasecmp (name, "Authorization") == 0;
}

static gboolean
has_key_header (TachoProfile *self)
{
  for (guint i = 0; i + 1 < self->headers->len; i++)
    {
      const char *line = g_ptr_array_index (self->headers, i);
      g_autofree char *name = g_strndup (line, strcspn (line, ":"));

      if (is_key_header (name))
        return TRUE;
    }
  return FALSE;
}

static gboolean
refuse_both (GError **error)
{
  g_set_error_literal (
      error, TACHO_ERROR, TACHO_ERROR_INVALID,
      "An API key and a header “Authorization” exclude each other, since the key is sent "
      "in that header: give the one or the other");
  return FALSE;
}

/**
 * tacho_profile_get_api_key:
 * @self: a profile
 *
 * Never log or show it.
 *
 * Returns: (transfer none) (nullable): the API key, %NULL if there is none
 */
const char *
tacho_profile_get_api_key (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return self->api_key;
}

/**
 * tacho_profile_set_api_key:
 * @self: a profile
 * @key: (nullable): the key, sent as `Authorization: Bearer` to this server only; %NULL or empty:
 *   none
 * @error: return location
 *
 * A key that holds a line break or another control character is refused here: libsoup would drop
 * the header and send the request without it. The message never repeats the key.
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if the key cannot be sent, or if a header carries one
 */
gboolean
tacho_profile_set_api_key (TachoProfile *self, const char *key, GError **error)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  if (key != NULL && *key == '\0')
    key = NULL;
  if (key != NULL && !tacho_header_check ("Authorization", key, NULL))
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "The API key holds a line break or a character that no HTTP header may "
                           "hold: paste it again without it");
      return FALSE;
    }
  if (key != NULL && has_key_header (self))
    return refuse_both (error);
  tacho_profile_wipe (self->api_key);
  self->api_key = g_strdup (key);
  return TRUE;
}

/**
 * tacho_profile_add_header:
 * @self: a profile
 * @line: "Name: value"
 * @error: return location
 *
 * Adds a header that goes with every request. Headers that HTTP itself needs (Host, Content-Length,
 * Transfer-Encoding, Connection, …) are refused, and so is one that carries a key beside a key.
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if the line is no header that may be sent
 */
gboolean
tacho_profile_add_header (TachoProfile *self, const char *line, GError **error)
{
  static const char *const reserved[] = { "Host",
                                          "Content-Length",
                                          "Content-Type",
                                          "Transfer-Encoding",
                                          "Connection",
                                          "Accept-Encoding",
                                          "Expect",
                                          "TE",
                                          "Trailer",
                                          "Upgrade",
                                          NULL };
  g_autoptr (GError) reason = NULL;
  g_autofree char *name = NULL;
  g_autofree char *value = NULL;

  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);
  g_return_val_if_fail (line != NULL, FALSE);

  if (!tacho_header_parse (line, &name, &value, &reason))
    return tacho_profile_invalid (error, g_steal_pointer (&reason), "This header cannot be sent");
  for (guint i = 0; reserved[i] != NULL; i++)
    if (g_ascii_strcasecmp (name, reserved[i]) == 0)
      {
        g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                     "The header “%s” is set by Tacho itself and cannot be given", reserved[i]);
        return FALSE;
      }
  if (self->api_key != NULL && is_key_header (name))
    return refuse_both (error);
  g_ptr_array_insert (self->headers, (int) self->headers->len - 1,
                      g_strdup_printf ("%s: %s", name, value));
  return TRUE;
}

/**
 * tacho_profile_get_headers:
 * @self: a profile
 *
 * Returns: (array zero-terminated=1): lines "Name: value", never %NULL
 */
const char *const *
tacho_profile_get_headers (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return (const char *const *) self->headers->pdata;
}

/**
 * tacho_profile_clear_headers:
 * @self: a profile
 *
 * Takes all headers away that were added.
 */
void
tacho_profile_clear_headers (TachoProfile *self)
{
  g_return_if_fail (TACHO_IS_PROFILE (self));

  g_ptr_array_set_size (self->headers, 0);
  g_ptr_array_add (self->headers, NULL);
}

/**
 * tacho_profile_get_api_key_env:
 * @self: a profile
 *
 * Returns: (transfer none) (nullable): the environment variable that holds the key
 */
const char *
tacho_profile_get_api_key_env (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return self->api_key_env;
}

/**
 * tacho_profile_set_api_key_env:
 * @self: a profile
 * @variable: (nullable): name of the environment variable that holds the key; %NULL or empty: none
 * @error: return location
 *
 * The message does not repeat what was given: it may be a key by mistake.
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if no variable can have this name
 */
gboolean
tacho_profile_set_api_key_env (TachoProfile *self, const char *variable, GError **error)
{
  gsize good = 0;

  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  if (variable != NULL && *variable == '\0')
    variable = NULL;
  while (variable != NULL && (g_ascii_isalnum (variable[good]) || variable[good] == '_'))
    good++;
  if (variable != NULL &&
      (variable[good] != '\0' || g_ascii_isdigit (variable[0]) || good > MAX_VARIABLE))
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "The API key's environment variable is given by its name, of letters, "
                           "digits and “_”; it is not the key itself");
      return FALSE;
    }
  if (g_strcmp0 (self->api_key_env, variable) == 0)
    return TRUE;
  g_free (self->api_key_env);
  self->api_key_env = g_strdup (variable);
  return TRUE;
}

/**
 * tacho_profile_get_key_in_keyring:
 * @self: a profile
 *
 * Returns: whether a key was stored in the keyring, so that it is worth asking for
 */
gboolean
tacho_profile_get_key_in_keyring (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);
  return self->key_in_keyring;
}

/**
 * tacho_profile_set_key_in_keyring:
 * @self: a profile
 * @in_keyring: whether a key is stored in the keyring
 */
void
tacho_profile_set_key_in_keyring (TachoProfile *self, gboolean in_keyring)
{
  g_return_if_fail (TACHO_IS_PROFILE (self));
  self->key_in_keyring = !!in_keyring;
}

/**
 * tacho_profile_dup_key_origin:
 * @self: a profile
 *
 * A key is bound to this: a profile of another origin is not given it.
 *
 * Returns: (transfer full) (nullable): scheme, host and port of each side that it has, with
 *   a blank between them; %NULL if it has neither
 */
char *
tacho_profile_dup_key_origin (TachoProfile *self)
{
  g_autofree char *rest = NULL;
  g_autofree char *grpc = NULL;

  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);

  if (self->url != NULL)
    rest = tacho_profile_is_sim (self) ? g_strdup (self->url) : tacho_url_origin (self->url);
  if (self->grpc_target != NULL)
    {
      const char *address = strstr (self->grpc_target, "://");
      g_autofree char *lower =
          g_ascii_strdown (address != NULL ? address + 3 : self->grpc_target, -1);

      grpc = g_strconcat (tacho_profile_get_grpc_tls (self) ? "grpcs://" : "grpc://", lower, NULL);
    }
  if (rest == NULL)
    return g_steal_pointer (&grpc);
  return grpc != NULL ? g_strjoin (" ", rest, grpc, NULL) : g_steal_pointer (&rest);
}

void
tacho_profile_drop_foreign_key (TachoProfile *self, const char *before)
{
  g_autofree char *now = tacho_profile_dup_key_origin (self);

  if (before == NULL || g_strcmp0 (before, now) == 0)
    return;
  g_clear_pointer (&self->api_key, tacho_profile_wipe);
  self->key_in_keyring = FALSE;
}
