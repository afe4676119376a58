/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rate limits of the simulated server: requests a second and tokens a minute, as token buckets that
 * hold one second's and one minute's worth. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-http.h"

#include <math.h>

static void
fill (TachoSimBucket *bucket, double capacity, double per_second, gint64 now_ns)
{
  double grown = (double) (now_ns - bucket->filled_ns) / 1e9 * per_second;

  bucket->level = bucket->filled_ns == 0 ? capacity : MIN (bucket->level + grown, capacity);
  bucket->filled_ns = now_ns;
}

static void
set_header (TachoSimExchange *exchange, const char *name, double value)
{
  g_autofree char *text = g_strdup_printf ("%.0f", MAX (value, 0));

  soup_message_headers_replace (soup_server_message_get_response_headers (exchange->message), name,
                                text);
}

/**
 * tacho_sim_limit_refuses:
 * @exchange: a request
 *
 * Counts a generation request against the limits. The tokens of earlier requests are taken from the
 * bucket when the next one comes, prompt and output together.
 *
 * Returns: whether it was refused, with 429, `Retry-After` and the `x-ratelimit` headers
 */
gboolean
tacho_sim_limit_refuses (TachoSimExchange *exchange)
{
  TachoSimHost *host = exchange->host;
  double rps = host->config->requests_per_second, tpm = host->config->tokens_per_minute;
  TachoSimCounters counters;
  guint64 tokens;
  double wait_s = 0;

  if ((rps <= 0 && tpm <= 0) || !tacho_sim_is_generation (exchange->path))
    return FALSE;
  tacho_sim_engine_get_counters (host->engine, &counters);
  tokens = counters.prompt_tokens + counters.output_tokens;
  if (rps > 0)
    {
      fill (&host->requests_left, MAX (rps, 1), rps, exchange->time_ns);
      if (host->requests_left.level < 1)
        wait_s = (1 - host->requests_left.level) / rps;
      set_header (exchange, "x-ratelimit-limit-requests", MAX (rps, 1));
      set_header (exchange, "x-ratelimit-remaining-requests", host->requests_left.level - 1);
    }
  if (tpm > 0)
    {
      fill (&host->tokens_left, tpm, tpm / 60, exchange->time_ns);
      host->tokens_left.level -= (double) (tokens - host->n_counted_tokens);
      host->n_counted_tokens = tokens;
      if (host->tokens_left.level <= 0)
        wait_s = MAX (wait_s, (1 - host->tokens_left.level) / (tpm / 60));
      set_header (exchange, "x-ratelimit-limit-tokens", tpm);
      set_header (exchange, "x-ratelimit-remaining-tokens", host->tokens_left.level);
    }
  if (wait_s <= 0)
    {
      host->requests_left.level -= 1;
      return FALSE;
    }
  exchange->retry_after_s = (guint) MAX (ceil (wait_s), 1);
  tacho_sim_exchange_error (exchange, 429, "rate_limit_error",
                            "Rate limit reached; try again in %u s", exchange->retry_after_s);
  return TRUE;
}
