/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a frame of a chart costs: for each number of points the time to build the render node of one
 * changed series and to draw that node in software. Needs no display. */

#include "chart/tacho-chart-painter.h"

#include "tacho-bench-report.h"

#include <math.h>

#define WIDTH 800
#define HEIGHT 240
#define ROUNDS 31
#define GOAL_MS 6

static void
measure (TachoBenchReport *report,
         GskRenderer *renderer,
         TachoSeriesKind kind,
         const char *kind_name,
         int points,
         double scale)
{
  g_autoptr (TachoSeries) series = tacho_series_new ("bench", kind);
  g_autofree char *name = g_strdup_printf ("%s/%d-points/scale-%.0f", kind_name, points, scale);
  guint n_rounds = tacho_bench_report_choose (report, ROUNDS, 3);
  TachoRounds frames = { 0 }, empty = { 0 };
  GdkRGBA color = { 0, 0.36f, 0.69f, 1 };
  /* A scale of one is the identity, which GSK writes as NULL. */
  GskTransform *transform =
      scale > 1.0 ? gsk_transform_scale (NULL, (float) scale, (float) scale) : NULL;
  graphene_rect_t area =
      GRAPHENE_RECT_INIT (0, 0, (float) (WIDTH * scale), (float) (HEIGHT * scale));
  TachoAxis x, y;

  for (int i = 0; i < points; i++)
    {
      double value = 600 + 200 * sin (i * 20.0 / points) + g_random_double_range (-80, 80);

      tacho_series_append (series, i * 60.0 / points, value, value + 100);
    }
  tacho_axis_init_time (&x, 0, 60, 8);
  tacho_axis_init (&y, 0, 1000, 6, TRUE);
  for (guint round = 0; round < n_rounds; round++)
    {
      GTimer *timer = g_timer_new ();
      GskRenderNode *node, *scaled;
      GdkTexture *texture;

      tacho_series_set_last (series, 60, 500 + round, 600);
      g_timer_start (timer);
      node = tacho_chart_paint_series (series, &x, &y, WIDTH, HEIGHT, scale, &color);
      scaled = transform ? gsk_transform_node_new (node, transform) : gsk_render_node_ref (node);
      texture = gsk_renderer_render_texture (renderer, scaled, &area);
      tacho_rounds_add (&frames, 1e3 * g_timer_elapsed (timer, NULL));
      g_object_unref (texture);
      gsk_render_node_unref (scaled);
      gsk_render_node_unref (node);
      g_timer_start (timer);
      node = gsk_color_node_new (&color, &area);
      texture = gsk_renderer_render_texture (renderer, node, &area);
      tacho_rounds_add (&empty, 1e3 * g_timer_elapsed (timer, NULL));
      g_object_unref (texture);
      gsk_render_node_unref (node);
      g_timer_destroy (timer);
    }
  gsk_transform_unref (transform);
  tacho_bench_report_add (report, &(TachoFigure){ .name = name,
                                                  .unit = "ms",
                                                  .rounds = &frames,
                                                  .reference_name = "one colour",
                                                  .reference = &empty,
                                                  .goal = TACHO_GOAL_AT_MOST,
                                                  .limit = GOAL_MS });
}

int
main (int argc, char **argv)
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
  TachoBenchReport *report = tacho_bench_report_new ("chart-paint", argc, argv);
  guint n_points = tacho_bench_report_choose (report, G_N_ELEMENTS (points), 2);

  /* What gtk_init() would do. */
  g_type_ensure (GSK_TYPE_COLOR_NODE);
  g_type_ensure (GSK_TYPE_CONTAINER_NODE);
  g_type_ensure (GSK_TYPE_TRANSFORM_NODE);
  g_random_set_seed (1);
  if (!gsk_renderer_realize (renderer, NULL, &error))
    g_error ("The software renderer does not start: %s", error->message);
  for (gsize k = 0; k < G_N_ELEMENTS (kinds); k++)
    for (guint i = 0; i < n_points; i++)
      for (int scale = 1; scale <= 2; scale++)
        if (tacho_bench_report_wants (report, kinds[k].name))
          measure (report, renderer, kinds[k].kind, kinds[k].name, points[i], scale);
  gsk_renderer_unrealize (renderer);
  g_object_unref (renderer);
  return tacho_bench_report_finish (report);
}
