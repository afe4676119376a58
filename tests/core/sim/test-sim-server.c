/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The simulated server over real sockets. The server has a thread of its own, so the tests
 * block. */
#include "test-utils.h"

#include "api/tacho-http-message.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"
#include "sim/tacho-sim-server.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TINY "sim-tiny-1b-q8_0"

static TachoSimServer *
start (TachoSimConfig *config)
{
  g_autoptr (GError) error = NULL;
  TachoSimServer *server = tacho_sim_server_new (config);

  tacho_sim_config_free (config);
  g_assert_true (tacho_sim_server_start (server, 0, &error));
  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (tacho_sim_server_get_url (server), "http://127.0.0.1:"));
  return server;
}

static TachoSimConfig *
fast (void)
{
  return tacho_sim_config_new ("fast", NULL);
}

static void
finish (TachoSimServer *server)
{
  tacho_sim_server_stop (server);
  g_assert_finalize_object (server);
}

/* --- a blocking client ------------------------------------------------------------------------ */

static GSocketConnection *
connect_to (TachoSimServer *server)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection;

  g_socket_client_set_timeout (client, 20);
  connection =
      g_socket_client_connect_to_uri (client, tacho_sim_server_get_url (server), 0, NULL, &error);
  g_assert_no_error (error);
  return connection;
}

static void
send_request (GSocketConnection *connection,
              const char *method,
              const char *path,
              const char *headers,
              const char *body)
{
  g_autofree char *text =
      g_strdup_printf ("%s %s HTTP/1.1\r\n%s%sContent-Length: %zu\r\n\r\n%s", method, path,
                       headers && strstr (headers, "Host:") ? "" : "Host: localhost\r\n",
                       headers ? headers : "", body ? strlen (body) : 0, body ? body : "");
  g_autoptr (GError) error = NULL;

  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), text,
                             strlen (text), NULL, NULL, &error);
  g_assert_no_error (error);
}

/* Reads until the end, a reset, or until what was read holds the text. */
static char *
read_until (GSocketConnection *connection, const char *text)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GString *all = g_string_new (NULL);

  while (text == NULL || strstr (all->str, text) == NULL)
    {
      g_autoptr (GError) error = NULL;
      char buffer[4096];
      gssize n = g_input_stream_read (input, buffer, sizeof buffer, NULL, &error);

      g_assert_false (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT));
      if (n <= 0)
        break;
      g_string_append_len (all, buffer, n);
    }
  return g_string_free (all, FALSE);
}

/* The whole reply as it came, the chunks' own lines included. */
static char *
ask_with (TachoSimServer *server,
          const char *method,
          const char *path,
          const char *headers,
          const char *body)
{
  g_autoptr (GSocketConnection) connection = connect_to (server);
  g_autofree char *all = g_strconcat ("Connection: close\r\n", headers, NULL);

  send_request (connection, method, path, all, body);
  return read_until (connection, NULL);
}

static char *
ask (TachoSimServer *server, const char *method, const char *path, const char *body)
{
  return ask_with (server, method, path, NULL, body);
}

static guint
status_of (const char *reply)
{
  return g_str_has_prefix (reply, "HTTP/1.1 ") ? (guint) atoi (reply + 9) : 0;
}

static JsonNode *
body_of (const char *reply)
{
  const char *body = strstr (reply, "\r\n\r\n");
  g_autoptr (GError) error = NULL;
  JsonNode *node;

  g_assert_nonnull (body);
  node = tacho_json_parse (body + 4, strlen (body + 4), &error);
  g_assert_no_error (error);
  return node;
}

static guint
count (const char *text, const char *what)
{
  guint n = 0;

  while ((text = strstr (text, what)) != NULL)
    {
      n++;
      text += strlen (what);
    }
  return n;
}

static char *
chat_body (const char *model, const char *prompt, const char *more)
{
  return g_strdup_printf (
      "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]%s}", model, prompt,
      more);
}

static char *
chat (TachoSimServer *server, const char *prompt, const char *more)
{
  g_autofree char *body = chat_body (TINY, prompt, more);

  return ask (server, "POST", "/v1/chat/completions", body);
}

static guint64
counter (TachoSimServer *server, gsize offset)
{
  TachoSimCounters counters;

  tacho_sim_server_get_counters (server, &counters);
  return G_STRUCT_MEMBER (guint64, &counters, offset);
}

#define COUNTER(server, member) counter ((server), G_STRUCT_OFFSET (TachoSimCounters, member))

static guint
active (TachoSimServer *server)
{
  TachoSimCounters counters;

  tacho_sim_server_get_counters (server, &counters);
  return counters.active;
}

/* --- lists and small routes ------------------------------------------------------------------- */

static void
test_models (void)
{
  TachoSimServer *server = start (fast ());
  g_autofree char *reply = ask (server, "GET", "/v1/models", NULL);
  g_autoptr (JsonNode) root = body_of (reply);
  JsonArray *data = tacho_json_get_array (json_node_get_object (root), "data");
  guint loaded = 0;

  g_assert_cmpuint (status_of (reply), ==, 200);
  g_assert_nonnull (strstr (reply, "Server: tacho-sim/"));
  g_assert_cmpuint (json_array_get_length (data), ==, 6);
  for (guint i = 0; i < 6; i++)
    {
      JsonObject *model = tacho_json_array_get_object (data, i);
      JsonObject *status = tacho_json_get_object (model, "status");

      loaded += g_str_equal (tacho_json_get_string (status, "value", ""), "loaded");
      g_assert_cmpint (tacho_json_get_int (tacho_json_get_object (model, "meta"), "size", 0), >, 0);
    }
  g_assert_cmpuint (loaded, ==, 2);
  finish (server);
}

