/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The servers and defaults that the window shares with the command line, and their keys. */
#define G_LOG_DOMAIN "tacho-servers"

#include "config.h"

#include "app/tacho-servers.h"
#include "app/tacho-display.h"
#include "app/tacho-settings.h"
#include "base/tacho-text.h"

#define MAX_TITLE 120 /* characters */
#define MAX_SAME_NAME 100

/**
 * tacho_servers_get_config:
 *
 * Returns: (transfer none): the configuration, read at the first call and watched from then on
 */
TachoConfig *
tacho_servers_get_config (void)
{
  static TachoConfig *config;

  if (config == NULL)
    {
      config = tacho_config_new (NULL);
      tacho_config_watch (config);
    }
  return config;
}

/**
 * tacho_servers_get_secrets:
 *
 * Returns: (transfer none): the keys; those of the session last as long as the program
 */
TachoSecrets *
tacho_servers_get_secrets (void)
{
  static TachoSecrets *secrets;

  if (secrets == NULL)
    secrets = tacho_secrets_new ();
  return secrets;
}

static TachoProfile *
find (const char *address)
{
  GListModel *profiles = tacho_config_get_profiles (tacho_servers_get_config ());
  guint n = g_list_model_get_n_items (profiles);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TachoProfile) profile = g_list_model_get_item (profiles, i);
      g_autofree char *own = tacho_servers_make_address (profile);

      if (g_str_equal (own, address))
        return profile; /* the list keeps it */
    }
  return NULL;
}

/**
 * tacho_servers_find:
 * @address: a normalised URL, or "grpc://HOST:PORT"
 *
 * Returns: (transfer full) (nullable): how the saved server of that address is talked to, without
 *   its key; %NULL if none is saved
 */
TachoProfile *
tacho_servers_find (const char *address)
{
  TachoProfile *found = find (address);
  TachoProfile *profile;

  if (found == NULL)
    return NULL;
  profile = tacho_profile_copy (found);
  tacho_config_apply_defaults (tacho_servers_get_config (), profile);
  return profile;
}

/**
 * tacho_servers_needs_key:
 * @profile: a profile
 *
 * Returns: whether its key has still to be fetched
 */
gboolean
tacho_servers_needs_key (TachoProfile *profile)
{
  return tacho_profile_get_api_key (profile) == NULL &&
         (tacho_profile_get_key_in_keyring (profile) ||
          tacho_profile_get_api_key_env (profile) != NULL);
}

/**
 * tacho_servers_find_named:
 * @name: a name
 *
 * Returns: (transfer full) (nullable): how the saved server of that name is talked to, without its
 *   key; %NULL if none has it
 */
TachoProfile *
tacho_servers_find_named (const char *name)
{
  TachoProfile *found = tacho_config_lookup_profile (tacho_servers_get_config (), name);
  TachoProfile *profile = found != NULL ? tacho_profile_copy (found) : NULL;

  if (profile != NULL)
    tacho_config_apply_defaults (tacho_servers_get_config (), profile);
  return profile;
}

/**
 * tacho_servers_is_saved:
 * @profile: how a server is talked to
 *
 * Returns: whether the file has it under this name, at this address
 */
gboolean
tacho_servers_is_saved (TachoProfile *profile)
{
  TachoProfile *found =
      tacho_config_lookup_profile (tacho_servers_get_config (), tacho_profile_get_name (profile));
  g_autofree char *there = found != NULL ? tacho_servers_make_address (found) : NULL;
  g_autofree char *own = tacho_servers_make_address (profile);

  return g_strcmp0 (there, own) == 0;
}

/**
 * tacho_servers_make_address:
 * @profile: how a server is talked to
 *
 * Returns: (transfer full): what names it in lists: its URL, or without one "grpc://HOST:PORT"
 */
char *
tacho_servers_make_address (TachoProfile *profile)
{
  const char *url = tacho_profile_get_url (profile);

  if (url != NULL)
    return g_strdup (url);
  return g_strconcat (tacho_profile_get_grpc_tls (profile) ? "grpcs://" : "grpc://",
                      tacho_profile_get_grpc_endpoint (profile), NULL);
}

/**
 * tacho_servers_make_title:
 * @profile: how a server is talked to
 *
 * Returns: (transfer full): what the window calls it: the name that a person gave it, else its
 *   address in short
 */
char *
tacho_servers_make_title (TachoProfile *profile)
{
  g_autofree char *address = tacho_servers_make_address (profile);

  return tacho_servers_is_saved (profile)
             ? tacho_text_sanitize_line (tacho_profile_get_name (profile), -1, MAX_TITLE)
             : tacho_display_url_name (address);
}

