/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Charts of the HTML report. Colours come from the page's style sheet, for light and dark. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-export-svg.h"

#include "base/tacho-text.h"

#include <math.h>

#define WIDTH 720.0
#define HEIGHT 240.0
#define LEFT 64.0
#define RIGHT 16.0
#define TOP 40.0
#define BOTTOM 40.0
#define MAX_LABEL 400

typedef struct
{
  double x_min, x_max, y_max;
} Frame;

/**
 * tacho_html_add_text:
 * @out: a document
 * @text: (nullable): from anywhere
 *
 * Adds text so that it is nothing but text: no element, no control character.
 */
void
tacho_html_add_text (GString *out, const char *text)
{
  g_autofree char *line = tacho_text_sanitize_line (text != NULL ? text : "", -1, MAX_LABEL);
  g_autofree char *escaped = g_markup_escape_text (line, -1);

  g_string_append (out, escaped);
}

/* Always with a point, whatever the locale. */
static void
add_number (GString *out, double value, const char *format)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (out, g_ascii_formatd (buffer, sizeof buffer, format, value));
}

static double
x_of (const Frame *frame, double x)
{
  double span = frame->x_max - frame->x_min;

  return LEFT + (span > 0 ? (x - frame->x_min) / span : 0) * (WIDTH - LEFT - RIGHT);
}

static double
y_of (const Frame *frame, double y)
{
  return HEIGHT - BOTTOM - MIN (y / frame->y_max, 1) * (HEIGHT - TOP - BOTTOM);
}

/* 1, 2 or 5 times a power of ten, about five of them in the span. */
static double
round_step (double span)
{
  double power = pow (10, floor (log10 (span / 5)));
  double part = span / 5 / power;

  return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10);
}

static Frame
frame_of (const TachoSvgChart *chart, const TachoSvgSeries *series, gsize n_series)
{
  Frame frame = { INFINITY, -INFINITY, chart->y_max };

  for (gsize s = 0; s < n_series; s++)
    for (gsize i = 0; i < series[s].n; i++)
      {
        frame.x_min = MIN (frame.x_min, series[s].x[i]);
        frame.x_max = MAX (frame.x_max, series[s].x[i]);
        if (chart->y_max <= 0 && !(chart->bars && s == 0 && i + 1 == series[s].n) &&
            isfinite (series[s].y[i]))
          frame.y_max = MAX (frame.y_max, series[s].y[i]);
      }
  if (!(frame.x_max > frame.x_min))
    frame.x_max = (isfinite (frame.x_min) ? frame.x_min : (frame.x_min = 0)) + 1;
  if (!(frame.y_max > 0))
    frame.y_max = 1;
  if (chart->y_max <= 0)
    frame.y_max = ceil (frame.y_max / round_step (frame.y_max)) * round_step (frame.y_max);
  return frame;
}

static void
add_label (GString *out, double x, double y, const char *anchor, double value)
{
  g_string_append_printf (out, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">", (int) round (x),
                          (int) round (y), anchor);
  add_number (out, value, fabs (value) >= 1e6 ? "%.3g" : "%g");
  g_string_append (out, "</text>");
}

static void
add_axes (GString *out, const TachoSvgChart *chart, const Frame *frame)
{
  double step = round_step (frame->y_max);

  g_string_append (out, "<g class=\"axis\">");
  for (double y = 0; y <= frame->y_max * 1.0001; y += step)
    {
      int at = (int) round (y_of (frame, y));

      g_string_append_printf (out, "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>", (int) LEFT,
                              (int) (WIDTH - RIGHT), at, at);
      add_label (out, LEFT - 6, at + 4, "end", fabs (y) < step / 1e6 ? 0 : y);
    }
  step = round_step (frame->x_max - frame->x_min);
  for (double x = ceil (frame->x_min / step) * step; x <= frame->x_max * 1.0001; x += step)
    add_label (out, x_of (frame, x), HEIGHT - BOTTOM + 16, "middle",
               fabs (x) < step / 1e6 ? 0 : x);
  g_string_append_printf (out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">",
                          (int) (WIDTH - RIGHT), (int) (HEIGHT - 6));
  tacho_html_add_text (out, chart->x_label);
  g_string_append (out, "</text><text x=\"0\" y=\"26\">");
  tacho_html_add_text (out, chart->y_label);
  g_string_append (out, "</text></g>");
}

