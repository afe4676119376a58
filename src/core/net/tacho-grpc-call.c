/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One call: one message out, messages in until the status. Four timers, cancellation that resets
 * the stream, a new read only when the last message was delivered. */
#define G_LOG_DOMAIN "tacho-net"

#include "net/tacho-grpc-call-private.h"

#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "stream/tacho-grpc-frame.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/alloc.h>
#include <string.h>

static TachoGrpcCall *
call_ref (TachoGrpcCall *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/* May run on the queue's thread, but only after the end, when no object is held any more. */
static void
call_unref (TachoGrpcCall *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  if (self->incoming != NULL)
    grpc_byte_buffer_destroy (self->incoming);
  grpc_metadata_array_destroy (&self->initial);
  grpc_metadata_array_destroy (&self->trailing);
  grpc_slice_unref (self->details);
  gpr_free ((gpointer) self->debug);
  if (self->call != NULL)
    grpc_call_unref (self->call);
  g_array_unref (self->metadata);
  g_main_context_unref (self->context);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_byte_array_unref (self->frame);
  g_clear_error (&self->failure);
  g_free (self);
  tacho_grpc_queue_release ();
}

gpointer
tacho_grpc_call_ref (gconstpointer call, gpointer unused)
{
  return call_ref ((TachoGrpcCall *) call);
}

void
tacho_grpc_call_unref (gpointer call)
{
  call_unref (call);
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

/* Ends the call: exactly one of *reply* and *error* is given, both are consumed. */
static void
call_finish (TachoGrpcCall *self, TachoHttpReply *reply, GError *error)
{
  g_autoptr (TachoGrpcClient) client = NULL;
  g_autoptr (GTask) task = NULL;

  self->finished = TRUE;
  client = g_steal_pointer (&self->client);
  task = g_steal_pointer (&self->task);
  g_ptr_array_remove_fast (client->calls, self);
  for (guint i = 0; i < TACHO_GRPC_N_TIMERS; i++)
    clear_source (&self->timers[i]);
  clear_source (&self->cancel_source);
  if (!self->status_known)
    grpc_call_cancel (self->call, NULL);
  if (error != NULL)
    {
      client->counters.failed++;
      g_task_return_error (task, error);
    }
  else
    g_task_return_pointer (task, reply, (GDestroyNotify) tacho_http_reply_free);
  call_unref (self); /* what it held while it ran */
}

static void
call_fail (TachoGrpcCall *self, GError *error)
{
  if (self->finished || (self->in_func > 0 && self->failure != NULL))
    {
      g_error_free (error);
      return;
    }
  if (self->in_func > 0)
    {
      self->failure = error;
      grpc_call_cancel (self->call, NULL);
      return;
    }
  call_finish (self, NULL, error);
}

void
tacho_grpc_call_abort (TachoGrpcCall *self)
{
  call_fail (self, g_error_new (TACHO_ERROR, TACHO_ERROR_CANCELLED,
                                "The connection to %s was closed", self->client->target));
}

static gboolean
cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  call_fail (user_data, g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "Cancelled"));
  return G_SOURCE_REMOVE;
}

static void
fail_by_timer (TachoGrpcCall *self, TachoGrpcTimer timer)
{
  call_fail (self, tacho_grpc_error_from_timer (timer, self->limits[timer], self->client->target));
}

/* Connected, but the head waits: the server takes no more streams at once than it does. */
static gboolean
connect_timer_cb (gpointer user_data)
{
  TachoGrpcCall *self = user_data;

  if (self->client->link != NULL &&
      tacho_grpc_link_get_state (self->client->link) == GRPC_CHANNEL_READY)
    {
      clear_source (&self->timers[TACHO_GRPC_TIMER_CONNECT]);
      tacho_grpc_call_arm (self, TACHO_GRPC_TIMER_FIRST);
    }
  else
    fail_by_timer (self, TACHO_GRPC_TIMER_CONNECT);
  return G_SOURCE_REMOVE;
}

static gboolean
first_timer_cb (gpointer user_data)
{
  fail_by_timer (user_data, TACHO_GRPC_TIMER_FIRST);
  return G_SOURCE_REMOVE;
}

