/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builders and parsers of both families. Replies called captured came from llama.cpp b11669. */
#include "api/tacho-api.h"

#include <math.h>
#include <string.h>

#include "api/tacho-api-llamacpp.h"
#include "api/tacho-api-openai.h"
#include "base/tacho-error.h"
#include "test-utils.h"

static const char single_captured[] =
    "{\"models\":[{\"name\":\"/models/"
    "tiny-a.gguf\",\"size\":\"\",\"capabilities\":[\"completion\"]}],"
    "\"object\":\"list\",\"data\":[{\"id\":\"/models/tiny-a.gguf\",\"aliases\":[\"/models/"
    "tiny-a.gguf\"],"
    "\"tags\":[],\"object\":\"model\",\"architecture\":{\"input_modalities\":[\"text\"],"
    "\"output_modalities\":[\"text\"]},\"created\":1795413795,\"owned_by\":\"llamacpp\",\"meta\":{"
    "\"vocab_type\":1,\"n_vocab\":379,\"n_ctx\":4096,\"n_ctx_train\":4096,\"n_embd\":64,"
    "\"n_params\":130752,\"size\":523008,\"ftype\":\"all F32\"}}]}";
static const char router_captured[] =
    "{\"data\":[{\"id\":\"tiny-a\",\"aliases\":[],\"tags\":[],\"object\":\"model\","
    "\"owned_by\":\"llamacpp\",\"created\":1795415529,\"status\":{\"value\":\"loaded\",\"args\":["
    "\"/usr/bin/llama-server\",\"--port\",\"44533\"],\"preset\":\"[tiny-a]\\n\"},\"architecture\":{"
    "\"input_modalities\":[\"text\"],\"output_modalities\":[\"text\"]},\"source\":\"models_dir\","
    "\"can_remove\":false,\"context_length\":4096,\"meta\":{\"vocab_type\":1,\"n_vocab\":379,"
    "\"n_ctx\":4096,\"n_ctx_train\":4096,\"n_embd\":64,\"n_params\":130752,\"size\":523008,"
    "\"ftype\":\"all F32\"}},{\"id\":\"tiny-b\",\"object\":\"model\",\"owned_by\":\"llamacpp\","
    "\"created\":1795415529,\"status\":{\"value\":\"unloaded\",\"args\":[]},\"context_length\":"
    "4096}],"
    "\"object\":\"list\"}";
static const char loading_captured[] =
    "{\"error\":{\"code\":503,\"message\":\"Loading model\",\"type\":\"unavailable_error\"}}";

static TachoHttpReply *
reply_new (guint status, const char *body)
{
  g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));

  return tacho_http_reply_new (status, bytes);
}

static void
test_messages (void)
{
  g_autoptr (TachoHttpReply) reply = tacho_http_reply_new (200, NULL);
  g_autoptr (TachoHttpRequest) request = tacho_http_request_new ("POST", "/x");

  tacho_http_reply_add_header (reply, "Retry-After", "3");
  g_assert_cmpstr (tacho_http_reply_get_header (reply, "retry-after"), ==, "3");
  g_assert_null (tacho_http_reply_get_header (reply, "Server"));
  g_assert_cmpuint (g_bytes_get_size (reply->body), ==, 0);
  tacho_http_request_set_json (request, g_strdup ("{}"));
  g_assert_cmpuint (g_bytes_get_size (request->body), ==, 2);
  g_assert_cmpuint (request->headers->len, ==, 1);
}

