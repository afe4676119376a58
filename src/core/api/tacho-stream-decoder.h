/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reply bytes in, TachoStreamEvents out: framing and JSON of one streamed generation. No I/O. */
#pragma once

#include "api/tacho-api.h"

G_BEGIN_DECLS

typedef struct _TachoStreamDecoder TachoStreamDecoder;

TachoStreamDecoder *tacho_stream_decoder_new (TachoApi *api,
                                              TachoOperation operation,
                                              TachoDecodeMode mode) G_GNUC_WARN_UNUSED_RESULT;
void tacho_stream_decoder_free (TachoStreamDecoder *decoder);
/* Bad JSON or a passed limit: TACHO_ERROR_PROTOCOL. An in-band error is an event and, from then on,
 * TACHO_ERROR_IN_BAND. Nothing is delivered after the terminal marker. */
gboolean tacho_stream_decoder_feed (TachoStreamDecoder *decoder,
                                    const char *data,
                                    gsize length,
                                    TachoStreamEventFunc func,
                                    gpointer user_data,
                                    GError **error);
/* The body ended: TACHO_ERROR_TRUNCATED unless the terminal marker was seen. */
gboolean tacho_stream_decoder_finish (TachoStreamDecoder *decoder,
                                      TachoStreamEventFunc func,
                                      gpointer user_data,
                                      GError **error);
gboolean tacho_stream_decoder_is_done (TachoStreamDecoder *decoder);
void tacho_stream_decoder_reset (TachoStreamDecoder *decoder); /* the next reply, buffers kept */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoStreamDecoder, tacho_stream_decoder_free)

G_END_DECLS
