/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Servers added, changed and removed by a person: the file, and the key along with it. */
#define G_LOG_DOMAIN "tacho-servers"

#include "config.h"

#include "app/tacho-servers.h"

#include <glib/gi18n.h>

static gboolean
has_stored_key (TachoProfile *before)
{
  return before != NULL && tacho_profile_get_key_in_keyring (before);
}

static gboolean
is_same_place (TachoProfile *before, TachoProfile *profile)
{
  g_autofree char *old_origin = tacho_profile_dup_key_origin (before);
  g_autofree char *new_origin = tacho_profile_dup_key_origin (profile);

  return g_strcmp0 (old_origin, new_origin) == 0;
}

/* A key is kept by the name of its server and by its address. */
static gboolean
is_moved (TachoProfile *before, TachoProfile *profile)
{
  return !g_str_equal (tacho_profile_get_name (before), tacho_profile_get_name (profile)) ||
         !is_same_place (before, profile);
}

/**
 * tacho_servers_change:
 * @before: (nullable): the server as it is saved; %NULL: it is a new one
 * @profile: the server as it is to be saved
 * @change: what becomes of its key
 * @error: return location
 *
 * Returns: %FALSE if it could not be saved
 */
gboolean
tacho_servers_change (TachoProfile *before,
                      TachoProfile *profile,
                      TachoKeyChange change,
                      GError **error)
{
  TachoConfig *config = tacho_servers_get_config ();

  tacho_profile_set_key_in_keyring (
      profile, change == TACHO_KEY_NEW || (change == TACHO_KEY_KEEP && has_stored_key (before) &&
                                           is_same_place (before, profile)));
  return before != NULL
             ? tacho_config_update_profile (config, tacho_profile_get_name (before), profile, error)
             : tacho_config_add_profile (config, profile, error);
}

static TachoProfile *
get_before (GTask *task)
{
  return g_object_get_data (G_OBJECT (task), "before");
}

/* Nobody waits: a key that stays is found by no other server. */
static void
forget_before (GTask *task)
{
  TachoProfile *before = get_before (task);

  if (has_stored_key (before) && is_moved (before, g_task_get_task_data (task)))
    tacho_servers_forget_key (before);
}

static void
stored_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  TachoProfile *profile = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  char *notice = NULL;

  if (!tacho_secrets_store_finish (TACHO_SECRETS (source), result, &error))
    {
      tacho_secrets_keep (TACHO_SECRETS (source), profile, tacho_profile_get_api_key (profile),
                          NULL);
      /* Translators: %s is the name of a server. */
      notice = g_strdup_printf (_ ("There is no keyring to keep the key of %s in: it is kept until "
                                   "Tacho is closed, and asked for at the next start"),
                                tacho_profile_get_name (profile));
    }
  forget_before (task);
  g_task_return_pointer (task, notice, g_free);
}

static void
moved_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  TachoProfile *profile = g_task_get_task_data (task);
  TachoSecretSource where = TACHO_SECRET_NONE;
  g_autoptr (GError) error = NULL;
  char *key = tacho_secrets_lookup_finish (TACHO_SECRETS (source), result, &where, &error);

  if (key == NULL || !tacho_profile_set_api_key (profile, key, &error))
    g_task_return_pointer (task, error != NULL ? g_strdup (error->message) : NULL, g_free);
  else if (where == TACHO_SECRET_SESSION)
    {
      tacho_secrets_keep (TACHO_SECRETS (source), profile, key, NULL);
      g_task_return_pointer (task, NULL, NULL);
    }
  else
    tacho_secrets_store_async (TACHO_SECRETS (source), profile, key, NULL, stored_cb,
                               g_object_ref (task));
  tacho_secret_free (key);
}

/**
 * tacho_servers_settle_key_async:
 * @before: (nullable): the server as it was saved
 * @profile: the server as it is saved now; gets the key that goes along to its new name
 * @change: what becomes of its key
 * @callback: called when the key is where it belongs
 * @user_data: for @callback
 *
 * The keyring may ask a person to unlock it. Where there is none the key is kept for the session.
 */
void
tacho_servers_settle_key_async (TachoProfile *before,
                                TachoProfile *profile,
                                TachoKeyChange change,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, callback, user_data);
  TachoSecrets *secrets = tacho_servers_get_secrets ();

  g_task_set_source_tag (task, tacho_servers_settle_key_async);
  g_task_set_task_data (task, g_object_ref (profile), g_object_unref);
  if (before != NULL)
    g_object_set_data_full (G_OBJECT (task), "before", g_object_ref (before), g_object_unref);
  if (change == TACHO_KEY_NEW)
    tacho_secrets_store_async (secrets, profile, tacho_profile_get_api_key (profile), NULL,
                               stored_cb, g_steal_pointer (&task));
  else if (change == TACHO_KEY_KEEP && has_stored_key (before) && is_moved (before, profile) &&
           is_same_place (before, profile))
    tacho_secrets_lookup_async (secrets, before, TRUE, NULL, moved_cb, g_steal_pointer (&task));
  else
    {
      if (change == TACHO_KEY_NONE && has_stored_key (before))
        tacho_servers_forget_key (before);
      else
        forget_before (task);
      g_task_return_pointer (task, NULL, NULL);
    }
}

/**
 * tacho_servers_settle_key_finish:
 * @result: what the callback got
 *
 * Returns: (transfer full) (nullable): what a person has to know about the key
 */
char *
tacho_servers_settle_key_finish (GAsyncResult *result)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  return g_task_propagate_pointer (G_TASK (result), NULL);
}

/**
 * tacho_servers_remove:
 * @profile: a saved server
 * @error: return location
 *
 * Takes it out of the file. Its key stays, so that this can be taken back.
 *
 * Returns: %FALSE if the file could not be written
 */
gboolean
tacho_servers_remove (TachoProfile *profile, GError **error)
{
  return tacho_config_remove_profile (tacho_servers_get_config (), tacho_profile_get_name (profile),
                                      error);
}

/**
 * tacho_servers_forget_key:
 * @profile: a server that is saved no more, or without its key
 *
 * Takes its key out of the session and the keyring. Nobody waits: a key that stays is found by no
 * other server.
 */
void
tacho_servers_forget_key (TachoProfile *profile)
{
  tacho_secrets_remove_async (tacho_servers_get_secrets (), profile, NULL, NULL, NULL);
}
