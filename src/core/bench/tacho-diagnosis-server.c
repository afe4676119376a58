/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules on what the server says of itself, and on where the time of a request goes. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-diagnosis-private.h"

#include <math.h>

static double
p50 (const TachoBenchResult *result, guint metric)
{
  return result->latency[metric].percentiles[TACHO_P50].value;
}

/* Two samples in three with someone waiting: not the moment at which a request comes and another
 * goes. */
static gboolean
is_queueing (const TachoDiagnosis *self)
{
  return self->facts.waiting_share > 0.66 && self->facts.waiting_mean >= 1;
}

static void
rule_queueing (TachoDiagnosis *self)
{
  const TachoSampleFacts *facts = &self->facts;
  gboolean full = facts->running_at_max_share > 0.66 && facts->running_max >= 1;
  TachoFinding *finding;

  if (!is_queueing (self))
    return;
  finding = tacho_diagnosis_add (self, "queueing", TACHO_FINDING_NOTICE,
                                 "Requests wait in the server's queue");
  tacho_finding_evidence (finding, "%.1f waited on average, some in %.0f %% of the looks",
                          facts->waiting_mean, facts->waiting_share * 100);
  tacho_finding_evidence (finding, "TTFT p50 %.1f ms, p95 %.1f ms",
                          p50 (self->result, TACHO_METRIC_TTFT),
                          self->result->latency[TACHO_METRIC_TTFT].percentiles[TACHO_P95].value);
  tacho_finding_advice (finding,
                        "TTFT is mostly waiting: lower the load (tacho-cli sweep finds how "
                        "far), or add capacity");
  if (!full)
    return;
  finding = tacho_diagnosis_add (self, "batching-limit", TACHO_FINDING_NOTICE,
                                 "The server runs as many requests at a time as it may");
  tacho_finding_evidence (finding, "%.0f ran in %.0f %% of the looks, while others waited",
                          facts->running_max, facts->running_at_max_share * 100);
  tacho_finding_advice (finding, "Allow it more if memory and ITL permit: --parallel of llama.cpp, "
                                 "--max-num-seqs of vLLM, OLLAMA_NUM_PARALLEL");
}

static void
rule_kv_cache (TachoDiagnosis *self)
{
  const TachoSampleFacts *facts = &self->facts;
  TachoFinding *finding;

  if (facts->preemptions > 0)
    {
      finding = tacho_diagnosis_add (self, "preemption", TACHO_FINDING_WARNING,
                                     "The server threw requests out of its KV cache");
      tacho_finding_evidence (finding, "%.0f preemptions in the run", facts->preemptions);
    }
  else if (facts->kv_max > 0.9)
    {
      finding = tacho_diagnosis_add (self, "kv-cache", TACHO_FINDING_NOTICE,
                                     "The KV cache is nearly full");
      tacho_finding_evidence (finding, "%.0f %% of it were in use", facts->kv_max * 100);
    }
  else
    return;
  tacho_finding_advice (finding,
                        "Allow fewer requests at a time or shorter contexts, give the cache "
                        "more memory, or quantise it");
}

static void
rule_prefix_cache (TachoDiagnosis *self)
{
  TachoFinding *finding;

  if (!(self->facts.hit_share > 0.1))
    return;
  finding = tacho_diagnosis_add (
      self, "prefix-cache", self->result->plan->salt ? TACHO_FINDING_NOTICE : TACHO_FINDING_INFO,
      "A part of the prompts came from the prefix cache");
  tacho_finding_evidence (finding, "%.0f %% of the prompt tokens were not read anew",
                          self->facts.hit_share * 100);
  tacho_finding_advice (finding, self->result->plan->salt
                                     ? "The prompts are unique, so this is the chat template or "
                                       "somebody else's load: TTFT is better than for new prompts"
                                     : "Leave out --no-salt to measure prompts that are new");
}

/* Where the time of a request goes. Not a fault: what to work on. */
static void
rule_phases (TachoDiagnosis *self)
{
  const TachoBenchResult *r = self->result;
  double ttft = p50 (r, TACHO_METRIC_TTFT), e2e = p50 (r, TACHO_METRIC_E2E);
  TachoFinding *finding;

  if (r->ok < 10 || !(e2e > 0) || is_queueing (self))
    return;
  if (ttft / e2e > 0.5)
    {
      finding = tacho_diagnosis_add (self, "prefill-bound", TACHO_FINDING_INFO,
                                     "Most of a request is reading the prompt");
      tacho_finding_evidence (finding, "TTFT is %.0f %% of the whole (%.1f of %.1f ms)",
                              100 * ttft / e2e, ttft, e2e);
      tacho_finding_advice (finding, "Shorter prompts, a prefix cache, chunked prefill or more "
                                     "compute help; memory bandwidth does not");
    }
  else if (ttft / e2e < 0.2)
    {
      finding = tacho_diagnosis_add (self, "decode-bound", TACHO_FINDING_INFO,
                                     "Most of a request is writing the reply");
      tacho_finding_evidence (finding, "%.0f %% of the whole, %.2f ms a token",
                              100 - 100 * ttft / e2e, p50 (r, TACHO_METRIC_ITL));
      tacho_finding_advice (finding, "Memory bandwidth is the limit as a rule: quantisation, "
                                     "speculative decoding or larger batches help");
    }
}

static void
rule_host (TachoDiagnosis *self)
{
  TachoFinding *finding;

  if (!self->result->server_is_local || !(self->facts.cpu_mean > 0.95) || self->facts.n < 3)
    return;
  finding = tacho_diagnosis_add (self, "host-starved", TACHO_FINDING_WARNING,
                                 "This machine has no processor time left");
  tacho_finding_evidence (finding, "its cores were busy %.0f %% of the time",
                          self->facts.cpu_mean * 100);
  tacho_finding_advice (finding, "Server and client share this machine: give the server fewer "
                                 "threads, or run the client on another one");
}

void
tacho_diagnosis_rules_server (TachoDiagnosis *self)
{
  rule_queueing (self);
  rule_kv_cache (self);
  rule_prefix_cache (self);
  rule_phases (self);
  rule_host (self);
}
