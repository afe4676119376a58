/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults by seed, control over HTTP, sides that go and return, and what the capture tells. */
#include "test-utils.h"

#include "sim-client.h"

#define TINY "sim-tiny-1b-q8_0"
#define CHAT                                                                                       \
  "{\"model\":\"" TINY "\",\"stream\":true,\"max_tokens\":6,"                                      \
  "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
#define LONG_CHAT                                                                                  \
  "{\"model\":\"" TINY "\",\"stream\":true,\"max_tokens\":3000,\"ignore_eos\":true,"               \
  "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

static TachoSimServer *
start_with (TachoSimConfig *config)
{
  g_autoptr (GError) error = NULL;
  TachoSimServer *server = tacho_sim_server_new (config);

  tacho_sim_config_free (config);
  g_assert_true (tacho_sim_server_start (server, 0, &error));
  g_assert_no_error (error);
  return server;
}

static TachoSimServer *
start (const char *name)
{
  return start_with (tacho_sim_config_new (name, NULL));
}

static void
finish (TachoSimServer *server)
{
  tacho_sim_server_stop (server);
  g_assert_finalize_object (server);
}

/* --- the same seed, the same requests, the same faults ---------------------------------------- */

/* The statuses and faults of forty requests, one after the other. */
static char *
play (guint64 seed)
{
  static const char *const specs[] = { "status=503:p=0.3", "close:after=2:p=0.3",
                                       "no_usage:p=0.5:n=5-20", "bad-json:after=1:p=0.2" };
  TachoSimConfig *config = tacho_sim_config_new ("fast", NULL);
  GString *played = g_string_new (NULL);
  g_autoptr (GPtrArray) requests = NULL;
  TachoSimServer *server;

  config->seed = seed;
  for (gsize i = 0; i < G_N_ELEMENTS (specs); i++)
    g_ptr_array_add (config->faults, tacho_sim_fault_parse (specs[i], NULL));
  server = start_with (config);
  for (guint i = 0; i < 40; i++)
    {
      g_autofree char *reply = sim_ask (server, "POST", "/v1/chat/completions", NULL, CHAT);

      g_assert_cmpuint (sim_status (reply), !=, 0);
    }
  requests = tacho_sim_server_take_requests (server);
  g_assert_cmpuint (requests->len, ==, 40);
  for (guint i = 0; i < requests->len; i++)
    {
      const TachoSimRequest *request = g_ptr_array_index (requests, i);

      g_string_append_printf (played, "%u %s\n", request->status,
                              request->fault != NULL ? request->fault : "-");
    }
  finish (server);
  return g_string_free (played, FALSE);
}

static void
test_seed (void)
{
  g_autofree char *first = play (3);
  g_autofree char *again = play (3);
  g_autofree char *other = play (4);

  g_assert_cmpstr (first, ==, again);
  g_assert_cmpstr (first, !=, other);
  g_assert_nonnull (strstr (first, "503 status=503:p=0.3"));
  g_assert_nonnull (strstr (first, "close:after=2:p=0.3"));
  g_assert_nonnull (strstr (first, "200 -"));
}

/* --- bytes ------------------------------------------------------------------------------------ */

/* The body as it was before the fault: what stands between the chunks' own lines. */
static gsize
body_bytes (const char *reply)
{
  const char *p = strstr (reply, "\r\n\r\n");
  gsize n = 0;

  g_assert_nonnull (p);
  for (p += 4; *p != '\0';)
    {
      char *end;
      gsize size = (gsize) g_ascii_strtoull (p, &end, 16);

      g_assert_true (g_str_has_prefix (end, "\r\n"));
      if (size == 0)
        break;
      n += MIN (size, strlen (end + 2));
      p = end + 2 + MIN (size + 2, strlen (end + 2));
    }
  return n;
}

static void
test_after_bytes (void)
{
  static const char *const specs[] = { "close:bytes=100", "truncate:bytes=333", "drop:bytes=57",
                                       "half-close:bytes=1" };
  static const gsize sizes[] = { 100, 333, 57, 1 };
  TachoSimServer *server = start ("fast");

  for (gsize i = 0; i < G_N_ELEMENTS (specs); i++)
    {
      g_autofree char *header = g_strdup_printf ("X-Tacho-Fault: %s\r\n", specs[i]);
      g_autofree char *id = g_strdup_printf ("\r\nX-Tacho-Fault: %s\r\n", specs[i]);
      g_autofree char *reply = sim_ask (server, "POST", "/v1/chat/completions", header, CHAT);

      g_assert_nonnull (strstr (reply, id));
      /* A reset may overtake what was sent before it. */
      if (g_str_has_prefix (specs[i], "drop"))
        g_assert_cmpuint (body_bytes (reply), <=, sizes[i]);
      else
        g_assert_cmpuint (body_bytes (reply), ==, sizes[i]);
      g_assert_cmpint (g_str_has_suffix (reply, "\r\n0\r\n\r\n"), ==,
                       g_str_has_prefix (specs[i], "truncate"));
    }
  finish (server);
}

