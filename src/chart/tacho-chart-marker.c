/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines across a chart that mean something: a limit, a place worth knowing. */

#define G_LOG_DOMAIN "tacho-chart"

#include "config.h"

#include "chart/tacho-chart-private.h"

#include <math.h>

#define DASH 4.0f

void
tacho_chart_marker_free (gpointer data)
{
  TachoChartMarker *marker = data;

  g_free (marker->label);
  g_free (marker);
}

/**
 * tacho_chart_add_marker:
 * @self: a chart
 * @value: where
 * @vertical: whether that is a position, not a value
 * @label: what it means, translated
 */
void
tacho_chart_add_marker (TachoChart *self, double value, gboolean vertical, const char *label)
{
  TachoChartMarker *marker;

  g_return_if_fail (TACHO_IS_CHART (self));

  marker = g_new0 (TachoChartMarker, 1);
  marker->value = value;
  marker->vertical = !!vertical;
  marker->label = g_utf8_make_valid (label, -1);
  g_ptr_array_add (self->markers, marker);
  tacho_chart_queue_update (self);
}

/**
 * tacho_chart_clear_markers:
 * @self: a chart
 */
void
tacho_chart_clear_markers (TachoChart *self)
{
  g_return_if_fail (TACHO_IS_CHART (self));

  g_ptr_array_set_size (self->markers, 0);
  tacho_chart_queue_update (self);
}

static void
draw_dashes (GtkSnapshot *snapshot, const GdkRGBA *color, graphene_rect_t line, gboolean vertical)
{
  float length = vertical ? line.size.height : line.size.width;

  for (float at = 0; at < length; at += 2 * DASH)
    {
      graphene_rect_t dash = line;

      if (vertical)
        {
          dash.origin.y += at;
          dash.size.height = MIN (DASH, length - at);
        }
      else
        {
          dash.origin.x += at;
          dash.size.width = MIN (DASH, length - at);
        }
      gtk_snapshot_append_color (snapshot, color, &dash);
    }
}

/* Called from the drawing, above the data. */
void
tacho_chart_draw_markers (TachoChart *self, GtkSnapshot *snapshot)
{
  for (guint i = 0; i < self->markers->len; i++)
    {
      const TachoChartMarker *marker = g_ptr_array_index (self->markers, i);
      const TachoAxis *axis = marker->vertical ? &self->x : &self->y;
      double fraction = tacho_axis_to_fraction (axis, marker->value);
      graphene_rect_t line = self->plot;
      g_autoptr (PangoLayout) layout = NULL;
      int width, height;
      float x, y;

      if (!(fraction >= 0 && fraction <= 1))
        continue;
      layout = tacho_chart_make_text (self, marker->label, FALSE);
      pango_layout_get_pixel_size (layout, &width, &height);
      if (marker->vertical)
        {
          line.origin.x += floorf ((float) fraction * line.size.width);
          line.size.width = 1;
          x = line.origin.x + 4;
          if (x + (float) width > self->plot.origin.x + self->plot.size.width)
            x = line.origin.x - 4 - (float) width;
          /* At the foot, where curves that rise leave room; one above the other, for two may stand
           * at the same place. */
          y = line.origin.y + line.size.height - (float) ((int) (i + 1) * height);
        }
      else
        {
          line.origin.y += floorf ((float) (1 - fraction) * line.size.height);
          line.size.height = 1;
          x = line.origin.x + 4;
          y = line.origin.y - (float) height;
          if (y < self->plot.origin.y)
            y = line.origin.y + 2;
        }
      draw_dashes (snapshot, &self->foreground, line, marker->vertical);
      tacho_chart_append_text (snapshot, layout, x, y, &self->foreground);
    }
}
