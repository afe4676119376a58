/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vLLM, SGLang and TGI beyond OpenAI's routes; what is sent to whom; what a refusal teaches. */
#include "api/tacho-api-openai.h"

#include <math.h>
#include <string.h>

#include "base/tacho-error.h"
#include "base/tacho-json.h"
#include "test-utils.h"

typedef struct
{
  const char *name;
  TachoOpenaiDialect dialect;
  TachoOperation operation;
  const char *model;
  const char *request; /* "METHOD path body", NULL: not supported */
} BuildVector;

#define PLAIN TACHO_OPENAI_DIALECT_PLAIN
#define VLLM TACHO_OPENAI_DIALECT_VLLM
#define SGLANG TACHO_OPENAI_DIALECT_SGLANG
#define TGI TACHO_OPENAI_DIALECT_TGI

static const BuildVector builds[] = {
  { "plain-health", PLAIN, TACHO_OP_HEALTH, NULL, NULL },
  { "plain-metrics", PLAIN, TACHO_OP_METRICS, NULL, NULL },
  { "plain-load", PLAIN, TACHO_OP_LOAD_MODEL, "m", NULL },
  { "plain-show", PLAIN, TACHO_OP_SHOW_MODEL, "a/b", "GET /v1/models/a%2Fb " },
  { "vllm-health", VLLM, TACHO_OP_HEALTH, NULL, "GET /health " },
  { "vllm-list", VLLM, TACHO_OP_LIST_MODELS, NULL, "GET /v1/models " },
  { "vllm-show", VLLM, TACHO_OP_SHOW_MODEL, "m", "GET /v1/models " },
  { "vllm-load", VLLM, TACHO_OP_LOAD_MODEL, "m", "POST /wake_up " },
  { "vllm-unload", VLLM, TACHO_OP_UNLOAD_MODEL, "m", "POST /sleep?level=1 " },
  { "vllm-metrics", VLLM, TACHO_OP_METRICS, NULL, "GET /metrics " },
  { "vllm-slots", VLLM, TACHO_OP_SLOTS, NULL, NULL },
  { "sglang-show", SGLANG, TACHO_OP_SHOW_MODEL, "a b", "GET /v1/models " },
  { "sglang-load", SGLANG, TACHO_OP_LOAD_MODEL, "m", "POST /resume_memory_occupation {}" },
  { "sglang-unload", SGLANG, TACHO_OP_UNLOAD_MODEL, "m", "POST /release_memory_occupation {}" },
  { "tgi-show", TGI, TACHO_OP_SHOW_MODEL, "m", "GET /v1/models " },
  { "tgi-health", TGI, TACHO_OP_HEALTH, NULL, "GET /health " },
  { "tgi-load", TGI, TACHO_OP_LOAD_MODEL, "m", NULL },
  { "tgi-pull", TGI, TACHO_OP_PULL_MODEL, "m", NULL },
};

static char *
request_to_string (const TachoHttpRequest *request)
{
  gsize length = 0;
  const char *body = request->body != NULL ? g_bytes_get_data (request->body, &length) : "";

  return g_strdup_printf ("%s %s %.*s", request->method, request->path, (int) length, body);
}

static TachoHttpReply *
reply_new (guint status, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  return tacho_http_reply_new (status, bytes);
}

static void
test_build (gconstpointer data)
{
  const BuildVector *v = data;
  g_autoptr (TachoApi) api = tacho_api_openai_new_dialect (v->dialect, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpRequest) request = tacho_api_build (api, v->operation, v->model, &error);

  g_assert_cmpint (tacho_api_supports (api, v->operation), ==, v->request != NULL);
  if (v->request == NULL)
    {
      g_assert_null (request);
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
      return;
    }
  g_assert_no_error (error);
  {
    g_autofree char *text = request_to_string (request);

    g_assert_cmpstr (text, ==, v->request);
  }
}

