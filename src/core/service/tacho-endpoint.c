/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One side of a server: address, transport, what speaks there, breaker, state. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-endpoint-state-private.h"

#include <math.h>

#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "base/tacho-text.h"

G_DEFINE_FINAL_TYPE (TachoEndpoint, tacho_endpoint, G_TYPE_OBJECT)

G_DEFINE_ENUM_TYPE (TachoEndpointState,
                    tacho_endpoint_state,
                    G_DEFINE_ENUM_VALUE (TACHO_ENDPOINT_UNKNOWN, "unknown"),
                    G_DEFINE_ENUM_VALUE (TACHO_ENDPOINT_PROBING, "probing"),
                    G_DEFINE_ENUM_VALUE (TACHO_ENDPOINT_OK, "ok"),
                    G_DEFINE_ENUM_VALUE (TACHO_ENDPOINT_LOADING, "loading"),
                    G_DEFINE_ENUM_VALUE (TACHO_ENDPOINT_FAILING, "failing"),
                    G_DEFINE_ENUM_VALUE (TACHO_ENDPOINT_DOWN, "down"))

static GParamSpec *properties[TACHO_ENDPOINT_N_PROPS];

/* --- setters that notify --- */

void
tacho_endpoint_notify (TachoEndpoint *self, guint property)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

void
tacho_endpoint_set_state (TachoEndpoint *self, TachoEndpointState state)
{
  if (self->state == state)
    return;
  self->state = state;
  tacho_endpoint_notify (self, TACHO_ENDPOINT_PROP_STATE);
}

void
tacho_endpoint_set_last_error (TachoEndpoint *self, const GError *error)
{
  if (self->last_error == NULL && error == NULL)
    return;
  if (self->last_error != NULL && error != NULL &&
      g_error_matches (error, self->last_error->domain, self->last_error->code) &&
      g_str_equal (error->message, self->last_error->message))
    return;
  g_clear_error (&self->last_error);
  self->last_error = error != NULL ? g_error_copy (error) : NULL;
  tacho_endpoint_notify (self, TACHO_ENDPOINT_PROP_LAST_ERROR);
}

void
tacho_endpoint_set_latency (TachoEndpoint *self, double latency_ms)
{
  if (isnan (latency_ms) && isnan (self->latency_ms))
    return;
  self->latency_ms = latency_ms;
  tacho_endpoint_notify (self, TACHO_ENDPOINT_PROP_LATENCY_MS);
}

void
tacho_endpoint_set_api (TachoEndpoint *self, TachoApi *api)
{
  if (g_set_object (&self->api, api))
    tacho_endpoint_notify (self, TACHO_ENDPOINT_PROP_API);
}

void
tacho_endpoint_set_serving (TachoEndpoint *self, gboolean serving)
{
  if (self->serving == serving)
    return;
  self->serving = serving;
  tacho_endpoint_notify (self, TACHO_ENDPOINT_PROP_SERVING);
}

void
tacho_endpoint_destroy_source (gpointer data)
{
  g_source_destroy (data);
  g_source_unref (data);
}

TachoEndpointState
tacho_endpoint_state_of_health (TachoHealth health)
{
  switch (health)
    {
    case TACHO_HEALTH_OK:
      return TACHO_ENDPOINT_OK;
    case TACHO_HEALTH_LOADING:
      return TACHO_ENDPOINT_LOADING;
    case TACHO_HEALTH_UNHEALTHY:
    default:
      return TACHO_ENDPOINT_FAILING;
    }
}

static void
drop_transport (TachoEndpoint *self)
{
  TachoTransportCounters counters;

  if (self->transport == NULL)
    return;
  tacho_transport_close (self->transport);
  tacho_transport_get_counters (self->transport, &counters);
  self->past.requests += counters.requests;
  self->past.created += counters.created;
  self->past.reused += counters.reused;
  self->past.failed += counters.failed;
  self->past.bytes_received += counters.bytes_received;
  g_clear_object (&self->transport);
}

void
tacho_endpoint_close (TachoEndpoint *self)
{
  g_object_ref (self);
  tacho_endpoint_end_probe (self);
  g_clear_object (&self->poll_cancellable);
  drop_transport (self);
  g_object_freeze_notify (G_OBJECT (self));
  tacho_endpoint_set_api (self, NULL);
  g_clear_pointer (&self->version, g_free);
  g_clear_pointer (&self->evidence, g_strfreev);
  self->simulated = FALSE;
  self->unimplemented = 0;
  tacho_endpoint_set_latency (self, NAN);
  tacho_endpoint_set_state (self, TACHO_ENDPOINT_UNKNOWN);
  g_object_thaw_notify (G_OBJECT (self));
  g_object_unref (self);
}

