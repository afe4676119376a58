/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which API is this, over gRPC? What a server does not implement is a finding as good as what it
 * does; only if neither service is there is it asked for the list of those it has. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-probe-private.h"

#include <string.h>

#include "api/proto/grpc_service.pb-c.h"
#include "api/proto/health.pb-c.h"
#include "api/proto/reflection.pb-c.h"
#include "api/proto/ryzanstein.pb-c.h"
#include "api/tacho-api-grpc.h"
#include "api/tacho-api-oip.h"
#include "api/tacho-api-private.h"
#include "api/tacho-api-ryzanstein.h"
#include "base/tacho-error.h"

#define OIP_SERVICE "inference.GRPCInferenceService"
#define RYZANSTEIN_SERVICE "mcp.ryzanstein.InferenceService"
#define MAX_SERVICES 32

static const char *const methods[] = {
  [TACHO_PROBE_GRPC_HEALTH] = "/grpc.health.v1.Health/Check",
  [TACHO_PROBE_GRPC_OIP] = "/" OIP_SERVICE "/ServerMetadata",
  [TACHO_PROBE_GRPC_RYZANSTEIN] = "/" RYZANSTEIN_SERVICE "/Health",
  [TACHO_PROBE_GRPC_REFLECTION] = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  [TACHO_PROBE_GRPC_REFLECTION_ALPHA] =
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
};

/**
 * tacho_api_probe_new_grpc:
 * @family: "auto", "oip" or "ryzanstein"
 * @error: return location
 *
 * Its requests are calls as net/tacho-transport.h writes them.
 *
 * Returns: (transfer full): a probe over gRPC; or %NULL with %TACHO_ERROR_INVALID for a name that
 *   is not known, or is that of a family that does not speak gRPC
 */
TachoApiProbe *
tacho_api_probe_new_grpc (const char *family, GError **error)
{
  TachoApiProbe *probe = tacho_api_probe_alloc (family, error);

  if (probe == NULL)
    return NULL;
  if (probe->family == NULL)
    probe->step = TACHO_PROBE_GRPC_HEALTH;
  else if (strcmp (family, "oip") == 0)
    probe->step = TACHO_PROBE_GRPC_OIP;
  else if (strcmp (family, "ryzanstein") == 0)
    probe->step = TACHO_PROBE_GRPC_RYZANSTEIN;
  else
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "The API “%s” is not spoken over gRPC; auto, oip and ryzanstein are", family);
      g_clear_pointer (&probe, tacho_api_probe_free);
    }
  return probe;
}

TachoHttpRequest *
tacho_api_probe_grpc_next (TachoApiProbe *probe)
{
  Grpc__Reflection__V1__ServerReflectionRequest list =
      GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;

  if (probe->step == TACHO_PROBE_GRPC_RYZANSTEIN)
    {
      g_autoptr (TachoApi) api = tacho_api_ryzanstein_new (TACHO_PROTOCOL_GRPC, NULL);

      return tacho_api_build (api, TACHO_OP_HEALTH, NULL, NULL);
    }
  if (probe->step == TACHO_PROBE_GRPC_HEALTH || probe->step == TACHO_PROBE_GRPC_OIP)
    return tacho_api_grpc_request_new (methods[probe->step], NULL);
  list.message_request_case =
      GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES;
  list.list_services = (char *) "";
  return tacho_api_grpc_request_new (methods[probe->step], &list.base);
}

/* TRUE if the call was answered; else what came instead is noted. */
static gpointer
parse (TachoApiProbe *probe,
       const TachoHttpReply *reply,
       const ProtobufCMessageDescriptor *descriptor)
{
  g_autoptr (GError) reason = NULL;
  gpointer message = tacho_api_grpc_parse (reply, descriptor, &reason);
  const char *method = methods[probe->step] + 1;

  if (message != NULL)
    return message;
  if (tacho_api_grpc_status (reply) == TACHO_GRPC_UNIMPLEMENTED)
    tacho_api_probe_note (probe, "%s is not implemented", method);
  else if (tacho_api_grpc_status (reply) == TACHO_GRPC_OK)
    tacho_api_probe_note (probe, "%s answered with something else: %s", method, reason->message);
  else
    tacho_api_probe_note_refusal (probe, method, reply);
  return NULL;
}

static void
feed_health (TachoApiProbe *probe, const TachoHttpReply *reply)
{
  Grpc__Health__V1__HealthCheckResponse *message =
      parse (probe, reply, &grpc__health__v1__health_check_response__descriptor);

  probe->health = TACHO_HEALTH_OK;
  if (message != NULL &&
      message->status == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING)
    tacho_api_probe_note (probe, "grpc.health.v1.Health/Check answered: serving");
  else if (message != NULL)
    {
      probe->health = TACHO_HEALTH_LOADING;
      tacho_api_probe_note (probe, "grpc.health.v1.Health/Check answered: not serving");
    }
  tacho_protobuf_free (message);
}

