/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Takes the steps of a timeline when their time has come, on the host's context. */
#pragma once

#include "sim/tacho-sim-sides.h"

G_BEGIN_DECLS

typedef struct _TachoSimPlayer TachoSimPlayer;

/* Begins with the host's own timeline; its times count from here. */
TachoSimPlayer *tacho_sim_player_new (TachoSimSides *sides,
                                      TachoSimHost *host) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sim_player_free (TachoSimPlayer *player);
/* One more step; its time counts from now and is not scaled. */
void tacho_sim_player_add (TachoSimPlayer *player, TachoSimStep *step); /* (transfer full) */

G_END_DECLS
