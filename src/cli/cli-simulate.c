/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli simulate: the simulated server for other people's tests. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-commands.h"

#include "base/tacho-error.h"
#include "sim/tacho-sim-scenario.h"

#include <math.h>
#include <string.h>

typedef struct
{
  char *port, *models, *ttft, *itl, *capture, *seed;
  char *api, *grpc_port, *tls_cert, *tls_key, *tls_client_ca, *slots, *kv_cache, *rate_limit;
  char *scenario;
  char **faults, **also;
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
  g_free (o->api);
  g_free (o->grpc_port);
  g_free (o->tls_cert);
  g_free (o->tls_key);
  g_free (o->tls_client_ca);
  g_free (o->slots);
  g_free (o->scenario);
  g_free (o->kv_cache);
  g_free (o->rate_limit);
  g_strfreev (o->faults);
  g_strfreev (o->also);
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

/* FAMILY, or FAMILY:PORT. */
static gboolean
read_also (const char *text, gboolean tls, TachoSimConfig *config, GError **error)
{
  const char *colon = strchr (text, ':');
  g_autofree char *name = colon ? g_strndup (text, (gsize) (colon - text)) : g_strdup (text);
  TachoSimFront front = { .tls = tls };
  guint64 port = 0;

  if (!tacho_sim_family_from_string (name, &front.family))
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                   "--also: there is no family “%.60s”. See “tacho-cli simulate --help”.", name);
      return FALSE;
    }
  if (colon != NULL && !cli_parse_uint ("also", colon + 1, 1, 65535, &port, error))
    return FALSE;
  front.port = (guint16) port;
  tacho_sim_config_add_front (config, &front);
  return TRUE;
}

/* What is not given stays as the scenario has it. */
static void
replace (char **setting, const char *value)
{
  if (value == NULL)
    return;
  g_free (*setting);
  *setting = g_strdup (value);
}

static gboolean
read_fronts (const SimulateOptions *o, TachoSimConfig *config, GError **error)
{
  gboolean tls = o->tls_cert != NULL || o->tls_key != NULL;
  TachoSimFamily family = tacho_sim_config_get_front (config, 0)->family;
  guint64 port;

  if (tls && (o->tls_cert == NULL || o->tls_key == NULL))
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE, "--tls-cert and --tls-key belong together");
      return FALSE;
    }
  replace (&config->tls_cert, o->tls_cert);
  replace (&config->tls_key, o->tls_key);
  replace (&config->tls_client_ca, o->tls_client_ca);
  for (guint i = 0; tls && i < config->fronts->len; i++)
    tacho_sim_config_get_front (config, i)->tls = TRUE;
  for (guint i = 0; o->also != NULL && o->also[i] != NULL; i++)
    if (!read_also (o->also[i], tls, config, error))
      return FALSE;
  if (o->grpc_port == NULL)
    return TRUE;
  if (!cli_parse_uint ("grpc-port", o->grpc_port, 0, 65535, &port, error))
    return FALSE;
  if (!tacho_sim_family_has_grpc (family))
    family = TACHO_SIM_FAMILY_OIP;
  tacho_sim_config_add_front (
      config,
      &(TachoSimFront){ .family = family, .port = (guint16) port, .grpc = TRUE, .tls = tls });
  return TRUE;
}

static gboolean
read_limits (const SimulateOptions *o, TachoSimConfig *config, GError **error)
{
  guint64 number;

  if (o->slots != NULL)
    {
      if (!cli_parse_uint ("slots", o->slots, 1, 4096, &number, error))
        return FALSE;
      config->slots = (guint) number;
    }
  if (o->kv_cache != NULL)
    {
      if (!cli_parse_uint ("kv-cache", o->kv_cache, 0, 1000000000, &number, error))
        return FALSE;
      for (guint i = 0; i < config->models->len; i++)
        ((TachoSimModel *) g_ptr_array_index (config->models, i))->kv_cache_tokens = number;
    }
  return o->rate_limit == NULL || cli_parse_double ("rate-limit", o->rate_limit, 0, 1e6,
                                                    &config->requests_per_second, error);
}

