/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The same operations over gRPC and over REST, through the two fronts of one simulated server that
 * speaks the Open Inference Protocol on both; and the loading of a model. The simulated server's
 * own time is in every figure, and the same on both sides. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-bench-client.h"
#include "tacho-bench-report.h"

#include "base/tacho-clock.h"
#include "sim/tacho-sim-server.h"

#define LOADED_ID "sim-tiny-1b-q8_0"
#define UNLOADED_ID "sim-qwen-32b-q4_k_m"
#define LOAD_S 0.6

static TachoSimServer *
start_sim (const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new (name, &error);
  TachoSimServer *sim;

  if (config == NULL)
    g_error ("%s", error->message);
  for (guint i = 0; i < config->models->len; i++)
    {
      TachoSimModel *model = g_ptr_array_index (config->models, i);

      model->prefill_ms_per_token = 0;
      model->decode_ms_per_step = 0.01;
      model->jitter = 0;
      model->load_s = LOAD_S;
    }
  sim = tacho_sim_server_new (config);
  if (!tacho_sim_server_start (sim, 0, &error))
    g_error ("%s", error->message);
  return sim;
}

static TachoProfile *
profile_of (TachoSimServer *sim, gboolean grpc)
{
  g_autoptr (GError) error = NULL;
  TachoProfile *profile =
      tacho_profile_new ("bench", grpc ? NULL : tacho_sim_server_get_front_url (sim, 0), &error);

  if (profile != NULL && grpc)
    {
      tacho_profile_set_grpc_target (profile, tacho_sim_server_get_front_url (sim, 1), &error);
      tacho_profile_set_protocol (profile, TACHO_PROTOCOL_GRPC, &error);
    }
  if (error != NULL)
    g_error ("%s", error->message);
  return profile;
}

static void
healthy_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply =
      tacho_client_manager_send_finish (TACHO_CLIENT_MANAGER (source), result, &error);

  if (reply == NULL)
    g_error ("%s", error->message);
  tacho_bench_many_ended (user_data);
}

static void
start_health (TachoBenchMany *many, gpointer client)
{
  const TachoBenchClient *self = client;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpRequest) request =
      tacho_api_build (tacho_client_manager_get_api (self->manager), TACHO_OP_HEALTH, NULL, &error);

  if (request == NULL)
    g_error ("%s", error->message);
  tacho_client_manager_send_async (self->manager, request, 0, NULL, healthy_cb, many);
}

static void
measure (TachoBenchReport *report, TachoSimServer *sim, const char *name, TachoBenchStart start)
{
  guint n_rounds = tacho_bench_report_choose (report, 7, 1);
  guint n = tacho_bench_report_choose (report, 1000, 50);
  TachoRounds times[2] = { 0 };

  for (guint round = 0; round < n_rounds; round++)
    for (guint i = 0; i < 2; i++)
      {
        TachoBenchClient client;

        tacho_bench_client_open (&client, NULL, profile_of (sim, i == 0));
        g_free (client.request->model);
        client.request->model = g_strdup (LOADED_ID);
        client.request->max_tokens = 1;
        tacho_bench_run_many (n / 10, 1, start, &client);
        tacho_rounds_add (&times[i], 1e3 * tacho_bench_run_many (n, 1, start, &client) / n);
        tacho_bench_client_close (&client);
      }
  tacho_bench_report_add (report, &(TachoFigure){ .name = name,
                                                  .unit = "ms",
                                                  .rounds = &times[0],
                                                  .reference_name = "REST",
                                                  .reference = &times[1],
                                                  .note = "one after the other" });
}

/* --- loading --- */

static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!tacho_model_service_load_finish (TACHO_MODEL_SERVICE (source), result, &error))
    g_error ("%s", error->message);
  tacho_bench_many_ended (user_data);
}

static void
start_load (TachoBenchMany *many, gpointer client)
{
  const TachoBenchClient *self = client;

  tacho_model_service_load_async (self->models, UNLOADED_ID, NULL, loaded_cb, many);
}

static void
unloaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!tacho_model_service_unload_finish (TACHO_MODEL_SERVICE (source), result, &error))
    g_error ("%s", error->message);
  tacho_bench_many_ended (user_data);
}

static void
start_unload (TachoBenchMany *many, gpointer client)
{
  const TachoBenchClient *self = client;

  tacho_model_service_unload_async (self->models, UNLOADED_ID, NULL, unloaded_cb, many);
}

/* How long after it was done the client knows. */
static void
measure_load (TachoBenchReport *report)
{
  g_autoptr (TachoSimServer) sim = start_sim ("fast");
  guint n_rounds = tacho_bench_report_choose (report, 7, 1);
  TachoRounds late = { 0 };
  TachoBenchClient client;

  tacho_bench_client_open (&client, NULL, profile_of (sim, FALSE));
  tacho_bench_run_many (1, 1, tacho_bench_start_list, &client);
  for (guint round = 0; round < n_rounds; round++)
    {
      tacho_rounds_add (&late, 1e3 * (tacho_bench_run_many (1, 1, start_load, &client) - LOAD_S));
      tacho_bench_run_many (1, 1, start_unload, &client);
    }
  tacho_bench_client_close (&client);
  tacho_bench_report_add (report,
                          &(TachoFigure){ .name = "model-load/known-after",
                                          .unit = "ms",
                                          .rounds = &late,
                                          .note = "of a load of 0.6 s; the list is asked every "
                                                  "0.25 s" });
  tacho_sim_server_stop (sim);
}

int
main (int argc, char **argv)
{
  TachoBenchReport *report = tacho_bench_report_new ("protocols", argc, argv);
  TachoSimServer *sim = start_sim ("hybrid-fast");

  if (tacho_bench_report_wants (report, "grpc/health"))
    measure (report, sim, "grpc/health", start_health);
  if (tacho_bench_report_wants (report, "grpc/list-models"))
    measure (report, sim, "grpc/list-models", tacho_bench_start_list);
  if (tacho_bench_report_wants (report, "grpc/infer"))
    measure (report, sim, "grpc/infer", tacho_bench_start_generation);
  tacho_sim_server_stop (sim);
  g_object_unref (sim);
  if (tacho_bench_report_wants (report, "model-load"))
    measure_load (report);
  return tacho_bench_report_finish (report);
}
