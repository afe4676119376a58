/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The simulated server's settings, faults and text: pure functions. */
#include "test-utils.h"

#include "base/tacho-error.h"
#include "sim/tacho-sim-config.h"
#include "sim/tacho-sim-fault.h"
#include "sim/tacho-sim-text.h"

#include <math.h>
#include <string.h>

static void
test_named (void)
{
  static const char *const names[] = { "default", "fast", "slow", "openai", "flaky", "" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (TachoSimConfig) config = tacho_sim_config_new (names[i], &error);
      g_autoptr (TachoSimConfig) copy = NULL;

      g_assert_no_error (error);
      g_assert_cmpuint (config->models->len, >=, 2);
      copy = tacho_sim_config_copy (config);
      g_assert_cmpuint (copy->models->len, ==, config->models->len);
      g_assert_cmpuint (copy->faults->len, ==, config->faults->len);
      for (guint j = 0; j < copy->models->len; j++)
        {
          const TachoSimModel *a = g_ptr_array_index (config->models, j);
          const TachoSimModel *b = g_ptr_array_index (copy->models, j);

          g_assert_cmpstr (a->id, ==, b->id);
          g_assert_true (a->id != b->id);
          g_assert_true (g_str_has_prefix (a->id, "sim-"));
        }
    }
}

static void
test_unknown_name (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new ("quick", &error);

  g_assert_null (config);
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "flaky"));
}

static void
test_models_and_timing (void)
{
  g_autoptr (TachoSimConfig) config = tacho_sim_config_new (NULL, NULL);
  const TachoSimModel *model;

  tacho_sim_config_set_n_models (config, 12);
  g_assert_cmpuint (config->models->len, ==, 12);
  for (guint i = 0; i < 12; i++)
    for (guint j = 0; j < i; j++)
      g_assert_cmpstr (((TachoSimModel *) config->models->pdata[i])->id, !=,
                       ((TachoSimModel *) config->models->pdata[j])->id);
  tacho_sim_config_set_n_models (config, 1);
  g_assert_cmpuint (config->models->len, ==, 1);

  model = g_ptr_array_index (config->models, 0);
  tacho_sim_config_set_timing (config, 25, NAN);
  g_assert_cmpfloat (model->prefill_ms_fixed, ==, 25);
  g_assert_cmpfloat (model->prefill_ms_per_token, ==, 0);
  g_assert_cmpfloat (model->decode_ms_per_extra, >, 0);
  tacho_sim_config_set_timing (config, NAN, 3);
  g_assert_cmpfloat (model->prefill_ms_fixed, ==, 25);
  g_assert_cmpfloat (model->decode_ms_per_step, ==, 3);
  g_assert_cmpfloat (model->decode_ms_per_extra, ==, 0);
}

static void
test_fault_round_trip (void)
{
  static const char *const specs[] = {
    "status=503:p=0.1",
    "drop:after=3:n=5",
    "latency=0.25:path=/v1/*",
    "truncate:after=4",
    "stall:after=2:p=0.5",
    "error:after=1:n=2-7",
    "slow=2.5:n=3-",
    "no_usage",
    "drop",
  };

  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (TachoSimFault) fault = tacho_sim_fault_parse (specs[i], &error);
      g_autofree char *text = NULL;

      g_assert_no_error (error);
      text = tacho_sim_fault_to_string (fault);
      g_assert_cmpstr (text, ==, specs[i]);
    }
}

static void
test_fault_bad (void)
{
  static const char *const specs[] = {
    "",
    "boom",
    "status",
    "status=99",
    "status=600",
    "status=abc",
    "drop=1",
    "latency=-1",
    "latency=1e999",
    "latency=nan",
    "drop:p=2",
    "drop:after=-1",
    "drop:n=0",
    "drop:n=5-2",
    "drop:path=x",
    "drop:what=1",
    "drop:",
    "slow=0",
    "drop:after=99999999999999999999",
    "no_usage=1",
  };

  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (TachoSimFault) fault = tacho_sim_fault_parse (specs[i], &error);

      g_assert_null (fault);
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
    }
}

static void
test_fault_bad_message (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoSimFault) fault = tacho_sim_fault_parse ("boom", &error);

  g_assert_null (fault);
  g_assert_nonnull (strstr (error->message, "truncate")); /* it lists what is allowed */
}

static guint
count_hits (guint64 seed, const char *spec, const char *path, guint n, guint64 *pattern)
{
  g_autoptr (TachoSimFault) fault = tacho_sim_fault_parse (spec, NULL);
  TachoSimFaultSet *set = tacho_sim_fault_set_new (seed);
  guint hits = 0;

  *pattern = 0;
  tacho_sim_fault_set_add (set, fault);
  for (guint i = 0; i < n; i++)
    {
      TachoSimPlay play;

      g_assert_true (tacho_sim_fault_set_match (set, path, g_str_has_suffix (path, "completions"),
                                                NULL, &play, NULL));
      hits += play.n_faults;
      *pattern = tacho_sim_mix (*pattern + play.n_faults);
      tacho_sim_play_clear (&play);
    }
  tacho_sim_fault_set_free (set);
  return hits;
}

