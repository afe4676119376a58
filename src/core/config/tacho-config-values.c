/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values: where each comes from, and what is said of one that is not allowed. */
#define G_LOG_DOMAIN "tacho"

#include "config/tacho-config-private.h"

#include "base/tacho-error.h"
#include "base/tacho-url.h"

#include <string.h>

/* Names under which people put a key into such a file. */
static gboolean
looks_secret (const char *key)
{
  g_autofree char *lower = g_ascii_strdown (key, -1);

  return strstr (lower, "key") != NULL ||
         (strstr (lower, "token") != NULL && strstr (lower, "tokens") == NULL) ||
         strstr (lower, "secret") != NULL || strstr (lower, "password") != NULL;
}

/* Into these a secret could have been put by mistake: their values are never shown. */
static gboolean
is_hidden (const TachoConfigKey *key)
{
  static const char *const hidden[] = { "headers", "api-key-env", "url", "proxy", NULL };

  return g_strv_contains (hidden, key->key);
}

/* One that was refused may hold the very secret that it was refused for. */
static gboolean
is_in_use (TachoConfig *self, const TachoConfigKey *key, const char *profile)
{
  TachoProfile *found;

  if (profile == NULL || !g_str_equal (key->kind, "profile") || !is_hidden (key))
    return TRUE;
  found = tacho_config_lookup_profile (self, profile);
  return found != NULL &&
         (!g_str_equal (key->key, "api-key-env") || tacho_profile_get_api_key_env (found) != NULL);
}

/* GKeyFile sets its error once for each bad escape, and GLib warns of the second. */
gboolean
tacho_config_escapes_are_valid (const char *raw, gboolean is_list)
{
  for (const char *p = strchr (raw, '\\'); p != NULL; p = strchr (p + 2, '\\'))
    if (p[1] == '\0' || strchr (is_list ? "sntr\\;" : "sntr\\", p[1]) == NULL)
      return FALSE;
  return TRUE;
}

char *
tacho_config_get_text (GKeyFile *keys, const char *group, const char *key)
{
  g_autofree char *raw = g_key_file_get_value (keys, group, key, NULL);

  if (raw == NULL || !tacho_config_escapes_are_valid (raw, FALSE))
    return NULL;
  return g_key_file_get_string (keys, group, key, NULL);
}

char *
tacho_config_read_key (GKeyFile *keys,
                       const char *group,
                       const TachoConfigKey *key,
                       GError **reason)
{
  g_autofree char *text = NULL;

  if (!g_key_file_has_key (keys, group, key->key, NULL))
    return NULL;
  /* Escapes are for texts; a list keeps its own. */
  if (key->type == TACHO_CONFIG_HEADERS)
    text = g_key_file_get_value (keys, group, key->key, NULL);
  else
    text = tacho_config_get_text (keys, group, key->key);
  if (text == NULL)
    {
      g_set_error_literal (reason, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "a backslash is written \\\\, a line break \\n");
      return NULL;
    }
  if (*text == '\0' && key->type != TACHO_CONFIG_TEXT)
    return NULL; /* as if it were not there */
  return tacho_config_key_check (key, text, reason);
}

gboolean
tacho_config_write_key (GKeyFile *keys,
                        const char *group,
                        const TachoConfigKey *key,
                        const char *value)
{
  if (value == NULL)
    return g_key_file_remove_key (keys, group, key->key, NULL);
  if (key->type == TACHO_CONFIG_HEADERS)
    g_key_file_set_value (keys, group, key->key, value);
  else
    g_key_file_set_string (keys, group, key->key, value);
  return TRUE;
}

