/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of a local engine, with a stand-in for llama-server: starts, loads, dies, never answers,
 * is stopped, and goes along when the program is killed. */
#include "service/tacho-local-engine.h"

#include <gio/gunixinputstream.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "base/tacho-error.h"
#include "test-utils.h"

#define CHILD "--as-a-program-that-is-killed"

typedef struct
{
  TachoLocalEngine *engine;
  char *folder;
  char *program;
} Fixture;

static void
add_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
  g_file_set_contents (path, "GGUF", -1, &error);
  g_assert_no_error (error);
}

static char *
fake_program (void)
{
  return g_test_build_filename (G_TEST_DIST, "core", "service", "fake-llama-server.py", NULL);
}

static void
set_up (Fixture *fixture, gconstpointer mode)
{
  fixture->folder = tacho_test_make_tmp_dir ();
  fixture->program = fake_program ();
  fixture->engine = tacho_local_engine_new ();
  add_file (fixture->folder, "one.gguf");
  if (mode != NULL)
    g_setenv ("FAKE_LLAMA", mode, TRUE);
}

static void
tear_down (Fixture *fixture, gconstpointer mode)
{
  g_unsetenv ("FAKE_LLAMA");
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (fixture->engine)->ref_count == 1);
  g_assert_finalize_object (fixture->engine);
  tacho_test_remove_tree (fixture->folder);
  g_free (fixture->folder);
  g_free (fixture->program);
}

static gboolean
is_alive (GPid pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", (int) pid);
  g_autofree char *stat = NULL;
  const char *state;

  if (!g_file_get_contents (path, &stat, NULL, NULL))
    return FALSE;
  state = strrchr (stat, ')');
  return state == NULL || strncmp (state, ") Z", 3) != 0;
}

static TachoLocalEngineState
state_of (Fixture *fixture)
{
  return tacho_local_engine_get_state (fixture->engine);
}

static void
start (Fixture *fixture, TachoLocalEngineOptions *options)
{
  g_autoptr (GError) error = NULL;

  options->program = fixture->program;
  if (options->models == NULL)
    options->models = fixture->folder;
  tacho_local_engine_start (fixture->engine, options, &error);
  g_assert_no_error (error);
  g_assert_cmpint (state_of (fixture), ==, TACHO_LOCAL_ENGINE_STARTING);
}

static void
test_starts_and_stops (Fixture *fixture, gconstpointer unused)
{
  TachoLocalEngineOptions options = { .context = 4096, .gpu_layers = 7 };
  g_autoptr (GError) error = NULL;
  g_autofree char *log = NULL;
  g_autofree char *rest = NULL;
  g_autofree char *folder = NULL;
  guint64 next;
  gboolean lost;
  GPid pid;

  start (fixture, &options);
  pid = tacho_local_engine_get_pid (fixture->engine);
  g_assert_cmpint (pid, >, 0);
  TACHO_TEST_SPIN_UNTIL (state_of (fixture) == TACHO_LOCAL_ENGINE_READY);
  g_assert_true (
      g_str_has_prefix (tacho_local_engine_get_url (fixture->engine), "http://127.0.0.1:"));
  g_assert_false (tacho_local_engine_start (fixture->engine, &options, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);

  log = tacho_local_engine_read_log (fixture->engine, 0, &next, &lost);
  folder = g_strdup_printf ("--models-dir %s", fixture->folder);
  g_assert_nonnull (strstr (log, folder));
  g_assert_nonnull (strstr (log, "--ctx-size 4096 --n-gpu-layers 7"));
  g_assert_true (g_str_has_prefix (log, "main: fake")); /* the colour is not shown */
  g_assert_false (lost);

  tacho_local_engine_stop (fixture->engine);
  g_assert_cmpint (state_of (fixture), ==, TACHO_LOCAL_ENGINE_STOPPING);
  TACHO_TEST_SPIN_UNTIL (state_of (fixture) == TACHO_LOCAL_ENGINE_STOPPED);
  g_assert_false (is_alive (pid));
  g_assert_null (tacho_local_engine_get_error (fixture->engine));
  rest = tacho_local_engine_read_log (fixture->engine, next, NULL, NULL);
  g_assert_cmpstr (rest, ==, "");

  /* And once more, on one file. */
  options.models = g_build_filename (fixture->folder, "one.gguf", NULL);
  options.context = 0;
  options.gpu_layers = -1;
  start (fixture, &options);
  TACHO_TEST_SPIN_UNTIL (state_of (fixture) == TACHO_LOCAL_ENGINE_READY);
  g_free (log);
  log = tacho_local_engine_read_log (fixture->engine, 0, NULL, NULL);
  g_assert_nonnull (strstr (log, "--model /"));
  g_assert_null (strstr (log, "--ctx-size"));
  g_assert_null (strstr (log, "--n-gpu-layers"));
  tacho_local_engine_stop (fixture->engine);
  g_free ((char *) options.models);
}

static void
test_loading (Fixture *fixture, gconstpointer unused)
{
  TachoLocalEngineOptions options = { .gpu_layers = -1 };
  g_autofree char *go = g_build_filename (fixture->folder, "go", NULL);

  g_setenv ("FAKE_LLAMA_GO", go, TRUE);
  start (fixture, &options);
  TACHO_TEST_SPIN_UNTIL (tacho_local_engine_get_loading (fixture->engine));
  g_assert_cmpint (state_of (fixture), ==, TACHO_LOCAL_ENGINE_STARTING);
  add_file (fixture->folder, "go");
  TACHO_TEST_SPIN_UNTIL (state_of (fixture) == TACHO_LOCAL_ENGINE_READY);
  g_assert_false (tacho_local_engine_get_loading (fixture->engine));
  tacho_local_engine_stop (fixture->engine);
}

static void
test_dies_at_once (Fixture *fixture, gconstpointer unused)
{
  TachoLocalEngineOptions options = { .gpu_layers = -1 };
  const GError *error;

  start (fixture, &options);
  TACHO_TEST_SPIN_UNTIL (state_of (fixture) == TACHO_LOCAL_ENGINE_FAILED);
  error = tacho_local_engine_get_error (fixture->engine);
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "exit code 1"));
  g_assert_nonnull (strstr (error->message, "no GGUF file"));        /* what it means */
  g_assert_nonnull (strstr (error->message, "model loading error")); /* its own words */
  g_assert_cmpint (tacho_local_engine_get_pid (fixture->engine), ==, 0);
}

