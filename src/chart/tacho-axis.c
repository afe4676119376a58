/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nice ticks and their labels. */

#include "chart/tacho-axis.h"

#include <math.h>

#define HUGE_BOUND 1e290
#define TINY_SPAN 1e-290

static double
next_nice_step (double step)
{
  double power = pow (10.0, floor (log10 (step) + 1e-9));
  double lead = step / power;

  if (lead < 1.5)
    return 2.0 * power;
  if (lead < 3.5)
    return 5.0 * power;
  return 10.0 * power;
}

static double
nice_step_at_least (double raw)
{
  double step = pow (10.0, floor (log10 (raw)));

  while (step < raw * (1.0 - 1e-9))
    step = next_nice_step (step);
  return step;
}

static void
make_sane (double *low, double *high)
{
  double magnitude;

  if (isnan (*low) && isnan (*high))
    *low = 0.0, *high = 1.0;
  else if (isnan (*low))
    *low = *high;
  else if (isnan (*high))
    *high = *low;
  *low = CLAMP (*low, -HUGE_BOUND, HUGE_BOUND);
  *high = CLAMP (*high, -HUGE_BOUND, HUGE_BOUND);
  if (*low > *high)
    {
      double swap = *low;
      *low = *high;
      *high = swap;
    }
  magnitude = MAX (fabs (*low), fabs (*high));
  if (magnitude < TINY_SPAN)
    *low = 0.0, *high = 1.0;
  else if (*high - *low <= magnitude * 1e-9)
    {
      /* Closer than a label could tell apart: show the surroundings. */
      *low -= magnitude * 0.5;
      *high += magnitude * 0.5;
    }
}

static void
place_ticks (TachoAxis *axis)
{
  double first = ceil (axis->low / axis->step - 1e-6);
  double last = floor (axis->high / axis->step + 1e-6);

  axis->first = first * axis->step;
  axis->n_ticks = last < first ? 0 : (guint) (last - first) + 1;
}

/**
 * tacho_axis_init:
 * @axis: (out): the axis
 * @low: lower bound; NaN and infinite are taken care of
 * @high: upper bound
 * @max_ticks: most ticks wanted; clamped to 2..1000
 * @round: whether to widen the bounds to whole steps
 *
 * Chooses the smallest step of 1, 2 or 5 x 10^n that needs at most @max_ticks ticks; rounded bounds
 * on both sides of zero take at least three.
 */
void
tacho_axis_init (TachoAxis *axis, double low, double high, guint max_ticks, gboolean round)
{
  double step;

  g_return_if_fail (axis != NULL);

  max_ticks = CLAMP (max_ticks, 2, 1000);
  make_sane (&low, &high);
  if (round && low < 0.0 && high > 0.0)
    max_ticks = MAX (max_ticks, 3); /* on both sides of zero no step needs fewer */
  step = nice_step_at_least ((high - low) / max_ticks);
  for (;;)
    {
      axis->low = round ? floor (low / step + 1e-9) * step : low;
      axis->high = round ? ceil (high / step - 1e-9) * step : high;
      axis->step = step;
      place_ticks (axis);
      if (axis->n_ticks <= max_ticks)
        break;
      step = next_nice_step (step);
    }
  axis->decimals = CLAMP ((int) -floor (log10 (step) + 1e-9), 0, 300);
}

/**
 * tacho_axis_init_time:
 * @axis: (out): the axis
 * @low: lower bound in seconds
 * @high: upper bound in seconds
 * @max_ticks: most ticks wanted
 *
 * As tacho_axis_init() without rounding, but above two minutes the steps are those of a clock.
 */
void
tacho_axis_init_time (TachoAxis *axis, double low, double high, guint max_ticks)
{
  static const double steps[] = { 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200 };

  tacho_axis_init (axis, low, high, max_ticks, FALSE);
  if (axis->high <= 120.0)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
    if (steps[i] * max_ticks >= axis->high - axis->low)
      {
        axis->step = steps[i];
        axis->decimals = 0;
        place_ticks (axis);
        return;
      }
}

/**
 * tacho_axis_to_fraction:
 * @axis: an axis
 * @value: a value
 *
 * Returns: where @value lies: 0 at the low end, 1 at the high end; not clamped
 */
double
tacho_axis_to_fraction (const TachoAxis *axis, double value)
{
  return (value - axis->low) / (axis->high - axis->low);
}

/**
 * tacho_axis_format:
 * @axis: an axis
 * @value: a value, usually a tick
 *
 * From 10,000 on the label is in k, M, G or T of the larger bound.
 *
 * Returns: (transfer full): the label
 */
char *
tacho_axis_format (const TachoAxis *axis, double value)
{
  static const struct
  {
    double from, unit;
    const char *suffix;
  } units[] = { { 1e13, 1e12, "T" }, { 1e10, 1e9, "G" }, { 1e7, 1e6, "M" }, { 1e4, 1e3, "k" } };
  double magnitude = MAX (fabs (axis->low), fabs (axis->high));
  double unit = 1.0;
  const char *suffix = "";
  int decimals;

  if (!isfinite (value))
    return g_strdup ("–");
  if (fabs (value) < axis->step * 1e-6)
    value = 0.0;
  if (magnitude >= 1e16 || axis->decimals > 6)
    return g_strdup_printf ("%s%.4g", value < 0 ? "−" : "", fabs (value));
  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    if (magnitude >= units[i].from)
      {
        unit = units[i].unit;
        suffix = value == 0.0 ? "" : units[i].suffix;
        break;
      }
  decimals = value == 0.0 && unit > 1.0
                 ? 0
                 : CLAMP ((int) -floor (log10 (axis->step / unit) + 1e-9), 0, 6);
  return g_strdup_printf ("%s%.*f%s", value < 0 ? "−" : "", decimals, fabs (value) / unit, suffix);
}

/**
 * tacho_axis_format_time:
 * @axis: an axis in seconds
 * @value: seconds
 *
 * Returns: (transfer full): "12 s", or "3:05" on an axis that ends above two minutes
 */
char *
tacho_axis_format_time (const TachoAxis *axis, double value)
{
  g_autofree char *number = NULL;

  if (axis->high > 120.0 && fabs (value) < 1e12)
    {
      gint64 s = (gint64) floor (fabs (value) + 0.5);

      if (s >= 3600)
        return g_strdup_printf ("%" G_GINT64_FORMAT ":%02d:%02d", s / 3600, (int) (s / 60 % 60),
                                (int) (s % 60));
      return g_strdup_printf ("%d:%02d", (int) (s / 60), (int) (s % 60));
    }
  number = tacho_axis_format (axis, value);
  return g_strdup_printf ("%s s", number);
}
