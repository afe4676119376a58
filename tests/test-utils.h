/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests share. No sleeping: spin the main context until something is true, with a
 * limit. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* g_test_init with the environment that tests need; call first in main. */
void tacho_test_init (int *argc, char ***argv);

/* Iterates the default main context until *condition* is true; fails the test after 20 s. */
#define TACHO_TEST_SPIN_UNTIL(condition)                                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 tacho_deadline_ = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;                        \
    guint tacho_wake_ = g_timeout_add (5, tacho_test_wake_cb, NULL);                               \
    while (!(condition))                                                                           \
      {                                                                                            \
        if (g_get_monotonic_time () > tacho_deadline_)                                             \
          g_error ("%s:%d: still waiting for: %s", __FILE__, __LINE__, #condition);                \
        g_main_context_iteration (NULL, TRUE);                                                     \
      }                                                                                            \
    g_source_remove (tacho_wake_);                                                                 \
  }                                                                                                \
  G_STMT_END

gboolean tacho_test_wake_cb (gpointer user_data);

/* GAsyncReadyCallback for user_data = GAsyncResult **: stores a reference; spin until it is set. */
void tacho_test_store_result_cb (GObject *source, GAsyncResult *result, gpointer user_data);

/* A temporary directory, removed with all in it. */
char *tacho_test_make_tmp_dir (void) G_GNUC_WARN_UNUSED_RESULT;
void tacho_test_remove_tree (const char *path);

G_END_DECLS
