/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Replies over gRPC: each message type alone, and what prepares, builds and reads a generation.
 * The first byte picks; the replies stand one after the other: status, length, body. */
#include "tacho-fuzz-apis.h"

#include "api/proto/grpc_service.pb-c.h"
#include "api/proto/health.pb-c.h"
#include "api/proto/reflection.pb-c.h"
#include "api/proto/ryzanstein.pb-c.h"
#include "api/tacho-protobuf.h"

#define MODEL "m"
#define MAX_STEPS 8

static const ProtobufCMessageDescriptor *const descriptors[] = {
  &grpc__health__v1__health_check_response__descriptor,
  &grpc__health__v1__health_list_response__descriptor,
  &grpc__reflection__v1__server_reflection_response__descriptor,
  &inference__model_config_response__descriptor,
  &inference__model_infer_request__descriptor,
  &inference__model_infer_response__descriptor,
  &inference__model_metadata_response__descriptor,
  &inference__model_statistics_response__descriptor,
  &inference__model_stream_infer_response__descriptor,
  &inference__repository_index_response__descriptor,
  &inference__repository_model_load_request__descriptor,
  &inference__server_metadata_response__descriptor,
  &mcp__ryzanstein__health_response__descriptor,
  &mcp__ryzanstein__inference_chunk__descriptor,
  &mcp__ryzanstein__inference_request__descriptor,
  &mcp__ryzanstein__inference_response__descriptor,
  &mcp__ryzanstein__model_info_response__descriptor,
};

/* What was read is written, and that is read to the same. */
static void
round_trip (const ProtobufCMessageDescriptor *descriptor, const uint8_t *data, gsize size)
{
  g_autofree guint8 *copy = g_memdup2 (data, size);
  g_autoptr (GBytes) packed = NULL;
  g_autoptr (GBytes) again = NULL;
  GError *error = NULL;
  gpointer message = tacho_protobuf_unpack (descriptor, copy, size, &error);

  tacho_fuzz_check_error (message != NULL, error);
  if (message == NULL)
    return;
  packed = tacho_protobuf_pack (message);
  tacho_protobuf_free (message);
  message = tacho_protobuf_unpack (descriptor, g_bytes_get_data (packed, NULL),
                                   g_bytes_get_size (packed), NULL);
  /* protobuf-c keeps an unknown field whose tag it would not take itself. */
  if (message == NULL)
    return;
  again = tacho_protobuf_pack (message);
  tacho_protobuf_free (message);
  TACHO_FUZZ_CHECK (g_bytes_equal (packed, again));
}

static TachoHttpReply *
next_reply (const uint8_t **data, gsize *size)
{
  g_autoptr (GBytes) body = NULL;
  TachoHttpReply *reply;
  gsize length;
  guint status;

  if (*size < 3)
    return NULL;
  status = (*data)[0];
  length = MIN ((*data)[1] * 256u + (*data)[2], *size - 3);
  body = g_bytes_new (*data + 3, length);
  *data += 3 + length;
  *size -= 3 + length;
  reply = tacho_http_reply_new (200, body);
  if (status > 0)
    {
      g_autofree char *text = g_strdup_printf ("%u", status % 20);

      tacho_http_reply_add_header (reply, "grpc-status", text);
      tacho_http_reply_add_header (reply, "grpc-message", "no %1b such\x1b thing");
    }
  return reply;
}

static void
check_text (const char *text)
{
  TACHO_FUZZ_CHECK (text == NULL || g_utf8_validate (text, -1, NULL));
}