static TachoSimConfig *
make_config (const SimulateOptions *o, guint16 *port, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new (o->api, &local);
  guint64 number;

  *port = 0;
  if (config == NULL)
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE, "--api: %s", local->message);
      return NULL;
    }
  if (o->scenario != NULL && !tacho_sim_scenario_load (config, o->scenario, error))
    return NULL;
  if (o->port != NULL)
    {
      if (!cli_parse_uint ("port", o->port, 0, 65535, &number, error))
        return NULL;
      *port = (guint16) number;
    }
  if (o->models != NULL)
    {
      if (!cli_parse_uint ("models", o->models, 1, 100000, &number, error))
        return NULL;
      tacho_sim_config_set_n_models (config, (guint) number);
    }
  if (o->seed != NULL && !cli_parse_uint ("seed", o->seed, 0, G_MAXINT64, &config->seed, error))
    return NULL;
  if (!read_timing (o, config, error) || !read_faults (o, config, error) ||
      !read_fronts (o, config, error) || !read_limits (o, config, error))
    return NULL;
  config->capture_path = g_strdup (o->capture);
  return g_steal_pointer (&config);
}

static void
announce_fronts (JsonBuilder *builder, TachoSimServer *server, const TachoSimConfig *config)
{
  json_builder_set_member_name (builder, "fronts");
  json_builder_begin_array (builder);
  for (guint i = 0; i < tacho_sim_server_get_n_fronts (server); i++)
    {
      json_builder_begin_object (builder);
      cli_json_string (builder, "family",
                       tacho_sim_family_to_string (tacho_sim_config_get_front (config, i)->family));
      cli_json_string (builder, "url", tacho_sim_server_get_front_url (server, i));
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

static void
announce (CliSession *session, TachoSimServer *server, const TachoSimConfig *config)
{
  const char *url = tacho_sim_server_get_url (server);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (!session->globals.json)
    {
      for (guint i = 0; i < tacho_sim_server_get_n_fronts (server); i++)
        {
          g_autofree char *line =
              g_strdup_printf ("listening on %s\n", tacho_sim_server_get_front_url (server, i));

          cli_terminal_print (session->terminal, line);
        }
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
  announce_fronts (builder, server, config);
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
    { "api", 0, "NAME", FALSE, &simulate.api,
      "Which server to be: a family, or fast, slow, flaky" },
    { "also", 0, "FAMILY", TRUE, &simulate.also,
      "One more port for this family; FAMILY:PORT names it; may be repeated" },
    { "grpc-port", 0, "P", FALSE, &simulate.grpc_port, "Speak gRPC on this port too; 0: any" },
    { "tls-cert", 0, "FILE", FALSE, &simulate.tls_cert, "Certificate (PEM): speak TLS" },
    { "tls-key", 0, "FILE", FALSE, &simulate.tls_key, "Its key (PEM)" },
    { "tls-client-ca", 0, "FILE", FALSE, &simulate.tls_client_ca,
      "Demand client certificates of this authority" },
    { "scenario", 0, "FILE", FALSE, &simulate.scenario,
      "Read models, limits, faults and a timeline from this file" },
    { "slots", 0, "N", FALSE, &simulate.slots, "Generations at a time for each model" },
    { "kv-cache", 0, "TOKENS", FALSE, &simulate.kv_cache, "KV cache of each model; 0: no limit" },
    { "rate-limit", 0, "RPS", FALSE, &simulate.rate_limit,
      "Refuse more requests a second with status 429" },
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
        "Runs a simulated server on the loopback interface until it is interrupted. Its first\n"
        "line on the standard output is the address; further ports have a line each.",
    .description =
        "Families: llamacpp (the default), openai, ollama, lmstudio, vllm, sglang, tgi,\n"
        "oip, kserve, ryzanstein; all: every one of them on one port.\n"
        "Faults: status=CODE, latency=SECONDS, slow=FACTOR, stall, drop, truncate, "
        "error, no_usage\n"
        "and many more, with :p=0..1, :after=EVENTS, :n=N or :n=A-B, :path=GLOB.\n"
        "All of them, and scenario files, are described in docs/simulate.md.\n\n"
        "Examples:\n"
        "  tacho-cli simulate --port 18080 --ttft 200 --itl 20\n"
        "  tacho-cli simulate --api vllm --also ollama:11435 --kv-cache 4096\n"
        "  tacho-cli simulate --fault 'truncate:after=5:p=0.1' --capture requests.jsonl\n"
        "  tacho-cli simulate --scenario docs/scenarios/grpc-failover.json",
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
