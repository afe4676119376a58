/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which server: the profile that the options, the environment or the configuration file name, with
 * the options over it and its key. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-profile.h"

#include "base/tacho-error.h"
#include "config/tacho-secrets.h"

#include <math.h>
#include <string.h>

#define MAX_WARNINGS 3

static gboolean
set_timeouts (CliSession *self, TachoProfile *profile, GError **error)
{
  static const char *const names[TACHO_N_TIMEOUTS] = {
    [TACHO_TIMEOUT_CONNECT] = "timeout-connect",
    [TACHO_TIMEOUT_FIRST] = "timeout-first",
    [TACHO_TIMEOUT_IDLE] = "timeout-idle",
    [TACHO_TIMEOUT_TOTAL] = "timeout-total",
  };

  for (guint i = 0; i < TACHO_N_TIMEOUTS; i++)
    {
      double seconds;

      if (self->globals.timeouts[i] == NULL)
        continue;
      if (!cli_parse_seconds (names[i], self->globals.timeouts[i], 0.001, 604800, &seconds,
                              error) ||
          !tacho_profile_set_timeout (profile, i, seconds, error))
        return FALSE;
    }
  return TRUE;
}

/* A file that cannot be used is wrong usage: nothing was sent. */
static gboolean
usage_of (GError **error, const char *option)
{
  g_prefix_error (error, "%s: ", option);
  if (error != NULL && (*error)->domain == TACHO_ERROR)
    (*error)->code = TACHO_ERROR_INVALID;
  return FALSE;
}

static gboolean
set_protocol (CliSession *self, TachoProfile *profile, GError **error)
{
  CliGlobals *globals = &self->globals;
  TachoProtocol protocol = tacho_profile_get_protocol (profile);

  if (globals->grpc != NULL && !tacho_profile_set_grpc_target (profile, globals->grpc, error))
    return usage_of (error, "--grpc");
  if (globals->protocol == NULL && globals->grpc != NULL)
    /* Both addresses were given: both are meant. */
    protocol = tacho_profile_get_grpc_target (profile) == NULL ? TACHO_PROTOCOL_REST
               : tacho_profile_get_url (profile) != NULL       ? TACHO_PROTOCOL_HYBRID
                                                               : TACHO_PROTOCOL_GRPC;
  else if (globals->protocol != NULL && !tacho_protocol_from_string (globals->protocol, &protocol))
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                   "--protocol takes rest, grpc or hybrid, not “%.40s”.", globals->protocol);
      return FALSE;
    }
  if (!tacho_profile_set_protocol (profile, protocol, error))
    return usage_of (error, "--protocol");
  return TRUE;
}

/* An empty value takes one back. */
static const char *
given (const char *text)
{
  return text != NULL && *text != '\0' ? text : NULL;
}

static gboolean
set_tls (CliSession *self, TachoProfile *profile, GError **error)
{
  CliGlobals *globals = &self->globals;

  if (globals->ca_file != NULL && !tacho_profile_set_ca_file (profile, globals->ca_file, error))
    return usage_of (error, "--ca");
  if ((globals->cert_file != NULL || globals->key_file != NULL) &&
      !tacho_profile_set_client_cert (profile, given (globals->cert_file),
                                      given (globals->key_file), error))
    return usage_of (error, "--cert and --key");
  if (globals->pin != NULL && !tacho_profile_set_pin (profile, globals->pin, error))
    return usage_of (error, "--pin");
  if (globals->proxy != NULL && !tacho_profile_set_proxy (profile, globals->proxy, error))
    return usage_of (error, "--proxy");
  if (globals->allow_plain_key)
    tacho_profile_set_allow_plain_key (profile, TRUE);
  return TRUE;
}

gboolean
cli_profile_fill (CliSession *self, TachoProfile *profile, GError **error)
{
  CliGlobals *globals = &self->globals;

  if (globals->api != NULL && !tacho_profile_set_api (profile, globals->api, error))
    return usage_of (error, "--api");
  for (guint i = 0; globals->headers != NULL && globals->headers[i] != NULL; i++)
    if (!tacho_profile_add_header (profile, globals->headers[i], error))
      return usage_of (error, "--header");
  return set_protocol (self, profile, error) && set_tls (self, profile, error) &&
         set_timeouts (self, profile, error);
}

