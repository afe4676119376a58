/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The drawing of a chart. Every part is a node that is kept until what it shows has changed. */

#define G_LOG_DOMAIN "tacho-chart"

#include "config.h"

#include "chart/tacho-chart-painter.h"
#include "chart/tacho-chart-private.h"

#include <glib/gi18n.h>
#include <math.h>

#define GAP 6.0f
#define SWATCH 12.0f
#define ITEM_GAP 14.0f
#define MIN_PLOT_HEIGHT 48.0f

static gboolean
is_rtl (TachoChart *self)
{
  return gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL;
}

/* From the start edge to the left edge. */
static float
from_start (TachoChart *self, float start, float width)
{
  return is_rtl (self) ? (float) gtk_widget_get_width (GTK_WIDGET (self)) - start - width : start;
}

void
tacho_chart_forget_nodes (TachoChart *self)
{
  g_clear_pointer (&self->title_node, gsk_render_node_unref);
  g_clear_pointer (&self->legend_node, gsk_render_node_unref);
  g_clear_pointer (&self->x_node, gsk_render_node_unref);
  g_clear_pointer (&self->y_node, gsk_render_node_unref);
  for (guint i = 0; i < self->entries->len; i++)
    {
      TachoChartEntry *entry = g_ptr_array_index (self->entries, i);

      g_clear_pointer (&entry->node, gsk_render_node_unref);
      entry->node_revision = 0;
      entry->legend_revision = 0;
      entry->latest_width = 0;
    }
}

GskRenderNode *
tacho_chart_finish_node (GtkSnapshot *snapshot)
{
  GskRenderNode *node = gtk_snapshot_free_to_node (snapshot);

  /* An empty part is cached as well. */
  return node ? node : gsk_container_node_new (NULL, 0);
}

static void
update_title (TachoChart *self)
{
  GtkSnapshot *snapshot;
  g_autoptr (PangoLayout) title = NULL, unit = NULL;
  int title_width, unit_width, height, room = gtk_widget_get_width (GTK_WIDGET (self));

  if (self->title_node)
    return;
  snapshot = gtk_snapshot_new ();
  title = tacho_chart_make_text (self, self->title, TRUE);
  unit = tacho_chart_make_text (self, self->unit, FALSE);
  pango_layout_get_pixel_size (unit, &unit_width, NULL);
  pango_layout_get_pixel_size (title, &title_width, &height);
  self->line = (float) height;
  if (title_width + unit_width + (int) GAP > room)
    {
      title_width = MAX (room - unit_width - (int) GAP, room / 2);
      unit_width = MAX (room - title_width - (int) GAP, 0);
      pango_layout_set_width (title, title_width * PANGO_SCALE);
      pango_layout_set_width (unit, unit_width * PANGO_SCALE);
    }
  tacho_chart_append_text (snapshot, title, from_start (self, 0, (float) title_width), 0,
                           &self->foreground);
  tacho_chart_append_text (
      snapshot, unit,
      from_start (self, (float) title_width + (title_width ? GAP : 0), (float) unit_width), 0,
      &self->dim);
  self->title_node = tacho_chart_finish_node (snapshot);
}

static void
append_swatch (TachoChart *self,
               GtkSnapshot *snapshot,
               const TachoChartEntry *entry,
               float x,
               float middle)
{
  gboolean line = tacho_series_get_kind (entry->series) == TACHO_SERIES_LINE;
  float height = line ? 3.0f : 8.0f;
  GdkRGBA color = self->colors[entry->color];
  graphene_rect_t rect = GRAPHENE_RECT_INIT (x, floorf (middle - height / 2), SWATCH, height);
  GskRoundedRect rounded;

  gsk_rounded_rect_init_from_rect (&rounded, &rect, line ? 1.5f : 2.0f);
  gtk_snapshot_push_rounded_clip (snapshot, &rounded);
  if (!line)
    color.alpha *= 0.4f;
  gtk_snapshot_append_color (snapshot, &color, &rect);
  if (tacho_series_get_kind (entry->series) == TACHO_SERIES_AREA)
    {
      rect.size.height = 2.0f;
      gtk_snapshot_append_color (snapshot, &self->colors[entry->color], &rect);
    }
  gtk_snapshot_pop (snapshot);
}

/* TRUE if a latest value reads differently now. */
static gboolean
update_latest (TachoChart *self)
{
  gboolean changed = FALSE;

  for (guint i = 0; i < self->entries->len; i++)
    {
      TachoChartEntry *entry = g_ptr_array_index (self->entries, i);
      gsize length = tacho_series_get_length (entry->series);
      char *text;

      if (entry->legend_revision == tacho_series_get_revision (entry->series))
        continue;
      entry->legend_revision = tacho_series_get_revision (entry->series);
      text = length ? tacho_chart_format_point (self, entry->series, length - 1) : g_strdup ("–");
      changed |= g_strcmp0 (text, entry->latest) != 0;
      g_free (entry->latest);
      entry->latest = text;
    }
  return changed;
}

