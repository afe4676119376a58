/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The simulated server's wrong bytes, as they stand on the wire: read by a bare socket. */
#include "test-utils.h"

#include <string.h>

#include "base/tacho-error.h"
#include "base/tacho-json.h"
#include "sim-client.h"
#include "sim/tacho-sim-fault.h"
#include "sim/tacho-sim-server.h"

#define MODEL "sim-tiny-1b-q8_0"
#define STREAM                                                                                     \
  "{\"model\":\"" MODEL "\",\"stream\":true,\"max_tokens\":6,"                                     \
  "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
#define MAX_READ ((gsize) 4 * 1024 * 1024)

static TachoSimServer *sim;

typedef struct
{
  GString *bytes;
  gboolean closed; /* by the server, in order */
  gboolean reset;
  guint n_reads;
} Answer;

static void
answer_clear (Answer *answer)
{
  g_string_free (answer->bytes, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

/* Reads to the end, to *limit* bytes, or until nothing more comes for a while. */
static void
ask_for (const char *fault, gsize limit, Answer *answer)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  const char *address = strstr (tacho_sim_server_get_url (sim), "//") + 2;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) connection =
      g_socket_client_connect_to_host (client, address, 80, NULL, &error);
  g_autofree char *request =
      g_strdup_printf ("POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
                       "application/json\r\nX-Tacho-Fault: %s\r\nContent-Length: %zu\r\n\r\n%s",
                       fault, strlen (STREAM), STREAM);
  g_autofree char *buffer = g_malloc (65536);
  GSocket *socket;

  g_assert_no_error (error);
  socket = g_socket_connection_get_socket (connection);
  g_socket_set_timeout (socket, 1);
  answer->bytes = g_string_new (NULL);
  g_assert_true (
      g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), request,
                                 strlen (request), NULL, NULL, NULL));
  while (answer->bytes->len < limit)
    {
      gssize n = g_socket_receive (socket, buffer, 65536, NULL, &error);

      if (n <= 0)
        {
          answer->closed = n == 0;
          answer->reset =
              error != NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
          return;
        }
      answer->n_reads++;
      g_string_append_len (answer->bytes, buffer, n);
    }
}

static gboolean
holds (const Answer *answer, const char *bytes, gsize length)
{
  return memmem (answer->bytes->str, answer->bytes->len, bytes, length) != NULL;
}