static gboolean
idle_timer_cb (gpointer user_data)
{
  TachoGrpcCall *self = user_data;
  gint64 due = self->activity_us + (gint64) (self->limits[TACHO_GRPC_TIMER_IDLE] * G_USEC_PER_SEC);

  if (g_get_monotonic_time () < due)
    {
      g_source_set_ready_time (self->timers[TACHO_GRPC_TIMER_IDLE], due);
      return G_SOURCE_CONTINUE;
    }
  fail_by_timer (self, TACHO_GRPC_TIMER_IDLE);
  return G_SOURCE_REMOVE;
}

static gboolean
total_timer_cb (gpointer user_data)
{
  fail_by_timer (user_data, TACHO_GRPC_TIMER_TOTAL);
  return G_SOURCE_REMOVE;
}

/**
 * tacho_grpc_call_arm:
 * @self: a call
 * @timer: which
 *
 * Starts a timer, anew if it runs.
 */
void
tacho_grpc_call_arm (TachoGrpcCall *self, TachoGrpcTimer timer)
{
  static const GSourceFunc callbacks[TACHO_GRPC_N_TIMERS] = { connect_timer_cb, first_timer_cb,
                                                              idle_timer_cb, total_timer_cb };

  clear_source (&self->timers[timer]);
  if (self->limits[timer] <= 0)
    return;
  self->timers[timer] =
      g_timeout_source_new ((guint) MAX (1, MIN (self->limits[timer] * 1000, G_MAXINT)));
  g_source_set_callback (self->timers[timer], callbacks[timer], self, NULL);
  g_source_attach (self->timers[timer], self->context);
}

/**
 * tacho_grpc_call_start_batch:
 * @self: a call
 * @ops: what to do; copied
 * @n_ops: how many
 * @kind: the event that ends it
 *
 * After this the queue owes one event, which holds a reference.
 *
 * Returns: %FALSE if the core refused, which ended the call
 */
gboolean
tacho_grpc_call_start_batch (TachoGrpcCall *self,
                             const grpc_op *ops,
                             gsize n_ops,
                             TachoGrpcEventKind kind)
{
  grpc_call_error code;

  call_ref (self);
  code = grpc_call_start_batch (self->call, ops, n_ops, &self->events[kind].tag, NULL);
  if (code == GRPC_CALL_OK)
    return TRUE;
  call_unref (self);
  call_fail (self,
             g_error_new (TACHO_ERROR, TACHO_ERROR_INVALID, "The call to %s cannot be made: %s",
                          self->client->target, grpc_call_error_to_string (code)));
  return FALSE;
}

/**
 * tacho_grpc_call_start_read:
 * @self: a call
 * @first: whether to read the server's initial metadata too
 *
 * Asks for the next message.
 *
 * Returns: %FALSE if the core refused, which ended the call
 */
gboolean
tacho_grpc_call_start_read (TachoGrpcCall *self, gboolean first)
{
  grpc_op ops[2] = { { .op = GRPC_OP_RECV_MESSAGE }, { .op = GRPC_OP_RECV_INITIAL_METADATA } };

  ops[0].data.recv_message.recv_message = &self->incoming;
  ops[1].data.recv_initial_metadata.recv_initial_metadata = &self->initial;
  self->reading = TRUE;
  return tacho_grpc_call_start_batch (self, ops, first ? 2 : 1, TACHO_GRPC_EVENT_MESSAGE);
}

static gboolean
call_func_head (TachoGrpcCall *self, GError **error)
{
  g_autoptr (TachoHttpReply) head = NULL;
  gboolean wanted;

  if (self->funcs.head == NULL)
    return TRUE;
  head = tacho_http_reply_new (200, NULL);
  tacho_grpc_metadata_read (&self->initial, head);
  wanted = self->funcs.head (head, self->funcs_data, error);
  return wanted && self->failure == NULL;
}

