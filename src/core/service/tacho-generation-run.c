/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One generation on its way. Attempts are made one after the other, never beside each other: the
 * stream of one is closed before the next begins, and only while nothing of an answer was delivered
 * (see net/tacho-retry-policy.c). */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-generation-run.h"

#include <math.h>
#include <string.h>

#include "api/tacho-stream-decoder.h"
#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "service/tacho-client-manager-private.h"
#include "service/tacho-generation-private.h"
#include "stream/tacho-grpc-frame.h"

#define MAX_REPLY ((gsize) 64 * 1024 * 1024)
/* After the terminal marker the connection is kept for reuse if the body ends this soon. */
#define DRAIN_MS 1000
#define MAX_PREPARE 8

typedef struct
{
  TachoClientManager *manager;
  TachoGeneration *generation;
  TachoGenerateRequest *request;
  TachoOperation operation;
  char *request_id; /* the same for all attempts */
  gint64 deadline_ns;
  guint attempts;
  guint ambiguous;
  gboolean fail_over; /* the next attempt is not for the endpoint of the last */
  gboolean taught;    /* a refusal told how to ask; once is enough */
  GSource *wait;
  GSource *wait_cancelled;
  GSource *deadline;

  /* The attempt that runs. */
  TachoEndpoint *endpoint;
  TachoApi *api;
  TachoStage stage;
  guint prepared;              /* questions asked before it */
  gboolean streamed;           /* the server was asked to stream */
  TachoStreamDecoder *decoder; /* NULL: the reply is read whole */
  GByteArray *body;
  gint64 now_ns;    /* stamp of the read that is decoded */
  gboolean refused; /* the decoder's verdict ended the exchange, not the network */
  GSource *drain;
} Run;

static void attempt (Run *run);
static void prepare (Run *run);

static void
destroy_source (gpointer data)
{
  g_source_destroy (data);
  g_source_unref (data);
}

static void
clear_attempt (Run *run)
{
  g_clear_pointer (&run->drain, destroy_source);
  g_clear_pointer (&run->decoder, tacho_stream_decoder_free);
  g_clear_pointer (&run->body, g_byte_array_unref);
  run->stage = TACHO_STAGE_NOT_SENT;
  run->prepared = 0;
  run->refused = FALSE;
}

static void
run_free (Run *run)
{
  clear_attempt (run);
  g_clear_pointer (&run->wait, destroy_source);
  g_clear_pointer (&run->wait_cancelled, destroy_source);
  g_clear_pointer (&run->deadline, destroy_source);
  g_clear_object (&run->manager);
  g_clear_object (&run->generation);
  g_clear_object (&run->endpoint);
  g_clear_object (&run->api);
  g_clear_pointer (&run->request, tacho_generate_request_free);
  g_free (run->request_id);
  g_free (run);
}

static GSource *
start_timer (guint ms, GSourceFunc func, Run *run)
{
  GSource *source = g_timeout_source_new (ms);

  g_source_set_callback (source, func, run, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
}

static gboolean
drained_cb (gpointer user_data)
{
  Run *run = user_data;

  g_cancellable_cancel (tacho_generation_get_cancellable (run->generation));
  return G_SOURCE_REMOVE;
}

/* --- what the exchange tells --- */

static void
sent_func (gint64 now_ns, gboolean reused, gpointer user_data)
{
  Run *run = user_data;

  run->stage = TACHO_STAGE_SENT;
  tacho_generation_sent (run->generation, now_ns, reused);
}

static gboolean
head_func (const TachoHttpReply *head, gpointer user_data, GError **error)
{
  Run *run = user_data;
  const char *type = tacho_http_reply_get_header (head, "Content-Type");

  run->stage = TACHO_STAGE_HEAD;
  tacho_generation_set_http_status (run->generation, head->status);
  /* Some servers know no streaming and answer whole, whatever was asked. */
  if (run->streamed && (type == NULL || g_ascii_strncasecmp (type, "application/json", 16) != 0))
    run->decoder = tacho_stream_decoder_new (run->api, run->operation, TACHO_DECODE_FULL);
  else
    run->body = g_byte_array_new ();
  return TRUE;
}

static void
event_func (const TachoStreamEvent *event, gpointer user_data)
{
  Run *run = user_data;
  TachoStreamEvent copy = *event;

  /* Whether an error ends the generation is the policy's to say. */
  copy.error = NULL;
  if (event->has_content || event->has_reasoning || event->has_tool)
    run->stage = TACHO_STAGE_DELIVERED;
  else if (event->error != NULL)
    return;
  if (event->done)
    {
      run->stage = TACHO_STAGE_DONE; /* said before the generation ends by it */
      tacho_generation_end_attempt (run->generation, TACHO_STAGE_DONE, NULL, NULL, 0);
    }
  tacho_generation_take_event (run->generation, &copy, run->now_ns);
}

static gboolean
data_func (const char *data, gsize length, gint64 now_ns, gpointer user_data, GError **error)
{
  Run *run = user_data;

  run->now_ns = now_ns;
  tacho_generation_keep_reply (run->generation, data, length);
  if (run->decoder == NULL)
    {
      if (run->body->len + length <= MAX_REPLY)
        {
          g_byte_array_append (run->body, (const guint8 *) data, (guint) length);
          return TRUE;
        }
      run->refused = TRUE;
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "The answer is longer than %d MiB, which is more than Tacho takes",
                   (int) (MAX_REPLY / 1024 / 1024));
      return FALSE;
    }
  if (!tacho_stream_decoder_feed (run->decoder, data, length, event_func, run, error))
    {
      run->refused = TRUE;
      return FALSE;
    }
  if (tacho_stream_decoder_is_done (run->decoder) && run->drain == NULL)
    run->drain = start_timer (DRAIN_MS, drained_cb, run);
  return TRUE;
}

