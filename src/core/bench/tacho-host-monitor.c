/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads /proc and /sys, as proc(5) and the kernel's amdgpu documentation describe them. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-host-monitor.h"

#include "base/tacho-clock.h"
#include "bench/tacho-nvml.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct _TachoHostMonitor
{
  char *root;
  TachoNvml *nvml; /* or NULL */
  gint64 last_ns;
  guint64 cpu_busy, cpu_all;
  guint64 rx, tx;
};

/**
 * tacho_host_monitor_new:
 * @root: (nullable): the folder that holds proc and sys; %NULL: this machine's
 *
 * Returns: (transfer full): a monitor; its first sample has no rates
 */
TachoHostMonitor *
tacho_host_monitor_new (const char *root)
{
  TachoHostMonitor *self = g_new0 (TachoHostMonitor, 1);

  self->root = g_strdup (root != NULL ? root : "/");
  if (root == NULL)
    self->nvml = tacho_nvml_new ();
  return self;
}

/**
 * tacho_host_monitor_free:
 * @self: (nullable): a monitor
 *
 * Frees it.
 */
void
tacho_host_monitor_free (TachoHostMonitor *self)
{
  if (self == NULL)
    return;
  tacho_nvml_free (self->nvml);
  g_free (self->root);
  g_free (self);
}

static char *
read_file (TachoHostMonitor *self, const char *path)
{
  g_autofree char *whole = g_build_filename (self->root, path, NULL);
  char *text = NULL;

  return g_file_get_contents (whole, &text, NULL, NULL) ? text : NULL;
}

/* "cpu user nice system idle iowait irq softirq steal": all but idle and iowait is work. */
static double
cpu_share (TachoHostMonitor *self)
{
  g_autofree char *text = read_file (self, "proc/stat");
  guint64 v[8] = { 0 }, all = 0, busy, old_busy = self->cpu_busy, old_all = self->cpu_all;

  if (text == NULL || sscanf (text,
                              "cpu %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                              " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                              " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                              &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) < 4)
    return NAN;
  for (gsize i = 0; i < G_N_ELEMENTS (v); i++)
    all += v[i];
  busy = all - v[3] - v[4];
  self->cpu_busy = busy;
  self->cpu_all = all;
  if (old_all == 0 || all <= old_all || busy < old_busy)
    return NAN;
  return (double) (busy - old_busy) / (double) (all - old_all);
}

static double
meminfo (const char *text, const char *name)
{
  const char *line = strstr (text, name);
  guint64 kib;

  if (line == NULL || sscanf (line + strlen (name), " %" G_GUINT64_FORMAT, &kib) != 1)
    return NAN;
  return (double) kib * 1024;
}

/* Sums over all interfaces: a local server's bytes go through lo. */
static void
network (TachoHostMonitor *self, double seconds, TachoHostSample *sample)
{
  g_autofree char *text = read_file (self, "proc/net/dev");
  g_auto (GStrv) lines = text != NULL ? g_strsplit (text, "\n", -1) : NULL;
  guint64 rx = 0, tx = 0, old_rx = self->rx, old_tx = self->tx;

  for (char **line = lines; line != NULL && *line != NULL; line++)
    {
      const char *colon = strchr (*line, ':');
      guint64 in, out;

      if (colon != NULL &&
          sscanf (colon + 1,
                  " %" G_GUINT64_FORMAT " %*u %*u %*u %*u %*u %*u %*u %" G_GUINT64_FORMAT, &in,
                  &out) == 2)
        {
          rx += in;
          tx += out;
        }
    }
  self->rx = rx;
  self->tx = tx;
  if (text == NULL || !(seconds > 0) || rx < old_rx || tx < old_tx)
    return;
  sample->network_rx_bps = 8 * (double) (rx - old_rx) / seconds;
  sample->network_tx_bps = 8 * (double) (tx - old_tx) / seconds;
}

static double
read_number (TachoHostMonitor *self, const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename ("sys/class/drm", folder, "device", name, NULL);
  g_autofree char *text = read_file (self, path);

  return text != NULL && g_ascii_isdigit (*text) ? g_ascii_strtod (text, NULL) : NAN;
}

static void
amd_gpus (TachoHostMonitor *self, TachoHostSample *sample)
{
  g_autofree char *path = g_build_filename (self->root, "sys/class/drm", NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      double busy, used;

      if (!g_str_has_prefix (name, "card") || strchr (name, '-') != NULL)
        continue; /* card0-HDMI-A-1 is a socket */
      busy = read_number (self, name, "gpu_busy_percent");
      used = read_number (self, name, "mem_info_vram_used");
      if (isfinite (busy))
        sample->gpu_share = fmax (sample->gpu_share, busy / 100);
      if (isfinite (used))
        sample->gpu_memory_used =
            used + (isfinite (sample->gpu_memory_used) ? sample->gpu_memory_used : 0);
    }
}

/**
 * tacho_host_monitor_sample:
 * @self: a monitor
 * @now_ns: now
 * @sample: (out caller-allocates): what is known
 *
 * Rates are since the sample before.
 */
void
tacho_host_monitor_sample (TachoHostMonitor *self, gint64 now_ns, TachoHostSample *sample)
{
  g_autofree char *memory = read_file (self, "proc/meminfo");
  double seconds = self->last_ns != 0 ? (double) (now_ns - self->last_ns) / TACHO_NS_PER_S : NAN;

  *sample = (TachoHostSample){ NAN, NAN, NAN, NAN, NAN, NAN, NAN };
  self->last_ns = now_ns;
  sample->cpu_share = cpu_share (self);
  if (memory != NULL)
    {
      sample->memory_total = meminfo (memory, "MemTotal:");
      sample->memory_used = sample->memory_total - meminfo (memory, "MemAvailable:");
    }
  network (self, seconds, sample);
  amd_gpus (self, sample);
  tacho_nvml_sample (self->nvml, &sample->gpu_share, &sample->gpu_memory_used);
}
