/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The struct of a series, shared by its arrays (tacho-series.c) and its extents
 * (tacho-series-pyramid.c). */
#pragma once

#include "chart/tacho-series.h"

G_BEGIN_DECLS

#define TACHO_SERIES_MAX_LEVELS 14

struct _TachoSeries
{
  gatomicrefcount refs;
  char *name;
  TachoSeriesKind kind;
  guint64 revision;
  GArray *x, *y, *y2;
  /* levels[k][i] covers the points [i, i + 1) * 16^(k + 1) */
  GArray *levels[TACHO_SERIES_MAX_LEVELS];
};

/* After a point was appended, after the last was replaced, before all are removed. */
void tacho_series_pyramid_add (TachoSeries *self);
void tacho_series_pyramid_redo_last (TachoSeries *self);
void tacho_series_pyramid_clear (TachoSeries *self);

G_END_DECLS
