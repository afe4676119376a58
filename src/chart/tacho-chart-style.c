/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The colours of a chart. */

#define G_LOG_DOMAIN "tacho-chart"

#include "config.h"

#include "chart/tacho-chart-private.h"

/* Blue, vermilion, green, purple, olive or yellow, sky. Chosen by calculation: at least 3:1 against
 * the ground, and as far apart as the hues allow with protanopia, deuteranopia and tritanopia
 * (Machado, Oliveira and Fernandes 2009; distances in Oklab). */
static const char *const light_colors[TACHO_CHART_N_COLORS] = { "#005bb0", "#e8380a", "#1d8a78",
                                                                "#961b77", "#6b8210", "#2c93e6" };
static const char *const dark_colors[TACHO_CHART_N_COLORS] = { "#61c3ff", "#fe7116", "#27b174",
                                                               "#fb8dbd", "#f0e05a", "#c0e3ff" };

/* Called when the style has changed, never while drawing. A sheet may set tacho_series_1 to _6,
 * and, for high contrast, tacho_dim_color and tacho_grid_color. */
void
tacho_chart_read_style (TachoChart *self)
{
  GtkStyleContext *context = gtk_widget_get_style_context (GTK_WIDGET (self));
  gboolean dark;

  gtk_style_context_get_color (context, &self->foreground);
  dark = 0.2126 * self->foreground.red + 0.7152 * self->foreground.green +
             0.0722 * self->foreground.blue >
         0.5;
  self->dim = self->grid = self->foreground;
  self->dim.alpha *= 0.65f;
  self->grid.alpha *= 0.12f;
  gtk_style_context_lookup_color (context, "tacho_dim_color", &self->dim);
  gtk_style_context_lookup_color (context, "tacho_grid_color", &self->grid);
  if (!gtk_style_context_lookup_color (context, "popover_bg_color", &self->box) &&
      !gtk_style_context_lookup_color (context, "theme_base_color", &self->box))
    gdk_rgba_parse (&self->box, dark ? "#303030" : "#ffffff");
  if (!gtk_style_context_lookup_color (context, "view_bg_color", &self->ground) &&
      !gtk_style_context_lookup_color (context, "theme_base_color", &self->ground))
    gdk_rgba_parse (&self->ground, dark ? "#1e1e1e" : "#ffffff");
  for (guint i = 0; i < TACHO_CHART_N_COLORS; i++)
    {
      char name[] = "tacho_series_0";

      name[sizeof name - 2] = (char) ('1' + i);
      if (!gtk_style_context_lookup_color (context, name, &self->colors[i]))
        gdk_rgba_parse (&self->colors[i], dark ? dark_colors[i] : light_colors[i]);
    }
  self->accent = self->colors[0];
  if (!gtk_style_context_lookup_color (context, "accent_color", &self->accent))
    gtk_style_context_lookup_color (context, "theme_selected_bg_color", &self->accent);
}