static gboolean
feed_oip (TachoApiProbe *probe, const TachoHttpReply *reply)
{
  Inference__ServerMetadataResponse *message =
      parse (probe, reply, &inference__server_metadata_response__descriptor);
  g_autoptr (GPtrArray) extensions = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *name = NULL;

  if (message == NULL)
    return FALSE;
  for (gsize i = 0; i < MIN (message->n_extensions, 2 * MAX_SERVICES); i++)
    g_ptr_array_add (extensions, g_utf8_make_valid (message->extensions[i], -1));
  g_ptr_array_add (extensions, NULL);
  name = tacho_api_excerpt (message->name, strlen (message->name));
  tacho_api_probe_set_version (probe, message->version);
  tacho_api_probe_note (
      probe, OIP_SERVICE "/ServerMetadata answered with “%s”: Open Inference Protocol", name);
  tacho_api_probe_decide (probe,
                          tacho_api_oip_new (TACHO_PROTOCOL_GRPC,
                                             (const char *const *) extensions->pdata, name,
                                             probe->version),
                          probe->family != NULL ? TACHO_HEALTH_OK : probe->health);
  tacho_protobuf_free (message);
  return TRUE;
}

static gboolean
feed_ryzanstein (TachoApiProbe *probe, const TachoHttpReply *reply)
{
  Mcp__Ryzanstein__HealthResponse *message =
      parse (probe, reply, &mcp__ryzanstein__health_response__descriptor);

  if (message == NULL)
    return FALSE;
  tacho_api_probe_set_version (probe, message->version);
  tacho_api_probe_note (probe, RYZANSTEIN_SERVICE "/Health answered: %s",
                        message->healthy ? "healthy" : "not healthy");
  tacho_api_probe_decide (probe, tacho_api_ryzanstein_new (TACHO_PROTOCOL_GRPC, probe->version),
                          message->healthy ? TACHO_HEALTH_OK : TACHO_HEALTH_UNHEALTHY);
  tacho_protobuf_free (message);
  return TRUE;
}

/* What is there instead: for the reader, who may find that it is an engine's inner interface. */
static gboolean
feed_reflection (TachoApiProbe *probe, const TachoHttpReply *reply)
{
  Grpc__Reflection__V1__ServerReflectionResponse *message =
      parse (probe, reply, &grpc__reflection__v1__server_reflection_response__descriptor);
  const Grpc__Reflection__V1__ListServiceResponse *list = NULL;
  g_autoptr (GString) names = g_string_new (NULL);

  if (message != NULL &&
      message->message_response_case ==
          GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE)
    list = message->list_services_response;
  for (gsize i = 0; list != NULL && i < MIN (list->n_service, MAX_SERVICES); i++)
    {
      const char *name = list->service[i]->name;
      g_autofree char *clean = tacho_api_excerpt (name, strlen (name));

      g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "", clean);
    }
  if (list != NULL)
    tacho_api_probe_note (probe, "By reflection, the services are: %s",
                          names->len > 0 ? names->str : "none");
  if (strstr (names->str, "vllm.grpc.engine") != NULL ||
      strstr (names->str, "sglang.grpc.scheduler") != NULL)
    tacho_api_probe_note (probe, "That is an engine's inner interface, which speaks in token ids: "
                                 "use the server's HTTP port");
  tacho_protobuf_free (message);
  return list != NULL;
}

void
tacho_api_probe_grpc_feed (TachoApiProbe *probe, const TachoHttpReply *reply)
{
  int status = tacho_api_grpc_status (reply);
  gboolean implemented = status != TACHO_GRPC_UNIMPLEMENTED;

  switch ((int) probe->step)
    {
    case TACHO_PROBE_GRPC_HEALTH:
      feed_health (probe, reply);
      probe->step = TACHO_PROBE_GRPC_OIP;
      break;
    case TACHO_PROBE_GRPC_OIP:
      if (feed_oip (probe, reply))
        return;
      probe->step =
          probe->family == NULL ? TACHO_PROBE_GRPC_RYZANSTEIN : TACHO_PROBE_GRPC_REFLECTION;
      break;
    case TACHO_PROBE_GRPC_RYZANSTEIN:
      if (feed_ryzanstein (probe, reply))
        return;
      probe->step = TACHO_PROBE_GRPC_REFLECTION;
      break;
    case TACHO_PROBE_GRPC_REFLECTION:
      if (feed_reflection (probe, reply) || implemented)
        probe->step = TACHO_PROBE_DECIDED;
      else
        probe->step = TACHO_PROBE_GRPC_REFLECTION_ALPHA;
      break;
    default:
      feed_reflection (probe, reply);
      probe->step = TACHO_PROBE_DECIDED;
    }
  /* Refused for want of a key, or not served at all: the others would say the same. */
  if (probe->error != NULL)
    probe->step = TACHO_PROBE_DECIDED;
}
