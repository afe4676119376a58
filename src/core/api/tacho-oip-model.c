/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model of the Open Inference Protocol: its tensors, and what a prompt becomes for them. The
 * names are those of Triton's vLLM backend, of TensorRT-LLM's ensemble and of its LLM API. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-oip-private.h"

#include <math.h>
#include <string.h>

#include "api/tacho-api-private.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

/* TensorRT-LLM's ensemble demands a limit, also where none was set. */
#define DEFAULT_MAX_TOKENS 1024
#define MAX_LISTED 8 /* inputs that an error names */

TachoOipTensor *
tacho_oip_tensor_new (const char *name, const char *datatype, const gint64 *shape, gsize rank)
{
  TachoOipTensor *tensor = g_new0 (TachoOipTensor, 1);

  tensor->name = g_utf8_make_valid (name != NULL ? name : "", -1);
  tensor->datatype = g_utf8_make_valid (datatype != NULL ? datatype : "", -1);
  tensor->rank = (guint) MIN (rank, TACHO_OIP_MAX_RANK);
  for (guint i = 0; i < tensor->rank; i++)
    tensor->shape[i] = shape[i];
  return tensor;
}

void
tacho_oip_tensor_free (TachoOipTensor *tensor)
{
  g_free (tensor->name);
  g_free (tensor->datatype);
  g_clear_pointer (&tensor->texts, g_ptr_array_unref);
  g_free (tensor);
}

static GPtrArray *
tensors_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_oip_tensor_free);
}

static GPtrArray *
tensors_copy (const GPtrArray *tensors)
{
  GPtrArray *copy = tensors_new ();

  for (guint i = 0; i < tensors->len; i++)
    {
      const TachoOipTensor *from = g_ptr_array_index (tensors, i);
      TachoOipTensor *to =
          tacho_oip_tensor_new (from->name, from->datatype, from->shape, from->rank);

      to->required = from->required;
      g_ptr_array_add (copy, to);
    }
  return copy;
}

TachoOipModel *
tacho_oip_model_new (const char *name, const char *platform)
{
  TachoOipModel *model = g_new0 (TachoOipModel, 1);

  model->name = g_utf8_make_valid (name != NULL ? name : "", -1);
  model->platform = g_utf8_make_valid (platform != NULL ? platform : "", -1);
  model->inputs = tensors_new ();
  model->outputs = tensors_new ();
  return model;
}

TachoOipModel *
tacho_oip_model_copy (const TachoOipModel *model)
{
  TachoOipModel *copy = g_new0 (TachoOipModel, 1);

  copy->name = g_strdup (model->name);
  copy->platform = g_strdup (model->platform);
  copy->inputs = tensors_copy (model->inputs);
  copy->outputs = tensors_copy (model->outputs);
  copy->has_config = model->has_config;
  copy->decoupled = model->decoupled;
  return copy;
}

void
tacho_oip_model_free (TachoOipModel *model)
{
  g_free (model->name);
  g_free (model->platform);
  g_ptr_array_unref (model->inputs);
  g_ptr_array_unref (model->outputs);
  g_free (model);
}

TachoOipTensor *
tacho_oip_find (const GPtrArray *tensors, const char *name)
{
  for (guint i = 0; i < tensors->len; i++)
    if (strcmp (((TachoOipTensor *) g_ptr_array_index (tensors, i))->name, name) == 0)
      return g_ptr_array_index (tensors, i);
  return NULL;
}

static gboolean
is_bytes (const TachoOipTensor *tensor)
{
  return strcmp (tensor->datatype, "BYTES") == 0 || strcmp (tensor->datatype, "STRING") == 0;
}

/* Text inputs that are no prompt. */
static gboolean
is_side_input (const char *name)
{
  static const char *const names[] = { "sampling_parameters",
                                       "stop_words",
                                       "bad_words",
                                       "stop",
                                       "sampling_param_stop",
                                       "image",
                                       "image_url_input",
                                       "image_bytes_input",
                                       "lora_name",
                                       "guided_decoding_guide",
                                       "guided_decoding_guide_type",
                                       NULL };

  return g_strv_contains (names, name);
}