static void
update_legend (TachoChart *self)
{
  float width = (float) gtk_widget_get_width (GTK_WIDGET (self));
  float height = (float) gtk_widget_get_height (GTK_WIDGET (self));
  float line = self->line, x = 0, y = line + 2;
  GtkSnapshot *snapshot;

  if (!update_latest (self) && self->legend_node)
    return;
  g_clear_pointer (&self->legend_node, gsk_render_node_unref);
  snapshot = gtk_snapshot_new ();
  for (guint i = 0; i < self->entries->len; i++)
    {
      TachoChartEntry *entry = g_ptr_array_index (self->entries, i);
      g_autoptr (PangoLayout) name = NULL, value = NULL;
      int name_width, value_width;
      float item, room;

      name = tacho_chart_make_text (self, tacho_series_get_name (entry->series), FALSE);
      value = tacho_chart_make_text (self, entry->latest, FALSE);
      pango_layout_get_pixel_size (name, &name_width, NULL);
      pango_layout_get_pixel_size (value, &value_width, NULL);
      entry->latest_width = MAX (entry->latest_width, value_width);
      room = width - SWATCH - (float) entry->latest_width - 2 * GAP;
      if ((float) name_width > room)
        {
          name_width = (int) MAX (room, 0);
          pango_layout_set_width (name, name_width * PANGO_SCALE);
        }
      item = SWATCH + (float) name_width + (float) entry->latest_width + 2 * GAP;
      if (x > 0 && x + item > width)
        x = 0, y += line + 1;
      if (y + 3 * line + MIN_PLOT_HEIGHT > height && y > line + 2)
        break; /* no room: the plot comes first, the crosshair names them all */
      append_swatch (self, snapshot, entry, from_start (self, x, SWATCH), y + line / 2);
      tacho_chart_append_text (
          snapshot, name, from_start (self, x + SWATCH + GAP, (float) name_width), y, &self->dim);
      tacho_chart_append_text (
          snapshot, value,
          from_start (self, x + SWATCH + 2 * GAP + (float) name_width, (float) value_width), y,
          &self->foreground);
      x += item + ITEM_GAP;
      self->header_height = y + line;
    }
  if (self->entries->len == 0)
    self->header_height = line;
  self->legend_node = tacho_chart_finish_node (snapshot);
}

static gboolean
has_values (TachoChart *self)
{
  double low, high;

  for (guint i = 0; i < self->entries->len; i++)
    {
      const TachoChartEntry *entry = g_ptr_array_index (self->entries, i);

      if (tacho_series_get_range (entry->series, &low, &high))
        return TRUE;
    }
  return FALSE;
}

static void
draw_data (TachoChart *self, GtkSnapshot *snapshot, gboolean all, gboolean lines)
{
  int scale = gtk_widget_get_scale_factor (GTK_WIDGET (self));

  for (guint i = 0; i < self->entries->len; i++)
    {
      TachoChartEntry *entry = g_ptr_array_index (self->entries, i);
      guint64 revision = tacho_series_get_revision (entry->series);

      if ((tacho_series_get_kind (entry->series) == TACHO_SERIES_LINE) != lines)
        continue;
      if (all || entry->node_revision != revision)
        {
          g_clear_pointer (&entry->node, gsk_render_node_unref);
          entry->node =
              tacho_chart_paint_series (entry->series, &self->x, &self->y, self->plot.size.width,
                                        self->plot.size.height, scale, &self->colors[entry->color]);
          entry->node_revision = revision;
        }
      if (entry->node)
        gtk_snapshot_append_node (snapshot, entry->node);
    }
}

static void
draw_empty (TachoChart *self, GtkSnapshot *snapshot)
{
  g_autoptr (PangoLayout) layout = tacho_chart_make_text (self, _ ("No data yet"), FALSE);
  float width = (float) gtk_widget_get_width (GTK_WIDGET (self));
  float height = (float) gtk_widget_get_height (GTK_WIDGET (self));
  int text_width, text_height;

  pango_layout_get_pixel_size (layout, &text_width, &text_height);
  tacho_chart_append_text (snapshot, layout, (width - (float) text_width) / 2,
                           (self->header_height + height - (float) text_height) / 2, &self->dim);
}

/* Called from snapshot. Bands and areas lie below the lines, the crosshair above all. */
void
tacho_chart_draw (TachoChart *self, GtkSnapshot *snapshot)
{
  gboolean all;

  if (gtk_widget_get_width (GTK_WIDGET (self)) <= 0)
    return;
  update_title (self);
  update_legend (self);
  gtk_snapshot_append_node (snapshot, self->title_node);
  gtk_snapshot_append_node (snapshot, self->legend_node);
  self->has_data = has_values (self);
  if (!self->has_data)
    {
      draw_empty (self, snapshot);
      return;
    }
  all = tacho_chart_update_axes (self);
  gtk_snapshot_append_node (snapshot, self->y_node);
  gtk_snapshot_append_node (snapshot, self->x_node);
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &self->plot.origin);
  draw_data (self, snapshot, all, FALSE);
  draw_data (self, snapshot, all, TRUE);
  gtk_snapshot_restore (snapshot);
  tacho_chart_draw_markers (self, snapshot);
  tacho_chart_draw_selection (self, snapshot);
  tacho_chart_draw_crosshair (self, snapshot);
}
