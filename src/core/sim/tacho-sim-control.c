/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The routes below /__tacho/: what was asked, what was counted, and what goes wrong from now on. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-http.h"

#include "base/tacho-json.h"
#include "sim/tacho-sim-json.h"
#include "sim/tacho-sim-sides.h"
#include "sim/tacho-sim-text.h"

#define TYPE "application/json; charset=utf-8"

static void
reply_counters (TachoSimExchange *exchange)
{
  TachoSimCounters c;

  tacho_sim_engine_get_counters (exchange->host->engine, &c);
  tacho_sim_exchange_reply (
      exchange, 200, TYPE,
      g_strdup_printf ("{\"requests\":%" G_GUINT64_FORMAT ",\"connections\":%" G_GUINT64_FORMAT
                       ",\"generations\":%" G_GUINT64_FORMAT ",\"completed\":%" G_GUINT64_FORMAT
                       ",\"aborted\":%" G_GUINT64_FORMAT ",\"output_tokens\":%" G_GUINT64_FORMAT
                       ",\"prompt_tokens\":%" G_GUINT64_FORMAT ",\"faults\":%" G_GUINT64_FORMAT
                       ",\"active\":%u,\"queued\":%u,\"max_active\":%u,\"max_in_flight\":%u}\n",
                       c.requests, c.connections, c.generations, c.completed, c.aborted,
                       c.output_tokens, c.prompt_tokens, c.faults, c.active, c.queued, c.max_active,
                       c.max_in_flight));
}

static void
reply_requests (TachoSimExchange *exchange)
{
  const char *query = g_uri_get_query (soup_server_message_get_uri (exchange->message));
  g_autoptr (GHashTable) values =
      query != NULL ? g_uri_parse_params (query, -1, "&", G_URI_PARAMS_NONE, NULL) : NULL;
  const char *since = values != NULL ? g_hash_table_lookup (values, "since") : NULL;

  tacho_sim_exchange_reply (
      exchange, 200, TYPE,
      tacho_sim_capture_to_json (exchange->host->capture,
                                 since != NULL ? g_ascii_strtoull (since, NULL, 10) : 0));
}

/* --- faults ----------------------------------------------------------------------------------- */

static void
reply_faults (TachoSimExchange *exchange)
{
  TachoSimHost *host = exchange->host;
  g_auto (GStrv) specs = NULL;
  GString *json = g_string_new ("{\"faults\":[");

  g_mutex_lock (&host->fault_lock);
  specs = tacho_sim_fault_set_list (host->faults);
  g_mutex_unlock (&host->fault_lock);
  for (guint i = 0; specs[i] != NULL; i++)
    {
      if (i > 0)
        g_string_append_c (json, ',');
      tacho_sim_json_quote (json, specs[i]);
    }
  g_string_append (json, "]}\n");
  tacho_sim_exchange_reply (exchange, 200, TYPE, g_string_free (json, FALSE));
}

static void
change_faults (TachoSimExchange *exchange, gboolean add)
{
  TachoSimHost *host = exchange->host;
  g_autoptr (TachoSimFault) fault = NULL;

  if (add)
    {
      g_autoptr (JsonNode) root = NULL;
      g_autoptr (GError) error = NULL;
      JsonObject *object = tacho_sim_exchange_parse_body (exchange, &root);
      const char *spec;

      if (object == NULL)
        return;
      spec = tacho_json_get_string (object, "fault", "");
      fault = tacho_sim_fault_parse (spec, &error);
      if (fault == NULL)
        {
          tacho_sim_exchange_error (exchange, 400, "invalid_request_error", "%s", error->message);
          return;
        }
    }
  g_mutex_lock (&host->fault_lock);
  if (add)
    tacho_sim_fault_set_add (host->faults, fault);
  else
    tacho_sim_fault_set_clear (host->faults);
  g_mutex_unlock (&host->fault_lock);
  reply_faults (exchange);
}

/* --- sides ------------------------------------------------------------------------------------ */

typedef struct
{
  TachoSimHost *host;
  gboolean grpc, up;
} SideChange;

static gboolean
side_cb (gpointer user_data)
{
  SideChange *change = user_data;

  tacho_sim_sides_set (change->host->sides, change->grpc, change->up);
  return G_SOURCE_REMOVE;
}

/* The reply goes out first: the side that is taken down may be the one that was asked. */
static void
change_later (TachoSimHost *host, gboolean grpc, gboolean up)
{
  g_autoptr (GSource) source = g_timeout_source_new (20);
  SideChange *change = g_new (SideChange, 1);

  *change = (SideChange){ host, grpc, up };
  g_source_set_callback (source, side_cb, change, g_free);
  g_source_attach (source, host->context);
}

static void
set_sides (TachoSimExchange *exchange)
{
  static const char *const names[] = { "rest", "grpc" };
  g_autoptr (JsonNode) root = NULL;
  JsonObject *object = tacho_sim_exchange_parse_body (exchange, &root);

  if (object == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const char *wanted = tacho_json_get_string (object, names[i], NULL);

      if (wanted == NULL)
        continue;
      if (!g_str_equal (wanted, "up") && !g_str_equal (wanted, "down"))
        {
          tacho_sim_exchange_error (exchange, 400, "invalid_request_error",
                                    "“%s” must be \"up\" or \"down\"", names[i]);
          return;
        }
      change_later (exchange->host, i == 1, g_str_equal (wanted, "up"));
    }
  tacho_sim_exchange_reply (exchange, 200, TYPE, g_strdup ("{\"success\":true}\n"));
}

/**
 * tacho_sim_control_route: (skip)
 * @exchange: the exchange
 *
 * Returns: whether it was answered here
 */
gboolean
tacho_sim_control_route (TachoSimExchange *exchange)
{
  if (g_str_equal (exchange->path, "/__tacho/requests"))
    reply_requests (exchange);
  else if (g_str_equal (exchange->path, "/__tacho/counters"))
    reply_counters (exchange);
  else if (tacho_sim_exchange_is (exchange, "GET", "/__tacho/faults"))
    reply_faults (exchange);
  else if (tacho_sim_exchange_is (exchange, "POST", "/__tacho/faults"))
    change_faults (exchange, TRUE);
  else if (tacho_sim_exchange_is (exchange, "DELETE", "/__tacho/faults"))
    change_faults (exchange, FALSE);
  else if (tacho_sim_exchange_is (exchange, "POST", "/__tacho/side"))
    set_sides (exchange);
  else
    return FALSE;
  return TRUE;
}
