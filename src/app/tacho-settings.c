/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the window remembers: GSettings where the schema is installed, memory where it is not. */
#define G_LOG_DOMAIN "tacho-settings"

#include "config.h"

#include "app/tacho-settings.h"

struct _TachoSettings
{
  GObject parent_instance;
  GSettings *settings; /* NULL: the schema is not installed */
  GSettingsSchema *schema;
  GHashTable *values; /* key -> GVariant: defaults, and what was set without a schema */
};

G_DEFINE_FINAL_TYPE (TachoSettings, tacho_settings, G_TYPE_OBJECT)

/* The same defaults as the schema, for a program that runs without it (a build folder). */
static const struct
{
  const char *key;
  const char *value; /* GVariant text format */
} defaults[] = {
  { "window-width", "1280" },
  { "window-height", "800" },
  { "window-maximized", "false" },
  { "window-page", "'prompt'" },
  { "window-sidebar", "true" },
  { "engine-program", "''" },
  { "engine-models", "''" },
  { "engine-context", "0" },
  { "engine-gpu-layers", "-1" },
  { "window-list", "'models'" },
  { "color-scheme", "'default'" },
  { "migrated", "false" },
  { "send-key", "'enter'" },
  { "notify", "true" },
  { "prompt-presets", "@as []" },
  { "recent-urls", "@as []" },
  { "last-url", "''" },
  { "last-model", "''" },
  { "models-show", "'all'" },
  { "models-kind", "''" },
  { "models-size", "'all'" },
  { "models-sort", "'name'" },
  { "server-status-shown", "false" },
  { "draft", "''" },
  { "system-prompt", "''" },
  { "temperature", "-1.0" },
  { "top-p", "-1.0" },
  { "max-tokens", "0" },
  { "bench-plan", "''" },
  { "bench-loads", "''" },
};

/* The default source knows the system's folders; a private prefix is looked at besides. */
static GSettingsSchema *
lookup_schema (void)
{
  GSettingsSchemaSource *source = g_settings_schema_source_get_default ();
  GSettingsSchema *schema = NULL;

  if (source != NULL)
    schema = g_settings_schema_source_lookup (source, TACHO_APP_ID, TRUE);
  if (schema == NULL)
    {
      g_autoptr (GSettingsSchemaSource) own = NULL;
      g_autofree char *folder = g_build_filename (TACHO_DATADIR, "glib-2.0", "schemas", NULL);

      own = g_settings_schema_source_new_from_directory (folder, source, TRUE, NULL);
      if (own != NULL)
        schema = g_settings_schema_source_lookup (own, TACHO_APP_ID, FALSE);
    }
  return schema;
}

/* The schema's key if it is there with the type that the program means, else NULL. */
static GSettingsSchemaKey *
lookup_key (TachoSettings *self, const char *key, const GVariantType *type)
{
  g_autoptr (GSettingsSchemaKey) schema_key = NULL;

  if (self->settings == NULL || !g_settings_schema_has_key (self->schema, key))
    return NULL;
  schema_key = g_settings_schema_get_key (self->schema, key);
  if (!g_variant_type_equal (g_settings_schema_key_get_value_type (schema_key), type))
    return NULL;
  return g_steal_pointer (&schema_key);
}

static GVariant *
get_value (TachoSettings *self, const char *key, const GVariantType *type)
{
  g_autoptr (GSettingsSchemaKey) schema_key = lookup_key (self, key, type);
  GVariant *value;

  if (schema_key != NULL)
    return g_settings_get_value (self->settings, key);
  value = g_hash_table_lookup (self->values, key);
  if (value == NULL || !g_variant_is_of_type (value, type))
    {
      g_critical ("no setting '%s'", key);
      return NULL;
    }
  return g_variant_ref (value);
}

/* Takes the floating reference. A value outside the schema's range is dropped, not stored. */
static void
set_value (TachoSettings *self, const char *key, GVariant *floating)
{
  g_autoptr (GVariant) value = g_variant_ref_sink (floating);
  g_autoptr (GSettingsSchemaKey) schema_key = lookup_key (self, key, g_variant_get_type (value));

  if (schema_key == NULL)
    g_hash_table_insert (self->values, g_strdup (key), g_variant_ref (value));
  else if (g_settings_schema_key_range_check (schema_key, value))
    g_settings_set_value (self->settings, key, value);
  g_signal_emit_by_name (self, "changed", key);
}