static void
check_key (TachoConfig *self, const char *group, const char *kind, const char *name)
{
  const TachoConfigKey *key = tacho_config_key_find (kind, name);
  g_autoptr (GError) reason = NULL;
  g_autofree char *value = NULL;
  g_autofree char *raw = NULL;

  if (key == NULL && looks_secret (name))
    {
      tacho_config_warn (
          self,
          "%s: [%s] %s: keys do not belong into this file, and this one is not used. Take it out; "
          "store it by “tacho-cli profiles edit NAME --api-key”, or name an environment variable "
          "that holds it: api-key-env=VARIABLE",
          self->path, group, name);
      return;
    }
  if (key == NULL)
    {
      tacho_config_warn (self, "%s: [%s] %s: there is no such key; it is left as it is", self->path,
                         group, name);
      return;
    }
  value = tacho_config_read_key (self->keys, group, key, &reason);
  if (reason == NULL)
    return;
  raw = g_key_file_get_value (self->keys, group, name, NULL);
  tacho_config_warn (self, "%s: [%s] %s = %.60s: %s; the default is used", self->path, group, name,
                     is_hidden (key) || raw == NULL ? "…" : raw, reason->message);
}

static void
check_environment (TachoConfig *self)
{
  gsize n = 0;
  const TachoConfigKey *all = tacho_config_keys (&n);

  for (gsize i = 0; i < n; i++)
    {
      const char *text = all[i].variable != NULL ? g_getenv (all[i].variable) : NULL;
      g_autoptr (GError) reason = NULL;
      g_autofree char *value = NULL;

      if (text != NULL && *text != '\0')
        value = tacho_config_key_check (&all[i], text, &reason);
      if (reason != NULL)
        tacho_config_warn (self, "%s = %.60s: %s; the variable is not used", all[i].variable, text,
                           reason->message);
    }
}

void
tacho_config_check (TachoConfig *self)
{
  g_auto (GStrv) groups = g_key_file_get_groups (self->keys, NULL);

  for (guint i = 0; groups[i] != NULL; i++)
    {
      g_autofree char *name = NULL;
      const char *kind = tacho_config_group_parse (groups[i], &name);
      g_auto (GStrv) names = g_key_file_get_keys (self->keys, groups[i], NULL, NULL);

      if (kind == NULL)
        tacho_config_warn (self, "%s: [%s]: there is no such group; it is left as it is",
                           self->path, groups[i]);
      for (guint k = 0; kind != NULL && names != NULL && names[k] != NULL; k++)
        check_key (self, groups[i], kind, names[k]);
    }
  check_environment (self);
}

static char *
from_environment (const TachoConfigKey *key)
{
  const char *text = key->variable != NULL ? g_getenv (key->variable) : NULL;

  return text != NULL && *text != '\0' ? tacho_config_key_check (key, text, NULL) : NULL;
}

static char *
dup_value (TachoConfig *self,
           const TachoConfigKey *key,
           const char *group,
           TachoConfigOrigin *origin)
{
  TachoConfigOrigin unused;
  char *value = from_environment (key);

  if (origin == NULL)
    origin = &unused;
  *origin = TACHO_ORIGIN_ENVIRONMENT;
  if (value != NULL)
    return value;
  *origin = TACHO_ORIGIN_FILE;
  value = tacho_config_read_key (self->keys, group, key, NULL);
  if (value != NULL)
    return value;
  *origin = TACHO_ORIGIN_DEFAULT;
  return g_strdup (key->fallback);
}

/**
 * tacho_config_dup_value:
 * @self: the configuration
 * @group: group as in the file: "inference", "profile NAME"
 * @key: key in it
 * @origin: (out) (optional): where the value came from
 *
 * Returns: (transfer full) (nullable): the value in its plain form; %NULL if it is not set, or if
 *   it was refused and could hold a secret
 */
char *
tacho_config_dup_value (TachoConfig *self,
                        const char *group,
                        const char *key,
                        TachoConfigOrigin *origin)
{
  g_autofree char *name = NULL;
  const char *kind;
  const TachoConfigKey *known = NULL;

  g_return_val_if_fail (TACHO_IS_CONFIG (self), NULL);
  g_return_val_if_fail (group != NULL && key != NULL, NULL);

  kind = tacho_config_group_parse (group, &name);
  if (kind != NULL)
    known = tacho_config_key_find (kind, key);
  if (known != NULL && is_in_use (self, known, name))
    return dup_value (self, known, group, origin);
  if (origin != NULL)
    *origin = TACHO_ORIGIN_DEFAULT;
  return NULL;
}

