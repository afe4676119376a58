/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The options of bench and sweep that say what to do. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-bench-plan.h"

#include "bench/tacho-prompts.h"
#include "bench/tacho-slo.h"
#include "bench/tacho-until.h"

#include <stdio.h>
#include <string.h>

#define MAX_CONCURRENCY 10000
#define OPEN_CONCURRENCY 4096 /* the most at a time, where only a rate is given */
#define MAX_REQUESTS 10000000
#define MAX_SECONDS 604800.0
#define MAX_START_DELAY 86400.0

void
cli_bench_options_clear (CliBenchOptions *o)
{
  char **const texts[] = { &o->model,         &o->concurrency,   &o->rate,       &o->arrival,
                           &o->ramp,          &o->requests,      &o->duration,   &o->warmup,
                           &o->cooldown,      &o->max_errors,    &o->until,      &o->cancel,
                           &o->prompt_tokens, &o->output_tokens, &o->prompts,    &o->trace_scale,
                           &o->turns,         &o->think,         &o->seed,       &o->slo,
                           &o->threads,       &o->worker,        &o->start_at,   &o->out,
                           &o->records,       &o->format };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (*texts[i]);
  g_strfreev (o->fail_on);
}

guint
cli_bench_plan_options (CliBenchOptions *o, CliOption *list, guint at)
{
  const CliOption options[] = {
    { "model", 'm', "ID", FALSE, &o->model, "The model; else a loaded one, or the only one" },
    { "duration", 0, "S", FALSE, &o->duration, "Or measure for so many seconds" },
    { "warmup", 0, "N|Ss", FALSE, &o->warmup, "Requests or seconds that do not count (2)" },
    { "cooldown", 0, "S", FALSE, &o->cooldown, "Keep the load up for so long after the end" },
    { "ramp", 0, "S", FALSE, &o->ramp, "Raise the load over so long; that does not count" },
    { "arrival", 0, "KIND", FALSE, &o->arrival,
      "With a rate: constant, poisson (default) or gamma:SHAPE" },
    { "max-errors", 0, "N|PCT%", FALSE, &o->max_errors, "Stop after so many failures" },
    { "until", 0, "EXPR", FALSE, &o->until, "Stop when it is known: 'p95(ttft_ms)±5%'" },
    { "cancel", 0, "PCT%@S", FALSE, &o->cancel, "Cancel so many requests after S seconds" },
    { "prompt-tokens", 0, "N|MIN:MAX|MEAN±SD", FALSE, &o->prompt_tokens,
      "Length of the prompts (128)" },
    { "output-tokens", 0, "N|MIN:MAX|MEAN±SD", FALSE, &o->output_tokens,
      "Length of the replies (64)" },
    { "about-tokens", 0, NULL, FALSE, &o->about_tokens,
      "Do not ask the server's tokenizer for exact lengths" },
    { "prompts", 0, "FILE", FALSE, &o->prompts,
      "Take the prompts from JSON lines, a trace or ShareGPT's JSON" },
    { "replay", 0, NULL, FALSE, &o->replay, "Send the prompts of the file at its time stamps" },
    { "time-scale", 0, "X", FALSE, &o->trace_scale, "Stretch those time stamps (1)" },
    { "turns", 0, "N", FALSE, &o->turns, "Conversations of so many turns (1)" },
    { "think", 0, "S", FALSE, &o->think, "Wait so long between a reply and the next turn" },
    { "completion", 0, NULL, FALSE, &o->completion, "Raw completions instead of chats" },
    { "seed", 0, "N", FALSE, &o->seed, "The same seed gives the same prompts" },
    { "salt", 0, NULL, FALSE, &o->salt,
      "Make each prompt unique, against prefix caches (default)" },
    { "no-salt", 0, NULL, FALSE, &o->no_salt, "Let prefix caches work" },
    { "http2", 0, NULL, FALSE, &o->http2, "HTTP/2 instead of HTTP/1.1, over TLS" },
    { "threads", 0, "N", FALSE, &o->threads, "Load threads (as many as the load needs)" },
    { "worker", 0, "I/N", FALSE, &o->worker, "Be machine I of N that share the load" },
    { "slo", 0, "LIST", FALSE, &o->slo, "What a good request is: 'ttft<500ms,itl<50ms'" },
    { "no-watch", 0, NULL, FALSE, &o->no_watch, "Do not read the server's metrics meanwhile" },
    { "no-history", 0, NULL, FALSE, &o->no_history, "Do not keep the run in the history" },
  };

  G_STATIC_ASSERT (G_N_ELEMENTS (options) == CLI_BENCH_PLAN_OPTIONS);
  memcpy (list + at, options, sizeof options);
  return at + G_N_ELEMENTS (options);
}

