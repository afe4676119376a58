/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands and their options: parsing, help, and what is said of a mistake. */
#pragma once

#include "config/tacho-profile.h"

G_BEGIN_DECLS

#define CLI_ERROR (cli_error_quark ())
GQuark cli_error_quark (void);

typedef enum
{
  CLI_ERROR_USAGE = 1, /* exit status 2 */
} CliError;

/* The options of every command. */
typedef struct
{
  char *profile;
  char *url;
  char *grpc;
  char *protocol;
  char *api;
  char *api_key_env;
  char *ca_file;
  char *cert_file;
  char *key_file;
  char *pin;
  char *proxy;
  gboolean allow_plain_key;
  char **headers;
  char *timeouts[TACHO_N_TIMEOUTS];
  gboolean json;
} CliGlobals;

void cli_globals_clear (CliGlobals *globals);

/* An option takes a value if `value` is set; its target is a char *, or a char ** if it may repeat,
 * or a gboolean. Values are read by the cli_parse functions, so that a mistake names the option. */
typedef struct
{
  const char *name;
  char letter;
  const char *value;
  gboolean repeats;
  gpointer target;
  const char *help;
} CliOption;

typedef struct
{
  const char *command;   /* "models" */
  const char *arguments; /* "[list | show ID | …]" */
  const char *summary;
  const char *description;  /* after the options: examples */
  const CliOption *options; /* ends with a NULL name; NULL: none */
  gboolean uses_server;     /* FALSE: of the common options only --json */
} CliUsage;

/* Parses argv[1…] of a command; what is left are its arguments. With *help set nothing else
 * counts. */
gboolean cli_options_parse (const CliUsage *usage,
                            CliGlobals *globals,
                            int argc,
                            char **argv,
                            char ***arguments,
                            gboolean *help,
                            GError **error);
char *cli_options_help (const CliUsage *usage) G_GNUC_WARN_UNUSED_RESULT;
/* How many of argv[1…] are common options that stand before the command. */
gboolean cli_options_count_leading (int argc, char **argv, int *count, GError **error);

gboolean cli_parse_uint (const char *option,
                         const char *text,
                         guint64 min,
                         guint64 max,
                         guint64 *value,
                         GError **error);
gboolean cli_parse_double (const char *option,
                           const char *text,
                           double min,
                           double max,
                           double *value,
                           GError **error);
gboolean cli_parse_seconds (const char *option,
                            const char *text,
                            double min,
                            double max,
                            double *value,
                            GError **error); /* "30", "30s", "2m", "500ms" */
gboolean cli_parse_range (const char *option,
                          const char *text,
                          guint64 max,
                          guint *low,
                          guint *high,
                          GError **error); /* "N" or "MIN:MAX" */

/* The nearest of the candidates, or NULL if none is near. */
const char *cli_closest (const char *word, const char *const *candidates);

G_END_DECLS
