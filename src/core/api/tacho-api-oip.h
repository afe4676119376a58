/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Open Inference Protocol, version 2: Triton, KServe, MLServer. REST or gRPC. */
#pragma once

#include "api/tacho-api.h"

G_BEGIN_DECLS

#define TACHO_TYPE_API_OIP (tacho_api_oip_get_type ())
G_DECLARE_FINAL_TYPE (TachoApiOip, tacho_api_oip, TACHO, API_OIP, GObject)

/* extensions, name and version are the server's metadata: `GET /v2` or ServerMetadata. */
TachoApi *tacho_api_oip_new (TachoProtocol protocol,
                             const char *const *extensions,
                             const char *name,
                             const char *version) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
