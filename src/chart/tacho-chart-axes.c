/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The axes of a chart: their ranges, the place of the plot between them, grid and labels. */

#define G_LOG_DOMAIN "tacho-chart"

#include "config.h"

#include "chart/tacho-chart-painter.h"
#include "chart/tacho-chart-private.h"

#include <math.h>

#define GAP 6.0f
#define MAX_TICKS 6
#define SHRINK_BELOW 0.4 /* of the axis in use */

static gboolean
same_axis (const TachoAxis *a, const TachoAxis *b)
{
  return a->low == b->low && a->high == b->high && a->step == b->step && a->first == b->first &&
         a->n_ticks == b->n_ticks && a->decimals == b->decimals;
}

/* The y axis grows at once and shrinks late, so that the picture does not pump. */
static void
choose_y (TachoChart *self, TachoAxis *axis)
{
  double low = 0.0, high = 0.0;

  for (guint i = 0; i < self->entries->len; i++)
    {
      const TachoChartEntry *entry = g_ptr_array_index (self->entries, i);
      double l, h;

      if (tacho_series_get_range (entry->series, &l, &h))
        low = MIN (low, l), high = MAX (high, h);
    }
  if (high > self->y.high || high < SHRINK_BELOW * self->y.high)
    self->y_reference = high;
  if (low == 0.0 && self->y_reference <= 0.0)
    self->y_reference = 1.0;
  tacho_axis_init (axis, low, MAX (self->y_reference, high), MAX_TICKS, TRUE);
}

/* Leaves out ticks that would stand too close, never the one at zero. The range stays. */
static void
thin_out (TachoAxis *axis, double height, double spacing)
{
  double pixels = height * axis->step / (axis->high - axis->low);
  double every = pixels > 0.0 ? ceil (spacing / pixels) : 1.0;
  double step, last;

  if (!(every > 1.0 && every <= MAX_TICKS))
    return;
  step = axis->step * every;
  axis->first = ceil (axis->low / step - 1e-6) * step;
  last = floor (axis->high / step + 1e-6) * step;
  axis->n_ticks = last < axis->first ? 0 : (guint) ((last - axis->first) / step + 0.5) + 1;
  axis->step = step;
}

/* Grid lines and y labels. Returns the width of the labels in `room`. */
static void
update_y (TachoChart *self, const TachoAxis *whole, graphene_rect_t *plot)
{
  TachoAxis shown = *whole, *axis = &shown;
  float widest = 0, line = self->line;
  int scale = gtk_widget_get_scale_factor (GTK_WIDGET (self));
  g_autoptr (GPtrArray) labels = NULL;
  GskRenderNode *grid;
  GtkSnapshot *snapshot;

  thin_out (axis, (double) plot->size.height, (double) line * 1.7);
  labels = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < axis->n_ticks; i++)
    {
      g_autofree char *text = tacho_axis_format (whole, axis->first + i * axis->step);
      PangoLayout *layout = tacho_chart_make_text (self, text, FALSE);
      int width;

      pango_layout_get_pixel_size (layout, &width, NULL);
      widest = MAX (widest, (float) width);
      g_ptr_array_add (labels, layout);
    }
  plot->origin.x = widest + GAP;
  plot->size.width = MAX (gtk_widget_get_width (GTK_WIDGET (self)) - plot->origin.x, 1.0f);
  snapshot = gtk_snapshot_new ();
  for (guint i = 0; i < labels->len; i++)
    {
      double fraction = tacho_axis_to_fraction (axis, axis->first + i * axis->step);
      PangoLayout *layout = g_ptr_array_index (labels, i);
      int width;

      pango_layout_get_pixel_size (layout, &width, NULL);
      tacho_chart_append_text (
          snapshot, layout, widest - (float) width,
          plot->origin.y + (float) (1.0 - fraction) * plot->size.height - line / 2, &self->dim);
    }
  grid =
      tacho_chart_paint_grid (NULL, axis, plot->size.width, plot->size.height, scale, &self->grid);
  if (grid)
    {
      gtk_snapshot_translate (snapshot, &plot->origin);
      gtk_snapshot_append_node (snapshot, grid);
      gsk_render_node_unref (grid);
    }
  g_clear_pointer (&self->y_node, gsk_render_node_unref);
  self->y_node = tacho_chart_finish_node (snapshot);
}

