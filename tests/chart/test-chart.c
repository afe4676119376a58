/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The chart widget, in a window on a virtual screen. */

#include "chart/tacho-chart-private.h"

#include <math.h>
#include <string.h>

#define WIDTH 420
#define HEIGHT 200

typedef struct
{
  GtkWidget *window;
  TachoChart *chart;
  TachoSeries *line;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->chart = g_object_ref_sink (TACHO_CHART (tacho_chart_new ("Throughput", "tokens/s")));
  f->line = tacho_series_new ("output", TACHO_SERIES_LINE);
  tacho_chart_add_series (f->chart, f->line, 0);
  f->window = gtk_window_new ();
  gtk_widget_set_size_request (GTK_WIDGET (f->chart), WIDTH, HEIGHT);
  gtk_widget_set_halign (GTK_WIDGET (f->chart), GTK_ALIGN_START);
  gtk_widget_set_valign (GTK_WIDGET (f->chart), GTK_ALIGN_START);
  gtk_window_set_child (GTK_WINDOW (f->window), GTK_WIDGET (f->chart));
  gtk_window_present (GTK_WINDOW (f->window));
  gtk_test_widget_wait_for_draw (f->window);
  g_assert_true (gtk_widget_get_mapped (GTK_WIDGET (f->chart)));
  g_assert_cmpint (gtk_widget_get_width (GTK_WIDGET (f->chart)), ==, WIDTH);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  gtk_window_destroy (GTK_WINDOW (f->window));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_finalize_object (f->chart);
  tacho_series_unref (f->line);
}

static void
add_points (TachoSeries *series, int n, double step, double y)
{
  for (int i = 0; i < n; i++)
    tacho_series_append (series, i * step, y, y / 2);
}

static GskRenderNode *
snapshot (Fixture *f)
{
  GtkSnapshot *snap = gtk_snapshot_new ();

  GTK_WIDGET_GET_CLASS (f->chart)->snapshot (GTK_WIDGET (f->chart), snap);
  return gtk_snapshot_free_to_node (snap);
}

static void
draw (Fixture *f)
{
  GskRenderNode *node = snapshot (f);

  g_assert_nonnull (node);
  gsk_render_node_unref (node);
}

static guint32 *
pixels_of (Fixture *f)
{
  GskRenderer *renderer = gsk_cairo_renderer_new ();
  GskRenderNode *node = snapshot (f);
  guint32 *pixels = g_new0 (guint32, WIDTH * HEIGHT);
  g_autoptr (GError) error = NULL;
  GdkTexture *texture;

  g_assert_nonnull (node);
  gsk_renderer_realize (renderer, NULL, &error);
  g_assert_no_error (error);
  texture = gsk_renderer_render_texture (renderer, node, &GRAPHENE_RECT_INIT (0, 0, WIDTH, HEIGHT));
  gdk_texture_download (texture, (guchar *) pixels, WIDTH * 4);
  g_object_unref (texture);
  gsk_render_node_unref (node);
  gsk_renderer_unrealize (renderer);
  g_object_unref (renderer);
  return pixels;
}

static guint32
opaque (const GdkRGBA *color)
{
  return 0xff000000u | (guint32) (color->red * 255 + 0.5f) << 16 |
         (guint32) (color->green * 255 + 0.5f) << 8 | (guint32) (color->blue * 255 + 0.5f);
}

/* The upper of the two rows of a level line. */
static int
row_of (Fixture *f, double value)
{
  double fraction = 1.0 - tacho_axis_to_fraction (&f->chart->y, value);

  return (int) f->chart->plot.origin.y +
         (int) MAX (floor (fraction * (double) f->chart->plot.size.height - 0.5), 0.0);
}

static gboolean
press (Fixture *f, guint keyval)
{
  GListModel *controllers = gtk_widget_observe_controllers (GTK_WIDGET (f->chart));
  gboolean handled = FALSE, found = FALSE;

  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++)
    {
      g_autoptr (GObject) controller = g_list_model_get_item (controllers, i);

      if (!GTK_IS_EVENT_CONTROLLER_KEY (controller))
        continue;
      found = TRUE;
      g_signal_emit_by_name (controller, "key-pressed", keyval, 0u, (GdkModifierType) 0, &handled);
    }
  g_assert_true (found);
  g_object_unref (controllers);
  return handled;
}