static void
parse_all (TachoApi *api, const TachoHttpReply *reply)
{
  GError *error = NULL;
  TachoHealth health;

  tacho_fuzz_check_error (tacho_api_parse_health (api, reply, &health, &error),
                          g_steal_pointer (&error));
  {
    g_autoptr (GPtrArray) models = tacho_api_parse_models (api, reply, &error);

    tacho_fuzz_check_error (models != NULL, g_steal_pointer (&error));
  }
  {
    g_autoptr (TachoModelInfo) info = tacho_api_parse_model (api, MODEL, reply, &error);
    g_autoptr (GPtrArray) one = g_ptr_array_new ();

    tacho_fuzz_check_error (info != NULL, g_steal_pointer (&error));
    if (info == NULL)
      info = tacho_model_info_new (MODEL);
    g_ptr_array_add (one, info);
    for (guint step = 1; step < 3; step++)
      {
        g_autoptr (TachoHttpRequest) more =
            tacho_api_build_more (api, TACHO_OP_SHOW_MODEL, MODEL, step, one);

        if (more != NULL)
          tacho_fuzz_check_error (
              tacho_api_parse_more (api, TACHO_OP_SHOW_MODEL, step, reply, one, &error),
              g_steal_pointer (&error));
      }
    check_text (info->family);
  }
  {
    g_autoptr (TachoGenerateReply) whole =
        tacho_api_parse_generate (api, TACHO_OP_CHAT, reply, &error);

    tacho_fuzz_check_error (whole != NULL, g_steal_pointer (&error));
    if (whole != NULL)
      {
        check_text (whole->content);
        check_text (whole->reasoning);
        check_text (whole->model);
        check_text (whole->response_id);
      }
  }
  if (tacho_api_supports (api, TACHO_OP_LOAD_MODEL))
    tacho_fuzz_check_error (tacho_api_parse_change (api, TACHO_OP_LOAD_MODEL, MODEL, reply, &error),
                            error);
}

/* As the inference service does it: ask until nothing is to be asked, then build. */
static void
prepare_and_build (TachoApi *api, const uint8_t *data, gsize size, gboolean raw)
{
  g_autoptr (TachoGenerateRequest) request = tacho_generate_request_new (MODEL);
  g_autoptr (TachoHttpRequest) built = NULL;
  GError *error = NULL;

  request->raw = raw;
  request->prompt = g_strdup ("hello");
  request->max_tokens = 4;
  request->temperature = 0.5;
  request->seed = 7;
  request->stop = g_strsplit ("a b", " ", -1);
  tacho_generate_request_add_message (request, TACHO_ROLE_USER, "hello");
  for (guint step = 0;; step++)
    {
      g_autoptr (TachoHttpRequest) question = tacho_api_build_prepare (api, request);
      g_autoptr (TachoHttpReply) reply = NULL;
      gboolean good;

      if (question == NULL)
        break;
      TACHO_FUZZ_CHECK (step < MAX_STEPS);
      reply = next_reply (&data, &size);
      if (reply == NULL)
        break;
      good = tacho_api_parse_prepare (api, request, reply, &error);
      tacho_fuzz_check_error (good, g_steal_pointer (&error));
      if (!good)
        break;
    }
  built = tacho_api_build_generate (api, request, &error);
  tacho_fuzz_check_error (built != NULL, error);
  if (built != NULL && built->body != NULL && tacho_api_get_protocol (api) == TACHO_PROTOCOL_GRPC &&
      g_str_has_prefix (built->path, "/inference."))
    round_trip (&inference__model_infer_request__descriptor, g_bytes_get_data (built->body, NULL),
                g_bytes_get_size (built->body));
  for (;;)
    {
      g_autoptr (TachoHttpReply) reply = next_reply (&data, &size);

      if (reply == NULL)
        return;
      parse_all (api, reply);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const triton[] = { "model_repository", "model_configuration", "statistics",
                                        "generate", NULL };
  static const char *const kserve[] = { "model_repository_extension", NULL };
  g_autoptr (TachoApi) api = NULL;

  if (size < 2)
    return 0;
  for (gsize i = 0; i < G_N_ELEMENTS (descriptors); i++)
    round_trip (descriptors[i], data + 1, size - 1);
  switch (data[0] % 5)
    {
    case 0:
      api = tacho_api_oip_new (TACHO_PROTOCOL_GRPC, triton, "triton", "2");
      break;
    case 1:
      api = tacho_api_oip_new (TACHO_PROTOCOL_GRPC, kserve, "kserve", NULL);
      break;
    case 2:
      api = tacho_api_oip_new (TACHO_PROTOCOL_REST, triton, "triton", "2");
      break;
    case 3:
      api = tacho_api_ryzanstein_new (TACHO_PROTOCOL_GRPC, NULL);
      break;
    default:
      api = tacho_api_oip_new (TACHO_PROTOCOL_REST, kserve, NULL, NULL);
    }
  prepare_and_build (api, data + 1, size - 1, (data[0] & 0x80) != 0);
  return 0;
}