static const struct
{
  guint status;
  const char *body;
  int code;
  const char *words;
} error_vectors[] = {
  { 400, "{\"error\":{\"message\":\"boom\",\"type\":\"t\",\"code\":null}}", TACHO_ERROR_HTTP_4XX,
    "HTTP 400: boom (t)" },
  { 404, "{\"error\":\"boom\"}", TACHO_ERROR_HTTP_4XX, "HTTP 404: boom" },
  { 400, "{\"object\":\"error\",\"message\":\"boom\",\"type\":\"t\",\"code\":400}",
    TACHO_ERROR_HTTP_4XX, "boom (t)" },
  { 422, "{\"detail\":\"boom\"}", TACHO_ERROR_HTTP_4XX, "boom" },
  { 422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"boom\",\"type\":\"t\"}]}",
    TACHO_ERROR_HTTP_4XX, ": boom" },
  { 500, "{\"code\":1,\"message\":\"boom\",\"details\":[]}", TACHO_ERROR_HTTP_5XX, "boom" },
  { 500, "boom\x1b[31m", TACHO_ERROR_HTTP_5XX, "boom" },
  { 502, "<html><head><TITLE>502 Bad\nGateway</TITLE>", TACHO_ERROR_HTTP_5XX, "“502 Bad Gateway”" },
  { 502, "<html>", TACHO_ERROR_HTTP_5XX, "web page" },
  { 503, "", TACHO_ERROR_HTTP_5XX, "HTTP 503 without a word" },
  { 401, "", TACHO_ERROR_HTTP_4XX, "API key" },
  { 429, "{\"error\":{\"message\":\"slow\"}}", TACHO_ERROR_HTTP_429, "slow" },
  { 302, "", TACHO_ERROR_PROTOCOL, "HTTP 302" },
  { 200, "{\"error\":\"boom\"}", TACHO_ERROR_IN_BAND, "boom" },
  { 500, "{\"error\":[1,{\"a\":2}]}", TACHO_ERROR_HTTP_5XX, "[1,{\"a\":2}]" },
  { 500, "{\"error\":{}}", TACHO_ERROR_HTTP_5XX, "no message" },
  { 500, "{\"error\":null}", TACHO_ERROR_HTTP_5XX, "null" },
};

static void
test_errors (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (error_vectors); i++)
    {
      g_autoptr (TachoHttpReply) reply = reply_new (error_vectors[i].status, error_vectors[i].body);
      g_autoptr (GError) error = tacho_api_error_from_reply (reply);

      g_assert_error (error, TACHO_ERROR, error_vectors[i].code);
      if (strstr (error->message, error_vectors[i].words) == NULL)
        g_error ("%s: lacks %s", error->message, error_vectors[i].words);
      g_assert_null (strchr (error->message, '\x1b'));
    }
}

static void
test_error_headers_and_size (void)
{
  g_autofree char *huge = g_strnfill (1024 * 1024, 'x');
  g_autoptr (TachoHttpReply) busy = reply_new (429, huge);
  g_autoptr (TachoHttpReply) moved = reply_new (301, "");
  g_autoptr (GError) error = NULL;

  tacho_http_reply_add_header (busy, "Retry-After", "7");
  error = tacho_api_error_from_reply (busy);
  g_assert_true (g_str_has_suffix (error->message, "retry after 7"));
  g_assert_cmpuint (strlen (error->message), <, 600);
  g_clear_error (&error);
  tacho_http_reply_add_header (moved, "Location", "https://other/\x1b");
  error = tacho_api_error_from_reply (moved);
  g_assert_nonnull (strstr (error->message, "https://other/"));
  g_assert_null (strchr (error->message, '\x1b'));
}

static TachoGenerateRequest *
good_request (void)
{
  TachoGenerateRequest *request = tacho_generate_request_new ("m");

  tacho_generate_request_add_message (request, TACHO_ROLE_SYSTEM, "be brief");
  tacho_generate_request_add_message (request, TACHO_ROLE_USER, "say \"é\"\n");
  return request;
}

