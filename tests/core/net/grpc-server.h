/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A gRPC server for the tests, over the C core: each call blocks in a thread of its own, and what
 * it answers is up to the test. Never touches a main context. */
#pragma once

#include <gio/gio.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <string.h>

typedef struct _GrpcServer GrpcServer;

typedef struct
{
  GrpcServer *server;
  grpc_call *call;
  grpc_call_details details;
  grpc_metadata_array metadata;
  grpc_completion_queue *queue;
  char *method;
  GBytes *message;
  gboolean head_sent;
} GrpcServerCall;

typedef void (*GrpcServerHandler) (GrpcServerCall *call);

struct _GrpcServer
{
  grpc_server *server;
  grpc_completion_queue *queue;
  GThread *thread;
  GThreadPool *calls;
  GrpcServerHandler handler;
  guint16 port;
  char *target;
  gint n_calls;     /* atomic */
  gint n_cancelled; /* atomic: by the client */
  GMutex mutex;
  GHashTable *seen; /* metadata of the last call */
};

static inline gboolean
grpc_server_batch (GrpcServerCall *self, const grpc_op *ops, gsize n)
{
  g_assert_cmpint (grpc_call_start_batch (self->call, ops, n, self, NULL), ==, GRPC_CALL_OK);
  return grpc_completion_queue_pluck (self->queue, self, gpr_inf_future (GPR_CLOCK_REALTIME), NULL)
             .success != 0;
}

static inline void
grpc_server_send_head (GrpcServerCall *self, const char *name, const char *value)
{
  grpc_metadata extra = { .key = grpc_slice_from_copied_string (name != NULL ? name : ""),
                          .value = grpc_slice_from_copied_string (value != NULL ? value : "") };
  grpc_op op = { .op = GRPC_OP_SEND_INITIAL_METADATA };

  op.data.send_initial_metadata.count = name != NULL ? 1 : 0;
  op.data.send_initial_metadata.metadata = &extra;
  self->head_sent = TRUE;
  grpc_server_batch (self, &op, 1);
  grpc_slice_unref (extra.key);
  grpc_slice_unref (extra.value);
}

static inline gboolean
grpc_server_send_flags (GrpcServerCall *self, const char *data, gsize length, guint32 flags)
{
  grpc_slice slice = grpc_slice_from_copied_buffer (data, length);
  grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create (&slice, 1);
  grpc_op op = { .op = GRPC_OP_SEND_MESSAGE, .flags = flags };
  gboolean done;

  if (!self->head_sent)
    grpc_server_send_head (self, NULL, NULL);
  op.data.send_message.send_message = buffer;
  done = grpc_server_batch (self, &op, 1);
  grpc_byte_buffer_destroy (buffer);
  grpc_slice_unref (slice);
  return done;
}

static inline gboolean
grpc_server_send (GrpcServerCall *self, const char *text)
{
  return grpc_server_send_flags (self, text, strlen (text), 0);
}

/* Without a head before: a status alone ("Trailers-Only"). */
static inline void
grpc_server_end (GrpcServerCall *self, grpc_status_code status, const char *message)
{
  grpc_metadata trailer = { .key = grpc_slice_from_copied_string ("x-trailer"),
                            .value = grpc_slice_from_copied_string ("last") };
  grpc_slice details = grpc_slice_from_copied_string (message);
  grpc_op ops[2] = { { .op = GRPC_OP_SEND_STATUS_FROM_SERVER },
                     { .op = GRPC_OP_SEND_INITIAL_METADATA } };

  ops[0].data.send_status_from_server.status = status;
  ops[0].data.send_status_from_server.status_details = &details;
  ops[0].data.send_status_from_server.trailing_metadata = &trailer;
  ops[0].data.send_status_from_server.trailing_metadata_count = 1;
  grpc_server_batch (self, ops, self->head_sent ? 1 : 2);
  grpc_slice_unref (details);
  grpc_slice_unref (trailer.key);
  grpc_slice_unref (trailer.value);
}

/* Until the client is gone, or the server is shut down. */
static inline void
grpc_server_hang (GrpcServerCall *self)
{
  int cancelled = 0;
  grpc_op op = { .op = GRPC_OP_RECV_CLOSE_ON_SERVER };

  op.data.recv_close_on_server.cancelled = &cancelled;
  grpc_server_batch (self, &op, 1);
  if (cancelled)
    g_atomic_int_inc (&self->server->n_cancelled);
}

static inline void
grpc_server_read (GrpcServerCall *self)
{
  grpc_byte_buffer *buffer = NULL;
  grpc_op op = { .op = GRPC_OP_RECV_MESSAGE };
  grpc_byte_buffer_reader reader;
  grpc_slice all;

  op.data.recv_message.recv_message = &buffer;
  grpc_server_batch (self, &op, 1);
  if (buffer == NULL)
    return;
  g_assert_true (grpc_byte_buffer_reader_init (&reader, buffer));
  all = grpc_byte_buffer_reader_readall (&reader);
  self->message = g_bytes_new (GRPC_SLICE_START_PTR (all), GRPC_SLICE_LENGTH (all));
  grpc_slice_unref (all);
  grpc_byte_buffer_reader_destroy (&reader);
  grpc_byte_buffer_destroy (buffer);
}

