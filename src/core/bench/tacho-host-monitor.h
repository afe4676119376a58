/* SPDX-License-Identifier: GPL-3.0-or-later */
/* This machine's load: processors, memory, network, GPUs. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _TachoHostMonitor TachoHostMonitor;

/* NaN: not known. */
typedef struct
{
  double cpu_share;      /* of all cores, since the sample before; 0..1 */
  double memory_used;    /* bytes that are not available to others */
  double memory_total;
  double network_rx_bps; /* bits a second since the sample before */
  double network_tx_bps;
  double gpu_share; /* the busiest, 0..1 */
  double gpu_memory_used;
} TachoHostSample;

/* root: where /proc and /sys are, for tests; NULL: "/" (and then NVIDIA's library is asked too). */
TachoHostMonitor *tacho_host_monitor_new (const char *root) G_GNUC_WARN_UNUSED_RESULT;
void tacho_host_monitor_free (TachoHostMonitor *self);
void tacho_host_monitor_sample (TachoHostMonitor *self, gint64 now_ns, TachoHostSample *sample);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoHostMonitor, tacho_host_monitor_free)

G_END_DECLS
