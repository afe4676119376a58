/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run is to do, and whether it can. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-plan.h"

#include "base/tacho-error.h"
#include "bench/tacho-slo.h"
#include "bench/tacho-until.h"

#include <math.h>

#define MAX_CONCURRENCY 10000
#define MAX_TOKENS 1000000
#define MAX_REQUESTS G_GUINT64_CONSTANT (10000000)
#define MAX_SECONDS (7 * 24 * 3600.0)
#define MAX_RATE 1e6
#define MAX_TURNS 1000
#define MAX_THREADS 64

G_DEFINE_BOXED_TYPE (TachoBenchPlan, tacho_bench_plan, tacho_bench_plan_copy, tacho_bench_plan_free)

/**
 * tacho_bench_plan_new:
 *
 * Returns: (transfer full): 64 requests, 4 at a time after 2 of warm-up, 128 prompt and 64 output
 * tokens
 */
TachoBenchPlan *
tacho_bench_plan_new (void)
{
  TachoBenchPlan *plan = g_new0 (TachoBenchPlan, 1);

  plan->concurrency = 4;
  plan->requests = 64;
  plan->warmup_requests = 2;
  plan->prompt_tokens = (TachoLengths){ 128, 128, 0, 0 };
  plan->output_tokens = (TachoLengths){ 64, 64, 0, 0 };
  plan->gamma_shape = 1;
  plan->trace_scale = 1;
  plan->turns = 1;
  plan->salt = TRUE;
  plan->chat = TRUE;
  plan->watch_server = TRUE;
  plan->exact_tokens = TRUE;
  plan->workers = 1;
  return plan;
}

/**
 * tacho_bench_plan_copy:
 * @plan: a plan
 *
 * Returns: (transfer full): a copy
 */
TachoBenchPlan *
tacho_bench_plan_copy (const TachoBenchPlan *plan)
{
  TachoBenchPlan *copy = g_memdup2 (plan, sizeof *plan);

  copy->model = g_strdup (plan->model);
  copy->slo = g_strdup (plan->slo);
  copy->until = g_strdup (plan->until);
  copy->prompts_file = g_strdup (plan->prompts_file);
  return copy;
}

/**
 * tacho_bench_plan_free:
 * @plan: (nullable): a plan
 *
 * Frees it.
 */
void
tacho_bench_plan_free (TachoBenchPlan *plan)
{
  if (plan == NULL)
    return;
  g_free (plan->model);
  g_free (plan->slo);
  g_free (plan->until);
  g_free (plan->prompts_file);
  g_free (plan);
}

static gboolean
invalid (GError **error, const char *what)
{
  g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID, what);
  return FALSE;
}

static gboolean
lengths_are_sane (const TachoLengths *lengths)
{
  return lengths->min >= 1 && lengths->min <= lengths->max && lengths->max <= MAX_TOKENS &&
         isfinite (lengths->mean) && isfinite (lengths->sd) && lengths->sd >= 0;
}

static gboolean
seconds_are_sane (double seconds)
{
  return isfinite (seconds) && seconds >= 0 && seconds <= MAX_SECONDS;
}

static gboolean
check_length (const TachoBenchPlan *plan, GError **error)
{
  if (!seconds_are_sane (plan->duration_s))
    return invalid (error, "The duration must be at most a week");
  if (plan->requests > MAX_REQUESTS)
    return invalid (error, "The number of requests must be at most 10000000");
  if (plan->requests > 0 && plan->duration_s > 0)
    return invalid (error, "A run needs either a number of requests or a duration, not both");
  if (plan->requests == 0 && plan->duration_s <= 0 && plan->load != TACHO_LOAD_TRACE)
    return invalid (error, "A run needs either a number of requests or a duration, above zero");
  if (!seconds_are_sane (plan->warmup_s) || plan->warmup_requests > MAX_REQUESTS)
    return invalid (error, "The warm-up must be at most 10000000 requests or a week");
  if (!seconds_are_sane (plan->cooldown_s) || !seconds_are_sane (plan->ramp_s) ||
      !seconds_are_sane (plan->think_s) || !seconds_are_sane (plan->cancel_after_s))
    return invalid (error, "Ramp, cool-down, think time and time to cancel are at most a week");
  return TRUE;
}

