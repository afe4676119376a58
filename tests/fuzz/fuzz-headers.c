/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person types or a server sends in a line: headers, waits, targets, pins, proxies. */
#include "tacho-fuzz-apis.h"

#include <math.h>

#include "base/tacho-url.h"
#include "config/tacho-profile.h"
#include "net/tacho-retry-policy.h"

/* 2026-01-01, so that a date can lie on either side. */
#define NOW 1767225600

static void
check_wire (const char *text, gboolean blank)
{
  for (; text != NULL && *text != '\0'; text++)
    TACHO_FUZZ_CHECK ((guchar) *text > (blank ? 0x1f : 0x20) && *text != 0x7f);
}

static void
check_header (const char *text)
{
  g_autofree char *name = NULL;
  g_autofree char *value = NULL;
  g_autofree char *line = NULL;
  g_autofree char *again = NULL;
  GError *error = NULL;
  gboolean good = tacho_header_parse (text, &name, &value, &error);

  tacho_fuzz_check_error (good, error);
  if (!good)
    return;
  TACHO_FUZZ_CHECK (tacho_header_check (name, value, NULL));
  TACHO_FUZZ_CHECK (strpbrk (name, "\r\n") == NULL && strpbrk (value, "\r\n") == NULL);
  line = g_strdup_printf ("%s: %s", name, value);
  g_clear_pointer (&name, g_free);
  TACHO_FUZZ_CHECK (tacho_header_parse (line, &name, &again, NULL));
  TACHO_FUZZ_CHECK (g_str_equal (value, again));
}

static void
check_wait (const char *text)
{
  static const char *const names[] = { "Retry-After", "retry-after-ms", "grpc-retry-pushback-ms",
                                       "grpc-status", "x-should-retry" };
  double wait = tacho_retry_after_parse (text, NOW);
  g_autoptr (GBytes) body = g_bytes_new_static ("", 0);

  TACHO_FUZZ_CHECK (isnan (wait) || (isfinite (wait) && wait >= 0));
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (TachoHttpReply) reply = tacho_http_reply_new (503, body);
      TachoFailure failure = { .server_wait_s = NAN, .grpc_status = -1, .should_retry = -1 };

      tacho_http_reply_add_header (reply, names[i], text);
      tacho_failure_read_reply (&failure, reply);
      TACHO_FUZZ_CHECK (!isinf (failure.server_wait_s));
      TACHO_FUZZ_CHECK (failure.should_retry >= -1 && failure.should_retry <= 1);
    }
}

/* Each setter takes what it gives again, and a refusal changes nothing. */
static void
check_profile (const char *text)
{
  g_autoptr (TachoProfile) profile = tacho_profile_new ("p", "http://127.0.0.1:1", NULL);
  g_autoptr (TachoProfile) copy = NULL;
  GError *error = NULL;
  gboolean good;

  good = tacho_profile_set_grpc_target (profile, text, &error);
  tacho_fuzz_check_error (good, g_steal_pointer (&error));
  check_wire (tacho_profile_get_grpc_target (profile), FALSE);
  check_wire (tacho_profile_get_grpc_endpoint (profile), FALSE);
  TACHO_FUZZ_CHECK (good || tacho_profile_get_grpc_target (profile) == NULL);
  good = tacho_profile_set_pin (profile, text, &error);
  tacho_fuzz_check_error (good, g_steal_pointer (&error));
  TACHO_FUZZ_CHECK (!good || tacho_profile_get_pin (profile) == NULL ||
                    strlen (tacho_profile_get_pin (profile)) == strlen ("sha256:") + 64);
  good = tacho_profile_set_proxy (profile, text, &error);
  tacho_fuzz_check_error (good, g_steal_pointer (&error));
  check_wire (tacho_profile_get_proxy (profile), FALSE);
  good = tacho_profile_add_header (profile, text, &error);
  tacho_fuzz_check_error (good, g_steal_pointer (&error));
  good = tacho_profile_set_api_key (profile, text, &error);
  tacho_fuzz_check_error (good, g_steal_pointer (&error));
  if (tacho_profile_get_api_key (profile) != NULL)
    TACHO_FUZZ_CHECK (strpbrk (tacho_profile_get_api_key (profile), "\r\n\x1b\x7f") == NULL);
  good = tacho_profile_set_api_key_env (profile, text, &error);
  tacho_fuzz_check_error (good, g_steal_pointer (&error));
  good = tacho_profile_set_model (profile, text, &error);
  tacho_fuzz_check_error (good, g_steal_pointer (&error));
  good = tacho_profile_set_api (profile, text, &error);
  tacho_fuzz_check_error (good, g_steal_pointer (&error));
  copy = tacho_profile_copy (profile);
  TACHO_FUZZ_CHECK (tacho_profile_equal (profile, copy));
  good = tacho_profile_set_name (profile, text, &error);
  tacho_fuzz_check_error (good, g_steal_pointer (&error));
  good = tacho_profile_set_url (profile, text, &error);
  tacho_fuzz_check_error (good, g_steal_pointer (&error));
  check_wire (tacho_profile_get_url (profile), FALSE);
  if (good)
    {
      g_autofree char *origin = tacho_profile_dup_key_origin (profile);

      check_wire (origin, TRUE);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);

  check_header (text);
  check_wait (text);
  check_profile (text);
  return 0;
}
