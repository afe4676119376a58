/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The progress of a run: a live dashboard on a terminal, plain lines in a pipe. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-bench-progress.h"

#include "base/tacho-clock.h"

#include <math.h>

#define PLAIN_INTERVAL_NS (5 * TACHO_NS_PER_S)
#define SPARKLINE 24
#define BAR 16

struct _CliBenchProgress
{
  CliSession *session;
  guint64 requests;
  double duration_s;
  gint64 next_plain_ns;
};

char *
cli_bench_load_words (const TachoBenchPlan *plan)
{
  if (plan->load == TACHO_LOAD_CLOSED)
    return g_strdup_printf ("%u at a time", plan->concurrency);
  if (plan->load == TACHO_LOAD_TRACE)
    return g_strdup_printf ("replaying %s", plan->prompts_file);
  return g_strdup_printf ("%g a second (%s)", plan->rate, tacho_load_kind_to_string (plan->load));
}

CliBenchProgress *
cli_bench_progress_new (CliSession *session, const TachoBenchPlan *plan)
{
  CliBenchProgress *self = g_new0 (CliBenchProgress, 1);
  g_autofree char *load = cli_bench_load_words (plan);

  self->session = session;
  self->requests = plan->requests;
  self->duration_s = plan->duration_s;
  self->next_plain_ns = tacho_clock_now_ns () + PLAIN_INTERVAL_NS;
  cli_terminal_say (session->terminal, "Benchmark of %s on %s, %s%s", plan->model,
                    tacho_profile_get_url (session->profile) != NULL
                        ? tacho_profile_get_url (session->profile)
                        : tacho_profile_get_grpc_target (session->profile),
                    load,
                    tacho_client_manager_get_simulated (session->manager)
                        ? " (simulated server: these are no figures of a real model)"
                        : "");
  return self;
}

void
cli_bench_progress_free (CliBenchProgress *self)
{
  g_free (self);
}

static const char *
phase_name (TachoBenchState state)
{
  switch (state)
    {
    case TACHO_BENCH_WARMUP:
      return "warm-up";
    case TACHO_BENCH_MEASURING:
      return "measuring";
    case TACHO_BENCH_STOPPING:
      return "stopping";
    case TACHO_BENCH_ENDED:
      return "ended";
    case TACHO_BENCH_IDLE:
    default:
      return "starting";
    }
}

static char *
describe (CliBenchProgress *self, const TachoBenchSnapshot *s)
{
  GString *line = g_string_new (phase_name (s->state));
  guint64 done = s->ok + s->error + s->truncated + s->cancelled;

  if (s->state == TACHO_BENCH_WARMUP)
    g_string_append_printf (line, "  %" G_GUINT64_FORMAT " done", s->warmup);
  else if (self->requests > 0)
    g_string_append_printf (line, "  %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, done,
                            self->requests);
  else
    g_string_append_printf (line, "  %.0f/%.0f s  %" G_GUINT64_FORMAT " done", s->elapsed_s,
                            self->duration_s, done);
  g_string_append_printf (line, "  %.0f tokens/s", s->output_tokens_per_s);
  if (!isnan (s->ttft_ms_p50))
    g_string_append_printf (line, "  TTFT p50 %.1f ms", s->ttft_ms_p50);
  g_string_append_printf (line, "  in flight %u  errors %" G_GUINT64_FORMAT, s->in_flight,
                          s->error + s->truncated);
  if (s->state == TACHO_BENCH_MEASURING && s->fraction > 0.02 && s->fraction < 1)
    g_string_append_printf (line, "  ETA %.0f s", s->elapsed_s * (1 - s->fraction) / s->fraction);
  return g_string_free (line, FALSE);
}

/* Eight heights for the newest points: the shape of the run so far. */
static void
add_sparkline (GString *out, const TachoBenchSnapshot *s)
{
  static const char *const heights[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
  guint first = s->n_timeline > SPARKLINE ? s->n_timeline - SPARKLINE : 0;
  double most = 0;

  for (guint i = first; i < s->n_timeline; i++)
    most = fmax (most, s->timeline[i].output_tokens_per_s);
  for (guint i = first; i < s->n_timeline; i++)
    g_string_append (
        out, heights[most > 0 ? MIN ((guint) (s->timeline[i].output_tokens_per_s / most * 7.99), 7)
                              : 0]);
  for (guint i = s->n_timeline - first; i < SPARKLINE; i++)
    g_string_append_c (out, ' ');
}

static void
add_percentiles (GString *out, const char *name, double p50, double p95, double p99)
{
  if (isnan (p50))
    g_string_append_printf (out, "%s –  ", name);
  else
    g_string_append_printf (out, "%s p50 %.1f  p95 %.1f  p99 %.1f ms    ", name, p50, p95, p99);
}

static char *
dashboard (CliBenchProgress *self, const TachoBenchSnapshot *s)
{
  g_autofree char *first = describe (self, s);
  GString *out = g_string_new (NULL);
  guint full = (guint) (s->fraction * BAR);

  g_string_append_c (out, '[');
  for (guint i = 0; i < BAR; i++)
    g_string_append (out, i < full ? "█" : "·");
  g_string_append_printf (out, "] %s\n  ", first);
  add_sparkline (out, s);
  g_string_append_printf (out, "  %.0f tokens/s  %.1f requests/s\n  ", s->output_tokens_per_s,
                          s->requests_per_s);
  add_percentiles (out, "TTFT", s->ttft_ms_p50, s->ttft_ms_p95, s->ttft_ms_p99);
  add_percentiles (out, "gap", s->chunk_gap_ms_p50, s->chunk_gap_ms_p95, s->chunk_gap_ms_p99);
  for (int i = 1; i < TACHO_ERROR_N_CLASSES; i++)
    if (s->errors[i] > 0)
      g_string_append_printf (out, "\n  %s %" G_GUINT64_FORMAT,
                              tacho_error_class ((TachoErrorCode) i), s->errors[i]);
  return g_string_free (out, FALSE);
}

void
cli_bench_progress_show (CliBenchProgress *self, const TachoBenchSnapshot *snapshot)
{
  g_autofree char *line = describe (self, snapshot);
  gint64 now = tacho_clock_now_ns ();

  if (snapshot->state == TACHO_BENCH_ENDED)
    return;
  if (cli_terminal_is_live (self->session->terminal))
    {
      g_autofree char *lines = dashboard (self, snapshot);

      cli_terminal_progress (self->session->terminal, lines);
      return;
    }
  if (now < self->next_plain_ns)
    return;
  self->next_plain_ns = now + PLAIN_INTERVAL_NS;
  cli_terminal_say (self->session->terminal, "%s", line);
}
