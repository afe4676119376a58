/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Open Inference Protocol over gRPC: service inference.GRPCInferenceService. */
#define G_LOG_DOMAIN "tacho-api"

#include <string.h>

#include "api/tacho-api-grpc.h"
#include "api/tacho-api-private.h"
#include "api/tacho-oip-private.h"
#include "base/tacho-error.h"

#define SERVICE "/inference.GRPCInferenceService/"
#define MAX_TENSORS 256 /* of a model; what lies beyond is not read */

static TachoHttpRequest *
build_change (TachoOipFlavour flavour, gboolean load, const char *model)
{
  const char *method = load ? SERVICE "RepositoryModelLoad" : SERVICE "RepositoryModelUnload";

  if (flavour.kserve)
    {
      Inference__KserveModelLoadRequest message = INFERENCE__KSERVE_MODEL_LOAD_REQUEST__INIT;

      message.model_name = (char *) model; /* unloading has the same layout */
      return tacho_api_grpc_request_new (method, &message.base);
    }
  else
    {
      Inference__RepositoryModelLoadRequest message =
          INFERENCE__REPOSITORY_MODEL_LOAD_REQUEST__INIT;

      message.model_name = (char *) model;
      return tacho_api_grpc_request_new (method, &message.base);
    }
}

TachoHttpRequest *
tacho_oip_grpc_build (TachoOipFlavour flavour, TachoOperation operation, const char *model)
{
  Inference__ModelMetadataRequest metadata = INFERENCE__MODEL_METADATA_REQUEST__INIT;

  if (operation == TACHO_OP_HEALTH)
    return tacho_api_grpc_request_new (SERVICE "ServerReady", NULL);
  if (operation == TACHO_OP_LIST_MODELS)
    return tacho_api_grpc_request_new (SERVICE "RepositoryIndex", NULL);
  if (operation == TACHO_OP_LOAD_MODEL || operation == TACHO_OP_UNLOAD_MODEL)
    return build_change (flavour, operation == TACHO_OP_LOAD_MODEL, model);
  metadata.name = (char *) model;
  return tacho_api_grpc_request_new (SERVICE "ModelMetadata", &metadata.base);
}

TachoHttpRequest *
tacho_oip_grpc_build_config (const char *model)
{
  Inference__ModelConfigRequest message = INFERENCE__MODEL_CONFIG_REQUEST__INIT;

  message.name = (char *) model;
  return tacho_api_grpc_request_new (SERVICE "ModelConfig", &message.base);
}

TachoHttpRequest *
tacho_oip_grpc_build_statistics (const char *model)
{
  Inference__ModelStatisticsRequest message = INFERENCE__MODEL_STATISTICS_REQUEST__INIT;

  message.name = (char *) model;
  return tacho_api_grpc_request_new (SERVICE "ModelStatistics", &message.base);
}

/* Numbers and texts go raw; the typed form would need a case for each type. */
TachoHttpRequest *
tacho_oip_grpc_build_generate (const char *model, GPtrArray *tensors, gboolean streaming)
{
  Inference__ModelInferRequest message = INFERENCE__MODEL_INFER_REQUEST__INIT;
  Inference__InferParameter wanted = INFERENCE__INFER_PARAMETER__INIT;
  Inference__ModelInferRequest__ParametersEntry entry =
      INFERENCE__MODEL_INFER_REQUEST__PARAMETERS_ENTRY__INIT;
  Inference__ModelInferRequest__ParametersEntry *entries[] = { &entry };
  g_autoptr (GPtrArray) inputs = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) raws = g_ptr_array_new_with_free_func ((GDestroyNotify) g_byte_array_unref);
  g_autofree ProtobufCBinaryData *contents = g_new0 (ProtobufCBinaryData, MAX (tensors->len, 1));
  TachoHttpRequest *request;

  for (guint i = 0; i < tensors->len; i++)
    {
      TachoOipTensor *tensor = g_ptr_array_index (tensors, i);
      Inference__ModelInferRequest__InferInputTensor *input =
          g_new0 (Inference__ModelInferRequest__InferInputTensor, 1);
      GByteArray *raw = tacho_oip_tensor_to_raw (tensor);

      inference__model_infer_request__infer_input_tensor__init (input);
      input->name = tensor->name;
      input->datatype = tensor->datatype;
      input->n_shape = tensor->rank;
      input->shape = tensor->shape;
      contents[i].data = raw->data;
      contents[i].len = raw->len;
      g_ptr_array_add (inputs, input);
      g_ptr_array_add (raws, raw);
    }
  message.model_name = (char *) model;
  message.n_inputs = tensors->len;
  message.inputs = (Inference__ModelInferRequest__InferInputTensor **) inputs->pdata;
  message.n_raw_input_contents = tensors->len;
  message.raw_input_contents = contents;
  if (streaming)
    {
      wanted.parameter_choice_case = INFERENCE__INFER_PARAMETER__PARAMETER_CHOICE_BOOL_PARAM;
      wanted.bool_param = TRUE;
      entry.key = (char *) "triton_enable_empty_final_response";
      entry.value = &wanted;
      message.n_parameters = 1;
      message.parameters = entries;
    }
  request = tacho_api_grpc_request_new (
      streaming ? SERVICE "ModelStreamInfer" : SERVICE "ModelInfer", &message.base);
  request->streaming = streaming;
  return request;
}