static void
test_small_routes (void)
{
  TachoSimServer *server = start (fast ());
  g_autofree char *health = ask (server, "GET", "/health", NULL);
  g_autofree char *props = ask (server, "GET", "/props", NULL);
  g_autofree char *slots = ask (server, "GET", "/slots", NULL);
  g_autofree char *metrics = ask (server, "GET", "/metrics", NULL);
  g_autofree char *tokens = ask (server, "POST", "/tokenize", "{\"content\":\"one two three\"}");
  g_autofree char *nothing = ask (server, "GET", "/nothing", NULL);
  g_autofree char *bad = ask (server, "POST", "/v1/chat/completions", "{\"model\":");
  g_autofree char *unknown =
      ask (server, "POST", "/v1/chat/completions", "{\"model\":\"x\",\"messages\":[]}");
  g_autofree char *empty =
      ask (server, "POST", "/v1/chat/completions", "{\"model\":\"" TINY "\",\"messages\":[]}");
  g_autoptr (JsonNode) slots_root = body_of (slots);
  g_autoptr (JsonNode) tokens_root = body_of (tokens);

  g_assert_nonnull (strstr (health, "{\"status\":\"ok\"}"));
  g_assert_nonnull (strstr (props, "\"role\":\"router\""));
  g_assert_cmpuint (json_array_get_length (json_node_get_array (slots_root)), ==, 32);
  g_assert_nonnull (strstr (metrics, "llamacpp:tokens_predicted_total 0\n"));
  g_assert_cmpuint (
      json_array_get_length (tacho_json_get_array (json_node_get_object (tokens_root), "tokens")),
      ==, 3);
  g_assert_cmpuint (status_of (nothing), ==, 404);
  g_assert_nonnull (strstr (
      nothing,
      "{\"error\":{\"code\":404,\"message\":\"File Not Found\",\"type\":\"not_found_error\"}}"));
  g_assert_cmpuint (status_of (bad), ==, 400);
  g_assert_cmpuint (status_of (unknown), ==, 404);
  g_assert_cmpuint (status_of (empty), ==, 400);
  finish (server);
}

static void
test_too_large (void)
{
  TachoSimServer *server = start (fast ());
  g_autoptr (GSocketConnection) connection = connect_to (server);
  const char *head = "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n"
                     "Expect: 100-continue\r\n\r\n";
  g_autofree char *reply = NULL;
  g_autofree char *deep = NULL;
  GString *nested = g_string_new (NULL);

  g_assert_true (
      g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), head,
                                 strlen (head), NULL, NULL, NULL));
  reply = read_until (connection, "32 MiB");
  g_assert_cmpuint (status_of (reply), ==, 413);
  for (guint i = 0; i < 100000; i++)
    g_string_append_c (nested, '[');
  deep = ask (server, "POST", "/tokenize", nested->str);
  g_assert_cmpuint (status_of (deep), ==, 400);
  g_string_free (nested, TRUE);
  finish (server);
}

/* --- generations ------------------------------------------------------------------------------ */

static void
test_whole (void)
{
  TachoSimServer *server = start (fast ());
  g_autofree char *a = chat (server, "Hello there", ",\"max_tokens\":12");
  g_autofree char *b = chat (server, "Hello there", "");
  g_autoptr (JsonNode) root_a = body_of (a);
  g_autoptr (JsonNode) root_b = body_of (b);
  JsonObject *usage = tacho_json_get_object (json_node_get_object (root_a), "usage");
  JsonObject *choice = tacho_json_array_get_object (
      tacho_json_get_array (json_node_get_object (root_a), "choices"), 0);
  const char *content =
      tacho_json_get_string (tacho_json_get_object (choice, "message"), "content", "");

  g_assert_cmpstr (tacho_json_get_string (choice, "finish_reason", ""), ==, "length");
  g_assert_cmpint (tacho_json_get_int (usage, "completion_tokens", 0), ==, 12);
  g_assert_cmpint (tacho_json_get_int (usage, "prompt_tokens", 0), ==, 9);
  g_assert_cmpuint (count (content, " "), ==, 11);
  choice = tacho_json_array_get_object (
      tacho_json_get_array (json_node_get_object (root_b), "choices"), 0);
  g_assert_cmpstr (tacho_json_get_string (choice, "finish_reason", ""), ==, "stop");
  /* Same prompt, same text, as far as both go. */
  g_assert_true (g_str_has_prefix (
      tacho_json_get_string (tacho_json_get_object (choice, "message"), "content", ""), content));
  finish (server);
}