static void
update_x (TachoChart *self)
{
  float width = (float) gtk_widget_get_width (GTK_WIDGET (self));
  float y = self->plot.origin.y + self->plot.size.height + 3, free_from = 0;
  GtkSnapshot *snapshot = gtk_snapshot_new ();

  for (guint i = 0; i < self->x.n_ticks; i++)
    {
      double value = self->x.first + i * self->x.step;
      double fraction = tacho_axis_to_fraction (&self->x, value);
      g_autofree char *text = NULL;
      g_autoptr (PangoLayout) layout = NULL;
      int text_width;
      float left;

      text = tacho_chart_is_time (self) ? tacho_axis_format_time (&self->x, value)
                                        : tacho_axis_format (&self->x, value);
      /* Of a clock each label has its unit; else the last one says it for all. */
      if (!tacho_chart_is_time (self) && i + 1 == self->x.n_ticks && *self->x_unit != '\0')
        {
          g_autofree char *number = g_steal_pointer (&text);

          text = g_strdup_printf ("%s\302\240%s", number, self->x_unit);
        }
      layout = tacho_chart_make_text (self, text, FALSE);
      pango_layout_get_pixel_size (layout, &text_width, NULL);
      left =
          self->plot.origin.x + (float) fraction * self->plot.size.width - (float) text_width / 2;
      left = CLAMP (left, 0.0f, MAX (width - (float) text_width, 0.0f));
      if (left < free_from)
        continue;
      free_from = left + (float) text_width + GAP;
      tacho_chart_append_text (snapshot, layout, left, y, &self->dim);
    }
  g_clear_pointer (&self->x_node, gsk_render_node_unref);
  self->x_node = tacho_chart_finish_node (snapshot);
}

/* Axes, plot and the labels around it. TRUE if the data must be painted anew. */
gboolean
tacho_chart_update_axes (TachoChart *self)
{
  float line = self->line, height = (float) gtk_widget_get_height (GTK_WIDGET (self));
  graphene_rect_t plot = self->plot;
  double first, view_last, low = 0.0, last = TACHO_CHART_MIN_TIME_SPAN;
  gboolean plot_moved, y_changed, x_changed;
  TachoAxis x, y;

  plot.origin.y = ceilf (self->header_height + GAP + line / 2);
  plot.size.height = MAX (floorf (height - line - 3 - plot.origin.y), 1.0f);
  plot_moved = plot.origin.y != self->plot.origin.y || plot.size.height != self->plot.size.height;
  choose_y (self, &y);
  y_changed = plot_moved || !same_axis (&y, &self->y) || !self->y_node;
  if (y_changed)
    update_y (self, &y, &plot);
  plot_moved |= !graphene_rect_equal (&plot, &self->plot);
  self->plot = plot;
  self->y = y;

  if (tacho_chart_group_get_extent (self->group, &first, &last))
    last = tacho_chart_is_time (self) ? MAX (last, TACHO_CHART_MIN_TIME_SPAN) : last;
  if (!(last > 0.0))
    last = TACHO_CHART_MIN_TIME_SPAN;
  if (tacho_chart_group_get_view (self->group, &first, &view_last))
    low = first, last = view_last;
  if (tacho_chart_is_time (self))
    tacho_axis_init_time (&x, low, last, (guint) CLAMP (plot.size.width / 64.0f, 2.0f, 9.0f));
  else
    tacho_axis_init (&x, low, last, (guint) CLAMP (plot.size.width / 64.0f, 2.0f, 9.0f), FALSE);
  x_changed = plot_moved || !same_axis (&x, &self->x) || !self->x_node;
  self->x = x;
  if (x_changed)
    update_x (self);
  return x_changed || y_changed;
}
