/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long the window's main loop is away during a run: the longest gap between two calls of a
 * timer of 5 ms, while the real window measures with many streams and draws it.
 *
 * window-stall URL STREAMS SECONDS: prints, in ms, the longest gap before and during the run, the
 * 99th percentile of those during it, the longest at its end, and the most processor time that this
 * thread took in one of the run: a gap without it is another program's. */
#include "app/tacho-application.h"
#include "app/tacho-bench-panel.h"
#include "app/tacho-settings.h"
#include "app/tacho-window.h"
#include "bench/tacho-bench-plan.h"
#include "tacho-bench-report.h"

#include <stdio.h>
#include <stdlib.h>

#define TICK_MS 5
#define QUIET_TICKS 400
#define LIMIT_S 120

typedef enum
{
  WAIT_WINDOW,
  QUIET, /* nothing is to do: what the machine itself takes */
  STARTING,
  RUNNING,
  ENDING, /* results are reckoned, drawn and kept */
} Stage;

typedef struct
{
  GtkApplication *application;
  TachoBenchPanel *panel;
  Stage stage;
  gint64 begin_us, last_us, run_us;
  double seconds;
  double longest[ENDING + 1]; /* ms */
  GArray *gaps;               /* of the run, ms */
  gint64 cpu_ns;              /* of this thread, at the last tick */
  double busiest;             /* ms of processor between two ticks of the run */
  guint ticks;
} Watch;

static GtkWidget *
find (GtkWidget *widget, GType type)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = find (child, type);

      if (found != NULL)
        return found;
    }
  return NULL;
}

static void
activate (Watch *self, const char *action, GVariant *parameter)
{
  GtkWindow *window = gtk_application_get_windows (self->application)->data;

  g_action_group_activate_action (G_ACTION_GROUP (window), action, parameter);
}

static void
enter (Watch *self, Stage stage)
{
  self->stage = stage;
  self->ticks = 0;
  /* What is done between two stages is not of either. */
  self->last_us = g_get_monotonic_time ();
  self->cpu_ns = tacho_bench_thread_cpu_ns ();
}

static gboolean
tick_cb (gpointer data)
{
  Watch *self = data;
  gint64 now = g_get_monotonic_time (), cpu_ns = tacho_bench_thread_cpu_ns ();
  double gap = (double) (now - self->last_us) / 1000;
  GList *windows = gtk_application_get_windows (self->application);

  self->last_us = now;
  self->ticks++;
  if (self->stage == RUNNING)
    self->busiest = MAX (self->busiest, (double) (cpu_ns - self->cpu_ns) / 1e6);
  self->cpu_ns = cpu_ns;
  self->longest[self->stage] = MAX (self->longest[self->stage], gap);
  if (now - self->begin_us > LIMIT_S * G_USEC_PER_SEC)
    {
      fprintf (stderr, "the run did not end\n");
      exit (1);
    }
  if (self->stage == WAIT_WINDOW && windows != NULL && self->ticks > QUIET_TICKS)
    {
      self->panel = TACHO_BENCH_PANEL (find (GTK_WIDGET (windows->data), TACHO_TYPE_BENCH_PANEL));
      activate (self, "page", g_variant_new_string ("benchmark"));
      enter (self, QUIET);
    }
  else if (self->stage == QUIET && self->ticks > 2 * QUIET_TICKS)
    enter (self, STARTING);
  else if (self->stage == QUIET && self->ticks == QUIET_TICKS)
    self->longest[QUIET] = 0; /* the page was made in the first half */
  else if (self->stage == STARTING && tacho_bench_panel_is_running (self->panel))
    {
      self->run_us = now;
      enter (self, RUNNING);
    }
  else if (self->stage == STARTING && self->ticks % 20 == 0)
    activate (self, "run-benchmark", NULL); /* refused until the server is connected */
  else if (self->stage == RUNNING)
    {
      g_array_append_val (self->gaps, gap);
      if ((double) (now - self->run_us) / 1e6 > self->seconds)
        enter (self, ENDING);
    }
  else if (self->stage == ENDING && !tacho_bench_panel_is_running (self->panel) &&
           self->ticks > QUIET_TICKS)
    g_application_quit (G_APPLICATION (self->application));
  return G_SOURCE_CONTINUE;
}

static void
keep_plan (guint streams, double seconds)
{
  g_autoptr (TachoBenchPlan) plan = tacho_bench_plan_new ();
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;

  plan->concurrency = streams;
  plan->requests = 0;
  plan->duration_s = seconds;
  plan->warmup_requests = 0;
  plan->ramp_s = 1;
  tacho_bench_plan_to_json (plan, builder);
  node = json_builder_get_root (builder);
  text = json_to_string (node, FALSE);
  tacho_settings_set_string (tacho_settings_get_default (), "bench-plan", text);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

int
main (int argc, char **argv)
{
  Watch watch = { .stage = WAIT_WINDOW };
  g_autoptr (TachoApplication) application = NULL;
  char *arguments[] = { argv[0], (char *) "--url", argc > 1 ? argv[1] : NULL, NULL };

  if (argc != 4)
    {
      fprintf (stderr, "Usage: window-stall URL STREAMS SECONDS\n");
      return 2;
    }
  watch.seconds = atof (argv[3]);
  watch.gaps = g_array_new (FALSE, FALSE, sizeof (double));
  keep_plan ((guint) atoi (argv[2]), watch.seconds);
  application = tacho_application_new ();
  watch.application = GTK_APPLICATION (application);
  watch.begin_us = watch.last_us = g_get_monotonic_time ();
  g_timeout_add (TICK_MS, tick_cb, &watch);
  if (g_application_run (G_APPLICATION (application), 3, arguments) != 0 || watch.gaps->len == 0)
    return 1;
  g_array_sort (watch.gaps, compare);
  printf ("%.2f %.2f %.2f %.2f %.2f\n", watch.longest[QUIET], watch.longest[RUNNING],
          g_array_index (watch.gaps, double, watch.gaps->len * 99 / 100), watch.longest[ENDING],
          watch.busiest);
  g_array_unref (watch.gaps);
  return 0;
}
