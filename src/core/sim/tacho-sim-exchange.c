/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An exchange of the simulated server: whole replies, streams, faults, the client's going away.
 *
 * libsoup does not look at a connection while its message is paused, so each exchange that is not
 * answered at once watches the socket itself: the end of the client frees the slot at once. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-http.h"

#include "api/tacho-http-message.h"
#include "base/tacho-json.h"
#include "sim/tacho-sim-text.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define END_CONDITIONS (POLLHUP | POLLERR | POLLRDHUP)
#define JSON_TYPE "application/json; charset=utf-8"

/* --- the client's going away ------------------------------------------------------------------ */

static void
count_aborted (TachoSimExchange *exchange)
{
  exchange->aborted = TRUE;
  if (exchange->generation != NULL)
    TACHO_SIM_COUNT (exchange->host->engine, aborted, 1);
}

static void
clear_source (GSource **source)
{
  if (*source != NULL)
    {
      g_source_destroy (*source);
      g_clear_pointer (source, g_source_unref);
    }
}

static void
cancel_generation (TachoSimExchange *exchange)
{
  gpointer generation = g_steal_pointer (&exchange->generation);

  if (generation != NULL)
    exchange->generation_cancel (generation);
  if (exchange->job != NULL)
    exchange->job_free (g_steal_pointer (&exchange->job));
}

/* libsoup lets go of the message when its next write fails. */
static void
hang_up (TachoSimExchange *exchange, gboolean reset)
{
  GSocket *socket = soup_server_message_get_socket (exchange->message);
  SoupMessageBody *body = soup_server_message_get_response_body (exchange->message);

  clear_source (&exchange->watch);
  exchange->ended = TRUE;
  if (socket != NULL && reset)
    {
      struct sockaddr nobody = { .sa_family = AF_UNSPEC };

      /* Dissolving the association makes Linux send an RST. */
      if (connect (g_socket_get_fd (socket), &nobody, sizeof nobody) < 0)
        g_socket_shutdown (socket, TRUE, TRUE, NULL);
    }
  else if (socket != NULL)
    g_socket_shutdown (socket, TRUE, TRUE, NULL);
  if (!exchange->head_sent)
    soup_server_message_set_status (exchange->message, SOUP_STATUS_OK, NULL);
  soup_message_body_append (body, SOUP_MEMORY_STATIC, " ", 1);
  soup_message_body_complete (body);
  soup_server_message_unpause (exchange->message);
}

static void
client_left (TachoSimExchange *exchange)
{
  tacho_sim_exchange_record (exchange, 0);
  if (!exchange->ended || exchange->stalled)
    count_aborted (exchange);
  cancel_generation (exchange);
  hang_up (exchange, FALSE);
}

static void finished_cb (SoupServerMessage *message, gpointer user_data);
static gboolean watch_cb (GSocket *socket, GIOCondition condition, gpointer user_data);

static void
watch_client (TachoSimExchange *exchange, GIOCondition condition)
{
  GSocket *socket = soup_server_message_get_socket (exchange->message);

  clear_source (&exchange->watch);
  if (socket == NULL)
    return;
  exchange->watch = g_socket_create_source (socket, condition | G_IO_HUP | G_IO_ERR, NULL);
  g_source_set_callback (exchange->watch, G_SOURCE_FUNC (watch_cb), exchange, NULL);
  g_source_attach (exchange->watch, exchange->host->context);
}

