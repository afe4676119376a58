/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS: which servers get a call, and that no other gets a byte of it. The certificates are made
 * for the run by the openssl command. */
#include "grpc-server.h"
#include "grpc-test.h"

/* LeakSanitizer's tracer crashes on the thread-local storage of GnuTLS, which GIO loads late. */
const char *__asan_default_options (void);

const char *
__asan_default_options (void)
{
  return "intercept_tls_get_addr=0";
}

static char *dir;

static char *
in_dir (const char *name)
{
  return g_build_filename (dir, name, NULL);
}

static void
openssl (const char *arguments)
{
  g_autofree char *command = g_strconcat ("openssl ", arguments, NULL);
  g_auto (GStrv) argv = NULL;
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  int status = 0;
  GError *error = NULL;

  g_assert_true (g_shell_parse_argv (command, NULL, &argv, &error));
  g_spawn_sync (dir, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status, &error);
  g_assert_no_error (error);
  if (status != 0)
    g_error ("%s: %s", command, err);
}

/* @extra: of "x509 -req", such as its days */
static void
make_certificate (const char *name, const char *san, const char *extra)
{
  g_autofree char *request = g_strdup_printf ("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
                                              "-nodes -keyout %s.key -out %s.csr -subj /CN=%s",
                                              name, name, name);
  g_autofree char *ini = g_strconcat (name, ".ini", NULL);
  g_autofree char *ini_path = in_dir (ini);
  g_autofree char *text = g_strdup_printf ("subjectAltName=%s\n", san);
  g_autofree char *sign = g_strdup_printf ("x509 -req -in %s.csr -CA ca.pem -CAkey ca.key "
                                           "-CAcreateserial -extfile %s.ini -out %s.pem %s",
                                           name, name, name, extra);

  openssl (request);
  g_assert_true (g_file_set_contents (ini_path, text, -1, NULL));
  openssl (sign);
}

static void
make_certificates (void)
{
  openssl ("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key "
           "-out ca.pem -days 30 -subj /CN=TestCA");
  openssl ("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout self.key "
           "-out self.pem -days 30 -subj /CN=self -addext subjectAltName=IP:127.0.0.1");
  make_certificate ("good", "IP:127.0.0.1", "-days 30");
  make_certificate ("other", "DNS:elsewhere.example", "-days 30");
  make_certificate ("expired", "IP:127.0.0.1", "-days -1");
  make_certificate ("client", "DNS:client", "-days 30");
}