/* Copies the message behind its five bytes of frame. */
static void
read_frame (TachoGrpcCall *self)
{
  grpc_byte_buffer_reader reader;
  grpc_slice *slice;
  guint8 header[TACHO_GRPC_FRAME_HEADER];

  g_byte_array_set_size (self->frame, 0);
  tacho_grpc_frame_write_header (header, (guint32) grpc_byte_buffer_length (self->incoming));
  g_byte_array_append (self->frame, header, sizeof header);
  if (grpc_byte_buffer_reader_init (&reader, self->incoming))
    {
      while (grpc_byte_buffer_reader_peek (&reader, &slice))
        g_byte_array_append (self->frame, GRPC_SLICE_START_PTR (*slice),
                             (guint) GRPC_SLICE_LENGTH (*slice));
      grpc_byte_buffer_reader_destroy (&reader);
    }
  grpc_byte_buffer_destroy (self->incoming);
  self->incoming = NULL;
}

static gboolean
deliver (TachoGrpcCall *self, gint64 now_ns, GError **error)
{
  gboolean wanted;

  if (!self->streaming)
    {
      if (self->messages == 1)
        self->body = g_bytes_new (self->frame->data + TACHO_GRPC_FRAME_HEADER,
                                  self->frame->len - TACHO_GRPC_FRAME_HEADER);
      return TRUE;
    }
  self->in_func++;
  wanted = (self->messages > 1 || call_func_head (self, error)) &&
           (self->funcs.data == NULL ||
            self->funcs.data ((const char *) self->frame->data, self->frame->len, now_ns,
                              self->funcs_data, error));
  self->in_func--;
  return wanted && self->failure == NULL;
}

/* What a function of the caller left: its refusal, or the reason for which we ended meanwhile. */
static void
fail_by_func (TachoGrpcCall *self, GError *error)
{
  if (self->failure != NULL)
    {
      g_clear_error (&error);
      error = g_steal_pointer (&self->failure);
    }
  else if (error == NULL)
    error = g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "Cancelled");
  call_fail (self, error);
}

static void
take_connected (TachoGrpcCall *self, gint64 now_ns)
{
  if (self->connected)
    return;
  self->connected = TRUE;
  if (self->reused)
    self->client->counters.reused++;
  clear_source (&self->timers[TACHO_GRPC_TIMER_CONNECT]);
  if (self->messages == 0)
    tacho_grpc_call_arm (self, TACHO_GRPC_TIMER_FIRST);
  if (self->funcs.sent == NULL)
    return;
  self->in_func++;
  self->funcs.sent (self->reused ? self->start_ns : now_ns, self->reused, self->funcs_data);
  self->in_func--;
  if (self->failure != NULL)
    call_fail (self, g_steal_pointer (&self->failure));
}

static void
take_message (TachoGrpcCall *self, gint64 now_ns)
{
  GError *error = NULL;

  /* The queue keeps no order between the two. */
  take_connected (self, self->start_ns);
  if (self->finished)
    return;
  /* Left as it came: inflating it first would let a small message fill the memory. */
  if (self->incoming->data.raw.compression != GRPC_COMPRESS_NONE)
    {
      call_fail (self, g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                                    "%s sent its answer compressed although that was not asked for",
                                    self->client->target));
      return;
    }
  if (self->messages++ == 0)
    {
      clear_source (&self->timers[TACHO_GRPC_TIMER_FIRST]);
      tacho_grpc_call_arm (self, TACHO_GRPC_TIMER_IDLE);
    }
  self->activity_us = g_get_monotonic_time ();
  read_frame (self);
  self->client->counters.bytes_received += self->frame->len;
  if (!deliver (self, now_ns, &error))
    fail_by_func (self, error);
  else
    {
      self->activity_us = g_get_monotonic_time ();
      tacho_grpc_call_start_read (self, FALSE);
    }
}