/* Every range, at and beyond its ends. */
static void
test_validate (void)
{
  static const struct
  {
    double temperature, top_p;
    gint64 max_tokens, min_tokens, seed;
    gboolean ok;
  } cases[] = {
    { NAN, NAN, -1, -1, -1, TRUE },       { 0, 1, 1, 0, 0, TRUE },
    { 2, 0.001, 9, 9, 9, TRUE },          { -0.1, NAN, -1, -1, -1, FALSE },
    { 2.1, NAN, -1, -1, -1, FALSE },      { NAN, 0, -1, -1, -1, FALSE },
    { NAN, 1.01, -1, -1, -1, FALSE },     { NAN, NAN, 0, -1, -1, FALSE },
    { NAN, NAN, -2, -1, -1, FALSE },      { NAN, NAN, 4, 5, -1, FALSE },
    { NAN, NAN, -1, -2, -1, FALSE },      { NAN, NAN, -1, -1, -2, FALSE },
    { INFINITY, NAN, -1, -1, -1, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TachoGenerateRequest) request = good_request ();
      g_autoptr (GError) error = NULL;

      request->temperature = cases[i].temperature;
      request->top_p = cases[i].top_p;
      request->max_tokens = cases[i].max_tokens;
      request->min_tokens = cases[i].min_tokens;
      request->seed = cases[i].seed;
      g_assert_cmpint (tacho_generate_request_validate (request, &error), ==, cases[i].ok);
      if (!cases[i].ok)
        g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
    }
}

static void
assert_invalid (TachoGenerateRequest *request)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (tacho_generate_request_validate (request, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
}

static void
test_validate_texts (void)
{
  g_autoptr (TachoGenerateRequest) none = tacho_generate_request_new ("m");
  g_autoptr (TachoGenerateRequest) empty = good_request ();
  g_autoptr (TachoGenerateRequest) bad = good_request ();
  g_autoptr (TachoGenerateRequest) raw = good_request ();
  g_autoptr (TachoGenerateRequest) copy = NULL;

  assert_invalid (none);
  tacho_generate_request_add_message (empty, TACHO_ROLE_USER, "");
  assert_invalid (empty);
  tacho_generate_request_add_message (bad, TACHO_ROLE_USER, "\xff");
  assert_invalid (bad);
  raw->raw = TRUE;
  assert_invalid (raw);
  raw->prompt = g_strdup ("once");
  copy = tacho_generate_request_copy (raw);
  g_assert_true (tacho_generate_request_validate (copy, NULL));
  g_assert_cmpstr (copy->prompt, ==, "once");
  g_assert_cmpuint (copy->messages->len, ==, 2);
}

static char *
body_of (TachoApi *api, const TachoGenerateRequest *request, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpRequest) http = tacho_api_build_generate (api, request, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (http->method, ==, "POST");
  g_assert_cmpstr (http->path, ==, path);
  g_assert_cmpint (http->streaming, ==, request->stream);
  return g_strndup (g_bytes_get_data (http->body, NULL), g_bytes_get_size (http->body));
}

static void
test_build_generate (void)
{
  g_autoptr (TachoApi) openai = tacho_api_openai_new ();
  g_autoptr (TachoApi) llama = tacho_api_llamacpp_new (FALSE, NULL);
  g_autoptr (TachoGenerateRequest) request = good_request ();
  g_autofree char *plain = body_of (openai, request, "/v1/chat/completions");
  g_autofree char *full = NULL;
  g_autofree char *raw = NULL;

  g_assert_cmpstr (plain, ==,
                   "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"be brief\"},"
                   "{\"role\":\"user\",\"content\":\"say \\\"é\\\"\\n\"}],\"stream\":true,"
                   "\"stream_options\":{\"include_usage\":true}}");
  request->max_tokens = 5;
  request->temperature = 0.5;
  request->seed = 0;
  request->ignore_eos = TRUE;
  request->min_tokens = 5;
  request->return_progress = TRUE;
  request->stop = g_strsplit ("a b", " ", 0);
  g_free (plain);
  plain = body_of (openai, request, "/v1/chat/completions");
  g_assert_null (strstr (plain, "ignore_eos"));
  g_assert_null (strstr (plain, "min_tokens"));
  g_assert_null (strstr (plain, "return_progress"));
  g_assert_nonnull (
      strstr (plain, "\"max_tokens\":5,\"temperature\":0.5,\"seed\":0,\"stop\":[\"a\",\"b\"],"));
  full = body_of (llama, request, "/v1/chat/completions");
  g_assert_nonnull (strstr (full, "\"ignore_eos\":true,\"return_progress\":true,\"stream\":true"));
  g_assert_null (strstr (full, "min_tokens"));
  request->raw = TRUE;
  request->stream = FALSE;
  request->prompt = g_strdup ("once");
  raw = body_of (llama, request, "/v1/completions");
  g_assert_cmpstr (
      raw, ==,
      "{\"model\":\"m\",\"prompt\":\"once\",\"max_tokens\":5,\"temperature\":0.5,\"seed\":0,"
      "\"stop\":[\"a\",\"b\"],\"ignore_eos\":true}");
}

static void
assert_build (TachoApi *api,
              TachoOperation op,
              const char *model,
              const char *method,
              const char *path,
              const char *body)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpRequest) request = tacho_api_build (api, op, model, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (request->method, ==, method);
  g_assert_cmpstr (request->path, ==, path);
  if (body != NULL)
    g_assert_cmpmem (g_bytes_get_data (request->body, NULL), g_bytes_get_size (request->body), body,
                     strlen (body));
  else
    g_assert_null (request->body);
}

