/* SPDX-License-Identifier: GPL-3.0-or-later */
/* docs/simulate.md names all that there is, and its example scenarios do what they say. */
#include "test-utils.h"

#include "sim/tacho-sim-fault.h"
#include "sim/tacho-sim-scenario.h"
#include "sim/tacho-sim-server.h"
#include "sim/tacho-sim-timeline.h"

#include <libsoup/soup.h>
#include <string.h>

static char *
read_source (const char *name)
{
  g_autofree char *path = g_build_filename (g_getenv ("TACHO_SOURCE_ROOT"), name, NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

/* As a word in backquotes. */
static void
assert_named (const char *doc, const char *name)
{
  g_autofree char *quoted = g_strdup_printf ("`%s`", name);

  if (strstr (doc, quoted) == NULL)
    g_error ("docs/simulate.md does not name %s", quoted);
}

static void
test_faults (void)
{
  g_autofree char *doc = read_source ("docs/simulate.md");
  g_auto (GStrv) names = tacho_sim_fault_names ();

  g_assert_cmpuint (g_strv_length (names), >, 40);
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (names[i], "\t", 2);
      g_autofree char *line = g_strdup_printf ("\n- `%s`: ", parts[0]);

      if (strstr (doc, line) == NULL)
        g_error ("docs/simulate.md has no line for the fault %s", parts[0]);
    }
}

static void
test_names (void)
{
  g_autofree char *doc = read_source ("docs/simulate.md");
  const char *const *names = tacho_sim_config_get_names ();
  TachoSimStepKind kind;

  for (guint i = 0; names[i] != NULL; i++)
    assert_named (doc, names[i]);
  for (guint i = 0; g_strcmp0 (tacho_sim_step_kind_to_string (i), "unknown") != 0; i++)
    {
      assert_named (doc, tacho_sim_step_kind_to_string (i));
      g_assert_true (tacho_sim_step_kind_from_string (tacho_sim_step_kind_to_string (i), &kind));
    }
}

static void
test_members (void)
{
  g_autofree char *doc = read_source ("docs/simulate.md");
  g_autofree char *source = read_source ("src/core/sim/tacho-sim-scenario.c");
  g_autoptr (GRegex) regex =
      g_regex_new ("^  (?:MODEL|CONFIG) \\((\\w+), FIELD", G_REGEX_MULTILINE, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  guint n = 0;

  for (g_regex_match (regex, source, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL), n++)
    {
      g_autofree char *name = g_match_info_fetch (match, 1);

      assert_named (doc, name);
    }
  g_assert_cmpuint (n, >=, 32);
}

/* Nobody's settings: what the file says is what there is. */
static TachoSimConfig *
load (const char *name)
{
  g_autofree char *path =
      g_build_filename (g_getenv ("TACHO_SOURCE_ROOT"), "docs", "scenarios", name, NULL);
  TachoSimConfig *config = tacho_sim_config_new (NULL, NULL);
  g_autoptr (GError) error = NULL;

  tacho_sim_scenario_load (config, path, &error);
  g_assert_no_error (error);
  return config;
}

static guint
ask (const char *base, const char *model)
{
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autofree char *url = g_strconcat (base, "/v1/completions", NULL);
  g_autofree char *body =
      g_strdup_printf ("{\"model\":\"%s\",\"prompt\":\"hi\",\"max_tokens\":2}", model);
  g_autoptr (SoupMessage) message = soup_message_new ("POST", url);
  g_autoptr (GBytes) data = g_bytes_new (body, strlen (body));
  g_autoptr (GBytes) reply = NULL;

  soup_session_set_timeout (session, 20);
  soup_message_set_request_body_from_bytes (message, "application/json", data);
  reply = soup_session_send_and_read (session, message, NULL, NULL);
  return reply != NULL ? soup_message_get_status (message) : 0;
}

static void
test_load (void)
{
  static const struct
  {
    const char *name;
    guint models, fronts, faults, steps;
  } rows[] = {
    { "overloaded.json", 1, 1, 0, 2 },
    { "flaky-gateway.json", 1, 1, 6, 3 },
    { "grpc-failover.json", 2, 2, 0, 5 },
    { "lost-models.json", 4, 2, 0, 5 },
  };
  g_autofree char *folder =
      g_build_filename (g_getenv ("TACHO_SOURCE_ROOT"), "docs", "scenarios", NULL);
  g_autofree char *doc = read_source ("docs/simulate.md");
  GDir *directory = g_dir_open (folder, 0, NULL);
  guint n = 0;

  g_assert_nonnull (directory);
  for (const char *name = g_dir_read_name (directory); name != NULL;
       name = g_dir_read_name (directory), n++)
    {
      g_autofree char *link = g_strdup_printf ("(scenarios/%s)", name);

      g_assert_nonnull (strstr (doc, link));
    }
  g_dir_close (directory);
  g_assert_cmpuint (n, ==, G_N_ELEMENTS (rows));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (TachoSimConfig) config = load (rows[i].name);

      g_assert_cmpuint (config->models->len, ==, rows[i].models);
      g_assert_cmpuint (config->fronts->len, ==, rows[i].fronts);
      g_assert_cmpuint (config->faults->len, ==, rows[i].faults);
      g_assert_cmpuint (config->timeline->len, ==, rows[i].steps);
    }
}

/* The same requests meet the same, and both kinds of replies are among them. */
static void
test_play (void)
{
  guint statuses[2][60];
  guint n_502 = 0, n_503 = 0, n_200 = 0;

  for (guint run = 0; run < 2; run++)
    {
      g_autoptr (TachoSimConfig) config = load ("flaky-gateway.json");
      g_autoptr (TachoSimServer) server = NULL;
      TachoSimCounters counters;
      guint n_whole = 0;

      config->time_scale = 0.1;
      g_ptr_array_set_size (config->timeline, 0); /* by wall time: not the same twice */
      g_ptr_array_set_size (config->faults, 5);   /* without its latency, which only takes time */
      server = tacho_sim_server_new (config);
      g_assert_true (tacho_sim_server_start (server, 0, NULL));
      for (guint i = 0; i < G_N_ELEMENTS (statuses[run]); i++)
        {
          statuses[run][i] = ask (tacho_sim_server_get_url (server), "gateway-7b");
          n_whole += statuses[run][i] == 200;
        }
      tacho_sim_server_get_counters (server, &counters);
      g_assert_cmpuint (counters.requests, >=, G_N_ELEMENTS (statuses[run]));
      /* A truncated whole reply has status 200, too. */
      g_assert_cmpuint (counters.completed, <=, n_whole);
      g_assert_cmpuint (counters.completed, >, n_whole / 2);
      g_assert_cmpuint (counters.faults, >, 0);
    }
  for (guint i = 0; i < G_N_ELEMENTS (statuses[0]); i++)
    {
      g_assert_cmpuint (statuses[0][i], ==, statuses[1][i]);
      n_502 += statuses[0][i] == 502;
      n_503 += statuses[0][i] == 503;
      n_200 += statuses[0][i] == 200;
    }
  g_assert_cmpuint (n_502, >, 0);
  g_assert_cmpuint (n_503, >, 0);
  g_assert_cmpuint (n_200, >, G_N_ELEMENTS (statuses[0]) / 2);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/sim/doc/faults", test_faults);
  g_test_add_func ("/sim/doc/names", test_names);
  g_test_add_func ("/sim/doc/members", test_members);
  g_test_add_func ("/sim/doc/scenarios/load", test_load);
  g_test_add_func ("/sim/doc/scenarios/play", test_play);
  return g_test_run ();
}
