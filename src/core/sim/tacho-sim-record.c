/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an exchange tells the capture: when its status is decided, and when it is over. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-http.h"

#include "api/tacho-http-message.h"

#include <time.h>

static void
copy_header_cb (const char *name, const char *value, gpointer user_data)
{
  g_autofree char *valid = g_utf8_make_valid (value, -1);

  tacho_headers_add (user_data, name, valid);
}

static gint64
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * 1000000000 + now.tv_nsec;
}

/**
 * tacho_sim_exchange_wrote_headers_cb: (skip)
 * @message: the message
 * @user_data: its exchange
 */
void
tacho_sim_exchange_wrote_headers_cb (SoupServerMessage *message, gpointer user_data)
{
  TachoSimExchange *exchange = user_data;

  if (exchange->record != NULL && exchange->record->first_byte_ns == 0)
    exchange->record->first_byte_ns = now_ns ();
}

/**
 * tacho_sim_exchange_close_record: (skip)
 * @exchange: an exchange whose reply is over, one way or the other
 *
 * Tells the capture how it ended.
 */
void
tacho_sim_exchange_close_record (TachoSimExchange *exchange)
{
  TachoSimRequest *request = exchange->record;

  if (request == NULL)
    return;
  request->n_events = exchange->n_events;
  request->last_byte_ns = now_ns ();
  if (exchange->wire != NULL)
    tacho_sim_wire_get_record (exchange->wire, &request->first_byte_ns, &request->last_byte_ns,
                               &request->n_events);
  request->aborted = exchange->aborted;
  request->generation = exchange->n_generation;
  tacho_sim_capture_close (exchange->host->capture, request);
  g_clear_pointer (&exchange->record, tacho_sim_request_free);
}

/**
 * tacho_sim_exchange_record: (skip)
 * @exchange: an exchange
 * @status: of its reply; 0: no head is sent
 *
 * Puts the request into the capture, unless it is there.
 */
void
tacho_sim_exchange_record (TachoSimExchange *exchange, guint status)
{
  TachoSimRequest *request;
  SoupMessageBody *body = soup_server_message_get_request_body (exchange->message);
  g_autofree char *path = g_utf8_make_valid (exchange->path, -1);
  const char *query = g_uri_get_query (soup_server_message_get_uri (exchange->message));
  g_autoptr (GBytes) bytes = NULL;
  gsize size = 0;
  const char *data;

  if (exchange->recorded)
    return;
  exchange->recorded = TRUE;
  bytes = soup_message_body_flatten (body);
  data = g_bytes_get_data (bytes, &size);
  request = g_new0 (TachoSimRequest, 1);
  request->number = exchange->number;
  request->method = g_utf8_make_valid (soup_server_message_get_method (exchange->message), -1);
  request->path = query ? g_strconcat (path, "?", query, NULL) : g_strdup (path);
  request->headers = tacho_headers_new ();
  soup_message_headers_foreach (soup_server_message_get_request_headers (exchange->message),
                                copy_header_cb, request->headers);
  request->body =
      g_utf8_make_valid (data ? data : "", (gssize) MIN (size, TACHO_SIM_CAPTURE_MAX_BODY));
  request->time_ns = exchange->time_ns;
  request->status = status;
  request->fault = g_strdup (exchange->play.id);
  if (exchange->play.n_faults > 0)
    TACHO_SIM_COUNT (exchange->host->engine, faults, exchange->play.n_faults);
  request->generation = exchange->n_generation;
  tacho_sim_capture_open (exchange->host->capture, request);
  exchange->record = request;
}
