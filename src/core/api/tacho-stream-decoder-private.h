/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the decoder's own files share. */
#pragma once

#include "api/tacho-stream-decoder.h"
#include "stream/tacho-grpc-frame.h"
#include "stream/tacho-ndjson.h"
#include "stream/tacho-sse.h"

G_BEGIN_DECLS

typedef enum
{
  BODY_UNKNOWN, /* nothing but space so far */
  BODY_STREAM,
  BODY_OTHER, /* a JSON document or a web page */
} BodyKind;

typedef enum
{
  LINE_START,
  LINE_SKIP,
  LINE_ERROR,
} LineState;

struct _TachoStreamDecoder
{
  TachoApi *api;
  TachoOperation operation;
  TachoDecodeMode mode;
  TachoFraming framing;
  TachoSseParser *sse; /* of the three, the one of the framing */
  TachoNdjsonParser *ndjson;
  TachoGrpcFrameParser *grpc;
  TachoUsage usage; /* the sum of counts that add */
  BodyKind kind;
  GString *body; /* BODY_OTHER */
  LineState line;
  guint line_matched;
  GString *error_line;
  GString *id;
  gboolean done;
  gboolean more;  /* the last event said that it was not the last */
  gboolean whole; /* at the end: no piece is cut */
  GError *error;
  guint64 n_events;
  guint64 n_bytes;
  /* During a feed. */
  TachoStreamEventFunc func;
  gpointer user_data;
};

/* Delivers; an in-band error becomes the decoder's own, from now on. Takes event->error. */
void tacho_stream_decoder_deliver (TachoStreamDecoder *decoder, TachoStreamEvent *event);
void tacho_stream_decoder_deliver_error (TachoStreamDecoder *decoder, const char *words);
void tacho_stream_decoder_fail_protocol (TachoStreamDecoder *decoder,
                                         const char *why,
                                         const char *data,
                                         gsize length);
void tacho_stream_decoder_read_full (TachoStreamDecoder *decoder, const char *data, gsize length);
gboolean
tacho_stream_decoder_read_scanned (TachoStreamDecoder *decoder, const char *data, gsize length);
void
tacho_stream_decoder_read_error_text (TachoStreamDecoder *decoder, const char *data, gsize length);

G_END_DECLS
