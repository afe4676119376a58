/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server tells of its own work: its metrics, where it has some that are understood. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-status.h"

#include <math.h>

#define TOTAL_S 5.0

/* A server that does not show its metrics is no worse for it: nothing is said. */
static gboolean
fetch (CliSession *session, TachoServerMetrics *metrics)
{
  TachoApi *api = tacho_client_manager_get_api (session->manager);
  g_autoptr (TachoHttpRequest) request = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (TachoHttpReply) reply = NULL;

  if (!tacho_api_supports (api, TACHO_OP_METRICS))
    return FALSE;
  request = tacho_api_build (api, TACHO_OP_METRICS, NULL, NULL);
  if (request == NULL)
    return FALSE; /* a router has those of its models only */
  tacho_client_manager_send_async (session->manager, request, TOTAL_S, session->cancellable,
                                   cli_session_ready_cb, session);
  result = cli_session_wait (session);
  reply = tacho_client_manager_send_finish (session->manager, result, NULL);
  return reply != NULL && tacho_api_parse_metrics (api, reply, metrics, NULL);
}

void
cli_status_add_json (CliSession *session, JsonBuilder *builder)
{
  TachoServerMetrics metrics;

  json_builder_set_member_name (builder, "status");
  if (!fetch (session, &metrics))
    {
      json_builder_add_null_value (builder);
      return;
    }
  json_builder_begin_object (builder);
  cli_json_double (builder, "running", metrics.requests_running);
  cli_json_double (builder, "waiting", metrics.requests_waiting);
  cli_json_double (builder, "kv_cache_usage", metrics.kv_cache_usage);
  cli_json_double (builder, "gpu_memory_used", metrics.gpu_memory_used);
  cli_json_double (builder, "gpu_memory_total", metrics.gpu_memory_total);
  cli_json_double (builder, "gpu_utilization", metrics.gpu_utilization);
  cli_json_double (builder, "prompt_tokens_total", metrics.prompt_tokens_total);
  cli_json_double (builder, "output_tokens_total", metrics.output_tokens_total);
  cli_json_double (builder, "prefix_cache_queries_total", metrics.prefix_cache_queries_total);
  cli_json_double (builder, "prefix_cache_hits_total", metrics.prefix_cache_hits_total);
  cli_json_double (builder, "preemptions_total", metrics.preemptions_total);
  cli_json_double (builder, "queue_seconds_total", metrics.queue_seconds_total);
  cli_json_double (builder, "slots", metrics.slots);
  json_builder_end_object (builder);
}

static void
add (GString *text, const char *before, double value, const char *after)
{
  if (!isnan (value))
    g_string_append_printf (text, "%s%s%.0f%s", text->len > 0 ? ", " : "", before, value, after);
}

char *
cli_status_describe (CliSession *session)
{
  g_autoptr (GString) text = g_string_new (NULL);
  TachoServerMetrics metrics;

  if (!fetch (session, &metrics))
    return NULL;
  add (text, "", metrics.requests_running, " running");
  add (text, "", metrics.requests_waiting, " waiting");
  add (text, "KV cache ", metrics.kv_cache_usage * 100, " % full");
  add (text, "GPU ", metrics.gpu_utilization * 100, " % busy");
  add (text, "", metrics.output_tokens_total, " tokens generated");
  return text->len > 0 ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}
