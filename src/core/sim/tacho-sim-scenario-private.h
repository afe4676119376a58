/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the scenario reader share. path: of the value, for the words of the error. */
#pragma once

#include "sim/tacho-sim-scenario.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Always FALSE, with a TACHO_ERROR_INVALID. */
gboolean tacho_sim_scenario_refuse (GError **error, const char *path, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
gboolean tacho_sim_scenario_read_number (JsonNode *node,
                                         const char *path,
                                         double min,
                                         double max,
                                         double *value,
                                         GError **error);
gboolean tacho_sim_scenario_read_whole (JsonNode *node,
                                        const char *path,
                                        double min,
                                        double max,
                                        guint *value,
                                        GError **error);
const char *tacho_sim_scenario_read_text (JsonNode *node, const char *path, GError **error);
gboolean tacho_sim_scenario_read_faults (TachoSimConfig *config,
                                         JsonNode *node,
                                         const char *path,
                                         GError **error);
gboolean tacho_sim_scenario_read_timeline (TachoSimConfig *config,
                                           JsonNode *node,
                                           const char *path,
                                           GError **error);
gboolean tacho_sim_scenario_check_models (const TachoSimConfig *config, GError **error);

G_END_DECLS
