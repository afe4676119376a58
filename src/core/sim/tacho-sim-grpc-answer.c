/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An inference reply: tensors with raw contents as Triton sends them, or typed ones as KServe. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-grpc-oip.h"

#include <string.h>

typedef struct
{
  Inference__ModelInferResponse__InferOutputTensor tensor;
  Inference__InferTensorContents contents;
  ProtobufCBinaryData bytes;
  guint8 *data;
  gint64 shape[2];
} Output;

static void
output_free (gpointer data)
{
  Output *output = data;

  g_free (output->data);
  g_free (output);
}

/**
 * tacho_sim_answer_init:
 * @answer: (out caller-allocates): an answer, to be cleared
 * @grpc: the server
 * @backend: of the model
 * @model: its id
 * @id: of the request
 * @wanted: (nullable): names of the outputs that the request asks for; %NULL: all
 *
 * What @model, @id and @wanted point to must live as long as @answer.
 */
void
tacho_sim_answer_init (TachoSimAnswer *answer,
                       TachoSimGrpc *grpc,
                       const TachoSimBackend *backend,
                       const char *model,
                       const char *id,
                       char **wanted)
{
  memset (answer, 0, sizeof *answer);
  inference__model_infer_response__init (&answer->message);
  answer->message.model_name = (char *) model;
  answer->message.model_version = (char *) "1";
  answer->message.id = (char *) id;
  answer->typed = grpc->shape == TACHO_SIM_GRPC_KSERVE;
  answer->rank = backend->max_batch_size > 0 ? 2 : 1;
  answer->wanted = wanted;
  answer->tensors = g_ptr_array_new_with_free_func (output_free);
  answer->raw = g_array_new (FALSE, FALSE, sizeof (ProtobufCBinaryData));
}

/* data: (transfer full); NULL: the output is not wanted */
static Output *
add (TachoSimAnswer *answer, const char *name, const char *datatype, guint8 *data, gsize size)
{
  Output *output;

  if (answer->wanted != NULL && !g_strv_contains ((const char *const *) answer->wanted, name))
    {
      g_free (data);
      return NULL;
    }
  output = g_new0 (Output, 1);
  inference__model_infer_response__infer_output_tensor__init (&output->tensor);
  inference__infer_tensor_contents__init (&output->contents);
  output->data = data;
  output->bytes = (ProtobufCBinaryData){ size, data };
  output->shape[0] = output->shape[1] = 1;
  output->tensor.name = (char *) name;
  output->tensor.datatype = (char *) datatype;
  output->tensor.n_shape = answer->rank;
  output->tensor.shape = output->shape;
  if (answer->typed)
    output->tensor.contents = &output->contents;
  else
    g_array_append_val (answer->raw, output->bytes);
  g_ptr_array_add (answer->tensors, output);
  return output;
}

/**
 * tacho_sim_answer_add_text:
 * @answer: an answer
 * @name: of an output
 * @text: its one element
 */
void
tacho_sim_answer_add_text (TachoSimAnswer *answer, const char *name, const char *text)
{
  gsize length = strlen (text);
  gsize prefix = answer->typed ? 0 : sizeof (guint32);
  guint32 little = GUINT32_TO_LE ((guint32) length);
  guint8 *data = g_malloc (prefix + length + 1);
  Output *output;

  memcpy (data, &little, prefix);
  memcpy (data + prefix, text, length);
  output = add (answer, name, "BYTES", data, prefix + length);
  if (output != NULL && answer->typed)
    {
      output->contents.n_bytes_contents = 1;
      output->contents.bytes_contents = &output->bytes;
    }
}

/**
 * tacho_sim_answer_add_count:
 * @answer: an answer
 * @name: of an output
 * @type: INT32 or UINT32
 * @value: its one element
 */
void
tacho_sim_answer_add_count (TachoSimAnswer *answer,
                            const char *name,
                            Inference__DataType type,
                            guint32 value)
{
  guint32 stored = answer->typed ? value : GUINT32_TO_LE (value);
  Output *output = add (answer, name, tacho_sim_oip_type_name (type),
                        g_memdup2 (&stored, sizeof stored), sizeof stored);

  if (output == NULL || !answer->typed)
    return;
  if (type == INFERENCE__DATA_TYPE__TYPE_INT32)
    {
      output->contents.n_int_contents = 1;
      output->contents.int_contents = (gpointer) output->data;
    }
  else
    {
      output->contents.n_uint_contents = 1;
      output->contents.uint_contents = (gpointer) output->data;
    }
}

/**
 * tacho_sim_answer_add_float:
 * @answer: an answer
 * @name: of an FP32 output
 * @value: its one element
 */
void
tacho_sim_answer_add_float (TachoSimAnswer *answer, const char *name, float value)
{
  guint32 word;
  Output *output;

  memcpy (&word, &value, sizeof word);
  if (!answer->typed)
    word = GUINT32_TO_LE (word);
  output = add (answer, name, "FP32", g_memdup2 (&word, sizeof word), sizeof word);
  if (output != NULL && answer->typed)
    {
      output->contents.n_fp32_contents = 1;
      output->contents.fp32_contents = (gpointer) output->data;
    }
}

/**
 * tacho_sim_answer_set_final:
 * @answer: an answer
 * @final: whether it is the request's last: `triton_final_response`
 */
void
tacho_sim_answer_set_final (TachoSimAnswer *answer, gboolean final)
{
  inference__infer_parameter__init (&answer->final);
  answer->final.parameter_choice_case = INFERENCE__INFER_PARAMETER__PARAMETER_CHOICE_BOOL_PARAM;
  answer->final.bool_param = final;
  inference__model_infer_response__parameters_entry__init (&answer->entry);
  answer->entry.key = (char *) "triton_final_response";
  answer->entry.value = &answer->final;
  answer->entries = &answer->entry;
  answer->message.n_parameters = 1;
  answer->message.parameters = &answer->entries;
}

/**
 * tacho_sim_answer_end:
 * @answer: an answer to which all was added
 *
 * Returns: (transfer none): the message
 */
Inference__ModelInferResponse *
tacho_sim_answer_end (TachoSimAnswer *answer)
{
  /* The tensor is the first member of each output. */
  answer->message.n_outputs = answer->tensors->len;
  answer->message.outputs = (gpointer) answer->tensors->pdata;
  answer->message.n_raw_output_contents = answer->raw->len;
  answer->message.raw_output_contents = (gpointer) answer->raw->data;
  return &answer->message;
}

/**
 * tacho_sim_answer_clear:
 * @answer: an answer
 */
void
tacho_sim_answer_clear (TachoSimAnswer *answer)
{
  g_ptr_array_unref (answer->tensors);
  g_array_unref (answer->raw);
}
