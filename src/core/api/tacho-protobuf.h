/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages of gRPC protocols to bytes and back, within limits. */
#pragma once

#include <glib.h>
#include <protobuf-c/protobuf-c.h>

G_BEGIN_DECLS

/* A NULL message is packed to no bytes: an empty request. */
GBytes *tacho_protobuf_pack (const ProtobufCMessage *message) G_GNUC_WARN_UNUSED_RESULT;
/* (transfer full), for tacho_protobuf_free(). TACHO_ERROR_PROTOCOL: not such a message, or one that
 * would take too much memory. Its strings may be any bytes but NUL. */
gpointer tacho_protobuf_unpack (const ProtobufCMessageDescriptor *descriptor,
                                gconstpointer data,
                                gsize length,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
void tacho_protobuf_free (gpointer message);

G_END_DECLS
