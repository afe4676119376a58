/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Axis, series and painter, without a display. */

#include <math.h>

#include "chart/tacho-axis.h"
#include "chart/tacho-chart-painter.h"
#include "chart/tacho-series.h"

static void
test_axis (void)
{
  static const double bounds[][2] = {
    { 0, 0 },      { 5, 5 },         { NAN, NAN }, { NAN, 3 }, { -INFINITY, INFINITY },
    { 0, 1e-300 }, { 1e300, 1e305 }, { -7, -3 },   { 9, 2 },   { 0, 1e-7 }
  };
  TachoAxis axis;
  g_autofree char *label = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (bounds); i++)
    for (int round = 0; round < 2; round++)
      {
        tacho_axis_init (&axis, bounds[i][0], bounds[i][1], 5, round);
        g_assert_true (isfinite (axis.low) && isfinite (axis.high) && axis.low < axis.high);
        g_assert_cmpuint (axis.n_ticks, >=, 1);
        g_assert_cmpuint (axis.n_ticks, <=, 5);
      }
  tacho_axis_init (&axis, 0, 930, 6, TRUE);
  g_assert_cmpfloat (axis.step, ==, 200);
  g_assert_cmpfloat (axis.high, ==, 1000);
  g_assert_cmpuint (axis.n_ticks, ==, 6);
  tacho_axis_init_time (&axis, 0, 300, 6);
  g_assert_cmpfloat (axis.step, ==, 60);
  label = tacho_axis_format_time (&axis, 185);
  g_assert_cmpstr (label, ==, "3:05");
}

static void
check_extent (const TachoSeries *series, gsize from, gsize to)
{
  const double *ys = tacho_series_get_y (series);
  double low = INFINITY, high = -INFINITY, l = 0, h = 0;
  gboolean found;

  for (gsize i = from; i < to; i++)
    if (!isnan (ys[i]))
      low = MIN (low, ys[i]), high = MAX (high, ys[i]);
  found = tacho_series_get_extent (series, from, to, &l, &h);
  g_assert_cmpint (found, ==, low <= high);
  if (found)
    {
      g_assert_cmpfloat (l, ==, low);
      g_assert_cmpfloat (h, ==, high);
    }
}

static void
test_pyramid (void)
{
  g_autoptr (TachoSeries) series = tacho_series_new ("a", TACHO_SERIES_LINE);

  for (int i = 0; i < 6000; i++)
    {
      double y = g_test_rand_int_range (0, 9) == 0 ? NAN : g_test_rand_double_range (-5, 5);

      tacho_series_append (series, i, y, 0);
      if (g_test_rand_int_range (0, 4) == 0)
        tacho_series_set_last (series, i, g_test_rand_double_range (-9, 9), 0);
      if (i % 97 == 0 || i < 40)
        check_extent (series, 0, (gsize) i + 1);
    }
  for (int i = 0; i < 2000; i++)
    {
      gsize from = (gsize) g_test_rand_int_range (0, 6000);

      check_extent (series, from, (gsize) g_test_rand_int_range ((int) from, 6001));
    }
  g_assert_cmpint (tacho_series_nearest (series, 41.4), ==, 41);
  g_assert_cmpint (tacho_series_nearest (series, -3), ==, 0);
  g_assert_cmpint (tacho_series_nearest (series, 1e9), ==, 5999);
  g_assert_cmpint (tacho_series_nearest (series, NAN), ==, -1);
}

