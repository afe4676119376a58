/* SPDX-License-Identifier: GPL-3.0-or-later */
/* LM Studio, of both versions: what is asked, and every shape of reply. */
#include "api/tacho-api-lmstudio.h"

#include <string.h>

#include "api/tacho-stream-decoder.h"
#include "base/tacho-error.h"
#include "test-utils.h"

static TachoHttpReply *
reply_of (guint status, const char *body)
{
  return tacho_http_reply_new (status, g_bytes_new (body, strlen (body)));
}

static void
assert_builds (TachoApi *api,
               TachoOperation operation,
               const char *id,
               const char *method,
               const char *path,
               const char *body)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpRequest) request = tacho_api_build (api, operation, id, &error);
  g_autofree char *sent = NULL;

  g_assert_no_error (error);
  sent = request->body != NULL
             ? g_strndup (g_bytes_get_data (request->body, NULL), g_bytes_get_size (request->body))
             : g_strdup ("");
  g_assert_cmpstr (request->method, ==, method);
  g_assert_cmpstr (request->path, ==, path);
  g_assert_cmpstr (sent, ==, body);
}

#define V1                                                                                         \
  "{\"models\":[{\"type\":\"llm\",\"publisher\":\"qwen\",\"key\":\"qwen/qwen3-4b\","               \
  "\"display_name\":\"Qwen3 4B\",\"architecture\":\"qwen3\",\"quantization\":{\"name\":"           \
  "\"Q4_K_M\",\"bits_per_weight\":4},\"size_bytes\":2500000000,\"params_string\":\"4B\","          \
  "\"loaded_instances\":[{\"id\":\"qwen/qwen3-4b:2\",\"config\":{\"context_length\":8192}}],"      \
  "\"max_context_length\":32768,\"format\":\"gguf\",\"capabilities\":{\"vision\":false,"           \
  "\"trained_for_tool_use\":true}},{\"type\":\"embedding\",\"key\":\"nomic\","                     \
  "\"loaded_instances\":[]},{\"key\":\"bare\",\"quantization\":null}]}"

