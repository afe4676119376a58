/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ryzanstein: its REST contract and its InferenceService. */
#include "api/tacho-api-ryzanstein.h"

#include "api/tacho-stream-decoder.h"
#include "base/tacho-error.h"
#include "core/api/proto-bytes.h"
#include "test-utils.h"

static TachoHttpReply *
json_reply (guint status, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  return tacho_http_reply_new (status, bytes);
}

static void
append_cb (const TachoStreamEvent *event, gpointer user_data)
{
  if (event->content != NULL)
    g_string_append (user_data, event->content);
  if (event->done)
    g_string_append_c (user_data, '.');
}

static gboolean
decode (TachoApi *api, const char *data, gsize length, gsize cut, GString *text, GError **error)
{
  g_autoptr (TachoStreamDecoder) decoder =
      tacho_stream_decoder_new (api, TACHO_OP_CHAT, TACHO_DECODE_FULL);

  return tacho_stream_decoder_feed (decoder, data, cut, append_cb, text, error) &&
         tacho_stream_decoder_feed (decoder, data + cut, length - cut, append_cb, text, error) &&
         tacho_stream_decoder_finish (decoder, append_cb, text, error);
}

static GByteArray *
chunk (const char *content, gboolean final, int status)
{
  GByteArray *out = g_byte_array_new ();
  GByteArray *metadata = g_byte_array_new ();

  pb_text (metadata, 1, "r1");
  if (status != 0)
    {
      pb_int (metadata, 3, (guint64) status);
      pb_text (metadata, 4, "no engine");
    }
  pb_message (out, 1, metadata);
  pb_text (out, 2, content);
  if (final)
    pb_int (out, 3, 1);
  return out;
}

