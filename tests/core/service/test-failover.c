/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two sides of one server: which is used, what happens when one dies at each moment, and that
 * nothing is ever generated twice for it. The simulator counts what it generated. */
#include "test-utils.h"

#include "base/tacho-error.h"
#include "service/tacho-inference-service.h"
#include "service/tacho-model-service.h"
#include "sim/tacho-sim-server.h"

#include <string.h>

#define MODEL "sim-llama-8b-q4_k_m"
#define STREAM_METHOD "/inference.GRPCInferenceService/ModelStreamInfer"
#ifdef __SANITIZE_ADDRESS__
#define N_RANDOM 1000
#else
#define N_RANDOM 10000
#endif

typedef struct
{
  TachoSimServer *sim;
  TachoProfile *profile;
  TachoClientManager *manager;
  TachoInferenceService *inference;
} Fixture;

static const char *
after_scheme (const char *url)
{
  return strstr (url, "//") + 2;
}

/* data: "rest" for one side alone, else both, gRPC first. */
static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new ("fast", NULL);
  const TachoSimFront grpc = { .family = TACHO_SIM_FAMILY_OIP, .grpc = TRUE };
  TachoProfileTuning tuning;
  GError *error = NULL;

  if (data == NULL)
    tacho_sim_config_add_front (config, &grpc);
  f->sim = tacho_sim_server_new (config);
  g_assert_true (tacho_sim_server_start (f->sim, 0, &error));
  g_assert_no_error (error);
  f->profile = tacho_profile_new ("test", tacho_sim_server_get_url (f->sim), NULL);
  if (data == NULL)
    {
      g_assert_true (tacho_profile_set_grpc_target (
          f->profile, after_scheme (tacho_sim_server_get_front_url (f->sim, 1)), NULL));
      g_assert_true (tacho_profile_set_protocol (f->profile, TACHO_PROTOCOL_HYBRID, NULL));
    }
  tacho_profile_tuning_init (&tuning);
  tuning.backoff_s = 0.001;
  tuning.backoff_cap_s = 0.002;
  g_assert_true (tacho_profile_set_tuning (f->profile, &tuning, NULL));
  f->manager = tacho_client_manager_new (f->profile);
  f->inference = tacho_inference_service_new (f->manager);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  tacho_client_manager_close (f->manager);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->inference)->ref_count == 1);
  g_assert_finalize_object (f->inference);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->manager)->ref_count == 1);
  g_assert_finalize_object (f->manager);
  /* What was cancelled lets go of it in the loop. */
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->profile)->ref_count == 1);
  g_assert_finalize_object (f->profile);
  tacho_sim_server_stop (f->sim);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->sim)->ref_count == 1);
  g_assert_finalize_object (f->sim);
}

/* --- short ways to say it --- */

static void
fault (Fixture *f, const char *spec)
{
  g_autoptr (TachoSimFault) parsed = tacho_sim_fault_parse (spec, NULL);

  g_assert_nonnull (parsed);
  tacho_sim_server_add_fault (f->sim, parsed);
}

static guint64
n_generated (Fixture *f)
{
  TachoSimCounters counters;

  tacho_sim_server_get_counters (f->sim, &counters);
  return counters.generations;
}

static TachoGeneration *
start (Fixture *f, gint64 max_tokens)
{
  g_autoptr (TachoGenerateRequest) request = tacho_generate_request_new (MODEL);
  GError *error = NULL;
  TachoGeneration *generation;

  tacho_generate_request_add_message (request, TACHO_ROLE_USER, "hello");
  request->max_tokens = max_tokens;
  generation = tacho_inference_service_start (f->inference, request, &error);
  g_assert_no_error (error);
  return generation;
}

static TachoGeneration *
generate (Fixture *f)
{
  TachoGeneration *generation = start (f, 4);

  TACHO_TEST_SPIN_UNTIL (tacho_generation_is_ended (generation));
  return generation;
}

static const TachoAttempt *
attempt (TachoGeneration *generation, guint index)
{
  GPtrArray *attempts = tacho_generation_get_attempts (generation);

  g_assert_cmpuint (index, <, attempts->len);
  return g_ptr_array_index (attempts, index);
}

