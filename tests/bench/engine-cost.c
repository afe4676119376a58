/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one streamed event costs the client: the load engine beside a bare epoll receiver, bare
 * libcurl and a Python client, all from the same sender in the same rounds. How many events a
 * second one core can take. Two thousand streams. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-bench-report.h"
#include "tacho-receivers.h"

#include <math.h>

#define RATE 12800.0 /* 256 streams of 50 tokens a second */
#define GOAL_RATIO 2
#define GOAL_EVENTS_PER_S 50000
#define GOAL_OWN_READS 0.95
#define GOAL_STREAMS 2000

static TachoSenderPlan
plan_of (guint streams, double rate, double seconds)
{
  /* Ten events at least: the first and the last tenth are left out. */
  guint events = MAX ((guint) (rate * seconds / streams), 20);

  return (TachoSenderPlan){ .streams = streams, .events = events, .rate = rate };
}

static void
add_cost (TachoBenchReport *report,
          guint streams,
          const char *kind,
          const TachoRounds *costs,
          const char *note)
{
  for (guint i = 1; i < TACHO_N_RECEIVERS; i++)
    {
      g_autofree char *name = g_strdup_printf ("cpu%s/%u-streams/%s", kind, streams,
                                               i == TACHO_RECEIVER_ENGINE    ? "engine"
                                               : i == TACHO_RECEIVER_AIOHTTP ? "aiohttp"
                                                                             : "libcurl");
      const TachoFigure figure = {
        .name = name,
        .unit = "us/event",
        .rounds = &costs[i],
        .reference_name = tacho_receiver_get_name (TACHO_RECEIVER_EPOLL),
        .reference = &costs[TACHO_RECEIVER_EPOLL],
        .goal = i == TACHO_RECEIVER_ENGINE && *kind == '\0' ? TACHO_GOAL_RATIO_AT_MOST
                                                            : TACHO_GOAL_NONE,
        .limit = GOAL_RATIO,
        .note = note,
      };

      if (costs[i].n > 0)
        tacho_bench_report_add (report, &figure);
    }
}

/* The receivers one after the other in each round, each with a sender of its own. */
static void
measure_cost (TachoBenchReport *report, guint streams)
{
  guint n_rounds = tacho_bench_report_choose (report, 5, 1);
  TachoSenderPlan plan = plan_of (streams, RATE, tacho_bench_report_is_quick (report) ? 0.4 : 4.0);
  TachoRounds costs[TACHO_N_RECEIVERS] = { 0 };
  TachoRounds whole[TACHO_N_RECEIVERS] = { 0 };

  if (!tacho_bench_report_is_quick (report))
    tacho_receive (TACHO_RECEIVER_ENGINE, &(TachoSenderPlan){ streams, 0, 20, RATE }); /* warm-up */
  for (guint round = 0; round < n_rounds; round++)
    for (guint i = 0; i < TACHO_N_RECEIVERS; i++)
      {
        TachoReceived received = tacho_receive ((TachoReceiver) i, &plan);

        if (!received.ok)
          continue;
        tacho_rounds_add (&costs[i], received.cpu_us_per_event);
        tacho_rounds_add (&whole[i], received.cpu_us_whole);
      }
  add_cost (report, streams, "", costs, NULL);
  add_cost (report, streams, "-whole-run", whole, "with connecting and the end of the run");
}

/* One thread takes what a sender gives at ever higher rates; a rate holds as long as its events
 * come one by one. */
