/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NVIDIA's management library, where it is installed: opened when needed, never linked. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _TachoNvml TachoNvml;

TachoNvml *tacho_nvml_new (void) G_GNUC_WARN_UNUSED_RESULT; /* NULL: no library, or no GPU */
void tacho_nvml_free (TachoNvml *self);
/* Raises share to that of the busiest GPU (0..1) and adds the memory in use to used (bytes); NaN
 * counts as nothing. Leaves both alone where nothing is known. */
void tacho_nvml_sample (TachoNvml *self, double *share, double *used);

G_END_DECLS