static gboolean
check_load (const TachoBenchPlan *plan, GError **error)
{
  if (plan->concurrency < 1 || plan->concurrency > MAX_CONCURRENCY)
    return invalid (error, "The concurrency must be between 1 and 10000");
  if (plan->load >= TACHO_LOAD_CONSTANT && plan->load <= TACHO_LOAD_GAMMA &&
      (!isfinite (plan->rate) || plan->rate <= 0 || plan->rate > MAX_RATE))
    return invalid (error, "The rate must be above 0 and at most 1000000 requests a second");
  if (plan->load == TACHO_LOAD_GAMMA &&
      (!isfinite (plan->gamma_shape) || plan->gamma_shape <= 0 || plan->gamma_shape > 1000))
    return invalid (error, "The shape of gamma arrivals must be above 0 and at most 1000");
  if (plan->load == TACHO_LOAD_TRACE && plan->prompts_file == NULL)
    return invalid (error, "A trace is replayed from a prompts file, and the plan names none");
  if (!isfinite (plan->trace_scale) || plan->trace_scale <= 0)
    return invalid (error, "The scale of a trace must be above 0");
  if (plan->turns < 1 || plan->turns > MAX_TURNS)
    return invalid (error, "A conversation has between 1 and 1000 turns");
  if (plan->turns > 1 && (!plan->chat || tacho_bench_plan_is_open (plan)))
    return invalid (error,
                    "Conversations of several turns need the chat API and a closed loop: the next "
                    "turn begins when the reply has ended");
  if (!(plan->cancel_share >= 0 && plan->cancel_share <= 1))
    return invalid (error, "The share of requests to cancel must be between 0 and 1");
  if (!(plan->max_error_rate >= 0 && plan->max_error_rate <= 1))
    return invalid (error, "The error rate to stop at must be between 0 and 1");
  if (plan->threads > MAX_THREADS)
    return invalid (error, "There can be at most 64 load threads");
  if (plan->workers < 1 || plan->worker >= plan->workers)
    return invalid (error, "The worker must be a number below that of the workers");
  return TRUE;
}

/**
 * tacho_bench_plan_is_open:
 * @plan: a plan
 *
 * Returns: whether requests go out on a schedule that no slow reply moves
 */
gboolean
tacho_bench_plan_is_open (const TachoBenchPlan *plan)
{
  return plan->load != TACHO_LOAD_CLOSED;
}

/**
 * tacho_bench_plan_validate:
 * @plan: a plan
 * @error: return location
 *
 * Refuses a plan that cannot work, before anything is sent.
 *
 * Returns: whether it can; else %TACHO_ERROR_INVALID
 */
gboolean
tacho_bench_plan_validate (const TachoBenchPlan *plan, GError **error)
{
  g_autoptr (TachoSlo) slo = NULL;
  g_autoptr (TachoUntil) until = NULL;

  if (plan->model == NULL || *plan->model == '\0')
    return invalid (error, "The plan names no model");
  if (!check_load (plan, error) || !check_length (plan, error))
    return FALSE;
  if (!lengths_are_sane (&plan->prompt_tokens))
    return invalid (error,
                    "The prompt tokens must be between 1 and 1000000, the smaller number first");
  if (!lengths_are_sane (&plan->output_tokens))
    return invalid (error,
                    "The output tokens must be between 1 and 1000000, the smaller number first");
  if (plan->protocol == TACHO_PROTOCOL_GRPC && plan->http2)
    return invalid (error, "gRPC is HTTP/2 by itself: leave one of the two out");
  if (plan->slo != NULL && (slo = tacho_slo_parse (plan->slo, error)) == NULL)
    return FALSE;
  if (plan->until != NULL && (until = tacho_until_parse (plan->until, error)) == NULL)
    return FALSE;
  return TRUE;
}
