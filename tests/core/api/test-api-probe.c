/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the probe makes of servers, from their replies to GET /props and GET /v1/models, and that no
 * server is asked more than eight times. */
#include "api/tacho-api-probe.h"

#include <string.h>

#include "api/tacho-api-llamacpp.h"
#include "base/tacho-error.h"
#include "test-utils.h"

#define LIST "{\"object\":\"list\",\"data\":[{\"id\":\"a\",\"owned_by\":\"vllm\"}]}"
#define LLAMA_LIST                                                                                 \
  "{\"object\":\"list\",\"data\":[{\"id\":\"a\",\"owned_by\":\"llamacpp\",\"status\":{}}]}"
/* Captured from llama.cpp b11669, trimmed. */
#define PROPS                                                                                      \
  "{\"default_generation_settings\":{\"params\":{\"seed\":4294967295},\"n_ctx\":4096},"            \
  "\"total_slots\":4,\"model_alias\":\"/models/tiny-a.gguf\",\"build_info\":\"b11669-Debian\"}"
#define ROUTER_PROPS                                                                               \
  "{\"role\":\"router\",\"max_instances\":4,\"models_autoload\":true,\"model_path\":\"none\","     \
  "\"default_generation_settings\":{\"params\":null,\"n_ctx\":0},\"build_info\":\"b11669-"         \
  "Debian\"}"
#define LOADING                                                                                    \
  "{\"error\":{\"code\":503,\"message\":\"Loading model\",\"type\":\"unavailable_error\"}}"

typedef struct
{
  const char *name;
  const char *family;
  const char *server; /* the Server header */
  guint props_status;
  const char *props;
  guint models_status;
  const char *models;
  guint n_requests;
  const char *found; /* describe(), NULL: none */
  int code;          /* then */
  TachoHealth health;
  const char *evidence; /* in the evidence, or in the error's message */
} ProbeVector;

static const ProbeVector vectors[] = {
  { "llamacpp", "auto", "llama.cpp", 200, PROPS, 0, NULL, 1, "llama.cpp server b11669-Debian", 0,
    TACHO_HEALTH_OK, "default_generation_settings: llama.cpp" },
  { "router", "auto", "llama.cpp", 200, ROUTER_PROPS, 0, NULL, 1,
    "llama.cpp server b11669-Debian (router)", 0, TACHO_HEALTH_OK, "router" },
  { "simulated", "auto", "tacho-sim/0.1.0", 200, PROPS, 0, NULL, 1,
    "llama.cpp server b11669-Debian", 0, TACHO_HEALTH_OK, "simulated" },
  { "loading", "auto", "llama.cpp", 503, LOADING, 0, NULL, 1, "llama.cpp server", 0,
    TACHO_HEALTH_LOADING, "not ready" },
  { "props-hidden", "auto", "llama.cpp", 404, "", 200, LLAMA_LIST, 2, "llama.cpp server (router)",
    0, TACHO_HEALTH_OK, "llama.cpp" },
  { "llamacpp-wants-key", "auto", "llama.cpp", 401, "{\"error\":{\"message\":\"Invalid API Key\"}}",
    200, LLAMA_LIST, 1, NULL, TACHO_ERROR_HTTP_4XX, 0, "API key" },
  { "openai", "auto", NULL, 404, "{\"detail\":\"Not Found\"}", 200, LIST, 8,
    "OpenAI-compatible server", 0, TACHO_HEALTH_OK, "OpenAI-compatible" },
  { "openai-without-models", "auto", NULL, 404, "", 200, "{\"object\":\"list\",\"data\":null}", 7,
    "OpenAI-compatible server", 0, TACHO_HEALTH_OK, "0 models" },
  { "200-for-unknown-paths", "auto", NULL, 200, "{\"error\":\"Unexpected endpoint\"}", 200, LIST, 8,
    "OpenAI-compatible server", 0, TACHO_HEALTH_OK, "Unexpected endpoint" },
  { "key-then-list", "auto", NULL, 401, "", 200, LIST, 8, "OpenAI-compatible server", 0,
    TACHO_HEALTH_OK, "OpenAI" },
  { "wants-key", "auto", NULL, 401, "", 401, "{\"error\":\"Unauthorized\"}", 2, NULL,
    TACHO_ERROR_HTTP_4XX, 0, "API key" },
  { "forbidden", "auto", NULL, 404, "", 403, "", 2, NULL, TACHO_ERROR_HTTP_4XX, 0, "API key" },
  { "web-page", "auto", "nginx", 200, "<html><title>Hi</title>", 200, "<html><title>Hi</title>", 2,
    NULL, TACHO_ERROR_UNKNOWN_SERVER, 0, "Hi" },
  { "nothing", "auto", NULL, 404, "", 404, "", 8, NULL, TACHO_ERROR_UNKNOWN_SERVER, 0, "404" },
  { "gateway-down", "auto", NULL, 502, "<html>", 502, "<html>", 2, NULL, TACHO_ERROR_HTTP_5XX, 0,
    "502" },
  { "moved", "auto", NULL, 301, "", 301, "", 2, NULL, TACHO_ERROR_UNKNOWN_SERVER, 0, "301" },
  { "hostile", "auto", "\x1b[31m", 200, "\xff\x1b[31m", 200, "{\"data\":[7]}", 8, NULL,
    TACHO_ERROR_UNKNOWN_SERVER, 0, "something else" },
  { "forced-openai", "openai", "llama.cpp", 0, NULL, 200, LLAMA_LIST, 1, "OpenAI-compatible server",
    0, TACHO_HEALTH_OK, "OpenAI" },
  { "forced-openai-no", "openai", NULL, 0, NULL, 200, "{}", 1, NULL, TACHO_ERROR_UNKNOWN_SERVER, 0,
    "openai" },
  { "forced-llamacpp", "llamacpp", NULL, 200, PROPS, 0, NULL, 1, "llama.cpp server b11669-Debian",
    0, TACHO_HEALTH_OK, "llama.cpp" },
  { "forced-llamacpp-no", "llamacpp", NULL, 404, "", 200, LIST, 2, NULL, TACHO_ERROR_UNKNOWN_SERVER,
    0, "llamacpp" },
};