static gboolean
usage_error (GError **error, const char *text)
{
  g_set_error_literal (error, CLI_ERROR, CLI_ERROR_USAGE, text);
  return FALSE;
}

static gboolean
bad_value (GError **error, const char *option, const char *value, const char *takes)
{
  g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE, "--%s: “%.60s” is not allowed; it takes %s.",
               option, value, takes);
  return FALSE;
}

static gboolean
read_seconds (const char *option, const char *text, double min, double *value, GError **error)
{
  return text == NULL || cli_parse_seconds (option, text, min, MAX_SECONDS, value, error);
}

static gboolean
read_arrival (const char *text, TachoBenchPlan *plan, GError **error)
{
  plan->load = TACHO_LOAD_POISSON;
  if (text == NULL || g_str_equal (text, "poisson"))
    return TRUE;
  if (g_str_equal (text, "constant"))
    {
      plan->load = TACHO_LOAD_CONSTANT;
      return TRUE;
    }
  plan->load = TACHO_LOAD_GAMMA;
  if (g_str_has_prefix (text, "gamma:"))
    return cli_parse_double ("arrival", text + strlen ("gamma:"), 0.001, 1000, &plan->gamma_shape,
                             error);
  return bad_value (error, "arrival", text, "constant, poisson or gamma:SHAPE");
}

static gboolean
read_load (const CliBenchOptions *o, TachoBenchPlan *plan, GError **error)
{
  guint64 number;

  if (o->replay && (o->prompts == NULL || o->rate != NULL))
    return usage_error (error, "--replay needs --prompts FILE, and takes no --rate.");
  if (o->arrival != NULL && o->rate == NULL)
    return usage_error (error, "--arrival needs --rate.");
  if (o->trace_scale != NULL && !o->replay)
    return usage_error (error, "--time-scale needs --replay.");
  if (o->rate != NULL)
    {
      if (!cli_parse_double ("rate", o->rate, 1e-6, 1e6, &plan->rate, error) ||
          !read_arrival (o->arrival, plan, error))
        return FALSE;
    }
  if (o->replay)
    plan->load = TACHO_LOAD_TRACE;
  if (tacho_bench_plan_is_open (plan))
    plan->concurrency = OPEN_CONCURRENCY;
  if (o->trace_scale != NULL &&
      !cli_parse_double ("time-scale", o->trace_scale, 1e-6, 1e6, &plan->trace_scale, error))
    return FALSE;
  if (o->concurrency == NULL)
    return TRUE;
  if (!cli_parse_uint ("concurrency", o->concurrency, 1, MAX_CONCURRENCY, &number, error))
    return FALSE;
  plan->concurrency = (guint) number;
  return TRUE;
}

static gboolean
read_warmup (const char *text, TachoBenchPlan *plan, GError **error)
{
  if (text == NULL)
    return TRUE;
  plan->warmup_requests = 0;
  plan->warmup_s = 0;
  if (g_str_has_suffix (text, "s"))
    return cli_parse_seconds ("warmup", text, 0, MAX_SECONDS, &plan->warmup_s, error);
  return cli_parse_uint ("warmup", text, 0, MAX_REQUESTS, &plan->warmup_requests, error);
}

