/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands and their options. GOptionContext parses; a scan before it finds what it would refuse,
 * so that the message can say what was meant. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-options.h"

#include <math.h>
#include <string.h>

G_DEFINE_QUARK (cli - error - quark, cli_error)

#define N_COMMON 17
#define MAX_OPTIONS 64

/* Options that the contract names for later versions: refused by name rather than as a typing
 * error. */
static const char *const later_options[] = {
  "rate", "arrival", "ramp", "prompts", "scenario", "grpc-port", "fail-on-regression", NULL,
};

void
cli_globals_clear (CliGlobals *globals)
{
  g_free (globals->profile);
  g_free (globals->url);
  g_free (globals->grpc);
  g_free (globals->protocol);
  g_free (globals->api);
  g_free (globals->api_key_env);
  g_free (globals->ca_file);
  g_free (globals->cert_file);
  g_free (globals->key_file);
  g_free (globals->pin);
  g_free (globals->proxy);
  g_strfreev (globals->headers);
  for (guint i = 0; i < TACHO_N_TIMEOUTS; i++)
    g_free (globals->timeouts[i]);
  memset (globals, 0, sizeof *globals);
}

static void
common_options (CliGlobals *globals, CliOption options[N_COMMON + 1])
{
  const CliOption list[N_COMMON + 1] = {
    { "url", 0, "URL", FALSE, &globals->url,
      "Server to use; sim: is the built-in simulated one. Else $TACHO_URL" },
    { "profile", 0, "NAME", FALSE, &globals->profile,
      "Or a server of “tacho-cli profiles”. Else $TACHO_PROFILE, or the default" },
    { "grpc", 0, "HOST:PORT", FALSE, &globals->grpc,
      "Its gRPC side; grpcs://HOST:PORT for TLS. With --url too, both are used" },
    { "protocol", 0, "P", FALSE, &globals->protocol, "rest, grpc or hybrid (gRPC, then REST)" },
    { "api", 0, "FAMILY", FALSE, &globals->api,
      "auto (default), openai, llamacpp, ollama, vllm, oip, … (see the manual)" },
    { "api-key-env", 0, "VAR", FALSE, &globals->api_key_env,
      "Take the API key from this environment variable" },
    { "ca", 0, "FILE", FALSE, &globals->ca_file, "Trust the certificates of this PEM file" },
    { "cert", 0, "FILE", FALSE, &globals->cert_file, "Client certificate (PEM), with --key" },
    { "key", 0, "FILE", FALSE, &globals->key_file, "The client certificate's key (PEM)" },
    { "pin", 0, "sha256:HEX", FALSE, &globals->pin,
      "Take the server certificate with this fingerprint, and no other" },
    { "proxy", 0, "URL", FALSE, &globals->proxy, "Go through this proxy; never to this computer" },
    { "allow-plain-key", 0, NULL, FALSE, &globals->allow_plain_key,
      "Let the API key go to another machine without TLS" },
    { "header", 0, "'K: V'", TRUE, &globals->headers, "Send this header too; may be repeated" },
    { "timeout-connect", 0, "S", FALSE, &globals->timeouts[TACHO_TIMEOUT_CONNECT],
      "Seconds to connect in (5)" },
    { "timeout-first", 0, "S", FALSE, &globals->timeouts[TACHO_TIMEOUT_FIRST],
      "Seconds to the first byte (120)" },
    { "timeout-idle", 0, "S", FALSE, &globals->timeouts[TACHO_TIMEOUT_IDLE],
      "Seconds without a byte (60)" },
    { "timeout-total", 0, "S", FALSE, &globals->timeouts[TACHO_TIMEOUT_TOTAL],
      "Seconds for a whole request (600)" },
  };

  memcpy (options, list, sizeof list);
}

