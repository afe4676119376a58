/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli profiles add and edit: options into an entry, and the key into the keyring. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-profiles.h"

#include "base/tacho-error.h"

#include <string.h>

static gboolean
usage_of (GError **error, const char *option)
{
  g_prefix_error (error, "%s: ", option);
  return FALSE;
}

/* Addresses first: what follows is judged by them. */
static gboolean
fill (CliSession *self, TachoProfile *profile, const CliProfilesOptions *o, GError **error)
{
  CliGlobals *globals = &self->globals;

  if (globals->url != NULL && !tacho_profile_set_url (profile, globals->url, error))
    return usage_of (error, "--url");
  if (globals->headers != NULL)
    tacho_profile_clear_headers (profile);
  for (guint i = 0; globals->headers != NULL && globals->headers[i] != NULL; i++)
    if (*globals->headers[i] == '\0')
      {
        g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                     "--header: an empty one takes none back; “config unset 'profile %s' headers” "
                     "does.",
                     tacho_profile_get_name (profile));
        return FALSE;
      }
  if (!cli_profile_fill (self, profile, error))
    return FALSE;
  if (globals->api_key_env != NULL &&
      !tacho_profile_set_api_key_env (profile, globals->api_key_env, error))
    return usage_of (error, "--api-key-env");
  if (o->model != NULL && !tacho_profile_set_model (profile, o->model, error))
    return usage_of (error, "--model");
  if (o->order != NULL && !g_str_equal (o->order, "grpc-first") &&
      !g_str_equal (o->order, "rest-first"))
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                   "--order takes grpc-first or rest-first, not “%.40s”.", o->order);
      return FALSE;
    }
  if (o->order != NULL)
    tacho_profile_set_rest_first (profile, g_str_equal (o->order, "rest-first"));
  return TRUE;
}

static gboolean
check_key_options (CliSession *self, const CliProfilesOptions *o, GError **error)
{
  guint n = (o->api_key ? 1 : 0) + (o->no_api_key ? 1 : 0) +
            (self->globals.api_key_env != NULL && *self->globals.api_key_env != '\0' ? 1 : 0);

  if (self->globals.profile != NULL)
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                   "The profile is named behind the word: profiles edit NAME, without --profile.");
      return FALSE;
    }
  if (n <= 1)
    return TRUE;
  g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
               "Give one of --api-key, --no-api-key and --api-key-env.");
  return FALSE;
}

static gboolean
store_key (CliSession *self, TachoProfile *profile, const char *key, GError **error)
{
  TachoSecrets *secrets = cli_session_get_secrets (self);
  g_autoptr (GAsyncResult) result = NULL;

  tacho_secrets_store_async (secrets, profile, key, self->cancellable, cli_session_ready_cb, self);
  result = cli_session_wait (self);
  if (!tacho_secrets_store_finish (secrets, result, error))
    return FALSE;
  tacho_profile_set_api_key_env (profile, NULL, NULL);
  tacho_profile_set_key_in_keyring (profile, TRUE);
  return TRUE;
}

static gboolean
read_and_store (CliSession *self, TachoProfile *profile, GError **error)
{
  char *key = cli_key_read (self, tacho_profile_get_name (profile), error);
  gboolean stored = key != NULL && store_key (self, profile, key, error);

  tacho_secret_free (key);
  return stored;
}

static int
finish (CliSession *self, const CliProfilesOptions *o, TachoProfile *profile)
{
  TachoConfig *config = cli_session_get_config (self);
  g_autoptr (GError) error = NULL;

  if (tacho_config_get_set_aside (config) != NULL)
    cli_terminal_say (self->terminal, "The broken file was set aside as %s.",
                      tacho_config_get_set_aside (config));
  if (o->make_default && !tacho_config_set_value (config, "general", "profile",
                                                  tacho_profile_get_name (profile), &error))
    return cli_session_fail (self, error);
  return CLI_EXIT_OK;
}

