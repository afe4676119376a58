/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request and its reply on libsoup: four timers, cancellation that closes the socket, reads
 * that are stamped as they return, and a verdict on whether the reply is whole. */
#define G_LOG_DOMAIN "tacho"

#include "net/tacho-http-client-private.h"

#include "base/tacho-clock.h"
#include "base/tacho-error.h"

/* Reads in a row before other sources get their turn. */
#define READS_PER_TURN 32

struct _TachoHttpExchange
{
  gatomicrefcount ref_count;
  TachoHttpClient *client;
  GTask *task;
  SoupMessage *message;
  GCancellable *wire; /* what libsoup gets; cancelling it closes the socket */
  GInputStream *stream;
  TachoHttpReply *reply;
  TachoStreamFuncs funcs;
  gpointer funcs_data;
  gboolean streaming;

  GSource *timers[TACHO_HTTP_N_TIMERS];
  double limits[TACHO_HTTP_N_TIMERS];
  GSource *cancel_source;
  GSource *read_source;

  TachoHttpPhase phase;
  gboolean connected; /* this exchange opened its connection */
  gboolean counted;   /* in client->active */
  gboolean finished;
  guint in_func;      /* inside a function of the caller: the task must not return now */
  gint64 start_ns;    /* the write began */
  gint64 activity_us; /* the last byte came */
  gint64 length;      /* promised by the head, -1 unknown */
  gint64 received;
  GByteArray *body;
  GError *failure; /* our own reason, goes before libsoup's */
  char buffer[TACHO_HTTP_BUFFER_SIZE];
};

static TachoHttpExchange *
exchange_ref (TachoHttpExchange *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

static void
exchange_unref (TachoHttpExchange *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_clear_object (&self->stream);
  g_clear_object (&self->message);
  g_clear_object (&self->wire);
  g_clear_object (&self->task);
  g_clear_object (&self->client);
  g_clear_pointer (&self->reply, tacho_http_reply_free);
  g_clear_pointer (&self->body, g_byte_array_unref);
  g_clear_error (&self->failure);
  g_free (self);
}

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_source_unref (*source);
  *source = NULL;
}

static void
closed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  /* The verdict has been given; how closing went changes nothing. */
  g_input_stream_close_finish (G_INPUT_STREAM (source), result, NULL);
}

/* Ends the exchange: exactly one of *reply* and *error* is given, both are consumed. Closing the
 * stream before its end makes libsoup drop the connection; after its end the connection goes back
 * to the pool before the caller hears of it, so that its next request can use it. */
static void
exchange_finish (TachoHttpExchange *self, TachoHttpReply *reply, GError *error)
{
  if (self->finished)
    {
      g_clear_pointer (&reply, tacho_http_reply_free);
      g_clear_error (&error);
      return;
    }
  self->finished = TRUE;
  g_ptr_array_remove_fast (self->client->exchanges, self);
  if (self->counted)
    self->client->active--;
  for (guint i = 0; i < TACHO_HTTP_N_TIMERS; i++)
    clear_source (&self->timers[i]);
  clear_source (&self->cancel_source);
  clear_source (&self->read_source);
  if (self->message != NULL)
    g_signal_handlers_disconnect_by_data (self->message, self);
  if (error != NULL)
    {
      self->client->counters.failed++;
      g_cancellable_cancel (self->wire);
    }
  if (self->stream != NULL)
    g_input_stream_close_async (self->stream, G_PRIORITY_HIGH, NULL, closed_cb, NULL);
  g_clear_object (&self->stream);
  if (error != NULL)
    g_task_return_error (self->task, error);
  else
    g_task_return_pointer (self->task, reply, (GDestroyNotify) tacho_http_reply_free);
  g_clear_object (&self->task);
  exchange_unref (self); /* what it held while it ran */
}

/* From inside a libsoup signal or a function of the caller: only marks the exchange and closes the
 * socket; libsoup's own callback, or whoever called the function, then ends it. */
