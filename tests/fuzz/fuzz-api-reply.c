/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every parser of a whole reply, of every family: a result or an error with bounded, clean words.
 * The first byte is the status, the second how a gRPC server would have said the same. */
#include "tacho-fuzz-apis.h"

#define MODEL "a"

static void
check_info (const TachoModelInfo *info)
{
  TACHO_FUZZ_CHECK (info->id != NULL && g_utf8_validate (info->id, -1, NULL));
  TACHO_FUZZ_CHECK (info->family == NULL || g_utf8_validate (info->family, -1, NULL));
  TACHO_FUZZ_CHECK (info->quantization == NULL || g_utf8_validate (info->quantization, -1, NULL));
}

static void
parse_models (TachoApi *api, const TachoHttpReply *reply)
{
  static const TachoOperation operations[] = { TACHO_OP_LIST_MODELS, TACHO_OP_SHOW_MODEL };
  g_autoptr (GPtrArray) models = NULL;
  GError *error = NULL;

  {
    g_autoptr (TachoModelInfo) info = tacho_api_parse_model (api, MODEL, reply, &error);

    tacho_fuzz_check_error (info != NULL, g_steal_pointer (&error));
    if (info != NULL)
      check_info (info);
  }
  models = tacho_api_parse_models (api, reply, &error);
  tacho_fuzz_check_error (models != NULL, g_steal_pointer (&error));
  for (guint i = 0; models != NULL && i < models->len; i++)
    check_info (g_ptr_array_index (models, i));
  if (models == NULL || models->len == 0)
    {
      g_clear_pointer (&models, g_ptr_array_unref);
      models = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_model_info_free);
      g_ptr_array_add (models, tacho_model_info_new (MODEL));
    }
  for (gsize k = 0; k < G_N_ELEMENTS (operations); k++)
    for (guint step = 1; step < 8; step++)
      {
        g_autoptr (TachoHttpRequest) more =
            tacho_api_build_more (api, operations[k], MODEL, step, models);

        if (more == NULL)
          break;
        tacho_fuzz_check_error (
            tacho_api_parse_more (api, operations[k], step, reply, models, &error),
            g_steal_pointer (&error));
        for (guint i = 0; i < models->len; i++)
          check_info (g_ptr_array_index (models, i));
      }
}

static void
parse_generate (TachoApi *api, TachoOperation operation, const TachoHttpReply *reply)
{
  g_autoptr (TachoGenerateRequest) request = tacho_generate_request_new (MODEL);
  g_autoptr (TachoHttpRequest) built = NULL;
  g_autoptr (TachoGenerateReply) result = NULL;
  GError *error = NULL;

  result = tacho_api_parse_generate (api, operation, reply, &error);
  tacho_fuzz_check_error (result != NULL, g_steal_pointer (&error));
  if (result != NULL && result->content != NULL)
    TACHO_FUZZ_CHECK (g_utf8_validate (result->content, -1, NULL));
  request->raw = operation == TACHO_OP_COMPLETION;
  request->prompt = g_strdup ("hello");
  request->max_tokens = 4;
  tacho_generate_request_add_message (request, TACHO_ROLE_USER, "hello");
  tacho_api_learn_refusal (api, request, reply);
  built = tacho_api_build_generate (api, request, &error);
  tacho_fuzz_check_error (built != NULL, error);
}

static void
parse_pull (TachoApi *api, const TachoHttpReply *reply)
{
  TachoPullProgress progress = { NULL, 0, 0, FALSE, NULL };
  GError *error = NULL;
  gsize length;
  const char *text = g_bytes_get_data (reply->body, &length);
  g_autoptr (TachoHttpRequest) status = NULL;
  g_autoptr (TachoHttpRequest) stop = NULL;

  if (!tacho_api_supports (api, TACHO_OP_PULL_MODEL))
    return;
  tacho_fuzz_check_error (
      tacho_api_parse_pull (api, text != NULL ? text : "", length, &progress, &error), error);
  status = tacho_api_build_pull_status (api, MODEL, &progress);
  stop = tacho_api_build_pull_stop (api, MODEL, &progress);
  for (const char *p = status != NULL ? status->path : ""; *p != '\0'; p++)
    TACHO_FUZZ_CHECK ((guchar) *p > 0x20 && (guchar) *p < 0x7f);
  for (const char *p = stop != NULL ? stop->path : ""; *p != '\0'; p++)
    TACHO_FUZZ_CHECK ((guchar) *p > 0x20 && (guchar) *p < 0x7f);
  tacho_pull_progress_clear (&progress);
}

static void
parse_all (TachoApi *api, const TachoHttpReply *reply)
{
  static const TachoOperation changes[] = { TACHO_OP_LOAD_MODEL, TACHO_OP_UNLOAD_MODEL,
                                            TACHO_OP_DELETE_MODEL };
  GError *error = NULL;
  TachoHealth health;
  TachoServerMetrics metrics;

  parse_models (api, reply);
  parse_generate (api, TACHO_OP_CHAT, reply);
  parse_generate (api, TACHO_OP_COMPLETION, reply);
  parse_pull (api, reply);
  {
    g_autoptr (GArray) slots = tacho_api_parse_slots (api, reply, &error);

    tacho_fuzz_check_error (slots != NULL, g_steal_pointer (&error));
  }
  tacho_fuzz_check_error (tacho_api_parse_health (api, reply, &health, &error),
                          g_steal_pointer (&error));
  for (gsize i = 0; i < G_N_ELEMENTS (changes); i++)
    if (tacho_api_supports (api, changes[i]))
      tacho_fuzz_check_error (tacho_api_parse_change (api, changes[i], MODEL, reply, &error),
                              g_steal_pointer (&error));
  tacho_fuzz_check_error (tacho_api_parse_tokenize (api, reply, &error) >= 0,
                          g_steal_pointer (&error));
  tacho_fuzz_check_error (tacho_api_parse_metrics (api, reply, &metrics, &error),
                          g_steal_pointer (&error));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const guint statuses[] = { 200, 200, 200, 301, 400, 401, 404, 429, 500, 501, 503 };
  TachoApi *const *apis = tacho_fuzz_apis ();
  g_autoptr (TachoHttpReply) reply = NULL;
  g_autoptr (GBytes) body = NULL;

  if (size < 2)
    return 0;
  body = g_bytes_new (data + 2, size - 2);
  reply = tacho_http_reply_new (statuses[data[0] % G_N_ELEMENTS (statuses)], body);
  if (data[1] < 17)
    {
      g_autofree char *number = g_strdup_printf ("%u", data[1]);
      g_autofree char *words = g_strndup ((const char *) data + 2, MIN (size - 2, 400));

      tacho_http_reply_add_header (reply, "grpc-status", number);
      tacho_http_reply_add_header (reply, "grpc-message", words);
    }
  for (gsize i = 0; apis[i] != NULL; i++)
    parse_all (apis[i], reply);
  tacho_fuzz_check_error (FALSE, tacho_api_error_from_reply (reply));
  return 0;
}
