/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The live endpoint of a profile: which API, in what state, and every operation's way to it. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-client-manager-state-private.h"

#include "base/tacho-error.h"

#include <math.h>

G_DEFINE_FINAL_TYPE (TachoClientManager, tacho_client_manager, G_TYPE_OBJECT)

G_DEFINE_ENUM_TYPE (TachoConnectionState,
                    tacho_connection_state,
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_DISCONNECTED, "disconnected"),
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_PROBING, "probing"),
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_CONNECTED, "connected"),
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_LOADING, "loading"),
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_DEGRADED, "degraded"),
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_OFFLINE, "offline"))

static GParamSpec *properties[TACHO_CLIENT_MANAGER_N_PROPS];

void
tacho_client_manager_notify (TachoClientManager *self, guint property)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

void
tacho_client_manager_set_state (TachoClientManager *self, TachoConnectionState state)
{
  if (self->state == state)
    return;
  self->state = state;
  tacho_client_manager_notify (self, TACHO_CLIENT_MANAGER_PROP_STATE);
}

void
tacho_client_manager_set_last_error (TachoClientManager *self, const GError *error)
{
  if (self->last_error == NULL && error == NULL)
    return;
  if (self->last_error != NULL && error != NULL &&
      g_error_matches (error, self->last_error->domain, self->last_error->code) &&
      g_str_equal (error->message, self->last_error->message))
    return;
  g_clear_error (&self->last_error);
  self->last_error = error != NULL ? g_error_copy (error) : NULL;
  tacho_client_manager_notify (self, TACHO_CLIENT_MANAGER_PROP_LAST_ERROR);
}

void
tacho_client_manager_set_latency (TachoClientManager *self, double latency_ms)
{
  if (isnan (latency_ms) && isnan (self->latency_ms))
    return;
  self->latency_ms = latency_ms;
  tacho_client_manager_notify (self, TACHO_CLIENT_MANAGER_PROP_LATENCY_MS);
}

void
tacho_client_manager_set_string (TachoClientManager *self,
                                 char **field,
                                 const char *value,
                                 guint property)
{
  if (g_strcmp0 (*field, value) == 0)
    return;
  g_free (*field);
  *field = g_strdup (value);
  tacho_client_manager_notify (self, property);
}

void
tacho_client_manager_set_api (TachoClientManager *self, TachoApi *api)
{
  g_autofree char *description = NULL;

  if (!g_set_object (&self->api, api))
    return;
  description = api != NULL ? tacho_api_describe (api) : NULL;
  tacho_client_manager_notify (self, TACHO_CLIENT_MANAGER_PROP_API);
  tacho_client_manager_notify (self, TACHO_CLIENT_MANAGER_PROP_API_FAMILY);
  tacho_client_manager_set_string (self, &self->description, description,
                                   TACHO_CLIENT_MANAGER_PROP_DESCRIPTION);
}

TachoConnectionState
tacho_client_manager_state_of_health (TachoHealth health)
{
  switch (health)
    {
    case TACHO_HEALTH_OK:
      return TACHO_CONNECTION_CONNECTED;
    case TACHO_HEALTH_LOADING:
      return TACHO_CONNECTION_LOADING;
    case TACHO_HEALTH_UNHEALTHY:
    default:
      return TACHO_CONNECTION_DEGRADED;
    }
}

void
tacho_client_manager_destroy_source (gpointer data)
{
  g_source_destroy (data);
  g_source_unref (data);
}

/* The client that belongs to the endpoint of now. */
TachoHttpClient *
tacho_client_manager_ensure_http (TachoClientManager *self, GError **error)
{
  TachoHttpOptions options = {
    .base_url = tacho_profile_get_endpoint (self->profile),
    .bearer = tacho_profile_get_api_key (self->profile),
    .headers = tacho_profile_get_headers (self->profile),
    .ca_file = tacho_profile_get_ca_file (self->profile),
    .timeout_connect = tacho_profile_get_timeout (self->profile, TACHO_TIMEOUT_CONNECT),
    .timeout_first = tacho_profile_get_timeout (self->profile, TACHO_TIMEOUT_FIRST),
    .timeout_idle = tacho_profile_get_timeout (self->profile, TACHO_TIMEOUT_IDLE),
    .timeout_total = tacho_profile_get_timeout (self->profile, TACHO_TIMEOUT_TOTAL),
  };

  if (self->http == NULL && options.base_url == NULL)
    g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                         "The built-in simulated server of this profile is not running");
  else if (self->http == NULL)
    self->http = tacho_http_client_new (&options, error);
  return self->http;
}

