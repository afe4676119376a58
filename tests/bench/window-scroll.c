/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a frame costs while the model browser scrolls from its top to its end in the real window.
 *
 * window-scroll URL MODELS FRAMES: prints the median, the 99th percentile and the longest time from
 * the begin of a frame to the end of its painting, in ms, once the browser has that many models. */
#include "app/tacho-application.h"
#include "app/tacho-model-browser.h"

#include <stdio.h>
#include <stdlib.h>

#define LIMIT_S 60
#define LOOK_MS 50
#define SETTLE_LOOKS                                                                               \
  20 /* after the list is there: icons, styles and rows are made in the first frames */

typedef struct
{
  GtkApplication *application;
  GtkWidget *list;
  GdkFrameClock *clock;
  guint models, frames, frame;
  guint looks, ready;
  gint64 begin_us;
  GArray *costs; /* ms */
} Watch;

static GtkWidget *
find (GtkWidget *widget, GType type)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = find (child, type);

      if (found != NULL)
        return found;
    }
  return NULL;
}

static void
before_cb (GdkFrameClock *clock, Watch *self)
{
  self->begin_us = g_get_monotonic_time ();
}

static void
after_cb (GdkFrameClock *clock, Watch *self)
{
  double cost = (double) (g_get_monotonic_time () - self->begin_us) / 1000;

  if (self->frame > 0)
    g_array_append_val (self->costs, cost);
}

static gboolean
frame_cb (GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  Watch *self = data;
  GtkAdjustment *adjustment = gtk_scrollable_get_vadjustment (GTK_SCROLLABLE (self->list));
  double height = gtk_adjustment_get_upper (adjustment) - gtk_adjustment_get_page_size (adjustment);

  if (self->frame > self->frames)
    {
      g_application_quit (G_APPLICATION (self->application));
      return G_SOURCE_REMOVE;
    }
  gtk_adjustment_set_value (adjustment, height * self->frame / self->frames);
  self->frame++;
  return G_SOURCE_CONTINUE;
}

/* TRUE: all models are in the list. */
static gboolean
is_filled (Watch *self)
{
  GList *windows = gtk_application_get_windows (self->application);
  GtkWidget *browser =
      windows != NULL ? find (GTK_WIDGET (windows->data), TACHO_TYPE_MODEL_BROWSER) : NULL;

  self->list = browser != NULL ? find (browser, GTK_TYPE_LIST_VIEW) : NULL;
  return self->list != NULL && gtk_widget_get_mapped (self->list) &&
         g_list_model_get_n_items (
             G_LIST_MODEL (gtk_list_view_get_model (GTK_LIST_VIEW (self->list)))) >= self->models;
}

static gboolean
look_cb (gpointer data)
{
  Watch *self = data;

  if (++self->looks > LIMIT_S * 1000 / LOOK_MS)
    {
      fprintf (stderr, "the browser never had %u models\n", self->models);
      exit (1);
    }
  if (!is_filled (self) || ++self->ready < SETTLE_LOOKS)
    return G_SOURCE_CONTINUE;
  self->clock = gtk_widget_get_frame_clock (self->list);
  g_signal_connect (self->clock, "before-paint", G_CALLBACK (before_cb), self);
  g_signal_connect (self->clock, "after-paint", G_CALLBACK (after_cb), self);
  gtk_widget_add_tick_callback (self->list, frame_cb, self, NULL);
  return G_SOURCE_REMOVE;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

int
main (int argc, char **argv)
{
  Watch watch = { 0 };
  g_autoptr (TachoApplication) application = NULL;
  char *arguments[] = { argv[0], (char *) "--url", argc > 1 ? argv[1] : NULL, NULL };

  if (argc != 4)
    {
      fprintf (stderr, "Usage: window-scroll URL MODELS FRAMES\n");
      return 2;
    }
  watch.models = (guint) atoi (argv[2]);
  watch.frames = (guint) atoi (argv[3]);
  watch.costs = g_array_new (FALSE, FALSE, sizeof (double));
  application = tacho_application_new ();
  watch.application = GTK_APPLICATION (application);
  g_timeout_add (LOOK_MS, look_cb, &watch);
  if (g_application_run (G_APPLICATION (application), 3, arguments) != 0 || watch.costs->len == 0)
    return 1;
  g_array_sort (watch.costs, compare);
  printf ("%.2f %.2f %.2f\n", g_array_index (watch.costs, double, watch.costs->len / 2),
          g_array_index (watch.costs, double, watch.costs->len * 99 / 100),
          g_array_index (watch.costs, double, watch.costs->len - 1));
  g_array_unref (watch.costs);
  return 0;
}
