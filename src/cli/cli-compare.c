/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli compare: did the second run get better or worse, and how sure is that? */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-commands.h"
#include "cli-run.h"

#include "bench/tacho-compare.h"

#include <math.h>
#include <string.h>

typedef struct
{
  char *regression, **metrics;
  gboolean force;
  double percent; /* NaN: nothing to fail on */
} CompareOptions;

static gboolean
is_wanted (const CompareOptions *o, const char *name)
{
  for (char **metric = o->metrics; metric != NULL && *metric != NULL; metric++)
    if (strstr (name, *metric) != NULL)
      return TRUE;
  return o->metrics == NULL;
}

static gboolean
is_regression (const CompareOptions *o, const TachoComparisonRow *row)
{
  return isfinite (o->percent) && tacho_comparison_row_is_regression (row, o->percent);
}

static void
add_row_json (JsonBuilder *builder, const CompareOptions *o, const TachoComparisonRow *row)
{
  g_autofree char *words = tacho_comparison_row_to_words (row);

  json_builder_begin_object (builder);
  cli_json_string (builder, "metric", row->name);
  cli_json_double (builder, "a", row->difference.a);
  cli_json_double (builder, "b", row->difference.b);
  cli_json_double (builder, "difference", row->difference.b - row->difference.a);
  cli_json_double (builder, "low", row->tested ? row->difference.low : NAN);
  cli_json_double (builder, "high", row->tested ? row->difference.high : NAN);
  cli_json_double (builder, "percent", row->percent);
  cli_json_double (builder, "percent_low", row->percent_low);
  cli_json_double (builder, "percent_high", row->percent_high);
  cli_json_double (builder, "p", row->tested ? row->difference.p : NAN);
  cli_json_double (builder, "p_adjusted", row->p_adjusted);
  json_builder_set_member_name (builder, "significant");
  json_builder_add_boolean_value (builder, row->significant);
  json_builder_set_member_name (builder, "worse");
  json_builder_add_boolean_value (builder, row->worse);
  json_builder_set_member_name (builder, "regression");
  json_builder_add_boolean_value (builder, is_regression (o, row));
  cli_json_string (builder, "effect", words);
  json_builder_end_object (builder);
}

static void
add_list (JsonBuilder *builder, const char *name, char **words)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (; *words != NULL; words++)
    json_builder_add_string_value (builder, *words);
  json_builder_end_array (builder);
}

static void
print_json (CliSession *session,
            const CompareOptions *o,
            const TachoComparison *comparison,
            const TachoBenchResult *a,
            const TachoBenchResult *b)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  cli_json_string (builder, "schema", "tacho.compare/1");
  cli_json_string (builder, "a", a->id);
  cli_json_string (builder, "b", b->id);
  add_list (builder, "unlike", comparison->unlike);
  add_list (builder, "warnings", comparison->warnings);
  json_builder_set_member_name (builder, "metrics");
  json_builder_begin_array (builder);
  for (guint i = 0; i < comparison->rows->len; i++)
    {
      const TachoComparisonRow *row = &g_array_index (comparison->rows, TachoComparisonRow, i);

      if (is_wanted (o, row->name))
        add_row_json (builder, o, row);
    }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  cli_session_print_json (session, builder);
}

static char *
value_of (const TachoComparisonRow *row, double value)
{
  if (!isfinite (value))
    return g_strdup ("–");
  if (g_str_equal (row->name, "error_rate"))
    return g_strdup_printf ("%.2f %%", value * 100);
  return g_strdup_printf (fabs (value) < 10     ? "%.2f"
                          : fabs (value) < 1000 ? "%.1f"
                                                : "%.0f",
                          value);
}