static void
test_dies_later (Fixture *fixture, gconstpointer unused)
{
  TachoLocalEngineOptions options = { .gpu_layers = -1 };
  const GError *error;

  start (fixture, &options);
  TACHO_TEST_SPIN_UNTIL (state_of (fixture) == TACHO_LOCAL_ENGINE_READY);
  kill (tacho_local_engine_get_pid (fixture->engine), SIGSEGV);
  TACHO_TEST_SPIN_UNTIL (state_of (fixture) == TACHO_LOCAL_ENGINE_FAILED);
  error = tacho_local_engine_get_error (fixture->engine);
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "signal 11"));
  g_assert_nonnull (strstr (error->message, "mistake in llama-server"));
}

static void
test_never_ready (Fixture *fixture, gconstpointer unused)
{
  TachoLocalEngineOptions options = { .gpu_layers = -1, .start_limit_s = 0.5 };
  const GError *error;
  GPid pid;

  start (fixture, &options);
  pid = tacho_local_engine_get_pid (fixture->engine);
  TACHO_TEST_SPIN_UNTIL (state_of (fixture) == TACHO_LOCAL_ENGINE_FAILED);
  error = tacho_local_engine_get_error (fixture->engine);
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TIMEOUT_FIRST);
  g_assert_nonnull (strstr (error->message, "does not answer"));
  g_assert_false (is_alive (pid));
}

static void
test_stubborn (Fixture *fixture, gconstpointer unused)
{
  TachoLocalEngineOptions options = { .gpu_layers = -1, .stop_limit_s = 0.3 };
  GPid pid;

  start (fixture, &options);
  pid = tacho_local_engine_get_pid (fixture->engine);
  TACHO_TEST_SPIN_UNTIL (state_of (fixture) == TACHO_LOCAL_ENGINE_READY);
  tacho_local_engine_stop (fixture->engine);
  TACHO_TEST_SPIN_UNTIL (state_of (fixture) == TACHO_LOCAL_ENGINE_STOPPED);
  g_assert_false (is_alive (pid));
}

static void
test_log_is_bounded (Fixture *fixture, gconstpointer unused)
{
  TachoLocalEngineOptions options = { .gpu_layers = -1 };
  g_autofree char *log = NULL;
  gboolean lost;

  start (fixture, &options);
  TACHO_TEST_SPIN_UNTIL (state_of (fixture) == TACHO_LOCAL_ENGINE_FAILED);
  log = tacho_local_engine_read_log (fixture->engine, 0, NULL, &lost);
  g_assert_true (lost);
  g_assert_cmpuint (strlen (log), <=, TACHO_LOCAL_ENGINE_LOG_BYTES);
  g_assert_cmpuint (strlen (log), >, TACHO_LOCAL_ENGINE_LOG_BYTES / 2);
  g_assert_true (g_str_has_prefix (log, "line ")); /* cut where a line begins */
  g_assert_nonnull (strstr (log, "line 19999"));
}