TachoOipTensor *
tacho_oip_model_find_text (const TachoOipModel *model)
{
  TachoOipTensor *tensor = tacho_oip_find (model->inputs, "text_input");
  TachoOipTensor *only = NULL;

  if (tensor != NULL && is_bytes (tensor))
    return tensor;
  for (guint i = 0; i < model->inputs->len; i++)
    {
      tensor = g_ptr_array_index (model->inputs, i);
      if (!is_bytes (tensor) || is_side_input (tensor->name))
        continue;
      if (only != NULL)
        return NULL;
      only = tensor;
    }
  return only;
}

void
tacho_oip_model_describe (const TachoOipModel *model, TachoModelInfo *info)
{
  gboolean text = tacho_oip_model_find_text (model) != NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  if (info->family == NULL && model->platform[0] != '\0')
    info->family = tacho_api_excerpt (model->platform, strlen (model->platform));
  if (info->kind == NULL && text)
    info->kind = g_strdup ("completion");
  if (info->capabilities != NULL)
    return;
  if (text)
    g_ptr_array_add (names, g_strdup ("completion"));
  if (tacho_oip_find (model->inputs, "image") != NULL)
    g_ptr_array_add (names, g_strdup ("vision"));
  if (names->len > 0)
    {
      g_ptr_array_add (names, NULL);
      info->capabilities = g_strdupv ((char **) names->pdata);
    }
}

/* --- a prompt as tensors --- */

/* The protocol knows one text. A lone user's message stands as it is, since a chat template, if
 * there is one, is the backend's; anything longer is written down as a dialogue of named lines,
 * which ends where the assistant is to go on. */
char *
tacho_oip_prompt (const TachoGenerateRequest *request)
{
  static const char *const speakers[] = { "System", "User", "Assistant" };
  GString *text;

  if (request->raw)
    return g_strdup (request->prompt);
  if (request->messages->len == 1)
    {
      const TachoMessage *only = g_ptr_array_index (request->messages, 0);

      if (only->role == TACHO_ROLE_USER)
        return g_strdup (only->content);
    }
  text = g_string_new (NULL);
  for (guint i = 0; i < request->messages->len; i++)
    {
      const TachoMessage *message = g_ptr_array_index (request->messages, i);

      g_string_append_printf (text, "%s: ", speakers[message->role]);
      g_string_append (text, message->content);
      g_string_append (text, "\n\n");
    }
  g_string_append (text, "Assistant:");
  return g_string_free (text, FALSE);
}

static void
add_member (JsonBuilder *builder, const char *name, gint64 value)
{
  if (value < 0)
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

/* vLLM's SamplingParams, as JSON text in a tensor. */
static char *
sampling_parameters (const TachoGenerateRequest *request)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  add_member (builder, "max_tokens", request->max_tokens);
  add_member (builder, "min_tokens", request->min_tokens);
  add_member (builder, "seed", request->seed);
  if (!isnan (request->temperature))
    {
      json_builder_set_member_name (builder, "temperature");
      json_builder_add_double_value (builder, request->temperature);
    }
  if (!isnan (request->top_p))
    {
      json_builder_set_member_name (builder, "top_p");
      json_builder_add_double_value (builder, request->top_p);
    }
  if (request->stop != NULL && request->stop[0] != NULL)
    {
      json_builder_set_member_name (builder, "stop");
      json_builder_begin_array (builder);
      for (guint i = 0; request->stop[i] != NULL; i++)
        json_builder_add_string_value (builder, request->stop[i]);
      json_builder_end_array (builder);
    }
  if (request->ignore_eos)
    {
      json_builder_set_member_name (builder, "ignore_eos");
      json_builder_add_boolean_value (builder, TRUE);
    }
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return tacho_json_to_string (root, FALSE);
}