static void
assert_no_build (TachoApi *api, TachoOperation op, const char *model, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (tacho_api_build (api, op, model, &error));
  g_assert_error (error, TACHO_ERROR, code);
}

static void
test_build (void)
{
  g_autoptr (TachoApi) openai = tacho_api_openai_new ();
  g_autoptr (TachoApi) single = tacho_api_llamacpp_new (FALSE, "b1");
  g_autoptr (TachoApi) router = tacho_api_llamacpp_new (TRUE, NULL);
  g_autofree char *one = tacho_api_describe (single);
  g_autofree char *many = tacho_api_describe (router);

  g_assert_cmpstr (one, ==, "llama.cpp server b1");
  g_assert_cmpstr (many, ==, "llama.cpp server (router)");
  assert_build (openai, TACHO_OP_LIST_MODELS, NULL, "GET", "/v1/models", NULL);
  assert_build (openai, TACHO_OP_SHOW_MODEL, "org/a b?", "GET", "/v1/models/org%2Fa%20b%3F", NULL);
  assert_build (single, TACHO_OP_HEALTH, NULL, "GET", "/health", NULL);
  assert_build (single, TACHO_OP_LIST_MODELS, NULL, "GET", "/v1/models", NULL);
  assert_build (single, TACHO_OP_SLOTS, NULL, "GET", "/slots", NULL);
  assert_build (router, TACHO_OP_LIST_MODELS, NULL, "GET", "/models", NULL);
  assert_build (router, TACHO_OP_METRICS, "a/b", "GET", "/metrics?model=a%2Fb&autoload=0", NULL);
  assert_build (router, TACHO_OP_LOAD_MODEL, "a", "POST", "/models/load", "{\"model\":\"a\"}");
  assert_build (router, TACHO_OP_UNLOAD_MODEL, "a", "POST", "/models/unload", "{\"model\":\"a\"}");
  assert_no_build (openai, TACHO_OP_HEALTH, NULL, TACHO_ERROR_UNSUPPORTED);
  assert_no_build (openai, TACHO_OP_LOAD_MODEL, "a", TACHO_ERROR_UNSUPPORTED);
  assert_no_build (single, TACHO_OP_LOAD_MODEL, "a", TACHO_ERROR_UNSUPPORTED);
  assert_no_build (router, TACHO_OP_LOAD_MODEL, NULL, TACHO_ERROR_INVALID);
  assert_no_build (router, TACHO_OP_LOAD_MODEL, "\xff", TACHO_ERROR_INVALID);
  assert_no_build (router, TACHO_OP_SLOTS, NULL, TACHO_ERROR_INVALID);
  assert_no_build (router, TACHO_OP_TOKENIZE, "a", TACHO_ERROR_INVALID);
}

