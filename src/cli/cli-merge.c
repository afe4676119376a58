/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli merge: the parts of a load that many machines sent, as one run. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-commands.h"
#include "cli-run.h"

#include "base/tacho-error.h"
#include "bench/tacho-bench-merge.h"

static void
result_unref_cb (gpointer data)
{
  tacho_bench_result_unref (data);
}

static int
merge (CliSession *session, char **names, const char *out, gboolean force)
{
  g_autoptr (GPtrArray) results = g_ptr_array_new_with_free_func (result_unref_cb);
  g_autoptr (TachoBenchResult) merged = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *json = NULL;
  g_autofree char *text = NULL;

  for (; *names != NULL; names++)
    {
      TachoBenchResult *part = cli_run_load (session, *names, &error);

      if (part == NULL)
        return cli_session_fail (session, error);
      g_ptr_array_add (results, part);
    }
  merged = tacho_bench_merge (results, force, &error);
  if (merged == NULL)
    return cli_session_fail (session, error);
  json = tacho_bench_result_to_json (merged, TRUE);
  text =
      session->globals.json ? g_strconcat (json, "\n", NULL) : tacho_bench_result_to_text (merged);
  cli_terminal_print (session->terminal, text);
  if (out != NULL && !tacho_bench_write_file (out, json, &error))
    return cli_session_fail (session, error);
  return CLI_EXIT_OK;
}

int
cli_merge (CliSession *session, int argc, char **argv)
{
  g_autofree char *out = NULL;
  gboolean force = FALSE;
  const CliOption options[] = {
    { "out", 0, "FILE", FALSE, &out, "Write the merged run to this file" },
    { "force", 0, NULL, FALSE, &force, "Merge runs that do not look like parts of one load" },
    { NULL },
  };
  const CliUsage usage = {
    .command = "merge",
    .arguments = "RUN...",
    .summary =
        "Puts runs of many machines together, request by request: no figure is an average of\n"
        "averages. RUN is a file or an ID of the history.",
    .description = "Examples:\n"
                   "  tacho-cli merge agent-*.json --out all.json\n"
                   "  tacho-cli merge a.json b.json --json",
    .options = options,
  };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = NULL;
  int status = cli_begin (session, &usage, argc, argv, &words);

  if (status >= 0)
    return status;
  if (g_strv_length (words) < 2)
    {
      cli_terminal_error (session->terminal, "merge needs at least two runs.");
      return CLI_EXIT_USAGE;
    }
  if (out != NULL && !tacho_bench_check_writable (out, &error))
    {
      g_prefix_error (&error, "--out: ");
      error->code = TACHO_ERROR_INVALID;
      return cli_session_fail (session, error);
    }
  return merge (session, words, out, force);
}
