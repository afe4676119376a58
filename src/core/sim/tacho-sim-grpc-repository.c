/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The model repository over gRPC: index, load, unload. A load is answered when the model is there.
 */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-grpc-oip.h"

/* --- index ------------------------------------------------------------------------------------ */

static void
describe (const TachoSimRuntime *runtime, Inference__RepositoryIndexResponse__ModelIndex *entry)
{
  inference__repository_index_response__model_index__init (entry);
  entry->name = runtime->model->id;
  if (runtime->status == TACHO_SIM_LOADED)
    {
      entry->version = (char *) "1";
      entry->state = (char *) "READY";
    }
  else if (runtime->status == TACHO_SIM_LOADING)
    {
      entry->version = (char *) "1";
      entry->state = (char *) "LOADING";
    }
  else if (runtime->failed)
    {
      entry->version = (char *) "1";
      entry->state = (char *) "UNAVAILABLE";
      entry->reason = runtime->model->load_failure;
    }
  else if (runtime->loaded_at != 0)
    {
      entry->version = (char *) "1";
      entry->state = (char *) "UNAVAILABLE";
      entry->reason = (char *) "unloaded";
    }
}

static gboolean
is_foreign_repository (TachoSimRpc *rpc, const char *repository)
{
  if (*repository != '\0')
    tacho_sim_rpc_finish (rpc, GRPC_STATUS_UNIMPLEMENTED,
                          "'repository_name' specification is not supported");
  return *repository != '\0';
}

/**
 * tacho_sim_oip_index:
 * @rpc: a call
 * @request: a RepositoryIndexRequest
 */
void
tacho_sim_oip_index (TachoSimRpc *rpc, gpointer request)
{
  const Inference__RepositoryIndexRequest *index = request;
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (rpc->grpc->host->engine);
  g_autofree Inference__RepositoryIndexResponse__ModelIndex *entries =
      g_new (Inference__RepositoryIndexResponse__ModelIndex, runtimes->len);
  g_autofree Inference__RepositoryIndexResponse__ModelIndex **pointers =
      g_new (Inference__RepositoryIndexResponse__ModelIndex *, runtimes->len);
  Inference__RepositoryIndexResponse response = INFERENCE__REPOSITORY_INDEX_RESPONSE__INIT;

  if (is_foreign_repository (rpc, index->repository_name))
    return;
  for (guint i = 0; i < runtimes->len; i++)
    {
      const TachoSimRuntime *runtime = g_ptr_array_index (runtimes, i);

      if (runtime->removed || (index->ready && runtime->status != TACHO_SIM_LOADED))
        continue;
      describe (runtime, &entries[i]);
      pointers[response.n_models++] = &entries[i];
    }
  response.models = pointers;
  tacho_sim_rpc_reply (rpc, &response.base);
}

/* --- load ------------------------------------------------------------------------------------- */

typedef struct
{
  TachoSimRpc *rpc;
  TachoSimRuntime *runtime;
  guint watch;
} Load;

static void
load_free (gpointer data)
{
  Load *load = data;

  tacho_sim_engine_unwatch (load->rpc->grpc->host->engine, load->watch);
  g_free (load);
}

static void
reply_loaded (TachoSimRpc *rpc, const TachoSimRuntime *runtime)
{
  Inference__RepositoryModelLoadResponse triton = INFERENCE__REPOSITORY_MODEL_LOAD_RESPONSE__INIT;
  Inference__KserveModelLoadResponse kserve = INFERENCE__KSERVE_MODEL_LOAD_RESPONSE__INIT;

  kserve.model_name = runtime->model->id;
  kserve.is_loaded = TRUE;
  tacho_sim_rpc_reply (rpc,
                       rpc->grpc->shape == TACHO_SIM_GRPC_KSERVE ? &kserve.base : &triton.base);
}

static void
watch_cb (TachoSimRuntime *runtime, gpointer user_data)
{
  Load *load = user_data;
  const TachoSimModel *model = load->runtime->model;

  if (runtime != load->runtime || load->rpc->ended)
    return;
  if (runtime->status == TACHO_SIM_LOADED)
    reply_loaded (load->rpc, runtime);
  else if (runtime->status == TACHO_SIM_UNLOADED)
    tacho_sim_rpc_finish (load->rpc, GRPC_STATUS_INVALID_ARGUMENT,
                          "load failed for model '%s': version 1 is at UNAVAILABLE state: "
                          "Internal: %s;",
                          model->id,
                          runtime->failed && model->load_failure ? model->load_failure
                                                                 : "unloaded meanwhile");
}