static void
assert_done_by (TachoGeneration *generation, TachoProtocol protocol, guint n_attempts)
{
  const GError *error = tacho_generation_get_error (generation);

  g_assert_no_error (error);
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_DONE);
  g_assert_cmpuint (tacho_generation_get_attempts (generation)->len, ==, n_attempts);
  g_assert_cmpint (attempt (generation, n_attempts - 1)->protocol, ==, protocol);
  g_assert_cmpint (attempt (generation, n_attempts - 1)->stage, ==, TACHO_STAGE_DONE);
}

static TachoEndpoint *
serving (Fixture *f)
{
  return tacho_client_manager_get_serving (f->manager);
}

/* --- two sides --- */

static void
test_dies_between (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoGeneration) first = generate (f);
  g_autoptr (TachoGeneration) second = NULL;
  g_autoptr (TachoGeneration) third = NULL;
  g_autoptr (TachoGeneration) fourth = NULL;

  assert_done_by (first, TACHO_PROTOCOL_GRPC, 1);
  g_assert_cmpint (tacho_client_manager_get_state (f->manager), ==, TACHO_CONNECTION_CONNECTED);
  g_assert_null (tacho_client_manager_get_reason (f->manager));

  tacho_sim_server_set_side (f->sim, TRUE, FALSE);
  second = generate (f);
  assert_done_by (second, TACHO_PROTOCOL_REST, 2);
  g_assert_cmpint (attempt (second, 0)->protocol, ==, TACHO_PROTOCOL_GRPC);
  g_assert_nonnull (attempt (second, 0)->error);
  g_assert_true (g_str_has_prefix (attempt (second, 0)->decision, "fail over"));
  g_assert_cmpuint (n_generated (f), ==, 2);
  g_assert_cmpint (tacho_client_manager_get_state (f->manager), ==, TACHO_CONNECTION_DEGRADED);
  g_assert_cmpint (tacho_endpoint_get_protocol (serving (f)), ==, TACHO_PROTOCOL_REST);
  g_assert_nonnull (strstr (tacho_client_manager_get_reason (f->manager), "gRPC side is down"));

  /* It is found again by itself, by health calls and not by a generation. */
  third = generate (f);
  g_assert_cmpint (tacho_generation_get_state (third), ==, TACHO_GENERATION_DONE);
  tacho_sim_server_set_side (f->sim, TRUE, TRUE);
  tacho_client_manager_watch (f->manager, 1);
  TACHO_TEST_SPIN_UNTIL (tacho_client_manager_get_state (f->manager) == TACHO_CONNECTION_CONNECTED);
  g_assert_cmpint (tacho_endpoint_get_protocol (serving (f)), ==, TACHO_PROTOCOL_GRPC);
  g_assert_null (tacho_client_manager_get_reason (f->manager));
  g_assert_cmpuint (n_generated (f), ==, 3);
  fourth = generate (f);
  assert_done_by (fourth, TACHO_PROTOCOL_GRPC, 1);
}

static void
count_cb (TachoGeneration *generation, const char *text, gboolean reasoning, gpointer user_data)
{
  (*(guint *) user_data)++;
}

static void
test_dies_in_the_answer (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoGeneration) generation = NULL;
  g_autoptr (TachoGeneration) next = NULL;
  guint n_deltas = 0;

  fault (f, "slow=20:n=1:path=" STREAM_METHOD);
  generation = start (f, 200);
  g_signal_connect (generation, "delta", G_CALLBACK (count_cb), &n_deltas);
  TACHO_TEST_SPIN_UNTIL (n_deltas >= 2);
  tacho_sim_server_set_side (f->sim, TRUE, FALSE);
  TACHO_TEST_SPIN_UNTIL (tacho_generation_is_ended (generation));
  /* The core tells its calls good-bye (a status) before it lets go of their connections. */
  g_assert_true (tacho_generation_get_state (generation) == TACHO_GENERATION_TRUNCATED ||
                 tacho_generation_get_state (generation) == TACHO_GENERATION_FAILED);
  g_assert_cmpstr (tacho_generation_get_text (generation), !=, "");
  g_assert_cmpuint (tacho_generation_get_attempts (generation)->len, ==, 1);
  g_assert_cmpint (attempt (generation, 0)->stage, ==, TACHO_STAGE_DELIVERED);
  g_assert_true (g_str_has_prefix (attempt (generation, 0)->decision, "stop"));
  g_assert_cmpuint (n_generated (f), ==, 1); /* the other side was not asked */
  next = generate (f);
  g_assert_cmpint (tacho_generation_get_state (next), ==, TACHO_GENERATION_DONE);
  g_assert_cmpint (attempt (next, tacho_generation_get_attempts (next)->len - 1)->protocol, ==,
                   TACHO_PROTOCOL_REST);
  g_assert_cmpuint (n_generated (f), ==, 2);
}