static gboolean
set_named_key (CliSession *self, GError **error)
{
  const char *variable = self->globals.api_key_env;
  const char *key;

  key = g_getenv (variable);
  if (key == NULL || *key == '\0')
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                   "--api-key-env: the environment variable %s is not set. It takes the name of a "
                   "variable, not a key.",
                   variable);
      return FALSE;
    }
  return tacho_profile_set_api_key (self->profile, key, error);
}

TachoConfig *
cli_session_get_config (CliSession *self)
{
  if (self->config == NULL)
    self->config = tacho_config_new (NULL);
  return self->config;
}

/* What of the file does not count must be known before its values are relied on. */
static void
say_warnings (CliSession *self)
{
  TachoConfig *config = cli_session_get_config (self);
  const char *const *warnings = tacho_config_get_warnings (config);
  guint n = g_strv_length ((char **) warnings);

  if (tacho_config_get_error (config) != NULL)
    cli_terminal_say (self->terminal, "%s", tacho_config_get_error (config)->message);
  for (guint i = 0; i < MIN (n, MAX_WARNINGS); i++)
    cli_terminal_say (self->terminal, "%s", warnings[i]);
  if (n > MAX_WARNINGS)
    cli_terminal_say (self->terminal, "… and %u more: tacho-cli config check", n - MAX_WARNINGS);
}

static TachoProfile *
find_named (CliSession *self, const char *name, const char *where, GError **error)
{
  TachoConfig *config = cli_session_get_config (self);
  TachoProfile *profile = tacho_config_lookup_profile (config, name);
  GListModel *all = tacho_config_get_profiles (config);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *group = NULL;
  g_autofree char *list = NULL;
  const char *near;

  if (profile != NULL)
    return tacho_profile_copy (profile);
  for (guint i = 0; i < g_list_model_get_n_items (all); i++)
    {
      g_autoptr (TachoProfile) item = g_list_model_get_item (all, i);

      g_ptr_array_add (names, (char *) tacho_profile_get_name (item)); /* the list keeps it */
    }
  g_ptr_array_add (names, NULL);
  near = cli_closest (name, (const char *const *) names->pdata);
  list = g_strjoinv (", ", (char **) names->pdata);
  group = tacho_config_group_make ("profile", name);
  if (g_strv_contains ((const char *const *) self->groups, group))
    g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                 "%s: the profile “%.60s” cannot be used: see tacho-cli config check.", where,
                 name);
  else if (near != NULL)
    g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                 "%s: there is no profile “%.60s”. Did you mean “%s”?", where, name, near);
  else
    g_set_error (
        error, CLI_ERROR, CLI_ERROR_USAGE, "%s: there is no profile “%.60s”. %s%s", where, name,
        *list != '\0' ? "There are: " : "Make one: tacho-cli profiles add NAME --url URL", list);
  return NULL;
}

/* Without an option that names a server: TACHO_URL, then the default profile. */
static TachoProfile *
find_usual (CliSession *self, GError **error)
{
  TachoConfigOrigin origin;
  g_autofree char *name = NULL;
  const char *url = g_getenv ("TACHO_URL");
  TachoProfile *profile;

  if (url != NULL && *url != '\0')
    {
      profile = tacho_profile_new ("command line", url, error);
      if (profile == NULL)
        g_prefix_error (error, "TACHO_URL: ");
      return profile;
    }
  name = tacho_config_dup_value (cli_session_get_config (self), "general", "profile", &origin);
  if (name != NULL)
    return find_named (self, name,
                       origin == TACHO_ORIGIN_ENVIRONMENT ? "TACHO_PROFILE" : "[general] profile",
                       error);
  g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
               "Which server? Give --url http://HOST:PORT (or set TACHO_URL), --grpc HOST:PORT, "
               "--profile NAME, or --url sim: for the built-in simulated one.");
  return NULL;
}