static gboolean
watch_cb (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  TachoSimExchange *exchange = user_data;
  char byte;
  gssize n = recv (g_socket_get_fd (socket), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

  if (n > 0 && !(condition & END_CONDITIONS))
    {
      /* The next request, or a TLS record, is here already: look only for the end now. */
      watch_client (exchange, (GIOCondition) POLLRDHUP);
      return G_SOURCE_REMOVE;
    }
  if (n < 0 && (errno == EAGAIN || errno == EINTR) && !(condition & END_CONDITIONS))
    return G_SOURCE_CONTINUE;
  client_left (exchange);
  return G_SOURCE_REMOVE;
}

/* --- a reply by hand -------------------------------------------------------------------------- */

static void
wire_gone_cb (gpointer user_data)
{
  TachoSimExchange *exchange = user_data;

  if (!exchange->ended || !tacho_sim_wire_is_done (exchange->wire))
    count_aborted (exchange);
  g_queue_remove (&exchange->host->exchanges, exchange);
  tacho_sim_exchange_free (exchange);
}

/* TRUE: what is wrong with this reply is in its bytes, and *exchange* has the connection now. */
static gboolean
take_wire (TachoSimExchange *exchange)
{
  const TachoSimPlay *play = &exchange->play;
  TachoSimWirePlan plan = { 0 };

  if (exchange->wire != NULL)
    return TRUE;
  if (play->wire == NULL || soup_server_message_get_socket (exchange->message) == NULL)
    return FALSE;
  plan = (TachoSimWirePlan){
    .name = play->wire->name,
    .word = play->wire->word,
    .number = play->wire->number,
    .after_events = play->wire->after_events,
    .after_bytes = play->wire->after_bytes,
    .bandwidth = play->bandwidth,
    .slice_bytes = play->slice_bytes,
    .slice_ms = play->slice_ms,
    .id = play->id,
  };
  clear_source (&exchange->watch);
  g_signal_handlers_disconnect_by_func (exchange->message, finished_cb, exchange);
  exchange->wire = tacho_sim_wire_new (exchange->message, exchange->host->context, &plan,
                                       wire_gone_cb, exchange);
  return TRUE;
}

/* --- replies ---------------------------------------------------------------------------------- */

static void
begin_head (TachoSimExchange *exchange, guint status)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (exchange->message);

  tacho_sim_exchange_record (exchange, status);
  exchange->head_sent = TRUE;
  soup_server_message_set_status (exchange->message, status, NULL);
  if (exchange->play.id != NULL)
    soup_message_headers_replace (headers, "X-Tacho-Fault", exchange->play.id);
}

/* TRUE: the fault took the place of the reply. */
static gboolean
play_on_reply (TachoSimExchange *exchange, const char *type, const char *body)
{
  SoupMessageBody *response = soup_server_message_get_response_body (exchange->message);
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (exchange->message);

  if (!exchange->play.has_stream_fault)
    return FALSE;
  if (exchange->play.stream_fault == TACHO_SIM_FAULT_STALL)
    tacho_sim_exchange_record (exchange, 0); /* until the client leaves */
  else if (exchange->play.stream_fault == TACHO_SIM_FAULT_DROP)
    {
      tacho_sim_exchange_record (exchange, 0);
      hang_up (exchange, TRUE);
    }
  else if (exchange->play.stream_fault == TACHO_SIM_FAULT_TRUNCATE)
    {
      begin_head (exchange, SOUP_STATUS_OK);
      soup_message_headers_set_content_type (headers, type, NULL);
      soup_message_headers_set_encoding (headers, SOUP_ENCODING_CHUNKED);
      soup_message_body_append (response, SOUP_MEMORY_COPY, body, strlen (body) / 2);
      soup_message_body_complete (response);
      exchange->ended = TRUE;
      soup_server_message_unpause (exchange->message);
    }
  else
    {
      exchange->play.has_stream_fault = FALSE;
      tacho_sim_exchange_error (exchange, 500, "server_error", "simulated error");
    }
  return TRUE;
}

/**
 * tacho_sim_exchange_reply:
 * @exchange: the exchange
 * @status: HTTP status
 * @type: content type
 * @body: (transfer full): the whole body
 */
void
tacho_sim_exchange_reply (TachoSimExchange *exchange, guint status, const char *type, char *body)
{
  g_autofree char *owned = body;

  if (exchange->ended)
    return;
  if (take_wire (exchange))
    {
      tacho_sim_exchange_record (exchange, status);
      exchange->ended = TRUE;
      tacho_sim_wire_reply (exchange->wire, status, type, owned);
      return;
    }
  if (play_on_reply (exchange, type, body))
    return;
  begin_head (exchange, status);
  exchange->ended = TRUE;
  clear_source (&exchange->watch);
  soup_server_message_set_response (exchange->message, type, SOUP_MEMORY_COPY, owned,
                                    strlen (owned));
  soup_server_message_unpause (exchange->message);
}

/**
 * tacho_sim_exchange_error:
 * @exchange: the exchange
 * @status: HTTP status
 * @type: llama.cpp's error type
 * @format: printf format of the message
 * @...: its arguments
 */
void
tacho_sim_exchange_error (TachoSimExchange *exchange,
                          guint status,
                          const char *type,
                          const char *format,
                          ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if ((status == 429 || status == 503) && isnan (exchange->play.retry_after_s))
    {
      g_autofree char *seconds = g_strdup_printf ("%u", MAX (exchange->retry_after_s, 1));

      soup_message_headers_replace (soup_server_message_get_response_headers (exchange->message),
                                    "Retry-After", seconds);
    }
  tacho_sim_exchange_reply (
      exchange, status, JSON_TYPE,
      tacho_sim_error_body (exchange->family, exchange->path, status, type, message));
}