static void
exchange_doom (TachoHttpExchange *self, GError *error)
{
  if (self->failure == NULL)
    self->failure = error;
  else
    g_error_free (error);
  g_cancellable_cancel (self->wire);
}

static void
exchange_fail (TachoHttpExchange *self, GError *error)
{
  if (self->in_func > 0 || self->failure != NULL)
    {
      exchange_doom (self, error);
      if (self->in_func > 0)
        return;
      error = g_steal_pointer (&self->failure);
    }
  exchange_finish (self, NULL, error);
}

gpointer
tacho_http_exchange_ref (gconstpointer exchange, gpointer unused)
{
  return exchange_ref ((TachoHttpExchange *) exchange);
}

void
tacho_http_exchange_unref (gpointer exchange)
{
  exchange_unref (exchange);
}

void
tacho_http_exchange_abort (TachoHttpExchange *self)
{
  exchange_fail (self, g_error_new (TACHO_ERROR, TACHO_ERROR_CANCELLED,
                                    "The connection to %s was closed", self->client->base_url));
}

static gboolean
cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  exchange_fail (user_data, g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "Cancelled"));
  return G_SOURCE_REMOVE;
}

static GError *
timeout_error (TachoHttpExchange *self, TachoHttpTimer timer)
{
  return tacho_http_error_from_timer (timer, self->limits[timer], self->client->base_url);
}

static gboolean
connect_timer_cb (gpointer user_data)
{
  exchange_fail (user_data, timeout_error (user_data, TACHO_HTTP_TIMER_CONNECT));
  return G_SOURCE_REMOVE;
}

static gboolean
first_timer_cb (gpointer user_data)
{
  exchange_fail (user_data, timeout_error (user_data, TACHO_HTTP_TIMER_FIRST));
  return G_SOURCE_REMOVE;
}

/* Not re-armed at each read, which would cost a wake-up each: it looks when the last byte came. */
static gboolean
idle_timer_cb (gpointer user_data)
{
  TachoHttpExchange *self = user_data;
  gint64 due = self->activity_us + (gint64) (self->limits[TACHO_HTTP_TIMER_IDLE] * G_USEC_PER_SEC);

  if (g_get_monotonic_time () < due)
    {
      g_source_set_ready_time (self->timers[TACHO_HTTP_TIMER_IDLE], due);
      return G_SOURCE_CONTINUE;
    }
  exchange_fail (self, timeout_error (self, TACHO_HTTP_TIMER_IDLE));
  return G_SOURCE_REMOVE;
}

static gboolean
total_timer_cb (gpointer user_data)
{
  exchange_fail (user_data, timeout_error (user_data, TACHO_HTTP_TIMER_TOTAL));
  return G_SOURCE_REMOVE;
}

static void
arm (TachoHttpExchange *self, TachoHttpTimer timer)
{
  static const GSourceFunc callbacks[TACHO_HTTP_N_TIMERS] = { connect_timer_cb, first_timer_cb,
                                                              idle_timer_cb, total_timer_cb };

  clear_source (&self->timers[timer]);
  if (self->limits[timer] <= 0)
    return;
  self->timers[timer] =
      g_timeout_source_new ((guint) MAX (1, MIN (self->limits[timer] * 1000, G_MAXINT)));
  g_source_set_callback (self->timers[timer], callbacks[timer], self, NULL);
  g_source_attach (self->timers[timer], g_main_context_get_thread_default ());
}

static void
network_event_cb (SoupMessage *message,
                  GSocketClientEvent event,
                  GIOStream *connection,
                  TachoHttpExchange *self)
{
  if (event == G_SOCKET_CLIENT_CONNECTED && connection != NULL)
    {
      self->connected = TRUE;
      tacho_http_client_track_stream (self->client, connection);
    }
  /* Before a byte of the request, so that no key is told to a peer that is not safe. */
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKED && G_IS_TLS_CONNECTION (connection))
    {
      GError *error = tacho_http_trust_check (self->client, G_TLS_CONNECTION (connection));

      if (error != NULL)
        exchange_doom (self, error);
    }
}

