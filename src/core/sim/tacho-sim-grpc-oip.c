/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inference.GRPCInferenceService as Triton and as KServe have it: the server, its models, their
 * configuration and statistics. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-grpc-oip.h"

/* --- the server ------------------------------------------------------------------------------- */

static void
server_live (TachoSimRpc *rpc, gpointer request)
{
  Inference__ServerLiveResponse response = INFERENCE__SERVER_LIVE_RESPONSE__INIT;

  response.live = TRUE;
  tacho_sim_rpc_reply (rpc, &response.base);
}

static void
server_ready (TachoSimRpc *rpc, gpointer request)
{
  Inference__ServerReadyResponse response = INFERENCE__SERVER_READY_RESPONSE__INIT;

  response.ready = !tacho_sim_engine_is_asleep (rpc->grpc->host->engine);
  tacho_sim_rpc_reply (rpc, &response.base);
}

static void
server_metadata (TachoSimRpc *rpc, gpointer request)
{
  static const char *const triton[] = {
    "classification",      "sequence",           "model_repository", "schedule_policy",
    "model_configuration", "binary_tensor_data", "parameters",       "statistics",
  };
  static const char *const kserve[] = { "model_repository_extension" };
  gboolean is_kserve = rpc->grpc->shape == TACHO_SIM_GRPC_KSERVE;
  Inference__ServerMetadataResponse response = INFERENCE__SERVER_METADATA_RESPONSE__INIT;

  response.name = (char *) (is_kserve ? "kserve" : "triton");
  response.version = (char *) ("tacho-sim-" TACHO_VERSION);
  response.n_extensions = is_kserve ? G_N_ELEMENTS (kserve) : G_N_ELEMENTS (triton);
  response.extensions = (char **) (is_kserve ? kserve : triton);
  tacho_sim_rpc_reply (rpc, &response.base);
}

/* --- models ----------------------------------------------------------------------------------- */

/**
 * tacho_sim_oip_find:
 * @rpc: a call
 * @name: of a model
 * @version: "" or "1"
 * @ready: whether it has to be loaded
 * @status: (out): what the call ends with
 * @message: (out): what is wrong
 *
 * Returns: (transfer none) (nullable): the model
 */
TachoSimRuntime *
tacho_sim_oip_find (TachoSimRpc *rpc,
                    const char *name,
                    const char *version,
                    gboolean ready,
                    grpc_status_code *status,
                    char **message)
{
  TachoSimRuntime *runtime = tacho_sim_engine_find (rpc->grpc->host->engine, name);
  gboolean kserve = rpc->grpc->shape == TACHO_SIM_GRPC_KSERVE;

  if (runtime != NULL && *version != '\0' && !g_str_equal (version, "1"))
    runtime = NULL;
  if (runtime == NULL)
    {
      *status = GRPC_STATUS_NOT_FOUND;
      *message = g_strdup_printf (kserve ? "Model with name %s does not exist."
                                         : "Request for unknown model: '%s' is not found",
                                  name);
      return NULL;
    }
  if (!ready || runtime->status == TACHO_SIM_LOADED)
    return runtime;
  *status = GRPC_STATUS_UNAVAILABLE;
  *message = g_strdup_printf (kserve ? "Model with name %s is not ready."
                                     : "Request for unknown model: '%s' has no available versions",
                              name);
  return NULL;
}

/* Ends the call if the model is not there. */
static TachoSimRuntime *
find_or_finish (TachoSimRpc *rpc, const char *name, const char *version, gboolean ready)
{
  grpc_status_code status = GRPC_STATUS_INTERNAL;
  g_autofree char *message = NULL;
  TachoSimRuntime *runtime = tacho_sim_oip_find (rpc, name, version, ready, &status, &message);

  if (runtime == NULL)
    tacho_sim_rpc_finish (rpc, status, "%s", message);
  return runtime;
}