GError *
tacho_endpoint_redirect_error (TachoEndpoint *self, const TachoHttpReply *reply)
{
  const char *location;
  g_autofree char *shown = NULL;

  if (reply->status < 300 || reply->status > 399)
    return NULL;
  location = tacho_http_reply_get_header (reply, "Location");
  shown = tacho_text_sanitize_line (location != NULL ? location : "nowhere", -1, 200);
  return g_error_new (
      TACHO_ERROR, TACHO_ERROR_PROTOCOL,
      "%s answered with a redirect (HTTP %u) to %s, which was not followed: if that "
      "is the server you mean, give its address",
      tacho_endpoint_get_target (self), reply->status, shown);
}

/* --- what exchanges show of it --- */

void
tacho_endpoint_note (TachoEndpoint *self, const TachoFailure *failure)
{
  gboolean broken = failure != NULL && tacho_failure_is_breakage (failure);
  gboolean opened = FALSE;

  if (failure != NULL && !broken)
    return;
  g_object_ref (self);
  g_object_freeze_notify (G_OBJECT (self));
  if (broken)
    opened = tacho_breaker_failed (&self->breaker, tacho_clock_now_ns ());
  else
    tacho_breaker_succeeded (&self->breaker);
  tacho_endpoint_notify (self, TACHO_ENDPOINT_PROP_BREAKER);
  tacho_endpoint_set_last_error (self, broken ? failure->error : NULL);
  if (self->probe == NULL && self->state != TACHO_ENDPOINT_UNKNOWN)
    {
      if (!broken && self->state != TACHO_ENDPOINT_LOADING)
        tacho_endpoint_set_state (self, TACHO_ENDPOINT_OK);
      else if (broken)
        tacho_endpoint_set_state (self, opened || self->state == TACHO_ENDPOINT_FAILING ||
                                                self->state == TACHO_ENDPOINT_DOWN
                                            ? TACHO_ENDPOINT_DOWN
                                            : TACHO_ENDPOINT_FAILING);
    }
  g_object_thaw_notify (G_OBJECT (self));
  g_object_unref (self);
}

void
tacho_endpoint_set_unimplemented (TachoEndpoint *self, TachoOperation operation)
{
  self->unimplemented |= 1u << operation;
}

gboolean
tacho_endpoint_may_retry (TachoEndpoint *self)
{
  return tacho_breaker_may_retry (&self->breaker);
}

/* --- GObject --- */

static void
tacho_endpoint_dispose (GObject *object)
{
  TachoEndpoint *self = TACHO_ENDPOINT (object);

  if (self->profile != NULL)
    tacho_endpoint_close (self);
  g_clear_object (&self->profile);

  G_OBJECT_CLASS (tacho_endpoint_parent_class)->dispose (object);
}

static void
tacho_endpoint_finalize (GObject *object)
{
  TachoEndpoint *self = TACHO_ENDPOINT (object);

  g_ptr_array_unref (self->waiters);
  g_clear_error (&self->last_error);

  G_OBJECT_CLASS (tacho_endpoint_parent_class)->finalize (object);
}

