/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The crosshair of a chart: where it stands, how keys move it, what it says, how it looks.
 * It is drawn above the cached nodes, so that moving it costs a few rectangles. */

#define G_LOG_DOMAIN "tacho-chart"

#include "config.h"

#include "chart/tacho-chart-private.h"

#include <math.h>

#define PAD 7.0f
#define GAP 6.0f
#define DOT 7.0f
#define FAST_STEP 10

/* The point of a series at x, or -1: off the ends of the series there is none. */
static gssize
point_at (TachoChart *self, const TachoSeries *series, double x)
{
  gssize i = tacho_series_nearest (series, x);
  double tolerance = (self->x.high - self->x.low) * 0.02;

  if (i < 0)
    return -1;
  if (i == 0 || i == (gssize) tacho_series_get_length (series) - 1)
    return fabs (tacho_series_get_x (series)[i] - x) <= tolerance ? i : -1;
  return i;
}

/* Where the nearest point of any series lies; FALSE if there is no crosshair. */
gboolean
tacho_chart_get_cursor (TachoChart *self, double *x)
{
  double wanted = self->cursor_x, best = INFINITY;

  if (self->picturing)
    return FALSE;
  if (!self->cursor_shown && !self->pointer_inside)
    {
      /* Another chart's: at the same place in all, whether or not there is a point here. */
      *x = tacho_chart_group_get_cursor (self->group);
      return *x >= self->x.low && *x <= self->x.high && self->has_data;
    }
  else if (!self->cursor_shown)
    {
      double fraction = (self->pointer_x - self->plot.origin.x) / self->plot.size.width;

      if (!(fraction >= 0.0 && fraction <= 1.0))
        return FALSE;
      wanted = self->x.low + fraction * (self->x.high - self->x.low);
    }
  for (guint i = 0; i < self->entries->len; i++)
    {
      const TachoChartEntry *entry = g_ptr_array_index (self->entries, i);
      gssize nearest = tacho_series_nearest (entry->series, wanted);
      double at;

      if (nearest < 0)
        continue;
      at = tacho_series_get_x (entry->series)[nearest];
      if (fabs (at - wanted) < best)
        best = fabs (at - wanted), *x = at;
    }
  return isfinite (best);
}

/* The next point of any series at least `distance` away; the last one if there is none. */
static double
step_from (TachoChart *self, double x, double distance, gboolean forward)
{
  double best = forward ? INFINITY : -INFINITY, first, last;

  for (guint i = 0; i < self->entries->len; i++)
    {
      const TachoChartEntry *entry = g_ptr_array_index (self->entries, i);
      const double *xs = tacho_series_get_x (entry->series);
      gsize length = tacho_series_get_length (entry->series);
      gsize at;

      if (forward)
        {
          at = tacho_series_lower_bound (entry->series, x + distance);
          while (at < length && xs[at] <= x)
            at++;
          if (at < length)
            best = MIN (best, xs[at]);
        }
      else
        {
          at = tacho_series_lower_bound (entry->series, x - distance);
          if (at < length && xs[at] <= x - distance && xs[at] < x)
            best = MAX (best, xs[at]);
          else if (at > 0)
            best = MAX (best, xs[at - 1]);
        }
    }
  if (isfinite (best))
    return best;
  tacho_chart_get_x_range (self, &first, &last);
  return forward ? last : first;
}

/* TRUE if the key was one of ours. Time runs from left to right in every language. */
gboolean
tacho_chart_move_cursor (TachoChart *self, guint keyval, GdkModifierType state)
{
  gboolean fast = (state & GDK_CONTROL_MASK) != 0;
  double first, last, x, pixel;

  if (keyval == GDK_KEY_Escape)
    {
      gboolean shown = self->cursor_shown || self->pointer_inside;

      self->cursor_shown = FALSE;
      self->pointer_inside = FALSE;
      return shown;
    }
  if (state & (GDK_ALT_MASK | GDK_SUPER_MASK | GDK_SHIFT_MASK))
    return FALSE;
  if (!tacho_chart_get_x_range (self, &first, &last))
    return FALSE;
  pixel = (self->x.high - self->x.low) / MAX (self->plot.size.width, 1.0f);
  pixel *= fast ? FAST_STEP : 1;
  if (!tacho_chart_get_cursor (self, &x))
    x = last + pixel; /* the first key shows the latest point */
  switch (keyval)
    {
    case GDK_KEY_Left:
    case GDK_KEY_KP_Left:
      x = step_from (self, x, pixel, FALSE);
      break;
    case GDK_KEY_Right:
    case GDK_KEY_KP_Right:
      x = step_from (self, x, pixel, TRUE);
      break;
    case GDK_KEY_Home:
    case GDK_KEY_KP_Home:
      x = first;
      break;
    case GDK_KEY_End:
    case GDK_KEY_KP_End:
      x = last;
      break;
    default:
      return FALSE;
    }
  self->cursor_x = x;
  self->cursor_shown = TRUE;
  return TRUE;
}