typedef enum
{
  VALUE_NONE,
  VALUE_TEXT,
  VALUE_NUMBER,
} ValueKind;

static gboolean
is_one_of (const char *name, const char *a, const char *b, const char *c)
{
  return strcmp (name, a) == 0 || g_strcmp0 (name, b) == 0 || g_strcmp0 (name, c) == 0;
}

static void
set_real (TachoOipTensor *tensor, double value)
{
  tensor->real = value;
  tensor->integer = isnan (value) ? -1 : (gint64) value;
}

static void
set_integer (TachoOipTensor *tensor, gint64 value)
{
  tensor->integer = value;
  tensor->real = (double) value;
}

static ValueKind
set_switch (TachoOipTensor *tensor, gboolean on)
{
  set_integer (tensor, on);
  return VALUE_NUMBER;
}

/* What the request says for an input of this name. */
static ValueKind
fill_number (TachoOipTensor *tensor, const TachoGenerateRequest *request)
{
  const char *name = tensor->name;

  if (is_one_of (name, "stream", "streaming", NULL))
    return set_switch (tensor, request->stream);
  if (is_one_of (name, "exclude_input_in_output", "sampling_param_exclude_input_from_output",
                 NULL) ||
      is_one_of (name, "return_finish_reason", "return_num_input_tokens",
                 "return_num_output_tokens"))
    return set_switch (tensor, TRUE);
  if (is_one_of (name, "temperature", "sampling_param_temperature", NULL))
    set_real (tensor, request->temperature);
  else if (is_one_of (name, "top_p", "sampling_param_top_p", "runtime_top_p"))
    set_real (tensor, request->top_p);
  else if (strcmp (name, "sampling_param_max_tokens") == 0)
    set_integer (tensor, request->max_tokens);
  else if (is_one_of (name, "max_tokens", "request_output_len", NULL))
    set_integer (tensor, request->max_tokens >= 0 ? request->max_tokens : DEFAULT_MAX_TOKENS);
  else if (is_one_of (name, "seed", "random_seed", "sampling_param_seed"))
    set_integer (tensor, request->seed);
  else if (is_one_of (name, "min_tokens", "min_length", "sampling_param_min_tokens"))
    set_integer (tensor, request->min_tokens);
  else
    return VALUE_NONE;
  return isnan (tensor->real) || tensor->real < 0 ? VALUE_NONE : VALUE_NUMBER;
}

static ValueKind
fill_text (TachoOipTensor *tensor, const TachoGenerateRequest *request)
{
  if (strcmp (tensor->name, "sampling_parameters") == 0)
    {
      tensor->texts = g_ptr_array_new_with_free_func (g_free);
      g_ptr_array_add (tensor->texts, sampling_parameters (request));
      return VALUE_TEXT;
    }
  if (!is_one_of (tensor->name, "stop_words", "sampling_param_stop", "stop") ||
      request->stop == NULL || request->stop[0] == NULL)
    return VALUE_NONE;
  tensor->texts = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; request->stop[i] != NULL; i++)
    g_ptr_array_add (tensor->texts, g_strdup (request->stop[i]));
  return VALUE_TEXT;
}

/* Every -1 is 1, but the last takes as many texts as there are. The rank is the model's own, which
 * has the batch in it where there is one. FALSE: these values do not fit. */
static gboolean
settle_shape (TachoOipTensor *tensor)
{
  gint64 wanted = tensor->texts != NULL ? (gint64) tensor->texts->len : 1;
  gint64 product = 1;
  gboolean open = wanted > 1;

  for (guint i = tensor->rank; i-- > 0;)
    {
      if (tensor->shape[i] < 0)
        {
          tensor->shape[i] = open ? wanted : 1;
          open = FALSE;
        }
      if (tensor->shape[i] == 0 || tensor->shape[i] > wanted / product)
        return FALSE;
      product *= tensor->shape[i];
    }
  return product == wanted;
}

