/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A chart as a picture: what is on the screen, without the crosshair, on the ground below it. */

#define G_LOG_DOMAIN "tacho-chart"

#include "config.h"

#include "chart/tacho-chart-private.h"

#include <cairo-svg.h>

#define MARGIN 12.0f

static GskRenderNode *
make_node (TachoChart *self, float *width, float *height)
{
  GtkSnapshot *snapshot = gtk_snapshot_new ();
  gboolean pointer = self->pointer_inside, cursor = self->cursor_shown;

  *width = (float) gtk_widget_get_width (GTK_WIDGET (self)) + 2 * MARGIN;
  *height = (float) gtk_widget_get_height (GTK_WIDGET (self)) + 2 * MARGIN;
  gtk_snapshot_append_color (snapshot, &self->ground, &GRAPHENE_RECT_INIT (0, 0, *width, *height));
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT (MARGIN, MARGIN));
  self->pointer_inside = self->cursor_shown = FALSE;
  self->picturing = TRUE;
  tacho_chart_draw (self, snapshot);
  self->picturing = FALSE;
  self->pointer_inside = pointer;
  self->cursor_shown = cursor;
  return tacho_chart_finish_node (snapshot);
}

/**
 * tacho_chart_to_texture:
 * @self: a chart that is on the screen
 * @scale: pixels for each logical pixel
 *
 * Returns: (transfer full): its picture
 */
GdkTexture *
tacho_chart_to_texture (TachoChart *self, int scale)
{
  float width, height;
  g_autoptr (GskRenderNode) node = NULL;
  g_autoptr (GBytes) bytes = NULL;
  cairo_surface_t *surface;
  cairo_t *cr;
  GdkTexture *texture;

  g_return_val_if_fail (TACHO_IS_CHART (self), NULL);

  node = make_node (self, &width, &height);
  surface =
      cairo_image_surface_create (CAIRO_FORMAT_ARGB32, (int) width * scale, (int) height * scale);
  cairo_surface_set_device_scale (surface, scale, scale);
  cr = cairo_create (surface);
  gsk_render_node_draw (node, cr);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  bytes = g_bytes_new (cairo_image_surface_get_data (surface),
                       (gsize) cairo_image_surface_get_stride (surface) *
                           (gsize) cairo_image_surface_get_height (surface));
  texture = gdk_memory_texture_new (cairo_image_surface_get_width (surface),
                                    cairo_image_surface_get_height (surface), GDK_MEMORY_DEFAULT,
                                    bytes, (gsize) cairo_image_surface_get_stride (surface));
  cairo_surface_destroy (surface);
  return texture;
}

static cairo_status_t
write_cb (void *closure, const unsigned char *data, unsigned int length)
{
  g_byte_array_append (closure, data, length);
  return CAIRO_STATUS_SUCCESS;
}

/**
 * tacho_chart_to_svg:
 * @self: a chart that is on the screen
 *
 * Returns: (transfer full): its picture as SVG; letters are outlines
 */
GBytes *
tacho_chart_to_svg (TachoChart *self)
{
  GByteArray *array = g_byte_array_new ();
  float width, height;
  g_autoptr (GskRenderNode) node = NULL;
  cairo_surface_t *surface;
  cairo_t *cr;

  g_return_val_if_fail (TACHO_IS_CHART (self), NULL);

  node = make_node (self, &width, &height);
  surface = cairo_svg_surface_create_for_stream (write_cb, array, (double) width, (double) height);
  cairo_svg_surface_set_document_unit (surface, CAIRO_SVG_UNIT_PX);
  cr = cairo_create (surface);
  gsk_render_node_draw (node, cr);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
  return g_byte_array_free_to_bytes (array);
}
