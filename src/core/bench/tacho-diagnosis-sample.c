/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules on the shape of the sample: drift, two kinds of requests, a cold start, chunks. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-diagnosis-private.h"

#include <math.h>

#define SLICES 20
#define MIN_SLICES 8
#define MIN_REQUESTS 60
#define COLD_MS 500

/* Medians of equal parts of the run, in the order of the requests. */
static void
slice_medians (const double *values, gsize n, double *medians, guint slices)
{
  for (guint i = 0; i < slices; i++)
    {
      gsize from = n * i / slices, to = n * (i + 1) / slices;
      g_autofree double *part = g_memdup2 (values + from, (to - from) * sizeof *values);

      tacho_sort_doubles (part, to - from);
      medians[i] = part[(to - from) / 2];
    }
}

/* Mann 1945 and Kendall: the signs of all pairs; Theil and Sen: the median of all slopes. */
static double
trend (const double *values, guint n, double *slope)
{
  double slopes[SLICES * SLICES / 2];
  double s = 0;
  guint k = 0;

  for (guint i = 0; i < n; i++)
    for (guint j = i + 1; j < n; j++)
      {
        double difference = values[j] - values[i];

        s += (difference > 0) - (difference < 0);
        slopes[k++] = difference / (j - i);
      }
  tacho_sort_doubles (slopes, k);
  *slope = slopes[k / 2];
  return (s - (s > 0) + (s < 0)) / sqrt (n * (n - 1.0) * (2.0 * n + 5) / 18);
}

/* The requests of a closed loop come in waves, and leave step only slowly: the first two waves are
 * left out, and a part holds two of them at least. */
static void
rule_drift (TachoDiagnosis *self, const double *ttft, gsize n)
{
  const TachoBenchPlan *plan = self->result->plan;
  gsize wave = plan->load == TACHO_LOAD_CLOSED ? plan->concurrency : 1;
  double medians[SLICES], slope, z, change;
  TachoFinding *finding;
  guint slices;

  if (n < MIN_REQUESTS + 2 * wave || plan->ramp_s > 0 || plan->load == TACHO_LOAD_TRACE ||
      self->result->merged_from != NULL)
    return;
  ttft += 2 * wave;
  n -= 2 * wave;
  slices = (guint) MIN (SLICES, n / MAX (2 * wave, 3));
  if (slices < MIN_SLICES)
    return;
  slice_medians (ttft, n, medians, slices);
  z = trend (medians, slices, &slope);
  change = slope * (slices - 1) / fmax (medians[0], 1e-9);
  /* Three standard deviations, and a fifth of the value: chance is neither so sure nor so large. */
  if (!(fabs (z) > 3) || !(fabs (change) > 0.2))
    return;
  finding = tacho_diagnosis_add (self, "drift", TACHO_FINDING_WARNING,
                                 change > 0 ? "The server got slower during the run"
                                            : "The server got faster during the run");
  tacho_finding_evidence (
      finding, "TTFT changed by %+.0f %% from begin to end (Mann-Kendall z %.1f)", change * 100, z);
  tacho_finding_advice (finding, change > 0
                                     ? "Look for a queue that grows, heat, or memory that fills: "
                                       "the averages of this run are of no one state"
                                     : "Warm up longer: --warmup");
}

/* Two groups of at least a tenth each with nothing between them for a factor of two. */
static void
rule_bimodal (TachoDiagnosis *self, const double *sorted, gsize n)
{
  double widest = 1;
  gsize at = 0;
  TachoFinding *finding;

  if (n < MIN_REQUESTS)
    return;
  for (gsize i = n / 10; i + 1 < n - n / 10; i++)
    if (sorted[i] > 0 && sorted[i + 1] / sorted[i] > widest)
      {
        widest = sorted[i + 1] / sorted[i];
        at = i;
      }
  if (widest < 2)
    return;
  finding = tacho_diagnosis_add (self, "bimodal", TACHO_FINDING_NOTICE,
                                 "There are two kinds of requests");
  tacho_finding_evidence (finding,
                          "TTFT is below %.1f ms for %.0f %% and above %.1f ms for the rest",
                          sorted[at], 100.0 * (double) (at + 1) / (double) n, sorted[at + 1]);
  tacho_finding_advice (finding,
                        "A cache that hits some of them, two servers behind one address, or "
                        "a queue in front of some: mean and median say little here");
}

/* The first requests, warm-up included, against the rest. */
static void
rule_cold (TachoDiagnosis *self)
{
  const TachoBenchResult *r = self->result;
  double usual = r->latency[TACHO_METRIC_TTFT].percentiles[TACHO_P50].value;
  const TachoBenchRecord *slowest = NULL;
  TachoFinding *finding;

  for (guint i = 0; i < MIN (r->records->len, r->plan->concurrency); i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (r->records, i);
      double ms = tacho_bench_record_ttft_ms (record);

      if (isfinite (ms) && (slowest == NULL || ms > tacho_bench_record_ttft_ms (slowest)))
        slowest = record;
    }
  if (slowest == NULL || r->ok < 10 || tacho_bench_record_ttft_ms (slowest) < COLD_MS ||
      tacho_bench_record_ttft_ms (slowest) < 5 * usual)
    return;
  finding = tacho_diagnosis_add (self, "cold-start",
                                 slowest->warmup ? TACHO_FINDING_INFO : TACHO_FINDING_WARNING,
                                 "The first requests were much slower: the model was not ready");
  tacho_finding_evidence (finding, "%.0f ms to the first token at first, %.1f ms as a rule%s",
                          tacho_bench_record_ttft_ms (slowest), usual,
                          slowest->warmup ? "; the warm-up took it" : "");
  tacho_finding_advice (finding, slowest->warmup
                                     ? "Nothing to do for the figures; keep the model loaded if it "
                                       "matters to users"
                                     : "Load the model before (tacho-cli models load), or warm up: "
                                       "--warmup");
}

static void
rule_chunks (TachoDiagnosis *self)
{
  const TachoBenchResult *r = self->result;
  guint64 tokens = 0, chunks = 0;
  TachoFinding *finding;

  for (guint i = 0; i < r->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (r->records, i);

      if (record->status != TACHO_RECORD_OK || !record->tokens_from_usage)
        continue;
      tokens += (guint64) MAX (record->output_tokens, 0);
      chunks += record->chunks;
    }
  if (chunks == 0 || (double) tokens / (double) chunks < 1.5)
    return;
  finding = tacho_diagnosis_add (self, "chunks", TACHO_FINDING_INFO,
                                 "The server sends several tokens in one chunk");
  tacho_finding_evidence (finding, "%.1f tokens in each", (double) tokens / (double) chunks);
  tacho_finding_advice (finding,
                        "Read itl_ms and tpot_ms, which count tokens; chunk_gap_ms is what "
                        "a reader sees");
}

void
tacho_diagnosis_rules_sample (TachoDiagnosis *self)
{
  gsize n;
  g_autofree double *ttft = tacho_bench_result_dup_samples (self->result, TACHO_METRIC_TTFT, &n);

  rule_drift (self, ttft, n);
  tacho_sort_doubles (ttft, n);
  rule_bimodal (self, ttft, n);
  rule_cold (self);
  rule_chunks (self);
}