static void
test_nothing_to_start (Fixture *fixture, gconstpointer unused)
{
  TachoLocalEngineOptions options = { .program = "/nowhere/llama-server",
                                      .models = fixture->folder };
  g_autoptr (GError) error = NULL;

  g_assert_null (tacho_local_engine_find_program (options.program));
  g_assert_false (tacho_local_engine_start (fixture->engine, &options, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_clear_error (&error);
  options.program = fixture->program;
  options.models = "/nowhere";
  g_assert_false (tacho_local_engine_start (fixture->engine, &options, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_assert_cmpint (state_of (fixture), ==, TACHO_LOCAL_ENGINE_STOPPED);
}

static void
test_models (Fixture *fixture, gconstpointer unused)
{
  static const char *const names[] = { "b/big-00001-of-00002.gguf",
                                       "b/big-00002-of-00002.gguf",
                                       "b/mmproj-big.gguf",
                                       "c/d/too-deep.gguf",
                                       "notes.txt",
                                       "Two.GGUF" };
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) none = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) models = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    add_file (fixture->folder, names[i]);
  tacho_local_engine_list_models_async (fixture->folder, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  models = tacho_local_engine_list_models_finish (result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (models), ==, 3);
  g_assert_true (g_str_has_suffix (models[0], "/Two.GGUF"));
  g_assert_true (g_str_has_suffix (models[1], "/b/big-00001-of-00002.gguf"));
  g_assert_true (g_str_has_suffix (models[2], "/one.gguf"));

  tacho_local_engine_list_models_async ("/nowhere", NULL, tacho_test_store_result_cb, &none);
  TACHO_TEST_SPIN_UNTIL (none != NULL);
  g_assert_null (tacho_local_engine_list_models_finish (none, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
}

/* This program once more, which starts an engine, names its process and waits to be killed. */
static G_GNUC_NORETURN void
be_killed (const char *program, const char *folder)
{
  const TachoLocalEngineOptions options = { .program = program,
                                            .models = folder,
                                            .gpu_layers = -1 };
  TachoLocalEngine *engine = tacho_local_engine_new ();
  g_autoptr (GError) error = NULL;

  if (!tacho_local_engine_start (engine, &options, &error))
    g_error ("%s", error->message);
  TACHO_TEST_SPIN_UNTIL (tacho_local_engine_get_state (engine) == TACHO_LOCAL_ENGINE_READY);
  g_print ("%d\n", (int) tacho_local_engine_get_pid (engine));
  for (;;)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_parent_killed (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) program =
      g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, "/proc/self/exe", CHILD,
                        fixture->program, fixture->folder, NULL);
  g_autoptr (GDataInputStream) out = NULL;
  g_autofree char *line = NULL;
  GPid pid;

  g_assert_no_error (error);
  out = g_data_input_stream_new (g_subprocess_get_stdout_pipe (program));
  line = g_data_input_stream_read_line (out, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (line);
  pid = (GPid) g_ascii_strtoll (line, NULL, 10);
  g_assert_cmpint (pid, >, 0);
  g_assert_true (is_alive (pid));
  g_subprocess_force_exit (program);
  g_subprocess_wait (program, NULL, NULL);
  TACHO_TEST_SPIN_UNTIL (!is_alive (pid));
}

int
main (int argc, char **argv)
{
  if (argc == 4 && g_str_equal (argv[1], CHILD))
    be_killed (argv[2], argv[3]);
  tacho_test_init (&argc, &argv);

#define ADD(path, mode, test)                                                                      \
  g_test_add ("/service/local-engine/" path, Fixture, mode, set_up, test, tear_down)
  ADD ("starts-and-stops", NULL, test_starts_and_stops);
  ADD ("loading", "loading", test_loading);
  ADD ("dies-at-once", "dies", test_dies_at_once);
  ADD ("dies-later", NULL, test_dies_later);
  ADD ("never-ready", "silent", test_never_ready);
  ADD ("stubborn", "stubborn", test_stubborn);
  ADD ("log-is-bounded", "chatty", test_log_is_bounded);
  ADD ("nothing-to-start", NULL, test_nothing_to_start);
  ADD ("models", NULL, test_models);
  ADD ("parent-killed", NULL, test_parent_killed);
#undef ADD
  return g_test_run ();
}
