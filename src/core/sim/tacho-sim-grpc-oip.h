/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Open Inference Protocol of the gRPC front: what a model's tensors are, requests read, replies
 * written. A model whose id is TensorRT-LLM's ("ensemble", "tensorrt_llm_bls", "tensorrt_llm") has
 * that backend's tensors, all others vLLM's. */
#pragma once

#include "sim/tacho-sim-grpc-private.h"

#include "api/proto/grpc_service.pb-c.h"

G_BEGIN_DECLS

typedef struct
{
  const char *name; /* NULL: the end of a list */
  Inference__DataType type;
  gint64 dim;
  gboolean required;
} TachoSimTensor;

typedef struct
{
  const char *backend;
  int max_batch_size;
  gboolean decoupled;
  gboolean sampling_json; /* vLLM's sampling_parameters, else a tensor each */
  const TachoSimTensor *inputs;
  const TachoSimTensor *outputs;
} TachoSimBackend;

const TachoSimBackend *tacho_sim_oip_get_backend (TachoSimGrpc *grpc, const TachoSimModel *model);
const char *tacho_sim_oip_type_name (Inference__DataType type); /* on the wire: "BYTES", … */

/* What is wrong with the request's tensors, or NULL. */
char *tacho_sim_oip_check (const TachoSimBackend *backend,
                           const Inference__ModelInferRequest *request) G_GNUC_WARN_UNUSED_RESULT;
/* The first element of a tensor of a request that was checked; NULL or fallback: not there. */
char *tacho_sim_oip_get_text (const Inference__ModelInferRequest *request,
                              const char *name) G_GNUC_WARN_UNUSED_RESULT;
double tacho_sim_oip_get_number (const Inference__ModelInferRequest *request,
                                 const char *name,
                                 double fallback); /* of a BOOL: 0 or 1 */
gboolean tacho_sim_oip_get_bool_parameter (const Inference__ModelInferRequest *request,
                                           const char *name);

/* A reply that is being put together. */
typedef struct
{
  Inference__ModelInferResponse message;
  gboolean typed; /* KServe's contents in place of raw ones */
  guint rank;     /* 2: with the batch's dimension */
  char **wanted;  /* the outputs that the request names; NULL: all */
  GPtrArray *tensors;
  GArray *raw; /* of ProtobufCBinaryData */
  Inference__ModelInferResponse__ParametersEntry entry, *entries;
  Inference__InferParameter final;
} TachoSimAnswer;

void tacho_sim_answer_init (TachoSimAnswer *answer,
                            TachoSimGrpc *grpc,
                            const TachoSimBackend *backend,
                            const char *model,
                            const char *id,
                            char **wanted);
void tacho_sim_answer_add_text (TachoSimAnswer *answer, const char *name, const char *text);
void tacho_sim_answer_add_count (TachoSimAnswer *answer,
                                 const char *name,
                                 Inference__DataType type,
                                 guint32 value);
void tacho_sim_answer_add_float (TachoSimAnswer *answer, const char *name, float value);
void tacho_sim_answer_set_final (TachoSimAnswer *answer, gboolean final);
/* The message, good until the answer is cleared. */
Inference__ModelInferResponse *tacho_sim_answer_end (TachoSimAnswer *answer);
void tacho_sim_answer_clear (TachoSimAnswer *answer);

/* A model by its name: NULL and what a server of this shape says if it is not there, or not ready.
 */
TachoSimRuntime *tacho_sim_oip_find (TachoSimRpc *rpc,
                                     const char *name,
                                     const char *version,
                                     gboolean ready,
                                     grpc_status_code *status,
                                     char **message);

void tacho_sim_oip_infer (TachoSimRpc *rpc, gpointer request);
void tacho_sim_oip_stream (TachoSimRpc *rpc, gpointer request);
void tacho_sim_oip_stream_closed (TachoSimRpc *rpc);
void tacho_sim_oip_stream_error (TachoSimRpc *rpc, const char *message);
void tacho_sim_oip_index (TachoSimRpc *rpc, gpointer request);
void tacho_sim_oip_load (TachoSimRpc *rpc, gpointer request);
void tacho_sim_oip_unload (TachoSimRpc *rpc, gpointer request);
void tacho_sim_kserve_load (TachoSimRpc *rpc, gpointer request);
void tacho_sim_kserve_unload (TachoSimRpc *rpc, gpointer request);

G_END_DECLS