static guint
distance (const char *a, const char *b)
{
  guint n = (guint) strlen (b);
  g_autofree guint *row = g_new (guint, n + 1);

  for (guint j = 0; j <= n; j++)
    row[j] = j;
  for (guint i = 1; a[i - 1] != '\0'; i++)
    {
      guint diagonal = row[0];

      row[0] = i;
      for (guint j = 1; j <= n; j++)
        {
          guint above = row[j];

          row[j] = MIN (MIN (row[j], row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
          diagonal = above;
        }
    }
  return row[n];
}

const char *
cli_closest (const char *word, const char *const *candidates)
{
  const char *best = NULL;
  guint best_distance = G_MAXUINT;

  if (strlen (word) > 200)
    return NULL;
  for (guint i = 0; candidates[i] != NULL; i++)
    {
      guint d;

      if (strlen (candidates[i]) > 200)
        continue;
      if (strlen (word) >= 3 && strstr (candidates[i], word) != NULL)
        d = 1;
      else
        d = distance (word, candidates[i]);
      if (d < best_distance)
        {
          best = candidates[i];
          best_distance = d;
        }
    }
  return best_distance <= MAX (2, strlen (word) / 3) ? best : NULL;
}

static const CliOption *
find_option (const CliOption *options, const char *name, gsize length, char letter)
{
  for (; options != NULL && options->name != NULL; options++)
    {
      if (letter != 0 && options->letter == letter)
        return options;
      if (letter == 0 && strlen (options->name) == length &&
          memcmp (options->name, name, length) == 0)
        return options;
    }
  return NULL;
}

static gboolean
refuse_unknown (const CliOption *options, const char *command, const char *argument, GError **error)
{
  g_autofree char *name = NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *near;

  name = g_strndup (argument + 2, strcspn (argument + 2, "="));
  if (argument[1] == '-' && g_strv_contains (later_options, name))
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE, "This version of tacho-cli has not got --%s.",
                   name);
      return FALSE;
    }
  for (const CliOption *o = options; o->name != NULL; o++)
    g_ptr_array_add (names, (char *) o->name);
  g_ptr_array_add (names, NULL);
  near = argument[1] == '-' ? cli_closest (name, (const char *const *) names->pdata) : NULL;
  if (near != NULL)
    g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE, "Unknown option %s. Did you mean --%s?",
                 argument, near);
  else
    g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                 "Unknown option %s. See tacho-cli %s%s--help for those there are.", argument,
                 command != NULL ? command : "", command != NULL ? " " : "");
  return FALSE;
}

/* Looks at one option at argv[index]: *next is the index behind it and its value. */
static gboolean
scan_option (const CliOption *options,
             const char *command,
             int argc,
             char **argv,
             int index,
             int *next,
             GError **error)
{
  const char *argument = argv[index];
  gboolean is_long = argument[1] == '-';
  gsize length = strcspn (argument + 2, "=");
  const CliOption *option;
  gboolean inline_value = is_long && argument[2 + length] == '=';

  if (is_long)
    option = find_option (options, argument + 2, length, 0);
  else
    option = argument[2] == '\0' ? find_option (options, NULL, 0, argument[1]) : NULL;
  if (option == NULL)
    return refuse_unknown (options, command, argument, error);
  if (option->value == NULL && inline_value)
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE, "--%s takes no value.", option->name);
      return FALSE;
    }
  if (option->value != NULL && !inline_value && index + 1 >= argc)
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE, "--%s needs a value: --%s %s", option->name,
                   option->name, option->value);
      return FALSE;
    }
  *next = index + 1 + (option->value != NULL && !inline_value);
  return TRUE;
}

/* All options of a command, in the order of its help; ends with a NULL name. */
static void
collect (const CliUsage *usage, CliGlobals *globals, gboolean *help, CliOption all[MAX_OPTIONS])
{
  CliOption common[N_COMMON + 1];
  guint n = 0;

  for (const CliOption *o = usage->options; o != NULL && o->name != NULL; o++)
    all[n++] = *o;
  common_options (globals, common);
  for (guint i = 0; usage->uses_server && common[i].name != NULL; i++)
    all[n++] = common[i];
  all[n++] = (CliOption){ "json",         0,
                          NULL,           FALSE,
                          &globals->json, "One JSON document on the standard output" };
  all[n++] = (CliOption){ "help", 'h', NULL, FALSE, help, "Show this help" };
  all[n] = (CliOption){ NULL };
  g_assert (n < MAX_OPTIONS);
}