static void
tacho_endpoint_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  TachoEndpoint *self = TACHO_ENDPOINT (object);

  switch (prop_id)
    {
    case TACHO_ENDPOINT_PROP_PROTOCOL:
      g_value_set_enum (value, self->protocol);
      break;
    case TACHO_ENDPOINT_PROP_TARGET:
      g_value_set_string (value, tacho_endpoint_get_target (self));
      break;
    case TACHO_ENDPOINT_PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    case TACHO_ENDPOINT_PROP_API:
      g_value_set_object (value, self->api);
      break;
    case TACHO_ENDPOINT_PROP_SERVING:
      g_value_set_boolean (value, self->serving);
      break;
    case TACHO_ENDPOINT_PROP_LATENCY_MS:
      g_value_set_double (value, self->latency_ms);
      break;
    case TACHO_ENDPOINT_PROP_LAST_ERROR:
      g_value_set_boxed (value, self->last_error);
      break;
    case TACHO_ENDPOINT_PROP_BREAKER:
      g_value_set_static_string (
          value, tacho_breaker_state_to_string (tacho_endpoint_get_breaker_state (self)));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tacho_endpoint_class_init (TachoEndpointClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->dispose = tacho_endpoint_dispose;
  object_class->finalize = tacho_endpoint_finalize;
  object_class->get_property = tacho_endpoint_get_property;

  properties[TACHO_ENDPOINT_PROP_PROTOCOL] =
      g_param_spec_enum ("protocol", NULL, NULL, TACHO_TYPE_PROTOCOL, TACHO_PROTOCOL_REST, flags);
  properties[TACHO_ENDPOINT_PROP_TARGET] = g_param_spec_string ("target", NULL, NULL, NULL, flags);
  properties[TACHO_ENDPOINT_PROP_STATE] = g_param_spec_enum (
      "state", NULL, NULL, TACHO_TYPE_ENDPOINT_STATE, TACHO_ENDPOINT_UNKNOWN, flags);
  properties[TACHO_ENDPOINT_PROP_API] =
      g_param_spec_object ("api", NULL, NULL, TACHO_TYPE_API, flags);
  properties[TACHO_ENDPOINT_PROP_SERVING] =
      g_param_spec_boolean ("serving", NULL, NULL, FALSE, flags);
  properties[TACHO_ENDPOINT_PROP_LATENCY_MS] =
      g_param_spec_double ("latency-ms", NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE, 0, flags);
  properties[TACHO_ENDPOINT_PROP_LAST_ERROR] =
      g_param_spec_boxed ("last-error", NULL, NULL, G_TYPE_ERROR, flags);
  properties[TACHO_ENDPOINT_PROP_BREAKER] =
      g_param_spec_string ("breaker", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, TACHO_ENDPOINT_N_PROPS, properties);
}

static void
tacho_endpoint_init (TachoEndpoint *self)
{
  self->latency_ms = NAN;
  self->probe_latency_ms = NAN;
  self->waiters = g_ptr_array_new_with_free_func (g_object_unref);
}

TachoEndpoint *
tacho_endpoint_new (TachoProfile *profile, TachoProtocol protocol)
{
  const TachoProfileTuning *tuning = tacho_profile_get_tuning (profile);
  TachoEndpoint *self = g_object_new (TACHO_TYPE_ENDPOINT, NULL);

  self->profile = g_object_ref (profile);
  self->protocol = protocol;
  tacho_breaker_init (&self->breaker, tuning->breaker_failures, tuning->breaker_open_s);
  return self;
}

/* --- getters --- */

/**
 * tacho_endpoint_state_to_string:
 * @state: a state
 *
 * Returns: its name as scripts see it, never translated
 */
const char *
tacho_endpoint_state_to_string (TachoEndpointState state)
{
  static const char *const names[] = { "unknown", "probing", "ok", "loading", "failing", "down" };

  return (gsize) state < G_N_ELEMENTS (names) ? names[state] : "unknown";
}

/**
 * tacho_endpoint_get_protocol:
 * @self: an endpoint
 *
 * Returns: %TACHO_PROTOCOL_REST or %TACHO_PROTOCOL_GRPC
 */
TachoProtocol
tacho_endpoint_get_protocol (TachoEndpoint *self)
{
  g_return_val_if_fail (TACHO_IS_ENDPOINT (self), TACHO_PROTOCOL_REST);
  return self->protocol;
}

/**
 * tacho_endpoint_get_target:
 * @self: an endpoint
 *
 * Returns: (transfer none) (nullable): where it is: a base URL, or "HOST:PORT"; %NULL if the
 *   profile has no such side, or its simulated server does not run
 */
const char *
tacho_endpoint_get_target (TachoEndpoint *self)
{
  g_return_val_if_fail (TACHO_IS_ENDPOINT (self), NULL);
  return self->protocol == TACHO_PROTOCOL_GRPC ? tacho_profile_get_grpc_endpoint (self->profile)
                                               : tacho_profile_get_endpoint (self->profile);
}

/**
 * tacho_endpoint_get_state:
 * @self: an endpoint
 *
 * Returns: how it was when it was last heard of
 */
TachoEndpointState
tacho_endpoint_get_state (TachoEndpoint *self)
{
  g_return_val_if_fail (TACHO_IS_ENDPOINT (self), TACHO_ENDPOINT_UNKNOWN);
  return self->state;
}

/**
 * tacho_endpoint_get_api:
 * @self: an endpoint
 *
 * Returns: (transfer none) (nullable): the API that is spoken there; %NULL until a probe found out
 */
TachoApi *
tacho_endpoint_get_api (TachoEndpoint *self)
{
  g_return_val_if_fail (TACHO_IS_ENDPOINT (self), NULL);
  return self->api;
}

/**
 * tacho_endpoint_get_version:
 * @self: an endpoint
 *
 * Returns: (transfer none) (nullable): the version that the server names
 */
const char *
tacho_endpoint_get_version (TachoEndpoint *self)
{
  g_return_val_if_fail (TACHO_IS_ENDPOINT (self), NULL);
  return self->version;
}

/**
 * tacho_endpoint_get_evidence:
 * @self: an endpoint
 *
 * Returns: (transfer none) (array zero-terminated=1): what the verdict on the API rests on, a line
 *   a finding
 */
const char *const *
tacho_endpoint_get_evidence (TachoEndpoint *self)
{
  static const char *const none[] = { NULL };

  g_return_val_if_fail (TACHO_IS_ENDPOINT (self), none);
  return self->evidence != NULL ? (const char *const *) self->evidence : none;
}

/**
 * tacho_endpoint_get_simulated:
 * @self: an endpoint
 *
 * Returns: %TRUE if what speaks there says that it is simulated
 */
gboolean
tacho_endpoint_get_simulated (TachoEndpoint *self)
{
  g_return_val_if_fail (TACHO_IS_ENDPOINT (self), FALSE);
  return self->simulated;
}

/**
 * tacho_endpoint_get_health:
 * @self: an endpoint
 *
 * Returns: what the server last said of its health; meaningful once its API is known
 */
TachoHealth
tacho_endpoint_get_health (TachoEndpoint *self)
{
  g_return_val_if_fail (TACHO_IS_ENDPOINT (self), TACHO_HEALTH_UNHEALTHY);
  return self->health;
}

/**
 * tacho_endpoint_get_serving:
 * @self: an endpoint
 *
 * Returns: %TRUE if the next operation goes here
 */
gboolean
tacho_endpoint_get_serving (TachoEndpoint *self)
{
  g_return_val_if_fail (TACHO_IS_ENDPOINT (self), FALSE);
  return self->serving;
}

/**
 * tacho_endpoint_get_latency_ms:
 * @self: an endpoint
 *
 * Returns: milliseconds of the last short exchange: a probe's quickest, or a health request; NaN if
 *   not known
 */
double
tacho_endpoint_get_latency_ms (TachoEndpoint *self)
{
  g_return_val_if_fail (TACHO_IS_ENDPOINT (self), NAN);
  return self->latency_ms;
}

/**
 * tacho_endpoint_get_last_error:
 * @self: an endpoint
 *
 * Returns: (transfer none) (nullable): why the last exchange failed on the way; %NULL once one went
 *   well
 */
const GError *
tacho_endpoint_get_last_error (TachoEndpoint *self)
{
  g_return_val_if_fail (TACHO_IS_ENDPOINT (self), NULL);
  return self->last_error;
}

/**
 * tacho_endpoint_get_breaker_state:
 * @self: an endpoint
 *
 * Returns: whether its recent failures keep operations away from it
 */
TachoBreakerState
tacho_endpoint_get_breaker_state (TachoEndpoint *self)
{
  g_return_val_if_fail (TACHO_IS_ENDPOINT (self), TACHO_BREAKER_CLOSED);
  return tacho_breaker_get_state (&self->breaker, tacho_clock_now_ns ());
}

/**
 * tacho_endpoint_get_retry_in_s:
 * @self: an endpoint
 *
 * Returns: seconds until an open breaker lets a health call through; 0 if it is not open
 */
double
tacho_endpoint_get_retry_in_s (TachoEndpoint *self)
{
  gint64 now_ns = tacho_clock_now_ns ();

  g_return_val_if_fail (TACHO_IS_ENDPOINT (self), 0);
  return tacho_breaker_get_state (&self->breaker, now_ns) == TACHO_BREAKER_OPEN
             ? (double) (self->breaker.open_until_ns - now_ns) / TACHO_NS_PER_S
             : 0;
}

/**
 * tacho_endpoint_get_counters:
 * @self: an endpoint
 * @counters: (out): requests and connections since it was made
 */
void
tacho_endpoint_get_counters (TachoEndpoint *self, TachoTransportCounters *counters)
{
  g_return_if_fail (TACHO_IS_ENDPOINT (self));
  g_return_if_fail (counters != NULL);

  *counters = (TachoTransportCounters){ 0 };
  if (self->transport != NULL)
    tacho_transport_get_counters (self->transport, counters);
  counters->requests += self->past.requests;
  counters->created += self->past.created;
  counters->reused += self->past.reused;
  counters->failed += self->past.failed;
  counters->bytes_received += self->past.bytes_received;
}

/**
 * tacho_endpoint_is_unimplemented:
 * @self: an endpoint
 * @operation: an operation
 *
 * Returns: whether the server once said that it has no such operation
 */
gboolean
tacho_endpoint_is_unimplemented (TachoEndpoint *self, TachoOperation operation)
{
  g_return_val_if_fail (TACHO_IS_ENDPOINT (self), FALSE);
  return (self->unimplemented & 1u << operation) != 0;
}
