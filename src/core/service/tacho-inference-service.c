/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs generations: request, stream, verdict, totals. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-inference-service.h"

#include "api/tacho-stream-decoder.h"
#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "service/tacho-client-manager-private.h"
#include "service/tacho-generation-private.h"

#define MAX_REPLY ((gsize) 64 * 1024 * 1024)
/* After the terminal marker the connection is kept for reuse if the body ends this soon. */
#define DRAIN_MS 1000

struct _TachoInferenceService
{
  GObject parent_instance;

  TachoClientManager *manager;
  TachoInferenceTotals totals;
  GPtrArray *running; /* of TachoGeneration, owned */
};

G_DEFINE_FINAL_TYPE (TachoInferenceService, tacho_inference_service, G_TYPE_OBJECT)

/* One generation on its way. */
typedef struct
{
  TachoClientManager *manager;
  TachoGeneration *generation;
  TachoGenerateRequest *request;
  TachoApi *api;
  TachoOperation operation;
  TachoStreamDecoder *decoder; /* NULL: the reply is read whole */
  GByteArray *body;
  gint64 now_ns;    /* stamp of the read that is decoded */
  gboolean refused; /* the decoder's verdict ended the exchange, not the network */
  GSource *drain;
} Run;

static void
run_free (Run *run)
{
  if (run->drain != NULL)
    {
      g_source_destroy (run->drain);
      g_source_unref (run->drain);
    }
  g_clear_object (&run->manager);
  g_clear_object (&run->generation);
  g_clear_object (&run->api);
  g_clear_pointer (&run->request, tacho_generate_request_free);
  g_clear_pointer (&run->decoder, tacho_stream_decoder_free);
  g_clear_pointer (&run->body, g_byte_array_unref);
  g_free (run);
}

static gboolean
drained_cb (gpointer user_data)
{
  Run *run = user_data;

  g_cancellable_cancel (tacho_generation_get_cancellable (run->generation));
  return G_SOURCE_REMOVE;
}

static void
start_drain (Run *run)
{
  if (run->drain != NULL)
    return;
  run->drain = g_timeout_source_new (DRAIN_MS);
  g_source_set_callback (run->drain, drained_cb, run, NULL);
  g_source_attach (run->drain, g_main_context_get_thread_default ());
}

/* --- what the exchange tells --- */

static void
sent_func (gint64 now_ns, gboolean reused, gpointer user_data)
{
  Run *run = user_data;

  tacho_generation_sent (run->generation, now_ns, reused);
}

static gboolean
head_func (const TachoHttpReply *head, gpointer user_data, GError **error)
{
  Run *run = user_data;
  const char *type = tacho_http_reply_get_header (head, "Content-Type");

  tacho_generation_set_http_status (run->generation, head->status);
  /* Some servers know no streaming and answer whole, whatever was asked. */
  if (run->request->stream &&
      (type == NULL || g_ascii_strncasecmp (type, "application/json", 16) != 0))
    run->decoder = tacho_stream_decoder_new (run->api, run->operation, TACHO_DECODE_FULL);
  else
    run->body = g_byte_array_new ();
  return TRUE;
}

static void
event_func (const TachoStreamEvent *event, gpointer user_data)
{
  Run *run = user_data;

  tacho_generation_take_event (run->generation, event, run->now_ns);
}

static gboolean
data_func (const char *data, gsize length, gint64 now_ns, gpointer user_data, GError **error)
{
  Run *run = user_data;

  run->now_ns = now_ns;
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
  if (tacho_stream_decoder_is_done (run->decoder))
    start_drain (run);
  return TRUE;
}

/* --- the end of the exchange --- */

static void
finish_stream (Run *run)
{
  g_autoptr (GError) error = NULL;

  if (!tacho_stream_decoder_finish (run->decoder, event_func, run, &error))
    tacho_generation_fail (run->generation, error);
}

static void
finish_whole (Run *run, const TachoHttpReply *head)
{
  g_autoptr (GBytes) body = g_byte_array_free_to_bytes (g_steal_pointer (&run->body));
  g_autoptr (TachoHttpReply) reply = tacho_http_reply_new (head->status, body);
  g_autoptr (TachoGenerateReply) parsed = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < head->headers->len; i++)
    {
      const TachoHeader *header = g_ptr_array_index (head->headers, i);

      tacho_http_reply_add_header (reply, header->name, header->value);
    }
  parsed = tacho_api_parse_generate (run->api, run->operation, reply, &error);
  if (parsed != NULL)
    tacho_generation_take_reply (run->generation, parsed, run->now_ns);
  else
    tacho_generation_fail (run->generation, error);
}

