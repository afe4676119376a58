/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tensors of Triton's LLM backends, and the tensors of a request. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-grpc-oip.h"

#include <string.h>

#define TEXT INFERENCE__DATA_TYPE__TYPE_STRING
#define BOOL INFERENCE__DATA_TYPE__TYPE_BOOL
#define INT32 INFERENCE__DATA_TYPE__TYPE_INT32
#define UINT32 INFERENCE__DATA_TYPE__TYPE_UINT32
#define UINT64 INFERENCE__DATA_TYPE__TYPE_UINT64
#define FP32 INFERENCE__DATA_TYPE__TYPE_FP32

static const TachoSimTensor vllm_inputs[] = {
  { "text_input", TEXT, 1, TRUE },
  { "image", TEXT, -1, FALSE },
  { "stream", BOOL, 1, FALSE },
  { "sampling_parameters", TEXT, 1, FALSE },
  { "exclude_input_in_output", BOOL, 1, FALSE },
  { "return_finish_reason", BOOL, 1, FALSE },
  { "return_cumulative_logprob", BOOL, 1, FALSE },
  { "return_logprobs", BOOL, 1, FALSE },
  { "return_num_input_tokens", BOOL, 1, FALSE },
  { "return_num_output_tokens", BOOL, 1, FALSE },
  { NULL },
};

static const TachoSimTensor vllm_outputs[] = {
  { "text_output", TEXT, -1, FALSE },
  { "finish_reason", TEXT, -1, FALSE },
  { "cumulative_logprob", FP32, -1, FALSE },
  { "logprobs", TEXT, -1, FALSE },
  { "num_input_tokens", UINT32, 1, FALSE },
  { "num_output_tokens", UINT32, -1, FALSE },
  { NULL },
};

static const TachoSimTensor trtllm_inputs[] = {
  { "text_input", TEXT, 1, TRUE },
  { "max_tokens", INT32, 1, TRUE },
  { "stream", BOOL, 1, FALSE },
  { "bad_words", TEXT, -1, FALSE },
  { "stop_words", TEXT, -1, FALSE },
  { "end_id", INT32, 1, FALSE },
  { "pad_id", INT32, 1, FALSE },
  { "top_k", INT32, 1, FALSE },
  { "top_p", FP32, 1, FALSE },
  { "temperature", FP32, 1, FALSE },
  { "repetition_penalty", FP32, 1, FALSE },
  { "presence_penalty", FP32, 1, FALSE },
  { "frequency_penalty", FP32, 1, FALSE },
  { "min_tokens", INT32, 1, FALSE },
  { "seed", UINT64, 1, FALSE },
  { "return_log_probs", BOOL, 1, FALSE },
  { "return_num_input_tokens", BOOL, 1, FALSE },
  { "return_num_output_tokens", BOOL, 1, FALSE },
  { NULL },
};

static const TachoSimTensor trtllm_outputs[] = {
  { "text_output", TEXT, -1, FALSE },
  { "num_input_tokens", INT32, 1, FALSE },
  { "num_output_tokens", INT32, 1, FALSE },
  { NULL },
};

static const TachoSimBackend vllm = { "vllm", 0, TRUE, TRUE, vllm_inputs, vllm_outputs };
static const TachoSimBackend kserve = { "", 0, FALSE, TRUE, vllm_inputs, vllm_outputs };
static const TachoSimBackend bls = { "python", 64, TRUE, FALSE, trtllm_inputs, trtllm_outputs };
/* Deployed without the decoupled policy, as many are: nothing is streamed. */
static const TachoSimBackend ensemble = { "", 64, FALSE, FALSE, trtllm_inputs, trtllm_outputs };

/**
 * tacho_sim_oip_get_backend:
 * @grpc: a server
 * @model: a model
 *
 * Returns: (transfer none): what runs it
 */
const TachoSimBackend *
tacho_sim_oip_get_backend (TachoSimGrpc *grpc, const TachoSimModel *model)
{
  if (grpc->shape == TACHO_SIM_GRPC_KSERVE)
    return &kserve;
  if (g_str_equal (model->id, "ensemble"))
    return &ensemble;
  return g_str_has_prefix (model->id, "tensorrt_llm") ? &bls : &vllm;
}

/**
 * tacho_sim_oip_type_name:
 * @type: a type in a model's configuration
 *
 * Returns: (transfer none): its name in metadata, requests and replies
 */
const char *
tacho_sim_oip_type_name (Inference__DataType type)
{
  switch (type)
    {
    case BOOL:
      return "BOOL";
    case INT32:
      return "INT32";
    case UINT32:
      return "UINT32";
    case UINT64:
      return "UINT64";
    case FP32:
      return "FP32";
    default:
      return "BYTES";
    }
}

static gsize
type_size (Inference__DataType type)
{
  return type == BOOL ? 1 : type == UINT64 ? 8 : 4;
}

/* --- the check -------------------------------------------------------------------------------- */

