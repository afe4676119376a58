/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan as it stands in a result, and back. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-plan.h"

#include "base/tacho-json.h"

#include <math.h>

static const char *const load_names[] = { "closed", "constant", "poisson", "gamma", "trace" };

/**
 * tacho_load_kind_to_string:
 * @kind: a kind of load
 *
 * Returns: its name in files and options
 */
const char *
tacho_load_kind_to_string (TachoLoadKind kind)
{
  return load_names[MIN ((gsize) kind, G_N_ELEMENTS (load_names) - 1)];
}

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
add_uint (JsonBuilder *builder, const char *name, guint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64) value);
}

static void
add_boolean (JsonBuilder *builder, const char *name, gboolean value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, value);
}

/* Zero: not asked for. */
static void
add_or_null (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  if (value > 0)
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
add_count_or_null (JsonBuilder *builder, const char *name, guint64 value)
{
  if (value > 0)
    add_uint (builder, name, value);
  else
    add_string (builder, name, NULL);
}

static void
add_lengths (JsonBuilder *builder, const char *what, const TachoLengths *lengths)
{
  g_autofree char *text = tacho_lengths_to_string (lengths);
  g_autofree char *min = g_strconcat (what, "_min", NULL);
  g_autofree char *max = g_strconcat (what, "_max", NULL);

  add_string (builder, what, text);
  add_uint (builder, min, lengths->min);
  add_uint (builder, max, lengths->max);
}

static void
add_load (JsonBuilder *builder, const TachoBenchPlan *plan)
{
  gboolean rated = plan->load >= TACHO_LOAD_CONSTANT && plan->load <= TACHO_LOAD_GAMMA;

  add_string (builder, "load", tacho_load_kind_to_string (plan->load));
  add_uint (builder, "concurrency", plan->concurrency);
  add_or_null (builder, "rate", rated ? plan->rate : 0);
  add_or_null (builder, "gamma_shape", plan->load == TACHO_LOAD_GAMMA ? plan->gamma_shape : 0);
  add_or_null (builder, "ramp_s", plan->ramp_s);
  add_count_or_null (builder, "requests", plan->requests);
  add_or_null (builder, "duration_s", plan->duration_s);
  add_uint (builder, "warmup_requests", plan->warmup_requests);
  add_or_null (builder, "warmup_s", plan->warmup_s);
  add_or_null (builder, "cooldown_s", plan->cooldown_s);
  add_count_or_null (builder, "max_errors", plan->max_errors);
  add_or_null (builder, "max_error_rate", plan->max_error_rate);
  add_string (builder, "until", plan->until);
  add_or_null (builder, "cancel_share", plan->cancel_share);
  add_or_null (builder, "cancel_after_s", plan->cancel_share > 0 ? plan->cancel_after_s : 0);
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
  add_string (builder, "model", plan->model);
  add_load (builder, plan);
  add_lengths (builder, "prompt_tokens", &plan->prompt_tokens);
  add_lengths (builder, "output_tokens", &plan->output_tokens);
  add_boolean (builder, "exact_tokens", plan->exact_tokens);
  add_string (builder, "prompts_file", plan->prompts_file);
  add_or_null (builder, "trace_scale", plan->load == TACHO_LOAD_TRACE ? plan->trace_scale : 0);
  add_uint (builder, "turns", plan->turns);
  add_or_null (builder, "think_s", plan->think_s);
  add_uint (builder, "seed", plan->seed);
  add_boolean (builder, "salt", plan->salt);
  add_string (builder, "endpoint", plan->chat ? "chat" : "completion");
  add_string (builder, "protocol", tacho_protocol_to_string (plan->protocol));
  add_string (builder, "http", plan->protocol == TACHO_PROTOCOL_GRPC || plan->http2 ? "2" : "1.1");
  add_uint (builder, "threads", plan->threads);
  add_uint (builder, "worker", plan->worker);
  add_uint (builder, "workers", plan->workers);
  add_string (builder, "slo", plan->slo);
  json_builder_end_object (builder);
}

static TachoLoadKind
load_of (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (load_names); i++)
    if (g_strcmp0 (name, load_names[i]) == 0)
      return (TachoLoadKind) i;
  return TACHO_LOAD_CLOSED;
}

