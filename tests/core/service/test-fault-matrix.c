/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every way in which a server, or the way to it, can be broken, met through the public services:
 * each ends within its limit and a second, in a state that says what it was; no text is lost,
 * nothing is called a success that is none, and the server generated no more than it may. */
#include "test-utils.h"

#include "base/tacho-error.h"
#include "service/tacho-inference-service.h"
#include "sim/tacho-sim-server.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* LeakSanitizer's tracer crashes on the thread-local storage of GnuTLS, which GIO loads late. */
const char *__asan_default_options (void);

const char *
__asan_default_options (void)
{
  return "intercept_tls_get_addr=0";
}

#define MODEL "sim-llama-8b-q4_k_m"
#define GRPC_PATH ":path=/inference.GRPCInferenceService/ModelStreamInfer"
#define FIRST_S 0.8
#define IDLE_S 0.5
#define TOTAL_S 3.0

/* What a row may end in. */
typedef enum
{
  DONE = 1 << 0, /* it does no harm: the answer is whole */
  CUT = 1 << 1,  /* truncated, and said so */
  FAIL = 1 << 2,
} Outcome;

typedef struct
{
  const char *row; /* what is broken */
  const char *fault;
  Outcome outcome;
  int code;        /* of a failure; 0: any of TACHO_ERROR */
  gboolean text;   /* a part of the answer came and is kept */
  guint generated; /* at most, by the server */
} Row;

typedef struct
{
  TachoSimServer *sim;
  TachoProfile *profile;
  TachoClientManager *manager;
  TachoInferenceService *inference;
} Fixture;

static void
connect_services (Fixture *f)
{
  TachoProfileTuning tuning;

  tacho_profile_tuning_init (&tuning);
  tuning.backoff_s = 0.001;
  tuning.breaker_failures = 1000; /* each row is about itself */
  g_assert_true (tacho_profile_set_tuning (f->profile, &tuning, NULL));
  tacho_profile_set_timeout (f->profile, TACHO_TIMEOUT_CONNECT, 0.5, NULL);
  tacho_profile_set_timeout (f->profile, TACHO_TIMEOUT_FIRST, FIRST_S, NULL);
  tacho_profile_set_timeout (f->profile, TACHO_TIMEOUT_IDLE, IDLE_S, NULL);
  tacho_profile_set_timeout (f->profile, TACHO_TIMEOUT_TOTAL, TOTAL_S, NULL);
  f->manager = tacho_client_manager_new (f->profile);
  f->inference = tacho_inference_service_new (f->manager);
}

static void
disconnect_services (Fixture *f)
{
  tacho_client_manager_close (f->manager);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->inference)->ref_count == 1);
  g_assert_finalize_object (f->inference);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->manager)->ref_count == 1);
  g_assert_finalize_object (f->manager);
}

/* data: the family of the one front, or "grpc". */
static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new ("fast", NULL);
  TachoSimFront *front = tacho_sim_config_get_front (config, 0);
  gboolean grpc = g_str_equal (data, "grpc");
  gboolean tls = g_str_equal (data, "tls");
  GError *error = NULL;

  if (grpc)
    *front = (TachoSimFront){ .family = TACHO_SIM_FAMILY_OIP, .grpc = TRUE };
  else if (tls)
    {
      front->tls = TRUE;
      config->tls_cert =
          g_test_build_filename (G_TEST_DIST, "core", "net", "data", "server.pem", NULL);
      config->tls_key = g_strdup (config->tls_cert);
    }
  else
    g_assert_true (tacho_sim_family_from_string (data, &front->family));
  f->sim = tacho_sim_server_new (config);
  g_assert_true (tacho_sim_server_start (f->sim, 0, &error));
  g_assert_no_error (error);
  f->profile = tacho_profile_new ("test", grpc ? NULL : tacho_sim_server_get_url (f->sim), NULL);
  if (grpc)
    {
      g_assert_true (tacho_profile_set_grpc_target (
          f->profile, strstr (tacho_sim_server_get_url (f->sim), "//") + 2, NULL));
      g_assert_true (tacho_profile_set_protocol (f->profile, TACHO_PROTOCOL_GRPC, NULL));
    }
  connect_services (f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  disconnect_services (f);
  g_assert_finalize_object (f->profile);
  tacho_sim_server_stop (f->sim);
  g_assert_finalize_object (f->sim);
}

