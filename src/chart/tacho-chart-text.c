/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of a chart: values, positions, and the sentence a screen reader says. */

#define G_LOG_DOMAIN "tacho-chart"

#include "config.h"

#include "chart/tacho-chart-private.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#define DESCRIBE_SECONDS 1
#define MAX_TEXT 256 /* characters; a name may come from a server */

/* A layout in caption size. The text is taken literally, however hostile. */
PangoLayout *
tacho_chart_make_text (TachoChart *self, const char *text, gboolean heading)
{
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) strnlen (text, 4 * MAX_TEXT));
  PangoLayout *layout = gtk_widget_create_pango_layout (GTK_WIDGET (self), NULL);
  PangoAttrList *attributes = pango_attr_list_new ();

  if (g_utf8_strlen (valid, -1) > MAX_TEXT)
    *g_utf8_offset_to_pointer (valid, MAX_TEXT) = '\0';
  pango_attr_list_insert (attributes, pango_attr_scale_new (0.82));
  pango_attr_list_insert (attributes, pango_attr_font_features_new ("tnum=1"));
  if (heading)
    pango_attr_list_insert (attributes, pango_attr_weight_new (PANGO_WEIGHT_BOLD));
  pango_layout_set_attributes (layout, attributes);
  pango_attr_list_unref (attributes);
  pango_layout_set_single_paragraph_mode (layout, TRUE);
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  pango_layout_set_text (layout, valid, -1);
  return layout;
}

void
tacho_chart_append_text (GtkSnapshot *snapshot,
                         PangoLayout *layout,
                         float x,
                         float y,
                         const GdkRGBA *color)
{
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT (floorf (x), floorf (y)));
  gtk_snapshot_append_layout (snapshot, layout, color);
  gtk_snapshot_restore (snapshot);
}

gboolean
tacho_chart_is_time (TachoChart *self)
{
  return g_str_equal (self->x_unit, "s") || g_str_equal (self->x_unit, _ ("s"));
}

/* Three significant digits, and every digit before the point below a million. */
static char *
format_number (double value)
{
  double size = fabs (value);
  const char *sign = value < 0 ? "−" : "";

  if (!isfinite (value))
    return g_strdup ("–");
  if (size >= 999.5e9)
    return g_strdup_printf ("%s%.3g", sign, size);
  if (size >= 999.5e6)
    return g_strdup_printf ("%s%.2fG", sign, size / 1e9);
  if (size >= 999999.5)
    return g_strdup_printf ("%s%.2fM", sign, size / 1e6);
  if (size == floor (size) || size >= 99.95)
    return g_strdup_printf ("%s%.0f", sign, size);
  if (size >= 9.995)
    return g_strdup_printf ("%s%.1f", sign, size);
  if (size >= 0.01)
    return g_strdup_printf ("%s%.2f", sign, size);
  return g_strdup_printf ("%s%.2g", sign, size);
}

static char *
add_unit (TachoChart *self, char *number)
{
  char *text;

  if (*self->unit == '\0')
    return number;
  text = g_strconcat (number, g_str_equal (self->unit, "%") ? "" : "\302\240", self->unit, NULL);
  g_free (number);
  return text;
}

char *
tacho_chart_format_value (TachoChart *self, double value, gboolean with_unit)
{
  char *number = format_number (value);

  return with_unit && isfinite (value) ? add_unit (self, number) : number;
}

/* The value or values of one point, with unit. */
char *
tacho_chart_format_point (TachoChart *self, const TachoSeries *series, gsize i)
{
  const double *ys2 = tacho_series_get_y2 (series);
  double y = tacho_series_get_y (series)[i];
  g_autofree char *low = NULL, *high = NULL;

  if (!ys2 || isnan (y) || isnan (ys2[i]))
    return tacho_chart_format_value (self, ys2 ? NAN : y, TRUE);
  low = format_number (MIN (y, ys2[i]));
  high = format_number (MAX (y, ys2[i]));
  return add_unit (self, g_strdup_printf ("%s–%s", low, high));
}

char *
tacho_chart_format_x (TachoChart *self, double x)
{
  g_autofree char *number = NULL;

  if (!tacho_chart_is_time (self))
    {
      number = format_number (x);
      return *self->x_unit ? g_strdup_printf ("%s\302\240%s", number, self->x_unit)
                           : g_steal_pointer (&number);
    }
  if (self->x.high > 120.0)
    return tacho_axis_format_time (&self->x, x);
  return g_strdup_printf (_ ("%.1f s"), x);
}

/* FALSE: no point in any series. */
gboolean
tacho_chart_get_x_range (TachoChart *self, double *first, double *last)
{
  *first = INFINITY;
  *last = -INFINITY;
  for (guint i = 0; i < self->entries->len; i++)
    {
      const TachoChartEntry *entry = g_ptr_array_index (self->entries, i);
      const double *xs = tacho_series_get_x (entry->series);
      gsize length = tacho_series_get_length (entry->series);

      if (length == 0)
        continue;
      *first = MIN (*first, xs[0]);
      *last = MAX (*last, xs[length - 1]);
    }
  return *first <= *last;
}

