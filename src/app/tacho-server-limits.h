/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The times and numbers of a server: timeouts, retries, connections, in rows that fold. An empty
 * field means the default. Signal: "changed" (). */
#pragma once

#include <adwaita.h>
#include "config/tacho-profile.h"

G_BEGIN_DECLS

#define TACHO_TYPE_SERVER_LIMITS (tacho_server_limits_get_type ())
G_DECLARE_FINAL_TYPE (TachoServerLimits,
                      tacho_server_limits,
                      TACHO,
                      SERVER_LIMITS,
                      AdwPreferencesGroup)

void tacho_server_limits_show (TachoServerLimits *self, TachoProfile *profile);
/* FALSE: one of them is not allowed, which its row says from now on. */
gboolean tacho_server_limits_apply (TachoServerLimits *self, TachoProfile *profile);

G_END_DECLS
