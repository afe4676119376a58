/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a run is to do, and whether it can. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-plan.h"

#include "base/tacho-error.h"
#include "bench/tacho-slo.h"

#include <math.h>

#define MAX_CONCURRENCY 10000
#define MAX_TOKENS 1000000
#define MAX_REQUESTS G_GUINT64_CONSTANT (10000000)
#define MAX_SECONDS (7 * 24 * 3600.0)

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
  plan->prompt_tokens_min = plan->prompt_tokens_max = 128;
  plan->output_tokens_min = plan->output_tokens_max = 64;
  plan->salt = TRUE;
  plan->chat = TRUE;
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
  g_free (plan);
}

static gboolean
invalid (GError **error, const char *what)
{
  g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID, what);
  return FALSE;
}

static gboolean
range_is_sane (guint low, guint high)
{
  return low >= 1 && low <= high && high <= MAX_TOKENS;
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

  if (plan->model == NULL || *plan->model == '\0')
    return invalid (error, "The plan names no model");
  if (plan->concurrency < 1 || plan->concurrency > MAX_CONCURRENCY)
    return invalid (error, "The concurrency must be between 1 and 10000");
  if (!isfinite (plan->duration_s) || plan->duration_s < 0 || plan->duration_s > MAX_SECONDS)
    return invalid (error, "The duration must be at most a week");
  if (plan->requests > MAX_REQUESTS)
    return invalid (error, "The number of requests must be at most 10000000");
  if ((plan->requests > 0) == (plan->duration_s > 0))
    return invalid (error, "A run needs either a number of requests or a duration, above zero");
  if (!isfinite (plan->warmup_s) || plan->warmup_s < 0 || plan->warmup_s > MAX_SECONDS ||
      plan->warmup_requests > MAX_REQUESTS)
    return invalid (error, "The warm-up must be at most 10000000 requests or a week");
  if (!range_is_sane (plan->prompt_tokens_min, plan->prompt_tokens_max))
    return invalid (error,
                    "The prompt tokens must be between 1 and 1000000, the smaller number first");
  if (!range_is_sane (plan->output_tokens_min, plan->output_tokens_max))
    return invalid (error,
                    "The output tokens must be between 1 and 1000000, the smaller number first");
  if (plan->slo != NULL && (slo = tacho_slo_parse (plan->slo, error)) == NULL)
    return FALSE;
  return TRUE;
}

static void
add_uint (JsonBuilder *builder, const char *name, guint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64) value);
}

static void
add_or_null (JsonBuilder *builder, const char *name, gboolean is_set, double value)
{
  json_builder_set_member_name (builder, name);
  if (is_set)
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

/**
 * tacho_bench_plan_to_json:
 * @plan: a plan
 * @builder: where an object is to be added
 *
 * Writes the plan as it stands in a result.
 */
void
tacho_bench_plan_to_json (const TachoBenchPlan *plan, JsonBuilder *builder)
{
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "model");
  json_builder_add_string_value (builder, plan->model);
  json_builder_set_member_name (builder, "load");
  json_builder_add_string_value (builder, "closed");
  add_uint (builder, "concurrency", plan->concurrency);
  json_builder_set_member_name (builder, "requests");
  if (plan->requests > 0)
    json_builder_add_int_value (builder, (gint64) plan->requests);
  else
    json_builder_add_null_value (builder);
  add_or_null (builder, "duration_s", plan->duration_s > 0, plan->duration_s);
  add_uint (builder, "warmup_requests", plan->warmup_requests);
  add_or_null (builder, "warmup_s", plan->warmup_s > 0, plan->warmup_s);
  add_uint (builder, "prompt_tokens_min", plan->prompt_tokens_min);
  add_uint (builder, "prompt_tokens_max", plan->prompt_tokens_max);
  add_uint (builder, "output_tokens_min", plan->output_tokens_min);
  add_uint (builder, "output_tokens_max", plan->output_tokens_max);
  add_uint (builder, "seed", plan->seed);
  json_builder_set_member_name (builder, "salt");
  json_builder_add_boolean_value (builder, plan->salt);
  json_builder_set_member_name (builder, "endpoint");
  json_builder_add_string_value (builder, plan->chat ? "chat" : "completion");
  json_builder_set_member_name (builder, "slo");
  if (plan->slo != NULL)
    json_builder_add_string_value (builder, plan->slo);
  else
    json_builder_add_null_value (builder);
  json_builder_end_object (builder);
}
