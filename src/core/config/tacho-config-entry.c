/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A profile's entry in the file: each of its keys as text, there and back. */
#define G_LOG_DOMAIN "tacho"

#include "config/tacho-config-private.h"

#include "base/tacho-error.h"
#include "base/tacho-url.h"

#include <string.h>

static const char *const timeout_keys[TACHO_N_TIMEOUTS] = {
  [TACHO_TIMEOUT_CONNECT] = "timeout-connect",
  [TACHO_TIMEOUT_FIRST] = "timeout-first",
  [TACHO_TIMEOUT_IDLE] = "timeout-idle",
  [TACHO_TIMEOUT_TOTAL] = "timeout-total",
};

/* The number of the tuning that a key means; exactly one of the two is set. */
typedef struct
{
  guint *whole;
  double *real;
} TuningField;

static gboolean
find_tuning (TachoProfileTuning *tuning, const char *key, TuningField *field)
{
  const struct
  {
    const char *key;
    TuningField field;
  } fields[] = {
    { "attempts", { &tuning->attempts, NULL } },
    { "backoff", { NULL, &tuning->backoff_s } },
    { "backoff-cap", { NULL, &tuning->backoff_cap_s } },
    { "server-wait", { NULL, &tuning->server_wait_s } },
    { "breaker-failures", { &tuning->breaker_failures, NULL } },
    { "breaker-open", { NULL, &tuning->breaker_open_s } },
    { "max-connections", { &tuning->max_connections, NULL } },
    { "connection-idle", { NULL, &tuning->connection_idle_s } },
    { "connection-age", { NULL, &tuning->connection_age_s } },
    { "keepalive", { NULL, &tuning->keepalive_s } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    if (g_str_equal (fields[i].key, key))
      {
        *field = fields[i].field;
        return TRUE;
      }
  return FALSE;
}

static double
read_field (const TuningField *field)
{
  return field->whole != NULL ? *field->whole : *field->real;
}

gboolean
tacho_config_profile_is_vital (const char *key)
{
  static const char *const vital[] = { "url",        "grpc", "protocol", "ca",      "client-cert",
                                       "client-key", "pin",  "proxy",    "headers", NULL };

  return g_strv_contains (vital, key);
}

/* A path as a person may write it: ~/x, absolute, or beside the file that it stands in. */
static char *
expand_path (const char *path, const char *folder)
{
  if (g_str_has_prefix (path, "~/"))
    return g_build_filename (g_get_home_dir (), path + 2, NULL);
  return g_canonicalize_filename (path, folder);
}

static gboolean
set_path (TachoProfile *profile,
          gboolean (*set) (TachoProfile *, const char *, GError **),
          const char *text,
          const char *folder,
          GError **error)
{
  g_autofree char *path = *text != '\0' ? expand_path (text, folder) : NULL;

  return set (profile, path, error);
}

/* The list as GKeyFile writes one: a ; ends each line, and is \; in it. */
static gboolean
set_headers (TachoProfile *profile, const char *text, GError **error)
{
  g_autoptr (GKeyFile) list = g_key_file_new ();
  g_auto (GStrv) lines = NULL;

  tacho_profile_clear_headers (profile);
  if (!tacho_config_escapes_are_valid (text, TRUE))
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "in a list a backslash is written \\\\, a semicolon \\;");
      return FALSE;
    }
  g_key_file_set_value (list, "h", "h", text);
  lines = g_key_file_get_string_list (list, "h", "h", NULL, error);
  if (lines == NULL)
    return FALSE;
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *name = g_strndup (lines[i], strcspn (lines[i], ":"));

      if (tacho_header_is_secret (g_strstrip (name)))
        {
          tacho_profile_clear_headers (profile);
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                       "the header “%.60s” carries a secret, and secrets do not belong into this "
                       "file: store it as the API key, or name an environment variable that holds "
                       "it with api-key-env",
                       name);
          return FALSE;
        }
      if (!tacho_profile_add_header (profile, g_strstrip (lines[i]), error))
        return FALSE;
    }
  return TRUE;
}

static char *
join_headers (TachoProfile *profile)
{
  const char *const *lines = tacho_profile_get_headers (profile);
  g_autoptr (GKeyFile) list = g_key_file_new ();

  if (lines[0] == NULL)
    return NULL;
  g_key_file_set_string_list (list, "h", "h", lines, g_strv_length ((char **) lines));
  return g_key_file_get_value (list, "h", "h", NULL);
}