/* --- after a failure --- */

static gboolean
waited_cb (gpointer user_data)
{
  Run *run = user_data;

  g_clear_pointer (&run->wait, destroy_source);
  g_clear_pointer (&run->wait_cancelled, destroy_source);
  attempt (run);
  return G_SOURCE_REMOVE;
}

static gboolean
wait_cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  run_free (user_data);
  return G_SOURCE_REMOVE;
}

static void
wait_then_attempt (Run *run, double seconds)
{
  run->wait = start_timer ((guint) (seconds * 1000), waited_cb, run);
  run->wait_cancelled =
      g_cancellable_source_new (tacho_generation_get_cancellable (run->generation));
  g_source_set_callback (run->wait_cancelled, G_SOURCE_FUNC (wait_cancelled_cb), run, NULL);
  g_source_attach (run->wait_cancelled, g_main_context_get_thread_default ());
}

static double
left_s (const Run *run)
{
  return run->deadline_ns == 0
             ? INFINITY
             : (double) (run->deadline_ns - tacho_clock_now_ns ()) / TACHO_NS_PER_S;
}

static TachoVerdict
decide (Run *run, const TachoHttpReply *reply, const GError *error)
{
  TachoRetryPolicy policy;
  TachoVerdict verdict;
  TachoFailure failure = {
    .stage = run->stage,
    .effect = TACHO_EFFECT_GENERATION,
    .protocol = tacho_endpoint_get_protocol (run->endpoint),
    .error = error,
    .grpc_status = -1,
    .server_wait_s = NAN,
    .should_retry = -1,
  };
  TachoRetryState state = {
    .attempts = run->attempts,
    .ambiguous = run->ambiguous,
    .left_s = left_s (run),
    .random = g_random_double (),
  };

  if (reply != NULL)
    tacho_failure_read_reply (&failure, reply);
  if (!run->refused || error->code != TACHO_ERROR_IN_BAND)
    tacho_client_manager_note (run->manager, run->endpoint, &failure);
  state.budget = tacho_endpoint_may_retry (run->endpoint);
  state.other_available =
      tacho_client_manager_has_other (run->manager, run->operation, run->endpoint);
  tacho_client_manager_get_retry_policy (run->manager, &policy);
  verdict = tacho_retry_decide (&policy, &state, &failure);
  if (verdict.unimplemented)
    tacho_endpoint_set_unimplemented (run->endpoint, run->operation);
  return verdict;
}

/* Frees the run, or begins the next attempt. */
static void
failed (Run *run, const TachoHttpReply *reply, const GError *error)
{
  static const char *const words[] = { "stop", "try again", "fail over" };
  TachoVerdict verdict;
  g_autofree char *decision = NULL;

  if (tacho_generation_is_ended (run->generation))
    {
      tacho_generation_end_attempt (run->generation, run->stage, error, NULL, 0);
      run_free (run);
      return;
    }
  verdict = decide (run, reply, error);
  if (verdict.decision == TACHO_DECISION_STOP && !run->taught && reply != NULL &&
      tacho_api_learn_refusal (run->api, run->request, reply))
    {
      run->taught = TRUE;
      verdict = (TachoVerdict){ .decision = TACHO_DECISION_RETRY,
                                .reason = "the server said how it wants to be asked" };
    }
  decision = g_strdup_printf ("%s: %s", words[verdict.decision], verdict.reason);
  tacho_generation_end_attempt (run->generation, run->stage, error, decision, verdict.wait_s);
  if (verdict.decision == TACHO_DECISION_STOP || tacho_generation_is_ended (run->generation))
    {
      tacho_generation_fail (run->generation, error);
      run_free (run);
      return;
    }
  run->ambiguous += verdict.ambiguous ? 1 : 0;
  run->fail_over = verdict.decision == TACHO_DECISION_FAIL_OVER;
  clear_attempt (run);
  if (verdict.wait_s > 0)
    wait_then_attempt (run, verdict.wait_s);
  else
    attempt (run);
}

