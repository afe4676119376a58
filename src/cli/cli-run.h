/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run as a person names it, and the history as the commands use it. */
#pragma once

#include "cli-connect.h"

#include "store/tacho-history.h"

G_BEGIN_DECLS

/* The run in the file `name`, else that of the history: an id, the begin of one, or "last".
 * (transfer full) */
TachoBenchResult *
cli_run_load (CliSession *session, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens the history, and says what a person should know of it. */
TachoHistory *cli_history_open (CliSession *session, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Keeps a run while it is made. NULL stands for a history that is not wanted or cannot be opened:
 * that stops no run. */
typedef struct _CliKeeper CliKeeper;

CliKeeper *cli_keeper_new (CliSession *session, gboolean wanted) G_GNUC_WARN_UNUSED_RESULT;
void cli_keeper_free (CliKeeper *self);
void cli_keeper_snapshot (CliKeeper *self, TachoBenchRun *run, const TachoBenchSnapshot *snapshot);
/* The run has ended: keeps it, and says under which id. */
void cli_keeper_finish (CliKeeper *self, TachoBenchResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliKeeper, cli_keeper_free)

G_END_DECLS
