/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text from servers, models and files is hostile: these make it safe to show. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Valid UTF-8; C0 (but \n and \t), DEL, C1, bidi controls and tag characters are replaced by U+FFFD
 * or dropped. Linear. `tacho_text_sanitize_line` also turns line breaks and tabs into spaces and
 * cuts at `max_chars` with an ellipsis (0: no cut). */
char *tacho_text_sanitize (const char *text, gssize length) G_GNUC_WARN_UNUSED_RESULT;
char *tacho_text_sanitize_line (const char *text,
                                gssize length,
                                gsize max_chars) G_GNUC_WARN_UNUSED_RESULT;
char *tacho_text_escape_markup (const char *text, gsize max_chars) G_GNUC_WARN_UNUSED_RESULT;

/* Incremental form for a terminal: UTF-8 split over pieces is held back until whole. */
typedef struct _TachoTextFilter TachoTextFilter;
TachoTextFilter *tacho_text_filter_new (void) G_GNUC_WARN_UNUSED_RESULT;
void tacho_text_filter_free (TachoTextFilter *filter);
void tacho_text_filter_push (TachoTextFilter *filter, const char *data, gsize length, GString *out);
void tacho_text_filter_finish (TachoTextFilter *filter, GString *out);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoTextFilter, tacho_text_filter_free)

char *tacho_text_format_bytes (guint64 bytes) G_GNUC_WARN_UNUSED_RESULT; /* "4.1 GB" */
char *tacho_text_format_count (guint64 count) G_GNUC_WARN_UNUSED_RESULT; /* parameters: "7.2 B" */

G_END_DECLS