static gboolean
read_length (const CliBenchOptions *o, TachoBenchPlan *plan, GError **error)
{
  if (o->requests != NULL && o->duration != NULL)
    return usage_error (error, "Give --requests or --duration, not both.");
  if (o->replay)
    plan->requests = 0; /* the whole trace */
  if (o->requests != NULL &&
      !cli_parse_uint ("requests", o->requests, 1, MAX_REQUESTS, &plan->requests, error))
    return FALSE;
  if (o->duration != NULL)
    plan->requests = 0;
  return read_seconds ("duration", o->duration, 0.1, &plan->duration_s, error) &&
         read_seconds ("cooldown", o->cooldown, 0, &plan->cooldown_s, error) &&
         read_seconds ("ramp", o->ramp, 0, &plan->ramp_s, error) &&
         read_warmup (o->warmup, plan, error);
}

static gboolean
read_max_errors (const char *text, TachoBenchPlan *plan, GError **error)
{
  g_autofree char *number = NULL;

  if (text == NULL)
    return TRUE;
  if (!g_str_has_suffix (text, "%"))
    return cli_parse_uint ("max-errors", text, 1, MAX_REQUESTS, &plan->max_errors, error);
  number = g_strndup (text, strlen (text) - 1);
  if (!cli_parse_double ("max-errors", number, 0.001, 100, &plan->max_error_rate, error))
    return FALSE;
  plan->max_error_rate /= 100;
  return TRUE;
}

/* "10%@0.5": a tenth of the requests, half a second after their start. */
static gboolean
read_cancel (const char *text, TachoBenchPlan *plan, GError **error)
{
  double share;
  char after[32] = "";
  int used = 0;

  if (text == NULL)
    return TRUE;
  if (sscanf (text, "%lf%%@%31[0-9.ms]%n", &share, after, &used) != 2 || text[used] != '\0' ||
      !(share > 0 && share <= 100))
    return bad_value (error, "cancel", text, "a share and a time, as in 10%@0.5");
  plan->cancel_share = share / 100;
  return cli_parse_seconds ("cancel", after, 0, MAX_SECONDS, &plan->cancel_after_s, error);
}

static gboolean
read_stops (const CliBenchOptions *o, TachoBenchPlan *plan, GError **error)
{
  g_autoptr (TachoUntil) until = NULL;

  if (!read_max_errors (o->max_errors, plan, error) || !read_cancel (o->cancel, plan, error))
    return FALSE;
  if (o->until == NULL)
    return TRUE;
  until = tacho_until_parse (o->until, error);
  if (until == NULL)
    {
      g_prefix_error (error, "--until: ");
      return FALSE;
    }
  plan->until = g_strdup (o->until);
  if (o->requests == NULL && o->duration == NULL)
    {
      /* It ends by itself; but not never. */
      plan->requests = 0;
      plan->duration_s = 3600;
    }
  return TRUE;
}

static gboolean
read_lengths (const char *option, const char *text, TachoLengths *lengths, GError **error)
{
  if (text == NULL || tacho_lengths_parse (text, lengths, error))
    return TRUE;
  g_prefix_error (error, "--%s: ", option);
  return FALSE;
}

