/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where llama-server is, and which models a folder has for it. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-local-engine.h"

#include "base/tacho-error.h"

#include <string.h>

#define MAX_ENTRIES 20000 /* of all folders that are looked into */

/**
 * tacho_local_engine_find_program:
 * @given: (nullable): a program's path or name; %NULL: llama-server
 *
 * Returns: (transfer full) (nullable): the absolute path of the program that would be started,
 *   %NULL if there is none
 */
char *
tacho_local_engine_find_program (const char *given)
{
  return g_find_program_in_path (given != NULL && *given != '\0' ? given : "llama-server");
}

/* "x-00002-of-00003.gguf": the first part stands for all. */
static gboolean
is_later_part (const char *name)
{
  const char *of = g_strrstr (name, "-of-");

  return of != NULL && of - name > 6 && of[-6] == '-' && g_ascii_isdigit (of[-1]) &&
         strncmp (of - 6, "-00001", 6) != 0;
}

static gboolean
is_model (const char *name)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  return g_str_has_suffix (lower, ".gguf") && !g_str_has_prefix (lower, "mmproj") &&
         !is_later_part (lower);
}

static gboolean
scan (const char *folder,
      gboolean deeper,
      guint *n_left,
      GPtrArray *models,
      GCancellable *cancellable,
      GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, error);
  const char *name;

  if (dir == NULL)
    return FALSE;
  while (*n_left > 0 && !g_cancellable_is_cancelled (cancellable) &&
         (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      --*n_left;
      if (is_model (name))
        g_ptr_array_add (models, g_steal_pointer (&path));
      else if (deeper && name[0] != '.' && g_file_test (path, G_FILE_TEST_IS_DIR))
        scan (path, FALSE, n_left, models, cancellable, NULL);
    }
  return TRUE;
}

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
list_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_autoptr (GPtrArray) models = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  guint n_left = MAX_ENTRIES;

  if (!scan (data, TRUE, &n_left, models, cancellable, &error))
    {
      g_task_return_new_error (task, TACHO_ERROR, TACHO_ERROR_IO,
                               "The folder of models cannot be read: %s", error->message);
      return;
    }
  g_ptr_array_sort (models, compare_paths);
  g_ptr_array_add (models, NULL);
  g_task_return_pointer (task, g_ptr_array_free (g_steal_pointer (&models), FALSE),
                         (GDestroyNotify) g_strfreev);
}

/**
 * tacho_local_engine_list_models_async:
 * @folder: a folder
 * @cancellable: (nullable): to stop waiting
 * @callback: called when it is known
 * @user_data: for @callback
 *
 * Looks for GGUF files in a thread: a folder may be on a slow disk or on none that answers.
 */
void
tacho_local_engine_list_models_async (const char *folder,
                                      GCancellable *cancellable,
                                      GAsyncReadyCallback callback,
                                      gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);

  g_return_if_fail (folder != NULL);

  g_task_set_source_tag (task, tacho_local_engine_list_models_async);
  g_task_set_task_data (task, g_strdup (folder), g_free);
  g_task_set_return_on_cancel (task, TRUE);
  g_task_run_in_thread (task, list_thread);
}

/**
 * tacho_local_engine_list_models_finish:
 * @result: what the callback got
 * @error: return location
 *
 * Returns: (transfer full) (array zero-terminated=1): absolute paths, sorted; or %NULL with
 *   %TACHO_ERROR_IO or %G_IO_ERROR_CANCELLED
 */
char **
tacho_local_engine_list_models_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