/* --- control ---------------------------------------------------------------------------------- */

static void
test_control_faults (void)
{
  TachoSimServer *server = start ("fast");
  g_autofree char *none = sim_ask (server, "GET", "/__tacho/faults", NULL, NULL);
  g_autofree char *one =
      sim_ask (server, "POST", "/__tacho/faults", NULL, "{\"fault\":\"status=418:n=2\"}");
  g_autofree char *bad =
      sim_ask (server, "POST", "/__tacho/faults", NULL, "{\"faults\":[\"stall\",\"nonsense\"]}");
  g_autofree char *two = sim_ask (server, "POST", "/__tacho/faults", NULL,
                                  "{\"faults\":[\"no_usage\",\"status=500:path=/*\"]}");
  g_autofree char *played = NULL;
  g_autofree char *list = NULL;
  g_autofree char *cleared = NULL;
  g_autofree char *fine = NULL;
  g_autofree char *wrong = sim_ask (server, "PUT", "/__tacho/faults", NULL, "{}");
  g_autofree char *unknown = sim_ask (server, "GET", "/__tacho/what", NULL, NULL);

  g_assert_true (g_str_has_suffix (none, "\r\n\r\n[]\n"));
  g_assert_nonnull (strstr (one, "[{\"fault\":\"status=418:n=2\",\"matched\":0,\"played\":0}]"));
  g_assert_cmpuint (sim_status (bad), ==, 400);
  g_assert_nonnull (strstr (bad, "nonsense"));
  g_assert_null (strstr (two, "stall")); /* all or none */
  g_assert_cmpuint (sim_status (wrong), ==, 405);
  g_assert_nonnull (strstr (wrong, "Allow: GET, POST, DELETE"));
  g_assert_cmpuint (sim_status (unknown), ==, 404);
  played = sim_ask (server, "POST", "/v1/chat/completions", NULL, CHAT);
  g_assert_cmpuint (sim_status (played), ==, 500);
  list = sim_ask (server, "GET", "/__tacho/faults", NULL, NULL); /* no fault is played here */
  g_assert_nonnull (strstr (list, "{\"fault\":\"status=418:n=2\",\"matched\":1,\"played\":0}"));
  g_assert_nonnull (strstr (list, "{\"fault\":\"status=500:path=/*\",\"matched\":1,\"played\":1}"));
  cleared = sim_ask (server, "DELETE", "/__tacho/faults", NULL, NULL);
  g_assert_true (g_str_has_suffix (cleared, "[]\n"));
  fine = sim_ask (server, "POST", "/v1/chat/completions", NULL, CHAT);
  g_assert_nonnull (strstr (fine, "[DONE]"));
  finish (server);
}

/* Neither a page under a foreign name nor a client without a name is let in. */
static void
test_control_guard (void)
{
  static const char *const heads[] = { "Host: evil.example\r\n", "",
                                       "Host: localhost\r\nOrigin: http://evil.example\r\n" };
  TachoSimServer *server = start ("fast");

  for (gsize i = 0; i < G_N_ELEMENTS (heads); i++)
    {
      g_autoptr (GSocketConnection) connection = sim_connect (server, 0, NULL);
      g_autofree char *reply = NULL;
      g_autofree char *text =
          g_strdup_printf ("DELETE /__tacho/faults HTTP/1.%d\r\n%s\r\n", *heads[i] != 0, heads[i]);

      g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), text,
                                 strlen (text), NULL, NULL, NULL);
      g_socket_shutdown (g_socket_connection_get_socket (connection), FALSE, TRUE, NULL);
      reply = sim_read (connection, "\r\n\r\n");
      g_assert_nonnull (strstr (reply, " 403 "));
    }
  finish (server);
}