static gboolean
read_work (const CliBenchOptions *o, TachoBenchPlan *plan, GError **error)
{
  guint64 turns = 1;

  if (o->prompts != NULL && (o->prompt_tokens != NULL || o->turns != NULL))
    return usage_error (error, "--prompts brings its own prompts and turns: leave out "
                               "--prompt-tokens and --turns.");
  if (!read_lengths ("prompt-tokens", o->prompt_tokens, &plan->prompt_tokens, error) ||
      !read_lengths ("output-tokens", o->output_tokens, &plan->output_tokens, error) ||
      !read_seconds ("think", o->think, 0, &plan->think_s, error))
    return FALSE;
  if (o->turns != NULL && !cli_parse_uint ("turns", o->turns, 1, 1000, &turns, error))
    return FALSE;
  plan->turns = (guint) turns;
  plan->prompts_file = g_strdup (o->prompts);
  plan->chat = !o->completion;
  plan->exact_tokens = !o->about_tokens;
  if (o->seed != NULL && !cli_parse_uint ("seed", o->seed, 0, G_MAXINT64, &plan->seed, error))
    return FALSE;
  if (o->salt && o->no_salt)
    return usage_error (error, "Give --salt or --no-salt, not both.");
  if (o->salt || o->no_salt)
    plan->salt = o->salt;
  return TRUE;
}

static gboolean
read_slo (const char *text, TachoBenchPlan *plan, GError **error)
{
  g_autoptr (TachoSlo) slo = NULL;

  if (text == NULL)
    return TRUE;
  slo = tacho_slo_parse (text, error);
  if (slo == NULL)
    {
      g_prefix_error (error, "--slo: ");
      return FALSE;
    }
  plan->slo = g_strdup (text);
  return TRUE;
}

static gboolean
read_machines (const CliBenchOptions *o, TachoBenchPlan *plan, GError **error)
{
  guint64 threads = 0;
  int used = 0;

  if (o->threads != NULL && !cli_parse_uint ("threads", o->threads, 1, 64, &threads, error))
    return FALSE;
  plan->threads = (guint) threads;
  plan->http2 = o->http2;
  plan->watch_server = !o->no_watch;
  if (o->worker == NULL)
    return TRUE;
  if (sscanf (o->worker, "%u/%u%n", &plan->worker, &plan->workers, &used) != 2 ||
      o->worker[used] != '\0' || plan->workers < 1 || plan->worker >= plan->workers)
    return bad_value (error, "worker", o->worker, "a number from 0 on and how many, as in 0/4");
  return TRUE;
}

/* The plan's own check knows no options; what it says is wrong usage all the same. A bad prompts
 * file is found before anything is sent. */
static gboolean
check (TachoBenchPlan *plan, GError **error)
{
  g_autoptr (TachoBenchPlan) copy = tacho_bench_plan_copy (plan);
  g_autoptr (TachoPrompts) prompts = NULL;
  g_autoptr (GError) reason = NULL;

  if (copy->model == NULL)
    copy->model = g_strdup ("not chosen yet");
  if (tacho_bench_plan_validate (copy, &reason))
    prompts = tacho_prompts_new (copy, &reason);
  if (prompts != NULL)
    return TRUE;
  g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE, "%s.", reason->message);
  return FALSE;
}

gboolean
cli_bench_plan_read (const CliBenchOptions *o, TachoBenchPlan *plan, GError **error)
{
  return read_load (o, plan, error) && read_length (o, plan, error) &&
         read_stops (o, plan, error) && read_work (o, plan, error) &&
         read_machines (o, plan, error) && read_slo (o->slo, plan, error) && check (plan, error);
}

gboolean
cli_bench_start_delay (const char *text, gint64 now_unix_us, double *delay, GError **error)
{
  g_autoptr (GDateTime) time = NULL;
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  char *end = NULL;
  double unix_s;

  *delay = 0;
  if (text == NULL)
    return TRUE;
  unix_s = g_ascii_strtod (text, &end);
  if (end == text || *end != '\0')
    {
      time = g_date_time_new_from_iso8601 (text, utc);
      if (time == NULL)
        return bad_value (error, "start-at", text,
                          "seconds since 1970 or a time as 2026-01-31T12:00:00Z");
      unix_s = (double) g_date_time_to_unix (time);
    }
  *delay = unix_s - (double) now_unix_us / 1e6;
  if (*delay > 0 && *delay <= MAX_START_DELAY)
    return TRUE;
  return bad_value (error, "start-at", text,
                    *delay <= 0 ? "a time to come; this one has passed" : "a time within a day");
}