static TachoGeneration *
generate (Fixture *f)
{
  g_autoptr (TachoGenerateRequest) request = tacho_generate_request_new (MODEL);
  GError *error = NULL;
  TachoGeneration *generation;

  tacho_generate_request_add_message (request, TACHO_ROLE_USER, "hello");
  request->max_tokens = 12;
  generation = tacho_inference_service_start (f->inference, request, &error);
  g_assert_no_error (error);
  TACHO_TEST_SPIN_UNTIL (tacho_generation_is_ended (generation));
  return generation;
}

static guint64
n_generated (Fixture *f)
{
  TachoSimCounters counters;

  tacho_sim_server_get_counters (f->sim, &counters);
  return counters.generations;
}

static Outcome
outcome_of (TachoGeneration *generation)
{
  switch (tacho_generation_get_state (generation))
    {
    case TACHO_GENERATION_DONE:
      return DONE;
    case TACHO_GENERATION_TRUNCATED:
      return CUT;
    case TACHO_GENERATION_FAILED:
      return FAIL;
    case TACHO_GENERATION_WAITING:
    case TACHO_GENERATION_READING:
    case TACHO_GENERATION_GENERATING:
    case TACHO_GENERATION_CANCELLED:
    default:
      g_assert_not_reached ();
    }
}

static void
check (Fixture *f, const Row *row)
{
  g_autoptr (TachoSimFault) fault = tacho_sim_fault_parse (row->fault, NULL);
  guint64 before = n_generated (f);
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (TachoGeneration) generation = NULL;
  const GError *error;
  Outcome outcome;
  double seconds;

  g_assert_nonnull (fault);
  tacho_sim_server_add_fault (f->sim, fault);
  generation = generate (f);
  seconds = (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
  outcome = outcome_of (generation);
  error = tacho_generation_get_error (generation);
  g_test_message ("%s (%s): %s in %.2f s%s%s", row->row, row->fault,
                  tacho_generation_state_to_string (tacho_generation_get_state (generation)),
                  seconds, error != NULL ? ": " : "", error != NULL ? error->message : "");
  if ((outcome & row->outcome) == 0)
    g_error ("%s: ended as %s", row->row,
             tacho_generation_state_to_string (tacho_generation_get_state (generation)));
  g_assert_cmpfloat (seconds, <, TOTAL_S + 1);
  if (outcome != DONE)
    {
      g_assert_nonnull (error);
      g_assert_cmpint (error->domain, ==, TACHO_ERROR);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      if (outcome == FAIL && row->code != 0)
        g_assert_error (error, TACHO_ERROR, row->code);
    }
  else
    g_assert_no_error (error);
  if (row->text)
    g_assert_cmpstr (tacho_generation_get_text (generation), !=, "");
  g_assert_cmpuint (n_generated (f) - before, <=, row->generated);
  tacho_sim_server_clear_faults (f->sim);
}

static void
check_all (Fixture *f, const Row *rows, gsize n)
{
  for (gsize i = 0; i < n; i++)
    {
      g_autoptr (TachoGeneration) after = NULL;

      /* Each row with a full retry budget. */
      disconnect_services (f);
      connect_services (f);
      check (f, &rows[i]);
      /* And the next one works: nothing is broken for good, no byte of the last reply is in it. */
      after = generate (f);
      for (guint tries = 0; outcome_of (after) != DONE && tries < 5; tries++)
        {
          g_object_unref (after);
          after = generate (f);
        }
      g_assert_cmpint (outcome_of (after), ==, DONE);
      g_assert_true (g_str_has_prefix (tacho_generation_get_text (after), "This reply is"));
    }
}

/* --- connect ---------------------------------------------------------------------------------- */

static void
expect_unreachable (const char *url, int code)
{
  Fixture f = { 0 };
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (TachoGeneration) generation = NULL;

  f.profile = tacho_profile_new ("test", url, NULL);
  connect_services (&f);
  generation = generate (&f);
  g_test_message ("%s: %s", url, tacho_generation_get_error (generation)->message);
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_FAILED);
  g_assert_true (tacho_error_is_unreachable (tacho_generation_get_error (generation)));
  if (code != 0)
    g_assert_error (tacho_generation_get_error (generation), TACHO_ERROR, code);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, (gint64) (TOTAL_S + 1) * G_USEC_PER_SEC);
  disconnect_services (&f);
  g_assert_finalize_object (f.profile);
}