static void
drop_http (TachoClientManager *self)
{
  TachoTransportCounters counters;

  if (self->http == NULL)
    return;
  tacho_http_client_close (self->http);
  tacho_http_client_get_counters (self->http, &counters);
  self->past.requests += counters.requests;
  self->past.created += counters.created;
  self->past.reused += counters.reused;
  self->past.failed += counters.failed;
  self->past.bytes_received += counters.bytes_received;
  g_clear_object (&self->http);
}

static void
forget_server (TachoClientManager *self)
{
  g_object_freeze_notify (G_OBJECT (self));
  tacho_client_manager_set_api (self, NULL);
  tacho_client_manager_set_string (self, &self->version, NULL, TACHO_CLIENT_MANAGER_PROP_VERSION);
  g_clear_pointer (&self->evidence, g_strfreev);
  if (self->simulated)
    {
      self->simulated = FALSE;
      tacho_client_manager_notify (self, TACHO_CLIENT_MANAGER_PROP_SIMULATED);
    }
  tacho_client_manager_set_latency (self, NAN);
  tacho_client_manager_set_state (self, TACHO_CONNECTION_DISCONNECTED);
  g_object_thaw_notify (G_OBJECT (self));
}

static void
end_traffic (TachoClientManager *self)
{
  g_autoptr (GError) error =
      g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "The connection was closed");

  tacho_client_manager_clear_probe (self);
  g_clear_object (&self->poll_cancellable);
  drop_http (self);
  tacho_client_manager_return_waiters (self, error);
}

static void
endpoint_cb (TachoClientManager *self)
{
  g_object_ref (self);
  end_traffic (self);
  forget_server (self);
  tacho_client_manager_notify (self, TACHO_CLIENT_MANAGER_PROP_ENDPOINT);
  g_object_unref (self);
}

/**
 * tacho_client_manager_close:
 * @self: a manager
 *
 * Ends all that runs, closes every connection and forgets the server. May be called twice; a later
 * operation connects anew.
 */
void
tacho_client_manager_close (TachoClientManager *self)
{
  g_return_if_fail (TACHO_IS_CLIENT_MANAGER (self));

  g_object_ref (self);
  tacho_client_manager_watch (self, 0);
  end_traffic (self);
  forget_server (self);
  g_object_unref (self);
}

static void
tacho_client_manager_dispose (GObject *object)
{
  TachoClientManager *self = TACHO_CLIENT_MANAGER (object);

  if (self->profile != NULL)
    tacho_client_manager_close (self);
  g_clear_object (&self->profile);

  G_OBJECT_CLASS (tacho_client_manager_parent_class)->dispose (object);
}

static void
tacho_client_manager_finalize (GObject *object)
{
  TachoClientManager *self = TACHO_CLIENT_MANAGER (object);

  g_ptr_array_unref (self->waiters);
  g_clear_object (&self->api);
  g_free (self->description);
  g_free (self->version);
  g_strfreev (self->evidence);
  g_clear_error (&self->last_error);

  G_OBJECT_CLASS (tacho_client_manager_parent_class)->finalize (object);
}

