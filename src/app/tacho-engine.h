/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The llama-server of this computer that the program starts: one, with what the settings say. */
#pragma once

#include "service/tacho-local-engine.h"

G_BEGIN_DECLS

TachoLocalEngine *tacho_engine_get_default (void); /* (transfer none) */
gboolean tacho_engine_start (GError **error);
/* Whether this is its address, which is another one at the next start. */
gboolean tacho_engine_is_at (const char *url);
/* It ends with the program. */
void tacho_engine_shut_down (void);

G_END_DECLS
