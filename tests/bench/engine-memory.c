/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the load engine needs of memory: for each stream that is open, and for each request that it
 * remembers. Every measurement is a process of its own, for a process does not give memory back. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-bench-report.h"
#include "tacho-receivers.h"

#include "base/tacho-clock.h"

#include <gio/gio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define GOAL_KIB_PER_STREAM 32
#define GOAL_RUN_MIB 256
#define GOAL_REQUESTS 1000000
#define QUICK_REQUESTS 20000
#define STREAMS 1000

/* --- the children --- */

static double
resident_kib (void)
{
  g_autofree char *text = NULL;
  unsigned long pages = 0;

  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    sscanf (text, "%*u %lu", &pages);
  return (double) pages * (double) sysconf (_SC_PAGESIZE) / 1024;
}

static void
keep_most (TachoBenchPlan *plan, gpointer user_data)
{
  plan->salt = FALSE;
  plan->prompt_tokens = (TachoLengths){ 16, 16, 0, 0 };
}

/* What the process has while its streams are open and a few events of each have come: a sender that
 * pauses long after them, and a second thread that looks then. */
static gpointer
look (gpointer data)
{
  double *kib = data;

  g_usleep (G_USEC_PER_SEC * 3 / 2);
  *kib = resident_kib ();
  return NULL;
}

static int
child_idle (guint streams)
{
  TachoSenderPlan plan = { .streams = streams, .events = 2, .ttft_ms = 100, .gap_ms = 2500 };
  g_autoptr (TachoBenchResult) result = NULL;
  TachoSender sender;
  GThread *thread;
  double kib = 0;

  tacho_sender_start (&sender, &plan);
  thread = g_thread_new ("look", look, &kib);
  result = tacho_receive_result (sender.port, sender.log, FALSE, keep_most, NULL);
  g_thread_join (thread);
  tacho_sender_wait (&sender);
  printf ("%.1f %" G_GUINT64_FORMAT "\n", kib, result->ok);
  return result->ok + result->voided == streams ? 0 : 1;
}

static int
child_requests (guint requests)
{
  TachoSenderPlan plan = { .streams = 32, .requests = requests, .events = 1 };
  g_autoptr (TachoBenchResult) result = NULL;
  gint64 begin_ns = tacho_clock_now_ns ();
  struct rusage usage;
  TachoSender sender;

  tacho_sender_start (&sender, &plan);
  result = tacho_receive_result (sender.port, sender.log, FALSE, keep_most, NULL);
  tacho_sender_wait (&sender);
  getrusage (RUSAGE_SELF, &usage);
  printf ("%ld %.3f\n", usage.ru_maxrss,
          (double) (tacho_clock_now_ns () - begin_ns) / TACHO_NS_PER_S);
  /* Where the machine stood still, some are voided; they are remembered all the same. */
  return result->ok + result->voided == requests ? 0 : 1;
}

/* --- the parent --- */

/* The two numbers that a child prints. */
static void
run_child (const char *what, guint number, double *first, double *second)
{
  g_autofree char *text = g_strdup_printf ("%u", number);
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) child = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error,
                                                    "/proc/self/exe", "--child", what, text, NULL);

  if (child == NULL || !g_subprocess_communicate_utf8 (child, NULL, NULL, &output, NULL, &error))
    g_error ("%s", error->message);
  if (!g_subprocess_get_successful (child) || sscanf (output, "%lf %lf", first, second) != 2)
    g_error ("The measuring process failed: %s %u", what, number);
}

static void
measure_streams (TachoBenchReport *report)
{
  guint n_rounds = tacho_bench_report_choose (report, 5, 1);
  TachoRounds per_stream = { 0 };

  for (guint round = 0; round < n_rounds; round++)
    {
      double one, many, ok;

      run_child ("idle", 1, &one, &ok);
      run_child ("idle", STREAMS, &many, &ok);
      tacho_rounds_add (&per_stream, (many - one) / (STREAMS - 1));
    }
  tacho_bench_report_add (report, &(TachoFigure){ .name = "per-stream",
                                                  .unit = "KiB",
                                                  .rounds = &per_stream,
                                                  .goal = TACHO_GOAL_AT_MOST,
                                                  .limit = GOAL_KIB_PER_STREAM,
                                                  .note = "resident memory of 1000 open streams" });
}

static void
measure_run (TachoBenchReport *report)
{
  guint requests = tacho_bench_report_choose (report, GOAL_REQUESTS, QUICK_REQUESTS);
  guint n_rounds = tacho_bench_report_choose (report, 2, 1);
  g_autofree char *name = g_strdup_printf ("peak/%u-requests", requests);
  TachoRounds peak = { 0 }, rate = { 0 };

  for (guint round = 0; round < n_rounds; round++)
    {
      double kib, seconds;

      run_child ("requests", requests, &kib, &seconds);
      tacho_rounds_add (&peak, kib / 1024);
      tacho_rounds_add (&rate, requests / seconds);
    }
  tacho_bench_report_add (
      report,
      &(TachoFigure){ .name = name,
                      .unit = "MiB",
                      .rounds = &peak,
                      .goal = requests == GOAL_REQUESTS ? TACHO_GOAL_AT_MOST : TACHO_GOAL_NONE,
                      .limit = GOAL_RUN_MIB,
                      .note = requests == GOAL_REQUESTS
                                  ? "the largest resident set, the result included"
                                  : "a shorter run: says nothing about the goal" });
  tacho_bench_report_add (report, &(TachoFigure){ .name = "requests-per-s",
                                                  .unit = "1/s",
                                                  .rounds = &rate,
                                                  .note = "streamed replies of one event, one "
                                                          "sender process beside" });
}

int
main (int argc, char **argv)
{
  TachoBenchReport *report;

  if (argc == 4 && g_str_equal (argv[1], "--child"))
    return g_str_equal (argv[2], "idle") ? child_idle ((guint) atoi (argv[3]))
                                         : child_requests ((guint) atoi (argv[3]));
  report = tacho_bench_report_new ("engine-memory", argc, argv);
  if (tacho_bench_report_wants (report, "per-stream"))
    measure_streams (report);
  if (tacho_bench_report_wants (report, "peak"))
    measure_run (report);
  return tacho_bench_report_finish (report);
}
