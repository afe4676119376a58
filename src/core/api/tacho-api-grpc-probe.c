/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which API is spoken over gRPC? Health is asked first, as it tells most cheaply whether anything
 * answers at all; then each service that is known is asked for itself. What reflection lists is
 * evidence only: Triton and KServe have none. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-grpc-probe.h"

#include <string.h>

#include "grpc_service.pb-c.h"
#include "health.pb-c.h"
#include "reflection.pb-c.h"
#include "ryzanstein.pb-c.h"
#include "api/tacho-api-grpc.h"
#include "api/tacho-api-oip.h"
#include "api/tacho-api-private.h"
#include "api/tacho-api-ryzanstein.h"
#include "base/tacho-error.h"
#include "base/tacho-text.h"

#define MAX_WORDS 60
#define MAX_SERVICES 12 /* that are named in the evidence */

typedef enum
{
  STEP_HEALTH,
  STEP_OIP,
  STEP_RYZANSTEIN,
  STEP_REFLECTION,
  STEP_REFLECTION_ALPHA,
  STEP_DECIDED,
} Step;

struct _TachoApiGrpcProbe
{
  char *family; /* NULL: to be found */
  Step step;
  GPtrArray *evidence; /* of char *, NULL-terminated */
  TachoApi *api;
  GError *error; /* the best reason for failure so far */
  char *version;
  gboolean simulated;
  TachoHealth health;
};

/**
 * tacho_api_grpc_probe_new:
 * @family: "auto", or the family to be confirmed
 * @error: return location
 *
 * Returns: (transfer full): a probe; or %NULL with %TACHO_ERROR_INVALID for a family that does not
 *   speak gRPC
 */
TachoApiGrpcProbe *
tacho_api_grpc_probe_new (const char *family, GError **error)
{
  TachoApiGrpcProbe *probe;
  gboolean any = g_strcmp0 (family, "auto") == 0;

  if (!any && g_strcmp0 (family, "oip") != 0 && g_strcmp0 (family, "ryzanstein") != 0)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "The API “%.40s” is not spoken over gRPC; auto, oip and ryzanstein are",
                   family != NULL ? family : "");
      return NULL;
    }
  probe = g_new0 (TachoApiGrpcProbe, 1);
  probe->family = any ? NULL : g_strdup (family);
  probe->health = TACHO_HEALTH_OK;
  probe->evidence = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (probe->evidence, NULL);
  return probe;
}

/**
 * tacho_api_grpc_probe_free:
 * @probe: (nullable) (transfer full): a probe
 */
void
tacho_api_grpc_probe_free (TachoApiGrpcProbe *probe)
{
  if (probe == NULL)
    return;
  g_free (probe->family);
  g_ptr_array_unref (probe->evidence);
  g_clear_object (&probe->api);
  g_clear_error (&probe->error);
  g_free (probe->version);
  g_free (probe);
}

static TachoHttpRequest *
new_list_services (const char *method)
{
  Grpc__Reflection__V1__ServerReflectionRequest request =
      GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;

  request.message_request_case =
      GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES;
  request.list_services = (char *) "";
  return tacho_api_grpc_request_new (method, &request.base);
}

static TachoHttpRequest *
new_ryzanstein_health (void)
{
  Mcp__Ryzanstein__RequestMetadata metadata = MCP__RYZANSTEIN__REQUEST_METADATA__INIT;
  Mcp__Ryzanstein__HealthRequest request = MCP__RYZANSTEIN__HEALTH_REQUEST__INIT;

  /* Its servers look into the metadata without asking whether there is any. */
  metadata.request_id = (char *) "tacho-probe";
  metadata.client_id = (char *) "tacho";
  request.metadata = &metadata;
  return tacho_api_grpc_request_new ("/mcp.ryzanstein.InferenceService/Health", &request.base);
}

/**
 * tacho_api_grpc_probe_next:
 * @probe: a probe
 *
 * Returns: (transfer full) (nullable): what to send, its reply to be fed; %NULL when it is decided
 */
TachoHttpRequest *
tacho_api_grpc_probe_next (TachoApiGrpcProbe *probe)
{
  g_return_val_if_fail (probe != NULL, NULL);

  switch (probe->step)
    {
    case STEP_HEALTH:
      return tacho_api_grpc_request_new ("/grpc.health.v1.Health/Check", NULL);
    case STEP_OIP:
      return tacho_api_grpc_request_new ("/inference.GRPCInferenceService/ServerMetadata", NULL);
    case STEP_RYZANSTEIN:
      return new_ryzanstein_health ();
    case STEP_REFLECTION:
      return new_list_services ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
    case STEP_REFLECTION_ALPHA:
      return new_list_services ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
    case STEP_DECIDED:
    default:
      return NULL;
    }
}

