/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The options of bench and sweep that say what to do. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-bench-plan.h"

#include "cli-options.h"

#include "bench/tacho-slo.h"

#define MAX_CONCURRENCY 10000
#define MAX_REQUESTS 10000000
#define MAX_SECONDS 604800.0

void
cli_bench_options_clear (CliBenchOptions *o)
{
  char **const texts[] = { &o->model,  &o->concurrency,   &o->requests,      &o->duration,
                           &o->warmup, &o->prompt_tokens, &o->output_tokens, &o->seed,
                           &o->slo,    &o->out,           &o->records,       &o->format };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (*texts[i]);
  g_strfreev (o->fail_on);
}
static gboolean
usage_error (GError **error, const char *text)
{
  g_set_error_literal (error, CLI_ERROR, CLI_ERROR_USAGE, text);
  return FALSE;
}

static gboolean
read_length (const CliBenchOptions *o, TachoBenchPlan *plan, GError **error)
{
  if (o->requests != NULL && o->duration != NULL)
    return usage_error (error, "Give --requests or --duration, not both.");
  if (o->requests != NULL &&
      !cli_parse_uint ("requests", o->requests, 1, MAX_REQUESTS, &plan->requests, error))
    return FALSE;
  if (o->duration != NULL)
    {
      plan->requests = 0;
      if (!cli_parse_seconds ("duration", o->duration, 0.1, MAX_SECONDS, &plan->duration_s, error))
        return FALSE;
    }
  if (o->warmup == NULL)
    return TRUE;
  plan->warmup_requests = 0;
  plan->warmup_s = 0;
  if (g_str_has_suffix (o->warmup, "s"))
    return cli_parse_seconds ("warmup", o->warmup, 0, MAX_SECONDS, &plan->warmup_s, error);
  return cli_parse_uint ("warmup", o->warmup, 0, MAX_REQUESTS, &plan->warmup_requests, error);
}

static gboolean
read_lengths (const char *option, const char *text, TachoLengths *lengths, GError **error)
{
  if (text == NULL || tacho_lengths_parse (text, lengths, error))
    return TRUE;
  g_prefix_error (error, "--%s: ", option);
  return FALSE;
}

gboolean
cli_bench_plan_read (const CliBenchOptions *o, TachoBenchPlan *plan, GError **error)
{
  guint64 number;

  if (o->concurrency != NULL)
    {
      if (!cli_parse_uint ("concurrency", o->concurrency, 1, MAX_CONCURRENCY, &number, error))
        return FALSE;
      plan->concurrency = (guint) number;
    }
  if (!read_length (o, plan, error))
    return FALSE;
  if (!read_lengths ("prompt-tokens", o->prompt_tokens, &plan->prompt_tokens, error) ||
      !read_lengths ("output-tokens", o->output_tokens, &plan->output_tokens, error))
    return FALSE;
  if (o->seed != NULL && !cli_parse_uint ("seed", o->seed, 0, G_MAXINT64, &plan->seed, error))
    return FALSE;
  if (o->salt && o->no_salt)
    return usage_error (error, "Give --salt or --no-salt, not both.");
  if (o->salt || o->no_salt)
    plan->salt = o->salt;
  if (o->slo != NULL)
    {
      g_autoptr (TachoSlo) slo = tacho_slo_parse (o->slo, error);

      if (slo == NULL)
        {
          g_prefix_error (error, "--slo: ");
          return FALSE;
        }
      plan->slo = g_strdup (o->slo);
    }
  return TRUE;
}
