/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A request of the load as a gRPC call. The core's completion queue stamps each message right after
 * it came out; what is done with it here comes later and does not move the stamp. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-load-stream.h"

#include "base/tacho-clock.h"

/* Two messages that leave the queue so close together came with one read of the socket. */
#define SAME_READ_NS 2000

static void
sent_func (gint64 now_ns, gboolean reused, gpointer user_data)
{
  TachoLoadStream *self = user_data;

  if (self->record == NULL || self->on_wire)
    return;
  self->record->start_ns = MAX (now_ns, self->record->scheduled_ns);
  self->record->connection_reused = reused;
  self->on_wire = TRUE;
}

static gboolean
data_func (const char *data, gsize length, gint64 now_ns, gpointer user_data, GError **error)
{
  TachoLoadStream *self = user_data;

  if (!self->record->warmup)
    tacho_histogram_record (self->counts->lag, tacho_clock_now_ns () - now_ns);
  if (now_ns - self->last_byte_ns > SAME_READ_NS)
    self->chunks_in_read = 0;
  self->last_byte_ns = now_ns;
  self->record->http_status = 200;
  if (tacho_stream_decoder_is_done (self->decoder))
    return TRUE;
  return tacho_stream_decoder_feed (self->decoder, data, length, tacho_load_stream_event, self,
                                    error);
}

static void
ended_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TachoLoadStream *self = user_data;
  g_autoptr (TachoHttpReply) reply = NULL;

  g_clear_error (&self->grpc_error);
  reply = tacho_transport_stream_finish (TACHO_TRANSPORT (source), result, &self->grpc_error);
  if (reply != NULL)
    self->record->http_status = (guint16) reply->status;
  if (reply != NULL && (reply->status < 200 || reply->status > 299))
    self->grpc_error = tacho_api_error_from_reply (reply);
  g_clear_object (&self->cancellable);
  g_queue_push_tail (self->grpc_ended, self);
}

/**
 * tacho_load_grpc_begin:
 * @self: an idle stream with a channel
 * @request: what to send
 *
 * Starts the call. When it has ended, the stream is in its grpc_ended queue.
 */
void
tacho_load_grpc_begin (TachoLoadStream *self, const TachoHttpRequest *request)
{
  static const TachoStreamFuncs funcs = { sent_func, NULL, data_func };

  self->forced = (TachoErrorCode) 0;
  self->cancellable = g_cancellable_new ();
  tacho_transport_stream_async (self->grpc, request, &funcs, self, self->cancellable, ended_cb,
                                self);
}

/**
 * tacho_load_grpc_cancel:
 * @self: a stream whose call is under way
 * @forced: why
 *
 * Cancels the call, which then ends.
 */
void
tacho_load_grpc_cancel (TachoLoadStream *self, TachoErrorCode forced)
{
  if (self->cancellable == NULL || self->forced != 0)
    return;
  self->forced = forced;
  g_cancellable_cancel (self->cancellable);
}

/**
 * tacho_load_grpc_judge:
 * @self: a stream whose call has ended
 *
 * Returns: the class, 0: it ended well
 */
TachoErrorCode
tacho_load_grpc_judge (TachoLoadStream *self)
{
  g_autoptr (GError) error = g_steal_pointer (&self->grpc_error);

  if (tacho_stream_decoder_is_done (self->decoder))
    return (TachoErrorCode) 0;
  if (self->forced != 0)
    return self->forced;
  if (error == NULL)
    tacho_stream_decoder_finish (self->decoder, tacho_load_stream_event, self, &error);
  if (error == NULL)
    return (TachoErrorCode) 0;
  return error->domain == TACHO_ERROR && error->code < TACHO_ERROR_N_CLASSES
             ? (TachoErrorCode) error->code
             : TACHO_ERROR_GRPC;
}
