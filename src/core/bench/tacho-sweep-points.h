/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the steps of a sweep say together: where more load brings no more, and how much load a
 * service-level objective allows. Pure functions. */
#pragma once

#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

typedef struct
{
  double load;       /* concurrency, or requests a second */
  double throughput; /* output tokens a second */
  double attainment; /* share of all requests that met the objective, failures included; NaN */
  double goodput;    /* requests a second; NaN: no objective */
  double failed;     /* share */
  double ttft_ms_p95;
} TachoSweepPoint;

void tacho_sweep_point_fill (TachoSweepPoint *point, double load, const TachoBenchResult *result);

/* "1,2,4,8", "1:64:x2" or "10:100:+10": of double, rising. TACHO_ERROR_INVALID. */
GArray *tacho_sweep_loads_parse (const char *text, gboolean whole, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Points sorted by load. Indices; -1: none. */
int tacho_sweep_find_knee (const TachoSweepPoint *points, guint n);
int tacho_sweep_find_best (const TachoSweepPoint *points, guint n);
/* More load than the last point brings nothing but waiting. */
gboolean tacho_sweep_is_saturated (const TachoSweepPoint *points, guint n);
/* The load between the highest that meets the objective and the next one; 0: there is none. */
double tacho_sweep_next_load (const TachoSweepPoint *points, guint n, gboolean whole);

#define TACHO_SWEEP_ATTAINMENT 0.95

G_END_DECLS
