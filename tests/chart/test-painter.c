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
  /* On both sides of zero two ticks are never enough: no endless search. */
  tacho_axis_init (&axis, -3, 20, 2, TRUE);
  g_assert_cmpfloat (axis.low, ==, -20);
  g_assert_cmpfloat (axis.high, ==, 20);
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

static void
test_labels (void)
{
  static const struct
  {
    double low, high, value;
    const char *label;
  } cases[] = {
    { 0, 1, 0.4, "0.4" },       { 0, 10, 4, "4" },          { 0, 930, 800, "800" },
    { 0, 8000, 6000, "6000" },  { 0, 50000, 20000, "20k" }, { 10000, 11000, 10200, "10.2k" },
    { 0, 50000, 0, "0" },       { 0, 4e7, 2e7, "20M" },     { 0, 5e10, 1e10, "10G" },
    { 0, 5e13, 1e13, "10T" },   { -50, 50, -20, "−20" },    { 0, 0.0008, 0.0002, "0.0002" },
    { 0, 1e18, 2e17, "2e+17" }, { 0, 10, NAN, "–" },        { 0, 10, INFINITY, "–" },
    { -1, 1, -1e-20, "0.0" },
  };
  static const struct
  {
    double high, value;
    const char *label;
  } times[] = {
    { 10, 4, "4 s" },          { 1, 0.2, "0.2 s" },          { 120, 100, "100 s" },
    { 121, 60, "1:00" },       { 300, 185, "3:05" },         { 300, 59.7, "1:00" },
    { 7200, 5400, "1:30:00" }, { 90000, 86400, "24:00:00" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *label = NULL;
      TachoAxis axis;

      tacho_axis_init (&axis, cases[i].low, cases[i].high, 6, TRUE);
      label = tacho_axis_format (&axis, cases[i].value);
      g_assert_cmpstr (label, ==, cases[i].label);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    {
      g_autofree char *label = NULL;
      TachoAxis axis;

      tacho_axis_init_time (&axis, 0, times[i].high, 6);
      label = tacho_axis_format_time (&axis, times[i].value);
      g_assert_cmpstr (label, ==, times[i].label);
    }
}

/* Whatever the range, ticks lie within it, labels differ, and a time axis has clock steps. */
static void
test_ticks (void)
{
  for (int i = 0; i < 3000; i++)
    {
      double low = g_test_rand_double_range (-1, 1) * pow (10, g_test_rand_int_range (-6, 9));
      double high = low + pow (10, g_test_rand_double_range (-6, 9));
      guint most = (guint) g_test_rand_int_range (2, 12);
      gboolean clock = g_test_rand_bit ();
      TachoAxis axis;

      if (clock)
        tacho_axis_init_time (&axis, 0, high - low, most);
      else
        tacho_axis_init (&axis, low, high, most, g_test_rand_bit ());
      g_assert_cmpfloat (axis.low, <, axis.high);
      /* A step that just fits has a tick at either end of the clock. */
      g_assert_cmpuint (axis.n_ticks, <=, clock ? most + 1 : MAX (most, low < 0 ? 3 : 2));
      if (axis.n_ticks > 0)
        {
          double last = axis.first + (axis.n_ticks - 1) * axis.step;

          g_assert_cmpfloat (axis.first, >=, axis.low - axis.step * 1e-5);
          g_assert_cmpfloat (last, <=, axis.high + axis.step * 1e-5);
        }
      g_assert_cmpfloat (tacho_axis_to_fraction (&axis, axis.low), ==, 0);
      g_assert_cmpfloat (tacho_axis_to_fraction (&axis, axis.high), ==, 1);
    }
}

static void
test_area (void)
{
  g_autoptr (TachoSeries) series = tacho_series_new ("a", TACHO_SERIES_AREA);
  g_autofree guint32 *pixels = NULL;

  tacho_series_append (series, 0, 50, 0);
  tacho_series_append (series, 100, 50, 0);
  pixels = render (series, 100, 100, 100, 100, 1);
  for (int row = 0; row < 100; row++)
    {
      guint32 alpha = pixels[row * 100 + 50] >> 24;

      if (row < 49)
        g_assert_cmpuint (alpha, ==, 0);
      else if (row < 51)
        g_assert_cmpuint (alpha, ==, 255);
      else
        {
          /* Visible, and faint enough to see a grid through. */
          g_assert_cmpuint (alpha, >=, 20);
          g_assert_cmpuint (alpha, <=, 80);
        }
    }
}

static void
test_grid (void)
{
  GdkRGBA grey = { 0.5f, 0.5f, 0.5f, 1 };
  TachoAxis x, y;
  GskRenderNode *node;

  tacho_axis_init (&x, 0, 100, 6, FALSE);
  tacho_axis_init (&y, 0, 100, 6, TRUE);
  node = tacho_chart_paint_grid (NULL, &y, 200, 100, 2, &grey);
  g_assert_nonnull (node);
  g_assert_cmpuint (gsk_container_node_get_n_children (node), ==, y.n_ticks);
  for (guint i = 0; i < y.n_ticks; i++)
    {
      graphene_rect_t bounds;

      gsk_render_node_get_bounds (gsk_container_node_get_child (node, i), &bounds);
      g_assert_cmpfloat (bounds.size.height, ==, 0.5); /* one device pixel */
      g_assert_cmpfloat (bounds.size.width, ==, 200);
      g_assert_cmpfloat (bounds.origin.y, >=, 0);
      g_assert_cmpfloat (bounds.origin.y, <=, 99.5);
    }
  gsk_render_node_unref (node);
  node = tacho_chart_paint_grid (&x, &y, 200, 100, 1, &grey);
  g_assert_cmpuint (gsk_container_node_get_n_children (node), ==, x.n_ticks + y.n_ticks);
  gsk_render_node_unref (node);
  g_assert_null (tacho_chart_paint_grid (NULL, NULL, 200, 100, 1, &grey));
}

static void
test_nothing (void)
{
  g_autoptr (TachoSeries) series = tacho_series_new ("a", TACHO_SERIES_LINE);
  GdkRGBA red = { 1, 0, 0, 1 };
  TachoAxis axis;

  tacho_axis_init (&axis, 0, 10, 5, FALSE);
  g_assert_null (tacho_chart_paint_series (series, &axis, &axis, 100, 100, 1, &red));
  tacho_series_append (series, 5, NAN, 0);
  g_assert_null (tacho_chart_paint_series (series, &axis, &axis, 100, 100, 1, &red));
  tacho_series_append (series, 5, 5, 0);
  g_assert_null (tacho_chart_paint_series (series, &axis, &axis, 0, 100, 1, &red));
  g_assert_null (tacho_chart_paint_series (series, &axis, &axis, 100, 0, 1, &red));
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
  g_test_add_func ("/chart/axis/labels", test_labels);
  g_test_add_func ("/chart/axis/ticks", test_ticks);
  g_test_add_func ("/chart/painter/area", test_area);
  g_test_add_func ("/chart/painter/grid", test_grid);
  g_test_add_func ("/chart/painter/nothing", test_nothing);
  return g_test_run ();
}