static void
test_grpc_stream (void)
{
  g_autoptr (TachoApi) api = tacho_api_ryzanstein_new (TACHO_PROTOCOL_GRPC, "1.0");
  g_autoptr (GByteArray) stream = g_byte_array_new ();

  pb_frame (stream, chunk ("Token 1 ", FALSE, 0));
  pb_frame (stream, chunk ("Token 2", TRUE, 200));
  for (guint cut = 0; cut <= stream->len; cut++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (GString) less = g_string_new (NULL);
      g_autoptr (GError) error = NULL;

      g_assert_true (decode (api, (char *) stream->data, stream->len, cut, text, &error));
      g_assert_no_error (error);
      g_assert_cmpstr (text->str, ==, "Token 1 Token 2.");
      if (cut == stream->len)
        continue;
      g_assert_false (decode (api, (char *) stream->data, cut, 0, less, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TRUNCATED);
    }
}

static void
test_grpc_error (void)
{
  g_autoptr (TachoApi) api = tacho_api_ryzanstein_new (TACHO_PROTOCOL_GRPC, NULL);
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  pb_frame (stream, chunk ("", FALSE, 503));
  g_assert_false (decode (api, (char *) stream->data, stream->len, 0, text, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IN_BAND);
  g_assert_nonnull (strstr (error->message, "no engine (503)"));
}

/* The server falls over a request without metadata: field 1 stands first in every one. */
static void
test_grpc_requests (void)
{
  static const char message[] = "\x1a\x06\x08\x02\x12\x02Hi";
  g_autoptr (TachoApi) api = tacho_api_ryzanstein_new (TACHO_PROTOCOL_GRPC, NULL);
  g_autoptr (TachoGenerateRequest) request = tacho_generate_request_new ("m");
  g_autoptr (TachoHttpRequest) health = tacho_api_build (api, TACHO_OP_HEALTH, NULL, NULL);
  g_autoptr (TachoHttpRequest) show = tacho_api_build (api, TACHO_OP_SHOW_MODEL, "m", NULL);
  g_autoptr (TachoHttpRequest) infer = NULL;
  g_autoptr (TachoHttpReply) missing = pb_status (404, "5", "no such model");
  g_autoptr (TachoHttpReply) info = NULL;
  g_autoptr (TachoModelInfo) model = NULL;
  g_autoptr (GError) error = NULL;
  GByteArray *out = g_byte_array_new ();
  gsize size;
  const char *data;

  tacho_generate_request_add_message (request, TACHO_ROLE_USER, "Hi");
  infer = tacho_api_build_generate (api, request, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (infer->path, ==, "/mcp.ryzanstein.InferenceService/InferStream");
  data = g_bytes_get_data (infer->body, &size);
  g_assert_cmpint (data[0], ==, 0x0a);
  g_assert_nonnull (memmem (data, size, message, sizeof message - 1));
  g_assert_cmpint (((const char *) g_bytes_get_data (health->body, NULL))[0], ==, 0x0a);
  g_assert_cmpint (((const char *) g_bytes_get_data (show->body, NULL))[0], ==, 0x0a);
  g_assert_null (tacho_api_build (api, TACHO_OP_LIST_MODELS, NULL, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_null (tacho_api_parse_model (api, "m", missing, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  pb_text (out, 2, "m");
  pb_int (out, 3, 4096);
  pb_int (out, 4, 512);
  info = pb_reply (out);
  model = tacho_api_parse_model (api, "m", info, &error);
  g_assert_no_error (error);
  g_assert_cmpint (model->context_window, ==, 4096);
  g_assert_cmpint (model->max_output, ==, 512);
}

static void
test_rest (void)
{
  static const char stream[] =
      "data: {\"id\":\"a\",\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n"
      "data: {\"id\":\"b\",\"choices\":[{\"delta\":{\"content\":\"Hi\"},"
      "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
  static const char broken[] = "data: {\"error\":\"no engine\"}\n\n";
  g_autoptr (TachoApi) api = tacho_api_ryzanstein_new (TACHO_PROTOCOL_REST, NULL);
  g_autoptr (TachoHttpReply) list = json_reply (
      200, "{\"data\":[{\"id\":\"bitnet\",\"name\":\"BitNet\",\"context_window\":2048,"
           "\"max_output_tokens\":512,\"type\":\"chat\",\"quantization\":\"ternary\"}]}");
  g_autoptr (TachoHttpReply) sick = json_reply (200, "{\"status\":\"unhealthy\"}");
  g_autoptr (TachoHttpReply) refused =
      json_reply (500, "{\"code\":\"E1\",\"message\":\"no memory\",\"details\":\"\"}");
  g_autoptr (TachoHttpRequest) load = tacho_api_build (api, TACHO_OP_LOAD_MODEL, "a/b", NULL);
  g_autoptr (TachoHttpRequest) unload = tacho_api_build (api, TACHO_OP_UNLOAD_MODEL, "a/b", NULL);
  g_autoptr (TachoModelInfo) model = NULL;
  g_autoptr (GError) error = NULL;
  TachoHealth health;

  g_assert_cmpstr (load->path, ==, "/v1/models/load");
  g_assert_cmpstr (g_bytes_get_data (load->body, NULL), ==, "{\"model_id\":\"a/b\"}");
  g_assert_cmpstr (unload->path, ==, "/v1/models/a%2Fb/unload");
  model = tacho_api_parse_model (api, "bitnet", list, &error);
  g_assert_no_error (error);
  g_assert_cmpint (model->context_window, ==, 2048);
  g_assert_cmpint (model->max_output, ==, 512);
  g_assert_cmpstr (model->quantization, ==, "ternary");
  g_assert_null (tacho_api_parse_model (api, "other", list, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_true (tacho_api_parse_health (api, sick, &health, &error));
  g_assert_cmpint (health, ==, TACHO_HEALTH_UNHEALTHY);
  g_assert_false (tacho_api_parse_change (api, TACHO_OP_LOAD_MODEL, "a/b", refused, &error));
  g_assert_nonnull (strstr (error->message, "no memory"));
  g_clear_error (&error);
  for (gsize cut = 0; cut < sizeof stream; cut++)
    {
      g_autoptr (GString) text = g_string_new (NULL);

      g_assert_true (
          decode (api, stream, sizeof stream - 1, MIN (cut, sizeof stream - 1), text, &error));
      g_assert_cmpstr (text->str, ==, "Hi.");
    }
  {
    g_autoptr (GString) text = g_string_new (NULL);

    g_assert_false (decode (api, broken, sizeof broken - 1, 0, text, &error));
    g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IN_BAND);
  }
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/api/ryzanstein/grpc/stream", test_grpc_stream);
  g_test_add_func ("/api/ryzanstein/grpc/error", test_grpc_error);
  g_test_add_func ("/api/ryzanstein/grpc/requests", test_grpc_requests);
  g_test_add_func ("/api/ryzanstein/rest", test_rest);
  return g_test_run ();
}
