/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The services end to end on the simulated server: list, load, infer, stream, unload; faults and
 * what they become; many at a time; cancellation; nothing left behind. */
#include "test-utils.h"

#include "base/tacho-error.h"
#include "service/tacho-inference-service.h"
#include "service/tacho-model-service.h"
#include "sim/tacho-sim-server.h"

#include <math.h>

#define LOADED_ID "sim-tiny-1b-q8_0"
#define UNLOADED_ID "sim-qwen-32b-q4_k_m"
#define BROKEN_ID "sim-broken-70b-q4_0"
#define REASONER_ID "sim-reasoner-7b-q5_k_m"

typedef struct
{
  guint n_fds;
  TachoSimServer *sim;
  TachoProfile *profile;
  TachoClientManager *manager;
  TachoModelService *models;
  TachoInferenceService *inference;
} Fixture;

static guint
count_fds (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static void
set_up_with (Fixture *f, TachoSimConfig *config)
{
  TachoProfileTuning tuning;
  GError *error = NULL;

  f->sim = tacho_sim_server_new (config);
  g_assert_true (tacho_sim_server_start (f->sim, 0, &error));
  g_assert_no_error (error);
  f->profile = tacho_profile_new ("test", tacho_sim_server_get_url (f->sim), &error);
  g_assert_no_error (error);
  tacho_profile_tuning_init (&tuning);
  tuning.backoff_s = 0.01; /* attempts as always, at a test's pace */
  g_assert_true (tacho_profile_set_tuning (f->profile, &tuning, NULL));
  f->manager = tacho_client_manager_new (f->profile);
  f->models = tacho_model_service_new (f->manager);
  f->inference = tacho_inference_service_new (f->manager);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new (data != NULL ? data : "fast", NULL);

  f->n_fds = count_fds ();
  set_up_with (f, config);
}

/* Every object goes, and every socket with it. */
static void
tear_down (Fixture *f, gconstpointer data)
{
  tacho_client_manager_close (f->manager);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->inference)->ref_count == 1);
  g_assert_finalize_object (f->inference);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->models)->ref_count == 1);
  g_assert_finalize_object (f->models);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->manager)->ref_count == 1);
  g_assert_finalize_object (f->manager);
  g_assert_finalize_object (f->profile);
  tacho_sim_server_stop (f->sim);
  g_assert_finalize_object (f->sim);
  if (f->n_fds > 0)
    TACHO_TEST_SPIN_UNTIL (count_fds () <= f->n_fds);
}

/* --- short ways to say it --- */

