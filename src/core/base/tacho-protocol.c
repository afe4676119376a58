/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names of the protocols. */
#define G_LOG_DOMAIN "tacho"

#include "base/tacho-protocol.h"

G_DEFINE_ENUM_TYPE (TachoProtocol,
                    tacho_protocol,
                    G_DEFINE_ENUM_VALUE (TACHO_PROTOCOL_REST, "rest"),
                    G_DEFINE_ENUM_VALUE (TACHO_PROTOCOL_GRPC, "grpc"),
                    G_DEFINE_ENUM_VALUE (TACHO_PROTOCOL_HYBRID, "hybrid"))

static const char *const names[] = { "rest", "grpc", "hybrid" };

/**
 * tacho_protocol_to_string:
 * @protocol: a protocol
 *
 * Returns: its name in profiles, options and output: "rest", "grpc", "hybrid"
 */
const char *
tacho_protocol_to_string (TachoProtocol protocol)
{
  g_return_val_if_fail ((gsize) protocol < G_N_ELEMENTS (names), NULL);

  return names[protocol];
}

/**
 * tacho_protocol_from_string:
 * @name: "rest", "grpc" or "hybrid"
 * @protocol: (out): the protocol of that name
 *
 * Returns: whether there is one
 */
gboolean
tacho_protocol_from_string (const char *name, TachoProtocol *protocol)
{
  g_return_val_if_fail (name != NULL && protocol != NULL, FALSE);

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (name, names[i]))
      {
        *protocol = (TachoProtocol) i;
        return TRUE;
      }
  return FALSE;
}