static GOptionContext *
context_new (const CliOption *options)
{
  GOptionContext *context = g_option_context_new (NULL);
  GOptionEntry entries[MAX_OPTIONS] = { 0 };
  guint n = 0;

  g_option_context_set_help_enabled (context, FALSE);
  for (const CliOption *o = options; o->name != NULL; o++, n++)
    {
      entries[n].long_name = o->name;
      entries[n].short_name = o->letter;
      entries[n].arg_data = o->target;
      /* FILENAME: the bytes as they are, whatever the locale says. */
      entries[n].arg = o->value == NULL ? G_OPTION_ARG_NONE
                       : o->repeats     ? G_OPTION_ARG_FILENAME_ARRAY
                                        : G_OPTION_ARG_FILENAME;
    }
  g_option_context_add_main_entries (context, entries, NULL);
  return context;
}

gboolean
cli_options_parse (const CliUsage *usage,
                   CliGlobals *globals,
                   int argc,
                   char **argv,
                   char ***arguments,
                   gboolean *help,
                   GError **error)
{
  CliOption all[MAX_OPTIONS];
  g_autoptr (GOptionContext) context = NULL;
  g_auto (GStrv) rest = g_new0 (char *, (gsize) argc + 1);
  gboolean separator = FALSE;
  int next = 1;

  *help = FALSE;
  collect (usage, globals, help, all);
  for (int i = 1; i < argc; i = next)
    {
      next = i + 1;
      if (g_str_equal (argv[i], "--"))
        break;
      if (argv[i][0] == '-' && argv[i][1] != '\0' &&
          !scan_option (all, usage->command, argc, argv, i, &next, error))
        return FALSE;
    }
  for (int i = 0; i < argc; i++)
    rest[i] = g_strdup (argv[i]);
  context = context_new (all);
  if (!g_option_context_parse_strv (context, &rest, error))
    {
      if (error != NULL && *error != NULL)
        {
          (*error)->domain = CLI_ERROR;
          (*error)->code = CLI_ERROR_USAGE;
        }
      return FALSE;
    }
  *arguments = g_new0 (char *, g_strv_length (rest) + 1);
  for (guint i = 1, n = 0; rest[0] != NULL && rest[i] != NULL; i++)
    if (separator || !g_str_equal (rest[i], "--"))
      (*arguments)[n++] = g_strdup (rest[i]);
    else
      separator =
          TRUE; /* GOption leaves the first one if an argument behind it looks like an option */
  return TRUE;
}

gboolean
cli_options_count_leading (int argc, char **argv, int *count, GError **error)
{
  CliGlobals unused = { 0 };
  CliUsage usage = { .uses_server = TRUE };
  CliOption all[MAX_OPTIONS];
  gboolean help;
  int i = 1;

  collect (&usage, &unused, &help, all);
  while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0')
    {
      if (g_str_equal (argv[i], "--help") || g_str_equal (argv[i], "-h") ||
          g_str_equal (argv[i], "--version"))
        break;
      if (!scan_option (all, NULL, argc, argv, i, &i, error))
        return FALSE;
    }
  *count = i - 1;
  return TRUE;
}

static void
append_option (GString *out, const CliOption *option)
{
  g_autofree char *left = g_strdup_printf (
      "  %c%c%s --%s%s%s", option->letter != 0 ? '-' : ' ',
      option->letter != 0 ? option->letter : ' ', option->letter != 0 ? "," : " ", option->name,
      option->value != NULL ? " " : "", option->value != NULL ? option->value : "");

  g_string_append_printf (out, "%-32s %s\n", left, option->help);
}

