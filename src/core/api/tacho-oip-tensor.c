/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Open Inference Protocol's values: tensors to bytes, and outputs to what a reply says. */
#define G_LOG_DOMAIN "tacho-api"

#include <string.h>

#include "api/tacho-api-private.h"
#include "api/tacho-oip-private.h"
#include "api/tacho-openai-json.h"
#include "base/tacho-error.h"

static const struct
{
  const char *name;
  gsize size;
} datatypes[] = {
  { "BOOL", 1 },  { "UINT8", 1 }, { "UINT16", 2 }, { "UINT32", 4 }, { "UINT64", 8 }, { "INT8", 1 },
  { "INT16", 2 }, { "INT32", 4 }, { "INT64", 8 },  { "BF16", 2 },   { "FP32", 4 },   { "FP64", 8 },
};

gsize
tacho_oip_datatype_size (const char *datatype)
{
  for (gsize i = 0; i < G_N_ELEMENTS (datatypes); i++)
    if (strcmp (datatypes[i].name, datatype) == 0)
      return datatypes[i].size;
  return 0;
}

gboolean
tacho_oip_datatype_is_float (const char *datatype)
{
  return g_str_has_prefix (datatype, "FP") || strcmp (datatype, "BF16") == 0;
}

static void
append_little_endian (GByteArray *raw, guint64 bits, gsize size)
{
  guint64 ordered = GUINT64_TO_LE (bits);

  g_byte_array_append (raw, (const guint8 *) &ordered, (guint) size);
}

static guint64
number_bits (const TachoOipTensor *tensor, gsize size)
{
  guint64 wide;
  guint32 narrow;
  float single = (float) tensor->real;

  if (!tacho_oip_datatype_is_float (tensor->datatype))
    return (guint64) tensor->integer;
  memcpy (&wide, &tensor->real, sizeof wide);
  memcpy (&narrow, &single, sizeof narrow);
  if (size == 8)
    return wide;
  return size == 4 ? narrow : narrow >> 16; /* BF16 is the upper half of FP32 */
}

/* Each text with its length before it, 4 bytes, little-endian; numbers little-endian. */
GByteArray *
tacho_oip_tensor_to_raw (const TachoOipTensor *tensor)
{
  GByteArray *raw = g_byte_array_new ();
  gsize size = tacho_oip_datatype_size (tensor->datatype);

  if (tensor->texts == NULL)
    append_little_endian (raw, number_bits (tensor, size), size);
  for (guint i = 0; tensor->texts != NULL && i < tensor->texts->len; i++)
    {
      const char *text = g_ptr_array_index (tensor->texts, i);
      gsize length = strlen (text);

      append_little_endian (raw, length, 4);
      g_byte_array_append (raw, (const guint8 *) text, (guint) length);
    }
  return raw;
}

void
tacho_oip_result_init (TachoOipResult *result)
{
  memset (result, 0, sizeof *result);
  tacho_usage_clear (&result->usage);
}

void
tacho_oip_result_clear (TachoOipResult *result)
{
  g_clear_pointer (&result->text, g_free);
  g_clear_pointer (&result->finish_reason, g_free);
}

static char *
clean_bytes (const char *bytes, gsize length)
{
  const char *end = length > 0 ? memchr (bytes, '\0', length) : bytes;

  return g_utf8_make_valid (length > 0 ? bytes : "",
                            end != NULL ? (gssize) (end - bytes) : (gssize) length);
}

/* "None" is Python's word for not yet. */
static void
take_finish_reason (TachoOipResult *result, const char *bytes, gsize length)
{
  g_autofree char *reason = clean_bytes (bytes, length);

  result->more = reason[0] == '\0' || strcmp (reason, "None") == 0;
  g_clear_pointer (&result->finish_reason, g_free);
  if (!result->more)
    result->finish_reason = g_steal_pointer (&reason);
}

void
tacho_oip_result_take_text (TachoOipResult *result,
                            const char *output,
                            const char *bytes,
                            gsize length)
{
  static const char *const others[] = { "logprobs",      "output_log_probs",
                                        "cum_log_probs", "perf_metrics",
                                        "error",         NULL };
  gboolean named = strcmp (output, "text_output") == 0;

  if (strcmp (output, "finish_reason") == 0)
    take_finish_reason (result, bytes, length);
  else if (!g_strv_contains (others, output) &&
           (result->text == NULL || (named && !result->text_is_named)))
    {
      g_free (result->text);
      result->text = clean_bytes (bytes, length);
      result->text_is_named = named;
    }
}

