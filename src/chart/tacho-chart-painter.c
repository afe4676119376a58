/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One column of device pixels at a time: the extent of the curve within the column, the places
 * where it crosses the column's edges included, so that neighbours always join. */

#include "chart/tacho-chart-painter.h"

#include <math.h>

#define LINE_WEIGHT 1.5 /* logical pixels */
#define AREA_ALPHA 0.16f
#define BAND_ALPHA 0.24f

typedef struct
{
  const TachoSeries *series;
  const double *xs, *ys, *ys2;
  gsize length;
} Points;

typedef struct
{
  GPtrArray *nodes;
  double scale;
  GdkRGBA color;
  int x, width, top, bottom; /* the run not yet written, device pixels */
} Run;

static void
run_flush (Run *run)
{
  if (run->width > 0 && run->bottom > run->top)
    {
      graphene_rect_t rect = GRAPHENE_RECT_INIT (
          (float) (run->x / run->scale), (float) (run->top / run->scale),
          (float) (run->width / run->scale), (float) ((run->bottom - run->top) / run->scale));

      g_ptr_array_add (run->nodes, gsk_color_node_new (&run->color, &rect));
    }
  run->width = 0;
}

/* Equal neighbours become one node: the same pixels, fewer nodes. */
static void
run_add (Run *run, int x, int top, int bottom)
{
  if (run->width > 0 && run->x + run->width == x && run->top == top && run->bottom == bottom)
    {
      run->width++;
      return;
    }
  run_flush (run);
  run->x = x;
  run->width = 1;
  run->top = top;
  run->bottom = bottom;
}

static void
include_crossing (const Points *p,
                  const double *values,
                  gsize i,
                  double x,
                  double *low,
                  double *high)
{
  double x0 = p->xs[i - 1], x1 = p->xs[i], y0 = values[i - 1], y1 = values[i], y;

  if (isnan (y0) || isnan (y1) || x < x0 || x > x1)
    return;
  /* Weighted, not y0 + t * (y1 - y0): the difference may overflow. */
  if (x1 > x0)
    y = y0 * ((x1 - x) / (x1 - x0)) + y1 * ((x - x0) / (x1 - x0));
  else
    y = y1;
  *low = MIN (*low, y);
  *high = MAX (*high, y);
}

/* The segment that ends at point i, where it crosses x. */
static void
include_edge (const Points *p, gsize i, double x, double *low, double *high)
{
  if (i == 0 || i >= p->length)
    return;
  if (p->ys2 &&
      (isnan (p->ys2[i - 1]) || isnan (p->ys2[i]) || isnan (p->ys[i - 1]) || isnan (p->ys[i])))
    return;
  include_crossing (p, p->ys, i, x, low, high);
  if (p->ys2)
    include_crossing (p, p->ys2, i, x, low, high);
}

static gboolean
column_extent (const Points *p,
               gsize from,
               gsize to,
               double left,
               double right,
               double *low,
               double *high)
{
  *low = INFINITY;
  *high = -INFINITY;
  if (to > from)
    {
      double l, h;

      if (tacho_series_get_extent (p->series, from, to, &l, &h))
        *low = l, *high = h;
    }
  include_edge (p, from, left, low, high);
  include_edge (p, to, right, low, high);
  return *low <= *high;
}

static GskRenderNode *
finish_nodes (GPtrArray *nodes)
{
  GskRenderNode *node = NULL;

  if (nodes->len > 0)
    node = gsk_container_node_new ((GskRenderNode **) nodes->pdata, nodes->len);
  g_ptr_array_unref (nodes);
  return node;
}

/**
 * tacho_chart_paint_series:
 * @series: the data
 * @x: the horizontal axis
 * @y: the vertical axis
 * @width: logical pixels
 * @height: logical pixels
 * @scale: device pixels per logical pixel
 * @color: of the line; areas and bands use it at a low alpha
 *
 * The cost depends on the number of device pixel columns and, by a logarithm only, on the number of
 * points. At most two nodes are made per column.
 *
 * Returns: (transfer full) (nullable): a node with its origin at the top left of the plot
 */
