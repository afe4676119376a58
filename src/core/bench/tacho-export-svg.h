/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A chart as inline SVG: lines over an axis with round numbers. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  const char *name;
  const double *x;
  const double *y; /* NaN: a gap */
  gsize n;
} TachoSvgSeries;

typedef struct
{
  const char *title;
  const char *x_label;
  const char *y_label;
  gboolean bars; /* the first series as bars from x[i] to x[i + 1]; it has one y less */
  double y_max;  /* 0: from the data */
} TachoSvgChart;

void tacho_svg_add_chart (GString *out,
                          const TachoSvgChart *chart,
                          const TachoSvgSeries *series,
                          gsize n_series);
void tacho_html_add_text (GString *out, const char *text); /* escaped, made one line */

G_END_DECLS