char *
cli_options_help (const CliUsage *usage)
{
  GString *out = g_string_new (NULL);
  CliGlobals unused = { 0 };
  CliOption all[MAX_OPTIONS];
  gboolean help;
  gboolean common = FALSE;
  guint n_own = 0;

  collect (usage, &unused, &help, all);
  while (usage->options != NULL && usage->options[n_own].name != NULL)
    n_own++;
  g_string_append_printf (out, "Usage: tacho-cli %s [OPTION]... %s\n\n%s\n", usage->command,
                          usage->arguments, usage->summary);
  if (n_own > 0)
    g_string_append (out, "\nOptions:\n");
  for (guint i = 0; all[i].name != NULL; i++)
    {
      if (i >= n_own && !common)
        {
          g_string_append (out, "\nOptions of every command:\n");
          common = TRUE;
        }
      append_option (out, &all[i]);
    }
  if (usage->description != NULL)
    g_string_append_printf (out, "\n%s\n", usage->description);
  return g_string_free (out, FALSE);
}

gboolean
cli_parse_uint (const char *option,
                const char *text,
                guint64 min,
                guint64 max,
                guint64 *value,
                GError **error)
{
  if (g_ascii_string_to_unsigned (text, 10, min, max, value, NULL))
    return TRUE;
  g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
               "--%s: “%.60s” is not allowed; it takes a whole number from %" G_GUINT64_FORMAT
               " to %" G_GUINT64_FORMAT ".",
               option, text, min, max);
  return FALSE;
}

static gboolean
read_double (const char *text, const char **end, double *value)
{
  if (!g_ascii_isdigit (*text) && *text != '-' && *text != '.')
    return FALSE;
  *value = g_ascii_strtod (text, (char **) end);
  return *end != text && isfinite (*value);
}

gboolean
cli_parse_double (const char *option,
                  const char *text,
                  double min,
                  double max,
                  double *value,
                  GError **error)
{
  const char *end = NULL;

  if (read_double (text, &end, value) && *end == '\0' && *value >= min && *value <= max)
    return TRUE;
  g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
               "--%s: “%.60s” is not allowed; it takes a number from %g to %g.", option, text, min,
               max);
  return FALSE;
}

gboolean
cli_parse_seconds (const char *option,
                   const char *text,
                   double min,
                   double max,
                   double *value,
                   GError **error)
{
  const char *end = NULL;

  if (read_double (text, &end, value))
    {
      double unit = *end == '\0' || g_str_equal (end, "s") ? 1
                    : g_str_equal (end, "ms")              ? 0.001
                    : g_str_equal (end, "m")               ? 60
                    : g_str_equal (end, "h")               ? 3600
                                                           : 0;

      *value *= unit;
      if (unit > 0 && *value >= min && *value <= max)
        return TRUE;
    }
  g_set_error (
      error, CLI_ERROR, CLI_ERROR_USAGE,
      "--%s: “%.60s” is not allowed; it takes seconds from %g to %.0f, such as 30, 500ms or "
      "2m.",
      option, text, min, max);
  return FALSE;
}

gboolean
cli_parse_range (const char *option,
                 const char *text,
                 guint64 max,
                 guint *low,
                 guint *high,
                 GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ":", 3);
  guint n = g_strv_length (parts);
  guint64 a = 0, b = 0;

  if ((n == 1 || n == 2) && g_ascii_string_to_unsigned (parts[0], 10, 1, max, &a, NULL) &&
      g_ascii_string_to_unsigned (parts[n - 1], 10, 1, max, &b, NULL) && a <= b)
    {
      *low = (guint) a;
      *high = (guint) b;
      return TRUE;
    }
  g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
               "--%s: “%.60s” is not allowed; it takes a number from 1 to %" G_GUINT64_FORMAT
               ", or MIN:MAX.",
               option, text, max);
  return FALSE;
}
