/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every family's routes on fronts of one simulated server: status, shape, and exact counts. */
#include "test-utils.h"

#include "sim/tacho-sim-server.h"

#include <libsoup/soup.h>
#include <string.h>

#define TINY "sim-tiny-1b-q8_0"
#define CHAT                                                                                       \
  "{\"model\":\"" TINY "\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"                 \
  "\"max_tokens\":3,\"stream\":true,\"stream_options\":{\"include_usage\":true}}"

typedef struct
{
  TachoSimFamily family;
  const char *method, *path, *body;
  guint status;
  const char *shape; /* stands in the reply */
  guint tokens;      /* that the request must cost */
} Row;

static const Row rows[] = {
  { TACHO_SIM_FAMILY_OLLAMA, "GET", "/", NULL, 200, "Ollama is running", 0 },
  { TACHO_SIM_FAMILY_OLLAMA, "GET", "/api/version", NULL, 200, "{\"version\":\"", 0 },
  { TACHO_SIM_FAMILY_OLLAMA, "GET", "/api/tags", NULL, 200, "\"parameter_size\":\"1.2B\"", 0 },
  { TACHO_SIM_FAMILY_OLLAMA, "GET", "/api/ps", NULL, 200, "\"size_vram\":", 0 },
  { TACHO_SIM_FAMILY_OLLAMA, "POST", "/api/show", "{\"model\":\"" TINY "\"}", 200,
    "\"llama.context_length\":4096", 0 },
  { TACHO_SIM_FAMILY_OLLAMA, "POST", "/api/generate",
    "{\"model\":\"" TINY "\",\"prompt\":\"hi\",\"options\":{\"num_predict\":4}}", 200,
    "\"eval_count\":4", 4 },
  { TACHO_SIM_FAMILY_OLLAMA, "POST", "/api/chat", "{\"model\":\"x\"}", 404,
    "{\"error\":\"model 'x' not found\"}", 0 },
  { TACHO_SIM_FAMILY_OLLAMA, "POST", "/api/pull", "{\"model\":\"sim-new\"}", 200,
    "{\"status\":\"success\"}\n", 0 },
  { TACHO_SIM_FAMILY_OLLAMA, "POST", "/api/pull", "{\"model\":\"none\"}", 200, "{\"error\":", 0 },
  { TACHO_SIM_FAMILY_OLLAMA, "DELETE", "/api/delete", "{\"model\":\"sim-new\"}", 200, "", 0 },
  { TACHO_SIM_FAMILY_LMSTUDIO, "GET", "/api/v1/models", NULL, 200, "\"loaded_instances\":[{", 0 },
  { TACHO_SIM_FAMILY_LMSTUDIO, "GET", "/api/v0/models", NULL, 200, "\"state\":\"loaded\"", 0 },
  { TACHO_SIM_FAMILY_LMSTUDIO, "GET", "/none", NULL, 200, "Unexpected endpoint or method", 0 },
  { TACHO_SIM_FAMILY_LMSTUDIO, "POST", "/api/v1/models/load", "{\"model\":\"" TINY "\"}", 200,
    "\"status\":\"loaded\"", 0 },
  { TACHO_SIM_FAMILY_LMSTUDIO, "POST", "/api/v1/chat",
    "{\"model\":\"" TINY "\",\"input\":\"hi\",\"stream\":true,\"max_output_tokens\":3}", 200,
    "\"total_output_tokens\":3", 3 },
  { TACHO_SIM_FAMILY_VLLM, "GET", "/version", NULL, 200, "{\"version\":", 0 },
  { TACHO_SIM_FAMILY_VLLM, "GET", "/props", NULL, 404, "{\"detail\":", 0 },
  { TACHO_SIM_FAMILY_VLLM, "POST", "/tokenize", "{\"prompt\":\"a b c\"}", 200, "\"count\":3", 0 },
  { TACHO_SIM_FAMILY_VLLM, "POST", "/sleep", "{}", 200, "", 0 },
  { TACHO_SIM_FAMILY_VLLM, "GET", "/is_sleeping", NULL, 200, "true", 0 },
  { TACHO_SIM_FAMILY_VLLM, "POST", "/wake_up", "{}", 200, "", 0 },
  { TACHO_SIM_FAMILY_VLLM, "POST", "/v1/chat/completions", CHAT, 200, "\"completion_tokens\":3",
    3 },
  { TACHO_SIM_FAMILY_VLLM, "GET", "/metrics", NULL, 200, "vllm:num_requests_running{", 0 },
  { TACHO_SIM_FAMILY_SGLANG, "GET", "/get_model_info", NULL, 200, "\"is_generation\":true", 0 },
  { TACHO_SIM_FAMILY_SGLANG, "POST", "/generate",
    "{\"text\":\"hi\",\"stream\":true,\"sampling_params\":{\"max_new_tokens\":3}}", 200,
    "\"completion_tokens\":3", 3 },
  { TACHO_SIM_FAMILY_TGI, "GET", "/info", NULL, 200, "\"router\":\"text-generation-router\"", 0 },
  { TACHO_SIM_FAMILY_TGI, "POST", "/generate_stream",
    "{\"inputs\":\"hi\",\"parameters\":{\"max_new_tokens\":3}}", 200, "\"generated_tokens\":3", 3 },
  { TACHO_SIM_FAMILY_TGI, "POST", "/generate", "{\"inputs\":\"\"}", 422, "\"error_type\":", 0 },
  { TACHO_SIM_FAMILY_OIP, "GET", "/v2", NULL, 200, "\"model_repository\"", 0 },
  { TACHO_SIM_FAMILY_OIP, "POST", "/v2/repository/index", "{}", 200, "\"state\":\"READY\"", 0 },
  { TACHO_SIM_FAMILY_OIP, "POST", "/v2/models/" TINY "/generate_stream",
    "{\"text_input\":\"hi\",\"stream\":true,\"max_tokens\":3}", 200, "\"finish_reason\":\"length\"",
    3 },
  { TACHO_SIM_FAMILY_KSERVE, "GET", "/v2/models", NULL, 200, "{\"models\":[\"sim-", 0 },
  { TACHO_SIM_FAMILY_RYZANSTEIN, "GET", "/v1/models", NULL, 200, "\"ryzanstein-llm\"", 0 },
  { TACHO_SIM_FAMILY_RYZANSTEIN, "POST", "/v1/completions",
    "{\"model\":\"" TINY "\",\"prompt\":\"hi\",\"max_tokens\":3}", 200, "\"completion_tokens\":3",
    3 },
};