static gssize
find_input (const Inference__ModelInferRequest *request, const char *name)
{
  for (gsize i = 0; i < request->n_inputs; i++)
    if (g_str_equal (request->inputs[i]->name, name))
      return (gssize) i;
  return -1;
}

static gsize
count_typed (const Inference__InferTensorContents *contents, Inference__DataType type)
{
  if (contents == NULL)
    return 0;
  switch (type)
    {
    case BOOL:
      return contents->n_bool_contents;
    case INT32:
      return contents->n_int_contents;
    case UINT32:
      return contents->n_uint_contents;
    case UINT64:
      return contents->n_uint64_contents;
    case FP32:
      return contents->n_fp32_contents;
    default:
      return contents->n_bytes_contents;
    }
}

/* -1: the lengths do not add up */
static gssize
count_raw_texts (const ProtobufCBinaryData *raw)
{
  gsize at = 0;
  gssize n = 0;

  while (at < raw->len)
    {
      guint32 length;

      if (raw->len - at < sizeof length)
        return -1;
      memcpy (&length, raw->data + at, sizeof length);
      at += sizeof length;
      length = GUINT32_FROM_LE (length);
      if (raw->len - at < length)
        return -1;
      at += length;
      n++;
    }
  return n;
}

static char *
check_shape (const TachoSimBackend *backend,
             const TachoSimTensor *tensor,
             const Inference__ModelInferRequest *request,
             gsize index,
             gsize *n)
{
  const Inference__ModelInferRequest__InferInputTensor *input = request->inputs[index];
  guint rank = backend->max_batch_size > 0 ? 2 : 1;
  gint64 last = input->n_shape > 0 ? input->shape[input->n_shape - 1] : 0;
  gboolean fits = input->n_shape == rank && last >= 0 && last <= G_MAXINT32 &&
                  (tensor->dim < 0 || last == tensor->dim) && (rank == 1 || (input->shape[0] == 1));
  GString *got;

  *n = (gsize) last;
  if (fits)
    return NULL;
  got = g_string_new (NULL);
  for (gsize i = 0; i < MIN (input->n_shape, 8); i++)
    g_string_append_printf (got, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "", input->shape[i]);
  g_string_prepend (got, "Got [");
  g_string_append_c (got, ']');
  g_string_prepend_c (got, ' ');
  {
    char *message = g_strdup_printf ("unexpected shape for input '%s' for model '%s'. Expected "
                                     "[%s%" G_GINT64_FORMAT "].%s",
                                     tensor->name, request->model_name, rank == 2 ? "1," : "",
                                     tensor->dim, got->str);
    g_string_free (got, TRUE);
    return message;
  }
}

static char *
check_input (const TachoSimBackend *backend,
             const Inference__ModelInferRequest *request,
             gsize index)
{
  const Inference__ModelInferRequest__InferInputTensor *input = request->inputs[index];
  const TachoSimTensor *tensor = backend->inputs;
  const ProtobufCBinaryData *raw;
  char *wrong;
  gsize n;

  while (tensor->name != NULL && !g_str_equal (tensor->name, input->name))
    tensor++;
  if (tensor->name == NULL)
    return g_strdup_printf ("unexpected inference input '%s' for model '%s'", input->name,
                            request->model_name);
  if (!g_str_equal (input->datatype, tacho_sim_oip_type_name (tensor->type)))
    return g_strdup_printf ("inference input '%s' data-type is '%s', but model '%s' expects '%s'",
                            input->name, input->datatype, request->model_name,
                            tacho_sim_oip_type_name (tensor->type));
  wrong = check_shape (backend, tensor, request, index, &n);
  if (wrong != NULL)
    return wrong;
  if (request->n_raw_input_contents == 0)
    return count_typed (input->contents, tensor->type) == n
               ? NULL
               : g_strdup_printf ("unexpected number of elements for input '%s' for model '%s'",
                                  input->name, request->model_name);
  raw = &request->raw_input_contents[index];
  if (tensor->type == TEXT ? count_raw_texts (raw) == (gssize) n
                           : raw->len == n * type_size (tensor->type))
    return NULL;
  return g_strdup_printf ("unexpected total byte size %" G_GSIZE_FORMAT
                          " for input '%s' for model '%s'",
                          raw->len, input->name, request->model_name);
}

static char *
check_outputs (const TachoSimBackend *backend, const Inference__ModelInferRequest *request)
{
  for (gsize i = 0; i < request->n_outputs; i++)
    {
      const TachoSimTensor *tensor = backend->outputs;

      while (tensor->name != NULL && !g_str_equal (tensor->name, request->outputs[i]->name))
        tensor++;
      if (tensor->name == NULL)
        return g_strdup_printf ("unexpected inference output '%s' for model '%s'",
                                request->outputs[i]->name, request->model_name);
    }
  return NULL;
}

/**
 * tacho_sim_oip_check:
 * @backend: of the model
 * @request: a request
 *
 * Returns: (transfer full) (nullable): what is wrong with its tensors, in Triton's words
 */