static inline char *
grpc_server_dup_slice (grpc_slice slice)
{
  return g_strndup ((const char *) GRPC_SLICE_START_PTR (slice), GRPC_SLICE_LENGTH (slice));
}

static inline void
grpc_server_call_free (GrpcServerCall *self)
{
  grpc_metadata_array_destroy (&self->metadata);
  grpc_call_details_destroy (&self->details);
  if (self->call != NULL)
    grpc_call_unref (self->call);
  grpc_completion_queue_shutdown (self->queue);
  grpc_completion_queue_destroy (self->queue);
  g_clear_pointer (&self->message, g_bytes_unref);
  g_free (self->method);
  g_free (self);
}

static inline void
grpc_server_call_cb (gpointer data, gpointer user_data)
{
  GrpcServerCall *self = data;

  self->method = grpc_server_dup_slice (self->details.method);
  g_mutex_lock (&self->server->mutex);
  g_hash_table_remove_all (self->server->seen);
  for (size_t i = 0; i < self->metadata.count; i++)
    g_hash_table_replace (self->server->seen,
                          grpc_server_dup_slice (self->metadata.metadata[i].key),
                          grpc_server_dup_slice (self->metadata.metadata[i].value));
  g_mutex_unlock (&self->server->mutex);
  g_atomic_int_inc (&self->server->n_calls);
  self->server->handler (self);
  grpc_server_call_free (self);
}

static inline GrpcServerCall *
grpc_server_request (GrpcServer *self)
{
  GrpcServerCall *call = g_new0 (GrpcServerCall, 1);

  call->server = self;
  call->queue = grpc_completion_queue_create_for_pluck (NULL);
  grpc_metadata_array_init (&call->metadata);
  grpc_call_details_init (&call->details);
  g_assert_cmpint (grpc_server_request_call (self->server, &call->call, &call->details,
                                             &call->metadata, call->queue, self->queue, call),
                   ==, GRPC_CALL_OK);
  return call;
}

static inline gpointer
grpc_server_thread (gpointer user_data)
{
  GrpcServer *self = user_data;

  for (;;)
    {
      grpc_event event =
          grpc_completion_queue_next (self->queue, gpr_inf_future (GPR_CLOCK_REALTIME), NULL);

      if (event.type == GRPC_QUEUE_SHUTDOWN)
        return NULL;
      if (event.tag == self)
        grpc_completion_queue_shutdown (self->queue);
      else if (!event.success)
        grpc_server_call_free (event.tag);
      else
        {
          g_thread_pool_push (self->calls, event.tag, NULL);
          grpc_server_request (self);
        }
    }
}

/* @credentials: (transfer full) (nullable): NULL: plain text; @port: 0: any */
static inline GrpcServer *
grpc_server_new (GrpcServerHandler handler, grpc_server_credentials *credentials, guint16 port)
{
  GrpcServer *self = g_new0 (GrpcServer, 1);
  g_autofree char *address = g_strdup_printf ("127.0.0.1:%u", port);
  grpc_arg arg = { .type = GRPC_ARG_INTEGER, .key = (char *) GRPC_ARG_MAX_SEND_MESSAGE_LENGTH };
  const grpc_channel_args args = { .num_args = 1, .args = &arg };

  arg.value.integer = -1;
  grpc_init ();
  g_mutex_init (&self->mutex);
  self->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->handler = handler;
  self->queue = grpc_completion_queue_create_for_next (NULL);
  self->server = grpc_server_create (&args, NULL);
  grpc_server_register_completion_queue (self->server, self->queue, NULL);
  if (credentials == NULL)
    credentials = grpc_insecure_server_credentials_create ();
  self->port = (guint16) grpc_server_add_http2_port (self->server, address, credentials);
  g_assert_cmpuint (self->port, >, 0);
  grpc_server_credentials_release (credentials);
  self->target = g_strdup_printf ("127.0.0.1:%u", self->port);
  grpc_server_start (self->server);
  self->calls = g_thread_pool_new (grpc_server_call_cb, NULL, -1, FALSE, NULL);
  grpc_server_request (self);
  self->thread = g_thread_new ("grpc-server", grpc_server_thread, self);
  return self;
}

static inline char *
grpc_server_dup_seen (GrpcServer *self, const char *name)
{
  char *value;

  g_mutex_lock (&self->mutex);
  value = g_strdup (g_hash_table_lookup (self->seen, name));
  g_mutex_unlock (&self->mutex);
  return value;
}

static inline void
grpc_server_free (GrpcServer *self)
{
  grpc_server_shutdown_and_notify (self->server, self->queue, self);
  grpc_server_cancel_all_calls (self->server);
  g_thread_join (self->thread);
  g_thread_pool_free (self->calls, FALSE, TRUE);
  grpc_server_destroy (self->server);
  grpc_completion_queue_destroy (self->queue);
  g_hash_table_unref (self->seen);
  g_mutex_clear (&self->mutex);
  g_free (self->target);
  g_free (self);
  grpc_shutdown ();
}
