/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When enough is known: "p95(ttft_ms)±5%" stops a run once the 95 % interval of that figure is
 * within 5 % of it. */
#pragma once

#include "bench/tacho-distribution.h"

G_BEGIN_DECLS

typedef struct _TachoUntil TachoUntil;

/* TACHO_ERROR_INVALID */
TachoUntil *tacho_until_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void tacho_until_free (TachoUntil *until);
/* TACHO_METRIC_…, and whether its distribution is known well enough. */
guint tacho_until_get_metric (const TachoUntil *until);
gboolean tacho_until_reached (const TachoUntil *until, const TachoDistribution *distribution);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoUntil, tacho_until_free)

G_END_DECLS
