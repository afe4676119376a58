/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One metric of a run, for exports that want other percentiles than Tacho's own: exact values, or
 * the histogram of the chunk gaps. */
#pragma once

#include "bench/tacho-bench-result.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct
{
  double *values;                  /* sorted, or NULL: the histogram */
  const TachoHistogram *histogram; /* ns */
  gsize n;
  double mean, min, max, sum; /* ms; NaN where n is 0 */
  double sd_population;       /* numpy's std */
} TachoExportSample;

void
tacho_export_sample_init (TachoExportSample *sample, TachoBenchResult *result, guint metric);
void tacho_export_sample_init_values (TachoExportSample *sample, double *values, gsize n);
void tacho_export_sample_clear (TachoExportSample *sample);
double tacho_export_sample_percentile (const TachoExportSample *sample, double percent);

/* JSON: what is not defined is null. */
void tacho_export_add_string (JsonBuilder *builder, const char *name, const char *value);
void tacho_export_add_double (JsonBuilder *builder, const char *name, double value);
void tacho_export_add_int (JsonBuilder *builder, const char *name, gint64 value);
/* The most requests that were in flight at a time, from the stamps. */
guint tacho_export_max_in_flight (TachoBenchResult *result);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TachoExportSample, tacho_export_sample_clear)

G_END_DECLS
