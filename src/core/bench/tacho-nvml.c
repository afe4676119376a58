/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The few calls of NVML (docs.nvidia.com/deploy/nvml-api) that a benchmark needs, declared here:
 * its header is not free and its library is part of the driver. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-nvml.h"

#include <dlfcn.h>
#include <math.h>

#define MAX_DEVICES 64u

typedef struct
{
  unsigned int gpu, memory;
} Utilization;

typedef struct
{
  unsigned long long total, available, used;
} Memory;

struct _TachoNvml
{
  void *library;
  int (*shutdown) (void);
  int (*handle) (unsigned int index, void **device);
  int (*utilization) (void *device, Utilization *utilization);
  int (*memory) (void *device, Memory *memory);
  unsigned int n;
};

/* POSIX: what dlsym gives for a function may be stored in a pointer to one. */
static gboolean
find (void *library, const char *name, void *pointer)
{
  void *symbol = dlsym (library, name);

  *(void **) pointer = symbol;
  return symbol != NULL;
}

/**
 * tacho_nvml_new:
 *
 * Returns: (transfer full) (nullable): the library, ready; %NULL: there is none, or it sees no GPU
 */
TachoNvml *
tacho_nvml_new (void)
{
  TachoNvml *self;
  void *library = dlopen ("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  int (*init) (void) = NULL;
  int (*count) (unsigned int *n) = NULL;

  if (library == NULL)
    return NULL;
  self = g_new0 (TachoNvml, 1);
  self->library = library;
  if (find (library, "nvmlInit_v2", &init) && find (library, "nvmlShutdown", &self->shutdown) &&
      find (library, "nvmlDeviceGetCount_v2", &count) &&
      find (library, "nvmlDeviceGetHandleByIndex_v2", &self->handle) &&
      find (library, "nvmlDeviceGetUtilizationRates", &self->utilization) &&
      find (library, "nvmlDeviceGetMemoryInfo", &self->memory) && init () == 0)
    {
      if (count (&self->n) == 0 && self->n > 0)
        return self;
      self->shutdown ();
    }
  dlclose (library);
  g_free (self);
  return NULL;
}

/**
 * tacho_nvml_free:
 * @self: (nullable): the library
 *
 * Closes it.
 */
void
tacho_nvml_free (TachoNvml *self)
{
  if (self == NULL)
    return;
  self->shutdown ();
  dlclose (self->library);
  g_free (self);
}

/**
 * tacho_nvml_sample:
 * @self: (nullable): the library
 * @share: (inout): of the busiest GPU, 0 … 1
 * @used: (inout): bytes of all GPUs' memory in use
 *
 * Adds what NVIDIA's GPUs do now.
 */
void
tacho_nvml_sample (TachoNvml *self, double *share, double *used)
{
  for (unsigned int i = 0; self != NULL && i < MIN (self->n, MAX_DEVICES); i++)
    {
      void *device = NULL;
      Utilization utilization;
      Memory memory;

      if (self->handle (i, &device) != 0)
        continue;
      if (self->utilization (device, &utilization) == 0)
        *share = fmax (*share, utilization.gpu / 100.0);
      if (self->memory (device, &memory) == 0)
        *used = (double) memory.used + (isfinite (*used) ? *used : 0);
    }
}