/* A port that takes no connection and refuses none: its queue is full. */
static void
test_black_hole (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM, 0);
  int fillers[8];
  g_autofree char *url = NULL;

  g_assert_cmpint (bind (listener, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (listener, 0), ==, 0);
  g_assert_cmpint (getsockname (listener, (struct sockaddr *) &address, &length), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (fillers); i++)
    {
      fillers[i] = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      g_assert_true (connect (fillers[i], (struct sockaddr *) &address, sizeof address) <= 0);
    }
  url = g_strdup_printf ("http://127.0.0.1:%u", ntohs (address.sin_port));
  expect_unreachable (url, TACHO_ERROR_TIMEOUT_CONNECT);
  for (guint i = 0; i < G_N_ELEMENTS (fillers); i++)
    close (fillers[i]);
  close (listener);
}

static void
test_refused (void)
{
  expect_unreachable ("http://127.0.0.1:1", TACHO_ERROR_REFUSED);
}

static void
test_no_such_host (void)
{
  expect_unreachable ("http://no-such-host.invalid:80", 0);
}

/* "localhost" may mean ::1 first, where nobody listens. */
static void
test_broken_ipv6 (Fixture *f, gconstpointer data)
{
  g_autofree char *url =
      g_strdup_printf ("http://localhost%s", strrchr (tacho_sim_server_get_url (f->sim), ':'));
  Fixture by_name = { .sim = f->sim };
  g_autoptr (TachoGeneration) generation = NULL;

  by_name.profile = tacho_profile_new ("test", url, NULL);
  connect_services (&by_name);
  generation = generate (&by_name);
  g_assert_no_error (tacho_generation_get_error (generation));
  disconnect_services (&by_name);
  g_assert_finalize_object (by_name.profile);
}

static void
test_connect (Fixture *f, gconstpointer data)
{
  static const Row rows[] = {
    { "5 reset before any byte", "drop:after=0", FAIL, TACHO_ERROR_REFUSED, FALSE, 2 },
    { "7 a kept connection that is dead", "hangup", DONE, 0, TRUE, 1 },
    { "8 SSH on the port", "not-http=ssh", FAIL, 0, FALSE, 2 },
    { "8 TLS bytes on the port", "not-http=tls", FAIL, 0, FALSE, 2 },
    { "8 garbage on the port", "not-http=garbage", FAIL, 0, FALSE, 2 },
    { "8 HTTP/0.9", "not-http=http09", FAIL, 0, FALSE, 2 },
    { "9 a peer that fell silent", "stall:after=3", FAIL, TACHO_ERROR_TIMEOUT_IDLE, TRUE, 1 },
    { "9 silent from the start", "stall:after=0", FAIL, 0, FALSE, 2 },
  };

  check_all (f, rows, G_N_ELEMENTS (rows));
}

/* --- TLS -------------------------------------------------------------------------------------- */