static void
exchanged_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Run *run = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = NULL;

  reply = tacho_http_client_stream_finish (TACHO_HTTP_CLIENT (source), result, &error);
  if (run->refused || tacho_generation_get_state (run->generation) == TACHO_GENERATION_DONE)
    tacho_client_manager_note (run->manager, NULL); /* the network did its part */
  else
    tacho_client_manager_note (run->manager, error);
  if (reply == NULL)
    tacho_generation_fail (run->generation, error);
  else if (run->decoder != NULL)
    finish_stream (run);
  else if (run->body != NULL)
    finish_whole (run, reply);
  else
    {
      tacho_generation_set_http_status (run->generation, reply->status);
      error = tacho_client_manager_redirect_error (run->manager, reply);
      if (error == NULL)
        error = tacho_api_error_from_reply (reply);
      tacho_generation_fail (run->generation, error);
    }
  run_free (run);
}

static void
ensured_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  static const TachoStreamFuncs funcs = { sent_func, head_func, data_func };
  Run *run = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpRequest) request = NULL;
  TachoHttpClient *http = NULL;

  if (tacho_client_manager_ensure_finish (run->manager, result, &error) &&
      !tacho_generation_is_ended (run->generation) &&
      g_set_object (&run->api, tacho_client_manager_get_api (run->manager)))
    {
      request = tacho_api_build_generate (run->api, run->request, &error);
      http = tacho_client_manager_get_http (run->manager);
    }
  if (request != NULL && http != NULL)
    {
      tacho_http_client_stream_async (http, request, &funcs, run,
                                      tacho_generation_get_cancellable (run->generation),
                                      exchanged_cb, run);
      return;
    }
  if (error == NULL)
    g_set_error_literal (&error, TACHO_ERROR, TACHO_ERROR_CANCELLED, "The connection was closed");
  tacho_generation_fail (run->generation, error);
  run_free (run);
}

/* --- the service --- */

static void
ended_cb (TachoInferenceService *self, TachoGeneration *generation)
{
  TachoGenerationMetrics metrics;

  tacho_generation_get_metrics (generation, &metrics);
  switch (tacho_generation_get_state (generation))
    {
    case TACHO_GENERATION_DONE:
      self->totals.ok++;
      break;
    case TACHO_GENERATION_TRUNCATED:
      self->totals.truncated++;
      break;
    case TACHO_GENERATION_CANCELLED:
      self->totals.cancelled++;
      break;
    case TACHO_GENERATION_WAITING:
    case TACHO_GENERATION_READING:
    case TACHO_GENERATION_GENERATING:
    case TACHO_GENERATION_FAILED:
    default:
      self->totals.failed++;
    }
  self->totals.prompt_tokens += (guint64) MAX (metrics.prompt_tokens, 0);
  self->totals.output_tokens += (guint64) MAX (metrics.output_tokens, 0);
  g_ptr_array_remove_fast (self->running, generation);
}

static void
tacho_inference_service_dispose (GObject *object)
{
  TachoInferenceService *self = TACHO_INFERENCE_SERVICE (object);

  tacho_inference_service_cancel_all (self);
  g_clear_object (&self->manager);

  G_OBJECT_CLASS (tacho_inference_service_parent_class)->dispose (object);
}

static void
tacho_inference_service_finalize (GObject *object)
{
  TachoInferenceService *self = TACHO_INFERENCE_SERVICE (object);

  g_ptr_array_unref (self->running);

  G_OBJECT_CLASS (tacho_inference_service_parent_class)->finalize (object);
}

static void
tacho_inference_service_class_init (TachoInferenceServiceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = tacho_inference_service_dispose;
  object_class->finalize = tacho_inference_service_finalize;
}

static void
tacho_inference_service_init (TachoInferenceService *self)
{
  self->running = g_ptr_array_new_with_free_func (g_object_unref);
}

/**
 * tacho_inference_service_new:
 * @manager: whose server generates
 *
 * Returns: (transfer full): the service
 */
TachoInferenceService *
tacho_inference_service_new (TachoClientManager *manager)
{
  TachoInferenceService *self;

  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (manager), NULL);

  self = g_object_new (TACHO_TYPE_INFERENCE_SERVICE, NULL);
  self->manager = g_object_ref (manager);
  return self;
}

/**
 * tacho_inference_service_start:
 * @self: a service
 * @request: what to generate; copied
 * @error: return location
 *
 * Starts a generation; probes the server first if that was not done. A generation that has begun is
 * never repeated by itself: a second try could be answered, and paid for, twice.
 *
 * Returns: (transfer full): the generation, or %NULL with %TACHO_ERROR_INVALID
 */
