/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands. Each parses its own options and gives the exit status. */
#pragma once

#include "cli-connect.h"

G_BEGIN_DECLS

typedef int (*CliCommandFunc) (CliSession *session, int argc, char **argv);

int cli_probe (CliSession *session, int argc, char **argv);
int cli_models_pull (CliSession *session, const char *id); /* of cli_models */
int cli_models (CliSession *session, int argc, char **argv);
int cli_prompt (CliSession *session, int argc, char **argv);
int cli_history (CliSession *session, int argc, char **argv);
int cli_analyze (CliSession *session, int argc, char **argv);
int cli_compare (CliSession *session, int argc, char **argv);
int cli_merge (CliSession *session, int argc, char **argv);
int cli_sweep (CliSession *session, int argc, char **argv);
int cli_bench (CliSession *session, int argc, char **argv);
int cli_config (CliSession *session, int argc, char **argv);
int cli_profiles (CliSession *session, int argc, char **argv);
int cli_simulate (CliSession *session, int argc, char **argv);

/* Parses; -1: go on, else the exit status (help was shown, or a mistake was said). */
int
cli_begin (CliSession *session, const CliUsage *usage, int argc, char **argv, char ***arguments);

G_END_DECLS
