/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Four charts with moving data, to look at: chart-demo [--dark] [--rtl] [--still].
 * --still: 42 s of data at once, then nothing moves, the first chart shows its crosshair. */

#include "chart/tacho-chart.h"

#include <math.h>

typedef struct
{
  GtkWidget *charts[4];
  TachoSeries *output, *prompt, *first, *spread, *queue, *six[6];
  double now;
  gint64 started;
} Demo;

static gboolean dark, rtl, still;

static void
append (Demo *demo, double t)
{
  double load = 1.0 - exp (-t / 6.0);

  tacho_series_append (demo->output, t,
                       load * (820 + 60 * sin (t / 2.1) + g_random_double_range (-40, 40)), 0);
  tacho_series_append (
      demo->prompt, t,
      fmod (t, 14.0) < 2.5 ? 2100 + g_random_double_range (-90, 90) : 180 + 40 * sin (t), 0);
  tacho_series_append (demo->first, t, 110 + 35 * sin (t / 5) + g_random_double_range (-6, 6), 0);
  tacho_series_append (demo->spread, t, 70 + 20 * sin (t / 5), 190 + 60 * sin (t / 5) + 40 * load);
  tacho_series_append (demo->queue, t, floor (6 + 5 * sin (t / 4)), 0);
  for (int i = 0; i < 6; i++)
    tacho_series_append (demo->six[i], t,
                         fmod (t + 3 * i, 31.0) < 1.0 ? NAN : 10 * (i + 1) + 4 * sin (t / 3 + i),
                         0);
}

static gboolean
tick_cb (GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  Demo *demo = data;
  gint64 time = gdk_frame_clock_get_frame_time (clock);

  if (demo->started == 0)
    demo->started = time;
  while (demo->now * 1e6 < (double) (time - demo->started))
    append (demo, demo->now += 0.1);
  for (int i = 0; i < 3; i++)
    tacho_chart_queue_update (TACHO_CHART (demo->charts[i]));
  return G_SOURCE_CONTINUE;
}

static void
add_series (Demo *demo)
{
  static const char *const names[] = {
    "llama.cpp", "vLLM", "SGLang", "TGI", "Ollama", "LM Studio"
  };

  demo->output = tacho_series_new ("output", TACHO_SERIES_LINE);
  demo->prompt = tacho_series_new ("prompt", TACHO_SERIES_LINE);
  demo->first = tacho_series_new ("median", TACHO_SERIES_LINE);
  demo->spread = tacho_series_new ("p10 to p90", TACHO_SERIES_BAND);
  demo->queue = tacho_series_new ("waiting", TACHO_SERIES_AREA);
  tacho_chart_add_series (TACHO_CHART (demo->charts[0]), demo->output, 0);
  tacho_chart_add_series (TACHO_CHART (demo->charts[0]), demo->prompt, 1);
  tacho_chart_add_series (TACHO_CHART (demo->charts[1]), demo->spread, 2);
  tacho_chart_add_series (TACHO_CHART (demo->charts[1]), demo->first, 2);
  tacho_chart_add_series (TACHO_CHART (demo->charts[2]), demo->queue, 3);
  for (guint i = 0; i < 6; i++)
    {
      demo->six[i] = tacho_series_new (names[i], TACHO_SERIES_LINE);
      if (still)
        tacho_chart_add_series (TACHO_CHART (demo->charts[3]), demo->six[i], i);
    }
}

static void
activate_cb (GtkApplication *app, gpointer data)
{
  Demo *demo = data;
  GtkWidget *window = gtk_application_window_new (app), *grid = gtk_grid_new ();

  g_object_set (gtk_settings_get_default (), "gtk-application-prefer-dark-theme", dark, NULL);
  gtk_widget_set_default_direction (rtl ? GTK_TEXT_DIR_RTL : GTK_TEXT_DIR_LTR);
  demo->charts[0] = tacho_chart_new ("Throughput", "tokens/s");
  demo->charts[1] = tacho_chart_new ("Time to first token", "ms");
  demo->charts[2] = tacho_chart_new ("Queue", "requests");
  demo->charts[3] = tacho_chart_new (still ? "Six servers" : "Memory", "GiB");
  g_object_set (grid, "row-spacing", 24, "column-spacing", 24, "margin-start", 18, "margin-end", 18,
                "margin-top", 18, "margin-bottom", 18, NULL);
  for (int i = 0; i < 4; i++)
    {
      g_object_set (demo->charts[i], "hexpand", TRUE, "vexpand", TRUE, NULL);
      gtk_grid_attach (GTK_GRID (grid), demo->charts[i], i % 2, i / 2, 1, 1);
    }
  add_series (demo);
  if (still)
    while (demo->now < 42.0)
      append (demo, demo->now += 0.1);
  else
    gtk_widget_add_tick_callback (window, tick_cb, demo, NULL);
  gtk_window_set_child (GTK_WINDOW (window), grid);
  gtk_window_set_title (GTK_WINDOW (window), "Tacho charts");
  gtk_window_set_default_size (GTK_WINDOW (window), 980, 640);
  gtk_window_present (GTK_WINDOW (window));
}

int
main (int argc, char **argv)
{
  const GOptionEntry options[] = {
    { "dark", 0, 0, G_OPTION_ARG_NONE, &dark, "Dark style", NULL },
    { "rtl", 0, 0, G_OPTION_ARG_NONE, &rtl, "Right to left", NULL },
    { "still", 0, 0, G_OPTION_ARG_NONE, &still, "Do not move", NULL },
    { NULL },
  };
  g_autoptr (GtkApplication) app = gtk_application_new (NULL, G_APPLICATION_NON_UNIQUE);
  Demo demo = { 0 };
  int status;

  g_application_add_main_option_entries (G_APPLICATION (app), options);
  g_signal_connect (app, "activate", G_CALLBACK (activate_cb), &demo);
  status = g_application_run (G_APPLICATION (app), argc, argv);
  g_clear_pointer (&demo.output, tacho_series_unref);
  g_clear_pointer (&demo.prompt, tacho_series_unref);
  g_clear_pointer (&demo.first, tacho_series_unref);
  g_clear_pointer (&demo.spread, tacho_series_unref);
  g_clear_pointer (&demo.queue, tacho_series_unref);
  for (int i = 0; i < 6; i++)
    g_clear_pointer (&demo.six[i], tacho_series_unref);
  return status;
}