static gboolean
probe (Fixture *f, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  tacho_client_manager_probe_async (f->manager, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  return tacho_client_manager_probe_finish (f->manager, result, error);
}

static gboolean
list (Fixture *f, gboolean refresh, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  tacho_model_service_list_async (f->models, refresh, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  return tacho_model_service_list_finish (f->models, result, error);
}

static gboolean
load (Fixture *f, const char *id, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  tacho_model_service_load_async (f->models, id, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  return tacho_model_service_load_finish (f->models, result, error);
}

static gboolean
unload (Fixture *f, const char *id, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  tacho_model_service_unload_async (f->models, id, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  return tacho_model_service_unload_finish (f->models, result, error);
}

static TachoGenerateRequest *
ask (const char *model, gint64 max_tokens)
{
  TachoGenerateRequest *request = tacho_generate_request_new (model);

  tacho_generate_request_add_message (request, TACHO_ROLE_USER, "Why is the sky blue?");
  request->max_tokens = max_tokens;
  return request;
}

static TachoGeneration *
execute (Fixture *f, const TachoGenerateRequest *request, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  TachoGeneration *generation = NULL;
  gboolean ok;

  tacho_inference_service_execute_async (f->inference, request, NULL, tacho_test_store_result_cb,
                                         &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  ok = tacho_inference_service_execute_finish (f->inference, result, &generation, error);
  g_assert_nonnull (generation);
  g_assert_cmpint (ok, ==, tacho_generation_get_state (generation) == TACHO_GENERATION_DONE);
  return generation;
}

static void
drop_generation (TachoGeneration *generation)
{
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (generation)->ref_count == 1);
  g_assert_finalize_object (generation);
}

static void
add_fault (Fixture *f, const char *spec)
{
  GError *error = NULL;
  TachoSimFault *fault = tacho_sim_fault_parse (spec, &error);

  g_assert_no_error (error);
  tacho_sim_server_add_fault (f->sim, fault);
  tacho_sim_fault_free (fault);
}

static TachoModelStatus
status_of (Fixture *f, const char *id)
{
  TachoModel *model = tacho_model_service_lookup (f->models, id);

  g_assert_nonnull (model);
  return tacho_model_get_status (model);
}

/* --- the whole way --- */

static void
collect_text (TachoGeneration *generation, const char *text, gboolean reasoning, GString *seen)
{
  if (!reasoning)
    g_string_append (seen, text);
}

static void
test_lifecycle (Fixture *f, gconstpointer data)
{
  GError *error = NULL;
  g_autoptr (TachoGenerateRequest) request = ask (UNLOADED_ID, 12);
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autoptr (TachoModel) held = NULL;
  TachoGeneration *generation;
  TachoGenerationMetrics metrics;
  TachoInferenceTotals totals;
  TachoSimCounters counters;

  g_assert_true (list (f, FALSE, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (f->models)), ==, 6);
  g_assert_cmpint (tacho_client_manager_get_state (f->manager), ==, TACHO_CONNECTION_CONNECTED);
  g_assert_cmpstr (tacho_api_get_family (tacho_client_manager_get_api (f->manager)), ==,
                   "llamacpp");
  g_assert_true (tacho_client_manager_get_simulated (f->manager));
  g_assert_true (tacho_model_service_get_can_load (f->models));
  g_assert_cmpint (status_of (f, UNLOADED_ID), ==, TACHO_MODEL_STATUS_UNLOADED);
  held = g_object_ref (tacho_model_service_lookup (f->models, UNLOADED_ID));

  g_assert_true (load (f, UNLOADED_ID, &error));
  g_assert_no_error (error);
  g_assert_cmpint (tacho_model_get_status (held), ==, TACHO_MODEL_STATUS_LOADED);
  g_assert_cmpint (tacho_model_get_loaded_at (held), >, 0);

  generation = tacho_inference_service_start (f->inference, request, &error);
  g_assert_no_error (error);
  g_signal_connect (generation, "delta", G_CALLBACK (collect_text), seen);
  TACHO_TEST_SPIN_UNTIL (tacho_generation_is_ended (generation));
  g_assert_no_error (tacho_generation_get_error (generation));
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_DONE);
  g_assert_cmpuint (seen->len, >, 0);
  g_assert_cmpstr (seen->str, ==, tacho_generation_get_text (generation));
  g_assert_cmpstr (tacho_generation_get_finish_reason (generation), ==, "length");
  g_assert_nonnull (tacho_generation_get_response_id (generation));
  tacho_generation_get_metrics (generation, &metrics);
  g_assert_cmpint (metrics.output_tokens, ==, 12);
  g_assert_cmpstr (metrics.tokens_source, ==, "usage");
  g_assert_cmpint (metrics.prompt_tokens, >, 0);
  g_assert_cmpint (metrics.start_ns, <, metrics.first_ns);
  g_assert_cmpint (metrics.first_ns, <=, metrics.last_ns);
  g_assert_cmpint (metrics.last_ns, <=, metrics.end_ns);
  g_assert_cmpfloat (metrics.ttft_ms, >, 0);
  g_assert_cmpfloat (metrics.e2e_ms, >=, metrics.ttft_ms);
  g_assert_true (metrics.connection_reused);
  g_assert_true (metrics.has_timings);
  g_assert_cmpuint (metrics.http_status, ==, 200);
  drop_generation (generation);

  tacho_inference_service_get_totals (f->inference, &totals);
  g_assert_cmpuint (totals.started, ==, 1);
  g_assert_cmpuint (totals.ok, ==, 1);
  g_assert_cmpuint (totals.output_tokens, ==, 12);
  tacho_sim_server_get_counters (f->sim, &counters);
  g_assert_cmpuint (counters.output_tokens, ==, 12);
  g_assert_cmpuint (counters.connections, ==, 1); /* all of this on one connection */

  g_assert_true (unload (f, UNLOADED_ID, &error));
  g_assert_no_error (error);
  g_assert_cmpint (tacho_model_get_status (held), ==, TACHO_MODEL_STATUS_UNLOADED);
  g_assert_true (held == tacho_model_service_lookup (f->models, UNLOADED_ID));
}

static void
test_whole_reply (Fixture *f, gconstpointer data)
{
  GError *error = NULL;
  g_autoptr (TachoGenerateRequest) request = ask (LOADED_ID, 8);
  TachoGenerationMetrics metrics;
  TachoGeneration *generation;

  request->stream = FALSE;
  generation = execute (f, request, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (strlen (tacho_generation_get_text (generation)), >, 0);
  tacho_generation_get_metrics (generation, &metrics);
  g_assert_cmpint (metrics.output_tokens, ==, 8);
  g_assert_cmpint (metrics.first_ns, ==, 0);
  g_assert_true (isnan (metrics.ttft_ms));
  g_assert_cmpfloat (metrics.e2e_ms, >, 0);
  drop_generation (generation);
}

static void
test_completion (Fixture *f, gconstpointer data)
{
  GError *error = NULL;
  g_autoptr (TachoGenerateRequest) request = tacho_generate_request_new (LOADED_ID);
  TachoGenerationMetrics metrics;
  TachoGeneration *generation;

  request->raw = TRUE;
  request->prompt = g_strdup ("Once upon a time");
  request->max_tokens = 5;
  generation = execute (f, request, &error);
  g_assert_no_error (error);
  tacho_generation_get_metrics (generation, &metrics);
  g_assert_cmpint (metrics.output_tokens, ==, 5);
  g_assert_cmpint (metrics.chunks, >, 0);
  drop_generation (generation);
}

static void
test_reasoning (Fixture *f, gconstpointer data)
{
  GError *error = NULL;
  g_autoptr (TachoGenerateRequest) request = ask (REASONER_ID, 60);
  TachoGeneration *generation;

  g_assert_true (load (f, REASONER_ID, &error));
  generation = execute (f, request, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (strlen (tacho_generation_get_reasoning (generation)), >, 0);
  drop_generation (generation);
}

/* --- models --- */

static void
count_changes (GListModel *model, guint position, guint removed, guint added, guint *n)
{
  (*n)++;
}

static void
test_list_cached (Fixture *f, gconstpointer data)
{
  GError *error = NULL;
  TachoSimCounters before, after;
  guint changes = 0;
  guint done = 0;
  const char *previous = "";

  g_signal_connect (f->models, "items-changed", G_CALLBACK (count_changes), &changes);
  g_assert_false (tacho_model_service_get_listed (f->models));
  g_assert_true (list (f, FALSE, &error));
  g_assert_true (tacho_model_service_get_listed (f->models));
  g_assert_cmpuint (changes, ==, 1); /* one run came, one signal went */
  for (guint i = 0; i < 6; i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (G_LIST_MODEL (f->models), i);

      g_assert_cmpint (g_ascii_strcasecmp (previous, tacho_model_get_name (model)), <, 0);
      previous = tacho_model_get_name (model);
    }
  g_assert_null (g_list_model_get_item (G_LIST_MODEL (f->models), 6));

  tacho_sim_server_get_counters (f->sim, &before);
  g_assert_true (list (f, FALSE, &error));
  tacho_sim_server_get_counters (f->sim, &after);
  g_assert_cmpuint (after.requests, ==, before.requests);
  g_assert_true (list (f, TRUE, &error));
  tacho_sim_server_get_counters (f->sim, &after);
  g_assert_cmpuint (after.requests, ==, before.requests + 1);
  g_assert_cmpuint (changes, ==, 1); /* the same models: nothing to announce */

  for (guint i = 0; i < 4; i++)
    {
      GAsyncResult *result = NULL;

      if (i < 3)
        tacho_model_service_list_async (f->models, TRUE, NULL, NULL, NULL);
      else
        {
          tacho_model_service_list_async (f->models, TRUE, NULL, tacho_test_store_result_cb,
                                          &result);
          g_assert_true (tacho_model_service_get_busy (f->models));
          TACHO_TEST_SPIN_UNTIL (result != NULL);
          done++;
          g_object_unref (result);
        }
    }
  g_assert_cmpuint (done, ==, 1);
  tacho_sim_server_get_counters (f->sim, &after);
  g_assert_cmpuint (after.requests, ==, before.requests + 2); /* four callers, one request */
  g_assert_false (tacho_model_service_get_busy (f->models));
}

static void
test_show (Fixture *f, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) missing = NULL;
  g_autoptr (TachoModel) model = NULL;
  GError *error = NULL;

  tacho_model_service_show_async (f->models, LOADED_ID, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  model = tacho_model_service_show_finish (f->models, result, &error);
  g_assert_no_error (error);
  g_assert_true (model == tacho_model_service_lookup (f->models, LOADED_ID));
  g_assert_cmpint (tacho_model_get_status (model), ==, TACHO_MODEL_STATUS_LOADED);
  g_assert_cmpint (tacho_model_get_info (model)->context_window, >, 0);

  tacho_model_service_show_async (f->models, "nobody", NULL, tacho_test_store_result_cb, &missing);
  TACHO_TEST_SPIN_UNTIL (missing != NULL);
  g_assert_null (tacho_model_service_show_finish (f->models, missing, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
  g_clear_error (&error);
}

static void
test_load_failure (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  TachoModel *model;

  g_assert_false (load (f, BROKEN_ID, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED);
  model = tacho_model_service_lookup (f->models, BROKEN_ID);
  g_assert_cmpint (tacho_model_get_status (model), ==, TACHO_MODEL_STATUS_FAILED);
  g_assert_nonnull (tacho_model_get_status_reason (model));
  g_assert_nonnull (strstr (error->message, tacho_model_get_status_reason (model)));
}

static void
test_load_unknown (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (load (f, "nobody", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_true (load (f, LOADED_ID, &error)); /* it is loaded already */
  g_assert_no_error (error);
}

static void
test_load_cancel (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (list (f, FALSE, NULL));
  tacho_model_service_load_async (f->models, UNLOADED_ID, cancellable, tacho_test_store_result_cb,
                                  &result);
  TACHO_TEST_SPIN_UNTIL (status_of (f, UNLOADED_ID) == TACHO_MODEL_STATUS_LOADING);
  g_cancellable_cancel (cancellable);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_false (tacho_model_service_load_finish (f->models, result, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  /* The server was told, so that no memory is taken for what nobody wants. */
  TACHO_TEST_SPIN_UNTIL (list (f, TRUE, NULL) &&
                         status_of (f, UNLOADED_ID) == TACHO_MODEL_STATUS_UNLOADED);
}

static void
test_unload_all (Fixture *f, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  GError *error = NULL;

  tacho_model_service_unload_all_async (f->models, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_cmpint (tacho_model_service_unload_all_finish (f->models, result, &error), ==, 2);
  g_assert_no_error (error);
  for (guint i = 0; i < 6; i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (G_LIST_MODEL (f->models), i);

      g_assert_cmpint (tacho_model_get_status (model), ==, TACHO_MODEL_STATUS_UNLOADED);
    }
}

static void
test_openai_cannot_load (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (list (f, FALSE, &error));
  g_assert_cmpstr (tacho_api_get_family (tacho_client_manager_get_api (f->manager)), ==, "openai");
  g_assert_false (tacho_model_service_get_can_load (f->models));
  g_assert_false (load (f, "sim-tiny-1b-q8_0", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
}

/* --- faults --- */

typedef struct
{
  const char *fault;
  TachoGenerationState state;
  int code;
  gboolean text_kept;
} FaultRow;

static void
test_faults (Fixture *f, gconstpointer data)
{
  static const FaultRow rows[] = {
    { "status=503", TACHO_GENERATION_FAILED, TACHO_ERROR_HTTP_5XX, FALSE },
    { "status=429", TACHO_GENERATION_FAILED, TACHO_ERROR_HTTP_429, FALSE },
    { "status=404", TACHO_GENERATION_FAILED, TACHO_ERROR_HTTP_4XX, FALSE },
    { "drop:after=0", TACHO_GENERATION_FAILED, TACHO_ERROR_REFUSED, FALSE },
    { "drop:after=4", TACHO_GENERATION_TRUNCATED, TACHO_ERROR_TRUNCATED, TRUE },
    { "truncate:after=4", TACHO_GENERATION_TRUNCATED, TACHO_ERROR_TRUNCATED, TRUE },
    { "error:after=4", TACHO_GENERATION_FAILED, TACHO_ERROR_IN_BAND, TRUE },
    { "stall:after=4", TACHO_GENERATION_FAILED, TACHO_ERROR_TIMEOUT_IDLE, TRUE },
    { "latency=30", TACHO_GENERATION_FAILED, TACHO_ERROR_TIMEOUT_FIRST, FALSE },
  };
  TachoInferenceTotals totals;

  tacho_profile_set_timeout (f->profile, TACHO_TIMEOUT_FIRST, 0.6, NULL);
  tacho_profile_set_timeout (f->profile, TACHO_TIMEOUT_IDLE, 0.3, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (TachoGenerateRequest) request = ask (LOADED_ID, 20);
      g_autoptr (GError) error = NULL;
      TachoGeneration *generation;

      g_test_message ("%s", rows[i].fault);
      add_fault (f, rows[i].fault);
      generation = execute (f, request, &error);
      g_assert_error (error, TACHO_ERROR, rows[i].code);
      g_assert_cmpint (tacho_generation_get_state (generation), ==, rows[i].state);
      g_assert_cmpint (*tacho_generation_get_text (generation) != '\0', ==, rows[i].text_kept);
      drop_generation (generation);
      tacho_sim_server_clear_faults (f->sim);

      /* And the next one works: nothing is broken for good. */
      generation = execute (f, request, &error);
      g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_DONE);
      drop_generation (generation);
      g_assert_cmpint (tacho_client_manager_get_state (f->manager), ==, TACHO_CONNECTION_CONNECTED);
    }
  tacho_inference_service_get_totals (f->inference, &totals);
  g_assert_cmpuint (totals.started, ==, 2 * G_N_ELEMENTS (rows));
  g_assert_cmpuint (totals.ok, ==, G_N_ELEMENTS (rows));
  g_assert_cmpuint (totals.truncated, ==, 2);
  g_assert_cmpuint (totals.failed, ==, G_N_ELEMENTS (rows) - 2);
  g_assert_cmpuint (totals.cancelled, ==, 0);
}

static void
test_no_usage (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoGenerateRequest) request = ask (LOADED_ID, 10);
  TachoGenerationMetrics metrics;
  TachoGeneration *generation;
  GError *error = NULL;

  add_fault (f, "no_usage");
  generation = execute (f, request, &error);
  g_assert_no_error (error);
  tacho_generation_get_metrics (generation, &metrics);
  g_assert_cmpstr (metrics.tokens_source, ==, "chunks");
  g_assert_cmpint (metrics.output_tokens, ==, metrics.chunks);
  g_assert_cmpint (metrics.prompt_tokens, ==, -1);
  drop_generation (generation);
}

static void
test_invalid (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoGenerateRequest) request = tacho_generate_request_new (LOADED_ID);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  TachoGeneration *generation = NULL;
  TachoSimCounters counters;

  g_assert_null (tacho_inference_service_start (f->inference, request, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_clear_error (&error);
  tacho_inference_service_execute_async (f->inference, request, NULL, tacho_test_store_result_cb,
                                         &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_false (
      tacho_inference_service_execute_finish (f->inference, result, &generation, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_assert_null (generation);
  tacho_sim_server_get_counters (f->sim, &counters);
  g_assert_cmpuint (counters.requests, ==, 0);
}

/* --- many at a time, and stopping --- */

static void
test_concurrent (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) generations = g_ptr_array_new ();
  TachoSimCounters counters;
  TachoInferenceTotals totals;
  TachoTransportCounters http;

  g_assert_true (probe (f, NULL));
  for (guint i = 0; i < 16; i++)
    {
      g_autoptr (TachoGenerateRequest) request = ask (LOADED_ID, 30);

      g_ptr_array_add (generations, tacho_inference_service_start (f->inference, request, NULL));
    }
  g_assert_true (list (f, TRUE, NULL)); /* the list does not wait for the generations */
  for (guint i = 0; i < generations->len; i++)
    {
      TachoGeneration *generation = g_ptr_array_index (generations, i);
      TachoGenerationMetrics metrics;

      TACHO_TEST_SPIN_UNTIL (tacho_generation_is_ended (generation));
      g_assert_no_error (tacho_generation_get_error (generation));
      tacho_generation_get_metrics (generation, &metrics);
      g_assert_cmpint (metrics.output_tokens, ==, 30);
      drop_generation (generation);
    }
  tacho_sim_server_get_counters (f->sim, &counters);
  g_assert_cmpuint (counters.completed, ==, 16);
  g_assert_cmpuint (counters.output_tokens, ==, 16 * 30);
  g_assert_cmpuint (counters.max_active, >, 2); /* libsoup's own limit would be two */
  tacho_inference_service_get_totals (f->inference, &totals);
  g_assert_cmpuint (totals.ok, ==, 16);
  g_assert_cmpuint (totals.output_tokens, ==, 16 * 30);
  tacho_client_manager_get_counters (f->manager, &http);
  g_assert_cmpuint (http.created, ==, counters.connections);
  g_assert_cmpuint (http.failed, ==, 0);
}

static void
test_cancel (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoGenerateRequest) request = ask (LOADED_ID, 4000);
  TachoGeneration *generation;
  g_autofree char *text = NULL;
  TachoSimCounters counters;
  TachoInferenceTotals totals;

  generation = tacho_inference_service_start (f->inference, request, NULL);
  TACHO_TEST_SPIN_UNTIL (strlen (tacho_generation_get_text (generation)) > 20);
  text = g_strdup (tacho_generation_get_text (generation));
  tacho_generation_cancel (generation);
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_CANCELLED);
  tacho_inference_service_get_totals (f->inference, &totals);
  g_assert_cmpuint (totals.cancelled, ==, 1);
  /* The server notices, so the slot is free again. */
  TACHO_TEST_SPIN_UNTIL ((tacho_sim_server_get_counters (f->sim, &counters),
                          counters.aborted == 1 && counters.active == 0));
  g_assert_cmpstr (tacho_generation_get_text (generation), ==, text); /* kept, and nothing added */
  drop_generation (generation);
  g_assert_cmpint (tacho_client_manager_get_state (f->manager), ==, TACHO_CONNECTION_CONNECTED);
}

static void
test_cancel_early (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoGenerateRequest) request = ask (LOADED_ID, 10);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  TachoGeneration *generation;
  TachoSimCounters counters;
  guint64 n_requests;

  /* Before the probe has even answered. */
  generation = tacho_inference_service_start (f->inference, request, NULL);
  tacho_generation_cancel (generation);
  g_assert_true (tacho_generation_is_ended (generation));
  drop_generation (generation);

  /* While the server thinks. */
  g_assert_true (probe (f, NULL));
  add_fault (f, "latency=30");
  tacho_sim_server_get_counters (f->sim, &counters);
  n_requests = counters.requests;
  tacho_inference_service_execute_async (f->inference, request, cancellable,
                                         tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (
      (tacho_sim_server_get_counters (f->sim, &counters), counters.requests > n_requests));
  g_cancellable_cancel (cancellable);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  generation = NULL;
  g_assert_false (
      tacho_inference_service_execute_finish (f->inference, result, &generation, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  g_clear_object (&result);
  drop_generation (generation);
}

static void
test_cancel_all (Fixture *f, gconstpointer data)
{
  TachoGeneration *generations[4];

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (TachoGenerateRequest) request = ask (LOADED_ID, 4000);

      generations[i] = tacho_inference_service_start (f->inference, request, NULL);
    }
  TACHO_TEST_SPIN_UNTIL (*tacho_generation_get_text (generations[3]) != '\0');
  tacho_inference_service_cancel_all (f->inference);
  for (guint i = 0; i < 4; i++)
    {
      g_assert_cmpint (tacho_generation_get_state (generations[i]), ==, TACHO_GENERATION_CANCELLED);
      drop_generation (generations[i]);
    }
}

/* The window closes while everything runs. */
static void
test_close_in_flight (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoGenerateRequest) request = ask (LOADED_ID, 4000);
  g_autoptr (GAsyncResult) listing = NULL;
  g_autoptr (GAsyncResult) loading = NULL;
  g_autoptr (GError) error = NULL;
  TachoGeneration *generation = tacho_inference_service_start (f->inference, request, NULL);

  TACHO_TEST_SPIN_UNTIL (*tacho_generation_get_text (generation) != '\0');
  tacho_model_service_load_async (f->models, UNLOADED_ID, NULL, tacho_test_store_result_cb,
                                  &loading);
  tacho_model_service_list_async (f->models, TRUE, NULL, tacho_test_store_result_cb, &listing);
  tacho_client_manager_close (f->manager);
  TACHO_TEST_SPIN_UNTIL (tacho_generation_is_ended (generation) && listing != NULL &&
                         loading != NULL);
  g_assert_cmpint (tacho_generation_get_state (generation), ==, TACHO_GENERATION_CANCELLED);
  g_assert_false (tacho_model_service_list_finish (f->models, listing, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  g_assert_cmpint (tacho_client_manager_get_state (f->manager), ==, TACHO_CONNECTION_DISCONNECTED);
  drop_generation (generation);
}

/* --- the connection --- */

static void
probed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_assert_true (tacho_client_manager_probe_finish (TACHO_CLIENT_MANAGER (source), result, NULL));
  (*(guint *) user_data)++;
}

static void
test_probe_shared (Fixture *f, gconstpointer data)
{
  TachoSimCounters once, many;
  guint done = 0;

  g_assert_cmpint (tacho_client_manager_get_state (f->manager), ==, TACHO_CONNECTION_DISCONNECTED);
  g_assert_true (isnan (tacho_client_manager_get_latency_ms (f->manager)));
  g_assert_true (probe (f, NULL));
  tacho_sim_server_get_counters (f->sim, &once);
  g_assert_cmpfloat (tacho_client_manager_get_latency_ms (f->manager), >, 0);
  g_assert_nonnull (tacho_client_manager_get_description (f->manager));
  g_assert_nonnull (tacho_client_manager_get_evidence (f->manager)[0]);
  for (guint i = 0; i < 8; i++)
    tacho_client_manager_probe_async (f->manager, NULL, probed_cb, &done);
  g_assert_cmpint (tacho_client_manager_get_state (f->manager), ==, TACHO_CONNECTION_PROBING);
  TACHO_TEST_SPIN_UNTIL (done == 8);
  tacho_sim_server_get_counters (f->sim, &many);
  g_assert_cmpuint (many.requests, ==, 2 * once.requests);
  g_assert_cmpint (tacho_client_manager_get_state (f->manager), ==, TACHO_CONNECTION_CONNECTED);
}

static void
test_probe_cancel (Fixture *f, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) first = NULL;
  g_autoptr (GAsyncResult) second = NULL;
  g_autoptr (GError) error = NULL;

  add_fault (f, "latency=0.3:path=/*");
  tacho_client_manager_probe_async (f->manager, cancellable, tacho_test_store_result_cb, &first);
  tacho_client_manager_probe_async (f->manager, NULL, tacho_test_store_result_cb, &second);
  g_cancellable_cancel (cancellable);
  TACHO_TEST_SPIN_UNTIL (first != NULL);
  g_assert_false (tacho_client_manager_probe_finish (f->manager, first, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  g_assert_null (second); /* the other caller's probe goes on */
  TACHO_TEST_SPIN_UNTIL (second != NULL);
  g_assert_true (tacho_client_manager_probe_finish (f->manager, second, NULL));

  /* When everyone gives up, the state is what it was. */
  g_clear_object (&first);
  g_clear_object (&cancellable);
  cancellable = g_cancellable_new ();
  tacho_client_manager_probe_async (f->manager, cancellable, tacho_test_store_result_cb, &first);
  g_cancellable_cancel (cancellable);
  TACHO_TEST_SPIN_UNTIL (tacho_client_manager_get_state (f->manager) == TACHO_CONNECTION_CONNECTED);
  TACHO_TEST_SPIN_UNTIL (first != NULL);
}

static void
test_offline_and_back (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new ("fast", NULL);
  guint port;

  g_assert_true (list (f, FALSE, NULL));
  port = (guint) g_ascii_strtoull (strrchr (tacho_sim_server_get_url (f->sim), ':') + 1, NULL, 10);
  tacho_sim_server_stop (f->sim);
  g_assert_false (list (f, TRUE, &error));
  g_assert_true (tacho_error_is_unreachable (error));
  g_assert_nonnull (tacho_client_manager_get_last_error (f->manager));
  g_assert_nonnull (tacho_model_service_get_error (f->models));
  g_assert_cmpint (tacho_client_manager_get_state (f->manager), ==, TACHO_CONNECTION_OFFLINE);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (f->models)), ==, 6); /* still shown */

  g_clear_object (&f->sim);
  f->sim = tacho_sim_server_new (config);
  g_clear_error (&error);
  g_assert_true (tacho_sim_server_start (f->sim, (guint16) port, &error));
  g_assert_no_error (error);
  tacho_client_manager_watch (f->manager, 1);
  TACHO_TEST_SPIN_UNTIL (tacho_client_manager_get_state (f->manager) == TACHO_CONNECTION_CONNECTED);
  g_assert_null (tacho_client_manager_get_last_error (f->manager));
  g_assert_true (list (f, FALSE, NULL)); /* stale after an absence: asked again */
  g_assert_null (tacho_model_service_get_error (f->models));
}

static void
test_nobody_there (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  tacho_sim_server_stop (f->sim);
  g_assert_false (probe (f, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_REFUSED);
  g_assert_nonnull (strstr (error->message, "is the server running?"));
  g_assert_cmpint (tacho_client_manager_get_state (f->manager), ==, TACHO_CONNECTION_OFFLINE);
  g_assert_null (tacho_client_manager_get_api (f->manager));
}

/* What GLib opens once and keeps for the process must not be counted against the first test. */
static void
warm_up (void)
{
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new ("fast", NULL);
  Fixture fixture = { 0 };

  set_up_with (&fixture, config);
  g_assert_true (probe (&fixture, NULL));
  tear_down (&fixture, NULL);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  warm_up ();
#define ADD(path, config, function)                                                                \
  g_test_add ("/service/" path, Fixture, config, set_up, function, tear_down)
  ADD ("lifecycle", NULL, test_lifecycle);
  ADD ("whole-reply", NULL, test_whole_reply);
  ADD ("completion", NULL, test_completion);
  ADD ("reasoning", NULL, test_reasoning);
  ADD ("models/cached", NULL, test_list_cached);
  ADD ("models/show", NULL, test_show);
  ADD ("models/load-failure", NULL, test_load_failure);
  ADD ("models/load-unknown", NULL, test_load_unknown);
  ADD ("models/load-cancel", "default", test_load_cancel);
  ADD ("models/unload-all", NULL, test_unload_all);
  ADD ("models/openai", "openai", test_openai_cannot_load);
  ADD ("faults", NULL, test_faults);
  ADD ("no-usage", NULL, test_no_usage);
  ADD ("invalid", NULL, test_invalid);
  ADD ("concurrent", NULL, test_concurrent);
  ADD ("cancel/running", NULL, test_cancel);
  ADD ("cancel/early", NULL, test_cancel_early);
  ADD ("cancel/all", NULL, test_cancel_all);
  ADD ("cancel/close", NULL, test_close_in_flight);
  ADD ("connection/probe-shared", NULL, test_probe_shared);
  ADD ("connection/probe-cancel", NULL, test_probe_cancel);
  ADD ("connection/offline-and-back", NULL, test_offline_and_back);
  ADD ("connection/nobody-there", NULL, test_nobody_there);
#undef ADD
  return g_test_run ();
}
