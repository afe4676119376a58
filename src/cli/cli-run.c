/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds the run that a person names, and keeps the one that is made. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-run.h"

#include "base/tacho-clock.h"
#include "base/tacho-error.h"

#define CHECKPOINT_NS (2 * TACHO_NS_PER_S)

struct _CliKeeper
{
  CliSession *session;
  TachoHistory *history; /* NULL: nothing is kept */
  gboolean begun;
  gint64 next_ns;
};

TachoHistory *
cli_history_open (CliSession *session, GError **error)
{
  g_autofree char *notice = NULL;
  TachoHistory *history = tacho_history_open (NULL, &notice, error);

  if (notice != NULL)
    cli_terminal_say (session->terminal, "%s.", notice);
  return history;
}

static TachoBenchResult *
load_from_history (CliSession *session, const char *name, GError **error)
{
  g_autoptr (TachoHistory) history = cli_history_open (session, error);
  g_autofree char *id = history != NULL ? tacho_history_resolve (history, name, error) : NULL;

  return id != NULL ? tacho_history_load (history, id, error) : NULL;
}

TachoBenchResult *
cli_run_load (CliSession *session, const char *name, GError **error)
{
  g_autoptr (GError) reason = NULL;
  TachoBenchResult *result;

  if (g_file_test (name, G_FILE_TEST_EXISTS))
    return tacho_bench_result_load (name, error);
  result = load_from_history (session, name, &reason);
  if (result == NULL && g_error_matches (reason, TACHO_ERROR, TACHO_ERROR_NOT_FOUND))
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "There is no file “%.200s”, and no such run in the history", name);
  else if (result == NULL)
    g_propagate_error (error, g_steal_pointer (&reason));
  return result;
}

CliKeeper *
cli_keeper_new (CliSession *session, gboolean wanted)
{
  CliKeeper *self = g_new0 (CliKeeper, 1);
  g_autoptr (GError) error = NULL;

  self->session = session;
  if (wanted)
    self->history = cli_history_open (session, &error);
  if (error != NULL)
    cli_terminal_say (session->terminal, "This run is not kept in the history: %s", error->message);
  return self;
}

void
cli_keeper_free (CliKeeper *self)
{
  g_clear_object (&self->history);
  g_free (self);
}

/* Said once; a history that fails is no reason to end a run. */
static void
give_up (CliKeeper *self, const GError *error)
{
  cli_terminal_say (self->session->terminal, "This run is not kept in the history: %s",
                    error->message);
  g_clear_object (&self->history);
}

void
cli_keeper_snapshot (CliKeeper *self, TachoBenchRun *run, const TachoBenchSnapshot *snapshot)
{
  gint64 now_ns = tacho_clock_now_ns ();
  g_autoptr (GError) error = NULL;

  if (self->history == NULL || now_ns < self->next_ns)
    return;
  self->next_ns = now_ns + CHECKPOINT_NS;
  if (!self->begun && !tacho_history_begin (self->history, run, &error))
    {
      give_up (self, error);
      return;
    }
  self->begun = TRUE;
  if (!tacho_history_checkpoint (self->history, tacho_bench_run_peek_result (run)->id, snapshot,
                                 &error))
    give_up (self, error);
}

void
cli_keeper_finish (CliKeeper *self, TachoBenchResult *result)
{
  g_autoptr (GError) error = NULL;

  if (self->history == NULL)
    return;
  if (!tacho_history_finish (self->history, result, &error))
    give_up (self, error);
  else
    cli_terminal_say (self->session->terminal, "Kept as %s.", result->id);
  self->begun = FALSE;
}
