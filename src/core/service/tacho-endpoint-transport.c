/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an endpoint's profile means to its transport. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-endpoint-state-private.h"

#include "base/tacho-error.h"
#include "net/tacho-grpc-client.h"
#include "net/tacho-http-client.h"

static TachoTransport *
new_http (TachoEndpoint *self, GError **error)
{
  TachoProfile *profile = self->profile;
  const TachoProfileTuning *tuning = tacho_profile_get_tuning (profile);
  const TachoHttpOptions options = {
    .base_url = tacho_profile_get_endpoint (profile),
    .bearer = tacho_profile_get_api_key (profile),
    .headers = tacho_profile_get_headers (profile),
    .ca_file = tacho_profile_get_ca_file (profile),
    .cert_file = tacho_profile_get_cert_file (profile),
    .key_file = tacho_profile_get_key_file (profile),
    .pin = tacho_profile_get_pin (profile),
    .proxy = tacho_profile_get_proxy (profile),
    .timeout_connect = tacho_profile_get_timeout (profile, TACHO_TIMEOUT_CONNECT),
    .timeout_first = tacho_profile_get_timeout (profile, TACHO_TIMEOUT_FIRST),
    .timeout_idle = tacho_profile_get_timeout (profile, TACHO_TIMEOUT_IDLE),
    .timeout_total = tacho_profile_get_timeout (profile, TACHO_TIMEOUT_TOTAL),
    .max_connections = tuning->max_connections,
    .idle_close = tuning->connection_idle_s,
    .max_age = tuning->connection_age_s,
  };

  if (options.base_url == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           tacho_profile_is_sim (profile)
                               ? "The built-in simulated server of this profile is not running"
                               : "This profile has no REST address");
      return NULL;
    }
  return (TachoTransport *) tacho_http_client_new (&options, error);
}

static TachoTransport *
new_grpc (TachoEndpoint *self, GError **error)
{
  TachoProfile *profile = self->profile;
  const TachoProfileTuning *tuning = tacho_profile_get_tuning (profile);
  gboolean tls = tacho_profile_get_grpc_tls (profile);
  /* Trust belongs to TLS; a profile may have it for its REST side alone. */
  const TachoGrpcOptions options = {
    .target = tacho_profile_get_grpc_endpoint (profile),
    .tls = tls,
    .bearer = tacho_profile_get_api_key (profile),
    .headers = tacho_profile_get_headers (profile),
    .ca_file = tls ? tacho_profile_get_ca_file (profile) : NULL,
    .cert_file = tls ? tacho_profile_get_cert_file (profile) : NULL,
    .key_file = tls ? tacho_profile_get_key_file (profile) : NULL,
    .pin = tls ? tacho_profile_get_pin (profile) : NULL,
    .timeout_connect = tacho_profile_get_timeout (profile, TACHO_TIMEOUT_CONNECT),
    .timeout_first = tacho_profile_get_timeout (profile, TACHO_TIMEOUT_FIRST),
    .timeout_idle = tacho_profile_get_timeout (profile, TACHO_TIMEOUT_IDLE),
    .timeout_total = tacho_profile_get_timeout (profile, TACHO_TIMEOUT_TOTAL),
    .keepalive = tuning->keepalive_s,
  };

  if (options.target == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "This profile has no gRPC address; give one as HOST:PORT");
      return NULL;
    }
  return tacho_grpc_client_new (&options, error);
}

TachoTransport *
tacho_endpoint_ensure_transport (TachoEndpoint *self, GError **error)
{
  if (self->transport != NULL)
    return self->transport;
  if (!tacho_profile_check_plain_key (self->profile, error))
    return NULL;
  self->transport =
      self->protocol == TACHO_PROTOCOL_GRPC ? new_grpc (self, error) : new_http (self, error);
  return self->transport;
}
