/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stdout and stderr: what a person sees is made safe, what a pipe reads is exact. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _CliTerminal CliTerminal;

CliTerminal *cli_terminal_new (void) G_GNUC_WARN_UNUSED_RESULT;
void cli_terminal_free (CliTerminal *self);
gboolean cli_terminal_is_live (CliTerminal *self); /* stderr can show a line that is rewritten */

/* stdout. Model text: as it is, but made safe on a terminal. FALSE: nobody reads it any more. */
gboolean cli_terminal_write_text (CliTerminal *self, const char *text, gsize length);
gboolean cli_terminal_end_text (CliTerminal *self); /* what was held back, then one line end */
/* stdout, the program's own lines and documents. */
gboolean cli_terminal_print (CliTerminal *self, const char *text);
gboolean cli_terminal_is_broken (CliTerminal *self); /* the reader of stdout went away */
gboolean cli_terminal_finish (CliTerminal *self); /* FALSE: stdout could not be written, said so */

/* stderr. Everything is sanitised. */
void cli_terminal_say (CliTerminal *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
void cli_terminal_error (CliTerminal *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
void cli_terminal_ask (CliTerminal *self, const char *text); /* no line end is added */
void cli_terminal_dim (CliTerminal *self, const char *text); /* reasoning; only on a terminal */
/* A few lines that are rewritten; NULL: take them away. */
void cli_terminal_progress (CliTerminal *self, const char *text);

/* Aligned columns; a row is a NULL-terminated array, the first row is the head. Cells are made
 * safe. */
char *cli_table_format (GPtrArray *rows) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliTerminal, cli_terminal_free)

G_END_DECLS
