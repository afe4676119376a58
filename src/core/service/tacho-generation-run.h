/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One generation on its way: route, prepare, stream, verdict, next attempt. */
#pragma once

#include "service/tacho-client-manager.h"
#include "service/tacho-generation.h"

G_BEGIN_DECLS

/* Fills *generation until it has ended, whatever happens. Copies the request. */
void tacho_generation_run_start (TachoClientManager *manager,
                                 TachoGeneration *generation,
                                 const TachoGenerateRequest *request);

G_END_DECLS
