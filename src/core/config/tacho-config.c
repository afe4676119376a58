/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person has set, from one file that others may edit at the same time. */
#define G_LOG_DOMAIN "tacho"

#include "config/tacho-config-private.h"

#include "base/tacho-error.h"
#include "base/tacho-text.h"
#include "config/tacho-config-file.h"

#include <string.h>

#define MAX_WARNINGS 200
#define RELOAD_DELAY_MS 50

G_DEFINE_FINAL_TYPE (TachoConfig, tacho_config, G_TYPE_OBJECT)

enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

void
tacho_config_warn (TachoConfig *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  if (self->warnings->len > MAX_WARNINGS)
    return;
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_ptr_array_insert (self->warnings, (int) self->warnings->len - 1,
                      tacho_text_sanitize_line (text, -1, 600));
}

static void
take_keys (TachoConfig *self, GKeyFile *keys, char *content)
{
  g_key_file_unref (self->keys);
  self->keys = keys;
  g_free (self->content);
  self->content = content;
  g_ptr_array_set_size (self->warnings, 0);
  g_ptr_array_add (self->warnings, NULL);
  tacho_config_check (self);
  tacho_config_load_profiles (self);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
load (TachoConfig *self)
{
  GKeyFile *keys = NULL;
  char *content = NULL;

  g_clear_error (&self->error);
  tacho_config_file_read (self->path, &keys, &content, &self->error);
  take_keys (self, keys, content);
}

static gboolean
reload_cb (gpointer data)
{
  TachoConfig *self = data;
  g_autoptr (GKeyFile) keys = NULL;
  g_autofree char *content = NULL;
  g_autoptr (GError) error = NULL;

  self->reload_id = 0;
  tacho_config_file_read (self->path, &keys, &content, &error);
  /* A write of our own, or one that changed nothing. */
  if (g_strcmp0 (content, self->content) == 0 && (error == NULL) == (self->error == NULL))
    return G_SOURCE_REMOVE;
  g_clear_error (&self->error);
  self->error = g_steal_pointer (&error);
  take_keys (self, g_steal_pointer (&keys), g_steal_pointer (&content));
  return G_SOURCE_REMOVE;
}

/* Editors write in several steps: the last of them counts. */
static void
file_changed_cb (TachoConfig *self)
{
  if (self->reload_id != 0)
    g_source_remove (self->reload_id);
  self->reload_id = g_timeout_add (RELOAD_DELAY_MS, reload_cb, self);
}

static GFileMonitor *
monitor_new (TachoConfig *self, const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  GFileMonitor *monitor = g_file_monitor_file (file, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL);

  if (monitor != NULL)
    g_signal_connect_object (monitor, "changed", G_CALLBACK (file_changed_cb), self,
                             G_CONNECT_SWAPPED);
  return monitor;
}

static void
tacho_config_dispose (GObject *object)
{
  TachoConfig *self = TACHO_CONFIG (object);

  g_clear_handle_id (&self->reload_id, g_source_remove);
  if (self->monitor != NULL)
    g_file_monitor_cancel (self->monitor);
  if (self->target_monitor != NULL)
    g_file_monitor_cancel (self->target_monitor);
  g_clear_object (&self->monitor);
  g_clear_object (&self->target_monitor);
  g_clear_object (&self->profiles);

  G_OBJECT_CLASS (tacho_config_parent_class)->dispose (object);
}

static void
tacho_config_finalize (GObject *object)
{
  TachoConfig *self = TACHO_CONFIG (object);

  g_free (self->path);
  g_free (self->content);
  g_free (self->set_aside);
  g_key_file_unref (self->keys);
  g_clear_error (&self->error);
  g_ptr_array_unref (self->warnings);

  G_OBJECT_CLASS (tacho_config_parent_class)->finalize (object);
}

static void
tacho_config_class_init (TachoConfigClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = tacho_config_dispose;
  object_class->finalize = tacho_config_finalize;
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", TACHO_TYPE_CONFIG, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 0);
}

static void
tacho_config_init (TachoConfig *self)
{
  self->keys = g_key_file_new ();
  self->warnings = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->warnings, NULL);
  self->profiles = g_list_store_new (TACHO_TYPE_PROFILE);
}

