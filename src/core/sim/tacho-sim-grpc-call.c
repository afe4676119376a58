/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A call of the gRPC front: who may ask, which faults are played, messages in and out, the end.
 *
 * A call lives until its close is known and no operation is out; what it still has to say then is
 * not said. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-grpc-private.h"

#include "api/tacho-http-message.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/alloc.h>

#include <string.h>

#define MAX_PEERS 10000 /* connections that are told apart */

static void pump (TachoSimRpc *rpc);

/* --- the end ---------------------------------------------------------------------------------- */

static void
clear_data (TachoSimRpc *rpc)
{
  gpointer data = g_steal_pointer (&rpc->data);

  if (data != NULL)
    rpc->data_free (data);
}

static void
clear_delay (TachoSimRpc *rpc)
{
  if (rpc->delay != NULL)
    {
      g_source_destroy (rpc->delay);
      g_clear_pointer (&rpc->delay, g_source_unref);
    }
}

static void
maybe_free (TachoSimRpc *rpc)
{
  if (!rpc->closed || rpc->sending || rpc->receiving)
    return;
  g_queue_remove (&rpc->grpc->rpcs, rpc);
  clear_delay (rpc);
  clear_data (rpc);
  grpc_call_unref (rpc->call);
  g_queue_clear_full (&rpc->out, (GDestroyNotify) g_bytes_unref);
  tacho_sim_play_clear (&rpc->play);
  g_ptr_array_unref (rpc->headers);
  g_free (rpc->path);
  g_free (rpc->peer);
  g_free (rpc->captured);
  g_free (rpc->status_message);
  g_free (rpc);
}

static void
closed_cb (gpointer user_data, gboolean ok)
{
  TachoSimRpc *rpc = user_data;
  gboolean aborted = !rpc->ended || rpc->stalled;

  rpc->closed = TRUE;
  if (aborted)
    TACHO_SIM_COUNT (rpc->grpc->host->engine, aborted, rpc->n_generations);
  rpc->ended = TRUE;
  tacho_sim_rpc_record (rpc, 0);
  tacho_sim_rpc_close_record (rpc, aborted);
  clear_delay (rpc);
  clear_data (rpc);
  maybe_free (rpc);
}

/* --- sending ---------------------------------------------------------------------------------- */

static void
add_metadata (TachoSimRpc *rpc, const char *name, const char *value)
{
  rpc->metadata[rpc->n_metadata].key = grpc_slice_from_copied_string (name);
  rpc->metadata[rpc->n_metadata++].value = grpc_slice_from_copied_string (value);
}

static void
clear_sending (TachoSimRpc *rpc)
{
  for (; rpc->n_metadata > 0; rpc->n_metadata--)
    {
      grpc_slice_unref (rpc->metadata[rpc->n_metadata - 1].key);
      grpc_slice_unref (rpc->metadata[rpc->n_metadata - 1].value);
    }
  g_clear_pointer (&rpc->sending_message, grpc_byte_buffer_destroy);
}

static void
sent_cb (gpointer user_data, gboolean ok)
{
  TachoSimRpc *rpc = user_data;

  rpc->sending = FALSE;
  if (ok)
    rpc->last_ns = tacho_sim_rpc_now_ns ();
  clear_sending (rpc);
  if (ok && !rpc->closed)
    pump (rpc);
  maybe_free (rpc);
}

static void
unref_bytes (void *bytes)
{
  g_bytes_unref (bytes);
}

static grpc_byte_buffer *
byte_buffer_new (GBytes *bytes) /* (transfer full) */
{
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  grpc_slice slice =
      grpc_slice_new_with_user_data ((void *) (guintptr) data, size, unref_bytes, bytes);
  grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create (&slice, 1);

  grpc_slice_unref (slice);
  return buffer;
}

