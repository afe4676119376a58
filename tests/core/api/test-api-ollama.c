/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ollama's own API: what is asked, every shape of reply, and each stream split at every byte. */
#include "api/tacho-api-ollama.h"

#include <math.h>
#include <string.h>

#include "api/tacho-ollama-json.h"
#include "api/tacho-stream-decoder.h"
#include "base/tacho-error.h"
#include "test-utils.h"

static TachoHttpReply *
reply_of (guint status, const char *body)
{
  return tacho_http_reply_new (status, g_bytes_new (body, strlen (body)));
}

static char *
body_of (const TachoHttpRequest *request)
{
  gsize length;
  const char *data = request->body != NULL ? g_bytes_get_data (request->body, &length) : NULL;

  return data != NULL ? g_strndup (data, length) : g_strdup ("");
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
  sent = body_of (request);
  g_assert_cmpstr (request->method, ==, method);
  g_assert_cmpstr (request->path, ==, path);
  g_assert_cmpstr (sent, ==, body);
  g_assert_cmpint (request->streaming, ==, operation == TACHO_OP_PULL_MODEL);
  g_assert_cmpint (request->patient, ==, operation == TACHO_OP_LOAD_MODEL);
}

static void
test_build (void)
{
  g_autoptr (TachoApi) api = tacho_api_ollama_new ("0.13.3");
  g_autoptr (GError) error = NULL;
  g_autofree char *description = tacho_api_describe (api);

  g_assert_cmpstr (description, ==, "Ollama 0.13.3");
  g_assert_cmpstr (tacho_api_get_family (api), ==, "ollama");
  assert_builds (api, TACHO_OP_HEALTH, NULL, "GET", "/api/version", "");
  assert_builds (api, TACHO_OP_LIST_MODELS, NULL, "GET", "/api/tags", "");
  assert_builds (api, TACHO_OP_SHOW_MODEL, "a\"b", "POST", "/api/show", "{\"model\":\"a\\\"b\"}");
  assert_builds (api, TACHO_OP_LOAD_MODEL, "m", "POST", "/api/generate",
                 "{\"model\":\"m\",\"stream\":false}");
  assert_builds (api, TACHO_OP_UNLOAD_MODEL, "m", "POST", "/api/generate",
                 "{\"model\":\"m\",\"keep_alive\":0,\"stream\":false}");
  assert_builds (api, TACHO_OP_PULL_MODEL, "m", "POST", "/api/pull",
                 "{\"model\":\"m\",\"stream\":true}");
  assert_builds (api, TACHO_OP_DELETE_MODEL, "m", "DELETE", "/api/delete", "{\"model\":\"m\"}");
  g_assert_null (tacho_api_build (api, TACHO_OP_METRICS, NULL, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_null (tacho_api_build_load_from (api, "a", "/b", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
}

static void
test_build_generate (void)
{
  static const char *const stop[] = { "END", NULL };
  g_autoptr (TachoApi) api = tacho_api_ollama_new (NULL);
  g_autoptr (TachoGenerateRequest) chat = tacho_generate_request_new ("m");
  g_autoptr (TachoGenerateRequest) raw = tacho_generate_request_new ("m");
  g_autoptr (TachoHttpRequest) request = NULL;
  g_autoptr (TachoHttpRequest) other = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *body = NULL;
  g_autofree char *plain = NULL;

  tacho_generate_request_add_message (chat, TACHO_ROLE_SYSTEM, "s");
  tacho_generate_request_add_message (chat, TACHO_ROLE_USER, "u");
  chat->max_tokens = 8;
  chat->temperature = 0.5;
  chat->seed = 7;
  chat->stop = g_strdupv ((char **) stop);
  chat->ignore_eos = TRUE; /* not known here, so not sent */
  chat->min_tokens = 4;
  request = tacho_api_build_generate (api, chat, &error);
  g_assert_no_error (error);
  body = body_of (request);
  g_assert_cmpstr (request->path, ==, "/api/chat");
  g_assert_cmpstr (body, ==,
                   "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"s\"},"
                   "{\"role\":\"user\",\"content\":\"u\"}],\"stream\":true,\"options\":"
                   "{\"num_predict\":8,\"temperature\":0.5,\"seed\":7,\"stop\":[\"END\"]}}");
  raw->raw = TRUE;
  raw->stream = FALSE;
  raw->prompt = g_strdup ("p");
  other = tacho_api_build_generate (api, raw, &error);
  g_assert_no_error (error);
  plain = body_of (other);
  g_assert_cmpstr (other->path, ==, "/api/generate");
  g_assert_false (other->streaming);
  g_assert_cmpstr (plain, ==, "{\"model\":\"m\",\"prompt\":\"p\",\"raw\":true,\"stream\":false}");
}

/* --- models --- */

#define TAGS                                                                                       \
  "{\"models\":[{\"name\":\"llama3.2:latest\",\"model\":\"llama3.2:latest\","                      \
  "\"modified_at\":\"2026-08-01T10:00:00.5+02:00\",\"size\":2019393189,\"digest\":\"ab\","         \
  "\"details\":{\"parent_model\":\"\",\"format\":\"gguf\",\"family\":\"llama\",\"families\":"      \
  "[\"llama\"],\"parameter_size\":\"3.2B\",\"quantization_level\":\"Q4_K_M\"}},"                   \
  "{\"name\":\"embed\",\"details\":{\"parameter_size\":\"137M\"},\"size\":-5,"                     \
  "\"capabilities\":[\"embedding\"]}]}"

static void
test_models (void)
{
  g_autoptr (TachoApi) api = tacho_api_ollama_new (NULL);
  g_autoptr (TachoHttpReply) tags = reply_of (200, TAGS);
  g_autoptr (TachoHttpReply) ps = reply_of (
      200, "{\"models\":[{\"name\":\"llama3.2:latest\",\"model\":\"llama3.2:latest\",\"size\":9,"
           "\"size_vram\":3000,\"context_length\":4096}]}");
  g_autoptr (TachoHttpReply) broken = reply_of (500, "{\"error\":\"no\"}");
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) models = tacho_api_parse_models (api, tags, &error);
  g_autoptr (TachoHttpRequest) more = NULL;
  const TachoModelInfo *info;

  g_assert_no_error (error);
  g_assert_cmpuint (models->len, ==, 2);
  info = g_ptr_array_index (models, 0);
  g_assert_cmpstr (info->id, ==, "llama3.2:latest");
  g_assert_cmpstr (info->family, ==, "llama");
  g_assert_cmpstr (info->quantization, ==, "Q4_K_M");
  g_assert_cmpuint (info->n_params, ==, 3200000000);
  g_assert_cmpuint (info->size_bytes, ==, 2019393189);
  g_assert_cmpint (info->created, ==, 1785571200);
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_UNKNOWN);
  info = g_ptr_array_index (models, 1);
  g_assert_cmpstr (info->kind, ==, "embedding");
  g_assert_cmpuint (info->size_bytes, ==, 0);

  more = tacho_api_build_more (api, TACHO_OP_LIST_MODELS, NULL, 1, models);
  g_assert_cmpstr (more->path, ==, "/api/ps");
  g_assert_null (tacho_api_build_more (api, TACHO_OP_LIST_MODELS, NULL, 2, models));
  g_assert_false (tacho_api_parse_more (api, TACHO_OP_LIST_MODELS, 1, broken, models, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_HTTP_5XX);
  g_clear_error (&error);
  info = g_ptr_array_index (models, 0);
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_UNKNOWN);
  g_assert_true (tacho_api_parse_more (api, TACHO_OP_LIST_MODELS, 1, ps, models, &error));
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_LOADED);
  g_assert_cmpuint (info->memory_bytes, ==, 3000);
  g_assert_cmpint (info->context_window, ==, 4096);
  info = g_ptr_array_index (models, 1);
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_UNLOADED);
}

