/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Open Inference Protocol: bytes out, bytes in. */
#include "api/tacho-api-oip.h"

#include <math.h>

#include "api/tacho-stream-decoder.h"
#include "base/tacho-error.h"
#include "core/api/proto-bytes.h"
#include "test-utils.h"

static const char *const triton[] = { "classification", "model_repository", "statistics", NULL };
static const char *const kserve[] = { "model_repository_extension", NULL };
static const char *const plain[] = { NULL };

static TachoApi *
grpc_new (const char *const *extensions)
{
  return tacho_api_oip_new (TACHO_PROTOCOL_GRPC, extensions, "triton", "2.50.0");
}

static TachoHttpReply *
json_reply (guint status, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  return tacho_http_reply_new (status, bytes);
}

static void
assert_body (const TachoHttpRequest *request, const char *bytes, gsize length)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (request->body, &size);

  g_assert_cmpmem (data, size, bytes, length);
}

static gboolean
body_has (const TachoHttpRequest *request, const char *bytes, gsize length)
{
  gsize size;
  const char *data = g_bytes_get_data (request->body, &size);

  return memmem (data, size, bytes, length) != NULL;
}

/* A tensor of metadata: a packed shape of one or two dimensions. */
static GByteArray *
tensor (const char *name, const char *datatype, gint64 first, gint64 second)
{
  GByteArray *out = g_byte_array_new ();
  GByteArray *shape = g_byte_array_new ();

  pb_text (out, 1, name);
  pb_text (out, 2, datatype);
  pb_varint (shape, (guint64) first);
  if (second != 0)
    pb_varint (shape, (guint64) second);
  pb_message (out, 3, shape);
  return out;
}

static GByteArray *
config_input (const char *name, gboolean optional)
{
  GByteArray *out = g_byte_array_new ();

  pb_text (out, 1, name);
  pb_int (out, 2, 13);
  if (optional)
    pb_int (out, 8, 1);
  return out;
}

/* Asks for what must be known of a model, as a service does, and answers. */
static void
prepare (TachoApi *api,
         const TachoGenerateRequest *request,
         GByteArray *metadata,
         GByteArray *config)
{
  g_autoptr (TachoHttpRequest) first = tacho_api_build_prepare (api, request);
  g_autoptr (TachoHttpRequest) second = NULL;
  g_autoptr (TachoHttpReply) reply = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (first->path, ==, "/inference.GRPCInferenceService/ModelMetadata");
  assert_body (first, "\x0a\x03llm", 5);
  reply = pb_reply (metadata);
  g_assert_true (tacho_api_parse_prepare (api, request, reply, &error));
  g_assert_no_error (error);
  second = tacho_api_build_prepare (api, request);
  if (config == NULL)
    {
      g_assert_null (second);
      return;
    }
  g_assert_cmpstr (second->path, ==, "/inference.GRPCInferenceService/ModelConfig");
  g_clear_pointer (&reply, tacho_http_reply_free);
  reply = pb_reply (config);
  g_assert_true (tacho_api_parse_prepare (api, request, reply, &error));
  g_assert_no_error (error);
  g_assert_null (tacho_api_build_prepare (api, request));
}

static GByteArray *
vllm_metadata (void)
{
  GByteArray *out = g_byte_array_new ();

  pb_text (out, 1, "llm");
  pb_text (out, 3, "vllm");
  pb_message (out, 4, tensor ("text_input", "BYTES", 1, 0));
  pb_message (out, 4, tensor ("image", "BYTES", -1, 0));
  pb_message (out, 4, tensor ("stream", "BOOL", 1, 0));
  pb_message (out, 4, tensor ("sampling_parameters", "BYTES", 1, 0));
  pb_message (out, 4, tensor ("exclude_input_in_output", "BOOL", 1, 0));
  pb_message (out, 4, tensor ("return_finish_reason", "BOOL", 1, 0));
  pb_message (out, 4, tensor ("return_num_output_tokens", "BOOL", 1, 0));
  pb_message (out, 5, tensor ("text_output", "BYTES", -1, 0));
  return out;
}