static gboolean
set_number (TachoProfile *profile, const char *key, double value, GError **error)
{
  TachoProfileTuning tuning = *tacho_profile_get_tuning (profile);
  TuningField field = { NULL, NULL };

  for (guint i = 0; i < TACHO_N_TIMEOUTS; i++)
    if (g_str_equal (key, timeout_keys[i]))
      return tacho_profile_set_timeout (profile, i, value, error);
  if (!find_tuning (&tuning, key, &field))
    g_return_val_if_reached (FALSE);
  if (field.whole != NULL)
    *field.whole = (guint) value;
  else
    *field.real = value;
  return tacho_profile_set_tuning (profile, &tuning, error);
}

/* Both sides are used where both are there. */
static TachoProtocol
usual_protocol (TachoProfile *profile)
{
  if (tacho_profile_get_url (profile) == NULL)
    return TACHO_PROTOCOL_GRPC;
  return tacho_profile_get_grpc_target (profile) != NULL ? TACHO_PROTOCOL_HYBRID
                                                         : TACHO_PROTOCOL_REST;
}

/* Sets one key; "" takes it back. The certificate's two are set by the loader, together. */
gboolean
tacho_config_profile_set (TachoProfile *profile,
                          const char *key,
                          const char *text,
                          const char *folder,
                          GError **error)
{
  TachoProtocol protocol;

  if (g_str_equal (key, "url"))
    return tacho_profile_set_url (profile, text, error);
  if (g_str_equal (key, "grpc"))
    return tacho_profile_set_grpc_target (profile, text, error);
  if (g_str_equal (key, "protocol"))
    {
      if (!tacho_protocol_from_string (text, &protocol))
        protocol = usual_protocol (profile);
      return tacho_profile_set_protocol (profile, protocol, error);
    }
  if (g_str_equal (key, "order"))
    tacho_profile_set_rest_first (profile, g_str_equal (text, "rest-first"));
  else if (g_str_equal (key, "api"))
    return tacho_profile_set_api (profile, *text != '\0' ? text : NULL, error);
  else if (g_str_equal (key, "model"))
    return tacho_profile_set_model (profile, text, error);
  else if (g_str_equal (key, "api-key-env"))
    return tacho_profile_set_api_key_env (profile, text, error);
  else if (g_str_equal (key, "api-key-in-keyring"))
    tacho_profile_set_key_in_keyring (profile, g_str_equal (text, "true"));
  else if (g_str_equal (key, "allow-plain-key"))
    tacho_profile_set_allow_plain_key (profile, g_str_equal (text, "true"));
  else if (g_str_equal (key, "ca"))
    return set_path (profile, tacho_profile_set_ca_file, text, folder, error);
  else if (g_str_equal (key, "pin"))
    return tacho_profile_set_pin (profile, text, error);
  else if (g_str_equal (key, "proxy"))
    return tacho_profile_set_proxy (profile, text, error);
  else if (g_str_equal (key, "headers"))
    return set_headers (profile, text, error);
  else
    return set_number (profile, key, g_ascii_strtod (text, NULL), error);
  return TRUE;
}

static char *
number_text (TachoProfile *profile, const char *key)
{
  g_autoptr (TachoProfile) plain = tacho_profile_new (NULL, "sim:", NULL);
  TachoProfileTuning tuning = *tacho_profile_get_tuning (profile);
  TachoProfileTuning usual;
  TuningField field = { NULL, NULL };
  double value = 0;
  double fallback = 0;
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  tacho_profile_tuning_init (&usual);
  if (find_tuning (&tuning, key, &field))
    {
      value = read_field (&field);
      find_tuning (&usual, key, &field);
      fallback = read_field (&field);
    }
  else
    for (guint i = 0; i < TACHO_N_TIMEOUTS; i++)
      if (g_str_equal (key, timeout_keys[i]))
        {
          value = tacho_profile_get_timeout (profile, i);
          fallback = tacho_profile_get_timeout (plain, i);
        }
  if (value == fallback)
    return NULL;
  return g_strdup (g_ascii_formatd (buffer, sizeof buffer, "%.12g", value));
}

