/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gRPC front of the simulated server: who may ask, who leaves, how it stops, and what it does
 * wrong when it is told to. */
#include "sim-grpc-fixture.h"

/* --- who may ask, who leaves, how it ends ----------------------------------------------------- */

static void
test_api_key (void)
{
  const char *const right[] = { "authorization", "Bearer sesame", NULL };
  const char *const wrong[] = { "authorization", "Bearer sesam", NULL };
  const Inference__ServerReadyRequest request = INFERENCE__SERVER_READY_REQUEST__INIT;
  TachoSimConfig *config = tacho_sim_config_new ("fast", NULL);
  g_autoptr (GPtrArray) requests = NULL;
  Fixture fixture;
  PeerCall call;

  config->api_key = g_strdup ("sesame");
  start_with (&fixture, TACHO_SIM_FAMILY_OIP, config);
  check_status (&fixture, OIP "ServerReady", &request.base, GRPC_STATUS_UNAUTHENTICATED, "API Key");
  peer_call (&fixture.peer, &call, OIP "ServerReady", &request.base, wrong, PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_UNAUTHENTICATED);
  peer_clear (&call);
  peer_call (&fixture.peer, &call, OIP "ServerReady", &request.base, right, PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_OK);
  peer_clear (&call);

  requests = tacho_sim_server_take_requests (fixture.server);
  g_assert_cmpuint (requests->len, ==, 3);
  for (guint i = 0; i < requests->len; i++)
    {
      const TachoSimRequest *captured = g_ptr_array_index (requests, i);

      g_assert_cmpstr (captured->method, ==, "gRPC");
      g_assert_cmpstr (captured->path, ==, OIP "ServerReady");
      g_assert_cmpuint (captured->status, ==, i == 2 ? 200 : 401);
      for (guint j = 0; j < captured->headers->len; j++)
        {
          const TachoHeader *header = g_ptr_array_index (captured->headers, j);

          g_assert_null (strstr (header->value, "sesam"));
        }
    }
  finish (&fixture);
}

/* The client left in the stream, and the capture says when and after how much. */
static void
check_captured (Fixture *fixture)
{
  g_autoptr (GPtrArray) requests = NULL;
  const TachoSimRequest *request;

  requests = tacho_sim_server_take_requests (fixture->server);
  g_assert_cmpuint (requests->len, ==, 1);
  request = g_ptr_array_index (requests, 0);
  g_assert_cmpuint (request->status, ==, 200);
  g_assert_true (request->aborted);
  g_assert_cmpuint (request->generation, ==, 1);
  g_assert_cmpuint (request->n_events, >=, 1);
  g_assert_cmpint (request->time_ns, <, request->first_byte_ns);
  g_assert_cmpint (request->first_byte_ns, <, request->last_byte_ns);
}

static void
test_cancel (void)
{
  TachoSimConfig *config = tacho_sim_config_new (NULL, NULL);
  TachoSimCounters counters;
  Fixture fixture;
  PeerCall call;
  Request request;

  start_with (&fixture, TACHO_SIM_FAMILY_OIP, config);
  request_init_vllm (&request, "r1", 1000, TRUE);
  peer_begin (&fixture.peer, &call, OIP "ModelStreamInfer", NULL, PEER_LIMIT_S);
  peer_send (&call, &request.message.base);
  peer_half_close (&call);
  peer_receive_head (&call);
  g_assert_true (peer_receive (&call));
  get_counters (&fixture, &counters);
  g_assert_cmpuint (counters.active, ==, 1);
  grpc_call_cancel (call.call, NULL);
  peer_end (&call);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_CANCELLED);
  TACHO_TEST_SPIN_UNTIL ((get_counters (&fixture, &counters), counters.active == 0));
  g_assert_cmpuint (counters.aborted, ==, 1);
  check_captured (&fixture);
  g_assert_cmpuint (counters.completed, ==, 0);
  g_assert_cmpuint (counters.output_tokens, <, 1000);
  peer_clear (&call);

  /* The client's deadline does the same. */
  peer_call (&fixture.peer, &call, OIP "ModelStreamInfer", &request.message.base, NULL, 0.5);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_DEADLINE_EXCEEDED);
  TACHO_TEST_SPIN_UNTIL ((get_counters (&fixture, &counters), counters.active == 0));
  g_assert_cmpuint (counters.aborted, ==, 2);
  request_clear (&request);
  peer_clear (&call);
  finish (&fixture);
}

