/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seeded random numbers that are the same on every machine. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint64 state;
} TachoRandom;

/* The generator of `seed` for use `stream`: streams of one seed have nothing to do with each
 * other. */
TachoRandom tacho_random_new (guint64 seed, guint64 stream);
guint64 tacho_random_next (TachoRandom *random);
double tacho_random_unit (TachoRandom *random);   /* uniform in (0, 1) */
double tacho_random_normal (TachoRandom *random); /* mean 0, sd 1 */
double tacho_random_gamma (TachoRandom *random, double shape); /* mean `shape` */

G_END_DECLS
