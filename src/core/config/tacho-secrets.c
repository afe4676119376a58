/* SPDX-License-Identifier: GPL-3.0-or-later */
/* API keys. The keyring's items carry the profile's name and the addresses that the key is for;
 * both must be the same for it to be found. */
#define G_LOG_DOMAIN "tacho"

#include "config/tacho-secrets.h"

#include "base/tacho-error.h"

#include <libsecret/secret.h>
#include <string.h>

#define MAX_KEY 65536

struct _TachoSecrets
{
  GObject parent_instance;
  GHashTable *session; /* name, line break, origin -> key */
};

G_DEFINE_FINAL_TYPE (TachoSecrets, tacho_secrets, G_TYPE_OBJECT)
G_DEFINE_QUARK (tacho - secrets - error - quark, tacho_secrets_error)

static const SecretSchema schema = {
  "io.github.tacho.Tacho.ApiKey",
  SECRET_SCHEMA_NONE,
  {
      { "origin", SECRET_SCHEMA_ATTRIBUTE_STRING },
      { "profile", SECRET_SCHEMA_ATTRIBUTE_STRING },
      { NULL, 0 },
  },
  0,
  NULL,
  NULL,
  NULL,
  NULL,
  NULL,
  NULL,
  NULL,
};

/* A key on its way, with the profile that it is for. */
typedef struct
{
  TachoProfile *profile;
  char *key;
  TachoSecretSource source;
  gboolean may_ask;
} Request;

static void
request_free (gpointer data)
{
  Request *request = data;

  g_clear_object (&request->profile);
  tacho_secret_free (request->key);
  g_free (request);
}

static GTask *
task_new (TachoSecrets *self,
          TachoProfile *profile,
          GCancellable *cancellable,
          GAsyncReadyCallback callback,
          gpointer user_data,
          gpointer tag)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  Request *request = g_new0 (Request, 1);

  request->profile = tacho_profile_copy (profile); /* it may be edited in between */
  g_task_set_source_tag (task, tag);
  g_task_set_task_data (task, request, request_free);
  return task;
}

static char *
session_id (TachoProfile *profile)
{
  g_autofree char *origin = tacho_profile_dup_key_origin (profile);

  return g_strjoin ("\n", tacho_profile_get_name (profile), origin != NULL ? origin : "", NULL);
}

static GHashTable *
attributes_new (TachoProfile *profile)
{
  g_autofree char *origin = tacho_profile_dup_key_origin (profile);

  return secret_attributes_build (&schema, "origin", origin != NULL ? origin : "", "profile",
                                  tacho_profile_get_name (profile), NULL);
}

/* The reasons of D-Bus and libsecret, as what they mean for a person. */
static GError *
explain (const GError *error, const char *profile)
{
  TachoSecretsErrorCode code = TACHO_SECRETS_ERROR_FAILED;
  const char *what = "The keyring failed";

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return g_error_copy (error);
  if (error->domain == SECRET_ERROR && error->code == SECRET_ERROR_IS_LOCKED)
    {
      code = TACHO_SECRETS_ERROR_LOCKED;
      what = "The keyring is locked";
    }
  else if (error->domain == G_DBUS_ERROR || error->domain == G_IO_ERROR ||
           error->domain == SECRET_ERROR || error->domain == G_SPAWN_ERROR)
    {
      code = TACHO_SECRETS_ERROR_UNAVAILABLE;
      what = "There is no keyring that can be used here";
    }
  return g_error_new (TACHO_SECRETS_ERROR, code,
                      "%s (%s), so that the API key of “%s” has to be given for this session, or "
                      "by an environment variable",
                      what, error->message, profile);
}

static void
return_explained (GTask *task, const GError *error)
{
  Request *request = g_task_get_task_data (task);

  g_task_return_error (task, explain (error, tacho_profile_get_name (request->profile)));
}

static void
tacho_secrets_finalize (GObject *object)
{
  TachoSecrets *self = TACHO_SECRETS (object);

  g_hash_table_unref (self->session);

  G_OBJECT_CLASS (tacho_secrets_parent_class)->finalize (object);
}

static void
tacho_secrets_class_init (TachoSecretsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_secrets_finalize;
}

static void
tacho_secrets_init (TachoSecrets *self)
{
  self->session =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) tacho_secret_free);
}

/**
 * tacho_secrets_new:
 *
 * Returns: (transfer full): the way to the keys; keys of the session live as long as it does
 */
TachoSecrets *
tacho_secrets_new (void)
{
  return g_object_new (TACHO_TYPE_SECRETS, NULL);
}

/**
 * tacho_secret_free:
 * @key: (nullable) (transfer full): a key
 *
 * Overwrites a key, then frees it.
 */
void
tacho_secret_free (char *key)
{
  if (key == NULL)
    return;
  explicit_bzero (key, strlen (key));
  g_free (key);
}

