/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The self-check of a run. Thresholds: docs/metrics.md, "Self-check". */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-self-check.h"

#include "base/tacho-clock.h"

#include <math.h>

static G_GNUC_PRINTF (2, 3) void add_warning (GPtrArray *warnings, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (warnings, g_strdup_vprintf (format, args));
  va_end (args);
}

static double
share (guint64 part, guint64 whole)
{
  return whole > 0 ? (double) part / (double) whole : NAN;
}

static double
percentile_ms (const TachoHistogram *histogram, double p)
{
  guint64 n = tacho_histogram_get_count (histogram);
  guint64 rank = (guint64) ceil (p * (double) n);

  return n > 0 ? (double) tacho_histogram_value_at_rank (histogram, rank) / TACHO_NS_PER_MS : 0;
}

/* What makes times wrong: these say that the run may be distorted. */
static void
add_distortions (const TachoSelfCheck *check,
                 const TachoSelfCheckInput *input,
                 GPtrArray *warnings)
{
  if (input->capped)
    add_warning (warnings,
                 "All %u places were taken when a request was due: the load was less than planned, "
                 "and what waited is in the latencies from the schedule only",
                 input->places);
  else if (input->open_loop && check->schedule_delay_ms_p99 > 10)
    add_warning (warnings,
                 "Requests were sent up to %.1f ms (p99) after they were due: connecting, "
                 "or a busy client",
                 check->schedule_delay_ms_p99);
  if (check->client_cpu_share > 0.8)
    add_warning (warnings,
                 "The client used %.0f %% of its core: it may have been the limit, not the server",
                 check->client_cpu_share * 100);
  if (check->loop_lag_ms_p99 > 5)
    add_warning (warnings,
                 "Ready data waited up to %.1f ms (p99) in the client: times are late by as much",
                 check->loop_lag_ms_p99);
  if (check->wake_delay_ms_p95 > TACHO_MAX_WAKE_DELAY_MS)
    add_warning (warnings,
                 "The client was woken up to %.1f ms (p95) after it was due: the machine was busy, "
                 "and times are late by as much",
                 check->wake_delay_ms_p95);
  if (check->own_read_share < 0.95 && (check->client_cpu_share > 0.5 || check->loop_lag_ms_p99 > 1))
    add_warning (warnings,
                 "Only %.0f %% of the chunks had a read of their own: chunk gaps are blurred",
                 check->own_read_share * 100);
}

static void
add_remarks (const TachoSelfCheck *check, const TachoSelfCheckInput *input, GPtrArray *warnings)
{
  if (check->own_read_share < 0.95 && !check->distorted)
    add_warning (
        warnings,
        "%.0f %% of the chunks came alone; the rest the server or the network sent together",
        check->own_read_share * 100);
  if (check->connections_reused_share < 0.5 && input->requests > 2 * (guint64) input->places)
    add_warning (warnings,
                 "Only %.0f %% of the requests reused a connection: the server closes them",
                 check->connections_reused_share * 100);
  if (input->repeated)
    add_warning (warnings, "The prompts file was gone through more than once");
  if (input->voided > 0)
    add_warning (warnings,
                 "%" G_GUINT64_FORMAT " requests do not count: the client stood still meanwhile",
                 input->voided);
  for (guint i = 0; input->remarks != NULL && i < input->remarks->len; i++)
    add_warning (warnings, "%s", (const char *) g_ptr_array_index (input->remarks, i));
  if (input->fatal != NULL)
    add_warning (warnings, "The run was ended: %s", input->fatal);
}

/**
 * tacho_self_check_fill:
 * @check: (out caller-allocates): the verdict; its warnings belong to it
 * @input: what the engine saw of itself
 *
 * Judges whether the client may have distorted the run, and says why in words.
 */
void
tacho_self_check_fill (TachoSelfCheck *check, const TachoSelfCheckInput *input)
{
  GPtrArray *warnings = g_ptr_array_new ();

  check->loop_lag_ms_p99 = percentile_ms (input->lag, 0.99);
  check->wake_delay_ms_p95 = percentile_ms (input->late, 0.95);
  check->own_read_share = share (input->own_reads, input->chunks);
  check->client_cpu_share =
      input->window_s > 0 ? (double) input->cpu_ns / TACHO_NS_PER_S / input->window_s : 0;
  check->schedule_delay_ms_p99 = input->schedule_delay_ms_p99;
  check->connections_reused_share = share (input->reused, input->requests);
  add_distortions (check, input, warnings);
  check->distorted = warnings->len > 0;
  add_remarks (check, input, warnings);
  g_ptr_array_add (warnings, NULL);
  check->warnings = (char **) g_ptr_array_free (warnings, FALSE);
}