static void
test_tls (Fixture *f, gconstpointer data)
{
  g_autofree char *ca = g_test_build_filename (G_TEST_DIST, "core", "net", "data", "ca.pem", NULL);
  g_autofree char *other =
      g_strdup_printf ("https://localhost%s", strrchr (tacho_sim_server_get_url (f->sim), ':'));
  static const Row cut = { "17 cut without close_notify", "close:after=3", CUT, 0, TRUE, 1 };
  Fixture wrong = { .sim = f->sim };
  g_autoptr (TachoGeneration) untrusted = generate (f);
  g_autoptr (TachoGeneration) trusted = NULL;
  g_autoptr (TachoGeneration) misnamed = NULL;
  g_autoptr (GError) error = NULL;

  /* 11: an unknown authority. Nothing is sent, nothing is tried another way. */
  g_assert_error (tacho_generation_get_error (untrusted), TACHO_ERROR, TACHO_ERROR_TLS);
  g_assert_cmpuint (n_generated (f), ==, 0);
  /* 14: a CA file that is none. */
  g_assert_false (tacho_profile_set_ca_file (f->profile, "/dev/null", &error));
  g_assert_nonnull (error);
  /* The right one. */
  disconnect_services (f);
  g_assert_true (tacho_profile_set_ca_file (f->profile, ca, NULL));
  connect_services (f);
  trusted = generate (f);
  g_assert_no_error (tacho_generation_get_error (trusted));
  check (f, &cut);
  /* 11: made for another name. */
  wrong.profile = tacho_profile_new ("test", other, NULL);
  g_assert_true (tacho_profile_set_ca_file (wrong.profile, ca, NULL));
  connect_services (&wrong);
  misnamed = generate (&wrong);
  g_assert_error (tacho_generation_get_error (misnamed), TACHO_ERROR, TACHO_ERROR_TLS);
  disconnect_services (&wrong);
  g_assert_finalize_object (wrong.profile);
}

/* --- status, heads, framing ------------------------------------------------------------------- */

static void
test_status (Fixture *f, gconstpointer data)
{
  static const Row rows[] = {
    { "18 408", "status=408:retry-after=0:n=1", DONE, 0, TRUE, 1 },
    { "18 429", "status=429:retry-after=0", FAIL, TACHO_ERROR_HTTP_429, FALSE, 0 },
    { "18 500", "status=500", FAIL, TACHO_ERROR_HTTP_5XX, FALSE, 0 },
    { "19 502", "status=502:body=html", FAIL, TACHO_ERROR_HTTP_5XX, FALSE, 0 },
    { "19 504", "status=504:body=empty", FAIL, TACHO_ERROR_HTTP_5XX, FALSE, 0 },
    { "19 522", "status=522:body=text", FAIL, TACHO_ERROR_HTTP_5XX, FALSE, 0 },
    { "20 a wait that is too long", "status=503:retry-after=999999", FAIL, TACHO_ERROR_HTTP_5XX,
      FALSE, 0 },
    { "22 401", "status=401", FAIL, TACHO_ERROR_HTTP_4XX, FALSE, 0 },
    { "22 a challenge that crashes libsoup's manager", "challenge=digest", FAIL,
      TACHO_ERROR_HTTP_4XX, FALSE, 1 },
    { "22 NTLM", "challenge=ntlm", FAIL, TACHO_ERROR_HTTP_4XX, FALSE, 1 },
    { "22 a token from elsewhere", "challenge=bearer", FAIL, TACHO_ERROR_HTTP_4XX, FALSE, 1 },
    { "23 400", "status=400", FAIL, TACHO_ERROR_HTTP_4XX, FALSE, 0 },
    { "23 404", "status=404", FAIL, TACHO_ERROR_HTTP_4XX, FALSE, 0 },
    { "23 413", "status=413", FAIL, TACHO_ERROR_HTTP_4XX, FALSE, 0 },
    { "23 422", "status=422", FAIL, TACHO_ERROR_HTTP_4XX, FALSE, 0 },
    { "25 529", "status=529:retry-after=0:n=1-2", DONE, 0, TRUE, 1 },
    { "25 an error in a 200 stream", "error:after=3", FAIL, TACHO_ERROR_IN_BAND, TRUE, 1 },
    { "26 204 to a stream", "status=204", FAIL, 0, FALSE, 0 },
    { "26 205 to a stream", "status=205", FAIL, 0, FALSE, 0 },
    { "26 410 to a stream", "status=410", FAIL, TACHO_ERROR_HTTP_4XX, FALSE, 0 },
    { "27 redirect 302", "redirect=302:to=http://127.0.0.1:1/x", FAIL, TACHO_ERROR_PROTOCOL, FALSE,
      1 },
    { "27 redirect 307", "redirect=307:to=//127.0.0.1:1/x", FAIL, TACHO_ERROR_PROTOCOL, FALSE, 1 },
    { "28 redirect to a file", "redirect=301:to=file:///etc/passwd", FAIL, TACHO_ERROR_PROTOCOL,
      FALSE, 1 },
    { "29 a few 100s", "informational=5", DONE, 0, TRUE, 1 },
    { "29 a flood of 100s", "informational=200000", DONE | FAIL, 0, FALSE, 2 },
    { "29 101 unasked", "switch", FAIL, 0, FALSE, 2 },
  };

  check_all (f, rows, G_N_ELEMENTS (rows));
}