static void
test_stream (void)
{
  TachoSimServer *server = start (fast ());
  g_autofree char *reply = chat (server, "Count",
                                 ",\"stream\":true,\"max_tokens\":20,"
                                 "\"stream_options\":{\"include_usage\":true}");
  const char *first = strstr (reply, "data: ");

  g_assert_cmpuint (status_of (reply), ==, 200);
  g_assert_nonnull (strstr (reply, "text/event-stream"));
  g_assert_nonnull (strstr (first, "\"delta\":{\"role\":\"assistant\",\"content\":null}"));
  g_assert_cmpuint (count (reply, "\"delta\":{\"content\":\""), ==, 20);
  g_assert_cmpuint (count (reply, "\"completion_tokens\":20,"), ==, 1);
  g_assert_cmpuint (count (reply, "\"predicted_n\":20"), ==, 1);
  g_assert_cmpuint (count (reply, "\"finish_reason\":\"length\""), ==, 1);
  g_assert_true (g_str_has_suffix (reply, "data: [DONE]\n\n\r\n0\r\n\r\n"));
  g_assert_cmpuint (COUNTER (server, output_tokens), ==, 20);
  g_assert_cmpuint (COUNTER (server, completed), ==, 1);
  g_assert_cmpuint (COUNTER (server, aborted), ==, 0);
  g_assert_cmpuint (active (server), ==, 0);
  finish (server);
}

static void
test_completion (void)
{
  TachoSimServer *server = start (fast ());
  g_autofree char *reply =
      ask (server, "POST", "/v1/completions",
           "{\"model\":\"" TINY "\",\"prompt\":\"one two\",\"max_tokens\":3,\"stream\":true}");

  g_assert_cmpuint (count (reply, "\"object\":\"text_completion\""), ==, 4);
  g_assert_nonnull (strstr (reply, "\"text\":\"This\""));
  g_assert_nonnull (strstr (reply, "[DONE]"));
  finish (server);
}

static void
test_stop_and_reasoning (void)
{
  TachoSimServer *server = start (fast ());
  g_autofree char *stopped = chat (server, "Hi", ",\"stop\":[\"is simu\"]");
  g_autofree char *body = chat_body ("sim-reasoner-7b-q5_k_m", "Think", "");
  g_autofree char *thought = ask (server, "POST", "/v1/chat/completions", body); /* loads it, too */
  g_autoptr (JsonNode) root = body_of (stopped);
  g_autoptr (JsonNode) thought_root = body_of (thought);
  JsonObject *message =
      tacho_json_get_object (tacho_json_array_get_object (
                                 tacho_json_get_array (json_node_get_object (root), "choices"), 0),
                             "message");

  g_assert_cmpstr (tacho_json_get_string (message, "content", ""), ==, "This reply ");
  message = tacho_json_get_object (
      tacho_json_array_get_object (
          tacho_json_get_array (json_node_get_object (thought_root), "choices"), 0),
      "message");
  g_assert_cmpuint (strlen (tacho_json_get_string (message, "reasoning_content", "")), >, 50);
  g_assert_true (g_str_has_prefix (tacho_json_get_string (message, "content", ""), "This reply"));
  finish (server);
}

static void
test_seed (void)
{
  TachoSimServer *one = start (fast ());
  TachoSimServer *two = start (fast ());
  const char *const more[] = { ",\"seed\":5,\"max_tokens\":40", ",\"seed\":6,\"max_tokens\":40" };
  g_autofree char *texts[3] = { chat (one, "x", more[0]), chat (two, "x", more[0]),
                                chat (two, "x", more[1]) };
  g_autofree char *contents[3] = { NULL, NULL, NULL };

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (JsonNode) root = body_of (texts[i]);

      contents[i] = g_strdup (tacho_json_get_string (
          tacho_json_get_object (
              tacho_json_array_get_object (
                  tacho_json_get_array (json_node_get_object (root), "choices"), 0),
              "message"),
          "content", NULL));
    }
  g_assert_cmpstr (contents[0], ==, contents[1]);
  g_assert_cmpstr (contents[0], !=, contents[2]);
  g_free (contents[1]);
  g_free (contents[2]);
  g_free (texts[1]);
  g_free (texts[2]);
  finish (one);
  finish (two);
}

static void
test_cache_and_context (void)
{
  TachoSimServer *server = start (fast ());
  g_autofree char *first = chat (server, "a long prefix of words", ",\"max_tokens\":1");
  g_autofree char *again = chat (server, "a long prefix of words", ",\"max_tokens\":1");
  GString *words = g_string_new (NULL);
  g_autofree char *large = NULL;

  g_assert_nonnull (strstr (first, "\"cached_tokens\":0}"));
  g_assert_nonnull (strstr (again, "\"cached_tokens\":11}"));
  for (guint i = 0; i < 4200; i++)
    g_string_append (words, "word ");
  large = chat (server, words->str, "");
  g_assert_cmpuint (status_of (large), ==, 400);
  g_assert_nonnull (strstr (large, "exceed_context_size_error"));
  g_assert_nonnull (strstr (large, "\"n_ctx\":4096"));
  g_string_free (words, TRUE);
  finish (server);
}

static void
test_prompt_progress (void)
{
  TachoSimServer *server = start (fast ());
  GString *words = g_string_new (NULL);
  g_autofree char *reply = NULL;

  for (guint i = 0; i < 1500; i++)
    g_string_append (words, "word ");
  reply = chat (server, words->str, ",\"stream\":true,\"max_tokens\":2,\"return_progress\":true");
  g_assert_cmpuint (count (reply, "\"prompt_progress\""), ==, 3);
  g_assert_nonnull (strstr (reply, "\"total\":1507,\"cache\":0,\"processed\":512"));
  g_string_free (words, TRUE);
  finish (server);
}

/* --- the engine ------------------------------------------------------------------------------- */