static void
add_head (TachoSimRpc *rpc, grpc_op *op)
{
  if (rpc->play.id != NULL)
    add_metadata (rpc, "x-tacho-fault", rpc->play.id);
  if (tacho_sim_rpc_has_fault (rpc, "grpc-metadata"))
    {
      g_autofree char *padding = g_strnfill ((gsize) rpc->play.grpc->number, 'x');

      add_metadata (rpc, "x-tacho-padding", padding);
    }
  if (tacho_sim_rpc_has_fault (rpc, "grpc-compressed"))
    add_metadata (rpc, GRPC_COMPRESSION_REQUEST_ALGORITHM_MD_KEY, "gzip");
  rpc->head_sent = TRUE;
  op->op = GRPC_OP_SEND_INITIAL_METADATA;
  op->data.send_initial_metadata.count = rpc->n_metadata;
  op->data.send_initial_metadata.metadata = rpc->metadata;
}

/* One batch at a time: the head if it is not sent, a message, the status behind the last one. */
static void
pump (TachoSimRpc *rpc)
{
  grpc_op ops[3] = { 0 };
  grpc_slice details = grpc_empty_slice ();
  gsize n = 0;

  if (rpc->sending || rpc->closed || rpc->status_sent)
    return;
  if (rpc->between != NULL && rpc->n_sent >= rpc->play.grpc->after_events)
    {
      void (*between) (TachoSimRpc *) = g_steal_pointer (&rpc->between);

      between (rpc);
    }
  if (g_queue_is_empty (&rpc->out) && !rpc->finishing)
    {
      void (*sent) (TachoSimRpc *) = g_steal_pointer (&rpc->sent);

      if (sent != NULL)
        sent (rpc);
      return;
    }
  if (!rpc->head_sent)
    add_head (rpc, &ops[n++]);
  if (!g_queue_is_empty (&rpc->out))
    {
      rpc->sending_message = byte_buffer_new (g_queue_pop_head (&rpc->out));
      ops[n].op = GRPC_OP_SEND_MESSAGE;
      ops[n].flags = GRPC_WRITE_THROUGH;
      ops[n++].data.send_message.send_message = rpc->sending_message;
    }
  if (rpc->finishing && g_queue_is_empty (&rpc->out))
    {
      rpc->status_sent = TRUE;
      if (rpc->status_message != NULL)
        details = grpc_slice_from_copied_string (rpc->status_message);
      ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
      ops[n].data.send_status_from_server.status = rpc->status;
      ops[n++].data.send_status_from_server.status_details = &details;
    }
  /* Stamped here: a cancel may overtake the word that a message is on the wire. */
  if (rpc->first_ns == 0)
    rpc->first_ns = tacho_sim_rpc_now_ns ();
  rpc->n_sent += rpc->sending_message != NULL;
  rpc->sending = TRUE;
  if (grpc_call_start_batch (rpc->call, ops, n, &rpc->send_tag, NULL) != GRPC_CALL_OK)
    {
      rpc->sending = FALSE;
      clear_sending (rpc);
    }
  grpc_slice_unref (details);
}

/**
 * tacho_sim_rpc_finish:
 * @rpc: a call
 * @status: gRPC status
 * @format: printf format of the status message
 * @...: its arguments
 *
 * Ends the call behind what was handed over. Does nothing if it has ended.
 */
void
tacho_sim_rpc_finish (TachoSimRpc *rpc, grpc_status_code status, const char *format, ...)
{
  va_list arguments;

  if (rpc->ended)
    return;
  rpc->ended = TRUE;
  rpc->finishing = TRUE;
  rpc->status = status;
  va_start (arguments, format);
  rpc->status_message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  tacho_sim_rpc_record (rpc, tacho_sim_rpc_http_status (status));
  pump (rpc);
}

/* --- words --------------------------------------------------------------------------------- */

static void
queue_message (TachoSimRpc *rpc, const ProtobufCMessage *message)
{
  g_queue_push_tail (&rpc->out, tacho_sim_rpc_spoil (rpc, tacho_protobuf_pack (message)));
  rpc->n_messages++;
  tacho_sim_rpc_record (rpc, 200);
  pump (rpc);
}

