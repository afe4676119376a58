/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points of one line: plain double arrays, x ascending, NaN in y for a gap. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  TACHO_SERIES_LINE,
  TACHO_SERIES_BAND, /* between y and y2 */
  TACHO_SERIES_AREA, /* line, filled to the axis */
} TachoSeriesKind;

typedef struct _TachoSeries TachoSeries;

TachoSeries *tacho_series_new (const char *name, TachoSeriesKind kind) G_GNUC_WARN_UNUSED_RESULT;
TachoSeries *tacho_series_ref (TachoSeries *series);
void tacho_series_unref (TachoSeries *series);
const char *tacho_series_get_name (const TachoSeries *series);
TachoSeriesKind tacho_series_get_kind (const TachoSeries *series);
void tacho_series_clear (TachoSeries *series);
void
tacho_series_append (TachoSeries *series, double x, double y, double y2); /* y2 only for a band */
void tacho_series_set_last (TachoSeries *series,
                            double x,
                            double y,
                            double y2); /* replaces the last point */
gsize tacho_series_get_length (const TachoSeries *series);
const double *tacho_series_get_x (const TachoSeries *series);
const double *tacho_series_get_y (const TachoSeries *series);
const double *tacho_series_get_y2 (const TachoSeries *series);
gboolean tacho_series_get_range (const TachoSeries *series,
                                 double *low,
                                 double *high); /* of y and y2; FALSE: no value */
/* Changes with every change of the data; never 0. */
guint64 tacho_series_get_revision (const TachoSeries *series);
/* Lowest and highest of y (and y2 of a band) of the points [from, to). O(log n). FALSE: no value */
gboolean tacho_series_get_extent (const TachoSeries *series,
                                  gsize from,
                                  gsize to,
                                  double *low,
                                  double *high);
/* Index of the first point at or after x; the length if there is none. O(log n). */
gsize tacho_series_lower_bound (const TachoSeries *series, double x);
/* Index of the point nearest to x, or -1. O(log n). */
gssize tacho_series_nearest (const TachoSeries *series, double x);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoSeries, tacho_series_unref)

G_END_DECLS