gboolean
tacho_oip_grpc_parse_health (const TachoHttpReply *reply, TachoHealth *health, GError **error)
{
  Inference__ServerReadyResponse *message;

  if (tacho_api_grpc_status (reply) == TACHO_GRPC_UNAVAILABLE)
    {
      *health = TACHO_HEALTH_LOADING;
      return TRUE;
    }
  message = tacho_api_grpc_parse (reply, &inference__server_ready_response__descriptor, error);
  if (message == NULL)
    return FALSE;
  *health = message->ready ? TACHO_HEALTH_OK : TACHO_HEALTH_LOADING;
  tacho_protobuf_free (message);
  return TRUE;
}

static gboolean
is_usable_name (const char *name)
{
  return name[0] != '\0' && strlen (name) <= TACHO_API_MAX_ID && g_utf8_validate (name, -1, NULL);
}

GPtrArray *
tacho_oip_grpc_parse_models (const TachoHttpReply *reply, GError **error)
{
  g_autoptr (GPtrArray) models =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_model_info_free);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  Inference__RepositoryIndexResponse *message;

  if (tacho_api_grpc_status (reply) == TACHO_GRPC_UNIMPLEMENTED)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED,
                           "This server does not list its models: name the one that is meant");
      return NULL;
    }
  message = tacho_api_grpc_parse (reply, &inference__repository_index_response__descriptor, error);
  if (message == NULL)
    return NULL;
  for (gsize i = 0; i < message->n_models; i++)
    {
      if (!is_usable_name (message->models[i]->name))
        {
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                       "Model %" G_GSIZE_FORMAT " in the server's index has no usable name", i + 1);
          tacho_protobuf_free (message);
          return NULL;
        }
      tacho_oip_add_index (models, seen, message->models[i]->name, message->models[i]->state,
                           message->models[i]->reason);
    }
  tacho_protobuf_free (message);
  return g_steal_pointer (&models);
}

static void
add_specs (GPtrArray *specs,
           Inference__ModelMetadataResponse__TensorMetadata **tensors,
           gsize n_tensors)
{
  for (gsize i = 0; i < MIN (n_tensors, MAX_TENSORS); i++)
    g_ptr_array_add (specs, tacho_oip_tensor_new (tensors[i]->name, tensors[i]->datatype,
                                                  tensors[i]->shape, tensors[i]->n_shape));
}

TachoOipModel *
tacho_oip_grpc_parse_metadata (const TachoHttpReply *reply, GError **error)
{
  Inference__ModelMetadataResponse *message =
      tacho_api_grpc_parse (reply, &inference__model_metadata_response__descriptor, error);
  TachoOipModel *model;

  if (message == NULL)
    return NULL;
  model = tacho_oip_model_new (message->name, message->platform);
  add_specs (model->inputs, message->inputs, message->n_inputs);
  add_specs (model->outputs, message->outputs, message->n_outputs);
  tacho_protobuf_free (message);
  return model;
}

