/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the gRPC front of the simulated server answers, asked by the C core's own client. The server
 * has threads of its own, so the tests block. */
#include "sim-grpc-fixture.h"

#include "api/proto/health.pb-c.h"
#include "api/proto/reflection.pb-c.h"
#include "api/proto/ryzanstein.pb-c.h"

/* --- the server and its models ---------------------------------------------------------------- */

static void
test_server (void)
{
  const Inference__ServerLiveRequest live = INFERENCE__SERVER_LIVE_REQUEST__INIT;
  const Inference__ServerMetadataRequest about = INFERENCE__SERVER_METADATA_REQUEST__INIT;
  Inference__ServerLiveResponse *alive;
  Inference__ServerMetadataResponse *metadata;
  Fixture fixture;
  PeerCall call;

  start (&fixture, TACHO_SIM_FAMILY_OIP);
  peer_call (&fixture.peer, &call, OIP "ServerLive", &live.base, NULL, PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_OK);
  alive = peer_message (&call, 0, &inference__server_live_response__descriptor);
  g_assert_true (alive->live);
  tacho_protobuf_free (alive);
  peer_clear (&call);

  peer_call (&fixture.peer, &call, OIP "ServerMetadata", &about.base, NULL, PEER_LIMIT_S);
  metadata = peer_message (&call, 0, &inference__server_metadata_response__descriptor);
  g_assert_cmpstr (metadata->name, ==, "triton");
  g_assert_cmpuint (metadata->n_extensions, >, 3);
  g_assert_cmpstr (metadata->extensions[2], ==, "model_repository");
  tacho_protobuf_free (metadata);
  peer_clear (&call);
  finish (&fixture);
}

static void
test_models (void)
{
  Inference__ModelMetadataRequest about = INFERENCE__MODEL_METADATA_REQUEST__INIT;
  Inference__ModelConfigRequest config = INFERENCE__MODEL_CONFIG_REQUEST__INIT;
  Inference__ModelMetadataResponse *metadata;
  Inference__ModelConfigResponse *response;
  Fixture fixture;
  PeerCall call;

  start (&fixture, TACHO_SIM_FAMILY_OIP);
  about.name = config.name = (char *) TINY;
  peer_call (&fixture.peer, &call, OIP "ModelMetadata", &about.base, NULL, PEER_LIMIT_S);
  metadata = peer_message (&call, 0, &inference__model_metadata_response__descriptor);
  g_assert_cmpstr (metadata->platform, ==, "vllm");
  g_assert_cmpstr (metadata->inputs[0]->name, ==, "text_input");
  g_assert_cmpstr (metadata->inputs[0]->datatype, ==, "BYTES");
  g_assert_cmpuint (metadata->inputs[0]->n_shape, ==, 1);
  g_assert_cmpint (metadata->inputs[0]->shape[0], ==, 1);
  tacho_protobuf_free (metadata);
  peer_clear (&call);

  peer_call (&fixture.peer, &call, OIP "ModelConfig", &config.base, NULL, PEER_LIMIT_S);
  response = peer_message (&call, 0, &inference__model_config_response__descriptor);
  g_assert_true (response->config->model_transaction_policy->decoupled);
  g_assert_cmpint (response->config->max_batch_size, ==, 0);
  g_assert_cmpint (response->config->input[0]->data_type, ==, INFERENCE__DATA_TYPE__TYPE_STRING);
  tacho_protobuf_free (response);
  peer_clear (&call);

  about.name = (char *) "nobody";
  check_status (&fixture, OIP "ModelMetadata", &about.base, GRPC_STATUS_NOT_FOUND,
                "unknown model: 'nobody' is not found");
  about.name = (char *) "sim-qwen-32b-q4_k_m";
  check_status (&fixture, OIP "ModelMetadata", &about.base, GRPC_STATUS_UNAVAILABLE,
                "has no available versions");
  check_status (&fixture, OIP "Nothing", &about.base, GRPC_STATUS_UNIMPLEMENTED, "Nothing");
  check_status (&fixture, MCP "Health", &about.base, GRPC_STATUS_UNIMPLEMENTED, "Health");
  finish (&fixture);
}

