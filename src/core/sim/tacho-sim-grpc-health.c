/* SPDX-License-Identifier: GPL-3.0-or-later */
/* grpc.health.v1 and server reflection. Triton has Check alone, KServe neither, Ryzanstein
 * reflection; the server of every family has all of it. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-grpc-private.h"

#include "api/proto/health.pb-c.h"
#include "api/proto/reflection.pb-c.h"

typedef Grpc__Health__V1__HealthCheckResponse HealthResponse;

static int
status_of (TachoSimGrpc *grpc, const char *service)
{
  g_auto (GStrv) services = tacho_sim_grpc_list_services (grpc);

  if (*service != '\0' && !g_strv_contains ((const char *const *) services, service))
    return GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;
  return grpc->stopping || tacho_sim_engine_is_asleep (grpc->host->engine)
             ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
             : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
}

static void
check (TachoSimRpc *rpc, gpointer message)
{
  const Grpc__Health__V1__HealthCheckRequest *request = message;
  HealthResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
  int status = status_of (rpc->grpc, request->service);

  if (status == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN)
    {
      tacho_sim_rpc_finish (rpc, GRPC_STATUS_NOT_FOUND, "unknown service “%s”", request->service);
      return;
    }
  response.status = status;
  tacho_sim_rpc_reply (rpc, &response.base);
}

static void
list (TachoSimRpc *rpc, gpointer message)
{
  g_auto (GStrv) services = tacho_sim_grpc_list_services (rpc->grpc);
  guint n = g_strv_length (services) + 1;
  g_autofree HealthResponse *statuses = g_new (HealthResponse, n);
  g_autofree Grpc__Health__V1__HealthListResponse__StatusesEntry *entries =
      g_new (Grpc__Health__V1__HealthListResponse__StatusesEntry, n);
  g_autofree Grpc__Health__V1__HealthListResponse__StatusesEntry **pointers =
      g_new (Grpc__Health__V1__HealthListResponse__StatusesEntry *, n);
  Grpc__Health__V1__HealthListResponse response = GRPC__HEALTH__V1__HEALTH_LIST_RESPONSE__INIT;

  for (guint i = 0; i < n; i++)
    {
      const char *service = i == 0 ? "" : services[i - 1];

      grpc__health__v1__health_check_response__init (&statuses[i]);
      statuses[i].status = status_of (rpc->grpc, service);
      grpc__health__v1__health_list_response__statuses_entry__init (&entries[i]);
      entries[i].key = (char *) service;
      entries[i].value = &statuses[i];
      pointers[i] = &entries[i];
    }
  response.n_statuses = n;
  response.statuses = pointers;
  tacho_sim_rpc_reply (rpc, &response.base);
}

/* --- Watch ------------------------------------------------------------------------------------ */

typedef struct
{
  TachoSimRpc *rpc;
  char *service;
  int last;
  guint watch;
} Watch;

static void
tell (Watch *watch)
{
  HealthResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
  int status = status_of (watch->rpc->grpc, watch->service);

  if (status == watch->last)
    return;
  watch->last = status;
  response.status = status;
  tacho_sim_rpc_send (watch->rpc, &response.base);
}

static void
changed_cb (TachoSimRuntime *runtime, gpointer user_data)
{
  tell (user_data);
}

static void
watch_free (gpointer data)
{
  Watch *watch = data;

  tacho_sim_engine_unwatch (watch->rpc->grpc->host->engine, watch->watch);
  g_free (watch->service);
  g_free (watch);
}

static void
watch (TachoSimRpc *rpc, gpointer message)
{
  const Grpc__Health__V1__HealthCheckRequest *request = message;
  Watch *data = g_new0 (Watch, 1);

  data->rpc = rpc;
  data->service = g_strdup (request->service);
  data->last = -1;
  data->watch = tacho_sim_engine_watch (rpc->grpc->host->engine, changed_cb, data);
  tacho_sim_rpc_set_data (rpc, data, watch_free);
  tell (data);
}

/* --- reflection ------------------------------------------------------------------------------- */

static void
list_services (TachoSimRpc *rpc, Grpc__Reflection__V1__ServerReflectionResponse *response)
{
  g_auto (GStrv) services = tacho_sim_grpc_list_services (rpc->grpc);
  guint n = g_strv_length (services);
  g_autofree Grpc__Reflection__V1__ServiceResponse *entries =
      g_new (Grpc__Reflection__V1__ServiceResponse, n);
  g_autofree Grpc__Reflection__V1__ServiceResponse **pointers =
      g_new (Grpc__Reflection__V1__ServiceResponse *, n);
  Grpc__Reflection__V1__ListServiceResponse names =
      GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;

  for (guint i = 0; i < n; i++)
    {
      grpc__reflection__v1__service_response__init (&entries[i]);
      entries[i].name = services[i];
      pointers[i] = &entries[i];
    }
  names.n_service = n;
  names.service = pointers;
  response->message_response_case =
      GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
  response->list_services_response = &names;
  tacho_sim_rpc_send (rpc, &response->base);
}

/* Descriptors are not kept: protobuf-c has none. */
static void
reflect (TachoSimRpc *rpc, gpointer message)
{
  Grpc__Reflection__V1__ServerReflectionRequest *request = message;
  Grpc__Reflection__V1__ServerReflectionResponse response =
      GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
  Grpc__Reflection__V1__ErrorResponse error = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;

  response.valid_host = request->host;
  response.original_request = request;
  if (request->message_request_case ==
      GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES)
    {
      list_services (rpc, &response);
      return;
    }
  error.error_code = GRPC_STATUS_UNIMPLEMENTED;
  error.error_message = (char *) "only list_services is answered";
  response.message_response_case =
      GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
  response.error_response = &error;
  tacho_sim_rpc_send (rpc, &response.base);
}

static void
reflected (TachoSimRpc *rpc)
{
  tacho_sim_rpc_finish (rpc, GRPC_STATUS_OK, "%s", "");
}

const TachoSimMethod tacho_sim_health_methods[] = {
  { .path = "/grpc.health.v1.Health/Check",
    .shapes = TACHO_SIM_GRPC_TRITON | TACHO_SIM_GRPC_ALL,
    .request = &grpc__health__v1__health_check_request__descriptor,
    .message = check },
  { .path = "/grpc.health.v1.Health/List",
    .shapes = TACHO_SIM_GRPC_ALL,
    .request = &grpc__health__v1__health_list_request__descriptor,
    .message = list },
  { .path = "/grpc.health.v1.Health/Watch",
    .shapes = TACHO_SIM_GRPC_ALL,
    .request = &grpc__health__v1__health_check_request__descriptor,
    .message = watch },
  { .path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    .shapes = TACHO_SIM_GRPC_RYZANSTEIN | TACHO_SIM_GRPC_ALL,
    .request = &grpc__reflection__v1__server_reflection_request__descriptor,
    .many = TRUE,
    .message = reflect,
    .half_closed = reflected },
  { .path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    .shapes = TACHO_SIM_GRPC_RYZANSTEIN | TACHO_SIM_GRPC_ALL,
    .request = &grpc__reflection__v1__server_reflection_request__descriptor,
    .many = TRUE,
    .message = reflect,
    .half_closed = reflected },
  { .path = NULL },
};