/* What must and must not stand in the reply, and how it ends. */
static void
test_bytes (void)
{
  static const struct
  {
    const char *fault;
    const char *has;
    const char *has_not;
    gboolean closed;
  } rows[] = {
    { "close:after=2", "Transfer-Encoding: chunked", "0\r\n\r\n", TRUE },
    { "half-close:after=2", "data: {", "[DONE]", TRUE },
    { "hangup", "[DONE]", "Connection: close", TRUE },
    { "cut-chunk:after=1", "data: {", "[DONE]", TRUE },
    { "cut-length:after=2", "Content-Length: 1048576", "[DONE]", TRUE },
    { "eof", "data: {", "Transfer-Encoding", TRUE },
    { "length=negative", "Content-Length: -1", NULL, TRUE },
    { "length=junk", "Content-Length: 1048576abc", NULL, TRUE },
    { "length=huge", "Content-Length: 99999999999999999999999999", NULL, TRUE },
    { "length=two", "Content-Length: 5\r\n", NULL, TRUE },
    { "length=list", "Content-Length: 1048576, 5", NULL, TRUE },
    { "length=short", "Content-Length: 524288", NULL, TRUE },
    { "length=long", "Content-Length: 1048676", NULL, TRUE },
    { "both-lengths", "Transfer-Encoding: chunked\r\nContent-Length: ", NULL, TRUE },
    { "chunk=bad:after=1", "\r\nZZ\r\n", "[DONE]", TRUE },
    { "chunk=negative", "\r\n-5\r\n", NULL, TRUE },
    { "chunk=overflow", "\r\nFFFFFFFFFFFFFFFFFF\r\n", NULL, TRUE },
    { "extra", "0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", NULL, TRUE },
    { "header=cr", "X-Bad: a\rb\r\n", NULL, TRUE },
    { "header=nocolon", "\r\nX-Bad without a colon\r\n", NULL, TRUE },
    { "header=fold", "X-Folded: a\r\n b\r\n", NULL, TRUE },
    { "header=non-utf8", "X-Bad: \xff\xfe\r\n", NULL, TRUE },
    { "informational=3",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
      "HTTP/1.1 200 OK",
      NULL, TRUE },
    { "switch", "HTTP/1.1 101 Switching Protocols", "200 OK", TRUE },
    { "encoding=unasked", "Content-Encoding: gzip\r\n", NULL, TRUE },
    { "encoding=stacked", "gzip, gzip, gzip, gzip, gzip, gzip, gzip", NULL, TRUE },
    { "encoding=corrupt", "not gzip at all", NULL, TRUE },
    { "encoding=truncated", "\x1f\x8b", NULL, TRUE },
    { "type=html", "Content-Type: text/html", "event-stream", TRUE },
    { "type=none", "data: {", "Content-Type", TRUE },
    { "type=junk", "Content-Type: x bogus", NULL, TRUE },
    { "html", "<!DOCTYPE html>", "data: {", TRUE },
    { "not-http=ssh", "SSH-2.0-", "HTTP/", TRUE },
    { "not-http=tls", "\x15\x03\x03", "HTTP/", TRUE },
    { "not-http=garbage", " garbage ", "HTTP/", TRUE },
    { "not-http=http09", "<!DOCTYPE", "HTTP/", TRUE },
    { "redirect=307:to=http://127.0.0.1:9/x", "307 Temporary Redirect", "data: {", TRUE },
    { "redirect=302:to=http://127.0.0.1:9/x", "Location: http://127.0.0.1:9/x\r\n", NULL, TRUE },
    { "challenge=digest", "domain=\"http:foo\"", NULL, TRUE },
    { "challenge=bearer", "401 Unauthorized", NULL, TRUE },
    { "bad-json:after=1", "data: {\"choices\":[{\"delta\":\n\n", NULL, TRUE },
    { "bad-utf8:after=1", "\xc3\x28", NULL, TRUE },
    { "bom", "\xef\xbb\xbf", NULL, TRUE },
    { "split-utf8:after=1", "\"content\":\"\xc3\r\n", "\xc3\xa9", TRUE },
    { "role-only", "\"finish_reason\":\"length\"", "\"content\":\"", TRUE },
    { "crlf", "}\r\n\r\n", NULL, TRUE },
    { "comments=3", ": x\n\n: x\n\n: x\n\ndata: {", NULL, TRUE },
    { "empty=2", "\"content\":\"\"},\"finish_reason\":null}]}\n\ndata: {", NULL, TRUE },
    { "no-marker", "0\r\n\r\n", "[DONE]", TRUE },
    { "huge-line=5000", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", NULL, TRUE },
    { "status=503:body=html:retry-after=7", "Retry-After: 7\r\n", "\"error\"", FALSE },
    { "status=500:body=empty", "Content-Length: 0\r\n", NULL, FALSE },
    { "status=500:body=text", "text/plain", "\"error\"", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_auto (Answer) answer = { 0 };

      ask_for (rows[i].fault, MAX_READ, &answer);
      g_test_message ("%s: %zu bytes", rows[i].fault, answer.bytes->len);
      if (!holds (&answer, rows[i].has, strlen (rows[i].has)))
        g_error ("%s: no “%s” in:\n%.2000s", rows[i].fault, rows[i].has, answer.bytes->str);
      if (rows[i].has_not != NULL)
        g_assert_null (strstr (answer.bytes->str, rows[i].has_not));
      g_assert_cmpint (answer.closed || answer.reset, ==, rows[i].closed);
      if (strstr (answer.bytes->str, "HTTP/1.1 101") == NULL &&
          g_str_has_prefix (answer.bytes->str, "HTTP/1.1"))
        g_assert_nonnull (strstr (answer.bytes->str, "X-Tacho-Fault: "));
    }
}

/* Replies that are not streamed: the length is that of the changed body. */
static void
test_whole (void)
{
  static const struct
  {
    const char *fault;
    const char *has;
    const char *has_not;
    gboolean json;
  } rows[] = {
    { "usage-zero", "\"completion_tokens\":0", "\"completion_tokens\":4", TRUE },
    { "bad-json", "{", NULL, FALSE },
    { "bad-utf8", "{\"x\":\"\xc3\x28\",", NULL, FALSE },
    { "bom", "\r\n\r\n\xef\xbb\xbf{", NULL, FALSE },
    { "huge-line=70000", "{\"x\":\"xxxxxxxx", NULL, TRUE },
    { "hangup", "\"completion_tokens\":4", "Connection: close", TRUE },
    { "type=text", "text/plain", "application/json", TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *header = g_strdup_printf ("X-Tacho-Fault: %s\r\n", rows[i].fault);
      g_autofree char *reply =
          sim_ask (sim, "POST", "/v1/chat/completions", header,
                   "{\"model\":\"" MODEL "\",\"max_tokens\":4,\"messages\":[{\"role\":"
                   "\"user\",\"content\":\"hi\"}]}");
      const char *length = strstr (reply, "Content-Length: ");
      const char *body = strstr (reply, "\r\n\r\n");
      g_autoptr (JsonNode) node = NULL;

      g_test_message ("%s", rows[i].fault);
      g_assert_true (length != NULL && body != NULL);
      g_assert_cmpuint (g_ascii_strtoull (length + strlen ("Content-Length: "), NULL, 10), ==,
                        strlen (body + 4));
      g_assert_nonnull (strstr (reply, rows[i].has));
      if (rows[i].has_not != NULL)
        g_assert_null (strstr (reply, rows[i].has_not));
      node = tacho_json_parse (body + 4, strlen (body + 4), NULL);
      g_assert_cmpint (node != NULL, ==, rows[i].json);
    }
}

/* The line of an NDJSON reply is broken as a line of NDJSON. */
static void
test_ndjson (void)
{
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new ("ollama-fast", NULL);
  g_autoptr (TachoSimServer) server = tacho_sim_server_new (config);
  static const char *const faults[] = { "bad-json:after=1", "no-marker", "empty=2", "split-utf8" };

  g_assert_true (tacho_sim_server_start (server, 0, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autofree char *header = g_strdup_printf ("X-Tacho-Fault: %s\r\n", faults[i]);
      g_autofree char *reply = sim_ask (server, "POST", "/api/chat", header,
                                        "{\"model\":\"" MODEL "\",\"options\":{\"num_predict\":4},"
                                        "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");

      g_test_message ("%s", faults[i]);
      g_assert_null (strstr (reply, "data:"));
      g_assert_cmpint (strstr (reply, "\"done\":true") == NULL, ==, i == 1);
      if (i == 2)
        g_assert_nonnull (strstr (reply, "\"response\":\"\",\"done\":false}\n{\"message\""));
      if (i == 3)
        g_assert_nonnull (strstr (reply, "\"content\":\"\xc3\r\n"));
    }
}

static void
test_nul (void)
{
  g_auto (Answer) header = { 0 };
  g_auto (Answer) event = { 0 };

  ask_for ("header=nul", MAX_READ, &header);
  g_assert_true (holds (&header, "X-Bad: a\0b\r\n", 12));
  ask_for ("nul:after=1", MAX_READ, &event);
  g_assert_true (holds (&event, "data: {\"x\":\"\0\"}", 15));
}

static void
test_endless (void)
{
  static const char *const faults[] = { "header=endless", "chunk=extension", "chunk=trailer",
                                        "endless-line" };

  for (gsize i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_auto (Answer) answer = { 0 };

      ask_for (faults[i], 2 * 1024 * 1024, &answer);
      g_assert_cmpuint (answer.bytes->len, >=, 2 * 1024 * 1024);
      g_assert_false (answer.closed);
    }
}

static void
test_big_heads (void)
{
  g_auto (Answer) huge = { 0 };
  g_auto (Answer) many = { 0 };
  guint n = 0;

  ask_for ("header=huge", MAX_READ, &huge);
  g_assert_cmpuint (huge.bytes->len, >, 1024 * 1024);
  ask_for ("header=many", MAX_READ, &many);
  for (const char *p = many.bytes->str; (p = strstr (p, "X-Many: 1\r\n")) != NULL; p++)
    n++;
  g_assert_cmpuint (n, ==, 10000);
}

/* 300 MiB in less than a megabyte, and no more than that is sent. */
static void
test_bomb (void)
{
  g_auto (Answer) answer = { 0 };

  ask_for ("encoding=bomb", MAX_READ, &answer);
  g_assert_cmpuint (answer.bytes->len, >, 300 * 100);
  g_assert_true (holds (&answer, "Content-Encoding: gzip", 22));
}

static void
test_reset (void)
{
  g_auto (Answer) answer = { 0 };

  ask_for ("drop:after=2", MAX_READ, &answer);
  g_assert_true (answer.reset);
}

/* Pieces, pace and several tokens in one chunk. */
static void
test_pace (void)
{
  g_auto (Answer) sliced = { 0 };
  g_auto (Answer) slow_head = { 0 };
  g_auto (Answer) narrow = { 0 };
  g_auto (Answer) bundled = { 0 };
  gint64 begin = g_get_monotonic_time ();
  guint n = 0;

  ask_for ("slice=40:delay=1", MAX_READ, &sliced);
  g_assert_nonnull (strstr (sliced.bytes->str, "[DONE]"));
  g_assert_cmpuint (sliced.n_reads, >, 10);
  ask_for ("bandwidth=20000", MAX_READ, &narrow);
  g_assert_nonnull (strstr (narrow.bytes->str, "[DONE]"));
  g_assert_cmpint (g_get_monotonic_time () - begin, >,
                   (gint64) narrow.bytes->len * G_USEC_PER_SEC / 20000 / 2);
  ask_for ("slow-head=1", MAX_READ, &slow_head);
  g_assert_nonnull (strstr (slow_head.bytes->str, "[DONE]"));
  g_assert_cmpuint (slow_head.n_reads, >, 50);
  ask_for ("bundle=3", MAX_READ, &bundled);
  for (const char *p = bundled.bytes->str; (p = strstr (p, "\"content\":\"")) != NULL; p++)
    n++;
  g_assert_cmpuint (n, ==, 2); /* 6 tokens, three in each */
  g_assert_nonnull (strstr (bundled.bytes->str, "\"predicted_n\":6"));
}

static void
test_specs (void)
{
  static const char *const good[] = {
    "close:after=3:p=0.5",
    "redirect=307:to=http://127.0.0.1:9/a:b",
    "length=two:n=3-:path=/v1/*",
    "slice=1:delay=2",
    "status=503:retry-after=2:body=html",
    "latency=0.5:jitter=0.25",
    "grpc-status=14:after=2",
    "cut-chunk:bytes=100",
  };
  static const char *const bad[] = { "length",
                                     "length=purple",
                                     "close=3",
                                     "informational=x",
                                     "informational=0",
                                     "nonsense",
                                     "slice=0",
                                     "status=500:body=x",
                                     "grpc-status=17",
                                     "drop:bytes=0",
                                     "latency=1:jitter=-1",
                                     "drop:to=http://a",
                                     "redirect=302:to=http://a/\r\nX: y" };
  g_auto (GStrv) names = tacho_sim_fault_names ();

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (TachoSimFault) fault = tacho_sim_fault_parse (good[i], &error);
      g_autofree char *text = NULL;

      g_assert_no_error (error);
      text = tacho_sim_fault_to_string (fault);
      g_test_message ("%s -> %s", good[i], text);
      {
        g_autoptr (TachoSimFault) again = tacho_sim_fault_parse (text, &error);
        g_autofree char *same = NULL;

        g_assert_no_error (error);
        same = tacho_sim_fault_to_string (again);
        g_assert_cmpstr (same, ==, text);
      }
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (tacho_sim_fault_parse (bad[i], &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
    }
  g_assert_cmpuint (g_strv_length (names), >, 40);
  for (gsize i = 0; names[i] != NULL; i++)
    g_assert_nonnull (strchr (names[i], '\t'));
}

int
main (int argc, char **argv)
{
  g_autoptr (TachoSimConfig) config = NULL;
  int status;

  tacho_test_init (&argc, &argv);
  config = tacho_sim_config_new ("fast", NULL);
  sim = tacho_sim_server_new (config);
  g_assert_true (tacho_sim_server_start (sim, 0, NULL));
  g_test_add_func ("/sim/wire/specs", test_specs);
  g_test_add_func ("/sim/wire/bytes", test_bytes);
  g_test_add_func ("/sim/wire/whole", test_whole);
  g_test_add_func ("/sim/wire/ndjson", test_ndjson);
  g_test_add_func ("/sim/wire/nul", test_nul);
  g_test_add_func ("/sim/wire/endless", test_endless);
  g_test_add_func ("/sim/wire/big-heads", test_big_heads);
  g_test_add_func ("/sim/wire/bomb", test_bomb);
  g_test_add_func ("/sim/wire/reset", test_reset);
  g_test_add_func ("/sim/wire/pace", test_pace);
  status = g_test_run ();
  tacho_sim_server_stop (sim);
  g_assert_finalize_object (sim);
  return status;
}