static char *
get_state (Fixture *fixture, const char *name)
{
  const Inference__RepositoryIndexRequest request = INFERENCE__REPOSITORY_INDEX_REQUEST__INIT;
  Inference__RepositoryIndexResponse *response;
  char *state = NULL;
  PeerCall call;

  peer_call (&fixture->peer, &call, OIP "RepositoryIndex", &request.base, NULL, PEER_LIMIT_S);
  response = peer_message (&call, 0, &inference__repository_index_response__descriptor);
  for (gsize i = 0; i < response->n_models; i++)
    if (g_str_equal (response->models[i]->name, name))
      state = g_strdup_printf ("%s/%s", response->models[i]->state, response->models[i]->reason);
  tacho_protobuf_free (response);
  peer_clear (&call);
  return state;
}

static void
test_repository (void)
{
  Inference__RepositoryModelLoadRequest load = INFERENCE__REPOSITORY_MODEL_LOAD_REQUEST__INIT;
  Inference__RepositoryModelUnloadRequest unload = INFERENCE__REPOSITORY_MODEL_UNLOAD_REQUEST__INIT;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autofree char *last = NULL;
  Fixture fixture;

  start (&fixture, TACHO_SIM_FAMILY_OIP);
  load.model_name = unload.model_name = (char *) "sim-qwen-32b-q4_k_m";
  before = get_state (&fixture, load.model_name);
  g_assert_cmpstr (before, ==, "/");
  check_status (&fixture, OIP "RepositoryModelLoad", &load.base, GRPC_STATUS_OK, "");
  after = get_state (&fixture, load.model_name);
  g_assert_cmpstr (after, ==, "READY/");
  check_status (&fixture, OIP "RepositoryModelUnload", &unload.base, GRPC_STATUS_OK, "");
  last = get_state (&fixture, load.model_name);
  g_assert_cmpstr (last, ==, "UNAVAILABLE/unloaded");

  load.model_name = (char *) "sim-broken-70b-q4_0";
  check_status (&fixture, OIP "RepositoryModelLoad", &load.base, GRPC_STATUS_INVALID_ARGUMENT,
                "load failed for model 'sim-broken-70b-q4_0'");
  load.model_name = (char *) "nobody";
  check_status (&fixture, OIP "RepositoryModelLoad", &load.base, GRPC_STATUS_INTERNAL,
                "failed to poll");
  load.repository_name = (char *) TINY; /* KServe's layout, read as Triton reads it */
  check_status (&fixture, OIP "RepositoryModelLoad", &load.base, GRPC_STATUS_UNIMPLEMENTED,
                "'repository_name' specification is not supported");
  finish (&fixture);
}

/* --- inference -------------------------------------------------------------------------------- */

static void
test_stream (void)
{
  TachoSimCounters counters;
  Inference__ModelStatisticsRequest ask = INFERENCE__MODEL_STATISTICS_REQUEST__INIT;
  Inference__ModelStatisticsResponse *statistics;
  Fixture fixture;
  PeerCall call;
  Told told;

  start (&fixture, TACHO_SIM_FAMILY_OIP);
  call_stream (&fixture, &call, 12, TRUE, NULL, PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_OK);
  told_read (&told, &call, "r1");
  get_counters (&fixture, &counters);
  g_assert_cmpuint (told.n_messages, ==, 12);
  g_assert_cmpuint (told.n_tokens, ==, counters.output_tokens);
  g_assert_cmpuint (told.n_tokens, ==, 12);
  g_assert_cmpuint (told.n_prompt, ==, counters.prompt_tokens);
  g_assert_cmpuint (told.n_final, ==, 1);
  g_assert_cmpuint (told.n_empty, ==, 0);
  g_assert_cmpstr (told.finish_reason, ==, "length");
  g_assert_true (g_str_has_prefix (told.text->str, "This reply is simulated"));
  g_assert_cmpuint (counters.completed, ==, 1);
  g_assert_cmpuint (counters.generations, ==, 1);
  g_assert_cmpuint (counters.connections, ==, 1);
  g_assert_cmpuint (counters.active, ==, 0);
  told_clear (&told);
  peer_clear (&call);

  ask.name = (char *) TINY;
  peer_call (&fixture.peer, &call, OIP "ModelStatistics", &ask.base, NULL, PEER_LIMIT_S);
  statistics = peer_message (&call, 0, &inference__model_statistics_response__descriptor);
  g_assert_cmpuint (statistics->n_model_stats, ==, 1);
  g_assert_cmpuint (statistics->model_stats[0]->inference_count, ==, 1);
  g_assert_cmpuint (statistics->model_stats[0]->inference_stats->success->count, ==, 1);
  g_assert_cmpuint (statistics->model_stats[0]->inference_stats->success->ns, >, 0);
  tacho_protobuf_free (statistics);
  peer_clear (&call);
  finish (&fixture);
}

