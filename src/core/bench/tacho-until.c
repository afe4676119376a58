/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The statistical end of a run. Looking again and again makes an interval hold less often than it
 * says (Armitage, McPherson and Rowe 1969): so the run looks rarely, needs the whole interval, both
 * sides, and never stops below the early-stopping minimum of the percentile. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-until.h"

#include "base/tacho-error.h"
#include "bench/tacho-bench-result.h"

#include <math.h>
#include <string.h>

#define MEAN (-1)
#define MIN_FOR_MEAN 30
#define Z_95 1.959964

struct _TachoUntil
{
  guint metric;
  int percentile; /* MEAN or TACHO_P… */
  double share;
};

static gboolean
find_name (const char *const *names, gsize n, const char *start, gsize length, guint *found)
{
  for (gsize i = 0; i < n; i++)
    if (strlen (names[i]) == length && strncmp (names[i], start, length) == 0)
      {
        *found = (guint) i;
        return TRUE;
      }
  return FALSE;
}

static gboolean
read_until (TachoUntil *self, const char *text)
{
  const char *open = strchr (text, '(');
  const char *close = open != NULL ? strchr (open, ')') : NULL;
  const char *bound;
  char *end = NULL;
  guint percentile = 0;

  if (close == NULL)
    return FALSE;
  self->percentile = MEAN;
  if (strncmp (text, "mean(", 5) != 0)
    {
      if (!find_name (tacho_percentile_names, TACHO_N_PERCENTILES, text, (gsize) (open - text),
                      &percentile))
        return FALSE;
      self->percentile = (int) percentile;
    }
  if (!find_name (tacho_metric_names, TACHO_N_METRICS, open + 1, (gsize) (close - open - 1),
                  &self->metric))
    return FALSE;
  bound = close + 1;
  if (g_str_has_prefix (bound, "±"))
    bound += strlen ("±");
  else if (g_str_has_prefix (bound, "+-"))
    bound += 2;
  else
    return FALSE;
  self->share = g_ascii_strtod (bound, &end) / 100;
  return end != bound && g_str_equal (end, "%") && self->share > 0 && self->share < 1;
}

/**
 * tacho_until_parse:
 * @text: "p95(ttft_ms)±5%" or "mean(e2e_ms)±2%"; "+-" does for the sign
 * @error: return location
 *
 * Returns: (transfer full): the condition, or %NULL with %TACHO_ERROR_INVALID
 */
TachoUntil *
tacho_until_parse (const char *text, GError **error)
{
  g_autoptr (TachoUntil) self = g_new0 (TachoUntil, 1);
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  g_autofree char *compact = g_strjoinv ("", words);

  if (read_until (self, compact))
    return g_steal_pointer (&self);
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "“%.80s” is no condition to stop at: write mean or a percentile of a metric and how "
               "well it must be known, as in p95(ttft_ms)±5%%",
               text);
  return NULL;
}

/**
 * tacho_until_free:
 * @until: (nullable): a condition
 *
 * Frees it.
 */
void
tacho_until_free (TachoUntil *until)
{
  g_free (until);
}

/**
 * tacho_until_get_metric:
 * @until: a condition
 *
 * Returns: the metric that it looks at, as TACHO_METRIC_TTFT
 */
guint
tacho_until_get_metric (const TachoUntil *until)
{
  return until->metric;
}

/**
 * tacho_until_reached:
 * @until: a condition
 * @distribution: of its metric so far
 *
 * For a percentile the interval is that of order statistics; for the mean the normal one, from 30
 * samples on.
 *
 * Returns: whether the interval lies within the wanted share of the value
 */
gboolean
tacho_until_reached (const TachoUntil *until, const TachoDistribution *distribution)
{
  const TachoPercentile *p;
  double half;

  if (until->percentile == MEAN)
    {
      half = Z_95 * distribution->sd / sqrt ((double) distribution->n);
      return distribution->n >= MIN_FOR_MEAN && half <= until->share * distribution->mean;
    }
  p = &distribution->percentiles[until->percentile];
  return p->enough && isfinite (p->low) && isfinite (p->high) &&
         p->value - p->low <= until->share * p->value &&
         p->high - p->value <= until->share * p->value;
}
