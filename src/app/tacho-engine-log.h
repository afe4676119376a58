/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the llama-server of this computer says, while somebody looks. */
#pragma once

#include <adwaita.h>
#include "service/tacho-local-engine.h"

G_BEGIN_DECLS

#define TACHO_TYPE_ENGINE_LOG (tacho_engine_log_get_type ())
G_DECLARE_FINAL_TYPE (TachoEngineLog, tacho_engine_log, TACHO, ENGINE_LOG, AdwBin)

void tacho_engine_log_set_engine (TachoEngineLog *self, TachoLocalEngine *engine);

G_END_DECLS