static void
tacho_client_manager_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  TachoClientManager *self = TACHO_CLIENT_MANAGER (object);

  switch (prop_id)
    {
    case TACHO_CLIENT_MANAGER_PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    case TACHO_CLIENT_MANAGER_PROP_API:
      g_value_set_object (value, self->api);
      break;
    case TACHO_CLIENT_MANAGER_PROP_API_FAMILY:
      g_value_set_string (value, self->api != NULL ? tacho_api_get_family (self->api) : NULL);
      break;
    case TACHO_CLIENT_MANAGER_PROP_DESCRIPTION:
      g_value_set_string (value, self->description);
      break;
    case TACHO_CLIENT_MANAGER_PROP_VERSION:
      g_value_set_string (value, self->version);
      break;
    case TACHO_CLIENT_MANAGER_PROP_SIMULATED:
      g_value_set_boolean (value, self->simulated);
      break;
    case TACHO_CLIENT_MANAGER_PROP_LATENCY_MS:
      g_value_set_double (value, self->latency_ms);
      break;
    case TACHO_CLIENT_MANAGER_PROP_LAST_ERROR:
      g_value_set_boxed (value, self->last_error);
      break;
    case TACHO_CLIENT_MANAGER_PROP_ENDPOINT:
      g_value_set_string (value, tacho_profile_get_endpoint (self->profile));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tacho_client_manager_class_init (TachoClientManagerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->dispose = tacho_client_manager_dispose;
  object_class->finalize = tacho_client_manager_finalize;
  object_class->get_property = tacho_client_manager_get_property;

  properties[TACHO_CLIENT_MANAGER_PROP_STATE] = g_param_spec_enum (
      "state", NULL, NULL, TACHO_TYPE_CONNECTION_STATE, TACHO_CONNECTION_DISCONNECTED, flags);
  properties[TACHO_CLIENT_MANAGER_PROP_API] =
      g_param_spec_object ("api", NULL, NULL, TACHO_TYPE_API, flags);
  properties[TACHO_CLIENT_MANAGER_PROP_API_FAMILY] =
      g_param_spec_string ("api-family", NULL, NULL, NULL, flags);
  properties[TACHO_CLIENT_MANAGER_PROP_DESCRIPTION] =
      g_param_spec_string ("description", NULL, NULL, NULL, flags);
  properties[TACHO_CLIENT_MANAGER_PROP_VERSION] =
      g_param_spec_string ("version", NULL, NULL, NULL, flags);
  properties[TACHO_CLIENT_MANAGER_PROP_SIMULATED] =
      g_param_spec_boolean ("simulated", NULL, NULL, FALSE, flags);
  properties[TACHO_CLIENT_MANAGER_PROP_LATENCY_MS] =
      g_param_spec_double ("latency-ms", NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE, 0, flags);
  properties[TACHO_CLIENT_MANAGER_PROP_LAST_ERROR] =
      g_param_spec_boxed ("last-error", NULL, NULL, G_TYPE_ERROR, flags);
  properties[TACHO_CLIENT_MANAGER_PROP_ENDPOINT] =
      g_param_spec_string ("endpoint", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, TACHO_CLIENT_MANAGER_N_PROPS, properties);
}

static void
tacho_client_manager_init (TachoClientManager *self)
{
  self->latency_ms = NAN;
  self->probe_latency_ms = NAN;
  self->waiters = g_ptr_array_new_with_free_func (g_object_unref);
}

/**
 * tacho_client_manager_new:
 * @profile: whose server this is
 *
 * Nothing is sent until something is asked.
 *
 * Returns: (transfer full): a manager in state %TACHO_CONNECTION_DISCONNECTED
 */
TachoClientManager *
tacho_client_manager_new (TachoProfile *profile)
{
  TachoClientManager *self;

  g_return_val_if_fail (TACHO_IS_PROFILE (profile), NULL);

  self = g_object_new (TACHO_TYPE_CLIENT_MANAGER, NULL);
  self->profile = g_object_ref (profile);
  g_signal_connect_object (profile, "notify::endpoint", G_CALLBACK (endpoint_cb), self,
                           G_CONNECT_SWAPPED);
  return self;
}

/**
 * tacho_client_manager_get_profile:
 * @self: a manager
 *
 * Returns: (transfer none): the profile whose server this is
 */
TachoProfile *
tacho_client_manager_get_profile (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);
  return self->profile;
}

/**
 * tacho_client_manager_get_state:
 * @self: a manager
 *
 * Returns: how the server was when it was last heard of
 */
