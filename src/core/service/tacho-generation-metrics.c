/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What follows from the stamps and counts of a generation. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-generation-private.h"

#include "base/tacho-clock.h"

#include <math.h>

static double
ms_between (gint64 from_ns, gint64 to_ns)
{
  if (from_ns == 0 || to_ns == 0)
    return NAN;
  return (double) (to_ns - from_ns) / TACHO_NS_PER_MS;
}

/**
 * tacho_generation_metrics_derive:
 * @metrics: (inout): metrics with stamps and counts set, and NaN for what may stay undefined
 *
 * Sets the times and the rate by the formulas of tacho_generation_get_metrics().
 */
void
tacho_generation_metrics_derive (TachoGenerationMetrics *metrics)
{
  gint64 n = metrics->output_tokens;
  double between_ms;

  metrics->ttft_ms = ms_between (metrics->start_ns, metrics->first_ns);
  metrics->e2e_ms = ms_between (metrics->start_ns, metrics->end_ns);
  between_ms = ms_between (metrics->first_ns, metrics->last_ns);
  if (n > 1 && !isnan (between_ms))
    {
      metrics->itl_ms = between_ms / (double) (n - 1);
      if (between_ms > 0)
        metrics->tokens_per_s = (double) (n - 1) * 1000 / between_ms;
    }
  if (n > 1)
    metrics->tpot_ms = (metrics->e2e_ms - metrics->ttft_ms) / (double) (n - 1);
}
