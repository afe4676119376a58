/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The history of runs as the window uses it. A history that fails ends no run and loses no result:
 * it is said, and tried again with the next run. */
#define G_LOG_DOMAIN "tacho-bench-archive"

#include "config.h"

#include "app/tacho-bench-archive.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define CHECKPOINT_US (2 * G_USEC_PER_SEC)
#define MAX_PROBLEM 400 /* characters */

struct _TachoBenchArchive
{
  GObject parent_instance;
  TachoHistory *history; /* NULL: not opened yet, or it cannot be */
  char *problem;
  gboolean failed; /* `problem` is a failure, which a success makes good, not a notice */
  char *begun;     /* id of the run that goes on and is known to the history */
  char *given_up;  /* id of the run for which that failed */
  gint64 next_us;
};

G_DEFINE_FINAL_TYPE (TachoBenchArchive, tacho_bench_archive, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_PROBLEM,
  N_PROPS
};
enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

static void
set_problem (TachoBenchArchive *self, const char *text)
{
  g_autofree char *clean = text != NULL ? tacho_text_sanitize_line (text, -1, MAX_PROBLEM) : NULL;

  if (g_strcmp0 (clean, self->problem) == 0)
    return;
  g_free (self->problem);
  self->problem = g_steal_pointer (&clean);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PROBLEM]);
}

static void
tacho_bench_archive_finalize (GObject *object)
{
  TachoBenchArchive *self = TACHO_BENCH_ARCHIVE (object);

  g_clear_object (&self->history);
  g_free (self->problem);
  g_free (self->begun);
  g_free (self->given_up);

  G_OBJECT_CLASS (tacho_bench_archive_parent_class)->finalize (object);
}