static GByteArray *
config (gboolean decoupled, const char *required)
{
  GByteArray *out = g_byte_array_new ();
  GByteArray *inner = g_byte_array_new ();
  GByteArray *policy = g_byte_array_new ();

  pb_text (inner, 1, "llm");
  pb_int (inner, 4, 8);
  pb_message (inner, 5, config_input ("text_input", FALSE));
  if (required != NULL)
    pb_message (inner, 5, config_input (required, FALSE));
  pb_int (policy, 1, decoupled);
  pb_message (inner, 19, policy);
  pb_message (out, 1, inner);
  return out;
}

static TachoGenerateRequest *
request_new (void)
{
  TachoGenerateRequest *request = tacho_generate_request_new ("llm");

  tacho_generate_request_add_message (request, TACHO_ROLE_USER, "Hi");
  return request;
}

static void
test_layouts (void)
{
  g_autoptr (TachoApi) a = grpc_new (triton);
  g_autoptr (TachoApi) b = grpc_new (kserve);
  g_autoptr (TachoHttpRequest) load = tacho_api_build (a, TACHO_OP_LOAD_MODEL, "llm", NULL);
  g_autoptr (TachoHttpRequest) other = tacho_api_build (b, TACHO_OP_UNLOAD_MODEL, "llm", NULL);
  g_autoptr (TachoHttpReply) empty = tacho_http_reply_new (200, NULL);
  g_autoptr (TachoHttpReply) missing = pb_status (404, "5", "no model 'llm'");
  g_autoptr (TachoHttpReply) polling = pb_status (503, "14", "explicit model load is not allowed");
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (load->method, ==, "gRPC");
  g_assert_cmpstr (load->path, ==, "/inference.GRPCInferenceService/RepositoryModelLoad");
  assert_body (load, "\x12\x03llm", 5);
  g_assert_cmpstr (other->path, ==, "/inference.GRPCInferenceService/RepositoryModelUnload");
  assert_body (other, "\x0a\x03llm", 5);
  g_assert_true (tacho_api_parse_change (a, TACHO_OP_LOAD_MODEL, "llm", empty, &error));
  g_assert_false (tacho_api_parse_change (b, TACHO_OP_LOAD_MODEL, "llm", empty, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED);
  g_clear_error (&error);
  g_assert_false (tacho_api_parse_change (a, TACHO_OP_LOAD_MODEL, "llm", missing, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_false (tacho_api_parse_change (a, TACHO_OP_LOAD_MODEL, "llm", polling, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_GRPC);
  g_assert_nonnull (strstr (error->message, "UNAVAILABLE: explicit model load"));
  g_assert_false (tacho_api_supports (b, TACHO_OP_LIST_MODELS));
  g_assert_cmpint (tacho_api_get_protocol (a), ==, TACHO_PROTOCOL_GRPC);
}

static GByteArray *
index_entry (const char *name, const char *state, const char *reason)
{
  GByteArray *out = g_byte_array_new ();

  pb_text (out, 1, name);
  pb_text (out, 3, state);
  pb_text (out, 4, reason);
  return out;
}

/* Versions of one model are one model; what was unloaded has not failed. */
static void
test_index (void)
{
  g_autoptr (TachoApi) api = grpc_new (triton);
  GByteArray *out = g_byte_array_new ();
  g_autoptr (TachoHttpReply) reply = NULL;
  g_autoptr (GPtrArray) models = NULL;
  g_autoptr (GError) error = NULL;
  const TachoModelInfo *info;

  pb_message (out, 1, index_entry ("a", "UNAVAILABLE", "unloaded"));
  pb_message (out, 1, index_entry ("a", "READY", ""));
  pb_message (out, 1, index_entry ("b", "UNAVAILABLE", "out of memory"));
  pb_message (out, 1, index_entry ("c", "", ""));
  reply = pb_reply (out);
  models = tacho_api_parse_models (api, reply, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (models->len, ==, 3);
  info = g_ptr_array_index (models, 0);
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_LOADED);
  info = g_ptr_array_index (models, 1);
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_FAILED);
  g_assert_cmpstr (info->status_reason, ==, "out of memory");
  info = g_ptr_array_index (models, 2);
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_UNLOADED);
}

static void
test_vllm_request (void)
{
  static const char text[] = "\x02\0\0\0Hi";
  static const char sampling[] = "{\"max_tokens\":7,\"temperature\":0.5}";
  static const char final[] = "triton_enable_empty_final_response\x12\x02\x08\x01";
  g_autoptr (TachoApi) api = grpc_new (triton);
  g_autoptr (TachoGenerateRequest) request = request_new ();
  g_autoptr (TachoHttpRequest) http = NULL;
  g_autoptr (GError) error = NULL;

  request->max_tokens = 7;
  request->temperature = 0.5;
  g_assert_null (tacho_api_build_generate (api, request, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_clear_error (&error);
  prepare (api, request, vllm_metadata (), config (TRUE, NULL));
  http = tacho_api_build_generate (api, request, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (http->path, ==, "/inference.GRPCInferenceService/ModelStreamInfer");
  g_assert_true (http->streaming);
  g_assert_true (body_has (http, text, sizeof text - 1));
  g_assert_true (body_has (http, sampling, sizeof sampling - 1));
  g_assert_true (body_has (http, final, sizeof final - 1));
  g_assert_false (body_has (http, "image", 5));
  /* A decoupled model answers over the stream only, also once. */
  request->stream = FALSE;
  g_clear_pointer (&http, tacho_http_request_free);
  http = tacho_api_build_generate (api, request, &error);
  g_assert_true (http->streaming);
}

/* Byte by byte: one BYTES input of shape [-1,1] with a batch. */
static void
test_plain_request (void)
{
  static const char expected[] = "\x0a\x03llm\x2a\x13\x0a\x06prompt\x12\x05"
                                 "BYTES\x1a\x02\x01\x01"
                                 "\x3a\x06\x02\0\0\0Hi";
  g_autoptr (TachoApi) api = grpc_new (plain);
  g_autoptr (TachoGenerateRequest) request = request_new ();
  g_autoptr (TachoHttpRequest) http = NULL;
  g_autoptr (GError) error = NULL;
  GByteArray *out = g_byte_array_new ();

  pb_text (out, 1, "llm");
  pb_message (out, 4, tensor ("prompt", "BYTES", -1, 1));
  prepare (api, request, out, NULL);
  http = tacho_api_build_generate (api, request, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (http->path, ==, "/inference.GRPCInferenceService/ModelInfer");
  assert_body (http, expected, sizeof expected - 1);
}

static GByteArray *
trt_metadata (gboolean llm_api)
{
  GByteArray *out = g_byte_array_new ();

  pb_text (out, 1, "llm");
  pb_message (out, 4, tensor ("text_input", "BYTES", -1, 1));
  pb_message (out, 4,
              tensor (llm_api ? "sampling_param_max_tokens" : "max_tokens", "INT32", -1, 1));
  pb_message (out, 4,
              tensor (llm_api ? "sampling_param_temperature" : "temperature", "FP32", -1, 1));
  pb_message (out, 4, tensor (llm_api ? "sampling_param_seed" : "seed", "UINT64", -1, 1));
  pb_message (out, 4, tensor (llm_api ? "sampling_param_stop" : "stop_words", "BYTES", -1, -1));
  pb_message (out, 4, tensor (llm_api ? "streaming" : "stream", "BOOL", -1, 1));
  return out;
}

static void
test_trt_request (gconstpointer llm_api)
{
  static const char stop[] = "\x01\0\0\0a\x02\0\0\0bc";
  static const char shape[] = "\x1a\x02\x01\x02";
  static const char half[] = "\x3a\x04\0\0\0\x3f";
  g_autoptr (TachoApi) api = grpc_new (triton);
  g_autoptr (TachoGenerateRequest) request = request_new ();
  g_autoptr (TachoHttpRequest) http = NULL;
  g_autoptr (GError) error = NULL;

  request->stop = g_strsplit ("a|bc", "|", -1);
  request->temperature = 0.5;
  request->seed = 258;
  prepare (api, request, trt_metadata (llm_api != NULL), config (FALSE, NULL));
  http = tacho_api_build_generate (api, request, &error);
  g_assert_no_error (error);
  g_assert_true (body_has (http, stop, sizeof stop - 1));
  g_assert_true (body_has (http, shape, sizeof shape - 1));
  g_assert_true (body_has (http, half, sizeof half - 1));
  g_assert_true (body_has (http, "\x3a\x08\x02\x01\0\0\0\0\0\0", 10));
  g_assert_true (body_has (http, "\x3a\x01\x01", 3));
  /* The ensemble demands a limit; the LLM API has its own. */
  g_assert_cmpint (body_has (http, "\x3a\x04\0\x04\0\0", 6), ==, llm_api == NULL);
  /* What a type cannot hold is refused, not cut. */
  if (llm_api == NULL)
    {
      request->max_tokens = G_MAXINT64;
      g_assert_null (tacho_api_build_generate (api, request, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
    }
}

static void
test_refusals (void)
{
  g_autoptr (TachoApi) api = grpc_new (plain);
  g_autoptr (TachoApi) demanding = grpc_new (triton);
  g_autoptr (TachoGenerateRequest) request = request_new ();
  g_autoptr (GError) error = NULL;
  GByteArray *image = g_byte_array_new ();
  GByteArray *odd = g_byte_array_new ();

  pb_text (image, 1, "llm");
  pb_message (image, 4, tensor ("image", "FP32", 3, 224));
  prepare (api, request, image, NULL);
  g_assert_null (tacho_api_build_generate (api, request, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "image FP32 [3,224]"));
  g_clear_error (&error);

  pb_text (odd, 1, "llm");
  pb_message (odd, 4, tensor ("text_input", "BYTES", G_MAXINT64, G_MAXINT64));
  pb_message (odd, 4, tensor ("mask", "INT8", 1, 0));
  prepare (demanding, request, odd, config (FALSE, "mask"));
  g_assert_null (tacho_api_build_generate (demanding, request, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
}

/* --- streams --- */

static GByteArray *
output (const char *name, const char *datatype)
{
  GByteArray *out = g_byte_array_new ();

  pb_text (out, 1, name);
  pb_text (out, 2, datatype);
  return out;
}

static void
add_raw_text (GByteArray *out, const char *text)
{
  g_autoptr (GByteArray) raw = g_byte_array_new ();
  guint32 length = GUINT32_TO_LE ((guint32) strlen (text));

  g_byte_array_append (raw, (const guint8 *) &length, 4);
  g_byte_array_append (raw, (const guint8 *) text, (guint) strlen (text));
  pb_bytes (out, 6, raw->data, raw->len);
}

static void
add_final (GByteArray *out, gboolean final)
{
  GByteArray *entry = g_byte_array_new ();
  GByteArray *value = g_byte_array_new ();

  pb_int (value, 1, final);
  pb_text (entry, 1, "triton_final_response");
  pb_message (entry, 2, value);
  pb_message (out, 4, entry);
}

/* text NULL: the empty last one. */
static GByteArray *
stream_piece (const char *text, const char *reason)
{
  GByteArray *out = g_byte_array_new ();
  GByteArray *inner = g_byte_array_new ();

  pb_text (inner, 1, "llm");
  pb_text (inner, 2, "1");
  if (text != NULL)
    {
      pb_message (inner, 5, output ("text_output", "BYTES"));
      pb_message (inner, 5, output ("finish_reason", "BYTES"));
      pb_message (inner, 5, output ("num_output_tokens", "UINT32"));
      add_raw_text (inner, text);
      add_raw_text (inner, reason);
      pb_bytes (inner, 6, "\x02\0\0\0", 4);
    }
  add_final (inner, text == NULL);
  pb_message (out, 2, inner);
  return out;
}

typedef struct
{
  GString *text;
  guint done;
  gint64 output_tokens;
  char *finish_reason;
  gboolean in_band;
} Heard;

static void
hear (const TachoStreamEvent *event, gpointer user_data)
{
  Heard *heard = user_data;

  if (event->content != NULL)
    g_string_append (heard->text, event->content);
  heard->done += event->done ? 1 : 0;
  if (event->has_usage)
    heard->output_tokens = event->usage.output_tokens;
  if (event->finish_reason != NULL)
    {
      g_free (heard->finish_reason);
      heard->finish_reason = g_strdup (event->finish_reason);
    }
  heard->in_band = heard->in_band || event->error != NULL;
}

static void
heard_clear (Heard *heard)
{
  g_string_free (heard->text, TRUE);
  g_free (heard->finish_reason);
}

/* Feeds `data`, in two pieces cut at `cut`, then the end. */
static gboolean
decode (TachoApi *api, const char *data, gsize length, gsize cut, Heard *heard, GError **error)
{
  g_autoptr (TachoStreamDecoder) decoder =
      tacho_stream_decoder_new (api, TACHO_OP_CHAT, TACHO_DECODE_FULL);

  *heard = (Heard){ .text = g_string_new (NULL) };
  return tacho_stream_decoder_feed (decoder, data, cut, hear, heard, error) &&
         tacho_stream_decoder_feed (decoder, data + cut, length - cut, hear, heard, error) &&
         tacho_stream_decoder_finish (decoder, hear, heard, error);
}

static GByteArray *
whole_stream (void)
{
  GByteArray *stream = g_byte_array_new ();

  pb_frame (stream, stream_piece ("Hel", "None"));
  pb_frame (stream, stream_piece ("lo", "stop"));
  pb_frame (stream, stream_piece (NULL, NULL));
  return stream;
}

static void
test_stream_splits (void)
{
  g_autoptr (TachoApi) api = grpc_new (triton);
  g_autoptr (GByteArray) stream = whole_stream ();

  for (guint cut = 0; cut <= stream->len; cut++)
    {
      g_autoptr (GError) error = NULL;
      Heard heard;

      g_assert_true (decode (api, (char *) stream->data, stream->len, cut, &heard, &error));
      g_assert_no_error (error);
      g_assert_cmpstr (heard.text->str, ==, "Hello");
      g_assert_cmpuint (heard.done, ==, 1);
      g_assert_cmpint (heard.output_tokens, ==, 4);
      g_assert_cmpstr (heard.finish_reason, ==, "stop");
      heard_clear (&heard);
    }
}

/* Cut anywhere, it is never taken for whole. */
static void
test_stream_truncated (void)
{
  g_autoptr (TachoApi) api = grpc_new (triton);
  g_autoptr (GByteArray) stream = whole_stream ();

  for (guint length = 0; length < stream->len; length++)
    {
      g_autoptr (GError) error = NULL;
      Heard heard;

      g_assert_false (decode (api, (char *) stream->data, length, 0, &heard, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TRUNCATED);
      heard_clear (&heard);
    }
}

static void
test_stream_error (void)
{
  g_autoptr (TachoApi) api = grpc_new (triton);
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  GByteArray *piece = g_byte_array_new ();
  Heard heard;

  pb_frame (stream, stream_piece ("Hel", "None"));
  pb_text (piece, 1, "out of \x1b[31mmemory");
  pb_frame (stream, piece);
  g_assert_false (decode (api, (char *) stream->data, stream->len, 3, &heard, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IN_BAND);
  g_assert_nonnull (strstr (error->message, "out of"));
  g_assert_null (strchr (error->message, '\x1b'));
  g_assert_cmpstr (heard.text->str, ==, "Hel");
  g_assert_true (heard.in_band);
  heard_clear (&heard);
}

/* KServe answers in typed contents; a length that lies is refused. */
static void
test_contents (void)
{
  g_autoptr (TachoApi) api = grpc_new (kserve);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) typed = NULL;
  g_autoptr (TachoHttpReply) lying = NULL;
  g_autoptr (TachoGenerateReply) reply = NULL;
  GByteArray *out = g_byte_array_new ();
  GByteArray *tensor_out = output ("output_0", "BYTES");
  GByteArray *contents = g_byte_array_new ();

  pb_text (contents, 8, "Hello\xff");
  pb_message (tensor_out, 5, contents);
  pb_text (out, 1, "llm");
  pb_text (out, 3, "r1");
  pb_message (out, 5, tensor_out);
  typed = pb_reply (out);
  reply = tacho_api_parse_generate (api, TACHO_OP_CHAT, typed, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (reply->content, ==, "Hello\xef\xbf\xbd");
  g_assert_cmpstr (reply->response_id, ==, "r1");

  out = g_byte_array_new ();
  pb_text (out, 1, "llm");
  pb_message (out, 5, output ("text_output", "BYTES"));
  pb_bytes (out, 6, "\xff\xff\xff\xffx", 5);
  lying = pb_reply (out);
  g_assert_null (tacho_api_parse_generate (api, TACHO_OP_CHAT, lying, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL);
}

/* Good messages with bytes changed: any result, but an orderly one. */
static void
test_hostile (void)
{
  g_autoptr (TachoApi) api = grpc_new (triton);
  g_autoptr (GByteArray) good = stream_piece ("Hello", "None");
  g_autoptr (GByteArray) metadata = vllm_metadata ();
  g_autoptr (GRand) random = g_rand_new_with_seed (4);

  for (guint i = 0; i < 20000; i++)
    {
      const GByteArray *from = i % 2 == 0 ? good : metadata;
      g_autofree guint8 *bytes = g_memdup2 (from->data, from->len);
      g_autoptr (GBytes) body = NULL;
      g_autoptr (TachoHttpReply) reply = NULL;
      g_autoptr (TachoModelInfo) info = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (GByteArray) stream = g_byte_array_new ();
      Heard heard;

      for (guint n = 0; n < 4; n++)
        bytes[g_rand_int_range (random, 0, (gint32) from->len)] = (guint8) g_rand_int (random);
      body = g_bytes_new (bytes, from->len);
      reply = tacho_http_reply_new (200, body);
      info = tacho_api_parse_model (api, "llm", reply, &error);
      g_assert_true ((info != NULL) == (error == NULL));
      g_clear_error (&error);
      pb_frame (stream, g_byte_array_append (g_byte_array_new (), bytes, from->len));
      if (!decode (api, (char *) stream->data, stream->len, 0, &heard, &error))
        g_assert_true (error->domain == TACHO_ERROR);
      heard_clear (&heard);
    }
}

/* --- REST --- */

static const char rest_metadata[] =
    "{\"name\":\"llm\",\"versions\":[\"1\"],\"platform\":\"vllm\",\"inputs\":["
    "{\"name\":\"text_input\",\"datatype\":\"BYTES\",\"shape\":[1]},"
    "{\"name\":\"stream\",\"datatype\":\"BOOL\",\"shape\":[1]}],\"outputs\":[]}";
static const char rest_config[] =
    "{\"name\":\"llm\",\"max_batch_size\":0,\"input\":[{\"name\":\"text_input\"}],"
    "\"model_transaction_policy\":{\"decoupled\":true}}";

/* Several generations ask at once: answers may come in any order, and more often than needed. */
static void
test_prepare_together (void)
{
  g_autoptr (TachoApi) api = grpc_new (triton);
  g_autoptr (TachoGenerateRequest) request = request_new ();
  g_autoptr (TachoHttpReply) metadata = pb_reply (vllm_metadata ());
  g_autoptr (TachoHttpReply) settings = pb_reply (config (TRUE, NULL));
  g_autoptr (TachoHttpReply) none = pb_status (501, "12", "no such call");
  g_autoptr (TachoHttpReply) busy = pb_status (503, "14", "later");
  g_autoptr (TachoApi) other = grpc_new (triton);
  g_autoptr (TachoHttpRequest) question = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (tacho_api_parse_prepare (api, request, metadata, &error));
  g_assert_true (tacho_api_parse_prepare (api, request, settings, &error));
  g_assert_true (tacho_api_parse_prepare (api, request, metadata, &error));
  g_assert_null (tacho_api_build_prepare (api, request));
  /* No configuration at all is an answer; none just now is not. */
  g_assert_true (tacho_api_parse_prepare (other, request, metadata, &error));
  g_assert_false (tacho_api_parse_prepare (other, request, busy, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_GRPC);
  g_clear_error (&error);
  question = tacho_api_build_prepare (other, request);
  g_assert_cmpstr (question->path, ==, "/inference.GRPCInferenceService/ModelConfig");
  g_assert_true (tacho_api_parse_prepare (other, request, none, &error));
  g_assert_null (tacho_api_build_prepare (other, request));
}

static void
test_rest_generate (void)
{
  g_autoptr (TachoApi) api = tacho_api_oip_new (TACHO_PROTOCOL_REST, triton, NULL, NULL);
  g_autoptr (TachoGenerateRequest) request = request_new ();
  g_autoptr (TachoHttpReply) metadata = json_reply (200, rest_metadata);
  g_autoptr (TachoHttpReply) settings = json_reply (200, rest_config);
  g_autoptr (TachoHttpRequest) first = tacho_api_build_prepare (api, request);
  g_autoptr (TachoHttpRequest) http = NULL;
  g_autoptr (GError) error = NULL;
  static const char body[] = "{\"text_input\":\"Hi\",\"stream\":true}";

  g_assert_cmpstr (first->path, ==, "/v2/models/llm");
  g_assert_true (tacho_api_parse_prepare (api, request, metadata, &error));
  g_assert_true (tacho_api_parse_prepare (api, request, settings, &error));
  g_assert_null (tacho_api_build_prepare (api, request));
  http = tacho_api_build_generate (api, request, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (http->path, ==, "/v2/models/llm/generate_stream");
  assert_body (http, body, sizeof body - 1);
}

static const struct
{
  const char *stream;
  const char *text;
  int code; /* 0: whole */
} rest_streams[] = {
  { "data: {\"text_output\":\"He\"}\n\ndata: {\"text_output\":[\"llo\"]}\n\n", "Hello", 0 },
  { "data: {\"text_output\":\"He\",\"finish_reason\":\"None\"}\n\n", "He", TACHO_ERROR_TRUNCATED },
  { "data: {\"text_output\":\"He\",\"finish_reason\":\"stop\"}\n\n", "He", 0 },
  { "data: {\"text_output\":\"He\"}\n\ndata: {\"error\":\"boom\"}\n\n", "He", TACHO_ERROR_IN_BAND },
  { "data: {\"text_output\":\"He\"}\n\ndata: {\"text_o", "He", TACHO_ERROR_TRUNCATED },
  { "data: nonsense\n\n", "", TACHO_ERROR_PROTOCOL },
};

static void
test_rest_streams (void)
{
  g_autoptr (TachoApi) api = tacho_api_oip_new (TACHO_PROTOCOL_REST, triton, NULL, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (rest_streams); i++)
    for (gsize cut = 0; cut <= strlen (rest_streams[i].stream); cut++)
      {
        g_autoptr (GError) error = NULL;
        Heard heard;
        gboolean whole = decode (api, rest_streams[i].stream, strlen (rest_streams[i].stream), cut,
                                 &heard, &error);

        g_assert_cmpint (whole, ==, rest_streams[i].code == 0);
        if (!whole)
          g_assert_error (error, TACHO_ERROR, rest_streams[i].code);
        g_assert_cmpstr (heard.text->str, ==, rest_streams[i].text);
        heard_clear (&heard);
      }
}

static void
test_rest_kserve (void)
{
  g_autoptr (TachoApi) api = tacho_api_oip_new (TACHO_PROTOCOL_REST, kserve, NULL, NULL);
  g_autoptr (TachoGenerateRequest) request = request_new ();
  g_autoptr (TachoHttpRequest) list = tacho_api_build (api, TACHO_OP_LIST_MODELS, NULL, NULL);
  g_autoptr (TachoHttpReply) names = json_reply (200, "{\"models\":[\"a\",\"b\"]}");
  g_autoptr (TachoHttpReply) refused = json_reply (200, "{\"name\":\"a\",\"load\":false}");
  g_autoptr (TachoHttpReply) metadata = json_reply (200, rest_metadata);
  g_autoptr (TachoHttpReply) answer =
      json_reply (200, "{\"model_name\":\"llm\",\"outputs\":[{\"name\":\"output-0\",\"shape\":[1],"
                       "\"datatype\":\"BYTES\",\"data\":[\"Hello\"]}]}");
  g_autoptr (TachoHttpReply) loading = json_reply (400, "");
  g_autoptr (GPtrArray) models = NULL;
  g_autoptr (TachoHttpRequest) http = NULL;
  g_autoptr (TachoGenerateReply) reply = NULL;
  g_autoptr (GError) error = NULL;
  TachoHealth health;

  g_assert_cmpstr (list->path, ==, "/v2/models");
  models = tacho_api_parse_models (api, names, &error);
  g_assert_cmpuint (models->len, ==, 2);
  g_assert_false (tacho_api_parse_change (api, TACHO_OP_LOAD_MODEL, "a", refused, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED);
  g_clear_error (&error);
  g_assert_true (tacho_api_parse_health (api, loading, &health, &error));
  g_assert_cmpint (health, ==, TACHO_HEALTH_LOADING);
  g_assert_true (tacho_api_parse_prepare (api, request, metadata, &error));
  g_assert_null (tacho_api_build_prepare (api, request));
  http = tacho_api_build_generate (api, request, &error);
  g_assert_cmpstr (http->path, ==, "/v2/models/llm/infer");
  reply = tacho_api_parse_generate (api, TACHO_OP_CHAT, answer, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (reply->content, ==, "Hello");
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/api/oip/layouts", test_layouts);
  g_test_add_func ("/api/oip/index", test_index);
  g_test_add_func ("/api/oip/request/vllm", test_vllm_request);
  g_test_add_func ("/api/oip/request/plain", test_plain_request);
  g_test_add_data_func ("/api/oip/request/trt", NULL, test_trt_request);
  g_test_add_data_func ("/api/oip/request/trt-llm-api", "yes", test_trt_request);
  g_test_add_func ("/api/oip/request/refusals", test_refusals);
  g_test_add_func ("/api/oip/stream/splits", test_stream_splits);
  g_test_add_func ("/api/oip/stream/truncated", test_stream_truncated);
  g_test_add_func ("/api/oip/stream/error", test_stream_error);
  g_test_add_func ("/api/oip/contents", test_contents);
  g_test_add_func ("/api/oip/hostile", test_hostile);
  g_test_add_func ("/api/oip/prepare/together", test_prepare_together);
  g_test_add_func ("/api/oip/rest/generate", test_rest_generate);
  g_test_add_func ("/api/oip/rest/streams", test_rest_streams);
  g_test_add_func ("/api/oip/rest/kserve", test_rest_kserve);
  return g_test_run ();
}