static void
test_measure (Fixture *f, gconstpointer data)
{
  g_autoptr (GtkWidget) chart = g_object_ref_sink (tacho_chart_new ("a", "b"));
  int minimum, natural;

  gtk_widget_measure (chart, GTK_ORIENTATION_HORIZONTAL, -1, &minimum, &natural, NULL, NULL);
  g_assert_cmpint (minimum, ==, 240);
  g_assert_cmpint (natural, ==, 420);
  gtk_widget_measure (chart, GTK_ORIENTATION_VERTICAL, -1, &minimum, &natural, NULL, NULL);
  g_assert_cmpint (minimum, ==, 140);
  g_assert_cmpint (natural, ==, 200);
}

static void
assert_summary (TachoChart *chart, const char *expected)
{
  g_autofree char *summary = tacho_chart_summary (chart);

  g_assert_cmpstr (summary, ==, expected);
}

static void
test_summary (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoSeries) band = tacho_series_new ("spread", TACHO_SERIES_BAND);

  assert_summary (f->chart, "Throughput: No data yet.");
  tacho_series_append (f->line, 0, 700, 0);
  tacho_series_append (f->line, 20, 930, 0);
  tacho_series_append (f->line, 42, 812, 0);
  assert_summary (f->chart,
                  "Throughput: output 812\302\240tokens/s now, highest 930, lowest 700 over 42 s.");
  tacho_series_append (f->line, 185, NAN, 0);
  tacho_series_append (band, 60, 1.25, 0.5);
  tacho_chart_add_series (f->chart, band, 1);
  assert_summary (f->chart,
                  "Throughput: output no value now, highest 930, lowest 700; spread "
                  "0.50–1.25\302\240tokens/s now, highest 1.25, lowest 0.50 over 3 min 5 s.");
  g_object_set (f->chart, "title", "", "unit", "%", NULL);
  tacho_chart_remove_all (f->chart);
  assert_summary (f->chart, "No data yet.");
  tacho_chart_add_series (f->chart, band, 1);
  assert_summary (f->chart, "spread 0.50–1.25% now, highest 1.25, lowest 0.50 over 0.0 s.");
}

static void
test_pixels (Fixture *f, gconstpointer data)
{
  g_autofree guint32 *before = pixels_of (f), *after = NULL;
  guint32 color = opaque (&f->chart->colors[0]);
  int columns = 0;

  g_assert_false (f->chart->has_data);
  add_points (f->line, 101, 0.1, 50);
  after = pixels_of (f);
  g_assert_true (f->chart->has_data);
  for (int x = (int) f->chart->plot.origin.x; x < WIDTH; x++)
    {
      int y = row_of (f, 50);

      columns += after[y * WIDTH + x] == color;
      g_assert_cmphex (before[y * WIDTH + x], !=, color);
    }
  g_assert_cmpint (columns, ==, WIDTH - (int) f->chart->plot.origin.x);
}

static void
test_single_point (Fixture *f, gconstpointer data)
{
  g_autofree guint32 *pixels = NULL;
  int found = 0;

  tacho_series_append (f->line, 5, 5, 0);
  pixels = pixels_of (f);
  for (int i = (int) f->chart->plot.origin.y * WIDTH; i < WIDTH * HEIGHT; i++)
    found += pixels[i] == opaque (&f->chart->colors[0]);
  g_assert_cmpint (found, >=, 1);
}