static void
test_unimplemented_is_remembered (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoGeneration) first = NULL;
  g_autoptr (TachoGeneration) second = NULL;

  fault (f, "status=501:path=" STREAM_METHOD);
  first = generate (f);
  assert_done_by (first, TACHO_PROTOCOL_REST, 2);
  second = generate (f);
  assert_done_by (second, TACHO_PROTOCOL_REST, 1);
  g_assert_cmpuint (n_generated (f), ==, 2);
  /* That is no illness: the side is well for what it has. */
  g_assert_cmpint (tacho_client_manager_get_state (f->manager), ==, TACHO_CONNECTION_CONNECTED);
  g_assert_nonnull (tacho_client_manager_get_reason (f->manager));
}

static void
test_refused_by_status (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoGeneration) refused = NULL;
  g_autoptr (TachoGeneration) invalid = NULL;

  fault (f, "status=503:n=1:path=" STREAM_METHOD);
  refused = generate (f);
  assert_done_by (refused, TACHO_PROTOCOL_REST, 2);
  g_assert_cmpuint (n_generated (f), ==, 1);
  tacho_sim_server_clear_faults (f->sim);

  /* What the server says of the request would be said by the other side too. */
  fault (f, "status=400:n=1:path=" STREAM_METHOD);
  invalid = generate (f);
  g_assert_cmpint (tacho_generation_get_state (invalid), ==, TACHO_GENERATION_FAILED);
  g_assert_error (tacho_generation_get_error (invalid), TACHO_ERROR, TACHO_ERROR_GRPC);
  g_assert_cmpuint (tacho_generation_get_attempts (invalid)->len, ==, 1);
  g_assert_cmpuint (n_generated (f), ==, 1);
}

static void
test_breaker (Fixture *f, gconstpointer data)
{
  {
    g_autoptr (TachoGeneration) first = generate (f);

    assert_done_by (first, TACHO_PROTOCOL_GRPC, 1);
  }
  fault (f, "status=500:path=" STREAM_METHOD);
  for (guint i = 0; i < 8; i++)
    {
      g_autoptr (TachoGeneration) generation = generate (f);

      g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_DONE);
      g_assert_cmpuint (tacho_generation_get_attempts (generation)->len, <=, 2);
    }
  /* Its health is well, which is asked for between, so whether it is tried again may differ. */
  g_assert_cmpuint (n_generated (f), ==, 9); /* each request once */
}

static void
test_rest_first (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoGeneration) first = NULL;
  g_autoptr (TachoGeneration) second = NULL;

  tacho_profile_set_rest_first (f->profile, TRUE);
  first = generate (f);
  assert_done_by (first, TACHO_PROTOCOL_REST, 1);
  tacho_sim_server_set_side (f->sim, FALSE, FALSE);
  second = generate (f);
  assert_done_by (second, TACHO_PROTOCOL_GRPC, 2);
}

static void
test_only_grpc (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoGeneration) good = NULL;
  g_autoptr (TachoGeneration) bad = NULL;

  g_assert_true (tacho_profile_set_protocol (f->profile, TACHO_PROTOCOL_GRPC, NULL));
  good = generate (f);
  assert_done_by (good, TACHO_PROTOCOL_GRPC, 1);
  tacho_sim_server_set_side (f->sim, TRUE, FALSE);
  bad = generate (f);
  g_assert_cmpint (tacho_generation_get_state (bad), ==, TACHO_GENERATION_FAILED);
  g_assert_true (tacho_error_is_unreachable (tacho_generation_get_error (bad)));
  g_assert_cmpuint (tacho_generation_get_attempts (bad)->len, ==, 3);
}