static GPtrArray *
models_of (TachoApi *api, guint status, const char *body, int code)
{
  g_autoptr (TachoHttpReply) reply = reply_new (status, body);
  g_autoptr (GError) error = NULL;
  GPtrArray *models = tacho_api_parse_models (api, reply, &error);

  if (code == 0)
    g_assert_no_error (error);
  else
    g_assert_error (error, TACHO_ERROR, code);
  g_assert_true ((models != NULL) == (code == 0));
  return models;
}

static void
test_models_openai (void)
{
  static const struct
  {
    const char *body;
    int code;
    guint n;
  } cases[] = {
    { "{\"object\":\"list\",\"data\":null}", 0, 0 },
    { "{\"data\":[]}", 0, 0 },
    { "[{\"id\":\"a\"}]", 0, 1 },
    { "{\"data\":[{\"id\":\"a\",\"created\":0},{\"id\":\"b\",\"created\":\"x\",\"owned_by\":7}]}",
      0, 2 },
    { "{}", TACHO_ERROR_PROTOCOL, 0 },
    { "{\"data\":7}", TACHO_ERROR_PROTOCOL, 0 },
    { "{\"data\":[7]}", TACHO_ERROR_PROTOCOL, 0 },
    { "{\"data\":[{\"id\":7}]}", TACHO_ERROR_PROTOCOL, 0 },
    { "7", TACHO_ERROR_PROTOCOL, 0 },
    { "", TACHO_ERROR_PROTOCOL, 0 },
    { "<html>", TACHO_ERROR_PROTOCOL, 0 },
    { "{\"data\":[", TACHO_ERROR_PROTOCOL, 0 },
    { "{\"error\":\"Unexpected endpoint\"}", TACHO_ERROR_IN_BAND, 0 },
  };
  g_autoptr (TachoApi) api = tacho_api_openai_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GPtrArray) models = models_of (api, 200, cases[i].body, cases[i].code);

      if (models != NULL)
        g_assert_cmpuint (models->len, ==, cases[i].n);
    }
  g_assert_null (models_of (api, 500, "x", TACHO_ERROR_HTTP_5XX));
}

static void
test_models_llamacpp (void)
{
  g_autoptr (TachoApi) single = tacho_api_llamacpp_new (FALSE, NULL);
  g_autoptr (TachoApi) router = tacho_api_llamacpp_new (TRUE, NULL);
  g_autoptr (GPtrArray) one = models_of (single, 200, single_captured, 0);
  g_autoptr (GPtrArray) many = models_of (router, 200, router_captured, 0);
  g_autoptr (GPtrArray) odd = models_of (
      router, 200,
      "{\"data\":[{\"id\":\"a\",\"status\":{\"value\":\"unloaded\",\"failed\":true,\"exit_code\":1}"
      "},"
      "{\"id\":\"b.Q4_K_M\",\"status\":{\"value\":\"loading\",\"progress\":0.25}},"
      "{\"id\":\"c\",\"status\":{\"value\":\"sleeping\"},\"meta\":{\"ftype\":\"Q4_K - Medium\"}},"
      "{\"id\":\"d\",\"status\":{\"value\":\"new\"},\"architecture\":{\"input_modalities\":["
      "\"image\"]}}]}",
      0);
  g_autoptr (GPtrArray) loading =
      models_of (single, 200, "{\"data\":[{\"id\":\"a\",\"meta\":null}]}", 0);
  const TachoModelInfo *info = g_ptr_array_index (one, 0);

  g_assert_cmpstr (info->id, ==, "/models/tiny-a.gguf");
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_LOADED);
  g_assert_cmpstr (info->quantization, ==, "F32");
  g_assert_cmpuint (info->n_params, ==, 130752);
  g_assert_cmpuint (info->size_bytes, ==, 523008);
  g_assert_cmpint (info->context_window, ==, 4096);
  g_assert_cmpint (info->context_trained, ==, 4096);
  g_assert_cmpint (((TachoModelInfo *) g_ptr_array_index (loading, 0))->status, ==,
                   TACHO_MODEL_STATUS_LOADING);
  g_assert_cmpint (((TachoModelInfo *) g_ptr_array_index (many, 0))->status, ==,
                   TACHO_MODEL_STATUS_LOADED);
  info = g_ptr_array_index (many, 1);
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_UNLOADED);
  g_assert_cmpint (info->context_window, ==, 0);
  g_assert_cmpint (info->context_trained, ==, 4096);
  info = g_ptr_array_index (odd, 0);
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_FAILED);
  g_assert_cmpstr (info->status_reason, ==, "exit code 1");
  info = g_ptr_array_index (odd, 1);
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_LOADING);
  g_assert_cmpfloat (info->progress, ==, 0.25);
  g_assert_cmpstr (info->quantization, ==, "Q4_K_M");
  info = g_ptr_array_index (odd, 2);
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_SLEEPING);
  g_assert_cmpstr (info->quantization, ==, "Q4_K_M");
  info = g_ptr_array_index (odd, 3);
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_UNKNOWN);
  g_assert_cmpstr (info->capabilities[0], ==, "vision");
}