static void
test_mirrored (Fixture *f, gconstpointer data)
{
  for (int rtl = 0; rtl < 2; rtl++)
    {
      g_autofree guint32 *pixels = NULL;
      int left = 0, right = 0, first = -1;

      gtk_widget_set_direction (GTK_WIDGET (f->chart), rtl ? GTK_TEXT_DIR_RTL : GTK_TEXT_DIR_LTR);
      tacho_series_clear (f->line);
      add_points (f->line, 21, 0.1, 50);
      pixels = pixels_of (f);
      for (int y = 0; y < (int) f->chart->line; y++)
        for (int x = 0; x < WIDTH; x++)
          if (pixels[y * WIDTH + x] != 0)
            *(x < WIDTH / 2 ? &left : &right) += 1;
      g_assert_cmpint (rtl ? right : left, >, 50);
      g_assert_cmpint (rtl ? left : right, ==, 0);
      /* Two of ten seconds: the data are at the left in both. */
      for (int x = 0; x < WIDTH && first < 0; x++)
        if (pixels[row_of (f, 50) * WIDTH + x] == opaque (&f->chart->colors[0]))
          first = x;
      g_assert_cmpint (first, ==, (int) f->chart->plot.origin.x);
    }
}

static void
test_cache (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoSeries) other = tacho_series_new ("other", TACHO_SERIES_AREA);
  TachoChartEntry *a, *b;
  GskRenderNode *nodes[6];

  tacho_chart_add_series (f->chart, other, 1);
  a = g_ptr_array_index (f->chart->entries, 0);
  b = g_ptr_array_index (f->chart->entries, 1);
  add_points (f->line, 20, 0.1, 50);
  add_points (other, 20, 0.1, 40);
  draw (f);
  nodes[0] = a->node, nodes[1] = b->node, nodes[2] = f->chart->title_node;
  nodes[3] = f->chart->legend_node, nodes[4] = f->chart->x_node, nodes[5] = f->chart->y_node;
  for (int i = 0; i < 6; i++)
    gsk_render_node_ref (nodes[i]);

  /* Nothing changed; then only the crosshair moved. */
  draw (f);
  g_assert_true (press (f, GDK_KEY_Left));
  draw (f);
  g_assert_true (a->node == nodes[0] && b->node == nodes[1]);
  g_assert_true (f->chart->title_node == nodes[2] && f->chart->legend_node == nodes[3]);
  g_assert_true (f->chart->x_node == nodes[4] && f->chart->y_node == nodes[5]);

  /* One series grew by a point that reads the same, within the axes. */
  tacho_series_append (f->line, 2.0, 50, 0);
  draw (f);
  g_assert_true (a->node != nodes[0] && b->node == nodes[1]);
  g_assert_true (f->chart->legend_node == nodes[3]);
  g_assert_true (f->chart->x_node == nodes[4] && f->chart->y_node == nodes[5]);

  /* Another value: the legend too. Beyond the axis: all data, but not the title. */
  tacho_series_append (f->line, 2.1, 49, 0);
  draw (f);
  g_assert_true (f->chart->legend_node != nodes[3] && f->chart->y_node == nodes[5]);
  tacho_series_append (f->line, 30, 4900, 0);
  draw (f);
  g_assert_true (b->node != nodes[1] && f->chart->x_node != nodes[4]);
  g_assert_true (f->chart->y_node != nodes[5] && f->chart->title_node == nodes[2]);
  for (int i = 0; i < 6; i++)
    gsk_render_node_unref (nodes[i]);
}

static void
test_hysteresis (Fixture *f, gconstpointer data)
{
  static const double values[] = { 930, 500, 410, 390, 380, 700, 10, 0, 0.5, 3e6, 1 };
  double before = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    {
      double high;

      tacho_series_clear (f->line);
      add_points (f->line, 2, 1, values[i]);
      draw (f);
      high = f->chart->y.high;
      g_assert_cmpfloat (f->chart->y.low, ==, 0);
      g_assert_cmpfloat (high, >=, values[i]);
      if (values[i] > before || values[i] == 0)
        g_assert_cmpfloat (high, <=, MAX (2.5 * values[i], 1));
      else if (values[i] >= 0.4 * before)
        g_assert_cmpfloat (high, ==, before);
      else
        g_assert_cmpfloat (high, <, before);
      g_assert_cmpfloat (f->chart->x.high, ==, 10);
      before = high;
    }
  tacho_series_append (f->line, 42, -3, 0);
  draw (f);
  g_assert_cmpfloat (f->chart->y.low, <=, -3);
  g_assert_cmpfloat (f->chart->x.high, ==, 42);
}

