/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The live endpoints of a profile: which serves, in what state, and why. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-client-manager-state-private.h"

#include <math.h>

#include "base/tacho-error.h"

G_DEFINE_FINAL_TYPE (TachoClientManager, tacho_client_manager, G_TYPE_OBJECT)

G_DEFINE_ENUM_TYPE (TachoConnectionState,
                    tacho_connection_state,
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_DISCONNECTED, "disconnected"),
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_PROBING, "probing"),
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_CONNECTED, "connected"),
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_LOADING, "loading"),
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_DEGRADED, "degraded"),
                    G_DEFINE_ENUM_VALUE (TACHO_CONNECTION_OFFLINE, "offline"))

enum
{
  PROP_0,
  PROP_STATE,
  PROP_ENDPOINTS,
  PROP_SERVING,
  PROP_REASON,
  PROP_API,
  PROP_API_FAMILY,
  PROP_DESCRIPTION,
  PROP_VERSION,
  PROP_SIMULATED,
  PROP_LATENCY_MS,
  PROP_LAST_ERROR,
  PROP_ENDPOINT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

void
tacho_client_manager_destroy_source (gpointer data)
{
  g_source_destroy (data);
  g_source_unref (data);
}

static void
notify (TachoClientManager *self, guint property)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

static void
set_string (TachoClientManager *self, char **field, const char *value, guint property)
{
  if (g_strcmp0 (*field, value) == 0)
    return;
  g_free (*field);
  *field = g_strdup (value);
  notify (self, property);
}

static void
set_last_error (TachoClientManager *self, const GError *error)
{
  if (self->last_error == NULL && error == NULL)
    return;
  if (self->last_error != NULL && error != NULL &&
      g_error_matches (error, self->last_error->domain, self->last_error->code) &&
      g_str_equal (error->message, self->last_error->message))
    return;
  g_clear_error (&self->last_error);
  self->last_error = error != NULL ? g_error_copy (error) : NULL;
  notify (self, PROP_LAST_ERROR);
}

static void
set_serving (TachoClientManager *self, TachoEndpoint *endpoint)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->endpoints));

  if (self->serving == endpoint)
    return;
  self->serving = endpoint;
  for (guint i = 0; i < n; i++)
    tacho_endpoint_set_serving (tacho_client_manager_peek (self, i),
                                tacho_client_manager_peek (self, i) == endpoint);
  notify (self, PROP_SERVING);
}

void
tacho_client_manager_update (TachoClientManager *self)
{
  g_autofree char *description = NULL;
  g_autofree char *reason = NULL;
  TachoConnectionState state;
  TachoApi *api;

  if (self->updates_frozen > 0)
    return;
  g_object_ref (self);
  g_object_freeze_notify (G_OBJECT (self));
  set_serving (self, tacho_client_manager_pick_serving (self));
  api = tacho_client_manager_get_api (self);
  description = api != NULL ? tacho_api_describe (api) : NULL;
  reason = tacho_client_manager_describe_reason (self);
  set_string (self, &self->description, description, PROP_DESCRIPTION);
  set_string (self, &self->reason, reason, PROP_REASON);
  set_last_error (self, tacho_client_manager_derive_error (self));
  state = tacho_client_manager_derive_state (self);
  if (self->state != state)
    {
      self->state = state;
      notify (self, PROP_STATE);
    }
  g_object_thaw_notify (G_OBJECT (self));
  g_object_unref (self);
}

static void
endpoint_notify_cb (TachoEndpoint *endpoint, GParamSpec *pspec, TachoClientManager *self)
{
  const char *name = g_param_spec_get_name (pspec);

  if (g_str_equal (name, "serving"))
    return;
  g_object_freeze_notify (G_OBJECT (self));
  tacho_client_manager_update (self);
  if (self->serving == endpoint && g_str_equal (name, "latency-ms"))
    notify (self, PROP_LATENCY_MS);
  if (g_str_equal (name, "api"))
    {
      notify (self, PROP_API);
      notify (self, PROP_API_FAMILY);
      notify (self, PROP_VERSION);
      notify (self, PROP_SIMULATED);
    }
  g_object_thaw_notify (G_OBJECT (self));
}

/* --- endings --- */