static guint64
output_tokens (TachoSimServer *server)
{
  TachoSimCounters counters;

  tacho_sim_server_get_counters (server, &counters);
  return counters.output_tokens;
}

static guint
ask (const char *base, const char *method, const char *path, const char *body, char **reply)
{
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autofree char *url = g_strconcat (base, path, NULL);
  g_autoptr (SoupMessage) message = soup_message_new (method, url);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  soup_session_set_timeout (session, 20);
  if (body != NULL)
    {
      g_autoptr (GBytes) data = g_bytes_new_static (body, strlen (body));

      soup_message_set_request_body_from_bytes (message, "application/json", data);
    }
  bytes = soup_session_send_and_read (session, message, NULL, &error);
  g_assert_no_error (error);
  *reply = g_bytes_get_size (bytes) > 0
               ? g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes))
               : g_strdup ("");
  return soup_message_get_status (message);
}

static void
test_routes (void)
{
  TachoSimConfig *config = tacho_sim_config_new ("all-fast", NULL);
  TachoSimServer *server;
  g_autoptr (GError) error = NULL;

  for (guint i = 1; i < TACHO_SIM_N_FAMILIES; i++)
    tacho_sim_config_add_front (config, &(TachoSimFront){ .family = (TachoSimFamily) i });
  server = tacho_sim_server_new (config);
  tacho_sim_config_free (config);
  g_assert_true (tacho_sim_server_start (server, 0, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (tacho_sim_server_get_n_fronts (server), ==, TACHO_SIM_N_FAMILIES);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const Row *row = &rows[i];
      guint64 before = output_tokens (server);
      g_autofree char *reply = NULL;
      guint status = ask (tacho_sim_server_get_front_url (server, (guint) row->family), row->method,
                          row->path, row->body, &reply);

      g_test_message ("%s %s: %u %.200s", row->method, row->path, status, reply);
      g_assert_cmpuint (status, ==, row->status);
      g_assert_nonnull (strstr (reply, row->shape));
      g_assert_cmpuint (output_tokens (server) - before, ==, row->tokens);
    }
  tacho_sim_server_stop (server);
  g_assert_finalize_object (server);
}

static void
test_rate_limit (void)
{
  TachoSimConfig *config = tacho_sim_config_new ("vllm-fast", NULL);
  TachoSimServer *server;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  const char *body = "{\"model\":\"sim-llama-8b-q4_k_m\",\"prompt\":\"x\",\"max_tokens\":1}";

  config->requests_per_second = 0.01;
  server = tacho_sim_server_new (config);
  tacho_sim_config_free (config);
  g_assert_true (tacho_sim_server_start (server, 0, NULL));
  g_assert_cmpuint (
      ask (tacho_sim_server_get_url (server), "POST", "/v1/completions", body, &first), ==, 200);
  g_assert_cmpuint (
      ask (tacho_sim_server_get_url (server), "POST", "/v1/completions", body, &second), ==, 429);
  g_assert_nonnull (strstr (second, "RateLimitError"));
  tacho_sim_server_stop (server);
  g_assert_finalize_object (server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sim/families/routes", test_routes);
  g_test_add_func ("/sim/families/rate-limit", test_rate_limit);
  return g_test_run ();
}