/* A low chart shows fewer labels of the same range, zero among them. */
static void
test_low (Fixture *f, gconstpointer data)
{
  double high;

  add_points (f->line, 10, 1, 2180);
  draw (f);
  high = f->chart->y.high;
  g_assert_cmpfloat (high, ==, 2500);
  gtk_widget_set_size_request (GTK_WIDGET (f->chart), 240, 140);
  gtk_widget_measure (GTK_WIDGET (f->chart), GTK_ORIENTATION_VERTICAL, -1, NULL, NULL, NULL, NULL);
  gtk_widget_allocate (GTK_WIDGET (f->chart), 240, 140, -1, NULL);
  g_assert_cmpint (gtk_widget_get_height (GTK_WIDGET (f->chart)), ==, 140);
  draw (f);
  g_assert_cmpfloat (f->chart->y.high, ==, high);
  g_assert_cmpfloat (f->chart->plot.size.height, >=, 48);
}

static void
test_keys (Fixture *f, gconstpointer data)
{
  double x = -1;
  g_autofree char *words = NULL;

  g_assert_false (press (f, GDK_KEY_Left)); /* no data: not ours */
  add_points (f->line, 43, 1, 800);
  draw (f);
  g_assert_false (press (f, GDK_KEY_a));
  g_assert_false (tacho_chart_get_cursor (f->chart, &x));
  g_assert_true (press (f, GDK_KEY_Left));
  g_assert_true (tacho_chart_get_cursor (f->chart, &x));
  g_assert_cmpfloat (x, ==, 42);
  g_assert_true (press (f, GDK_KEY_Left));
  g_assert_true (tacho_chart_get_cursor (f->chart, &x));
  g_assert_cmpfloat (x, ==, 41);
  g_assert_true (press (f, GDK_KEY_Home));
  g_assert_true (press (f, GDK_KEY_Left)); /* stays at the first */
  g_assert_true (tacho_chart_get_cursor (f->chart, &x));
  g_assert_cmpfloat (x, ==, 0);
  g_assert_true (press (f, GDK_KEY_Right));
  g_assert_true (tacho_chart_get_cursor (f->chart, &x));
  g_assert_cmpfloat (x, ==, 1);
  words = tacho_chart_describe_cursor (f->chart);
  g_assert_cmpstr (words, ==, "1.0 s: output 800\302\240tokens/s");
  gtk_test_accessible_assert_property (
      f->chart, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
      "1.0 s: output 800\302\240tokens/s. Throughput: output 800\302\240tokens/s now, "
      "highest 800, lowest 800 over 42 s.");
  g_assert_true (press (f, GDK_KEY_End));
  g_assert_true (press (f, GDK_KEY_Right)); /* stays at the last */
  g_assert_true (tacho_chart_get_cursor (f->chart, &x));
  g_assert_cmpfloat (x, ==, 42);
  g_assert_true (press (f, GDK_KEY_Escape));
  g_assert_false (tacho_chart_get_cursor (f->chart, &x));
  g_assert_false (press (f, GDK_KEY_Escape)); /* closes the dialog around us */
}

