/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run is doing, and for how long yet. */
#define G_LOG_DOMAIN "tacho-bench-progress"

#include "config.h"

#include "app/tacho-bench-progress.h"
#include "app/tacho-display.h"

#include <glib/gi18n.h>
#include <math.h>

static char *
make_measuring_words (const TachoBenchPlan *plan, const TachoBenchSnapshot *snapshot)
{
  g_autofree char *so_far = NULL;
  g_autofree char *whole = NULL;

  if (plan->requests > 0)
    return g_strdup_printf (
        _ ("Measuring: %'llu of %'llu requests"),
        (unsigned long long) (snapshot->ok + snapshot->error + snapshot->truncated),
        (unsigned long long) plan->requests);
  so_far = tacho_display_duration (snapshot->elapsed_s);
  if (plan->duration_s <= 0)
    return g_strdup_printf (_ ("Measuring: %s"), so_far);
  whole = tacho_display_duration (plan->duration_s);
  return g_strdup_printf (_ ("Measuring: %s of %s"), so_far, whole);
}

/**
 * tacho_bench_progress_words:
 * @session: a session that goes on
 * @snapshot: of its run
 *
 * Returns: (transfer full): what it does and how long that will take
 */
char *
tacho_bench_progress_words (TachoBenchSession *session, const TachoBenchSnapshot *snapshot)
{
  const TachoBenchPlan *plan = tacho_bench_session_get_plan (session);
  double fraction = CLAMP (snapshot->fraction, 0, 1);
  GString *text = g_string_new (NULL);
  guint n, step = tacho_bench_session_get_step (session, &n);

  if (tacho_bench_session_get_sweep (session) != NULL)
    {
      g_string_append_printf (text, _ ("Step %u of %u"), step, n);
      g_string_append (text, " · ");
    }
  if (snapshot->state == TACHO_BENCH_WARMUP && plan->warmup_requests > 0)
    g_string_append_printf (text, _ ("Warming up: %llu of %llu requests"),
                            (unsigned long long) snapshot->warmup,
                            (unsigned long long) plan->warmup_requests);
  else if (snapshot->state == TACHO_BENCH_WARMUP)
    g_string_append (text, _ ("Warming up"));
  else if (snapshot->state == TACHO_BENCH_STOPPING)
    g_string_append (text, _ ("Stopping…"));
  else
    {
      g_autofree char *measuring = make_measuring_words (plan, snapshot);

      g_string_append (text, measuring);
    }
  /* An early guess would jump about. */
  if (snapshot->state == TACHO_BENCH_MEASURING && fraction > 0 && snapshot->elapsed_s > 1 &&
      (fraction > 0.05 || snapshot->elapsed_s > 5))
    {
      g_autofree char *left =
          tacho_display_duration (snapshot->elapsed_s * (1 - fraction) / fraction);

      g_string_append_printf (text, _ (" · about %s left"), left);
    }
  return g_string_free (text, FALSE);
}

/**
 * tacho_bench_progress_fraction:
 * @session: a session that goes on
 * @snapshot: of its run
 *
 * Returns: how much of it is done, 0 to 1
 */
double
tacho_bench_progress_fraction (TachoBenchSession *session, const TachoBenchSnapshot *snapshot)
{
  guint n, step = tacho_bench_session_get_step (session, &n);

  return (MAX (step, 1) - 1 + CLAMP (snapshot->fraction, 0, 1)) / MAX (n, 1);
}

/**
 * tacho_bench_progress_errors:
 * @snapshot: of a run that goes on
 *
 * Returns: (transfer full) (nullable): what failed, by class; %NULL: nothing
 */
char *
tacho_bench_progress_errors (const TachoBenchSnapshot *snapshot)
{
  GString *text = g_string_new (NULL);

  for (int i = 1; i < TACHO_ERROR_N_CLASSES; i++)
    if (snapshot->errors[i] > 0)
      g_string_append_printf (text, "%s%s: %'" G_GUINT64_FORMAT, text->len > 0 ? " · " : "",
                              tacho_display_error_class ((TachoErrorCode) i), snapshot->errors[i]);
  return g_string_free (text, text->len == 0);
}

/**
 * tacho_bench_progress_self_check:
 * @snapshot: of a run that goes on
 *
 * Returns: (transfer full) (nullable): how this computer keeps up; %NULL: not known yet
 */
char *
tacho_bench_progress_self_check (const TachoBenchSnapshot *snapshot)
{
  g_autofree char *lag = NULL;

  if (!isfinite (snapshot->loop_lag_ms_p99) || !isfinite (snapshot->client_cpu_share))
    return NULL;
  lag = tacho_display_ms (snapshot->loop_lag_ms_p99);
  return g_strdup_printf (
      _ ("This computer: event loop late by %s (p99), %.0f %% of a processor, %.0f %% of chunks in "
         "a read of their own"),
      lag, snapshot->client_cpu_share * 100,
      (isfinite (snapshot->own_read_share) ? snapshot->own_read_share : 1) * 100);
}

/**
 * tacho_bench_progress_end:
 * @result: a run that has ended
 * @dropped: whether it was stopped because its server was changed
 * @well: (out): whether it ended as planned
 *
 * Returns: (transfer none): how it ended, in words
 */
const char *
tacho_bench_progress_end (const TachoBenchResult *result, gboolean dropped, gboolean *well)
{
  *well = FALSE;
  if (dropped)
    return _ ("The run was stopped: the server was changed. What was measured is kept.");
  if (g_strcmp0 (result->stop_reason, "error-budget") == 0)
    return _ ("Stopped: too many requests failed. What was measured is kept.");
  if (result->interrupted)
    return _ ("Stopped early. What was measured is kept.");
  if (result->error + result->truncated > 0)
    return _ ("Finished, but some requests failed.");
  *well = TRUE;
  if (g_strcmp0 (result->stop_reason, "until") == 0)
    return _ ("Finished: the figure is known well enough.");
  return _ ("Finished.");
}
