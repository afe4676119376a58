/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A min/max pyramid over the points of a series, so that the extent of any run costs O(log n). */

#include "chart/tacho-series-private.h"

#include <math.h>

#define FAN_OUT 16

typedef struct
{
  double low, high; /* low > high: no value */
} Extent;

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
  return level <= TACHO_SERIES_MAX_LEVELS && self->levels[level - 1] ? self->levels[level - 1]->len
                                                                     : 0;
}

/* A point was added at the end: O(1) amortised, as a level stops the climb once nothing changes. */
void
tacho_series_pyramid_add (TachoSeries *self)
{
  gsize i = self->y->len - 1;
  Extent added = point_extent (self, i);

  for (guint level = 0; level < TACHO_SERIES_MAX_LEVELS; level++)
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
void
tacho_series_pyramid_redo_last (TachoSeries *self)
{
  gsize i = self->y->len - 1;

  for (guint level = 0; level < TACHO_SERIES_MAX_LEVELS && self->levels[level]; level++)
    {
      gsize parent = i / FAN_OUT;
      Extent extent = empty_extent;

      for (gsize child = parent * FAN_OUT; child <= i; child++)
        merge (&extent, node_extent (self, level, child));
      g_array_index (self->levels[level], Extent, parent) = extent;
      i = parent;
    }
}

void
tacho_series_pyramid_clear (TachoSeries *self)
{
  for (guint level = 0; level < TACHO_SERIES_MAX_LEVELS; level++)
    g_clear_pointer (&self->levels[level], g_array_unref);
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