gboolean
tacho_oip_grpc_take_config (const TachoHttpReply *reply, TachoOipModel *model)
{
  Inference__ModelConfigResponse *message =
      tacho_api_grpc_parse (reply, &inference__model_config_response__descriptor, NULL);
  gboolean is_config = message != NULL && message->config != NULL &&
                       strcmp (message->config->name, model->name) == 0;

  for (gsize i = 0; is_config && i < message->config->n_input; i++)
    {
      const Inference__ModelInput *input = message->config->input[i];
      TachoOipTensor *tensor = tacho_oip_find (model->inputs, input->name);

      if (tensor != NULL)
        tensor->required = !input->optional;
    }
  if (is_config)
    {
      const Inference__ModelTransactionPolicy *policy = message->config->model_transaction_policy;

      model->has_config = TRUE;
      model->decoupled = policy != NULL && policy->decoupled;
      if (model->platform[0] == '\0')
        {
          g_free (model->platform);
          model->platform = g_utf8_make_valid (message->config->backend, -1);
        }
    }
  tacho_protobuf_free (message);
  return is_config;
}

gboolean
tacho_oip_grpc_parse_statistics (const TachoHttpReply *reply, TachoModelInfo *info, GError **error)
{
  Inference__ModelStatisticsResponse *message =
      tacho_api_grpc_parse (reply, &inference__model_statistics_response__descriptor, error);
  guint64 sum = 0;

  if (message == NULL)
    return FALSE;
  for (gsize i = 0; i < message->n_model_stats; i++)
    for (gsize j = 0; strcmp (message->model_stats[i]->name, info->id) == 0 &&
                      j < message->model_stats[i]->n_memory_usage;
         j++)
      {
        guint64 size = message->model_stats[i]->memory_usage[j]->byte_size;

        sum += MIN (size, G_MAXUINT64 - sum);
      }
  info->memory_bytes = sum;
  tacho_protobuf_free (message);
  return TRUE;
}

gboolean
tacho_oip_grpc_parse_change (TachoOipFlavour flavour,
                             TachoOperation operation,
                             const char *model,
                             const TachoHttpReply *reply,
                             GError **error)
{
  Inference__KserveModelLoadResponse *message;
  gboolean taken;

  if (!tacho_api_check_model_reply (model, reply, error))
    return FALSE;
  /* Triton's reply is empty; unloading has the layout of loading. */
  message = tacho_api_grpc_parse (reply, &inference__kserve_model_load_response__descriptor, error);
  if (message == NULL)
    return FALSE;
  taken = !flavour.kserve || message->is_loaded;
  if (!taken)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED,
                 "The server says that “%s” was not %s, and not why", model,
                 operation == TACHO_OP_LOAD_MODEL ? "loaded" : "unloaded");
  tacho_protobuf_free (message);
  return taken;
}

/* --- what comes out of a model --- */

static gint64
read_number (const char *datatype, const guint8 *bytes, gsize length)
{
  gsize size = tacho_oip_datatype_size (datatype);
  guint64 bits = 0;

  if (size == 0 || length < size || tacho_oip_datatype_is_float (datatype))
    return -1;
  for (gsize i = size; i-- > 0;)
    bits = bits << 8 | bytes[i];
  if (datatype[0] == 'I' && size < 8 && (bits >> (8 * size - 1)) != 0)
    return -1;
  return bits > G_MAXINT64 ? -1 : (gint64) bits;
}

static gboolean
take_raw (const Inference__ModelInferResponse__InferOutputTensor *output,
          const ProtobufCBinaryData *raw,
          TachoOipResult *result,
          GError **error)
{
  guint32 length;

  if (strcmp (output->datatype, "BYTES") != 0)
    {
      tacho_oip_result_take_number (result, output->name,
                                    read_number (output->datatype, raw->data, raw->len));
      return TRUE;
    }
  if (raw->len == 0)
    return TRUE; /* a tensor without an element */
  if (raw->len < 4)
    length = G_MAXUINT32;
  else
    length = raw->data[0] | (guint32) raw->data[1] << 8 | (guint32) raw->data[2] << 16 |
             (guint32) raw->data[3] << 24;
  if (raw->len < 4 || length > raw->len - 4)
    {
      g_autofree char *name = tacho_api_excerpt (output->name, strlen (output->name));

      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "The server's output “%s” is shorter than its own length says", name);
      return FALSE;
    }
  tacho_oip_result_take_text (result, output->name, (const char *) raw->data + 4, length);
  return TRUE;
}