/**
 * tacho_config_dup_inference:
 * @self: the configuration
 * @model: (nullable): ID of the model that is asked
 * @key: key of the inference group
 * @origin: (out) (optional): where the value came from
 *
 * Returns: (transfer full) (nullable): the environment's value, else that of the model's entry,
 *   else that of the inference group, else the default; %NULL if it is not set
 */
char *
tacho_config_dup_inference (TachoConfig *self,
                            const char *model,
                            const char *key,
                            TachoConfigOrigin *origin)
{
  const TachoConfigKey *general = tacho_config_key_find ("inference", key);
  const TachoConfigKey *own = tacho_config_key_find ("model", key);
  TachoConfigOrigin found;
  g_autofree char *value = NULL;

  g_return_val_if_fail (TACHO_IS_CONFIG (self), NULL);
  g_return_val_if_fail (general != NULL, NULL);

  value = dup_value (self, general, "inference", &found);
  if (model != NULL && own != NULL && found != TACHO_ORIGIN_ENVIRONMENT)
    {
      g_autofree char *group = tacho_config_group_make ("model", model);
      char *special = tacho_config_read_key (self->keys, group, own, NULL);

      if (special != NULL)
        {
          g_free (value);
          value = special;
          found = TACHO_ORIGIN_FILE;
        }
    }
  if (origin != NULL)
    *origin = found;
  return g_steal_pointer (&value);
}

typedef struct
{
  const char *group;
  const TachoConfigKey *key;
  const char *name; /* of a key that is not known: it can be taken out */
  const char *value;
} ValueEdit;

static gboolean
edit_value_cb (GKeyFile *keys, gpointer data, GError **error)
{
  ValueEdit *edit = data;
  g_auto (GStrv) left = NULL;

  if (edit->value != NULL)
    return tacho_config_write_key (keys, edit->group, edit->key, edit->value);
  if (!g_key_file_remove_key (keys, edit->group, edit->name, NULL))
    return TRUE;
  left = g_key_file_get_keys (keys, edit->group, NULL, NULL);
  if (left != NULL && left[0] == NULL && !g_str_has_prefix (edit->group, "profile "))
    g_key_file_remove_group (keys, edit->group, NULL);
  return TRUE;
}

static gboolean
refuse_group (const char *group, GError **error)
{
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "There is no group “%.60s”: there are general, inference, “model ID” and “profile "
               "NAME”",
               group);
  return FALSE;
}

static gboolean
refuse_key (const char *kind, const char *name, GError **error)
{
  g_autoptr (GString) list = g_string_new (NULL);
  gsize n = 0;
  const TachoConfigKey *all = tacho_config_keys (&n);

  if (looks_secret (name))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "[%s] %s: keys are never written into the file: store one by “tacho-cli "
                   "profiles edit NAME --api-key”, or name an environment variable that holds it "
                   "with api-key-env",
                   kind, name);
      return FALSE;
    }
  for (gsize i = 0; i < n; i++)
    if (g_str_equal (all[i].kind, kind))
      g_string_append_printf (list, "%s%s", list->len > 0 ? ", " : "", all[i].key);
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "[%s] has no key “%.60s”; it has: %s", kind,
               name, list->str);
  return FALSE;
}

/* The group's values must fit together: a profile is tried with the new one. */
static gboolean
check_profile_value (TachoConfig *self,
                     const char *name,
                     const char *key,
                     const char *value,
                     GError **error)
{
  TachoProfile *current = tacho_config_lookup_profile (self, name);
  g_autofree char *folder = g_path_get_dirname (self->path);
  g_autoptr (TachoProfile) copy = NULL;

  /* A pair is checked once both are there; so is what an unusable entry becomes. */
  if (current == NULL || g_str_equal (key, "client-cert") || g_str_equal (key, "client-key"))
    return TRUE;
  copy = tacho_profile_copy (current);
  return tacho_config_profile_set (copy, key, value, folder, error);
}