static void
test_names (void)
{
  static const char *const families[] = { "openai", "vllm", "sglang", "tgi" };
  static const char *const titles[] = { "OpenAI-compatible server 1.2", "vLLM 1.2", "SGLang 1.2",
                                        "Text Generation Inference 1.2" };

  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    {
      g_autoptr (TachoApi) api = tacho_api_openai_new_dialect ((TachoOpenaiDialect) i, "1.2");
      g_autofree char *description = tacho_api_describe (api);

      g_assert_cmpstr (tacho_api_get_family (api), ==, families[i]);
      g_assert_cmpstr (description, ==, titles[i]);
      g_assert_cmpint (tacho_api_get_framing (api, TACHO_OP_CHAT), ==, TACHO_FRAMING_SSE);
    }
}

/* Each is sent only what it knows. */
static void
test_parameters (void)
{
  static const char *const own[][4] = {
    { NULL }, { "ignore_eos", "min_tokens", NULL }, { "ignore_eos", "min_tokens", NULL }, { NULL }
  };

  for (guint i = 0; i < G_N_ELEMENTS (own); i++)
    {
      g_autoptr (TachoApi) api = tacho_api_openai_new_dialect ((TachoOpenaiDialect) i, NULL);
      g_autoptr (TachoGenerateRequest) generate = tacho_generate_request_new ("m");
      g_autoptr (GError) error = NULL;
      g_autoptr (TachoHttpRequest) request = NULL;
      g_autoptr (JsonNode) root = NULL;
      JsonObject *object;
      gsize length;
      const char *body;

      tacho_generate_request_add_message (generate, TACHO_ROLE_USER, "Hi");
      generate->max_tokens = 5;
      generate->ignore_eos = TRUE;
      generate->min_tokens = 5;
      generate->return_progress = TRUE;
      request = tacho_api_build_generate (api, generate, &error);
      g_assert_no_error (error);
      body = g_bytes_get_data (request->body, &length);
      root = tacho_json_parse_object (body, length, &error);
      g_assert_no_error (error);
      object = json_node_get_object (root);
      for (guint k = 0; own[i][k] != NULL; k++)
        g_assert_true (json_object_has_member (object, own[i][k]));
      /* model, messages, max_tokens, stream, stream_options, and its own. */
      g_assert_cmpuint (json_object_get_size (object), ==, 5 + (own[i][0] != NULL ? 2 : 0));
      g_assert_cmpint (tacho_json_get_int (object, "max_tokens", -1), ==, 5);
    }
}

static void
test_learn (void)
{
  static const char refusal[] =
      "{\"error\":{\"message\":\"Unsupported parameter: 'max_tokens' is not supported with this "
      "model. Use 'max_completion_tokens' instead.\",\"param\":\"max_tokens\"}}";
  g_autoptr (TachoApi) api = tacho_api_openai_new ();
  g_autoptr (TachoGenerateRequest) generate = tacho_generate_request_new ("o9");
  g_autoptr (TachoHttpReply) other = reply_new (400, "{\"error\":{\"message\":\"no\"}}");
  g_autoptr (TachoHttpReply) forbidden = reply_new (403, refusal);
  g_autoptr (TachoHttpReply) reply = reply_new (400, refusal);
  g_autoptr (TachoHttpRequest) chat = NULL;
  g_autoptr (TachoHttpRequest) completion = NULL;
  g_autofree char *chat_text = NULL;
  g_autofree char *completion_text = NULL;

  tacho_generate_request_add_message (generate, TACHO_ROLE_USER, "Hi");
  g_assert_false (tacho_api_learn_refusal (api, generate, reply)); /* no max_tokens was sent */
  generate->max_tokens = 7;
  g_assert_false (tacho_api_learn_refusal (api, generate, other));
  g_assert_false (tacho_api_learn_refusal (api, generate, forbidden));
  g_assert_true (tacho_api_learn_refusal (api, generate, reply));
  chat = tacho_api_build_generate (api, generate, NULL);
  chat_text = request_to_string (chat);
  g_assert_nonnull (strstr (chat_text, "\"max_completion_tokens\":7"));
  g_assert_null (strstr (chat_text, "\"max_tokens\""));
  generate->raw = TRUE;
  generate->prompt = g_strdup ("Hi");
  completion = tacho_api_build_generate (api, generate, NULL);
  completion_text = request_to_string (completion);
  g_assert_nonnull (strstr (completion_text, "\"max_tokens\":7"));
}