/**
 * tacho_servers_make_name:
 * @profile: a server
 * @own: (nullable): as it is saved already; its name may be taken again
 *
 * Returns: (transfer full): a name from its address, which no other saved server has
 */
char *
tacho_servers_make_name (TachoProfile *profile, TachoProfile *own)
{
  TachoConfig *config = tacho_servers_get_config ();
  g_autofree char *address = tacho_servers_make_address (profile);
  g_autofree char *base = tacho_display_url_name (address);

  for (guint i = 1; i < MAX_SAME_NAME; i++)
    {
      g_autofree char *name = i == 1 ? g_strdup (base) : g_strdup_printf ("%s (%u)", base, i);

      if (tacho_config_lookup_profile (config, name) == NULL ||
          (own != NULL && g_str_equal (name, tacho_profile_get_name (own))))
        return g_steal_pointer (&name);
    }
  return g_steal_pointer (&address);
}

/**
 * tacho_servers_save:
 * @profile: a server that a person added; given the name that it is saved under
 * @error: return location
 *
 * Returns: %FALSE if it cannot be saved, so that it is known for this session only
 */
gboolean
tacho_servers_save (TachoProfile *profile, GError **error)
{
  TachoConfig *config = tacho_servers_get_config ();
  g_autofree char *address = tacho_servers_make_address (profile);
  g_autofree char *name = NULL;
  TachoProfile *known = find (address);

  if (known == NULL)
    {
      name = tacho_servers_make_name (profile, NULL);
      return tacho_profile_set_name (profile, name, error) &&
             tacho_config_add_profile (config, profile, error);
    }
  name = g_strdup (tacho_profile_get_name (known));
  return tacho_profile_set_name (profile, name, error) &&
         tacho_config_update_profile (config, name, profile, error);
}

static void
migrate_servers (void)
{
  TachoSettings *settings = tacho_settings_get_default ();
  g_auto (GStrv) recent = tacho_settings_get_strv (settings, "recent-urls");

  for (guint i = 0; recent[i] != NULL; i++)
    {
      gboolean grpc =
          g_str_has_prefix (recent[i], "grpc://") || g_str_has_prefix (recent[i], "grpcs://");
      g_autoptr (TachoProfile) profile = NULL;

      if (find (recent[i]) != NULL)
        continue;
      profile = tacho_profile_new (NULL, grpc ? NULL : recent[i], NULL);
      if (profile != NULL && (!grpc || tacho_profile_set_grpc_target (profile, recent[i], NULL)))
        tacho_servers_save (profile, NULL); /* else it stays among the recent ones */
    }
}

static void
migrate_number (const char *setting, double value, gboolean is_set)
{
  g_autofree char *there =
      tacho_config_dup_value (tacho_servers_get_config (), "inference", setting, NULL);
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (!is_set || there != NULL)
    return;
  g_ascii_formatd (text, sizeof text, "%.6g", value);
  tacho_config_set_value (tacho_servers_get_config (), "inference", setting, text, NULL);
}

/**
 * tacho_servers_migrate:
 *
 * Takes over the servers and parameters that the window kept in GSettings before there was a file
 * that it shares with the command line. Done once; what the file says already stays.
 */
void
tacho_servers_migrate (void)
{
  TachoSettings *settings = tacho_settings_get_default ();
  TachoConfig *config = tacho_servers_get_config ();
  g_autofree char *prompt = NULL;
  g_autofree char *there = NULL;
  double temperature, top_p;
  int max_tokens;

  /* A file that is broken is left for a person to mend. */
  if (tacho_settings_get_boolean (settings, "migrated") || tacho_config_get_error (config) != NULL)
    return;
  migrate_servers ();
  temperature = tacho_settings_get_double (settings, "temperature");
  top_p = tacho_settings_get_double (settings, "top-p");
  max_tokens = tacho_settings_get_int (settings, "max-tokens");
  migrate_number ("temperature", temperature, temperature >= 0);
  migrate_number ("top-p", top_p, top_p >= 0);
  migrate_number ("max-tokens", max_tokens, max_tokens > 0);
  prompt = tacho_settings_get_string (settings, "system-prompt");
  there = tacho_config_dup_value (config, "inference", "system-prompt", NULL);
  if (there == NULL && prompt[0] != '\0')
    tacho_config_set_value (config, "inference", "system-prompt", prompt, NULL);
  tacho_settings_set_boolean (settings, "migrated", TRUE);
}