static void G_GNUC_PRINTF (2, 3) note (TachoApiGrpcProbe *probe, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_insert (probe->evidence, (int) probe->evidence->len - 1,
                      g_strdup_vprintf (format, args));
  va_end (args);
}

/* A missing service is a finding; a refused key or a broken server is the reason of the failure. */
static void
note_refusal (TachoApiGrpcProbe *probe, const char *what, const TachoHttpReply *reply)
{
  int status = tacho_api_grpc_status (reply);
  g_autoptr (GError) reason = NULL;

  if (status == TACHO_GRPC_UNIMPLEMENTED)
    {
      note (probe, "%s: there is no such service", what);
      return;
    }
  reason = tacho_api_error_from_reply (reply);
  note (probe, "%s: %s", what, reason->message);
  if (probe->error == NULL)
    probe->error = g_steal_pointer (&reason);
}

static gpointer
parse (TachoApiGrpcProbe *probe,
       const char *what,
       const TachoHttpReply *reply,
       const ProtobufCMessageDescriptor *descriptor)
{
  g_autoptr (GError) error = NULL;
  gpointer message = NULL;

  if (tacho_api_grpc_status (reply) > 0)
    {
      note_refusal (probe, what, reply);
      return NULL;
    }
  message = tacho_api_grpc_parse (reply, descriptor, &error);
  if (message == NULL)
    note (probe, "%s answered with something else: %s", what, error->message);
  return message;
}

static void
decide (TachoApiGrpcProbe *probe, TachoApi *api)
{
  probe->api = api;
  probe->step = STEP_DECIDED;
}

static Step
after_health (TachoApiGrpcProbe *probe)
{
  return g_strcmp0 (probe->family, "ryzanstein") == 0 ? STEP_RYZANSTEIN : STEP_OIP;
}

static void
feed_health (TachoApiGrpcProbe *probe, const TachoHttpReply *reply)
{
  Grpc__Health__V1__HealthCheckResponse *message = parse (
      probe, "grpc.health.v1 Check", reply, &grpc__health__v1__health_check_response__descriptor);

  probe->step = after_health (probe);
  if (message == NULL)
    return;
  if (message->status == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING)
    probe->health = TACHO_HEALTH_UNHEALTHY;
  note (probe, "grpc.health.v1 Check answered %s",
        probe->health == TACHO_HEALTH_OK ? "SERVING" : "NOT_SERVING");
  tacho_protobuf_free (message);
}

static void
feed_oip (TachoApiGrpcProbe *probe, const TachoHttpReply *reply)
{
  Inference__ServerMetadataResponse *message =
      parse (probe, "ServerMetadata", reply, &inference__server_metadata_response__descriptor);
  g_autofree char *name = NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) extensions = NULL;

  probe->step = probe->family != NULL ? STEP_DECIDED : STEP_RYZANSTEIN;
  if (message == NULL)
    return;
  for (size_t i = 0; i < message->n_extensions; i++)
    g_strv_builder_add (builder, message->extensions[i]);
  extensions = g_strv_builder_end (builder);
  name = tacho_text_sanitize_line (message->name, -1, MAX_WORDS);
  probe->version = tacho_text_sanitize_line (message->version, -1, MAX_WORDS);
  probe->simulated = g_str_has_prefix (probe->version, "tacho-sim");
  note (probe, "ServerMetadata answered: %s %s, Open Inference Protocol", name, probe->version);
  decide (probe, tacho_api_oip_new (TACHO_PROTOCOL_GRPC, (const char *const *) extensions, name,
                                    probe->version));
  tacho_protobuf_free (message);
}

static void
feed_ryzanstein (TachoApiGrpcProbe *probe, const TachoHttpReply *reply)
{
  Mcp__Ryzanstein__HealthResponse *message =
      parse (probe, "mcp.ryzanstein Health", reply, &mcp__ryzanstein__health_response__descriptor);

  probe->step = probe->family != NULL ? STEP_DECIDED : STEP_REFLECTION;
  if (message == NULL)
    return;
  probe->version = tacho_text_sanitize_line (message->version, -1, MAX_WORDS);
  probe->simulated = g_str_has_prefix (probe->version, "tacho-sim");
  if (!message->healthy)
    probe->health = TACHO_HEALTH_UNHEALTHY;
  note (probe, "mcp.ryzanstein.InferenceService Health answered: version %s, %s", probe->version,
        message->healthy ? "healthy" : "not healthy");
  decide (probe, tacho_api_ryzanstein_new (TACHO_PROTOCOL_GRPC, probe->version));
  tacho_protobuf_free (message);
}

