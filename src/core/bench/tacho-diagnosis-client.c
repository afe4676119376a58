/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules on the client, the plan and the errors. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-diagnosis-private.h"

#include "base/tacho-clock.h"

#include <math.h>

static double
p50 (const TachoBenchResult *result, guint metric)
{
  return result->latency[metric].percentiles[TACHO_P50].value;
}

static void
rule_client_bound (TachoDiagnosis *self)
{
  const TachoSelfCheck *check = &self->result->self_check;
  TachoFinding *finding;

  if (!(check->client_cpu_share > 0.8) && !(check->loop_lag_ms_p99 > 5) &&
      !(check->wake_delay_ms_p95 > TACHO_MAX_WAKE_DELAY_MS))
    return;
  finding = tacho_diagnosis_add (self, "client-bound", TACHO_FINDING_PROBLEM,
                                 "The client was the limit, not the server");
  tacho_finding_evidence (finding,
                          "the client used %.0f %% of a core, ready data waited %.1f ms (p99), and "
                          "the machine woke it %.1f ms late (p95)",
                          check->client_cpu_share * 100, check->loop_lag_ms_p99,
                          fmax (0, check->wake_delay_ms_p95));
  tacho_finding_advice (finding, "Use more load threads (--threads), or share the load between "
                                 "machines (--worker) and merge the runs");
  tacho_finding_advice (finding, "Run the client on another machine than the server");
}

static void
rule_connection_setup (TachoDiagnosis *self)
{
  const TachoBenchResult *r = self->result;
  double queue = p50 (r, TACHO_METRIC_QUEUE), ttft = p50 (r, TACHO_METRIC_TTFT);
  TachoFinding *finding;

  if (!(r->self_check.connections_reused_share < 0.5) || self->all < 20 ||
      !(queue > 5 || queue > 0.1 * ttft))
    return;
  finding = tacho_diagnosis_add (self, "connection-setup", TACHO_FINDING_NOTICE,
                                 "Making connections takes a good part of the time");
  tacho_finding_evidence (finding,
                          "%.0f %% of the requests reused one; %.1f ms before each, TTFT %.1f ms",
                          r->self_check.connections_reused_share * 100, queue, ttft);
  tacho_finding_advice (finding, "Let server and proxies keep connections open, or use HTTP/2");
}

static void
rule_under_delivered (TachoDiagnosis *self)
{
  const TachoBenchResult *r = self->result;
  TachoFinding *finding;
  guint64 sent = 0;
  double delivered;

  if (r->plan->load < TACHO_LOAD_CONSTANT || r->plan->load > TACHO_LOAD_GAMMA ||
      !(r->window_s > 0.2) || r->interrupted)
    return;
  for (guint i = 0; i < r->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (r->records, i);

      sent += !record->warmup &&
              record->start_ns <= r->window_start_ns + (gint64) (r->window_s * TACHO_NS_PER_S);
    }
  delivered = (double) sent / r->window_s * r->plan->workers;
  /* Random arrivals alone vary by the root of their number. A short run may have sent all that it
   * had, late: half of the requests waited for more than two others, and noticeably. */
  if (delivered >= r->plan->rate * 0.95 - 3 * sqrt ((double) sent) / r->window_s &&
      !(p50 (r, TACHO_METRIC_QUEUE) > fmax (50, 2000 / r->plan->rate)))
    return;
  finding = tacho_diagnosis_add (self, "under-delivered", TACHO_FINDING_WARNING,
                                 "Less load was sent than planned");
  tacho_finding_evidence (
      finding,
      "%.2f requests/s were sent of %.2f planned, %.1f ms (p50) after they were "
      "due",
      delivered, r->plan->rate, p50 (r, TACHO_METRIC_QUEUE));
  tacho_finding_advice (finding, "Read the latencies from the schedule, or allow more requests at "
                                 "a time with --concurrency");
}

static void
rule_rate_limit (TachoDiagnosis *self)
{
  guint64 n = self->result->errors[TACHO_ERROR_HTTP_429];
  TachoFinding *finding;

  if (n == 0)
    return;
  finding = tacho_diagnosis_add (self, "rate-limit", TACHO_FINDING_PROBLEM,
                                 "The server limits the rate of requests");
  tacho_finding_evidence (finding, "%" G_GUINT64_FORMAT " requests (%.1f %%) got status 429", n,
                          100 * (double) n / fmax (self->all, 1));
  tacho_finding_advice (finding, "Lower the load below the limit, or raise the limit: the other "
                                 "figures are of the requests that were let through");
}

