/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One receiver at one load and nothing else, for a profiler to look at:
 *
 *   perf record -g engine-profile RECEIVER STREAMS EVENTS_PER_S SECONDS
 *
 * RECEIVER: epoll, curl, aiohttp or engine. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-receivers.h"

#include <stdio.h>
#include <stdlib.h>

int
main (int argc, char **argv)
{
  static const char *const names[] = { "epoll", "curl", "aiohttp", "engine", NULL };
  TachoSenderPlan plan = { 0 };
  TachoReceived received;
  guint which = 0;

  while (argc == 5 && names[which] != NULL && !g_str_equal (names[which], argv[1]))
    which++;
  if (argc != 5 || names[which] == NULL || atoi (argv[2]) < 1 || atof (argv[3]) <= 0)
    {
      fprintf (stderr, "usage: engine-profile epoll|curl|aiohttp|engine STREAMS EVENTS_PER_S S\n");
      return 2;
    }
  plan.streams = (guint) atoi (argv[2]);
  plan.rate = atof (argv[3]);
  plan.events = MAX ((guint) (plan.rate * atof (argv[4]) / plan.streams), 20);
  received = tacho_receive ((TachoReceiver) which, &plan);
  printf ("%.2f us/event (%.2f with connecting), %.0f events/s, stamps late by %.1f us (p50), "
          "%.1f us (p99), own reads %.3f\n",
          received.cpu_us_per_event, received.cpu_us_whole, received.events_per_s,
          received.stamp_us_p50, received.stamp_us_p99, received.own_read_share);
  return received.ok ? 0 : 1;
}