static void
retrieved_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Request *request = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  SecretValue *value =
      secret_retrievable_retrieve_secret_finish (SECRET_RETRIEVABLE (source), result, &error);
  const char *text = value != NULL ? secret_value_get_text (value) : NULL;

  if (error != NULL)
    return_explained (task, error);
  else if (text == NULL)
    g_task_return_new_error (task, TACHO_SECRETS_ERROR, TACHO_SECRETS_ERROR_FAILED,
                             "What the keyring holds for “%s” is no text, and so no API key",
                             tacho_profile_get_name (request->profile));
  else
    {
      request->key = g_strdup (text);
      request->source = TACHO_SECRET_KEYRING;
      g_task_return_boolean (task, TRUE);
    }
  g_clear_pointer (&value, secret_value_unref); /* libsecret overwrites it */
}

static void
searched_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Request *request = g_task_get_task_data (task);
  const char *name = tacho_profile_get_name (request->profile);
  g_autoptr (GError) error = NULL;
  g_autolist (GObject) found = secret_password_search_finish (result, &error);

  if (error != NULL)
    return_explained (task, error);
  else if (found == NULL)
    g_task_return_new_error (task, TACHO_SECRETS_ERROR, TACHO_SECRETS_ERROR_NOT_FOUND,
                             "The keyring holds no API key for “%s” at its address: give it again",
                             name);
  else if (SECRET_IS_ITEM (found->data) && secret_item_get_locked (found->data))
    g_task_return_new_error (task, TACHO_SECRETS_ERROR, TACHO_SECRETS_ERROR_LOCKED,
                             "The keyring is locked, so that the API key of “%s” has to be given "
                             "for this session, or by an environment variable",
                             name);
  else
    secret_retrievable_retrieve_secret (SECRET_RETRIEVABLE (found->data),
                                        g_task_get_cancellable (task), retrieved_cb,
                                        g_object_ref (task));
}

/* TRUE: settled, with a key or an error. */
static gboolean
look_nearby (TachoSecrets *self, Request *request, GError **error)
{
  g_autofree char *id = session_id (request->profile);
  const char *variable = tacho_profile_get_api_key_env (request->profile);
  const char *key = g_hash_table_lookup (self->session, id);

  if (key != NULL)
    request->source = TACHO_SECRET_SESSION;
  else if (variable != NULL)
    {
      key = g_getenv (variable);
      if (key == NULL || *key == '\0')
        {
          g_set_error (error, TACHO_SECRETS_ERROR, TACHO_SECRETS_ERROR_NOT_SET,
                       "The environment variable %s, which holds the API key of “%s”, is not set",
                       variable, tacho_profile_get_name (request->profile));
          return TRUE;
        }
      request->source = TACHO_SECRET_ENVIRONMENT;
    }
  request->key = g_strdup (key);
  return key != NULL || !tacho_profile_get_key_in_keyring (request->profile);
}

/**
 * tacho_secrets_lookup_async:
 * @self: the keys
 * @profile: whose key
 * @may_ask: whether a locked keyring may ask a person to unlock it
 * @cancellable: (nullable): to stop waiting
 * @callback: called when it is known
 * @user_data: for @callback
 *
 * Finds a key: of this session, else in the environment variable that the profile names, else, if
 * the profile says that it is there, in the keyring.
 */
void
tacho_secrets_lookup_async (TachoSecrets *self,
                            TachoProfile *profile,
                            gboolean may_ask,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GHashTable) attributes = NULL;
  g_autoptr (GError) error = NULL;
  Request *request;
  SecretSearchFlags flags = may_ask ? SECRET_SEARCH_UNLOCK : SECRET_SEARCH_NONE;

  g_return_if_fail (TACHO_IS_SECRETS (self));
  g_return_if_fail (TACHO_IS_PROFILE (profile));

  task = task_new (self, profile, cancellable, callback, user_data, tacho_secrets_lookup_async);
  request = g_task_get_task_data (task);
  if (!look_nearby (self, request, &error))
    {
      attributes = attributes_new (request->profile);
      secret_password_searchv (&schema, attributes, flags, cancellable, searched_cb,
                               g_steal_pointer (&task));
    }
  else if (error != NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  else
    g_task_return_boolean (task, TRUE);
}

/**
 * tacho_secrets_lookup_finish:
 * @self: the keys
 * @result: what the callback got
 * @source: (out) (optional): where the key was found
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the key, for tacho_secret_free(); %NULL without an error if
 *   the profile has none; else %NULL with %TACHO_SECRETS_ERROR, or %G_IO_ERROR_CANCELLED
 */