static void
assert_model (TachoApi *api,
              const char *id,
              guint status,
              const char *body,
              int code,
              int model_status)
{
  g_autoptr (TachoHttpReply) reply = reply_new (status, body);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoModelInfo) info = tacho_api_parse_model (api, id, reply, &error);

  if (code != 0)
    {
      g_assert_error (error, TACHO_ERROR, code);
      return;
    }
  g_assert_no_error (error);
  g_assert_cmpstr (info->id, ==, id);
  g_assert_cmpint (info->status, ==, model_status);
}

static void
test_model (void)
{
  g_autoptr (TachoApi) openai = tacho_api_openai_new ();
  g_autoptr (TachoApi) single = tacho_api_llamacpp_new (FALSE, NULL);
  g_autoptr (TachoApi) router = tacho_api_llamacpp_new (TRUE, NULL);

  assert_model (openai, "a", 200, "{\"id\":\"a\"}", 0, TACHO_MODEL_STATUS_UNKNOWN);
  assert_model (openai, "a", 200, "{\"id\":\"b\"}", TACHO_ERROR_PROTOCOL, 0);
  assert_model (openai, "a", 200, "[]", TACHO_ERROR_PROTOCOL, 0);
  assert_model (openai, "a", 404, "", TACHO_ERROR_NOT_FOUND, 0);
  assert_model (single, "a", 503, loading_captured, 0, TACHO_MODEL_STATUS_LOADING);
  assert_model (router, "tiny-b", 200, router_captured, 0, TACHO_MODEL_STATUS_UNLOADED);
  assert_model (router, "tiny-c", 200, router_captured, TACHO_ERROR_NOT_FOUND, 0);
}

/* The bodies are captured. */
static void
test_change (void)
{
  static const struct
  {
    guint status;
    const char *body;
    int code;
    const char *words;
  } cases[] = {
    { 200, "{\"success\":true}", 0, NULL },
    { 200, "{\"success\":false}", TACHO_ERROR_MODEL_FAILED, "without saying why" },
    { 404, "{\"error\":{\"message\":\"File Not Found\",\"type\":\"not_found_error\",\"code\":404}}",
      TACHO_ERROR_NOT_FOUND, "“tiny-a”" },
    { 400,
      "{\"error\":{\"code\":400,\"message\":\"model is not "
      "running\",\"type\":\"invalid_request_error\"}}",
      TACHO_ERROR_MODEL_FAILED, "model is not running" },
    { 500,
      "{\"error\":{\"code\":500,\"message\":\"failed to spawn server "
      "instance\",\"type\":\"server_error\"}}",
      TACHO_ERROR_MODEL_FAILED, "failed to spawn" },
    { 401, "", TACHO_ERROR_HTTP_4XX, "API key" },
    { 200, "ok", TACHO_ERROR_PROTOCOL, "ok" },
  };
  g_autoptr (TachoApi) api = tacho_api_llamacpp_new (TRUE, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TachoHttpReply) reply = reply_new (cases[i].status, cases[i].body);
      g_autoptr (GError) error = NULL;

      g_assert_cmpint (tacho_api_parse_change (api, TACHO_OP_LOAD_MODEL, "tiny-a", reply, &error),
                       ==, cases[i].code == 0);
      if (cases[i].code == 0)
        continue;
      g_assert_error (error, TACHO_ERROR, cases[i].code);
      g_assert_nonnull (strstr (error->message, cases[i].words));
    }
}