/**
 * tacho_config_set_value:
 * @self: the configuration
 * @group: group as in the file
 * @key: key in it
 * @value: its value
 * @error: return location
 *
 * Saves the value.
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if it is not allowed, with %TACHO_ERROR_IO if it cannot
 *   be saved
 */
gboolean
tacho_config_set_value (TachoConfig *self,
                        const char *group,
                        const char *key,
                        const char *value,
                        GError **error)
{
  g_autofree char *name = NULL;
  g_autofree char *plain = NULL;
  g_autofree char *escaped = NULL;
  const char *kind;
  ValueEdit edit = { 0 };

  g_return_val_if_fail (TACHO_IS_CONFIG (self), FALSE);
  g_return_val_if_fail (group != NULL && key != NULL && value != NULL, FALSE);

  kind = tacho_config_group_parse (group, &name);
  if (kind == NULL)
    return refuse_group (group, error);
  edit.key = tacho_config_key_find (kind, key);
  if (edit.key == NULL)
    return refuse_key (kind, key, error);
  plain = tacho_config_key_check (edit.key, value, error);
  if (plain == NULL)
    {
      g_prefix_error (error, "[%s] %s = %.60s: ", group, key, is_hidden (edit.key) ? "…" : value);
      return FALSE;
    }
  if (name != NULL && g_str_equal (kind, "profile") &&
      !check_profile_value (self, name, key, plain, error))
    {
      g_prefix_error (error, "[%s] %s: ", group, key);
      return FALSE;
    }
  escaped = tacho_config_group_make (kind, name);
  edit.group = escaped;
  edit.value = plain;
  return tacho_config_edit (self, edit_value_cb, &edit, error);
}

/**
 * tacho_config_unset_value:
 * @self: the configuration
 * @group: group as in the file
 * @key: key in it; it need not be one that is known
 * @error: return location
 *
 * Takes a line out, so that the default counts.
 *
 * Returns: %FALSE with %TACHO_ERROR_NOT_FOUND if the file has no such line, with %TACHO_ERROR_IO
 *   if it cannot be saved
 */
gboolean
tacho_config_unset_value (TachoConfig *self, const char *group, const char *key, GError **error)
{
  g_autofree char *name = NULL;
  g_autofree char *escaped = NULL;
  const char *kind;
  ValueEdit edit = { .name = key };

  g_return_val_if_fail (TACHO_IS_CONFIG (self), FALSE);
  g_return_val_if_fail (group != NULL && key != NULL, FALSE);

  kind = tacho_config_group_parse (group, &name);
  escaped = kind != NULL ? tacho_config_group_make (kind, name) : g_strdup (group);
  edit.group = group = escaped;
  if (!g_key_file_has_key (self->keys, group, key, NULL))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND, "%s: [%.60s] %.60s is not set",
                   self->path, group, key);
      return FALSE;
    }
  return tacho_config_edit (self, edit_value_cb, &edit, error);
}

/**
 * tacho_config_get_groups:
 * @self: the configuration
 *
 * Returns: (transfer full): the names of the file's groups that are known, and of the two that
 *   always count
 */
char **
tacho_config_get_groups (TachoConfig *self)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) groups = NULL;

  g_return_val_if_fail (TACHO_IS_CONFIG (self), NULL);

  g_strv_builder_add_many (builder, "general", "inference", NULL);
  groups = g_key_file_get_groups (self->keys, NULL);
  for (guint i = 0; groups[i] != NULL; i++)
    {
      g_autofree char *name = NULL;

      if (tacho_config_group_parse (groups[i], &name) != NULL && name != NULL)
        g_strv_builder_add (builder, groups[i]);
    }
  return g_strv_builder_end (builder);
}