static void
test_headers (Fixture *f, gconstpointer data)
{
  static const Row rows[] = {
    { "31 a header of 1 MB", "header=huge", FAIL, TACHO_ERROR_PROTOCOL, FALSE, 2 },
    { "31 a header without end", "header=endless", FAIL, 0, FALSE, 2 },
    { "32 10,000 headers", "header=many", FAIL, TACHO_ERROR_PROTOCOL, FALSE, 2 },
    { "33 NUL in a header", "header=nul", DONE | FAIL, 0, FALSE, 2 },
    { "33 CR in a header", "header=cr", DONE | FAIL, 0, FALSE, 2 },
    { "33 a line without a colon", "header=nocolon", DONE | FAIL, 0, FALSE, 2 },
    { "33 a folded header", "header=fold", DONE, 0, TRUE, 1 },
    { "33 bytes that are no UTF-8", "header=non-utf8", DONE, 0, TRUE, 1 },
    { "36 no Content-Type", "type=none", DONE | FAIL, 0, FALSE, 2 },
    { "36 a bogus Content-Type", "type=junk", DONE | FAIL, 0, FALSE, 2 },
    { "36 text/plain", "type=text", DONE, 0, TRUE, 1 },
    { "37 a web page in place of JSON", "html", FAIL, TACHO_ERROR_PROTOCOL, FALSE, 2 },
  };

  check_all (f, rows, G_N_ELEMENTS (rows));
}