typedef struct
{
  const char *name;
  TachoOpenaiDialect dialect;
  guint status;
  const char *body;
  int code; /* 0: `health` */
  TachoHealth health;
} HealthVector;

static const HealthVector healths[] = {
  { "vllm-ok", VLLM, 200, "", 0, TACHO_HEALTH_OK },
  { "vllm-dead", VLLM, 503, "", 0, TACHO_HEALTH_UNHEALTHY },
  { "sglang-starting", SGLANG, 503, "", 0, TACHO_HEALTH_LOADING },
  { "sglang-broken", SGLANG, 500, "", 0, TACHO_HEALTH_UNHEALTHY },
  { "tgi-unhealthy", TGI, 503, "{\"error\":\"unhealthy\",\"error_type\":\"healthcheck\"}", 0,
    TACHO_HEALTH_UNHEALTHY },
  { "keyed", TGI, 401, "", TACHO_ERROR_HTTP_4XX, 0 },
};

static void
test_health (gconstpointer data)
{
  const HealthVector *v = data;
  g_autoptr (TachoApi) api = tacho_api_openai_new_dialect (v->dialect, NULL);
  g_autoptr (TachoHttpReply) reply = reply_new (v->status, v->body);
  g_autoptr (GError) error = NULL;
  TachoHealth health;

  g_assert_cmpint (tacho_api_parse_health (api, reply, &health, &error), ==, v->code == 0);
  if (v->code == 0)
    g_assert_cmpint (health, ==, v->health);
  else
    g_assert_error (error, TACHO_ERROR, v->code);
}

#define VLLM_LIST                                                                                  \
  "{\"object\":\"list\",\"data\":[{\"id\":\"base\",\"object\":\"model\",\"created\":1,"            \
  "\"owned_by\":\"vllm\",\"root\":\"org/base\",\"parent\":null,\"max_model_len\":4096},"           \
  "{\"id\":\"poet\",\"object\":\"model\",\"created\":1,\"owned_by\":\"vllm\","                     \
  "\"root\":\"/l/poet\",\"parent\":\"base\"}]}"

static GPtrArray *
list (TachoApi *api, const char *text)
{
  g_autoptr (TachoHttpReply) reply = reply_new (200, text);
  g_autoptr (GError) error = NULL;
  GPtrArray *models = tacho_api_parse_models (api, reply, &error);

  g_assert_no_error (error);
  return models;
}

static void
assert_more (TachoApi *api,
             TachoOperation operation,
             guint step,
             GPtrArray *models,
             const char *path,
             guint status,
             const char *body)
{
  g_autoptr (TachoHttpRequest) request = tacho_api_build_more (api, operation, "m", step, models);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = NULL;

  if (path == NULL)
    {
      g_assert_null (request);
      return;
    }
  g_assert_cmpstr (request->path, ==, path);
  reply = reply_new (status, body);
  g_assert_true (tacho_api_parse_more (api, operation, step, reply, models, &error));
  g_assert_no_error (error);
}

static TachoModelStatus
status_of (GPtrArray *models, guint index)
{
  return ((TachoModelInfo *) g_ptr_array_index (models, index))->status;
}

