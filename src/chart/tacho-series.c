/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points: arrays that grow at the end. The extents of runs are in tacho-series-pyramid.c. */

#include "chart/tacho-series-private.h"

#include <math.h>

/**
 * tacho_series_new:
 * @name: shown in the legend
 * @kind: how it is drawn
 *
 * Returns: (transfer full): an empty series
 */
TachoSeries *
tacho_series_new (const char *name, TachoSeriesKind kind)
{
  TachoSeries *self = g_new0 (TachoSeries, 1);

  g_atomic_ref_count_init (&self->refs);
  self->name = g_strdup (name ? name : "");
  self->kind = kind;
  self->revision = 1;
  self->x = g_array_new (FALSE, FALSE, sizeof (double));
  self->y = g_array_new (FALSE, FALSE, sizeof (double));
  self->y2 = g_array_new (FALSE, FALSE, sizeof (double));
  return self;
}

/**
 * tacho_series_ref:
 * @self: a series
 *
 * Returns: (transfer full): @self
 */
TachoSeries *
tacho_series_ref (TachoSeries *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * tacho_series_unref:
 * @self: (transfer full): a series
 */
void
tacho_series_unref (TachoSeries *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  tacho_series_pyramid_clear (self);
  g_array_unref (self->x);
  g_array_unref (self->y);
  g_array_unref (self->y2);
  g_free (self->name);
  g_free (self);
}

/**
 * tacho_series_get_name:
 * @self: a series
 *
 * Returns: its name
 */
const char *
tacho_series_get_name (const TachoSeries *self)
{
  return self->name;
}

/**
 * tacho_series_get_kind:
 * @self: a series
 *
 * Returns: how it is drawn
 */
TachoSeriesKind
tacho_series_get_kind (const TachoSeries *self)
{
  return self->kind;
}

/**
 * tacho_series_get_revision:
 * @self: a series
 *
 * Returns: a number that grows with every change of the data
 */
guint64
tacho_series_get_revision (const TachoSeries *self)
{
  return self->revision;
}

/**
 * tacho_series_clear:
 * @self: a series
 *
 * Removes all points.
 */
void
tacho_series_clear (TachoSeries *self)
{
  g_return_if_fail (self != NULL);

  g_array_set_size (self->x, 0);
  g_array_set_size (self->y, 0);
  g_array_set_size (self->y2, 0);
  tacho_series_pyramid_clear (self);
  self->revision++;
}

/**
 * tacho_series_append:
 * @self: a series
 * @x: not below the last x; a smaller one is raised to it, one that is not finite is dropped
 * @y: the value; one that is not finite is a gap
 * @y2: the other edge of a band, ignored otherwise
 *
 * O(1) amortised.
 */
void
tacho_series_append (TachoSeries *self, double x, double y, double y2)
{
  g_return_if_fail (self != NULL);

  if (!isfinite (x))
    return;
  if (self->x->len > 0)
    x = MAX (x, g_array_index (self->x, double, self->x->len - 1));
  y = isfinite (y) ? y : NAN;
  y2 = isfinite (y2) ? y2 : NAN;
  g_array_append_val (self->x, x);
  g_array_append_val (self->y, y);
  if (self->kind == TACHO_SERIES_BAND)
    g_array_append_val (self->y2, y2);
  tacho_series_pyramid_add (self);
  self->revision++;
}

/**
 * tacho_series_set_last:
 * @self: a series
 * @x: as in tacho_series_append()
 * @y: the value
 * @y2: the other edge of a band
 *
 * Replaces the last point, or appends the first.
 */
void
tacho_series_set_last (TachoSeries *self, double x, double y, double y2)
{
  gsize last;

  g_return_if_fail (self != NULL);

  if (self->x->len == 0)
    {
      tacho_series_append (self, x, y, y2);
      return;
    }
  if (!isfinite (x))
    return;
  last = self->x->len - 1;
  if (last > 0)
    x = MAX (x, g_array_index (self->x, double, last - 1));
  g_array_index (self->x, double, last) = x;
  g_array_index (self->y, double, last) = isfinite (y) ? y : NAN;
  if (self->kind == TACHO_SERIES_BAND)
    g_array_index (self->y2, double, last) = isfinite (y2) ? y2 : NAN;
  tacho_series_pyramid_redo_last (self);
  self->revision++;
}

/**
 * tacho_series_get_length:
 * @self: a series
 *
 * Returns: the number of points
 */
gsize
tacho_series_get_length (const TachoSeries *self)
{
  return self->x->len;
}

/**
 * tacho_series_get_x:
 * @self: a series
 *
 * Returns: (transfer none): the positions; valid until the next change
 */
const double *
tacho_series_get_x (const TachoSeries *self)
{
  return (const double *) (gpointer) self->x->data;
}

/**
 * tacho_series_get_y:
 * @self: a series
 *
 * Returns: (transfer none): the values; valid until the next change
 */
const double *
tacho_series_get_y (const TachoSeries *self)
{
  return (const double *) (gpointer) self->y->data;
}

/**
 * tacho_series_get_y2:
 * @self: a series
 *
 * Returns: (transfer none) (nullable): the other edge; %NULL unless @self is a band
 */
const double *
tacho_series_get_y2 (const TachoSeries *self)
{
  return self->kind == TACHO_SERIES_BAND ? (const double *) (gpointer) self->y2->data : NULL;
}

/**
 * tacho_series_get_range:
 * @self: a series
 * @low: (out): lowest value
 * @high: (out): highest value
 *
 * Returns: %FALSE if there is no value at all
 */
gboolean
tacho_series_get_range (const TachoSeries *self, double *low, double *high)
{
  return tacho_series_get_extent (self, 0, self->y->len, low, high);
}

/**
 * tacho_series_lower_bound:
 * @self: a series
 * @x: a position
 *
 * Returns: the index of the first point at or after @x, or the length
 */
gsize
tacho_series_lower_bound (const TachoSeries *self, double x)
{
  const double *xs = tacho_series_get_x (self);
  gsize low = 0, high = self->x->len;

  while (low < high)
    {
      gsize middle = low + (high - low) / 2;

      if (xs[middle] < x)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/**
 * tacho_series_nearest:
 * @self: a series
 * @x: a position
 *
 * Returns: the index of the nearest point, or -1 if there is none or @x is NaN
 */
gssize
tacho_series_nearest (const TachoSeries *self, double x)
{
  const double *xs = tacho_series_get_x (self);
  gsize i;

  if (self->x->len == 0 || isnan (x))
    return -1;
  i = tacho_series_lower_bound (self, x);
  if (i == self->x->len || (i > 0 && x - xs[i - 1] <= xs[i] - x))
    i--;
  return (gssize) i;
}