static void
test_framing (Fixture *f, gconstpointer data)
{
  static const Row rows[] = {
    { "38 Content-Length too short", "length=short", DONE | FAIL | CUT, 0, FALSE, 2 },
    { "38 Content-Length negative", "length=negative", FAIL, TACHO_ERROR_PROTOCOL, FALSE, 2 },
    { "38 Content-Length with letters", "length=junk", FAIL, TACHO_ERROR_PROTOCOL, FALSE, 2 },
    { "38 Content-Length too big", "length=huge", FAIL, TACHO_ERROR_PROTOCOL, FALSE, 2 },
    { "38 two Content-Lengths", "length=two", FAIL, TACHO_ERROR_PROTOCOL, FALSE, 2 },
    { "38 a list of Content-Lengths", "length=list", FAIL, TACHO_ERROR_PROTOCOL, FALSE, 2 },
    { "38 a Content-Length that is not reached", "cut-length:after=3", CUT, 0, TRUE, 1 },
    { "39 Content-Length and chunked", "both-lengths", DONE | FAIL, 0, FALSE, 2 },
    { "40 a bad chunk size", "chunk=bad:after=3", CUT | FAIL, 0, TRUE, 1 },
    { "40 a negative chunk size", "chunk=negative:after=3", CUT | FAIL, 0, TRUE, 1 },
    { "40 a chunk size that overflows", "chunk=overflow:after=3", CUT | FAIL, 0, TRUE, 1 },
    { "41 chunks that end early", "truncate:after=3", CUT, 0, TRUE, 1 },
    { "41 cut between chunks", "close:after=3", CUT, 0, TRUE, 1 },
    { "41 cut in a chunk", "cut-chunk:after=3", CUT, 0, TRUE, 1 },
    { "42 an endless chunk extension", "chunk=extension:after=3", CUT | FAIL, 0, TRUE, 1 },
    { "42 an endless trailer", "chunk=trailer:after=3", CUT | FAIL, 0, TRUE, 1 },
    { "43 bytes after the body", "extra", DONE, 0, TRUE, 1 },
    { "44 a head byte by byte", "slow-head=400", FAIL, 0, FALSE, 2 },
    { "44 a body byte by byte", "slice=1:delay=100", FAIL, 0, FALSE, 2 },
    { "45 dies in the stream (RST)", "drop:after=3", CUT, 0, TRUE, 1 },
    { "45 dies in the stream (FIN)", "half-close:after=3", CUT, 0, TRUE, 1 },
    { "46 one byte a piece", "slice=1", DONE, 0, TRUE, 1 },
    { "46 seven bytes a piece", "slice=7", DONE, 0, TRUE, 1 },
    { "47 a gzip bomb", "encoding=bomb", FAIL, TACHO_ERROR_PROTOCOL, FALSE, 2 },
    { "47 stacked encodings", "encoding=stacked", FAIL, TACHO_ERROR_PROTOCOL, FALSE, 2 },
    { "47 corrupt gzip", "encoding=corrupt", FAIL, TACHO_ERROR_PROTOCOL, FALSE, 2 },
    { "47 cut gzip", "encoding=truncated", FAIL, TACHO_ERROR_PROTOCOL, FALSE, 2 },
    { "47 gzip that is none", "encoding=unasked", FAIL, TACHO_ERROR_PROTOCOL, FALSE, 2 },
  };

  check_all (f, rows, G_N_ELEMENTS (rows));
}

/* --- streams and JSON ------------------------------------------------------------------------- */

static void
test_stream (Fixture *f, gconstpointer data)
{
  static const Row rows[] = {
    { "48 lines that end with CR LF", "crlf", DONE, 0, TRUE, 1 },
    { "48 lines that end with CR", "cr", DONE, 0, TRUE, 1 },
    { "49 characters split over pieces", "slice=3", DONE, 0, TRUE, 1 },
    { "51 a byte order mark", "bom", DONE, 0, TRUE, 1 },
    { "52 NUL in the data", "nul:after=3", FAIL, TACHO_ERROR_PROTOCOL, TRUE, 1 },
    { "55 no terminal marker", "no-marker", CUT, 0, TRUE, 1 },
    { "56 a flood of comments", "comments=200000:after=3", DONE, 0, TRUE, 1 },
    { "57 a huge line", "huge-line=20000000:after=3", FAIL, TACHO_ERROR_PROTOCOL, TRUE, 1 },
    { "57 an endless line", "endless-line:after=3", CUT | FAIL, 0, TRUE, 1 },
    { "60 an error in the stream", "error:after=5", FAIL, TACHO_ERROR_IN_BAND, TRUE, 1 },
    { "61 bad JSON in one line", "bad-json:after=3", FAIL, TACHO_ERROR_PROTOCOL, TRUE, 1 },
    { "66 text that is no UTF-8", "bad-utf8:after=3", DONE | FAIL, 0, TRUE, 1 },
    { "112 empty deltas first", "empty=100", DONE, 0, TRUE, 1 },
    { "112 several tokens in one chunk", "bundle=5", DONE, 0, TRUE, 1 },
    { "112 usage twice", "usage-twice", DONE, 0, TRUE, 1 },
    { "112 no usage", "no_usage", DONE, 0, TRUE, 1 },
  };

  check_all (f, rows, G_N_ELEMENTS (rows));
}

