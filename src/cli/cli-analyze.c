/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli analyze: what held a run back. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-commands.h"
#include "cli-run.h"

#include "bench/tacho-diagnosis.h"

static void
add_list (JsonBuilder *builder, const char *name, GPtrArray *words)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (guint i = 0; i < words->len; i++)
    json_builder_add_string_value (builder, g_ptr_array_index (words, i));
  json_builder_end_array (builder);
}

static void
print_json (CliSession *session, const TachoBenchResult *result, GPtrArray *findings)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  cli_json_string (builder, "schema", "tacho.analysis/1");
  cli_json_string (builder, "run", result->id);
  json_builder_set_member_name (builder, "findings");
  json_builder_begin_array (builder);
  for (guint i = 0; i < findings->len; i++)
    {
      const TachoFinding *finding = g_ptr_array_index (findings, i);

      json_builder_begin_object (builder);
      cli_json_string (builder, "id", finding->id);
      cli_json_string (builder, "severity", tacho_severity_to_string (finding->severity));
      cli_json_string (builder, "title", finding->title);
      add_list (builder, "evidence", finding->evidence);
      add_list (builder, "advice", finding->advice);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  cli_session_print_json (session, builder);
}

static void
print_text (CliSession *session, GPtrArray *findings)
{
  g_autoptr (GString) out = g_string_new (NULL);
  gboolean any = FALSE;

  for (guint i = 0; i < findings->len; i++)
    {
      const TachoFinding *finding = g_ptr_array_index (findings, i);

      any |= finding->severity >= TACHO_FINDING_NOTICE;
      g_string_append_printf (out, "%s: %s [%s]\n", tacho_severity_to_string (finding->severity),
                              finding->title, finding->id);
      for (guint k = 0; k < finding->evidence->len; k++)
        g_string_append_printf (out, "  - %s\n",
                                (const char *) g_ptr_array_index (finding->evidence, k));
      for (guint k = 0; k < finding->advice->len; k++)
        g_string_append_printf (out, "  > %s\n",
                                (const char *) g_ptr_array_index (finding->advice, k));
    }
  if (!any)
    g_string_prepend (out, "Nothing was found in the way of this run.\n");
  cli_terminal_print (session->terminal, out->str);
}

int
cli_analyze (CliSession *session, int argc, char **argv)
{
  const CliUsage usage = {
    .command = "analyze",
    .arguments = "RUN",
    .summary = "Names what held a run back, with the evidence and what to do. RUN is a file or an\n"
               "ID of the history.",
    .description = "Examples:\n"
                   "  tacho-cli analyze last\n"
                   "  tacho-cli analyze result.json --json",
  };
  g_autoptr (TachoBenchResult) result = NULL;
  g_autoptr (GPtrArray) findings = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = NULL;
  int status = cli_begin (session, &usage, argc, argv, &words);

  if (status >= 0)
    return status;
  if (g_strv_length (words) != 1)
    {
      cli_terminal_error (session->terminal,
                          "analyze needs one run: a file, or an ID of the history.");
      return CLI_EXIT_USAGE;
    }
  result = cli_run_load (session, words[0], &error);
  if (result == NULL)
    return cli_session_fail (session, error);
  findings = tacho_diagnose (result);
  if (session->globals.json)
    print_json (session, result, findings);
  else
    print_text (session, findings);
  return CLI_EXIT_OK;
}