static void
print_table (CliSession *session, const CompareOptions *o, const TachoComparison *comparison)
{
  static const char *const head[] = { "metric", "A", "B", "p", "effect", NULL };
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_autofree char *table = NULL;

  g_ptr_array_add (rows, g_strdupv ((char **) head));
  for (guint i = 0; i < comparison->rows->len; i++)
    {
      const TachoComparisonRow *row = &g_array_index (comparison->rows, TachoComparisonRow, i);
      char **cells = g_new0 (char *, 6);
      g_autofree char *words = tacho_comparison_row_to_words (row);

      cells[0] = g_strdup (row->name);
      cells[1] = value_of (row, row->difference.a);
      cells[2] = value_of (row, row->difference.b);
      cells[3] = row->tested ? g_strdup_printf ("%.3f", row->p_adjusted) : g_strdup ("–");
      cells[4] = g_strconcat (words, is_regression (o, row) ? ": REGRESSION" : "", NULL);
      if (is_wanted (o, row->name))
        g_ptr_array_add (rows, cells);
      else
        g_strfreev (cells);
    }
  table = cli_table_format (rows);
  cli_terminal_print (session->terminal, table);
  cli_terminal_print (session->terminal,
                      "Brackets: 95 % interval of the change, by moving-block bootstrap. p: block "
                      "permutation (errors: Fisher),\nHolm-corrected over all rows; below 0.05 is "
                      "called a difference.\n");
}

static int
count_regressions (const CompareOptions *o, const TachoComparison *comparison)
{
  int n = 0;

  for (guint i = 0; i < comparison->rows->len; i++)
    {
      const TachoComparisonRow *row = &g_array_index (comparison->rows, TachoComparisonRow, i);

      n += is_wanted (o, row->name) && is_regression (o, row);
    }
  return n;
}

static int
compare (CliSession *session, char **names, const CompareOptions *o)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoBenchResult) a = cli_run_load (session, names[0], &error);
  g_autoptr (TachoBenchResult) b = a != NULL ? cli_run_load (session, names[1], &error) : NULL;
  g_autoptr (TachoComparison) comparison = NULL;
  int regressions;

  if (b == NULL)
    return cli_session_fail (session, error);
  comparison = tacho_compare (a, b);
  if (*comparison->unlike != NULL && !o->force)
    {
      g_autofree char *words = g_strjoinv ("; ", comparison->unlike);

      cli_terminal_error (session->terminal,
                          "These runs are unlike, so a difference would say nothing: %s. "
                          "--force compares them all the same.",
                          words);
      return CLI_EXIT_USAGE;
    }
  for (char **warning = comparison->warnings; *warning != NULL; warning++)
    cli_terminal_say (session->terminal, "Note: %s.", *warning);
  if (session->globals.json)
    print_json (session, o, comparison, a, b);
  else
    print_table (session, o, comparison);
  regressions = count_regressions (o, comparison);
  if (regressions == 0)
    return CLI_EXIT_OK;
  cli_terminal_error (session->terminal, "%d of the figures got worse by more than %g %%",
                      regressions, o->percent);
  return CLI_EXIT_ASSERTION;
}

int
cli_compare (CliSession *session, int argc, char **argv)
{
  CompareOptions o = { .percent = NAN };
  const CliOption options[] = {
    { "fail-on-regression", 0, "PCT", FALSE, &o.regression,
      "Exit 4 if a figure is worse by more than PCT %, significantly" },
    { "metric", 0, "NAME", TRUE, &o.metrics,
      "Only figures with this in their name; may be repeated" },
    { "force", 0, NULL, FALSE, &o.force, "Compare runs of different plans" },
    { NULL },
  };
  const CliUsage usage = {
    .command = "compare",
    .arguments = "A B",
    .summary = "Compares two runs of the same plan: files, or IDs of the history. A is what B is\n"
               "compared with. What chance alone can explain is called no difference.",
    .description = "Examples:\n"
                   "  tacho-cli compare before.json after.json --fail-on-regression 5\n"
                   "  tacho-cli compare 20260101T120000Z-1234 last --metric ttft",
    .options = options,
  };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = NULL;
  int status = cli_begin (session, &usage, argc, argv, &words);

  if (status < 0 && g_strv_length (words) != 2)
    {
      cli_terminal_error (session->terminal,
                          "compare needs two runs: files, or IDs of the history.");
      status = CLI_EXIT_USAGE;
    }
  else if (status < 0 && o.regression != NULL &&
           !cli_parse_double ("fail-on-regression", o.regression, 0, 10000, &o.percent, &error))
    status = cli_session_fail (session, error);
  else if (status < 0)
    status = compare (session, words, &o);
  g_free (o.regression);
  g_strfreev (o.metrics);
  return status;
}