static TachoProfile *
find_base (CliSession *self, GError **error)
{
  CliGlobals *globals = &self->globals;
  const char *url = globals->url;
  TachoProfile *profile;

  if (globals->profile != NULL && url != NULL)
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE, "Give --profile or --url, not both.");
      return NULL;
    }
  if (globals->profile != NULL)
    return find_named (self, globals->profile, "--profile", error);
  if (url == NULL && globals->grpc != NULL)
    {
      url = g_getenv ("TACHO_URL");
      url = url != NULL && *url != '\0' ? url : NULL;
    }
  else if (url == NULL)
    return find_usual (self, error);
  profile = tacho_profile_new ("command line", url, error);
  if (profile == NULL)
    g_prefix_error (error, "--url: ");
  return profile;
}

TachoSecrets *
cli_session_get_secrets (CliSession *self)
{
  if (self->secrets == NULL)
    self->secrets = tacho_secrets_new ();
  return self->secrets;
}

char *
cli_profile_lookup_key (CliSession *self,
                        TachoProfile *profile,
                        TachoSecretSource *source,
                        GError **error)
{
  /* Where nobody sees a prompt, a locked keyring is said to be one at once. */
  gboolean may_ask = g_getenv ("DISPLAY") != NULL || g_getenv ("WAYLAND_DISPLAY") != NULL;
  TachoSecrets *secrets = cli_session_get_secrets (self);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) local = NULL;
  char *key;

  tacho_secrets_lookup_async (secrets, profile, may_ask, self->cancellable, cli_session_ready_cb,
                              self);
  result = cli_session_wait (self);
  key = tacho_secrets_lookup_finish (secrets, result, source, &local);
  if (local == NULL)
    return key;
  if (local->domain == TACHO_SECRETS_ERROR && cli_key_can_ask ())
    {
      cli_terminal_say (self->terminal, "%s.", local->message);
      if (source != NULL)
        *source = TACHO_SECRET_SESSION;
      return cli_key_read (self, tacho_profile_get_name (profile), error);
    }
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

/* The key of the profile, but only to the address that the profile has it for. */
static gboolean
set_own_key (CliSession *self, TachoProfile *base, GError **error)
{
  g_autofree char *stored = tacho_profile_dup_key_origin (base);
  g_autofree char *now = tacho_profile_dup_key_origin (self->profile);
  g_autoptr (GError) local = NULL;
  gboolean fine;
  char *key;

  if (tacho_profile_get_api_key_env (base) == NULL && !tacho_profile_get_key_in_keyring (base))
    return TRUE;
  if (g_strcmp0 (stored, now) != 0)
    {
      cli_terminal_say (self->terminal,
                        "The API key of “%s” is for another address (%s): it is not sent.",
                        tacho_profile_get_name (base), stored);
      return TRUE;
    }
  key = cli_profile_lookup_key (self, base, NULL, &local);
  if (local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  fine = tacho_profile_set_api_key (self->profile, key, error);
  tacho_secret_free (key);
  return fine;
}

gboolean
cli_profile_choose (CliSession *self, GError **error)
{
  TachoConfig *config = cli_session_get_config (self);
  g_autoptr (TachoProfile) base = NULL;
  g_autoptr (TachoProfile) profile = NULL;

  say_warnings (self);
  self->groups = tacho_config_get_groups (config);
  base = find_base (self, error);
  if (base == NULL)
    return FALSE;
  profile = tacho_profile_copy (base);
  tacho_config_apply_defaults (config, profile);
  if (!cli_profile_fill (self, profile, error))
    return FALSE;
  self->profile = g_steal_pointer (&profile);
  return self->globals.api_key_env != NULL ? set_named_key (self, error)
                                           : set_own_key (self, base, error);
}

char *
cli_profile_dup_model (CliSession *self)
{
  TachoConfigOrigin origin;
  g_autofree char *model =
      tacho_config_dup_inference (cli_session_get_config (self), NULL, "model", &origin);
  const char *own = tacho_profile_get_model (self->profile);

  if (own != NULL && origin != TACHO_ORIGIN_ENVIRONMENT)
    {
      g_free (model);
      model = g_strdup (own);
    }
  if (model == NULL || origin == TACHO_ORIGIN_ENVIRONMENT || own != NULL ||
      tacho_model_service_lookup (self->models, model) != NULL)
    return g_steal_pointer (&model);
  /* A default for all servers is no demand on each. */
  cli_terminal_say (self->terminal, "The default model %s is not on this server.", model);
  return NULL;
}
