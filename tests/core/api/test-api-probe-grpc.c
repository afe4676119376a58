/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every kind of server as the probe meets it over gRPC: which services it has, how often it is
 * called. */
#include "api/tacho-api-probe.h"

#include <string.h>

#include "api/proto/grpc_service.pb-c.h"
#include "api/proto/health.pb-c.h"
#include "api/proto/reflection.pb-c.h"
#include "api/proto/ryzanstein.pb-c.h"
#include "api/tacho-protobuf.h"
#include "base/tacho-error.h"
#include "test-utils.h"

static TachoHttpReply *
reply_new (guint status, const void *data, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, length);

  return tacho_http_reply_new (status, bytes);
}

typedef enum
{
  HAS_HEALTH = 1 << 0,
  HAS_OIP = 1 << 1,
  HAS_RYZANSTEIN = 1 << 2,
  HAS_REFLECTION = 1 << 3,
  HAS_REFLECTION_ALPHA = 1 << 4,
  NOT_SERVING = 1 << 5,
  KEYED = 1 << 6,
  GARBLED = 1 << 7,
  INNER = 1 << 8, /* reflection tells of an engine's inner interface */
} GrpcHas;

typedef struct
{
  const char *name;
  const char *family;
  guint has;
  guint n_calls;
  const char *found;
  TachoHealth health;
  const char *evidence; /* or in the error's message */
} GrpcVector;

static const GrpcVector grpc_servers[] = {
  { "triton", "auto", HAS_HEALTH | HAS_OIP, 2, "oip", TACHO_HEALTH_OK, "serving" },
  { "triton-not-ready", "auto", HAS_HEALTH | HAS_OIP | NOT_SERVING, 2, "oip", TACHO_HEALTH_LOADING,
    "not serving" },
  { "kserve-no-health", "auto", HAS_OIP, 2, "oip", TACHO_HEALTH_OK,
    "grpc.health.v1.Health/Check is not implemented" },
  { "ryzanstein", "auto", HAS_RYZANSTEIN | HAS_REFLECTION, 3, "ryzanstein", TACHO_HEALTH_OK,
    "healthy" },
  { "other", "auto", HAS_HEALTH | HAS_REFLECTION, 4, NULL, 0, "some.Service" },
  { "other-alpha", "auto", HAS_REFLECTION_ALPHA, 5, NULL, 0, "some.Service" },
  { "nothing", "auto", 0, 5, NULL, 0, "is not implemented" },
  { "inner", "auto", HAS_HEALTH | HAS_REFLECTION | INNER, 4, NULL, 0, "HTTP port" },
  { "keyed", "auto", KEYED, 1, NULL, 0, "key" },
  { "garbled", "auto", HAS_HEALTH | HAS_OIP | HAS_RYZANSTEIN | HAS_REFLECTION | GARBLED, 4, NULL, 0,
    "something else" },
  { "named-oip", "oip", HAS_OIP, 1, "oip", TACHO_HEALTH_OK, "Open Inference" },
  { "named-oip-no", "oip", HAS_RYZANSTEIN | HAS_REFLECTION, 2, NULL, 0, "some.Service" },
  { "named-ryzanstein", "ryzanstein", HAS_RYZANSTEIN, 1, "ryzanstein", TACHO_HEALTH_OK, "healthy" },
};

static TachoHttpReply *
grpc_status (guint status, const char *code)
{
  TachoHttpReply *reply = reply_new (status, "", 0);

  tacho_http_reply_add_header (reply, "grpc-status", code);
  tacho_http_reply_add_header (reply, "grpc-message", "said the server");
  return reply;
}

static TachoHttpReply *
grpc_message (const GrpcVector *v, const ProtobufCMessage *message)
{
  g_autoptr (GBytes) bytes = tacho_protobuf_pack (message);
  TachoHttpReply *reply =
      (v->has & GARBLED) ? reply_new (200, "\xff\xff\xff", 3) : tacho_http_reply_new (200, bytes);

  tacho_http_reply_add_header (reply, "grpc-status", "0");
  return reply;
}

static TachoHttpReply *
answer_reflection (const GrpcVector *v)
{
  Grpc__Reflection__V1__ServerReflectionResponse message =
      GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
  Grpc__Reflection__V1__ListServiceResponse list =
      GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
  Grpc__Reflection__V1__ServiceResponse service = GRPC__REFLECTION__V1__SERVICE_RESPONSE__INIT;
  Grpc__Reflection__V1__ServiceResponse *services[] = { &service };

  service.name = (char *) ((v->has & INNER) ? "vllm.grpc.engine.VllmEngine" : "some.Service");
  list.service = services;
  list.n_service = 1;
  message.message_response_case =
      GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
  message.list_services_response = &list;
  return grpc_message (v, &message.base);
}