static TachoHttpReply *
answer (const ProbeVector *v, const char *path)
{
  gboolean models = strcmp (path, "/v1/models") == 0;
  const char *body = models ? v->models : v->props; /* /props stands for all that it has not */
  g_autoptr (GBytes) bytes = NULL;
  TachoHttpReply *reply;

  g_assert_nonnull (body);
  bytes = g_bytes_new (body, strlen (body));
  reply = tacho_http_reply_new (models ? v->models_status : v->props_status, bytes);
  if (v->server != NULL)
    tacho_http_reply_add_header (reply, "server", v->server);
  return reply;
}

static void
test_vector (gconstpointer data)
{
  const ProbeVector *v = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoApiProbe) probe = tacho_api_probe_new (v->family, &error);
  g_autoptr (TachoApi) api = NULL;
  g_autofree char *evidence = NULL;
  guint n = 0;

  g_assert_no_error (error);
  for (;;)
    {
      g_autoptr (TachoHttpRequest) request = tacho_api_probe_next (probe);
      g_autoptr (TachoHttpReply) reply = NULL;

      if (request == NULL)
        break;
      g_assert_cmpuint (++n, <=, 8);
      g_assert_cmpstr (request->method, ==, "GET");
      reply = answer (v, request->path);
      tacho_api_probe_feed (probe, reply);
    }
  g_assert_cmpuint (n, ==, v->n_requests);
  evidence = g_strjoinv ("\n", (char **) tacho_api_probe_get_evidence (probe));
  g_assert_true (g_utf8_validate (evidence, -1, NULL));
  g_assert_null (strchr (evidence, '\x1b'));
  g_assert_cmpint (tacho_api_probe_get_simulated (probe), ==, strcmp (v->name, "simulated") == 0);
  api = tacho_api_probe_finish (probe, &error);
  if (v->found == NULL)
    {
      g_assert_null (api);
      g_assert_error (error, TACHO_ERROR, v->code);
      g_assert_nonnull (strstr (error->message, v->evidence));
      return;
    }
  g_assert_no_error (error);
  g_free (evidence);
  evidence = g_strjoinv ("\n", (char **) tacho_api_probe_get_evidence (probe));
  g_assert_nonnull (strstr (evidence, v->evidence));
  g_assert_cmpint (tacho_api_probe_get_health (probe), ==, v->health);
  {
    g_autofree char *description = tacho_api_describe (api);

    g_assert_cmpstr (description, ==, v->found);
  }
}

static void
test_unknown_family (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (tacho_api_probe_new ("gopher", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "auto, openai, openai-responses"));
}

/* The families that are named, not found: what is asked, what is answered, what that is. */
static void
test_named (void)
{
  static const struct
  {
    const char *family;
    const char *path;
    const char *body;
    const char *found; /* NULL: not yet */
  } steps[] = {
    { "ollama", "/api/version", "{\"version\":\"0.13\"}", "Ollama 0.13" },
    { "ollama", "/api/version", "404 page not found", NULL },
    { "lmstudio", "/api/v1/models", "{\"models\":[{\"key\":\"a\"}]}", "LM Studio" },
    { "lmstudio", "/api/v1/models", "{\"error\":\"Unexpected endpoint or method.\"}", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      g_autoptr (TachoApiProbe) probe = tacho_api_probe_new (steps[i].family, NULL);
      g_autoptr (TachoHttpRequest) request = tacho_api_probe_next (probe);
      g_autoptr (TachoHttpReply) reply =
          tacho_http_reply_new (200, g_bytes_new (steps[i].body, strlen (steps[i].body)));
      g_autoptr (GError) error = NULL;
      g_autoptr (TachoApi) api = NULL;

      g_assert_cmpstr (request->path, ==, steps[i].path);
      tacho_api_probe_feed (probe, reply);
      api = tacho_api_probe_finish (probe, &error);
      if (steps[i].found != NULL)
        {
          g_autofree char *description = tacho_api_describe (api);

          g_assert_no_error (error);
          g_assert_cmpstr (description, ==, steps[i].found);
        }
      else
        g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNKNOWN_SERVER);
    }
}

static void
test_undecided (void)
{
  g_autoptr (TachoApiProbe) probe = tacho_api_probe_new ("auto", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (tacho_api_probe_finish (probe, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNKNOWN_SERVER);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (vectors); i++)
    {
      g_autofree char *path = g_strconcat ("/api/probe/", vectors[i].name, NULL);

      g_test_add_data_func (path, &vectors[i], test_vector);
    }
  g_test_add_func ("/api/probe/unknown-family", test_unknown_family);
  g_test_add_func ("/api/probe/named", test_named);
  g_test_add_func ("/api/probe/undecided", test_undecided);
  return g_test_run ();
}
