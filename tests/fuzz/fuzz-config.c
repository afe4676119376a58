/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A configuration file of any bytes is read without a crash, and a save keeps or sets it aside. */
#include "tacho-fuzz.h"

#include "config/tacho-config.h"

#include <glib/gstdio.h>
#include <unistd.h>

static char *folder;

static void
clean_up (void)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      g_unlink (path);
    }
}

static void
remove_folder (void)
{
  clean_up ();
  g_rmdir (folder);
}

static void
check (TachoConfig *config)
{
  const char *const *warnings = tacho_config_get_warnings (config);
  GListModel *profiles = tacho_config_get_profiles (config);
  g_auto (GStrv) groups = tacho_config_get_groups (config);
  gsize n = 0;
  const TachoConfigKey *keys = tacho_config_keys (&n);

  for (guint i = 0; warnings[i] != NULL; i++)
    TACHO_FUZZ_CHECK (g_utf8_validate (warnings[i], -1, NULL));
  for (guint i = 0; i < g_list_model_get_n_items (profiles); i++)
    {
      g_autoptr (TachoProfile) profile = g_list_model_get_item (profiles, i);

      TACHO_FUZZ_CHECK (tacho_profile_get_url (profile) != NULL ||
                        tacho_profile_get_grpc_target (profile) != NULL);
      TACHO_FUZZ_CHECK (tacho_profile_get_api_key (profile) == NULL);
    }
  for (guint i = 0; groups[i] != NULL; i++)
    for (gsize k = 0; k < n; k++)
      {
        g_autofree char *value = tacho_config_dup_value (config, groups[i], keys[k].key, NULL);

        TACHO_FUZZ_CHECK (value == NULL || g_utf8_validate (value, -1, NULL));
      }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *path = NULL;
  g_autofree char *model = NULL;
  TachoConfig *config;

  if (folder == NULL)
    {
      folder = g_dir_make_tmp ("tacho-fuzz-XXXXXX", NULL);
      TACHO_FUZZ_CHECK (folder != NULL);
      atexit (remove_folder);
    }
  path = g_build_filename (folder, "tacho.conf", NULL);
  g_file_set_contents_full (path, (const char *) data, (gssize) size, G_FILE_SET_CONTENTS_NONE,
                            0600, NULL);
  config = tacho_config_new (path);
  check (config);
  TACHO_FUZZ_CHECK (tacho_config_set_value (config, "inference", "model", "m", NULL));
  check (config);
  TACHO_FUZZ_CHECK (tacho_config_get_error (config) == NULL);
  model = tacho_config_dup_value (config, "inference", "model", NULL);
  TACHO_FUZZ_CHECK (g_strcmp0 (model, "m") == 0);
  g_object_unref (config);
  clean_up ();
  return 0;
}
