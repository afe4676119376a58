/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Profiles: what they mend, keep and refuse. */
#include "test-utils.h"

#include "base/tacho-error.h"
#include "config/tacho-profile.h"

#include <math.h>

static TachoProfile *
new_profile (const char *name, const char *url)
{
  GError *error = NULL;
  TachoProfile *profile = tacho_profile_new (name, url, &error);

  g_assert_no_error (error);
  return profile;
}

static void
test_defaults (void)
{
  TachoProfile *profile = new_profile ("home", "127.0.0.1:8080/v1/");

  g_assert_cmpstr (tacho_profile_get_name (profile), ==, "home");
  g_assert_cmpstr (tacho_profile_get_url (profile), ==, "http://127.0.0.1:8080");
  g_assert_cmpstr (tacho_profile_get_endpoint (profile), ==, "http://127.0.0.1:8080");
  g_assert_cmpstr (tacho_profile_get_api (profile), ==, "auto");
  g_assert_null (tacho_profile_get_api_key (profile));
  g_assert_null (tacho_profile_get_ca_file (profile));
  g_assert_null (tacho_profile_get_headers (profile)[0]);
  g_assert_false (tacho_profile_is_sim (profile));
  g_assert_cmpfloat (tacho_profile_get_timeout (profile, TACHO_TIMEOUT_CONNECT), ==, 5);
  g_assert_cmpfloat (tacho_profile_get_timeout (profile, TACHO_TIMEOUT_FIRST), ==, 120);
  g_assert_cmpfloat (tacho_profile_get_timeout (profile, TACHO_TIMEOUT_IDLE), ==, 60);
  g_assert_cmpfloat (tacho_profile_get_timeout (profile, TACHO_TIMEOUT_TOTAL), ==, 600);
  g_assert_finalize_object (profile);

  profile = new_profile (NULL, "http://10.0.0.2:1/prefix");
  g_assert_cmpstr (tacho_profile_get_name (profile), ==, "http://10.0.0.2:1/prefix");
  g_assert_finalize_object (profile);
}

