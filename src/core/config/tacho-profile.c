/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server that a person uses. Checked as it is filled, so that what it holds can go on the
 * wire. */
#define G_LOG_DOMAIN "tacho"

#include "config/tacho-profile-private.h"

#include "api/tacho-api-probe.h"
#include "base/tacho-error.h"
#include "base/tacho-text.h"
#include "base/tacho-url.h"

#include <math.h>

#define MAX_NAME 200
#define MAX_MODEL 1000
#define MAX_TIMEOUT_S (7.0 * 24 * 3600)

G_DEFINE_FINAL_TYPE (TachoProfile, tacho_profile, G_TYPE_OBJECT)

static GParamSpec *properties[TACHO_PROFILE_N_PROPS];

static const double default_timeouts[TACHO_N_TIMEOUTS] = {
  [TACHO_TIMEOUT_CONNECT] = 5,
  [TACHO_TIMEOUT_FIRST] = 120,
  [TACHO_TIMEOUT_IDLE] = 60,
  [TACHO_TIMEOUT_TOTAL] = 600,
};

void
tacho_profile_notify (TachoProfile *self, guint property)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

/* Turns the checkers' own errors into TACHO_ERROR_INVALID: nothing was sent. */
gboolean
tacho_profile_invalid (GError **error, GError *reason, const char *what)
{
  g_autofree char *words = tacho_text_sanitize_line (reason->message, -1, 400);

  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "%s: %s", what, words);
  g_error_free (reason);
  return FALSE;
}

/* Text of one line, which may stand in a file and on a screen. */
gboolean
tacho_profile_check_line (const char *text, gsize max, const char *what, GError **error)
{
  g_autofree char *clean = NULL;

  if (text != NULL && *text != '\0' && strlen (text) <= max && g_utf8_validate (text, -1, NULL))
    {
      clean = tacho_text_sanitize (text, -1);
      if (g_str_equal (clean, text) && strpbrk (text, "\n\t") == NULL)
        return TRUE;
    }
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "%s is one line of text, of 1 to %" G_GSIZE_FORMAT
               " bytes, without control characters",
               what, max);
  return FALSE;
}

static void
tacho_profile_finalize (GObject *object)
{
  TachoProfile *self = TACHO_PROFILE (object);

  g_free (self->name);
  g_free (self->url);
  g_free (self->endpoint);
  g_free (self->api);
  tacho_profile_wipe (self->api_key);
  g_free (self->api_key_env);
  g_free (self->model);
  g_free (self->ca_file);
  g_free (self->cert_file);
  g_free (self->key_file);
  g_free (self->pin);
  g_free (self->proxy);
  g_free (self->grpc_target);
  g_free (self->grpc_endpoint);
  g_ptr_array_unref (self->headers);

  G_OBJECT_CLASS (tacho_profile_parent_class)->finalize (object);
}

static void
tacho_profile_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  TachoProfile *self = TACHO_PROFILE (object);

  switch (prop_id)
    {
    case TACHO_PROFILE_PROP_NAME:
      g_value_set_string (value, self->name);
      break;
    case TACHO_PROFILE_PROP_URL:
      g_value_set_string (value, self->url);
      break;
    case TACHO_PROFILE_PROP_ENDPOINT:
      g_value_set_string (value, tacho_profile_get_endpoint (self));
      break;
    case TACHO_PROFILE_PROP_API:
      g_value_set_string (value, self->api);
      break;
    case TACHO_PROFILE_PROP_CA_FILE:
      g_value_set_string (value, self->ca_file);
      break;
    case TACHO_PROFILE_PROP_PROTOCOL:
      g_value_set_enum (value, self->protocol);
      break;
    case TACHO_PROFILE_PROP_REST_FIRST:
      g_value_set_boolean (value, self->rest_first);
      break;
    case TACHO_PROFILE_PROP_GRPC_TARGET:
      g_value_set_string (value, self->grpc_target);
      break;
    case TACHO_PROFILE_PROP_GRPC_ENDPOINT:
      g_value_set_string (value, tacho_profile_get_grpc_endpoint (self));
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

  properties[TACHO_PROFILE_PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, flags);
  properties[TACHO_PROFILE_PROP_URL] = g_param_spec_string ("url", NULL, NULL, NULL, flags);
  properties[TACHO_PROFILE_PROP_ENDPOINT] =
      g_param_spec_string ("endpoint", NULL, NULL, NULL, flags);
  properties[TACHO_PROFILE_PROP_API] = g_param_spec_string ("api", NULL, NULL, NULL, flags);
  properties[TACHO_PROFILE_PROP_CA_FILE] = g_param_spec_string ("ca-file", NULL, NULL, NULL, flags);
  properties[TACHO_PROFILE_PROP_PROTOCOL] =
      g_param_spec_enum ("protocol", NULL, NULL, TACHO_TYPE_PROTOCOL, TACHO_PROTOCOL_REST, flags);
  properties[TACHO_PROFILE_PROP_REST_FIRST] =
      g_param_spec_boolean ("rest-first", NULL, NULL, FALSE, flags);
  properties[TACHO_PROFILE_PROP_GRPC_TARGET] =
      g_param_spec_string ("grpc-target", NULL, NULL, NULL, flags);
  properties[TACHO_PROFILE_PROP_GRPC_ENDPOINT] =
      g_param_spec_string ("grpc-endpoint", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, TACHO_PROFILE_N_PROPS, properties);
}

