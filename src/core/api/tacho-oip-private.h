/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Open Inference Protocol's innards: a model's tensors, and a prompt as tensors. */
#pragma once

#include <json-glib/json-glib.h>

#include "api/proto/grpc_service.pb-c.h"
#include "api/tacho-api.h"

G_BEGIN_DECLS

#define TACHO_OIP_MAX_RANK 8

typedef struct
{
  char *name;
  char *datatype; /* "BYTES", "INT32" */
  gint64 shape[TACHO_OIP_MAX_RANK];
  guint rank;
  gboolean required; /* the configuration says so */
  /* The value, where this is a tensor to be sent: texts for BYTES, else a number. */
  GPtrArray *texts;
  gint64 integer;
  double real;
} TachoOipTensor;

/* What a model says of itself. Never changed once it is kept. */
typedef struct
{
  char *name;
  char *platform;
  GPtrArray *inputs; /* of TachoOipTensor */
  GPtrArray *outputs;
  gboolean has_config;
  gboolean decoupled; /* any number of replies to a request: only over a stream */
} TachoOipModel;

TachoOipModel *tacho_oip_model_new (const char *name, const char *platform);
TachoOipModel *tacho_oip_model_copy (const TachoOipModel *model);
void tacho_oip_model_free (TachoOipModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoOipModel, tacho_oip_model_free)
TachoOipTensor *
tacho_oip_tensor_new (const char *name, const char *datatype, const gint64 *shape, gsize rank);
void tacho_oip_tensor_free (TachoOipTensor *tensor);
TachoOipTensor *tacho_oip_find (const GPtrArray *tensors, const char *name);
/* BYTES input that the prompt goes to, or NULL. */
TachoOipTensor *tacho_oip_model_find_text (const TachoOipModel *model);
void tacho_oip_model_describe (const TachoOipModel *model, TachoModelInfo *info);

/* The tensors of a request, of TachoOipTensor, for this model. */
GPtrArray *tacho_oip_fill (const TachoOipModel *model,
                           const TachoGenerateRequest *request,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A chat as one text, for a protocol that has none. */
char *tacho_oip_prompt (const TachoGenerateRequest *request) G_GNUC_WARN_UNUSED_RESULT;
GByteArray *tacho_oip_tensor_to_raw (const TachoOipTensor *tensor) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_oip_datatype_is_float (const char *datatype);
/* 0: of varying size (BYTES) or unknown. */
gsize tacho_oip_datatype_size (const char *datatype);

/* What one reply says, gathered output by output. */
typedef struct
{
  char *text; /* valid UTF-8 */
  gboolean text_is_named;
  char *finish_reason; /* NULL: not told, or not finished */
  gboolean more;       /* the backend says that it is not finished */
  gboolean final;      /* the server's own end marker */
  TachoUsage usage;
} TachoOipResult;

void tacho_oip_result_init (TachoOipResult *result);
void tacho_oip_result_clear (TachoOipResult *result);
/* bytes: the first element of a BYTES output. */
void tacho_oip_result_take_text (TachoOipResult *result,
                                 const char *output,
                                 const char *bytes,
                                 gsize length);
void tacho_oip_result_take_number (TachoOipResult *result, const char *output, gint64 value);
void tacho_oip_result_emit (TachoOipResult *result,
                            const char *response_id,
                            TachoStreamEventFunc func,
                            gpointer user_data);
TachoGenerateReply *tacho_oip_result_to_reply (TachoOipResult *result,
                                               const char *response_id,
                                               const char *model) G_GNUC_WARN_UNUSED_RESULT;
void tacho_oip_emit_error (const char *words, TachoStreamEventFunc func, gpointer user_data);

typedef struct
{
  gboolean triton; /* streams, configuration, statistics */
  gboolean kserve; /* other load messages, no index */
} TachoOipFlavour;

/* gRPC */
TachoHttpRequest *
tacho_oip_grpc_build (TachoOipFlavour flavour, TachoOperation operation, const char *model);
TachoHttpRequest *tacho_oip_grpc_build_config (const char *model);
TachoHttpRequest *tacho_oip_grpc_build_statistics (const char *model);
TachoHttpRequest *
tacho_oip_grpc_build_generate (const char *model, GPtrArray *tensors, gboolean streaming);
gboolean
tacho_oip_grpc_parse_health (const TachoHttpReply *reply, TachoHealth *health, GError **error);
GPtrArray *tacho_oip_grpc_parse_models (const TachoHttpReply *reply, GError **error);
TachoOipModel *tacho_oip_grpc_parse_metadata (const TachoHttpReply *reply, GError **error);
/* FALSE: it is not that model's configuration. */
gboolean tacho_oip_grpc_take_config (const TachoHttpReply *reply, TachoOipModel *model);
gboolean
tacho_oip_grpc_parse_statistics (const TachoHttpReply *reply, TachoModelInfo *info, GError **error);
gboolean tacho_oip_grpc_parse_change (TachoOipFlavour flavour,
                                      TachoOperation operation,
                                      const char *model,
                                      const TachoHttpReply *reply,
                                      GError **error);
TachoGenerateReply *tacho_oip_grpc_parse_generate (const TachoHttpReply *reply, GError **error);
gboolean tacho_oip_grpc_read_chunk (TachoOipFlavour flavour,
                                    const char *data,
                                    gsize length,
                                    TachoStreamEventFunc func,
                                    gpointer user_data,
                                    GError **error);

/* REST */
TachoHttpRequest *
tacho_oip_rest_build (TachoOipFlavour flavour, TachoOperation operation, const char *model);
TachoHttpRequest *tacho_oip_rest_build_config (const char *model);
TachoHttpRequest *tacho_oip_rest_build_statistics (const char *model);
TachoHttpRequest *tacho_oip_rest_build_generate (TachoOipFlavour flavour,
                                                 const TachoOipModel *model,
                                                 GPtrArray *tensors,
                                                 gboolean stream);
gboolean
tacho_oip_rest_parse_health (const TachoHttpReply *reply, TachoHealth *health, GError **error);
GPtrArray *tacho_oip_rest_parse_models (const TachoHttpReply *reply, GError **error);
TachoOipModel *tacho_oip_rest_parse_metadata (const TachoHttpReply *reply, GError **error);
gboolean tacho_oip_rest_take_config (const TachoHttpReply *reply, TachoOipModel *model);
gboolean
tacho_oip_rest_parse_statistics (const TachoHttpReply *reply, TachoModelInfo *info, GError **error);
gboolean tacho_oip_rest_parse_change (TachoOperation operation,
                                      const char *model,
                                      const TachoHttpReply *reply,
                                      GError **error);
TachoGenerateReply *tacho_oip_rest_parse_generate (const TachoHttpReply *reply, GError **error);
gboolean tacho_oip_rest_read_chunk (const char *data,
                                    gsize length,
                                    TachoStreamEventFunc func,
                                    gpointer user_data,
                                    GError **error);
/* Shared: adds a model or betters what is known of it, as an index may list each version. */
void tacho_oip_add_index (GPtrArray *models,
                          GHashTable *seen,
                          const char *name,
                          const char *state,
                          const char *reason);

G_END_DECLS