/* Not streamed: one reply, which repeats the prompt unless it is told not to. */
static void
test_stream_whole (void)
{
  Fixture fixture;
  PeerCall call;
  Told told;

  start (&fixture, TACHO_SIM_FAMILY_OIP);
  call_stream (&fixture, &call, 5, FALSE, NULL, PEER_LIMIT_S);
  told_read (&told, &call, "r1");
  g_assert_cmpuint (told.n_messages, ==, 1);
  g_assert_cmpuint (told.n_tokens, ==, 5);
  g_assert_true (g_str_has_prefix (told.text->str, "one two threeThis reply"));
  told_clear (&told);
  peer_clear (&call);
  finish (&fixture);
}

static void
test_two_on_a_stream (void)
{
  Fixture fixture;
  TachoSimCounters counters;
  PeerCall call;
  Request first, second;
  Told told;

  start (&fixture, TACHO_SIM_FAMILY_OIP);
  request_init_vllm (&first, "a", 9, TRUE);
  request_init_vllm (&second, "b", 4, TRUE);
  request_ask_empty_final (&second);
  peer_begin (&fixture.peer, &call, OIP "ModelStreamInfer", NULL, PEER_LIMIT_S);
  peer_send (&call, &first.message.base);
  peer_send (&call, &second.message.base);
  peer_half_close (&call);
  peer_receive_head (&call);
  while (peer_receive (&call))
    ;
  peer_end (&call);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_OK);
  told_read (&told, &call, "a");
  g_assert_cmpuint (told.n_tokens, ==, 9);
  g_assert_cmpuint (told.n_final, ==, 1);
  g_assert_cmpuint (told.n_empty, ==, 0);
  told_clear (&told);
  told_read (&told, &call, "b");
  g_assert_cmpuint (told.n_tokens, ==, 4);
  g_assert_cmpuint (told.n_messages, ==, 5);
  g_assert_cmpuint (told.n_final, ==, 1);
  g_assert_cmpuint (told.n_empty, ==, 1);
  told_clear (&told);
  get_counters (&fixture, &counters);
  g_assert_cmpuint (counters.completed, ==, 2);
  g_assert_cmpuint (counters.output_tokens, ==, 13);
  request_clear (&first);
  request_clear (&second);
  peer_clear (&call);
  finish (&fixture);
}

/* An error is told in the stream, which ends with OK; or by its status, if that was asked for. */
static void
test_stream_errors (void)
{
  const char *const by_status[] = { "triton_grpc_error", "true", NULL };
  Fixture fixture;
  PeerCall call;
  Request request;
  Told told;

  start (&fixture, TACHO_SIM_FAMILY_OIP);
  request_init_vllm (&request, "r1", 4, TRUE);
  request.message.model_name = (char *) "nobody";
  peer_call (&fixture.peer, &call, OIP "ModelStreamInfer", &request.message.base, NULL,
             PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_OK);
  told_read (&told, &call, "r1");
  g_assert_cmpuint (told.n_errors, ==, 1);
  g_assert_cmpstr (told.error, ==,
                   "[request id: r1] Request for unknown model: 'nobody' is not found");
  told_clear (&told);
  peer_clear (&call);

  peer_call (&fixture.peer, &call, OIP "ModelStreamInfer", &request.message.base, by_status,
             PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_NOT_FOUND);
  peer_clear (&call);

  request.message.model_name = (char *) TINY;
  check_status (&fixture, OIP "ModelInfer", &request.message.base, GRPC_STATUS_UNIMPLEMENTED,
                "decoupled transaction policy");
  request_clear (&request);
  finish (&fixture);
}