static void
tacho_bench_archive_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  TachoBenchArchive *self = TACHO_BENCH_ARCHIVE (object);

  switch (id)
    {
    case PROP_PROBLEM:
      g_value_set_string (value, self->problem);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
tacho_bench_archive_class_init (TachoBenchArchiveClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = tacho_bench_archive_finalize;
  object_class->get_property = tacho_bench_archive_get_property;

  properties[PROP_PROBLEM] =
      g_param_spec_string ("problem", NULL, NULL, NULL,
                           G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", TACHO_TYPE_BENCH_ARCHIVE, G_SIGNAL_RUN_LAST, 0,
                                          NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
tacho_bench_archive_init (TachoBenchArchive *self)
{
}

/**
 * tacho_bench_archive_get_default:
 *
 * Returns: (transfer none): the history that the program shares with tacho-cli
 */
TachoBenchArchive *
tacho_bench_archive_get_default (void)
{
  static TachoBenchArchive *archive;

  if (archive == NULL)
    archive = g_object_new (TACHO_TYPE_BENCH_ARCHIVE, NULL);
  return archive;
}

/**
 * tacho_bench_archive_get_history:
 * @self: the archive
 *
 * Opens it if need be; one that could not be opened is tried again.
 *
 * Returns: (transfer none) (nullable): the history; else see [property@BenchArchive:problem]
 */
TachoHistory *
tacho_bench_archive_get_history (TachoBenchArchive *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *notice = NULL;

  g_return_val_if_fail (TACHO_IS_BENCH_ARCHIVE (self), NULL);

  if (self->history == NULL)
    {
      self->history = tacho_history_open (NULL, &notice, &error);
      self->failed = error != NULL;
      set_problem (self, error != NULL ? error->message : notice);
    }
  return self->history;
}

/**
 * tacho_bench_archive_get_problem:
 * @self: the archive
 *
 * Returns: (transfer none) (nullable): what a person must know of the history
 */
const char *
tacho_bench_archive_get_problem (TachoBenchArchive *self)
{
  g_return_val_if_fail (TACHO_IS_BENCH_ARCHIVE (self), NULL);

  return self->problem;
}

/**
 * tacho_bench_archive_changed:
 * @self: the archive
 *
 * Tells those who show the history to read it again.
 */
void
tacho_bench_archive_changed (TachoBenchArchive *self)
{
  g_return_if_fail (TACHO_IS_BENCH_ARCHIVE (self));

  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
give_up (TachoBenchArchive *self, const char *id, const GError *error)
{
  g_free (self->given_up);
  self->given_up = g_strdup (id);
  if (error == NULL)
    return;
  self->failed = TRUE;
  set_problem (self, error->message);
}

/**
 * tacho_bench_archive_checkpoint:
 * @self: the archive
 * @run: a run that goes on
 * @snapshot: its figures
 *
 * Should the program be killed, these are what is left of the run.
 */
void
tacho_bench_archive_checkpoint (TachoBenchArchive *self,
                                TachoBenchRun *run,
                                const TachoBenchSnapshot *snapshot)
{
  const TachoBenchResult *result = tacho_bench_run_peek_result (run);
  gint64 now_us = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;
  TachoHistory *history;

  g_return_if_fail (TACHO_IS_BENCH_ARCHIVE (self));

  if (result == NULL || g_strcmp0 (self->given_up, result->id) == 0)
    return;
  if (g_strcmp0 (self->begun, result->id) == 0 && now_us < self->next_us)
    return;
  self->next_us = now_us + CHECKPOINT_US;
  history = tacho_bench_archive_get_history (self);
  if (history == NULL)
    {
      give_up (self, result->id, NULL);
      return;
    }
  if (g_strcmp0 (self->begun, result->id) != 0)
    {
      if (!tacho_history_begin (history, run, &error))
        {
          give_up (self, result->id, error);
          return;
        }
      g_free (self->begun);
      self->begun = g_strdup (result->id);
      tacho_bench_archive_changed (self);
    }
  if (!tacho_history_checkpoint (history, result->id, snapshot, &error))
    give_up (self, result->id, error);
}

static void
keep_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  TachoBenchArchive *self = source;
  GError *error = NULL;

  if (tacho_history_finish (self->history, data, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
kept_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TachoBenchArchive *self = TACHO_BENCH_ARCHIVE (source);
  GApplication *application = g_application_get_default ();
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    {
      self->failed = TRUE;
      set_problem (self, error->message);
    }
  else if (self->failed)
    {
      self->failed = FALSE;
      set_problem (self, NULL);
    }
  tacho_bench_archive_changed (self);
  if (application != NULL)
    g_application_release (application);
}

/**
 * tacho_bench_archive_keep:
 * @self: the archive
 * @result: a run that ended or was stopped
 *
 * Writes it in a thread, for a long run is many megabytes. The program does not end before that.
 */
void
tacho_bench_archive_keep (TachoBenchArchive *self, TachoBenchResult *result)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (TACHO_IS_BENCH_ARCHIVE (self));

  if (tacho_bench_archive_get_history (self) == NULL)
    return;
  if (g_application_get_default () != NULL)
    g_application_hold (g_application_get_default ());
  task = g_task_new (self, NULL, kept_cb, NULL);
  g_task_set_task_data (task, tacho_bench_result_ref (result),
                        (GDestroyNotify) tacho_bench_result_unref);
  g_task_run_in_thread (task, keep_thread);
}

static void
load_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  TachoBenchArchive *self = source;
  g_autoptr (GPtrArray) results =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_bench_result_unref);
  GError *error = NULL;

  for (char **id = data; *id != NULL; id++)
    {
      TachoBenchResult *result = tacho_history_load (self->history, *id, &error);

      if (result == NULL)
        {
          g_task_return_error (task, error);
          return;
        }
      g_ptr_array_add (results, result);
    }
  g_task_return_pointer (task, g_steal_pointer (&results), (GDestroyNotify) g_ptr_array_unref);
}

/**
 * tacho_bench_archive_load_async:
 * @self: the archive
 * @ids: (array zero-terminated=1): of runs
 * @cancellable: (nullable): to be rid of the answer
 * @callback: called when they are read
 * @user_data: for @callback
 *
 * Reads whole runs in a thread.
 */
void
tacho_bench_archive_load_async (TachoBenchArchive *self,
                                const char *const *ids,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (TACHO_IS_BENCH_ARCHIVE (self));

  task = g_task_new (self, cancellable, callback, user_data);
  if (tacho_bench_archive_get_history (self) == NULL)
    {
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_FAILED, "%s",
                               self->problem != NULL ? self->problem : "");
      return;
    }
  g_task_set_task_data (task, g_strdupv ((char **) ids), (GDestroyNotify) g_strfreev);
  g_task_run_in_thread (task, load_thread);
}

/**
 * tacho_bench_archive_load_finish:
 * @self: the archive
 * @result: what the callback got
 * @error: return location
 *
 * Returns: (transfer full) (element-type TachoBenchResult): the runs in the order of the ids; else
 *   as tacho_history_load()
 */
GPtrArray *
tacho_bench_archive_load_finish (TachoBenchArchive *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
