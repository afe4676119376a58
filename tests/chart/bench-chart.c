/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a frame of a chart costs. Prints JSON: for each number of points the median time to build
 * the render node of one changed series, and to draw that node in software. Needs no display. */

#include "chart/tacho-chart-painter.h"

#include <math.h>
#include <stdlib.h>

#define WIDTH 800
#define HEIGHT 240
#define ROUNDS 41

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static double
median_ms (double *times)
{
  qsort (times, ROUNDS, sizeof *times, compare);
  return times[ROUNDS / 2] * 1e3;
}

static void
measure (GskRenderer *renderer,
         TachoSeriesKind kind,
         const char *kind_name,
         int points,
         double scale)
{
  g_autoptr (TachoSeries) series = tacho_series_new ("bench", kind);
  double build[ROUNDS], render[ROUNDS];
  GdkRGBA color = { 0, 0.36f, 0.69f, 1 };
  /* A scale of one is the identity, which GSK writes as NULL. */
  GskTransform *transform =
      scale > 1.0 ? gsk_transform_scale (NULL, (float) scale, (float) scale) : NULL;
  guint n_nodes = 0;
  TachoAxis x, y;

  for (int i = 0; i < points; i++)
    {
      double value = 600 + 200 * sin (i * 20.0 / points) + g_random_double_range (-80, 80);

      tacho_series_append (series, i * 60.0 / points, value, value + 100);
    }
  tacho_axis_init_time (&x, 0, 60, 8);
  tacho_axis_init (&y, 0, 1000, 6, TRUE);
  for (int round = 0; round < ROUNDS; round++)
    {
      GTimer *timer = g_timer_new ();
      GskRenderNode *node, *scaled;
      GdkTexture *texture;

      tacho_series_set_last (series, 60, 500 + round, 600);
      g_timer_start (timer);
      node = tacho_chart_paint_series (series, &x, &y, WIDTH, HEIGHT, scale, &color);
      build[round] = g_timer_elapsed (timer, NULL);
      g_timer_start (timer);
      scaled = transform ? gsk_transform_node_new (node, transform) : gsk_render_node_ref (node);
      texture = gsk_renderer_render_texture (
          renderer, scaled,
          &GRAPHENE_RECT_INIT (0, 0, (float) (WIDTH * scale), (float) (HEIGHT * scale)));
      render[round] = g_timer_elapsed (timer, NULL);
      n_nodes = gsk_container_node_get_n_children (node);
      g_object_unref (texture);
      gsk_render_node_unref (scaled);
      gsk_render_node_unref (node);
      g_timer_destroy (timer);
    }
  gsk_transform_unref (transform);
  g_print ("{\"kind\": \"%s\", \"points\": %d, \"scale\": %.0f, \"nodes\": %u, \"build_ms\": %.3f, "
           "\"render_ms\": %.3f}",
           kind_name, points, scale, n_nodes, median_ms (build), median_ms (render));
}

int
main (void)
{
  static const int points[] = { 600, 10000, 1000000 };
  static const struct
  {
    TachoSeriesKind kind;
    const char *name;
  } kinds[] = { { TACHO_SERIES_LINE, "line" },
                { TACHO_SERIES_AREA, "area" },
                { TACHO_SERIES_BAND, "band" } };
  GskRenderer *renderer = gsk_cairo_renderer_new ();
  g_autoptr (GError) error = NULL;
  const char *separator = "";

  /* What gtk_init() would do. */
  g_type_ensure (GSK_TYPE_COLOR_NODE);
  g_type_ensure (GSK_TYPE_CONTAINER_NODE);
  g_type_ensure (GSK_TYPE_TRANSFORM_NODE);
  g_random_set_seed (1);
  if (!gsk_renderer_realize (renderer, NULL, &error))
    g_error ("The software renderer does not start: %s", error->message);
  g_print ("{\"benchmark\": \"chart-paint\", \"width\": %d, \"height\": %d, \"rounds\": %d, "
           "\"results\": [\n",
           WIDTH, HEIGHT, ROUNDS);
  for (gsize k = 0; k < G_N_ELEMENTS (kinds); k++)
    for (gsize i = 0; i < G_N_ELEMENTS (points); i++)
      for (int scale = 1; scale <= 2; scale++)
        {
          g_print ("%s", separator);
          measure (renderer, kinds[k].kind, kinds[k].name, points[i], scale);
          separator = ",\n";
        }
  g_print ("\n]}\n");
  gsk_renderer_unrealize (renderer);
  g_object_unref (renderer);
  return 0;
}
