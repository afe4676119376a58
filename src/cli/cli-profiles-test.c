/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli profiles test: one step after another, so that it is seen which fails. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-profiles.h"

#include "base/tacho-error.h"

#include <math.h>

typedef struct
{
  CliSession *session;
  JsonBuilder *builder; /* NULL: text */
} Report;

static void
report_step (Report *report, const char *step, const char *words, const GError *error)
{
  g_autofree char *line = NULL;

  if (report->builder != NULL)
    {
      json_builder_begin_object (report->builder);
      cli_json_string (report->builder, "step", step);
      json_builder_set_member_name (report->builder, "ok");
      json_builder_add_boolean_value (report->builder, error == NULL);
      cli_json_string (report->builder, "detail", error != NULL ? error->message : words);
      json_builder_end_object (report->builder);
      return;
    }
  if (error != NULL)
    return; /* said as the error of the command */
  line = g_strdup_printf ("ok      %-8s %s\n", step, words);
  cli_terminal_print (report->session->terminal, line);
}

static int
fail_step (Report *report, const char *step, const GError *error)
{
  g_autofree char *line = g_strdup_printf ("failed  %s\n", step);

  report_step (report, step, NULL, error);
  if (report->builder == NULL)
    cli_terminal_print (report->session->terminal, line);
  return cli_session_fail (report->session, error);
}

static char *
describe_address (TachoProfile *profile)
{
  const char *url = tacho_profile_get_url (profile);
  const char *grpc = tacho_profile_get_grpc_target (profile);

  return g_strdup_printf ("%s%s%s (%s)", url != NULL ? url : "",
                          url != NULL && grpc != NULL ? ", gRPC " : "", grpc != NULL ? grpc : "",
                          tacho_protocol_to_string (tacho_profile_get_protocol (profile)));
}

static int
run_steps (Report *report)
{
  CliSession *session = report->session;
  g_autoptr (GError) error = NULL;
  g_autofree char *address = NULL;
  g_autofree char *server = NULL;
  g_autofree char *models = NULL;
  guint n;

  if (!cli_profile_choose (session, &error))
    return fail_step (report, "profile", error);
  report_step (report, "profile", tacho_profile_get_name (session->profile), NULL);
  report_step (
      report, "key",
      tacho_profile_get_api_key (session->profile) != NULL ? "there is one" : "none is sent", NULL);
  if (!tacho_profile_check_plain_key (session->profile, &error))
    return fail_step (report, "address", error);
  address = describe_address (session->profile);
  report_step (report, "address", address, NULL);
  if (!cli_session_connect (session, &error))
    return fail_step (report, "probe", error);
  server = g_strdup_printf ("%s, %.1f ms", tacho_client_manager_get_description (session->manager),
                            tacho_client_manager_get_latency_ms (session->manager));
  report_step (report, "probe", server, NULL);
  if (!cli_session_list (session, &error))
    return fail_step (report, "models", error);
  n = g_list_model_get_n_items (G_LIST_MODEL (session->models));
  models = g_strdup_printf ("%u %s", n, n == 1 ? "model" : "models");
  report_step (report, "models", models, NULL);
  return CLI_EXIT_OK;
}

int
cli_profiles_test (CliSession *self, const char *name)
{
  Report report = { .session = self };
  g_autoptr (JsonBuilder) builder = NULL;
  int status;

  if (name != NULL && self->globals.profile == NULL)
    self->globals.profile = g_strdup (name);
  if (self->globals.json)
    {
      builder = json_builder_new ();
      report.builder = builder;
      json_builder_begin_object (builder);
      cli_json_string (builder, "schema", "tacho.profile-test/1");
      json_builder_set_member_name (builder, "steps");
      json_builder_begin_array (builder);
    }
  status = run_steps (&report);
  if (builder != NULL)
    {
      json_builder_end_array (builder);
      json_builder_set_member_name (builder, "ok");
      json_builder_add_boolean_value (builder, status == CLI_EXIT_OK);
      json_builder_end_object (builder);
      cli_session_print_json (self, builder);
    }
  return status;
}
