/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server that a person uses. Checked as it is filled, so that what it holds can go on the
 * wire. */
#define G_LOG_DOMAIN "tacho"

#include "config/tacho-profile.h"

#include "base/tacho-error.h"
#include "base/tacho-url.h"

#include <math.h>

#define MAX_TIMEOUT_S (7.0 * 24 * 3600)

struct _TachoProfile
{
  GObject parent_instance;

  char *name;
  char *url;
  char *endpoint;
  char *api;
  char *api_key;
  char *ca_file;
  GPtrArray *headers; /* of char *, NULL-terminated */
  double timeouts[TACHO_N_TIMEOUTS];
};

G_DEFINE_FINAL_TYPE (TachoProfile, tacho_profile, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_NAME,
  PROP_URL,
  PROP_ENDPOINT,
  PROP_API,
  PROP_CA_FILE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static const double default_timeouts[TACHO_N_TIMEOUTS] = {
  [TACHO_TIMEOUT_CONNECT] = 5,
  [TACHO_TIMEOUT_FIRST] = 120,
  [TACHO_TIMEOUT_IDLE] = 60,
  [TACHO_TIMEOUT_TOTAL] = 600,
};

static const char *const known_apis[] = { "auto", "openai", "llamacpp", NULL };

/* Turns the checkers' own errors into TACHO_ERROR_INVALID: nothing was sent. */
static gboolean
invalid (GError **error, GError *reason, const char *what)
{
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "%s: %s", what, reason->message);
  g_error_free (reason);
  return FALSE;
}

static void
wipe (char *secret)
{
  if (secret == NULL)
    return;
  explicit_bzero (secret, strlen (secret));
  g_free (secret);
}

static void
tacho_profile_finalize (GObject *object)
{
  TachoProfile *self = TACHO_PROFILE (object);

  g_free (self->name);
  g_free (self->url);
  g_free (self->endpoint);
  g_free (self->api);
  wipe (self->api_key);
  g_free (self->ca_file);
  g_ptr_array_unref (self->headers);

  G_OBJECT_CLASS (tacho_profile_parent_class)->finalize (object);
}

static void
tacho_profile_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  TachoProfile *self = TACHO_PROFILE (object);

  switch (prop_id)
    {
    case PROP_NAME:
      g_value_set_string (value, self->name);
      break;
    case PROP_URL:
      g_value_set_string (value, self->url);
      break;
    case PROP_ENDPOINT:
      g_value_set_string (value, tacho_profile_get_endpoint (self));
      break;
    case PROP_API:
      g_value_set_string (value, self->api);
      break;
    case PROP_CA_FILE:
      g_value_set_string (value, self->ca_file);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tacho_profile_class_init (TachoProfileClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->finalize = tacho_profile_finalize;
  object_class->get_property = tacho_profile_get_property;

  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, flags);
  properties[PROP_URL] = g_param_spec_string ("url", NULL, NULL, NULL, flags);
  properties[PROP_ENDPOINT] = g_param_spec_string ("endpoint", NULL, NULL, NULL, flags);
  properties[PROP_API] = g_param_spec_string ("api", NULL, NULL, NULL, flags);
  properties[PROP_CA_FILE] = g_param_spec_string ("ca-file", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
tacho_profile_init (TachoProfile *self)
{
  self->api = g_strdup ("auto");
  self->headers = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->headers, NULL);
  memcpy (self->timeouts, default_timeouts, sizeof default_timeouts);
}

/**
 * tacho_profile_new:
 * @name: (nullable): what the person calls this server; the URL if %NULL or empty
 * @url: where it is, as typed; mended by tacho_url_normalize()
 * @error: return location
 *
 * Makes a profile with the default timeouts: connect 5 s, first byte 120 s, idle 60 s, total 600 s.
 *
 * Returns: (transfer full): the profile, or %NULL with %TACHO_ERROR_INVALID
 */
TachoProfile *
tacho_profile_new (const char *name, const char *url, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autofree char *normal = NULL;
  TachoProfile *self;

  g_return_val_if_fail (url != NULL, NULL);

  normal = tacho_url_normalize (url, &reason);
  if (normal == NULL)
    {
      invalid (error, g_steal_pointer (&reason), "This server address cannot be used");
      return NULL;
    }
  self = g_object_new (TACHO_TYPE_PROFILE, NULL);
  self->name = g_strdup (name != NULL && *name != '\0' ? name : normal);
  self->url = g_steal_pointer (&normal);
  return self;
}

/**
 * tacho_profile_get_name:
 * @self: a profile
 *
 * Returns: (transfer none): what the person calls it; the URL where no name was given
 */
const char *
tacho_profile_get_name (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return self->name;
}

/**
 * tacho_profile_get_url:
 * @self: a profile
 *
 * Returns: (transfer none): the normalised URL as the person knows it; `sim:` or `sim:NAME` for the
 *   simulated server
 */
const char *
tacho_profile_get_url (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return self->url;
}

/**
 * tacho_profile_get_endpoint:
 * @self: a profile
 *
 * Where requests go. For a `sim:` profile this is %NULL until the simulated server has been started
 * and tacho_profile_set_endpoint() was called.
 *
 * Returns: (nullable): an http or https base URL
 */
const char *
tacho_profile_get_endpoint (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);

  if (self->endpoint != NULL)
    return self->endpoint;
  return tacho_url_is_sim (self->url) ? NULL : self->url;
}

