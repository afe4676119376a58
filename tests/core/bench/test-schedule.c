/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arrivals and phases of a load, with made-up times. */
#include <math.h>
#include <string.h>

#include "base/tacho-clock.h"
#include "bench/tacho-distribution.h"
#include "bench/tacho-load-limits.h"
#include "bench/tacho-load-schedule.h"
#include "test-utils.h"

static TachoBenchPlan *
open_plan (TachoLoadKind kind, double rate)
{
  TachoBenchPlan *plan = tacho_bench_plan_new ();

  plan->model = g_strdup ("m");
  plan->load = kind;
  plan->rate = rate;
  plan->warmup_requests = 0;
  plan->seed = 7;
  return plan;
}

static void
test_constant (void)
{
  g_autoptr (TachoBenchPlan) plan = open_plan (TACHO_LOAD_CONSTANT, 3);
  TachoArrivals arrivals;

  tacho_arrivals_init (&arrivals, plan);
  /* A third of a second does not add up to a drift over a day. */
  for (guint i = 0; i < 3 * 86400; i++)
    {
      gint64 due = tacho_arrivals_next (&arrivals);

      g_assert_cmpint (ABS (due - (gint64) ((double) i / 3 * 1e9)), <=, 1);
    }
}

/* Mean and coefficient of variation of the gaps; for Poisson the Kolmogorov-Smirnov distance to the
 * exponential, whose 0.1 % bound is 1.95 / sqrt (n). */
static void
test_random (gconstpointer data)
{
  double shape = *(const double *) data;
  g_autoptr (TachoBenchPlan) plan =
      open_plan (shape == 1 ? TACHO_LOAD_POISSON : TACHO_LOAD_GAMMA, 50);
  const guint n = 20000;
  g_autofree double *gaps = g_new (double, n);
  TachoArrivals arrivals;
  TachoArrivals again;
  double last = 0, sum = 0, squares = 0, distance = 0;

  plan->gamma_shape = shape;
  tacho_arrivals_init (&arrivals, plan);
  tacho_arrivals_init (&again, plan);
  for (guint i = 0; i < n; i++)
    {
      gint64 due = tacho_arrivals_next (&arrivals);

      g_assert_cmpint (due, ==, tacho_arrivals_next (&again));
      g_assert_cmpfloat ((double) due / 1e9, >=, last);
      gaps[i] = (double) due / 1e9 - last;
      last = (double) due / 1e9;
      sum += gaps[i];
      squares += gaps[i] * gaps[i];
    }
  g_assert_cmpfloat_with_epsilon (sum / n, 0.02, 0.02 * 5 / sqrt (shape * n));
  g_assert_cmpfloat_with_epsilon (sqrt (squares / n - sum * sum / n / n) / (sum / n),
                                  1 / sqrt (shape), 0.05 / sqrt (shape));
  if (shape != 1)
    return;
  tacho_sort_doubles (gaps, n);
  for (guint i = 0; i < n; i++)
    distance = MAX (distance, fabs ((i + 0.5) / n - (1 - exp (-gaps[i] * 50))));
  g_assert_cmpfloat (distance, <, 1.95 / sqrt (n));
}

/* The rate rises in a line: a quarter of the ramp's arrivals in its first half. */
static void
test_ramp (void)
{
  g_autoptr (TachoBenchPlan) plan = open_plan (TACHO_LOAD_CONSTANT, 100);
  TachoArrivals arrivals;
  guint first_half = 0, ramp = 0, after = 0;

  plan->ramp_s = 10;
  tacho_arrivals_init (&arrivals, plan);
  for (gint64 due = 0; due < 20 * TACHO_NS_PER_S;)
    {
      due = tacho_arrivals_next (&arrivals);
      first_half += due < 5 * TACHO_NS_PER_S;
      ramp += due < 10 * TACHO_NS_PER_S;
      after += due >= 10 * TACHO_NS_PER_S && due < 20 * TACHO_NS_PER_S;
    }
  g_assert_cmpuint (ABS ((int) ramp - 500), <=, 1);
  g_assert_cmpuint (ABS ((int) first_half - 125), <=, 1);
  g_assert_cmpuint (ABS ((int) after - 1000), <=, 1);
}

typedef struct
{
  guint phases[TACHO_PHASE_OVER + 1];
  gint64 last_due;
} Sent;

/* Sends all that may be sent, on time. */
static Sent
play (TachoLoadSchedule *schedule, gint64 until_ns)
{
  Sent sent = { { 0 }, 0 };
  gint64 window_due = tacho_load_schedule_window_due (schedule);

  for (gint64 now = 0; now < until_ns;)
    {
      gint64 due;

      if (schedule->phase == TACHO_PHASE_WARMUP && now >= window_due)
        tacho_load_schedule_open_window (schedule, window_due);
      while (tacho_load_schedule_may_send (schedule, 0, now, &due))
        {
          sent.phases[tacho_load_schedule_sent (schedule, due)]++;
          sent.last_due = due;
        }
      if (schedule->phase == TACHO_PHASE_OVER)
        break;
      now = MAX (now + 1, MIN (tacho_load_schedule_wake_ns (schedule, 0), until_ns));
      if (schedule->phase == TACHO_PHASE_WARMUP)
        now = MIN (now, MAX (window_due, now - 1));
    }
  return sent;
}

