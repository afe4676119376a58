/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scenario files: what is read, what is refused and in which words, and the timeline played. */
#include "test-utils.h"

#include "base/tacho-error.h"
#include "sim-client.h"
#include "sim/tacho-sim-scenario.h"
#include "sim/tacho-sim-timeline.h"

#define TINY "sim-tiny-1b-q8_0"
#define CHAT                                                                                       \
  "{\"model\":\"" TINY "\",\"stream\":true,\"max_tokens\":3,"                                      \
  "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

static TachoSimConfig *
read_config (const char *json)
{
  g_autoptr (GError) error = NULL;
  TachoSimConfig *config = tacho_sim_config_new ("fast", NULL);

  g_assert_true (tacho_sim_scenario_read (config, json, strlen (json), &error));
  g_assert_no_error (error);
  return config;
}

static TachoSimServer *
start (TachoSimConfig *config)
{
  g_autoptr (GError) error = NULL;
  TachoSimServer *server = tacho_sim_server_new (config);

  tacho_sim_config_free (config);
  g_assert_true (tacho_sim_server_start (server, 0, &error));
  g_assert_no_error (error);
  return server;
}

static void
finish (TachoSimServer *server)
{
  tacho_sim_server_stop (server);
  g_assert_finalize_object (server);
}

static void
test_everything (void)
{
  g_autoptr (TachoSimConfig) config = read_config (
      "{\"comment\":\"x\",\"slots\":3,\"seed\":9,\"router\":false,\"time_scale\":0.5,"
      "\"prefix_cache\":false,\"requests_per_second\":2.5,\"tokens_per_minute\":1000,"
      "\"api_key\":\"k\",\"models\":[{\"id\":\"m\",\"name\":\"M\",\"kind\":\"chat\","
      "\"capabilities\":[\"completion\"],\"context_window\":512,\"kv_cache_tokens\":99,"
      "\"decode_ms_per_step\":7.5,\"load_s\":2,\"load_failure\":\"no\",\"loaded\":true,"
      "\"reasoning\":true},{\"id\":\"" TINY "\"}],"
      "\"fronts\":[{\"api\":\"ollama\",\"port\":0},{\"api\":\"oip\",\"grpc\":true}],"
      "\"faults\":[\"status=503:n=1\"],"
      "\"timeline\":[{\"at\":1.5,\"do\":\"speed\",\"model\":\"m\",\"factor\":2},"
      "{\"at\":2,\"do\":\"fail\",\"model\":\"m\",\"reason\":\"lost\"},"
      "{\"at\":3,\"do\":\"slots\",\"slots\":12},"
      "{\"at\":4,\"do\":\"down\",\"side\":\"grpc\"},"
      "{\"at\":5,\"do\":\"add-fault\",\"fault\":\"drop:after=1\"}]}");
  const TachoSimModel *model = g_ptr_array_index (config->models, 0);
  const TachoSimModel *known = g_ptr_array_index (config->models, 1);
  const TachoSimStep *step = g_ptr_array_index (config->timeline, 1);

  g_assert_cmpuint (config->slots, ==, 3);
  g_assert_cmpuint (config->seed, ==, 9);
  g_assert_false (config->router);
  g_assert_false (config->prefix_cache);
  g_assert_cmpfloat (config->time_scale, ==, 0.5);
  g_assert_cmpfloat (config->requests_per_second, ==, 2.5);
  g_assert_cmpfloat (config->tokens_per_minute, ==, 1000);
  g_assert_cmpstr (config->api_key, ==, "k");
  g_assert_cmpuint (config->models->len, ==, 2);
  g_assert_cmpint (model->context_window, ==, 512);
  g_assert_cmpuint (model->kv_cache_tokens, ==, 99);
  g_assert_cmpfloat (model->decode_ms_per_step, ==, 7.5);
  g_assert_cmpstr (model->load_failure, ==, "no");
  g_assert_true (model->loaded && model->reasoning);
  g_assert_cmpstr (known->name, ==, "Simulated Tiny 1B"); /* what is not said is as it was */
  g_assert_cmpuint (config->fronts->len, ==, 2);
  g_assert_true (tacho_sim_config_get_front (config, 1)->grpc);
  g_assert_cmpuint (config->faults->len, ==, 1);
  g_assert_cmpuint (config->timeline->len, ==, 5);
  g_assert_cmpint (step->kind, ==, TACHO_SIM_STEP_FAIL);
  g_assert_cmpstr (step->reason, ==, "lost");
  step = g_ptr_array_index (config->timeline, 2);
  g_assert_cmpuint (step->slots, ==, 12);
}