/* --- the end of the exchange --- */

static TachoHttpReply *
whole_reply (Run *run, const TachoHttpReply *head)
{
  g_autoptr (GBytes) body = NULL;
  TachoHttpReply *reply;

  if (tacho_endpoint_get_protocol (run->endpoint) == TACHO_PROTOCOL_GRPC &&
      run->body->len >= TACHO_GRPC_FRAME_HEADER)
    g_byte_array_remove_range (run->body, 0, TACHO_GRPC_FRAME_HEADER);
  body = g_byte_array_free_to_bytes (g_steal_pointer (&run->body));
  reply = tacho_http_reply_new (head->status, body);
  for (guint i = 0; i < head->headers->len; i++)
    {
      const TachoHeader *header = g_ptr_array_index (head->headers, i);

      tacho_http_reply_add_header (reply, header->name, header->value);
    }
  return reply;
}

static gboolean
finish_whole (Run *run, const TachoHttpReply *head, GError **error)
{
  g_autoptr (TachoHttpReply) reply = whole_reply (run, head);
  g_autoptr (TachoGenerateReply) parsed =
      tacho_api_parse_generate (run->api, run->operation, reply, error);

  if (parsed == NULL)
    return FALSE;
  run->stage = TACHO_STAGE_DONE;
  tacho_generation_end_attempt (run->generation, TACHO_STAGE_DONE, NULL, NULL, 0);
  tacho_generation_take_reply (run->generation, parsed, run->now_ns);
  return TRUE;
}

static gboolean
is_success (const TachoHttpReply *reply)
{
  const char *status = tacho_http_reply_get_header (reply, "grpc-status");

  return reply->status >= 200 && reply->status < 300 &&
         (status == NULL || strcmp (status, "0") == 0);
}

static gboolean
finish_reply (Run *run, const TachoHttpReply *reply, GError **error)
{
  if (!is_success (reply))
    {
      GError *reason = tacho_endpoint_redirect_error (run->endpoint, reply);

      tacho_generation_set_http_status (run->generation, reply->status);
      g_propagate_error (error, reason != NULL ? reason : tacho_api_error_from_reply (reply));
      return FALSE;
    }
  if (run->decoder != NULL)
    return tacho_stream_decoder_finish (run->decoder, event_func, run, error);
  return run->body != NULL && finish_whole (run, reply, error);
}

static void
exchanged_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Run *run = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = NULL;
  gboolean done;

  reply = tacho_transport_stream_finish (TACHO_TRANSPORT (source), result, &error);
  if (reply != NULL && reply->body != NULL)
    tacho_generation_keep_reply (run->generation, g_bytes_get_data (reply->body, NULL),
                                 g_bytes_get_size (reply->body));
  done = tacho_generation_get_state (run->generation) == TACHO_GENERATION_DONE ||
         (reply != NULL && finish_reply (run, reply, &error));
  if (done)
    {
      tacho_client_manager_note (run->manager, run->endpoint, NULL);
      run_free (run);
      return;
    }
  if (error == NULL)
    g_set_error_literal (&error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                         "The server answered with nothing at all");
  failed (run, reply, error);
}

/* --- an attempt --- */

static void
add_request_id (Run *run, TachoHttpRequest *request)
{
  tacho_http_request_add_header (request, "X-Request-Id", run->request_id);
  if (tacho_endpoint_get_protocol (run->endpoint) == TACHO_PROTOCOL_REST)
    tacho_http_request_add_header (request, "Idempotency-Key", run->request_id);
}

static void
send_generation (Run *run)
{
  static const TachoStreamFuncs funcs = { sent_func, head_func, data_func };
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpRequest) request = tacho_api_build_generate (run->api, run->request, &error);
  TachoTransport *transport =
      request != NULL ? tacho_endpoint_ensure_transport (run->endpoint, &error) : NULL;

  if (transport == NULL)
    {
      failed (run, NULL, error);
      return;
    }
  run->streamed = run->request->stream || request->streaming;
  add_request_id (run, request);
  tacho_generation_keep_request (run->generation, request);
  tacho_transport_stream_async (transport, request, &funcs, run,
                                tacho_generation_get_cancellable (run->generation), exchanged_cb,
                                run);
}

