/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "app/tacho-scroll-fit.h"

/* The smallest screen that the window is made for is 1024 pixels wide. */
#define MOST_PX 1014

static void
fit (GtkScrolledWindow *scrolled)
{
  GtkWidget *content = gtk_scrolled_window_get_child (scrolled);
  int least = 0;

  if (content == NULL || !gtk_widget_get_mapped (GTK_WIDGET (scrolled)))
    return;
  gtk_widget_measure (content, GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL, NULL);
  gtk_scrolled_window_set_min_content_width (scrolled, MIN (least, MOST_PX));
}

/**
 * tacho_scroll_fit_width:
 * @scrolled: scrolls a page
 *
 * Has it ask for the width that its content needs, so that a side bar folds away before anything
 * is cut off; but never for more than the smallest screen has, where it rather scrolls.
 */
void
tacho_scroll_fit_width (GtkScrolledWindow *scrolled)
{
  g_return_if_fail (GTK_IS_SCROLLED_WINDOW (scrolled));

  g_signal_connect (scrolled, "map", G_CALLBACK (fit), NULL);
  g_signal_connect_object (gtk_widget_get_settings (GTK_WIDGET (scrolled)), "notify::gtk-xft-dpi",
                           G_CALLBACK (fit), scrolled, G_CONNECT_SWAPPED);
}
