/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One call and all that it told, for the tests of the gRPC client. */
#pragma once

#include "net/tacho-grpc-client.h"

#include "base/tacho-error.h"
#include "test-utils.h"

typedef struct
{
  TachoTransport *client;
  GCancellable *cancellable;
  GByteArray *data;
  guint sent;
  guint heads;
  guint pieces;
  guint cancel_after; /* pieces; 0: never */
  gboolean close_in_data;
  gboolean refuse;
  gboolean reused;
  gint64 sent_ns;
  gint64 first_ns;
  TachoHttpReply *reply;
  GError *error;
} Run;

static inline void
run_sent (gint64 now_ns, gboolean reused, gpointer user_data)
{
  Run *run = user_data;

  g_assert_cmpuint (run->pieces, ==, 0);
  run->sent++;
  run->reused = reused;
  run->sent_ns = now_ns;
}

static inline gboolean
run_head (const TachoHttpReply *head, gpointer user_data, GError **error)
{
  Run *run = user_data;

  g_assert_cmpuint (head->status, ==, 200);
  g_assert_cmpuint (run->pieces, ==, 0);
  run->heads++;
  return TRUE;
}

static inline gboolean
run_data (const char *data, gsize length, gint64 now_ns, gpointer user_data, GError **error)
{
  Run *run = user_data;

  g_assert_cmpuint (run->heads, ==, 1);
  g_assert_cmpint (now_ns, >=, run->sent_ns);
  if (run->pieces++ == 0)
    run->first_ns = now_ns;
  g_byte_array_append (run->data, (const guint8 *) data, (guint) length);
  if (run->cancel_after == run->pieces)
    g_cancellable_cancel (run->cancellable);
  if (run->close_in_data)
    tacho_transport_close (run->client);
  if (run->refuse)
    g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_IN_BAND, "No");
  return !run->refuse;
}

static inline TachoTransport *
run_client (const TachoGrpcOptions *options)
{
  GError *error = NULL;
  TachoTransport *client = tacho_grpc_client_new (options, &error);

  g_assert_no_error (error);
  return client;
}

static inline void
run_init (Run *run, TachoTransport *client)
{
  *run =
      (Run){ .client = client, .cancellable = g_cancellable_new (), .data = g_byte_array_new () };
}

static inline void
run_clear (Run *run)
{
  g_clear_object (&run->cancellable);
  g_clear_pointer (&run->data, g_byte_array_unref);
  g_clear_pointer (&run->reply, tacho_http_reply_free);
  g_clear_error (&run->error);
}

static const TachoStreamFuncs run_funcs = { run_sent, run_head, run_data };

static inline void
run_stream (Run *run, TachoTransport *client, const char *method)
{
  g_autoptr (TachoHttpRequest) request = tacho_http_request_new ("gRPC", method);
  g_autoptr (GAsyncResult) result = NULL;

  if (run->client == NULL)
    run_init (run, client);
  tacho_transport_stream_async (client, request, &run_funcs, run, run->cancellable,
                                tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  run->reply = tacho_transport_stream_finish (client, result, &run->error);
  g_assert_true ((run->reply == NULL) != (run->error == NULL));
  if (run->error != NULL)
    g_test_message ("%s", run->error->message);
}

static inline TachoHttpReply *
run_send (TachoTransport *client,
          const char *method,
          const char *body,
          double limit,
          GError **error)
{
  g_autoptr (TachoHttpRequest) request = tacho_http_request_new ("gRPC", method);
  g_autoptr (GAsyncResult) result = NULL;

  request->body = g_bytes_new (body, strlen (body));
  tacho_transport_send_async (client, request, limit, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  return tacho_transport_send_finish (client, result, error);
}

static inline void
run_close (TachoTransport *client)
{
  tacho_transport_close (client);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (client)->ref_count == 1);
  g_assert_finalize_object (client);
}