/**
 * tacho_sim_exchange_begin_stream:
 * @exchange: the exchange
 * @type: content type
 *
 * Sends the head of a stream.
 */
void
tacho_sim_exchange_begin_stream (TachoSimExchange *exchange, const char *type)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (exchange->message);
  SoupMessageBody *body = soup_server_message_get_response_body (exchange->message);

  if (exchange->ended)
    return;
  if (take_wire (exchange))
    {
      tacho_sim_exchange_record (exchange, SOUP_STATUS_OK);
      exchange->head_sent = TRUE;
      tacho_sim_wire_head (exchange->wire, SOUP_STATUS_OK, type, -1);
      return;
    }
  if (exchange->play.has_stream_fault && exchange->play.stream_fault == TACHO_SIM_FAULT_DROP &&
      exchange->play.after_events == 0)
    {
      tacho_sim_exchange_record (exchange, 0);
      hang_up (exchange, TRUE);
      return;
    }
  begin_head (exchange, SOUP_STATUS_OK);
  soup_message_headers_set_content_type (headers, type, NULL);
  soup_message_headers_replace (headers, "Cache-Control", "no-cache");
  soup_message_headers_set_encoding (headers, SOUP_ENCODING_CHUNKED);
  soup_message_body_set_accumulate (body, FALSE);
  soup_server_message_unpause (exchange->message);
}

static gboolean
drop_cb (gpointer user_data)
{
  TachoSimExchange *exchange = user_data;

  hang_up (exchange, TRUE);
  return G_SOURCE_REMOVE;
}

static void
cut_stream (TachoSimExchange *exchange)
{
  SoupMessageBody *body = soup_server_message_get_response_body (exchange->message);
  g_autofree char *event = NULL;

  exchange->ended = TRUE;
  switch (exchange->play.stream_fault)
    {
    case TACHO_SIM_FAULT_STALL:
      exchange->stalled = TRUE;
      return;
    case TACHO_SIM_FAULT_DROP:
      /* After what was handed over is on the wire: libsoup writes from an idle of higher rank. */
      clear_source (&exchange->delay);
      exchange->delay = g_idle_source_new ();
      g_source_set_priority (exchange->delay, G_PRIORITY_LOW);
      g_source_set_callback (exchange->delay, drop_cb, exchange, NULL);
      g_source_attach (exchange->delay, exchange->host->context);
      return;
    case TACHO_SIM_FAULT_ERROR:
      event = tacho_sim_error_event (exchange, "simulated error");
      soup_message_body_append (body, SOUP_MEMORY_COPY, event, strlen (event));
      break;
    default: /* truncate */
      break;
    }
  soup_message_body_complete (body);
  soup_server_message_unpause (exchange->message);
}

/**
 * tacho_sim_exchange_send:
 * @exchange: an exchange whose stream has begun
 * @text: one event, with what ends it
 *
 * Sends it, unless it is a fault's turn.
 *
 * Returns: whether the stream goes on
 */
TachoSimSend
tacho_sim_exchange_send (TachoSimExchange *exchange, const char *text)
{
  SoupMessageBody *body = soup_server_message_get_response_body (exchange->message);

  if (exchange->ended)
    return TACHO_SIM_CUT;
  if (exchange->wire != NULL)
    {
      if (tacho_sim_wire_send (exchange->wire, text, strlen (text)))
        return TACHO_SIM_SENT;
      exchange->ended = TRUE;
      return TACHO_SIM_CUT;
    }
  if (exchange->play.has_stream_fault && exchange->n_events >= exchange->play.after_events)
    {
      cut_stream (exchange);
      return TACHO_SIM_CUT;
    }
  exchange->n_events++;
  soup_message_body_append (body, SOUP_MEMORY_COPY, text, strlen (text));
  soup_server_message_unpause (exchange->message);
  return TACHO_SIM_SENT;
}

/**
 * tacho_sim_exchange_send_event:
 * @exchange: an exchange whose stream has begun
 * @data: one line
 *
 * Sends it as an SSE event, unless it is a fault's turn.
 *
 * Returns: whether the stream goes on
 */
TachoSimSend
tacho_sim_exchange_send_event (TachoSimExchange *exchange, const char *data)
{
  g_autofree char *event = g_strconcat ("data: ", data, "\n\n", NULL);

  return tacho_sim_exchange_send (exchange, event);
}

/**
 * tacho_sim_exchange_end_stream:
 * @exchange: an exchange whose stream has begun
 */
