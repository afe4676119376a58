/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What simulated servers of each family tell of how busy they are, and when they are asked. */
#include "test-utils.h"

#include "base/tacho-error.h"
#include "service/tacho-inference-service.h"
#include "service/tacho-server-status.h"
#include "sim/tacho-sim-server.h"

#include <math.h>

#define LOADED_ID "sim-tiny-1b-q8_0"

typedef struct
{
  TachoSimServer *sim;
  TachoProfile *profile;
  TachoClientManager *manager;
  TachoModelService *models;
  TachoServerStatus *status;
  guint n_changes;
} Fixture;

static void
changed_cb (Fixture *f)
{
  f->n_changes++;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new (data, NULL);
  g_autoptr (GAsyncResult) result = NULL;
  GError *error = NULL;

  f->sim = tacho_sim_server_new (config);
  g_assert_true (tacho_sim_server_start (f->sim, 0, &error));
  g_assert_no_error (error);
  f->profile = tacho_profile_new ("test", tacho_sim_server_get_url (f->sim), &error);
  g_assert_no_error (error);
  f->manager = tacho_client_manager_new (f->profile);
  f->models = tacho_model_service_new (f->manager);
  f->status = tacho_server_status_new (f->models);
  g_signal_connect_swapped (f->status, "changed", G_CALLBACK (changed_cb), f);
  tacho_model_service_list_async (f->models, TRUE, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_true (tacho_model_service_list_finish (f->models, result, &error));
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  tacho_server_status_set_active (f->status, FALSE);
  tacho_client_manager_close (f->manager);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->status)->ref_count == 1);
  g_assert_finalize_object (f->status);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->models)->ref_count == 1);
  g_assert_finalize_object (f->models);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->manager)->ref_count == 1);
  g_assert_finalize_object (f->manager);
  g_assert_finalize_object (f->profile);
  tacho_sim_server_stop (f->sim);
  g_assert_finalize_object (f->sim);
}

/* A generation that goes on until it is cancelled. */
static TachoGeneration *
keep_busy (TachoInferenceService *inference)
{
  g_autoptr (TachoGenerateRequest) request = tacho_generate_request_new (LOADED_ID);

  tacho_generate_request_add_message (request, TACHO_ROLE_USER, "Count.");
  request->max_tokens = 100000;
  request->stream = TRUE;
  return tacho_inference_service_start (inference, request, NULL);
}

static void
test_llamacpp (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoInferenceService) inference = tacho_inference_service_new (f->manager);
  const TachoServerFigures *figures = tacho_server_status_get_figures (f->status);
  g_autoptr (TachoGeneration) generation = NULL;

  /* Known without being active: two models are loaded, of 32 slots each. */
  TACHO_TEST_SPIN_UNTIL (tacho_server_status_get_told (f->status));
  g_assert_null (tacho_server_status_get_error (f->status));
  g_assert_cmpuint (figures->slots_total, ==, 64);
  g_assert_cmpuint (figures->slots_busy, ==, 0);
  g_assert_cmpuint (figures->models_loaded, ==, 2);
  generation = keep_busy (inference);
  TACHO_TEST_SPIN_UNTIL (tacho_generation_get_state (generation) == TACHO_GENERATION_GENERATING);
  tacho_server_status_set_active (f->status, TRUE);
  TACHO_TEST_SPIN_UNTIL (figures->slots_busy == 1);
  g_assert_cmpfloat (figures->metrics.requests_running, >=, 1);
  /* A rate needs a second look. */
  TACHO_TEST_SPIN_UNTIL (!isnan (figures->output_rate));
  g_assert_cmpfloat (figures->output_rate, >, 0);
  tacho_generation_cancel (generation);
  TACHO_TEST_SPIN_UNTIL (figures->slots_busy == 0);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (inference)->ref_count == 1);
}

static void
test_vllm (Fixture *f, gconstpointer data)
{
  const TachoServerFigures *figures = tacho_server_status_get_figures (f->status);

  TACHO_TEST_SPIN_UNTIL (tacho_server_status_get_told (f->status));
  g_assert_cmpuint (figures->slots_total, ==, 0);
  g_assert_cmpfloat (figures->metrics.requests_running, ==, 0);
  g_assert_cmpfloat (figures->metrics.requests_waiting, ==, 0);
  g_assert_cmpfloat (figures->metrics.kv_cache_usage, ==, 0);
  g_assert_true (isnan (figures->metrics.gpu_memory_used));
}

static void
test_ollama (Fixture *f, gconstpointer data)
{
  const TachoServerFigures *figures = tacho_server_status_get_figures (f->status);
  g_autoptr (GAsyncResult) result = NULL;
  guint64 before;

  TACHO_TEST_SPIN_UNTIL (tacho_server_status_get_told (f->status));
  g_assert_cmpuint (figures->slots_total, ==, 0);
  g_assert_cmpuint (figures->models_loaded, ==, 2);
  before = figures->models_memory;
  g_assert_cmpuint (before, >, 0);
  tacho_model_service_unload_async (f->models, LOADED_ID, NULL, tacho_test_store_result_cb,
                                    &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_true (tacho_model_service_unload_finish (f->models, result, NULL));
  TACHO_TEST_SPIN_UNTIL (figures->models_loaded == 1);
  g_assert_cmpuint (figures->models_memory, <, before);
}

static void
test_nothing (Fixture *f, gconstpointer data)
{
  tacho_server_status_set_active (f->status, TRUE);
  TACHO_TEST_SPIN_UNTIL (f->n_changes > 0);
  g_assert_false (tacho_server_status_get_told (f->status));
  g_assert_null (tacho_server_status_get_error (f->status));
}

/* What was told last stays, with the error beside it; nothing is asked any more once it is not
 * active. */
static void
test_server_dies (Fixture *f, gconstpointer data)
{
  const TachoServerFigures *figures = tacho_server_status_get_figures (f->status);

  TACHO_TEST_SPIN_UNTIL (tacho_server_status_get_told (f->status));
  tacho_sim_server_stop (f->sim);
  tacho_server_status_set_active (f->status, TRUE);
  TACHO_TEST_SPIN_UNTIL (tacho_server_status_get_error (f->status) != NULL);
  g_assert_true (tacho_server_status_get_told (f->status));
  g_assert_cmpuint (figures->slots_total, ==, 64);
  tacho_server_status_set_active (f->status, FALSE);
  g_assert_false (tacho_server_status_get_active (f->status));
}

int
main (int argc, char *argv[])
{
  tacho_test_init (&argc, &argv);

#define ADD(path, server, function)                                                                \
  g_test_add ("/service/server-status/" path, Fixture, server, set_up, function, tear_down)
  ADD ("llamacpp", "fast", test_llamacpp);
  ADD ("vllm", "vllm-fast", test_vllm);
  ADD ("ollama", "ollama-fast", test_ollama);
  ADD ("nothing", "openai-fast", test_nothing);
  ADD ("server-dies", "fast", test_server_dies);
#undef ADD

  return g_test_run ();
}