char *
tacho_config_profile_text (TachoProfile *profile, const TachoConfigKey *key)
{
  const char *name = key->key;

  if (g_str_equal (name, "url"))
    return g_strdup (tacho_profile_get_url (profile));
  if (g_str_equal (name, "grpc"))
    return g_strdup (tacho_profile_get_grpc_target (profile));
  if (g_str_equal (name, "protocol"))
    {
      TachoProtocol protocol = tacho_profile_get_protocol (profile);

      return protocol != usual_protocol (profile) ? g_strdup (tacho_protocol_to_string (protocol))
                                                  : NULL;
    }
  if (g_str_equal (name, "order"))
    return tacho_profile_get_rest_first (profile) ? g_strdup ("rest-first") : NULL;
  if (g_str_equal (name, "api"))
    return g_str_equal (tacho_profile_get_api (profile), "auto")
               ? NULL
               : g_strdup (tacho_profile_get_api (profile));
  if (g_str_equal (name, "model"))
    return g_strdup (tacho_profile_get_model (profile));
  if (g_str_equal (name, "api-key-env"))
    return g_strdup (tacho_profile_get_api_key_env (profile));
  if (g_str_equal (name, "api-key-in-keyring"))
    return tacho_profile_get_key_in_keyring (profile) ? g_strdup ("true") : NULL;
  if (g_str_equal (name, "allow-plain-key"))
    return tacho_profile_get_allow_plain_key (profile) ? g_strdup ("true") : NULL;
  if (g_str_equal (name, "ca"))
    return g_strdup (tacho_profile_get_ca_file (profile));
  if (g_str_equal (name, "client-cert"))
    return g_strdup (tacho_profile_get_cert_file (profile));
  if (g_str_equal (name, "client-key"))
    return g_strdup (tacho_profile_get_key_file (profile));
  if (g_str_equal (name, "pin"))
    return g_strdup (tacho_profile_get_pin (profile));
  if (g_str_equal (name, "proxy"))
    return g_strdup (tacho_profile_get_proxy (profile));
  if (g_str_equal (name, "headers"))
    return join_headers (profile);
  return number_text (profile, name);
}

static gboolean
has_address (TachoProfile *profile)
{
  return tacho_profile_get_url (profile) != NULL || tacho_profile_get_grpc_target (profile) != NULL;
}

/* What of a group cannot be used is a warning; FALSE: without it the profile had better not be. */
static gboolean
fill (TachoConfig *self, TachoProfile *profile, const char *group, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (self->path);
  gsize n = 0;
  const TachoConfigKey *all = tacho_config_keys (&n);
  g_autofree char *cert = NULL;
  g_autofree char *key_file = NULL;

  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (GError) reason = NULL;
      g_autofree char *text = NULL;
      gboolean vital = tacho_config_profile_is_vital (all[i].key);

      if (!g_str_equal (all[i].kind, "profile"))
        continue;
      text = tacho_config_read_key (self->keys, group, &all[i], &reason);
      if (text != NULL && g_str_equal (all[i].key, "client-cert"))
        cert = expand_path (text, folder);
      else if (text != NULL && g_str_equal (all[i].key, "client-key"))
        key_file = expand_path (text, folder);
      else if (reason == NULL &&
               (text != NULL || (g_str_equal (all[i].key, "protocol") && has_address (profile))))
        tacho_config_profile_set (profile, all[i].key, text != NULL ? text : "", folder, &reason);
      if (reason == NULL)
        continue;
      if (vital)
        {
          g_propagate_prefixed_error (error, g_steal_pointer (&reason), "%s: ", all[i].key);
          return FALSE;
        }
      if (text != NULL) /* else the check of values has said it */
        tacho_config_warn (self, "%s: [%s] %s: %s; the default is used", self->path, group,
                           all[i].key, reason->message);
    }
  return (cert == NULL && key_file == NULL) ||
         tacho_profile_set_client_cert (profile, cert, key_file, error);
}

static TachoProfile *
read_profile (TachoConfig *self, const char *group, const char *name, GError **error)
{
  g_autoptr (TachoProfile) profile = tacho_profile_new (name, NULL, error);

  if (!tacho_profile_set_name (profile, name, error) || !fill (self, profile, group, error))
    return NULL;
  if (!has_address (profile))
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "it has neither a url nor a grpc address");
      return NULL;
    }
  return g_steal_pointer (&profile);
}

void
tacho_config_load_profiles (TachoConfig *self)
{
  g_auto (GStrv) groups = g_key_file_get_groups (self->keys, NULL);
  guint at = 0;
  guint n;

  for (guint i = 0; groups[i] != NULL; i++)
    {
      g_autofree char *name = NULL;
      const char *kind = tacho_config_group_parse (groups[i], &name);
      g_autoptr (GError) error = NULL;
      g_autoptr (TachoProfile) profile = NULL;
      g_autoptr (TachoProfile) old = NULL;

      if (kind == NULL || !g_str_equal (kind, "profile"))
        continue;
      profile = read_profile (self, groups[i], name, &error);
      if (profile == NULL)
        {
          tacho_config_warn (self, "%s: [%s] cannot be used until it is mended: %s", self->path,
                             groups[i], error->message);
          continue;
        }
      old = g_list_model_get_item (G_LIST_MODEL (self->profiles), at);
      /* What did not change stays the same object, so that no selection is lost. */
      if (old == NULL || !tacho_profile_equal (old, profile))
        g_list_store_splice (self->profiles, at, old != NULL, (gpointer *) &profile, 1);
      at++;
    }
  n = g_list_model_get_n_items (G_LIST_MODEL (self->profiles));
  if (n > at)
    g_list_store_splice (self->profiles, at, n - at, NULL, 0);
}