static void
test_vllm_models (void)
{
  g_autoptr (TachoApi) api = tacho_api_openai_new_dialect (VLLM, "0.17");
  g_autoptr (GPtrArray) models = list (api, VLLM_LIST);
  const TachoModelInfo *base = g_ptr_array_index (models, 0);
  const TachoModelInfo *adapter = g_ptr_array_index (models, 1);
  g_autoptr (TachoHttpRequest) unload = tacho_api_build (api, TACHO_OP_UNLOAD_MODEL, "poet", NULL);
  g_autofree char *text = request_to_string (unload);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (base->context_window, ==, 4096);
  g_assert_cmpint (base->status, ==, TACHO_MODEL_STATUS_UNKNOWN);
  g_assert_cmpstr (adapter->kind, ==, "adapter");
  g_assert_cmpint (adapter->status, ==, TACHO_MODEL_STATUS_LOADED);
  g_assert_cmpstr (text, ==, "POST /v1/unload_lora_adapter {\"lora_name\":\"poet\"}");
  g_assert_null (tacho_api_build (api, TACHO_OP_LOAD_MODEL, "poet", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);

  assert_more (api, TACHO_OP_LIST_MODELS, 1, models, "/is_sleeping", 200, "{\"is_sleeping\":true}");
  g_assert_cmpint (status_of (models, 0), ==, TACHO_MODEL_STATUS_SLEEPING);
  assert_more (api, TACHO_OP_LIST_MODELS, 2, models, NULL, 0, NULL);
  assert_more (api, TACHO_OP_LIST_MODELS, 1, models, "/is_sleeping", 200,
               "{\"is_sleeping\":false}");
  g_assert_cmpint (status_of (models, 0), ==, TACHO_MODEL_STATUS_LOADED);
  /* Guarded: asked again. Not there: never again. */
  assert_more (api, TACHO_OP_LIST_MODELS, 1, models, "/is_sleeping", 401, "");
  assert_more (api, TACHO_OP_LIST_MODELS, 1, models, "/is_sleeping", 404,
               "{\"detail\":\"Not Found\"}");
  assert_more (api, TACHO_OP_LIST_MODELS, 1, models, NULL, 0, NULL);
}

static void
test_vllm_adapter (void)
{
  g_autoptr (TachoApi) api = tacho_api_openai_new_dialect (VLLM, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpRequest) load = tacho_api_build_load_from (api, "poet", "/l/poet", &error);
  g_autofree char *text = NULL;
  g_autoptr (TachoHttpReply) missing = reply_new (404, "{\"detail\":\"Not Found\"}");
  g_autoptr (TachoHttpReply) done = reply_new (200, "Success: LoRA adapter 'poet' added");

  g_assert_no_error (error);
  text = request_to_string (load);
  g_assert_cmpstr (text, ==,
                   "POST /v1/load_lora_adapter {\"lora_name\":\"poet\",\"lora_path\":\"/l/poet\"}");
  g_assert_true (tacho_api_change_blocks (api, TACHO_OP_LOAD_MODEL));
  g_assert_true (tacho_api_parse_change (api, TACHO_OP_LOAD_MODEL, "poet", done, &error));
  g_assert_no_error (error);
  g_assert_false (tacho_api_parse_change (api, TACHO_OP_UNLOAD_MODEL, "poet", missing, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "VLLM_ALLOW_RUNTIME_LORA_UPDATING"));
}

typedef struct
{
  const char *name;
  TachoOpenaiDialect dialect;
  guint status;
  const char *body;
  int code; /* 0: taken */
  const char *words;
} ChangeVector;

static const ChangeVector changes[] = {
  { "vllm-empty", VLLM, 200, "", 0, NULL },
  { "vllm-off", VLLM, 404, "{\"detail\":\"Not Found\"}", TACHO_ERROR_UNSUPPORTED,
    "--enable-sleep-mode" },
  { "vllm-off-plain", VLLM, 404, "", TACHO_ERROR_UNSUPPORTED, "VLLM_SERVER_DEV_MODE=1" },
  { "vllm-method", VLLM, 405, "{\"detail\":\"Method Not Allowed\"}", TACHO_ERROR_UNSUPPORTED,
    "--enable-sleep-mode" },
  { "vllm-no-model", VLLM, 404,
    "{\"object\":\"error\",\"message\":\"The model m cannot be found\",\"type\":\"NotFoundError\"}",
    TACHO_ERROR_NOT_FOUND, "cannot be found" },
  { "vllm-broken", VLLM, 500, "Internal Server Error", TACHO_ERROR_MODEL_FAILED, "Internal" },
  { "vllm-key", VLLM, 401, "{\"error\":\"Unauthorized\"}", TACHO_ERROR_HTTP_4XX, "API key" },
  { "sglang-empty", SGLANG, 200, "", 0, NULL },
  { "sglang-success", SGLANG, 200, "{\"success\":true,\"error_message\":\"\"}", 0, NULL },
  { "sglang-no-success", SGLANG, 200, "{\"success\":false,\"error_message\":\"no rank\"}",
    TACHO_ERROR_MODEL_FAILED, "no rank" },
  { "sglang-off", SGLANG, 404, "{\"detail\":\"Not Found\"}", TACHO_ERROR_UNSUPPORTED,
    "--enable-memory-saver" },
};

static void
test_change (gconstpointer data)
{
  const ChangeVector *v = data;
  g_autoptr (TachoApi) api = tacho_api_openai_new_dialect (v->dialect, NULL);
  g_autoptr (TachoHttpReply) reply = reply_new (v->status, v->body);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (tacho_api_parse_change (api, TACHO_OP_UNLOAD_MODEL, "m", reply, &error), ==,
                   v->code == 0);
  if (v->code == 0)
    {
      g_assert_no_error (error);
      return;
    }
  g_assert_error (error, TACHO_ERROR, v->code);
  g_assert_nonnull (strstr (error->message, v->words));
}

#define ONE "{\"data\":[{\"id\":\"m\",\"owned_by\":\"sglang\",\"max_model_len\":131072}]}"

static void
test_sglang_models (void)
{
  g_autoptr (TachoApi) api = tacho_api_openai_new_dialect (SGLANG, NULL);
  g_autoptr (GPtrArray) models = list (api, ONE);
  g_autoptr (GPtrArray) later = NULL;
  g_autoptr (GPtrArray) again = NULL;
  g_autoptr (TachoHttpReply) done = reply_new (200, "");
  const TachoModelInfo *info = g_ptr_array_index (models, 0);
  g_autofree char *huge = g_strnfill (5 * 1024 * 1024, 'x');

  assert_more (api, TACHO_OP_LIST_MODELS, 1, models, "/get_model_info", 200,
               "{\"model_path\":\"/m\",\"is_generation\":true}");
  g_assert_cmpstr (info->kind, ==, "chat");
  assert_more (api, TACHO_OP_LIST_MODELS, 2, models, NULL, 0, NULL);
  assert_more (api, TACHO_OP_SHOW_MODEL, 2, models, "/get_server_info", 200,
               "{\"context_length\":8192,\"quantization\":\"fp8\",\"internal_states\":[{}]}");
  g_assert_cmpint (info->context_window, ==, 8192);
  g_assert_cmpstr (info->quantization, ==, "fp8");
  assert_more (api, TACHO_OP_SHOW_MODEL, 2, models, "/get_server_info", 200, huge);
  assert_more (api, TACHO_OP_SHOW_MODEL, 3, models, NULL, 0, NULL);

  g_assert_true (tacho_api_parse_change (api, TACHO_OP_UNLOAD_MODEL, "m", done, NULL));
  later = list (api, ONE);
  g_assert_cmpint (status_of (later, 0), ==, TACHO_MODEL_STATUS_SLEEPING);
  g_assert_true (tacho_api_parse_change (api, TACHO_OP_LOAD_MODEL, "m", done, NULL));
  again = list (api, ONE);
  g_assert_cmpint (status_of (again, 0), ==, TACHO_MODEL_STATUS_UNKNOWN);
}

static void
test_tgi_models (void)
{
  g_autoptr (TachoApi) api = tacho_api_openai_new_dialect (TGI, "3.3.5");
  g_autoptr (GPtrArray) models = list (
      api,
      "{\"data\":[{\"id\":\"org/m\",\"object\":\"model\",\"created\":0,\"owned_by\":\"org/m\"}]}");
  const TachoModelInfo *info = g_ptr_array_index (models, 0);
  g_autoptr (TachoHttpReply) shown = reply_new (200, "{\"data\":[{\"id\":\"org/m\"}]}");
  g_autoptr (TachoModelInfo) details = tacho_api_parse_model (api, "org/m", shown, NULL);
  g_autoptr (GError) error = NULL;

  assert_more (api, TACHO_OP_LIST_MODELS, 1, models, "/info", 200,
               "{\"model_id\":\"org/m\",\"max_total_tokens\":2048,\"max_input_tokens\":1024,"
               "\"model_pipeline_tag\":\"text-generation\",\"router\":\"t\"}");
  g_assert_cmpint (info->context_window, ==, 2048);
  g_assert_cmpint (info->status, ==, TACHO_MODEL_STATUS_LOADED);
  g_assert_cmpstr (details->id, ==, "org/m");
  g_assert_null (tacho_api_parse_model (api, "other", shown, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
}

typedef struct
{
  const char *name;
  TachoOpenaiDialect dialect;
  const char *request;
  guint status;
  const char *reply;
  int count; /* -1: `code` */
  int code;
} TokenVector;

#define PROMPT "POST /tokenize {\"prompt\":\"Hi\",\"model\":\"m\"}"

static const TokenVector tokens[] = {
  { "vllm", VLLM, PROMPT, 200, "{\"count\":3,\"max_model_len\":4096,\"tokens\":[1,2,3]}", 3, 0 },
  { "sglang-no-count", SGLANG, PROMPT, 200, "{\"tokens\":[1,2]}", 2, 0 },
  { "sglang-old", SGLANG, PROMPT, 404, "{\"detail\":\"Not Found\"}", -1, TACHO_ERROR_UNSUPPORTED },
  { "tgi", TGI, "POST /tokenize {\"inputs\":\"Hi\"}", 200,
    "[{\"id\":1,\"text\":\"Hi\",\"start\":0,\"stop\":2}]", 1, 0 },
  { "tgi-error", TGI, "POST /tokenize {\"inputs\":\"Hi\"}", 422,
    "{\"error\":\"bad\",\"error_type\":\"validation\"}", -1, TACHO_ERROR_HTTP_4XX },
  { "negative", VLLM, PROMPT, 200, "{\"count\":-3}", -1, TACHO_ERROR_PROTOCOL },
};

static void
test_tokens (gconstpointer data)
{
  const TokenVector *v = data;
  g_autoptr (TachoApi) api = tacho_api_openai_new_dialect (v->dialect, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpRequest) request = tacho_api_build_tokenize (api, "m", "Hi", &error);
  g_autofree char *text = NULL;
  g_autoptr (TachoHttpReply) reply = reply_new (v->status, v->reply);

  g_assert_no_error (error);
  text = request_to_string (request);
  g_assert_cmpstr (text, ==, v->request);
  g_assert_cmpint (tacho_api_parse_tokenize (api, reply, &error), ==, v->count);
  if (v->count < 0)
    g_assert_error (error, TACHO_ERROR, v->code);
}

static void
test_metrics (void)
{
  g_autoptr (TachoApi) vllm = tacho_api_openai_new_dialect (VLLM, NULL);
  g_autoptr (TachoApi) sglang = tacho_api_openai_new_dialect (SGLANG, NULL);
  g_autoptr (TachoHttpReply) told = reply_new (200, "vllm:num_requests_running 2\n");
  g_autoptr (TachoHttpReply) missing = reply_new (404, "");
  g_autoptr (GError) error = NULL;
  TachoServerMetrics metrics;

  g_assert_true (tacho_api_parse_metrics (vllm, told, &metrics, &error));
  g_assert_cmpfloat (metrics.requests_running, ==, 2);
  g_assert_true (isnan (metrics.requests_waiting));
  g_assert_false (tacho_api_parse_metrics (sglang, missing, &metrics, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "--enable-metrics"));
}

#define ADD(prefix, table, func)                                                                   \
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)                                                 \
    {                                                                                              \
      g_autofree char *path = g_strconcat ("/api/dialects/" prefix "/", table[i].name, NULL);      \
                                                                                                   \
      g_test_add_data_func (path, &table[i], func);                                                \
    }

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  ADD ("build", builds, test_build);
  ADD ("health", healths, test_health);
  ADD ("change", changes, test_change);
  ADD ("tokens", tokens, test_tokens);
  g_test_add_func ("/api/dialects/names", test_names);
  g_test_add_func ("/api/dialects/parameters", test_parameters);
  g_test_add_func ("/api/dialects/learn", test_learn);
  g_test_add_func ("/api/dialects/vllm-models", test_vllm_models);
  g_test_add_func ("/api/dialects/vllm-adapter", test_vllm_adapter);
  g_test_add_func ("/api/dialects/sglang-models", test_sglang_models);
  g_test_add_func ("/api/dialects/tgi-models", test_tgi_models);
  g_test_add_func ("/api/dialects/metrics", test_metrics);
  return g_test_run ();
}
