/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs the rules and sorts what they found. Thresholds and their reasons: docs/metrics.md,
 * "Analysis". */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-diagnosis-private.h"

#include <math.h>

static void
finding_free_cb (gpointer data)
{
  TachoFinding *finding = data;

  g_free (finding->title);
  g_ptr_array_unref (finding->evidence);
  g_ptr_array_unref (finding->advice);
  g_free (finding);
}

TachoFinding *
tacho_diagnosis_add (TachoDiagnosis *self,
                     const char *id,
                     TachoSeverity severity,
                     const char *title)
{
  TachoFinding *finding = g_new0 (TachoFinding, 1);

  finding->id = id;
  finding->severity = severity;
  finding->title = g_strdup (title);
  finding->evidence = g_ptr_array_new_with_free_func (g_free);
  finding->advice = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (self->findings, finding);
  return finding;
}

void
tacho_finding_evidence (TachoFinding *finding, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (finding->evidence, g_strdup_vprintf (format, args));
  va_end (args);
}

void
tacho_finding_advice (TachoFinding *finding, const char *text)
{
  g_ptr_array_add (finding->advice, g_strdup (text));
}

typedef struct
{
  double first, last;
} Total;

static void
note_total (Total *total, double value)
{
  if (!isfinite (value))
    return;
  if (!isfinite (total->first))
    total->first = value;
  total->last = value;
}

static void
read_samples (TachoDiagnosis *self)
{
  TachoSampleFacts *facts = &self->facts;
  Total preemptions = { NAN, NAN }, queries = { NAN, NAN }, hits = { NAN, NAN };
  guint told = 0, waiting = 0, at_max = 0, cpus = 0;
  double waiting_sum = 0, cpu_sum = 0;

  *facts = (TachoSampleFacts){ 0, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
  for (guint i = 0; i < self->result->samples->len; i++)
    {
      const TachoBenchSample *s = &g_array_index (self->result->samples, TachoBenchSample, i);

      note_total (&preemptions, s->server.preemptions_total);
      note_total (&queries, s->server.prefix_cache_queries_total);
      note_total (&hits, s->server.prefix_cache_hits_total);
      if (s->t_s < 0 || s->t_s > self->result->window_s)
        continue;
      facts->n++;
      facts->kv_max = fmax (facts->kv_max, s->server.kv_cache_usage);
      facts->running_max = fmax (facts->running_max, s->server.requests_running);
      if (isfinite (s->cpu_share))
        {
          cpus++;
          cpu_sum += s->cpu_share;
        }
      if (!isfinite (s->server.requests_waiting))
        continue;
      told++;
      waiting += s->server.requests_waiting >= 1;
      waiting_sum += s->server.requests_waiting;
    }
  for (guint i = 0; i < self->result->samples->len; i++)
    {
      const TachoBenchSample *s = &g_array_index (self->result->samples, TachoBenchSample, i);

      at_max += s->t_s >= 0 && s->t_s <= self->result->window_s &&
                s->server.requests_running == facts->running_max;
    }
  if (told > 0)
    {
      facts->waiting_share = (double) waiting / told;
      facts->waiting_mean = waiting_sum / told;
      facts->running_at_max_share = (double) at_max / told;
    }
  if (cpus > 0)
    facts->cpu_mean = cpu_sum / cpus;
  facts->preemptions = preemptions.last - preemptions.first;
  if (queries.last > queries.first)
    facts->hit_share = (hits.last - hits.first) / (queries.last - queries.first);
}

static int
compare_findings (gconstpointer a, gconstpointer b)
{
  const TachoFinding *left = *(const TachoFinding *const *) a;
  const TachoFinding *right = *(const TachoFinding *const *) b;

  return (int) right->severity - (int) left->severity;
}

/**
 * tacho_diagnose:
 * @result: a run
 *
 * Returns: (transfer full) (element-type TachoFinding): what was found, most severe first
 */
GPtrArray *
tacho_diagnose (TachoBenchResult *result)
{
  TachoDiagnosis self = { .result = result };

  self.findings = g_ptr_array_new_with_free_func (finding_free_cb);
  self.all = (double) (result->ok + result->error + result->truncated);
  read_samples (&self);
  tacho_diagnosis_rules_client (&self);
  tacho_diagnosis_rules_server (&self);
  tacho_diagnosis_rules_sample (&self);
  g_ptr_array_sort (self.findings, compare_findings);
  return self.findings;
}

/**
 * tacho_diagnosis_headline:
 * @result: a run
 *
 * Returns: (transfer full) (nullable): the most severe finding in one line
 */
char *
tacho_diagnosis_headline (TachoBenchResult *result)
{
  g_autoptr (GPtrArray) findings = tacho_diagnose (result);
  const TachoFinding *first = findings->len > 0 ? g_ptr_array_index (findings, 0) : NULL;

  if (first == NULL || first->severity < TACHO_FINDING_NOTICE)
    return NULL;
  return first->evidence->len > 0
             ? g_strdup_printf ("%s (%s)", first->title,
                                (const char *) g_ptr_array_index (first->evidence, 0))
             : g_strdup (first->title);
}

/**
 * tacho_severity_to_string:
 * @severity: a severity
 *
 * Returns: "info", "notice", "warning" or "problem"
 */
const char *
tacho_severity_to_string (TachoSeverity severity)
{
  static const char *const names[] = { "info", "notice", "warning", "problem" };

  return names[MIN ((gsize) severity, G_N_ELEMENTS (names) - 1)];
}