static void
starting_cb (SoupMessage *message, TachoHttpExchange *self)
{
  self->start_ns = tacho_clock_now_ns ();
  if (tacho_http_client_is_old (self->client, soup_message_get_connection_id (message)))
    soup_message_headers_replace (soup_message_get_request_headers (message), "Connection",
                                  "close");
  if (!self->counted)
    {
      self->counted = TRUE;
      self->client->active++;
    }
}

static void
wrote_body_cb (SoupMessage *message, TachoHttpExchange *self)
{
  if (self->phase != TACHO_HTTP_PHASE_CONNECTING)
    return;
  self->phase = TACHO_HTTP_PHASE_WAITING;
  if (!self->connected)
    self->client->counters.reused++;
  clear_source (&self->timers[TACHO_HTTP_TIMER_CONNECT]);
  arm (self, TACHO_HTTP_TIMER_FIRST);
  if (self->funcs.sent != NULL)
    {
      self->in_func++;
      self->funcs.sent (self->start_ns, !self->connected, self->funcs_data);
      self->in_func--;
    }
}

/* libsoup resends a GET once if its reused connection turns out to be dead. */
static void
restarted_cb (SoupMessage *message, TachoHttpExchange *self)
{
  if (self->phase == TACHO_HTTP_PHASE_WAITING && !self->connected)
    self->client->counters.reused--;
  self->phase = TACHO_HTTP_PHASE_CONNECTING;
  clear_source (&self->timers[TACHO_HTTP_TIMER_FIRST]);
  arm (self, TACHO_HTTP_TIMER_CONNECT);
}

/* Runs after the head is parsed and before libsoup reads the body's length from it: the only place
 * where a bad Content-Length can still be kept from it. */
static void
status_cb (SoupMessage *message, GParamSpec *pspec, TachoHttpExchange *self)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);
  GError *error = NULL;

  if (soup_message_get_status (message) < 200)
    return;
  if (!tacho_http_check_head (headers, self->client->base_url, &self->length, &error))
    {
      soup_message_headers_clear (headers);
      exchange_doom (self, error);
    }
}

static gboolean
is_success (TachoHttpExchange *self)
{
  return self->reply->status >= 200 && self->reply->status < 300;
}

static gboolean
take_data (TachoHttpExchange *self, gsize length, gint64 now_ns, GError **error)
{
  if (self->received == 0)
    {
      clear_source (&self->timers[TACHO_HTTP_TIMER_FIRST]);
      arm (self, TACHO_HTTP_TIMER_IDLE);
    }
  self->received += (gint64) length;
  self->client->counters.bytes_received += length;
  if (self->streaming && is_success (self))
    {
      gboolean wanted;

      self->in_func++;
      wanted = self->funcs.data == NULL ||
               self->funcs.data (self->buffer, length, now_ns, self->funcs_data, error);
      self->in_func--;
      if (wanted && self->failure != NULL) /* closed or timed out while the caller was at it */
        g_propagate_error (error, g_error_copy (self->failure));
      return wanted && self->failure == NULL;
    }
  if (self->body->len + length > TACHO_HTTP_MAX_BODY)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "%s sent more than %d MiB in one answer, which is more than Tacho takes",
                   self->client->base_url, (int) (TACHO_HTTP_MAX_BODY / 1024 / 1024));
      return FALSE;
    }
  g_byte_array_append (self->body, (const guint8 *) self->buffer, (guint) length);
  return TRUE;
}

/* libsoup takes a body that is shorter than promised for whole when the server closes anyway. */
static void
take_end (TachoHttpExchange *self)
{
  guint status = self->reply->status;

  if (self->length >= 0 && self->received < self->length && status != SOUP_STATUS_NO_CONTENT &&
      status != SOUP_STATUS_NOT_MODIFIED)
    {
      exchange_fail (self, g_error_new (TACHO_ERROR, TACHO_ERROR_TRUNCATED,
                                        "%s promised %" G_GINT64_FORMAT
                                        " bytes and sent %" G_GINT64_FORMAT,
                                        self->client->base_url, self->length, self->received));
      return;
    }
  if (!(self->streaming && is_success (self)))
    {
      g_bytes_unref (self->reply->body);
      self->reply->body = g_byte_array_free_to_bytes (g_steal_pointer (&self->body));
    }
  exchange_finish (self, g_steal_pointer (&self->reply), NULL);
}

