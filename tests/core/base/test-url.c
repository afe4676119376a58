/* SPDX-License-Identifier: GPL-3.0-or-later */
/* URLs as people type and attackers craft them; headers that may go on the wire. */
#include "base/tacho-url.h"
#include "test-utils.h"

#include <string.h>

static void
test_mended (void)
{
  static const char *const cases[][2] = {
    { "http://127.0.0.1:8080", "http://127.0.0.1:8080" },
    { "http://127.0.0.1:8080/", "http://127.0.0.1:8080" },
    { "localhost:8080", "http://localhost:8080" },
    { "127.0.0.1:8080/v1/", "http://127.0.0.1:8080" },
    { "//host:1", "http://host:1" },
    { "  http://host\n", "http://host" },
    { "https://host/v1", "https://host" },
    { "HTTPS://Host.EXAMPLE/Path", "https://host.example/Path" },
    { "https://host/prefix/", "https://host/prefix" },
    { "https://host/prefix/v1///", "https://host/prefix" },
    { "https://host/a/b/v1/c", "https://host/a/b/v1/c" },
    { "https://host/nov1", "https://host/nov1" },
    { "https://host/v1beta", "https://host/v1beta" },
    { "http://host:80", "http://host:80" },
    { "http://host/?key=1#x", "http://host" },
    { "http://host?key=1", "http://host" },
    { "http://host#x", "http://host" },
    { "host/p?next=http://other", "http://host/p" },
    { "http://[::1]:8080/v1", "http://[::1]:8080" },
    { "[::1]:8080", "http://[::1]:8080" },
    { "http://[2001:DB8::1]", "http://[2001:db8::1]" },
    { "http://host_name.local.", "http://host_name.local." },
    { "http://b\xc3\xbc"
      "cher.example",
      "http://xn--bcher-kva.example" },
    { "http://host/p%20q", "http://host/p%20q" },
    { "http://host/%0d%0aX", "http://host/%0D%0AX" },
    { "http://host/\xc3\xbc", "http://host/%C3%BC" },
    { "http://host/\"<x>", "http://host/%22%3Cx%3E" },
    { "http://host/a@b", "http://host/a@b" },
    { "sim:", "sim:" },
    { "sim:fast", "sim:fast" },
    { "http://0.0.0.0:1", "http://0.0.0.0:1" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *url = tacho_url_normalize (cases[i][0], &error);
      g_autofree char *again = NULL;

      g_assert_no_error (error);
      g_assert_cmpstr (url, ==, cases[i][1]);
      again = tacho_url_normalize (url, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (again, ==, url);
    }
}

static void
test_refused (void)
{
  static const struct
  {
    const char *text;
    TachoUrlError code;
  } cases[] = {
    { NULL, TACHO_URL_ERROR_SYNTAX },
    { "", TACHO_URL_ERROR_SYNTAX },
    { "   ", TACHO_URL_ERROR_SYNTAX },
    { "http://a b", TACHO_URL_ERROR_SYNTAX },
    { "http://a\nb", TACHO_URL_ERROR_SYNTAX },
    { "http://a\tb", TACHO_URL_ERROR_SYNTAX },
    { "http://a\x7f", TACHO_URL_ERROR_SYNTAX },
    { "http://a\\b", TACHO_URL_ERROR_SYNTAX },
    { "http://\xff", TACHO_URL_ERROR_SYNTAX },
    { "http:host", TACHO_URL_ERROR_SYNTAX },
    { "http:/host", TACHO_URL_ERROR_SYNTAX },
    { "HTTPS:host", TACHO_URL_ERROR_SYNTAX },
    { "http://host:99999", TACHO_URL_ERROR_SYNTAX },
    { "http://host:x", TACHO_URL_ERROR_SYNTAX },
    { "http://host:-1", TACHO_URL_ERROR_SYNTAX },
    { "http://host:0", TACHO_URL_ERROR_HOST },
    { "http://[::1", TACHO_URL_ERROR_SYNTAX },
    { "http://[xyz]", TACHO_URL_ERROR_SYNTAX },
    { "javascript:alert(1)", TACHO_URL_ERROR_SYNTAX },
    { "mailto:x", TACHO_URL_ERROR_SYNTAX },
    { "ftp://host", TACHO_URL_ERROR_SCHEME },
    { "file:///etc/passwd", TACHO_URL_ERROR_SCHEME },
    { "ws://host", TACHO_URL_ERROR_SCHEME },
    { "httpx://host", TACHO_URL_ERROR_SCHEME },
    { "http://", TACHO_URL_ERROR_HOST },
    { "http:///path", TACHO_URL_ERROR_HOST },
    { "http://:8080", TACHO_URL_ERROR_HOST },
    { "http://...", TACHO_URL_ERROR_HOST },
    { "http://x%0d%0aX-Injected%3A%201/", TACHO_URL_ERROR_HOST },
    { "http://x%00y", TACHO_URL_ERROR_SYNTAX },
    { "http://x%20y", TACHO_URL_ERROR_HOST },
    { "http://x%2fy", TACHO_URL_ERROR_HOST },
    { "http://x%40y", TACHO_URL_ERROR_HOST },
    { "http://a;b", TACHO_URL_ERROR_HOST },
    { "http://user:hunter2@host", TACHO_URL_ERROR_USERINFO },
    { "http://user@host", TACHO_URL_ERROR_USERINFO },
    { "http://@host", TACHO_URL_ERROR_USERINFO },
    { "user:hunter2@host", TACHO_URL_ERROR_USERINFO },
    { "//user:hunter2@host", TACHO_URL_ERROR_USERINFO },
    { "http://user:hunter2@host:bad", TACHO_URL_ERROR_USERINFO },
    { "http://user:hun ter2@host", TACHO_URL_ERROR_USERINFO },
    { "http://host:bad/?key=hunter2", TACHO_URL_ERROR_SYNTAX },
    { "http://host:bad#hunter2", TACHO_URL_ERROR_SYNTAX },
  };
  g_autofree char *long_text = g_strnfill (5000, 'a');
  g_autoptr (GError) too_long = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *url = tacho_url_normalize (cases[i].text, &error);

      g_assert_null (url);
      g_assert_error (error, TACHO_URL_ERROR, (int) cases[i].code);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      /* A secret never enters a message. */
      g_assert_null (strstr (error->message, "hun"));
      g_assert_null (strchr (error->message, '\n'));
    }
  g_assert_null (tacho_url_normalize (long_text, &too_long));
  g_assert_error (too_long, TACHO_URL_ERROR, TACHO_URL_ERROR_SYNTAX);
}

static void
test_loopback (void)
{
  static const char *const yes[] = {
    "http://127.0.0.1:8080", "http://127.1.2.3",   "http://[::1]:1/x",       "http://localhost",
    "https://LocalHost:443", "http://a.localhost", "http://a.b.LOCALHOST:1",
  };
  static const char *const no[] = {
    "http://0.0.0.0:8080",
    "http://128.0.0.1",
    "http://[::]",
    "http://[fe80::1]",
    "http://localhost.evil.example",
    "http://notlocalhost",
    "http://.localhost.example",
    "http://localhost@evil.example",
    "http://127.0.0.1.nip.io",
    "http://10.0.0.1",
    "sim:",
    "",
    "127.0.0.1",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (yes); i++)
    if (!tacho_url_is_loopback (yes[i]))
      g_error ("%s", yes[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (no); i++)
    if (tacho_url_is_loopback (no[i]))
      g_error ("%s", no[i]);
  g_assert_false (tacho_url_is_loopback (NULL));
}

static void
test_parts (void)
{
  static const char *const origins[][2] = {
    { "http://host/x", "http://host:80" },
    { "https://HOST", "https://host:443" },
    { "http://[::1]:8080/p", "http://[::1]:8080" },
    { "http://host/%FF?%00", "http://host:80" },
    { "sim:", NULL },
    { "", NULL },
  };
  g_autofree char *joined = tacho_url_join ("http://host/p", "/v1/models");

  g_assert_cmpstr (joined, ==, "http://host/p/v1/models");
  for (gsize i = 0; i < G_N_ELEMENTS (origins); i++)
    {
      g_autofree char *origin = tacho_url_origin (origins[i][0]);

      g_assert_cmpstr (origin, ==, origins[i][1]);
    }
  g_assert_true (tacho_url_is_sim ("sim:"));
  g_assert_true (tacho_url_is_sim ("sim:slow"));
  g_assert_false (tacho_url_is_sim ("simulator"));
  g_assert_false (tacho_url_is_sim ("http://sim:80"));
  g_assert_false (tacho_url_is_sim (NULL));
}

static void
test_headers (void)
{
  static const char *const good[][2] = {
    { "X-Custom", "value" },
    { "Authorization", "Bearer sk-1" },
    { "x", "" },
    { "!#$%&'*+-.^_`|~09azAZ", "v" },
    { "X-Tab", "a\tb" },
    { "X-Latin", "caf\xc3\xa9" },
    { "X-Long", "a b c : ; \"q\"" },
    { "HostX", "v" },
  };
  static const char *const bad[][2] = {
    { "", "v" },
    { "a b", "v" },
    { "a:b", "v" },
    { "a\r\nX", "v" },
    { "\xc3\xa9", "v" },
    { "a\x7f", "v" },
    { "(a)", "v" },
    { "a/b", "v" },
    { "X", "sec\rret" },
    { "X", "sec\nret" },
    { "X", "sec\x01ret" },
    { "X", "sec\x7fret" },
    { "X", " secret" },
    { "X", "secret " },
    { "X", "secret\t" },
    { "X", "\tsecret" },
    { "Host", "secret" },
    { "content-length", "5" },
    { "Transfer-Encoding", "chunked" },
    { "CONNECTION", "close" },
    { "TE", "trailers" },
    { "Upgrade", "h2c" },
    { "Keep-Alive", "1" },
    { "Trailer", "X" },
    { "Expect", "100-continue" },
    { "Proxy-Connection", "x" },
    { "Accept-Encoding", "gzip" },
    { "Content-Encoding", "gzip" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_true (tacho_header_check (good[i][0], good[i][1], &error));
      g_assert_no_error (error);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (tacho_header_check (bad[i][0], bad[i][1], &error));
      g_assert_error (error, TACHO_URL_ERROR, TACHO_URL_ERROR_HEADER);
      g_assert_null (strstr (error->message, "sec"));
      g_assert_null (strchr (error->message, '\r'));
    }
}

static void
test_header_parse (void)
{
  static const char *const bad[] = { "",      "K",       "K v",     ": v",   "K : v",
                                     " K: v", "Host: x", "K: a\rb", "K\n: v" };
  g_autofree char *name = NULL;
  g_autofree char *value = NULL;
  g_autofree char *name2 = NULL;
  g_autofree char *value2 = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (tacho_header_parse ("K: \t a:b c \t", &name, &value, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (name, ==, "K");
  g_assert_cmpstr (value, ==, "a:b c");
  g_assert_true (tacho_header_parse ("K:", &name2, &value2, NULL));
  g_assert_cmpstr (value2, ==, "");
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      char *no_name = NULL;
      char *no_value = NULL;
      g_autoptr (GError) reason = NULL;

      g_assert_false (tacho_header_parse (bad[i], &no_name, &no_value, &reason));
      g_assert_error (reason, TACHO_URL_ERROR, TACHO_URL_ERROR_HEADER);
      g_assert_null (no_name);
      g_assert_null (no_value);
    }
}

static void
test_secrets (void)
{
  static const char *const yes[] = {
    "Authorization", "AUTHORIZATION", "x-api-key",           "Api-Key",
    "Cookie",        "Set-Cookie",    "X-Auth-Token",        "x-goog-api-key",
    "My-Secret",     "X-Password",    "Proxy-Authorization", "Ocp-Apim-Subscription-Key",
    "X-Credentials"
  };
  static const char *const no[] = { "Accept", "Content-Type", "User-Agent", "X-Request-Id",
                                    "Keyboard" };

  for (gsize i = 0; i < G_N_ELEMENTS (yes); i++)
    g_assert_true (tacho_header_is_secret (yes[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (no); i++)
    g_assert_false (tacho_header_is_secret (no[i]));
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/base/url/mended", test_mended);
  g_test_add_func ("/base/url/refused", test_refused);
  g_test_add_func ("/base/url/loopback", test_loopback);
  g_test_add_func ("/base/url/parts", test_parts);
  g_test_add_func ("/base/header/check", test_headers);
  g_test_add_func ("/base/header/parse", test_header_parse);
  g_test_add_func ("/base/header/secrets", test_secrets);
  return g_test_run ();
}
