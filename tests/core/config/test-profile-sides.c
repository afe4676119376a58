/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Profiles: the gRPC side, trust, keys and where they may go, numbers, copies. */
#include "test-utils.h"

#include "base/tacho-error.h"
#include "config/tacho-profile.h"

#include <math.h>

#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define COLON_REST ":22:33445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"

static TachoProfile *
new_profile (const char *url)
{
  GError *error = NULL;
  TachoProfile *profile = tacho_profile_new ("p", url, &error);

  g_assert_no_error (error);
  return profile;
}

typedef gboolean (*Setter) (TachoProfile *self, const char *text, GError **error);

static void
check_refused (TachoProfile *profile, Setter set, const char *text, const char *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (set (profile, text, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, words));
}

static void
test_grpc_target (void)
{
  TachoProfile *profile = new_profile ("https://h");
  const char *const bad[] = { "h", "h:", ":1", "h:x", "u@h:1", "h:1/x", "a\r\nb:1", "h:70000" };

  g_assert_null (tacho_profile_get_grpc_endpoint (profile));
  g_assert_true (tacho_profile_set_grpc_target (profile, "h:50051", NULL));
  g_assert_cmpstr (tacho_profile_get_grpc_endpoint (profile), ==, "h:50051");
  g_assert_true (tacho_profile_get_grpc_tls (profile));
  g_assert_true (tacho_profile_set_grpc_target (profile, "grpc://[::1]:5", NULL));
  g_assert_cmpstr (tacho_profile_get_grpc_endpoint (profile), ==, "[::1]:5");
  g_assert_false (tacho_profile_get_grpc_tls (profile));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      check_refused (profile, tacho_profile_set_grpc_target, bad[i], "gRPC address");
      g_assert_cmpstr (tacho_profile_get_grpc_target (profile), ==, "grpc://[::1]:5");
    }
  g_assert_true (tacho_profile_set_grpc_target (profile, " h:6\t", NULL));
  g_assert_cmpstr (tacho_profile_get_grpc_endpoint (profile), ==, "h:6");
  tacho_profile_set_grpc_endpoint (profile, "127.0.0.1:9");
  g_assert_cmpstr (tacho_profile_get_grpc_endpoint (profile), ==, "127.0.0.1:9");
  g_assert_finalize_object (profile);
}