static void
test_stop (void)
{
  TachoSimConfig *config = tacho_sim_config_new (NULL, NULL);
  const Inference__ServerLiveRequest live = INFERENCE__SERVER_LIVE_REQUEST__INIT;
  g_autoptr (GError) error = NULL;
  Fixture fixture;
  PeerCall call;
  Request request;
  guint16 port;

  start_with (&fixture, TACHO_SIM_FAMILY_OIP, config);
  port = (guint16) g_ascii_strtoull (strrchr (tacho_sim_server_get_url (fixture.server), ':') + 1,
                                     NULL, 10);
  request_init_vllm (&request, "r1", 1000, TRUE);
  peer_begin (&fixture.peer, &call, OIP "ModelStreamInfer", NULL, PEER_LIMIT_S);
  peer_send (&call, &request.message.base);
  peer_receive_head (&call);
  g_assert_true (peer_receive (&call));
  tacho_sim_server_stop (fixture.server);
  while (peer_receive (&call))
    ;
  peer_end (&call);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_UNAVAILABLE);
  request_clear (&request);
  peer_clear (&call);
  peer_close (&fixture.peer);

  tacho_sim_server_start (fixture.server, port, &error);
  g_assert_no_error (error);
  peer_open (&fixture.peer, tacho_sim_server_get_url (fixture.server));
  peer_call (&fixture.peer, &call, OIP "ServerLive", &live.base, NULL, PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_OK);
  peer_clear (&call);
  finish (&fixture);
}

static void
test_port_in_use (void)
{
  TachoSimConfig *config = tacho_sim_config_new ("fast", NULL);
  TachoSimFront front = { .family = TACHO_SIM_FAMILY_OIP, .grpc = TRUE };
  g_autoptr (GError) error = NULL;
  TachoSimServer *second;
  Fixture fixture;

  start (&fixture, TACHO_SIM_FAMILY_OIP);
  front.port = (guint16) g_ascii_strtoull (
      strrchr (tacho_sim_server_get_url (fixture.server), ':') + 1, NULL, 10);
  tacho_sim_config_add_front (config, &front);
  second = tacho_sim_server_new (config);
  g_assert_false (tacho_sim_server_start (second, 0, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "127.0.0.1"));
  g_assert_finalize_object (second);
  tacho_sim_config_free (config);
  finish (&fixture);
}

/* --- faults ----------------------------------------------------------------------------------- */

typedef struct
{
  const char *spec;
  grpc_status_code status;
  guint n_messages; /* with words */
  guint n_errors;
  guint n_final;
  guint64 completed, aborted;
} FaultRow;

static const FaultRow faults[] = {
  { "status=503", GRPC_STATUS_UNAVAILABLE, 0, 0, 0, 0, 0 },
  { "status=429", GRPC_STATUS_RESOURCE_EXHAUSTED, 0, 0, 0, 0, 0 },
  { "grpc-status=14", GRPC_STATUS_UNAVAILABLE, 0, 0, 0, 0, 0 },
  { "grpc-status=9:after=2", GRPC_STATUS_FAILED_PRECONDITION, 2, 0, 0, 0, 0 },
  { "latency=0.05", GRPC_STATUS_OK, 8, 0, 1, 1, 0 },
  { "stall:after=3", GRPC_STATUS_DEADLINE_EXCEEDED, 3, 0, 0, 0, 1 },
  { "drop", GRPC_STATUS_UNAVAILABLE, 0, 0, 0, 0, 0 },
  { "drop:after=3", GRPC_STATUS_UNAVAILABLE, 3, 0, 0, 0, 0 },
  { "truncate:after=3", GRPC_STATUS_OK, 3, 0, 0, 0, 0 },
  { "error:after=3", GRPC_STATUS_OK, 3, 1, 0, 0, 0 },
  { "goaway:after=3", GRPC_STATUS_OK, 8, 0, 1, 1, 0 },
  { "grpc-big=5000000:after=3", GRPC_STATUS_RESOURCE_EXHAUSTED, 3, 0, 0, 0, 0 },
  { "grpc-metadata=60000", GRPC_STATUS_RESOURCE_EXHAUSTED, 0, 0, 0, 0, 0 },
  { "grpc-compressed", GRPC_STATUS_OK, 8, 0, 1, 1, 0 },
  { "grpc-no-final", GRPC_STATUS_OK, 8, 0, 0, 1, 0 },
  { "bundle=4", GRPC_STATUS_OK, 2, 0, 1, 1, 0 },
};