/**
 * tacho_profile_set_endpoint:
 * @self: a profile
 * @endpoint: (nullable): where requests go from now on; %NULL goes back to the URL
 *
 * For whoever hosts the simulated server of a `sim:` profile.
 */
void
tacho_profile_set_endpoint (TachoProfile *self, const char *endpoint)
{
  g_return_if_fail (TACHO_IS_PROFILE (self));

  if (g_strcmp0 (self->endpoint, endpoint) == 0)
    return;
  g_free (self->endpoint);
  self->endpoint = g_strdup (endpoint);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ENDPOINT]);
}

/**
 * tacho_profile_is_sim:
 * @self: a profile
 *
 * Returns: %TRUE if the profile names the built-in simulated server
 */
gboolean
tacho_profile_is_sim (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);
  return tacho_url_is_sim (self->url);
}

/**
 * tacho_profile_get_api:
 * @self: a profile
 *
 * Returns: (transfer none): the API family to speak, or `auto` to find out
 */
const char *
tacho_profile_get_api (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return self->api;
}

/**
 * tacho_profile_set_api:
 * @self: a profile
 * @api: (nullable): "auto" (also %NULL), or the name of a family to insist on
 * @error: return location
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if there is no such family
 */
gboolean
tacho_profile_set_api (TachoProfile *self, const char *api, GError **error)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  if (api == NULL)
    api = "auto";
  if (!g_strv_contains (known_apis, api))
    {
      g_autofree char *list = g_strjoinv (", ", (char **) known_apis);

      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "“%.40s” is not an API that Tacho speaks; it speaks: %s", api, list);
      return FALSE;
    }
  if (g_str_equal (self->api, api))
    return TRUE;
  g_free (self->api);
  self->api = g_strdup (api);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_API]);
  return TRUE;
}

/**
 * tacho_profile_get_api_key:
 * @self: a profile
 *
 * Never log or show it.
 *
 * Returns: (transfer none) (nullable): the API key, %NULL if there is none
 */
const char *
tacho_profile_get_api_key (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return self->api_key;
}

/**
 * tacho_profile_set_api_key:
 * @self: a profile
 * @key: (nullable): the key, sent as `Authorization: Bearer` to this server only; %NULL or empty:
 *   none
 * @error: return location
 *
 * A key that holds a line break or another control character is refused here: libsoup would drop
 * the header and send the request without it. The message never repeats the key.
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if the key cannot be sent
 */
gboolean
tacho_profile_set_api_key (TachoProfile *self, const char *key, GError **error)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  if (key != NULL && *key == '\0')
    key = NULL;
  if (key != NULL && !tacho_header_check ("Authorization", key, NULL))
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "The API key holds a line break or a character that no HTTP header may "
                           "hold: paste it again without it");
      return FALSE;
    }
  wipe (self->api_key);
  self->api_key = g_strdup (key);
  return TRUE;
}

/**
 * tacho_profile_add_header:
 * @self: a profile
 * @line: "Name: value"
 * @error: return location
 *
 * Adds a header that goes with every request. Headers that HTTP itself needs (Host, Content-Length,
 * Transfer-Encoding, Connection, …) are refused.
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if the line is no header that may be sent
 */