static void
measure_capacity (TachoBenchReport *report)
{
  static const double rates[] = { 50000, 65000, 80000, 100000 };
  guint n_rounds = tacho_bench_report_choose (report, 5, 1);
  guint n_rates = tacho_bench_report_choose (report, G_N_ELEMENTS (rates), 1);
  double seconds = tacho_bench_report_is_quick (report) ? 0.5 : 3;
  TachoRounds best = { 0 }, own_reads = { 0 }, reached = { 0 }, reference = { 0 };

  for (guint round = 0; round < n_rounds; round++)
    {
      double most = 0;

      for (guint i = 0; i < n_rates; i++)
        {
          TachoSenderPlan plan = plan_of (1000, rates[i], seconds);
          TachoReceived received = tacho_receive (TACHO_RECEIVER_ENGINE, &plan);

          if (received.own_read_share >= GOAL_OWN_READS)
            most = MAX (most, received.events_per_s);
          if (i > 0)
            continue;
          tacho_rounds_add (&own_reads, received.own_read_share);
          tacho_rounds_add (&reached, received.events_per_s);
          received = tacho_receive (TACHO_RECEIVER_EPOLL, &plan);
          tacho_rounds_add (&reference, received.own_read_share);
        }
      tacho_rounds_add (&best, most);
    }
  tacho_bench_report_add (report, &(TachoFigure){ .name = "capacity/sent-at-50000",
                                                  .unit = "events/s",
                                                  .rounds = &reached,
                                                  .note = "what the sender kept of its plan" });
  tacho_bench_report_add (report, &(TachoFigure){ .name = "capacity/own-reads-at-50000",
                                                  .unit = "share",
                                                  .rounds = &own_reads,
                                                  .reference_name = "bare epoll",
                                                  .reference = &reference,
                                                  .goal = TACHO_GOAL_AT_LEAST,
                                                  .limit = GOAL_OWN_READS });
  tacho_bench_report_add (
      report, &(TachoFigure){ .name = "capacity/events-per-s",
                              .unit = "events/s",
                              .rounds = &best,
                              .goal = TACHO_GOAL_AT_LEAST,
                              .limit = GOAL_EVENTS_PER_S,
                              .note = "the most with a read of its own for 95 % of the events" });
}

static void
measure_many (TachoBenchReport *report)
{
  guint n_rounds = tacho_bench_report_choose (report, 3, 1);
  TachoSenderPlan plan =
      plan_of (GOAL_STREAMS, RATE, tacho_bench_report_is_quick (report) ? 0.5 : 5);
  TachoRounds own_reads = { 0 }, cost = { 0 }, reference = { 0 };

  for (guint round = 0; round < n_rounds; round++)
    {
      TachoReceived bare = tacho_receive (TACHO_RECEIVER_EPOLL, &plan);
      TachoReceived received = tacho_receive (TACHO_RECEIVER_ENGINE, &plan);

      tacho_rounds_add (&own_reads, received.own_read_share);
      tacho_rounds_add (&cost, received.cpu_us_per_event);
      tacho_rounds_add (&reference, bare.cpu_us_per_event);
    }
  tacho_bench_report_add (report, &(TachoFigure){ .name = "cpu/2000-streams/engine",
                                                  .unit = "us/event",
                                                  .rounds = &cost,
                                                  .reference_name = "bare epoll",
                                                  .reference = &reference,
                                                  .note = "two threads where there are cores" });
  tacho_bench_report_add (report, &(TachoFigure){ .name = "own-reads/2000-streams",
                                                  .unit = "share",
                                                  .rounds = &own_reads,
                                                  .goal = TACHO_GOAL_AT_LEAST,
                                                  .limit = GOAL_OWN_READS });
}

int
main (int argc, char **argv)
{
  static const guint streams[] = { 64, 256, 1000 };
  TachoBenchReport *report = tacho_bench_report_new ("engine-cost", argc, argv);

  for (guint i = 0; i < G_N_ELEMENTS (streams); i++)
    {
      g_autofree char *name = g_strdup_printf ("cpu/%u-streams", streams[i]);

      if (tacho_bench_report_wants (report, name) &&
          !(streams[i] == 256 && tacho_bench_report_is_quick (report)))
        measure_cost (report, streams[i]);
    }
  if (tacho_bench_report_wants (report, "capacity"))
    measure_capacity (report);
  if (tacho_bench_report_wants (report, "2000-streams"))
    measure_many (report);
  return tacho_bench_report_finish (report);
}