static void
load_model (TachoSimRpc *rpc, TachoSimRuntime *runtime)
{
  Load *load;

  if (runtime->status == TACHO_SIM_LOADED)
    {
      reply_loaded (rpc, runtime);
      return;
    }
  load = g_new0 (Load, 1);
  load->rpc = rpc;
  load->runtime = runtime;
  tacho_sim_rpc_set_data (rpc, load, load_free);
  tacho_sim_engine_load (rpc->grpc->host->engine, runtime);
  load->watch = tacho_sim_engine_watch (rpc->grpc->host->engine, watch_cb, load);
}

/**
 * tacho_sim_oip_load:
 * @rpc: a call
 * @request: a RepositoryModelLoadRequest, as Triton has it
 */
void
tacho_sim_oip_load (TachoSimRpc *rpc, gpointer request)
{
  const Inference__RepositoryModelLoadRequest *load = request;
  TachoSimRuntime *runtime;

  if (is_foreign_repository (rpc, load->repository_name))
    return;
  runtime = tacho_sim_engine_find (rpc->grpc->host->engine, load->model_name);
  if (runtime == NULL)
    tacho_sim_rpc_finish (rpc, GRPC_STATUS_INTERNAL,
                          "failed to load '%s', failed to poll from model repository",
                          load->model_name);
  else
    load_model (rpc, runtime);
}

/**
 * tacho_sim_oip_unload:
 * @rpc: a call
 * @request: a RepositoryModelUnloadRequest, as Triton has it
 *
 * A model that is not there is unloaded with success, as at Triton.
 */
void
tacho_sim_oip_unload (TachoSimRpc *rpc, gpointer request)
{
  const Inference__RepositoryModelUnloadRequest *unload = request;
  Inference__RepositoryModelUnloadResponse response =
      INFERENCE__REPOSITORY_MODEL_UNLOAD_RESPONSE__INIT;
  TachoSimRuntime *runtime;

  if (is_foreign_repository (rpc, unload->repository_name))
    return;
  runtime = tacho_sim_engine_find (rpc->grpc->host->engine, unload->model_name);
  if (runtime != NULL)
    tacho_sim_engine_unload (rpc->grpc->host->engine, runtime);
  tacho_sim_rpc_reply (rpc, &response.base);
}

/* --- KServe's messages ------------------------------------------------------------------------ */

static TachoSimRuntime *
find_kserve (TachoSimRpc *rpc, const char *name)
{
  TachoSimRuntime *runtime = tacho_sim_engine_find (rpc->grpc->host->engine, name);

  if (runtime == NULL)
    tacho_sim_rpc_finish (rpc, GRPC_STATUS_NOT_FOUND, "Model with name %s does not exist.", name);
  return runtime;
}

/**
 * tacho_sim_kserve_load:
 * @rpc: a call
 * @request: a RepositoryModelLoadRequest, as KServe has it
 */
void
tacho_sim_kserve_load (TachoSimRpc *rpc, gpointer request)
{
  TachoSimRuntime *runtime =
      find_kserve (rpc, ((Inference__KserveModelLoadRequest *) request)->model_name);

  if (runtime != NULL)
    load_model (rpc, runtime);
}

/**
 * tacho_sim_kserve_unload:
 * @rpc: a call
 * @request: a RepositoryModelUnloadRequest, as KServe has it
 */
void
tacho_sim_kserve_unload (TachoSimRpc *rpc, gpointer request)
{
  TachoSimRuntime *runtime =
      find_kserve (rpc, ((Inference__KserveModelUnloadRequest *) request)->model_name);
  Inference__KserveModelUnloadResponse response = INFERENCE__KSERVE_MODEL_UNLOAD_RESPONSE__INIT;

  if (runtime == NULL)
    return;
  tacho_sim_engine_unload (rpc->grpc->host->engine, runtime);
  response.model_name = runtime->model->id;
  response.is_unloaded = TRUE;
  tacho_sim_rpc_reply (rpc, &response.base);
}
