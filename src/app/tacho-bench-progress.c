/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run is doing, and for how long yet. */
#define G_LOG_DOMAIN "tacho-bench-progress"

#include "config.h"

#include "app/tacho-bench-progress.h"
#include "app/tacho-display.h"

#include <glib/gi18n.h>

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
  if (snapshot->state == TACHO_BENCH_MEASURING && fraction > 0.05 && snapshot->elapsed_s > 1)
    {
      g_autofree char *left =
          tacho_display_duration (snapshot->elapsed_s * (1 - fraction) / fraction);

      g_string_append_printf (text, _ (" · about %s left"), left);
    }
  return g_string_free (text, FALSE);
}
