/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Profiles as a person edits them. */
#define G_LOG_DOMAIN "tacho"

#include "config/tacho-config-private.h"

#include "base/tacho-error.h"

/**
 * tacho_config_lookup_profile:
 * @self: the configuration
 * @name: its name
 *
 * Returns: (transfer none) (nullable): the profile of that name
 */
TachoProfile *
tacho_config_lookup_profile (TachoConfig *self, const char *name)
{
  guint n;

  g_return_val_if_fail (TACHO_IS_CONFIG (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  n = g_list_model_get_n_items (G_LIST_MODEL (self->profiles));
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TachoProfile) profile = g_list_model_get_item (G_LIST_MODEL (self->profiles), i);

      if (g_str_equal (tacho_profile_get_name (profile), name))
        return profile; /* the list keeps it */
    }
  return NULL;
}

typedef struct
{
  TachoProfile *before; /* NULL: a new one */
  TachoProfile *after;
  const char *old_group;
  const char *new_group;
} ProfileEdit;

/* GKeyFile has no renaming: the lines are moved one by one, those that are not known as well. */
static void
move_group (GKeyFile *keys, const char *from, const char *to)
{
  g_auto (GStrv) names = g_key_file_get_keys (keys, from, NULL, NULL);
  g_autofree char *head = g_key_file_get_comment (keys, from, NULL, NULL);

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      g_autofree char *value = g_key_file_get_value (keys, from, names[i], NULL);
      g_autofree char *comment = g_key_file_get_comment (keys, from, names[i], NULL);

      g_key_file_set_value (keys, to, names[i], value);
      if (comment != NULL && *comment != '\0')
        g_key_file_set_comment (keys, to, names[i], comment, NULL);
    }
  if (head != NULL && *head != '\0')
    g_key_file_set_comment (keys, to, NULL, head, NULL);
  g_key_file_remove_group (keys, from, NULL);
}

static gboolean
refuse_taken (const char *group, GError **error)
{
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "There is a [%s] already: choose another name, or edit that one", group);
  return FALSE;
}

static void
follow_default (GKeyFile *keys, const char *from, const char *to)
{
  g_autofree char *current = tacho_config_get_text (keys, "general", "profile");

  if (g_strcmp0 (current, from) != 0)
    return;
  if (to != NULL)
    g_key_file_set_string (keys, "general", "profile", to);
  else
    g_key_file_remove_key (keys, "general", "profile", NULL);
}

static gboolean
edit_profile_cb (GKeyFile *keys, gpointer data, GError **error)
{
  ProfileEdit *edit = data;
  gsize n = 0;
  const TachoConfigKey *all = tacho_config_keys (&n);

  if (edit->old_group != NULL && !g_key_file_has_group (keys, edit->old_group))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND,
                   "[%s] is not in the file any more: someone took it out", edit->old_group);
      return FALSE;
    }
  if (g_strcmp0 (edit->old_group, edit->new_group) != 0)
    {
      if (g_key_file_has_group (keys, edit->new_group))
        return refuse_taken (edit->new_group, error);
      if (edit->old_group != NULL)
        {
          move_group (keys, edit->old_group, edit->new_group);
          follow_default (keys, tacho_profile_get_name (edit->before),
                          tacho_profile_get_name (edit->after));
        }
    }
  /* Only what was changed is written, so that a line that is not understood stays. */
  for (gsize i = 0; i < n; i++)
    {
      g_autofree char *before = NULL;
      g_autofree char *after = NULL;

      if (!g_str_equal (all[i].kind, "profile"))
        continue;
      before = edit->before != NULL ? tacho_config_profile_text (edit->before, &all[i]) : NULL;
      after = tacho_config_profile_text (edit->after, &all[i]);
      if (g_strcmp0 (before, after) != 0)
        tacho_config_write_key (keys, edit->new_group, &all[i], after);
    }
  return TRUE;
}

/* What the file would be refused for when it is read again. */
static gboolean
check_storable (TachoProfile *profile, GError **error)
{
  const TachoConfigKey *key = tacho_config_key_find ("profile", "headers");
  g_autofree char *headers = tacho_config_profile_text (profile, key);
  g_autoptr (TachoProfile) copy = tacho_profile_copy (profile);

  if (tacho_profile_get_url (profile) == NULL && tacho_profile_get_grpc_target (profile) == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "A profile needs a URL or a gRPC address");
      return FALSE;
    }
  return tacho_profile_set_name (copy, tacho_profile_get_name (profile), error) &&
         (headers == NULL || tacho_config_profile_set (copy, "headers", headers, "/", error));
}

/**
 * tacho_config_add_profile:
 * @self: the configuration
 * @profile: what to keep; the list has a copy of its own afterwards
 * @error: return location
 *
 * Saves a profile. Its key is not written: that is for the keyring.
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if the name is taken or a header is secret, with
 *   %TACHO_ERROR_IO if it cannot be saved
 */