static void
add_line (GString *out, const Frame *frame, const TachoSvgSeries *series, gsize number)
{
  gboolean pen_down = FALSE;

  g_string_append_printf (out, "<path class=\"s%" G_GSIZE_FORMAT "\" d=\"", number);
  for (gsize i = 0; i < series->n; i++)
    {
      if (!isfinite (series->y[i]))
        {
          pen_down = FALSE;
          continue;
        }
      g_string_append_c (out, pen_down ? 'L' : 'M');
      add_number (out, x_of (frame, series->x[i]), "%.1f");
      g_string_append_c (out, ' ');
      add_number (out, y_of (frame, series->y[i]), "%.1f");
      /* One point alone would be no line. */
      if (!pen_down && (i + 1 == series->n || !isfinite (series->y[i + 1])))
        g_string_append (out, "h0.1");
      pen_down = TRUE;
    }
  g_string_append (out, "\"/>");
}

static void
add_bars (GString *out, const Frame *frame, const TachoSvgSeries *series)
{
  for (gsize i = 0; i + 1 < series->n; i++)
    {
      double left = x_of (frame, series->x[i]);
      double right = x_of (frame, series->x[i + 1]);
      double top = y_of (frame, series->y[i]);

      if (!(series->y[i] > 0))
        continue;
      g_string_append (out, "<rect class=\"bar\" x=\"");
      add_number (out, left, "%.1f");
      g_string_append (out, "\" y=\"");
      add_number (out, top, "%.1f");
      g_string_append (out, "\" width=\"");
      add_number (out, MAX (right - left - 0.5, 0.5), "%.1f");
      g_string_append (out, "\" height=\"");
      add_number (out, HEIGHT - BOTTOM - top, "%.1f");
      g_string_append (out, "\"/>");
    }
}

static void
add_legend (GString *out, const TachoSvgSeries *series, gsize n_series)
{
  double x = WIDTH - RIGHT;

  if (n_series < 2)
    return;
  for (gsize s = n_series; s-- > 0;)
    {
      x -= 34 + 7 * (double) g_utf8_strlen (series[s].name, -1);
      g_string_append_printf (
          out, "<path class=\"s%" G_GSIZE_FORMAT "\" d=\"M%d 14h14\"/><text x=\"%d\" y=\"18\">", s,
          (int) x, (int) x + 19);
      tacho_html_add_text (out, series[s].name);
      g_string_append (out, "</text>");
    }
}

/**
 * tacho_svg_add_chart:
 * @out: a document
 * @chart: title and labels
 * @series: (array length=n_series): the data
 * @n_series: at most four
 *
 * Adds the chart as a figure with a title that is read aloud.
 */
void
tacho_svg_add_chart (GString *out,
                     const TachoSvgChart *chart,
                     const TachoSvgSeries *series,
                     gsize n_series)
{
  Frame frame = frame_of (chart, series, n_series);

  g_string_append (out, "<figure><figcaption>");
  tacho_html_add_text (out, chart->title);
  g_string_append_printf (out,
                          "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\"><title>",
                          (int) WIDTH, (int) HEIGHT);
  tacho_html_add_text (out, chart->title);
  g_string_append (out, "</title>");
  add_axes (out, chart, &frame);
  if (chart->bars && n_series > 0)
    add_bars (out, &frame, &series[0]);
  for (gsize s = chart->bars ? 1 : 0; s < n_series; s++)
    add_line (out, &frame, &series[s], s);
  add_legend (out, series + (chart->bars ? n_series : 0), chart->bars ? 0 : n_series);
  g_string_append (out, "</svg></figure>\n");
}
