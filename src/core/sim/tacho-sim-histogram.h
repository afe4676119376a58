/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long things took, in buckets, as Prometheus has it. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define TACHO_SIM_N_BUCKETS 22

/* Zeroed: empty. */
typedef struct
{
  guint64 counts[TACHO_SIM_N_BUCKETS + 1]; /* each alone; the last one has no bound */
  double sum;
} TachoSimHistogram;

void tacho_sim_histogram_add (TachoSimHistogram *histogram, double seconds);
/* labels: "a=\"b\"" without braces, or empty. */
void tacho_sim_histogram_print (const TachoSimHistogram *histogram,
                                GString *text,
                                const char *name,
                                const char *labels,
                                const char *help);

G_END_DECLS