static void
end_traffic (TachoClientManager *self)
{
  g_autoptr (GError) error =
      g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "The connection was closed");
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->endpoints));

  tacho_client_manager_end_round (self, error);
  self->updates_frozen++;
  for (guint i = 0; i < n; i++)
    tacho_endpoint_close (tacho_client_manager_peek (self, i));
  self->updates_frozen--;
  tacho_client_manager_update (self);
}

static void
address_cb (TachoClientManager *self)
{
  g_object_ref (self);
  end_traffic (self);
  notify (self, PROP_ENDPOINT);
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
  g_object_unref (self);
}

/* --- GObject --- */

static void
tacho_client_manager_dispose (GObject *object)
{
  TachoClientManager *self = TACHO_CLIENT_MANAGER (object);

  if (self->profile != NULL)
    tacho_client_manager_close (self);
  self->serving = NULL;
  g_list_store_remove_all (self->endpoints);
  g_clear_object (&self->profile);

  G_OBJECT_CLASS (tacho_client_manager_parent_class)->dispose (object);
}

static void
tacho_client_manager_finalize (GObject *object)
{
  TachoClientManager *self = TACHO_CLIENT_MANAGER (object);

  g_ptr_array_unref (self->waiters);
  g_object_unref (self->endpoints);
  g_free (self->description);
  g_free (self->reason);
  g_clear_error (&self->last_error);

  G_OBJECT_CLASS (tacho_client_manager_parent_class)->finalize (object);
}

