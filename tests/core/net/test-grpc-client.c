/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gRPC calls: what may be asked for, and what becomes of servers that are not there. */
#include "net/tacho-grpc-client.h"

#include "base/tacho-error.h"
#include "test-utils.h"

static void
test_refused_options (void)
{
  static const char *const junk_header[] = { "X-Data-Bin: aGk=", NULL };
  static const char *const reserved_header[] = { "grpc-timeout: 1S", NULL };
  static const char *const te_header[] = { "TE: trailers", NULL };
  static const char *const control_header[] = { "x-a: b\r\nx-c: d", NULL };
  const TachoGrpcOptions refused[] = {
    { .target = "127.0.0.1" },
    { .target = "" },
    { .target = "unix:/tmp/socket" },
    { .target = "xds:///a:1" },
    { .target = "dns:///a:1" },
    { .target = "a:b@c:1" },
    { .target = "a b:1" },
    { .target = "a:99999" },
    { .target = "a:1/path" },
    { .target = "[::1%25eth0]:1" },
    { .target = "127.0.0.1:1", .bearer = "a\nb" },
    { .target = "127.0.0.1:1", .bearer = "schl\xc3\xbcssel" },
    { .target = "127.0.0.1:1", .headers = junk_header },
    { .target = "127.0.0.1:1", .headers = reserved_header },
    { .target = "127.0.0.1:1", .headers = te_header },
    { .target = "127.0.0.1:1", .headers = control_header },
    { .target = "127.0.0.1:1", .tls = TRUE, .ca_file = "relative.pem" },
    { .target = "127.0.0.1:1", .tls = TRUE, .ca_file = "/nonexistent/ca.pem" },
    { .target = "127.0.0.1:1", .tls = TRUE, .ca_file = "/dev/null" },
    { .target = "127.0.0.1:1", .tls = TRUE, .cert_file = "/nonexistent/cert.pem" },
    { .target = "127.0.0.1:1", .tls = TRUE, .pin = "sha256:12" },
    { .target = "127.0.0.1:1", .pin = "sha256:12" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;

      g_test_message ("%u: %s", i, refused[i].target);
      g_assert_null (tacho_grpc_client_new (&refused[i], &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
      g_assert_null (strstr (error->message, "schl"));
    }
}

static void
check_unreached (const char *target, TachoErrorCode code)
{
  const TachoGrpcOptions options = { .target = target, .timeout_connect = 10 };
  g_autoptr (TachoHttpRequest) request = tacho_http_request_new ("gRPC", "/a.B/C");
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  TachoTransportCounters counters;
  TachoTransport *client = tacho_grpc_client_new (&options, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (tacho_transport_get_target (client), ==, target);
  g_assert_cmpint (tacho_transport_get_protocol (client), ==, TACHO_PROTOCOL_GRPC);
  tacho_transport_send_async (client, request, 0, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_null (tacho_transport_send_finish (client, result, &error));
  g_assert_error (error, TACHO_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, target));
  tacho_transport_get_counters (client, &counters);
  g_assert_cmpuint (counters.requests, ==, 1);
  g_assert_cmpuint (counters.failed, ==, 1);
  g_assert_cmpuint (counters.created, ==, 0);
  g_clear_object (&result);
  tacho_transport_close (client);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (client)->ref_count == 1);
  g_assert_finalize_object (client);
}

static void
test_unreached (void)
{
  check_unreached ("127.0.0.1:1", TACHO_ERROR_REFUSED);
  check_unreached ("localhost:1", TACHO_ERROR_REFUSED);
  check_unreached ("no-such-host.invalid:1", TACHO_ERROR_REFUSED);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/net/grpc/refused-options", test_refused_options);
  g_test_add_func ("/net/grpc/unreached", test_unreached);
  return g_test_run ();
}
