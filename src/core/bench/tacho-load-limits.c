/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Open files and local ports. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-load-limits.h"

#include "base/tacho-error.h"

#include <stdio.h>
#include <sys/resource.h>

#define SPARE_FILES 64
#define DEFAULT_PORTS 28232u /* Linux: 32768 to 60999 */

/**
 * tacho_load_limits_ports:
 * @range: (nullable): "32768 60999"; %NULL: this machine's
 *
 * Returns: how many local ports connections can be made from
 */
guint
tacho_load_limits_ports (const char *range)
{
  g_autofree char *text = NULL;
  guint low, high;

  if (range == NULL && g_file_get_contents ("/proc/sys/net/ipv4/ip_local_port_range", &text, NULL,
                                            NULL))
    range = text;
  if (range == NULL || sscanf (range, "%u %u", &low, &high) != 2 || low > high)
    return DEFAULT_PORTS;
  return high - low + 1;
}

static gboolean
check_files (guint wanted_sockets, GError **error)
{
  struct rlimit limit;
  rlim_t wanted = (rlim_t) wanted_sockets + SPARE_FILES;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
    return TRUE;
  if (limit.rlim_max >= wanted)
    {
      limit.rlim_cur = wanted;
      if (setrlimit (RLIMIT_NOFILE, &limit) == 0)
        return TRUE;
    }
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "%u requests at a time need %u open files, and this process may have %u; raise the "
               "limit with 'ulimit -n' or lower the concurrency",
               wanted_sockets, (guint) wanted, (guint) limit.rlim_max);
  return FALSE;
}

/**
 * tacho_load_limits_check:
 * @plan: a valid plan
 * @error: return location
 *
 * One socket for each request in flight, each from a port of its own; over HTTP/2 and gRPC many
 * share one.
 *
 * Returns: whether the machine allows it; else %TACHO_ERROR_INVALID
 */
gboolean
tacho_load_limits_check (const TachoBenchPlan *plan, GError **error)
{
  guint sockets = (plan->concurrency + plan->workers - 1) / plan->workers;
  guint ports = tacho_load_limits_ports (NULL);

  if (plan->http2 || plan->protocol == TACHO_PROTOCOL_GRPC)
    return TRUE;
  if (!check_files (sockets, error))
    return FALSE;
  if (sockets <= ports)
    return TRUE;
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "%u connections at a time need as many local ports, and this machine has %u; widen "
               "net.ipv4.ip_local_port_range or lower the concurrency",
               sockets, ports);
  return FALSE;
}