static void
tacho_client_manager_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  TachoClientManager *self = TACHO_CLIENT_MANAGER (object);
  TachoApi *api = tacho_client_manager_get_api (self);

  switch (prop_id)
    {
    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    case PROP_ENDPOINTS:
      g_value_set_object (value, self->endpoints);
      break;
    case PROP_SERVING:
      g_value_set_object (value, self->serving);
      break;
    case PROP_REASON:
      g_value_set_string (value, self->reason);
      break;
    case PROP_API:
      g_value_set_object (value, api);
      break;
    case PROP_API_FAMILY:
      g_value_set_string (value, api != NULL ? tacho_api_get_family (api) : NULL);
      break;
    case PROP_DESCRIPTION:
      g_value_set_string (value, self->description);
      break;
    case PROP_VERSION:
      g_value_set_string (value, tacho_client_manager_get_version (self));
      break;
    case PROP_SIMULATED:
      g_value_set_boolean (value, tacho_client_manager_get_simulated (self));
      break;
    case PROP_LATENCY_MS:
      g_value_set_double (value, tacho_client_manager_get_latency_ms (self));
      break;
    case PROP_LAST_ERROR:
      g_value_set_boxed (value, self->last_error);
      break;
    case PROP_ENDPOINT:
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

  properties[PROP_STATE] = g_param_spec_enum ("state", NULL, NULL, TACHO_TYPE_CONNECTION_STATE,
                                              TACHO_CONNECTION_DISCONNECTED, flags);
  properties[PROP_ENDPOINTS] =
      g_param_spec_object ("endpoints", NULL, NULL, G_TYPE_LIST_MODEL, flags);
  properties[PROP_SERVING] =
      g_param_spec_object ("serving", NULL, NULL, TACHO_TYPE_ENDPOINT, flags);
  properties[PROP_REASON] = g_param_spec_string ("reason", NULL, NULL, NULL, flags);
  properties[PROP_API] = g_param_spec_object ("api", NULL, NULL, TACHO_TYPE_API, flags);
  properties[PROP_API_FAMILY] = g_param_spec_string ("api-family", NULL, NULL, NULL, flags);
  properties[PROP_DESCRIPTION] = g_param_spec_string ("description", NULL, NULL, NULL, flags);
  properties[PROP_VERSION] = g_param_spec_string ("version", NULL, NULL, NULL, flags);
  properties[PROP_SIMULATED] = g_param_spec_boolean ("simulated", NULL, NULL, FALSE, flags);
  properties[PROP_LATENCY_MS] =
      g_param_spec_double ("latency-ms", NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE, 0, flags);
  properties[PROP_LAST_ERROR] = g_param_spec_boxed ("last-error", NULL, NULL, G_TYPE_ERROR, flags);
  properties[PROP_ENDPOINT] = g_param_spec_string ("endpoint", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
tacho_client_manager_init (TachoClientManager *self)
{
  self->waiters = g_ptr_array_new_with_free_func (g_object_unref);
  self->endpoints = g_list_store_new (TACHO_TYPE_ENDPOINT);
}

static void
add_endpoint (TachoClientManager *self, TachoProtocol protocol)
{
  g_autoptr (TachoEndpoint) endpoint = tacho_endpoint_new (self->profile, protocol);

  g_signal_connect_object (endpoint, "notify", G_CALLBACK (endpoint_notify_cb), self, 0);
  g_list_store_append (self->endpoints, endpoint);
}

/* A change of the protocol or the order makes other endpoints. */
static void
rebuild_endpoints (TachoClientManager *self)
{
  TachoProtocol protocol = tacho_profile_get_protocol (self->profile);
  gboolean rest_first = tacho_profile_get_rest_first (self->profile);

  g_object_ref (self);
  end_traffic (self);
  self->serving = NULL;
  g_list_store_remove_all (self->endpoints);
  if (protocol != TACHO_PROTOCOL_GRPC && (protocol == TACHO_PROTOCOL_REST || rest_first))
    add_endpoint (self, TACHO_PROTOCOL_REST);
  if (protocol != TACHO_PROTOCOL_REST)
    add_endpoint (self, TACHO_PROTOCOL_GRPC);
  if (protocol == TACHO_PROTOCOL_HYBRID && !rest_first)
    add_endpoint (self, TACHO_PROTOCOL_REST);
  tacho_client_manager_update (self);
  g_object_unref (self);
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
  rebuild_endpoints (self);
  g_signal_connect_object (profile, "notify::endpoint", G_CALLBACK (address_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (profile, "notify::grpc-endpoint", G_CALLBACK (address_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (profile, "notify::protocol", G_CALLBACK (rebuild_endpoints), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (profile, "notify::rest-first", G_CALLBACK (rebuild_endpoints), self,
                           G_CONNECT_SWAPPED);
  return self;
}

/**
 * tacho_client_manager_get_endpoints:
 * @self: a manager
 *
 * Returns: (transfer none): a list of #TachoEndpoint, in the order of their use
 */
GListModel *
tacho_client_manager_get_endpoints (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);
  return G_LIST_MODEL (self->endpoints);
}

/**
 * tacho_client_manager_get_serving:
 * @self: a manager
 *
 * Returns: (transfer none) (nullable): where the next generation goes; %NULL if no side is known
 */
TachoEndpoint *
tacho_client_manager_get_serving (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);
  return self->serving;
}

/**
 * tacho_client_manager_get_side:
 * @self: a manager
 * @protocol: %TACHO_PROTOCOL_REST or %TACHO_PROTOCOL_GRPC
 *
 * Returns: (transfer none) (nullable): the side of that protocol; %NULL if the profile has none
 */
TachoEndpoint *
tacho_client_manager_get_side (TachoClientManager *self, TachoProtocol protocol)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->endpoints)); i++)
    if (tacho_endpoint_get_protocol (tacho_client_manager_peek (self, i)) == protocol)
      return tacho_client_manager_peek (self, i);
  return NULL;
}

/**
 * tacho_client_manager_get_reason:
 * @self: a manager
 *
 * Returns: (transfer none) (nullable): why that side serves, if another is preferred or down: “the
 *   gRPC side is down: …”; %NULL if all is plain
 */
const char *
tacho_client_manager_get_reason (TachoClientManager *self)
{
  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (self), NULL);
  return self->reason;
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
  return self->serving != NULL ? tacho_endpoint_get_api (self->serving) : NULL;
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
  return self->serving != NULL ? tacho_endpoint_get_version (self->serving) : NULL;
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
  return self->serving != NULL ? tacho_endpoint_get_evidence (self->serving) : none;
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
  return self->serving != NULL && tacho_endpoint_get_simulated (self->serving);
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
  return self->serving != NULL ? tacho_endpoint_get_latency_ms (self->serving) : NAN;
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
  return self->serving != NULL ? tacho_endpoint_get_health (self->serving) : TACHO_HEALTH_UNHEALTHY;
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

  *counters = (TachoTransportCounters){ 0 };
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->endpoints)); i++)
    {
      TachoTransportCounters one;

      tacho_endpoint_get_counters (tacho_client_manager_peek (self, i), &one);
      counters->requests += one.requests;
      counters->created += one.created;
      counters->reused += one.reused;
      counters->failed += one.failed;
      counters->open += one.open;
      counters->idle += one.idle;
      counters->bytes_received += one.bytes_received;
    }
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