static void
test_models_fail_over (Fixture *f, gconstpointer data)
{
  TachoModelService *models = tacho_model_service_new (f->manager);

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GError) error = NULL;

      tacho_model_service_list_async (models, TRUE, NULL, tacho_test_store_result_cb, &result);
      TACHO_TEST_SPIN_UNTIL (result != NULL);
      g_assert_true (tacho_model_service_list_finish (models, result, &error));
      g_assert_no_error (error);
      g_assert_nonnull (tacho_model_service_lookup (models, MODEL));
      tacho_sim_server_set_side (f->sim, TRUE, FALSE);
    }
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (models)->ref_count == 1);
  g_assert_finalize_object (models);
}

/* --- one side --- */

static void
test_attempts (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *fault;
    TachoGenerationState state;
    guint n_attempts;
    guint64 max_generated; /* by the server, over all attempts */
  } rows[] = {
    { "status=503:retry-after=0:n=1", TACHO_GENERATION_DONE, 2, 1 },
    { "status=429:retry-after=0:n=1-2", TACHO_GENERATION_DONE, 3, 1 },
    { "status=503:retry-after=0", TACHO_GENERATION_FAILED, 3, 0 },
    { "status=503:retry-after=61", TACHO_GENERATION_FAILED, 1, 0 },
    { "status=500:n=1", TACHO_GENERATION_DONE, 2, 1 },
    { "status=502", TACHO_GENERATION_FAILED, 2, 0 },
    { "status=404", TACHO_GENERATION_FAILED, 1, 0 },
    { "status=401", TACHO_GENERATION_FAILED, 1, 0 },
    { "drop:after=0:n=1", TACHO_GENERATION_DONE, 2, 2 },
    { "drop:after=0", TACHO_GENERATION_FAILED, 2, 2 },
    { "truncate:after=0", TACHO_GENERATION_TRUNCATED, 2, 2 },
    { "error:after=0:n=1", TACHO_GENERATION_DONE, 2, 2 },
    { "drop:after=3", TACHO_GENERATION_TRUNCATED, 1, 1 },
    { "truncate:after=3", TACHO_GENERATION_TRUNCATED, 1, 1 },
    { "error:after=3", TACHO_GENERATION_FAILED, 1, 1 },
    { "cut-chunk:after=3", TACHO_GENERATION_TRUNCATED, 1, 1 },
    { "bad-json:after=3", TACHO_GENERATION_FAILED, 1, 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      guint64 before = n_generated (f);
      g_autoptr (TachoGeneration) generation = NULL;

      /* Whatever the row before left of breaker and budget. */
      tacho_client_manager_close (f->manager);
      TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->manager)->ref_count <= 2);
      fault (f, rows[i].fault);
      generation = generate (f);
      g_test_message ("%s: %u attempts, %" G_GUINT64_FORMAT " generated", rows[i].fault,
                      tacho_generation_get_attempts (generation)->len, n_generated (f) - before);
      g_assert_cmpint (tacho_generation_get_state (generation), ==, rows[i].state);
      g_assert_cmpuint (tacho_generation_get_attempts (generation)->len, ==, rows[i].n_attempts);
      g_assert_cmpuint (n_generated (f) - before, <=, rows[i].max_generated);
      tacho_sim_server_clear_faults (f->sim);
      for (guint j = 0; j < 10; j++) /* fill the budget again */
        g_object_unref (generate (f));
    }
}

static void
test_waits_for_the_server (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoGeneration) generation = NULL;
  gint64 begin = g_get_monotonic_time ();

  fault (f, "status=429:retry-after=1:n=1");
  generation = generate (f);
  assert_done_by (generation, TACHO_PROTOCOL_REST, 2);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, G_USEC_PER_SEC);
  g_assert_cmpfloat (attempt (generation, 0)->wait_s, ==, 1);
}