static void
feed_reflection (TachoApiGrpcProbe *probe, const TachoHttpReply *reply)
{
  gboolean alpha = probe->step == STEP_REFLECTION_ALPHA;
  Grpc__Reflection__V1__ServerReflectionResponse *message =
      parse (probe, alpha ? "reflection v1alpha" : "reflection v1", reply,
             &grpc__reflection__v1__server_reflection_response__descriptor);
  const Grpc__Reflection__V1__ListServiceResponse *list = NULL;
  g_autoptr (GString) names = g_string_new (NULL);

  probe->step = message == NULL && !alpha ? STEP_REFLECTION_ALPHA : STEP_DECIDED;
  if (message == NULL)
    return;
  if (message->message_response_case ==
      GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE)
    list = message->list_services_response;
  for (size_t i = 0; list != NULL && i < MIN (list->n_service, MAX_SERVICES); i++)
    {
      g_autofree char *name = tacho_text_sanitize_line (list->service[i]->name, -1, MAX_WORDS);

      g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", name);
    }
  note (probe, "Reflection lists: %s", names->len > 0 ? names->str : "nothing");
  tacho_protobuf_free (message);
}

/**
 * tacho_api_grpc_probe_feed:
 * @probe: a probe
 * @reply: the reply to the last request from tacho_api_grpc_probe_next()
 *
 * Learns from it. Without effect once it is decided.
 */
void
tacho_api_grpc_probe_feed (TachoApiGrpcProbe *probe, const TachoHttpReply *reply)
{
  g_return_if_fail (probe != NULL);
  g_return_if_fail (reply != NULL);

  switch (probe->step)
    {
    case STEP_HEALTH:
      feed_health (probe, reply);
      break;
    case STEP_OIP:
      feed_oip (probe, reply);
      break;
    case STEP_RYZANSTEIN:
      feed_ryzanstein (probe, reply);
      break;
    case STEP_REFLECTION:
    case STEP_REFLECTION_ALPHA:
      feed_reflection (probe, reply);
      break;
    case STEP_DECIDED:
    default:
      break;
    }
}

/**
 * tacho_api_grpc_probe_finish:
 * @probe: a probe
 * @error: return location
 *
 * Returns: (transfer full): the API that is spoken there; or %NULL with why not
 */
TachoApi *
tacho_api_grpc_probe_finish (TachoApiGrpcProbe *probe, GError **error)
{
  g_autofree char *seen = NULL;

  g_return_val_if_fail (probe != NULL, NULL);

  if (probe->api != NULL)
    return g_object_ref (probe->api);
  if (probe->error != NULL)
    {
      g_propagate_error (error, g_error_copy (probe->error));
      return NULL;
    }
  seen = g_strjoinv ("; ", (char **) probe->evidence->pdata);
  if (probe->family != NULL)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNKNOWN_SERVER,
                 "The server does not speak the API “%s” over gRPC: %s", probe->family, seen);
  else
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNKNOWN_SERVER,
                 "The server speaks no gRPC service that is known: %s", seen);
  return NULL;
}

/**
 * tacho_api_grpc_probe_get_version:
 * @probe: a probe
 *
 * Returns: (nullable): what the server calls its version
 */
const char *
tacho_api_grpc_probe_get_version (TachoApiGrpcProbe *probe)
{
  g_return_val_if_fail (probe != NULL, NULL);

  return probe->version;
}

/**
 * tacho_api_grpc_probe_get_simulated:
 * @probe: a probe
 *
 * Returns: whether the server says that it is simulated
 */
gboolean
tacho_api_grpc_probe_get_simulated (TachoApiGrpcProbe *probe)
{
  g_return_val_if_fail (probe != NULL, FALSE);

  return probe->simulated;
}

/**
 * tacho_api_grpc_probe_get_evidence:
 * @probe: a probe
 *
 * Returns: (transfer none) (array zero-terminated=1): what was found, a line each
 */
const char *const *
tacho_api_grpc_probe_get_evidence (TachoApiGrpcProbe *probe)
{
  g_return_val_if_fail (probe != NULL, NULL);

  return (const char *const *) probe->evidence->pdata;
}

/**
 * tacho_api_grpc_probe_get_health:
 * @probe: a probe
 *
 * Returns: how the server was, as far as probing tells
 */
TachoHealth
tacho_api_grpc_probe_get_health (TachoApiGrpcProbe *probe)
{
  g_return_val_if_fail (probe != NULL, TACHO_HEALTH_UNHEALTHY);

  return probe->health;
}