static void
test_slots_and_queue (void)
{
  TachoSimConfig *config = fast ();
  GSocketConnection *connections[12];
  g_autofree char *body = chat_body (TINY, "x", ",\"stream\":true,\"max_tokens\":30");
  TachoSimServer *server;
  TachoSimCounters counters;

  config->slots = 4;
  server = start (config);
  for (guint i = 0; i < 12; i++)
    {
      connections[i] = connect_to (server);
      send_request (connections[i], "POST", "/v1/chat/completions", NULL, body);
    }
  for (guint i = 0; i < 12; i++)
    {
      g_autofree char *reply = read_until (connections[i], "[DONE]");

      g_assert_cmpuint (count (reply, "\"delta\":{\"content\":\""), ==, 30);
      g_object_unref (connections[i]);
    }
  tacho_sim_server_get_counters (server, &counters);
  g_assert_cmpuint (counters.max_active, ==, 4);
  g_assert_cmpuint (counters.max_in_flight, >, 4);
  g_assert_cmpuint (counters.completed, ==, 12);
  g_assert_cmpuint (counters.output_tokens, ==, 360);
  finish (server);
}

/* The server's own timings: a batch of four takes longer steps than one alone. */
static double
per_token_ms (TachoSimServer *server, guint n)
{
  GSocketConnection *connections[8];
  g_autofree char *body = chat_body (TINY, "x", ",\"max_tokens\":40,\"ignore_eos\":true");
  double slowest = 0;

  for (guint i = 0; i < n; i++)
    {
      connections[i] = connect_to (server);
      send_request (connections[i], "POST", "/v1/chat/completions", "Connection: close\r\n", body);
    }
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *reply = read_until (connections[i], NULL);
      g_autoptr (JsonNode) root = body_of (reply);

      slowest = MAX (slowest, tacho_json_get_double (
                                  tacho_json_get_object (json_node_get_object (root), "timings"),
                                  "predicted_per_token_ms", 0));
      g_object_unref (connections[i]);
    }
  return slowest;
}

static void
test_batch (void)
{
  TachoSimConfig *config = fast ();
  TachoSimServer *server;

  for (guint i = 0; i < config->models->len; i++)
    ((TachoSimModel *) config->models->pdata[i])->decode_ms_per_extra = 1;
  server = start (config);
  g_assert_cmpfloat (per_token_ms (server, 1), <, 1.3);
  g_assert_cmpfloat (per_token_ms (server, 8), >, 3);
  finish (server);
}

static void
test_exact_timing (void)
{
  TachoSimConfig *config = tacho_sim_config_new (NULL, NULL);
  TachoSimServer *server;
  g_autofree char *reply = NULL;
  g_autoptr (JsonNode) root = NULL;
  JsonObject *timings;

  tacho_sim_config_set_timing (config, 30, 2);
  server = start (config);
  reply = chat (server, "x", ",\"max_tokens\":11,\"ignore_eos\":true");
  root = body_of (reply);
  timings = tacho_json_get_object (json_node_get_object (root), "timings");
  g_assert_cmpfloat (fabs (tacho_json_get_double (timings, "prompt_ms", 0) - 30), <, 0.001);
  g_assert_cmpfloat (fabs (tacho_json_get_double (timings, "predicted_ms", 0) - 20), <, 0.001);
  finish (server);
}

static JsonNode *
model_status (TachoSimServer *server, const char *id, JsonObject **status)
{
  g_autofree char *reply = ask (server, "GET", "/models", NULL);
  JsonNode *root = body_of (reply);
  JsonArray *data = tacho_json_get_array (json_node_get_object (root), "data");

  *status = NULL;
  for (guint i = 0; i < json_array_get_length (data); i++)
    {
      JsonObject *model = tacho_json_array_get_object (data, i);

      if (g_str_equal (tacho_json_get_string (model, "id", ""), id))
        *status = tacho_json_get_object (model, "status");
    }
  g_assert_nonnull (*status);
  return root;
}

static gboolean
status_is (TachoSimServer *server, const char *id, const char *value)
{
  JsonObject *status;
  g_autoptr (JsonNode) root = NULL;

  root = model_status (server, id, &status);
  return g_str_equal (tacho_json_get_string (status, "value", ""), value);
}

static void
test_load (void)
{
  const char *id = "sim-qwen-32b-q4_k_m";
  const char *body = "{\"model\":\"sim-qwen-32b-q4_k_m\"}";
  TachoSimServer *server = start (fast ());
  g_autofree char *load = ask (server, "POST", "/models/load", body);
  g_autofree char *again = ask (server, "POST", "/models/load", body);
  g_autofree char *unload = NULL;
  g_autofree char *unload_again = NULL;
  g_autofree char *unknown = ask (server, "POST", "/models/load", "{\"model\":\"x\"}");

  g_assert_nonnull (strstr (load, "{\"success\":true}"));
  g_assert_cmpuint (status_of (again), ==, 400);
  g_assert_cmpuint (status_of (unknown), ==, 404);
  TACHO_TEST_SPIN_UNTIL (status_is (server, id, "loaded"));
  unload = ask (server, "POST", "/models/unload", body);
  unload_again = ask (server, "POST", "/models/unload", body);
  g_assert_cmpuint (status_of (unload), ==, 200);
  g_assert_cmpuint (status_of (unload_again), ==, 400);
  g_assert_true (status_is (server, id, "unloaded"));
  finish (server);
}