static void
test_fault (gconstpointer data)
{
  const FaultRow *row = data;
  g_autofree char *spec = g_strconcat (row->spec, ":n=1", NULL);
  gboolean drops = g_str_has_prefix (row->spec, "drop");
  gboolean stalls = g_str_has_prefix (row->spec, "stall");
  gboolean reply_is_open = row->n_messages == 8 && row->status == GRPC_STATUS_OK;
  g_autoptr (GPtrArray) requests = NULL;
  g_autofree char *id = NULL;
  const TachoSimRequest *request;
  TachoSimCounters counters;
  Fixture fixture;
  PeerCall call;
  Told told;

  start (&fixture, TACHO_SIM_FAMILY_OIP);
  add_fault (&fixture, spec);
  call_stream (&fixture, &call, 8, TRUE, NULL, stalls ? 0.5 : PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, row->status);
  told_read (&told, &call, "r1");
  /* The client's core gives up what it has not handed out when the connection is reset: what was
   * sent is asked of the server below. */
  if (drops)
    g_assert_cmpuint (told.n_messages, <=, row->n_messages);
  else
    g_assert_cmpuint (told.n_messages, ==, row->n_messages);
  g_assert_cmpuint (told.n_errors, ==, row->n_errors);
  g_assert_cmpuint (told.n_final, ==, row->n_final);
  if (reply_is_open)
    {
      id = peer_get_head (&call, "x-tacho-fault");
      g_assert_cmpstr (id, ==, spec);
    }
  told_clear (&told);
  peer_clear (&call);
  TACHO_TEST_SPIN_UNTIL ((get_counters (&fixture, &counters), counters.active == 0) &&
                         counters.aborted >= row->aborted);
  g_assert_cmpuint (counters.faults, ==, 1);
  if (row->status != GRPC_STATUS_RESOURCE_EXHAUSTED) /* there the client left: a race */
    {
      g_assert_cmpuint (counters.completed, ==, row->completed);
      g_assert_cmpuint (counters.aborted, ==, row->aborted);
    }
  requests = tacho_sim_server_take_requests (fixture.server);
  g_assert_cmpuint (requests->len, ==, 1);
  request = g_ptr_array_index (requests, 0);
  g_assert_cmpstr (request->fault, ==, spec);
  if (drops && request->last_byte_ns > 0) /* else the server has not seen the end yet */
    g_assert_cmpuint (request->n_events, ==, row->n_messages);

  /* The next call is served as if nothing had been. A channel may not yet have seen that its
   * connection was reset, or given up over the metadata, and would use it. */
  if (drops || g_str_has_prefix (row->spec, "grpc-metadata"))
    {
      peer_close (&fixture.peer);
      peer_open (&fixture.peer, tacho_sim_server_get_url (fixture.server));
    }
  call_stream (&fixture, &call, 8, TRUE, NULL, PEER_LIMIT_S);
  if (call.status != GRPC_STATUS_OK)
    g_error ("%s: then %s", spec, call.words);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_OK);
  told_read (&told, &call, "r1");
  g_assert_cmpuint (told.n_tokens, ==, 8);
  told_clear (&told);
  peer_clear (&call);
  finish (&fixture);
}

/* GOAWAY in plain text goes between the frames: the stream ends well, the next call connects anew.
 */
static void
test_goaway (void)
{
  const char *const spec[] = { "x-tacho-fault", "goaway:after=2", NULL };
  TachoSimCounters counters;
  Fixture fixture;
  PeerCall call;

  start (&fixture, TACHO_SIM_FAMILY_OIP);
  for (guint i = 1; i <= 3; i++)
    {
      call_stream (&fixture, &call, 8, TRUE, spec, PEER_LIMIT_S);
      g_assert_cmpint (call.status, ==, GRPC_STATUS_OK);
      g_assert_cmpuint (call.messages->len, ==, 8);
      peer_clear (&call);
      get_counters (&fixture, &counters);
      g_assert_cmpuint (counters.connections, ==, i);
    }
  finish (&fixture);
}

static void
test_bad_bytes (void)
{
  const char *const spec[] = { "x-tacho-fault", "grpc-bytes:after=1", NULL };
  const char *const nonsense[] = { "x-tacho-fault", "no-such-fault", NULL };
  g_autoptr (GError) error = NULL;
  Fixture fixture;
  PeerCall call;
  gsize size;
  gconstpointer data;

  start (&fixture, TACHO_SIM_FAMILY_OIP);
  call_stream (&fixture, &call, 4, TRUE, spec, PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_OK);
  g_assert_cmpuint (call.messages->len, ==, 4);
  data = g_bytes_get_data (g_ptr_array_index (call.messages, 1), &size);
  g_assert_null (tacho_protobuf_unpack (&inference__model_stream_infer_response__descriptor, data,
                                        size, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL);
  peer_clear (&call);
  call_stream (&fixture, &call, 4, TRUE, nonsense, PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_INVALID_ARGUMENT);
  peer_clear (&call);
  finish (&fixture);
}

int
main (int argc, char *argv[])
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/sim/grpc/api-key", test_api_key);
  g_test_add_func ("/sim/grpc/cancel", test_cancel);
  g_test_add_func ("/sim/grpc/stop", test_stop);
  g_test_add_func ("/sim/grpc/port-in-use", test_port_in_use);
  g_test_add_func ("/sim/grpc/goaway", test_goaway);
  g_test_add_func ("/sim/grpc/bad-bytes", test_bad_bytes);
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autofree char *path = g_strconcat ("/sim/grpc/fault/", faults[i].spec, NULL);

      g_test_add_data_func (path, &faults[i], test_fault);
    }
  return g_test_run ();
}
