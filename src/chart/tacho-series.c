/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points with a min/max pyramid on top, so that the extent of any run costs O(log n). */

#include "chart/tacho-series.h"

#include <math.h>

#define FAN_OUT 16
#define MAX_LEVELS 14

typedef struct
{
  double low, high; /* low > high: no value */
} Extent;

struct _TachoSeries
{
  gatomicrefcount refs;
  char *name;
  TachoSeriesKind kind;
  guint64 revision;
  GArray *x, *y, *y2;
  /* levels[k][i] covers the points [i, i + 1) * FAN_OUT^(k + 1) */
  GArray *levels[MAX_LEVELS];
};

static const Extent empty_extent = { INFINITY, -INFINITY };

static void
merge (Extent *into, Extent other)
{
  into->low = MIN (into->low, other.low);
  into->high = MAX (into->high, other.high);
}

static Extent
point_extent (const TachoSeries *self, gsize i)
{
  double y = g_array_index (self->y, double, i);
  double y2 = self->kind == TACHO_SERIES_BAND ? g_array_index (self->y2, double, i) : y;

  if (isnan (y) || isnan (y2))
    return empty_extent;
  return (Extent){ MIN (y, y2), MAX (y, y2) };
}

/* Level 0 are the points themselves. */
static Extent
node_extent (const TachoSeries *self, guint level, gsize i)
{
  return level == 0 ? point_extent (self, i) : g_array_index (self->levels[level - 1], Extent, i);
}

static gsize
level_length (const TachoSeries *self, guint level)
{
  if (level == 0)
    return self->y->len;
  return level <= MAX_LEVELS && self->levels[level - 1] ? self->levels[level - 1]->len : 0;
}

/* A point was added at the end: O(1) amortised, as a level stops the climb once nothing changes. */
static void
pyramid_add (TachoSeries *self, Extent added)
{
  gsize i = self->y->len - 1;

  for (guint level = 0; level < MAX_LEVELS; level++)
    {
      gsize parent = i / FAN_OUT;

      if (parent == 0 && i == 0)
        break; /* one node covers all: no level above it */
      if (!self->levels[level])
        {
          Extent first = empty_extent;

          for (gsize child = 0; child <= i; child++)
            merge (&first, node_extent (self, level, child));
          self->levels[level] = g_array_new (FALSE, FALSE, sizeof (Extent));
          g_array_append_val (self->levels[level], first);
        }
      else if (parent == self->levels[level]->len)
        g_array_append_val (self->levels[level], added);
      else
        {
          Extent *node = &g_array_index (self->levels[level], Extent, parent);
          Extent before = *node;

          merge (node, added);
          if (before.low == node->low && before.high == node->high)
            break;
        }
      i = parent;
    }
}

/* The last point was replaced: its ancestors are made again from their children. */
static void
pyramid_redo_last (TachoSeries *self)
{
  gsize i = self->y->len - 1;

  for (guint level = 0; level < MAX_LEVELS && self->levels[level]; level++)
    {
      gsize parent = i / FAN_OUT;
      Extent extent = empty_extent;

      for (gsize child = parent * FAN_OUT; child <= i; child++)
        merge (&extent, node_extent (self, level, child));
      g_array_index (self->levels[level], Extent, parent) = extent;
      i = parent;
    }
}

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
  for (guint level = 0; level < MAX_LEVELS; level++)
    g_clear_pointer (&self->levels[level], g_array_unref);
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
  for (guint level = 0; level < MAX_LEVELS; level++)
    g_clear_pointer (&self->levels[level], g_array_unref);
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
  pyramid_add (self, point_extent (self, self->y->len - 1));
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
  pyramid_redo_last (self);
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
 * tacho_series_get_extent:
 * @self: a series
 * @from: first point
 * @to: after the last point
 * @low: (out): lowest value
 * @high: (out): highest value
 *
 * Returns: %FALSE if there is no value in the run
 */
gboolean
tacho_series_get_extent (const TachoSeries *self, gsize from, gsize to, double *low, double *high)
{
  Extent extent = empty_extent;

  to = MIN (to, self->y->len);
  for (guint level = 0; from < to; level++)
    {
      if (level_length (self, level + 1) == 0)
        {
          while (from < to)
            merge (&extent, node_extent (self, level, from++));
          break;
        }
      while (from < to && from % FAN_OUT != 0)
        merge (&extent, node_extent (self, level, from++));
      while (from < to && to % FAN_OUT != 0)
        merge (&extent, node_extent (self, level, --to));
      from /= FAN_OUT;
      to /= FAN_OUT;
    }
  if (extent.low > extent.high)
    return FALSE;
  *low = extent.low;
  *high = extent.high;
  return TRUE;
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