static void
test_load_progress (void)
{
  TachoSimConfig *config = fast ();
  TachoSimServer *server;
  JsonObject *status;
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *load = NULL;

  ((TachoSimModel *) config->models->pdata[2])->load_s = 1000;
  server = start (config);
  load = ask (server, "POST", "/models/load", "{\"model\":\"sim-qwen-32b-q4_k_m\"}");
  root = model_status (server, "sim-qwen-32b-q4_k_m", &status);
  g_assert_cmpstr (tacho_json_get_string (status, "value", ""), ==, "loading");
  g_assert_cmpfloat (tacho_json_get_double (tacho_json_get_object (status, "progress"), "value", 9),
                     <, 1);
  finish (server);
}

static void
test_load_failure (void)
{
  const char *id = "sim-broken-70b-q4_0";
  TachoSimServer *server = start (fast ());
  g_autofree char *body = chat_body (id, "x", "");
  g_autofree char *reply = ask (server, "POST", "/v1/chat/completions", body);
  JsonObject *status;
  g_autoptr (JsonNode) root = NULL;

  root = model_status (server, id, &status);
  g_assert_cmpuint (status_of (reply), ==, 500);
  g_assert_nonnull (strstr (reply, "not enough memory: 41.2 GB needed, 24.0 GB free"));
  g_assert_cmpstr (tacho_json_get_string (status, "value", ""), ==, "unloaded");
  g_assert_true (tacho_json_get_boolean (status, "failed", FALSE));
  g_assert_cmpint (tacho_json_get_int (status, "exit_code", 0), ==, 1);
  finish (server);
}

static void
test_single_loading (void)
{
  TachoSimConfig *config = fast ();
  TachoSimModel *model = g_ptr_array_index (config->models, 0);
  TachoSimServer *server;
  g_autofree char *reply = NULL;

  config->router = FALSE;
  model->loaded = FALSE;
  model->load_s = 1000;
  server = start (config);
  reply = ask (server, "GET", "/health", NULL);
  g_assert_cmpuint (status_of (reply), ==, 503);
  g_assert_nonnull (strstr (
      reply,
      "{\"error\":{\"code\":503,\"message\":\"Loading model\",\"type\":\"unavailable_error\"}}"));
  finish (server);
}

static void
test_openai_only (void)
{
  TachoSimServer *server = start (tacho_sim_config_new ("openai", NULL));
  g_autofree char *models = ask (server, "GET", "/v1/models", NULL);
  g_autofree char *props = ask (server, "GET", "/props", NULL);
  g_autofree char *reply = chat (server, "x", ",\"max_tokens\":2");

  g_assert_cmpuint (status_of (models), ==, 200);
  g_assert_null (strstr (models, "llamacpp"));
  g_assert_cmpuint (status_of (props), ==, 404);
  g_assert_cmpuint (status_of (reply), ==, 200);
  g_assert_null (strstr (reply, "timings"));
  finish (server);
}

/* --- faults ----------------------------------------------------------------------------------- */

static char *
chat_with_fault (TachoSimServer *server, const char *spec)
{
  g_autofree char *body = chat_body (
      TINY, "x", ",\"stream\":true,\"max_tokens\":10,\"stream_options\":{\"include_usage\":true}");
  g_autofree char *headers = g_strdup_printf ("X-Tacho-Fault: %s\r\n", spec);

  return ask_with (server, "POST", "/v1/chat/completions", headers, body);
}

static void
test_faults (void)
{
  TachoSimServer *server = start (fast ());
  g_autofree char *status = chat_with_fault (server, "status=503");
  g_autofree char *drop_head = chat_with_fault (server, "drop");
  g_autofree char *drop = chat_with_fault (server, "drop:after=3");
  g_autofree char *truncated = chat_with_fault (server, "truncate:after=4");
  g_autofree char *error = chat_with_fault (server, "error:after=2");
  g_autofree char *no_usage = chat_with_fault (server, "no_usage");
  g_autofree char *latency = chat_with_fault (server, "latency=0.02");
  g_autofree char *nonsense = chat_with_fault (server, "nonsense");
  g_autoptr (GPtrArray) requests = tacho_sim_server_take_requests (server);

  g_assert_cmpuint (status_of (status), ==, 503);
  g_assert_nonnull (strstr (status, "X-Tacho-Fault: status=503\r\n"));
  g_assert_cmpstr (drop_head, ==, "");
  g_assert_cmpuint (count (drop, "data: "), ==, 3);
  g_assert_false (g_str_has_suffix (drop, "0\r\n\r\n"));
  g_assert_cmpuint (count (truncated, "data: "), ==, 4);
  g_assert_null (strstr (truncated, "[DONE]"));
  g_assert_true (g_str_has_suffix (truncated, "0\r\n\r\n"));
  g_assert_cmpuint (count (error, "data: "), ==, 3);
  g_assert_nonnull (strstr (error, "data: {\"error\":{\"code\":500,"));
  g_assert_null (strstr (error, "[DONE]"));
  g_assert_nonnull (strstr (no_usage, "[DONE]"));
  g_assert_null (strstr (no_usage, "usage\":"));
  g_assert_null (strstr (no_usage, "timings"));
  g_assert_nonnull (strstr (latency, "[DONE]"));
  g_assert_cmpuint (status_of (nonsense), ==, 400);
  g_assert_cmpuint (requests->len, ==, 8);
  g_assert_cmpstr (((TachoSimRequest *) requests->pdata[2])->fault, ==, "drop:after=3");
  g_assert_cmpuint (COUNTER (server, faults), ==, 7);
  g_assert_cmpuint (COUNTER (server, completed), ==, 2);
  g_assert_cmpuint (active (server), ==, 0);
  finish (server);
}

