/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every kind of server as the probe meets it: which routes it has, what it answers to all others,
 * how often it is asked, over REST. */
#include "api/tacho-api-probe.h"

#include <string.h>

#include "base/tacho-error.h"
#include "test-utils.h"

#define NOT_FOUND "{\"detail\":\"Not Found\"}"
#define UNEXPECTED "{\"error\":\"Unexpected endpoint or method. (GET /x)\"}"
#define LIST(owner) "{\"object\":\"list\",\"data\":[{\"id\":\"m\",\"owned_by\":\"" owner "\"}]}"
#define PAGE "<!doctype html><html><title>Chat</title></html>"

typedef struct
{
  const char *path;
  guint status;
  const char *body;
} Route;

typedef struct
{
  const char *name;
  const char *family;
  Route routes[5];
  guint other_status;
  const char *other;
  const char *header; /* "Name: value" */
  guint n_requests;
  const char *found; /* NULL: the error's code */
  const char *description;
  int code;
} ServerVector;

static const ServerVector servers[] = {
  { "triton",
    "auto",
    { { "/v2", 200,
        "{\"name\":\"triton\",\"version\":\"2.60.0\",\"extensions\":[\"model_repository\","
        "\"generate\"]}" } },
    404,
    "",
    NULL,
    3,
    "oip",
    "2.60.0",
    0 },
  { "kserve",
    "auto",
    { { "/v2", 200,
        "{\"name\":\"kserve\",\"version\":\"0.15\",\"extensions\":"
        "[\"model_repository_extension\"]}" } },
    404,
    NOT_FOUND,
    NULL,
    3,
    "oip",
    "0.15",
    0 },
  { "ollama",
    "auto",
    { { "/api/version", 200, "{\"version\":\"0.13.3\"}" },
      { "/v1/models", 200, LIST ("library") } },
    404,
    "404 page not found",
    NULL,
    3,
    "ollama",
    "0.13.3",
    0 },
  { "ollama-empty",
    "auto",
    { { "/api/version", 200, "{\"version\":\"0.13.3\"}" },
      { "/v1/models", 200, "{\"object\":\"list\",\"data\":null}" } },
    404,
    "404 page not found",
    NULL,
    4,
    "ollama",
    "0.13.3",
    0 },
  { "sglang",
    "auto",
    { { "/get_model_info", 200, "{\"model_path\":\"/m\",\"is_generation\":true}" },
      { "/v1/models", 200, LIST ("sglang") },
      { "/api/tags", 200, "{\"models\":[]}" } },
    404,
    NOT_FOUND,
    NULL,
    3,
    "sglang",
    "SGLang",
    0 },
  { "sglang-renamed",
    "auto",
    { { "/get_model_info", 200, "{\"model_path\":\"/m\"}" }, { "/v1/models", 200, LIST ("me") } },
    404,
    NOT_FOUND,
    NULL,
    5,
    "sglang",
    "SGLang",
    0 },
  { "lmstudio",
    "auto",
    { { "/api/v1/models", 200, "{\"models\":[{\"key\":\"a\",\"loaded_instances\":[]}]}" },
      { "/v1/models", 200, LIST ("organization_owner") } },
    200,
    UNEXPECTED,
    "X-Powered-By: Express",
    3,
    "lmstudio",
    "LM Studio",
    0 },
  { "lmstudio-empty",
    "auto",
    { { "/api/v1/models", 200, "{\"models\":[]}" },
      { "/v1/models", 200, "{\"object\":\"list\",\"data\":[]}" } },
    200,
    UNEXPECTED,
    NULL,
    3,
    "lmstudio",
    "LM Studio",
    0 },
  { "lmstudio-v0",
    "auto",
    { { "/api/v0/models", 200, "{\"data\":[{\"id\":\"a\",\"state\":\"loaded\"}]}" },
      { "/v1/models", 200, LIST ("organization-owner") } },
    200,
    UNEXPECTED,
    NULL,
    4,
    "lmstudio",
    "LM Studio",
    0 },
  { "express-of-another-kind",
    "auto",
    { { "/v1/models", 200, LIST ("me") } },
    404,
    "{}",
    "X-Powered-By: Express",
    8,
    "openai",
    "OpenAI",
    0 },
  { "tgi",
    "auto",
    { { "/info", 200,
        "{\"model_id\":\"org/m\",\"max_total_tokens\":4096,\"router\":\"text-generation-router\","
        "\"version\":\"3.3.5\"}" },
      { "/v1/models", 200, LIST ("org/m") } },
    404,
    "",
    NULL,
    7,
    "tgi",
    "3.3.5",
    0 },
  { "vllm",
    "auto",
    { { "/version", 200, "{\"version\":\"0.17.0\"}" }, { "/v1/models", 200, LIST ("vllm") } },
    404,
    NOT_FOUND,
    NULL,
    3,
    "vllm",
    "vLLM 0.17.0",
    0 },
  { "vllm-keyed",
    "auto",
    { { "/version", 200, "{\"version\":\"0.17.0\"}" },
      { "/v1/models", 401, "{\"error\":\"Unauthorized\"}" } },
    404,
    NOT_FOUND,
    NULL,
    2,
    NULL,
    "API key",
    TACHO_ERROR_HTTP_4XX },
  { "version-of-something",
    "auto",
    { { "/version", 200, "{\"version\":\"7\"}" }, { "/v1/models", 200, LIST ("me") } },
    404,
    "",
    NULL,
    7,
    "openai",
    "OpenAI",
    0 },
  { "openai",
    "auto",
    { { "/v1/models", 200, LIST ("openai-internal") } },
    404,
    "",
    NULL,
    2,
    "openai",
    "OpenAI",
    0 },
  { "openrouter",
    "auto",
    { { "/v1/models", 200, "{\"data\":[{\"id\":\"a/b\",\"name\":\"B\"}]}" } },
    404,
    PAGE,
    NULL,
    7,
    "openai",
    "OpenAI",
    0 },
  { "ryzanstein-contract",
    "auto",
    { { "/v1/models", 200,
        "{\"data\":[{\"id\":\"m\",\"name\":\"M\",\"context_window\":4096,"
        "\"max_output_tokens\":512}]}" } },
    404,
    "",
    NULL,
    2,
    "ryzanstein",
    "",
    0 },
  { "ryzanstein-python",
    "auto",
    { { "/v1/models", 200, LIST ("ryzanstein-llm") } },
    404,
    NOT_FOUND,
    NULL,
    2,
    "ryzanstein",
    "",
    0 },
  { "ryzanstein-distributed",
    "auto",
    { { "/health", 200, "{\"status\":\"healthy\",\"healthy_gpus\":1,\"total_gpus\":1}" } },
    404,
    NOT_FOUND,
    NULL,
    8,
    "ryzanstein",
    "",
    0 },
  { "all-401", "auto", { { NULL } }, 401, "", NULL, 2, NULL, "API key", TACHO_ERROR_HTTP_4XX },
  { "web-page",
    "auto",
    { { NULL } },
    200,
    PAGE,
    NULL,
    2,
    NULL,
    "Chat",
    TACHO_ERROR_UNKNOWN_SERVER },
  { "health-of-something",
    "auto",
    { { "/health", 200, "{\"status\":\"ok\"}" } },
    404,
    "",
    NULL,
    8,
    NULL,
    "404",
    TACHO_ERROR_UNKNOWN_SERVER },
  { "json-everywhere",
    "auto",
    { { NULL } },
    200,
    "{}",
    NULL,
    8,
    NULL,
    "something else",
    TACHO_ERROR_UNKNOWN_SERVER },
  { "huge-types",
    "auto",
    { { NULL } },
    200,
    "{\"models\":7,\"data\":{},\"version\":[],\"extensions\":{},\"model_path\":3,\"model_id\":{}}",
    NULL,
    8,
    NULL,
    "something else",
    TACHO_ERROR_UNKNOWN_SERVER },

  { "named-ollama",
    "ollama",
    { { "/api/version", 200, "{\"version\":\"0.13\"}" } },
    404,
    "",
    NULL,
    1,
    "ollama",
    "0.13",
    0 },
  { "named-lmstudio-v0",
    "lmstudio",
    { { "/api/v0/models", 200, "{\"data\":[]}" } },
    200,
    UNEXPECTED,
    NULL,
    2,
    "lmstudio",
    "",
    0 },
  { "named-vllm",
    "vllm",
    { { "/version", 200, "{\"version\":\"0.9\"}" } },
    404,
    "",
    NULL,
    1,
    "vllm",
    "vLLM 0.9",
    0 },
  { "named-vllm-behind-proxy",
    "vllm",
    { { "/v1/models", 200, LIST ("vllm") } },
    404,
    "",
    NULL,
    2,
    "vllm",
    "vLLM",
    0 },
  { "named-vllm-no",
    "vllm",
    { { "/v1/models", 200, LIST ("sglang") } },
    404,
    "",
    NULL,
    2,
    NULL,
    "vllm",
    TACHO_ERROR_UNKNOWN_SERVER },
  { "named-sglang",
    "sglang",
    { { "/get_model_info", 200, "{\"model_path\":\"/m\"}" } },
    404,
    "",
    NULL,
    1,
    "sglang",
    "SGLang",
    0 },
  { "named-tgi",
    "tgi",
    { { "/info", 200, "{\"model_id\":\"m\",\"max_concurrent_requests\":1}" } },
    404,
    "",
    NULL,
    1,
    "tgi",
    "Text Generation",
    0 },
  { "named-tgi-no",
    "tgi",
    { { "/info", 200, "{\"model_id\":\"m\"}" } },
    404,
    "",
    NULL,
    1,
    NULL,
    "tgi",
    TACHO_ERROR_UNKNOWN_SERVER },
  { "named-oip",
    "oip",
    { { "/v2", 200, "{\"name\":\"mlserver\",\"extensions\":[]}" } },
    404,
    "",
    NULL,
    1,
    "oip",
    "",
    0 },
  { "named-oip-keyed",
    "oip",
    { { NULL } },
    403,
    "",
    NULL,
    1,
    NULL,
    "API key",
    TACHO_ERROR_HTTP_4XX },
  { "named-responses",
    "openai-responses",
    { { "/v1/models", 200, LIST ("x") } },
    404,
    "",
    NULL,
    1,
    "openai-responses",
    "responses",
    0 },
  { "named-ryzanstein",
    "ryzanstein",
    { { "/health", 200, "{\"status\":\"ok\"}" } },
    404,
    "",
    NULL,
    2,
    "ryzanstein",
    "",
    0 },
};