static void
test_control_requests (void)
{
  TachoSimServer *server = start ("fast");
  g_autofree char *a = sim_ask (server, "GET", "/v1/models?a=1", NULL, NULL);
  g_autofree char *b = sim_ask (server, "GET", "/v1/models?b=2", NULL, NULL);
  g_autofree char *all = sim_ask (server, "GET", "/__tacho/requests", NULL, NULL);
  g_autofree char *since = sim_ask (server, "GET", "/__tacho/requests?since=1", NULL, NULL);
  g_autofree char *none = sim_ask (server, "GET", "/__tacho/requests?since=2", NULL, NULL);
  g_autofree char *bad = sim_ask (server, "GET", "/__tacho/requests?since=x", NULL, NULL);
  g_autofree char *gone = sim_ask (server, "DELETE", "/__tacho/requests", NULL, NULL);
  g_autofree char *empty = sim_ask (server, "GET", "/__tacho/requests", NULL, NULL);

  g_assert_cmpuint (sim_status (a), ==, 200);
  g_assert_cmpuint (sim_status (b), ==, 200);
  g_assert_nonnull (strstr (all, "/v1/models?a=1"));
  g_assert_nonnull (strstr (all, "/v1/models?b=2"));
  g_assert_null (strstr (since, "/v1/models?a=1"));
  g_assert_nonnull (strstr (since, "/v1/models?b=2"));
  g_assert_true (g_str_has_suffix (none, "[]\n"));
  g_assert_cmpuint (sim_status (bad), ==, 400);
  g_assert_cmpuint (sim_status (gone), ==, 200);
  g_assert_true (g_str_has_suffix (empty, "[]\n"));
  finish (server);
}

/* --- sides ------------------------------------------------------------------------------------ */

static gboolean
is_open (TachoSimServer *server, guint front)
{
  g_autoptr (GSocketConnection) connection = sim_connect (server, front, NULL);

  return connection != NULL;
}

static void
test_sides (void)
{
  TachoSimServer *server = start ("hybrid-fast");
  g_autofree char *url = g_strdup (tacho_sim_server_get_url (server));
  g_autoptr (GSocketConnection) running = sim_connect (server, 0, NULL);
  g_autofree char *head = NULL;
  g_autofree char *rest = NULL;
  g_autofree char *model = NULL;

  /* What runs there is cut off. */
  sim_send (running, "POST", "/v2/models/sim-llama-8b-q4_k_m/generate_stream", NULL,
            "{\"text_input\":\"hi\",\"parameters\":{\"stream\":true,\"max_tokens\":3000,"
            "\"ignore_eos\":true}}");
  head = sim_read (running, "text_output");
  g_assert_cmpuint (sim_status (head), ==, 200);
  for (guint i = 0; i < 3; i++)
    {
      tacho_sim_server_set_side (server, FALSE, FALSE);
      tacho_sim_server_set_side (server, FALSE, FALSE); /* is so already */
      g_assert_false (is_open (server, 0));
      g_assert_true (is_open (server, 1));
      tacho_sim_server_set_side (server, FALSE, TRUE);
      g_assert_cmpstr (tacho_sim_server_get_url (server), ==, url);
      model = sim_ask (server, "GET", "/v2/health/ready", NULL, NULL);
      g_assert_cmpuint (sim_status (model), ==, 200);
      g_clear_pointer (&model, g_free);
      tacho_sim_server_set_side (server, TRUE, FALSE);
      g_assert_false (is_open (server, 1));
      tacho_sim_server_set_side (server, TRUE, TRUE);
      g_assert_true (is_open (server, 1));
    }
  rest = sim_read (running, NULL); /* ends, and not in order */
  g_assert_false (g_str_has_suffix (rest, "0\r\n\r\n"));
  tacho_sim_server_stop (server);
  g_assert_finalize_object (server);
}

/* The answer comes first, then the side goes, and returns by itself. */
static void
test_control_side (void)
{
  TachoSimServer *server = start ("hybrid-fast");
  g_autofree char *now = sim_ask (server, "GET", "/__tacho/side", NULL, NULL);
  g_autofree char *grpc = sim_ask (server, "POST", "/__tacho/side", NULL, "{\"grpc\":\"down\"}");
  g_autofree char *rest = NULL;
  g_autofree char *bad = NULL;

  g_assert_true (g_str_has_suffix (now, "{\"rest\":\"up\",\"grpc\":\"up\"}\n"));
  g_assert_true (g_str_has_suffix (grpc, "{\"rest\":\"up\",\"grpc\":\"down\"}\n"));
  g_assert_false (is_open (server, 1));
  bad = sim_ask (server, "POST", "/__tacho/side", NULL, "{\"grpc\":\"sideways\"}");
  g_assert_cmpuint (sim_status (bad), ==, 400);
  g_free (grpc);
  grpc = sim_ask (server, "POST", "/__tacho/side", NULL, "{\"grpc\":\"up\"}");
  g_assert_true (is_open (server, 1));
  rest = sim_ask (server, "POST", "/__tacho/side", NULL, "{\"rest\":\"down\",\"for_s\":0.3}");
  g_assert_cmpuint (sim_status (rest), ==, 200);
  g_assert_nonnull (strstr (rest, "{\"rest\":\"down\",\"grpc\":\"up\"}"));
  TACHO_TEST_SPIN_UNTIL (!is_open (server, 0));
  TACHO_TEST_SPIN_UNTIL (is_open (server, 0));
  finish (server);
}

