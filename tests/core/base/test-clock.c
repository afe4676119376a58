/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clock runs forward, can be replaced, and tells the date. */
#include "base/tacho-clock.h"
#include "test-utils.h"

#include <string.h>

static gint64
fake_cb (gpointer user_data)
{
  gint64 *now = user_data;

  return *now += 5;
}

static void
test_monotonic (void)
{
  gint64 before = g_get_monotonic_time () * 1000;
  gint64 first = tacho_clock_now_ns ();
  gint64 second = tacho_clock_now_ns ();
  gint64 after = (g_get_monotonic_time () + 1) * 1000;

  /* The same clock as GLib's, in nanoseconds. */
  g_assert_cmpint (before, <=, first);
  g_assert_cmpint (first, <=, second);
  g_assert_cmpint (second, <=, after);
}

static void
test_replaced (void)
{
  gint64 now = 100;

  tacho_clock_set_source (fake_cb, &now);
  g_assert_cmpint (tacho_clock_now_ns (), ==, 105);
  g_assert_cmpint (tacho_clock_now_ns (), ==, 110);
  tacho_clock_set_source (NULL, NULL);
  g_assert_cmpint (tacho_clock_now_ns (), >, 110);
}

static void
test_utc (void)
{
  g_autofree char *text = tacho_clock_utc_now ();
  g_autoptr (GDateTime) then = g_date_time_new_from_iso8601 (text, NULL);
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();

  g_assert_true (g_str_has_suffix (text, "Z"));
  g_assert_cmpuint (strlen (text), ==, strlen ("2026-01-01T00:00:00Z"));
  g_assert_nonnull (then);
  g_assert_cmpint (ABS (g_date_time_difference (now, then)), <, 5 * G_TIME_SPAN_SECOND);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/base/clock/monotonic", test_monotonic);
  g_test_add_func ("/base/clock/replaced", test_replaced);
  g_test_add_func ("/base/clock/utc", test_utc);
  return g_test_run ();
}