/* Triton says of a model that it does not know: not ready. */
static void
model_ready (TachoSimRpc *rpc, gpointer request)
{
  const Inference__ModelReadyRequest *model = request;
  TachoSimRuntime *runtime = tacho_sim_engine_find (rpc->grpc->host->engine, model->name);
  Inference__ModelReadyResponse response = INFERENCE__MODEL_READY_RESPONSE__INIT;

  if (rpc->grpc->shape == TACHO_SIM_GRPC_KSERVE &&
      find_or_finish (rpc, model->name, model->version, FALSE) == NULL)
    return;
  response.ready = runtime != NULL && runtime->status == TACHO_SIM_LOADED;
  tacho_sim_rpc_reply (rpc, &response.base);
}

typedef Inference__ModelMetadataResponse__TensorMetadata Metadata;

static guint
count_tensors (const TachoSimTensor *tensors)
{
  guint n = 0;

  while (tensors[n].name != NULL)
    n++;
  return n;
}

/* shapes: of two for each tensor */
static Metadata **
make_metadata (const TachoSimBackend *backend, const TachoSimTensor *tensors, gint64 *shapes)
{
  guint n = count_tensors (tensors);
  Metadata **list = g_new0 (Metadata *, n + 1);

  for (guint i = 0; i < n; i++)
    {
      list[i] = g_new (Metadata, 1);
      inference__model_metadata_response__tensor_metadata__init (list[i]);
      shapes[2 * i] = -1;
      shapes[2 * i + 1] = tensors[i].dim;
      list[i]->name = (char *) tensors[i].name;
      list[i]->datatype = (char *) tacho_sim_oip_type_name (tensors[i].type);
      list[i]->n_shape = backend->max_batch_size > 0 ? 2 : 1;
      list[i]->shape = shapes + 2 * i + (backend->max_batch_size > 0 ? 0 : 1);
    }
  return list;
}

static void
model_metadata (TachoSimRpc *rpc, gpointer request)
{
  const Inference__ModelMetadataRequest *model = request;
  TachoSimRuntime *runtime = find_or_finish (rpc, model->name, model->version, TRUE);
  Inference__ModelMetadataResponse response = INFERENCE__MODEL_METADATA_RESPONSE__INIT;
  const TachoSimBackend *backend;
  g_autofree gint64 *input_shapes = NULL;
  g_autofree gint64 *output_shapes = NULL;
  char *version = (char *) "1";

  if (runtime == NULL)
    return;
  backend = tacho_sim_oip_get_backend (rpc->grpc, runtime->model);
  response.name = runtime->model->id;
  response.n_versions = 1;
  response.versions = &version;
  response.platform =
      (char *) (g_str_equal (runtime->model->id, "ensemble") ? "ensemble" : backend->backend);
  response.n_inputs = count_tensors (backend->inputs);
  response.n_outputs = count_tensors (backend->outputs);
  input_shapes = g_new (gint64, 2 * response.n_inputs);
  output_shapes = g_new (gint64, 2 * response.n_outputs);
  response.inputs = make_metadata (backend, backend->inputs, input_shapes);
  response.outputs = make_metadata (backend, backend->outputs, output_shapes);
  tacho_sim_rpc_reply (rpc, &response.base);
  g_strfreev ((char **) response.inputs);
  g_strfreev ((char **) response.outputs);
}

static Inference__ModelInput **
make_inputs (const TachoSimTensor *tensors)
{
  guint n = count_tensors (tensors);
  Inference__ModelInput **list = g_new0 (Inference__ModelInput *, n + 1);

  for (guint i = 0; i < n; i++)
    {
      list[i] = g_new (Inference__ModelInput, 1);
      inference__model_input__init (list[i]);
      list[i]->name = (char *) tensors[i].name;
      list[i]->data_type = tensors[i].type;
      list[i]->n_dims = 1;
      list[i]->dims = (gint64 *) &tensors[i].dim;
      list[i]->optional = !tensors[i].required;
    }
  return list;
}