static void
test_fault_match (void)
{
  guint64 a, b, c;
  guint hits;

  hits = count_hits (7, "drop:p=0.2", "/v1/completions", 2000, &a);
  g_assert_cmpuint (hits, >, 320);
  g_assert_cmpuint (hits, <, 480);
  count_hits (7, "drop:p=0.2", "/v1/completions", 2000, &b);
  g_assert_cmpuint (a, ==, b);
  count_hits (8, "drop:p=0.2", "/v1/completions", 2000, &c);
  g_assert_cmpuint (a, !=, c);

  g_assert_cmpuint (count_hits (1, "drop:n=5", "/v1/completions", 10, &a), ==, 1);
  g_assert_cmpuint (count_hits (1, "drop:n=2-4", "/v1/completions", 10, &a), ==, 3);
  g_assert_cmpuint (count_hits (1, "drop:n=8-", "/v1/completions", 10, &a), ==, 3);
  g_assert_cmpuint (count_hits (1, "drop", "/v1/models", 10, &a), ==, 0);
  g_assert_cmpuint (count_hits (1, "drop:path=/v1/*", "/v1/models", 10, &a), ==, 10);
  g_assert_cmpuint (count_hits (1, "drop:p=0", "/v1/completions", 10, &a), ==, 0);
}

static void
test_fault_add_up (void)
{
  TachoSimFaultSet *set = tacho_sim_fault_set_new (1);
  g_autoptr (GError) error = NULL;
  TachoSimPlay play;

  g_assert_true (tacho_sim_fault_set_match (set, "/v1/completions", TRUE,
                                            "latency=0.5, slow=2, drop:after=3", &play, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (play.id, ==, "latency=0.5, slow=2, drop:after=3");
  g_assert_cmpuint (play.n_faults, ==, 3);
  g_assert_cmpfloat (play.latency_s, ==, 0.5);
  g_assert_cmpfloat (play.factor, ==, 2);
  g_assert_true (play.has_stream_fault);
  g_assert_cmpuint (play.after_events, ==, 3);
  tacho_sim_play_clear (&play);
  g_assert_false (tacho_sim_fault_set_match (set, "/", FALSE, "nonsense", &play, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  tacho_sim_play_clear (&play);
  tacho_sim_fault_set_free (set);
}

static char *
make_text (guint64 seed, guint n)
{
  GString *out = g_string_new (NULL);
  TachoSimText text;

  tacho_sim_text_init (&text, seed);
  for (guint i = 0; i < n; i++)
    {
      gsize before = out->len;

      tacho_sim_text_next (&text, out);
      g_assert_cmpuint (out->len, >, before);
    }
  return g_string_free (out, FALSE);
}

static void
test_text (void)
{
  g_autofree char *a = make_text (1, 500);
  g_autofree char *b = make_text (1, 500);
  g_autofree char *c = make_text (2, 500);
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (guint32));

  g_assert_cmpstr (a, ==, b);
  g_assert_cmpstr (a, !=, c);
  g_assert_true (g_str_has_prefix (a, "This reply is simulated: no model wrote it."));
  tacho_sim_tokenize (a, tokens);
  g_assert_cmpuint (tokens->len, ==, 500); /* what it says is what it counts */
}

static void
test_tokenize (void)
{
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (guint32));

  tacho_sim_tokenize ("", tokens);
  g_assert_cmpuint (tokens->len, ==, 0);
  tacho_sim_tokenize ("  one two\n\tthree  ", tokens);
  g_assert_cmpuint (tokens->len, ==, 3);
  tacho_sim_tokenize ("abcdefghijklmnopqrst", tokens); /* 20 bytes: five more */
  g_assert_cmpuint (tokens->len, ==, 8);
}

static void
test_quote (void)
{
  g_autoptr (GString) out = g_string_new (NULL);

  tacho_sim_json_quote (out, "a\"b\\c\n\x01\xc3\xa9");
  g_assert_cmpstr (out->str, ==, "\"a\\\"b\\\\c\\n\\u0001\xc3\xa9\"");
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/sim/config/named", test_named);
  g_test_add_func ("/sim/config/unknown-name", test_unknown_name);
  g_test_add_func ("/sim/config/models-and-timing", test_models_and_timing);
  g_test_add_func ("/sim/fault/round-trip", test_fault_round_trip);
  g_test_add_func ("/sim/fault/bad", test_fault_bad);
  g_test_add_func ("/sim/fault/bad-message", test_fault_bad_message);
  g_test_add_func ("/sim/fault/match", test_fault_match);
  g_test_add_func ("/sim/fault/add-up", test_fault_add_up);
  g_test_add_func ("/sim/text", test_text);
  g_test_add_func ("/sim/tokenize", test_tokenize);
  g_test_add_func ("/sim/quote", test_quote);
  return g_test_run ();
}