static char *
read_file (const char *name)
{
  g_autofree char *path = in_dir (name);
  char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static char *
pin_of (const char *name)
{
  g_autofree char *path = in_dir (name);
  g_autoptr (GTlsCertificate) certificate = g_tls_certificate_new_from_file (path, NULL);
  g_autoptr (GByteArray) der = NULL;
  g_autofree char *digest = NULL;

  g_object_get (certificate, "certificate", &der, NULL);
  digest = g_compute_checksum_for_data (G_CHECKSUM_SHA256, der->data, der->len);
  return g_strconcat ("sha256:", digest, NULL);
}

static void
answer (GrpcServerCall *call)
{
  grpc_server_read (call);
  grpc_server_send (call, "hello");
  grpc_server_end (call, GRPC_STATUS_OK, "");
}

static GrpcServer *
new_server (const char *name, gboolean mutual)
{
  g_autofree char *key_name = g_strconcat (name, ".key", NULL);
  g_autofree char *chain_name = g_strconcat (name, ".pem", NULL);
  g_autofree char *key = read_file (key_name);
  g_autofree char *chain = read_file (chain_name);
  g_autofree char *ca = read_file ("ca.pem");
  grpc_ssl_pem_key_cert_pair pair = { .private_key = key, .cert_chain = chain };
  grpc_server_credentials *credentials;
  GrpcServer *server;

  grpc_init ();
  credentials = grpc_ssl_server_credentials_create_ex (
      ca, &pair, 1,
      mutual ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
             : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
      NULL);
  server = grpc_server_new (answer, credentials, 0);
  grpc_shutdown ();
  return server;
}

typedef struct
{
  const char *name;
  const char *server; /* its certificate */
  gboolean mutual;
  gboolean ca; /* the client knows the authority */
  const char *pin;
  const char *client; /* its certificate */
  const char *words;  /* of the refusal; NULL: it must work */
} Case;

static const Case cases[] = {
  { "trusted", "good", FALSE, TRUE, NULL, NULL, NULL },
  { "system-roots", "good", FALSE, FALSE, NULL, NULL, "CA file" },
  { "wrong-host", "other", FALSE, TRUE, NULL, NULL, "another host name" },
  { "expired", "expired", FALSE, TRUE, NULL, NULL, "expired" },
  { "self-signed", "self", FALSE, TRUE, NULL, NULL, "not signed by an authority" },
  { "pin", "self", FALSE, FALSE, "self.pem", NULL, NULL },
  { "pin-of-authority-signed", "good", FALSE, FALSE, "good.pem", NULL, NULL },
  { "wrong-pin", "self", FALSE, FALSE, "good.pem", NULL, "not the pinned one" },
  /* A pin replaces the chain: the authority of the file does not make up for it. */
  { "wrong-pin-trusted", "good", FALSE, TRUE, "self.pem", NULL, "not the pinned one" },
  { "mutual", "good", TRUE, TRUE, NULL, "client", NULL },
  { "mutual-with-pin", "good", TRUE, FALSE, "good.pem", "client", NULL },
  { "mutual-without", "good", TRUE, TRUE, NULL, NULL, "client certificate" },
};

static void
test_case (gconstpointer user_data)
{
  const Case *test = user_data;
  GrpcServer *server = new_server (test->server, test->mutual);
  g_autofree char *ca = test->ca ? in_dir ("ca.pem") : NULL;
  g_autofree char *pin = test->pin != NULL ? pin_of (test->pin) : NULL;
  g_autofree char *cert = test->client != NULL ? in_dir ("client.pem") : NULL;
  g_autofree char *key = test->client != NULL ? in_dir ("client.key") : NULL;
  const TachoGrpcOptions options = {
    .target = server->target,
    .tls = TRUE,
    .ca_file = ca,
    .pin = pin,
    .cert_file = cert,
    .key_file = key,
    .bearer = "k3y",
    .timeout_connect = 10,
    .timeout_total = 12,
  };
  TachoTransport *client = run_client (&options);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = run_send (client, "/a.B/C", "x", 0, &error);

  if (test->words == NULL)
    {
      g_assert_no_error (error);
      g_assert_cmpuint (reply->status, ==, 200);
      g_assert_cmpint (g_atomic_int_get (&server->n_calls), ==, 1);
    }
  else
    {
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TLS);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, test->words));
      g_assert_cmpint (g_atomic_int_get (&server->n_calls), ==, 0); /* the key was not told */
    }
  run_close (client);
  grpc_server_free (server);
}

static TachoHttpReply *
call_target (const char *target, gboolean tls, GError **error)
{
  g_autofree char *ca = tls ? in_dir ("ca.pem") : NULL;
  const TachoGrpcOptions options = {
    .target = target, .tls = tls, .ca_file = ca, .bearer = "k3y", .timeout_connect = 10
  };
  TachoTransport *client = run_client (&options);
  TachoHttpReply *reply = run_send (client, "/a.B/C", "x", 0, error);

  run_close (client);
  return reply;
}

