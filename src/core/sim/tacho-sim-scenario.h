/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file that says what the simulated server is and what happens to it. */
#pragma once

#include "sim/tacho-sim-config.h"

G_BEGIN_DECLS

/* Changes what the file names. TACHO_ERROR_IO, or TACHO_ERROR_INVALID with the path of the value
 * ("models[1].slots") and what is allowed there; the configuration may be half changed then. */
gboolean tacho_sim_scenario_load (TachoSimConfig *config, const char *path, GError **error);
gboolean
tacho_sim_scenario_read (TachoSimConfig *config, const char *json, gsize length, GError **error);

G_END_DECLS