static void
check_refused (Fixture *fixture, Request *request, const char *words)
{
  PeerCall call;
  Told told;

  peer_call (&fixture->peer, &call, OIP "ModelStreamInfer", &request->message.base, NULL,
             PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_OK);
  told_read (&told, &call, "r1");
  g_assert_cmpuint (told.n_messages, ==, 0);
  g_assert_cmpuint (told.n_errors, ==, 1);
  if (strstr (told.error, words) == NULL)
    g_error ("“%s” is not in “%s”", words, told.error);
  told_clear (&told);
  peer_clear (&call);
  request_clear (request);
}

static void
test_bad_tensors (void)
{
  Inference__InferTensorContents contents = INFERENCE__INFER_TENSOR_CONTENTS__INIT;
  TachoSimCounters counters;
  Fixture fixture;
  Request request;

  start (&fixture, TACHO_SIM_FAMILY_OIP);
  request_init (&request, TINY, "r1", 1);
  request_add_bool (&request, "stream", TRUE);
  check_refused (&fixture, &request, "missing required input 'text_input'");

  request_init_vllm (&request, "r1", 4, TRUE);
  request.inputs[1].name = (char *) "streams";
  check_refused (&fixture, &request, "unexpected inference input 'streams'");

  request_init_vllm (&request, "r1", 4, TRUE);
  request.inputs[1].datatype = (char *) "INT32";
  check_refused (&fixture, &request, "data-type is 'INT32', but model");

  request_init_vllm (&request, "r1", 4, TRUE);
  request.inputs[0].n_shape = 2;
  check_refused (&fixture, &request, "unexpected shape for input 'text_input'");

  request_init_vllm (&request, "r1", 4, TRUE);
  request.raw[0].data[0] = 0xff; /* a length beyond the end */
  check_refused (&fixture, &request, "unexpected total byte size");

  request_init_vllm (&request, "r1", 4, TRUE);
  request.inputs[1].contents = &contents;
  check_refused (&fixture, &request, "must not be specified when using raw_input_contents");

  request_init_vllm (&request, "r1", 4, TRUE);
  request.message.n_raw_input_contents--;
  check_refused (&fixture, &request, "raw input contents");

  request_init_vllm (&request, "r1", 0, TRUE);
  check_refused (&fixture, &request, "max_tokens must be at least 1");

  request_init_vllm (&request, "r1", 4, TRUE);
  request_add_bool (&request, "exclude_input_in_output", FALSE);
  check_refused (&fixture, &request, "When streaming");
  get_counters (&fixture, &counters);
  g_assert_cmpuint (counters.generations, ==, 0);
  finish (&fixture);
}

/* TensorRT-LLM's tensors have the batch's dimension, and max_tokens is one of them. */
static void
test_trtllm (void)
{
  TachoSimConfig *config = tacho_sim_config_new ("fast", NULL);
  TachoSimModel *model = g_ptr_array_index (config->models, 0);
  const gint32 n = GINT32_TO_LE (6);
  Inference__ModelInferResponse *response;
  g_autofree char *text = NULL;
  Fixture fixture;
  PeerCall call;
  Request request;

  g_free (model->id);
  model->id = g_strdup ("ensemble");
  start_with (&fixture, TACHO_SIM_FAMILY_OIP, config);
  request_init (&request, "ensemble", "r1", 2);
  request_add_text (&request, "text_input", "one two");
  request_add (&request, "max_tokens", "INT32", &n, sizeof n);
  request_add_bool (&request, "return_num_output_tokens", TRUE);
  peer_call (&fixture.peer, &call, OIP "ModelInfer", &request.message.base, NULL, PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_OK);
  response = peer_message (&call, 0, &inference__model_infer_response__descriptor);
  text = get_text (response, "text_output");
  g_assert_true (g_str_has_prefix (text, "This reply"));
  g_assert_cmpuint (get_count (response, "num_output_tokens"), ==, 6);
  g_assert_cmpuint (response->outputs[0]->n_shape, ==, 2);
  tacho_protobuf_free (response);
  peer_clear (&call);
  request_add_bool (&request, "stream", TRUE);
  check_status (&fixture, OIP "ModelInfer", &request.message.base, GRPC_STATUS_INVALID_ARGUMENT,
                "decoupled mode");
  request_clear (&request);
  finish (&fixture);
}

