/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests share. */
#include "test-utils.h"

#include <glib/gstdio.h>

void
tacho_test_init (int *argc, char ***argv)
{
  g_setenv ("GSETTINGS_BACKEND", "memory", TRUE);
  g_setenv ("GIO_USE_VFS", "local", TRUE);
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", TRUE);
  g_test_init (argc, argv, NULL);
}

gboolean
tacho_test_wake_cb (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

void
tacho_test_store_result_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GAsyncResult **stored = user_data;

  g_assert_null (*stored);
  *stored = g_object_ref (result);
}

char *
tacho_test_make_tmp_dir (void)
{
  g_autoptr (GError) error = NULL;
  char *path = g_dir_make_tmp ("tacho-test-XXXXXX", &error);

  g_assert_no_error (error);
  return path;
}

void
tacho_test_remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      if (g_file_test (child, G_FILE_TEST_IS_DIR) && !g_file_test (child, G_FILE_TEST_IS_SYMLINK))
        tacho_test_remove_tree (child);
      else
        g_unlink (child);
    }
  g_rmdir (path);
}