static TachoHttpReply *
reply_new (guint status, const void *data, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, length);

  return tacho_http_reply_new (status, bytes);
}

static TachoHttpReply *
answer (const ServerVector *v, const char *path)
{
  const char *body = v->other;
  guint status = v->other_status;
  TachoHttpReply *reply;

  for (gsize i = 0; i < G_N_ELEMENTS (v->routes) && v->routes[i].path != NULL; i++)
    if (strcmp (v->routes[i].path, path) == 0)
      {
        body = v->routes[i].body;
        status = v->routes[i].status;
      }
  reply = reply_new (status, body, strlen (body));
  if (v->header != NULL)
    {
      g_auto (GStrv) parts = g_strsplit (v->header, ": ", 2);

      tacho_http_reply_add_header (reply, parts[0], parts[1]);
    }
  return reply;
}

static void
test_server (gconstpointer data)
{
  const ServerVector *v = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoApiProbe) probe = tacho_api_probe_new (v->family, &error);
  g_autoptr (TachoApi) api = NULL;
  guint n = 0;

  g_assert_no_error (error);
  for (;;)
    {
      g_autoptr (TachoHttpRequest) request = tacho_api_probe_next (probe);
      g_autoptr (TachoHttpReply) reply = NULL;

      if (request == NULL)
        break;
      g_assert_cmpuint (++n, <=, 9);
      reply = answer (v, request->path);
      tacho_api_probe_feed (probe, reply);
    }
  api = tacho_api_probe_finish (probe, &error);
  if (v->found == NULL)
    {
      g_assert_null (api);
      g_assert_error (error, TACHO_ERROR, v->code);
      g_assert_nonnull (strstr (error->message, v->description));
    }
  else
    {
      g_autofree char *description = NULL;

      g_assert_no_error (error);
      description = tacho_api_describe (api);
      g_assert_cmpstr (tacho_api_get_family (api), ==, v->found);
      g_assert_nonnull (strstr (description, v->description));
      g_assert_cmpint (tacho_api_get_protocol (api), ==, TACHO_PROTOCOL_REST);
      g_assert_nonnull (tacho_api_probe_get_evidence (probe)[0]);
    }
  g_assert_cmpuint (n, ==, v->n_requests);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (servers); i++)
    {
      g_autofree char *path = g_strconcat ("/api/probe/rest/", servers[i].name, NULL);

      g_test_add_data_func (path, &servers[i], test_server);
    }
  return g_test_run ();
}
