/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether the load engine measures what was: its stamps, its time to first token and its chunk gaps
 * against the log of a sender on the same clock, and the moments at which it sends against the
 * schedule. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-bench-report.h"
#include "tacho-receivers.h"

#include "base/tacho-clock.h"

#include <math.h>
#include <string.h>

#define GOAL_STAMP_US_P50 100
#define GOAL_STAMP_US_P99 1000
#define GOAL_PERCENTILE_ERROR 0.1 /* % */
#define GOAL_SCHEDULE_MS_P99 1

/* --- single stamps --- */

typedef struct
{
  guint streams;
  double rate;
  const char *name;
} StampCase;

static void
add_stamps (TachoBenchReport *report,
            const StampCase *at,
            const char *percentile,
            const TachoRounds *rounds,
            const TachoRounds *reference,
            double goal)
{
  g_autofree char *name = g_strdup_printf ("stamp-error/%s/%s", at->name, percentile);

  tacho_bench_report_add (report, &(TachoFigure){ .name = name,
                                                  .unit = "us",
                                                  .rounds = rounds,
                                                  .reference_name = "bare epoll",
                                                  .reference = reference,
                                                  .goal = TACHO_GOAL_AT_MOST,
                                                  .limit = goal });
}

static void
measure_stamps (TachoBenchReport *report, const StampCase *at)
{
  guint n_rounds = tacho_bench_report_choose (report, 5, 1);
  double seconds = tacho_bench_report_is_quick (report) ? 0.4 : 4;
  TachoSenderPlan plan = { .streams = at->streams,
                           .events = MAX ((guint) (at->rate * seconds / at->streams), 20),
                           .rate = at->rate };
  TachoRounds p50[2] = { 0 }, p99[2] = { 0 };

  for (guint round = 0; round < n_rounds; round++)
    for (guint i = 0; i < 2; i++)
      {
        TachoReceived received =
            tacho_receive (i == 0 ? TACHO_RECEIVER_EPOLL : TACHO_RECEIVER_ENGINE, &plan);

        tacho_rounds_add (&p50[i], received.stamp_us_p50);
        tacho_rounds_add (&p99[i], received.stamp_us_p99);
      }
  add_stamps (report, at, "p50", &p50[1], &p50[0], GOAL_STAMP_US_P50);
  add_stamps (report, at, "p99", &p99[1], &p99[0], GOAL_STAMP_US_P99);
}

/* --- percentiles of a run --- */

/* What the sender saw of the requests that the result measured; those of the ramp are not among
 * them. */
static void
fill_truth (const TachoSenderLog *log,
            const TachoBenchResult *result,
            TachoDistribution *ttft,
            TachoDistribution *gaps)
{
  guint events = log->plan.events;
  g_autofree double *ttft_ms = g_new (double, log->plan.requests);
  g_autofree double *gaps_ms = g_new (double, (gsize) log->plan.requests *events);
  gsize n = 0, n_gaps = 0;

  for (guint i = 0; i < result->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (result->records, i);
      guint r;

      if (!tacho_bench_record_counts (record) || record->response_id == NULL)
        continue;
      r = tacho_sender_request_of_id (record->response_id, strlen (record->response_id));
      ttft_ms[n++] =
          (double) (tacho_sender_log_sent_ns (log, r, 0) - log->request_ns[r]) / TACHO_NS_PER_MS;
      for (guint k = 1; k < events; k++)
        gaps_ms[n_gaps++] = (double) (tacho_sender_log_sent_ns (log, r, k) -
                                      tacho_sender_log_sent_ns (log, r, k - 1)) /
                            TACHO_NS_PER_MS;
    }
  tacho_distribution_from_samples (ttft, ttft_ms, n);
  tacho_distribution_from_samples (gaps, gaps_ms, n_gaps);
}

typedef struct
{
  double ramp_s;
  guint requests; /* measured */
} Gentle;

/* A thousand connections made in one moment keep any client busy longer than a first token takes;
 * a ramp is how a person would measure. */
static void
ramp_up (TachoBenchPlan *plan, gpointer user_data)
{
  const Gentle *gentle = user_data;

  plan->ramp_s = gentle->ramp_s;
  plan->requests = gentle->requests;
}

#define N_ERRORS 6 /* three percentiles of two metrics */
static const guint percentiles[] = { TACHO_P50, TACHO_P95, TACHO_P99 };

static void
add_errors (const TachoSenderLog *log,
            const Gentle *gentle,
            TachoBenchResult *result,
            TachoRounds *errors)
{
  TachoDistribution truth[2];
  const TachoDistribution *measured[2] = { &result->latency[TACHO_METRIC_TTFT],
                                           &result->latency[TACHO_METRIC_CHUNK_GAP] };

  if (result->ok + result->voided != gentle->requests)
    g_error ("%" G_GUINT64_FORMAT " of %u requests went well", result->ok, gentle->requests);
  fill_truth (log, result, &truth[0], &truth[1]);
  for (guint i = 0; i < N_ERRORS; i++)
    {
      double is = measured[i / 3]->percentiles[percentiles[i % 3]].value;
      double was = truth[i / 3].percentiles[percentiles[i % 3]].value;

      tacho_rounds_add (&errors[i], 100 * fabs (is - was) / was);
    }
}