static char *
value_at (TachoChart *self, const TachoSeries *series, double x)
{
  gssize i = point_at (self, series, x);

  return i < 0 ? g_strdup ("–") : tacho_chart_format_point (self, series, (gsize) i);
}

/* "12.3 s: output 812 tokens/s; prompt 40 tokens/s", or NULL. */
char *
tacho_chart_describe_cursor (TachoChart *self)
{
  g_autofree char *position = NULL;
  GString *all;
  double x;

  if (!tacho_chart_get_cursor (self, &x))
    return NULL;
  position = tacho_chart_format_x (self, x);
  all = g_string_new (position);
  for (guint i = 0; i < self->entries->len; i++)
    {
      const TachoChartEntry *entry = g_ptr_array_index (self->entries, i);
      g_autofree char *value = value_at (self, entry->series, x);

      g_string_append_printf (all, "%s %s %s", i ? ";" : ":", tacho_series_get_name (entry->series),
                              value);
    }
  return g_string_free (all, FALSE);
}

static void
append_rounded (GtkSnapshot *snapshot,
                const graphene_rect_t *rect,
                float radius,
                const GdkRGBA *color)
{
  GskRoundedRect rounded;

  gsk_rounded_rect_init_from_rect (&rounded, rect, radius);
  gtk_snapshot_push_rounded_clip (snapshot, &rounded);
  gtk_snapshot_append_color (snapshot, color, rect);
  gtk_snapshot_pop (snapshot);
}

static void
draw_dots (TachoChart *self, GtkSnapshot *snapshot, double x)
{
  for (guint i = 0; i < self->entries->len; i++)
    {
      const TachoChartEntry *entry = g_ptr_array_index (self->entries, i);
      gssize at = point_at (self, entry->series, x);
      graphene_rect_t rect;
      double value, px, py;

      if (at < 0 || tacho_series_get_kind (entry->series) == TACHO_SERIES_BAND)
        continue;
      value = tacho_series_get_y (entry->series)[at];
      if (isnan (value))
        continue;
      px = tacho_axis_to_fraction (&self->x, tacho_series_get_x (entry->series)[at]);
      if (!(px >= 0 && px <= 1))
        continue;
      py = 1.0 - CLAMP (tacho_axis_to_fraction (&self->y, value), 0.0, 1.0);
      rect = GRAPHENE_RECT_INIT (
          self->plot.origin.x + (float) px * self->plot.size.width - DOT / 2 - 1,
          self->plot.origin.y + (float) py * self->plot.size.height - DOT / 2 - 1, DOT + 2,
          DOT + 2);
      append_rounded (snapshot, &rect, DOT / 2 + 1, &self->box);
      graphene_rect_inset (&rect, 1, 1);
      append_rounded (snapshot, &rect, DOT / 2, &self->colors[entry->color]);
    }
}

typedef struct
{
  PangoLayout *name, *value;
  int name_width, value_width;
} Row;

static void
measure_row (TachoChart *self, Row *row, const TachoChartEntry *entry, double x)
{
  g_autofree char *value = value_at (self, entry->series, x);

  row->name = tacho_chart_make_text (self, tacho_series_get_name (entry->series), FALSE);
  row->value = tacho_chart_make_text (self, value, FALSE);
  pango_layout_get_pixel_size (row->name, &row->name_width, NULL);
  pango_layout_get_pixel_size (row->value, &row->value_width, NULL);
  if (row->name_width > 140)
    {
      row->name_width = 140;
      pango_layout_set_width (row->name, row->name_width * PANGO_SCALE);
    }
}

