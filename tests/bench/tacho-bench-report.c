/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines for people, JSON for report.py. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-bench-report.h"

#include "bench/tacho-distribution.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct _TachoBenchReport
{
  char *benchmark;
  gboolean quick;
  char *only;
  JsonBuilder *builder;
};

/**
 * tacho_bench_report_new:
 * @benchmark: the program's name, which its figures' names begin with
 * @argc: of main
 * @argv: of main
 *
 * Returns: (transfer full): a report; end it with tacho_bench_report_finish()
 */
TachoBenchReport *
tacho_bench_report_new (const char *benchmark, int argc, char **argv)
{
  TachoBenchReport *self = g_new0 (TachoBenchReport, 1);

  self->benchmark = g_strdup (benchmark);
  for (int i = 1; i < argc; i++)
    if (g_str_equal (argv[i], "--quick"))
      self->quick = TRUE;
    else if (g_str_equal (argv[i], "--only") && i + 1 < argc)
      self->only = g_strdup (argv[++i]);
    else
      {
        fprintf (stderr, "usage: %s [--quick] [--only TEXT]\n", benchmark);
        exit (2);
      }
  self->builder = json_builder_new ();
  json_builder_begin_array (self->builder);
  return self;
}

/**
 * tacho_bench_report_is_quick:
 * @self: a report
 *
 * Returns: whether the run is to show that everything works rather than how fast
 */
gboolean
tacho_bench_report_is_quick (TachoBenchReport *self)
{
  return self->quick;
}

/**
 * tacho_bench_report_wants:
 * @self: a report
 * @what: the begin of some figures' names
 *
 * Returns: whether they were asked for
 */
gboolean
tacho_bench_report_wants (TachoBenchReport *self, const char *what)
{
  return self->only == NULL || g_strstr_len (what, -1, self->only) != NULL;
}

/**
 * tacho_bench_report_choose:
 * @self: a report
 * @full: a number of rounds or seconds
 * @quick: the same of a quick run
 *
 * Returns: the one that applies
 */
guint
tacho_bench_report_choose (TachoBenchReport *self, guint full, guint quick)
{
  return self->quick ? quick : full;
}

/**
 * tacho_rounds_add:
 * @rounds: values
 * @value: one more
 *
 * Adds it.
 */
void
tacho_rounds_add (TachoRounds *rounds, double value)
{
  g_assert_cmpuint (rounds->n, <, TACHO_MAX_ROUNDS);
  rounds->values[rounds->n++] = value;
}

/**
 * tacho_rounds_median:
 * @rounds: values
 *
 * Returns: their median, the mean of the middle two of an even number; NaN of none
 */
double
tacho_rounds_median (const TachoRounds *rounds)
{
  TachoRounds sorted = *rounds;

  if (sorted.n == 0)
    return NAN;
  tacho_sort_doubles (sorted.values, sorted.n);
  return (sorted.values[(sorted.n - 1) / 2] + sorted.values[sorted.n / 2]) / 2;
}

/* Round by round, so that what slowed both in one round goes out. */
static TachoRounds
ratios_of (const TachoFigure *figure)
{
  TachoRounds ratios = { 0 };

  if (figure->reference == NULL || figure->reference->n != figure->rounds->n)
    return ratios;
  for (guint i = 0; i < figure->rounds->n; i++)
    tacho_rounds_add (&ratios, figure->rounds->values[i] / figure->reference->values[i]);
  return ratios;
}

static void
get_spread (const TachoRounds *rounds, double *low, double *high)
{
  *low = INFINITY;
  *high = -INFINITY;
  for (guint i = 0; i < rounds->n; i++)
    {
      *low = MIN (*low, rounds->values[i]);
      *high = MAX (*high, rounds->values[i]);
    }
}

static gboolean
is_met (const TachoFigure *figure, double median, double ratio)
{
  switch (figure->goal)
    {
    case TACHO_GOAL_AT_MOST:
      return median <= figure->limit;
    case TACHO_GOAL_AT_LEAST:
      return median >= figure->limit;
    case TACHO_GOAL_RATIO_AT_MOST:
      return ratio <= figure->limit;
    case TACHO_GOAL_RATIO_AT_LEAST:
      return ratio >= figure->limit;
    default:
      return FALSE;
    }
}

static char *
goal_to_string (const TachoFigure *figure)
{
  static const char *const words[] = { NULL, "<=", ">=", "ratio <=", "ratio >=" };

  if (figure->goal == TACHO_GOAL_NONE)
    return NULL;
  return g_strdup_printf ("%s %g", words[figure->goal], figure->limit);
}

static void
add_number (JsonBuilder *builder, const char *name, double value)
{
  if (name != NULL)
    json_builder_set_member_name (builder, name);
  if (isfinite (value))
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
add_text (JsonBuilder *builder, const char *name, const char *text)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, text); /* NULL becomes null */
}