static void
test_fault_stall (void)
{
  TachoSimServer *server = start (fast ());
  g_autoptr (GSocketConnection) connection = connect_to (server);
  g_autofree char *body = chat_body (TINY, "x", ",\"stream\":true,\"max_tokens\":100");
  g_autofree char *begin = NULL;
  g_autofree char *other = NULL;
  char rest[1024];
  gssize n;

  send_request (connection, "POST", "/v1/chat/completions", "X-Tacho-Fault: stall:after=2\r\n",
                body);
  begin = read_until (connection, "This");
  g_assert_cmpuint (count (begin, "data: "), ==, 2);
  other = chat (server, "y", ",\"max_tokens\":20"); /* while the first one stalls */
  g_assert_cmpuint (status_of (other), ==, 200);
  n = g_socket_receive_with_blocking (g_socket_connection_get_socket (connection), rest,
                                      sizeof rest - 1, FALSE, NULL, NULL);
  rest[MAX (n, 0)] = '\0';
  g_assert_cmpint (n, !=, 0); /* open */
  g_assert_null (strstr (rest, "data: "));
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  TACHO_TEST_SPIN_UNTIL (COUNTER (server, aborted) == 1);
  finish (server);
}

static void
test_fault_slow (void)
{
  TachoSimServer *server = start (fast ());
  g_autofree char *body = chat_body (TINY, "x", ",\"max_tokens\":11,\"ignore_eos\":true");
  g_autofree char *reply =
      ask_with (server, "POST", "/v1/chat/completions", "X-Tacho-Fault: slow=10\r\n", body);
  g_autoptr (JsonNode) root = body_of (reply);
  JsonObject *timings = tacho_json_get_object (json_node_get_object (root), "timings");

  g_assert_cmpfloat (tacho_json_get_double (timings, "predicted_ms", 0), >, 80);
  finish (server);
}

static void
test_fault_on_path (void)
{
  TachoSimServer *server = start (fast ());
  g_autoptr (TachoSimFault) fault = tacho_sim_fault_parse ("status=500:path=/v1/models:n=2", NULL);
  g_autoptr (TachoSimFault) cut = tacho_sim_fault_parse ("truncate:path=/health", NULL);
  guint statuses[3];

  tacho_sim_server_add_fault (server, fault);
  tacho_sim_server_add_fault (server, cut);
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *reply = ask (server, "GET", "/v1/models", NULL);

      statuses[i] = status_of (reply);
    }
  g_assert_cmpuint (statuses[0], ==, 200);
  g_assert_cmpuint (statuses[1], ==, 500);
  g_assert_cmpuint (statuses[2], ==, 200);
  {
    g_autofree char *health = ask (server, "GET", "/health", NULL);

    g_assert_null (strstr (health, "{\"status\":\"ok\"}"));
  }
  tacho_sim_server_clear_faults (server);
  {
    g_autofree char *health = ask (server, "GET", "/health", NULL);

    g_assert_nonnull (strstr (health, "{\"status\":\"ok\"}"));
  }
  finish (server);
}

/* --- leaving, guarding, capturing ------------------------------------------------------------- */

static void
test_abort (void)
{
  TachoSimConfig *config = fast ();
  g_autofree char *body =
      chat_body (TINY, "x", ",\"stream\":true,\"ignore_eos\":true,\"max_tokens\":4000");
  g_autoptr (GSocketConnection) running = NULL;
  g_autoptr (GSocketConnection) queued = NULL;
  g_autofree char *begin = NULL;
  g_autofree char *reply = NULL;
  TachoSimServer *server;

  config->slots = 1;
  config->time_scale = 20;
  server = start (config);
  running = connect_to (server);
  send_request (running, "POST", "/v1/chat/completions", NULL, body);
  begin = read_until (running, "This");
  queued = connect_to (server);
  send_request (queued, "POST", "/v1/chat/completions", NULL, body);
  TACHO_TEST_SPIN_UNTIL (COUNTER (server, generations) == 2);
  g_io_stream_close (G_IO_STREAM (queued), NULL, NULL);
  TACHO_TEST_SPIN_UNTIL (COUNTER (server, aborted) == 1);
  g_assert_cmpuint (active (server), ==, 1);
  g_io_stream_close (G_IO_STREAM (running), NULL, NULL);
  TACHO_TEST_SPIN_UNTIL (COUNTER (server, aborted) == 2);
  g_assert_cmpuint (active (server), ==, 0);
  reply = chat (server, "y", ",\"max_tokens\":2");
  g_assert_cmpuint (status_of (reply), ==, 200);
  g_assert_cmpuint (COUNTER (server, completed), ==, 1);
  finish (server);
}

static void
test_reuse (void)
{
  TachoSimServer *server = start (fast ());
  g_autoptr (GSocketConnection) connection = connect_to (server);
  g_autofree char *body = chat_body (TINY, "x", ",\"stream\":true,\"max_tokens\":3");

  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *reply = NULL;

      send_request (connection, "POST", "/v1/chat/completions", NULL, body);
      reply = read_until (connection, "0\r\n\r\n");
      g_assert_nonnull (strstr (reply, "[DONE]"));
    }
  g_assert_cmpuint (COUNTER (server, connections), ==, 1);
  g_assert_cmpuint (COUNTER (server, completed), ==, 5);
  g_assert_cmpuint (COUNTER (server, aborted), ==, 0);
  finish (server);
}

