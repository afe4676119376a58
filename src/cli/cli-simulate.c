/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli simulate: the simulated server for other people's tests. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-commands.h"

#include "base/tacho-error.h"

#include <math.h>
#include <string.h>

typedef struct
{
  char *port, *models, *ttft, *itl, *capture, *seed;
  char **faults;
} SimulateOptions;

static void
simulate_options_clear (SimulateOptions *o)
{
  g_free (o->port);
  g_free (o->models);
  g_free (o->ttft);
  g_free (o->itl);
  g_free (o->capture);
  g_free (o->seed);
  g_strfreev (o->faults);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SimulateOptions, simulate_options_clear)

static gboolean
read_timing (const SimulateOptions *o, TachoSimConfig *config, GError **error)
{
  double ttft = NAN, itl = NAN;

  if (o->ttft != NULL && !cli_parse_double ("ttft", o->ttft, 0, 3600000, &ttft, error))
    return FALSE;
  if (o->itl != NULL && !cli_parse_double ("itl", o->itl, 0, 3600000, &itl, error))
    return FALSE;
  if (!isnan (ttft) || !isnan (itl))
    tacho_sim_config_set_timing (config, ttft, itl);
  return TRUE;
}

static gboolean
read_faults (const SimulateOptions *o, TachoSimConfig *config, GError **error)
{
  for (guint i = 0; o->faults != NULL && o->faults[i] != NULL; i++)
    {
      TachoSimFault *fault = tacho_sim_fault_parse (o->faults[i], error);

      if (fault == NULL)
        {
          g_prefix_error (error, "--fault: ");
          return FALSE;
        }
      g_ptr_array_add (config->faults, fault);
    }
  return TRUE;
}

static TachoSimConfig *
make_config (const SimulateOptions *o, guint16 *port, GError **error)
{
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new (NULL, error);
  guint64 number;

  *port = 0;
  if (config == NULL)
    return NULL;
  if (o->port != NULL)
    {
      if (!cli_parse_uint ("port", o->port, 0, 65535, &number, error))
        return NULL;
      *port = (guint16) number;
    }
  if (o->models != NULL)
    {
      if (!cli_parse_uint ("models", o->models, 1, 1000, &number, error))
        return NULL;
      tacho_sim_config_set_n_models (config, (guint) number);
    }
  if (o->seed != NULL && !cli_parse_uint ("seed", o->seed, 0, G_MAXINT64, &config->seed, error))
    return NULL;
  if (!read_timing (o, config, error) || !read_faults (o, config, error))
    return NULL;
  config->capture_path = g_strdup (o->capture);
  return g_steal_pointer (&config);
}

static void
announce (CliSession *session, TachoSimServer *server, const TachoSimConfig *config)
{
  const char *url = tacho_sim_server_get_url (server);
  g_autofree char *line = g_strdup_printf ("listening on %s\n", url);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (!session->globals.json)
    {
      cli_terminal_print (session->terminal, line);
      return;
    }
  json_builder_begin_object (builder);
  cli_json_string (builder, "schema", "tacho.simulate/1");
  cli_json_string (builder, "url", url);
  cli_json_count (builder, "port", g_ascii_strtoll (strrchr (url, ':') + 1, NULL, 10), -1);
  json_builder_set_member_name (builder, "models");
  json_builder_begin_array (builder);
  for (guint i = 0; i < config->models->len; i++)
    json_builder_add_string_value (builder,
                                   ((TachoSimModel *) g_ptr_array_index (config->models, i))->id);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  {
    g_autoptr (JsonNode) root = json_builder_get_root (builder);
    g_autofree char *text = json_to_string (root, FALSE); /* one line: a script reads one line */
    g_autofree char *whole = g_strconcat (text, "\n", NULL);

    cli_terminal_print (session->terminal, whole);
  }
}

static void
print_counters (CliSession *session, TachoSimServer *server)
{
  TachoSimCounters c;

  tacho_sim_server_get_counters (server, &c);
  cli_terminal_say (session->terminal,
                    "%" G_GUINT64_FORMAT " requests on %" G_GUINT64_FORMAT " connections; "
                    "%" G_GUINT64_FORMAT " generations: %" G_GUINT64_FORMAT
                    " completed, %" G_GUINT64_FORMAT " aborted; %" G_GUINT64_FORMAT
                    " output tokens, %" G_GUINT64_FORMAT " prompt tokens; %" G_GUINT64_FORMAT
                    " faults played; at most %u in flight",
                    c.requests, c.connections, c.generations, c.completed, c.aborted,
                    c.output_tokens, c.prompt_tokens, c.faults, c.max_in_flight);
}

static int
run_simulate (CliSession *session, const TachoSimConfig *config, guint16 port)
{
  g_autoptr (TachoSimServer) server = tacho_sim_server_new (config);
  g_autoptr (GError) error = NULL;

  if (!tacho_sim_server_start (server, port, &error))
    {
      cli_terminal_error (session->terminal, "%s", error->message);
      return CLI_EXIT_FAILED;
    }
  announce (session, server, config);
  cli_terminal_say (session->terminal, "Simulated server; end it with Ctrl-C.");
  while (session->interrupts == 0)
    g_main_context_iteration (NULL, TRUE);
  tacho_sim_server_stop (server);
  print_counters (session, server);
  return CLI_EXIT_OK;
}

int
cli_simulate (CliSession *session, int argc, char **argv)
{
  g_auto (SimulateOptions) simulate = { NULL };
  const CliOption options[] = {
    { "port", 0, "P", FALSE, &simulate.port, "Listen on this port of 127.0.0.1 (any free one)" },
    { "models", 0, "N", FALSE, &simulate.models, "Offer so many models" },
    { "ttft", 0, "MS", FALSE, &simulate.ttft, "Time to the first token of every model" },
    { "itl", 0, "MS", FALSE, &simulate.itl, "Time between tokens of every model" },
    { "fault", 0, "SPEC", TRUE, &simulate.faults,
      "What goes wrong: status=503:p=0.1, drop:after=3; may be repeated" },
    { "capture", 0, "FILE", FALSE, &simulate.capture, "Write a JSON line for each request" },
    { "seed", 0, "N", FALSE, &simulate.seed, "Seed of text, jitter and faults" },
    { NULL },
  };
  const CliUsage usage = {
    .command = "simulate",
    .arguments = "",
    .summary =
        "Runs a simulated server (OpenAI and llama.cpp routes) on the loopback interface until\n"
        "it is interrupted. Its first line on the standard output is the address.",
    .description = "Faults: status=CODE, latency=SECONDS, slow=FACTOR, stall, drop, truncate, "
                   "error, no_usage;\n"
                   "with :p=0..1, :after=EVENTS, :n=N or :n=A-B, :path=GLOB.\n\n"
                   "Examples:\n"
                   "  tacho-cli simulate --port 18080 --ttft 200 --itl 20\n"
                   "  tacho-cli simulate --fault 'truncate:after=5:p=0.1' --capture requests.jsonl",
    .options = options,
  };
  g_autoptr (TachoSimConfig) config = NULL;
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;
  guint16 port;
  int status = cli_begin (session, &usage, argc, argv, &words);

  if (status >= 0)
    return status;
  if (words[0] != NULL)
    {
      cli_terminal_error (session->terminal, "simulate takes no arguments, but was given “%.60s”.",
                          words[0]);
      return CLI_EXIT_USAGE;
    }
  config = make_config (&simulate, &port, &error);
  if (config == NULL)
    return cli_session_fail (session, error);
  return run_simulate (session, config, port);
}
