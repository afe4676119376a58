/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this machine allows: asked before a run rather than found out in it. */
#pragma once

#include "bench/tacho-bench-plan.h"

G_BEGIN_DECLS

/* Raises the soft limit of open files if need be. TACHO_ERROR_INVALID with what to do. */
gboolean tacho_load_limits_check (const TachoBenchPlan *plan, GError **error);
/* Connections that one source address can have to one server address. range: the text of
 * ip_local_port_range, or NULL: this machine's. */
guint tacho_load_limits_ports (const char *range);

G_END_DECLS
