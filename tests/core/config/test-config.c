/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration: where values come from, what is said of bad ones, what a save keeps. */
#include "test-utils.h"

#include "base/tacho-error.h"
#include "config/tacho-config-file.h"
#include "config/tacho-config.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  char *dir;
  char *path;
} Fixture;

static void
setup (Fixture *f, gconstpointer unused)
{
  f->dir = tacho_test_make_tmp_dir ();
  f->path = g_build_filename (f->dir, "tacho", "tacho.conf", NULL);
}

static void
teardown (Fixture *f, gconstpointer unused)
{
  tacho_test_remove_tree (f->dir);
  g_free (f->dir);
  g_free (f->path);
}

static void
write_file (Fixture *f, const char *text)
{
  g_autofree char *dir = g_path_get_dirname (f->path);

  g_assert_cmpint (g_mkdir_with_parents (dir, 0700), ==, 0);
  g_assert_true (g_file_set_contents (f->path, text, -1, NULL));
}

static char *
read_file (const char *path)
{
  char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static void
check_value (TachoConfig *config,
             const char *group,
             const char *key,
             const char *expected,
             TachoConfigOrigin origin)
{
  TachoConfigOrigin found;
  g_autofree char *value = tacho_config_dup_value (config, group, key, &found);

  g_assert_cmpstr (value, ==, expected);
  g_assert_cmpint (found, ==, origin);
}

static gboolean
has_warning (TachoConfig *config, const char *a, const char *b)
{
  const char *const *warnings = tacho_config_get_warnings (config);

  for (guint i = 0; warnings[i] != NULL; i++)
    if (strstr (warnings[i], a) != NULL && strstr (warnings[i], b) != NULL)
      return TRUE;
  for (guint i = 0; warnings[i] != NULL; i++)
    g_test_message ("%s", warnings[i]);
  g_test_message ("no warning with “%s” and “%s”", a, b);
  return FALSE;
}

static TachoProfile *
new_profile (const char *name, const char *url)
{
  GError *error = NULL;
  TachoProfile *profile = tacho_profile_new (name, url, &error);

  g_assert_no_error (error);
  return profile;
}

static void
test_no_file (Fixture *f, gconstpointer unused)
{
  TachoConfig *config = tacho_config_new (f->path);
  g_autofree char *dir = g_path_get_dirname (f->path);
  g_autoptr (GError) error = NULL;

  g_assert_no_error (tacho_config_get_error (config));
  g_assert_null (tacho_config_get_warnings (config)[0]);
  g_assert_cmpuint (g_list_model_get_n_items (tacho_config_get_profiles (config)), ==, 0);
  check_value (config, "inference", "timeout-idle", "60", TACHO_ORIGIN_DEFAULT);
  check_value (config, "inference", "temperature", NULL, TACHO_ORIGIN_DEFAULT);
  g_assert_false (tacho_config_set_value (config, "inference", "temperature", "3", &error));
  g_assert_false (g_file_test (dir, G_FILE_TEST_EXISTS));
  g_assert_finalize_object (config);
}

static void
test_precedence (Fixture *f, gconstpointer unused)
{
  TachoConfig *config;
  g_autofree char *special = NULL;
  g_autofree char *other = NULL;
  g_autofree char *forced = NULL;
  TachoProfile *profile;

  write_file (f, "[inference]\ntemperature=0.5\ntimeout-idle=2m\nattempts=2\n"
                 "[model big/one]\ntemperature=1.5\n"
                 "[profile a]\nurl=http://h\ntimeout-idle=7\n");
  config = tacho_config_new (f->path);
  g_assert_null (tacho_config_get_warnings (config)[0]);
  check_value (config, "inference", "temperature", "0.5", TACHO_ORIGIN_FILE);
  check_value (config, "inference", "timeout-idle", "120", TACHO_ORIGIN_FILE);
  special = tacho_config_dup_inference (config, "big/one", "temperature", NULL);
  g_assert_cmpstr (special, ==, "1.5");
  other = tacho_config_dup_inference (config, "small", "temperature", NULL);
  g_assert_cmpstr (other, ==, "0.5");

  profile = tacho_profile_copy (tacho_config_lookup_profile (config, "a"));
  tacho_config_apply_defaults (config, profile);
  g_assert_cmpfloat (tacho_profile_get_timeout (profile, TACHO_TIMEOUT_IDLE), ==, 7);
  g_assert_cmpuint (tacho_profile_get_tuning (profile)->attempts, ==, 2);
  g_assert_cmpfloat (tacho_profile_get_timeout (profile, TACHO_TIMEOUT_FIRST), ==, 120);

  g_setenv ("TACHO_TEMPERATURE", "2", TRUE);
  g_setenv ("TACHO_TIMEOUT_IDLE", "9", TRUE);
  check_value (config, "inference", "temperature", "2", TACHO_ORIGIN_ENVIRONMENT);
  forced = tacho_config_dup_inference (config, "big/one", "temperature", NULL);
  g_assert_cmpstr (forced, ==, "2");
  tacho_config_apply_defaults (config, profile);
  g_assert_cmpfloat (tacho_profile_get_timeout (profile, TACHO_TIMEOUT_IDLE), ==, 9);
  /* A variable that is not allowed is as if it were not there, and said. */
  g_setenv ("TACHO_TEMPERATURE", "hot", TRUE);
  tacho_config_reload (config);
  check_value (config, "inference", "temperature", "0.5", TACHO_ORIGIN_FILE);
  g_assert_true (has_warning (config, "TACHO_TEMPERATURE = hot", "a number from 0 to 2"));
  g_unsetenv ("TACHO_TEMPERATURE");
  g_unsetenv ("TACHO_TIMEOUT_IDLE");
  /* Two bad escapes in one value are too much for GKeyFile, which warns. */
  write_file (f, "[general]\nprofile=\\e=\\\n");
  tacho_config_reload (config);
  g_assert_true (has_warning (config, "profile", "a backslash is written"));
  g_assert_finalize_object (profile);
  g_assert_finalize_object (config);
}

static void
test_bad_values (Fixture *f, gconstpointer unused)
{
  static const struct
  {
    const char *group, *key, *value, *allowed;
  } rows[] = {
    { "inference", "temperature", "2.1", "a number from 0 to 2 is allowed" },
    { "inference", "temperature", "-0.1", "a number from 0 to 2 is allowed" },
    { "inference", "temperature", "nan", "a number from 0 to 2 is allowed" },
    { "inference", "temperature", "0x1", "a number from 0 to 2 is allowed" },
    { "inference", "temperature", "1,5", "a number from 0 to 2 is allowed" },
    { "inference", "top-p", "1.01", "a number from 0 to 1 is allowed" },
    { "inference", "max-tokens", "0", "a whole number from 1 to 100000000" },
    { "inference", "max-tokens", "1.5", "a whole number from 1 to 100000000" },
    { "inference", "streaming", "maybe", "true or false is allowed" },
    { "inference", "timeout-first", "-1", "seconds from 0 to 604800" },
    { "inference", "timeout-first", "5 parsecs", "seconds from 0 to 604800" },
    { "inference", "attempts", "6", "a whole number from 1 to 5" },
    { "inference", "backoff", "61", "seconds from 0 to 60" },
    { "inference", "backoff-cap", "601", "seconds from 0 to 600" },
    { "inference", "server-wait", "3601", "seconds from 0 to 3600" },
    { "model m", "context", "0", "a whole number from 1 to 1000000000" },
    { "profile p", "protocol", "soap", "one of these is allowed: rest, grpc, hybrid" },
    { "profile p", "order", "none", "one of these is allowed: grpc-first, rest-first" },
    { "profile p", "breaker-open", "0", "seconds from 0.1 to 3600" },
    { "profile p", "api-key-in-keyring", "x", "true or false is allowed" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *line = g_strdup_printf ("%s=%s", rows[i].key, rows[i].value);
      g_autofree char *text = g_strdup_printf ("[%s]\n%s\n", rows[i].group, line);
      g_autofree char *where =
          g_strdup_printf ("[%s] %s = %s: ", rows[i].group, rows[i].key, rows[i].value);
      g_autofree char *after = NULL;
      TachoConfig *config;
      g_autoptr (GError) error = NULL;

      write_file (f, text);
      config = tacho_config_new (f->path);
      g_assert_no_error (tacho_config_get_error (config));
      g_assert_true (has_warning (config, where, rows[i].allowed));
      g_assert_true (has_warning (config, where, f->path));
      /* To set it is refused, with the same words; and the line survives the save of another. */
      g_assert_false (
          tacho_config_set_value (config, rows[i].group, rows[i].key, rows[i].value, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, rows[i].allowed));
      g_assert_true (tacho_config_set_value (config, "inference", "model", "m", NULL));
      after = read_file (f->path);
      g_assert_nonnull (strstr (after, line));
      g_assert_nonnull (strstr (after, "model=m\n"));
      g_assert_finalize_object (config);
    }
}

static void
test_survival (Fixture *f, gconstpointer unused)
{
  TachoConfig *config;
  TachoProfile *edited;
  g_autofree char *after = NULL;
  g_autofree char *backup = g_strconcat (f->path, ".bak", NULL);
  g_autofree char *saved = NULL;
  struct stat info;
  const char *const kept[] = {
    "# of mine",         "[inference]", "temprature=1",       "# why so hot",
    "[from the future]", "x=y",         "breaker-open=never", "[profile b]",
  };
  const char *text = "# of mine\n[inference]\ntemprature=1\n# why so hot\ntemperature=0.5\n\n"
                     "[from the future]\nx=y\n"
                     "[profile a]\nurl=http://h\nbreaker-open=never\nshade=blue\n"
                     "[profile b]\nurl=https://b\n";

  write_file (f, text);
  config = tacho_config_new (f->path);
  g_assert_true (has_warning (config, "[inference] temprature", "no such key"));
  g_assert_true (has_warning (config, "[from the future]", "no such group"));
  edited = tacho_profile_copy (tacho_config_lookup_profile (config, "a"));
  g_assert_true (tacho_profile_set_timeout (edited, TACHO_TIMEOUT_IDLE, 3, NULL));
  g_assert_true (tacho_profile_set_name (edited, "new", NULL));
  g_assert_true (tacho_config_update_profile (config, "a", edited, NULL));
  g_assert_true (tacho_config_set_value (config, "inference", "temperature", "0.75", NULL));
  after = read_file (f->path);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    g_assert_nonnull (strstr (after, kept[i]));
  g_assert_nonnull (strstr (after, "[profile new]"));
  g_assert_nonnull (strstr (after, "shade=blue"));
  g_assert_nonnull (strstr (after, "timeout-idle=3"));
  g_assert_null (strstr (after, "[profile a]"));
  saved = read_file (backup);
  g_assert_nonnull (strstr (saved, "temperature=0.5"));
  g_assert_cmpint (stat (f->path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 0777, ==, 0600);
  g_assert_cmpint (stat (backup, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 0777, ==, 0600);
  g_assert_finalize_object (edited);
  g_assert_finalize_object (config);
}

static void
test_broken (Fixture *f, gconstpointer unused)
{
  const char *const texts[] = { "junk\n[a]\n", "[inference\ntemperature=1\n", "a=b\n",
                                "[a]\nb=\xff\xfe\n" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      TachoConfig *config;
      g_autofree char *aside = NULL;
      g_autofree char *after = NULL;

      write_file (f, texts[i]);
      config = tacho_config_new (f->path);
      g_assert_error (tacho_config_get_error (config), TACHO_ERROR, TACHO_ERROR_INVALID);
      g_assert_nonnull (strstr (tacho_config_get_error (config)->message, f->path));
      check_value (config, "inference", "timeout-idle", "60", TACHO_ORIGIN_DEFAULT);
      after = read_file (f->path);
      g_assert_cmpstr (after, ==, texts[i]);
      g_assert_true (tacho_config_set_value (config, "inference", "model", "m", NULL));
      g_assert_no_error (tacho_config_get_error (config));
      g_assert_nonnull (strstr (tacho_config_get_set_aside (config), ".broken-"));
      aside = read_file (tacho_config_get_set_aside (config));
      g_assert_cmpstr (aside, ==, texts[i]);
      check_value (config, "inference", "model", "m", TACHO_ORIGIN_FILE);
      g_assert_finalize_object (config);
    }
}

static void
test_profiles (Fixture *f, gconstpointer unused)
{
  const char *const names[] = { "plain", "Büro [2] = 50 %", " edge ", "profile x", "a/b;c#d" };
  TachoConfig *config = tacho_config_new (f->path);
  TachoConfig *again;
  g_autoptr (GError) error = NULL;
  struct stat info;
  g_autofree char *dir = g_path_get_dirname (f->path);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      TachoProfile *profile = new_profile (names[i], "https://h:1/x");
      TachoProfileTuning tuning = *tacho_profile_get_tuning (profile);

      tuning.backoff_cap_s = 12.5;
      tuning.max_connections = 3;
      g_assert_true (tacho_profile_set_grpc_target (profile, "grpc://h:2", NULL));
      g_assert_true (tacho_profile_set_protocol (profile, TACHO_PROTOCOL_HYBRID, NULL));
      g_assert_true (tacho_profile_set_api (profile, "oip", NULL));
      g_assert_true (tacho_profile_set_model (profile, "m\\1", NULL));
      g_assert_true (tacho_profile_add_header (profile, "X-A: 1; b, \\ c", NULL));
      g_assert_true (tacho_profile_add_header (profile, "X-B: 2", NULL));
      g_assert_true (tacho_profile_set_api_key_env (profile, "MY_KEY", NULL));
      g_assert_true (tacho_profile_set_api_key (profile, "sk-planted", NULL));
      tacho_profile_set_rest_first (profile, i % 2 == 0);
      g_assert_true (tacho_profile_set_tuning (profile, &tuning, NULL));
      g_assert_true (tacho_profile_set_timeout (profile, TACHO_TIMEOUT_TOTAL, 0.25, NULL));
      tacho_config_add_profile (config, profile, &error);
      g_assert_no_error (error);
      g_assert_false (tacho_config_add_profile (config, profile, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
      g_clear_error (&error);

      again = tacho_config_new (f->path);
      g_assert_null (tacho_config_get_warnings (again)[0]);
      g_assert_nonnull (tacho_config_lookup_profile (again, names[i]));
      g_assert_true (tacho_profile_equal (tacho_config_lookup_profile (again, names[i]), profile));
      g_assert_finalize_object (again);
      g_assert_finalize_object (profile);
    }
  {
    g_autofree char *text = read_file (f->path);

    g_assert_null (strstr (text, "planted"));
  }
  g_assert_cmpint (stat (dir, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 0777, ==, 0700);
  g_assert_true (tacho_config_set_value (config, "general", "profile", "plain", NULL));
  g_assert_true (tacho_config_remove_profile (config, "plain", NULL));
  check_value (config, "general", "profile", NULL, TACHO_ORIGIN_DEFAULT);
  g_assert_false (tacho_config_remove_profile (config, "plain", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
  g_assert_finalize_object (config);
}

/* GKeyFile itself would warn of the second. */
static void
test_bad_escapes (Fixture *f, gconstpointer unused)
{
  TachoConfig *config;

  write_file (f, "[profile a]\nurl=https://h\nheaders=X-A: 1\\e;X-B: \\e\\;\n"
                 "[inference]\nsystem-prompt=\\e and \\e\n");
  config = tacho_config_new (f->path);
  g_assert_true (has_warning (config, "[profile a]", "a backslash is written"));
  g_assert_true (has_warning (config, "system-prompt", "a backslash is written"));
  g_assert_finalize_object (config);
}

static void
test_secrets (Fixture *f, gconstpointer unused)
{
  TachoConfig *config;
  TachoProfile *profile = new_profile ("p", "https://h");
  g_autoptr (GError) error = NULL;
  const char *const *warnings;

  write_file (f, "[profile a]\nurl=https://h\napi-key=sk-planted\nAPI_TOKEN=sk-planted\n"
                 "[profile b]\nurl=https://h\nheaders=Authorization: sk-planted;\n"
                 "[profile c]\nurl=https://user:sk-planted@h\n"
                 "[profile d]\nurl=https://h\napi-key-env=sk-planted\n");
  config = tacho_config_new (f->path);
  warnings = tacho_config_get_warnings (config);
  for (guint i = 0; warnings[i] != NULL; i++)
    g_assert_null (strstr (warnings[i], "planted"));
  g_assert_true (has_warning (config, "[profile a] api-key:", "api-key-env=VARIABLE"));
  g_assert_true (has_warning (config, "[profile a] API_TOKEN:", "do not belong"));
  g_assert_true (has_warning (config, "[profile b] cannot be used", "carries a secret"));
  g_assert_true (has_warning (config, "[profile c] cannot be used", "url"));
  g_assert_true (has_warning (config, "[profile d] api-key-env", "not the key itself"));
  g_assert_null (tacho_profile_get_api_key (tacho_config_lookup_profile (config, "a")));
  g_assert_null (tacho_config_lookup_profile (config, "b"));
  g_assert_false (tacho_config_set_value (config, "profile a", "api-key", "sk-planted", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_assert_null (strstr (error->message, "planted"));
  g_clear_error (&error);
  g_assert_true (tacho_profile_add_header (profile, "X-Api-Key: sk-planted", NULL));
  g_assert_false (tacho_config_add_profile (config, profile, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_assert_null (strstr (error->message, "planted"));
  g_assert_finalize_object (profile);
  g_assert_finalize_object (config);
}

/* What makes a connection safe is not left out in silence. */
static void
test_vital (Fixture *f, gconstpointer unused)
{
  TachoConfig *config;

  write_file (f, "[profile pin]\nurl=https://h\npin=sha256:12\n"
                 "[profile ca]\nurl=https://h\nca=/nonexistent.pem\n"
                 "[profile cert]\nurl=https://h\nclient-cert=/nonexistent.pem\n"
                 "[profile proxy]\nurl=https://h\nproxy=ftp://x\n"
                 "[profile none]\napi=auto\n"
                 "[profile grpc]\ngrpc=h:1\n"
                 "[profile both]\nurl=http://h\ngrpc=h:1\n"
                 "[profile rest]\nurl=http://h\ngrpc=h:1\nprotocol=rest\n");
  config = tacho_config_new (f->path);
  g_assert_true (has_warning (config, "[profile pin] cannot be used", "64 hexadecimal"));
  g_assert_true (has_warning (config, "[profile ca] cannot be used", "/nonexistent.pem"));
  g_assert_true (has_warning (config, "[profile cert] cannot be used", "key is missing"));
  g_assert_true (has_warning (config, "[profile proxy] cannot be used", "http://HOST:PORT"));
  g_assert_true (has_warning (config, "[profile none] cannot be used", "neither"));
  g_assert_cmpuint (g_list_model_get_n_items (tacho_config_get_profiles (config)), ==, 3);
  g_assert_cmpint (tacho_profile_get_protocol (tacho_config_lookup_profile (config, "grpc")), ==,
                   TACHO_PROTOCOL_GRPC);
  g_assert_cmpint (tacho_profile_get_protocol (tacho_config_lookup_profile (config, "both")), ==,
                   TACHO_PROTOCOL_HYBRID);
  g_assert_cmpint (tacho_profile_get_protocol (tacho_config_lookup_profile (config, "rest")), ==,
                   TACHO_PROTOCOL_REST);
  g_assert_finalize_object (config);
}

/* Two programs: neither loses what the other wrote. */
static void
test_two_writers (Fixture *f, gconstpointer unused)
{
  TachoConfig *a = tacho_config_new (f->path);
  TachoConfig *b = tacho_config_new (f->path);
  TachoProfile *profile = new_profile ("p", "http://h");

  g_assert_true (tacho_config_add_profile (a, profile, NULL));
  g_assert_true (tacho_config_set_value (b, "inference", "model", "m", NULL));
  g_assert_nonnull (tacho_config_lookup_profile (b, "p"));
  tacho_config_reload (a);
  check_value (a, "inference", "model", "m", TACHO_ORIGIN_FILE);
  g_assert_finalize_object (profile);
  g_assert_finalize_object (a);
  g_assert_finalize_object (b);
}

static void
count_cb (TachoConfig *config, gpointer data)
{
  (*(guint *) data)++;
}

static void
test_live (Fixture *f, gconstpointer unused)
{
  TachoConfig *config;
  g_autoptr (TachoProfile) kept = NULL;
  g_autofree char *fresh = g_strconcat (f->path, ".editor", NULL);
  guint changed = 0;

  write_file (f, "[profile a]\nurl=http://a\n[profile b]\nurl=http://b\n");
  config = tacho_config_new (f->path);
  tacho_config_watch (config);
  g_set_object (&kept, tacho_config_lookup_profile (config, "a"));
  g_signal_connect (config, "changed", G_CALLBACK (count_cb), &changed);
  /* An editor that writes in place, then one that renames. */
  write_file (f, "[profile a]\nurl=http://a\n[profile b]\nurl=http://c\n");
  TACHO_TEST_SPIN_UNTIL (changed == 1);
  g_assert_cmpstr (tacho_profile_get_url (tacho_config_lookup_profile (config, "b")), ==,
                   "http://c");
  g_assert_true (tacho_config_lookup_profile (config, "a") == kept);
  g_assert_true (g_file_set_contents (fresh, "[profile a]\nurl=http://a\n", -1, NULL));
  g_assert_cmpint (g_rename (fresh, f->path), ==, 0);
  TACHO_TEST_SPIN_UNTIL (changed == 2);
  g_assert_null (tacho_config_lookup_profile (config, "b"));
  /* One's own write is one change, not two: the next foreign one is the second. */
  g_assert_true (tacho_config_set_value (config, "inference", "model", "m", NULL));
  g_assert_cmpuint (changed, ==, 3);
  write_file (f, "broken");
  TACHO_TEST_SPIN_UNTIL (changed == 4);
  g_assert_error (tacho_config_get_error (config), TACHO_ERROR, TACHO_ERROR_INVALID);
  g_assert_finalize_object (config);
}

static void
test_links_and_places (Fixture *f, gconstpointer unused)
{
  g_autofree char *real = g_build_filename (f->dir, "dotfiles.conf", NULL);
  g_autofree char *dir = g_path_get_dirname (f->path);
  g_autofree char *blocked = g_build_filename (real, "tacho.conf", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  TachoConfig *config;

  g_assert_cmpint (g_mkdir_with_parents (dir, 0700), ==, 0);
  g_assert_true (g_file_set_contents (real, "[inference]\nmodel=a\n", -1, NULL));
  g_assert_cmpint (symlink (real, f->path), ==, 0);
  config = tacho_config_new (f->path);
  g_assert_true (tacho_config_set_value (config, "inference", "model", "b", NULL));
  g_assert_true (g_file_test (f->path, G_FILE_TEST_IS_SYMLINK));
  text = read_file (real);
  g_assert_cmpstr (text, ==, "[inference]\nmodel=b\n");
  g_assert_finalize_object (config);

  /* A folder that cannot be; a link to nothing; a folder where the file should be. */
  config = tacho_config_new (blocked);
  g_assert_false (tacho_config_set_value (config, "inference", "model", "c", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_clear_error (&error);
  g_assert_finalize_object (config);
  g_assert_cmpint (g_unlink (real), ==, 0);
  config = tacho_config_new (f->path);
  g_assert_error (tacho_config_get_error (config), TACHO_ERROR, TACHO_ERROR_IO);
  g_assert_false (tacho_config_set_value (config, "inference", "model", "c", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_assert_true (g_file_test (f->path, G_FILE_TEST_IS_SYMLINK));
  g_clear_error (&error);
  g_assert_finalize_object (config);
  config = tacho_config_new (dir);
  g_assert_error (tacho_config_get_error (config), TACHO_ERROR, TACHO_ERROR_IO);
  g_assert_false (tacho_config_set_value (config, "inference", "model", "c", NULL));
  g_assert_finalize_object (config);
}

/* A disk that is full, as a limit on the size of files has it. */
static void
test_full_disk (Fixture *f, gconstpointer unused)
{
  struct rlimit before;
  struct rlimit small;
  TachoConfig *config;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *fresh = g_strconcat (f->path, ".new", NULL);
  const char *old = "[inference]\nmodel=old\n";

  write_file (f, old);
  config = tacho_config_new (f->path);
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  small = before;
  small.rlim_cur = 4;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  g_assert_false (tacho_config_set_value (config, "inference", "model", "new", &error));
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "the old file is kept"));
  text = read_file (f->path);
  g_assert_cmpstr (text, ==, old);
  g_assert_false (g_file_test (fresh, G_FILE_TEST_EXISTS));
  check_value (config, "inference", "model", "old", TACHO_ORIGIN_FILE);
  g_assert_finalize_object (config);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/config/config/no-file", test_no_file },
    { "/config/config/precedence", test_precedence },
    { "/config/config/bad-values", test_bad_values },
    { "/config/config/survival", test_survival },
    { "/config/config/broken", test_broken },
    { "/config/config/profiles", test_profiles },
    { "/config/config/secrets", test_secrets },
    { "/config/config/bad-escapes", test_bad_escapes },
    { "/config/config/vital", test_vital },
    { "/config/config/two-writers", test_two_writers },
    { "/config/config/live", test_live },
    { "/config/config/links-and-places", test_links_and_places },
    { "/config/config/full-disk", test_full_disk },
  };

  tacho_test_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, setup, tests[i].run, teardown);
  return g_test_run ();
}