/**
 * tacho_sim_rpc_when_sent:
 * @rpc: a call
 * @sent: called once, when all that was handed over is on the wire
 */
void
tacho_sim_rpc_when_sent (TachoSimRpc *rpc, void (*sent) (TachoSimRpc *rpc))
{
  rpc->sent = sent;
  pump (rpc);
}

/**
 * tacho_sim_rpc_send:
 * @rpc: a call
 * @message: one message of a stream
 *
 * Sends it, unless it is a fault's turn.
 *
 * Returns: whether the stream goes on
 */
TachoSimSend
tacho_sim_rpc_send (TachoSimRpc *rpc, const ProtobufCMessage *message)
{
  if (rpc->ended)
    return TACHO_SIM_CUT;
  if (rpc->play.has_stream_fault && rpc->n_messages >= rpc->play.after_events)
    {
      tacho_sim_rpc_cut (rpc);
      return TACHO_SIM_CUT;
    }
  if (tacho_sim_rpc_play_grpc (rpc))
    return TACHO_SIM_CUT;
  queue_message (rpc, message);
  return TACHO_SIM_SENT;
}

/**
 * tacho_sim_rpc_reply:
 * @rpc: a unary call
 * @message: its reply
 *
 * Sends it and OK, or plays the fault.
 */
void
tacho_sim_rpc_reply (TachoSimRpc *rpc, const ProtobufCMessage *message)
{
  if (rpc->ended)
    return;
  if (rpc->play.has_stream_fault)
    {
      tacho_sim_rpc_cut (rpc);
      return;
    }
  if (tacho_sim_rpc_play_grpc (rpc))
    return;
  queue_message (rpc, message);
  tacho_sim_rpc_finish (rpc, GRPC_STATUS_OK, "%s", "");
}

/* --- receiving -------------------------------------------------------------------------------- */

static void
receive (TachoSimRpc *rpc)
{
  grpc_op op = { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &rpc->received };

  rpc->receiving =
      grpc_call_start_batch (rpc->call, &op, 1, &rpc->receive_tag, NULL) == GRPC_CALL_OK;
}

/* (transfer full): the message's bytes, decompressed; NULL: it cannot be read */
static GBytes *
take_received (TachoSimRpc *rpc)
{
  grpc_byte_buffer_reader reader;
  grpc_slice slice;
  GBytes *bytes = NULL;

  if (grpc_byte_buffer_reader_init (&reader, rpc->received))
    {
      slice = grpc_byte_buffer_reader_readall (&reader);
      bytes = g_bytes_new (GRPC_SLICE_START_PTR (slice), GRPC_SLICE_LENGTH (slice));
      grpc_slice_unref (slice);
      grpc_byte_buffer_reader_destroy (&reader);
    }
  g_clear_pointer (&rpc->received, grpc_byte_buffer_destroy);
  return bytes;
}

static void
handle_message (TachoSimRpc *rpc, gpointer message)
{
  rpc->method->message (rpc, message);
  if (rpc->method->many && !rpc->closed)
    receive (rpc);
}

typedef struct
{
  TachoSimRpc *rpc;
  gpointer message;
} Delayed;

static void
delayed_free (gpointer data)
{
  Delayed *delayed = data;

  tacho_protobuf_free (delayed->message);
  g_free (delayed);
}

static gboolean
delay_cb (gpointer user_data)
{
  Delayed *delayed = user_data;
  TachoSimRpc *rpc = delayed->rpc;

  g_clear_pointer (&rpc->delay, g_source_unref);
  handle_message (rpc, delayed->message);
  return G_SOURCE_REMOVE;
}

/* What is played before the first word; TRUE: it takes the place of all words, or they come later.
 */