void
tacho_oip_result_take_number (TachoOipResult *result, const char *output, gint64 value)
{
  if (value < 0)
    return;
  if (strcmp (output, "num_input_tokens") == 0)
    result->usage.prompt_tokens = value;
  else if (strcmp (output, "num_output_tokens") == 0)
    result->usage.output_tokens = value;
}

static gboolean
has_usage (const TachoOipResult *result)
{
  return result->usage.prompt_tokens > 0 || result->usage.output_tokens > 0;
}

void
tacho_oip_result_emit (TachoOipResult *result,
                       const char *response_id,
                       TachoStreamEventFunc func,
                       gpointer user_data)
{
  TachoStreamEvent event;

  tacho_openai_event_clear (&event);
  event.response_id = response_id != NULL && response_id[0] != '\0' ? response_id : NULL;
  event.more = result->more;
  event.content = result->text != NULL && result->text[0] != '\0' ? result->text : NULL;
  event.has_content = event.content != NULL;
  event.finish_reason = result->finish_reason;
  event.has_usage = has_usage (result);
  event.usage_adds = event.has_usage;
  event.usage = result->usage;
  func (&event, user_data);
  if (!result->final)
    return;
  tacho_openai_event_clear (&event);
  event.done = TRUE;
  func (&event, user_data);
}

TachoGenerateReply *
tacho_oip_result_to_reply (TachoOipResult *result, const char *response_id, const char *model)
{
  TachoGenerateReply *reply = g_new0 (TachoGenerateReply, 1);

  if (response_id != NULL && response_id[0] != '\0')
    reply->response_id = g_utf8_make_valid (response_id, -1);
  reply->model = model != NULL ? g_utf8_make_valid (model, -1) : NULL;
  reply->content = result->text != NULL ? g_steal_pointer (&result->text) : g_strdup ("");
  reply->finish_reason = g_steal_pointer (&result->finish_reason);
  reply->has_usage = has_usage (result);
  reply->usage = result->usage;
  tacho_timings_clear (&reply->timings);
  return reply;
}

void
tacho_oip_emit_error (const char *words, TachoStreamEventFunc func, gpointer user_data)
{
  g_autofree char *clean = tacho_api_excerpt (words, strlen (words));
  TachoStreamEvent event;

  tacho_openai_event_clear (&event);
  event.error =
      g_error_new (TACHO_ERROR, TACHO_ERROR_IN_BAND, "The server reported an error: %s", clean);
  func (&event, user_data);
  g_clear_error (&event.error);
}

static TachoModelStatus
status_of_state (const char *state, const char *reason)
{
  if (g_strcmp0 (state, "READY") == 0)
    return TACHO_MODEL_STATUS_LOADED;
  if (g_strcmp0 (state, "LOADING") == 0)
    return TACHO_MODEL_STATUS_LOADING;
  /* What was asked for is no failure; any other reason is. */
  if (g_strcmp0 (state, "UNAVAILABLE") == 0 && reason != NULL && reason[0] != '\0' &&
      strcmp (reason, "unloaded") != 0)
    return TACHO_MODEL_STATUS_FAILED;
  if (g_strcmp0 (state, "UNKNOWN") == 0)
    return TACHO_MODEL_STATUS_UNKNOWN;
  return TACHO_MODEL_STATUS_UNLOADED; /* never loaded: no state at all */
}

/* Of several versions, the one that serves best is what is shown. */
static int
rank_of_status (TachoModelStatus status)
{
  static const TachoModelStatus order[] = { TACHO_MODEL_STATUS_UNLOADED, TACHO_MODEL_STATUS_UNKNOWN,
                                            TACHO_MODEL_STATUS_FAILED, TACHO_MODEL_STATUS_LOADING,
                                            TACHO_MODEL_STATUS_LOADED };

  for (int i = 0; i < (int) G_N_ELEMENTS (order); i++)
    if (order[i] == status)
      return i;
  return 0;
}

void
tacho_oip_add_index (GPtrArray *models,
                     GHashTable *seen,
                     const char *name,
                     const char *state,
                     const char *reason)
{
  TachoModelStatus status = status_of_state (state, reason);
  TachoModelInfo *info = g_hash_table_lookup (seen, name);
  gboolean is_new = info == NULL;

  if (is_new)
    {
      info = tacho_model_info_new (name);
      info->quantization = tacho_model_info_guess_quantization (name);
      g_ptr_array_add (models, info);
      g_hash_table_insert (seen, info->id, info);
    }
  else if (rank_of_status (status) <= rank_of_status (info->status))
    return;
  info->status = status;
  g_clear_pointer (&info->status_reason, g_free);
  if (status == TACHO_MODEL_STATUS_FAILED)
    info->status_reason = tacho_api_excerpt (reason, strlen (reason));
}