static void
prepared_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Run *run = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = NULL;

  reply = tacho_transport_send_finish (TACHO_TRANSPORT (source), result, &error);
  if (reply != NULL && tacho_api_parse_prepare (run->api, run->request, reply, &error))
    prepare (run);
  else
    failed (run, reply, error);
}

/* A question that never ends would be the family's mistake, not the server's. */
static void
prepare (Run *run)
{
  g_autoptr (TachoHttpRequest) question =
      run->prepared < MAX_PREPARE ? tacho_api_build_prepare (run->api, run->request) : NULL;
  g_autoptr (GError) error = NULL;
  TachoTransport *transport;

  if (question == NULL)
    {
      send_generation (run);
      return;
    }
  run->prepared++;
  transport = tacho_endpoint_ensure_transport (run->endpoint, &error);
  if (transport == NULL)
    failed (run, NULL, error);
  else
    tacho_transport_send_async (transport, question, TACHO_ENDPOINT_PROBE_TOTAL_S,
                                tacho_generation_get_cancellable (run->generation), prepared_cb,
                                run);
}

/* Of the first attempt the transport minds the total time; of all together this does. */
static gboolean
deadline_cb (gpointer user_data)
{
  Run *run = user_data;
  g_autoptr (GError) error =
      g_error_new (TACHO_ERROR, TACHO_ERROR_TIMEOUT_TOTAL, "No answer within %g s, in %u attempts",
                   tacho_profile_get_timeout (tacho_client_manager_get_profile (run->manager),
                                              TACHO_TIMEOUT_TOTAL),
                   run->attempts);

  g_clear_pointer (&run->deadline, destroy_source);
  tacho_generation_fail (run->generation, error);
  g_cancellable_cancel (tacho_generation_get_cancellable (run->generation));
  return G_SOURCE_REMOVE;
}

static GError *
no_side_error (Run *run)
{
  TachoApi *api = tacho_client_manager_get_api (run->manager);
  g_autofree char *description = NULL;

  if (api == NULL)
    return g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "The connection was closed");
  description = tacho_api_describe (api);
  return g_error_new (TACHO_ERROR, TACHO_ERROR_UNSUPPORTED, "%s cannot %s", description,
                      tacho_operation_to_string (run->operation));
}

static void
attempt (Run *run)
{
  TachoEndpoint *endpoint = tacho_client_manager_route (run->manager, run->operation,
                                                        run->fail_over ? run->endpoint : NULL);

  if (endpoint == NULL)
    {
      g_autoptr (GError) error = no_side_error (run);

      tacho_generation_fail (run->generation, error);
      run_free (run);
      return;
    }
  if (run->attempts == 1 && run->deadline_ns != 0)
    run->deadline = start_timer ((guint) (MAX (left_s (run), 0.001) * 1000), deadline_cb, run);
  run->attempts++;
  g_set_object (&run->endpoint, endpoint);
  g_set_object (&run->api, tacho_endpoint_get_api (endpoint));
  tacho_generation_begin_attempt (run->generation, tacho_endpoint_get_protocol (endpoint),
                                  tacho_endpoint_get_target (endpoint));
  prepare (run);
}

static void
ensured_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Run *run = user_data;
  g_autoptr (GError) error = NULL;
  double total_s = tacho_profile_get_timeout (tacho_client_manager_get_profile (run->manager),
                                              TACHO_TIMEOUT_TOTAL);

  if (tacho_client_manager_ensure_finish (run->manager, result, &error) &&
      !tacho_generation_is_ended (run->generation))
    {
      if (total_s > 0)
        run->deadline_ns = tacho_clock_now_ns () + (gint64) (total_s * (double) TACHO_NS_PER_S);
      attempt (run);
      return;
    }
  if (error != NULL)
    tacho_generation_fail (run->generation, error);
  run_free (run);
}

/**
 * tacho_generation_run_start:
 * @manager: whose server generates
 * @generation: filled until it has ended
 * @request: what to generate; copied
 *
 * Probes first if that was not done.
 */
void
tacho_generation_run_start (TachoClientManager *manager,
                            TachoGeneration *generation,
                            const TachoGenerateRequest *request)
{
  Run *run = g_new0 (Run, 1);

  run->manager = g_object_ref (manager);
  run->generation = g_object_ref (generation);
  run->request = tacho_generate_request_copy (request);
  run->operation = request->raw ? TACHO_OP_COMPLETION : TACHO_OP_CHAT;
  run->request_id = g_uuid_string_random ();
  tacho_client_manager_ensure_async (manager, tacho_generation_get_cancellable (generation),
                                     ensured_cb, run);
}
