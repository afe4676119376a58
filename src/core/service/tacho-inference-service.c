/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs generations: request, stream, verdict, totals. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-inference-service.h"

#include "service/tacho-generation-private.h"
#include "service/tacho-generation-run.h"

struct _TachoInferenceService
{
  GObject parent_instance;

  TachoClientManager *manager;
  TachoInferenceTotals totals;
  GPtrArray *running; /* of TachoGeneration, owned */
};

G_DEFINE_FINAL_TYPE (TachoInferenceService, tacho_inference_service, G_TYPE_OBJECT)

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
 * Starts a generation; probes the server first if that was not done. An attempt that
 * fails is made again, here or on the other side, only while nothing of an answer was delivered: a
 * second one after that could be answered, and paid for, twice.
 *
 * Returns: (transfer full): the generation, or %NULL with %TACHO_ERROR_INVALID
 */
TachoGeneration *
tacho_inference_service_start (TachoInferenceService *self,
                               const TachoGenerateRequest *request,
                               GError **error)
{
  g_autoptr (TachoGeneration) generation = NULL;

  g_return_val_if_fail (TACHO_IS_INFERENCE_SERVICE (self), NULL);
  g_return_val_if_fail (request != NULL, NULL);

  if (!tacho_generate_request_validate (request, error))
    return NULL;
  generation = tacho_generation_new (request->stream);
  self->totals.started++;
  g_ptr_array_add (self->running, g_object_ref (generation));
  g_signal_connect_object (generation, "ended", G_CALLBACK (ended_cb), self, G_CONNECT_SWAPPED);
  tacho_generation_run_start (self->manager, generation, request);
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