static void
add_rounds (JsonBuilder *builder, const TachoRounds *rounds)
{
  double low, high;

  get_spread (rounds, &low, &high);
  add_number (builder, "median", tacho_rounds_median (rounds));
  json_builder_set_member_name (builder, "spread");
  json_builder_begin_array (builder);
  add_number (builder, NULL, low);
  add_number (builder, NULL, high);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "runs");
  json_builder_begin_array (builder);
  for (guint i = 0; i < rounds->n; i++)
    add_number (builder, NULL, rounds->values[i]);
  json_builder_end_array (builder);
}

static void
write_figure (TachoBenchReport *self,
              const TachoFigure *figure,
              const char *goal,
              double ratio,
              gboolean met)
{
  g_autofree char *name = g_strconcat (self->benchmark, "/", figure->name, NULL);
  JsonBuilder *builder = self->builder;

  json_builder_begin_object (builder);
  add_text (builder, "name", name);
  add_text (builder, "unit", figure->unit);
  add_rounds (builder, figure->rounds);
  json_builder_set_member_name (builder, "reference");
  if (figure->reference == NULL)
    json_builder_add_null_value (builder);
  else
    {
      json_builder_begin_object (builder);
      add_text (builder, "name", figure->reference_name);
      add_rounds (builder, figure->reference);
      json_builder_end_object (builder);
    }
  add_number (builder, "ratio", ratio);
  add_text (builder, "goal", goal);
  json_builder_set_member_name (builder, "met");
  /* A quick run is too short to judge by. */
  if (goal == NULL || self->quick)
    json_builder_add_null_value (builder);
  else
    json_builder_add_boolean_value (builder, met);
  json_builder_set_member_name (builder, "quick");
  json_builder_add_boolean_value (builder, self->quick);
  add_text (builder, "note", figure->note);
  json_builder_end_object (builder);
}

/**
 * tacho_bench_report_add:
 * @self: a report
 * @figure: a figure; nothing of it is kept
 *
 * Prints its line and notes it for the file.
 */
void
tacho_bench_report_add (TachoBenchReport *self, const TachoFigure *figure)
{
  TachoRounds ratios = ratios_of (figure);
  double ratio = tacho_rounds_median (&ratios);
  double median = tacho_rounds_median (figure->rounds);
  gboolean met = is_met (figure, median, ratio);
  g_autofree char *goal = goal_to_string (figure);
  double low, high;

  get_spread (figure->rounds, &low, &high);
  printf ("%s/%-34s %10.4g %-10s (%.4g .. %.4g; %u)", self->benchmark, figure->name, median,
          figure->unit, low, high, figure->rounds->n);
  if (figure->reference != NULL)
    printf (", %.2f of %s (%.4g)", ratio, figure->reference_name,
            tacho_rounds_median (figure->reference));
  if (goal != NULL)
    printf (", goal %s: %s", goal, self->quick ? "not judged" : met ? "met" : "NOT MET");
  if (figure->note != NULL)
    printf ("; %s", figure->note);
  printf ("\n");
  fflush (stdout);
  write_figure (self, figure, goal, ratio, met);
}

static int
write_file (TachoBenchReport *self, const char *folder)
{
  g_autofree char *file = g_strconcat (self->benchmark, ".json", NULL);
  g_autofree char *path = g_build_filename (folder, file, NULL);
  g_autoptr (JsonNode) root = json_builder_get_root (self->builder);
  g_autofree char *text = json_to_string (root, TRUE);
  g_autoptr (GError) error = NULL;

  if (g_file_set_contents (path, text, -1, &error))
    return 0;
  fprintf (stderr, "%s: %s\n", self->benchmark, error->message);
  return 1;
}

/**
 * tacho_bench_report_finish:
 * @self: (transfer full): a report
 *
 * Writes the JSON if a folder was named for it.
 *
 * Returns: the program's exit status
 */
int
tacho_bench_report_finish (TachoBenchReport *self)
{
  const char *folder = g_getenv ("TACHO_BENCH_JSON_DIR");
  int status;

  json_builder_end_array (self->builder);
  status = folder != NULL ? write_file (self, folder) : 0;
  g_object_unref (self->builder);
  g_free (self->benchmark);
  g_free (self->only);
  g_free (self);
  return status;
}

static gint64
cpu_ns (clockid_t clock)
{
  struct timespec used;

  clock_gettime (clock, &used);
  return used.tv_sec * G_GINT64_CONSTANT (1000000000) + used.tv_nsec;
}

/**
 * tacho_bench_thread_cpu_ns:
 *
 * Returns: the CPU time that the calling thread has used
 */
gint64
tacho_bench_thread_cpu_ns (void)
{
  return cpu_ns (CLOCK_THREAD_CPUTIME_ID);
}

/**
 * tacho_bench_process_cpu_ns:
 *
 * Returns: the CPU time that the process has used
 */
gint64
tacho_bench_process_cpu_ns (void)
{
  return cpu_ns (CLOCK_PROCESS_CPUTIME_ID);
}