static gboolean
number_fits (const TachoOipTensor *tensor)
{
  gsize size = tacho_oip_datatype_size (tensor->datatype);
  gboolean is_unsigned = tensor->datatype[0] == 'U';

  if (size == 0)
    return FALSE;
  if (strcmp (tensor->datatype, "BOOL") == 0)
    return tensor->integer == 0 || tensor->integer == 1;
  if (tacho_oip_datatype_is_float (tensor->datatype) || size == 8)
    return TRUE;
  return tensor->integer < ((gint64) 1 << (8 * size - (is_unsigned ? 0 : 1)));
}

static void
list_inputs (const TachoOipModel *model, GString *list)
{
  for (guint i = 0; i < model->inputs->len && i < MAX_LISTED; i++)
    {
      const TachoOipTensor *tensor = g_ptr_array_index (model->inputs, i);
      g_autofree char *name = tacho_api_excerpt (tensor->name, strlen (tensor->name));
      g_autofree char *type = tacho_api_excerpt (tensor->datatype, strlen (tensor->datatype));

      g_string_append_printf (list, "%s%s %s [", i > 0 ? ", " : "", name, type);
      for (guint d = 0; d < tensor->rank; d++)
        g_string_append_printf (list, "%s%" G_GINT64_FORMAT, d > 0 ? "," : "", tensor->shape[d]);
      g_string_append_c (list, ']');
    }
  if (model->inputs->len == 0)
    g_string_append (list, "none");
  else if (model->inputs->len > MAX_LISTED)
    g_string_append (list, ", …");
}

static GPtrArray *
refuse_no_text (const TachoOipModel *model, GError **error)
{
  g_autoptr (GString) list = g_string_new (NULL);

  list_inputs (model, list);
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED,
               "The model “%s” takes no prompt: its inputs are %s", model->name, list->str);
  return NULL;
}

static TachoOipTensor *
start_tensor (const TachoOipTensor *from)
{
  return tacho_oip_tensor_new (from->name, from->datatype, from->shape, from->rank);
}

/* One input: FALSE with an error if the model must have it and cannot. */
static gboolean
fill_input (const TachoOipModel *model,
            const TachoOipTensor *input,
            const TachoGenerateRequest *request,
            gboolean is_prompt,
            GPtrArray *tensors,
            GError **error)
{
  TachoOipTensor *tensor = start_tensor (input);
  ValueKind kind;

  if (is_prompt)
    {
      tensor->texts = g_ptr_array_new_with_free_func (g_free);
      g_ptr_array_add (tensor->texts, tacho_oip_prompt (request));
      kind = VALUE_TEXT;
    }
  else
    kind = is_bytes (tensor) ? fill_text (tensor, request) : fill_number (tensor, request);
  if (kind != VALUE_NONE && settle_shape (tensor) && (kind == VALUE_TEXT || number_fits (tensor)))
    {
      g_ptr_array_add (tensors, tensor);
      return TRUE;
    }
  tacho_oip_tensor_free (tensor);
  if (!is_prompt && !input->required && kind == VALUE_NONE)
    return TRUE;
  if (kind == VALUE_NONE)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED,
                 "The model “%s” demands an input “%s” (%s), which a prompt has no value for",
                 model->name, input->name, input->datatype);
  else
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "The value for the input “%s” (%s) of the model “%s” does not fit its type or "
                 "shape",
                 input->name, input->datatype, model->name);
  return FALSE;
}

GPtrArray *
tacho_oip_fill (const TachoOipModel *model, const TachoGenerateRequest *request, GError **error)
{
  g_autoptr (GPtrArray) tensors = tensors_new ();
  const TachoOipTensor *prompt = tacho_oip_model_find_text (model);

  if (prompt == NULL)
    return refuse_no_text (model, error);
  for (guint i = 0; i < model->inputs->len; i++)
    {
      const TachoOipTensor *input = g_ptr_array_index (model->inputs, i);

      if (!fill_input (model, input, request, input == prompt, tensors, error))
        return NULL;
    }
  return g_steal_pointer (&tensors);
}