static void
test_v1 (void)
{
  g_autoptr (TachoApi) api = tacho_api_lmstudio_new (TRUE);
  g_autoptr (TachoHttpReply) reply = reply_of (200, V1);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) models = NULL;
  g_autoptr (TachoModelInfo) one = NULL;
  const TachoModelInfo *info;

  assert_builds (api, TACHO_OP_UNLOAD_MODEL, "qwen/qwen3-4b", "POST", "/api/v1/models/unload",
                 "{\"instance_id\":\"qwen/qwen3-4b\"}");
  models = tacho_api_parse_models (api, reply, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (models->len, ==, 3);
  info = g_ptr_array_index (models, 0);
  g_assert_cmpstr (info->id, ==, "qwen/qwen3-4b");
  g_assert_cmpstr (info->name, ==, "Qwen3 4B");
  g_assert_cmpstr (info->kind, ==, "chat");
  g_assert_cmpstr (info->quantization, ==, "Q4_K_M");
  g_assert_cmpuint (info->n_params, ==, 4000000000);
  g_assert_cmpint (info->context_window, ==, 8192);
  g_assert_cmpint (info->context_trained, ==, 32768);
  g_assert_cmpstr (info->capabilities[0], ==, "tools");
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_LOADED);
  info = g_ptr_array_index (models, 1);
  g_assert_cmpstr (info->kind, ==, "embedding");
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_UNLOADED);
  info = g_ptr_array_index (models, 2);
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_UNKNOWN);

  /* By the instance that the list told of. */
  assert_builds (api, TACHO_OP_UNLOAD_MODEL, "qwen/qwen3-4b", "POST", "/api/v1/models/unload",
                 "{\"instance_id\":\"qwen/qwen3-4b:2\"}");
  assert_builds (api, TACHO_OP_LOAD_MODEL, "nomic", "POST", "/api/v1/models/load",
                 "{\"model\":\"nomic\"}");
  assert_builds (api, TACHO_OP_HEALTH, NULL, "GET", "/api/v1/models", "");
  one = tacho_api_parse_model (api, "nomic", reply, &error);
  g_assert_no_error (error);
  g_assert_null (tacho_api_parse_model (api, "absent", reply, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
  g_assert_true (tacho_api_change_blocks (api, TACHO_OP_LOAD_MODEL));
}

static void
test_v0 (void)
{
  g_autoptr (TachoApi) api = tacho_api_lmstudio_new (FALSE);
  g_autoptr (TachoHttpReply) reply = reply_of (
      200,
      "{\"data\":[{\"id\":\"a\",\"type\":\"vlm\",\"arch\":\"gemma3\",\"quantization\":\"4bit\","
      "\"state\":\"loaded\",\"max_context_length\":131072,\"loaded_context_length\":4096,"
      "\"capabilities\":[\"tool_use\"]},{\"id\":\"b\",\"state\":\"not-loaded\"}]}");
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) models = tacho_api_parse_models (api, reply, &error);
  const TachoModelInfo *info;

  g_assert_no_error (error);
  info = g_ptr_array_index (models, 0);
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_LOADED);
  g_assert_cmpstr (info->kind, ==, "vision");
  g_assert_cmpint (info->context_window, ==, 4096);
  g_assert_cmpstr (info->capabilities[0], ==, "tools");
  info = g_ptr_array_index (models, 1);
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_UNLOADED);
  assert_builds (api, TACHO_OP_LIST_MODELS, NULL, "GET", "/api/v0/models", "");
  g_assert_null (tacho_api_build (api, TACHO_OP_LOAD_MODEL, "a", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
}

/* It answers what it does not know with 200. */
static void
test_hostile (void)
{
  static const struct
  {
    const char *body;
    int code;
  } cases[] = {
    { "{\"error\":\"Unexpected endpoint or method. (GET /api/v1/models)\"}", TACHO_ERROR_IN_BAND },
    { "", TACHO_ERROR_PROTOCOL },
    { "{}", TACHO_ERROR_PROTOCOL },
    { "[]", TACHO_ERROR_PROTOCOL },
    { "{\"models\":{}}", TACHO_ERROR_PROTOCOL },
    { "{\"models\":[null]}", TACHO_ERROR_PROTOCOL },
    { "{\"models\":[{\"key\":\"\"}]}", TACHO_ERROR_PROTOCOL },
  };
  static const char odd[] = "{\"models\":[{\"key\":\"k\",\"loaded_instances\":[7],"
                            "\"quantization\":\"x\",\"capabilities\":7,\"params_string\":{},"
                            "\"size_bytes\":-1,\"max_context_length\":\"9\"}]}";
  g_autoptr (TachoApi) api = tacho_api_lmstudio_new (TRUE);
  g_autoptr (TachoHttpReply) reply = reply_of (200, odd);
  g_autoptr (GPtrArray) models = tacho_api_parse_models (api, reply, NULL);

  g_assert_cmpuint (models->len, ==, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TachoHttpReply) bad = reply_of (200, cases[i].body);
      g_autoptr (GError) error = NULL;
      TachoHealth health;

      g_assert_null (tacho_api_parse_models (api, bad, &error));
      g_assert_error (error, TACHO_ERROR, cases[i].code);
      g_assert_false (tacho_api_parse_health (api, bad, &health, NULL));
    }
}