static void
test_protocol (void)
{
  TachoProfile *profile = new_profile ("http://h");
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (tacho_profile_get_protocol (profile), ==, TACHO_PROTOCOL_REST);
  g_assert_false (tacho_profile_set_protocol (profile, TACHO_PROTOCOL_HYBRID, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_assert_true (tacho_profile_set_grpc_target (profile, "h:1", NULL));
  g_assert_true (tacho_profile_set_protocol (profile, TACHO_PROTOCOL_HYBRID, NULL));
  g_assert_finalize_object (profile);

  profile = new_profile (NULL);
  g_clear_error (&error);
  g_assert_cmpint (tacho_profile_get_protocol (profile), ==, TACHO_PROTOCOL_GRPC);
  g_assert_false (tacho_profile_set_protocol (profile, TACHO_PROTOCOL_REST, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_assert_finalize_object (profile);
}

static gboolean
set_cert_only (TachoProfile *profile, const char *text, GError **error)
{
  return tacho_profile_set_client_cert (profile, text, NULL, error);
}

static void
test_trust (void)
{
  TachoProfile *profile = new_profile ("https://h");
  g_autoptr (GError) error = NULL;

  g_assert_true (tacho_profile_set_pin (profile, "SHA256:" DIGITS, NULL));
  g_assert_cmpstr (tacho_profile_get_pin (profile), ==, "sha256:" DIGITS);
  g_assert_true (tacho_profile_set_pin (profile, "00:11" COLON_REST, NULL));
  g_assert_cmpstr (tacho_profile_get_pin (profile), ==, "sha256:" DIGITS);
  check_refused (profile, tacho_profile_set_pin, "sha256:12", "64 hexadecimal digits");
  check_refused (profile, tacho_profile_set_pin, DIGITS "z", "64 hexadecimal digits");
  g_assert_cmpstr (tacho_profile_get_pin (profile), ==, "sha256:" DIGITS);
  g_assert_true (tacho_profile_set_pin (profile, NULL, NULL));
  g_assert_null (tacho_profile_get_pin (profile));

  g_assert_true (tacho_profile_set_proxy (profile, "socks5://127.0.0.1:1080", NULL));
  check_refused (profile, tacho_profile_set_proxy, "ftp://h:1", "http://HOST:PORT");
  check_refused (profile, tacho_profile_set_proxy, "http://u:p@h:1", "without a name or password");
  check_refused (profile, tacho_profile_set_proxy, "h:1", "proxy");
  /* GUri would drop the tab, and decode the line break. */
  check_refused (profile, tacho_profile_set_proxy, "http://h\t:1", "proxy");
  check_refused (profile, tacho_profile_set_proxy, "http://h%0d%0aX:1", "proxy");
  g_assert_cmpstr (tacho_profile_get_proxy (profile), ==, "socks5://127.0.0.1:1080");

  check_refused (profile, set_cert_only, "/nonexistent.pem", "key is missing");
  g_assert_false (
      tacho_profile_set_client_cert (profile, "/nonexistent.pem", "/nonexistent.key", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "/nonexistent.pem"));
  g_assert_null (tacho_profile_get_cert_file (profile));
  g_assert_finalize_object (profile);
}

static void
test_plain_key (void)
{
  const struct
  {
    const char *url, *grpc;
    TachoProtocol protocol;
    gboolean exposed;
  } rows[] = {
    { "http://10.0.0.2", NULL, TACHO_PROTOCOL_REST, TRUE },
    { "https://10.0.0.2", NULL, TACHO_PROTOCOL_REST, FALSE },
    { "http://127.0.0.1:8", NULL, TACHO_PROTOCOL_REST, FALSE },
    { "https://h", "grpc://h:1", TACHO_PROTOCOL_HYBRID, TRUE },
    { "https://h", "grpc://h:1", TACHO_PROTOCOL_REST, FALSE },
    { "https://h", "h:1", TACHO_PROTOCOL_HYBRID, FALSE },
    { "http://h", "grpcs://h:1", TACHO_PROTOCOL_GRPC, FALSE },
    { "http://h", "grpcs://h:1", TACHO_PROTOCOL_HYBRID, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      TachoProfile *profile = new_profile (rows[i].url);
      g_autoptr (GError) error = NULL;

      g_assert_true (tacho_profile_set_grpc_target (profile, rows[i].grpc, NULL));
      g_assert_true (tacho_profile_set_protocol (profile, rows[i].protocol, NULL));
      g_assert_true (tacho_profile_check_plain_key (profile, NULL));
      g_assert_true (tacho_profile_set_api_key (profile, "sk-planted", NULL));
      g_assert_cmpint (tacho_profile_check_plain_key (profile, &error), ==, !rows[i].exposed);
      if (rows[i].exposed)
        {
          g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
          g_assert_null (strstr (error->message, "sk-planted"));
        }
      tacho_profile_set_allow_plain_key (profile, TRUE);
      g_assert_true (tacho_profile_check_plain_key (profile, NULL));
      g_assert_finalize_object (profile);
    }
}

static void
test_key_header (void)
{
  const char *const lines[] = { "Authorization: Basic cGxhbnRlZA==", "authorization: planted" };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      TachoProfile *profile = new_profile ("http://127.0.0.1");

      g_assert_true (tacho_profile_set_api_key (profile, "planted", NULL));
      check_refused (profile, tacho_profile_add_header, lines[i], "exclude each other");
      g_assert_true (tacho_profile_set_api_key (profile, NULL, NULL));
      g_assert_true (tacho_profile_add_header (profile, lines[i], NULL));
      check_refused (profile, tacho_profile_set_api_key, "planted", "exclude each other");
      g_assert_null (tacho_profile_get_api_key (profile));
      tacho_profile_clear_headers (profile);
      g_assert_null (tacho_profile_get_headers (profile)[0]);
      g_assert_true (tacho_profile_set_api_key (profile, "planted", NULL));
      g_assert_finalize_object (profile);
    }
}

static void
test_key_origin (void)
{
  TachoProfile *profile = new_profile ("http://h:8080/prefix");
  g_autofree char *origin = tacho_profile_dup_key_origin (profile);
  g_autofree char *both = NULL;

  g_assert_cmpstr (origin, ==, "http://h:8080");
  g_assert_true (tacho_profile_set_api_key (profile, "k", NULL));
  tacho_profile_set_key_in_keyring (profile, TRUE);
  /* Another path of the same origin keeps it. */
  g_assert_true (tacho_profile_set_url (profile, "http://h:8080/other", NULL));
  g_assert_cmpstr (tacho_profile_get_api_key (profile), ==, "k");
  g_assert_true (tacho_profile_get_key_in_keyring (profile));
  g_assert_true (tacho_profile_set_url (profile, "https://h:8080/other", NULL));
  g_assert_null (tacho_profile_get_api_key (profile));
  g_assert_false (tacho_profile_get_key_in_keyring (profile));
  g_assert_true (tacho_profile_set_grpc_target (profile, "H:50051", NULL));
  both = tacho_profile_dup_key_origin (profile);
  g_assert_cmpstr (both, ==, "https://h:8080 grpcs://h:50051");
  g_assert_true (tacho_profile_set_api_key (profile, "k", NULL));
  g_assert_true (tacho_profile_set_grpc_target (profile, "h:50052", NULL));
  g_assert_null (tacho_profile_get_api_key (profile));
  check_refused (profile, tacho_profile_set_url, "ftp://x", "cannot be used");
  check_refused (profile, tacho_profile_set_name, "a\nb", "one line");
  check_refused (profile, tacho_profile_set_name, "", "one line");
  check_refused (profile, tacho_profile_set_model, "a\tb", "one line");
  check_refused (profile, tacho_profile_set_api_key_env, "sk-planted", "not the key itself");
  check_refused (profile, tacho_profile_set_api_key_env, "1A", "its name");
  g_assert_true (tacho_profile_set_api_key_env (profile, "MY_KEY", NULL));
  g_assert_true (tacho_profile_set_name (profile, "Büro [2]", NULL));
  g_assert_finalize_object (profile);
}

static void
test_tuning (void)
{
  TachoProfile *profile = new_profile ("http://h");
  TachoProfileTuning tuning;
  const struct
  {
    guint attempts;
    double backoff_s, cap_s;
  } bad[] = { { 0, 1, 8 }, { 6, 1, 8 }, { 3, -1, 8 }, { 3, NAN, 8 }, { 3, 1, 601 } };

  tacho_profile_tuning_init (&tuning);
  g_assert_cmpuint (tuning.attempts, ==, 3);
  tuning.attempts = 5;
  g_assert_true (tacho_profile_set_tuning (profile, &tuning, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      tacho_profile_tuning_init (&tuning);
      tuning.attempts = bad[i].attempts;
      tuning.backoff_s = bad[i].backoff_s;
      tuning.backoff_cap_s = bad[i].cap_s;
      g_assert_false (tacho_profile_set_tuning (profile, &tuning, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
      g_assert_cmpuint (tacho_profile_get_tuning (profile)->attempts, ==, 5);
    }
  g_assert_finalize_object (profile);
}

static void
test_copy (void)
{
  TachoProfile *profile = new_profile ("https://h");
  TachoProfile *copy;
  TachoProfileTuning tuning;

  tacho_profile_tuning_init (&tuning);
  tuning.backoff_s = 1;
  g_assert_true (tacho_profile_set_grpc_target (profile, "h:1", NULL));
  g_assert_true (tacho_profile_set_protocol (profile, TACHO_PROTOCOL_HYBRID, NULL));
  tacho_profile_set_rest_first (profile, TRUE);
  g_assert_true (tacho_profile_add_header (profile, "X-A: 1", NULL));
  g_assert_true (tacho_profile_add_header (profile, "X-B: 2", NULL));
  g_assert_true (tacho_profile_set_timeout (profile, TACHO_TIMEOUT_IDLE, 7, NULL));
  g_assert_true (tacho_profile_set_tuning (profile, &tuning, NULL));
  g_assert_true (tacho_profile_set_api_key (profile, "k", NULL));
  tacho_profile_set_endpoint (profile, "http://127.0.0.1:1");

  copy = tacho_profile_copy (profile);
  g_assert_true (tacho_profile_equal (profile, copy));
  g_assert_null (tacho_profile_get_api_key (copy));
  g_assert_cmpstr (tacho_profile_get_endpoint (copy), ==, "https://h");
  g_assert_true (tacho_profile_add_header (copy, "X-C: 3", NULL));
  g_assert_false (tacho_profile_equal (profile, copy));
  g_assert_cmpuint (g_strv_length ((char **) tacho_profile_get_headers (profile)), ==, 2);
  g_assert_finalize_object (copy);

  copy = tacho_profile_copy (profile);
  tuning.keepalive_s = 1;
  g_assert_true (tacho_profile_set_tuning (copy, &tuning, NULL));
  g_assert_false (tacho_profile_equal (profile, copy));
  g_assert_finalize_object (copy);
  g_assert_finalize_object (profile);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/config/profile/grpc-target", test_grpc_target);
  g_test_add_func ("/config/profile/protocol", test_protocol);
  g_test_add_func ("/config/profile/trust", test_trust);
  g_test_add_func ("/config/profile/plain-key", test_plain_key);
  g_test_add_func ("/config/profile/key-header", test_key_header);
  g_test_add_func ("/config/profile/key-origin", test_key_origin);
  g_test_add_func ("/config/profile/tuning", test_tuning);
  g_test_add_func ("/config/profile/copy", test_copy);
  return g_test_run ();
}
