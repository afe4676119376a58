/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Downloads and deletions of a llama.cpp router: orders, and what its list makes of them. */
#include "api/tacho-api-llamacpp.h"

#include <string.h>

#include "base/tacho-error.h"
#include "test-utils.h"

#define MODEL(status) "{\"data\":[{\"id\":\"a/b\",\"status\":{" status "}}]}"

static void
test_pull (void)
{
  static const struct
  {
    const char *list;
    const char *status; /* NULL: it failed */
    gboolean done;
    int code;
  } cases[] = {
    { MODEL ("\"value\":\"downloading\""), "downloading", FALSE, 0 },
    { MODEL ("\"value\":\"downloading\",\"progress\":{\"stages\":[],\"current\":\"x\","
             "\"value\":0.42}"),
      "downloading 42 %", FALSE, 0 },
    { MODEL ("\"value\":\"unloaded\""), "downloaded", TRUE, 0 },
    { MODEL ("\"value\":\"unloaded\",\"failed\":true,\"exit_code\":1"), NULL, FALSE,
      TACHO_ERROR_MODEL_FAILED },
    { "{\"data\":[]}", NULL, FALSE, TACHO_ERROR_MODEL_FAILED },
    { "[7]", NULL, FALSE, TACHO_ERROR_PROTOCOL },
  };
  g_autoptr (TachoApi) api = tacho_api_llamacpp_new (TRUE, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TachoPullProgress progress = { .job_id = g_strdup ("a/b") };
      g_autoptr (GError) error = NULL;

      if (cases[i].status != NULL)
        {
          g_assert_true (
              tacho_api_parse_pull (api, cases[i].list, strlen (cases[i].list), &progress, &error));
          g_assert_cmpstr (progress.status, ==, cases[i].status);
          g_assert_cmpstr (progress.job_id, ==, "a/b");
        }
      else
        {
          g_assert_false (
              tacho_api_parse_pull (api, cases[i].list, strlen (cases[i].list), &progress, &error));
          g_assert_error (error, TACHO_ERROR, cases[i].code);
        }
      g_assert_cmpint (progress.done, ==, cases[i].done);
      tacho_pull_progress_clear (&progress);
    }
}

static void
test_order (void)
{
  static const char taken[] = "{\"success\":true}";
  static const char refused[] = "{\"success\":false}";
  g_autoptr (TachoApi) api = tacho_api_llamacpp_new (TRUE, NULL);
  g_autoptr (TachoApi) single = tacho_api_llamacpp_new (FALSE, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpRequest) pull = tacho_api_build (api, TACHO_OP_PULL_MODEL, "a/b", &error);
  g_autoptr (TachoHttpRequest) drop = tacho_api_build (api, TACHO_OP_DELETE_MODEL, "a/b", &error);
  g_autoptr (TachoHttpRequest) ask = NULL;
  g_autoptr (TachoHttpRequest) stop = NULL;
  TachoPullProgress progress = { 0 };

  g_assert_cmpstr (pull->method, ==, "POST");
  g_assert_cmpstr (pull->path, ==, "/models");
  g_assert_false (pull->streaming);
  g_assert_cmpstr (drop->method, ==, "DELETE");
  g_assert_cmpstr (drop->path, ==, "/models?model=a%2Fb");
  g_assert_true (tacho_api_parse_pull (api, taken, strlen (taken), &progress, &error));
  g_assert_false (progress.done);
  ask = tacho_api_build_pull_status (api, "a/b", &progress);
  g_assert_cmpstr (ask->path, ==, "/models");
  stop = tacho_api_build_pull_stop (api, "a/b", &progress);
  g_assert_cmpstr (stop->path, ==, "/models/unload");
  g_assert_false (tacho_api_parse_pull (api, refused, strlen (refused), &progress, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED);
  g_clear_error (&error);
  g_assert_null (tacho_api_build (single, TACHO_OP_PULL_MODEL, "a/b", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
  tacho_pull_progress_clear (&progress);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/api/llamacpp/pull", test_pull);
  g_test_add_func ("/api/llamacpp/order", test_order);
  return g_test_run ();
}