/* The words name the place of the bad value. */
static void
test_refused (void)
{
  static const struct
  {
    const char *json;
    const char *words;
  } rows[] = {
    { "", "the file: is not a JSON object" },
    { "[]", "the file: is not a JSON object" },
    { "{\"slots\":3", "the file: is not a JSON object" },
    { "{\"slot\":3}", "the file: there is no member “slot”" },
    { "{\"slots\":0}", "slots: must be a number from 1 to 4096" },
    { "{\"slots\":2.5}", "slots: must be a whole number" },
    { "{\"slots\":\"3\"}", "slots: must be a number" },
    { "{\"router\":1}", "router: must be true or false" },
    { "{\"api_key\":7}", "api_key: must be a text" },
    { "{\"time_scale\":0}", "time_scale: must be a number" },
    { "{\"models\":[]}", "models: must be an array of 1 to 1000 models" },
    { "{\"models\":[{\"name\":\"x\"}]}", "models[0]: a model is an object with an “id”" },
    { "{\"models\":[{\"id\":\"x\"},{\"id\":\"y\",\"speed\":1}]}",
      "models[1]: there is no member “speed”" },
    { "{\"models\":[{\"id\":\"x\",\"load_s\":-1}]}", "models[0].load_s: must be a number from 0" },
    { "{\"models\":[{\"id\":\"x\",\"capabilities\":\"chat\"}]}",
      "models[0].capabilities: must be an array of texts" },
    { "{\"models\":[{\"id\":\"x\",\"loaded\":\"yes\"}]}",
      "models[0].loaded: must be true or false" },
    { "{\"fronts\":{}}", "fronts: must be an array of fronts" },
    { "{\"fronts\":[{\"api\":\"foo\"}]}", "fronts[0]: there is no API “foo”" },
    { "{\"fronts\":[{\"port\":70000}]}", "fronts[0].port: must be a number from 0 to 65535" },
    { "{\"fronts\":[{\"port\":80.5}]}", "fronts[0].port: must be a whole number" },
    { "{\"fronts\":[{\"api\":\"ollama\",\"grpc\":true}]}",
      "fronts[0]: “ollama” does not speak gRPC" },
    { "{\"faults\":[\"stall\",\"boom\"]}", "faults[1]: Fault “boom”: there is no fault “boom”" },
    { "{\"faults\":[3]}", "faults[0]: must be a text" },
    { "{\"timeline\":[{\"do\":\"up\"}]}", "timeline[0]: a step is an object with “at”" },
    { "{\"timeline\":[{\"at\":-1,\"do\":\"clear-faults\"}]}", "timeline[0].at: must be a number" },
    { "{\"timeline\":[{\"at\":1,\"do\":\"jump\"}]}", "timeline[0]: “do” must be add-fault" },
    { "{\"timeline\":[{\"at\":1,\"do\":\"down\"}]}", "timeline[0]: “down” and “up” need a “side”" },
    { "{\"timeline\":[{\"at\":1,\"do\":\"down\",\"side\":\"left\"}]}",
      "timeline[0].side: must be “rest” or “grpc”" },
    { "{\"timeline\":[{\"at\":1,\"do\":\"add-fault\"}]}", "timeline[0]: “add-fault” needs" },
    { "{\"timeline\":[{\"at\":1,\"do\":\"add-fault\",\"fault\":\"x\"}]}", "timeline[0].fault: " },
    { "{\"timeline\":[{\"at\":1,\"do\":\"speed\"}]}", "timeline[0]: “speed” needs a “factor”" },
    { "{\"timeline\":[{\"at\":1,\"do\":\"speed\",\"factor\":0}]}", "timeline[0].factor: must be" },
    { "{\"timeline\":[{\"at\":1,\"do\":\"slots\"}]}", "timeline[0]: “slots” needs “slots”" },
    { "{\"timeline\":[{\"at\":1,\"do\":\"slots\",\"slots\":0}]}", "timeline[0].slots: must be" },
    { "{\"timeline\":[{\"at\":1,\"do\":\"fail\"}]}", "timeline[0]: “fail” needs a “model”" },
    { "{\"timeline\":[{\"at\":1,\"do\":\"load\",\"model\":\"ghost\"}]}",
      "timeline[0].model: there is no model “ghost”" },
    { "{\"timeline\":[{\"at\":1,\"do\":\"load\",\"model\":\"" TINY "\",\"when\":2}]}",
      "timeline[0].when: a step has no such member" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (TachoSimConfig) config = tacho_sim_config_new (NULL, NULL);
      g_autoptr (GError) error = NULL;

      g_assert_false (
          tacho_sim_scenario_read (config, rows[i].json, strlen (rows[i].json), &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
      if (!g_str_has_prefix (error->message, rows[i].words))
        g_error ("%s: “%s” instead of “%s”", rows[i].json, error->message, rows[i].words);
    }
}

static void
test_no_file (void)
{
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new (NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (tacho_sim_scenario_load (config, "/nowhere/at-all.json", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_assert_nonnull (strstr (error->message, "/nowhere/at-all.json"));
}

static gboolean
is_open (TachoSimServer *server, guint front)
{
  g_autoptr (GSocketConnection) connection = sim_connect (server, front, NULL);

  return connection != NULL;
}

static gboolean
page_holds (TachoSimServer *server, const char *path, const char *text)
{
  g_autoptr (GSocketConnection) connection = sim_connect (server, 0, NULL);
  g_autofree char *page = NULL;

  if (connection == NULL) /* the side may be down */
    return FALSE;
  sim_send (connection, "GET", path, NULL, NULL);
  page = sim_read (connection, NULL);
  return strstr (page, text) != NULL;
}

/* The timelines of docs/scenarios in some milliseconds: at their end every port is open. */
static void
test_examples (void)
{
  static const char *const names[] = { "grpc-failover.json", "overloaded.json",
                                       "flaky-gateway.json", "lost-models.json" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path =
          g_build_filename (g_getenv ("TACHO_SOURCE_ROOT"), "docs", "scenarios", names[i], NULL);
      g_autoptr (GError) error = NULL;
      TachoSimConfig *config = tacho_sim_config_new (NULL, NULL);
      TachoSimStep *last;
      TachoSimServer *server;

      tacho_sim_scenario_load (config, path, &error);
      g_assert_no_error (error);
      config->time_scale = 0.0001;
      last = tacho_sim_step_new (1000, TACHO_SIM_STEP_ADD_FAULT);
      last->fault = tacho_sim_fault_parse ("no_usage:path=/the-end", NULL);
      g_ptr_array_add (config->timeline, last);
      server = start (config);
      TACHO_TEST_SPIN_UNTIL (page_holds (server, "/__tacho/faults", "/the-end"));
      for (guint front = 0; front < tacho_sim_server_get_n_fronts (server); front++)
        g_assert_true (is_open (server, front));
      finish (server);
    }
}

/* Steps at the same time are taken in the order of the file. */
static void
test_faults_come_and_go (void)
{
  TachoSimServer *server =
      start (read_config ("{\"faults\":[\"status=503\"],\"timeline\":["
                          "{\"at\":0.01,\"do\":\"clear-faults\"},"
                          "{\"at\":0.01,\"do\":\"add-fault\",\"fault\":\"status=501\"},"
                          "{\"at\":0.01,\"do\":\"add-fault\",\"fault\":\"no_usage\"}]}"));
  g_autofree char *page = NULL;
  g_autofree char *reply = NULL;

  TACHO_TEST_SPIN_UNTIL (page_holds (server, "/__tacho/faults", "no_usage"));
  page = sim_ask (server, "GET", "/__tacho/faults", NULL, NULL);
  g_assert_null (strstr (page, "status=503"));
  g_assert_cmpuint (strstr (page, "status=501") - page, <, strstr (page, "no_usage") - page);
  reply = sim_ask (server, "POST", "/v1/chat/completions", NULL, CHAT);
  g_assert_cmpuint (sim_status (reply), ==, 501);
  finish (server);
}

static void
test_models_come_and_go (void)
{
  TachoSimServer *server = start (read_config ("{\"timeline\":["
                                               "{\"at\":0.01,\"do\":\"fail\",\"model\":\"" TINY
                                               "\",\"reason\":\"the GPU was lost\"}]}"));
  g_autofree char *reply = NULL;

  for (;;)
    {
      g_clear_pointer (&reply, g_free);
      reply = sim_ask (server, "POST", "/v1/chat/completions", NULL, CHAT);
      if (strstr (reply, "the GPU was lost") != NULL)
        break;
    }
  finish (server);
  server = start (read_config ("{\"timeline\":["
                               "{\"at\":0,\"do\":\"fail\",\"model\":\"" TINY "\"},"
                               "{\"at\":0.01,\"do\":\"mend\",\"model\":\"" TINY "\"},"
                               "{\"at\":0.02,\"do\":\"add-fault\",\"fault\":\"no_usage\"}]}"));
  TACHO_TEST_SPIN_UNTIL (page_holds (server, "/__tacho/faults", "no_usage"));
  g_free (reply);
  reply = sim_ask (server, "POST", "/v1/chat/completions", NULL, CHAT);
  g_assert_nonnull (strstr (reply, "[DONE]"));
  finish (server);
}

/* A generation that is in a slot beyond the new number ends as if nothing had happened. */
static void
test_slots_and_speed (void)
{
  TachoSimServer *server =
      start (read_config ("{\"fronts\":[{\"api\":\"llamacpp\"}],\"slots\":4,\"timeline\":["
                          "{\"at\":0.01,\"do\":\"slots\",\"slots\":1},"
                          "{\"at\":0.01,\"do\":\"speed\",\"factor\":50},"
                          "{\"at\":0.02,\"do\":\"add-fault\",\"fault\":\"no_usage:path=/x\"}]}"));
  gint64 begin;
  TachoSimCounters counters;
  g_autoptr (GSocketConnection) first = NULL;
  g_autoptr (GSocketConnection) second = NULL;
  g_autofree char *one = NULL;
  g_autofree char *two = NULL;

  TACHO_TEST_SPIN_UNTIL (page_holds (server, "/__tacho/faults", "no_usage"));
  begin = g_get_monotonic_time ();
  first = sim_connect (server, 0, NULL);
  second = sim_connect (server, 0, NULL);
  sim_send (first, "POST", "/v1/chat/completions", NULL, CHAT);
  sim_send (second, "POST", "/v1/chat/completions", NULL, CHAT);
  one = sim_read (first, NULL);
  two = sim_read (second, NULL);
  g_assert_nonnull (strstr (one, "[DONE]"));
  g_assert_nonnull (strstr (two, "[DONE]"));
  /* 1 ms a token, made fifty times as long, three tokens each, one after the other */
  g_assert_cmpint (g_get_monotonic_time () - begin, >, 200 * 1000);
  tacho_sim_server_get_counters (server, &counters);
  g_assert_cmpuint (counters.max_active, ==, 1);
  finish (server);
}

static void
test_sides (void)
{
  TachoSimServer *server =
      start (read_config ("{\"fronts\":[{\"api\":\"oip\"},{\"api\":\"oip\",\"grpc\":true}],"
                          "\"timeline\":[{\"at\":0.01,\"do\":\"down\",\"side\":\"grpc\"},"
                          "{\"at\":0.5,\"do\":\"up\",\"side\":\"grpc\"}]}"));
  g_autofree char *url = g_strdup (tacho_sim_server_get_front_url (server, 1));

  TACHO_TEST_SPIN_UNTIL (!is_open (server, 1));
  g_assert_true (is_open (server, 0));
  TACHO_TEST_SPIN_UNTIL (is_open (server, 1));
  g_assert_cmpstr (tacho_sim_server_get_front_url (server, 1), ==, url);
  finish (server);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/sim/scenario/everything", test_everything);
  g_test_add_func ("/sim/scenario/refused", test_refused);
  g_test_add_func ("/sim/scenario/no-file", test_no_file);
  g_test_add_func ("/sim/scenario/examples", test_examples);
  g_test_add_func ("/sim/timeline/faults", test_faults_come_and_go);
  g_test_add_func ("/sim/timeline/models", test_models_come_and_go);
  g_test_add_func ("/sim/timeline/slots-and-speed", test_slots_and_speed);
  g_test_add_func ("/sim/timeline/sides", test_sides);
  return g_test_run ();
}