static Inference__ModelOutput **
make_outputs (const TachoSimTensor *tensors)
{
  guint n = count_tensors (tensors);
  Inference__ModelOutput **list = g_new0 (Inference__ModelOutput *, n + 1);

  for (guint i = 0; i < n; i++)
    {
      list[i] = g_new (Inference__ModelOutput, 1);
      inference__model_output__init (list[i]);
      list[i]->name = (char *) tensors[i].name;
      list[i]->data_type = tensors[i].type;
      list[i]->n_dims = 1;
      list[i]->dims = (gint64 *) &tensors[i].dim;
    }
  return list;
}

static void
model_config (TachoSimRpc *rpc, gpointer request)
{
  const Inference__ModelConfigRequest *model = request;
  TachoSimRuntime *runtime = find_or_finish (rpc, model->name, model->version, TRUE);
  Inference__ModelConfigResponse response = INFERENCE__MODEL_CONFIG_RESPONSE__INIT;
  Inference__ModelConfig config = INFERENCE__MODEL_CONFIG__INIT;
  Inference__ModelTransactionPolicy policy = INFERENCE__MODEL_TRANSACTION_POLICY__INIT;
  const TachoSimBackend *backend;

  if (runtime == NULL)
    return;
  backend = tacho_sim_oip_get_backend (rpc->grpc, runtime->model);
  policy.decoupled = backend->decoupled;
  config.name = runtime->model->id;
  config.platform = (char *) (g_str_equal (runtime->model->id, "ensemble") ? "ensemble" : "");
  config.backend = (char *) backend->backend;
  config.max_batch_size = backend->max_batch_size;
  config.n_input = count_tensors (backend->inputs);
  config.input = make_inputs (backend->inputs);
  config.n_output = count_tensors (backend->outputs);
  config.output = make_outputs (backend->outputs);
  config.model_transaction_policy = &policy;
  response.config = &config;
  tacho_sim_rpc_reply (rpc, &response.base);
  g_strfreev ((char **) config.input);
  g_strfreev ((char **) config.output);
}

/* --- statistics ------------------------------------------------------------------------------- */

typedef struct
{
  Inference__ModelStatistics model;
  Inference__InferStatistics infer;
  Inference__StatisticDuration success, fail, queue, compute, none;
} Statistics;

static void
set_duration (Inference__StatisticDuration *duration, guint64 count, gint64 ns)
{
  inference__statistic_duration__init (duration);
  duration->count = count;
  duration->ns = (guint64) ns;
}

static Inference__ModelStatistics *
make_statistics (TachoSimRpc *rpc, const TachoSimRuntime *runtime)
{
  const TachoSimGrpcStats *stats = tacho_sim_grpc_get_stats (rpc->grpc, runtime->model->id);
  Statistics *statistics = g_new0 (Statistics, 1);

  inference__model_statistics__init (&statistics->model);
  inference__infer_statistics__init (&statistics->infer);
  set_duration (&statistics->success, stats->success, stats->success_ns);
  set_duration (&statistics->fail, stats->fail + stats->cancel, stats->fail_ns);
  set_duration (&statistics->queue, stats->success, stats->queue_ns);
  set_duration (&statistics->compute, stats->success, stats->infer_ns);
  set_duration (&statistics->none, 0, 0);
  statistics->infer.success = &statistics->success;
  statistics->infer.fail = &statistics->fail;
  statistics->infer.queue = &statistics->queue;
  statistics->infer.compute_input = &statistics->none;
  statistics->infer.compute_infer = &statistics->compute;
  statistics->infer.compute_output = &statistics->none;
  statistics->infer.cache_hit = &statistics->none;
  statistics->infer.cache_miss = &statistics->none;
  statistics->model.name = runtime->model->id;
  statistics->model.version = (char *) "1";
  statistics->model.last_inference = (guint64) stats->last_ms;
  statistics->model.inference_count = stats->success;
  statistics->model.execution_count = stats->success;
  statistics->model.inference_stats = &statistics->infer;
  return &statistics->model; /* the first member */
}