static void
assert_health (TachoApi *api, guint status, const char *body, int expected)
{
  g_autoptr (TachoHttpReply) reply = reply_new (status, body);
  TachoHealth health = TACHO_HEALTH_OK;
  gboolean told = tacho_api_parse_health (api, reply, &health, NULL);

  g_assert_cmpint (told ? (int) health : -1, ==, expected);
}

static void
test_health_slots_tokens (void)
{
  g_autoptr (TachoApi) api = tacho_api_llamacpp_new (FALSE, NULL);
  g_autoptr (TachoHttpReply) slots_reply = reply_new (
      200, "[{\"id\":0,\"n_ctx\":4096,\"speculative\":false,\"is_processing\":false},"
           "{\"id\":1,\"n_ctx\":4096,\"is_processing\":true,\"next_token\":[{\"n_decoded\":7}]},"
           "{\"id\":2,\"next_token\":{\"n_decoded\":8}}]");
  g_autoptr (TachoHttpReply) disabled = reply_new (501, "{\"error\":{\"code\":501}}");
  g_autoptr (TachoHttpReply) wrong = reply_new (200, "[7]");
  g_autoptr (TachoHttpReply) tokens = reply_new (200, "{\"tokens\":[259,267,264]}");
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) slots = tacho_api_parse_slots (api, slots_reply, &error);

  assert_health (api, 200, "{\"status\":\"ok\"}", TACHO_HEALTH_OK);
  assert_health (api, 503, loading_captured, TACHO_HEALTH_LOADING);
  assert_health (api, 503, "", TACHO_HEALTH_UNHEALTHY);
  assert_health (api, 200, "{}", -1);
  assert_health (api, 401, "", -1);
  g_assert_no_error (error);
  g_assert_cmpuint (slots->len, ==, 3);
  g_assert_true (g_array_index (slots, TachoSlot, 1).busy);
  g_assert_cmpint (g_array_index (slots, TachoSlot, 1).n_decoded, ==, 7);
  g_assert_cmpint (g_array_index (slots, TachoSlot, 2).n_decoded, ==, 8);
  g_assert_cmpint (g_array_index (slots, TachoSlot, 0).n_context, ==, 4096);
  g_assert_null (tacho_api_parse_slots (api, disabled, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_null (tacho_api_parse_slots (api, wrong, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL);
  g_clear_error (&error);
  g_assert_cmpint (tacho_api_parse_tokenize (api, tokens, &error), ==, 3);
  g_assert_cmpint (tacho_api_parse_tokenize (api, wrong, &error), ==, -1);
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL);
}

static void
test_generate (void)
{
  static const char captured[] =
      "{\"choices\":[{\"finish_reason\":\"length\",\"index\":0,\"message\":{\"role\":\"assistant\","
      "\"content\":\"ogo\"}}],\"created\":1795414418,\"model\":\"/models/tiny-a.gguf\","
      "\"object\":\"chat.completion\",\"usage\":{\"completion_tokens\":3,\"prompt_tokens\":24,"
      "\"total_tokens\":27,\"prompt_tokens_details\":{\"cached_tokens\":13}},\"id\":\"chatcmpl-s\","
      "\"timings\":{\"cache_n\":13,\"prompt_n\":11,\"prompt_ms\":0.912,\"predicted_n\":3,"
      "\"predicted_ms\":0.585}}";
  static const struct
  {
    guint status;
    const char *body;
    int code;
  } refused[] = {
    { 200, "{\"error\":{\"message\":\"boom\"}}", TACHO_ERROR_IN_BAND },
    { 200, "{\"choices\":[]}", TACHO_ERROR_PROTOCOL },
    { 200, "", TACHO_ERROR_PROTOCOL },
    { 200, "text", TACHO_ERROR_PROTOCOL },
    { 200, "[]", TACHO_ERROR_PROTOCOL },
    { 200, "<html>", TACHO_ERROR_PROTOCOL },
    { 200, "{\"choices\":[{\"message\":{\"content\":7}}]}", TACHO_ERROR_PROTOCOL },
    { 200, "{\"choices\":[{\"finish_reason\":\"error\"}]}", TACHO_ERROR_IN_BAND },
    { 500, "", TACHO_ERROR_HTTP_5XX },
  };
  g_autoptr (TachoApi) api = tacho_api_llamacpp_new (FALSE, NULL);
  g_autoptr (TachoHttpReply) reply = reply_new (200, captured);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoGenerateReply) result =
      tacho_api_parse_generate (api, TACHO_OP_CHAT, reply, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (result->content, ==, "ogo");
  g_assert_cmpstr (result->finish_reason, ==, "length");
  g_assert_cmpstr (result->response_id, ==, "chatcmpl-s");
  g_assert_cmpint (result->usage.output_tokens, ==, 3);
  g_assert_cmpint (result->usage.cached_tokens, ==, 13);
  g_assert_true (result->has_timings);
  g_assert_cmpfloat (result->timings.predicted_ms, ==, 0.585);
  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (TachoHttpReply) bad = reply_new (refused[i].status, refused[i].body);

      g_assert_null (tacho_api_parse_generate (api, TACHO_OP_CHAT, bad, &error));
      g_assert_error (error, TACHO_ERROR, refused[i].code);
      g_clear_error (&error);
    }
}

