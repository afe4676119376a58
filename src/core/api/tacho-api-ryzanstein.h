/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ryzanstein: its REST contract, or the InferenceService of its MCP servers over gRPC. */
#pragma once

#include "api/tacho-api.h"

G_BEGIN_DECLS

#define TACHO_TYPE_API_RYZANSTEIN (tacho_api_ryzanstein_get_type ())
G_DECLARE_FINAL_TYPE (TachoApiRyzanstein, tacho_api_ryzanstein, TACHO, API_RYZANSTEIN, GObject)

TachoApi *tacho_api_ryzanstein_new (TachoProtocol protocol,
                                    const char *version) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
