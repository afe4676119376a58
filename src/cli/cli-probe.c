/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli probe: which API, version, endpoint, health, capabilities. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-commands.h"
#include "cli-endpoints.h"
#include "cli-local.h"
#include "cli-status.h"

#include "base/tacho-error.h"

#include <math.h>

static const TachoOperation operations[] = {
  TACHO_OP_HEALTH,       TACHO_OP_LIST_MODELS,  TACHO_OP_SHOW_MODEL, TACHO_OP_LOAD_MODEL,
  TACHO_OP_UNLOAD_MODEL, TACHO_OP_SLOTS,        TACHO_OP_METRICS,    TACHO_OP_TOKENIZE,
  TACHO_OP_PULL_MODEL,   TACHO_OP_DELETE_MODEL, TACHO_OP_CHAT,       TACHO_OP_COMPLETION,
};

static const char *
health_name (TachoHealth health)
{
  switch (health)
    {
    case TACHO_HEALTH_OK:
      return "ok";
    case TACHO_HEALTH_LOADING:
      return "loading";
    case TACHO_HEALTH_UNHEALTHY:
    default:
      return "unhealthy";
    }
}

static void
print_json (CliSession *session)
{
  TachoClientManager *manager = session->manager;
  TachoApi *api = tacho_client_manager_get_api (manager);
  const char *const *evidence = tacho_client_manager_get_evidence (manager);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  cli_json_string (builder, "schema", "tacho.probe/1");
  cli_json_string (builder, "url", tacho_profile_get_url (session->profile));
  cli_json_string (builder, "endpoint", tacho_profile_get_endpoint (session->profile));
  cli_json_string (builder, "api", tacho_api_get_family (api));
  cli_json_string (builder, "description", tacho_client_manager_get_description (manager));
  cli_json_string (builder, "version", tacho_client_manager_get_version (manager));
  cli_json_string (builder, "health", health_name (tacho_client_manager_get_health (manager)));
  cli_json_double (builder, "latency_ms", tacho_client_manager_get_latency_ms (manager));
  cli_json_string (builder, "state",
                   tacho_connection_state_to_string (tacho_client_manager_get_state (manager)));
  cli_json_string (builder, "reason", tacho_client_manager_get_reason (manager));
  cli_endpoints_add_json (builder, manager);
  cli_status_add_json (session, builder);
  json_builder_set_member_name (builder, "simulated");
  json_builder_add_boolean_value (builder, tacho_client_manager_get_simulated (manager));
  json_builder_set_member_name (builder, "capabilities");
  json_builder_begin_array (builder);
  for (guint i = 0; i < G_N_ELEMENTS (operations); i++)
    if (tacho_api_supports (api, operations[i]))
      json_builder_add_string_value (builder, tacho_operation_to_string (operations[i]));
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "evidence");
  json_builder_begin_array (builder);
  for (guint i = 0; evidence != NULL && evidence[i] != NULL; i++)
    json_builder_add_string_value (builder, evidence[i]);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  cli_session_print_json (session, builder);
}

static void
add_row (GPtrArray *rows, const char *name, const char *value)
{
  const char *cells[] = { name, value, NULL };

  if (value != NULL)
    g_ptr_array_add (rows, g_strdupv ((char **) cells));
}

static void
print_text (CliSession *session)
{
  TachoClientManager *manager = session->manager;
  TachoApi *api = tacho_client_manager_get_api (manager);
  const char *const *evidence = tacho_client_manager_get_evidence (manager);
  double latency = tacho_client_manager_get_latency_ms (manager);
  GListModel *endpoints = tacho_client_manager_get_endpoints (manager);
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_autoptr (GString) can = g_string_new (NULL);
  g_autofree char *latency_text = g_strdup_printf ("%.1f ms", latency);
  g_autofree char *status = cli_status_describe (session);
  g_autofree char *table = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (operations); i++)
    if (tacho_api_supports (api, operations[i]))
      g_string_append_printf (can, "%s%s", can->len > 0 ? ", " : "",
                              tacho_operation_to_string (operations[i]));
  add_row (rows, "URL", tacho_profile_get_url (session->profile));
  if (g_list_model_get_n_items (endpoints) == 1)
    add_row (rows, "Endpoint",
             tacho_endpoint_get_target (tacho_client_manager_get_serving (manager)));
  for (guint i = 0;
       g_list_model_get_n_items (endpoints) > 1 && i < g_list_model_get_n_items (endpoints); i++)
    {
      g_autoptr (TachoEndpoint) endpoint = g_list_model_get_item (endpoints, i);
      g_autofree char *line = cli_endpoint_describe (endpoint);

      add_row (rows, i == 0 ? "Endpoints" : "", line);
    }
  add_row (rows, "API", tacho_api_get_family (api));
  add_row (rows, "Server", tacho_client_manager_get_description (manager));
  add_row (rows, "Version", tacho_client_manager_get_version (manager));
  add_row (rows, "Health", health_name (tacho_client_manager_get_health (manager)));
  add_row (rows, "Load", status);
  add_row (rows, "Latency", isnan (latency) ? NULL : latency_text);
  add_row (rows, "Simulated",
           tacho_client_manager_get_simulated (manager) ? "yes: no model answers here" : "no");
  add_row (rows, "Can", can->str);
  for (guint i = 0; evidence != NULL && evidence[i] != NULL; i++)
    add_row (rows, i == 0 ? "Seen" : "", evidence[i]);
  table = cli_table_format (rows);
  cli_terminal_print (session->terminal, table);
}

int
cli_probe (CliSession *session, int argc, char **argv)
{
  gboolean watch = FALSE, local = FALSE;
  const CliOption options[] = {
    { "local", 'l', NULL, FALSE, &local, "Look for servers on the usual ports of this computer" },
    { "watch", 'w', NULL, FALSE, &watch, "Go on: print the state at each change, until Ctrl-C" },
    { NULL },
  };
  const CliUsage usage = {
    .command = "probe",
    .arguments = "",
    .summary = "Finds out which API a server speaks, its version, its health and what it can do.",
    .description = "Examples:\n"
                   "  tacho-cli probe --url http://127.0.0.1:8080\n"
                   "  tacho-cli probe --url sim: --json\n"
                   "  tacho-cli probe --local\n"
                   "  tacho-cli probe --url http://127.0.0.1:8000 --grpc 127.0.0.1:8001 --watch",
    .options = options,
    .uses_server = TRUE,
  };
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GError) error = NULL;
  int status = cli_begin (session, &usage, argc, argv, &arguments);

  if (status >= 0)
    return status;
  if (arguments[0] != NULL)
    {
      cli_terminal_error (session->terminal,
                          "probe takes no arguments, but was given “%.60s”. The server goes into "
                          "--url.",
                          arguments[0]);
      return CLI_EXIT_USAGE;
    }
  if (local)
    return cli_local (session);
  if (watch && !cli_session_open (session, &error))
    return cli_session_fail (session, error);
  if (watch)
    return cli_endpoints_watch (session);
  if (!cli_session_connect (session, &error))
    return cli_session_fail (session, error);
  if (session->globals.json)
    print_json (session);
  else
    print_text (session);
  return CLI_EXIT_OK;
}