static gboolean
play_first (TachoSimRpc *rpc, gpointer message)
{
  Delayed *delayed;

  if (rpc->play.status != 0)
    {
      tacho_sim_rpc_finish (rpc, tacho_sim_rpc_grpc_status (rpc->play.status),
                            "simulated status %u", rpc->play.status);
      tacho_protobuf_free (message);
      return TRUE;
    }
  if (rpc->play.has_stream_fault && rpc->play.stream_fault == TACHO_SIM_FAULT_DROP &&
      rpc->play.after_events == 0)
    {
      tacho_sim_rpc_cut (rpc);
      tacho_protobuf_free (message);
      return TRUE;
    }
  if (rpc->play.latency_s <= 0)
    return FALSE;
  delayed = g_new (Delayed, 1);
  delayed->rpc = rpc;
  delayed->message = message;
  rpc->delay = g_timeout_source_new ((guint) (rpc->play.latency_s * 1000));
  g_source_set_callback (rpc->delay, delay_cb, delayed, delayed_free);
  g_source_attach (rpc->delay, rpc->grpc->host->context);
  return TRUE;
}

static void
got_message (TachoSimRpc *rpc)
{
  g_autoptr (GBytes) bytes = take_received (rpc);
  g_autoptr (GError) error = NULL;
  gpointer message = NULL;
  gsize size = 0;
  gconstpointer data = bytes ? g_bytes_get_data (bytes, &size) : NULL;

  if (bytes != NULL)
    message = tacho_protobuf_unpack (rpc->method->request, data, size, &error);
  if (message == NULL)
    {
      tacho_sim_rpc_finish (rpc, GRPC_STATUS_INTERNAL, "the message cannot be read: %s",
                            error ? error->message : "it is compressed in an unknown way");
      return;
    }
  if (rpc->n_received++ == 0)
    {
      rpc->captured = tacho_sim_protobuf_to_json (message);
      if (play_first (rpc, message))
        return;
    }
  handle_message (rpc, message);
  tacho_protobuf_free (message);
}

static void
received_cb (gpointer user_data, gboolean ok)
{
  TachoSimRpc *rpc = user_data;

  rpc->receiving = FALSE;
  if (ok && rpc->received != NULL && !rpc->ended)
    got_message (rpc);
  else if (rpc->received != NULL)
    g_clear_pointer (&rpc->received, grpc_byte_buffer_destroy);
  else if (!rpc->ended && !rpc->closed && rpc->method->half_closed != NULL)
    rpc->method->half_closed (rpc);
  else if (!rpc->closed)
    tacho_sim_rpc_finish (rpc, GRPC_STATUS_INTERNAL, "the call has no message");
  maybe_free (rpc);
}

/* --- the begin -------------------------------------------------------------------------------- */

/**
 * tacho_sim_rpc_get_header:
 * @rpc: a call
 * @name: of metadata, in lower case
 *
 * Returns: (transfer none) (nullable): its value
 */
const char *
tacho_sim_rpc_get_header (TachoSimRpc *rpc, const char *name)
{
  for (guint i = 0; i < rpc->headers->len; i++)
    {
      const TachoHeader *header = g_ptr_array_index (rpc->headers, i);

      if (g_str_equal (header->name, name))
        return header->value;
    }
  return NULL;
}

/**
 * tacho_sim_rpc_set_data:
 * @rpc: a call
 * @data: (transfer full): the method's own
 * @data_free: called when the call ends, however it does
 */
void
tacho_sim_rpc_set_data (TachoSimRpc *rpc, gpointer data, GDestroyNotify data_free)
{
  rpc->data = data;
  rpc->data_free = data_free;
}

static gboolean
is_authorized (TachoSimRpc *rpc)
{
  const char *key = rpc->grpc->host->config->api_key;
  const char *value = tacho_sim_rpc_get_header (rpc, "authorization");

  return key == NULL || (value != NULL && g_ascii_strncasecmp (value, "Bearer ", 7) == 0 &&
                         tacho_sim_equal_secret (value + 7, key));
}