static void
test_pointer (Fixture *f, gconstpointer data)
{
  GListModel *controllers = gtk_widget_observe_controllers (GTK_WIDGET (f->chart));
  g_autoptr (GObject) motion = NULL;
  double x = -1;

  for (guint i = 0; !motion && i < g_list_model_get_n_items (controllers); i++)
    {
      g_autoptr (GObject) controller = g_list_model_get_item (controllers, i);

      if (GTK_IS_EVENT_CONTROLLER_MOTION (controller))
        motion = g_steal_pointer (&controller);
    }
  g_assert_nonnull (motion);
  add_points (f->line, 43, 1, 800);
  draw (f);
  g_signal_emit_by_name (motion, "enter", (double) f->chart->plot.origin.x - 5, 90.0);
  g_assert_false (tacho_chart_get_cursor (f->chart, &x)); /* on the labels */
  g_signal_emit_by_name (motion, "motion", WIDTH - 1.0, 90.0);
  g_assert_true (tacho_chart_get_cursor (f->chart, &x));
  g_assert_cmpfloat (x, ==, 42);
  g_signal_emit_by_name (motion, "motion",
                         (double) f->chart->plot.origin.x + f->chart->plot.size.width / 2.0, 90.0);
  g_assert_true (tacho_chart_get_cursor (f->chart, &x));
  g_assert_cmpfloat (x, ==, 21);
  /* A key goes on from there; the pointer takes over again when it moves. */
  g_assert_true (press (f, GDK_KEY_Left));
  g_assert_true (tacho_chart_get_cursor (f->chart, &x));
  g_assert_cmpfloat (x, ==, 20);
  g_signal_emit_by_name (motion, "motion", WIDTH - 1.0, 90.0);
  g_assert_true (tacho_chart_get_cursor (f->chart, &x));
  g_assert_cmpfloat (x, ==, 42);
  g_signal_emit_by_name (motion, "leave");
  g_assert_false (tacho_chart_get_cursor (f->chart, &x));
  g_object_unref (controllers);
}

static void
test_zoom (Fixture *f, gconstpointer data)
{
  double low, high;

  g_assert_true (press (f, GDK_KEY_plus)); /* no data: nothing to zoom */
  add_points (f->line, 101, 1, 800);
  draw (f);
  g_assert_cmpfloat (f->chart->x.high, ==, 100);
  tacho_chart_zoom (f->chart, 4, 20);
  draw (f);
  g_assert_cmpfloat (fabs (f->chart->x.low - 15), <, 1e-9);
  g_assert_cmpfloat (fabs (f->chart->x.high - 40), <, 1e-9);
  tacho_chart_pan (f->chart, -10); /* stays within the data */
  g_assert_true (tacho_chart_group_get_view (f->chart->group, &low, &high));
  g_assert_cmpfloat (fabs (low), <, 1e-9);
  g_assert_cmpfloat (fabs (high - 25), <, 1e-9);
  tacho_chart_pan (f->chart, 1);
  draw (f);
  g_assert_cmpfloat (fabs (f->chart->x.low - 25), <, 1e-9);
  g_assert_true (press (f, GDK_KEY_End)); /* a key moves what is shown with the crosshair */
  draw (f);
  g_assert_cmpfloat (fabs (f->chart->x.high - 100), <, 1e-9);
  g_assert_true (press (f, GDK_KEY_0));
  draw (f);
  g_assert_cmpfloat (f->chart->x.low, ==, 0);
  g_assert_cmpfloat (f->chart->x.high, ==, 100);
  tacho_chart_zoom (f->chart, 1e9, NAN); /* there is an end to it */
  g_assert_true (tacho_chart_group_get_view (f->chart->group, &low, &high));
  g_assert_cmpfloat (high - low, >=, 0.0099);
}

static void
test_group (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoChartGroup) group = tacho_chart_group_new ();
  TachoChart *other = g_object_ref_sink (TACHO_CHART (tacho_chart_new ("Gap", "ms")));
  double x = -1, first, last;

  tacho_chart_group_add (group, f->chart);
  tacho_chart_group_add (group, other);
  add_points (f->line, 43, 1, 800);
  draw (f);
  tacho_chart_group_set_cursor (group, 17);
  g_assert_true (tacho_chart_get_cursor (f->chart, &x)); /* as if it were its own */
  g_assert_cmpfloat (x, ==, 17);
  tacho_chart_zoom (other, 2, NAN); /* it has no data, and nothing to zoom */
  g_assert_false (tacho_chart_group_get_view (group, &first, &last));
  g_assert_true (tacho_chart_group_get_extent (group, &first, &last));
  g_assert_cmpfloat (last, ==, 42);
  g_assert_finalize_object (other);
  g_assert_true (tacho_chart_group_get_extent (group, &first, &last));
}