TachoConnectionState
tacho_client_manager_get_state (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), TACHO_CONNECTION_DISCONNECTED);
  return self->state;
}

/**
 * tacho_client_manager_get_api:
 * @self: a manager
 *
 * Returns: (transfer none) (nullable): the API that the server speaks, %NULL until a probe found
 *   out
 */
TachoApi *
tacho_client_manager_get_api (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);
  return self->api;
}

/**
 * tacho_client_manager_get_version:
 * @self: a manager
 *
 * Returns: (transfer none) (nullable): the version that the server names, %NULL if it names none
 */
const char *
tacho_client_manager_get_version (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);
  return self->version;
}

/**
 * tacho_client_manager_get_description:
 * @self: a manager
 *
 * Returns: (transfer none) (nullable): the server in words, as “llama.cpp server, router”; %NULL
 *   until a probe found out
 */
const char *
tacho_client_manager_get_description (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);
  return self->description;
}

/**
 * tacho_client_manager_get_evidence:
 * @self: a manager
 *
 * Returns: (transfer none) (array zero-terminated=1): what the verdict on the API rests on, a line
 *   a finding; empty until a probe found out
 */
const char *const *
tacho_client_manager_get_evidence (TachoClientManager *self)
{
  static const char *const none[] = { NULL };

  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), none);
  return self->evidence != NULL ? (const char *const *) self->evidence : none;
}

/**
 * tacho_client_manager_get_simulated:
 * @self: a manager
 *
 * Returns: %TRUE if the server says that it is simulated
 */
gboolean
tacho_client_manager_get_simulated (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), FALSE);
  return self->simulated;
}

/**
 * tacho_client_manager_get_latency_ms:
 * @self: a manager
 *
 * The probe takes its quickest exchange, as the first one also pays for the connection; later it is
 * the last health request.
 *
 * Returns: milliseconds from a request to its whole reply; NaN if not known
 */
double
tacho_client_manager_get_latency_ms (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NAN);
  return self->latency_ms;
}

/**
 * tacho_client_manager_get_last_error:
 * @self: a manager
 *
 * Returns: (transfer none) (nullable): why the last exchange failed on the way; %NULL once one went
 *   well
 */
const GError *
tacho_client_manager_get_last_error (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);
  return self->last_error;
}

/**
 * tacho_client_manager_get_health:
 * @self: a manager
 *
 * Returns: what the server last said of its health; meaningful once a probe found the API
 */
TachoHealth
tacho_client_manager_get_health (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), TACHO_HEALTH_UNHEALTHY);
  return self->health;
}

/**
 * tacho_client_manager_get_counters:
 * @self: a manager
 * @counters: (out): requests and connections since the manager was made
 */
void
tacho_client_manager_get_counters (TachoClientManager *self, TachoTransportCounters *counters)
{
  g_return_if_fail (TACHO_IS_CLIENT_MANAGER (self));
  g_return_if_fail (counters != NULL);

  memset (counters, 0, sizeof *counters);
  if (self->http != NULL)
    tacho_http_client_get_counters (self->http, counters);
  counters->requests += self->past.requests;
  counters->created += self->past.created;
  counters->reused += self->past.reused;
  counters->failed += self->past.failed;
  counters->bytes_received += self->past.bytes_received;
}

/**
 * tacho_client_manager_get_http:
 * @self: a manager
 *
 * Returns: (transfer none) (nullable): the client of the endpoint; %NULL if there is no endpoint
 */
TachoHttpClient *
tacho_client_manager_get_http (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);
  return tacho_client_manager_ensure_http (self, NULL);
}

/**
 * tacho_connection_state_to_string:
 * @state: a state
 *
 * Returns: (transfer none): its name as scripts see it, never translated; `unknown` for no state
 */
const char *
tacho_connection_state_to_string (TachoConnectionState state)
{
  static const char *const names[] = { "disconnected", "probing",  "connected",
                                       "loading",      "degraded", "offline" };

  return (guint) state < G_N_ELEMENTS (names) ? names[state] : "unknown";
}