static void
measure_percentiles (TachoBenchReport *report, guint streams)
{
  guint n_rounds = tacho_bench_report_choose (report, 5, 1);
  gboolean quick = tacho_bench_report_is_quick (report);
  Gentle gentle = { quick ? 0.3 : streams / 250.0, streams * (quick            ? 1
                                                              : streams < 1000 ? 12
                                                                               : 3) };
  /* 20 ms a token is a reader's speed; a thousand at that rate is this machine's capacity. Requests
   * of the ramp come on top of the measured ones. */
  TachoSenderPlan plan = { .streams = streams,
                           .requests = 4 * gentle.requests,
                           .events = quick ? 10 : 64,
                           .ttft_ms = quick ? 30 : 200,
                           .ttft_sigma = 0.4,
                           .gap_ms = streams < 1000 ? 20 : 50,
                           .gap_spread = 0.5 };
  TachoRounds errors[N_ERRORS] = { 0 };

  for (guint round = 0; round < n_rounds; round++)
    {
      g_autoptr (TachoBenchResult) result = NULL;
      TachoSender sender;

      tacho_sender_start (&sender, &plan);
      result = tacho_receive_result (sender.port, sender.log, FALSE, ramp_up, &gentle);
      tacho_sender_kill (&sender);
      add_errors (sender.log, &gentle, result, errors);
      tacho_sender_clear (&sender);
    }
  for (guint i = 0; i < N_ERRORS; i++)
    {
      g_autofree char *name =
          g_strdup_printf ("%s-error/%u-streams/%s", i < 3 ? "ttft" : "chunk-gap", streams,
                           tacho_percentile_names[percentiles[i % 3]]);

      tacho_bench_report_add (report, &(TachoFigure){ .name = name,
                                                      .unit = "%",
                                                      .rounds = &errors[i],
                                                      .goal = TACHO_GOAL_AT_MOST,
                                                      .limit = GOAL_PERCENTILE_ERROR });
    }
}

/* --- the schedule --- */

typedef struct
{
  TachoLoadKind load;
  double rate;
  guint requests, warmup;
} OpenLoop;

static void
edit_plan (TachoBenchPlan *plan, gpointer user_data)
{
  const OpenLoop *open_loop = user_data;

  plan->load = open_loop->load;
  plan->rate = open_loop->rate;
  plan->requests = open_loop->requests;
  plan->warmup_requests = open_loop->warmup;
}

static void
measure_schedule (TachoBenchReport *report, TachoLoadKind load, double rate)
{
  guint n_rounds = tacho_bench_report_choose (report, 5, 1);
  double seconds = tacho_bench_report_is_quick (report) ? 0.5 : 4;
  OpenLoop open_loop = { load, rate, (guint) (rate * seconds), (guint) (rate / 10) };
  TachoSenderPlan plan = { .streams = 256,
                           .requests = open_loop.requests + open_loop.warmup,
                           .events = 4,
                           .ttft_ms = 10,
                           .gap_ms = 5 };
  g_autofree char *name =
      g_strdup_printf ("schedule-error/%s-%.0f-per-s/p99", tacho_load_kind_to_string (load), rate);
  TachoRounds p99 = { 0 };

  for (guint round = 0; round < n_rounds; round++)
    {
      g_autoptr (TachoBenchResult) result = NULL;
      TachoSender sender;

      tacho_sender_start (&sender, &plan);
      result = tacho_receive_result (sender.port, sender.log, FALSE, edit_plan, &open_loop);
      tacho_sender_wait (&sender);
      tacho_sender_clear (&sender);
      tacho_rounds_add (&p99, result->latency[TACHO_METRIC_QUEUE].percentiles[TACHO_P99].value);
    }
  tacho_bench_report_add (report, &(TachoFigure){ .name = name,
                                                  .unit = "ms",
                                                  .rounds = &p99,
                                                  .goal = TACHO_GOAL_AT_MOST,
                                                  .limit = GOAL_SCHEDULE_MS_P99 });
}

int
main (int argc, char **argv)
{
  static const StampCase stamps[] = { { 1, 50, "1-stream" },
                                      { 64, 3200, "64-streams" },
                                      { 1000, 12800, "1000-streams" },
                                      { 1000, 50000, "1000-streams-at-50000" } };
  static const guint streams[] = { 64, 1000 };
  TachoBenchReport *report = tacho_bench_report_new ("engine-truth", argc, argv);

  for (guint i = 0; i < G_N_ELEMENTS (stamps); i++)
    if (tacho_bench_report_wants (report, stamps[i].name) ||
        tacho_bench_report_wants (report, "stamp-error"))
      measure_stamps (report, &stamps[i]);
  for (guint i = 0; i < G_N_ELEMENTS (streams); i++)
    if (tacho_bench_report_wants (report, "percentile"))
      measure_percentiles (report, streams[i]);
  if (tacho_bench_report_wants (report, "schedule-error"))
    {
      measure_schedule (report, TACHO_LOAD_CONSTANT, 500);
      measure_schedule (report, TACHO_LOAD_POISSON, 500);
    }
  return tacho_bench_report_finish (report);
}