static void
tacho_settings_finalize (GObject *object)
{
  TachoSettings *self = TACHO_SETTINGS (object);

  g_clear_object (&self->settings);
  g_clear_pointer (&self->schema, g_settings_schema_unref);
  g_clear_pointer (&self->values, g_hash_table_unref);

  G_OBJECT_CLASS (tacho_settings_parent_class)->finalize (object);
}

static void
tacho_settings_class_init (TachoSettingsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_settings_finalize;
  g_signal_new ("changed", TACHO_TYPE_SETTINGS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                1, G_TYPE_STRING);
}

static void
tacho_settings_init (TachoSettings *self)
{
  self->values =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
  for (gsize i = 0; i < G_N_ELEMENTS (defaults); i++)
    g_hash_table_insert (self->values, g_strdup (defaults[i].key),
                         g_variant_ref_sink (g_variant_new_parsed (defaults[i].value)));
  self->schema = lookup_schema ();
  if (self->schema != NULL)
    self->settings = g_settings_new_full (self->schema, NULL, NULL);
}

/**
 * tacho_settings_get_default:
 *
 * Returns: (transfer none): the settings of this program, made at the first call.
 */
TachoSettings *
tacho_settings_get_default (void)
{
  static TachoSettings *instance;

  if (instance == NULL)
    {
      instance = g_object_new (TACHO_TYPE_SETTINGS, NULL);
      g_object_add_weak_pointer (G_OBJECT (instance), (gpointer *) &instance);
    }
  return instance;
}

/**
 * tacho_settings_is_persistent:
 * @self: the settings
 *
 * Returns: %FALSE when the schema is not installed, so that nothing is remembered after the session
 */
gboolean
tacho_settings_is_persistent (TachoSettings *self)
{
  g_return_val_if_fail (TACHO_IS_SETTINGS (self), FALSE);

  return self->settings != NULL;
}

/**
 * tacho_settings_get_string:
 * @self: the settings
 * @key: name of a string or enumerated setting
 *
 * Returns: (transfer full): its value
 */
char *
tacho_settings_get_string (TachoSettings *self, const char *key)
{
  g_autoptr (GVariant) value = get_value (self, key, G_VARIANT_TYPE_STRING);

  return value != NULL ? g_variant_dup_string (value, NULL) : g_strdup ("");
}

/**
 * tacho_settings_get_int:
 * @self: the settings
 * @key: name of an integer setting
 *
 * Returns: its value
 */
int
tacho_settings_get_int (TachoSettings *self, const char *key)
{
  g_autoptr (GVariant) value = get_value (self, key, G_VARIANT_TYPE_INT32);

  return value != NULL ? g_variant_get_int32 (value) : 0;
}

/**
 * tacho_settings_get_uint:
 * @self: the settings
 * @key: name of an unsigned setting
 *
 * Returns: its value
 */
guint
tacho_settings_get_uint (TachoSettings *self, const char *key)
{
  g_autoptr (GVariant) value = get_value (self, key, G_VARIANT_TYPE_UINT32);

  return value != NULL ? g_variant_get_uint32 (value) : 0;
}

/**
 * tacho_settings_get_double:
 * @self: the settings
 * @key: name of a real setting
 *
 * Returns: its value
 */
double
tacho_settings_get_double (TachoSettings *self, const char *key)
{
  g_autoptr (GVariant) value = get_value (self, key, G_VARIANT_TYPE_DOUBLE);

  return value != NULL ? g_variant_get_double (value) : 0;
}

/**
 * tacho_settings_get_boolean:
 * @self: the settings
 * @key: name of a boolean setting
 *
 * Returns: its value
 */
gboolean
tacho_settings_get_boolean (TachoSettings *self, const char *key)
{
  g_autoptr (GVariant) value = get_value (self, key, G_VARIANT_TYPE_BOOLEAN);

  return value != NULL && g_variant_get_boolean (value);
}