TachoGeneration *
tacho_inference_service_start (TachoInferenceService *self,
                               const TachoGenerateRequest *request,
                               GError **error)
{
  g_autoptr (TachoGeneration) generation = NULL;
  Run *run;

  g_return_val_if_fail (TACHO_IS_INFERENCE_SERVICE (self), NULL);
  g_return_val_if_fail (request != NULL, NULL);

  if (!tacho_generate_request_validate (request, error))
    return NULL;
  generation = tacho_generation_new (request->stream);
  self->totals.started++;
  g_ptr_array_add (self->running, g_object_ref (generation));
  g_signal_connect_object (generation, "ended", G_CALLBACK (ended_cb), self, G_CONNECT_SWAPPED);
  run = g_new0 (Run, 1);
  run->manager = g_object_ref (self->manager);
  run->generation = g_object_ref (generation);
  run->request = tacho_generate_request_copy (request);
  run->operation = request->raw ? TACHO_OP_COMPLETION : TACHO_OP_CHAT;
  tacho_client_manager_ensure_async (self->manager, tacho_generation_get_cancellable (generation),
                                     ensured_cb, run);
  return g_steal_pointer (&generation);
}

typedef struct
{
  TachoGeneration *generation;
  GSource *cancel_source;
} Execution;

static void
execution_free (gpointer data)
{
  Execution *execution = data;

  if (execution->cancel_source != NULL)
    {
      g_source_destroy (execution->cancel_source);
      g_source_unref (execution->cancel_source);
    }
  g_clear_object (&execution->generation);
  g_free (execution);
}

static gboolean
execution_cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  tacho_generation_cancel (user_data);
  return G_SOURCE_REMOVE;
}

static void
executed_cb (TachoGeneration *generation, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Execution *execution = g_task_get_task_data (task);

  g_signal_handlers_disconnect_by_func (generation, executed_cb, user_data);
  if (execution->cancel_source != NULL)
    g_source_destroy (execution->cancel_source);
  if (tacho_generation_get_state (generation) == TACHO_GENERATION_DONE)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_error_copy (tacho_generation_get_error (generation)));
}

/**
 * tacho_inference_service_execute_async:
 * @self: a service
 * @request: what to generate; copied
 * @cancellable: (nullable): cancels the generation
 * @callback: called once, when the generation has ended
 * @user_data: for @callback
 *
 * Runs a generation to its end.
 */
void
tacho_inference_service_execute_async (TachoInferenceService *self,
                                       const TachoGenerateRequest *request,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  Execution *execution;
  GError *error = NULL;

  g_return_if_fail (TACHO_IS_INFERENCE_SERVICE (self));
  g_return_if_fail (request != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, tacho_inference_service_execute_async);
  g_task_set_check_cancellable (task, FALSE);
  execution = g_new0 (Execution, 1);
  g_task_set_task_data (task, execution, execution_free);
  execution->generation = tacho_inference_service_start (self, request, &error);
  if (execution->generation == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  if (cancellable != NULL)
    {
      execution->cancel_source = g_cancellable_source_new (cancellable);
      g_source_set_callback (execution->cancel_source, G_SOURCE_FUNC (execution_cancelled_cb),
                             execution->generation, NULL);
      g_source_attach (execution->cancel_source, g_main_context_get_thread_default ());
    }
  g_signal_connect (execution->generation, "ended", G_CALLBACK (executed_cb), g_object_ref (task));
}

/**
 * tacho_inference_service_execute_finish:
 * @self: a service
 * @result: the result
 * @generation: (out) (optional) (nullable) (transfer full): the generation, with what came of it;
 *   %NULL if the request was refused
 * @error: return location
 *
 * Returns: %TRUE only if the generation is %TACHO_GENERATION_DONE
 */
gboolean
tacho_inference_service_execute_finish (TachoInferenceService *self,
                                        GAsyncResult *result,
                                        TachoGeneration **generation,
                                        GError **error)
{
  Execution *execution;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  execution = g_task_get_task_data (G_TASK (result));
  if (generation != NULL)
    *generation = execution->generation != NULL ? g_object_ref (execution->generation) : NULL;
  return g_task_propagate_boolean (G_TASK (result), error);
}

static gpointer
copy_ref (gconstpointer object, gpointer unused)
{
  return g_object_ref ((gpointer) object);
}

/**
 * tacho_inference_service_get_totals:
 * @self: a service
 * @totals: (out caller-allocates): the sums over the generations of this service
 */
void
tacho_inference_service_get_totals (TachoInferenceService *self, TachoInferenceTotals *totals)
{
  g_return_if_fail (TACHO_IS_INFERENCE_SERVICE (self));
  g_return_if_fail (totals != NULL);
  *totals = self->totals;
}

/**
 * tacho_inference_service_cancel_all:
 * @self: a service
 *
 * Cancels every generation that runs.
 */
void
tacho_inference_service_cancel_all (TachoInferenceService *self)
{
  g_autoptr (GPtrArray) running = NULL;

  g_return_if_fail (TACHO_IS_INFERENCE_SERVICE (self));

  running = g_ptr_array_copy (self->running, copy_ref, NULL);
  g_ptr_array_set_free_func (running, g_object_unref);
  for (guint i = 0; i < running->len; i++)
    tacho_generation_cancel (g_ptr_array_index (running, i));
}