static void
test_quantization (void)
{
  static const char *const names[][2] = {
    { "tinyllama-1.1b.Q4_K_M.gguf", "Q4_K_M" },
    { "m-q8_0", "Q8_0" },
    { "Llama-3-UD-IQ2_XXS.gguf", "IQ2_XXS" },
    { "org/Qwen2.5-7B-Instruct-AWQ", "AWQ" },
    { "gpt-4o", NULL },
    { "", NULL },
    { "Q4", NULL },
    { "model-BF16-00001-of-2.gguf", "BF16" },
    { "mistral:7b-instruct-q4_K_S", "Q4_K_S" },
    { "Q", NULL },
    { "q4_hello", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *guess = tacho_model_info_guess_quantization (names[i][0]);

      g_assert_cmpstr (guess, ==, names[i][1]);
    }
  g_assert_null (tacho_model_info_guess_quantization (NULL));
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/api/messages", test_messages);
  g_test_add_func ("/api/errors", test_errors);
  g_test_add_func ("/api/errors/headers-and-size", test_error_headers_and_size);
  g_test_add_func ("/api/validate", test_validate);
  g_test_add_func ("/api/validate/texts", test_validate_texts);
  g_test_add_func ("/api/build-generate", test_build_generate);
  g_test_add_func ("/api/build", test_build);
  g_test_add_func ("/api/models/openai", test_models_openai);
  g_test_add_func ("/api/models/llamacpp", test_models_llamacpp);
  g_test_add_func ("/api/model", test_model);
  g_test_add_func ("/api/change", test_change);
  g_test_add_func ("/api/health-slots-tokens", test_health_slots_tokens);
  g_test_add_func ("/api/generate", test_generate);
  g_test_add_func ("/api/quantization", test_quantization);
  return g_test_run ();
}
