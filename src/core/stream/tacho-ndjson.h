/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Newline-delimited JSON, incremental: bytes in, lines out. No I/O. Linear time. */
#pragma once

#include <glib.h>
#include "stream/tacho-sse.h"

G_BEGIN_DECLS

typedef void (*TachoNdjsonFunc) (const char *line, gsize length, gpointer user_data);

typedef struct _TachoNdjsonParser TachoNdjsonParser;

TachoNdjsonParser *tacho_ndjson_parser_new (void) G_GNUC_WARN_UNUSED_RESULT;
void tacho_ndjson_parser_free (TachoNdjsonParser *parser);
void tacho_ndjson_parser_set_limit (TachoNdjsonParser *parser, gsize max_line);
gboolean tacho_ndjson_parser_feed (TachoNdjsonParser *parser,
                                   const char *data,
                                   gsize length,
                                   TachoNdjsonFunc func,
                                   gpointer user_data,
                                   GError **error);
/* Ends the input: a last line without its newline is delivered if it is complete JSON, else dropped
 * and FALSE is returned. */
gboolean
tacho_ndjson_parser_finish (TachoNdjsonParser *parser, TachoNdjsonFunc func, gpointer user_data);
void tacho_ndjson_parser_reset (TachoNdjsonParser *parser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoNdjsonParser, tacho_ndjson_parser_free)

G_END_DECLS