static void
test_kserve (void)
{
  Inference__KserveModelLoadRequest load = INFERENCE__KSERVE_MODEL_LOAD_REQUEST__INIT;
  Inference__InferTensorContents contents = INFERENCE__INFER_TENSOR_CONTENTS__INIT;
  ProtobufCBinaryData prompt = { 7, (guint8 *) "one two" };
  Inference__KserveModelLoadResponse *loaded;
  Inference__ModelInferResponse *response;
  Fixture fixture;
  PeerCall call;
  Request request;

  start (&fixture, TACHO_SIM_FAMILY_KSERVE);
  request_init (&request, TINY, "r1", 1);
  contents.n_bytes_contents = 1;
  contents.bytes_contents = &prompt;
  request.message.n_inputs = 1;
  request.inputs[0].name = (char *) "text_input";
  request.inputs[0].datatype = (char *) "BYTES";
  request.inputs[0].contents = &contents;
  peer_call (&fixture.peer, &call, OIP "ModelInfer", &request.message.base, NULL, PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_OK);
  response = peer_message (&call, 0, &inference__model_infer_response__descriptor);
  g_assert_cmpuint (response->n_raw_output_contents, ==, 0);
  g_assert_cmpstr (response->outputs[0]->name, ==, "text_output");
  g_assert_cmpuint (response->outputs[0]->contents->n_bytes_contents, ==, 1);
  g_assert_cmpuint (response->outputs[0]->contents->bytes_contents[0].len, >, 20);
  tacho_protobuf_free (response);
  peer_clear (&call);

  load.model_name = (char *) "sim-qwen-32b-q4_k_m";
  peer_call (&fixture.peer, &call, OIP "RepositoryModelLoad", &load.base, NULL, PEER_LIMIT_S);
  loaded = peer_message (&call, 0, &inference__kserve_model_load_response__descriptor);
  g_assert_cmpstr (loaded->model_name, ==, load.model_name);
  g_assert_true (loaded->is_loaded);
  tacho_protobuf_free (loaded);
  peer_clear (&call);
  load.model_name = (char *) "nobody";
  check_status (&fixture, OIP "RepositoryModelLoad", &load.base, GRPC_STATUS_NOT_FOUND,
                "does not exist");
  check_status (&fixture, OIP "ModelStreamInfer", &request.message.base, GRPC_STATUS_UNIMPLEMENTED,
                "");
  check_status (&fixture, "/grpc.health.v1.Health/Check", &load.base, GRPC_STATUS_UNIMPLEMENTED,
                "");
  finish (&fixture);
}

/* --- Ryzanstein, health, reflection ----------------------------------------------------------- */

static void
test_ryzanstein (void)
{
  Mcp__Ryzanstein__InferenceRequest request = MCP__RYZANSTEIN__INFERENCE_REQUEST__INIT;
  Mcp__Ryzanstein__RequestMetadata metadata = MCP__RYZANSTEIN__REQUEST_METADATA__INIT;
  Mcp__Ryzanstein__Message words = MCP__RYZANSTEIN__MESSAGE__INIT;
  Mcp__Ryzanstein__Message *messages = &words;
  Mcp__Ryzanstein__InferenceResponse *whole;
  TachoSimCounters counters;
  guint n_final = 0;
  Fixture fixture;
  PeerCall call;

  start (&fixture, TACHO_SIM_FAMILY_RYZANSTEIN);
  words.role = MCP__RYZANSTEIN__ROLE__ROLE_USER;
  words.content = (char *) "hello";
  request.model = (char *) TINY;
  request.n_messages = 1;
  request.messages = &messages;
  request.max_tokens = 6;
  check_status (&fixture, MCP "Infer", &request.base, GRPC_STATUS_INTERNAL, "nil pointer");
  metadata.request_id = (char *) "r1";
  request.metadata = &metadata;
  peer_call (&fixture.peer, &call, MCP "Infer", &request.base, NULL, PEER_LIMIT_S);
  whole = peer_message (&call, 0, &mcp__ryzanstein__inference_response__descriptor);
  g_assert_cmpint (whole->tokens_used, ==, 6);
  g_assert_cmpstr (whole->metadata->request_id, ==, "r1");
  tacho_protobuf_free (whole);
  peer_clear (&call);

  peer_call (&fixture.peer, &call, MCP "InferStream", &request.base, NULL, PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_OK);
  g_assert_cmpuint (call.messages->len, ==, 6);
  for (guint i = 0; i < call.messages->len; i++)
    {
      Mcp__Ryzanstein__InferenceChunk *chunk =
          peer_message (&call, i, &mcp__ryzanstein__inference_chunk__descriptor);

      g_assert_true (chunk->is_final == (i == 5));
      n_final += chunk->is_final != 0;
      tacho_protobuf_free (chunk);
    }
  g_assert_cmpuint (n_final, ==, 1);
  peer_clear (&call);
  get_counters (&fixture, &counters);
  g_assert_cmpuint (counters.completed, ==, 2);
  g_assert_cmpuint (counters.output_tokens, ==, 12);
  finish (&fixture);
}