gboolean
tacho_config_add_profile (TachoConfig *self, TachoProfile *profile, GError **error)
{
  g_autofree char *group = NULL;
  ProfileEdit edit = { .after = profile };

  g_return_val_if_fail (TACHO_IS_CONFIG (self), FALSE);
  g_return_val_if_fail (TACHO_IS_PROFILE (profile), FALSE);

  if (!check_storable (profile, error))
    return FALSE;
  group = tacho_config_group_make ("profile", tacho_profile_get_name (profile));
  if (g_key_file_has_group (self->keys, group))
    return refuse_taken (group, error);
  edit.new_group = group;
  return tacho_config_edit (self, edit_profile_cb, &edit, error);
}

static gboolean
refuse_missing (TachoConfig *self, const char *name, GError **error)
{
  g_autoptr (GString) list = g_string_new (NULL);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->profiles));

  for (guint i = 0; i < n && i < 12; i++)
    {
      g_autoptr (TachoProfile) profile = g_list_model_get_item (G_LIST_MODEL (self->profiles), i);

      g_string_append_printf (list, "%s%s", i > 0 ? ", " : "", tacho_profile_get_name (profile));
    }
  if (n == 0)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND,
                 "There is no profile “%.60s”, and no other: make one by tacho-cli profiles add",
                 name);
  else
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND,
                 "There is no profile “%.60s”; there are: %s", name, list->str);
  return FALSE;
}

/**
 * tacho_config_update_profile:
 * @self: the configuration
 * @name: name of the profile that is edited
 * @profile: what it is to be, a changed copy; with another name, it is renamed
 * @error: return location
 *
 * Saves what was changed; the rest of its entry stays as it stands in the file.
 *
 * Returns: %FALSE with %TACHO_ERROR_NOT_FOUND, %TACHO_ERROR_INVALID or %TACHO_ERROR_IO
 */
gboolean
tacho_config_update_profile (TachoConfig *self,
                             const char *name,
                             TachoProfile *profile,
                             GError **error)
{
  g_autofree char *old_group = NULL;
  g_autofree char *new_group = NULL;
  g_autoptr (TachoProfile) before = NULL;
  ProfileEdit edit = { .after = profile };

  g_return_val_if_fail (TACHO_IS_CONFIG (self), FALSE);
  g_return_val_if_fail (name != NULL && TACHO_IS_PROFILE (profile), FALSE);

  g_set_object (&before, tacho_config_lookup_profile (self, name));
  if (before == NULL)
    return refuse_missing (self, name, error);
  if (!check_storable (profile, error))
    return FALSE;
  old_group = tacho_config_group_make ("profile", name);
  new_group = tacho_config_group_make ("profile", tacho_profile_get_name (profile));
  edit.before = before;
  edit.old_group = old_group;
  edit.new_group = new_group;
  return tacho_config_edit (self, edit_profile_cb, &edit, error);
}

static gboolean
remove_profile_cb (GKeyFile *keys, gpointer data, GError **error)
{
  const char *name = data;
  g_autofree char *group = tacho_config_group_make ("profile", name);

  g_key_file_remove_group (keys, group, NULL);
  follow_default (keys, name, NULL);
  return TRUE;
}

/**
 * tacho_config_remove_profile:
 * @self: the configuration
 * @name: its name; it may be one that cannot be used
 * @error: return location
 *
 * Takes a profile out of the file; one that was the default is the default no more.
 *
 * Returns: %FALSE with %TACHO_ERROR_NOT_FOUND or %TACHO_ERROR_IO
 */
gboolean
tacho_config_remove_profile (TachoConfig *self, const char *name, GError **error)
{
  g_autofree char *group = NULL;

  g_return_val_if_fail (TACHO_IS_CONFIG (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);

  group = tacho_config_group_make ("profile", name);
  if (!g_key_file_has_group (self->keys, group))
    return refuse_missing (self, name, error);
  return tacho_config_edit (self, remove_profile_cb, (gpointer) name, error);
}

/**
 * tacho_config_apply_defaults:
 * @self: the configuration
 * @profile: a profile, changed in place: a copy
 *
 * Sets the timeouts and retries that have a value in the environment, or that the profile's own
 * entry does not set and the inference group does.
 */
void
tacho_config_apply_defaults (TachoConfig *self, TachoProfile *profile)
{
  g_autofree char *group = NULL;
  gsize n = 0;
  const TachoConfigKey *all = tacho_config_keys (&n);

  g_return_if_fail (TACHO_IS_CONFIG (self));
  g_return_if_fail (TACHO_IS_PROFILE (profile));

  group = tacho_config_group_make ("profile", tacho_profile_get_name (profile));
  for (gsize i = 0; i < n; i++)
    {
      const TachoConfigKey *own = tacho_config_key_find ("profile", all[i].key);
      TachoConfigOrigin origin;
      g_autofree char *value = NULL;
      g_autofree char *set = NULL;

      if (!g_str_equal (all[i].kind, "inference") || own == NULL ||
          g_str_equal (all[i].key, "model"))
        continue;
      value = tacho_config_dup_value (self, "inference", all[i].key, &origin);
      set = tacho_config_read_key (self->keys, group, own, NULL);
      if (value != NULL && origin != TACHO_ORIGIN_DEFAULT &&
          (origin == TACHO_ORIGIN_ENVIRONMENT || set == NULL))
        tacho_config_profile_set (profile, all[i].key, value, "/", NULL);
    }
}