GskRenderNode *
tacho_chart_paint_series (const TachoSeries *series,
                          const TachoAxis *x,
                          const TachoAxis *y,
                          float width,
                          float height,
                          double scale,
                          const GdkRGBA *color)
{
  int columns = (int) floor (width * scale + 0.5), rows = (int) floor (height * scale + 0.5);
  int weight = MAX (1, (int) floor (LINE_WEIGHT * scale + 0.5));
  gboolean band = tacho_series_get_kind (series) == TACHO_SERIES_BAND;
  gboolean area = tacho_series_get_kind (series) == TACHO_SERIES_AREA;
  double span = x->high - x->low;
  GPtrArray *nodes, *line_nodes;
  Run fill, line;
  Points p = { series, tacho_series_get_x (series), tacho_series_get_y (series),
               tacho_series_get_y2 (series), tacho_series_get_length (series) };
  gsize from;
  int base;

  if (p.length == 0 || columns <= 0 || rows <= weight || !(span > 0.0))
    return NULL;
  nodes = g_ptr_array_new_with_free_func ((GDestroyNotify) gsk_render_node_unref);
  line_nodes = g_ptr_array_new ();
  fill = (Run){ nodes, scale, *color };
  fill.color.alpha *= band ? BAND_ALPHA : AREA_ALPHA;
  line = (Run){ line_nodes, scale, *color };
  base = (int) floor ((1.0 - CLAMP (tacho_axis_to_fraction (y, 0.0), 0.0, 1.0)) * rows + 0.5);
  from = tacho_series_lower_bound (series, x->low);

  for (int column = 0; column < columns; column++)
    {
      double left = x->low + span * column / columns;
      double right = x->low + span * (column + 1) / columns;
      gsize to = tacho_series_lower_bound (series, right);
      double low, high, top, bottom;
      int t, b;

      if (column == columns - 1)
        while (to < p.length && p.xs[to] <= x->high)
          to++; /* the last column is closed at both ends */
      if (column_extent (&p, from, to, left, right, &low, &high) && high >= y->low &&
          low <= y->high)
        {
          top = (1.0 - CLAMP (tacho_axis_to_fraction (y, high), 0.0, 1.0)) * rows;
          bottom = (1.0 - CLAMP (tacho_axis_to_fraction (y, low), 0.0, 1.0)) * rows;
          if (band)
            {
              t = (int) floor (top + 0.5);
              b = (int) floor (bottom + 0.5);
              run_add (&fill, column, MIN (t, rows - 1), MAX (b, MIN (t, rows - 1) + 1));
            }
          else
            {
              t = CLAMP ((int) floor (top - weight / 2.0 + 0.5), 0, rows - weight);
              b = CLAMP ((int) floor (bottom - weight / 2.0 + 0.5), 0, rows - weight) + weight;
              run_add (&line, column, t, b);
              if (area && b < base)
                run_add (&fill, column, b, base);
              else if (area && t > base)
                run_add (&fill, column, base, t);
            }
        }
      from = to;
    }
  run_flush (&fill);
  run_flush (&line);
  for (guint i = 0; i < line_nodes->len; i++)
    g_ptr_array_add (nodes, line_nodes->pdata[i]);
  g_ptr_array_unref (line_nodes);
  return finish_nodes (nodes);
}

/**
 * tacho_chart_paint_grid:
 * @x: (nullable): the horizontal axis; %NULL for horizontal lines only
 * @y: (nullable): the vertical axis; %NULL for vertical lines only
 * @width: logical pixels
 * @height: logical pixels
 * @scale: device pixels per logical pixel
 * @color: of the lines
 *
 * Returns: (transfer full) (nullable): lines of one device pixel
 */
GskRenderNode *
tacho_chart_paint_grid (const TachoAxis *x,
                        const TachoAxis *y,
                        float width,
                        float height,
                        double scale,
                        const GdkRGBA *color)
{
  int columns = (int) floor (width * scale + 0.5), rows = (int) floor (height * scale + 0.5);
  GPtrArray *nodes = g_ptr_array_new_with_free_func ((GDestroyNotify) gsk_render_node_unref);
  Run run = { nodes, scale, *color };

  for (guint i = 0; y && rows > 0 && i < y->n_ticks; i++)
    {
      double fraction = tacho_axis_to_fraction (y, y->first + i * y->step);
      int row = CLAMP ((int) floor ((1.0 - fraction) * rows + 0.5), 0, rows - 1);

      run.x = 0, run.width = columns, run.top = row, run.bottom = row + 1;
      run_flush (&run);
    }
  for (guint i = 0; x && columns > 0 && i < x->n_ticks; i++)
    {
      double fraction = tacho_axis_to_fraction (x, x->first + i * x->step);
      int column = CLAMP ((int) floor (fraction * columns), 0, columns - 1);

      run.x = column, run.width = 1, run.top = 0, run.bottom = rows;
      run_flush (&run);
    }
  return finish_nodes (nodes);
}