int
cli_profiles_add (CliSession *self, const CliProfilesOptions *o, const char *name)
{
  TachoConfig *config = cli_session_get_config (self);
  CliGlobals *globals = &self->globals;
  g_autoptr (TachoProfile) profile = NULL;
  g_autoptr (GError) error = NULL;

  if (!check_key_options (self, o, &error))
    return cli_session_fail (self, error);
  if (globals->url == NULL && globals->grpc == NULL)
    {
      cli_terminal_error (self->terminal,
                          "Where is it? profiles add %.60s --url URL, --grpc HOST:PORT, or both.",
                          name);
      return CLI_EXIT_USAGE;
    }
  if (tacho_config_lookup_profile (config, name) != NULL)
    {
      cli_terminal_error (self->terminal,
                          "There is a profile “%.60s” already: profiles edit changes it.", name);
      return CLI_EXIT_USAGE;
    }
  profile = tacho_profile_new (name, globals->url, &error);
  if (profile == NULL || !tacho_profile_set_name (profile, name, &error) ||
      !fill (self, profile, o, &error) || (o->api_key && !read_and_store (self, profile, &error)))
    return cli_session_fail (self, error);
  if (!tacho_config_add_profile (config, profile, &error))
    {
      int status = cli_session_fail (self, error);

      if (o->api_key)
        cli_profiles_forget_key (self, profile, NULL); /* it would be there for nothing */
      return status;
    }
  return finish (self, o, profile);
}

/* A key goes along with a new name, but not to a new address. */
static gboolean
move_key (CliSession *self,
          TachoProfile *before,
          TachoProfile *profile,
          const CliProfilesOptions *o,
          gboolean *forget,
          GError **error)
{
  g_autofree char *old_origin = tacho_profile_dup_key_origin (before);
  g_autofree char *new_origin = tacho_profile_dup_key_origin (profile);
  gboolean had = tacho_profile_get_key_in_keyring (before);
  gboolean same_place = g_strcmp0 (old_origin, new_origin) == 0;
  gboolean same_name =
      g_str_equal (tacho_profile_get_name (before), tacho_profile_get_name (profile));
  g_autoptr (GError) local = NULL;
  gboolean stored;
  char *key;

  *forget = had && !(same_place && same_name);
  if (o->api_key)
    return read_and_store (self, profile, error);
  if (o->no_api_key)
    tacho_profile_set_api_key_env (profile, NULL, NULL);
  if (o->no_api_key || tacho_profile_get_api_key_env (profile) != NULL)
    {
      *forget = had;
      tacho_profile_set_key_in_keyring (profile, FALSE);
      return TRUE;
    }
  if (!had || (same_place && same_name))
    return TRUE;
  tacho_profile_set_key_in_keyring (profile, FALSE);
  if (!same_place)
    {
      cli_terminal_say (self->terminal,
                        "The API key was for %s: it is forgotten. Give the one for the new address "
                        "by profiles edit --api-key.",
                        old_origin);
      return TRUE;
    }
  key = cli_profile_lookup_key (self, before, NULL, &local);
  if (local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  stored = store_key (self, profile, key, error);
  tacho_secret_free (key);
  return stored;
}

int
cli_profiles_edit (CliSession *self, const CliProfilesOptions *o, const char *name)
{
  TachoConfig *config = cli_session_get_config (self);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoProfile) before = cli_profiles_find (self, name, &error);
  g_autoptr (TachoProfile) profile = NULL;
  gboolean forget = FALSE;

  if (before == NULL || !check_key_options (self, o, &error))
    return cli_session_fail (self, error);
  profile = tacho_profile_copy (before);
  if ((o->name != NULL && !tacho_profile_set_name (profile, o->name, &error)) ||
      !fill (self, profile, o, &error) || !move_key (self, before, profile, o, &forget, &error) ||
      !tacho_config_update_profile (config, name, profile, &error))
    return cli_session_fail (self, error);
  if (forget && !cli_profiles_forget_key (self, before, &error))
    cli_terminal_say (self->terminal, "The old key may be in the keyring still: %s.",
                      error->message);
  return finish (self, o, profile);
}