/* --- the capture ------------------------------------------------------------------------------ */

static TachoSimRequest *
wait_for_end (GPtrArray *requests, TachoSimServer *server, const char *path, char **line)
{
  /* The file's line is written when the reply is over: that is the sign. */
  TACHO_TEST_SPIN_UNTIL (({
    g_clear_pointer (line, g_free);
    g_file_get_contents (path, line, NULL, NULL) && strchr (*line, '\n') != NULL;
  }));
  g_ptr_array_extend_and_steal (requests, tacho_sim_server_take_requests (server));
  g_assert_cmpuint (requests->len, ==, 1);
  return g_ptr_array_index (requests, 0);
}

static void
capture_one (const char *fault,
             const char *body,
             gboolean leave,
             guint status,
             guint min_events,
             gboolean aborted)
{
  g_autofree char *directory = tacho_test_make_tmp_dir ();
  g_autofree char *path = g_build_filename (directory, "capture.jsonl", NULL);
  g_autofree char *header =
      fault != NULL ? g_strdup_printf ("X-Tacho-Fault: %s\r\n", fault) : g_strdup ("");
  g_autoptr (GPtrArray) requests =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_sim_request_free);
  g_autofree char *line = NULL;
  g_autofree char *reply = NULL;
  GSocketConnection *connection;
  TachoSimConfig *config = tacho_sim_config_new ("fast", NULL);
  TachoSimServer *server;
  const TachoSimRequest *request;

  config->capture_path = g_strdup (path);
  server = start_with (config);
  connection = sim_connect (server, 0, NULL);
  sim_send (connection, "POST", "/v1/chat/completions", header, body);
  reply = sim_read (connection, leave ? "data: {" : NULL);
  g_object_unref (connection);
  request = wait_for_end (requests, server, path, &line);
  g_assert_cmpuint (request->status, ==, status);
  g_assert_cmpstr (request->fault, ==, fault);
  g_assert_cmpuint (request->n_events, >=, min_events);
  g_assert_cmpint (request->aborted, ==, aborted);
  g_assert_cmpuint (request->generation, ==, status == 200 ? 1 : 0);
  g_assert_cmpint (request->first_byte_ns, >, request->time_ns);
  g_assert_cmpint (request->last_byte_ns, >=, request->first_byte_ns);
  g_assert_nonnull (strstr (line, aborted ? "\"aborted\":true" : "\"aborted\":false"));
  finish (server);
  tacho_test_remove_tree (directory);
}

static void
test_capture (void)
{
  capture_one (NULL, CHAT, FALSE, 200, 7, FALSE);
  capture_one ("status=503", CHAT, FALSE, 503, 0, FALSE);
  capture_one ("hangup", CHAT, FALSE, 200, 7, FALSE);
  capture_one ("close:after=3", CHAT, FALSE, 200, 3, FALSE);
  capture_one (NULL, LONG_CHAT, TRUE, 200, 1, TRUE);
  capture_one ("crlf", LONG_CHAT, TRUE, 200, 1, TRUE);
  capture_one ("stall:bytes=200", CHAT, TRUE, 200, 0, TRUE);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/sim/fault/seed", test_seed);
  g_test_add_func ("/sim/fault/after-bytes", test_after_bytes);
  g_test_add_func ("/sim/control/faults", test_control_faults);
  g_test_add_func ("/sim/control/guard", test_control_guard);
  g_test_add_func ("/sim/control/requests", test_control_requests);
  g_test_add_func ("/sim/control/side", test_control_side);
  g_test_add_func ("/sim/server/sides", test_sides);
  g_test_add_func ("/sim/capture/end", test_capture);
  return g_test_run ();
}