/* TLS asked of a plain server: an error, never a call in plain text. And the other way round. */
static void
test_mixed (void)
{
  GrpcServer *plain = grpc_server_new (answer, NULL, 0);
  GrpcServer *safe = new_server ("good", FALSE);
  g_autoptr (GError) error = NULL;

  g_assert_null (call_target (plain->target, TRUE, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_TLS);
  g_assert_cmpint (g_atomic_int_get (&plain->n_calls), ==, 0);
  g_clear_error (&error);
  g_assert_null (call_target (safe->target, FALSE, &error));
  g_assert_true (tacho_error_is_unreachable (error) ||
                 g_error_matches (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL));
  g_test_message ("%s", error->message);
  g_assert_cmpint (g_atomic_int_get (&safe->n_calls), ==, 0);
  grpc_server_free (plain);
  grpc_server_free (safe);
}

static GSubprocess *
start_s_server (const char *version, guint16 *port)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDIN_PIPE |
                                 G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_autoptr (GDataInputStream) lines = NULL;
  GSubprocess *server;
  GError *error = NULL;

  g_subprocess_launcher_set_cwd (launcher, dir);
  server = g_subprocess_launcher_spawn (launcher, &error, "openssl", "s_server", "-accept",
                                        "127.0.0.1:0", "-cert", "good.pem", "-key", "good.key",
                                        "-alpn", "h2", "-cipher", "ALL:@SECLEVEL=0", version, NULL);
  g_assert_no_error (error);
  lines = g_data_input_stream_new (g_subprocess_get_stdout_pipe (server));
  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (lines), FALSE);
  *port = 0;
  while (*port == 0)
    {
      g_autofree char *line = g_data_input_stream_read_line (lines, NULL, NULL, &error);

      g_assert_no_error (error);
      g_assert_nonnull (line);
      if (g_str_has_prefix (line, "ACCEPT "))
        *port = (guint16) g_ascii_strtoull (strrchr (line, ':') + 1, NULL, 10);
    }
  return server;
}

/* The same server with TLS 1.2 gets as far as its lack of HTTP/2, which shows that it is the
 * version that is refused. */
static void
test_old_tls (void)
{
  static const char *const versions[] = { "-tls1_1", "-tls1_2" };

  for (guint i = 0; i < G_N_ELEMENTS (versions); i++)
    {
      guint16 port;
      GSubprocess *server = start_s_server (versions[i], &port);
      g_autofree char *target = g_strdup_printf ("127.0.0.1:%u", port);
      g_autofree char *ca = in_dir ("ca.pem");
      const TachoGrpcOptions options = {
        .target = target, .tls = TRUE, .ca_file = ca, .bearer = "k3y", .timeout_connect = 1
      };
      TachoTransport *client = run_client (&options);
      g_autoptr (GError) error = NULL;

      g_assert_null (run_send (client, "/a.B/C", "x", 0, &error));
      g_test_message ("%s", error->message);
      g_assert_error (error, TACHO_ERROR,
                      (int) (i == 0 ? TACHO_ERROR_TLS : TACHO_ERROR_TIMEOUT_CONNECT));
      if (i == 0)
        g_assert_nonnull (strstr (error->message, "only TLS 1.1"));
      run_close (client);
      g_subprocess_force_exit (server);
      g_assert_true (g_subprocess_wait (server, NULL, NULL));
      g_object_unref (server);
    }
}

static void
check_refused (const TachoGrpcOptions *options, const char *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (tacho_grpc_client_new (options, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, words));
}

static void
test_junk_files (void)
{
  g_autofree char *junk = in_dir ("junk.pem");
  g_autofree char *cert = in_dir ("client.pem");
  g_autofree char *key = in_dir ("good.key");
  TachoGrpcOptions options = { .target = "127.0.0.1:1", .tls = TRUE };

  g_assert_true (g_file_set_contents (
      junk, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", -1, NULL));
  options.ca_file = junk;
  check_refused (&options, junk);
  options.ca_file = key; /* PEM, but no certificate */
  check_refused (&options, key);
  options.ca_file = NULL;
  options.cert_file = cert;
  check_refused (&options, "both");
  options.key_file = junk;
  check_refused (&options, junk);
}

int
main (int argc, char **argv)
{
  g_autofree char *program = g_find_program_in_path ("openssl");
  int status;

  tacho_test_init (&argc, &argv);
  if (program == NULL || !g_tls_backend_supports_tls (g_tls_backend_get_default ()))
    {
      g_test_message ("no openssl command, or no TLS backend is installed");
      return 77;
    }
  dir = tacho_test_make_tmp_dir ();
  make_certificates ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/net/grpc-tls/", cases[i].name, NULL);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/net/grpc-tls/mixed", test_mixed);
  g_test_add_func ("/net/grpc-tls/old-tls", test_old_tls);
  g_test_add_func ("/net/grpc-tls/junk-files", test_junk_files);
  status = g_test_run ();
  tacho_test_remove_tree (dir);
  g_free (dir);
  return status;
}