static void
test_cancel_in_the_wait (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoGeneration) generation = NULL;

  fault (f, "status=503:retry-after=30");
  generation = start (f, 4);
  TACHO_TEST_SPIN_UNTIL (tacho_generation_get_attempts (generation)->len == 1 &&
                         attempt (generation, 0)->end_ns != 0);
  tacho_generation_cancel (generation);
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_CANCELLED);
  g_assert_cmpuint (n_generated (f), ==, 0);
}

static void
test_deadline_over_all (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoGeneration) generation = NULL;
  gint64 begin = g_get_monotonic_time ();

  g_assert_true (tacho_profile_set_timeout (f->profile, TACHO_TIMEOUT_TOTAL, 1, NULL));
  g_assert_true (tacho_profile_set_timeout (f->profile, TACHO_TIMEOUT_FIRST, 0.6, NULL));
  fault (f, "latency=30");
  generation = generate (f);
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_FAILED);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, 2 * G_USEC_PER_SEC);
}

/* Thousands of requests against a server that breaks at random, replayable by its seed: what was
 * delivered was generated once, and nothing was generated more than twice. */
static void
test_random (Fixture *f, gconstpointer data)
{
  static const char *const faults[] = {
    "status=503:retry-after=0:p=0.03",
    "status=500:p=0.03",
    "drop:after=0:p=0.03",
    "drop:after=3:p=0.03",
    "truncate:after=2:p=0.02",
    "error:after=0:p=0.02",
    "error:after=4:p=0.02",
    "cut-chunk:after=2:p=0.02",
  };
  guint n_states[TACHO_GENERATION_CANCELLED + 1] = { 0 };
  guint n_twice = 0;

  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    fault (f, faults[i]);
  for (guint i = 0; i < N_RANDOM; i++)
    {
      guint64 before = n_generated (f);
      g_autoptr (TachoGeneration) generation = generate (f);
      TachoGenerationState state = tacho_generation_get_state (generation);
      guint n = tacho_generation_get_attempts (generation)->len;
      guint64 generated;

      TACHO_TEST_SPIN_UNTIL (G_OBJECT (generation)->ref_count == 1);
      generated = n_generated (f) - before;
      n_states[state]++;
      g_assert_cmpuint (n, >=, 1);
      g_assert_cmpuint (n, <=, 3);
      g_assert_cmpuint (generated, <=, 2);
      if (generated == 2)
        n_twice++;
      /* A piece of the answer came: the attempt that gave it was the last. */
      for (guint j = 0; j + 1 < n; j++)
        g_assert_cmpint (attempt (generation, j)->stage, <, TACHO_STAGE_DELIVERED);
      if (state == TACHO_GENERATION_DONE)
        g_assert_cmpuint (generated, >=, 1);
    }
  g_test_message ("%u done, %u failed, %u truncated; %u generated twice",
                  n_states[TACHO_GENERATION_DONE], n_states[TACHO_GENERATION_FAILED],
                  n_states[TACHO_GENERATION_TRUNCATED], n_twice);
  g_assert_cmpuint (n_states[TACHO_GENERATION_DONE], >, N_RANDOM / 2);
  g_assert_cmpuint (n_states[TACHO_GENERATION_TRUNCATED], >, 0);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
#define ADD(path, data, test) g_test_add ("/failover/" path, Fixture, data, set_up, test, tear_down)
  ADD ("dies-between", NULL, test_dies_between);
  ADD ("dies-in-the-answer", NULL, test_dies_in_the_answer);
  ADD ("unimplemented-is-remembered", NULL, test_unimplemented_is_remembered);
  ADD ("refused-by-status", NULL, test_refused_by_status);
  ADD ("breaker", NULL, test_breaker);
  ADD ("rest-first", NULL, test_rest_first);
  ADD ("only-grpc", NULL, test_only_grpc);
  ADD ("models", NULL, test_models_fail_over);
  ADD ("attempts", "rest", test_attempts);
  ADD ("waits-for-the-server", "rest", test_waits_for_the_server);
  ADD ("cancel-in-the-wait", "rest", test_cancel_in_the_wait);
  ADD ("deadline-over-all", "rest", test_deadline_over_all);
  ADD ("random", "rest", test_random);
  return g_test_run ();
}