static gboolean read_ready_cb (GObject *stream, gpointer user_data);

static void
wait_for_data (TachoHttpExchange *self)
{
  clear_source (&self->read_source);
  self->read_source =
      g_pollable_input_stream_create_source (G_POLLABLE_INPUT_STREAM (self->stream), self->wire);
  g_source_set_callback (self->read_source, G_SOURCE_FUNC (read_ready_cb), self, NULL);
  g_source_attach (self->read_source, g_main_context_get_thread_default ());
}

static void
read_some (TachoHttpExchange *self)
{
  for (guint i = 0; i < READS_PER_TURN && !self->finished; i++)
    {
      g_autoptr (GError) error = NULL;
      gssize n = g_pollable_input_stream_read_nonblocking (G_POLLABLE_INPUT_STREAM (self->stream),
                                                           self->buffer, sizeof self->buffer,
                                                           self->wire, &error);
      gint64 now_ns = tacho_clock_now_ns ();

      if (n > 0)
        {
          GError *refusal = NULL;

          self->activity_us = g_get_monotonic_time ();
          if (!take_data (self, (gsize) n, now_ns, &refusal))
            exchange_fail (self, refusal);
        }
      else if (n == 0)
        {
          take_end (self);
          return;
        }
      else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        break;
      else
        {
          exchange_fail (self, tacho_http_error_from_gio (error, TACHO_HTTP_PHASE_BODY,
                                                          self->client->base_url, self->message));
          return;
        }
    }
  if (!self->finished)
    wait_for_data (self);
}

static gboolean
read_ready_cb (GObject *stream, gpointer user_data)
{
  TachoHttpExchange *self = exchange_ref (user_data);

  read_some (self);
  exchange_unref (self);
  return G_SOURCE_REMOVE;
}

static void
begin_body (TachoHttpExchange *self)
{
  GError *error = NULL;

  self->phase = TACHO_HTTP_PHASE_BODY;
  self->activity_us = g_get_monotonic_time ();
  self->reply = tacho_http_message_get_reply (self->message);
  if (!self->streaming || !is_success (self))
    {
      if (self->length > (gint64) TACHO_HTTP_MAX_BODY)
        {
          exchange_fail (self, g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                                            "%s announces an answer of %" G_GINT64_FORMAT
                                            " bytes, which is more than Tacho takes",
                                            self->client->base_url, self->length));
          return;
        }
      self->body = g_byte_array_new ();
    }
  else if (self->funcs.head != NULL)
    {
      gboolean wanted;

      self->in_func++;
      wanted = self->funcs.head (self->reply, self->funcs_data, &error);
      self->in_func--;
      if (!wanted || self->failure != NULL)
        {
          exchange_fail (self, !wanted ? error : g_steal_pointer (&self->failure));
          return;
        }
    }
  read_some (self);
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TachoHttpExchange *self = user_data;
  g_autoptr (GError) error = NULL;
  GInputStream *stream = soup_session_send_finish (SOUP_SESSION (source), result, &error);

  if (self->finished)
    {
      /* Cancelled or timed out meanwhile: an unread stream is closed, and its connection with
       * it. */
      if (stream != NULL)
        g_input_stream_close_async (stream, G_PRIORITY_HIGH, NULL, closed_cb, NULL);
      g_clear_object (&stream);
    }
  else
    {
      self->stream = stream;
      if (stream == NULL)
        exchange_fail (self, tacho_http_error_from_gio (error, self->phase, self->client->base_url,
                                                        self->message));
      else if (self->failure != NULL)
        exchange_finish (self, NULL, g_steal_pointer (&self->failure));
      else
        begin_body (self);
    }
  exchange_unref (self);
}