static void
draw_box_frame (TachoChart *self, GtkSnapshot *snapshot, const graphene_rect_t *box)
{
  GdkRGBA border = self->foreground;
  GskRoundedRect rounded;

  border.alpha *= 0.2f;
  gsk_rounded_rect_init_from_rect (&rounded, box, 6);
  append_rounded (snapshot, box, 6, &self->box);
  gtk_snapshot_append_border (snapshot, &rounded, (float[4]){ 1, 1, 1, 1 },
                              (GdkRGBA[4]){ border, border, border, border });
}

static void
draw_values (TachoChart *self, GtkSnapshot *snapshot, double x, float line_x)
{
  gboolean rtl = gtk_widget_get_direction (GTK_WIDGET (self)) == GTK_TEXT_DIR_RTL;
  float width = (float) gtk_widget_get_width (GTK_WIDGET (self));
  g_autofree char *position = tacho_chart_format_x (self, x);
  g_autoptr (PangoLayout) head = tacho_chart_make_text (self, position, TRUE);
  g_autofree Row *rows = g_new0 (Row, self->entries->len);
  int head_width, line, names = 0, values = 0;
  graphene_rect_t box;

  pango_layout_get_pixel_size (head, &head_width, &line);
  for (guint i = 0; i < self->entries->len; i++)
    {
      measure_row (self, &rows[i], g_ptr_array_index (self->entries, i), x);
      names = MAX (names, rows[i].name_width);
      values = MAX (values, rows[i].value_width);
    }
  box.size.width = MAX (DOT + (float) (names + values) + 3 * GAP, (float) head_width) + 2 * PAD;
  box.size.height = (float) line * (float) (self->entries->len + 1) + 2 * PAD;
  box.origin.x = line_x + 10;
  if (box.origin.x + box.size.width > width)
    box.origin.x = MAX (line_x - 10 - box.size.width, 0);
  box.origin.x = floorf (box.origin.x);
  box.origin.y = (float) gtk_widget_get_height (GTK_WIDGET (self)) - box.size.height;
  box.origin.y = floorf (CLAMP (box.origin.y, 0.0f, self->plot.origin.y));
  draw_box_frame (self, snapshot, &box);
  tacho_chart_append_text (snapshot, head,
                           rtl ? box.origin.x + box.size.width - PAD - (float) head_width
                               : box.origin.x + PAD,
                           box.origin.y + PAD, &self->foreground);
  for (guint i = 0; i < self->entries->len; i++)
    {
      const TachoChartEntry *entry = g_ptr_array_index (self->entries, i);
      float y = box.origin.y + PAD + (float) line * (float) (i + 1);
      float left = box.origin.x + PAD, right = box.origin.x + box.size.width - PAD;
      graphene_rect_t dot = GRAPHENE_RECT_INIT (rtl ? right - DOT : left,
                                                floorf (y + ((float) line - DOT) / 2), DOT, DOT);

      append_rounded (snapshot, &dot, DOT / 2, &self->colors[entry->color]);
      tacho_chart_append_text (
          snapshot, rows[i].name,
          rtl ? right - DOT - GAP - (float) rows[i].name_width : left + DOT + GAP, y, &self->dim);
      tacho_chart_append_text (snapshot, rows[i].value,
                               rtl ? left : right - (float) rows[i].value_width, y,
                               &self->foreground);
      g_object_unref (rows[i].name);
      g_object_unref (rows[i].value);
    }
}

void
tacho_chart_draw_crosshair (TachoChart *self, GtkSnapshot *snapshot)
{
  int scale = gtk_widget_get_scale_factor (GTK_WIDGET (self));
  GdkRGBA color = self->foreground;
  double x, fraction;
  float line_x;

  if (!tacho_chart_get_cursor (self, &x))
    return;
  fraction = CLAMP (tacho_axis_to_fraction (&self->x, x), 0.0, 1.0);
  line_x = self->plot.origin.x + (float) fraction * self->plot.size.width;
  line_x = floorf (line_x * (float) scale) / (float) scale;
  color.alpha *= 0.5f;
  gtk_snapshot_append_color (snapshot, &color,
                             &GRAPHENE_RECT_INIT (line_x, self->plot.origin.y, 1.0f / (float) scale,
                                                  self->plot.size.height));
  draw_dots (self, snapshot, x);
  draw_values (self, snapshot, x, line_x);
}
