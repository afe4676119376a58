/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How each side of a server is, and what an answer took. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-endpoints.h"

#include <math.h>

#include "base/tacho-clock.h"
#include "base/tacho-error.h"

#define WATCH_S 1

static void
add_counters (JsonBuilder *builder, TachoEndpoint *endpoint)
{
  TachoTransportCounters counters;

  tacho_endpoint_get_counters (endpoint, &counters);
  json_builder_set_member_name (builder, "pool");
  json_builder_begin_object (builder);
  cli_json_count (builder, "requests", (gint64) counters.requests, -1);
  cli_json_count (builder, "open", counters.open, -1);
  cli_json_count (builder, "idle", counters.idle, -1);
  cli_json_count (builder, "created", (gint64) counters.created, -1);
  cli_json_count (builder, "reused", (gint64) counters.reused, -1);
  cli_json_count (builder, "failed", (gint64) counters.failed, -1);
  json_builder_end_object (builder);
}

static void
add_endpoint (JsonBuilder *builder, TachoEndpoint *endpoint)
{
  TachoApi *api = tacho_endpoint_get_api (endpoint);
  const GError *error = tacho_endpoint_get_last_error (endpoint);
  const char *const *evidence = tacho_endpoint_get_evidence (endpoint);

  json_builder_begin_object (builder);
  cli_json_string (builder, "protocol",
                   tacho_protocol_to_string (tacho_endpoint_get_protocol (endpoint)));
  cli_json_string (builder, "target", tacho_endpoint_get_target (endpoint));
  cli_json_string (builder, "state",
                   tacho_endpoint_state_to_string (tacho_endpoint_get_state (endpoint)));
  json_builder_set_member_name (builder, "serving");
  json_builder_add_boolean_value (builder, tacho_endpoint_get_serving (endpoint));
  cli_json_string (builder, "api", api != NULL ? tacho_api_get_family (api) : NULL);
  cli_json_string (builder, "version", tacho_endpoint_get_version (endpoint));
  cli_json_double (builder, "latency_ms", tacho_endpoint_get_latency_ms (endpoint));
  cli_json_string (builder, "breaker",
                   tacho_breaker_state_to_string (tacho_endpoint_get_breaker_state (endpoint)));
  cli_json_double (builder, "retry_in_s", tacho_endpoint_get_retry_in_s (endpoint));
  cli_json_string (builder, "last_error", error != NULL ? error->message : NULL);
  add_counters (builder, endpoint);
  json_builder_set_member_name (builder, "evidence");
  json_builder_begin_array (builder);
  for (guint i = 0; evidence[i] != NULL; i++)
    json_builder_add_string_value (builder, evidence[i]);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

void
cli_endpoints_add_json (JsonBuilder *builder, TachoClientManager *manager)
{
  GListModel *endpoints = tacho_client_manager_get_endpoints (manager);

  json_builder_set_member_name (builder, "endpoints");
  json_builder_begin_array (builder);
  for (guint i = 0; i < g_list_model_get_n_items (endpoints); i++)
    {
      g_autoptr (TachoEndpoint) endpoint = g_list_model_get_item (endpoints, i);

      add_endpoint (builder, endpoint);
    }
  json_builder_end_array (builder);
}

char *
cli_endpoint_describe (TachoEndpoint *endpoint)
{
  GString *line = g_string_new (NULL);
  TachoApi *api = tacho_endpoint_get_api (endpoint);
  const GError *error = tacho_endpoint_get_last_error (endpoint);
  const char *target = tacho_endpoint_get_target (endpoint);
  double latency = tacho_endpoint_get_latency_ms (endpoint);
  double wait_s = tacho_endpoint_get_retry_in_s (endpoint);

  g_string_append_printf (line, "%s %s: %s%s",
                          tacho_endpoint_get_protocol (endpoint) == TACHO_PROTOCOL_GRPC ? "gRPC"
                                                                                        : "REST",
                          target != NULL ? target : "(no address)",
                          tacho_endpoint_state_to_string (tacho_endpoint_get_state (endpoint)),
                          tacho_endpoint_get_serving (endpoint) ? ", serves" : "");
  if (api != NULL)
    g_string_append_printf (line, ", %s", tacho_api_get_family (api));
  if (!isnan (latency))
    g_string_append_printf (line, ", %.1f ms", latency);
  if (wait_s > 0)
    g_string_append_printf (line, ", tried again in %.0f s", ceil (wait_s));
  if (error != NULL)
    g_string_append_printf (line, ": %s", error->message);
  return g_string_free (line, FALSE);
}

/* --- attempts --- */

static double
attempt_ms (const TachoAttempt *attempt)
{
  return attempt->start_ns != 0 && attempt->end_ns != 0
             ? (double) (attempt->end_ns - attempt->start_ns) / TACHO_NS_PER_MS
             : NAN;
}

void
cli_attempts_add_json (JsonBuilder *builder, TachoGeneration *generation)
{
  GPtrArray *attempts = tacho_generation_get_attempts (generation);

  json_builder_set_member_name (builder, "attempts");
  json_builder_begin_array (builder);
  for (guint i = 0; i < attempts->len; i++)
    {
      const TachoAttempt *attempt = g_ptr_array_index (attempts, i);

      json_builder_begin_object (builder);
      cli_json_string (builder, "protocol", tacho_protocol_to_string (attempt->protocol));
      cli_json_string (builder, "target", attempt->target);
      cli_json_string (builder, "stage", tacho_stage_to_string (attempt->stage));
      cli_json_count (builder, "http_status", attempt->http_status, 0);
      cli_json_string (builder, "error",
                       attempt->error_code > 0 && attempt->error_code < TACHO_ERROR_N_CLASSES
                           ? tacho_error_class ((TachoErrorCode) attempt->error_code)
                           : NULL);
      cli_json_string (builder, "message", attempt->error);
      cli_json_string (builder, "decision", attempt->decision);
      cli_json_double (builder, "wait_s", attempt->wait_s);
      cli_json_double (builder, "duration_ms", attempt_ms (attempt));
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

void
cli_attempts_say (CliSession *session, TachoGeneration *generation)
{
  GPtrArray *attempts = tacho_generation_get_attempts (generation);

  for (guint i = 0; attempts->len > 1 && i < attempts->len; i++)
    {
      const TachoAttempt *attempt = g_ptr_array_index (attempts, i);

      cli_terminal_say (session->terminal, "attempt %u on %s %s: %s%s%s", i + 1,
                        attempt->protocol == TACHO_PROTOCOL_GRPC ? "gRPC" : "REST", attempt->target,
                        attempt->error != NULL ? attempt->error : "answered",
                        attempt->decision != NULL ? "; " : "",
                        attempt->decision != NULL ? attempt->decision : "");
    }
}

/* --- watch --- */

static void
print_change (CliSession *session)
{
  TachoClientManager *manager = session->manager;
  GListModel *endpoints = tacho_client_manager_get_endpoints (manager);
  const char *state = tacho_connection_state_to_string (tacho_client_manager_get_state (manager));
  const char *reason = tacho_client_manager_get_reason (manager);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *time = g_date_time_format (now, "%H:%M:%S");

  if (session->globals.json)
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();

      json_builder_begin_object (builder);
      cli_json_string (builder, "schema", "tacho.watch/1");
      cli_json_string (builder, "time", time);
      cli_json_string (builder, "state", state);
      cli_json_string (builder, "reason", reason);
      cli_endpoints_add_json (builder, manager);
      json_builder_end_object (builder);
      cli_session_print_json_line (session, builder);
      return;
    }
  {
    g_autoptr (GString) text = g_string_new (NULL);

    g_string_append_printf (text, "%s %s%s%s\n", time, state, reason != NULL ? ": " : "",
                            reason != NULL ? reason : "");
    for (guint i = 0; i < g_list_model_get_n_items (endpoints); i++)
      {
        g_autoptr (TachoEndpoint) endpoint = g_list_model_get_item (endpoints, i);
        g_autofree char *line = cli_endpoint_describe (endpoint);

        g_string_append_printf (text, "         %s\n", line);
      }
    cli_terminal_print (session->terminal, text->str);
  }
}

/* What a line is printed for: not the latency, which never rests. */
static char *
fingerprint (TachoClientManager *manager)
{
  GListModel *endpoints = tacho_client_manager_get_endpoints (manager);
  GString *text =
      g_string_new (tacho_connection_state_to_string (tacho_client_manager_get_state (manager)));

  for (guint i = 0; i < g_list_model_get_n_items (endpoints); i++)
    {
      g_autoptr (TachoEndpoint) endpoint = g_list_model_get_item (endpoints, i);
      TachoApi *api = tacho_endpoint_get_api (endpoint);

      g_string_append_printf (
          text, "|%s %d %s %s",
          tacho_endpoint_state_to_string (tacho_endpoint_get_state (endpoint)),
          tacho_endpoint_get_serving (endpoint), api != NULL ? tacho_api_get_family (api) : "",
          tacho_breaker_state_to_string (tacho_endpoint_get_breaker_state (endpoint)));
    }
  return g_string_free (text, FALSE);
}

int
cli_endpoints_watch (CliSession *session)
{
  g_autofree char *last = NULL;

  tacho_client_manager_probe_async (session->manager, NULL, NULL, NULL);
  tacho_client_manager_watch (session->manager, WATCH_S);
  while (session->interrupts == 0 && !cli_terminal_is_broken (session->terminal))
    {
      g_autofree char *now = fingerprint (session->manager);
      TachoConnectionState state = tacho_client_manager_get_state (session->manager);

      if (g_strcmp0 (now, last) != 0 && state != TACHO_CONNECTION_DISCONNECTED &&
          state != TACHO_CONNECTION_PROBING)
        {
          print_change (session);
          g_free (last);
          last = g_steal_pointer (&now);
        }
      g_main_context_iteration (NULL, TRUE);
    }
  tacho_client_manager_watch (session->manager, 0);
  return CLI_EXIT_INTERRUPTED;
}
