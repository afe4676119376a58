/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON text, written by a format. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* An apostrophe becomes a quotation mark. %s: text in quotation marks (NULL: null), %r: text as it
 * is, %d: int, %u: guint, %i: gint64, %n: double, %b: gboolean. */
void tacho_sim_json_add (GString *out, const char *format, ...);
/* A separator unless something stands before it. */
void tacho_sim_json_comma (GString *out);

G_END_DECLS