static void
begin (TachoSimRpc *rpc)
{
  TachoSimHost *host = rpc->grpc->host;
  g_autoptr (GError) error = NULL;
  gboolean matched;

  if (!is_authorized (rpc))
    {
      tacho_sim_rpc_finish (rpc, GRPC_STATUS_UNAUTHENTICATED, "Invalid API Key");
      return;
    }
  if (rpc->method == NULL)
    {
      tacho_sim_rpc_finish (rpc, GRPC_STATUS_UNIMPLEMENTED, "Method not found: %s", rpc->path);
      return;
    }
  g_mutex_lock (&host->fault_lock);
  matched = tacho_sim_fault_set_match (host->faults, rpc->path, rpc->method->generation,
                                       tacho_sim_rpc_get_header (rpc, "x-tacho-fault"), &rpc->play,
                                       &error);
  g_mutex_unlock (&host->fault_lock);
  if (matched && rpc->play.wire != NULL && rpc->play.n_faults == 1)
    tacho_sim_play_clear (&rpc->play); /* bytes of HTTP/1: nothing of it can be played here */
  if (matched)
    receive (rpc);
  else
    {
      tacho_sim_play_clear (&rpc->play);
      tacho_sim_rpc_finish (rpc, GRPC_STATUS_INVALID_ARGUMENT, "%s", error->message);
    }
}

static void
count_peer (TachoSimRpc *rpc)
{
  TachoSimGrpc *grpc = rpc->grpc;
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (grpc->peers, rpc->peer)) + 1;

  if (n == 1)
    TACHO_SIM_COUNT (grpc->host->engine, connections, 1);
  if (n == 1 && g_hash_table_size (grpc->peers) >= MAX_PEERS)
    g_hash_table_remove_all (grpc->peers);
  g_hash_table_insert (grpc->peers, g_strdup (rpc->peer), GUINT_TO_POINTER (n));
  rpc->n_of_peer = n;
}

static char *
slice_to_text (grpc_slice slice)
{
  return g_utf8_make_valid ((const char *) GRPC_SLICE_START_PTR (slice),
                            (gssize) GRPC_SLICE_LENGTH (slice));
}

/**
 * tacho_sim_rpc_new:
 * @grpc: the server
 * @call: (transfer full): a call that came in
 * @details: of it
 * @metadata: of it
 *
 * The call frees itself when it has ended.
 */
void
tacho_sim_rpc_new (TachoSimGrpc *grpc,
                   grpc_call *call,
                   const grpc_call_details *details,
                   const grpc_metadata_array *metadata)
{
  TachoSimRpc *rpc = g_new0 (TachoSimRpc, 1);
  char *peer = grpc_call_get_peer (call);
  grpc_op op = { .op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                 .data.recv_close_on_server.cancelled = &rpc->cancelled };

  rpc->grpc = grpc;
  rpc->call = call;
  rpc->path = slice_to_text (details->method);
  rpc->method = tacho_sim_grpc_find_method (grpc, rpc->path);
  rpc->headers = tacho_headers_new ();
  rpc->peer = g_strdup (peer);
  rpc->time_ns = tacho_sim_rpc_now_ns ();
  rpc->number = ++grpc->host->n_requests;
  tacho_sim_play_init (&rpc->play);
  rpc->close_tag = (TachoSimTag){ closed_cb, rpc };
  rpc->receive_tag = (TachoSimTag){ received_cb, rpc };
  rpc->send_tag = (TachoSimTag){ sent_cb, rpc };
  gpr_free (peer);
  for (gsize i = 0; i < metadata->count; i++)
    {
      g_autofree char *name = slice_to_text (metadata->metadata[i].key);
      g_autofree char *value = slice_to_text (metadata->metadata[i].value);

      tacho_headers_add (rpc->headers, name, value);
    }
  g_queue_push_tail (&grpc->rpcs, rpc);
  TACHO_SIM_COUNT (grpc->host->engine, requests, 1);
  count_peer (rpc);
  grpc_call_start_batch (call, &op, 1, &rpc->close_tag, NULL);
  begin (rpc);
}