/* The status has come and no read is under way. */
static void
take_end (TachoGrpcCall *self)
{
  g_autofree char *message = g_utf8_make_valid ((const char *) GRPC_SLICE_START_PTR (self->details),
                                                (gssize) GRPC_SLICE_LENGTH (self->details));
  const TachoGrpcOutcome outcome = {
    .connected = self->connected,
    .broken_off = grpc_call_failed_before_recv_message (self->call) != 0,
    .messages = self->messages,
    .status = self->status,
    .message = message,
    .debug = self->debug != NULL ? self->debug : "",
  };
  g_autofree char *number = NULL;
  TachoHttpReply *reply;
  GError *error;
  int status = (int) self->status;

  error = tacho_grpc_judge (self->client, &outcome, &status);
  if (error == NULL && status == GRPC_STATUS_OK && self->streaming && self->messages == 0)
    {
      gboolean wanted;

      self->in_func++;
      wanted = call_func_head (self, &error);
      self->in_func--;
      if (!wanted)
        {
          fail_by_func (self, error);
          return;
        }
    }
  if (error != NULL)
    {
      call_fail (self, error);
      return;
    }
  reply = tacho_http_reply_new (tacho_grpc_status_to_http (status), self->body);
  tacho_grpc_metadata_read (&self->initial, reply);
  tacho_grpc_metadata_read (&self->trailing, reply);
  number = g_strdup_printf ("%d", status);
  tacho_http_reply_add_header (reply, "grpc-status", number);
  if (*message != '\0')
    tacho_http_reply_add_header (reply, "grpc-message", message);
  call_finish (self, reply, NULL);
}

/* On the caller's context. */
static gboolean
event_cb (gpointer user_data)
{
  TachoGrpcEvent *event = user_data;
  TachoGrpcCall *self = event->call;
  gboolean success = event->success;
  gint64 now_ns = event->now_ns;

  if (event->kind == TACHO_GRPC_EVENT_HEAD_SENT)
    self->head_done = TRUE;
  else if (event->kind == TACHO_GRPC_EVENT_MESSAGE)
    self->reading = FALSE;
  else if (event->kind == TACHO_GRPC_EVENT_STATUS)
    self->status_known = TRUE;
  if (!self->finished)
    {
      if (event->kind == TACHO_GRPC_EVENT_HEAD_SENT && success)
        take_connected (self, now_ns);
      else if (event->kind == TACHO_GRPC_EVENT_MESSAGE && self->incoming != NULL)
        take_message (self, now_ns);
    }
  if (!self->finished && self->status_known && self->head_done && !self->reading)
    take_end (self);
  return G_SOURCE_REMOVE;
}

static void
event_unref (gpointer user_data)
{
  call_unref (((TachoGrpcEvent *) user_data)->call);
}

/* On the queue's thread. Never runs the event here: g_main_context_invoke() might. */
static void
event_done_cb (gpointer owner, gboolean success, gint64 now_ns)
{
  TachoGrpcEvent *event = owner;
  GSource *source;

  if (event->kind == TACHO_GRPC_EVENT_BODY_SENT) /* says nothing that the status does not */
    {
      call_unref (event->call);
      return;
    }
  event->success = success;
  event->now_ns = now_ns;
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, event_cb, event, event_unref);
  g_source_attach (source, event->call->context);
  g_source_unref (source);
}

/**
 * tacho_grpc_call_init:
 * @self: a call, zeroed
 * @client: whose
 * @task: what it will return
 *
 * Fills in what the events of the core need.
 */
void
tacho_grpc_call_init (TachoGrpcCall *self, TachoGrpcClient *client, GTask *task)
{
  g_atomic_ref_count_init (&self->refs); /* until call_finish */
  tacho_grpc_queue_hold ();
  self->client = g_object_ref (client);
  self->task = g_object_ref (task);
  self->context = g_main_context_ref_thread_default ();
  self->frame = g_byte_array_new ();
  self->details = grpc_empty_slice ();
  grpc_metadata_array_init (&self->initial);
  grpc_metadata_array_init (&self->trailing);
  for (guint i = 0; i < TACHO_GRPC_N_EVENTS; i++)
    self->events[i] = (TachoGrpcEvent){
      .tag = { .done = event_done_cb, .owner = &self->events[i] },
      .call = self,
      .kind = (TachoGrpcEventKind) i,
    };
}

/**
 * tacho_grpc_call_watch:
 * @self: a call
 * @cancellable: (nullable): ends it
 */
void
tacho_grpc_call_watch (TachoGrpcCall *self, GCancellable *cancellable)
{
  if (cancellable == NULL)
    return;
  self->cancel_source = g_cancellable_source_new (cancellable);
  g_source_set_priority (self->cancel_source, G_PRIORITY_HIGH);
  g_source_set_callback (self->cancel_source, G_SOURCE_FUNC (cancelled_cb), self, NULL);
  g_source_attach (self->cancel_source, self->context);
}
