/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gRPC's length-prefixed messages, incremental: bytes in, messages out. No I/O. Linear time. */
#pragma once

#include "stream/tacho-sse.h"

G_BEGIN_DECLS

#define TACHO_GRPC_FRAME_HEADER 5

typedef void (*TachoGrpcFrameFunc) (const char *message, gsize length, gpointer user_data);

typedef struct _TachoGrpcFrameParser TachoGrpcFrameParser;

TachoGrpcFrameParser *tacho_grpc_frame_parser_new (void) G_GNUC_WARN_UNUSED_RESULT;
void tacho_grpc_frame_parser_free (TachoGrpcFrameParser *parser);
gboolean tacho_grpc_frame_parser_feed (TachoGrpcFrameParser *parser,
                                       const char *data,
                                       gsize length,
                                       TachoGrpcFrameFunc func,
                                       gpointer user_data,
                                       GError **error);
gboolean tacho_grpc_frame_parser_is_between (TachoGrpcFrameParser *parser);
void tacho_grpc_frame_parser_reset (TachoGrpcFrameParser *parser);
/* What stands before a message of so many bytes. */
void tacho_grpc_frame_write_header (guint8 header[TACHO_GRPC_FRAME_HEADER], guint32 length);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoGrpcFrameParser, tacho_grpc_frame_parser_free)

G_END_DECLS
