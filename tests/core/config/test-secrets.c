/* SPDX-License-Identifier: GPL-3.0-or-later */
/* API keys: without a keyring, and with a real one (gnome-keyring) on a bus of its own. */
#include "test-utils.h"

#include "base/tacho-error.h"
#include "config/tacho-secrets.h"

#include <libsecret/secret.h>
#include <signal.h>

static TachoProfile *
new_profile (const char *name, const char *url, gboolean in_keyring)
{
  GError *error = NULL;
  TachoProfile *profile = tacho_profile_new (name, url, &error);

  g_assert_no_error (error);
  tacho_profile_set_key_in_keyring (profile, in_keyring);
  return profile;
}

static char *
lookup (TachoSecrets *secrets,
        TachoProfile *profile,
        gboolean may_ask,
        TachoSecretSource *source,
        GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  tacho_secrets_lookup_async (secrets, profile, may_ask, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  return tacho_secrets_lookup_finish (secrets, result, source, error);
}

static gboolean
store (TachoSecrets *secrets, TachoProfile *profile, const char *key, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  tacho_secrets_store_async (secrets, profile, key, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  return tacho_secrets_store_finish (secrets, result, error);
}

static gboolean
forget (TachoSecrets *secrets, TachoProfile *profile, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  tacho_secrets_remove_async (secrets, profile, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  return tacho_secrets_remove_finish (secrets, result, error);
}

static void
check_key (TachoSecrets *secrets,
           TachoProfile *profile,
           const char *expected,
           TachoSecretSource expected_source)
{
  TachoSecretSource source = TACHO_SECRET_NONE;
  GError *error = NULL;
  char *key = lookup (secrets, profile, FALSE, &source, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (key, ==, expected);
  g_assert_cmpint (source, ==, expected_source);
  tacho_secret_free (key);
}

static void
test_session (void)
{
  TachoSecrets *secrets = tacho_secrets_new ();
  TachoProfile *profile = new_profile ("p", "https://h", FALSE);
  g_autoptr (GError) error = NULL;

  check_key (secrets, profile, NULL, TACHO_SECRET_NONE);
  g_assert_true (tacho_secrets_keep (secrets, profile, "sk-1", NULL));
  check_key (secrets, profile, "sk-1", TACHO_SECRET_SESSION);
  /* Another address, another key: and back again. */
  g_assert_true (tacho_profile_set_url (profile, "https://evil", NULL));
  check_key (secrets, profile, NULL, TACHO_SECRET_NONE);
  g_assert_true (tacho_profile_set_url (profile, "https://h/elsewhere", NULL));
  check_key (secrets, profile, "sk-1", TACHO_SECRET_SESSION);
  g_assert_true (tacho_profile_set_url (profile, "http://h", NULL));
  check_key (secrets, profile, NULL, TACHO_SECRET_NONE);
  g_assert_true (tacho_profile_set_url (profile, "https://h", NULL));
  g_assert_false (tacho_secrets_keep (secrets, profile, "sk-1\r\nX: y", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_assert_null (strstr (error->message, "sk-1"));
  g_assert_true (tacho_secrets_keep (secrets, profile, NULL, NULL));
  check_key (secrets, profile, NULL, TACHO_SECRET_NONE);
  g_assert_finalize_object (profile);
  g_assert_finalize_object (secrets);
}

static void
test_environment (void)
{
  TachoSecrets *secrets = tacho_secrets_new ();
  TachoProfile *profile = new_profile ("p", "https://h", FALSE);
  g_autoptr (GError) error = NULL;

  g_assert_true (tacho_profile_set_api_key_env (profile, "TACHO_TEST_KEY", NULL));
  g_assert_null (lookup (secrets, profile, FALSE, NULL, &error));
  g_assert_error (error, TACHO_SECRETS_ERROR, TACHO_SECRETS_ERROR_NOT_SET);
  g_assert_nonnull (strstr (error->message, "TACHO_TEST_KEY"));
  g_setenv ("TACHO_TEST_KEY", "sk-env", TRUE);
  check_key (secrets, profile, "sk-env", TACHO_SECRET_ENVIRONMENT);
  g_assert_true (tacho_secrets_keep (secrets, profile, "sk-session", NULL));
  check_key (secrets, profile, "sk-session", TACHO_SECRET_SESSION);
  g_unsetenv ("TACHO_TEST_KEY");
  g_assert_finalize_object (profile);
  g_assert_finalize_object (secrets);
}

static void
test_no_service (void)
{
  TachoSecrets *secrets;
  TachoProfile *profile;
  g_autoptr (GError) error = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_passed ();
      return;
    }
  g_setenv ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus", TRUE);
  secrets = tacho_secrets_new ();
  profile = new_profile ("p", "https://h", TRUE);
  g_assert_null (lookup (secrets, profile, TRUE, NULL, &error));
  g_assert_error (error, TACHO_SECRETS_ERROR, TACHO_SECRETS_ERROR_UNAVAILABLE);
  g_clear_error (&error);
  g_assert_false (store (secrets, profile, "sk-planted", &error));
  g_assert_error (error, TACHO_SECRETS_ERROR, TACHO_SECRETS_ERROR_UNAVAILABLE);
  g_assert_null (strstr (error->message, "planted"));
  g_clear_error (&error);
  g_assert_false (forget (secrets, profile, &error));
  g_assert_error (error, TACHO_SECRETS_ERROR, TACHO_SECRETS_ERROR_UNAVAILABLE);
  g_clear_error (&error);
  /* Kept for the session, it is found without asking anyone. */
  g_assert_true (tacho_secrets_keep (secrets, profile, "sk-session", NULL));
  check_key (secrets, profile, "sk-session", TACHO_SECRET_SESSION);
  g_assert_false (store (secrets, profile, "", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_assert_finalize_object (profile);
  g_assert_finalize_object (secrets);
}

static gboolean
call_service (GDBusConnection *bus, const char *method, GVariant *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      bus, "org.freedesktop.secrets", "/org/freedesktop/secrets", "org.freedesktop.Secret.Service",
      method, arguments, NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, 10000, NULL, &error);

  return reply != NULL;
}

/* The daemon opens its keyring with the password on its standard input. */
static GSubprocess *
start_keyring (GDBusConnection *bus)
{
  g_autoptr (GSubprocessLauncher) launcher = NULL;
  g_autoptr (GSubprocess) daemon = NULL;
  GOutputStream *input;
  gint64 limit = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;

  launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
                                 G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_subprocess_launcher_unsetenv (launcher, "G_DEBUG"); /* its warnings are its own */
  daemon = g_subprocess_launcher_spawn (launcher, NULL, "gnome-keyring-daemon", "--foreground",
                                        "--unlock", "--components=secrets", NULL);
  if (daemon == NULL)
    return NULL;
  input = g_subprocess_get_stdin_pipe (daemon);
  g_assert_true (g_output_stream_write_all (input, "test", 4, NULL, NULL, NULL));
  g_assert_true (g_output_stream_close (input, NULL, NULL));
  while (!call_service (bus, "ReadAlias", g_variant_new ("(s)", "default")))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, limit);
      g_usleep (5000);
    }
  return g_steal_pointer (&daemon);
}

static void
check_keyring (GDBusConnection *bus)
{
  TachoSecrets *secrets = tacho_secrets_new ();
  TachoProfile *profile = new_profile ("Büro [1]", "https://h", TRUE);
  TachoProfile *other = new_profile ("other", "https://h", TRUE);
  g_autoptr (GError) error = NULL;
  GVariantBuilder builder;

  g_assert_null (lookup (secrets, profile, FALSE, NULL, &error));
  g_assert_error (error, TACHO_SECRETS_ERROR, TACHO_SECRETS_ERROR_NOT_FOUND);
  g_clear_error (&error);
  store (secrets, profile, "sk-first", &error);
  g_assert_no_error (error);
  store (secrets, profile, "sk-second", &error);
  g_assert_no_error (error);
  check_key (secrets, profile, "sk-second", TACHO_SECRET_KEYRING);
  /* Neither another profile nor another address is given it. */
  g_assert_null (lookup (secrets, other, FALSE, NULL, &error));
  g_assert_error (error, TACHO_SECRETS_ERROR, TACHO_SECRETS_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_true (tacho_profile_set_url (profile, "https://h:444", NULL));
  tacho_profile_set_key_in_keyring (profile, TRUE);
  g_assert_null (lookup (secrets, profile, FALSE, NULL, &error));
  g_assert_error (error, TACHO_SECRETS_ERROR, TACHO_SECRETS_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_true (tacho_profile_set_url (profile, "https://h", NULL));
  tacho_profile_set_key_in_keyring (profile, TRUE);
  check_key (secrets, profile, "sk-second", TACHO_SECRET_KEYRING);

  /* Locked: said at once; and nobody is here to answer a prompt. */
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("ao"));
  g_variant_builder_add (&builder, "o", "/org/freedesktop/secrets/aliases/default");
  g_assert_true (call_service (bus, "Lock", g_variant_new ("(ao)", &builder)));
  g_assert_null (lookup (secrets, profile, FALSE, NULL, &error));
  g_assert_error (error, TACHO_SECRETS_ERROR, TACHO_SECRETS_ERROR_LOCKED);
  g_assert_null (strstr (error->message, "sk-second"));
  g_clear_error (&error);
  g_assert_null (lookup (secrets, profile, TRUE, NULL, &error));
  g_assert_nonnull (error);
  g_assert_true (error->domain == TACHO_SECRETS_ERROR);
  g_assert_finalize_object (other);
  g_assert_finalize_object (profile);
  g_assert_finalize_object (secrets);
}

static void
check_removal (void)
{
  TachoSecrets *secrets = tacho_secrets_new ();
  TachoProfile *profile = new_profile ("gone", "https://h", TRUE);
  g_autoptr (GError) error = NULL;

  g_assert_true (store (secrets, profile, "sk", NULL));
  g_assert_true (forget (secrets, profile, NULL));
  g_assert_null (lookup (secrets, profile, FALSE, NULL, &error));
  g_assert_error (error, TACHO_SECRETS_ERROR, TACHO_SECRETS_ERROR_NOT_FOUND);
  g_assert_true (forget (secrets, profile, NULL));
  g_assert_finalize_object (profile);
  g_assert_finalize_object (secrets);
}

static void
test_keyring (void)
{
  g_autofree char *program = g_find_program_in_path ("gnome-keyring-daemon");
  g_autofree char *dbus = g_find_program_in_path ("dbus-daemon");

  if (program == NULL || dbus == NULL)
    {
      g_test_skip ("gnome-keyring-daemon or dbus-daemon is not installed");
      return;
    }
  /* A process of its own: libsecret keeps its connection. */
  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_passed ();
      return;
    }
  else
    {
      g_autofree char *dir = tacho_test_make_tmp_dir ();
      /* Not stopped: that waits for the connection that libsecret keeps. It ends with us. */
      static GTestDBus *bus;
      g_autoptr (GDBusConnection) connection = NULL;
      g_autoptr (GSubprocess) daemon = NULL;

      bus = g_test_dbus_new (G_TEST_DBUS_NONE);
      g_setenv ("HOME", dir, TRUE);
      g_setenv ("XDG_DATA_HOME", dir, TRUE);
      g_setenv ("XDG_RUNTIME_DIR", dir, TRUE);
      g_unsetenv ("DISPLAY");
      g_unsetenv ("WAYLAND_DISPLAY");
      g_test_dbus_up (bus);
      connection = g_dbus_connection_new_for_address_sync (
          g_test_dbus_get_bus_address (bus),
          G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
              G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
          NULL, NULL, NULL);
      g_assert_nonnull (connection);
      daemon = start_keyring (connection);
      g_assert_nonnull (daemon);
      check_removal ();
      check_keyring (connection);
      g_subprocess_send_signal (daemon, SIGTERM);
      g_assert_true (g_subprocess_wait (daemon, NULL, NULL));
      secret_service_disconnect ();
      g_clear_object (&connection);
      tacho_test_remove_tree (dir);
    }
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/config/secrets/session", test_session);
  g_test_add_func ("/config/secrets/environment", test_environment);
  g_test_add_func ("/config/secrets/no-service", test_no_service);
  g_test_add_func ("/config/secrets/keyring", test_keyring);
  return g_test_run ();
}