static char *
format_span (TachoChart *self, double span)
{
  if (!tacho_chart_is_time (self))
    return tacho_chart_format_x (self, span);
  if (span < 10.0)
    return g_strdup_printf (_ ("%.1f s"), span);
  if (span < 119.5)
    return g_strdup_printf (_ ("%.0f s"), span);
  /* Translators: minutes and seconds */
  return g_strdup_printf (_ ("%d min %d s"), (int) (MIN (span, 1e9) + 0.5) / 60,
                          (int) (MIN (span, 1e9) + 0.5) % 60);
}

/* NULL: the series has no value. */
static char *
summarize_series (TachoChart *self, const TachoSeries *series)
{
  gsize length = tacho_series_get_length (series);
  const char *name = tacho_series_get_name (series);
  g_autofree char *now = NULL, *lowest = NULL, *highest = NULL, *sentence = NULL;
  double low, high, low_now, high_now;

  if (!tacho_series_get_range (series, &low, &high))
    return NULL;
  lowest = tacho_chart_format_value (self, low, FALSE);
  highest = tacho_chart_format_value (self, high, FALSE);
  if (tacho_series_get_extent (series, length - 1, length, &low_now, &high_now))
    {
      now = tacho_chart_format_point (self, series, length - 1);
      /* Translators: "812 tokens/s now, highest 930, lowest 700" */
      sentence = g_strdup_printf (_ ("%s now, highest %s, lowest %s"), now, highest, lowest);
    }
  else
    {
      sentence = g_strdup_printf (_ ("no value now, highest %s, lowest %s"), highest, lowest);
    }
  return *name ? g_strdup_printf ("%s %s", name, sentence) : g_steal_pointer (&sentence);
}

/**
 * tacho_chart_summary:
 * @self: a chart
 *
 * "Throughput: output 812 tokens/s now, highest 930, lowest 700 over 42 s."
 *
 * Returns: (transfer full): what the chart shows, as a sentence
 */
char *
tacho_chart_summary (TachoChart *self)
{
  g_autoptr (GString) all = g_string_new (NULL);
  g_autofree char *span = NULL, *sentence = NULL;
  double first, last;

  g_return_val_if_fail (TACHO_IS_CHART (self), NULL);

  for (guint i = 0; i < self->entries->len; i++)
    {
      const TachoChartEntry *entry = g_ptr_array_index (self->entries, i);
      g_autofree char *part = summarize_series (self, entry->series);

      if (part)
        g_string_append_printf (all, "%s%s", all->len ? "; " : "", part);
    }
  if (all->len == 0 || !tacho_chart_get_x_range (self, &first, &last))
    {
      sentence = g_strdup (_ ("No data yet"));
    }
  else
    {
      span = format_span (self, last - first);
      /* Translators: values, then a duration: "812 tokens/s now, highest 930 over 42 s" */
      sentence = g_strdup_printf (_ ("%s over %s"), all->str, span);
    }
  /* Translators: title of a chart, then what it shows */
  return *self->title ? g_strdup_printf (_ ("%s: %s."), self->title, sentence)
                      : g_strdup_printf (_ ("%s."), sentence);
}

void
tacho_chart_describe (TachoChart *self)
{
  g_autofree char *summary = tacho_chart_summary (self);
  g_autofree char *cursor = self->cursor_shown ? tacho_chart_describe_cursor (self) : NULL;
  g_autofree char *text = cursor ? g_strdup_printf ("%s. %s", cursor, summary) : NULL;

  self->describe_again = FALSE;
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  text ? text : summary, -1);
}

static gboolean
describe_cb (gpointer data)
{
  TachoChart *self = data;

  if (!self->describe_again)
    {
      self->describe_source = 0;
      return G_SOURCE_REMOVE;
    }
  tacho_chart_describe (self);
  return G_SOURCE_CONTINUE;
}

/* At once, then at most once a second: a screen reader is no dial. */
void
tacho_chart_queue_describe (TachoChart *self)
{
  self->describe_again = TRUE;
  if (self->describe_source != 0)
    return;
  tacho_chart_describe (self);
  self->describe_source = g_timeout_add_seconds (DESCRIBE_SECONDS, describe_cb, self);
}

/**
 * tacho_chart_dup_position:
 * @self: a chart
 * @x: a position
 *
 * Returns: (transfer full): in words, with its unit
 */
char *
tacho_chart_dup_position (TachoChart *self, double x)
{
  g_return_val_if_fail (TACHO_IS_CHART (self), NULL);

  return tacho_chart_format_x (self, x);
}

/**
 * tacho_chart_dup_value:
 * @self: a chart
 * @series: which of its series
 * @point: which of its points
 *
 * Returns: (transfer full): the value or values in words, with their unit
 */
char *
tacho_chart_dup_value (TachoChart *self, guint series, gsize point)
{
  g_return_val_if_fail (TACHO_IS_CHART (self) && series < self->entries->len, NULL);

  return tacho_chart_format_point (self, tacho_chart_get_series (self, series), point);
}
