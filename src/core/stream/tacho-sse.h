/* SPDX-License-Identifier: GPL-3.0-or-later */
/* WHATWG server-sent events, incremental: bytes in, events out. No I/O. Linear time. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define TACHO_STREAM_ERROR (tacho_stream_error_quark ())
GQuark tacho_stream_error_quark (void);

typedef enum
{
  TACHO_STREAM_ERROR_LINE_TOO_LONG = 1,
  TACHO_STREAM_ERROR_EVENT_TOO_LONG,
} TachoStreamError;

#define TACHO_STREAM_MAX_LINE ((gsize) 16 * 1024 * 1024)
#define TACHO_STREAM_MAX_EVENT ((gsize) 64 * 1024 * 1024)

typedef struct
{
  const char *type; /* NUL-terminated; "message" unless an `event:` field was given */
  const char *data; /* NUL-terminated after `length` bytes; may hold NULs itself */
  gsize length;
  const char *id; /* last event id, "" if none */
} TachoSseEvent;  /* valid during the callback only */

typedef void (*TachoSseFunc) (const TachoSseEvent *event, gpointer user_data);

typedef struct _TachoSseParser TachoSseParser;

TachoSseParser *tacho_sse_parser_new (void) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sse_parser_free (TachoSseParser *parser);
void tacho_sse_parser_set_limits (TachoSseParser *parser, gsize max_line, gsize max_event);
/* FALSE once a limit is passed; the parser then refuses all further input with the same error. */
gboolean tacho_sse_parser_feed (TachoSseParser *parser,
                                const char *data,
                                gsize length,
                                TachoSseFunc func,
                                gpointer user_data,
                                GError **error);
/* What stands unfinished at the end of the input, dropped by the standard: the data lines of the
 * event in progress and the unfinished last line, so that a caller may be kind to a final
 * unterminated "data: [DONE]". NULL if nothing. */
char *tacho_sse_parser_take_rest (TachoSseParser *parser) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sse_parser_reset (TachoSseParser *parser); /* for the next reply: keeps its buffers */
guint64 tacho_sse_parser_get_n_comments (TachoSseParser *parser);
gint64 tacho_sse_parser_get_retry_ms (TachoSseParser *parser); /* -1 if never given */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoSseParser, tacho_sse_parser_free)

G_END_DECLS