static void
test_models_hostile (void)
{
  static const char *const bad[] = {
    "",
    "[]",
    "{}",
    "\"x\"",
    "{\"models\":7}",
    "{\"models\":[7]}",
    "{\"models\":[{}]}",
    "{\"models\":[{\"name\":\"\"}]}",
    "{\"models\":[{\"name\":9}]}",
    "<html>",
  };
  g_autoptr (TachoApi) api = tacho_api_ollama_new (NULL);
  g_autoptr (TachoHttpReply) none = reply_of (200, "{\"models\":null}");
  g_autoptr (GPtrArray) models = tacho_api_parse_models (api, none, NULL);

  g_assert_cmpuint (models->len, ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (TachoHttpReply) reply = reply_of (200, bad[i]);
      g_autoptr (GError) error = NULL;

      g_assert_null (tacho_api_parse_models (api, reply, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL);
    }
  g_assert_cmpuint (tacho_ollama_parse_count ("7.6B"), ==, 7600000000);
  g_assert_cmpuint (tacho_ollama_parse_count ("494.03M"), ==, 494030000);
  g_assert_cmpuint (tacho_ollama_parse_count ("1e30B"), ==, 0);
  g_assert_cmpuint (tacho_ollama_parse_count ("-1B"), ==, 0);
  g_assert_cmpuint (tacho_ollama_parse_count ("7Bx"), ==, 0);
  g_assert_cmpuint (tacho_ollama_parse_count (NULL), ==, 0);
}

static void
test_show (void)
{
  g_autoptr (TachoApi) api = tacho_api_ollama_new (NULL);
  g_autoptr (TachoHttpReply) reply = reply_of (
      200, "{\"details\":{\"family\":\"qwen2\",\"parameter_size\":\"7.6B\","
           "\"quantization_level\":\"Q4_K_M\"},\"model_info\":{\"general.architecture\":\"qwen2\","
           "\"general.parameter_count\":7615616512,\"qwen2.context_length\":32768},"
           "\"capabilities\":[\"completion\",\"tools\",5]}");
  g_autoptr (TachoHttpReply) unknown = reply_of (404, "{\"error\":\"model 'm' not found\"}");
  g_autoptr (TachoHttpReply) other = reply_of (200, "{\"answer\":42}");
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoModelInfo) info = tacho_api_parse_model (api, "m", reply, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (info->n_params, ==, 7615616512);
  g_assert_cmpint (info->context_trained, ==, 32768);
  g_assert_cmpstr (info->kind, ==, "chat");
  g_assert_cmpstr (info->capabilities[1], ==, "tools");
  g_assert_null (info->capabilities[2]);
  g_assert_null (tacho_api_parse_model (api, "m", unknown, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (tacho_api_parse_model (api, "m", other, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL);
}

static void
test_change (void)
{
  static const struct
  {
    TachoOperation operation;
    guint status;
    const char *body;
    int code;
  } cases[] = {
    { TACHO_OP_LOAD_MODEL, 200, "{\"model\":\"m\",\"done\":true,\"done_reason\":\"load\"}", 0 },
    { TACHO_OP_UNLOAD_MODEL, 200, "{\"done\":true,\"done_reason\":\"unload\"}", 0 },
    { TACHO_OP_LOAD_MODEL, 200, "{\"done\":false}", TACHO_ERROR_MODEL_FAILED },
    { TACHO_OP_LOAD_MODEL, 200, "", TACHO_ERROR_PROTOCOL },
    { TACHO_OP_LOAD_MODEL, 404, "{\"error\":\"model 'm' not found\"}", TACHO_ERROR_NOT_FOUND },
    { TACHO_OP_LOAD_MODEL, 500, "{\"error\":\"out of memory\"}", TACHO_ERROR_MODEL_FAILED },
    { TACHO_OP_LOAD_MODEL, 401, "{\"error\":\"unauthorized\"}", TACHO_ERROR_HTTP_4XX },
    { TACHO_OP_DELETE_MODEL, 200, "", 0 },
    { TACHO_OP_DELETE_MODEL, 404, "", TACHO_ERROR_NOT_FOUND },
    { TACHO_OP_DELETE_MODEL, 200, "{\"error\":\"in use\"}", TACHO_ERROR_MODEL_FAILED },
  };
  g_autoptr (TachoApi) api = tacho_api_ollama_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TachoHttpReply) reply = reply_of (cases[i].status, cases[i].body);
      g_autoptr (GError) error = NULL;
      gboolean taken = tacho_api_parse_change (api, cases[i].operation, "m", reply, &error);

      g_test_message ("case %" G_GSIZE_FORMAT, i);
      g_assert_cmpint (taken, ==, cases[i].code == 0);
      if (cases[i].code == 0)
        g_assert_no_error (error);
      else
        g_assert_error (error, TACHO_ERROR, cases[i].code);
    }
}

static void
test_pull (void)
{
  g_autoptr (TachoApi) api = tacho_api_ollama_new (NULL);
  TachoPullProgress progress = { 0 };
  static const char layer[] =
      "{\"status\":\"pulling ab\\u001b[2J\",\"digest\":\"sha256:ab\",\"total\":100,"
      "\"completed\":40}";
  static const char success[] = "{\"status\":\"success\"}";
  static const char failure[] = "{\"error\":\"pull model manifest: file does not exist\"}";
  g_autoptr (GError) error = NULL;

  g_assert_true (tacho_api_parse_pull (api, layer, strlen (layer), &progress, &error));
  g_assert_null (strchr (progress.status, '\033'));
  g_assert_cmpuint (progress.total, ==, 100);
  g_assert_cmpuint (progress.completed, ==, 40);
  g_assert_false (progress.done);
  g_assert_null (tacho_api_build_pull_status (api, "m", &progress));
  g_assert_true (tacho_api_parse_pull (api, success, strlen (success), &progress, &error));
  g_assert_true (progress.done);
  g_assert_false (tacho_api_parse_pull (api, failure, strlen (failure), &progress, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IN_BAND);
  g_assert_nonnull (strstr (error->message, "file does not exist"));
  g_clear_error (&error);
  g_assert_false (tacho_api_parse_pull (api, "{}", 2, &progress, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL);
  tacho_pull_progress_clear (&progress);
}

/* --- streams --- */

#define CHAT(text)                                                                                 \
  "{\"model\":\"m\",\"created_at\":\"2026\",\"message\":{\"role\":\"assistant\",\"content\":"      \
  "\"" text "\"},\"done\":false}\n"
#define CHAT_END                                                                                   \
  "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,"          \
  "\"done_reason\":\"stop\",\"total_duration\":9,\"prompt_eval_count\":5,"                         \
  "\"prompt_eval_duration\":2000000,\"eval_count\":2,\"eval_duration\":4500000}\n"

typedef struct
{
  const char *name;
  TachoOperation operation;
  const char *stream;
  int code;
  const char *text; /* content, thinking in brackets, tools in braces */
  gint64 prompt_tokens;
  gint64 output_tokens;
} Vector;

static const Vector vectors[] = {
  { "chat", TACHO_OP_CHAT, CHAT ("Hel") CHAT ("l\\u00f6\xc3\xb6") CHAT_END, 0, "Hellöö", 5, 2 },
  { "thinking", TACHO_OP_CHAT,
    "{\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\"},"
    "\"done\":false}\n" CHAT ("a") CHAT_END,
    0, "[hm]a", 5, 2 },
  { "tools", TACHO_OP_CHAT,
    "{\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"function\":{"
    "\"name\":\"f\",\"arguments\":{\"x\":1}}},{\"id\":\"c2\",\"function\":{\"index\":1,"
    "\"name\":\"g\",\"arguments\":{}}}]},\"done\":true,\"done_reason\":\"stop\"}\n",
    0, "{0 f {\"x\":1}}{1 g {}}", -1, -1 },
  { "generate", TACHO_OP_COMPLETION,
    "{\"response\":\"a\",\"done\":false}\n\n  \n{\"response\":\"b\",\"thinking\":\"t\","
    "\"done\":false}\n{\"response\":\"\",\"done\":true,\"eval_count\":2}\n",
    0, "a[t]b", -1, 2 },
  { "counts in every line", TACHO_OP_COMPLETION,
    "{\"response\":\"a\",\"done\":false,\"eval_count\":1,\"prompt_eval_count\":3}\n"
    "{\"response\":\"b\",\"done\":true,\"eval_count\":2,\"prompt_eval_count\":3}\n",
    0, "ab", 3, 2 },
  { "no last newline", TACHO_OP_COMPLETION, "{\"response\":\"a\",\"done\":true}", 0, "a", -1, -1 },
  { "after the end", TACHO_OP_COMPLETION,
    "{\"response\":\"a\",\"done\":true}\n{\"response\":\"b\",\"done\":false}\n", 0, "a", -1, -1 },
  { "nothing", TACHO_OP_CHAT, "", TACHO_ERROR_TRUNCATED, "", -1, -1 },
  { "no end", TACHO_OP_CHAT, CHAT ("a"), TACHO_ERROR_TRUNCATED, "a", -1, -1 },
  { "cut line", TACHO_OP_CHAT, CHAT ("a") "{\"message\":{\"conte", TACHO_ERROR_TRUNCATED, "a", -1,
    -1 },
  { "error", TACHO_OP_CHAT, CHAT ("a") "{\"error\":\"unexpected EOF\"}\n", TACHO_ERROR_IN_BAND, "a",
    -1, -1 },
  { "error alone, no newline", TACHO_OP_CHAT, "{\"error\":\"busy\"}", TACHO_ERROR_IN_BAND, "", -1,
    -1 },
  { "two on a line", TACHO_OP_CHAT, "{\"done\":false}{\"done\":true}\n", TACHO_ERROR_PROTOCOL, "",
    -1, -1 },
  { "not JSON", TACHO_OP_CHAT, CHAT ("a") "<html>\n", TACHO_ERROR_PROTOCOL, "a", -1, -1 },
  { "an array", TACHO_OP_CHAT, "[]\n", TACHO_ERROR_PROTOCOL, "", -1, -1 },
  { "an empty object", TACHO_OP_CHAT, "{}\n", TACHO_ERROR_PROTOCOL, "", -1, -1 },
  { "message of text", TACHO_OP_CHAT, "{\"message\":\"a\",\"done\":false}\n", TACHO_ERROR_PROTOCOL,
    "", -1, -1 },
  { "content of numbers", TACHO_OP_CHAT, "{\"message\":{\"content\":7}}\n", TACHO_ERROR_PROTOCOL,
    "", -1, -1 },
  { "tools of text", TACHO_OP_CHAT, "{\"message\":{\"tool_calls\":[\"f\"]}}\n",
    TACHO_ERROR_PROTOCOL, "", -1, -1 },
  { "response of objects", TACHO_OP_COMPLETION, "{\"response\":{},\"done\":false}\n",
    TACHO_ERROR_PROTOCOL, "", -1, -1 },
};

typedef struct
{
  GString *text;
  gint64 prompt_tokens;
  gint64 output_tokens;
  TachoTimings timings;
  gboolean ended;
} Seen;

static void
event_cb (const TachoStreamEvent *event, gpointer user_data)
{
  Seen *seen = user_data;

  g_assert_false (seen->ended);
  seen->ended = event->done || event->error != NULL;
  g_assert_cmpint (event->has_content, ==, event->content != NULL);
  if (event->reasoning != NULL)
    g_string_append_printf (seen->text, "[%s]", event->reasoning);
  if (event->content != NULL)
    g_string_append (seen->text, event->content);
  if (event->has_tool)
    g_string_append_printf (seen->text, "{%d %s %s}", event->tool_index, event->tool_name,
                            event->tool_arguments);
  if (event->has_usage)
    {
      seen->prompt_tokens = event->usage.prompt_tokens;
      seen->output_tokens = event->usage.output_tokens;
    }
  if (event->has_timings)
    seen->timings = event->timings;
}

static void
run_stream (TachoStreamDecoder *decoder, const Vector *v, const char *stream, gsize cut)
{
  gsize length = strlen (stream), at = 0;
  g_autoptr (GString) text = g_string_new (NULL);
  Seen seen = { .text = text, .prompt_tokens = -1, .output_tokens = -1 };
  g_autoptr (GError) error = NULL;

  tacho_timings_clear (&seen.timings);
  tacho_stream_decoder_reset (decoder);
  while (at < length)
    {
      gsize n = cut == G_MAXSIZE ? 1 : at < cut ? cut - at : length - at;
      g_autofree char *piece = g_memdup2 (stream + at, n); /* so that a sanitiser sees its end */

      tacho_stream_decoder_feed (decoder, piece, n, event_cb, &seen, NULL);
      at += n;
    }
  tacho_stream_decoder_finish (decoder, event_cb, &seen, &error);
  if (v->code == 0)
    g_assert_no_error (error);
  else
    g_assert_error (error, TACHO_ERROR, v->code);
  g_assert_cmpstr (text->str, ==, v->text);
  g_assert_cmpint (seen.prompt_tokens, ==, v->prompt_tokens);
  g_assert_cmpint (seen.output_tokens, ==, v->output_tokens);
  if (strcmp (v->name, "chat") == 0)
    {
      g_assert_cmpint (seen.timings.prompt_n, ==, 5);
      g_assert_cmpfloat (fabs (seen.timings.prompt_ms - 2), <, 1e-9);
      g_assert_cmpfloat (fabs (seen.timings.predicted_ms - 4.5), <, 1e-9);
    }
}

static void
test_streams (void)
{
  static const TachoDecodeMode modes[] = { TACHO_DECODE_FULL, TACHO_DECODE_MEASURE };
  g_autoptr (TachoApi) api = tacho_api_ollama_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (vectors); i++)
    for (gsize m = 0; m < G_N_ELEMENTS (modes); m++)
      {
        const Vector *v = &vectors[i];
        g_autoptr (TachoStreamDecoder) decoder =
            tacho_stream_decoder_new (api, v->operation, modes[m]);
        g_auto (GStrv) lines = g_strsplit (v->stream, "\n", -1);
        g_autofree char *crlf = g_strjoinv ("\r\n", lines);
        const char *const forms[] = { v->stream, crlf };

        g_test_message ("%s", v->name);
        for (gsize f = 0; f < G_N_ELEMENTS (forms); f++)
          {
            run_stream (decoder, v, forms[f], G_MAXSIZE);
            for (gsize cut = 0; cut <= strlen (forms[f]); cut++)
              run_stream (decoder, v, forms[f], cut);
          }
      }
}

static void
test_whole (void)
{
  g_autoptr (TachoApi) api = tacho_api_ollama_new (NULL);
  g_autoptr (TachoHttpReply) chat = reply_of (
      200, "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"hi\",\"thinking\":"
           "\"t\"},\"done\":true,\"done_reason\":\"length\",\"eval_count\":2}");
  g_autoptr (TachoHttpReply) cut = reply_of (200, "{\"response\":\"hi\",\"done\":false}");
  g_autoptr (TachoHttpReply) busy = reply_of (503, "{\"error\":\"server busy\"}");
  g_autoptr (TachoHttpReply) in_band = reply_of (200, "{\"error\":\"no\"}");
  g_autoptr (TachoHttpReply) list = reply_of (200, "[]");
  const struct
  {
    TachoHttpReply *reply;
    int code;
  } bad[] = { { cut, TACHO_ERROR_TRUNCATED },
              { busy, TACHO_ERROR_HTTP_5XX },
              { in_band, TACHO_ERROR_IN_BAND },
              { list, TACHO_ERROR_PROTOCOL } };
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoGenerateReply) reply =
      tacho_api_parse_generate (api, TACHO_OP_CHAT, chat, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (reply->content, ==, "hi");
  g_assert_cmpstr (reply->reasoning, ==, "t");
  g_assert_cmpstr (reply->finish_reason, ==, "length");
  g_assert_cmpint (reply->usage.output_tokens, ==, 2);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_null (tacho_api_parse_generate (api, TACHO_OP_CHAT, bad[i].reply, &error));
      g_assert_error (error, TACHO_ERROR, bad[i].code);
      g_clear_error (&error);
    }
}

static void
test_health (void)
{
  g_autoptr (TachoApi) api = tacho_api_ollama_new (NULL);
  g_autoptr (TachoHttpReply) good = reply_of (200, "{\"version\":\"0.1\"}");
  g_autoptr (TachoHttpReply) other = reply_of (200, "{}");
  g_autoptr (TachoHttpReply) down = reply_of (502, "");
  g_autoptr (GError) error = NULL;
  TachoHealth health;

  g_assert_true (tacho_api_parse_health (api, good, &health, &error));
  g_assert_cmpint (health, ==, TACHO_HEALTH_OK);
  g_assert_true (tacho_api_parse_health (api, down, &health, &error));
  g_assert_cmpint (health, ==, TACHO_HEALTH_UNHEALTHY);
  g_assert_false (tacho_api_parse_health (api, other, &health, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/api/ollama/build", test_build);
  g_test_add_func ("/api/ollama/build-generate", test_build_generate);
  g_test_add_func ("/api/ollama/health", test_health);
  g_test_add_func ("/api/ollama/models", test_models);
  g_test_add_func ("/api/ollama/models-hostile", test_models_hostile);
  g_test_add_func ("/api/ollama/show", test_show);
  g_test_add_func ("/api/ollama/change", test_change);
  g_test_add_func ("/api/ollama/pull", test_pull);
  g_test_add_func ("/api/ollama/streams", test_streams);
  g_test_add_func ("/api/ollama/whole", test_whole);
  return g_test_run ();
}
