/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli: finds the command and runs it. */
#define G_LOG_DOMAIN "tacho-cli"

#include "config.h"

#include "cli-commands.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  const char *name;
  CliCommandFunc run;
  const char *summary;
} Command;

static const Command commands[] = {
  { "probe", cli_probe, "Which API a server speaks, its version, its health" },
  { "models", cli_models, "List, show, load and unload models" },
  { "prompt", cli_prompt, "Send a prompt and stream the reply" },
  { "bench", cli_bench, "Measure how fast a server is under load" },
  { "sweep", cli_sweep, "The same at rising load: the knee, and the best load" },
  { "compare", cli_compare, "Did a run get better or worse, and how sure is that" },
  { "analyze", cli_analyze, "What held a run back, and what to do" },
  { "history", cli_history, "The runs that were made on this machine" },
  { "merge", cli_merge, "Put the runs of many machines together" },
  { "profiles", cli_profiles, "Keep servers under names, with their keys" },
  { "config", cli_config, "Show and set defaults, and where each comes from" },
  { "simulate", cli_simulate, "Run a simulated server for tests" },
};

static void
print_help (CliTerminal *terminal)
{
  g_autoptr (GString) text = g_string_new ("Usage: tacho-cli COMMAND [OPTION]...\n\n"
                                           "Works with LLM inference servers: which models are "
                                           "there, how well they answer, how fast.\n\n"
                                           "Commands:\n");

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    g_string_append_printf (text, "  %-10s %s\n", commands[i].name, commands[i].summary);
  g_string_append (
      text,
      "\nOptions:\n"
      "  -h, --help   Show this help; tacho-cli COMMAND --help shows a command's\n"
      "  --version    Show the version\n"
      "\nExamples:\n"
      "  tacho-cli probe --url http://127.0.0.1:8080\n"
      "  tacho-cli models --url sim:\n"
      "  tacho-cli prompt --url http://127.0.0.1:8080 --stats \"Why is the sky blue?\"\n"
      "  tacho-cli bench --url http://127.0.0.1:8080 --concurrency 8 --requests 200\n"
      "\nExit status: 0 done, 1 failed, 2 wrong usage, 3 server not reachable, 4 an assertion\n"
      "did not hold, 130 interrupted. The manual: man tacho-cli\n");
  cli_terminal_print (terminal, text->str);
}

static int
refuse_command (CliTerminal *terminal, const char *name)
{
  const char *names[G_N_ELEMENTS (commands) + 1] = { NULL };
  const char *near;

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    names[i] = commands[i].name;
  near = cli_closest (name, names);
  if (near != NULL)
    cli_terminal_error (terminal, "Unknown command “%.60s”. Did you mean “%s”?", name, near);
  else
    cli_terminal_error (terminal,
                        "Unknown command “%.60s”. See tacho-cli --help for those there are.", name);
  return CLI_EXIT_USAGE;
}

static int
run_command (CliTerminal *terminal, const Command *command, int index, int argc, char **argv)
{
  g_autoptr (CliSession) session = cli_session_new (terminal);
  g_autofree char **moved = g_new0 (char *, (gsize) argc + 1);
  int n = 0;

  /* Common options may stand before the command: they go behind it. */
  moved[n++] = argv[index];
  for (int i = 1; i < index; i++)
    moved[n++] = argv[i];
  for (int i = index + 1; i < argc; i++)
    moved[n++] = argv[i];
  return command->run (session, n, moved);
}

static int
dispatch (CliTerminal *terminal, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int leading = 0;
  int index;

  if (!cli_options_count_leading (argc, argv, &leading, &error))
    {
      cli_terminal_error (terminal, "%s", error->message);
      return CLI_EXIT_USAGE;
    }
  index = 1 + leading;
  if (index >= argc)
    {
      cli_terminal_error (terminal, "Which command? See tacho-cli --help.");
      return CLI_EXIT_USAGE;
    }
  if (g_str_equal (argv[index], "--version"))
    {
      cli_terminal_print (terminal, "tacho-cli " TACHO_VERSION "\n");
      return CLI_EXIT_OK;
    }
  if (g_str_equal (argv[index], "--help") || g_str_equal (argv[index], "-h") ||
      (g_str_equal (argv[index], "help") && index + 1 == argc))
    {
      print_help (terminal);
      return CLI_EXIT_OK;
    }
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (argv[index], commands[i].name))
      return run_command (terminal, &commands[i], index, argc, argv);
  return refuse_command (terminal, argv[index]);
}

/* A closed descriptor 0, 1 or 2 would be given to the next socket: text would go to the server. */
static void
guard_descriptors (void)
{
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl (fd, F_GETFD) < 0 && open ("/dev/null", O_RDWR) != fd)
      _exit (CLI_EXIT_FAILED);
}

int
cli_begin (CliSession *session, const CliUsage *usage, int argc, char **argv, char ***arguments)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gboolean help = FALSE;

  if (!cli_options_parse (usage, &session->globals, argc, argv, arguments, &help, &error))
    return cli_session_fail (session, error);
  if (!help)
    return -1;
  text = cli_options_help (usage);
  cli_terminal_print (session->terminal, text);
  return CLI_EXIT_OK;
}

int
main (int argc, char **argv)
{
  g_autoptr (CliTerminal) terminal = NULL;
  int status;

  guard_descriptors ();
  setlocale (LC_ALL, "");
  signal (SIGPIPE, SIG_IGN); /* a reader that went away is an errno, not a death in mid-record */
  terminal = cli_terminal_new ();
  status = dispatch (terminal, argc, argv);
  if (!cli_terminal_finish (terminal) && status == CLI_EXIT_OK)
    status = CLI_EXIT_FAILED;
  return status;
}