void
tacho_sim_exchange_end_stream (TachoSimExchange *exchange)
{
  if (exchange->ended)
    return;
  exchange->ended = TRUE;
  if (exchange->wire != NULL)
    {
      tacho_sim_wire_end (exchange->wire);
      return;
    }
  clear_source (&exchange->watch);
  soup_message_body_complete (soup_server_message_get_response_body (exchange->message));
  soup_server_message_unpause (exchange->message);
}

/**
 * tacho_sim_exchange_parse_body:
 * @exchange: the exchange
 * @root: (out) (transfer full): owns the result
 *
 * Returns: (transfer none) (nullable): the JSON object of the request; %NULL after a 400
 */
JsonObject *
tacho_sim_exchange_parse_body (TachoSimExchange *exchange, JsonNode **root)
{
  g_autoptr (GBytes) bytes =
      soup_message_body_flatten (soup_server_message_get_request_body (exchange->message));
  g_autoptr (GError) error = NULL;
  gsize size = 0;
  const char *data = g_bytes_get_data (bytes, &size);

  *root = tacho_json_parse_object (data ? data : "", size, &error);
  if (*root == NULL)
    {
      tacho_sim_exchange_error (exchange, 400, "invalid_request_error",
                                "the request is not a JSON object: %s", error->message);
      return NULL;
    }
  return json_node_get_object (*root);
}

static void
finished_cb (SoupServerMessage *message, gpointer user_data)
{
  TachoSimExchange *exchange = user_data;

  if (!exchange->ended || exchange->stalled)
    count_aborted (exchange);
  g_queue_remove (&exchange->host->exchanges, exchange);
  tacho_sim_exchange_free (exchange);
}

/**
 * tacho_sim_exchange_free:
 * @exchange: (transfer full): an exchange that is not in the host's list any more
 */
void
tacho_sim_exchange_free (TachoSimExchange *exchange)
{
  exchange->ended = TRUE;
  clear_source (&exchange->watch);
  clear_source (&exchange->delay);
  cancel_generation (exchange);
  tacho_sim_exchange_close_record (exchange);
  g_signal_handlers_disconnect_by_data (exchange->message, exchange);
  g_clear_pointer (&exchange->wire, tacho_sim_wire_free);
  tacho_sim_play_clear (&exchange->play);
  g_object_unref (exchange->message);
  g_free (exchange->path);
  g_free (exchange->query_model);
  g_free (exchange);
}

/**
 * tacho_sim_exchange_new:
 * @host: the host, which gets the exchange into its list
 * @family: of the front
 * @message: a request that was read
 * @path: of its URL
 * @query_model: (nullable): the query's `model`
 *
 * The exchange frees itself when libsoup is done with the message.
 *
 * Returns: (transfer none): a paused exchange
 */
TachoSimExchange *
tacho_sim_exchange_new (TachoSimHost *host,
                        TachoSimFamily family,
                        SoupServerMessage *message,
                        const char *path,
                        const char *query_model)
{
  TachoSimExchange *exchange = g_new0 (TachoSimExchange, 1);
  struct timespec now;

  exchange->host = host;
  exchange->family = family;
  exchange->message = g_object_ref (message);
  exchange->path = g_strdup (path);
  exchange->query_model = g_strdup (query_model);
  clock_gettime (CLOCK_MONOTONIC, &now);
  exchange->time_ns = (gint64) now.tv_sec * 1000000000 + now.tv_nsec;
  tacho_sim_play_init (&exchange->play);
  g_queue_push_tail (&host->exchanges, exchange);
  g_signal_connect (message, "finished", G_CALLBACK (finished_cb), exchange);
  g_signal_connect (message, "wrote-headers", G_CALLBACK (tacho_sim_exchange_wrote_headers_cb),
                    exchange);
  soup_server_message_pause (message);
  return exchange;
}

/**
 * tacho_sim_exchange_wait:
 * @exchange: an exchange that was not answered at once
 *
 * Watches for the end of the client.
 */
void
tacho_sim_exchange_wait (TachoSimExchange *exchange)
{
  if (!exchange->ended && exchange->wire == NULL)
    watch_client (exchange, G_IO_IN);
}

/**
 * tacho_sim_exchange_drop:
 * @exchange: an exchange
 *
 * Resets the connection before the head.
 */
void
tacho_sim_exchange_drop (TachoSimExchange *exchange)
{
  tacho_sim_exchange_record (exchange, 0);
  hang_up (exchange, TRUE);
}
