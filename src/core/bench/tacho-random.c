/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SplitMix64 (Steele, Lea, Flood 2014): one call a draw, any state is a good start. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-random.h"

#include <math.h>

/**
 * tacho_random_new:
 * @seed: of a run
 * @stream: what the numbers are for
 *
 * Returns: a generator
 */
TachoRandom
tacho_random_new (guint64 seed, guint64 stream)
{
  TachoRandom mixed = { seed };
  TachoRandom random;

  /* Mixed first: else the seeds 1 and 2 would draw the same numbers, one place apart. */
  random.state = tacho_random_next (&mixed) + stream * G_GUINT64_CONSTANT (0xd1342543de82ef95);
  return random;
}

/**
 * tacho_random_next:
 * @random: a generator
 *
 * Returns: 64 random bits
 */
guint64
tacho_random_next (TachoRandom *random)
{
  guint64 z = (random->state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/**
 * tacho_random_unit:
 * @random: a generator
 *
 * Returns: uniform above 0 and below 1
 */
double
tacho_random_unit (TachoRandom *random)
{
  return ((double) (tacho_random_next (random) >> 11) + 0.5) * 0x1p-53;
}

/**
 * tacho_random_normal:
 * @random: a generator
 *
 * Box and Muller's transform.
 *
 * Returns: normal with mean 0 and standard deviation 1
 */
double
tacho_random_normal (TachoRandom *random)
{
  double radius = sqrt (-2 * log (tacho_random_unit (random)));

  return radius * cos (2 * G_PI * tacho_random_unit (random));
}

/**
 * tacho_random_gamma:
 * @random: a generator
 * @shape: above 0
 *
 * Marsaglia and Tsang 2000; below 1 by their power of a uniform number.
 *
 * Returns: gamma with that shape and scale 1
 */
double
tacho_random_gamma (TachoRandom *random, double shape)
{
  double boost = shape < 1 ? pow (tacho_random_unit (random), 1 / shape) : 1;
  double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
  double c = 1 / sqrt (9 * d);

  for (;;)
    {
      double x = tacho_random_normal (random);
      double v = 1 + c * x;

      if (v <= 0)
        continue;
      v = v * v * v;
      if (log (tacho_random_unit (random)) < 0.5 * x * x + d - d * v + d * log (v))
        return boost * d * v;
    }
}