static void
watch_message (TachoHttpExchange *self)
{
  g_signal_connect (self->message, "network-event", G_CALLBACK (network_event_cb), self);
  g_signal_connect (self->message, "starting", G_CALLBACK (starting_cb), self);
  g_signal_connect (self->message, "wrote-body", G_CALLBACK (wrote_body_cb), self);
  g_signal_connect (self->message, "restarted", G_CALLBACK (restarted_cb), self);
  g_signal_connect (self->message, "notify::status-code", G_CALLBACK (status_cb), self);
}

/* A call with a short limit of its own (a probe's 10 s) uses at most half of it to connect. */
static double
connect_limit (TachoHttpClient *client, double timeout_total)
{
  if (timeout_total > 0 && timeout_total != client->timeout_total &&
      (client->timeout_connect <= 0 || client->timeout_connect > timeout_total / 2))
    return timeout_total / 2;
  return client->timeout_connect;
}

/**
 * tacho_http_exchange_run:
 * @client: where to
 * @request: what
 * @funcs: (nullable): for a streamed reply; %NULL collects the body
 * @funcs_data: for @funcs
 * @timeout_total: seconds, 0: none
 * @task: a task on @client, returned exactly once with a `TachoHttpReply`
 *
 * Runs one exchange to its end.
 */
void
tacho_http_exchange_run (TachoHttpClient *client,
                         const TachoHttpRequest *request,
                         const TachoStreamFuncs *funcs,
                         gpointer funcs_data,
                         double timeout_total,
                         GTask *task)
{
  GCancellable *cancellable = g_task_get_cancellable (task);
  g_autoptr (SoupMessage) message = NULL;
  TachoHttpExchange *self;
  GError *error = NULL;

  g_task_set_check_cancellable (task, FALSE);
  client->counters.requests++;
  if (client->closed || g_cancellable_is_cancelled (cancellable))
    error = client->closed ? g_error_new (TACHO_ERROR, TACHO_ERROR_CANCELLED,
                                          "The connection to %s was closed", client->base_url)
                           : g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "Cancelled");
  else
    message = tacho_http_message_new (client, request, &error);
  if (message == NULL)
    {
      client->counters.failed++;
      g_task_return_error (task, error);
      return;
    }

  self = g_new (TachoHttpExchange, 1);
  memset (self, 0, G_STRUCT_OFFSET (TachoHttpExchange, buffer));
  g_atomic_ref_count_init (&self->ref_count); /* until exchange_finish */
  self->client = g_object_ref (client);
  self->task = g_object_ref (task);
  self->message = g_steal_pointer (&message);
  self->wire = g_cancellable_new ();
  self->length = -1;
  if (funcs != NULL)
    {
      self->streaming = TRUE;
      self->funcs = *funcs;
      self->funcs_data = funcs_data;
    }
  self->limits[TACHO_HTTP_TIMER_CONNECT] = connect_limit (client, timeout_total);
  self->limits[TACHO_HTTP_TIMER_FIRST] = request->patient ? 0 : client->timeout_first;
  self->limits[TACHO_HTTP_TIMER_IDLE] = client->timeout_idle;
  self->limits[TACHO_HTTP_TIMER_TOTAL] = timeout_total;
  g_ptr_array_add (client->exchanges, self);
  if (cancellable != NULL)
    {
      self->cancel_source = g_cancellable_source_new (cancellable);
      g_source_set_priority (self->cancel_source, G_PRIORITY_HIGH);
      g_source_set_callback (self->cancel_source, G_SOURCE_FUNC (cancelled_cb), self, NULL);
      g_source_attach (self->cancel_source, g_main_context_get_thread_default ());
    }
  arm (self, TACHO_HTTP_TIMER_CONNECT);
  arm (self, TACHO_HTTP_TIMER_TOTAL);
  watch_message (self);
  soup_session_send_async (client->session, self->message, G_PRIORITY_DEFAULT, self->wire, sent_cb,
                           exchange_ref (self));
}