static void
test_pictures (Fixture *f, gconstpointer data)
{
  g_autoptr (GdkTexture) texture = NULL;
  g_autoptr (GBytes) svg = NULL;
  g_autofree char *text = NULL;

  add_points (f->line, 43, 1, 800);
  tacho_chart_add_marker (f->chart, 20, TRUE, "knee");
  draw (f);
  texture = tacho_chart_to_texture (f->chart, 2);
  g_assert_cmpint (gdk_texture_get_width (texture), >=, 2 * WIDTH);
  svg = tacho_chart_to_svg (f->chart);
  text = g_strndup (g_bytes_get_data (svg, NULL), g_bytes_get_size (svg));
  g_assert_nonnull (strstr (text, "<svg"));
  g_assert_nonnull (strstr (text, "</svg>"));
}

/* Only with -m perf: the whole frame of a chart in which everything changed. */
static void
test_frame_time (Fixture *f, gconstpointer data)
{
  double best = INFINITY;

  add_points (f->line, 10000, 0.01, 50);
  for (int i = 0; i < 50; i++)
    {
      g_autofree guint32 *pixels = NULL;

      tacho_series_append (f->line, 100 + i, 60 + i * 10, 0);
      g_test_timer_start ();
      pixels = pixels_of (f);
      best = MIN (best, g_test_timer_elapsed ());
    }
  g_test_minimized_result (best * 1e3, "%.2f ms a frame", best * 1e3);
  g_assert_cmpfloat (best, <=, 0.006);
}

static void
test_crosshair_picture (Fixture *f, gconstpointer data)
{
  g_autofree guint32 *with = NULL, *without = NULL;
  int differ = 0;

  add_points (f->line, 43, 1, 800);
  without = pixels_of (f);
  g_assert_true (press (f, GDK_KEY_Home));
  g_assert_true (press (f, GDK_KEY_Right));
  with = pixels_of (f);
  for (int i = 0; i < WIDTH * HEIGHT; i++)
    differ += with[i] != without[i];
  g_assert_cmpint (differ, >, 500);
}

static void
test_accessible (Fixture *f, gconstpointer data)
{
  gtk_test_accessible_assert_role (f->chart, GTK_ACCESSIBLE_ROLE_IMG);
  gtk_test_accessible_assert_property (f->chart, GTK_ACCESSIBLE_PROPERTY_LABEL, "Throughput");
  gtk_test_accessible_assert_property (f->chart, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                       "Throughput: No data yet.");
  /* Not at once: the first second after the map has not passed. */
  add_points (f->line, 3, 1, 5);
  tacho_chart_queue_update (f->chart);
  gtk_test_accessible_assert_property (f->chart, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                       "Throughput: No data yet.");
  g_assert_true (f->chart->describe_again);
  while (f->chart->describe_again)
    g_main_context_iteration (NULL, TRUE);
  gtk_test_accessible_assert_property (
      f->chart, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
      "Throughput: output 5\302\240tokens/s now, highest 5, lowest 5 over 2.0 s.");
  g_object_set (f->chart, "title", "Speed", NULL);
  gtk_test_accessible_assert_property (f->chart, GTK_ACCESSIBLE_PROPERTY_LABEL, "Speed");
}

