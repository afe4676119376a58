/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two samples that came one after the other in time: is the second larger, and by how much? Blocks
 * of neighbours are resampled, for requests of one run depend on each other. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

enum
{
  TACHO_STATISTIC_MEAN,
  TACHO_STATISTIC_P50,
  TACHO_STATISTIC_P95,
  TACHO_STATISTIC_P99,
  TACHO_N_STATISTICS
};

typedef struct
{
  double a, b;      /* the statistic of each */
  double low, high; /* 95 % interval of b - a */
  double p;         /* two-sided, of no difference */
} TachoDifference;

/* In the order of time; not changed. The same samples always give the same result. */
void tacho_resample_differences (const double *a,
                                 gsize n_a,
                                 const double *b,
                                 gsize n_b,
                                 guint rounds,
                                 TachoDifference differences[TACHO_N_STATISTICS]);
/* Of two shares: Newcombe's interval, Fisher's exact test. */
void tacho_difference_of_shares (guint64 hits_a,
                                 guint64 n_a,
                                 guint64 hits_b,
                                 guint64 n_b,
                                 TachoDifference *difference);
/* Holm's correction, in place. NaN is left out. */
void tacho_holm (double *p, gsize n);

G_END_DECLS
