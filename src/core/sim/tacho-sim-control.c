/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control over HTTP, for tests that are written in other languages: the capture, the counters, the
 * faults, and the sides that go down and up. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-http.h"

#include "base/tacho-json.h"
#include "sim/tacho-sim-json.h"
#include "sim/tacho-sim-sides.h"

#include <string.h>

#define JSON_TYPE "application/json; charset=utf-8"
#define MAX_DOWN_S 86400.0

static gboolean
is_method (TachoSimExchange *exchange, const char *method)
{
  return g_str_equal (soup_server_message_get_method (exchange->message), method);
}

static void
refuse_method (TachoSimExchange *exchange, const char *allowed)
{
  soup_message_headers_replace (soup_server_message_get_response_headers (exchange->message),
                                "Allow", allowed);
  tacho_sim_exchange_error (exchange, 405, "invalid_request_error", "allowed here: %s", allowed);
}

/* --- capture and counters --------------------------------------------------------------------- */

/* "?since=N"; FALSE: not a number. */
static gboolean
read_since (TachoSimExchange *exchange, guint64 *since)
{
  const char *query = g_uri_get_query (soup_server_message_get_uri (exchange->message));
  g_autoptr (GHashTable) members = NULL;
  const char *value;

  *since = 0;
  if (query == NULL)
    return TRUE;
  members = g_uri_parse_params (query, -1, "&", G_URI_PARAMS_WWW_FORM, NULL);
  value = members ? g_hash_table_lookup (members, "since") : NULL;
  return value == NULL || g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT64, since, NULL);
}

static void
requests (TachoSimExchange *exchange)
{
  guint64 since;

  if (is_method (exchange, "DELETE"))
    {
      g_ptr_array_unref (tacho_sim_capture_take (exchange->host->capture));
      tacho_sim_exchange_reply (exchange, 200, JSON_TYPE, g_strdup ("[]\n"));
    }
  else if (!is_method (exchange, "GET"))
    refuse_method (exchange, "GET, DELETE");
  else if (!read_since (exchange, &since))
    tacho_sim_exchange_error (exchange, 400, "invalid_request_error",
                              "since must be the number of a request");
  else
    tacho_sim_exchange_reply (exchange, 200, JSON_TYPE,
                              tacho_sim_capture_to_json (exchange->host->capture, since));
}

static void
counters (TachoSimExchange *exchange)
{
  TachoSimCounters c;

  if (!is_method (exchange, "GET"))
    {
      refuse_method (exchange, "GET");
      return;
    }
  tacho_sim_engine_get_counters (exchange->host->engine, &c);
  tacho_sim_exchange_reply (
      exchange, 200, JSON_TYPE,
      g_strdup_printf ("{\"requests\":%" G_GUINT64_FORMAT ",\"connections\":%" G_GUINT64_FORMAT
                       ",\"generations\":%" G_GUINT64_FORMAT ",\"completed\":%" G_GUINT64_FORMAT
                       ",\"aborted\":%" G_GUINT64_FORMAT ",\"output_tokens\":%" G_GUINT64_FORMAT
                       ",\"prompt_tokens\":%" G_GUINT64_FORMAT ",\"faults\":%" G_GUINT64_FORMAT
                       ",\"active\":%u,\"queued\":%u,\"max_active\":%u,\"max_in_flight\":%u}\n",
                       c.requests, c.connections, c.generations, c.completed, c.aborted,
                       c.output_tokens, c.prompt_tokens, c.faults, c.active, c.queued, c.max_active,
                       c.max_in_flight));
}

/* --- faults ----------------------------------------------------------------------------------- */

static void
reply_faults (TachoSimExchange *exchange)
{
  TachoSimHost *host = exchange->host;
  g_autofree char *list = NULL;

  g_mutex_lock (&host->fault_lock);
  list = tacho_sim_fault_set_to_json (host->faults);
  g_mutex_unlock (&host->fault_lock);
  tacho_sim_exchange_reply (exchange, 200, JSON_TYPE, g_strconcat (list, "\n", NULL));
}

static gboolean
add_spec (GPtrArray *faults, JsonNode *node, GError **error)
{
  const char *spec = node != NULL && JSON_NODE_HOLDS_VALUE (node) &&
                             json_node_get_value_type (node) == G_TYPE_STRING
                         ? json_node_get_string (node)
                         : "";
  TachoSimFault *fault = tacho_sim_fault_parse (spec, error);

  if (fault != NULL)
    g_ptr_array_add (faults, fault);
  return fault != NULL;
}

/* All of them or none: {"fault": SPEC} or {"faults": [SPEC, …]}. */
static void
add_faults (TachoSimExchange *exchange)
{
  TachoSimHost *host = exchange->host;
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  g_autoptr (GPtrArray) faults =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_sim_fault_free);
  g_autoptr (GError) error = NULL;
  JsonArray *array;
  gboolean good = TRUE;

  if (request == NULL)
    return;
  array = tacho_json_get_array (request, "faults");
  if (array == NULL)
    good = add_spec (faults, json_object_get_member (request, "fault"), &error);
  for (guint i = 0; good && array != NULL && i < json_array_get_length (array); i++)
    good = add_spec (faults, json_array_get_element (array, i), &error);
  if (!good)
    {
      tacho_sim_exchange_error (exchange, 400, "invalid_request_error", "%s", error->message);
      return;
    }
  g_mutex_lock (&host->fault_lock);
  for (guint i = 0; i < faults->len; i++)
    tacho_sim_fault_set_add (host->faults, g_ptr_array_index (faults, i));
  g_mutex_unlock (&host->fault_lock);
  reply_faults (exchange);
}