static TachoHttpReply *
answer_grpc (const GrpcVector *v, const TachoHttpRequest *request)
{
  const char *path = request->path;

  g_assert_cmpstr (request->method, ==, "gRPC");
  if (v->has & KEYED)
    return grpc_status (401, "16");
  if ((v->has & HAS_HEALTH) && strcmp (path, "/grpc.health.v1.Health/Check") == 0)
    {
      Grpc__Health__V1__HealthCheckResponse message = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

      message.status = (v->has & NOT_SERVING)
                           ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
                           : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
      return grpc_message (v, &message.base);
    }
  if ((v->has & HAS_OIP) && strcmp (path, "/inference.GRPCInferenceService/ServerMetadata") == 0)
    {
      Inference__ServerMetadataResponse message = INFERENCE__SERVER_METADATA_RESPONSE__INIT;

      message.name = (char *) "triton";
      message.version = (char *) "2.60";
      return grpc_message (v, &message.base);
    }
  if ((v->has & HAS_RYZANSTEIN) && strcmp (path, "/mcp.ryzanstein.InferenceService/Health") == 0)
    {
      Mcp__Ryzanstein__HealthResponse message = MCP__RYZANSTEIN__HEALTH_RESPONSE__INIT;

      g_assert_cmpuint (g_bytes_get_size (request->body), >, 0); /* its metadata */
      message.healthy = TRUE;
      message.version = (char *) "1.0";
      return grpc_message (v, &message.base);
    }
  if (((v->has & HAS_REFLECTION) && g_str_has_prefix (path, "/grpc.reflection.v1.")) ||
      ((v->has & HAS_REFLECTION_ALPHA) && g_str_has_prefix (path, "/grpc.reflection.v1alpha.")))
    return answer_reflection (v);
  return grpc_status (501, "12");
}

static void
test_grpc_server (gconstpointer data)
{
  const GrpcVector *v = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoApiProbe) probe = tacho_api_probe_new_grpc (v->family, &error);
  g_autoptr (TachoApi) api = NULL;
  g_autofree char *evidence = NULL;
  guint n = 0;

  g_assert_no_error (error);
  for (;;)
    {
      g_autoptr (TachoHttpRequest) request = tacho_api_probe_next (probe);
      g_autoptr (TachoHttpReply) reply = NULL;

      if (request == NULL)
        break;
      g_assert_cmpuint (++n, <=, 5);
      reply = answer_grpc (v, request);
      tacho_api_probe_feed (probe, reply);
    }
  evidence = g_strjoinv ("\n", (char **) tacho_api_probe_get_evidence (probe));
  api = tacho_api_probe_finish (probe, &error);
  if (v->found == NULL)
    {
      int code = (v->has & KEYED) ? TACHO_ERROR_GRPC : TACHO_ERROR_UNKNOWN_SERVER;

      g_assert_error (error, TACHO_ERROR, code);
      g_assert_nonnull (strstr (error->message, v->evidence));
    }
  else
    {
      g_assert_no_error (error);
      g_assert_cmpstr (tacho_api_get_family (api), ==, v->found);
      g_assert_cmpint (tacho_api_get_protocol (api), ==, TACHO_PROTOCOL_GRPC);
      g_assert_cmpint (tacho_api_probe_get_health (probe), ==, v->health);
      g_assert_nonnull (strstr (evidence, v->evidence));
    }
  g_assert_cmpuint (n, ==, v->n_calls);
}

static void
test_grpc_families (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (tacho_api_probe_new_grpc ("ollama", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "not spoken over gRPC"));
  for (guint i = 0; tacho_api_families ()[i] != NULL; i++)
    {
      g_autoptr (TachoApiProbe) probe = tacho_api_probe_new (tacho_api_families ()[i], NULL);
      g_autoptr (TachoHttpRequest) request = tacho_api_probe_next (probe);

      g_assert_nonnull (request);
    }
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (grpc_servers); i++)
    {
      g_autofree char *path = g_strconcat ("/api/probe/grpc/", grpc_servers[i].name, NULL);

      g_test_add_data_func (path, &grpc_servers[i], test_grpc_server);
    }
  g_test_add_func ("/api/probe/grpc/families", test_grpc_families);
  return g_test_run ();
}
