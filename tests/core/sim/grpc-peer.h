/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A blocking gRPC client over the C core: none of Tacho's own client is in it. */
#pragma once

#include "api/tacho-protobuf.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>

#define PEER_LIMIT_S 20

typedef struct
{
  grpc_channel *channel;
  grpc_completion_queue *queue;
} Peer;

/* One call and all that came back. */
typedef struct
{
  Peer *peer;
  grpc_call *call;
  grpc_metadata_array head, trailer;
  GPtrArray *messages; /* of GBytes */
  grpc_status_code status;
  grpc_slice details;
  char *words; /* the status message */
} PeerCall;

static inline void
peer_open_with (Peer *peer, const char *url, grpc_channel_credentials *credentials)
{
  const char *target = strstr (url, "://") + 3;
  grpc_arg list[] = {
    { .type = GRPC_ARG_INTEGER, .key = (char *) "grpc.enable_retries", .value.integer = 0 },
    { .type = GRPC_ARG_INTEGER,
      .key = (char *) "grpc.use_local_subchannel_pool",
      .value.integer = 1 },
  };
  grpc_channel_args args = { G_N_ELEMENTS (list), list };

  grpc_init ();
  peer->queue = grpc_completion_queue_create_for_pluck (NULL);
  peer->channel = grpc_channel_create (target, credentials, &args);
  grpc_channel_credentials_release (credentials);
}

static inline void
peer_open (Peer *peer, const char *url)
{
  peer_open_with (peer, url, grpc_insecure_credentials_create ());
}

static inline void
peer_close (Peer *peer)
{
  grpc_channel_destroy (peer->channel);
  grpc_completion_queue_shutdown (peer->queue);
  while (grpc_completion_queue_pluck (peer->queue, NULL, gpr_inf_future (GPR_CLOCK_REALTIME), NULL)
             .type != GRPC_QUEUE_SHUTDOWN)
    ;
  grpc_completion_queue_destroy (peer->queue);
  grpc_shutdown ();
}

static inline gboolean
peer_batch (PeerCall *call, const grpc_op *ops, gsize n)
{
  grpc_event event;

  g_assert_cmpint (grpc_call_start_batch (call->call, ops, n, call, NULL), ==, GRPC_CALL_OK);
  event = grpc_completion_queue_pluck (call->peer->queue, call, gpr_inf_future (GPR_CLOCK_REALTIME),
                                       NULL);
  g_assert_cmpint (event.type, ==, GRPC_OP_COMPLETE);
  return event.success != 0;
}

/* metadata: name, value, …, NULL; seconds: the deadline */
static inline void
peer_begin (Peer *peer,
            PeerCall *call,
            const char *path,
            const char *const *metadata,
            double seconds)
{
  grpc_slice slice = grpc_slice_from_copied_string (path);
  gpr_timespec deadline = gpr_time_add (
      gpr_now (GPR_CLOCK_REALTIME), gpr_time_from_millis ((gint64) (seconds * 1000), GPR_TIMESPAN));
  grpc_metadata extra[4];
  grpc_op op = { .op = GRPC_OP_SEND_INITIAL_METADATA };
  gsize n = 0;

  *call = (PeerCall){ .peer = peer, .status = GRPC_STATUS__DO_NOT_USE };
  call->messages = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  grpc_metadata_array_init (&call->head);
  grpc_metadata_array_init (&call->trailer);
  call->call = grpc_channel_create_call (peer->channel, NULL, GRPC_PROPAGATE_DEFAULTS, peer->queue,
                                         slice, NULL, deadline, NULL);
  grpc_slice_unref (slice);
  for (; metadata != NULL && metadata[2 * n] != NULL; n++)
    extra[n] = (grpc_metadata){ .key = grpc_slice_from_copied_string (metadata[2 * n]),
                                .value = grpc_slice_from_copied_string (metadata[2 * n + 1]) };
  op.data.send_initial_metadata.count = n;
  op.data.send_initial_metadata.metadata = extra;
  peer_batch (call, &op, 1);
  for (gsize i = 0; i < n; i++)
    {
      grpc_slice_unref (extra[i].key);
      grpc_slice_unref (extra[i].value);
    }
}