static void
check_service_names (Fixture *fixture, const char *path)
{
  Grpc__Reflection__V1__ServerReflectionRequest request =
      GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
  Grpc__Reflection__V1__ServerReflectionResponse *response;
  PeerCall call;

  request.message_request_case =
      GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES;
  request.list_services = (char *) "";
  peer_call (&fixture->peer, &call, path, &request.base, NULL, PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_OK);
  response = peer_message (&call, 0, &grpc__reflection__v1__server_reflection_response__descriptor);
  g_assert_cmpuint (response->list_services_response->n_service, >=, 4);
  g_assert_cmpstr (response->list_services_response->service[0]->name, ==,
                   "inference.GRPCInferenceService");
  tacho_protobuf_free (response);
  peer_clear (&call);
}

static void
test_health (void)
{
  Grpc__Health__V1__HealthCheckRequest request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
  Grpc__Health__V1__HealthCheckResponse *response;
  Fixture fixture;
  PeerCall call;

  start (&fixture, TACHO_SIM_FAMILY_ALL);
  peer_call (&fixture.peer, &call, "/grpc.health.v1.Health/Check", &request.base, NULL,
             PEER_LIMIT_S);
  response = peer_message (&call, 0, &grpc__health__v1__health_check_response__descriptor);
  g_assert_cmpint (response->status, ==,
                   GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING);
  tacho_protobuf_free (response);
  peer_clear (&call);

  request.service = (char *) "nobody";
  check_status (&fixture, "/grpc.health.v1.Health/Check", &request.base, GRPC_STATUS_NOT_FOUND,
                "nobody");
  /* Watch says what it knows and stays open: until the deadline. */
  peer_call (&fixture.peer, &call, "/grpc.health.v1.Health/Watch", &request.base, NULL, 0.3);
  g_assert_cmpint (call.status, ==, GRPC_STATUS_DEADLINE_EXCEEDED);
  g_assert_cmpuint (call.messages->len, ==, 1);
  response = peer_message (&call, 0, &grpc__health__v1__health_check_response__descriptor);
  g_assert_cmpint (response->status, ==,
                   GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN);
  tacho_protobuf_free (response);
  peer_clear (&call);
  check_service_names (&fixture, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
  check_service_names (&fixture, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  finish (&fixture);
}

int
main (int argc, char *argv[])
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/sim/grpc/server", test_server);
  g_test_add_func ("/sim/grpc/models", test_models);
  g_test_add_func ("/sim/grpc/repository", test_repository);
  g_test_add_func ("/sim/grpc/stream", test_stream);
  g_test_add_func ("/sim/grpc/stream-whole", test_stream_whole);
  g_test_add_func ("/sim/grpc/two-on-a-stream", test_two_on_a_stream);
  g_test_add_func ("/sim/grpc/stream-errors", test_stream_errors);
  g_test_add_func ("/sim/grpc/bad-tensors", test_bad_tensors);
  g_test_add_func ("/sim/grpc/trtllm", test_trtllm);
  g_test_add_func ("/sim/grpc/kserve", test_kserve);
  g_test_add_func ("/sim/grpc/ryzanstein", test_ryzanstein);
  g_test_add_func ("/sim/grpc/health", test_health);
  return g_test_run ();
}