gboolean
tacho_profile_add_header (TachoProfile *self, const char *line, GError **error)
{
  static const char *const reserved[] = { "Host",
                                          "Content-Length",
                                          "Content-Type",
                                          "Transfer-Encoding",
                                          "Connection",
                                          "Accept-Encoding",
                                          "Expect",
                                          "TE",
                                          "Trailer",
                                          "Upgrade",
                                          NULL };
  g_autoptr (GError) reason = NULL;
  g_autofree char *name = NULL;
  g_autofree char *value = NULL;

  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);
  g_return_val_if_fail (line != NULL, FALSE);

  if (!tacho_header_parse (line, &name, &value, &reason))
    return invalid (error, g_steal_pointer (&reason), "This header cannot be sent");
  for (guint i = 0; reserved[i] != NULL; i++)
    if (g_ascii_strcasecmp (name, reserved[i]) == 0)
      {
        g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                     "The header “%s” is set by Tacho itself and cannot be given", reserved[i]);
        return FALSE;
      }
  g_ptr_array_insert (self->headers, (int) self->headers->len - 1,
                      g_strdup_printf ("%s: %s", name, value));
  return TRUE;
}

/**
 * tacho_profile_get_headers:
 * @self: a profile
 *
 * Returns: (array zero-terminated=1): lines "Name: value", never %NULL
 */
const char *const *
tacho_profile_get_headers (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return (const char *const *) self->headers->pdata;
}

/**
 * tacho_profile_get_ca_file:
 * @self: a profile
 *
 * Returns: (transfer none) (nullable): the file of certificates to trust, %NULL for the system's
 */
const char *
tacho_profile_get_ca_file (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return self->ca_file;
}

/**
 * tacho_profile_set_ca_file:
 * @self: a profile
 * @path: (nullable): a PEM file with the certificates to trust instead of the system's
 * @error: return location
 *
 * A relative path is taken from the working directory and stored absolute: GTlsFileDatabase trusts
 * nothing for a relative one. The file is read here, so that an empty or junk file is a clear
 * refusal now and not a puzzling one later.
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID or %TACHO_ERROR_IO
 */
gboolean
tacho_profile_set_ca_file (TachoProfile *self, const char *path, GError **error)
{
  g_autofree char *absolute = NULL;

  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  if (path != NULL && *path != '\0')
    {
      g_autoptr (GError) reason = NULL;
      GList *certificates;

      absolute = g_canonicalize_filename (path, NULL);
      certificates = g_tls_certificate_list_new_from_file (absolute, &reason);
      if (certificates == NULL)
        {
          gboolean is_io = reason != NULL && reason->domain == G_FILE_ERROR;

          g_set_error (error, TACHO_ERROR, is_io ? TACHO_ERROR_IO : TACHO_ERROR_INVALID,
                       "The certificate file %s cannot be used: %s", absolute,
                       reason != NULL ? reason->message : "it holds no certificate in PEM form");
          return FALSE;
        }
      g_list_free_full (certificates, g_object_unref);
    }
  if (g_strcmp0 (self->ca_file, absolute) == 0)
    return TRUE;
  g_free (self->ca_file);
  self->ca_file = g_steal_pointer (&absolute);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CA_FILE]);
  return TRUE;
}

/**
 * tacho_profile_get_timeout:
 * @self: a profile
 * @which: which of the four
 *
 * Returns: seconds; 0: no limit
 */
double
tacho_profile_get_timeout (TachoProfile *self, TachoTimeout which)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), 0);
  g_return_val_if_fail ((guint) which < TACHO_N_TIMEOUTS, 0);
  return self->timeouts[which];
}

/**
 * tacho_profile_set_timeout:
 * @self: a profile
 * @which: which of the four
 * @seconds: 0 (no limit) to a week
 * @error: return location
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if @seconds is out of range or not a number
 */
gboolean
tacho_profile_set_timeout (TachoProfile *self, TachoTimeout which, double seconds, GError **error)
{
  static const char *const names[TACHO_N_TIMEOUTS] = { "connect", "first byte", "idle", "total" };

  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);
  g_return_val_if_fail ((guint) which < TACHO_N_TIMEOUTS, FALSE);

  if (!isfinite (seconds) || seconds < 0 || seconds > MAX_TIMEOUT_S ||
      (seconds > 0 && seconds < 0.001))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "The %s timeout must be 0 (none) or from 0.001 to %.0f seconds", names[which],
                   MAX_TIMEOUT_S);
      return FALSE;
    }
  self->timeouts[which] = seconds;
  return TRUE;
}