/* Whatever the number of threads, each request of the schedule is sent once, in its phase. */
static void
test_phases (void)
{
  for (guint stride = 1; stride <= 3; stride++)
    {
      g_autoptr (TachoBenchPlan) plan = open_plan (TACHO_LOAD_CONSTANT, 10);
      g_autoptr (TachoPrompts) prompts = NULL;
      Sent sum = { { 0 }, 0 };

      plan->warmup_requests = 7;
      plan->requests = 40;
      plan->cooldown_s = 2;
      prompts = tacho_prompts_new (plan, NULL);
      for (guint share = 0; share < stride; share++)
        {
          TachoLoadSchedule schedule;
          Sent sent;

          tacho_load_schedule_init (&schedule, plan, prompts, (TachoLoadShare){ share, stride }, 0);
          g_assert_true (tacho_load_schedule_window_is_seamless (&schedule));
          g_assert_cmpint (tacho_load_schedule_window_due (&schedule), ==,
                           7 * TACHO_NS_PER_S / 10);
          sent = play (&schedule, 100 * TACHO_NS_PER_S);
          for (guint i = 0; i <= TACHO_PHASE_OVER; i++)
            sum.phases[i] += sent.phases[i];
        }
      g_assert_cmpuint (sum.phases[TACHO_PHASE_WARMUP], ==, 7);
      g_assert_cmpuint (sum.phases[TACHO_PHASE_MEASURE], ==, 40);
      g_assert_cmpuint (sum.phases[TACHO_PHASE_COOLDOWN], >=, 18);
      g_assert_cmpuint (sum.phases[TACHO_PHASE_COOLDOWN], <=, 21);
    }
}

/* What was due in the warm-up and is sent late belongs to it; what was due in the window is sent,
 * late as it may be. */
static void
test_late (void)
{
  g_autoptr (TachoBenchPlan) plan = open_plan (TACHO_LOAD_CONSTANT, 10);
  g_autoptr (TachoPrompts) prompts = NULL;
  TachoLoadSchedule schedule;
  guint phases[TACHO_PHASE_OVER + 1] = { 0 };
  gint64 due;

  plan->requests = 0;
  plan->duration_s = 2;
  plan->warmup_s = 1;
  prompts = tacho_prompts_new (plan, NULL);
  tacho_load_schedule_init (&schedule, plan, prompts, (TachoLoadShare){ 0, 1 }, 0);
  tacho_load_schedule_open_window (&schedule, TACHO_NS_PER_S);
  while (tacho_load_schedule_may_send (&schedule, 0, 60 * TACHO_NS_PER_S, &due))
    phases[tacho_load_schedule_sent (&schedule, due)]++;
  g_assert_cmpuint (phases[TACHO_PHASE_WARMUP], ==, 10);
  g_assert_cmpuint (phases[TACHO_PHASE_MEASURE], ==, 20);
  g_assert_cmpint (schedule.phase, ==, TACHO_PHASE_OVER);
  g_assert_cmpint (tacho_load_schedule_wake_ns (&schedule, 0), ==, G_MAXINT64);
}

static void
test_closed_ramp (void)
{
  g_autoptr (TachoBenchPlan) plan = open_plan (TACHO_LOAD_CLOSED, 0);
  g_autoptr (TachoPrompts) prompts = NULL;
  TachoLoadSchedule schedule;
  gint64 due;

  plan->concurrency = 10;
  plan->ramp_s = 10;
  prompts = tacho_prompts_new (plan, NULL);
  tacho_load_schedule_init (&schedule, plan, prompts, (TachoLoadShare){ 0, 1 }, 0);
  for (guint busy = 0; busy < 10; busy++)
    {
      gint64 wake = tacho_load_schedule_wake_ns (&schedule, busy);

      g_assert_cmpint (ABS (wake - (gint64) busy * TACHO_NS_PER_S), <=, 2);
      g_assert_true (tacho_load_schedule_may_send (&schedule, busy, wake, &due));
      g_assert_false (tacho_load_schedule_may_send (&schedule, busy + 1, wake, &due));
    }
  g_assert_cmpint (tacho_load_schedule_window_due (&schedule), ==, 10 * TACHO_NS_PER_S);
}

static void
test_shares (void)
{
  for (guint64 total = 0; total < 40; total++)
    for (guint64 stride = 1; stride < 9; stride++)
      {
        guint64 sum = 0;

        for (guint64 share = 0; share < stride; share++)
          sum += tacho_load_share_of (total, (TachoLoadShare){ share, stride });
        g_assert_cmpuint (sum, ==, total);
      }
}

static void
test_ports (void)
{
  g_autoptr (TachoBenchPlan) plan = open_plan (TACHO_LOAD_CLOSED, 0);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (tacho_load_limits_ports ("32768\t60999\n"), ==, 28232);
  g_assert_cmpuint (tacho_load_limits_ports ("1024 1027"), ==, 4);
  g_assert_cmpuint (tacho_load_limits_ports ("nonsense"), ==, 28232);
  g_assert_true (tacho_load_limits_check (plan, &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  static const double shapes[] = { 1, 0.25, 4 };

  tacho_test_init (&argc, &argv);
  g_test_add_func ("/bench/arrivals/constant", test_constant);
  g_test_add_data_func ("/bench/arrivals/poisson", &shapes[0], test_random);
  g_test_add_data_func ("/bench/arrivals/bursty", &shapes[1], test_random);
  g_test_add_data_func ("/bench/arrivals/smooth", &shapes[2], test_random);
  g_test_add_func ("/bench/arrivals/ramp", test_ramp);
  g_test_add_func ("/bench/schedule/phases", test_phases);
  g_test_add_func ("/bench/schedule/late", test_late);
  g_test_add_func ("/bench/schedule/closed-ramp", test_closed_ramp);
  g_test_add_func ("/bench/schedule/shares", test_shares);
  g_test_add_func ("/bench/limits/ports", test_ports);
  return g_test_run ();
}
