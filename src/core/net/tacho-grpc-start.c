/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a call begins: its channel, its deadline, its message. */
#define G_LOG_DOMAIN "tacho-net"

#include "net/tacho-grpc-call-private.h"

#include "base/tacho-clock.h"
#include "base/tacho-error.h"

#include <grpc/byte_buffer.h>
#include <string.h>

static void
bytes_unref_cb (gpointer bytes)
{
  g_bytes_unref (bytes);
}

static grpc_byte_buffer *
new_message (GBytes *body)
{
  gsize length = 0;
  gconstpointer data = body != NULL ? g_bytes_get_data (body, &length) : NULL;
  grpc_slice slice = length > 0 ? grpc_slice_new_with_user_data ((gpointer) data, length,
                                                                 bytes_unref_cb, g_bytes_ref (body))
                                : grpc_empty_slice ();
  grpc_byte_buffer *message = grpc_raw_byte_buffer_create (&slice, 1);

  grpc_slice_unref (slice);
  return message;
}

/* The head goes in a batch of its own: its end says that there is a connection, whatever flow
 * control then does to the message. */
static void
start_all (TachoGrpcCall *self, GBytes *body)
{
  grpc_op head = { .op = GRPC_OP_SEND_INITIAL_METADATA };
  grpc_op message[2] = { { .op = GRPC_OP_SEND_MESSAGE }, { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT } };
  grpc_op status = { .op = GRPC_OP_RECV_STATUS_ON_CLIENT };
  grpc_byte_buffer *buffer = new_message (body);

  head.data.send_initial_metadata.count = self->metadata->len;
  head.data.send_initial_metadata.metadata = (grpc_metadata *) (gpointer) self->metadata->data;
  message[0].data.send_message.send_message = buffer;
  status.data.recv_status_on_client.trailing_metadata = &self->trailing;
  status.data.recv_status_on_client.status = &self->status;
  status.data.recv_status_on_client.status_details = &self->details;
  status.data.recv_status_on_client.error_string = &self->debug;
  if (tacho_grpc_call_start_batch (self, &status, 1, TACHO_GRPC_EVENT_STATUS) &&
      tacho_grpc_call_start_batch (self, &head, 1, TACHO_GRPC_EVENT_HEAD_SENT) &&
      tacho_grpc_call_start_batch (self, message, 2, TACHO_GRPC_EVENT_BODY_SENT))
    tacho_grpc_call_start_read (self, TRUE);
  grpc_byte_buffer_destroy (buffer);
}

/* A call with a short limit of its own (a probe's 10 s) uses at most half of it to connect. */
static double
connect_limit (TachoGrpcClient *client, double timeout_total)
{
  double limit = client->limits[TACHO_GRPC_TIMER_CONNECT];

  if (timeout_total > 0 && timeout_total != client->limits[TACHO_GRPC_TIMER_TOTAL] &&
      (limit <= 0 || limit > timeout_total / 2))
    return timeout_total / 2;
  return limit;
}

/* A channel that failed to connect lets no call wait for its next attempt, which may be far off;
 * a new one tries at once. */
static void
ensure_link (TachoGrpcClient *client)
{
  grpc_connectivity_state state;

  if (client->link != NULL)
    {
      state = tacho_grpc_link_get_state (client->link);
      if (state != GRPC_CHANNEL_TRANSIENT_FAILURE && state != GRPC_CHANNEL_SHUTDOWN)
        return;
      client->created_before += tacho_grpc_link_get_created (client->link);
      g_clear_pointer (&client->link, tacho_grpc_link_close);
    }
  client->link = tacho_grpc_link_new (client);
}

/* The server is told of the total limit too, a second late, so that our own timer speaks first. */
static gpr_timespec
deadline (double timeout_total)
{
  if (timeout_total <= 0 || timeout_total > 365 * 86400.0)
    return gpr_inf_future (GPR_CLOCK_MONOTONIC);
  return gpr_time_add (gpr_now (GPR_CLOCK_MONOTONIC),
                       gpr_time_from_millis ((gint64) (timeout_total * 1000) + 1000, GPR_TIMESPAN));
}

/**
 * tacho_grpc_call_run:
 * @client: where to
 * @request: what
 * @funcs: (nullable): for a streamed reply; %NULL collects the first message
 * @funcs_data: for @funcs
 * @timeout_total: seconds, 0: none
 * @task: a task on @client, returned exactly once with a `TachoHttpReply`
 *
 * Runs one call to its end.
 */
void
tacho_grpc_call_run (TachoGrpcClient *client,
                     const TachoHttpRequest *request,
                     const TachoStreamFuncs *funcs,
                     gpointer funcs_data,
                     double timeout_total,
                     GTask *task)
{
  GCancellable *cancellable = g_task_get_cancellable (task);
  GArray *metadata = NULL;
  TachoGrpcCall *self;
  GError *error = NULL;
  grpc_slice method;

  g_task_set_check_cancellable (task, FALSE);
  client->counters.requests++;
  if (client->closed || g_cancellable_is_cancelled (cancellable))
    error = client->closed ? g_error_new (TACHO_ERROR, TACHO_ERROR_CANCELLED,
                                          "The connection to %s was closed", client->target)
                           : g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "Cancelled");
  else if (request->path == NULL || *request->path != '/' || strpbrk (request->path, "\r\n ?#"))
    error = g_error_new_literal (TACHO_ERROR, TACHO_ERROR_INVALID,
                                 "A gRPC method is written /package.Service/Method");
  else
    metadata = tacho_grpc_metadata_build (client, request, &error);
  if (metadata == NULL)
    {
      client->counters.failed++;
      g_task_return_error (task, error);
      return;
    }

  self = g_new0 (TachoGrpcCall, 1);
  tacho_grpc_call_init (self, client, task);
  self->metadata = metadata;
  if (funcs != NULL)
    {
      self->streaming = TRUE;
      self->funcs = *funcs;
      self->funcs_data = funcs_data;
    }
  memcpy (self->limits, client->limits, sizeof self->limits);
  self->limits[TACHO_GRPC_TIMER_CONNECT] = connect_limit (client, timeout_total);
  self->limits[TACHO_GRPC_TIMER_TOTAL] = timeout_total;

  ensure_link (client);
  self->reused = tacho_grpc_link_get_state (client->link) == GRPC_CHANNEL_READY;
  method = grpc_slice_from_copied_string (request->path);
  self->call = grpc_channel_create_call (tacho_grpc_link_get_channel (client->link), NULL,
                                         GRPC_PROPAGATE_DEFAULTS, tacho_grpc_queue_get (), method,
                                         NULL, deadline (timeout_total), NULL);
  grpc_slice_unref (method);
  g_ptr_array_add (client->calls, self);
  tacho_grpc_call_watch (self, cancellable);
  tacho_grpc_call_arm (self, self->reused ? TACHO_GRPC_TIMER_FIRST : TACHO_GRPC_TIMER_CONNECT);
  tacho_grpc_call_arm (self, TACHO_GRPC_TIMER_TOTAL);
  tacho_grpc_call_ref (self, NULL);
  self->start_ns = tacho_clock_now_ns ();
  start_all (self, request->body);
  tacho_grpc_call_unref (self);
}