/**
 * tacho_settings_get_strv:
 * @self: the settings
 * @key: name of a setting that is a list of strings
 *
 * Returns: (transfer full): its value
 */
char **
tacho_settings_get_strv (TachoSettings *self, const char *key)
{
  g_autoptr (GVariant) value = get_value (self, key, G_VARIANT_TYPE_STRING_ARRAY);

  return value != NULL ? g_variant_dup_strv (value, NULL) : g_new0 (char *, 1);
}

/**
 * tacho_settings_set_string:
 * @self: the settings
 * @key: name of a string or enumerated setting
 * @value: its new value
 */
void
tacho_settings_set_string (TachoSettings *self, const char *key, const char *value)
{
  set_value (self, key, g_variant_new_string (value));
}

/**
 * tacho_settings_set_int:
 * @self: the settings
 * @key: name of an integer setting
 * @value: its new value
 */
void
tacho_settings_set_int (TachoSettings *self, const char *key, int value)
{
  set_value (self, key, g_variant_new_int32 (value));
}

/**
 * tacho_settings_set_uint:
 * @self: the settings
 * @key: name of an unsigned setting
 * @value: its new value
 */
void
tacho_settings_set_uint (TachoSettings *self, const char *key, guint value)
{
  set_value (self, key, g_variant_new_uint32 (value));
}

/**
 * tacho_settings_set_double:
 * @self: the settings
 * @key: name of a real setting
 * @value: its new value
 */
void
tacho_settings_set_double (TachoSettings *self, const char *key, double value)
{
  set_value (self, key, g_variant_new_double (value));
}

/**
 * tacho_settings_set_boolean:
 * @self: the settings
 * @key: name of a boolean setting
 * @value: its new value
 */
void
tacho_settings_set_boolean (TachoSettings *self, const char *key, gboolean value)
{
  set_value (self, key, g_variant_new_boolean (value));
}

/**
 * tacho_settings_set_strv:
 * @self: the settings
 * @key: name of a setting that is a list of strings
 * @value: its new value
 */
void
tacho_settings_set_strv (TachoSettings *self, const char *key, const char *const *value)
{
  set_value (self, key, g_variant_new_strv (value, -1));
}

/**
 * tacho_settings_add_recent_url:
 * @self: the settings
 * @url: a server that was used, without any secret
 *
 * Puts @url in front of the recent servers; the oldest falls out.
 */
void
tacho_settings_add_recent_url (TachoSettings *self, const char *url)
{
  g_auto (GStrv) old = tacho_settings_get_strv (self, "recent-urls");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) list = NULL;
  guint n = 1;

  g_strv_builder_add (builder, url);
  for (gsize i = 0; old[i] != NULL && n < TACHO_MAX_RECENT; i++)
    if (strcmp (old[i], url) != 0)
      {
        g_strv_builder_add (builder, old[i]);
        n++;
      }
  list = g_strv_builder_end (builder);
  tacho_settings_set_strv (self, "recent-urls", (const char *const *) list);
}

/**
 * tacho_settings_remove_recent_url:
 * @self: the settings
 * @url: a server to be forgotten
 */
void
tacho_settings_remove_recent_url (TachoSettings *self, const char *url)
{
  g_auto (GStrv) old = tacho_settings_get_strv (self, "recent-urls");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) list = NULL;

  for (gsize i = 0; old[i] != NULL; i++)
    if (strcmp (old[i], url) != 0)
      g_strv_builder_add (builder, old[i]);
  list = g_strv_builder_end (builder);
  tacho_settings_set_strv (self, "recent-urls", (const char *const *) list);
}

/**
 * tacho_settings_note_server:
 * @self: the settings
 * @url: address of a server that answered
 *
 * Remembers it as the last one used, and as a recent one unless it is built in.
 */
void
tacho_settings_note_server (TachoSettings *self, const char *url)
{
  g_return_if_fail (TACHO_IS_SETTINGS (self));

  if (!g_str_has_prefix (url, "sim:"))
    tacho_settings_add_recent_url (self, url);
  tacho_settings_set_string (self, "last-url", url);
}
