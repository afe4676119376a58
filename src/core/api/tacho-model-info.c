/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server says of one model, as a plain value. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-model-info.h"

#include <math.h>
#include <string.h>

static const GEnumValue status_values[] = {
  { TACHO_MODEL_STATUS_UNKNOWN, "TACHO_MODEL_STATUS_UNKNOWN", "unknown" },
  { TACHO_MODEL_STATUS_UNLOADED, "TACHO_MODEL_STATUS_UNLOADED", "unloaded" },
  { TACHO_MODEL_STATUS_LOADING, "TACHO_MODEL_STATUS_LOADING", "loading" },
  { TACHO_MODEL_STATUS_LOADED, "TACHO_MODEL_STATUS_LOADED", "loaded" },
  { TACHO_MODEL_STATUS_SLEEPING, "TACHO_MODEL_STATUS_SLEEPING", "sleeping" },
  { TACHO_MODEL_STATUS_FAILED, "TACHO_MODEL_STATUS_FAILED", "failed" },
  { 0, NULL, NULL },
};

GType
tacho_model_status_get_type (void)
{
  static gsize type;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("TachoModelStatus", status_values));
  return type;
}

/**
 * tacho_model_status_to_string:
 * @status: a status
 *
 * Returns: the name of the command line's contract: "loaded", "unloaded", …
 */
const char *
tacho_model_status_to_string (TachoModelStatus status)
{
  if ((guint) status > TACHO_MODEL_STATUS_FAILED)
    return "unknown";
  return status_values[status].value_nick;
}

/**
 * tacho_model_info_new:
 * @id: the id by which the server knows the model
 *
 * Returns: (transfer full): a value in which everything else is unknown
 */
TachoModelInfo *
tacho_model_info_new (const char *id)
{
  TachoModelInfo *info;

  g_return_val_if_fail (id != NULL, NULL);

  info = g_new0 (TachoModelInfo, 1);
  info->id = g_strdup (id);
  info->progress = NAN;
  return info;
}

/**
 * tacho_model_info_copy:
 * @info: a value
 *
 * Returns: (transfer full): a deep copy
 */
TachoModelInfo *
tacho_model_info_copy (const TachoModelInfo *info)
{
  TachoModelInfo *copy;

  g_return_val_if_fail (info != NULL, NULL);

  copy = g_memdup2 (info, sizeof *info);
  copy->id = g_strdup (info->id);
  copy->name = g_strdup (info->name);
  copy->family = g_strdup (info->family);
  copy->kind = g_strdup (info->kind);
  copy->quantization = g_strdup (info->quantization);
  copy->capabilities = g_strdupv (info->capabilities);
  copy->owner = g_strdup (info->owner);
  copy->chat_template = g_strdup (info->chat_template);
  copy->parameters = g_strdup (info->parameters);
  copy->status_reason = g_strdup (info->status_reason);
  return copy;
}

/**
 * tacho_model_info_free:
 * @info: (nullable) (transfer full): a value
 */
void
tacho_model_info_free (TachoModelInfo *info)
{
  if (info == NULL)
    return;
  g_free (info->id);
  g_free (info->name);
  g_free (info->family);
  g_free (info->kind);
  g_free (info->quantization);
  g_strfreev (info->capabilities);
  g_free (info->owner);
  g_free (info->chat_template);
  g_free (info->parameters);
  g_free (info->status_reason);
  g_free (info);
}

/* The words that stand alone, longest first where one begins another. */
static const char *const whole_words[] = {
  "MXFP4", "NVFP4", "BF16", "FP16", "FP32", "FP8",  "F16",
  "F32",   "INT8",  "INT4", "AWQ",  "GPTQ", "8BIT", "4BIT"
};

/* llama.cpp's names: Q4_0, Q4_K_M, Q8_0, IQ2_XXS, TQ1_0; also "UD-Q4_K_XL", whose prefix is a word
 * of its own. Returns the length of the name at the beginning of `word`, 0 if there is none. */
static gsize
ggml_type_length (const char *word)
{
  static const char *const parts[] = { "0", "1", "K", "S", "M", "L", "XS", "XXS", "XL", "NL" };
  gsize length = 0;

  if (word[length] == 'I' || word[length] == 'T')
    length++;
  if (word[length++] != 'Q' || !g_ascii_isdigit (word[length++]) || word[length] != '_')
    return 0;
  while (word[length] == '_')
    {
      const char *part = word + length + 1;
      gsize n = strcspn (part, "_");
      gboolean known = FALSE;

      for (gsize i = 0; i < G_N_ELEMENTS (parts) && !known; i++)
        known = strlen (parts[i]) == n && strncmp (parts[i], part, n) == 0;
      if (!known)
        return 0;
      length += 1 + n;
    }
  return length;
}

/**
 * tacho_model_info_guess_quantization:
 * @name: (nullable): a model's id or file name
 *
 * Reads the quantisation out of a name such as "tinyllama-1.1b.Q4_K_M.gguf". The name is cut at
 * everything but letters, digits and "_"; the last piece that is a known type wins.
 *
 * Returns: (transfer full) (nullable): "Q4_K_M", or %NULL if the name does not tell
 */
char *
tacho_model_info_guess_quantization (const char *name)
{
  g_auto (GStrv) words = NULL;
  g_autofree char *upper = NULL;

  if (name == NULL)
    return NULL;
  upper = g_ascii_strup (name, -1);
  words = g_strsplit_set (upper, "-./:@ ()[],+\\", 0);
  for (gsize i = g_strv_length (words); i > 0; i--)
    {
      const char *word = words[i - 1];

      if (word[0] != '\0' && ggml_type_length (word) == strlen (word))
        return g_strdup (word);
      for (gsize j = 0; j < G_N_ELEMENTS (whole_words); j++)
        if (strcmp (word, whole_words[j]) == 0)
          return g_strdup (word);
    }
  return NULL;
}