static void
model_statistics (TachoSimRpc *rpc, gpointer request)
{
  const Inference__ModelStatisticsRequest *model = request;
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (rpc->grpc->host->engine);
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (g_free);
  Inference__ModelStatisticsResponse response = INFERENCE__MODEL_STATISTICS_RESPONSE__INIT;

  if (*model->name != '\0' && find_or_finish (rpc, model->name, model->version, TRUE) == NULL)
    return;
  for (guint i = 0; i < runtimes->len; i++)
    {
      const TachoSimRuntime *runtime = g_ptr_array_index (runtimes, i);

      if (runtime->status == TACHO_SIM_LOADED &&
          (*model->name == '\0' || g_str_equal (model->name, runtime->model->id)))
        g_ptr_array_add (list, make_statistics (rpc, runtime));
    }
  response.n_model_stats = list->len;
  response.model_stats = (gpointer) list->pdata;
  tacho_sim_rpc_reply (rpc, &response.base);
}

/* --- the service ------------------------------------------------------------------------------ */

#define SERVICE "/inference.GRPCInferenceService/"
#define TRITON (TACHO_SIM_GRPC_TRITON | TACHO_SIM_GRPC_ALL)
#define BOTH (TRITON | TACHO_SIM_GRPC_KSERVE)

const TachoSimMethod tacho_sim_oip_methods[] = {
  { .path = SERVICE "ServerLive",
    .shapes = BOTH,
    .request = &inference__server_live_request__descriptor,
    .message = server_live },
  { .path = SERVICE "ServerReady",
    .shapes = BOTH,
    .request = &inference__server_ready_request__descriptor,
    .message = server_ready },
  { .path = SERVICE "ServerMetadata",
    .shapes = BOTH,
    .request = &inference__server_metadata_request__descriptor,
    .message = server_metadata },
  { .path = SERVICE "ModelReady",
    .shapes = BOTH,
    .request = &inference__model_ready_request__descriptor,
    .message = model_ready },
  { .path = SERVICE "ModelMetadata",
    .shapes = BOTH,
    .request = &inference__model_metadata_request__descriptor,
    .message = model_metadata },
  { .path = SERVICE "ModelInfer",
    .shapes = BOTH,
    .request = &inference__model_infer_request__descriptor,
    .generation = TRUE,
    .message = tacho_sim_oip_infer },
  { .path = SERVICE "ModelStreamInfer",
    .shapes = TRITON,
    .request = &inference__model_infer_request__descriptor,
    .generation = TRUE,
    .many = TRUE,
    .message = tacho_sim_oip_stream,
    .half_closed = tacho_sim_oip_stream_closed,
    .in_band = tacho_sim_oip_stream_error },
  { .path = SERVICE "ModelConfig",
    .shapes = TRITON,
    .request = &inference__model_config_request__descriptor,
    .message = model_config },
  { .path = SERVICE "ModelStatistics",
    .shapes = TRITON,
    .request = &inference__model_statistics_request__descriptor,
    .message = model_statistics },
  { .path = SERVICE "RepositoryIndex",
    .shapes = TRITON,
    .request = &inference__repository_index_request__descriptor,
    .message = tacho_sim_oip_index },
  { .path = SERVICE "RepositoryModelLoad",
    .shapes = TRITON,
    .request = &inference__repository_model_load_request__descriptor,
    .message = tacho_sim_oip_load },
  { .path = SERVICE "RepositoryModelUnload",
    .shapes = TRITON,
    .request = &inference__repository_model_unload_request__descriptor,
    .message = tacho_sim_oip_unload },
  { .path = SERVICE "RepositoryModelLoad",
    .shapes = TACHO_SIM_GRPC_KSERVE,
    .request = &inference__kserve_model_load_request__descriptor,
    .message = tacho_sim_kserve_load },
  { .path = SERVICE "RepositoryModelUnload",
    .shapes = TACHO_SIM_GRPC_KSERVE,
    .request = &inference__kserve_model_unload_request__descriptor,
    .message = tacho_sim_kserve_unload },
  { .path = NULL },
};