/**
 * tacho_config_new:
 * @path: (nullable): the file; %NULL: the one that `TACHO_CONFIG` names, else the user's
 *
 * Reads the file, if there is one. A file that cannot be used is tacho_config_get_error(), a value
 * that cannot is among tacho_config_get_warnings(); the program goes on with defaults either way.
 *
 * Returns: (transfer full): what a person has set
 */
TachoConfig *
tacho_config_new (const char *path)
{
  TachoConfig *self = g_object_new (TACHO_TYPE_CONFIG, NULL);

  self->path =
      path != NULL ? g_canonicalize_filename (path, NULL) : tacho_config_file_default_path ();
  load (self);
  return self;
}

/**
 * tacho_config_origin_to_string:
 * @origin: where a value came from
 *
 * Returns: (transfer none): "default", "file" or "environment"
 */
const char *
tacho_config_origin_to_string (TachoConfigOrigin origin)
{
  switch (origin)
    {
    case TACHO_ORIGIN_FILE:
      return "file";
    case TACHO_ORIGIN_ENVIRONMENT:
      return "environment";
    case TACHO_ORIGIN_DEFAULT:
    default:
      return "default";
    }
}

/**
 * tacho_config_get_path:
 * @self: the configuration
 *
 * Returns: (transfer none): its file, which need not be there
 */
const char *
tacho_config_get_path (TachoConfig *self)
{
  g_return_val_if_fail (TACHO_IS_CONFIG (self), NULL);
  return self->path;
}

/**
 * tacho_config_get_error:
 * @self: the configuration
 *
 * Returns: (transfer none) (nullable): why the file cannot be used, so that the defaults are
 */
const GError *
tacho_config_get_error (TachoConfig *self)
{
  g_return_val_if_fail (TACHO_IS_CONFIG (self), NULL);
  return self->error;
}

/**
 * tacho_config_get_warnings:
 * @self: the configuration
 *
 * Returns: (transfer none) (array zero-terminated=1): each value that cannot be used, with file,
 *   group, key, and what is allowed; never a key's value where that could be a secret
 */
const char *const *
tacho_config_get_warnings (TachoConfig *self)
{
  g_return_val_if_fail (TACHO_IS_CONFIG (self), NULL);
  return (const char *const *) self->warnings->pdata;
}

/**
 * tacho_config_get_set_aside:
 * @self: the configuration
 *
 * Returns: (transfer none) (nullable): where the last save moved a file that was broken
 */
const char *
tacho_config_get_set_aside (TachoConfig *self)
{
  g_return_val_if_fail (TACHO_IS_CONFIG (self), NULL);
  return self->set_aside;
}

/**
 * tacho_config_reload:
 * @self: the configuration
 *
 * Reads the file anew.
 */
void
tacho_config_reload (TachoConfig *self)
{
  g_return_if_fail (TACHO_IS_CONFIG (self));
  load (self);
}

/**
 * tacho_config_watch:
 * @self: the configuration
 *
 * Picks up what others write from now on; that needs an iterated main context.
 */
void
tacho_config_watch (TachoConfig *self)
{
  g_autofree char *target = NULL;

  g_return_if_fail (TACHO_IS_CONFIG (self));

  if (self->monitor != NULL)
    return;
  self->monitor = monitor_new (self, self->path);
  target = g_file_read_link (self->path, NULL);
  if (target != NULL)
    {
      g_autofree char *folder = g_path_get_dirname (self->path);
      g_autofree char *absolute = g_canonicalize_filename (target, folder);

      self->target_monitor = monitor_new (self, absolute);
    }
}

/**
 * tacho_config_get_profiles:
 * @self: the configuration
 *
 * Returns: (transfer none): a model of #TachoProfile, kept up to date
 */
GListModel *
tacho_config_get_profiles (TachoConfig *self)
{
  g_return_val_if_fail (TACHO_IS_CONFIG (self), NULL);
  return G_LIST_MODEL (self->profiles);
}

gboolean
tacho_config_edit (TachoConfig *self,
                   gboolean (*edit) (GKeyFile *, gpointer, GError **),
                   gpointer user_data,
                   GError **error)
{
  g_autofree char *aside = NULL;

  if (!tacho_config_file_edit (self->path, edit, user_data, &aside, error))
    return FALSE;
  if (aside != NULL)
    {
      g_free (self->set_aside);
      self->set_aside = g_steal_pointer (&aside);
    }
  load (self);
  return TRUE;
}