static void
test_change (void)
{
  g_autoptr (TachoApi) api = tacho_api_lmstudio_new (TRUE);
  g_autoptr (TachoHttpReply) loaded =
      reply_of (200, "{\"type\":\"llm\",\"instance_id\":\"a\",\"status\":\"loaded\"}");
  g_autoptr (TachoHttpReply) failed =
      reply_of (500, "{\"error\":{\"type\":\"model_load_failed\",\"message\":\"no memory\"}}");
  g_autoptr (TachoHttpReply) odd = reply_of (200, "{}");
  g_autoptr (GError) error = NULL;

  g_assert_true (tacho_api_parse_change (api, TACHO_OP_LOAD_MODEL, "a", loaded, &error));
  g_assert_false (tacho_api_parse_change (api, TACHO_OP_LOAD_MODEL, "a", failed, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED);
  g_assert_nonnull (strstr (error->message, "no memory"));
  g_clear_error (&error);
  g_assert_false (tacho_api_parse_change (api, TACHO_OP_UNLOAD_MODEL, "a", odd, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED);
}

static void
test_pull (void)
{
  static const char begun[] = "{\"job_id\":\"job/1\",\"status\":\"downloading\","
                              "\"total_size_bytes\":100}";
  static const char going[] = "{\"status\":\"downloading\",\"downloaded_bytes\":30,"
                              "\"total_size_bytes\":100}";
  static const char there[] = "{\"status\":\"already_downloaded\"}";
  static const char failed[] = "{\"job_id\":\"job/1\",\"status\":\"failed\"}";
  static const char jobless[] = "{\"status\":\"downloading\"}";
  g_autoptr (TachoApi) api = tacho_api_lmstudio_new (TRUE);
  g_autoptr (TachoHttpRequest) status = NULL;
  g_autoptr (GError) error = NULL;
  TachoPullProgress progress = { 0 };

  assert_builds (api, TACHO_OP_PULL_MODEL, "m", "POST", "/api/v1/models/download",
                 "{\"model\":\"m\"}");
  g_assert_true (tacho_api_parse_pull (api, begun, strlen (begun), &progress, &error));
  status = tacho_api_build_pull_status (api, "m", &progress);
  g_assert_cmpstr (status->path, ==, "/api/v1/models/download/status/job%2F1");
  g_assert_true (tacho_api_parse_pull (api, going, strlen (going), &progress, &error));
  g_assert_cmpstr (progress.job_id, ==, "job/1");
  g_assert_cmpuint (progress.completed, ==, 30);
  g_assert_false (tacho_api_parse_pull (api, failed, strlen (failed), &progress, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IN_BAND);
  g_clear_error (&error);
  tacho_pull_progress_clear (&progress);
  g_assert_true (tacho_api_parse_pull (api, there, strlen (there), &progress, &error));
  g_assert_true (progress.done);
  g_assert_false (tacho_api_parse_pull (api, jobless, strlen (jobless), &progress, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL);
  tacho_pull_progress_clear (&progress);
}

static void
event_cb (const TachoStreamEvent *event, gpointer user_data)
{
  if (event->reasoning != NULL)
    g_string_append_printf (user_data, "[%s]", event->reasoning);
  if (event->content != NULL)
    g_string_append (user_data, event->content);
}

static void
test_stream (void)
{
  static const struct
  {
    const char *stream;
    const char *text;
    int code;
  } cases[] = {
    { "data: {\"choices\":[{\"delta\":{\"reasoning\":\"t\"}}]}\n\ndata: {\"choices\":[{\"delta\":{"
      "\"content\":\"a\"}}],\"stats\":{}}\n\ndata: [DONE]\n\n",
      "[t]a", 0 },
    { "event: error\ndata: {\"error\":{\"message\":\"Model unloaded\"},\"message\":\"x\"}\n\n", "",
      TACHO_ERROR_IN_BAND },
    { "{\"error\":\"Unexpected endpoint or method. (POST /x)\"}", "", TACHO_ERROR_IN_BAND },
    { "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n", "a", TACHO_ERROR_TRUNCATED },
  };
  g_autoptr (TachoApi) api = tacho_api_lmstudio_new (TRUE);
  g_autoptr (TachoStreamDecoder) decoder =
      tacho_stream_decoder_new (api, TACHO_OP_CHAT, TACHO_DECODE_FULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize cut = 0; cut <= strlen (cases[i].stream); cut++)
      {
        g_autoptr (GString) text = g_string_new (NULL);
        g_autoptr (GError) error = NULL;

        tacho_stream_decoder_reset (decoder);
        tacho_stream_decoder_feed (decoder, cases[i].stream, cut, event_cb, text, NULL);
        tacho_stream_decoder_feed (decoder, cases[i].stream + cut, strlen (cases[i].stream) - cut,
                                   event_cb, text, NULL);
        tacho_stream_decoder_finish (decoder, event_cb, text, &error);
        g_assert_cmpstr (text->str, ==, cases[i].text);
        if (cases[i].code == 0)
          g_assert_no_error (error);
        else
          g_assert_error (error, TACHO_ERROR, cases[i].code);
      }
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/api/lmstudio/v1", test_v1);
  g_test_add_func ("/api/lmstudio/v0", test_v0);
  g_test_add_func ("/api/lmstudio/hostile", test_hostile);
  g_test_add_func ("/api/lmstudio/change", test_change);
  g_test_add_func ("/api/lmstudio/pull", test_pull);
  g_test_add_func ("/api/lmstudio/stream", test_stream);
  return g_test_run ();
}
