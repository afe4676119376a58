/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a server is spoken to. One endpoint speaks REST or gRPC; a profile may use both. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum
{
  TACHO_PROTOCOL_REST,
  TACHO_PROTOCOL_GRPC,
  TACHO_PROTOCOL_HYBRID, /* both sides, one after the other; never the protocol of one endpoint */
} TachoProtocol;

#define TACHO_TYPE_PROTOCOL (tacho_protocol_get_type ())
GType tacho_protocol_get_type (void);
const char *tacho_protocol_to_string (TachoProtocol protocol); /* "rest", "grpc", "hybrid" */
gboolean tacho_protocol_from_string (const char *name, TachoProtocol *protocol);

G_END_DECLS