static void
take_typed (const Inference__ModelInferResponse__InferOutputTensor *output, TachoOipResult *result)
{
  const Inference__InferTensorContents *contents = output->contents;

  if (contents == NULL)
    return;
  if (contents->n_bytes_contents > 0)
    tacho_oip_result_take_text (result, output->name,
                                (const char *) contents->bytes_contents[0].data,
                                contents->bytes_contents[0].len);
  else if (contents->n_int_contents > 0)
    tacho_oip_result_take_number (result, output->name, contents->int_contents[0]);
  else if (contents->n_uint_contents > 0)
    tacho_oip_result_take_number (result, output->name, contents->uint_contents[0]);
  else if (contents->n_int64_contents > 0)
    tacho_oip_result_take_number (result, output->name, contents->int64_contents[0]);
  else if (contents->n_uint64_contents > 0 && contents->uint64_contents[0] <= G_MAXINT64)
    tacho_oip_result_take_number (result, output->name, (gint64) contents->uint64_contents[0]);
}

static gboolean
take_response (const Inference__ModelInferResponse *message, TachoOipResult *result, GError **error)
{
  for (gsize i = 0; i < message->n_outputs; i++)
    {
      const Inference__ModelInferResponse__InferOutputTensor *output = message->outputs[i];

      if (output->contents != NULL)
        take_typed (output, result);
      else if (i < message->n_raw_output_contents &&
               !take_raw (output, &message->raw_output_contents[i], result, error))
        return FALSE;
    }
  for (gsize i = 0; i < message->n_parameters; i++)
    {
      const Inference__InferParameter *value = message->parameters[i]->value;

      if (value == NULL || strcmp (message->parameters[i]->key, "triton_final_response") != 0 ||
          value->parameter_choice_case != INFERENCE__INFER_PARAMETER__PARAMETER_CHOICE_BOOL_PARAM)
        continue;
      result->final = value->bool_param != 0;
      result->more = !result->final;
    }
  return TRUE;
}

TachoGenerateReply *
tacho_oip_grpc_parse_generate (const TachoHttpReply *reply, GError **error)
{
  Inference__ModelInferResponse *message =
      tacho_api_grpc_parse (reply, &inference__model_infer_response__descriptor, error);
  TachoGenerateReply *whole = NULL;
  TachoOipResult result;

  if (message == NULL)
    return NULL;
  tacho_oip_result_init (&result);
  if (take_response (message, &result, error))
    whole = tacho_oip_result_to_reply (&result, message->id, message->model_name);
  tacho_oip_result_clear (&result);
  tacho_protobuf_free (message);
  return whole;
}

static gboolean
emit_response (const Inference__ModelInferResponse *message,
               TachoStreamEventFunc func,
               gpointer user_data,
               GError **error)
{
  g_autofree char *id = g_utf8_make_valid (message->id, -1);
  TachoOipResult result;
  gboolean read;

  tacho_oip_result_init (&result);
  read = take_response (message, &result, error);
  if (read)
    tacho_oip_result_emit (&result, id, func, user_data);
  tacho_oip_result_clear (&result);
  return read;
}

/* The messages of a stream and of a single reply cannot be told apart by their bytes, but a server
 * that has streams is only ever asked for one. */
gboolean
tacho_oip_grpc_read_chunk (TachoOipFlavour flavour,
                           const char *data,
                           gsize length,
                           TachoStreamEventFunc func,
                           gpointer user_data,
                           GError **error)
{
  gboolean read = TRUE;

  if (flavour.triton)
    {
      Inference__ModelStreamInferResponse *piece = tacho_protobuf_unpack (
          &inference__model_stream_infer_response__descriptor, data, length, error);

      if (piece == NULL)
        return FALSE;
      if (piece->error_message[0] != '\0')
        tacho_oip_emit_error (piece->error_message, func, user_data);
      else if (piece->infer_response != NULL)
        read = emit_response (piece->infer_response, func, user_data, error);
      tacho_protobuf_free (piece);
    }
  else
    {
      Inference__ModelInferResponse *message =
          tacho_protobuf_unpack (&inference__model_infer_response__descriptor, data, length, error);

      if (message == NULL)
        return FALSE;
      read = emit_response (message, func, user_data, error);
      tacho_protobuf_free (message);
    }
  return read;
}