/* The same for lines of JSON, which end without a word if they are cut. */
static void
test_lines (Fixture *f, gconstpointer data)
{
  static const Row rows[] = {
    { "63 lines that end with CR LF", "crlf", DONE, 0, TRUE, 1 },
    { "63 one byte a piece", "slice=1", DONE, 0, TRUE, 1 },
    { "63 cut between lines", "close:after=3", CUT, 0, TRUE, 1 },
    { "63 no last line", "no-marker", CUT, 0, TRUE, 1 },
    { "63 cut in a line", "cut-chunk:after=3", CUT, 0, TRUE, 1 },
    { "63 ends early", "truncate:after=3", CUT, 0, TRUE, 1 },
    { "60 an error line", "error:after=3", FAIL, TACHO_ERROR_IN_BAND, TRUE, 1 },
    { "61 bad JSON in one line", "bad-json:after=3", FAIL, TACHO_ERROR_PROTOCOL, TRUE, 1 },
    { "45 dies in the stream", "drop:after=3", CUT, 0, TRUE, 1 },
  };

  check_all (f, rows, G_N_ELEMENTS (rows));
}

/* --- gRPC ------------------------------------------------------------------------------------- */

static void
test_grpc (Fixture *f, gconstpointer data)
{
  static const Row rows[] = {
    { "70 the connection dies after messages", "drop:after=3" GRPC_PATH, CUT | FAIL, 0, TRUE, 1 },
    { "70 and before any", "drop:after=0" GRPC_PATH, FAIL | CUT, 0, FALSE, 2 },
    { "71 GOAWAY", "goaway" GRPC_PATH, DONE | FAIL, 0, FALSE, 3 },
    { "73 a message over the limit", "grpc-big=100000000" GRPC_PATH, FAIL, 0, FALSE, 3 },
    { "73 metadata over the limit", "grpc-metadata=100000" GRPC_PATH, FAIL, 0, FALSE, 3 },
    { "74 a compressed message", "grpc-compressed" GRPC_PATH, FAIL, 0, FALSE, 3 },
    { "75 a message that is none", "grpc-bytes" GRPC_PATH, FAIL | CUT, 0, FALSE, 3 },
    { "76 silent from the start", "stall:after=0" GRPC_PATH, FAIL, 0, FALSE, 2 },
    { "76 silent after messages", "stall:after=3" GRPC_PATH, FAIL, TACHO_ERROR_TIMEOUT_IDLE, TRUE,
      1 },
    { "77 no such method", "grpc-status=12" GRPC_PATH, FAIL, TACHO_ERROR_GRPC, FALSE, 1 },
    { "78 no final marker", "truncate:after=3" GRPC_PATH, CUT, 0, TRUE, 1 },
    { "80 a status after messages", "grpc-status=13:after=3" GRPC_PATH, FAIL, TACHO_ERROR_GRPC,
      TRUE, 1 },
    { "80 RESOURCE_EXHAUSTED", "grpc-status=8" GRPC_PATH, FAIL, TACHO_ERROR_GRPC, FALSE, 1 },
    { "80 an error in the stream", "error:after=3" GRPC_PATH, FAIL, TACHO_ERROR_IN_BAND, TRUE, 1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (TachoGeneration) after = NULL;

      check (f, &rows[i]);
      /* What one method lacks is remembered until the server is another: begin anew. */
      disconnect_services (f);
      connect_services (f);
      after = generate (f);
      g_assert_no_error (tacho_generation_get_error (after));
    }
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
#define ADD(path, data, test)                                                                      \
  g_test_add ("/fault-matrix/" path, Fixture, data, set_up, test, tear_down)
  g_test_add_func ("/fault-matrix/refused", test_refused);
  g_test_add_func ("/fault-matrix/black-hole", test_black_hole);
  g_test_add_func ("/fault-matrix/no-such-host", test_no_such_host);
  ADD ("broken-ipv6", "llamacpp", test_broken_ipv6);
  ADD ("connect", "llamacpp", test_connect);
  ADD ("tls", "tls", test_tls);
  ADD ("status", "llamacpp", test_status);
  ADD ("headers", "llamacpp", test_headers);
  ADD ("framing", "llamacpp", test_framing);
  ADD ("stream", "llamacpp", test_stream);
  ADD ("lines", "ollama", test_lines);
  ADD ("grpc", "grpc", test_grpc);
  return g_test_run ();
}
