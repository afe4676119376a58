/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Service-level objectives of one request: "ttft<500ms,itl<50ms". */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-slo.h"

#include "base/tacho-error.h"

#include <math.h>
#include <string.h>

enum
{
  METRIC_TTFT,
  METRIC_E2E,
  METRIC_ITL,
  METRIC_TPOT,
  N_METRICS
};

static const char *const names[N_METRICS] = { "ttft", "e2e", "itl", "tpot" };

struct _TachoSlo
{
  double bounds_ms[N_METRICS]; /* infinity: no objective */
};

static gboolean
fail (const char *term, GError **error)
{
  g_set_error (
      error, TACHO_ERROR, TACHO_ERROR_INVALID,
      "“%s” is not an objective: write a metric (ttft, e2e, itl, tpot), '<' and a time, as in "
      "ttft<500ms,itl<50ms",
      term);
  return FALSE;
}

static gboolean
parse_term (TachoSlo *slo, const char *term, GError **error)
{
  const char *less = strchr (term, '<');
  g_autofree char *name =
      less != NULL ? g_strstrip (g_strndup (term, (gsize) (less - term))) : NULL;
  char *unit = NULL;
  double value;

  if (less == NULL)
    return fail (term, error);
  less += less[1] == '=' ? 2 : 1;
  value = g_ascii_strtod (less, &unit);
  if (unit == less || !isfinite (value) || value <= 0)
    return fail (term, error);
  while (*unit == ' ')
    unit++;
  if (g_str_equal (unit, "s"))
    value *= 1000;
  else if (*unit != '\0' && !g_str_equal (unit, "ms"))
    return fail (term, error);
  if (g_str_has_suffix (name, "_ms"))
    name[strlen (name) - 3] = '\0';
  for (int i = 0; i < N_METRICS; i++)
    if (g_str_equal (name, names[i]))
      {
        slo->bounds_ms[i] = MIN (slo->bounds_ms[i], value);
        return TRUE;
      }
  return fail (term, error);
}

/**
 * tacho_slo_parse:
 * @text: "ttft<500ms,itl<50ms"; milliseconds unless "s" is written
 * @error: return location
 *
 * Returns: (transfer full): the objectives, or %NULL with %TACHO_ERROR_INVALID
 */
TachoSlo *
tacho_slo_parse (const char *text, GError **error)
{
  g_autoptr (TachoSlo) slo = g_new (TachoSlo, 1);
  g_auto (GStrv) terms = g_strsplit (text, ",", -1);

  for (int i = 0; i < N_METRICS; i++)
    slo->bounds_ms[i] = INFINITY;
  if (*terms == NULL)
    {
      fail (text, error);
      return NULL;
    }
  for (char **term = terms; *term != NULL; term++)
    if (!parse_term (slo, g_strstrip (*term), error))
      return NULL;
  return g_steal_pointer (&slo);
}

/**
 * tacho_slo_free:
 * @slo: (nullable): objectives
 *
 * Frees them.
 */
void
tacho_slo_free (TachoSlo *slo)
{
  g_free (slo);
}

/**
 * tacho_slo_met:
 * @slo: objectives
 * @ttft_ms: time to first token
 * @e2e_ms: end-to-end latency
 * @itl_ms: inter-token latency, NaN for one token
 * @tpot_ms: time per output token, NaN for one token
 *
 * Returns: whether a request met every objective; what it does not define cannot miss one
 */
gboolean
tacho_slo_met (const TachoSlo *slo, double ttft_ms, double e2e_ms, double itl_ms, double tpot_ms)
{
  const double values[N_METRICS] = { ttft_ms, e2e_ms, itl_ms, tpot_ms };

  for (int i = 0; i < N_METRICS; i++)
    if (!isnan (values[i]) && values[i] >= slo->bounds_ms[i])
      return FALSE;
  return TRUE;
}