static void
read_lengths (JsonObject *object, const char *what, TachoLengths *lengths)
{
  const char *text = tacho_json_get_string (object, what, NULL);

  if (text != NULL)
    tacho_lengths_parse (text, lengths, NULL);
}

static guint
get_uint (JsonObject *object, const char *name, guint fallback)
{
  gint64 value = tacho_json_get_int (object, name, fallback);

  return value >= 0 && value <= G_MAXUINT ? (guint) value : fallback;
}

static guint64
get_count (JsonObject *object, const char *name)
{
  return (guint64) MAX (0, tacho_json_get_int (object, name, 0));
}

static void
read_load (JsonObject *object, TachoBenchPlan *plan)
{
  plan->load = load_of (tacho_json_get_string (object, "load", NULL));
  plan->concurrency = get_uint (object, "concurrency", plan->concurrency);
  plan->rate = tacho_json_get_double (object, "rate", 0);
  plan->gamma_shape = tacho_json_get_double (object, "gamma_shape", 1);
  plan->ramp_s = tacho_json_get_double (object, "ramp_s", 0);
  plan->requests = get_count (object, "requests");
  plan->duration_s = tacho_json_get_double (object, "duration_s", 0);
  plan->warmup_requests = get_count (object, "warmup_requests");
  plan->warmup_s = tacho_json_get_double (object, "warmup_s", 0);
  plan->cooldown_s = tacho_json_get_double (object, "cooldown_s", 0);
  plan->max_errors = get_count (object, "max_errors");
  plan->max_error_rate = tacho_json_get_double (object, "max_error_rate", 0);
  plan->until = g_strdup (tacho_json_get_string (object, "until", NULL));
  plan->cancel_share = tacho_json_get_double (object, "cancel_share", 0);
  plan->cancel_after_s = tacho_json_get_double (object, "cancel_after_s", 0);
}

/**
 * tacho_bench_plan_from_json:
 * @object: what tacho_bench_plan_to_json() wrote, of this or an older version
 *
 * Returns: (transfer full): the plan, which may be one that cannot run here
 */
TachoBenchPlan *
tacho_bench_plan_from_json (JsonObject *object)
{
  TachoBenchPlan *plan = tacho_bench_plan_new ();

  plan->model = g_strdup (tacho_json_get_string (object, "model", NULL));
  read_load (object, plan);
  read_lengths (object, "prompt_tokens", &plan->prompt_tokens);
  read_lengths (object, "output_tokens", &plan->output_tokens);
  plan->exact_tokens = tacho_json_get_boolean (object, "exact_tokens", FALSE);
  plan->prompts_file = g_strdup (tacho_json_get_string (object, "prompts_file", NULL));
  plan->trace_scale = tacho_json_get_double (object, "trace_scale", 1);
  plan->turns = get_uint (object, "turns", 1);
  plan->think_s = tacho_json_get_double (object, "think_s", 0);
  plan->seed = get_count (object, "seed");
  plan->salt = tacho_json_get_boolean (object, "salt", TRUE);
  plan->chat = g_strcmp0 (tacho_json_get_string (object, "endpoint", NULL), "completion") != 0;
  tacho_protocol_from_string (tacho_json_get_string (object, "protocol", "rest"), &plan->protocol);
  plan->http2 = plan->protocol != TACHO_PROTOCOL_GRPC &&
                g_strcmp0 (tacho_json_get_string (object, "http", NULL), "2") == 0;
  plan->threads = get_uint (object, "threads", 0);
  plan->worker = get_uint (object, "worker", 0);
  plan->workers = get_uint (object, "workers", 1);
  plan->slo = g_strdup (tacho_json_get_string (object, "slo", NULL));
  return plan;
}