static void
test_colors (Fixture *f, gconstpointer data)
{
  GtkCssProvider *provider = gtk_css_provider_new ();
  GdkRGBA light = f->chart->colors[1], wanted;

  gtk_css_provider_load_from_data (provider,
                                   "@define-color tacho_series_1 #123456;"
                                   "tachochart { color: #ffffff; }",
                                   -1);
  gtk_style_context_add_provider_for_display (gdk_display_get_default (),
                                              GTK_STYLE_PROVIDER (provider),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
  gtk_test_widget_wait_for_draw (f->window);
  gdk_rgba_parse (&wanted, "#123456");
  g_assert_true (gdk_rgba_equal (&f->chart->colors[0], &wanted));
  g_assert_false (gdk_rgba_equal (&f->chart->colors[1], &light)); /* the dark set */
  gtk_style_context_remove_provider_for_display (gdk_display_get_default (),
                                                 GTK_STYLE_PROVIDER (provider));
  gtk_test_widget_wait_for_draw (f->window);
  g_assert_true (gdk_rgba_equal (&f->chart->colors[1], &light));
  g_object_unref (provider);
}

static void
test_unmapped (Fixture *f, gconstpointer data)
{
  gtk_widget_set_visible (GTK_WIDGET (f->chart), FALSE);
  g_assert_cmpuint (f->chart->describe_source, ==, 0);
  f->chart->describe_again = FALSE;
  tacho_chart_queue_update (f->chart);
  g_assert_cmpuint (f->chart->describe_source, ==, 0);
  g_assert_false (f->chart->describe_again);
}

static void
test_hostile_text (Fixture *f, gconstpointer data)
{
  g_autofree char *long_name = g_strnfill (1 << 20, 'x');
  g_autoptr (TachoSeries) invalid = tacho_series_new ("\xff\xfe<b>&\n", TACHO_SERIES_BAND);
  g_autoptr (TachoSeries) endless = tacho_series_new (long_name, TACHO_SERIES_AREA);

  g_object_set (f->chart, "title", "<b>a\n\xf0\x9f\x98\x80", "unit", "\xc3", NULL);
  tacho_chart_add_series (f->chart, invalid, 7);
  tacho_chart_add_series (f->chart, endless, G_MAXUINT);
  add_points (invalid, 10, 1, 1e300);
  add_points (endless, 10, 1e9, -1e300);
  draw (f);
  g_assert_true (press (f, GDK_KEY_End));
  draw (f);
  g_assert_cmpuint (f->chart->entries->len, ==, 3);
  g_assert_cmpfloat (f->chart->plot.size.height, >=, 48);
}

static void
test_other_positions (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL, *clock = NULL;

  add_points (f->line, 5, 1, 5);
  g_object_set (f->chart, "x-unit", "clients", NULL);
  draw (f);
  g_assert_cmpfloat (f->chart->x.high, ==, 4); /* no ten seconds here */
  text = tacho_chart_format_x (f->chart, 3);
  g_assert_cmpstr (text, ==, "3\302\240clients");
  g_object_set (f->chart, "x-unit", "s", NULL);
  tacho_series_append (f->line, 300, 5, 0);
  draw (f);
  clock = tacho_chart_format_x (f->chart, 185);
  g_assert_cmpstr (clock, ==, "3:05");
}

static void
test_values (Fixture *f, gconstpointer data)
{
  static const struct
  {
    double value;
    const char *text;
  } cases[] = { { 0, "0" },          { 7, "7" },           { 0.004, "0.004" },
                { 1.234, "1.23" },   { 9.996, "10.0" },    { 99.96, "100" },
                { -81.25, "−81.2" }, { 12345.6, "12346" }, { 999999.4, "999999" },
                { 1.5e6, "1.50M" },  { 2e9, "2.00G" },     { NAN, "–" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = tacho_chart_format_value (f->chart, cases[i].value, FALSE);

      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

#define ADD(path, function)                                                                        \
  g_test_add ("/chart/widget/" path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  gtk_test_init (&argc, &argv, NULL);
  ADD ("measure", test_measure);
  ADD ("summary", test_summary);
  ADD ("values", test_values);
  ADD ("pixels", test_pixels);
  ADD ("single-point", test_single_point);
  ADD ("mirrored", test_mirrored);
  ADD ("cache", test_cache);
  ADD ("hysteresis", test_hysteresis);
  ADD ("low", test_low);
  ADD ("keys", test_keys);
  ADD ("pointer", test_pointer);
  ADD ("zoom", test_zoom);
  ADD ("group", test_group);
  ADD ("pictures", test_pictures);
  if (g_test_perf ())
    ADD ("frame-time", test_frame_time);
  ADD ("crosshair-picture", test_crosshair_picture);
  ADD ("accessible", test_accessible);
  ADD ("colors", test_colors);
  ADD ("unmapped", test_unmapped);
  ADD ("hostile-text", test_hostile_text);
  ADD ("other-positions", test_other_positions);
  return g_test_run ();
}