static void
test_capture (void)
{
  TachoSimConfig *config = fast ();
  g_autofree char *directory = tacho_test_make_tmp_dir ();
  g_autofree char *path = g_build_filename (directory, "capture.jsonl", NULL);
  g_autofree char *file = NULL;
  g_autofree char *reply = NULL;
  g_autofree char *page = NULL;
  g_autoptr (GPtrArray) requests = NULL;
  TachoSimServer *server;
  const TachoSimRequest *request;

  config->capture_path = g_strdup (path);
  server = start (config);
  reply = ask_with (server, "POST", "/tokenize?a=b",
                    "Authorization: Bearer hunter2\r\nX-Api-Key: hunter2\r\nX-Other: seen\r\n",
                    "{\"content\":\"captured\"}");
  page = ask (server, "GET", "/__tacho/requests", NULL);
  g_assert_null (strstr (page, "hunter2"));
  g_assert_nonnull (strstr (page, "[redacted]"));
  requests = tacho_sim_server_take_requests (server);
  g_assert_cmpuint (requests->len, ==, 1);
  request = g_ptr_array_index (requests, 0);
  g_assert_cmpstr (request->method, ==, "POST");
  g_assert_cmpstr (request->path, ==, "/tokenize?a=b");
  g_assert_cmpstr (request->body, ==, "{\"content\":\"captured\"}");
  g_assert_cmpuint (request->status, ==, 200);
  g_assert_null (request->fault);
  for (guint i = 0; i < request->headers->len; i++)
    g_assert_cmpstr (((TachoHeader *) request->headers->pdata[i])->value, !=, "hunter2");
  finish (server);
  g_assert_true (g_file_get_contents (path, &file, NULL, NULL));
  g_assert_cmpuint (count (file, "\n"), ==, 1);
  g_assert_null (strstr (file, "hunter2"));
  g_assert_nonnull (strstr (file, "seen"));
  tacho_test_remove_tree (directory);
}

static void
test_api_key (void)
{
  TachoSimConfig *config = fast ();
  TachoSimServer *server;
  g_autofree char *without = NULL;
  g_autofree char *wrong = NULL;
  g_autofree char *right = NULL;
  g_autofree char *open = NULL;

  config->api_key = g_strdup ("sesame");
  server = start (config);
  without = ask (server, "GET", "/slots", NULL);
  wrong = ask_with (server, "GET", "/slots", "Authorization: Bearer sesamE\r\n", NULL);
  right = ask_with (server, "GET", "/slots", "Authorization: Bearer sesame\r\n", NULL);
  open = ask (server, "GET", "/health", NULL);
  g_assert_cmpuint (status_of (without), ==, 401);
  g_assert_cmpuint (status_of (wrong), ==, 401);
  g_assert_cmpuint (status_of (right), ==, 200);
  g_assert_cmpuint (status_of (open), ==, 200);
  finish (server);
}

static void
test_guard (void)
{
  static const struct
  {
    const char *headers;
    guint status;
  } rows[] = {
    { "Host: localhost:80\r\n", 200 },
    { "Host: 127.0.0.1\r\n", 200 },
    { "Host: [::1]:9\r\n", 200 },
    { "Host: evil.example\r\n", 403 },
    { "Host: 127.0.0.1.evil.example\r\n", 403 },
    { "Host: 192.168.1.5\r\n", 403 },
    { "Host: localhost\r\nOrigin: http://localhost:3000\r\n", 200 },
    { "Host: localhost\r\nOrigin: https://evil.example\r\n", 403 },
    { "Host: localhost\r\nOrigin: null\r\n", 403 },
  };
  TachoSimServer *server = start (fast ());

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *reply = ask_with (server, "GET", "/health", rows[i].headers, NULL);

      g_test_message ("%s", rows[i].headers);
      g_assert_cmpuint (status_of (reply), ==, rows[i].status);
    }
  finish (server);
}

static void
test_stop_live (void)
{
  TachoSimServer *server = start (fast ());
  GSocketConnection *connections[16];
  g_autofree char *body =
      chat_body (TINY, "x", ",\"stream\":true,\"ignore_eos\":true,\"max_tokens\":4000");

  for (guint i = 0; i < 16; i++)
    {
      connections[i] = connect_to (server);
      send_request (connections[i], "POST", "/v1/chat/completions", NULL, body);
    }
  for (guint i = 0; i < 16; i++)
    {
      g_autofree char *begin = read_until (connections[i], "This");

      g_assert_cmpuint (status_of (begin), ==, 200);
    }
  finish (server);
  for (guint i = 0; i < 16; i++)
    {
      g_autofree char *rest = read_until (connections[i], NULL);

      g_assert_null (strstr (rest, "[DONE]"));
      g_object_unref (connections[i]);
    }
}

static void
test_restart (void)
{
  TachoSimServer *server = start (fast ());
  g_autoptr (GError) error = NULL;
  g_autofree char *reply = NULL;

  tacho_sim_server_stop (server);
  tacho_sim_server_stop (server);
  g_assert_true (tacho_sim_server_start (server, 0, &error));
  g_assert_no_error (error);
  reply = ask (server, "GET", "/health", NULL);
  g_assert_cmpuint (status_of (reply), ==, 200);
  g_assert_cmpuint (COUNTER (server, requests), ==, 1);
  finish (server);
}