static const char *
advice_for (TachoErrorCode code)
{
  switch ((int) code)
    {
    case TACHO_ERROR_REFUSED:
    case TACHO_ERROR_CONNECT:
      return "See whether the server still runs, and whether its queue of new connections is full";
    case TACHO_ERROR_TIMEOUT_FIRST:
    case TACHO_ERROR_TIMEOUT_IDLE:
    case TACHO_ERROR_TIMEOUT_TOTAL:
      return "The server is too slow for these time limits: lower the load, or raise --timeout-…";
    case TACHO_ERROR_HTTP_4XX:
      return "Ask for one reply with tacho-cli prompt: the server says what it does not accept";
    case TACHO_ERROR_HTTP_5XX:
    case TACHO_ERROR_IN_BAND:
    case TACHO_ERROR_GRPC:
      return "See the server's log: it fails by itself";
    case TACHO_ERROR_TRUNCATED:
      return "Something cuts replies off: a proxy's time limit, or a server that crashes or runs "
             "out of memory";
    default:
      return "Ask for one reply with tacho-cli prompt, which says more of what went wrong";
    }
}

static void
rule_errors (TachoDiagnosis *self)
{
  const TachoBenchResult *r = self->result;

  for (int i = 1; i < TACHO_ERROR_N_CLASSES; i++)
    {
      double share = (double) r->errors[i] / fmax (self->all, 1);
      TachoFinding *finding;
      g_autofree char *title = NULL;

      if (r->errors[i] == 0 || i == TACHO_ERROR_HTTP_429 || i == TACHO_ERROR_CANCELLED)
        continue;
      title = i == TACHO_ERROR_TRUNCATED
                  ? g_strdup ("Replies were cut off")
                  : g_strdup_printf ("Requests failed: %s", tacho_error_class ((TachoErrorCode) i));
      finding =
          tacho_diagnosis_add (self, i == TACHO_ERROR_TRUNCATED ? "truncated" : "errors",
                               share > 0.01 ? TACHO_FINDING_PROBLEM : TACHO_FINDING_WARNING, title);
      tacho_finding_evidence (finding, "%" G_GUINT64_FORMAT " of %.0f requests (%.1f %%)",
                              r->errors[i], self->all, share * 100);
      tacho_finding_advice (finding, advice_for ((TachoErrorCode) i));
    }
}

static void
rule_voided (TachoDiagnosis *self)
{
  TachoFinding *finding;

  if (self->result->voided == 0)
    return;
  finding = tacho_diagnosis_add (self, "voided", TACHO_FINDING_WARNING,
                                 "A part of the run does not count");
  tacho_finding_evidence (finding, "%" G_GUINT64_FORMAT " requests: the client stood still",
                          self->result->voided);
  tacho_finding_advice (finding, "Repeat the run on a machine that does not sleep");
}

/* Fewer than the early-stopping bound asks for: said, as the figures are shown all the same. */
static void
rule_few_samples (TachoDiagnosis *self)
{
  const TachoDistribution *ttft = &self->result->latency[TACHO_METRIC_TTFT];
  TachoFinding *finding;

  if (ttft->n == 0 || ttft->percentiles[TACHO_P95].enough)
    return;
  finding = tacho_diagnosis_add (self, "few-samples", TACHO_FINDING_INFO,
                                 "Too few requests for the high percentiles");
  tacho_finding_evidence (finding, "%" G_GUINT64_FORMAT " requests; p95 needs 130, p99 662",
                          ttft->n);
  tacho_finding_advice (finding, "Measure longer, or until a figure is known: "
                                 "--until 'p95(ttft_ms)±10%'");
}

void
tacho_diagnosis_rules_client (TachoDiagnosis *self)
{
  rule_client_bound (self);
  rule_connection_setup (self);
  rule_under_delivered (self);
  rule_rate_limit (self);
  rule_errors (self);
  rule_voided (self);
  rule_few_samples (self);
}
