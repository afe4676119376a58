/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Prometheus text format, read strictly and within limits, and what servers tell in it. */
#pragma once

#include "api/tacho-api.h"

G_BEGIN_DECLS

#define TACHO_PROMETHEUS_MAX_SIZE ((gsize) 16 * 1024 * 1024)
#define TACHO_PROMETHEUS_MAX_LINE ((gsize) 64 * 1024)
#define TACHO_PROMETHEUS_MAX_LABELS 64

typedef struct
{
  char *name;
  char *value; /* unescaped */
} TachoPrometheusLabel;

/* Valid during the callback only. */
typedef struct
{
  const char *name;
  const TachoPrometheusLabel *labels;
  guint n_labels;
  double value; /* may be NaN or infinite */
} TachoPrometheusSample;

typedef void (*TachoPrometheusFunc) (const TachoPrometheusSample *sample, gpointer user_data);

gboolean tacho_prometheus_parse (const char *text,
                                 gsize length,
                                 TachoPrometheusFunc func,
                                 gpointer user_data,
                                 GError **error);
const char *tacho_prometheus_get_label (const TachoPrometheusSample *sample, const char *name);

/* What a reply to GET /metrics tells, by the names of any server that is known. */
gboolean tacho_prometheus_read_metrics (const TachoHttpReply *reply,
                                        TachoServerMetrics *metrics,
                                        GError **error);

G_END_DECLS