static void
tacho_profile_init (TachoProfile *self)
{
  self->api = g_strdup ("auto");
  self->headers = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->headers, NULL);
  tacho_profile_tuning_init (&self->tuning);
  memcpy (self->timeouts, default_timeouts, sizeof default_timeouts);
}

/**
 * tacho_profile_new:
 * @name: (nullable): what the person calls this server; the URL if %NULL or empty
 * @url: (nullable): where it is, as typed; mended by tacho_url_normalize(); %NULL: it has a gRPC
 *   side only, to be set by tacho_profile_set_grpc_target()
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

  normal = url != NULL ? tacho_url_normalize (url, &reason) : NULL;
  if (url != NULL && normal == NULL)
    {
      tacho_profile_invalid (error, g_steal_pointer (&reason),
                             "This server address cannot be used");
      return NULL;
    }
  self = g_object_new (TACHO_TYPE_PROFILE, NULL);
  if (name != NULL && *name != '\0')
    self->name = g_strdup (name);
  else
    self->name = g_strdup (normal != NULL ? normal : "gRPC server");
  if (normal == NULL)
    self->protocol = TACHO_PROTOCOL_GRPC;
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
 * tacho_profile_set_name:
 * @self: a profile
 * @name: what the person calls it from now on: any text of one line, up to 200 bytes
 * @error: return location
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if it is no such text
 */
gboolean
tacho_profile_set_name (TachoProfile *self, const char *name, GError **error)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  if (!tacho_profile_check_line (name, MAX_NAME, "A profile's name", error))
    return FALSE;
  if (g_str_equal (self->name, name))
    return TRUE;
  g_free (self->name);
  self->name = g_strdup (name);
  tacho_profile_notify (self, TACHO_PROFILE_PROP_NAME);
  return TRUE;
}

/**
 * tacho_profile_get_url:
 * @self: a profile
 *
 * Returns: (transfer none) (nullable): the normalised URL as the person knows it; `sim:` or
 *   `sim:NAME` for the simulated server; %NULL if it has a gRPC side only
 */
const char *
tacho_profile_get_url (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return self->url;
}

/**
 * tacho_profile_set_url:
 * @self: a profile
 * @url: (nullable): where it is from now on, as typed; %NULL or empty: it has a gRPC side only
 * @error: return location
 *
 * A key belongs to the origin that it was given for: if the origin changes, it is dropped.
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if the address cannot be used
 */
gboolean
tacho_profile_set_url (TachoProfile *self, const char *url, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autofree char *normal = NULL;
  g_autofree char *before = NULL;

  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  if (url != NULL && *url != '\0')
    {
      normal = tacho_url_normalize (url, &reason);
      if (normal == NULL)
        return tacho_profile_invalid (error, g_steal_pointer (&reason),
                                      "This server address cannot be used");
    }
  if (g_strcmp0 (self->url, normal) == 0)
    return TRUE;
  before = tacho_profile_dup_key_origin (self);
  g_free (self->url);
  self->url = g_steal_pointer (&normal);
  if (self->url == NULL)
    tacho_profile_set_protocol (self, TACHO_PROTOCOL_GRPC, NULL);
  tacho_profile_drop_foreign_key (self, before);
  tacho_profile_notify (self, TACHO_PROFILE_PROP_URL);
  tacho_profile_notify (self, TACHO_PROFILE_PROP_ENDPOINT);
  return TRUE;
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
  return tacho_profile_is_sim (self) ? NULL : self->url;
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
  g_object_notify_by_pspec (G_OBJECT (self), properties[TACHO_PROFILE_PROP_ENDPOINT]);
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
  return self->url != NULL && tacho_url_is_sim (self->url);
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
  if (!g_strv_contains (tacho_api_families (), api))
    {
      g_autofree char *list = g_strjoinv (", ", (char **) tacho_api_families ());
      g_autofree char *shown = tacho_text_sanitize_line (api, -1, 40);

      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "“%s” is not an API that Tacho speaks; it speaks: %s", shown, list);
      return FALSE;
    }
  if (g_str_equal (self->api, api))
    return TRUE;
  g_free (self->api);
  self->api = g_strdup (api);
  g_object_notify_by_pspec (G_OBJECT (self), properties[TACHO_PROFILE_PROP_API]);
  return TRUE;
}

/**
 * tacho_profile_get_model:
 * @self: a profile
 *
 * Returns: (transfer none) (nullable): the model to use where none is named
 */
const char *
tacho_profile_get_model (TachoProfile *self)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), NULL);
  return self->model;
}

/**
 * tacho_profile_set_model:
 * @self: a profile
 * @model: (nullable): the model to use where none is named; %NULL or empty: none
 * @error: return location
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if no model can have this ID
 */
gboolean
tacho_profile_set_model (TachoProfile *self, const char *model, GError **error)
{
  g_return_val_if_fail (TACHO_IS_PROFILE (self), FALSE);

  if (model != NULL && *model == '\0')
    model = NULL;
  if (model != NULL && !tacho_profile_check_line (model, MAX_MODEL, "A model's ID", error))
    return FALSE;
  if (g_strcmp0 (self->model, model) == 0)
    return TRUE;
  g_free (self->model);
  self->model = g_strdup (model);
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