char *
tacho_sim_oip_check (const TachoSimBackend *backend, const Inference__ModelInferRequest *request)
{
  if (request->n_raw_input_contents > 0 && request->n_raw_input_contents != request->n_inputs)
    return g_strdup_printf ("expected %" G_GSIZE_FORMAT
                            " raw input contents but got %" G_GSIZE_FORMAT " for model '%s'",
                            request->n_inputs, request->n_raw_input_contents, request->model_name);
  for (gsize i = 0; i < request->n_inputs; i++)
    {
      char *wrong;

      if (request->n_raw_input_contents > 0 && request->inputs[i]->contents != NULL)
        return g_strdup_printf ("contents field must not be specified when using "
                                "raw_input_contents for '%s' for model '%s'",
                                request->inputs[i]->name, request->model_name);
      wrong = check_input (backend, request, i);
      if (wrong != NULL)
        return wrong;
    }
  for (const TachoSimTensor *tensor = backend->inputs; tensor->name != NULL; tensor++)
    if (tensor->required && find_input (request, tensor->name) < 0)
      return g_strdup_printf ("missing required input '%s' for model '%s'. Please provide all "
                              "required input(s).",
                              tensor->name, request->model_name);
  return check_outputs (backend, request);
}

/* --- values ----------------------------------------------------------------------------------- */

/**
 * tacho_sim_oip_get_text:
 * @request: a request that was checked
 * @name: of a BYTES input
 *
 * Returns: (transfer full) (nullable): its first element
 */
char *
tacho_sim_oip_get_text (const Inference__ModelInferRequest *request, const char *name)
{
  gssize index = find_input (request, name);
  ProtobufCBinaryData bytes = { 0 };

  if (index < 0)
    return NULL;
  if (request->n_raw_input_contents == 0 && request->inputs[index]->contents != NULL &&
      request->inputs[index]->contents->n_bytes_contents > 0)
    bytes = request->inputs[index]->contents->bytes_contents[0];
  else if (request->n_raw_input_contents > 0 && request->raw_input_contents[index].len >= 4)
    {
      guint32 length;

      memcpy (&length, request->raw_input_contents[index].data, sizeof length);
      bytes.len = GUINT32_FROM_LE (length);
      bytes.data = request->raw_input_contents[index].data + sizeof length;
    }
  else
    return NULL;
  return g_utf8_make_valid ((const char *) bytes.data, (gssize) bytes.len);
}

static double
read_raw (const guint8 *data, const char *datatype)
{
  guint32 word;
  guint64 large;
  float real;

  if (g_str_equal (datatype, "BOOL"))
    return data[0] != 0;
  if (g_str_equal (datatype, "UINT64"))
    {
      memcpy (&large, data, sizeof large);
      return (double) GUINT64_FROM_LE (large);
    }
  memcpy (&word, data, sizeof word);
  word = GUINT32_FROM_LE (word);
  if (g_str_equal (datatype, "INT32"))
    return (gint32) word;
  if (g_str_equal (datatype, "UINT32"))
    return word;
  memcpy (&real, &word, sizeof real);
  return (double) real;
}

static double
read_typed (const Inference__InferTensorContents *contents, const char *datatype, double fallback)
{
  if (contents->n_bool_contents > 0)
    return contents->bool_contents[0] != 0;
  if (contents->n_int_contents > 0)
    return contents->int_contents[0];
  if (contents->n_uint_contents > 0)
    return contents->uint_contents[0];
  if (contents->n_uint64_contents > 0)
    return (double) contents->uint64_contents[0];
  return contents->n_fp32_contents > 0 ? (double) contents->fp32_contents[0] : fallback;
}

/**
 * tacho_sim_oip_get_number:
 * @request: a request that was checked
 * @name: of an input that is no BYTES
 * @fallback: if it is not there
 *
 * Returns: its first element
 */
double
tacho_sim_oip_get_number (const Inference__ModelInferRequest *request,
                          const char *name,
                          double fallback)
{
  gssize index = find_input (request, name);
  const Inference__ModelInferRequest__InferInputTensor *input;

  if (index < 0)
    return fallback;
  input = request->inputs[index];
  if (request->n_raw_input_contents > 0)
    return read_raw (request->raw_input_contents[index].data, input->datatype);
  return input->contents ? read_typed (input->contents, input->datatype, fallback) : fallback;
}

/**
 * tacho_sim_oip_get_bool_parameter:
 * @request: a request
 * @name: of a parameter of the request
 *
 * Returns: whether it is there, and true
 */
gboolean
tacho_sim_oip_get_bool_parameter (const Inference__ModelInferRequest *request, const char *name)
{
  for (gsize i = 0; i < request->n_parameters; i++)
    {
      const Inference__InferParameter *value = request->parameters[i]->value;

      if (g_str_equal (request->parameters[i]->key, name) && value != NULL &&
          value->parameter_choice_case == INFERENCE__INFER_PARAMETER__PARAMETER_CHOICE_BOOL_PARAM)
        return value->bool_param;
    }
  return FALSE;
}