static void
test_bad_urls (void)
{
  const char *const urls[] = { "", "ftp://x", "http://user:secret@host/", "http://a\r\nb" };

  for (guint i = 0; i < G_N_ELEMENTS (urls); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (tacho_profile_new ("x", urls[i], &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
      g_assert_null (strstr (error->message, "secret"));
    }
}

static void
count_cb (GObject *object, GParamSpec *pspec, gpointer user_data)
{
  (*(guint *) user_data)++;
}

static void
test_sim (void)
{
  TachoProfile *profile = new_profile (NULL, "sim:fast");
  guint notified = 0;

  g_signal_connect (profile, "notify::endpoint", G_CALLBACK (count_cb), &notified);
  g_assert_true (tacho_profile_is_sim (profile));
  g_assert_cmpstr (tacho_profile_get_url (profile), ==, "sim:fast");
  g_assert_null (tacho_profile_get_endpoint (profile));
  tacho_profile_set_endpoint (profile, "http://127.0.0.1:5");
  tacho_profile_set_endpoint (profile, "http://127.0.0.1:5");
  g_assert_cmpuint (notified, ==, 1);
  g_assert_cmpstr (tacho_profile_get_endpoint (profile), ==, "http://127.0.0.1:5");
  g_assert_cmpstr (tacho_profile_get_url (profile), ==, "sim:fast");
  tacho_profile_set_endpoint (profile, NULL);
  g_assert_null (tacho_profile_get_endpoint (profile));
  g_assert_finalize_object (profile);
}

static void
test_api (void)
{
  TachoProfile *profile = new_profile (NULL, "http://h");
  g_autoptr (GError) error = NULL;

  g_assert_true (tacho_profile_set_api (profile, "llamacpp", &error));
  g_assert_cmpstr (tacho_profile_get_api (profile), ==, "llamacpp");
  g_assert_false (tacho_profile_set_api (profile, "soap", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "openai"));
  g_assert_cmpstr (tacho_profile_get_api (profile), ==, "llamacpp");
  g_clear_error (&error);
  g_assert_false (tacho_profile_set_api (
      profile, "\x1b[31mthirty-eight characters, then one of\xc3\xa9", &error));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_null (strchr (error->message, '\x1b'));
  g_assert_true (tacho_profile_set_api (profile, NULL, NULL));
  g_assert_cmpstr (tacho_profile_get_api (profile), ==, "auto");
  g_assert_finalize_object (profile);
}

static void
test_key (void)
{
  TachoProfile *profile = new_profile (NULL, "http://h");
  const char *const bad[] = { "sk-abc\r\nX: y", "sk-abc\n", "\001sk-abc" };

  g_assert_true (tacho_profile_set_api_key (profile, "sk-abc", NULL));
  g_assert_cmpstr (tacho_profile_get_api_key (profile), ==, "sk-abc");
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (tacho_profile_set_api_key (profile, bad[i], &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
      g_assert_null (strstr (error->message, "sk-abc"));
      g_assert_cmpstr (tacho_profile_get_api_key (profile), ==, "sk-abc");
    }
  g_assert_true (tacho_profile_set_api_key (profile, "", NULL));
  g_assert_null (tacho_profile_get_api_key (profile));
  /* A property could end in a binding, a dump or an inspector. */
  g_assert_null (g_object_class_find_property (G_OBJECT_GET_CLASS (profile), "api-key"));
  g_assert_finalize_object (profile);
}

static void
test_headers (void)
{
  TachoProfile *profile = new_profile (NULL, "http://h");
  const char *const bad[] = {
    "no colon", "Host: x",    "content-length: 3", "X: a\r\nY: b", "Transfer-Encoding: chunked",
    ": value",  "Bad Name: x"
  };

  g_assert_true (tacho_profile_add_header (profile, "X-Team: blue", NULL));
  g_assert_true (tacho_profile_add_header (profile, "x-api-key:abc", NULL));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (tacho_profile_add_header (profile, bad[i], &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
    }
  g_assert_cmpuint (g_strv_length ((char **) tacho_profile_get_headers (profile)), ==, 2);
  g_assert_cmpstr (tacho_profile_get_headers (profile)[0], ==, "X-Team: blue");
  g_assert_cmpstr (tacho_profile_get_headers (profile)[1], ==, "x-api-key: abc");
  g_assert_finalize_object (profile);
}

static void
test_ca_file (void)
{
  TachoProfile *profile = new_profile (NULL, "https://h");
  g_autofree char *dir = tacho_test_make_tmp_dir ();
  g_autofree char *junk = g_build_filename (dir, "junk.pem", NULL);
  g_autofree char *empty = g_build_filename (dir, "empty.pem", NULL);
  g_autofree char *missing = g_build_filename (dir, "missing.pem", NULL);
  const struct
  {
    const char *path;
    int code;
  } rows[] = { { junk, TACHO_ERROR_INVALID },
               { empty, TACHO_ERROR_INVALID },
               { missing, TACHO_ERROR_IO } };

  g_assert_true (g_file_set_contents (junk, "this is no certificate\n", -1, NULL));
  g_assert_true (g_file_set_contents (empty, "", -1, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (tacho_profile_set_ca_file (profile, rows[i].path, &error));
      g_assert_error (error, TACHO_ERROR, rows[i].code);
      g_assert_nonnull (strstr (error->message, rows[i].path));
      g_assert_null (tacho_profile_get_ca_file (profile));
    }
  g_assert_true (tacho_profile_set_ca_file (profile, NULL, NULL));
  tacho_test_remove_tree (dir);
  g_assert_finalize_object (profile);
}

static void
test_timeouts (void)
{
  TachoProfile *profile = new_profile (NULL, "http://h");
  const double bad[] = { -1, NAN, INFINITY, 1e9, 1e-6 };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (tacho_profile_set_timeout (profile, TACHO_TIMEOUT_IDLE, bad[i], &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
      g_assert_cmpfloat (tacho_profile_get_timeout (profile, TACHO_TIMEOUT_IDLE), ==, 60);
    }
  g_assert_true (tacho_profile_set_timeout (profile, TACHO_TIMEOUT_IDLE, 0, NULL));
  g_assert_true (tacho_profile_set_timeout (profile, TACHO_TIMEOUT_FIRST, 0.25, NULL));
  g_assert_cmpfloat (tacho_profile_get_timeout (profile, TACHO_TIMEOUT_IDLE), ==, 0);
  g_assert_cmpfloat (tacho_profile_get_timeout (profile, TACHO_TIMEOUT_FIRST), ==, 0.25);
  g_assert_finalize_object (profile);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/config/profile/defaults", test_defaults);
  g_test_add_func ("/config/profile/bad-urls", test_bad_urls);
  g_test_add_func ("/config/profile/sim", test_sim);
  g_test_add_func ("/config/profile/api", test_api);
  g_test_add_func ("/config/profile/key", test_key);
  g_test_add_func ("/config/profile/headers", test_headers);
  g_test_add_func ("/config/profile/ca-file", test_ca_file);
  g_test_add_func ("/config/profile/timeouts", test_timeouts);
  return g_test_run ();
}