/* Renders at `scale`; returns ARGB pixels, w * h of them. */
static guint32 *
render (const TachoSeries *series,
        double x_high,
        double y_high,
        int width,
        int height,
        double scale)
{
  int w = (int) (width * scale), h = (int) (height * scale);
  GdkRGBA red = { 1, 0, 0, 1 };
  TachoAxis x, y;
  g_autoptr (GError) error = NULL;
  GskRenderer *renderer = gsk_cairo_renderer_new ();
  GskRenderNode *node, *scaled;
  GskTransform *transform = gsk_transform_scale (NULL, (float) scale, (float) scale);
  guint32 *pixels = g_new0 (guint32, (gsize) w * (gsize) h);
  GdkTexture *texture;

  tacho_axis_init (&x, 0, x_high, 5, FALSE);
  tacho_axis_init (&y, 0, y_high, 5, FALSE);
  node = tacho_chart_paint_series (series, &x, &y, width, height, scale, &red);
  g_assert_nonnull (node);
  g_assert_cmpuint (gsk_container_node_get_n_children (node), <=, 2 * (guint) w);
  /* A scale of one is the identity, which GSK writes as NULL. */
  scaled = transform ? gsk_transform_node_new (node, transform) : gsk_render_node_ref (node);
  gsk_renderer_realize (renderer, NULL, &error);
  g_assert_no_error (error);
  texture = gsk_renderer_render_texture (renderer, scaled, &GRAPHENE_RECT_INIT (0, 0, w, h));
  gdk_texture_download (texture, (guchar *) pixels, (gsize) w * 4);
  g_object_unref (texture);
  gsk_render_node_unref (scaled);
  gsk_render_node_unref (node);
  gsk_transform_unref (transform);
  gsk_renderer_unrealize (renderer);
  g_object_unref (renderer);
  return pixels;
}

static void
test_flat_and_gap (void)
{
  g_autoptr (TachoSeries) series = tacho_series_new ("a", TACHO_SERIES_LINE);

  for (int i = 0; i <= 100; i++)
    tacho_series_append (series, i, i > 40 && i < 60 ? NAN : 50, 0);
  for (int scale = 1; scale <= 2; scale++)
    {
      int w = 100 * scale, h = 100 * scale, weight = scale == 1 ? 2 : 3;
      g_autofree guint32 *pixels = render (series, 100, 100, 100, 100, scale);

      for (int column = 0; column < w; column++)
        {
          gboolean gap = column > 40 * scale && column < 60 * scale - 1;
          int n = 0;

          for (int row = 0; row < h; row++)
            if (pixels[row * w + column] != 0)
              {
                g_assert_cmphex (pixels[row * w + column], ==, 0xffff0000u);
                g_assert_cmpint (ABS (row - h / 2), <=, 2);
                n++;
              }
          if (gap)
            g_assert_cmpint (n, ==, 0);
          else if (column < 40 * scale || column >= 60 * scale)
            g_assert_cmpint (n, ==, weight);
        }
    }
}

static void
test_spike (void)
{
  g_autoptr (TachoSeries) series = tacho_series_new ("a", TACHO_SERIES_LINE);
  g_autofree guint32 *pixels = NULL;
  int columns = 0;

  for (int i = 0; i < 100000; i++)
    tacho_series_append (series, i, i == 50050 ? 100 : 0, 0);
  pixels = render (series, 100000, 100, 200, 100, 1);
  for (int column = 0; column < 200; column++)
    columns += pixels[10 * 200 + column] != 0;
  g_assert_cmpint (columns, ==, 1);
  g_assert_cmphex (pixels[100], ==, 0xffff0000u);
}

static void
test_band (void)
{
  g_autoptr (TachoSeries) series = tacho_series_new ("a", TACHO_SERIES_BAND);
  g_autofree guint32 *pixels = NULL;

  tacho_series_append (series, 0, 25, 75);
  tacho_series_append (series, 100, 25, 75);
  pixels = render (series, 100, 100, 100, 100, 1);
  for (int row = 0; row < 100; row++)
    g_assert_cmpint (pixels[row * 100 + 50] != 0, ==, row >= 25 && row < 75);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_type_ensure (GSK_TYPE_COLOR_NODE);
  g_type_ensure (GSK_TYPE_CONTAINER_NODE);
  g_type_ensure (GSK_TYPE_TRANSFORM_NODE);
  g_test_add_func ("/chart/axis", test_axis);
  g_test_add_func ("/chart/series/pyramid", test_pyramid);
  g_test_add_func ("/chart/painter/flat-and-gap", test_flat_and_gap);
  g_test_add_func ("/chart/painter/spike", test_spike);
  g_test_add_func ("/chart/painter/band", test_band);
  return g_test_run ();
}