static void
test_profile (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoProfile) sim = tacho_profile_new ("s", "sim:fast", &error);
  g_autoptr (TachoProfile) other = tacho_profile_new ("o", "http://127.0.0.1:9", NULL);
  g_autoptr (TachoProfile) wrong = tacho_profile_new ("w", "sim:nothing", NULL);
  TachoSimServer *server;

  g_assert_no_error (error);
  server = tacho_sim_server_host_profile (sim, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (tacho_profile_get_endpoint (sim), ==, tacho_sim_server_get_url (server));
  finish (server);
  g_assert_null (tacho_sim_server_host_profile (other, &error));
  g_assert_no_error (error);
  g_assert_null (tacho_sim_server_host_profile (wrong, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
}

static void
test_port_taken (void)
{
  TachoSimServer *server = start (fast ());
  g_autoptr (TachoSimConfig) config = fast ();
  TachoSimServer *second = tacho_sim_server_new (config);
  g_autoptr (GError) error = NULL;
  guint16 port = (guint16) atoi (strrchr (tacho_sim_server_get_url (server), ':') + 1);

  g_assert_false (tacho_sim_server_start (second, port, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_assert_finalize_object (second);
  finish (server);
}

/* An outside opinion on the framing. */
static void
test_curl (void)
{
  g_autofree char *curl = g_find_program_in_path ("curl");
  g_autofree char *body = chat_body (TINY, "x", ",\"stream\":true,\"max_tokens\":10");
  g_autofree char *url = NULL;
  g_autofree char *out = NULL;
  g_autoptr (GError) error = NULL;
  TachoSimServer *server;
  int wait_status;

  if (curl == NULL)
    {
      g_test_skip ("curl is not installed");
      return;
    }
  server = start (fast ());
  url = g_strconcat (tacho_sim_server_get_url (server), "/v1/chat/completions", NULL);
  {
    const char *argv[] = {
      curl, "-q", "-sSN", "--noproxy", "*", "-m", "20", "-d", body, url, NULL
    };

    g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out,
                                 NULL, &wait_status, &error));
    g_assert_no_error (error);
    g_assert_true (g_spawn_check_wait_status (wait_status, NULL));
    g_assert_cmpuint (count (out, "data: "), ==, 13);
    g_assert_true (g_str_has_suffix (out, "data: [DONE]\n\n"));
  }
  g_free (g_steal_pointer (&out));
  {
    const char *argv[] = {
      curl, "-q", "-sN", "--noproxy", "*", "-m", "20", "-H", "X-Tacho-Fault: drop:after=4",
      "-d", body, url,   NULL
    };

    g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out,
                                 NULL, &wait_status, &error));
    g_assert_no_error (error);
    g_assert_false (g_spawn_check_wait_status (wait_status, NULL)); /* curl sees the cut */
    g_assert_cmpuint (count (out, "data: "), ==, 4);
  }
  finish (server);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/sim/server/models", test_models);
  g_test_add_func ("/sim/server/small-routes", test_small_routes);
  g_test_add_func ("/sim/server/too-large", test_too_large);
  g_test_add_func ("/sim/server/whole", test_whole);
  g_test_add_func ("/sim/server/stream", test_stream);
  g_test_add_func ("/sim/server/completion", test_completion);
  g_test_add_func ("/sim/server/stop-and-reasoning", test_stop_and_reasoning);
  g_test_add_func ("/sim/server/seed", test_seed);
  g_test_add_func ("/sim/server/cache-and-context", test_cache_and_context);
  g_test_add_func ("/sim/server/prompt-progress", test_prompt_progress);
  g_test_add_func ("/sim/server/slots-and-queue", test_slots_and_queue);
  g_test_add_func ("/sim/server/batch", test_batch);
  g_test_add_func ("/sim/server/exact-timing", test_exact_timing);
  g_test_add_func ("/sim/server/load", test_load);
  g_test_add_func ("/sim/server/load-progress", test_load_progress);
  g_test_add_func ("/sim/server/load-failure", test_load_failure);
  g_test_add_func ("/sim/server/single-loading", test_single_loading);
  g_test_add_func ("/sim/server/openai-only", test_openai_only);
  g_test_add_func ("/sim/server/faults", test_faults);
  g_test_add_func ("/sim/server/fault-stall", test_fault_stall);
  g_test_add_func ("/sim/server/fault-slow", test_fault_slow);
  g_test_add_func ("/sim/server/fault-on-path", test_fault_on_path);
  g_test_add_func ("/sim/server/abort", test_abort);
  g_test_add_func ("/sim/server/reuse", test_reuse);
  g_test_add_func ("/sim/server/capture", test_capture);
  g_test_add_func ("/sim/server/api-key", test_api_key);
  g_test_add_func ("/sim/server/guard", test_guard);
  g_test_add_func ("/sim/server/stop-live", test_stop_live);
  g_test_add_func ("/sim/server/restart", test_restart);
  g_test_add_func ("/sim/server/profile", test_profile);
  g_test_add_func ("/sim/server/port-taken", test_port_taken);
  g_test_add_func ("/sim/server/curl", test_curl);
  return g_test_run ();
}