static inline void
peer_send (PeerCall *call, const ProtobufCMessage *message)
{
  g_autoptr (GBytes) bytes = tacho_protobuf_pack (message);
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  grpc_slice slice = grpc_slice_from_copied_buffer (data, size);
  grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create (&slice, 1);
  grpc_op op = { .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer };

  grpc_slice_unref (slice);
  peer_batch (call, &op, 1);
  grpc_byte_buffer_destroy (buffer);
}

static inline void
peer_half_close (PeerCall *call)
{
  const grpc_op op = { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT };

  peer_batch (call, &op, 1);
}

static inline void
peer_receive_head (PeerCall *call)
{
  const grpc_op op = { .op = GRPC_OP_RECV_INITIAL_METADATA,
                       .data.recv_initial_metadata.recv_initial_metadata = &call->head };

  peer_batch (call, &op, 1);
}

/* The next message is the last of call->messages; FALSE: there is none. */
static inline gboolean
peer_receive (PeerCall *call)
{
  grpc_byte_buffer *buffer = NULL;
  const grpc_op op = { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &buffer };
  grpc_byte_buffer_reader reader;
  grpc_slice slice;

  if (!peer_batch (call, &op, 1) || buffer == NULL)
    return FALSE;
  g_assert_true (grpc_byte_buffer_reader_init (&reader, buffer));
  slice = grpc_byte_buffer_reader_readall (&reader);
  g_ptr_array_add (call->messages,
                   g_bytes_new (GRPC_SLICE_START_PTR (slice), GRPC_SLICE_LENGTH (slice)));
  grpc_slice_unref (slice);
  grpc_byte_buffer_reader_destroy (&reader);
  grpc_byte_buffer_destroy (buffer);
  return TRUE;
}

static inline void
peer_end (PeerCall *call)
{
  grpc_op op = { .op = GRPC_OP_RECV_STATUS_ON_CLIENT };

  op.data.recv_status_on_client.trailing_metadata = &call->trailer;
  op.data.recv_status_on_client.status = &call->status;
  op.data.recv_status_on_client.status_details = &call->details;
  peer_batch (call, &op, 1);
  call->words = g_strndup ((const char *) GRPC_SLICE_START_PTR (call->details),
                           GRPC_SLICE_LENGTH (call->details));
  grpc_slice_unref (call->details);
}

static inline void
peer_clear (PeerCall *call)
{
  grpc_metadata_array_destroy (&call->head);
  grpc_metadata_array_destroy (&call->trailer);
  g_ptr_array_unref (call->messages);
  g_free (call->words);
  grpc_call_unref (call->call);
}

/* A whole call: one request, all replies, the status. */
static inline void
peer_call (Peer *peer,
           PeerCall *call,
           const char *path,
           const ProtobufCMessage *request,
           const char *const *metadata,
           double seconds)
{
  peer_begin (peer, call, path, metadata, seconds);
  peer_send (call, request);
  peer_half_close (call);
  peer_receive_head (call);
  while (peer_receive (call))
    ;
  peer_end (call);
}

static inline gpointer
peer_message (PeerCall *call, guint index, const ProtobufCMessageDescriptor *descriptor)
{
  gsize size;
  gconstpointer data;
  g_autoptr (GError) error = NULL;
  gpointer message;

  g_assert_cmpuint (index, <, call->messages->len);
  data = g_bytes_get_data (g_ptr_array_index (call->messages, index), &size);
  message = tacho_protobuf_unpack (descriptor, data, size, &error);
  g_assert_no_error (error);
  return message;
}

static inline char *
peer_get_head (PeerCall *call, const char *name)
{
  for (gsize i = 0; i < call->head.count; i++)
    if (grpc_slice_str_cmp (call->head.metadata[i].key, name) == 0)
      return g_strndup ((const char *) GRPC_SLICE_START_PTR (call->head.metadata[i].value),
                        GRPC_SLICE_LENGTH (call->head.metadata[i].value));
  return NULL;
}
