/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ports of a simulated server: opened together, taken down and up by side, and changed by its
 * timeline. All on the host's context. */
#pragma once

#include "sim/tacho-sim-http.h"
#include "sim/tacho-sim-timeline.h"

G_BEGIN_DECLS

typedef struct _TachoSimSides TachoSimSides;

TachoSimSides *tacho_sim_sides_new (TachoSimHost *host) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sim_sides_free (TachoSimSides *sides); /* after tacho_sim_sides_close() */
/* Listens on every front of the configuration; port: of the first, 0: as it says. */
gboolean tacho_sim_sides_open (TachoSimSides *sides, guint16 port, GError **error);
void tacho_sim_sides_close (TachoSimSides *sides);
const char *tacho_sim_sides_get_url (TachoSimSides *sides, guint index); /* any thread */
void tacho_sim_sides_set (TachoSimSides *sides, gboolean grpc, gboolean up);
gboolean tacho_sim_sides_is_up (TachoSimSides *sides, gboolean grpc);
void tacho_sim_sides_start_timeline (TachoSimSides *sides);
void tacho_sim_sides_add_step (TachoSimSides *sides, TachoSimStep *step); /* (transfer full) */
void tacho_sim_sides_take_step (TachoSimSides *sides, const TachoSimStep *step);

G_END_DECLS