static void
faults (TachoSimExchange *exchange)
{
  TachoSimHost *host = exchange->host;

  if (is_method (exchange, "POST"))
    add_faults (exchange);
  else if (is_method (exchange, "DELETE"))
    {
      g_mutex_lock (&host->fault_lock);
      tacho_sim_fault_set_clear (host->faults);
      g_mutex_unlock (&host->fault_lock);
      reply_faults (exchange);
    }
  else if (is_method (exchange, "GET"))
    reply_faults (exchange);
  else
    refuse_method (exchange, "GET, POST, DELETE");
}

/* --- sides ------------------------------------------------------------------------------------ */

static void
reply_side (TachoSimExchange *exchange, gboolean rest_up, gboolean grpc_up)
{
  GString *json = g_string_new (NULL);

  tacho_sim_json_add (json, "{'rest':%s,'grpc':%s}\n", rest_up ? "up" : "down",
                      grpc_up ? "up" : "down");
  tacho_sim_exchange_reply_json (exchange, json);
}

/* The reply is out: now this side may go. */
static void
answered_cb (SoupServerMessage *message, gpointer user_data)
{
  TachoSimHost *host = user_data;

  tacho_sim_sides_add_step (host->sides, tacho_sim_step_new (0, TACHO_SIM_STEP_DOWN));
}

static gboolean
read_side (JsonObject *request, const char *name, int *up)
{
  const char *value = tacho_json_get_string (request, name, NULL);

  *up = g_strcmp0 (value, "up") == 0 ? 1 : g_strcmp0 (value, "down") == 0 ? 0 : -1;
  return *up >= 0 || !json_object_has_member (request, name);
}

static void
come_back (TachoSimHost *host, gboolean grpc, double after_s)
{
  TachoSimStep *step = tacho_sim_step_new (after_s, TACHO_SIM_STEP_UP);

  step->grpc = grpc;
  tacho_sim_sides_add_step (host->sides, step);
}

/* {"rest": "up"|"down", "grpc": "up"|"down", "for_s": seconds until what goes down comes back} */
static void
change_side (TachoSimExchange *exchange)
{
  TachoSimHost *host = exchange->host;
  g_autoptr (JsonNode) root = NULL;
  JsonObject *request = tacho_sim_exchange_parse_body (exchange, &root);
  int rest, grpc;
  double for_s;

  if (request == NULL)
    return;
  for_s = tacho_json_get_double (request, "for_s", 0);
  if (!read_side (request, "rest", &rest) || !read_side (request, "grpc", &grpc) ||
      (rest < 0 && grpc < 0) || !(for_s >= 0 && for_s <= MAX_DOWN_S))
    {
      tacho_sim_exchange_error (exchange, 400, "invalid_request_error",
                                "“rest” and “grpc” can be “up” or “down”, “for_s” 0 to 86400");
      return;
    }
  if (grpc >= 0)
    tacho_sim_sides_set (host->sides, TRUE, grpc == 1);
  if (grpc == 0 && for_s > 0)
    come_back (host, TRUE, for_s);
  if (rest == 0 && for_s > 0)
    come_back (host, FALSE, for_s);
  /* Who asks is a client of this side: REST goes down when it has its answer. */
  if (rest == 0)
    g_signal_connect (exchange->message, "finished", G_CALLBACK (answered_cb), host);
  reply_side (exchange, rest != 0, tacho_sim_sides_is_up (host->sides, TRUE));
}

static void
side (TachoSimExchange *exchange)
{
  if (is_method (exchange, "POST"))
    change_side (exchange);
  else if (is_method (exchange, "GET"))
    reply_side (exchange, TRUE, tacho_sim_sides_is_up (exchange->host->sides, TRUE));
  else
    refuse_method (exchange, "GET, POST");
}

/**
 * tacho_sim_control:
 * @exchange: a request whose path begins with `/__tacho/`
 *
 * Answers it. Who may ask was checked before; here a name is demanded too, so that a page in a
 * browser cannot do without one.
 */
void
tacho_sim_control (TachoSimExchange *exchange)
{
  static const struct
  {
    const char *path;
    void (*answer) (TachoSimExchange *exchange);
  } pages[] = {
    { "/__tacho/requests", requests },
    { "/__tacho/counters", counters },
    { "/__tacho/faults", faults },
    { "/__tacho/side", side },
  };
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (exchange->message);

  if (soup_message_headers_get_one (headers, "Host") == NULL)
    {
      tacho_sim_exchange_error (exchange, 403, "permission_error",
                                "control demands a Host header that names this machine");
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (pages); i++)
    if (g_str_equal (exchange->path, pages[i].path))
      {
        pages[i].answer (exchange);
        return;
      }
  tacho_sim_exchange_error (exchange, 404, "not_found_error",
                            "there are /__tacho/requests, counters, faults and side");
}