char *
tacho_secrets_lookup_finish (TachoSecrets *self,
                             GAsyncResult *result,
                             TachoSecretSource *source,
                             GError **error)
{
  Request *request;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  request = g_task_get_task_data (G_TASK (result));
  if (source != NULL)
    *source = request->source;
  if (!g_task_propagate_boolean (G_TASK (result), error))
    return NULL;
  return g_steal_pointer (&request->key);
}

static gboolean
check_key (TachoProfile *profile, const char *key, GError **error)
{
  g_autoptr (TachoProfile) trial = tacho_profile_copy (profile);

  if (key == NULL || *key == '\0' || strlen (key) > MAX_KEY || !g_utf8_validate (key, -1, NULL))
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "An API key is one line of text, and not an empty one");
      return FALSE;
    }
  return tacho_profile_set_api_key (trial, key, error);
}

/**
 * tacho_secrets_keep:
 * @self: the keys
 * @profile: whose key
 * @key: (nullable): the key; %NULL forgets
 * @error: return location
 *
 * Keeps a key in memory for as long as @self lives, for this profile at its present address.
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if it is no key that can be sent
 */
gboolean
tacho_secrets_keep (TachoSecrets *self, TachoProfile *profile, const char *key, GError **error)
{
  g_autofree char *id = NULL;

  g_return_val_if_fail (TACHO_IS_SECRETS (self), FALSE);
  g_return_val_if_fail (TACHO_IS_PROFILE (profile), FALSE);

  id = session_id (profile);
  if (key == NULL)
    g_hash_table_remove (self->session, id);
  else if (!check_key (profile, key, error))
    return FALSE;
  else
    g_hash_table_insert (self->session, g_steal_pointer (&id), g_strdup (key));
  return TRUE;
}

static void
stored_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;

  if (secret_password_store_finish (result, &error))
    g_task_return_boolean (task, TRUE);
  else
    return_explained (task, error);
}

/**
 * tacho_secrets_store_async:
 * @self: the keys
 * @profile: whose key
 * @key: the key
 * @cancellable: (nullable): to stop waiting
 * @callback: called when it is stored
 * @user_data: for @callback
 *
 * Stores a key in the keyring, for this profile at its present address. The keyring may ask a
 * person to unlock it. A key of the session gives way to it.
 */
void
tacho_secrets_store_async (TachoSecrets *self,
                           TachoProfile *profile,
                           const char *key,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GHashTable) attributes = NULL;
  g_autofree char *label = NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (TACHO_IS_SECRETS (self));
  g_return_if_fail (TACHO_IS_PROFILE (profile));

  task = task_new (self, profile, cancellable, callback, user_data, tacho_secrets_store_async);
  if (!check_key (profile, key, &error))
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }
  tacho_secrets_keep (self, profile, NULL, NULL);
  attributes = attributes_new (profile);
  label = g_strdup_printf ("Tacho: API key of %s", tacho_profile_get_name (profile));
  secret_password_storev (&schema, attributes, SECRET_COLLECTION_DEFAULT, label, key, cancellable,
                          stored_cb, g_steal_pointer (&task));
}

/**
 * tacho_secrets_store_finish:
 * @self: the keys
 * @result: what the callback got
 * @error: return location
 *
 * Returns: %FALSE with %TACHO_SECRETS_ERROR, %TACHO_ERROR_INVALID or %G_IO_ERROR_CANCELLED
 */
gboolean
tacho_secrets_store_finish (TachoSecrets *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
removed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;

  secret_password_clear_finish (result, &error);
  if (error == NULL)
    g_task_return_boolean (task, TRUE);
  else
    return_explained (task, error);
}

/**
 * tacho_secrets_remove_async:
 * @self: the keys
 * @profile: whose key
 * @cancellable: (nullable): to stop waiting
 * @callback: called when it is gone
 * @user_data: for @callback
 *
 * Takes the profile's key out of the session and, if the profile says that it is there, out of the
 * keyring.
 */
void
tacho_secrets_remove_async (TachoSecrets *self,
                            TachoProfile *profile,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GHashTable) attributes = NULL;

  g_return_if_fail (TACHO_IS_SECRETS (self));
  g_return_if_fail (TACHO_IS_PROFILE (profile));

  task = task_new (self, profile, cancellable, callback, user_data, tacho_secrets_remove_async);
  tacho_secrets_keep (self, profile, NULL, NULL);
  if (!tacho_profile_get_key_in_keyring (profile))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  attributes = attributes_new (profile);
  secret_password_clearv (&schema, attributes, cancellable, removed_cb, g_steal_pointer (&task));
}

/**
 * tacho_secrets_remove_finish:
 * @self: the keys
 * @result: what the callback got
 * @error: return location
 *
 * Returns: %FALSE with %TACHO_SECRETS_ERROR or %G_IO_ERROR_CANCELLED
 */
gboolean
tacho_secrets_remove_finish (TachoSecrets *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}
