/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as the configuration file: nothing of it stops the program, and saving one value loses
 * no other key of it; a file that is broken is set aside whole. */
#include "tacho-fuzz-apis.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "config/tacho-config.h"

static char *folder;

static void
remove_folder (void)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      g_unlink (path);
    }
  if (dir != NULL)
    g_dir_close (dir);
}

static void
remove_all (void)
{
  remove_folder ();
  g_rmdir (folder);
}

/* In memory where there is such a place, as every save waits for the disk. */
static void
make_folder (void)
{
  g_autofree char *template =
      g_strdup (g_access ("/dev/shm", W_OK) == 0 ? "/dev/shm/tacho-fuzz-config-XXXXXX"
                                                 : "/var/tmp/tacho-fuzz-config-XXXXXX");

  folder = g_strdup (g_mkdtemp (template));
  g_assert_nonnull (folder);
  atexit (remove_all);
}

static void
read_all (TachoConfig *config)
{
  const char *const *warnings = tacho_config_get_warnings (config);
  GListModel *profiles = tacho_config_get_profiles (config);
  gsize n_keys;
  const TachoConfigKey *keys = tacho_config_keys (&n_keys);

  for (gsize i = 0; warnings[i] != NULL; i++)
    TACHO_FUZZ_CHECK (g_utf8_validate (warnings[i], -1, NULL) &&
                      strpbrk (warnings[i], "\x1b\n") == NULL);
  for (gsize i = 0; i < n_keys; i++)
    {
      TachoConfigOrigin origin;
      g_autofree char *value =
          strcmp (keys[i].kind, "inference") == 0
              ? tacho_config_dup_inference (config, "m", keys[i].key, &origin)
              : tacho_config_dup_value (config, keys[i].kind, keys[i].key, &origin);

      if (value != NULL &&
          (strcmp (keys[i].kind, "inference") == 0 || strcmp (keys[i].kind, "general") == 0))
        {
          g_autofree char *plain = tacho_config_key_check (&keys[i], value, NULL);

          TACHO_FUZZ_CHECK (plain != NULL);
        }
    }
  for (guint i = 0; i < g_list_model_get_n_items (profiles); i++)
    {
      g_autoptr (TachoProfile) profile = g_list_model_get_item (profiles, i);
      g_autoptr (TachoProfile) copy = tacho_profile_copy (profile);

      TACHO_FUZZ_CHECK (tacho_profile_equal (profile, copy));
      TACHO_FUZZ_CHECK (tacho_profile_get_api_key (profile) == NULL);
      tacho_config_apply_defaults (config, copy);
    }
  g_strfreev (tacho_config_get_groups (config));
}

/* GKeyFile takes one carriage return before a line's end for a part of that end, so of several one
 * goes with every save: they are the line's end, not the value. */
static gboolean
same_value (char *before, char *after)
{
  for (gsize i = strlen (before); i > 0 && before[i - 1] == '\r'; i--)
    before[i - 1] = '\0';
  for (gsize i = after != NULL ? strlen (after) : 0; i > 0 && after[i - 1] == '\r'; i--)
    after[i - 1] = '\0';
  return g_strcmp0 (before, after) == 0;
}

/* All of `old` but what was set stands in the file at `path`, too. */
static void
check_kept (GKeyFile *old, const char *path, const char *group_set, const char *key_set)
{
  g_autoptr (GKeyFile) now = g_key_file_new ();
  g_auto (GStrv) groups = g_key_file_get_groups (old, NULL);

  TACHO_FUZZ_CHECK (g_key_file_load_from_file (
      now, path, G_KEY_FILE_KEEP_COMMENTS | G_KEY_FILE_KEEP_TRANSLATIONS, NULL));
  for (gsize g = 0; groups[g] != NULL; g++)
    {
      g_auto (GStrv) keys = g_key_file_get_keys (old, groups[g], NULL, NULL);

      TACHO_FUZZ_CHECK (g_key_file_has_group (now, groups[g]));
      for (gsize k = 0; keys != NULL && keys[k] != NULL; k++)
        {
          g_autofree char *before = g_key_file_get_value (old, groups[g], keys[k], NULL);
          g_autofree char *after = g_key_file_get_value (now, groups[g], keys[k], NULL);

          if (strcmp (groups[g], group_set) != 0 || strcmp (keys[k], key_set) != 0)
            TACHO_FUZZ_CHECK (same_value (before, after));
        }
    }
}

static void
check_aside (const char *path, const uint8_t *data, gsize size)
{
  g_autofree char *content = NULL;
  gsize length;

  TACHO_FUZZ_CHECK (path != NULL);
  TACHO_FUZZ_CHECK (g_file_get_contents (path, &content, &length, NULL));
  TACHO_FUZZ_CHECK (length == size && memcmp (content, data, size) == 0);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (TachoConfig) config = NULL;
  g_autoptr (GKeyFile) old = g_key_file_new ();
  g_autofree char *path = NULL;
  g_autofree char *value = NULL;
  GError *error = NULL;
  gboolean broken;

  if (folder == NULL)
    make_folder ();
  path = g_build_filename (folder, "tacho.conf", NULL);
  TACHO_FUZZ_CHECK (g_file_set_contents_full (path, (const char *) data, (gssize) size,
                                              G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  config = tacho_config_new (path);
  broken = tacho_config_get_error (config) != NULL;
  read_all (config);
  if (!broken && size > 0)
    TACHO_FUZZ_CHECK (g_key_file_load_from_file (
        old, path, G_KEY_FILE_KEEP_COMMENTS | G_KEY_FILE_KEEP_TRANSLATIONS, NULL));
  TACHO_FUZZ_CHECK (tacho_config_set_value (config, "inference", "temperature", "0.5", &error));
  g_assert_no_error (error);
  TACHO_FUZZ_CHECK (tacho_config_get_error (config) == NULL);
  value = tacho_config_dup_inference (config, NULL, "temperature", NULL);
  TACHO_FUZZ_CHECK (g_strcmp0 (value, "0.5") == 0);
  if (broken)
    check_aside (tacho_config_get_set_aside (config), data, size);
  else
    check_kept (old, path, "inference", "temperature");
  read_all (config);
  remove_folder ();
  return 0;
}
