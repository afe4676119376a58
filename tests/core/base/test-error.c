/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names of the error classes are a contract with files and scripts. */
#include "base/tacho-error.h"
#include "test-utils.h"

static const char *const names[TACHO_ERROR_N_CLASSES] = {
  NULL,           "refused",       "connect",   "tls",       "timeout_connect", "timeout_first",
  "timeout_idle", "timeout_total", "http_4xx",  "http_429",  "http_5xx",        "grpc",
  "protocol",     "in_band",       "truncated", "cancelled",
};

static void
test_names (void)
{
  for (int i = 1; i < TACHO_ERROR_N_CLASSES; i++)
    {
      TachoErrorCode code = 0;

      g_assert_cmpstr (tacho_error_class ((TachoErrorCode) i), ==, names[i]);
      g_assert_true (tacho_error_class_from_string (names[i], &code));
      g_assert_cmpint ((int) code, ==, i);
    }
}

static void
test_other_codes (void)
{
  static const TachoErrorCode codes[] = { TACHO_ERROR_INVALID,        TACHO_ERROR_UNSUPPORTED,
                                          TACHO_ERROR_NOT_FOUND,      TACHO_ERROR_MODEL_FAILED,
                                          TACHO_ERROR_UNKNOWN_SERVER, TACHO_ERROR_IO };
  TachoErrorCode code = TACHO_ERROR_TLS;

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    {
      /* They have a name of their own, but are no class of the metrics. */
      g_assert_cmpstr (tacho_error_class (codes[i]), !=, "other");
      g_assert_false (tacho_error_class_from_string (tacho_error_class (codes[i]), &code));
    }
  g_assert_cmpstr (tacho_error_class ((TachoErrorCode) 0), ==, "other");
  g_assert_cmpstr (tacho_error_class ((TachoErrorCode) 9999), ==, "other");
  g_assert_cmpstr (tacho_error_class ((TachoErrorCode) -1), ==, "other");
  g_assert_false (tacho_error_class_from_string ("", &code));
  g_assert_false (tacho_error_class_from_string (NULL, &code));
  g_assert_cmpint (code, ==, TACHO_ERROR_TLS);
}

static void
test_unreachable (void)
{
  for (int i = 1; i < TACHO_ERROR_N_CLASSES; i++)
    {
      g_autoptr (GError) error = g_error_new_literal (TACHO_ERROR, i, "x");
      gboolean expected = i == TACHO_ERROR_REFUSED || i == TACHO_ERROR_CONNECT ||
                          i == TACHO_ERROR_TLS || i == TACHO_ERROR_TIMEOUT_CONNECT;

      g_assert_cmpint (tacho_error_is_unreachable (error), ==, expected);
    }
  g_assert_false (tacho_error_is_unreachable (NULL));
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/base/error/names", test_names);
  g_test_add_func ("/base/error/other-codes", test_other_codes);
  g_test_add_func ("/base/error/unreachable", test_unreachable);
  return g_test_run ();
}
